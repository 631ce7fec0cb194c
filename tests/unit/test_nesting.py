"""How deeply an object is nested, and heads of files that lead out of them: on bytes written by hand
(PS3.5 7.5, PS3.10 7.1), and on pydicom's."""

from __future__ import annotations

import mmap
import struct
import zlib
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from orthanc_dose import samples
from orthanc_dose.dicom import file_head, nesting, part10
from orthanc_dose.dicom.dataset import Unreadable
from tests.fuzz.damage import mutant
from tests.support import corpus

SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]


def written(levels: int, syntax: str, undefined: bool, private: bool = False) -> bytes:
    """A CT slice with sequences in one another before its pixels, by pydicom."""
    inner = Dataset()
    inner.CodeValue = "1"
    for _ in range(levels):
        outer = Dataset()
        if private:
            outer.add_new(0x00410010, "LO", "SOMEBODY")
            outer.add_new(0x00411001, "SQ", Sequence([inner]))
        else:
            outer.ConceptNameCodeSequence = Sequence([Dataset(), inner])
        for element in outer:
            if element.VR == "SQ":
                element.is_undefined_length = undefined
                for item in element.value:
                    item.is_undefined_length_sequence_item = undefined
        inner = outer
    dataset, buffer = samples.ct_slice(), BytesIO()
    dataset.update(inner)
    for element in inner:  # update leaves out what is no value
        dataset[element.tag] = element
    dataset.file_meta.TransferSyntaxUID = syntax
    pydicom.dcmwrite(buffer, dataset, implicit_vr=syntax == ImplicitVRLittleEndian,
                     little_endian=syntax != ExplicitVRBigEndian, enforce_file_format=True)  # fmt: skip
    return buffer.getvalue()


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("levels", [1, 7, 32, 33, 60])
def test_levels_are_counted(syntax: str, undefined: bool, private: bool, levels: int) -> None:
    raw = written(levels, syntax, undefined, private)
    assert nesting.depth(raw) == levels
    assert nesting.too_deep(raw) == (levels if levels > 32 else 0)


def test_deflated_objects_are_looked_into() -> None:
    raw = written(40, ExplicitVRLittleEndian, True)
    _, at = part10.transfer_syntax_and_start(raw)
    head = raw[:at].replace(b"UI\x14\x001.2.840.10008.1.2.1\0", b"UI\x16\x001.2.840.10008.1.2.1.99")
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    deflated = head + deflater.compress(raw[at:]) + deflater.flush()
    assert part10.transfer_syntax_and_start(deflated)[0] == part10.DEFLATED
    assert nesting.too_deep(deflated) == 40


def test_mapped_files_are_looked_into(tmp_path: Path) -> None:
    path = tmp_path / "nested.dcm"
    path.write_bytes(written(40, ExplicitVRLittleEndian, False) + bytes(10))
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert nesting.too_deep(mapped) == 40


def test_very_deep_objects_end_the_count() -> None:
    item = b"\x40\x00\x43\xa0SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    raw = samples.part10(samples.ct_report(1)) + item * 200_000
    assert nesting.depth(raw) == nesting.MOST_COUNTED


@pytest.mark.parametrize("name", ["UN", "??", "OB"])
def test_a_doubt_counts(name: str) -> None:
    """Levels behind something that is no element, and in values that a reader may take for a
    sequence."""
    vr, value = name.encode(), b""
    for _ in range(40):
        value = b"\xfe\xff\x00\xe0" + struct.pack("<I", len(value)) + value
        value = b"\x41\x00\x01\x10" + vr + b"\0\0" + struct.pack("<I", len(value)) + value
    assert nesting.too_deep(samples.part10(samples.ct_report(1)) + value) >= 33


def test_no_real_object_is_near_the_limit() -> None:
    found = {path.stem: nesting.depth(path.read_bytes()) for path in corpus.OBJECTS}
    assert max(found.values(), default=0) <= 10, found
    assert not any(file_head.overruns(path.read_bytes()) for path in corpus.OBJECTS)


def _depth(dataset: object) -> int:
    """How deep a data set is that our reader made."""
    below = [
        _depth(item) for value in dataset.values() if isinstance(value, list) for item in value
    ]  # type: ignore[attr-defined]
    empty = any(isinstance(value, list) for value in dataset.values())  # type: ignore[attr-defined]
    return max((1 + one for one in below), default=int(empty))


def test_what_can_be_read_is_no_deeper_than_counted() -> None:
    """Damaged objects: our reader never sees more levels than were counted."""
    compared = 0
    for number in range(1, 250):
        raw = mutant(5, number).raw
        counted, pruned = nesting.depth(raw), nesting.too_deep(raw)
        assert pruned == (counted if counted > 32 else 0)
        try:
            read = part10.read_part10(raw)
        except Unreadable:
            continue
        compared += 1
        assert _depth(read.dataset) <= counted
    assert compared > 80


@pytest.mark.parametrize(
    ("change", "fatal"),
    [
        ("nothing", False),
        ("no group length", False),
        ("group length a little wrong", False),
        ("version of 1 MB", True),
        ("version of 4 GB", True),
        ("group length of 8", True),
        ("group length of 10", True),
        ("group length of 2 GB", True),
    ],
)
def test_heads_that_lead_out_of_the_file(change: str, fatal: bool) -> None:
    raw = bytearray(samples.part10(samples.ct_report(1)))
    version = raw.index(b"\x02\x00\x01\x00OB\0\0") + 8
    length = struct.unpack_from("<I", raw, 140)[0]
    for words, at, value in (
        ("version of 1 MB", version, 0x100000), ("version of 4 GB", version, 0xFFFFFFFE),
        ("group length of 8", 140, 8), ("group length of 10", 140, 10),
        ("group length of 2 GB", 140, 0x7FFFFFFE), ("group length a little wrong", 140, length - 2),
    ):  # fmt: skip
        if words == change:
            struct.pack_into("<I", raw, at, value)
    if change == "no group length":
        del raw[132:144]
    assert file_head.overruns(bytes(raw)) is fatal


def test_every_cut_of_a_head_is_answered() -> None:
    raw = samples.part10(samples.ct_report(1))
    for length in range(400):
        assert file_head.overruns(raw[:length]) in (True, False)
        assert nesting.too_deep(raw[:length]) == 0

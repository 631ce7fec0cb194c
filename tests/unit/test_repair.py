"""Repair of objects with a broken length: what is kept is what pydicom reads in the intact object,
what is lost is said, and what could become a wrong record is refused."""

from __future__ import annotations

import io
import struct

import pydicom
import pytest

from orthanc_dose.dicom.repair import NotRepairable, repair
from orthanc_dose.samples import ct_report, mammography_image, part10
from orthanc_dose.samples.hostile import HOSTILE
from orthanc_dose.samples.hostile.lengths import with_item_length, with_length

EXPOSURE_TIME, KVP = b"\x18\x00\x50\x11IS", b"\x18\x00\x60\x00DS"
ANATOMY, VIEW = b"\x08\x00\x18\x22SQ", b"\x54\x00\x20\x02SQ"
ENTRANCE_DOSE, PIXELS = b"\x40\x00\x02\x03US", b"\xe0\x7f\x10\x00OW"
CONTRIBUTING = 0x0018A001


def mammogram(implicit: bool = False) -> bytes:
    return part10(mammography_image(seed=5), implicit=implicit)


def read(raw: bytes) -> dict[int, object]:
    """Return the elements by tag, as pydicom reads them."""
    return {int(one.tag): one for one in pydicom.dcmread(io.BytesIO(raw))}


CASES = {
    # The length leads beyond the end of the file; the value is text up to the next element.
    "text, beyond the end": (with_length(mammogram(), EXPOSURE_TIME, 60_000), {0x00181150}),
    "text, too long by 2": (with_length(mammogram(), EXPOSURE_TIME, 6), {0x00181150}),
    "text, too short": (with_length(mammogram(), EXPOSURE_TIME, 2), {0x00181150}),
    "text, no length": (with_length(mammogram(), KVP, 0), {0x00180060}),
    "number": (with_length(mammogram(), ENTRANCE_DOSE, 40_000), {0x00400302}),
    "item beyond its sequence": (with_item_length(mammogram(), ANATOMY, 0xFFF0), {0x00082218}),
    "element beyond its item": (
        with_length(mammogram(), b"\x08\x00\x02\x01SH", 0x7FFF), {0x00082218}),
    "pixel data with a wrong length": (with_length(mammogram(), PIXELS, 5000), {0x7FE00010}),
    "pixel data cut short": (mammogram()[:-10], {0x7FE00010}),
    # A sequence can hold anything, so where it ends is not certain: all after it is lost.
    "sequence beyond the end": (with_length(mammogram(), VIEW, 0x7FFFFFFF), {0x00540220, 0x7FE00010}),
    "implicit, text": (
        with_length(mammogram(True), EXPOSURE_TIME[:4], 60_000, implicit=True), {0x00181150}),
    "implicit, text too long": (
        with_length(mammogram(True), EXPOSURE_TIME[:4], 6, implicit=True), {0x00181150}),
    "implicit, pixel data": (mammogram(True)[:-2], {0x7FE00010}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_certain_is_kept(name: str) -> None:
    broken, lost = CASES[name]
    repaired, whole = repair(broken), read(mammogram("implicit" in name))
    found = read(repaired.body)
    note = found.pop(CONTRIBUTING)
    assert found == {tag: one for tag, one in whole.items() if tag not in lost}
    assert list(found) == sorted(found)
    assert repaired.instance_uid == whole[0x00080018].value  # type: ignore[attr-defined]
    item = note.value[0]  # type: ignore[attr-defined]
    assert item.PurposeOfReferenceCodeSequence[0].CodeValue == "109103"
    assert item.ContributionDescription.endswith(f"Lost: {repaired.lost}")
    assert repair(broken) == repaired, "the same object gives the same bytes"


def test_an_existing_contribution_stays() -> None:
    image = mammography_image(seed=5)
    contribution = pydicom.Dataset()
    contribution.Manufacturer = "Another"
    image.ContributingEquipmentSequence = [contribution]
    for undefined in (False, True):
        image["ContributingEquipmentSequence"].is_undefined_length = undefined
        items = read(repair(part10(image)[:-4]).body)[CONTRIBUTING].value  # type: ignore[attr-defined]
        assert [one.Manufacturer for one in items] == ["Another", "Orthanc Dose"]


def test_encapsulated_pixel_data_without_its_end() -> None:
    image = mammography_image(seed=5)
    image.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.70"
    del image.PixelData
    fragments = b"\xfe\xff\x00\xe0" + struct.pack("<I", 0) + b"\xfe\xff\x00\xe0\x00\x10\x00\x00ab"
    raw = part10(image) + b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff" + fragments
    assert repair(raw).lost == "Pixel Data (7FE0,0010)"


@pytest.mark.parametrize(("raw", "words"), [
    (mammogram(), "no broken length was found"),
    (with_length(mammogram(), b"\x08\x00\x08\x00CS", 60_000), "Image Type (0008,0008)"),
    (with_length(mammogram(), b"\x10\x00\x20\x00LO", 60_000), "Patient ID (0010,0020)"),
    (with_length(mammogram(), b"\x20\x00\x0d\x00UI", 60_000), "Study Instance UID"),
    (mammogram()[:700], "Study Instance UID"),
    (part10(ct_report(events=3, seed=2))[:-1], "a part of a dose would be a wrong dose"),
    (HOSTILE["length_beyond_end"](1), "a part of a dose would be a wrong dose"),
    (HOSTILE["item_length_beyond_sequence"](1), "a part of a dose would be a wrong dose"),
    (HOSTILE["truncated_at_half"](1), "a part of a dose would be a wrong dose"),
    (with_length(mammogram(True), VIEW[:4], 0x7FFFFFFF, implicit=True), "implicit encoding"),
    (HOSTILE["truncated_in_meta"](1), "the beginning of the file is broken"),
    (HOSTILE["random_after_prefix"](1), "the beginning of the file is broken"),
])  # fmt: skip
def test_what_is_not_repaired(raw: bytes, words: str) -> None:
    with pytest.raises(NotRepairable, match=words.replace("(", r"\(").replace(")", r"\)")):
        repair(raw)


def test_a_report_is_repaired_where_its_content_is_whole() -> None:
    whole = part10(ct_report(events=3, seed=2))
    repaired = repair(with_length(whole, b"\x08\x00\x70\x00LO", 60_000))
    assert repaired.lost == "Manufacturer (0008,0070)"
    assert read(repaired.body)[0x0040A730] == read(whole)[0x0040A730]


@pytest.mark.parametrize("implicit", [False, True])
def test_no_cut_or_length_gives_another_value(implicit: bool) -> None:
    whole = mammogram(implicit)
    intact = read(whole)
    start = whole.index(b"\x08\x00\x05\x00")
    heads = [one.start for one in pydicom_places(whole)]
    broken = [whole[:end] for end in range(start, len(whole))]
    for at in heads:
        place = at + (4 if implicit else 6)
        broken += [
            whole[:place] + struct.pack("<H", length) + whole[place + 2 :]
            for length in (*range(14), 30, 100, 255, 40_000)
        ]
    repairs = 0
    for raw in broken:
        try:
            repaired = repair(raw)
        except NotRepairable:
            continue
        repairs += 1
        found = read(repaired.body)
        found.pop(CONTRIBUTING)
        assert all(intact.get(tag) == one for tag, one in found.items()), repaired.lost
    assert repairs > 40


def pydicom_places(raw: bytes) -> list[slice]:
    """Return the places of the top-level elements with a short length, as pydicom finds them."""
    places = []
    for element in pydicom.dcmread(io.BytesIO(raw), defer_size=None).values():
        tell = getattr(element, "value_tell", None)
        if tell and element.VR not in ("SQ", "OW"):
            places.append(slice(tell - 8, tell))
    return places

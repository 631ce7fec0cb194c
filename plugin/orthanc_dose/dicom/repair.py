"""Repair of objects with a broken length, which Orthanc refuses as a whole.

One length is wrong, or the file ends too soon. Only what is certain is repaired: elements are kept
byte by byte or lost as a whole, and no value is changed. What a break costs:

- a sequence whose items do not fit into it, while its own length leads to the next element: this
  sequence;
- pixel data that is cut short: the pixel data;
- an element with another length than its value: this element, if its bytes up to the next element
  are nothing but its value, and if everything from there to the end of the file can be read;
- anything else: the element, and all that follow (in explicit encoding only: in implicit encoding
  it is not certain where the break is).

Some losses would make a wrong record from a right one, so an object that suffers them is not
repaired: what identifies object, patient and exposure, and any part of a report's content (a part
of a dose is a wrong dose).

A repaired object keeps its SOP Instance UID: it is the same exposure, and an intact copy must not
count beside it. Contributing Equipment Sequence (PS3.3 C.12.1.1) says who modified it, and what is
lost. The same broken object always gives the same bytes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from struct import Struct, error, pack

from pydicom.datadict import dictionary_VM
from pydicom.dataset import Dataset as PydicomDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from .. import __version__
from . import part10
from .dataset import PIXEL_DATA, Unreadable, element_name
from .part10 import WITH_LONG_LENGTH, WITH_SHORT_LENGTH, Raw, TooDeep

_u16, _u32 = Struct("<H").unpack_from, Struct("<I").unpack_from
_UNDEFINED = 0xFFFFFFFF
_CONTRIBUTING_EQUIPMENT = 0x0018A001
_CONTENT, _GROUP_OF_REPORTS = 0x0040A730, 0x0040
_REPORTS = b"1.2.840.10008.5.1.4.1.1.88."
_CLASS, _INSTANCE = 0x00080016, 0x00080018
# An object without these cannot be stored, or would be filed under another patient.
_IDENTITY = {_CLASS: "SOP Class UID", _INSTANCE: "SOP Instance UID",
             0x0020000D: "Study Instance UID", 0x0020000E: "Series Instance UID"}  # fmt: skip
# What may be absent, but not lost: without it another patient or character set is assumed, a
# derived image counts as an exposure, or two images of one exposure count as two. They are Specific
# Character Set, Image Type, acquisition dates and times, Source Image Sequence, Irradiation Event
# UID, Patient ID.
_DECISIVE = frozenset((
    0x00080005, 0x00080008, 0x00080022, 0x0008002A, 0x00080032, 0x00082112, 0x00083010, 0x00100020,
))  # fmt: skip
# Text of limited length, whose value holds no bytes of the element after it. The longest has a few
# values of 64 characters.
_TEXT = frozenset(
    (b"AE", b"AS", b"CS", b"DA", b"DS", b"DT", b"IS", b"LO", b"PN", b"SH", b"TM", b"UI")
)
_LONGEST_TEXT = 1024
_SIZES = {b"US": 2, b"SS": 2, b"UL": 4, b"SL": 4, b"FL": 4, b"FD": 8, b"AT": 4}
_CONTROL = frozenset(range(0x20)) - set(b"\t\n\f\r\x1b") | {0x7F}


class NotRepairable(Exception):
    """The object cannot be repaired with certainty; the message says why, without its values."""


@dataclass(frozen=True)
class Repaired:
    """A repaired object: its bytes, its SOP Instance UID, and in words which elements are lost."""

    body: bytes
    instance_uid: str
    lost: str


@dataclass(frozen=True)
class _Element:
    """The place of an element: head from `start`, value from `value` to `end`. `whole` is false if
    the value cannot be kept."""

    tag: int
    vr: bytes
    start: int
    value: int
    end: int
    whole: bool = True


@dataclass
class _Walk:
    """Elements in their order; what broke: the element with the wrong length, if it is known; and
    whether all after it are lost."""

    elements: list[_Element]
    broken: _Element | None = None
    rest_lost: bool = False


def repair(raw: Raw) -> Repaired:
    """Return a repaired copy of a broken object. Raises NotRepairable."""
    try:
        syntax, start = part10.transfer_syntax_and_start(raw)
    except (Unreadable, error, IndexError) as reason:
        raise NotRepairable("the beginning of the file is broken") from reason
    if syntax in part10.DEFLATED_AS_A_WHOLE or syntax == part10.BIG_ENDIAN:
        raise NotRepairable("objects in this transfer syntax are not repaired")
    explicit = syntax != part10.IMPLICIT
    try:
        walk = _resumed(raw, _walk(raw, start, explicit), explicit)
    except TooDeep as reason:
        raise NotRepairable(str(reason)) from reason
    lost = [one for one in walk.elements if not one.whole]
    lost += [walk.broken] if walk.broken else []
    if not lost and not walk.rest_lost:
        raise NotRepairable("no broken length was found")
    if walk.rest_lost and not explicit:
        # Without VRs, any bytes can look like an element.
        raise NotRepairable("in implicit encoding it is not certain which values are intact")
    kept = [one for one in walk.elements if one.whole and one.tag & 0xFFFF]  # no group lengths
    _check(raw, kept, lost, walk.rest_lost)
    words = _words(lost, walk.rest_lost)
    instance = next(one for one in kept if one.tag == _INSTANCE)
    uid = raw[instance.value : instance.end].rstrip(b" \0").decode("latin-1")
    body = bytes(raw[:start]) + b"".join(_written(raw, kept, words, explicit))
    return Repaired(body, uid, words)


def _walk(raw: Raw, pos: int, explicit: bool, before: Iterable[_Element] = ()) -> _Walk:
    """Go over the elements from `pos`, whose tags must ascend from those `before`, to a break."""
    walk, last = _Walk([]), 0
    blocks: set[int] = set()
    for one in before:
        last = one.tag
        _reserve(last, blocks)
    while pos < len(raw):
        element = _head(raw, pos, explicit, last, blocks)
        if element is None:
            # The length of the element before leads into the middle of something.
            walk.broken = walk.elements.pop() if walk.elements else None
            walk.rest_lost = True
            return walk
        if f"{element.tag >> 16:04x},{element.tag & 0xFFFF:04x}" in PIXEL_DATA:
            element = _pixel_data(raw, element)
        elif element.end == _UNDEFINED or element.vr == b"SQ":
            element = _sequence(raw, element, explicit)
        if element.end > len(raw):
            walk.broken, walk.rest_lost = element, True
            return walk
        walk.elements.append(element)
        _reserve(element.tag, blocks)
        pos, last = element.end, element.tag
    return walk


def _head(raw: Raw, pos: int, explicit: bool, last: int, blocks: set[int]) -> _Element | None:
    """Return the element at `pos`, or None if there can be none. The end is _UNDEFINED if there is
    no length."""
    if pos + 8 > len(raw):
        return None
    head = raw[pos : pos + 8]
    tag = _u16(head)[0] << 16 | _u16(head, 2)[0]
    vr = head[4:6] if explicit else part10.implicit_vr(head[:4])
    known = vr in WITH_SHORT_LENGTH or vr in WITH_LONG_LENGTH
    if tag <= last or not known or not _plausible(tag, head[:4], blocks):
        return None
    if not explicit:
        value, length = pos + 8, _u32(head, 4)[0]
    elif vr in WITH_SHORT_LENGTH:
        value, length = pos + 8, _u16(head, 6)[0]
    elif pos + 12 > len(raw) or head[6:8] != b"\0\0":
        return None
    else:
        value, length = pos + 12, _u32(raw, pos + 8)[0]
    if not tag & 0xFFFF and length != 4:
        return None  # the length of a group is a number of four bytes
    if _reserves(tag) and not (
        vr == b"LO" and 0 < length <= 64 and _CONTROL.isdisjoint(raw[value : value + length])
    ):
        return None
    return _Element(tag, vr, pos, value, _UNDEFINED if length == _UNDEFINED else value + length)


def _plausible(tag: int, written: bytes, blocks: set[int]) -> bool:
    """Return whether a data set can hold an element with this tag: of the standard, or private in a
    block that was reserved before (PS3.5 7.8.1). Text of a value can look like a tag with a VR."""
    group, number = tag >> 16, tag & 0xFFFF
    if not 0x0008 <= group < 0xFFFE or number == 0:
        return 0x0008 <= group < 0xFFFE
    if not group & 1:
        return part10.implicit_vr(written) != b"UN"
    return _reserves(tag) or group << 8 | number >> 8 in blocks


def _reserves(tag: int) -> bool:
    """Return whether an element with this tag reserves a block of private elements."""
    return bool(tag >> 16 & 1) and 0x10 <= tag & 0xFFFF <= 0xFF


def _reserve(tag: int, blocks: set[int]) -> None:
    if _reserves(tag):
        blocks.add(tag >> 16 << 8 | tag & 0xFF)


def _pixel_data(raw: Raw, element: _Element) -> _Element:
    """Return pixel data with its end; if it is cut short, it takes up the rest of the file."""
    end, whole = element.end, True
    if end == _UNDEFINED:
        try:
            end = part10.end_of_fragments(raw, element.value)
        except (Unreadable, error):
            whole = False
    if not whole or end > len(raw):
        end, whole = len(raw), False
    return _Element(element.tag, element.vr, element.start, element.value, end, whole)


def _sequence(raw: Raw, element: _Element, explicit: bool) -> _Element:
    """Return a sequence with its end, and with whether all its items can be read. The end of one
    that has no length is beyond the file if its items cannot be read."""
    end, whole = element.end, True
    if end == _UNDEFINED or end <= len(raw):
        try:
            end = part10.end_of_sequence(raw, element.value, end, explicit, element.vr == b"SQ")
        except TooDeep:
            raise
        except (Unreadable, error, IndexError):
            whole = False
            end = len(raw) + 1 if end == _UNDEFINED else end
    return _Element(element.tag, element.vr, element.start, element.value, end, whole)


def _resumed(raw: Raw, walk: _Walk, explicit: bool) -> _Walk:
    """Return the walk with the elements after the break, where it is certain at which byte they
    begin."""
    inner = next((one for one in walk.elements if not one.whole and one.vr == b"SQ"), None)
    if inner is not None and walk.rest_lost:
        # A second break: the length of the sequence itself may be the wrong one.
        before = walk.elements[: walk.elements.index(inner)]
        return _Walk(before, inner, rest_lost=True)
    broken = walk.broken
    if broken is None:
        return walk
    for pos in _ends_of_value(raw, broken):
        rest = _walk(raw, pos, explicit, [*walk.elements, broken])
        if rest.elements and not rest.rest_lost and all(one.whole for one in rest.elements):
            return _Walk(walk.elements + rest.elements, broken)
    return walk


def _ends_of_value(raw: Raw, element: _Element) -> Iterator[int]:
    """Yield the positions up to which the bytes can be the element's value and nothing else."""
    size = _SIZES.get(element.vr)
    if size is not None and not element.tag >> 16 & 1:
        if dictionary_VM(element.tag) == "1":
            yield element.value + size
    elif element.vr in _TEXT:
        value = raw[element.value : element.value + _LONGEST_TEXT]
        for length in range(len(value) + 1):
            if length and value[length - 1] in _CONTROL:
                if value[length - 1] == 0:  # the padding of a UID
                    yield element.value + length
                return
            yield element.value + length


def _check(raw: Raw, kept: list[_Element], lost: list[_Element], rest_lost: bool) -> None:
    """Raise NotRepairable if the loss could make a wrong record."""
    by_tag = {one.tag: one for one in kept}
    for tag, name in _IDENTITY.items():
        if tag not in by_tag:
            raise NotRepairable(f"the break costs its {name}")
    last = kept[-1].tag
    for one in lost:
        if one.tag in _DECISIVE:
            raise NotRepairable(
                f"the break costs {_name(one.tag)}, without which the rest misleads"
            )
    of_class = by_tag[_CLASS]
    is_report = raw[of_class.value : of_class.end].startswith(_REPORTS) or _CONTENT in by_tag
    part_lost = _CONTENT not in by_tag or any(one.tag >> 16 == _GROUP_OF_REPORTS for one in lost)
    if is_report and (part_lost or (rest_lost and last < _CONTENT)):
        raise NotRepairable(
            "it is a report whose content is cut, and a part of a dose would be a wrong dose: have "
            "the report sent again"
        )


def _name(tag: int) -> str:
    plain = f"{tag >> 16:04X},{tag & 0xFFFF:04X}"
    name = element_name(plain.lower())
    return f"{name} ({plain})" if name else f"element ({plain})"


def _words(lost: list[_Element], rest_lost: bool) -> str:
    names = [_name(one.tag) for one in lost]
    return ", ".join(names) + (" and everything after it" if rest_lost else "")


def _written(raw: Raw, kept: list[_Element], lost: str, explicit: bool) -> Iterator[bytes]:
    """Yield the elements, with the sequence that tells of the repair in its place."""
    old = next((one for one in kept if one.tag == _CONTRIBUTING_EQUIPMENT), None)
    items = b"" if old is None else _items(raw, old)
    note = _note(items, lost, explicit)
    for one in kept:
        if note and one.tag >= _CONTRIBUTING_EQUIPMENT:
            yield note
            note = b""
        if one is not old:
            yield raw[one.start : one.end]
    yield note


def _items(raw: Raw, sequence: _Element) -> bytes:
    """Return the items of a sequence, without the delimiter of one that has no length."""
    without_length = _u32(raw, sequence.value - 4)[0] == _UNDEFINED
    return raw[sequence.value : sequence.end - (8 if without_length else 0)]


def _note(items: bytes, lost: str, explicit: bool) -> bytes:
    """Return Contributing Equipment Sequence with these items and one for this program."""
    purpose = PydicomDataset()
    purpose.CodeValue, purpose.CodingSchemeDesignator = "109103", "DCM"
    purpose.CodeMeaning = "Modifying Equipment"
    item = PydicomDataset()
    item.Manufacturer = item.ManufacturerModelName = "Orthanc Dose"
    item.SoftwareVersions = __version__
    item.ContributionDescription = f"Repaired: the length of an element was broken. Lost: {lost}"[
        :1024
    ]
    item.PurposeOfReferenceCodeSequence = [purpose]
    file = DicomBytesIO()
    file.is_little_endian, file.is_implicit_VR = True, not explicit
    write_dataset(file, item)
    written: bytes = file.getvalue()
    items += b"\xfe\xff\x00\xe0" + pack("<I", len(written)) + written
    head = pack("<HH", _CONTRIBUTING_EQUIPMENT >> 16, _CONTRIBUTING_EQUIPMENT & 0xFFFF)
    return head + (b"SQ\0\0" if explicit else b"") + pack("<I", len(items)) + items

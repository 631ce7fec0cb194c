"""Content items of a structured report, built and encoded fast.

An `Item` is a plain node. A tree of them is encoded once, straight to Explicit VR Little Endian
bytes, because building and writing the same tree as pydicom Datasets costs fifty times as much;
pydicom then decodes it lazily like any sequence of a file. ``Item.dataset()`` gives one item as a
pydicom Dataset.

A manufacturer's spelling (SRT or SCT, its units, a retired code, what it leaves out) is applied
during encoding, by `Spelling`, so that report builders say each thing once and in the standard's
terms (PS3.3 C.17.3, C.18)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from struct import Struct
from typing import Any

from pydicom.charset import convert_encodings, encode_string
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.valuerep import PersonName

from orthanc_dose.samples.codes import Concept, unit

CONTAINS, MODIFIER = "CONTAINS", "HAS CONCEPT MOD"
CONTEXT, PROPERTIES, INFERRED = "HAS OBS CONTEXT", "HAS PROPERTIES", "INFERRED FROM"


@dataclass(slots=True)
class Item:
    """One content item: relationship to its parent, value type, concept name, value, children.

    `value` by value type: CODE a `Concept`; NUM ``(number or text or None, unit Concept or None)``;
    TEXT, UIDREF, DATETIME, DATE, TIME and PNAME a string; IMAGE ``(SOP class UID, SOP instance
    UID)``; CONTAINER None. A NUM whose number is None is written as an empty Measured Value
    Sequence. A child may also be the bytes of an already encoded item, for content that no
    well-formed Item can express."""

    value_type: str
    concept: Concept | None
    value: Any = None
    children: list[Item | bytes] = field(default_factory=list)
    relationship: str = CONTAINS
    template: str = ""

    def dataset(self, spelling: Spelling | None = None) -> Dataset:
        """Return this item and its children as a pydicom Dataset."""
        spelling = spelling or Spelling()
        charset = convert_encodings((spelling.character_set or "ISO_IR 6").split("\\"))
        return read_dataset(
            BytesIO(encode(self, spelling)),
            is_implicit_VR=False,
            is_little_endian=True,
            parent_encoding=charset,
        )


@dataclass(frozen=True)
class Spelling:
    """A manufacturer's way of writing the standard's terms; the default is the current standard's
    own.

    scheme: "SCT", "SRT" or "SNM3", the scheme of SNOMED codes. units: maps a UCUM unit to the
    (spelling, factor) that the manufacturer writes. replaced: maps a concept code to the concept
    written instead. omitted, empty, zero: concept codes of numbers that are left out, written
    without a value, or written as 0.
    """

    scheme: str = "SCT"
    units: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    replaced: Mapping[str, Concept] = field(default_factory=dict)
    omitted: frozenset[str] = frozenset()
    empty: frozenset[str] = frozenset()
    zero: frozenset[str] = frozenset()
    character_set: str = "ISO_IR 192"
    scheme_version: str = ""
    continuity: str = "SEPARATE"


def container(
    concept: Concept | None,
    *children: Item | bytes | None,
    relationship: str = CONTAINS,
    template: str = "",
) -> Item:
    """Return a CONTAINER; None among the children is left out, so that rows can be optional."""
    return Item(
        "CONTAINER", concept, None, [c for c in children if c is not None], relationship, template
    )


def num(
    concept: Concept,
    value: float | str | None,
    *children: Item,
    ucum: str | None = None,
    relationship: str = CONTAINS,
) -> Item:
    """Return a NUM in the concept's own unit or in `ucum`; "" as `ucum` writes no unit at all."""
    code = concept.unit if ucum is None else ucum
    return Item("NUM", concept, (value, unit(code) if code else None), list(children), relationship)


def code(
    concept: Concept, value: Concept, *children: Item | None, relationship: str = CONTAINS
) -> Item:
    return Item("CODE", concept, value, [c for c in children if c is not None], relationship)


def text(concept: Concept, value: str, *children: Item, relationship: str = CONTAINS) -> Item:
    return Item("TEXT", concept, value, list(children), relationship)


def uidref(concept: Concept, value: str, relationship: str = CONTAINS) -> Item:
    return Item("UIDREF", concept, value, [], relationship)


def datetime_item(concept: Concept, value: str, relationship: str = CONTAINS) -> Item:
    """Return a DATETIME; `value` is a DICOM DT string, with any offset the manufacturer writes."""
    return Item("DATETIME", concept, value, [], relationship)


def pname(concept: Concept, value: str, *children: Item, relationship: str = CONTAINS) -> Item:
    return Item("PNAME", concept, value, [c for c in children if c is not None], relationship)


def image(
    concept: Concept, sop_class: str, sop_instance: str, relationship: str = CONTAINS
) -> Item:
    return Item("IMAGE", concept, (sop_class, sop_instance), [], relationship)


def optional(
    make: Callable[..., Item], concept: Concept, value: object, **more: Any
) -> Item | None:
    """Return ``make(concept, value)``, or None if the value is None: a row the report lacks."""
    return None if value is None else make(concept, value, **more)


def nums(pairs: Iterable[tuple[Concept, float | str | Sequence[float] | None]]) -> list[Item]:
    """Return one NUM for each given value; a list gives one NUM per entry (pulse-level values)."""
    made = []
    for concept, value in pairs:
        if value is not None:
            made += (
                [num(concept, v) for v in value]
                if not isinstance(value, str | float | int)
                else [num(concept, value)]
            )
    return made


_SHORT, _LONG = Struct("<HH2sH"), Struct("<HH2s2xI")
_ITEM = Struct("<HHI")
_LONG_VR = frozenset((b"SQ", b"UT", b"UC", b"OB", b"UN"))


def element(group: int, number: int, vr: bytes, value: bytes) -> bytes:
    """Return one data element in Explicit VR Little Endian, padded to even length by its VR."""
    if len(value) & 1:
        value += b"\0" if vr == b"UI" else b" "
    if vr in _LONG_VR:
        return _LONG.pack(group, number, vr, len(value)) + value
    return _SHORT.pack(group, number, vr, len(value)) + value


def sequence(group: int, number: int, items: Iterable[bytes]) -> bytes:
    """Return a sequence of defined length with the already encoded `items`."""
    return element(
        group, number, b"SQ", b"".join([_ITEM.pack(0xFFFE, 0xE000, len(i)) + i for i in items])
    )


@lru_cache(maxsize=8192)
def _characters(value: str, character_set: str) -> bytes:
    if not character_set:
        return value.encode("ascii", "replace")
    return encode_string(value, convert_encodings(character_set.split("\\")))


@lru_cache(maxsize=4096)
def _person(value: str, character_set: str) -> bytes:
    # Each component of a name starts in the default character set again (PS3.5 6.1.2.5.3), hence
    # not _characters.
    return PersonName(value).encode(convert_encodings((character_set or "ISO_IR 6").split("\\")))


@lru_cache(maxsize=8192)
def code_item(concept: Concept, scheme: str, version: str, character_set: str) -> bytes:
    """Return the encoded Code Sequence Macro (PS3.3 8.8) of one concept, SNOMED in `scheme`."""
    value, designator = concept.value, concept.scheme
    if designator == "SCT" and scheme != "SCT" and concept.srt:
        value, designator = concept.srt, scheme
    # A value of more than 16 characters belongs in Long Code Value (PS3.3 8.8).
    encoded = _characters(value, character_set)
    out = element(8, 0x0100, b"SH", encoded) if len(encoded) <= 16 else b""
    out += element(8, 0x0102, b"SH", _characters(designator, character_set))
    if version and designator == "UCUM":
        out += element(8, 0x0103, b"SH", version.encode())
    out += element(8, 0x0104, b"LO", _characters(concept.meaning, character_set))
    return out + (element(8, 0x0119, b"UC", encoded) if len(encoded) > 16 else b"")


@lru_cache(maxsize=4096)
def _head(relationship: str, value_type: str) -> bytes:
    out = element(0x40, 0xA010, b"CS", relationship.encode()) if relationship else b""
    return out + element(0x40, 0xA040, b"CS", value_type.encode())


@lru_cache(maxsize=8192)
def _coded(number: int, concept: Concept, scheme: str, version: str, character_set: str) -> bytes:
    return sequence(0x40, number, [code_item(concept, scheme, version, character_set)])


@lru_cache(maxsize=1024)
def _unit_sequence(concept: Concept, scheme: str, version: str, character_set: str) -> bytes:
    return sequence(0x40, 0x08EA, [code_item(concept, scheme, version, character_set)])


def decimal(value: float) -> str:
    """Return a number as a Decimal String of at most 16 characters."""
    return f"{value:.10g}"


def _number(item: Item, spelling: Spelling) -> bytes:
    value, ucum = item.value
    key = item.concept.value if item.concept else ""
    if value is None or key in spelling.empty:
        return sequence(0x40, 0xA300, [])
    if key in spelling.zero:
        value = 0
    if ucum is not None and ucum.value in spelling.units:
        spelt, factor = spelling.units[ucum.value]
        ucum = unit(spelt)
        if factor != 1 and not isinstance(value, str):
            value *= factor
    number = value if isinstance(value, str) else decimal(value)
    measured = (
        b""
        if ucum is None
        else _unit_sequence(ucum, spelling.scheme, spelling.scheme_version, spelling.character_set)
    )
    return sequence(0x40, 0xA300, [measured + element(0x40, 0xA30A, b"DS", number.encode())])


def _image(item: Item, spelling: Spelling) -> bytes:
    sop_class, sop_instance = item.value
    return sequence(
        8,
        0x1199,
        [
            element(8, 0x1150, b"UI", sop_class.encode())
            + element(8, 0x1155, b"UI", sop_instance.encode())
        ],
    )


_STRINGS = {
    "TEXT": (0xA160, b"UT"),
    "UIDREF": (0xA124, b"UI"),
    "DATETIME": (0xA120, b"DT"),
    "DATE": (0xA121, b"DA"),
    "TIME": (0xA122, b"TM"),
    "PNAME": (0xA123, b"PN"),
}


def encode(item: Item, spelling: Spelling) -> bytes:
    """Return the data set of one content item with all its descendants, without its item tag."""
    body = encode_children(item, spelling)
    return wrap(item, body, spelling)


def encode_children(item: Item, spelling: Spelling) -> bytes:
    """Return the Content Sequence of `item`, or empty bytes if it has no children that this
    manufacturer writes.
    """
    if not item.children:
        return b""
    encoded = [
        c if isinstance(c, bytes) else encode(c, spelling)
        for c in item.children
        if isinstance(c, bytes) or not (c.concept and c.concept.value in spelling.omitted)
    ]
    return sequence(0x40, 0xA730, encoded) if encoded else b""


def wrap(item: Item, content: bytes, spelling: Spelling) -> bytes:
    """Return one content item around its already encoded Content Sequence `content`."""
    concept, kind, charset = item.concept, item.value_type, spelling.character_set
    out = _image(item, spelling) if kind == "IMAGE" else b""
    out += _head(item.relationship, kind)
    if concept is not None:
        concept = spelling.replaced.get(concept.value, concept)
        out += _coded(0xA043, concept, spelling.scheme, spelling.scheme_version, charset)
    if kind == "NUM":
        out += _number(item, spelling)
    elif kind == "CODE":
        out += _coded(0xA168, item.value, spelling.scheme, spelling.scheme_version, charset)
    elif kind == "CONTAINER":
        out += element(0x40, 0xA050, b"CS", spelling.continuity.encode())
        if item.template:
            out += sequence(
                0x40,
                0xA504,
                [
                    element(8, 0x0105, b"CS", b"DCMR")
                    + element(0x40, 0xDB00, b"CS", item.template.encode())
                ],
            )
    elif kind in _STRINGS:
        number, vr = _STRINGS[kind]
        out += element(
            0x40, number, vr, (_person if kind == "PNAME" else _characters)(item.value, charset)
        )
    return out + content

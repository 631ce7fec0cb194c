"""A DICOM object as a tree of elements with their bytes, read and written in Explicit VR Little
Endian.

Knows nothing of the product: what a damaged object says is read from this tree, so that it can be
held against what the product reads. Elements may stand twice and in any order, and any element may
have any value representation."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from pydicom.filewriter import write_file_meta_info

from orthanc_dose.samples.document import file_meta

NAME, CONTENT = "0040a043", "0040a730"
UNDEFINED = 0xFFFFFFFF
_LONG = frozenset(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
)
_PIXEL_DATA = "7fe00010"


@dataclass
class Element:
    """tag: eight hexadecimal digits. value: the bytes, or the items of a sequence, each a list of
    elements.
    """

    tag: str
    vr: bytes
    value: bytes | list[list[Element]]


Tree = list[Element]


def element(one: Element) -> Element:
    """A copy that shares nothing."""
    value = (
        one.value
        if isinstance(one.value, bytes)
        else [[element(e) for e in item] for item in one.value]
    )
    return Element(one.tag, one.vr, value)


def decode(raw: bytes) -> Tree:
    """The data set of a file in Explicit VR Little Endian without a fault in form; pixel data is
    left out.
    """
    at = 132
    while raw[at : at + 2] == b"\x02\x00":
        long = raw[at + 4 : at + 6] in _LONG
        at += (
            12 + struct.unpack_from("<I", raw, at + 8)[0]
            if long
            else 8 + struct.unpack_from("<H", raw, at + 6)[0]
        )
    return _elements(raw, at, len(raw))[0]


def _elements(raw: bytes, at: int, end: int) -> tuple[Tree, int]:
    out = []
    while at < end:
        group, number = struct.unpack_from("<HH", raw, at)
        if group == 0xFFFE:
            return out, at + 8
        vr = raw[at + 4 : at + 6]
        head, form = (12, "<I") if vr in _LONG else (8, "<H")
        (length,) = struct.unpack_from(form, raw, at + (8 if head == 12 else 6))
        at += head
        tag = f"{group:04x}{number:04x}"
        if tag == _PIXEL_DATA:
            break
        if vr == b"SQ":
            items, at = _items(raw, at, end if length == UNDEFINED else at + length)
            out.append(Element(tag, vr, items))
        else:
            out.append(Element(tag, vr, raw[at : at + length]))
            at += length
    return out, at


def _items(raw: bytes, at: int, end: int) -> tuple[list[Tree], int]:
    items = []
    while at < end:
        group, number, length = struct.unpack_from("<HHI", raw, at)
        at += 8
        if (group, number) == (0xFFFE, 0xE0DD):
            break
        item, at = _elements(raw, at, end if length == UNDEFINED else at + length)
        items.append(item)
    return items, at


def encode(tree: Tree, undefined: bool = False) -> bytes:
    """The file of a data set; undefined: sequences and items end by marks instead of having a
    length.
    """
    sop_class = first(tree, "00080016").decode("latin-1").strip("\0 ") or "1.2"
    buffer = BytesIO()
    write_file_meta_info(buffer, file_meta(sop_class[:64], "2.25.1"), enforce_standard=False)
    return bytes(128) + b"DICM" + buffer.getvalue() + _encoded(tree, undefined)


def _encoded(tree: Tree, undefined: bool) -> bytes:
    out = []
    for one in tree:
        tag = struct.pack("<HH", int(one.tag[:4], 16), int(one.tag[4:], 16))
        marked = False
        if isinstance(one.value, bytes):
            value = one.value + (b"\0" if one.vr in (b"UI", b"OB", b"UN") else b" ") * (
                len(one.value) % 2
            )
        else:
            items = [_encoded(item, undefined) for item in one.value]
            marked = undefined and one.vr == b"SQ"
            length = UNDEFINED if undefined else None
            end = b"\xfe\xff\x0d\xe0\0\0\0\0" if undefined else b""
            value = b"".join(
                b"\xfe\xff\x00\xe0"
                + struct.pack("<I", len(item) if length is None else length)
                + item
                + end
                for item in items
            )
        if one.vr in _LONG:
            out.append(
                tag
                + one.vr
                + b"\0\0"
                + struct.pack("<I", UNDEFINED if marked else len(value))
                + value
            )
        else:
            value = value[:0xFFFE]
            out.append(tag + one.vr + struct.pack("<H", len(value)) + value)
        if marked:
            out.append(b"\xfe\xff\xdd\xe0\0\0\0\0")
    return b"".join(out)


def whole(tree: Tree) -> Iterator[Tree]:
    """The data set and every item of every sequence in it."""
    yield tree
    for one in tree:
        if isinstance(one.value, list):
            for item in one.value:
                yield from whole(item)


def all_elements(tree: Tree) -> list[Element]:
    """Every element at every depth."""
    return [one for item in whole(tree) for one in item]


def sequences(tree: Tree, tag: str) -> list[list[Tree]]:
    """The items of every sequence of this tag, at every depth."""
    return [
        one.value for one in all_elements(tree) if one.tag == tag and isinstance(one.value, list)
    ]


def first(tree: Tree, tag: str) -> bytes:
    """The bytes of an element as a reader finds them: of several the last, without padding; b""
    where there is none.
    """
    found = [one.value for one in tree if one.tag == tag]
    return found[-1].strip(b" \0") if found and isinstance(found[-1], bytes) else b""


def items(tree: Tree, tag: str) -> list[Tree]:
    """The items of a sequence as a reader finds them: of several sequences the last one's."""
    found = [one.value for one in tree if one.tag == tag]
    return found[-1] if found and isinstance(found[-1], list) else []

"""Reads the bytes of a DICOM object (PS3.10 file, or a bare data set) into a `Dataset`, at the speed the work needs.

Handles the little-endian transfer syntaxes, explicit, implicit and deflated, which is what reports come in. For the
others `read_any` takes pydicom. Compared with a general reader this one does less: no value is turned into an object,
pixel data is not read. It keeps the bytes of text that does not fit the declared character set, and it refuses deep
nesting before the stack does: Orthanc 1.10 dies of some fifty levels when it makes its JSON of an object, so that road,
though offered, is not taken.
"""

import io
import struct
import zlib
from dataclasses import dataclass, field

import pydicom
from pydicom.datadict import dictionary_VR

from . import text
from .dataset import PIXEL_DATA, Dataset, Unreadable, binary, from_pydicom

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"

# A report nests some ten levels; beyond this an object is made to do harm.
MAX_DEPTH = 64
# What a deflated object may grow to: far above any report, far below the memory of a server.
MAX_INFLATED = 256 * 1024 * 1024

_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0"

# Kinds of value, by VR (PS3.5 table 6.2-1).
_ASCII, _TEXT, _NAME, _SEQUENCE, _BYTES, _UNKNOWN, _TAGS = range(7)
_KINDS: dict[bytes, int | str] = {
    **dict.fromkeys((b"AE", b"AS", b"CS", b"DA", b"DS", b"DT", b"IS", b"TM", b"UI", b"UR"), _ASCII),
    **dict.fromkeys((b"LO", b"LT", b"SH", b"ST", b"UC", b"UT"), _TEXT),
    **dict.fromkeys((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW"), _BYTES),
    b"PN": _NAME, b"SQ": _SEQUENCE, b"UN": _UNKNOWN, b"AT": _TAGS,
    b"US": "H", b"SS": "h", b"UL": "I", b"SL": "i", b"UV": "Q", b"SV": "q", b"FL": "f", b"FD": "d",
}  # fmt: skip
_LONG = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
_CHARACTER_SET = b"\x08\x00\x05\x00"

_u16 = struct.Struct("<H").unpack_from
_u32 = struct.Struct("<I").unpack_from


class OtherTransferSyntax(Unreadable):
    """The object's transfer syntax is not one that this reader handles."""


@dataclass
class Part10:
    """An object as read: its data set without group 2, its transfer syntax, and notes on what was not as declared."""

    dataset: Dataset
    transfer_syntax: str
    notes: list[str] = field(default_factory=list)


def read(raw: bytes) -> Part10:
    """Read an object. Raises Unreadable with the reason, OtherTransferSyntax where another reader is needed."""
    reader = _Reader(raw)
    try:
        syntax, start = reader.meta()
        if syntax == DEFLATED:
            reader.raw, start = _inflate(raw[start:]), 0
        elif syntax not in (IMPLICIT, EXPLICIT):
            raise OtherTransferSyntax(f"transfer syntax {syntax[:64]} is read by another reader")
        dataset, _ = reader.elements(start, len(reader.raw), syntax != IMPLICIT, (), 0)
    except (struct.error, IndexError) as error:
        raise Unreadable("truncated: the object ends within an element") from error
    if not dataset:
        raise Unreadable("the object holds no elements")
    return Part10(dataset, syntax, sorted(reader.notes))


def read_any(raw: bytes) -> Part10:
    """Read an object in any transfer syntax, by pydicom where our own reader does not know it. Raises Unreadable."""
    try:
        return read(raw)
    except OtherTransferSyntax:
        try:
            whole = pydicom.dcmread(io.BytesIO(raw), stop_before_pixels=True)
            return Part10(from_pydicom(whole), str(whole.file_meta.TransferSyntaxUID))
        except Exception as error:
            raise Unreadable("the object cannot be read in its transfer syntax") from error


def _inflate(raw: bytes) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        out = inflater.decompress(raw, MAX_INFLATED)
    except zlib.error as error:
        raise Unreadable("the deflated data set cannot be inflated") from error
    if inflater.unconsumed_tail:
        raise Unreadable("the deflated data set grows beyond what is accepted")
    return out


_NAMES: dict[bytes, str] = {}


def _name(tag: bytes) -> str:
    name = _NAMES.get(tag)
    if name is None:
        name = f"{tag[1]:02x}{tag[0]:02x},{tag[3]:02x}{tag[2]:02x}"
        if len(_NAMES) < 50_000:
            _NAMES[tag] = name
    return name


_IMPLICIT_VRS: dict[bytes, bytes] = {}


def _implicit_vr(tag: bytes) -> bytes:
    """VR of an element in implicit encoding, from the standard's dictionary; UN where it is private or unknown."""
    vr = _IMPLICIT_VRS.get(tag)
    if vr is None:
        group, element = _u16(tag)[0], _u16(tag, 2)[0]
        if group % 2 and 0x10 <= element <= 0xFF:
            vr = b"LO"
        else:
            try:
                # Where the dictionary leaves a choice ("US or SS", "OB or OW") the first is taken, as none is dose.
                vr = dictionary_VR((group << 16) | element)[:2].encode("ascii")
            except KeyError:
                vr = b"UN"
        if len(_IMPLICIT_VRS) < 50_000:
            _IMPLICIT_VRS[tag] = vr
    return vr


class _Reader:
    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.notes: set[str] = set()

    def meta(self) -> tuple[str, int]:
        """(transfer syntax, where the data set starts). A bare data set is taken by what its first element looks like."""
        raw = self.raw
        if len(raw) < 16:
            raise Unreadable("the object is empty or too short to be DICOM")
        start = 132 if raw[128:132] == b"DICM" else 0
        if raw[start : start + 2] != b"\x02\x00":
            if start:
                raise Unreadable("the file meta information is missing")
            if raw[:2] not in (b"\x08\x00", b"\x00\x00") and raw[:1] != b"\x08":
                raise Unreadable("this is no DICOM object")
            return (EXPLICIT if raw[4:6] in _KINDS else IMPLICIT), 0
        meta: Dataset = {}
        end = start
        while raw[end : end + 2] == b"\x02\x00":
            tag, vr = raw[end : end + 4], raw[end + 4 : end + 6]
            head, length = (12, _u32(raw, end + 8)[0]) if vr in _LONG else (8, _u16(raw, end + 6)[0])
            if end + head + length > len(raw):
                raise Unreadable("truncated: the object ends within its file meta information")
            meta[_name(tag)] = raw[end + head : end + head + length].rstrip(b" \0").decode("latin-1")
            end += head + length
        syntax = meta.get("0002,0010")
        if not isinstance(syntax, str) or not syntax:
            raise Unreadable("the file meta information does not name a transfer syntax")
        return syntax, end

    def elements(
        self, pos: int, end: int, explicit: bool, encodings: tuple[str, ...], depth: int, item: bool = False
    ) -> tuple[Dataset, int]:
        """Elements from `pos` to `end`, or to the end mark of an item of undefined length: (data set, next position)."""
        raw, out = self.raw, {}
        while pos < end:
            tag = raw[pos : pos + 4]
            if explicit and tag[:2] != b"\xfe\xff":
                vr = raw[pos + 4 : pos + 6]
                if vr in _LONG:
                    length = _u32(raw, pos + 8)[0]
                    pos += 12
                else:
                    length = _u16(raw, pos + 6)[0]
                    pos += 8
            else:
                length = _u32(raw, pos + 4)[0]
                pos += 8
                if tag[:2] == b"\xfe\xff":
                    if item and tag == _ITEM_END:
                        return out, pos
                    raise Unreadable("broken: an item mark stands where an element should")
                vr = _implicit_vr(tag)
                if length == _UNDEFINED and vr != b"SQ":
                    vr = b"SQ"
            kind = _KINDS.get(vr)
            name = _name(tag)
            if kind is None:
                raise Unreadable(f"broken: element ({name}) has no value representation of DICOM")
            if kind == _SEQUENCE or length == _UNDEFINED:
                if name in PIXEL_DATA:
                    return out, end
                if kind not in (_SEQUENCE, _UNKNOWN):
                    raise Unreadable(f"broken: element ({name}) has no length")
                # UN of undefined length is a sequence in implicit encoding (PS3.5 6.2.2 note 2), but some writers keep
                # it explicit: what stands where the first element has its VR tells.
                inner = explicit and (kind == _SEQUENCE or raw[pos + 12 : pos + 14] in _KINDS)
                out[name], pos = self.sequence(pos, end, length, inner, encodings, depth, name)
                continue
            after = pos + length
            if after > end:
                if name in PIXEL_DATA:
                    return out, end
                raise Unreadable(f"truncated: element ({name}) is announced with {length} bytes, {end - pos} are left")
            if name in PIXEL_DATA:
                pos = after
                continue
            value = raw[pos:after]
            pos = after
            if kind == _ASCII:
                try:
                    out[name] = value.decode("ascii").rstrip(" \0")
                except UnicodeDecodeError:
                    out[name] = value.decode("latin-1").rstrip(" \0")
                    self.notes.add(f"({name}) has characters that its kind does not allow")
                if tag == _CHARACTER_SET:
                    encodings = text.decoders(out[name])
            elif kind == _TEXT:
                out[name] = text.decode(value, encodings, self.notes.add, text.TEXT_DELIMITERS).rstrip(" \0")
            elif kind == _NAME:
                out[name] = text.decode(value, encodings, self.notes.add, text.NAME_DELIMITERS).rstrip(" \0")
            elif isinstance(kind, str):
                out[name] = self.numbers(name, value, kind)
            elif kind == _TAGS:
                out[name] = "\\".join(_name(value[at : at + 4]) for at in range(0, length - 3, 4))
            elif tag[2:] != b"\x00\x00":
                out[name] = binary(value)
        if item and end == len(raw):
            raise Unreadable("truncated: the object ends within an item")
        return out, pos

    def numbers(self, name: str, value: bytes, code: str) -> str:
        size = struct.calcsize(code)
        if len(value) % size:
            self.notes.add(f"({name}) has a length that is no multiple of {size}")
        return "\\".join(map(repr, struct.unpack_from(f"<{len(value) // size}{code}", value)))

    def sequence(
        self, pos: int, end: int, length: int, explicit: bool, encodings: tuple[str, ...], depth: int, name: str
    ) -> tuple[list[Dataset], int]:
        if depth >= MAX_DEPTH:
            raise Unreadable(f"sequences are nested deeper than {MAX_DEPTH} levels")
        raw, out = self.raw, []
        stop = end if length == _UNDEFINED else pos + length
        if stop > end:
            raise Unreadable(f"truncated: sequence ({name}) is announced with {length} bytes, {end - pos} are left")
        while pos < stop:
            tag, item_length = raw[pos : pos + 4], _u32(raw, pos + 4)[0]
            pos += 8
            if tag == _ITEM:
                if item_length == _UNDEFINED:
                    item, pos = self.elements(pos, stop, explicit, encodings, depth + 1, item=True)
                else:
                    if pos + item_length > stop:
                        raise Unreadable(f"truncated: an item of sequence ({name}) ends beyond it")
                    item, pos = self.elements(pos, pos + item_length, explicit, encodings, depth + 1)
                out.append(item)
            elif tag == _SEQUENCE_END and length == _UNDEFINED:
                return out, pos
            else:
                raise Unreadable(f"broken: sequence ({name}) has something other than an item")
        if length == _UNDEFINED:
            raise Unreadable(f"truncated: the object ends within sequence ({name})")
        return out, pos

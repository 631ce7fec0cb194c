"""Reads the bytes of a DICOM object (PS3.10 file, or a bare data set) into a `Dataset`, fast enough
for large imports.

It handles the little-endian transfer syntaxes (explicit, implicit and deflated), in which reports
come, and those of compressed images. For the others `read_any` uses pydicom. This reader does less
than a general one: it does not turn values into objects and does not read pixel data. It keeps the
bytes of text that does not fit the declared character set, and it refuses deep nesting before the
stack overflows (nesting.py describes what Orthanc does)."""

import io
import mmap
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import pydicom
from pydicom.datadict import dictionary_VR

from . import text
from .dataset import PIXEL_DATA, Dataset, Unreadable, Value, binary, from_pydicom

# The bytes of an object; for a large one, its memory-mapped file.
Raw: TypeAlias = "bytes | mmap.mmap"

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"

# JPEG and related, MPEG, RLE: their pixels are encapsulated, everything else is explicit little
# endian (PS3.5 annex A.4).
_ENCAPSULATED = ("1.2.840.10008.1.2.4.", "1.2.840.10008.1.2.5")
# JPIP Referenced Deflate and its HTJ2K variant are deflated as a whole.
_JPIP_DEFLATED = frozenset({"1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"})
DEFLATED_AS_A_WHOLE = _JPIP_DEFLATED | {DEFLATED}

# A report nests some ten levels; an object that exceeds this limit is made to do harm. Orthanc
# tolerates a little more: see nesting.py.
MAX_DEPTH = 32
# The limit on the size of an inflated object: far above any report, far below a server's memory.
MAX_INFLATED = 256 * 1024 * 1024

_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0"

# Kinds of values, by VR (PS3.5 table 6.2-1).
_ASCII, _TEXT, _NAME, _SEQUENCE, _BYTES, _UNKNOWN, _TAGS, _MARK = range(8)
_KINDS: dict[bytes, int | str] = {
    **dict.fromkeys((b"AE", b"AS", b"CS", b"DA", b"DS", b"DT", b"IS", b"TM", b"UI", b"UR"), _ASCII),
    **dict.fromkeys((b"LO", b"LT", b"SH", b"ST", b"UC", b"UT"), _TEXT),
    **dict.fromkeys((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW"), _BYTES),
    b"PN": _NAME,
    b"SQ": _SEQUENCE,
    b"UN": _UNKNOWN,
    b"AT": _TAGS,
    b"US": "H",
    b"SS": "h",
    b"UL": "I",
    b"SL": "i",
    b"UV": "Q",
    b"SV": "q",
    b"FL": "f",
    b"FD": "d",
}
WITH_LONG_LENGTH = frozenset(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
)
WITH_SHORT_LENGTH = frozenset(_KINDS) - WITH_LONG_LENGTH
# Sequences that hold a code: concept name, concept code, measurement units.
_CODES = frozenset({"0040,a043", "0040,a168", "0040,08ea"})

_u16 = struct.Struct("<H").unpack_from
_u32 = struct.Struct("<I").unpack_from


class TooDeep(Unreadable):
    """Sequences are nested deeper than MAX_DEPTH levels."""


class OtherTransferSyntax(Unreadable):
    """The object's transfer syntax is not one that this reader handles."""


@dataclass
class Part10:
    """An object as read: its data set without group 2, its transfer syntax, and notes on what was
    not as declared.
    """

    dataset: Dataset
    transfer_syntax: str
    notes: list[str] = field(default_factory=list)


def read_part10(raw: Raw, reader_of: "Callable[[Raw], Reader] | None" = None) -> Part10:
    """Read an object. Raises Unreadable with the reason, OtherTransferSyntax for another reader.

    reader_of: returns the reader of a data set, given all its bytes (long_objects.py).
    """
    reader = Reader(raw)
    try:
        syntax, start = reader.meta()
        if syntax == DEFLATED:
            reader.raw, start = inflate(raw[start:]), 0
        elif syntax in _JPIP_DEFLATED or (
            syntax not in (IMPLICIT, EXPLICIT) and not syntax.startswith(_ENCAPSULATED)
        ):
            raise OtherTransferSyntax(f"transfer syntax {syntax[:64]} requires a different reader")
        if reader_of is not None:
            reader = reader_of(reader.raw)
        dataset, _ = reader.elements(start, len(reader.raw), syntax != IMPLICIT, (), 0)
    except (struct.error, IndexError) as error:
        raise Unreadable("truncated: the object ends within an element") from error
    if not dataset:
        raise Unreadable("the object contains no elements")
    return Part10(dataset, syntax, sorted(reader.notes))


def read_any(raw: Raw, reader_of: "Callable[[Raw], Reader] | None" = None) -> Part10:
    """Read an object in any transfer syntax, with pydicom where necessary. Raises Unreadable."""
    try:
        return read_part10(raw, reader_of)
    except OtherTransferSyntax:
        try:
            whole = pydicom.dcmread(io.BytesIO(raw), stop_before_pixels=True)
            return Part10(from_pydicom(whole), str(whole.file_meta.TransferSyntaxUID))
        except Exception as error:
            raise Unreadable("the object cannot be read in its transfer syntax") from error


def end_of_sequence(raw: Raw, pos: int, end: int, explicit: bool, declared: bool) -> int:
    """Return the position after a sequence whose items begin at `pos`, by reading all of it.

    end: of the sequence, 0xFFFFFFFF if it has no length. declared: its VR is SQ, not UN. Raises
    Unreadable, struct.error, IndexError."""
    length = _UNDEFINED if end == _UNDEFINED else end - pos
    inner = explicit and (declared or raw[pos + 12 : pos + 14] in _KINDS)
    return Reader(raw).sequence(pos, len(raw), length, inner, (), 0, "a sequence")[1]


def end_of_fragments(raw: Raw, pos: int) -> int:
    """Return the position after encapsulated pixel data that begins at `pos`. Raises Unreadable,
    struct.error."""
    return Reader(raw).fragments(pos, len(raw))


def transfer_syntax_and_start(raw: Raw) -> tuple[str, int]:
    """Return the transfer syntax of an object and the offset of its data set. Raises Unreadable,
    struct.error, IndexError."""
    return Reader(raw).meta()


def announced_class(raw: Raw) -> str | None:
    """Return the SOP class that the file meta information names (Media Storage SOP Class UID), or
    None if it names none.
    """
    pos = 132
    try:
        while raw[128:132] == b"DICM" and raw[pos : pos + 2] == b"\x02\x00" and raw[pos + 2] <= 2:
            head, length = (
                (12, _u32(raw, pos + 8)[0])
                if raw[pos + 4 : pos + 6] in WITH_LONG_LENGTH
                else (8, _u16(raw, pos + 6)[0])
            )
            if raw[pos + 2 : pos + 4] == b"\x02\x00":
                return (
                    raw[pos + head : pos + head + length].rstrip(b" \0").decode("latin-1") or None
                )
            pos += head + length
    except (struct.error, IndexError):
        pass
    return None


PATIENT_GROUP = 0x0010


def beginning(raw: Raw) -> Dataset:
    """Read the elements of an object up to and including the patient group, and no further, however
    large the object is. Raises Unreadable, and OtherTransferSyntax also for deflated objects, which
    cannot be read in part."""
    reader = Reader(raw)
    try:
        syntax, start = reader.meta()
        if syntax not in (IMPLICIT, EXPLICIT) and (
            syntax in _JPIP_DEFLATED or not syntax.startswith(_ENCAPSULATED)
        ):
            raise OtherTransferSyntax(f"transfer syntax {syntax[:64]} requires a different reader")
        end = reader.end_of_group(PATIENT_GROUP, start, syntax != IMPLICIT)
        return reader.elements(start, end, syntax != IMPLICIT, (), 0)[0]
    except (struct.error, IndexError) as error:
        raise Unreadable("truncated: the object ends within an element") from error


def inflate(raw: bytes) -> bytes:
    """Return the inflated content of a deflated data set. Raises Unreadable."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        out = inflater.decompress(raw, MAX_INFLATED)
    except zlib.error as error:
        raise Unreadable("the deflated data set cannot be decompressed") from error
    if inflater.unconsumed_tail:
        raise Unreadable("the deflated data set exceeds the accepted size when decompressed")
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


def implicit_vr(tag: bytes) -> bytes:
    """Return the VR of an element in implicit encoding, from the standard's dictionary; UN if it is
    private or unknown.
    """
    vr = _IMPLICIT_VRS.get(tag)
    if vr is None:
        group, element = _u16(tag)[0], _u16(tag, 2)[0]
        if group % 2 and 0x10 <= element <= 0xFF:
            vr = b"LO"
        else:
            try:
                # Where the dictionary leaves a choice ("US or SS", "OB or OW"), the first is used,
                # as none of them holds dose.
                vr = dictionary_VR((group << 16) | element)[:2].encode("ascii")
            except KeyError:
                vr = b"UN"
        if len(_IMPLICIT_VRS) < 50_000:
            _IMPLICIT_VRS[tag] = vr
    return vr


def lost_kind(tag: bytes, length: int) -> "int | str":
    """Return the kind of value of a standard element that lost its VR; _BYTES if ambiguous."""
    group, element = _u16(tag)[0], _u16(tag, 2)[0]
    if group % 2 or length >= 0xFFFF:
        return _BYTES
    try:
        return _KINDS.get(dictionary_VR((group << 16) | element).encode("ascii"), _BYTES)
    except KeyError:
        return _BYTES


# What the first bytes of an element say (tag and VR in explicit encoding, the tag alone in
# implicit), by those bytes: the element's name, the kind of its value, and the offset of the length
# if it has four bytes (0: two bytes, after the VR).
_Head = tuple[str, "int | str", int]
_EXPLICIT_HEADS: dict[bytes, _Head] = {}
_IMPLICIT_HEADS: dict[bytes, _Head] = {}


def _learn(head: bytes, heads: dict[bytes, _Head]) -> _Head:
    tag = head[:4]
    if len(tag) < 4:
        raise Unreadable("truncated: the object ends within an element")
    name, explicit = _name(tag), heads is _EXPLICIT_HEADS
    if tag[:2] == b"\xfe\xff":
        learnt: _Head = (name, _MARK, 4)
    else:
        vr = head[4:6] if explicit else implicit_vr(tag)
        kind = _KINDS.get(vr)
        if kind is None:
            raise Unreadable(f"broken: element ({name}) has no valid DICOM value representation")
        learnt = (name, kind, (8 if vr in WITH_LONG_LENGTH else 0) if explicit else 4)
    if len(heads) < 50_000:
        heads[head] = learnt
    return learnt


class Reader:
    """Reads the elements of one object. Raises Unreadable, struct.error, IndexError."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        self.notes: set[str] = set()
        self.codes: dict[tuple[bytes, bool, tuple[str, ...]], list[Dataset]] = {}

    def meta(self) -> tuple[str, int]:
        """Return (transfer syntax, offset of the data set). The encoding of a bare data set is
        guessed from its first element.
        """
        raw = self.raw
        if len(raw) < 16:
            raise Unreadable("the object is empty or too short to be DICOM")
        start = 132 if raw[128:132] == b"DICM" else 0
        if raw[start : start + 2] != b"\x02\x00":
            if start:
                raise Unreadable("the file meta information is missing")
            if raw[:2] not in (b"\x08\x00", b"\x00\x00") and raw[:1] != b"\x08":
                raise Unreadable("this is not a DICOM object")
            return (EXPLICIT if raw[4:6] in _KINDS else IMPLICIT), 0
        meta: Dataset = {}
        end = start
        while raw[end : end + 2] == b"\x02\x00":
            tag, vr = raw[end : end + 4], raw[end + 4 : end + 6]
            head, length = (
                (12, _u32(raw, end + 8)[0])
                if vr in WITH_LONG_LENGTH
                else (8, _u16(raw, end + 6)[0])
            )
            if end + head + length > len(raw):
                raise Unreadable("truncated: the object ends within its file meta information")
            meta[_name(tag)] = (
                raw[end + head : end + head + length].rstrip(b" \0").decode("latin-1")
            )
            end += head + length
        syntax = meta.get("0002,0010")
        if not isinstance(syntax, str) or not syntax:
            raise Unreadable("the file meta information does not name a transfer syntax")
        return syntax, end

    def elements(
        self,
        pos: int,
        end: int,
        explicit: bool,
        encodings: tuple[str, ...],
        depth: int,
        item: bool = False,
    ) -> tuple[Dataset, int]:
        """Read the elements from `pos` to `end`, or to the end mark of an item of undefined length;
        return (data set, next position).
        """
        raw, known = self.raw, _EXPLICIT_HEADS if explicit else _IMPLICIT_HEADS
        out: Dataset = {}
        while pos < end:
            head = raw[pos : pos + 6] if explicit else raw[pos : pos + 4]
            name, kind, long = known.get(head) or _learn(head, known)
            if long:
                length = _u32(raw, pos + long)[0]
                pos += long + 4
            else:
                length = raw[pos + 6] | raw[pos + 7] << 8
                pos += 8
            if kind == _MARK:
                if item and head[:4] == _ITEM_END:
                    return out, pos
                raise Unreadable("broken: an item delimiter appears in place of an element")
            after = pos + length
            if kind == _SEQUENCE or length == _UNDEFINED:
                if name in PIXEL_DATA:
                    if not depth:
                        return out, end
                    pos = self.fragments(pos, end)  # of an icon
                    continue
                if kind not in (_SEQUENCE, _UNKNOWN) and explicit:
                    raise Unreadable(f"broken: element ({name}) has no length")
                # UN of undefined length is a sequence in implicit encoding (PS3.5 6.2.2),
                # but some writers keep it explicit: the bytes at the VR of the first element show
                # which.
                inner = explicit and (kind == _SEQUENCE or raw[pos + 12 : pos + 14] in _KINDS)
                read_items = self.code_sequence if name in _CODES else self.sequence
                out[name], pos = read_items(pos, end, length, inner, encodings, depth, name)
            elif after > end:
                if name in PIXEL_DATA:
                    return out, end
                raise Unreadable(
                    f"truncated: element ({name}) has a declared length of {length} bytes, but "
                    f"only {end - pos} remain"
                )
            elif kind == _ASCII:
                value = raw[pos:after]
                out[name] = said = value.rstrip(b" \0").decode("latin-1")
                pos = after
                if name == "0008,0005":
                    encodings = text.decoders(said, self.notes.add)
                if not value.isascii():
                    self.notes.add(
                        f"({name}) has characters that its value representation does not allow"
                    )
            elif kind == _TEXT:
                value = raw[pos:after].rstrip(b" \0")
                pos = after
                if value.isascii() and b"\x1b" not in value:
                    out[name] = value.decode("ascii")
                else:
                    out[name] = text.decode(value, encodings, self.notes.add, text.TEXT_DELIMITERS)
            elif name in PIXEL_DATA:
                pos = after
            else:
                if kind == _NAME:
                    value = raw[pos:after].rstrip(b" \0")
                    out[name] = text.decode(value, encodings, self.notes.add, text.NAME_DELIMITERS)
                elif isinstance(kind, str):
                    out[name] = self.numbers(name, raw[pos:after], kind)
                elif kind == _TAGS:
                    out[name] = "\\".join(
                        _name(raw[at : at + 4]) for at in range(pos, after - 3, 4)
                    )
                elif not name.endswith(",0000"):
                    known_kind = lost_kind(head[:4], length) if kind == _UNKNOWN else _BYTES
                    out[name] = self.unknown(name, known_kind, pos, after, encodings, depth)
                pos = after
        if item and end == len(raw):
            raise Unreadable("truncated: the object ends within an item")
        return out, pos

    def end_of_group(self, group: int, pos: int, explicit: bool) -> int:
        """Return the position after the elements of this group and those before it."""
        raw = self.raw
        while pos + 8 <= len(raw) and _u16(raw, pos)[0] <= group:
            vr = raw[pos + 4 : pos + 6]
            if not explicit:
                head, length = 8, _u32(raw, pos + 4)[0]
            else:
                head, length = (
                    (12, _u32(raw, pos + 8)[0])
                    if vr in WITH_LONG_LENGTH
                    else (8, _u16(raw, pos + 6)[0])
                )
            pos += head
            if length == _UNDEFINED:
                inner = explicit and (vr == b"SQ" or raw[pos + 12 : pos + 14] in _KINDS)
                _, pos = self.sequence(pos, len(raw), length, inner, (), 0, "a sequence")
            else:
                pos += length
        return min(pos, len(raw))

    def fragments(self, pos: int, end: int) -> int:
        """Return the position after encapsulated pixel data (PS3.5 annex A.4)."""
        while pos < end:
            mark, length = self.raw[pos : pos + 4], _u32(self.raw, pos + 4)[0]
            pos += 8
            if mark == _SEQUENCE_END:
                return pos
            if mark != _ITEM or pos + length > end:
                break
            pos += length
        raise Unreadable("truncated or broken: the fragments of an icon image have no end")

    def code_sequence(
        self,
        pos: int,
        end: int,
        length: int,
        explicit: bool,
        encodings: tuple[str, ...],
        depth: int,
        name: str,
    ) -> tuple[list[Dataset], int]:
        """Read a sequence that holds a code. A report repeats the same few hundred codes thousands
        of times: the same bytes give the same list, which all places share."""
        raw = self.raw
        stop = raw.find(_SEQUENCE_END, pos) + 8 if length == _UNDEFINED else pos + length
        key = (raw[pos:stop], explicit, encodings)
        found = self.codes.get(key)
        if found is not None and stop <= end:
            return found, stop
        found, after = self.sequence(pos, end, length, explicit, encodings, depth, name)
        if after == stop:
            self.codes[key] = found
        return found, after

    def unknown(
        self,
        name: str,
        kind: "int | str",
        pos: int,
        after: int,
        encodings: tuple[str, ...],
        depth: int,
    ) -> Value:
        """Read a value of bytes, or one of VR UN as the kind that the dictionary gives: an element
        of the standard can lose its VR on the way (PS3.5 6.2.2)."""
        value = self.raw[pos:after]
        if kind == _SEQUENCE:
            return self.sequence(
                pos, after, len(value), value[12:14] in _KINDS, encodings, depth, name
            )[0]
        if isinstance(kind, str):
            return self.numbers(name, value, kind)
        if kind == _ASCII:
            return value.rstrip(b" \0").decode("latin-1")
        if kind in (_TEXT, _NAME):
            delimiters = text.TEXT_DELIMITERS if kind == _TEXT else text.NAME_DELIMITERS
            return text.decode(value.rstrip(b" \0"), encodings, self.notes.add, delimiters)
        return binary(value)

    def numbers(self, name: str, value: bytes, code: str) -> str:
        size = struct.calcsize(code)
        if len(value) % size:
            self.notes.add(f"({name}) has a length that is not a multiple of {size}")
        return "\\".join(map(repr, struct.unpack_from(f"<{len(value) // size}{code}", value)))

    def sequence(
        self,
        pos: int,
        end: int,
        length: int,
        explicit: bool,
        encodings: tuple[str, ...],
        depth: int,
        name: str,
    ) -> tuple[list[Dataset], int]:
        if depth >= MAX_DEPTH:
            raise TooDeep(f"sequences are nested deeper than {MAX_DEPTH} levels")
        raw, out = self.raw, []
        stop = end if length == _UNDEFINED else pos + length
        if stop > end:
            raise Unreadable(
                f"truncated: sequence ({name}) has a declared length of {length} bytes, but only "
                f"{end - pos} remain"
            )
        while pos < stop:
            tag, item_length = raw[pos : pos + 4], _u32(raw, pos + 4)[0]
            pos += 8
            if tag == _ITEM:
                if item_length == _UNDEFINED:
                    item, pos = self.elements(pos, stop, explicit, encodings, depth + 1, item=True)
                else:
                    if pos + item_length > stop:
                        raise Unreadable(
                            f"truncated: an item of sequence ({name}) extends beyond its end"
                        )
                    item, pos = self.elements(
                        pos, pos + item_length, explicit, encodings, depth + 1
                    )
                out.append(item)
            elif tag == _SEQUENCE_END and length == _UNDEFINED:
                return out, pos
            else:
                raise Unreadable(f"broken: sequence ({name}) contains something other than an item")
        if length == _UNDEFINED:
            raise Unreadable(f"truncated: the object ends within sequence ({name})")
        return out, pos

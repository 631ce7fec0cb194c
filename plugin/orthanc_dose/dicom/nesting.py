"""Depth of nested sequences in an object, determined from its bytes without recursion.

DCMTK, with which Orthanc reads objects, calls itself for each level, and the threads on which
Orthanc answers HTTP have stacks of some 100 kB: Orthanc 1.10.1 crashes at 48 levels and 1.12.7 at
51, as soon as such a thread reads the object. In doubt, more levels are assumed: a value that may
be read as a sequence counts as one."""

import re
import sys
from struct import Struct, error

from .dataset import Unreadable
from .part10 import (
    BIG_ENDIAN,
    DEFLATED_AS_A_WHOLE,
    IMPLICIT,
    MAX_DEPTH,
    WITH_LONG_LENGTH,
    WITH_SHORT_LENGTH,
    Raw,
    inflate,
    transfer_syntax_and_start,
)

MOST_COUNTED = 1000  # deeper levels are not counted
_UNDEFINED = 0xFFFFFFFF
_NEVER = sys.maxsize
# Below this size, counting item marks takes less time than walking through the object.
_SMALL = 32_768
_ITEM = {"<": b"\xfe\xff\x00\xe0", ">": b"\xff\xfe\xe0\x00"}
_SEQUENCE_ENDS = (b"\xdd\xe0", b"\xe0\xdd")
_PIXEL_DATA = (b"\xe0\x7f\x10\x00", b"\x7f\xe0\x00\x10")
_MARKS = {
    "<": re.compile(rb"(?s)\xfe\xff[\x00\x0d]\xe0(?=(....))"),
    ">": re.compile(rb"(?s)\xff\xfe\xe0[\x00\x0d](?=(....))"),
}
_DEFLATED = tuple(syntax.encode() for syntax in sorted(DEFLATED_AS_A_WHOLE))


def too_deep(raw: Raw) -> int:
    """Return the number of levels an object is nested if it exceeds MAX_DEPTH, else 0. For nearly
    every object this takes some microseconds."""
    if (
        len(raw) < _SMALL
        and isinstance(raw, bytes)
        # Each level needs the mark of an item.
        and all(raw.count(mark) <= MAX_DEPTH for mark in _ITEM.values())
        and not any(syntax in raw for syntax in _DEFLATED)
    ):
        return 0
    found = depth(raw, MAX_DEPTH)
    return found if found > MAX_DEPTH else 0


def depth(raw: Raw, floor: int = 0) -> int:
    """Return the number of nested sequences at the object's deepest point, at most MOST_COUNTED; 0
    if it has none. floor: a depth below this need not be exact. A broken object is read as far as
    possible."""
    try:
        syntax, pos = transfer_syntax_and_start(raw)
        if syntax in DEFLATED_AS_A_WHOLE:
            raw, pos = inflate(raw[pos:]), 0
    except (Unreadable, error, IndexError):
        return min(_marked(raw, 0, len(raw), "<"), MOST_COUNTED)
    return _Walk(raw, ">" if syntax == BIG_ENDIAN else "<", floor).walk(pos, syntax != IMPLICIT)


# What the head of an element (tag and VR) says in explicit encoding, by the head: most objects
# share a few hundred of them.
_SHORT, _LONG, _MARK, _NOTHING = range(4)
_HEADS: dict[bytes, int] = {}


def _learn(head: bytes, item: bytes) -> int:
    vr = head[4:]
    kind = (
        _MARK
        if head[:2] == item[:2]
        else _SHORT
        if vr in WITH_SHORT_LENGTH
        else _LONG
        if vr in WITH_LONG_LENGTH
        else _NOTHING
    )
    if len(_HEADS) < 20_000 and kind != _MARK:
        _HEADS[head] = kind
    return kind


class _Walk:
    """A walk from element to element; a list, not the stack, holds open sequences and items."""

    def __init__(self, raw: Raw, order: str, floor: int) -> None:
        self.raw, self.order, self.floor = raw, order, floor
        self.u16, self.u32 = Struct(order + "H").unpack_from, Struct(order + "I").unpack_from
        self.item = _ITEM[order]
        # For each open sequence and item: where it ends (_NEVER: at its end mark), whether it is a
        # sequence, and whether what encloses it is in explicit encoding.
        self.open: list[tuple[int, bool, bool]] = [(_NEVER, False, False)]
        self.depth = self.deepest = 0

    def walk(self, pos: int, explicit: bool) -> int:
        raw, item, u16, u32, heads = self.raw, self.item, self.u16, self.u32, _HEADS
        last, end = len(raw) - 8, _NEVER
        while pos <= last and self.deepest < MOST_COUNTED:
            while pos >= end:
                explicit = self._close()
                end = self.open[-1][0]
            head = raw[pos : pos + 6]
            if explicit:
                kind = heads.get(head)
                if kind is None:
                    kind = _learn(head, item)
                if kind == _SHORT:
                    pos += 8 + u16(raw, pos + 6)[0]
                    continue
            else:
                kind = _MARK if head[:2] == item[:2] else _LONG
            if kind == _MARK:
                explicit = self._mark(head[:4], u32(raw, pos + 4)[0], pos + 8, explicit)
                pos += 8
            elif kind == _LONG:
                pos, explicit = self._long(pos, head, explicit)
            else:
                pos, explicit = self._lost(pos, explicit)
            end = self.open[-1][0]
        return min(self.deepest, MOST_COUNTED)

    def _mark(self, mark: bytes, length: int, pos: int, explicit: bool) -> bool:
        """Open an item or close what ends here; return whether explicit encoding follows."""
        if mark == self.item:
            self.open.append((_NEVER if length == _UNDEFINED else pos + length, False, explicit))
            return explicit
        # The end of an item, or of a sequence, which may hold an item without an end.
        ends_sequence = mark[2:] in _SEQUENCE_ENDS
        while len(self.open) > 1:
            is_sequence = self.open[-1][1]
            explicit = self._close()
            if is_sequence == ends_sequence:
                break
        return explicit

    def _long(self, pos: int, head: bytes, explicit: bool) -> tuple[int, bool]:
        """Skip or enter an element with a four-byte length; return (next position, whether the
        encoding there is explicit)."""
        raw, value = self.raw, pos + (12 if explicit else 8)
        if value > len(raw):
            return value, explicit
        length = self.u32(raw, value - 4)[0]
        if length == _UNDEFINED and head[:4] in _PIXEL_DATA:
            return self._fragments(value), explicit
        vr = head[4:] if explicit else b""
        if length == _UNDEFINED or vr == b"SQ" or raw[value : value + 4] == self.item:
            return self._sequence(value, vr, length, explicit)
        return value + length, explicit

    def _sequence(self, pos: int, vr: bytes, length: int, explicit: bool) -> tuple[int, bool]:
        """Open a sequence, or skip it if it cannot be deeper than what is of interest; return (next
        position, whether the encoding there is explicit)."""
        raw = self.raw
        end = _NEVER if length == _UNDEFINED else pos + length
        self.depth += 1
        self.deepest = max(self.deepest, self.depth)
        if end != _NEVER and self.depth <= self.floor and isinstance(raw, bytes):
            # Each level needs the mark of an item.
            most = self.depth + raw.count(self.item, pos, end)
            if most <= max(self.floor, self.deepest):
                self.depth -= 1
                return end, explicit
        self.open.append((end, True, explicit))
        # UN holds implicit encoding (PS3.5 6.2.2), but some writers keep the explicit one:
        # the first element of the first item shows which.
        inner = raw[pos + 12 : pos + 14]
        return pos, explicit and (
            vr == b"SQ" or inner in WITH_SHORT_LENGTH or inner in WITH_LONG_LENGTH
        )

    def _close(self) -> bool:
        _, is_sequence, explicit = self.open.pop()
        self.depth -= is_sequence
        return explicit

    def _fragments(self, pos: int) -> int:
        """Return the position after encapsulated pixel data."""
        while self.raw[pos : pos + 4] == self.item and pos + 8 <= len(self.raw):
            pos += 8 + self.u32(self.raw, pos + 4)[0]
        return pos + 8

    def _lost(self, pos: int, explicit: bool) -> tuple[int, bool]:
        """Handle bytes that are not an element: estimate the depth of the rest of the innermost
        part whose end is known, and continue after it; return (next position, whether the encoding
        there is explicit)."""
        while len(self.open) > 1 and self.open[-1][0] == _NEVER:
            explicit = self._close()
        end = min(self.open[-1][0], len(self.raw))
        below = _marked(self.raw, pos, end, self.order)
        self.deepest = max(self.deepest, self.depth + below)
        return max(end, pos + 1), explicit


def _marked(raw: Raw, start: int, end: int, order: str) -> int:
    """Return how many items are nested in one another, judged by their marks alone."""
    u32, deepest = Struct(order + "I").unpack, 0
    ends: list[int] = []
    for found in _MARKS[order].finditer(raw, start, end):
        if found[0] == _ITEM[order]:
            while ends and ends[-1] <= found.start():
                ends.pop()
            (length,) = u32(found[1])
            ends.append(end if length == _UNDEFINED else found.start() + 8 + length)
            deepest = max(deepest, len(ends))
        elif ends:
            ends.pop()
    return deepest

"""Reads long objects: the items of their content sequence one by one, each time they are needed."""

import mmap
from array import array
from collections import defaultdict
from collections.abc import Iterator
from struct import Struct

from .dataset import Dataset, Unreadable
from .long_sequence import (
    CONTENT,
    LONG,
    MOST_ITEMS,
    MOST_OF_ITEM,
    LongSequence,
    TooLarge,
    concept_code,
)
from .part10 import Part10, Raw, Reader, read_any

_UNDEFINED = 0xFFFFFFFF
_ITEM, _SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_u32 = Struct("<I").unpack_from

# Number of bytes after which those of a mapped file that were read are given back to the system.
_GIVEN_BACK = 8 * mmap.ALLOCATIONGRANULARITY * 256
_CODES_KEPT = 20_000


def read_object(raw: Raw) -> Part10:
    """Read an object of any size, like `read_any`. Raises Unreadable; TooLarge beyond the limits."""
    return read_any(raw, _reader)


def _reader(raw: Raw) -> Reader:
    return LongReader(raw) if len(raw) >= LONG else Reader(raw)


class LongReader(Reader):
    """Reads an object whose content is a LongSequence."""

    def __init__(self, raw: Raw) -> None:
        super().__init__(raw)
        self._item = 0  # where the content item begins that is being read

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
        """Read a sequence. The content of the report is read once, to know that it can be read."""
        if depth or name != CONTENT:
            if self._item and pos - self._item > MOST_OF_ITEM:
                raise TooLarge(
                    f"a content item below its root has more than {MOST_OF_ITEM // 10**6} MB, the "
                    "limit on what is read of one"
                )
            return super().sequence(pos, end, length, explicit, encodings, depth, name)
        long = _Content(self, pos, end, length, explicit, encodings)
        return long, long.look_through()

    def content_item(
        self, pos: int, stop: int, explicit: bool, encodings: tuple[str, ...]
    ) -> tuple[Dataset | None, int]:
        """Read the content item at `pos`; return (item, next position), None at the sequence's end."""
        tag, length = self.raw[pos : pos + 4], _u32(self.raw, pos + 4)[0]
        begin = self._item = pos + 8
        if tag == _SEQUENCE_END:
            return None, begin
        if tag != _ITEM:
            raise Unreadable(f"broken: sequence ({CONTENT}) contains something other than an item")
        try:
            if length == _UNDEFINED:
                return self.elements(begin, stop, explicit, encodings, 1, item=True)
            if begin + length > stop:
                raise Unreadable(
                    f"truncated: an item of sequence ({CONTENT}) extends beyond its end"
                )
            return self.elements(begin, begin + length, explicit, encodings, 1)
        finally:
            self._item = 0

    def give_back(self, begin: int, end: int) -> int:
        """Give the memory of a mapped file back; return from where on it is still held."""
        if end - begin < _GIVEN_BACK:
            return begin
        if isinstance(self.raw, mmap.mmap) and hasattr(self.raw, "madvise"):
            first = begin - begin % mmap.PAGESIZE
            self.raw.madvise(mmap.MADV_DONTNEED, first, end - end % mmap.PAGESIZE - first)
        if len(self.codes) > _CODES_KEPT:
            self.codes.clear()
        return end


class _Content(LongSequence):
    """The content of a long object, in its bytes."""

    def __init__(
        self,
        reader: LongReader,
        pos: int,
        end: int,
        length: int,
        explicit: bool,
        encodings: tuple[str, ...],
    ) -> None:
        super().__init__(self._items)
        self._reader, self._begin, self._how = reader, pos, (explicit, encodings)
        self._has_length = length != _UNDEFINED
        self._stop = pos + length if self._has_length else end
        if self._stop > end:
            raise Unreadable(
                f"truncated: sequence ({CONTENT}) has a declared length of {length} bytes, but only "
                f"{end - pos} remain"
            )
        self._leaves: dict[object, array[int]] = defaultdict(lambda: array("Q"))

    def _placed(self) -> Iterator[tuple[int, Dataset | None, int]]:
        """Read the items, each with its position and the position after it; at the end None."""
        pos = held = self._begin
        while pos < self._stop:
            item, after = self._reader.content_item(pos, self._stop, *self._how)
            if item is None and self._has_length:
                raise Unreadable(
                    f"broken: sequence ({CONTENT}) contains something other than an item"
                )
            yield pos, item, after
            if item is None:
                return
            pos = after
            held = self._reader.give_back(held, pos)
        if not self._has_length:
            raise Unreadable(f"truncated: the object ends within sequence ({CONTENT})")
        yield pos, None, pos

    def _items(self) -> Iterator[Dataset]:
        return (item for _, item, _ in self._placed() if item is not None)

    def look_through(self) -> int:
        """Read all items, and return the position after the sequence.

        Raises Unreadable, and TooLarge if there are too many.
        """
        for at, (pos, item, after) in enumerate(self._placed()):
            if item is None:
                return after
            if at >= MOST_ITEMS:
                raise TooLarge(
                    f"it has more than {MOST_ITEMS:,} content items below its root, the limit on "
                    "what is read"
                )
            if CONTENT not in item:
                self._leaves[concept_code(item)].append(pos)
        return self._stop

    def named(self, code: str) -> Iterator[Dataset]:
        for pos in self._leaves.get(code, ()):
            item, _ = self._reader.content_item(pos, self._stop, *self._how)
            if item is not None and (changed := self._changed(item)) is not None:
                yield changed

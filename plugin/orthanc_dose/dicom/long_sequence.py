"""Sequences with too many items to be in memory together.

A dose report of 20,000 irradiation events takes 700 MB as a `Dataset`. In a long object, the items
of its content sequence are therefore read one by one, each time they are needed.
"""

from collections.abc import Callable, Iterator
from typing import Any

from .dataset import Dataset, Unreadable

CONTENT = "0040,a730"  # Content Sequence
# The size in bytes from which an object is long, uncompressed. Smaller ones are read as a whole,
# which takes up to five times as much memory, and less time.
LONG = 16_000_000
# The limits on the size of a report, and of one content item below its root (bytes, uncompressed),
# and on the number of these items. What is read of a report within them fits into 1 GB.
MOST_BYTES = 512_000_000
MOST_OF_ITEM = 32_000_000
MOST_ITEMS = 120_000
# The limit on the number of content items, at all levels, of a long report that has to be in memory
# as a whole, since the parts of its events are in several places.
MOST_AS_A_WHOLE = 1_000_000


class TooLarge(Unreadable):
    """The object exceeds the limits on what is read."""


class LongSequence(list[Dataset]):
    """The items of a sequence, which are read anew each time one iterates over them.

    It is a list, as all sequences are, but one that can only be iterated over: changes to an item
    are lost, unless they are made by a function given to `change`.
    """

    def __init__(self, read: Callable[[], Iterator[Dataset]]) -> None:
        """Create the sequence. read: begins to read the items."""
        super().__init__()
        self._read = read
        self._changes: list[Callable[[Dataset], Dataset | None]] = []

    def __iter__(self) -> Iterator[Dataset]:
        for item in self._read():
            if (changed := self._changed(item)) is not None:
                yield changed

    def _changed(self, item: Dataset) -> Dataset | None:
        found: Dataset | None = item
        for change in self._changes:
            if found is None:
                break
            found = change(found)
        return found

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, at: Any) -> Any:
        raise TypeError("the items of a long sequence can only be iterated over")

    def named(self, code: str) -> Iterator[Dataset]:
        """Return the content items without items of their own whose concept name has this code."""
        return (item for item in self if concept_code(item) == code)

    def change(self, change: Callable[[Dataset], Dataset | None]) -> None:
        """Change every item from now on, by a function that returns None for what is removed."""
        self._changes.append(change)


def concept_code(item: Dataset) -> object:
    """Return the code value of a content item's concept name, None if there is none."""
    name = item.get("0040,a043")
    return name[0].get("0008,0100") if isinstance(name, list) and name else None


def check_size(size: int) -> None:
    """Raise TooLarge for a report of more than MOST_BYTES."""
    if size > MOST_BYTES:
        raise TooLarge(
            f"it has {size // 10**6} MB, more than the limit of {MOST_BYTES // 10**6} MB"
        )

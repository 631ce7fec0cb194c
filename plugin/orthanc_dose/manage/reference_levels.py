"""The table of reference levels: those entered by an administrator, and those of the program."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ..records import REFERENCE_LEVEL
from ..store import Store, numbers

MOST = 2000
_SHIPPED = Path(__file__).with_name("reference_levels.json")
_SET = tuple(name for name in REFERENCE_LEVEL.names if name not in ("id", "shipped_as"))


class TooMany(Exception):
    """Raised when there would be more levels than allowed."""


@cache
def shipped() -> dict[str, Any]:
    """Return the levels that come with the program, as in its file, in the units of pages.

    Keys are `version`, `sources` and `levels`.
    """
    found: dict[str, Any] = json.loads(_SHIPPED.read_text(encoding="utf-8"))
    return found


def add_levels(store: Store, levels: Sequence[Mapping[str, Any]]) -> list[int]:
    """Add levels, and return the numbers of the new ones.

    levels: the fields of REFERENCE_LEVEL except the number, in stored units. Levels that come with
    the program are added only if they are not there yet. Raises TooMany.
    """
    with store.writing() as connection:
        there = connection.execute("SELECT id, shipped_as FROM reference_level").fetchall()
        known = {key for _, key in there if key}
        new = [
            level
            for level in levels
            if not level.get("shipped_as") or level["shipped_as"] not in known
        ]
        if len(there) + len(new) > MOST:
            raise TooMany
        if not new:
            return []
        first = numbers.take_number(connection, numbers.REFERENCE_LEVELS, len(new))
        columns = ("id", "shipped_as", *_SET)
        query = (
            f"INSERT INTO reference_level ({', '.join(columns)}) VALUES "
            f"({', '.join('?' * len(columns))})"
        )
        for number, level in enumerate(new, first):
            connection.execute(
                query, [number, level.get("shipped_as"), *(level[name] for name in _SET)]
            )
    return list(range(first, first + len(new)))


def change_level(store: Store, number: int, level: Mapping[str, Any]) -> bool:
    """Replace the values of a level. Returns False if there is none with this number."""
    query = f"UPDATE reference_level SET {', '.join(f'{name} = ?' for name in _SET)} WHERE id = ?"
    with store.writing() as connection:
        found = connection.execute(query, [*(level[name] for name in _SET), number]).fetchone()
    return bool(found and found[0])


def delete_level(store: Store, number: int) -> bool:
    """Delete a level. Returns False if there is none with this number."""
    with store.writing() as connection:
        found = connection.execute("DELETE FROM reference_level WHERE id = ?", [number]).fetchone()
    return bool(found and found[0])

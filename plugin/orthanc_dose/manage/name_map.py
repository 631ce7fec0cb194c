"""The map of standard names: what an entry may hold, and the map as CSV, in both directions."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from ..records import INDEXED, MODALITIES
from ..records.given import Given, Line, Meta, Wrong, taken
from ..store.names import Entry

COLUMNS = ("kind", "pattern", "modality", "standard_name")
MOST_ENTRIES = 5000

# A cell that a spreadsheet would take for a formula is prefixed with an apostrophe, and so is one
# where such text already follows apostrophes.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")


class MapEntry(Given):
    """A standard name for the texts of a kind that match a pattern."""

    kind: Annotated[
        Literal[*INDEXED],  # type: ignore[valid-type]
        Meta(description="Field of the study whose texts are named."),
    ]
    pattern: Annotated[Line, Meta(description="Pattern of the texts, with wildcards.")]
    modality: Annotated[
        Literal[*MODALITIES, None],  # type: ignore[valid-type]
        Meta(description="Modality type of the studies; null for all."),
    ]
    standard_name: Annotated[Line, Meta(description="Standard name of the texts.")]


class BadEntry(Exception):
    """Raised for an invalid entry or line of CSV; the message says which and why."""


def kept(found: list[MapEntry]) -> list[Entry]:
    """Return the entries of a map as they are kept.

    Of entries with the same kind, pattern and modality type, the first is kept. Raises BadEntry if
    there are too many.
    """
    out: dict[tuple[str, str, str], Entry] = {}
    for entry in found:
        one: Entry = {
            "kind": entry.kind,
            "pattern": entry.pattern.strip(),
            "modality": entry.modality,
            "standard_name": entry.standard_name.strip(),
        }
        out.setdefault(key_of(one), one)
    return _few(list(out.values()))


def _few(entries: list[Entry]) -> list[Entry]:
    if len(entries) > MOST_ENTRIES:
        raise BadEntry(f"The map must be a list of at most {MOST_ENTRIES} entries.")
    return entries


def with_entries(there: list[Entry], new: list[Entry]) -> list[Entry]:
    """Return the map with new entries.

    They replace those of the same kind, pattern and modality type; others are appended. Raises
    BadEntry if there are then too many.
    """
    together = {key_of(entry): entry for entry in there} | {key_of(entry): entry for entry in new}
    return _few(list(together.values()))


def key_of(entry: Entry) -> tuple[str, str, str]:
    """Return the key by which entries are unique."""
    return entry["kind"], entry["pattern"].casefold(), entry["modality"] or ""


def as_csv(entries: list[Entry]) -> bytes:
    """Return the map as CSV (RFC 4180) for spreadsheets: UTF-8 with a byte order mark."""
    out = io.StringIO()
    written = csv.writer(out)
    written.writerow(COLUMNS)
    rows: Sequence[Mapping[str, Any]] = entries
    written.writerows([_cell(row[name] or "") for name in COLUMNS] for row in rows)
    return out.getvalue().encode("utf-8-sig", "replace")


def from_csv(text: str) -> list[Entry]:
    """Return the map read from CSV written by `as_csv`, or by people in a spreadsheet.

    Columns are named in the first line, and separated by commas, semicolons or tabs. Raises
    BadEntry.
    """
    text = text.removeprefix("\ufeff")
    first = text.splitlines()[0] if text.strip() else ""
    mark = max(",;\t", key=first.count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True))
    except csv.Error as error:
        raise BadEntry(
            "This is not valid CSV: quotes do not match, or a line is too long."
        ) from error
    header = [name.strip().casefold() for name in lines[0]] if lines else []
    if set(header) != set(COLUMNS) or len(header) != len(COLUMNS):
        raise BadEntry(f"The first line must contain the column names: {', '.join(COLUMNS)}.")
    found = []
    for number, line in enumerate(lines[1:], 2):
        if not any(cell.strip() for cell in line):
            continue
        if len(line) != len(COLUMNS):
            raise BadEntry(f"Line {number} has {len(line)} columns instead of {len(COLUMNS)}.")
        entry: dict[str, Any] = dict(zip(header, (_value(cell) for cell in line), strict=True))
        found.append(
            entry
            | {"kind": entry["kind"].strip(), "modality": entry["modality"].strip().upper() or None}
        )
    entries = kept([_entry(one, number) for number, one in enumerate(found, 1)])
    if len(entries) < len(found):
        raise BadEntry(
            "Several lines have the same kind, pattern and modality type: keep only one of them."
        )
    return entries


def _entry(found: dict[str, Any], number: int) -> MapEntry:
    try:
        return taken(found, MapEntry)
    except Wrong as wrong:
        raise BadEntry(f"Entry {number}: {wrong}") from None


def _cell(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text


def _value(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell

"""The map of standard names: what an entry may hold, and the map as CSV, there and back."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..records import INDEXED, MODALITIES
from ..store.names import Entry

COLUMNS = ("kind", "pattern", "modality", "standard_name")
MOST_ENTRIES = 5000
LONGEST = 200
# a line of text that is more than blanks
LINE = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"

# What a spreadsheet takes for a formula stands behind an apostrophe, and so does what begins with
# apostrophes before such.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")


class BadEntry(Exception):
    """An entry, or a line of CSV, that cannot be; the message says which and why."""


def checked(found: Any) -> list[Entry]:
    """The entries of a map, as they are kept: of those with the same kind, pattern and modality
    type the first. Raises BadEntry."""
    if not isinstance(found, list) or len(found) > MOST_ENTRIES:
        raise BadEntry(f"The map must be a list of at most {MOST_ENTRIES} entries.")
    out: dict[tuple[str, str, str], Entry] = {}
    for number, entry in enumerate(found, 1):
        one = _checked(entry, number)
        out.setdefault(key_of(one), one)
    return list(out.values())


def with_entries(there: list[Entry], new: list[Entry]) -> list[Entry]:
    """The map with these entries: in place of those of the same kind, pattern and modality type,
    the others behind. Raises BadEntry where there are too many then."""
    together = {key_of(entry): entry for entry in there} | {key_of(entry): entry for entry in new}
    return checked(list(together.values()))


def key_of(entry: Entry) -> tuple[str, str, str]:
    """What there is one entry of."""
    return entry["kind"], entry["pattern"].casefold(), entry["modality"] or ""


def is_line(text: str) -> bool:
    """Whether it is a line of text of 1 to LONGEST characters that the store can hold."""
    whole = not any(
        "\ud800" <= char <= "\udfff" for char in text
    )  # JSON can hold halves of characters
    return whole and len(text) <= LONGEST and re.search(LINE, text) is not None


def _checked(entry: Any, number: int) -> Entry:
    if not isinstance(entry, dict) or set(entry) != set(COLUMNS):
        raise BadEntry(f"Entry {number} must have {', '.join(COLUMNS)}, and nothing else.")
    if entry["kind"] not in INDEXED:
        raise BadEntry(f"Entry {number}: kind must be one of: {', '.join(INDEXED)}.")
    if entry["modality"] is not None and entry["modality"] not in tuple(MODALITIES):
        raise BadEntry(f"Entry {number}: modality must be null or one of: {', '.join(MODALITIES)}.")
    for name in ("pattern", "standard_name"):
        value = entry[name]
        if not isinstance(value, str) or not is_line(value):
            raise BadEntry(f"Entry {number}: {name} must be a line of 1 to {LONGEST} characters.")
    return {
        "kind": entry["kind"],
        "pattern": entry["pattern"].strip(),
        "modality": entry["modality"],
        "standard_name": entry["standard_name"].strip(),
    }


def as_csv(entries: list[Entry]) -> bytes:
    """The map as CSV (RFC 4180) for spreadsheets: UTF-8 with a byte order mark."""
    out = io.StringIO()
    written = csv.writer(out)
    written.writerow(COLUMNS)
    rows: Sequence[Mapping[str, Any]] = entries
    written.writerows([_cell(row[name] or "") for name in COLUMNS] for row in rows)
    return out.getvalue().encode("utf-8-sig", "replace")


def from_csv(text: str) -> list[Entry]:
    """The map that `as_csv` wrote, or that people wrote in a spreadsheet: columns by the names in
    the first line, separated by commas, semicolons or tabs. Raises BadEntry."""
    text = text.removeprefix("\ufeff")
    first = text.splitlines()[0] if text.strip() else ""
    mark = max(",;\t", key=first.count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True))
    except csv.Error as error:
        raise BadEntry("This is no CSV: quotes do not match, or a line is too long.") from error
    header = [name.strip().casefold() for name in lines[0]] if lines else []
    if set(header) != set(COLUMNS) or len(header) != len(COLUMNS):
        raise BadEntry(f"The first line must name the columns: {', '.join(COLUMNS)}.")
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
    entries = checked(found)
    if len(entries) < len(found):
        raise BadEntry("Several lines have the same kind, pattern and modality type.")
    return entries


def _cell(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text


def _value(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell

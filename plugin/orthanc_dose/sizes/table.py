"""CSV files as programs of all countries write them: encoding, delimiter, header, rows."""

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

_DELIMITERS = (";", "\t", ",", "|")
_SAMPLE = 65_536  # number of characters from which the delimiter is determined
_PIECE = 2**20
MOST_COLUMNS, LONGEST_NAME = 500, 200
_OTHERS = {
    b"PK\x03\x04": "a workbook or an archive",
    b"\xd0\xcf\x11\xe0": "an old workbook",
    b"%PDF": "a PDF",
}


class NotATable(Exception):
    """The file cannot be read as CSV; the message says why, without any of its content."""


@dataclass(frozen=True)
class Dialect:
    """The format of a file. columns: their names, in order."""

    encoding: str
    delimiter: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """A row and the line of the file where it begins, from 1. cells is None if the line cannot be
    read: its quotes do not match, or it has more cells than there are columns, so that no cell can
    be assigned to its column with certainty."""

    line: int
    cells: list[str] | None


def dialect(file: BinaryIO) -> Dialect:
    """Determine how this file is written. Raises NotATable."""
    encoding = _encoding(file)
    file.seek(0)
    # A copy of the beginning: a text wrapper would close the file.
    sample = io.TextIOWrapper(
        io.BytesIO(file.read(_SAMPLE * 4)), encoding, errors="replace", newline=""
    ).read(_SAMPLE)
    if "\0" in sample:
        raise NotATable(
            "The file is not a text file. Save the table as CSV (comma-separated values) or XLSX."
        )
    # The last line may be cut off.
    lines = sample.splitlines(keepends=True)[: 50 if len(sample) < _SAMPLE else -1][:50]
    best: tuple[float, int, str, list[str]] = (0.0, 0, "", [])
    for delimiter in _DELIMITERS:
        rows = _some(lines, delimiter)
        if rows and len(rows[0]) > 1:
            alike = sum(len(row) == len(rows[0]) for row in rows) / len(rows)
            best = max(best, (alike, len(rows[0]), delimiter, rows[0]), key=lambda one: one[:2])
    _, count, delimiter, header = best
    if not count:
        raise NotATable(
            "The file must begin with a header line that has at least two column names, "
            "separated by semicolons, commas or tabs."
        )
    if count > MOST_COLUMNS:
        raise NotATable(
            f"The file has more than {MOST_COLUMNS} columns: save a file with fewer columns."
        )
    names = tuple(
        name.strip()[:LONGEST_NAME] or f"({number})" for number, name in enumerate(header, 1)
    )
    return Dialect(encoding, delimiter, names)


def table_rows(file: BinaryIO, of: Dialect) -> Iterator[Row]:
    """Yield the rows below the header; empty lines are left out."""
    file.seek(0)
    text = io.TextIOWrapper(file, of.encoding, errors="replace", newline="")
    reader = csv.reader(text, delimiter=of.delimiter, strict=True)
    width = len(of.columns)
    header = True
    try:
        while True:
            first = reader.line_num + 1
            try:
                cells: list[str] | None = next(reader)
            except StopIteration:
                return
            except csv.Error:
                cells = None
            if cells is not None and not any(map(str.strip, cells)):
                continue
            if header:
                header = False
                continue
            if cells is not None and len(cells) > width and any(map(str.strip, cells[width:])):
                cells = None
            if cells is not None and (len(cells) >= width or reader.line_num == first):
                yield Row(first, cells)
                continue
            # Unmatched quotes may have swallowed lines: each of them is reported.
            for line in range(first, reader.line_num + 1):
                yield Row(line, None)
    finally:
        text.detach()


def first_rows(path: Path, of: Dialect, count: int) -> list[Row]:
    """Return the first `count` rows of a file."""
    with path.open("rb") as file:
        return list(islice(table_rows(file, of), count))


def _some(lines: list[str], delimiter: str) -> list[list[str]]:
    out: list[list[str]] = []
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return out
        except csv.Error:
            continue
        if any(map(str.strip, row)):
            out.append(row)


def _encoding(file: BinaryIO) -> str:
    file.seek(0)
    start = file.read(4096)
    for signature, what in _OTHERS.items():
        if start.startswith(signature):
            raise NotATable(
                f"The file is {what}, neither CSV nor a workbook. "
                "Save the table as CSV (comma-separated values) or XLSX."
            )
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    # In UTF-16 text without a byte order mark, nearly every second byte is zero.
    for offset, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(start) > 3 and start[offset::2].count(0) > 0.4 * len(start):
            return name
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    try:
        while piece := file.read(_PIECE):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"

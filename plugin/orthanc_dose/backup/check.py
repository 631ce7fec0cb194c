"""Checking a store: every value of every table is read, and what cannot be read is counted."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ..store.damage import problem_of
from ..store.database import FILE_NAME, WAL_NAME
from ..store.places import PLACE
from . import contents
from .held import InUse, Unreadable, read_store

_SMALLEST = 2_048  # rows that DuckDB reads at once, and so the fewest that damage takes with it


@dataclass(frozen=True)
class TableState:
    """Tells how much of a table can be read.

    rows: that the table should have. readable: ranges of DuckDB's numbers of rows, the end not
    included. reason: DuckDB's message if some cannot be read.
    """

    name: str
    rows: int
    lost: int
    readable: tuple[tuple[int, int], ...]
    reason: str | None


@dataclass(frozen=True)
class Report:
    """Holds what is wrong with a store: problems as sentences, and the state of each table."""

    problems: tuple[str, ...]
    tables: tuple[TableState, ...]

    @property
    def is_damaged(self) -> bool:
        """Return whether anything is damaged."""
        return bool(self.problems) or any(table.reason for table in self.tables)


@contextmanager
def as_readable(data: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection | None, list[str]]]:
    """Yield a connection that reads a store, and what is wrong with its files, as sentences.

    If its log cannot be read, it is read without; the connection is None if it cannot be read at
    all. Nothing is changed. Raises InUse.
    """
    path, wal = data / FILE_NAME, data / WAL_NAME
    problems = []
    try:
        problem = problem_of(path, wal)
        if problem is not None:
            problems.append(f"{problem}.")
    except (OSError, duckdb.Error):
        pass  # reading it says more
    if not path.exists():
        yield None, problems or [f"There is no store in {data}."]
        return
    try:
        connection = read_store(path)
    except Unreadable as error:
        problems.append(f"{path.name} cannot be opened: {error}")
    else:
        try:
            yield connection, problems
        finally:
            connection.close()
        return
    if not wal.exists():
        yield None, problems
        return
    with tempfile.TemporaryDirectory(dir=data, prefix="check-") as name:
        alone = Path(name) / FILE_NAME
        try:
            alone.hardlink_to(path)
        except OSError:
            shutil.copyfile(path, alone)
        try:
            connection = read_store(alone)
        except Unreadable:
            yield None, problems
            return
        problems.append(
            f"Without its log {wal.name}, it can be opened: the last transactions are lost."
        )
        try:
            yield connection, problems
        finally:
            connection.close()


def check(data: Path, told: Callable[[str], object] = lambda name: None) -> Report:
    """Return what is wrong with the store in a data directory. Nothing is changed.

    told: called with the name of each table before it is read. Raises InUse.
    """
    with as_readable(data) as (connection, problems):
        if connection is None:
            return Report(tuple(problems), ())
        tables = []
        for name in names_of(connection):
            told(name)
            tables.append(state_of(connection, name))
        return Report(tuple(problems), tuple(tables))


def names_of(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the names of the tables of a store."""
    query = "SELECT table_name FROM duckdb_tables() WHERE NOT internal ORDER BY table_name"
    return [name for (name,) in connection.execute(query).fetchall()]


def state_of(connection: duckdb.DuckDBPyConnection, name: str) -> TableState:
    """Return how much of a table can be read, by reading it."""
    try:
        rows, _ = contents.counted(connection, f'"{name}"')
        return TableState(name, rows, 0, ((0, 1 << 62),), None)
    except duckdb.Error as error:
        reason = str(error).strip().splitlines()[0]
    try:
        query = f'SELECT count(*), max({PLACE}) + 1 FROM "{name}"'
        rows, end = connection.execute(query).fetchone() or (0, None)
    except duckdb.Error:
        return TableState(name, 0, 0, (), reason)
    found: list[tuple[int, int]] = []
    readable = _gather(connection, name, 0, end or 0, found)
    return TableState(name, rows, rows - readable, tuple(found), reason)


def _gather(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    start: int,
    end: int,
    found: list[tuple[int, int]],
) -> int:
    """Add the readable parts of a range to `found`, and return the number of their rows."""
    if start >= end:
        return 0
    source = f'(SELECT * FROM "{name}" WHERE {PLACE} >= {start:d} AND {PLACE} < {end:d})'
    try:
        rows, _ = contents.counted(connection, source)
    except duckdb.Error:
        if end - start <= _SMALLEST:
            return 0
        half = -(-(end - start) // 2 // _SMALLEST) * _SMALLEST
        middle = min(start + max(half, _SMALLEST), end)
        return _gather(connection, name, start, middle, found) + _gather(
            connection, name, middle, end, found
        )
    found.append((start, end))
    return rows


__all__ = ["InUse", "Report", "TableState", "as_readable", "check", "names_of", "state_of"]

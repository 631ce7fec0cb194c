"""Numbers of rows: studies, systems, tasks, entries of the audit log, and everything else numbered.

No number is given twice, even if the row that had it is deleted: people keep numbers in bookmarks
and notes. The last number of each kind is remembered in the transaction that writes what it
numbers, so that a number from a transaction that was rolled back or killed counts as never given.

Each kind is numbered either by the writer (`Numbers`) or in `Store.writing` (`take`), never by both
at once: DuckDB would refuse one of the two transactions.
"""

from dataclasses import dataclass

import duckdb

from ..records import (
    AUDIT_LOG,
    EQUIPMENT,
    REFERENCE_LEVEL,
    STUDY,
    STUDY_CHANGE,
    TASK,
    TERM,
    Table,
)
from . import state


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of numbered things.

    name: the name of its last number in the table of states. table and column: where its rows are
    numbered; table is None if they are in no table.
    """

    name: str
    table: Table | None
    column: str = "id"


STUDIES = Kind("last_study_id", STUDY)
SYSTEMS = Kind("last_equipment_id", EQUIPMENT)
TERMS = Kind("last_term", TERM)
CHANGES = Kind("last_study_change", STUDY_CHANGE, "number")
TASKS = Kind("last_task", TASK)
AUDIT_ENTRIES = Kind("last_audit_number", AUDIT_LOG, "number")
REFERENCE_LEVELS = Kind("last_reference_level", REFERENCE_LEVEL)
SIZE_FILES = Kind("last_size_file", None)
_OF_WRITER = (STUDIES, SYSTEMS, TERMS, CHANGES)
KINDS = (*_OF_WRITER, TASKS, AUDIT_ENTRIES, REFERENCE_LEVELS, SIZE_FILES)


def last_number(connection: duckdb.DuckDBPyConnection, kind: Kind) -> int:
    """Return the last number of a kind, or 0 if none was given."""
    return int(state.read_state(connection, kind.name) or 0)


def take_number(connection: duckdb.DuckDBPyConnection, kind: Kind, count: int = 1) -> int:
    """Return the next number of a kind, or the first of `count`, in the caller's transaction."""
    first = last_number(connection, kind) + 1
    state.write_state(connection, kind.name, str(first + count - 1))
    return first


def settle_numbers(connection: duckdb.DuckDBPyConnection) -> None:
    """Remember the last numbers of a store whose rows were numbered otherwise.

    An earlier version may have done so. Writes only if there is something to remember, so that a
    store on a full disk can still be read.
    """
    for kind in KINDS:
        if kind.table is None:
            continue
        query = f'SELECT max("{kind.column}") FROM "{kind.table.name}"'
        [largest] = connection.execute(query).fetchone() or (None,)
        if largest is not None and largest > last_number(connection, kind):
            state.write_state(connection, kind.name, str(largest))


class Numbers:
    """The numbers given by the one writer, kept in memory until it writes the rows they number."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._written = {kind: last_number(connection, kind) for kind in _OF_WRITER}
        self._last = dict(self._written)

    def take(self, kind: Kind) -> int:
        """Return the next number of a kind."""
        self._last[kind] += 1
        return self._last[kind]

    def write_numbers(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Remember, in this transaction, the numbers given since the last one."""
        for kind, number in self._last.items():
            if number != self._written[kind]:
                state.write_state(connection, kind.name, str(number))

    def written(self) -> None:
        """Note that the transaction was committed."""
        self._written = dict(self._last)

    def undo(self) -> None:
        """Note that the transaction was rolled back, so that its numbers were not given."""
        self._last = dict(self._written)

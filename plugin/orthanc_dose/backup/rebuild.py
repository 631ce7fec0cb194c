"""Rebuilding a damaged store from what can still be read of it, from a backup, and from Orthanc.

Tables belong together in groups, of which each comes from one place:

- what people made, and everything else that no object contains: from the damaged store if all of it
  can be read and it is not older than the backup, else from the backup;
- dose records: from the damaged store if all of them can be read. Otherwise from the backup, and
  all kept contents are extracted again when Orthanc starts, so that studies since then come back;
- objects with their kept contents: every row that can be read, and those of the backup that are
  missing then.

Orthanc's objects are compared with the new store when it starts, and those missing are read again.
"""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from ..records import (
    FOLLOWER,
    FOLLOWER_FAILURE,
    KEPT_WITH_STUDY,
    OBJECT,
    REJECTED_OBJECT,
    STUDY,
    STUDY_CHANGE,
    STUDY_DAY,
    TERM,
    TERM_NAME,
)
from ..store import Store, marks, state, tasks
from ..store.database import FILE_NAME
from ..store.handles import KEY_FILE
from ..store.places import PLACE
from . import contents
from .check import TableState, as_readable, names_of, state_of
from .contents import Table
from .folders import Unusable
from .held import exchange, holding
from .restore import checked, key_of, opened

_DOSE = {
    table.name
    for table in (
        STUDY,
        *KEPT_WITH_STUDY,
        TERM,
        TERM_NAME,
        STUDY_DAY,
        STUDY_CHANGE,
        FOLLOWER,
        FOLLOWER_FAILURE,
    )
}
_OBJECTS = {OBJECT.name, REJECTED_OBJECT.name}
_EQUIPMENT = "equipment"
_ROWS = 20_000
DAMAGED, BACKUP, NOWHERE = "the damaged store", "the backup", "nowhere"


@dataclass
class Outcome:
    """Tells what a rebuilt store was made of. people, dose: where these come from. rows: by table.

    extracts: whether all kept contents are extracted again at the next start. unknown: objects
    whose dose only comes back if Orthanc still has them.
    """

    people: str = NOWHERE
    dose: str = NOWHERE
    rows: dict[str, int] = field(default_factory=dict)
    extracts: bool = False
    unknown: int = 0
    problems: list[str] = field(default_factory=list)
    kept: Path | None = None


def rebuild(
    data: Path, backup: Path | None, passphrase: str | None = None, *, only_plan: bool = False
) -> Outcome:
    """Put a rebuilt store in the place of a damaged one, which is kept beside it.

    backup: the folder of the newest backup, if there is one. passphrase: opens the key in it, which
    is only needed if identity.key is gone. only_plan: change nothing. Raises InUse, Unusable,
    WrongPassphrase, OSError; then nothing was changed.
    """
    manifest = None if backup is None else checked(backup)
    with holding(data):
        pass
    with _work_folder(data) as work, as_readable(data) as (damaged, problems):
        tables = {} if manifest is None else {table.name: table for table in manifest.tables}
        known = [] if damaged is None else names_of(damaged)
        states = {} if damaged is None else {name: state_of(damaged, name) for name in known}
        key = _key(data, backup, passphrase)
        new = work / FILE_NAME
        folders = () if backup is None else (backup,)
        with closing(opened(new, *folders)) as connection:
            made = _Rebuilding(connection, damaged, states, backup, tables)
            outcome = made.fill()
            outcome.problems = problems + [
                f"{one.name}: {one.lost:,} of {one.rows:,} rows cannot be read."
                for one in states.values()
                if one.reason
            ]
            connection.execute("CHECKPOINT")
        if key is not None:
            (work / KEY_FILE).write_bytes(key)
        # Opening it as a start does shows that it can be, and brings an older one up to date.
        store = Store(work)
        if outcome.extracts:
            tasks.create(store, "re-extraction", "")
        store.close()
        if not only_plan:
            new.chmod(0o600)
            # Before the exchange: the connections that read the damaged store would end the lock.
            if damaged is not None:
                damaged.close()
            with holding(data):
                fresh = (work / KEY_FILE).read_bytes()
                outcome.kept = exchange(data, new, datetime.now(UTC), fresh)
    return outcome


@contextmanager
def _work_folder(data: Path) -> Iterator[Path]:
    work = data / "rebuilding"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _key(data: Path, backup: Path | None, passphrase: str | None) -> bytes | None:
    path = data / KEY_FILE
    if path.exists() and path.stat().st_size:
        return path.read_bytes()
    if backup is None or passphrase is None:
        return None
    return key_of(backup, passphrase)


class _Rebuilding:
    """Fills a new store. damaged: None if nothing of it can be read; backup: None if none."""

    def __init__(
        self,
        new: duckdb.DuckDBPyConnection,
        damaged: duckdb.DuckDBPyConnection | None,
        states: dict[str, TableState],
        backup: Path | None,
        tables: dict[str, Table],
    ) -> None:
        self._new, self._damaged, self._states = new, damaged, states
        self._backup, self._tables = backup, tables
        self._columns = {name: table.columns for name, table in tables.items()}
        if damaged is not None:
            self._columns |= {one: _columns(damaged, one) for one in states}
        self._outcome = Outcome()

    def fill(self) -> Outcome:
        """Write all tables, and return where they come from. Raises Unusable."""
        if not self._columns:
            return self._outcome  # a new, empty store
        self._check_versions()
        out = self._outcome
        people = {name for name in self._columns if name not in _DOSE | _OBJECTS}
        out.people = self._place(people, is_newest=self._is_newest())
        out.dose = self._place(_DOSE & self._columns.keys())
        for name in self._columns:
            group = out.people if name in people else out.dose
            self._create(name, self._damaged is not None if name in _OBJECTS else group == DAMAGED)
        self._complete()
        self._settle_state()
        out.extracts = out.dose != DAMAGED
        if out.dose != DAMAGED:
            out.unknown = self._forget_unknown()
        for name in self._columns:
            [count] = self._new.execute(f'SELECT count(*) FROM "{name}"').fetchone() or (0,)
            out.rows[name] = count
        return out

    def _place(self, group: set[str], *, is_newest: bool = True) -> str:
        """Return where a group of tables comes from."""
        readable = self._damaged is not None and all(
            name in self._states and not self._states[name].reason for name in group
        )
        if readable and (is_newest or self._backup is None):
            return DAMAGED
        if self._backup is not None:
            return BACKUP
        return DAMAGED if self._damaged is not None and group != _DOSE else NOWHERE

    def _is_newest(self) -> bool:
        """Return whether the damaged store has all that people wrote before the backup."""
        if self._backup is None or self._damaged is None:
            return True
        try:
            return self._counted(self._damaged) >= self._counted_in_backup()
        except duckdb.Error:
            return False

    @staticmethod
    def _counted(connection: duckdb.DuckDBPyConnection) -> int:
        return marks.counts(connection)[marks.BESIDE]

    def _counted_in_backup(self) -> int:
        query = f"SELECT value FROM {self._in_backup('state')} WHERE name = 'transactions_beside'"
        found = self._new.execute(query).fetchone()
        return int(found[0]) if found else 0

    def _check_versions(self) -> None:
        if self._backup is None or self._damaged is None:
            return
        try:
            own = state.read_state(self._damaged, "schema_version")
        except duckdb.Error:
            return
        query = f"SELECT value FROM {self._in_backup('state')} WHERE name = 'schema_version'"
        [other] = self._new.execute(query).fetchone() or (own,)
        if own != other:
            raise Unusable(
                f"The store has schema {own} and the backup schema {other}: use a backup of the "
                "same version, or restore this one."
            )

    def _in_backup(self, name: str) -> str:
        assert self._backup is not None
        return contents.source(self._backup, self._tables[name])

    def _create(self, name: str, from_damaged: bool) -> None:
        columns = ", ".join(f'"{column}" {type_}' for column, type_ in self._columns[name])
        self._new.execute(f'CREATE TABLE "{name}" ({columns})')
        if from_damaged:
            self._copy(name)
        elif self._backup is not None and name in self._tables:
            self._insert_from_backup(name)

    def _insert_from_backup(self, name: str, where: str = "") -> None:
        self._new.execute(
            f'INSERT INTO "{name}" BY NAME SELECT * FROM {self._in_backup(name)} {where}'
        )

    def _copy(self, name: str) -> None:
        """Copy the rows of a table of the damaged store that can be read."""
        if self._damaged is None or name not in self._states:
            return
        for start, end in self._states[name].readable:
            query = f'SELECT * FROM "{name}" WHERE {PLACE} >= {start:d} AND {PLACE} < {end:d}'
            reader = self._damaged.execute(query).to_arrow_reader(_ROWS)
            self._new.register("some_rows", reader)
            self._new.execute(f'INSERT INTO "{name}" BY NAME SELECT * FROM some_rows')
            self._new.unregister("some_rows")

    def _complete(self) -> None:
        """Add what one place has and the other does not: objects, and systems of studies."""
        if self._backup is None:
            return
        if self._damaged is not None and OBJECT.name in self._tables:
            for name in (OBJECT.name, REJECTED_OBJECT.name):
                self._insert_from_backup(name, f'WHERE handle NOT IN (SELECT handle FROM "{name}")')
        missing = f'WHERE id NOT IN (SELECT id FROM "{_EQUIPMENT}")'
        out = self._outcome
        if out.people == DAMAGED:
            self._insert_from_backup(_EQUIPMENT, missing)
        elif self._states.get(_EQUIPMENT) and not self._states[_EQUIPMENT].reason:
            columns = ", ".join(
                f'"{column}" {type_}' for column, type_ in self._columns[_EQUIPMENT]
            )
            self._new.execute(f"CREATE TEMP TABLE others ({columns})")
            assert self._damaged is not None
            reader = self._damaged.execute(f'SELECT * FROM "{_EQUIPMENT}"').to_arrow_reader(_ROWS)
            self._new.register("some_rows", reader)
            self._new.execute("INSERT INTO others BY NAME SELECT * FROM some_rows")
            self._new.unregister("some_rows")
            self._new.execute(f'INSERT INTO "{_EQUIPMENT}" BY NAME SELECT * FROM others {missing}')
            self._new.execute("DROP TABLE others")

    def _settle_state(self) -> None:
        """Bring what the store remembers to what it now contains."""
        for name in ("view", "lost_transactions"):
            state.delete_state(self._new, name)
        state.write_state(self._new, state.COMPARE, "rebuilt")
        # Numbers are given once: the larger of both places counts.
        if self._damaged is None or self._backup is None:
            return
        found: list[tuple[str, str]] = []
        if not self._states["state"].reason:
            found += self._damaged.execute(_NUMBERS.format("state")).fetchall()
        found += self._new.execute(_NUMBERS.format(self._in_backup("state"))).fetchall()
        for name, value in found:
            if int(value) > int(state.read_state(self._new, name) or 0):
                state.write_state(self._new, name, value)

    def _forget_unknown(self) -> int:
        """Forget objects whose dose cannot be extracted again, so that Orthanc's are read."""
        query = """
            DELETE FROM object WHERE outcome = 'imported' AND content IS NULL
            AND (study_id IS NULL OR study_id NOT IN (SELECT id FROM study))
        """
        [count] = self._new.execute(query).fetchone() or (0,)
        return int(count)


_NUMBERS = (
    "SELECT name, value FROM {} WHERE starts_with(name, 'last_') AND try_cast(value AS BIGINT) > 0"
)


def _columns(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[tuple[str, str], ...]:
    query = (
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = $1 "
        "ORDER BY column_index"
    )
    return tuple(connection.execute(query, [name]).fetchall())

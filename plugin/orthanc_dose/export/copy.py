"""Copies of the whole dose record as Parquet in a folder, nightly or on request, for DuckDB, Spark,
Polars and R.

    latest -> dose-20261122-020000      the newest complete copy
    latest/study/modality=CT/year=2026/data_0.parquet
    latest/ct_event/modality=CT/year=2026/data_0.parquet
    latest/equipment/data_0.parquet

The link is replaced atomically (rename), so that a reader always finds a complete copy; the second
newest copy is kept until the next one, for those who are still reading it.
"""

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from ..records import (
    EQUIPMENT,
    ESTIMATE,
    IDENTITY_FIELDS,
    OBJECT,
    OBJECT_OUTCOMES,
    STUDY,
    STUDY_TABLES,
    Table,
)
from ..store import Store, tasks
from ..store.database import quoted
from ..work.runner import Kind, Runner
from ..work.task_interface import Run, Stopped
from .exports import EXPORT

COPY = Kind("parquet-copy", EXPORT.place)
LATEST = "latest"
_PREFIX = "dose-"


class Copies:
    """Makes copies in a folder. work: the folder to which DuckDB may write.

    Can be used from any thread.
    """

    def __init__(self, store: Store, runner: Runner, folder: Path, work: Path) -> None:
        self._store, self._runner = store, runner
        self.folder, self._work_folder = folder, work
        self._clear()

    def start_copy(self, user: str, identity: bool) -> int:
        """Start a copy and return the task's number.

        identity: with patients' names, IDs and birth dates, as stored.
        """
        work = partial(self._work, identity)
        return self._runner.start_on_thread(
            COPY, user, str(self.folder), {"identity": identity}, work
        )

    def newest(self) -> str | None:
        """Return the name of the newest copy, or None if there is none."""
        try:
            return str((self.folder / LATEST).readlink())
        except OSError:
            return None

    def _work(self, identity: bool, run: Run) -> dict[str, Any]:
        name = f"{_PREFIX}{tasks.now():%Y%m%d-%H%M%S}-{run.number}"
        made = self._work_folder / f"{run.number}.part"
        made.mkdir(mode=0o700)
        coming = self.folder / f".{name}"
        try:
            rows = self._write(run, made, identity)
            size = sum(path.stat().st_size for path in made.rglob("*.parquet"))
            self.folder.mkdir(parents=True, exist_ok=True)
            shutil.move(made, coming)  # moving to another disk takes a while
            if run.stopping.is_set():
                raise Stopped
            coming.rename(self.folder / name)
            self._point_to(name)
        finally:
            for left in (made, coming):
                shutil.rmtree(left, ignore_errors=True)
        self._forget(keep=2)
        return {"rows": rows, "bytes": size}

    def _write(self, run: Run, made: Path, identity: bool) -> int:
        tables = list(_queries(frozenset() if identity else IDENTITY_FIELDS))
        rows = 0
        with self._store.snapshot() as connection:
            run.connection = connection
            for number, (table, query, parted) in enumerate(tables):
                run.progress(number, len(tables))
                to = made / table.name
                count = (
                    _copy(connection, query, to, ", PARTITION_BY (modality, year)") if parted else 0
                )
                if not count:  # no rows, no partition: reading all files of the table would fail
                    to.mkdir(exist_ok=True)
                    count = _copy(connection, query, to / "data_0.parquet")
                rows += count
            run.connection = None
        run.note(run.number, done=len(tables), total=len(tables))
        return rows

    def _point_to(self, name: str) -> None:
        link = self.folder / f".{LATEST}"
        link.unlink(missing_ok=True)
        link.symlink_to(name)
        link.replace(self.folder / LATEST)

    def _forget(self, keep: int) -> None:
        copies = sorted(path for path in self.folder.glob(f"{_PREFIX}*") if path.is_dir())
        for old in copies[:-keep]:
            shutil.rmtree(old, ignore_errors=True)

    def _clear(self) -> None:
        """Delete what a killed server left behind."""
        for left in self.folder.glob(f".{_PREFIX}*"):
            shutil.rmtree(left, ignore_errors=True)


def _copy(connection: duckdb.DuckDBPyConnection, query: str, to: Path, parts: str = "") -> int:
    found = connection.execute(
        f"COPY ({query}) TO {quoted(to)} (FORMAT parquet, COMPRESSION zstd{parts})"
    ).fetchone()
    return found[0] if found else 0


def _queries(without: frozenset[str]) -> Iterator[tuple[Table, str, bool]]:
    """Yield each table with the query of its rows, and whether these are partitioned.

    Partitions are by the modality type and year of the study.
    """
    of_study = "s.modality, year(s.study_date) AS year"
    names = ", ".join(f's."{name}"' for name in STUDY.names if name not in without | {"modality"})
    yield STUDY, f"SELECT {names}, {of_study} FROM study s ORDER BY s.study_date, s.id", True
    yield EQUIPMENT, "SELECT * FROM equipment ORDER BY id", False
    for table in (*STUDY_TABLES, ESTIMATE):
        order = ", t.event_number" if "event_number" in table.names else ""
        query = f'SELECT t.*, {of_study} FROM "{table.name}" t JOIN study s ON s.id = t.study_id'
        yield table, f"{query} ORDER BY s.study_date, s.id{order}", True
    columns = ", ".join(f'"{name}"' for name in OBJECT_OUTCOMES)
    yield OBJECT, f"SELECT {columns} FROM object ORDER BY received_at", False

"""Copies of the views, which statements read in place of the store: Parquet files, written from one
state of the store.

    sql/3/views/study.parquet       one file per view, without columns that identify patients
    sql/3/identity/study.parquet    the same with them, for views that have any

They contain what the store contains, so they are only for the server. They are deleted when it
stops and starts, and when the task that applies the identity rules rewrites the store's file.
"""

import contextlib
import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from ..records import Field
from ..store import Store
from ..store.database import STORE_ERRORS, quoted
from ..work.task_interface import break_off
from .statement import Refused
from .views import VIEWS, View

_LOG = logging.getLogger(__name__)
FOLDER = "sql"  # in the data directory
_WITHOUT, _WITH = "views", "identity"
# Seconds after which a copy that nobody uses is deleted.
_UNUSED_S = 3600.0
# Share of the store's size that must be free on its disk: a copy takes less, see the README.
_FREE = 0.5
_ROWS = 20_000  # of a part of a file, which is held in memory
_LOOK_S = 0.1  # how often a waiting caller checks whether to give up


@dataclass
class Copy:
    """A complete copy. at: the time of the state of the store that it contains, UTC."""

    folder: Path
    at: datetime
    version: int  # of the store
    size: int
    made: float  # by the monotonic clock, as `used`
    used: float
    users: int = 0

    @property
    def utc(self) -> str:
        """The time, as the API writes it."""
        return f"{self.at.isoformat()}Z"

    def prepare(self, identity: bool) -> list[str]:
        """Return statements that create the views, and bar DuckDB from other files and the network.

        identity: whether the caller may know who patients are.
        """
        folders = [self.folder / name for name in ((_WITHOUT, _WITH) if identity else (_WITHOUT,))]
        return [
            f"SET allowed_directories = [{', '.join(map(quoted, folders))}]",
            "SET enable_external_access = false",
            *(
                f'CREATE TEMP VIEW "{view.name}" AS '
                + _select(
                    view.columns(identity),
                    f"read_parquet({quoted(_path(self.folder, view, identity and _tells(view)))})",
                )
                for view in VIEWS.values()
            ),
        ]


class Copies:
    """Makes copies on request, one at a time, and deletes old ones.

    max_age: seconds that a copy may be behind the store. Can be used from any thread.
    """

    def __init__(self, store: Store, max_age: Callable[[], float]) -> None:
        self._store, self._max_age = store, max_age
        self._folder = store.path.parent / FOLDER
        self._number = 0
        self._changed = threading.Condition()
        self._copy: Copy | None = None
        self._old: list[Copy] = []  # in use when a newer one came
        self._maker: _Maker | None = None
        self._wrong: tuple[float, Refused] | None = None  # when and why the last copy failed
        self._is_closed = False
        self._delete_all()

    @contextlib.contextmanager
    def using(self, check: Callable[[], None]) -> Iterator[Copy]:
        """Yield a recent enough copy, which is kept for the duration of the block.

        Waits for a new one if there is none; `check` raises to end the waiting. Raises Refused.
        """
        with self._changed:
            copy = self._waited_for(check)
            copy.users += 1
        try:
            yield copy
        finally:
            with self._changed:
                copy.users -= 1
                copy.used = time.monotonic()
                self._delete_unused()

    def _waited_for(self, check: Callable[[], None]) -> Copy:
        asked = time.monotonic()
        while True:
            if self._is_closed:
                raise Refused("The server is shutting down.", code="sql_stopped")
            copy = self._copy
            # One made during the wait is recent enough, however long that took.
            if copy is not None and (self._is_young(copy) or copy.made >= asked):
                return copy
            if self._maker is None:
                if self._wrong is not None and self._wrong[0] >= asked:
                    raise self._wrong[1]
                self._start()
            self._changed.wait(_LOOK_S)
            check()

    def _is_young(self, copy: Copy) -> bool:
        return (
            copy.version == self._store.version or time.monotonic() - copy.made <= self._max_age()
        )

    def refresh(self) -> None:
        """Start a new copy, unless the store has not changed since the last one was made."""
        with self._changed:
            copy = self._copy
            is_new = copy is not None and copy.version == self._store.version
            if not self._is_closed and self._maker is None and not is_new:
                self._start()

    def state(self) -> dict[str, Any]:
        """Return the state of the copies.

        as_of: the time of the copy's data, ISO 8601, UTC; None if there is no copy. is_current:
        whether the store is still in that state. bytes: its size. making: how many files of a new
        copy are done, and their total (done, total); None if none is being made.
        """
        with self._changed:
            copy, maker = self._copy, self._maker
        return {
            "as_of": None if copy is None else copy.utc,
            "is_current": copy is not None and copy.version == self._store.version,
            "bytes": 0 if copy is None else copy.size,
            "making": None if maker is None else {"done": maker.done, "total": maker.total},
        }

    def forget_copies(self) -> None:
        """Delete all copies, since what they contain may no longer be kept.

        Statements that read a copy must have been stopped. A copy that is being made is discarded,
        too.
        """
        with self._changed:
            maker = self._maker
            if maker is not None:
                maker.stop()
            found = [copy for copy in (self._copy, *self._old) if copy is not None]
            self._copy, self._old = None, []
        for copy in found:
            shutil.rmtree(copy.folder, ignore_errors=True)
        if maker is not None:
            maker.join()

    def sweep(self) -> None:
        """Delete a copy that nobody has used for a long time."""
        with self._changed:
            copy = self._copy
            if copy is not None and not copy.users and time.monotonic() - copy.used > _UNUSED_S:
                self._copy = None
                self._old.append(copy)
                self._delete_unused()

    def close(self) -> None:
        """Make no more copies, and delete the existing ones."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self.forget_copies()
        self._delete_all()

    def _start(self) -> None:
        self._number += 1
        folder = self._folder / str(self._number)
        self._wrong = None
        self._maker = _Maker(self._store, folder, self._made)
        self._maker.start_thread()

    def _made(self, maker: "_Maker", made: Copy | Refused) -> None:
        with self._changed:
            self._maker = None
            if isinstance(made, Copy) and not maker.stopping.is_set():
                if self._copy is not None:
                    self._old.append(self._copy)
                self._copy = made
                self._delete_unused()
            else:
                shutil.rmtree(maker.folder, ignore_errors=True)
                if isinstance(made, Refused) and not maker.stopping.is_set():
                    self._wrong = time.monotonic(), made
            self._changed.notify_all()

    def _delete_unused(self) -> None:
        unused = [copy for copy in self._old if not copy.users]
        self._old = [copy for copy in self._old if copy.users]
        for copy in unused:
            shutil.rmtree(copy.folder, ignore_errors=True)

    def _delete_all(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


class _Maker:
    """Makes one copy, on its own thread. done, total: files."""

    def __init__(
        self, store: Store, folder: Path, made: Callable[["_Maker", Copy | Refused], None]
    ) -> None:
        self.folder, self.done = folder, 0
        self._files = list(_files(folder))
        self.total = len(self._files)
        self.stopping, self._ended = threading.Event(), threading.Event()
        self._store, self._told = store, made
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._thread = threading.Thread(target=self._run, name="dose-sql-copy", daemon=True)
        self._breaker: threading.Thread | None = None

    def start_thread(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Interrupt the copying, without waiting for its end."""
        if not self.stopping.is_set():
            self.stopping.set()
            self._breaker = threading.Thread(
                target=break_off, args=(self._ended, lambda: self._connection), daemon=True
            )
            self._breaker.start()

    def join(self) -> None:
        self._thread.join()
        if self._breaker is not None:
            self._breaker.join()

    def _run(self) -> None:
        made: Copy | Refused
        try:
            made = self._make()
        except Exception as error:  # noqa: BLE001  whatever it is, those who wait must hear of it
            if not self.stopping.is_set():
                _LOG.error("could not copy the data for SQL", exc_info=error)
            is_disk = isinstance(error, STORE_ERRORS)
            made = (
                error
                if isinstance(error, Refused)
                else _failed(
                    "the store or its disk is currently unavailable"
                    if is_disk
                    else type(error).__name__
                )
            )
        finally:
            self._ended.set()
        self._told(self, made)

    def _make(self) -> Copy:
        needed = int(self._store.size() * _FREE)
        if shutil.disk_usage(self._store.path.parent).free < needed:
            raise _failed(
                f"this requires {needed / 1e6:,.0f} MB of free space on the disk of the store"
            )
        for folder in (self.folder.parent, self.folder, *{path.parent for _, path in self._files}):
            folder.mkdir(mode=0o700, exist_ok=True)
        # Before the transaction begins: changes in between count as not copied.
        version = self._store.version
        with self._store.reading() as connection:
            at, began = datetime.now(UTC).replace(tzinfo=None, microsecond=0), time.monotonic()
            self._connection = connection
            for query, path in self._files:
                if self.stopping.is_set():
                    raise _failed("the server is shutting down")
                self._write(connection, query, path)
                self.done += 1
            self._connection = None
        size = sum(path.stat().st_size for _, path in self._files)
        return Copy(self.folder, at, version, size, began, time.monotonic())

    def _write(self, connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
        # Row by row through Arrow: DuckDB's COPY holds in memory what it is going to write, 3 GB
        # for the studies of a large store.
        reader = connection.execute(query).fetch_record_batch(_ROWS)
        with pq.ParquetWriter(path, reader.schema) as file:
            for batch in reader:
                if self.stopping.is_set():
                    raise _failed("the server is shutting down")
                file.write_batch(batch)


def _failed(why: str) -> Refused:
    return Refused(f"The data could not be copied for SQL: {why}.", code="sql_no_data")


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the parts of a copy: a query over the store, and the file of its rows."""
    for view in VIEWS.values():
        for identity in (False, True) if _tells(view) else (False,):
            source = f'"{view.source}" WHERE {view.rows}'
            yield _select(view.columns(identity), source), _path(folder, view, identity)


def _path(folder: Path, view: View, identity: bool) -> Path:
    return folder / (_WITH if identity else _WITHOUT) / f"{view.name}.parquet"


def _tells(view: View) -> bool:
    """Return whether a view has columns that identify patients."""
    return len(view.columns(False)) < len(view.fields)


def _select(columns: tuple[Field, ...], source: str) -> str:
    names = ", ".join(f'"{field.name}"' for field in columns)
    return f"SELECT {names} FROM {source}"

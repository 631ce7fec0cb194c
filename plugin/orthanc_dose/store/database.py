"""Opening the store, giving connections to readers, and reopening after errors of the disk."""

import contextlib
import logging
import os
import shutil
import stat
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

import duckdb
import pyarrow as pa

from . import damage, handles, schema
from .marks import BESIDE, Marks
from .upgrade import NotUpgraded, upgrade

R = TypeVar("R")
_LOG = logging.getLogger(__name__)

FILE_NAME = "dose.duckdb"
# Next to it: DuckDB's log of transactions, and the mark of the last ones (marks.py).
WAL_NAME, MARK_NAME = f"{FILE_NAME}.wal", f"{FILE_NAME}.last"
# The only folder, next to the database file, in which DuckDB may write files (COPY).
EXPORTS = "exports"
# Suffixes of a database file and of the files that DuckDB keeps next to it while it works.
_BESIDE = ("", ".wal", ".wal.checkpoint", ".wal.recovery")
# Load no code from elsewhere, and do not take Python variables for tables.
_CONFIG = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "python_enable_replacements": False,
}


class StoreError(Exception):
    """Raised when the store cannot be opened or used now; the message tells a user why."""


# Errors of the disk or the store itself: no object is to blame, and trying again later can help. A
# full disk raises a TransactionException when it shows at the commit; a store that is being
# reopened raises a ConnectionException.
STORE_ERRORS = (
    duckdb.IOException,
    duckdb.ConnectionException,
    duckdb.TransactionException,
    duckdb.FatalException,
    StoreError,
    OSError,
)


class NotRenewed(Exception):
    """Raised when the store's file could not be rewritten and is as it was before.

    The message gives the reason as a part of a sentence.
    """


# Number of seconds to wait for readers to finish.
PATIENCE_S = 30.0


class Store:
    """The DuckDB file in the data directory.

    One process holds it; threads read through connections of their own. key: the key of all hashes
    of the installation (handles.py), which lies next to the file.

    Whatever SQL is executed, DuckDB reaches no network, loads no extension, and opens no files but
    its own, those of a renewal, and those in the folder EXPORTS of the data directory; nothing can
    change that while the store is open.

    version: grows with each change of dose records.
    """

    def __init__(self, directory: Path, memory_limit: str | None = None) -> None:
        self.path = directory / FILE_NAME
        self.key = b""
        self.marks = Marks(directory / MARK_NAME)
        self._fresh = directory / f"{FILE_NAME}.new"
        self._memory_limit = memory_limit
        self.version = 0
        self._before_renewal: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self._readers = 0
        self._gate = threading.Condition()  # closed while the file is being replaced by another
        self._is_closed_to_readers = False
        self._beside = threading.Lock()
        self._database: duckdb.DuckDBPyConnection | None = None
        self._watchers: list[Callable[[], object]] = []
        self.open()

    def open(self) -> None:
        """Open the file, creating it if it does not exist. Raises StoreError."""
        _unlink(self._fresh)  # left by a renewal that was killed
        config: dict[str, Any] = _CONFIG | (
            {"memory_limit": self._memory_limit} if self._memory_limit else {}
        )
        try:
            problem = damage.problem_of(self.path, self.path.with_name(WAL_NAME))
            if problem is not None:
                raise StoreError(f"{problem}. {damage.next_steps(self.path.parent)}")
            database = duckdb.connect(str(self.path), config=config)
        except (duckdb.Error, OSError) as error:
            raise self._not_usable("open", error) from error
        try:
            self.key = handles.installation_key(self.path.parent)
            version = schema.older_version(database)
            if version is not None:
                database.close()
                upgrade(self.path, self._fresh, self.key, version)
                database = duckdb.connect(str(self.path), config=config)
            self._lock_in(database)
            same_key = schema.prepare(database, self.key)
        except (duckdb.Error, schema.SchemaError, OSError, NotUpgraded) as error:
            database.close()
            raise self._not_usable("use", error) from error
        if not same_key:
            _LOG.warning(
                "the key %s is not the one with which the store was written: comparing Orthanc's "
                "objects with the store; patient hashes made with the lost key will not match "
                "new ones",
                handles.KEY_FILE,
            )
        self.marks.open(database)
        with self._lock:
            self._database = database

    def _not_usable(self, what: str, error: Exception) -> StoreError:
        said = f"cannot {what} the store {self.path}: {_first_line(error)}"
        if damage.is_damage(error):
            said = f"{said.rstrip('.')}. {damage.next_steps(self.path.parent)}"
        return StoreError(said)

    def handle(self, identifier: str) -> str:
        """Return the handle by which the store knows the object with this identifier in Orthanc."""
        return handles.handle(self.key, identifier)

    def _lock_in(self, database: duckdb.DuckDBPyConnection) -> None:
        # The order matters: exceptions can only be configured while external access is still
        # enabled. DuckDB itself adds its own file and the folder to which it spills what does not
        # fit in memory.
        files = [f"{self._fresh}{ending}" for ending in _BESIDE]
        database.execute(f"SET allowed_directories = {_listed([self.path.parent / EXPORTS])}")
        database.execute(f"SET allowed_paths = {_listed(files)}")
        database.execute("SET enable_external_access = false")
        database.execute("SET lock_configuration = true")

    def reopen(self) -> None:
        """Close and reopen the store, as DuckDB requires after an error of the disk.

        Raises StoreError.
        """
        self.close()
        self.open()

    def close(self) -> None:
        """Flush and close the store. Later readers get StoreError."""
        with self._lock:
            database, self._database = self._database, None
        if database is not None:
            with contextlib.suppress(duckdb.Error):
                database.close()
        self.marks.close()

    def connection(self) -> duckdb.DuckDBPyConnection:
        """Return a connection for one thread, which the caller closes.

        Raises StoreError while the store is closed.
        """
        with self._lock:
            if self._database is None:
                raise StoreError("the store is not open")
            return self._database.cursor()

    @contextlib.contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a connection on which all queries see one state of the store."""
        with self._gate:
            self._gate.wait_for(lambda: not self._is_closed_to_readers, PATIENCE_S)
            self._readers += 1
        try:
            with self.snapshot() as connection:
                yield connection
        finally:
            with self._gate:
                self._readers -= 1
                self._gate.notify_all()

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a connection like `reading`'s for long work, which may use `writing` meanwhile.

        A renewal during this work does not wait for it, and fails.
        """
        opened = self._database
        connection = self.connection()
        try:
            connection.execute("BEGIN TRANSACTION READ ONLY")
            yield connection
        except (duckdb.FatalException, duckdb.ConnectionException) as error:
            raise StoreError(f"the store is currently unavailable: {_first_line(error)}") from error
        except duckdb.InvalidInputException as error:
            # A result whose store was closed meanwhile is "not open".
            if opened is not self._database:
                raise StoreError("the store is being reopened") from error
            raise
        finally:
            with contextlib.suppress(duckdb.Error):
                connection.execute("ROLLBACK")
            connection.close()

    @contextlib.contextmanager
    def writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a connection for a short transaction beside the writer's.

        It is for settings, tasks and users, never for dose records. Only one is open at a time. The
        transaction is committed after the block, or rolled back if the block raises.
        """
        with self._beside, contextlib.closing(self.connection()) as connection:
            opened = self._database
            connection.execute("BEGIN TRANSACTION")
            try:
                yield connection
                self.marks.count(connection, BESIDE)
                connection.execute("COMMIT")
                self.marks.committed(BESIDE)
            except BaseException as error:
                with contextlib.suppress(duckdb.Error):
                    connection.execute("ROLLBACK")
                if isinstance(error, duckdb.InvalidInputException) and opened is not self._database:
                    raise StoreError("the store is being reopened") from error
                raise

    def watch(self, changed: Callable[[], object]) -> None:
        """Register a function to call, on the writer's thread, whenever studies have changed.

        It must return at once.
        """
        self._watchers.append(changed)

    def studies_changed(self) -> None:
        """Notify the watchers that studies have changed."""
        for changed in self._watchers:
            changed()

    def before_renewal(self, do: Callable[[], None]) -> None:
        """Register a function to run before each renewal.

        Whoever keeps copies of rows, which a renewal is meant to destroy, deletes them then.
        """
        self._before_renewal = do

    def renew(self) -> None:
        """Rewrite the file from what the tables hold.

        DuckDB leaves the bytes of changed or deleted rows in blocks that it reuses some day, or
        never; the new file does not contain them. The writer must have closed its connection.

        Readers continue meanwhile, except for a moment at the end. Raises NotRenewed.
        """
        fresh = self._fresh
        self._before_renewal()
        with self._beside:
            _unlink(fresh)
            needed = 1.2 * self.size()
            if shutil.disk_usage(self.path.parent).free < needed:
                raise NotRenewed(
                    f"rewriting it requires {needed / 1e6:,.0f} MB of free space on its disk"
                )
            try:
                try:
                    self._copy_to(fresh)
                except (duckdb.Error, OSError) as error:
                    raise NotRenewed(f"it could not be rewritten: {_first_line(error)}") from error
                with self._without_readers():
                    self.close()
                    # An instance that somebody still holds would continue with the old file, and
                    # whatever it writes would be lost.
                    if _is_open(self.path) or self.path.with_name(f"{FILE_NAME}.wal").exists():
                        self.open()
                        raise NotRenewed("it could not be closed")
                    fresh.replace(self.path)
                    _flush(self.path.parent)
                    self.open()
            finally:
                _unlink(fresh)

    def _copy_to(self, fresh: Path) -> None:
        with contextlib.closing(self.connection()) as connection:
            [name] = connection.execute("SELECT current_database()").fetchone() or ()
            connection.execute(f"ATTACH {quoted(fresh)} AS renewed")
            try:
                connection.execute(f'COPY FROM DATABASE "{name}" TO renewed')
            finally:
                connection.execute("DETACH renewed")
        _flush(fresh)

    @contextlib.contextmanager
    def _without_readers(self) -> Iterator[None]:
        with self._gate:
            self._is_closed_to_readers = True
        try:
            self._before_renewal()  # copies that were begun meanwhile are readers, too
            with self._gate:
                if not self._gate.wait_for(lambda: not self._readers, PATIENCE_S):
                    raise NotRenewed("it could not be rewritten because it was being read")
            yield
        finally:
            with self._gate:
                self._is_closed_to_readers = False
                self._gate.notify_all()

    def size(self) -> int:
        """Return the number of bytes on disk, including the write-ahead log."""
        total = 0
        for path in self.path.parent.glob(f"{FILE_NAME}*"):
            # DuckDB removes its write-ahead log at any moment.
            with contextlib.suppress(FileNotFoundError):
                found = path.stat()
                total += found.st_size if stat.S_ISREG(found.st_mode) else 0
        return total


def rows(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return the result of the last query as rows by column name."""
    assert connection.description is not None
    names = [column[0] for column in connection.description]
    return [dict(zip(names, values, strict=True)) for values in connection.fetchall()]


def rows_of(connection: duckdb.DuckDBPyConnection, of: type[R]) -> list[R]:
    """Return the result of the last query as rows of type `of`, for a query of a table's own
    columns.
    """
    return cast("list[R]", rows(connection))


@contextlib.contextmanager
def texts(connection: duckdb.DuckDBPyConnection, name: str, values: list[str]) -> Iterator[None]:
    """Provide texts as a table `name` with the column `text`, for `IN (SELECT text FROM name)`.

    The table is an Arrow table: passed as a parameter, each text would be tested for being one of
    pandas' types, which includes a search for pandas.
    """
    connection.register(name, pa.table({"text": pa.array(values, pa.string())}))
    try:
        yield
    finally:
        connection.unregister(name)


def quoted(path: Path | str) -> str:
    """Return a path as a text literal in SQL."""
    return "'" + str(path).replace("'", "''") + "'"


def _listed(paths: Iterable[Path | str]) -> str:
    return f"[{', '.join(map(quoted, paths))}]"


def _unlink(path: Path) -> None:
    for ending in _BESIDE:
        path.with_name(f"{path.name}{ending}").unlink(missing_ok=True)


def _flush(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _is_open(path: Path) -> bool:
    """Return whether this process has a file open."""
    own = path.stat()
    for handle in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found = handle.stat()
            if (found.st_dev, found.st_ino) == (own.st_dev, own.st_ino):
                return True
    return False


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__

"""Running statements: each on a connection of its own that reads one state of the store, and never
longer than is set.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from ..export.background import Failed, Run, break_off
from ..store import Store
from . import results, statement, views
from .statement import Refused, Statement

AT_ONCE = 2  # statements for pages; files are tasks, of which there are a few at once, too
FILES = {"csv": results.write_csv, "parquet": results.write_parquet}
# How much longer a file may take than an answer that somebody waits for.
LONGER = 10


@dataclass(frozen=True)
class Limits:
    """seconds: how long a statement may run; rows: of an answer; file_rows: of a file."""

    seconds: int
    rows: int
    file_rows: int


@dataclass
class _Running:
    user: str | None  # None: a task, which is stopped as tasks are
    connection: duckdb.DuckDBPyConnection | None = None
    ended: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)
    why: Refused | None = None

    def stop(self, why: Refused) -> None:
        self.why = self.why or why
        self.stopping.set()


class Runs:
    """Runs statements, and stops them. May be used from any thread."""

    def __init__(self, store: Store, limits: Callable[[], Limits]) -> None:
        self._store, self.limits = store, limits
        self._lock = threading.Lock()
        self._running: list[_Running] = []
        self._is_closed = False

    def checked(self, sql: str, identity: bool) -> Statement:
        """A statement that may run. identity: with the columns that say who patients are. Raises
        Refused.
        """
        with self._store.reading() as connection:
            views.create(connection, identity)
            found = statement.read(connection, sql)
            statement.check_plan(connection, sql)
            return found

    def answer(self, asked: Statement, identity: bool, user: str) -> dict[str, Any]:
        """What a statement gives: columns (name, type), rows, whether there are more (cut),
        elapsed_ms. Raises Refused.
        """
        began, limits = time.monotonic(), self.limits()
        with self._watched(user, limits.seconds) as run, self._store.reading() as run.connection:
            of = self._prepared(run.connection, asked, identity)
            rows, cut = results.rows(run.connection, asked.sql, of, limits.rows)
        return {
            "columns": [{"name": name, "type": str(type_)} for name, type_ in of],
            "rows": rows,
            "cut": cut,
            "elapsed_ms": round((time.monotonic() - began) * 1000),
        }

    def write(
        self, asked: Statement, identity: bool, kind: str, path: Path, task: Run
    ) -> dict[str, Any]:
        """Write what a statement gives into a file, as a task, and give its result: rows, and
        whether there are more than are set (cut). kind: key of FILES. Raises Failed."""
        limits = self.limits()
        try:
            with (
                self._watched(None, LONGER * limits.seconds) as run,
                self._store.snapshot() as connection,
            ):
                run.connection = task.connection = connection
                of = self._prepared(connection, asked, identity)
                count, cut = FILES[kind](
                    connection,
                    asked.sql,
                    of,
                    path,
                    limits.file_rows,
                    lambda done: task.progress(done, None),
                )
                task.connection = None
        except Refused as error:
            # What DuckDB says may quote values, and tasks are seen by others.
            said = (
                str(error)
                if error.code != "bad_sql"
                else "The statement failed: run it on the page to see why."
            )
            raise Failed(said) from error
        task.note(task.number, done=count, total=count)
        return {"rows": count, "cut": cut}

    def stop(self, user: str) -> int:
        """Stop what runs for a user; how many statements that were."""
        with self._lock:
            found = [run for run in self._running if run.user == user]
        for run in found:
            run.stop(Refused("The statement was stopped.", code="sql_stopped"))
        return len(found)

    def close(self) -> None:
        """Stop all that somebody waits for, and take no more. Files end with their tasks."""
        with self._lock:
            self._is_closed, found = True, [run for run in self._running if run.user is not None]
        for run in found:
            run.stop(Refused("The server ends.", code="sql_stopped"))

    def _prepared(
        self, connection: duckdb.DuckDBPyConnection, asked: Statement, identity: bool
    ) -> results.Columns:
        views.create(connection, identity)
        # Once more, on the connection that it runs on: it is of another moment than the one that it
        # was looked through on.
        statement.check_plan(connection, asked.sql)
        return results.columns(connection, asked.sql)

    def _check_room(self) -> None:
        if self._is_closed:
            raise Refused("The server ends.", code="sql_stopped")
        if sum(run.user is not None for run in self._running) >= AT_ONCE:
            raise Refused(
                f"{AT_ONCE} statements run already: wait until one has ended, or stop it.",
                code="sql_busy",
            )

    @contextlib.contextmanager
    def _watched(self, user: str | None, seconds: float) -> Iterator[_Running]:
        """Break off what runs on the connection, which is to be set, after so many seconds, or when
        it is stopped. Raises Refused for it, for what DuckDB finds wrong, and for a statement that
        may not begin now."""
        run = _Running(user)
        with self._lock:
            if user is not None:
                self._check_room()
            self._running.append(run)
        watcher = threading.Thread(target=_watch, args=(run, seconds), name="dose-sql")
        watcher.start()
        try:
            yield run
            if run.why is not None:
                raise run.why
        except duckdb.OutOfMemoryException as error:
            raise Refused(
                "The statement needs more memory than the store may take.", code="sql_too_large"
            ) from error
        except duckdb.IOException:
            raise
        except duckdb.Error as error:
            raise run.why or statement.wrong(error, "") from error
        finally:
            run.ended.set()
            run.stopping.set()
            watcher.join()
            with self._lock:
                self._running.remove(run)


def _watch(run: _Running, seconds: float) -> None:
    run.stopping.wait(seconds)
    if not run.ended.is_set():
        run.stop(
            Refused(
                f"The statement was stopped after {seconds:g} s, which is the limit.",
                code="sql_too_long",
            )
        )
    break_off(run.ended, lambda: run.connection)

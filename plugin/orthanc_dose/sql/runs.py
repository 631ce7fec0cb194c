"""Running of statements: each in its own process (child.py) on a copy of the views (copies.py).

The process is killed when its time is over or somebody stops it.
"""

import contextlib
import functools
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..export.exports import KIND
from ..store import Store
from ..work.runner import Kind, Place
from ..work.task import Failed, Run
from .child import THREADS
from .copies import FOLDER, Copies, Copy
from .process import Died, Process
from .statement import Refused, Statement

_LOG = logging.getLogger(__name__)
AT_ONCE = 2  # statements for pages
# Statements that write files run beside them. Exports of studies do not wait for them.
SQL_FILE = Kind(KIND, Place("sql-files", at_once=1))
FILES = ("csv", "parquet")
# How many times longer a file may take than an answer that somebody waits for.
LONGER = 10
# Bytes of a file, which may also take no more than half of the free disk space.
_LARGEST_FILE = 10 * 10**9
_MORE_CPU_S = 10  # beyond the time limit: a last resort, since we kill it earlier


@functools.cache
def total_memory() -> int:
    """Return the bytes of memory of this machine, or the limit of this container."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            total = min(total, int(Path("/sys/fs/cgroup", name).read_text()))
    return total


@dataclass(frozen=True)
class Limits:
    """The limits of statements.

    seconds: run time of a statement; rows: of an answer; file_rows: of a file; memory: megabytes
    for a statement; age: minutes that its data may be old.
    """

    seconds: int
    rows: int
    file_rows: int
    memory: int
    age: int

    @property
    def memory_bytes(self) -> int:
        """The memory of a statement: at most a quarter of the total, since several may run."""
        return min(self.memory * 10**6, total_memory() // 4)


class _Running:
    """A statement that is running, or waiting for its data.

    user: None for one that a task runs, which is stopped like tasks.
    """

    def __init__(self, user: str | None) -> None:
        self.user = user
        self.process: Process | None = None
        self.until: float | None = None
        self.why: Refused | None = None
        self.too_long = 0.0

    def stop(self, why: Refused) -> None:
        """End the statement. Can be called from any thread."""
        self.why = self.why or why
        if self.process is not None:
            self.process.kill()

    def interrupt(self) -> None:
        """End the statement as a task is ended (task.break_off)."""
        self.stop(_stopped())

    def check(self) -> None:
        """Raise the reason for which the statement was ended, if it was."""
        if self.why is None and self.until is not None and time.monotonic() >= self.until:
            self.stop(_too_long(self.too_long))
        if self.why is not None:
            raise self.why

    def limit(self, seconds: float) -> None:
        """Let the statement run for this many seconds from now on."""
        self.until, self.too_long = time.monotonic() + seconds, seconds


class Runs:
    """Runs and stops statements. Can be used from any thread."""

    def __init__(self, store: Store, limits: Callable[[], Limits]) -> None:
        self.limits = limits
        self._folder = store.path.parent
        self.copies = Copies(store, lambda: limits().age * 60.0)
        self._lock = threading.Lock()
        self._running: list[_Running] = []
        self._ending: list[Process] = []  # killed, but not gone yet
        self._spare: Process | None = None
        self._is_closed = False
        store.before_renewal(self._forget)

    def prepare(self) -> None:
        """Have a process ready for a statement that is expected soon."""
        with self._lock:
            if self._is_closed or (self._spare is not None and self._spare.is_usable()):
                return
            if self._spare is not None:
                self._spare.close()
            with contextlib.suppress(Refused):  # the statement itself will report it
                self._spare = self._new()

    def checked(self, sql: str, identity: bool, user: str) -> Statement:
        """Return a statement after checking that it may run. Raises Refused.

        identity: whether its views have the columns that identify patients.
        """
        with self._room(_Running(user)) as run:
            asked, _, _ = self._done(run, sql, identity, "", self.limits().seconds)
            return asked

    def answer(self, sql: str, identity: bool, user: str) -> tuple[Statement, dict[str, Any]]:
        """Run a statement and return it with its results. Raises Refused.

        The results are columns (name, type), rows, whether there are more (cut), elapsed_ms, and
        as_of: the time of its data, ISO 8601 in UTC.
        """
        with self._room(_Running(user)) as run:
            began = time.monotonic()
            asked, end, copy = self._done(run, sql, identity, "json", self.limits().seconds)
            elapsed = time.monotonic() - began
        return asked, end | {
            "elapsed_ms": round(elapsed * 1000),
            "as_of": copy.utc,
        }

    def write(
        self, asked: Statement, identity: bool, kind: str, path: Path, task: Run
    ) -> dict[str, Any]:
        """Write the results of a statement to a file, as a task, and return the task's result.

        This is the number of rows, and whether there are more than the limit (cut). kind: one of
        FILES. Raises Failed or Stopped.
        """
        try:
            with self._room(_Running(None)) as run:
                task.connection = run
                seconds = LONGER * self.limits().seconds
                _, end, copy = self._done(
                    run,
                    asked.sql,
                    identity,
                    kind,
                    seconds,
                    path,
                    lambda done: task.progress(done, None),
                )
        except Refused as error:
            # DuckDB's messages may quote values, and others can see tasks.
            said = (
                str(error)
                if error.code != "bad_sql"
                else "The statement failed: run it on the page to see why."
            )
            raise Failed(said) from error
        finally:
            task.connection = None
        task.note(task.number, done=end["rows"], total=end["rows"])
        return end | {"as_of": copy.utc}

    def stop(self, user: str) -> int:
        """Stop the statements of a user and return their number."""
        return self._stop(lambda run: run.user == user, _stopped())

    def close(self) -> None:
        """Stop all statements, and accept no more. No process or thread is left."""
        with self._lock:
            self._is_closed = True
            spare, self._spare = self._spare, None
        self._stop(lambda run: True, Refused("The server is shutting down.", code="sql_stopped"))
        if spare is not None:
            spare.close()
        self.copies.close()

    def _forget(self) -> None:
        """Stop all statements and delete the copies, whose patient data may no longer be kept."""
        self._stop(
            lambda run: True,
            Refused(
                "The kept patient identity has just changed: run the statement again.",
                code="sql_stopped",
            ),
        )
        self.copies.forget()

    def _stop(self, which: Callable[[_Running], bool], why: Refused) -> int:
        with self._lock:
            found = [run for run in self._running if which(run)]
        for run in found:
            run.stop(why)
        return len(found)

    @contextlib.contextmanager
    def _room(self, run: _Running) -> Iterator[_Running]:
        """Reserve a slot for a statement. Raises Refused if there is none."""
        with self._lock:
            if self._is_closed:
                raise Refused("The server is shutting down.", code="sql_stopped")
            self._ending = [process for process in self._ending if process.is_there()]
            taken = sum(one.user is not None for one in self._running) + len(self._ending)
            if run.user is not None and taken >= AT_ONCE:
                raise Refused(
                    f"{AT_ONCE} statements are already running: wait for one to end, or stop it.",
                    code="sql_busy",
                )
            self._running.append(run)
        try:
            yield run
        finally:
            process = run.process
            gone = process is None or process.close()
            with self._lock:
                self._running.remove(run)
                if process is not None and not gone:
                    self._ending.append(process)
            self.prepare()

    def _done(
        self,
        run: _Running,
        sql: str,
        identity: bool,
        kind: str,
        seconds: float,
        path: Path | None = None,
        told: Callable[[int], None] = lambda rows: None,
    ) -> tuple[Statement, dict[str, Any], Copy]:
        """Run a statement in a process and return it, the final message, and the copy it read.

        `told` is called with the rows of a file so far. Raises Refused, and what `told` raises.
        """
        limits = self.limits()
        with self.copies.using(run.check) as copy:
            job = {
                "sql": sql,
                "prepare": copy.prepare(identity),
                "format": kind,
                "path": str(path),
                "rows": limits.file_rows if kind in FILES else limits.rows,
                "memory": limits.memory_bytes,
                "cpu_seconds": int(seconds * THREADS) + _MORE_CPU_S,
                "file_bytes": self._room_for_file() if path else 0,
            }
            asked = None
            try:
                process = self._begun(run)
                run.limit(seconds)
                for said in process.do(job, run.check):
                    if "read" in said:
                        asked = Statement(
                            sql, frozenset(said["read"]["views"]), said["read"]["told"]
                        )
                    elif "rows" in said:
                        told(said["rows"])
                    elif "refused" in said:
                        raise self._refused(said["refused"], limits)
                    elif asked is not None:
                        return asked, said["end"], copy
                raise Died
            except Died as error:
                run.check()
                raise self._died(run, limits) from error
            except Refused as error:
                error.asked = asked
                raise

    def _begun(self, run: _Running) -> Process:
        """Return a process that is ready for the statement."""
        with self._lock:
            process, self._spare = self._spare, None
        if process is None or not process.is_usable():
            if process is not None:
                process.close()
            process = self._new()
        run.process = process
        run.check()  # it may have been stopped before there was a process to kill
        process.wait_until_ready(run.check)
        return process

    def _new(self) -> Process:
        return Process(self._folder / FOLDER / "empty")

    def _room_for_file(self) -> int:
        return min(_LARGEST_FILE, shutil.disk_usage(self._folder).free // 2)

    def _refused(self, said: dict[str, Any], limits: Limits) -> Refused:
        code, place = said["code"], said["place"]
        if code == "sql_too_large":
            return _too_large(limits.memory_bytes // 10**6)
        if not code:
            return Refused(
                "The statement failed because its data could not be read. Run it again.",
                code="sql_failed",
            )
        return Refused(said["message"], tuple(place) if place else None, code)

    def _died(self, run: _Running, limits: Limits) -> Refused:
        assert run.process is not None
        end = time.monotonic() + 1.0
        while (status := run.process.status()) is None and time.monotonic() < end:
            time.sleep(0.01)
        if status is not None:
            _LOG.warning("an SQL statement ended its process with status %d", status)
        return _broken(limits.memory_bytes // 10**6)


def _stopped() -> Refused:
    return Refused("The statement was stopped.", code="sql_stopped")


def _too_long(seconds: float) -> Refused:
    said = f"The statement was stopped after {seconds:g} s, which is the time limit (setting sql_seconds)."
    return Refused(said, code="sql_too_long")


def _too_large(size: int) -> Refused:
    said = (
        f"The statement required more memory than the permitted {size:d} MB (setting sql_memory)."
    )
    return Refused(said, code="sql_too_large")


def _broken(size: int) -> Refused:
    said = f"The statement ended its process, probably because it required more memory than {size:d} MB (setting sql_memory)."
    return Refused(said, code="sql_failed")

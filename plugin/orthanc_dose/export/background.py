"""Tasks on threads of their own, which only read the store: DICOM reception and reading go on
beside them.
"""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Protocol

import duckdb

from ..records.task import OPEN
from ..store import Store, tasks

AT_ONCE = 2
_NICENESS = 10
_LOG = logging.getLogger(__name__)
_EVERY_S = 0.5  # from one note of the progress to the next


class Stopped(Exception):
    """Somebody stopped the task, or the server ends."""


class Failed(Exception):
    """The task cannot be done; the message is a sentence for its user, without any identity."""


class Interruptible(Protocol):
    """A connection of DuckDB's, or anything else that can be broken off from another thread."""

    def interrupt(self) -> None: ...


@dataclass
class Run:
    """A task that waits or runs. connection: what stopping must break off; the work sets it."""

    number: int
    kind: str
    work: "Work"
    note: Callable[..., None]
    stopping: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    connection: Interruptible | None = None
    _noted: float = 0.0

    def progress(self, done: int, total: int | None) -> None:
        """Say how far the work is; total: None where nobody knows. Raises Stopped."""
        if self.stopping.is_set():
            raise Stopped
        if time.monotonic() - self._noted > _EVERY_S:
            self._noted = time.monotonic()
            self.note(self.number, done=done, total=total)


def break_off(ended: threading.Event, connection: Callable[[], Interruptible | None]) -> None:
    """Interrupt what runs on the connection until it has ended: DuckDB forgets an interruption that
    comes between two statements."""
    while not ended.is_set():
        found = connection()
        if found is not None:
            with contextlib.suppress(duckdb.Error):  # it is closed just now
                found.interrupt()
        ended.wait(0.1)


# Gives the task's result; what it made so far is gone when it raises.
Work = Callable[[Run], dict[str, Any]]


class Background:
    """Starts, stops and notes such tasks. May be used from any thread.

    The interpreter waits for threads that are no daemons, and for those of an executor, before it
    tells anybody that it ends: a long export would hold up Orthanc's end."""

    def __init__(self, store: Store, kinds: Collection[str], lasting: Collection[str] = ()) -> None:
        """kinds: of the tasks; lasting: of those that go on after a restart, which `resume`
        begins.
        """
        self._store, self._lasting = store, lasting
        self._waiting: SimpleQueue[Run | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._closing = False
        self._runs: dict[int, Run] = {}
        # What was under way when the server ended cannot go on.
        with store.writing() as connection:
            for task in tasks.of_states(connection, OPEN):
                if task["kind"] in kinds:
                    ended = task | {"state": "broken off", "finished_at": tasks.now()}
                    tasks.put(connection, ended)
                    tasks.log_end(ended)

    def start(
        self, kind: str, user: str, subject: str, parameters: dict[str, Any], work: Work
    ) -> int:
        """Begin a task; its number."""
        number = tasks.create(self._store, kind, user, subject, parameters)
        self._put(Run(number, kind, work, self._note))
        return number

    def resume(self, work: Callable[[tasks.Task], Work]) -> None:
        """Go on with lasting tasks that a server left, when there is one again. work: what a task
        is to do now.
        """
        with self._store.reading() as connection:
            left = [
                task for task in tasks.of_states(connection, OPEN) if task["kind"] in self._lasting
            ]
        for task in left:
            self._put(Run(task["id"], task["kind"], work(task), self._note))

    def _put(self, run: Run) -> None:
        number = run.number
        with self._lock:
            self._runs[number] = run
            if len(self._threads) < AT_ONCE:
                thread = threading.Thread(
                    target=self._take, name=f"dose-background-{len(self._threads)}", daemon=True
                )
                self._threads.append(thread)
                thread.start()
        self._waiting.put(run)

    def stop(self, task_id: int) -> bool:
        """End a task; False where none of this number waits or runs."""
        with self._lock:
            run = self._runs.get(task_id)
        if run is None:
            return False
        run.stopping.set()
        threading.Thread(
            target=break_off, args=(run.ended, lambda: run.connection), daemon=True
        ).start()
        return True

    def leave(self) -> None:
        """Stop all, without waiting for their end. Lasting ones go on when there is a server
        again.
        """
        with self._lock:
            self._closing = True
            numbers = list(self._runs)
        for number in numbers:
            self.stop(number)

    def close(self) -> None:
        """Stop all, and join the threads."""
        self.leave()
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _take(self) -> None:
        # Whoever sends comes first: on Linux the priority is that of the thread alone.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        while (run := self._waiting.get()) is not None:
            self._work(run)

    def _work(self, run: Run) -> None:
        try:
            if run.stopping.is_set():
                raise Stopped
            self._note(run.number, state="running", started_at=tasks.now())
            result = run.work(run)
            end: dict[str, Any] = {"state": "done", "result": result}
        except Exception as error:  # noqa: BLE001  whatever it is, the task says so
            if self._closing and run.kind in self._lasting:
                return
            end = {"state": "broken off" if self._closing else "stopped"}
            if not run.stopping.is_set():
                _LOG.error("task %d (%s) failed", run.number, run.kind, exc_info=error)
                said = (
                    str(error)
                    if isinstance(error, Failed)
                    else f"It could not be done: {type(error).__name__}."
                )
                end = {"state": "failed", "message": said}
        finally:
            run.ended.set()
            with self._lock:
                del self._runs[run.number]
        self._note(run.number, finished_at=tasks.now(), **end)

    def _note(self, number: int, **changes: Any) -> None:
        with self._store.writing() as connection:
            found = tasks.one(connection, number)
            if found is None:
                return
            tasks.put(connection, found | changes)
        if "started_at" in changes:
            tasks.log_begin(found)
        elif "finished_at" in changes:
            tasks.log_end(found | changes)

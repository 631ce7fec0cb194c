"""What the work of a task is given, what it may raise, and how its end is told to its user."""

import contextlib
import errno
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import duckdb

from ..store import STORE_ERRORS, Batch, Writer
from ..store.tasks import Task

_NOTED_EVERY_S = 0.5  # from one note of the progress to the next


class Stopped(Exception):
    """Somebody stopped the task, or the server ends."""


class Failed(Exception):
    """The task cannot be done; the message is a sentence for its user, without any identity."""


def reason(error: BaseException) -> str:
    """Say in a sentence why a task failed. The words of an error that is not Failed are not
    repeated, as they may hold values."""
    if isinstance(error, Failed):
        return str(error)
    is_full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if is_full or (isinstance(error, STORE_ERRORS) and "No space left" in str(error)):
        return "There is no room left on the disk."
    return f"It could not be done: {type(error).__name__}."


# --- work on a thread of its own ---


class Interruptible(Protocol):
    """A connection of DuckDB's, or anything else that can be broken off from another thread."""

    def interrupt(self) -> None: ...


@dataclass
class Run:
    """A task that waits or runs on a thread. connection: what stopping must break off; the work
    sets it."""

    number: int
    kind: str
    work: "Work"
    note: Callable[..., None]
    stopping: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    connection: Interruptible | None = None
    is_taken: bool = False  # by a thread, or by whoever stopped it before
    _noted: float = 0.0

    def progress(self, done: int, total: int | None) -> None:
        """Say how far the work is; total: None where nobody knows. Raises Stopped."""
        if self.stopping.is_set():
            raise Stopped
        if time.monotonic() - self._noted > _NOTED_EVERY_S:
            self._noted = time.monotonic()
            self.note(self.number, done=done, total=total)


# Gives the task's result; what it made so far is gone when it raises.
Work = Callable[[Run], dict[str, Any]]


def break_off(ended: threading.Event, connection: Callable[[], Interruptible | None]) -> None:
    """Interrupt what runs on the connection until it has ended: DuckDB forgets an interruption that
    comes between two statements."""
    while not ended.is_set():
        found = connection()
        if found is not None:
            with contextlib.suppress(duckdb.Error):  # it is closed just now
                found.interrupt()
        ended.wait(0.1)


# --- work on the dose records, in steps of the writer ---


class Job:
    """The work of one task, in steps. A kind of task is a subclass.

    After each step, progress is in the store with what the step wrote, in one transaction: after
    a restart the job is made anew from the task and goes on from there."""

    kind: ClassVar[str]

    def __init__(self, task: Task) -> None:
        self.parameters: dict[str, Any] = task["parameters"]
        self.progress: dict[str, Any] = task["progress"]
        self.result: dict[str, Any] = task["result"]
        self.done: int = task["done"] or 0
        self.total: int | None = task["total"]

    def step(self, writer: Writer) -> Batch | None:
        """Do a step, which takes a second at most, and give what is to be written; None at the
        end. Raises Failed.
        """
        raise NotImplementedError

    def end(self) -> None:
        """Do away with what the task needed beside the store. Called when it is written that the
        task ended, in whatever way; a kill in between leaves this undone."""


def all_or_each(studies: list[str], work: Callable[[list[str]], object]) -> int:
    """Do it for all of these studies at once; where one of them spoils that, for each alone. How
    many could not be done.
    """
    failed = 0
    try:
        work(studies)
    except STORE_ERRORS:
        raise
    except Exception:  # noqa: BLE001  a study that spoils the chunk is left as it is, and the others are done
        for study in studies:
            try:
                work([study])
            except STORE_ERRORS:
                raise
            except Exception:  # noqa: BLE001
                failed += 1
    return failed

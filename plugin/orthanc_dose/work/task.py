"""The interface of a task's work: what it is given and may raise, and how its end is reported."""

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

_NOTED_EVERY_S = 0.5  # minimum time between two records of the progress


class Stopped(Exception):
    """Raised when somebody stopped the task, or the server is ending."""


class Failed(Exception):
    """Raised when the task cannot be done.

    The message is a sentence for its user, without any identity.
    """


def reason(error: BaseException) -> str:
    """Return a sentence saying why a task failed.

    The message of an error other than Failed is not repeated, as it may hold values.
    """
    if isinstance(error, Failed):
        return str(error)
    is_full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if is_full or (isinstance(error, STORE_ERRORS) and "No space left" in str(error)):
        return "The disk is full."
    return f"It failed because of an internal error: {type(error).__name__}."


# --- work on a thread of its own ---


class Interruptible(Protocol):
    """A DuckDB connection, or anything else that can be interrupted from another thread."""

    def interrupt(self) -> None: ...


@dataclass
class Run:
    """A task that waits or runs on a thread.

    connection: what must be interrupted to stop the task; set by the work.
    """

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
        """Report how far the work is; total: None if it is unknown. Raises Stopped."""
        if self.stopping.is_set():
            raise Stopped
        if time.monotonic() - self._noted > _NOTED_EVERY_S:
            self._noted = time.monotonic()
            self.note(self.number, done=done, total=total)


# Returns the task's result; whatever it made so far is gone when it raises.
Work = Callable[[Run], dict[str, Any]]


def break_off(ended: threading.Event, connection: Callable[[], Interruptible | None]) -> None:
    """Interrupt the connection repeatedly until its work has ended.

    DuckDB forgets an interruption that comes between two statements.
    """
    while not ended.is_set():
        found = connection()
        if found is not None:
            with contextlib.suppress(duckdb.Error):  # it is just being closed
                found.interrupt()
        ended.wait(0.1)


# --- work on the dose records, in steps of the writer ---


class Job:
    """The work of one task, in steps. Each kind of task is a subclass.

    After each step, the progress is stored with what the step wrote, in one transaction: after a
    restart the job is rebuilt from the task and continues from there.
    """

    kind: ClassVar[str]

    def __init__(self, task: Task) -> None:
        self.parameters: dict[str, Any] = task["parameters"]
        self.progress: dict[str, Any] = task["progress"]
        self.result: dict[str, Any] = task["result"]
        self.done: int = task["done"] or 0
        self.total: int | None = task["total"]

    def step(self, writer: Writer) -> Batch | None:
        """Do a step, which takes a second at most, and return what is to be written.

        Returns None at the end. Raises Failed.
        """
        raise NotImplementedError

    def end(self) -> None:
        """Remove what the task needed outside the store.

        Called once the end of the task has been written, whatever it was; being killed in between
        leaves this undone.
        """


def all_or_each(studies: list[str], work: Callable[[list[str]], object]) -> int:
    """Do the work for all these studies at once or, if that raises, for each alone.

    Returns the number of studies for which it could not be done.
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

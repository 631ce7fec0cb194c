"""Long work on the dose records: tasks, one after the other, chunk by chunk between the worker's
other work.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from ..store import STORE_ERRORS, Batch, Writer, tasks
from ..store.tasks import Task

_LOG = logging.getLogger(__name__)


class TaskError(Exception):
    """The task cannot go on; the message says why, for a user, without any identity."""


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


class Job:
    """The work of one task. A kind of task is a subclass.

    After each chunk, progress is in the store with what the chunk wrote, in one transaction: after
    a restart the job is made anew from the task and goes on from there."""

    kind: ClassVar[str]

    def __init__(self, task: Task) -> None:
        self.parameters: dict[str, Any] = task["parameters"]
        self.progress: dict[str, Any] = task["progress"]
        self.result: dict[str, Any] = task["result"]
        self.done: int = task["done"] or 0
        self.total: int | None = task["total"]

    def step(self, writer: Writer) -> Batch | None:
        """Do a chunk, which takes a second at most, and give what is to be written; None at the
        end. Raises TaskError.
        """
        raise NotImplementedError

    def end(self) -> None:
        """Do away with what the task needed beside the store. Called when it is written that the
        task ended, in whatever way; a kill in between leaves this undone."""


class Tasks:
    """Those of the tasks in the store that are the worker's: everything but `look` is called on its
    thread.
    """

    def __init__(self, kinds: Mapping[str, Callable[[Task], Job]]) -> None:
        """kinds: what makes the job of a task, by its kind."""
        self._kinds = kinds
        self._task: Task | None = None
        self._job: Job | None = None
        self._look = threading.Event()
        self._look.set()

    def look(self) -> None:
        """There may be a new task in the store."""
        self._look.set()

    def forget(self) -> None:
        """What is under way is read from the store again: after an error of the store."""
        self._task = self._job = None
        self._look.set()

    def step(self, writer: Writer) -> bool:
        """Do a chunk of the oldest task. Whether there was one."""
        if self._job is None and not self._begin(writer):
            return False
        task, job = self._task, self._job
        assert task is not None and job is not None
        message = None
        try:
            batch = job.step(writer)
        except STORE_ERRORS:
            raise
        except TaskError as error:
            batch, message = None, str(error)
        except Exception as error:  # noqa: BLE001  the worker goes on; the error's own words may hold values
            batch, message = None, _cannot_go_on(task, error)
        now = {"done": job.done, "total": job.total, "progress": job.progress, "result": job.result}
        if batch is not None:
            batch.task = task | now
            try:
                writer.commit(batch)
            except STORE_ERRORS:
                raise
            except Exception as error:  # noqa: BLE001  what does not fit into the store once never will
                self._end(writer, "failed", _cannot_go_on(task, error))
                return True
        task |= now
        if batch is None:
            self._end(writer, "done" if message is None else "failed", message)
        return True

    def stop(self, writer: Writer, task_id: int) -> bool:
        """End a task before its next chunk. Whether there was one that was not finished."""
        if self._task is not None and self._task["id"] == task_id:
            self._end(writer, "stopped")
            return True
        for task in tasks.of_states(writer.connection, ("waiting", "running")):
            if task["id"] == task_id and task["kind"] in self._kinds:
                ended = task | {"state": "stopped", "finished_at": tasks.now()}
                writer.commit(Batch(task=ended))
                tasks.log_end(ended)
                self._kinds[task["kind"]](task).end()
                return True
        return False

    def _begin(self, writer: Writer) -> bool:
        if not self._look.is_set():
            return False
        self._look.clear()
        found = [
            task
            for task in tasks.of_states(writer.connection, ("running", "waiting"))
            if task["kind"] in self._kinds
        ]
        if not found:
            return False
        self._look.set()  # there may be more behind it
        self._task = found[0]
        self._task |= {"state": "running", "started_at": self._task["started_at"] or tasks.now()}
        self._job = self._kinds[self._task["kind"]](self._task)
        writer.commit(Batch(task=self._task))
        tasks.log_begin(self._task)
        return True

    def _end(self, writer: Writer, state: str, message: str | None = None) -> None:
        assert self._task is not None and self._job is not None
        ended = self._task | {"state": state, "message": message, "finished_at": tasks.now()}
        writer.commit(Batch(task=ended))
        tasks.log_end(ended)
        job, self._task, self._job = self._job, None, None
        job.end()


def _cannot_go_on(task: Task, error: Exception) -> str:
    _LOG.error("task %d, %s, cannot go on", task["id"], task["kind"], exc_info=error)
    return f"It could not go on: {type(error).__name__}."

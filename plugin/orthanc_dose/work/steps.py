"""The place of tasks that change dose records.

They run one after the other, in steps between the other work of the writer's thread.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping

from ..store import STORE_ERRORS, Batch, Writer, tasks
from ..store.tasks import Task
from .owner import BEAT_S, Owner
from .task import Job, reason

_LOG = logging.getLogger(__name__)


class Steps:
    """The writer's tasks in the store: everything but `look` is called on the writer's thread.

    An error of the store is no task's fault: it is raised, and the task continues when the store
    can be written again. Any other exception of a job ends its task.
    """

    def __init__(self, kinds: Mapping[str, Callable[[Task], Job]], owner: Owner) -> None:
        """Initialize the place. kinds: by kind of task, the function that makes its job."""
        self.kinds = kinds
        self._owner = owner
        self._task: Task | None = None
        self._job: Job | None = None
        self._written = 0.0
        self._look = threading.Event()
        self._look.set()

    def look(self) -> None:
        """Look for a new task in the store before the next step."""
        self._look.set()

    def forget(self) -> None:
        """Forget the current task, so that it is re-read from the store after an error of the
        store.
        """
        self._task = self._job = None
        self._look.set()

    def step(self, writer: Writer) -> bool:
        """Do one step of the oldest task. Returns whether there was one."""
        if self._job is None and not self._begin(writer):
            return False
        if self._job is None:
            return True  # it failed when it was to begin
        job = self._job
        try:
            batch = job.step(writer)
        except STORE_ERRORS as error:
            if not isinstance(error, OSError):
                raise
            # The error concerns a file of the job's own. If it was the store's after all, the end
            # cannot be written either, and the task continues later.
            self._fail(writer, error)
            return True
        except BaseException as error:  # noqa: BLE001  the worker goes on, whatever it is
            self._fail(writer, error)
            return True
        now: Task = {
            "done": job.done,
            "total": job.total,
            "progress": job.progress,
            "result": job.result,
        }
        if batch is None:
            self._end(writer, {**now, "state": "done"})
            return True
        try:
            self._commit(writer, batch, now)
        except STORE_ERRORS:
            raise
        except BaseException as error:  # noqa: BLE001  what does not fit into the store once never will
            self._fail(writer, error)
        return True

    def beat(self, writer: Writer) -> None:
        """Record that the task is being worked on, if nothing of it was written for a while."""
        if self._task is not None and time.monotonic() > self._written + BEAT_S:
            self._commit(writer, Batch(), {})

    def stop(self, writer: Writer, task_id: int) -> bool:
        """End a task before its next step. Returns whether there was an unfinished one."""
        if self._task is not None and self._task["id"] == task_id:
            self._end(writer, {"state": "stopped"})
            return True
        for task in self._open(writer):
            if task["id"] == task_id:
                end: Task = {"state": "stopped", "finished_at": tasks.now()}
                ended = task | end
                writer.commit(Batch(task=ended))
                tasks.log_end(ended)
                with contextlib.suppress(BaseException):  # a job that cannot be made needs nothing
                    _clear_up(self.kinds[task["kind"]](task))
                return True
        return False

    def _open(self, writer: Writer) -> list[Task]:
        """Return the tasks to be done here, the oldest first."""
        now, own = tasks.now(), str(self._owner)
        return [
            task
            for task in tasks.of_states(writer.connection, tasks.OPEN)
            if task["kind"] in self.kinds
            and (task["owner"] == own or self._owner.may_take(task, now))
        ]

    def _begin(self, writer: Writer) -> bool:
        """Begin the oldest task. Returns whether there was one; it may have failed at once."""
        if not self._look.is_set():
            return False
        self._look.clear()
        found = self._open(writer)
        if not found:
            return False
        self._look.set()  # more tasks may follow it
        [task, *_] = found
        begun: Task = {"state": "running", "started_at": task["started_at"] or tasks.now()}
        self._task = task | begun
        try:
            self._job = self.kinds[task["kind"]](self._task)
        except BaseException as error:  # noqa: BLE001  those behind it are done
            self._fail(writer, error)
            return True
        try:
            self._commit(writer, Batch(), {})
            tasks.log_begin(self._task)
        except STORE_ERRORS:
            raise
        except BaseException as error:  # noqa: BLE001
            self._fail(writer, error)
        return True

    def _commit(self, writer: Writer, batch: Batch, changes: Task) -> None:
        """Write a batch with the changed task, signed by its owner."""
        assert self._task is not None
        signed: Task = {"owner": str(self._owner), "alive_at": tasks.now()}
        batch.task = self._task | changes | signed
        writer.commit(batch)
        self._task, self._written = batch.task, time.monotonic()

    def _fail(self, writer: Writer, error: BaseException) -> None:
        assert self._task is not None
        _LOG.error(
            "task %d, %s, cannot be resumed", self._task["id"], self._task["kind"], exc_info=error
        )
        self._end(writer, {"state": "failed", "message": reason(error)})

    def _end(self, writer: Writer, end: Task) -> None:
        assert self._task is not None
        now: Task = {"finished_at": tasks.now()}
        try:
            self._commit(writer, Batch(), end | now)
        except STORE_ERRORS:
            raise
        except BaseException as error:  # noqa: BLE001  what it says of itself cannot be written: it is as it was
            failed: Task = {"state": "failed", "message": reason(error)}
            self._commit(writer, Batch(), failed | now)
        tasks.log_end(self._task)
        job = self._job
        self._task = self._job = None
        if job is not None:
            _clear_up(job)


def _clear_up(job: Job) -> None:
    try:
        job.end()
    except BaseException as error:  # noqa: BLE001  the task has ended all the same
        _LOG.error("could not clean up after a task of the kind %s", job.kind, exc_info=error)

"""The one runner of long work: it starts, stops and ends every task, wherever the task runs.

There are two kinds of places. `Steps` belongs to the writer: its tasks change dose records, step by
step. The other places have threads of their own, for tasks that only read the store; each kind of
task declares its place. Whatever a task's work raises, its end is recorded in the store, and its
place is free again; if the end cannot be written, as on a full disk, it is written once the store
can be.
"""

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Protocol, Unpack

from ..store import STORE_ERRORS, Store, Writer, tasks
from ..store.tasks import Task
from .followers import Followers
from .owner import Owner
from .steps import Steps
from .task import Run, Stopped, Work, break_off, reason

_NICENESS = 10
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """A place where tasks run on threads of their own.

    At most `at_once` of them run in parallel; the others wait.
    """

    name: str
    at_once: int


@dataclass(frozen=True)
class Kind:
    """A kind of task on a thread.

    name: its name in the store. lasting: it continues after a restart, by `Runner.resume`, whereas
    other kinds are broken off.
    """

    name: str
    place: Place
    lasting: bool = False


class Queue(Protocol):
    """The worker, on whose thread the writer runs, as far as the runner needs it."""

    def submit(self, work: Callable[[Writer], Any]) -> Future[Any]: ...
    def wake(self) -> None: ...


class Runner:
    """Starts and stops tasks, and records their states. May be used from any thread.

    The interpreter waits for non-daemon threads, and for those of an executor, before it tells
    anybody that it is ending: a long export would delay the end of Orthanc.
    """

    def __init__(self, store: Store, kinds: Collection[Kind]) -> None:
        """Create a runner. kinds: those on threads; those in steps are added by `join`."""
        self._store = store
        self.owner = Owner.of_this_process(store)
        self.kinds = kinds
        self._threads = {kind.place: _Threads(kind.place, self._work) for kind in kinds}
        self._lasting = {kind.name: kind for kind in kinds if kind.lasting}
        self._resumed: dict[str, Callable[[Task], Work]] = {}
        self._lock = threading.Lock()
        self._runs: dict[int, Run] = {}
        self._owed: dict[int, Task] = {}  # ends that could not be written yet
        self._is_settling = False
        self._closing = False
        self._steps: Steps | None = None
        self._queue: Queue | None = None
        self._followers: Followers | None = None
        try:
            self._break_off_left()
        except STORE_ERRORS as error:  # a store on a full disk can be read; a later beat does it
            _LOG.error(
                "cannot record yet which tasks the last server left unfinished", exc_info=error
            )

    def join(self, steps: Steps, queue: Queue, followers: Followers) -> None:
        """Take over the tasks of the writer and of the followers."""
        self._steps, self._queue, self._followers = steps, queue, followers

    # --- starting ---

    def start(
        self, kind: Kind, user: str, subject: str, parameters: dict[str, Any], work: Work
    ) -> int:
        """Start a task on a thread, and return its number."""
        number = tasks.create(
            self._store, kind.name, user, subject, parameters, owner=str(self.owner)
        )
        self._put(kind, number, work)
        return number

    def add(
        self, kind: str, user: str, subject: str = "", parameters: dict[str, Any] | None = None
    ) -> int:
        """Create a task for the writer, and return its number."""
        number = tasks.create(self._store, kind, user, subject, parameters)
        self.look()
        return number

    def look(self) -> None:
        """Let the writer look for a new task in the store."""
        assert self._steps is not None and self._queue is not None
        self._steps.look()
        self._queue.wake()

    def resume(self, kind: Kind, work: Callable[[Task], Work]) -> None:
        """Continue lasting tasks that a server left behind, from the next beat on.

        work: returns what a task is to do now.
        """
        self._resumed[kind.name] = work

    def _resume_left(self) -> None:
        now = tasks.now()
        with self._store.reading() as connection:
            left = [
                task
                for task in tasks.of_states(connection, tasks.OPEN)
                if task["kind"] in self._resumed and self.owner.may_take(task, now)
            ]
        for task in left:
            self._note(task["id"])  # it belongs to this process from now on
            self._put(self._lasting[task["kind"]], task["id"], self._going_on(task))

    def _going_on(self, task: tasks.Task) -> Work:
        """Return the work of a task to be continued; if it cannot be determined, the task fails."""
        return lambda run: self._resumed[run.kind](task)(run)

    def _put(self, kind: Kind, number: int, work: Work) -> None:
        run = Run(number, kind.name, work, self._note)
        with self._lock:
            self._runs[number] = run
        if self._closing:
            run.stopping.set()
        try:
            self._threads[kind.place].put(run)
        except Exception as error:  # noqa: BLE001  no thread can be had: the task says so
            self._end(run, error)

    # --- ending ---

    def stop(self, number: int) -> Future[bool]:
        """Stop a task. The result is False if no task of this number waits or runs.

        A waiting task ends at once. The writer's current task ends before its next step, others as
        soon as they notice.
        """
        assert self._queue is not None and self._steps is not None and self._followers is not None
        if self._stop(number) or self._followers.stop(number):
            done: Future[bool] = Future()
            done.set_result(True)
            return done
        steps = self._steps
        return self._queue.submit(lambda writer: steps.stop(writer, number))

    def _stop(self, number: int) -> bool:
        with self._lock:
            run = self._runs.get(number)
            if run is None:
                return False
            run.stopping.set()
            # While the server ends, nobody here waits for the store: the threads also end waiting
            # tasks.
            is_waiting = not run.is_taken and not self._closing
            run.is_taken |= is_waiting
        if is_waiting:
            self._end(run, Stopped())
        else:
            threading.Thread(
                target=break_off, args=(run.ended, lambda: run.connection), daemon=True
            ).start()
        return True

    def leave(self) -> None:
        """Stop everything on threads, without waiting for it to end.

        Lasting tasks continue when there is a server again.
        """
        self._closing = True
        with self._lock:
            found = list(self._runs)
        for number in found:
            self._stop(number)

    def close(self) -> None:
        """Stop everything on threads, and join the threads."""
        self.leave()
        for threads in self._threads.values():
            threads.close()

    def _work(self, run: Run) -> None:
        """Run a task to its end, unless it was stopped while it waited. Raises nothing."""
        with self._lock:
            if run.is_taken:
                return
            run.is_taken = True
        error: BaseException | None = None
        result: dict[str, Any] = {}
        try:
            if run.stopping.is_set():
                raise Stopped
            self._note(run.number, state="running", started_at=tasks.now())
            result = run.work(run)
        except BaseException as raised:  # noqa: BLE001  whatever it is, the task says so
            error = raised
        self._end(run, error, result)

    def _end(self, run: Run, error: BaseException | None, result: Any = None) -> None:
        """Write how a task ended, once its place is free, or later if it cannot be written now."""
        run.ended.set()
        with self._lock:
            self._runs.pop(run.number, None)
        if error is None:
            end: Task = {"state": "done", "result": result}
        elif self._closing and run.kind in self._lasting:
            return
        elif run.stopping.is_set():
            end = {"state": "broken off" if self._closing else "stopped"}
        else:
            _LOG.error("task %d (%s) failed", run.number, run.kind, exc_info=error)
            end = {"state": "failed", "message": reason(error)}
        end["finished_at"] = tasks.now()
        try:
            self._note(run.number, **end)
        except BaseException as unwritten:  # noqa: BLE001  the place is free all the same
            _LOG.error(
                "the end of task %d is waiting to be written", run.number, exc_info=unwritten
            )
            if not isinstance(unwritten, STORE_ERRORS):  # perhaps a result that cannot be stored
                end |= {"state": "failed", "message": reason(error or unwritten), "result": {}}
            with self._lock:
                self._owed[run.number] = end
            self._settle_soon()

    def _settle_soon(self) -> None:
        """Have the worker write the ends that are still owed.

        It reopens a store that an error made unusable, and tries again until it can be written.
        """
        with self._lock:
            if self._is_settling or self._queue is None:
                return
            self._is_settling = True
        self._queue.submit(lambda writer: self._settle())

    def _settle(self) -> None:
        with self._lock:
            owed = dict(self._owed)
        try:
            with self._store.reading():
                pass  # raises if the store must be reopened
            for number, end in owed.items():
                self._note(number, **end)
                with self._lock:
                    del self._owed[number]
        except STORE_ERRORS:
            raise
        except Exception as error:  # noqa: BLE001  the next beat tries again
            _LOG.error("the end of a task could not be written", exc_info=error)
        with self._lock:
            self._is_settling = False

    # --- tasks in the store ---

    def _note(self, number: int, **changes: Unpack[Task]) -> None:
        signed: Task = {"owner": str(self.owner), "alive_at": tasks.now()}
        with self._store.writing() as connection:
            found = tasks.one(connection, number)
            if found is None:
                return
            tasks.put(connection, found | signed | changes)
        if "started_at" in changes:
            tasks.log_begin(found)
        elif "finished_at" in changes:
            tasks.log_end(found | changes)

    def beat(self) -> None:
        """Tell the store that the tasks on threads are being worked on; a turn of the clock.

        Also takes care of tasks that nobody works on any more.
        """
        with self._lock:
            numbers, owes = list(self._runs), bool(self._owed)
        try:
            if numbers:
                with self._store.writing() as connection:
                    tasks.is_alive(connection, str(self.owner), numbers)
            self._break_off_left()
            if not self._closing:
                self._resume_left()
            if self._steps is not None:
                self._steps.look()
        except STORE_ERRORS:
            owes = True
            raise
        finally:
            if owes:
                self._settle_soon()

    def _left(self, connection: Any) -> list[Task]:
        """Return tasks on threads whose owner is gone and that cannot continue."""
        now, names = tasks.now(), {kind.name for kind in self.kinds} - self._lasting.keys()
        return [
            task
            for task in tasks.of_states(connection, tasks.OPEN)
            if task["kind"] in names and self.owner.may_take(task, now)
        ]

    def _break_off_left(self) -> None:
        with self._store.reading() as connection:
            if not self._left(connection):
                return
        with self._store.writing() as connection:
            end: Task = {"state": "broken off", "finished_at": tasks.now()}
            ended = [task | end for task in self._left(connection)]
            for task in ended:
                tasks.put(connection, task)
        for task in ended:
            tasks.log_end(task)


class _Threads:
    """The threads of a place, which are created when needed, and replaced if one died."""

    def __init__(self, place: Place, work: Callable[[Run], None]) -> None:
        self._place, self._work = place, work
        self._waiting: SimpleQueue[Run | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def put(self, run: Run) -> None:
        """Queue a task. Raises RuntimeError if the system provides no thread."""
        with self._lock:
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            if len(self._threads) < self._place.at_once:
                thread = threading.Thread(
                    target=self._take,
                    name=f"dose-{self._place.name}-{len(self._threads)}",
                    daemon=True,
                )
                thread.start()
                self._threads.append(thread)
            self._waiting.put(run)

    def close(self) -> None:
        """Join the threads, once they have finished what waits."""
        with self._lock:
            threads = list(self._threads)
        for _ in threads:
            self._waiting.put(None)
        for thread in threads:
            thread.join()

    def _take(self) -> None:
        # Senders take precedence: on Linux the priority applies to the thread alone.
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        while (run := self._waiting.get()) is not None:
            self._work(run)

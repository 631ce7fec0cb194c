"""Followers of the feed of changed studies.

Whatever reacts to a changed study is attached here, never to the writer. A follower is a subclass
of `Follower` with a name and `react`, listed in app.FOLLOWERS. Each has a thread and, in the store,
a cursor of its own. What it writes and its cursor are written in one transaction, so that being
killed neither loses nor repeats a reaction. For a new follower, a task reacts to all existing
studies. A change at which it fails is set aside and tried again after growing pauses, and finally
skipped, until somebody asks for another try; the other changes continue meanwhile.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, ClassVar, Unpack

import duckdb

from ..records.task import OPEN
from ..store import STORE_ERRORS, Store, feed, state, tasks
from ..store.feed import Change
from ..store.tasks import Task
from .owner import Owner

_LOG = logging.getLogger(__name__)

Reading = Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]]
Write = Callable[[duckdb.DuckDBPyConnection], object]
Advance = Callable[[duckdb.DuckDBPyConnection, list[Change]], object]

BACKFILL = "follow-studies"  # the kind of task that reacts to existing studies
CHUNK = 25  # changes per transaction
POLL_S = 5.0
# Seconds until the next try: of a follower, while the store cannot be read or written; of a change
# that it failed at, which is skipped after the last pause.
FIRST_PAUSE, LAST_PAUSE = 1.0, 60.0
PAUSES_S = (2, 10, 60, 600)


class Follower:
    """Reacts to changed studies."""

    name: ClassVar[str]
    # Changes per transaction, and seconds for which changes are gathered before the next one: for
    # followers that work with many studies at once.
    chunk: ClassVar[int | None] = None
    gather_s: ClassVar[float] = 0.0
    # Returns the present value of a setting; assigned by whoever creates the follower.
    setting: Callable[[str], Any]

    def basis(self, connection: duckdb.DuckDBPyConnection) -> str | None:
        """Return a text for what the results depend on in addition to the study, or None.

        Whenever it differs from that of the results in the store, all existing studies are processed
        again. It is called before each transaction, and must be quick.
        """
        return None

    def react_to(self, reading: Reading, changes: Sequence[Change]) -> list[Write | None]:
        """Work out what several changes require: `react` for each, unless many are quicker at once."""
        return [self.react(reading, change) for change in changes]

    def react(self, reading: Reading, change: Change) -> Write | None:
        """Work out what a change requires, and return a function that writes it.

        That function is called in a short transaction that also moves the cursor. Returns None if
        there is nothing to write.

        reading: gives a connection for reading; close it before long work. It shows the store as it
        is now, which may be later than the change: a study can be gone. May be called again for the
        same change. May raise anything; the error's message is not kept, as it may hold values.
        """
        raise NotImplementedError


class Followers:
    """The threads of all followers.

    They may be used from several threads. The clock must wake them every POLL_S seconds.
    """

    def __init__(self, store: Store, followers: Sequence[Follower], owner: Owner) -> None:
        self._store = store
        self._threads = {one.name: _Thread(store, one, owner) for one in followers}

    def start_threads(self) -> None:
        """Start following."""
        self._store.watch(self.wake)
        for one in self._threads.values():
            one.start()

    def close(self) -> None:
        """Ask the threads to end after the current transaction, and wait for them."""
        for one in self._threads.values():
            one.ending.set()
            one.woken.set()
        for one in self._threads.values():
            if one.is_alive():
                one.join()

    def sweep(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Forget followers that no longer exist in the program, and changes that all have seen."""
        feed.keep_followers(connection, list(self._threads))
        feed.prune(connection)

    def wake(self) -> None:
        """Wake all followers, since there may be something to do."""
        for one in self._threads.values():
            one.woken.set()

    def status(self, connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
        """Return the state, the backlog and the failures of each follower."""
        out = []
        for row in feed.followers(connection):
            thread = self._threads.get(row["name"])
            if thread is None:
                continue
            task = tasks.find_task(connection, row["task_id"]) if row["task_id"] else None
            is_filling = task is not None and task["state"] in OPEN
            state = (
                "waiting" if thread.error else "working" if row["behind"] or is_filling else "idle"
            )
            out.append(
                {
                    "name": row["name"],
                    "state": state,
                    "behind": row["behind"],
                    "studies_behind": row["studies_behind"],
                    "behind_since": _utc(row["behind_since"]),
                    "failing": row["failing"],
                    "skipped": row["skipped"],
                    "last_error": thread.error,
                    "error_since": _utc(thread.error_since) if thread.error else None,
                    "backfill": {"done": task["done"], "total": task["total"]}
                    if task is not None and is_filling
                    else None,
                }
            )
        return out

    def try_again(self, name: str) -> int | None:
        """Let a follower try again all changes that it failed at, and return their number.

        Returns None if there is no follower of this name.
        """
        if name not in self._threads:
            return None
        with self._store.writing() as connection:
            count = feed.try_again(connection, name)
        self._threads[name].woken.set()
        return count

    def stop(self, task_id: int) -> bool:
        """Stop the task for existing studies. Returns False if there is none with this number."""
        with self._store.writing() as connection:
            task = tasks.find_task(connection, task_id)
            if task is None or task["kind"] != BACKFILL or task["state"] not in OPEN:
                return False
            ended = task | {"state": "stopped", "finished_at": tasks.now()}
            tasks.write_task(connection, ended)
        tasks.log_end(ended)
        return True


class _Thread(threading.Thread):
    def __init__(self, store: Store, follower: Follower, owner: Owner) -> None:
        # The interpreter waits for non-daemon threads before it calls what ends them.
        super().__init__(name=f"dose-{follower.name}", daemon=True)
        self._store, self._follower, self._owner = store, follower, owner
        self.ending, self.woken = threading.Event(), threading.Event()
        self._is_behind = False  # more changes wait than fit into a transaction
        self.error: str | None = None  # why it waits
        self.error_since: datetime | None = None  # UTC; of the first of several errors in a row

    def run(self) -> None:
        pause, is_known = FIRST_PAUSE, False
        while not self.ending.is_set():
            self.woken.clear()
            try:
                if not is_known:
                    self._begin()
                    is_known = True
                busy = self._round()
                if busy and not self._is_behind and self._follower.gather_s:
                    self.ending.wait(self._follower.gather_s)
            except BaseException as error:  # noqa: BLE001  whatever happens, the follower goes on
                said = reason_of(error)
                if said != self.error:
                    _LOG.error("%s is waiting to retry: %s", self._follower.name, said)
                if self.error is None:
                    self.error_since = tasks.now()
                self.error = said
                self.ending.wait(pause)
                pause = min(pause * 2, LAST_PAUSE)
                continue
            pause, self.error = FIRST_PAUSE, None
            if not busy:
                self.woken.wait()

    def _begin(self) -> None:
        """Register the follower in the store, with a task for the existing studies if it is new."""
        name = self._follower.name
        with self._store.writing() as connection:
            if any(row["name"] == name for row in feed.followers(connection)):
                return
            feed.add_follower(connection, name, self._add_task(connection))
            self._remember(connection, self._follower.basis(connection))

    def _add_task(self, connection: duckdb.DuckDBPyConnection) -> int | None:
        """Add the task for the existing studies, and return its number; None if there are none."""
        [count, largest] = connection.execute("SELECT count(*), max(id) FROM study").fetchone() or (
            0,
            0,
        )
        if not count:
            return None
        name = self._follower.name
        parameters = {"follower": name, "upto": largest}
        return tasks.add_task(connection, BACKFILL, "", name, parameters, total=count)

    def _remember(self, connection: duckdb.DuckDBPyConnection, basis: str | None) -> None:
        if basis is not None:
            state.write_state(connection, f"follower_basis:{self._follower.name}", basis)

    def _has_other_basis(self, connection: duckdb.DuckDBPyConnection) -> bool:
        basis = self._follower.basis(connection)
        name = f"follower_basis:{self._follower.name}"
        return basis is not None and basis != state.read_state(connection, name)

    def _begin_again(self) -> None:
        """Start over with all existing studies, since the results depend on something else now."""
        with self._store.writing() as connection:
            if not self._has_other_basis(connection):
                return
            if task := self._task(connection):
                self._note(connection, task["id"], state="stopped", finished_at=tasks.now())
            number = self._add_task(connection)
            feed.set_task(connection, self._follower.name, number)
            self._remember(connection, self._follower.basis(connection))

    def _round(self) -> bool:
        """Process some new changes, or else some to be tried again, or else some existing studies.

        Returns whether there were any.
        """
        name, chunk = self._follower.name, self._follower.chunk or CHUNK
        with self._store.reading() as connection:
            has_other_basis = self._has_other_basis(connection)
        if has_other_basis:
            self._begin_again()
        with self._store.reading() as connection:
            changes = feed.after(connection, name, chunk)
            again = [] if changes else feed.due(connection, name, chunk)
            task = None if changes or again else self._task(connection)
            old = self._old(connection, task, chunk) if task else []
        self._is_behind = len(changes) == chunk or bool(again or task)
        if changes:
            self._take(changes, lambda at, some: feed.move(at, name, some[-1].number))
        elif again:

            def mend(at: duckdb.DuckDBPyConnection, some: list[Change]) -> None:
                for one in some:
                    feed.mend(at, name, one)

            self._take(again, mend)
        elif task:
            number = task["id"]
            self._take(old, lambda at, some: self._progress(at, number, some))
            if task["state"] == "waiting":
                tasks.log_begin(task)
            if len(old) < chunk:
                with self._store.writing() as connection:
                    ended = self._note(connection, number, state="done", finished_at=tasks.now())
                if ended is not None:
                    tasks.log_end(ended)
        return bool(changes or again or task)

    def _take(self, changes: list[Change], advance: Advance) -> None:
        """React to changes in one transaction or, if one of them raises, to halves of them.

        advance: records that these changes are done.
        """
        if not changes or self.ending.is_set():
            return
        try:
            writes = self._follower.react_to(self._store.reading, changes)
            with self._store.writing() as connection:
                for write in writes:
                    if write is not None:
                        write(connection)
                advance(connection, changes)
        except STORE_ERRORS:
            raise
        except BaseException as error:  # noqa: BLE001  the change is set aside, and the others are done
            if len(changes) == 1:
                self._set_aside(changes[0], advance, error)
            else:
                middle = len(changes) // 2
                for half in (changes[:middle], changes[middle:]):
                    self._take(half, advance)

    def _set_aside(self, change: Change, advance: Advance, error: BaseException) -> None:
        name, reason = self._follower.name, reason_of(error)
        pause = PAUSES_S[change.attempts] if change.attempts < len(PAUSES_S) else None
        then = f"retrying in {pause} s" if pause else "skipping it"
        _LOG.error("%s failed at study %d and %s: %s", name, change.study_id, then, reason)
        with self._store.writing() as connection:
            advance(connection, [change])
            next_try = None if pause is None else tasks.now() + timedelta(seconds=pause)
            feed.fail(connection, name, change, reason, next_try)

    # --- existing studies ---

    def _task(self, connection: Any) -> Task | None:
        found = (
            task
            for task in tasks.of_states(connection, OPEN)
            if task["kind"] == BACKFILL and task["parameters"]["follower"] == self._follower.name
        )
        return next(found, None)

    @staticmethod
    def _old(connection: Any, task: Task, chunk: int) -> list[Change]:
        return feed.there(
            connection, task["progress"].get("after", 0), task["parameters"]["upto"], chunk
        )

    def _progress(self, connection: Any, task_id: int, some: list[Change]) -> None:
        task = tasks.find_task(connection, task_id)
        if task is not None:
            done, progress = task["done"] + len(some), {"after": some[-1].study_id}
            self._note(connection, task_id, done=done, progress=progress)

    def _note(self, connection: Any, task_id: int, **values: Unpack[Task]) -> Task | None:
        """Write and return the task with these changes, or return None if it has ended."""
        task = tasks.find_task(connection, task_id)
        if task is None or task["state"] not in OPEN:
            return None
        started: Task = {
            "state": "running",
            "started_at": task["started_at"] or tasks.now(),
            "owner": str(self._owner),
            "alive_at": tasks.now(),
        }
        task |= started | values
        tasks.write_task(connection, task)
        return task


def _utc(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.isoformat(timespec='seconds')}Z"


def reason_of(error: BaseException) -> str:
    """Describe an error by its type and where it was raised; its message may hold values."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    place = f" in {at.tb_frame.f_code.co_name}, line {at.tb_lineno}" if at is not None else ""
    return f"{type(error).__name__}{place}"

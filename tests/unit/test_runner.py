"""The runner of long work: whatever a task raises and whenever, it ends in the store, and its place
is free; who works on a task, and what becomes of those that somebody left."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orthanc_dose.store import Batch, Store, StoreError, Writer, state, tasks
from orthanc_dose.work.clock import Clock
from orthanc_dose.work.followers import Followers
from orthanc_dose.work.owner import SILENCE_S, Owner
from orthanc_dose.work.runner import Kind, Place, Runner
from orthanc_dose.work.steps import Steps
from orthanc_dose.work.task import Failed, Job, Run, reason

ENDLESS = "SELECT count(*) FROM range(10000000) a, range(10000000) b, range(10000000) c"
PLACE = Place("tests", at_once=1)
SHORT, LASTING = Kind("short", PLACE), Kind("lasting", PLACE, lasting=True)
FULL = OSError(28, "No space left on device", "/Secret/of/Somebody")


class Queue:
    """The worker's thread, for what is submitted: done at once, or when the test says so."""

    def __init__(self, store: Store) -> None:
        self.writer = Writer(store)
        self.waiting: list[tuple[Future[Any], Callable[[Writer], Any]]] = []

    def submit(self, work: Callable[[Writer], Any]) -> Future[Any]:
        self.waiting.append((Future(), work))
        return self.waiting[-1][0]

    def wake(self) -> None:
        """Nobody sleeps."""

    def do(self) -> None:
        for future, work in self.waiting:
            future.set_result(work(self.writer))
        self.waiting.clear()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.close()


@pytest.fixture
def runner(store: Store) -> Iterator[Runner]:
    made = Runner(store, (SHORT, LASTING))
    made.join(Steps({}, made.owner), Queue(store), Followers(store, [], made.owner))
    yield made
    made.close()


def task(store: Store, number: int) -> tasks.Task:
    with store.reading() as connection:
        found = tasks.one(connection, number)
    assert found is not None
    return found


def ended(store: Store, number: int) -> tasks.Task:
    """The task when it has ended; the limit is a safety net."""
    for _ in range(1200):
        if task(store, number)["finished_at"]:
            return task(store, number)
        time.sleep(0.05)
    raise AssertionError(task(store, number))


def start(runner: Runner, work: Callable[[Run], dict[str, Any]], kind: Kind = SHORT) -> int:
    return runner.start(kind, "somebody", "", {}, work)


@contextmanager
def under_way(runner: Runner) -> Iterator[int]:
    """A task that has begun, and ends with the block."""
    reached, asked = threading.Event(), threading.Event()

    def work(run: Run) -> dict[str, Any]:
        reached.set()
        asked.wait()
        return {}

    number = start(runner, work)
    reached.wait()
    try:
        yield number
    finally:
        asked.set()


def test_a_task_that_is_stopped_between_two_statements_ends_in_the_next(
    runner: Runner, store: Store
) -> None:
    reached, asked, was_ended = threading.Event(), threading.Event(), threading.Event()

    def work(run: Run) -> dict[str, Any]:
        with store.snapshot() as run.connection:
            reached.set()
            asked.wait()
            with pytest.raises(duckdb.InterruptException):
                run.connection.execute(ENDLESS)
            was_ended.set()
        return {}

    number = start(runner, work)
    reached.wait()
    try:
        assert runner.stop(number).result(0)
    finally:
        asked.set()
    assert was_ended.wait(60), "the statement goes on"


def test_a_task_that_waits_ends_when_it_is_stopped(runner: Runner, store: Store) -> None:
    called = threading.Event()

    def never(run: Run) -> dict[str, Any]:
        called.set()
        return {}

    with under_way(runner) as first:
        waiting = start(runner, never)
        assert runner.stop(waiting).result(0)
        assert task(store, waiting)["state"] == "stopped" and task(store, waiting)["finished_at"]
        assert task(store, first)["state"] == "running"
    assert ended(store, first)["state"] == "done"
    assert ended(store, start(runner, lambda run: {}))["state"] == "done"
    assert not called.is_set() and task(store, waiting)["state"] == "stopped"


@pytest.mark.parametrize(("error", "said"), [
    (Failed("The node is gone."), "The node is gone."),
    (ValueError("Somebody^Secret"), "It failed because of an internal error: ValueError."),
    (FULL, "The disk is full."),
    (duckdb.IOException("Could not write /Secret: No space left on device"), "The disk is full."),
    (MemoryError(), "It failed because of an internal error: MemoryError."),
    (SystemExit(3), "It failed because of an internal error: SystemExit."),
    (KeyboardInterrupt(), "It failed because of an internal error: KeyboardInterrupt."),
])  # fmt: skip
def test_whatever_a_task_raises_it_fails_and_the_next_one_runs(
    error: BaseException,
    said: str,
    runner: Runner,
    store: Store,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def work(run: Run) -> dict[str, Any]:
        raise error

    failed = ended(store, start(runner, work))
    assert (failed["state"], failed["message"]) == ("failed", said) and reason(error) == said
    assert ended(store, start(runner, lambda run: {"rows": 1}))["result"] == {"rows": 1}
    assert not [one for one in caplog.messages if "Secret" in one]


def test_an_end_that_cannot_be_written_frees_the_place_and_is_written_later(
    runner: Runner, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = runner._queue
    assert isinstance(queue, Queue)
    noted, fails = runner._note, threading.Event()

    def note(number: int, **changes: Any) -> None:
        if fails.is_set():
            raise duckdb.IOException("Could not write file: No space left on device")
        noted(number, **changes)

    monkeypatch.setattr(runner, "_note", note)

    def work(run: Run) -> dict[str, Any]:
        fails.set()
        raise FULL

    first = start(runner, work)
    while not queue.waiting:
        time.sleep(0.01)
    # The disk is full still: nothing can be written, and the worker is to try again.
    with pytest.raises(duckdb.IOException):
        queue.do()
    assert task(store, first)["state"] == "running"
    fails.clear()
    # The place is free before the end is written.
    assert ended(store, start(runner, lambda run: {}))["state"] == "done"
    queue.do()
    assert task(store, first)["message"] == "The disk is full."
    assert task(store, first)["state"] == "failed" and task(store, first)["finished_at"]


def test_a_result_that_fits_into_no_store_is_a_failure(runner: Runner, store: Store) -> None:
    number = start(runner, lambda run: {"not JSON": object()})
    queue = runner._queue
    assert isinstance(queue, Queue)
    while not queue.waiting:
        time.sleep(0.01)
    queue.do()
    assert ended(store, number)["message"] == "It failed because of an internal error: TypeError."
    assert task(store, number)["state"] == "failed"


def test_a_thread_that_cannot_be_had_fails_the_task(
    runner: Runner, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", none)
        number = start(runner, lambda run: {})
    assert task(store, number)["message"] == "It failed because of an internal error: RuntimeError."
    assert ended(store, start(runner, lambda run: {}))["state"] == "done"


# --- owners ---


def left(store: Store, kind: str, owner: str | None, silent_s: float = 0.0) -> int:
    """A task that is under way, by somebody who gave a sign of life so long ago."""
    number = tasks.create(store, kind, "somebody", owner=owner)
    alive_at = owner and tasks.now() - timedelta(seconds=silent_s)
    with store.writing() as connection:
        tasks.put(connection, task(store, number) | {"state": "running", "alive_at": alive_at})
    return number


def test_what_dead_owners_left_is_broken_off_or_goes_on(store: Store) -> None:
    node = Owner.of_this_process(store).node
    before = left(store, "short", f"{node}/before")
    unnamed = left(store, "short", None)
    silent = left(store, "short", "other/one", SILENCE_S + 5)
    alive = left(store, "short", "other/two", SILENCE_S - 20)
    lasting = [left(store, "lasting", owner) for owner in (f"{node}/before", "other/two")]
    runner = Runner(store, (SHORT, LASTING))
    runner.join(Steps({}, runner.owner), Queue(store), Followers(store, [], runner.owner))
    assert [task(store, number)["state"] for number in (before, unnamed, silent, alive)] == [
        "broken off",
        "broken off",
        "broken off",
        "running",
    ]
    runner.resume(LASTING, lambda one: lambda run: {"went on": one["id"]})
    runner.beat()
    assert ended(store, lasting[0])["result"] == {"went on": lasting[0]}
    assert task(store, lasting[0])["owner"] == str(runner.owner)
    assert task(store, lasting[1])["state"] == "running", "another node is at it"
    # Its node dies later.
    with store.writing() as connection:
        connection.execute("UPDATE task SET alive_at = alive_at - INTERVAL 1 HOUR")
    runner.beat()
    assert task(store, alive)["state"] == "broken off"
    assert ended(store, lasting[1])["result"] == {"went on": lasting[1]}
    runner.close()


def test_a_lasting_task_that_cannot_go_on_fails(runner: Runner, store: Store) -> None:
    number = left(store, "lasting", None)

    def cannot(found: tasks.Task) -> Callable[[Run], dict[str, Any]]:
        raise KeyError(found["parameters"])

    runner.resume(LASTING, cannot)
    runner.beat()
    assert ended(store, number)["message"] == "It failed because of an internal error: KeyError."
    assert task(store, number)["state"] == "failed"


def test_the_writer_finds_what_another_node_left(store: Store) -> None:
    runner, queue = Runner(store, (SHORT,)), Queue(store)
    steps, writer = Steps({"job": Counting}, runner.owner), queue.writer
    runner.join(steps, queue, Followers(store, [], runner.owner))
    number = left(store, "job", "other/one")
    assert not steps.step(writer), "another node is at it"
    with store.writing() as connection:
        connection.execute("UPDATE task SET alive_at = alive_at - INTERVAL 1 HOUR")
    runner.beat()
    while steps.step(writer):
        pass
    assert task(store, number)["state"] == "done"
    runner.close()


def test_a_node_keeps_its_name_and_each_process_has_its_own(store: Store) -> None:
    one, another = Owner.of_this_process(store), Owner.of_this_process(store)
    assert one.node == another.node and one.process != another.process
    with store.reading() as connection:
        assert state.get(connection, "node") == one.node


def test_a_beat_is_a_sign_of_life_of_what_runs(runner: Runner, store: Store) -> None:
    with under_way(runner) as number:
        with store.writing() as connection:
            connection.execute("UPDATE task SET alive_at = NULL")
        runner.beat()
        assert task(store, number)["alive_at"] is not None
        assert task(store, number)["state"] == "running", "it is nobody's that is gone"
    ended(store, number)


def test_the_tasks_of_an_older_store_get_an_owner(tmp_path: Path) -> None:
    first = Store(tmp_path)
    numbers = [tasks.create(first, kind, "somebody") for kind in ("short", "job")]
    first.close()
    with duckdb.connect(str(first.path)) as connection:
        connection.execute("UPDATE task SET state = 'running'")
        for column in ("owner", "alive_at"):
            connection.execute(f"ALTER TABLE task DROP COLUMN {column}")
    store = Store(tmp_path)
    runner = Runner(store, (SHORT,))
    assert task(store, numbers[0])["state"] == "broken off"
    steps, writer = Steps({"job": Counting}, runner.owner), Writer(store)
    while steps.step(writer):
        pass
    done = task(store, numbers[1])
    assert (done["state"], done["owner"]) == ("done", str(runner.owner)) and done["alive_at"]
    writer.close()
    store.close()


# --- the writer's place ---


class Counting(Job):
    """Two steps and an end, each of which can be made to fail."""

    kind = "job"
    fails_at = ""
    error: BaseException = ValueError("Somebody^Secret")

    def __init__(self, task: tasks.Task) -> None:
        super().__init__(task)
        self._at("making")

    def _at(self, place: str) -> None:
        if self.parameters.get("fails_at") == place:
            raise self.error

    def step(self, writer: Writer) -> Batch | None:
        self._at("step")
        if self.done == 2:
            return None
        self.done += 1
        if self.parameters.get("fails_at") == "result":
            self.result = {"not JSON": object()}
        return Batch(more=lambda connection: self._at("writing"))

    def end(self) -> None:
        self._at("end")


@pytest.mark.parametrize(
    "error", [ValueError("Somebody^Secret"), FULL, SystemExit("Somebody^Secret")], ids=repr
)
@pytest.mark.parametrize("place", ["making", "step", "writing", "result", "end"])
def test_whatever_a_job_raises_it_fails_and_the_next_one_runs(
    place: str, error: BaseException, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Counting, "error", error)
    owner, writer = Owner.of_this_process(store), Writer(store)
    steps = Steps({"job": Counting}, owner)
    failing = tasks.create(store, "job", "somebody", parameters={"fails_at": place})
    next_one = tasks.create(store, "job", "somebody")
    for _ in range(10):
        try:
            steps.step(writer)
        except OSError:
            # As the store's: the worker opens it anew, and goes on.
            assert place == "writing" and error is FULL
            steps.forget()
            monkeypatch.setattr(Counting, "error", ValueError("Somebody^Secret"))
    found = task(store, failing)
    assert task(store, next_one)["state"] == "done"
    if place == "end":
        assert found["state"] == "done"
    else:
        assert found["state"] == "failed" and "Secret" not in found["message"]
    writer.close()


def test_a_job_waits_for_the_store(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Counting, "error", StoreError("the store is currently unavailable"))
    steps, writer = Steps({"job": Counting}, Owner.of_this_process(store)), Writer(store)
    number = tasks.create(store, "job", "somebody", parameters={"fails_at": "writing"})
    for _ in range(3):
        with pytest.raises(StoreError):
            steps.step(writer)
        steps.forget()
    assert task(store, number)["state"] == "running"
    monkeypatch.setattr(Counting, "_at", lambda job, place: None)
    while steps.step(writer):
        pass
    assert task(store, number)["state"] == "done"
    writer.close()


# --- the clock ---


def test_a_turn_that_fails_is_tried_again_and_the_others_have_theirs() -> None:
    clock, told, done = Clock(), [], threading.Event()

    def fails() -> None:
        told.append("fails")
        if told.count("fails") == 1:
            raise duckdb.IOException("Somebody^Secret")
        done.set()

    clock.every(3600, "what fails", fails)
    clock.every(3600, "the other", lambda: told.append("other"))
    clock.start()
    assert done.wait(60)
    clock.close()
    assert told == ["fails", "other", "fails"]

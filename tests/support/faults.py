"""Makes one call of the store, one opening of a file, or one write to it fail within a task.

It is loaded into Orthanc with the plugin (plugin_with_faults.py), and controlled by a file. A
*point* is what can fail in a task: a call of a connection to the store, or what Python does to a
file or a process (its audit events, and writes, which have none), on the thread that works on the
task. It is named by the two places in the program that led to it. Points are found by running a
task, never listed.
"""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import duckdb

from tests.support.follower import Echo

FOLDER = "TEST_FAULTS"  # the environment variable that names the folder of `told` and `seen`
SECRET = "Somebody^Secret"  # the text of an error, which must never be revealed
_PACKAGE = f"{os.sep}orthanc_dose{os.sep}"
_OF_FILES = {
    "open",
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.symlink",
    "shutil.move",
    "shutil.rmtree",
    "subprocess.Popen",
}
_WRITES = {"write", "writelines", "flush", "truncate"}
_IN_MEMORY = (io.BytesIO, io.StringIO)


class _Watch:
    """The points of the thread's task. kind: returns the kind of task that the thread works on."""

    def __init__(self, kind: Callable[[], str | None]) -> None:
        self.kind = kind
        self.told = _told()
        self.seen: list[str] = []


_here = threading.local()
_fired: set[int] = set()
_instead_done: set[int] = set()


def _folder() -> Path:
    return Path(os.environ[FOLDER])


def _told() -> dict[str, Any]:
    """Return what the test wants.

    number: of this request; of, point and error: a kind of task, which point of it is to fail, and
    how; instead: kind and parameters of the task that is started in place of the writer's next one.
    """
    try:
        return json.loads((_folder() / "told").read_text())
    except OSError:
        return {"number": 0}


def _error(kind: str) -> BaseException:
    if kind == "commit":
        return duckdb.TransactionException(f"{SECRET}: Failed to commit: No space left on device")
    if kind == "fatal":
        return duckdb.FatalException(f"{SECRET}: No space left on device")
    if kind == "memory":
        return duckdb.OutOfMemoryException(SECRET)
    if kind == "full":
        return duckdb.IOException(f"{SECRET}: No space left on device")
    return OSError(28, SECRET) if kind == "disk" else RuntimeError(SECRET)


def _die(name: str, number: int) -> None:
    """End like after a power cut, and tell the next process that this has been done."""
    with open(_folder() / "killed", "a") as file:
        file.write(f"{number} {name}\n")
        file.flush()
        os.fsync(file.fileno())
    os.kill(os.getpid(), signal.SIGKILL)


def _was_killed(number: int) -> bool:
    path = _folder() / "killed"
    return path.exists() and any(
        line.split()[0] == str(number) for line in path.read_text().splitlines()
    )


def _point(what: str) -> None:
    """Pass a point: fail, or end the process, if that is wanted."""
    watch: _Watch | None = getattr(_here, "watch", None)
    if watch is None or watch.kind() is None:
        return
    _here.watch = None  # what follows here is the test's own
    try:
        name = f"{what} {' '.join(_places())}"
        watch.seen.append(name)
        number = watch.told["number"]
        is_wanted = (watch.kind(), name) == (watch.told.get("of"), watch.told.get("point"))
        if is_wanted and number not in _fired:
            _fired.add(number)
            if watch.told["error"] == "kill":
                if not _was_killed(number):
                    _die(name, number)
            else:
                raise _error(watch.told["error"])
    finally:
        _here.watch = watch


def _places() -> list[str]:
    found: list[str] = []
    frame: Any = sys._getframe(2)
    while frame is not None and len(found) < 2:
        file = frame.f_code.co_filename
        if _PACKAGE in file:
            found.append(f"{Path(file).name}:{frame.f_lineno}")
        frame = frame.f_back
    return found


@contextmanager
def _watching(kind: Callable[[], str | None], sees_writes: bool) -> Any:
    """Watch what the thread does.

    sees_writes: from the start, instead of from the first file that it opens for writing: this
    slows down whatever it does.
    """
    outer = getattr(_here, "watch", None)
    watch = _here.watch = _Watch(kind)
    if sees_writes:
        sys.setprofile(_called)
    try:
        yield
    finally:
        sys.setprofile(None)
        _here.watch = outer
        if watch.seen:
            with open(_folder() / "seen", "a") as file:
                said = {"number": watch.told["number"], "kind": kind(), "points": watch.seen}
                said["fired"] = watch.told["number"] in _fired
                file.write(json.dumps(said) + "\n")


class _Connection:
    """A connection to the store, each call of which is a point."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._connection, name)
        if not callable(found) or name == "interrupt":
            return found

        def call(*given: Any, **named: Any) -> Any:
            first = str(given[0]) if name == "execute" and given else ""
            if first == "COMMIT":
                _point("store.before-commit")
                result = found(*given, **named)
                _point("store.after-commit")
                return result
            # A failed rollback is of no consequence: what follows it is an error already.
            if first != "ROLLBACK":
                _point(f"store.{name}")
            return found(*given, **named)

        return call


def _audit(event: str, given: tuple[Any, ...]) -> None:
    if event in _OF_FILES and getattr(_here, "watch", None) is not None:
        path = str(given[0]) if given else ""
        if event == "open" and (path.endswith((".py", ".pyc", ".so")) or path.startswith("/proc")):
            return
        _point(event)
        if event == "open" and (given[2] & (os.O_WRONLY | os.O_RDWR)):
            sys.setprofile(_called)


def _called(frame: FrameType, event: str, what: Any) -> None:
    """Notice a write to a file, which is a C call. Writes to the log are not part of the task."""
    if event != "c_call" or what.__name__ not in _WRITES:
        return
    file = getattr(what, "__self__", None)
    if not isinstance(file, io.IOBase) or isinstance(file, _IN_MEMORY):
        return
    caller: FrameType | None = frame
    while caller is not None:
        if caller.f_code.co_filename.startswith(str(Path(logging.__file__).parent)):
            return
        caller = caller.f_back
    _point(f"file.{what.__name__}")


def install() -> None:
    """Put the points into the program."""
    from orthanc_dose import app
    from orthanc_dose.ingest.worker import Worker
    from orthanc_dose.store import Store
    from orthanc_dose.work import followers as of_followers
    from orthanc_dose.work.runner import Runner
    from orthanc_dose.work.steps import Steps

    connection, work, step = Store.connection, Runner._work, Steps.step_oldest_task
    join, add = Runner.join, Runner.add

    def with_points(store: Any) -> Any:
        return _Connection(connection(store))

    def watched_work(runner: Any, run: Any) -> None:
        with _watching(lambda: run.kind, sees_writes=True):
            work(runner, run)

    def watched_step(steps: Any, writer: Any) -> bool:
        last: list[str | None] = [None]

        def kind() -> str | None:
            if steps._task is not None:
                last[0] = steps._task["kind"]
            return last[0]

        with _watching(kind, sees_writes=False):
            return step(steps, writer)

    def told_kinds(runner: Any, steps: Any, queue: Any, followers: Any) -> None:
        join(runner, steps, queue, followers)
        kinds = {"threads": [kind.name for kind in runner.kinds], "steps": list(steps.kinds)}
        (_folder() / "kinds").write_text(json.dumps(kinds))

    def instead(
        runner: Any, kind: str, user: str, subject: str = "", parameters: Any = None
    ) -> int:
        told = _told()
        if told.get("instead") and told["number"] not in _instead_done:
            _instead_done.add(told["number"])
            kind, parameters = told["instead"]
        return add(runner, kind, user, subject, parameters)

    round_, follow = Worker._round, of_followers._Thread._round

    def watched_round(worker: Any, writer: Any) -> bool:
        with _watching(lambda: "worker", sees_writes=False):
            return round_(worker, writer)

    def watched_follow(thread: Any) -> bool:
        with _watching(lambda: "follower", sees_writes=False):
            return follow(thread)

    Worker._round = watched_round  # type: ignore[method-assign]
    of_followers._Thread._round = watched_follow  # type: ignore[method-assign]
    app.FOLLOWERS = (*app.FOLLOWERS, Echo)
    Store.connection = with_points  # type: ignore[method-assign]
    Runner._work = watched_work  # type: ignore[method-assign]
    Steps.step_oldest_task = watched_step  # type: ignore[method-assign]
    Runner.join = told_kinds  # type: ignore[method-assign]
    Runner.add = instead  # type: ignore[method-assign]
    sys.addaudithook(_audit)

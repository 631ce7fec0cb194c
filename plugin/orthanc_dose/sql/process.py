"""The process of a statement, from the side of who starts it: a Python of its own, which can be
ended at any moment, and takes no more than the kernel lets it.

Its end by the end of ours hangs on the thread that started it (PR_SET_PDEATHSIG): start it on
threads that stay, as those of requests and tasks do."""

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .child import IDLE_S
from .statement import Refused

# Of what it says: an answer for the page is held to results.LARGEST_ANSWER, as JSON it is longer.
_LONGEST = 100_000_000
_LOOK_S = 0.1  # how often it is looked whether it is to end
_START_S = 60.0  # for a machine that has too much to do
_PROGRAM = "import sys; sys.path[:] = {path!r}; from orthanc_dose.sql.child import main; main({us})"
# What a Python may need to start, and DuckDB to know the time zone.
_KEPT = ("LD_LIBRARY_PATH", "TZ")


class Died(Exception):
    """The process ended without an answer."""


class Process:
    """A process that waits for one job. Raises Refused where there is none to be had."""

    def __init__(self, folder: Path) -> None:
        """folder: an empty one, in which it runs."""
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        program = _PROGRAM.format(path=[path for path in sys.path if path], us=os.getpid())
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # sys.executable is the real Python, also inside Orthanc: plugin/main.py.
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=folder,
                env={**environment, "LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "2"},
                start_new_session=True,
                bufsize=0,
            )
        except OSError as error:
            raise Refused(
                f"SQL cannot run: the process for it cannot be started ({type(error).__name__}).",
                code="sql_failed",
            ) from error
        assert self._process.stdin is not None and self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        self._started = time.monotonic()

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def is_usable(self) -> bool:
        """Whether it waits for a job, and will for some time yet (child.IDLE_S)."""
        return self.is_there() and time.monotonic() - self._started < IDLE_S / 2

    def is_there(self) -> bool:
        """Whether it has not ended yet; reaps it where it has."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End it at once. May be called from any thread, and at any time."""
        self._process.kill()

    def close(self) -> bool:
        """End it, if it has not, and wait a moment until it is gone, which takes a large process
        longer; whether it is."""
        self.kill()
        for pipe in (self._in, self._out):
            with contextlib.suppress(OSError):  # what was to be written is for nobody
                pipe.close()
        try:
            self._process.wait(_LOOK_S)
        except subprocess.TimeoutExpired:
            return False
        return True

    def wait_until_ready(self, check: Callable[[], None]) -> None:
        """Wait for its start. `check` raises what ends the waiting. Raises Died."""
        next(self._messages(self._started + _START_S, check))

    def do(self, job: dict[str, Any], check: Callable[[], None]) -> Iterator[dict[str, Any]]:
        """Give it its job; what it says of it. Raises Died, and what `check` raises, which is asked
        again and again."""
        try:
            self._in.write(json.dumps(job).encode() + b"\n")
        except OSError as error:
            raise Died from error
        yield from self._messages(None, check)

    def _messages(self, until: float | None, check: Callable[[], None]) -> Iterator[dict[str, Any]]:
        waiting = select.poll()
        waiting.register(self._out, select.POLLIN)
        length = 0
        parts: list[bytes] = []
        while True:
            check()
            if not waiting.poll(_LOOK_S * 1000):
                # What a process said long ago counts: one that waited for its job was ready in time.
                if until is not None and time.monotonic() > until:
                    raise Died
                continue
            found = os.read(self._out.fileno(), 1 << 20)
            length += len(found)
            if not found or length > _LONGEST:
                raise Died
            parts.append(found)
            if b"\n" in found:
                *lines, rest = b"".join(parts).split(b"\n")
                parts = [rest]
                for line in lines:
                    yield json.loads(line)

    def status(self) -> int | None:
        """With what it ended, negative for a signal; None where it has not ended."""
        return self._process.poll()

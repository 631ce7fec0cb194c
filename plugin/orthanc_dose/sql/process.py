"""The process of a statement, from the side of its parent: a separate Python that can be killed at
any moment, and takes no more than the kernel permits.

That it ends together with our process depends on the thread that started it (PR_SET_PDEATHSIG):
start it on long-lived threads, such as those of requests and tasks.
"""

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

# Limit of its output: an answer for the page is limited to results.LARGEST_ANSWER, but is longer as
# JSON.
_LONGEST = 100_000_000
_LOOK_S = 0.1  # how often it is checked whether the process is to end
_START_S = 60.0  # for a machine under heavy load
_PROGRAM = "import sys; sys.path[:] = {path!r}; from orthanc_dose.sql.child import main; main({us})"
# What Python may need to start, and DuckDB to know the time zone.
_KEPT = ("LD_LIBRARY_PATH", "TZ")


class Died(Exception):
    """The process ended without an answer."""


class Process:
    """A process that waits for one job. Raises Refused if it cannot be started."""

    def __init__(self, folder: Path) -> None:
        """Start the process in `folder`, which is empty."""
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
                "SQL is not available, because its process could not be started "
                f"({type(error).__name__}).",
                code="sql_failed",
            ) from error
        assert self._process.stdin is not None and self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        self._started = time.monotonic()

    @property
    def pid(self) -> int:
        """The process ID."""
        return self._process.pid

    def is_usable(self) -> bool:
        """Return whether it waits for a job, and will for some time yet (child.IDLE_S)."""
        return self.is_there() and time.monotonic() - self._started < IDLE_S / 2

    def is_there(self) -> bool:
        """Return whether it is still running; reaps it if not."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Kill it immediately. Can be called from any thread and at any time."""
        self._process.kill()

    def close(self) -> bool:
        """Kill it if it is still running, and return whether it is gone after a short wait.

        A large process takes longer to be gone.
        """
        self.kill()
        for pipe in (self._in, self._out):
            with contextlib.suppress(OSError):  # nobody needs what was to be written
                pipe.close()
        try:
            self._process.wait(_LOOK_S)
        except subprocess.TimeoutExpired:
            return False
        return True

    def wait_until_ready(self, check: Callable[[], None]) -> None:
        """Wait for its start. `check` raises to end the waiting. Raises Died."""
        next(self._messages(self._started + _START_S, check))

    def do(self, job: dict[str, Any], check: Callable[[], None]) -> Iterator[dict[str, Any]]:
        """Give it its job and yield its messages.

        Raises Died, and what `check` raises, which is called again and again.
        """
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
                # Only if it has sent nothing: a process that waited for its job was ready in time.
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
        """Return its exit status, negative for a signal; None if it is still running."""
        return self._process.poll()

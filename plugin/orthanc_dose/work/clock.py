"""The one thread that watches the time.

Whatever is done at set times or periodically is given its turn here.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_LOG = logging.getLogger(__name__)
# Seconds until a failed turn is tried again, growing from the first to the last.
FIRST_PAUSE, LAST_PAUSE = 1.0, 60.0


@dataclass
class _Turn:
    name: str
    every: float
    do: Callable[[], object]
    next: float = 0.0
    pause: float = FIRST_PAUSE
    error: str | None = None  # the error of the last try

    def take(self) -> None:
        try:
            self.do()
        except BaseException as error:  # noqa: BLE001  the others have their turns, and this one another
            if self.error != type(error).__name__:
                _LOG.error("%s failed and will be retried", self.name, exc_info=error)
            self.error = type(error).__name__
            self.next = time.monotonic() + min(self.pause, self.every)
            self.pause = min(self.pause * 2, LAST_PAUSE)
        else:
            self.next = time.monotonic() + self.every
            self.pause, self.error = FIRST_PAUSE, None


class Clock:
    """Takes turns one after the other, each at the start and then periodically.

    A turn that needs long starts a task or wakes another thread.
    """

    def __init__(self) -> None:
        self._turns: list[_Turn] = []
        self._ending = threading.Event()
        # The interpreter waits for non-daemon threads before it calls what ends them.
        self._thread = threading.Thread(target=self._run, name="dose-clock", daemon=True)

    def every(self, seconds: float, name: str, do: Callable[[], object]) -> None:
        """Register a function to be called periodically; do so before the clock is started.

        seconds: from one call to the next. name: its name in the log. An exception that it raises
        is logged, and it is tried again after 1 s to 60 s, and no later than its next regular turn.
        """
        self._turns.append(_Turn(name, seconds, do))

    def start(self) -> None:
        """Start with one turn of each function."""
        self._thread.start()

    def close(self) -> None:
        """Stop after the current turn, and join the thread."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._ending.is_set():
            for turn in self._turns:
                if time.monotonic() >= turn.next and not self._ending.is_set():
                    turn.take()
            nearest = min(
                (turn.next for turn in self._turns), default=time.monotonic() + LAST_PAUSE
            )
            self._ending.wait(max(0.0, nearest - time.monotonic()))

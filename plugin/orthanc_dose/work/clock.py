"""The one thread that looks at the time. Whatever is done at set times, or again and again, has its
turn here.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_LOG = logging.getLogger(__name__)
# Seconds until a turn that failed is tried again, growing from the first to the last.
FIRST_PAUSE, LAST_PAUSE = 1.0, 60.0


@dataclass
class _Turn:
    name: str
    every: float
    do: Callable[[], object]
    next: float = 0.0
    pause: float = FIRST_PAUSE
    error: str | None = None  # of the last try

    def take(self) -> None:
        try:
            self.do()
        except BaseException as error:  # noqa: BLE001  the others have their turns, and this one another
            if self.error != type(error).__name__:
                _LOG.error("%s could not be done, and is tried again", self.name, exc_info=error)
            self.error = type(error).__name__
            self.next = time.monotonic() + min(self.pause, self.every)
            self.pause = min(self.pause * 2, LAST_PAUSE)
        else:
            self.next = time.monotonic() + self.every
            self.pause, self.error = FIRST_PAUSE, None


class Clock:
    """Gives turns, one after the other: each at the start, and then so often. What takes long
    begins a task, or wakes another thread.
    """

    def __init__(self) -> None:
        self._turns: list[_Turn] = []
        self._ending = threading.Event()
        # The interpreter waits for threads that are no daemons before it calls what ends them.
        self._thread = threading.Thread(target=self._run, name="dose-clock", daemon=True)

    def every(self, seconds: float, name: str, do: Callable[[], object]) -> None:
        """Do this now and then, before the clock is started. name: what the log calls it. What it
        raises is logged, and it is tried again after 1 s to 60 s, and no later than it would have
        been."""
        self._turns.append(_Turn(name, seconds, do))

    def start(self) -> None:
        """Begin with a turn of each."""
        self._thread.start()

    def close(self) -> None:
        """End after the turn at hand, and join the thread."""
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

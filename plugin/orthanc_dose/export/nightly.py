"""Something that is done once a day, at an hour of the server's place."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from ..store import Store, state

_LOG = logging.getLogger(__name__)
_EVERY_S = 30.0
_STATE = "nightly_copy_of"  # the day that it was last done for, as YYYY-MM-DD


def is_due(now: datetime, hour: int, last: str | None) -> bool:
    """Whether it is to be done now, the server's local time: today's hour has come, and it was not
    done since. A server that slept through it does it late."""
    return now.hour >= hour and (last is None or last < now.date().isoformat())


class Nightly:
    """A thread that looks at the clock. hour: at which to begin, None for never; do: begins it."""

    def __init__(
        self,
        store: Store,
        hour: Callable[[], int | None],
        do: Callable[[], object],
        now: Callable[[], datetime],
    ) -> None:
        self._store, self._hour, self._do, self._now = store, hour, do, now
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="dose-nightly", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """End the thread, and join it."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._ending.is_set():
            try:
                self._look()
            except Exception as error:  # noqa: BLE001  it is tried again
                _LOG.error("the nightly copy could not begin", exc_info=error)
            self._ending.wait(_EVERY_S)

    def _look(self) -> None:
        hour = self._hour()
        if hour is None:
            return
        now = self._now()
        with self._store.reading() as connection:
            last = state.get(connection, _STATE)
        if not is_due(now, hour, last):
            return
        with self._store.writing() as connection:
            state.put(connection, _STATE, now.date().isoformat())
        self._do()

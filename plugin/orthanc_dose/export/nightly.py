"""Something that is done once a day, at an hour of the server's place."""

from collections.abc import Callable
from datetime import datetime

from ..store import Store, state

EVERY_S = 30.0
_STATE = "nightly_copy_of"  # the day that it was last done for, as YYYY-MM-DD


def is_due(now: datetime, hour: int, last: str | None) -> bool:
    """Whether it is to be done now, the server's local time: today's hour has come, and it was not
    done since. A server that slept through it does it late."""
    return now.hour >= hour and (last is None or last < now.date().isoformat())


class Nightly:
    """Knows when it is due. hour: at which to begin, None for never; do: begins it."""

    def __init__(
        self,
        store: Store,
        hour: Callable[[], int | None],
        do: Callable[[], object],
        now: Callable[[], datetime],
    ) -> None:
        self._store, self._hour, self._do, self._now = store, hour, do, now

    def look(self) -> None:
        """Begin it where it is due: a turn of the clock, every EVERY_S."""
        hour = self._hour()
        if hour is None:
            return
        now = self._now()
        with self._store.reading() as connection:
            last = state.get(connection, _STATE)
        if not is_due(now, hour, last):
            return
        self._note(now.date().isoformat())
        try:
            self._do()
        except Exception:
            self._note(last or "")  # so it is tried again
            raise

    def _note(self, day: str) -> None:
        with self._store.writing() as connection:
            state.put(connection, _STATE, day)

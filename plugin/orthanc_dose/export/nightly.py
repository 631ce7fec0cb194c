"""A job that runs once a day, at an hour of the server's local time."""

from collections.abc import Callable
from datetime import datetime

from ..store import Store, state

EVERY_S = 30.0
_STATE = "nightly_copy_of"  # the day for which it last ran, as YYYY-MM-DD


def is_due(now: datetime, hour: int, last: str | None) -> bool:
    """Return whether the job is due now, in the server's local time.

    It is due if today's hour has come and it has not run since. A server that was down at that hour
    runs it late.
    """
    return now.hour >= hour and (last is None or last < now.date().isoformat())


class Nightly:
    """Starts the job when it is due. hour: when to start, None for never; do: starts it."""

    def __init__(
        self,
        store: Store,
        hour: Callable[[], int | None],
        do: Callable[[], object],
        now: Callable[[], datetime],
    ) -> None:
        self._store, self._hour, self._do, self._now = store, hour, do, now

    def start_if_due(self) -> None:
        """Start the job if it is due. Called by a clock, every EVERY_S seconds."""
        hour = self._hour()
        if hour is None:
            return
        now = self._now()
        with self._store.reading() as connection:
            last = state.read_state(connection, _STATE)
        if not is_due(now, hour, last):
            return
        self._note(now.date().isoformat())
        try:
            self._do()
        except Exception:
            self._note(last or "")  # so that it is retried
            raise

    def _note(self, day: str) -> None:
        with self._store.writing() as connection:
            state.write_state(connection, _STATE, day)

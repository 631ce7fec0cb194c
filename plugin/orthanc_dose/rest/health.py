"""Tells load balancers whether the server works."""

import os
import tempfile
import threading
import time
from collections.abc import Callable

import duckdb

from ..store import Store, StoreError, state

# Seconds for which a check is not repeated: anybody may ask for it.
_CHECKED_FOR = 2.0
_TRIAL = bytes(4096)  # what is written to see whether the disk takes anything


class Health:
    """Checks store, worker and disk. Safe to be used from several threads."""

    def __init__(self, store: Store, is_working: Callable[[], bool]) -> None:
        """Create the checks. is_working: returns whether the worker runs."""
        self._store, self._is_working = store, is_working
        self._lock = threading.Lock()
        self._found: dict[str, bool] = {}
        self._checked_at = float("-inf")

    def check(self) -> dict[str, bool]:
        """Return whether "store", "worker" and "disk" work.

        Whoever asks while a check is running gets the result of the previous one.
        """
        if self._lock.acquire(blocking=not self._found):
            try:
                if time.monotonic() - self._checked_at > _CHECKED_FOR:
                    self._found = {"store": self._reads(), "disk": self._writes()}
                    self._checked_at = time.monotonic()
            finally:
                self._lock.release()
        return self._found | {"worker": self._is_working()}

    def _reads(self) -> bool:
        try:
            with self._store.reading() as connection:
                return state.read_state(connection, "schema_version") is not None
        except (StoreError, duckdb.Error):
            return False

    def _writes(self) -> bool:
        try:
            with tempfile.TemporaryFile(dir=self._store.path.parent) as file:
                file.write(_TRIAL)
                file.flush()
                os.fdatasync(file.fileno())  # some disks say only now that they failed
        except OSError:
            return False
        return True

"""What is kept for a set time only, and forgotten by the worker when the time is over."""

import time
from collections.abc import Callable, Sequence

import duckdb

from ..store import Store

Chore = Callable[[duckdb.DuckDBPyConnection], object]
_EVERY_S = 3600.0


class Housekeeping:
    """Does its chores, each in a transaction of its own, at the start and then once an hour."""

    def __init__(self, store: Store, chores: Sequence[Chore]) -> None:
        self._store = store
        self._chores = chores
        self._next = 0.0

    def step(self) -> None:
        """Do them, where an hour went by."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EVERY_S
        for chore in self._chores:
            with self._store.writing() as connection:
                chore(connection)

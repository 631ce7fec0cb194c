"""Noticing that a store has lost its last transactions.

DuckDB opens a store whose log was cut or removed without a word: what the log held is gone. So
each transaction is counted in the store, within the transaction, and, once it is committed, in a
small file beside it. The file is overwritten in place and not flushed, which takes microseconds:
after a kill, or a loss of power, it may be behind the store, but never ahead of it. If it is ahead
when the store is opened, the store has lost transactions.

The writer and `Store.writing` are counted separately, since both write at the same time.
"""

import contextlib
import json
import logging
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from . import state

_LOG = logging.getLogger(__name__)
WRITER, BESIDE = "writer", "beside"
_COUNTERS = {WRITER: "transactions", BESIDE: "transactions_beside"}
LOST = "lost_transactions"  # the state by which a store says that it lost some
_LENGTH = 256  # of the file: within one sector, so that it is never half written


class Marks:
    """The counters of a store and its file of marks. Can be used from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._file: int | None = None
        self._counts = dict.fromkeys(_COUNTERS, 0)

    def open(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Compare the file with the store, which has just been opened, and follow it from now on.

        What is missing is logged and remembered in the store (LOST).
        """
        self._counts = counts(connection)
        told = read_mark(self._path)
        missing = {name: told.get(name, 0) - count for name, count in self._counts.items()}
        with contextlib.suppress(OSError):
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        if any(count > 0 for count in missing.values()):
            lost = {name: max(0, count) for name, count in missing.items()}
            _LOG.error(
                "the store has lost its last transactions: %d with objects and studies, %d with "
                "settings, users and tasks, the last of them at %s UTC. Objects are read again "
                "from Orthanc; compare settings and users with the newest backup "
                "(docs/operations.md)",
                lost[WRITER],
                lost[BESIDE],
                told.get("at", "an unknown time"),
            )
            with contextlib.suppress(duckdb.Error):  # the disk may be full
                _remember(connection, lost | {"last_at": told.get("at")})
        self._write()

    def close(self) -> None:
        """Wait until the file is on the disk, and close it."""
        with self._lock:
            number, self._file = self._file, None
        if number is not None:
            with contextlib.suppress(OSError):
                os.fsync(number)
            os.close(number)

    def count(self, connection: duckdb.DuckDBPyConnection, who: str) -> None:
        """Count a transaction within it. who: WRITER or BESIDE, one transaction at a time each."""
        state.write_state(connection, _COUNTERS[who], str(self._counts[who] + 1))

    def committed(self, who: str) -> None:
        """Note that the transaction was committed."""
        with self._lock:
            self._counts[who] += 1
            self._write()

    def _write(self) -> None:
        if self._file is None:
            return
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        content = json.dumps({**self._counts, "at": at}).ljust(_LENGTH - 1) + "\n"
        with contextlib.suppress(OSError):  # then it is behind
            os.pwrite(self._file, content.encode("ascii"), 0)


def counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Return the transactions counted in a store, by WRITER and BESIDE."""
    return {who: int(state.read_state(connection, name) or 0) for who, name in _COUNTERS.items()}


def read_mark(path: Path) -> dict[str, Any]:
    """Return what a file of marks says: counts, and at; nothing if there is none."""
    try:
        told = json.loads(path.read_bytes())
        return {**{who: int(told[who]) for who in _COUNTERS}, "at": str(told["at"])[:19]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def lost(connection: duckdb.DuckDBPyConnection) -> dict[str, Any] | None:
    """Return which transactions the store has lost, until somebody has seen it, or None.

    writer, beside: their numbers. last_at, noticed_at: ISO 8601, UTC.
    """
    told = state.read_state(connection, LOST)
    return None if told is None else json.loads(told)


def _remember(connection: duckdb.DuckDBPyConnection, found: dict[str, Any]) -> None:
    noticed = f"{datetime.now(UTC).strftime('%Y-%m-%dT%H:%M:%S')}Z"
    last_at = f"{found['last_at']}Z" if found["last_at"] else None
    told = found | {"last_at": last_at, "noticed_at": noticed}
    connection.execute("BEGIN TRANSACTION")
    try:
        state.write_state(connection, LOST, json.dumps(told))
        state.write_state(connection, state.COMPARE, "transactions lost")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise

"""The feed of changed studies: what happened to which study, in the transaction in which it did, and
how far each follower is (work/followers.py).

The writer adds what it writes by itself. Whatever else changes rows of studies, within the writer's
transaction, says so by `mark`. A study changes when its row or a row that belongs to it is written;
not when its system is renamed, or the map of standard names changes, which studies hold nothing of.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from ..records import FOLLOWER, FOLLOWER_FAILURE, STUDY, STUDY_CHANGE
from ..records.rows import FollowerFailureRow, FollowerRow
from . import tasks
from .database import rows_of
from .numbers import CHANGES, last

_NOTED = "study_noted"  # a temporary table of the writer's connection


@dataclass(frozen=True)
class Change:
    """What happened to a study. number: its place in the feed; 0 for a study that was there before
    the follower, which is told to it as made. attempts: how often the follower has failed at it."""

    number: int
    study_id: int
    what: str
    attempts: int = 0


# --- for the writer ---


def _prepare(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        f"CREATE TEMP TABLE IF NOT EXISTS {_NOTED} (study_id BIGINT, what VARCHAR, n BIGINT)"
    )


def mark(
    connection: duckdb.DuckDBPyConnection, what: str, studies: str, bound: Iterable[Any] = ()
) -> None:
    """Note that studies change in this transaction. studies: SQL that gives their numbers; bound:
    its values."""
    _prepare(connection)
    connection.execute(
        f"INSERT INTO {_NOTED} SELECT id, '{what}', (SELECT count(*) FROM {_NOTED}) "
        f"FROM ({studies}) AS s(id)",
        list(bound),
    )


def noted(connection: duckdb.DuckDBPyConnection) -> dict[int, str]:
    """Return what was noted in this transaction, by study, and forget it."""
    _prepare(connection)
    found = connection.execute(f"SELECT study_id, what FROM {_NOTED} ORDER BY n").fetchall()
    if found:
        connection.execute(f"DELETE FROM {_NOTED}")
    return dict(found)


# --- for followers ---


def newest(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the number of the newest change, 0 where there was none yet."""
    return last(connection, CHANGES)


class FollowerState(FollowerRow):
    """A follower with how much is before it: behind (changes), failing (changes that are tried
    again), skipped (those that are not)."""

    behind: int
    failing: int
    skipped: int


def followers(connection: duckdb.DuckDBPyConnection) -> list[FollowerState]:
    """Return all followers, by name."""
    return rows_of(
        connection.execute(f"""
            SELECT f.*,
            (SELECT count(*) FROM {STUDY_CHANGE.name} c WHERE c.number > f.cursor) AS behind,
            (SELECT count(*) FROM {FOLLOWER_FAILURE.name} e
             WHERE e.follower = f.name AND e.next_try_at IS NOT NULL) AS failing,
            (SELECT count(*) FROM {FOLLOWER_FAILURE.name} e
             WHERE e.follower = f.name AND e.next_try_at IS NULL) AS skipped
            FROM {FOLLOWER.name} f ORDER BY f.name
        """),
        FollowerState,
    )


def add_follower(connection: duckdb.DuckDBPyConnection, name: str, task: int | None) -> None:
    """Let a new follower begin at the end of the feed. task: that of what is there already."""
    connection.execute(
        f"INSERT INTO {FOLLOWER.name} BY NAME SELECT $1 AS name, $2 AS cursor, $3 AS task_id, "
        "$4 AS created_at",
        [name, newest(connection), task, tasks.now()],
    )


def keep_followers(connection: duckdb.DuckDBPyConnection, names: list[str]) -> None:
    """Forget all followers but these, and what they could not do."""
    for table, column in ((FOLLOWER, "name"), (FOLLOWER_FAILURE, "follower")):
        connection.execute(
            f"DELETE FROM {table.name} WHERE {column} NOT IN (SELECT unnest($1::VARCHAR[]))",
            [names],
        )


def after(connection: duckdb.DuckDBPyConnection, name: str, limit: int) -> list[Change]:
    """Return the next changes that a follower has not seen, in their order."""
    query = f"""
        SELECT number, study_id, what FROM {STUDY_CHANGE.name}
        WHERE number > (SELECT cursor FROM {FOLLOWER.name} WHERE name = $1)
        ORDER BY number LIMIT {limit:d}
    """
    return [Change(*row) for row in connection.execute(query, [name]).fetchall()]


def move(connection: duckdb.DuckDBPyConnection, name: str, number: int) -> None:
    """Put a follower's cursor to a change, and forget the changes that all have seen."""
    connection.execute(f"UPDATE {FOLLOWER.name} SET cursor = $2 WHERE name = $1", [name, number])
    prune(connection)


def prune(connection: duckdb.DuckDBPyConnection) -> None:
    """Forget the changes that all followers have seen; all of them where there is no follower."""
    connection.execute(f"""
        DELETE FROM {STUDY_CHANGE.name} WHERE number <=
        coalesce((SELECT min(cursor) FROM {FOLLOWER.name}), {newest(connection):d})
    """)


def there(connection: duckdb.DuckDBPyConnection, after: int, upto: int, limit: int) -> list[Change]:
    """Return studies that were there before a follower, as changes: those behind one number, up to
    another."""
    query = f"""
        SELECT 0, id, 'made' FROM {STUDY.name} WHERE id > $1 AND id <= $2 ORDER BY id LIMIT {limit:d}
    """
    return [Change(*row) for row in connection.execute(query, [after, upto]).fetchall()]


# --- what followers could not do ---


def fail(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    change: Change,
    reason: str,
    next_try_at: datetime | None,
) -> None:
    """Set a change aside that a follower failed at. next_try_at: None to leave it until asked."""
    mend(connection, name, change)
    connection.execute(
        f"INSERT INTO {FOLLOWER_FAILURE.name} BY NAME SELECT $1 AS follower, $2 AS number, "
        "$3 AS study_id, $4 AS what, $5 AS attempts, $6 AS reason, $7 AS failed_at, "
        "$8 AS next_try_at",
        [name, change.number or None, change.study_id, change.what, change.attempts + 1, reason,
         tasks.now(), next_try_at],
    )  # fmt: skip


def mend(connection: duckdb.DuckDBPyConnection, name: str, change: Change) -> None:
    """Forget that a follower failed at a change."""
    connection.execute(
        f"DELETE FROM {FOLLOWER_FAILURE.name} WHERE follower = $1 AND study_id = $2 AND "
        "number IS NOT DISTINCT FROM $3",
        [name, change.study_id, change.number or None],
    )


def due(connection: duckdb.DuckDBPyConnection, name: str, limit: int) -> list[Change]:
    """Return changes that a follower failed at and is to try again now."""
    query = f"""
        SELECT coalesce(number, 0), study_id, what, attempts FROM {FOLLOWER_FAILURE.name}
        WHERE follower = $1 AND next_try_at <= $2 ORDER BY next_try_at, study_id LIMIT {limit:d}
    """
    return [Change(*row) for row in connection.execute(query, [name, tasks.now()]).fetchall()]


def failures(
    connection: duckdb.DuckDBPyConnection, name: str, limit: int
) -> list[FollowerFailureRow]:
    """Return what a follower could not do, the latest first."""
    query = f"""
        SELECT study_id, what, attempts, reason, failed_at, next_try_at FROM {FOLLOWER_FAILURE.name}
        WHERE follower = $1 ORDER BY failed_at DESC, study_id LIMIT {limit:d}
    """
    return rows_of(connection.execute(query, [name]), FollowerFailureRow)


def try_again(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    """Let a follower try all again that it could not do; how many there are."""
    found = connection.execute(
        f"UPDATE {FOLLOWER_FAILURE.name} SET next_try_at = $2, attempts = 0 WHERE follower = $1",
        [name, tasks.now()],
    ).fetchone()
    return found[0] if found else 0

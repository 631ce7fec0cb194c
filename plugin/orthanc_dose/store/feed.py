"""The feed of changed studies and the position of each follower in it (work/followers.py).

What happened to a study is recorded in the same transaction in which it happened. The writer itself
adds whatever it writes. Any other code that changes rows of studies within the writer's transaction
must report it by `mark`. A study changes when its row or a row that belongs to it is written; it
does not change when its system is renamed or the map of standard names changes, since studies hold
neither.
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
from .numbers import CHANGES, last_number

_NOTED = "study_noted"  # a temporary table of the writer's connection


@dataclass(frozen=True)
class Change:
    """A change of a study.

    number: its position in the feed; 0 for a study older than the follower, which is presented to
    the follower as made. attempts: how often the follower has failed at it.
    """

    number: int
    study_id: int
    what: str
    attempts: int = 0


# --- for the writer ---


def _prepare(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        f"CREATE TEMP TABLE IF NOT EXISTS {_NOTED} (study_id BIGINT, what VARCHAR, n BIGINT)"
    )


def mark_changed(
    connection: duckdb.DuckDBPyConnection, what: str, studies: str, bound: Iterable[Any] = ()
) -> None:
    """Record that studies change in this transaction.

    studies: SQL that yields their numbers; bound: the values of its parameters.
    """
    _prepare(connection)
    connection.execute(
        f"INSERT INTO {_NOTED} SELECT id, '{what}', (SELECT count(*) FROM {_NOTED}) "
        f"FROM ({studies}) AS s(id)",
        list(bound),
    )


def noted(connection: duckdb.DuckDBPyConnection) -> dict[int, str]:
    """Return the changes recorded in this transaction, by study, and clear them."""
    _prepare(connection)
    found = connection.execute(f"SELECT study_id, what FROM {_NOTED} ORDER BY n").fetchall()
    if found:
        connection.execute(f"DELETE FROM {_NOTED}")
    return dict(found)


# --- for followers ---


def newest(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the number of the newest change, or 0 if there is none yet."""
    return last_number(connection, CHANGES)


class FollowerState(FollowerRow):
    """A follower with its backlog.

    behind: number of changes still to come; studies_behind: number of studies that these concern;
    behind_since: time of the first of them, in UTC, None if there is none; failing: number of changes
    that are tried again; skipped: number of those that are not.
    """

    behind: int
    studies_behind: int
    behind_since: datetime | None
    failing: int
    skipped: int


def followers(connection: duckdb.DuckDBPyConnection) -> list[FollowerState]:
    """Return all followers, sorted by name."""
    return rows_of(
        connection.execute(f"""
            SELECT f.*,
            (SELECT count(*) FROM {STUDY_CHANGE.name} c WHERE c.number > f.cursor) AS behind,
            (SELECT count(DISTINCT c.study_id) FROM {STUDY_CHANGE.name} c
             WHERE c.number > f.cursor) AS studies_behind,
            (SELECT min(c.at) FROM {STUDY_CHANGE.name} c
             WHERE c.number > f.cursor) AS behind_since,
            (SELECT count(*) FROM {FOLLOWER_FAILURE.name} e
             WHERE e.follower = f.name AND e.next_try_at IS NOT NULL) AS failing,
            (SELECT count(*) FROM {FOLLOWER_FAILURE.name} e
             WHERE e.follower = f.name AND e.next_try_at IS NULL) AS skipped
            FROM {FOLLOWER.name} f ORDER BY f.name
        """),
        FollowerState,
    )


def add_follower(connection: duckdb.DuckDBPyConnection, name: str, task: int | None) -> None:
    """Add a new follower at the end of the feed. task: the task for the existing studies."""
    connection.execute(
        f"INSERT INTO {FOLLOWER.name} BY NAME SELECT $1 AS name, $2 AS cursor, $3 AS task_id, "
        "$4 AS created_at",
        [name, newest(connection), task, tasks.now()],
    )


def set_task(connection: duckdb.DuckDBPyConnection, name: str, task: int | None) -> None:
    """Set the task for the existing studies of a follower."""
    connection.execute(f"UPDATE {FOLLOWER.name} SET task_id = $2 WHERE name = $1", [name, task])


def keep_followers(connection: duckdb.DuckDBPyConnection, names: list[str]) -> None:
    """Forget all followers except these, together with their failures."""
    for table, column in ((FOLLOWER, "name"), (FOLLOWER_FAILURE, "follower")):
        connection.execute(
            f"DELETE FROM {table.name} WHERE {column} NOT IN (SELECT unnest($1::VARCHAR[]))",
            [names],
        )


def after(connection: duckdb.DuckDBPyConnection, name: str, limit: int) -> list[Change]:
    """Return the next changes that a follower has not seen, in order."""
    query = f"""
        SELECT number, study_id, what FROM {STUDY_CHANGE.name}
        WHERE number > (SELECT cursor FROM {FOLLOWER.name} WHERE name = $1)
        ORDER BY number LIMIT {limit:d}
    """
    return [Change(*row) for row in connection.execute(query, [name]).fetchall()]


def move(connection: duckdb.DuckDBPyConnection, name: str, number: int) -> None:
    """Move a follower's cursor to a change, and forget the changes that all followers have seen."""
    connection.execute(f"UPDATE {FOLLOWER.name} SET cursor = $2 WHERE name = $1", [name, number])
    prune(connection)


def prune(connection: duckdb.DuckDBPyConnection) -> None:
    """Forget the changes that all followers have seen, or all changes if there is no follower."""
    connection.execute(f"""
        DELETE FROM {STUDY_CHANGE.name} WHERE number <=
        coalesce((SELECT min(cursor) FROM {FOLLOWER.name}), {newest(connection):d})
    """)


def there(connection: duckdb.DuckDBPyConnection, after: int, upto: int, limit: int) -> list[Change]:
    """Return studies older than a follower, as changes.

    Their numbers are greater than `after`, and at most `upto`.
    """
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
    """Set aside a change at which a follower failed.

    next_try_at: None to leave it until somebody asks for it.
    """
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
    """Return the changes that a follower failed at and is to try again now."""
    query = f"""
        SELECT coalesce(number, 0), study_id, what, attempts FROM {FOLLOWER_FAILURE.name}
        WHERE follower = $1 AND next_try_at <= $2 ORDER BY next_try_at, study_id LIMIT {limit:d}
    """
    return [Change(*row) for row in connection.execute(query, [name, tasks.now()]).fetchall()]


def failures(
    connection: duckdb.DuckDBPyConnection, name: str, limit: int
) -> list[FollowerFailureRow]:
    """Return the failures of a follower, the latest first."""
    query = f"""
        SELECT study_id, what, attempts, reason, failed_at, next_try_at FROM {FOLLOWER_FAILURE.name}
        WHERE follower = $1 ORDER BY failed_at DESC, study_id LIMIT {limit:d}
    """
    return rows_of(connection.execute(query, [name]), FollowerFailureRow)


def try_again(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    """Let a follower try again all changes that it failed at, and return their number."""
    found = connection.execute(
        f"UPDATE {FOLLOWER_FAILURE.name} SET next_try_at = $2, attempts = 0 WHERE follower = $1",
        [name, tasks.now()],
    ).fetchone()
    return found[0] if found else 0

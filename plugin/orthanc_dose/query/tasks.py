"""Tasks for pages: lists, one, and what it did line by line."""

from collections.abc import Mapping
from typing import Any

import duckdb

from ..records import STATES
from ..records.rows import TaskLogRow, TaskRow
from ..store import tasks
from ..store.database import rows_of
from .objects import utc

_MOMENTS = ("created_at", "started_at", "finished_at")
_KEPT_BACK = ("progress", "owner", "alive_at")  # what the program alone needs


def listed(
    connection: duckdb.DuckDBPyConnection, given: dict[str, Any], limit: int, offset: int
) -> dict[str, Any]:
    """A page of tasks, the newest first, and how many there are. given: columns with the value that
    they must have.
    """
    where = " AND ".join(f"{name} = ${name}" for name in given) or "true"
    total = connection.execute(f"SELECT count(*) FROM task WHERE {where}", given).fetchone()
    query = f"SELECT * FROM task WHERE {where} ORDER BY id DESC LIMIT {limit:d} OFFSET {offset:d}"
    return {
        "total": total[0] if total else 0,
        "tasks": [_shown(row) for row in rows_of(connection.execute(query, given), TaskRow)],
    }


def naming(
    connection: duckdb.DuckDBPyConnection, kind: str, parameter: str, value: Any
) -> list[dict[str, Any]]:
    """All tasks of a kind with this parameter, the newest first."""
    query = "SELECT * FROM task WHERE kind = $1 ORDER BY id DESC"
    found = map(_shown, rows_of(connection.execute(query, [kind]), TaskRow))
    return [task for task in found if task["parameters"].get(parameter) == value]


def states(connection: duckdb.DuckDBPyConnection, user: str | None) -> dict[str, int]:
    """How many tasks of a user, of everybody where None, are in each state."""
    query = (
        "SELECT state, count(*) FROM task WHERE $1::VARCHAR IS NULL OR user_name = $1 GROUP BY ALL"
    )
    return dict.fromkeys(STATES, 0) | dict(connection.execute(query, [user]).fetchall())


def one(connection: duckdb.DuckDBPyConnection, task_id: int) -> dict[str, Any] | None:
    """The task of this number, or None."""
    found = listed(connection, {"id": task_id}, 1, 0)["tasks"]
    return found[0] if found else None


def log(
    connection: duckdb.DuckDBPyConnection,
    task_id: int,
    outcome: str | None,
    limit: int,
    offset: int,
) -> dict[str, Any]:
    """A page of a task's log in the order of its lines, those of one outcome where it is given; how
    many there are of it, and of each outcome."""
    query = "SELECT outcome, count(*) FROM task_log WHERE task_id = $1 GROUP BY ALL ORDER BY ALL"
    counts = dict(connection.execute(query, [task_id]).fetchall())
    condition, bound = "task_id = $1", [task_id, *([outcome] if outcome else [])]
    condition += " AND outcome = $2" if outcome else ""
    query = f"""
        SELECT line, outcome, study_id, message FROM task_log WHERE {condition} ORDER BY line,
        study_id, message
        LIMIT {limit:d} OFFSET {offset:d}
    """
    lines = rows_of(connection.execute(query, bound), TaskLogRow)
    return {
        "total": counts.get(outcome, 0) if outcome else sum(counts.values()),
        "outcomes": counts,
        "lines": lines,
    }


def _shown(row: TaskRow) -> dict[str, Any]:
    fields: Mapping[str, Any] = tasks.read(row)
    return {
        name: utc(value) if name in _MOMENTS else value
        for name, value in fields.items()
        if name not in _KEPT_BACK
    }

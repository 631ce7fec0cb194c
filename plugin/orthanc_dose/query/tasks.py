"""Tasks for pages: lists of tasks, a single task, and its log."""

from collections.abc import Mapping
from typing import Any

import duckdb

from ..records import STATES
from ..records.rows import TaskLogRow, TaskRow
from ..store import tasks
from ..store.database import rows_of
from .objects import utc

_MOMENTS = ("created_at", "started_at", "finished_at")
_KEPT_BACK = ("progress", "owner", "alive_at")  # needed by the program alone


def list_tasks(
    connection: duckdb.DuckDBPyConnection, given: dict[str, Any], limit: int, offset: int
) -> dict[str, Any]:
    """Return a page of tasks, the newest first, and the number of all tasks found.

    given: the values that columns must have.
    """
    where = " AND ".join(f"{name} = ${name}" for name in given) or "true"
    total = connection.execute(f"SELECT count(*) FROM task WHERE {where}", given).fetchone()
    query = f"SELECT * FROM task WHERE {where} ORDER BY id DESC LIMIT {limit:d} OFFSET {offset:d}"
    return {
        "total": total[0] if total else 0,
        "tasks": [_task_row(row) for row in rows_of(connection.execute(query, given), TaskRow)],
    }


def naming(
    connection: duckdb.DuckDBPyConnection, kind: str, parameter: str, value: Any
) -> list[dict[str, Any]]:
    """Return all tasks of a kind with this parameter, the newest first."""
    query = "SELECT * FROM task WHERE kind = $1 ORDER BY id DESC"
    found = map(_task_row, rows_of(connection.execute(query, [kind]), TaskRow))
    return [task for task in found if task["parameters"].get(parameter) == value]


def states(connection: duckdb.DuckDBPyConnection, user: str | None) -> dict[str, int]:
    """Count the tasks in each state, of one user or, if None, of everybody."""
    query = (
        "SELECT state, count(*) FROM task WHERE $1::VARCHAR IS NULL OR user_name = $1 GROUP BY ALL"
    )
    return dict.fromkeys(STATES, 0) | dict(connection.execute(query, [user]).fetchall())


def find_task(connection: duckdb.DuckDBPyConnection, task_id: int) -> dict[str, Any] | None:
    """Return the task with this number, or None."""
    found = list_tasks(connection, {"id": task_id}, 1, 0)["tasks"]
    return found[0] if found else None


def task_log_page(
    connection: duckdb.DuckDBPyConnection,
    task_id: int,
    outcome: str | None,
    limit: int,
    offset: int,
) -> dict[str, Any]:
    """Return a page of a task's log in the order of its lines, of one outcome if given.

    Also returns the total number of lines, and the number for each outcome.
    """
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


def _task_row(row: TaskRow) -> dict[str, Any]:
    fields: Mapping[str, Any] = tasks.task_from_row(row)
    return {
        name: utc(value) if name in _MOMENTS else value
        for name, value in fields.items()
        if name not in _KEPT_BACK
    }

"""Runs of saved searches for pages.

Each comes with the result of its search and of the newest retrieval of what was found.
"""

import json
from collections.abc import Mapping
from typing import Any

import duckdb

from ..records import SCHEDULE_RUN
from ..records.rows import ScheduleRunRow, TaskRow
from ..store import tasks
from ..store.database import rows_of
from ..store.tasks import Task
from .objects import utc

_OF_SEARCH = ("state", "message", "result", "started_at", "finished_at")
_OF_RETRIEVAL = ("id", "state", "message", "result")


def of_schedules(connection: duckdb.DuckDBPyConnection) -> dict[str, list[dict[str, Any]]]:
    """Return the remembered runs by the name of their schedule, the newest first.

    search: None if no search could be started; is_forgotten: the task of the search was deleted,
    and the run itself tells its result.
    """
    query = f'SELECT * FROM "{SCHEDULE_RUN.name}" ORDER BY due DESC, task_id DESC'
    runs = rows_of(connection.execute(query), ScheduleRunRow)
    numbers = [run["task_id"] for run in runs]
    query = (
        "SELECT * FROM task WHERE id IN (SELECT unnest($1::BIGINT[])) OR kind = 'retrieval' "
        "ORDER BY id"
    )
    found = [
        tasks.task_from_row(row) for row in rows_of(connection.execute(query, [numbers]), TaskRow)
    ]
    searches: dict[int | None, Task] = {task["id"]: task for task in found}
    retrievals = {
        task["parameters"].get("search"): task for task in found if task["kind"] == "retrieval"
    }
    out: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        number = run["task_id"]
        not_begun: dict[str, Any] = {
            "state": "failed",
            "message": run["message"],
            "result": {},
            "started_at": None,
            "finished_at": None,
        }
        out.setdefault(run["schedule"], []).append(
            {
                "due": utc(run["due"]),
                "search": number,
                "is_forgotten": number is not None and number not in searches,
                **(_run_outcome(searches.get(number), run["search"], _OF_SEARCH) or not_begun),
                "retrieval": _run_outcome(retrievals.get(number), run["retrieval"], _OF_RETRIEVAL),
            }
        )
    return out


def _run_outcome(
    task: Task | None, kept: str | None, names: tuple[str, ...]
) -> dict[str, Any] | None:
    """Return these fields of a task, or of what is kept of one, whichever is newer."""
    of_kept = json.loads(kept) if kept else None
    if task is not None and (of_kept is None or task["id"] > of_kept["id"]):
        fields: Mapping[str, Any] = task
        return {name: utc(fields[name]) if name.endswith("_at") else fields[name] for name in names}
    return {name: of_kept[name] for name in names} if of_kept else None

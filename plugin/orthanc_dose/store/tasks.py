"""Tasks in the store: rows that requests create and delete, and that workers keep up to date."""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import duckdb

from ..records import SCHEDULE_RUN, TASK
from ..records.rows import Task as Task
from ..records.rows import TaskRow
from ..records.task import FINISHED, JSON
from ..records.task import OPEN as OPEN
from .database import Store, rows_of
from .numbers import TASKS, take

_LOG = logging.getLogger(__name__)


def create(
    store: Store,
    kind: str,
    user: str,
    subject: str = "",
    parameters: dict[str, Any] | None = None,
    owner: str | None = None,
) -> int:
    """Create a task to be done, and return its number, which is never given twice.

    owner: who is to do it; None for whoever comes to it.
    """
    with store.writing() as connection:
        return add(connection, kind, user, subject, parameters, owner=owner)


def add(
    connection: duckdb.DuckDBPyConnection,
    kind: str,
    user: str,
    subject: str = "",
    parameters: dict[str, Any] | None = None,
    total: int | None = None,
    owner: str | None = None,
) -> int:
    """Create a task in the transaction of the connection, which is one of `Store.writing`.

    Returns its number.
    """
    number = take(connection, TASKS)
    task: Task = {
        "id": number,
        "kind": kind,
        "subject": subject,
        "user_name": user,
        "state": "waiting",
        "done": 0,
        "total": total,
        "parameters": parameters or {},
        "progress": {},
        "result": {},
        "created_at": now(),
        "owner": owner,
        "alive_at": None if owner is None else now(),
    }
    put(connection, task)
    return number


def put(connection: duckdb.DuckDBPyConnection, task: Task) -> None:
    """Write a task's row, replacing the existing one, in the transaction of the connection."""
    row = [
        json.dumps(task.get(name) or {}) if name in JSON else task.get(name) for name in TASK.names
    ]
    connection.execute("DELETE FROM task WHERE id = $1", [task["id"]])
    connection.execute(f"INSERT INTO task VALUES ({', '.join('?' * len(row))})", row)


def is_alive(connection: duckdb.DuckDBPyConnection, owner: str, numbers: list[int]) -> None:
    """Record that the owner of these tasks is working on them."""
    query = "UPDATE task SET alive_at = $1 WHERE owner = $2 AND id IN (SELECT unnest($3::BIGINT[]))"
    connection.execute(query, [now(), owner, numbers])


def log_begin(task: Task) -> None:
    """Log that work on a task begins."""
    _LOG.info("task %d (%s) started", task["id"], task["kind"])


def log_end(task: Task) -> None:
    """Log how a task ended: its state, its duration and the numbers in its result, but no texts."""
    seconds = ""
    started, finished = task.get("started_at"), task.get("finished_at")
    if started and finished:
        seconds = f" after {(finished - started).total_seconds():.0f} s"
    of = "" if task.get("total") is None else f" of {task['total']}"
    counts = "".join(
        f", {name} {value}"
        for name, value in (task.get("result") or {}).items()
        if isinstance(value, int) and not isinstance(value, bool)
    )
    why = f": {task['message']}" if task.get("message") else ""
    said = f"{task['state']}{seconds}, {task.get('done') or 0}{of}{counts}{why}"
    _LOG.info("task %d (%s) ended: %s", task["id"], task["kind"], said)


def of_states(connection: duckdb.DuckDBPyConnection, states: tuple[str, ...]) -> list[Task]:
    """Return the tasks in one of these states, the oldest first."""
    query = "SELECT * FROM task WHERE state IN (SELECT unnest($1)) ORDER BY id"
    return [read(row) for row in rows_of(connection.execute(query, [list(states)]), TaskRow)]


def one(connection: duckdb.DuckDBPyConnection, number: int) -> Task | None:
    """Return the task with this number, or None."""
    query = "SELECT * FROM task WHERE id = $1"
    found = rows_of(connection.execute(query, [number]), TaskRow)
    return read(found[0]) if found else None


def read(row: TaskRow) -> Task:
    """Return the task of a row."""
    fields: Mapping[str, Any] = row
    parsed = {name: json.loads(fields[name] or "{}") for name in JSON}
    return cast("Task", {**fields, **parsed})


_FINISHED = "state IN (SELECT unnest($1)) AND ($2::VARCHAR IS NULL OR user_name = $2)"


def forget(store: Store, ids: list[int], user: str | None = None) -> int:
    """Delete those of these tasks that are finished, with their logs, and return their number.

    user: only this user's tasks; None for everybody's.
    """
    with store.writing() as connection:
        return _forget(
            connection,
            f"{_FINISHED} AND id IN (SELECT unnest($3::BIGINT[]))",
            [list(FINISHED), user, ids],
        )


def forget_finished(store: Store, user: str | None) -> int:
    """Delete all finished tasks with their logs, and return their number.

    user: only this user's tasks; None for everybody's.
    """
    with store.writing() as connection:
        return _forget(connection, _FINISHED, [list(FINISHED), user])


def forget_before(
    connection: duckdb.DuckDBPyConnection, moment: datetime, kind: str | None = None
) -> int:
    """Delete tasks that finished before a moment (UTC), of one kind or all, and return their
    number.
    """
    return _forget(
        connection, "finished_at < $1 AND ($2::VARCHAR IS NULL OR kind = $2)", [moment, kind]
    )


def _forget(connection: duckdb.DuckDBPyConnection, condition: str, bound: list[Any]) -> int:
    ids = [
        row[0]
        for row in connection.execute(f"SELECT id FROM task WHERE {condition}", bound).fetchall()
    ]
    _keep_for_runs(connection, ids)
    connection.execute("DELETE FROM task WHERE id IN (SELECT unnest($1))", [ids])
    connection.execute("DELETE FROM task_log WHERE task_id IN (SELECT unnest($1))", [ids])
    return len(ids)


_KEPT = ("id", "state", "message", "started_at", "finished_at", "result")


def _keep_for_runs(connection: duckdb.DuckDBPyConnection, ids: list[int]) -> None:
    """Keep, in the runs of schedules, what came of their searches and retrievals."""
    query = f'SELECT task_id, retrieval FROM "{SCHEDULE_RUN.name}" WHERE task_id IS NOT NULL'
    runs = {
        number: json.loads(kept)["id"] if kept else 0
        for number, kept in connection.execute(query).fetchall()
    }
    query = (
        "SELECT * FROM task WHERE id IN (SELECT unnest($1::BIGINT[])) AND (id IN (SELECT "
        "unnest($2::BIGINT[]))"
    )
    query += " OR kind = 'retrieval') ORDER BY id"
    for task in map(read, rows_of(connection.execute(query, [ids, list(runs)]), TaskRow)):
        column = "search" if task["id"] in runs else "retrieval"
        run = task["id"] if task["id"] in runs else task["parameters"].get("search")
        if run in runs and (run == task["id"] or task["id"] > runs[run]):
            fields: Mapping[str, Any] = task
            kept = {
                name: f"{fields[name].isoformat()}Z"
                if name.endswith("_at") and fields[name]
                else fields[name]
                for name in _KEPT
            }
            query = f'UPDATE "{SCHEDULE_RUN.name}" SET "{column}" = $1 WHERE task_id = $2'
            connection.execute(query, [json.dumps(kept), run])


def now() -> datetime:
    """Return the current time, UTC, as tables keep it."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)

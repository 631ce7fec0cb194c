"""Exports of a running server, from the request to the file."""

from __future__ import annotations

from typing import Any

from .server import OrthancServer

# Endless statements: the first returns no row, the second keeps returning some.
ENDLESS = "SELECT count(*) FROM range(10000000) a, range(10000000) b, range(10000000) c"
ENDLESS_ROWS = "SELECT i FROM range(1000000000000) t(i) WHERE hash(i) % 1000 = 0"


def wanted(file_format: str, modality: str | None = None, **more: Any) -> dict[str, Any]:
    """Return the body of a request for an export of studies."""
    return {"format": file_format, "modality": modality, "query": {}, "identity": []} | more


def begun(server: OrthancServer, body: dict[str, Any], route: str = "exports") -> int:
    """Start an export and return its task's number."""
    answer = server.request("POST", f"/dose/api/{route}", json=body)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def done(server: OrthancServer, number: int) -> dict[str, Any]:
    """Wait for the end of a task, which must be successful, and return the task."""
    server.wait_for(
        lambda: server.ok(f"/dose/api/tasks/{number}")["finished_at"] is not None,
        "the end of the task",
    )
    task = server.ok(f"/dose/api/tasks/{number}")
    assert task["state"] == "done", f"{task}\n{server.log_of_this_start[-2000:]}"
    return task


def fetched(server: OrthancServer, task: dict[str, Any]) -> bytes:
    """Return the file of a finished task."""
    file = server.request("GET", f"/dose/api/exports/{task['id']}/file")
    assert file.status_code == 200 and len(file.content) == task["result"]["bytes"]
    return file.content


def export(
    server: OrthancServer, file_format: str, modality: str | None = None, **more: Any
) -> bytes:
    """Return the file of an export of studies."""
    return fetched(server, done(server, begun(server, wanted(file_format, modality, **more))))

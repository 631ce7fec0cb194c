"""The routes of work on the whole store: reading everything again, comparing with Orthanc."""

from typing import Any

from ..query import objects, tasks
from .routes import ADMINISTRATION, WATCHING, Caller, Route
from .schemas import INTEGER, REEXTRACTION, any_object
from .services import PATIENCE, Services, in_time


def reextract(services: Services, caller: Caller) -> tuple[int, dict[str, Any]]:
    if _last(services)["state"] != "running":
        services.requests.start_task(_REEXTRACTION, caller.name)
    return 202, _last(services)


def get_reextraction(services: Services) -> dict[str, Any]:
    return _last(services)


def stop_reextraction(services: Services) -> dict[str, Any]:
    last = _last(services)
    if last["state"] == "running":
        in_time(services.requests.stop_task(last["task_id"]))
    return _last(services)


_REEXTRACTION = "re-extraction"
_NOTHING = {"changed": 0, "failed": 0, "fields": {}, "studies": []}


def _last(services: Services) -> dict[str, Any]:
    """The last task of reading again, or idle where there was none."""
    with services.store.reading() as connection:
        outdated = objects.count_outdated(connection)
        found = tasks.listed(connection, {"kind": _REEXTRACTION}, 1, 0)["tasks"]
    if not found:
        idle = {
            "state": "idle",
            "task_id": None,
            "started_at": None,
            "finished_at": None,
            "total": 0,
            "done": 0,
        }
        return idle | _NOTHING | {"outdated": outdated}
    task = found[0]
    shown = {name: task[name] for name in ("started_at", "finished_at", "done")}
    shown |= {
        "state": "running" if task["state"] == "waiting" else task["state"],
        "task_id": task["id"],
    }
    return shown | {"total": task["total"] or 0, "outdated": outdated} | _NOTHING | task["result"]


def run_audit(services: Services) -> tuple[int, dict[str, Any]]:
    before = services.queue.audits_done
    services.queue.audit()
    if not services.queue.wait(lambda: services.queue.audits_done > before, PATIENCE):
        return 202, {"queued": True}
    return 200, {"missing": services.queue.status()["audit"]["missing"]}


WORK_ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/reextract",
        reextract,
        "Read all kept content again with the present extractors",
        {202: REEXTRACTION},
        tag="System",
        description="Needs no DICOM object. New objects go first; progress is at GET /reextract.",
        needs=ADMINISTRATION,
        with_caller=True,
        action="re-extraction started",
    ),
    Route(
        "GET",
        "/reextract",
        get_reextraction,
        "Progress of reading again, and what changed",
        {200: REEXTRACTION},
        tag="System",
        needs=WATCHING,
    ),
    Route(
        "POST",
        "/reextract/stop",
        stop_reextraction,
        "Stop reading again; what was read stays",
        {200: REEXTRACTION},
        tag="System",
        needs=ADMINISTRATION,
        action="re-extraction stopped",
    ),
    Route(
        "POST",
        "/audit",
        run_audit,
        "Compare what Orthanc holds with the store, and read what is missing",
        {200: any_object(missing=INTEGER), 202: any_object(queued={"type": "boolean"})},
        tag="System",
        needs=ADMINISTRATION,
        action="comparison with Orthanc",
    ),
)

"""The routes of work on the whole store: re-reading everything, and comparing with Orthanc."""

from typing import Any

from ..query import objects, tasks
from .answer_schemas import (
    FLAG,
    INTEGER,
    INTEGER_OR_NULL,
    REEXTRACTION,
    TEXT_OR_NULL,
    any_object,
    component,
)
from .routes import ADMINISTRATION, WATCHING, Caller, Route, formerly
from .services import PATIENCE, Services, in_time


def reextract(services: Services, caller: Caller) -> tuple[int, dict[str, Any]]:
    if _last(services)["state"] != "running":
        services.runner.add(_REEXTRACTION, caller.name)
    return 202, _last(services)


def get_reextraction(services: Services) -> dict[str, Any]:
    return _last(services)


def stop_reextraction(services: Services) -> dict[str, Any]:
    last = _last(services)
    if last["state"] == "running":
        in_time(services.runner.stop(last["task_id"]))
    return _last(services)


_REEXTRACTION = "re-extraction"
_NOTHING = {"changed": 0, "failed": 0, "fields": {}, "studies": []}


def _last(services: Services) -> dict[str, Any]:
    """Return the state of the last re-extraction task, or idle if there was none."""
    with services.store.reading() as connection:
        outdated = objects.count_outdated(connection)
        found = tasks.list_tasks(connection, {"kind": _REEXTRACTION}, 1, 0)["tasks"]
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
    result: dict[str, Any] = task["result"]
    return shown | {"total": task["total"] or 0, "outdated": outdated} | _NOTHING | result


def find_nested(services: Services, caller: Caller) -> tuple[int, dict[str, Any]]:
    task = services.requests.find_nested(caller.name)
    return 202, get_nested(services) | {"task_id": task}


def get_nested(services: Services) -> dict[str, Any]:
    with services.store.reading() as connection:
        found = tasks.list_tasks(connection, {"kind": "find-nested"}, 1, 0)["tasks"]
        counts = objects.count_nested(connection)
    last = found[0] if found else {}
    return counts | {
        "task_id": last.get("id"),
        "state": last.get("state"),
        "finished_at": last.get("finished_at"),
    }


def reconcile(services: Services) -> tuple[int, dict[str, Any]]:
    before = services.queue.reconciliations_done
    services.queue.reconcile()
    if not services.queue.wait(lambda: services.queue.reconciliations_done > before, PATIENCE):
        return 202, {"queued": True}
    return 200, {"missing": services.queue.status()["reconciliation"]["missing"]}


_NESTED = component(
    "nested_objects",
    any_object(
        in_orthanc=INTEGER,
        refused=INTEGER,
        task_id=INTEGER_OR_NULL,
        state=TEXT_OR_NULL,
        finished_at=TEXT_OR_NULL,
    ),
)

_RECONCILE = Route(
    "POST",
    "/reconcile",
    reconcile,
    "Compare Orthanc's objects with the store, and read the missing ones",
    {200: any_object(missing=INTEGER), 202: any_object(queued=FLAG)},
    tag="System",
    needs=ADMINISTRATION,
    action="comparison with Orthanc",
)

WORK_ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/reextract",
        reextract,
        "Re-extract all kept content with the current extractors",
        {202: REEXTRACTION},
        tag="System",
        description="Does not require the DICOM objects. New objects take precedence; GET "
        "/reextract returns the progress.",
        needs=ADMINISTRATION,
        with_caller=True,
        action="re-extraction started",
    ),
    Route(
        "GET",
        "/reextract",
        get_reextraction,
        "Return the progress of the re-extraction, and what has changed",
        {200: REEXTRACTION},
        tag="System",
        needs=WATCHING,
    ),
    Route(
        "POST",
        "/reextract/stop",
        stop_reextraction,
        "Stop the re-extraction; what has been extracted so far stays",
        {200: REEXTRACTION},
        tag="System",
        needs=ADMINISTRATION,
        action="re-extraction stopped",
    ),
    Route(
        "POST",
        "/objects/find-nested",
        find_nested,
        "Search Orthanc for objects that are nested so deeply that they may crash it",
        {202: _NESTED},
        tag="Objects",
        description="Starts a task that checks the file of every object in Orthanc. Objects that "
        "it finds get the outcome failed, by the rule `nested`, and can be deleted "
        'by POST /objects/delete with {"outcome": "failed", "rule": "nested"}. The '
        "task also runs automatically at the first start with objects that were "
        "stored before the plugin was installed, and if the comparison at startup "
        "finds objects that were stored without it.",
        needs=ADMINISTRATION,
        with_caller=True,
        action="search for nested objects",
    ),
    Route(
        "GET",
        "/objects/find-nested",
        get_nested,
        "Return how many objects are nested too deeply, and the last search for them",
        {200: _NESTED},
        tag="Objects",
        description="`in_orthanc`: number of such objects in Orthanc, which may crash it; "
        "`refused`: number of objects that were refused before they were stored.",
        needs=WATCHING,
    ),
    _RECONCILE,
    formerly("/audit", _RECONCILE),
)

"""The routes of long work: tasks, reading everything again, comparing with Orthanc."""

from typing import Any

from ..query import objects
from .routes import ADMINISTRATION, WATCHING, Route
from .schemas import INTEGER, REEXTRACTION, any_object
from .services import PATIENCE, Services


def reextract(services: Services) -> tuple[int, dict[str, Any]]:
    return 202, _with_outdated(services, services.queue.reextract())


def get_reextraction(services: Services) -> dict[str, Any]:
    return _with_outdated(services, services.queue.reextraction.status())


def stop_reextraction(services: Services) -> dict[str, Any]:
    return _with_outdated(services, services.queue.reextraction.stop())


def _with_outdated(services: Services, status: dict[str, Any]) -> dict[str, Any]:
    with services.store.reading() as connection:
        return status | {"outdated": objects.count_outdated(connection)}


def run_audit(services: Services) -> tuple[int, dict[str, Any]]:
    before = services.queue.audits_done
    services.queue.audit()
    if not services.queue.wait(lambda: services.queue.audits_done > before, PATIENCE):
        return 202, {"queued": True}
    return 200, {"missing": services.queue.status()["audit"]["missing"]}


WORK_ROUTES: tuple[Route, ...] = (
    Route("POST", "/reextract", reextract, "Read all kept content again with the present extractors", {202: REEXTRACTION},
          tag="System", description="Needs no DICOM object. New objects go first; progress is at GET /reextract.",
          needs=ADMINISTRATION, action="re-extraction started"),
    Route("GET", "/reextract", get_reextraction, "Progress of reading again, and what changed", {200: REEXTRACTION},
          tag="System", needs=WATCHING),
    Route("POST", "/reextract/stop", stop_reextraction, "Stop reading again; what was read stays", {200: REEXTRACTION},
          tag="System", needs=ADMINISTRATION, action="re-extraction stopped"),
    Route("POST", "/audit", run_audit, "Compare what Orthanc holds with the store, and read what is missing",
          {200: any_object(missing=INTEGER), 202: any_object(queued={"type": "boolean"})}, tag="System",
          needs=ADMINISTRATION, action="comparison with Orthanc"),
)  # fmt: skip

"""The routes of the API: each a declaration and a handler of a few lines over `query`."""

from datetime import date, datetime
from typing import Any

import duckdb

from .. import __version__
from ..query import lists, objects, overview
from ..query.filters import FILTERS, GROUPS
from ..records import MARKS, MODALITIES, OUTCOMES, SOURCES, TABLES
from ..store import StoreError
from ..store.schema import SCHEMA_VERSION
from . import openapi
from .errors import not_found
from .parameters import Parameter
from .routes import Route
from .saved_filters import SAVED_FILTER_ROUTES
from .schemas import FIELDS, INTEGER, REEXTRACTION, STATUS, SUMMARY, any_object, array, ref
from .services import Services
from .studies import PAGE, STUDY_ROUTES

RETRY_SECONDS = 10.0


def get_status(services: Services) -> dict[str, Any]:
    try:
        with services.store.reading() as connection:
            services.last_counts = overview.counts(connection)
    except (StoreError, duckdb.Error):
        pass  # the status must tell what is wrong just then: with the numbers that were read last
    return {
        "version": __version__,
        "schema_version": SCHEMA_VERSION,
        "started_at": services.started_at.isoformat(timespec="seconds") + "Z",
        "orthanc": services.orthanc,
        "store": {"size_bytes": services.store.size(), **services.last_counts},
        "queue": services.queue.status(),
    }


def get_summary(services: Services, days: int, more_days: int) -> dict[str, Any]:
    with services.store.reading() as connection:
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        modalities = overview.summary(connection, date.today(), days, more_days)
        today = overview.received_today(connection)
        return {"now": now, "today": today, "days": [days, more_days], "modalities": modalities}


def get_objects(services: Services, sort: str, limit: int, offset: int, **filters: Any) -> dict[str, Any]:
    given = {name: value for name, value in filters.items() if value is not None}
    with services.store.reading() as connection:
        return objects.list_objects(connection, given, sort, limit, offset)


def retry_object(services: Services, sop_instance_uid: str) -> tuple[int, dict[str, Any]]:
    wanted = {"sop_instance_uid": sop_instance_uid}
    found = get_objects(services, "-processed_at", 100, 0, **wanted)["objects"]
    if not found:
        raise not_found("No object with this SOP Instance UID was stored.", "sop_instance_uid")
    ids = [row["orthanc_id"] for row in found]
    services.queue.read_again(ids)
    if not services.queue.wait(lambda: not any(map(services.queue.is_queued, ids)), RETRY_SECONDS):
        return 202, {"queued": True}
    return 200, {"object": get_objects(services, "-processed_at", 1, 0, **wanted)["objects"][0]}


def retry_failed(services: Services) -> dict[str, Any]:
    with services.store.reading() as connection:
        failed = connection.execute("SELECT orthanc_id FROM object WHERE outcome = 'failed'").fetchall()
    services.queue.read_again([row[0] for row in failed])
    return {"queued": len(failed)}


def take_out_object(services: Services, sop_instance_uid: str) -> tuple[int, dict[str, Any]]:
    if not get_objects(services, "-processed_at", 1, 0, sop_instance_uid=sop_instance_uid)["objects"]:
        raise not_found("No object with this SOP Instance UID was stored.", "sop_instance_uid")
    services.queue.take_out(sop_instance_uid)
    if not services.queue.wait(lambda: not services.queue.is_to_be_taken_out(sop_instance_uid), RETRY_SECONDS):
        return 202, {"queued": True}
    return 200, {"object": get_objects(services, "-processed_at", 1, 0, sop_instance_uid=sop_instance_uid)["objects"][0]}


def set_modality(services: Services, id: int, modality: str) -> tuple[int, dict[str, Any]]:
    with services.store.reading() as connection:
        if overview.system(connection, id) is None:
            raise not_found("There is no system of this number.", "id")
    services.queue.set_user_defined_modality(id, None if modality == "by-rule" else modality)
    if not services.queue.wait(lambda: not services.queue.is_to_be_set(id), RETRY_SECONDS):
        return 202, {"queued": True}
    with services.store.reading() as connection:
        return 200, {"system": overview.system(connection, id)}


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
    if not services.queue.wait(lambda: services.queue.audits_done > before, RETRY_SECONDS):
        return 202, {"queued": True}
    return 200, {"missing": services.queue.status()["audit"]["missing"]}


def get_fields(services: Services) -> dict[str, Any]:
    return {
        "tables": [
            {"name": table.name, "title": table.title, "description": table.description,
             "fields": [field.as_dict() for field in table.fields]}
            for table in TABLES
        ],
        "modalities": [
            {"code": modality.code, "title": modality.title, "events_table": modality.events.name,
             "accumulated_table": modality.accumulated and modality.accumulated.name, "totals": list(modality.totals)}
            for modality in MODALITIES.values()
        ],
        "marks": MARKS,
        "sources": SOURCES,
        "outcomes": OUTCOMES,
        "filters": [one.as_dict() for one in FILTERS if one.group],
        "filter_groups": GROUPS,
        "list_columns": {code: list(lists.columns_of(code)) for code in MODALITIES},
        "usual_columns": {code: list(lists.usual_columns(code)) for code in MODALITIES},
        "sortable": list(lists.SORTABLE),
    }  # fmt: skip


def get_openapi(services: Services) -> dict[str, Any]:
    return openapi.document(ROUTES)


_OUTCOMES = tuple(OUTCOMES)
MOST_DAYS = 3660

ROUTES: tuple[Route, ...] = (
    Route("GET", "/status", get_status, "Version, what the store holds, the state of the queue", {200: STATUS},
          tag="System"),
    Route("GET", "/summary", get_summary, "Studies per modality and system, the workload, and what came in today",
          {200: SUMMARY},
          (Parameter("days", "integer", "Studies of so many days, today included.", 7, 1, MOST_DAYS),
           Parameter("more_days", "integer", "Studies of so many days, today included.", 30, 1, MOST_DAYS)),
          description="Possible test data is left out. The workload is the number of studies a day, over the longer of the"
          " two times."),
    *STUDY_ROUTES,
    *SAVED_FILTER_ROUTES,
    Route(
        "GET", "/objects", get_objects, "A page of objects with their outcomes and reasons",
        {200: any_object(total=INTEGER, objects=array(ref("object")))},
        (
            Parameter("outcome", "choice", "Only this outcome.", allowed=_OUTCOMES),
            Parameter("sop_instance_uid", "uid", "Only this SOP instance."),
            Parameter("sort", "sort", "Column to sort by; - before it sorts downwards.", "-processed_at",
                      allowed=objects.COLUMNS),
            *PAGE,
        ),
        tag="Objects",
    ),
    Route("POST", "/objects/{sop_instance_uid}/retry", retry_object, "Read an object again",
          {200: any_object(object=ref("object")), 202: any_object(queued={"type": "boolean"})},
          (Parameter("sop_instance_uid", "uid", "The object's SOP Instance UID.", in_path=True),), (404,), "Objects"),
    Route("POST", "/objects/retry", retry_failed, "Read all failed objects again", {200: any_object(queued=INTEGER)},
          tag="Objects"),
    Route("POST", "/objects/{sop_instance_uid}/take-out", take_out_object, "Take an object out of the dose record",
          {200: any_object(object=ref("object")), 202: any_object(queued={"type": "boolean"})},
          (Parameter("sop_instance_uid", "uid", "The object's SOP Instance UID.", in_path=True),), (404,), "Objects",
          "Its study becomes what its other objects say; a study without another object is gone. The DICOM object in Orthanc"
          " stays, and reading it again brings it back."),
    Route("POST", "/equipment/{id}/modality/{modality}", set_modality, "Set which modality type a system has",
          {200: any_object(system=ref("equipment")), 202: any_object(queued={"type": "boolean"})},
          (Parameter("id", "integer", "The system's number.", minimum=1, in_path=True),
           Parameter("modality", "choice", "RF or DX for all; dual to sort each study by what was done; or by-rule.",
                     allowed=("RF", "DX", "dual", "by-rule"), in_path=True)),
          (404,), "System", "The studies that the system has are sorted anew at once."),
    Route("POST", "/reextract", reextract, "Read all kept content again with the present extractors", {202: REEXTRACTION},
          tag="System", description="Needs no DICOM object. New objects go first; progress is at GET /reextract."),
    Route("GET", "/reextract", get_reextraction, "Progress of reading again, and what changed", {200: REEXTRACTION},
          tag="System"),
    Route("POST", "/reextract/stop", stop_reextraction, "Stop reading again; what was read stays", {200: REEXTRACTION},
          tag="System"),
    Route("POST", "/audit", run_audit, "Compare what Orthanc holds with the store, and read what is missing",
          {200: any_object(missing=INTEGER), 202: any_object(queued={"type": "boolean"})}, tag="System"),
    Route("GET", "/fields", get_fields, "The data dictionary: each field with type, unit, concept, description",
          {200: FIELDS}, tag="System"),
    Route("GET", "/openapi.json", get_openapi, "This description", {200: {"type": "object"}}, tag="System"),
)  # fmt: skip

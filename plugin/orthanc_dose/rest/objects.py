"""The routes of objects: what became of each, reading again, taking out of the dose record."""

from typing import Any

from ..query import objects
from ..records import OUTCOMES
from .errors import not_found
from .parameters import Parameter
from .routes import ADMINISTRATION, WATCHING, Route
from .schemas import INTEGER, any_object, array, ref
from .services import PATIENCE, Services, in_time
from .studies import PAGE


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
    if not services.queue.wait(lambda: not any(map(services.queue.is_queued, ids)), PATIENCE):
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
    if not in_time(services.requests.take_out(sop_instance_uid)):
        return 202, {"queued": True}
    return 200, {"object": get_objects(services, "-processed_at", 1, 0, sop_instance_uid=sop_instance_uid)["objects"][0]}


OBJECT_ROUTES: tuple[Route, ...] = (
    Route(
        "GET", "/objects", get_objects, "A page of objects with their outcomes and reasons",
        {200: any_object(total=INTEGER, objects=array(ref("object")))},
        (
            Parameter("outcome", "choice", "Only this outcome.", allowed=tuple(OUTCOMES)),
            Parameter("sop_instance_uid", "uid", "Only this SOP instance."),
            Parameter("sort", "sort", "Column to sort by; - before it sorts downwards.", "-processed_at",
                      allowed=objects.COLUMNS),
            *PAGE,
        ),
        tag="Objects", needs=WATCHING),
    Route("POST", "/objects/{sop_instance_uid}/retry", retry_object, "Read an object again",
          {200: any_object(object=ref("object")), 202: any_object(queued={"type": "boolean"})},
          (Parameter("sop_instance_uid", "uid", "The object's SOP Instance UID.", in_path=True),), (404,), "Objects",
          needs=ADMINISTRATION, action="object read again"),
    Route("POST", "/objects/retry", retry_failed, "Read all failed objects again", {200: any_object(queued=INTEGER)},
          tag="Objects", needs=ADMINISTRATION, action="failed objects read again"),
    Route("POST", "/objects/{sop_instance_uid}/take-out", take_out_object, "Take an object out of the dose record",
          {200: any_object(object=ref("object")), 202: any_object(queued={"type": "boolean"})},
          (Parameter("sop_instance_uid", "uid", "The object's SOP Instance UID.", in_path=True),), (404,), "Objects",
          "Its study becomes what its other objects say; a study without another object is gone. The DICOM object in Orthanc"
          " stays, and reading it again brings it back.", needs=ADMINISTRATION, action="object taken out"),
)  # fmt: skip

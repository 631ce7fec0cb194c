"""The routes of objects: their outcomes, re-reading them, excluding them from the dose record.

The routes that delete objects are in deletion.py.
"""

from typing import Any

from ..query import objects
from ..records import IN_ORTHANC, OUTCOMES
from ..store import disposal
from .answer_schemas import FLAG, INTEGER, TEXT, TEXT_OR_NULL, any_object, array, ref
from .errors import ApiError, not_found
from .parameters import Parameter
from .routes import ADMINISTRATION, WATCHING, Route
from .selection import ObjectsOfRule
from .services import PATIENCE, Services, in_time
from .studies import PAGE


def get_objects(
    services: Services, sort: str, limit: int, offset: int, **filters: Any
) -> dict[str, Any]:
    given = {name: value for name, value in filters.items() if value is not None}
    with services.store.reading() as connection:
        return objects.list_objects(connection, given, sort, limit, offset)


def get_rules(services: Services) -> dict[str, Any]:
    with services.store.reading() as connection:
        return {"rules": objects.by_rule(connection)}


def get_dropped(services: Services) -> dict[str, Any]:
    with services.store.reading() as connection:
        found = objects.dropped(connection)
    return {"total": sum(row["objects"] for row in found), "classes": found}


def retry_object(services: Services, sop_instance_uid: str) -> tuple[int, dict[str, Any]]:
    wanted = {"sop_instance_uid": sop_instance_uid}
    found = get_objects(services, "-processed_at", 100, 0, **wanted)["objects"]
    if not found:
        raise not_found("No object with this SOP Instance UID was stored.", "sop_instance_uid")
    gone = (disposal.DELETED, disposal.REFUSED)
    handles = [row["handle"] for row in found if row["in_orthanc"] not in gone]
    if not handles and found[0]["in_orthanc"] == disposal.REFUSED:
        raise ApiError(
            409,
            "never_stored",
            "It was refused, so that Orthanc does not have it.",
            "sop_instance_uid",
        )
    if not handles:
        raise ApiError(
            409,
            "deleted_from_orthanc",
            f"It was deleted from Orthanc after reading, at {found[0]['deleted_at']}. What was"
            " kept of it can be read again with all others (re-extraction).",
            "sop_instance_uid",
        )
    services.queue.read_again(handles)
    if not services.queue.wait(lambda: not any(map(services.queue.is_queued, handles)), PATIENCE):
        return 202, {"queued": True}
    return 200, {"object": get_objects(services, "-processed_at", 1, 0, **wanted)["objects"][0]}


def retry_objects(services: Services, body: ObjectsOfRule) -> dict[str, Any]:
    with services.store.reading() as connection:
        found = objects.held(connection, body.as_dict())
    services.queue.read_again(found)
    return {"queued": len(found)}


def take_out_object(services: Services, sop_instance_uid: str) -> tuple[int, dict[str, Any]]:
    if not get_objects(services, "-processed_at", 1, 0, sop_instance_uid=sop_instance_uid)[
        "objects"
    ]:
        raise not_found("No object with this SOP Instance UID was stored.", "sop_instance_uid")
    if not in_time(services.requests.take_out(sop_instance_uid)):
        return 202, {"queued": True}
    return 200, {
        "object": get_objects(services, "-processed_at", 1, 0, sop_instance_uid=sop_instance_uid)[
            "objects"
        ][0]
    }


OBJECT_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/objects",
        get_objects,
        "A page of objects with their outcomes and reasons",
        {200: any_object(total=INTEGER, objects=array(ref("object")))},
        (
            Parameter("outcome", "choices", "Only these outcomes.", allowed=tuple(OUTCOMES)),
            Parameter(
                "rule", "text", "Only those that the rule of this name decided.", maximum=100
            ),
            Parameter(
                "reason",
                "text",
                "Only those whose reason contains this text; case is ignored.",
                maximum=300,
            ),
            Parameter(
                "in_orthanc",
                "choices",
                "Only those of which the rules of deletion made this.",
                allowed=tuple(IN_ORTHANC),
            ),
            Parameter("sop_instance_uid", "uid", "Only this SOP instance."),
            Parameter(
                "handle",
                "word",
                "Only the object of this handle, by which the log knows it.",
                maximum=100,
            ),
            Parameter(
                "sort",
                "sort",
                "Column to sort by; - before it sorts downwards.",
                "-processed_at",
                allowed=objects.COLUMNS,
            ),
            *PAGE,
        ),
        tag="Objects",
        needs=WATCHING,
    ),
    Route(
        "POST",
        "/objects/{sop_instance_uid}/retry",
        retry_object,
        "Read an object again",
        {200: any_object(object=ref("object")), 202: any_object(queued=FLAG)},
        (Parameter("sop_instance_uid", "uid", "The object's SOP Instance UID.", in_path=True),),
        (404, 409),
        "Objects",
        needs=ADMINISTRATION,
        action="object read again",
    ),
    Route(
        "POST",
        "/objects/retry",
        retry_objects,
        "Read all failed objects again, or all that a rule decided",
        {200: any_object(queued=INTEGER)},
        errors=(413,),
        tag="Objects",
        body=ObjectsOfRule,
        body_default=ObjectsOfRule(outcome="failed"),
        description="Without a body, all that failed. Those that were deleted from Orthanc are "
        "left out.",
        needs=ADMINISTRATION,
        action="objects read again",
    ),
    Route(
        "GET",
        "/objects/rules",
        get_rules,
        "How many objects each rule decided",
        {
            200: any_object(
                rules=array(
                    any_object(outcome=TEXT, rule=TEXT_OR_NULL, objects=INTEGER, bytes=INTEGER)
                )
            )
        },
        tag="Objects",
        needs=WATCHING,
    ),
    Route(
        "GET",
        "/objects/dropped",
        get_dropped,
        "How many objects were not stored at all, by SOP class",
        {
            200: any_object(
                total=INTEGER,
                classes=array(
                    any_object(
                        sop_class_uid=TEXT_OR_NULL,
                        sop_class_name=TEXT_OR_NULL,
                        objects=INTEGER,
                        first_at=TEXT_OR_NULL,
                        last_at=TEXT_OR_NULL,
                    )
                ),
            )
        },
        tag="Objects",
        needs=WATCHING,
        description="Counts are written every few seconds; a crash can lose those of the last "
        "ones.",
    ),
    Route(
        "POST",
        "/objects/{sop_instance_uid}/take-out",
        take_out_object,
        "Take an object out of the dose record",
        {200: any_object(object=ref("object")), 202: any_object(queued=FLAG)},
        (Parameter("sop_instance_uid", "uid", "The object's SOP Instance UID.", in_path=True),),
        (404,),
        "Objects",
        "Its study becomes what its other objects say; a study without another object is gone. The "
        "DICOM object in Orthanc"
        " stays, and reading it again brings it back.",
        needs=ADMINISTRATION,
        action="object taken out",
    ),
)

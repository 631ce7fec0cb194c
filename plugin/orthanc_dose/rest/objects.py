"""The routes of objects: their outcomes, re-reading them, excluding them from the dose record.

The routes that delete objects are in deletion.py.
"""

from typing import Any

from ..query import objects
from ..records import IN_ORTHANC, OUTCOMES
from ..store import disposal
from .answer_schemas import (
    FLAG,
    INTEGER,
    TEXT,
    TEXT_OR_NULL,
    any_object,
    array,
    component,
    ref,
)
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
        raise not_found(
            "No object with this SOP Instance UID has been received.", "sop_instance_uid"
        )
    gone = (disposal.DELETED, disposal.REFUSED)
    handles = [row["handle"] for row in found if row["in_orthanc"] not in gone]
    if not handles and found[0]["in_orthanc"] == disposal.REFUSED:
        raise ApiError(
            409,
            "never_stored",
            "The object was refused, so Orthanc does not have it.",
            "sop_instance_uid",
        )
    if not handles:
        raise ApiError(
            409,
            "deleted_from_orthanc",
            "The object was deleted from Orthanc after it was read, at "
            f"{found[0]['deleted_at']}. Its kept content can still be read with that of all "
            "other objects (re-extraction).",
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
        raise not_found(
            "No object with this SOP Instance UID has been received.", "sop_instance_uid"
        )
    if not in_time(services.requests.take_out(sop_instance_uid)):
        return 202, {"queued": True}
    return 200, {
        "object": get_objects(services, "-processed_at", 1, 0, sop_instance_uid=sop_instance_uid)[
            "objects"
        ][0]
    }


_RULE_COUNT = component(
    "rule_count", any_object(outcome=TEXT, rule=TEXT_OR_NULL, objects=INTEGER, bytes=INTEGER)
)
_DROPPED_CLASS = component(
    "dropped_class",
    any_object(
        sop_class_uid=TEXT_OR_NULL,
        sop_class_name=TEXT_OR_NULL,
        objects=INTEGER,
        first_at=TEXT_OR_NULL,
        last_at=TEXT_OR_NULL,
    ),
)

OBJECT_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/objects",
        get_objects,
        "Return a page of objects with their outcomes and reasons",
        {200: any_object(total=INTEGER, objects=array(ref("object_row")))},
        (
            Parameter(
                "outcome",
                "choices",
                "Only objects with one of these outcomes.",
                allowed=tuple(OUTCOMES),
            ),
            Parameter(
                "rule", "text", "Only objects decided by the rule with this name.", maximum=100
            ),
            Parameter(
                "reason",
                "text",
                "Only objects whose reason contains this text; case is ignored.",
                maximum=300,
            ),
            Parameter(
                "in_orthanc",
                "choices",
                "Only objects for which the deletion rules had this result.",
                allowed=tuple(IN_ORTHANC),
            ),
            Parameter("sop_instance_uid", "uid", "Only the object with this SOP Instance UID."),
            Parameter(
                "handle",
                "word",
                "Only the object with this handle, which identifies it in the log.",
                maximum=100,
            ),
            Parameter(
                "sort",
                "sort",
                "Column to sort by; a leading - sorts in descending order.",
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
        "Re-import an object",
        {200: any_object(object=ref("object_row")), 202: any_object(queued=FLAG)},
        (Parameter("sop_instance_uid", "uid", "SOP Instance UID of the object.", in_path=True),),
        (404, 409),
        "Objects",
        needs=ADMINISTRATION,
        action="object read again",
    ),
    Route(
        "POST",
        "/objects/retry",
        retry_objects,
        "Re-import all failed objects, or all objects decided by a rule",
        {200: any_object(queued=INTEGER)},
        errors=(413,),
        tag="Objects",
        body=ObjectsOfRule,
        body_default=ObjectsOfRule(outcome="failed"),
        description="Without a body, all failed objects. Objects that were deleted from Orthanc "
        "are skipped.",
        needs=ADMINISTRATION,
        action="objects read again",
    ),
    Route(
        "GET",
        "/objects/rules",
        get_rules,
        "Return the number of objects decided by each rule",
        {200: any_object(rules=array(_RULE_COUNT))},
        tag="Objects",
        needs=WATCHING,
    ),
    Route(
        "GET",
        "/objects/dropped",
        get_dropped,
        "Return the number of objects that were not stored at all, by SOP class",
        {200: any_object(total=INTEGER, classes=array(_DROPPED_CLASS))},
        tag="Objects",
        needs=WATCHING,
        description="Counts are written every few seconds; a crash can lose those of the last "
        "few seconds.",
    ),
    Route(
        "POST",
        "/objects/{sop_instance_uid}/take-out",
        take_out_object,
        "Exclude an object from the dose record",
        {200: any_object(object=ref("object_row")), 202: any_object(queued=FLAG)},
        (Parameter("sop_instance_uid", "uid", "SOP Instance UID of the object.", in_path=True),),
        (404,),
        "Objects",
        "The study is rebuilt from its other objects; a study without other objects is removed. "
        "The DICOM object stays in Orthanc, and re-importing it brings it back.",
        needs=ADMINISTRATION,
        action="object taken out",
    ),
)

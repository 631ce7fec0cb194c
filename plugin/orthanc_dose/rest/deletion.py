"""The routes that delete objects from Orthanc: by the rules in the settings, or failed and ignored
ones by hand.
"""

from typing import Any

from ..query import objects, tasks
from ..store import disposal
from .answer_schemas import (
    INTEGER,
    INTEGER_OR_NULL,
    TEXT,
    any_object,
    array,
    component,
)
from .errors import ApiError, not_found
from .parameters import Parameter
from .routes import ADMINISTRATION, Caller, Route
from .selection import ObjectsByUid, ObjectsOfRule
from .services import Services, in_time

# More objects than this are deleted by a task.
AT_ONCE = 100


def get_by_rules(services: Services) -> dict[str, Any]:
    with services.store.reading() as connection:
        counts = disposal.count_by_kind(connection)
        waiting = disposal.count_waiting(connection)
    kinds = [
        {
            "kind": kind,
            "title": title,
            "setting": f"{kind}_in_orthanc",
            "value": services.settings.value(f"{kind}_in_orthanc"),
            "objects": counts[kind],
        }
        for kind, title in disposal.KINDS.items()
    ]
    chosen = [row for row in kinds if row["value"] != "keep"]
    return {"kinds": kinds, "objects": sum(row["objects"] for row in chosen), "waiting": waiting}


def delete_by_rules(services: Services, caller: Caller) -> tuple[int, dict[str, Any]]:
    found = get_by_rules(services)
    kinds = [row["kind"] for row in found["kinds"] if row["value"] != "keep" and row["objects"]]
    if not kinds:
        return 200, {"objects": 0, "task_id": None}
    with services.store.reading() as connection:
        for state in ("running", "waiting"):
            for task in tasks.list_tasks(connection, {"kind": _BY_RULES, "state": state}, 1, 0)[
                "tasks"
            ]:
                return 202, {"objects": found["objects"], "task_id": task["id"]}
    services.audit.note(
        caller, "objects deleted by the rules", ", ".join(kinds), f"{found['objects']} objects"
    )
    task_id = services.runner.add(_BY_RULES, caller.name, parameters={"kinds": kinds})
    return 202, {"objects": found["objects"], "task_id": task_id}


def delete_objects(
    services: Services, caller: Caller, body: ObjectsByUid | ObjectsOfRule
) -> tuple[int, dict[str, Any]]:
    by_uids = isinstance(body, ObjectsByUid)
    chosen = body.as_dict()
    if by_uids:
        chosen["sop_instance_uids"] = list(dict.fromkeys(chosen["sop_instance_uids"]))
    if chosen.get("rule") == disposal.PHYSICS:
        raise _physics()
    with services.store.reading() as connection:
        if by_uids:
            _check(objects.outcomes_of(connection, chosen["sop_instance_uids"]))
            ids = disposal.by_hand(connection, uids=chosen["sop_instance_uids"])
        else:
            ids = disposal.by_hand(connection, **chosen)
    which = ", ".join(chosen["sop_instance_uids"] if by_uids else chosen.values())
    services.audit.note(caller, "objects deleted", which, f"{len(ids)} objects")
    if len(ids) > AT_ONCE:
        return 202, {
            "objects": len(ids),
            "deleted": 0,
            "task_id": services.runner.add(_BY_HAND, caller.name, parameters=chosen),
        }
    asked = services.requests.forget_objects(ids)
    if not in_time(asked):
        return 202, {"objects": len(ids), "deleted": 0, "task_id": None}
    return 200, {"objects": len(ids), "deleted": asked.result(), "task_id": None}


def delete_object(
    services: Services, caller: Caller, sop_instance_uid: str
) -> tuple[int, dict[str, Any]]:
    return delete_objects(services, caller, ObjectsByUid(sop_instance_uids=[sop_instance_uid]))


def _check(found: dict[str, list[tuple[str, str | None]]]) -> None:
    """Raise ApiError unless all objects are known, failed or ignored, and not of a physics study."""
    missing = sum(not outcomes for outcomes in found.values())
    if missing:
        which = (
            "No object with this SOP Instance UID has been received."
            if len(found) == 1
            else f"Some of these objects were never received ({missing}): remove their UIDs from "
            "the request."
        )
        raise not_found(which, "sop_instance_uids")
    every = [one for outcomes in found.values() for one in outcomes]
    used = sum(outcome not in ("failed", "ignored") for outcome, _ in every)
    if used:
        raise ApiError(
            409,
            "in_the_record",
            f"{used} of {len(every)} are in the dose record. Only failed and ignored objects can "
            "be deleted here: exclude an object from the dose record first.",
            "sop_instance_uids",
        )
    if any(rule == disposal.PHYSICS for _, rule in every):
        raise _physics()


def _physics() -> ApiError:
    return ApiError(
        409,
        "physics_kept",
        "This object belongs to a physics study, which is never deleted: the settings for "
        "physics studies keep it.",
        "rule",
    )


_BY_RULES, _BY_HAND = "delete-objects", "forget-objects"
_DELETED = any_object(objects=INTEGER, deleted=INTEGER, task_id=INTEGER_OR_NULL)
_POLICY = component(
    "deletion_policy",
    any_object(
        kinds=array(any_object(kind=TEXT, title=TEXT, setting=TEXT, value=TEXT, objects=INTEGER)),
        objects=INTEGER,
        waiting=INTEGER,
    ),
)

DELETION_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/objects/delete-from-orthanc",
        get_by_rules,
        "Return how many objects the deletion rules would delete from Orthanc",
        {200: _POLICY},
        tag="Objects",
        needs=ADMINISTRATION,
        description="For each kind: the value of its setting, and how many of its objects no "
        "rule has been applied to yet. `objects`: the number that the current rules "
        "would delete; `waiting`: the number already due for deletion.",
    ),
    Route(
        "POST",
        "/objects/delete-from-orthanc",
        delete_by_rules,
        "Apply the deletion rules to existing objects",
        {
            200: any_object(objects=INTEGER, task_id=INTEGER_OR_NULL),
            202: any_object(objects=INTEGER, task_id=INTEGER_OR_NULL),
        },
        tag="Objects",
        needs=ADMINISTRATION,
        with_caller=True,
        description="Starts a task. The data read from the objects stays. Failed objects, "
        "objects still waiting to be read, and physics studies are never deleted.",
    ),
    Route(
        "POST",
        "/objects/delete",
        delete_objects,
        "Delete failed or ignored objects from Orthanc and forget them",
        {200: _DELETED, 202: _DELETED},
        errors=(404, 409, 413),
        tag="Objects",
        body=ObjectsByUid | ObjectsOfRule,
        needs=ADMINISTRATION,
        with_caller=True,
        description="Deletes the objects with the given UIDs, or all objects of an outcome or "
        "rule. Without a rule, ignored objects that may still be read are excluded. "
        "Large numbers of objects are deleted by a task.",
    ),
    Route(
        "DELETE",
        "/objects/{sop_instance_uid}",
        delete_object,
        "Delete a failed or ignored object from Orthanc",
        {200: _DELETED, 202: _DELETED},
        (Parameter("sop_instance_uid", "uid", "SOP Instance UID of the object.", in_path=True),),
        (404, 409),
        "Objects",
        needs=ADMINISTRATION,
        with_caller=True,
    ),
)

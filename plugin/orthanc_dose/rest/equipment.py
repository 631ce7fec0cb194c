"""The routes of systems: the table of equipment, names, joins. What is done to their studies stands
in system_studies.py.
"""

from concurrent.futures import Future
from typing import Any

from ..manage.name_map import LINE, LONGEST, is_line
from ..query import equipment
from ..records import EQUIPMENT
from ..records.numbers import is_whole_number
from ..store.joins import Missing, Refused
from .errors import ApiError, bad_body, not_found
from .parameters import LARGEST_INTEGER, Parameter
from .routes import ADMINISTRATION, WATCHING, Caller, Route
from .schemas import INTEGER, INTEGER_OR_NULL, TEXT, TEXT_OR_NULL, any_object, array, of_table
from .services import Services, in_time

MOST = 1000
ID = Parameter("id", "integer", "The system's number.", minimum=1, in_path=True)


def list_systems(services: Services, text: str) -> dict[str, Any]:
    with services.store.reading() as connection:
        return {"systems": equipment.systems(connection, text)}


def get_system(services: Services, id: int) -> dict[str, Any]:
    with services.store.reading() as connection:
        found = equipment.one(connection, id)
    if found is None:
        raise not_found("There is no system of this number.", "id")
    return found


def list_joins(services: Services) -> dict[str, Any]:
    with services.store.reading() as connection:
        return {"joins": equipment.joins(connection)}


def rename(services: Services, caller: Caller, body: Any) -> tuple[int, dict[str, Any]]:
    ids = ids_of(body, "display_name")
    name = body["display_name"]
    if not isinstance(name, str) or len(name) > LONGEST or (name.strip(" ") and not is_line(name)):
        raise bad_body(
            "display_name",
            f"display_name must be a line of at most {LONGEST} characters, or empty.",
        )
    out = _changed(services, ids, services.requests.rename_systems(ids, name.strip()))
    services.audit.note(caller, "systems named", words(ids), name.strip())
    return out


def join(services: Services, caller: Caller, body: Any) -> tuple[int, dict[str, Any]]:
    ids = ids_of(body, "into")
    into = _number(body["into"], "into")
    out = _changed(services, [*ids, into], services.requests.join_systems(ids, into, caller.name))
    services.audit.note(caller, "systems joined", words(ids), f"into system {into}")
    return out


def separate(services: Services, caller: Caller, id: int) -> tuple[int, dict[str, Any]]:
    return _changed(services, [id], services.requests.separate_system(id, caller.name))


def ids_of(body: Any, *more: str) -> list[int]:
    """The numbers of systems in a body that has these properties, too, and nothing else. Raises
    ApiError 400.
    """
    if not isinstance(body, dict) or set(body) != {"ids", *more}:
        raise bad_body(None, f"The body must have {', '.join(('ids', *more))}, and nothing else.")
    ids = body["ids"]
    if not isinstance(ids, list) or not 1 <= len(ids) <= MOST:
        raise bad_body("ids", f"ids must be a list of 1 to {MOST} numbers of systems.")
    return list(dict.fromkeys(_number(number, "ids") for number in ids))


def words(ids: list[int]) -> str:
    """Systems, as the audit log calls them."""
    return f"systems {', '.join(map(str, ids))}"


def all_there(services: Services, ids: list[int]) -> list[dict[str, Any]]:
    """The systems of these numbers. Raises ApiError 404."""
    with services.store.reading() as connection:
        found = {row["id"]: row for row in equipment.systems(connection)}
    for number in ids:
        if number not in found:
            raise not_found(f"There is no system of the number {number}.", "ids")
    return [found[number] for number in ids]


def _number(value: Any, name: str) -> int:
    if not is_whole_number(value, 1, LARGEST_INTEGER):
        raise bad_body(name, f"{name} must hold numbers of systems.")
    return int(value)


def _changed(services: Services, ids: list[int], asked: Future[Any]) -> tuple[int, dict[str, Any]]:
    try:
        if not in_time(asked):
            return 202, {"queued": True}
    except Missing as error:
        raise not_found(str(error)) from error
    except Refused as error:
        raise ApiError(409, "not_possible", str(error)) from error
    return 200, {"systems": all_there(services, ids), "task_id": asked.result()}


SYSTEM = of_table(EQUIPMENT)
SYSTEM["properties"] |= {
    "default_name": TEXT,
    "studies": INTEGER,
    "events": INTEGER,
    "first_study": TEXT_OR_NULL,
    "last_study": TEXT_OR_NULL,
    "modalities": array(TEXT),
}
SYSTEM["required"] = list(SYSTEM["properties"])
_IDS = {
    "type": "array",
    "minItems": 1,
    "maxItems": MOST,
    "items": {"type": "integer", "minimum": 1, "maximum": LARGEST_INTEGER},
}
QUEUED = any_object(queued={"type": "boolean"})
CHANGED = {200: any_object(systems=array(SYSTEM), task_id=INTEGER_OR_NULL), 202: QUEUED}
_JOIN = any_object(
    field=TEXT,
    into=INTEGER,
    ids=array(INTEGER),
    systems=array(
        any_object(
            id=INTEGER,
            display_name=TEXT_OR_NULL,
            value=TEXT_OR_NULL,
            studies=INTEGER,
            first_study=TEXT_OR_NULL,
            last_study=TEXT_OR_NULL,
        )
    ),
)
_TASK_ID = (
    "`task_id` is the task that sorts studies anew, where systems are set to different "
    "modality types."
)


_BLANK = {"type": "string", "pattern": "^ *$", "maxLength": LONGEST}
LINE_OF_TEXT = {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": LINE}


def body_of(**more: dict[str, Any]) -> dict[str, Any]:
    """The JSON schema of a body with numbers of systems."""
    return any_object(ids=_IDS, **more) | {"additionalProperties": False}


EQUIPMENT_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/equipment",
        list_systems,
        "All systems, with the numbers of their studies",
        {200: any_object(systems=array(SYSTEM))},
        (Parameter("text", "text", "Only those with this text in a field.", "", maximum=200),),
        tag="Systems",
        description="By name. A system that was joined into another follows it; its numbers are "
        "those of the studies whose"
        " objects name it, which count among those of the other.",
        needs=WATCHING,
    ),
    Route(
        "GET",
        "/equipment/joins",
        list_joins,
        "Systems that look like one: proposals to join them",
        {200: any_object(joins=array(_JOIN))},
        tag="Systems",
        needs=WATCHING,
        description="They differ in one field: in the software version, or in one that one of them "
        "leaves open. `into` is"
        " the one to join the others into.",
    ),
    Route(
        "GET",
        "/equipment/{id}",
        get_system,
        "A system, with the numbers of its studies",
        {200: SYSTEM},
        (ID,),
        (404,),
        "Systems",
        needs=WATCHING,
    ),
    Route(
        "PUT",
        "/equipment/display-name",
        rename,
        "Name systems",
        CHANGED,
        errors=(404, 413),
        tag="Systems",
        body=body_of(display_name={"anyOf": [LINE_OF_TEXT, _BLANK]}),
        needs=ADMINISTRATION,
        description="An empty name is the one that a system has until somebody names it: hospital "
        "and station.",
        with_caller=True,
    ),
    Route(
        "POST",
        "/equipment/join",
        join,
        "Join systems into one",
        CHANGED,
        errors=(404, 409, 413),
        tag="Systems",
        body=body_of(into=_IDS["items"]),
        with_caller=True,
        needs=ADMINISTRATION,
        description=f"Studies of `ids`, and objects that name them later, go to `into`. {_TASK_ID}",
    ),
    Route(
        "POST",
        "/equipment/{id}/separate",
        separate,
        "Undo a join",
        CHANGED,
        (ID,),
        (404, 409),
        "Systems",
        f"The system has again the studies whose objects name it. {_TASK_ID}",
        with_caller=True,
        needs=ADMINISTRATION,
        action="system separated",
    ),
)

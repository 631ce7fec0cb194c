"""The routes of systems: the equipment table, names and merges.

The routes that act on the studies of systems are in system_studies.py.
"""

from concurrent.futures import Future
from typing import Annotated, Any

from ..query import equipment
from ..records import EQUIPMENT
from ..records.given import LONGEST_LINE, Given, Meta, Number
from ..store.joins import Missing, Refused
from .answer_schemas import (
    FLAG,
    INTEGER,
    INTEGER_OR_NULL,
    TEXT,
    TEXT_OR_NULL,
    any_object,
    array,
    component,
    of_table,
)
from .errors import ApiError, not_found
from .parameters import Parameter
from .routes import ADMINISTRATION, WATCHING, Caller, Route
from .services import Services, in_time

MOST = 1000
ID = Parameter("id", "integer", "Number of the system.", minimum=1, in_path=True)
Ids = Annotated[
    list[Number],
    Meta(
        min_length=1,
        max_length=MOST,
        description="Numbers of the systems.",
        extra={"words": f"a list of 1 to {MOST} system numbers"},
    ),
]


class SystemsName(Given):
    """A name for one or more systems."""

    ids: Ids
    display_name: Annotated[
        str,
        Meta(
            max_length=LONGEST_LINE,
            pattern=r"^( *|[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*)$",
            description="Name to show for the systems; if empty, they are shown by hospital and "
            "station.",
            extra={"words": f"a line of at most {LONGEST_LINE} characters, or empty"},
        ),
    ]


class SystemsJoin(Given):
    """Systems that are one and the same and are to be merged."""

    ids: Ids
    into: Annotated[
        Number, Meta(description="Number of the system that then has all their studies.")
    ]


def list_systems(services: Services, text: str) -> dict[str, Any]:
    with services.store.reading() as connection:
        return {"systems": equipment.list_systems(connection, text)}


def get_system(services: Services, id: int) -> dict[str, Any]:
    with services.store.reading() as connection:
        found = equipment.find_system(connection, id)
    if found is None:
        raise not_found("There is no system with this number.", "id")
    return found


def list_joins(services: Services) -> dict[str, Any]:
    with services.store.reading() as connection:
        return {"joins": equipment.joins(connection)}


def rename_systems(
    services: Services, caller: Caller, body: SystemsName
) -> tuple[int, dict[str, Any]]:
    ids, name = once(body.ids), body.display_name.strip()
    out = _changed(services, ids, services.requests.rename_systems(ids, name))
    services.audit.note(caller, "systems named", systems_in_words(ids), name)
    return out


def join_systems(
    services: Services, caller: Caller, body: SystemsJoin
) -> tuple[int, dict[str, Any]]:
    ids, into = once(body.ids), body.into
    out = _changed(services, [*ids, into], services.requests.join_systems(ids, into, caller.name))
    services.audit.note(caller, "systems joined", systems_in_words(ids), f"into system {into}")
    return out


def separate_system(services: Services, caller: Caller, id: int) -> tuple[int, dict[str, Any]]:
    return _changed(services, [id], services.requests.separate_system(id, caller.name))


def once(ids: list[int]) -> list[int]:
    """Return the numbers without duplicates, in their order."""
    return list(dict.fromkeys(ids))


def systems_in_words(ids: list[int]) -> str:
    """Return how the audit log names these systems."""
    return f"systems {', '.join(map(str, ids))}"


def all_there(services: Services, ids: list[int]) -> list[dict[str, Any]]:
    """Return the systems with these numbers. Raises ApiError 404 if one does not exist."""
    with services.store.reading() as connection:
        found = {row["id"]: row for row in equipment.list_systems(connection)}
    for number in ids:
        if number not in found:
            raise not_found(f"There is no system with the number {number}.", "ids")
    return [found[number] for number in ids]


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
component("system", SYSTEM)
QUEUED = any_object(queued=FLAG)
CHANGED = {200: any_object(systems=array(SYSTEM), task_id=INTEGER_OR_NULL), 202: QUEUED}
_JOIN = component(
    "join_proposal",
    any_object(
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
    ),
)
_TASK_ID = (
    "`task_id` is the task that reclassifies studies if the systems are set to different "
    "modality types."
)


EQUIPMENT_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/equipment",
        list_systems,
        "List all systems with the numbers of their studies",
        {200: any_object(systems=array(SYSTEM))},
        (
            Parameter(
                "text",
                "text",
                "Only systems with this text in one of their fields.",
                "",
                maximum=200,
            ),
        ),
        tag="Systems",
        description="Sorted by name. A system that was merged into another follows that system; "
        "its counts are of the studies whose objects name it, and are included in "
        "those of the other system.",
        needs=WATCHING,
    ),
    Route(
        "GET",
        "/equipment/joins",
        list_joins,
        "List systems that appear to be the same, with proposals to merge them",
        {200: any_object(joins=array(_JOIN))},
        tag="Systems",
        needs=WATCHING,
        description="They differ in a single field: the software version, or a field that is "
        "empty in one of them. `into` is the system to merge the others into.",
    ),
    Route(
        "GET",
        "/equipment/{id}",
        get_system,
        "Return a system with the numbers of its studies",
        {200: SYSTEM},
        (ID,),
        (404,),
        "Systems",
        needs=WATCHING,
    ),
    Route(
        "PUT",
        "/equipment/display-name",
        rename_systems,
        "Name systems",
        CHANGED,
        errors=(404, 413),
        tag="Systems",
        body=SystemsName,
        needs=ADMINISTRATION,
        description="With an empty name, systems are shown by hospital and station again, as "
        "before they were named.",
        with_caller=True,
    ),
    Route(
        "POST",
        "/equipment/join",
        join_systems,
        "Merge systems into one",
        CHANGED,
        errors=(404, 409, 413),
        tag="Systems",
        body=SystemsJoin,
        with_caller=True,
        needs=ADMINISTRATION,
        description="The studies of `ids`, and objects received later that name them, are "
        f"assigned to `into`. {_TASK_ID}",
    ),
    Route(
        "POST",
        "/equipment/{id}/separate",
        separate_system,
        "Undo a merge of systems",
        CHANGED,
        (ID,),
        (404, 409),
        "Systems",
        f"The studies whose objects name the system are assigned to it again. {_TASK_ID}",
        with_caller=True,
        needs=ADMINISTRATION,
        action="system separated",
    ),
)

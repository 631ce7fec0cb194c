"""The routes of the studies of a system: sorting by modality type, reviewing, and deleting them."""

from typing import Annotated, Any, Literal

from ..query import equipment, tasks
from ..query import studies as query
from ..records.given import Count, Given, Meta
from ..records.task import FINISHED
from .answer_schemas import (
    FLAG,
    INTEGER,
    TASK,
    TEXT,
    TEXT_OR_NULL,
    any_object,
    array,
    component,
)
from .equipment import ID, MOST, QUEUED, SYSTEM, Ids, all_there, get_system, once, systems_in_words
from .errors import ApiError, not_found
from .parameters import Parameter
from .routes import ADMINISTRATION, WATCHING, Caller, Route
from .services import PATIENCE, Services, in_time
from .studies import PAGE

_CHOICES = ("RF", "DX", "dual", "by-rule")


class SystemsModality(Given):
    """The modality type to set for systems."""

    ids: Ids
    modality: Annotated[
        Literal[*_CHOICES],  # type: ignore[valid-type]
        Meta(
            description="RF or DX for all studies; dual to classify each study by its "
            "procedure; or by-rule."
        ),
    ]


class StudiesToDelete(Given):
    """Says what to delete of a system."""

    studies: Annotated[Count, Meta(description="Number of studies that the system has now.")]
    row: Annotated[bool, Meta(description="Whether to delete the system itself as well.")]


def set_modality(
    services: Services, caller: Caller, id: int, modality: str
) -> tuple[int, dict[str, Any]]:
    get_system(services, id)
    number = services.requests.sort_studies([id], caller.name, modality=modality)
    if not _is_finished(services, number):
        return 202, {"queued": True, "task_id": number}
    return 200, {"system": get_system(services, id), "task_id": number}


def set_modalities(
    services: Services, caller: Caller, body: SystemsModality
) -> tuple[int, dict[str, Any]]:
    ids = once(body.ids)
    all_there(services, ids)
    number = services.requests.sort_studies(ids, caller.name, modality=body.modality)
    services.audit.note(caller, "modality of systems set", systems_in_words(ids), body.modality)
    if not _is_finished(services, number):
        return 202, {"queued": True, "task_id": number}
    return 200, {"systems": all_there(services, ids), "task_id": number}


def sort_studies(services: Services, caller: Caller, id: int) -> tuple[int, dict[str, Any]]:
    get_system(services, id)
    return _answered(services, services.requests.sort_studies([id], caller.name))


def review_system(services: Services, id: int, limit: int, offset: int) -> dict[str, Any]:
    system = get_system(services, id)
    with services.store.reading() as connection:
        return {"system": system, **equipment.review(connection, id, limit, offset)}


def delete_studies(
    services: Services, caller: Caller, id: int, body: StudiesToDelete
) -> tuple[int, dict[str, Any]]:
    system = get_system(services, id)
    if system["joined_into"] is not None:
        message = "The system is merged into another, which has its studies: undo the merge first."
        raise ApiError(409, "not_possible", message, "id")
    if body.studies != system["studies"]:
        message = (
            "Nothing was deleted, because the number of studies has changed: the system has "
            f"{system['studies']}, not {body.studies}. Check the system and confirm again."
        )
        raise ApiError(409, "number_changed", message, "studies")
    number = services.requests.delete_studies(id, body.studies, body.row, caller.name)
    services.audit.note(
        caller,
        "studies of system deleted",
        f"system {id}",
        f"{system['studies']} studies; row: {body.row}",
    )
    return _answered(services, number)


def delete_study(services: Services, id: int) -> tuple[int, dict[str, Any]]:
    with services.store.reading() as connection:
        if query.study(connection, id) is None:
            raise not_found("There is no study with this number.", "id")
    if not in_time(services.requests.delete_study(id)):
        return 202, {"queued": True}
    return 200, {"deleted": 1}


def _is_finished(services: Services, number: int) -> bool:
    return services.queue.wait(lambda: _task(services, number)["state"] in FINISHED, PATIENCE)


def _answered(services: Services, number: int) -> tuple[int, dict[str, Any]]:
    done = _is_finished(services, number)
    return (200 if done else 202), {"task": _task(services, number)}


def _task(services: Services, number: int) -> dict[str, Any]:
    with services.store.reading() as connection:
        found = tasks.find_task(connection, number)
    if found is None:
        raise not_found("The task was deleted.")
    return found


_DONE_OR_NOT = {200: any_object(task=TASK), 202: any_object(task=TASK)}
_WAITS = any_object(queued=FLAG, task_id=INTEGER)
_MODALITY = Parameter(
    "modality",
    "choice",
    "RF or DX for all studies; dual to classify each study by its procedure; or by-rule.",
    allowed=_CHOICES,
    in_path=True,
)
_FILLED = component(
    "filled_tables",
    any_object(
        modality=TEXT,
        tables=array(
            any_object(
                table=TEXT, rows=INTEGER, fields=array(any_object(field=TEXT, filled=INTEGER))
            )
        ),
    ),
)
_REVIEWED = component(
    "reviewed_study",
    any_object(
        id=INTEGER,
        modality=TEXT,
        study_date=TEXT_OR_NULL,
        study_time=TEXT_OR_NULL,
        study_description=TEXT_OR_NULL,
        source=TEXT_OR_NULL,
        events=INTEGER,
        marks=INTEGER,
        totals=FLAG,
        objects=INTEGER,
        report=FLAG,
        images=FLAG,
    ),
)
_REVIEW = component(
    "system_review",
    any_object(system=SYSTEM, total=INTEGER, filled=array(_FILLED), studies=array(_REVIEWED)),
)
_STAYS = (
    "Nothing is deleted from Orthanc. Objects that it still has are not imported again "
    "automatically; re-importing an object restores it."
)

SYSTEM_STUDY_ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/equipment/{id}/modality/{modality}",
        set_modality,
        "Set the modality type of a system",
        {200: any_object(system=SYSTEM, task_id=INTEGER), 202: _WAITS},
        (ID, _MODALITY),
        (404,),
        "Systems",
        "Starts a task that reclassifies the studies of the system.",
        with_caller=True,
        needs=ADMINISTRATION,
        action="modality of system set",
    ),
    Route(
        "PUT",
        "/equipment/modality",
        set_modalities,
        f"Set the modality type of up to {MOST} systems",
        {200: any_object(systems=array(SYSTEM), task_id=INTEGER), 202: _WAITS},
        errors=(404, 413),
        tag="Systems",
        description="Starts a task that reclassifies their studies.",
        body=SystemsModality,
        with_caller=True,
        needs=ADMINISTRATION,
    ),
    Route(
        "POST",
        "/equipment/{id}/sort",
        sort_studies,
        "Reclassify the studies of a system by modality type",
        _DONE_OR_NOT,
        (ID,),
        (404,),
        "Systems",
        "Starts a task that rebuilds the studies from their objects.",
        with_caller=True,
        needs=ADMINISTRATION,
        action="studies of system sorted",
    ),
    Route(
        "GET",
        "/equipment/{id}/review",
        review_system,
        "Return which data the studies of a system contain",
        {200: _REVIEW},
        (ID, *PAGE),
        (404,),
        "Systems",
        "For each field, the number of rows that have it, by modality type and table; and a page "
        "of the system's studies, latest first.",
        needs=WATCHING,
    ),
    Route(
        "POST",
        "/equipment/{id}/delete",
        delete_studies,
        "Delete the studies of a system and, if requested, the system itself",
        _DONE_OR_NOT,
        (ID,),
        (404, 409, 413),
        "Systems",
        f"`studies` must be their current number, from GET /equipment/{{id}}, as confirmation. "
        "With `row`, the system is deleted as well, with those that were merged into it. "
        f"{_STAYS} A task deletes all of them or none.",
        body=StudiesToDelete,
        with_caller=True,
        needs=ADMINISTRATION,
    ),
    Route(
        "POST",
        "/studies/{id}/delete",
        delete_study,
        "Delete one study from the dose record",
        {200: any_object(deleted=INTEGER), 202: QUEUED},
        (Parameter("id", "integer", "The study's number.", minimum=1, in_path=True),),
        (404,),
        description="Deletes only the record with this number; records of the same study from "
        f"other systems stay. {_STAYS}",
        needs=ADMINISTRATION,
        action="study deleted",
    ),
)

"""The routes of the studies of a system: sorting by modality type, reviewing, and deleting them."""

from typing import Annotated, Any, Literal

from ..query import equipment, tasks
from ..query import studies as query
from ..records.given import Count, Given, Meta
from ..records.task import FINISHED
from .answer_schemas import FLAG, INTEGER, TASK, TEXT, TEXT_OR_NULL, any_object, array
from .equipment import ID, MOST, QUEUED, SYSTEM, Ids, all_there, get_system, once, systems_in_words
from .errors import ApiError, not_found
from .parameters import Parameter
from .routes import ADMINISTRATION, WATCHING, Caller, Route
from .services import PATIENCE, Services, in_time
from .studies import PAGE

_CHOICES = ("RF", "DX", "dual", "by-rule")


class SystemsModality(Given):
    """The modality type of systems."""

    ids: Ids
    modality: Annotated[
        Literal[*_CHOICES],  # type: ignore[valid-type]
        Meta(description="RF or DX for all; dual to sort each study by what was done; or by-rule."),
    ]


class StudiesToDelete(Given):
    """What is to be deleted of a system."""

    studies: Annotated[Count, Meta(description="How many studies the system has now.")]
    row: Annotated[bool, Meta(description="Whether the system goes, too.")]


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
        message = "The system is joined into another, which has its studies: separate it first."
        raise ApiError(409, "not_possible", message, "id")
    if body.studies != system["studies"]:
        message = (
            f"The system has {system['studies']} studies, not {body.studies}; nothing was deleted."
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
            raise not_found("There is no study of this number.", "id")
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
        raise not_found("The task was forgotten.")
    return found


_DONE_OR_NOT = {200: any_object(task=TASK), 202: any_object(task=TASK)}
_WAITS = any_object(queued=FLAG, task_id=INTEGER)
_MODALITY = Parameter(
    "modality",
    "choice",
    "RF or DX for all; dual to sort each study by what was done; or by-rule.",
    allowed=_CHOICES,
    in_path=True,
)
_FILLED = any_object(
    modality=TEXT,
    tables=array(
        any_object(table=TEXT, rows=INTEGER, fields=array(any_object(field=TEXT, filled=INTEGER)))
    ),
)
_REVIEWED = any_object(
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
)
_STAYS = (
    "Nothing is deleted from Orthanc, and what it holds of them does not come back by itself: "
    "reading an object again brings"
    " it back."
)

SYSTEM_STUDY_ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/equipment/{id}/modality/{modality}",
        set_modality,
        "Set which modality type a system has",
        {200: any_object(system=SYSTEM, task_id=INTEGER), 202: _WAITS},
        (ID, _MODALITY),
        (404,),
        "Systems",
        "The studies that the system has are sorted anew, by a task.",
        with_caller=True,
        needs=ADMINISTRATION,
        action="modality of system set",
    ),
    Route(
        "PUT",
        "/equipment/modality",
        set_modalities,
        f"Set which modality type up to {MOST} systems have",
        {200: any_object(systems=array(SYSTEM), task_id=INTEGER), 202: _WAITS},
        errors=(404, 413),
        tag="Systems",
        description="The studies that they have are sorted anew, by one task.",
        body=SystemsModality,
        with_caller=True,
        needs=ADMINISTRATION,
    ),
    Route(
        "POST",
        "/equipment/{id}/sort",
        sort_studies,
        "Sort the studies of a system by modality type anew",
        _DONE_OR_NOT,
        (ID,),
        (404,),
        "Systems",
        "They are put together anew from their objects, by a task.",
        with_caller=True,
        needs=ADMINISTRATION,
        action="studies of system sorted",
    ),
    Route(
        "GET",
        "/equipment/{id}/review",
        review_system,
        "Which parts of the data the studies of a system have",
        {
            200: any_object(
                system=SYSTEM, total=INTEGER, filled=array(_FILLED), studies=array(_REVIEWED)
            )
        },
        (ID, *PAGE),
        (404,),
        "Systems",
        "How many rows have each field, by modality type and table; and a page of its studies, the "
        "last first.",
        needs=WATCHING,
    ),
    Route(
        "POST",
        "/equipment/{id}/delete",
        delete_studies,
        "Delete the studies of a system, and its row where asked for",
        _DONE_OR_NOT,
        (ID,),
        (404, 409, 413),
        "Systems",
        "`studies` must be their present number, which GET /equipment/{id} says: the answer to the "
        "second question. With"
        f" `row` the system goes, too, with those that were joined into it. {_STAYS} All or "
        f"nothing is done, by a task.",
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
        description=f"Only the record of this number; those that other systems made of the same "
        f"study stay. {_STAYS}",
        needs=ADMINISTRATION,
        action="study deleted",
    ),
)

"""The routes of searches on remote nodes: starting them, what they found and why each result is
retrieved or not, and choosing results.
"""

from datetime import date
from typing import Any

from ..query import tasks as queries
from ..retrieve.asking import Asked, Asking, Contradiction, question_of
from ..retrieve.fetching import KIND as RETRIEVAL
from ..retrieve.fetching import UnderWay
from ..retrieve.gaps import WHY, gaps
from ..retrieve.nodes import NoNode
from ..retrieve.question import GROUPS, Question
from ..retrieve.review import overview
from ..retrieve.search_tasks import KIND
from .answer_schemas import (
    FLAG,
    INTEGER,
    INTEGER_OR_NULL,
    TASK,
    TEXT,
    TEXT_OR_NULL,
    any_object,
    array,
)
from .errors import ApiError, not_found
from .parameters import Parameter
from .routes import QUERY_RETRIEVE, Caller, Route
from .services import Services
from .studies import PAGE
from .tasks import get_task


def start_search(
    services: Services, caller: Caller, name: str, body: Asking
) -> tuple[int, dict[str, Any]]:
    question, told = asked(body)
    try:
        number = services.searches.start_search(caller.name, name, question, told)
    except NoNode:
        raise not_found("Orthanc knows no node of this name.", "name") from None
    services.audit.note(
        caller, "node searched", name, f"task {number}, {told['first']} to {told['last']}"
    )
    with services.store.reading() as connection:
        return 202, queries.find_task(connection, number) or {}


def get_search(services: Services, caller: Caller, id: int) -> dict[str, Any]:
    task = search_of(services, caller, id)
    with services.store.reading() as connection:
        return {
            "search": task,
            "retrievals": queries.naming(connection, RETRIEVAL, "search", id),
            "chosen": overview(connection, id),
        }


def list_found(
    services: Services, caller: Caller, id: int, kept: str | None, limit: int, offset: int
) -> dict[str, Any]:
    search_of(services, caller, id)
    with services.store.reading() as connection:
        wanted = None if kept is None else kept == "yes"
        found: dict[str, Any] = services.searches.found(connection, id, wanted, limit, offset)
        return found


def start_retrieval(services: Services, caller: Caller, id: int) -> tuple[int, dict[str, Any]]:
    task = _done(services, caller, id)
    try:
        number = services.fetching.start_retrieval(caller.name, id, task["subject"])
    except NoNode:
        raise ApiError(
            409, "not_possible", "Orthanc does not know the node any more.", "id"
        ) from None
    except UnderWay:
        raise ApiError(
            409, "not_finished", "What this search found is fetched already.", "id"
        ) from None
    services.audit.note(
        caller, "retrieval started", task["subject"], f"task {number}, of search {id}"
    )
    with services.store.reading() as connection:
        return 202, queries.find_task(connection, number) or {}


def list_gaps(
    services: Services, caller: Caller, id: int, why: str | None, limit: int, offset: int
) -> dict[str, Any]:
    _done(services, caller, id)
    with services.store.reading() as connection:
        return gaps(connection, id, why, limit, offset)


def _done(services: Services, caller: Caller, id: int) -> dict[str, Any]:
    task = search_of(services, caller, id)
    if task["state"] != "done":
        raise ApiError(
            409, "not_finished", "The search is not finished, or did not come to its end.", "id"
        )
    return task


def search_of(services: Services, caller: Caller, id: int) -> dict[str, Any]:
    """Return the task of a search. Raises ApiError."""
    task = get_task(services, caller, id)
    if task["kind"] != KIND:
        raise not_found("This task is no search.", "id")
    return task


def asked(given: Asking, place: str = "") -> tuple[Question, Asked]:
    """Return the question of a body and its complete form. Raises ApiError 409.

    place: where the question is in the body, as "question.".
    """
    try:
        return question_of(given, date.today())
    except Contradiction as error:
        raise ApiError(409, "not_possible", str(error), place + error.field) from None


_NAME = Parameter("name", "word", "The node's name in Orthanc.", maximum=100, in_path=True)
_ID = Parameter("id", "integer", "The search's number.", minimum=1, in_path=True)
_TEXTS = {"type": ["array", "null"], "items": TEXT}
_FOUND = any_object(
    line=INTEGER, study_instance_uid=TEXT, kept=FLAG, chosen=FLAG, size=INTEGER_OR_NULL,
    **dict.fromkeys(("study_date", "study_description", "study_reason", "told", "series_instance_uid", "modality",
                     "series_description", "station_name", "reason", "state", "fault"), TEXT_OR_NULL),
    **dict.fromkeys(("modalities", "looked_at_as", "images", "listed"), _TEXTS),
    **dict.fromkeys(("asked_for", "arrived", "imported"), INTEGER_OR_NULL),
)  # fmt: skip
_CHOSEN = any_object(
    **dict.fromkeys(("series", "studies", "objects", "untold", "kept", "moved"), INTEGER),
    faults={"type": "object", "additionalProperties": INTEGER},
)
_GAP = any_object(
    study_instance_uid=TEXT,
    why={"enum": list(WHY)},
    modalities=_TEXTS,
    search=INTEGER_OR_NULL,
    **dict.fromkeys(("study_date", "study_description", "reason", "fault"), TEXT_OR_NULL),
)

SEARCH_ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/nodes/{name}/searches",
        start_search,
        "Ask a node for studies, and decide what of them carries dose",
        {202: TASK},
        (_NAME,),
        (404, 409, 413),
        tag="Query-retrieve",
        body=Asking,
        with_caller=True,
        needs=QUERY_RETRIEVE,
        description="A task, which fetches nothing. first and last: days of the studies, from "
        "yesterday to today without"
        " them. since: a moment in the node's local time; studies that it says were before are "
        "left out. groups: "
        + "; ".join(
            group if modalities == (group,) else f"{group} ({', '.join(modalities)})"
            for group, modalities in GROUPS.items()
        )
        + "; or SR by itself, for studies that hold structured"
        " reports alone. Words are looked for in descriptions of studies, and in station names of "
        "series, or of"
        " studies with station_of_study; case is ignored, and what a node leaves empty passes. "
        "leave_out_known: without"
        " objects that are in the store. unseen_reports: a series of reports whose objects the "
        "node does not list counts as"
        " dose reports. toshiba: of CT without a report secondary captures, and an image of each "
        "other series. by_day: a"
        " query for each day, which is also what is done when a node refuses a range of days.",
    ),
    Route(
        "GET",
        "/searches/{id}",
        get_search,
        "A search, and the retrievals of what it found, the newest first",
        {200: any_object(search=TASK, retrievals=array(TASK), chosen=_CHOSEN)},
        (_ID,),
        (404,),
        tag="Query-retrieve",
        with_caller=True,
        needs=QUERY_RETRIEVE,
        description="chosen: what is to be fetched and has not come yet: series, studies, objects, "
        "and untold, series of"
        " which the node does not say how many objects they have. kept: how many series carry "
        "dose; moved: how many of them"
        " came; faults: what was said of those that failed, with how often.",
    ),
    Route(
        "GET",
        "/searches/{id}/found",
        list_found,
        "What a search found, series by series, each with the reason",
        {200: any_object(total=INTEGER, found=array(_FOUND))},
        (
            _ID,
            Parameter(
                "kept", "choice", "yes: what is fetched; no: what is left.", allowed=("yes", "no")
            ),
            *PAGE,
        ),
        (404,),
        tag="Query-retrieve",
        with_caller=True,
        needs=QUERY_RETRIEVE,
    ),
    Route(
        "GET",
        "/searches/{id}/gaps",
        list_gaps,
        "Studies that the node has and the store has not, and why",
        {
            200: any_object(
                total=INTEGER,
                why={"type": "object", "additionalProperties": INTEGER},
                gaps=array(_GAP),
            )
        },
        (_ID, Parameter("why", "choice", "Only those of this reason.", allowed=tuple(WHY)), *PAGE),
        (404, 409),
        tag="Query-retrieve",
        with_caller=True,
        needs=QUERY_RETRIEVE,
        description="As the store is now: what came since the search is no gap any more; the "
        "search's result counts what was"
        " one at its end. A gap is a study that nothing was imported of. why, which counts all "
        "gaps: "
        + "; ".join(f"{name}: {what}" for name, what in WHY.items())
        + ". reason: the rule's, or the outcome of the object"
        " that came. fault: what the node or Orthanc said, or the reason of the object's outcome. "
        "search: another search, or"
        " this one, that tells it. A search that did not come to its end knows no gaps (409).",
    ),
    Route(
        "POST",
        "/searches/{id}/retrieve",
        start_retrieval,
        "Fetch what a search found and nobody ticked off",
        {202: TASK},
        (_ID,),
        (404, 409),
        tag="Query-retrieve",
        with_caller=True,
        needs=QUERY_RETRIEVE,
        description="A task that goes on after a restart of the server. The node sends to the "
        "destination that is set for it."
        " A move that fails is tried again three times, with growing pauses; what failed before or "
        "did not come is fetched"
        " with the rest. One at a time: 409 while another of the same search is under way. In the "
        "end what was asked for is"
        " held against what the store has: see asked_for, arrived and imported of what was found, "
        "and the task's result.",
    ),
)

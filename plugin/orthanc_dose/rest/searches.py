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
    COUNTS,
    FLAG,
    INTEGER,
    INTEGER_OR_NULL,
    TASK,
    TEXT,
    TEXT_OR_NULL,
    any_object,
    array,
    component,
    or_null,
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
        raise not_found(
            "Orthanc has no node with this name: check the name, or add the node.", "name"
        ) from None
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
            409,
            "not_possible",
            "Orthanc no longer has the node of this search: add the node again, then retry.",
            "id",
        ) from None
    except UnderWay:
        raise ApiError(
            409,
            "not_finished",
            "A retrieval for this search is already running: wait for it or stop it.",
            "id",
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
            409,
            "not_finished",
            "This is only possible for a completed search: this one is still running, "
            "or it failed or was stopped.",
            "id",
        )
    return task


def search_of(services: Services, caller: Caller, id: int) -> dict[str, Any]:
    """Return the task of a search. Raises ApiError."""
    task = get_task(services, caller, id)
    if task["kind"] != KIND:
        raise not_found("This task is not a search.", "id")
    return task


def asked(given: Asking, place: str = "") -> tuple[Question, Asked]:
    """Return the question of a body and its complete form. Raises ApiError 409.

    place: where the question is in the body, as "question.".
    """
    try:
        return question_of(given, date.today())
    except Contradiction as error:
        raise ApiError(409, "not_possible", str(error), place + error.field) from None


_NAME = Parameter("name", "word", "Name of the node in Orthanc.", maximum=100, in_path=True)
_ID = Parameter("id", "integer", "Number of the search.", minimum=1, in_path=True)
_TEXTS = or_null(array(TEXT))
_FOUND = any_object(
    line=INTEGER, study_instance_uid=TEXT, kept=FLAG, chosen=FLAG, size=INTEGER_OR_NULL,
    **dict.fromkeys(("study_date", "study_description", "study_reason", "told", "series_instance_uid", "modality",
                     "series_description", "station_name", "reason", "state", "fault"), TEXT_OR_NULL),
    **dict.fromkeys(("modalities", "looked_at_as", "images", "listed"), _TEXTS),
    **dict.fromkeys(("asked_for", "arrived", "imported"), INTEGER_OR_NULL),
)  # fmt: skip
_CHOSEN = component(
    "chosen_series",
    any_object(
        **dict.fromkeys(("series", "studies", "objects", "untold", "kept", "moved"), INTEGER),
        faults=COUNTS,
    ),
)
_GAP = component(
    "gap",
    any_object(
        study_instance_uid=TEXT,
        why={"enum": list(WHY)},
        modalities=_TEXTS,
        search=INTEGER_OR_NULL,
        **dict.fromkeys(("study_date", "study_description", "reason", "fault"), TEXT_OR_NULL),
    ),
)

SEARCH_ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/nodes/{name}/searches",
        start_search,
        "Search a node for studies and decide which of their objects carry dose data",
        {202: TASK},
        (_NAME,),
        (404, 409, 413),
        tag="Query-retrieve",
        body=Asking,
        with_caller=True,
        needs=QUERY_RETRIEVE,
        description="Starts a task, which does not fetch anything. `first` and `last`: range of "
        "study dates; without them, from yesterday to today. `since`: a date and "
        "time in the node's local time; studies that the node dates before it are "
        "skipped. `groups`: "
        + "; ".join(
            group if modalities == (group,) else f"{group} ({', '.join(modalities)})"
            for group, modalities in GROUPS.items()
        )
        + "; or SR alone, for studies that contain nothing but structured reports. Words are "
        "looked for in study descriptions and in station names of series, or of studies with "
        "`station_of_study`; case is ignored, and items that a node leaves empty match. "
        "`leave_out_known`: skip objects that are already in the store. `unseen_reports`: "
        "treat a series of reports whose objects the node does not list as dose reports. "
        "`toshiba`: for CT without a report, fetch secondary captures and one image of each "
        "other series. `by_day`: send a separate query for each day, which is also done if a "
        "node refuses a range of days.",
    ),
    Route(
        "GET",
        "/searches/{id}",
        get_search,
        "Return a search and the retrievals of what it found, newest first",
        {200: any_object(search=TASK, retrievals=array(TASK), chosen=_CHOSEN)},
        (_ID,),
        (404,),
        tag="Query-retrieve",
        with_caller=True,
        needs=QUERY_RETRIEVE,
        description="`chosen`: what is still to be fetched: numbers of `series`, `studies` and "
        "`objects`, and `untold`, the number of series for which the node does not "
        "report how many objects they have. `kept`: the number of series that carry "
        "dose; `moved`: how many of them have been sent; `faults`: the errors of "
        "those that failed, each with its count.",
    ),
    Route(
        "GET",
        "/searches/{id}/found",
        list_found,
        "List what a search found, series by series, each with the reason for its decision",
        {200: any_object(total=INTEGER, found=array(_FOUND))},
        (
            _ID,
            Parameter(
                "kept",
                "choice",
                "yes: only what is fetched; no: only what is skipped.",
                allowed=("yes", "no"),
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
        "List the studies that the node has but the store does not, with reasons",
        {
            200: any_object(
                total=INTEGER,
                why={"type": "object", "properties": dict.fromkeys(WHY, INTEGER)},
                gaps=array(_GAP),
            )
        },
        (
            _ID,
            Parameter("why", "choice", "Only studies with this reason.", allowed=tuple(WHY)),
            *PAGE,
        ),
        (404, 409),
        tag="Query-retrieve",
        with_caller=True,
        needs=QUERY_RETRIEVE,
        description="Reflects the store as it is now: studies that arrived since the search are "
        "no longer gaps, whereas the search's result counts the gaps at its end. A "
        "gap is a study of which nothing was imported. `why`, which counts all gaps: "
        + "; ".join(f"{name}: {what}" for name, what in WHY.items())
        + ". `reason`: that of the rule, or the outcome of the object that arrived. `fault`: the "
        "error from the node or Orthanc, or the reason for the object's outcome. `search`: the "
        "search that this is known from, which may be another one. A search that was not "
        "completed has no gaps (409).",
    ),
    Route(
        "POST",
        "/searches/{id}/retrieve",
        start_retrieval,
        "Fetch what a search found, except what was deselected",
        {202: TASK},
        (_ID,),
        (404, 409),
        tag="Query-retrieve",
        with_caller=True,
        needs=QUERY_RETRIEVE,
        description="Starts a task, which continues after a restart of the server. The node "
        "sends to the destination that is set for it. A failed C-MOVE is retried "
        "three times, with increasing pauses; what failed earlier or did not arrive "
        "is fetched together with the rest. Only one retrieval per search runs at a "
        "time: 409 while another one is running. At the end, what was requested is "
        "compared with what the store has: see `asked_for`, `arrived` and `imported` "
        "in the results of the search, and the task's result.",
    ),
)

"""The routes of scheduled searches."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from ..manage.users import Users
from ..query import runs
from ..query import tasks as queries
from ..records import STATES
from ..records.given import Given, Meta, taken
from ..retrieve.asking import WHEN, Asking, What
from ..retrieve.fetching import Fetching
from ..retrieve.nodes import NAME, NoNode
from ..retrieve.schedules import UNITS, NoRight, StillRuns, schedule_problem
from ..retrieve.search_tasks import Searches
from .answer_schemas import (
    COUNTS,
    FLAG,
    INTEGER,
    INTEGER_OR_NULL,
    TASK,
    TEXT,
    TEXT_OR_NULL,
    TEXTS_BY_NAME,
    any_object,
    array,
    component,
    or_null,
    ref,
)
from .bodies import schema
from .errors import ApiError, not_found
from .parameters import Parameter
from .routes import QUERY_RETRIEVE, Caller, Route
from .searches import asked
from .services import Services

_LONGEST_LOOK_BACK = 3000


class ScheduledSearch(Given):
    """A search that runs on a schedule."""

    node: Annotated[str, Meta(description="Name of the node in Orthanc.")]
    question: What
    cron: Annotated[str, Meta(description="Cron expression of five fields, such as 30 6 * * 1-5.")]
    time_zone: Annotated[
        str, Meta(description="Time zone of the cron expression, such as Europe/Berlin.")
    ]
    look_back: Annotated[
        float,
        Meta(
            ge=0,
            le=_LONGEST_LOOK_BACK,
            description="Look-back: how long before its due time a run starts to look for studies.",
        ),
    ]
    unit: Annotated[
        Literal[*UNITS],  # type: ignore[valid-type]
        Meta(description="Of look_back."),
    ]
    fetch: Annotated[bool, Meta(description="Whether to fetch what is found.")]
    on: Annotated[bool, Meta(description="Whether the schedule is active.")]


def list_schedules(services: Services) -> dict[str, Any]:
    return {"schedules": _listed(services)}


def put_schedule(
    services: Services, caller: Caller, name: str, body: ScheduledSearch
) -> dict[str, Any]:
    if not re.fullmatch(NAME, name):
        raise ApiError(
            409,
            "not_possible",
            "The name of a schedule must consist of 1 to 64 letters, digits, - and _.",
            "name",
        )
    wrong = schedule_problem(body.cron, body.time_zone)
    if wrong:
        what = (
            "a cron expression such as 30 6 * * 1-5"
            if wrong == "cron"
            else "the name of a time zone such as Europe/Berlin"
        )
        raise ApiError(409, "not_possible", f"{wrong} must be {what}.", wrong)
    _, told = asked(taken(body.question.as_dict(), Asking), "question.")
    try:
        services.nodes.listed_node(body.node)
    except NoNode:
        raise ApiError(
            409,
            "not_possible",
            "Orthanc has no node with this name: check the name, or add the node.",
            "node",
        ) from None
    kept = body.as_dict() | {
        "question": {field: value for field, value in told.items() if field not in WHEN}
    }
    services.schedules.put_schedule(name, caller.name, kept)
    return _one(services, name)


def delete_schedule(services: Services, name: str) -> dict[str, Any]:
    if not services.schedules.remove(name):
        raise not_found("There is no schedule with this name.", "name")
    return {"deleted": name}


def run_schedule(services: Services, caller: Caller, name: str) -> tuple[int, dict[str, Any]]:
    try:
        number = services.schedules.run(name)
    except KeyError:
        raise not_found("There is no schedule with this name.", "name") from None
    except NoNode:
        raise ApiError(
            409,
            "not_possible",
            "Orthanc no longer has the node of this schedule: add the node again or "
            "choose another.",
            "name",
        ) from None
    except StillRuns:
        raise ApiError(
            409,
            "not_finished",
            "The last run of this schedule has not finished: wait for it or stop it.",
            "name",
        ) from None
    except NoRight:
        message = (
            "The user who saved this schedule no longer has the right to query nodes: somebody "
            "who has it must save the schedule again."
        )
        raise ApiError(409, "not_possible", message, "name") from None
    with services.store.reading() as connection:
        return 202, queries.find_task(connection, number) or {}


def _one(services: Services, name: str) -> dict[str, Any]:
    return next(one for one in _listed(services) if one["name"] == name)


def _listed(services: Services) -> list[dict[str, Any]]:
    with services.store.reading() as connection:
        of = runs.of_schedules(connection)
    return [one | {"runs": of.get(one["name"], [])} for one in services.schedules.list_schedules()]


@dataclass(frozen=True)
class ScheduledSearches:
    """The actions of schedules when they are due, with the services that they need."""

    users: Users
    searches: Searches
    fetching: Fetching

    def may(self, user: str) -> bool:
        """Return whether this is a user who may query nodes."""
        found = self.users.get(user)
        return (
            found is not None
            and not found.disabled
            and not found.groups.isdisjoint(QUERY_RETRIEVE or ())
        )

    def begin(self, user: str, schedule: dict[str, Any], when: dict[str, Any], fetch: bool) -> int:
        """Start the search of a schedule and return its number.

        Raises NoNode, Wrong or ApiError.
        """
        question, told = asked(taken(schedule["question"] | when, Asking))

        def then(number: int) -> None:
            self.fetching.start_retrieval(user, number, schedule["node"])

        return self.searches.start_search(
            user, schedule["node"], question, told, *((then,) if fetch else ())
        )


_NAME = Parameter("name", "word", "Name of the schedule.", maximum=100, in_path=True)
# Of the task of a search and of a retrieval; while it runs, what is known so far.
_FOUND = component(
    "search_result",
    any_object(
        maybe=dict.fromkeys(("studies", "kept_studies", "kept_series"), INTEGER)
        | dict.fromkeys(("by_kind", "left_studies", "left_series", "finds", "gaps"), COUNTS)
        | {
            "objects": INTEGER_OR_NULL,
            "doubts": TEXTS_BY_NAME,
            "ignores_modality": FLAG,
            "split": {"enum": ["limit", "refused", None]},
        }
    ),
)
_FETCHED = component(
    "retrieval_result",
    any_object(
        maybe=dict.fromkeys(
            ("series", "failed", "asked_for", "arrived", "imported", "missing", "not_listed"),
            INTEGER,
        )
    ),
)
_STATE = {"enum": list(STATES)}
component(
    "run_retrieval", any_object(id=INTEGER, state=_STATE, message=TEXT_OR_NULL, result=_FETCHED)
)
_RUN = component(
    "run",
    any_object(
        due=TEXT,
        search=INTEGER_OR_NULL,
        is_forgotten=FLAG,
        state=_STATE,
        result=_FOUND,
        retrieval=or_null(ref("run_retrieval")),
        **dict.fromkeys(("message", "started_at", "finished_at"), TEXT_OR_NULL),
    ),
)
_SCHEDULE = any_object(
    name=TEXT,
    user=TEXT,
    **schema(ScheduledSearch)[1]["ScheduledSearch"]["properties"],
    last_due=TEXT_OR_NULL,
    last_task=INTEGER_OR_NULL,
    next_run=TEXT_OR_NULL,
    missing_right=FLAG,
    runs=array(_RUN),
)
component("schedule", _SCHEDULE)

SCHEDULE_ROUTES: tuple[Route, ...] = (
    Route("GET", "/schedules", list_schedules, "List the scheduled searches",
          {200: any_object(schedules=array(_SCHEDULE))}, tag="Query-retrieve", needs=QUERY_RETRIEVE,
          description="`last_due`: when the schedule last ran or was saved; `next_run`: when it "
                      "runs next; both UTC. `last_task`: the search of the last run. "
                      "`missing_right`: the user who saved the schedule no longer has the right "
                      "to query nodes, so it does not run. `runs`: the latest 20 runs, newest "
                      "first, each with its due time, its search (null if none could start: see "
                      "`message`), its result, and the latest retrieval of what it found. "
                      "`is_forgotten`: the task of the search was deleted, together with what it "
                      "found."),
    Route("PUT", "/schedules/{name}", put_schedule, "Save a scheduled search", {200: _SCHEDULE}, (_NAME,),
          (409, 413), tag="Query-retrieve", body=ScheduledSearch, with_caller=True, needs=QUERY_RETRIEVE, action="schedule set",
          description="`question`: as in POST /nodes/{name}/searches, without days and times. "
                      "`cron`: five fields, in the time zone. A run searches for studies from "
                      "the given number of days or hours before its due time until now. `fetch`: "
                      "fetch what is found. A run does not start while the previous one is in "
                      "progress; missed runs are made up for by a single run that covers the "
                      "whole time since."),
    Route("DELETE", "/schedules/{name}", delete_schedule, "Delete a scheduled search", {200: any_object(deleted=TEXT)},
          (_NAME,), (404,), tag="Query-retrieve", needs=QUERY_RETRIEVE, action="schedule deleted"),
    Route("POST", "/schedules/{name}/run", run_schedule, "Run a scheduled search now", {202: TASK}, (_NAME,), (404, 409),
          tag="Query-retrieve", with_caller=True, needs=QUERY_RETRIEVE, action="schedule run"),
)  # fmt: skip

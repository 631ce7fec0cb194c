"""The routes of scheduled searches."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from ..manage.users import Users
from ..query import runs
from ..query import tasks as queries
from ..records.given import Given, Meta, taken
from ..retrieve.asking import WHEN, Asking, What
from ..retrieve.fetching import Fetching
from ..retrieve.nodes import NAME, NoNode
from ..retrieve.schedules import UNITS, NoRight, StillRuns, schedule_problem
from ..retrieve.search_tasks import Searches
from .answer_schemas import (
    ANYTHING,
    FLAG,
    INTEGER_OR_NULL,
    TASK,
    TEXT,
    TEXT_OR_NULL,
    any_object,
    array,
    component,
)
from .bodies import schema
from .errors import ApiError, not_found
from .parameters import Parameter
from .routes import QUERY_RETRIEVE, Caller, Route
from .searches import asked
from .services import Services

_LONGEST_LOOK_BACK = 3000


class ScheduledSearch(Given):
    """A search that runs by itself."""

    node: Annotated[str, Meta(description="The node's name in Orthanc.")]
    question: What
    cron: Annotated[str, Meta(description="When: five fields, as 30 6 * * 1-5.")]
    time_zone: Annotated[str, Meta(description="Of the times, as Europe/Berlin.")]
    look_back: Annotated[
        float,
        Meta(
            ge=0,
            le=_LONGEST_LOOK_BACK,
            description="From so long before it was due it asks for studies.",
        ),
    ]
    unit: Annotated[
        Literal[*UNITS],  # type: ignore[valid-type]
        Meta(description="Of look_back."),
    ]
    fetch: Annotated[bool, Meta(description="Whether what is found is fetched.")]
    on: Annotated[bool, Meta(description="Whether it runs.")]


def list_schedules(services: Services) -> dict[str, Any]:
    return {"schedules": _listed(services)}


def put_schedule(
    services: Services, caller: Caller, name: str, body: ScheduledSearch
) -> dict[str, Any]:
    if not re.fullmatch(NAME, name):
        raise ApiError(
            409,
            "not_possible",
            "The name of a schedule has up to 64 letters, digits, - and _.",
            "name",
        )
    wrong = schedule_problem(body.cron, body.time_zone)
    if wrong:
        what = (
            "a cron expression, as 30 6 * * 1-5"
            if wrong == "cron"
            else "a time zone, as Europe/Berlin"
        )
        raise ApiError(409, "not_possible", f"{wrong} must be {what}.", wrong)
    _, told = asked(taken(body.question.as_dict(), Asking), "question.")
    try:
        services.nodes.listed_node(body.node)
    except NoNode:
        raise ApiError(409, "not_possible", "Orthanc knows no node of this name.", "node") from None
    kept = body.as_dict() | {
        "question": {field: value for field, value in told.items() if field not in WHEN}
    }
    services.schedules.put_schedule(name, caller.name, kept)
    return _one(services, name)


def delete_schedule(services: Services, name: str) -> dict[str, Any]:
    if not services.schedules.remove(name):
        raise not_found("There is no schedule of this name.", "name")
    return {"deleted": name}


def run_schedule(services: Services, caller: Caller, name: str) -> tuple[int, dict[str, Any]]:
    try:
        number = services.schedules.run(name)
    except KeyError:
        raise not_found("There is no schedule of this name.", "name") from None
    except NoNode:
        raise ApiError(
            409, "not_possible", "Orthanc does not know the node any more.", "name"
        ) from None
    except StillRuns:
        raise ApiError(409, "not_finished", "Its last run is not finished.", "name") from None
    except NoRight:
        message = (
            "The user who saved it may not query nodes any more: somebody who may has to "
            "save it again."
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


_NAME = Parameter("name", "word", "The schedule's name.", maximum=100, in_path=True)
_RETRIEVAL = any_object(id=INTEGER_OR_NULL, state=TEXT, message=TEXT_OR_NULL, result=ANYTHING)
_RUN = any_object(
    due=TEXT,
    search=INTEGER_OR_NULL,
    is_forgotten=FLAG,
    retrieval={"anyOf": [{"type": "null"}, _RETRIEVAL]},
)
_RUN["properties"] |= {
    "state": TEXT,
    "result": ANYTHING,
    **dict.fromkeys(("message", "started_at", "finished_at"), TEXT_OR_NULL),
}
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
    Route("GET", "/schedules", list_schedules, "The saved searches that run by themselves",
          {200: any_object(schedules=array(_SCHEDULE))}, tag="Query-retrieve", needs=QUERY_RETRIEVE,
          description="last_due: when it last ran, or was saved; next_run: when it runs next; both "
"UTC. last_task: the"
          " search of the last run. missing_right: the user who saved it may not query nodes any "
          "more, so it does not run."
          " runs: the newest 20, the newest first, each with when it was due, its search (null "
          "where none could begin: see"
          " message), what came of it, and the newest retrieval of what it found. is_forgotten: "
          "the task of the search is, and"
          " with it what it found."),
    Route("PUT", "/schedules/{name}", put_schedule, "Save a search that runs by "
"itself", {200: _SCHEDULE}, (_NAME,),
          (409, 413), tag="Query-retrieve", body=ScheduledSearch, with_caller=True, needs=QUERY_RETRIEVE, action="schedule set",
          description="question: as of POST /nodes/{name}/searches, without days and times. cron: "
"five fields, in the time"
          " zone. A run asks for studies from so many days or hours before it was due until now. "
          "fetch: what is"
          " found is fetched. A run does not begin while the one before goes on; what was missed "
          "is made up by"
          " one run, for all the time since."),
    Route("DELETE", "/schedules/{name}", delete_schedule, "Delete a saved search", {200: any_object(deleted=TEXT)},
          (_NAME,), (404,), tag="Query-retrieve", needs=QUERY_RETRIEVE, action="schedule deleted"),
    Route("POST", "/schedules/{name}/run", run_schedule, "Run a saved search now", {202: TASK}, (_NAME,), (404, 409),
          tag="Query-retrieve", with_caller=True, needs=QUERY_RETRIEVE, action="schedule run"),
)  # fmt: skip

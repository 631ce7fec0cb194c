"""The routes of followers, which react to changed studies: their failures, and retrying them."""

from datetime import datetime
from typing import Any

from ..store import feed
from .answer_schemas import (
    INTEGER,
    TEXT,
    TEXT_OR_NULL,
    any_object,
    array,
    component,
)
from .errors import not_found
from .parameters import Parameter
from .routes import ADMINISTRATION, WATCHING, Caller, Route
from .services import Services

_NAME = Parameter(
    "name", "text", "Name of the follower, as in the status.", maximum=100, in_path=True
)
_MOST = 500


def list_failures(services: Services, name: str) -> dict[str, Any]:
    with services.store.reading() as connection:
        if all(row["name"] != name for row in feed.followers(connection)):
            raise not_found("There is no follower with this name; GET /status lists all.", "name")
        found = feed.failures(connection, name, _MOST)
    return {
        "failures": [
            {
                **row,
                "failed_at": _moment(row["failed_at"]),
                "next_try_at": _moment(row["next_try_at"]),
            }
            for row in found
        ]
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else f"{at.isoformat()}Z"


def try_again(services: Services, caller: Caller, name: str) -> tuple[int, dict[str, Any]]:
    count = services.followers.try_again(name)
    if count is None:
        raise not_found("There is no follower with this name; GET /status lists all.", "name")
    return 202, {"changes": count}


_FAILURE = component(
    "follower_failure",
    any_object(
        study_id=INTEGER,
        what={"enum": ["made", "changed", "removed"]},
        attempts=INTEGER,
        reason=TEXT,
        failed_at=TEXT,
        next_try_at=TEXT_OR_NULL,
    ),
)

FOLLOWER_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/followers/{name}/failures",
        list_failures,
        "List the study changes that a follower could not process",
        {200: any_object(failures=array(_FAILURE))},
        (_NAME,),
        (404,),
        tag="System",
        needs=WATCHING,
        description=f"The latest {_MOST}. `reason`: the kind of error and its location in the "
        "code. `next_try_at`: null if the change is skipped until somebody requests "
        "another try.",
    ),
    Route(
        "POST",
        "/followers/{name}/try-again",
        try_again,
        "Retry the changes that a follower could not process",
        {202: any_object(changes=INTEGER)},
        (_NAME,),
        (404,),
        tag="System",
        with_caller=True,
        needs=ADMINISTRATION,
        action="follower tries again",
    ),
)

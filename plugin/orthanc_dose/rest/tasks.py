"""The routes of tasks: the progress and result of long work, stopping it, and deleting it."""

from datetime import UTC, datetime
from typing import Annotated, Any

from ..query import tasks as queries
from ..records import STATES
from ..records.given import Given, Meta, Number
from ..records.task import FINISHED
from ..store import tasks
from .answer_schemas import (
    COUNTS,
    INTEGER,
    TASK,
    TASK_LINE,
    TEXT,
    any_object,
    array,
)
from .errors import ApiError, not_found
from .parameters import Parameter
from .routes import SIGNED_IN, Caller, Route
from .services import Services, in_time
from .studies import PAGE

_MOST_CHOSEN = 1_000


class ChosenTasks(Given):
    """Tasks to be deleted."""

    ids: Annotated[
        list[Number],
        Meta(
            max_length=_MOST_CHOSEN,
            description="Their numbers.",
            extra={"words": f"a list of at most {_MOST_CHOSEN} task numbers"},
        ),
    ]


def list_tasks(
    services: Services, caller: Caller, limit: int, offset: int, **given: Any
) -> dict[str, Any]:
    wanted = {name: value for name, value in given.items() if value is not None}
    of = _whose(caller)
    wanted |= {} if of is None else {"user_name": of}
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    with services.store.reading() as connection:
        return {"now": now, "states": queries.states(connection, of)} | queries.list_tasks(
            connection, wanted, limit, offset
        )


def _whose(caller: Caller) -> str | None:
    """Return whose tasks a caller may see: their own; for administrators None, which means all."""
    return None if "administration" in caller.groups else caller.name


def get_task(services: Services, caller: Caller, id: int) -> dict[str, Any]:
    with services.store.reading() as connection:
        found = queries.find_task(connection, id)
    if found is None or _whose(caller) not in (None, found["user_name"]):
        raise not_found("There is no task with this number, or it belongs to another user.", "id")
    return found


def get_log(
    services: Services, caller: Caller, id: int, outcome: str | None, limit: int, offset: int
) -> dict[str, Any]:
    get_task(services, caller, id)
    with services.store.reading() as connection:
        return queries.task_log_page(connection, id, outcome, limit, offset)


def stop_task(services: Services, caller: Caller, id: int) -> tuple[int, dict[str, Any]]:
    if get_task(services, caller, id)["state"] in FINISHED:
        raise ApiError(409, "finished", "The task has already finished.", "id")
    done = in_time(services.runner.stop(id))
    return (200 if done else 202), get_task(services, caller, id)


def forget_task(services: Services, caller: Caller, id: int) -> dict[str, Any]:
    if get_task(services, caller, id)["state"] not in FINISHED:
        raise ApiError(409, "not_finished", "The task has not finished: stop it first.", "id")
    return _without_files(services, tasks.forget_tasks(services.store, [id]))


def forget_chosen(services: Services, caller: Caller, body: ChosenTasks) -> dict[str, Any]:
    return _without_files(services, tasks.forget_tasks(services.store, body.ids, _whose(caller)))


def forget_tasks(services: Services, caller: Caller) -> dict[str, Any]:
    return _without_files(services, tasks.forget_finished(services.store, _whose(caller)))


def _without_files(services: Services, deleted: int) -> dict[str, Any]:
    """Return the answer about deleted tasks after removing their files."""
    with services.store.reading() as connection:
        services.exports.sweep(connection)
    return {"deleted": deleted}


_ID = Parameter("id", "integer", "Number of the task.", minimum=1, in_path=True)

TASK_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/tasks",
        list_tasks,
        "List your own tasks or, for administrators, all tasks, newest first",
        {
            200: any_object(
                now=TEXT,
                total=INTEGER,
                tasks=array(TASK),
                states={"type": "object", "properties": dict.fromkeys(STATES, INTEGER)},
            )
        },
        (
            Parameter("state", "choice", "Only tasks in this state.", allowed=tuple(STATES)),
            Parameter("kind", "text", "Only tasks of this kind.", maximum=100),
            *PAGE,
        ),
        tag="Tasks",
        description="`states` counts the tasks in each state, regardless of the parameters.",
        with_caller=True,
        needs=SIGNED_IN,
    ),
    Route(
        "DELETE",
        "/tasks",
        forget_tasks,
        "Delete your own finished tasks or, for administrators, all finished tasks, with their "
        "logs",
        {200: any_object(deleted=INTEGER)},
        tag="Tasks",
        with_caller=True,
        needs=SIGNED_IN,
        action="finished tasks deleted",
    ),
    Route(
        "POST",
        "/tasks/forget",
        forget_chosen,
        "Delete the finished ones among these tasks, with their logs and files",
        {200: any_object(deleted=INTEGER)},
        tag="Tasks",
        with_caller=True,
        needs=SIGNED_IN,
        action="chosen tasks deleted",
        body=ChosenTasks,
        description="Applies to your own tasks or, for administrators, to all. Tasks that have "
        "not finished stay.",
    ),
    Route(
        "GET",
        "/tasks/{id}",
        get_task,
        "Return a task, its progress and its result",
        {200: TASK},
        (_ID,),
        (404,),
        tag="Tasks",
        with_caller=True,
        needs=SIGNED_IN,
    ),
    Route(
        "GET",
        "/tasks/{id}/log",
        get_log,
        "Return the log of a task, line by line",
        {
            200: any_object(
                total=INTEGER,
                outcomes=COUNTS,
                lines=array(TASK_LINE),
            )
        },
        (_ID, Parameter("outcome", "text", "Only lines with this outcome.", maximum=100), *PAGE),
        (404,),
        tag="Tasks",
        with_caller=True,
        needs=SIGNED_IN,
    ),
    Route(
        "POST",
        "/tasks/{id}/stop",
        stop_task,
        "Stop a task; what it has done so far stays",
        {200: TASK, 202: TASK},
        (_ID,),
        (404, 409),
        tag="Tasks",
        with_caller=True,
        needs=SIGNED_IN,
        action="task stopped",
    ),
    Route(
        "DELETE",
        "/tasks/{id}",
        forget_task,
        "Delete a finished task, its log and its file",
        {200: any_object(deleted=INTEGER)},
        (_ID,),
        (404, 409),
        tag="Tasks",
        with_caller=True,
        needs=SIGNED_IN,
        action="task deleted",
    ),
)

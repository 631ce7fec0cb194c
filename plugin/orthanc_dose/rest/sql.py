"""The routes of SQL: the views, running a statement for its rows or as an export, and stopping it."""

from functools import partial
from typing import Annotated, Any, Literal, NoReturn

from ..query import tasks as queries
from ..records.given import Given, Meta
from ..sql.runs import FILES, SQL_FILE
from ..sql.statement import LONGEST, Refused, Statement
from ..sql.views import VIEWS
from ..store import tasks
from .answer_schemas import (
    FLAG,
    INTEGER,
    TASK,
    TEXT,
    TEXT_OR_NULL,
    any_object,
    array,
    component,
    or_null,
    ref,
)
from .errors import ApiError
from .routes import ADMINISTRATION, Caller, Route
from .services import Services

_ACTION = "SQL statement run"


class SqlStatement(Given):
    """A statement to run."""

    sql: Annotated[str, Meta(min_length=1, max_length=LONGEST, description="One SELECT.")]
    format: Annotated[
        Literal["json", *FILES],  # type: ignore[valid-type]
        Meta(description="`json` for a direct answer, otherwise the format of the file to export."),
    ] = "json"


def list_views(services: Services, caller: Caller) -> dict[str, Any]:
    limits = services.sql.limits()
    services.sql.prepare()
    return {
        "views": [
            {
                "name": view.name,
                "title": view.table.title,
                "description": view.table.description,
                "columns": [
                    field.as_dict() | {"sql_type": field.sql_type}
                    for field in view.columns(caller.sees_identity)
                ],
            }
            for view in VIEWS.values()
        ],
        "limits": {"seconds": limits.seconds, "rows": limits.rows, "file_rows": limits.file_rows},
        "data": services.sql.copies.state(),
    }


def show_data(services: Services) -> dict[str, Any]:
    return services.sql.copies.state()


def renew_data(services: Services) -> dict[str, Any]:
    services.sql.copies.refresh()
    return services.sql.copies.state()


def run_sql(services: Services, caller: Caller, body: SqlStatement) -> Any:
    wanted, identity = body.format, caller.sees_identity
    if wanted in FILES and "export" not in caller.groups:
        raise ApiError(
            403,
            "not_allowed",
            'Exporting to a file also requires the group "export"; an administrator '
            "can add you to it.",
            "format",
        )
    if wanted in FILES:
        return _begin_file(services, caller, body.sql, wanted)
    try:
        asked, answer = services.sql.answer(body.sql, identity, caller.name)
    except Refused as error:
        _refuse(services, caller, wanted, error)
    services.audit.note(caller, _ACTION, wanted, _details(asked, identity))
    return answer


def _begin_file(services: Services, caller: Caller, sql: str, wanted: str) -> tuple[int, Any]:
    identity = caller.sees_identity
    try:
        asked = services.sql.checked(sql, identity, caller.name)
    except Refused as error:
        _refuse(services, caller, wanted, error)
    name = f"sql-{tasks.now():%Y%m%d-%H%M%S}.{wanted}"
    parameters: dict[str, Any] = {
        "format": wanted,
        "modality": None,
        "query": {},
        "identity": ["id", "name"] if _is_named(asked, identity) else [],
        "sql": asked.told,
    }
    number = services.exports.begin(
        caller.name,
        name,
        parameters,
        partial(services.sql.write_file, asked, identity, wanted),
        SQL_FILE,
    )
    services.audit.note(caller, _ACTION, f"{wanted}, task {number}", _details(asked, identity))
    with services.store.reading() as connection:
        return 202, queries.find_task(connection, number) or {}


def _is_named(asked: Statement, identity: bool) -> bool:
    # A statement that reads the studies can reveal their names and IDs, if they are stored,
    # whichever columns it selects: conditions reveal them, too.
    return identity and "study" in asked.views


def _details(asked: Statement, identity: bool) -> str:
    return f"{'with patient identity: ' if _is_named(asked, identity) else ''}{asked.told}"


def stop_sql(services: Services, caller: Caller) -> dict[str, Any]:
    return {"stopped": services.sql.stop(caller.name)}


def _refuse(services: Services, caller: Caller, wanted: str, error: Refused) -> NoReturn:
    details = _details(error.asked, caller.sees_identity) if error.asked else error.code
    services.audit.note(caller, _ACTION, wanted, details, succeeded=False)
    place = None if error.place is None else {"line": error.place[0], "column": error.place[1]}
    status = 400 if error.code in ("bad_sql", "sql_not_allowed") else 409
    raise ApiError(status, error.code, str(error), "sql", more={"place": place}) from error


_ANSWER = any_object(
    columns=array(any_object(name=TEXT, type=TEXT)),
    rows=array(array({})),
    cut=FLAG,
    elapsed_ms=INTEGER,
    as_of=TEXT,
)
component("sql_result", _ANSWER)
_DATA = component(
    "sql_data",
    any_object(
        as_of=TEXT_OR_NULL,
        is_current=FLAG,
        bytes=INTEGER,
        making=or_null(any_object(done=INTEGER, total=INTEGER)),
    ),
)
_VIEW = component(
    "sql_view",
    any_object(name=TEXT, title=TEXT, description=TEXT, columns=array(ref("sql_column"))),
)
_VIEWS = component(
    "sql_views",
    any_object(
        views=array(_VIEW),
        limits=any_object(seconds=INTEGER, rows=INTEGER, file_rows=INTEGER),
        data=_DATA,
    ),
)

SQL_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/sql/views",
        list_views,
        "List the views that SQL can read, with their columns and the limits",
        {200: _VIEWS},
        tag="SQL",
        with_caller=True,
        needs=ADMINISTRATION,
        description="Numbers are in the unit `unit`, not in the displayed one. Columns that "
        'identify a patient are available only to the group "patient identity".',
    ),
    Route(
        "POST",
        "/sql",
        run_sql,
        "Run one SELECT over the views",
        {200: _ANSWER, 202: TASK},
        errors=(403, 409, 413),
        tag="SQL",
        body=SqlStatement,
        with_caller=True,
        needs=ADMINISTRATION,
        description="In DuckDB's SQL; only one SELECT, over the views. It runs in a process of its "
        "own over a copy of the data (see /sql/data), and is ended at its limit of time (409, "
        "`sql_too_long`) or memory (`sql_too_large`), which are settings, or when it is stopped "
        "(`sql_stopped`). `json`, the default, gives the rows, as lists in the order of `columns`; "
        "`cut` says that there are more than the limit; `as_of` is the moment of the data, UTC. "
        "Dates are ISO 8601, NaN and infinity null, numbers that JSON's readers would round are "
        "texts, bytes base64. `csv` and `parquet` start an export (202), whose file is at "
        '/exports/{id}/file; they need the group "export", too. An error has the `place` in the '
        "text, {line, column} from 1, where there is one. The audit log holds the statement without "
        "the texts and long numbers that it compares with.",
    ),
    Route(
        "DELETE",
        "/sql",
        stop_sql,
        "Stop your own statements that are running for a direct answer",
        {200: any_object(stopped=INTEGER)},
        tag="SQL",
        with_caller=True,
        needs=ADMINISTRATION,
        action="SQL statements stopped",
    ),
    Route(
        "GET",
        "/sql/data",
        show_data,
        "Return how old the data are that SQL reads",
        {200: _DATA},
        tag="SQL",
        needs=ADMINISTRATION,
        description="Statements read a copy of the views. `as_of`: the time at which it was "
        "made, UTC; null if there is no copy, in which case the next statement "
        "creates one and waits for it. `is_current`: nothing has changed since. "
        "`making`: how many parts of a new copy are complete so far.",
    ),
    Route(
        "POST",
        "/sql/data",
        renew_data,
        "Start a new copy of the data that SQL reads",
        {200: _DATA},
        tag="SQL",
        needs=ADMINISTRATION,
        description="Does nothing if the copy is current. Otherwise statements use the new copy "
        "as soon as it is complete. Without this request, the copy is rebuilt for "
        "the next statement if it is older than the setting `sql_age`, in minutes, "
        "and something has changed since.",
    ),
)

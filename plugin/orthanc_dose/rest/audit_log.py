"""The routes of the audit log: reading and exporting it. Only the logged actions write to it."""

from datetime import UTC, datetime
from typing import Any

from ..manage import audit_log
from ..records import AUDIT_LOG
from .answer_schemas import (
    INTEGER,
    TEXT,
    any_object,
    array,
    component,
    of_table,
)
from .answers import Content, Download
from .parameters import Parameter
from .routes import ADMINISTRATION, Caller, Route
from .services import Services
from .studies import PAGE


def read_log(services: Services, limit: int, offset: int, **given: Any) -> dict[str, Any]:
    with services.store.reading() as connection:
        found = audit_log.page_of_entries(connection, given, limit, offset) | audit_log.known(
            connection
        )
    for entry in found["entries"]:
        entry["at"] = entry["at"].isoformat(timespec="seconds") + "Z"
    return found


def export_log(services: Services, caller: Caller, **given: Any) -> Content:
    filters = ", ".join(f"{name} {value}" for name, value in given.items() if value is not None)
    services.audit.note(caller, "audit log exported", "audit log", filters)
    with services.store.reading() as connection:
        raw = audit_log.entries_as_csv(connection, given)
    name = f"audit-log-{datetime.now(UTC):%Y-%m-%d}.csv"
    return Content(Download(raw, "text/csv; charset=utf-8", name))


_FILTERS = (
    Parameter("user", "text", "Only entries of this user.", maximum=200),
    Parameter("action", "text", "Only entries of this action.", maximum=100),
    Parameter("from", "moment", "Only entries at or after this time."),
    Parameter("to", "moment", "Only entries before this time."),
    Parameter(
        "text",
        "text",
        "Only entries with this text in user, address, action, subject or details.",
        maximum=200,
    ),
)
_ENTRY = component("audit_entry", of_table(AUDIT_LOG))

AUDIT_LOG_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/audit-log",
        read_log,
        "Return a page of the audit log, newest entries first",
        {
            200: any_object(
                total=INTEGER, entries=array(_ENTRY), users=array(TEXT), actions=array(TEXT)
            )
        },
        (*_FILTERS, *PAGE),
        tag="Access",
        description="`users` and `actions` list the values that the log contains, to filter by.",
        needs=ADMINISTRATION,
    ),
    Route(
        "GET",
        "/audit-log/export",
        export_log,
        "Export the audit log as CSV",
        {200: {"type": "string"}},
        _FILTERS,
        tag="Access",
        description="Contains the whole log, or the entries that match the filters, oldest first.",
        with_caller=True,
        needs=ADMINISTRATION,
    ),
)

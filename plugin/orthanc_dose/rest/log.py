"""The routes of the program's log: reading and exporting it."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from ..manage.log import LEVELS
from .answer_schemas import (
    TEXT,
    TEXT_OR_NULL,
    any_object,
    array,
    component,
    formerly,
)
from .answers import Content, Download
from .parameters import Parameter
from .routes import ADMINISTRATION, Route
from .services import Services

MOST, MOST_EXPORTED = 2_000, 200_000


def read_log(services: Services, level: str, text: str | None, limit: int) -> dict[str, Any]:
    log = services.log
    return {
        "level": log.level,
        "file": str(log.file) if log.file else None,
        "entries": [
            asdict(entry) | {"room": entry.logger} for entry in log.newest(level, text or "", limit)
        ],
    }


def export_log(services: Services, level: str, text: str | None) -> Content:
    lines = [
        entry.line() for entry in reversed(services.log.newest(level, text or "", MOST_EXPORTED))
    ]
    raw = "".join(f"{line}\n" for line in lines).encode()
    return Content(
        Download(raw, "text/plain; charset=utf-8", f"orthanc-dose-{datetime.now(UTC):%Y-%m-%d}.log")
    )


_FILTERS = (
    Parameter(
        "level",
        "choice",
        "Only entries of this level or a more severe one.",
        "debug",
        allowed=tuple(LEVELS),
    ),
    Parameter(
        "text",
        "text",
        "Only entries with this text in the message or the name of its logger, the module.",
        maximum=200,
    ),
)
_ENTRY = component(
    "log_entry",
    any_object(
        at=TEXT,
        level={"enum": list(LEVELS)},
        logger=TEXT | {"description": "The module that wrote it."},
        room=formerly("logger", TEXT),
        message=TEXT,
    ),
)

LOG_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/log",
        read_log,
        "Return the newest entries of the program's log",
        {200: any_object(level={"enum": list(LEVELS)}, file=TEXT_OR_NULL, entries=array(_ENTRY))},
        (*_FILTERS, Parameter("limit", "integer", "Maximum number of entries.", 500, 1, MOST)),
        tag="System",
        needs=ADMINISTRATION,
        description="Entries are read from the log file if one is written (setting "
        "`log_to_file`), otherwise from the last 2,000 entries since the start. "
        "`level` is the lowest level that is written (setting `log_level`).",
    ),
    Route(
        "GET",
        "/log/export",
        export_log,
        "Export the program's log as text, oldest entries first",
        {200: {"type": "string", "contentMediaType": "text/plain"}},
        _FILTERS,
        tag="System",
        needs=ADMINISTRATION,
    ),
)

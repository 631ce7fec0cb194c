"""The routes of patient sizes from CSV files: uploading, looking at what would happen, starting the
import as a task.
"""

from typing import Any

from ..sizes import guesses, matching, table
from ..sizes.files import KIND, LARGEST, Upload
from .errors import ApiError, bad_body, not_found
from .parameters import Parameter
from .routes import IMPORT_SIZES, Caller, Route
from .schemas import INTEGER, INTEGER_OR_NULL, TEXT, TEXT_OR_NULL, any_object, array
from .services import Services

SHOWN_ROWS, GUESSED_BY = 20, 1000
_CELL_SHOWN = 200  # characters


def upload(services: Services, caller: Caller, body: bytes) -> dict[str, Any]:
    try:
        found = services.size_files.add(body, caller.name)
    except table.NotATable as error:
        raise ApiError(400, "not_a_table", str(error)) from error
    except OSError as error:
        raise ApiError(
            503, "store_unavailable", "The file could not be kept in the data directory."
        ) from error
    rows = table.first_rows(found.path, found.dialect, GUESSED_BY)
    guess = guesses.guess(found.dialect.columns, [row.cells for row in rows if row.cells])
    return {
        "id": found.number,
        "encoding": found.dialect.encoding,
        "delimiter": found.dialect.delimiter,
        "columns": list(found.dialect.columns),
        "guess": vars(guess),
        "rows": [
            {"line": row.line, "cells": row.cells and [cell[:_CELL_SHOWN] for cell in row.cells]}
            for row in rows[:SHOWN_ROWS]
        ],
    }


def preview(services: Services, caller: Caller, id: int, body: Any) -> dict[str, Any]:
    found = _upload(services, caller, id)
    choice = _choice(found, body)
    rows = table.first_rows(found.path, found.dialect, SHOWN_ROWS)
    with services.store.reading() as connection:
        return {"rows": matching.preview(connection, rows, choice, services.store.key)}


def start(services: Services, caller: Caller, id: int, body: Any) -> tuple[int, dict[str, Any]]:
    found = _upload(services, caller, id)
    dry_run = isinstance(body, dict) and body.pop("dry_run", False)
    if not isinstance(dry_run, bool):
        raise bad_body("dry_run", "dry_run must be true or false.")
    parameters = vars(_choice(found, body)) | {"file": id, "dry_run": dry_run}

    def begin() -> int:
        return services.runner.add(KIND, caller.name, f"file {id}", parameters)

    # A trial leaves the file for the import itself.
    task = begin() if dry_run else services.size_files.start(found, begin)
    if task is None:
        raise ApiError(409, "started", "The import of this file was started before.", "id")
    return 202, {"task_id": task}


def forget(services: Services, caller: Caller, id: int) -> dict[str, Any]:
    if _upload(services, caller, id).task:
        raise ApiError(409, "started", "The import of this file was started: stop its task.", "id")
    services.size_files.remove(id)
    return {"deleted": True}


def _upload(services: Services, caller: Caller, id: int) -> Upload:
    found = services.size_files.get(id)
    if found is None or found.user != caller.name:
        raise not_found(
            "There is no file of this number, or it is another user's. Files stay for a day.", "id"
        )
    return found


_UNITS = {"height_unit": ("m", "cm"), "weight_unit": ("kg",)}


def _choice(of: Upload, body: Any) -> matching.Choice:
    if not isinstance(body, dict) or set(body) != set(_BODY["required"]):
        raise bad_body(None, f"The body must be an object with: {', '.join(_BODY['required'])}.")
    if body["kind"] not in matching.KINDS:
        raise bad_body("kind", f"kind must be one of: {', '.join(matching.KINDS)}.")
    if not isinstance(body["overwrite"], bool):
        raise bad_body("overwrite", "overwrite must be true or false.")
    for name, units in _UNITS.items():
        if body[name] is not None and body[name] not in units:
            raise bad_body(name, f"{name} must be null or one of: {', '.join(units)}.")
    for name in ("identifier", "height", "weight"):
        at = body[name]
        if (at is None and name == "identifier") or not (
            at is None or (isinstance(at, int) and not isinstance(at, bool))
        ):
            raise bad_body(name, f"{name} must be the number of a column, the first being 0.")
        if at is not None and not 0 <= at < len(of.dialect.columns):
            raise not_found("The file has no column of this number.", name)
    chosen = [body[name] for name in ("identifier", "height", "weight") if body[name] is not None]
    if len(chosen) < 2 or len(set(chosen)) < len(chosen):
        message = (
            "Choose a column for the height, for the weight, or for both, each another one "
            "than that of the identifier."
        )
        raise ApiError(409, "columns", message)
    return matching.Choice(**body)


_COLUMN = {"type": ["integer", "null"], "minimum": 0, "maximum": table.MOST_COLUMNS - 1}
_BODY: dict[str, Any] = {
    "type": "object",
    "properties": {
        "identifier": _COLUMN | {"type": "integer"},
        "height": _COLUMN,
        "weight": _COLUMN,
        "kind": {"enum": list(matching.KINDS)},
        **{name: {"enum": [*units, None]} for name, units in _UNITS.items()},
        "overwrite": {"type": "boolean"},
    },
    "required": [
        "identifier",
        "height",
        "weight",
        "kind",
        "height_unit",
        "weight_unit",
        "overwrite",
    ],
    "additionalProperties": False,
}
_START = _BODY | {"properties": _BODY["properties"] | {"dry_run": {"type": "boolean"}}}
_GUESS = any_object(
    height=INTEGER_OR_NULL,
    weight=INTEGER_OR_NULL,
    identifier=INTEGER_OR_NULL,
    kind={"enum": list(matching.KINDS)},
    height_unit=TEXT_OR_NULL,
    height_unit_by={"enum": ["header", "values", None]},
    weight_unit=TEXT_OR_NULL,
)
_UPLOADED = any_object(
    id=INTEGER,
    encoding=TEXT,
    delimiter=TEXT,
    columns=array(TEXT),
    guess=_GUESS,
    rows=array(any_object(line=INTEGER, cells={"type": ["array", "null"], "items": TEXT})),
)
_NUMBER = {"type": ["number", "null"]}
_PREVIEW = any_object(
    rows=array(
        any_object(
            line=INTEGER,
            identifier=TEXT,
            height=_NUMBER,
            weight=_NUMBER,
            study_id=INTEGER_OR_NULL,
            outcome={"enum": list(matching.OUTCOMES)},
            message=TEXT_OR_NULL,
        )
    )
)
_ID = Parameter(
    "id", "integer", "The number that the upload was answered with.", minimum=1, in_path=True
)
_COLUMNS = (
    "Columns are numbers from 0. A cell that names its unit (`175 cm`) counts by it; without a "
    "unit, of column or cell, a value"
    " is not used. Heights outside of 0.2 to 2.6 m and weights outside of 0.2 to 450 kg are not "
    "used."
)

SIZE_ROUTES: tuple[Route, ...] = (
    Route("POST", "/size-imports", upload, "Upload a CSV file of heights and "
"weights", {200: _UPLOADED}, (), (413,),
          "Patient sizes", "The body is the file itself, in UTF-8, UTF-16 or Windows-1252, with "
"commas, semicolons or tabs and"
          " a line of column names. What the file is called is not asked for, since it may be a "
          "patient's name. The answer says what the"
          " columns seem to be. The file is deleted when its import ends, or after a day.",
          raw_body=LARGEST, with_caller=True, needs=IMPORT_SIZES, action="size import uploaded"),
    Route("POST", "/size-imports/{id}/preview", preview, "What an import would do with the first "
"rows", {200: _PREVIEW},
          (_ID,), (404, 409, 413), "Patient sizes", f"One entry a row and record. "
f"{_COLUMNS}", body=_BODY, with_caller=True,
          needs=IMPORT_SIZES),
    Route("POST", "/size-imports/{id}/start", start, "Start the import of a file as a task",
          {202: any_object(task_id=INTEGER)}, (_ID,), (404, 409, 413), "Patient sizes",
          f"{_COLUMNS} With `dry_run` nothing is written but the task's log. Past imports are the "
          f"tasks of the kind `{KIND}`.",
          body=_START, with_caller=True, needs=IMPORT_SIZES, action="size import started"),
    Route("DELETE", "/size-imports/{id}", forget, "Delete an uploaded file that is not imported",
          {200: any_object(deleted={"type": "boolean"})}, (_ID,), (404, 409), "Patient sizes", with_caller=True,
          needs=IMPORT_SIZES, action="size import deleted"),
)  # fmt: skip

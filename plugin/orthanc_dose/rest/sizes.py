"""The routes of patient sizes from CSV files: uploading, previewing, and starting the import as a
task.
"""

from typing import Annotated, Any, Literal

from ..records.given import Given, Meta
from ..sizes import guesses, matching, table
from ..sizes.files import KIND, LARGEST, Upload
from .answer_schemas import (
    FLAG,
    INTEGER,
    INTEGER_OR_NULL,
    TEXT,
    TEXT_OR_NULL,
    any_object,
    array,
    component,
    or_null,
)
from .errors import ApiError, not_found
from .parameters import Parameter
from .routes import IMPORT_SIZES, Caller, Route
from .services import Services

SHOWN_ROWS, GUESSED_BY = 20, 1000
_CELL_SHOWN = 200  # characters
# The route checks whether the file has such a column, and answers 404 if not.
_Column = Annotated[
    int,
    Meta(
        extra={"words": "the number of a column, counted from 0"},
        extra_json_schema={"minimum": 0, "maximum": table.MOST_COLUMNS - 1},
    ),
]


class SizeColumns(Given):
    """The columns of a file of sizes."""

    identifier: Annotated[_Column, Meta(description="Column with the identifiers of the studies.")]
    height: Annotated[_Column | None, Meta(description="Column with the heights.")]
    weight: Annotated[_Column | None, Meta(description="Column with the weights.")]
    kind: Annotated[
        Literal[*matching.KINDS],  # type: ignore[valid-type]
        Meta(description="Kind of the identifiers."),
    ]
    height_unit: Annotated[
        Literal["m", "cm", None], Meta(description="Unit of heights whose cells have none.")
    ]
    weight_unit: Annotated[
        Literal["kg", None], Meta(description="Unit of weights whose cells have none.")
    ]
    overwrite: Annotated[
        bool, Meta(description="Whether to replace sizes that studies already have.")
    ]


class SizeImport(SizeColumns):
    """The columns of a file of sizes, and whether the import is a dry run."""

    dry_run: Annotated[bool, Meta(description="Whether to write nothing but the task's log.")] = (
        False
    )


def upload(services: Services, caller: Caller, body: bytes) -> dict[str, Any]:
    try:
        found = services.size_files.add(body, caller.name)
    except table.NotATable as error:
        raise ApiError(400, "not_a_table", str(error)) from error
    except OSError as error:
        raise ApiError(
            503,
            "store_unavailable",
            "The file could not be saved in the data directory: the disk may be full, "
            "or the directory not writable. The server's log has the location of the "
            "error.",
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


def preview_size_import(
    services: Services, caller: Caller, id: int, body: SizeColumns
) -> dict[str, Any]:
    found = _upload(services, caller, id)
    choice = _choice(found, body)
    rows = table.first_rows(found.path, found.dialect, SHOWN_ROWS)
    with services.store.reading() as connection:
        return {"rows": matching.preview_rows(connection, rows, choice, services.store.key)}


def start_size_import(
    services: Services, caller: Caller, id: int, body: SizeImport
) -> tuple[int, dict[str, Any]]:
    found = _upload(services, caller, id)
    parameters = vars(_choice(found, body)) | {"file": id, "dry_run": body.dry_run}

    def begin() -> int:
        return services.runner.add(KIND, caller.name, f"file {id}", parameters)

    # A trial keeps the file for the actual import.
    task = begin() if body.dry_run else services.size_files.start_import(found, begin)
    if task is None:
        raise ApiError(409, "started", "The import of this file has already been started.", "id")
    return 202, {"task_id": task}


def forget_size_file(services: Services, caller: Caller, id: int) -> dict[str, Any]:
    if _upload(services, caller, id).task:
        raise ApiError(
            409,
            "started",
            "The import of this file has been started, so the file cannot be deleted: "
            "stop the task instead.",
            "id",
        )
    services.size_files.remove(id)
    return {"deleted": True}


def _upload(services: Services, caller: Caller, id: int) -> Upload:
    found = services.size_files.get(id)
    if found is None or found.user != caller.name:
        raise not_found(
            "There is no file with this number, or it belongs to another user. Files are kept "
            "for a day: upload the file again.",
            "id",
        )
    return found


def _choice(of: Upload, body: SizeColumns) -> matching.Choice:
    given = {name: getattr(body, name) for name in SizeColumns.__struct_fields__}
    chosen = {name: given[name] for name in ("identifier", "height", "weight")}
    columns = [at for at in chosen.values() if at is not None]
    for name, at in chosen.items():
        if at is not None and not 0 <= at < len(of.dialect.columns):
            raise not_found("The file has no column with this number.", name)
    if len(columns) < 2 or len(set(columns)) < len(columns):
        message = (
            "Choose a column for the height, the weight or both, each different from the column "
            "of the identifiers."
        )
        raise ApiError(409, "columns", message)
    return matching.Choice(**given)


_GUESS = any_object(
    height=INTEGER_OR_NULL,
    weight=INTEGER_OR_NULL,
    identifier=INTEGER_OR_NULL,
    kind={"enum": list(matching.KINDS)},
    height_unit={"enum": ["cm", "m", None]},
    height_unit_by={"enum": ["header", "values", None]},
    weight_unit={"enum": ["kg", None]},
)
_UPLOADED = any_object(
    id=INTEGER,
    encoding=TEXT,
    delimiter=TEXT,
    columns=array(TEXT),
    guess=_GUESS,
    rows=array(any_object(line=INTEGER, cells=or_null(array(TEXT)))),
)
component("size_file", _UPLOADED)
_NUMBER = {"type": ["number", "null"]}
_LINE = component(
    "size_line",
    any_object(
        line=INTEGER,
        identifier=TEXT,
        height=_NUMBER,
        weight=_NUMBER,
        study_id=INTEGER_OR_NULL,
        outcome={"enum": list(matching.OUTCOMES)},
        message=TEXT_OR_NULL,
    ),
)
_PREVIEW = any_object(rows=array(_LINE))
_ID = Parameter(
    "id", "integer", "Number of the file, from the answer to the upload.", minimum=1, in_path=True
)
_COLUMNS = (
    "Columns are numbered from 0. A unit in a cell (`175 cm`) takes precedence; a value without "
    "a unit, of its cell or column, is not used. Heights outside 0.2 to 2.6 m and weights "
    "outside 0.2 to 450 kg are not used."
)

SIZE_ROUTES: tuple[Route, ...] = (
    Route("POST", "/size-imports", upload, "Upload a CSV file or workbook of heights and "
"weights", {200: _UPLOADED}, (), (413,),
          "Patient sizes",
          "The request body is the file itself: a workbook (XLSX), whose first sheet is read, or "
          "text in UTF-8, UTF-16 or Windows-1252, separated by "
          "commas, semicolons or tabs, with a header line. The file name is not requested, since "
          "it may contain a patient's name. The answer proposes which columns to use. The file "
          "is deleted when its import ends, or after a day.",
          raw_body=LARGEST, with_caller=True, needs=IMPORT_SIZES, action="size import uploaded"),
    Route("POST", "/size-imports/{id}/preview", preview_size_import,
          "Preview what an import would do with the first rows", {200: _PREVIEW},
          (_ID,), (404, 409, 413), "Patient sizes",
          f"One entry for each row and record. {_COLUMNS}", body=SizeColumns, with_caller=True,
          needs=IMPORT_SIZES),
    Route("POST", "/size-imports/{id}/start", start_size_import, "Start the import of a file as a task",
          {202: any_object(task_id=INTEGER)}, (_ID,), (404, 409, 413), "Patient sizes",
          f"{_COLUMNS} With `dry_run`, nothing but the task's log is written. Past imports are "
          f"the tasks of the kind `{KIND}`.",
          body=SizeImport, with_caller=True, needs=IMPORT_SIZES, action="size import started"),
    Route("DELETE", "/size-imports/{id}", forget_size_file,
          "Delete an uploaded file that has not been imported",
          {200: any_object(deleted=FLAG)}, (_ID,), (404, 409), "Patient sizes", with_caller=True,
          needs=IMPORT_SIZES, action="size import deleted"),
)  # fmt: skip

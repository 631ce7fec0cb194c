"""The workbook of a single study: its values in rows, its events, and each of its other tables.

Columns are those of the workbooks of lists (columns.py); rows are read in one state of
the store.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, BinaryIO

import duckdb

from ..query.objects import COLUMNS
from ..records import MODALITIES, OBJECT, Table
from ..store.places import PLACE
from .columns import DAY, Column, of_event, origin, study_columns
from .small_workbook import SmallWorkbook, Value
from .xlsx_file import width

# Objects are identified by their UIDs: Orthanc's identifiers are derived from the patient ID.
_OBJECT = tuple(name for name in COLUMNS if name not in ("handle", "series_handle"))


def write_study_workbook(
    connection: duckdb.DuckDBPyConnection,
    study_id: int,
    without: frozenset[str],
    to: BinaryIO,
    date_format: str,
) -> None:
    """Write a study. without: its fields that are left out.

    Raises LookupError if there is no such study.
    """
    found = connection.execute("SELECT modality FROM study WHERE id = $1", [study_id]).fetchone()
    if found is None:
        raise LookupError
    modality = MODALITIES[found[0]]
    with SmallWorkbook(to, date_format) as book:
        values = _values(connection, study_id, study_columns(modality.code, without))
        book.sheet("Study", ("Name", "Value", "Unit"), values, (40, 60, 12))
        for table, order in (
            (modality.events, "event_number"),
            (modality.accumulated, f"sop_instance_uid, t.{PLACE}"),
        ):
            if table:
                _sheet(book, connection, study_id, table, f'"{table.name}"', order)
        for field in modality.fields:
            if field.type == "structs":
                of = Table(field.name, field.title, field.description, field.fields)
                entries = f"SELECT id AS study_id, unnest({field.name}) AS one FROM study"
                _sheet(
                    book, connection, study_id, of, f"(SELECT study_id, one.* FROM ({entries}))", ""
                )
        of = Table(OBJECT.name, OBJECT.title, OBJECT.description, tuple(map(OBJECT.field, _OBJECT)))
        _sheet(book, connection, study_id, of, "object", "received_at, sop_instance_uid")


def _values(
    connection: duckdb.DuckDBPyConnection, study_id: int, columns: Sequence[Column]
) -> list[Sequence[Value]]:
    """Return rows of name, value and unit, without fields that have no value.

    Lists of structs have their own sheets.
    """
    single = [
        column
        for column in columns
        if "." not in column.name.partition(".")[2] and column.field.type != "structs"
    ]
    query = f"""
        SELECT {", ".join(column.sql for column in single)} FROM study s LEFT JOIN equipment e ON e.id =
        s.equipment_id WHERE s.id = $1
    """
    out: list[Sequence[Value]] = []
    for column, value in zip(
        single, connection.execute(query, [study_id]).fetchone() or (), strict=True
    ):
        unit = _unit(column)
        name = column.title.removesuffix(f" [{unit}]")
        if value not in (None, ""):
            out.append((name, _as_day(value) if column.kind == DAY else value, unit))
    out += ((title, value, None) for title, value in origin().values())
    return out


def _as_day(text: str) -> Value:
    """Return the date that a text is; the text, which can be a hash, if it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text


def _unit(column: Column) -> str:
    field = column.field
    return (field.shown.unit if field.shown else field.unit) or ""


def _sheet(
    book: SmallWorkbook,
    connection: duckdb.DuckDBPyConnection,
    study_id: int,
    table: Table,
    rows: str,
    order: str,
) -> None:
    """Write a sheet of the study's rows of a table, without empty columns.

    There is none if the table has no rows of the study.
    """
    columns, mine = of_event(table), f"FROM {rows} t WHERE t.study_id = $1"
    counts = ", ".join(f"count({column.sql})" for column in columns)
    given = connection.execute(f"SELECT {counts} {mine}", [study_id]).fetchone() or ()
    filled = [column for column, count in zip(columns, given, strict=True) if count]
    if filled:
        query = (
            f"SELECT {', '.join(column.sql for column in filled)} {mine} "
            f"{f'ORDER BY {order}' if order else ''}"
        )
        book.sheet(
            table.title,
            [column.title for column in filled],
            _rows(connection.execute(query, [study_id])),
            [width(column) for column in filled],
        )


def _rows(found: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while portion := found.fetchmany(500):
        yield from portion

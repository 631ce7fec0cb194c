"""The workbook of a single study: its values in rows, its events, and each of its other tables.

Cells are those of the workbooks of lists (columns.py, xlsx_file.py); rows are read in one state of
the store.
"""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import duckdb

from ..query.objects import COLUMNS
from ..records import MODALITIES, OBJECT, Table
from ..store.places import PLACE
from .columns import Column, of_event, study_columns
from .xlsx_file import Workbook, cell, text_cell, width

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
    with Workbook(to, date_format) as book:
        values = _values(connection, study_id, study_columns(modality.code, without))
        book.sheet("Study", ("Name", "Value", "Unit"), [values], (40, 60, 12))
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
) -> list[str]:
    """Return rows of name, value and unit, without fields that have no value.

    Lists of structs have their own sheets.
    """
    single = [
        column
        for column in columns
        if "." not in column.name.partition(".")[2] and column.field.type != "structs"
    ]
    query = f"""
        SELECT {", ".join(map(cell, single))} FROM study s LEFT JOIN equipment e ON e.id =
        s.equipment_id WHERE s.id = $1
    """
    out = []
    for column, xml in zip(
        single, connection.execute(query, [study_id]).fetchone() or (), strict=True
    ):
        unit = _unit(column)
        name = column.title.removesuffix(f" [{unit}]")
        if xml != "<c/>":
            out.append(text_cell(name) + xml + text_cell(unit or None))
    return out


def _unit(column: Column) -> str:
    field = column.field
    return (field.shown.unit if field.shown else field.unit) or ""


def _sheet(
    book: Workbook,
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
            f"SELECT concat({', '.join(map(cell, filled))}) {mine} "
            f"{f'ORDER BY {order}' if order else ''}"
        )
        book.sheet(
            table.title,
            [column.title for column in filled],
            _portions(connection.execute(query, [study_id])),
            [width(column) for column in filled],
        )


def _portions(found: duckdb.DuckDBPyConnection) -> Iterator[list[str]]:
    while portion := found.fetchmany(500):
        yield [row[0] for row in portion]

"""The table of systems, proposals to join them, and which parts of the data each sends."""

from typing import Any

import duckdb

from ..records import EQUIPMENT_KEY, MODALITIES, STUDY, TOTALS, Field
from ..records.rows import EquipmentRow
from ..store.database import rows, rows_of
from ..store.systems import display_name

_NUMBERS = "count(*) AS studies, coalesce(sum(number_of_events), 0)::BIGINT AS events"
_COUNTED = (
    f"{_NUMBERS}, min(study_date) AS first_study, max(study_date) AS last_study, "
    f"list(DISTINCT modality) AS modalities"
)


def list_systems(connection: duckdb.DuckDBPyConnection, text: str = "") -> list[dict[str, Any]]:
    """Return all systems with the numbers of their studies, sorted by name.

    Systems merged into another follow it, with the numbers of the studies whose objects name them;
    these also count among those of the other. text: only systems with this text in a field.
    """
    own = _by_number(connection, f"SELECT equipment_id AS id, {_COUNTED} FROM study GROUP BY 1")
    query = f"SELECT made_by AS id, {_COUNTED} FROM study WHERE made_by <> equipment_id GROUP BY 1"
    named = _by_number(connection, query)
    found = {
        row["id"]: _system_row(row, named if row["joined_into"] is not None else own)
        for row in rows_of(connection.execute("SELECT * FROM equipment"), EquipmentRow)
    }
    below: dict[int | None, list[dict[str, Any]]] = {}
    for row in sorted(
        found.values(), key=lambda row: ((row["display_name"] or "").casefold(), row["id"])
    ):
        below.setdefault(row["joined_into"], []).append(row)
    ordered = _in_order(below, None)
    wanted = text.casefold()
    return [
        row
        for row in ordered
        if any(wanted in (row[name] or "").casefold() for name in (*EQUIPMENT_KEY, "display_name"))
    ]


def find_system(connection: duckdb.DuckDBPyConnection, number: int) -> dict[str, Any] | None:
    """Return a system with the numbers of its studies, or None if there is no such system."""
    return next((row for row in list_systems(connection) if row["id"] == number), None)


def _by_number(connection: duckdb.DuckDBPyConnection, query: str) -> dict[int, dict[str, Any]]:
    return {row["id"]: row for row in rows(connection.execute(query))}


def _system_row(row: EquipmentRow, counted: dict[int, dict[str, Any]]) -> dict[str, Any]:
    nothing: dict[str, Any] = dict.fromkeys(("first_study", "last_study"))
    nothing |= {"studies": 0, "events": 0, "modalities": []}
    nothing["default_name"] = display_name(row)
    out: dict[str, Any] = {**row, **nothing, **counted.get(row["id"], {})}
    out["modalities"] = [code for code in MODALITIES if code in out["modalities"]]
    return out


def _in_order(
    below: dict[int | None, list[dict[str, Any]]], number: int | None
) -> list[dict[str, Any]]:
    return [one for row in below.get(number, ()) for one in (row, *_in_order(below, row["id"]))]


# --- systems that look like one ---

_SOFTWARE = "software_versions"
# Without one of these, nothing indicates that two rows are one system.
_WHICH = ("device_serial_number", "station_name")


def joins(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return proposals to join systems that differ in one field only.

    This is the software version, or a field that one of them leaves empty. ids: the systems that
    look like one; into: the one with the latest study, or the one that leaves nothing empty; field:
    the field that differs.
    """
    found = [
        row
        for row in list_systems(connection)
        if row["joined_into"] is None and any(row[name] for name in _WHICH)
    ]
    return [proposal for field in EQUIPMENT_KEY for proposal in _that_differ(found, field)]


def _that_differ(found: list[dict[str, Any]], field: str) -> list[dict[str, Any]]:
    alike: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in found:
        alike.setdefault(tuple(row[name] for name in EQUIPMENT_KEY if name != field), []).append(
            row
        )
    groups = [group for group in alike.values() if len(group) > 1]
    if field == _SOFTWARE:
        return [_proposal(field, sorted(group, key=_last)) for group in groups]
    return [
        _proposal(field, [without, row])
        for group in groups
        for without in group
        if not without[field]
        for row in group
        if row[field]
    ]


def _last(row: dict[str, Any]) -> tuple[str, int]:
    return str(row["last_study"] or ""), row["id"]


def _proposal(field: str, group: list[dict[str, Any]]) -> dict[str, Any]:
    listed = [
        {name: row[name] for name in ("id", "display_name", "studies", "first_study", "last_study")}
        | {"value": row[field]}
        for row in group
    ]
    return {
        "field": field,
        "into": group[-1]["id"],
        "ids": [row["id"] for row in group],
        "systems": listed,
    }


# --- what a system sends ---

_DOSES = tuple(field.name for field in TOTALS if field.type == "number")
_PAGE = """
    SELECT id, modality, study_date, study_time, study_description, source,
    coalesce(number_of_events, 0) AS events,
    coalesce(len(marks), 0) AS marks, ({}) AS totals FROM study WHERE equipment_id = $1
    ORDER BY study_date DESC NULLS LAST, study_time DESC NULLS LAST, id DESC LIMIT {:d} OFFSET {:d}
"""


def review(
    connection: duckdb.DuckDBPyConnection, number: int, limit: int, offset: int
) -> dict[str, Any]:
    """Count the rows that have each field, and return a page of studies, for one system.

    The rows of studies, events and accumulated dose are counted by modality type. The page of
    studies starts with the latest, and says what each has.
    """
    counts: dict[str, list[dict[str, Any]]] = {}
    _count(connection, number, counts, STUDY.name, STUDY.fields, "s")
    tables = (
        table
        for modality in MODALITIES.values()
        for table in (modality.events, modality.accumulated)
        if table
    )
    for table in {table.name: table for table in tables}.values():
        join = f'JOIN "{table.name}" t ON t.study_id = s.id'
        _count(connection, number, counts, table.name, table.fields, "t", join)
    has_dose = " OR ".join(f"{name} IS NOT NULL" for name in _DOSES)
    studies = rows(connection.execute(_PAGE.format(has_dose, limit, offset), [number]))
    _add_objects(connection, studies)
    total = sum(parts[0]["rows"] for parts in counts.values())
    filled = [{"modality": code, "tables": counts[code]} for code in MODALITIES if code in counts]
    return {"total": total, "filled": filled, "studies": studies}


def _count(
    connection: duckdb.DuckDBPyConnection,
    number: int,
    counts: dict[str, list[dict[str, Any]]],
    table: str,
    fields: tuple[Field, ...],
    of: str,
    join: str = "",
) -> None:
    """Count the rows of a table, and those that have each field, by modality type, in one pass."""
    there = ", ".join(f"count(*) FILTER (WHERE {_is_there(field, of)})" for field in fields)
    query = (
        f"SELECT s.modality, count(*), {there} FROM study s {join} WHERE s.equipment_id = $1 "
        f"GROUP BY 1"
    )
    for code, total, *numbers in connection.execute(query, [number]).fetchall():
        filled = [
            {"field": field.name, "filled": filled}
            for field, filled in zip(fields, numbers, strict=True)
            if not field.modalities or code in field.modalities
        ]
        counts.setdefault(code, []).append({"table": table, "rows": total, "fields": filled})


def _is_there(field: Field, of: str) -> str:
    column = f'{of}."{field.name}"'
    if field.sql_type.endswith("[]"):
        return f"len({column}) > 0"
    return f"{column} <> ''" if field.sql_type == "VARCHAR" else f"{column} IS NOT NULL"


def _add_objects(connection: duckdb.DuckDBPyConnection, studies: list[dict[str, Any]]) -> None:
    query = """
        SELECT study_id, count(*) AS objects, bool_or(source = 'report') AS report, bool_or(source
        <> 'report') AS images
        FROM object WHERE study_id IN (SELECT unnest($1)) GROUP BY 1
    """
    found = {
        row.pop("study_id"): row
        for row in rows(connection.execute(query, [[row["id"] for row in studies]]))
    }
    for row in studies:
        of_study = found.get(row["id"], {})
        row |= {"objects": of_study.get("objects", 0)}
        row |= {name: bool(of_study.get(name)) for name in ("report", "images")}

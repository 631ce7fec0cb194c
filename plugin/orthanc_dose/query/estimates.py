"""Estimates as fields of studies and of events: where filters, lists, charts and exports find them."""

from collections.abc import Sequence
from typing import Any

import duckdb

from ..records import ESTIMATE, STUDY, Field, Table
from ..records.estimate import EFFECTIVE_DOSE_TABLE, OF_EVENT, OF_STUDY
from ..records.rows import EstimateRow
from ..store.database import rows_of
from .filter_types import Place

# The quantity of each field of the study and of events, by the field's name, and what the field has
# of its row: the value, or what it was made by.
_OF_STUDY = {field.name: quantity for quantity, field in OF_STUDY.items()} | {
    EFFECTIVE_DOSE_TABLE.name: "effective_dose"
}
_OF_EVENT = {field.name: quantity for quantity, field in OF_EVENT.items()}
_TABLE = "CASE WHEN {0}.value IS NOT NULL THEN concat_ws(' ', {0}.table_key, {0}.table_version, {0}.weights) END"
_PARTS = {EFFECTIVE_DOSE_TABLE.name: _TABLE}
NAMES = tuple(_OF_STUDY)


def fields_of(table: Table, modality: str | None = None) -> tuple[Field, ...]:
    """Return the fields of a table that are estimates, of one modality type or of all."""
    known = _OF_STUDY if table is STUDY else _OF_EVENT
    return tuple(
        field
        for field in table.derived
        if field.name in known
        and (not modality or not field.modalities or modality in field.modalities)
    )


def _part(name: str, alias: str) -> str:
    return _PARTS.get(name, "{0}.value").format(alias)


def sql_of_study(name: str) -> str:
    """Return a field's value as an SQL expression over the study `s`."""
    return (
        f"(SELECT any_value({_part(name, 'x')}) FROM {ESTIMATE.name} x WHERE x.study_id = s.id AND "
        f"x.event_number IS NULL AND x.quantity = '{_OF_STUDY[name]}')"
    )


def sql_of_event(name: str) -> str:
    """Return a field's value as an SQL expression over the event `t`."""
    return (
        f"(SELECT any_value(x.value) FROM {ESTIMATE.name} x WHERE x.study_id = t.study_id AND "
        f"x.event_number = t.event_number AND x.quantity = '{_OF_EVENT[name]}')"
    )


def place(name: str) -> Place:
    """Return where filters find a field of the study."""
    of_quantity = f"t.event_number IS NULL AND t.quantity = '{_OF_STUDY[name]}'"
    value = f"(CASE WHEN {of_quantity} THEN {_part(name, 't')} END)"
    return Place(value, ESTIMATE.name, "study_id", of_study=sql_of_study(name))


def values_of_studies(
    connection: duckdb.DuckDBPyConnection, ids: Sequence[int]
) -> dict[int, dict[str, float | str]]:
    """Return the fields of these studies that have a value, by study and field."""
    listed = ", ".join(map(str, ids))  # as text: binding a list costs 0.2 ms per number
    query = f"""
        SELECT study_id, quantity, value, {_TABLE.format("t")} FROM {ESTIMATE.name} t
        WHERE study_id IN (SELECT unnest([{listed}]::BIGINT[]))
        AND event_number IS NULL AND value IS NOT NULL
    """
    out: dict[int, dict[str, float | str]] = {}
    for study_id, quantity, value, table in connection.execute(query).fetchall():
        of_study = out.setdefault(study_id, {})
        if quantity in OF_STUDY:
            of_study[OF_STUDY[quantity].name] = value
        if quantity == "effective_dose":
            of_study[EFFECTIVE_DOSE_TABLE.name] = table
    return out


def of_one_study(connection: duckdb.DuckDBPyConnection, study_id: int) -> list[EstimateRow]:
    """Return all estimates of a study, those of the whole study first."""
    query = f"""
        SELECT * FROM {ESTIMATE.name} WHERE study_id = $1
        ORDER BY event_number NULLS FIRST, quantity
    """
    return rows_of(connection.execute(query, [study_id]), EstimateRow)


def put_into_events(
    found: Sequence[EstimateRow], table: Table, events: Sequence[dict[str, Any]]
) -> None:
    """Add the fields of estimates to events of one study, rows of `table`.

    found: the estimates of the study.
    """
    values = {(row["event_number"], row["quantity"]): row["value"] for row in found}
    names = [field.name for field in fields_of(table)]
    for event in events:
        for name in names:
            event[name] = values.get((event["event_number"], _OF_EVENT[name]))

"""The columns of tables in files: each is a field of the data dictionary as an SQL expression, with
its unit in the title.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ..query.sizes import MARKS
from ..records import EQUIPMENT, MODALITIES, STUDY, Field, Table

# Kinds of cell values.
NUMBER, INTEGER, TEXT, DATE, TIME, MOMENT = "number", "integer", "text", "date", "time", "moment"
_KINDS = {"number": NUMBER, "integer": INTEGER, "date": DATE, "time": TIME, "datetime": MOMENT}
_SEPARATOR = "; "

# Numbers that link rows of different tables; in a file, the row itself links them.
_OF_THE_STORE = frozenset({"equipment_id", "made_by"})
# Of the system without what users set and what identifies the row, neither of which belongs to the
# study.
SYSTEM = tuple(
    field for field in EQUIPMENT.fields if field.name not in ("id", "user_defined_modality")
)


@dataclass(frozen=True)
class Column:
    """A column.

    name: "table.field"; kind: one of those above; sql: its value over the rows of its table, in the
    shown unit.
    """

    name: str
    title: str
    kind: str
    sql: str
    field: Field


def study_columns(modality: str | None, without: frozenset[str]) -> tuple[Column, ...]:
    """Return the columns of a study `s` and its system `e`, of one modality type or of all.

    without: fields that are left out.
    """
    fields = (MODALITIES[modality] if modality else STUDY).fields
    system = tuple(column for field in SYSTEM for column in _columns(EQUIPMENT, field, "e"))
    own = [
        column
        for field in fields
        if field.name not in without | _OF_THE_STORE
        for column in _columns(STUDY, field, "s")
    ]
    # The system comes after the columns that identify the study: number, modality type and UID.
    return (*own[:3], *system, *own[3:])


def of_event(table: Table) -> tuple[Column, ...]:
    """Return the columns of an irradiation event or administration `t`."""
    return tuple(
        column
        for field in table.fields
        if field.name != "study_id"
        for column in _columns(table, field, "t")
    )


def _columns(table: Table, field: Field, alias: str) -> Iterator[Column]:
    name, title = f"{table.name}.{field.name}", field.title
    at = MARKS if name == "study.marks" else f'{alias}."{field.name}"'
    if field.type != "structs":
        kind = _KINDS.get(field.type, TEXT)
        yield Column(name, _titled(title, field), kind, _value(field, at), field)
    elif any(part.type in ("structs", "numbers", "uids", "codes") for part in field.fields):
        # Nested lists do not fit into a table: as JSON they are complete.
        yield Column(
            name,
            title,
            TEXT,
            f"CASE WHEN len({at}) > 0 THEN CAST(to_json({at}) AS VARCHAR) END",
            field,
        )
    else:
        for part in field.fields:
            value = (
                f"list_transform({at}, lambda x: "
                f"coalesce(CAST({_value(part, f'x.{part.name}')} AS VARCHAR), ''))"
            )
            joined = f"CASE WHEN len({at}) > 0 THEN array_to_string({value}, '{_SEPARATOR}') END"
            yield Column(
                f"{name}.{part.name}", _titled(f"{title}: {part.title}", part), TEXT, joined, part
            )


def _titled(title: str, field: Field) -> str:
    unit = field.shown.unit if field.shown else field.unit
    return f"{title} [{unit}]" if unit and unit != "1" else title


def _value(field: Field, at: str) -> str:
    if field.type == "code":
        return f"{at}.meaning"
    if field.type == "codes":
        return f"array_to_string(list_transform({at}, lambda c: c.meaning), '{_SEPARATOR}')"
    if field.type in ("texts", "uids"):
        return f"array_to_string({at}, '{_SEPARATOR}')"
    if field.type == "numbers":
        return (
            f"array_to_string(list_transform({at}, lambda c: CAST({_scaled(field, 'c')} AS "
            f"VARCHAR)), '{_SEPARATOR}')"
        )
    return _scaled(field, at) if field.type == "number" else at


def _scaled(field: Field, at: str) -> str:
    """Return the SQL expression of the number in the shown unit."""
    return at if field.shown is None or field.shown.factor == 1 else times(at, field.shown.factor)


def times(at: str, factor: float) -> str:
    """Return the SQL expression of a number in another unit, rounded to fifteen digits.

    Stored numbers have fifteen digits: 1e-6 times a million is 1.
    """
    return f"CAST(printf('%.15g', {at} * {factor:.17g}) AS DOUBLE)"

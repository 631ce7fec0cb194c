"""The columns of tables in files: each is a field of the data dictionary as an SQL expression, with
its unit in the title.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from .. import LICENCE, __version__
from ..query import estimates
from ..query.sizes import MARKS
from ..records import EQUIPMENT, MODALITIES, PROJECTION_ACCUMULATED, STUDY, Field, Table
from ..store import tasks
from . import by_type

# Kinds of cell values. DAY: a date that is stored as text, since it can also be a hash.
NUMBER, INTEGER, TEXT, DATE, TIME, MOMENT, DAY = (
    "number",
    "integer",
    "text",
    "date",
    "time",
    "moment",
    "day",
)
_DAYS = frozenset({"patient_birth_date"})
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
    own += [
        Column(
            f"{STUDY.name}.{field.name}",
            titled(field),
            _KINDS.get(field.type, TEXT),
            _value(field, estimates.sql_of_study(field.name)),
            field,
        )
        for field in estimates.fields_of(STUDY, modality)
    ]
    # The system comes after the columns that identify the study: number, modality type and UID.
    return (*own[:3], *system, *own[3:])


def of_types() -> tuple[Column, ...]:
    """Return the columns of the totals of fluoroscopy by type, over the rows `hit` (by_type.py)."""
    return tuple(
        Column(
            f"{PROJECTION_ACCUMULATED.name}.{field.name}",
            titled(field),
            NUMBER,
            _value(field, f"hit.{field.name}"),
            field,
        )
        for field in map(PROJECTION_ACCUMULATED.field, by_type.TOTALS)
    )


def provenance() -> tuple[Column, ...]:
    """Return columns that say by what, under which licence and when (UTC) a file was made.

    Each row has them, so that a table read by a program has a header, rows, and nothing else.
    """
    return tuple(
        Column(
            f"export.{name}",
            title,
            MOMENT if isinstance(value, datetime) else TEXT,
            f"TIMESTAMP '{value}'" if isinstance(value, datetime) else f"'{value}'",
            Field(name, title, "datetime" if isinstance(value, datetime) else "text"),
        )
        for name, (title, value) in origin().items()
    )


def origin() -> dict[str, tuple[str, str | datetime]]:
    """Return what a file says about its own origin: title and value by name."""
    return {
        "program": ("Exported by", f"Orthanc Dose {__version__}"),
        "licence": ("Licence of the program", LICENCE),
        "exported_at": ("Exported, UTC", tasks.now()),
    }


def of_event(table: Table) -> tuple[Column, ...]:
    """Return the columns of an irradiation event or administration `t`."""
    return tuple(
        column
        for field in table.fields
        if field.name != "study_id"
        for column in _columns(table, field, "t")
    ) + tuple(
        Column(
            f"{table.name}.{field.name}",
            titled(field),
            NUMBER,
            _value(field, estimates.sql_of_event(field.name)),
            field,
        )
        for field in estimates.fields_of(table)
    )


def _columns(table: Table, field: Field, alias: str) -> Iterator[Column]:
    name, title = f"{table.name}.{field.name}", field.title
    at = MARKS if name == "study.marks" else f'{alias}."{field.name}"'
    if field.type != "structs":
        kind = DAY if field.name in _DAYS else _KINDS.get(field.type, TEXT)
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
        if field.name == "xray_filters":
            yield _mean_thickness(name, title, field, at)


def _mean_thickness(name: str, title: str, filters: Field, at: str) -> Column:
    """Return the column of each filter's mean thickness, or of the only thickness that is given.

    A wedge or bow-tie filter has a smallest and a largest one.
    """
    low, high = "x.thickness_minimum", "x.thickness_maximum"
    mean = times(f"(coalesce({low}, {high}) + coalesce({high}, {low}))", 0.5)
    values = f"list_transform({at}, lambda x: coalesce(CAST({mean} AS VARCHAR), ''))"
    thickness = next(part for part in filters.fields if part.name == "thickness_maximum")
    return Column(
        f"{name}.thickness_mean",
        _titled(f"{title}: Thickness mean", thickness),
        TEXT,
        f"CASE WHEN len({at}) > 0 THEN array_to_string({values}, '{_SEPARATOR}') END",
        thickness,
    )


def titled(field: Field) -> str:
    """Return a field's title with its unit."""
    return _titled(field.title, field)


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
            f"array_to_string(list_transform({at}, lambda c: CAST({scaled(field, 'c')} AS "
            f"VARCHAR)), '{_SEPARATOR}')"
        )
    return scaled(field, at) if field.type == "number" else at


def scaled(field: Field, at: str) -> str:
    """Return the SQL expression of the number in the shown unit."""
    return at if field.shown is None or field.shown.factor == 1 else times(at, field.shown.factor)


def times(at: str, factor: float) -> str:
    """Return the SQL expression of a number in another unit, rounded to fifteen digits.

    Stored numbers have fifteen digits: 1e-6 times a million is 1.
    """
    return f"CAST(printf('%.15g', {at} * {factor:.17g}) AS DOUBLE)"

"""The leading columns of a study's events, as far as these have values, and their cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..records import Field, Modality
from ..records.rows import EventRow
from .shown import NOTHING, Shown, decimals_for, scaled

# Fields that are informative only if they differ between events.
_WHERE_DIFFERENT = frozenset({"acquisition_plane", "source"})


@dataclass(frozen=True)
class EventColumn:
    """A column. key: the field, or "xray_sources.kvp" for one within structs; title: with the unit."""

    key: str
    title: str
    number: bool
    field: Field
    decimals: int | None
    shown: Shown

    def cell(self, row: EventRow) -> str:
        """Return the cell of an event's row.

        For several structs, such as filters or tubes, the values are side by side.
        """
        values = _values(row, self.key)
        return (
            " / ".join(self.shown.value(value, self.field, self.decimals) for value in values)
            or NOTHING
        )


def columns_of(modality: Modality, events: Sequence[EventRow], shown: Shown) -> list[EventColumn]:
    """Return the modality type's leading columns in which any event has a value or a mark."""
    table, out = modality.events, []
    for key in modality.leading:
        values = [value for row in events for value in _values(row, key)]
        given = [value for value in values if value not in (None, "", [])]
        marked = any(mark["field"] == key for row in events for mark in row.get("marks") or ())
        if not given and not marked:
            continue
        if key in _WHERE_DIFFERENT and all(value == values[0] for value in values):
            continue
        outer, _, inner = key.partition(".")
        of = table.field(outer)
        field = next(part for part in of.fields if part.name == inner) if inner else of
        title = shown.words.title(field, table, of) if inner else shown.words.title(field, table)
        unit = shown.words.unit(field)
        numbers = [scaled(value, field) for value in given] if field.type == "number" else []
        decimals = decimals_for(numbers) if field.type == "number" else None
        out.append(
            EventColumn(
                key,
                f"{title} [{unit}]" if unit else title,
                field.type in ("number", "integer"),
                field,
                decimals,
                shown,
            )
        )
    return out


def _values(row: Mapping[str, Any], key: str) -> list[Any]:
    outer, _, inner = key.partition(".")
    return [struct[inner] for struct in row[outer] or ()] if inner else [row[outer]]

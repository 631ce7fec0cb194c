"""Groups of similar fluoroscopy exposures, which a spreadsheet needs for hundreds of exposures per
study.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from ..records import PROJECTION_EVENT
from .columns import INTEGER, NUMBER, Column
from .selection import Selection

# What is the same within a group; of other numbers the minimum, mean and maximum are given.
_SAME = (
    "acquisition_plane",
    "acquisition_protocol",
    "irradiation_event_type",
    "intensifier_size",
    "collimated_field_area",
    "pulse_rate",
    "xray_filters",
)
_ANGLES = ("positioner_primary_angle", "positioner_secondary_angle")
WITHIN_DEG = 5.0
_SCHEMA = pa.schema(
    [("study_id", pa.int64()), ("event_number", pa.int64()), ("group_number", pa.int64())]
)

Exposure = tuple[
    int, int, Any, float | None, float | None
]  # study, event, what must be the same, both angles


def numbered(exposures: Iterable[Exposure]) -> Iterator[tuple[int, int, int]]:
    """Yield each exposure with the number of its group in its study, from 1.

    Exposures must come study by study, in their order. An exposure joins the first group whose
    first exposure has the same plane, protocol, type, field size, pulse rate and filters, and both
    angles within 5 degrees; a missing angle matches only a missing angle.
    """
    study: int | None = None
    groups: list[tuple[Any, float | None, float | None]] = []
    for of, event, same, primary, secondary in exposures:
        if of != study:
            study, groups = of, []
        alike = (
            number
            for number, first in enumerate(groups, 1)
            if same == first[0] and _near(primary, first[1]) and _near(secondary, first[2])
        )
        found = next(alike, None)
        if found is None:
            groups.append((same, primary, secondary))
        yield of, event, found or len(groups)


def _near(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs((one - other + 180) % 360 - 180) <= WITHIN_DEG


def columns(event: Sequence[Column]) -> tuple[Column, ...]:
    """Return the columns of a group, from those of its exposures.

    They are the number of exposures, what these share, and the minimum, mean and maximum of each
    number.
    """
    out = (
        [Column("group.exposures", "Exposures", INTEGER, "count(*)", event[0].field)]
        if event
        else []
    )
    for column in event:
        if column.name.split(".")[1] in _SAME:
            out.append(replace(column, sql=f"any_value({column.sql})"))
        elif column.kind == NUMBER:
            out += [
                replace(
                    column,
                    name=f"{column.name}.{function}",
                    title=f"{column.title}, {word}",
                    sql=f"{function}({column.sql})",
                )
                for word, function in (("minimum", "min"), ("mean", "avg"), ("maximum", "max"))
            ]
    return tuple(out)


def number(chosen: Selection) -> int:
    """Number the groups of all selected studies in the temporary table `grouped`.

    Returns the largest number of groups of a study.
    """
    table = PROJECTION_EVENT
    same = ", ".join(f"coalesce(CAST(to_json(t.{name}) AS VARCHAR), '')" for name in _SAME)
    query = f"""
        SELECT t.study_id, t.event_number, concat_ws('|', {same}),
        {", ".join(f"t.{name}" for name in _ANGLES)}
        FROM "{table.name}" t JOIN hit ON hit.id = t.study_id ORDER BY hit.n, t.event_number
    """
    found = numbered(chosen.connection.execute(query).fetchall())
    columns = list(zip(*found, strict=True)) or [(), (), ()]
    rows = pa.table([list(one) for one in columns], schema=_SCHEMA)
    chosen.connection.register("numbered", rows)
    chosen.connection.execute("CREATE TEMP TABLE grouped AS SELECT * FROM numbered")
    chosen.connection.unregister("numbered")
    return max(columns[2], default=0)

"""Groups of similar fluoroscopy exposures, which a spreadsheet needs for hundreds of exposures per
study.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import duckdb
import pyarrow as pa

from ..records import PROJECTION_EVENT
from .columns import INTEGER, NUMBER, Column
from .selection import Selection

# What is the same within a group; of other numbers the minimum, mean and maximum are given. The field size
# is that of the detector or intensifier (magnification): the collimation changes from exposure to exposure.
_SAME = (
    "acquisition_plane",
    "acquisition_protocol",
    "irradiation_event_type",
    "fluoro_mode",
    "intensifier_size",
    "detector_field_x",
    "detector_field_y",
    "pulse_rate",
    "xray_filters",
)
# Coded values are compared by code, filters by material and thicknesses, without regard to their order.
_COMPARED = {
    "code": "concat_ws(':', t.{0}.scheme, coalesce(t.{0}.value, t.{0}.meaning))",
    "structs": """array_to_string(list_sort(list_transform(t.{0}, lambda f: concat_ws('|',
        coalesce(f.material.value, f.type.value), f.thickness_minimum, f.thickness_maximum))), ';')""",
}
_ANGLES = ("positioner_primary_angle", "positioner_secondary_angle")
WITHIN_DEG = 5.0
_SCHEMA = pa.schema(
    [("study_id", pa.int64()), ("event_number", pa.int64()), ("group_number", pa.int64())]
)
_PORTION = 10_000

Factors = Sequence[Any]  # what must be the same, in one order; None or an empty text is absent
Exposure = tuple[
    int, int, Factors, float | None, float | None
]  # study, event, factors, both angles


def numbered(exposures: Iterable[Exposure]) -> Iterator[tuple[int, int, int]]:
    """Yield each exposure with the number of its group in its study, from 1.

    Exposures must come study by study, in their order. An exposure joins the first group with which
    no factor differs and both angles agree within 5 degrees. A factor or angle that is absent from
    the exposure or from the group so far is not considered; a group takes what it lacks from the
    exposures that join it.
    """
    study: int | None = None
    groups: list[_Group] = []
    for of, event, factors, primary, secondary in exposures:
        if of != study:
            study, groups = of, []
        angles = (primary, secondary)
        fitting = (at for at, group in enumerate(groups, 1) if group.takes(factors, angles))
        number = next(fitting, None)
        if number is None:
            groups.append(_Group(factors, angles))
        yield of, event, number or len(groups)


class _Group:
    """What the exposures of a group have in common, as far as any of them gives it."""

    def __init__(self, factors: Factors, angles: Sequence[float | None]) -> None:
        self._factors, self._angles = list(factors), list(angles)

    def takes(self, factors: Factors, angles: Sequence[float | None]) -> bool:
        """Return whether an exposure belongs here, and complete the group from it if so."""
        if not all(map(_same, factors, self._factors)) or not all(map(_near, angles, self._angles)):
            return False
        self._factors = [
            other if _is_absent(one) else one
            for one, other in zip(self._factors, factors, strict=True)
        ]
        self._angles = [
            other if one is None else one for one, other in zip(self._angles, angles, strict=True)
        ]
        return True


def _is_absent(factor: Any) -> bool:
    return factor is None or factor == ""


def _same(one: Any, other: Any) -> bool:
    return one == other or _is_absent(one) or _is_absent(other)


def _near(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return True
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
    factors = ", ".join(
        _COMPARED.get(table.field(name).type, "t.{0}").format(name) for name in _SAME
    )
    found = chosen.connection.execute(f"""
        SELECT t.study_id, t.event_number, {factors}, {", ".join(f"t.{name}" for name in _ANGLES)}
        FROM "{table.name}" t JOIN hit ON hit.id = t.study_id ORDER BY hit.n, t.event_number
    """)
    columns = list(zip(*numbered(_exposures(found)), strict=True)) or [(), (), ()]
    rows = pa.table([list(one) for one in columns], schema=_SCHEMA)
    chosen.connection.register("numbered", rows)
    chosen.connection.execute("CREATE TEMP TABLE grouped AS SELECT * FROM numbered")
    chosen.connection.unregister("numbered")
    return max(columns[2], default=0)


def _exposures(found: duckdb.DuckDBPyConnection) -> Iterator[Exposure]:
    while portion := found.fetchmany(_PORTION):
        for study, event, *factors, primary, secondary in portion:
            yield study, event, factors, primary, secondary

"""The fields that a row of a chart's data can have; the chart and its view decide which."""

from collections.abc import Mapping
from datetime import date
from typing import Any, TypedDict, cast

from ..records.rows import ReferenceLevelRow
from .links import Link

# The edges of a bin; in a scatter plot, the horizontal and vertical ones of a cell.
_Bin = TypedDict(
    "_Bin",
    {
        "from": float,
        "to": float,
        "x_from": float,
        "x_to": float,
        "y_from": float,
        "y_to": float,
        "bin": int,
        "part": float,
    },
    total=False,
)


class Compared(ReferenceLevelRow, total=False):
    """A reference level, its value in the shown unit, with that of the installation.

    These are the number of values, their statistic, and whether it is "over" or "under" the level.
    """

    n: int
    own: float | None
    side: str | None


class Row(_Bin, total=False):
    """Numbers in the shown unit.

    `n`: of values; `studies`: None if they were not requested. `query`: the parameters that leave
    exactly these studies in a list.
    """

    n: int
    studies: int | None
    query: Link
    # The series and the category of the row; `others`: of all categories beyond the maximum number.
    equipment_id: int | None
    system: str | None
    category: str | None
    others: bool
    # Averages.
    mean: float
    median: float
    least: float
    largest: float
    p5: float
    p25: float
    p75: float
    p95: float
    below: Link
    above: Link
    # Table: the ends of intervals, and the reference levels.
    median_interval: list[float] | None
    p75_interval: list[float] | None
    p95_interval: list[float] | None
    levels: list[Compared]
    # Over time: the first day of the period, and what control.py adds.
    period: date
    variance: float | None
    change: float | None
    centre: float | None
    lower: float | None
    upper: float | None
    out: str | None
    # Workload; None for studies without date or time.
    weekday: int | None
    hour: int | None
    # A point of a scatter plot.
    x: float
    y: float


def by_name(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same row, for numbers that the chart's options name."""
    return cast("dict[str, Any]", row)

"""What a row of a chart's data can have; which of it, the chart and its view decide."""

from collections.abc import Mapping
from datetime import date
from typing import Any, TypedDict, cast

from ..records.rows import ReferenceLevelRow
from .links import Link

# Of a bin: its edges, in a scatter plot those of a cell across and up.
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
    """A reference level, its value in the shown unit, with what the installation has beside it: the
    number of values, their statistic and whether that is "over" or "under"."""

    n: int
    own: float | None
    side: str | None


class Row(_Bin, total=False):
    """Numbers in the shown unit. `n`: of values; `studies`: None where they were not asked for.
    `query`: the parameters that leave exactly these studies in a list."""

    n: int
    studies: int | None
    query: Link
    # The series and the category that it is of; `others`: of all categories beyond the most.
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
    # Of the table: the ends of intervals, and the reference levels.
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
    """The same row, for numbers that the chart's options name."""
    return cast("dict[str, Any]", row)

"""The percentile table: for each category number, mean, median, 75th and 95th percentile with their
bootstrap intervals, and the applicable reference levels.
"""

from typing import Any

from . import bootstrap
from .categories import grouped, ordered
from .chart_row import Row, by_name
from .levels import Levels
from .links import joined
from .source import IS_KEPT, QUANTILES, Source

SHOWN = ("median", "p75", "p95")
# With fewer values a percentile has no interval.
FEWEST = {name: bootstrap.fewest(QUANTILES[name]) for name in SHOWN}
_ENDS = [(name, side) for name in SHOWN for side in (0, 1)]


def percentiles(source: Source) -> list[Row]:
    """Return the rows.

    `<name>_interval`: lower and upper end, None for fewer values than in FEWEST.
    """
    measure = source.chart.measure
    assert measure is not None
    levels = Levels(source)
    quantiles = ", ".join(str(QUANTILES[name]) for name in SHOWN)
    # Only values around the ends of intervals leave the store.
    firsts = [
        bootstrap.first_of(QUANTILES[name], side).replace("n *", "count(*) *")
        for name, side in _ENDS
    ]
    slices = [
        f"list_slice(list_sort(list(value)), {first}, {first} + {2 * bootstrap.REACH})"
        for first in firsts
    ]
    asked = (
        "count(*)",
        source.studies(IS_KEPT),
        "avg(value)",
        f"quantile_cont(value, [{quantiles}])",
        *firsts,
        *slices,
        *levels.aggregates,
    )
    columns = (source.category(), f"{measure.expression} AS value", *levels.columns)
    part = source.rows(*columns, conditions=(source.counts(measure),))
    factor, rows = measure.shown.factor, []
    for row, (mean, found, *more) in grouped(source, part, asked, **levels.bound):
        row["mean"] = mean * factor
        around = list(zip(more, more[len(_ENDS) :], strict=False))[: len(_ENDS)]
        by_name(row).update(
            {name: value * factor for name, value in zip(SHOWN, found, strict=True)}
            | _intervals(row["n"], around, factor)
        )
        row["levels"] = levels.beside(row, tuple(more[2 * len(_ENDS) :]))
        row["query"] = joined(row["query"], source.links.given())
        rows.append(row)
    return ordered(source, rows, "median" if source.options["average"] == "median" else "mean")


def _intervals(n: int, around: list[tuple[int, list[float]]], factor: float) -> dict[str, Any]:
    """Return the intervals of the percentiles.

    around: for each end, the first rank of the values around it, and these values.
    """
    out: dict[str, Any] = {}
    for at, name in enumerate(SHOWN):
        ends = (
            [
                bootstrap.end(n, QUANTILES[name], side, values, first) * factor
                for side, (first, values) in enumerate(around[2 * at : 2 * at + 2])
            ]
            if n >= FEWEST[name]
            else None
        )
        out[f"{name}_interval"] = ends
    return out

"""The data of a chart: rows of numbers in shown units, each with a link to the studies behind it."""

from dataclasses import dataclass, field, replace
from typing import Any

import duckdb

from ..query.filters import COUNTING
from .bins import histogram, scatter
from .categories import averages, frequencies
from .chart_row import Row
from .chart_types import Chart
from .links import joined
from .options import Options
from .periods import over_time
from .source import Source
from .table import FEWEST, percentiles
from .workload import workload


@dataclass
class Data:
    """The data of a chart.

    rows: numbers, `n` of values and `studies` of studies, None if they were not requested, and
    `query`: the parameters that, replacing those of the list, leave exactly these studies, None if
    there are none that do. edges: of the bins of a histogram. is_binned: whether rows are cells of
    a scatter plot. n: of all rows together. fewest: for a table, the number of values that the
    interval of each percentile requires. left_out: the number of values that are left
    out because they are marked as implausible.
    """

    chart: Chart
    view: str
    options: Options
    rows: list[Row]
    edges: list[float] = field(default_factory=list)
    is_binned: bool = False
    fewest: dict[str, int] = field(default_factory=dict)
    left_out: int = 0

    @property
    def n(self) -> int:
        return sum(row["n"] for row in self.rows)


def data_of(
    connection: duckdb.DuckDBPyConnection,
    chart: Chart,
    view: str,
    options: Options,
    values: dict[str, Any],
    with_studies: bool = True,
) -> Data:
    """Return the data of a chart.

    view: one of the chart's; values: those of the filters' parameters, by name. with_studies:
    whether charts of events also count the studies, which takes as long as everything else.
    """
    if view == "pie":
        options = options | {"per_system": False}
    source = Source(connection, chart, options, values, with_studies)
    data = _data_of(source, view, options)
    if source.leaves_out_studies and not values.get(COUNTING.name):
        _link_to_counted(data.rows)
    return data


def _link_to_counted(rows: list[Row]) -> None:
    """Let the links of rows leave out studies that do not count, as the chart does."""
    counted = {COUNTING.name: "yes"}
    for row in rows:
        row["query"] = joined(row["query"], counted)
        if "below" in row:
            row["below"], row["above"] = (
                joined(row["below"], counted),
                joined(row["above"], counted),
            )


def _data_of(source: Source, view: str, options: Options) -> Data:
    chart = source.chart
    data = Data(chart, view, options, [], left_out=source.links.left_out)
    if chart.kind == "average":
        if view == "table":
            return replace(data, rows=percentiles(source), fewest=FEWEST)
        if view != "histogram":
            return replace(data, rows=averages(source, view))
        rows, edges = histogram(source)
        return replace(data, rows=rows, edges=edges)
    if chart.kind == "scatter":
        rows, is_binned = scatter(source)
        return replace(data, rows=rows, is_binned=is_binned)
    if chart.kind == "frequency":
        return replace(data, rows=frequencies(source))
    return replace(
        data, rows=over_time(source, view) if chart.kind == "time" else workload(source, view)
    )

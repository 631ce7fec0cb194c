"""The data of a chart as a table in a file: CSV or XLSX, in the language of the page, with numbers
in the unit of their title.
"""

import io
import math
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from ..cells import BOM, line
from ..export.small_workbook import SmallWorkbook
from .chart_row import Row, by_name
from .chart_types import Quantity
from .data import Data
from .wording import Wording

Cell = str | int | float | date | None
# Numbers of a row, in the order of the columns.
_AVERAGES = ("mean", "median")
_OF_BOXES = ("mean", "least", "p5", "p25", "median", "p75", "p95", "largest")
_WIDTH, _WIDTH_OF_NAMES = 14, 36  # in characters


def chart_as_csv(data: Data, wording: Wording) -> bytes:
    """Return CSV with a line of titles and a line for each row; dates are in the configured format."""
    titles, rows = table(data, wording)
    lines = (
        [wording.day(cell) if isinstance(cell, date) else cell for cell in row] for row in rows
    )
    return BOM + line(titles) + b"".join(map(line, lines))


def as_xlsx(data: Data, wording: Wording) -> bytes:
    """Return a workbook of one sheet, named after the chart."""
    titles, rows = table(data, wording)
    texts = [any(isinstance(row[at], str) for row in rows) for at in range(len(titles))]
    widths = [
        _WIDTH_OF_NAMES if is_text else max(_WIDTH, len(title) + 2)
        for is_text, title in zip(texts, titles, strict=True)
    ]
    out = io.BytesIO()
    with SmallWorkbook(out, wording.date_format) as book:
        book.sheet(wording.title(data.chart), titles, rows, widths)
    return out.getvalue()


def table(data: Data, wording: Wording) -> tuple[list[str], list[list[Cell]]]:
    """Return the titles of the columns, and the rows in the order of the chart."""
    columns = [*_columns(data, wording), *_left_out(data, wording)]
    return [title for title, _ in columns], [
        [_rounded(value(row)) for _, value in columns] for row in data.rows
    ]


def _columns(data: Data, wording: Wording) -> Iterator[tuple[str, Callable[[Row], Cell]]]:
    """Yield the title of each column, and a function that returns its cell of a row."""
    chart, measure = data.chart, data.chart.measure
    is_point = chart.kind == "scatter" and not data.is_binned
    if chart.grouping and data.view != "histogram":
        yield wording.axis(chart.grouping, chart), wording.category
    if data.options["per_system"] and not data.is_binned:
        yield wording.head("system"), _named("system")
    if chart.kind == "time":
        yield wording.head("period"), _named("period")
    if chart.kind == "workload":
        yield wording.head("weekday"), lambda row: wording.weekday(row["weekday"])
        if data.view == "hour":
            yield wording.head("hour"), _named("hour")
    for of, axis in ((chart.against, "x"), (measure, "y")) if chart.kind == "scatter" else ():
        if of and is_point:
            yield wording.axis(of, chart), _named(axis)
        elif of:
            yield from _bounds(of, data, wording, f"{axis}_")
    if measure and data.view == "histogram":
        yield from _bounds(measure, data, wording)
    if not is_point:
        yield "n" if measure else wording.counted(chart), _named("n")
        if chart.is_of_events:
            yield wording.head("studies"), _named("studies")
    if data.view == "histogram":
        yield wording.part(chart), _named("part")
    elif measure and data.view == "table":
        yield from _percentiles(measure, data, wording)
    elif measure and data.view == "change":
        yield _title(measure, data, wording, "mean"), _named("mean")
        yield f"{wording.head('change')} [%]", _named("change")
        for name in ("centre", "lower", "upper"):
            yield _title(measure, data, wording, name), _named(name)
        yield (
            wording.head("out"),
            lambda row: wording.say(f"out.{row['out']}") if row["out"] else None,
        )
    elif measure and chart.kind in ("average", "time"):
        for name in _OF_BOXES if data.view == "box" else _AVERAGES:
            if data.view == "box" or data.options["average"] in (name, "both"):
                yield _title(measure, data, wording, name), _named(name)


def _left_out(data: Data, wording: Wording) -> Iterator[tuple[str, Callable[[Row], Cell]]]:
    """Yield a column with the number of implausible values that the whole chart leaves out."""
    if data.left_out:
        yield wording.head("leftOut"), lambda row: data.left_out


def _percentiles(
    of: Quantity, data: Data, wording: Wording
) -> Iterator[tuple[str, Callable[[Row], Cell]]]:
    yield _title(of, data, wording, "mean"), _named("mean")
    for name in data.fewest:
        yield _title(of, data, wording, name), _named(name)
        for side, end in enumerate(("from", "to")):
            title = wording.say("interval", what=wording.head(name), end=wording.number(end))
            yield wording.with_unit(title, of), _end(f"{name}_interval", side)
    yield (
        wording.head("levels"),
        lambda row: "; ".join(wording.side(level) for level in row["levels"] if level["side"]),
    )


def _bounds(
    of: Quantity, data: Data, wording: Wording, prefix: str = ""
) -> Iterator[tuple[str, Callable[[Row], Cell]]]:
    for name in ("from", "to"):
        yield _title(of, data, wording, name), _named(f"{prefix}{name}")


def _title(of: Quantity, data: Data, wording: Wording, name: str) -> str:
    """Return the title of a number of a quantity, with the unit last."""
    return wording.with_unit(
        wording.say("of", what=wording.quantity(of, data.chart), number=wording.number(name)), of
    )


def _end(name: str, side: int) -> Callable[[Row], Cell]:
    def cell(row: Row) -> Cell:
        ends = by_name(row)[name]
        return ends[side] if ends else None

    return cell


def _named(name: str) -> Callable[[Row], Any]:
    return lambda row: by_name(row)[name]


def _rounded(value: Cell) -> Cell:
    """Return a number rounded to fifteen digits, which stored numbers have.

    1e-6 times a million is 1.
    """
    if isinstance(value, float):
        return float(format(value, ".15g")) if math.isfinite(value) else None
    return value

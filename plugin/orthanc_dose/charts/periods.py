"""Averages over time: for each category and day, week, month or year."""

import calendar
from datetime import date, timedelta
from typing import Any

from .chart_row import Row, by_name
from .control import with_band
from .links import joined
from .source import IS_KEPT, KEPT, Source, kept_categories

MOST_LINES = 20
# Excludes values that cannot be doses: DuckDB fails if their squares overflow.
_VARIANCE = "var_samp(value) FILTER (WHERE abs(value) < 1e100)"
_COLUMNS = {"mean": "avg(value)", "median": "quantile_cont(value, 0.5)", "variance": _VARIANCE}


def over_time(source: Source, view: str) -> list[Row]:
    """Return rows by category, system and first day of the period. A week begins on Monday.

    The view "change" has only means, with what control.py adds to them.
    """
    measure = source.chart.measure
    assert measure is not None
    period = source.options["period"]
    wanted: tuple[str, ...] = (source.options["average"],)
    if view == "change":
        wanted = ("mean", "variance")
    elif source.options["average"] == "both":
        wanted = ("mean", "median")
    columns = ", ".join(_COLUMNS[name] for name in wanted)
    start = f"date_trunc('{period}', s.study_date)::DATE AS period"
    part = source.rows(
        source.category(),
        f"{measure.expression} AS value",
        start,
        conditions=(source.counts(measure), "s.study_date IS NOT NULL"),
    )
    query = f"""
        WITH {kept_categories(source, part, min(source.options["categories"], MOST_LINES))}
        SELECT k.place IS NULL, {source.system}, period, any_value(k.name), count(*),
        {source.studies(IS_KEPT)}, {columns}
        FROM ({part}) {KEPT} GROUP BY {source.series}k.place, period ORDER BY k.place,
        {source.series}period
    """
    systems, links, factor = source.systems(), source.links, measure.shown.factor
    rows: list[Row] = []
    for is_others, system, first, name, n, studies, *found in source.fetch(query):
        days = links.days(first, last_day(first, period))
        link = joined(links.category(name, is_others), links.system(system), links.given(), days)
        row: Row = {
            "category": None if is_others else name,
            "others": is_others,
            "equipment_id": system,
            "system": systems.get(system),
            "period": first,
            "n": n,
            "studies": studies,
            "query": link,
        }
        by_name(row).update(
            {
                name: value and value * factor ** (2 if name == "variance" else 1)
                for name, value in zip(wanted, found, strict=True)
            }
        )
        rows.append(row)
    if view == "change":
        for line in lines(rows):
            with_band(
                [rows[number] for number in line],
                lambda before, row: _next(before["period"], period) == row["period"],
            )
    return rows


def lines(rows: list[Row]) -> list[list[int]]:
    """Return the numbers of the rows of each category and system, in the order of time."""
    found: dict[Any, list[int]] = {}
    for number, row in enumerate(rows):
        found.setdefault((row["others"], row["category"], row["equipment_id"]), []).append(number)
    return list(found.values())


def _next(first: date, period: str) -> date:
    """Return the first day of the period after the one that begins on this day.

    This must not be the last period that dates can represent.
    """
    return last_day(first, period) + timedelta(days=1)


def last_day(first: date, period: str) -> date:
    """Return the last day of the period that begins on this day."""
    if period == "week":
        return first + timedelta(days=min(6, (date.max - first).days))
    if period == "month":
        return first.replace(day=calendar.monthrange(first.year, first.month)[1])
    return first.replace(month=12, day=31) if period == "year" else first

"""Averages over time: of each category in each day, week, month or year."""

import calendar
from datetime import date, timedelta
from typing import Any

from .links import joined
from .source import IS_KEPT, KEPT, Source, is_given, kept

MOST_LINES = 20


def over_time(source: Source) -> list[dict[str, Any]]:
    """Rows by category, system and first day of the period. A week begins on Monday."""
    measure = source.chart.measure
    assert measure is not None
    period = source.options["period"]
    wanted = ("mean", "median") if source.options["average"] == "both" else (source.options["average"],)
    columns = ", ".join({"mean": "avg(value)", "median": "quantile_cont(value, 0.5)"}[name] for name in wanted)
    start = f"date_trunc('{period}', s.study_date)::DATE AS period"
    part = source.rows(source.category(), f"{measure.expression} AS value", start,
                       conditions=(is_given(measure), "s.study_date IS NOT NULL"))  # fmt: skip
    query = f"""
        WITH {kept(source, part, min(source.options['categories'], MOST_LINES))}
        SELECT k.place IS NULL, {source.system}, period, any_value(k.name), count(*), {source.studies(IS_KEPT)}, {columns}
        FROM ({part}) {KEPT} GROUP BY {source.series}k.place, period ORDER BY k.place, {source.series}period
    """
    systems, links, rows = source.systems(), source.links, []
    for is_others, system, first, name, n, studies, *found in source.fetch(query):
        days = links.days(first, last(first, period))
        link = joined(links.category(name, is_others), links.system(system), links.given(), days)
        rows.append({
            "category": None if is_others else name, "others": is_others, "equipment_id": system, "system": systems.get(system),
            "period": first, "n": n, "studies": studies, "query": link,
            **{name: value * measure.shown.factor for name, value in zip(wanted, found, strict=True)},
        })  # fmt: skip
    return rows


def last(first: date, period: str) -> date:
    """The last day of the period that begins on this day."""
    if period == "week":
        return first + timedelta(days=min(6, (date.max - first).days))
    if period == "month":
        return first.replace(day=calendar.monthrange(first.year, first.month)[1])
    return first.replace(month=12, day=31) if period == "year" else first

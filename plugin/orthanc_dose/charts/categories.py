"""Averages and frequencies: numbers for each category, with a series per system if chosen."""

from collections import defaultdict
from typing import Any

from .chart_row import Row, by_name
from .links import joined
from .source import IS_KEPT, KEPT, QUANTILES, Source, kept_categories

_PLAIN = {"mean": "avg(value)", "least": "min(value)", "largest": "max(value)"}


def averages(source: Source, view: str) -> list[Row]:
    """Return the mean, median or both of each category.

    In the view "box", return all quantiles and the least and largest value.
    """
    measure = source.chart.measure
    assert measure is not None
    if view == "box":
        wanted = ("mean", *QUANTILES, "least", "largest")
    else:
        wanted = (
            ("mean", "median")
            if source.options["average"] == "both"
            else (source.options["average"],)
        )
    part = source.rows(
        source.category(), f"{measure.expression} AS value", conditions=(source.counts(measure),)
    )
    rows = []
    for row, found in _grouped(source, part, wanted):
        by_name(row).update({name: value * measure.shown.factor for name, value in found.items()})
        row["query"] = joined(row["query"], source.links.given())
        if view == "box":
            row["below"] = joined(row["query"], source.links.below(found["p5"]))
            row["above"] = joined(row["query"], source.links.above(found["p95"]))
        rows.append(row)
    shown = "median" if source.options["average"] == "median" or "mean" not in wanted else "mean"
    return ordered(source, rows, shown)


def frequencies(source: Source) -> list[Row]:
    """Return the number of studies or events in each category.

    Those without a dose are left out if the user chose so.
    """
    only = source.options["frequency_with_dose"]
    part = source.rows(source.category(), conditions=(source.with_dose(),) if only else ())
    rows = [row for row, _ in _grouped(source, part, ())]
    if only:
        for row in rows:
            row["query"] = joined(row["query"], source.links.with_dose())
    return ordered(source, rows, "n")


def _grouped(
    source: Source, part: str, wanted: tuple[str, ...]
) -> list[tuple[Row, dict[str, float]]]:
    """Return the row of each category and system, with the wanted statistics of its stored values."""
    plain, quantiles = (
        [name for name in wanted if name in _PLAIN],
        [name for name in wanted if name in QUANTILES],
    )
    studies = source.studies(IS_KEPT)
    if set(wanted) <= {"mean"} and studies in ("count(*)", "NULL"):  # the first pass suffices
        n = "sum(n)::BIGINT"
        columns = (n, studies.replace("count(*)", n), *("sum(total) / sum(n)" for _ in wanted))
        found = grouped(source, part, columns, "part", "sum(value)" if wanted else "NULL")
    else:
        columns = ("count(*)", studies, *(_PLAIN[name] for name in plain))
        if quantiles:
            columns += (
                f"quantile_cont(value, [{', '.join(str(QUANTILES[name]) for name in quantiles)}])",
            )
        found = grouped(source, part, columns)
    out = []
    for row, own in found:
        values = [*own[: len(plain)], *(own[-1] if quantiles else ())]
        out.append((row, dict(zip((*plain, *quantiles), values, strict=True))))
    return out


def grouped(
    source: Source,
    part: str,
    columns: tuple[str, ...],
    rows: str = "",
    total: str = "NULL",
    **bound: Any,
) -> list[tuple[Row, tuple[Any, ...]]]:
    """Return the row of each category and system, with the values of the additional columns.

    columns: the number of values, that of studies, and others, over `part`, or over `rows` if these
    are another table. bound: parameters that are bound in columns.
    """
    query = f"""
        WITH {kept_categories(source, part, source.options["categories"], total)}
        SELECT k.place IS NULL, {source.system}, any_value(k.name), {", ".join(columns)} FROM
        {rows or f"({part})"} {KEPT}
        GROUP BY {source.series}k.place ORDER BY {source.series}k.place
    """
    systems = source.systems()
    out = []
    for is_others, system, name, n, studies, *found in source.fetch(query, **bound):
        row: Row = {
            "category": None if is_others else name,
            "others": is_others,
            "equipment_id": system,
            "system": systems.get(system),
            "n": n,
            "studies": studies,
            "query": joined(source.links.category(name, is_others), source.links.system(system)),
        }
        out.append((row, tuple(found)))
    return out


def ordered(source: Source, rows: list[Row], value: str) -> list[Row]:
    """Return the rows in the chosen order.

    The order depends on the whole category: its number of values, its name, or the mean of its
    series' values, weighted by their numbers. The others come last.
    """
    order = source.options["order"]
    by, down = order.removeprefix("-"), order.startswith("-")
    of_category: defaultdict[tuple[bool, str | None], list[Row]] = defaultdict(list)
    for row in rows:
        of_category[row["others"], row["category"]].append(row)

    def key(category: tuple[bool, str | None]) -> Any:
        own = of_category[category]
        n = sum(row["n"] for row in own)
        if by == "name":
            return ((category[1] or "").casefold(), category[1] or "")
        return (
            n
            if by == "frequency" or value == "n"
            else sum(by_name(row)[value] * row["n"] for row in own) / n
        )

    # First by name, so that equal categories are in the order of their names.
    names = sorted(
        (one for one in of_category if not one[0]),
        key=lambda one: ((one[1] or "").casefold(), one[1] or ""),
    )
    kept = sorted(names, key=key, reverse=down)
    return [
        row
        for category in (*kept, *(one for one in of_category if one[0]))
        for row in of_category[category]
    ]

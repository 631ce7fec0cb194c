"""Averages and frequencies: numbers of each category, with a series per system where that is chosen."""

from collections import defaultdict
from typing import Any

from .links import joined
from .source import KEPT, QUANTILES, Source, is_given, top

Row = dict[str, Any]


def averages(source: Source, view: str) -> list[Row]:
    """Mean, median or both of each category; in the view "box" all quantiles and the least and largest value."""
    measure = source.chart.measure
    assert measure is not None
    if view == "box":
        wanted = ("mean", *QUANTILES, "least", "largest")
    else:
        wanted = ("mean", "median") if source.options["average"] == "both" else (source.options["average"],)
    quantiles = [name for name in wanted if name in QUANTILES]
    plain = {"mean": "avg(value)", "least": "min(value)", "largest": "max(value)"}
    columns = [plain[name] for name in wanted if name in plain]
    if quantiles:
        columns.append(f"quantile_cont(value, [{', '.join(str(QUANTILES[name]) for name in quantiles)}])")
    factor = measure.shown.factor
    rows = []
    for row, found in grouped(source, (f"{measure.expression} AS value",), (is_given(measure),), tuple(columns)):
        if quantiles:
            found, listed = found[:-1], found[-1]
        stored = dict(zip((name for name in wanted if name in plain), found, strict=True))
        stored |= dict(zip(quantiles, listed, strict=True)) if quantiles else {}
        row |= {name: stored[name] * factor for name in wanted}
        row["query"] = joined(row["query"], source.links.given())
        if view == "box":
            row["below"] = joined(row["query"], source.links.below(stored["p5"]))
            row["above"] = joined(row["query"], source.links.above(stored["p95"]))
        rows.append(row)
    shown = "median" if source.options["average"] == "median" or "mean" not in wanted else "mean"
    return ordered(source, rows, shown)


def frequencies(source: Source) -> list[Row]:
    """How many of each category."""
    return ordered(source, [row for row, _ in grouped(source, (), (), ())], "n")


def grouped(
    source: Source, columns: tuple[str, ...], conditions: tuple[str, ...], aggregates: tuple[str, ...],
    bound: dict[str, Any] | None = None,
) -> list[tuple[Row, tuple[Any, ...]]]:
    """The row of each category and system, and its aggregates, with what is bound in them."""
    part = source.rows(source.category(), *columns, conditions=conditions)
    wanted = ", ".join((source.label, "count(*)", source.studies, *aggregates))
    query = f"""
        WITH {top(source, part, source.options['categories'])}
        SELECT k.place IS NULL AS others, system, {wanted} FROM {KEPT} GROUP BY k.place, system ORDER BY k.place, system
    """
    systems = source.systems()
    out = []
    for is_others, system, name, n, studies, *found in source.fetch(query, **bound or {}):
        row = {
            "category": None if is_others else name, "others": is_others, "equipment_id": system, "system": systems.get(system),
            "n": n, "studies": studies,
            "query": joined(source.links.category(name, is_others), source.links.system(system)),
        }  # fmt: skip
        out.append((row, tuple(found)))
    return out


def ordered(source: Source, rows: list[Row], value: str) -> list[Row]:
    """By the chosen order, which goes by the whole category: its number, its name, or the mean of its series' values, weighted
    by their numbers. The others come last."""
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
        return n if by == "frequency" or value == "n" else sum(row[value] * row["n"] for row in own) / n

    # By name first: equal ones then stand in the order of names.
    names = sorted((one for one in of_category if not one[0]), key=lambda one: ((one[1] or "").casefold(), one[1] or ""))
    kept = sorted(names, key=key, reverse=down)
    return [row for category in (*kept, *(one for one in of_category if one[0])) for row in of_category[category]]

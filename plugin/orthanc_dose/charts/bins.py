"""Bins of equal width: histograms, and scatter plots of more points than a page can draw."""

from itertools import pairwise

from .chart_row import Row
from .links import joined
from .source import Source

# Points that a page draws singly: without WebGL, which its policy forbids, 5,000 block a slow
# browser for a second and a half, 10,000 for three.
MOST_POINTS = 5_000
# Cells of a scatter plot with more points: horizontal and vertical.
CELLS = (60, 40)


def edges(least: float, largest: float, bins: int) -> list[float]:
    """Return the edges of `bins` equal bins from least to largest.

    There is a single bin if all values are equal or so close that adjacent edges would coincide.
    """
    if not least < largest:
        return [least, largest]
    width = (largest - least) / bins
    found = [*(least + number * width for number in range(bins)), largest]
    return found if all(a < b for a, b in pairwise(found)) else [least, largest]


def bin_of(value: str, found: list[float], name: str) -> str:
    """Return the SQL expression of a value's bin, from 0.

    A bin ranges from its lower edge to below its upper one; the last one includes both. name: under
    which the edges are bound.
    """
    if len(found) == 2:
        return "0"
    last = len(found) - 2
    # Division may be off by one bin because of rounding; the edges decide.
    guess = (
        f"least({last}, greatest(0, floor(({value} - ${name}[1]) / (${name}[2] - "
        f"${name}[1]))::INTEGER))"
    )
    return f"""(
        CASE WHEN {guess} < {last} AND {value} >= ${name}[{guess} + 2] THEN {guess} + 1
             WHEN {value} < ${name}[{guess} + 1] THEN {guess} - 1 ELSE {guess} END
    )"""


def histogram(source: Source) -> tuple[list[Row], list[float]]:
    """Return the numbers of values per bin and system, and the edges in the shown unit.

    Bins are the same for all series: from the least to the largest of all values. Only bins with
    values have a row.
    """
    measure = source.chart.measure
    assert measure is not None
    part = source.rows(f"{measure.expression} AS value", conditions=(source.counts(measure),))
    [(least, largest)] = source.fetch(f"SELECT min(value), max(value) FROM ({part})")
    if least is None:
        return [], []
    found = edges(least, largest, source.options["bins"])
    query = f"""
        SELECT {source.system}, {bin_of("value", found, "edges")} AS bin, count(*),
        {source.studies()},
               sum(count(*)) OVER (PARTITION BY {source.system})
        FROM ({part}) GROUP BY {source.series}bin ORDER BY {source.series}bin
    """
    bound = {"edges": found} if len(found) > 2 else {}
    systems, links = source.systems(), source.links
    rows: list[Row] = []
    shown = [edge * measure.shown.factor for edge in found]
    for system, number, n, studies, total in source.fetch(query, **bound):
        within = links.between(measure, found[number], found[number + 1], number == len(found) - 2)
        rows.append(
            {
                "equipment_id": system,
                "system": systems.get(system),
                "bin": number,
                "from": shown[number],
                "to": shown[number + 1],
                "n": n,
                "studies": studies,
                "part": n / int(total),
                "query": joined(links.system(system), links.given(), within),
            }
        )
    return rows, shown


def scatter(source: Source) -> tuple[list[Row], bool]:
    """Return the points that have both values, or cells with counts if there are too many points.

    The flag tells whether the rows are cells.
    """
    across, up = source.chart.against, source.chart.measure
    assert across is not None and up is not None
    part = source.rows(
        f"{across.expression} AS x",
        f"{up.expression} AS y",
        conditions=(source.counts(across), source.counts(up)),
    )
    query = f"SELECT count(*), min(x), max(x), min(y), max(y) FROM ({part})"
    [(n, left, right, bottom, top)] = source.fetch(query)
    systems, links = source.systems(), source.links
    if n <= MOST_POINTS:
        found = source.fetch(
            f"SELECT x, y, study, system FROM ({part}) ORDER BY system, x, y, study"
        )
        return [
            {
                "x": x * across.shown.factor,
                "y": y * up.shown.factor,
                "n": 1,
                "studies": 1,
                "equipment_id": system,
                "system": systems.get(system),
                "query": {"study_number": str(study)},
            }
            for x, y, study, system in found
        ], False
    along, upward = edges(left, right, CELLS[0]), edges(bottom, top, CELLS[1])
    query = f"""
        SELECT {bin_of("x", along, "along")} AS i, {bin_of("y", upward, "upward")} AS j, count(*),
        {source.studies()}
        FROM ({part}) GROUP BY i, j ORDER BY i, j
    """
    bound = {
        name: found for name, found in (("along", along), ("upward", upward)) if len(found) > 2
    }
    rows: list[Row] = []
    for i, j, n, studies in source.fetch(query, **bound):
        link = joined(
            links.between(across, along[i], along[i + 1], i == len(along) - 2),
            links.given(),
            links.given(across),
            links.between(up, upward[j], upward[j + 1], j == len(upward) - 2),
        )
        rows.append(
            {
                "x_from": along[i] * across.shown.factor,
                "x_to": along[i + 1] * across.shown.factor,
                "y_from": upward[j] * up.shown.factor,
                "y_to": upward[j + 1] * up.shown.factor,
                "n": n,
                "studies": studies,
                "query": link,
            }
        )
    return rows, True

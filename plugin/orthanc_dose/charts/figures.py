"""Figures of plotly from the data of charts, as JSON for plotly.js in the page.

Each point carries the number of its row (`customdata`), by which a page finds what is behind it. plotly is imported when a
figure is first asked for: that takes a third of a second.
"""

from typing import TYPE_CHECKING, Any

from .chart import Quantity
from .data import Data, Row
from .periods import lines

if TYPE_CHECKING:
    import plotly.graph_objects as go

BLANK, OTHERS = "(blank)", "others"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Okabe and Ito's, which eyes that do not see red or green tell apart; without black and yellow, which vanish on dark or white.
_COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"]


def figure_of(data: Data) -> dict[str, Any]:
    """The figure: {"data": [...], "layout": {...}}. A table has nothing to draw."""
    if data.view == "table":
        return {"data": [], "layout": {}}
    import plotly.graph_objects as go

    make = {"average": _averages, "frequency": _frequencies, "time": _over_time, "workload": _workload, "scatter": _scatter}
    figure = go.Figure(layout={"template": "none", "colorway": _COLOURS, "hovermode": "closest"})
    (_histogram if data.view == "histogram" else make[data.chart.kind])(figure, data)
    figure.update_layout(showlegend=len(figure.data) > 1 or data.view == "pie")
    return figure.to_plotly_json()


def category_title(row: Row) -> str:
    return OTHERS if row["others"] else BLANK if row["category"] is None else row["category"]


def _text(name: str) -> str:
    """A name as plotly shows it: it takes some HTML for marks."""
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _axis(of: Quantity | None, otherwise: str = "") -> dict[str, Any]:
    if of is None:
        return {"title": {"text": otherwise}}
    unit = f" [{of.shown.unit}]" if of.shown.unit else ""
    return {"title": {"text": _text(f"{of.filter.label}{unit}")}}


def _by_system(data: Data) -> list[tuple[str, list[int]]]:
    """The name of each series, and its rows."""
    found: dict[int | None, list[int]] = {}
    for number, row in enumerate(data.rows):
        found.setdefault(row["equipment_id"], []).append(number)
    return [(_text(data.rows[numbers[0]]["system"] or ""), numbers) for numbers in found.values()]


def _places(figure: "go.Figure", data: Data, axis: str = "xaxis") -> dict[Any, int]:
    """Categories stand at whole numbers, with their names as ticks: names that look like numbers or dates stay names."""
    titles: dict[Any, str] = {}
    for row in data.rows:
        titles.setdefault((row["others"], row["category"]), _text(category_title(row)))
    grouping = data.chart.grouping
    ticks = {"tickvals": list(range(len(titles))), "ticktext": list(titles.values())}
    figure.update_layout({axis: {**_axis(grouping), **ticks, "tickmode": "array", "automargin": True}})
    return {category: place for place, category in enumerate(titles)}


def _of(data: Data, numbers: list[int], name: str) -> list[Any]:
    return [data.rows[number][name] for number in numbers]


def _customdata(data: Data, numbers: list[int]) -> list[list[int]]:
    return [[number, data.rows[number]["n"]] for number in numbers]


def _hover(what: str, series: str) -> str:
    return f"{what}<br>n = %{{customdata[1]:,}}<extra>{series}</extra>"


def _averages(figure: "go.Figure", data: Data) -> None:
    import plotly.graph_objects as go

    places = _places(figure, data)
    unit = data.chart.measure.shown.unit if data.chart.measure else ""
    for series, numbers in _by_system(data):
        x = [places[data.rows[number]["others"], data.rows[number]["category"]] for number in numbers]
        names = [_text(category_title(data.rows[number])) for number in numbers]
        common = {"x": x, "customdata": _customdata(data, numbers), "hovertext": names}
        if data.view == "box":
            figure.add_trace(go.Box(
                **common, name=series, mean=_of(data, numbers, "mean"), q1=_of(data, numbers, "p25"),
                median=_of(data, numbers, "median"), q3=_of(data, numbers, "p75"), lowerfence=_of(data, numbers, "p5"),
                upperfence=_of(data, numbers, "p95"), boxpoints=False,
            ))  # fmt: skip
            continue
        for average in ("mean", "median"):
            if data.rows[numbers[0]].get(average) is not None:
                name = " ".join(filter(None, (series, average)))
                pattern = {"pattern": {"shape": "/"}} if average == "median" and data.options["average"] == "both" else {}
                hover = _hover(f"%{{hovertext}}<br>%{{y:.4g}} {_text(unit)}", name)
                y = _of(data, numbers, average)
                figure.add_trace(go.Bar(**common, y=y, name=name, hovertemplate=hover, marker=pattern))
    figure.update_layout(yaxis=_axis(data.chart.measure), **{f"{'box' if data.view == 'box' else 'bar'}mode": "group"})


def _frequencies(figure: "go.Figure", data: Data) -> None:
    import plotly.graph_objects as go

    if data.view == "pie":
        numbers = list(range(len(data.rows)))
        figure.add_trace(go.Pie(
            labels=numbers, text=[_text(category_title(row)) for row in data.rows], values=_of(data, numbers, "n"), sort=False,
            customdata=_customdata(data, numbers), textinfo="text", hovertemplate=_hover("%{text}<br>%{percent}", ""),
            direction="clockwise",
        ))  # fmt: skip
        return
    places = _places(figure, data)
    for series, numbers in _by_system(data):
        figure.add_trace(go.Bar(
            x=[places[data.rows[number]["others"], data.rows[number]["category"]] for number in numbers],
            y=_of(data, numbers, "n"), hovertext=[_text(category_title(data.rows[number])) for number in numbers], name=series,
            customdata=_customdata(data, numbers), hovertemplate=_hover("%{hovertext}", series),
        ))  # fmt: skip
    figure.update_layout(yaxis=_axis(None, "Events" if data.chart.is_of_events else "Studies"), barmode="stack")


def _over_time(figure: "go.Figure", data: Data) -> None:
    """In the view "change" each line has its control band, whose traces (`meta` "band") come after those of all lines and
    share its legend group; one line alone is on at first, as bands would hide each other."""
    import plotly.graph_objects as go

    found = lines(data.rows)
    unit = data.chart.measure.shown.unit if data.chart.measure else ""
    for place, numbers in enumerate(found):
        row = data.rows[numbers[0]]
        more: dict[str, Any] = {}
        hover = f"%{{x}}<br>%{{y:.4g}} {_text(unit)}"
        if data.view == "change":
            more = _group(place) | _changes(data, numbers, _COLOURS[place % len(_COLOURS)], unit)
            hover += "<br>%{hovertext}"
        title = " · ".join(filter(None, (_text(category_title(row)), _text(row["system"] or ""))))
        for average in (one for one in ("mean", "median") if row.get(one) is not None):
            name = f"{title} ({average})" if data.options["average"] == "both" else title
            figure.add_trace(go.Scatter(
                x=[day.isoformat() for day in _of(data, numbers, "period")], y=_of(data, numbers, average), name=name,
                mode="lines+markers", customdata=_customdata(data, numbers),
                hovertemplate=_hover(hover, name),
                **{"line": {"dash": "dot"} if average == "median" and data.options["average"] == "both" else {}} | more,
            ))  # fmt: skip
    if data.view == "change":
        for place, numbers in enumerate(found):
            _band(figure, data, numbers, _COLOURS[place % len(_COLOURS)], _group(place))
    figure.update_layout(xaxis={"type": "date"}, yaxis=_axis(data.chart.measure))


def _group(place: int) -> dict[str, Any]:
    return {"legendgroup": str(place), "visible": "legendonly" if place else True}


def _band(figure: "go.Figure", data: Data, numbers: list[int], colour: str, common: dict[str, Any]) -> None:
    """The control band of a line, where it has one, and its centre."""
    import plotly.graph_objects as go

    own = [number for number in numbers if data.rows[number]["centre"] is not None]
    if not own:
        return
    common = common | {"x": [day.isoformat() for day in _of(data, own, "period")], "customdata": _customdata(data, own),
                       "mode": "lines", "hoverinfo": "skip", "showlegend": False, "meta": "band"}  # fmt: skip
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    area = {"fill": "tonexty", "fillcolor": f"rgba({red}, {green}, {blue}, 0.2)"}
    for name, line, fill in (("lower", {"width": 0}, {}), ("upper", {"width": 0}, area),
                             ("centre", {"width": 1, "dash": "dash", "color": colour}, {})):  # fmt: skip
        figure.add_trace(go.Scatter(**common, **fill, y=_of(data, own, name), line=line))


def _changes(data: Data, numbers: list[int], colour: str, unit: str) -> dict[str, Any]:
    """How the points of a line stand to the period before and to the band: signs that are told apart by their form."""
    symbols, texts = {None: "circle", "above": "triangle-up", "below": "triangle-down"}, []
    for row in (data.rows[number] for number in numbers):
        change = [] if row["change"] is None else [f"{row['change']:+.1f} % from the period before"]
        band = [] if row["centre"] is None else [f"Band {row['lower']:.4g} – {row['upper']:.4g} {_text(unit)}"]
        texts.append("<br>".join(change + band + ([f"{row['out'].title()} the band"] if row["out"] else [])))
    outs = _of(data, numbers, "out")
    return {
        "marker": {"symbol": [symbols[out] for out in outs], "size": [13 if out else 6 for out in outs], "color": colour},
        "line": {"color": colour}, "hovertext": texts,
    }  # fmt: skip


def _workload(figure: "go.Figure", data: Data) -> None:
    import plotly.graph_objects as go

    by_hour = data.view == "hour"
    for series, numbers in _by_system(data):
        for day in sorted({data.rows[number]["weekday"] or 8 for number in numbers}) if by_hour else (None,):
            own = [number for number in numbers if day is None or (data.rows[number]["weekday"] or 8) == day]
            at = _of(data, own, "hour" if by_hour else "weekday")
            name = " · ".join(filter(None, (series, _weekday(day)))) if by_hour else series
            figure.add_trace(go.Bar(
                x=[-1 if one is None else one for one in at] if by_hour else [one or 8 for one in at], y=_of(data, own, "n"),
                name=name, customdata=_customdata(data, own), hovertemplate=_hover("%{x}", name),
            ))  # fmt: skip
    is_blank = any(row["hour" if by_hour else "weekday"] is None for row in data.rows)
    ticks, blank = (range(-1, 24), -1) if by_hour else (range(1, 9), 8)
    used = [tick for tick in ticks if is_blank or tick != blank]
    texts = [BLANK if tick < 0 else f"{tick:02}" if by_hour else _weekday(tick) for tick in used]
    figure.update_layout(barmode="stack", xaxis={"tickmode": "array", "tickvals": used, "ticktext": texts},
                         yaxis=_axis(None, "Studies"))  # fmt: skip


def _weekday(number: int | None) -> str:
    return "" if number is None else BLANK if number == 8 else WEEKDAYS[number - 1]


def _histogram(figure: "go.Figure", data: Data) -> None:
    import plotly.graph_objects as go

    is_part = data.options["normalised"]
    for series, numbers in _by_system(data):
        bounds = list(zip(_of(data, numbers, "from"), _of(data, numbers, "to"), strict=True))
        figure.add_trace(go.Bar(
            x=[low + (high - low) / 2 for low, high in bounds], y=_of(data, numbers, "part" if is_part else "n"),
            width=[high - low or 1 for low, high in bounds], name=series, customdata=_customdata(data, numbers),
            hovertext=[f"{low:.4g} – {high:.4g}" for low, high in bounds], hovertemplate=_hover("%{hovertext}", series),
            opacity=0.7 if len(data.rows) > len(data.edges) else 1,
        ))  # fmt: skip
    counted = "Events" if data.chart.is_of_events else "Studies"
    figure.update_layout(barmode="overlay", bargap=0, xaxis=_axis(data.chart.measure),
                         yaxis=_axis(None, f"Part of {counted.lower()}" if is_part else counted))  # fmt: skip


def _scatter(figure: "go.Figure", data: Data) -> None:
    import plotly.graph_objects as go

    if data.is_binned:
        numbers = list(range(len(data.rows)))
        centres = [[row[f"{axis}_from"] + (row[f"{axis}_to"] - row[f"{axis}_from"]) / 2 for row in data.rows] for axis in "xy"]
        figure.add_trace(go.Heatmap(
            x=centres[0], y=centres[1], z=_of(data, numbers, "n"), customdata=_customdata(data, numbers), colorscale="Viridis",
            hovertemplate=_hover("%{x:.4g}, %{y:.4g}", ""),
        ))  # fmt: skip
    else:
        for series, numbers in _by_system(data):
            figure.add_trace(go.Scattergl(
                x=_of(data, numbers, "x"), y=_of(data, numbers, "y"), mode="markers", name=series,
                customdata=_customdata(data, numbers), hovertemplate=f"%{{x:.4g}}, %{{y:.4g}}<extra>{series}</extra>",
            ))  # fmt: skip
    figure.update_layout(xaxis=_axis(data.chart.against), yaxis=_axis(data.chart.measure))

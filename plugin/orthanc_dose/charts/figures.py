"""Plotly figures from the data of charts, as JSON for plotly.js in the page.

Each point has the number of its row (`customdata`), with which a page finds what is behind it.
plotly is imported when the first figure is requested: that takes a third of a second.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .chart_row import by_name
from .data import Data
from .periods import lines
from .wording import Wording

if TYPE_CHECKING:
    import plotly.graph_objects as go

# Okabe and Ito's palette, which is distinguishable with red-green colour blindness; without black
# and yellow, which vanish on dark or white backgrounds.
_COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"]


def figure_of(data: Data, wording: Wording) -> dict[str, Any]:
    """Return the figure: {"data": [...], "layout": {...}}. It is empty for a table."""
    if data.view == "table":
        return {"data": [], "layout": {}}
    import plotly.graph_objects as go

    make = {
        "average": _averages,
        "frequency": _frequencies,
        "time": _over_time,
        "workload": _workload,
        "scatter": _scatter,
    }
    figure = go.Figure(
        layout={
            "template": "none",
            "colorway": _COLOURS,
            "hovermode": "closest",
            "separators": wording.separators,
        }
    )
    (_histogram if data.view == "histogram" else make[data.chart.kind])(figure, data, wording)
    figure.update_layout(showlegend=len(figure.data) > 1 or data.view == "pie")
    made: dict[str, Any] = figure.to_plotly_json()
    return made


def _text(name: str) -> str:
    """Return a name as text for plotly, which interprets some HTML."""
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _axis(title: str) -> dict[str, Any]:
    return {"title": {"text": _text(title)}}


def _measured(data: Data, wording: Wording) -> dict[str, Any]:
    """Return the axis of what the chart measures."""
    assert data.chart.measure is not None
    return _axis(wording.axis(data.chart.measure, data.chart))


def _by_system(data: Data) -> list[tuple[str, list[int]]]:
    """Return the name of each series, and its rows."""
    found: dict[int | None, list[int]] = {}
    for number, row in enumerate(data.rows):
        found.setdefault(row["equipment_id"], []).append(number)
    return [(_text(data.rows[numbers[0]]["system"] or ""), numbers) for numbers in found.values()]


def _places(figure: "go.Figure", data: Data, wording: Wording) -> dict[Any, int]:
    """Set the axis of categories, and return the position of each category.

    Positions are whole numbers, with the names as ticks: names that look like numbers or dates stay
    names.
    """
    titles: dict[Any, str] = {}
    for row in data.rows:
        titles.setdefault((row["others"], row["category"]), _text(wording.category(row)))
    assert data.chart.grouping is not None
    title = wording.axis(data.chart.grouping, data.chart)
    ticks = {"tickvals": list(range(len(titles))), "ticktext": list(titles.values())}
    figure.update_layout(
        {"xaxis": {**_axis(title), **ticks, "tickmode": "array", "automargin": True}}
    )
    return {category: place for place, category in enumerate(titles)}


def _of(data: Data, numbers: list[int], name: str) -> list[Any]:
    return [by_name(data.rows[number])[name] for number in numbers]


def _customdata(data: Data, numbers: list[int]) -> list[list[int]]:
    return [[number, data.rows[number]["n"]] for number in numbers]


def _hover(what: str, series: str) -> str:
    # A name with a brace must not be taken for a placeholder.
    return f"{what}<br>n = %{{customdata[1]:,}}<extra>{series.replace('{', '&#123;')}</extra>"


def _averages(figure: "go.Figure", data: Data, wording: Wording) -> None:
    import plotly.graph_objects as go

    measure, places = data.chart.measure, _places(figure, data, wording)
    assert measure is not None
    for series, numbers in _by_system(data):
        x = [
            places[data.rows[number]["others"], data.rows[number]["category"]] for number in numbers
        ]
        names = [_text(wording.category(data.rows[number])) for number in numbers]
        common = {"x": x, "customdata": _customdata(data, numbers)}
        if data.view == "box":
            figure.add_trace(
                go.Box(
                    **common,
                    hovertext=names,
                    name=series,
                    mean=_of(data, numbers, "mean"),
                    q1=_of(data, numbers, "p25"),
                    median=_of(data, numbers, "median"),
                    q3=_of(data, numbers, "p75"),
                    lowerfence=_of(data, numbers, "p5"),
                    upperfence=_of(data, numbers, "p95"),
                    boxpoints=False,
                )
            )
            continue
        for average in ("mean", "median"):
            if data.rows[numbers[0]].get(average) is not None:
                title = " ".join(filter(None, (series, wording.number(average))))
                pattern = (
                    {"pattern": {"shape": "/"}}
                    if average == "median" and data.options["average"] == "both"
                    else {}
                )
                y = _of(data, numbers, average)
                told = [
                    f"{name}<br>{_text(wording.measured(value, measure))}"
                    for name, value in zip(names, y, strict=True)
                ]
                figure.add_trace(
                    go.Bar(
                        **common,
                        y=y,
                        hovertext=told,
                        name=title,
                        hovertemplate=_hover("%{hovertext}", title),
                        marker=pattern,
                    )
                )
    figure.update_layout(
        yaxis=_measured(data, wording), **{f"{'box' if data.view == 'box' else 'bar'}mode": "group"}
    )


def _frequencies(figure: "go.Figure", data: Data, wording: Wording) -> None:
    import plotly.graph_objects as go

    if data.view == "pie":
        numbers = list(range(len(data.rows)))
        figure.add_trace(
            go.Pie(
                labels=numbers,
                text=[_text(wording.category(row)) for row in data.rows],
                values=_of(data, numbers, "n"),
                customdata=_customdata(data, numbers),
                textinfo="text",
                sort=False,
                direction="clockwise",
                hovertemplate="%{text}<br>%{percent}<br>n = %{value:,}<extra></extra>",
            )
        )
        return
    places = _places(figure, data, wording)
    for series, numbers in _by_system(data):
        figure.add_trace(
            go.Bar(
                x=[
                    places[data.rows[number]["others"], data.rows[number]["category"]]
                    for number in numbers
                ],
                y=_of(data, numbers, "n"),
                hovertext=[_text(wording.category(data.rows[number])) for number in numbers],
                customdata=_customdata(data, numbers),
                hovertemplate=_hover("%{hovertext}", series),
                name=series,
            )
        )
    figure.update_layout(yaxis=_axis(wording.counted(data.chart)), barmode="stack")


def _over_time(figure: "go.Figure", data: Data, wording: Wording) -> None:
    """Add the lines over time.

    In the view "change" each line has its control band, whose traces (`meta` "band") come after
    those of all lines and share its legend group; only one line is visible at first, since bands
    would hide each other.
    """
    import plotly.graph_objects as go

    measure, found = data.chart.measure, lines(data.rows)
    assert measure is not None
    for place, numbers in enumerate(found):
        row = data.rows[numbers[0]]
        title = " · ".join(filter(None, (_text(wording.category(row)), _text(row["system"] or ""))))
        periods = _of(data, numbers, "period")
        for average in (one for one in ("mean", "median") if row.get(one) is not None):
            name = (
                f"{title} ({wording.number(average)})"
                if data.options["average"] == "both"
                else title
            )
            y = _of(data, numbers, average)
            told = [
                f"{wording.period(first, data.options['period'])}<br>{_text(wording.measured(value, measure))}"
                for first, value in zip(periods, y, strict=True)
            ]
            more = {
                "line": {"dash": "dot"}
                if average == "median" and data.options["average"] == "both"
                else {}
            }
            if data.view == "change":
                more = _of_band(place) | _signs(data, numbers, _colour(place))
                told = [
                    "<br>".join((text, *map(_text, wording.changes(data.rows[number], measure))))
                    for text, number in zip(told, numbers, strict=True)
                ]
            figure.add_trace(
                go.Scatter(
                    x=[day.isoformat() for day in periods],
                    y=y,
                    name=name,
                    mode="lines+markers",
                    **more,
                    customdata=_customdata(data, numbers),
                    hovertext=told,
                    hovertemplate=_hover("%{hovertext}", name),
                )
            )
    for place, numbers in enumerate(found) if data.view == "change" else ():
        _band(figure, data, numbers, place)
    figure.update_layout(xaxis={"type": "date"}, yaxis=_measured(data, wording))


def _colour(place: int) -> str:
    return _COLOURS[place % len(_COLOURS)]


def _of_band(place: int) -> dict[str, Any]:
    """Return the properties that a line and its band share."""
    return {"legendgroup": str(place), "visible": "legendonly" if place else True}


def _band(figure: "go.Figure", data: Data, numbers: list[int], place: int) -> None:
    """Add the control band of a line, if it has one, and its centre."""
    import plotly.graph_objects as go

    own = [number for number in numbers if data.rows[number]["centre"] is not None]
    common = _of_band(place) | {
        "x": [day.isoformat() for day in _of(data, own, "period")],
        "customdata": _customdata(data, own),
        "mode": "lines",
        "hoverinfo": "skip",
        "showlegend": False,
        "meta": "band",
    }
    red, green, blue = (int(_colour(place)[at : at + 2], 16) for at in (1, 3, 5))
    area = {"fill": "tonexty", "fillcolor": f"rgba({red}, {green}, {blue}, 0.2)"}
    for name, line, fill in (
        ("lower", {"width": 0}, {}),
        ("upper", {"width": 0}, area),
        ("centre", {"width": 1, "dash": "dash", "color": _colour(place)}, {}),
    ):
        if own:
            figure.add_trace(go.Scatter(**common, **fill, y=_of(data, own, name), line=line))


def _signs(data: Data, numbers: list[int], colour: str) -> dict[str, Any]:
    """Return markers and line. Points outside their band differ in shape, not only in colour."""
    symbols, outs = (
        {None: "circle", "above": "triangle-up", "below": "triangle-down"},
        _of(data, numbers, "out"),
    )
    marker = {
        "symbol": [symbols[out] for out in outs],
        "size": [13 if out else 6 for out in outs],
        "color": colour,
    }
    return {"marker": marker, "line": {"color": colour}}


def _workload(figure: "go.Figure", data: Data, wording: Wording) -> None:
    import plotly.graph_objects as go

    by_hour = data.view == "hour"
    blank, named = (-1, wording.hour) if by_hour else (8, wording.weekday)
    for series, numbers in _by_system(data):
        days: Iterable[Any] = ("all",)
        if by_hour:
            days = dict.fromkeys(data.rows[number]["weekday"] for number in numbers)
        for day in days:
            own = [number for number in numbers if day in ("all", data.rows[number]["weekday"])]
            at = _of(data, own, data.view)
            name = " · ".join(filter(None, (series, wording.weekday(day)))) if by_hour else series
            figure.add_trace(
                go.Bar(
                    x=[blank if one is None else one for one in at],
                    y=_of(data, own, "n"),
                    hovertext=[named(one) for one in at],
                    name=name,
                    customdata=_customdata(data, own),
                    hovertemplate=_hover("%{hovertext}", name),
                )
            )
    used = [
        *(range(24) if by_hour else range(1, 8)),
        *((None,) if any(by_name(row)[data.view] is None for row in data.rows) else ()),
    ]
    ticks = {
        "tickvals": [blank if one is None else one for one in used],
        "ticktext": [named(one) for one in used],
    }
    figure.update_layout(
        barmode="stack",
        xaxis={"tickmode": "array", **ticks},
        yaxis=_axis(wording.counted(data.chart)),
    )


def _histogram(figure: "go.Figure", data: Data, wording: Wording) -> None:
    import plotly.graph_objects as go

    is_part = data.options["normalised"]
    for series, numbers in _by_system(data):
        bounds = list(zip(_of(data, numbers, "from"), _of(data, numbers, "to"), strict=True))
        figure.add_trace(
            go.Bar(
                x=[low + (high - low) / 2 for low, high in bounds],
                y=_of(data, numbers, "part" if is_part else "n"),
                width=[high - low or 1 for low, high in bounds],
                name=series,
                customdata=_customdata(data, numbers),
                hovertext=[
                    f"{wording.written(low)} – {wording.written(high)}" for low, high in bounds
                ],
                hovertemplate=_hover("%{hovertext}", series),
                opacity=0.7 if len(data.rows) > len(data.edges) else 1,
            )
        )
    counted = wording.counted(data.chart)
    figure.update_layout(
        barmode="overlay",
        bargap=0,
        xaxis=_measured(data, wording),
        yaxis=_axis(wording.part(data.chart) if is_part else counted),
    )


def _scatter(figure: "go.Figure", data: Data, wording: Wording) -> None:
    import plotly.graph_objects as go

    if data.is_binned:
        numbers = list(range(len(data.rows)))
        centres = [
            [
                row[f"{axis}_from"] + (row[f"{axis}_to"] - row[f"{axis}_from"]) / 2
                for row in map(by_name, data.rows)
            ]
            for axis in "xy"
        ]
        figure.add_trace(
            go.Heatmap(
                x=centres[0],
                y=centres[1],
                z=_of(data, numbers, "n"),
                customdata=_customdata(data, numbers),
                colorscale="Viridis",
                hovertemplate=_hover("%{x:.4g}, %{y:.4g}", ""),
            )
        )
    else:
        for series, numbers in _by_system(data):
            figure.add_trace(
                go.Scatter(
                    x=_of(data, numbers, "x"),
                    y=_of(data, numbers, "y"),
                    mode="markers",
                    name=series,
                    customdata=_customdata(data, numbers),
                    hovertemplate=f"%{{x:.4g}}, %{{y:.4g}}<extra>{series}</extra>",
                )
            )
    assert data.chart.against is not None
    figure.update_layout(
        xaxis=_axis(wording.axis(data.chart.against, data.chart)), yaxis=_measured(data, wording)
    )

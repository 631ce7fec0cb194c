"""The routes of charts: the list of charts, the figure and data of each, and users' chart options."""

from dataclasses import asdict
from typing import Any

import msgspec

from ..charts import (
    CHARTS,
    DEFAULTS,
    OPTIONS,
    Chart,
    Data,
    Wording,
    as_xlsx,
    chart_as_csv,
    data_of,
    figure_of,
)
from ..charts.chart_types import VIEWS, Quantity
from ..export.exports import FORMATS
from ..export.words import LANGUAGES, date_format
from ..query.filters import or_hashes
from ..records import MODALITIES
from ..records.given import Given, changes_of
from ..store import stored_settings
from .answer_schemas import (
    ANYTHING,
    COUNTS,
    FLAG,
    INTEGER,
    INTEGER_OR_NULL,
    NUMBER,
    TEXT,
    TEXT_OR_NULL,
    TEXTS_BY_NAME,
    any_object,
    array,
    component,
    or_null,
    ref,
)
from .answers import Content, Download
from .errors import bad_body, bad_parameter, not_found
from .parameters import Parameter
from .routes import ADMINISTRATION, VIEW, Caller, Route
from .services import Services
from .studies import FILTER_PARAMETERS

_KIND, _EVERYBODY = "chart options", ""
ChartOptionChanges = changes_of(
    "ChartOptionChanges",
    "Options that are not given stay unchanged; null resets an option to its default.",
    ((name, option.type | None) for name, option in OPTIONS.items()),
)


def list_charts(services: Services, modality: str | None, language: str) -> dict[str, Any]:
    wording = Wording(language)
    return {
        "charts": [
            _told(chart, wording) for chart in CHARTS.values() if modality in (None, chart.modality)
        ],
        "options": [asdict(option) for option in OPTIONS.values()],
    }


def _told(chart: Chart, wording: Wording) -> dict[str, Any]:
    def quantity(of: Quantity | None) -> dict[str, Any] | None:
        if of is None:
            return None
        return {
            "filter": of.filter.name,
            "field": of.filter.field,
            "label": wording.quantity(of, chart),
            "unit": wording.unit(of),
        }

    return {
        "name": chart.name,
        "title": wording.title(chart),
        "modality": chart.modality,
        "level": chart.level,
        "kind": chart.kind,
        "measure": quantity(chart.measure),
        "grouping": quantity(chart.grouping),
        "against": quantity(chart.against),
        "views": list(chart.views),
    }


def get_figure(
    services: Services, caller: Caller, name: str, language: str, **given: Any
) -> dict[str, Any]:
    data = _data(services, caller, name, **given)
    return {
        "name": name,
        "view": data.view,
        "n": data.n,
        "left_out": data.left_out,
        "rows": data.rows,
        "edges": data.edges,
        "binned": data.is_binned,
        "fewest": data.fewest,
        "options": {key: data.options[key] for key in _OF_CHARTS},
        "figure": figure_of(data, _wording(services, language)),
    }


def get_data(
    services: Services, caller: Caller, name: str, language: str, format: str, **given: Any
) -> Content:
    data = _data(services, caller, name, **given)
    raw = _FILES[format](data, _wording(services, language))
    return Content(Download(raw, FORMATS[format].mime, f"{name}-{data.view}.{format}"))


def _wording(services: Services, language: str) -> Wording:
    return Wording(language, date_format(services.settings.value("date_format"), language))


def _data(
    services: Services,
    caller: Caller,
    name: str,
    view: str | None,
    studies: str | None,
    **given: Any,
) -> Data:
    """Return the data of a chart for the parameters of a route. Raises ApiError 400 or 404."""
    chart = CHARTS.get(name)
    if chart is None:
        raise not_found("There is no chart with this name; GET /charts lists all charts.", "name")
    options, filters = _options(services, caller), {}
    for key, value in given.items():
        if key not in _OF_CHARTS:
            filters[key] = value
        elif value is not None:
            options[key] = value == "yes" if OPTIONS[key].kind == "flag" else value
    if view is None:
        view = options["frequency_as"] if chart.kind == "frequency" else chart.views[0]
    if view not in chart.views:
        raise bad_parameter(
            "view", f"This chart does not have this view. Its views are: {', '.join(chart.views)}."
        )
    if chart.modality not in (filters["modality"] or (chart.modality,)):
        raise bad_parameter(
            "modality", f"This chart is for the modality type {chart.modality} only."
        )
    with services.store.reading() as connection:
        return data_of(
            connection, chart, view, options, or_hashes(filters, services.hashes), studies != "no"
        )


def _options(services: Services, caller: Caller) -> dict[str, Any]:
    """Return the caller's own options, else the administrators' defaults, else the built-in ones."""
    with services.store.reading() as connection:
        stored = [
            stored_settings.list_settings(connection, user, _KIND)
            for user in (_EVERYBODY, caller.name)
        ]
    return DEFAULTS | _known(stored[0]) | _known(stored[1])


def _known(stored: dict[str, Any]) -> dict[str, Any]:
    """Return the stored options that are still valid: charts come and go with versions."""
    out = {name: value for name, value in stored.items() if name in OPTIONS}
    if out.get("charts"):
        out["charts"] = [name for name in out["charts"] if name in CHARTS]
    return {name: value for name, value in out.items() if OPTIONS[name].problem(value) is None}


def get_options(services: Services, caller: Caller) -> dict[str, Any]:
    with services.store.reading() as connection:
        defaults = DEFAULTS | _known(stored_settings.list_settings(connection, _EVERYBODY, _KIND))
        own = _known(stored_settings.list_settings(connection, caller.name, _KIND))
    return {"options": defaults | own, "own": sorted(own), "defaults": defaults}


def put_options(services: Services, caller: Caller, body: Given) -> dict[str, Any]:
    _keep(services, caller.name, body)
    return get_options(services, caller)


def put_defaults(services: Services, caller: Caller, body: Given) -> dict[str, Any]:
    _keep(services, _EVERYBODY, body)
    return get_options(services, caller)


def _keep(services: Services, user: str, body: Given) -> None:
    """Store the options that the body gives. Raises ApiError 400 if a value is invalid.

    null in place of an option's value removes it, so that the default applies again.
    """
    given = body.as_dict()
    for name, value in given.items():
        problem = OPTIONS[name].problem(value) if value is not None else None
        if problem:
            raise bad_body(name, f"{name} must be {problem}.")
    for name, value in given.items():
        if value is None:
            stored_settings.delete_setting(services.store, user, _KIND, name)
        else:
            stored_settings.write_setting(
                services.store, user, _KIND, name, OPTIONS[name].kept(value)
            )


_OF_CHARTS = {option.name: option for option in OPTIONS.values() if not option.of_page}


def _parameters() -> tuple[Parameter, ...]:
    out = []
    for option in _OF_CHARTS.values():
        about = f"{option.description} Without it, the caller's own choice applies."
        if option.kind == "integer":
            out.append(
                Parameter(option.name, "integer", about, minimum=option.low, maximum=option.high)
            )
        else:
            out.append(
                Parameter(option.name, "choice", about, allowed=option.allowed or ("yes", "no"))
            )
    return tuple(out)


_NAME = Parameter("name", "word", "Name of the chart.", maximum=100, in_path=True)
_LANGUAGE = Parameter(
    "language",
    "choice",
    "Language of titles and other text in the chart.",
    "en",
    allowed=LANGUAGES,
)
_FILES = {"csv": chart_as_csv, "xlsx": as_xlsx}
_VIEWS = tuple(dict.fromkeys(view for views in VIEWS.values() for view in views))
_OF_ONE = (
    _NAME,
    Parameter(
        "view",
        "choice",
        "View of the chart; without it, the usual view for charts of its kind.",
        allowed=_VIEWS,
    ),
    Parameter(
        "studies",
        "choice",
        "no: charts of events do not count the studies that the events belong to, which takes as "
        "long as everything else together; `studies` is then null.",
        allowed=("yes", "no"),
    ),
    _LANGUAGE,
    *_parameters(),
    *FILTER_PARAMETERS,
)
component("chart_quantity", any_object(**dict.fromkeys(("filter", "field", "label", "unit"), TEXT)))
_CHART = component(
    "chart",
    any_object(
        **dict.fromkeys(("name", "title", "modality"), TEXT),
        level={"enum": ["study", "event"]},
        kind={"enum": list(VIEWS)},
        views=array(TEXT),
        **dict.fromkeys(("measure", "grouping", "against"), or_null(ref("chart_quantity"))),
    ),
)
_OPTION = component(
    "chart_option",
    any_object(
        name={"enum": list(OPTIONS)},
        kind={"enum": ["flag", "choice", "integer", "names"]},
        default={},
        description=TEXT,
        allowed=array(TEXT),
        low=INTEGER,
        high=INTEGER,
        of_page=FLAG,
    ),
)
_QUERY = or_null(TEXTS_BY_NAME)
_ROW = any_object(n=INTEGER, studies=INTEGER_OR_NULL, query=_QUERY)
_NUMBER, _NUMBER_OR_NULL = NUMBER, {"type": ["number", "null"]}
_INTERVAL = {"type": ["array", "null"], "items": _NUMBER, "minItems": 2, "maxItems": 2}
_COMPARED = component(
    "compared_level",
    any_object(
        id=INTEGER,
        n=INTEGER,
        value=_NUMBER,
        own=_NUMBER_OR_NULL,
        side={"enum": ["over", "under", None]},
        **dict.fromkeys(("name", "statistic", "source"), TEXT),
        year=INTEGER_OR_NULL,
        phantom=TEXT_OR_NULL,
        **dict.fromkeys(("age_from", "age_to", "weight_from", "weight_to"), _NUMBER_OR_NULL),
    ),
)
_ROW["properties"] |= {
    **dict.fromkeys(("category", "system"), TEXT_OR_NULL), "others": FLAG, "period": TEXT,
    **dict.fromkeys(("mean", "median", "p5", "p25", "p75", "p95", "least", "largest", "from", "to", "part", "x", "y",
                     "x_from", "x_to", "y_from", "y_to"), _NUMBER),
    **dict.fromkeys(("median_interval", "p75_interval", "p95_interval"), _INTERVAL), "levels": array(_COMPARED),
    **dict.fromkeys(("change", "centre", "lower", "upper"), _NUMBER_OR_NULL), "out": {"enum": ["above", "below", None]},
    **dict.fromkeys(("equipment_id", "weekday", "hour"), INTEGER_OR_NULL), "bin": INTEGER,
    **dict.fromkeys(("below", "above"), _QUERY),
}  # fmt: skip
component("chart_row", _ROW)
_VALUES = {name: msgspec.json.schema(option.type) for name, option in OPTIONS.items()}
component("shown_charts", _VALUES["charts"])
_CHOSEN = component("chart_options", any_object(**_VALUES))
_STATE = component("chosen_options", any_object(options=_CHOSEN, own=array(TEXT), defaults=_CHOSEN))
_FIGURE = component(
    "chart_answer",
    any_object(
        name=TEXT,
        view=TEXT,
        n=INTEGER,
        left_out=INTEGER,
        rows=array(_ROW),
        edges=array(_NUMBER),
        binned=FLAG,
        fewest=COUNTS,
        options=any_object(**{name: _VALUES[name] for name in _OF_CHARTS}),
        figure=any_object(data=array(ANYTHING), layout=ANYTHING),
    ),
)
CHART_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/charts",
        list_charts,
        "List the available charts and their options",
        {200: any_object(charts=array(_CHART), options=array(_OPTION))},
        (
            Parameter(
                "modality",
                "choice",
                "Only charts for this modality type.",
                allowed=tuple(MODALITIES),
            ),
            _LANGUAGE,
        ),
        tag="Charts",
        needs=VIEW,
    ),
    Route(
        "GET",
        "/charts/options",
        get_options,
        "Return your own chart options",
        {200: _STATE},
        tag="Charts",
        with_caller=True,
        needs=VIEW,
        description="`own` lists the options that you set yourself; the others have their "
        "defaults.",
    ),
    Route(
        "PUT",
        "/charts/options",
        put_options,
        "Change your own chart options",
        {200: _STATE},
        errors=(413,),
        tag="Charts",
        body=ChartOptionChanges,
        with_caller=True,
        needs=VIEW,
        description="Options that are not given stay unchanged; null resets an option to its "
        "default.",
    ),
    Route(
        "PUT",
        "/charts/options/defaults",
        put_defaults,
        "Set the default chart options of all users",
        {200: _STATE},
        errors=(413,),
        tag="Charts",
        body=ChartOptionChanges,
        with_caller=True,
        needs=ADMINISTRATION,
        action="chart defaults set",
    ),
    Route(
        "GET",
        "/charts/{name}/figure",
        get_figure,
        "Return a chart of the studies that match the filters",
        {200: _FIGURE},
        _OF_ONE,
        (403, 404),
        tag="Charts",
        with_caller=True,
        needs=VIEW,
        description="`figure` is a Plotly figure; the first number in the `customdata` of each "
        "point is the index of its row in `rows`. Numbers are in the displayed unit. "
        "Averages, histograms, points and times use the values that are given and "
        "not zero, without the `left_out` ones that are marked as implausible: `n` is the number "
        "of these values, `studies` the number of "
        "studies that they belong to, which the other charts of events do not count. "
        "Quantiles use linear interpolation. `query`: the filters that select "
        "exactly these studies if they replace the list's own; null if no filters "
        "do. In box plots, `below` and `above` lead to the studies with values below "
        "the 5th and above the 95th percentile. Bins have equal widths from the "
        "smallest to the largest value of all series; each includes its lower edge "
        "but not its upper edge, except the last, which includes both. The histogram "
        "of a single category is that of the chart with the filters of its row. In a "
        "table, each percentile has the limits of its bootstrap confidence interval "
        "(95 percent, percentile method, from the exact distribution), null if there "
        "are fewer values than `fewest`. `levels` are the reference levels for the "
        "category: `own` is the installation's value in the class of the level, `n` "
        "the number of its values, and `side` its relation to the level; a value "
        "equal to the level counts as under it. In the view `change`, each period "
        "has its change from the previous period in percent, and control limits from "
        "the previous periods: centre ± 3 s/√n.",
    ),
    # The group "export" is not required: these are the same numbers as the figure's, and no row,
    # not even a point of a single study, identifies a patient.
    Route(
        "GET",
        "/charts/{name}/data",
        get_data,
        "Export the data of a chart as a file",
        {
            200: {
                "type": "string",
                "format": "binary",
                "x-media-types": [FORMATS[one].mime.partition(";")[0] for one in _FILES],
            }
        },
        (Parameter("format", "choice", "Of the file.", "csv", allowed=tuple(_FILES)), *_OF_ONE),
        (403, 404),
        tag="Charts",
        with_caller=True,
        needs=VIEW,
        description="Contains the rows of the figure for the same parameters, under column "
        "titles with units.",
    ),
)

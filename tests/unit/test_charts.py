"""Charts over a real store against numpy over the same rows; and that the way from a number leads
to the studies behind it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

import numpy as np
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_dose.charts import (
    CHARTS,
    DEFAULTS,
    Chart,
    Data,
    Wording,
    as_xlsx,
    chart_as_csv,
    data_of,
    figure_of,
)
from orthanc_dose.charts.bins import CELLS, edges
from orthanc_dose.query import lists
from orthanc_dose.rest.studies import FILTER_PARAMETERS
from orthanc_dose.store import Store
from tests.support import charts as plain
from tests.support.effort import examples

PARAMETERS = {parameter.name: parameter for parameter in FILTER_PARAMETERS}
QUANTILES = {"p5": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95}
ROUNDS = examples(15)
CLOSE = {"rel": 1e-9, "abs": 1e-15}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = Store(tmp_path_factory.mktemp("store"))
    yield made
    made.close()


@st.composite
def chosen_options(draw: Any) -> dict[str, Any]:
    return DEFAULTS | {
        "average": draw(st.sampled_from(("mean", "median", "both"))),
        "per_system": draw(st.booleans()),
        "bins": draw(st.integers(2, 40)),
        "period": draw(st.sampled_from(("day", "week", "month", "year"))),
        "ignore_case": draw(st.booleans()),
        "categories": draw(st.sampled_from((1, 2, 100))),
        "frequency_with_dose": draw(st.booleans()),
        "order": draw(
            st.sampled_from(("name", "-name", "frequency", "-frequency", "value", "-value"))
        ),
    }


@st.composite
def filters(draw: Any) -> dict[str, str]:
    """What a list may be filtered by: such as charts lead to are among them."""
    one = st.sampled_from((
        {"equipment_id": "1"}, {"study_date_from": "2024-01-10", "study_date_to": "2024-02-10"}, {"weekday": "mon,tue"},
        {"study_time_from": "08:15"}, {"study_time_from": "22:00", "study_time_to": "08:20"}, {"study_time_to": "07:59"},
        {"study_time_from": "08:40", "study_time_to": "08:10"}, {"study_description_is": "chest"},
        {"study_description_exactly": "CHEST"}, {"dlp_total_from": "1", "dlp_total_to": "2.5"}, {"dap_total_given": "yes"},
        {"number_of_events_from": "1"}, {"study_description_empty": "no"}, {"study_number": "2"},
    ))  # fmt: skip
    return {name: value for part in draw(st.lists(one, max_size=2)) for name, value in part.items()}


def parsed(raw: dict[str, str]) -> dict[str, Any]:
    return {name: PARAMETERS[name].parse(text) for name, text in raw.items()}


class Asked:
    """A chart of a store, the studies that the filters leave, and what is behind each row."""

    def __init__(
        self,
        store: Store,
        made: list[Any],
        chart: Chart,
        view: str,
        options: dict[str, Any],
        raw: dict[str, str],
    ):
        plain.put(store, made)
        with store.reading() as connection:
            left = lists.page_of_studies(connection, parsed(raw), "id", 500, 0, ())["studies"]
            self.data: Data = data_of(connection, chart, view, options, parsed(raw))
            self.behind = [self._ids(connection, raw, row["query"]) for row in self.data.rows]
            self.beyond = [
                {role: self._ids(connection, raw, row.get(role)) for role in ("below", "above")}
                for row in self.data.rows
            ]
        ids = {row["id"] for row in left}
        self.made = [study for study in made if study["id"] in ids]
        self.options, self.chart = self.data.options, chart
        figure_of(self.data, Wording())

    @staticmethod
    def _ids(connection: Any, raw: dict[str, str], query: dict[str, str] | None) -> set[int] | None:
        if query is None:
            return None
        values = parsed(raw | query)
        found = {
            row["id"]
            for row in lists.page_of_studies(connection, values, "id", 500, 0, ())["studies"]
        }
        assert lists.count_studies(connection, values) == len(found)
        return found

    def key(self, row: dict[str, Any]) -> Any:
        name = (
            row["category"].lower()
            if row["category"] and self.options["ignore_case"]
            else row["category"]
        )
        return (name, row["equipment_id"])

    def has_way(self, row: dict[str, Any]) -> bool:
        """Whether parameters of filters can say what is behind a row: terms have no spaces around
        them.
        """
        is_term = (
            not self.options["ignore_case"]
            or (row["category"] or "") == (row["category"] or "").strip()
        )
        return not row["others"] and is_term

    def numbers(self, row: dict[str, Any], values: Any, studies: Any) -> bool:
        """Whether a row has the numbers of these. Of what lead nowhere, and would take long,
        studies are not counted.
        """
        is_open = row["others"] and self.chart.level == "event"
        return (row["n"], row["studies"]) == (len(values), None if is_open else len(studies))

    def others(self, groups: dict[Any, Any]) -> dict[Any, Any]:
        """The same groups with those put together whose category has no row of its own; the rest of
        the key stays.
        """
        own = {self.key(row)[0] for row in self.data.rows if not row["others"]}
        out: dict[Any, Any] = {}
        for (name, *rest), (values, studies) in groups.items():
            key = (name if name in own else "<others>", *rest)
            before = out.get(key, (np.array([]), set()))
            out[key] = (np.append(before[0], values), before[1] | studies)
        return out


AVERAGES = st.sampled_from([chart for chart in CHARTS.values() if chart.kind == "average"])


@ROUNDS
@given(data=st.data(), chart=AVERAGES, options=chosen_options(), raw=filters())
def test_averages_are_those_of_numpy(
    store: Store, data: Any, chart: Chart, options: dict[str, Any], raw: Any
) -> None:
    made = data.draw(plain.studies(chart.modality))
    view = data.draw(st.sampled_from(("bar", "box")))
    asked = Asked(store, made, chart, view, options, raw)
    groups = plain.grouped(chart, asked.made, asked.options)
    expected = asked.others(groups)
    assert len(asked.data.rows) == len(expected)
    for row, behind, beyond in zip(asked.data.rows, asked.behind, asked.beyond, strict=True):
        values, studies = expected[
            "<others>" if row["others"] else asked.key(row)[0], row["equipment_id"]
        ]
        assert asked.numbers(row, values, studies)
        assert behind == studies if asked.has_way(row) else behind is None
        wanted = {
            "mean": np.mean(values),
            **{name: np.quantile(values, q) for name, q in QUANTILES.items()},
            "least": values.min(),
            "largest": values.max(),
        }
        shown = (
            wanted
            if view == "box"
            else [name for name in ("mean", "median") if options["average"] in (name, "both")]
        )
        assert {name for name in wanted if name in row} == set(shown)
        for name in shown:
            assert row[name] == pytest.approx(wanted[name], **CLOSE), name
        if view == "box" and behind is not None:
            assert beyond["below"] <= behind and beyond["above"] <= behind
            # Away from the bound itself, where rounding decides.
            assert bool(beyond["above"]) >= bool((values > wanted["p95"] * (1 + 1e-9)).any())
            assert bool(beyond["below"]) >= bool((values < wanted["p5"] * (1 - 1e-9)).any())
            assert bool(beyond["above"]) <= bool((values > wanted["p95"] * (1 - 1e-9)).any())
    # Of categories the most frequent are kept, and stand in their order.
    sizes: dict[Any, int] = {}
    for (name, _), (values, _) in groups.items():
        sizes[name] = sizes.get(name, 0) + len(values)
    own = [asked.key(row)[0] for row in asked.data.rows if not row["others"]]
    kept = list(dict.fromkeys(own))
    assert len(kept) == min(len(sizes), options["categories"])
    assert (
        sorted((sizes[name] for name in kept), reverse=True)
        == sorted(sizes.values(), reverse=True)[: len(kept)]
    )
    if options["order"].endswith("frequency"):
        numbers = [sizes[name] for name in kept]
        assert numbers == sorted(numbers, reverse=options["order"][0] == "-")
    if options["order"].endswith("name"):
        names = [(row["category"] or "").casefold() for row in asked.data.rows if not row["others"]]
        assert names == sorted(names, reverse=options["order"][0] == "-")
    if options["order"].endswith("value") and not options["per_system"]:
        shown = (
            "median"
            if view == "bar" and options["average"] != "mean" and "mean" not in asked.data.rows[:1]
            else "mean"
        )
        values = [row[shown] for row in asked.data.rows if not row["others"] and shown in row]
        if options["average"] == "mean":
            assert values == sorted(values, reverse=options["order"][0] == "-")


@ROUNDS
@given(data=st.data(), chart=AVERAGES, options=chosen_options(), raw=filters())
def test_histograms_are_those_of_numpy(
    store: Store, data: Any, chart: Chart, options: dict[str, Any], raw: Any
) -> None:
    made = data.draw(plain.studies(chart.modality))
    asked = Asked(store, made, chart, "histogram", options, raw)
    # In stored units, as bins are decided there.
    assert chart.measure
    factor, counted = (
        chart.measure.shown.factor,
        [
            (
                plain.value(chart.measure.filter.field, *pair),
                pair[0]["equipment_id"] if options["per_system"] else None,
                pair[0]["id"],
            )
            for pair in plain.rows_of(chart, asked.made)
        ],
    )
    counted = [one for one in counted if one[0]]
    if not counted:
        assert asked.data.rows == asked.data.edges == []
        return
    stored = np.array([one[0] for one in counted])
    bounds = edges(float(stored.min()), float(stored.max()), options["bins"])
    if stored.min() < stored.max() * (1 - 1e-9):
        assert bounds == pytest.approx(
            np.linspace(stored.min(), stored.max(), options["bins"] + 1), **CLOSE
        )
    assert asked.data.edges == pytest.approx([edge * factor for edge in bounds], **CLOSE)
    for system in {one[1] for one in counted}:
        own = np.array([one[0] for one in counted if one[1] == system])
        numbers = np.histogram(
            own, bins=bounds if len(set(bounds)) > 1 else [bounds[0], bounds[0]]
        )[0]
        rows = {row["bin"]: row for row in asked.data.rows if row["equipment_id"] == system}
        assert [
            rows[at]["n"] if at in rows else 0 for at in range(len(numbers))
        ] == numbers.tolist()
        assert sum(row["part"] for row in rows.values()) == pytest.approx(1)
    for row, behind in zip(asked.data.rows, asked.behind, strict=True):
        low, high = bounds[row["bin"]], bounds[row["bin"] + 1]
        is_last = row["bin"] == len(bounds) - 2
        expected = {
            study
            for value, system, study in counted
            if system == row["equipment_id"]
            and low <= value
            and (value < high or (is_last and value == high))
        }
        assert behind == expected and row["studies"] == len(expected)


@ROUNDS
@given(
    data=st.data(),
    chart=st.sampled_from([chart for chart in CHARTS.values() if chart.kind == "frequency"]),
    options=chosen_options(),
    raw=filters(),
)
def test_frequencies_count_everything(
    store: Store, data: Any, chart: Chart, options: dict[str, Any], raw: Any
) -> None:
    made = data.draw(plain.studies(chart.modality))
    asked = Asked(store, made, chart, data.draw(st.sampled_from(chart.views)), options, raw)
    studies = plain.with_dose(chart, asked.made) if options["frequency_with_dose"] else asked.made
    expected = asked.others(plain.grouped(chart, studies, asked.options))
    assert len(asked.data.rows) == len(expected)
    for row, behind in zip(asked.data.rows, asked.behind, strict=True):
        values, studies = expected[
            "<others>" if row["others"] else asked.key(row)[0], row["equipment_id"]
        ]
        assert asked.numbers(row, values, studies)
        assert behind == studies if asked.has_way(row) else behind is None


@ROUNDS
@given(
    data=st.data(),
    chart=st.sampled_from([chart for chart in CHARTS.values() if chart.kind == "time"]),
    options=chosen_options(),
    raw=filters(),
)
def test_times_are_those_of_numpy(
    store: Store, data: Any, chart: Chart, options: dict[str, Any], raw: Any
) -> None:
    made = data.draw(plain.studies(chart.modality))
    asked = Asked(store, made, chart, "line", options, raw)
    dated = [study for study in asked.made if study["study_date"]]
    groups = plain.grouped(
        chart,
        dated,
        asked.options,
        lambda study: plain.period_of(study["study_date"], options["period"]),
    )
    expected = asked.others(groups)
    assert len(asked.data.rows) == len(expected)
    for row, behind in zip(asked.data.rows, asked.behind, strict=True):
        name = "<others>" if row["others"] else asked.key(row)[0]
        values, studies = expected[name, row["equipment_id"], row["period"]]
        assert asked.numbers(row, values, studies)
        assert behind == studies if asked.has_way(row) else behind is None
        for average, of in (("mean", np.mean), ("median", np.median)):
            assert (average in row) == (options["average"] in (average, "both"))
            if average in row:
                assert row[average] == pytest.approx(of(values), **CLOSE)


@ROUNDS
@given(
    data=st.data(),
    view=st.sampled_from(("weekday", "hour")),
    options=chosen_options(),
    raw=filters(),
)
def test_workload_counts_all_studies(
    store: Store, data: Any, view: str, options: dict[str, Any], raw: Any
) -> None:
    asked = Asked(store, data.draw(plain.studies("CT")), CHARTS["ct-workload"], view, options, raw)

    def at(study: dict[str, Any]) -> tuple[Any, ...]:
        day, clock = study["study_date"], study["study_time"]
        hour = (clock.hour if clock else None,) if view == "hour" else ()
        return (day.isoweekday() if day else None, *hour)

    expected = plain.grouped(CHARTS["ct-workload"], asked.made, options, at)
    assert len(asked.data.rows) == len(expected)
    is_split = raw.get("study_time_from") == "08:40"
    for row, behind in zip(asked.data.rows, asked.behind, strict=True):
        key = (row["weekday"], *((row["hour"],) if view == "hour" else ()))
        values, studies = expected[None, row["equipment_id"], key]
        assert (row["n"], row["studies"]) == (len(values), len(studies))
        # Twenty minutes around half past eight are left out: what is left of the hour are two
        # times.
        assert behind is None if is_split and row.get("hour") == 8 else behind == studies


@ROUNDS
@given(
    data=st.data(),
    chart=st.sampled_from([chart for chart in CHARTS.values() if chart.kind == "scatter"]),
    options=chosen_options(),
    raw=filters(),
    binned=st.booleans(),
)
def test_scatter_plots_have_every_point(
    store: Store, data: Any, chart: Chart, options: dict[str, Any], raw: Any, binned: bool
) -> None:
    made = data.draw(plain.studies("MG"))
    with pytest.MonkeyPatch.context() as patch:
        if binned:
            patch.setattr("orthanc_dose.charts.bins.MOST_POINTS", 0)
        asked = Asked(store, made, chart, "points", options, raw)
    assert chart.measure and chart.against
    pairs = [
        (
            plain.value(chart.against.filter.field, *one),
            plain.value(chart.measure.filter.field, *one),
            one[0]["id"],
        )
        for one in plain.rows_of(chart, asked.made)
    ]
    pairs = [(x, y, study) for x, y, study in pairs if x and y]
    assert asked.data.is_binned == (binned and bool(pairs))
    factors = chart.against.shown.factor, chart.measure.shown.factor
    if not asked.data.is_binned:
        found = sorted(
            (row["x"], row["y"], *behind)
            for row, behind in zip(asked.data.rows, asked.behind, strict=True)
        )
        assert found == sorted((x * factors[0], y * factors[1], study) for x, y, study in pairs)
        return
    x, y = np.array([one[0] for one in pairs]), np.array([one[1] for one in pairs])
    bounds = [
        edges(float(one.min()), float(one.max()), cells)
        for one, cells in ((x, CELLS[0]), (y, CELLS[1]))
    ]
    numbers = np.histogram2d(x, y, bins=bounds)[0]
    assert sorted(row["n"] for row in asked.data.rows) == sorted(
        numbers[numbers > 0].astype(int).tolist()
    )
    assert [len(behind) for behind in asked.behind] == [row["studies"] for row in asked.data.rows]
    assert set().union(*asked.behind) == {study for _, _, study in pairs}


def test_declarations_are_whole() -> None:
    from orthanc_dose.query.filters import FILTERS

    names = {one.name for one in FILTERS}
    for name, chart in CHARTS.items():
        assert name == chart.name
        assert {chart.measure_name, chart.grouping_name, chart.against_name} - {""} <= names
        for quantity in (chart.measure, chart.grouping, chart.against):
            assert (
                quantity is None
                or not quantity.is_of_events
                or quantity.filter.place.table == chart.events_table
            )
        assert (chart.measure is None) == (chart.kind in ("frequency", "workload"))
        for quantity in (chart.measure, chart.against):
            table, _, field = quantity.filter.field.partition(".") if quantity else ("", "", "")
            assert not field or field in (
                *plain.QUANTITIES[table],
                *plain.ESTIMATED,
                "number_of_events",
            ), f"no chart is tested without values: add {table}.{field} to tests/support/charts.py"
    assert len({(chart.modality, Wording().title(chart)) for chart in CHARTS.values()}) == len(
        CHARTS
    )


def test_names_in_figures_are_text_and_never_marks(store: Store) -> None:
    odd = '<a href="https://example.org">x</a> & 胸部 %{y} +'
    made = [{"id": 1, "modality": "CT", "equipment_id": 1, "study_date": date(2024, 1, 1), "study_time": time(8),
             "study_description": odd, "study_instance_uid": "1.2", "dlp_total": 1.0, "events": []}]  # fmt: skip
    plain.put(store, made)
    with store.reading() as connection:
        data = data_of(
            connection,
            CHARTS["ct-dlp-study-description"],
            "bar",
            DEFAULTS | {"per_system": True},
            {},
        )
    figure = figure_of(data, Wording())
    assert [Wording().category(row) for row in data.rows] == [odd]
    escaped = '&lt;a href="https://example.org"&gt;x&lt;/a&gt; &amp; 胸部 %{y} +'
    assert list(figure["layout"]["xaxis"]["ticktext"]) == [escaped]
    assert figure["data"][0]["name"] == "CT &lt;1&gt; &amp; 胸 mean"
    assert "<a" not in str(figure)


def _german(store: Store, name: str, view: str, **options: Any) -> dict[str, Any]:
    """The figure of three CT studies in German: of a Monday, of a Tuesday in the next month, and of
    no day.
    """
    days = (date(2024, 1, 29), date(2024, 2, 6), None)
    made = [{"id": number, "modality": "CT", "equipment_id": 1, "study_date": day, "study_time": time(8, 30),
             "study_description": "Chest" if day else None, "study_instance_uid": f"1.2.{number}", "number_of_events": 2,
             "dlp_total": 1234.5678, "events": []} for number, day in enumerate(days, 1)]  # fmt: skip
    plain.put(store, made)
    with store.reading() as connection:
        data = data_of(connection, CHARTS[name], view, DEFAULTS | options, {})
    return figure_of(data, Wording("de", "dd.mm.yyyy"))


def test_charts_speak_the_language_of_the_page(store: Store) -> None:
    bars = _german(store, "ct-dlp-study-description", "bar", average="both")
    assert [trace["name"] for trace in bars["data"]] == ["Mittelwert", "Median"]
    assert list(bars["data"][0]["hovertext"]) == ["Chest<br>1235 mGy·cm", "(leer)<br>1235 mGy·cm"]
    layout = bars["layout"]
    assert list(layout["xaxis"]["ticktext"]) == ["Chest", "(leer)"] and layout["separators"] == ",."
    assert (layout["xaxis"]["title"]["text"], layout["yaxis"]["title"]["text"]) == (
        "Beschreibung",
        "DLP gesamt [mGy·cm]",
    )
    others = _german(store, "ct-events-study-description", "bar", categories=1)["layout"]
    assert list(others["xaxis"]["ticktext"]) == ["Chest", "andere"]
    assert others["yaxis"]["title"]["text"] == "Ereignisse je Studie"
    week = _german(store, "ct-dlp-over-time-study-description", "line", period="week")["data"][0]
    assert list(week["hovertext"]) == [
        "Woche ab 29.01.2024<br>1235 mGy·cm",
        "Woche ab 05.02.2024<br>1235 mGy·cm",
    ]
    work = _german(store, "ct-workload", "weekday")
    assert list(work["layout"]["xaxis"]["ticktext"]) == [
        "Montag",
        "Dienstag",
        "Mittwoch",
        "Donnerstag",
        "Freitag",
        "Samstag",
        "Sonntag",
        "(leer)",
    ]
    assert work["layout"]["yaxis"]["title"]["text"] == "Studien"
    assert list(work["data"][0]["hovertext"]) == ["Montag", "Dienstag", "(leer)"]
    hours = _german(store, "ct-workload", "hour")
    assert [(trace["name"], *trace["hovertext"]) for trace in hours["data"]] == [
        ("Montag", "08"),
        ("Dienstag", "08"),
        ("(leer)", "08"),
    ]
    parts = _german(store, "ct-dlp-study-description", "histogram", normalised=True)["layout"]
    assert parts["yaxis"]["title"]["text"] == "Anteil der Studien"


def test_titles_are_sentences_of_their_language() -> None:
    told = {
        language: [
            Wording(language).title(CHARTS[name])
            for name in (
                "ct-dlp-protocol",
                "ct-frequency-study-description",
                "ct-events-study-description",
                "dx-dap-over-time-protocol",
                "mg-agd-thickness",
                "rf-workload",
                "nm-frequency-agent",
            )
        ]
        for language in ("en", "de")
    }
    assert told["en"] == [
        "DLP by acquisition protocol",
        "Studies by study description",
        "Events per study by study description",
        "DAP over time by acquisition protocol",
        "AGD against compression thickness",
        "Workload",
        "Administrations by radiopharmaceutical agent",
    ]
    assert told["de"] == [
        "DLP nach Aufnahmeprotokoll",
        "Studien nach Beschreibung",
        "Ereignisse je Studie nach Beschreibung",
        "DFP im Zeitverlauf nach Aufnahmeprotokoll",
        "Mittlere Parenchymdosis gegen Kompressionsdicke",
        "Arbeitsaufkommen",
        "Applikationen nach Wirkstoff",
    ]


def test_of_5000_protocols_the_most_frequent_are_shown(store: Store) -> None:
    made = [{"id": 1, "modality": "CT", "equipment_id": 3, "study_date": date(2024, 1, 1), "study_time": time(8),
             "study_instance_uid": "1.2", "events": [
                 {"study_id": 1, "acquisition_protocol": f"Protocol {number}", "dlp": float(number)}
                 for number in range(1, 5001) for _ in range(2 if number <= 100 else 1)]}]  # fmt: skip
    plain.put(store, made)
    with store.reading() as connection:
        chart = CHARTS["ct-dlp-protocol"]
        data = data_of(
            connection, chart, "bar", DEFAULTS | {"per_system": True, "order": "value"}, {}
        )
        whole = data_of(connection, chart, "bar", DEFAULTS | {"categories": 5000}, {})
    # The first hundred are twice as frequent; their values are their numbers.
    assert [row["category"] for row in data.rows[:-1]] == [
        f"Protocol {number}" for number in range(1, 101)
    ]
    others = data.rows[-1]
    assert others["others"] and (others["n"], others["studies"], others["query"]) == (
        4900,
        None,
        None,
    )
    assert others["mean"] == pytest.approx(np.mean(range(101, 5001)))
    assert len(whole.rows) == 5000 and not any(row["others"] for row in whole.rows)
    # A system without a name is called by its number.
    assert {row["system"] for row in data.rows} == {"System 3"}


def files(
    store: Store, made: list[Any], name: str, view: str, language: str = "en", **options: Any
) -> tuple[Any, Any]:
    """The rows of the CSV and of the XLSX of a chart, titles first."""
    plain.put(store, made)
    with store.reading() as connection:
        data = data_of(connection, CHARTS[name], view, DEFAULTS | options, {})
    wording = Wording(language, "dd.mm.yyyy")
    raw = chart_as_csv(data, wording)
    assert raw.startswith(b"\xef\xbb\xbf")
    book = openpyxl.load_workbook(io.BytesIO(as_xlsx(data, wording)))
    [sheet] = book.worksheets
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig")))), [
        list(row) for row in sheet.iter_rows(values_only=True)
    ]


@examples(5)
@given(data=st.data(), options=chosen_options(), language=st.sampled_from(("en", "de")))
def test_files_of_averages_have_the_numbers_of_numpy(
    store: Store, data: Any, options: dict[str, Any], language: str
) -> None:
    """Each number under its title, for each name and system."""
    options |= {"average": "both", "categories": 100, "ignore_case": False}
    chart = CHARTS["dx-dap-protocol"]
    made = data.draw(plain.studies("DX"))
    titles = {
        "en": [
            "Acquisition protocol",
            "n",
            "Studies",
            "DAP: mean [cGy·cm²]",
            "DAP: median [cGy·cm²]",
        ],
        "de": [
            "Aufnahmeprotokoll",
            "n",
            "Studien",
            "DFP: Mittelwert [cGy·cm²]",
            "DFP: Median [cGy·cm²]",
        ],
    }[language]
    if options["per_system"]:
        titles.insert(1, "System")
    names, blank = (
        {1: "CT <1> & 胸", 2: "Other", 3: "System 3", None: None},
        {"en": "(blank)", "de": "(leer)"}[language],
    )
    expected = {}
    for (name, system), (values, studies) in plain.grouped(chart, made, options).items():
        key = (name or blank, *((names[system],) if options["per_system"] else ()))
        expected[key] = (len(values), len(studies), np.mean(values), np.median(values))
    in_csv, in_xlsx = files(store, made, chart.name, "bar", language, **options)
    assert in_csv[0] == in_xlsx[0] == titles
    texts = len(titles) - 4
    of_csv = {
        tuple(one.removeprefix("'") for one in row[:texts]): [float(one) for one in row[texts:]]
        for row in in_csv[1:]
    }
    of_xlsx = {tuple(row[:texts]): row[texts:] for row in in_xlsx[1:]}
    assert of_csv.keys() == of_xlsx.keys() == expected.keys()
    for key, wanted in expected.items():
        assert of_csv[key] == pytest.approx(wanted, **CLOSE) and of_xlsx[key] == pytest.approx(
            wanted, **CLOSE
        )


def test_files_of_every_kind_of_chart(store: Store) -> None:
    """Two CT studies of a Monday morning and one without day or time; DLP 1, 2 and 4 mGy·cm."""
    when = ((date(2024, 1, 29), time(8, 30)), (date(2024, 1, 29), time(8, 59)), (None, None))
    made = [{"id": number, "modality": "CT", "equipment_id": 1, "study_date": day, "study_time": clock,
             "study_description": "=cmd()|x", "study_instance_uid": f"1.2.{number}", "number_of_events": 0,
             "dlp_total": float(2 ** (number - 1)), "events": []} for number, (day, clock) in enumerate(when, 1)]  # fmt: skip
    # What a spreadsheet would take for a formula is text in both.
    in_csv, in_xlsx = files(store, made, "ct-dlp-study-description", "box")
    assert in_csv == [
        ["Study description", "n", *(f"DLP total: {name} [mGy·cm]" for name in (
            "mean", "minimum", "5th percentile", "25th percentile", "median", "75th percentile", "95th percentile",
            "maximum"))],
        ["'=cmd()|x", "3", "2.33333333333333", "1", "1.1", "1.5", "2", "3", "3.8", "4"],
    ]  # fmt: skip
    assert in_xlsx[1] == ["=cmd()|x", 3, pytest.approx(7 / 3), 1, 1.1, 1.5, 2, 3, 3.8, 4]
    in_csv, in_xlsx = files(
        store, made, "ct-dlp-study-description", "histogram", bins=3, normalised=True
    )
    assert in_csv == [
        ["DLP total: from [mGy·cm]", "DLP total: to [mGy·cm]", "n", "Percentage of studies"],
        ["1", "2", "1", "0.333333333333333"],
        ["2", "3", "1", "0.333333333333333"],
        ["3", "4", "1", "0.333333333333333"],
    ]
    assert in_xlsx[1] == [1, 2, 1, pytest.approx(1 / 3)]
    in_csv, in_xlsx = files(
        store, made, "ct-dlp-over-time-study-description", "line", average="median"
    )
    assert in_csv == [
        ["Study description", "Period", "n", "DLP total: median [mGy·cm]"],
        ["'=cmd()|x", "01.01.2024", "2", "1.5"],
    ]
    assert in_xlsx[1] == ["=cmd()|x", datetime(2024, 1, 1), 2, 1.5]
    in_csv, in_xlsx = files(store, made, "ct-workload", "hour", "de", per_system=True)
    assert in_csv == [
        ["System", "Wochentag", "Stunde", "Studien"],
        ["CT <1> & 胸", "Montag", "8", "2"],
        ["CT <1> & 胸", "(leer)", "", "1"],
    ]
    assert in_xlsx[1:] == [["CT <1> & 胸", "Montag", 8, 2], ["CT <1> & 胸", "(leer)", None, 1]]
    in_csv, _ = files(store, made, "ct-frequency-study-description", "pie")
    assert in_csv == [["Study description", "Studies"], ["'=cmd()|x", "3"]]
    assert (
        files(store, [], "ct-dlp-protocol", "bar")
        == ([["Acquisition protocol", "n", "Studies", "DLP: mean [mGy·cm]"]],) * 2
    )


def test_files_of_scatter_plots_have_points_or_cells(store: Store) -> None:
    pairs = ((50.0, 1.25), (60.0, 2.0), (None, 0.5), (55.0, 0.0))
    made = [{"id": number, "modality": "MG", "equipment_id": 1, "study_date": None, "study_time": None,
             "study_instance_uid": f"1.2.{number}", "events": [
                 {"study_id": number, "compression_thickness": thickness, "average_glandular_dose": dose}]}
            for number, (thickness, dose) in enumerate(pairs, 1)]  # fmt: skip
    in_csv, in_xlsx = files(store, made, "mg-agd-thickness", "points")
    titles = ["Compression thickness [mm]", "AGD [mGy]"]
    assert in_csv == [titles, ["50", "1.25"], ["60", "2"]]
    assert in_xlsx[1:] == [[float(one) for one in row] for row in in_csv[1:]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("orthanc_dose.charts.bins.MOST_POINTS", 0)
        cells, _ = files(store, made, "mg-agd-thickness", "points", per_system=True)
    assert cells[0] == [
        "Compression thickness: from [mm]",
        "Compression thickness: to [mm]",
        "AGD: from [mGy]",
        "AGD: to [mGy]",
        "n",
        "Studies",
    ]
    assert [row[4:] for row in cells[1:]] == [["1", "1"], ["1", "1"]]

"""Charts over a real store against numpy over the same rows; and that the way from a number leads to the studies behind it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orthanc_dose.charts import CHARTS, DEFAULTS, Chart, Data, data_of, figure_of
from orthanc_dose.charts.bins import CELLS, edges
from orthanc_dose.charts.figures import category_title
from orthanc_dose.query import lists
from orthanc_dose.rest.studies import FILTER_PARAMETERS
from orthanc_dose.store import Store
from tests.support import charts as plain

PARAMETERS = {parameter.name: parameter for parameter in FILTER_PARAMETERS}
QUANTILES = {"p5": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95}
ROUNDS = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
CLOSE = {"rel": 1e-9, "abs": 1e-15}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = Store(tmp_path_factory.mktemp("store"))
    yield made
    made.close()


@st.composite
def chosen_options(draw: Any) -> dict[str, Any]:
    return DEFAULTS | {
        "average": draw(st.sampled_from(("mean", "median", "both"))), "per_system": draw(st.booleans()),
        "bins": draw(st.integers(2, 40)), "period": draw(st.sampled_from(("day", "week", "month", "year"))),
        "ignore_case": draw(st.booleans()), "categories": draw(st.sampled_from((1, 2, 100))),
        "order": draw(st.sampled_from(("name", "-name", "frequency", "-frequency", "value", "-value"))),
    }  # fmt: skip


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

    def __init__(self, store: Store, made: list[Any], chart: Chart, view: str, options: dict[str, Any], raw: dict[str, str]):
        plain.put(store, made)
        with store.reading() as connection:
            left = lists.page(connection, parsed(raw), "id", 500, 0, ())["studies"]
            self.data: Data = data_of(connection, chart, view, options, parsed(raw))
            self.behind = [self._ids(connection, raw, row["query"]) for row in self.data.rows]
            self.beyond = [{role: self._ids(connection, raw, row.get(role)) for role in ("below", "above")}
                           for row in self.data.rows]  # fmt: skip
        ids = {row["id"] for row in left}
        self.made = [study for study in made if study["id"] in ids]
        self.options, self.chart = self.data.options, chart
        figure_of(self.data)

    @staticmethod
    def _ids(connection: Any, raw: dict[str, str], query: dict[str, str] | None) -> set[int] | None:
        if query is None:
            return None
        values = parsed(raw | query)
        found = {row["id"] for row in lists.page(connection, values, "id", 500, 0, ())["studies"]}
        assert lists.count(connection, values) == len(found)
        return found

    def key(self, row: dict[str, Any]) -> Any:
        name = row["category"].lower() if row["category"] and self.options["ignore_case"] else row["category"]
        return (name, row["equipment_id"])

    def has_way(self, row: dict[str, Any]) -> bool:
        """Whether parameters of filters can say what is behind a row: terms have no spaces around them."""
        is_term = not self.options["ignore_case"] or (row["category"] or "") == (row["category"] or "").strip()
        return not row["others"] and is_term

    def numbers(self, row: dict[str, Any], values: Any, studies: Any) -> bool:
        """Whether a row has the numbers of these. Of what lead nowhere, and would take long, studies are not counted."""
        is_open = row["others"] and self.chart.level == "event"
        return (row["n"], row["studies"]) == (len(values), None if is_open else len(studies))

    def others(self, groups: dict[Any, Any]) -> dict[Any, Any]:
        """The same groups with those put together whose category has no row of its own; the rest of the key stays."""
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
def test_averages_are_those_of_numpy(store: Store, data: Any, chart: Chart, options: dict[str, Any], raw: Any) -> None:
    made = data.draw(plain.studies(chart.modality))
    view = data.draw(st.sampled_from(("bar", "box")))
    asked = Asked(store, made, chart, view, options, raw)
    groups = plain.grouped(chart, asked.made, asked.options)
    expected = asked.others(groups)
    assert len(asked.data.rows) == len(expected)
    for row, behind, beyond in zip(asked.data.rows, asked.behind, asked.beyond, strict=True):
        values, studies = expected["<others>" if row["others"] else asked.key(row)[0], row["equipment_id"]]
        assert asked.numbers(row, values, studies)
        assert behind == studies if asked.has_way(row) else behind is None
        wanted = {"mean": np.mean(values), **{name: np.quantile(values, q) for name, q in QUANTILES.items()},
                  "least": values.min(), "largest": values.max()}  # fmt: skip
        shown = wanted if view == "box" else [name for name in ("mean", "median") if options["average"] in (name, "both")]
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
    assert sorted((sizes[name] for name in kept), reverse=True) == sorted(sizes.values(), reverse=True)[: len(kept)]
    if options["order"].endswith("frequency"):
        numbers = [sizes[name] for name in kept]
        assert numbers == sorted(numbers, reverse=options["order"][0] == "-")
    if options["order"].endswith("name"):
        names = [(row["category"] or "").casefold() for row in asked.data.rows if not row["others"]]
        assert names == sorted(names, reverse=options["order"][0] == "-")
    if options["order"].endswith("value") and not options["per_system"]:
        shown = "median" if view == "bar" and options["average"] != "mean" and "mean" not in asked.data.rows[:1] else "mean"
        values = [row[shown] for row in asked.data.rows if not row["others"] and shown in row]
        if options["average"] == "mean":
            assert values == sorted(values, reverse=options["order"][0] == "-")


@ROUNDS
@given(data=st.data(), chart=AVERAGES, options=chosen_options(), raw=filters())
def test_histograms_are_those_of_numpy(store: Store, data: Any, chart: Chart, options: dict[str, Any], raw: Any) -> None:
    made = data.draw(plain.studies(chart.modality))
    asked = Asked(store, made, chart, "histogram", options, raw)
    # In stored units, as bins are decided there.
    assert chart.measure
    factor, counted = chart.measure.shown.factor, [
        (plain.value(chart.measure.filter.field, *pair), pair[0]["equipment_id"] if options["per_system"] else None,
         pair[0]["id"]) for pair in plain.rows_of(chart, asked.made)
    ]  # fmt: skip
    counted = [one for one in counted if one[0]]
    if not counted:
        assert asked.data.rows == asked.data.edges == []
        return
    stored = np.array([one[0] for one in counted])
    bounds = edges(float(stored.min()), float(stored.max()), options["bins"])
    if stored.min() < stored.max() * (1 - 1e-9):
        assert bounds == pytest.approx(np.linspace(stored.min(), stored.max(), options["bins"] + 1), **CLOSE)
    assert asked.data.edges == pytest.approx([edge * factor for edge in bounds], **CLOSE)
    for system in {one[1] for one in counted}:
        own = np.array([one[0] for one in counted if one[1] == system])
        numbers = np.histogram(own, bins=bounds if len(set(bounds)) > 1 else [bounds[0], bounds[0]])[0]
        rows = {row["bin"]: row for row in asked.data.rows if row["equipment_id"] == system}
        assert [rows[at]["n"] if at in rows else 0 for at in range(len(numbers))] == numbers.tolist()
        assert sum(row["part"] for row in rows.values()) == pytest.approx(1)
    for row, behind in zip(asked.data.rows, asked.behind, strict=True):
        low, high = bounds[row["bin"]], bounds[row["bin"] + 1]
        is_last = row["bin"] == len(bounds) - 2
        expected = {study for value, system, study in counted
                    if system == row["equipment_id"] and low <= value
                    and (value < high or (is_last and value == high))}  # fmt: skip
        assert behind == expected and row["studies"] == len(expected)


@ROUNDS
@given(data=st.data(), chart=st.sampled_from([chart for chart in CHARTS.values() if chart.kind == "frequency"]),
       options=chosen_options(), raw=filters())  # fmt: skip
def test_frequencies_count_everything(store: Store, data: Any, chart: Chart, options: dict[str, Any], raw: Any) -> None:
    made = data.draw(plain.studies(chart.modality))
    asked = Asked(store, made, chart, data.draw(st.sampled_from(chart.views)), options, raw)
    expected = asked.others(plain.grouped(chart, asked.made, asked.options))
    assert len(asked.data.rows) == len(expected)
    for row, behind in zip(asked.data.rows, asked.behind, strict=True):
        values, studies = expected["<others>" if row["others"] else asked.key(row)[0], row["equipment_id"]]
        assert asked.numbers(row, values, studies)
        assert behind == studies if asked.has_way(row) else behind is None


@ROUNDS
@given(data=st.data(), chart=st.sampled_from([chart for chart in CHARTS.values() if chart.kind == "time"]),
       options=chosen_options(), raw=filters())  # fmt: skip
def test_times_are_those_of_numpy(store: Store, data: Any, chart: Chart, options: dict[str, Any], raw: Any) -> None:
    made = data.draw(plain.studies(chart.modality))
    asked = Asked(store, made, chart, "line", options, raw)
    dated = [study for study in asked.made if study["study_date"]]
    groups = plain.grouped(chart, dated, asked.options, lambda study: plain.period_of(study["study_date"], options["period"]))
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
@given(data=st.data(), view=st.sampled_from(("weekday", "hour")), options=chosen_options(), raw=filters())
def test_workload_counts_all_studies(store: Store, data: Any, view: str, options: dict[str, Any], raw: Any) -> None:
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
        # Twenty minutes around half past eight are left out: what is left of the hour are two times.
        assert behind is None if is_split and row.get("hour") == 8 else behind == studies


@ROUNDS
@given(data=st.data(), chart=st.sampled_from([chart for chart in CHARTS.values() if chart.kind == "scatter"]),
       options=chosen_options(), raw=filters(), binned=st.booleans())  # fmt: skip
def test_scatter_plots_have_every_point(
    store: Store, data: Any, chart: Chart, options: dict[str, Any], raw: Any, binned: bool
) -> None:  # fmt: skip
    made = data.draw(plain.studies("MG"))
    with pytest.MonkeyPatch.context() as patch:
        if binned:
            patch.setattr("orthanc_dose.charts.bins.MOST_POINTS", 0)
        asked = Asked(store, made, chart, "points", options, raw)
    assert chart.measure and chart.against
    pairs = [(plain.value(chart.against.filter.field, *one), plain.value(chart.measure.filter.field, *one), one[0]["id"])
             for one in plain.rows_of(chart, asked.made)]  # fmt: skip
    pairs = [(x, y, study) for x, y, study in pairs if x and y]
    assert asked.data.is_binned == (binned and bool(pairs))
    factors = chart.against.shown.factor, chart.measure.shown.factor
    if not asked.data.is_binned:
        found = sorted((row["x"], row["y"], *behind) for row, behind in zip(asked.data.rows, asked.behind, strict=True))
        assert found == sorted((x * factors[0], y * factors[1], study) for x, y, study in pairs)
        return
    x, y = np.array([one[0] for one in pairs]), np.array([one[1] for one in pairs])
    bounds = [edges(float(one.min()), float(one.max()), cells) for one, cells in ((x, CELLS[0]), (y, CELLS[1]))]
    numbers = np.histogram2d(x, y, bins=bounds)[0]
    assert sorted(row["n"] for row in asked.data.rows) == sorted(numbers[numbers > 0].astype(int).tolist())
    assert [len(behind) for behind in asked.behind] == [row["studies"] for row in asked.data.rows]
    assert set().union(*asked.behind) == {study for _, _, study in pairs}


def test_declarations_are_whole() -> None:
    from orthanc_dose.query.filters import FILTERS

    names = {one.name for one in FILTERS}
    for name, chart in CHARTS.items():
        assert name == chart.name and chart.title
        assert {chart.measure_name, chart.grouping_name, chart.against_name} - {""} <= names
        for quantity in (chart.measure, chart.grouping, chart.against):
            assert quantity is None or not quantity.is_of_events or quantity.filter.place.table == chart.events_table
        assert (chart.measure is None) == (chart.kind in ("frequency", "workload"))
    assert len({(chart.modality, chart.title) for chart in CHARTS.values()}) == len(CHARTS)


def test_names_in_figures_are_text_and_never_marks(store: Store) -> None:
    odd = '<a href="https://example.org">x</a> & 胸部 %{y} +'
    made = [{"id": 1, "modality": "CT", "equipment_id": 1, "study_date": date(2024, 1, 1), "study_time": time(8),
             "study_description": odd, "study_instance_uid": "1.2", "dlp_total": 1.0, "events": []}]  # fmt: skip
    plain.put(store, made)
    with store.reading() as connection:
        data = data_of(connection, CHARTS["ct-dlp-study-description"], "bar", DEFAULTS | {"per_system": True}, {})
    figure = figure_of(data)
    assert [category_title(row) for row in data.rows] == [odd]
    escaped = '&lt;a href="https://example.org"&gt;x&lt;/a&gt; &amp; 胸部 %{y} +'
    assert list(figure["layout"]["xaxis"]["ticktext"]) == [escaped]
    assert figure["data"][0]["name"] == "CT &lt;1&gt; &amp; 胸 mean"
    assert "<a" not in str(figure)


def test_of_5000_protocols_the_most_frequent_are_shown(store: Store) -> None:
    made = [{"id": 1, "modality": "CT", "equipment_id": 3, "study_date": date(2024, 1, 1), "study_time": time(8),
             "study_instance_uid": "1.2", "events": [
                 {"study_id": 1, "acquisition_protocol": f"Protocol {number}", "dlp": float(number)}
                 for number in range(1, 5001) for _ in range(2 if number <= 100 else 1)]}]  # fmt: skip
    plain.put(store, made)
    with store.reading() as connection:
        chart = CHARTS["ct-dlp-protocol"]
        data = data_of(connection, chart, "bar", DEFAULTS | {"per_system": True, "order": "value"}, {})
        whole = data_of(connection, chart, "bar", DEFAULTS | {"categories": 5000}, {})
    # The first hundred are twice as frequent; their values are their numbers.
    assert [row["category"] for row in data.rows[:-1]] == [f"Protocol {number}" for number in range(1, 101)]
    others = data.rows[-1]
    assert others["others"] and (others["n"], others["studies"], others["query"]) == (4900, None, None)
    assert others["mean"] == pytest.approx(np.mean(range(101, 5001)))
    assert len(whole.rows) == 5000 and not any(row["others"] for row in whole.rows)
    # A system without a name is called by its number.
    assert {row["system"] for row in data.rows} == {"System 3"}

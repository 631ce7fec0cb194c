"""Values that are marked as implausible, in charts, in the links behind their bars, and beside
reference levels: over a real store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from orthanc_dose.charts import CHARTS, DEFAULTS, data_of
from orthanc_dose.charts.chart_types import VIEWS
from orthanc_dose.charts.files import table
from orthanc_dose.charts.wording import Wording
from orthanc_dose.query import lists
from orthanc_dose.rest.studies import FILTER_PARAMETERS
from orthanc_dose.store import Store
from tests.support import charts as plain

PARAMETERS = {parameter.name: parameter for parameter in FILTER_PARAMETERS}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = Store(tmp_path_factory.mktemp("store"))
    yield made
    made.close()


def doubt(field: str, mark: str = "implausible") -> list[dict[str, Any]]:
    return [{"field": field, "mark": mark, "raw": "1"}]


def event(study: int, dlp: float, ctdi: float = 5.0, marks: Any = None) -> dict[str, Any]:
    return {
        "study_id": study,
        "acquisition_protocol": "Chest",
        "dlp": dlp,
        "mean_ctdivol": ctdi,
        "marks": marks,
    }


@pytest.fixture
def filled(store: Store) -> Store:
    """Five studies: 1 and 2 as usual; the DLP of 3 is implausible, of 4 another value, of 5 impossible."""
    put(
        store,
        [
            plain.ct_study(1, "Chest", 100.0, events=[event(1, 100.0)]),
            plain.ct_study(2, "Chest", 300.0, events=[event(2, 300.0)]),
            plain.ct_study(3, "Chest", 20_000.0, marks=doubt("dlp_total"),
                           events=[event(3, 20_000.0, marks=doubt("dlp"))]),
            plain.ct_study(4, "Chest", 500.0, marks=doubt("patient_age"),
                           events=[event(4, 500.0, 2000.0, doubt("mean_ctdivol"))]),
            plain.ct_study(5, "Chest", None, marks=doubt("dlp_total", "impossible"), events=[]),
        ],
    )  # fmt: skip
    return store


def put(store: Store, made: list[dict[str, Any]]) -> None:
    """Put studies into the store, with the marks of each and of its events in `all_marks`."""
    for study in made:
        study.setdefault("marks", None)
        rows = (study, *study["events"])
        study["all_marks"] = [one["mark"] for row in rows for one in row.get("marks") or ()]
    plain.put(store, made)


def asked(store: Store, chart: str, view: str, **options: Any) -> Any:
    with store.reading() as connection:
        return data_of(connection, CHARTS[chart], view, DEFAULTS | options, {})


def behind(store: Store, query: dict[str, str]) -> set[int]:
    values = {name: PARAMETERS[name].parse(text) for name, text in query.items()}
    with store.reading() as connection:
        return {
            row["id"]
            for row in lists.page_of_studies(connection, values, "id", 50, 0, ())["studies"]
        }


@pytest.mark.parametrize("chart", ["ct-dlp-study-description", "ct-dlp-protocol"])
@pytest.mark.parametrize("view", VIEWS["average"])
def test_an_implausible_value_is_left_out_and_counted(filled: Store, chart: str, view: str) -> None:
    data = asked(filled, chart, view)
    assert (data.n, data.left_out) == (3, 1)
    assert set().union(*(behind(filled, row["query"]) for row in data.rows)) == {1, 2, 4}
    data = asked(filled, chart, view, implausible=True)
    assert (data.n, data.left_out) == (4, 0)
    assert set().union(*(behind(filled, row["query"]) for row in data.rows)) == {1, 2, 3, 4}


@pytest.mark.parametrize(("language", "title"), [("en", "left out"), ("de", "ausgelassene")])
def test_files_say_how_many_are_left_out(filled: Store, language: str, title: str) -> None:
    shown = asked(filled, "ct-dlp-study-description", "bar")
    titles, rows = table(shown, Wording(language))
    assert title in titles[-1] and [row[-1] for row in rows] == [1]
    titles, _ = table(asked(filled, "ct-dlp-study-description", "bar", implausible=True), Wording())
    assert "left out" not in titles[-1]


def test_averages_are_those_of_the_others(filled: Store) -> None:
    (row,) = asked(filled, "ct-dlp-study-description", "bar").rows
    assert row["mean"] == pytest.approx(300)  # 100, 300, 500
    (row,) = asked(filled, "ct-dlp-study-description", "bar", implausible=True).rows
    assert row["mean"] == pytest.approx(5225)  # and 20000


def test_only_the_doubted_quantity_is_left_out(filled: Store) -> None:
    data = asked(filled, "ct-ctdivol-protocol", "bar")
    assert (data.n, data.left_out) == (3, 1)
    assert behind(filled, data.rows[0]["query"]) == {1, 2, 3}


@pytest.mark.parametrize("view", VIEWS["time"])
def test_charts_over_time(filled: Store, view: str) -> None:
    data = asked(filled, "ct-dlp-over-time-study-description", view)
    assert (data.n, data.left_out) == (3, 1)


@pytest.mark.parametrize(
    "chart", ["ct-frequency-study-description", "ct-workload", "ct-events-study-description"]
)
def test_what_counts_studies_leaves_out_nothing(filled: Store, chart: str) -> None:
    data = asked(filled, chart, CHARTS[chart].views[0])
    assert data.left_out == 0
    assert data.n == (4 if "events" in chart else 5) or chart.startswith("ct-events")


def test_reference_levels_are_compared_without_them(filled: Store) -> None:
    plain.put_levels(filled, {"name": "Chest", "pattern": "chest", "value": 400.0})
    (row,) = asked(filled, "ct-dlp-study-description", "table").rows
    assert [(one["n"], one["own"], one["side"]) for one in row["levels"]] == [(3, 300.0, "under")]
    (row,) = asked(filled, "ct-dlp-study-description", "table", implausible=True).rows
    assert [(one["n"], one["own"], one["side"]) for one in row["levels"]] == [(4, 400.0, "under")]
    plain.put_levels(filled)


def test_either_axis_of_points_leaves_out_an_implausible_value(store: Store) -> None:
    def exposure(study: int, field: str = "") -> dict[str, Any]:
        return {"study_id": study, "average_glandular_dose": 1.5, "compression_thickness": 50.0,
                "marks": doubt(field) if field else None}  # fmt: skip

    fields = ("", "average_glandular_dose", "compression_thickness", "kvp")
    put(
        store,
        [
            plain.ct_study(number, "Breast", None) | {"modality": "MG", "events": [exposure(number, field)]}
            for number, field in enumerate(fields, 1)
        ],
    )  # fmt: skip
    data = asked(store, "mg-agd-thickness", "points")
    assert (data.n, data.left_out) == (2, 2)
    assert {row["query"]["study_number"] for row in data.rows} == {"1", "4"}


def test_activity_per_weight_is_as_plausible_as_both(store: Store) -> None:
    def administration(study: int, marks: Any = None) -> dict[str, Any]:
        return {
            "study_id": study,
            "administered_activity": 300.0,
            "radiopharmaceutical_name": "FDG",
            "marks": marks,
        }

    put(
        store,
        [
            plain.ct_study(number, "PET", None) | {"modality": "NM", "patient_weight": 75.0, "marks": of_study,
                                                   "events": [administration(number, of_event)]}
            for number, of_study, of_event in (
                (1, None, None), (2, doubt("patient_weight"), None), (3, None, doubt("administered_activity")),
            )
        ],
    )  # fmt: skip
    data = asked(store, "nm-activity-per-weight-agent", "bar")
    assert (data.n, data.left_out) == (1, 2)
    assert behind(store, data.rows[0]["query"]) == {1}

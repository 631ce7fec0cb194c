"""Rules of alerts: every kind against its plain evaluation in Python over the same rows of a real
store; trying a rule; and what is wrong with a rule, in words.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_dose.alerts import evaluate, read_rule, templates, try_rule
from orthanc_dose.alerts.bounds import BOUNDS
from orthanc_dose.alerts.scope import Scope
from orthanc_dose.records.given import Wrong
from orthanc_dose.store import Store
from tests.support.alerts import FIRST, TODAY, Row, made_studies, plain, put
from tests.support.effort import examples

MEASURES = (
    "dlp_total",
    "dap_total",
    "dose_rp_total",
    "ct_event_mean_ctdivol",
    "projection_event_dap",
)
WITH_LEVELS = ("dlp_total", "dap_total", "ct_event_mean_ctdivol")
COMPARE = st.sampled_from(("above", "reaches", "below"))
# Values that occur in the stores, so that "above" and "reaches" differ.
MIDDLE = {"dlp_total": 400.0, "dap_total": 0.01, "dose_rp_total": 0.5, "ct_event_mean_ctdivol": 10.0,
          "projection_event_dap": 0.002, "studies": 2.0}  # fmt: skip
FACTORS = st.sampled_from((0.5, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0))
FIELDS = ("study_description", "acquisition_protocols")
NAMES = st.lists(st.sampled_from(FIELDS), max_size=2, unique=True)


@pytest.fixture(scope="module", params=[1, 2])
def whole(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Store, list[Row]]]:
    store = Store(tmp_path_factory.mktemp("store"))
    made = made_studies(request.param, 700)
    put(store, made)
    yield store, made
    store.close()


def bound_of(draw: Any, kind: str) -> tuple[str | None, Row]:
    """Draw a measure and a bound of this kind."""
    if kind in ("dose_check", "missing", "silent"):
        return None, {
            "dose_check": {"check": draw(st.sampled_from(("alert", "notification", "either")))},
            "missing": {
                "of": draw(
                    st.lists(
                        st.sampled_from((*MEASURES, "patient_weight", "number_of_events")),
                        min_size=1,
                        max_size=3,
                    )
                )
            },
            "silent": {"days": draw(st.integers(1, 6))},
        }[kind]
    if kind == "sum":
        measure = draw(st.sampled_from(("dlp_total", "dap_total", "dose_rp_total", "studies")))
        factor = draw(st.sampled_from((1.0, 1.5, 2.0, 3.0)))
        return measure, {
            "value": MIDDLE[measure] * factor,
            "days": draw(st.sampled_from((1, 7, 28, 84, 365))),
            "compare": draw(st.sampled_from(("above", "reaches"))),
        }
    measure = draw(st.sampled_from(MEASURES if kind in ("value", "outlier") else WITH_LEVELS))
    if kind == "value":
        return measure, {"value": MIDDLE[measure] * draw(FACTORS), "compare": draw(COMPARE)}
    if kind == "level":
        return measure, {"factor": draw(FACTORS), "compare": draw(COMPARE), "names": draw(NAMES)}
    if kind == "run":
        return measure, {
            "n": draw(st.sampled_from((2, 5, 20))),
            "factor": draw(st.sampled_from((0.8, 1.0, 1.2, 1.5))),
            "trigger": draw(st.none() | st.sampled_from((1.0, 1.5, 2.0))),
            "names": draw(NAMES),
        }
    method = draw(st.sampled_from(("mad", "iqr", "median", "percentile")))
    limits = (5.0, 50.0, 75.0, 95.0, 100.0) if method == "percentile" else (0.5, 1.0, 2.0, 3.0)
    return measure, {
        "method": method,
        "limit": draw(st.sampled_from(limits)),
        "same": draw(st.sampled_from((*FIELDS, "standard_names"))),
        "same_system": draw(st.booleans()),
        "same_size": draw(st.sampled_from((False, False, False, True))),
        "days": draw(st.sampled_from((30, 90, 365))),
        "compare": draw(COMPARE),
    }


def rule_of(draw: Any, kind: str) -> Row:
    measure, bound = bound_of(draw, kind)
    filters: Row = {}
    if draw(st.booleans()):
        filters["equipment_id"] = draw(st.integers(1, 2))
    if draw(st.integers(0, 3)) == 0:
        filters["patient_age_from"] = 18
    if kind in ("silent", "missing") and draw(st.booleans()):
        filters["modality"] = [draw(st.sampled_from(("CT", "RF")))]
    return {
        "name": "Rule",
        "filters": filters,
        "measure": measure,
        "bound": {"kind": kind, **bound},
    }


def found_of(store: Store, rule: Row, scope: Scope) -> dict[Any, tuple[float, float]]:
    with store.reading() as connection:
        found = evaluate(connection, read_rule(rule), scope)
    if rule["bound"]["kind"] == "silent":
        out: dict[Any, Any] = {(one.equipment_id, one.day): (one.value, one.bound) for one in found}
    else:
        out = {one.study_id: (one.value, one.bound) for one in found}
    assert len(out) == len(found), "a subject is found twice"
    return out


def close(found: dict[Any, Any], expected: dict[Any, Any]) -> None:
    assert found.keys() == expected.keys()
    for subject, pair in expected.items():
        assert found[subject] == pytest.approx(pair, rel=1e-9)


@pytest.mark.parametrize("kind", BOUNDS)
@examples(15)
@given(data=st.data())
def test_a_rule_finds_what_plain_python_finds(
    whole: tuple[Store, list[Row]], kind: str, data: Any
) -> None:
    store, made = whole
    rule = rule_of(data.draw, kind)
    close(found_of(store, rule, Scope(TODAY)), plain(made, rule))


@pytest.mark.parametrize("kind", BOUNDS)
@examples(10)
@given(data=st.data())
def test_a_rule_over_some_studies_finds_those_of_the_whole_store(
    whole: tuple[Store, list[Row]], kind: str, data: Any
) -> None:
    """What is found when studies arrive, and what a trial of some days finds, is what a trial of the
    whole store finds."""
    store, made = whole
    rule = rule_of(data.draw, kind)
    everything = found_of(store, rule, Scope(TODAY))
    since = FIRST + timedelta(days=data.draw(st.integers(0, 200)))
    numbers = {study["id"]: study for study in made}
    ids = set(data.draw(st.lists(st.sampled_from(sorted(numbers)), max_size=40)))
    some = found_of(store, rule, Scope(TODAY, ids=ids))
    late = found_of(store, rule, Scope(TODAY, since=since))
    if kind == "silent":
        systems = {numbers[number]["equipment_id"] for number in ids}
        close(some, {one: pair for one, pair in everything.items() if one[0] in systems})
        close(late, {one: pair for one, pair in everything.items() if one[1] >= since})
        return

    def is_late(number: int) -> bool:
        day = numbers[number]["study_date"]
        return day is not None and day >= since

    close(some, {one: pair for one, pair in everything.items() if one in ids})
    close(late, {one: pair for one, pair in everything.items() if is_late(one)})


def test_the_stores_let_every_kind_find_something_and_not_everything(
    whole: tuple[Store, list[Row]],
) -> None:
    _, made = whole
    for measure, bound in (
        ("dlp_total", {"kind": "value", "value": 500}),
        ("ct_event_mean_ctdivol", {"kind": "level", "factor": 1.5}),
        ("dlp_total", {"kind": "outlier", "limit": 1, "method": "mad", "same": "study_description",
                       "same_system": False, "same_size": False, "days": 365, "compare": "above"}),
        ("dap_total", {"kind": "sum", "value": 0.03, "days": 84}),
        ("dlp_total", {"kind": "run", "n": 5, "factor": 1.2, "trigger": 1.5}),
        (None, {"kind": "dose_check"}),
        (None, {"kind": "missing", "of": ["patient_weight"]}),
        (None, {"kind": "silent", "days": 3}),
    ):  # fmt: skip
        found = plain(made, {"filters": {}, "measure": measure, "bound": bound})
        assert 3 < len(found) < 400, bound


def test_a_trial_counts_by_week_system_and_factor(whole: tuple[Store, list[Row]]) -> None:
    store, made = whole
    rule = {"name": "High", "filters": {"modality": ["CT"]}, "measure": "dlp_total",
            "bound": {"kind": "value", "value": 500}}  # fmt: skip
    with store.reading() as connection:
        trial = try_rule(connection, read_rule(rule), TODAY, 90)
    since = TODAY - timedelta(days=89)
    numbers = {study["id"]: study for study in made}

    def of(value: float) -> list[int]:
        everything = plain(made, rule | {"bound": {"kind": "value", "value": value}})
        days = {one: numbers[one]["study_date"] for one in everything}
        return [one for one, day in days.items() if day and day >= since]

    assert trial.n == len(of(500)) > 5
    assert {one.study_id for one in trial.found} == set(of(500))
    assert trial.by_factor == {factor: len(of(500 * factor)) for factor in trial.by_factor}
    systems = [numbers[one]["equipment_id"] for one in of(500)]
    assert trial.by_system == {system: systems.count(system) for system in set(systems)}
    assert sum(trial.per_week.values()) == trial.n
    assert list(trial.per_week) == [date(2026, 3, 30) + timedelta(days=7 * n) for n in range(14)]
    for week, n in trial.per_week.items():
        days = [numbers[one]["study_date"] for one in of(500)]
        assert n == sum(week <= day < week + timedelta(days=7) for day in days)
    assert trial.compared == len(of(1e-6))
    shown = trial.as_dict(3)
    assert [one["study_id"] for one in shown["studies"]] == [
        one.study_id for one in trial.found[:-4:-1]
    ]


def test_an_alert_tells_what_it_was_made_from(tmp_path: Any) -> None:
    """Of six studies of a patient the third has no dose and the fourth an implausible one: the sum of
    1 + 2 + 4 leaves out two, and does not add them as 0. The first is too early for the window."""
    made = []
    for number, dose in enumerate((6.5, 1.0, None, 1000.0, 2.0, 4.0), 1):
        doubted = [{"field": "dap_total", "mark": "implausible", "raw": None}] * (number == 4)
        made.append(
            {"id": number, "modality": "RF", "study_instance_uid": f"1.2.{number}",
             "equipment_id": 1, "study_date": date(2026, 1, 1 + 9 * (number > 1) + number),
             "patient_id": "P", "dap_total": dose, "acquisition_protocols": [], "marks": doubted,
             "all_marks": ["implausible"] * (number == 4), "events": []}
        )  # fmt: skip
    store = Store(tmp_path)
    put(store, made)

    def alerts(bound: Row, measure: str | None = "dap_total") -> list[Any]:
        rule = {"name": "R", "filters": {}, "measure": measure, "bound": bound}
        with store.reading() as connection:
            return evaluate(connection, read_rule(rule), Scope(TODAY))

    [one] = alerts({"kind": "sum", "value": 7, "days": 6})
    assert (one.study_id, one.value, one.n, one.left_out) == (6, 7.0, 3, 2)
    assert one.parts == (2, 3, 4, 5, 6) and not one.doubted
    assert not alerts({"kind": "sum", "value": 7, "days": 6, "compare": "above"})
    # A single implausible value does give an alert, and the alert says so.
    [one] = alerts({"kind": "value", "value": 100})
    assert (one.study_id, one.value, one.doubted) == (4, 1000.0, True)
    # A missing value is not too low, either.
    assert [
        one.study_id for one in alerts({"kind": "value", "value": 1.5, "compare": "below"})
    ] == [2]
    lacking = {"kind": "missing", "of": ["dap_total", "dlp_total", "dose_rp_total"]}
    missing = {one.study_id: one.missing for one in alerts(lacking, None)}
    assert missing[3] == ("dap_total", "dose_rp_total") and missing[1] == ("dose_rp_total",)
    store.close()


def test_a_trial_tells_alerts_that_only_size_explains(tmp_path: Any) -> None:
    """Of 40 patients of 90 kg with 100 to 490 mGy.cm the 75th percentile is 392.5 (by hand: place
    0.75 * 39 = 29.25, between 390 and 400). 150 mGy.cm are passed by 34, of which 24 are not above
    392.5. Of the light patients none is large, and of the two of 130 kg there are too few."""
    made = []
    for number, (weight, dose) in enumerate(
        [(90.0, 100.0 + 10 * n) for n in range(40)]
        + [(60.0, 100.0 + 10 * n) for n in range(40)]
        + [(130.0, 500.0)] * 2,
        1,
    ):
        made.append(
            {"id": number, "modality": "CT", "study_instance_uid": f"1.2.{number}",
             "equipment_id": 1, "study_date": TODAY - timedelta(days=number % 50),
             "study_description": "Abdomen", "patient_weight": weight, "dlp_total": dose,
             "acquisition_protocols": [], "marks": [], "all_marks": [], "events": []}
        )  # fmt: skip
    store = Store(tmp_path)
    put(store, made)
    rule = {"name": "High", "filters": {}, "measure": "dlp_total",
            "bound": {"kind": "value", "value": 150}}  # fmt: skip
    with store.reading() as connection:
        trial = try_rule(connection, read_rule(rule), TODAY)
    assert (trial.n, trial.only_size) == (34 + 34 + 2, 24)
    store.close()


RIGHT = {"name": "A", "filters": {}, "measure": "dlp_total",
         "bound": {"kind": "value", "value": 1}}  # fmt: skip


@pytest.mark.parametrize(("change", "place"), [
    ({"name": " "}, "name"), ({"name": 5}, "name"), ({"more": 1}, "more"), ({"bound": {}}, "bound.kind"),
    ({"bound": {"kind": "table"}}, "bound.kind"), ({"bound": {"kind": ["value"]}}, "bound.kind"),
    ({"bound": {"kind": "value"}}, "bound.value"), ({"bound": {"kind": "value", "value": 0}}, "bound.value"),
    ({"bound": {"kind": "value", "value": "5"}}, "bound.value"), ({"bound": {"kind": "value", "value": True}}, "bound.value"),
    ({"bound": {"kind": "value", "value": 1, "factor": 2}}, "bound.factor"),
    ({"bound": {"kind": "value", "value": 1, "compare": "near"}}, "bound.compare"),
    ({"bound": {"kind": "outlier", "limit": 2, "fewest": 49}}, "bound.fewest"),
    ({"bound": {"kind": "outlier", "limit": 101, "method": "percentile"}}, "bound.limit"),
    ({"bound": {"kind": "outlier", "limit": 2, "same": "patient_name"}}, "bound.same"),
    ({"bound": {"kind": "sum", "value": 1}}, "bound.days"), ({"bound": {"kind": "run", "factor": 2, "n": 1}}, "bound.n"),
    ({"bound": {"kind": "sum", "value": 1, "days": 7}, "measure": "ctdivol_max"}, "measure"),
    ({"bound": {"kind": "sum", "value": 1, "days": 7}, "measure": "ct_event_dlp"}, "measure"),
    ({"bound": {"kind": "missing", "of": ["patient_name"]}, "measure": None}, "bound.of"),
    ({"bound": {"kind": "missing", "of": []}, "measure": None}, "bound.of"),
    ({"bound": {"kind": "silent", "days": 3}}, "measure"), ({"measure": None}, "measure"),
    ({"measure": "patient_name"}, "measure"), ({"measure": "study_date"}, "measure"), ({"measure": "nothing"}, "measure"),
    ({"filters": {"modality": ["RF"]}}, "measure"),
    ({"bound": {"kind": "dose_check"}, "measure": None, "filters": {"modality": ["NM"]}}, "filters.modality"),
    ({"filters": {"patient_name": ["Doe"]}}, "filters.patient_name"),
    ({"filters": {"accession_number": ["1"]}}, "filters.accession_number"),
    ({"filters": {"study_instance_uid": "1.2"}}, "filters.study_instance_uid"),
    ({"filters": {"nothing": 1}}, "filters.nothing"), ({"filters": {"modality": "CT"}}, "filters.modality"),
    ({"filters": {"modality": ["CR"]}}, "filters.modality"), ({"filters": {"modality": []}}, "filters.modality"),
    ({"filters": {"patient_age_from": float("nan")}}, "filters.patient_age_from"),
    ({"filters": {"patient_age_from": "18"}}, "filters.patient_age_from"),
    ({"filters": {"number_of_events_from": 1.5}}, "filters.number_of_events_from"),
    ({"filters": {"study_date_from": "2026-02-30"}}, "filters.study_date_from"),
    ({"filters": {"study_time_from": "24:00"}}, "filters.study_time_from"),
    ({"filters": {"study_description": ["\ud800"]}}, "filters.study_description"),
    ({"filters": {"study_description": [""]}}, "filters.study_description"),
])  # fmt: skip
def test_a_wrong_rule_says_where(change: Row, place: str) -> None:
    with pytest.raises(Wrong) as caught:
        read_rule(RIGHT | change)
    assert caught.value.place == place
    assert "Doe" not in str(caught.value)


@pytest.mark.parametrize("given", [None, [], "x", 1, {}, {"name": "A"}])
def test_what_is_no_rule_is_refused(given: object) -> None:
    with pytest.raises(Wrong):
        read_rule(given)


def test_a_rule_is_read_as_it_was_written(whole: tuple[Store, list[Row]]) -> None:
    given = RIGHT | {"filters": {"study_time_to": "09:30", "study_date_from": "2026-01-01",
                                 "standard_names_is": ["Belly"], "weekday": ["mon"],
                                 "patient_weight_given": "yes"}}  # fmt: skip
    rule = read_rule(given)
    again = read_rule(json.loads(rule.as_json()))
    assert again == rule
    with whole[0].reading() as connection:
        evaluate(connection, rule, Scope(TODAY))


def test_every_template_is_a_rule_that_runs(whole: tuple[Store, list[Row]]) -> None:
    assert len({one.key for one in templates()}) == len(templates()) >= 10
    by_key = {one.key: one.rule.given for one in templates()}
    # 20,000 cGy·cm² are 0.02 Gy·m², and 2,000 mGy are 2 Gy.
    assert by_key["openrem-dap"]["bound"]["value"] == pytest.approx(20_000 * 1e-6)
    assert by_key["openrem-rp-sum"]["bound"]["value"] == 2
    assert by_key["openrem-dap-sum"]["bound"]["days"] == 12 * 7
    for one in templates():
        assert one.frame and one.source
        with whole[0].reading() as connection:
            try_rule(connection, one.rule, TODAY)

"""The percentile table, reference levels beside it, and control bands over time, against numpy over the same rows."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_dose.charts import CHARTS, DEFAULTS, Chart, Wording, as_csv, bootstrap, data_of, figure_of
from orthanc_dose.charts.levels import QUANTITIES, as_shown
from orthanc_dose.manage import reference_levels
from orthanc_dose.records import REFERENCE_LEVEL
from orthanc_dose.store import Store
from orthanc_dose.store.names import StandardNames
from tests.support import charts as plain
from tests.unit.test_charts import AVERAGES, CLOSE, ROUNDS, Asked, chosen_options, filters

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "diagnostic_reference_levels.json"
QUANTILES = {"median": 0.5, "p75": 0.75, "p95": 0.95}
NOTHING = dict.fromkeys(name for name in REFERENCE_LEVEL.names if name != "id")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = Store(tmp_path_factory.mktemp("store"))
    yield made
    made.close()


@ROUNDS
@given(data=st.data(), chart=AVERAGES, options=chosen_options(), raw=filters())
def test_tables_are_those_of_numpy(store: Store, data: Any, chart: Chart, options: dict[str, Any], raw: Any) -> None:
    made = data.draw(plain.studies(chart.modality))
    asked = Asked(store, made, chart, "table", options, raw)
    expected = asked.others(plain.grouped(chart, asked.made, asked.options))
    assert len(asked.data.rows) == len(expected) and asked.data.fewest == {"median": 6, "p75": 11, "p95": 59}
    for row, behind in zip(asked.data.rows, asked.behind, strict=True):
        values, studies = expected["<others>" if row["others"] else asked.key(row)[0], row["equipment_id"]]
        assert asked.numbers(row, values, studies) and row["levels"] == []
        assert behind == studies if asked.has_way(row) else behind is None
        for name, number in {"mean": np.mean(values), **{k: np.quantile(values, q) for k, q in QUANTILES.items()}}.items():
            assert row[name] == pytest.approx(number, **CLOSE), name
        for name, q in QUANTILES.items():
            assert row[f"{name}_interval"] == _interval(values, q)


def _interval(values: np.ndarray, q: float) -> Any:
    """From all values. That they are those of the bootstrap, test_bootstrap.py holds."""
    if len(values) < bootstrap.fewest(q):
        return None
    ordered = np.sort(values).tolist()
    return pytest.approx([bootstrap.end(len(values), q, side, ordered, 1) for side in (0, 1)], **CLOSE)


def _study(number: int, name: str | None, value: float | None, **more: Any) -> dict[str, Any]:
    return {"id": number, "modality": "CT", "equipment_id": 1, "study_date": date(2024, 1, 1), "study_time": None,
            "study_instance_uid": f"1.2.{number}", "study_description": name, "dlp_total": value, "patient_age": None,
            "patient_weight": None, "events": [], **more}  # fmt: skip


def _table(store: Store, chart: str, **options: Any) -> list[dict[str, Any]]:
    with store.reading() as connection:
        data = data_of(connection, CHARTS[chart], "table", DEFAULTS | options, {})
    assert figure_of(data, Wording()) == {"data": [], "layout": {}}
    return data.rows


def test_intervals_of_many_values_are_those_of_drawn_samples(store: Store) -> None:
    random = np.random.default_rng(3)
    values = {"skewed": random.lognormal(6, 0.5, 700), "ties": random.lognormal(6, 0.5, 301).round(-2) + 1}
    made = [_study(number, name, value) for number, (name, value) in
            enumerate(((name, value) for name, own in values.items() for value in own), 1)]  # fmt: skip
    plain.put(store, [*made, _study(len(made) + 1, "skewed", 0.0), _study(len(made) + 2, "ties", None)])
    rows = _table(store, "ct-dlp-study-description")
    assert {row["category"]: row["n"] for row in rows} == {"skewed": 700, "ties": 301}
    for row in rows:
        own = values[row["category"]]
        for name, q in QUANTILES.items():
            drawn = np.quantile(random.choice(own, (4_000, len(own))), q, axis=1)
            for side, (found, share) in enumerate(zip(row[f"{name}_interval"], (0.025, 0.975), strict=True)):
                error = 5 * np.sqrt(0.025 * 0.975 / len(drawn))
                assert (drawn <= found * (1 + 1e-9)).mean() >= share - error, (name, side)
                assert (drawn < found * (1 - 1e-9)).mean() <= share + error, (name, side)


def _put_levels(store: Store, *levels: dict[str, Any]) -> list[int]:
    with store.writing() as connection:
        connection.execute("DELETE FROM reference_level")
    usual = {"name": "Level", "modality": "CT", "quantity": "dlp_total", "statistic": "median", "source": "Test", "valid": True}
    return reference_levels.add(store, [NOTHING | usual | level for level in levels])


VALUES_OF = st.lists(st.tuples(plain.VALUES, st.none() | st.floats(0, 90), st.none() | st.floats(1, 150), plain.PHANTOMS),
                     max_size=30)  # fmt: skip
BOUND = st.none() | st.sampled_from((0.0, 5.0, 18.0, 70.0))


@ROUNDS
@given(made=VALUES_OF, ages=st.tuples(BOUND, BOUND), weights=st.tuples(BOUND, BOUND), value=st.floats(1e-9, 5),
       phantom=st.sampled_from((None, "head", "body")), statistic=st.sampled_from(("median", "mean", "p75")))  # fmt: skip
def test_a_level_is_compared_with_the_values_of_its_class(
    store: Store, made: Any, ages: Any, weights: Any, value: float, phantom: Any, statistic: str
) -> None:
    codes = {"head": "113690", "body": "113691"}
    plain.put(store, [
        _study(number, "x", None, patient_age=age, patient_weight=weight, events=[
            {"study_id": number, "acquisition_protocol": "Head spiral", "mean_ctdivol": one, "ctdiw_phantom_type": of}])
        for number, (one, age, weight, of) in enumerate(made, 1)
    ])  # fmt: skip
    level = {"pattern": "head*", "quantity": "ct_event_mean_ctdivol", "value": value, "statistic": statistic,
             "age_from": ages[0], "age_to": ages[1], "weight_from": weights[0], "weight_to": weights[1],
             "phantom": phantom}  # fmt: skip
    _put_levels(store, level, {"pattern": "body*", "value": 1.0, "quantity": "ct_event_mean_ctdivol"},
                {"value": 1.0, "quantity": "ct_event_mean_ctdivol"}, level | {"valid": False})  # fmt: skip
    rows = _table(store, "ct-ctdivol-protocol")
    counted = [one for one in made if one[0]]
    if not counted:
        assert rows == []
        return

    def within(number: float | None, bounds: Any) -> bool:
        low, high = bounds
        if low is None and high is None:
            return True
        return number is not None and (low is None or number >= low) and (high is None or number < high)

    own = np.array([one for one, age, weight, of in counted if within(age, ages) and within(weight, weights)
                    and (phantom is None or (of and of["value"] == codes[phantom]))])  # fmt: skip
    [[found]] = [row["levels"] for row in rows]
    assert found["n"] == len(own) and found["value"] == pytest.approx(value)
    if not len(own):
        assert found["own"] is found["side"] is None
        return
    number = {"median": np.median, "mean": np.mean, "p75": lambda of: np.quantile(of, 0.75)}[statistic](own)
    assert found["own"] == pytest.approx(number, **CLOSE)
    if abs(number - value) > value * 1e-6:
        assert found["side"] == ("over" if number > value else "under")


def test_a_level_is_for_the_names_of_its_pattern_or_standard_name(store: Store) -> None:
    names = ("CT Head", "ct head", "Schädel", "Abdomen", "[x]", None)
    plain.put(store, [_study(number, name, 10.0 * number) for number, name in enumerate(names, 1)])
    with store.connection() as connection:
        StandardNames([
            {"kind": "study_description", "pattern": "sch*", "modality": "CT", "standard_name": "Head"},
            {"kind": "requested_procedure_description", "pattern": "*", "modality": None, "standard_name": "Other"},
        ]).write(connection)  # fmt: skip
    _put_levels(
        store, {"name": "by pattern", "pattern": "ct ?ead", "value": 10.0},
        {"name": "by name", "standard_name": "HEAD", "value": 31.0},
        {"name": "everything", "pattern": "*", "value": 35.0}, {"name": "brackets", "pattern": "[[]x]", "value": 1.0},
        {"name": "other modality", "pattern": "*", "value": 1.0, "modality": "DX", "quantity": "dap_total"},
        {"name": "other", "standard_name": "Other", "value": 1.0}, {"name": "not matched yet", "value": 1.0},
    )  # fmt: skip

    def found(**options: Any) -> dict[Any, Any]:
        rows = _table(store, "ct-dlp-study-description", **options)
        return {row["category"]: {level["name"]: level["side"] for level in row["levels"]} for row in rows}

    # At the level is under it.
    assert found() == {
        "CT Head": {"by pattern": "under", "everything": "under"}, "ct head": {"by pattern": "over", "everything": "under"},
        "Schädel": {"by name": "under", "everything": "under"}, "Abdomen": {"everything": "over"},
        "[x]": {"brackets": "over", "everything": "over"}, None: {},
    }  # fmt: skip
    assert found(ignore_case=True)["CT Head"] == {"by pattern": "over", "everything": "under"}
    # "Others" are of no name.
    assert found(categories=1) == {"Abdomen": {"everything": "over"}, None: {}}


def test_values_of_levels_are_those_that_were_entered() -> None:
    for quantity, _ in QUANTITIES.values():
        for entered in (210.0, 0.1, 12.34, 1 / 3, 47.0, 8.5):
            shown = as_shown(entered / quantity.shown.factor, quantity.shown.factor)
            assert shown == pytest.approx(entered, rel=1e-11) and (entered == 1 / 3 or shown == entered)


def test_shipped_levels_are_in_the_units_of_pages_and_say_where_they_are_from() -> None:
    found = reference_levels.shipped()
    assert len({level["key"] for level in found["levels"]}) == len(found["levels"]) > 30
    for level in found["levels"]:
        quantity, modalities = QUANTITIES[level["quantity"]]
        assert level["unit"] == quantity.shown.unit and level["modality"] in modalities and level["value"] > 0
        assert level["source"] in found["sources"] and "pattern" not in level


@pytest.mark.skipif(not REFERENCE.is_file(), reason="the tables are not beside the repository")
def test_shipped_levels_are_those_of_the_verified_tables() -> None:
    tables, found = json.loads(REFERENCE.read_text("utf-8")), {}
    for level in reference_levels.shipped()["levels"]:
        found.setdefault((level["source"], level["name"]), {})[level["quantity"]] = level
    expected: dict[Any, dict[str, float]] = {}
    for exam, indication, _, ctdivol, dlp in tables["ct_adult_uk"]:
        both = {"ct_event_mean_ctdivol": ctdivol, "dlp_total": dlp}
        expected["UK2024", f"{exam}: {indication}"] = {name: value for name, value in both.items() if value is not None}
    for indication, _, ctdivol, _, dlp, _ in tables["ct_registry_oldenburg"]["rows"]:
        expected["OLDENBURG2019", indication.capitalize()] = {"ct_event_mean_ctdivol": ctdivol, "dlp_total": dlp}
    assert {key: {name: level["value"] for name, level in own.items()} for key, own in found.items()
            if key[0] != "AROUA2007"} == expected  # fmt: skip
    swiss = {level["value"] / 100 for key, own in found.items() if key[0] == "AROUA2007" for level in own.values()}
    note = tables["interventional"]["note"].partition("Swiss 2006")[2]
    assert len(swiss) == 6 and all(f" {value:.0f}" in note for value in swiss)


@ROUNDS
@given(data=st.data(), chart=st.sampled_from([chart for chart in CHARTS.values() if chart.kind == "time"]),
       options=chosen_options(), raw=filters())  # fmt: skip
def test_changes_and_bands_are_those_of_numpy(store: Store, data: Any, chart: Chart, options: dict[str, Any], raw: Any) -> None:
    made = data.draw(plain.studies(chart.modality))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("orthanc_dose.charts.control.FEWEST_DEGREES", 2)
        asked = Asked(store, made, chart, "change", options, raw)
        _holds_bands(asked, chart, options, 2)


def _holds_bands(asked: Asked, chart: Chart, options: dict[str, Any], degrees: int) -> int:
    """Holds all rows against numpy. How many have a band."""
    dated = [study for study in asked.made if study["study_date"]]
    groups = plain.grouped(chart, dated, asked.options, lambda study: plain.period_of(study["study_date"], options["period"]))
    expected = asked.others(groups)
    assert len(asked.data.rows) == len(expected)
    banded = 0
    for row, behind in zip(asked.data.rows, asked.behind, strict=True):
        name = "<others>" if row["others"] else asked.key(row)[0]
        values, studies = expected[name, row["equipment_id"], row["period"]]
        assert behind == studies if asked.has_way(row) else behind is None
        assert (row["n"], row["mean"]) == (len(values), pytest.approx(np.mean(values), **CLOSE))
        before = {period: own for (one, system, period), (own, _) in expected.items()
                  if (one, system) == (name, row["equipment_id"]) and period < row["period"]}  # fmt: skip
        last = plain.period_of(row["period"] - timedelta(days=1), options["period"])
        if last in before:
            assert row["change"] == pytest.approx(100 * np.mean(values) / np.mean(before[last]) - 100, rel=1e-9, abs=1e-9)
        else:
            assert row["change"] is None
        every = np.concatenate(list(before.values())) if before else np.array([])
        if len(before) < 2 or len(every) - len(before) < degrees:
            assert row["centre"] is row["lower"] is row["upper"] is row["out"] is None
            continue
        banded += 1
        squares = sum(((own - own.mean()) ** 2).sum() for own in before.values())
        width = 3 * np.sqrt(squares / (len(every) - len(before)) / len(values))
        close = {"rel": 1e-7, "abs": 1e-7 * every.mean()}
        assert row["centre"] == pytest.approx(every.mean(), **CLOSE)
        assert row["upper"] == pytest.approx(every.mean() + width, **close)
        assert row["lower"] == pytest.approx(max(0, every.mean() - width), **close)
        beside = np.mean(values) - every.mean()
        if abs(abs(beside) - width) > 1e-6 * every.mean():
            assert row["out"] == (None if abs(beside) < width else "above" if beside > 0 else "below")
    return banded


def test_a_month_that_is_out_of_control_is_marked_with_a_sign(store: Store) -> None:
    random, chart = np.random.default_rng(5), CHARTS["ct-dlp-over-time-study-description"]
    made, number = [], 0
    months = [date(2024, month, 1) for month in range(1, 13) if month != 9]
    for month in months:
        for day in range(25):
            number += 1
            shift = {10: 1.5, 12: 0.5}.get(month.month, 1)
            name = "Chest" if number % 2 else "CHEST"
            made.append(_study(number, name, float(random.normal(400, 40) * shift), study_date=month + timedelta(days=day)))
    options = DEFAULTS | {"ignore_case": True, "average": "both"}
    asked = Asked(store, made, chart, "change", options, {})
    assert _holds_bands(asked, chart, options, 20) == len(months) - 2
    outs = {row["period"].month: row["out"] for row in asked.data.rows}
    assert (outs[10], outs[12]) == ("above", "below") and set(outs.values()) == {None, "above", "below"}
    # The month after one without a value has no change.
    assert [row["period"].month for row in asked.data.rows if row["change"] is None] == [1, 10]
    line, lower, upper, centre = figure_of(asked.data, Wording())["data"]
    assert upper["fill"] == "tonexty" and list(upper["x"]) == list(lower["x"]) == list(centre["x"])
    assert all(low < middle < high for low, middle, high in zip(lower["y"], centre["y"], upper["y"], strict=True))
    symbols = dict(zip((row["period"].month for row in asked.data.rows), line["marker"]["symbol"], strict=True))
    assert (symbols[10], symbols[12], symbols[2]) == ("triangle-up", "triangle-down", "circle")
    for (before, row), text in zip(pairwise(asked.data.rows), line["hovertext"][1:], strict=True):
        if row["period"].month != 10 and abs(row["change"]) >= 0.2:
            change = 100 * row["mean"] / before["mean"] - 100
            assert f"{'+' if change > 0 else chr(0x2212)}{abs(change):.1f} % from the period before" in text


def test_values_that_never_differ_are_not_out_of_control(store: Store) -> None:
    made = [_study(number, "x", 0.1 + 0.2, study_date=date(2024, 1 + number % 4, 2)) for number in range(1, 101)]
    asked = Asked(store, made, CHARTS["ct-dlp-over-time-study-description"], "change", DEFAULTS, {})
    assert [(row["change"], row["out"]) for row in asked.data.rows] == [(None, None), *[(pytest.approx(0), None)] * 3]
    assert asked.data.rows[-1]["upper"] == pytest.approx(0.3) == asked.data.rows[-1]["lower"]


def test_an_absurd_value_spoils_no_answer(store: Store) -> None:
    made = [_study(number, "x", 1e300 if number == 50 else 5.0 + number % 3, study_date=date(2024, 1 + number % 4, 2))
            for number in range(1, 101)]  # fmt: skip
    asked = Asked(store, made, CHARTS["ct-dlp-over-time-study-description"], "change", DEFAULTS, {})
    assert len(asked.data.rows) == 4 and json.dumps([row["upper"] for row in asked.data.rows], allow_nan=False)
    assert _table(store, "ct-dlp-study-description")[0]["n"] == 100


def test_files_have_the_columns_of_tables_and_bands(store: Store) -> None:
    random = np.random.default_rng(8)
    made = [_study(number, "Head", float(random.normal(400, 40)), patient_age=20.0 + number,
                   study_date=date(2024, 1 + number // 25, 2)) for number in range(75)]  # fmt: skip
    made += [_study(100 + number, "Chest", 1000.0, study_date=date(2024, 3, 2)) for number in range(3)]
    plain.put(store, made)
    _put_levels(store, {"name": "NDRL", "pattern": "head", "value": 300.0, "year": 2022},
                {"name": "Children", "pattern": "head", "value": 300.0, "age_to": 5.0})  # fmt: skip
    with store.reading() as connection:
        table = data_of(connection, CHARTS["ct-dlp-study-description"], "table", DEFAULTS, {})
        change = data_of(connection, CHARTS["ct-dlp-over-time-study-description"], "change", DEFAULTS, {})

    def read(data: Any, language: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(as_csv(data, Wording(language)).decode("utf-8-sig"))))

    head, chest = read(table, "en")
    assert (head["Study description"], head["n"], chest["n"]) == ("Head", "75", "3")
    row = table.rows[0]
    for name, title in (("median", "Median"), ("p75", "75th percentile"), ("p95", "95th percentile")):
        column = f"DLP total: {title[0].lower() + title[1:]} [mGy·cm]"
        assert float(head[column]) == pytest.approx(row[name])
        for end, number in zip(("from", "to"), row[f"{name}_interval"], strict=True):
            assert float(head[f"{title}, bootstrap interval 95 %, {end} [mGy·cm]"]) == pytest.approx(number)
            assert chest[f"{title}, bootstrap interval 95 %, {end} [mGy·cm]"] == ""
    # The class of children has no value, and is not compared.
    assert (head["Reference levels"], chest["Reference levels"]) == ("NDRL: over 300 (Test 2022)", "")
    assert read(table, "de")[0]["Referenzwerte"] == "NDRL: über 300 (Test 2022)"
    rows = read(change, "de")
    assert [one["Änderung [%]"] == "" for one in rows] == [one["change"] is None for one in change.rows]
    last, found = change.rows[2], rows[2]
    assert last["upper"] is not None
    assert float(found["DLP gesamt: Obere Kontrollgrenze [mGy·cm]"]) == pytest.approx(last["upper"])

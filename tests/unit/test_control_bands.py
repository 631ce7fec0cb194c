"""Changes over time and their control bands against numpy over the same rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_dose.charts import CHARTS, DEFAULTS, Chart, Wording, figure_of
from orthanc_dose.store import Store
from tests.support import charts as plain
from tests.support.charts import ct_study, rows_of_table
from tests.unit.test_charts import CLOSE, ROUNDS, Asked, chosen_options, filters


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = Store(tmp_path_factory.mktemp("store"))
    yield made
    made.close()


@ROUNDS
@given(
    data=st.data(),
    chart=st.sampled_from([chart for chart in CHARTS.values() if chart.kind == "time"]),
    options=chosen_options(),
    raw=filters(),
)
def test_changes_and_bands_are_those_of_numpy(
    store: Store, data: Any, chart: Chart, options: dict[str, Any], raw: Any
) -> None:
    made = data.draw(plain.studies(chart.modality))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("orthanc_dose.charts.control.FEWEST_DEGREES", 2)
        asked = Asked(store, made, chart, "change", options, raw)
        _holds_bands(asked, chart, options, 2)


def _holds_bands(asked: Asked, chart: Chart, options: dict[str, Any], degrees: int) -> int:
    """Holds all rows against numpy. How many have a band."""
    dated = [study for study in asked.made if study["study_date"]]
    groups = plain.grouped(
        chart,
        dated,
        asked.options,
        lambda study: plain.period_of(study["study_date"], options["period"]),
    )
    expected = asked.others(groups)
    assert len(asked.data.rows) == len(expected)
    banded = 0
    for row, behind in zip(asked.data.rows, asked.behind, strict=True):
        name = "<others>" if row["others"] else asked.key(row)[0]
        values, studies = expected[name, row["equipment_id"], row["period"]]
        assert behind == studies if asked.has_way(row) else behind is None
        assert (row["n"], row["mean"]) == (len(values), pytest.approx(np.mean(values), **CLOSE))
        before = {
            period: own
            for (one, system, period), (own, _) in expected.items()
            if (one, system) == (name, row["equipment_id"]) and period < row["period"]
        }
        last = plain.period_of(row["period"] - timedelta(days=1), options["period"])
        if last in before:
            assert row["change"] == pytest.approx(
                100 * np.mean(values) / np.mean(before[last]) - 100, rel=1e-9, abs=1e-9
            )
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
            assert row["out"] == (
                None if abs(beside) < width else "above" if beside > 0 else "below"
            )
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
            made.append(
                ct_study(
                    number,
                    name,
                    float(random.normal(400, 40) * shift),
                    study_date=month + timedelta(days=day),
                )
            )
    options = DEFAULTS | {"ignore_case": True, "average": "both"}
    asked = Asked(store, made, chart, "change", options, {})
    assert _holds_bands(asked, chart, options, 20) == len(months) - 2
    outs = {row["period"].month: row["out"] for row in asked.data.rows}
    assert (outs[10], outs[12]) == ("above", "below") and set(outs.values()) == {
        None,
        "above",
        "below",
    }
    # The month after one without a value has no change.
    assert [row["period"].month for row in asked.data.rows if row["change"] is None] == [1, 10]
    line, lower, upper, centre = figure_of(asked.data, Wording())["data"]
    assert upper["fill"] == "tonexty" and list(upper["x"]) == list(lower["x"]) == list(centre["x"])
    assert all(
        low < middle < high
        for low, middle, high in zip(lower["y"], centre["y"], upper["y"], strict=True)
    )
    symbols = dict(
        zip((row["period"].month for row in asked.data.rows), line["marker"]["symbol"], strict=True)
    )
    assert (symbols[10], symbols[12], symbols[2]) == ("triangle-up", "triangle-down", "circle")
    for (before, row), text in zip(pairwise(asked.data.rows), line["hovertext"][1:], strict=True):
        if row["period"].month != 10 and abs(row["change"]) >= 0.2:
            change = 100 * row["mean"] / before["mean"] - 100
            assert (
                f"{'+' if change > 0 else chr(0x2212)}{abs(change):.1f} % compared with the previous period"
                in text
            )


def test_values_that_never_differ_are_not_out_of_control(store: Store) -> None:
    made = [
        ct_study(number, "x", 0.1 + 0.2, study_date=date(2024, 1 + number % 4, 2))
        for number in range(1, 101)
    ]
    asked = Asked(store, made, CHARTS["ct-dlp-over-time-study-description"], "change", DEFAULTS, {})
    assert [(row["change"], row["out"]) for row in asked.data.rows] == [
        (None, None),
        *[(pytest.approx(0), None)] * 3,
    ]
    assert asked.data.rows[-1]["upper"] == pytest.approx(0.3) == asked.data.rows[-1]["lower"]


def test_an_absurd_value_spoils_no_answer(store: Store) -> None:
    made = [
        ct_study(
            number,
            "x",
            1e300 if number == 50 else 5.0 + number % 3,
            study_date=date(2024, 1 + number % 4, 2),
        )
        for number in range(1, 101)
    ]
    asked = Asked(store, made, CHARTS["ct-dlp-over-time-study-description"], "change", DEFAULTS, {})
    assert len(asked.data.rows) == 4 and json.dumps(
        [row["upper"] for row in asked.data.rows], allow_nan=False
    )
    assert rows_of_table(store, "ct-dlp-study-description")[0]["n"] == 100

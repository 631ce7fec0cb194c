"""The percentile table of charts against numpy over the same rows, and as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_dose.charts import CHARTS, DEFAULTS, Chart, Wording, bootstrap, chart_as_csv, data_of
from orthanc_dose.store import Store
from tests.support import charts as plain
from tests.support.charts import ct_study, put_levels, rows_of_table
from tests.unit.test_charts import AVERAGES, CLOSE, ROUNDS, Asked, chosen_options, filters

QUANTILES = {"median": 0.5, "p75": 0.75, "p95": 0.95}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = Store(tmp_path_factory.mktemp("store"))
    yield made
    made.close()


@ROUNDS
@given(data=st.data(), chart=AVERAGES, options=chosen_options(), raw=filters())
def test_tables_are_those_of_numpy(
    store: Store, data: Any, chart: Chart, options: dict[str, Any], raw: Any
) -> None:
    made = data.draw(plain.studies(chart.modality))
    asked = Asked(store, made, chart, "table", options, raw)
    expected = asked.others(plain.grouped(chart, asked.made, asked.options))
    assert len(asked.data.rows) == len(expected) and asked.data.fewest == {
        "median": 6,
        "p75": 11,
        "p95": 59,
    }
    for row, behind in zip(asked.data.rows, asked.behind, strict=True):
        values, studies = expected[
            "<others>" if row["others"] else asked.key(row)[0], row["equipment_id"]
        ]
        assert asked.numbers(row, values, studies) and row["levels"] == []
        assert behind == studies if asked.has_way(row) else behind is None
        for name, number in {
            "mean": np.mean(values),
            **{k: np.quantile(values, q) for k, q in QUANTILES.items()},
        }.items():
            assert row[name] == pytest.approx(number, **CLOSE), name
        for name, q in QUANTILES.items():
            assert row[f"{name}_interval"] == _interval(values, q)


def _interval(values: np.ndarray, q: float) -> Any:
    """From all values. That they are those of the bootstrap, test_bootstrap.py holds."""
    if len(values) < bootstrap.fewest(q):
        return None
    ordered = np.sort(values).tolist()
    return pytest.approx(
        [bootstrap.end(len(values), q, side, ordered, 1) for side in (0, 1)], **CLOSE
    )


def test_intervals_of_many_values_are_those_of_drawn_samples(store: Store) -> None:
    random = np.random.default_rng(3)
    values = {
        "skewed": random.lognormal(6, 0.5, 700),
        "ties": random.lognormal(6, 0.5, 301).round(-2) + 1,
    }
    made = [
        ct_study(number, name, value)
        for number, (name, value) in enumerate(
            ((name, value) for name, own in values.items() for value in own), 1
        )
    ]
    plain.put(
        store,
        [*made, ct_study(len(made) + 1, "skewed", 0.0), ct_study(len(made) + 2, "ties", None)],
    )
    rows = rows_of_table(store, "ct-dlp-study-description")
    assert {row["category"]: row["n"] for row in rows} == {"skewed": 700, "ties": 301}
    for row in rows:
        own = values[row["category"]]
        for name, q in QUANTILES.items():
            drawn = np.quantile(random.choice(own, (4_000, len(own))), q, axis=1)
            for side, (found, share) in enumerate(
                zip(row[f"{name}_interval"], (0.025, 0.975), strict=True)
            ):
                error = 5 * np.sqrt(0.025 * 0.975 / len(drawn))
                assert (drawn <= found * (1 + 1e-9)).mean() >= share - error, (name, side)
                assert (drawn < found * (1 - 1e-9)).mean() <= share + error, (name, side)


def test_files_have_the_columns_of_tables_and_bands(store: Store) -> None:
    random = np.random.default_rng(8)
    made = [
        ct_study(
            number,
            "Head",
            float(random.normal(400, 40)),
            patient_age=20.0 + number,
            study_date=date(2024, 1 + number // 25, 2),
        )
        for number in range(75)
    ]
    made += [
        ct_study(100 + number, "Chest", 1000.0, study_date=date(2024, 3, 2)) for number in range(3)
    ]
    plain.put(store, made)
    put_levels(
        store,
        {"name": "NDRL", "pattern": "head", "value": 300.0, "year": 2022},
        {"name": "Children", "pattern": "head", "value": 300.0, "age_to": 5.0},
    )
    with store.reading() as connection:
        table = data_of(connection, CHARTS["ct-dlp-study-description"], "table", DEFAULTS, {})
        change = data_of(
            connection, CHARTS["ct-dlp-over-time-study-description"], "change", DEFAULTS, {}
        )

    def read(data: Any, language: str) -> list[dict[str, str]]:
        return list(
            csv.DictReader(io.StringIO(chart_as_csv(data, Wording(language)).decode("utf-8-sig")))
        )

    head, chest = read(table, "en")
    assert (head["Study description"], head["n"], chest["n"]) == ("Head", "75", "3")
    row = table.rows[0]
    for name, title in (
        ("median", "Median"),
        ("p75", "75th percentile"),
        ("p95", "95th percentile"),
    ):
        column = f"DLP total: {title[0].lower() + title[1:]} [mGy·cm]"
        assert float(head[column]) == pytest.approx(row[name])
        for end, number in zip(("from", "to"), row[f"{name}_interval"], strict=True):
            assert float(
                head[f"{title}, 95 % bootstrap interval, {end} [mGy·cm]"]
            ) == pytest.approx(number)
            assert chest[f"{title}, 95 % bootstrap interval, {end} [mGy·cm]"] == ""
    # The class of children has no value, and is not compared.
    assert (head["Reference levels"], chest["Reference levels"]) == (
        "NDRL: over 300 (Test 2022)",
        "",
    )
    assert read(table, "de")[0]["Referenzwerte"] == "NDRL: über 300 (Test 2022)"
    rows = read(change, "de")
    assert [one["Änderung [%]"] == "" for one in rows] == [
        one["change"] is None for one in change.rows
    ]
    last, found = change.rows[2], rows[2]
    assert last["upper"] is not None
    assert float(found["DLP gesamt: Obere Kontrollgrenze [mGy·cm]"]) == pytest.approx(last["upper"])

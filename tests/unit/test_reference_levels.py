"""Reference levels beside the numbers of charts, against numpy over the same rows; and those that
come with the program.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_dose.charts.levels import QUANTITIES, as_shown
from orthanc_dose.manage import reference_levels
from orthanc_dose.store import Store
from orthanc_dose.store.names import StandardNames
from tests.support import charts as plain
from tests.support.charts import ct_study, put_levels, rows_of_table
from tests.unit.test_charts import CLOSE, ROUNDS

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "diagnostic_reference_levels.json"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = Store(tmp_path_factory.mktemp("store"))
    yield made
    made.close()


VALUES_OF = st.lists(
    st.tuples(
        plain.VALUES, st.none() | st.floats(0, 90), st.none() | st.floats(1, 150), plain.PHANTOMS
    ),
    max_size=30,
)
BOUND = st.none() | st.sampled_from((0.0, 5.0, 18.0, 70.0))


@ROUNDS
@given(
    made=VALUES_OF,
    ages=st.tuples(BOUND, BOUND),
    weights=st.tuples(BOUND, BOUND),
    value=st.floats(1e-9, 5),
    phantom=st.sampled_from((None, "head", "body")),
    statistic=st.sampled_from(("median", "mean", "p75")),
)
def test_a_level_is_compared_with_the_values_of_its_class(
    store: Store, made: Any, ages: Any, weights: Any, value: float, phantom: Any, statistic: str
) -> None:
    codes = {"head": "113690", "body": "113691"}
    plain.put(
        store,
        [
            ct_study(
                number,
                "x",
                None,
                patient_age=age,
                patient_weight=weight,
                events=[
                    {
                        "study_id": number,
                        "acquisition_protocol": "Head spiral",
                        "mean_ctdivol": one,
                        "ctdiw_phantom_type": of,
                    }
                ],
            )
            for number, (one, age, weight, of) in enumerate(made, 1)
        ],
    )
    level = {
        "pattern": "head*",
        "quantity": "ct_event_mean_ctdivol",
        "value": value,
        "statistic": statistic,
        "age_from": ages[0],
        "age_to": ages[1],
        "weight_from": weights[0],
        "weight_to": weights[1],
        "phantom": phantom,
    }
    put_levels(
        store,
        level,
        {"pattern": "body*", "value": 1.0, "quantity": "ct_event_mean_ctdivol"},
        {"value": 1.0, "quantity": "ct_event_mean_ctdivol"},
        level | {"valid": False},
    )
    rows = rows_of_table(store, "ct-ctdivol-protocol")
    counted = [one for one in made if one[0]]
    if not counted:
        assert rows == []
        return

    def within(number: float | None, bounds: Any) -> bool:
        low, high = bounds
        if low is None and high is None:
            return True
        return (
            number is not None
            and (low is None or number >= low)
            and (high is None or number < high)
        )

    own = np.array(
        [
            one
            for one, age, weight, of in counted
            if within(age, ages)
            and within(weight, weights)
            and (phantom is None or (of and of["value"] == codes[phantom]))
        ]
    )
    [[found]] = [row["levels"] for row in rows]
    assert found["n"] == len(own) and found["value"] == pytest.approx(value)
    if not len(own):
        assert found["own"] is found["side"] is None
        return
    number = {"median": np.median, "mean": np.mean, "p75": lambda of: np.quantile(of, 0.75)}[
        statistic
    ](own)
    assert found["own"] == pytest.approx(number, **CLOSE)
    if abs(number - value) > value * 1e-6:
        assert found["side"] == ("over" if number > value else "under")


def test_a_level_is_for_the_names_of_its_pattern_or_standard_name(store: Store) -> None:
    names = ("CT Head", "ct head", "Schädel", "Abdomen", "[x]", None)
    plain.put(
        store, [ct_study(number, name, 10.0 * number) for number, name in enumerate(names, 1)]
    )
    with store.connection() as connection:
        StandardNames([
            {"kind": "study_description", "pattern": "sch*", "modality": "CT", "standard_name": "Head"},
            {"kind": "requested_procedure_description", "pattern": "*", "modality": None, "standard_name": "Other"},
        ]).write_map(connection)  # fmt: skip
    put_levels(
        store,
        {"name": "by pattern", "pattern": "ct ?ead", "value": 10.0},
        {"name": "by name", "standard_name": "HEAD", "value": 31.0},
        {"name": "everything", "pattern": "*", "value": 35.0},
        {"name": "brackets", "pattern": "[[]x]", "value": 1.0},
        {
            "name": "other modality",
            "pattern": "*",
            "value": 1.0,
            "modality": "DX",
            "quantity": "dap_total",
        },
        {"name": "other", "standard_name": "Other", "value": 1.0},
        {"name": "not matched yet", "value": 1.0},
    )

    def found(**options: Any) -> dict[Any, Any]:
        rows = rows_of_table(store, "ct-dlp-study-description", **options)
        return {
            row["category"]: {level["name"]: level["side"] for level in row["levels"]}
            for row in rows
        }

    # At the level is under it.
    assert found() == {
        "CT Head": {"by pattern": "under", "everything": "under"},
        "ct head": {"by pattern": "over", "everything": "under"},
        "Schädel": {"by name": "under", "everything": "under"},
        "Abdomen": {"everything": "over"},
        "[x]": {"brackets": "over", "everything": "over"},
        None: {},
    }
    assert found(ignore_case=True)["CT Head"] == {"by pattern": "over", "everything": "under"}
    # "Others" are of no name.
    assert found(categories=1) == {"Abdomen": {"everything": "over"}, None: {}}


def test_values_of_levels_are_those_that_were_entered() -> None:
    for quantity, _ in QUANTITIES.values():
        for entered in (210.0, 0.1, 12.34, 1 / 3, 47.0, 8.5):
            shown = as_shown(entered / quantity.shown.factor, quantity.shown.factor)
            assert shown == pytest.approx(entered, rel=1e-11) and (
                entered == 1 / 3 or shown == entered
            )


def test_shipped_levels_are_in_the_units_of_pages_and_say_where_they_are_from() -> None:
    found = reference_levels.shipped()
    assert len({level["key"] for level in found["levels"]}) == len(found["levels"]) > 30
    for level in found["levels"]:
        quantity, modalities = QUANTITIES[level["quantity"]]
        assert (
            level["unit"] == quantity.shown.unit
            and level["modality"] in modalities
            and level["value"] > 0
        )
        assert level["source"] in found["sources"] and "pattern" not in level


@pytest.mark.skipif(not REFERENCE.is_file(), reason="the tables are not beside the repository")
def test_shipped_levels_are_those_of_the_verified_tables() -> None:
    tables, found = json.loads(REFERENCE.read_text("utf-8")), {}
    for level in reference_levels.shipped()["levels"]:
        found.setdefault((level["source"], level["name"]), {})[level["quantity"]] = level
    expected: dict[Any, dict[str, float]] = {}
    for exam, indication, _, ctdivol, dlp in tables["ct_adult_uk"]:
        both = {"ct_event_mean_ctdivol": ctdivol, "dlp_total": dlp}
        expected["UK2024", f"{exam}: {indication}"] = {
            name: value for name, value in both.items() if value is not None
        }
    for indication, _, ctdivol, _, dlp, _ in tables["ct_registry_oldenburg"]["rows"]:
        expected["OLDENBURG2019", indication.capitalize()] = {
            "ct_event_mean_ctdivol": ctdivol,
            "dlp_total": dlp,
        }
    assert {
        key: {name: level["value"] for name, level in own.items()}
        for key, own in found.items()
        if key[0] != "AROUA2007"
    } == expected
    swiss = {
        level["value"] / 100
        for key, own in found.items()
        if key[0] == "AROUA2007"
        for level in own.values()
    }
    note = tables["interventional"]["note"].partition("Swiss 2006")[2]
    assert len(swiss) == 6 and all(f" {value:.0f}" in note for value in swiss)

"""Estimates: SSDE against the tables of AAPM report 204, effective doses against examples worked out
factor by factor, and when there is none. The tables of coefficients against their sources.
"""

from __future__ import annotations

import math
from typing import Any

import pytest

from orthanc_dose.estimates import tables
from orthanc_dose.estimates.effective import of_administration, of_ct, of_projection
from orthanc_dose.estimates.ssde import conversion_factor, ssde_of
from orthanc_dose.estimates.study import OFF, Choice, rows_of_study

# AAPM report 204, table 1D (32 cm phantom, from 8 cm) and table 2D (16 cm phantom, from 6 cm): the
# conversion factor of each whole centimetre of effective diameter, as printed.
TABLE_1D = (
    2.76, 2.66, 2.57, 2.47, 2.38, 2.30, 2.22, 2.14, 2.06, 1.98, 1.91, 1.84, 1.78, 1.71, 1.65, 1.59, 1.53, 1.48, 1.43, 1.37,
    1.32, 1.28, 1.23, 1.19, 1.14, 1.10, 1.06, 1.02, 0.99, 0.95, 0.92, 0.88, 0.85, 0.82, 0.79, 0.76, 0.74, 0.71,
)  # fmt: skip
TABLE_2D = (
    1.49, 1.43, 1.38, 1.32, 1.27, 1.22, 1.18, 1.13, 1.09, 1.05, 1.01, 0.97, 0.93, 0.90, 0.86, 0.83, 0.80, 0.77, 0.74, 0.71,
    0.69, 0.66, 0.63, 0.61, 0.59, 0.56, 0.54, 0.52, 0.50, 0.48, 0.47, 0.45, 0.43, 0.41, 0.40, 0.38, 0.37, 0.35, 0.34, 0.33,
    0.32, 0.30, 0.29, 0.28, 0.27, 0.26, 0.25, 0.24, 0.23, 0.22,
)  # fmt: skip
HEAD, BODY = ("113690", "DCM"), ("113691", "DCM")
SPIRAL, LOCALIZER = ("116152004", "SCT"), ("113805", "DCM")
REGIONS = {
    "head": ("69536005", "SCT"),
    "neck": ("45048000", "SCT"),
    "chest": ("51185008", "SCT"),  # replaced by 816094009
    "chest, SRT": ("T-D3000", "SRT"),
    "abdomen": ("818981001", "SCT"),
    "abdomen and pelvis": ("818982008", "SCT"),
    "chest, abdomen and pelvis": ("416775004", "SCT"),
    "heart": ("80891009", "SCT"),
}


def code(pair: tuple[str, str] | None) -> dict[str, str] | None:
    return pair and {"value": pair[0], "scheme": pair[1], "meaning": "as written"}


def event(**values: Any) -> dict[str, Any]:
    out: dict[str, Any] = {
        "event_number": 1,
        "ct_acquisition_type": code(SPIRAL),
        "mean_ctdivol": 10.0,
        "ctdiw_phantom_type": code(BODY),
        "size_specific_dose_estimates": None,
        "marks": [],
    }
    return out | values


def sized(**size: Any) -> dict[str, Any]:
    return event(size_specific_dose_estimates=[size])


@pytest.mark.parametrize(
    ("phantom", "first", "printed"), (("body", 8, TABLE_1D), ("head", 6, TABLE_2D))
)
def test_factors_are_those_of_aapm_204(
    phantom: str, first: int, printed: tuple[float, ...]
) -> None:
    for diameter, factor in enumerate(printed, first):
        found = conversion_factor(diameter, phantom)
        assert found is not None
        # The fit and the printed factor may differ in the last digit where the fit is near its half.
        assert abs(found - factor) < 0.0075, (diameter, found, factor)
    assert conversion_factor(first - 0.01, phantom) is None
    assert conversion_factor(first + len(printed) - 1 + 0.01, phantom) is None


@pytest.mark.parametrize(
    ("diameter", "factor"), ((8, "2.76"), (20, "1.78"), (30, "1.23"), (40, "0.85"))
)
def test_factors_of_the_32_cm_phantom(diameter: int, factor: str) -> None:
    found = ssde_of(sized(water_equivalent_diameter=diameter * 10.0))
    assert found.value is not None and f"{found.value / 10:.2f}" == factor


@pytest.mark.parametrize(
    ("size", "centimetres", "method"),
    (
        ({"water_equivalent_diameter": 300.0, "measured_ap_dimension": 200.0}, 30.0, "DCM:113988"),
        ({"measured_lateral_dimension": 360.0, "measured_ap_dimension": 250.0}, 30.0, "DCM:113936"),
        ({"derived_effective_diameter": 300.0}, 30.0, None),
        (
            {"derived_effective_diameter": 300.0, "measurement_method": code(("113937", "DCM"))},
            30.0,
            "DCM:113937",
        ),
        # No SSDE was stated, although a size was: 0 stands for none.
        ({"ssde": 0.0, "water_equivalent_diameter": 250.0}, 25.0, "DCM:113988"),
    ),
)
def test_sizes_that_a_report_gives(
    size: dict[str, Any], centimetres: float, method: str | None
) -> None:
    found = ssde_of(sized(**size))
    assert found.value == pytest.approx(37.04369 * math.exp(-0.03671937 * centimetres), rel=1e-9)
    assert (found.method, found.table_key, found.table_version) == (method, "aapm204", "1")
    assert {one.name for one in found.inputs} >= {"mean_ctdivol", "ctdiw_phantom_type", "factor"}
    assert all(one.origin for one in found.inputs)


@pytest.mark.parametrize("doubted", ["ssde", "water_equivalent_diameter"])
def test_nothing_is_estimated_from_an_implausible_size_or_ssde(doubted: str) -> None:
    row = sized(water_equivalent_diameter=300.0) | {
        "marks": [
            {
                "field": f"size_specific_dose_estimates.{doubted}",
                "mark": "implausible",
                "raw": "1",
            }
        ]
    }
    if doubted == "ssde":
        row["size_specific_dose_estimates"][0]["ssde"] = 5000.0
    assert (ssde_of(row).value, ssde_of(row).reason) == (None, "doubted")


def test_the_phantom_is_that_of_the_event() -> None:
    head = event(
        ctdiw_phantom_type=code(HEAD),
        size_specific_dose_estimates=[{"water_equivalent_diameter": 160.0}],
        target_region=code(REGIONS["chest"]),
    )
    assert ssde_of(head).value == pytest.approx(10.1, abs=0.05)  # table 2D: 1.01 at 16 cm


def test_a_reported_value_stands_above_ours() -> None:
    found = ssde_of(
        event(
            size_specific_dose_estimates=[
                {"ssde": 11.0, "measurement_method": code(("113936", "DCM"))},
                {
                    "ssde": 12.5,
                    "measurement_method": code(("113988", "DCM")),
                    "water_equivalent_diameter": 300.0,
                },
            ]
        )
    )
    assert (found.value, found.method, found.table_key) == (12.5, "DCM:113988", "reported")


@pytest.mark.parametrize(
    ("row", "reason"),
    (
        (sized(water_equivalent_diameter=300.0) | {"ct_acquisition_type": code(LOCALIZER)}, "localizer"),
        (event(), "no_size"),
        (sized(measured_lateral_dimension=300.0), "one_dimension"),
        (sized(water_equivalent_diameter=79.0), "size_outside_table"),
        (sized(water_equivalent_diameter=451.0), "size_outside_table"),
        (sized(water_equivalent_diameter=300.0) | {"mean_ctdivol": None}, "no_ctdivol"),
        (sized(water_equivalent_diameter=300.0) | {"ctdiw_phantom_type": None}, "no_phantom"),
        (
            sized(water_equivalent_diameter=300.0) | {"ctdiw_phantom_type": code(("113682", "DCM"))},
            "other_phantom",
        ),
        (
            sized(water_equivalent_diameter=300.0)
            | {"marks": [{"field": "mean_ctdivol", "mark": "implausible", "raw": None}]},
            "doubted",
        ),
    ),
)  # fmt: skip
def test_where_there_is_no_ssde(row: dict[str, Any], reason: str) -> None:
    found = ssde_of(row)
    assert (found.value, found.reason) == (None, reason)


# Each example: table, region, age, phantom, kV, DLP, coefficient as its source prints it, and the
# product in mSv as worked out by hand.
EXAMPLES = (
    ("aapm96", "head", 45, HEAD, 120, 1000, "0.0021", 2.1),
    ("aapm96", "head", 5, HEAD, 120, 500, "0.0040", 2.0),
    ("aapm96", "head", 0.1, HEAD, 100, 300, "0.011", 3.3),
    ("aapm96", "neck", 60, HEAD, 120, 400, "0.0059", 2.36),
    ("aapm96", "chest", 70, BODY, 120, 350, "0.014", 4.9),
    ("aapm96", "chest, SRT", 10, HEAD, 80, 100, "0.013", 1.3),
    ("aapm96", "chest", 1, HEAD, 70, 50, "0.026", 1.3),
    ("aapm96", "abdomen and pelvis", 33, BODY, 130, 600, "0.015", 9.0),
    ("aapm96", "abdomen", 5, HEAD, 80, 120, "0.020", 2.4),
    ("aapm96", "chest, abdomen and pelvis", 80, BODY, 110, 900, "0.015", 13.5),
    ("nci2012_icrp103", "head", 40, HEAD, 120, 1000, "0.0017", 1.7),
    ("nci2012_icrp103", "chest", 40, BODY, 120, 400, "0.0210", 8.4),
    ("nci2012_icrp103", "chest", 40, BODY, 100, 400, "0.0203", 8.12),
    ("nci2012_icrp103", "chest", 40, BODY, 80, 400, "0.0191", 7.64),
    ("nci2012_icrp103", "abdomen and pelvis", 15, HEAD, 120, 500, "0.0114", 5.7),
    ("nci2012_icrp103", "chest, abdomen and pelvis", 5, HEAD, 80, 100, "0.0186", 1.86),
    ("nci2012_icrp60", "chest", 40, BODY, 120, 400, "0.0186", 7.44),
    ("nci2012_icrp60", "head", 0, HEAD, 100, 200, "0.0085", 1.7),
    ("nci2012_icrp60", "abdomen and pelvis", 18, BODY, 80, 200, "0.0195", 3.9),
    ("nci2012_icrp60", "chest, abdomen and pelvis", 10, HEAD, 120, 250, "0.0144", 3.6),
)


def scanned(
    region: str | None, phantom: Any, kv: float | None, dlp: float | None
) -> dict[str, Any]:
    return event(
        dlp=dlp,
        ctdiw_phantom_type=code(phantom),
        target_region=code(REGIONS[region]) if region else None,
        xray_sources=[{"kvp": kv}],
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: " ".join(map(str, one[:5])))
def test_effective_dose_of_ct_factor_by_factor(example: tuple[Any, ...]) -> None:
    key, region, age, phantom, kv, dlp, factor, expected = example
    assert dlp * float(factor) == pytest.approx(expected)  # the example is right in itself
    found = of_ct(scanned(region, phantom, kv, dlp), {"patient_age": age}, tables.shipped()[key])
    assert found.value == pytest.approx(expected, rel=1e-9)
    inputs = {one.name: one.value for one in found.inputs}
    assert inputs["coefficient"] == float(factor) and inputs["dlp"] == dlp
    assert found.table_key == key and found.weights == tables.shipped()[key].weights


@pytest.mark.parametrize(
    ("table", "row", "age", "reason"),
    (
        ("aapm96", scanned("chest", BODY, 120, None), 40, "no_dose"),
        ("aapm96", scanned("chest", BODY, 120, 100), None, "no_age"),
        # Neither the nearest child nor the adult stands in for an age class that is missing.
        ("aapm96", scanned("chest", BODY, 120, 100), 14, "age_outside_table"),
        ("nci2012_icrp103", scanned("chest", BODY, 120, 100), 17, "age_outside_table"),
        ("aapm96", scanned(None, BODY, 120, 100), 40, "no_region"),
        ("aapm96", scanned("heart", BODY, 120, 100), 40, "no_region"),
        ("nci2012_icrp103", scanned("neck", BODY, 120, 100), 40, "region_outside_table"),
        # The factors of children are those of the 16 cm phantom; those of the adult trunk are not.
        ("aapm96", scanned("chest", BODY, 120, 100), 5, "other_phantom"),
        ("aapm96", scanned("chest", HEAD, 120, 100), 40, "other_phantom"),
        ("aapm96", scanned("chest", None, 120, 100), 40, "no_phantom"),
        ("nci2012_icrp103", scanned("chest", BODY, 140, 100), 40, "kvp_outside_table"),
        ("nci2012_icrp103", scanned("chest", BODY, None, 100), 40, "no_kvp"),
        (
            "nci2012_icrp103",
            scanned("chest", BODY, 100, 100) | {"xray_sources": [{"kvp": 100.0}, {"kvp": 140.0}]},
            40,
            "several_kvp",
        ),
        ("aapm96", scanned("chest", BODY, 120, 1) | {"ct_acquisition_type": code(LOCALIZER)}, 40, "localizer"),
        (
            "aapm96",
            scanned("chest", BODY, 120, 1) | {"marks": [{"field": "dlp", "mark": "implausible"}]},
            40,
            "doubted",
        ),
    ),
)  # fmt: skip
def test_where_there_is_no_effective_dose(
    table: str, row: dict[str, Any], age: float | None, reason: str
) -> None:
    found = of_ct(row, {"patient_age": age}, tables.shipped()[table])
    assert (found.value, found.reason) == (None, reason)


def test_a_standard_name_says_the_region_only_if_it_is_the_name_of_one() -> None:
    row, study = scanned(None, BODY, 120, 100), {"patient_age": 50}
    table = tables.shipped()["aapm96"]
    assert of_ct(row, study, table, ["CT Abdomen and pelvis"]).value == pytest.approx(1.5)
    assert of_ct(row, study, table, ["Chest", "CT thorax"]).value == pytest.approx(1.4)
    assert of_ct(row, study, table, ["Chest", "Head"]).reason == "no_region"
    assert of_ct(row, study, table, ["Chest pain protocol"]).reason == "region_outside_table"
    # The code of the target region comes first.
    named = scanned("head", HEAD, 120, 100)
    assert of_ct(named, study, table, ["Chest"]).value == pytest.approx(0.21)


def test_effective_dose_of_an_administration() -> None:
    table, adult = tables.shipped()["andersson2015"], {"patient_age": 60}
    fdg = {"administered_activity": 250.0, "radiopharmaceutical_agent": code(("35321007", "SCT"))}
    # 250 MBq * 0.0171 mSv/MBq (erratum of 2015, not 0.0159 as printed in 2014) = 4.275 mSv
    assert of_administration(fdg, adult, table).value == pytest.approx(4.275)
    srt = fdg | {"radiopharmaceutical_agent": code(("C-B1031", "SRT"))}
    assert of_administration(srt, adult, table).value == pytest.approx(4.275)
    assert of_administration(fdg, {"patient_age": 8}, table).reason == "age_outside_table"
    named = fdg | {"radiopharmaceutical_agent": code(("", ""))}
    assert of_administration(named, adult, table).reason == "no_agent"
    other = fdg | {"radiopharmaceutical_agent": code(("72454006", "SCT"))}
    assert of_administration(other, adult, table).reason == "agent_outside_table"


OWN = {
    "key": "own",
    "version": "2026",
    "kind": "dap",
    "title": "Own coefficients",
    "weights": "ICRP 103",
    "unit": "mSv/(Gy.cm2)",
    "source": "our physicist",
    "rows": [
        {"pattern": "Chest*", "age_from": 18, "age_to": None, "coefficient": 0.16},
        {"pattern": "*PA*", "age_from": 18, "age_to": None, "coefficient": 0.2},
    ],
}


def test_effective_dose_by_dose_area_product_is_by_the_users_own_coefficients() -> None:
    table, adult = tables.read_table(OWN), {"patient_age": 60}
    row = {"dap": 1.5e-5, "acquisition_protocol": "chest AP"}  # 0.15 Gy.cm2
    assert of_projection(row, adult, table).value == pytest.approx(0.15 * 0.16)
    both = row | {"acquisition_protocol": "Chest PA"}
    assert of_projection(both, adult, table).reason == "several_patterns"
    other = row | {"acquisition_protocol": "Knee"}
    assert of_projection(other, adult, table).reason == "protocol_outside_table"
    assert of_projection(other, adult, table, ["Chest, any"]).value == pytest.approx(0.024)
    assert not [key for key, one in tables.shipped().items() if one.kind == "dap"]


@pytest.mark.parametrize(
    "change",
    (
        {"weights": "ICRP 26"}, {"kind": "mg"}, {"unit": "mSv/(Gy.m2)"}, {"source": " "}, {"rows": []}, {"key": 3},
        {"rows": [{"pattern": "x", "coefficient": 0}]}, {"rows": [{"pattern": "x", "coefficient": math.nan}]},
        {"rows": [{"pattern": "x", "coefficient": True}]}, {"rows": [{"coefficient": 1}]}, {"rows": ["x"]},
        {"rows": [{"pattern": "x", "coefficient": 1, "age_from": 5, "age_to": 5}]},
        {"rows": [{"pattern": "x", "coefficient": 1}, {"pattern": "X", "coefficient": 2, "age_from": 3}]},
    ),
)  # fmt: skip
def test_tables_that_cannot_be_used(change: dict[str, Any]) -> None:
    with pytest.raises(tables.BadTable):
        tables.read_table(OWN | change)


def ct_study(*events: dict[str, Any], **values: Any) -> list[dict[str, Any]]:
    study = {"id": 7, "modality": "CT", "patient_age": 50.0, "marks": [], **values}
    numbered = [row | {"event_number": number} for number, row in enumerate(events, 1)]
    choice = Choice("ICRP 60", {"ct": tables.shipped()["aapm96"]})
    return list(rows_of_study(study, numbered, choice, lambda study, event: ()))


def whole(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {row["quantity"]: row for row in rows if row["event_number"] is None}


CHEST, TRUNK = scanned("chest", BODY, 120, 100.0), scanned("abdomen", BODY, 120, 200.0)
TOPOGRAM = scanned("chest", BODY, 120, None) | {"ct_acquisition_type": code(LOCALIZER)}
UNKNOWN = scanned(None, BODY, 120, 300.0)


def test_the_sum_of_a_study_exists_only_if_each_event_that_counts_has_a_value() -> None:
    # 100 * 0.014 + 200 * 0.015 = 4.4 mSv; the localizer has no dose and is left out.
    assert whole(ct_study(CHEST, TOPOGRAM, TRUNK))["effective_dose"]["value"] == pytest.approx(4.4)
    missing = whole(ct_study(CHEST, UNKNOWN))["effective_dose"]
    assert (missing["value"], missing["reason"]) == (None, "incomplete")
    assert whole(ct_study(UNKNOWN))["effective_dose"]["reason"] == "no_region"
    assert whole(ct_study(TOPOGRAM))["effective_dose"]["reason"] == "no_event"
    # An event that counts in another study does not count here, with or without a value.
    there = {"counted_in": 3}
    rows = ct_study(CHEST, UNKNOWN | there)
    assert whole(rows)["effective_dose"]["value"] == pytest.approx(1.4)
    assert [row["counted_in"] for row in rows if row["event_number"] == 2] == [3, 3]
    # A study of which all events count elsewhere has its values as it has its totals.
    rows = ct_study(CHEST | there, TRUNK | there)
    assert whole(rows)["effective_dose"]["value"] == pytest.approx(4.4)
    # A rejected acquisition irradiated the patient.
    rejected = TRUNK | {"is_rejected": code(("373066001", "SCT"))}
    assert whole(ct_study(CHEST, rejected))["effective_dose"]["value"] == pytest.approx(4.4)


def test_mean_and_largest_ssde_of_a_study() -> None:
    small, large = sized(water_equivalent_diameter=200.0), sized(water_equivalent_diameter=400.0)
    found = whole(ct_study(small, large, event(), small | {"ct_acquisition_type": code(LOCALIZER)}))
    assert f"{found['ssde_max']['value']:.1f}" == "17.8"  # 10 mGy * 1.78
    assert f"{found['ssde_mean']['value']:.2f}" == "13.15"  # and 10 mGy * 0.85
    inputs = {one["name"]: one["value"] for one in found["ssde_max"]["inputs"]}
    assert inputs == {"events_with_value": 2, "events": 3, "reported": 0}
    assert whole(ct_study(event()))["ssde_mean"]["reason"] == "no_event"
    elsewhere = large | {"counted_in": 3}
    assert f"{whole(ct_study(small, elsewhere))['ssde_mean']['value']:.1f}" == "17.8"


def test_weighting_factors_are_never_mixed() -> None:
    study = {"id": 7, "modality": "CT", "patient_age": 50.0, "marks": []}
    choice = Choice("ICRP 103", {"ct": tables.shipped()["aapm96"]})
    rows = list(rows_of_study(study, [CHEST | {"event_number": 1}], choice, lambda *_: ()))
    found = [row for row in rows if row["quantity"] == "effective_dose"]
    assert [(row["value"], row["reason"]) for row in found] == [(None, "other_weights")]
    off = list(rows_of_study(study, [CHEST | {"event_number": 1}], OFF, lambda *_: ()))
    assert {row["quantity"] for row in off} == {"ssde", "ssde_mean", "ssde_max"}

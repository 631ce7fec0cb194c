"""The declared limits of fields: complete, in order, and no wider than what is documented to occur.

`WIDEST` states again, from sources and independently of the declarations, how far the plausible and
possible values of each quantity reach; `OCCURS` names values that have occurred and must stay."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from orthanc_dose.records import PATIENT_SIZE, REFERENCE_LEVEL, STUDY, STUDY_TABLES, Field, limits
from orthanc_dose.records.limits import Limits

NAMED = {name: one for name, one in vars(limits).items() if isinstance(one, Limits)}
CHECKED = {"number", "numbers", "integer", "date", "datetime", "time"}


def with_parts(fields: tuple[Field, ...], before: str) -> Iterator[tuple[str, Field]]:
    for field in fields:
        yield before + field.name, field
        yield from with_parts(field.fields, f"{before}{field.name}.")


FIELDS = [
    pair
    for table in (STUDY, *STUDY_TABLES, PATIENT_SIZE, REFERENCE_LEVEL)
    for pair in with_parts(table.fields, f"{table.name}.")
]


def test_every_number_date_and_age_has_limits_or_says_why_it_has_none() -> None:
    lacking = [
        name
        for name, field in FIELDS
        if field.type in CHECKED and (field.limits is None) == (not field.unlimited)
    ]
    assert not lacking
    assert {name for name, field in FIELDS if field.limits and field.type not in CHECKED} == {
        "study.patient_birth_date"
    }


@pytest.mark.parametrize("name", NAMED)
def test_plausible_values_are_possible_and_both_have_a_reason(name: str) -> None:
    for one in (NAMED[name], *(other for _, other in NAMED[name].instead)):
        (lowest, highest), (low, high) = one.hard, one.soft
        assert lowest <= low < high <= highest
        assert len(one.why_hard) > 5 and len(one.why_soft) > 5
        assert all(0 < slip.factor != 1 for slip in one.slips)


def test_all_named_limits_are_used() -> None:
    used = {id(field.limits) for _, field in FIELDS}
    within = {id(other) for one in NAMED.values() for _, other in one.instead}
    assert [n for n, one in NAMED.items() if id(one) not in used | within] == []


# Widest plausible and possible values by quantity, in the unit of the fields, with the source.
WIDEST: dict[str, tuple[float, float, float, float, str]] = {
    "AGE": (0, 0, 122.45 + 1, 122.45 + 1, "Jeanne Calment lived 122 years and 164 days"),
    "HEIGHT": (0.2, 0.2, 2.72, 2.75, "Robert Wadlow measured 2.72 m"),
    "WEIGHT": (0.2, 0.2, 635, 650, "Jon Brower Minnoch weighed 635 kg; a newborn of 0.212 kg lived"),
    "BODY_MASS_INDEX": (3, 5, 251, 260, "the highest on record"),
    "CTDIVOL": (0, 0, 1000, 12_000, "NEMA XR 25; a tube of 120 kW for a minute at one place"),
    "DLP": (0, 0, 16_000, 120_000, "1000 mGy over 16 cm; 12 Gy over 10 cm"),
    "DAP": (0, 0, 0.5, 10, "ten times NCRP 168's 0.05; 1 Gy/min over 400 cm2 for 250 min"),
    "DAP_TOTAL": (0, 0, 1, 30, "several 0.1 Gy.m2 have occurred"),
    "DOSE_RP": (0, 0, 20, 100, "more than 20 Gy have occurred in one intervention"),
    "DOSE_RP_TOTAL": (0, 0, 40, 200, "more than 20 Gy have occurred in one intervention"),
    "AGD": (0, 0, 20, 60, "three times 6.5 mGy (European guidelines); 0.6 of 100 mGy at the entrance"),
    "ENTRANCE_DOSE": (0, 0, 500, 10_000, "ten times EUR 16260's 40 mGy and a margin"),
    "KVP": (5, 15, 160, 200, "generators end at 150 kV"),
    "TUBE_CURRENT": (0, 0, 1500, 3000, "1300 mA, two tubes"),
    "PITCH": (0, 0.05, 4, 20, "3.4 with two tubes; corpus from 0.09"),
    "COLLIMATION_TOTAL": (0, 0, 500, 2000, "corpus: 500 mm of a localizer"),
    "SCAN_LENGTH": (0, 0, 2300, 3000, "tables move by 2.2 m"),
    "EXPOSURE_INDEX": (0, 0, 50_000, 1_000_000, "IEC 62494-1: EI is 100 times the kerma in µGy"),
    "DEVIATION_INDEX": (-60, -30, 30, 60, "10 log10 of a factor of 1000, of a million"),
    "COMPRESSION_FORCE": (0, 0, 300, 1000, "IEC 60601-2-45: 300 N by hand"),
    "COMPRESSION_THICKNESS": (0, 5, 200, 500, "paddles move within 200 mm"),
    "FOCAL_SPOT": (0, 0.05, 3, 20, "IEC 60336: 0.1 to 3.0"),
    "ANGLE": (-360, -360, 360, 360, "a full rotation"),
    "TILT": (-360, -90, 90, 360, "PS3.3 C.8.7.5"),
    "ADMINISTERED_ACTIVITY": (0.001, 0.01, 50_000, 100_000, "I-131 MIBG up to 45 GBq"),
    "TOTAL_TIME": (0, 0, 36_000, 172_800, "some hours of fluoroscopy"),
    "EFFECTIVE_DOSE": (0, 0, 500, 5900, "DLP with the factors of AAPM report 96"),
}  # fmt: skip


@pytest.mark.parametrize("name", WIDEST)
def test_no_limit_is_wider_than_what_is_documented(name: str) -> None:
    lowest, low, high, highest, _ = WIDEST[name]
    one = NAMED[name]
    assert one.hard[0] >= lowest and one.soft[0] >= low
    assert one.soft[1] <= high and one.hard[1] <= highest
    for _, other in one.instead if name != "EFFECTIVE_DOSE" else ():
        assert other.hard[1] <= one.hard[1] and other.soft[1] <= one.soft[1]


# Values that occur: (limits, modality type, value, whether it is also plausible).
OCCURS = [
    ("HEIGHT", None, 0.3, True), ("WEIGHT", None, 0.4, True), ("WEIGHT", None, 400, True),
    ("AGE", None, 0.0, True), ("AGE", None, 108, True),
    ("KVP", "RF", 40, True), ("KVP", "CT", 150, True), ("KVP", "MG", 49, True), ("KVP", "MG", 23, True),
    ("CTDIVOL", "CT", 0.02, True), ("CTDIVOL", "CT", 600, True), ("CTDIVOL", "CT", 4000, False),
    ("DLP", "CT", 9600, True), ("DLP_TOTAL", "CT", 20_000, True),
    ("DAP_TOTAL", "RF", 0.4, True), ("DAP", "RF", 0.1, True), ("DOSE_RP_TOTAL", "RF", 22, True),
    ("DAP", "DX", 5e-8, True), ("DAP", "DX", 0.004, True), ("DOSE_RP", "RF", 0.0, True),
    ("TOTAL_TIME", "RF", 6 * 3600, True), ("AGD", "MG", 0.26, True), ("AGD", "MG", 12, True),
    ("TUBE_CURRENT", "CT", 1300, True), ("PITCH", "CT", 3.4, True), ("ROTATION_TIME", "CT", 0.25, True),
    ("SCAN_LENGTH", "CT", 2000, True), ("COLLIMATION_TOTAL", "CT", 160, True),
    ("ACTIVITY", "NM", 7400, True), ("ADMINISTERED_ACTIVITY", "NM", 0.037, True),
    ("HALF_LIFE", "NM", 76, True), ("HALF_LIFE", "NM", 4.4e6, True), ("ORGAN_DOSE", "NM", 300_000, True),
    ("BODY_DIMENSION", "CT", 60, True), ("DETECTOR_DISTANCE", "DX", 200, True), ("DETECTOR_DISTANCE", "DX", 4000, True),
    ("EXPOSURE_INDEX", "DX", 12_000, True), ("DEVIATION_INDEX", "DX", -9.3, True),
]  # fmt: skip


@pytest.mark.parametrize(("name", "modality", "value", "plausible"), OCCURS)
def test_what_occurs_is_possible(
    name: str, modality: str | None, value: float, plausible: bool
) -> None:
    one = NAMED[name].within(modality)
    assert one.is_possible(value) and one.is_plausible(value) == plausible


IMPOSSIBLE = [
    ("DLP", "CT", 999_999), ("DLP", "CT", -0.1), ("CTDIVOL", "CT", 65_535), ("CTDIVOL", "CT", 32_767),
    ("KVP", "CT", 81_000), ("KVP", "DX", 1000), ("AGE", None, 2025), ("AGE", None, 999), ("AGE", None, -1),
    ("HEIGHT", None, 172), ("WEIGHT", None, 71_500), ("AGD", "MG", 136), ("DAP", "RF", 65.535),
    ("DAP", "DX", -1e-9), ("DOSE_RP", "RF", 999), ("TUBE_CURRENT", "CT", 65_535), ("FIELD_SIDE", "RF", -1),
    ("FIELD_AREA", "RF", -1e-4), ("ANGLE", "RF", 720), ("PERCENT", "MG", 101), ("TOTAL_TIME", "RF", 999_999),
    ("COMPRESSION_THICKNESS", "MG", -3), ("PITCH", "CT", 99), ("COUNT_OF_EVENTS", "CT", -1),
]  # fmt: skip


@pytest.mark.parametrize(("name", "modality", "value"), IMPOSSIBLE)
def test_what_cannot_be_is_impossible(name: str, modality: str | None, value: float) -> None:
    assert not NAMED[name].within(modality).is_possible(value)


def test_dates_that_stand_for_none_are_impossible_or_implausible() -> None:
    lowest, highest = limits.WHEN.hard
    assert date(1, 1, 1) < lowest <= date(1895, 12, 28) and highest < date(2999, 12, 31)
    assert date(1970, 1, 1) < limits.WHEN.soft[0] <= date(1997, 1, 1)
    assert date(1900, 1, 1) < limits.BIRTH.hard[0] <= date(1900, 1, 2)

"""Impossible and implausible values in reports and headers: what leaves its field, what is corrected,
what stays, and what totals say. Expected values are those that are written into the objects."""

from __future__ import annotations

import math
from datetime import date, datetime

import pytest
from pydicom.dataset import Dataset
from pydicom.valuerep import DA

from orthanc_dose import extract, samples
from orthanc_dose.assemble import Part, Record, put_together
from orthanc_dose.dicom import part10
from orthanc_dose.dicom.identity import IdentityRules
from orthanc_dose.extract.doubt import check_event, checks_of
from orthanc_dose.records import STUDY, STUDY_TABLES
from orthanc_dose.samples.ct import CtEvent, Source, ct_report
from tests.support.corpus import OBJECTS
from tests.support.images import Row, event, marks, read, together
from tests.support.reports import events as fluoroscopy_events


def raw(row: Row, field: str, mark: str) -> str | None:
    (found,) = [
        one["raw"]
        for one in row["marks"]  # type: ignore[attr-defined]
        if (one["field"], one["mark"]) == (field, mark)
    ]
    return found


def record(dataset: Dataset) -> Record:
    (found,) = together([dataset])
    return found


# --- reports ---


@pytest.mark.parametrize(
    ("written", "field", "value", "mark"),
    [
        ({"dlp": -352.8}, "dlp", None, "impossible"),
        ({"dlp": 999_999}, "dlp", None, "impossible"),
        ({"dlp": 20_000}, "dlp", 20_000, "implausible"),
        ({"dlp": 0}, "dlp", 0, None),
        ({"ctdi": 65_535}, "mean_ctdivol", None, "impossible"),
        ({"ctdi": 4000}, "mean_ctdivol", 4000, "implausible"),
        ({"ctdi": 600}, "mean_ctdivol", 600, None),
        ({"exposure_time": 6200}, "exposure_time", 6.2, "unit_slip"),
        ({"scanning_length": -420}, "scanning_length", None, "impossible"),
        ({"pitch": 99}, "pitch_factor", None, "impossible"),
    ],
)
def test_values_of_a_ct_report(
    written: dict[str, float], field: str, value: float | None, mark: str | None
) -> None:
    row = event(ct_report([CtEvent(**written)], total=None))  # type: ignore[arg-type]
    assert row.get(field) == (None if value is None else pytest.approx(value))
    assert marks(row, field) == ({mark} if mark else set())


def test_volts_written_as_kilovolts_are_corrected_and_the_original_is_kept() -> None:
    row = event(ct_report([CtEvent(sources=[Source(kvp=81_000)])]))
    assert row["xray_sources"][0]["kvp"] == 81  # type: ignore[index]
    assert raw(row, "xray_sources.kvp", "unit_slip") == "81000 kV"


def test_a_slip_into_something_implausible_corrects_nothing() -> None:
    row = event(ct_report([CtEvent(sources=[Source(kvp=5_000)])]))  # 5 kV
    assert row["xray_sources"][0]["kvp"] is None  # type: ignore[index]
    assert raw(row, "xray_sources.kvp", "impossible") == "5000 kV"


def test_a_report_of_fluoroscopy() -> None:
    written = fluoroscopy_events(
        2, field_area=-0.02, field_width=-100.0, primary_angle=720.0, duration=-3.0, rp_dose=999
    )
    for row in read(samples.fluoroscopy_report(written, totals=None)).events:
        for field in (
            "collimated_field_area", "collimated_field_width", "positioner_primary_angle",
            "irradiation_duration", "dose_rp",
        ):  # fmt: skip
            assert row[field] is None and marks(row, field) == {"impossible"}, field


def test_an_impossible_pulse_takes_the_mean_with_it() -> None:
    written = fluoroscopy_events(1, kvp=[80.0, 81_000.0, 82.0])
    (row,) = read(samples.fluoroscopy_report(written)).events
    assert row["kvp"] is None and row["kvp_values"] is None
    assert raw(row, "kvp", "impossible") == "80 | 81000 | 82 kV"


def test_pulses_without_radiation_are_plausible() -> None:
    written = fluoroscopy_events(1, kvp=[0.0, 80.0, 82.0])
    (row,) = read(samples.fluoroscopy_report(written)).events
    assert row["kvp"] == 81 and not marks(row, "kvp") & {"impossible", "implausible"}


def test_a_moment_before_rontgen_leaves_its_field() -> None:
    row = event(ct_report([CtEvent(started=datetime(1800, 1, 1, 8))]))
    assert row["datetime_started"] is None
    assert raw(row, "datetime_started", "impossible") == "1800-01-01T08:00:00"


def test_a_study_date_of_year_one_gives_way_to_that_of_the_irradiation() -> None:
    made = ct_report([CtEvent(started=datetime(2026, 1, 5, 8, 30))])
    made.StudyDate = "00010101"
    study = read(made).study
    assert study["study_date"] == date(2026, 1, 5)
    assert raw(study, "study_date", "impossible") == "0001-01-01"


# --- totals ---


def test_no_sum_is_formed_over_events_of_which_one_is_impossible() -> None:
    found = record(ct_report([CtEvent(dlp=100), CtEvent(dlp=-200)], total=None))
    assert found.study.get("dlp_total") is None
    assert {"incomplete", "impossible"} <= marks(found.study, "dlp_total")
    assert raw(found.study, "dlp_total", "impossible") == "-200 mGy.cm"


def test_the_report_s_total_is_not_doubted_for_one_event() -> None:
    found = record(ct_report([CtEvent(dlp=100), CtEvent(dlp=-200)], total=300))
    assert found.study["dlp_total"] == 300
    assert not marks(found.study, "dlp_total") & {"implausible", "impossible"}


def test_an_impossible_total_is_replaced_by_the_sum_and_both_are_marked() -> None:
    found = record(ct_report([CtEvent(dlp=100), CtEvent(dlp=200)], total=999_999))
    assert found.study["dlp_total"] == 300
    assert marks(found.study, "dlp_total") == {"computed", "impossible"}


def test_an_implausible_event_makes_its_sum_implausible() -> None:
    found = record(ct_report([CtEvent(dlp=100), CtEvent(dlp=18_000)], total=None))
    assert found.study["dlp_total"] == 18_100
    assert marks(found.study, "dlp_total") == {"computed", "implausible"}
    assert {"implausible"} <= set(found.study["all_marks"])


def test_the_largest_ctdivol_is_that_of_the_other_events() -> None:
    found = record(ct_report([CtEvent(ctdi=8.4), CtEvent(ctdi=65_535)]))
    assert found.study["ctdivol_max"] == 8.4
    assert raw(found.study, "ctdivol_max", "impossible") == "65535 mGy"


def test_a_localizer_that_lost_its_dlp_is_missing_from_the_sum() -> None:
    localizer = samples.ct.localizer(CtEvent())
    localizer.ctdi, localizer.dlp = 0.1, -1.0
    found = record(ct_report([localizer, CtEvent(dlp=100)], total=None))
    assert found.study.get("dlp_total") is None


# --- patients ---


def patient(**elements: str) -> Row:
    made = samples.radiography_image("standard")
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return read(made).study


@pytest.mark.parametrize(
    ("keyword", "written", "field", "value", "mark"),
    [
        ("PatientSize", "172", "patient_size", 1.72, "unit_slip"),
        ("PatientSize", "50", "patient_size", None, "impossible"),  # cm of a newborn, or inches
        ("PatientSize", "-1.7", "patient_size", None, "impossible"),
        ("PatientSize", "0", "patient_size", None, "zero"),
        ("PatientSize", "2.7", "patient_size", 2.7, "implausible"),
        ("PatientSize", "0.5", "patient_size", 0.5, None),
        ("PatientWeight", "71500", "patient_weight", 71.5, "unit_slip"),
        ("PatientWeight", "7150", "patient_weight", None, "impossible"),  # 7.15 kg at 54 years
        ("PatientWeight", "800", "patient_weight", None, "impossible"),  # 0.8 kg or 363 kg
        ("PatientWeight", "500", "patient_weight", 500, "implausible"),
        ("PatientWeight", "0.6", "patient_weight", 0.6, None),
    ],
)
def test_sizes_in_headers(
    keyword: str, written: str, field: str, value: float | None, mark: str | None
) -> None:
    row = patient(**{keyword: written})
    assert row[field] == value and marks(row, field) == ({mark} if mark else set())


def test_grams_of_a_newborn() -> None:
    row = patient(PatientWeight="3400", PatientAge="003D", PatientBirthDate="")
    assert row["patient_weight"] == 3.4 and raw(row, "patient_weight", "unit_slip") == "3400 kg"


@pytest.mark.parametrize(
    ("age", "born", "expected", "mark"),
    [
        ("042Y", "", 42, None),
        ("42", "", None, "no_unit"),
        ("42", "19831005", 42.2, "no_unit"),
        ("999Y", "", None, "impossible"),
        ("2025", "", None, "no_unit"),
        ("", "00010101", None, "impossible"),
        ("", "19000101", None, "impossible"),
        ("042Y", "19000101", 42, None),
        ("", "20260201", None, "impossible"),  # born after the study
        ("", "19831005", 42.2, None),
        ("000Y", "20250905", 4 / 12, None),
        ("004M", "20250905", 4 / 12, None),
        ("042Y", "19831005", 42.2, None),
        ("041Y", "19831005", 41, None),  # on the day of the request
        ("062Y", "19831005", 62, "implausible"),
        ("Jane", "", None, "no_number"),
    ],
)
def test_ages(age: str, born: str, expected: float | None, mark: str | None) -> None:
    row = patient(PatientAge=age, PatientBirthDate=born, StudyDate="20260105")
    assert row["patient_age"] == (None if expected is None else pytest.approx(expected, abs=1e-3))
    assert marks(row, "patient_age") == ({mark} if mark else set())
    assert all("Jane" not in str(one["raw"]) for one in row.get("marks") or ())  # type: ignore[attr-defined]


@pytest.mark.parametrize("rule", ["none", "stored", "hashed", "sha256"])
def test_a_birth_date_that_stands_for_none_is_marked_under_every_rule(rule: str) -> None:
    made = samples.radiography_image("standard")
    made.PatientBirthDate, made.PatientAge = DA("00010101"), ""
    rules = IdentityRules(patient_birth_date=rule, secret=b"key")
    kept = extract.keep(part10.read_any(samples.part10(made)), rules)
    study = extract.extract_object(extract.unpack(kept.pack()[0]), str(made.SOPClassUID)).study
    assert study["patient_birth_date"] is None and study["patient_age"] is None
    assert marks(study, "patient_birth_date") == marks(study, "patient_age") == {"impossible"}
    assert "0001" not in str(study["marks"])


def test_contents_kept_by_an_earlier_version_are_checked_too() -> None:
    made = samples.radiography_image("standard")
    kept = extract.keep(part10.read_any(samples.part10(made)))
    kept.patient_age, kept.patient["birth_date"], kept.doubts = 2025.295, "1900-01-01", {}
    kept.dataset.pop("0010,1010", None)
    study = extract.extract_object(kept, str(made.SOPClassUID)).study
    assert study["patient_age"] is None and study["patient_birth_date"] is None
    assert marks(study, "patient_birth_date") == marks(study, "patient_age") == {"impossible"}


# --- images ---


def radiograph(**elements: object) -> Row:
    made = samples.radiography_image("standard")
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return event(made)


@pytest.mark.parametrize(
    ("elements", "field", "value", "mark"),
    [
        ({"KVP": "81000"}, "kvp", 81, "unit_slip"),
        ({"ImageAndFluoroscopyAreaDoseProduct": "-3"}, "dap", None, "impossible"),
        ({"ImageAndFluoroscopyAreaDoseProduct": "20000"}, "dap", 0.2, "implausible"),
        ({"DistanceSourceToDetector": "1.15"}, "distance_source_to_detector", 1150, "unit_slip"),
        ({"DistanceSourceToDetector": "20"}, "distance_source_to_detector", None, "impossible"),
        ({"DistanceSourceToDetector": "1150"}, "distance_source_to_detector", 1150, None),
    ],
)
def test_values_in_the_header_of_a_radiograph(
    elements: dict[str, str], field: str, value: float | None, mark: str | None
) -> None:
    row = radiograph(**elements)
    assert row.get(field) == (None if value is None else pytest.approx(value))
    assert marks(row, field) == ({mark} if mark else set())


@pytest.mark.parametrize(
    ("written", "value", "mark"),
    [("1.36", 1.36, "unit_slip"), ("0.0136", 1.36, None), ("0.3", 30, "implausible"), ("90", None, "impossible")],
)  # fmt: skip
def test_organ_doses_written_in_milligray(
    written: str, value: float | None, mark: str | None
) -> None:
    made = samples.mammography_image("standard")
    made.OrganDose = written
    row = event(made)
    assert row["average_glandular_dose"] == (None if value is None else pytest.approx(value))
    assert marks(row, "average_glandular_dose") == ({mark} if mark else set())


@pytest.mark.parametrize(
    ("index", "target", "deviation", "doubted"),
    [
        (310.0, 250.0, 0.9, False),
        (310.0, 250.0, -31.4, True),
        (310.0, 250.0, 3.0, True),
        (51.7, 438.5, -9.3, False),  # GE XR220
        (310.0, 250.0, round(10 * math.log10(310 / 250), 1), False),
        (1.0, 400.0, -26.0, False),
        (400.0, 400.0, 0.0, False),
    ],
)
def test_a_deviation_index_is_that_of_iec_62494(
    index: float, target: float, deviation: float, doubted: bool
) -> None:
    row = {
        "exposure_index": index,
        "target_exposure_index": target,
        "deviation_index": deviation,
    }
    check_event(row, "DX")  # type: ignore[arg-type]
    assert row["deviation_index"] == deviation
    assert ("implausible" in marks(row, "deviation_index")) == doubted  # type: ignore[arg-type]


def test_what_one_ct_image_lost_is_a_mark_of_the_event() -> None:
    slices = samples.ct_images()
    shown = [one for one in slices if "LOCALIZER" not in one.ImageType]
    for one in shown:
        one.CTDIvol = 8.0
    shown[1].CTDIvol = 65_535.0
    row = record_of(slices).events[-1]
    assert row["mean_ctdivol"] == 8 and "impossible" in marks(row, "mean_ctdivol")


def record_of(datasets: list[Dataset]) -> Record:
    (found,) = put_together([Part(str(one.SOPInstanceUID), read(one)) for one in datasets])
    return found


# --- the corpus ---

# Every doubt about a real object, with the reason.
EXPLAINED = {
    # Nominal focal spots are at most 3 (IEC 60336): the system writes 10 mm for 1.0.
    ("DX-RDSR-Canon_CXDI.dcm", "focal_spot_size", "implausible"),
    # De-identified: the birth date was replaced, Patient's Age was not.
    ("RF-RDSR-Canon-Alphenix-rotational.dcm", "patient_age", "implausible"),
}


@pytest.mark.skipif(not OBJECTS, reason="the corpus is not here")
def test_no_real_value_is_doubted_without_a_reason() -> None:
    found = set()
    for path in OBJECTS:
        kept = extract.keep(part10.read_any(path.read_bytes()))
        try:
            read = extract.extract_object(kept, str(kept.dataset["0008,0016"]))
        except extract.Ignored:
            continue
        for row in (read.study, *read.accumulated, *read.events):
            found |= {
                (path.name, one["field"], one["mark"])
                for one in row.get("marks") or ()
                if one["mark"] in ("impossible", "implausible", "unit_slip")
            }
    assert found == EXPLAINED


def test_every_limited_field_is_checked() -> None:
    for table in (STUDY, *STUDY_TABLES):
        checked = checks_of(table.fields, "CT")
        assert {field.name for field in table.fields if field.limits} <= set(checked)

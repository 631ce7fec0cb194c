"""What real equipment writes into structured dose reports beside, against or short of the standard,
a test a habit.
"""

from dataclasses import replace
from datetime import datetime, time

import pytest

from orthanc_dose.extract import Ignored
from orthanc_dose.samples import codes as c
from orthanc_dose.samples import (
    ct_report,
    enhanced_sr_dose_report,
    fluoroscopy_report,
    mammography_report,
    non_dose_sr,
    radiography_report,
    report_of_events,
    report_without_template,
)
from orthanc_dose.samples import part10 as as_bytes
from orthanc_dose.samples import values as v
from orthanc_dose.samples import vendor as habits
from orthanc_dose.samples.codes import Concept
from orthanc_dose.samples.document import Study, System, put, put_raw
from orthanc_dose.samples.projection import ProjectionEvent, Totals
from orthanc_dose.samples.projection_reports import mammography_events
from orthanc_dose.samples.sr import MODIFIER, code, code_item, container, element, num, sequence
from orthanc_dose.samples.vendors import ENHANCED_SR
from tests.support.reports import events, marks, read, record, unused

# --- The envelope ---


@pytest.mark.parametrize("sop_class", [ENHANCED_SR, "1.2.840.10008.5.1.4.1.1.88.33"])
def test_a_dose_report_in_another_sr_class_is_read_and_another_report_in_it_is_left_alone(
    sop_class: str,
) -> None:
    made = enhanced_sr_dose_report()
    assert made.SOPClassUID == ENHANCED_SR
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = sop_class
    assert read(made).modality == "CT" and len(read(made).events) == 4
    other = non_dose_sr()
    other.SOPClassUID = other.file_meta.MediaStorageSOPClassUID = sop_class
    with pytest.raises(Ignored) as caught:
        read(other)
    assert caught.value.rule == "not_a_dose_report"


def test_ge_oec_without_a_template_sequence_is_read_by_its_content() -> None:
    made = report_without_template()
    assert "ContentTemplateSequence" not in made
    assert read(made).modality == "RF" and len(read(made).events) == 3


def test_each_object_of_a_series_is_judged_by_itself() -> None:
    # A series may hold a dose report beside other reports; which comes first says nothing about the
    # next.
    dose, other = enhanced_sr_dose_report(), non_dose_sr()
    other.SeriesInstanceUID = dose.SeriesInstanceUID
    with pytest.raises(Ignored):
        read(other)
    assert read(dose).modality == "CT"


def test_laterality_is_read_below_anatomy_and_below_target_region() -> None:
    old = events(1, anatomy=v.BREAST, laterality=v.LEFT, region=None)
    new = events(1, anatomy=None, region=None)
    below_region = [
        code(c.TARGET_REGION, v.BREAST, code(c.LATERALITY, v.LEFT, relationship=MODIFIER))
    ]
    for made in (
        report_of_events(old, key="old"),
        report_of_events(new, key="new", own=lambda *_: below_region),
    ):
        assert read(made).events[0]["laterality"]["value"] == "7771000"


def test_codes_count_and_their_meanings_do_not() -> None:
    made = mammography_report(4, vendor=habits("siemens-mg", scheme="SRT"))
    raw = as_bytes(made)
    assert b"Left breast" in raw and b"Procedure reported" in raw
    spoilt = raw.replace(b"Left breast", b"LEFT Breast").replace(
        b"Procedure reported", b"PROCEDURE Reported"
    )
    wrong, right = record(spoilt), record(made)
    assert (
        wrong.study["agd_left"] == right.study["agd_left"]
        and wrong.study["procedure_reported"]["value"] == "71651007"
    )


def test_siemens_intevo_with_a_wrong_meaning_of_tube_current() -> None:
    raw = as_bytes(ct_report(2)).replace(b"X-Ray Tube Current", b"Mean X-Ray Current")
    assert [row["xray_sources"] for row in read(raw).events] == [
        row["xray_sources"] for row in read(ct_report(2)).events
    ]


@pytest.mark.parametrize(
    "device_type", [v.INTEGRATED, v.CASSETTE, Concept("999999", "Something else"), None]
)
def test_philips_azurion_with_a_wrong_device_type_keeps_its_fluoroscopy_totals(
    device_type: Concept | None,
) -> None:
    found = record(fluoroscopy_report(8, vendor="philips-xa", device_type=device_type))
    right = record(fluoroscopy_report(8, vendor="philips-xa"))
    assert found.modality == "RF" and found.study["total_fluoro_time"] > 0
    for name in (
        "dap_total",
        "fluoro_dap_total",
        "acquisition_dap_total",
        "total_fluoro_time",
        "dose_rp_total",
    ):
        assert found.study[name] == right.study[name]


@pytest.mark.parametrize("value", ["12345678901234567890", "urn:lex:example:code:abdomen:1"])
def test_a_code_value_of_more_than_16_characters(value: str) -> None:
    region = Concept(value, "Abdomen", "99LONG")
    found = read(report_of_events(events(1, region=region), key="long"))
    assert found.events[0]["target_region"] == {
        "value": value,
        "scheme": "99LONG",
        "meaning": "Abdomen",
    }
    raw = as_bytes(report_of_events(events(1, region=region), key="long"))
    assert (long := b"\x08\x00\x19\x01UC") in raw
    assert (
        read(raw.replace(long, b"\x08\x00\x20\x01UR")).events[0]["target_region"]["value"] == value
    )
    # In the short Code Value, where it has no place.
    parts = ((0x100, b"SH", value), (0x102, b"SH", "99LONG"), (0x104, b"LO", "Abdomen"))
    short = b"".join(element(8, number, vr, part.encode()) for number, vr, part in parts)
    item = (
        element(0x40, 0xA040, b"CS", b"CODE")
        + sequence(0x40, 0xA168, [short])
        + sequence(0x40, 0xA043, [code_item(c.TARGET_REGION, "SCT", "", "")])
    )
    made = report_of_events(events(1, region=None), key="short", own=lambda *_: [item])
    assert read(made).events[0]["target_region"]["value"] == value


def test_a_device_observer_uid_that_changes_is_the_same_system() -> None:
    first, second = (
        fluoroscopy_report(events(3)[:n], key=f"observer|{n}", study=Study(instance_uid="1.2.3"))
        for n in (2, 3)
    )
    raw = as_bytes(second)
    uid = System(vendor=habits("standard")).device_uid.encode()
    assert uid in raw
    found = record(first, raw.replace(uid, uid[:-2] + b"99"))
    assert len(found.events) == 3


# --- Numbers and units ---


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("Gym2", 1), ("Gy.m2", 1), ("Gy*m2", 1), ("dGy.cm2", 1e5), ("Gy.cm^2", 1e4), ("Gycm2", 1e4), ("cGy.cm2", 1e6),
     ("mGy.cm2", 1e7), ("mGycm2", 1e7), ("uGy.m2", 1e6), ("µGy·m²", 1e6)],
)  # fmt: skip
def test_spellings_of_the_unit_of_dap(unit: str, factor: float) -> None:
    spelt = habits("standard", units={"Gy.m2": (unit, factor)})
    made, right = (record(fluoroscopy_report(4, vendor=one)) for one in (spelt, "standard"))
    assert made.study["dap_total"] == pytest.approx(right.study["dap_total"], rel=1e-9)
    assert [row["dap"] for row in made.events] == pytest.approx(
        [row["dap"] for row in right.events], rel=1e-9
    )


def test_canon_ultimax_with_dose_at_reference_point_in_mgy_and_dap_in_dgy_cm2() -> None:
    made, right = (
        record(fluoroscopy_report(4, vendor="canon-ultimax")),
        record(fluoroscopy_report(4)),
    )
    for name in ("dose_rp_total", "dap_total"):
        assert made.study[name] == pytest.approx(right.study[name], rel=1e-9)


def test_mgycm_uas_and_pulse_per_second_are_understood() -> None:
    assert (
        record(ct_report(3, vendor="ge-esr")).study["dlp_total"]
        == record(ct_report(3)).study["dlp_total"]
    )
    for row in read(mammography_report(2, vendor="hologic")).events:
        assert row["exposure"] > 0 and not marks(row, "exposure")
    for row in read(fluoroscopy_report(3, vendor="ge-oec")).events:
        assert row["pulse_rate"] > 0 and not marks(row, "pulse_rate")


@pytest.mark.parametrize("unit", ["R.cm2", "Gy", "cGy·cm", "dGy/cm2"])
def test_a_unit_that_is_not_understood_keeps_the_number_in_a_mark_alone(unit: str) -> None:
    made = record(fluoroscopy_report(2, vendor=habits("standard", units={"Gy.m2": (unit, 1)})))
    assert made.study.get("dap_total") is None
    row = made.accumulated[0]
    assert marks(row, "dap_total") == ["unit_unknown"]
    assert next(entry for entry in row["marks"] if entry["field"] == "dap_total")["raw"].endswith(
        unit
    )


def test_both_codes_of_exposure_time_in_seconds_for_ct_and_milliseconds_for_projection() -> None:
    event = events(1, exposure_time=125.0)
    today, retired = (
        read(
            report_of_events(event, key="t", system=System(vendor=habits("standard", **more)))
        ).events[0]
        for more in ({}, {"replaced": {"113824": c.EXPOSURE_TIME_RETIRED}})
    )
    in_seconds = read(
        report_of_events(
            event, key="t", system=System(vendor=habits("standard", units={"ms": ("s", 1e-3)}))
        )
    )
    assert (
        today["exposure_time"]
        == retired["exposure_time"]
        == in_seconds.events[0]["exposure_time"]
        == 125
    )
    assert 0 < read(ct_report(1)).events[0]["exposure_time"] < 60


@pytest.mark.parametrize("key", ["canon-dx", "ge-oec"])
def test_an_empty_measured_value_is_neither_absent_nor_zero(key: str) -> None:
    made = (
        radiography_report(2, vendor=key)
        if key == "canon-dx"
        else fluoroscopy_report(2, vendor=key)
    )
    name = "dose_rp" if key == "canon-dx" else "positioner_primary_angle"
    for row in read(made).events:
        assert row.get(name) is None and marks(row, name) == ["empty"]
    assert not marks(
        read(
            fluoroscopy_report(2, vendor=habits("standard", omitted=frozenset({"112011"})))
        ).events[0],
        "positioner_primary_angle",
    )


def test_a_calibration_factor_without_a_value() -> None:
    found = read(fluoroscopy_report(2, vendor=habits("philips-xa", empty=frozenset({"122322"}))))
    assert found.accumulated[0]["calibrations"][0].get("factor") is None
    assert marks(found.accumulated[0], "calibrations.factor") == ["empty"]


@pytest.mark.parametrize("raw", ["1.2/3.4/5.6", "1.2\\3.4"])
def test_several_numbers_in_one_are_kept_as_written(raw: str) -> None:
    toshiba = Concept("99TOST000B", "Dose Reduce Parameters", "99TOSHIBA-TMSC")
    deviation = num(Concept("121414", "Standard deviation of population"), raw, ucum="1")
    found = read(ct_report(2, vendor="toshiba-ct", extra=[container(toshiba, deviation)]))
    assert unused(found)["DCM:121414"] == raw
    row = read(report_of_events(events(1, dap=raw), key="slash", totals=[Totals()])).events[0]
    assert row.get("dap") is None
    assert {"field": "dap", "mark": "no_number", "raw": raw} in row["marks"]


def test_pulse_level_values_average_what_is_not_zero() -> None:
    row = read(
        report_of_events(
            events(1, kvp=[70, 80, 0, 60], current=[50.0] * 3, pulse_width=[8, 8]), key="p"
        )
    ).events[0]
    assert (row["kvp"], row["kvp_values"]) == (70, [70, 80, 0, 60]) and marks(row, "kvp") == [
        "mean"
    ]
    assert (row["xray_tube_current"], row["pulse_width"]) == (50, 8)


def test_philips_allura_exposure_time_is_pulses_times_pulse_width_and_marked() -> None:
    row = read(
        report_of_events(events(1, exposure_time=None, pulses=98, pulse_width=4.0), key="e")
    ).events[0]
    assert row["exposure_time"] == 392 and marks(row, "exposure_time") == ["computed"]
    each = read(
        report_of_events(events(1, exposure_time=None, pulses=3, pulse_width=[4, 5, 6]), key="e")
    ).events[0]
    assert each["exposure_time"] == 15
    for more in ({"pulses": None}, {"pulse_width": None}, {"pulses": 0}):
        row = read(report_of_events(events(1, **{"exposure_time": None, **more}), key="e")).events[
            0
        ]
        assert row.get("exposure_time") is None
    # A value that stands there and cannot be used is not replaced by a computed one.
    wrong = habits("standard", units={"ms": ("furlong", 1)})
    assert marks(read(fluoroscopy_report(1, vendor=wrong)).events[0], "exposure_time") == [
        "unit_unknown"
    ]
    given = read(report_of_events(events(1), key="e")).events[0]
    assert not marks(given, "exposure_time")


def test_what_is_missing_stays_missing() -> None:
    """Philips Veradius without kVp, no orientation modifier, CT without target region or pitch."""
    row = read(report_of_events(events(1, kvp=None, orientation_modifier=None), key="m")).events[0]
    assert row.get("kvp") is None and not marks(row, "kvp")
    assert (
        row["patient_orientation"]["value"] == "102538003"
        and row.get("patient_orientation_modifier") is None
    )
    ct = read(
        ct_report(2, vendor=habits("ge-ct", omitted=frozenset({"123014", "113828", "113835"})))
    )
    assert all(
        row.get("target_region") is None and row.get("pitch_factor") is None for row in ct.events
    )


def test_ct_without_a_dlp_total_and_with_one_of_zero_is_summed_and_marked() -> None:
    for key, why in (("philips-ct", "computed"), ("toshiba-ct", "given_zero")):
        found = record(ct_report(3, vendor=key))
        summed = sum(row["dlp"] for row in found.events if row.get("dlp") is not None)
        assert found.study["dlp_total"] == pytest.approx(summed) and marks(
            found.study, "dlp_total"
        ) == [why]


def test_ziehm_without_a_fluoroscopy_summary_is_summed_over_its_events() -> None:
    found, right = (record(fluoroscopy_report(6, vendor=key)) for key in ("ziehm", "standard"))
    for name in ("fluoro_dap_total", "total_fluoro_time", "acquisition_dap_total"):
        assert found.study[name] == pytest.approx(right.study[name], rel=1e-6) and marks(
            found.study, name
        ) == ["computed"]


def test_two_planes_are_one_study_with_dap_added_and_dose_at_reference_point_not() -> None:
    study = record(fluoroscopy_report(8, biplane=True)).study
    assert study["dap_total"] == pytest.approx(study["dap_total_a"] + study["dap_total_b"])
    assert study["dose_rp_total"] == max(study["dose_rp_total_a"], study["dose_rp_total_b"])
    assert study["number_of_events"] == 8


def test_siemens_revelation_tomosynthesis_is_marked_as_the_dose_of_one_projection() -> None:
    sweeps = record(mammography_report(4, vendor="siemens-mg", tomosynthesis=True))
    assert all(marks(row, "average_glandular_dose") == ["one_projection"] for row in sweeps.events)
    assert marks(sweeps.study, "average_glandular_dose") == ["one_projection"]
    for found in (
        mammography_report(4, vendor="siemens-mg"),
        mammography_report(4, vendor="hologic", tomosynthesis=True),
    ):
        assert not any(
            marks(row, "average_glandular_dose")
            for row in (record(found).study, *record(found).events)
        )


def test_hologic_two_accumulated_glandular_doses_and_dgy_of_older_reports() -> None:
    made = mammography_events(4, 3, Study().started, "dgy")
    right = record(mammography_report(made, vendor="hologic"))
    assert right.study["agd_left"] != right.study["agd_right"]
    old = record(mammography_report(made, vendor=habits("hologic", units={"mGy": ("dGy", 1e-2)})))
    for name in ("agd_left", "agd_right"):
        assert old.study[name] == pytest.approx(right.study[name], rel=1e-9)


# --- Text ---


@pytest.mark.parametrize(
    ("value", "why"),
    [("0", "zero"), ("0.000", "zero"), ("1,72 m", "no_number"), ("tall", "no_number")],
)
def test_height_and_weight_of_zero_or_in_words_are_not_used(value: str, why: str) -> None:
    made = ct_report(1)
    for keyword in ("PatientSize", "PatientWeight"):
        put_raw(made, keyword, value.encode())
    study = read(made).study
    assert study["patient_size"] is None and study["patient_weight"] is None
    assert marks(study, "patient_size") == marks(study, "patient_weight") == [why]


@pytest.mark.parametrize(
    ("words", "encoding", "declared", "right"),
    [
        ("Größe", "latin-1", b"ISO_IR 100", True),
        ("Größe", "latin-1", b"ISO_IR 192", False),
        # valid Latin-1 by accident: nothing tells that it is not
        ("Größe", "utf-8", b"ISO_IR 100", None),
        ("Größe", "latin-1", b"", False),
        ("Αθήνα", "iso8859_7", b"ISO_IR 126", True),
        ("Москва", "iso8859_5", b"ISO_IR 144", True),
        ("腹部検査", "iso2022_jp", b"\\ISO 2022 IR 87", True),
        ("腹部検査", "utf-8", b"\\ISO 2022 IR 87", False),
        ("Größe", "latin-1", b"\\ISO 2022 IR 87", False),
        ("Größe", "latin-1", b"ISO_IR 6", False),
    ],
)  # fmt: skip
def test_text_is_right_or_marked(
    words: str, encoding: str, declared: bytes, right: bool | None
) -> None:
    raw = as_bytes(fluoroscopy_report(1, study=Study(instance_uid="1.2.3", description="@@@@")))
    encoded = words.encode(encoding)
    for number, vr, before, after in (
        (0x0005, b"CS", b"ISO_IR 192", declared),
        (0x1030, b"LO", b"@@@@", encoded),
    ):
        old = element(8, number, vr, before)
        assert raw.count(old) == 1
        raw = raw.replace(old, element(8, number, vr, after))
    study = read(raw).study
    assert study["study_description"] == (
        words if right is not None else words.encode(encoding).decode("latin-1")
    )
    assert marks(study, "text") == (["text_encoding"] if right is False else [])


def test_names_with_several_values_and_texts_with_nul_and_blanks() -> None:
    made = ct_report(1)
    put(made, OperatorsName="Sample^Carl\\Sample^Ben\\", PerformingPhysicianName="^^^^")
    put_raw(made, "StudyDescription", b"Abdomen \0\0 ")
    put_raw(made, "StationName", b"A station with a name of more than 16")
    found = read(made)
    assert (
        found.study["operators"] == "Sample, Carl; Sample, Ben"
        and found.study["performing_physician"] is None
    )
    assert found.study["study_description"] == "Abdomen"
    assert found.equipment["station_name"] == "A station with a name of more than 16"


def test_illegal_bytes_in_a_private_element_hurt_nothing() -> None:
    made = fluoroscopy_report(2, vendor="philips-xa")
    made.add_new(0x20050010, "LO", "Philips Imaging DD 001")
    made.add_new(0x20051011, "UN", b"\x1b$B\xff\xfe\0\x80")
    assert len(read(made).events) == 2


@pytest.mark.parametrize(
    ("header", "item", "expected"),
    [("+0100", "", "+0100"), ("", "+0900", "+0900"), ("", "", None), ("-0330", "+0900", "-0330")],
)
def test_times_stay_local_wall_time_with_the_offset_beside_them(
    header: str, item: str, expected: str | None
) -> None:
    vendor = replace(habits("standard"), timezone=header, offset=item)
    begun = datetime(2025, 3, 30, 2, 30)  # an hour that does not exist where summer time begins
    made = ProjectionEvent(started=begun, uid="1.2.3", dap=1e-5)
    found = read(
        report_of_events(
            [made], key="zone", system=System(vendor=vendor), study=Study("1.2", started=begun)
        )
    )
    assert found.events[0]["datetime_started"] == begun and found.study["study_time"] == time(2, 30)
    assert found.study["timezone_offset_from_utc"] == expected

"""What equipment writes against the standard and can only be meant in one way: it is read, and
marked.

Expected values are those that were put into the objects, converted by hand.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, time
from io import BytesIO

import pydicom
import pytest
from pydicom.dataset import Dataset

from orthanc_dose import extract, samples
from orthanc_dose.dicom import dates, decimals, part10, text, units
from orthanc_dose.dicom.identity import IdentityRules
from orthanc_dose.dicom.sop_classes import GENERAL_REPORTS
from orthanc_dose.extract import Ignored
from orthanc_dose.samples import ct_report, fluoroscopy_report, non_dose_sr, report_of_events
from orthanc_dose.samples import part10 as as_bytes
from orthanc_dose.samples import values as v
from orthanc_dose.samples import vendor as habits
from orthanc_dose.samples.ct import default_events
from orthanc_dose.samples.document import System, coded_dataset, put_raw
from tests.support import images
from tests.support.reports import events, marks, read, record


def parsed(made: Dataset) -> Dataset:
    return pydicom.dcmread(BytesIO(as_bytes(made)))


def inner(dataset: Dataset) -> Iterator[Dataset]:
    """Yield the data set and all items below it."""
    yield dataset
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from inner(item)


def changed(made: Dataset, change: Callable[[Dataset], None]) -> Dataset:
    whole = parsed(made)
    for item in list(inner(whole)):
        change(item)
    return whole


# --- Decimal commas ---


def with_commas(item: Dataset) -> None:
    if "NumericValue" in item:
        put_raw(item, "NumericValue", f"{float(item.NumericValue):.2f}".replace(".", ",").encode())


def test_a_report_with_decimal_commas_has_the_values_of_one_with_points() -> None:
    right, found = read(ct_report(3)), read(changed(ct_report(3), with_commas))
    for row, other in zip(found.events, right.events, strict=True):
        assert row["dlp"] == pytest.approx(other["dlp"], abs=0.0051)
        assert row["mean_ctdivol"] == pytest.approx(other["mean_ctdivol"], abs=0.0051)
        assert marks(row, "dlp") == marks(row, "mean_ctdivol") == ["decimal_comma"]
        assert "decimal_comma" in marks(row, "xray_sources.kvp")


def test_height_and_weight_with_decimal_commas() -> None:
    made = ct_report(1)
    put_raw(made, "PatientSize", b"1,68")
    put_raw(made, "PatientWeight", b"71,5")
    study = read(made).study
    assert (study["patient_size"], study["patient_weight"]) == (1.68, 71.5)
    assert marks(study, "patient_size") == marks(study, "patient_weight") == ["decimal_comma"]


def test_a_radiograph_with_a_decimal_comma() -> None:
    made = samples.radiography_image()
    put_raw(made, "ImageAndFluoroscopyAreaDoseProduct", b"0,41")
    row = images.event(made)
    # 0.41 dGy.cm2 = 0.41e-5 Gy.m2
    assert row["dap"] == pytest.approx(4.1e-6, rel=1e-12)
    assert images.marks(row, "dap") == {"decimal_comma"}


@pytest.mark.parametrize(
    ("raw", "sign", "expected"),
    [
        ("352,80", ".", (352.8, True)),
        ("-8,4", ".", (-8.4, True)),
        ("0,412", ".", (0.412, True)),
        ("4,1E-06", ".", (4.1e-6, True)),
        ("1234,500", ".", (1234.5, True)),
        # Perhaps one thousand two hundred and thirty-four: only a report that has commas tells.
        ("1,234", ".", (None, False)),
        ("1,234", ",", (1.234, True)),
        ("-12,345", ".", (None, False)),
        ("1.234", ",", (None, False)),
        ("1.234", ".", (1.234, False)),
        # Never with a point beside the comma, and never more than one comma.
        ("1.234,5", ".", (None, False)),
        ("1.234,5", ",", (None, False)),
        ("1,234.5", ".", (None, False)),
        ("1,06,0", ".", (None, False)),
        ("1,234,567", ",", (None, False)),
        (",5", ".", (None, False)),
        ("5,", ".", (None, False)),
        ("12,5 mGy", ".", (None, False)),
        ("1 234,5", ".", (None, False)),
        ("1_000", ".", (None, False)),
        ("inf", ".", (None, False)),
        ("1e400", ".", (None, False)),
        ("", ".", (None, False)),
        (None, ".", (None, False)),
        (" 12.5 ", ".", (12.5, False)),
    ],
)
def test_numbers_as_written(
    raw: str | None, sign: str, expected: tuple[float | None, bool]
) -> None:
    assert decimals.parse_number(raw, sign) == expected


def test_thousands_are_told_from_decimals_by_the_whole_report_or_not_at_all() -> None:
    assert decimals.decimal_sign(["1,234", "8,4"]) == ","
    assert decimals.decimal_sign(["1,234", "8.4"]) == "."
    assert decimals.decimal_sign(["1,234", "8,4", "0.5"]) == "."
    assert decimals.decimal_sign(["1,234", "12,500"]) == "."

    def three_digits(item: Dataset) -> None:
        if "NumericValue" in item:
            put_raw(item, "NumericValue", b"1,234")

    row = read(changed(ct_report(1), three_digits)).events[0]
    assert row.get("dlp") is None and marks(row, "dlp") == ["no_number"]

    def one_with_two_digits(item: Dataset) -> None:
        three_digits(item)
        if "NumericValue" in item and item.MeasurementUnitsCodeSequence[0].CodeValue == "mGy":
            put_raw(item, "NumericValue", b"8,40")

    row = read(changed(ct_report(1), one_with_two_digits)).events[0]
    assert row["dlp"] == 1.234 and row["mean_ctdivol"] == 8.4


# --- Units ---


@pytest.mark.parametrize("scheme", ["99UNITS", "DCM", "SRT", "99SMS_RADSUM"])
def test_the_right_unit_under_another_scheme(scheme: str) -> None:
    def private(item: Dataset) -> None:
        if item.get("CodingSchemeDesignator") == "UCUM":
            item.CodingSchemeDesignator = scheme

    found, right = read(changed(ct_report(2), private)), read(ct_report(2))
    for row, other in zip(found.events, right.events, strict=True):
        assert (row["dlp"], row["mean_ctdivol"]) == (other["dlp"], other["mean_ctdivol"])
        assert marks(row, "dlp") == ["unit_scheme"]


def test_a_unit_of_another_quantity_stays_refused_under_any_scheme() -> None:
    def wrong(item: Dataset) -> None:
        if item.get("CodingSchemeDesignator") == "UCUM" and item.CodeValue == "mGy.cm":
            item.CodingSchemeDesignator, item.CodeValue = "99UNITS", "mm"

    row = read(changed(ct_report(1), wrong)).events[0]
    assert row.get("dlp") is None and marks(row, "dlp") == ["unit_unknown"]


@pytest.mark.parametrize(
    ("spelling", "target", "factor"),
    [
        ("mGy-cm", "mGy.cm", 1.0),
        ("mGy cm", "mGy.cm", 1.0),
        ("mGy x cm", "mGy.cm", 1.0),
        ("Gy cm2", "Gy.m2", 1e-4),
        ("Gy-m2", "Gy.m2", 1.0),
        ("GY.M2", "Gy.m2", 1.0),
        ("DGY.CM2", "Gy.m2", 1e-5),
        ("uGy m²", "Gy.m2", 1e-6),
        ("KV", "kV", 1.0),
        ("KVP", "kV", 1.0),
        ("mA s", "uA.s", 1000.0),
        ("UA.S", "uA.s", 1.0),
        ("DEG", "deg", 1.0),
        ("CM", "mm", 10.0),
        ("MIN", "s", 60.0),
        ("MBQ", "MBq", 1.0),
        ("pulses / s", "{pulse}/s", 1.0),
    ],
)
def test_units_in_other_spellings(spelling: str, target: str, factor: float) -> None:
    times, over = units.conversion(spelling, target)
    assert times / over == pytest.approx(factor, rel=1e-12)
    assert units.doubt(spelling, "UCUM") == "unit_spelling"


@pytest.mark.parametrize(
    "spelling",
    ["MGY.CM", "MM", "MAS", "mbq", "Mm", "MS", "MSV", "M", "S", "mGy/cm", "mGy--cm", "G y", "rad"],
)
def test_a_spelling_that_can_be_two_units_is_refused(spelling: str) -> None:
    with pytest.raises(units.UnknownUnit):
        units.unit(spelling)


def test_every_spelling_of_the_table_is_read_without_a_mark() -> None:
    assert not [one for one in units._UNITS if units.doubt(one, "UCUM") is not None]
    assert units.doubt("mGy.cm", "ucum") is None and units.doubt("mGy.cm", None) is None


def test_a_report_with_other_spellings_is_read_and_marked() -> None:
    made = habits("standard", units={"mGy.cm": ("mGy-cm", 1), "mGy": ("mGY", 1)})
    found, right = read(ct_report(2, vendor=made)), read(ct_report(2))
    for row, other in zip(found.events, right.events, strict=True):
        assert (row["dlp"], row["mean_ctdivol"]) == (other["dlp"], other["mean_ctdivol"])
        assert marks(row, "dlp") == marks(row, "mean_ctdivol") == ["unit_spelling"]


def test_pulses_have_one_mark_of_their_unit_each_field() -> None:
    made = habits("standard", units={"kV": ("KV", 1), "mA": ("mA ", 1)})
    made = report_of_events(events(1, kvp=[70, 71, 72]), system=System(vendor=made), key="pulses")
    row = read(made).events[0]
    assert marks(row, "kvp").count("unit_spelling") == 1


# --- Activities of images ---


@pytest.mark.parametrize(
    ("kind", "written", "expected", "why"),
    [
        # NM images have MBq (PS3.3 C.8.4.10), PET images Bq (C.8.9.2).
        ("ge-nm", "203000000", 203.0, "unit_of_maker"),
        ("siemens-nm", "7400000000", 7400.0, "unit_of_maker"),
        ("ge-nm", "20000000", 20.0, "unit_of_maker"),
        ("ge-nm", "11100", 11100.0, None),
        # 7.4 MBq in Bq, or 7.4 GBq in kBq as for lutetium-177: nobody can know.
        ("ge-nm", "7400000", None, "impossible"),
        ("ge-nm", "203000000000", None, "impossible"),
        ("ge-pet", "221.6", 221.6, "unit_of_maker"),
        ("siemens-pet", "60", 60.0, "unit_of_maker"),
        ("ge-pet", "221600000", 221.6, None),
        # 10 MBq, or 10 mCi.
        ("ge-pet", "10", None, "impossible"),
        ("ge-pet", "0.2216", None, "impossible"),
        ("ge-pet", "-221.6", None, "impossible"),
    ],
)
def test_activities_in_the_unit_of_the_other_kind_of_image(
    kind: str, written: str, expected: float | None, why: str | None
) -> None:
    made = samples.nuclear_images(kind)[0]
    made.RadiopharmaceuticalInformationSequence[0].RadionuclideTotalDose = written
    row = images.event(made)
    assert row.get("administered_activity") == expected
    assert images.marks(row, "administered_activity") == ({why} if why else set())


# --- Times without a dot ---


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("102030250", time(10, 20, 30, 250000)),
        ("1020302500", time(10, 20, 30, 250000)),
        ("102030250000", time(10, 20, 30, 250000)),
        ("102030.25", time(10, 20, 30, 250000)),
    ],
)
def test_a_time_without_a_dot_before_its_fraction(written: str, expected: time) -> None:
    assert dates.parse_time(written) == expected
    assert dates.lacks_dot(written) == ("." not in written)
    moment = datetime(2026, 5, 4, 10, 20, 30, 250000)
    assert dates.parse_datetime(f"20260504{written}") == (moment, None)
    assert dates.parse_datetime(f"20260504{written}+0200")[0] == moment  # type: ignore[index]
    assert dates.lacks_dot(f"20260504{written}+0200") == ("." not in written)


@pytest.mark.parametrize(
    # A time that lost its first zero has one digit less: 9:20:30.250, 9:20:30.25, 9:20:30.250000.
    "written",
    ["92030250", "9203025", "92030250000", "102030.", "1020302500000", "10203a250"],
)
def test_a_time_that_may_have_lost_a_zero_is_no_time(written: str) -> None:
    with pytest.raises(ValueError):
        dates.parse_time(written)


def test_times_without_a_dot_are_marked_in_headers_reports_and_images() -> None:
    def dotless(item: Dataset) -> None:
        for keyword in ("StudyTime", "DateTime"):
            if keyword in item:
                put_raw(item, keyword, f"{str(item[keyword].value)[:14]}250".encode())

    found = read(changed(fluoroscopy_report(2), dotless))
    assert found.study["study_time"].microsecond == 250000
    assert marks(found.study, "study_time") == ["time_without_dot"]
    for row in found.events:
        assert row["datetime_started"].microsecond == 250000
        assert marks(row, "datetime_started") == ["time_without_dot"]
    image = samples.radiography_image(AcquisitionDateTime=None)
    put_raw(image, "AcquisitionTime", b"102030250")
    row = images.event(image)
    assert row["datetime_started"].time() == time(10, 20, 30, 250000)  # type: ignore[attr-defined]
    assert "time_without_dot" in images.marks(row, "datetime_started")


# --- Character sets ---


@pytest.mark.parametrize(
    ("declared", "encoding", "words"),
    [
        ("ISO_IR 149", "euc_kr", "흉부 조영"),
        ("ISO_IR_149", "euc_kr", "흉부 조영"),
        ("ISO 2022 IR149", "euc_kr", "흉부 조영"),
        ("ISO_IR_101", "iso8859_2", "Klatka piersiowa żółć"),
        ("ISO-IR 101", "iso8859_2", "Klatka piersiowa żółć"),
        ("ISO IR 144", "iso8859_5", "Грудная клетка"),
        ("iso_ir 100", "latin-1", "Schädel"),
        ("ISO_IR100", "latin-1", "Schädel"),
        ("ISO_IR_192", "utf-8", "Schädel 胸部"),
        ("UTF-8", "utf-8", "Schädel 胸部"),
        ("ISO_IR 58", "gb2312", "胸部"),
    ],
)
def test_character_sets_in_other_spellings(declared: str, encoding: str, words: str) -> None:
    notes: list[str] = []
    encodings = text.decoders(declared, notes.append)
    assert (
        text.decode(words.encode(encoding), encodings, notes.append, text.TEXT_DELIMITERS) == words
    )
    (note,) = notes
    assert note.startswith("character set misspelled: read as ISO")


@pytest.mark.parametrize(
    "declared", ["ISO_IR 999", "ISO_IR", "latin", "ISO_IR 100 ISO_IR 144", "8859-1"]
)
def test_a_character_set_that_nobody_knows_is_not_guessed(declared: str) -> None:
    assert text.decoders(declared, pytest.fail) == ()


def test_a_misspelled_character_set_is_marked_in_the_record() -> None:
    made = ct_report(1, vendor=habits("standard", character_set="ISO 2022 IR 149"))
    put_raw(made, "StudyDescription", "흉부 조영".encode("euc_kr"))
    right = b"\x08\x00\x05\x00CS\x10\x00ISO 2022 IR 149 "
    wrong = b"\x08\x00\x05\x00CS\x10\x00ISO_IR_149      "
    raw = as_bytes(made).replace(right, wrong)
    assert "흉부 조영".encode("euc_kr") in raw and wrong in raw
    study = read(raw).study
    assert study["study_description"] == "흉부 조영"
    assert [one["raw"] for one in study["marks"] if one["mark"] == "text_encoding"] == [
        "character set misspelled: read as ISO 2022 IR 149"
    ]


# PS3.5 annexes H to K: escape sequences of the code extensions.
@pytest.mark.parametrize(
    ("declared", "raw", "words"),
    [
        ("\\ISO 2022 IR 58", b"\x1b$)A" + "胸部".encode("gb2312"), "胸部"),
        ("\\ISO 2022 IR 58", b"CT \x1b$)A" + "胸部".encode("gb2312") + b" CT", "CT 胸部 CT"),
        ("\\ISO 2022 IR 58", b"\x1b$)A" + "胸部".encode("gb2312") + b"\\\x1b$)A" + "头部".encode("gb2312"),
         "胸部\\头部"),
        ("ISO 2022 IR 6\\ISO 2022 IR 58", b"\x1b$)A" + "胸部".encode("gb2312"), "胸部"),
        ("\\ISO 2022 IR 149", b"\x1b$)C" + "흉부".encode("euc_kr"), "흉부"),
        ("\\ISO 2022 IR 87", "胸部".encode("iso2022_jp"), "胸部"),
        ("\\ISO 2022 IR 144", b"\x1b-L" + "Грудь".encode("iso8859_5"), "Грудь"),
        ("ISO 2022 IR 100\\ISO 2022 IR 101", b"Sch\xe4del \x1b-B" + "żółć".encode("iso8859_2"), "Schädel żółć"),
    ],
)  # fmt: skip
def test_code_extensions_of_the_standard_are_read_without_a_note(
    declared: str, raw: bytes, words: str
) -> None:
    encodings = text.decoders(declared, pytest.fail)
    assert text.decode(raw, encodings, pytest.fail, text.TEXT_DELIMITERS) == words


# --- Codes without a scheme, and other SOP classes ---


@pytest.mark.parametrize("how", ["absent", "empty"])
@pytest.mark.parametrize("make", [lambda: ct_report(2), lambda: fluoroscopy_report(3),
                                  lambda: samples.radiopharmaceutical_report()])  # fmt: skip
def test_a_report_without_schemes_on_the_codes_of_dicom(
    make: Callable[[], Dataset], how: str
) -> None:
    def without(item: Dataset) -> None:
        if item.get("CodingSchemeDesignator") == "DCM":
            if how == "absent":
                del item.CodingSchemeDesignator
            else:
                item.CodingSchemeDesignator = ""

    found, right = read(changed(make(), without)), read(make())
    assert found.modality == right.modality
    assert found.events == right.events and found.accumulated == right.accumulated
    assert marks(found.study, "codes") == ["no_scheme"] and not marks(right.study, "codes")
    assert found.study["observers"] == right.study["observers"]
    assert not {item.concept for item in found.unused} - {item.concept for item in right.unused}


def test_codes_of_an_installation_without_a_scheme_are_not_taken_for_codes_of_dicom() -> None:
    def local(item: Dataset) -> None:
        if item.get("CodeMeaning") == v.ABDOMEN.meaning:
            item.CodeValue, item.CodeMeaning = "113691", "Abdomen native"
            del item.CodingSchemeDesignator

    region = read(
        changed(report_of_events(events(1, region=v.ABDOMEN), key="local"), local)
    ).events[0]
    assert region["target_region"] == {
        "value": "113691",
        "scheme": None,
        "meaning": "Abdomen native",
    }


@pytest.mark.parametrize("sop_class", sorted(GENERAL_REPORTS))
def test_reports_of_any_content_are_read_by_their_root_concept(sop_class: str) -> None:
    made = ct_report(2)
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = sop_class
    assert extract.can_hold_dose(sop_class) and len(read(made).events) == 2
    other = non_dose_sr()
    other.SOPClassUID = other.file_meta.MediaStorageSOPClassUID = sop_class
    with pytest.raises(Ignored) as caught:
        read(other)
    assert caught.value.rule == "not_a_dose_report"


def test_comprehensive_3d_and_extensible_reports_are_among_them() -> None:
    # PS3.4 B.5: Enhanced, Comprehensive, Comprehensive 3D, Extensible SR.
    ends = {uid.rpartition(".88.")[2] for uid in GENERAL_REPORTS}
    assert {"22", "33", "34", "35"} <= ends and "11" not in ends


# --- What is left out, with a mark ---


def test_an_age_without_a_unit_is_left_out() -> None:
    made = ct_report(1)
    put_raw(made, "PatientAge", b"42")
    born = read(made).study
    assert born["patient_age"] is not None and marks(born, "patient_age") == ["no_unit"]
    put_raw(made, "PatientBirthDate", b"")
    study = read(made).study
    assert study["patient_age"] is None
    assert [one for one in study["marks"] if one["field"] == "patient_age"] == [
        {"field": "patient_age", "mark": "no_unit", "raw": "42"}
    ]


@pytest.mark.parametrize("maker", ["philips-xa", "siemens-xa", "standard"])
def test_a_rotation_without_its_end_is_marked(maker: str) -> None:
    turning = events(
        2, type=v.ROTATIONAL, primary_angle=-120.0, primary_end_angle=None, secondary_end_angle=None
    )
    found = record(report_of_events(turning, system=maker, key=f"rotation {maker}"))
    for row in found.events:
        assert row.get("positioner_primary_end_angle") is None
        assert marks(row, "positioner_primary_end_angle") == ["no_end_angle"]
    ended = [replace(one, primary_end_angle=120.0) for one in turning]
    found = record(report_of_events(ended, key="rotation ended"))
    for row in found.events:
        assert row["positioner_primary_end_angle"] == 120
        assert not marks(row, "positioner_primary_end_angle")


# --- Wrong codes ---


def recoded(made: Dataset, written: str, wrong: str, scheme: str = "DCM") -> Dataset:
    def change(item: Dataset) -> None:
        if item.get("CodeValue") == written and item.get("CodingSchemeDesignator") == "DCM":
            item.CodeValue, item.CodingSchemeDesignator = wrong, scheme

    return changed(made, change)


def test_anode_material_under_a_code_that_dicom_does_not_have() -> None:
    right = read(samples.mammography_report(2))
    found = read(recoded(samples.mammography_report(2), "111632", "113632"))
    for row, other in zip(found.events, right.events, strict=True):
        assert row["anode_target_material"] == other["anode_target_material"] is not None
        assert marks(row, "anode_target_material") == ["wrong_code"]


def test_detector_data_available_under_the_code_of_patient_table_relationship() -> None:
    found = read(recoded(samples.mammography_report(2), "113945", "113745"))
    assert found.study["detector_data_available"]["value"] == "373066001"
    assert marks(found.study, "detector_data_available") == ["wrong_code"]


def test_filter_materials_of_snomed_under_the_scheme_of_dicom() -> None:
    def change(item: Dataset) -> None:
        if item.get("CodingSchemeDesignator") in ("SRT", "SCT"):
            item.CodingSchemeDesignator = "DCM"

    for maker in ("siemens-xa", "standard"):
        right = read(fluoroscopy_report(3, vendor=maker))
        found = read(changed(fluoroscopy_report(3, vendor=maker), change))
        materials = [[one["material"] for one in row["xray_filters"]] for row in found.events]
        assert materials == [
            [one["material"] for one in row["xray_filters"]] for row in right.events
        ]
        assert any(one["scheme"] == "SCT" for row in materials for one in row)


def test_the_language_without_a_value_type() -> None:
    def change(item: Dataset) -> None:
        names = item.get("ConceptNameCodeSequence")
        if names and names[0].CodeValue == "121049":
            del item.ValueType

    found = read(changed(ct_report(1), change))
    assert found.study["language"] == read(ct_report(1)).study["language"]
    assert found.study["language"] is not None


@pytest.mark.parametrize("how", ["beside", "device role"])
def test_the_role_of_the_person_of_a_dose_check(how: str) -> None:
    check = samples.DoseCheck(dlp=100.0, ctdi=10.0, person="Sample^Person")
    event = replace(default_events(1, 1, samples.Study().started, "role")[0], alert=check)

    def change(item: Dataset) -> None:
        below = item.get("ContentSequence") or []
        for at, child in enumerate(list(below)):
            if child.ValueType == "PNAME" and "ContentSequence" in child:
                if how == "beside":
                    below[at + 1 : at + 1] = list(child.ContentSequence)
                    del child.ContentSequence
                else:
                    for one in child.ContentSequence:
                        if one.ConceptNameCodeSequence[0].CodeValue == "113875":
                            one.ConceptNameCodeSequence[0].CodeValue = "113876"

    right = read(ct_report(events=[event])).events[0]["persons"]
    row = read(changed(ct_report(events=[event]), change)).events[0]
    assert row["persons"] == right and right[0]["role_in_procedure"]["value"] == "113850"


# --- What was not read ---


def test_orders_of_a_report() -> None:
    made = ct_report(1)
    made.AccessionNumber = ""
    orders = [Dataset(), Dataset()]
    for order, letter in zip(orders, "AB", strict=True):
        order.AccessionNumber = f"PB20{letter}"
        order.RequestedProcedureDescription = f"CT {letter} requested"
        order.RequestedProcedureCodeSequence = [
            coded_dataset(f"CT{letter}", "99LOC", f"CT {letter}")
        ]
    made.ReferencedRequestSequence = orders
    study = record(made).study
    assert study["accession_number"] == "PB20A"
    assert study["accession_numbers"] == ["PB20A", "PB20B"]
    assert study["requested_procedure_description"] == "CT A requested; CT B requested"
    assert study["requested_procedure_code"]["value"] == "CTA"
    assert marks(study, "accession_number") == ["several_orders"]
    made.ReferencedRequestSequence = orders[:1]
    study = record(made).study
    assert study["accession_number"] == "PB20A" and study["accession_numbers"] is None
    assert not marks(study, "accession_number")


@pytest.mark.parametrize("rule", ["none", "stored", "hashed", "sha256"])
def test_all_accession_numbers_follow_the_rule(rule: str) -> None:
    made = ct_report(1)
    orders = [Dataset(), Dataset()]
    for order, number in zip(orders, ("PB20-A", "PB20-B"), strict=True):
        order.AccessionNumber = number
    made.ReferencedRequestSequence = orders
    rules = IdentityRules(accession_number=rule, secret=b"secret")
    kept = extract.keep(part10.read_part10(as_bytes(made)), rules)
    study = extract.extract_object(kept, str(made.SOPClassUID)).study
    numbers = [made.AccessionNumber, "PB20-A", "PB20-B"]
    if rule == "none":
        assert study["accession_number"] is None and study["accession_numbers"] is None
    else:
        expected = [one if rule == "stored" else rules.hashes(one)[rule] for one in numbers]
        assert study["accession_numbers"] == expected
    if rule != "stored":
        assert b"PB20-" not in zlib.decompress(kept.pack()[0])


def test_further_elements_of_headers() -> None:
    made = samples.mammography_image()
    made.NameOfPhysiciansReadingStudy = "Reader^Sample"
    made.PhysiciansOfRecord = "Record^Sample\\Other^Sample"
    made.InstitutionAddress = "Sample Street 1"
    made.DateOfLastCalibration = ["20250101", "20260203"]
    made.DistanceSourceToEntrance = "607"
    made.GridFocalDistance = "650"
    made.ColumnAngulation = "-15"
    found = images.read(made)
    study, row = found.study, found.events[0]
    assert study["reading_physician"] == "Reader, Sample"
    assert study["physician_of_record"] == "Record, Sample; Other, Sample"
    assert study["institution_address"] == "Sample Street 1"
    assert study["last_calibrated_on"] == date(2026, 2, 3)
    assert row["distance_source_to_entrance"] == 607 and row["grid_focal_distance"] == 650
    assert row["column_angulation"] == -15
    listed = {
        "(0040,0306)",
        "(0018,704C)",
        "(0018,1450)",
        "(0008,0081)",
        "(0008,1048)",
        "(0008,1060)",
    }
    assert not listed & {item.concept for item in found.unused}

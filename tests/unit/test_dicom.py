"""Reading DICOM: bytes, text, dates, units, codes."""

import copy
import io
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.sr import _snomed_dict
from pydicom.uid import JPEGLosslessSV1

from orthanc_dose.dicom import codes, dates, part10, units
from orthanc_dose.dicom.dataset import Dataset, Unreadable, from_pydicom, values
from orthanc_dose.dicom.decimals import exact_mean, exact_sum
from orthanc_dose.dicom.text import person_name
from orthanc_dose.samples import ct_report, make_studies, mammography_image
from orthanc_dose.samples import part10 as as_bytes
from tests.support import corpus
from tests.support.corpus import OBJECTS
from tests.support.effort import LONG


def plain(dataset: Dataset) -> Dataset:
    """Without padding; what holds nothing (an empty sequence, an empty binary value) is empty
    text.
    """
    return {
        tag: [plain(item) for item in value]
        if isinstance(value, list) and value
        else (value or "").strip(" \0").removesuffix("data:application/octet-stream;base64,")
        for tag, value in dataset.items()
    }


def both(raw: bytes) -> tuple[Dataset, Dataset]:
    ours = part10.read_part10(raw).dataset
    theirs = from_pydicom(pydicom.dcmread(io.BytesIO(raw), force=True))
    return plain(ours), plain(theirs)


@pytest.mark.parametrize("path", OBJECTS, ids=lambda path: path.stem)
def test_our_reader_and_pydicom_read_the_same_from_real_objects(path: Path) -> None:
    ours, theirs = both(path.read_bytes())
    assert ours == theirs


@pytest.mark.tries_more
def test_our_reader_and_pydicom_read_the_same_from_made_up_objects() -> None:
    for study in make_studies(60 if LONG else 12, seed=7):
        for implicit in (False, True):
            ours, theirs = both(as_bytes(study.datasets[0], implicit=implicit))
            assert ours == theirs


def test_a_deflated_object_reads_as_the_plain_one() -> None:
    plain_bytes = as_bytes(ct_report(2))
    out = io.BytesIO()
    deflated = pydicom.dcmread(io.BytesIO(plain_bytes))
    deflated.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    deflated.save_as(out, enforce_file_format=True)
    assert part10.read_part10(out.getvalue()).dataset == part10.read_part10(plain_bytes).dataset


@pytest.mark.parametrize("undefined_length", [True, False])
def test_the_header_of_a_compressed_image_is_read_by_our_reader(undefined_length: bool) -> None:
    whole = mammography_image("standard")
    compressed = copy.deepcopy(whole)
    compressed.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    compressed.PixelData = encapsulate([b"\xff\xd8" + bytes(600) + b"\xff\xd9"])
    compressed["PixelData"].is_undefined_length = True
    icon = pydicom.Dataset()
    icon.Rows = icon.Columns = 8
    icon.PixelData = encapsulate([b"\xff\xd8" + bytes(40) + b"\xff\xd9"] * 3)
    icon["PixelData"].VR, icon["PixelData"].is_undefined_length = "OB", True
    icon.is_undefined_length_sequence_item = undefined_length
    compressed.IconImageSequence = [icon]
    compressed["IconImageSequence"].is_undefined_length = undefined_length
    raw = io.BytesIO()
    pydicom.dcmwrite(raw, compressed, implicit_vr=False, little_endian=True)
    read = part10.read_part10(raw.getvalue()).dataset
    assert read.pop("0088,0200") == [{"0028,0010": "8", "0028,0011": "8"}]
    assert read == part10.read_part10(as_bytes(whole)).dataset


def test_a_big_endian_object_is_read_by_the_other_reader() -> None:
    plain_bytes = as_bytes(ct_report(2))
    swapped = pydicom.dcmread(io.BytesIO(plain_bytes))
    swapped.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRBigEndian
    out = io.BytesIO()
    pydicom.dcmwrite(out, swapped, little_endian=False, implicit_vr=False)
    with pytest.raises(part10.OtherTransferSyntax):
        part10.read_part10(out.getvalue())
    assert plain(part10.read_any(out.getvalue()).dataset) == plain(
        part10.read_part10(plain_bytes).dataset
    )


def test_an_object_cut_anywhere_is_unreadable_or_ends_between_two_elements() -> None:
    raw = as_bytes(ct_report(1))
    whole = part10.read_part10(raw).dataset
    for end in range(0, len(raw), 37):
        try:
            read = part10.read_part10(raw[:end]).dataset
        except Unreadable as error:
            assert (
                "truncated" in str(error)
                or "short" in str(error)
                or "transfer syntax" in str(error)
                or "no " in str(error)
            )
        else:
            assert set(read) < set(whole), "an object cut within an element must not read as whole"


def sr_with(raw_text: bytes, character_set: bytes) -> bytes:
    """A bare data set in explicit encoding: a character set, and a study description in these
    bytes.
    """

    def element(tag: bytes, vr: bytes, value: bytes) -> bytes:
        value += b" " * (len(value) % 2)
        return tag + vr + len(value).to_bytes(2, "little") + value

    return element(b"\x08\x00\x05\x00", b"CS", character_set) + element(
        b"\x08\x00\x30\x10", b"LO", raw_text
    )


@pytest.mark.parametrize(
    ("text", "encoding", "declared", "noted"),
    [
        ("Schädel", "latin-1", b"ISO_IR 100", False),
        ("Schädel", "utf-8", b"ISO_IR 192", False),
        ("Schädel", "latin-1", b"ISO_IR 192", True),
        ("Schädel", "utf-8", b"", True),
        ("Schädel", "latin-1", b"", True),
        ("Θώρακας", "iso8859_7", b"ISO_IR 126", False),
        ("Грудная клетка", "iso8859_5", b"ISO_IR 144", False),
        ("胸部", "iso2022_jp", b"\\ISO 2022 IR 87", False),
        ("Schädel", "utf-8", b"NOT A TERM", True),
    ],
)
def test_text_comes_out_right_and_is_noted_where_the_declared_set_was_wrong(
    text: str, encoding: str, declared: bytes, noted: bool
) -> None:
    read = part10.read_part10(sr_with(text.encode(encoding), declared))
    assert read.dataset["0008,1030"] == text
    assert bool(read.notes) is noted


# UCUM: 1 dGy.cm2 = 1e-1 Gy * 1e-4 m2; 1 Gy.cm2 = 1e-4 Gy.m2; 1 mGy = 1e-3 Gy; 1 mA.s = 1000 uA.s; 1
# min = 60 s.
@pytest.mark.parametrize(
    ("value", "unit", "target", "expected"),
    [
        (2.39, "dGy.cm2", "Gy.m2", 2.39e-05),
        (1.07, "Gym2", "Gy.m2", 1.07),
        (12.5, "Gy.cm2", "Gy.m2", 12.5e-4),
        (12.5, "Gy.cm^2", "Gy.m2", 12.5e-4),
        (3.0, "cGy·cm²", "Gy.m2", 3e-6),
        (14, "mGy", "Gy", 0.014),
        (0.13, "dGy", "mGy", 13.0),
        (349.7, "mGycm", "mGy.cm", 349.7),
        (1.7, "mAs", "uA.s", 1700.0),
        (800, "uAs", "uA.s", 800.0),
        (1.72, "m", "m", 1.72),
        (172, "cm", "m", 1.72),
        (2, "min", "s", 120.0),
        (500, "ms", "s", 0.5),
        (27, "events", "1", 27.0),
        (1, "{X-Ray sources}", "1", 1.0),
        (7.5, "pulse/s", "{pulse}/s", 7.5),
    ],
)
def test_units_are_converted_to_the_last_digit(
    value: float, unit: str, target: str, expected: float
) -> None:
    times, over = units.conversion(unit, target)
    assert units.scaled(value, times, over) == expected


@pytest.mark.parametrize(
    ("unit", "target", "factor"),
    [("dGy.cm2", "Gy.m2", "1e-5"), ("dGy", "mGy", "100"), ("mA.s", "uA.s", "1000"),
     ("Bq", "MBq", "1e-6"), ("us", "ms", "1e-3"), ("mGy", "mGy", "1")],
)  # fmt: skip
def test_decimals_stay_decimals_when_they_are_converted(
    unit: str, target: str, factor: str
) -> None:
    times, over = units.conversion(unit, target)
    for hundredths in range(1, 20_000):
        written = Decimal(hundredths) / 100
        assert units.scaled(float(written), times, over) == float(written * Decimal(factor))


def test_sums_and_means_of_decimals_are_decimals() -> None:
    assert 0.1 + 0.2 != 0.3 and exact_sum([0.1, 0.2]) == 0.3
    assert exact_sum([0.1] * 10) == 1 and exact_sum([]) == 0
    assert exact_mean([13.7, 14.7, 15.7]) == 14.7 and exact_mean([0.1, 0.2]) == 0.15


@pytest.mark.parametrize(
    ("unit", "target"),
    [("R", "Gy"), ("mm", "Gy"), ("", "mm"), ("Gy.cm", "Gy.m2"), ("MGY", "mGy"), ("%", "1")],
)
def test_a_unit_that_is_unknown_or_measures_something_else_is_refused(
    unit: str, target: str
) -> None:
    with pytest.raises(units.UnknownUnit):
        units.conversion(unit, target)


def test_codes_are_found_by_value_and_scheme() -> None:
    # PS3.16 annex: P5-06000 SRT is 44491008 SCT; SNM3 and 99SDM designate the same codes; 113735
    # was replaced by 113824.
    assert (
        codes.canonical("P5-06000", "SRT")
        == codes.canonical("P5-06000", "SNM3")
        == codes.canonical("44491008", "SCT")
    )
    assert codes.canonical("113735", "DCM") == codes.canonical("113824", "DCM")
    assert codes.canonical("113735", "99PRIVATE") == "99PRIVATE:113735"
    # CID 10006: copper, once "Copper or Copper compound".
    assert codes.code("C-127F9", "SRT", "anything") == codes.Code("66925006", "SCT", "Copper")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20180413131326.0488", (datetime(2018, 4, 13, 13, 13, 26, 48800), None)),
        ("20180413131326+0200", (datetime(2018, 4, 13, 13, 13, 26), timedelta(hours=2))),
        (
            "20180413131326.123456-0330",
            (datetime(2018, 4, 13, 13, 13, 26, 123456), -timedelta(hours=3, minutes=30)),
        ),
        ("20180413", (datetime(2018, 4, 13), None)),
        ("", None),
    ],
)
def test_dates_with_times_keep_fraction_and_offset(text: str, expected: object) -> None:
    assert dates.parse_datetime(text) == expected


@pytest.mark.parametrize(
    "text", ["00000000", "20231345", "2023-13-45", "yesterday", "201804", "20180413250000"]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        dates.parse_datetime(text)


def test_dates_times_and_ages() -> None:
    assert dates.parse_date("2016.05.12") == date(2016, 5, 12)
    assert dates.parse_time("0843") == time(8, 43)
    assert dates.parse_time("084336.482") == time(8, 43, 36, 482000)
    assert dates.parse_age("006M") == 0.5
    assert dates.parse_age("034Y") == 34


@pytest.mark.parametrize(
    ("birth", "day", "age"),
    [
        (date(2026, 11, 27), date(2026, 11, 30), 0),  # a newborn
        (date(2026, 10, 30), date(2026, 11, 30), 0.083),  # a month, which starts a class of levels
        (date(2026, 8, 31), date(2026, 11, 30), 0.167),  # a day before three months
        (date(2026, 8, 30), date(2026, 11, 30), 0.25),
        (date(2025, 11, 30), date(2026, 11, 30), 1),
        (date(2024, 12, 1), date(2026, 11, 30), 1.917),
        (date(2004, 3, 1), date(2006, 3, 1), 2),  # 730 days
        (date(2020, 2, 29), date(2026, 2, 28), 5.9),
        (date(2020, 2, 29), date(2026, 3, 1), 6),
        (date(1986, 3, 28), date(2016, 3, 15), 29.9),
        (date(1980, 1, 1), date(2020, 1, 1), 40),
    ],
)
def test_ages_between_birth_and_study(birth: date, day: date, age: float) -> None:
    """Whole years are whole on each birthday, and below two years months are, as in "003M"."""
    assert dates.age_between(birth, day) == age


def test_person_names_are_shown_for_people() -> None:
    assert (
        person_name("Yamada^Tarou=山田^太郎=やまだ^たろう")
        == "Yamada, Tarou (山田, 太郎, やまだ, たろう)"
    )
    assert person_name("O'Neil^Ann^Marie^Dr") == "O'Neil, Ann Marie Dr"
    assert person_name("^^") is None


# Codes of real objects without a pair in PS3.16: a placeholder, and two that SNOMED-RT never had.
WITHOUT_PAIR = {"T-D0001", "T-62002", "T-D400"}


def snomed_rt_of(dataset: Dataset) -> Iterator[str]:
    for value in dataset.values():
        for item in value if isinstance(value, list) else ():
            yield from snomed_rt_of(item)
    if dataset.get("0008,0102") in ("SRT", "SNM3", "99SDM", "SNM"):
        yield from values(dataset, "0008,0100")


def test_every_snomed_rt_code_of_the_standard_has_its_snomed_ct_code() -> None:
    pairs = _snomed_dict.mapping["SRT"]
    assert len(pairs) > 7_900
    for srt, sct in pairs.items():
        # By a pair, or by one that PS3.16 has since replaced in both.
        expected = {f"SCT:{sct}", codes.canonical(sct, "SCT")}
        if srt != "C-120F9":
            assert codes.canonical(srt, "SRT") in expected, srt
        assert codes.canonical(srt, "99SDM") == codes.canonical(srt, "SRT")


# PS3.16 (2020 and later) CID 4031 and annex L; CID 4010 and 10006 of former editions.
@pytest.mark.parametrize(
    ("srt", "former", "today"),
    [
        ("T-D3000", "51185008", "816094009"),
        ("T-D4000", "113345001", "818981001"),
        ("R-FAB57", "416949008", "818982008"),
        ("T-D6000", "12921003", "816092008"),
        ("T-D00F9", "297173004", "1217253001"),
        ("C-120F9", "105830007", "12503006"),
        ("R-10214", "272479007", "272479007"),
    ],
)
def test_regions_and_views_of_former_editions_are_those_of_today(
    srt: str, former: str, today: str
) -> None:
    keys = {
        codes.canonical(srt, "SRT"),
        codes.canonical(former, "SCT"),
        codes.canonical(today, "SCT"),
    }
    assert keys == {f"SCT:{today}"}
    assert codes.code(srt, "SRT", "x").meaning not in ("x", None)


def test_every_snomed_rt_code_of_real_objects_and_of_the_reference_has_its_snomed_ct_code() -> None:
    found = {
        srt
        for path in corpus.OBJECTS
        for srt in snomed_rt_of(part10.read_any(path.read_bytes()).dataset)
    }
    reference = corpus.FOLDER.parent / "reference" / "rdsr_codes.json"
    if reference.exists():
        found |= set(re.findall(r'"([A-Z][0-9A-Z]?-[0-9A-F]{4,6})"', reference.read_text()))
        assert len(found) > 390
    assert {
        srt for srt in found if not codes.canonical(srt, "SRT").startswith("SCT:")
    } <= WITHOUT_PAIR

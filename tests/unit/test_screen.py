"""Text of dose screens to records: what is right comes out, what does not agree fails with both
values.
"""

import re

import pytest

from orthanc_dose import extract
from orthanc_dose.dicom import part10
from orthanc_dose.dicom.dataset import Unreadable
from orthanc_dose.extract import Extract, Ignored, Kept, screen, screen_text
from orthanc_dose.extract.screen import BETWEEN_READINGS
from orthanc_dose.samples import part10 as as_bytes
from orthanc_dose.samples import screens
from orthanc_dose.samples.screens import (
    LOCALIZER,
    ScreenSeries,
    dose_screen,
    ge_lines,
    siemens_lines,
    toshiba_lines,
)

MAKERS = {"toshiba": "Toshiba", "ge": "GE", "siemens": "Siemens"}
LINES = {"toshiba": toshiba_lines, "ge": ge_lines, "siemens": siemens_lines}


def kept_of(maker: str, lines: list[str], second: list[str] | None = None) -> Kept:
    """A dose screen as it is kept, with these lines for its text in both readings."""
    kept = extract.keep(part10.read(as_bytes(dose_screen(maker, picture=bytes(512 * 512)))))
    both = [*lines, BETWEEN_READINGS, *(lines if second is None else second)]
    kept.screen = screen.dose_lines(both, MAKERS[maker])
    return kept


def read(maker: str, lines: list[str], second: list[str] | None = None) -> Extract:
    return screen.extract(kept_of(maker, lines, second))


def reason(maker: str, lines: list[str], second: list[str] | None = None) -> str:
    with pytest.raises(Unreadable) as caught:
        read(maker, lines, second)
    return str(caught.value)


def changed(lines: list[str], before: str, after: str) -> list[str]:
    assert any(before in line for line in lines)
    return [line.replace(before, after) for line in lines]


def marked(row: dict, field: str) -> list[str]:
    return [entry["mark"] for entry in row.get("marks", ()) if entry["field"] == field]


def doses(found: Extract) -> list[tuple[float, float]]:
    return [(row["mean_ctdivol"], row["dlp"]) for row in found.events if "dlp" in row]


@pytest.mark.parametrize("maker", MAKERS)
def test_values_of_a_clean_screen_come_out_and_are_marked(maker: str) -> None:
    found = read(maker, LINES[maker]())
    assert (found.modality, found.source) == ("CT", "OCR")
    assert doses(found) == [(12.3, 549.3), (48.6, 842.7)]
    assert found.accumulated[0]["dlp_total"] == 1392.0
    kinds = [row["ct_acquisition_type"] for row in found.events if "ct_acquisition_type" in row]
    assert kinds[0]["value"] == "113805"
    assert [row["ctdiw_phantom_type"]["value"] for row in found.events[1:]] == ["113691", "113690"]
    for row in found.events[1:]:
        assert "ocr" in marked(row, "mean_ctdivol") and "ocr" in marked(row, "dlp")
        assert "ocr_unchecked" not in marked(row, "dlp")
    assert found.study["study_description"] == "CT abdomen"
    assert found.equipment["device_serial_number"] == "S-0001"
    assert found.study["sources_of_dose_information"][0]["value"] == "113868"


def test_what_each_maker_prints_beside_the_dose() -> None:
    toshiba = read("toshiba", toshiba_lines(positions=True)).events[1]
    assert (toshiba["scanning_length"], toshiba["exposure_time"]) == (422.5, 8.7)
    assert toshiba["acquisition_protocol"] == "Chest/Abdomen"
    assert read("ge", ge_lines()).events[1]["scanning_length"] == 422.5
    siemens = read("siemens", siemens_lines()).events[1]
    assert siemens["xray_sources"] == [{"kvp": 120.0, "exposure_time_per_rotation": 0.5}]
    assert siemens["nominal_single_collimation_width"] == 1.2
    assert "ocr_unchecked" in marked(siemens, "mean_ctdivol"), (
        "no length on the screen: nothing to check CTDIvol against"
    )
    assert "ocr_unchecked" not in marked(toshiba, "mean_ctdivol")


def test_totals_by_phantom_and_letters_of_older_software() -> None:
    found = read("toshiba", toshiba_lines(suffix=".e")).accumulated[0]
    assert [
        (part["dlp"], part["ctdiw_phantom_type"]["value"]) for part in found["dlp_sub_totals"]
    ] == [
        (842.7, "113690"),
        (549.3, "113691"),
    ]
    one = [LOCALIZER, ScreenSeries("Chest", "Helical", (0, -400), 10.0, 420.0)]
    assert (
        read("toshiba", toshiba_lines(one)).accumulated[0]["dlp_total_phantom_type"]["value"]
        == "113691"
    )
    older = read("siemens", siemens_lines(letters=("A", "B")))
    assert [row["ctdiw_phantom_type"]["value"] for row in older.events[1:]] == ["113691", "113690"]


@pytest.mark.parametrize(
    ("maker", "before", "after"),
    [
        ("toshiba", "549.3(Body)", "549 .3 (Body>"), ("toshiba", "12.3(Body)", "12,3 (Bodv)"),
        ("toshiba", "CTDIvol(mGy)  DLP(mGy.cm)", "CTD1vol(mGy) DLP (mGy. "
"cm)"), ("toshiba", "Exposure Time", "Exposure Tine"),
        ("toshiba", "Helical ", "Hellcal "), ("ge", "S10.000-I412.500", "$10. 000-1412.500"), ("ge", "Helical ", "HeIical "),
        ("ge", "1392.00", "1392. 00"), ("siemens", "48.60S", "48.605"), ("siemens", " / 5150", " 7 5150"),
        ("siemens", "0.5   1.2", "O5 1.2"),
    ],
)  # fmt: skip
def test_words_and_points_read_a_little_wrong_change_no_dose(
    maker: str, before: str, after: str
) -> None:
    found = read(maker, changed(LINES[maker](), before, after))
    assert doses(found) == [(12.3, 549.3), (48.6, 842.7)]


@pytest.mark.parametrize(
    ("maker", "before", "after", "said"),
    [
        ("toshiba", "549.3(Body)", "649.3(Body)", r"total DLP \(Body\) is 549.3 mGy.cm, but the sum of the series is 649.3"),
        ("toshiba", "(Head): 842.7", "(Head): -", r"total DLP \(Head\) is missing, but the series add up to 842.7"),
        ("toshiba", "549.3(Body)", "5493(Body)", "a line of the dose screen's table"),
        ("toshiba", "549.3(Body)", "S49.3(Body)", "a line of"), ("toshiba", "12.3(Body)", "12.3O(Body)", "a line of"),
        ("toshiba", "549.3(Body)", "549.34(Body)", "different numbers of decimals: 549.34 and "
"842.7"),
        ("toshiba", "(Body): 549.3", "(Body): 5l9.3", "a line of"),
        ("ge", "842.70", "842.10", "total DLP is 1392.00 mGy.cm, but the sum of the series is "
"1391.40 mGy.cm"),
        ("ge", "12.30", "72.30", "series 2 is 549.30 mGy.cm, but CTDIvol 72.30 mGy times the "
"length 422.500 mm is 3054.6"),
        ("ge", "12.30 ", "12.3O ", "a line of"), ("ge", "1392.00", "139Z.00", "a line of"),
        ("siemens", "Total DLP 1392.0", "Total DLP 1892.0", "total DLP is 1892.0 mGy.cm, but the "
"sum of the series is 1392.0"),
        ("siemens", "12.30L", "1Z.30L", "a line of"), ("siemens", "549.3", "549.38", "decimals: "
"549.38 and 842.7"),
        ("siemens", "12.30L", "0.23L", "imply an impossibly long scan"),
    ],
)  # fmt: skip
def test_what_does_not_agree_fails_with_both_values(
    maker: str, before: str, after: str, said: str
) -> None:
    assert re.search(said, reason(maker, changed(LINES[maker](), before, after)))


@pytest.mark.parametrize("maker", MAKERS)
def test_a_series_that_is_not_read_at_all_fails(maker: str) -> None:
    lines = [line for line in LINES[maker]() if "48.6" not in line or "(Body)" in line]
    assert "1392" in (said := reason(maker, lines)) or "842.7" in said or "a line" in said


def test_two_readings_that_disagree_in_dose_fail_and_in_other_things_leave_them_out() -> None:
    lines = ge_lines()
    said = reason("ge", lines, changed(lines, "12.30", "12.80"))
    assert (
        said == "two readings of the dose screen disagree in CTDIvol of series 2: 12.30 and 12.80"
    )
    assert "the total DLP: 1392.00 and 1392.08" in reason(
        "ge", lines, changed(lines, "1392.00", "1392.08")
    )
    assert "number of series: 3 and 2" in reason(
        "ge", lines, [line for line in lines if "Scout" not in line]
    )
    lines = siemens_lines()
    row = read("siemens", lines, changed(lines, "Head ", "Hcad ")).events[2]
    assert "acquisition_protocol" not in row and row["dlp"] == 842.7
    assert {"field": "acquisition_protocol", "mark": "ocr_disagrees", "raw": "Head | Hcad"} in row[
        "marks"
    ]


def test_a_range_that_can_mean_two_things_is_decided_by_dlp_or_left_out() -> None:
    lines = changed(ge_lines(), "I412.500", "I1412.500")
    row = read("ge", lines).events[1]
    assert row["scanning_length"] == 422.5, (
        "of 1422.5 and 422.5 mm only the second agrees with CTDIvol and DLP"
    )
    row = read("ge", ge_lines(), changed(ge_lines(), "I412.500", "I417.500")).events[1]
    assert "scanning_length" not in row and marked(row, "scanning_length") == ["ocr_disagrees"]
    assert "ocr_unchecked" in marked(row, "mean_ctdivol")


def test_pages_are_checked_together() -> None:
    first, second = (
        kept_of("toshiba", toshiba_lines(details=False)),
        kept_of("toshiba", toshiba_lines(total={})),
    )
    alone = screen.extract(first)
    assert not alone.events and marked(alone.accumulated[0], "dlp_total") == [
        "ocr",
        "ocr_unchecked",
    ]
    assert "ocr_unchecked" in marked(screen.extract(second).events[1], "dlp")
    both = screen.extract_pages([first, second])
    assert len(both.events) == 3 and marked(both.accumulated[0], "dlp_total") == ["ocr"]
    wrong = kept_of("toshiba", changed(toshiba_lines(total={}), "549.3(Body)", "543.3(Body)"))
    with pytest.raises(
        Unreadable, match=r"\(Body\) is 549.3 mGy.cm, but the sum of the series is 543.3"
    ):
        screen.extract_pages([first, wrong])
    last = changed(ge_lines([LOCALIZER, screens.SERIES[1]], total=1392.0), "1/1", "2/2")
    assert "ocr_unchecked" in marked(read("ge", last).accumulated[0], "dlp_total"), (
        "the first page has the rest"
    )


@pytest.mark.parametrize("maker", MAKERS)
def test_only_the_dose_is_kept_of_the_text(maker: str) -> None:
    lines = LINES[maker]()
    kept = screen.dose_lines(["SECRET^NAME 4711", *lines, "Dr. Secret 19700101"], MAKERS[maker])
    text = "\n".join(kept)
    for word in ("Sample", "SAMPLE", "000001", "19700101", "4711", "SECRET", "Secret", "Operator"):
        assert word not in text
    assert screen.dose_lines(kept, MAKERS[maker]) == kept
    assert (
        screen_text.read(kept, MAKERS[maker]).series
        == screen_text.read(lines, MAKERS[maker]).series
    )
    packed, _ = kept_of(maker, lines).pack()
    again = extract.unpack(packed)
    assert again.screen == kept_of(maker, lines).screen
    assert doses(screen.extract(again)) == [(12.3, 549.3), (48.6, 842.7)]


def test_the_name_of_a_protocol_is_kept_without_the_patients_name() -> None:
    lines = changed(toshiba_lines(), "2. Chest/Abdomen", "2. Chest Anna SAMPLF")
    kept = screen.dose_lines(lines, "Toshiba", known=["Sample^Anna", "SAMPLE-000001"])
    assert "2. Chest (removed) (removed)" in kept and "Anna" not in "\n".join(kept)


def test_a_line_that_cannot_be_read_leaves_its_trace_and_not_its_text() -> None:
    lines = changed(ge_lines(), "12.30 ", "Anna   ")
    kept = screen.dose_lines(lines, "GE")
    assert "(unclear)" in kept and "Anna" not in "\n".join(kept)


def test_what_a_dose_screen_is_and_who_may_take_this_road() -> None:
    for maker, name in MAKERS.items():
        dataset = part10.read(as_bytes(dose_screen(maker, picture=bytes(512 * 512)))).dataset
        assert screen.is_dose_screen(dataset) == name
        assert screen.is_dose_screen({**dataset, "0008,0008": "ORIGINAL\\PRIMARY\\AXIAL"}) is None
        assert screen.is_dose_screen({**dataset, "0008,0070": "Other"}) is None
        assert screen.is_dose_screen({**dataset, "0008,0060": "MR"}) is None
    other = {**dataset, "0020,0011": "4"}
    assert screen.is_dose_screen(other) is None
    toshiba = part10.read(as_bytes(dose_screen("toshiba", picture=bytes(512 * 512)))).dataset
    assert screen.is_dose_screen({**toshiba, "0020,0011": "7", "0008,103e": ""}) == "Toshiba", (
        "by its window alone"
    )
    assert (
        screen.is_dose_screen({**toshiba, "0020,0011": "7", "0008,103e": "", "0028,1051": "400"})
        is None
    )
    assert screen.is_dose_screen({**toshiba, "0008,0070": "Canon Medical Systems"}) == "Toshiba"
    assert screen.allowed(toshiba, ["GE*/*", "toshiba*/Aquilion*"]) and screen.allowed(
        toshiba, ["TOSHIBA"]
    )
    assert not screen.allowed(toshiba, ["TOSHIBA*/Asteion*"]) and not screen.allowed(toshiba, [])


def test_objects_without_dose_in_their_text() -> None:
    assert (
        reason("toshiba", ["<< Contrast >>", "hello"])
        == "no dose was found in the text of the dose screen"
    )
    kept = kept_of("ge", ge_lines())
    kept.screen = None
    with pytest.raises(Ignored) as caught:
        screen.extract(kept)
    assert caught.value.rule == "screen_not_read"
    assert "no series with dose could be read" in reason(
        "ge", ["CTDIvol DLP", "Total Exam DLP: 12.00"]
    )

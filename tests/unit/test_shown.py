"""How values are shown in reports: as the pages do, with the same expectations as
webui/src/shared/format.test.ts.
"""

from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest

from orthanc_dose.export.glyphs import MISSING, printable, runs
from orthanc_dose.export.shown import NOTHING, Shown, decimals_for, minutes
from orthanc_dose.export.words import LANGUAGES, Words, date_format
from orthanc_dose.manage.region import zone_of
from orthanc_dose.records import MODALITIES, Field
from orthanc_dose.records import Shown as Unit

ENGLISH, GERMAN = (Shown(Words(language), "dd/mm/yyyy", UTC) for language in ("en", "de"))
NUMBER = Field("x", "number", "X", unit="1")
DAP = Field("dap", "number", "DAP", unit="Gy.m2", shown=Unit("cGy·cm²", 1e6))


def test_units_and_what_is_not_there() -> None:
    assert ENGLISH.with_unit(0.0001234, DAP) == "123.4 cGy·cm²"
    assert GERMAN.with_unit(0.0001234, DAP) == "123,4 cGy·cm²"
    assert (ENGLISH.value(0.0, NUMBER), ENGLISH.value(None, NUMBER)) == ("0", NOTHING)
    assert ENGLISH.with_unit(None, DAP) == ENGLISH.value([], NUMBER) == NOTHING
    assert (
        ENGLISH.with_unit(12.5, Field("a", "number", "A", unit="deg", shown=Unit("°"))) == "12.5°"
    )


@pytest.mark.parametrize(("value", "decimals", "text"), [
    (0.0042, 1, "0.0042"), (-0.0042, 0, "-0.0042"), (1.5e-12, 2, "1.50e-12"), (0.1, 0, "0.1"), (523.44, 1, "523.4"),
    (0.125, 2, "0.13"), (1.9785, 3, "1.979"), (-1.9785, 3, "-1.979"), (1.005, 2, "1.01"),
    (2.5, 0, "3"), (1e20, 0, "100,000,000,000,000,000,000"),
])  # fmt: skip
def test_numbers(value: float, decimals: int, text: str) -> None:
    assert ENGLISH.number(value, decimals) == text


@pytest.mark.parametrize(("years", "text"), [
    (54, "54 y"), (54.99, "54 y"), (2, "2 y"), (103.5, "103 y"), (1, "1 y"), (1.99, "23 mo"), (7 / 12, "7 mo"), (0.25, "3 mo"),
    (12 / 365.25, "12 d"), (0, "0 d"),
])  # fmt: skip
def test_ages_are_said_in_whole_years_of_small_children_in_months_and_days(
    years: float, text: str
) -> None:
    age = Field("x", "number", "X", unit="a", shown=Unit("years"))
    assert ENGLISH.value(years, age) == ENGLISH.with_unit(years, age) == text


def test_a_column_has_the_same_decimals_as_few_as_do() -> None:
    for values, decimals in (
        ([120, 80], 0),
        ([12.5, 8], 1),
        ([523.44, 8.123], 1),
        ([15234.7], 0),
        ([], 0),
        ([float("inf"), 1.5], 1),
        ([1.0695], 2),
    ):
        assert decimals_for(values) == decimals, values
    assert ENGLISH.value([70, 70.5], Field("x", "numbers", "X", unit="kV")) == "70.0, 70.5"


def test_whole_numbers_dates_and_codes() -> None:
    whole = Field("n", "integer", "N")
    assert [ENGLISH.value(n, whole) for n in (1234567, 1234, -12345)] == [
        "1,234,567",
        "1234",
        "-12,345",
    ]
    assert GERMAN.value(1234567, whole) == "1.234.567"
    assert GERMAN.number(1.5e-12, 2) == "1,50e-12"
    assert ENGLISH.value(date(2026, 1, 31), NUMBER) == "31/01/2026"
    assert ENGLISH.value(time(13, 5, 12, 500), NUMBER) == "13:05:12"
    assert (
        ENGLISH.value({"value": "C", "scheme": "S", "meaning": "^99m^Technetium"}, NUMBER)
        == "⁹⁹ᵐTechnetium"
    )
    assert ENGLISH.value({"value": "113830", "scheme": "DCM", "meaning": None}, NUMBER) == "113830"
    assert [GERMAN.value(flag, NUMBER) for flag in (True, False)] == ["Ja", "Nein"]


def test_common_coded_concepts_are_in_the_language() -> None:
    spiral = {"value": "116152004", "scheme": "SCT", "meaning": "Spiral Acquisition"}
    own = {"value": "116152004", "scheme": "99ACME", "meaning": "Own"}
    assert [ENGLISH.value(spiral, NUMBER), GERMAN.value(spiral, NUMBER)] == [
        "Spiral Acquisition",
        "Spiralaufnahme",
    ]
    assert GERMAN.value(own, NUMBER) == "Own"
    # The raised mass number of a nuclide is kept.
    technetium = {"value": "72454006", "scheme": "SCT", "meaning": "^99m^Technetium"}
    assert GERMAN.value(technetium, NUMBER) == "⁹⁹ᵐTechnetium"


def test_each_language_has_its_own_dates() -> None:
    assert [date_format("language", language) for language in ("en", "de")] == [
        "dd/mm/yyyy",
        "dd.mm.yyyy",
    ]
    assert date_format("yyyy-mm-dd", "de") == "yyyy-mm-dd"


def test_moments_of_the_server_stand_in_the_time_zone_and_those_of_studies_as_written() -> None:
    shown = Shown(Words("en"), "yyyy-mm-dd", zone_of("Asia/Kolkata"))
    assert shown.moment(datetime(2026, 1, 31, 20, 5, 12, tzinfo=UTC)) == "2026-02-01 01:35:12"
    assert shown.moment(datetime(2026, 1, 31, 13, 5, 12)) == "2026-01-31 13:05:12"
    assert zone_of("-03:30") == timezone(-timedelta(hours=3, minutes=30))


def test_minutes() -> None:
    assert [minutes(seconds) for seconds in (59, 754, 7384)] == ["", "12 min 34 s", "2 h 3 min"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_words_for_events(language: str) -> None:
    for code in MODALITIES:
        one, many = (Words(language).events(code, count) for count in (1, 2))
        assert one and many and one != many and "|" not in one + many


def test_the_leading_columns_are_fields_of_the_events() -> None:
    for modality in MODALITIES.values():
        for key in modality.leading:
            outer, _, inner = key.partition(".")
            field = modality.events.field(outer)
            assert not inner or inner in [part.name for part in field.fields], key


def test_characters_that_no_font_has_are_replaced_by_a_box() -> None:
    for text in (
        "Größe 12,3 µGy·m² – ≥",
        "Ωμέγα",
        "Живаго",
        "山田太郎 やまだ ヤマダ",
        "王小東",
        "김희중",
    ):
        assert printable(text) == text
    assert printable("e\u0301\u200b\u202e\x00x\ny") == "é x y"
    assert (
        printable("\u05d0\u05d1")
        == printable("\u0645\u062d")
        == printable("\u0e01\u0e02")
        == MISSING * 2
    )
    assert printable("\U0001f9ff \ud800") == f"{MISSING} {MISSING}"
    fonts = [font for font, _ in runs("Yamada 山田", "DejaVuSansCondensed")]
    assert fonts == ["DejaVuSansCondensed", "DroidSansFallback"]

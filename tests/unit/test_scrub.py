"""Names and IDs are found in whatever form they stand in a text, and nothing else is taken out."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from orthanc_dose.dicom.dataset import BINARY_URI, binary
from orthanc_dose.dicom.identity import identifiers, remove_identity
from orthanc_dose.dicom.scrub import REMOVED, Words

NAME = "Qvørtrüpsen-Höß^Zebulonia Anne^Cäcilie^Dr^Jr"
TWO_PARTS = [
    "Qvørtrüpsen-Höß^Zebulonia",
    "Zebulonia Qvørtrüpsen-Höß",
    "Qvørtrüpsen-Höß, Zebulonia Anne",
    "QVØRTRÜPSEN-HÖß ZEBULONIA",
    "Dr Zebulonia Anne Cäcilie Qvørtrüpsen-Höß Jr",
    "zebulonia_c_qvortrupsen_hoss",
    "scan_Qvoertruepsen_Zebulonia_2",
    "QVORTRUPSEN.ZEBULONIA",
    "Qvortrupsen-Zebulonia",
    "Qvortruepsen Hoess\nZebulonia",
    "Zebulonia%20Qv%C3%B8rtr%C3%BCpsen",
    "Cäcilie Qvortrupsen",
    "Zebulonia Qvo\u0308rtru\u0308psen",
    "<Name><Family>Qvørtrüpsen-Höß</Family>\n  <Given>Zebulonia</Given></Name>",
    "<p given='Zebulonia' family='Qvortrupsen'/>",
    "<n><![CDATA[Qvortrupsen]]></n><n><![CDATA[Zebulonia]]></n>",
    "Qv&#248;rtr&#xFC;psen-H&ouml;&szlig;^Zebulonia",
    '{"family": "Qvortrupsen", "given": "Zebulonia"}',
    '{"name": {"family": "Qv\\u00f8rtr\\u00fcpsen", "given": ["Zebulonia"]}}',
]
SAID = [
    "<LastName>Qvørtrüpsen-Höß</LastName><Age>7</Age><Protocol>Head</Protocol>",
    "<PatientName>Qv&#248;rtr&#252;psen-H&#246;&#223;</PatientName>",
    "<firstName><![CDATA[ Zebulonia ]]></firstName>",
    '{"patient_first_name": "Zebulonia", "age": 7}',
    "Vorname: Zebulonia; kV: 120",
]


def found_in(text: str) -> list[str]:
    known = (
        "qvørt",
        "qvort",
        "qvoert",
        "zebul",
        "höß",
        "qv&#",
        "&#252;",
        "cäcilie",
        "\\u00f8",
        "%c3",
    )
    return [one for one in known if one in text.lower()]


@pytest.mark.parametrize("written", TWO_PARTS)
def test_a_name_of_two_parts_goes_in_every_form(written: str) -> None:
    for text in (written, f"Abdomen {written} 3 mm"):
        assert not found_in(Words([NAME], ()).out_of_text(text)), text
    whole = Words([NAME], ()).out_of_text(f"Abdomen {written} 3 mm")
    assert whole.startswith("Abdomen ") and whole.endswith(" 3 mm")


@pytest.mark.parametrize("written", SAID)
def test_one_part_goes_where_it_is_said_to_be_a_name(written: str) -> None:
    found = Words([NAME], ()).out_of_text(written, private=True)
    assert not found_in(found) and REMOVED in found
    assert ("7" in found) == ("7" in written.replace("&#", "")) or "&#" in written


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "ヤマダ タロウ"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "ﾔﾏﾀﾞ^ﾀﾛｳ"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "太郎・山田"),
        ("Hong^Gildong=洪^吉洞=홍^길동", "홍길동"),
        ("Люкceмбypг^Роза", "РОЗА ЛЮКCEМБYPГ"),
        ("Παπαδόπουλος^Νίκος", "ΝΙΚΟΣ ΠΑΠΑΔΟΠΟΥΛΟΣ"),
        ("O'Brien^Pat", "PAT O’BRIEN"),
        ("van der Berg^Anna", "Anna Berg"),
        ("Anna Maria Zzyzx", "Zzyzx, Maria"),
    ],
)
def test_names_of_other_scripts_and_shapes(name: str, written: str) -> None:
    assert Words([name], ()).out_of_text(f"1 {written} 2") == f"1 {REMOVED} 2"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<姓>山田</姓><名>太郎</名>", "<姓>(removed)</姓><名>(removed)</名>"),
        (
            "<F>Yamada</F><G>Tarou</G><DLP>7.5</DLP>",
            "<F>(removed)</F><G>(removed)</G><DLP>7.5</DLP>",
        ),
        ('{"f": "Yamada", "g": "Tarou"}', '{"f": "(removed)", "g": "(removed)"}'),
    ],
)
def test_what_is_marked_up_can_still_be_read(text: str, expected: str) -> None:
    assert Words(["Yamada^Tarou=山田^太郎"], ()).out_of_text(text) == expected


KEPT = [
    "Head",
    "HEAD 5mm Young adult",
    "Head CT, young patient protocol",
    "Head with contrast: Young",
    "<Protocol>Head</Protocol><Group>Young</Group>"[:28],
    '{"ProtocolName": "Head", "kV": "120"}',
    "Name: Head",
    "4711 mGy",
    "1.2.840.12345678.3",
    "0.12345678",
    "12345678.5",
    "x12345678912",
    "R&D 100% A\\B &amp; C",
]


@pytest.mark.parametrize("text", KEPT)
def test_what_may_stand_there_by_chance_stays(text: str) -> None:
    words = Words(["Head^Young^A^Dr"], ["12345678", "4711", "17"], date(1933, 11, 27))
    assert words.out_of_text(text) == text
    assert words.out_of_code(text) == words.out_of_other(text) == text


def test_a_word_of_one_part_goes_as_it_is_written_only() -> None:
    words = Words(["PHANTOM"], ["BRAIN"])
    assert words.out_of_text("the PHANTOM of BRAIN") == f"the {REMOVED} of {REMOVED}"
    assert words.out_of_text("the Phantom of Brain") == "the Phantom of Brain"


@pytest.mark.parametrize(
    ("number", "text", "expected"),
    [
        ("0001234567", "ID 1234567.", f"ID {REMOVED}."),
        ("1234567", "ID 0001234567", f"ID {REMOVED}"),
        ("000123", "number 123 of 000123", f"number 123 of {REMOVED}"),
        ("pxz-90210-K", "PXZ-90210-k!", f"{REMOVED}!"),
        (
            "17",
            "<PatientID>17</PatientID><kV>17</kV>",
            f"<PatientID>{REMOVED}</PatientID><kV>17</kV>",
        ),
        ("17", '{"patient_id": 17, "series": 17}', '{"patient_id": (removed), "series": 17}'),
        ("17", "17", "17"),
    ],
)
def test_ids(number: str, text: str, expected: str) -> None:
    assert Words((), [number]).out_of_text(text) == expected


def test_a_comment_loses_the_parts_of_a_name_without_accents_too() -> None:
    found = Words([NAME], ()).out_of_comment("Mrs Qvortrupsen-Hoess, called ZEBULONIA, came")
    assert not found_in(found) and found.startswith("Mrs ") and found.endswith(" came")


ENCODED = [
    ("Qvørtrüpsen Zebulonia", "latin-1"),
    ("Qvørtrüpsen Zebulonia", "utf-8"),
    ("Zebulonia Qvortrupsen", "utf-16-le"),
    ("Zebulonia Qvørtrüpsen", "utf-16-be"),
    ("Zebulonia Qvørtrüpsen", "iso8859_4"),
    ("山田太郎", "iso2022_jp"),
    ("山田 太郎", "shift_jis"),
    ("山田 太郎", "euc_jp"),
    ("山田 太郎", "gb18030"),
    ("山田 太郎", "utf-16-le"),
    ("홍길동", "iso2022_kr"),
    ("홍길동", "euc_kr"),
]


@pytest.mark.parametrize(("text", "encoding"), ENCODED)
@pytest.mark.parametrize("before", [b"", b"\x01", b"\0\0"])
def test_bytes_of_a_private_element_in_every_encoding(
    text: str, encoding: str, before: bytes
) -> None:
    words = Words(["Qvørtrüpsen^Zebulonia", "Yamada^Tarou=山田^太郎", "Hong^Gildong==홍^길동"], ())
    raw = before + text.encode(encoding, "replace") + b"\0"
    if encoding == "iso8859_4":
        raw = raw.replace(b"?", b"")  # it has no such letter
        text = ""
    if text:
        assert words.out_of_text(binary(raw), private=True) == REMOVED
    assert words.out_of_text(binary(b"CT \x1b$B \xfe\0Abdomen"), True).startswith(BINARY_URI)


def test_bytes_with_the_standards_code_extensions() -> None:
    # PS3.5 H.3.2, example 2: Yamada^Tarou, with half-width katakana and kanji by escape sequences.
    kanji = b"\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J"
    words = Words(["ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"], ())
    assert words.out_of_text(binary(b"xx" + kanji), True) == REMOVED
    # PS3.5 I.2: Hong^Gildong by ISO 2022 IR 149.
    hangul = b"\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf"
    assert Words(["Hong^Gildong=洪^吉洞=홍^길동"], ()).out_of_text(binary(hangul), True) == REMOVED


def everywhere(text: str) -> dict[str, Any]:
    return dict.fromkeys(("0008,1030", "0018,1030", "0029,1010", "0008,103e"), text)


@pytest.mark.parametrize(
    ("patient", "texts"),
    [
        (
            {"0010,1001": "Fjordhaven^Wilma\\Birkelund^Ottilie"},
            ["WILMA FJORDHAVEN", "Birkelund, Ottilie"],
        ),
        ({"0010,1005": "Fjordhaven^Wilma"}, ["Wilma Fjordhaven"]),
        ({"0010,1060": "Fjordhaven^Wilma"}, ["Wilma Fjordhaven"]),
        ({"0010,1000": "ALT-9917\\00887766"}, ["see alt-9917", "no 887766", "no 00887766"]),
        (
            {"0010,1002": [{"0010,0020": "00887766"}, {"0010,0020": "HX-9917"}]},
            ["no 887766", "HX-9917"],
        ),
        ({"0010,1090": "HX-9917"}, ["HX-9917"]),
        ({"0012,0040": "HX-9917"}, ["HX-9917"]),
        (
            {
                "0040,a730": [
                    {"0040,a043": [{"0008,0100": "121029"}], "0040,a123": "Fjordhaven^Wilma"},
                    {"0040,a043": [{"0008,0100": "121030"}], "0040,a160": "HX-9917"},
                ]
            },
            ["Wilma Fjordhaven", "HX-9917"],
        ),
    ],
)
def test_all_names_and_ids_that_an_object_tells_are_looked_for(
    patient: dict[str, Any], texts: list[str]
) -> None:
    for text in texts:
        dataset = {
            "0010,0010": "Zzyzx^Quillon",
            **json.loads(json.dumps(patient)),
            **everywhere(text),
        }
        found = json.dumps(remove_identity(dataset)).lower()
        words = ("fjordhaven", "wilma", "birkelund", "ottilie", "9917", "887766")
        assert not [one for one in words if one in found], found
    assert identifiers(patient), "they are looked for in dose screens, too"

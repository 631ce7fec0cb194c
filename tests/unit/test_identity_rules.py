"""The rules of patient identity on one object: names, IDs, birth dates and accession numbers
wherever they may stand.
"""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orthanc_dose.dicom.dataset import binary
from orthanc_dose.dicom.identity import IdentityRules, is_hash, remove_identity
from orthanc_dose.dicom.not_patient import NotPatient, indicator
from orthanc_dose.dicom.part10 import Part10
from orthanc_dose.extract import Kept, apply_again, keep
from tests.support.effort import examples

SECRET = b"s" * 32
NAME, ID, ACCESSION = "Zzyzx^Quillon^Marie", "PID-7734-Q", "ACC-559-12"
NUMBER = "31415926"  # an ID that is a number
JAPANESE = "Yamada^Tarou=山田^太郎=やまだ^たろう"


def keyed(text: str) -> str:
    return "hmac-sha256:" + hmac.new(SECRET, text.encode(), hashlib.sha256).hexdigest()


def plain(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def item(code: str, value: str, tag: str = "0040,a160") -> dict[str, Any]:
    return {
        "0040,a040": "TEXT",
        "0040,a043": [{"0008,0100": code, "0008,0102": "DCM", "0008,0104": "x"}],
        tag: value,
    }


def report(
    name: str = NAME, patient_id: str = ID, birth_date: str = "19331127", **more: Any
) -> dict[str, Any]:
    """A data set as it comes: the patient where it belongs."""
    return {
        "0008,0020": "20260102",
        "0008,0050": ACCESSION,
        "0010,0010": name,
        "0010,0020": patient_id,
        "0010,0030": birth_date,
        "0010,0040": "F",
        "0020,000d": "1.2.3",
        "0020,0010": "S1",
        **more,
    }


def kept(dataset: dict[str, Any], **rules: str) -> Kept:
    return keep(
        Part10(copy.deepcopy(dataset), "1.2.840.10008.1.2.1"), IdentityRules(**rules, secret=SECRET)
    )


def text_of(found: Kept) -> str:
    return json.dumps(
        [found.dataset, found.patient, found.notes, found.not_patient], ensure_ascii=False
    )


@pytest.mark.parametrize(
    "place",
    ["0008,1030", "0018,1030", "0040,a160", "0009,1010", "0008,0060", "0018,0060", "0008,0090"],
)
@pytest.mark.parametrize(
    "written",
    [
        NAME,
        "Zzyzx^Quillon",
        "Quillon Zzyzx",
        "ZZYZX, QUILLON",
        "zzyzx_quillon",
        "Quillon Marie Zzyzx",
        "for Zzyzx Quillon",
    ],
)
def test_a_name_is_taken_out_of_wherever_somebody_wrote_it(place: str, written: str) -> None:
    found = text_of(kept(report(**{place: written}))).lower()
    assert "zzyzx" not in found and "quillon" not in found


@pytest.mark.parametrize(
    "written",
    [JAPANESE, "山田 太郎", "山田太郎様の検査", "やまだ^たろう", "太郎　山田", "YAMADA TAROU"],
)
def test_so_is_one_of_several_groups(written: str) -> None:
    found = text_of(kept(report(JAPANESE, **{"0008,1030": written}))).lower()
    assert not any(
        word in found for word in ("yamada", "tarou", "山田", "太郎", "やまだ", "たろう")
    )


def test_the_content_tree_is_cleaned_of_its_subject_and_of_texts() -> None:
    tree = [
        item("121029", NAME, "0040,a123"),
        item("121030", ID),
        item("121031", "19331127", "0040,a121"),
        item("121106", "Mrs Zzyzx moved, born 27/11/1933"),
        item("113999", f"see {ID}."),
        item("113998", "19331127", "0040,a121"),
        {
            "0040,a043": [{"0008,0100": "1", "0008,0104": "Zzyzx Quillon"}],
            "0040,a730": [item("2", "Zzyzx^Quillon")],
        },
    ]
    found = text_of(kept(report(**{"0040,a730": tree}))).lower()
    assert not any(
        word in found for word in ("zzyzx", "quillon", ID.lower(), "19331127", "27/11/1933")
    )
    assert "moved" in found


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "utf-16-le", "utf-16-be"])
def test_bytes_of_unknown_kind_that_hold_it_go_as_a_whole(encoding: str) -> None:
    raw = binary(b"\x00\x01\x02\x03" + f"Quillon Zzyzx {ID}".encode(encoding) + b"\x00\x00")
    if encoding == "utf-16-be":  # big-endian text does not come in little-endian objects
        raw = binary(ID.encode("latin-1"))
    assert kept(report(**{"0009,1010": raw})).dataset["0009,1010"] == "(removed)"
    harmless = binary(b"CT 4711 Abdomen")
    assert kept(report(**{"0009,1010": harmless})).dataset["0009,1010"] == harmless


@pytest.mark.parametrize("number", ["120", "4711", NUMBER])
def test_a_number_that_is_an_id_takes_no_values_with_it(number: str) -> None:
    values = {
        "0018,0060": number,
        "0018,1151": number,
        "0020,000d": f"1.2.{number}",
        "0018,1020": number,
        "0008,1010": number,
        "0008,0030": number.ljust(6, "0"),
        "0040,a30a": number,
        "0018,115e": f"{number}.5",
        "0018,1030": f"1{number}9 mm",
    }
    found = kept(report(patient_id=number, **values)).dataset
    assert {tag: found[tag] for tag in values} == values
    # Where it is the whole of a text it is the ID.
    assert (
        kept(report(patient_id=number, **{"0008,1030": number})).dataset["0008,1030"] == "(removed)"
    )


def test_a_long_number_is_taken_out_of_a_sentence() -> None:
    found = kept(report(patient_id=NUMBER, **{"0008,1030": f"Patient {NUMBER}, abdomen"})).dataset[
        "0008,1030"
    ]
    assert found == "Patient (removed), abdomen"


def test_identifiers_of_the_study_may_not_be_the_patients_id() -> None:
    places = {
        "0008,0050": ID,
        "0020,0010": ID,
        "0040,0275": [{"0040,1001": ID, "0008,0050": ID}],
        "0040,2017": f"{ID}^RIS",
    }
    assert ID not in text_of(kept(report(**places)))
    assert kept(report(**places), patient_id="stored").dataset["0008,0050"] == ID
    later = kept(report(**places), patient_id="stored")
    apply_again(later, IdentityRules(patient_id="hashed", secret=SECRET))
    assert ID not in text_of(later)
    # A short one is the same by chance.
    short = kept(report(patient_id="17", **{"0020,0010": "17", "0008,0050": "17"})).dataset
    assert (short["0020,0010"], short["0008,0050"]) == ("17", "17")


ACCESSIONS = {
    "0008,0051": [{"0040,0031": "RIS"}],
    "0040,0275": [
        {"0008,0050": ACCESSION, "0040,1001": ACCESSION, "0040,0007": f"chest {ACCESSION}"}
    ],
    "0040,a370": [
        {
            "0008,0050": ACCESSION,
            "0040,2016": ACCESSION,
            "0040,2017": f"{ACCESSION}^RIS",
            "0008,1110": [],
        }
    ],
    "0040,a730": [
        item("121022", ACCESSION),
        {"0040,a730": [item("121022", "ACC-560-13"), item("121106", "also ACC-560-13")]},
    ],
    "0008,1030": f"Abdomen {ACCESSION}",
    "0009,1010": binary(f"nr {ACCESSION}".encode()),
    "0020,0010": ACCESSION,
}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("stored", ACCESSION),
        ("none", None),
        ("hashed", keyed(ACCESSION)),
        ("sha256", plain(ACCESSION)),
    ],
)
def test_the_accession_number_is_kept_as_its_rule_says_in_all_places(
    rule: str, expected: str | None
) -> None:
    found = kept(report(**ACCESSIONS), accession_number=rule)
    dataset = found.dataset
    assert dataset.get("0008,0050") == expected
    assert (
        dataset["0040,0275"][0].get("0008,0050")
        == dataset["0040,a370"][0].get("0008,0050")
        == expected
    )
    items = [one for one in dataset["0040,a730"] if "0040,a043" in one]
    assert [one["0040,a160"] for one in items] == ([expected] if expected else [])
    if rule == "stored":
        untouched = remove_identity(copy.deepcopy(report(**ACCESSIONS)))
        assert all(untouched[tag] == value for tag, value in ACCESSIONS.items())
    else:
        assert "559" not in text_of(found) and "560-13" not in text_of(found)
        assert (rule == "none") == ("0008,0051" not in dataset)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("none", {}),
        ("stored", {"name": NAME, "id": ID, "birth_date": "1933-11-27"}),
        ("hashed", {"name": keyed(NAME), "id": keyed(ID), "birth_date": keyed("1933-11-27")}),
        ("sha256", {"name": plain(NAME), "id": plain(ID), "birth_date": plain("1933-11-27")}),
    ],
)
def test_name_id_and_birth_date_are_kept_beside_the_content(
    rule: str, expected: dict[str, str]
) -> None:
    found = kept(report(), patient_name=rule, patient_id=rule, patient_birth_date=rule)
    assert found.patient == expected
    assert found.patient_age == 92.0  # 92 years and 36 days, though the birth date is gone
    assert not {tag for tag in found.dataset if tag.startswith("0010")} - {"0010,0040"}


def test_an_infants_days_are_the_studys() -> None:
    found = kept(
        report(
            birth_date="20260101",
            **{"0008,0020": "20260102", "0018,1030": "20260101", "0040,a121": "20260101"},
        )
    )
    assert (found.dataset["0018,1030"], found.dataset["0040,a121"]) == ("20260101", "20260101")
    assert found.patient_age == 0.0


@pytest.mark.parametrize("birth_date", ["", "1933", "00000000", "19331340", "27.11.1933"])
def test_a_birth_date_that_is_none_is_not_kept(birth_date: str) -> None:
    assert (
        "birth_date" not in kept(report(birth_date=birth_date), patient_birth_date="stored").patient
    )


RULES = st.sampled_from(["none", "stored", "hashed", "sha256"])
TEXTS = (
    st.text(st.characters(codec="utf-8", exclude_characters="\0\\"), min_size=1, max_size=20)
    .map(str.strip)
    .filter(bool)
)


@given(
    name=TEXTS,
    patient_id=TEXTS,
    number=TEXTS,
    before=st.tuples(RULES, RULES),
    after=st.tuples(RULES, RULES),
)
@examples(25)
def test_other_rules_make_of_what_was_stored_what_they_make_of_what_comes(
    name: str, patient_id: str, number: str, before: tuple[str, str], after: tuple[str, str]
) -> None:
    # A name in an accession number goes, too.
    assume(
        remove_identity(report(name, patient_id="", **{"0008,0050": number})).get("0008,0050")
        == number
    )
    dataset = report(
        name, patient_id, **{"0008,0050": number, "0040,0275": [{"0008,0050": number}]}
    )
    names = ("patient_name", "patient_id", "patient_birth_date")
    first = {**dict.fromkeys(names, before[0]), "accession_number": before[1]}
    second = {**dict.fromkeys(names, after[0]), "accession_number": after[1]}
    found = kept(dataset, **first)
    apply_again(found, IdentityRules(**second, secret=SECRET))
    expected = kept(dataset, **second)
    if after[0] == "none" or before[0] == "stored":
        assert found.patient == expected.patient
    else:
        assert (
            found.patient == kept(dataset, **first).patient
        )  # what is gone does not come back, a hash stays what it is
    if after[1] == "none":
        assert "0008,0050" not in found.dataset and "0008,0050" not in found.dataset["0040,0275"][0]
    elif before[1] == "stored" and "0008,0050" in found.dataset:
        assert found.dataset["0008,0050"] == found.dataset["0040,0275"][0]["0008,0050"]
        assert (
            found.dataset["0008,0050"]
            == {"stored": number, "hashed": keyed(number), "sha256": plain(number)}[after[1]]
        )
    again = copy.deepcopy(found)
    apply_again(again, IdentityRules(**second, secret=SECRET))
    assert again.pack() == found.pack()


def test_what_looks_like_a_hash_is_one_only_in_full() -> None:
    assert is_hash(keyed("x")) and is_hash(plain("x"))
    others = (
        None,
        "",
        "sha256:",
        "sha256:abc",
        f"x{plain('x')}",
        plain("x")[:-1],
        "hmac-sha256:" + "g" * 64,
    )
    assert not any(map(is_hash, others))


@pytest.mark.parametrize(("name", "patient_id", "expected"), [
    ("Physics^RoutIQ", "1", "name: physics*"), ("Testing^Physics", "1", None), ("Somebody^Test", "1", "name: *^test*"),
    ("PHANTOM^Head", "1", "name: phantom head"), ("Smith^Jane", "Phy12345", "ID: phy[0-9]*"), ("Smith^Jane", "Phyliss", None),
    ("Smith^Jane", "QA7", "ID: qa?"), ("Smith^Jane", "QA77", None), ("Smith^Jane", "xa", "ID: [!0-9]a"),
    ("Smith^Jane", "1a", None),
    ("Physics^RoutIQ", "qa1", "name: physics*; ID: qa?"), ("Yamada^T=PHANTOM^Head", "1", "name: phantom head"),
    ("STRASSE^A", "1", "name: straße*"), ("", "", None), (None, None, None),
])  # fmt: skip
def test_patterns_say_what_is_no_patient(
    name: str | None, patient_id: str | None, expected: str | None
) -> None:
    # Examples of docs.openrem.org, "Not-patient indicator settings", among them.
    patterns = NotPatient(
        ("physics*", "*^test*", "phantom head", "straße*"), ("phy[0-9]*", "qa?", "[!0-9]a")
    )
    assert indicator(patterns.matching(name, patient_id)) == expected


def test_the_pattern_is_noted_before_the_name_is_dropped() -> None:
    found = keep(Part10(report("QA^Phantom"), ""), IdentityRules(), NotPatient(("*phantom*",), ()))
    assert found.not_patient == {"name": "*phantom*"} and "QA" not in text_of(found)

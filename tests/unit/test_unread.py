"""Why classes that no extractor reads are ignored: the reason is true of each storage class."""

import re

import pytest
from pydicom.uid import UID_dictionary

from orthanc_dose import extract
from orthanc_dose.ingest import unread
from orthanc_dose.ingest.reading import left_alone
from orthanc_dose.store import ObjectRow

STORAGE = "1.2.840.10008.5.1.4.1.1."
UNREAD = sorted(
    uid
    for uid, (_, kind, *_) in UID_dictionary.items()
    if kind == "SOP Class" and uid.startswith(STORAGE) and uid not in extract.EXTRACTORS
)


def reason(uid: str, reads_ct_images: bool = False) -> str:
    row: ObjectRow = {"sop_class_uid": uid, "series_handle": None, "handle": "1"}
    assert left_alone(row, None, {}, reads_ct_images, False)
    assert row["outcome"] == "ignored"
    return row["reason"] or ""


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("12.1", "may contain dose data"), ("12.1.1", "may contain dose data"), ("12.2", "may contain dose data"),
        ("66", "may contain dose data"), ("66.4", "contain no dose data"),
        ("11.1", "how images are shown"), ("88.65", "not dose reports"), ("88.50", "not dose reports"),
        ("481.2", "radiotherapy"), ("481.1", "radiotherapy"), ("104.1", "Encapsulated"), ("4", "ionizing radiation"),
        ("6.1", "ionizing radiation"), ("77.1.1", "ionizing radiation"), ("9.1.1", "ionizing radiation"),
        ("200.2", "Protocols"),
    ],
)  # fmt: skip
def test_the_reason_says_what_the_class_is(end: str, words: str) -> None:
    assert words in reason(STORAGE + end)


def test_every_reason_is_a_sentence_and_only_classes_without_radiation_are_said_to_have_none() -> (
    None
):
    for uid in UNREAD:
        said, name = reason(uid), UID_dictionary[uid][0]
        assert re.fullmatch(r"[A-Z].*\.", said), name
        if "ionizing" in said:
            assert not re.search(r"X-Ray|CT |Positron|Nuclear|RT |SR ", name), name
        if re.search(r"X-Ray|XRF|Raw Data", name) and "Presentation State" not in name:
            assert "no dose" not in said, name


def test_ct_images_say_where_they_can_be_switched_on_or_that_they_wait() -> None:
    for end in ("2", "2.1", "2.2"):
        assert reason(STORAGE + end) == unread.CT_IMAGES_ARE_OFF
        assert "DoseFromCtImages" in unread.CT_IMAGES_ARE_OFF
        assert "once the study is complete" in reason(STORAGE + end, reads_ct_images=True)


@pytest.mark.parametrize("uid", ["1.2.3.4", "1.3.12.2.1107.5.9.1", "1.2.840.113619.4.30"])
def test_private_classes_are_unknown(uid: str) -> None:
    assert "not one of the standard's" in reason(uid)


def test_no_class_is_no_class() -> None:
    assert "does not state its SOP class" in reason("")

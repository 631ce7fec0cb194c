"""Which objects the rules of deletion may take from Orthanc: what their rows say, and the same in
the store.
"""

from collections import Counter
from itertools import product
from pathlib import Path

import pytest

from orthanc_dose.dicom.sop_classes import CT_IMAGE
from orthanc_dose.store import Batch, Store, Writer, disposal

SR, ENHANCED_SR = "1.2.840.10008.5.1.4.1.1.88.67", "1.2.840.10008.5.1.4.1.1.88.22"
MG, TOMO, DX, CR = (f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("1.2", "13.1.3", "1.1", "1"))
ENHANCED_CT, CBCT = (f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("2.1", "13.1.2"))
SC, PET, NM, PDF = (f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("7", "128", "20", "104.1"))


def row(
    outcome: str,
    sop_class: str,
    rule: str | None = None,
    modality: str | None = None,
    kept: bool = True,
) -> dict:
    return {
        "outcome": outcome,
        "rule": rule,
        "sop_class_uid": sop_class,
        "modality": modality,
        "content_digest": "digest" if kept else None,
    }


DONE_WITH = [
    (row("imported", SR, modality="CT"), "reports"),
    (row("merged", ENHANCED_SR, "cumulative", "CT"), "reports"),
    (row("duplicate", SR, "known_events", "MG"), "reports"),
    (row("merged", "1.2.840.10008.5.1.4.1.1.88.73", "waits_for_report"), "reports"),
    (row("imported", MG, modality="MG"), "mammography"),
    (row("imported", TOMO, modality="MG"), "mammography"),
    (row("imported", DX, modality="DX"), "radiography"),
    (row("merged", CR, "from_image", "DX"), "radiography"),
    (row("imported", SC, modality="CT"), "captures"),
    (row("imported", SC + ".4", modality="MG"), "mammography"),
    (row("imported", PET, modality="NM"), "nuclear"),
    (row("ignored", NM, "same_series", kept=False), "nuclear"),
    (row("imported", CT_IMAGE, modality="CT"), "unmatched"),
    (row("ignored", CT_IMAGE, "sop_class", kept=False), "unmatched"),
    (row("imported", ENHANCED_CT, modality="CT"), "unmatched"),
    (row("imported", CBCT, modality="DX"), "radiography"),
    (row("ignored", PDF, "sop_class", kept=False), "unmatched"),
    (row("ignored", ENHANCED_SR, "not_a_dose_report", kept=False), "unmatched"),
    (row("ignored", SC, "no_dose", kept=False), "unmatched"),
    (row("ignored", SR, "ignored_system", kept=False), "unmatched"),
]
MAY_STILL_BE_READ = [
    row("failed", SR, "unreadable"),
    row("failed", SR, "unreadable", kept=False),
    row("failed", SC, "ocr_missing"),
    row("failed", CT_IMAGE, "gone", kept=False),
    row("ignored", CT_IMAGE, "waits_for_study", kept=False),
    row("ignored", SR, "physics", kept=False),
    row("ignored", SC, "dose_screen", kept=False),
    row("ignored", SR, "taken_out", kept=False),
    row("duplicate", SR, "same_instance", "CT", kept=False),  # its content is not in the store
    row("imported", SR, modality="CT", kept=False),
]


@pytest.mark.parametrize(("of", "kind"), DONE_WITH)
def test_the_kind_of_what_is_done_with(of: dict, kind: str) -> None:
    assert disposal.kind(of) == kind


@pytest.mark.parametrize("of", MAY_STILL_BE_READ)
def test_what_may_still_be_read_is_of_no_kind(of: dict) -> None:
    assert disposal.kind(of) is None


def test_the_store_finds_the_same_objects(tmp_path: Path) -> None:
    every = [one for one, _ in DONE_WITH] + MAY_STILL_BE_READ
    objects = [
        one | {"handle": f"{number:03d}", "in_orthanc": state}
        for number, (one, state) in enumerate(product(every, (None, "to delete", "deleted")))
    ]
    writer = Writer(Store(tmp_path))
    writer.commit(Batch(objects))
    free = [one for one in objects if one["in_orthanc"] is None]
    expected = Counter(kind for one in free if (kind := disposal.kind(one)))
    assert disposal.count_by_kind(writer.connection) == dict.fromkeys(disposal.KINDS, 0) | expected
    for kinds in ({"reports"}, {"nuclear", "unmatched"}, set(disposal.KINDS), set()):
        ids = [one["handle"] for one in free if disposal.kind(one) in kinds]
        assert disposal.of_kinds(writer.connection, kinds) == ids
        assert disposal.of_kinds(writer.connection, kinds, "040") == [
            one for one in ids if one > "040"
        ]
    writer.close()


@pytest.mark.parametrize(
    ("sop_class", "reads_ct", "kind"),
    [(MG, False, "mammography"), (DX, False, "radiography"), (PET, False, "nuclear"), (PDF, False, "unmatched"),
     ("1.2.3.4", False, "unmatched"), (CT_IMAGE, False, "unmatched"), (CT_IMAGE, True, None), (SR, False, None),
     (ENHANCED_CT, False, "unmatched"), (ENHANCED_CT, True, None), (CBCT, False, "radiography"),
     (ENHANCED_SR, False, None), (SC, False, None), (SC + ".2", False, None), ("", False, None),
     # Video Endoscopic Image: its UID begins as that of secondary captures does.
     (SC + "7.1.1.1", False, "unmatched")],
)  # fmt: skip
def test_what_the_class_alone_tells(sop_class: str, reads_ct: bool, kind: str | None) -> None:
    assert disposal.kind_by_class(sop_class, reads_ct) == kind

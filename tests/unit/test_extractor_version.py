"""What is read from kept content changes only together with EXTRACTOR_VERSION: by the version,
installations know which content to read again."""

from __future__ import annotations

from typing import Any

import pytest

from orthanc_dose import extract
from orthanc_dose.dicom import sr
from orthanc_dose.dicom.dataset import first
from orthanc_dose.extract import report
from tests.support import extracted


@pytest.fixture(scope="module")
def now() -> dict[str, str]:
    return extracted.digests()


def test_what_is_read_is_what_the_version_says(now: dict[str, str]) -> None:
    fault = extracted.fault(now)
    assert not fault, fault


def test_all_sources_are_among_the_contents() -> None:
    classes = {first(kept["dataset"], "0008,0016") for kept in extracted.contents().values()}
    watched = {extract.EXTRACTORS[one] for one in classes if one in extract.EXTRACTORS}
    assert watched == set(extract.EXTRACTORS.values()), (
        "no kept content watches one of the extractors"
    )
    reports = (kept["dataset"] for kept in extracted.contents().values())
    roots = {sr.read_tree(one).concept for one in reports if first(one, "0040,a040") == "CONTAINER"}
    assert set(report.READERS) <= roots, "no kept content watches one of the readers of reports"


def test_another_value_is_told_and_so_is_a_version_that_was_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = extracted.recorded()
    then, name = before["digests"], next(iter(before["digests"]))
    monkeypatch.setattr(extract, "EXTRACTOR_VERSION", before["version"])
    assert f"It differs for: {name} (1 in all). " in extracted.fault(then | {name: "other"})
    monkeypatch.setattr(extract, "EXTRACTOR_VERSION", "another")
    assert "run `python -m tests.support.extracted`" in extracted.fault(then | {name: "other"})
    monkeypatch.setattr(extract, "EXTRACTOR_VERSION", before["version"])
    assert "for other contents" in extracted.fault(then | {"new": "content"})


def test_digests_see_each_value_and_not_the_last_bits_of_a_sum() -> None:
    def of(value: Any) -> str:
        return extracted.digest({"dose": [value]})

    assert of(0.1 + 0.2) == of(0.3) and of(0.3) != of(0.30000001)
    assert len({of(value) for value in (None, 0, 0.0, "", False, "0", (), [0])}) == 8

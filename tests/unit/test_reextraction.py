"""Re-extraction over the stores of an earlier version: records by the present rules, and what changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orthanc_dose import samples
from orthanc_dose.extract import EXTRACTOR_VERSION
from orthanc_dose.ingest.reextraction import Reextraction
from orthanc_dose.store import Store, Writer
from tests.unit.test_arrival import arrive
from tests.unit.test_handles import OLD, OLD_WITH_PEOPLE, old_store
from tests.unit.test_sharing import House, objects


def reextract(writer: Writer) -> dict[str, Any]:
    job = Reextraction(
        {"kind": "re-extraction", "done": 0, "total": None, "parameters": {}, "progress": {}, "result": {}}
    )  # fmt: skip
    while (batch := job.do_step(writer)) is not None:
        writer.commit(batch)
    return job.result


@pytest.mark.parametrize("name", [OLD, OLD_WITH_PEOPLE])
def test_records_of_an_old_store_are_by_the_present_rules(tmp_path: Path, name: str) -> None:
    """Its reports name body regions by SNOMED-RT; earlier versions knew T-D3000 and others not."""
    old_store(tmp_path, name)
    store = Store(tmp_path)
    writer = Writer(store)
    tables = ("ct_event", "projection_event")
    regions = " UNION ALL ".join(f"SELECT target_region r FROM {one}" for one in tables)
    by_scheme = f"SELECT count(*) FROM ({regions}) WHERE r.scheme = 'SRT'"
    earlier = writer.connection.execute(by_scheme).fetchone()
    found = reextract(writer)
    changed = found["fields"]
    # Each region of before has its SNOMED-CT code; others have the meaning that goes with their code.
    assert earlier and 0 < earlier[0] <= sum(
        changed.get(f"{one}.target_region", 0) for one in tables
    )
    assert writer.connection.execute(by_scheme).fetchone() == (0,)
    assert found["failed"] == 0 and found["changed"] == len(found["studies"]) > 0
    versions = writer.connection.execute("SELECT DISTINCT extractor_version FROM study").fetchall()
    assert versions == [(EXTRACTOR_VERSION,)]
    assert reextract(writer) == {"changed": 0, "failed": 0, "fields": {}, "studies": []}
    writer.close()
    store.close()


def test_it_says_which_marks_came_and_went(tmp_path: Path) -> None:
    house = House(tmp_path)
    made = [samples.ct_report(3, key="ten times", total=7056), samples.ct_report(2, key="good")]
    arrive(house.writer, objects(made), 1)
    # As a version would have left it that compared no totals, and found fault with something else.
    house.ask("""
        UPDATE study SET marks = [{'field': 'patient_size', 'mark': 'zero', 'raw': '0'}]
        WHERE dlp_total = 7056
    """)
    found = reextract(house.writer)
    assert found["fields"] == {
        "study.marks": 1,
        "study.marks: total_differs": 1,
        "study.marks: zero": 1,
    }
    assert found["studies"] == [house.numbers()[str(made[0].StudyInstanceUID)]]
    house.close()

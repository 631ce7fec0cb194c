"""Rejection notes (IHE Imaging Object Change Management): what they exclude does not count, in
whatever order notes and reports come. On a real store, by the worker's own code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from orthanc_dose.ingest import assembly
from orthanc_dose.ingest.rejections import DecideRejections, follow_setting
from orthanc_dose.samples import Study, ct_report
from orthanc_dose.samples.rejection import TITLES, rejection_note
from orthanc_dose.store import feed
from tests.support import split
from tests.support.effort import examples
from tests.unit.test_arrival import arrive
from tests.unit.test_sharing import House, objects


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    out = House(tmp_path)
    yield out
    out.close()


def report(study: str, key: str, events: list[int], after: int = 0) -> Dataset:
    every = split.events("rejected")
    return ct_report(
        [every[index] for index in events],
        study=Study(instance_uid=study, started=split.STARTED),
        key=f"rejected|{key}",
    )


WRONG, RIGHT = "2.25.10", "2.25.11"


def of_study(house: House, uid: str = WRONG) -> tuple[str | None, list[str], float | None]:
    query = "SELECT not_counted, all_marks, dlp_total FROM study WHERE study_instance_uid = ?"
    [row] = house.ask(query, uid)
    return row


@pytest.mark.parametrize(
    ("title", "not_counted", "mark"),
    [
        ("113038", "rejected", "rejected_worklist_entry"),
        ("113037", "rejected", "rejected_safety"),
        ("113001", None, "rejected_quality"),
        ("113039", None, None),
        ("113000", None, None),
    ],
)
@pytest.mark.parametrize("note_first", [False, True])
@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_title_decides_what_a_note_does(
    house: House, title: str, not_counted: str | None, mark: str | None,
    note_first: bool, elsewhere: bool,
) -> None:  # fmt: skip
    made = report(WRONG, "one", [0, 1, 2])
    note = rejection_note([made], title, study_uid="2.25.99" if elsewhere else "")
    house.arrive(*([note, made] if note_first else [made, note]))
    found, marks, total = of_study(house)
    assert found == not_counted and total is not None
    assert {one for one in marks if one.startswith("rejected")} == ({mark} if mark else set())
    [(outcome, rule)] = house.ask(
        "SELECT outcome, rule FROM object WHERE sop_instance_uid = ?", str(note.SOPInstanceUID)
    )
    ignored = ("ignored", "not_a_rejection_note")
    assert (outcome, rule) == (ignored if title == "113000" else ("merged", "rejection_note"))
    assert title in TITLES


def test_the_same_report_under_the_right_patient_counts(house: House) -> None:
    """Both reports have the same irradiation event UIDs; the rejected study began no later."""
    wrong, right = report(WRONG, "wrong", [1, 2]), report(RIGHT, "right", [1, 2])
    house.arrive(wrong, right)
    assert of_study(house)[0] is None and of_study(house, RIGHT)[0] == "shared"
    last = feed.newest(house.writer.connection)
    house.arrive(rejection_note([wrong]))
    assert of_study(house)[0] == "rejected" and of_study(house, RIGHT)[0] is None
    told = dict(house.ask("SELECT study_id, what FROM study_change WHERE number > ?", last))
    assert set(told.values()) == {"changed"} and len(told) == 2
    doses = [one.dlp or 0 for one in split.events("rejected")]
    [(total,)] = house.ask("SELECT sum(dlp_total) FROM study WHERE not_counted IS NULL")
    assert total == pytest.approx(doses[1] + doses[2])


def test_a_record_is_made_from_what_is_not_rejected(house: House) -> None:
    first, second = report(WRONG, "first", [1, 2]), report(WRONG, "second", [3])
    house.arrive(first, second, rejection_note([first]))
    found, _, total = of_study(house)
    assert found is None and total == pytest.approx(split.events("rejected")[3].dlp)
    rules = dict(house.ask("SELECT sop_instance_uid, rule FROM object"))
    assert rules[str(first.SOPInstanceUID)] == "rejected"


def test_a_note_that_is_withdrawn_rejects_nothing(house: House) -> None:
    first, second = report(WRONG, "first", [1, 2]), report(WRONG, "second", [3])
    note = rejection_note([first, second])
    house.arrive(first, second)
    before = of_study(house)
    house.arrive(note)
    assert of_study(house)[0] == "rejected"
    house.writer.commit(assembly.without(house.writer, str(note.SOPInstanceUID)))
    assert of_study(house) == before


def set_safety(house: House, counts: bool) -> tuple[bool, int]:
    """Change the setting, do the task, and return whether there is one, and its studies."""
    begun = follow_setting(house.store, house.writer, counts)
    job = DecideRejections({"result": {}, "progress": {}, "parameters": {}, "done": 0, "total": 0})
    while begun and (batch := job.do_step(house.writer)) is not None:
        house.writer.commit(batch)
    return begun, job.done


def test_a_setting_decides_whether_what_is_rejected_for_patient_safety_counts(
    house: House,
) -> None:
    unsafe, wrong = report(WRONG, "unsafe", [1, 2]), report(RIGHT, "wrong", [1, 2])
    assert set_safety(house, False) == (False, 0), "nothing has changed"
    house.arrive(unsafe, wrong, rejection_note([unsafe], "113037"))
    house.arrive(rejection_note([wrong], "113038", key="wrong"))
    for counts in (True, False, True):
        assert set_safety(house, counts) == (True, 1)
        found, marks, _ = of_study(house)
        assert found == (None if counts else "rejected") and "rejected_safety" in marks
        assert of_study(house, RIGHT)[0] == "rejected", "the setting is not about worklist entries"
    later = report("2.25.12", "later", [3])
    house.arrive(rejection_note([later], "113037", key="later"), later)
    assert of_study(house, "2.25.12")[0] is None


@examples(6)
@given(order=st.permutations(range(5)), together=st.booleans(), again=st.booleans())
def test_the_order_of_arrival_does_not_matter(
    order: list[int], together: bool, again: bool
) -> None:
    first, second = report(WRONG, "first", [1, 2]), report(WRONG, "second", [3])
    right = report(RIGHT, "right", [1, 2, 3])
    made = objects([
        first, second, right, rejection_note([first, second]),
        rejection_note([right], "113001", study_uid="2.25.98", key="quality"),
    ])  # fmt: skip
    with TemporaryDirectory() as folder:
        house = House(Path(folder))
        batches = [[made[at] for at in order]] if together else [[made[at]] for at in order]
        for number, batch in enumerate(batches, 1):
            arrive(house.writer, batch, number)
        if again:
            house.writer.commit(assembly.again(house.writer, [WRONG, RIGHT, "2.25.98"]))
        assert of_study(house)[0] == "rejected"
        found, marks, total = of_study(house, RIGHT)
        doses = [one.dlp or 0 for one in split.events("rejected")]
        assert found is None and "rejected_quality" in marks
        assert total == pytest.approx(sum(doses[1:4]))
        house.close()

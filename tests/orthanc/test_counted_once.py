"""One irradiation counts once, over all studies and reports that have it: sent by a real sender,
asked of the API."""

from __future__ import annotations

import duckdb
import pytest
from pydicom.dataset import Dataset

from orthanc_dose.samples import Patient, Study, ct_report
from orthanc_dose.samples.rejection import rejection_note
from tests.support import split
from tests.support.server import OrthancServer


def dlp(server: OrthancServer) -> float:
    """The DLP of all studies together, from a chart."""
    found = server.ok("/dose/api/charts/ct-dlp-study-description/figure?view=bar")
    return sum(row["mean"] * row["n"] for row in found["rows"] if row["mean"] is not None)


def by_uid(server: OrthancServer) -> dict[str, dict[str, object]]:
    return {str(study["study_instance_uid"]): study for study in server.studies()}


def test_a_split_examination_counts_once_and_its_studies_name_each_other(
    server: OrthancServer,
) -> None:
    server.send(split.ct("all events")[::-1])
    server.wait_until_idle()
    studies = by_uid(server)
    first, second = (studies[split.study_uid("all events", number)] for number in (0, 1))
    assert (first["not_counted"], second["not_counted"]) == (None, "shared")
    for one, other in ((first, second), (second, first)):
        assert [entry["study_id"] for entry in one["shared_with"]] == [other["id"]]  # type: ignore[attr-defined]
    assert server.studies(counting="yes") == [first]
    assert server.studies(counting="shared") == [second]
    doses = [one.dlp or 0 for one in split.events("all events")[:4]]
    assert dlp(server) == pytest.approx(sum(doses))


def test_a_rejected_study_does_not_count_and_its_report_under_the_right_study_does(
    server: OrthancServer,
) -> None:
    wrong, right = split.ct("all events")
    server.send([rejection_note([wrong])])
    server.send([wrong, right])
    server.wait_until_idle()
    studies = by_uid(server)
    assert [studies[split.study_uid("all events", n)]["not_counted"] for n in (0, 1)] == [
        "rejected",
        None,
    ]
    doses = [one.dlp or 0 for one in split.events("all events")[:4]]
    assert dlp(server) == pytest.approx(sum(doses))


def rejected(server: OrthancServer, *uids: str) -> list[object]:
    """Why these studies do not count."""
    studies = by_uid(server)
    return [studies[uid]["not_counted"] for uid in uids]


def of(number: int) -> str:
    return f"2.25.530{number}"


def report(number: int, patient: str = "REJECTED") -> Dataset:
    """A report of the same four irradiations, whatever the study and the patient."""
    return ct_report(
        split.events("rejected")[:4],
        patient=Patient(name="Sample^Anna", patient_id=patient),
        study=Study(instance_uid=of(number), started=split.STARTED),
        key=f"rejected|{number}",
    )


def other(number: int) -> Dataset:
    """A report of an irradiation that no other report has."""
    return ct_report(1, study=Study(instance_uid=of(number)), key=f"rejected|{number}")


def delete(server: OrthancServer, dataset: Dataset) -> None:
    """Delete an object from Orthanc."""
    uid = str(dataset.SOPInstanceUID)
    [found] = server.post("/tools/lookup", uid.encode())[1]
    assert server.delete(f"/instances/{found['ID']}")[0] == 200


def test_a_report_of_the_wrong_patient_is_rejected_and_sent_again_for_the_right_one(
    server: OrthancServer,
) -> None:
    wrong, right = report(1, "WRONG"), report(2, "RIGHT")
    total = sum(one.dlp or 0 for one in split.events("rejected")[:4])
    for sent in (wrong, rejection_note([wrong]), right):
        server.send(sent)
        server.wait_until_idle()
    assert rejected(server, of(1), of(2)) == ["rejected", None]
    assert [one["study_instance_uid"] for one in server.studies(counting="yes")] == [of(2)]
    assert [one["study_instance_uid"] for one in server.studies(counting="rejected")] == [of(1)]
    assert dlp(server) == pytest.approx(total)


def test_a_note_is_withdrawn_if_it_is_deleted_before_what_it_rejects(
    server: OrthancServer,
) -> None:
    made = {number: other(number) for number in (1, 2, 3)}
    notes = {
        number: rejection_note([one], study_uid=of(9), key=f"note {number}")
        for number, one in made.items()
    }
    server.send(list(made.values()), list(notes.values()))
    server.wait_until_idle()
    assert rejected(server, *map(of, made)) == ["rejected"] * 3
    # As an Orthanc does that recycles its space.
    delete(server, made[2])
    delete(server, notes[2])
    # Note and object one after the other, as a person may delete them.
    delete(server, notes[3])
    delete(server, made[3])
    delete(server, notes[1])
    server.wait_for(lambda: rejected(server, of(1)) == [None], "the note to be withdrawn")
    assert rejected(server, of(2), of(3)) == ["rejected"] * 2
    rules = {row["sop_instance_uid"]: row for row in server.objects()}
    assert rules[str(notes[1].SOPInstanceUID)]["rule"] == "withdrawn"
    for number in (2, 3):
        row = rules[str(notes[number].SOPInstanceUID)]
        assert (row["rule"], row["in_orthanc"]) == ("rejection_note", "deleted")
    # A note that comes again rejects again; one that is deleted while nobody listens is noticed.
    server.send(notes[1])
    server.wait_until_idle()
    assert rejected(server, of(1)) == ["rejected"]
    server.restart(plugin=False)
    delete(server, notes[1])
    server.send(made[2])
    server.restart(plugin=True)
    server.wait_for(lambda: rejected(server, of(1)) == [None], "the note to be withdrawn")
    assert rejected(server, of(2), of(3)) == ["rejected"] * 2, "their deletion was noticed before"


def test_notes_that_an_earlier_version_ignored_are_read_after_an_update(
    server: OrthancServer,
) -> None:
    wrong = other(1)
    server.send(wrong, rejection_note([wrong]))
    server.wait_until_idle()
    server.stop()
    with duckdb.connect(str(server.dose_directory / "dose.duckdb")) as store:
        # What that version left of them.
        store.execute("DELETE FROM rejected_object")
        store.execute("""
            UPDATE object SET outcome = 'ignored', rule = 'sop_class', content = NULL,
            content_digest = NULL, study_id = NULL WHERE rule = 'rejection_note'
        """)
        store.execute("UPDATE study SET not_counted = NULL, all_marks = []")
    server.start()
    server.wait_for(lambda: rejected(server, of(1)) == ["rejected"], "the note to be read")


def test_whether_what_is_rejected_for_patient_safety_counts_is_a_setting(
    server: OrthancServer,
) -> None:
    unsafe = other(1)
    server.send(unsafe, rejection_note([unsafe], "113037"))
    server.wait_until_idle()
    assert rejected(server, of(1)) == ["rejected"]
    for counts in (True, False):
        body = {"count_rejected_for_safety": counts}
        assert server.request("PUT", "/dose/api/settings", json=body).status_code == 200
        expected = None if counts else "rejected"
        server.wait_for(lambda: rejected(server, of(1)) == [expected], "the task")  # noqa: B023
    tasks = server.ok("/dose/api/tasks")["tasks"]
    assert [one["kind"] for one in tasks] == ["decide-rejections"] * 2

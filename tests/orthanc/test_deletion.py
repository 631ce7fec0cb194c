"""What the rules delete from Orthanc after reading, what they never delete, and what stays in the
store.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from pydicom.dataset import Dataset

from orthanc_dose import samples
from orthanc_dose.samples import ct_slice, make_studies, part10
from orthanc_dose.samples.hostile import HOSTILE
from tests.support.expect import check_studies
from tests.support.server import OrthancServer

API = "/dose/api"


def of_every_kind() -> dict[str, list[Dataset]]:
    """Objects that are done with once they are read, by their kind."""
    return {
        "reports": [
            samples.ct_report(2, key="ct"),
            samples.fluoroscopy_report(2, key="rf"),
            samples.radiopharmaceutical_report(key="nm"),
        ],
        "mammography": list(samples.mammography_pair("hologic-dimensions", key="mg")),
        "radiography": [samples.radiography_image("standard", key="dx")],
        "captures": [samples.philips_dose_info(key="info")],
        "nuclear": list(samples.nuclear_images("ge-pet", slices=4, key="pet")),
        "unmatched": [samples.ct_slice(), samples.non_dose_sr()],
    }


def physics(dataset: Dataset, name: str = "PHYSICS^Monthly") -> Dataset:
    made = copy.deepcopy(dataset)
    made.PatientName, made.PatientID = name, "no pattern has this"
    return made


def settle(server: OrthancServer) -> None:
    """Wait until all is read, and deleted what is to be deleted."""
    server.wait_until_idle()
    server.wait_for(
        lambda: server.status()["store"]["in_orthanc"]["to_delete"] == 0, "what is to be deleted"
    )


def held(server: OrthancServer) -> set[str]:
    return {
        server.ok(f"/instances/{one}/metadata/SopClassUid")
        + "|"
        + server.ok(f"/instances/{one}")["MainDicomTags"]["SOPInstanceUID"]
        for one in server.ok("/instances")
    }


def names(objects: list[Dataset]) -> set[str]:
    return {f"{one.SOPClassUID}|{one.SOPInstanceUID}" for one in objects}


@pytest.mark.parametrize("kind", list(of_every_kind()))
def test_each_kind_is_deleted_alone(kind: str) -> None:
    every = of_every_kind()
    key = f"{kind.capitalize()}InOrthanc"
    with OrthancServer(dose={key: "delete"}) as server:
        for objects in every.values():
            server.send(objects)
        settle(server)
        kept = [one for other, objects in every.items() if other != kind for one in objects]
        assert held(server) == names(kept)
        deleted = [row for row in server.objects() if row["in_orthanc"] == "deleted"]
        assert {row["sop_instance_uid"] for row in deleted} == {
            str(one.SOPInstanceUID) for one in every[kind]
        }
        assert all(row["deleted_at"] for row in deleted)
        assert server.status()["store"]["in_orthanc"] == {
            "to_delete": 0,
            "deleted": len(every[kind]),
            "dropped": 0,
        }
        assert "failed" not in {row["outcome"] for row in server.objects()}


def test_by_default_everything_stays(server: OrthancServer) -> None:
    every = [one for objects in of_every_kind().values() for one in objects]
    server.send(every)
    settle(server)
    assert held(server) == names(every)
    assert server.status()["store"]["in_orthanc"] == {"to_delete": 0, "deleted": 0, "dropped": 0}


ALL = {f"{kind.capitalize()}InOrthanc": "delete" for kind in of_every_kind()}


@pytest.fixture
def eager() -> Iterator[OrthancServer]:
    """A server that deletes all that it may."""
    with OrthancServer(
        dose={**ALL, "PhysicsNames": ["*physics*"], "DoseFromCtImages": True},
        overrides={"StableAge": 3600},
    ) as server:
        yield server


def test_what_may_still_be_read_is_never_deleted(eager: OrthancServer) -> None:
    failed = HOSTILE["empty_content_sequence"](1)
    assert eager.upload(failed)[0] == 200
    stay = [
        ct_slice(),
        physics(samples.ct_report(2, key="physics")),
        physics(samples.mammography_image()),
        # Left alone for its class, without a look at its patient: which counts when it would be
        # deleted.
        physics(other_class(ct_slice(7))),
        samples.dose_screen("toshiba"),
    ]
    eager.send(stay, samples.ct_report(1, key="goes"), other_class(ct_slice(8)))
    settle(eager)
    rows = {row["sop_instance_uid"]: row for row in eager.objects()}
    assert [
        (rows[str(one.SOPInstanceUID)]["outcome"], rows[str(one.SOPInstanceUID)]["rule"])
        for one in stay
    ] == [
        ("ignored", "waits_for_study"),
        ("ignored", "physics"),
        ("ignored", "physics"),
        ("ignored", "sop_class"),
        ("ignored", "dose_screen"),
    ]
    assert names(stay) <= held(eager) and len(held(eager)) == len(stay) + 1
    assert eager.status()["store"]["in_orthanc"]["deleted"] == 2
    reasons = " ".join(str(row["reason"]) for row in rows.values())
    assert '"*physics*"' in reasons and "Monthly" not in reasons and "PHYSICS" not in reasons
    assert "Monthly" not in eager.log
    assert (
        not any("PHYSICS" in str(study) for study in eager.studies()) and len(eager.studies()) == 1
    )


def other_class(dataset: Dataset) -> Dataset:
    """The same as an object of a class that holds no dose."""
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = (
        "1.2.840.10008.5.1.4.1.1.4"  # MR image
    )
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = (
        f"{dataset.SOPInstanceUID}.4"
    )
    return dataset


def test_records_survive_their_objects(server: OrthancServer) -> None:
    server.request("PUT", f"{API}/settings", json={"reports_in_orthanc": "delete"})
    made = list(make_studies(8, seed=81))
    server.send(made)
    settle(server)
    assert server.ok("/instances") == []
    check_studies(server.studies(), made)
    before = server.details()

    # Nothing of it is taken for missing, and reading again needs no DICOM object.
    assert server.post(f"{API}/audit") == (200, {"missing": 0})
    status, answer = server.post(f"{API}/objects/{made[0].datasets[0].SOPInstanceUID}/retry")
    assert (status, answer["error"]["code"]) == (409, "deleted_from_orthanc")
    assert "The object was deleted from Orthanc after it was read" in answer["error"]["message"]
    number = server.post(f"{API}/reextract")[1]["task_id"]
    server.wait_for(lambda: server.ok(f"{API}/tasks/{number}")["state"] == "done", "reading again")
    assert server.ok(f"{API}/tasks/{number}")["result"]["changed"] == 0
    assert without_times(server.details()) == without_times(before)
    server.restart()
    settle(server)
    check_studies(server.studies(), made)

    # An object that comes again is read and deleted again.
    server.send(made[:2])
    settle(server)
    assert server.ok("/instances") == []
    check_studies(server.studies(), made)


def without_times(details: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for detail in details:
        for row in [detail, *detail["objects"]]:
            for name in ("stored_at", "processed_at"):
                row.pop(name, None)
    return details


def test_a_series_is_not_lost_before_one_image_of_it_is_read() -> None:
    images = list(samples.nuclear_images("ge-pet", slices=3, key="series"))
    undosed = copy.deepcopy(images[0])
    del undosed.RadiopharmaceuticalInformationSequence
    undosed.SOPInstanceUID = undosed.file_meta.MediaStorageSOPInstanceUID = samples.uid(
        "series", "undosed"
    )
    with OrthancServer(dose={"NuclearInOrthanc": "delete"}) as server:
        server.send(undosed)
        settle(server)
        assert len(server.ok("/instances")) == 1, (
            "it is none of the kind: nothing of its series was read"
        )
        server.send(images)
        settle(server)
        assert held(server) == names([undosed])
        (study,) = server.studies()
        assert study["modality"] == "NM" and study["administered_activity_total"]


def test_an_object_that_is_overwritten_is_read_before_it_is_deleted() -> None:
    first, second = samples.ct_report(1, key="same"), samples.ct_report(3, key="same")
    assert first.SOPInstanceUID == second.SOPInstanceUID
    second.StudyInstanceUID, second.SeriesInstanceUID = (
        first.StudyInstanceUID,
        first.SeriesInstanceUID,
    )
    with OrthancServer(
        dose={"ReportsInOrthanc": "delete"}, overrides={"OverwriteInstances": True}
    ) as server:
        for report in (first, second):
            server.send(report)
        settle(server)
        assert server.ok("/instances") == []
        assert [study["number_of_events"] for study in server.studies()] == [3]


def test_a_later_change_applies_to_what_comes_and_a_task_to_the_rest(server: OrthancServer) -> None:
    every = of_every_kind()
    server.send(
        [one for objects in every.values() for one in objects], physics(other_class(ct_slice(7)))
    )
    settle(server)
    server.request(
        "PUT",
        f"{API}/settings",
        json={
            "unmatched_in_orthanc": "delete",
            "nuclear_in_orthanc": "drop",
            "physics_names": ["physics*"],
        },
    )
    server.send(ct_slice(5))
    settle(server)
    counts = {kind: len(objects) for kind, objects in every.items()}
    assert sum(counts.values()) + 1 == len(server.ok("/instances")), "what was there stays"
    found = server.ok(f"{API}/objects/delete-from-orthanc")
    assert {row["kind"]: row["objects"] for row in found["kinds"]} == counts | {"unmatched": 3}
    assert found["objects"] == 3 + counts["nuclear"] and found["waiting"] == 0

    status, answer = server.post(f"{API}/objects/delete-from-orthanc")
    assert (status, answer["objects"]) == (202, found["objects"])
    server.wait_for(
        lambda: server.ok(f"{API}/tasks/{answer['task_id']}")["state"] == "done", "the task"
    )
    result = server.ok(f"{API}/tasks/{answer['task_id']}")["result"]
    assert result == {"deleted": found["objects"] - 1, "gone": 0, "kept": 1, "refused": 0}
    rest = [
        one
        for kind, objects in every.items()
        if kind not in ("unmatched", "nuclear")
        for one in objects
    ]
    assert held(server) == names([*rest, physics(other_class(ct_slice(7)))])
    entries = server.ok(f"{API}/audit-log")["entries"]
    assert "objects deleted by the rules" in {entry["action"] for entry in entries}


def test_failed_and_ignored_objects_are_deleted_by_hand(server: OrthancServer) -> None:
    for name in ("empty_content_sequence", "root_alone"):
        server.upload(HOSTILE[name](1))
    good = samples.ct_report(1, key="good")
    server.send(good, ct_slice(1), ct_slice(2), samples.non_dose_sr())
    server.wait_until_idle()
    failed = [row["sop_instance_uid"] for row in server.objects(outcome="failed")]
    assert len(failed) == 2 and len(server.objects(outcome="failed,ignored")) == 5

    status, answer = server.post(
        f"{API}/objects/delete", {"sop_instance_uids": [failed[0], str(good.SOPInstanceUID)]}
    )
    assert (status, answer["error"]["code"]) == (409, "in_the_record")
    status, answer = server.post(
        f"{API}/objects/delete", {"sop_instance_uids": [failed[0], "1.2.3"]}
    )
    assert (status, answer["error"]["code"]) == (404, "not_found")
    assert len(server.ok("/instances")) == 6, "all or nothing"

    assert server.delete(f"{API}/objects/{failed[0]}") == (
        200,
        {"objects": 1, "deleted": 1, "task_id": None},
    )
    assert server.delete(f"{API}/objects/{failed[0]}")[0] == 404
    assert server.delete(f"{API}/objects/{good.SOPInstanceUID}")[0] == 409
    found = server.post(f"{API}/objects/delete", {"outcome": "ignored", "rule": "sop_class"})
    assert found == (200, {"objects": 2, "deleted": 2, "task_id": None})
    assert server.post(f"{API}/objects/delete", {"outcome": "failed"})[1]["deleted"] == 1
    assert len(server.ok("/instances")) == 2
    assert server.post(f"{API}/audit") == (200, {"missing": 0})
    server.wait_until_idle()
    assert {row["outcome"] for row in server.objects()} == {"imported", "ignored"} and len(
        server.objects()
    ) == 2


def test_many_are_deleted_by_a_task_that_survives_a_kill(server: OrthancServer) -> None:
    server.send(samples.ct_series(240), samples.ct_report(1, key="good"))
    server.wait_until_idle()
    status, answer = server.post(f"{API}/objects/delete", {"outcome": "ignored"})
    assert (status, answer["objects"], answer["deleted"]) == (202, 240, 0)
    server.kill()
    server.start()
    server.wait_for(
        lambda: server.ok(f"{API}/tasks/{answer['task_id']}")["state"] == "done", "the task"
    )
    result = server.ok(f"{API}/tasks/{answer['task_id']}")["result"]
    assert result["deleted"] + result["gone"] == 240 and result["forgotten"] == 240
    server.wait_until_idle()
    assert [row["outcome"] for row in server.objects()] == ["imported"] and len(
        server.ok("/instances")
    ) == 1


def test_lists_by_rule_and_reason_and_reading_a_rule_again(server: OrthancServer) -> None:
    server.request("PUT", f"{API}/settings", json={"ignored_models": ["*"]})
    report = samples.ct_report(1, key="list")
    server.send(report, ct_slice(1), samples.non_dose_sr())
    server.wait_until_idle()
    assert server.studies() == []
    (row,) = server.objects(rule="ignored_system")[:1]
    assert row["reason"] == 'The list of ignored models contains "*".'
    assert {one["rule"] for one in server.objects(reason="IGNORED+models")} == {"ignored_system"}
    rules = {
        (one["outcome"], one["rule"]): one["objects"]
        for one in server.ok(f"{API}/objects/rules")["rules"]
    }
    assert rules == {
        ("ignored", "ignored_system"): len(server.objects(rule="ignored_system")),
        ("ignored", "sop_class"): 1,
    }

    server.delete(f"{API}/settings/ignored_models")
    status, answer = server.post(
        f"{API}/objects/retry", {"outcome": "ignored", "rule": "ignored_system"}
    )
    assert (status, answer["queued"]) == (200, rules["ignored", "ignored_system"])
    server.wait_until_idle()
    assert server.objects(rule="ignored_system") == [] and len(server.studies()) == 1


@pytest.mark.parametrize(
    "body", [{}, [], {"outcome": "imported"}, {"outcome": "failed", "other": 1}, {"sop_instance_uids": []},
             {"outcome": ["failed"]}, {"sop_instance_uids": ["x"]},
             {"sop_instance_uids": "1.2"}, {"outcome": "failed", "rule": ""}, None],
)  # fmt: skip
def test_bodies_that_choose_nothing(shared_server: OrthancServer, body: Any) -> None:
    status, answer = shared_server.post(f"{API}/objects/delete", b"null" if body is None else body)
    assert (status, answer["error"]["code"]) == (400, "bad_body")
    if body is None:
        assert shared_server.post(f"{API}/objects/retry", b"null")[0] == 400


def test_physics_studies_are_not_deleted_by_hand(server: OrthancServer) -> None:
    server.request("PUT", f"{API}/settings", json={"physics_ids": ["no pattern*"]})
    report = physics(samples.ct_report(1, key="by hand"))
    server.send(report)
    server.wait_until_idle()
    assert (
        server.delete(f"{API}/objects/{report.SOPInstanceUID}")[1]["error"]["code"]
        == "physics_kept"
    )
    assert server.post(f"{API}/objects/delete", {"outcome": "ignored", "rule": "physics"})[0] == 409
    assert server.post(f"{API}/objects/delete", {"outcome": "ignored"})[1]["objects"] == 0
    assert len(server.ok("/instances")) == 1


def test_objects_are_dropped_before_they_are_stored(server: OrthancServer) -> None:
    server.request(
        "PUT",
        f"{API}/settings",
        json={
            "unmatched_in_orthanc": "drop",
            "radiography_in_orthanc": "drop",
            "physics_names": ["physics*"],
        },
    )
    stored = [samples.ct_report(1, key="door"), samples.mammography_image(), physics(ct_slice(9))]
    assert (
        server.send(stored, samples.ct_series(5), samples.radiography_image("standard", key="door"))
        == 0
    )
    assert server.upload(part10(ct_slice(6)))[1]["Status"] == "FilteredOut"
    server.wait_until_idle()
    assert held(server) == names(stored)
    server.wait_for(
        lambda: server.status()["store"]["in_orthanc"]["dropped"] == 7,
        "the count of what was dropped",
    )
    found = server.ok(f"{API}/objects/dropped")
    assert found["total"] == 7
    assert {row["sop_class_name"]: row["objects"] for row in found["classes"]} == {
        "CT Image Storage": 6,
        "Digital X-Ray Image Storage - For Presentation": 1,
    }
    # What is dropped by class alone, but comes as a class that may hold dose, is deleted after
    # reading.
    server.send(samples.non_dose_sr())
    settle(server)
    assert held(server) == names(stored)

    server.restart()
    server.send(ct_slice(20))
    server.request("PUT", f"{API}/settings", json={"unmatched_in_orthanc": "keep"})
    server.send(ct_slice(21))
    server.wait_until_idle()
    assert held(server) == names([*stored, ct_slice(21)])
    server.wait_for(
        lambda: server.ok(f"{API}/objects/dropped")["total"] == 8, "the count of what was dropped"
    )

"""Deleting dose records in a real server: of a system, of one study; what stays, what comes back,
and kills in the middle.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from random import Random
from typing import Any

import duckdb
import requests

from orthanc_dose import samples
from orthanc_dose.samples import enhanced, nuclear
from tests.support.server import OrthancServer
from tests.support.systems import API, by_software, post, report, reports, settled

TABLES = ("ct_event", "ct_accumulated", "index_study_description", "index_acquisition_protocols")


def send(server: OrthancServer, *objects: Any) -> None:
    server.send(*objects)
    server.wait_until_idle()


def rules(server: OrthancServer) -> Counter[tuple[str, str | None]]:
    return Counter((row["outcome"], row["rule"]) for row in server.objects())


def delete(server: OrthancServer, system: int, studies: int, row: bool = False) -> dict[str, Any]:
    status, answer = post(server, f"/equipment/{system}/delete", {"studies": studies, "row": row})
    assert status in (200, 202), answer
    return settled(server, answer)


def test_the_studies_of_a_system_are_deleted_by_their_number_and_stay_so(
    server: OrthancServer,
) -> None:
    later = reports("several", SoftwareVersions="1")
    mine = [report(str(number), SoftwareVersions="1") for number in range(5)]
    send(server, mine, later[:2], report("other", SoftwareVersions="2"))
    rows = by_software(server)
    system, other = rows["1"], rows["2"]
    assert (system["studies"], other["studies"]) == (6, 1)
    for body, status in (
        ({"studies": 5, "row": False}, 409),
        ({"studies": 0, "row": True}, 409),
        ({"studies": 6}, 400),
        ({"studies": True, "row": False}, 400),
        ({"studies": 6.5, "row": False}, 400),
        ({"studies": 6, "row": "no"}, 400),
    ):
        assert post(server, f"/equipment/{system['id']}/delete", body)[0] == status, body
    assert len(server.studies()) == 7
    last = max(row["id"] for row in server.studies())
    task = delete(server, system["id"], 6)
    assert (task["kind"], task["state"], task["result"]) == (
        "delete-studies",
        "done",
        {"deleted": 6, "row": False},
    )

    def check(gone: int = 7) -> None:
        assert [row["equipment_id"] for row in server.studies()] == [other["id"]]
        assert rules(server) == {("ignored", "study_deleted"): gone, ("imported", None): 1}
        summary = server.ok(f"{API}/summary")["modalities"]
        assert [
            (row["equipment_id"], row["studies"]) for one in summary for row in one["systems"]
        ] == [(other["id"], 1)]
        assert (
            server.status()["store"]["studies"]["CT"] == 1
            and by_software(server)["1"]["studies"] == 0
        )
        assert len(server.ok("/instances")) == 8, "nothing is deleted from Orthanc"

    check()
    send(server, mine, later[:2])
    check()
    assert post(server, "/reconcile") == (200, {"missing": 0})
    check()
    server.restart(overrides={"OverwriteInstances": True})
    send(server, mine, later[:2])
    check()
    with_content = [row for row in server.objects() if row["study_id"] is not None]
    assert len(with_content) == 1
    settled(server, post(server, "/reextract")[1])
    check()
    # An object that was not there before makes a record; those that were deleted stay out of it.
    send(server, later[2])
    (new,) = [row for row in server.details() if row["equipment_id"] == system["id"]]
    assert new["number_of_events"] == 3 and new["id"] > last, "numbers are not given twice"
    # Reading again, which somebody asks for, brings it back.
    assert server.post(f"{API}/objects/{mine[0].SOPInstanceUID}/retry")[0] == 200
    assert server.post(f"{API}/objects/{later[0].SOPInstanceUID}/retry")[0] == 200
    assert sorted(
        row["number_of_events"] for row in server.details() if row["equipment_id"] == system["id"]
    ) == [2, 5]
    noted = server.ok(f"{API}/audit-log?action=studies%20of%20system%20deleted")["entries"]
    assert [(row["subject"], row["details"]) for row in noted] == [
        (f"system {system['id']}", "6 studies; row: False")
    ]


def test_a_system_goes_with_its_row_and_its_number_is_not_given_again(
    server: OrthancServer,
) -> None:
    send(
        server,
        report("a", SoftwareVersions="1"),
        report("b", SoftwareVersions="2"),
        report("c", SoftwareVersions="3"),
    )
    ids = {version: row["id"] for version, row in by_software(server).items()}
    assert post(server, "/equipment/join", {"ids": [ids["2"]], "into": ids["3"]})[0] == 200
    assert post(server, f"/equipment/{ids['2']}/delete", {"studies": 1, "row": True})[0] == 409, (
        "its studies are the other's"
    )
    assert delete(server, ids["3"], 2, row=True)["state"] == "done"
    assert set(by_software(server)) == {"1"} and len(server.studies()) == 1
    server.restart()
    send(server, report("d", SoftwareVersions="3"))
    assert by_software(server)["3"]["id"] not in ids.values()
    assert delete(server, ids["1"], 1, row=True)["result"] == {"deleted": 1, "row": True}
    assert server.get(f"{API}/equipment/{ids['1']}")[0] == 404
    assert post(server, "/equipment/99/delete", {"studies": 0, "row": True})[0] == 404


def test_one_study_is_deleted_and_another_systems_record_of_it_stays(server: OrthancServer) -> None:
    """An estimate of organ doses that both records have stays with the other."""
    study = samples.Study(instance_uid="2.25.78")
    ct = samples.ct_report(2, study=study, key="ct of pet-ct")
    nm = samples.radiopharmaceutical_report(study=study, key="nm of pet-ct")
    both = [str(ct.SOPInstanceUID), str(nm.SOPInstanceUID)]
    estimate = enhanced.patient_dose_report(
        [enhanced.Estimate(nuclear.BRAIN, 2.1, 4.2)], both, study=study
    )
    send(server, ct, nm, estimate, report("another"))
    before = {
        row["modality"]: row for row in server.details() if row["study_instance_uid"] == "2.25.78"
    }
    assert set(before) == {"CT", "NM"} and all(
        row["organ_dose_estimates"] for row in before.values()
    )
    assert post(server, f"/studies/{before['CT']['id']}/delete") == (200, {"deleted": 1})
    assert post(server, f"/studies/{before['CT']['id']}/delete")[0] == 404
    (left,) = [row for row in server.details() if row["study_instance_uid"] == "2.25.78"]
    for row in (left, before["NM"]):
        del row["stored_at"], row["objects"]
    assert left == before["NM"]
    outcomes = {row["sop_instance_uid"]: (row["outcome"], row["rule"]) for row in server.objects()}
    assert outcomes[both[0]] == ("ignored", "study_deleted") and outcomes[both[1]] == (
        "imported",
        None,
    )
    assert outcomes[str(estimate.SOPInstanceUID)] == ("merged", "organ_dose_estimate")
    assert len(server.studies()) == 2
    assert post(server, f"/studies/{left['id']}/delete") == (200, {"deleted": 1})
    assert len(server.studies()) == 1 and rules(server)["ignored", "study_deleted"] == 3


def test_a_kill_in_the_middle_deletes_all_or_nothing(server: OrthancServer) -> None:
    rounds, each = 5, 30
    send(
        server,
        [
            report(f"{version}-{number}", SoftwareVersions=str(version))
            for version in range(rounds)
            for number in range(each)
        ],
    )
    systems = {int(version): row["id"] for version, row in by_software(server).items()}
    random = Random(7)
    for version in range(rounds):
        body = {"studies": each, "row": False}

        def ask(system: int = systems[version], body: dict[str, Any] = body) -> None:
            with contextlib.suppress(requests.RequestException):  # the kill came first
                post(server, f"/equipment/{system}/delete", body)

        asking = threading.Thread(target=ask)
        asking.start()
        time.sleep(random.uniform(0.0, 0.15))
        server.kill()
        asking.join(120)
        with duckdb.connect(str(server.dose_directory / "dose.duckdb")) as store:
            left = store.execute(
                "SELECT count(*) FROM study WHERE equipment_id = $1", [systems[version]]
            ).fetchone()
            assert left in ((0,), (each,)), f"{left} of {each} studies are left"
            ignored = store.execute(
                "SELECT count(*) FROM object WHERE rule = 'study_deleted'"
            ).fetchone()
            total = store.execute("SELECT count(*) FROM study").fetchone()
            assert ignored[0] + total[0] == rounds * each
            for table in TABLES:
                lost = f"SELECT count(*) FROM {table} WHERE study_id NOT IN (SELECT id FROM study)"
                assert store.execute(lost).fetchone() == (0,), table
            assert store.execute("SELECT sum(studies) FROM study_day").fetchone()[0] == total[
                0
            ] or total == (0,)
        server.start()
        server.wait_until_idle()
        server.wait_for(
            lambda: (
                not any(
                    server.ok(f"{API}/tasks?state={state}")["total"]
                    for state in ("waiting", "running")
                )
            ),
            "the end of all tasks",
        )
        if server.ok(f"{API}/equipment/{systems[version]}")["studies"]:
            assert delete(server, systems[version], each)["state"] == "done", (
                "it was not asked for before the kill"
            )
    assert server.studies() == [] and rules(server) == {("ignored", "study_deleted"): rounds * each}

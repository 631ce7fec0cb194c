"""Orthanc's identifiers, which are made from the patient ID, leave the plugin nowhere: a patient ID
cannot be tried out; links to Orthanc's pages look objects up when they are followed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
import requests

from orthanc_dose.samples import Patient, ct_report, make_studies
from tests.support.exports import begun, done
from tests.support.exports import wanted as export_of
from tests.support.leaks import answers, files, leaks
from tests.support.server import PASSWORD, USER, OrthancServer

PATIENT_ID = "4711083"  # a number of seven digits
VIEWER, SEES = "viewer", "sees"


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    rights = {USER: ["view", "administration", "import sizes", "export", "orthanc"]}
    rights |= {VIEWER: ["view"], SEES: ["view", "patient identity"]}
    users = dict.fromkeys(rights, PASSWORD)
    with OrthancServer(
        dose={"OrthancUsers": rights, "PatientID": "none"},
        overrides={"RegisteredUsers": users, "AuthenticationEnabled": False},
    ) as server:
        datasets = [one for study in make_studies(6, seed=4) for one in study.datasets]
        failed = ct_report(2, key="no concept", patient=Patient())
        del failed.ConceptNameCodeSequence
        for one in (*datasets, failed):
            one.PatientID = PATIENT_ID
        server.send(datasets, failed)
        server.wait_until_idle()
        yield server


def ask(server: OrthancServer, path: str, user: str, **more: object) -> requests.Response:
    return server.request(
        "GET", f"/dose/api{path}", auth=(user, PASSWORD), allow_redirects=False, **more
    )


@pytest.fixture(scope="module")
def wanted(server: OrthancServer) -> list[str]:
    """What the attack finds: Orthanc's identifiers (SHA-1 of patient ID and UIDs parted by |, as
    book.orthanc-server.com says) of all four levels, in several forms. In the store's content, which
    a user of *view* may read, stand the UIDs; here they are asked of Orthanc, for failed objects,
    too."""
    out = set()
    for one in server.ok("/instances"):
        held = server.ok(f"/instances/{one}/simplified-tags")
        uids = (held["StudyInstanceUID"], held["SeriesInstanceUID"], held["SOPInstanceUID"])
        for level in range(4):
            digest = hashlib.sha1("|".join([PATIENT_ID, *uids[:level]]).encode()).hexdigest()
            out |= {digest, digest[:16], "-".join(digest[at : at + 8] for at in range(0, 40, 8))}
    return sorted(out)


def test_a_patient_id_cannot_be_tried_out(server: OrthancServer, wanted: list[str]) -> None:
    orthancs = server.request("GET", "/instances?expand").content
    assert leaks([("Orthanc", orthancs)], wanted), "the attack works on what Orthanc itself says"
    for user in (VIEWER, SEES, USER):
        assert leaks(answers(server, user), wanted) == [], user
    done(server, begun(server, export_of("jsonl")))
    copied = server.post("/dose/api/exports/copy", {"identity": False})[1]
    done(server, copied["task_id"])
    assert leaks([*files(server.dose_directory), ("the log", server.log)], wanted) == []


def test_links_look_the_object_up_and_are_for_those_who_may_use_orthanc(
    server: OrthancServer,
) -> None:
    study = server.studies()[0]["id"]
    [one] = server.ok(f"/dose/api/studies/{study}")["objects"]
    detail = server.ok(f"/dose/api/studies/{study}")
    assert detail["orthanc_studies"] == 1
    instance = server.held()[one["handle"]]
    parent = server.ok(f"/instances/{instance}/study")["ID"]
    for path, page in (
        (f"/objects/{one['handle']}/orthanc", f"/app/explorer.html#instance?uuid={instance}"),
        (f"/studies/{study}/orthanc", f"/app/explorer.html#study?uuid={parent}"),
    ):
        answer = ask(server, path, USER)
        assert (answer.status_code, answer.headers["Location"]) == (302, page)
        assert answer.headers["Cache-Control"] == "no-store"
        for user in (VIEWER, SEES):
            answer = ask(server, path, user)
            code = answer.json()["error"]["code"]
            assert (answer.status_code, code) == (403, "needs_orthanc")
            assert "Location" not in answer.headers
    assert ask(server, f"/studies/{study}/orthanc?number=2", USER).status_code == 404
    assert ask(server, "/studies/999/orthanc", USER).status_code == 404
    assert ask(server, "/objects/nothing/orthanc", USER).status_code == 404
    token = server.post("/dose/api/tokens", {"name": "a script", "days": 1})[1]["secret"]
    answer = ask(server, f"/studies/{study}/orthanc", "", headers={"Authorization": "Bearer x"})
    assert answer.status_code == 401
    answer = requests.get(
        f"{server.url}/dose/api/studies/{study}/orthanc",
        headers={"Authorization": f"Bearer {token}"},
        allow_redirects=False,
        timeout=60,
    )
    assert answer.status_code == 403, "Orthanc's own pages know no tokens"


def test_what_was_uploaded_is_told_by_orthancs_identifiers(server: OrthancServer) -> None:
    stored = server.ok("/instances")
    path = "/dose/api/objects/stored"
    status, found = server.post(path, {"orthanc_ids": [*stored, "00000000" + "-00000000" * 4]})
    assert status == 200
    assert {one["handle"] for one in found["objects"]} == set(server.held())
    denied = server.request("POST", path, auth=(VIEWER, PASSWORD), json={"orthanc_ids": stored})
    assert denied.status_code == 403
    for bad in ({}, {"orthanc_ids": []}, {"orthanc_ids": ["x"]}, {"orthanc_ids": [1]}, []):
        assert server.post(path, bad)[0] == 400


def test_objects_are_read_again_and_deleted_by_their_handles(server: OrthancServer) -> None:
    [failed] = server.objects(outcome="ignored")
    uid = failed["sop_instance_uid"]
    status, again = server.post(f"/dose/api/objects/{uid}/retry")
    assert (status, again["object"]["attempts"]) == (200, failed["attempts"] + 1)
    held = server.held()[failed["handle"]]
    assert server.delete(f"/dose/api/objects/{uid}")[0] == 200
    assert held not in server.ok("/instances")
    assert not [one for one in server.objects() if one["handle"] == failed["handle"]]


def test_a_lost_key_loses_no_object(server: OrthancServer) -> None:
    before = {one["sop_instance_uid"]: one for one in server.objects()}
    studies = server.studies()
    assert server.stop() == 0
    key = server.dose_directory / "identity.key"
    old = key.read_bytes()
    key.unlink()
    server.start()
    server.wait_until_idle()
    assert key.read_bytes() != old
    assert "is not the one with which the store was written" in server.log_of_this_start
    after = {one["sop_instance_uid"]: one for one in server.objects()}
    assert {one["handle"] for one in after.values()} == set(server.held())
    for uid, one in before.items():
        changed = ("handle", "series_handle")
        assert {k: v for k, v in after[uid].items() if k not in changed} == {
            k: v for k, v in one.items() if k not in changed
        }
    assert server.studies() == studies

"""What the rules of patient identity drop is nowhere: not in the store's files, its tables, the
logs, or any answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pydicom.dataset import Dataset

from orthanc_dose.extract import unpack
from orthanc_dose.samples import Patient, ct_report, make_studies
from orthanc_dose.samples.hostile import FATAL, HOSTILE, STORABLE
from tests.support.server import OrthancServer

# Texts that stand nowhere by chance.
FAMILY, GIVEN, ID, BIRTH, ACCESSION = (
    "Qvortrupsen",
    "Zebulonia",
    "PXZ-90210-K",
    "19371119",
    "ACQ-77-3141",
)
ALL = (FAMILY, GIVEN, ID, BIRTH, "1937-11-19", ACCESSION)
PATIENT = Patient(name=f"{FAMILY}^{GIVEN}", patient_id=ID, birth_date=BIRTH)
HOSTILES = sorted(
    STORABLE
    - FATAL
    - {"children_50000", "text_5_mb", "deflated_bomb", "wide", "depth_64", "depth_65"}
)


def with_identity(dataset: Dataset) -> Dataset:
    """An object of this patient, whose name and numbers stand where people put them, too."""
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = PATIENT.name, ID, BIRTH
    dataset.AccessionNumber = ACCESSION
    dataset.PatientComments = f"{GIVEN} {FAMILY}"
    dataset.StudyID = ID
    dataset.StudyDescription = f"Abdomen {GIVEN} {FAMILY}"
    dataset.ReferringPhysicianName = PATIENT.name
    request = Dataset()
    request.AccessionNumber, request.RequestedProcedureID = ACCESSION, ACCESSION
    dataset.RequestAttributesSequence = [request]
    block = dataset.private_block(0x0029, "TEST OF LEAKS", create=True)
    block.add_new(0x10, "LO", f"{FAMILY}, {GIVEN}")
    block.add_new(0x11, "OB", b"\0\1\2" + f"{ID} {ACCESSION}".encode() + b"\0")
    return dataset


def objects() -> list[Dataset]:
    found = [
        with_identity(dataset) for study in make_studies(12, seed=5) for dataset in study.datasets
    ]
    found.append(with_identity(ct_report(2, key="leak", patient=PATIENT)))
    no_report = with_identity(ct_report(2, key="leak-failed", patient=PATIENT))
    del no_report.ConceptNameCodeSequence
    return [*found, no_report]


def sent(server: OrthancServer) -> None:
    server.send(objects())
    for name in HOSTILES:
        server.upload(HOSTILE[name](3))
    server.wait_until_idle()


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path), path.read_bytes()


def cells(server: OrthancServer) -> Iterator[tuple[str, str]]:
    """Every value of every table, with kept content unpacked: DuckDB compresses what is in its
    file.
    """
    with duckdb.connect(str(server.dose_directory / "dose.duckdb"), read_only=True) as store:
        for (table,) in store.execute("SELECT table_name FROM duckdb_tables()").fetchall():
            result = store.execute(f'SELECT * FROM "{table}"')
            names = [column[0] for column in result.description]
            for row in result.fetchall():
                for name, value in zip(names, row, strict=True):
                    if isinstance(value, bytes):
                        kept = unpack(value)
                        value = (
                            kept.dataset,
                            kept.patient,
                            kept.notes,
                            kept.screen,
                            kept.not_patient,
                        )
                    yield f"{table}.{name}", str(value)


def answers(server: OrthancServer) -> Iterator[tuple[str, bytes]]:
    paths = ["/status", "/summary", "/studies?limit=500", "/objects?limit=500", "/tasks"]
    paths += ["/identity", "/not-patient", "/settings"]
    for study in server.studies(test_data="no,yes"):
        paths += [
            f"/studies/{study['id']}{tail}" for tail in ("", "/content", "/history", "/neighbours")
        ]
    for path in paths:
        yield path, server.request("GET", f"/dose/api{path}").content


def leaks(places: Iterable[tuple[str, bytes | str]], words: Iterable[str]) -> list[str]:
    found = []
    for place, content in places:
        raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        # Without regard to case; UTF-16, too.
        found += [
            f"{word} in {place}"
            for word in words
            if re.search(re.escape(word.encode()), raw, re.IGNORECASE)
            or word.encode("utf-16-le") in raw
        ]
    return found


def stopped_and_searched(server: OrthancServer, words: Iterable[str]) -> list[str]:
    assert server.stop() == 0
    return leaks([*files(server.dose_directory), ("the log", server.log), *cells(server)], words)


def temporary_files(since: float) -> Iterator[tuple[str, bytes]]:
    for path in Path("/tmp").glob("*"):
        if (
            path.is_file()
            and path.stat().st_mtime >= since
            and path.stat().st_uid == Path("/proc/self").stat().st_uid
        ):
            yield str(path), path.read_bytes()


def started(server: OrthancServer, path: str) -> int:
    status, answer = server.post(path)
    assert status == 202
    return int(answer["task_id"])


def run(server: OrthancServer, path: str) -> dict[str, Any]:
    """Start a task and wait for its end."""
    return end_of(server, started(server, path))


def end_of(server: OrthancServer, number: int) -> dict[str, Any]:
    task: dict[str, Any] = {}

    def ended() -> bool:
        task.update(server.ok(f"/dose/api/tasks/{number}"))
        return task["state"] not in ("waiting", "running")

    server.wait_for(ended, f"the end of task {number}", lambda: str(task))
    return task


def put(server: OrthancServer, **values: Any) -> None:
    assert server.request("PUT", "/dose/api/settings", json=values).status_code == 200


def test_with_everything_off_nothing_of_the_patient_is_anywhere() -> None:
    with OrthancServer(dose={"AccessionNumber": "none", "LogLevel": "debug"}) as server:
        began = server.log_path.stat().st_mtime
        sent(server)
        assert len(server.studies(test_data="no,yes")) > 12
        put(server, not_patient_names=["*phantom*"])
        assert server.post("/dose/api/not-patient/try", {"name": PATIENT.name, "id": ID})[0] == 200
        # While it runs: the write-ahead log, and what is spilled.
        assert leaks([*files(server.dose_directory), *answers(server)], ALL) == []
        assert leaks(temporary_files(began), ALL) == []
        assert stopped_and_searched(server, ALL) == []


def test_by_default_the_accession_number_alone_is_kept(server: OrthancServer) -> None:
    server.send(with_identity(ct_report(2, key="leak-default", patient=PATIENT)))
    server.wait_until_idle()
    [study] = server.studies(accession_number=ACCESSION)
    assert study["accession_number"] == ACCESSION
    assert stopped_and_searched(server, ALL[:-1]) == []


STORED = {
    "PatientName": "stored",
    "PatientID": "stored",
    "PatientBirthDate": "stored",
    "AccessionNumber": "stored",
    "LogLevel": "debug",
}
ITEMS = ("patient_name", "patient_id", "patient_birth_date", "accession_number")


@pytest.mark.parametrize("rule", ["none", "hashed", "sha256"])
def test_what_was_stored_is_gone_when_the_task_has_ended(rule: str) -> None:
    with OrthancServer(dose=STORED) as server:
        sent(server)
        before = {
            study["study_instance_uid"]: study
            for study in server.studies(patient_id=ID, columns=",".join(ITEMS))
        }
        assert len(before) > 12 and all(
            study["patient_birth_date"] == "1937-11-19" for study in before.values()
        )
        whole = {study["study_instance_uid"]: study for study in server.details(test_data="no,yes")}
        put(server, **dict.fromkeys(ITEMS, rule))
        told = {item["name"]: item for item in server.ok("/dose/api/identity")["items"]}
        assert all(
            told[item]["studies"]["stored"] == told[item]["can_change"] >= len(before)
            for item in ITEMS
        )
        task = run(server, "/dose/api/identity/apply")
        assert (task["state"], task["message"]) == ("done", None)
        done = "dropped" if rule == "none" else "hashed"
        counted = {item: task["result"]["items"][item][done] for item in ITEMS}
        assert counted == {item: told[item]["can_change"] for item in ITEMS}
        assert any(done in sentence for sentence in task["result"]["said"])
        assert all(item["can_change"] == 0 for item in server.ok("/dose/api/identity")["items"])
        # The doses are what they were.
        for study in server.details(test_data="no,yes"):
            old = whole[study["study_instance_uid"]]
            assert {name: study[name] for name in ("events", "accumulated")} == {
                name: old[name] for name in ("events", "accumulated")
            }
        # While the server goes on: the file is another, without what was dropped; nothing waits for
        # a restart.
        assert leaks([*files(server.dose_directory), *answers(server)], ALL) == []
        found = {study["study_instance_uid"] for study in server.studies(patient_id=ID)}
        assert found == (set() if rule == "none" else set(before))
        assert len(server.studies(patient_id=ID[:-1])) == 0
        # New studies go on into the new file.
        server.send(with_identity(ct_report(2, key="after the task", patient=PATIENT)))
        server.wait_until_idle()
        number = len(server.studies(test_data="no,yes"))
        assert stopped_and_searched(server, ALL) == []
        server.start()
        assert len(server.studies(test_data="no,yes")) == number


def test_a_task_that_is_killed_goes_on_to_its_end() -> None:
    with OrthancServer(dose=STORED) as server:
        server.send(
            [
                with_identity(dataset)
                for study in make_studies(60, seed=6)
                for dataset in study.datasets
            ]
        )
        server.wait_until_idle()
        studies = len(server.studies(patient_id=ID))
        put(server, **dict.fromkeys(ITEMS, "hashed"))
        number = started(server, "/dose/api/identity/apply")
        server.kill()
        server.start()
        task = end_of(server, number)
        assert task["state"] == "done"
        assert {item: task["result"]["items"][item]["hashed"] for item in ITEMS} == dict.fromkeys(
            ITEMS, studies
        )
        assert len(server.studies(patient_id=ID)) == studies
        assert stopped_and_searched(server, ALL) == []


def test_what_cannot_be_brought_back_is_counted_and_said() -> None:
    with OrthancServer(dose={"PatientID": "hashed"}) as server:
        server.send(objects()[:3])
        server.wait_until_idle()
        studies = len(server.studies(test_data="no,yes"))
        put(server, patient_id="stored", patient_name="sha256")
        items = run(server, "/dose/api/identity/apply")["result"]["items"]
        assert items["patient_id"] == {"dropped": 0, "hashed": 0, "cannot": studies}
        assert items["patient_name"] == {"dropped": 0, "hashed": 0, "cannot": studies}
        said = server.ok("/dose/api/tasks?kind=apply-identity")["tasks"][0]["result"]["said"]
        assert (
            f"Studies that hold the patient ID as a hash: {studies}. A hash cannot be stored as "
            "written." in said
        )
        assert len(server.studies(patient_id=ID)) == studies  # found by its hash still


def counted(server: OrthancServer) -> int:
    """Studies that the overview counts."""
    return sum(row["studies"] for row in server.ok("/dose/api/summary")["modalities"])


def test_not_patient_patterns_are_applied_to_what_is_there() -> None:
    with OrthancServer(dose=STORED | {"NotPatientIDs": ["qa*"]}) as server:
        phantom = Patient(name="PHANTOM^Head", patient_id="QA7", birth_date="")
        server.send(
            ct_report(2, key="phantom", patient=phantom),
            ct_report(2, key="person", patient=PATIENT),
        )
        server.send(
            ct_report(
                2,
                key="another",
                patient=Patient(name="Somebody^Else", patient_id="4711", birth_date=""),
            )
        )
        server.wait_until_idle()
        [study] = server.studies(test_data="yes")
        assert study["not_patient_indicator"] == "ID: qa*"
        assert counted(server) == 2
        put(server, not_patient_ids=[], not_patient_names=["*phantom*", f"{FAMILY.lower()}*"])
        result = run(server, "/dose/api/not-patient/apply")["result"]
        assert (result["set"], result["changed"], result["cleared"], result["cannot_say"]) == (
            1,
            1,
            0,
            0,
        )
        found = {study["not_patient_indicator"] for study in server.studies(test_data="yes")}
        assert found == {"name: *phantom*", f"name: {FAMILY.lower()}*"}
        assert counted(server) == 1  # of patients
        put(server, not_patient_names=[], patient_name="none", patient_id="none")
        assert run(server, "/dose/api/identity/apply")["state"] == "done"
        result = run(server, "/dose/api/not-patient/apply")["result"]
        assert (result["cleared"], result["cannot_say"]) == (0, 3)
        assert {
            study["not_patient_indicator"] for study in server.studies(test_data="yes")
        } == found


def test_a_name_can_be_tried_and_openrems_patterns_are_there(server: OrthancServer) -> None:
    told = server.ok("/dose/api/not-patient")
    assert told["openrem"] == {
        "names": ["*phys*", "*test*", "*qa*"],
        "ids": ["*phy*", "*test*", "*qa*"],
    }
    put(server, not_patient_names=told["openrem"]["names"], not_patient_ids=told["openrem"]["ids"])
    status, found = server.post("/dose/api/not-patient/try", {"name": "Physics^RoutIQ", "id": "12"})
    assert (status, found) == (200, {"name": "*phys*", "id": None, "indicator": "name: *phys*"})
    assert server.post("/dose/api/not-patient/try", {"name": 1})[0] == 400
    assert server.post("/dose/api/not-patient/try", {"surname": "x"})[0] == 400

"""The data that SQL reads: how old they are, how they are made anew, and that they go when the rules of
identity take from the store what they hold.
"""

from collections.abc import Iterator

import pytest

from orthanc_dose import samples
from orthanc_dose.samples import Patient
from tests.support.server import OrthancServer
from tests.support.sql import ask, rows

COUNT = "SELECT count(*) FROM study"
PATIENT = Patient(name="Somebody^Known", patient_id="4711-0815", birth_date="19500101")


@pytest.fixture
def server() -> Iterator[OrthancServer]:
    with OrthancServer(dose={"PatientName": "stored", "PatientID": "stored"}) as running:
        send(running, "first")
        yield running


def send(server: OrthancServer, key: str) -> None:
    server.send(samples.ct_report(2, key=key, patient=PATIENT))
    server.wait_until_idle()


def put(server: OrthancServer, **values: object) -> None:
    assert server.request("PUT", "/dose/api/settings", json=values).status_code == 200


def test_data_are_as_old_as_is_set_and_say_so(server: OrthancServer) -> None:
    data = server.ok("/dose/api/sql/data")
    assert (data["as_of"], data["is_current"], data["making"]) == (None, False, None)
    put(server, sql_age=1440)
    _, first = ask(server, COUNT)
    data = server.ok("/dose/api/sql/data")
    assert first["rows"] == [[1]]
    assert (data["as_of"], data["is_current"]) == (first["as_of"], True)
    assert data["bytes"] == sum(
        path.stat().st_size for path in (server.dose_directory / "sql").rglob("*.parquet")
    )

    send(server, "second")
    _, old = ask(server, COUNT)
    assert (old["rows"], old["as_of"]) == ([[1]], first["as_of"])
    assert server.ok("/dose/api/sql/data")["is_current"] is False

    status, _ = server.post("/dose/api/sql/data")
    assert status == 200
    server.wait_for(
        lambda: (
            server.ok("/dose/api/sql/data")["is_current"]
            and server.ok("/dose/api/sql/data")["making"] is None
        ),
        "a new copy",
    )
    assert rows(server, COUNT) == [[2]]
    # The one before is gone.
    assert len(list((server.dose_directory / "sql").glob("*/views"))) == 1

    put(server, sql_age=0)
    send(server, "third")
    assert rows(server, COUNT) == [[3]]
    # Where nothing has changed, the copy stays.
    before = server.ok("/dose/api/sql/data")["as_of"]
    assert rows(server, COUNT) == [[3]]
    assert server.ok("/dose/api/sql/data")["as_of"] == before


def test_what_the_rules_of_identity_drop_is_in_no_copy(server: OrthancServer) -> None:
    put(server, sql_age=1440)
    name = "SELECT patient_name, patient_id FROM study"
    assert rows(server, name) == [["Somebody, Known", "4711-0815"]]
    put(server, patient_name="none", patient_id="none")
    status, task = server.post("/dose/api/identity/apply")
    assert status == 202, task
    address = f"/dose/api/tasks/{task['task_id']}"
    server.wait_for(lambda: server.ok(address)["finished_at"] is not None, "the task")
    assert server.ok(address)["state"] == "done"
    assert not list((server.dose_directory / "sql").rglob("*.parquet"))
    assert rows(server, name) == [[None, None]]


def test_copies_go_with_the_server(server: OrthancServer) -> None:
    assert rows(server, COUNT) == [[1]]
    folder = server.dose_directory / "sql"
    assert list(folder.rglob("*.parquet"))
    assert server.stop() == 0
    assert not folder.exists()
    server.start()
    assert rows(server, COUNT) == [[1]]
    server.kill()
    assert list(folder.rglob("*.parquet"))
    server.start()
    assert not list(folder.rglob("*.parquet"))


def test_a_copy_that_cannot_be_made_is_said(server: OrthancServer) -> None:
    # A file where the folder would be.
    (server.dose_directory / "sql").write_bytes(b"")
    status, answer = ask(server, COUNT)
    assert (status, answer["error"]["code"]) in ((409, "sql_no_data"), (409, "sql_failed")), answer
    assert server.status()
    (server.dose_directory / "sql").unlink()
    assert rows(server, COUNT) == [[1]]

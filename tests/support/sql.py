"""A running server with studies to query by SQL, and queries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from orthanc_dose import samples
from orthanc_dose.samples import make_studies

from .server import OrthancServer

# Of one patient; and of an administrator who may neither see who patients are nor export.
NAME, PATIENT_ID = "Somebody^Known", "4711-0815"
HELPER = ("helper", "another password of the tests")


@contextmanager
def sql_server() -> Iterator[OrthancServer]:
    """Yield a server that stores names and IDs, with some studies, and the user HELPER."""
    with OrthancServer(dose={"PatientName": "stored", "PatientID": "stored"}) as running:
        running.send(make_studies(30, seed=5))
        odd = samples.ct_report(3, key="odd")
        odd.StudyDescription, odd.PatientName, odd.PatientID = (
            "=cmd|' /C calc'!A0, \"odd one\"",
            NAME,
            PATIENT_ID,
        )
        running.send(odd)
        running.wait_until_idle()
        body = {"groups": ["administration"], "password": HELPER[1]}
        assert running.request("PUT", f"/dose/api/users/{HELPER[0]}", json=body).status_code in (
            200,
            201,
        )
        yield running


def ask(server: OrthancServer, sql: str, **more: Any) -> tuple[int, Any]:
    answer = server.request("POST", "/dose/api/sql", json={"sql": sql}, **more)
    return answer.status_code, answer.json()


def rows(server: OrthancServer, sql: str, **more: Any) -> list[list[Any]]:
    status, answer = ask(server, sql, **more)
    assert status == 200, answer
    return answer["rows"]

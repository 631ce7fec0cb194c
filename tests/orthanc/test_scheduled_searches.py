"""Saved searches over the API of a real server: saved, run, with what they found fetched, deleted, refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from orthanc_dose import samples
from tests.orthanc.test_searches import _study
from tests.support.server import OrthancServer

WHOLE = {"node": "archive", "question": {"groups": ["CT"]}, "cron": "30 2 * * *", "time_zone": "Europe/Berlin", "look_back": 2,
         "unit": "days", "fetch": True, "on": True}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with OrthancServer(plugin=False, overrides={"DicomAet": "PACS"}) as pacs:
        modalities = {"archive": ["PACS", "127.0.0.1", pacs.dicom_port]}
        with OrthancServer(overrides={"DicomModalities": modalities, "DicomAet": "OURS"}) as ours:
            pacs.request("PUT", "/modalities/ours", json={"AET": "OURS", "Host": "127.0.0.1", "Port": ours.dicom_port})
            made = _study(1, samples.ct_report(2, key="scheduled"), samples.ct_slice(1))
            for one in made:
                one.StudyDate = f"{date.today():%Y%m%d}"
            pacs.send(made)
            yield ours


def put(server: OrthancServer, name: str, body: Any) -> tuple[int, Any]:
    answer = server.request("PUT", f"/dose/api/schedules/{name}", json=body)
    return answer.status_code, answer.json()


def test_a_saved_search_is_run_and_what_it_finds_is_fetched(server: OrthancServer) -> None:
    status, made = put(server, "nightly", WHOLE)
    assert status == 200 and made["user"] == "dose" and made["next_run"] and made["last_task"] is None
    assert made["question"]["groups"] == ["CT"] and "first" not in made["question"]
    answer = server.request("POST", "/dose/api/schedules/nightly/run", json={})
    assert answer.status_code == 202 and answer.json()["kind"] == "node-search"
    server.wait_for(lambda: server.ok("/dose/api/studies/count?modality=CT")["total"] == 1, "the study")
    [again] = server.ok("/dose/api/schedules")["schedules"]
    assert again["last_task"] == answer.json()["id"]
    retrieval = server.ok("/dose/api/tasks?kind=retrieval")["tasks"][0]
    assert retrieval["parameters"]["search"] == answer.json()["id"]
    # It stays after a restart.
    server.stop()
    server.start()
    assert server.ok("/dose/api/schedules")["schedules"][0]["cron"] == "30 2 * * *"
    assert server.delete("/dose/api/schedules/nightly") == (200, {"deleted": "nightly"})
    assert server.ok("/dose/api/schedules")["schedules"] == []
    assert server.delete("/dose/api/schedules/nightly")[0] == 404
    assert server.request("POST", "/dose/api/schedules/nightly/run", json={}).status_code == 404


@pytest.mark.parametrize(("change", "status", "field"), [
    ({"cron": "x"}, 409, "cron"), ({"time_zone": "Nowhere"}, 409, "time_zone"), ({"node": "nobody"}, 409, "node"),
    ({"unit": "weeks"}, 400, "unit"), ({"look_back": -1}, 400, "look_back"), ({"look_back": True}, 400, "look_back"),
    ({"fetch": 1}, 400, "fetch"), ({"question": {"groups": []}}, 400, "groups"), ({"cron": 5}, 400, "cron"),
    ({"question": {"groups": ["CT"], "first": "2026-01-01"}}, 400, "question"), ({"other": 1}, 400, None),
])  # fmt: skip
def test_what_is_no_schedule_is_refused(server: OrthancServer, change: dict[str, Any], status: int, field: str | None) -> None:
    found, answer = put(server, "new", WHOLE | change)
    assert (found, answer["error"]["field"]) == (status, field)

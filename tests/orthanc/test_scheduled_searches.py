"""Saved searches over the API of a real server: saved, run, with what they found fetched, deleted,
refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from orthanc_dose import samples
from tests.orthanc.test_searches import _study
from tests.support.server import OrthancServer, beside

WHOLE = {
    "node": "archive",
    "question": {"groups": ["CT"]},
    "cron": "30 2 * * *",
    "time_zone": "Europe/Berlin",
    "look_back": 2,
    "unit": "days",
    "fetch": True,
    "on": True,
}


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with OrthancServer(plugin=False, overrides={"DicomAet": "PACS"}) as pacs, beside(pacs) as ours:
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
    assert (
        status == 200 and made["user"] == "dose" and made["next_run"] and made["last_task"] is None
    )
    assert made["question"]["groups"] == ["CT"] and "first" not in made["question"]
    answer = server.request("POST", "/dose/api/schedules/nightly/run", json={})
    assert answer.status_code == 202 and answer.json()["kind"] == "node-search"
    server.wait_for(
        lambda: server.ok("/dose/api/studies/count?modality=CT")["total"] == 1, "the study"
    )
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


def test_each_run_tells_what_came_of_it_also_when_its_tasks_are_forgotten(
    server: OrthancServer,
) -> None:
    # What is fetched is a gap no more, what is left is one: the second run fetches nothing.
    for fetch in (True, False):
        assert put(server, "told", WHOLE | {"fetch": fetch})[0] == 200
        number = server.request("POST", "/dose/api/schedules/told/run", json={}).json()["id"]
        server.wait_for(lambda number=number: not going_on(server, number), "the run")  # type: ignore[misc]
    [told] = server.ok("/dose/api/schedules")["schedules"]
    second, first = told["runs"]
    assert second["search"] == told["last_task"] == number and second["retrieval"] is None
    for run in (first, second):
        search = server.ok(f"/dose/api/tasks/{run['search']}")
        assert {name: run[name] for name in ("state", "started_at", "finished_at", "result")} == {
            name: search[name] for name in ("state", "started_at", "finished_at", "result")
        }
        assert run["state"] == "done" and not run["is_forgotten"] and run["message"] is None
        assert "gaps" in run["result"]
    assert server.delete("/dose/api/tasks")[0] == 200
    [after] = server.ok("/dose/api/schedules")["schedules"]
    assert after["runs"] == [run | {"is_forgotten": True} for run in (second, first)]
    assert server.delete("/dose/api/schedules/told")[0] == 200
    assert put(server, "told", WHOLE)[1]["runs"] == []
    assert server.delete("/dose/api/schedules/told")[0] == 200


def going_on(server: OrthancServer, search: int) -> bool:
    """Whether a search goes on, or what it found is fetched."""
    of = server.ok(f"/dose/api/searches/{search}")
    return any(task["finished_at"] is None for task in (of["search"], *of["retrievals"]))


def test_a_schedule_needs_the_right_of_who_saved_it(server: OrthancServer) -> None:
    def user(**body: Any) -> int:
        return server.request("PUT", "/dose/api/users/anna", json=body).status_code

    def told() -> Any:
        [one] = server.ok("/dose/api/schedules")["schedules"]
        return one["missing_right"], one["next_run"] is not None, one["user"]

    assert user(groups=["query-retrieve"], password="words-nobody-knows") == 200
    saved = server.request(
        "PUT", "/dose/api/schedules/annas", json=WHOLE, auth=("anna", "words-nobody-knows")
    )
    assert saved.status_code == 200 and told() == (False, True, "anna")
    refused: list[dict[str, Any]] = [
        {"groups": ["view"]},
        {"groups": ["query-retrieve"], "disabled": True},
    ]
    for change in refused:
        assert user(**change) == 200 and told() == (True, False, "anna")
        answer = server.request("POST", "/dose/api/schedules/annas/run", json={})
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_possible")
        assert user(groups=["query-retrieve"], disabled=False) == 200 and told() == (
            False,
            True,
            "anna",
        )
    assert server.delete("/dose/api/users/anna")[0] == 200 and told() == (True, False, "anna")
    # Whoever saves it again is asked instead.
    assert put(server, "annas", WHOLE)[0] == 200 and told() == (False, True, "dose")
    assert server.delete("/dose/api/schedules/annas")[0] == 200


@pytest.mark.parametrize(("change", "status", "field"), [
    ({"cron": "x"}, 409, "cron"), ({"time_zone": "Nowhere"}, 409, "time_zone"), ({"node": "nobody"}, 409, "node"),
    ({"unit": "weeks"}, 400, "unit"), ({"look_back": -1}, 400, "look_back"), ({"look_back": True}, 400, "look_back"),
    ({"fetch": 1}, 400, "fetch"), ({"question": {"groups": []}}, 400, "question.groups"), ({"cron": 5}, 400, "cron"),
    ({"question": {"groups": ["CT"], "first": "2026-01-01"}}, 400, "question.first"), ({"other": 1}, 400, "other"),
])  # fmt: skip
def test_what_is_no_schedule_is_refused(
    server: OrthancServer, change: dict[str, Any], status: int, field: str | None
) -> None:
    found, answer = put(server, "new", WHOLE | change)
    assert (found, answer["error"]["field"]) == (status, field)

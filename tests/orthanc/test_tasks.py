"""Long work in a real server: progress, stopping, a restart in the middle, forgetting."""

import time
from typing import Any

import pytest

from orthanc_dose.samples import make_studies
from tests.support.server import OrthancServer


@pytest.fixture
def filled(server: OrthancServer) -> OrthancServer:
    server.send(make_studies(60, seed=8))
    server.wait_until_idle()
    return server


def task(server: OrthancServer, number: int) -> dict[str, Any]:
    return server.ok(f"/dose/api/tasks/{number}")


def wait_for_state(server: OrthancServer, number: int, *states: str) -> dict[str, Any]:
    server.wait_for(
        lambda: task(server, number)["state"] in states, f"task {number} to be {states}"
    )
    return task(server, number)


def start(server: OrthancServer) -> int:
    status, answer = server.post("/dose/api/reextract")
    assert status == 202
    return int(answer["task_id"])


def test_a_task_tells_how_far_it_is_and_what_came_of_it(filled: OrthancServer) -> None:
    number = start(filled)
    studies = {study["study_instance_uid"] for study in filled.studies()}
    done = wait_for_state(filled, number, "done")
    assert (done["kind"], done["user_name"]) == ("re-extraction", "dose")
    assert (done["done"], done["total"]) == (len(studies), len(studies))
    assert done["result"]["changed"] == 0 and done["message"] is None
    assert done["created_at"] <= done["started_at"] <= done["finished_at"]
    assert filled.ok("/dose/api/tasks?state=done&kind=re-extraction")["tasks"] == [done]
    running = filled.ok("/dose/api/tasks?state=running")
    assert (running["total"], running["tasks"]) == (0, [])
    assert {state: count for state, count in running["states"].items() if count} == {"done": 1}
    assert running["now"] >= done["finished_at"]


def test_a_task_goes_on_after_a_kill(filled: OrthancServer) -> None:
    total = len({study["study_instance_uid"] for study in filled.studies()})
    number = start(filled)
    filled.kill()
    filled.start()
    done = wait_for_state(filled, number, "done")
    assert (done["done"], done["total"]) == (total, total)


def test_a_stopped_task_stays_stopped_and_can_be_forgotten(filled: OrthancServer) -> None:
    first = start(filled)
    status, _ = filled.post(f"/dose/api/tasks/{first}/stop")
    if status == 409:  # it was quicker
        assert task(filled, first)["state"] == "done"
    else:
        assert wait_for_state(filled, first, "stopped", "done")["finished_at"]
    filled.restart()
    time.sleep(0.5)
    assert task(filled, first)["state"] in ("stopped", "done")
    assert filled.post(f"/dose/api/tasks/{first}/stop")[0] == 409
    assert filled.delete(f"/dose/api/tasks/{first}") == (200, {"deleted": 1})
    assert filled.get(f"/dose/api/tasks/{first}")[0] == 404
    assert start(filled) > first, "a number is never given twice"


def test_a_task_that_is_not_finished_cannot_be_forgotten(filled: OrthancServer) -> None:
    number = start(filled)
    status, answer = filled.delete(f"/dose/api/tasks/{number}")
    if task(filled, number)["state"] in ("waiting", "running"):
        assert status == 409 and answer["error"]["code"] == "not_finished"
    wait_for_state(filled, number, "done")


def test_the_log_of_a_task_that_has_none_is_empty(filled: OrthancServer) -> None:
    number = start(filled)
    wait_for_state(filled, number, "done")
    assert filled.ok(f"/dose/api/tasks/{number}/log") == {"total": 0, "outcomes": {}, "lines": []}


def test_all_finished_tasks_are_forgotten_at_once(filled: OrthancServer) -> None:
    for _ in range(2):
        wait_for_state(filled, start(filled), "done")
    going = start(filled)
    status, answer = filled.delete("/dose/api/tasks")
    assert (status, answer["deleted"] in (2, 3)) == (200, True)
    left = filled.ok("/dose/api/tasks")["tasks"]
    assert [one["id"] for one in left] == ([going] if answer["deleted"] == 2 else [])

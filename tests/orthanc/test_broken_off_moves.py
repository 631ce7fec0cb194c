"""Retrievals that are broken off in the middle: stopped, by a kill, by a node that is removed, by a
PACS that goes away.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pydicom.dataset import Dataset

from tests.orthanc.test_bad_moves import (
    ended,
    fetched,
    held,
    lines,
    offers,
    reports,
    result,
    searched,
    task_of,
    uids,
)
from tests.support.archive import PENDING, Archive, Manner, Move, well
from tests.support.server import OrthancServer

AT_ONCE = 2  # as many as Orthanc does without a setting of its own
# How long the node may be silent. Here it only is because the machine is busy.
PATIENCE_S = 600


@pytest.fixture
def pair() -> Iterator[tuple[Archive, OrthancServer]]:
    """The PACS, and ours, to which the node was added."""
    with (
        Archive() as archive,
        OrthancServer(dose={"MovePause": 0}, overrides={"DicomAet": "OURS"}) as server,
    ):
        archive.known["OURS"] = ("127.0.0.1", server.dicom_port)
        node = {"aet": "BAD", "host": "127.0.0.1", "port": archive.port, "seconds": PATIENCE_S}
        assert server.request("PUT", "/dose/api/nodes/bad", json=node).status_code == 200
        yield archive, server


class Gate:
    """Moves begin, send an object, and come to no end until it is opened."""

    def __init__(self) -> None:
        self.is_open = threading.Event()

    def manner(self, move: Move) -> None:
        move.send(move.objects[0])
        while not self.is_open.wait(0.2) and move.is_listened_to:
            move.answer(PENDING)
        if move.is_listened_to:
            well(move)


def many(archive: Archive, key: str) -> list[Dataset]:
    return offers(archive, [one for number in range(6) for one in reports(2, f"{key} {number}")])


def begun(archive: Archive, server: OrthancServer, search: int, manner: Manner) -> str:
    """A retrieval of which as many moves are under way as may be."""
    archive.will(manner)
    task = task_of(server, f"/searches/{search}/retrieve")
    server.wait_for(lambda: len(archive.asked) == AT_ONCE, "the moves")
    return task


def jobs(server: OrthancServer) -> list[str]:
    """States of Orthanc's jobs that move."""
    return sorted(
        one["State"] for one in server.ok("/jobs?expand") if one["Type"] == "DicomMoveScu"
    )


def test_stopping_stops_the_jobs_of_orthanc_and_the_rest_can_be_fetched_later(pair: Any) -> None:
    archive, server = pair
    made, gate = many(archive, "stopped"), Gate()
    assert (
        server.request("PUT", "/dose/api/settings", json={"moves_at_once": AT_ONCE + 2}).status_code
        == 200
    )
    search = searched(server)
    task = begun(archive, server, search, gate.manner)
    server.wait_for(
        lambda: jobs(server) == ["Pending"] * 2 + ["Running"] * AT_ONCE, "jobs that wait"
    )
    assert server.request("POST", f"{task}/stop", json={}).status_code in (200, 202)
    assert ended(server, task)["state"] == "stopped"
    # A C-MOVE that is under way Orthanc lets come to its end.
    assert jobs(server) == ["Failure"] * 2 + ["Running"] * AT_ONCE
    gate.is_open.set()
    server.wait_for(lambda: not {"Pending", "Running"} & set(jobs(server)), "the end of the jobs")
    assert len(archive.asked) == AT_ONCE
    archive.will(well)
    assert fetched(server, search) == result(12, 12, series=6)
    assert held(server, made) == uids(made)


def test_a_kill_in_the_middle_loses_nothing_and_doubles_nothing(pair: Any) -> None:
    archive, server = pair
    made, gate = many(archive, "killed"), Gate()
    search = searched(server)
    task = begun(archive, server, search, gate.manner)
    server.kill()
    archive.will(well)
    server.start()
    assert ended(server, task)["result"] == result(12, 12, series=6)
    assert held(server, made) == uids(made)
    assert {
        (line["state"], line["asked_for"], line["arrived"]) for line in lines(server, search)
    } == {("moved", 2, 2)}


def test_an_end_in_order_in_the_middle_fails_nothing(pair: Any) -> None:
    """Orthanc takes its servers down, one after the other, and waits for the moves."""
    archive, server = pair
    made, gate = many(archive, "ended"), Gate()
    search = searched(server)
    task = begun(archive, server, search, gate.manner)
    ending = threading.Thread(target=server.stop)
    ending.start()
    while "HTTP server has stopped" not in server.log:
        assert ending.is_alive()
        ending.join(0.1)
    gate.is_open.set()
    ending.join()
    archive.will(well)
    server.start()
    assert ended(server, task)["result"] == result(12, 12, series=6)
    assert held(server, made) == uids(made)


def test_a_node_that_is_removed_in_the_middle(pair: Any) -> None:
    archive, server = pair
    gate = Gate()
    many(archive, "removed")
    search = searched(server)
    task = begun(archive, server, search, gate.manner)
    node = server.ok("/dose/api/nodes")["nodes"][0]
    assert server.delete("/dose/api/nodes/bad")[0] == 200
    gate.is_open.set()
    assert ended(server, task)["result"]["failed"] > 0
    failed = [line for line in lines(server, search) if line["state"] == "failed"]
    assert {line["fault"] for line in failed} == {"Orthanc has no node with this name."}
    answer = server.request("POST", f"/dose/api/searches/{search}/retrieve", json={})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_possible")
    same = {field: node[field] for field in ("aet", "host", "port", "seconds")}
    assert server.request("PUT", "/dose/api/nodes/bad", json=same).status_code == 200
    assert fetched(server, search) == result(12, 12, series=6)


def test_a_node_that_is_removed_while_the_server_is_down(pair: Any) -> None:
    archive, server = pair
    many(archive, "removed meanwhile")
    search = searched(server)
    task = begun(archive, server, search, Gate().manner)
    assert server.delete("/dose/api/nodes/bad")[0] == 200
    server.kill()
    server.start()
    told = ended(server, task)
    assert (told["state"], told["message"]) == ("failed", "Orthanc has no node with this name.")


def test_a_pacs_that_goes_away_and_comes_back(pair: Any) -> None:
    archive, server = pair
    made = many(archive, "away")
    search = searched(server)
    assert server.request("PUT", "/dose/api/settings", json={"move_pause": 2}).status_code == 200
    task = begun(archive, server, search, Gate().manner)
    archive.stop()

    def is_said() -> bool:
        faults = {line["fault"] for line in lines(server, search)}
        return "No program is listening at the node's address (connection refused)." in faults

    server.wait_for(is_said, "what is said of it")
    assert server.ok(task)["finished_at"] is None
    archive.will(well)
    archive.start()
    assert ended(server, task)["result"] == result(12, 12, series=6)
    assert held(server, made) == uids(made)

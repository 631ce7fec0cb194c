"""Fetching over DICOM from a real PACS: what was chosen arrives and is imported, and nothing else;
what fails is said.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from orthanc_dose import samples
from tests.orthanc.test_searches import DAY, _study, found
from tests.support.server import PASSWORD, ROOT, USER, OrthancServer, _free_ports, beside


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[OrthancServer, OrthancServer]]:
    """The PACS, and ours, which know each other."""
    with (
        OrthancServer(plugin=False, overrides={"DicomAet": "PACS"}) as pacs,
        beside(pacs, gone=["GONE", "127.0.0.1", _free_ports(1)[0]]) as ours,
    ):
        for number in range(1, 5):
            report = samples.ct_report(2, key=f"retrieved {number}")
            pacs.send(
                _study(number, report, *(samples.ct_slice(number * 10 + n) for n in range(3)))
            )
        pet = samples.nuclear_images("ge-pet")
        pacs.send(_study(7, *pet))
        yield pacs, ours


def run(server: OrthancServer, path: str, body: Any = None) -> dict[str, Any]:
    """A finished task."""
    answer = server.request("POST", f"/dose/api{path}", json=body or {})
    assert answer.status_code == 202, answer.text
    task = f"/dose/api/tasks/{answer.json()['id']}"
    server.wait_for(lambda: server.ok(task)["finished_at"] is not None, "the task")
    return server.ok(task)


def search(server: OrthancServer, *groups: str, **more: Any) -> dict[str, Any]:
    return run(
        server,
        "/nodes/archive/searches",
        {"first": DAY, "last": DAY, "groups": list(groups)} | more,
    )


def held(server: OrthancServer) -> int:
    return server.ok("/statistics")["CountInstances"]


def test_what_was_chosen_arrives_and_nothing_else(pair: Any) -> None:
    _, server = pair
    asked = search(server, "CT")
    kept = found(server, asked, kept="yes")
    assert [line["reason"] for line in kept] == ["dose_report"] * 4
    off = {"lines": [kept[0]["line"]], "chosen": False}
    assert server.request("PUT", f"/dose/api/searches/{asked['id']}/chosen", json=off).json() == {
        "changed": 1
    }
    task = run(server, f"/searches/{asked['id']}/retrieve")
    assert task["state"] == "done" and task["result"] == {
        "series": 3,
        "failed": 0,
        "asked_for": 3,
        "arrived": 3,
        "imported": 3,
        "missing": 0,
        "not_listed": 0,
    }
    assert held(server) == 3 and server.ok("/dose/api/studies/count?modality=CT")["total"] == 3
    lines = {line["line"]: line for line in found(server, asked, kept="yes")}
    assert [
        (one["state"], one["asked_for"], one["arrived"], one["imported"]) for one in lines.values()
    ] == [
        (None, None, None, None),
        *[("moved", 1, 1, 1)] * 3,
    ]
    # Asked once more only what was ticked off is left.
    again = search(server, "CT")
    assert again["result"]["kept_series"] == 1 and again["result"]["left_series"]["known"] == 3


def test_single_images_are_fetched_by_themselves(pair: Any) -> None:
    _, server = pair
    before = held(server)
    asked = search(server, "NM")
    assert [(line["reason"], len(line["images"])) for line in found(server, asked, kept="yes")] == [
        ("pet_image", 1)
    ]
    task = run(server, f"/searches/{asked['id']}/retrieve")
    assert (task["result"]["arrived"], task["result"]["missing"], held(server) - before) == (
        1,
        0,
        1,
    )


def test_a_move_to_an_unknown_destination_fails_and_says_why(
    pair: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, server = pair
    assert (
        server.request("PUT", "/dose/api/nodes/archive", json={"destination": "NOBODY"}).status_code
        == 200
    )
    try:
        asked = search(server, "CT")
        answer = server.request("POST", f"/dose/api/searches/{asked['id']}/retrieve", json={})
        task = f"/dose/api/tasks/{answer.json()['id']}"
        server.wait_for(lambda: server.ok(task)["state"] == "running", "the retrieval")
        # It is tried again, with pauses: nobody waits for all of them.
        assert server.request("POST", f"{task}/stop", json={}).status_code == 200
        server.wait_for(lambda: server.ok(task)["finished_at"] is not None, "its end")
        assert server.ok(task)["state"] == "stopped"
    finally:
        server.request("PUT", "/dose/api/nodes/archive", json={"destination": ""})


def test_a_retrieval_goes_on_after_a_restart(pair: Any) -> None:
    pacs, server = pair
    for number in range(20, 40):
        pacs.send(
            _study(
                number, samples.ct_report(1, key=f"later {number}"), samples.ct_slice(1000 + number)
            )
        )
    asked = search(server, "CT")
    assert asked["result"]["kept_series"] == 21
    number = server.request("POST", f"/dose/api/searches/{asked['id']}/retrieve", json={}).json()[
        "id"
    ]
    server.kill()
    server.start()
    server.wait_for(
        lambda: server.ok(f"/dose/api/tasks/{number}")["finished_at"] is not None, "the retrieval"
    )
    result = server.ok(f"/dose/api/tasks/{number}")["result"]
    assert (result["series"], result["arrived"], result["missing"]) == (21, 21, 0)


def test_what_the_node_lost_fails_and_is_fetched_once_more_when_it_has_it_again(pair: Any) -> None:
    pacs, server = pair
    lost = _study(70, samples.ct_report(1, key="lost"), samples.ct_slice(5000))
    pacs.send(lost)
    asked = search(server, "CT")
    [line] = found(server, asked, kept="yes")
    [orthancs] = [
        one["ID"]
        for one in pacs.post("/tools/lookup", b"1.2.826.0.1.70")[1]
        if one["Type"] == "Study"
    ]
    assert pacs.delete(f"/studies/{orthancs}")[0] == 200
    first = run(server, f"/searches/{asked['id']}/retrieve")
    assert (first["result"]["failed"], first["result"]["arrived"], first["result"]["missing"]) == (
        1,
        0,
        1,
    )
    [line] = found(server, asked, kept="yes")
    assert (line["state"], line["fault"]) == ("failed", "The node no longer has it.")
    pacs.send(lost)
    second = run(server, f"/searches/{asked['id']}/retrieve")
    assert (
        second["result"]["failed"],
        second["result"]["arrived"],
        second["result"]["missing"],
    ) == (0, 1, 0)
    of_search = server.ok(f"/dose/api/searches/{asked['id']}")
    assert of_search["search"] == asked and [one["id"] for one in of_search["retrievals"]] == [
        second["id"],
        first["id"],
    ]


def test_one_retrieval_of_a_search_at_a_time(pair: Any) -> None:
    pacs, server = pair
    pacs.send(
        *(
            _study(80 + n, samples.ct_report(1, key=f"at once {n}"), samples.ct_slice(6000 + n))
            for n in range(5)
        )
    )
    asked = search(server, "CT")
    assert asked["result"]["kept_series"] == 5
    # The first lasts until it is stopped: it can fetch nothing, and waits to try again.
    assert (
        server.request("PUT", "/dose/api/nodes/archive", json={"destination": "NOBODY"}).status_code
        == 200
    )

    def start(turn: int) -> Any:
        return server.request("POST", f"/dose/api/searches/{asked['id']}/retrieve", json={})

    try:
        # At once, and one more afterwards.
        with ThreadPoolExecutor(6) as at_once:
            answers = [*at_once.map(start, range(6)), start(7)]
        assert sorted(one.status_code for one in answers) == [202, *[409] * 6]
        assert {one.json()["error"]["code"] for one in answers if one.status_code == 409} == {
            "not_finished"
        }
        begun = next(one.json()["id"] for one in answers if one.status_code == 202)
        assert server.request("POST", f"/dose/api/tasks/{begun}/stop", json={}).status_code == 200
        server.wait_for(
            lambda: server.ok(f"/dose/api/tasks/{begun}")["finished_at"] is not None, "its end"
        )
    finally:
        server.request("PUT", "/dose/api/nodes/archive", json={"destination": ""})
    assert (
        run(server, f"/searches/{asked['id']}/retrieve")["result"]["imported"]
        == asked["result"]["objects"]
    )


def test_the_command(pair: Any) -> None:
    pacs, server = pair
    pacs.send(_study(50, samples.ct_report(1, key="by command"), samples.ct_slice(1050)))
    day = ("--from", DAY, "--to", DAY)
    done = command(
        server,
        "archive",
        "--ct",
        *day,
        "--search-only",
        "--leave-out-descriptions",
        "Study 2,Study 3",
    )
    assert (
        done.returncode == 0
        and "fetch: 1 series, 1 objects." in done.stdout
        and "known: " in done.stdout
    ), done.stdout
    done = command(server, "archive", "--ct", *day)
    assert (
        done.returncode == 0
        and "1 objects requested, 1 arrived, 1 imported, 0 missing; 0 series failed." in done.stdout
    )
    for arguments, said in (
        (("nobody", "--ct"), "Orthanc has no node with this name"),
        (("archive",), "Specify what to search for"),
        (("gone", "--mg"), "refused"),
    ):
        done = command(server, *arguments)
        assert done.returncode == 1 and said in done.stderr, done.stderr


def command(server: OrthancServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "orthanc_dose.cli",
            "retrieve",
            "--url",
            server.url,
            "--user",
            USER,
            *arguments,
        ],
        env=os.environ | {"DOSE_PASSWORD": PASSWORD, "PYTHONPATH": "plugin"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_only_a_search_that_is_done_can_be_fetched(pair: Any) -> None:
    _, server = pair
    assert server.request("POST", "/dose/api/searches/999999/retrieve", json={}).status_code == 404
    failed = run(server, "/nodes/gone/searches", {"groups": ["CT"]})
    answer = server.request("POST", f"/dose/api/searches/{failed['id']}/retrieve", json={})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_finished")

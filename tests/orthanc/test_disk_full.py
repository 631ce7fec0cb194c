"""A full disk under the store: Orthanc goes on storing, the plugin says so, waits, and takes up
again by itself.

About 20 s: the worker's pauses between its attempts grow from one second.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orthanc_dose import samples
from orthanc_dose.samples import make_studies
from tests.orthanc.test_searches import DAY, _study
from tests.support.expect import check_studies
from tests.support.exports import wanted
from tests.support.server import OrthancServer

SIZE = 16 * 2**20
BEFORE = list(make_studies(4, seed=41, kinds=["ct", "dx"]))
DURING = [sample for sample in make_studies(60, seed=42) if sample.events < 10]


@contextlib.contextmanager
def mounted(place: Path) -> Iterator[None]:
    """A small file system at this place: a tmpfs, or where the system refuses that, an ext4 image
    on a loop device.
    """
    tried = []
    image = place.with_suffix(".image")
    tmpfs = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)]
    loop = ["mount", "-o", "loop", str(image), str(place)]
    for command in (tmpfs, loop):
        if command is loop:
            image.write_bytes(bytes(SIZE))
            subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
        done = subprocess.run(command, capture_output=True, text=True)
        tried.append(f"{' '.join(command)}: {done.stderr.strip()}")
        if done.returncode == 0:
            break
    else:
        pytest.fail(
            "a small file system is needed (as root, in a container with CAP_SYS_ADMIN):\n"
            + "\n".join(tried)
        )
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
        image.unlink(missing_ok=True)


def fill(folder: Path) -> Path:
    """A file that takes all that is left."""
    path = folder / "filling"
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    assert os.statvfs(folder).f_bavail * os.statvfs(folder).f_bsize < 4096
    return path


@pytest.fixture
def small(tmp_path: Path) -> Iterator[OrthancServer]:
    """A server whose store alone is on a small file system."""
    place = tmp_path / "small"
    place.mkdir()
    with (
        mounted(place),
        OrthancServer(dose={"DataDirectory": str(place), "PollSeconds": 0.5}) as server,
    ):
        server.send(BEFORE)
        server.wait_until_idle()
        yield server


def test_disk_full(small: OrthancServer) -> None:
    place = Path(small.dose["DataDirectory"])
    filling = fill(place)
    small.send(DURING)  # fails unless Orthanc stores all
    small.wait_for(
        lambda: queue(small)["state"] == "waiting", "the state 'waiting'", lambda: str(queue(small))
    )
    waiting = queue(small)
    assert waiting["pending"] > 0
    assert waiting["last_error"]["at"].endswith("Z")
    assert waiting["last_error"]["cause"] == "disk_full"
    message = waiting["last_error"]["message"].lower()
    assert "space" in message or "write" in message, message
    assert len(small.ok("/instances")) == len(BEFORE) + len(DURING)
    errors = [line for line in small.log.splitlines() if line.startswith("E") and "Dose:" in line]
    assert 1 <= len(errors) < 10, "said in the log, and not again and again"

    filling.unlink()
    end = small.wait_until_idle()
    assert (end["state"], end["last_error"], end["pending"]) == ("idle", None, 0)
    check_studies(small.studies(), [*BEFORE, *DURING])
    small.restart()
    small.wait_until_idle()
    check_studies(small.studies(), [*BEFORE, *DURING])


def queue(server: OrthancServer) -> dict[str, Any]:
    """The queue of the status, which answers also while the store is being opened anew."""
    return server.status()["queue"]


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[OrthancServer, Path]]:
    """A server whose store alone is on a small file system, with a PACS beside it; and the place."""
    place = tmp_path / "small"
    place.mkdir()
    with (
        mounted(place),
        OrthancServer(plugin=False, overrides={"DicomAet": "PACS"}) as pacs,
        OrthancServer(
            dose={"DataDirectory": str(place), "PollSeconds": 0.5},
            overrides={
                "DicomAet": "OURS",
                "DicomModalities": {"archive": ["PACS", "127.0.0.1", pacs.dicom_port]},
            },
        ) as server,
    ):
        known = {"AET": "OURS", "Host": "127.0.0.1", "Port": server.dicom_port}
        assert pacs.request("PUT", "/modalities/ours", json=known).status_code == 200
        pacs.send(_study(1, samples.ct_report(2, key="fetched")))
        server.send(BEFORE)
        server.wait_until_idle()
        yield server, place


def test_tasks_end_and_run_again_when_there_is_room(pair: tuple[OrthancServer, Path]) -> None:
    """Tasks run into a disk that is full, so that not even their end can be written; when there is
    room again they have failed, and others of their kinds run, without a restart."""
    server, place = pair

    def start(path: str, body: Any) -> tuple[int, Any]:
        answer = server.request("POST", f"/dose/api{path}", json=body)
        told = answer.json()
        return answer.status_code, told.get("id") or told.get("task_id") or told

    def all_ended(numbers: list[int]) -> bool:
        answers = [server.get(f"/dose/api/tasks/{number}") for number in numbers]
        return all(status == 200 and task["finished_at"] for status, task in answers)

    def done(path: str, body: Any) -> dict[str, Any]:
        status, number = start(path, body)
        assert status == 202, number
        server.wait_for(lambda: all_ended([number]), "the task")
        task = server.ok(f"/dose/api/tasks/{number}")
        assert task["state"] == "done", task
        return task

    asked = {"first": DAY, "last": DAY, "groups": ["CT"]}
    search = done("/nodes/archive/searches", asked)["id"]
    ways: list[tuple[str, Any]] = [
        ("/exports", wanted("csv")),
        ("/exports", wanted("xlsx", "CT")),
        ("/exports/copy", {"identity": False}),
        ("/nodes/archive/searches", asked),
        (f"/searches/{search}/retrieve", {}),
    ]
    filling = fill(place)
    os.truncate(filling, filling.stat().st_size - 64 * 1024)
    begun: list[int] = []
    refused = 0
    while not refused:
        for path, body in ways:
            status, told = start(path, body)
            if status == 202:
                begun.append(told)
            elif status != 409:  # a retrieval of the search is under way
                assert status == 503, told
                refused += 1
        assert len(begun) < 1000, "the disk is not full"
    assert begun

    filling.unlink()
    server.wait_for(lambda: all_ended(begun), "the end of all tasks")
    ended = [server.ok(f"/dose/api/tasks/{number}") for number in begun]
    assert {task["state"] for task in ended} <= {"failed", "done"}
    failed = [task["message"] for task in ended if task["state"] == "failed"]
    assert failed and "The disk is full." in failed, failed
    for path, body in ways:
        done(path, body)
    assert queue(server)["last_error"] is None


def test_stop_while_the_disk_is_full(small: OrthancServer) -> None:
    filling = fill(Path(small.dose["DataDirectory"]))
    small.send(DURING[:10])
    small.wait_for(
        lambda: queue(small)["state"] == "waiting", "the state 'waiting'", lambda: str(queue(small))
    )
    assert small.stop() == 0
    assert "Traceback" not in small.log and "Fatal" not in small.log
    filling.unlink()
    small.start()
    small.wait_until_idle()
    check_studies(small.studies(), [*BEFORE, *DURING[:10]])

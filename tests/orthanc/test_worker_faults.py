"""Each call of the store made to fail, in turn, while the worker reads objects and a follower reacts; and
the process killed before and after each commit. What was interrupted goes on by
itself; nothing is lost and nothing is there twice.

The points are found by watching, never listed (tests/support/faults.py). The short run tries some.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from itertools import count, cycle
from pathlib import Path
from random import Random
from typing import Any

import pytest

from orthanc_dose import samples
from tests.orthanc.test_task_faults import API, SCRIPT, House
from tests.support.effort import LONG, SEED
from tests.support.faults import FOLDER, SECRET
from tests.support.server import OrthancServer

pytestmark = pytest.mark.tries_more
TRIED = 5  # points in the short run
ERRORS = ("full", "commit", "fatal", "memory")
_rounds = count(1)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("faults")
    (folder / "told").write_text('{"number": 0}')
    (folder / "seen").touch()
    with OrthancServer(
        overrides={"PythonScript": SCRIPT, "OverwriteInstances": True},
        environment={FOLDER: str(folder)},
        dose={"PollSeconds": 0.2, "ParquetDirectory": str(folder / "parquet")},
    ) as server:
        server.send(samples.make_studies(4, seed=5))
        server.wait_until_idle()
        yield House(server, folder)
        print(
            "\n".join(
                line
                for line in server.log.splitlines()
                if "Dose" in line or "File" in line or "Error" in line
            )[-3500:]
        )


def some_of(points: list[str], name: str) -> list[str]:
    """All points in the long run; in the short one some, the commits among them first."""
    assert points, "no point was seen: the test does not look"
    if LONG:
        return points
    commits = [point for point in points if "commit" in point]
    others = [point for point in points if point not in commits]
    chosen = Random(f"{SEED} {name}").sample(others, min(TRIED - 2, len(others)))
    return commits[:2] + chosen


class Sent:
    """Objects of one round: a study of two reports, one that is ignored, one that comes twice."""

    def __init__(self, server: OrthancServer) -> None:
        self.server, number = server, next(_rounds)
        study = samples.Study(instance_uid=samples.uid(f"round {number}", "study"))
        self.uid = study.instance_uid
        first = samples.ct_report(2, key=f"round {number} a", study=study)
        second = samples.ct_report(3, key=f"round {number} b", study=study)
        self.objects = [first, second, samples.ct_slice(10_000 + number), first]
        self.sops = {str(one.SOPInstanceUID) for one in self.objects}
        self.events = 5

    def send(self) -> None:
        self.server.send(*self.objects)

    def check(self) -> None:
        """The study is there once with each event once, and each object has one outcome."""
        found = [row for row in self.server.studies() if row["study_instance_uid"] == self.uid]
        assert [row["number_of_events"] for row in found] == [self.events]
        detail = self.server.ok(f"{API}/studies/{found[0]['id']}")
        events = Counter(event["irradiation_event_uid"] for event in detail["events"])
        assert len(events) == self.events and set(events.values()) == {1}
        rows = [row for row in self.server.objects() if row["sop_instance_uid"] in self.sops]
        assert Counter(row["sop_instance_uid"] for row in rows) == dict.fromkeys(self.sops, 1)
        assert {row["outcome"] for row in rows} <= {"imported", "merged", "ignored"}, rows


def echoed(house: House) -> None:
    """Wait until the follower was told of all changes."""
    server = house.server

    def is_done() -> bool:
        found = server.status()["followers"]
        return bool(found) and found[0]["state"] == "idle" and not found[0]["behind"]

    server.wait_for(is_done, "the follower to have caught up")


@pytest.mark.parametrize("of", ["worker", "follower"])
def test_an_error_at_any_call_of_the_store_passes(
    of: str, house: House, record_property: Any
) -> None:
    server = house.server
    house.want()
    one = Sent(server)
    one.send()
    server.wait_until_idle()
    echoed(house)
    one.check()
    points, _ = house.seen(of)
    points = [point for point in points if point.startswith("store.")]
    tried = fired = 0
    for point, error in zip(some_of(points, of), cycle(ERRORS), strict=False):
        house.want(of=of, point=point, error=error)
        one = Sent(server)
        one.send()
        server.wait_until_idle()
        echoed(house)
        one.check()
        tried += 1
        fired += house.seen(of)[1]
    house.want()
    status = server.status()["queue"]
    assert status["last_error"] is None, status
    assert SECRET not in server.log.replace(f"{SECRET}: No space", "").replace(
        f"{SECRET}: Failed", ""
    ).replace(f"{SECRET}\n", "\n")
    record_property(f"faults of the {of}", fired)
    assert fired >= tried * 0.6, f"{fired} of {tried} faults had an effect"


def killed(house: House, point: str) -> bool:
    """Whether the process was killed at the point of the present wish."""
    path = house.folder / "killed"
    lines = path.read_text().splitlines() if path.exists() else []
    return f"{house.wish} {point}" in lines


def restarted(house: House) -> None:
    assert house.server.wait_for_exit() == -signal.SIGKILL
    house.server.start()


@pytest.mark.parametrize("of", ["worker", "follower"])
def test_a_kill_at_any_commit_loses_and_doubles_nothing(
    of: str, house: House, record_property: Any
) -> None:
    server = house.server
    house.want()
    one = Sent(server)
    one.send()
    server.wait_until_idle()
    echoed(house)
    points = [point for point in house.seen(of)[0] if "commit" in point]
    assert points
    kills = 0
    for point in points if LONG else points[:4]:
        house.want(of=of, point=point, error="kill")
        one = Sent(server)
        server.send(*one.objects, check=False)
        server.wait_for(
            lambda: server.process is not None and server.process.poll() is not None,
            f"the kill at {point}",
        )
        assert killed(house, point)
        kills += 1
        restarted(house)
        one.send()  # as modalities do that got no answer
        server.wait_until_idle()
        echoed(house)
        one.check()
    house.want()
    record_property(f"kills at commits of the {of}", kills)
    assert kills


def test_the_folder_tells_what_was_killed(house: House) -> None:
    assert Path(house.folder / "killed").exists(), "no kill was proven by its hook"

"""A follower of the feed of changed studies in a real Orthanc: it is told of every change exactly
once, whatever is killed and whenever.

About a minute: 4 rounds of killing and starts of Orthanc.
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import duckdb

from orthanc_dose.samples import make_studies
from tests.support.follower import FAILS_AT
from tests.support.server import ROOT, OrthancServer

SCRIPT = {"PythonScript": str(ROOT / "tests" / "support" / "plugin_with_follower.py")}
KILLS = 4


def query(server: OrthancServer, sql: str) -> list[tuple[Any, ...]]:
    """Of the store of a server that does not run."""
    with duckdb.connect(str(server.dose_directory / "dose.duckdb")) as connection:
        return connection.execute(sql).fetchall()


def follower(server: OrthancServer) -> dict[str, Any]:
    [found] = server.status()["followers"]
    return found


def has_caught_up(server: OrthancServer) -> bool:
    found = server.status()["followers"]
    return bool(found) and found[0]["state"] == "idle" and found[0]["behind"] == 0


def caught_up(server: OrthancServer) -> None:
    server.wait_until_idle()
    server.wait_for(lambda: has_caught_up(server), "the follower")


def test_kills_lose_and_repeat_no_reaction() -> None:
    random = Random(4)
    samples = [sample for sample in make_studies(90, seed=9) if sample.events <= 4][:48]
    with OrthancServer() as server:
        # What is there already, from a time without the follower.
        server.send(samples[:8])
        server.wait_until_idle()
        server.restart(overrides=SCRIPT)
        for round_ in range(KILLS):
            server.send(samples[8 + round_ * 5 : 13 + round_ * 5])
            time.sleep(random.uniform(0, 1.5))
            server.kill()
            server.start()
        # All of them once more: their studies are written anew.
        server.send(samples[:20])
        caught_up(server)
        assert server.ok("/dose/api/tasks?kind=follow-studies")["tasks"][0]["state"] == "done"
        numbers = [study["id"] for study in server.studies()]
        assert server.post(f"/dose/api/studies/{numbers[0]}/delete")[0] == 200
        server.wait_for(lambda: len(server.studies()) == len(numbers) - 1, "the deletion")
        caught_up(server)
        assert server.stop() == 0
        told = query(server, "SELECT number, study_id, what FROM echo ORDER BY number")
        [(cursor,)] = query(server, "SELECT cursor FROM follower")
        # Every change that was ever numbered is known, once; the studies of before, once each.
        assert [number for number, _, _ in told if number] == list(
            range(min(n for n, _, _ in told if n), cursor + 1)
        )
        old = Counter(study for number, study, _ in told if not number)
        assert old and set(old.values()) == {1}
        assert query(server, "SELECT value FROM state WHERE name = 'last_study_change'") == [
            (str(cursor),)
        ]
        assert query(server, "SELECT count(*) FROM study_change") == [(0,)]
        # Each study was made before anything else is told of it, and each number is told of.
        first: dict[int, str] = {}
        for _, study, what in told:
            first.setdefault(study, what)
        assert set(first) >= set(numbers) and set(first.values()) == {"made"}
        assert [row for row in told if row[2] == "removed"][-1][1] == numbers[0]


def test_a_study_at_which_it_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    fails_at = tmp_path / "fails"
    fails_at.write_text("2")
    samples = [sample for sample in make_studies(40, seed=5) if sample.events <= 4][:6]
    with OrthancServer(overrides=SCRIPT, environment={FAILS_AT: str(fails_at)}) as server:
        server.send(samples)
        server.wait_until_idle()
        server.wait_for(
            lambda: (found := follower(server))["behind"] == 0 and found["failing"] == 1,
            "the follower",
        )
        [failure] = server.ok("/dose/api/followers/echo/failures")["failures"]
        assert failure["study_id"] == 2 and failure["next_try_at"]
        assert failure["reason"].startswith("ValueError in react")
        assert "Secret" not in server.log
        fails_at.write_text("")
        assert server.post("/dose/api/followers/echo/try-again") == (202, {"changes": 1})
        server.wait_for(lambda: follower(server)["failing"] == 0, "another try")
        assert server.get("/dose/api/followers/none/failures")[0] == 404
        assert server.post("/dose/api/followers/none/try-again")[0] == 404
        assert server.stop() == 0
        told = Counter(query(server, "SELECT study_id, what FROM echo"))
        assert {study for study, _ in told} == {1, 2, 3, 4, 5, 6} and set(told.values()) == {1}

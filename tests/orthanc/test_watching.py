"""Metrics and health of a real server, as a scraper and a load balancer ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families as parse

from orthanc_dose.samples import make_studies
from tests.orthanc.test_disk_full import fill, mounted
from tests.support.server import OrthancServer
from tests.support.visitors import NOBODY, ask, guarded

NAME = "prometheus-of-the-clinic"
SECRET = "correct horse battery"


@pytest.fixture(scope="module")
def guarded_server() -> Iterator[OrthancServer]:
    with guarded() as server:
        yield server


def metrics(server: OrthancServer, token: str) -> tuple[dict[tuple[str, str], float], str]:
    """Return the values by name and value of the only label, and the text."""
    answer = server.request(
        "GET", "/dose/metrics", auth=NOBODY, headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = {
        (one.name, next(iter(one.labels.values()), "")): one.value
        for family in parse(answer.text)
        for one in family.samples
        if len(one.labels) < 2
    }
    return found, answer.text


def token_of_scraper(server: OrthancServer) -> str:
    put = server.request(
        "PUT", f"/dose/api/users/{NAME}", json={"groups": ["monitoring"], "password": SECRET}
    )
    assert put.status_code == 200, put.text
    made = server.request("POST", "/dose/api/tokens", auth=(NAME, SECRET), json={"name": "scrape"})
    return str(made.json()["secret"])


def test_a_scraper_reads_what_the_server_has(guarded_server: OrthancServer) -> None:
    server, token = guarded_server, token_of_scraper(guarded_server)
    before = metrics(server, token)[0]
    studies = list(make_studies(3, seed=5, kinds=["ct"]))
    studies[0].datasets[0].PatientID = "PID-4711-x"
    server.send(studies)
    server.wait_until_idle()
    found, text = metrics(server, token)
    assert found["orthanc_dose_studies", "CT"] - before["orthanc_dose_studies", "CT"] == 3
    assert found["orthanc_dose_queue_pending", ""] == 0
    assert found["orthanc_dose_worker_up", ""] == found["orthanc_dose_store_up", ""] == 1
    assert sum(value for (name, _), value in found.items() if name.endswith("worker_state")) == 1
    assert (
        found["orthanc_dose_store_bytes", ""]
        >= (server.dose_directory / "dose.duckdb").stat().st_size
    )
    assert ("orthanc_dose_tasks", "failed") in found
    assert ("orthanc_dose_backup_age_seconds", "") not in found, "there is no backup"
    server.request("GET", "/dose/api/studies/999999")
    requests_of = {
        (one.labels["route"], one.labels["status"]): one.value
        for family in parse(metrics(server, token)[1])
        for one in family.samples
        if one.name == "orthanc_dose_request_seconds_count"
    }
    assert requests_of["/studies/{id}", "4xx"] >= 1
    assert requests_of["/metrics", "2xx"] >= 2
    for word in (NAME, "999999", "PID-4711-x", token, "127.0.0.1"):
        assert word not in text


def test_metrics_are_for_their_groups(guarded_server: OrthancServer) -> None:
    for path in ("/dose/metrics", "/dose/api/metrics"):
        assert ask(guarded_server, "GET", path).status_code == 401
        allowed = ("only monitoring", "only administration")
        for user, status in (
            *((one, 200) for one in allowed),
            ("only view", 403),
            ("nothing", 403),
        ):
            assert ask(guarded_server, "GET", path, user).status_code == status, (path, user)
    # The address beside the API only reads.
    assert ask(guarded_server, "POST", "/dose/metrics", "only monitoring").status_code == 405


def health(server: OrthancServer) -> requests.Response:
    return server.request("GET", "/dose/api/health", auth=NOBODY)


def test_health_needs_nobody_and_says_nothing_else(guarded_server: OrthancServer) -> None:
    answer = health(guarded_server)
    checks = {"store": True, "worker": True, "disk": True}
    assert (answer.status_code, answer.json()) == (200, {"works": True, "checks": checks})


def test_a_full_disk_is_told_and_so_is_its_end(tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    with mounted(place), guarded(DataDirectory=str(place)) as server:
        assert health(server).status_code == 200
        filler = fill(place)

        def told(status: int) -> Any:
            answers: list[requests.Response] = []

            def answered() -> bool:
                answers.append(health(server))
                return answers[-1].status_code == status

            server.wait_for(answered, f"the status {status}")
            return answers[-1].json()

        assert told(503) == {
            "works": False,
            "checks": {"store": True, "worker": True, "disk": False},
        }
        filler.unlink()
        assert told(200)["works"]

"""Clients that send slowly, directly at Orthanc, with the settings that we ship."""

from __future__ import annotations

import json

import pytest

from tests.support.server import ROOT, OrthancServer, read_configuration
from tests.support.slow import SlowClients

SETTINGS = ("HttpThreadsCount", "HttpRequestTimeout", "KeepAlive", "KeepAliveTimeout")


@pytest.mark.parametrize("kind", ["headers", "body"])
def test_two_hundred_slow_clients_leave_others_their_answers(
    shared_server: OrthancServer, kind: str
) -> None:
    """None of them needs to be sent away for it: what is never whole is sent again before
    Orthanc's patience ends, bodies at least as long as this takes."""
    with SlowClients(shared_server.http_port, kind) as slow:
        for _ in range(5):
            assert shared_server.get("/dose/api/session")[0] == 200
        assert kind == "headers" or slow.sent_away == 0


def test_the_image_has_the_same_settings() -> None:
    ours = read_configuration({})
    image = json.loads((ROOT / "docker" / "dose.json").read_text())
    assert {name: ours[name] for name in SETTINGS} == {name: image[name] for name in SETTINGS}

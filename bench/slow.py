"""How 200 slow clients affect a user of the pages, with Orthanc's own defaults and with the
settings of orthanc.json.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from statistics import median
from time import perf_counter, sleep

import requests

from orthanc_dose.samples import ct_slice, part10
from tests.support.server import PASSWORD, USER, OrthancServer
from tests.support.slow import SlowClients

from .results import Results

CLIENTS, PATIENCE_S = 200, 10.0
DEFAULTS = {"HttpThreadsCount": 50, "HttpRequestTimeout": 30}
SLOW = {"none": "nobody", "headers": "headers", "body": "bodies", "reader": "reading 6 MB"}


def run(quick: bool) -> Iterator[Results]:
    rounds = 4 if quick else 10
    results = Results(
        "slow",
        f"A user alongside {CLIENTS} slow clients",
        f"Each client sends or reads a little every two seconds. The user sends {rounds} "
        "requests, each one second after the previous one and over a new connection, and waits "
        f"at most {PATIENCE_S:.0f} s.",
        ("slow are", "answered: defaults", "ours", "median in ms: defaults", "ours"),
    )
    found = {ours: _measure({} if ours else DEFAULTS, rounds) for ours in (False, True)}
    for kind, words in SLOW.items():
        before, after = found[False][kind], found[True][kind]
        cells = (_answered(before), _answered(after), _median(before), _median(after))
        results.add(words, *cells, kind=kind, defaults=before, ours=after)
    yield results


def _measure(overrides: dict[str, int], rounds: int) -> dict[str, list[float | None]]:
    with OrthancServer(overrides=overrides) as server:
        slice_ = ct_slice()
        slice_.PixelData, slice_.Rows, slice_.Columns = bytes(2 * 1750 * 1750), 1750, 1750
        path = f"/instances/{server.upload(part10(slice_))[1]['ID']}/file"
        told = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        found = {"none": _ask(server, rounds)}
        for kind in ("headers", "body", "reader"):
            slow = SlowClients(
                server.http_port, kind, CLIENTS, path=path, more=f"Authorization: Basic {told}\r\n"
            )
            with slow:
                sleep(2)
                found[kind] = _ask(server, rounds)
            sleep(2)
        return found


def _ask(server: OrthancServer, rounds: int) -> list[float | None]:
    """Return the seconds until each answer, None for one that does not arrive in time."""
    times: list[float | None] = []
    for _ in range(rounds):
        began = perf_counter()
        try:
            server.request("GET", "/dose/api/studies", timeout=PATIENCE_S).raise_for_status()
            times.append(perf_counter() - began)
        except requests.RequestException:
            times.append(None)
        sleep(1)
    return times


def _answered(times: list[float | None]) -> str:
    return f"{sum(one is not None for one in times)} of {len(times)}"


def _median(times: list[float | None]) -> float | str:
    told = [one for one in times if one is not None]
    return 1000 * median(told) if told else "-"

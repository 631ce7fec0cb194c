"""The rate of storing with and without the plugin, over DICOM and over REST, and how far behind the
plugin is.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from tests.support.server import PASSWORD, STORESCU, USER, OrthancServer

from .material import write_reports, write_slices
from .results import Results


@dataclass
class Round:
    """One round.

    seconds: of storing; with the plugin, behind: seconds from then until its queue was empty, and
    held: what its store holds.
    """

    seconds: float
    behind: float = 0.0
    held: dict[str, object] | None = None


def run(quick: bool) -> Iterator[Results]:
    rounds = 1 if quick else 3
    results = Results(
        "storing", "Storage rate with and without the plugin",
        "Objects of one folder sent to a new Orthanc, alternating with and without the plugin; "
        f"over one association of storescu, or by POST over one connection. Median of {rounds} "
        f"pair{'s' if rounds > 1 else ''}; times are for storing only.",
        ("objects", "number", "kB each", "way", "with, per s", "without, per s", "ratio", "least", "most", "aim", "behind s"),
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="dose-bench-") as folder:
        for name, count, aim, ways, make in (
            (
                "CT slices 16 x 16",
                200 if quick else 1000,
                "0.95",
                ("DICOM", "REST"),
                lambda path, n: write_slices(path, n, 16),
            ),
            (
                "CT slices 512 x 512",
                30 if quick else 200,
                "0.95",
                ("DICOM",),
                lambda path, n: write_slices(path, n, 512),
            ),
            ("dose reports", 80 if quick else 400, "0.8", ("DICOM", "REST"), write_reports),
        ):
            files = Path(folder) / name.replace(" ", "-")
            files.mkdir()
            size = make(files, count)
            for way in ways[:1] if quick else ways:
                _pairs(results, name, files, count, size, way, aim, rounds)
    yield results


def _pairs(
    results: Results, name: str, files: Path, count: int, size: int, way: str, aim: str, rounds: int
) -> None:
    send = {"DICOM": by_dicom, "REST": by_rest}[way]
    with_plugin, without, ratios = [], [], []
    for number in range(rounds):
        # Each pair in alternating order, so that a machine that gets slower or faster favours
        # neither.
        pair = {
            plugin: timed(plugin, files, send)
            for plugin in ((True, False) if number % 2 else (False, True))
        }
        with_plugin.append(pair[True])
        without.append(pair[False])
        ratios.append(pair[False].seconds / pair[True].seconds)
    rate, bare = (count / median(one.seconds for one in each) for each in (with_plugin, without))
    behind = median(one.behind for one in with_plugin)
    results.add(
        name,
        count,
        size / count / 1000,
        way,
        rate,
        bare,
        median(ratios),
        min(ratios),
        max(ratios),
        aim,
        behind,
        objects=name,
        number=count,
        bytes_each=size / count,
        way=way,
        with_per_s=rate,
        without_per_s=bare,
        ratio=median(ratios),
        ratios=ratios,
        aim=float(aim),
        behind_s=behind,
        held=with_plugin[-1].held,
    )


def timed(plugin: bool, files: Path, send: Callable[[OrthancServer, Path], None]) -> Round:
    """Run one round of sending these files to a fresh Orthanc."""
    with OrthancServer(plugin=plugin) as server:
        if plugin:
            server.wait_until_idle()
        start = perf_counter()
        send(server, files)
        stored = perf_counter()
        out = Round(stored - start)
        if plugin:
            server.wait_until_idle()
            out.behind = perf_counter() - stored
            out.held = server.status()["store"]
        assert server.stop() == 0
        return out


def by_dicom(server: OrthancServer, files: Path) -> None:
    command = [
        STORESCU,
        "+sd",
        "--required",
        "-aec",
        "DOSE",
        "127.0.0.1",
        str(server.dicom_port),
        str(files),
    ]
    done = subprocess.run(
        command, env=os.environ | {"TCP_NODELAY": "1"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-1000:]


def by_rest(server: OrthancServer, files: Path) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.http_port)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    key = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    for path in sorted(files.iterdir()):
        connection.request(
            "POST", "/instances", path.read_bytes(), {"Authorization": f"Basic {key}"}
        )
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200 and json.loads(body)["Status"] == "Success", body[:500]
    connection.close()

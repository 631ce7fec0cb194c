"""Measures a backup of the running store: time, disk, memory, and how much slower objects are read
while it is made.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, sleep

from orthanc_dose.samples import SampleStudy, make_studies, part10
from tests.support.server import OrthancServer

from .api import fill, resident
from .results import Results

API = "/dose/api"


def run(quick: bool) -> Iterator[Results]:
    sizes = (500, 5_000) if quick else (10_000, 1_000_000)
    results = Results(
        "backup",
        "A backup of the running store",
        "From the request to the verified backup, at rest and while studies arrive. Reading is the "
        "rate from the first of these studies by POST over one connection until the store has "
        "the last, at rest and over the same number of studies while backups are made one "
        "after the other.",
        (
            "studies",
            "store, MB",
            "backup, MB",
            "alone, s",
            "beside, s",
            "memory, MB",
            "reading, per s",
            "beside, per s",
            "ratio",
        ),
    )
    with tempfile.TemporaryDirectory(prefix="dose-bench-") as name:
        folder = Path(name)
        for size in sizes:
            fill(folder / "dose", size)
            found = _measure(folder, 60 if quick else 600)
            results.add(size, *found.values(), studies=size, **found)
    yield results


def _measure(folder: Path, number: int) -> dict[str, object]:
    sets = [list(make_studies(number, seed=size)) for size in (901, 902, 903)]
    with OrthancServer(folder=folder) as server:
        server.wait_until_idle()
        assert server.process is not None
        _read(server, sets[0])  # the first objects after a start take longer
        at_rest = _read(server, sets[1])
        before = resident(server.process.pid)
        alone, made = _backed_up(server)
        most, times = [before], list[float]()
        ending = threading.Event()

        def back_up() -> None:
            while not ending.is_set():
                times.append(_backed_up(server)[0])
                most.append(resident(server.process.pid) if server.process else 0.0)

        beside = threading.Thread(target=back_up)
        beside.start()
        sleep(0.2)
        meanwhile = _read(server, sets[2])
        ending.set()
        beside.join()
        found: dict[str, object] = {
            "store_mb": server.status()["store"]["size_bytes"] / 1e6,
            "backup_mb": made["bytes"] / 1e6,
            "alone_s": alone,
            "beside_s": max(times),
            "memory_mb": max(most) - before,
            "per_s": number / at_rest,
            "beside_per_s": number / meanwhile,
            "ratio": at_rest / meanwhile,
        }
        assert server.stop() == 0
    return found


def _backed_up(server: OrthancServer) -> tuple[float, dict[str, float]]:
    """Make a backup, and return the seconds that it took and its task's result."""
    start = perf_counter()
    task = server.post(f"{API}/backups")[1]["task_id"]
    while (found := server.ok(f"{API}/tasks/{task}"))["finished_at"] is None:
        sleep(0.05)
    assert found["state"] == "done", found
    return perf_counter() - start, found["result"]


def _read(server: OrthancServer, studies: list[SampleStudy]) -> float:
    """Send studies, and return the seconds until the store has all of them."""
    raw = [part10(dataset) for study in studies for dataset in study.datasets]
    start = perf_counter()
    for one in raw:
        assert server.upload(one)[0] == 200
    server.wait_until_idle()
    return perf_counter() - start

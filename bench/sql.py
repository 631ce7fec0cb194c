"""Measures the copy that SQL reads instead of the store: time, disk, memory, and how much slower
lists are while it is made.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter

from tests.support.server import OrthancServer
from tests.support.sql import rows

from .api import fill, resident
from .results import Results

COUNT = "SELECT count(*) FROM study"
LIST = "/dose/api/studies?modality=CT"


def run(quick: bool) -> Iterator[Results]:
    sizes = (500, 5_000) if quick else (10_000, 1_000_000)
    results = Results(
        "sql",
        "The copy of the dose data that SQL reads",
        f"`{COUNT}`: the first one waits for the copy, the second one finds it (median of 10). "
        "The list of CT is requested over and over, at rest and while the copy is made.",
        ("studies", "copy, s", "next, ms", "store, MB", "copy, MB", "memory, MB", "list", "beside"),
    )
    with tempfile.TemporaryDirectory(prefix="dose-bench-") as name:
        folder = Path(name)
        for size in sizes:
            fill(folder / "dose", size)
            found = _measure(folder)
            results.add(size, *found.values(), studies=size, **found)
    yield results


def _measure(folder: Path) -> dict[str, object]:
    with OrthancServer(folder=folder) as server:
        server.wait_until_idle()
        assert server.process is not None
        at_rest = [_ask_list(server) for _ in range(20)]
        most = [resident(server.process.pid)]
        beside: list[float] = []
        copied = threading.Event()

        def watch() -> None:
            while not copied.is_set():
                beside.append(_ask_list(server))
                most.append(resident(server.process.pid) if server.process else 0.0)

        watcher = threading.Thread(target=watch)
        watcher.start()
        seconds = _ask_sql(server)
        copied.set()
        watcher.join()
        again = [_ask_sql(server) * 1e3 for _ in range(10)]
        copies = [one for one in (folder / "dose" / "sql").rglob("*") if one.is_file()]
        found: dict[str, object] = {
            "copy_s": seconds,
            "next_ms": median(again),
            "store_mb": (folder / "dose" / "dose.duckdb").stat().st_size / 1e6,
            "copy_mb": sum(one.stat().st_size for one in copies) / 1e6,
            "memory_mb": max(most) - most[0],
            "list_ms": median(at_rest),
            "list_beside_ms": median(beside),
        }
        assert server.stop() == 0
    return found


def _ask_sql(server: OrthancServer) -> float:
    start = perf_counter()
    rows(server, COUNT, timeout=600)
    return perf_counter() - start


def _ask_list(server: OrthancServer) -> float:
    start = perf_counter()
    server.get(LIST)
    return (perf_counter() - start) * 1e3

"""How long pages take while objects arrive: two readers, at rest and while a hundred dose reports
per second are sent.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import monotonic, perf_counter, sleep

import requests

from orthanc_dose import samples
from tests.support.server import PASSWORD, USER, OrthancServer

from .api import COLUMNS, fill
from .material import studies
from .results import Results

RATE = 100  # objects per second
PAGES = {
    "home": "/summary",
    "list of CT": f"/studies?modality=CT{COLUMNS}",
    "acquisition protocol": f"/studies?modality=CT&acquisition_protocols=abd{COLUMNS}",
    "detail": "/studies/250",
}


def run(quick: bool) -> Iterator[Results]:
    size, seconds = (2_000, 4.0) if quick else (100_000, 30.0)
    with (
        tempfile.TemporaryDirectory(prefix="dose-bench-") as name,
        tempfile.TemporaryDirectory(prefix="dose-bench-") as files,
    ):
        folder = Path(name)
        fill(folder / "dose", size)
        number = int(RATE * seconds)
        raws = (samples.part10(ds) for study in studies(number, seed=77) for ds in study.datasets)
        for at, raw in zip(range(number), raws, strict=False):
            (Path(files) / f"{at:06d}.dcm").write_bytes(raw)
        with OrthancServer(folder=folder) as server:
            server.wait_until_idle()
            _read(server.url, 1.0)
            quiet = _read(server.url, seconds / 2)
            # In a separate process: in this one, sender and readers would wait for each other.
            sender = get_context("spawn").Process(target=send, args=(server.url, files, RATE))
            began = monotonic()
            sender.start()
            busy = _read(server.url, seconds)
            sender.join()
            sent = number / (monotonic() - began)
            server.wait_until_idle()
            assert server.stop() == 0
    results = Results(
        "reading",
        "Reading while objects arrive",
        f"Two readers, each requesting these in turn, from a store of {size:,} studies: at rest, "
        f"and while dose reports arrive by POST ({sent:.0f} per second achieved). Medians.",
        ("what", "ms at rest", "ms while receiving", "ratio", "answers"),
    )
    for what in PAGES:
        rest, receiving = median(quiet[what]), median(busy[what])
        results.add(
            what,
            rest,
            receiving,
            receiving / rest,
            len(busy[what]),
            what=what,
            rest_ms=rest,
            receiving_ms=receiving,
            sent_per_s=sent,
        )
    yield results


def _read(url: str, seconds: float) -> dict[str, list[float]]:
    """Return how long two concurrent readers waited for each page, in ms."""
    times: dict[str, list[float]] = {what: [] for what in PAGES}
    until = monotonic() + seconds

    def read() -> None:
        with requests.Session() as session:
            session.trust_env, session.auth = False, (USER, PASSWORD)
            while monotonic() < until:
                for what, path in PAGES.items():
                    start = perf_counter()
                    answer = session.get(f"{url}/dose/api{path}", timeout=60)
                    times[what].append((perf_counter() - start) * 1e3)
                    assert answer.status_code == 200
                # People look at what they requested.
                sleep(0.2)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    return times


def send(url: str, folder: str, rate: float) -> None:
    """Send the files of a folder at a given rate, over one connection."""
    with requests.Session() as session:
        session.trust_env, session.auth = False, (USER, PASSWORD)
        began = monotonic()
        for number, path in enumerate(sorted(Path(folder).iterdir())):
            sleep(max(0.0, began + number / rate - monotonic()))
            assert (
                session.post(f"{url}/instances", data=path.read_bytes(), timeout=60).status_code
                == 200
            )

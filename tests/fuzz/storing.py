"""Damaged objects sent to a running Orthanc, by DICOM and by REST from several senders at once; what
is stored is looked at, as a user of Orthanc's own pages would. Whenever its process ends, the
objects of that round are kept, and it starts again on a new folder."""

from __future__ import annotations

import resource
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import requests

from tests.support.server import OrthancServer

from .damage import Mutant, mutants

ROUND, SENDERS = 60, 3  # objects; connections by REST at the same time
FRESH_AFTER = 40  # rounds, after which an empty Orthanc takes over


class Storing:
    """One run. counts: what became of the objects; deaths: a line for each."""

    def __init__(self, plugin: bool, save: Path) -> None:
        self.counts: Counter[str] = Counter()
        self.deaths: list[str] = []
        self._plugin, self._save = plugin, save
        # Orthanc inherits it: a death leaves a core where the machine's core_pattern says.
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def run(self, seed: int, minutes: float, objects: int | None) -> None:
        end = time.monotonic() + 60 * minutes
        numbered = islice(mutants(seed), objects)
        while time.monotonic() < end:
            with OrthancServer(plugin=self._plugin) as server:
                for _ in range(FRESH_AFTER):
                    batch = list(islice(numbered, ROUND))
                    if not batch:
                        return
                    if not self._round(server, seed, batch) or time.monotonic() > end:
                        break

    def _round(self, server: OrthancServer, seed: int, batch: list[tuple[int, Mutant]]) -> bool:
        """Store and look; whether Orthanc lives."""
        # Orthanc itself takes half a minute for 50,000 content items side by side.
        sent = {number: one.raw for number, one in batch if "children_50000" not in one.seed}
        by_rest = {number: raw for number, raw in sent.items() if number % 2}
        by_dicom = [raw for number, raw in sent.items() if not number % 2]
        phase = "storing"
        with ThreadPoolExecutor(SENDERS + 1) as pool:
            dicom = pool.submit(server.send, by_dicom, check=False)
            answers = list(pool.map(lambda raw: _status(server, raw), by_rest.values()))
            dicom.result()
        self.counts["by DICOM"] += len(by_dicom)
        self.counts.update(f"by REST {status}" for status in answers)
        if self._lives(server):
            phase = "looking"
            with ThreadPoolExecutor(SENDERS) as pool:
                for status in pool.map(lambda id_: _look(server, id_), list(_new(server))):
                    self.counts[f"looked {status}"] += 1
        if self._lives(server):
            return True
        process = server.process
        assert process is not None
        where = self._save / f"death-{seed}-{batch[0][0]}-{process.pid}"
        where.mkdir(parents=True)
        for number, one in batch:
            (where / f"{number}.dcm").write_bytes(one.raw)
        shutil.copy(server.log_path, where / "orthanc.log")
        code = server.wait_for_exit()
        line = f"ended with {code} while {phase} objects {batch[0][0]} to {batch[-1][0]}: {where}"
        self.deaths.append(line)
        print(line, flush=True)
        return False

    @staticmethod
    def _lives(server: OrthancServer) -> bool:
        for _ in range(20):  # a process that dumps its core is there for a while
            if server.process is None or server.process.poll() is not None:
                return False
            try:
                server.request("GET", "/system", timeout=30)
                return True
            except requests.RequestException:
                time.sleep(0.25)
        return False


def _status(server: OrthancServer, raw: bytes) -> str:
    try:
        return str(server.request("POST", "/instances", data=raw).status_code)
    except requests.RequestException:
        return "no answer"


_seen: set[tuple[int, str]] = set()


def _new(server: OrthancServer) -> Iterator[str]:
    assert server.process is not None
    for instance in server.ok("/instances"):
        if (server.process.pid, instance) not in _seen:
            _seen.add((server.process.pid, instance))
            yield instance


def _look(server: OrthancServer, instance: str) -> str:
    try:
        return str(server.request("GET", f"/instances/{instance}/tags").status_code)
    except requests.RequestException:
        return "no answer"

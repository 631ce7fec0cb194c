"""SIGTERM and SIGINT while objects arrive: a clean end, and nothing lost."""

from __future__ import annotations

import signal
import threading
from random import Random

import duckdb
import pytest

from orthanc_dose.samples import make_studies, part10
from tests.support.expect import check_studies
from tests.support.server import OrthancServer

SAMPLES = [sample for sample in make_studies(90, seed=71) if sample.events < 6]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_clean_stop_while_objects_arrive(server: OrthancServer, number: int) -> None:
    objects = [part10(dataset) for sample in SAMPLES for dataset in sample.datasets]
    order = Random(int(number)).sample(objects, len(objects))
    senders = [
        threading.Thread(target=server.send, args=(order[part::3],), kwargs={"check": False})
        for part in range(3)
    ]
    for sender in senders:
        sender.start()
    server.wait_for(
        lambda: server.status()["store"]["objects"]["imported"] >= 5, "the first objects to be read"
    )
    assert server.stop(number) == 0
    for sender in senders:
        sender.join()
    for word in ("Traceback", "Fatal", "Segmentation", "terminate called"):
        assert word not in server.log
    assert not [
        line for line in server.log.splitlines() if line.startswith("E") and "Dose:" in line
    ]
    left = {path.name for path in server.dose_directory.iterdir() if path.is_file()}
    assert left == {"dose.duckdb", "dose.duckdb.last", "identity.key"}, "no write-ahead log is left"
    with duckdb.connect(str(server.dose_directory / "dose.duckdb"), read_only=True) as store:
        assert store.execute("SELECT count(*) FROM study").fetchone() >= (5,)
    server.start()
    server.send(objects)
    server.wait_until_idle()
    check_studies(server.studies(), SAMPLES)


def test_stop_of_an_empty_server(server: OrthancServer) -> None:
    assert server.stop() == 0
    assert "Traceback" not in server.log and "Fatal" not in server.log

"""SIGKILL at random moments while objects arrive, again and again: nothing is lost and nothing is
there twice.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from math import fsum
from random import Random
from typing import Any

import duckdb
import pytest

from orthanc_dose.samples import SampleStudy, ct_series, make_studies, part10
from tests.support.effort import LONG
from tests.support.expect import check_studies, number
from tests.support.server import OrthancServer
from tests.support.several import PATTERNS, ct_events, ct_reports, study_uid

pytestmark = pytest.mark.tries_more
# Rounds of killing and starting Orthanc, of a few seconds each.
KILLS = 42 if LONG else 9
SENDERS = 2
SEED = 20_240_607


class Sender(threading.Thread):
    """Sends the objects of `pool` over and over in small associations, as modalities do that try
    again.
    """

    def __init__(self, server: OrthancServer, pool: list[bytes], seed: int) -> None:
        super().__init__(daemon=True)
        self.server, self.pool, self.random = server, pool, Random(seed)
        self.ending = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.ending.is_set():
                # The newest of the pool most of all, so that every kill comes while something is
                # new.
                newest = self.pool[-14:]
                some = self.random.sample(newest, len(newest) // 2) + self.random.choices(
                    self.pool, k=2
                )
                self.server.send(some, check=False)
        except BaseException as error:  # noqa: BLE001  shown by the test
            self.error = error


@pytest.fixture(scope="module")
def samples() -> list[SampleStudy]:
    """Studies of all modalities; those whose reports Orthanc takes long to store are left out."""
    return [sample for sample in make_studies(130, seed=3) if sample.events <= 5]


@pytest.fixture(scope="module")
def several() -> dict[str, list[bytes]]:
    """Studies with several reports, which have to be put together."""
    return {
        f"{pattern}-{number}": [
            part10(report) for report in ct_reports(f"{pattern}-{number}", PATTERNS[pattern])
        ]
        for pattern in PATTERNS
        for number in range(2)
    }


def outcomes(server: OrthancServer) -> int:
    return sum(server.status()["store"]["objects"].values())


@pytest.fixture(scope="module")
def killed(samples: list[SampleStudy], several: dict[str, list[bytes]]) -> Iterator[OrthancServer]:
    """A server that was killed KILLS times while ever more objects arrived; stopped at the end."""
    random = Random(SEED)
    objects = [part10(dataset) for sample in samples for dataset in sample.datasets]
    objects += [part10(image) for image in ct_series(40)]
    objects += [report for reports in several.values() for report in reports]
    random.shuffle(objects)
    # About as many as the senders take for the newest; what is left comes at the end.
    share = len(objects) // max(KILLS, 21)
    pool: list[bytes] = []
    # Small batches make many commits, and so many places to be killed in.
    with OrthancServer(dose={"BatchSize": 5, "PollSeconds": 0.2}) as server:
        senders = [Sender(server, pool, SEED + number) for number in range(SENDERS)]
        processed = [0]
        for round_ in range(KILLS):
            pool += objects[round_ * share : (round_ + 1) * share]
            if round_ == 0:
                for sender in senders:
                    sender.start()
            # From "while the plugin starts" to "in the middle of the work"; on a busy machine that
            # may take a while to begin.
            if round_ % 2:
                server.wait_for(
                    lambda: outcomes(server) > processed[-1], "an outcome since the last kill"
                )
            time.sleep(random.uniform(0.0, 0.9))
            server.kill()
            if round_ % 4 == 1:
                server.launch()
                time.sleep(random.uniform(0.0, 0.9))
                server.kill()
            server.start()
            processed.append(outcomes(server))
        for sender in senders:
            sender.ending.set()
        for sender in senders:
            sender.join(120)
            assert not sender.is_alive() and sender.error is None, sender.error
        assert processed == sorted(processed), "what was committed stays"
        assert len(set(processed)) > KILLS // 3, (
            f"objects were being read when the kills came: {processed}"
        )
        server.wait_until_idle()
        yield server


def test_each_instance_has_one_outcome(killed: OrthancServer) -> None:
    held = set(killed.held())
    assert len(held) > 40
    rows = killed.objects()
    assert Counter(row["handle"] for row in rows) == Counter(held)
    assert {row["outcome"] for row in rows} <= {"imported", "merged", "duplicate", "ignored"}


def test_each_study_is_there_once_with_its_values(
    killed: OrthancServer, samples: list[SampleStudy]
) -> None:
    stored = {row["sop_instance_uid"] for row in killed.objects()}
    arrived = [sample for sample in samples if sample.datasets[0].SOPInstanceUID in stored]
    assert len(arrived) > 20
    check_studies(plain(killed.studies()), arrived)
    for detail in killed.details():
        uids = [event["irradiation_event_uid"] for event in detail["events"]]
        assert len(set(uids)) == len(uids) == detail["number_of_events"]


def plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the studies that have several reports."""
    return [row for row in rows if row["study_description"] != "Several reports"]


def test_the_senders_end_with_everything_stored(
    killed: OrthancServer, samples: list[SampleStudy], several: dict[str, list[bytes]]
) -> None:
    killed.send(samples, several.values())
    killed.wait_until_idle()
    rows = killed.studies()
    check_studies(plain(rows), samples)
    by_uid = {row["study_instance_uid"]: row for row in rows}
    assert len(rows) == len(samples) + len(several)
    for name in several:
        indices = {index for report in PATTERNS[name.split("-")[0]] for index in report}
        row = by_uid[study_uid(name)]
        assert row["number_of_events"] == len(indices), name
        assert row["dlp_total"] == number(fsum(ct_events(name)[index].dlp for index in indices)), (
            name
        )


def test_the_store_has_nothing_twice(killed: OrthancServer) -> None:
    held = set(killed.held())
    assert killed.stop() == 0
    keys = {
        "study": "id",
        "object": "handle",
        "equipment": "id",
        "state": "name",
        "ct_event": "study_id, event_number",
        "projection_event": "study_id, event_number",
    }
    with duckdb.connect(str(killed.dose_directory / "dose.duckdb"), read_only=True) as store:
        for table, key in keys.items():
            assert (
                store.execute(
                    f'SELECT {key} FROM "{table}" GROUP BY {key} HAVING count(*) > 1'
                ).fetchall()
                == []
            ), table
        twice = "SELECT study_instance_uid, modality FROM study GROUP BY ALL HAVING count(*) > 1"
        assert store.execute(twice).fetchall() == []
        for table, key in (("ct_event", ""), ("projection_event", ", acquisition_plane")):
            twice = (
                f"SELECT irradiation_event_uid{key} FROM {table} GROUP BY ALL HAVING count(*) > 1"
            )
            assert store.execute(twice).fetchall() == [], table
        lost = "SELECT study_id FROM {} WHERE study_id NOT IN (SELECT id FROM study)"
        for table in ("ct_event", "projection_event", "ct_accumulated", "projection_accumulated"):
            assert store.execute(lost.format(table)).fetchall() == [], table
        assert {row[0] for row in store.execute("SELECT handle FROM object").fetchall()} == held

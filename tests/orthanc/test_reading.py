"""Reading while objects come in: each answer is of one state of the store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

from orthanc_dose.samples import make_studies
from tests.support.server import OrthancServer


def test_answers_are_of_one_state_while_objects_come_in(server: OrthancServer) -> None:
    done = Event()

    def read() -> list[int]:
        seen: list[int] = []
        while not done.is_set() or not seen:
            page = server.ok("/dose/api/studies?limit=500")
            assert len(page["studies"]) == page["total"]
            assert len({row["study_instance_uid"] for row in page["studies"]}) == page["total"]
            asked = (
                "modality=CT&acquisition_protocols_empty=no&limit=500&columns=acquisition_protocols"
            )
            filtered = server.ok(f"/dose/api/studies?{asked}")
            assert len(filtered["studies"]) == filtered["total"]
            assert all(row["acquisition_protocols"] for row in filtered["studies"])
            for modality in server.ok("/dose/api/summary")["modalities"]:
                assert modality["studies"] == sum(
                    system["studies"] for system in modality["systems"]
                )
            for row in page["studies"][-3:]:
                _check(server.ok(f"/dose/api/studies/{row['id']}"))
                beside = server.ok(f"/dose/api/studies/{row['id']}/neighbours")
                assert 1 <= beside["position"] <= beside["total"]
            seen.append(page["total"])
        return seen

    with ThreadPoolExecutor(2) as readers:
        reading = [readers.submit(read) for _ in range(2)]
        try:
            for seed in range(3):
                server.send(make_studies(70, seed=60 + seed))
            server.wait_until_idle()
        finally:
            done.set()
        for one in reading:
            seen = one.result()
            assert seen == sorted(seen), "no study was missing for a while"
    assert server.ok("/dose/api/studies/count")["total"] == 210


def _check(study: dict[str, Any]) -> None:
    assert study["number_of_events"] == len(study["events"])
    assert study["objects"] and all(row["study_id"] == study["id"] for row in study["objects"])

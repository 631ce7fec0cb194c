"""Objects that failed are tried again, one or all."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from orthanc_dose.samples import make_studies
from orthanc_dose.samples.hostile import HOSTILE
from tests.support.expect import check_studies
from tests.support.server import OrthancServer

BAD = ("empty_content_sequence", "root_alone")


@pytest.fixture
def stopped() -> Iterator[OrthancServer]:
    server = OrthancServer()
    yield server
    server.close()


def test_a_bad_object_stays_failed(server: OrthancServer) -> None:
    for name in BAD:
        assert server.upload(HOSTILE[name](1))[0] == 200
    server.wait_until_idle()
    before = {row["sop_instance_uid"]: row for row in server.objects(outcome="failed")}
    assert len(before) == len(BAD)
    assert all(row["attempts"] == 1 for row in before.values())
    uid = min(before)
    status, answer = server.post(f"/dose/api/objects/{uid}/retry")
    assert status == 200
    assert (answer["object"]["outcome"], answer["object"]["attempts"]) == ("failed", 2)
    assert answer["object"]["reason"] == before[uid]["reason"]

    assert server.post("/dose/api/objects/retry") == (200, {"queued": len(BAD)})
    server.wait_until_idle()
    assert {row["sop_instance_uid"]: row["attempts"] for row in server.objects()} == {
        other: 3 if other == uid else 2 for other in before
    }


def test_unknown_object(server: OrthancServer) -> None:
    status, answer = server.post("/dose/api/objects/1.2.3.4/retry")
    assert (status, answer["error"]["code"], answer["error"]["field"]) == (
        404,
        "not_found",
        "sop_instance_uid",
    )
    assert server.post("/dose/api/objects/retry") == (200, {"queued": 0})


def test_what_an_earlier_version_could_not_read_is_imported(stopped: OrthancServer) -> None:
    """The store says of good reports that they failed, as an earlier version would have left it."""
    samples = list(make_studies(4, seed=61, kinds=["ct", "dx"]))
    stopped.start()
    stopped.send(samples)
    stopped.wait_until_idle()
    assert stopped.stop() == 0
    with duckdb.connect(str(stopped.dose_directory / "dose.duckdb")) as store:
        for table in (
            "study",
            "ct_event",
            "ct_accumulated",
            "projection_event",
            "projection_accumulated",
        ):
            store.execute(f"DELETE FROM {table}")
        store.execute("""UPDATE object SET outcome = 'failed', rule = 'unreadable', reason =
        'an earlier version',
                         content = NULL, content_digest = NULL, study_id = NULL""")
    stopped.start()
    stopped.wait_until_idle()
    assert stopped.studies() == [], "failed ones are not read again by themselves"
    first = samples[0].datasets[0].SOPInstanceUID
    status, answer = stopped.post(f"/dose/api/objects/{first}/retry")
    assert (status, answer["object"]["outcome"], answer["object"]["attempts"]) == (
        200,
        "imported",
        2,
    )
    check_studies(stopped.studies(), samples[:1])
    assert stopped.post("/dose/api/objects/retry") == (200, {"queued": 3})
    stopped.wait_until_idle()
    check_studies(stopped.studies(), samples)
    assert {row["outcome"] for row in stopped.objects()} == {"imported"}


def test_retry_of_an_imported_object_changes_nothing(server: OrthancServer) -> None:
    samples = list(make_studies(2, seed=62, kinds=["ct"]))
    server.send(samples)
    server.wait_until_idle()
    before = server.studies()
    status, answer = server.post(f"/dose/api/objects/{samples[0].datasets[0].SOPInstanceUID}/retry")
    assert (status, answer["object"]["outcome"]) == (200, "imported")
    assert server.studies() == before


def test_retry_of_a_deleted_instance_keeps_its_records(server: OrthancServer) -> None:
    samples = list(make_studies(2, seed=63, kinds=["ct"]))
    server.send(samples)
    server.wait_until_idle()
    before, objects = server.studies(), server.objects()
    for study in server.ok("/studies"):
        server.delete(f"/studies/{study}")
    status, answer = server.post(f"/dose/api/objects/{samples[0].datasets[0].SOPInstanceUID}/retry")
    assert status == 200 and answer["object"]["outcome"] == "imported"
    server.wait_until_idle()
    assert server.studies() == before and server.objects() == objects

"""SIGKILL at random moments between reading and deleting: every object has its outcome in the store
or is still in Orthanc.
"""

from __future__ import annotations

import time
from random import Random

import pytest

from orthanc_dose.samples import SampleStudy, ct_report, ct_series, make_studies, part10
from orthanc_dose.samples.hostile import HOSTILE
from tests.support.effort import LONG
from tests.support.expect import check_studies
from tests.support.server import OrthancServer

pytestmark = pytest.mark.tries_more
KILLS = 28 if LONG else 8
SEED = 20_261_122
RULES = {"ReportsInOrthanc": "delete", "UnmatchedInOrthanc": "delete", "PhysicsNames": ["physics*"]}


@pytest.fixture(scope="module")
def samples() -> list[SampleStudy]:
    return [sample for sample in make_studies(130, seed=9) if sample.events <= 5]


def test_nothing_is_deleted_before_its_outcome_is_there(samples: list[SampleStudy]) -> None:
    random = Random(SEED)
    physics = ct_report(1, key="physics")
    physics.PatientName = "PHYSICS^Monthly"
    stay = {str(physics.SOPInstanceUID)}
    objects = [
        (str(one.SOPInstanceUID), part10(one)) for sample in samples for one in sample.datasets
    ]
    objects += [(str(one.SOPInstanceUID), part10(one)) for one in [*ct_series(60), physics]]
    random.shuffle(objects)
    share = len(objects) // KILLS + 1
    sent: set[str] = set()
    interrupted = 0
    # Small batches make many commits, and so many places to be killed in.
    with OrthancServer(dose={**RULES, "BatchSize": 5, "PollSeconds": 0.2}) as server:
        assert server.upload(HOSTILE["empty_content_sequence"](1))[0] == 200
        for round_ in range(KILLS):
            some = objects[round_ * share : (round_ + 1) * share]
            server.send([raw for _, raw in some])
            sent |= {uid for uid, _ in some}
            # From "while they are read" to "while they are deleted".
            if round_ % 2:
                server.wait_for(
                    lambda: (
                        server.status()["store"]["in_orthanc"]["to_delete"] > 0
                        or server.status()["queue"]["pending"] == 0
                    ),
                    "something to delete",
                )
            time.sleep(random.uniform(0.0, 1.2))
            server.kill()

            # What Orthanc holds is asked of one without the plugin, which does nothing meanwhile.
            server.start_as(plugin=False)
            held = {
                server.ok(f"/instances/{one}")["MainDicomTags"]["SOPInstanceUID"]
                for one in server.ok("/instances")
            }
            server.kill()
            server.start_as(plugin=True)
            rows = {row["sop_instance_uid"]: row for row in server.objects()}
            lost = sent - held - rows.keys()
            assert lost == set(), f"{len(lost)} objects are neither in Orthanc nor in the store"
            gone = [rows[uid] for uid in sent - held]
            assert {row["in_orthanc"] for row in gone} <= {"to delete", "deleted"}
            assert not {row["rule"] for row in gone} & {"physics", "unreadable"}
            assert stay & sent <= held
            interrupted += any(row["in_orthanc"] == "to delete" for row in rows.values())
        assert interrupted, "a kill came while something was to be deleted"

        server.wait_until_idle()
        server.wait_for(
            lambda: server.status()["store"]["in_orthanc"]["to_delete"] == 0,
            "the rest to be deleted",
        )
        rows = {row["sop_instance_uid"]: row for row in server.objects()}
        assert sent <= rows.keys()
        left = {
            row["handle"]
            for row in rows.values()
            if row["outcome"] == "failed" or row["rule"] == "physics"
        }
        assert set(server.held()) == left and len(left) == 2
        check_studies(server.studies(), samples)

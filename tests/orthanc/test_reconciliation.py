"""Reconciliation with Orthanc finds what the log of changes does not tell: objects stored without the plugin, a log
that was cleared.

Servers are killed rather than stopped where the end is not what is tested: Orthanc takes three
seconds to stop."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from orthanc_dose.samples import ct_slice, make_studies
from tests.support.expect import check_studies
from tests.support.server import OrthancServer

FIRST = list(make_studies(5, seed=31, kinds=["ct", "dx", "mg"]))
SECOND = list(make_studies(6, seed=32, kinds=["ct", "dx", "mg"]))


@pytest.fixture
def stopped() -> Iterator[OrthancServer]:
    """A server that is not started yet."""
    server = OrthancServer()
    yield server
    server.close()


def test_objects_stored_without_the_plugin_appear(stopped: OrthancServer) -> None:
    server = stopped
    server.start_as(plugin=False)
    server.send(FIRST, ct_slice())
    server.kill()
    server.start_as(plugin=True)
    server.wait_until_idle()
    check_studies(server.studies(), FIRST)
    assert {row["handle"] for row in server.objects()} == set(server.held())

    # The same once more, now that the store has a cursor.
    server.kill()
    server.start_as(plugin=False)
    server.send(SECOND)
    server.kill()
    server.start_as(plugin=True)
    server.wait_until_idle()
    check_studies(server.studies(), [*FIRST, *SECOND])


def test_a_cleared_log_of_changes_loses_nothing(stopped: OrthancServer) -> None:
    server = stopped
    server.start_as(plugin=False)
    server.send(FIRST)
    assert server.delete("/changes")[0] == 200
    assert server.ok("/changes")["Changes"] == []
    server.kill()
    server.start_as(plugin=True)
    queue = server.wait_until_idle()
    assert queue["reconciliation"]["missing"] == len(FIRST)
    check_studies(server.studies(), FIRST)

    # With a cursor beyond the end of the log that begins anew.
    server.kill()
    server.start_as(plugin=False)
    server.send(SECOND)
    assert server.delete("/changes")[0] == 200
    server.kill()
    server.start_as(plugin=True)
    server.wait_until_idle()
    check_studies(server.studies(), [*FIRST, *SECOND])


def test_cleared_while_running(server: OrthancServer) -> None:
    server.send(FIRST)
    server.wait_until_idle()
    assert server.delete("/changes")[0] == 200
    server.send(SECOND)
    server.wait_until_idle()
    status, answer = server.post("/dose/api/reconcile")
    assert (status, answer) == (200, {"missing": 0})
    check_studies(server.studies(), [*FIRST, *SECOND])


def test_reconciliation_on_demand(stopped: OrthancServer) -> None:
    server = stopped
    server.start_as(plugin=False)
    server.send(FIRST)
    assert server.delete("/changes")[0] == 200
    server.kill()
    server.start_as(plugin=True, dose={"ReconcileAtStart": False})
    queue = server.wait_until_idle()
    assert queue["reconciliation"] == {"state": "idle", "last_finished_at": None, "missing": None}
    assert server.studies() == []
    assert server.post("/dose/api/reconcile") == (200, {"missing": len(FIRST)})
    queue = server.wait_until_idle()
    assert queue["reconciliation"]["last_finished_at"].endswith("Z")
    check_studies(server.studies(), FIRST)
    assert server.post("/dose/api/reconcile") == (200, {"missing": 0})


def test_a_store_that_is_lost_is_made_anew(server: OrthancServer) -> None:
    server.send(FIRST)
    server.wait_until_idle()
    assert server.stop() == 0
    shutil.rmtree(server.dose_directory)
    server.start()
    server.wait_until_idle()
    check_studies(server.studies(), FIRST)


def test_instances_deleted_from_orthanc_keep_their_records(server: OrthancServer) -> None:
    server.send(FIRST)
    server.wait_until_idle()
    objects = server.objects()
    for study in server.ok("/studies"):
        assert server.delete(f"/studies/{study}")[0] == 200
    server.wait_until_idle()
    assert server.post("/dose/api/reconcile") == (200, {"missing": 0})
    check_studies(server.studies(), FIRST)
    assert server.objects() == objects


def test_the_former_names_still_work(stopped: OrthancServer) -> None:
    """The address, the field of the status and the key of the configuration, once called audit."""
    server = stopped
    server.start_as(plugin=False)
    server.send(FIRST)
    assert server.delete("/changes")[0] == 200
    server.kill()
    server.start_as(plugin=True, dose={"AuditAtStart": False})
    queue = server.status()["queue"]
    never = {"state": "idle", "last_finished_at": None, "missing": None}
    assert queue["audit"] == queue["reconciliation"] == never
    assert server.post("/dose/api/audit") == (200, {"missing": len(FIRST)})
    server.wait_for(lambda: len(server.studies()) == len(FIRST), "all studies")
    queue = server.status()["queue"]
    assert queue["audit"] == queue["reconciliation"]
    assert queue["audit"]["missing"] == len(FIRST)
    assert server.post("/dose/api/reconcile") == (200, {"missing": 0})
    paths = server.ok("/dose/api/openapi.json")["paths"]
    assert paths["/audit"]["post"]["deprecated"] is True
    assert "/reconcile" in paths["/audit"]["post"]["description"]
    assert "deprecated" not in paths["/reconcile"]["post"]

"""Estimates in a real Orthanc: kills while they are made leave them right, and a changed setting is
applied to all studies.
"""

from __future__ import annotations

import time
from random import Random
from typing import Any

from orthanc_dose.estimates.follower import SETTINGS, WEIGHTS, Names, chosen, estimates_of
from orthanc_dose.samples import make_studies
from orthanc_dose.store import Store
from orthanc_dose.store.database import rows
from orthanc_dose.store.names import StandardNames
from tests.support.server import OrthancServer

AAPM = {"effective_dose_weights": "ICRP 60", "effective_dose_ct": "aapm96"}
OTHERS = {"effective_dose_nm": "none", "effective_dose_projection": "none"}
KILLS = 3


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["study_id"], row["event_number"] or 0, row["quantity"]


def kept_and_expected(server: OrthancServer) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The estimates in the store of a server that does not run, and those of its studies."""
    store = Store(server.dose_directory)
    with store.reading() as connection:
        kept = rows(connection.execute("SELECT * FROM estimate"))
        numbers = [row[0] for row in connection.execute("SELECT id FROM study").fetchall()]
        choice = chosen(connection, AAPM | OTHERS)
        names = Names(StandardNames.read_map(connection))
        expected = estimates_of(connection, numbers, choice, names)
    store.close()
    assert {WEIGHTS, *SETTINGS.values()} == {*AAPM, *OTHERS}
    return sorted(kept, key=_key), sorted(expected, key=_key)


def test_kills_leave_the_estimates_right() -> None:
    random = Random(7)
    samples = [sample for sample in make_studies(90, seed=9) if sample.events <= 4][:30]
    with OrthancServer() as server:
        server.send(samples[:8])
        server.wait_until_idle()
        assert server.request("PUT", "/dose/api/settings", json=AAPM).status_code == 200
        for round_ in range(KILLS):
            server.send(samples[8 + round_ * 5 : 13 + round_ * 5])
            time.sleep(random.uniform(0, 1.5))
            server.kill()
            server.start()
        server.send(samples[:12])  # written anew
        server.wait_until_idle()
        ct = [study for study in server.details(modality="CT") if study["estimates"]]
        assert ct
        gone = ct[0]["id"]
        assert server.post(f"/dose/api/studies/{gone}/delete")[0] == 200
        server.wait_for(lambda: gone not in [one["id"] for one in server.studies()], "the deletion")
        server.details()
        listed = server.ok("/dose/api/studies?sort=-effective_dose_estimated&modality=CT&limit=1"
                           "&columns=effective_dose_estimated,ssde_max")  # fmt: skip
        found = server.ok(f"/dose/api/studies/{listed['studies'][0]['id']}")
        of_study = {
            row["quantity"]: row["value"]
            for row in found["estimates"]
            if row["event_number"] is None
        }
        assert listed["studies"][0]["effective_dose_estimated"] == of_study["effective_dose"]
        tables = server.ok("/dose/api/estimate-tables")["tables"]
        assert {"aapm96", "nci2012_icrp103"} <= {table["key"] for table in tables}
        assert server.stop() == 0
        kept, expected = kept_and_expected(server)
        assert kept == expected and kept
        assert not [row for row in kept if row["study_id"] == gone]

"""The follower that keeps the table `estimate`: on a real store, it always ends with the estimates of
the studies, settings, tables and names that there are, whatever changes and wherever it stops.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orthanc_dose.estimates import follower as module
from orthanc_dose.estimates.follower import Estimates, Names, chosen, estimates_of
from orthanc_dose.estimates.own_tables import OWN_TABLES
from orthanc_dose.ingest import study_deletion
from orthanc_dose.store import Batch, feed, stored_settings, tasks
from orthanc_dose.store.database import rows
from orthanc_dose.store.names import StandardNames
from orthanc_dose.work.followers import _Thread
from tests.unit.test_estimates import OWN
from tests.unit.test_feed import OWNER, SAMPLES, House

DEFAULTS = {
    "effective_dose_weights": "none",
    "effective_dose_ct": "none",
    "effective_dose_nm": "none",
    "effective_dose_projection": "none",
}
AAPM = {"effective_dose_weights": "ICRP 60", "effective_dose_ct": "aapm96"}


class Estimated(House):
    """A store with its follower, of which each step is made by hand."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.settings = dict(DEFAULTS)
        self.thread = self.start()

    def start(self) -> _Thread:
        follower = Estimates()
        follower.setting = self.settings.__getitem__
        self.thread = _Thread(self.store, follower, OWNER)
        self.thread._begin()
        return self.thread

    def follow(self) -> None:
        while self.thread._round():
            pass

    def estimates(self) -> list[dict[str, Any]]:
        found = rows(self.connection.execute("SELECT * FROM estimate"))
        return sorted(found, key=_key)

    def expected(self) -> list[dict[str, Any]]:
        numbers = [row[0] for row in self.connection.execute("SELECT id FROM study").fetchall()]
        names = Names(StandardNames.read_map(self.connection))
        choice = chosen(self.connection, self.settings)
        return sorted(estimates_of(self.connection, numbers, choice, names), key=_key)

    def is_right(self) -> bool:
        return self.estimates() == self.expected()


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["study_id"], row["event_number"] or 0, row["quantity"]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Estimated]:
    out = Estimated(tmp_path)
    out.arrive(*SAMPLES[:6])
    # Sizes of the patients and regions, which these reports do not give.
    out.connection.execute("""
        UPDATE ct_event SET ctdiw_phantom_type = {'value': '113691', 'scheme': 'DCM', 'meaning': ''},
        target_region = {'value': '816094009', 'scheme': 'SCT', 'meaning': 'Chest'}
    """)
    out.connection.execute("UPDATE study SET patient_age = 50")
    yield out
    out.writer.close()
    out.store.close()


def ct_with_value(house: Estimated, quantity: str) -> int:
    return house.one(f"SELECT count(value) FROM estimate WHERE quantity = '{quantity}'") or 0


def test_studies_are_estimated_as_they_come_and_go(house: Estimated) -> None:
    house.settings |= AAPM
    house.follow()
    assert house.is_right() and ct_with_value(house, "effective_dose")
    house.arrive(*SAMPLES[5:])
    house.follow()
    assert house.is_right()
    gone = house.one("SELECT min(study_id) FROM estimate")
    house.writer.commit(study_deletion.of_one(house.writer, gone))
    house.follow()
    assert house.is_right()
    assert not house.one(f"SELECT count(*) FROM estimate WHERE study_id = {gone}")
    assert house.one("SELECT count(*) FROM study_change") == 0


def test_a_changed_setting_table_or_map_of_names_estimates_all_studies_again(
    house: Estimated,
) -> None:
    house.follow()
    assert house.is_right() and not ct_with_value(house, "effective_dose")
    house.settings |= AAPM
    house.follow()
    assert house.is_right() and ct_with_value(house, "effective_dose")
    [task] = tasks.of_states(house.connection, ("done",))
    assert task["kind"] == "follow-studies" and task["done"] == task["total"]
    # Factors of other weights are not mixed in.
    house.settings["effective_dose_weights"] = "ICRP 103"
    house.follow()
    assert house.is_right() and not ct_with_value(house, "effective_dose")
    house.settings |= AAPM
    # The name says the region where no code does.
    house.connection.execute("UPDATE ct_event SET target_region = NULL")
    house.writer.commit(
        Batch(more=lambda at: feed.mark_changed(at, "changed", "SELECT id FROM study"))
    )
    house.follow()
    assert house.is_right() and not ct_with_value(house, "effective_dose")
    names = StandardNames(
        [
            {
                "kind": "acquisition_protocols",
                "pattern": "*",
                "modality": "CT",
                "standard_name": "Chest",
            }
        ]
    )
    house.writer.commit(Batch(more=names.write_map, names=names))
    house.follow()
    assert house.is_right() and ct_with_value(house, "effective_dose")
    before = house.estimates()
    # An own table, and then the same with another coefficient.
    house.settings["effective_dose_ct"] = "own"
    row = {"region": "chest", "phantom": "body", "coefficient": 0.02}
    own = OWN | {"kind": "ct", "unit": "mSv/(mGy.cm)", "weights": "ICRP 60", "rows": [row]}
    for coefficient in (0.02, 0.03):
        own["rows"] = [row | {"coefficient": coefficient}]
        stored_settings.write_setting(house.store, "", OWN_TABLES, "ct", own)
        house.follow()
        assert house.is_right() and house.estimates() != before
        before = house.estimates()


def test_an_own_table_of_another_version_gives_no_values(house: Estimated) -> None:
    house.settings |= AAPM | {"effective_dose_ct": "own"}
    stored_settings.write_setting(house.store, "", OWN_TABLES, "ct", {"rows": "?"})
    house.follow()
    assert house.is_right() and not ct_with_value(house, "effective_dose")


def test_nothing_is_done_again_without_a_reason(house: Estimated) -> None:
    house.follow()
    house.start()
    assert not house.thread._round()
    # The map of names matters only if effective doses are estimated.
    names = StandardNames(
        [{"kind": "acquisition_protocols", "pattern": "*", "modality": None, "standard_name": "x"}]
    )
    house.writer.commit(Batch(more=names.write_map, names=names))
    assert not house.thread._round()


def test_it_goes_on_where_it_stopped(house: Estimated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Estimates, "chunk", 2)
    house.follow()
    house.settings |= AAPM
    assert house.thread._round()  # begins again, with two of the studies
    [task] = tasks.of_states(house.connection, ("running",))
    assert task["done"] == 2 and not house.is_right()
    house.start()
    # Changed once more on the way: the task for the former setting is stopped.
    house.settings["effective_dose_ct"] = "nci2012_icrp60"
    house.follow()
    assert house.is_right()
    assert [one["state"] for one in tasks.of_states(house.connection, ("stopped", "done"))] == [
        "stopped",
        "done",
    ]


def test_a_store_from_before_is_estimated_by_a_task(tmp_path: Path) -> None:
    before = House(tmp_path)
    before.arrive(*SAMPLES)
    before.writer.close()
    before.store.close()
    house = Estimated(tmp_path)
    house.follow()
    assert house.is_right() and house.estimates()
    [task] = tasks.of_states(house.connection, ("done",))
    assert task["done"] == house.one("SELECT count(*) FROM study")
    house.writer.close()
    house.store.close()


def test_a_study_that_cannot_be_estimated_does_not_stop_the_others(
    house: Estimated, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = module.rows_of_study
    bad = house.one("SELECT min(id) FROM study WHERE modality = 'CT'")

    def fails(study: Any, *more: Any) -> Any:
        if study["id"] == bad:
            raise ZeroDivisionError
        return real(study, *more)

    monkeypatch.setattr(module, "rows_of_study", fails)
    house.follow()
    [failure] = feed.failures(house.connection, "estimates", 10)
    assert failure["study_id"] == bad
    with_estimates = house.one("SELECT count(DISTINCT study_id) FROM estimate")
    assert with_estimates == house.one("SELECT count(*) - 1 FROM study WHERE modality = 'CT'")

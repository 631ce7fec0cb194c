"""The feed of changed studies: each way in which studies change is told in the transaction that
changes them, and followers see each change once. On a real store, by the worker's own code."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orthanc_dose.ingest import assembly, study_deletion, user_edits
from orthanc_dose.samples import make_studies, part10
from orthanc_dose.store import Batch, Store, Writer, feed, identity, sizes, state, tasks
from orthanc_dose.store.feed import Change
from orthanc_dose.work import followers as module
from orthanc_dose.work.followers import Follower, Followers, Reading, Write
from orthanc_dose.work.owner import Owner
from tests.unit.test_arrival import arrive

OWNER = Owner("node", "process")
SAMPLES = [sample for sample in make_studies(60, 11) if sample.events <= 4][:8]


def objects(*samples: Any) -> list[tuple[str, str, bytes]]:
    return [
        (ds.SOPInstanceUID, ds.SOPClassUID, part10(ds))
        for sample in samples
        for ds in sample.datasets
    ]


class House:
    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)
        self.writer = Writer(self.store)

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        return self.writer.connection

    def arrive(self, *samples: Any) -> None:
        arrive(self.writer, objects(*samples), 1)

    def one(self, sql: str) -> Any:
        return (self.connection.execute(sql).fetchone() or (None,))[0]

    def rows(self) -> dict[int, dict[Any, Any]]:
        """What the store says of each study."""
        uids = [
            row[0]
            for row in self.connection.execute(
                "SELECT DISTINCT study_instance_uid FROM study"
            ).fetchall()
        ]
        out: dict[int, dict[Any, Any]] = {}
        for (table, study, place), row in self.writer.rows_of_studies(uids).items():
            out.setdefault(study, {})[table, place] = row
        return out

    def told(self, action: Callable[[], object]) -> dict[int, str]:
        """Return what the feed reports of an action; each study once."""
        last = feed.newest(self.connection)
        action()
        query = "SELECT number, study_id, what FROM study_change WHERE number > $1 ORDER BY number"
        found = self.connection.execute(query, [last]).fetchall()
        assert [number for number, _, _ in found] == list(range(last + 1, last + 1 + len(found)))
        assert len({study for _, study, _ in found}) == len(found)
        return {study: what for _, study, what in found}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    out = House(tmp_path)
    out.arrive(*SAMPLES[:5])
    yield out
    out.writer.close()
    out.store.close()


def join(house: House) -> None:
    first, second = sorted(house.writer.systems.rows)[:2]
    user_edits.join_systems(house.writer, {first}, second)


def keep_sizes(house: House) -> None:
    def write(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE decided AS SELECT study_instance_uid AS uid, 171.0 AS height, "
            "70.0 AS weight, 'overwritten' AS height_state, 'overwritten' AS weight_state, "
            "'overwritten' AS outcome FROM study WHERE id = 2"
        )
        sizes.keep_sizes(connection, "decided", 1)

    house.writer.commit(Batch(more=write))


def apply_identity(house: House) -> None:
    house.connection.execute("UPDATE study SET patient_name = 'A^B' WHERE id IN (1, 3)")
    rules = dict.fromkeys(
        ("patient_name", "patient_id", "patient_birth_date", "accession_number"), "none"
    )
    found = identity.to_change(house.connection, rules, 100)
    assert {number for number, _ in found} >= {1, 3}
    house.writer.commit(
        Batch(
            more=lambda connection: identity.change_identity(
                connection, found, lambda item, value: None
            )
        )
    )


def again(house: House) -> None:
    uids = [house.one("SELECT study_instance_uid FROM study WHERE id = 4")]
    house.writer.commit(assembly.again(house.writer, uids))


def take_out(house: House) -> None:
    sop = house.one("SELECT sop_instance_uid FROM object WHERE study_id = 3")
    house.writer.commit(assembly.without(house.writer, sop))


def separate(house: House) -> None:
    user_edits.separate_system(house.writer, min(house.writer.systems.rows))


ACTIONS: dict[str, tuple[Callable[[House], object], set[str]]] = {
    "new studies": (lambda house: house.arrive(*SAMPLES[5:]), {"made"}),
    "the same objects": (lambda house: house.arrive(SAMPLES[0]), {"changed"}),
    "reading again": (again, {"changed"}),
    "taking an object out": (take_out, {"changed", "removed"}),
    "joining systems": (join, {"changed"}),
    "sizes from a file": (keep_sizes, {"changed"}),
    "rules of identity": (apply_identity, {"changed"}),
    "deleting a record": (lambda house: house.writer.commit(study_deletion.of_one(house.writer, 2)), {"removed"}),
    "deleting a system": (
        lambda house: house.writer.commit(study_deletion._batch(house.writer, "equipment_id = $1", 1)),
        {"removed"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ACTIONS)
def test_each_way_in_which_studies_change_is_told(name: str, house: House) -> None:
    action, kinds = ACTIONS[name]
    before = house.rows()
    told = house.told(lambda: action(house))
    after = house.rows()
    assert told and set(told.values()) <= kinds
    assert {study for study, what in told.items() if what == "made"} == after.keys() - before.keys()
    assert {
        study for study, what in told.items() if what == "removed"
    } == before.keys() - after.keys()
    differ = {study for study in before.keys() & after.keys() if before[study] != after[study]}
    changed = {study for study, what in told.items() if what == "changed"}
    assert differ <= changed <= before.keys() & after.keys()


def test_separating_systems_is_told(house: House) -> None:
    join(house)
    before = house.rows()
    told = house.told(lambda: separate(house))
    assert {study for study, row in house.rows().items() if row != before[study]} == told.keys()
    assert told and set(told.values()) == {"changed"}


def test_what_is_rolled_back_is_not_told(house: House) -> None:
    def spoil(connection: duckdb.DuckDBPyConnection) -> None:
        feed.mark_changed(connection, "removed", "SELECT id FROM study")
        raise RuntimeError

    def fail() -> None:
        with pytest.raises(RuntimeError):
            house.writer.commit(Batch(more=spoil))

    assert house.told(fail) == {}
    # Nor is it told with the next transaction.
    assert house.told(lambda: house.arrive(SAMPLES[6])).keys().isdisjoint(range(1, 6))


def test_without_followers_nothing_is_kept_and_no_number_comes_again(house: House) -> None:
    last = feed.newest(house.connection)
    with house.store.writing() as connection:
        Followers(house.store, [], OWNER).sweep(connection)
    assert house.one("SELECT count(*) FROM study_change") == 0
    house.arrive(SAMPLES[7])
    assert house.one("SELECT min(number) FROM study_change") == last + 1


class Recorder(Follower):
    name = "recorder"

    def __init__(self, fails_at: set[int] | None = None) -> None:
        self.fails_at = fails_at or set()

    def react(self, reading: Reading, change: Change) -> Write | None:
        if change.study_id in self.fails_at:
            raise SystemExit("A^Secret")

        def write(connection: duckdb.DuckDBPyConnection) -> None:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS seen (number BIGINT, study BIGINT, what VARCHAR)"
            )
            connection.execute(
                "INSERT INTO seen VALUES (?, ?, ?)", [change.number, change.study_id, change.what]
            )
            if -change.study_id in self.fails_at:
                raise KeyError("B^Secret")

        return write


def wait(
    followers: Followers, store: Store, done: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """Wait until the follower is where it should be; the limit is a safety net."""
    for _ in range(1200):
        with store.reading() as connection:
            found = followers.status(connection)
        if found and done(found[0]):
            return found[0]
        time.sleep(0.05)
    raise AssertionError(found)


def is_done(status: dict[str, Any]) -> bool:
    return status["state"] == "idle"


def seen(house: House) -> Counter[tuple[int, str]]:
    return Counter(house.connection.execute("SELECT study, what FROM seen").fetchall())


def test_a_new_follower_is_told_of_what_is_there_and_then_of_what_comes(house: House) -> None:
    followers = Followers(house.store, [Recorder()], OWNER)
    followers.start_threads()
    wait(followers, house.store, is_done)
    studies = house.one("SELECT count(*) FROM study")
    [task] = tasks.of_states(house.connection, ("done",))
    assert (task["kind"], task["subject"]) == ("follow-studies", "recorder")
    assert task["done"] == task["total"] == studies
    house.writer.commit(study_deletion.of_one(house.writer, 2))
    wait(followers, house.store, lambda status: status["behind"] == 0)
    followers.close()
    expected = {(study, "made"): 1 for study in range(1, studies + 1)} | {(2, "removed"): 1}
    assert seen(house) == expected
    assert house.one("SELECT count(*) FROM study_change") == 0
    # It is known now: started again it is told of nothing twice.
    followers = Followers(house.store, [Recorder()], OWNER)
    followers.start_threads()
    wait(followers, house.store, is_done)
    followers.close()
    assert seen(house) == expected


def test_back_filling_goes_on_where_it_was(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 2)
    follower = Recorder()
    thread = module._Thread(house.store, follower, OWNER)
    thread._begin()
    assert thread._round() and sum(seen(house).values()) == 2
    [task] = tasks.of_states(house.connection, ("running",))
    assert (task["done"], task["progress"]) == (2, {"after": 2})
    another = module._Thread(house.store, follower, OWNER)
    another._begin()
    while another._round():
        pass
    assert seen(house) == {(study, "made"): 1 for study in house.rows()}


@pytest.mark.parametrize("sign", (1, -1), ids=("working it out", "writing"))
def test_a_study_at_which_it_fails_is_set_aside(
    sign: int, house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "PAUSES_S", (0, 0))
    follower = Recorder({3 * sign})
    followers = Followers(house.store, [follower], OWNER)
    followers.start_threads()
    # Tried three times, and then skipped; the others are done.
    status = wait(followers, house.store, lambda status: status["skipped"] == 1)
    assert status["failing"] == 0
    wait(followers, house.store, is_done)
    assert {study for study, _ in seen(house)} == house.rows().keys() - {3}
    [failure] = feed.failures(house.connection, "recorder", 10)
    assert (failure["study_id"], failure["attempts"], failure["next_try_at"]) == (3, 3, None)
    assert failure["reason"].split()[0] in ("SystemExit", "KeyError")
    assert "Secret" not in caplog.text and "Secret" not in str(failure)
    follower.fails_at.clear()
    assert followers.try_again("recorder") == 1 and followers.try_again("nobody") is None
    wait(followers, house.store, lambda status: not status["skipped"] + status["failing"])
    followers.close()
    assert seen(house) == {(study, "made"): 1 for study in house.rows()}


def test_the_slowest_of_several_followers_keeps_the_rows(house: House) -> None:
    with house.store.writing() as connection:
        for name in ("fast", "slow"):
            feed.add_follower(connection, name, None)
        state.write_state(connection, "unrelated", "1")
    house.told(lambda: house.arrive(*SAMPLES[5:]))
    rows = feed.after(house.connection, "fast", 100)
    with house.store.writing() as connection:
        feed.move(connection, "fast", rows[-1].number)
        assert feed.after(connection, "slow", 100) == rows
        feed.move(connection, "slow", rows[0].number)
        assert feed.after(connection, "slow", 100) == rows[1:]
        # One that the program has no more holds nothing up.
        feed.keep_followers(connection, ["fast"])
        feed.prune(connection)
    assert house.one("SELECT count(*) FROM study_change") == 0

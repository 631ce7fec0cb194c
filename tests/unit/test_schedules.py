"""When saved searches run, and what for: over changes of the clock, after a rest, and never beside
themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orthanc_dose.query.runs import of_schedules
from orthanc_dose.retrieve.nodes import NoNode
from orthanc_dose.retrieve.schedules import (
    NoRight,
    Schedules,
    StillRuns,
    asked_for,
    missed,
    next_run,
    problem,
)
from orthanc_dose.store import Store, tasks

DAILY = {
    "node": "archive",
    "question": {"groups": ["CT"]},
    "cron": "30 2 * * *",
    "time_zone": "Europe/Berlin",
    "look_back": 1,
    "unit": "days",
    "fetch": True,
    "on": True,
}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(("now", "expected"), [
    ("2026-01-10T00:00", "2026-01-10T01:30"),  # 02:30 in winter
    ("2026-07-10T00:00", "2026-07-10T00:30"),  # 02:30 in summer
    ("2026-07-10T00:30", "2026-07-11T00:30"),  # not once more in the same minute
    # the clock is set back: the half hour that comes twice counts once
    ("2026-10-25T00:31", "2026-10-26T01:30"),
])  # fmt: skip
def test_the_next_run(now: str, expected: str) -> None:
    assert next_run(DAILY, at(now)) == at(expected)


def test_what_runs_each_hour_runs_in_both_hours_of_the_same_name() -> None:
    hourly, times = DAILY | {"cron": "30 * * * *"}, ["2026-10-24T23:30"]
    while len(times) < 5:
        found = next_run(hourly, at(times[-1]))
        times += [f"{found:%Y-%m-%dT%H:%M}"]
    assert times == ["2026-10-24T23:30", *(f"2026-10-25T0{hour}:30" for hour in range(4))]


def test_a_time_that_the_change_of_the_clock_leaves_out_is_not_lost() -> None:
    # On 29 March 2026 it is never half past two in Berlin.
    found = next_run(DAILY, at("2026-03-28T02:00"))
    assert found is not None and found.date() == at("2026-03-29T00:00").date()


def test_what_was_missed_is_the_first_of_it() -> None:
    assert missed(DAILY, at("2026-01-10T01:30"), at("2026-01-11T01:29")) is None
    assert missed(DAILY, at("2026-01-10T01:30"), at("2026-01-11T01:30")) == at("2026-01-11T01:30")
    assert missed(DAILY, at("2026-01-10T01:30"), at("2026-02-11T01:30")) == at("2026-01-11T01:30")


def test_days_and_times_are_those_of_the_time_zone() -> None:
    # 23:30 UTC is the next day in Berlin.
    assert asked_for(DAILY, at("2026-07-10T00:30"), at("2026-07-10T23:30")) == {
        "first": "2026-07-09",
        "last": "2026-07-11",
    }
    hourly = DAILY | {"unit": "hours", "look_back": 2}
    assert asked_for(hourly, at("2026-07-10T10:00"), at("2026-07-10T10:00")) == {
        "first": "2026-07-10",
        "last": "2026-07-10",
        "time_from": "10:00",
        "time_to": None,
    }
    # Over midnight a node can only be asked for whole days.
    assert asked_for(hourly, at("2026-07-10T22:30"), at("2026-07-10T22:30")) == {
        "first": "2026-07-10",
        "last": "2026-07-11",
        "since": "2026-07-10T22:30",
    }


@pytest.mark.parametrize(("due", "unit", "expected"), [
    # The clock of Berlin is set back on 25 October 2026 at 01:00 UTC: a day of 25 hours, and 02:00
    # to 03:00 comes twice.
    ("2026-10-25T22:30", "days", {"first": "2026-10-24", "last": "2026-10-25"}),
    ("2026-10-25T00:30", "hours", {"first": "2026-10-25", "last": "2026-10-25", "time_from": "01:30", "time_to": None}),
    ("2026-10-25T01:30", "hours", {"first": "2026-10-25", "last": "2026-10-25", "time_from": "01:30", "time_to": None}),
    # It is set forward on 29 March 2026 at 01:00 UTC: a day of 23 hours.
    ("2026-03-29T22:30", "days", {"first": "2026-03-29", "last": "2026-03-30"}),
    ("2026-03-29T01:30", "hours", {"first": "2026-03-29", "last": "2026-03-29", "time_from": "01:30", "time_to": None}),
])  # fmt: skip
def test_a_look_back_over_a_change_of_the_clock_loses_nothing(
    due: str, unit: str, expected: dict[str, Any]
) -> None:
    assert asked_for(DAILY | {"unit": unit, "look_back": 1}, at(due), at(due)) == expected


@pytest.mark.parametrize(("cron", "zone", "wrong"), [
    ("30 2 * * *", "Europe/Berlin", None), ("*/5 8-17 * * 1-5", "UTC", None), ("61 * * * *", "UTC", "cron"),
    ("", "UTC", "cron"),
    ("* * * *", "UTC", "cron"), ("30 2 * * *", "Mars/Base", "time_zone"), ("30 2 * * *", "../../etc/passwd", "time_zone"),
    ("30 2 * * *", "", "time_zone"),
])  # fmt: skip
def test_what_is_no_time(cron: str, zone: str, wrong: str | None) -> None:
    assert problem(cron, zone) == wrong


class Clock:
    def __init__(self, text: str) -> None:
        self.now = at(text)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path)
    yield made
    made.close()


def test_a_schedule_runs_when_it_is_due_and_not_beside_itself(store: Store) -> None:
    clock, begun = Clock("2026-01-10T12:00"), []

    def begin(user: str, schedule: dict[str, Any], when: dict[str, Any], fetch: bool) -> int:
        begun.append((user, when["first"], when["last"], fetch))
        return tasks.create(store, "node-search", user)

    def finish(number: int) -> None:
        with store.writing() as connection:
            tasks.put(connection, (tasks.one(connection, number) or {}) | {"state": "done"})

    schedules = Schedules(store, begin, lambda user: True, clock)
    schedules.put("nightly", "physicist", DAILY)
    schedules.look()
    assert not begun
    clock.now = at("2026-01-11T01:31")
    schedules.look()
    schedules.look()
    assert begun == [("physicist", "2026-01-10", "2026-01-11", True)]
    [told] = schedules.listed()
    assert (told["name"], told["user"], told["next_run"]) == (
        "nightly",
        "physicist",
        "2026-01-12T01:30:00+00:00",
    )
    # While the last run goes on none begins; afterwards one makes up for all of it.
    clock.now += timedelta(days=3)
    schedules.look()
    assert len(begun) == 1
    finish(told["last_task"])
    schedules.look()
    assert begun[1:] == [("physicist", "2026-01-11", "2026-01-14", True)]
    finish(schedules.listed()[0]["last_task"])
    # A server that was off for a week.
    clock.now += timedelta(days=7)
    Schedules(store, begin, lambda user: True, clock).look()
    assert begun[2:] == [("physicist", "2026-01-14", "2026-01-21", True)]


def test_a_run_waits_for_the_retrieval_of_the_one_before(store: Store) -> None:
    clock, begun = Clock("2026-01-10T12:00"), []

    def begin(user: str, *_: Any) -> int:
        begun.append(tasks.create(store, "node-search", user))
        return begun[-1]

    schedules = Schedules(store, begin, lambda user: True, clock)
    schedules.put("nightly", "physicist", DAILY)
    clock.now += timedelta(days=1)
    schedules.look()
    with store.writing() as connection:
        tasks.put(connection, (tasks.one(connection, begun[0]) or {}) | {"state": "done"})
    fetching = tasks.create(store, "retrieval", "physicist", parameters={"search": begun[0]})
    clock.now += timedelta(days=1)
    schedules.look()
    assert len(begun) == 1
    with store.writing() as connection:
        tasks.put(connection, (tasks.one(connection, fetching) or {}) | {"state": "done"})
    schedules.look()
    assert len(begun) == 2


def test_one_that_cannot_begin_does_not_stop_the_others(store: Store) -> None:
    clock, begun = Clock("2026-01-10T12:00"), []

    def begin(user: str, schedule: dict[str, Any], *_: Any) -> int:
        if schedule["node"] == "gone":
            raise LookupError
        begun.append(schedule["node"])
        return 1

    schedules = Schedules(store, begin, lambda user: True, clock)
    schedules.put("a", "physicist", DAILY | {"node": "gone"})
    schedules.put("b", "physicist", DAILY)
    schedules.put("c", "physicist", DAILY | {"on": False})
    clock.now += timedelta(days=1)
    schedules.look()
    schedules.look()
    assert begun == ["archive"]
    assert schedules.remove("a") and not schedules.remove("a")


class Rights:
    """Who may query nodes."""

    def __init__(self, *users: str) -> None:
        self.users = set(users)

    def __call__(self, user: str) -> bool:
        return user in self.users


class Searching:
    """Begins searches that last until they are finished."""

    def __init__(self, store: Store) -> None:
        self.store, self.begun = store, list[tuple[str, str]]()

    def __call__(
        self, user: str, schedule: dict[str, Any], when: dict[str, Any], fetch: bool
    ) -> int:
        self.begun.append((when["first"], when["last"]))
        return tasks.create(self.store, "node-search", user)

    def finish(self, number: int, **result: Any) -> None:
        with self.store.writing() as connection:
            changes = {"state": "done", "result": result, "finished_at": datetime(2026, 1, 11, 2)}
            tasks.put(connection, (tasks.one(connection, number) or {}) | changes)


def runs(store: Store, name: str) -> list[dict[str, Any]]:
    with store.reading() as connection:
        return of_schedules(connection).get(name, [])


def test_runs_are_remembered_though_their_tasks_are_forgotten(store: Store) -> None:
    clock, begin = Clock("2026-01-10T12:00"), Searching(store)
    schedules = Schedules(store, begin, Rights("physicist"), clock)
    schedules.put("nightly", "physicist", DAILY)
    clock.now = at("2026-01-11T05:00")
    schedules.look()
    search = schedules.listed()[0]["last_task"]
    begin.finish(search, studies=3, gaps={"rule": 1})
    [run] = runs(store, "nightly")
    assert run == {
        "due": "2026-01-11T01:30:00Z",
        "search": search,
        "is_forgotten": False,
        "state": "done",
        "message": None,
        "result": {"studies": 3, "gaps": {"rule": 1}},
        "started_at": None,
        "finished_at": "2026-01-11T02:00:00Z",
        "retrieval": None,
    }
    other = tasks.create(store, "retrieval", "physicist", parameters={"search": 999})
    first, second = (
        tasks.create(store, "retrieval", "physicist", parameters={"search": search})
        for _ in range(2)
    )
    begin.finish(first, arrived=1)
    begin.finish(second, arrived=2)
    begin.finish(other, arrived=9)
    told = {"id": second, "state": "done", "message": None, "result": {"arrived": 2}}
    assert runs(store, "nightly") == [run | {"retrieval": told}]
    # The newer one is forgotten before the older.
    tasks.forget(store, [second])
    assert runs(store, "nightly") == [run | {"retrieval": told}]
    tasks.forget(store, [first])
    assert runs(store, "nightly") == [run | {"retrieval": told}]
    tasks.forget_finished(store, None)
    assert runs(store, "nightly") == [run | {"is_forgotten": True, "retrieval": told}]
    assert schedules.remove("nightly")
    assert runs(store, "nightly") == []


def test_the_newest_runs_of_each_schedule_are_remembered(store: Store) -> None:
    clock, begin = Clock("2026-01-10T12:00"), Searching(store)
    schedules = Schedules(store, begin, Rights("physicist"), clock)
    for name in ("a", "b"):
        schedules.put(name, "physicist", DAILY | {"on": name == "a"})
    schedules.run("b")
    for _ in range(25):
        clock.now += timedelta(days=1)
        schedules.look()
        begin.finish(schedules.listed()[0]["last_task"])
    days = [run["due"] for run in runs(store, "a")]
    assert days == [
        f"2026-{at('2026-01-11T00:00') + timedelta(days=n):%m-%d}T01:30:00Z"
        for n in range(24, 4, -1)
    ]
    assert len(runs(store, "b")) == 1


def test_a_run_that_could_not_begin_says_why(store: Store) -> None:
    clock = Clock("2026-01-10T12:00")
    errors: dict[str, Exception] = {"a": NoNode("archive"), "b": LookupError("P123")}

    def begin(user: str, schedule: dict[str, Any], *_: Any) -> int:
        raise errors[schedule["node"]]

    schedules = Schedules(store, begin, Rights("physicist"), clock)
    for name in errors:
        schedules.put(name, "physicist", DAILY | {"node": name})
    clock.now += timedelta(days=1)
    schedules.look()
    told = [runs(store, name)[0] for name in errors]
    assert [(run["search"], run["state"], run["is_forgotten"]) for run in told] == [
        (None, "failed", False)
    ] * 2
    assert [run["message"] for run in told] == [
        "Orthanc has no node with this name.",
        "It failed because of an internal error: LookupError.",
    ]


def test_a_schedule_of_a_user_without_the_right_does_not_run_and_says_so(store: Store) -> None:
    clock, begin, rights = Clock("2026-01-10T12:00"), Searching(store), Rights("physicist")
    schedules = Schedules(store, begin, rights, clock)
    schedules.put("nightly", "physicist", DAILY)
    assert not schedules.listed()[0]["missing_right"]
    rights.users.clear()
    clock.now = at("2026-01-12T01:31")
    schedules.look()
    with pytest.raises(NoRight):
        schedules.run("nightly")
    [told] = schedules.listed()
    assert (told["missing_right"], told["next_run"], begin.begun) == (True, None, [])
    # Given back, what was missed is made up by one run.
    rights.users.add("physicist")
    schedules.look()
    schedules.look()
    assert begin.begun == [("2026-01-10", "2026-01-12")]


def test_a_run_that_is_asked_for_does_not_begin_beside_another(store: Store) -> None:
    begin = Searching(store)
    schedules = Schedules(store, begin, Rights("physicist"), Clock("2026-01-10T12:00"))
    schedules.put("nightly", "physicist", DAILY)
    number = schedules.run("nightly")
    with pytest.raises(StillRuns):
        schedules.run("nightly")
    begin.finish(number)
    assert schedules.run("nightly") > number

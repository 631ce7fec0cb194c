"""What is moved together, what is tried again and when, without any network or clock."""

from __future__ import annotations

from typing import Any

import pytest

from orthanc_dose.retrieve import moves
from orthanc_dose.retrieve.moves import Move, Moves, Part, together
from orthanc_dose.retrieve.node_search import NodeError, NodeRefuses
from orthanc_dose.retrieve.remote_node import NotThere, Standstill


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(moves, "time", made)
    return made


def part(line: int, study: str = "1.2", **more: Any) -> Part:
    fields: dict[str, Any] = {"images": None, "listed": None, "size": 3} | more
    return Part(line, study, f"{study}.{line}", **fields)


def begun(of: Moves) -> Move:
    move = of.next()
    assert move is not None
    of.began(move)
    return move


def test_series_of_a_study_go_together_and_objects_by_themselves() -> None:
    parts = [*(part(line) for line in range(20)), part(20, images=["1.2.20.1"]), part(21, "1.3")]
    made = together(parts)
    assert [[one.line for one in move.parts] for move in made] == [
        [*range(16)],
        [*range(16, 20)],
        [20],
        [21],
    ]
    assert [move.level for move in made] == ["Series", "Series", "Instance", "Series"]
    assert made[1].keys == {
        "StudyInstanceUID": "1.2",
        "SeriesInstanceUID": "1.2.16\\1.2.17\\1.2.18\\1.2.19",
    }
    assert [move.objects for move in made] == [48, 12, 1, 3]


@pytest.mark.parametrize(
    ("answered", "only"),
    [
        (["1.2.1", "1.2.2"], None),
        (["1.2.2", "1.2.1"], None),
        (["1.2.1", "1.2.2", "1.2.1"], None),
    ],
)
def test_all_that_was_asked_for_is_moved_at_once(answered: list[str], only: int | None) -> None:
    move = Move([part(1), part(2)])
    assert move.take("query", answered) and (move.query, move.only) == ("query", only)


@pytest.mark.parametrize("answered", (["1.2.1"], [], ["1.2.1", "1.2.2", "1.2.3"], [""]))
def test_other_answers_to_a_list_are_asked_for_one_by_one(answered: list[str]) -> None:
    assert not Move([part(1), part(2)]).take("query", answered)


def test_of_more_answers_than_were_asked_for_one_is_moved() -> None:
    move = Move([part(2)])
    assert move.take("query", ["1.2.1", "1.2.2", "1.2.3"]) and move.only == 1
    with pytest.raises(NotThere):
        Move([part(2)]).take("query", ["1.2.1"])
    with pytest.raises(NotThere):
        Move([part(2)]).take("query", [])


def test_a_list_of_objects_that_a_node_does_not_match_becomes_its_series() -> None:
    of = Moves([Move([part(1, images=["1.2.1.1", "1.2.1.2"], size=9)])], lambda: 5.0)
    assert of.total == 2
    move = of.next()
    assert move is not None and not move.take("query", ["1.2.1.1"])
    of.split(move)
    [series] = of.waiting
    assert (
        series.keys == {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.2.1"} and of.total == 9
    )


def test_pauses_grow_and_then_it_is_given_up(clock: Clock) -> None:
    of = Moves([Move([part(1)])], lambda: 5.0)
    for pause in (5.0, 20.0, 60.0):
        of.failed(begun(of), NodeRefuses("busy"))
        assert of.notes == {1: ("moving", "busy")} and not of.is_over
        clock.now += pause - 0.1
        assert of.next() is None
        clock.now += 0.2
    of.failed(begun(of), NodeRefuses("busy"))
    assert of.is_over and of.notes == {1: ("failed", "busy")} and of.done == of.total == 3


def test_what_waits_does_not_hold_up_others(clock: Clock) -> None:
    of = Moves([Move([part(1)]), Move([part(2, "1.3")])], lambda: 5.0)
    of.failed(begun(of), NodeRefuses("busy"))
    other = begun(of)
    assert other.parts[0].line == 2
    of.moved(other)
    assert of.next() is None and of.notes[2] == ("moved", None) and of.done == 3


def test_what_is_not_there_is_not_asked_for_again(clock: Clock) -> None:
    of = Moves([Move([part(1)])], lambda: 5.0)
    of.failed(begun(of), NotThere("gone"))
    assert of.is_over and of.notes == {1: ("failed", "gone")}


def test_of_several_series_that_fail_together_each_is_tried_by_itself(clock: Clock) -> None:
    of = Moves([Move([part(1), part(2), part(3)])], lambda: 5.0)
    of.failed(begun(of), NodeError("some"))
    singles = [begun(of) for _ in range(3)]
    assert [[one.line for one in move.parts] for move in singles] == [[1], [2], [3]]
    of.moved(singles[0])
    of.failed(singles[1], NodeError("some"))
    of.moved(singles[2])
    assert (
        of.notes == {1: ("moved", None), 2: ("moving", "some"), 3: ("moved", None)}
        and of.next() is None
    )


def test_where_nothing_can_be_fetched_all_wait_and_are_given_up_together(clock: Clock) -> None:
    of = Moves([Move([part(line, f"1.{line}")]) for line in range(1, 6)], lambda: 5.0)
    for pause in (5.0, 20.0, 60.0):
        first, second = begun(of), begun(of)
        of.failed(first, Standstill("out of reach"))
        of.failed(second, Standstill("out of reach"))  # the same matter, so it does not count twice
        clock.now += pause - 0.1
        assert of.next() is None
        clock.now += 0.2
    of.failed(begun(of), Standstill("out of reach"))
    assert of.is_over and of.done == of.total
    assert of.notes == dict.fromkeys(range(1, 6), ("failed", "out of reach"))


def test_what_is_fetched_meanwhile_begins_the_tries_anew(clock: Clock) -> None:
    of = Moves([Move([part(line, f"1.{line}")]) for line in range(1, 4)], lambda: 5.0)
    for _ in range(2):
        of.failed(begun(of), Standstill("out of reach"))
        clock.now += 21
    of.moved(begun(of))
    for pause in (5.0, 20.0, 60.0):
        of.failed(begun(of), Standstill("out of reach"))
        clock.now += pause
        assert not of.is_over
    of.failed(begun(of), Standstill("out of reach"))
    assert of.is_over

"""Fetching from a PACS that behaves badly: what is said of it, what counts as asked for, arrived,
imported and missing, and that a later retrieval fetches what did not come."""

from __future__ import annotations

import time
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from pydicom.dataset import Dataset

from orthanc_dose import samples
from tests.support.archive import PENDING, SUCCESS, Archive, Manner, Move, slowly, well
from tests.support.server import OrthancServer

DAY = "2026-03-02"
SECONDS = 2  # how long the node may be silent
_numbers = iter(range(1, 1000))


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Archive, OrthancServer]]:
    """The PACS, and ours, which does not pause before it tries again."""
    with (
        Archive() as archive,
        OrthancServer(
            dose={"MovePause": 0},
            overrides={
                "DicomModalities": {"bad": ["BAD", "127.0.0.1", archive.port]},
                "DicomAet": "OURS",
            },
        ) as server,
    ):
        archive.known["OURS"] = ("127.0.0.1", server.dicom_port)
        yield archive, server


def reports(count: int, key: str) -> list[Dataset]:
    """Reports of one series, which a search for CT keeps."""
    number = next(_numbers)
    made = [samples.ct_report(1, key=f"bad moves {key} {n}") for n in range(count)]
    for one in made:
        one.StudyInstanceUID, one.SeriesInstanceUID = (
            f"1.2.826.0.2.{number}",
            f"1.2.826.0.2.{number}.1",
        )
        one.StudyDate, one.PatientID, one.AccessionNumber = (
            DAY.replace("-", ""),
            f"B{number}",
            f"A{number}",
        )
    return made


def offers(archive: Archive, made: list[Dataset]) -> list[Dataset]:
    """The PACS has these reports, and of each study an image, which nobody wants."""
    images = {}
    for one in made:
        images[one.StudyInstanceUID] = image = samples.ct_slice(next(_numbers))
        image.StudyInstanceUID, image.StudyDate, image.PatientID = (
            one.StudyInstanceUID,
            one.StudyDate,
            one.PatientID,
        )
        image.SeriesInstanceUID = f"{one.StudyInstanceUID}.2"
    archive.objects = [*made, *images.values()]
    return made


def task_of(server: OrthancServer, path: str, body: Any = None) -> str:
    """The path of a task that was begun."""
    answer = server.request("POST", f"/dose/api{path}", json=body or {})
    assert answer.status_code == 202, answer.text
    return f"/dose/api/tasks/{answer.json()['id']}"


def ended(server: OrthancServer, task: str) -> dict[str, Any]:
    server.wait_for(lambda: server.ok(task)["finished_at"] is not None, "the task")
    return server.ok(task)


def searched(server: OrthancServer, **more: bool) -> int:
    """A search for all that the PACS has."""
    asked = {"first": DAY, "last": DAY, "groups": ["CT"]} | more
    task = ended(server, task_of(server, "/nodes/bad/searches", asked))
    assert task["state"] == "done", task
    return task["id"]


def lines(server: OrthancServer, search: int) -> list[dict[str, Any]]:
    return server.ok(f"/dose/api/searches/{search}/found?kept=yes")["found"]


def fetched(server: OrthancServer, search: int) -> dict[str, int]:
    """What came of a retrieval."""
    task = ended(server, task_of(server, f"/searches/{search}/retrieve"))
    assert task["state"] == "done", task
    return task["result"]


def result(asked_for: int, arrived: int, *, failed: int = 0, series: int = 1) -> dict[str, int]:
    """All that arrives here is dose reports, so all of it is imported."""
    return {
        "series": series,
        "failed": failed,
        "asked_for": asked_for,
        "arrived": arrived,
        "imported": arrived,
        "missing": asked_for - arrived,
        "not_listed": 0,
    }


def uids(objects: list[Dataset]) -> set[str]:
    return {str(one.SOPInstanceUID) for one in objects}


def held(server: OrthancServer, objects: list[Dataset]) -> set[str]:
    """Which of these the store has, each once."""
    found = [
        one["sop_instance_uid"]
        for one in server.objects()
        if one["sop_instance_uid"] in uids(objects)
    ]
    assert len(found) == len(set(found))
    return set(found)


def refuses(status: int, *, comment: str = "") -> Manner:
    return lambda move: move.answer(status, comment=comment)


def _abort(move: Move) -> None:
    move.abort()


def _hang_up(move: Move) -> None:
    move.hang_up()


def _release(move: Move) -> None:
    move.release()


def _silence(move: Move) -> None:
    time.sleep(SECONDS + 0.5)


def after_one(then: Manner) -> Manner:
    """One object, and then what is not as it should be."""

    def manner(move: Move) -> None:
        move.send(move.objects[0])
        move.answer(PENDING, left=len(move.objects) - 1)
        then(move)

    return manner


def _some_failed(move: Move) -> None:
    move.answer(0xB000, left=0, failed=move.objects[1:], comment="two could not be sent")


def _success(move: Move) -> None:
    move.answer(SUCCESS, left=0)


# What it does each time, how much of three reports arrives, and what is said of it.
FAILING: dict[str, tuple[Manner, int, str]] = {
    "out of resources, cannot count": (refuses(0xA701, comment="busy"), 0,
                                       "The node refused: it could not determine the number of objects to send (0xA701)."),
    "out of resources, cannot send": (refuses(0xA702), 0, "The node refused: it could not send the objects (0xA702)."),
    "a status that the standard does not have here": (refuses(0x0110), 0, "The node refused: "
"status 0x0110."),
    "some could not be sent": (after_one(_some_failed), 1, "The node refused: it could not send all of the objects (0xB000)."),
    "aborts half way": (after_one(_abort), 1, "The node aborted the association."),
    "closes the connection half way": (after_one(_hang_up), 1, "The node aborted the association."),
    "releases the association half way": (after_one(_release), 1, "The node aborted the association."),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILING)
def test_what_fails_each_time_is_listed_with_what_the_node_said(pair: Any, name: str) -> None:
    archive, server = pair
    manner, arrives, said = FAILING[name]
    made = offers(archive, reports(3, name))
    search = searched(server)
    archive.will(manner)
    assert fetched(server, search) == result(3, arrives, failed=1)
    assert archive.asked == [uids(made)] * 4  # and three times more
    [line] = lines(server, search)
    assert (line["state"], line["fault"], line["asked_for"], line["arrived"]) == (
        "failed",
        said,
        3,
        arrives,
    )
    assert held(server, made) == uids(made[:arrives])
    archive.will(well)
    assert fetched(server, search) == result(3, 3)
    [line] = lines(server, search)
    assert (line["state"], line["fault"], line["arrived"], line["imported"]) == (
        "moved",
        None,
        3,
        3,
    )


@pytest.fixture
def impatient(pair: Any) -> Iterator[None]:
    """A machine that is busy may be slow itself: so only for tests of slow nodes."""
    for_node = "/dose/api/nodes/bad"
    before = pair[1].ok("/dose/api/nodes")["nodes"][0]["seconds"]
    assert pair[1].request("PUT", for_node, json={"seconds": SECONDS}).status_code == 200
    yield
    assert pair[1].request("PUT", for_node, json={"seconds": before}).status_code == 200


def test_a_node_that_falls_silent_half_way(pair: Any, impatient: None) -> None:
    archive, server = pair
    made = offers(archive, reports(3, "silent"))
    search = searched(server)
    archive.will(after_one(_silence))
    assert fetched(server, search) == result(3, 1, failed=1)
    [line] = lines(server, search)
    assert (line["state"], line["fault"]) == (
        "failed",
        f"The node did not answer within {SECONDS} s.",
    )
    archive.will(well)
    assert fetched(server, search) == result(3, 3)
    assert held(server, made) == uids(made)


@pytest.mark.parametrize("times", (1, 2, 3))
def test_what_is_refused_at_first_is_tried_again(pair: Any, times: int) -> None:
    archive, server = pair
    offers(archive, reports(2, f"refused {times} times"))
    search = searched(server)
    archive.will(*[refuses(0xA702)] * times, well)
    assert fetched(server, search) == result(2, 2)
    assert len(archive.asked) == times + 1
    [line] = lines(server, search)
    assert (line["state"], line["fault"]) == ("moved", None)


def _another_study(move: Move) -> None:
    other = deepcopy(move.objects[0])
    other.StudyInstanceUID += ".5"
    other.SOPInstanceUID += ".5"
    move.send(other)
    move.answer(SUCCESS, left=0)


def _twice(move: Move) -> None:
    """The second time with an ID of the patient that the archive corrected: another object to
    Orthanc.
    """
    corrected = deepcopy(move.objects[0])
    corrected.PatientID += "-1"
    move.send(move.objects[0], *move.objects, corrected)
    move.answer(SUCCESS, left=0)


# It says that all is well: what it does, and how much of three reports arrives.
PROMISING: dict[str, tuple[Manner, int]] = {
    "sends fewer": (after_one(_success), 1),
    "sends nothing": (_success, 0),
    "sends another study": (_another_study, 0),
    "ends with an answer that more is to come": (after_one(lambda move: move.answer(SUCCESS)), 1),
}


@pytest.mark.parametrize("name", PROMISING)
def test_what_was_promised_and_did_not_come_is_missing_and_fetched_later(
    pair: Any, name: str
) -> None:
    archive, server = pair
    manner, arrives = PROMISING[name]
    made = offers(archive, reports(3, name))
    search = searched(server)
    archive.will(manner)
    assert fetched(server, search) == result(3, arrives)
    assert len(archive.asked) == 1
    [line] = lines(server, search)
    assert (line["state"], line["fault"], line["asked_for"], line["arrived"]) == (
        "moved",
        None,
        3,
        arrives,
    )
    archive.will(well)
    assert fetched(server, search) == result(3, 3)
    assert len(archive.asked) == 1 and held(server, made) == uids(made)
    # Now nothing is left to do.
    archive.will(well)
    assert fetched(server, search) == result(3, 3) and archive.asked == []


def test_of_what_a_node_does_not_list_nobody_says_how_much_arrived(pair: Any) -> None:
    archive, server = pair
    made = offers(archive, reports(3, "not listed"))
    archive.by_object = False
    try:
        search = searched(server, unseen_reports=True)
        archive.will(well)
        assert fetched(server, search) == result(0, 0) | {"not_listed": 1}
    finally:
        archive.by_object = True
    [line] = lines(server, search)
    assert (line["state"], line["asked_for"], line["arrived"], line["imported"]) == (
        "moved",
        3,
        None,
        None,
    )
    assert held(server, made) == uids(made)


def test_what_comes_twice_counts_once(pair: Any) -> None:
    archive, server = pair
    made = offers(archive, reports(2, "twice"))
    search = searched(server)
    archive.will(_twice)
    assert fetched(server, search) == result(2, 2)
    assert {
        one["study_instance_uid"]
        for one in server.studies(study_instance_uid=made[0].StudyInstanceUID)
    } == {made[0].StudyInstanceUID}


def test_a_node_that_is_slow_but_speaks_is_waited_for(pair: Any, impatient: None) -> None:
    archive, server = pair
    offers(archive, reports(3, "slow"))
    search = searched(server)
    archive.will(slowly(SECONDS / 3))  # without any counts
    assert fetched(server, search) == result(3, 3)
    assert len(archive.asked) == 1


def test_what_some_series_say_does_not_hold_up_others(pair: Any) -> None:
    archive, server = pair
    made = offers(archive, [one for number in range(6) for one in reports(1, f"mixed {number}")])
    bad = uids(made[:2])
    search = searched(server)
    archive.will(lambda move: (_abort if uids(move.objects) <= bad else well)(move))
    assert fetched(server, search) == result(6, 4, failed=2, series=6)
    assert [line["state"] for line in lines(server, search)] == ["failed"] * 2 + ["moved"] * 4
    archive.will(well)
    assert fetched(server, search) == result(6, 6, series=6)
    assert sorted(map(sorted, archive.asked)) == sorted([one] for one in bad)


def test_where_no_series_can_be_fetched_all_wait_together_and_are_given_up_together(
    pair: Any,
) -> None:
    archive, server = pair
    offers(archive, [one for number in range(12) for one in reports(1, f"nowhere {number}")])
    search = searched(server)
    archive.will(refuses(0xA801, comment="who is that"))
    assert fetched(server, search) == result(12, 0, failed=12, series=12)
    assert len(archive.asked) < 12  # not four times each
    assert {line["fault"] for line in lines(server, search)} == {
        "The node refused: it does not know the destination (0xA801)."
    }
    archive.will(refuses(0xA801), well)
    assert fetched(server, search) == result(12, 12, series=12)

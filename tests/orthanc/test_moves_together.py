"""Series of a study are fetched over one association, and one by one where a node does not match
lists of UIDs.
"""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.uid import BasicTextSRStorage

from tests.orthanc.test_bad_moves import (
    fetched,
    held,
    lines,
    offers,
    pair,
    reports,
    result,
    searched,
    uids,
)
from tests.support.archive import Archive, Move, well

__all__ = ["pair"]


@pytest.fixture
def archive(pair: Any) -> Any:
    """As it was, after the test."""
    yield pair[0]
    pair[0].lists = pair[0].by_series = True


def of_several_series(archive: Archive, key: str) -> list[Any]:
    made = reports(4, key)
    for number, one in enumerate(made):
        one.SeriesInstanceUID = f"{one.StudyInstanceUID}.{10 + number}"
    offers(archive, made)
    return made


@pytest.mark.parametrize(
    ("lists", "by_series", "associations"),
    [
        (True, True, 1),
        pytest.param(False, True, 4, id="no lists"),
        pytest.param(True, False, 4, id="series ignored"),
    ],
)
def test_series_of_a_study_come_together(
    pair: Any, archive: Archive, lists: bool, by_series: bool, associations: int
) -> None:
    _, server = pair
    made = of_several_series(archive, f"together {lists} {by_series}")
    search = searched(server)
    archive.lists, archive.by_series = lists, by_series
    archive.will(well)
    assert fetched(server, search) == result(4, 4, series=4)
    assert held(server, made) == uids(made)
    # Each once, and nothing else of the study.
    assert sorted(map(sorted, archive.asked)) == sorted([uid] for uid in uids(made))
    assert len(archive.associations) == associations


def test_of_several_series_one_that_fails_does_not_hold_up_the_others(
    pair: Any, archive: Archive
) -> None:
    _, server = pair
    made = of_several_series(archive, "one fails")
    bad = uids(made[1:2])

    def all_but_one(move: Move) -> None:
        if uids(move.objects) == bad:
            move.answer(0xA702)
        else:
            well(move)

    search = searched(server)
    archive.will(all_but_one)
    assert fetched(server, search) == result(4, 3, failed=1, series=4)
    assert held(server, made) == uids(made) - bad
    assert [line["fault"] for line in lines(server, search) if line["state"] == "failed"] == [
        "The node refused: it could not send the objects (0xA702)."
    ]
    archive.will(well)
    assert fetched(server, search) == result(4, 4, series=4)


@pytest.mark.parametrize("matched", [True, False])
def test_some_objects_of_a_series_come_without_the_rest_where_the_node_matches_lists(
    pair: Any, archive: Archive, matched: bool
) -> None:
    _, server = pair
    made = reports(3, f"some {matched}")
    made[2].SOPClassUID = made[2].file_meta.MediaStorageSOPClassUID = BasicTextSRStorage
    offers(archive, made)
    search = searched(server)
    assert [set(line["images"]) for line in lines(server, search)] == [uids(made[:2])]
    archive.lists = matched
    archive.will(well)
    assert fetched(server, search) == result(2, 2)
    assert set.union(*archive.asked) == uids(made[:2] if matched else made)

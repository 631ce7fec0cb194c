"""What nodes answer that is not as it should be: what is asked again is never taken from it, and
nothing is lost unsaid.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_dose.records.given import Wrong, taken
from orthanc_dose.retrieve.answers import Answer, Image, Series, Study
from orthanc_dose.retrieve.asking import Asking, Contradiction, question_of
from orthanc_dose.retrieve.node_search import Search, search_node
from orthanc_dose.retrieve.question import GROUPS, Question
from tests.support.nodes import (
    BASIC,
    CAPTURE,
    CT,
    DAY,
    DOSE,
    ENHANCED,
    NUCLEAR,
    Node,
    Tree,
    ask,
    decided,
    series,
)

# PS3.5 9.1: digits and dots, 64 at the most; anything else is a wildcard, a list, a part of a path,
# or nothing.
NO_UIDS = ("", " ", "*", "1.2.*", "1.2?", "1.2\\1.3", "1.2/../3", "1..2", ".1", "1.", "1.2\n", "1" * 65, "1.2 or 1=1",
           "\u0661.2")  # fmt: skip


@pytest.mark.parametrize("text", NO_UIDS)
def test_what_is_no_uid_is_not_taken(text: str) -> None:
    assert Study.of({"StudyInstanceUID": text}) is None
    assert Series.of({"SeriesInstanceUID": text}) is None
    assert Image.of({"SOPInstanceUID": text}) is None
    # A class is not asked for, but compared: what is none is not told.
    told = Image.of({"SOPInstanceUID": "1.2", "SOPClassUID": text})
    assert told is not None and told.sop_class_uid is None


@pytest.mark.parametrize("text", ("1.2", "1.2 ", "1.2\0", "1.02.3", "2.25." + "9" * 39, "1" * 64))
def test_uids_are_taken_without_their_padding_and_as_they_are(text: str) -> None:
    study = Study.of({"StudyInstanceUID": text})
    assert study is not None and study.uid == text.strip(" \0")


@given(st.text(max_size=70))
def test_no_text_becomes_a_uid_that_says_more(text: str) -> None:
    study = Study.of({"StudyInstanceUID": text})
    assert study is None or (
        len(study.uid) <= 64 and set(study.uid) <= set("0123456789.") and study.uid[0] != "."
    )


@pytest.mark.parametrize(("told", "modalities"), [
    ("CT", {"CT"}), ("CT\\SR", {"CT", "SR"}), (" CT \\ SR ", {"CT", "SR"}), ("CT\\\\CT", {"CT"}), ("ct\\sr", {"CT", "SR"}),
    ("", None), ("\\", None), (" ", None),
])  # fmt: skip
def test_modalities_are_one_text_with_backslashes(told: str, modalities: set[str] | None) -> None:
    study = Study.of({"StudyInstanceUID": "1.2", "ModalitiesInStudy": told})
    assert study is not None and study.modalities == modalities


@pytest.mark.parametrize(
    ("told", "size"),
    [("12", 12), (" 12 ", 12), ("", None), ("many", None), ("1.5", None), ("-1", None)],
)
def test_a_count_is_a_number_or_not_told(told: str, size: int | None) -> None:
    found = Series.of({"SeriesInstanceUID": "1.2", "NumberOfSeriesRelatedInstances": told})
    assert found is not None and found.size == size


class Answers:
    """A node that gives these answers at a level, whatever is asked."""

    def __init__(self, studies: list[Answer], found: list[Answer], images: list[Answer]) -> None:
        self.by_level = {"Study": studies, "Series": found, "Instance": images}
        self.asked: list[tuple[str, dict[str, str]]] = []

    def ask(self, *groups: str, **more: Any) -> Search:
        def find(level: str, keys: dict[str, str]) -> list[Answer]:
            self.asked.append((level, keys))
            return self.by_level[level]

        return search_node(
            Question(DAY, DAY, groups, **more), find, lambda study: frozenset(), lambda *told: None
        )


def test_answers_without_a_uid_are_counted() -> None:
    node = Answers(
        [{"StudyInstanceUID": "1.1"}, {"StudyInstanceUID": "*"}, {}],
        [{"SeriesInstanceUID": "1.1.1", "Modality": "MG"}, {"Modality": "MG"}],
        [],
    )
    found = node.ask("MG")
    assert found.doubts == {"no_uid": "3"} and decided(found) == ["+image"]
    assert all(keys.get("StudyInstanceUID", "") in ("", "1.1") for _, keys in node.asked)


def test_a_series_and_an_object_that_come_twice_count_once() -> None:
    twice = {"SeriesInstanceUID": "1.1.1", "Modality": "SR", "NumberOfSeriesRelatedInstances": "1"}
    image = {"SOPInstanceUID": "1.1.1.1", "SOPClassUID": DOSE}
    found = Answers(
        [{"StudyInstanceUID": "1.1"}], [twice, twice | {"StationName": "X"}], [image, image]
    ).ask(only_reports=True)
    assert decided(found) == ["+dose_report"] and found.finds["Instance"] == 1
    assert found.studies[0].decisions[0].objects == 1


def test_what_is_of_another_study_or_series_is_not_taken_for_this_one() -> None:
    """A node that does not look at the keys above the level gives everything."""
    answers = [
        {"StudyInstanceUID": "1.1", "SeriesInstanceUID": "1.1.1", "Modality": "SR"},
        {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.2.1", "Modality": "SR"},
    ]
    images = [
        {"SeriesInstanceUID": "1.1.1", "SOPInstanceUID": "1.1.1.1", "SOPClassUID": BASIC},
        {"SeriesInstanceUID": "1.2.1", "SOPInstanceUID": "1.2.1.1", "SOPClassUID": DOSE},
    ]
    found = Answers([{"StudyInstanceUID": "1.1"}], answers, images).ask(only_reports=True)
    assert decided(found) == ["-no_dose_report"]


def test_a_node_that_tells_only_the_modality_that_was_asked_for() -> None:
    """The series say that the study is a PET/CT, and that one holds more than reports."""
    tree = [
        {"SeriesInstanceUID": "1.1.1", "Modality": "CT"},
        {"SeriesInstanceUID": "1.1.2", "Modality": "PT"},
    ]
    found = Answers([{"StudyInstanceUID": "1.1", "ModalitiesInStudy": "CT"}], tree, []).ask(
        "CT", "NM"
    )
    assert found.studies[0].groups == ("CT", "NM") and "+pet_image" in decided(found)
    tree = [
        {"SeriesInstanceUID": "1.1.1", "Modality": "SR"},
        {"SeriesInstanceUID": "1.1.2", "Modality": "CT"},
    ]
    found = Answers([{"StudyInstanceUID": "1.1", "ModalitiesInStudy": "SR"}], tree, []).ask(
        only_reports=True
    )
    assert found.studies[0].reason == "not_only_reports"


def test_a_study_without_series_has_nothing_to_fetch() -> None:
    found = Answers([{"StudyInstanceUID": "1.1", "ModalitiesInStudy": "CT"}], [], []).ask("CT")
    assert (found.studies[0].reason, found.studies[0].decisions) == ("nothing_to_fetch", [])
    found = Answers([{"StudyInstanceUID": "1.1"}], [], []).ask("CT")
    assert found.studies[0].reason == "other_modality"


# A series of each kind that the rules know, of which one or several make a study.
KINDS: tuple[Tree, ...] = (
    series("SR", DOSE),
    series("SR", BASIC, DOSE),
    series("SR", ENHANCED),
    series("SR", BASIC),
    series("SR", NUCLEAR),
    series("SR", DOSE, listed=False),
    series("CT", *[CT] * 9, description="Head"),
    series("CT", CT, CT),
    series("CT", CAPTURE, description="Dose Info"),
    series("OT", CAPTURE),
    series("PT", "1", "1"),
    series("NM", "1"),
    series("MG", "1", "1"),
    series("RF", "1"),
    series("XA", "1"),
    series("DX", "1"),
    series("US", "1"),
)
TREES = st.lists(st.sampled_from(KINDS), min_size=1, max_size=6)
ASKED = st.lists(st.sampled_from(list(GROUPS)), min_size=1, max_size=5, unique=True)


def _whole(tree: list[Tree], found: Search) -> Counter[tuple[Any, ...]]:
    return Counter(
        (
            tree[int(one.series.uid.split(".")[2])]["Modality"],
            one.is_kept,
            one.reason,
            one.images and len(one.images),
        )
        for study in found.studies
        for one in study.decisions
    )


@given(TREES, ASKED, st.booleans(), st.booleans(), st.randoms(use_true_random=False))
def test_the_order_of_answers_changes_nothing(
    tree: list[Tree], groups: list[str], unseen: bool, toshiba: bool, chance: Any
) -> None:
    more = {"unseen_reports": unseen, "toshiba": toshiba}
    first = ask(Node(tree), *groups, **more)
    other, asked = list(tree), list(groups)
    chance.shuffle(other)
    chance.shuffle(asked)
    second = ask(Node(other), *asked, **more)
    assert [one.reason for one in first.studies] == [one.reason for one in second.studies]
    assert _whole(tree, first) == _whole(other, second)


@given(TREES, ASKED, st.booleans(), st.booleans())
def test_every_series_has_one_decision_and_known_objects_are_never_fetched(
    tree: list[Tree], groups: list[str], unseen: bool, toshiba: bool
) -> None:
    more = {"unseen_reports": unseen, "toshiba": toshiba}
    for study in ask(Node(tree), *groups, **more).studies:
        if study.reason != "other_modality":
            assert [one.series.uid for one in study.decisions] == [
                f"1.0.{place}" for place in range(len(tree))
            ]
            assert study.is_kept == any(one.is_kept for one in study.decisions)
    everything = frozenset(
        f"1.0.{place}.{n}" for place, one in enumerate(tree) for n in range(len(one["objects"]))
    )
    for study in ask(Node(tree), *groups, known=everything, **more).studies:
        # What the node does not list cannot be known.
        assert {one.reason for one in study.decisions if one.is_kept} <= {"unseen_report"}


@pytest.mark.parametrize(("tree", "expected"), [
    # A capture among the images of a series is what shows the dose.
    ([series("CT", CT, CT, CAPTURE, description="Head")], ["+secondary_capture 2"]),
    # Nothing listed, no descriptions: small series, as without the option.
    ([series("CT", CT, CT, listed=False), series("CT", *[CT] * 9, listed=False)], ["+small_series", "-no_report"]),
])  # fmt: skip
def test_toshiba(tree: list[Tree], expected: list[str]) -> None:
    assert decided(ask(Node(tree), "CT", toshiba=True)) == expected


def test_a_node_that_counts_nothing_is_asked_for_the_objects() -> None:
    assert decided(ask(Node([series("CT", CT, CT, count=0)]), "CT")) == ["+small_series"]


def test_both_kinds_of_mammograms_are_images() -> None:
    presentation, processing = "1.2.840.10008.5.1.4.1.1.1.2", "1.2.840.10008.5.1.4.1.1.1.2.1"
    assert decided(
        ask(Node([series("MG", presentation, processing), series("MG", processing)]), "MG")
    ) == ["+image", "+image"]


def test_a_range_with_as_many_answers_as_nodes_like_to_stop_at_is_asked_for_by_day() -> None:
    node = Node(*[[series("MG", "1")]] * 100, day=lambda n: DAY + timedelta(n % 2))
    found = ask(node, "MG", last=DAY + timedelta(1))
    assert found.split == "limit" and not found.doubts and len(found.studies) == 100
    days = [keys["StudyDate"] for level, keys in node.asked if level == "Study"]
    assert days == ["20260105-20260106", "20260105", "20260106"]
    one_day = ask(Node(*[[series("MG", "1")]] * 100), "MG")
    assert one_day.split is None and one_day.doubts == {"limit": "100"}


def test_what_was_found_so_far_is_told() -> None:
    told: list[tuple[str, int, int, int, dict[str, int]]] = []
    node = Node([series("RF", "1")], [series("MG", "1")], [series("US", "1")], matches=False)
    search_node(
        Question(DAY, DAY, ("FL", "MG")),
        node.find,
        lambda study: frozenset(),
        lambda stage, done, of, out: told.append(
            (stage, done, of, len(out.studies), dict(out.left_series))
        ),
    )
    left = {"no_report": 1}
    assert told == [
        ("studies", 0, 1, 0, {}),
        ("series", 0, 3, 0, {}),
        ("series", 1, 3, 1, left),
        ("series", 2, 3, 2, left),
    ]


@pytest.mark.parametrize(("body", "field"), [
    ({"first": "9999-12-31", "last": "9999-12-31"}, None), ({"first": "0001-01-01", "last": "0001-01-02"}, None),
    ({"first": "9999-12-31"}, None), ({"first": "0001-01-01"}, "last"), ({"time_from": "07:30+02:00"}, "time_from"),
    ({"first": "20260105"}, "first"), ({"last": "2026-W02-1"}, "last"),
])  # fmt: skip
def test_days_and_times_at_their_ends(body: dict[str, Any], field: str | None) -> None:
    if field:
        with pytest.raises((Wrong, Contradiction)) as wrong:
            question_of(taken({"groups": ["CT"]} | body, Asking), DAY)
        told = wrong.value
        assert field == (told.place if isinstance(told, Wrong) else told.field)
        return
    question, _ = question_of(taken({"groups": ["CT"]} | body, Asking), DAY)
    node = Answers([], [], [])
    search_node(
        question,
        lambda level, keys: node.asked.append((level, keys)) or [],
        lambda study: frozenset(),
        lambda *told: None,
    )
    assert all(len(day) == 8 for _, keys in node.asked for day in keys["StudyDate"].split("-"))

"""The rules of what is fetched, as trees of answers in and decisions out: no network, no
Orthanc.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from orthanc_dose import extract
from orthanc_dose.retrieve.answers import Answer
from orthanc_dose.retrieve.node_search import NodeError, NodeRefuses, search_node
from orthanc_dose.retrieve.question import GROUPS, Question, Words
from tests.support.nodes import (
    BASIC,
    CAPTURE,
    COMPREHENSIVE,
    CT,
    DAY,
    DOSE,
    ENHANCED,
    ENHANCED_DOSE,
    NUCLEAR,
    PATIENT_DOSE,
    Node,
    Tree,
    ask,
    decided,
    series,
)

REPORT, OTHER_SR, OLD = series("SR", DOSE), series("SR", BASIC), series("SR", ENHANCED)
OLDER = series("SR", COMPREHENSIVE)
ESTIMATE, UNSEEN = series("SR", PATIENT_DOSE), series("SR", DOSE, listed=False)
MANY = [CT] * 300
XA, VOLUME, DENTAL = (f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("12.1", "13.1.1", "13.1.2"))

CASES: dict[str, tuple[tuple[str, ...], dict[str, Any], list[Tree], list[str]]] = {
    # Mammography and radiography: a report and nothing else, or all images and no report.
    "mg report": (("MG",), {}, [series("MG", "1", "1"), REPORT], ["-report_says_it", "+dose_report"]),
    "mg enhanced dose report": (("MG",), {}, [series("MG", "1"), series("SR", ENHANCED_DOSE)],
                                ["-report_says_it", "+dose_report"]),
    "mg images": (("MG",), {}, [series("MG", "1", "1"), series("MG", "1"), OTHER_SR, series("PR", "1")],
                  ["+image", "+image", "-no_dose_report", "-no_image_of_dose"]),
    "mg enhanced sr is no report": (("MG",), {}, [series("MG", "1"), OLD], ["+image", "-no_dose_report"]),
    "dx all kinds of images": (("DX",), {}, [series("DX", "1"), series("CR", "1"), series("PX", "1"), series("US", "1")],
                               ["+image", "+image", "+image", "-no_image_of_dose"]),
    "dx unseen sr": (("DX",), {}, [series("DX", "1"), UNSEEN], ["+image", "-objects_not_listed"]),
    "dx unseen sr accepted": (("DX",), {"unseen_reports": True}, [series("DX", "1"), UNSEEN],
                              ["-report_says_it", "+unseen_report"]),
    "every class of a series counts": (("DX",), {}, [series("DX", "1"), series("SR", BASIC, BASIC, DOSE)],
                                       ["-report_says_it", "+dose_report 1"]),
    # Fluoroscopy: dose reports, else Enhanced SR, never images.
    "rf report": (("FL",), {}, [series("XA", "1"), OLD, REPORT], ["-report_says_it", "-no_dose_report", "+dose_report"]),
    "rf enhanced sr": (("FL",), {}, [series("RF", "1"), OLD, OTHER_SR], ["-report_says_it", "+enhanced_sr", "-no_dose_report"]),
    "rf comprehensive sr": (("FL",), {}, [series("RF", "1"), OLDER, OTHER_SR],
                            ["-report_says_it", "+enhanced_sr", "-no_dose_report"]),
    "rf without": (("FL",), {}, [series("RF", "1"), OTHER_SR], ["-no_report", "-no_dose_report"]),
    # Volumes of cone-beam CT, in objects of many frames: only where there is no report.
    "rf volume": (("FL",), {}, [series("XA", VOLUME), series("XA", *[XA] * 4, VOLUME), series("XA", *[VOLUME] * 6)],
                  ["+volume", "+volume 1", "-no_report"]),
    "rf volume and report": (("FL",), {}, [series("XA", VOLUME), REPORT], ["-report_says_it", "+dose_report"]),
    "ct dental volume": (("CT",), {}, [series("CT", DENTAL, description="CBCT"), series("CT", *MANY)],
                         ["+volume", "-no_report"]),
    # CT, one after the other.
    "ct report": (("CT",), {}, [series("CT", *MANY), REPORT, OLD, series("CT", "1", description="Dose Info")],
                  ["-report_says_it", "+dose_report", "-no_dose_report", "-report_says_it"]),
    "ct enhanced sr": (("CT",), {}, [series("CT", *MANY), OLD, series("CT", "1", description="Dose Info")],
                       ["-report_says_it", "+enhanced_sr", "-report_says_it"]),
    "ct comprehensive sr": (("CT",), {}, [series("CT", *MANY), OLDER], ["-report_says_it", "+enhanced_sr"]),
    # Estimates of organ doses come with whatever else is fetched, and in place of nothing.
    "ct report and estimate": (("CT",), {}, [series("CT", *MANY), REPORT, ESTIMATE],
                               ["-report_says_it", "+dose_report", "+dose_estimate"]),
    "ct report and estimate in one series": (("CT",), {}, [series("CT", *MANY), series("SR", DOSE, PATIENT_DOSE, BASIC)],
                                             ["-report_says_it", "+dose_report 2"]),
    "ct estimate alone": (("CT",), {}, [series("CT", *MANY, description="Head"), ESTIMATE], ["-no_report", "+dose_estimate"]),
    "mg images and estimate": (("MG",), {}, [series("MG", "1"), ESTIMATE], ["+image", "+dose_estimate"]),
    "nm report and estimate": (("NM",), {}, [series("NM", "1"), series("SR", NUCLEAR), ESTIMATE],
                               ["-report_says_it", "+dose_report", "+dose_estimate"]),
    "ct philips": (("CT",), {}, [series("CT", *MANY, description="Head"), series("CT", CAPTURE, description="DOSE INFO page")],
                   ["-report_says_it", "+dose_info"]),
    "ct philips before toshiba": (("CT",), {"toshiba": True},
                                  [series("CT", *MANY, description="Head"), series("CT", CAPTURE, description="Dose Info")],
                                  ["-report_says_it", "+dose_info"]),
    "ct toshiba": (("CT",), {"toshiba": True},
                   [series("CT", *MANY, description="Head"), series("CT", CAPTURE, CAPTURE, description="Dose"),
                    series("CT", CT, listed=False, description="x")],
                   ["+first_image 1", "+secondary_capture", "-objects_not_listed"]),
    "ct with descriptions": (("CT",), {}, [series("CT", *MANY, description="Head"), series("CT", CT, CT)],
                             ["-no_report", "-no_report"]),
    "ct no descriptions": (("CT",), {}, [series("CT", *MANY), series("CT", *[CT] * 5), series("CT", *[CT] * 6)],
                           ["-no_report", "+small_series", "-no_report"]),
    "ct neither descriptions nor counts": (("CT",), {}, [series("CT", *[CT] * 6, count=-1), series("CT", CT, count=-1),
                                                         series("CT", CT, count=-1, listed=False)],
                                           ["-no_report", "+small_series", "-no_report"]),
    # Nuclear medicine.
    "nm report and pet": (("NM",), {}, [series("PT", *["1"] * 9), series("SR", NUCLEAR), series("NM", "1"), REPORT],
                          ["+pet_image 1", "+dose_report", "-report_says_it", "-no_dose_report"]),
    "nm pet of each series": (("NM",), {}, [series("PT", "1", "1"), series("PT", "1"), series("NM", "1")],
                              ["+pet_image 1", "+pet_image 1", "-no_image_of_dose"]),
    "nm one image": (("NM",), {}, [series("NM", "1", "1"), series("NM", "1"), series("OT", "1")],
                     ["+nm_image 1", "-no_image_of_dose", "-no_image_of_dose"]),
    "nm objects not listed": (("NM",), {}, [series("PT", "1", "1", listed=False)], ["+pet_image"]),
    # A PET/CT is looked at as both, if both are asked for.
    "pet/ct": (("CT", "NM"), {}, [series("CT", *MANY), series("PT", "1", "1"), REPORT, series("SR", NUCLEAR)],
               ["-report_says_it", "+pet_image 1", "+dose_report", "+dose_report"]),
    "pet/ct, both reports in one series": (("CT", "NM"), {},
                                           [series("CT", *MANY), series("PT", "1"), series("SR", DOSE, NUCLEAR, BASIC)],
                                           ["-report_says_it", "+pet_image 1", "+dose_report 2"]),
    "pet/ct as ct": (("CT",), {}, [series("CT", *MANY), series("PT", "1"), REPORT],
                     ["-report_says_it", "-report_says_it", "+dose_report"]),
    # Reports alone.
    "only reports": ((), {"only_reports": True}, [REPORT, OLD, OTHER_SR, series("SR", NUCLEAR)],
                     ["+dose_report", "+enhanced_sr", "-no_dose_report", "+dose_report"]),
    "only reports of other classes": ((), {"only_reports": True}, [OLDER, ESTIMATE], ["+enhanced_sr", "+dose_estimate"]),
    # Station names of series: what is not given stays.
    "station left out": (("MG",), {"stations": Words(leave_out=("room 2",))},
                         [series("MG", "1", station="MAMMO ROOM 2"), series("MG", "1", station="Room 1"), series("MG", "1")],
                         ["-station_name", "+image", "+image"]),
    "station kept": (("MG",), {"stations": Words(keep=("room 2",))},
                     [series("MG", "1", station="MAMMO ROOM 2"), series("MG", "1", station="Room 1"), series("MG", "1")],
                     ["+image", "-station_name", "+image"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("modalities", (True, False), ids=("told", "untold"))
def test_decisions(name: str, modalities: bool) -> None:
    """The same whether the node tells the modalities of studies, or its series do."""
    groups, more, tree, expected = CASES[name]
    found = ask(Node(tree, modalities=modalities), *groups, **more)
    assert decided(found) == expected
    assert found.studies[0].is_kept == any(one[0] == "+" for one in expected)
    # One query of a study's series, and one at the most of a series' objects.
    assert found.finds["Series"] == 1 and found.finds["Instance"] <= len(tree)


# Modality (0008,0060) of the series that hold objects of the classes that are no reports:
# PS3.3 C.7.3.1.1.1.
MODALITY_OF = {
    "1.1": "CR", "1.1.1": "DX", "1.1.1.1": "DX", "1.1.3": "IO", "1.1.3.1": "IO", "1.1.2": "MG", "1.1.2.1": "MG",
    "1.13.1.3": "MG", "1.13.1.4": "MG", "1.13.1.5": "MG", "1.128": "PT", "1.128.1": "PT",
    "1.130": "PT", "1.20": "NM", "1.2": "CT", "1.2.1": "CT", "1.2.2": "CT", "1.13.1.1": "XA", "1.13.1.2": "CT",
    "1.7": "CT", "1.7.1": "CT", "1.7.2": "CT", "1.7.3": "CT", "1.7.4": "CT",
    "1.88.59": "KO",
}  # fmt: skip


@pytest.mark.parametrize("sop_class", sorted(extract.EXTRACTORS))
def test_every_class_that_the_extractor_reads_has_a_rule_by_which_it_is_fetched(
    sop_class: str,
) -> None:
    modality = MODALITY_OF.get(sop_class.removeprefix("1.2.840.10008.5.1.4.1."), "SR")
    here = series(modality, sop_class)
    if modality in ("SR", "KO"):
        beside = [series(GROUPS[group][0], "1") for group in GROUPS]
        found = [ask(Node([beside[n], here]), group) for n, group in enumerate(GROUPS)]
        found.append(ask(Node([here]), only_reports=True))
    else:
        group = next(group for group, modalities in GROUPS.items() if modality in modalities)
        found = [ask(Node([here]), group, toshiba=True)]
    assert any(decided(one)[-1].startswith("+") for one in found)


def test_the_first_image_is_that_with_the_lowest_number() -> None:
    found = ask(Node([series("PT", *["1"] * 9)]), "NM")
    assert [image.sop_instance_uid for image in found.studies[0].decisions[0].images or ()] == [
        "1.0.0.0"
    ]


def test_each_modality_is_asked_for_and_a_study_that_comes_twice_counts_once() -> None:
    node = Node([series("DX", "1"), series("CR", "1")], [series("CT", CT), REPORT])
    found = ask(node, "CT", "DX")
    assert [keys["ModalitiesInStudy"] for level, keys in node.asked if level == "Study"] == [
        "CT",
        "DX",
        "CR",
        "PX",
        "IO",
        "RG",
    ]
    assert (
        sorted(one.study.uid for one in found.studies) == ["1.0", "1.1"]
        and not found.ignores_modality
    )
    assert found.finds == {"Study": 6, "Series": 2, "Instance": 1}


def test_a_node_that_ignores_the_modality_is_asked_once() -> None:
    node = Node([series("US", "1")], [series("MG", "1")], [series("CT", CT), REPORT], matches=False)
    found = ask(node, "MG", "DX", "CT")
    assert found.ignores_modality and found.finds["Study"] == 1
    assert [(one.study.uid, one.reason) for one in found.studies] == [
        ("1.0", "other_modality"),
        ("1.1", None),
        ("1.2", None),
    ]
    # Nobody looks into what is not wanted.
    assert found.finds["Series"] == 2


def test_modalities_that_only_series_tell_are_filtered_after_them() -> None:
    node = Node([series("US", "1")], [series("MG", "1")], matches=False, modalities=False)
    found = ask(node, "MG")
    assert [(one.study.uid, one.reason) for one in found.studies] == [
        ("1.0", "other_modality"),
        ("1.1", None),
    ]


def test_only_reports_leaves_studies_with_anything_else() -> None:
    found = ask(Node([REPORT], [REPORT, series("CT", CT)]), only_reports=True)
    assert [(one.study.uid, one.reason) for one in found.studies] == [
        ("1.0", None),
        ("1.1", "not_only_reports"),
    ]
    assert found.finds["Study"] == 1


@pytest.mark.parametrize(("words", "kept"), [
    (Words(leave_out=("CHEST",)), ["Head", ""]), (Words(keep=("head", "foot")), ["Head", ""]),
    (Words(keep=("e",), leave_out=("chest",)), ["Head", ""]), (Words(), ["Head", "CT Chest", ""]),
])  # fmt: skip
def test_descriptions(words: Words, kept: list[str]) -> None:
    descriptions = ("Head", "CT Chest", "")
    node = Node(*[[series("MG", "1")]] * 3, descriptions=descriptions)
    found = ask(node, "MG", descriptions=words)
    assert [
        text for text, one in zip(descriptions, found.studies, strict=True) if one.is_kept
    ] == kept
    assert {one.reason for one in found.studies} <= {None, "description"}
    assert found.finds["Series"] == len(kept)


def test_known_objects_are_left() -> None:
    tree = [series("MG", "1", "1"), series("MG", "1")]
    both, some, none = (frozenset(uids) for uids in (("1.0.0.0", "1.0.0.1"), ("1.0.0.1",), ()))
    assert decided(ask(Node(tree), "MG", known=both)) == ["-known", "+image"]
    assert decided(ask(Node(tree), "MG", known=some)) == ["+image 1", "+image"]
    asked = ask(Node(tree), "MG", known=none)
    # Of a study that nothing is recorded of no objects are asked for.
    assert decided(asked) == ["+image", "+image"] and not asked.finds["Instance"]
    assert decided(ask(Node(tree), "MG", known=both, leave_out_known=False)) == ["+image", "+image"]
    [study] = ask(Node([series("CT", CT), REPORT]), "CT", known=frozenset({"1.0.1.0"})).studies
    assert (study.reason, study.decisions[1].reason) == ("nothing_to_fetch", "known")


def test_a_range_that_is_refused_is_asked_for_by_day() -> None:
    node = Node(
        *[[series("MG", "1")]] * 3,
        day=lambda n: date(2026, 1, 5 + n),
        refuses=lambda keys: "-" in keys.get("StudyDate", ""),
    )
    found = ask(node, "MG", "CT", last=date(2026, 1, 7))
    assert [one.study.uid for one in found.studies] == ["1.0", "1.1", "1.2"] and not found.doubts
    assert found.finds["Study"] == 1 + 3 * 2


def test_by_day_one_query_of_each_modality_and_day() -> None:
    node = Node(*[[series("MG", "1")]] * 3, day=lambda n: date(2026, 1, 5 + n))
    found = ask(node, "MG", "CT", last=date(2026, 1, 7), by_day=True)
    assert found.finds["Study"] == 3 * 2 and len(found.studies) == 3


def test_what_may_be_missing_is_said() -> None:
    assert ask(Node(), "MG").doubts.keys() == {"nothing"}
    assert ask(Node(*[[series("MG", "1")]] * 100), "MG").doubts == {"limit": "100"}
    day = "20260106"
    node = Node(
        *[[series("MG", "1")]] * 3,
        day=lambda n: date(2026, 1, 5 + n),
        refuses=lambda keys: "-" in keys.get("StudyDate", "") or keys.get("StudyDate") == day,
    )
    found = ask(node, "MG", last=date(2026, 1, 7))
    assert len(found.studies) == 2 and found.doubts == {"refused": "Out of resources"}
    with pytest.raises(NodeRefuses):
        ask(Node(refuses=lambda keys: True), "MG", last=date(2026, 1, 7))


def test_a_study_whose_series_are_refused_is_left_with_what_the_node_told() -> None:
    node = Node(
        *[[series("MG", "1")]] * 2, refuses=lambda keys: keys.get("StudyInstanceUID") == "1.0"
    )
    assert [(one.reason, one.told) for one in ask(node, "MG").studies] == [
        ("refused", "Out of resources"),
        (None, None),
    ]


@pytest.mark.parametrize(("day", "time", "is_found"), [
    ("20260104", "222959", False), ("20260104", "223000", True), ("20260105", "000000.5", True), ("20260104", "22:29", False),
    ("2026.01.04", "21", False), ("20260104", "", True), ("", "100000", True), ("20260103", "23", False),
    ("20260104", "22", True),  # somewhen in this hour
])  # fmt: skip
def test_a_study_that_the_node_says_was_before_is_left_out(
    day: str, time: str, is_found: bool
) -> None:
    def find(level: str, keys: dict[str, str]) -> list[Answer]:
        assert level != "Study" or (keys["StudyDate"], keys["StudyTime"]) == (
            "20260104-20260105",
            "",
        )
        return (
            [{"StudyInstanceUID": "1.2", "StudyDate": day, "StudyTime": time}]
            if level == "Study"
            else []
        )

    question = Question(date(2026, 1, 4), DAY, ("CT",), since=datetime(2026, 1, 4, 22, 30))
    found = search_node(question, find, lambda study: frozenset(), lambda *told: None)
    assert ([one.study.uid for one in found.studies] == ["1.2"]) is is_found
    assert found.doubts == {}, "the node did answer"


def test_a_node_that_is_gone_ends_the_search() -> None:
    def gone(level: str, keys: dict[str, str]) -> list[Answer]:
        raise NodeError("no connection")

    with pytest.raises(NodeError):
        search_node(
            Question(DAY, date(2026, 12, 31), ("CT",)),
            gone,
            lambda study: frozenset(),
            lambda *told: None,
        )


@pytest.mark.parametrize("group", GROUPS)
def test_modalities_of_a_group_make_it(group: str) -> None:
    question = Question(DAY, DAY, tuple(GROUPS))
    assert question.groups_of(frozenset({*GROUPS[group], "SR", "OT"})) == (group,)

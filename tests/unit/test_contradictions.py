"""Totals that contradict the events, each other or their parts: numbers by hand, from made reports."""

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from orthanc_dose.assemble import Part, Record, put_together
from orthanc_dose.assemble.contradictions import agrees
from orthanc_dose.extract.values import Written, step
from orthanc_dose.samples import codes as c
from orthanc_dose.samples import ct_report, part10, radiopharmaceutical_report
from orthanc_dose.samples import values as v
from orthanc_dose.samples.ct import CtEvent, accumulated_item
from orthanc_dose.samples.document import Study
from orthanc_dose.samples.own_content import report_of_events
from orthanc_dose.samples.projection import ProjectionEvent, Totals
from tests.support.reports import marks, read, record


def ct_events(count: int = 2, **values: object) -> list[CtEvent]:
    start = Study().started
    return [
        CtEvent(uid=f"1.2.826.0.1.{n}", started=start + timedelta(minutes=n), **values)
        for n in range(1, count + 1)
    ]


def two_containers(events: list[CtEvent], first: tuple, second: tuple) -> Record:
    """A report with two CT Accumulated containers, each of (events that it counts, DLP total)."""
    more = accumulated_item(events[: second[0]], second[1], None, False)
    made = ct_report(events, total=first[1], extra=[more], key="two")
    numbers = [
        item for item in made.ContentSequence if item.ConceptNameCodeSequence[0].CodeValue == "113811"
    ]  # fmt: skip
    counted = numbers[0].ContentSequence[0].MeasuredValueSequence[0]
    counted.NumericValue = str(first[0])
    return record(made)


def raw_of(row: dict, field: str, why: str) -> str:
    return next(one["raw"] for one in row["marks"] if (one["field"], one["mark"]) == (field, why))


# --- CT ---


def test_a_total_beyond_its_events_counts_and_is_marked_with_both_values() -> None:
    """Case 32: two events of 352.8, total 7056."""
    found = record(ct_report(ct_events(), total=7056))
    assert found.study["dlp_total"] == 7056 and marks(found.study, "dlp_total") == ["total_differs"]
    assert (
        raw_of(found.study, "dlp_total", "total_differs")
        == "7056 mGy.cm stated, 705.6 over the events"
    )


@pytest.mark.parametrize("total", [705.6, 706, 705, 700, 705.58])
def test_a_rounded_total_is_no_contradiction(total: float) -> None:
    found = record(ct_report(ct_events(), total=total))
    assert found.study["dlp_total"] == total and not marks(found.study, "dlp_total")


@pytest.mark.parametrize("total", [352.8, 650, 760, 70.56])
def test_a_total_off_by_more_than_rounding_is_marked(total: float) -> None:
    assert marks(record(ct_report(ct_events(), total=total)).study, "dlp_total") == [
        "total_differs"
    ]


def test_containers_over_different_events_are_no_contradiction() -> None:
    """Case 25a: two containers of 2 events and 705.6 each."""
    found = two_containers(ct_events(4), (2, 705.6), (2, 705.6))
    assert found.study["dlp_total"] == pytest.approx(1411.2) and found.study["marks"] == []


def test_the_same_container_twice_counts_once() -> None:
    found = two_containers(ct_events(), (2, 705.6), (2, 705.6))
    assert found.study["dlp_total"] == 705.6
    assert marks(found.study, "dlp_total") == ["total_repeated"]
    assert not marks(found.study, "number_of_events")
    without = two_containers(ct_events(dlp=None), (2, 705.6), (2, 705.6))
    assert without.study["dlp_total"] == 705.6
    wrong = two_containers(ct_events(), (2, 7056), (2, 7056))
    assert wrong.study["dlp_total"] == 7056
    assert marks(wrong.study, "dlp_total") == ["total_repeated", "total_differs"]


def test_a_container_over_all_events_beside_one_over_some() -> None:
    found = two_containers(ct_events(3), (3, 1058.4), (1, 352.8))
    assert found.study["dlp_total"] == 1058.4
    assert marks(found.study, "dlp_total") == ["total_repeated"]


def test_a_report_that_announces_other_events_than_it_holds_is_marked() -> None:
    found = two_containers(ct_events(5), (2, 705.6), (2, 705.6))
    assert raw_of(found.study, "number_of_events", "events_differ") == "2 + 2 announced, 5 held"
    assert found.study["dlp_total"] == pytest.approx(1411.2)
    assert marks(found.study, "dlp_total") == ["total_differs"]


def test_sub_totals_by_phantom_must_fit_the_total_and_their_events() -> None:
    head, body = ct_events(2)
    mixed = [replace(head, phantom=v.HEAD_PHANTOM, dlp=500.0), body]
    fits = record(ct_report(mixed, subtotals=True))
    assert not marks(fits.study, "dlp_total") and not marks(fits.accumulated[0], "dlp_sub_totals")
    wrong = record(ct_report(mixed, subtotals=True, total=2000))
    assert marks(wrong.study, "dlp_total") == ["total_differs", "parts_differ"]


def test_a_later_report_whose_total_includes_the_earlier_one() -> None:
    study = Study(instance_uid="1.2.3")
    first, second = ct_events(2)
    made = [
        ct_report([first], key="a", study=study),
        ct_report([second], key="b", study=study, total=705.6),
    ]
    parts = [Part(str(n), read(one)) for n, one in enumerate(made)]
    found = [put_together(list(order))[0].study for order in permutations(parts)]
    for one in found:
        assert one["dlp_total"] == 705.6 and marks(one, "dlp_total") == ["total_repeated"]


# --- fluoroscopy ---


def run(number: int, kind: c.Concept, dap: float | str, **values: object) -> ProjectionEvent:
    start = Study().started + timedelta(minutes=number)
    return ProjectionEvent(type=kind, uid=f"1.2.826.0.2.{number}", started=start, dap=dap, **values)


def fluoroscopy(events: list[ProjectionEvent], *totals: Totals) -> Record:
    return record(report_of_events(events, key="contradiction", totals=list(totals)))


MIXED = [
    run(1, v.FLUOROSCOPY, 2e-4),
    run(2, v.STATIONARY, 1.2e-4),
    run(3, v.STATIONARY, 0.8e-4),
]


def test_totals_of_fluoroscopy_alone_beside_overhead_radiographs() -> None:
    """Case 39."""
    found = fluoroscopy(MIXED, Totals(dap=2e-4, fluoro_dap=2e-4)).study
    assert found["dap_total"] == 2e-4
    assert marks(found, "dap_total") == ["total_differs", "parts_differ"]
    assert raw_of(found, "dap_total", "total_differs") == (
        "0.0002 Gy.m2 stated, 0.0004 over the events"
    )
    assert found["acquisition_dap_total"] == pytest.approx(2e-4)


def test_both_parts_as_stated_if_they_fit_the_total() -> None:
    """The report counts everything as fluoroscopy: the acquisitions' 0 is no missing value."""
    found = fluoroscopy(MIXED, Totals(dap=4e-4, fluoro_dap=4e-4, acquisition_dap=0.0)).study
    assert (found["dap_total"], found["fluoro_dap_total"], found["acquisition_dap_total"]) == (
        pytest.approx(4e-4), pytest.approx(4e-4), 0,
    )  # fmt: skip
    assert not marks(found, "dap_total")
    for name in ("fluoro_dap_total", "acquisition_dap_total"):
        assert marks(found, name) == ["total_differs"]


def test_parts_in_containers_of_their_own() -> None:
    found = fluoroscopy(
        MIXED, Totals(dap=4e-4, fluoro_dap=3e-4), Totals(acquisition_dap=1e-4)
    ).study
    assert (found["fluoro_dap_total"], found["acquisition_dap_total"]) == (3e-4, 1e-4)


@pytest.mark.parametrize(("fluoro", "acquired"), [(4e-4, 4e-4), (1e-4, 1e-4)])
def test_parts_that_do_not_add_up_are_marked(fluoro: float, acquired: float) -> None:
    totals = Totals(dap=4e-4, fluoro_dap=fluoro, acquisition_dap=acquired)
    assert "parts_differ" in marks(fluoroscopy(MIXED, totals).study, "dap_total")


def test_right_totals_have_no_mark() -> None:
    events = [
        run(1, v.FLUOROSCOPY, 2e-4, rp_dose=0.01, duration=12.4),
        run(2, v.STATIONARY, 1e-4, rp_dose=0.02, duration=0.5),
    ]
    totals = Totals(
        dap=3e-4, fluoro_dap=2e-4, acquisition_dap=1e-4, rp_dose=0.03, fluoro_rp_dose=0.01,
        acquisition_rp_dose=0.02, fluoro_time=12, acquisition_time=0.5,
    )  # fmt: skip
    found = fluoroscopy(events, totals)
    assert found.study["marks"] == [] and not found.accumulated[0]["marks"]
    for name, wrong in (
        ("fluoro_time", 744), ("rp_dose", 0.3), ("fluoro_rp_dose", 0.1), ("acquisition_rp_dose", 0.2),
        ("acquisition_time", 30),
    ):  # fmt: skip
        changed = fluoroscopy(events, replace(totals, **{name: wrong}))
        all_marks = [*changed.study["marks"], *changed.accumulated[0]["marks"]]
        assert {one["mark"] for one in all_marks} & {"total_differs", "parts_differ"}, name


def test_a_total_without_any_event_is_no_contradiction() -> None:
    found = fluoroscopy([], Totals(dap=3e-4, fluoro_dap=2e-4, acquisition_dap=1e-4))
    assert found.study["dap_total"] == 3e-4 and found.study["marks"] == []


# --- mammography ---


def mammography(agd: dict[c.Concept, float]) -> dict:
    events = [
        ProjectionEvent(type=v.STATIONARY, uid=f"1.2.826.0.3.{n}", anatomy=v.BREAST, laterality=side, agd=dose,
                        started=Study().started + timedelta(minutes=n))
        for n, (side, dose) in enumerate([(v.LEFT_BREAST, 1.3), (v.LEFT_BREAST, 1.2), (v.RIGHT_BREAST, 1.4)])
    ]  # fmt: skip
    made = report_of_events(
        events,
        key="mg",
        totals=[Totals(agd=agd)],
        procedure=v.MAMMOGRAPHY_PROCEDURE,
        device_type=None,
    )
    return record(made).study


def test_glandular_dose_of_each_side_is_compared_with_its_events() -> None:
    assert mammography({v.LEFT_BREAST: 2.5, v.RIGHT_BREAST: 1.4})["marks"] == []
    swapped = mammography({v.LEFT_BREAST: 1.4, v.RIGHT_BREAST: 2.5})
    assert marks(swapped, "agd_left") == marks(swapped, "agd_right") == ["total_differs"]
    assert (swapped["agd_left"], swapped["agd_right"]) == (1.4, 2.5)


# --- nuclear medicine ---


@pytest.mark.parametrize(
    ("before", "after", "doubt"),
    [(400, 6, False), (450, 6, False), (None, 6, False), (300, 6, True), (396, 40, True)],
)
def test_no_more_is_administered_than_left_the_syringe(
    before: float | None, after: float, doubt: bool
) -> None:
    row = {
        "administered_activity": 394.0,
        "pre_administration_activity": before,
        "post_administration_activity": after,
    }
    extract = read(radiopharmaceutical_report())
    extract.events[:] = [extract.events[0] | row]
    (found,) = put_together([Part("a", extract)])
    assert ("parts_differ" in marks(found.events[0], "administered_activity")) is doubt


# --- digits ---


@pytest.mark.parametrize(
    ("raw", "one"),
    [
        ("12.70", 0.01),
        ("70", 1),
        ("70.", 1),
        ("1.2E2", 10),
        ("5e-05", 1e-5),
        (" 0.10 ", 0.01),
        ("x", 1),
    ],
)
def test_the_step_of_a_written_number(raw: str, one: float) -> None:
    assert step(raw) == pytest.approx(one)


def test_digits_survive_a_copy() -> None:
    made = deepcopy(Written(7.0, 0.01))
    assert (made, made.step) == (7.0, 0.01)


@given(
    st.lists(st.floats(0.001, 1e4), min_size=1, max_size=30), st.integers(0, 4), st.integers(0, 4)
)
def test_numbers_that_are_only_rounded_agree(values: list[float], many: int, few: int) -> None:
    def written(value: float, digits: int) -> Written:
        return Written(float(f"{value:.{digits}f}"), 10.0**-digits)

    assert agrees([written(sum(values), few)], [written(value, many) for value in values])


@given(st.lists(st.floats(1, 1e4), min_size=1, max_size=30), st.sampled_from((0.1, 0.5, 2, 10)))
def test_a_wrong_total_never_agrees(values: list[float], factor: float) -> None:
    parts = [Written(float(f"{value:.2f}"), 0.01) for value in values]
    assert not agrees([Written(sum(parts) * factor, 0.01)], parts)


def test_a_mark_never_changes_what_was_read() -> None:
    made: Dataset = ct_report(ct_events(), total=7056)
    part = Part("a", read(part10(made)))
    first, second = put_together([part])[0], put_together([part])[0]
    assert first.study["marks"] == second.study["marks"]

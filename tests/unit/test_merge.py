"""Several reports of one study: duplicates, cumulative, continued and overlapping ones, in every
order of arrival.
"""

from datetime import datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_dose.assemble import Part, Record, put_together
from orthanc_dose.dicom.codes import code
from orthanc_dose.extract import Extract
from orthanc_dose.extract.rows import code_value

BEGIN = datetime(2026, 1, 5, 8, 0)
SYSTEM = {
    "manufacturer": "Maker",
    "manufacturer_model_name": "Model",
    "device_serial_number": "1",
    "station_name": "CT1",
}
PLANE_A, PLANE_B, SINGLE = (
    code_value(code(value, "DCM")) for value in ("113620", "113621", "113622")
)
FLUOROSCOPY = code_value(code("44491008", "SCT"))


def event(number: int, dlp: float | None = None) -> dict:
    started = BEGIN + timedelta(minutes=number)
    return {
        "irradiation_event_uid": f"1.2.{number}",
        "datetime_started": started,
        "dlp": dlp or 10.0 * number,
    }


def report(
    uid: str,
    minute: int,
    events: list[dict],
    total: float | str | None = "sum",
    modality: str = "CT",
) -> Part:
    given = sum(row["dlp"] for row in events) if total == "sum" else total
    accumulated = [{"dlp_total": given}] if given is not None else [{}]
    study = {"study_instance_uid": "1.9", "study_description": f"Study by {uid}"}
    return Part(
        uid,
        Extract(
            modality,
            study,
            dict(SYSTEM),
            accumulated,
            events,
            [],
            BEGIN + timedelta(minutes=minute),
        ),
    )


def only(records: list[Record]) -> Record:
    assert len(records) == 1
    return records[0]


def event_uids(record: Record) -> list[str]:
    return [row["irradiation_event_uid"] for row in record.events]


def marks(record: Record, field: str) -> set[str]:
    return {entry["mark"] for entry in record.study["marks"] if entry["field"] == field}


def in_every_order(parts: list[Part]) -> Record:
    results = [only(put_together(list(order))) for order in permutations(parts)]
    for other in results[1:]:
        assert (other.study, other.events, other.accumulated, other.outcomes) == (
            results[0].study,
            results[0].events,
            results[0].accumulated,
            results[0].outcomes,
        )
    return results[0]


def test_a_cumulative_report_replaces_what_it_contains() -> None:
    record = in_every_order(
        [
            report("a", 1, [event(1)]),
            report("b", 2, [event(1), event(2)]),
            report("c", 3, [event(1), event(2), event(3)]),
        ]
    )
    assert event_uids(record) == ["1.2.1", "1.2.2", "1.2.3"]
    assert record.study["dlp_total"] == 60
    assert [record.outcomes[uid].outcome for uid in "abc"] == ["merged", "merged", "imported"]


def test_continued_reports_join_and_their_totals_add_up() -> None:
    record = in_every_order([report("a", 1, [event(1)]), report("b", 2, [event(2), event(3)])])
    assert event_uids(record) == ["1.2.1", "1.2.2", "1.2.3"]
    assert record.study["dlp_total"] == 60
    assert not marks(record, "dlp_total")
    assert record.outcomes["b"].rule == "continued"


def test_a_report_with_the_same_events_changes_nothing() -> None:
    first = only(put_together([report("a", 1, [event(1), event(2)])]))
    record = in_every_order(
        [report("a", 1, [event(1), event(2)]), report("b", 2, [event(1), event(2)], total=999)]
    )
    assert (record.events, record.accumulated) == (first.events, first.accumulated)
    assert record.study["dlp_total"] == 30
    assert record.outcomes["b"].outcome == "duplicate"


def test_overlapping_reports_give_the_union_with_the_later_values_and_a_note() -> None:
    record = in_every_order(
        [report("a", 1, [event(1), event(2)]), report("b", 2, [event(2, dlp=21.0), event(3)])]
    )
    assert event_uids(record) == ["1.2.1", "1.2.2", "1.2.3"]
    assert [row["dlp"] for row in record.events] == [10, 21, 30]
    # 30 + 51 as the reports give it would count the shared event twice.
    assert record.study["dlp_total"] == 61
    assert marks(record, "dlp_total") == {"computed"} and marks(record, "number_of_events") == {
        "overlap"
    }


def test_two_systems_of_one_study_stay_two_rows() -> None:
    other = report("b", 2, [event(2)])
    other.extract.equipment["device_serial_number"] = "2"
    assert len(put_together([report("a", 1, [event(1)]), other])) == 2


def test_events_without_a_uid_are_told_apart_by_start_and_dose() -> None:
    def without_uid(number: int) -> dict:
        return {**event(number), "irradiation_event_uid": None}

    record = in_every_order(
        [
            report("a", 1, [without_uid(1), without_uid(2)]),
            report("b", 2, [without_uid(2), without_uid(3)]),
        ]
    )
    assert len(record.events) == 3


def test_two_events_of_one_report_with_the_same_uid_are_both_kept() -> None:
    record = only(put_together([report("a", 1, [event(1), {**event(1), "dlp": 5.0}])]))
    assert [row["dlp"] for row in record.events] == [10, 5]


@given(st.lists(st.sets(st.integers(1, 6), min_size=1), min_size=1, max_size=4), st.randoms())
def test_every_event_is_there_once_whatever_the_reports_and_their_order(
    sets: list[set[int]], random
) -> None:  # type: ignore[no-untyped-def]
    def parts() -> list[Part]:
        return [
            report(f"u{n}", n, [event(number) for number in sorted(held)])
            for n, held in enumerate(sets)
        ]

    shuffled = parts()
    random.shuffle(shuffled)
    record, again = only(put_together(parts())), only(put_together(shuffled))
    assert sorted(event_uids(record)) == sorted(f"1.2.{number}" for number in set().union(*sets))
    assert record.study["dlp_total"] == sum(10 * number for number in set().union(*sets))
    assert (record.study, record.events, record.outcomes) == (
        again.study,
        again.events,
        again.outcomes,
    )
    assert set(record.outcomes) == {f"u{n}" for n in range(len(sets))}


def test_a_total_that_is_not_given_is_the_sum_of_the_events_and_marked() -> None:
    record = only(put_together([report("a", 1, [event(1), event(2)], total=None)]))
    assert record.study["dlp_total"] == 30 and marks(record, "dlp_total") == {"computed"}


def test_a_total_of_zero_beside_events_with_dose_is_not_believed() -> None:
    record = only(put_together([report("a", 1, [event(1), event(2)], total=0)]))
    assert record.study["dlp_total"] == 30 and marks(record, "dlp_total") == {"given_zero"}


def test_a_part_of_a_dose_is_no_total() -> None:
    events = [event(1), {**event(2), "dlp": None}]
    record = only(put_together([report("a", 1, events, total=None)]))
    assert record.study.get("dlp_total") is None and marks(record, "dlp_total") == {"incomplete"}


def fluoroscopy(planes: list[tuple[dict, dict]], events: list[dict]) -> Record:
    accumulated = [{"acquisition_plane": plane, **row} for plane, row in planes]
    extract = Extract(
        "RF", {"study_instance_uid": "1.9"}, dict(SYSTEM), accumulated, events, [], BEGIN
    )
    return only(put_together([Part("a", extract)]))


def test_planes_are_added_for_dap_and_not_for_dose_at_reference_point() -> None:
    rows = [
        (PLANE_A, {"dap_total": 2e-4, "dose_rp_total": 0.5, "total_fluoro_time": 60.0}),
        (PLANE_B, {"dap_total": 1e-4, "dose_rp_total": 0.7, "total_fluoro_time": 30.0}),
    ]
    study = fluoroscopy(rows, []).study
    assert study["dap_total"] == pytest.approx(3e-4) and study["total_fluoro_time"] == 90
    assert (study["dose_rp_total_a"], study["dose_rp_total_b"], study["dose_rp_total"]) == (
        0.5,
        0.7,
        0.7,
    )


def test_totals_of_a_plane_that_are_not_given_come_from_its_events() -> None:
    events = [
        {"acquisition_plane": plane, "dap": dap, "dose_rp": dose, "irradiation_event_type": FLUOROSCOPY,
         "irradiation_duration": 2.0, "irradiation_event_uid": f"1.{n}"}
        for n, (plane, dap, dose) in enumerate([(PLANE_A, 1e-5, 0.01), (PLANE_A, 2e-5, 0.02), (PLANE_B, 5e-5, 0.05)])
    ]  # fmt: skip
    record = fluoroscopy([], events)
    study = record.study
    assert study["dap_total_a"] == pytest.approx(3e-5) and study["dap_total_b"] == pytest.approx(
        5e-5
    )
    assert study["dap_total"] == pytest.approx(8e-5) and study["total_fluoro_time"] == 6
    assert marks(record, "dap_total") == marks(record, "dose_rp_total") == {"computed"}


def test_a_row_for_all_planes_is_not_counted_beside_the_planes() -> None:
    rows = [
        (PLANE_A, {"dap_total": 2e-4}),
        (PLANE_B, {"dap_total": 1e-4}),
        (code_value(code("113890", "DCM")), {"dap_total": 3e-4}),
    ]
    assert fluoroscopy(rows, []).study["dap_total"] == pytest.approx(3e-4)


def test_glandular_dose_is_kept_by_breast() -> None:
    left, right = code_value(code("T-04030", "SRT")), code_value(code("73056007", "SCT"))
    accumulated = [
        {"acquisition_plane": SINGLE, "accumulated_agd": [{"agd": 1.3, "laterality": left}]}
    ]
    events = [
        {"average_glandular_dose": 1.1, "laterality": right, "irradiation_event_uid": "1.1"},
        {"average_glandular_dose": 1.3, "laterality": left, "irradiation_event_uid": "1.2"},
    ]
    extract = Extract(
        "MG", {"study_instance_uid": "1.9"}, dict(SYSTEM), accumulated, events, [], BEGIN
    )
    record = only(put_together([Part("a", extract)]))
    assert (record.study["agd_left"], record.study["agd_right"]) == (1.3, 1.1)
    assert marks(record, "agd_right") == {"computed"} and not marks(record, "agd_left")

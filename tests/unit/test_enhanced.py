"""Enhanced X-Ray and Patient Radiation Dose reports: what has a counterpart is in the records,
everything else is listed.
"""

from collections import Counter
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from orthanc_dose import samples
from orthanc_dose.assemble import Part, put_together
from orthanc_dose.dicom.dataset import Unreadable
from orthanc_dose.samples import enhanced, nuclear
from orthanc_dose.samples import values as v
from orthanc_dose.store import Store, Writer
from tests.support import independent
from tests.support.reports import marks, read
from tests.unit.test_arrival import arrive, everything
from tests.unit.test_extract import recorded_numbers

FLUOROSCOPY, EXPOSURE = enhanced.EVENTS
CT = enhanced.Event(
    0, 6, "2.25.900010", dap=None, rp_dose=None, ctdi=8.4, dlp=352.8, kvp=(120.0,), current=(210.0,)
)


def record_of(*made: Dataset) -> dict:
    (record,) = put_together([Part(str(one.SOPInstanceUID), read(one)) for one in made])
    return record.study


def test_totals_and_events_have_their_fields() -> None:
    found = read(enhanced.enhanced_report())
    assert found.modality == "RF"
    (totals,) = found.accumulated
    assert {name: value for name, value in totals.items() if isinstance(value, float)} == {
        "dap_total": 7e-5,
        "fluoro_dap_total": 2e-5,
        "acquisition_dap_total": 5e-5,
        "total_fluoro_time": 4.0,
        "dose_rp_total": 0.015,
    }
    first, second = found.events
    assert [row["irradiation_event_uid"] for row in found.events] == [FLUOROSCOPY.uid, EXPOSURE.uid]
    assert [
        (row["dap"], row["dose_rp"], row["irradiation_event_label"]) for row in found.events
    ] == [(2e-5, 0.004, "1"), (5e-5, 0.011, "2")]
    assert [row["irradiation_event_type"]["value"] for row in found.events] == [
        "44491008",
        "113611",
    ]
    # From the first to the last X-ray, as start and end say.
    assert [row["irradiation_duration"] for row in found.events] == [4.0, 2.0]
    assert marks(first, "irradiation_duration") == ["computed"]
    study = found.study
    assert (study["procedure_reported"]["value"], study["procedure_intent"]["value"]) == (
        "113704",
        "261004008",
    )
    assert study["comment"] == "made up" and study["observers"][0]["device_name"] == "SAMPLE1"
    assert second["acquisition_plane"] == {"value": "113622", "scheme": "DCM", "meaning": "A"}


def test_details_go_to_the_events_of_their_period() -> None:
    first, second = read(enhanced.enhanced_report()).events
    assert (first["kvp"], first["kvp_values"], first["xray_tube_current_values"]) == (
        79.0,
        [78.0, 80.0],
        [40.0, 44.0],
    )
    assert (second["kvp"], second["xray_tube_current"]) == (
        85.0,
        320.0,
    ) and "kvp_values" not in second
    assert marks(first, "kvp") == ["mean"] and not marks(second, "kvp")
    for row in (first, second):
        # Told once for the whole study, it holds for every event.
        assert (row["focal_spot_size"], row["anode_target_material"]["value"]) == (0.6, "26194003")
        assert (row["pulse_width"], row["exposure"], row["number_of_pulses"]) == (8.0, 1200.0, 30.0)
        (copper,) = row["xray_filters"]
        assert (copper["thickness_minimum"], copper["thickness_maximum"]) == (0.2, 0.2)
        assert (copper["material"]["value"], copper["type"]["value"]) == ("66925006", "113653")


def test_what_has_no_counterpart_is_listed() -> None:
    found = read(enhanced.enhanced_report([replace(FLUOROSCOPY, maximum_kvp=84.0), EXPOSURE]))
    listed = Counter((item.vt, item.concept) for item in found.unused)
    for expected in [
        ("TABLE", "DCM:130515"),
        ("TABLE", "DCM:130520"),
        ("SCOORD3D", "DCM:130525"),
        ("UIDREF", "DCM:112227"),
        ("CODE", "DCM:130506"),
        ("NUM", "DCM:130515"),
        ("CODE", "DCM:128458"),
        ("CODE", "DCM:128465"),
        ("NUM", "DCM:130509"),
    ]:
        assert listed[expected], expected
    assert {item.meaning for item in found.unused if item.vt in ("TABLE", "SCOORD3D")} == {
        "Air Kerma at Output Measurement Point",
        "Transformation Matrix",
        "Output Measurement Point Position",
    }
    # The largest kV of a period is not its kV.
    assert [item.value for item in found.unused if item.concept == "DCM:113733"] == ["84", "84"]
    assert found.events[0]["kvp_values"] == [78.0, 80.0]
    # An exposure time of the whole study belongs to no event.
    assert [item.value for item in found.unused if item.concept == "DCM:113824"] == ["987654"]


def test_no_number_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "enhanced.dcm"
    for events in (
        enhanced.EVENTS,
        [replace(event, maximum_kvp=99.0, copper=None) for event in enhanced.EVENTS],
    ):
        dataset = enhanced.enhanced_report(events)
        path.write_bytes(samples.part10(dataset))
        recorded = recorded_numbers(read(dataset))
        for code, values in independent.numbers(path).items():
            held = {float(one) for one in recorded[code]}
            for value in values:
                wanted = float(independent.in_base(*value))
                # One thickness is minimum and maximum of the filter.
                held_too = (
                    held | {float(one) for one in recorded["113758"]} if code == "130509" else held
                )
                assert any(one == pytest.approx(wanted, rel=1e-12) for one in held_too), (
                    code,
                    value,
                )


def test_two_sources_are_two_planes_and_their_sum_is_no_third() -> None:
    events = [FLUOROSCOPY, replace(EXPOSURE, source="B", start=0, end=4)]
    totals = [
        enhanced.SourceTotals("A", dap=2e-5, rp_dose=0.004),
        enhanced.SourceTotals("B", dap=5e-5, rp_dose=0.011),
        enhanced.SourceTotals("A and B", dap=7e-5),
    ]
    dataset = enhanced.enhanced_report(events, totals)
    found = read(dataset)
    assert [row["acquisition_plane"]["value"] for row in found.accumulated] == [
        "113620",
        "113621",
        "113890",
    ]
    # At the same time, each has the technique of its own source.
    assert [row["kvp"] for row in found.events] == [79.0, 85.0]
    study = record_of(dataset)
    assert (study["dap_total"], study["dap_total_a"], study["dap_total_b"]) == (7e-5, 2e-5, 5e-5)
    assert (study["dose_rp_total_a"], study["dose_rp_total_b"], study["dose_rp_total"]) == (
        0.004,
        0.011,
        0.011,
    )


def test_computed_tomography_has_its_own_fields() -> None:
    totals = [enhanced.SourceTotals(dlp=352.8, events=1)]
    found = read(enhanced.enhanced_report([CT], totals, procedure=v.CT_PROCEDURE))
    assert found.modality == "CT" and found.accumulated[0]["dlp_total"] == 352.8
    (row,) = found.events
    assert (row["mean_ctdivol"], row["dlp"], row["ct_acquisition_type"]["value"]) == (
        8.4,
        352.8,
        "116152004",
    )
    assert row["xray_sources"] == [
        {"kvp": 120.0, "xray_tube_current": 210.0, "identification": "A"}
    ]
    assert not marks(found.study, "number_of_events")
    announced = read(
        enhanced.enhanced_report([CT], [replace(totals[0], events=2)], procedure=v.CT_PROCEDURE)
    )
    assert marks(announced.study, "number_of_events") == ["events_differ"]


@pytest.mark.parametrize(
    "sop_class", ["1.2.840.10008.5.1.4.1.1.88.67", "1.2.840.10008.5.1.4.1.1.88.22"]
)
def test_the_content_decides_and_not_the_sop_class(sop_class: str) -> None:
    assert len(read(enhanced.enhanced_report(sop_class=sop_class)).events) == 2


def test_a_detail_without_an_event_in_its_period_is_listed() -> None:
    dataset = enhanced.enhanced_report()
    last = [
        item
        for item in dataset.ContentSequence
        if item.ConceptNameCodeSequence[0].CodeValue == "130501"
    ][-1]
    dataset.ContentSequence.remove(last)
    found = read(dataset)
    assert [row["irradiation_event_uid"] for row in found.events] == [FLUOROSCOPY.uid]
    assert [item.value for item in found.unused if item.concept == "DCM:113733"] == ["85"]


def test_totals_alone_are_a_report() -> None:
    found = read(enhanced.enhanced_report([], enhanced.TOTALS))
    assert found.modality == "RF" and not found.events and found.accumulated[0]["dap_total"] == 7e-5


def test_a_report_without_dose_is_refused() -> None:
    dataset = enhanced.enhanced_report([], [])
    with pytest.raises(Unreadable):
        read(dataset)


# Patient Radiation Dose SR


ORGANS = [
    enhanced.Estimate(nuclear.BRAIN, 2.1, 4.2),
    enhanced.Estimate(nuclear.KIDNEY, 0.6, side=nuclear.BILATERAL),
]


def organ_doses(study: dict) -> list[tuple[str, float | None, float | None]]:
    return [
        (
            one["finding_site"]["meaning"],
            one.get("mean_absorbed_dose"),
            one.get("maximum_absorbed_dose"),
        )
        for one in study["organ_dose_estimates"]
    ]


@pytest.mark.parametrize("together", [False, True])
def test_estimates_are_read_with_method_and_model(together: bool) -> None:
    made = enhanced.patient_dose_report(ORGANS, ["1.2.3", "1.2.4"], ["1.9.1"], together=together)
    found = read(made)
    assert found.modality is None and not found.events and not found.accumulated
    assert (found.refers_to.reports, found.refers_to.events) == ({"1.2.3", "1.2.4"}, {"1.9.1"})
    assert organ_doses(found.study) == [("Brain", 2.1, 4.2), ("Kidney", 0.6, None)]
    for one in found.study["organ_dose_estimates"]:
        assert one["sop_instance_uid"] == str(made.SOPInstanceUID) and one["name"] == "Organ doses"
        assert one["reports_used"] == ["1.2.3", "1.2.4"] and one["events_used"] == ["1.9.1"]
        assert (
            one["patient_model_type"]["value"],
            one["radiation_transport_model_type"]["value"],
        ) == ("128404", "128422")
        assert one["method_type"]["value"] == "D009010"
    assert found.study["organ_dose_estimates"][1]["laterality"]["value"] == "51440002"
    assert "DCM:128428" in {item.concept for item in found.unused}
    assert not found.study["marks"]


def test_an_estimate_without_organs_is_refused() -> None:
    with pytest.raises(Unreadable, match="no radiation dose estimate"):
        read(enhanced.patient_dose_report([], ["1.2.3"]))


def test_an_estimate_adds_organ_doses_to_the_record_and_no_dose() -> None:
    study = samples.Study(instance_uid="2.25.77")
    report = samples.ct_report(3, study=study, key="estimated")
    alone = record_of(report)
    uid = str(report.SOPInstanceUID)
    both = record_of(report, enhanced.patient_dose_report(ORGANS, [uid], study=study))
    assert organ_doses(both) == [("Brain", 2.1, 4.2), ("Kidney", 0.6, None)]
    different = {name for name in both if both[name] != alone.get(name)}
    assert different == {"organ_dose_estimates", "not_used"}


def test_an_estimate_finds_its_report_in_whatever_order_they_come(tmp_path: Path) -> None:
    """Also where it lies in another study, and where the report that it names is of another device
    than a second one.
    """
    study = samples.Study(instance_uid="2.25.78")
    ct = samples.ct_report(2, study=study, key="ct of pet-ct")
    nm = samples.radiopharmaceutical_report(study=study, key="nm of pet-ct")
    estimate = enhanced.patient_dose_report(
        ORGANS, [str(ct.SOPInstanceUID)], referenced_study="2.25.78"
    )
    objects = {
        name: (str(one.SOPInstanceUID), str(one.SOPClassUID), samples.part10(one))
        for name, one in (("ct", ct), ("nm", nm), ("estimate", estimate))
    }
    results = []
    for number, order in enumerate(permutations(objects)):
        (tmp_path / str(number)).mkdir()
        store = Store(tmp_path / str(number))
        writer = Writer(store)
        for change, name in enumerate(order, 1):
            arrive(writer, [objects[name]], change)
        results.append(everything(store))
        with store.reading() as connection:
            rows = connection.execute(
                "SELECT modality, len(organ_dose_estimates) FROM study ORDER BY modality"
            ).fetchall()
            assert rows == [("CT", 2), ("NM", None)]
            told = connection.execute(
                "SELECT outcome, rule, study_instance_uid FROM object WHERE sop_instance_uid = $1",
                [objects["estimate"][0]],
            ).fetchone()
            assert told == ("merged", "organ_dose_estimate", "2.25.78")
        writer.close()
        store.close()
    assert all(result == results[0] for result in results)


def test_an_estimate_waits_for_its_report(tmp_path: Path) -> None:
    estimate = enhanced.patient_dose_report(ORGANS, ["1.2.3.4"])
    store = Store(tmp_path)
    writer = Writer(store)
    arrive(
        writer,
        [(str(estimate.SOPInstanceUID), str(estimate.SOPClassUID), samples.part10(estimate))],
        1,
    )
    with store.reading() as connection:
        assert connection.execute("SELECT count(*) FROM study").fetchone() == (0,)
        row = connection.execute(
            "SELECT outcome, rule, study_id, content IS NOT NULL FROM object"
        ).fetchone()
    assert row == ("merged", "waits_for_report", None, True)
    writer.close()
    store.close()

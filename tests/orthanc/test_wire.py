"""From the wire to the record: what a modality sends by C-STORE stands in the API as its maker
wrote it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from orthanc_dose.samples import (
    SampleStudy,
    ct_slice,
    enhanced_sr_dose_report,
    make_studies,
    non_dose_sr,
    report_without_template,
)
from tests.support.expect import Told, by_dsrdump, by_pydicom, check_studies, check_study, number
from tests.support.server import ROOT, OrthancServer

# So many of each modality that nearly every maker of equipment comes up. Orthanc itself, without
# any plugin, takes a second to store a report of a hundred thousand elements: of fluoroscopy only
# the smaller ones are sent.
SAMPLES = [
    *make_studies(32, seed=11, kinds=["ct"]),
    *(sample for sample in make_studies(60, seed=12, kinds=["rf"]) if sample.events <= 20),
    *make_studies(16, seed=13, kinds=["dx"]),
    *make_studies(16, seed=14, kinds=["mg"]),
]
CORPUS = ROOT.parent / "shared" / "corpus"


@pytest.fixture(scope="module")
def filled(shared_server: OrthancServer) -> OrthancServer:
    shared_server.send(SAMPLES)
    shared_server.wait_until_idle()
    return shared_server


def test_all_studies_have_the_values_that_were_sent(filled: OrthancServer) -> None:
    vendors = {(sample.kind, sample.vendor) for sample in SAMPLES}
    assert len(vendors) > 20, "the made-up studies cover most makers"
    check_studies(filled.studies(), SAMPLES)


@pytest.mark.parametrize(
    "sample", SAMPLES[::6], ids=lambda sample: f"{sample.kind}-{sample.vendor}-{sample.index}"
)
def test_details_are_what_pydicom_reads(filled: OrthancServer, sample: SampleStudy) -> None:
    [row] = filled.studies(study_instance_uid=sample.study_instance_uid)
    detail = filled.ok(f"/dose/api/studies/{row['id']}")
    check_study(detail, sample)
    told = by_pydicom(sample.datasets[0])
    check_events(detail, told)
    check_accumulated(detail, told)
    patient, system = sample.patient, sample.system
    assert detail["patient"]["patient_sex"] == patient.sex
    for name, written in (("patient_size", patient.size), ("patient_weight", patient.weight)):
        # 0 stands where nothing was entered.
        assert detail["patient"][name] == (number(float(written)) if written else None)
    assert (detail["equipment"]["institution_name"], detail["equipment"]["station_name"]) == (
        system.institution,
        system.station,
    )
    assert detail["equipment"]["manufacturer"] == system.vendor.manufacturer
    assert [one["sop_instance_uid"] for one in detail["objects"]] == [
        sample.datasets[0].SOPInstanceUID
    ]


def check_events(detail: dict[str, Any], told: Told) -> None:
    """Events in the report's order, with UID and dose as another reader finds them."""
    names = ("dlp",) if detail["modality"] == "CT" else ("dap", "dose_rp")
    got = [
        {"uid": event["irradiation_event_uid"], **{name: event[name] for name in names}}
        for event in detail["events"]
    ]
    assert got == [
        {"uid": event.get("uid"), **{name: number(event.get(name)) for name in names}}
        for event in told.events
    ]
    assert [event["event_number"] for event in detail["events"]] == list(
        range(1, len(told.events) + 1)
    )


def check_accumulated(detail: dict[str, Any], told: Told) -> None:
    """The accumulated containers, each total as another reader finds it."""
    rows = detail["accumulated"]
    columns = (
        {"dlp": "dlp_total"}
        if detail["modality"] == "CT"
        else {"dap": "dap_total", "dose_rp": "dose_rp_total", "time": "total_fluoro_time"}
    )
    for name, column in columns.items():
        got = [row[column] for row in rows if row[column] is not None]
        assert got == [number(value) for value in told.totals.get(name, []) if value is not None]
    if "agd" in told.totals:
        assert sorted(entry["agd"] for row in rows for entry in row["accumulated_agd"]) == [
            number(value)
            for value in sorted(value for value in told.totals["agd"] if value is not None)
        ]


def test_every_instance_has_an_outcome(filled: OrthancServer) -> None:
    held = filled.held()
    outcomes = {row["handle"]: row["outcome"] for row in filled.objects()}
    assert set(held) <= set(outcomes)
    counted = filled.status()["store"]["objects"]
    assert sum(counted.values()) == len(outcomes)
    assert counted["failed"] == 0


def test_content_is_kept_without_identity(filled: OrthancServer) -> None:
    study = filled.studies()[0]
    sample = next(one for one in SAMPLES if one.study_instance_uid == study["study_instance_uid"])
    [kept] = filled.ok(f"/dose/api/studies/{study['id']}/content")["objects"]
    assert kept["tree"]["children"], "the content tree"
    keywords = {entry["keyword"] for entry in kept["header"]}
    assert {"StudyInstanceUID", "Manufacturer"} <= keywords
    assert not {"PatientName", "PatientID", "PatientBirthDate"} & keywords
    assert sample.patient.patient_id not in str(kept)


def test_what_is_no_dose_report_is_ignored_with_a_reason(filled: OrthancServer) -> None:
    studies = filled.status()["store"]["studies"]
    report, image = non_dose_sr(), ct_slice()
    filled.send(report, image)
    filled.wait_until_idle()
    [row] = filled.objects(sop_instance_uid=report.SOPInstanceUID)
    assert (row["outcome"], row["study_id"]) == ("ignored", None)
    assert row["rule"] and "18748-4" in row["reason"], "the reason names what it found"
    [row] = filled.objects(sop_instance_uid=image.SOPInstanceUID)
    assert (row["outcome"], row["rule"]) == ("ignored", "sop_class")
    assert row["reason"]
    assert filled.status()["store"]["studies"] == studies


def test_reports_in_another_envelope_are_read(filled: OrthancServer) -> None:
    enhanced, bare = enhanced_sr_dose_report(), report_without_template()
    filled.send(enhanced, bare)
    filled.wait_until_idle()
    for dataset, modality, events in ((enhanced, "CT", 4), (bare, "RF", 3)):
        [row] = filled.studies(study_instance_uid=dataset.StudyInstanceUID)
        assert (row["modality"], row["number_of_events"]) == (modality, events)
        detail = filled.ok(f"/dose/api/studies/{row['id']}")
        check_events(detail, by_pydicom(dataset))
        check_accumulated(detail, by_pydicom(dataset))


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the real objects are not on this machine")
def test_real_reports_have_the_totals_that_dsrdump_reads(server: OrthancServer) -> None:
    files = {path: dcmread(path, stop_before_pixels=True) for path in sorted(CORPUS.glob("*.dcm"))}
    for path in files:
        status, answer = server.upload(path.read_bytes())
        # Orthanc itself refuses an image of the collection that has no file meta information.
        assert status == 200 or path.stem.startswith("MG-Im"), f"{path.name}: {answer}"
    server.wait_until_idle()
    reports = {
        path: by_dsrdump(path)
        for path, dataset in files.items()
        if " SR " in dataset.SOPClassUID.name
    }
    # One study may have several reports; each of these holds all events of those before it.
    last: dict[str, tuple[Path, Told]] = {}
    for path, told in reports.items():
        uid = files[path].StudyInstanceUID
        if told.events and (uid not in last or len(told.events) > len(last[uid][1].events)):
            last[uid] = (path, told)
    assert len(last) > 10
    studies = {row["study_instance_uid"]: row for row in server.studies()}
    # Besides the X-ray reports that dsrdump reads: images, a dose screen, and a report of nuclear
    # medicine.
    others = {
        files[path].StudyInstanceUID
        for path in files
        if path not in reports or path.stem == "NM-RRDSR-Siemens"
    }
    assert set(studies) == set(last) | {uid for uid in others if uid in studies}
    assert len(others - set(studies)) <= 1, "but for the image that Orthanc itself refuses"
    for uid, (_, told) in last.items():
        detail = server.ok(f"/dose/api/studies/{studies[uid]['id']}")
        check_events(detail, told)
        check_accumulated(detail, told)
        check_totals(detail, told)
    held = {files[path].SOPInstanceUID: path for path in files}
    for row in server.objects():
        path = held[row["sop_instance_uid"]]
        useful = path not in reports or reports[path].events or path.stem == "NM-RRDSR-Siemens"
        assert (row["outcome"] in ("imported", "merged", "duplicate")) == bool(useful), (
            f"{path.name}: {row}"
        )
        assert useful or row["reason"], path.name


def check_totals(detail: dict[str, Any], told: Told) -> None:
    """The totals of a study with one accumulated container or none: the report's, else the events'
    sum.
    """
    names = {"CT": {"dlp_total": "dlp"}, "MG": {}}.get(
        detail["modality"], {"dap_total": "dap", "dose_rp_total": "dose_rp"}
    )
    for column, name in names.items():
        given = [value for value in told.totals.get(name, []) if value is not None]
        values = [event.get(name) for event in told.events]
        summed = None if not values or None in values else sum(values)
        expected = sum(given) if given and not (sum(given) == 0 and summed) else summed
        assert detail[column] == number(expected), column

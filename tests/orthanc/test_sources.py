"""Images and dose screens by real senders: what is read, when, and what becomes of it when
something better comes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import duckdb
import pytest

from orthanc_dose import ocr, samples
from orthanc_dose.samples import ct, image_ct
from orthanc_dose.samples.image_radiography_systems import RADIOGRAPHY
from tests.support.server import OrthancServer

SOON = {"StableAge": 1}


def outcomes(server: OrthancServer) -> dict[str, tuple[str, str | None]]:
    return {row["sop_instance_uid"]: (row["outcome"], row["rule"]) for row in server.objects()}


def only(server: OrthancServer) -> dict[str, Any]:
    (found,) = server.details()
    return found


def test_images_make_records_and_one_of_a_series_is_read(server: OrthancServer) -> None:
    pet = samples.nuclear_images("ge-pet", slices=4)
    images = [*samples.radiography_pair("standard"), *samples.hologic_combo()]
    server.send(pet, images, samples.philips_dose_info(), samples.ct_slice(1))
    server.wait_until_idle()
    found = {(row["modality"], row["source"]): row for row in server.details()}
    assert set(found) == {
        ("NM", "image header"),
        ("DX", "image header"),
        ("MG", "image header"),
        ("CT", "image header"),
    }
    assert found["NM", "image header"]["administered_activity_total"] == pytest.approx(221.6)
    assert found["DX", "image header"]["dap_total"] == pytest.approx(
        RADIOGRAPHY["standard"].exposure.dap
    )
    told = outcomes(server)
    of_pet = [told[str(ds.SOPInstanceUID)] for ds in pet]
    assert sorted(of_pet, key=str) == [("ignored", "same_series")] * 3 + [("imported", None)]
    before = server.objects()
    server.restart(overrides={"OverwriteInstances": False})
    server.send(pet, images)
    server.wait_until_idle()
    assert server.objects() == before


def test_multi_frame_ct_and_cone_beam_volumes_make_records(server: OrthancServer) -> None:
    volume = samples.cone_beam_volume(key="volume", study=samples.Study(description="CBCT"))
    enhanced = samples.enhanced_ct_image()
    dental = samples.cone_beam_slices(4.5)
    server.send(volume, enhanced, dental)
    server.wait_until_idle()
    # The volume is always read; CT images of any kind only if that is enabled.
    (row,) = server.details()
    assert (row["modality"], row["dap_total"]) == ("DX", pytest.approx(3e-6))
    told = outcomes(server)
    assert told.pop(str(volume.SOPInstanceUID)) == ("imported", None)
    assert set(told.values()) == {("ignored", "sop_class")}

    server.restart(dose={"DoseFromCtImages": True}, overrides=SOON)
    server.wait_for(lambda: len(server.studies()) == 3, "the records of the CT images")
    server.wait_until_idle()
    found = {(row["modality"], row["study_description"]): row for row in server.details()}
    assert found["CT", "CT heart"]["ctdivol_max"] == pytest.approx(14.7)
    assert found["DX", "CBCT of the jaw"]["dap_total"] == pytest.approx(4.5e-5)
    assert found["DX", "CBCT of the jaw"]["number_of_events"] == 1


def test_ct_images_wait_until_their_study_is_complete_and_give_way_to_a_report(
    server: OrthancServer,
) -> None:
    study = samples.Study(instance_uid=samples.uid("ct images"))
    slices = samples.ct_images("siemens", series=(image_ct.LOCALIZER, image_ct.THORAX), study=study)
    server.send(slices[:-3])
    server.wait_until_idle()
    assert set(outcomes(server).values()) == {("ignored", "sop_class")} and not server.studies()

    # Those that came before the configuration asked for them count as well.
    server.restart(dose={"DoseFromCtImages": True}, overrides=SOON)
    server.wait_for(
        lambda: bool(server.studies()), "the record of a study that was complete before"
    )
    server.send(slices[-3:])
    server.wait_for(
        lambda: ("ignored", "waits_for_study") not in outcomes(server).values(),
        "the study to be complete again",
    )
    server.wait_until_idle()
    record = only(server)
    assert record["source"] == "computed" and record["ctdivol_max"] == pytest.approx(
        image_ct.THORAX.mean_ctdi
    )
    assert record["dlp_total"] is None
    assert "derived" in {entry["mark"] for entry in record["marks"]}
    assert set(outcomes(server).values()) == {("imported", "ct_images")}

    server.post(f"/dose/api/objects/{slices[-1].SOPInstanceUID}/take-out")
    server.post(f"/dose/api/objects/{slices[-1].SOPInstanceUID}/retry")
    server.wait_for(
        lambda: set(outcomes(server).values()) == {("imported", "ct_images")},
        "an image that is read again",
    )

    report = samples.ct_report(2, study=study, key="report", system=_system(slices[0]))
    server.send(report)
    server.wait_until_idle()
    record = only(server)
    assert record["source"] == "report" and record["number_of_events"] == 2
    server.post(f"/dose/api/objects/{report.SOPInstanceUID}/take-out")
    record = only(server)
    assert record["source"] == "computed" and record["ctdivol_max"] == pytest.approx(
        image_ct.THORAX.mean_ctdi
    )


def _system(ds: Any) -> samples.System:
    """The system that an object names."""
    vendor = replace(
        samples.vendor("standard"),
        manufacturer=str(ds.Manufacturer),
        model=str(ds.ManufacturerModelName),
    )
    return samples.System(
        vendor=vendor, station=str(ds.StationName), serial=str(ds.DeviceSerialNumber)
    )


def test_a_kill_while_ct_images_wait_loses_none(server: OrthancServer) -> None:
    server.restart(dose={"DoseFromCtImages": True}, overrides=SOON)
    server.send(samples.ct_images("toshiba", series=(image_ct.ABDOMEN,)))
    server.kill()
    server.start()
    server.wait_for(lambda: bool(server.studies()), "the record of a complete study")
    assert only(server)["dlp_total"] == pytest.approx(71.5)


def test_a_dose_screen_of_a_system_that_is_not_configured_is_left_alone_with_the_reason(
    server: OrthancServer,
) -> None:
    screen = samples.dose_screen("toshiba")
    server.send(screen)
    server.wait_until_idle()
    (row,) = server.objects()
    assert (row["outcome"], row["rule"]) == (
        "ignored",
        "dose_screen",
    ) and "Dose.DoseScreens" in row["reason"]
    server.restart(dose={"DoseScreens": ["TOSHIBA*/Aquilion*"]})
    server.wait_until_idle()
    (row,) = server.objects()
    assert row["rule"] != "dose_screen", (
        "it is looked at again when the configuration names its system"
    )


@pytest.mark.skipif(
    ocr.available() is None, reason="the OCR engine (Debian's tesseract-ocr) is not installed"
)
def test_a_dose_screen_is_read_with_what_the_images_say_beside_it(server: OrthancServer) -> None:
    server.restart(dose={"DoseScreens": ["TOSHIBA*/Aquilion*"]}, overrides=SOON)
    study = samples.Study(instance_uid=samples.uid("dose screen"))
    screen = samples.dose_screen("toshiba", study=study)
    chest = replace(
        image_ct.THORAX,
        ctdi=12.3,
        dlp=549.3,
        pitch=0.83,
        single_collimation=1.0,
        total_collimation=32.0,
    )
    head = replace(image_ct.HEAD, ctdi=48.6, dlp=842.7, pitch=0.6, number=4, acquisition=4)
    system = samples.System(
        vendor=replace(samples.vendor("standard"), manufacturer="TOSHIBA", model="Aquilion")
    )
    images = samples.ct_images(
        "toshiba", series=(image_ct.LOCALIZER, chest, head), study=study, system=system
    )
    server.send(screen, images)
    server.wait_until_idle()
    record = only(server)
    assert record["source"] == "OCR" and record["number_of_events"] == 3
    assert record["dlp_total"] == pytest.approx(549.3 + 842.7)
    dose = [row for row in record["events"] if row["dlp"] is not None]
    assert [(row["mean_ctdivol"], row["dlp"]) for row in dose] == [(12.3, 549.3), (48.6, 842.7)]
    assert all({entry["mark"] for entry in row["marks"]} & {"ocr", "ocr_unchecked"} for row in dose)

    def beside() -> list[tuple[float | None, float | None]]:
        events = [row for row in only(server)["events"] if row["dlp"] is not None]
        return [(row["pitch_factor"], row["nominal_total_collimation_width"]) for row in events]

    server.wait_for(lambda: beside()[0][0] is not None, "the images of a complete study")
    assert beside() == [(0.83, 32.0), (0.6, pytest.approx(image_ct.HEAD.total_collimation))]
    read = {uid for uid, told in outcomes(server).items() if told == ("merged", "better_source")}
    # One image of each series, and not all: on a slow machine the study is complete more than once.
    series = {image.SeriesInstanceUID for image in images}
    assert {image.SeriesInstanceUID for image in images if image.SOPInstanceUID in read} == series
    assert len(read) < len(images)
    kept = "".join(str(server.ok(f"/dose/api/studies/{record['id']}/content")))
    assert "SAMPLE-000001" not in kept and "Anna" not in kept


def test_taking_an_object_out_and_reading_it_again(server: OrthancServer) -> None:
    study = samples.Study(instance_uid=samples.uid("taken out"))
    first, second = (samples.ct_report(2, study=study, key=f"part {number}") for number in range(2))
    server.send(first, second)
    server.wait_until_idle()
    both = only(server)
    status, answer = server.post(f"/dose/api/objects/{second.SOPInstanceUID}/take-out")
    assert status == 200 and answer["object"]["rule"] == "taken_out"
    assert only(server)["number_of_events"] == 2 and only(server)["id"] == both["id"]
    server.post(f"/dose/api/objects/{first.SOPInstanceUID}/take-out")
    assert server.studies() == []
    server.restart()
    server.wait_until_idle()
    assert server.studies() == [], "the audit at the start does not bring it back"
    for report in (first, second):
        assert server.post(f"/dose/api/objects/{report.SOPInstanceUID}/retry")[0] == 200
    assert only(server)["number_of_events"] == 4
    assert only(server)["dlp_total"] == pytest.approx(both["dlp_total"])
    assert server.post("/dose/api/objects/1.2.3/take-out")[0] == 404


def test_a_report_that_grows_under_one_uid_comes_out_whole_and_never_shrinks(
    server: OrthancServer,
) -> None:
    study = samples.Study(instance_uid=samples.uid("replaced"))
    events = ct.default_events(4, 5, study.started, "replaced")

    def send(*numbers: int) -> dict[str, Any]:
        report = samples.ct_report([events[one] for one in numbers], study=study, key="same")
        server.send(report)
        server.wait_until_idle()
        return next(
            row for row in server.objects() if row["sop_instance_uid"] == report.SOPInstanceUID
        )

    assert send(0, 1)["rule"] is None and only(server)["number_of_events"] == 2
    assert send(0, 1, 2)["rule"] is None and only(server)["number_of_events"] == 3
    whole = only(server)["dlp_total"]
    row = send(1, 2)
    assert (row["outcome"], row["rule"]) == ("imported", "fewer_events")
    assert "lacks 1 of its 3 irradiation events" in row["reason"]
    assert only(server)["number_of_events"] == 3 and only(server)["dlp_total"] == whole
    server.restart()
    assert server.post("/dose/api/reextract")[0] == 202
    server.wait_until_idle()
    assert server.objects()[0]["rule"] == "fewer_events", "another reading does not hide it"
    assert send(0, 1, 2, 3)["rule"] is None and only(server)["number_of_events"] == 4
    send(0)
    assert server.post(f"/dose/api/objects/{row['sop_instance_uid']}/take-out")[0] == 200
    assert server.post(f"/dose/api/objects/{row['sop_instance_uid']}/retry")[0] == 200
    server.wait_until_idle()
    assert only(server)["number_of_events"] == 1, "a user asked for what Orthanc holds"


def test_kept_content_is_read_again_without_the_objects_and_says_what_changed(
    server: OrthancServer,
) -> None:
    server.send(samples.ct_report(2), samples.radiography_pair("standard"))
    server.wait_until_idle()
    before = sorted(server.details(), key=lambda row: row["modality"])
    for instance in server.ok("/instances"):
        server.delete(f"/instances/{instance}")
    assert server.stop() == 0
    with duckdb.connect(str(server.dose_directory / "dose.duckdb")) as connection:
        connection.execute(
            "UPDATE study SET dlp_total = 1, study_description = 'changed' WHERE modality = 'CT'"
        )
        connection.execute("UPDATE object SET extractor_version = 'earlier' WHERE modality = 'CT'")
    server.start()
    assert server.ok("/dose/api/reextract")["outdated"] == 1
    status, answer = server.post("/dose/api/reextract")
    assert status == 202 and answer["state"] == "running"
    server.wait_for(
        lambda: server.ok("/dose/api/reextract")["state"] == "done", "the end of reading again"
    )
    told = server.ok("/dose/api/reextract")
    assert (told["total"], told["done"], told["changed"], told["failed"], told["outdated"]) == (
        2,
        2,
        1,
        0,
        0,
    )
    assert told["fields"] == {"study.dlp_total": 1, "study.study_description": 1}
    assert told["studies"] == [row["id"] for row in before if row["modality"] == "CT"]
    after = sorted(server.details(), key=lambda row: row["modality"])
    for row in (*before, *after):
        del row["stored_at"], row["objects"], row["orthanc_studies"]
    assert after == before
    server.restart()
    assert server.ok("/dose/api/reextract")["state"] == "done", "the result is remembered"


def test_a_system_that_makes_both_is_sorted_by_what_was_done_or_as_it_is_set(
    server: OrthancServer,
) -> None:
    report = samples.radiography_report(2, seed=3)
    server.send(report)
    server.wait_until_idle()
    found = only(server)
    assert found["modality"] == "DX"
    path = f"/dose/api/equipment/{found['equipment']['id']}/modality"
    status, answer = server.post(f"{path}/RF")
    assert status == 200 and answer["system"]["user_defined_modality"] == "RF"
    assert only(server)["modality"] == "RF"
    server.restart()
    server.send(
        samples.radiography_report(
            1, seed=4, key="another", study=samples.Study(instance_uid=samples.uid("another"))
        )
    )
    server.wait_until_idle()
    assert {row["modality"] for row in server.studies()} == {"RF"}
    server.post(f"{path}/dual")
    assert {row["modality"] for row in server.studies()} == {"DX"}
    server.post(f"{path}/by-rule")
    assert only_system(server)["user_defined_modality"] is None
    assert server.post("/dose/api/equipment/999/modality/RF")[0] == 404
    assert server.post(f"{path}/CT")[0] == 400


def only_system(server: OrthancServer) -> dict[str, Any]:
    systems = {row["equipment"]["id"]: row["equipment"] for row in server.details()}
    assert len(systems) == 1
    return next(iter(systems.values()))

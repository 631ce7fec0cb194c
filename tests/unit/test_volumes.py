"""Multi-frame CT images and volumes of cone-beam CT, against the values that the makers write."""

from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from pydicom.dataset import Dataset

from orthanc_dose import extract, samples
from orthanc_dose.assemble import Record
from orthanc_dose.dicom import part10
from orthanc_dose.extract import Ignored
from orthanc_dose.samples import ConeBeamRun, CtFrame
from orthanc_dose.samples.image_volume import ANGIOGRAPHIC, CRANIOFACIAL
from orthanc_dose.samples.values import SPIRAL
from tests.support.images import marks, read, together

NINE = datetime(2025, 3, 14, 9, 0)
FIRST, SECOND = samples.uid("volumes", "first"), samples.uid("volumes", "second")


def one(*datasets: Dataset) -> Record:
    (record,) = together(list(datasets))
    return record


def daps(record: Record) -> list[Any]:
    """In dGy.cm2 as the images write them; 1 dGy.cm2 is 1e-5 Gy.m2."""
    return [row.get("dap") and round(row["dap"] * 1e5, 9) for row in record.events]


def study() -> samples.Study:
    return samples.Study(instance_uid=samples.uid("volumes", "study"))


# --- multi-frame CT ---


@pytest.mark.parametrize("options", [{}, {"legacy": True}])
def test_frames_give_the_event_and_ctdivol_is_their_mean(options: dict[str, Any]) -> None:
    record = one(samples.enhanced_ct_image(event_uid=FIRST, **options))
    (row,) = record.events
    assert (record.modality, record.source) == ("CT", "computed")
    # 13.7, 14.7 and 15.7
    assert row["mean_ctdivol"] == 14.7 and record.study["ctdivol_max"] == 14.7
    assert marks(row, "mean_ctdivol") == {"mean"}
    assert row["irradiation_event_uid"] == FIRST
    assert row["ct_acquisition_type"]["value"] == SPIRAL.value
    assert row["ctdiw_phantom_type"]["value"] == "113691"
    assert row["target_region"]["value"] == "816094009"
    assert (row["pitch_factor"], row["nominal_total_collimation_width"]) == (0.984, 160)
    assert row["nominal_single_collimation_width"] == 0.5
    assert row["xray_sources"] == [
        {
            "kvp": 120,
            "maximum_xray_tube_current": 420,
            "xray_tube_current": 420,
            "exposure_time_per_rotation": 0.35,
        }
    ]
    # From z = 1661 to 1663, and one thickness of 0.5 mm
    assert row["scanning_length"] == 2.5
    assert row.get("dlp") is None and record.study.get("dlp_total") is None


def test_what_all_frames_share_is_said_once_and_a_frame_overrides_the_image() -> None:
    frames = [CtFrame(9.9, z=number) for number in range(4)]
    row = one(samples.enhanced_ct_image(frames, shared=True, ExposureModulationType="NONE")).events[
        0
    ]
    assert row["mean_ctdivol"] == 9.9 and not marks(row, "mean_ctdivol")
    assert row["xray_modulation_type"] == "ECG" and row["scanning_length"] == 3.5


def test_several_irradiation_events_in_one_object_are_several_events() -> None:
    frames = [
        CtFrame(10.1, event_uid=FIRST, z=0, started=NINE),
        CtFrame(20, event_uid=SECOND, z=0, started=NINE + timedelta(seconds=30)),
        CtFrame(10.2, event_uid=FIRST, z=1, started=NINE + timedelta(seconds=1)),
        CtFrame(22, event_uid=SECOND, z=1, started=NINE + timedelta(seconds=31)),
    ]
    record = one(samples.enhanced_ct_image(frames, event_uid=None))
    assert [row["irradiation_event_uid"] for row in record.events] == [FIRST, SECOND]
    assert [row["mean_ctdivol"] for row in record.events] == [10.15, 21]
    assert [row["datetime_started"] for row in record.events] == [
        NINE,
        NINE + timedelta(seconds=30),
    ]


def test_without_event_uid_frames_are_grouped_by_acquisition_number() -> None:
    frames = [CtFrame(5, z=0, acquisition=1), CtFrame(8, z=0, acquisition=2, kvp=100)]
    frames += [CtFrame(6, z=1, acquisition=1), CtFrame(9, z=1, acquisition=2, kvp=100)]
    record = one(samples.enhanced_ct_image(frames, event_uid=None))
    assert sorted(row["mean_ctdivol"] for row in record.events) == [5.5, 8.5]
    assert sorted(row["xray_sources"][0]["kvp"] for row in record.events) == [100, 120]


def test_a_second_tube_is_a_second_source() -> None:
    frames = [CtFrame(second_tube=(140, 200)), CtFrame(second_tube=(140, 210), z=1662)]
    (row,) = one(samples.enhanced_ct_image(frames)).events
    assert [tube["kvp"] for tube in row["xray_sources"]] == [120, 140]
    assert [tube["xray_tube_current"] for tube in row["xray_sources"]] == [420, 205]


def test_reconstructions_of_one_event_count_once_in_any_order() -> None:
    made = study()
    images = [
        samples.enhanced_ct_image(key=f"reconstruction {n}", event_uid=FIRST, study=made, series=n)
        for n in (1, 2)
    ]
    images += samples.ct_images(
        key="classic",
        study=made,
        system=samples.System(),
        series=[samples.CtImageSeries(slices=2, ctdi=14.7)],
    )
    for order in permutations(images):
        record = one(*order)
        assert len(record.events) == 2
        assert [
            row["mean_ctdivol"] for row in record.events if row["irradiation_event_uid"] == FIRST
        ] == [14.7]


def test_a_report_is_the_better_source() -> None:
    made = study()
    report = samples.ct_report(2, vendor="standard", study=made)
    image = samples.enhanced_ct_image(
        study=made,
        Manufacturer=report.Manufacturer,
        DeviceSerialNumber=report.DeviceSerialNumber,
    )
    for order in permutations((report, image)):
        record = one(*order)
        assert record.source == "report" and len(record.events) == 2


def test_frames_without_dose_are_no_dose() -> None:
    with pytest.raises(Ignored):
        read(samples.enhanced_ct_image([CtFrame(ctdi=None, kvp=None)]))


def test_what_is_kept_of_an_image_suffices() -> None:
    for image in (
        samples.enhanced_ct_image([CtFrame(second_tube=(140, 200), started=NINE)]),
        samples.enhanced_ct_image(legacy=True),
        samples.cone_beam_slices()[0],
    ):
        kept = extract.keep(part10.read_any(samples.part10(image)))
        whole = extract.extract_object(kept, str(image.SOPClassUID))
        kept.dataset = extract.reduced(kept.dataset)
        found = extract.extract_object(kept, str(image.SOPClassUID))
        assert found.events == whole.events and found.study == whole.study
        assert "7fe0,0010" not in kept.dataset


# --- volumes of cone-beam CT ---


@pytest.mark.parametrize(("sop_class", "modality"), [(ANGIOGRAPHIC, "RF"), (CRANIOFACIAL, "DX")])
def test_a_volume_gives_the_dap_of_its_acquisition(sop_class: str, modality: str) -> None:
    record = one(samples.cone_beam_volume(sop_class, [ConeBeamRun(0.3, started=NINE)]))
    (row,) = record.events
    assert (record.modality, record.source) == (modality, "image header")
    assert row["dap"] == 3e-6 and record.study["dap_total"] == 3e-6
    assert (row["kvp"], row["xray_tube_current"], row["exposure"]) == (90, 8, 72000)
    assert row["datetime_started"] == NINE
    assert row["irradiation_event_type"]["value"] == "113613", "Rotational Acquisition (CID 10002)"
    if modality == "RF":
        assert record.study["acquisition_dap_total"] == 3e-6


def test_acquisitions_of_one_volume_are_several_events_even_with_equal_values() -> None:
    record = one(samples.cone_beam_volume(ANGIOGRAPHIC, [ConeBeamRun(0.1)] * 3))
    assert daps(record) == [0.1, 0.1, 0.1]
    assert record.study["dap_total"] == 3e-6, "not 3.0000000000000004e-06"


def test_a_dap_of_the_object_alone_is_that_of_all_its_acquisitions() -> None:
    runs = [ConeBeamRun(None, kvp=90, exposure=50), ConeBeamRun(None, kvp=90, exposure=60)]
    (row,) = one(samples.cone_beam_volume(ANGIOGRAPHIC, runs, whole=1.2)).events
    assert row["dap"] == pytest.approx(1.2e-5)
    assert row["kvp"] == 90 and row.get("exposure") is None


def test_a_dap_of_the_object_beside_those_of_its_acquisitions_is_listed() -> None:
    record = one(samples.cone_beam_volume(ANGIOGRAPHIC, [ConeBeamRun(0.4)] * 2, whole=0.8))
    assert daps(record) == [0.4, 0.4]
    assert [
        entry["value"] for entry in record.study["not_used"] if entry["concept"] == "(0018,115E)"
    ] == ["0.8"]


@pytest.mark.parametrize(("whole", "expected"), [(0.4, 0.4), (0.5, None)])
def test_two_doses_of_one_acquisition_must_agree(whole: float, expected: float | None) -> None:
    record = one(samples.cone_beam_volume(ANGIOGRAPHIC, [ConeBeamRun(0.4)], whole=whole))
    assert daps(record) == [expected]
    assert marks(record.events[0], "dap") == (set() if expected else {"several_values"})


def test_a_dap_that_one_acquisition_lacks_makes_no_sum() -> None:
    record = one(samples.cone_beam_volume(ANGIOGRAPHIC, [ConeBeamRun(0.4), ConeBeamRun(None)]))
    assert daps(record) == [0.4, None] and record.study.get("dap_total") is None


def test_event_uids_belong_to_the_acquisitions_in_their_order() -> None:
    volume = samples.cone_beam_volume(
        ANGIOGRAPHIC, [ConeBeamRun(0.4), ConeBeamRun(0.5)], event_uid=[FIRST, SECOND]
    )
    rows = one(volume).events
    assert {
        row["irradiation_event_uid"]: daps_of
        for row, daps_of in zip(rows, daps(one(volume)), strict=True)
    } == {
        FIRST: 0.4,
        SECOND: 0.5,
    }


SAME_ACQUISITION: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "event uid": ({"event_uid": FIRST}, {"event_uid": FIRST, "AcquisitionTime": "101010"}),
    "acquisition uid": ({"acquisition_uid": FIRST}, {"acquisition_uid": FIRST, "AcquisitionTime": "101010"}),
    "moment": ({}, {"FrameOfReferenceUID": SECOND}),
    "frame of reference": (
        {"AcquisitionDate": None, "AcquisitionTime": None},
        {"AcquisitionDate": None, "AcquisitionTime": None},
    ),
    "moment, rounded dap": ({}, {"runs": [ConeBeamRun(0.301)]}),
}  # fmt: skip
OTHER_ACQUISITION: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "event uid": ({"event_uid": FIRST}, {"event_uid": SECOND}),
    "moment": ({}, {"AcquisitionTime": "101010"}),
    "dap": ({}, {"runs": [ConeBeamRun(0.5)]}),
}


@pytest.mark.parametrize("name", SAME_ACQUISITION)
def test_volumes_of_one_acquisition_count_once(name: str) -> None:
    made = study()
    volumes = [
        samples.cone_beam_volume(study=made, series=number, **options)
        for number, options in enumerate(SAME_ACQUISITION[name], 1)
    ]
    for order in permutations(volumes):
        record = one(*order)
        assert len(record.events) == 1 and daps(record)[0] == pytest.approx(0.3, rel=0.01)
        assert len(record.events[0]["acquired_images"]) == 2


@pytest.mark.parametrize("name", OTHER_ACQUISITION)
def test_volumes_of_two_acquisitions_are_two(name: str) -> None:
    made = study()
    volumes = [
        samples.cone_beam_volume(study=made, series=number, **options)
        for number, options in enumerate(OTHER_ACQUISITION[name], 1)
    ]
    for order in permutations(volumes):
        assert len(one(*order).events) == 2


# --- dental cone-beam CT in CT images ---


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"event_uid": FIRST},
        {"AcquisitionDate": None, "AcquisitionTime": None},
        {"AcquisitionDateTime": "20250314090000"},
    ],
)
def test_ct_images_with_a_dap_are_one_exposure_and_no_ct(options: dict[str, Any]) -> None:
    made = study()
    images = samples.cone_beam_slices(study=made, **options)
    images += samples.cone_beam_slices(study=made, series=2, **options)  # a reconstruction
    for order in (images, images[::-1], images[3:] + images[:3]):
        record = one(*order)
        assert record.modality == "DX" and daps(record) == [4.5]
        assert record.study["dap_total"] == 4.5e-5 and record.study["number_of_events"] == 1


def test_slices_with_a_time_each_are_one_exposure() -> None:
    images = samples.cone_beam_slices(study=study())
    for number, image in enumerate(images):
        image.AcquisitionTime = f"09000{number}"
    for order in permutations(images):
        record = one(*order)
        assert daps(record) == [4.5]
        assert record.events[0]["datetime_started"].strftime("%H%M%S") == "090000"


def test_two_scans_of_a_dental_system_are_two() -> None:
    made = study()
    images = samples.cone_beam_slices(study=made)
    images += samples.cone_beam_slices(study=made, series=2, AcquisitionTime="101010")
    assert daps(one(*images)) == [4.5, 4.5]


def test_a_dap_of_zero_makes_no_cone_beam_of_a_ct_image() -> None:
    (image,) = samples.cone_beam_slices(0, slices=1, CTDIvol=7.5)
    record = one(image)
    assert record.modality == "CT" and record.events[0]["mean_ctdivol"] == 7.5


def test_a_ctdivol_beside_a_dap_is_listed_as_not_used() -> None:
    record = one(*samples.cone_beam_slices(slices=1, CTDIvol=7.5))
    assert record.modality == "DX"
    assert [
        entry["value"] for entry in record.study["not_used"] if entry["concept"] == "(0018,9345)"
    ] == ["7.5"]


@pytest.mark.parametrize("make", ["volume", "slices"])
def test_a_report_of_the_system_is_the_better_source_whatever_type_it_has(make: str) -> None:
    made = study()
    for report in (
        samples.fluoroscopy_report(2, study=made),
        samples.radiography_report(2, study=made),
        samples.ct_report(2, study=made),
    ):
        system = {
            "Manufacturer": report.Manufacturer,
            "DeviceSerialNumber": report.DeviceSerialNumber,
        }
        images = (
            [samples.cone_beam_volume(study=made, **system)]
            if make == "volume"
            else samples.cone_beam_slices(study=made, **system)
        )
        record = one(report, *images)
        assert record.source == "report" and len(record.events) == 2
        assert "images_without_event" not in record.study["all_marks"]


def test_reconstructions_without_the_dap_make_no_record_of_their_own() -> None:
    made = study()
    images = samples.cone_beam_slices(study=made, slices=2)
    images += samples.cone_beam_slices(None, study=made, slices=2, series=2)
    for order in permutations(images):
        record = one(*order)
        assert record.modality == "DX" and daps(record) == [4.5]
        assert set(record.outcomes) == {str(image.SOPInstanceUID) for image in images}


def test_a_report_of_ct_receives_no_fields_of_projection_x_ray() -> None:
    made = study()
    report = samples.ct_report(1, study=made)
    images = samples.cone_beam_slices(
        study=made,
        event_uid=read(report).events[0]["irradiation_event_uid"],
        Manufacturer=report.Manufacturer,
    )
    record = one(report, *images)
    assert record.modality == "CT" and "dap" not in record.events[0]
    assert "from_image" not in record.study["all_marks"]


def test_a_panoramic_image_and_a_volume_of_one_system_are_two_exposures() -> None:
    made = study()
    volume = samples.cone_beam_volume(study=made)
    image = samples.radiography_image(
        study=made,
        Manufacturer=volume.Manufacturer,
        ManufacturerModelName=volume.ManufacturerModelName,
        DeviceSerialNumber=volume.DeviceSerialNumber,
        StationName=volume.StationName,
        Modality="PX",
    )
    for order in ((volume, image), (image, volume)):
        record = one(*order)
        assert record.modality == "DX" and record.study["number_of_events"] == 2

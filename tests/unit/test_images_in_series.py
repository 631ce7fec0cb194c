"""Images of series to records, of PET, NM and CT, and Philips dose screens, against the facts that
the makers write.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations

import pytest
from pydicom.dataset import Dataset

from orthanc_dose import samples
from orthanc_dose.assemble import Part, Record, put_together
from orthanc_dose.extract import Ignored
from orthanc_dose.samples import image_ct, image_nuclear
from orthanc_dose.samples.image_parts import nested
from tests.support.images import event, marks, read, together

# --- nuclear medicine ---


@pytest.mark.parametrize("kind", ["ge-pet", "siemens-pet", "ge-nm", "siemens-nm"])
def test_activity_is_in_megabecquerel_whatever_the_image_writes(kind: str) -> None:
    found = read(samples.nuclear_images(kind)[0])
    assert (found.modality, found.source) == ("NM", "image header")
    assert found.events[0]["administered_activity"] == pytest.approx(
        221.6 if kind.endswith("pet") else 612.5
    )
    assert found.events[0]["datetime_started"] is not None


def test_two_agents_are_two_administrations_and_their_activities_are_not_added_blindly() -> None:
    agents = (image_nuclear.MIBI_REST, image_nuclear.MIBI_STRESS)
    (record,) = together(samples.nuclear_images("ge-nm", administrations=agents)[:1])
    assert [row["administered_activity"] for row in record.events] == [
        pytest.approx(287),
        pytest.approx(861),
    ]


@pytest.mark.parametrize(
    ("odd", "why"),
    [("zero-activity", "zero"), ("activity-is-text", "no_number"),
     ("two-activities", "several_values")],
)  # fmt: skip
def test_an_activity_that_cannot_be_right_is_not_used(odd: str, why: str) -> None:
    for kind in ("ge-pet", "ge-nm"):
        row = read(samples.nuclear_images(kind, odd=odd)[0]).events[0]
        assert row.get("administered_activity") is None
        assert marks(row, "administered_activity") == {why}


def test_series_that_contradict_each_other_leave_the_activity_open() -> None:
    datasets = samples.nuclear_study("ge-pet", activities=(221.6, 219.4), slices=1)
    (record,) = together(datasets)
    (row,) = record.events
    assert row["administered_activity"] is None
    assert "several_values" in marks(row, "administered_activity")


def test_a_contradiction_stays_one_whatever_comes_after_it() -> None:
    datasets = samples.nuclear_study("ge-pet", activities=(221.6, 219.4, 221.6), slices=1)
    (record,) = together(datasets)
    assert record.events[0]["administered_activity"] is None, (
        "half a percent, and no third series settles it"
    )


def test_images_of_one_event_with_different_doses_leave_the_dose_open() -> None:
    study = samples.Study(instance_uid=samples.uid("contradiction"))
    uid = samples.uid("one event")
    same = {"study": study, "event_uid": uid}
    images = [
        samples.radiography_image(
            **same, key=f"image {number}", ImageAndFluoroscopyAreaDoseProduct=dap
        )
        for number, dap in enumerate(("0.41", "0.52", "0.41"))
    ]
    (record,) = together(images)
    (row,) = record.events
    assert row["dap"] is None and "several_values" in marks(row, "dap")
    assert record.study.get("dap_total") is None


@pytest.mark.parametrize("moments", ["both", "TM", "DT"])
def test_the_start_stands_as_a_time_or_as_a_moment(moments: str) -> None:
    (whole,) = samples.nuclear_images("ge-pet", slices=1)
    written = replace(image_nuclear.Administration(), moments=moments)
    (made,) = samples.nuclear_images("ge-pet", slices=1, administrations=(written,))
    assert event(made)["datetime_started"] == event(whole)["datetime_started"]


def test_pet_images_without_an_administration_are_left_alone() -> None:
    for options in ({"administrations": ()}, {"sequence": False}):
        with pytest.raises(Ignored, match="names no administered"):
            read(samples.nuclear_images("ge-pet", **options)[0])


def test_an_administration_counts_once_though_the_report_comes_from_another_system() -> None:
    study = samples.Study(instance_uid=samples.uid("administered"))
    (image,) = samples.nuclear_images("ge-pet", slices=1, study=study)
    (row,) = read(image).events
    report = samples.radiopharmaceutical_report(vendor="spectrum", study=study)
    found = read(report)
    assert found.equipment != read(image).equipment
    found.events[0] |= {
        name: row[name] for name in ("radionuclide", "datetime_started", "administered_activity")
    }
    parts = [Part("report", found), Part("image", read(image))]
    (record,) = put_together(parts)
    assert record.source == "report" and record.study["number_of_events"] == 1
    found.events[0]["datetime_started"] += timedelta(hours=3)
    assert len(put_together(parts)) == 2, "another injection"


def pet_series(number: int, method: str | None, **attributes: object) -> Dataset:
    """The only image of a PET series: administered at 08:21, acquired 5 min after the one before."""
    (image,) = samples.nuclear_images(
        "siemens-pet",
        slices=1,
        series=number,
        key="pet series",
        study=samples.Study(
            instance_uid=samples.uid("pet series"), started=datetime(2025, 3, 14, 9, 20, 11)
        ),
        ReconstructionMethod=method,
        NumberOfSlices=100 + number,
        **attributes,
    )
    return image


def window(lower: str, upper: str) -> Dataset:
    return nested(EnergyWindowLowerLimit=lower, EnergyWindowUpperLimit=upper)


def test_two_reconstructions_are_two_series_of_one_administration_in_any_order() -> None:
    windows = [window("435", "650")]
    images = [
        pet_series(1, "PSF+TOF 3i21s", EnergyWindowRangeSequence=windows),
        pet_series(2, "OSEM 2i24s", EnergyWindowRangeSequence=windows),
        pet_series(3, None),
    ]
    for order in permutations(images):
        (record,) = together(list(order))
        (row,) = record.events
        assert [one["series_instance_uid"] for one in row["image_series"]] == [
            str(image.SeriesInstanceUID) for image in images
        ]
        assert [one.get("reconstruction_method") for one in row["image_series"]] == [
            "PSF+TOF 3i21s",
            "OSEM 2i24s",
            None,
        ]
        assert [one["number_of_slices"] for one in row["image_series"]] == [101, 102, 103]
        assert [one["series_started"].strftime("%H%M%S") for one in row["image_series"]] == [
            "092511",
            "093011",
            "093511",
        ]
        assert [
            (one.get("energy_window_lower_limit"), one.get("energy_window_upper_limit"))
            for one in row["image_series"]
        ] == [(435, 650), (435, 650), (None, None)]
        assert not {"(0054,0013)", "(0054,0081)", "(0054,1103)"} & {
            one["concept"] for one in record.study["not_used"]
        }


def test_series_are_listed_beside_a_report_as_well() -> None:
    images = [pet_series(1, "PSF"), pet_series(2, "OSEM")]
    (row,) = read(images[0]).events
    report = read(samples.radiopharmaceutical_report(vendor="spectrum"))
    report.events[0] |= {
        name: row[name] for name in ("radionuclide", "datetime_started", "administered_activity")
    }
    parts = [Part("report", report), *(Part(str(n), read(one)) for n, one in enumerate(images))]
    for order in permutations(parts):
        (record,) = put_together(list(order))
        assert record.source == "report"
        methods = [one["reconstruction_method"] for one in record.events[0]["image_series"]]
        assert methods == ["PSF", "OSEM"]


def test_several_energy_windows_of_an_nm_image_are_in_a_mark() -> None:
    windows = [window("126", "154"), window("171", "189")]
    for sequence, found in ((windows[:1], (126, 154)), (windows, (None, None))):
        (image,) = samples.nuclear_images(
            "ge-nm",
            slices=1,
            EnergyWindowInformationSequence=[
                nested(EnergyWindowRangeSequence=[one]) for one in sequence
            ],
        )
        row = event(image)
        (series,) = row["image_series"]
        limits = ("energy_window_lower_limit", "energy_window_upper_limit")
        assert tuple(series[name] for name in limits) == found
        raw = [
            one["raw"] for one in row.get("marks") or () if one["field"].startswith("image_series")
        ]
        assert raw == ([] if found[0] else ["126-154 | 171-189"] * 2)


# --- computed tomography ---


def slices(kind: str, **options: object) -> Record:
    (record,) = together(samples.ct_images(kind, **options))
    return record


@pytest.mark.parametrize("kind", ["standard", "siemens", "ge", "toshiba"])
@pytest.mark.parametrize("event_uid", [True, False])
def test_ct_images_give_ctdivol_averaged_over_the_slices_and_their_length(
    kind: str, event_uid: bool
) -> None:
    series = (image_ct.LOCALIZER, image_ct.THORAX)
    record = slices(kind, series=series, event_uid=event_uid)
    rows = [
        row
        for row in record.events
        if (row.get("ct_acquisition_type") or {}).get("value") != "113805"
    ]
    assert record.source == "computed" and len(rows) == 1
    assert rows[0]["mean_ctdivol"] == pytest.approx(image_ct.THORAX.mean_ctdi)
    assert rows[0]["scanning_length"] == pytest.approx(image_ct.THORAX.length)
    assert rows[0].get("dlp") == (pytest.approx(47.2) if kind == "toshiba" else None)
    assert "derived" in {entry["mark"] for entry in record.study["marks"]}


@pytest.mark.parametrize("options", [{"private_raw": True}, {"private_block": 0x11}])
def test_toshibas_private_block_is_found_wherever_it_was_moved(options: dict) -> None:
    record = slices("toshiba", series=(image_ct.ABDOMEN,), **options)
    assert record.events[0]["mean_ctdivol"] == pytest.approx(9.8)
    assert record.study["dlp_total"] == pytest.approx(71.5)


def test_two_reconstructions_of_one_acquisition_count_once() -> None:
    (record,) = together(samples.ct_images("siemens", series=samples.two_reconstructions()))
    assert record.study["number_of_events"] == 2


@pytest.mark.parametrize("kind", ["ge-old", "toshiba"])
def test_pitch_and_collimation_stand_in_private_elements(kind: str) -> None:
    (row,) = slices(kind, series=(image_ct.THORAX,)).events
    made = image_ct.THORAX
    assert (
        row["pitch_factor"],
        row["nominal_single_collimation_width"],
        row["nominal_total_collimation_width"],
    ) == (made.pitch, made.single_collimation, made.total_collimation)


def test_no_dlp_is_made_up_where_the_images_give_none() -> None:
    assert slices("siemens", series=(image_ct.ABDOMEN,)).study.get("dlp_total") is None


# --- Philips Dose Info ---


@pytest.mark.parametrize("options", [
    {}, {"kind": "ict"}, {"block": 0x11}, {"times": "given"}, {"times": "missing"}, {"image_type": "DOSE-INFO"},
    {"private": False}, {"sequence": False},
])  # fmt: skip
def test_dose_info_gives_events_and_total_wherever_the_private_block_stands(options: dict) -> None:
    (record,) = together([samples.philips_dose_info(**options)])
    rounded = "sequence" in options or "private" in options  # the comment's figures alone
    assert record.study["dlp_total"] == pytest.approx(444.675, abs=0.06 if rounded else 1e-9)
    dlps = [row["dlp"] for row in record.events if row.get("dlp") is not None]
    assert dlps == [pytest.approx(196.05, abs=0.06), pytest.approx(248.625, abs=0.06)]
    assert all(row["source"] == "image header" for row in record.events)


COMMENTS = [
    "EVENT=3 DLP=12.5\r\nEVENT=4 DLP=100\r\nTotal DLP=112.5",
    "Series #2 HEAD CTDIvol=40 DLP=600",
]


@pytest.mark.parametrize("comment", COMMENTS)
def test_a_comment_alone_gives_events_marked_so(comment: str) -> None:
    found = read(
        samples.philips_dose_info(sequence=False, private=False, comment=comment, total=None)
    )
    dlps = [
        float(part.split("DLP=")[1])
        for part in comment.splitlines()
        if not part.startswith("Total")
    ]
    assert [row["dlp"] for row in found.events] == dlps
    assert all(marks(row, "dlp") == {"from_comment"} for row in found.events)


def test_a_dose_screen_that_is_made_again_after_more_scans_replaces_the_first() -> None:
    study = samples.Study(instance_uid=samples.uid("again"))
    whole = samples.philips_dose_info(study=study, key="later")
    rows = len(read(whole).events)
    first = samples.philips_dose_info(study=study, key="first")
    first.ExposureDoseSequence = first.ExposureDoseSequence[: rows - 1]
    whole.ContentTime = "235900"
    for order in ([first, whole], [whole, first]):
        (record,) = together(order)
        assert record.study["number_of_events"] == rows
        assert record.study["dlp_total"] == pytest.approx(444.675)
    same = samples.philips_dose_info(study=study, key="copy")
    (record,) = together([whole, same])
    assert record.study["dlp_total"] == pytest.approx(444.675)

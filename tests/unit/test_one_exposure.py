"""Each exposure, and each administration, counts once, in however many images it is written; two
that are two stay two. Expected values follow from what is written into the headers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from pydicom.dataset import Dataset

from orthanc_dose import samples
from orthanc_dose.assemble import Record
from orthanc_dose.assemble.exposures import agree
from orthanc_dose.samples import image_nuclear
from orthanc_dose.samples.codes import Concept
from tests.support.images import marks, together


def pair(kind: str = "radiography", **raw: object) -> list[Dataset]:
    """An exposure for processing and for presentation; `raw`: how the first differs."""
    make = {"radiography": samples.radiography_image, "mammography": samples.mammography_image}
    same = {"event_uid": False, "key": "pair", "study": study("pair")}
    return [
        make[kind](intent="processing", **(same | raw)),
        make[kind](intent="presentation", **same),
    ]


def study(name: str) -> samples.Study:
    return samples.Study(instance_uid=samples.uid(name), started=datetime(2025, 3, 14, 9, 20, 11))


def count(datasets: list[Dataset]) -> Record:
    """The only record of a study, whatever the order of its objects."""
    (record,) = together(datasets)
    (other,) = together(datasets[::-1])
    assert record.study == other.study and record.events == other.events
    return record


ONE = {
    "as it is": {},
    "a dose with more digits": {"ImageAndFluoroscopyAreaDoseProduct": "0.4123"},
    "a dose whose digits were cut": {"ImageAndFluoroscopyAreaDoseProduct": "0.419"},
    "no dose": {"ImageAndFluoroscopyAreaDoseProduct": None},
    "no exposure": {"Exposure": None, "ExposureInuAs": None},
    "exposure in whole mA.s": {"ExposureInuAs": None, "Exposure": "10"},
    "exposure with digits": {"ExposureInuAs": "10420", "Exposure": "10"},
    "no kV": {"KVP": None},
    "kV with digits": {"KVP": "80.6"},
    "no side": {"ImageLaterality": None},
    "no view": {"ViewPosition": None, "ViewCodeSequence": None},
    "view as a word": {"ViewPosition": "AP", "ViewCodeSequence": None},
    "another protocol": {"ProtocolName": "Abdomen AP RAW"},
    "no protocol": {"ProtocolName": None},
    "a fraction of a second": {"AcquisitionTime": "092111.950"},
    "no time": {"AcquisitionTime": None, "AcquisitionDate": None, "ContentTime": "113000"},
    "no intent": {"PresentationIntentType": None},
    "an event UID": {"event_uid": "1.2.3.4"},
    "no serial number": {"DeviceSerialNumber": None},
    "no station": {"StationName": None},
}


@pytest.mark.parametrize("name", ONE)
def test_a_pair_is_one_exposure_though_its_images_differ(name: str) -> None:
    datasets = pair(**ONE[name])
    record = count(datasets)
    assert record.study["number_of_events"] == 1
    # 0.41 dGy.cm2 is 4.1e-6 Gy.m2; of two that agree, the one with more digits counts.
    written = ONE[name].get("ImageAndFluoroscopyAreaDoseProduct") or "0.41"
    assert record.study["dap_total"] == pytest.approx(float(str(written)) * 1e-5, rel=1e-9)
    assert record.events[0]["acquisition_protocol"] == datasets[1].ProtocolName
    assert sorted(record.events[0]["acquired_images"]) == sorted(
        str(ds.SOPInstanceUID) for ds in datasets
    )
    assert sorted(one.outcome for one in record.outcomes.values()) == ["duplicate", "imported"]
    assert not marks(record.events[0], "dap")


TWO = {
    "another dose": {"ImageAndFluoroscopyAreaDoseProduct": "0.46"},
    "another voltage": {"KVP": "85"},
    "another exposure": {"ExposureInuAs": "12500", "Exposure": "13"},
    "another view": {"ViewPosition": "PA", "ViewCodeSequence": None, "BodyPartExamined": "CHEST"},
    "two seconds later": {"AcquisitionTime": "092113"},
}


@pytest.mark.parametrize("name", TWO)
def test_images_that_contradict_each_other_are_two_exposures(name: str) -> None:
    datasets = pair(**TWO[name])
    if name == "another view":
        datasets[1].ViewCodeSequence = None
    assert count(datasets).study["number_of_events"] == 2


@pytest.mark.parametrize("intent", ["processing", "presentation"])
def test_two_exposures_of_one_intent_in_one_second_stay_two(intent: str) -> None:
    same = {"intent": intent, "event_uid": False, "study": study("two")}
    datasets = [
        samples.radiography_image(
            key=f"two|{dap}", ImageAndFluoroscopyAreaDoseProduct=dap, AcquisitionTime=when, **same
        )
        for dap, when in (("0.41", "092111.2"), ("0.412", "092111.7"))
    ]
    record = count(datasets)
    assert record.study["number_of_events"] == 2
    assert record.study["dap_total"] == pytest.approx(8.22e-6)


def test_two_pairs_in_one_second_are_two_exposures_each_with_its_own_images() -> None:
    datasets = []
    for name, raw, shown in (("a", "0.4123", "0.41"), ("b", "0.4141", "0.414")):
        for intent, dap in (("processing", raw), ("presentation", shown)):
            datasets.append(
                samples.radiography_image(
                    intent=intent,
                    event_uid=False,
                    study=study("two pairs"),
                    key=f"two pairs|{name}",
                    ImageAndFluoroscopyAreaDoseProduct=dap,
                )
            )
    record = count(datasets)
    assert sorted(row["dap"] for row in record.events) == pytest.approx([4.123e-6, 4.141e-6])
    of_a = {str(ds.SOPInstanceUID) for ds in datasets[:2]}
    assert of_a in [set(row["acquired_images"]) for row in record.events]


def test_a_mammogram_counts_once_though_one_of_its_times_has_a_fraction() -> None:
    record = count(pair("mammography", AcquisitionTime="092111.250"))
    assert record.study["number_of_events"] == 1 and record.study["agd_left"] == 1.36


def test_the_volume_of_a_sweep_and_its_projections_count_once_though_they_round() -> None:
    datasets = samples.hologic_combo(volume=True)
    volume = datasets[-1].XRay3DAcquisitionSequence[0]
    assert float(volume.OrganDose) == 0.0158
    volume.OrganDose = "0.016"
    record = count(datasets)
    assert record.study["number_of_events"] == 2
    assert record.study["agd_right"] == pytest.approx(1.21 + 1.58)


def test_an_image_computed_from_one_other_shows_the_same_exposure_at_whatever_time() -> None:
    first, _ = pair()
    again = [
        samples.radiography_image(
            intent="presentation",
            event_uid=False,
            study=study("pair"),
            key=f"again|{number}",
            number=30 + number,
            SourceImageSequence=samples.sources([first]),
        )
        for number in (1, 2)
    ]
    assert count([first, *again]).study["number_of_events"] == 1
    del again[0].SourceImageSequence
    assert count([first, *again]).study["number_of_events"] == 2


def test_images_of_a_pair_that_a_report_lacks_are_one_exposure() -> None:
    same, system = study("beside"), samples.System()
    report = samples.radiography_report(2, study=same, system=system)
    later = {"acquired": same.started + timedelta(hours=3), "event_uid": False, "system": system}
    images = [
        samples.radiography_image(
            intent=intent, study=same, ImageAndFluoroscopyAreaDoseProduct=dap, **later
        )
        for intent, dap in (("processing", "0.4123"), ("presentation", "0.41"))
    ]
    record = count([report, *images])
    (told,) = [m for m in record.study["marks"] if m["mark"] == "images_without_event"]
    assert told["raw"] == "1"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (0.4123, 0.41, True), (4.123e-6, 4.1e-6, True), (0.41, 0.43, False), (0.4, 0.4123, True),
        (0.4, 0.46, False), (1.36, 1.4, True), (221.6, 222, True), (221.6, 219.4, False), (400, 440, False),
    ],
)  # fmt: skip
def test_numbers_agree_within_the_digits_written(one: float, other: float, same: bool) -> None:
    assert agree("dap", one, other) is agree("dap", other, one) is same


# --- images computed from those of several exposures ---


@pytest.mark.parametrize(
    "options",
    [{}, {"named": False}, {"image_type": ""}, {"named": False, "image_type": "COMPOSED"}],
)
def test_a_stitched_image_is_no_exposure(options: dict) -> None:
    datasets = samples.stitched_leg(**options)
    record = count(datasets)
    assert record.study["number_of_events"] == 3
    assert record.study["dap_total"] == pytest.approx(9e-5)
    assert {"field": "number_of_events", "mark": "derived_images", "raw": "1"} in record.study[
        "marks"
    ]
    outcome = record.outcomes[str(datasets[-1].SOPInstanceUID)]
    assert (outcome.outcome, outcome.rule) == ("merged", "derived_image")


def test_derived_alone_is_no_criterion() -> None:
    *exposures, last = samples.stitched_leg(named=False, image_type="")
    assert last.ImageType == ["DERIVED", "PRIMARY"]
    assert count([*exposures, last]).study["number_of_events"] == 4


def test_the_volume_of_a_sweep_alone_is_an_exposure() -> None:
    record = count([samples.mammography_image("hologic-dbt")])
    assert record.study["number_of_events"] == 1
    assert not marks(record.events[0], "acquired_images")


@pytest.mark.parametrize("image_type", ["GENERATED_2D", ""])
def test_a_view_computed_from_tomosynthesis_is_no_exposure(image_type: str) -> None:
    record = count(samples.synthesized_view(image_type=image_type))
    assert record.study["number_of_events"] == 1 and record.study["agd_right"] == 1.58


@pytest.mark.parametrize("named", [True, False])
def test_a_recombined_mammogram_is_no_exposure(named: bool) -> None:
    record = count(samples.contrast_mammogram(named=named))
    assert record.study["number_of_events"] == 2
    assert record.study["agd_left"] == pytest.approx(1.36 + 0.44)


def test_a_stitched_image_from_a_workstation_makes_no_study_of_its_own() -> None:
    datasets = samples.stitched_leg(named=False)
    datasets[-1].StationName, datasets[-1].DeviceSerialNumber = "WORKSTATION", "W-1"
    assert count(datasets).study["dap_total"] == pytest.approx(9e-5)


def test_an_image_whose_exposures_are_not_in_the_study_stands_for_them_once() -> None:
    whole = samples.stitched_leg()[-1]
    again = samples.stitched_leg(key="leg again")[-1]
    again.StudyInstanceUID, again.StudyDate = whole.StudyInstanceUID, whole.StudyDate
    again.SourceImageSequence = whole.SourceImageSequence
    record = count([whole, again])
    assert record.study["number_of_events"] == 1
    assert record.study["dap_total"] == pytest.approx(9e-5)
    assert marks(record.events[0], "acquired_images") == {"derived_image"}


def test_a_synthesized_view_of_the_other_breast_stands_for_its_own_sweep() -> None:
    sweep, view = samples.synthesized_view()
    view.ImageLaterality = "L"
    record = count([sweep, view])
    assert (record.study["agd_right"], record.study["agd_left"]) == (1.58, 1.64)


def test_a_stitched_image_beside_a_report_is_not_told_as_an_exposure_that_it_lacks() -> None:
    same, system = study("report and stitched"), samples.System()
    report = samples.radiography_report(3, study=same, system=system)
    image = samples.radiography_image(
        study=same,
        system=system,
        event_uid=False,
        acquired=same.started + timedelta(hours=1),
        ImageType=["DERIVED", "PRIMARY", "", "STITCHED"],
    )
    record = count([report, image])
    told = {m["mark"] for m in record.study["marks"] if m["field"] == "number_of_events"}
    assert told == {"derived_images"} and record.study["number_of_events"] == 3


# --- nuclear medicine ---

FDG = image_nuclear.Administration(started=datetime(2025, 3, 14, 8, 21), stopped=None)
RUBIDIUM = Concept("79197006", "^82^Rubidium", "SCT", "C-159A2")


def series(*given: image_nuclear.Administration, kind: str = "ge-pet", **more: object) -> Record:
    """The record of series of one study, one image each, all acquired an hour after the start."""
    datasets = [
        samples.nuclear_images(
            kind,
            1,
            administrations=[one],
            series=number,
            key="series",
            study=study("series"),
            **more,
        )[0]
        for number, one in enumerate(given, 1)
    ]
    return count(datasets)


def after(minutes: float, **other: object) -> image_nuclear.Administration:
    return replace(FDG, started=FDG.started + timedelta(minutes=minutes), **other)


@pytest.mark.parametrize(
    "second",
    [
        after(0.05),
        after(-0.05),
        after(3),
        after(12),
        replace(FDG, started=None),
        after(3, activity=None),
        replace(FDG, agent=None, agent_text="FDG"),
        replace(FDG, nuclide=None, half_life=None),
        replace(FDG, activity=222),
    ],
)
def test_two_series_name_one_administration(second: image_nuclear.Administration) -> None:
    record = series(FDG, second)
    assert record.study["number_of_events"] == 1
    assert record.study["administered_activity_total"] == 221.6


def test_an_activity_corrected_between_two_series_is_one_contradicted_administration() -> None:
    record = series(FDG, after(3, activity=215.0))
    (row,) = record.events
    assert row["administered_activity"] is None and row["datetime_started"] is None
    assert marks(row, "administered_activity") == {"several_values"}
    assert marks(row, "datetime_started") >= {"several_values"}
    assert record.study.get("administered_activity_total") is None


@pytest.mark.parametrize(
    "second",
    [
        after(40),
        after(10, activity=120),
        after(3, agent=None, agent_text="Choline"),
        replace(image_nuclear.GALLIUM_DOTATATE, started=FDG.started),
    ],
)
def test_two_injections_stay_two(second: image_nuclear.Administration) -> None:
    record = series(FDG if second.agent else replace(FDG, agent=None), second)
    assert record.study["number_of_events"] == 2


def test_rest_and_stress_with_a_short_lived_nuclide_are_two() -> None:
    rest = replace(
        FDG, nuclide=RUBIDIUM, agent=None, agent_text="Rb-82", half_life=76.4, activity=1110
    )
    stress = replace(rest, started=rest.started + timedelta(minutes=10))
    assert series(rest, stress).study["administered_activity_total"] == 2220
    corrected = replace(rest, started=rest.started + timedelta(seconds=4))
    assert series(rest, corrected).study["administered_activity_total"] == 1110


def test_rest_and_stress_of_one_image_are_two_and_other_series_add_nothing() -> None:
    both = [image_nuclear.MIBI_REST, image_nuclear.MIBI_STRESS]
    datasets = [
        samples.nuclear_images(
            "ge-nm", 1, administrations=given, series=number, key="heart", study=study("heart")
        )[0]
        for number, given in enumerate(
            (both, [replace(one, started=None) for one in both], both[:1], both[1:]), 1
        )
    ]
    record = count(datasets)
    assert [row["administered_activity"] for row in record.events] == [287, 861]


def test_an_injection_after_the_first_series_was_acquired_is_another_one() -> None:
    # The first series is acquired five minutes after the start of the study, at 09:25:11.
    first = replace(FDG, started=datetime(2025, 3, 14, 9, 20))
    second = replace(first, started=datetime(2025, 3, 14, 9, 28))
    assert series(first, second).study["number_of_events"] == 2


def test_one_administration_counts_once_though_two_systems_show_it() -> None:
    datasets = [
        samples.nuclear_images(
            kind, 1, administrations=[FDG], key=kind, study=study("two systems")
        )[0]
        for kind in ("ge-pet", "siemens-pet")
    ]
    assert count(datasets).study["administered_activity_total"] == 221.6

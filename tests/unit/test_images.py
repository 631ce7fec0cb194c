"""Headers of radiographs and mammograms to records, and beside a report, against the facts that the
makers write (read back from the objects by their own tests)."""

from datetime import timedelta

import pytest

from orthanc_dose import samples
from orthanc_dose.assemble import Part, put_together
from orthanc_dose.extract import Ignored
from orthanc_dose.samples.image_mammography import MAMMOGRAPHY
from orthanc_dose.samples.image_radiography import FILTER_SPELLINGS, ODDITIES
from orthanc_dose.samples.image_radiography_systems import RADIOGRAPHY
from tests.support.images import event, marks, read, together

RADIOGRAPHS = {kind: system.exposure for kind, system in RADIOGRAPHY.items()}
MAMMOGRAMS = {kind: system.exposure for kind, system in MAMMOGRAPHY.items()}


# --- radiography ---


NUMBERS = {
    "kvp": "kvp", "xray_tube_current": "current", "exposure_time": "time", "exposure": "exposure", "dap": "dap",
    "distance_source_to_detector": "source_to_detector", "distance_source_to_patient": "source_to_patient",
    "focal_spot_size": "focal_spot", "exposure_index": "exposure_index", "target_exposure_index": "target_index",
    "deviation_index": "deviation", "relative_xray_exposure": "relative_exposure", "entrance_dose": "entrance_dose",
}  # fmt: skip


@pytest.mark.parametrize("kind", RADIOGRAPHS)
def test_every_number_of_a_radiograph_is_in_its_record(kind: str) -> None:
    made, row = RADIOGRAPHS[kind], event(samples.radiography_image(kind))
    for name, attribute in NUMBERS.items():
        expected = getattr(made, attribute)
        assert row.get(name) == (None if expected is None else pytest.approx(expected, rel=1e-6)), (
            name
        )
    filters = [
        (one["material"], one["thickness_minimum"], one["thickness_maximum"])
        for one in row.get("xray_filters") or ()
    ]
    assert [low for _, low, _ in filters] == [layer.minimum for layer in made.filters or ()]
    assert [high for _, _, high in filters] == [layer.maximum for layer in made.filters or ()]


@pytest.mark.parametrize("kind", RADIOGRAPHS)
def test_a_radiograph_belongs_to_radiography_and_says_its_source(kind: str) -> None:
    found = read(samples.radiography_image(kind))
    assert (found.modality, found.source) == ("DX", "image header")
    assert found.study["study_date"] is not None and found.events[0]["acquired_images"]


def test_decimetres_of_the_dr_7500_are_converted_and_marked() -> None:
    row = event(samples.radiography_image("kodak-dr7500"))
    assert row["distance_source_to_detector"] == 1150
    assert marks(row, "distance_source_to_detector") == {"unit_of_maker"}
    assert "minimum_above_maximum" in marks(row, "xray_filters")
    assert marks(row, "datetime_started") == {"other_date"}


@pytest.mark.parametrize("name", FILTER_SPELLINGS)
def test_filters_in_all_their_spellings(name: str) -> None:
    _, expected = FILTER_SPELLINGS[name]
    row = event(samples.radiography_image("standard", filters=name))
    found = row.get("xray_filters") or []
    if expected is None:
        known = [
            one
            for one in found
            if one["thickness_minimum"] is not None and (one["material"] or {}).get("value")
        ]
        assert not known
        return
    told = [
        ((one["material"] or {}).get("meaning"), one["thickness_minimum"], one["thickness_maximum"])
        for one in found
        if one["material"] is not None
    ]
    assert [(low, high) for _, low, high in told] == [
        (layer.minimum, layer.maximum) for layer in expected
    ]
    assert all(word for word, _, _ in told)


@pytest.mark.parametrize(
    ("odd", "name", "value", "why"),
    [
        ("zero-dap", "dap", None, "zero"),
        ("dap-is-text", "dap", None, "no_number"),
        ("dap-is-nan", "dap", None, "no_number"),
        ("decimal-comma", None, None, None),
        ("two-kvp", "kvp", None, "several_values"),
        ("decimals-in-is", "exposure_time", 161.3, None),
        ("decimals-in-is", "exposure", 40196, None),
        ("time-in-us", "exposure_time", RADIOGRAPHS["standard"].time, None),
        ("current-in-ua", "xray_tube_current", RADIOGRAPHS["standard"].current, None),
        ("exposure-as-fd", "exposure", RADIOGRAPHS["standard"].exposure, None),
        ("exposure-in-uas-only", "exposure", RADIOGRAPHS["standard"].exposure, None),
        ("exposure-in-mas-only", "exposure", RADIOGRAPHS["standard"].exposure, None),
        ("no-acquisition-date", "datetime_started", ..., "other_date"),
        ("empty-acquisition-date", "datetime_started", ..., "other_date"),
        ("study-date-only", "datetime_started", ..., "other_date"),
        ("no-dates-nor-times", "datetime_started", None, None),
        ("laterality-u", "laterality", None, None),
    ],
)
def test_what_headers_get_wrong_is_marked_and_never_guessed(
    odd: str, name: str | None, value: object, why: str | None
) -> None:
    row = event(samples.radiography_image("standard", odd=odd))
    if name is None:
        assert not any(isinstance(value, float) and value != value for value in row.values())
        return
    if value is ...:
        assert row[name] is not None
    else:
        assert row.get(name) == (pytest.approx(value) if isinstance(value, float | int) else value)
    assert marks(row, name) == ({why} if why else set())


@pytest.mark.parametrize("odd", ODDITIES)
def test_no_oddity_of_a_header_is_an_exception_or_a_made_up_number(odd: str) -> None:
    for kind in ("standard", "drgem"):
        try:
            row = event(samples.radiography_image(kind, odd=odd))
        except Ignored:
            continue
        made = RADIOGRAPHS[kind]
        for name, attribute in NUMBERS.items():
            if row.get(name) is not None and not marks(row, name):
                # The last ones stand in oddities that fix the value.
                sayings = [getattr(made, attribute), 161.3, 40196.0, 81.0, 69.63999938964844]
                assert any(
                    said is not None and row[name] == pytest.approx(said, rel=1e-6)
                    for said in sayings
                ), name


@pytest.mark.parametrize(
    ("kind", "name"),
    [("fuji", "S"), ("konica", "S"), ("carestream-drx", "EI"), ("kodak-dr7500", "EI"), ("agfa", "lgM"), ("canon", "REX"),
     ("swissray", "DI"), ("philips-didi", "EI"), ("siemens-multix", "EXI"), ("standard", None)],
)  # fmt: skip
def test_the_makers_exposure_indicator_has_the_makers_name(kind: str, name: str | None) -> None:
    row = event(samples.radiography_image(kind))
    assert row.get("exposure_indicator") == name
    assert row.get("relative_xray_exposure") == RADIOGRAPHS[kind].relative_exposure


def test_the_protocol_of_the_tfd_stands_in_the_image_comments() -> None:
    dataset = samples.radiography_image("toshiba-tfd")
    assert event(dataset)["acquisition_protocol"] == str(dataset.ImageComments)


def test_an_entrance_dose_in_whole_decigrays_is_marked_as_rough() -> None:
    row = event(samples.mammography_image("standard", EntranceDoseInmGy=None, EntranceDose=1))
    assert row["entrance_dose"] == 100 and marks(row, "entrance_dose") == {"rounded"}


def test_an_image_without_anything_on_dose_is_left_alone() -> None:
    with pytest.raises(Ignored, match="contains no data on dose") as caught:
        read(
            samples.radiography_image(
                "fuji-cr", RelativeXRayExposure=None, KVP=None, Sensitivity=None, odd="no-dose"
            )
        )
    assert caught.value.rule == "no_dose"


@pytest.mark.parametrize("event_uid", [True, False])
def test_for_processing_and_for_presentation_of_one_exposure_count_once(event_uid: bool) -> None:
    (record,) = together(list(samples.radiography_pair("standard", event_uid=event_uid)))
    assert record.study["number_of_events"] == 1
    assert record.study["dap_total"] == pytest.approx(RADIOGRAPHS["standard"].dap)
    assert sorted(outcome.outcome for outcome in record.outcomes.values()) == [
        "duplicate",
        "imported",
    ]
    assert len(record.events[0]["acquired_images"]) == 2


def test_exposures_of_one_study_add_up() -> None:
    datasets = list(samples.radiography_study("siemens-fluorospot", exposures=3))
    (record,) = together(datasets)
    base = RADIOGRAPHS["siemens-fluorospot"].dap
    assert record.study["number_of_events"] == 3
    assert record.study["dap_total"] == pytest.approx(base * (1 + 2 + 3))
    assert {"field": "dap_total", "mark": "computed", "raw": None} in record.study["marks"]


def test_a_total_is_not_formed_where_an_exposure_lacks_its_dap() -> None:
    first, second = samples.radiography_study("standard", exposures=2)
    del second.ImageAndFluoroscopyAreaDoseProduct
    (record,) = together([first, second])
    assert record.study.get("dap_total") is None
    assert "incomplete" in {
        entry["mark"] for entry in record.study["marks"] if entry["field"] == "dap_total"
    }


# --- mammography ---


@pytest.mark.parametrize("kind", MAMMOGRAMS)
def test_every_number_of_a_mammogram_is_in_its_record(kind: str) -> None:
    made, found = MAMMOGRAMS[kind], read(samples.mammography_image(kind))
    (row,) = found.events
    assert found.modality == "MG"
    for name, attribute in (
        ("kvp", "kvp"),
        ("xray_tube_current", "current"),
        ("exposure_time", "time"),
        ("exposure", "exposure"),
        ("average_glandular_dose", "agd"),
        ("entrance_dose", "entrance_dose"),
        ("compression_thickness", "thickness"),
        ("percent_fibroglandular_tissue", "glandularity"),
        ("patient_equivalent_thickness", "radiological_thickness"),
        ("focal_spot_size", "focal_spot"),
    ):
        expected = getattr(made, attribute)
        assert row.get(name) == (None if expected is None else pytest.approx(expected, rel=1e-6)), (
            name
        )
    assert row["laterality"]["value"] == {"L": "7771000", "R": "24028007"}[made.laterality]
    assert row["anode_target_material"]["meaning"].upper() == made.target


@pytest.mark.parametrize(
    ("written", "newtons", "why"),
    [
        (50, 50, "unit_in_doubt"),  # as the real header at hand has it
        (300, 300, "unit_in_doubt"),  # IEC 60601-2-45: the most by hand
        (890, 89, "unit_of_maker"),
        (3500, None, "impossible"),
        (-5, None, "impossible"),
    ],
)
def test_the_force_of_the_senographe_ds_in_newtons_or_tenths_of_them(
    written: float, newtons: float | None, why: str
) -> None:
    row = event(samples.mammography_image("ge-ds", CompressionForce=str(written)))
    assert row.get("compression_force") == newtons
    assert marks(row, "compression_force") == {why}
    (raw,) = [one["raw"] for one in row["marks"] if one["field"] == "compression_force"]
    assert f"{written:g} N" in raw and f"{written:g}" in raw
    other = event(samples.mammography_image("ge-essential", CompressionForce=str(written)))
    assert not marks(other, "compression_force") & {"unit_in_doubt", "unit_of_maker"}


@pytest.mark.parametrize("scheme", ["SCT", "SRT", "SNM3"])
def test_the_view_is_the_same_in_every_scheme(scheme: str) -> None:
    row = event(samples.mammography_image("standard", scheme=scheme))
    assert row["image_view"]["scheme"] == "SCT"


def test_views_of_both_breasts_add_up_by_side() -> None:
    (record,) = together(list(samples.screening("hologic-dimensions")))
    agd = MAMMOGRAMS["hologic-dimensions"].agd
    assert record.study["number_of_events"] == 4
    assert record.study["agd_right"] == pytest.approx(agd * (1 + 1.1), rel=1e-3)
    assert record.study["agd_left"] == pytest.approx(agd * (1.05 + 1.15), rel=1e-3)


@pytest.mark.parametrize("volume", [False, True])
def test_a_2d_image_and_tomosynthesis_of_the_same_moment_are_two_irradiations(volume: bool) -> None:
    (record,) = together(list(samples.hologic_combo(volume=volume)))
    assert record.study["number_of_events"] == 2
    sides = [
        record.study.get(name)
        for name in ("agd_left", "agd_right")
        if record.study.get(name) is not None
    ]
    assert sides == [pytest.approx(1.21 + 1.58)]


@pytest.mark.parametrize("unknown_vrs", ["implicit", "explicit"])
def test_elements_that_lost_their_vr_are_read_all_the_same(unknown_vrs: str) -> None:
    row = event(samples.mammography_image("hologic-tomo", unknown_vrs=unknown_vrs))
    assert row["average_glandular_dose"] == pytest.approx(MAMMOGRAMS["hologic-tomo"].agd)


# --- beside a report ---


def test_a_report_counts_and_what_only_the_image_says_is_kept_beside_it() -> None:
    study = samples.Study(instance_uid=samples.uid("beside"))
    system = samples.System()
    report = samples.radiography_report(2, study=study, system=system, seed=4)
    found = read(report)
    uid = found.events[0]["irradiation_event_uid"]
    image = samples.radiography_image("standard", study=study, system=system, event_uid=uid)
    for order in ([report, image], [image, report]):
        (record,) = together(order)
        assert record.source == "report" and record.study["number_of_events"] == 2
        assert record.study["dap_total"] == pytest.approx(
            put_together([Part("1", found)])[0].study["dap_total"]
        )
        (row,) = [row for row in record.events if row["irradiation_event_uid"] == uid]
        assert row["entrance_dose"] == pytest.approx(RADIOGRAPHS["standard"].entrance_dose)
        assert "from_image" in {entry["mark"] for entry in row["marks"]}
        outcome = record.outcomes[str(image.SOPInstanceUID)]
        assert (outcome.outcome, outcome.rule) == ("merged", "report_wins")


def test_an_exposure_that_the_report_does_not_hold_is_said_and_not_counted() -> None:
    study = samples.Study(instance_uid=samples.uid("beside"))
    system = samples.System()
    report = samples.radiography_report(2, study=study, system=system, seed=4)
    acquired = study.started + timedelta(hours=3)
    image = samples.radiography_image("standard", study=study, system=system, acquired=acquired)
    (record,) = together([report, image])
    assert record.study["number_of_events"] == 2
    assert {
        "field": "number_of_events",
        "mark": "images_without_event",
        "raw": "1",
    } in record.study["marks"]

"""Content of dose reports that makers define themselves: Siemens, Philips."""

import pytest

from orthanc_dose.dicom.dataset import Unreadable
from orthanc_dose.extract import Extract
from orthanc_dose.samples import codes as c
from orthanc_dose.samples import (
    ct_report,
    radiation_summary,
    report_of_events,
    siemens_comment,
    siemens_positions,
    xper_report,
)
from orthanc_dose.samples import values as v
from orthanc_dose.samples.codes import Concept
from orthanc_dose.samples.ct import default_events
from orthanc_dose.samples.document import Study
from orthanc_dose.samples.projection import ProjectionEvent
from orthanc_dose.samples.sr import num, text
from tests.support.corpus import FOLDER
from tests.support.reports import events, marks, read, record, unused

# --- Siemens Arcadis: totals alone ---


def test_siemens_arcadis_radiation_summary_is_a_fluoroscopy_study_of_totals_alone() -> None:
    found = record(radiation_summary(exposures=3, seconds=84, dap=1.25))
    assert (found.modality, found.events) == ("RF", [])
    study, (row,) = found.study, found.accumulated
    # 1.25 Gy.cm^2 = 1.25e-4 Gy.m2
    assert (study["dap_total"], study["total_fluoro_time"], row["total_number_of_exposures"]) == (
        1.25e-4,
        84,
        3,
    )
    assert study["dose_rp_total"] is None and marks(row, "dose_rp_total") == ["empty"]
    assert study["start_of_irradiation"] == Study().started < study["end_of_irradiation"]
    assert found.equipment["manufacturer_model_name"] == "ARCADIS Varic"
    assert record(radiation_summary(kerma=0.012)).study["dose_rp_total"] == 0.012


def test_siemens_arcadis_radiation_summary_without_a_value_fails_with_the_reason() -> None:
    with pytest.raises(Unreadable, match="neither fluoroscopy time nor dose area product"):
        read(radiation_summary(exposures=None, seconds=None, dap=None))


# --- Siemens: XML in comments ---


def commented(comment: str, study_comment: str = "", count: int = 3) -> Extract:
    extra = [text(c.COMMENT, study_comment)] if study_comment else []
    return read(
        report_of_events(
            events(count, comment=comment), key="xml", system="siemens-xa", extra=extra
        )
    )


def test_siemens_comment_gives_field_diameter_and_patient_position() -> None:
    found = commented(siemens_comment(220), siemens_positions(("HFS", "14-Mar-25 09:20:00")))
    assert all(
        (row["intensifier_size"], row["patient_position"]) == (220, "HFS") for row in found.events
    )
    assert found.events[0]["comment"].startswith("<FluoroData>")
    assert all(
        row["patient_position"] == "FFP" for row in commented(siemens_comment(160, "FFP")).events
    )


def test_siemens_patient_that_was_turned_has_the_position_of_each_event() -> None:
    begun = Study().started
    made = events(3, comment=siemens_comment())
    for minutes, event in enumerate(made):
        event.started = begun.replace(minute=30 + 10 * minutes)
    turned = siemens_positions(("HFS", "14-Mar-25 09:35:00"), ("HFP", "14-Mar-25 09:45:00"))
    rows = read(
        report_of_events(made, key="turned", system="siemens-xa", extra=[text(c.COMMENT, turned)])
    ).events
    assert [row.get("patient_position") for row in rows] == [None, "HFS", "HFP"]
    unknown = siemens_positions(("HFS", "soon"), ("HFP", "14-Mar-25 09:45:00"))
    for row in commented("", unknown).events:
        assert row.get("patient_position") is None and marks(row, "patient_position") == [
            "several_values"
        ]


@pytest.mark.parametrize(
    ("diameter", "why"),
    [("8.66", "no_unit"), ("2200", "no_unit"), ("wide", "no_number"), ("nan", "no_number")],
)
def test_siemens_field_diameter_that_can_be_none_in_mm_is_kept_as_written(
    diameter: str, why: str
) -> None:
    row = commented(siemens_comment(diameter)).events[0]
    assert row.get("intensifier_size") is None
    assert {"field": "intensifier_size", "mark": why, "raw": diameter} in row["marks"]


_BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(
        f'<!ENTITY {new} "{10 * f"&{old};"}">'
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]><x>&i;</x>"
)


@pytest.mark.parametrize("comment", [
    _BOMB, '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]><FluoroData><iiDiameter '
'SRData="220"/>&f;</FluoroData>',
    '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><FluoroData/>', '<FluoroData><iiDiameter '
'SRData="220"', "<", "<<>>",
    "a < b", "<a>" * 50_000, "<a>" * 20_000 + "</a>" * 20_000, "<x>" + "y" * 300_000 + "</x>",
    '<?xml version="1.0" encoding="utf-16"?><x/>', '<?xml version="1.0" encoding="nonsense"?><x/>',
    '<FluoroData><PatientPosition><Position SRData="UPSIDE '
'DOWN"/></PatientPosition></FluoroData>', "<x>\x01</x>",
])  # fmt: skip
def test_hostile_or_broken_xml_in_a_comment_stays_text(comment: str) -> None:
    for found in (commented(comment, count=1), commented("", comment, count=1)):
        row = found.events[0]
        assert row.get("intensifier_size") is None and row.get("patient_position") is None
        assert (row.get("comment") or found.study.get("comment")) == comment


def test_siemens_ct_modulation_stands_in_the_comment_where_its_item_is_missing() -> None:
    made = default_events(2, 1, Study().started, "modulation")
    for event, own in zip(made, (None, "Z_EC"), strict=True):
        event.modulation = own
        event.comment = (
            "Scan parameters: Body Size = Adult, X-ray Modulation Type = XYZ_EC, Sn Filter = no"
        )
    rows = read(ct_report(made, vendor="siemens-ct")).events
    assert [row["xray_modulation_type"] for row in rows] == ["XYZ_EC", "Z_EC"]
    assert [marks(row, "xray_modulation_type") for row in rows] == [["private_item"], []]
    assert read(ct_report(made, vendor="ge-ct")).events[0].get("xray_modulation_type") is None


# --- Philips: own items, geometry that is written when it changed ---


def test_philips_xper_items_have_their_fields() -> None:
    found = read(xper_report())
    row = found.events[0]
    expected = {
        "shutter_bottom": 100, "shutter_left": 80, "shutter_right": 90, "shutter_top": 110, "wedge_1_distance": 174,
        "wedge_2_angle": 10, "beam_angle": 2, "table_height_position": 905, "table_height_end_position": 910,
        "table_head_tilt_end_angle": 4, "table_cradle_tilt_end_angle": 3, "detector_field_x": 380, "detector_field_y": 300,
        "object_thickness": 140.5, "fluoro_flavour": "Low 7.5", "application": "Abdomen", "subimages_per_frame": 1,
    }  # fmt: skip
    assert {name: row.get(name) for name in expected} == expected
    assert row["number_of_frames"] == row["number_of_pulses"]
    assert found.accumulated[0]["height_of_system"] == 1065 and not found.unused
    # (100 + 110) mm at 1 m, on a detector at 1000 mm.
    assert (row["collimated_field_height"], row["collimated_field_width"]) == (210, 170)
    assert marks(row, "collimated_field_area") == ["computed"]


def test_philips_distance_of_the_detector_holds_until_it_changes() -> None:
    rows = read(
        xper_report(distances=(1000, None, 1100, None, None), finals=(None, None, 1150, None, None))
    ).events
    assert [row["distance_source_to_detector"] for row in rows] == [1000, 1000, 1100, 1150, 1150]
    assert [marks(row, "distance_source_to_detector") for row in rows] == [
        [],
        ["carried"],
        [],
        ["carried"],
        ["carried"],
    ]


def test_philips_geometry_is_carried_within_a_plane_and_never_from_a_later_event() -> None:
    rows = read(
        xper_report(
            distances=(None, 1000, None, None), finals=(None,) * 4, planes=(v.PLANE_A, v.PLANE_B)
        )
    ).events
    assert [row.get("distance_source_to_detector") for row in rows] == [None, 1000, None, 1000]


def test_philips_geometry_follows_the_time_and_not_the_place_in_the_report() -> None:
    def turn(made: list[ProjectionEvent]) -> None:
        made[0].started, made[1].started = made[1].started, made[0].started

    rows = read(xper_report(distances=(None, 1000), finals=(None, None), change=turn)).events
    assert [row["distance_source_to_detector"] for row in rows] == [1000, 1000]


def test_other_makers_geometry_is_not_carried() -> None:
    made = events(2)
    made[1].source_detector = None
    assert (
        read(report_of_events(made, key="other", system="siemens-xa"))
        .events[1]
        .get("distance_source_to_detector")
        is None
    )


def test_philips_number_of_frames_stands_for_missing_pulses() -> None:
    frames = num(Concept("003", "Number of Frames", "99PHI-IXR-XPER"), 33, ucum="1")
    made = report_of_events(
        events(1, pulses=None, exposure_time=None, pulse_width=5.0),
        key="f",
        system="philips-xa",
        own=lambda *_: [frames],
    )
    row = read(made).events[0]
    assert (row["number_of_pulses"], row["exposure_time"]) == (33, 165)
    assert marks(row, "number_of_pulses") == ["private_item"] and marks(row, "exposure_time") == [
        "computed"
    ]


@pytest.mark.parametrize("start", [-120.0, -45.0])
def test_philips_rotational_run_without_an_end_angle_gets_none(start: float) -> None:
    # Others take +120 and +135 degrees for it. A run can stop anywhere, and the report does not say
    # where: left open.
    def rotate(made: list[ProjectionEvent]) -> None:
        for event in made:
            event.type, event.primary_angle, event.primary_end_angle = v.ROTATIONAL, start, None

    row = read(xper_report(change=rotate)).events[0]
    assert (
        row["positioner_primary_angle"] == start and row.get("positioner_primary_end_angle") is None
    )


@pytest.mark.skipif(not FOLDER.is_dir(), reason="real objects are not beside the repository")
def test_real_reports_of_philips_and_siemens_angiography() -> None:
    allura = read((FOLDER / "RF-RDSR-Philips_Allura.dcm").read_bytes())
    assert [row["exposure_time"] for row in allura.events] == pytest.approx(
        [397.471, 543.969, 679.159], abs=1e-3
    )
    assert {row["table_height_position"] for row in allura.events} == {905}
    assert set(unused(allura)) == {"99PHI-IXR-XPER:027"}, "an empty name of a physician"
    zee = read((FOLDER / "RF-RDSR-Siemens-Zee.dcm").read_bytes())
    assert {(row["intensifier_size"], row["patient_position"]) for row in zee.events} == {
        (220, "HFS")
    }

"""Skin dose of studies: makers' conventions worked out on paper, invariances, and that every object of
corpus and samples gets a state with its reason.

The fixed case: the isocentre is 50 cm from the table's head end and 15 cm above its surface, the table 2 cm to
the patient's left, the patient 5 cm from the head end on 4 cm of pad, 178.6 cm and 73.2 kg (trunk and legs
155 cm, head 24 cm; the back is 9.87 cm behind the middle of the body).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from math import radians, sqrt, tan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_dose import extract, samples
from orthanc_dose import skindose as skin
from orthanc_dose.assemble import Part, put_together
from orthanc_dose.dicom import part10
from orthanc_dose.dicom.dataset import Unreadable, first
from orthanc_dose.extract import Ignored
from orthanc_dose.skindose.geometry import table_rotation
from orthanc_dose.skindose.irradiation import irradiate
from orthanc_dose.skindose.phantom import cuboid
from tests.support.corpus import FOLDER, OBJECTS
from tests.support.skin import PLAIN, bare, code, event, kerma

HEIGHT, MASS = 178.6, 73.2
VERTEX, BACK, FLAT, RADIUS = 179.0, 9.8676065, 7.0, 9.8676065  # cm, of the cuboid (C22)
HFS_CODES = {
    "patient_orientation": code("102538003", "SCT"),
    "patient_orientation_modifier": code("40199007", "SCT"),
    "patient_table_relationship": code("102540008", "SCT"),
}

# What each maker writes for the fixed case (skin_dose.json, vendor_profiles): columns of the event, and of the
# accumulated dose.
PA_BY_MAKER: dict[str, tuple[dict[str, str], dict[str, float], dict[str, float]]] = {
    "Siemens": (
        {"manufacturer": "Siemens", "manufacturer_model_name": "AXIOM-Artis"},
        {
            "table_longitudinal_position": 20.0,
            "table_lateral_position": 500.0,
            "table_height_position": 150.0,
        },
        {},
    ),
    "Philips Allura": (  # 3 mm beside; 1675 mm is where the head end is at the isocentre; 915 above the floor
        {"manufacturer": "Philips Medical Systems", "manufacturer_model_name": "Allura Xper"},
        {
            "table_longitudinal_position": 23.0,
            "table_lateral_position": 2175.0,
            "longitudinal_beam_position": 1675.0,
            "table_height_position": 915.0,
        },
        {"height_of_system": 1065.0},
    ),
    "Philips Azurion": (  # axes exchanged; the longitudinal position falls as the table moves to the head
        {"manufacturer": "Philips", "manufacturer_model_name": "Azurion"},
        {
            "table_lateral_position": 20.0,
            "table_longitudinal_position": 500.0,
            "longitudinal_beam_position": 1000.0,
            "table_height_position": 935.0 - 20.0,
        },
        {"height_of_system": 1065.0},
    ),
    "Canon": (
        {"manufacturer": "CANON_MEC", "manufacturer_model_name": "DFP-8000D"},
        {
            "table_longitudinal_position": 20.0,
            "table_lateral_position": 500.0,
            "table_height_position": 150.0,
        },
        {},
    ),
    "Toshiba": (
        {"manufacturer": "TOSHIBA_MEC", "manufacturer_model_name": "INFX-8000V"},
        {
            "table_longitudinal_position": 20.0,
            "table_lateral_position": 500.0,
            "table_height_position": 150.0,
        },
        {},
    ),
    "GE": (  # axes exchanged
        {"manufacturer": "GE MEDICAL SYSTEMS", "manufacturer_model_name": "Innova IGS 5"},
        {
            "table_lateral_position": 20.0,
            "table_longitudinal_position": 500.0,
            "table_height_position": 150.0,
        },
        {},
    ),
}


def entrance(x: float, y: float, slope: float) -> tuple[float, float]:
    """Return where a ray from (x, y) that goes down by 1 and to the right by `slope` leaves the section
    of the trunk: through its flat back, else through the half circle of the right side."""
    back = BACK - y
    if x - slope * back >= -FLAT:
        return x - slope * back, BACK
    # (x + FLAT - slope t)^2 + (y + t)^2 = RADIUS^2
    a, b = 1 + slope**2, 2 * (y - slope * (x + FLAT))
    c = (x + FLAT) ** 2 + y**2 - RADIUS**2
    t = (-b + sqrt(b * b - 4 * a * c)) / (2 * a)
    return x - slope * t, y + t


# The isocentre is 11 cm above the back, 2 cm to the right of the middle, 45 cm from the vertex.
ABOVE_BACK, ASIDE, FROM_VERTEX = 11.0, -2.0, 45.0
CASES: dict[str, tuple[dict[str, Any], tuple[float, float, float]]] = {
    "PA": ({}, (ASIDE, BACK, VERTEX - FROM_VERTEX)),
    "LAO 45": (
        {"positioner_primary_angle": 45.0},
        (*entrance(ASIDE, BACK - ABOVE_BACK, 1.0), VERTEX - FROM_VERTEX),
    ),
    "cranial 30": (
        {"positioner_secondary_angle": 30.0},
        (ASIDE, BACK, VERTEX - FROM_VERTEX - ABOVE_BACK * tan(radians(30))),
    ),
    # The feet are at the head end: 45 cm from the isocentre; what is 2 cm to the right of the table's middle
    # is to the patient's left.
    "feet first": (
        {**HFS_CODES, "patient_table_relationship": code("102541007", "SCT")},
        (-ASIDE, BACK, FROM_VERTEX),
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("maker", PA_BY_MAKER)
def test_the_beam_meets_the_skin_where_paper_says(maker: str, case: str) -> None:
    equipment, position, totals = PA_BY_MAKER[maker]
    more, expected = CASES[case]
    profile = skin.profile_for(equipment)
    assert profile is not None
    # A pencil of 1 cm2 at the reference point.
    row = event(dap=1e-4, **{**HFS_CODES, **position, **more})
    found = skin.calculate([row], [totals], skin.Patient(HEIGHT, MASS), profile)
    assert found.state == "calculated" and found.phantom is not None and found.dose is not None
    assert found.dap_share == pytest.approx(1.0, rel=0.02)
    weight = found.dose * found.phantom.area
    place = (found.phantom.centre * weight).sum(1) / weight.sum()
    assert place == pytest.approx(expected, abs=0.3)
    assert found.phantom.parts[found.phantom.part[found.peak.cell]] in (
        ("posterior", "right") if case == "LAO 45" else ("posterior",)
    )  # fmt: skip


def angled(*angles: tuple[float, float]) -> list[dict[str, Any]]:
    return [
        event(
            event_number=number,
            dose_rp=0.1 * number,
            dap=0.1 * number * 0.008,
            positioner_primary_angle=primary,
            positioner_secondary_angle=secondary,
            table_height_position=150.0,
            table_lateral_position=500.0,
        )
        for number, (primary, secondary) in enumerate(angles, 1)
    ]


EVENTS = angled((0, 0), (30, 20), (-45, -15), (90, 0))


def dose_of(*events: dict[str, Any]) -> np.ndarray[Any, Any]:
    found = skin.calculate(events, [], skin.Patient(), PLAIN)
    assert found.dose is not None
    return found.dose


def test_the_order_of_events_does_not_matter() -> None:
    whole = dose_of(*EVENTS)
    for order in list(permutations(EVENTS))[::7]:
        assert dose_of(*order) == pytest.approx(whole, rel=1e-12)


@given(st.floats(0.01, 0.99), st.integers(0, 3))
def test_splitting_an_event_does_not_matter(share: float, which: int) -> None:
    one = EVENTS[which]
    parts = [
        {**one, "dose_rp": one["dose_rp"] * part, "dap": one["dap"] * part}
        for part in (share, 1 - share)
    ]
    rest = [row for row in EVENTS if row is not one]
    assert dose_of(*rest, *parts) == pytest.approx(dose_of(*EVENTS), rel=1e-9)


@given(st.floats(-60, 60), st.floats(-30, 30), st.floats(-30, 30))
def test_turning_patient_and_beam_together_does_not_matter(a: float, b: float, c: float) -> None:
    beams, phantom = bare(*EVENTS), cuboid().placed("HFS", 4.0, (0.0, 0.0, 5.0))
    turn = table_rotation(a, b, c)
    turned = replace(
        beams,
        **{name: getattr(beams, name) @ turn.T for name in ("focus", "direction", "across", "along")},
    )  # fmt: skip
    around = replace(
        phantom,
        **{name: turn @ getattr(phantom, name) for name in ("centre", "normal", "half_a", "half_b")},
    )  # fmt: skip
    assert kerma(around, turned) == pytest.approx(kerma(phantom, beams), rel=1e-6, abs=1e-9)


def test_tilting_the_table_with_the_beam_leaves_the_skin_alone() -> None:
    """Head up by 20 degrees, and the detector 20 degrees more caudal: the same beam for the table."""
    flat = event(table_height_position=150.0, table_lateral_position=500.0, dap=0.008)
    tilted = {**flat, "table_head_tilt_angle": 20.0, "positioner_secondary_angle": -20.0}
    around = skin.Settings(transmission=1.0)
    maps = [skin.calculate([row], [], skin.Patient(), PLAIN, around) for row in (flat, tilted)]
    assert maps[0].dose is not None and maps[1].dose is not None and maps[0].phantom is not None
    where = [
        (one.phantom.centre * one.dose).sum(1) / one.dose.sum()
        for one in maps
        if one.phantom is not None and one.dose is not None
    ]
    # The table turns about the point of its surface 15 cm under the isocentre. A plane that rises to the
    # head is nearest to the isocentre uphill of that point, by 15 sin 20 cm.
    assert where[1][2] - where[0][2] == pytest.approx(15 * np.sin(radians(20)), abs=0.3)
    assert "table_tilted" in maps[1].used[0].notes


def test_events_are_told_by_the_cells_that_they_hit() -> None:
    found = skin.calculate(EVENTS, [], skin.Patient(), PLAIN)
    assert found.dose is not None
    total = np.zeros_like(found.dose)
    hits = skin.of_events(found, EVENTS, [], PLAIN, skin.Settings())
    for _, hit in hits:
        total[hit.cells] += hit.dose
    assert total == pytest.approx(found.dose, rel=1e-12)
    assert {number for number, _ in hits} == {1, 2, 3, 4}


def records_of(raw: bytes) -> list[Any]:
    kept = extract.keep(part10.read_any(raw))
    found = extract.extract_object(kept, first(kept.dataset, "0008,0016") or "")
    if found.modality is None or found.rejects is not None:
        return []
    return list(put_together([Part(first(kept.dataset, "0008,0018") or "", found)]))


def skin_dose_of(record: Any, settings: skin.Settings | None = None) -> skin.SkinDose:
    size, mass = record.study.get("patient_size"), record.study.get("patient_weight")
    return skin.calculate(
        record.events,
        record.accumulated,
        skin.Patient(size * 100 if size else None, mass),
        skin.profile_for(record.equipment),
        settings,
    )


@pytest.mark.skipif(not FOLDER.is_dir(), reason="the corpus is not beside the repository")
def test_siemens_zee_against_the_monte_carlo_calculation() -> None:
    """OpenREM's picture says 1.54 mGy, for the same phantom."""
    (record,) = records_of((FOLDER / "RF-RDSR-Siemens-Zee.dcm").read_bytes())
    found = skin_dose_of(record)
    assert found.psd == pytest.approx(1.54e-3, rel=0.10)
    assert found.dap_share == pytest.approx(1.0, abs=0.01)
    assert (found.inputs["height_cm"].origin, found.inputs["position"].origin) == ("assumed", "reported")  # fmt: skip


@pytest.mark.parametrize("path", OBJECTS, ids=lambda path: path.stem)
def test_every_object_of_the_corpus_has_a_state(path: Path) -> None:
    try:
        records = records_of(path.read_bytes())
    except (Ignored, Unreadable):
        return
    for record in records:
        holds(skin_dose_of(record))


@pytest.mark.parametrize("name", sorted(samples.VENDORS))
def test_every_maker_of_the_samples_has_a_state(name: str) -> None:
    for make in (samples.fluoroscopy_report, samples.radiography_report):
        made = make(4, vendor=samples.VENDORS[name])
        for record in records_of(samples.part10(made)):
            holds(skin_dose_of(record))


def holds(found: skin.SkinDose) -> None:
    assert found.state in ("calculated", "upper_bound", "not_calculated")
    assert (found.reason is None) == (found.state == "calculated")
    assert (found.psd is None) == (found.state == "not_calculated")
    if found.psd is not None:
        assert 0 < found.psd < 100


NUMBERS = st.one_of(
    st.none(), st.floats(-1e4, 1e4), st.sampled_from([0.0, float("nan"), float("inf")])
)
NAMES = """
    dose_rp dap kvp positioner_primary_angle positioner_secondary_angle positioner_primary_end_angle
    positioner_secondary_end_angle distance_source_to_isocenter distance_source_to_reference_point
    distance_source_to_detector collimated_field_area table_longitudinal_position table_lateral_position
    table_height_position table_lateral_end_position table_head_tilt_angle longitudinal_beam_position
    shutter_left
""".split()
ROW = st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, NUMBERS))


@given(st.lists(ROW, max_size=3), st.booleans())
def test_no_row_is_an_exception(rows: list[dict[str, Any]], complete: bool) -> None:
    events = [{**event(), **row} if complete else row for row in rows]
    for profile in (*skin.shipped(), PLAIN, None):
        found = skin.calculate(events, [], skin.Patient(0, 0), profile)
        assert found.state in ("calculated", "upper_bound", "not_calculated")
        assert found.psd is None or np.isfinite(found.psd)


def test_planes_are_told_apart_and_their_sum_has_a_peak_of_its_own() -> None:
    a, b = EVENTS[0], EVENTS[3]
    rows = [
        {**a, "acquisition_plane": code("113620")},
        {**b, "acquisition_plane": code("113621")},
    ]
    found = skin.calculate(rows, [], skin.Patient(), PLAIN)
    assert set(found.peaks) == set(found.planes) == {"A", "B"}
    assert found.dose == pytest.approx(found.planes["A"] + found.planes["B"])
    assert found.psd == pytest.approx(max(one.dose for one in found.peaks.values()))
    # Both at the same place: the peak of the sum is the sum of the peaks.
    rows[1] = {**a, "acquisition_plane": code("113621")}
    found = skin.calculate(rows, [], skin.Patient(), PLAIN)
    assert found.psd == pytest.approx(sum(one.dose for one in found.peaks.values()))


def test_upper_bound_of_a_mobile_c_arm() -> None:
    """No point can have had more than the kerma at 20 cm from the focus, with the backscatter of the widest
    field: at 80 kV and 3.1 mm Al, table 3 of Benmakhlouf 2011 has 1.402 and 1.022 for 35 cm."""
    row = {
        "event_number": 1,
        "dose_rp": 0.01,
        "dap": 2e-4,
        "kvp": 80.0,
        "distance_source_to_reference_point": 700.0,
    }
    profile = skin.profile_for(
        {"manufacturer": "GE Healthcare Surgery", "manufacturer_model_name": "OEC Elite"}
    )
    assert profile is not None
    found = skin.calculate([row], [], skin.Patient(), profile)
    assert (found.state, found.reason) == ("upper_bound", "no_geometry")
    assert found.psd == pytest.approx(0.01 * 3.5**2 * 1.402 * 1.022, rel=0.01)


def test_a_little_that_cannot_be_placed_is_left_out_and_much_of_it_makes_a_bound() -> None:
    lost = {**EVENTS[0], "event_number": 9, "positioner_primary_angle": None}
    little = skin.calculate([*EVENTS, {**lost, "dose_rp": 0.02, "dap": 0.0002}], [], skin.Patient(), PLAIN)  # fmt: skip
    assert little.state == "calculated"
    assert [(one.number, one.reason) for one in little.left_out] == [(9, "no_angles")]
    much = skin.calculate([*EVENTS, {**lost, "dose_rp": 2.0}], [], skin.Patient(), PLAIN)
    assert (much.state, much.reason) == ("upper_bound", "no_angles")
    assert much.psd is not None and much.peak is not None and much.left_out[0].bound is not None
    assert much.psd == pytest.approx(much.peak.dose + much.left_out[0].bound)
    unplaced = skin.calculate([*EVENTS, {**lost, "dose_rp": 0.0}], [], skin.Patient(), PLAIN)
    assert unplaced.left_out[0].reason in ("no_kerma", "no_field", "no_angles")


def test_a_pose_takes_a_share_of_a_rotation() -> None:
    start = {**EVENTS[0], "positioner_primary_angle": -30.0}
    turned = {**start, "positioner_primary_end_angle": 30.0}
    assert len(bare(turned)) == 60
    assert bare(turned).kerma.sum() == pytest.approx(0.1)
    hits = list(irradiate(cuboid().placed("HFS", 4.0, (0.0, 0.0, 5.0)), bare(turned), None))
    assert len(hits) == 60

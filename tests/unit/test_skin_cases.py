"""Skin dose against cases whose values follow in closed form (skin_dose_cases.py of the reference, each
checked there by brute force). Peaks within 0.5 %, areas within one row of cells."""

from __future__ import annotations

from dataclasses import replace
from math import hypot, radians
from typing import Any

import numpy as np
import pytest

from orthanc_dose.skindose import physics
from orthanc_dose.skindose.exposures import exposure
from orthanc_dose.skindose.geometry import patient_rotation
from orthanc_dose.skindose.irradiation import Table
from orthanc_dose.skindose.phantom import cuboid, cuboid_size
from orthanc_dose.skindose.results import peak_of
from tests.support.skin import (
    PLAIN,
    bare,
    box,
    code,
    cylinder,
    event,
    flux,
    kerma,
    plane,
    shape,
    sphere,
)

PEAK = 5e-3
DSI, DREF = 78.5, 63.5
FLUX = (
    99.3844479990395  # Gy cm2: 63.5^2 times the solid angle of a pyramid of 10 x 10 cm at 63.5 cm
)


def angled(primary: float, secondary: float, **more: Any) -> dict[str, Any]:
    return event(positioner_primary_angle=primary, positioner_secondary_angle=secondary, **more)


def centre_of(phantom: Any, dose: np.ndarray[Any, Any]) -> tuple[float, float, float]:
    """The middle of what is exposed, each cell as often as it counts."""
    exposed = phantom.area * (dose > 0)
    x, y, z = (phantom.centre * exposed).sum(-1) / exposed.sum()
    return float(x), float(y), float(z)


def test_c1_at_the_reference_point() -> None:
    skin = plane(15, 8, 0.5)
    dose = kerma(skin, bare(event()))
    assert dose.max() == pytest.approx(1.0, rel=PEAK)
    assert float(skin.area[dose > 0].sum()) == pytest.approx(100.0, abs=4 * 10 * 0.5)


def test_c2_inverse_square() -> None:
    skin = plane(20, 8, 0.2)
    dose = kerma(skin, bare(event()))
    assert dose.max() == pytest.approx((63.5 / 58.5) ** 2, rel=PEAK)
    assert flux(skin, bare(event())) == pytest.approx(FLUX, rel=1e-3)
    side = 10 * 58.5 / 63.5
    full = skin.area[dose > 1.1].sum()
    assert full == pytest.approx(side**2, abs=4 * side * 0.2)
    inner = (np.abs(skin.centre[0]) < 4.5) & (np.abs(skin.centre[2]) < 4.5)
    corner = DREF**2 / (58.5**2 + 2 * 4.5**2)
    assert dose[inner].min() == pytest.approx(corner, rel=2e-3)


def test_c3_from_above_there_is_no_table_in_the_way() -> None:
    beams = replace(bare(angled(180, 0)), transmission=np.array([0.8]))
    dose = kerma(plane(-20, 8, 0.5), beams, Table())
    assert dose.max() == pytest.approx(1.1782453064504346, rel=PEAK)


@pytest.mark.parametrize(
    ("primary", "secondary", "y", "hit", "on_axis", "peak", "area"),
    [
        (30, 0, 15, (-8.660254, 0.0), 1.0772976651823691, 1.1699451404077148, 107.62931955781407),
        (0, 20, 15, (0.0, -5.4595535), 1.0310238996125216, 1.0841612558640235, 103.38538590527611),
        (30, 20, 15, (-8.6602540, -6.3041494), 1.117538639684053, 1.2802993381181456, 110.65601207965923),
        (-45, -15, 20, (20.0, 7.5787476), 1.6645624630447446, 1.997079276, 89.2188915308464),
    ],
    ids=["C4 LAO 30", "C5 CRA 20", "C6 LAO 30 CRA 20", "C7 RAO 45 CAU 15"],
)  # fmt: skip
def test_c4_to_c7_oblique(
    primary: float,
    secondary: float,
    y: float,
    hit: tuple[float, float],
    on_axis: float,
    peak: float,
    area: float,
) -> None:
    beams = bare(angled(primary, secondary))
    skin = plane(y, 12, 0.1, x=round(hit[0]), z=round(hit[1]))
    dose = kerma(skin, beams)
    away = np.hypot(skin.centre[0] - hit[0], skin.centre[2] - hit[1])
    assert dose[away.argmin()] == pytest.approx(on_axis, rel=PEAK)
    assert dose.max() == pytest.approx(peak, rel=PEAK)
    # Half of what is partly in the field, at a perimeter of about 42 cm in cells of 0.1 cm.
    assert float(skin.area[dose > 0].sum()) == pytest.approx(area, abs=42 * 0.1)
    axis = beams.focus[0] + beams.direction[0] * (y - beams.focus[0][1]) / beams.direction[0][1]
    assert (axis[0], axis[2]) == pytest.approx(hit, abs=1e-6)


def test_c8_two_fields_overlap_after_the_table_moved() -> None:
    skin = plane(15, 14, 0.5)
    dose = kerma(skin, bare(event(), event(table_longitudinal_position=40.0)))
    assert dose.max() == pytest.approx(1.9980179622174048, rel=PEAK)
    assert float(skin.area[dose > 1.5].sum()) == pytest.approx(60.0, abs=32 * 0.5)
    assert float(skin.area[dose > 0].sum()) == pytest.approx(140.0, abs=48 * 0.5)
    second = kerma(skin, bare(event(table_longitudinal_position=40.0)))
    assert centre_of(skin, second)[0] == pytest.approx(-4.0, abs=0.01)


def test_c9_fields_beside_each_other_do_not_add() -> None:
    skin = plane(15, 20, 0.5)
    dose = kerma(skin, bare(event(), event(table_longitudinal_position=105.0)))
    assert dose.max() == pytest.approx(1.0, rel=PEAK)
    assert float(skin.area[dose > 0].sum()) == pytest.approx(200.0, abs=80 * 0.5)


def test_c10_rotation_about_a_cylinder() -> None:
    skin = cylinder(12, 6, 1.0)
    dose = kerma(skin, bare(angled(-100, 0, positioner_primary_end_angle=100.0)))
    below = (np.abs(np.arctan2(skin.centre[0], skin.centre[1])) < radians(40)) & (
        np.abs(skin.centre[2]) < 2
    )
    assert dose[below].mean() == pytest.approx(0.23717863957551388, rel=PEAK)
    # The grid of angles shows: at 1 degree a point is off by up to 1.7 %, a cell by less.
    assert dose[below] == pytest.approx(0.23717863957551388, rel=0.01)


def test_c11_on_a_cylinder() -> None:
    skin = cylinder(12, 8, 0.25)
    dose = kerma(skin, bare(event()))
    assert dose.max() == pytest.approx(0.9118095991859347, rel=PEAK)
    exposed = skin.centre[:, dose > 0]
    turn = np.degrees(np.arctan2(np.abs(exposed[0]), exposed[1])).max()
    assert turn == pytest.approx(26.395220436225227, abs=np.degrees(0.25 / 12))
    assert float(skin.area[dose > 0].sum()) == pytest.approx(116.5187887342855, abs=44 * 0.25)


@pytest.mark.parametrize("primary", [0, 30, -77, 135, 180])
@pytest.mark.parametrize("secondary", [0, 25, -35])
def test_c12_flux_through_closed_surfaces(primary: float, secondary: float) -> None:
    beams = bare(angled(primary, secondary))
    for skin in (cylinder(12, 25, 1.0), sphere(18, 60), box(20, 15, 30, 1.0)):
        assert flux(skin, beams) == pytest.approx(FLUX, rel=0.01)


@pytest.mark.parametrize("position", ["HFS", "HFP", "FFS", "HFDL"])
@pytest.mark.parametrize("size", [(178.6, 73.2), (110.0, 20.0), (165.0, 140.0)])
def test_c12_flux_through_the_cuboid(position: str, size: tuple[float, float]) -> None:
    skin = cuboid(*size).placed(position, 4.0, (0.0, 0.0, 5.0))
    at = {
        "table_lateral_position": 0.45 * size[0] * 10,
        # The isocentre in the middle of the body.
        "table_height_position": -5 * float(skin.centre[1].max() + skin.centre[1].min()),
    }
    for primary, secondary in ((0, 0), (30, 20), (-90, 0), (180, -30), (115, 25)):
        beams = bare(angled(primary, secondary, dap=0.004, **at))
        assert flux(skin, beams) == pytest.approx(float(beams.flux[0]), rel=0.01)


@pytest.mark.parametrize(
    ("primary", "secondary", "expected"),
    [
        (0, 0, 0.8),
        (30, 0, 0.7728548840761208),
        (30, 20, 0.7601798119251493),
        (60, 0, 0.64),
        (90, 0, 1.0),
        (180, 0, 1.0),
    ],
)
def test_c13_table_and_pad(primary: float, secondary: float, expected: float) -> None:
    # A small cell at the isocentre, 10 cm above the table, facing the tube.
    beams = bare(
        angled(primary, secondary, table_height_position=100.0, table_lateral_position=500.0)
    )
    across, along, at = beams.across[0], beams.along[0], np.array([0.0, -10.0, -50.0])
    corners = np.array([[at + 0.05 * (u * across + v * along) for u in (-1, 1)] for v in (-1, 1)])
    inside = at + beams.direction[0]
    skin = shape(corners, (float(inside[0]), float(inside[1]), float(inside[2])))
    beams = replace(beams, transmission=np.array([0.8]))
    factor = kerma(skin, beams, Table())[0] / kerma(skin, beams)[0]
    assert factor == pytest.approx(expected, rel=1e-4)


def test_c14_corrections_are_multiplied() -> None:
    made = bare(event())
    scatter = np.array([[1.438, 0, 0, 0, 0]])
    given = replace(
        made, scatter=scatter, correction=np.array([1.037]), transmission=np.array([0.8])
    )
    # At the reference point, on the table.
    beams = bare(event(table_height_position=150.01, table_lateral_position=500.0))
    given = replace(given, focus=beams.focus)
    skin = replace(plane(15, 1, 0.2), centre=plane(15, 1, 0.2).centre - [[0], [15.01], [50]])
    assert kerma(skin, given, Table()).max() == pytest.approx(1.1929648, rel=1e-3)


def test_c14_beam_quality() -> None:
    """80 kV, 3.1 mm Al and 0.3 mm Cu; table 3 of Benmakhlouf 2011 has 1.438 and 1.031 at 10 cm. (The case has
    1.037 for the latter, which is not the value of this row.)"""
    hvl = physics.half_value_layer(80, 3.1, 0.3)
    assert hvl == pytest.approx(6.47, rel=0.02)  # table 3; SpekPy is 1.2 % lower on average
    scatter = physics.backscatter(physics.backscatter_coefficients(80, hvl), np.array([10.0, 15.0]))
    assert scatter[0] == pytest.approx(1.438, rel=2e-3)
    assert physics.energy_absorption(80, hvl) == pytest.approx(1.031, rel=1e-3)
    # C15: half way between 10 and 20 cm, linear 1.494; other interpolations within 1 %.
    assert scatter[1] == pytest.approx(1.494, rel=0.01)


def test_c16_the_detector_does_not_matter() -> None:
    skin = plane(15, 8, 0.5)
    maps = [kerma(skin, bare(event(distance_source_to_detector=sdd))) for sdd in (950.0, 1050.0, 1200.0)]  # fmt: skip
    assert (maps[0] == maps[1]).all() and (maps[0] == maps[2]).all()


def test_c17_field_by_the_area_at_the_detector() -> None:
    field = 357.1207142414284e-4
    made = exposure(
        event(dap=None, collimated_field_area=field, distance_source_to_detector=1200.0), (), PLAIN
    )
    assert made.edges == pytest.approx((-5, 5, -5, 5), rel=1e-6)
    assert "field_area_of_detector" in made.notes


def test_c18_shutters_give_the_shape() -> None:
    # 157.48 x 78.74 mm at 1 m are 10 x 5 cm at 63.5 cm; the left one is half open.
    profile = replace(PLAIN, shape="shutters")
    shutters = {f"shutter_{name}": 78.74015748031496 for name in ("left", "right", "top", "bottom")}
    assert exposure(event(**shutters), (), profile).edges == pytest.approx((-5, 5, -5, 5), rel=1e-6)
    shutters["shutter_left"] /= 2
    left, right, low, high = exposure(event(**shutters, dap=0.0075), (), profile).edges
    assert (left, right, low, high) == pytest.approx((-2.5, 5, -5, 5), rel=1e-6)


def test_c19_feet_first_the_patient_is_turned() -> None:
    beams = bare(angled(30, 0))
    hit = beams.focus[0] + beams.direction[0] * (15 - beams.focus[0][1]) / beams.direction[0][1]
    for position, expected in (("HFS", -8.660254), ("FFS", 8.660254)):
        on_patient = patient_rotation(position).T @ hit
        assert on_patient == pytest.approx((expected, 15.0, 0.0), abs=1e-6)
    # A maker whose angles follow the patient: the same place on the patient.
    followed = replace(PLAIN, angles="patient")
    beams = bare(angled(30, 0), profile=followed, position="FFS")
    hit = beams.focus[0] + beams.direction[0] * (15 - beams.focus[0][1]) / beams.direction[0][1]
    assert patient_rotation("FFS").T @ hit == pytest.approx((-8.660254, 15.0, 0.0), abs=1e-6)


def test_c20_biplane() -> None:
    skin = box(20, 15, 12, 0.5)
    a = kerma(skin, bare(event(acquisition_plane=code("113620"))))
    b = kerma(skin, bare(angled(90, 0, dose_rp=2.0, dap=0.02, acquisition_plane=code("113621"))))
    assert a.max() == pytest.approx(1.0, rel=PEAK)
    assert b.max() == pytest.approx(2.356490612900869, rel=PEAK)
    assert (a + b).max() == pytest.approx(2.356490612900869, rel=PEAK)
    assert skin.centre[0, b.argmax()] == pytest.approx(-20)


def test_c21_areas_above_levels() -> None:
    skin = plane(15, 12, 0.5)
    sides, doses = (20, 16, 12, 6), (2.5, 2.0, 1.5, 6.0)
    events = [event(dose_rp=k, dap=k * s * s / 1e4) for s, k in zip(sides, doses, strict=True)]
    peak = peak_of(kerma(skin, bare(*events)), skin.area)
    assert peak.dose == pytest.approx(12.0, rel=PEAK)
    for level, side in ((2, 20), (3, 16), (5, 12), (10, 6)):
        assert peak.areas[level] == pytest.approx(side**2, abs=4 * side * 0.5)
    assert peak.areas[15] == 0


@pytest.mark.parametrize(
    ("height", "mass", "curved", "flat", "around", "torso", "head"),
    [
        (178.6, 73.2, 31, 14, 90, 70, 24),
        (179.0, 77.0, 32, 15, 94, 70, 24),
        (160.0, 110.0, 41, 19, 120, 63, 22),
        (120.0, 25.0, 22, 10, 64, 47, 16),
    ],
)
def test_c22_sizes_of_the_cuboid(
    height: float, mass: float, curved: int, flat: int, around: int, torso: int, head: int
) -> None:
    size = cuboid_size(height, mass)
    assert (size.curved, size.flat, size.around) == (curved, flat, around)
    assert (size.torso, size.head) == (torso, head)
    made = cuboid(height, mass)
    body = made.centre[:, made.part > 0]  # the head is a cylinder of 58 cm around
    wide = body.max(1) - body.min(1)
    assert wide[0] == pytest.approx(size.width, abs=0.1)
    assert wide[1] == pytest.approx(size.depth, abs=0.1)


def test_the_corner_of_a_field_is_where_it_is_to_be() -> None:
    """A cell counts by its share in the field: a quarter of one whose middle is a corner."""
    half = 5.0
    corners = np.array([[[half + u, 15.0, half + v] for u in (-0.5, 0.5)] for v in (-0.5, 0.5)])
    skin = shape(corners, (0, 0, 0))
    away = DREF**2 / (hypot(half, half) ** 2 + DREF**2)
    assert kerma(skin, bare(event()))[0] == pytest.approx(0.25 * away, rel=1e-3)

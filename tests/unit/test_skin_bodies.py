"""Whole bodies: the size of their cells, that they are closed, and the flux through them."""

from __future__ import annotations

import numpy as np
import pytest

from orthanc_dose import skindose as skin
from orthanc_dose.skindose.bodies import ARMS, BODIES, body, body_for, corners_of
from tests.support.skin import PLAIN, bare, event, flux

# Height (cm), mass (kg), skin (m2) of ICRP 89.
REFERENCE = {
    "man": (176, 73, 1.90),
    "woman": (163, 60, 1.66),
    "child_10": (138, 32, 1.12),
    "child_5": (109, 19, 0.78),
    "child_1": (76, 10, 0.475),
}


@pytest.mark.parametrize("arms", ARMS)
@pytest.mark.parametrize("name", BODIES)
def test_cells_are_small_and_close_the_body(name: str, arms: str) -> None:
    made = body(name, arms, None, None)
    height, mass, area = REFERENCE[name]
    assert made.area.mean() <= 1.0 and made.area.max() <= 2.0
    assert (made.height, made.mass) == (height, mass)
    # The area vectors of a closed surface add up to nothing; its volume is that of the mass.
    assert np.abs((made.normal * made.area).sum(1)).max() < 1e-3 * made.area.sum()
    volume = (made.centre * made.normal * made.area).sum() / 3
    assert volume / 1000 == pytest.approx(mass, rel=0.03)
    # Without fingers, toes and ears, the skin is a little smaller than a real one.
    assert made.area.sum() / 1e4 == pytest.approx(area, rel=0.12)
    corners, cells = corners_of(name, arms, height, mass)
    edges = np.sort(np.stack([cells, np.roll(cells, -1, axis=1)], axis=-1).reshape(-1, 2), axis=1)
    _, count = np.unique(edges, axis=0, return_counts=True)
    assert (count % 2 == 0).all()
    assert corners[:, 2].min() == pytest.approx(0, abs=0.5)
    rows, columns = made.place
    assert rows.min() == 0 and rows.max() == made.map_shape[0] - 1
    assert columns.min() >= 0 and columns.max() < made.map_shape[1]


BEAMS = ((0, 0), (30, 20), (-45, -15), (180, 0), (90, 0), (-90, 10), (135, 25))


@pytest.mark.parametrize("position", ["HFS", "FFP", "HFDR"])
@pytest.mark.parametrize("arms", ARMS)
@pytest.mark.parametrize("name", BODIES)
def test_c12_flux(name: str, arms: str, position: str) -> None:
    """Beams on the trunk; from the side they meet the arms first, which shade the trunk."""
    made = body(name, arms, None, None).placed(position, 4.0, (0.0, 0.0, 5.0))
    trunk = made.centre[:, made.part == made.parts.index("trunk")]
    most, least = trunk.max(1), trunk.min(1)
    at = -10 * (most + least) / 2
    for primary, secondary in BEAMS:
        beams = bare(
            event(
                positioner_primary_angle=float(primary),
                positioner_secondary_angle=float(secondary),
                table_longitudinal_position=float(at[0]),
                table_height_position=float(at[1]),
                table_lateral_position=float(at[2]),
                dap=min((most - least).min() / 3, 10) ** 2 / 1e4,
            )
        )
        expected = float(beams.flux[0])
        assert flux(made, beams) == pytest.approx(expected, rel=0.01), (primary, secondary)


def test_a_body_is_scaled_to_the_patient() -> None:
    small, large = body("man", "side", 160.0, 60.0), body("man", "side", 190.0, 120.0)
    for made, height, mass in ((small, 160, 60), (large, 190, 120)):
        volume = (made.centre * made.normal * made.area).sum() / 3
        assert volume / 1000 == pytest.approx(mass, rel=0.03)
        assert made.centre[2].max() == pytest.approx(height, abs=1)
    assert large.area.mean() <= 1.0 and large.area.max() <= 2.0


def test_the_body_that_fits() -> None:
    assert body_for("F", 40, None) == "woman"
    assert body_for(None, None, None) == body_for("M", None, 0) == body_for("O", 30, 120) == "man"
    assert [body_for("F", years, None) for years in (0.1, 3.5, 8, 14.9, 15)] == [
        "child_1", "child_5", "child_10", "child_10", "woman",
    ]  # fmt: skip
    assert [body_for("M", None, height) for height in (70, 110, 140, 160)] == [
        "child_1", "child_5", "child_10", "man",
    ]  # fmt: skip


def test_an_arm_in_the_beam_takes_its_dose() -> None:
    """From the left, an arm at the side has the dose; with raised arms the trunk has it."""
    row = event(
        positioner_primary_angle=-90.0,
        dap=0.002,
        table_height_position=150.0,
        table_lateral_position=600.0,
    )
    patient = skin.Patient(sex="M")
    parts = {}
    for arms in ARMS:
        found = skin.calculate([row], [], patient, PLAIN, skin.Settings(phantom="body", arms=arms))
        assert found.phantom is not None and found.state == "calculated"
        parts[arms] = found.phantom.parts[found.phantom.part[found.peak.cell]]
    assert parts == {"side": "left arm", "raised": "trunk"}

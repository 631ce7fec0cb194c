"""Whole bodies: woman, man and children, made from MakeHuman's CC0 assets by tools/make_bodies.py.

Files are in bodies/, with their licence. A body is scaled to the patient: its length with the height, its widths with
the square root of mass over height.
"""

from functools import cache
from importlib.resources import files
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from .phantom import Phantom, cells_between
from .physics import Floats

# Name: years from which it stands for a patient whose age is known; height from which it does otherwise.
_CHILDREN = {"child_1": (0.0, 0.0), "child_5": (3.0, 92.0), "child_10": (7.5, 123.0)}
_ADULT = (15.0, 152.0)
BODIES = ("man", "woman", *_CHILDREN)
ARMS = ("raised", "side")
PARTS = ("head", "trunk", "left arm", "right arm", "left leg", "right leg")
# The flat map: for each part its first column; width of the part's block, in cm of the size at which it was made.
_BLOCKS = {"right arm": 0, "right leg": 32, "left leg": 102, "left arm": 172}
_ARM, _LEG, _TRUNK = 30, 68, 138  # columns
_COLUMNS = 204


def body_for(sex: str | None, years: float | None, height: float | None) -> str:
    """Return the body for a patient: sex as M or F, age in years, height in cm; None where unknown."""
    value, at = (years, 0) if years is not None else (height or None, 1)
    if value is not None and value < _ADULT[at]:
        return [name for name, start in _CHILDREN.items() if value >= start[at]][-1]
    return "woman" if sex == "F" else "man"


def body(name: str, arms: str, height: float | None, mass: float | None) -> Phantom:
    """Return a body: name of BODIES, arms of ARMS; height in cm and mass in kg, None for its own."""
    corners, cells, part, own_height, own_mass = _read(f"{name}_{arms}")
    height, mass = height or own_height, mass or own_mass
    wide = sqrt(mass / height / (own_mass / own_height))
    scaled = corners * np.array([wide, wide, height / own_height])
    centre, normal, half_a, half_b, twist, area = cells_between(
        *(scaled[cells[:, at]] for at in range(4))
    )
    place, rows = _flat(corners[cells].mean(1), part)
    return Phantom(
        name,
        centre,
        normal,
        half_a,
        half_b,
        twist,
        area,
        part,
        PARTS,
        place,
        (rows, _COLUMNS),
        convex=False,
        length=height,
        height=height,
        mass=mass,
    )


@cache
def _read(name: str) -> tuple[Floats, NDArray[np.intp], NDArray[np.uint8], float, float]:
    """Return corners (m, 3) in cm, cells (n, 4) as indices of corners, parts (n,), height and mass."""
    with files(__package__).joinpath("bodies", f"{name}.npz").open("rb") as file:
        found = np.load(file)
        corners, cells = found["corners"] / 100.0, found["cells"].astype(np.intp)
        height, mass = (float(one) for one in found["size"])
        return corners, cells, found["part"], height, mass


def corners_of(name: str, arms: str, height: float, mass: float) -> tuple[Floats, NDArray[np.intp]]:
    """Return corners (m, 3) in cm and cells (n, 4) of a body, for drawing it; as `body` scales it."""
    corners, cells, _, own_height, own_mass = _read(f"{name}_{arms}")
    wide = sqrt(mass / height / (own_mass / own_height))
    return corners * np.array([wide, wide, height / own_height]), cells


def _flat(centre: Floats, part: NDArray[np.uint8]) -> tuple[NDArray[np.int32], int]:
    """Return row and column (2, n) of cells in the flat map, and its number of rows.

    The skin of each part is unrolled about its middle, which is found for each cm along it, from its left side over
    the front to the right, so that the front is in the middle of the block. Arms and legs stand beside each other.
    """
    row = np.floor(centre[:, 2].max() - centre[:, 2]).astype(np.intp)
    column = np.zeros(len(row), np.intp)
    for number, name in enumerate(PARTS):
        of = np.flatnonzero(part == number)
        middle = [
            np.bincount(row[of], centre[of, at]) / np.maximum(np.bincount(row[of]), 1)
            for at in (0, 1)
        ]
        x, y = (centre[of, at] - middle[at][row[of]] for at in (0, 1))
        turn = np.arctan2(x, -y) / (2 * np.pi) + 0.5  # 0.5 in front, more to the left
        wide = _ARM if "arm" in name else _LEG if "leg" in name else _TRUNK
        first = _BLOCKS.get(name, _BLOCKS["right leg"])
        column[of] = first + np.minimum((turn * wide).astype(np.intp), wide - 1)
    return np.stack([row, column]).astype(np.int32), int(row.max()) + 1

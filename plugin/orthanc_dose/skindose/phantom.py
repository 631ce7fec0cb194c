"""Surfaces on which dose is calculated: cells with a place, a normal, and an extent.

Patient frame: x to the patient's left, y to the back, z to the head; lengths in cm. A phantom stands
between feet (z = 0) and vertex, with the middle of the trunk at x = y = 0; `placed` lays it on the
table.
"""

from dataclasses import dataclass, replace
from math import floor, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from .geometry import patient_rotation
from .physics import Floats

DEFAULT_HEIGHT, DEFAULT_MASS = 178.6, 73.2  # cm, kg; used where the size is unknown


@dataclass(frozen=True, eq=False)
class Phantom:
    """A surface of n cells, each taken as a flat parallelogram.

    centre, normal (outwards, of length 1), half_a, half_b (vectors of half of each side): (3, n).
    area: (n,), cm2. part: (n,), index in parts. place: (2, n), row and column in the flat map, whose
    size is map_shape. offset: (n,), centre times normal. convex: no cell can shade another one.
    """

    name: str
    centre: Floats
    normal: Floats
    half_a: Floats
    half_b: Floats
    area: Floats
    part: NDArray[np.uint8]
    parts: tuple[str, ...]
    place: NDArray[np.int32]
    map_shape: tuple[int, int]
    convex: bool
    height: float = DEFAULT_HEIGHT
    mass: float = DEFAULT_MASS

    @property
    def offset(self) -> Floats:
        return np.asarray(np.einsum("ij,ij->j", self.centre, self.normal))

    def placed(self, position: str, pad: float, shift: tuple[float, float, float]) -> "Phantom":
        """Return the phantom on the table, in the table frame.

        position: as HFS. pad: thickness of what lies between table and patient. shift: of the
        patient on the table, in cm: to the left of a head-first supine patient (across the table), up
        from the pad, and from the head end of the table towards its feet (along).
        """
        turn = patient_rotation(position)
        centre, half_a, half_b = turn @ self.centre, turn @ self.half_a, turn @ self.half_b
        reach = np.abs(half_a) + np.abs(half_b)
        most, least = (centre + reach).max(1), (centre - reach).min(1)
        across, up, along = shift
        move = np.array([across - (most[0] + least[0]) / 2, -pad - up - most[1], -along - most[2]])
        return replace(
            self,
            centre=np.ascontiguousarray(centre + move[:, None]),
            normal=turn @ self.normal,
            half_a=half_a,
            half_b=half_b,
        )


def surface(corners: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Return centre, normal, half_a, half_b, each (3, n), and area (n,), of a grid of cells.

    corners: (rows + 1, columns + 1, 3). Seen from outside, columns run to the right and rows down.
    """
    a, b, c, d = corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1]
    across = np.cross(c - a, b - d) / 2
    area = np.linalg.norm(across, axis=-1)
    vectors = (
        (a + b + c + d) / 4,
        across / area[..., None],
        (b + c - a - d) / 4,
        (c + d - a - b) / 4,
    )
    centre, normal, half_a, half_b = (np.ascontiguousarray(one.reshape(-1, 3).T) for one in vectors)
    return centre, normal, half_a, half_b, area.ravel()


def half_up(value: float) -> int:
    """Round to whole numbers, halves upwards."""
    return floor(value + 0.5)


@dataclass(frozen=True)
class CuboidSize:
    """Size of the cuboid with two half cylinders, by openSkin's rule, in whole cells of 1 cm.

    curved: length of each half circle; flat: width of the front; torso, head: lengths; head_around:
    circumference of the head.
    """

    curved: int
    flat: int
    torso: int
    head: int
    head_around: int = 58

    @property
    def radius(self) -> float:
        return self.curved / pi

    @property
    def around(self) -> int:
        return 2 * (self.curved + self.flat)

    @property
    def width(self) -> float:
        return self.flat + 2 * self.radius

    @property
    def depth(self) -> float:
        return 2 * self.radius


def cuboid_size(height: float, mass: float) -> CuboidSize:
    """Return the size for a patient of a height (cm) and mass (kg)."""
    radius = 10 * sqrt(DEFAULT_HEIGHT / height) * sqrt(mass / DEFAULT_MASS)
    return CuboidSize(
        half_up(pi * radius),
        half_up(1.44 * radius),
        half_up(70 * height / DEFAULT_HEIGHT),
        half_up(24 * height / DEFAULT_HEIGHT),
    )


def cuboid(height: float = DEFAULT_HEIGHT, mass: float = DEFAULT_MASS) -> Phantom:
    """Return the cuboid with two half cylinders, in cells of 1 cm: a cylinder as head, and a body of
    one section from the shoulders to the feet.

    The flat map has the anterior in its first columns, then left, posterior and right, as seen when
    the skin is peeled off and laid flat; rows run from head to feet. Columns beside the head are
    empty.
    """
    size = cuboid_size(height, mass)
    body = max(half_up(height) - size.head, size.torso)
    columns, head_columns = size.around, size.head_around
    head = surface(_tube(_circle(size), body + size.head, size.head))
    trunk = surface(_tube(section(size), body, body))
    centre, normal, half_a, half_b, area = (
        np.concatenate(pair, axis=-1) for pair in zip(head, trunk, strict=True)
    )
    row = np.concatenate(
        [
            np.repeat(np.arange(size.head), head_columns),
            np.repeat(np.arange(size.head, size.head + body), columns),
        ]
    )
    column = np.concatenate(
        [np.tile(np.arange(head_columns), size.head), np.tile(np.arange(columns), body)]
    )
    turns = [size.flat, size.flat + size.curved, 2 * size.flat + size.curved]
    part = np.where(row < size.head, 0, 1 + np.digitize(column, turns))
    return Phantom(
        "cuboid",
        centre,
        normal,
        half_a,
        half_b,
        area,
        part.astype(np.uint8),
        ("head", "anterior", "left", "posterior", "right"),
        np.stack([row, column]).astype(np.int32),
        (size.head + body, columns),
        convex=False,
        height=height,
        mass=mass,
    )


def section(size: CuboidSize) -> Floats:
    """Return the corners (around + 1, 2) of the body's section: along the front from right to left,
    round the left side, along the back, round the right side.
    """
    flat, radius = size.flat / 2, size.radius
    front = np.stack([np.arange(size.flat) - flat, np.full(size.flat, -radius)], axis=-1)
    turn = np.arange(size.curved) / size.curved * pi
    left = np.stack([flat + radius * np.sin(turn), -radius * np.cos(turn)], axis=-1)
    return np.concatenate([front, left, -front, -left, front[:1]])


def _circle(size: CuboidSize) -> Floats:
    """Return the corners of the head's section. Its back lies as low as that of the body, and the middle
    of its face is in the same column as that of the body's front.
    """
    turn = (np.arange(size.head_around + 1) - size.flat / 2) / size.head_around * 2 * pi
    radius = size.head_around / (2 * pi)
    return np.stack([radius * np.sin(turn), size.radius - radius - radius * np.cos(turn)], axis=-1)


def _tube(section: Floats, top: float, rows: int) -> Floats:
    """Return corners (rows + 1, columns + 1, 3) of a tube along z, in steps of 1 cm from its top."""
    corners = np.empty((rows + 1, len(section), 3))
    corners[..., :2] = section
    corners[..., 2] = (top - np.arange(rows + 1))[:, None]
    return corners

"""The dose that beams give to the cells of a phantom.

For a cell at distance r from the focus, at depth d along the beam:

    dose = K (d_ref / r)^2 w B(side d / d_ref) M T^(1/cos)

K: air kerma at the reference point, at d_ref from the focus. w: share of the cell in the field. B: backscatter
factor, for the side that the square field of the same area has at the cell. M: ratio of energy
absorption of water and air. T: transmission of table and pad, where the ray crosses the table before it
reaches the cell, at the angle whose cosine is cos.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .phantom import Phantom
from .physics import Floats, backscatter

Cells = NDArray[np.intp]


@dataclass(frozen=True)
class Table:
    """The table's surface in its own frame, in cm. The head end is at z = 0."""

    width: float = 45.0
    length: float = 250.0


@dataclass(frozen=True, eq=False)
class Beams:
    """n poses in the table frame. Lengths in cm, kerma in Gy.

    focus, direction (to the detector), across, along (axes of the field): (n, 3). edges: (n, 4),
    tangents of the field's edges: lower and upper across, lower and upper along. kerma, distance (from
    focus to reference point), transmission (at normal incidence), correction (ratio of energy
    absorption): (n,). scatter: (n, 5), backscatter as physics.backscatter_coefficients gives it.
    event: (n,), index of the event; plane: (n,), index of the plane.
    """

    focus: Floats
    direction: Floats
    across: Floats
    along: Floats
    edges: Floats
    kerma: Floats
    distance: Floats
    transmission: Floats
    correction: Floats
    scatter: Floats
    event: NDArray[np.intp]
    plane: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.kerma)

    def chosen(self, which: Any) -> "Beams":
        """Return some of the poses, chosen by an index of numpy."""
        return Beams(**{one.name: getattr(self, one.name)[which] for one in fields(self)})

    @property
    def flux(self) -> Floats:
        """Air kerma area product of each pose (n,), Gy cm2: K d_ref^2 times the solid angle."""
        return np.asarray(self.kerma * self.distance**2 * solid_angle(self.edges))


def solid_angle(edges: Floats) -> Floats:
    """Return the solid angles (n,) of fields given by the tangents of their edges (n, 4)."""

    def corner(u: Floats, v: Floats) -> Floats:
        return np.asarray(np.arctan(u * v / np.sqrt(1 + u * u + v * v)))

    left, right, low, high = edges.T
    whole = corner(right, high) - corner(left, high) - corner(right, low) + corner(left, low)
    return np.asarray(whole)


@dataclass(frozen=True, eq=False)
class Hit:
    """What one pose does: cells: (k,), index; dose: (k,), Gy; flux: product of air kerma and area
    that met the skin, Gy cm2, without corrections.
    """

    pose: int
    cells: Cells
    dose: Floats
    flux: float


def irradiate(phantom: Phantom, beams: Beams, table: Table | None) -> Iterator[Hit]:
    """Yield what each pose does to a phantom that lies on the table, in the order of the poses.

    table: None if there is no table in the way. Each step takes a fraction of a millisecond, so that
    other threads of Python get their turn.
    """
    blocks = _Blocks.of(phantom)
    for pose in range(len(beams)):
        met = _met(phantom, blocks, beams, pose)
        if not phantom.convex:
            met = shade(met)
        yield _hit(phantom, beams, table, pose, met)


@dataclass(frozen=True, eq=False)
class Met:
    """The k cells that one pose meets: cells: (k,), index; middle, half_a, half_b: (3, k), cm, in the
    frame of the beam (depth from the focus, across, along); cosine: (k,), of incidence; share: (k,),
    of the cell in the field.
    """

    cells: Cells
    middle: Floats
    half_a: Floats
    half_b: Floats
    cosine: Floats
    share: Floats


@dataclass(frozen=True, eq=False)
class _Blocks:
    """Cells by cubes of space, of which a field meets few.

    order: (n,), the cells, by cube; count: (b,), cells of each; middle: (3, b), radius: (b,), of the
    sphere around each with all of its cells. offset: (n,), Phantom.offset.
    """

    order: Cells
    count: Cells
    middle: Floats
    radius: Floats
    offset: Floats

    @classmethod
    def of(cls, phantom: Phantom, side: float = 8.0) -> "_Blocks":
        centre = phantom.centre
        cube = np.floor((centre - centre.min(1, keepdims=True)) / side).astype(np.intp)
        wide, deep, _ = cube.max(1) + 1
        number = (cube[2] * deep + cube[1]) * wide + cube[0]
        order = np.argsort(number, kind="stable")
        _, start, count = np.unique(number[order], return_index=True, return_counts=True)
        middle = np.add.reduceat(centre[:, order], start, axis=1) / count
        away = centre[:, order] - np.repeat(middle, count, axis=1)
        reach = np.sqrt((phantom.half_a**2).sum(0)) + np.sqrt((phantom.half_b**2).sum(0))
        far = np.sqrt((away * away).sum(0)) + reach[order]
        return cls(order, count, middle, np.maximum.reduceat(far, start), phantom.offset)


def _met(phantom: Phantom, blocks: _Blocks, beams: Beams, pose: int) -> Met:
    """Return the cells that face the focus and are in the field, at least partly."""
    focus = beams.focus[pose]
    axes = np.stack([beams.direction[pose], beams.across[pose], beams.along[pose]])
    left, right, low, high = beams.edges[pose]
    depth, across, along = axes @ blocks.middle - (axes @ focus)[:, None]
    margin = blocks.radius * (1 + float(np.abs(beams.edges[pose]).max()))
    near = depth > -blocks.radius
    near &= np.abs(across - (left + right) / 2 * depth) <= (right - left) / 2 * depth + margin
    near &= np.abs(along - (low + high) / 2 * depth) <= (high - low) / 2 * depth + margin
    cells = blocks.order[np.repeat(near, blocks.count)]
    above = focus @ phantom.normal[:, cells] - blocks.offset[cells]
    middle = axes @ phantom.centre[:, cells] - (axes @ focus)[:, None]
    kept = np.flatnonzero((above > 0) & (middle[0] > _NEAREST))
    cells, above, middle = cells[kept], above[kept], middle[:, kept]
    half_a, half_b = axes @ phantom.half_a[:, cells], axes @ phantom.half_b[:, cells]
    # Across and along, as tangents: (2, k). Of a cell, its middle and halves of the extents of its sides.
    tangent = middle[1:] / middle[0]
    wide, small = (np.abs(half[1:] - tangent * half[0]) / middle[0] for half in (half_a, half_b))
    edges = beams.edges[pose].reshape(2, 2, 1)
    inside = np.stack([edges[:, 1] - tangent, tangent - edges[:, 0]])
    met = np.flatnonzero((inside > -(wide + small)).all((0, 1)))
    share = _below(inside[..., met], wide[:, met], small[:, met])
    middle = middle[:, met]
    cosine = above[met] / np.sqrt((middle * middle).sum(0))
    whole = (share[0] + share[1] - 1).prod(0)
    return Met(cells[met], middle, half_a[:, met], half_b[:, met], cosine, whole)


def _below(edge: Floats, a: Floats, b: Floats) -> Floats:
    """Return which share of parallelograms lies below an edge.

    edge: from the middle of each; a, b: halves of the extents of its sides. The sum of two
    uniform distributions is a trapezoid, of which this is the integral.
    """
    wide = np.maximum(np.maximum(a, b), 1e-9)
    small = np.maximum(np.minimum(a, b), 1e-6 * wide)
    x = np.abs(edge)
    ramp = (x + wide) / (2 * wide)
    rest = np.maximum(wide + small - x, 0.0)
    bent = 1 - rest * rest / (8 * wide * small)
    above = np.where(x <= wide - small, ramp, bent)
    return np.asarray(np.where(edge < 0, 1 - above, above))


_NEAREST = 5.0  # cm from the focus; skin is never so near
_FIRST_BIN = 1.5  # cm at the skin: a quick look whether anything can be shaded
_BIN = 0.3  # cm at the skin
_POINTS = 4  # by which a cell is tested, along each side
_GAP = 1.0  # cm; no part of a body is thinner
_STEEPEST = 6.0  # tangent of incidence up to which the slope of a cell is allowed for


def shade(met: Met) -> Met:
    """Return the cells with the shares that no other part of the body shades.

    Every ray goes through the skin where it enters a part of the body, so that only cells that face
    the focus can shade others. In bins of directions, points of cells that lie behind the nearest
    cell by more than both slope within the bin, are shaded.
    """
    if len(met.cells) < 2:
        return met
    slope = np.sqrt(np.maximum(1 / met.cosine**2 - 1, 0))
    slope = np.minimum(slope, _STEEPEST)
    scale = float(met.middle[0].mean())
    if not _behind(met.middle, slope, _FIRST_BIN, scale).any():
        return met
    steps = (np.arange(_POINTS) + 0.5) / _POINTS * 2 - 1
    a, b = (one.ravel() for one in np.meshgrid(steps, steps))
    points = (
        met.middle[:, :, None] + met.half_a[:, :, None] * a + met.half_b[:, :, None] * b
    ).reshape(3, -1)
    behind = _behind(points, np.repeat(slope, len(a)), _BIN, scale)
    lit = 1 - behind.reshape(-1, len(a)).mean(-1)
    return replace(met, share=met.share * lit)


def _behind(points: Floats, slope: Floats, size: float, scale: float) -> NDArray[np.bool_]:
    """Return which points, (3, m) in the frame of the beam, are behind another one in their bin."""
    depth, across, along = points
    columns, rows = (
        np.floor(one / depth * (scale / size)).astype(np.intp) for one in (across, along)
    )
    columns -= columns.min()
    rows -= rows.min()
    bins = rows * (columns.max() + 1) + columns
    nearest = np.full(int(bins.max()) + 1, np.inf)
    np.minimum.at(nearest, bins, depth + slope * size)
    return np.asarray(depth - slope * size - _GAP > nearest[bins])


def _hit(phantom: Phantom, beams: Beams, table: Table | None, pose: int, met: Met) -> Hit:
    focus, distance = beams.focus[pose], float(beams.distance[pose])
    square = (met.middle * met.middle).sum(0)
    free = float(beams.kerma[pose]) * distance**2 / square * met.share
    flux = float((free * met.cosine * phantom.area[met.cells]).sum())
    left, right, low, high = beams.edges[pose]
    side = float(np.sqrt((right - left) * (high - low))) * met.middle[0]
    dose = free * float(beams.correction[pose]) * backscatter(beams.scatter[pose], side)
    if table is not None and focus[1] > 0:
        dose *= _through_table(
            phantom.centre[:, met.cells],
            focus,
            np.sqrt(square),
            table,
            float(beams.transmission[pose]),
        )
    return Hit(pose, met.cells, dose, flux)


def _through_table(
    cells: Floats, focus: Floats, length: Floats, table: Table, transmission: float
) -> Floats:
    """Return the factor of the table for rays from a focus below it to cells (3, k); length: (k,)."""
    below = focus[1] - cells[1]  # of the focus, seen from the cell; at least the way to the table
    share = focus[1] / below
    x, z = (focus[at] + share * (cells[at] - focus[at]) for at in (0, 2))
    crosses = (cells[1] <= 0) & (np.abs(x) <= table.width / 2) & (z <= 0) & (z >= -table.length)
    factor = np.ones(len(length))
    factor[crosses] = transmission ** (length[crosses] / below[crosses])
    return factor

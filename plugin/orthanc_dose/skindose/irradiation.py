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
    """Holds what one pose does: cells: (k,), index; dose: (k,), Gy; flux: product of air kerma and area
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
            twist = _axes(beams, pose) @ phantom.twist.take(met.cells, axis=1)
            met = shade(met, twist, beams.edges[pose])
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
    sphere around each with all of its cells. offset: (n,), Phantom.offset. reach: the most of any cell from
    its middle, cm.
    """

    order: Cells
    count: Cells
    middle: Floats
    radius: Floats
    offset: Floats
    reach: float

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
        radius = np.maximum.reduceat(far, start)
        return cls(order, count, middle, radius, phantom.offset, float(reach.max()))


def _axes(beams: Beams, pose: int) -> Floats:
    return np.stack([beams.direction[pose], beams.across[pose], beams.along[pose]])


def _met(phantom: Phantom, blocks: _Blocks, beams: Beams, pose: int) -> Met:
    """Return the cells that face the focus and are in the field, at least partly."""
    focus = beams.focus[pose]
    axes = _axes(beams, pose)
    left, right, low, high = beams.edges[pose]
    depth, across, along = axes @ blocks.middle - (axes @ focus)[:, None]
    margin = blocks.radius * (1 + float(np.abs(beams.edges[pose]).max()))
    near = depth > -blocks.radius
    near &= np.abs(across - (left + right) / 2 * depth) <= (right - left) / 2 * depth + margin
    near &= np.abs(along - (low + high) / 2 * depth) <= (high - low) / 2 * depth + margin
    cells = np.compress(np.repeat(near, blocks.count), blocks.order)
    middle = axes @ phantom.centre.take(cells, axis=1) - (axes @ focus)[:, None]
    # A cell may be partly in the field as long as its middle is not outside by more than it reaches.
    depth, reach = middle[0], blocks.reach * (1 + float(np.abs(beams.edges[pose]).max()))
    inside = depth > _NEAREST
    for at, lower, upper in ((1, left, right), (2, low, high)):
        away = np.abs(middle[at] - (lower + upper) / 2 * depth)
        inside &= away <= (upper - lower) / 2 * depth + reach
    cells = np.compress(inside, cells)
    above = focus @ phantom.normal.take(cells, axis=1) - blocks.offset.take(cells)
    kept = above > 0
    middle = np.compress(kept, np.compress(inside, middle, axis=1), axis=1)
    cells, above = np.compress(kept, cells), np.compress(kept, above)
    half_a = axes @ phantom.half_a.take(cells, axis=1)
    half_b = axes @ phantom.half_b.take(cells, axis=1)
    # Across and along, as tangents: (2, k). Of a cell, its middle and halves of the extents of its sides.
    tangent = middle[1:] / middle[0]
    wide, small = (np.abs(half[1:] - tangent * half[0]) / middle[0] for half in (half_a, half_b))
    edges = beams.edges[pose].reshape(2, 2, 1)
    to_edge = np.stack([edges[:, 1] - tangent, tangent - edges[:, 0]])
    met = np.flatnonzero((to_edge > -(wide + small)).all((0, 1)))
    share = _below(to_edge[..., met], wide[:, met], small[:, met])
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
_GAP = (
    1.5  # cm, by which a hit lies behind another one that shades it; no part of a body is thinner
)
_FINE = 0.2  # of a cell's side: distance of the rays by which shade is found


def shade(met: Met, twist: Floats, edges: Floats) -> Met:
    """Return the cells with the shares that no other part of the body shades. twist: (3, k), of the cells, in
    the frame of the beam; edges: (4,), of the field.

    Every ray goes through the skin where it enters a part of the body, so that only cells that face
    the focus can shade others. A first look with wide distances tells whether any is shaded at all.
    """
    if len(met.cells) < 2:
        return met
    normal = np.cross(met.half_a, met.half_b, axis=0)
    # In the nearest part of the body, cells are largest as seen from the focus.
    side = float(np.sqrt(4 * np.sqrt((normal * normal).sum(0)).mean()))
    rays = float(met.middle[0].min()) / side
    middle = met.middle[1:] / met.middle[0]
    at = np.floor(middle * rays / 1.5).astype(np.intp)
    if not _behind(middle, at, np.arange(len(met.cells)), met, normal).any():
        return met
    # Rays through the corners of a grid: for each cell those near its middle, of which it stops some.
    wide = np.abs(met.half_a[1:] - middle * met.half_a[0])
    wide = (wide + np.abs(met.half_b[1:] - middle * met.half_b[0])) / met.middle[0]
    rays /= _FINE
    reach = int(np.ceil(float(wide.max()) * rays))
    steps = np.arange(-reach, reach + 1)
    low, high = np.ceil(edges[::2] * rays)[:, None], np.floor(edges[1::2] * rays)[:, None]
    near = np.clip(np.rint(middle * rays), low, high).astype(np.intp)
    across, along = (one.ravel() for one in np.meshgrid(steps, steps))
    at = near[:, :, None] + np.stack([across, along])[:, None]
    tangent = at / rays - middle[:, :, None]
    # Beyond the field, cells that would shade are not known.
    inside = ((at >= low[..., None]) & (at <= high[..., None])).all(0)
    inside &= _within(tangent, middle, met, twist)
    cell, ray = np.nonzero(inside)
    hit = at[:, cell, ray]
    # A cell that stops no ray, small or seen from its edge, goes by the ray that is nearest to its middle.
    stopped = np.bincount(cell, minlength=len(met.cells))
    missed = np.flatnonzero(stopped == 0)
    hit, cell = np.concatenate([hit, near[:, missed]], axis=1), np.concatenate([cell, missed])
    behind = _behind(hit / rays, hit, cell, met, normal)
    shaded = np.bincount(cell, behind, minlength=len(met.cells))
    return replace(met, share=met.share * (1 - shaded / np.maximum(stopped, 1)))


def _within(tangent: Floats, middle: Floats, met: Met, twist: Floats) -> NDArray[np.bool_]:
    """Return (k, m) which of m rays to each of k cells it stops. tangent: (2, k, m), from its middle."""
    a, b, bend = (
        ((half[1:] - middle * half[0]) / met.middle[0])[:, :, None]
        for half in (met.half_a, met.half_b, twist)
    )
    area = a[0] * b[1] - a[1] * b[0]
    area = np.where(np.abs(area) < 1e-12, np.inf, area)
    u = (tangent[0] * b[1] - tangent[1] * b[0]) / area
    v = (tangent[1] * a[0] - tangent[0] * a[1]) / area
    # u and v solve tangent = u a + v b + u v bend.
    across, along = tangent - u * v * bend
    u, v = (across * b[1] - along * b[0]) / area, (along * a[0] - across * a[1]) / area
    return np.asarray((np.abs(u) <= 1) & (np.abs(v) <= 1))


def _behind(
    tangent: Floats, at: NDArray[np.intp], cell: Cells, met: Met, normal: Floats
) -> NDArray[np.bool_]:
    """Return which of m hits lie behind the nearest hit of their ray.

    tangent: (2, m); at: (2, m), number of the ray; cell: (m,), that is hit.
    """
    low = at.min(1)
    count = at.max(1) - low + 1
    number = (at[1] - low[1]) * int(count[0]) + at[0] - low[0]
    through = (normal * met.middle).sum(0)
    slant = normal[0, cell] + (normal[1:, cell] * tangent).sum(0)
    depth = through[cell] / np.where(slant == 0, np.inf, slant)
    # A plane seen from its edge: not further from the cell's middle than it reaches.
    most = np.abs(met.half_a[0]) + np.abs(met.half_b[0])
    depth = np.clip(depth, (met.middle[0] - most)[cell], (met.middle[0] + most)[cell])
    nearest = np.full(int(count.prod()), np.inf)
    np.minimum.at(nearest, number, depth)
    return np.asarray(depth - nearest[number] > _GAP)


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

"""Maps as openSkin makes them, for comparison with it. Everything here follows its rules, not ours.

- The trunk is that of the cuboid, in cells of 1 cm, its back 4 cm above a table of 45 x 150 cm; the head begins
  5 cm from the table's head end. There are no legs. The head is left empty: openSkin's normals are wrong there.
- The table's positions are taken as those of a Siemens Artis, whatever the maker.
- The reference point is 15 cm from the isocentre, the field a square of area DAP / kerma.
- A cell has the mean of the inverse squares at its four corners, of which each is in the field or not. It faces
  the focus if its last corner does. Nothing shades it.
- Transmission of the table and backscatter are those of the nearest entry of a table, the latter for a side that
  is the square root of the number of cells hit; the way through the table is that of the central ray.

Rotations are refused, since openSkin turns the tube in them but not the field, and so are positions other than
head first and supine.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import exposures as events_
from .exposures import Row, Unusable
from .geometry import detector_directions, image_axes
from .phantom import DEFAULT_HEIGHT, DEFAULT_MASS, CuboidSize, cuboid_size, section
from .physics import Floats, data
from .profiles import Axis, Profile

_PAD, _HEAD_END, _TO_REFERENCE = 4.0, 5.0, 15.0  # cm
_TABLE_WIDTH, _TABLE_LENGTH = 45.0, 150.0  # cm
_WHITE = 10.0  # Gy
_SIEMENS = Profile(
    "openSkin",
    "*",
    ("*",),
    "unknown",
    "openSkin",
    across=(Axis("table_longitudinal_position"),),
    below=(Axis("table_height_position"),),
    along=(Axis("table_lateral_position"),),
)


class Refused(Exception):
    """Says why openSkin's rules give no map, as a word: no_events, rotation, position_not_modelled, or a reason
    of exposures.exposure."""


@dataclass(frozen=True, eq=False)
class OpenSkinMap:
    """dose: (head + torso, around), Gy: rows from head to feet; columns along the front, round the left side,
    along the back, round the right side.
    """

    size: CuboidSize
    dose: Floats

    @property
    def trunk(self) -> Floats:
        """The rows of the trunk, which alone openSkin's results are about."""
        return self.dose[self.size.head :]


def openskin_map(
    events: Sequence[Row], height: float | None = None, mass: float | None = None
) -> OpenSkinMap:
    """Return openSkin's map of a study. height in cm, mass in kg; None or 0 where unknown.

    Raises Refused. Events without dose are left out.
    """
    size = cuboid_size(height or DEFAULT_HEIGHT, mass or DEFAULT_MASS)
    corners = _corners(size)
    total = np.zeros((size.head + size.torso, size.around))
    used = 0
    for row in events:
        try:
            events_.dose(row)
        except Unusable:
            continue
        total[size.head :] += _event(row, corners)
        used += 1
    if not used:
        raise Refused("no_events")
    return OpenSkinMap(size, total)


def _corners(size: CuboidSize) -> Floats:
    """Return the corners of the trunk's cells (torso + 1, around + 1, 3) in the table frame."""
    around = section(size)
    corners = np.empty((size.torso + 1, size.around + 1, 3))
    corners[..., 0] = around[:, 0]
    corners[..., 1] = around[:, 1] - size.radius - _PAD
    corners[..., 2] = -(_HEAD_END + size.head + np.arange(size.torso + 1))[:, None]
    return corners


def _event(row: Row, corners: Floats) -> Floats:
    kerma, side, kv, copper, angles, table, isocentre = _read(row)
    primary, secondary = np.array([angles[0]]), np.array([angles[1]])
    direction = detector_directions(primary, secondary)[0]
    across, along = (one[0] for one in image_axes(primary, secondary, np.zeros(1)))
    focus = -direction * isocentre - table
    distance = isocentre - _TO_REFERENCE
    rays = corners - focus
    depth, square = rays @ direction, (rays * rays).sum(-1)
    edge = side / 2 / distance * depth
    inside = (np.abs(rays @ across) <= edge) & (np.abs(rays @ along) <= edge)
    share = np.where(inside, distance**2 / square, 0.0)
    if focus[1] > 0:
        known = data("openskin.json")["transmission"]
        through = known["values"][_nearest(copper, known["copper_mm"])][_nearest(kv, known["kv"])]
        share = np.where(
            _crosses(corners, focus), share * through ** (1 / abs(direction[1])), share
        )
    mean = (share[:-1, :-1] + share[1:, :-1] + share[:-1, 1:] + share[1:, 1:]) / 4
    mean[~_faces(corners, focus)] = 0.0
    hit = int(np.count_nonzero(mean))
    factors = data("openskin.json")["backscatter"]
    scatter = factors["values"][_nearest(kv, factors["kv"])][
        _nearest(copper, factors["copper_mm"])
    ][_nearest(hit**0.5, factors["side_cm"])]
    return np.asarray(kerma * scatter * mean)


def _faces(corners: Floats, focus: Floats) -> NDArray[np.bool_]:
    """Return which cells face the focus, by the normal at their last corner."""
    last = corners[1:, 1:]
    normal = np.cross(corners[1:, :-1] - corners[:-1, :-1], corners[:-1, 1:] - corners[:-1, :-1])
    return np.asarray((normal * (focus - last)).sum(-1) >= 0)


def _crosses(corners: Floats, focus: Floats) -> NDArray[np.bool_]:
    """Return which rays to a focus below the table go through it."""
    share = focus[1] / (focus[1] - corners[..., 1])
    x, z = (focus[at] + share * (corners[..., at] - focus[at]) for at in (0, 2))
    return np.asarray((np.abs(x) <= _TABLE_WIDTH / 2) & (z <= 0) & (z >= -_TABLE_LENGTH))


def _read(
    row: Row,
) -> tuple[float, float, float, float, tuple[float, float], Floats, float]:
    """Return kerma, side of the field, kV, copper, angles, place of the table, focus to isocentre."""
    try:
        made = events_.exposure(
            # openSkin's own distance to the reference point, whatever the report says.
            {**row, "distance_source_to_reference_point": None, "reference_point_definition": _15_CM},
            (),
            _SIEMENS,
        )  # fmt: skip
    except Unusable as reason:
        raise Refused(
            "rotation" if str(reason) == "rotation_without_end" else str(reason)
        ) from None
    if max(abs(end - start) for start, end in (made.primary, made.secondary)) > 0:
        raise Refused("rotation")
    if made.position not in (None, "HFS"):
        raise Refused("position_not_modelled")
    across, below, along = (start for start, _ in made.table)
    return (
        made.kerma,
        made.edges[1] - made.edges[0],
        made.kv,
        made.copper,
        (made.primary[0], made.secondary[0]),
        np.array([across, below, along]),
        made.isocentre,
    )


_15_CM = "15cm from Isocenter toward Source"


def _nearest(value: float, knots: Sequence[float]) -> int:
    return int(np.abs(np.asarray(knots) - value).argmin())


def results_text(made: OpenSkinMap, data_file: str, created: datetime) -> str:
    """Return openSkin's results as text: files, phantom, peak dose, cells above 3, 5 and 10 Gy."""
    dose = made.trunk
    lines: list[tuple[str, Any]] = [
        ("File created", created.strftime("%m/%d/%y %H:%M:%S")),
        ("Data file", data_file),
        ("Phantom", f"{made.size.around}x{made.size.torso} 3d phantom"),
        ("Peak dose (Gy)", f"{float(dose.max()):.6f}"),
        *((f"Cells > {level} Gy", int((dose > level).sum())) for level in (3, 5, 10)),
    ]
    return "".join(f"{name:16}: {value}\n" for name, value in lines)


def picture(made: OpenSkinMap) -> bytes:
    """Return the map of the trunk as PNG of 16 bits: a pixel a cell, the head's end left, black 0 and white 10 Gy.
    It has 70 x 90 pixels for a patient of 178.6 cm and 73.2 kg.
    """
    grey = np.clip(made.trunk.T / _WHITE, 0, 1) * 65535
    rows = np.rint(grey).astype(">u2")
    height, width = rows.shape
    lines = b"".join(b"\0" + row.tobytes() for row in rows)

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checked

    header = struct.pack(">IIBBBBB", width, height, 16, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(lines, 9))
        + chunk(b"IEND", b"")
    )

"""Directions and positions of beam, table and patient, as vectors.

Room frame: origin at the isocentre, x to the left of a patient who lies head first and supine, y
down (to that patient's back), z to that patient's head: DICOM's patient axes for this position.
Table frame: the same axes with a table that is neither tilted nor turned; origin in the middle of
the head end of the table's surface, below the pad. The patient lies still in the table frame, in
which skin doses are calculated. Lengths in cm, angles in degrees.

Angles of the positioner (PS3.3 C.8.7.5.1.2): primary 90 has the detector at the patient's left,
secondary 90 at the head. Of the table (PS3.3 C.8.19.6.11): head tilt positive with the head up, cradle
tilt positive with the left side up. Horizontal rotation is taken as clockwise seen from above.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from .physics import Floats


def detector_directions(primary: Floats, secondary: Floats) -> Floats:
    """Return unit vectors (n, 3) from the focus to the detector."""
    p, s = np.radians(primary), np.radians(secondary)
    return np.stack([np.sin(p) * np.cos(s), -np.cos(p) * np.cos(s), np.sin(s)], axis=-1)


def image_axes(primary: Floats, secondary: Floats, rotation: Floats) -> tuple[Floats, Floats]:
    """Return the axes of the field, unit vectors (n, 3): across, which at 0 points to the patient's
    left, and along, which points to the head. rotation: of the detector about the beam.
    """
    p, turn = np.radians(primary), np.radians(rotation)[:, None]
    across = np.stack([np.cos(p), np.sin(p), np.zeros_like(p)], axis=-1)
    along = np.cross(detector_directions(primary, secondary), across)
    return (
        across * np.cos(turn) + along * np.sin(turn),
        along * np.cos(turn) - across * np.sin(turn),
    )


def table_rotation(head_tilt: float, cradle: float, horizontal: float) -> Floats:
    """Return the matrix (3, 3) that turns vectors of the table frame into the room frame."""
    t, c, h = np.radians([head_tilt, cradle, horizontal])
    head_up = [[1, 0, 0], [0, np.cos(t), -np.sin(t)], [0, np.sin(t), np.cos(t)]]
    left_up = [[np.cos(c), np.sin(c), 0], [-np.sin(c), np.cos(c), 0], [0, 0, 1]]
    turned = [[np.cos(h), 0, np.sin(h)], [0, 1, 0], [-np.sin(h), 0, np.cos(h)]]
    return np.asarray(np.array(turned) @ np.array(head_up) @ np.array(left_up))


# Rows: the axes of the table (x, y, z) in those of the patient (left, back, head), by the terms of
# PS3.3 C.7.3.1.1.2. HFDL: head first, the left side down.
_HEAD_FIRST: Final[Mapping[str, list[list[int]]]] = {
    "S": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "P": [[-1, 0, 0], [0, -1, 0], [0, 0, 1]],
    "DL": [[0, -1, 0], [1, 0, 0], [0, 0, 1]],
    "DR": [[0, 1, 0], [-1, 0, 0], [0, 0, 1]],
}
POSITIONS = tuple(f"{end}{side}" for end in ("HF", "FF") for side in _HEAD_FIRST)


def patient_rotation(position: str) -> Floats:
    """Return the matrix (3, 3) that turns vectors of the patient into the table frame.

    position: one of POSITIONS. Feet first, the patient is turned by 180 degrees about the vertical.
    """
    turned = np.asarray(_HEAD_FIRST[position[2:]], float)
    if position.startswith("FF"):
        turned = np.diag([-1.0, 1.0, -1.0]) @ turned
    return turned

"""From exposures to beams: the poses of each event in the table frame, with the physics of its beam."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from . import physics
from .exposures import Exposure
from .geometry import detector_directions, image_axes, patient_rotation, table_rotation
from .irradiation import Beams
from .physics import Floats
from .profiles import Profile

ANGLE_STEP = 1.0  # degrees; the most between two poses of a rotation
MOVE_STEP = 0.5  # cm; the most between two poses while the table moves
_MOST_POSES = 720
PLANES = ("A", "B", "single")


def beams(
    exposures: Sequence[Exposure],
    profile: Profile,
    position: str,
    transmission: float | None = None,
) -> Beams:
    """Return the poses of all exposures, in the table frame.

    A rotation or a motion of the table is cut into equal steps, each with its pose in the middle and an
    equal share of the kerma. position: of the patient, for all. transmission: of the table at normal
    incidence; None for that of the beam's quality.
    """
    counts = [_poses(one) for one in exposures]
    of_event = np.repeat(np.arange(len(exposures)), counts)
    share = np.concatenate([(np.arange(count) + 0.5) / count for count in counts] or [np.zeros(0)])

    def each(values: Sequence[object]) -> Floats:
        return np.asarray(values, float)[of_event]

    def swept(pairs: Sequence[tuple[float, float]]) -> Floats:
        start, end = np.asarray(pairs, float).reshape(-1, 2)[of_event].T
        return np.asarray(start + share * (end - start))

    primary = swept([one.primary for one in exposures])
    secondary = swept([one.secondary for one in exposures])
    rotation = each([one.rotation for one in exposures])
    direction = detector_directions(primary, secondary)
    across, along = image_axes(primary, secondary, rotation)
    if profile.angles == "patient":
        turn = patient_rotation(position)
        direction, across, along = direction @ turn.T, across @ turn.T, along @ turn.T
    origin = np.stack([swept([one.table[axis] for one in exposures]) for axis in range(3)], axis=-1)
    focus = -direction * each([one.isocentre for one in exposures])[:, None]
    # The table tilts and turns about the point of its surface above or below the isocentre.
    pivot = origin * np.array([0.0, 1.0, 0.0])
    back = np.array([table_rotation(*one.tilt) for one in exposures]).reshape(-1, 3, 3)[of_event]

    def into_table(vectors: Floats) -> Floats:
        return np.asarray(np.einsum("nij,ni->nj", back, vectors))

    quality = [_quality(one.kv, one.aluminium, one.copper) for one in exposures]
    distance = each([one.distance for one in exposures])
    through = [transmission if transmission is not None else found[2] for found in quality]
    edges = np.asarray([one.edges for one in exposures], float).reshape(-1, 4)[of_event]
    return Beams(
        focus=into_table(focus - pivot) + pivot - origin,
        direction=into_table(direction),
        across=into_table(across),
        along=into_table(along),
        edges=edges / distance[:, None],
        kerma=each([one.kerma for one in exposures]) / each(counts),
        distance=distance,
        transmission=each(through),
        correction=each([found[1] for found in quality]),
        scatter=np.asarray([found[0] for found in quality], float).reshape(-1, 5)[of_event],
        event=of_event,
        plane=np.asarray([PLANES.index(one.plane) for one in exposures], int)[of_event],
    )


def _poses(one: Exposure) -> int:
    turns = max(abs(end - start) for start, end in (one.primary, one.secondary))
    moves = max(abs(end - start) for start, end in one.table)
    steps = max(np.ceil(turns / ANGLE_STEP - 1e-9), np.ceil(moves / MOVE_STEP - 1e-9), 1)
    return int(min(steps, _MOST_POSES))


@lru_cache(maxsize=2000)
def _quality(kv: float, aluminium: float, copper: float) -> tuple[tuple[float, ...], float, float]:
    """Return backscatter coefficients, energy absorption and transmission of the table."""
    hvl = physics.half_value_layer(kv, aluminium, copper)
    return (
        tuple(physics.backscatter_coefficients(kv, hvl)),
        physics.energy_absorption(kv, hvl),
        physics.table_transmission(kv, copper),
    )

"""Defines what a calculation of skin dose gives."""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from .exposures import LeftOut
from .phantom import Phantom
from .physics import Floats

State = Literal["calculated", "upper_bound", "not_calculated"]
Origin = Literal["reported", "from_file", "assumed", "setting"]
LEVELS = (2.0, 3.0, 5.0, 10.0, 15.0)  # Gy


@dataclass(frozen=True)
class Input:
    """A value that the calculation used, and where it comes from."""

    value: str | float
    origin: Origin


@dataclass(frozen=True)
class Used:
    """An event in the map. share: of its kerma area product that met the skin. notes: what was assumed
    or is doubtful, as words.
    """

    number: int
    uid: str | None
    plane: str
    kerma: float
    share: float
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Peak:
    """The highest dose of a map. dose: Gy; cell: its index in the phantom; areas: cm2 at or above each of
    LEVELS.
    """

    dose: float
    cell: int
    areas: Mapping[float, float]


@dataclass(frozen=True, eq=False)
class SkinDose:
    """The result for one study.

    state: calculated: psd is the peak of the map. upper_bound: no skin can have had more than psd; dose is
    the map of the events that could be used, if there are any. not_calculated: neither. reason: a word for
    why it is not calculated, else None. psd: Gy. dose: (n,), Gy, of the cells of phantom, which is in the frame
    of the patient; planes: the same by plane, for biplane systems. dap_share: of the kerma area product that met
    the skin. uncertainty_percent: of psd, at about two standard deviations; None without a map.
    """

    state: State
    reason: str | None
    psd: float | None
    peak: Peak | None = None
    peaks: Mapping[str, Peak] = field(default_factory=dict)
    phantom: Phantom | None = None
    dose: Floats | None = None
    planes: Mapping[str, Floats] = field(default_factory=dict)
    dap_share: float | None = None
    inputs: Mapping[str, Input] = field(default_factory=dict)
    profile: str | None = None
    status: str | None = None
    uncertainty_percent: int | None = None
    used: tuple[Used, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


def peak_of(dose: Floats, area: Floats) -> Peak:
    """Return peak and areas of a map: dose and area of its cells, (n,)."""
    cell = int(dose.argmax())
    return Peak(
        float(dose[cell]),
        cell,
        {level: float(area[dose >= level].sum()) for level in LEVELS},
    )


_HEAD = struct.Struct("<II")  # number of cells, number of cells with dose


def packed(dose: Floats) -> bytes:
    """Return a map (n,) in a few kB: the cells with dose, as single floats, compressed."""
    cells = np.flatnonzero(dose)
    steps = np.diff(cells, prepend=0).astype("<u4")
    values = dose[cells].astype("<f4")
    content = steps.view(np.uint8).reshape(-1, 4).T.tobytes() + values.tobytes()
    return _HEAD.pack(len(dose), len(cells)) + zlib.compress(content, 9)


def unpacked(content: bytes) -> Floats:
    """Return the map (n,) that `packed` took. Raises ValueError if it is damaged."""
    try:
        count, hit = _HEAD.unpack_from(content)
        plain = zlib.decompress(content[_HEAD.size :])
        steps = np.frombuffer(plain[: 4 * hit], np.uint8).reshape(4, hit).T.copy().view("<u4")
        dose = np.zeros(count)
        dose[np.cumsum(steps)] = np.frombuffer(plain[4 * hit :], "<f4")
    except (struct.error, zlib.error, IndexError, ValueError) as error:
        raise ValueError("damaged map") from error
    return dose

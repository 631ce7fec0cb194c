"""Beam quality and what follows from it: half value layer, backscatter, energy absorption, and the
transmission of table and pad. The numbers are in physics.json and half_value_layers.json, with their
sources.

Voltages in kV, filters in mm, half value layers (HVL) in mm Al, lengths in cm.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

KV_RANGE = (50.0, 150.0)  # of the polynomials; beyond it, the value at the limit is used
HVL_RANGE = (1.78, 12.48)
SIDE_RANGE = (5.0, 35.0)  # cm
_MIDDLE_SIDE = 15.0  # cm; about which the logarithm of the side is taken, for exact arithmetic


@cache
def data(name: str) -> dict[str, Any]:
    """Return the numbers of a JSON file of this package."""
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def half_value_layer(kv: float, aluminium: float, copper: float) -> float:
    """Return the first HVL (mm Al) of a beam: tube voltage (kV), total aluminium including the
    inherent filter, and copper (mm). Interpolated linearly in the grid; the values at its limits are
    used beyond them.
    """
    grid = data("half_value_layers.json")
    values = np.asarray(grid["half_value_layers"])
    for at, axis in ((kv, "kv"), (aluminium, "aluminium_mm"), (copper, "copper_mm")):
        values = _between(values, at, grid[axis])
    return float(values)


def _between(values: Floats, at: float, knots: list[float]) -> Floats:
    """Interpolate linearly along the first axis."""
    at = min(max(at, knots[0]), knots[-1])
    low = min(int(np.searchsorted(knots, at, side="right")) - 1, len(knots) - 2)
    share = (at - knots[low]) / (knots[low + 1] - knots[low])
    return np.asarray(values[low] * (1 - share) + values[low + 1] * share)


def _terms(kv: float | Floats, hvl: float | Floats) -> Floats:
    """Return the nine terms of the polynomials of backscatter and energy absorption."""
    kv, hvl = np.clip(kv, *KV_RANGE), np.clip(hvl, *HVL_RANGE)
    one = np.ones_like(kv)
    of_kv = np.stack([one, kv, kv * kv])
    return np.concatenate([of_kv, of_kv * hvl, of_kv * hvl * hvl])


@cache
def _energy_absorption_coefficients() -> Floats:
    rows = np.asarray(data("physics.json")["energy_absorption"]["rows"])
    found, *_ = np.linalg.lstsq(_terms(rows[:, 0], rows[:, 1]).T, rows[:, 2], rcond=None)
    return np.asarray(found)


def energy_absorption(kv: float, hvl: float) -> float:
    """Return the ratio of the mass energy-absorption coefficients of water and air at the skin.

    A polynomial of the form of the backscatter factor, fitted to the published table; it deviates by
    at most 0.07 %.
    """
    return float(_terms(kv, hvl) @ _energy_absorption_coefficients())


@cache
def _powers_of_sides() -> Floats:
    sides = np.asarray(data("physics.json")["backscatter"]["sides_cm"], float)
    return np.linalg.inv(np.vander(np.log(sides / _MIDDLE_SIDE), increasing=True))


def backscatter_coefficients(kv: float, hvl: float) -> Floats:
    """Return, of shape (5,), the backscatter factor of a beam as polynomial in ln(side / 15 cm).

    It goes through the published values for sides of 5, 10, 20, 25 and 35 cm, and lies within 0.2 %
    of a cubic spline between them.
    """
    coefficients = np.asarray(data("physics.json")["backscatter"]["coefficients"])
    return np.asarray(_powers_of_sides() @ (_terms(kv, hvl) @ coefficients))


def backscatter(coefficients: Floats, side: Floats) -> Floats:
    """Return the backscatter factor for sides of the field at the skin (cm), as an array."""
    x = np.log(np.clip(side, *SIDE_RANGE) / _MIDDLE_SIDE)
    value = np.full_like(x, coefficients[-1])
    for one in coefficients[-2::-1]:
        value *= x
        value += one
    return value


def table_transmission(kv: float, copper: float) -> float:
    """Return the transmission of table and pad at normal incidence, mean of two rooms."""
    known = data("physics.json")["table_transmission"]
    found = []
    for one in known["measurements"]:
        values = _between(np.asarray(one["values"]), copper, known["copper_mm"])
        found.append(float(_between(values, kv, one["kv"])))
    return sum(found) / len(found)

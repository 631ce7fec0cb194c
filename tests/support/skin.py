"""Surfaces and events made up for the tests of skin dose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from orthanc_dose.skindose.exposures import exposure
from orthanc_dose.skindose.irradiation import Beams, Table, irradiate
from orthanc_dose.skindose.phantom import Phantom, surface
from orthanc_dose.skindose.poses import beams
from orthanc_dose.skindose.profiles import Profile, profile_of

Point = tuple[float, float, float]

# Positions of the table as in the cases: across + left, along + head, height + down, all from the isocentre.
PLAIN = profile_of(
    {
        "name": "plain",
        "maker": "*",
        "models": ["*"],
        "status": "validated",
        "source": "skin_dose_cases.py",
        "across": [{"field": "table_longitudinal_position"}],
        "below": [{"field": "table_height_position"}],
        "along": [{"field": "table_lateral_position"}],
    }
)


def event(**values: Any) -> dict[str, Any]:
    """Return an event of 1 Gy and 100 cm2 at 63.5 cm from the focus, PA, with the table's origin at the
    isocentre; lengths in mm, DAP in Gy.m2, as in the store."""
    return {
        "event_number": 1,
        "dose_rp": 1.0,
        "dap": 0.01,
        "distance_source_to_isocenter": 785.0,
        "distance_source_to_reference_point": 635.0,
        "positioner_primary_angle": 0.0,
        "positioner_secondary_angle": 0.0,
        "table_longitudinal_position": 0.0,
        "table_lateral_position": 0.0,
        "table_height_position": 0.0,
        "kvp": 80.0,
        **values,
    }


def code(value: str, scheme: str = "DCM") -> dict[str, str]:
    return {"value": value, "scheme": scheme, "meaning": value}


def bare(*events: Mapping[str, Any], profile: Profile = PLAIN, position: str = "HFS") -> Beams:
    """Return the beams of events without backscatter, energy absorption and table: kerma in air."""
    made = beams([exposure(one, (), profile) for one in events], profile, position)
    scatter = np.zeros_like(made.scatter)
    scatter[:, 0] = 1
    one = np.ones(len(made))
    return replace(made, scatter=scatter, correction=one, transmission=one)


def kerma(phantom: Phantom, made: Beams, table: Table | None = None) -> np.ndarray[Any, Any]:
    """Return the map (n,) of beams on a phantom that stands where it is to be."""
    out = np.zeros(len(phantom.area))
    for hit in irradiate(phantom, made, table):
        out[hit.cells] += hit.dose
    return out


def flux(phantom: Phantom, made: Beams) -> float:
    return sum(hit.flux for hit in irradiate(phantom, made, None))


def shape(corners: np.ndarray[Any, Any], inside: Point, convex: bool = True) -> Phantom:
    """Return a phantom of a grid of corners (rows + 1, columns + 1, 3), with normals away from a point."""
    centre, normal, half_a, half_b, area = surface(corners)
    away = ((centre - np.array(inside)[:, None]) * normal).sum(0)
    n = len(area)
    return Phantom(
        "shape", centre, np.where(away < 0, -normal, normal), half_a, half_b, area,
        np.zeros(n, np.uint8), ("skin",), np.zeros((2, n), np.int32), (1, n), convex,
    )  # fmt: skip


def joined(*parts: Phantom) -> Phantom:
    """Return one phantom of several."""
    names = ("centre", "normal", "half_a", "half_b", "area", "part", "place")
    return replace(
        parts[0],
        **{name: np.concatenate([getattr(one, name) for one in parts], axis=-1) for name in names},
    )


def plane(y: float, half: float, cell: float, x: float = 0.0, z: float = 0.0) -> Phantom:
    """Return a square of skin at a height, that faces away from the isocentre."""
    steps = np.arange(round(2 * half / cell) + 1) * cell - half
    a, b = np.meshgrid(steps + x, steps + z, indexing="ij")
    return shape(np.stack([a, np.full_like(a, y), b], axis=-1), (0, 0, 0) if y else (0, -1, 0))


def cylinder(radius: float, half: float, cell: float) -> Phantom:
    """Return a cylinder along z about the isocentre."""
    turns = round(2 * np.pi * radius / cell)
    turn, z = np.meshgrid(
        np.arange(turns + 1) / turns * 2 * np.pi,
        np.arange(round(2 * half / cell) + 1) * cell - half,
        indexing="ij",
    )
    return shape(np.stack([radius * np.sin(turn), radius * np.cos(turn), z], axis=-1), (0, 0, 0))


def box(x: float, y: float, z: float, cell: float) -> Phantom:
    """Return the four long sides of a box about the isocentre, by halves of its sides."""

    def side(axis: int, at: float, wide: float) -> Phantom:
        a, b = np.meshgrid(
            np.arange(round(2 * wide / cell) + 1) * cell - wide,
            np.arange(round(2 * z / cell) + 1) * cell - z,
            indexing="ij",
        )
        flat = np.full_like(a, at)
        return shape(np.stack([flat, a, b] if axis == 0 else [a, flat, b], axis=-1), (0, 0, 0))

    return joined(side(0, x, y), side(0, -x, y), side(1, y, x), side(1, -y, x))


def sphere(radius: float, steps: int) -> Phantom:
    """Return a sphere about the isocentre."""
    lat, lon = np.meshgrid(
        np.linspace(0, np.pi, steps + 1), np.linspace(0, 2 * np.pi, 2 * steps + 1), indexing="ij"
    )
    corners = np.stack([np.sin(lat) * np.cos(lon), np.cos(lat), np.sin(lat) * np.sin(lon)], axis=-1)
    return shape(radius * corners, (0, 0, 0))

"""Skin dose of a study: which events can be used, the map, and how sure it is."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil, sqrt
from typing import Any

import numpy as np

from . import exposures as events_
from .bodies import ARMS, BODIES, body, body_for
from .exposures import Exposure, LeftOut, Row, Unusable
from .geometry import POSITIONS
from .irradiation import Beams, Hit, Table, irradiate
from .phantom import DEFAULT_HEIGHT, DEFAULT_MASS, Phantom, cuboid
from .physics import (
    Floats,
    backscatter,
    backscatter_coefficients,
    energy_absorption,
    half_value_layer,
)
from .poses import PLANES, beams
from .profiles import Profile
from .results import Input, SkinDose, State, Used, peak_of

RULES_VERSION = 1  # of everything that changes a map; kept maps of another version are made anew
_ENOUGH = 0.1  # of the kerma may be left out of a map
_WIDEST_SIDE = 35.0  # cm, for upper bounds

PHANTOMS = ("cuboid", "body", *BODIES)


@dataclass(frozen=True)
class Patient:
    """The patient: height in cm, mass in kg, sex as M or F, age in years; None (of sizes, or 0) where
    unknown. Sex and age choose the body.
    """

    height: float | None = None
    mass: float | None = None
    sex: str | None = None
    years: float | None = None


@dataclass(frozen=True)
class Settings:
    """Holds what people choose, for a system or a study.

    phantom: one of PHANTOMS; "body" is that which fits the patient. arms: of a body, one of bodies.ARMS.
    position: of the patient, as HFS, which replaces the report's. shift: of the patient on the table, cm:
    across, up, along; see Phantom.placed. pad: thickness, cm. transmission: of table and pad at normal
    incidence, measured; None for the profile's, else the usual one.
    """

    phantom: str = "cuboid"
    arms: str = "raised"
    position: str | None = None
    shift: tuple[float, float, float] = (0.0, 0.0, 5.0)
    pad: float = 4.0
    transmission: float | None = None
    table: Table = field(default_factory=Table)

    def __post_init__(self) -> None:
        """Raise ValueError for a phantom, arms or a position that do not exist."""
        for value, known in (
            (self.phantom, PHANTOMS),
            (self.arms, ARMS),
            (self.position, (None, *POSITIONS)),
        ):
            if value not in known:
                raise ValueError(f"one of {', '.join(str(one) for one in known)}")


def calculate(
    events: Sequence[Row],
    accumulated: Sequence[Row],
    patient: Patient,
    profile: Profile | None,
    settings: Settings | None = None,
) -> SkinDose:
    """Return the skin dose of a study, never an exception for what a report has or lacks.

    events, accumulated: rows of projection_event and projection_accumulated. profile: of the system;
    None if it is not known (profiles.profile_for).
    """
    settings = settings or Settings()
    if not events:
        return SkinDose("not_calculated", "no_events", None)
    found, left_out = _sorted(events, accumulated, profile)
    lost = [one for one in left_out if one.reason not in _NOTHING]
    if not found:
        return _without_map(lost, left_out, profile)
    return _with_map(found, lost, left_out, patient, profile, settings)


def _sorted(
    events: Sequence[Row], accumulated: Sequence[Row], profile: Profile | None
) -> tuple[list[Exposure], list[LeftOut]]:
    found: list[Exposure] = []
    left_out: list[LeftOut] = []
    for row in events:
        try:
            if row.get("counted_in") is not None:
                raise Unusable("counted_in_another_study")
            events_.dose(row)
            if profile is None:
                raise Unusable("unknown_system")
            if profile.status == "unknown":
                raise Unusable("no_geometry")
            found.append(events_.exposure(row, accumulated, profile))
        except Unusable as reason:
            left_out.append(_left_out(row, accumulated, profile, str(reason)))
    return found, left_out


def _left_out(
    row: Row, accumulated: Sequence[Row], profile: Profile | None, reason: str
) -> LeftOut:
    """Return what is known of an event that is not in the map, with the most that it can have given to
    a point: the whole kerma, at the least distance from the focus, with the widest field, without a table.
    """
    plane, assumed = events_.plane_of(row), profile or _NOBODY
    kerma = dap = bound = None
    if reason not in _NOTHING:
        kerma, dap = events_.dose(row)
    if kerma is not None:
        factor = assumed.kerma_factor.get(plane, 1.0)
        kerma, dap = kerma * factor, dap * factor if dap else None
        distance = events_.reference_distance_of(row, accumulated, assumed)
        if distance is not None:
            kv, aluminium, copper = events_.quality(row, assumed, [])
            hvl = half_value_layer(kv, aluminium, copper)
            scatter = backscatter(backscatter_coefficients(kv, hvl), np.array([_WIDEST_SIDE]))
            nearer = max(distance / assumed.nearest_skin_cm, 1.0) ** 2
            bound = kerma * nearer * float(scatter[0]) * energy_absorption(kv, hvl)
    return LeftOut(
        int(row.get("event_number") or 0),
        row.get("irradiation_event_uid"),
        plane,
        reason,
        kerma,
        dap,
        bound,
    )


_NOTHING = ("no_dose", "counted_in_another_study")  # of events that gave nothing to this study
# For bounds of systems without a profile: a mobile C-arm, whose spacer allows the least distance.
_NOBODY = Profile("", "*", ("*",), "unknown", "", nearest_skin_cm=20.0)


def _without_map(
    lost: Sequence[LeftOut], left_out: Sequence[LeftOut], profile: Profile | None
) -> SkinDose:
    reason = _commonest(lost) if lost else "no_dose"
    bound = _bound(lost)
    state: State = "upper_bound" if lost and bound is not None else "not_calculated"
    return SkinDose(
        state,
        reason,
        bound if state == "upper_bound" else None,
        profile=profile.name if profile else None,
        status=profile.status if profile else None,
        left_out=tuple(left_out),
    )


def _commonest(lost: Sequence[LeftOut]) -> str:
    """Return the reason that concerns most of the kerma, or most events."""
    weight: dict[str, tuple[float, int]] = {}
    for one in lost:
        kerma, count = weight.get(one.reason, (0.0, 0))
        weight[one.reason] = kerma + (one.kerma or 0), count + 1
    return max(weight, key=lambda reason: weight[reason])


def _bound(lost: Sequence[LeftOut]) -> float | None:
    """Return the sum of the bounds, None if one is missing."""
    bounds = [one.bound for one in lost]
    return None if None in bounds else sum(one for one in bounds if one is not None)


def _with_map(
    found: list[Exposure],
    lost: Sequence[LeftOut],
    left_out: Sequence[LeftOut],
    patient: Patient,
    profile: Profile | None,
    settings: Settings,
) -> SkinDose:
    assert profile is not None
    phantom = phantom_for(patient, settings)
    run = _Run(found, profile, settings, phantom)
    peak = peak_of(run.dose, phantom.area)
    planes = {name: dose for name, dose in run.planes.items() if len(run.planes) > 1}
    state, reason, psd = _judged(peak.dose, run.share, found, lost)
    return SkinDose(
        state,
        reason,
        psd,
        peak,
        {name: peak_of(dose, phantom.area) for name, dose in planes.items()},
        phantom,
        run.dose,
        planes,
        run.share,
        _inputs(found, patient, profile, settings, phantom),
        profile.name,
        profile.status,
        uncertainty(found, profile, settings),
        run.used,
        tuple(left_out),
    )


def phantom_for(patient: Patient, settings: Settings) -> Phantom:
    """Return the phantom of a patient. Without height or mass: 178.6 cm and 73.2 kg for the cuboid, its own for a
    body.
    """
    if settings.phantom == "cuboid":
        return cuboid(patient.height or DEFAULT_HEIGHT, patient.mass or DEFAULT_MASS)
    name = settings.phantom
    if name == "body":
        name = body_for(patient.sex, patient.years, patient.height)
    return body(name, settings.arms, patient.height, patient.mass)


def _judged(
    peak: float, share: float, found: Sequence[Exposure], lost: Sequence[LeftOut]
) -> tuple[State, str | None, float | None]:
    """Return state, reason and peak skin dose of a study of which some events are not in the map."""
    if share <= 0:
        return "not_calculated", "beam_misses_the_patient", None
    if not lost:
        return "calculated", None, peak
    inside, dap = sum(one.kerma for one in found), sum(one.dap for one in found)
    # Of an event without kerma, it is estimated from its DAP with the mean field of the others.
    outside = [one.kerma or (one.dap * inside / dap if one.dap else None) for one in lost]
    away = sum(one or 0 for one in outside)
    if None not in outside and away <= _ENOUGH * (inside + away):
        return "calculated", None, peak
    bound = _bound(lost)
    if bound is None:
        return "not_calculated", _commonest(lost), None
    return "upper_bound", _commonest(lost), peak + bound


class _Run:
    """The maps of exposures: their sum, by plane, and what each event did."""

    def __init__(
        self, found: Sequence[Exposure], profile: Profile, settings: Settings, phantom: Phantom
    ) -> None:
        self.planes: dict[str, Floats] = {}
        flux: defaultdict[int, float] = defaultdict(float)
        whole: defaultdict[int, float] = defaultdict(float)
        for numbers, some, placed in _groups(found, profile, settings, phantom):
            for hit in irradiate(placed, some, settings.table):
                name = PLANES[some.plane[hit.pose]]
                if name not in self.planes:
                    self.planes[name] = np.zeros(len(phantom.area))
                self.planes[name][hit.cells] += hit.dose
                event = numbers[some.event[hit.pose]]
                flux[event] += hit.flux
                whole[event] += float(some.flux[hit.pose])
        self.dose: Floats = np.sum(list(self.planes.values()), axis=0)
        total = sum(whole.values())
        self.share = sum(flux.values()) / total if total else 0.0
        self.used = tuple(
            _used(one, flux[at] / whole[at] if whole[at] else 0.0) for at, one in enumerate(found)
        )


def _groups(
    found: Sequence[Exposure], profile: Profile, settings: Settings, phantom: Phantom
) -> list[tuple[list[int], Beams, Phantom]]:
    """Return exposures by the patient's position: their indices, their beams, and the phantom on the table."""
    transmission = (
        profile.table_transmission if settings.transmission is None else settings.transmission
    )
    by_position: defaultdict[str, list[int]] = defaultdict(list)
    for at, one in enumerate(found):
        by_position[settings.position or one.position or "HFS"].append(at)
    return [
        (
            numbers,
            beams([found[at] for at in numbers], profile, position, transmission),
            phantom.placed(position, settings.pad, settings.shift),
        )
        for position, numbers in by_position.items()
    ]


def _used(one: Exposure, share: float) -> Used:
    notes = one.notes if share > 0.005 else (*one.notes, "misses_the_patient")
    return Used(one.number, one.uid, one.plane, one.kerma, share, notes)


def poses_of(
    result: SkinDose,
    events: Sequence[Row],
    accumulated: Sequence[Row],
    profile: Profile,
    settings: Settings,
) -> Iterator[tuple[int, Hit]]:
    """Yield what each pose did to the cells of a result's phantom, with the number of its event: what a cell has
    from which event, and the field of an event on the body.
    """
    assert result.phantom is not None
    found, _ = _sorted(events, accumulated, profile)
    for numbers, some, placed in _groups(found, profile, settings, result.phantom):
        for hit in irradiate(placed, some, settings.table):
            yield found[numbers[some.event[hit.pose]]].number, hit


def _inputs(
    found: Sequence[Exposure],
    patient: Patient,
    profile: Profile,
    settings: Settings,
    phantom: Phantom,
) -> dict[str, Input]:
    position = next((one.position for one in found if one.position), None)
    transmission: Any = settings.transmission
    if transmission is None:
        transmission = profile.table_transmission
    return {
        "height_cm": Input(phantom.height, "reported" if patient.height else "assumed"),
        "mass_kg": Input(phantom.mass, "reported" if patient.mass else "assumed"),
        "position": (
            Input(settings.position, "setting")
            if settings.position
            else Input(position or "HFS", "reported" if position else "assumed")
        ),
        "transmission": (
            Input("by beam quality", "assumed")
            if transmission is None
            else Input(float(transmission), "setting")
        ),
        "kerma_factor": (
            Input(
                "; ".join(f"{name} {one:g}" for name, one in profile.kerma_factor.items()),
                "setting",
            )
            if profile.kerma_factor
            else Input(1.0, "assumed")
        ),
    }


def uncertainty(found: Sequence[Exposure], profile: Profile, settings: Settings) -> int:
    """Return the uncertainty of the peak in percent, rounded up to 5: the square root of the sum of the
    squares of those of kerma (35, or 10 where a factor was measured), transmission (10, or 3 where measured),
    distance (10, or 20 with a derived profile), and backscatter with energy absorption (5).
    """
    factors = profile.kerma_factor
    parts = (
        10 if all(one.plane in factors for one in found) else 35,
        10 if settings.transmission is None and profile.table_transmission is None else 3,
        20 if profile.status == "derived" else 10,
        5,
    )
    return 5 * ceil(sqrt(sum(part * part for part in parts)) / 5)

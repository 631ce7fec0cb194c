"""Knows where makers' reports have beam and table: one profile for each maker and model, as data.

profiles.json has those that are shipped, with their sources. Administrators can add others, which come
first. A profile is found by maker, model and software version; without one, nothing is assumed about the
geometry.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any, Literal

from .physics import data

Status = Literal["validated", "peers_agree", "derived", "unknown"]


class InvalidProfile(ValueError):
    """A profile with an unknown or missing key, or a value of the wrong kind."""


@dataclass(frozen=True)
class Axis:
    """Tells how a position of the table follows from fields of an event, in mm:

    sign * field + from_sign * from + offset_mm.

    field, end: columns of the event, at its start and at its end. from_: a column of the event or of the
    accumulated dose, as an origin that the report itself gives.
    """

    field: str
    end: str | None = None
    sign: int = 1
    from_: str | None = None
    from_sign: int = 1
    offset_mm: float = 0.0


@dataclass(frozen=True)
class Profile:
    """Tells how the reports of a maker's systems are to be read.

    maker, models, software: patterns, compared without case; maker is found within the name that the
    report has. across: of the table to the left of a head-first supine patient; below: of the table's
    surface under the isocentre; along: of the table's head end from the isocentre towards the head. Of
    each, the first whose field the event has. primary_sign, secondary_sign: -1 where angles are the
    opposite of the standard's. angles: whether they are those of the equipment, as for a patient who lies
    head first and supine, or follow the patient's position. shape: what gives the field's shape, whose area is
    always DAP / kerma. table_transmission: at normal incidence; None for the usual one.
    inherent_aluminium_mm: total filtration without the filters of the report. kerma_factor: measured
    kerma over displayed kerma, for each plane (A, B, single). arcs_without_end: primary angles of rotations
    whose end the report does not give. nearest_skin_cm: least distance from focus to skin, for upper bounds.
    isocentre_cm: from focus to isocentre, where the report has none.
    """

    name: str
    maker: str
    models: tuple[str, ...]
    status: Status
    source: str
    software: str = "*"
    across: tuple[Axis, ...] = ()
    below: tuple[Axis, ...] = ()
    along: tuple[Axis, ...] = ()
    primary_sign: int = 1
    secondary_sign: int = 1
    angles: Literal["equipment", "patient"] = "equipment"
    shape: Literal["square", "shutters", "sides"] = "square"
    table_transmission: float | None = None
    inherent_aluminium_mm: float = 3.1
    kerma_factor: Mapping[str, float] = field(default_factory=dict)
    arcs_without_end: tuple[tuple[float, float], ...] = ()
    nearest_skin_cm: float = 38.0
    isocentre_cm: float | None = None

    def describes(self, equipment: Mapping[str, Any]) -> bool:
        """Tell whether a row of equipment is of this profile."""
        maker, model, software = (
            " ".join(str(equipment.get(name) or "").split()).casefold()
            for name in ("manufacturer", "manufacturer_model_name", "software_versions")
        )
        # As words, so that "ge" is not found within another maker's name.
        words = maker.replace("_", " ").replace("-", " ").split()
        return (
            (self.maker == "*" or self.maker.casefold() in words)
            and any(fnmatchcase(model, pattern.casefold()) for pattern in self.models)
            and fnmatchcase(software, self.software.casefold())
        )


def profile_of(values: Mapping[str, Any]) -> Profile:
    """Return the profile that a JSON object describes. Raises InvalidProfile."""
    known = {one.name for one in fields(Profile)}
    if unknown := sorted(set(values) - known):
        raise InvalidProfile(f"unknown: {', '.join(unknown)}")
    given = dict(values)
    try:
        for name in ("across", "below", "along"):
            given[name] = tuple(_axis(one) for one in given.get(name, ()))
        given["models"] = tuple(given["models"])
        given["arcs_without_end"] = tuple(
            (float(start), float(end)) for start, end in given.get("arcs_without_end", ())
        )
        made = Profile(**given)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidProfile(str(error)) from error
    _check(made)
    return made


def _axis(values: Mapping[str, Any]) -> Axis:
    return Axis(**{"from_" if name == "from" else name: one for name, one in values.items()})


def _check(profile: Profile) -> None:
    axes = (profile.across, profile.below, profile.along)
    factors = profile.kerma_factor.values()
    if profile.status not in ("validated", "peers_agree", "derived", "unknown"):
        raise InvalidProfile("status")
    if profile.status != "unknown" and not all(axes):
        raise InvalidProfile("across, below and along are required unless the status is unknown")
    if {profile.primary_sign, profile.secondary_sign} - {1, -1}:
        raise InvalidProfile("primary_sign, secondary_sign")
    if any({one.sign, one.from_sign} - {1, -1} for axis in axes for one in axis):
        raise InvalidProfile("sign, from_sign")
    if not all(0.2 <= one <= 5 for one in factors):
        raise InvalidProfile("kerma_factor: 0.2 to 5")
    if profile.table_transmission is not None and not 0.2 <= profile.table_transmission <= 1:
        raise InvalidProfile("table_transmission: 0.2 to 1")
    if profile.angles not in ("equipment", "patient"):
        raise InvalidProfile("angles")
    if profile.shape not in ("square", "shutters", "sides"):
        raise InvalidProfile("shape")


def shipped() -> tuple[Profile, ...]:
    """Return the profiles of this version."""
    return tuple(profile_of(one) for one in data("profiles.json")["profiles"])


def profile_for(equipment: Mapping[str, Any], added: Iterable[Profile] = ()) -> Profile | None:
    """Return the profile of a row of equipment, of those that administrators added first."""
    return next((one for one in (*added, *shipped()) if one.describes(equipment)), None)

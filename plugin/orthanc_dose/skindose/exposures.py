"""From rows of projection_event to exposures: the numbers of one event that a map needs, in cm, Gy, kV
and degrees, each with what had to be assumed; or the reason why the event cannot be used.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..dicom import concepts
from .geometry import POSITIONS
from .profiles import Axis, Profile

Row = Mapping[str, Any]

_NEAREST_REFERENCE, _FARTHEST = 30.0, 150.0  # cm from the focus
_SIDES = (0.5, 60.0)  # cm at the reference point
_RATIOS = (0.3, 3.0)  # of the sides of a field
_AGREES = 0.25  # of the field's area
_WIDEST_ARC = 240.0  # degrees; no C-arm turns further in one run
_SAME_ARC = 30.0  # degrees between the angle of a rotation and the begin of a maker's arc
_MOVES = {"across": 40.0, "below": 20.0, "along": 160.0}  # cm within one event

_ENDS = {"SCT:102540008": "HF", "SCT:102541007": "FF"}  # CID 21
# CID 20; those who lie with their legs raised, or on a tilted table, lie on their backs.
_SIDES_DOWN = {
    "SCT:40199007": "S", "SCT:14205002": "S", "SCT:34106002": "S", "SCT:26527006": "S",
    "SCT:1240000": "P", "SCT:102536004": "DL", "SCT:102535000": "DR",
}  # fmt: skip
_RECUMBENT = "SCT:102538003"  # CID 19


@dataclass(frozen=True)
class Exposure:
    """One event. Pairs are values at its start and end; lengths in cm.

    kerma: at the reference point, Gy; dap: kerma area product, Gy cm2. distance: from focus to reference
    point; isocentre: from focus to isocentre. edges: of the field at the reference point: lower and
    upper across, lower and upper along. position: of the patient, as HFS; None if the report does not
    say. table: across, below and along. tilt: head tilt, cradle tilt, horizontal rotation. notes: what
    was assumed or is doubtful.
    """

    number: int
    uid: str | None
    plane: str
    kerma: float
    dap: float
    distance: float
    isocentre: float
    edges: tuple[float, float, float, float]
    primary: tuple[float, float]
    secondary: tuple[float, float]
    rotation: float
    table: tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
    tilt: tuple[float, float, float]
    kv: float
    aluminium: float
    copper: float
    position: str | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class LeftOut:
    """An event that is not in the map: reason as a word; kerma: Gy, at the reference point, dap: Gy cm2,
    None if unknown. bound: the most that it can have given to any skin, Gy; None if there is no bound.
    """

    number: int
    uid: str | None
    plane: str
    reason: str
    kerma: float | None
    dap: float | None
    bound: float | None


class Unusable(Exception):
    """The reason why an event cannot be used."""


def exposure(row: Row, accumulated: Sequence[Row], profile: Profile) -> Exposure:
    """Return the exposure of an event. accumulated: the study's rows of projection_accumulated.

    Raises Unusable with the reason, one of: no_dose, no_kerma, no_reference_distance,
    no_isocentre_distance, no_field, no_angles, no_table_position, rotation_without_end, position_not_modelled.
    """
    notes: list[str] = []
    plane = plane_of(row)
    kerma, dap = dose(row)
    of_plane = _of_plane(accumulated, plane)
    isocentre = _isocentre(row, of_plane, profile)
    distance = reference_distance(row, of_plane, isocentre)
    if distance is None:
        raise Unusable("no_reference_distance")
    if isocentre is None:
        raise Unusable("no_isocentre_distance")
    area = _area(row, kerma, dap, distance, notes)
    kerma = dap / area if kerma is None and dap is not None else kerma
    if kerma is None:
        raise Unusable("no_kerma")
    factor = profile.kerma_factor.get(plane, 1.0)
    primary, secondary = _angles(row, profile, notes)
    kv, aluminium, copper = quality(row, profile, notes)
    if any(_number(row, f"wedge_{one}_distance") for one in (1, 2)):
        notes.append("wedge_not_modelled")
    return Exposure(
        number=int(row.get("event_number") or 0),
        uid=row.get("irradiation_event_uid"),
        plane=plane,
        kerma=kerma * factor,
        dap=kerma * factor * area,
        distance=distance,
        isocentre=isocentre,
        edges=_edges(row, area, profile, notes),
        primary=primary,
        secondary=secondary,
        rotation=_number(row, "positioner_isocenter_detector_rotation_angle") or 0.0,
        table=_table(row, of_plane, profile, notes),
        tilt=_tilt(row, notes),
        kv=kv,
        aluminium=aluminium,
        copper=copper,
        position=position_of(row),
        notes=tuple(notes),
    )


def plane_of(row: Row) -> str:
    """Return the plane of an event: A, B or single."""
    key = _key(row.get("acquisition_plane"))
    return {concepts.PLANE_A.key: "A", concepts.PLANE_B.key: "B"}.get(key or "", "single")


def dose(row: Row) -> tuple[float | None, float | None]:
    """Return kerma (Gy) and dose area product (Gy cm2) of an event, None for what it does not have.

    Zero is taken as absent if the other one is above zero: it was rounded. Raises Unusable if there is no dose.
    """
    kerma, dap = _number(row, "dose_rp"), _number(row, "dap")
    if not kerma and not dap:
        raise Unusable("no_dose")
    return kerma or None, dap * 1e4 if dap else None


def reference_distance(row: Row, of_plane: Sequence[Row], isocentre: float | None) -> float | None:
    """Return the distance from the focus to the reference point, cm: as the report gives it, else by
    the point's definition (CID 10025, or in words).
    """
    words = _first(row, of_plane, "reference_point_definition") or ""
    words = " ".join(str(words).casefold().split())
    given = _first(row, of_plane, "distance_source_to_reference_point")
    detector = _number(row, "distance_source_to_detector")
    found: float | None = None
    if isinstance(given, int | float) and given > 0 and "chamber" not in words:
        found = given / 10
    elif match := re.search(r"(\d+(?:\.\d+)?) ?(cm|mm)\b", words):
        away = float(match[1]) / (1 if match[2] == "cm" else 10)
        if "isocent" in words:
            found = isocentre - away if isocentre else None
        elif "image input" in words or "receptor" in words or "detector surface" in words:
            found = detector / 10 - away if detector else None
        elif "focus" in words or "focal spot" in words or "from source" in words:
            found = away
    return found if found and _NEAREST_REFERENCE <= found <= _FARTHEST else None


def reference_distance_of(row: Row, accumulated: Sequence[Row], profile: Profile) -> float | None:
    """Return the distance from the focus to the reference point, cm, for what the report gives."""
    of_plane = _of_plane(accumulated, plane_of(row))
    return reference_distance(row, of_plane, _isocentre(row, of_plane, profile))


def position_of(row: Row) -> str | None:
    """Return the patient's position as in PS3.3 C.7.3.1.1.2, None if the event does not have it.

    Raises Unusable for positions in which no phantom can be laid on the table.
    """
    lying, turned, end = (
        _key(row.get(name))
        for name in (
            "patient_orientation",
            "patient_orientation_modifier",
            "patient_table_relationship",
        )
    )
    if (lying and lying != _RECUMBENT) or (turned and turned not in _SIDES_DOWN):
        raise Unusable("position_not_modelled")
    if end and end not in _ENDS:
        raise Unusable("position_not_modelled")
    if turned or end:
        return _ENDS[end or "SCT:102540008"] + _SIDES_DOWN[turned or "SCT:40199007"]
    written = row.get("patient_position")
    if written and written not in POSITIONS:
        raise Unusable("position_not_modelled")
    return str(written) if written else None


def _area(
    row: Row, kerma: float | None, dap: float | None, distance: float, notes: list[str]
) -> float:
    """Return the area of the field at the reference point, cm2."""
    stated = _number(row, "collimated_field_area")
    detector = _number(row, "distance_source_to_detector")
    of_detector = stated * 1e4 * (distance / (detector / 10)) ** 2 if stated and detector else None
    if kerma and dap and _is_field(dap / kerma):
        if of_detector and abs(of_detector / (dap / kerma) - 1) > _AGREES:
            notes.append("field_area_disagrees")
        return dap / kerma
    if of_detector and _is_field(of_detector):
        notes.append("field_area_of_detector")
        return of_detector
    raise Unusable("no_field")


def _is_field(area: float) -> bool:
    return _SIDES[0] ** 2 <= area <= _SIDES[1] ** 2


def _edges(
    row: Row, area: float, profile: Profile, notes: list[str]
) -> tuple[float, float, float, float]:
    """Return the edges of the field at the reference point, cm, of the given area."""
    left, right, low, high = 0.5, 0.5, 0.5, 0.5
    if profile.shape == "shutters":
        names = ("shutter_left", "shutter_right", "shutter_bottom", "shutter_top")
        found = [_number(row, name) for name in names]
        if all(one is not None for one in found):
            left, right, low, high = (float(one or 0) for one in found)
    elif profile.shape == "sides":
        wide, tall = (_number(row, f"collimated_field_{name}") for name in ("width", "height"))
        if wide and tall:
            left = right = wide
            low = high = tall
    across, along = left + right, low + high
    if across <= 0 or along <= 0 or not _RATIOS[0] <= across / along <= _RATIOS[1]:
        notes.append("field_shape_not_credible")
        left = right = low = high = 0.5
        across = along = 1.0
    scale = float(np.sqrt(area / (across * along)))
    return -left * scale, right * scale, -low * scale, high * scale


def _angles(
    row: Row, profile: Profile, notes: list[str]
) -> tuple[tuple[float, float], tuple[float, float]]:
    primary, secondary = (
        _number(row, f"positioner_{one}_angle") for one in ("primary", "secondary")
    )
    if primary is None or secondary is None:
        raise Unusable("no_angles")
    ends = [_number(row, f"positioner_{one}_end_angle") for one in ("primary", "secondary")]
    turns = _key(row.get("irradiation_event_type")) == concepts.ROTATIONAL_ACQUISITION.key
    if turns and all(end is None for end in ends):
        primary, ends[0] = _arc(primary, profile)
        notes.append("rotation_end_assumed")
    end_primary = primary if ends[0] is None else ends[0]
    end_secondary = secondary if ends[1] is None else ends[1]
    if abs(end_primary - primary) > _WIDEST_ARC:
        # The short way, through 180 degrees.
        end_primary += 360 if end_primary < primary else -360
        notes.append("rotation_over_the_patient")
    elif abs(end_primary - primary) > 180:
        notes.append("rotation_direction_assumed")
    one, two = profile.primary_sign, profile.secondary_sign
    return (one * primary, one * end_primary), (two * secondary, two * end_secondary)


def _arc(primary: float, profile: Profile) -> tuple[float, float]:
    """Return start and end of a rotation whose end is not given: the maker's arc that begins or ends
    nearest to the angle.
    """
    arcs = [*profile.arcs_without_end, *((end, start) for start, end in profile.arcs_without_end)]
    nearest = min(arcs, key=lambda arc: abs(arc[0] - primary), default=None)
    if nearest is None or abs(nearest[0] - primary) > _SAME_ARC:
        raise Unusable("rotation_without_end")
    return nearest


def _table(
    row: Row, of_plane: Sequence[Row], profile: Profile, notes: list[str]
) -> tuple[tuple[float, float], tuple[float, float], tuple[float, float]]:
    found = []
    for name, axes in (
        ("across", profile.across),
        ("below", profile.below),
        ("along", profile.along),
    ):
        start, end = _along_axis(row, of_plane, axes)
        if abs(end - start) > _MOVES[name]:
            end = start
            notes.append("table_end_ignored")
        found.append((start, end))
    return found[0], found[1], found[2]


def _along_axis(row: Row, of_plane: Sequence[Row], axes: Sequence[Axis]) -> tuple[float, float]:
    for axis in axes:
        start = _number(row, axis.field)
        origin = _first(row, of_plane, axis.from_) if axis.from_ else 0.0
        if start is None or not isinstance(origin, int | float):
            continue
        end = _number(row, axis.end) if axis.end else None
        # Zero at the end alone: not filled in.
        end = start if end is None or (end == 0 and abs(start) > 10) else end
        fixed = axis.from_sign * origin + axis.offset_mm
        return (axis.sign * start + fixed) / 10, (axis.sign * end + fixed) / 10
    raise Unusable("no_table_position")


def _tilt(row: Row, notes: list[str]) -> tuple[float, float, float]:
    head, cradle, turned = (
        _number(row, f"table_{one}_angle") or 0.0
        for one in ("head_tilt", "cradle_tilt", "horizontal_rotation")
    )
    if any(abs(one) > 0.5 for one in (head, cradle, turned)):
        notes.append("table_tilted")
    return head, cradle, turned


def quality(row: Row, profile: Profile, notes: list[str]) -> tuple[float, float, float]:
    """Return kV, total aluminium and copper in mm."""
    kv = _voltage(row)
    if kv is None:
        kv = 80.0
        notes.append("kv_assumed")
    thickness = {concepts.ALUMINIUM.key: profile.inherent_aluminium_mm, concepts.COPPER.key: 0.0}
    for sheet in row.get("xray_filters") or ():
        material, found = _key(sheet.get("material")), _sheet(sheet)
        if not found:
            continue
        if material in thickness:
            thickness[material] += found
        else:
            notes.append("filter_not_modelled")
    return kv, thickness[concepts.ALUMINIUM.key], thickness[concepts.COPPER.key]


def _voltage(row: Row) -> float | None:
    """Return the voltage: of several, the mean weighted by the time of each, without zeros."""
    values, widths = row.get("kvp_values") or [], row.get("pulse_width_values") or []
    if len(values) != len(widths) or not all(width and width > 0 for width in widths):
        widths = [1.0] * len(values)
    pairs = [(kv, width) for kv, width in zip(values, widths, strict=True) if kv and kv > 0]
    if pairs:
        weighted = sum(kv * width for kv, width in pairs)
        return float(weighted / sum(width for _, width in pairs))
    kv = _number(row, "kvp")
    return kv or None


def _sheet(sheet: Row) -> float | None:
    """Return the thickness of a filter: the mean of least and most, or the most where the least is 0."""
    least, most = _number(sheet, "thickness_minimum"), _number(sheet, "thickness_maximum")
    if least and most:
        return (least + most) / 2
    return least or most


def _isocentre(row: Row, of_plane: Sequence[Row], profile: Profile) -> float | None:
    for name in ("distance_source_to_isocenter", "distance_focal_spot_to_isocenter"):
        found = _first(row, of_plane, name)
        if isinstance(found, int | float) and found > 0:
            return found / 10
    return profile.isocentre_cm


def _of_plane(accumulated: Sequence[Row], plane: str) -> Sequence[Row]:
    """Return the rows of a plane; all if none is of that plane."""
    return [one for one in accumulated if plane_of(one) == plane] or accumulated


def _first(row: Row, of_plane: Sequence[Row], name: str) -> Any:
    return next((one[name] for one in (row, *of_plane) if one.get(name) is not None), None)


def _number(row: Row, name: str) -> float | None:
    value = row.get(name)
    return float(value) if isinstance(value, int | float) and np.isfinite(value) else None


def _key(code: Mapping[str, Any] | None) -> str | None:
    return f"{code['scheme']}:{code['value']}" if code and code.get("value") else None

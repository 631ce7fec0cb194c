"""Containers of projection X-ray dose reports: one event (PS3.16 TID 10003, 10003A, 10003B, 10003C)
and the accumulated data (TID 10002 with 10004, 10005, 10006, 10007)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from orthanc_dose.samples import codes as c
from orthanc_dose.samples import values as v
from orthanc_dose.samples.document import System, device, moment, person
from orthanc_dose.samples.sr import (
    MODIFIER,
    Item,
    code,
    container,
    datetime_item,
    image,
    num,
    nums,
    optional,
    text,
    uidref,
)

Numbers = float | Sequence[float] | None


@dataclass
class Filter:
    """One X-ray filter (TID 10003B row 18), thickness in mm; None leaves type or material out."""

    type: c.Concept | None = v.STRIP_FILTER
    material: c.Concept | None = v.COPPER
    minimum: float | str | None = 0.1
    maximum: float | str | None = 0.1


@dataclass
class ProjectionEvent:
    """One irradiation event (TID 10003 with A, B, C): Gy.m2, Gy, mGy, s, ms, kV, mA, uA.s, mm,
    degrees.

    `pulse_width`, `kvp`, `current` and `exposure` may be lists: one value per pulse, as some
    systems write."""

    type: c.Concept = v.FLUOROSCOPY
    plane: c.Concept = v.SINGLE_PLANE
    uid: str = ""
    started: datetime | None = None
    label: str = ""
    repeated: bool | None = None
    rejected: bool | None = None
    protocol: str = ""
    anatomy: c.Concept | None = None
    laterality: c.Concept | None = None
    view: c.Concept | None = None
    view_modifiers: Sequence[c.Concept] = ()
    table_relationship: c.Concept | None = None
    orientation: c.Concept | None = None
    orientation_modifier: c.Concept | None = None
    region: c.Concept | None = None
    dap: float | str | None = None
    half_value_layer: float | None = None
    patient_thickness: float | None = None
    entrance_exposure: float | None = None
    reference_point: c.Concept | str | None = None
    comment: str = ""
    exposure_index: float | None = None
    target_index: float | None = None
    deviation_index: float | None = None
    images: Sequence[tuple[str, str]] = ()
    rp_dose: float | str | None = None
    rp_dose_empty: bool = False
    agd: float | None = None
    fluoro_mode: c.Concept | None = None
    pulse_rate: float | None = None
    pulses: float | None = None
    pulse_width: Numbers = None
    duration: float | None = None
    kvp: Numbers = None
    current: Numbers = None
    average_current: float | None = None
    exposure_time: float | None = None
    exposure: Numbers = None
    focal_spot: float | None = None
    anode: c.Concept | None = None
    filters: Sequence[Filter] = ()
    field_area: float | None = None
    field_height: float | None = None
    field_width: float | None = None
    grids: Sequence[c.Concept] = ()
    mechanical: c.Concept | None = None
    primary_angle: float | None = None
    secondary_angle: float | None = None
    primary_end_angle: float | None = None
    secondary_end_angle: float | None = None
    column_angulation: float | None = None
    table_head_tilt: float | None = None
    table_rotation: float | None = None
    table_cradle_tilt: float | None = None
    compression_thickness: float | None = None
    source_isocenter: float | None = None
    source_detector: float | None = None
    source_table: float | None = None
    table: tuple[float, float, float] | None = None
    table_end: tuple[float, float, float] | None = None
    person: str = ""
    device: bool = False


@dataclass
class Calibration:
    """A calibration of the dose meter (TID 10002 row 3); a factor of None is written empty."""

    factor: float | None = 1.0
    uncertainty: float | None = 5.0
    when: datetime = datetime(2024, 11, 5, 8, 0, 0)
    party: str = "Sample Physics"
    protocol: str = ""


@dataclass
class Totals:
    """The accumulated dose of one plane of a report: Gy.m2, Gy, s, mGy. None leaves the row out.

    agd: average glandular dose in mGy by laterality concept (Left breast, Right breast, Both
    breasts)."""

    dap: float | None = None
    rp_dose: float | None = None
    fluoro_dap: float | None = None
    fluoro_rp_dose: float | None = None
    fluoro_time: float | None = None
    acquisition_dap: float | None = None
    acquisition_rp_dose: float | None = None
    acquisition_time: float | None = None
    frames: int | None = None
    rp_distance: float | None = None
    reference_point: c.Concept | str | None = None
    detector_type: c.Concept | None = None
    agd: dict[c.Concept, float] = field(default_factory=dict)


def totals_of(events: Sequence[ProjectionEvent], plane: c.Concept = v.SINGLE_PLANE) -> Totals:
    """Return the totals of the events of `plane`, as fluoroscopy reports have them (TID 10004)."""
    mine = [e for e in events if e.plane == plane]
    fluoro = [e for e in mine if e.type == v.FLUOROSCOPY]
    acquired = [e for e in mine if e.type != v.FLUOROSCOPY]

    def total(chosen: list[ProjectionEvent], name: str, digits: int) -> float:
        return round(sum(getattr(e, name) or 0 for e in chosen), digits)

    return Totals(
        dap=total(mine, "dap", 10),
        rp_dose=total(mine, "rp_dose", 8),
        fluoro_dap=total(fluoro, "dap", 10),
        fluoro_rp_dose=total(fluoro, "rp_dose", 8),
        fluoro_time=total(fluoro, "duration", 4),
        acquisition_dap=total(acquired, "dap", 10),
        acquisition_rp_dose=total(acquired, "rp_dose", 8),
        acquisition_time=total(acquired, "duration", 4),
        frames=int(total(acquired, "pulses", 0)),
    )


def _reference_point(point: c.Concept | str | None) -> Item | None:
    if not point:
        return None
    return text(c.RP_DEFINITION, point) if isinstance(point, str) else code(c.RP_DEFINITION, point)


def accumulated_item(
    totals: Totals, plane: c.Concept, system: System, calibrations: Sequence[Calibration] = ()
) -> Item:
    """Return one Accumulated X-Ray Dose Data container (TID 10002); None leaves a row out."""
    t = totals
    return container(
        c.ACCUMULATED,
        code(c.PLANE, plane, relationship=MODIFIER),
        *[
            container(
                c.CALIBRATION,
                code(c.CALIBRATION_DEVICE, v.DOSIMETER, relationship=MODIFIER),
                datetime_item(c.CALIBRATION_TIME, moment(k.when, system.vendor)),
                num(c.CALIBRATION_FACTOR, k.factor),
                num(c.CALIBRATION_UNCERTAINTY, k.uncertainty),
                text(c.CALIBRATION_PARTY, k.party),
                text(c.CALIBRATION_PROTOCOL, k.protocol) if k.protocol else None,
            )
            for k in calibrations
        ],
        *nums(
            [
                (c.DAP_TOTAL, t.dap),
                (c.RP_TOTAL, t.rp_dose),
                (c.FLUORO_DAP_TOTAL, t.fluoro_dap),
                (c.FLUORO_RP_TOTAL, t.fluoro_rp_dose),
                (c.FLUORO_TIME, t.fluoro_time),
                (c.ACQUISITION_DAP_TOTAL, t.acquisition_dap),
                (c.ACQUISITION_RP_TOTAL, t.acquisition_rp_dose),
                (c.ACQUISITION_TIME, t.acquisition_time),
                (c.RP_DISTANCE, t.rp_distance),
                (c.FRAMES_TOTAL, t.frames),
            ]
        ),
        *[
            num(c.AGD_TOTAL, value, code(c.LATERALITY, side, relationship=MODIFIER))
            for side, value in t.agd.items()
        ],
        optional(code, c.DETECTOR_TYPE, t.detector_type),
        _reference_point(t.reference_point),
    )


def _flag(name: c.Concept, value: bool | None, reason: c.Concept) -> Item | None:
    if value is None:
        return None
    why = [code(reason, v.PATIENT_MOTION, relationship=MODIFIER)] if value else []
    return code(name, v.YES if value else v.NO, *why)


def event_item(event: ProjectionEvent, system: System) -> Item:
    """Return the Irradiation Event X-Ray Data container of one event."""
    e = event
    return container(
        c.EVENT,
        code(c.PLANE, e.plane, relationship=MODIFIER),
        uidref(c.EVENT_UID, e.uid) if e.uid else None,
        text(c.EVENT_LABEL, e.label, code(c.LABEL_TYPE, v.SERIES_NUMBER, relationship=MODIFIER))
        if e.label
        else None,
        _flag(c.IS_REPEATED, e.repeated, c.REPEAT_REASON),
        _flag(c.IS_REJECTED, e.rejected, c.REJECT_REASON),
        datetime_item(c.STARTED, moment(e.started, system.vendor)) if e.started else None,
        code(c.EVENT_TYPE, e.type),
        text(c.PROTOCOL, e.protocol) if e.protocol else None,
        code(
            c.ANATOMY, e.anatomy, optional(code, c.LATERALITY, e.laterality, relationship=MODIFIER)
        )
        if e.anatomy
        else None,
        code(
            c.VIEW,
            e.view,
            *[code(c.VIEW_MODIFIER, m, relationship=MODIFIER) for m in e.view_modifiers],
        )
        if e.view
        else None,
        optional(code, c.TABLE_RELATIONSHIP, e.table_relationship),
        code(
            c.ORIENTATION,
            e.orientation,
            optional(code, c.ORIENTATION_MODIFIER, e.orientation_modifier, relationship=MODIFIER),
        )
        if e.orientation
        else None,
        optional(code, c.TARGET_REGION, e.region),
        *nums(
            [
                (c.DAP, e.dap),
                (c.HALF_VALUE_LAYER, e.half_value_layer),
                (c.PATIENT_THICKNESS, e.patient_thickness),
                (c.ENTRANCE_EXPOSURE, e.entrance_exposure),
            ]
        ),
        _reference_point(e.reference_point),
        text(c.COMMENT, e.comment) if e.comment else None,
        *_detector_rows(e),
        *_source_rows(e),
        *_mechanical_rows(e),
        person(e.person, v.ADMINISTERING, system) if e.person else None,
        device(system) if e.device else None,
    )


def _detector_rows(e: ProjectionEvent) -> list[Item]:
    """Return the rows of TID 10003A."""
    rows = nums(
        [
            (c.EXPOSURE_INDEX, e.exposure_index),
            (c.TARGET_INDEX, e.target_index),
            (c.DEVIATION_INDEX, e.deviation_index),
        ]
    )
    return rows + [image(c.ACQUIRED_IMAGE, *reference) for reference in e.images]


def _source_rows(e: ProjectionEvent) -> list[Item | None]:
    """Return the rows of TID 10003B."""
    pulses = (
        None
        if e.pulses is None
        else num(c.PULSES, e.pulses, code(c.DERIVATION, v.MEASURED, relationship=MODIFIER))
    )
    filters = [
        container(
            c.FILTERS,
            optional(code, c.FILTER_TYPE, f.type),
            optional(code, c.FILTER_MATERIAL, f.material),
            *nums([(c.FILTER_MIN, f.minimum), (c.FILTER_MAX, f.maximum)]),
        )
        for f in e.filters
    ]
    return [
        num(c.RP_DOSE, None) if e.rp_dose_empty else optional(num, c.RP_DOSE, e.rp_dose),
        *nums([(c.AGD, e.agd)]),
        optional(code, c.FLUORO_MODE, e.fluoro_mode),
        *nums([(c.PULSE_RATE, e.pulse_rate)]),
        pulses,
        *nums(
            [
                (c.PULSE_WIDTH, e.pulse_width),
                (c.DURATION, e.duration),
                (c.KVP, e.kvp),
                (c.TUBE_CURRENT, e.current),
                (c.AVERAGE_TUBE_CURRENT, e.average_current),
                (c.EXPOSURE_TIME_MS, e.exposure_time),
                (c.EXPOSURE, e.exposure),
                (c.FOCAL_SPOT, e.focal_spot),
            ]
        ),
        optional(code, c.ANODE, e.anode),
        *filters,
        *nums(
            [
                (c.FIELD_AREA, e.field_area),
                (c.FIELD_HEIGHT, e.field_height),
                (c.FIELD_WIDTH, e.field_width),
            ]
        ),
        *[code(c.GRID, grid) for grid in e.grids],
    ]


def _mechanical_rows(e: ProjectionEvent) -> list[Item | None]:
    """Return the rows of TID 10003C; table positions are (longitudinal, lateral, height)."""
    table, end = e.table or (None,) * 3, e.table_end or (None,) * 3
    return [
        optional(code, c.MECHANICAL, e.mechanical),
        *nums(
            [
                (c.PRIMARY_ANGLE, e.primary_angle),
                (c.SECONDARY_ANGLE, e.secondary_angle),
                (c.PRIMARY_END_ANGLE, e.primary_end_angle),
                (c.SECONDARY_END_ANGLE, e.secondary_end_angle),
                (c.COLUMN_ANGULATION, e.column_angulation),
                (c.TABLE_HEAD_TILT, e.table_head_tilt),
                (c.TABLE_ROTATION, e.table_rotation),
                (c.TABLE_CRADLE_TILT, e.table_cradle_tilt),
                (c.COMPRESSION_THICKNESS, e.compression_thickness),
                (c.SOURCE_ISOCENTER, e.source_isocenter),
                (c.SOURCE_DETECTOR, e.source_detector),
                (c.SOURCE_TABLE, e.source_table),
                (c.TABLE_LONGITUDINAL, table[0]),
                (c.TABLE_LATERAL, table[1]),
                (c.TABLE_HEIGHT, table[2]),
                (c.TABLE_LONGITUDINAL_END, end[0]),
                (c.TABLE_LATERAL_END, end[1]),
                (c.TABLE_HEIGHT_END, end[2]),
            ]
        ),
    ]

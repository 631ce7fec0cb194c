"""CT dose reports: PS3.16 TID 10011 with 10012, 10013, 10014, 10015."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from pydicom.dataset import Dataset

from orthanc_dose.samples import codes as c
from orthanc_dose.samples import values as v
from orthanc_dose.samples.document import (
    Patient,
    Study,
    System,
    device,
    document,
    moment,
    observer,
    person,
    scope,
    times,
    uid,
)
from orthanc_dose.samples.sr import (
    INFERRED,
    MODIFIER,
    PROPERTIES,
    Item,
    code,
    container,
    datetime_item,
    num,
    nums,
    optional,
    text,
    uidref,
)
from orthanc_dose.samples.vendors import Vendor
from orthanc_dose.samples.vendors import vendor as find_vendor


@dataclass
class Source:
    """One X-ray tube (TID 10013 row 14): kV, mA, mA, s, mm Al."""

    name: str = "A"
    kvp: float | None = 120
    maximum_current: float | None = 300
    current: float | None = 210
    rotation_time: float | None = 0.5
    aluminum: float | None = None


@dataclass
class DoseCheck:
    """Dose check limits and forward estimates (TID 10015) in mGy.cm and mGy; None: not
    configured."""

    dlp: float | None = None
    ctdi: float | None = None
    dlp_estimate: float | None = None
    ctdi_estimate: float | None = None
    reason: str = ""
    person: str = ""
    alternative: bool | None = None


@dataclass
class SizeSpecific:
    """A size-specific dose estimate (TID 10013 row 30) in mGy and mm; `profile` lists (z, SSDE,
    diameter) along the scan.
    """

    value: float
    method: c.Concept = v.SSDE_WATER
    lateral: float | None = None
    ap: float | None = None
    effective_diameter: float | None = None
    water_diameter: float | None = None
    water_method: c.Concept = v.WATER_FROM_LOCALIZER
    position: float | None = None
    profile: Sequence[tuple[float, float, float]] = ()


@dataclass
class CtEvent:
    """One CT acquisition (TID 10013): s, mm, mGy, mGy.cm, mSv. A `ctdi` of None leaves out the CT
    Dose container.
    """

    protocol: str = "Abdomen"
    type: c.Concept = v.SPIRAL
    region: c.Concept | None = v.ABDOMEN
    context: c.Concept | None = None
    uid: str = ""
    started: datetime | None = None
    label: str = ""
    repeated: bool | None = None
    rejected: bool | None = None
    exposure_time: float | None = 6.2
    scanning_length: float | None = 420
    top: float | None = None
    bottom: float | None = None
    single_collimation: float | None = 0.6
    total_collimation: float | None = 38.4
    pitch: float | None = 0.8
    sources: list[Source] = field(default_factory=lambda: [Source()])
    ctdi: float | None = 8.4
    phantom: c.Concept = v.BODY_PHANTOM
    dlp: float | None = 352.8
    free_air: tuple[float, float] | None = None
    effective_dose: float | None = None
    effective_factor: float | None = 0.015
    ssde: list[SizeSpecific] = field(default_factory=list)
    alert: DoseCheck | None = None
    notification: DoseCheck | None = None
    modulation: str = ""
    reconstruction: c.Concept | None = None
    comment: str = ""
    person: str = ""
    device: bool = False


def _yes(value: bool) -> c.Concept:
    return v.YES if value else v.NO


def _dose_check(check: DoseCheck, alert: bool, system: System) -> Item:
    set_dlp, set_ctdi, dlp, ctdi, dlp_forward, ctdi_forward, name = (
        (
            c.ALERT_DLP_SET,
            c.ALERT_CTDI_SET,
            c.ALERT_DLP,
            c.ALERT_CTDI,
            c.ALERT_DLP_FORWARD,
            c.ALERT_CTDI_FORWARD,
            c.ALERT,
        )
        if alert
        else (
            c.NOTIFICATION_DLP_SET,
            c.NOTIFICATION_CTDI_SET,
            c.NOTIFICATION_DLP,
            c.NOTIFICATION_CTDI,
            c.NOTIFICATION_DLP_FORWARD,
            c.NOTIFICATION_CTDI_FORWARD,
            c.NOTIFICATION,
        )
    )
    return container(
        name,
        code(set_dlp, _yes(check.dlp is not None)),
        code(set_ctdi, _yes(check.ctdi is not None)),
        *nums(
            [
                (dlp, check.dlp),
                (ctdi, check.ctdi),
                (dlp_forward, check.dlp_estimate),
                (ctdi_forward, check.ctdi_estimate),
            ]
        ),
        text(c.REASON_FOR_PROCEEDING, check.reason) if check.reason else None,
        person(check.person, v.AUTHORIZING, system) if check.person else None,
        None if check.alternative is None else code(c.ALTERNATIVE_ALERT, _yes(check.alternative)),
    )


def _size_specific(ssde: SizeSpecific) -> Item:
    children = [code(c.MEASUREMENT_METHOD, ssde.method, relationship=MODIFIER)]
    children += [
        num(name, value, relationship=INFERRED)
        for name, value in (
            (c.LATERAL_DIMENSION, ssde.lateral),
            (c.AP_DIMENSION, ssde.ap),
            (c.EFFECTIVE_DIAMETER, ssde.effective_diameter),
        )
        if value is not None
    ]
    if ssde.water_diameter is not None:
        below = [code(c.MEASUREMENT_METHOD, ssde.water_method, relationship=MODIFIER)]
        if ssde.position is not None:
            below.append(num(c.POSITION_Z, ssde.position, relationship=INFERRED))
        children.append(num(c.WATER_DIAMETER, ssde.water_diameter, *below, relationship=INFERRED))
    for z, value, diameter in ssde.profile:
        children.append(
            num(
                c.SSDE_AT_Z,
                value,
                num(c.POSITION_Z, z, relationship=INFERRED),
                num(c.WATER_DIAMETER_AT_Z, diameter, relationship=INFERRED),
                relationship=INFERRED,
            )
        )
    return num(c.SSDE, ssde.value, *children)


def _dose(event: CtEvent, system: System) -> Item | None:
    """Return the CT Dose container (TID 10013 row 21); a localizer may have none."""
    if event.ctdi is None:
        return None
    factor, free_air = event.free_air or (None, None)
    effective = None
    if event.effective_dose is not None:
        method = code(
            c.MEASUREMENT_METHOD,
            v.DLP_TO_E,
            *(
                [num(c.EFFECTIVE_FACTOR, event.effective_factor, relationship=PROPERTIES)]
                if event.effective_factor is not None
                else []
            ),
            relationship=PROPERTIES,
        )
        effective = num(c.EFFECTIVE_DOSE, event.effective_dose, method)
    return container(
        c.CT_DOSE,
        num(c.CTDI_VOL, event.ctdi),
        code(c.PHANTOM, event.phantom),
        *nums([(c.CTDI_FREE_AIR_FACTOR, factor), (c.CTDI_FREE_AIR, free_air), (c.DLP, event.dlp)]),
        effective,
        *[_size_specific(s) for s in event.ssde],
        _dose_check(event.alert, True, system) if event.alert else None,
        _dose_check(event.notification, False, system) if event.notification else None,
    )


def event_item(event: CtEvent, system: System) -> Item:
    """Return the CT Acquisition container of one event (TID 10013)."""
    length = [(c.SCANNING_LENGTH, event.scanning_length)]
    if event.top is not None and event.bottom is not None:
        length += [
            (c.RECONSTRUCTABLE_LENGTH, abs(event.top - event.bottom)),
            (c.EXPOSED_RANGE, event.scanning_length),
            (c.RECONSTRUCTABLE_TOP, event.top),
            (c.RECONSTRUCTABLE_BOTTOM, event.bottom),
            (c.SCAN_TOP, event.top),
            (c.SCAN_BOTTOM, event.bottom),
        ]
    parameters = container(
        c.CT_PARAMETERS,
        *nums(
            [
                (c.EXPOSURE_TIME_S, event.exposure_time),
                *length,
                (c.SINGLE_COLLIMATION, event.single_collimation),
                (c.TOTAL_COLLIMATION, event.total_collimation),
                (c.PITCH, event.pitch),
                (c.CT_SOURCES, len(event.sources) or None),
            ]
        ),
        uidref(c.FRAME_OF_REFERENCE, uid(event.uid, "frame")) if event.top is not None else None,
        *[
            container(
                c.CT_SOURCE,
                text(c.CT_SOURCE_ID, s.name),
                *nums(
                    [
                        (c.KVP, s.kvp),
                        (c.MAX_TUBE_CURRENT, s.maximum_current),
                        (c.TUBE_CURRENT, s.current),
                        (c.ROTATION_TIME, s.rotation_time),
                        (c.ALUMINUM_EQUIVALENT, s.aluminum),
                    ]
                ),
            )
            for s in event.sources
        ],
    )
    return container(
        c.CT_ACQUISITION,
        text(c.PROTOCOL, event.protocol) if event.protocol else None,
        optional(code, c.TARGET_REGION, event.region),
        code(c.CT_TYPE, event.type),
        optional(code, c.RECONSTRUCTION, event.reconstruction),
        optional(code, c.PROCEDURE_CONTEXT, event.context),
        uidref(c.EVENT_UID, event.uid) if event.uid else None,
        text(
            c.EVENT_LABEL,
            event.label,
            code(c.LABEL_TYPE, v.ACQUISITION_NUMBER, relationship=MODIFIER),
        )
        if event.label
        else None,
        None
        if event.repeated is None
        else code(
            c.IS_REPEATED,
            _yes(event.repeated),
            *(
                [code(c.REPEAT_REASON, v.PATIENT_MOTION, relationship=MODIFIER)]
                if event.repeated
                else []
            ),
        ),
        None
        if event.rejected is None
        else code(
            c.IS_REJECTED,
            _yes(event.rejected),
            *(
                [code(c.REJECT_REASON, v.PATIENT_MOTION, relationship=MODIFIER)]
                if event.rejected
                else []
            ),
        ),
        datetime_item(c.STARTED, moment(event.started, system.vendor)) if event.started else None,
        parameters,
        _dose(event, system),
        text(c.MODULATION, event.modulation) if event.modulation else None,
        text(c.COMMENT, event.comment) if event.comment else None,
        person(event.person, v.ADMINISTERING, system, v.TECHNOLOGIST) if event.person else None,
        device(system) if event.device else None,
    )


def accumulated_item(
    events: Sequence[CtEvent], total_dlp: float | None, effective: float | None, subtotals: bool
) -> Item:
    """Return the accumulated data (TID 10012): the number of events, the total DLP (mGy.cm), and
    the effective dose (mSv) if there is one.
    """
    by_phantom: dict[c.Concept, float] = {}
    for event in events if subtotals else ():
        if event.ctdi is not None and event.dlp is not None:
            by_phantom[event.phantom] = by_phantom.get(event.phantom, 0) + event.dlp
    # At least two, since a single sub-total would repeat the total (TID 10012 row 3a, VM 2-n).
    rows = (
        [
            num(c.DLP_SUBTOTAL, round(dlp, 4), code(c.PHANTOM, phantom, relationship=PROPERTIES))
            for phantom, dlp in by_phantom.items()
        ]
        if len(by_phantom) > 1
        else []
    )
    effective_row = (
        None
        if effective is None
        else num(
            c.EFFECTIVE_TOTAL,
            effective,
            code(c.REFERENCE_AUTHORITY, v.ICRP_103, relationship=PROPERTIES),
            code(c.MEASUREMENT_METHOD, v.DLP_TO_E, relationship=PROPERTIES),
            text(c.PATIENT_MODEL, "Adult reference phantom", relationship=PROPERTIES),
        )
    )
    return container(
        c.CT_ACCUMULATED,
        num(c.CT_EVENTS_TOTAL, len(events)),
        optional(num, c.DLP_TOTAL, total_dlp),
        *rows,
        effective_row,
    )


def total_dlp(events: Sequence[CtEvent]) -> float:
    """Return the sum of the events' DLP in mGy.cm, as an accumulated container should give it."""
    return round(sum(e.dlp for e in events if e.ctdi is not None and e.dlp is not None), 4)


def default_events(count: int, seed: int, started: datetime, key: str) -> list[CtEvent]:
    """Return `count` plausible events: a localizer, then spirals, some axial or stationary."""
    rng = Random(f"ct|{seed}")
    events, when = [], started
    for index in range(count):
        when += timedelta(seconds=rng.randint(15, 90), microseconds=rng.randrange(1_000_000))
        event = CtEvent(uid=uid(key, "event", index), started=when, label=str(index + 1))
        if index == 0:
            event = localizer(event)
        else:
            event.ctdi = round(rng.uniform(3, 18), 2)
            event.scanning_length = float(rng.randint(180, 600))
            event.dlp = round(event.ctdi * event.scanning_length / 10, 2)
            event.modulation = "XYZ_EC"
            if index % 5 == 4:
                event.type, event.pitch, event.scanning_length = v.SEQUENCED, None, 40.0
                event.dlp = round(event.ctdi * 4, 2)
        events.append(event)
    return events


def localizer(event: CtEvent) -> CtEvent:
    """Return `event` as a localizer radiograph: constant angle, low dose, no pitch or rotation."""
    return replace(
        event,
        protocol="Localizer",
        type=v.CONSTANT_ANGLE,
        ctdi=0.14,
        dlp=7.1,
        pitch=None,
        scanning_length=512.0,
        exposure_time=5.1,
        total_collimation=3.6,
        sources=[Source(kvp=120, current=35, maximum_current=35, rotation_time=None)],
        modulation="NONE",
    )


def ct_report(
    events: int | Sequence[CtEvent] = 4,
    *,
    seed: int = 1,
    vendor: str | Vendor = "standard",
    patient: Patient | None = None,
    study: Study | None = None,
    system: System | None = None,
    total: float | Literal["sum"] | None = "sum",
    effective_total: float | None = None,
    subtotals: bool = False,
    participants: bool = False,
    comment: str = "",
    scope_of: c.Concept = v.SCOPE_STUDY,
    template: str = "10011",
    key: str = "",
    extra: Sequence[Item] = (),
) -> Dataset:
    """Return a CT dose report (TID 10011).

    events: their number, or the events themselves. total: the DLP total in mGy.cm, "sum" for that
    of the events, None to leave it out. key: determines the object's UIDs (default: the seed).
    extra: further items below the root."""
    key = key or f"ct|{seed}"
    system = system or System(vendor=find_vendor(vendor))
    study = study or Study(description="CT abdomen", protocol="Abdomen")
    study.instance_uid = uid(key, "study") if study.instance_uid == "" else study.instance_uid
    made = (
        default_events(events, seed, study.started, key)
        if isinstance(events, int)
        else list(events)
    )
    starts = [e.started for e in made if e.started] or [study.started]
    dlp = total_dlp(made) if total == "sum" else total
    root = container(
        c.REPORT,
        code(c.LANGUAGE, v.ENGLISH, relationship=MODIFIER),
        code(
            c.PROCEDURE_REPORTED,
            v.CT_PROCEDURE,
            code(c.HAS_INTENT, v.DIAGNOSTIC, relationship=MODIFIER),
            relationship=MODIFIER,
        ),
        *observer(system, study.operators if participants else ""),
        *times(min(starts), max(starts) + timedelta(seconds=10), system.vendor),
        scope(study, scope_of),
        accumulated_item(made, dlp, effective_total, subtotals),
        *[event_item(e, system) for e in made],
        text(c.COMMENT, comment) if comment else None,
        code(c.DOSE_SOURCE, v.AUTOMATED),
        person("Justifier^Sample", v.AUTHORIZING, system) if participants else None,
        *extra,
        template=template,
    )
    return document(
        root, patient or Patient(), study, system, key=key, series_description="Dose Report"
    )

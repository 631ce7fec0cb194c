"""Projection X-ray dose reports (PS3.16 TID 10001): fluoroscopy, radiography, mammography."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import log10
from random import Random
from typing import Literal, NamedTuple

from pydicom.dataset import Dataset

from orthanc_dose.samples import codes as c
from orthanc_dose.samples import values as v
from orthanc_dose.samples.document import (
    Patient,
    Study,
    System,
    amount,
    document,
    observer,
    person,
    scope,
    uid,
)
from orthanc_dose.samples.projection import (
    Calibration,
    Filter,
    ProjectionEvent,
    Totals,
    accumulated_item,
    event_item,
    totals_of,
)
from orthanc_dose.samples.sr import MODIFIER, Item, code, container, text
from orthanc_dose.samples.vendors import Vendor
from orthanc_dose.samples.vendors import vendor as find_vendor

_XA_IMAGE = "1.2.840.10008.5.1.4.1.1.12.1"
_DX_IMAGE = "1.2.840.10008.5.1.4.1.1.1.1"
_MG_IMAGE = "1.2.840.10008.5.1.4.1.1.1.2"


def projection_report(
    events: Sequence[ProjectionEvent],
    accumulated: Sequence[tuple[c.Concept, Totals]],
    *,
    system: System,
    study: Study,
    patient: Patient,
    key: str,
    device_type: c.Concept | None,
    procedure: c.Concept = v.PROJECTION_PROCEDURE,
    intent: c.Concept = v.DIAGNOSTIC,
    calibrations: Sequence[Calibration] = (),
    data_available: bool = True,
    participants: bool = False,
    comment: str = "",
    scope_of: c.Concept = v.SCOPE_STUDY,
    source: c.Concept = v.AUTOMATED,
    template: str = "10001",
    extra: Sequence[Item] = (),
) -> Dataset:
    """Return a report of TID 10001: one Accumulated container for each plane in `accumulated`, then
    the events.
    """
    available = [code(name, v.YES) for name in (c.DETECTOR_DATA, c.SOURCE_DATA, c.MECHANICAL_DATA)]
    root = container(
        c.REPORT,
        code(c.LANGUAGE, v.ENGLISH, relationship=MODIFIER),
        code(
            c.PROCEDURE_REPORTED,
            procedure,
            code(c.HAS_INTENT, intent, relationship=MODIFIER),
            relationship=MODIFIER,
        ),
        code(c.DEVICE_TYPE, device_type) if device_type else None,
        *observer(system, study.operators if participants else ""),
        scope(study, scope_of),
        *(available if data_available else []),
        *[accumulated_item(totals, plane, system, calibrations) for plane, totals in accumulated],
        *[event_item(e, system) for e in events],
        text(c.COMMENT, comment) if comment else None,
        person("Justifier^Sample", v.AUTHORIZING, system) if participants else None,
        code(c.DOSE_SOURCE, source),
        *extra,
        template=template,
    )
    return document(
        root, patient, study, system, key=key, series_description="Radiation Dose Information"
    )


def _setting(
    study: Study | None, system: System | None, vendor: str | Vendor, key: str, description: str
) -> tuple[Study, System]:
    system = system or System(vendor=find_vendor(vendor))
    study = study or Study(description=description)
    if study.instance_uid == "":
        study.instance_uid = uid(key, "study")
    return study, system


def fluoroscopy_events(
    count: int,
    seed: int,
    started: datetime,
    key: str,
    vendor: Vendor,
    *,
    planes: Sequence[c.Concept] = (v.SINGLE_PLANE,),
    pulse_level: bool = False,
    scale: float = 1.0,
) -> list[ProjectionEvent]:
    """Return `count` plausible events of an angiography system: in turn fluoroscopy, stationary and
    rotational runs.

    pulse_level: kV, mA, ms and uA.s once per pulse instead of once per event. scale: factor on the
    doses."""
    rng, events, when = Random(f"rf|{seed}"), [], started
    for index in range(count):
        when += timedelta(seconds=rng.randint(8, 120), microseconds=rng.randrange(1_000_000))
        kind = (
            v.ROTATIONAL if index % 11 == 10 else v.STATIONARY if index % 4 == 3 else v.FLUOROSCOPY
        )
        fluoro = kind == v.FLUOROSCOPY
        rate, seconds = (
            (7.5, rng.uniform(2, 25))
            if fluoro
            else (4.0 if kind == v.STATIONARY else 30.0, rng.uniform(2, 6))
        )
        pulses = max(1, round(rate * seconds))
        width = round(rng.uniform(4, 11) if fluoro else rng.uniform(20, 70), 1)
        kvp, current = (
            round(rng.uniform(66, 102), 1),
            round(rng.uniform(20, 120) * (1 if fluoro else 4), 1),
        )
        dose = round(pulses * rng.uniform(1.5e-5, 9e-5) * (1 if fluoro else 9) * scale, 6)
        field_mm = rng.randint(110, 260)
        dap = round(dose * (field_mm / 1000) ** 2 * 0.8, 9)
        angle, tilt = round(rng.gauss(0, 30), 1), round(rng.gauss(0, 14), 1)
        table = (
            round(rng.uniform(-400, 200), 1),
            round(rng.uniform(-60, 60), 1),
            round(rng.uniform(80, 200), 1),
        )
        shown = min(pulses, 60)
        wobble = [1 + ((7 * n) % 13 - 6) / 300 for n in range(shown)]
        event = ProjectionEvent(
            type=kind,
            plane=planes[index % len(planes)],
            uid=uid(key, "event", index),
            started=when,
            label=str(index + 1),
            protocol="FL Low" if fluoro else "Cardiac 15" if kind == v.STATIONARY else "3D Spin",
            anatomy=v.HEART,
            table_relationship=v.HEADFIRST,
            orientation=v.RECUMBENT,
            orientation_modifier=v.SUPINE,
            region=v.CHEST,
            dap=dap,
            rp_dose=dose,
            reference_point=v.RP_15CM,
            fluoro_mode=v.PULSED if fluoro else None,
            pulse_rate=rate,
            pulses=pulses,
            duration=round(seconds, 2),
            pulse_width=[round(width * w, 2) for w in wobble] if pulse_level else width,
            kvp=[round(kvp * w, 1) for w in wobble] if pulse_level else kvp,
            current=[round(current * w, 1) for w in wobble] if pulse_level else current,
            exposure_time=round(pulses * width, 1),
            average_current=current,
            exposure=[round(current * width * w, 1) for w in wobble]
            if pulse_level
            else round(current * width * pulses, 0),
            focal_spot=0.6 if fluoro else 1.0,
            anode=v.TUNGSTEN,
            filters=[Filter(minimum=t, maximum=t) for t in [rng.choice((0.1, 0.2, 0.3, 0.6, 0.9))]]
            + ([Filter(v.WEDGE_FILTER, v.ALUMINUM, 1.0, 1.0)] if index % 3 == 0 else []),
            field_area=round((field_mm / 1000) ** 2, 5),
            field_height=field_mm,
            field_width=field_mm,
            primary_angle=angle,
            secondary_angle=tilt,
            table_head_tilt=0,
            table_rotation=0,
            table_cradle_tilt=0,
            primary_end_angle=round(angle + 200, 1) if kind == v.ROTATIONAL else None,
            secondary_end_angle=tilt if kind == v.ROTATIONAL else None,
            source_isocenter=785,
            source_detector=float(rng.randint(980, 1200)),
            source_table=560,
            table=table,
            table_end=table if kind == v.STEPPING else None,
            device=vendor.comment_xml,
            images=[] if fluoro else [(_XA_IMAGE, uid(key, "image", index))],
        )
        if vendor.comment_xml:
            event.comment = (
                f'<FluoroData><iiDiameter SRData="{field_mm}"/><PatientPosition>'
                '<Position SRData="HFS"/></PatientPosition></FluoroData>'
            )
        events.append(event)
    return events


def fluoroscopy_report(
    events: int | Sequence[ProjectionEvent] = 12,
    *,
    seed: int = 1,
    vendor: str | Vendor = "standard",
    patient: Patient | None = None,
    study: Study | None = None,
    system: System | None = None,
    biplane: bool = False,
    pulse_level: bool = False,
    totals: Sequence[tuple[c.Concept, Totals]] | Literal["sum"] | None = "sum",
    calibrated: bool = True,
    participants: bool = False,
    key: str = "",
    comment: str = "",
    device_type: c.Concept | None = v.FLUORO_GUIDED,
    template: str = "10001",
    extra: Sequence[Item] = (),
) -> Dataset:
    """Return a fluoroscopy or angiography dose report (TID 10001 with 10004).

    biplane: events in planes A and B, and an Accumulated container for each plane. pulse_level:
    many kV, mA, ms and uA.s items per event. totals: "sum" of the events by plane, (plane,
    `Totals`) pairs, or None for no such container."""
    key = key or f"rf|{seed}"
    study, system = _setting(study, system, vendor, key, "Coronary angiography")
    planes: tuple[c.Concept, ...] = (v.PLANE_A, v.PLANE_B) if biplane else (v.SINGLE_PLANE,)
    made = (
        fluoroscopy_events(
            events, seed, study.started, key, system.vendor, planes=planes, pulse_level=pulse_level
        )
        if isinstance(events, int)
        else list(events)
    )
    if totals == "sum":
        planes = tuple(dict.fromkeys(e.plane for e in made)) or planes
        totals = [(plane, totals_of(made, plane)) for plane in sorted(planes)]
        for _, each in totals:
            each.reference_point, each.rp_distance = v.RP_15CM, 635
    return projection_report(
        made,
        totals or [],
        system=system,
        study=study,
        patient=patient or Patient(),
        key=key,
        device_type=device_type,
        intent=v.COMBINED,
        calibrations=[Calibration()] if calibrated else (),
        participants=participants,
        comment=comment,
        template=template,
        extra=extra,
    )


class Exposure(NamedTuple):
    """A kind of radiographic exposure: kV, mAs, distance from source to detector in mm, DAP in
    Gy.m2.
    """

    protocol: str
    region: c.Concept
    view: c.Concept
    kvp: float
    mas: float
    distance: float
    mount: c.Concept
    dap: float


CHEST_PA = Exposure("Chest PA", v.CHEST, v.PA, 120, 2.0, 1800, v.UPRIGHT_MOUNT, 8e-6)
CHEST_LATERAL = Exposure("Chest LAT", v.CHEST, v.LATERAL, 125, 5.0, 1800, v.UPRIGHT_MOUNT, 2e-5)
ABDOMEN_AP = Exposure("Abdomen AP", v.ABDOMEN, v.AP, 81, 25, 1150, v.TABLE_MOUNT, 1.2e-4)
PELVIS_AP = Exposure("Pelvis AP", v.PELVIS, v.AP, 77, 22, 1150, v.TABLE_MOUNT, 1.3e-4)
LUMBAR_AP = Exposure("L-spine AP", v.LUMBAR_SPINE, v.AP, 81, 28, 1150, v.TABLE_MOUNT, 9e-5)
LUMBAR_LATERAL = Exposure(
    "L-spine LAT", v.LUMBAR_SPINE, v.LATERAL, 90, 45, 1150, v.TABLE_MOUNT, 1.7e-4
)
KNEE_AP = Exposure("Knee AP", v.KNEE, v.AP, 62, 4, 1150, v.TABLE_MOUNT, 5e-6)
KNEE_LATERAL = Exposure("Knee LAT", v.KNEE, v.LATERAL, 62, 4, 1150, v.TABLE_MOUNT, 5e-6)
HAND_PA = Exposure("Hand PA", v.HAND, v.PA, 52, 2, 1150, v.TABLE_MOUNT, 1e-6)
EXPOSURES = (CHEST_PA, CHEST_LATERAL, ABDOMEN_AP, KNEE_AP)


def radiography_events(
    count: int, seed: int, started: datetime, key: str, exposures: Sequence[Exposure] = EXPOSURES
) -> list[ProjectionEvent]:
    """Return `count` plausible exposures of a radiography room, cycling through `exposures`, with
    IEC exposure index.
    """
    rng, events, when = Random(f"dx|{seed}"), [], started
    for index in range(count):
        when += timedelta(seconds=rng.randint(20, 120), microseconds=rng.randrange(1_000_000))
        name, region, view, kvp, usual_mas, distance, mount, dap = exposures[index % len(exposures)]
        mas, target = round(usual_mas * rng.uniform(0.6, 1.6), 2), 400
        index_value = round(target * rng.uniform(0.6, 1.7), 1)
        current = float(rng.choice((160, 250, 320, 400)))
        events.append(
            ProjectionEvent(
                type=v.STATIONARY,
                uid=uid(key, "event", index),
                started=when,
                protocol=name,
                anatomy=region,
                view=view,
                region=region,
                dap=round(dap * mas / usual_mas * rng.uniform(0.8, 1.3), 10),
                kvp=float(kvp),
                current=current,
                exposure=round(mas * 1000, 1),
                exposure_time=round(mas / current * 1e3, 2),
                pulses=1,
                focal_spot=1.0,
                anode=v.TUNGSTEN,
                rp_dose=round(mas * kvp * kvp * 2e-9, 8),
                reference_point=v.RP_SKIN,
                exposure_index=index_value,
                target_index=target,
                deviation_index=round(10 * log10(index_value / target), 1),
                filters=[
                    Filter(v.FLAT_FILTER, v.ALUMINUM, 1.0, 1.0),
                    Filter(v.FLAT_FILTER, v.COPPER, 0.1, 0.1),
                ],
                field_height=350,
                field_width=430,
                grids=[v.FOCUSED_GRID] if mas > 3 else [v.NO_GRID],
                mechanical=mount,
                source_detector=float(distance),
                patient_thickness=float(rng.randint(150, 260)),
                images=[(_DX_IMAGE, uid(key, "image", index))],
            )
        )
    return events


def radiography_totals(events: Sequence[ProjectionEvent], cassette: bool = False) -> Totals:
    """Return the totals of TID 10007 (integrated systems), or 10006 and 10007 (cassettes)."""
    return Totals(
        dap=round(sum(amount(e.dap) for e in events), 10),
        rp_dose=round(sum(amount(e.rp_dose) for e in events), 8),
        frames=len(events),
        reference_point=v.RP_SKIN,
        detector_type=v.STORAGE_DETECTOR if cassette else None,
    )


def radiography_report(
    events: int | Sequence[ProjectionEvent] = 2,
    *,
    seed: int = 1,
    vendor: str | Vendor = "standard",
    patient: Patient | None = None,
    study: Study | None = None,
    system: System | None = None,
    cassette: bool = False,
    totals: Totals | Literal["sum"] | None = "sum",
    key: str = "",
    participants: bool = False,
    template: str = "10001",
    extra: Sequence[Item] = (),
) -> Dataset:
    """Return a radiography dose report (TID 10001 with 10007, also 10006 if `cassette`)."""
    key = key or f"dx|{seed}"
    study, system = _setting(study, system, vendor, key, "Chest radiograph")
    made = (
        radiography_events(events, seed, study.started, key)
        if isinstance(events, int)
        else list(events)
    )
    if totals == "sum":
        totals = radiography_totals(made, cassette)
    return projection_report(
        made,
        [(v.SINGLE_PLANE, totals)] if totals else [],
        system=system,
        study=study,
        patient=patient or Patient(),
        key=key,
        device_type=v.CASSETTE if cassette else v.INTEGRATED,
        participants=participants,
        template=template,
        extra=extra,
    )


def mammography_events(
    count: int, seed: int, started: datetime, key: str, *, tomosynthesis: bool = False
) -> list[ProjectionEvent]:
    """Return `count` plausible exposures in the order RCC, LCC, RMLO, LMLO; with tomosynthesis
    every exposure is a sweep.
    """
    rng, events, when = Random(f"mg|{seed}"), [], started
    thickness = rng.gauss(55, 12)
    for index in range(count):
        when += timedelta(seconds=rng.randint(35, 90), microseconds=rng.randrange(1_000_000))
        left, view = index % 2 == 1, (v.CC, v.MLO)[index // 2 % 2]
        squeezed = min(
            95.0, max(18.0, round(thickness + rng.gauss(2 if view == v.MLO else 0, 3), 0))
        )
        mas = round(40 + squeezed * rng.uniform(0.8, 1.4), 1)
        events.append(
            ProjectionEvent(
                type=v.ROTATIONAL if tomosynthesis else v.STATIONARY,
                uid=uid(key, "event", index),
                started=when,
                protocol="Tomo" if tomosynthesis else "2D",
                anatomy=v.BREAST,
                laterality=v.LEFT if left else v.RIGHT,
                view=view,
                view_modifiers=[v.SPOT_COMPRESSION]
                if index == 4
                else [v.MAGNIFICATION]
                if index == 5
                else (),
                region=v.BREAST,
                half_value_layer=0.55,
                entrance_exposure=round(mas * 0.055, 2),
                agd=round(
                    0.35 + mas * rng.uniform(0.011, 0.017) * (1.25 if tomosynthesis else 1), 2
                ),
                reference_point=v.RP_BREAST,
                pulses=15 if tomosynthesis else 1,
                pulse_width=[round(44 + n % 4 * 0.5, 1) for n in range(15)]
                if tomosynthesis
                else None,
                kvp=float(rng.randint(26, 33)),
                current=round(rng.uniform(90, 180), 1),
                exposure_time=round(mas * 8, 1),
                exposure=round(mas * 1000, 0),
                focal_spot=0.3,
                anode=v.TUNGSTEN,
                filters=[
                    Filter(
                        v.STRIP_FILTER,
                        v.ALUMINUM if tomosynthesis else rng.choice((v.RHODIUM, v.SILVER)),
                        0.7 if tomosynthesis else 0.05,
                        0.7 if tomosynthesis else 0.05,
                    )
                ],
                grids=[v.NO_GRID] if tomosynthesis else [v.RECIPROCATING_GRID],
                field_height=290,
                field_width=240,
                primary_angle=-7.5 if tomosynthesis else 0.0 if view == v.CC else 45.0,
                primary_end_angle=7.5 if tomosynthesis else None,
                compression_thickness=squeezed,
                source_detector=700,
                images=[(_MG_IMAGE, uid(key, "image", index))],
            )
        )
    return events


def mammography_totals(events: Sequence[ProjectionEvent]) -> Totals:
    """Return the glandular dose of each breast in mGy (TID 10005)."""
    agd = {
        side: round(sum(e.agd or 0 for e in events if e.laterality == which), 4)
        for side, which in ((v.RIGHT_BREAST, v.RIGHT), (v.LEFT_BREAST, v.LEFT))
        if any(e.laterality == which for e in events)
    }
    return Totals(agd=agd)


def mammography_report(
    events: int | Sequence[ProjectionEvent] = 4,
    *,
    seed: int = 1,
    vendor: str | Vendor = "standard",
    patient: Patient | None = None,
    study: Study | None = None,
    system: System | None = None,
    tomosynthesis: bool = False,
    totals: Totals | Literal["sum"] | None = "sum",
    screening: bool = True,
    key: str = "",
    template: str = "10001",
    extra: Sequence[Item] = (),
) -> Dataset:
    """Return a mammography dose report (TID 10001 with 10005); the vendor decides on SRT or SCT."""
    key = key or f"mg|{seed}"
    study, system = _setting(study, system, vendor, key, "Mammography")
    made = (
        mammography_events(events, seed, study.started, key, tomosynthesis=tomosynthesis)
        if isinstance(events, int)
        else list(events)
    )
    if totals == "sum":
        totals = mammography_totals(made)
    return projection_report(
        made,
        [(v.SINGLE_PLANE, totals)] if totals else [],
        system=system,
        study=study,
        patient=patient or Patient(),
        key=key,
        device_type=v.INTEGRATED,
        procedure=v.MAMMOGRAPHY_PROCEDURE,
        intent=v.SCREENING if screening else v.DIAGNOSTIC,
        template=template,
        source=v.FROM_IMAGES,
        extra=extra,
    )

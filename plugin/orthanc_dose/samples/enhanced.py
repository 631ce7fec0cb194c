"""Enhanced X-Ray Radiation Dose reports (PS3.16 TID 10040 with 10041 to 10055) and Patient
Radiation Dose reports (TID 10030).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydicom.dataset import Dataset

from orthanc_dose.samples import codes as c
from orthanc_dose.samples import values as v
from orthanc_dose.samples.codes import Concept
from orthanc_dose.samples.document import (
    Patient,
    Study,
    System,
    document,
    moment,
    observer,
    put,
    scope,
    uid,
)
from orthanc_dose.samples.image_parts import nested
from orthanc_dose.samples.sr import (
    MODIFIER,
    PROPERTIES,
    Item,
    code,
    code_item,
    container,
    datetime_item,
    element,
    num,
    nums,
    optional,
    sequence,
    text,
    uidref,
)

ENHANCED_XRAY_DOSE_SR, PATIENT_DOSE_SR = (
    "1.2.840.10008.5.1.4.1.1.88.76",
    "1.2.840.10008.5.1.4.1.1.88.73",
)

_TOTALS, _SUMMARY = (
    Concept("130500", "Accumulated Dose Data"),
    Concept("130501", "Irradiation Event Summary Data"),
)
_REFERENCE_POINT, _DETAILS = (
    Concept("130502", "Reference Point Dosimetry"),
    Concept("130505", "Irradiation Details"),
)
_ORIGIN, _ISOCENTER = (
    Concept("130506", "RDSR Frame of Reference Origin"),
    Concept("130539", "Isocenter Origin"),
)
_CHARACTERISTICS = Concept("130508", "Radiation Source Characteristics")
_VALUE_TYPE, _TECHNIQUE = (
    Concept("130510", "Reported Value Type"),
    Concept("130511", "Radiation Technique"),
)
_FILTRATION, _ATTENUATORS = Concept("130512", "Filtration"), Concept("130513", "Attenuators")
_OUTPUT = Concept("130514", "Radiation Output")
_AIR_KERMA = Concept("130515", "Air Kerma at Output Measurement Point", unit="mGy")
_COORDINATES = Concept("130519", "X-Ray Source Reference Coordinate System")
_MATRIX = Concept("130520", "Transformation Matrix")
_POSITION, _POINT = (
    Concept("130524", "Beam Position"),
    Concept("130525", "Output Measurement Point Position"),
)
_ATTENUATOR = Concept("130531", "Attenuator Characteristics")
_ATTENUATOR_ID = Concept("130527", "Identification of the Attenuator")
_CATEGORY, _THICKNESS = (
    Concept("128458", "Attenuator Category"),
    Concept("130509", "X-Ray Filter Thickness", unit="mm"),
)
_EQUIVALENT = Concept("128465", "Equivalent Attenuator Material")
_ENDED = Concept("111527", "DateTime Ended")
FILTER, TABLE_PAD = Concept("113771", "X-Ray Filters"), Concept("128462", "Table Pad")
CARBON_FIBER = Concept("256501007", "Carbon Fiber", "SCT")
MEAN, MAXIMUM = Concept("373098007", "Mean", "SCT"), Concept("56851009", "Maximum", "SCT")

_PATIENT_REPORT, _ESTIMATE = (
    Concept("128401", "Patient Radiation Dose Report"),
    Concept("128402", "Radiation Dose Estimate"),
)
_ESTIMATE_NAME = Concept("128403", "Radiation Dose Estimate Name")
_METHODOLOGY = Concept("128415", "Radiation Dose Estimate Methodology")
_REPORT_USED, _EVENT_USED = (
    Concept("128416", "SR Instance Used"),
    Concept("128429", "Event UID Used"),
)
_MODEL, _MODEL_TYPE = (
    Concept("128500", "Patient Radiation Dose Model"),
    Concept("128417", "Patient Model Type"),
)
_TRANSPORT = Concept("128420", "Radiation Transport Model Type")
_DEMOGRAPHICS = Concept("128427", "Patient Model Demographics")
_MODEL_AGE = Concept("128428", "Model Minimum Age", unit="a")
_METHOD = Concept("128476", "Radiation Dose Estimate Method")
_METHOD_TYPE = Concept("128477", "Radiation Dose Estimate Method Type")
_SITE = Concept("363698007", "Finding Site", "SCT", "G-C0E3")
MEAN_ABSORBED = Concept("128533", "Mean Absorbed Radiation Dose", unit="mGy")
MAXIMUM_ABSORBED = Concept("128531", "Maximum Absorbed Radiation Dose", unit="mGy")
ANTHROPOMORPHIC = Concept("128404", "Anthropomorphic Model")
VOXELIZED = Concept("128422", "Voxelized Radiation Transport Model")
MONTE_CARLO = Concept("D009010", "Monte Carlo Method", "MSH")


@dataclass(frozen=True)
class Event:
    """An irradiation event with its details (s after the start of the study, Gy.m2, Gy, kV, mA, ms,
    uA.s, mm).

    kvp, current: one value for each of several periods of equal length within the event;
    maximum_kvp: the maximum in each of them. pulse_width, exposure, pulses: of the whole event.
    copper: filter, None for none. dlp and ctdi (mGy.cm, mGy) make it a CT event."""

    start: float
    end: float
    uid: str
    source: str = "A"
    type: Concept = v.FLUOROSCOPY
    label: str = ""
    dap: float | None = 2e-5
    rp_dose: float | None = 0.004
    kvp: Sequence[float] = (80.0,)
    current: Sequence[float] = (40.0,)
    maximum_kvp: float | None = None
    pulse_width: float | None = 8.0
    exposure: float | None = 1200.0
    pulses: float | None = 30
    copper: float | None = 0.2
    ctdi: float | None = None
    dlp: float | None = None


@dataclass(frozen=True)
class SourceTotals:
    """Totals of one source, or of several named like "A and B" (TID 10041): Gy.m2, Gy, s."""

    source: str = "A"
    dap: float | None = None
    fluoro_dap: float | None = None
    acquisition_dap: float | None = None
    fluoro_time: float | None = None
    rp_dose: float | None = None
    dlp: float | None = None
    events: int | None = None


EVENTS = (
    Event(0, 4, "2.25.900001", kvp=(78.0, 80.0), current=(40.0, 44.0), label="1"),
    Event(
        10,
        12,
        "2.25.900002",
        type=v.STATIONARY,
        dap=5e-5,
        rp_dose=0.011,
        kvp=(85.0,),
        current=(320.0,),
        label="2",
    ),
)
TOTALS = (
    SourceTotals(dap=7e-5, fluoro_dap=2e-5, acquisition_dap=5e-5, fluoro_time=4.0, rp_dose=0.015),
)


def enhanced_report(
    events: Sequence[Event] = EVENTS,
    totals: Sequence[SourceTotals] = TOTALS,
    *,
    procedure: Concept = v.PROJECTION_PROCEDURE,
    focal_spot: float | None = 0.6,
    source_table: bool = True,
    tables: bool = True,
    seed: int = 1,
    key: str = "",
    patient: Patient | None = None,
    study: Study | None = None,
    system: System | None = None,
    sop_class: str = "",
) -> Dataset:
    """Return an Enhanced X-Ray Radiation Dose report. focal_spot: given once for the whole study
    and every source. source_table: include the carbon fibre pad of the table among the attenuators.
    tables: include items of value types TABLE and SCOORD3D."""
    key = key or f"enhanced|{seed}"
    system = system or System()
    study = study or Study(description="Cone beam CT")
    if study.instance_uid == "":
        study.instance_uid = uid(key, "study")
    root = container(
        c.REPORT,
        code(c.LANGUAGE, v.ENGLISH, relationship=MODIFIER),
        code(
            c.PROCEDURE_REPORTED,
            procedure,
            code(c.HAS_INTENT, v.DIAGNOSTIC, relationship=MODIFIER),
            relationship=MODIFIER,
        ),
        *observer(system),
        scope(study),
        *[_totals(each) for each in totals],
        *[_summary(each, study.started, system) for each in events],
        _details(events, study.started, system, focal_spot, source_table, tables)
        if events
        else None,
        text(c.COMMENT, "made up"),
        code(c.DOSE_SOURCE, v.AUTOMATED),
        template="10040",
    )
    return document(
        root,
        patient or Patient(),
        study,
        system,
        key=key,
        series_description="Enhanced Dose Report",
        sop_class=sop_class or ENHANCED_XRAY_DOSE_SR,
    )


def _totals(t: SourceTotals) -> Item:
    return container(
        _TOTALS,
        text(c.CT_SOURCE_ID, t.source),
        optional(num, c.CT_EVENTS_TOTAL, t.events),
        *nums(
            [
                (c.DAP_TOTAL, t.dap),
                (c.FLUORO_DAP_TOTAL, t.fluoro_dap),
                (c.ACQUISITION_DAP_TOTAL, t.acquisition_dap),
                (c.FLUORO_TIME, t.fluoro_time),
                (c.DLP_TOTAL, t.dlp),
            ]
        ),
        None
        if t.rp_dose is None
        else container(
            _REFERENCE_POINT, code(c.RP_DEFINITION, v.RP_15CM), num(c.RP_TOTAL, t.rp_dose)
        ),
    )


def _period(start: float, end: float, source: str, began: datetime, system: System) -> list[Item]:
    return [
        datetime_item(name, moment(began + timedelta(seconds=at), system.vendor))
        for name, at in ((c.STARTED, start), (_ENDED, end))
    ] + [text(c.CT_SOURCE_ID, source)]


def _summary(e: Event, began: datetime, system: System) -> Item:
    return container(
        _SUMMARY,
        uidref(c.EVENT_UID, e.uid),
        *_period(e.start, e.end, e.source, began, system),
        text(c.EVENT_LABEL, e.label, code(c.LABEL_TYPE, v.SERIES_NUMBER, relationship=MODIFIER))
        if e.label
        else None,
        code(c.EVENT_TYPE, e.type) if e.ctdi is None else code(c.CT_TYPE, v.SPIRAL),
        *nums([(c.DAP, e.dap), (c.RP_DOSE, e.rp_dose), (c.CTDI_VOL, e.ctdi), (c.DLP, e.dlp)]),
    )


def _details(
    events: Sequence[Event],
    began: datetime,
    system: System,
    focal_spot: float | None,
    pad: bool,
    tables: bool,
) -> Item:
    first, last = min(e.start for e in events), max(e.end for e in events)
    parts: list[Item | bytes] = []
    for source in sorted({e.source for e in events}):
        whole = _period(first, last, source, began, system)
        if focal_spot is not None:
            parts.append(
                container(
                    _CHARACTERISTICS,
                    *whole,
                    num(c.FOCAL_SPOT, focal_spot),
                    code(c.ANODE, v.TUNGSTEN),
                )
            )
        if pad:
            parts.append(
                container(
                    _ATTENUATORS,
                    *whole,
                    _attenuator("PAD", TABLE_PAD, 1.5, CARBON_FIBER, equivalent=True),
                )
            )
        # What adds up over the whole study belongs to no single event.
        parts.append(container(_TECHNIQUE, *whole, num(c.EXPOSURE_TIME_MS, 987654)))
    for e in events:
        parts += _of_event(e, began, system)
    if tables:
        for part in parts:
            if isinstance(part, Item) and part.concept == _OUTPUT:
                part.children.append(tabulated(_AIR_KERMA, "TABLE"))
        position = container(_POSITION, *_period(first, last, events[0].source, began, system))
        position.children.append(tabulated(_POINT, "SCOORD3D"))
        matrix = container(_COORDINATES, *_period(first, last, events[0].source, began, system))
        matrix.children.append(tabulated(_MATRIX, "TABLE"))
        parts += [position, matrix]
    made = container(
        _DETAILS,
        *_period(first, last, events[0].source, began, system)[:2],
        uidref(c.FRAME_OF_REFERENCE, uid("frame")),
        code(_ORIGIN, _ISOCENTER),
    )
    made.children += parts
    return made


def _of_event(e: Event, began: datetime, system: System) -> list[Item]:
    length = (e.end - e.start) / len(e.kvp)
    parts = []
    for number, (kvp, current) in enumerate(zip(e.kvp, e.current, strict=True)):
        at = e.start + number * length
        parts.append(
            container(
                _TECHNIQUE,
                *_period(at, at + length, e.source, began, system),
                num(c.TUBE_CURRENT, current),
                num(c.KVP, kvp, code(_VALUE_TYPE, MEAN, relationship=PROPERTIES)),
                num(c.KVP, e.maximum_kvp, code(_VALUE_TYPE, MAXIMUM, relationship=PROPERTIES))
                if e.maximum_kvp
                else None,
            )
        )
    whole = _period(e.start, e.end, e.source, began, system)
    values = [(c.PULSE_WIDTH, e.pulse_width), (c.EXPOSURE, e.exposure), (c.PULSES, e.pulses)]
    parts.append(container(_TECHNIQUE, *whole, *nums(values)))
    if e.copper is not None:
        parts.append(container(_FILTRATION, *whole, _attenuator("CU", FILTER, e.copper, v.COPPER)))
    return [*parts, container(_OUTPUT, *whole, num(_AIR_KERMA, 12.5))]


def _attenuator(
    name: str, category: Concept, thickness: float, material: Concept, equivalent: bool = False
) -> Item:
    return container(
        _ATTENUATOR,
        text(_ATTENUATOR_ID, name),
        code(_CATEGORY, category),
        code(_EQUIVALENT if equivalent else c.FILTER_MATERIAL, material),
        code(c.FILTER_TYPE, v.FLAT_FILTER),
        num(_THICKNESS, thickness),
    )


def tabulated(concept: Concept, kind: str) -> bytes:
    """Return an item of value type TABLE or SCOORD3D without its content, which no reader of dose
    could interpret.
    """
    named = sequence(0x40, 0xA043, [code_item(concept, "SCT", "", "ISO_IR 192")])
    return (
        element(0x40, 0xA010, b"CS", b"CONTAINS")
        + element(0x40, 0xA040, b"CS", kind.encode())
        + named
    )


@dataclass(frozen=True)
class Estimate:
    """Estimated dose to an organ in mGy (TID 10031)."""

    site: Concept
    mean: float | None = None
    maximum: float | None = None
    side: Concept | None = None


def patient_dose_report(
    estimates: Sequence[Estimate],
    reports: Sequence[str],
    events: Sequence[str] = (),
    *,
    together: bool = False,
    referenced_study: str = "",
    seed: int = 1,
    key: str = "",
    study: Study | None = None,
    system: System | None = None,
    sop_class: str = PATIENT_DOSE_SR,
) -> Dataset:
    """Return a Patient Radiation Dose report made from the dose reports with these SOP instance
    UIDs, and from some of their events.

    together: all organs as siblings in one estimate. referenced_study: the study of the reports, if
    it is a different one."""
    key = key or f"patient-dose|{seed}"
    system = system or System(station="PHYSICS", department="Medical physics")
    study = study or Study(description="Organ doses")
    if study.instance_uid == "":
        study.instance_uid = uid(key, "study")
    used = [_reference(_REPORT_USED, report, events) for report in reports]
    methodology = container(
        _METHODOLOGY,
        container(
            _MODEL,
            code(_MODEL_TYPE, ANTHROPOMORPHIC),
            code(_TRANSPORT, VOXELIZED),
            container(_DEMOGRAPHICS, num(_MODEL_AGE, 40)),
        ),
        container(_METHOD, code(_METHOD_TYPE, MONTE_CARLO)),
    )
    methodology.children[:0] = used
    organs = [
        [text(_ESTIMATE_NAME, "Organ doses"), *_organ(each), methodology] for each in estimates
    ]
    if together:
        organs = [
            [organs[0][0], *(item for each in estimates for item in _organ(each)), methodology]
        ]
    root = container(
        _PATIENT_REPORT,
        code(c.LANGUAGE, v.ENGLISH, relationship=MODIFIER),
        *observer(system),
        *[container(_ESTIMATE, *children) for children in organs],
        template="10030",
    )
    ds = document(
        root,
        Patient(),
        study,
        system,
        key=key,
        series_description="Patient dose",
        sop_class=sop_class,
    )
    if referenced_study:
        used_objects = [
            nested(
                ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.88.67",
                ReferencedSOPInstanceUID=report,
            )
            for report in reports
        ]
        series = nested(
            ReferencedSOPSequence=used_objects, SeriesInstanceUID=uid(key, "referenced series")
        )
        evidence = nested(ReferencedSeriesSequence=[series], StudyInstanceUID=referenced_study)
        put(ds, CurrentRequestedProcedureEvidenceSequence=[evidence])
    return ds


def _organ(each: Estimate) -> list[Item]:
    side = optional(code, c.LATERALITY, each.side, relationship=MODIFIER)
    return [
        code(_SITE, each.site, side),
        *nums([(MEAN_ABSORBED, each.mean), (MAXIMUM_ABSORBED, each.maximum)]),
    ]


def _reference(concept: Concept, report: str, events: Sequence[str]) -> Item:
    # COMPOSITE is written like IMAGE (PS3.3 C.18.3, C.18.4).
    made = Item("IMAGE", concept, ("1.2.840.10008.5.1.4.1.1.88.67", report))
    made.children = [uidref(_EVENT_USED, event, PROPERTIES) for event in events]
    return made

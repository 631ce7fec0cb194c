"""Reports with manufacturers' own content: Philips Xper items, Siemens XML comments, the Siemens
radiation summary.

Numbers and texts are invented; codes, units and the structure of the content are those of the
equipment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from random import Random

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
    scope,
    uid,
)
from orthanc_dose.samples.projection import (
    ProjectionEvent,
    Totals,
    accumulated_item,
    event_item,
    totals_of,
)
from orthanc_dose.samples.projection_reports import fluoroscopy_events
from orthanc_dose.samples.sr import MODIFIER, Item, code, container, datetime_item, num, text
from orthanc_dose.samples.vendors import ENHANCED_SR, Vendor, vendor

_XPER, _RADSUM = "99PHI-IXR-XPER", "99SMS_RADSUM"
_ARCADIS = Vendor(
    "siemens-arcadis",
    "SIEMENS",
    "ARCADIS Varic",
    "VC10A",
    ("rf",),
    template=False,
    sop_class=ENHANCED_SR,
)


def report_of_events(
    events: Sequence[ProjectionEvent],
    *,
    key: str,
    system: System | str = "standard",
    own: Callable[[int, ProjectionEvent], Sequence[Item | bytes]] | None = None,
    totals: Sequence[Totals] | None = None,
    procedure: Concept = v.PROJECTION_PROCEDURE,
    device_type: Concept | None = v.FLUORO_GUIDED,
    extra: Sequence[Item | bytes] = (),
    own_totals: Sequence[Item] = (),
    study: Study | None = None,
) -> Dataset:
    """Return a report of TID 10001 whose events have `own(index, event)` as further content;
    `own_totals` are added to the first accumulated container, `extra` below the root."""
    system = System(vendor=vendor(system)) if isinstance(system, str) else system
    study = study or Study(instance_uid=uid(key, "study"), description="Angiography")
    contents = []
    for index, event in enumerate(events):
        item = event_item(event, system)
        item.children += own(index, event) if own else ()
        contents.append(item)
    accumulated = [
        accumulated_item(each, v.SINGLE_PLANE, system) for each in totals or [totals_of(events)]
    ]
    accumulated[0].children += own_totals
    root = container(
        c.REPORT,
        code(c.PROCEDURE_REPORTED, procedure, relationship=MODIFIER),
        code(c.DEVICE_TYPE, device_type) if device_type else None,
        *observer(system),
        scope(study),
        *accumulated,
        *contents,
        template="10001",
    )
    root.children += extra
    return document(
        root, Patient(), study, system, key=key, series_description="Radiation Dose Information"
    )


def _xper(number: str, meaning: str, value: float | str | None, ucum: str = "mm") -> Item:
    concept = Concept(number, meaning, _XPER)
    return text(concept, value) if isinstance(value, str) else num(concept, value, ucum=ucum)


def xper_items(
    event: ProjectionEvent, *, detector_end: float | None = None, table_height: float = 905.0
) -> list[Item]:
    """Return what Philips Xper systems write of an event in addition to the template, with shutters
    in mm at 1 m from the source.
    """
    fluoro = event.type == v.FLUOROSCOPY
    group = [
        Concept(number, name, _XPER)
        for number, name in (
            ("005", "Wedges and Shutters"),
            ("014", "Beam Position"),
            ("023", "Detector Field Size"),
        )
    ]
    return [
        _xper("003", "Number of Frames", event.pulses, "1"),
        _xper("004", "SubImages per Frame", 1, "1"),
        container(
            group[0],
            _xper("006", "Bottom Shutter", 100),
            _xper("007", "Left Shutter", 80),
            _xper("008", "Right Shutter", 90),
            _xper("009", "Top Shutter", 110),
            _xper("010", "Distance Wedge 1", 174),
            _xper("011", "Distance Wedge 2", 170),
            _xper("012", "Angle Wedge 1", -180, "deg"),
            _xper("013", "Angle Wedge 2", 10, "deg"),
        ),
        container(
            group[1],
            _xper("015", "Longitudinal Beam Position", 1675),
            _xper("017", "Beam Angle", 2, "deg"),
        ),
        *(
            [_xper("018", "Final Distance Source to Detector", detector_end)]
            if detector_end
            else []
        ),
        _xper("019", "Final Table Cradle Angle", 3, "deg"),
        _xper("020", "Final Table Height Position", table_height + 5),
        _xper("021", "Table Height Position", table_height),
        _xper("022", "Final Table Tilt Angle", 4, "deg"),
        container(group[2], _xper("024", "X side", 380), _xper("025", "Y side", 300)),
        _xper("026", "Object Thickness", 140.5),
        _xper("028", "Applicationgroup Name", "Vascular"),
        _xper("029", "Application Name", "Abdomen"),
        *([_xper("030", "Fluoro Flavour", "Low 7.5")] if fluoro else []),
    ]


def xper_report(
    *,
    seed: int = 1,
    distances: Sequence[float | None] = (1000.0, None, 1100.0, None),
    finals: Sequence[float | None] = (None, None, 1150.0, None),
    planes: Sequence[Concept] = (v.SINGLE_PLANE,),
    change: Callable[[list[ProjectionEvent]], None] | None = None,
) -> Dataset:
    """Return a Philips Allura report without exposure times, with one event for each of `distances`
    (source to detector in mm; None if it had not changed and is not written); `finals` are the
    distances at the end. `change` modifies the events."""
    key = f"xper|{seed}"
    system = System(vendor=vendor("philips-xa"))
    events = fluoroscopy_events(
        len(distances), seed, Study().started, key, system.vendor, planes=planes
    )
    for event, distance in zip(events, distances, strict=True):
        event.source_detector, event.exposure_time = distance, None
        event.field_area = event.field_height = event.field_width = None
        event.table = event.table_end = None
    if change:
        change(events)
    return report_of_events(
        events,
        key=key,
        system=system,
        own=lambda index, event: xper_items(event, detector_end=finals[index]),
        own_totals=[
            _xper("001", "Height of System", 1065),
            _xper("002", "Focal Spot to ISO Center", 810),
        ],
    )


def siemens_comment(diameter: object = 220, position: str = "", scene: str = "FL - Ang") -> str:
    """Return the comment of an event of Siemens angiography: the field's diameter in mm and, if
    given, the patient's position.
    """
    patient = (
        f'<PatientPosition><Position SRData="{position}"/></PatientPosition>' if position else ""
    )
    return (
        f'<FluoroData><SceneCounter SRData="1"/><SceneName SRData="{scene}"/><AngulationStep '
        f'SRData=" "/>'
        f'<iiDiameter SRData="{diameter}"/>{patient}<IsPuck SRData="False"/></FluoroData>'
    )


def siemens_positions(*positions: tuple[str, str]) -> str:
    """Return the comment of a whole report: positions of the patient, each with the time
    ("12-May-16 10:06:48") at which it was entered.
    """
    entries = "".join(
        f'<PatientPosition><Position SRData="{position} "/><PositionTime '
        f'SRData="{since}"/></PatientPosition>'
        for position, since in positions
    )
    return (
        f'<Root>{entries}<AccumulatedMonoData><Exposures SRData="0"/></AccumulatedMonoData></Root>'
    )


def radiation_summary(
    *,
    seed: int = 1,
    exposures: float | None = 3,
    seconds: float | None = 84.0,
    dap: float | str | None = 1.25,
    kerma: float | None = None,
) -> Dataset:
    """Return the Enhanced SR of a Siemens Arcadis, with totals only: DAP in Gy.cm^2, air kerma in
    Gy, mostly without a value.
    """
    key = f"arcadis|{seed}"
    rng = Random(key)
    system = System(vendor=_ARCADIS, station="ARCADIS1")
    study = Study(instance_uid=uid(key, "study"), description="Hip fracture fixation")

    def own(number: str, meaning: str) -> Concept:
        return Concept(number, meaning, _RADSUM)

    ended = study.started + timedelta(minutes=rng.randint(10, 40))
    root = container(
        own("C-10", "Radiation Summary Report"),
        num(own("C-200", "Total Number of Exposures"), exposures, ucum="1"),
        num(own("C-202", "Cumulative Fluoro Time"), seconds, ucum="s"),
        num(own("C-204", "Cumulative Dose Area Product"), dap, ucum="Gy.cm^2"),
        datetime_item(own("C-206", "Start"), moment(study.started, _ARCADIS)),
        datetime_item(own("C-208", "End"), moment(ended, _ARCADIS)),
        num(own("C-210", "Cumulative Air Kerma"), kerma, ucum="Gy"),
    )
    return document(root, Patient(), study, system, key=key, series_description="Radiation Summary")

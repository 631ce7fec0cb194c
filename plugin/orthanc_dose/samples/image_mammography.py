"""Mammograms that carry dose in their headers: 2D images, projections in secondary captures, breast
tomosynthesis objects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from orthanc_dose.samples import values as v
from orthanc_dose.samples.codes import Concept
from orthanc_dose.samples.document import Patient, Study, System, coded_dataset, put, uid
from orthanc_dose.samples.image_parts import (
    SECONDARY_CAPTURE,
    apply,
    coded,
    decimal,
    image,
    integer,
    make_unknown,
    nested,
    put_private,
)
from orthanc_dose.samples.sr import Spelling
from orthanc_dose.samples.vendors import Vendor

MG_PRESENTATION, MG_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.2", "1.2.840.10008.5.1.4.1.1.1.2.1"
BREAST_TOMOSYNTHESIS = "1.2.840.10008.5.1.4.1.1.13.1.3"
MEDIO_LATERAL = Concept("399260004", "medio-lateral", "SCT", "R-10224")
IMPLANT_DISPLACED = Concept("399209000", "Implant Displaced", "SCT", "R-102D5")
_VIEW_POSITIONS = {v.CC: "CC", v.MLO: "MLO", MEDIO_LATERAL: "ML"}


@dataclass(frozen=True)
class Mammogram:
    """One exposure: kV, mA, ms, uA.s, mGy, mm, N, degrees; glandularity in percent; None is not
    written.

    agd: average glandular dose. hvl: half value layer in mm Al. view and modifiers: CID 4014 and
    4015. source_to_entrance: (0040,0306). radiological_thickness: GE's private (0045,xx49)."""

    kvp: float | None = 29
    current: float | None = 62
    time: float | None = 840
    exposure: float | None = 52000
    agd: float | None = 1.36
    entrance_dose: float | None = 5.12
    thickness: float | None = 53
    force: float | None = 110
    target: str | None = "RHODIUM"
    filter: str | None = "RHODIUM"
    filter_thickness: float | None = 0.025
    hvl: float | None = 0.42
    magnification: float | None = 1.0
    source_to_detector: float | None = 660
    source_to_entrance: float | None = 607
    focal_spot: float | None = 0.3
    angle: float | None = 0
    grid: tuple[str, ...] = ("RECIPROCATING", "FOCUSED")
    laterality: str | None = "L"
    view: Concept = v.CC
    modifiers: Sequence[Concept] = ()
    glandularity: float | None = None
    radiological_thickness: float | None = None
    protocol: str = "ROUTINE"
    implant: bool = False


def view_code(exposure: Mammogram, scheme: str) -> Dataset:
    """Return the item of View Code Sequence with its modifiers, with SNOMED codes in the scheme
    `scheme` ("SCT", "SRT", "SNM3").
    """
    item = coded(exposure.view, scheme)
    put(item, ViewModifierCodeSequence=[coded(modifier, scheme) for modifier in exposure.modifiers])
    return item


def standard(m: Mammogram) -> dict[str, object]:
    """Return the attributes as the standard defines them (PS3.3 C.8.11.7, C.4.16): organ dose in
    dGy, entrance dose in mGy and in whole dGy.
    """
    thickness = decimal(m.filter_thickness)
    return {
        "KVP": decimal(m.kvp),
        "XRayTubeCurrent": integer(m.current),
        "ExposureTime": integer(m.time),
        "Exposure": None if m.exposure is None else integer(m.exposure / 1000),
        "ExposureInuAs": integer(m.exposure),
        "OrganDose": None if m.agd is None else decimal(round(m.agd / 100, 8)),
        "OrganExposed": "BREAST",
        "EntranceDoseInmGy": decimal(m.entrance_dose),
        "EntranceDose": None if m.entrance_dose is None else round(m.entrance_dose / 100),
        "BodyPartThickness": decimal(m.thickness),
        "CompressionForce": decimal(m.force),
        "AnodeTargetMaterial": m.target,
        "FilterMaterial": m.filter,
        "FilterThicknessMinimum": thickness,
        "FilterThicknessMaximum": thickness,
        "FilterType": "STRIP",
        "HalfValueLayer": decimal(m.hvl),
        "EstimatedRadiographicMagnificationFactor": decimal(m.magnification),
        "FocalSpots": decimal(m.focal_spot),
        "DistanceSourceToDetector": decimal(m.source_to_detector),
        "Grid": list(m.grid) or None,
        "DistanceSourceToEntrance": decimal(m.source_to_entrance),
        "PositionerPrimaryAngle": decimal(m.angle),
        "ImageLaterality": m.laterality,
        "ViewPosition": _VIEW_POSITIONS.get(m.view),
        "BodyPartExamined": "BREAST",
        "ProtocolName": m.protocol,
        "PositionerType": "MAMMOGRAPHIC",
        "ExposureControlMode": "AUTOMATIC",
        "BreastImplantPresent": "YES" if m.implant else "NO",
        "CommentsOnRadiationDose": None if m.glandularity is None else f"{m.glandularity:g} %",
    }


def ge(m: Mammogram) -> dict[str, object]:
    """Return the attributes of GE: Relative X-Ray Exposure is the entrance dose in uGy; no filter
    thickness, no half value layer.
    """
    return standard(m) | {
        "RelativeXRayExposure": None
        if m.entrance_dose is None
        else integer(m.entrance_dose * 1000),
        "FilterThicknessMinimum": None,
        "FilterThicknessMaximum": None,
        "HalfValueLayer": None,
        "Sensitivity": "0.0112",
        "DistanceSourceToPatient": decimal(m.source_to_detector),
        "ExposureControlModeDescription": "AOP standard RECTANGLE 1662 mm 10 mm 180 mm 240 mm",
    }


def hologic(m: Mammogram) -> dict[str, object]:
    """Return the attributes of Hologic: filter thickness and half value layer are given, the
    distance to the entrance is not; its own grid type.

    Relative X-Ray Exposure is a detector signal, not a dose.
    """
    return standard(m) | {
        "RelativeXRayExposure": "432",
        "FilterType": None,
        "DistanceSourceToEntrance": None,
        "Grid": ["HTC_IS"] if m.grid else ["NONE"],
        "ExposureControlMode": "AUTO_FILTER",
    }


def hologic_projections(m: Mammogram) -> dict[str, object]:
    """Return the attributes of projections in a secondary capture: laterality of the series, no
    compression force, time also in us.
    """
    return hologic(m) | {
        "ImageLaterality": None,
        "Laterality": m.laterality,
        "CompressionForce": "0",
        "Grid": ["NONE"],
        "ExposureTimeInuS": None if m.time is None else decimal(m.time * 1000),
    }


def siemens(m: Mammogram) -> dict[str, object]:
    """Return the attributes of Siemens: decimals throughout, no percentage of glandular tissue."""
    return standard(m) | {"CommentsOnRadiationDose": None, "RelativeXRayExposure": "0"}


def tomosynthesis(m: Mammogram) -> dict[str, object]:
    """Return the attributes of a Breast Tomosynthesis Image (PS3.3 A.52): the acquisition and its
    dose in X-Ray 3D Acquisition Sequence.
    """
    flat = standard(m)
    moved = (
        "KVP",
        "BodyPartThickness",
        "CompressionForce",
        "AnodeTargetMaterial",
        "FilterMaterial",
        "FilterThicknessMinimum",
        "FilterThicknessMaximum",
        "HalfValueLayer",
        "OrganDose",
        "EntranceDoseInmGy",
        "DistanceSourceToDetector",
        "FocalSpots",
        "ExposureControlMode",
    )
    acquisition = nested(
        **{name: flat.pop(name) for name in moved},
        XRayTubeCurrentInmA=m.current,
        ExposureTimeInms=m.time,
        ExposureInmAs=None if m.exposure is None else m.exposure / 1000,
    )
    for name in (
        "XRayTubeCurrent",
        "ExposureTime",
        "Exposure",
        "ExposureInuAs",
        "EntranceDose",
        "OrganExposed",
        "Grid",
        "ImageLaterality",
        "FilterType",
        "DistanceSourceToEntrance",
        "PositionerPrimaryAngle",
    ):
        flat.pop(name)
    frame = nested(
        FrameAnatomySequence=[
            nested(FrameLaterality=m.laterality, AnatomicRegionSequence=[coded(v.BREAST)])
        ]
    )
    return flat | {
        "XRay3DAcquisitionSequence": [acquisition],
        "SharedFunctionalGroupsSequence": [frame],
    }


@dataclass(frozen=True)
class MammographySystem:
    """One kind of system. scheme: of SNOMED codes. force_factor: the factor by which the force in N
    is multiplied in the header.
    """

    vendor: Vendor
    exposure: Mammogram
    write: Callable[[Mammogram], dict[str, object]] = standard
    scheme: str = "SRT"
    sop_class: str = MG_PRESENTATION
    force_factor: float = 1
    event_uid: bool = False
    frames: int = 0
    fixed: Mapping[str, object] = field(default_factory=dict)


def _vendor(key: str, manufacturer: str, model: str, software: str) -> Vendor:
    return Vendor(
        key,
        manufacturer,
        model,
        software,
        ("mg",),
        Spelling(scheme="SRT", character_set="ISO_IR 100"),
    )


_DIMENSIONS = _vendor(
    "hologic-dimensions", "HOLOGIC, Inc.", "Selenia Dimensions", "AWS:1.7.2.40\\PXCM:1.4.0.1"
)
_TUNGSTEN = Mammogram(
    target="TUNGSTEN",
    filter="RHODIUM",
    filter_thickness=0.05,
    kvp=28,
    current=100,
    time=1100,
    exposure=110000,
    agd=1.21,
    entrance_dose=4.6,
    hvl=0.512,
    source_to_detector=700,
    source_to_entrance=None,
    magnification=1.073,
    thickness=52,
    force=89.0,
    laterality="R",
    protocol="R CC Combo",
)
TOMO_SWEEP = replace(
    _TUNGSTEN,
    filter="ALUMINUM",
    filter_thickness=0.7,
    kvp=30,
    current=200,
    time=300,
    exposure=60000,
    agd=1.58,
    entrance_dose=4.95,
    hvl=0.548,
    force=None,
    grid=(),
)

MAMMOGRAPHY: dict[str, MammographySystem] = {
    "standard": MammographySystem(
        _vendor("standard-mg", "Sample Devices", "Reference MG", "1.0"),
        Mammogram(),
        scheme="SCT",
        event_uid=True,
    ),
    "ge-ds": MammographySystem(
        _vendor(
            "ge-ds",
            "GE MEDICAL SYSTEMS",
            "Senograph DS ADS_43.10.1",
            "Ads Application Package VERSION ADS_43.10.1",
        ),
        Mammogram(glandularity=31, radiological_thickness=45, force=80),
        ge,
        "SNM3",
        MG_PROCESSING,
        force_factor=10,
    ),
    "ge-essential": MammographySystem(
        _vendor(
            "ge-essential",
            "GE MEDICAL SYSTEMS",
            "Senographe Essential VERSION ADS_54.11",
            "Ads Application Package VERSION ADS_54.11",
        ),
        Mammogram(
            glandularity=24, radiological_thickness=41, force=120, agd=1.44, entrance_dose=5.63
        ),
        ge,
        "SRT",
    ),
    "hologic-selenia": MammographySystem(
        _vendor(
            "hologic-selenia", "LORAD, A Hologic Company", "Lorad Selenia", "AWS:MAMMODROC_3_4_1_8"
        ),
        replace(
            _TUNGSTEN,
            target="MOLYBDENUM",
            filter="MOLYBDENUM",
            filter_thickness=0.03,
            hvl=0.351,
            agd=1.73,
            entrance_dose=6.9,
            laterality="L",
            protocol="L CC",
        ),
        hologic,
        "SNM3",
    ),
    "hologic-dimensions": MammographySystem(_DIMENSIONS, _TUNGSTEN, hologic),
    "hologic-tomo": MammographySystem(
        _DIMENSIONS,
        TOMO_SWEEP,
        hologic_projections,
        "SNM3",
        SECONDARY_CAPTURE,
        fixed={
            "ImagesInAcquisition": "15",
            "ConversionType": "WSD",
            "ImageType": ["ORIGINAL", "PRIMARY"],
        },
    ),
    "hologic-dbt": MammographySystem(
        _DIMENSIONS,
        TOMO_SWEEP,
        tomosynthesis,
        "SRT",
        BREAST_TOMOSYNTHESIS,
        frames=3,
        fixed={
            "ImageType": ["DERIVED", "PRIMARY", "TOMOSYNTHESIS", "NONE"],
            "VolumetricProperties": "VOLUME",
        },
    ),
    "siemens-inspiration": MammographySystem(
        _vendor("siemens-inspiration", "SIEMENS", "Mammomat Inspiration", "VB30P"),
        replace(
            _TUNGSTEN,
            agd=0.987,
            entrance_dose=3.871,
            force=97.5,
            magnification=1.0,
            source_to_detector=655,
            protocol="Routine",
        ),
        siemens,
        "SRT",
        MG_PROCESSING,
    ),
}

# What an archive knew and left with its VR (as in the object of quirk 46): names, dates, UIDs,
# description of pixels.
_KEPT = frozenset(
    int(tag, 16)
    for tag in (
        "00180015 00180060 00181000 00181020 00181030 00181110 00181114 00181150 00181151 00181152 "
        "00181166 00181190 "
        "00181405 00181510 00185101 00540220 7fe00010"
    ).split()
)


def _forgotten(tag: BaseTag) -> bool:
    return tag not in _KEPT and tag.group not in (0x0002, 0x0008, 0x0010, 0x0020, 0x0028)


def mammography_image(
    kind: str = "standard",
    *,
    exposure: Mammogram | None = None,
    intent: str = "",
    number: int = 1,
    scheme: str = "",
    force_factor: float | None = None,
    unknown_vrs: str = "",
    event_uid: bool | str | None = None,
    seed: int = 1,
    key: str = "",
    patient: Patient | None = None,
    study: Study | None = None,
    system: System | None = None,
    acquired: datetime | None = None,
    pixels: int = 4,
    series: str = "",
    **attributes: Any,
) -> Dataset:
    """Return a mammogram as systems of `kind` (a key of `MAMMOGRAPHY`) write it.

    exposure: what was done; by default an exposure typical of such systems. intent: "processing" or
    "presentation" makes it that kind of 2D image. scheme: of SNOMED codes, "SCT", "SRT" or "SNM3".
    force_factor: the header has the force in N times this; Senographe DS 10. unknown_vrs: most
    elements have VR UN, as in an object that passed through an archive; sequences among them have
    their items in "implicit" VR, as the standard demands, or "explicit", as real ones have them
    (dcmtk then cannot read the object). event_uid, attributes: as for `radiography_image`."""
    made = MAMMOGRAPHY[kind]
    exposure = exposure or made.exposure
    key = key or f"mammogram|{kind}|{seed}"
    study = study or Study(description="Mammography screening")
    acquired = acquired or study.started + timedelta(minutes=number)
    system = system or System(
        vendor=made.vendor, department="Mammography", station=made.vendor.key.upper()[:16]
    )
    sop_class = {"processing": MG_PROCESSING, "presentation": MG_PRESENTATION}.get(
        intent, made.sop_class
    )
    kind_of_object = {MG_PROCESSING: "processing", MG_PRESENTATION: "presentation"}.get(
        sop_class, ""
    )
    ds = image(
        sop_class,
        "MG",
        key=key,
        patient=patient,
        study=study,
        system=system,
        acquired=acquired,
        pixels=pixels,
        image_type=("ORIGINAL" if kind_of_object == "processing" else "DERIVED", "PRIMARY", ""),
        bits=14,
        series=series or kind_of_object or kind,
        series_number=number,
        number=number,
        frames=made.frames,
        description=exposure.protocol,
        photometric="MONOCHROME1",
    )
    scheme = scheme or made.scheme
    if kind_of_object:
        put(
            ds,
            PresentationIntentType=f"FOR {kind_of_object.upper()}",
            AcquisitionContextSequence=[],
        )
    apply(ds, made.write(exposure))
    put(
        ds,
        AnatomicRegionSequence=[coded(v.BREAST, scheme)],
        ViewCodeSequence=[view_code(exposure, scheme)],
    )
    factor = made.force_factor if force_factor is None else force_factor
    if "CompressionForce" in ds and exposure.force is not None and factor != 1:
        put(ds, CompressionForce=decimal(exposure.force * factor))
    apply(ds, made.fixed)
    if made.write is ge:
        view = f"{exposure.laterality or ''}{_VIEW_POSITIONS.get(exposure.view, '')}"
        put_private(
            ds,
            0x0045,
            "GEMS_SENO_02",
            {
                0x06: ("DS", decimal(exposure.angle)),
                0x1B: ("CS", view),
                0x49: ("DS", decimal(exposure.radiological_thickness)),
                0x72: ("DS", ["5", "1"]),
            },
        )
    if made.write in (hologic, hologic_projections):
        put_private(ds, 0x0019, "HOLOGIC, Inc.", {0x26: ("CS", "NONE"), 0x27: ("LO", "Center")})
    if made.write is hologic_projections:
        put(
            ds,
            ProcedureCodeSequence=[coded_dataset("NA", "99HOLX", "No Views")],
            PerformedProtocolCodeSequence=[coded_dataset("NA", "99HOLX", "No Views")],
        )
        put_private(ds, 0x7E01, "HOLOGIC, Inc.", {0x01: ("LO", "GITTv1.0"), 0x02: ("SH", "HLXR")})
    if isinstance(event_uid, str):
        put(ds, IrradiationEventUID=event_uid)
    elif made.event_uid if event_uid is None else event_uid:
        put(ds, IrradiationEventUID=uid(key, "event", number))
    apply(ds, attributes)
    if unknown_vrs:
        make_unknown(ds, _forgotten, explicit_items=unknown_vrs == "explicit")
    return ds


def mammography_pair(
    kind: str = "standard", *, event_uid: bool = True, **same: Any
) -> tuple[Dataset, Dataset]:
    """Return the For Processing and the For Presentation image of one exposure, with one event UID
    or none (`event_uid`).
    """
    return (
        mammography_image(kind, intent="processing", event_uid=event_uid, **same),
        mammography_image(kind, intent="presentation", event_uid=event_uid, **same),
    )


def screening(kind: str = "standard", **same: Any) -> list[Dataset]:
    """Return the four images of a screening examination: right and left, cranio-caudal and
    medio-lateral oblique.

    The average glandular dose differs from image to image: the kind's own times 1, 1.05, 1.1 and
    1.15."""
    base = same.pop("exposure", None) or MAMMOGRAPHY[kind].exposure
    key = same.pop("key", "") or f"screening|{kind}|{same.get('seed', 1)}"
    views = [("R", v.CC), ("L", v.CC), ("R", v.MLO), ("L", v.MLO)]
    return [
        mammography_image(
            kind,
            key=key,
            number=n,
            exposure=replace(
                base,
                laterality=side,
                view=view,
                agd=None if base.agd is None else round(base.agd * (0.95 + 0.05 * n), 6),
                angle=0 if view == v.CC else 50,
            ),
            **same,
        )
        for n, (side, view) in enumerate(views, 1)
    ]


def hologic_combo(
    *,
    exposure: Mammogram | None = None,
    sweep: Mammogram | None = None,
    volume: bool = False,
    seed: int = 1,
    study: Study | None = None,
    unknown_vrs: str = "implicit",
    **same: Any,
) -> list[Dataset]:
    """Return one "combo" exposure of a Selenia Dimensions: the 2D image for processing and for
    presentation, and the projections of the tomosynthesis sweep in a secondary capture of the same
    time with other values.

    The dose of the breast is that of `exposure` and `sweep` together: two irradiations under one
    acquisition time. volume: add a Breast Tomosynthesis Image of the sweep, which is not a third
    irradiation. unknown_vrs: of the capture."""
    key = f"combo|{seed}"
    study = study or Study(description="Mammography combo", instance_uid=uid(key, "study"))
    exposure, sweep = exposure or _TUNGSTEN, sweep or TOMO_SWEEP
    common = {"key": key, "study": study, **same}
    made = [
        *mammography_pair("hologic-dimensions", exposure=exposure, event_uid=False, **common),
        mammography_image("hologic-tomo", exposure=sweep, unknown_vrs=unknown_vrs, **common),
    ]
    if volume:
        made.append(mammography_image("hologic-dbt", exposure=sweep, **common))
    return made

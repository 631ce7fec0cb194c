"""Headers of radiographs as systems write them: for each a function from an exposure to
attributes, and data.

A `Radiograph` says what was done, in the units of dose reports; the writers express it the way
equipment does. Thus a test knows what to expect of a header: the exposure from which it was
made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import log10
from typing import Any

from orthanc_dose.samples import values as v
from orthanc_dose.samples.codes import Concept
from orthanc_dose.samples.image_parts import Attributes, coded, decimal, integer, padded
from orthanc_dose.samples.sr import Spelling
from orthanc_dose.samples.vendors import Vendor

COMPUTED_RADIOGRAPHY = "1.2.840.10008.5.1.4.1.1.1"
DX_PRESENTATION, DX_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.1", "1.2.840.10008.5.1.4.1.1.1.1.1"


@dataclass(frozen=True)
class Layer:
    """One filter: material as DICOM's defined term, thickness in mm; None if not given."""

    material: str | None
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class Radiograph:
    """One exposure (TID 10003 with A, B, C): kV, mA, ms, uA.s, Gy.m2, mm, mGy; None is not written.

    deviation_index: None computes 10 log10(index / target) (IEC 62494-1). relative_exposure: the
    manufacturer's own exposure index, with the meaning `relative_meaning`. filter_type:
    (0018,1160)."""

    kvp: float | None = 81
    current: float | None = 250
    time: float | None = 40
    exposure: float | None = 10000
    dap: float | None = 4.1e-6
    source_to_detector: float | None = 1150
    source_to_patient: float | None = None
    focal_spot: float | None = 1.2
    grid: tuple[str, ...] = ()
    filters: tuple[Layer, ...] = ()
    filter_type: str | None = None
    exposure_index: float | None = None
    target_index: float | None = None
    deviation_index: float | None = None
    relative_exposure: float | None = None
    relative_meaning: str = ""
    sensitivity: float | None = None
    entrance_dose: float | None = None
    laterality: str | None = None
    view: str | None = "AP"
    region: Concept = v.ABDOMEN
    protocol: str | None = "Abdomen AP"

    @property
    def deviation(self) -> float | None:
        """The deviation index, given or computed."""
        if self.deviation_index is not None or not self.exposure_index or not self.target_index:
            return self.deviation_index
        return round(10 * log10(self.exposure_index / self.target_index), 1)


Writer = Callable[[Radiograph], dict[str, object]]
_VIEWS = {"AP": v.AP, "PA": v.PA}


def dap_text(gray_square_metres: float | None) -> str | None:
    """Return a dose area product as (0018,115E) has it: dGy.cm2."""
    return None if gray_square_metres is None else decimal(round(gray_square_metres * 1e5, 6))


def filter_attributes(filters: tuple[Layer, ...]) -> dict[str, object]:
    """Return filters as the standard defines them since 2008: one value per filter in every
    attribute (PS3.3 C.8.7.10).
    """
    if not filters:
        return {}
    materials = [layer.material for layer in filters if layer.material]
    thinnest = [decimal(layer.minimum) for layer in filters if layer.minimum is not None]
    thickest = [decimal(layer.maximum) for layer in filters if layer.maximum is not None]
    return {
        "FilterMaterial": materials or None,
        "FilterThicknessMinimum": thinnest or None,
        "FilterThicknessMaximum": thickest or None,
    }


def standard(r: Radiograph) -> dict[str, object]:
    """Return the attributes as the standard defines them (PS3.3 C.8.7.8, C.8.11.5, X-Ray
    acquisition dose), from which all others start.
    """
    return {
        "KVP": decimal(r.kvp),
        "XRayTubeCurrent": integer(r.current),
        "ExposureTime": integer(r.time),
        "Exposure": None if r.exposure is None else integer(r.exposure / 1000),
        "ExposureInuAs": integer(r.exposure),
        "ImageAndFluoroscopyAreaDoseProduct": dap_text(r.dap),
        "DistanceSourceToDetector": decimal(r.source_to_detector),
        "DistanceSourceToPatient": decimal(r.source_to_patient),
        "FocalSpots": decimal(r.focal_spot),
        "Grid": list(r.grid) or None,
        "FilterType": r.filter_type,
        **filter_attributes(r.filters),
        "ExposureIndex": decimal(r.exposure_index),
        "TargetExposureIndex": decimal(r.target_index),
        "DeviationIndex": decimal(r.deviation),
        "RelativeXRayExposure": integer(r.relative_exposure),
        "Sensitivity": decimal(r.sensitivity),
        "EntranceDoseInmGy": decimal(r.entrance_dose),
        "ImageLaterality": r.laterality,
        "ViewPosition": r.view,
        "ProtocolName": r.protocol,
        "BodyPartExamined": r.region.meaning.upper(),
        "AnatomicRegionSequence": [coded(r.region, "SRT")],
        "ViewCodeSequence": [coded(_VIEWS[r.view], "SRT")] if r.view in _VIEWS else None,
    }


def carestream(r: Radiograph) -> dict[str, object]:
    """Return the attributes of Carestream: CR class; mAs also as FD; the procedure in Study
    Description, the view in Series Description.
    """
    return standard(r) | {
        "ExposureInmAs": None if r.exposure is None else r.exposure / 1000,
        "ProtocolName": None,
        "AnatomicRegionSequence": [coded(r.region, "SNM3")],
        "ViewCodeSequence": None,
    }


def kodak_7500(r: Radiograph) -> dict[str, object]:
    """Return the attributes of the Kodak 7500: decimetres, minimum above maximum, commas between
    values, no acquisition date, no uA.s."""

    def joined(parts: list[str | None]) -> bytes | None:
        return padded(",".join(part for part in parts if part)) or None

    return standard(r) | {
        "DistanceSourceToDetector": None
        if r.source_to_detector is None
        else decimal(r.source_to_detector / 100),
        "FilterMaterial": joined([layer.material for layer in r.filters]),
        "FilterThicknessMinimum": joined([decimal(layer.maximum) for layer in r.filters]),
        "FilterThicknessMaximum": joined([decimal(layer.minimum) for layer in r.filters]),
        "ExposureInuAs": None,
        "AcquisitionDate": "",
        "GridFocalDistance": "1828.8",
    }


def ge_xr220(r: Radiograph) -> dict[str, object]:
    """Return the attributes of the GE XR220: six decimals, SNM3 codes, no study description."""
    six = {
        name: None if value is None else f"{value:.6f}"
        for name, value in (
            ("KVP", r.kvp),
            ("ImageAndFluoroscopyAreaDoseProduct", None if r.dap is None else r.dap * 1e5),
            ("FocalSpots", r.focal_spot),
            ("ExposureIndex", r.exposure_index),
            ("TargetExposureIndex", r.target_index),
            ("DeviationIndex", r.deviation),
            ("Sensitivity", r.sensitivity),
        )
    }
    return (
        standard(r)
        | six
        | {
            "StudyDescription": "",
            "AnatomicRegionSequence": [coded(r.region, "SNM3")],
            "ViewCodeSequence": [coded(_VIEWS[r.view], "SNM3")] if r.view in _VIEWS else None,
        }
    )


def siemens_multix(r: Radiograph) -> dict[str, object]:
    """Return the attributes of the Siemens Multix: mAs truncated to a whole number; the filter only
    in the words of its type (CU_0.1_MM)."""
    layer = r.filters[0] if r.filters else None
    return standard(r) | {
        "Exposure": None if r.exposure is None else str(int(r.exposure / 1000)),
        "FilterMaterial": None,
        "FilterThicknessMinimum": None,
        "FilterThicknessMaximum": None,
        "FilterType": f"CU_{layer.maximum:.1f}_MM" if layer else "NONE",
    }


def drgem(r: Radiograph) -> dict[str, object]:
    """Return the attributes of DRGEM: decimals in integer strings, no acquisition date."""
    return standard(r) | {
        "ExposureTime": decimal(r.time),
        "XRayTubeCurrent": decimal(r.current),
        "ExposureInuAs": None,
        "Exposure": None if r.exposure is None else decimal(r.exposure / 1000),
        "AcquisitionDate": None,
    }


def philips(r: Radiograph) -> dict[str, object]:
    """Return the attributes of Philips: the British spelling of the material, which is not the
    defined term."""
    return standard(r) | {
        "FilterMaterial": [
            (layer.material or "").replace("ALUMINUM", "ALUMINIUM") for layer in r.filters
        ]
        or None
    }


def agfa(r: Radiograph) -> dict[str, object]:
    """Return the attributes of Agfa: lgM, a logarithm with decimals, in an integer string."""
    return standard(r) | {"RelativeXRayExposure": decimal(r.relative_exposure)}


def toshiba_tfd(r: Radiograph) -> dict[str, object]:
    """Return the attributes of the Toshiba TFD: Image Comments holds the name of the protocol."""
    return standard(r) | {"ProtocolName": None, "ImageComments": r.protocol}


def newtom(r: Radiograph) -> dict[str, object]:
    """Return the attributes of NewTom: a panoramic image in a DX object; no view, no codes, only
    whole mA and ms."""
    return standard(r) | {
        "ExposureInuAs": None,
        "AnatomicRegionSequence": None,
        "ViewCodeSequence": None,
        "BodyPartExamined": "JAW",
        "ViewPosition": None,
    }


@dataclass(frozen=True)
class RadiographySystem:
    """One kind of system: its manufacturer, its SOP class and modality, how it writes, and a
    typical exposure.

    event_uid: writes an Irradiation Event UID. date_time: writes Acquisition DateTime in addition
    to date and time."""

    vendor: Vendor
    exposure: Radiograph
    write: Writer = standard
    sop_class: str = DX_PRESENTATION
    modality: str = "DX"
    study_description: str = "XR abdomen"
    event_uid: bool = True
    date_time: bool = False
    fixed: Mapping[str, object] = field(default_factory=dict)


def _vendor(key: str, manufacturer: str, model: str, software: str) -> Vendor:
    return Vendor(
        key,
        manufacturer,
        model,
        software,
        ("dx",),
        Spelling(scheme="SRT", character_set="ISO_IR 100"),
    )


_AL1, _CU1, _CU2 = Layer("ALUMINUM", 1.0, 1.0), Layer("COPPER", 0.1, 0.1), Layer("COPPER", 0.2, 0.2)
_CHEST: dict[str, Any] = {"region": v.CHEST, "protocol": "Chest PA", "view": "PA"}

RADIOGRAPHY: dict[str, RadiographySystem] = {
    "standard": RadiographySystem(
        _vendor("standard-dx", "Sample Devices", "Reference DX", "1.0"),
        Radiograph(
            filters=(_AL1, _CU1),
            filter_type="FLAT",
            exposure_index=310,
            target_index=250,
            laterality="U",
            grid=("FIXED", "FOCUSED"),
            source_to_patient=900,
            entrance_dose=0.93,
        ),
    ),
    "carestream-drx": RadiographySystem(
        _vendor("carestream-drx", "CARESTREAM HEALTH", "DRX-REVOLUTION", "5.7.612.1001"),
        Radiograph(
            **_CHEST,
            kvp=102,
            current=320,
            time=5,
            exposure=1600,
            dap=0.712e-5,
            source_to_detector=None,
            exposure_index=243.15,
            target_index=226.22,
            relative_exposure=243,
            relative_meaning="EI (mbel)",
            sensitivity=9120.75,
        ),
        carestream,
        COMPUTED_RADIOGRAPHY,
        "CR",
        "XR CHEST",
        fixed={"SeriesDescription": "PA", "ImageType": ["DERIVED", "PRIMARY"]},
    ),
    "kodak-dr7500": RadiographySystem(
        _vendor("kodak-dr7500", "KODAK", "DR 7500", "4.0.3.B7.P1"),
        Radiograph(
            kvp=81,
            current=500,
            time=18,
            exposure=9000,
            dap=9.842e-5,
            source_to_detector=1150,
            grid=("FOCUSED",),
            filters=(Layer("ALUMINUM", 0.94, 1.06), Layer("COPPER", 0.194, 0.206)),
            relative_exposure=1420,
            relative_meaning="EI (mbel)",
        ),
        kodak_7500,
        study_description="ABDOMEN SUPINE",
        event_uid=False,
    ),
    "ge-xr220": RadiographySystem(
        _vendor("ge-xr220", "GE Healthcare", "Optima XR220", "dm_Platform_release_superbee-FW20"),
        Radiograph(
            kvp=69.9,
            current=190,
            time=8,
            exposure=1520,
            dap=0.6e-5,
            source_to_detector=None,
            focal_spot=0.6,
            grid=("NONE",),
            exposure_index=51.7,
            target_index=438.5,
            sensitivity=97.2,
            laterality="U",
            protocol="ABD_1_VIEW",
        ),
        ge_xr220,
        DX_PROCESSING,
        event_uid=False,
        date_time=True,
        fixed={"ImageType": ["DERIVED", "PRIMARY"]},
    ),
    "siemens-multix": RadiographySystem(
        _vendor("siemens-multix", "SIEMENS", "MULTIX FD", "VE10D"),
        Radiograph(
            **_CHEST,
            kvp=125,
            current=425,
            time=4,
            exposure=1700,
            dap=0.52e-5,
            source_to_detector=1800,
            filters=(_CU1,),
            relative_exposure=210,
            relative_meaning="EXI (uGy)",
        ),
        siemens_multix,
        event_uid=False,
    ),
    "siemens-fluorospot": RadiographySystem(
        _vendor("siemens-fluorospot", "SIEMENS", "Fluorospot Compact FD", "VF10A"),
        Radiograph(
            kvp=77,
            current=480,
            time=27,
            exposure=12960,
            dap=3.77e-5,
            filters=(_CU2,),
            filter_type="FLAT",
            exposure_index=402,
            target_index=400,
            relative_exposure=398,
            relative_meaning="EXI (uGy)",
            grid=("RECIPROCATING", "FOCUSED"),
        ),
    ),
    "drgem": RadiographySystem(
        _vendor("drgem", "DRGEM", "GXR-SD", "RADMAX 3.1"),
        Radiograph(
            kvp=75,
            current=249.2,
            time=161.3,
            exposure=40196,
            dap=5.03e-5,
            filters=(Layer("ALUMINUM", 1, 1),),
        ),
        drgem,
        event_uid=False,
    ),
    "philips-didi": RadiographySystem(
        _vendor("philips-didi", "Philips Medical Systems", "DigitalDiagnost", "1.5.3.1"),
        Radiograph(
            kvp=81,
            current=409,
            time=11,
            exposure=4500,
            dap=1.61e-5,
            filters=(_AL1, _CU1),
            filter_type="FLAT",
            relative_exposure=400,
            relative_meaning="EI",
            exposure_index=271,
            target_index=250,
            grid=("FOCUSED",),
        ),
        philips,
        event_uid=False,
    ),
    "fuji": RadiographySystem(
        _vendor("fuji-dx", "FUJIFILM Corporation", "FDR D-EVO", "V8.0"),
        Radiograph(
            kvp=70,
            current=200,
            time=50,
            exposure=10000,
            dap=2.5e-5,
            relative_exposure=255,
            relative_meaning="S",
            sensitivity=255,
        ),
    ),
    "fuji-cr": RadiographySystem(
        _vendor("fuji-cr", "FUJIFILM Corporation", "5501", "A10"),
        Radiograph(
            kvp=None,
            current=None,
            time=None,
            exposure=None,
            dap=None,
            source_to_detector=None,
            focal_spot=None,
            relative_exposure=188,
            relative_meaning="S",
            sensitivity=188,
        ),
        standard,
        COMPUTED_RADIOGRAPHY,
        "CR",
        event_uid=False,
    ),
    "konica": RadiographySystem(
        _vendor("konica-dx", "KONICA MINOLTA", "AeroDR", "1.60R00"),
        Radiograph(
            kvp=70,
            current=250,
            time=32,
            exposure=8000,
            dap=2.2e-5,
            relative_exposure=412,
            relative_meaning="S",
            sensitivity=412,
        ),
        event_uid=False,
    ),
    "agfa": RadiographySystem(
        _vendor("agfa-dx-image", "Agfa", "DX-D 300", "NX 3.0.8950"),
        Radiograph(
            kvp=77,
            current=320,
            time=20,
            exposure=6400,
            dap=2.05e-5,
            relative_exposure=1.96,
            relative_meaning="lgM (bel)",
        ),
        agfa,
        COMPUTED_RADIOGRAPHY,
        "CR",
        event_uid=False,
    ),
    "canon": RadiographySystem(
        _vendor("canon-cxdi", "Canon Inc.", "CXDI", "7.03.10.20"),
        Radiograph(
            **_CHEST,
            kvp=120,
            current=200,
            time=8,
            exposure=1600,
            dap=0.44e-5,
            relative_exposure=420,
            relative_meaning="REX",
        ),
        standard,
        study_description="Chest PA and lateral",
        event_uid=False,
    ),
    "swissray": RadiographySystem(
        _vendor("swissray", "Swissray", "ddR Formula", "4.2"),
        Radiograph(
            kvp=81,
            current=400,
            time=16,
            exposure=6400,
            dap=1.9e-5,
            relative_exposure=37,
            relative_meaning="DI",
        ),
        event_uid=False,
    ),
    "toshiba-tfd": RadiographySystem(
        _vendor("toshiba-tfd", "TOSHIBA_MEC", "TFD-3000", "TM_TFD_1.0"),
        Radiograph(kvp=80, current=320, time=25, exposure=8000, dap=1.7e-5),
        toshiba_tfd,
        event_uid=False,
    ),
    "newtom-px": RadiographySystem(
        _vendor("newtom", "NNT", "OPT_EL_CEPH", "9_1_0_0"),
        Radiograph(
            kvp=85,
            current=9,
            time=6800,
            exposure=61000,
            dap=0.81e-5,
            source_to_detector=None,
            focal_spot=0.5,
            laterality="B",
            protocol="PANORAMIC",
            view=None,
        ),
        newtom,
        modality="PX",
        study_description="OPG",
        event_uid=False,
    ),
}


def attributes_of(kind: str, exposure: Radiograph) -> Attributes:
    """Return what the system `kind` writes for an exposure."""
    system = RADIOGRAPHY[kind]
    return system.write(exposure) | dict(system.fixed)

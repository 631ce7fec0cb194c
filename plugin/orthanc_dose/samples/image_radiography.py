"""Radiographs (CR, DX, PX) that carry dose in their headers, with real equipment's habits and
errors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydicom.dataset import Dataset

from orthanc_dose.samples.document import Patient, Study, System, put, uid
from orthanc_dose.samples.image_parts import apply, decimal, image
from orthanc_dose.samples.image_radiography_systems import (
    COMPUTED_RADIOGRAPHY,
    DX_PRESENTATION,
    DX_PROCESSING,
    RADIOGRAPHY,
    Layer,
    Radiograph,
    attributes_of,
)


class FilterSpelling(NamedTuple):
    """A way to write filters: its attributes, and what they say (None: nothing reliable)."""

    attributes: dict[str, object]
    filters: tuple[Layer, ...] | None


_ALUMINUM, _COPPER = Layer("ALUMINUM", 1.0, 1.0), Layer("COPPER", 0.1, 0.1)


def _filter(
    kind: str | None, material: object, thinnest: object, thickest: object
) -> dict[str, object]:
    return {
        "FilterType": kind,
        "FilterMaterial": material,
        "FilterThicknessMinimum": thinnest,
        "FilterThicknessMaximum": thickest,
    }


# Quirks 41 and 42: filters as real equipment has written them. Thickness in mm.
FILTER_SPELLINGS: dict[str, FilterSpelling] = {
    "standard": FilterSpelling(_filter("FLAT", "COPPER", "0.1", "0.1"), (_COPPER,)),
    "several": FilterSpelling(
        _filter("FLAT", ["ALUMINUM", "COPPER"], ["1", "0.1"], ["1", "0.1"]), (_ALUMINUM, _COPPER)
    ),
    "symbols": FilterSpelling(
        _filter("FLAT", ["Cu", "Al"], ["0.1", "1"], ["0.1", "1"]), (_COPPER, _ALUMINUM)
    ),
    "several-one-thickness": FilterSpelling(
        _filter("FLAT", ["COPPER", "ALUMINUM"], "0.1", "0.1"), None
    ),
    "aluminium": FilterSpelling(_filter("FLAT", "ALUMINIUM", "1", "1"), (_ALUMINUM,)),
    "zero": FilterSpelling(_filter("FLAT", "COPPER", "0.00", "0.00"), (Layer("COPPER", 0.0, 0.0),)),
    "comma": FilterSpelling(
        _filter("FLAT", b"ALUMINUM,COPPER ", b"1.06,0.206", b"0.94,0.194"),
        (Layer("ALUMINUM", 0.94, 1.06), Layer("COPPER", 0.194, 0.206)),
    ),
    "minimum-above-maximum": FilterSpelling(
        _filter("FLAT", "ALUMINUM", "1.06", "0.94"), (Layer("ALUMINUM", 0.94, 1.06),)
    ),
    "text-in-thickness": FilterSpelling(
        _filter("FLAT", "COPPER", b"0.1 mm Cu ", b"0.1 mm Cu "), None
    ),
    "word-in-thickness": FilterSpelling(_filter("FLAT", "COPPER", b"NONE", b"NONE"), None),
    "siemens-0.1": FilterSpelling(_filter("CU_0.1_MM", None, None, None), (_COPPER,)),
    "siemens-0.2": FilterSpelling(
        _filter("CU_0.2_MM", None, None, None), (Layer("COPPER", 0.2, 0.2),)
    ),
    "siemens-0.3": FilterSpelling(_filter("CU_0.3_MM", "", "", ""), (Layer("COPPER", 0.3, 0.3),)),
    "none": FilterSpelling(_filter("NONE", None, None, None), ()),
    "not-said": FilterSpelling(_filter(None, None, None, None), ()),
    "empty": FilterSpelling(_filter("", "", "", ""), ()),
    "material-only": FilterSpelling(_filter(None, "COPPER", None, None), (Layer("COPPER"),)),
    "unknown-material": FilterSpelling(_filter("FLAT", "UNOBTAINIUM", "0.1", "0.1"), None),
}

_NO_DATES = dict.fromkeys(
    ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "AcquisitionDateTime")
)
_NO_TIMES = dict.fromkeys(("StudyTime", "SeriesTime", "AcquisitionTime", "ContentTime"))


def _thousandfold(value: float | None) -> str | None:
    return None if value is None else decimal(value * 1000)


# Quirks 38 to 40, 44, 45 and encoding errors: what each changes in a header made from the exposure
# `r`.
ODDITIES: dict[str, Callable[[Radiograph], dict[str, object]]] = {
    # Values in another attribute or unit, with an unchanged meaning.
    "time-in-us": lambda r: {"ExposureTime": None, "ExposureTimeInuS": _thousandfold(r.time)},
    "current-in-ua": lambda r: {
        "XRayTubeCurrent": None,
        "XRayTubeCurrentInuA": _thousandfold(r.current),
    },
    "time-as-fd": lambda r: {"ExposureTime": None, "ExposureTimeInms": r.time},
    "current-as-fd": lambda r: {"XRayTubeCurrent": None, "XRayTubeCurrentInmA": r.current},
    "exposure-as-fd": lambda r: {
        "Exposure": None,
        "ExposureInuAs": None,
        "ExposureInmAs": (r.exposure or 0) / 1000,
    },
    "exposure-in-uas-only": lambda r: {"Exposure": None},
    "exposure-in-mas-only": lambda r: {"ExposureInuAs": None},
    "decimals-in-is": lambda r: {
        "ExposureTime": "161.3",
        "Exposure": "40.196",
        "ExposureInuAs": None,
    },
    "laterality-of-series": lambda r: {"ImageLaterality": None, "Laterality": r.laterality},
    "laterality-in-both": lambda r: {"ImageLaterality": "L", "Laterality": "L"},
    "laterality-contradicts": lambda r: {"ImageLaterality": "L", "Laterality": "R"},
    "laterality-u": lambda r: {"ImageLaterality": "U"},
    "laterality-b": lambda r: {"ImageLaterality": "B"},
    "laterality-empty": lambda r: {"ImageLaterality": "", "Laterality": ""},
    # Dates.
    "no-acquisition-date": lambda r: {"AcquisitionDate": None, "AcquisitionDateTime": None},
    "empty-acquisition-date": lambda r: {"AcquisitionDate": ""},
    "study-date-only": lambda r: {
        **_NO_DATES,
        "StudyDate": "20250314",
        "ContentTime": None,
        "AcquisitionTime": None,
    },
    "no-dates": lambda r: dict(_NO_DATES),
    "no-dates-nor-times": lambda r: {**_NO_DATES, **_NO_TIMES},
    # Values that are missing, not numbers, too many, or of the wrong size.
    "no-dose": lambda r: {
        "ImageAndFluoroscopyAreaDoseProduct": None,
        "Exposure": None,
        "ExposureInuAs": None,
        "EntranceDoseInmGy": None,
    },
    "empty-dose": lambda r: {"ImageAndFluoroscopyAreaDoseProduct": "", "ExposureInuAs": ""},
    "zero-dap": lambda r: {"ImageAndFluoroscopyAreaDoseProduct": "0"},
    "negative-dap": lambda r: {"ImageAndFluoroscopyAreaDoseProduct": "-1.5"},
    "dap-is-text": lambda r: {"ImageAndFluoroscopyAreaDoseProduct": b"unknown "},
    "dap-is-nan": lambda r: {"ImageAndFluoroscopyAreaDoseProduct": b"NaN "},
    "decimal-comma": lambda r: {"ImageAndFluoroscopyAreaDoseProduct": b"0,41"},
    "two-kvp": lambda r: {"KVP": ["81", "83"]},
    "ds-too-long": lambda r: {"KVP": b"69.639999389648437500"},
    "ds-with-nul": lambda r: {"KVP": b"81\0\0"},
    "ds-odd-length": lambda r: {"KVP": b"081"},
    "us-of-one-byte": lambda r: {"EntranceDose": b"\x02"},
    "us-of-three-bytes": lambda r: {"EntranceDose": b"\x02\0\0"},
    "us-of-two-values": lambda r: {"EntranceDose": b"\x02\0\x03\0"},
    "fd-of-four-bytes": lambda r: {"ExposureInmAs": b"\0\0\xcd\x3f"},
    "ds-of-a-double": lambda r: {"ImageAndFluoroscopyAreaDoseProduct": b"\0\0\0\0\0\0\xda\x3f"},
}


def radiography_image(
    kind: str = "standard",
    *,
    exposure: Radiograph | None = None,
    intent: str = "",
    number: int = 1,
    event_uid: bool | str | None = None,
    odd: str | tuple[str, ...] = (),
    filters: str = "",
    seed: int = 1,
    key: str = "",
    patient: Patient | None = None,
    study: Study | None = None,
    system: System | None = None,
    acquired: datetime | None = None,
    pixels: int = 4,
    **attributes: Any,
) -> Dataset:
    """Return a radiograph as systems of `kind` (a key of `RADIOGRAPHY`) write it.

    exposure: what was done; by default an exposure typical of such systems. intent: "processing" or
    "presentation" makes it a DX object of that class. number: of the exposure within the study;
    exposures are one minute apart. event_uid: True or False writes an Irradiation Event UID or not,
    a string writes that one; by default as systems of the kind do. odd: keys of `ODDITIES`.
    filters: a key of `FILTER_SPELLINGS`, in place of the kind's own way. attributes: by DICOM
    keyword; they override everything else; None removes one, bytes are written as they are (in
    explicit VR: pydicom cannot write odd ones in implicit)."""
    made = RADIOGRAPHY[kind]
    exposure = exposure or made.exposure
    key = key or f"radiograph|{kind}|{seed}"
    study = study or Study(description=made.study_description)
    acquired = acquired or study.started + timedelta(minutes=number)
    system = system or System(vendor=made.vendor, station=made.vendor.key.upper()[:16])
    sop_class = {"processing": DX_PROCESSING, "presentation": DX_PRESENTATION}.get(
        intent, made.sop_class
    )
    processing = sop_class == DX_PROCESSING
    ds = image(
        sop_class,
        made.modality,
        key=key,
        patient=patient,
        study=study,
        system=system,
        acquired=acquired,
        pixels=pixels,
        image_type=("ORIGINAL" if processing else "DERIVED", "PRIMARY"),
        series="processing" if processing else "presentation",
        series_number=1 + processing,
        number=number,
        description=exposure.protocol or "",
        photometric="MONOCHROME1" if processing else "MONOCHROME2",
    )
    if sop_class != COMPUTED_RADIOGRAPHY:
        put(
            ds,
            PresentationIntentType="FOR PROCESSING" if processing else "FOR PRESENTATION",
            AcquisitionContextSequence=[],
            BurnedInAnnotation="NO",
        )
    if made.date_time:
        put(ds, AcquisitionDateTime=f"{acquired:%Y%m%d%H%M%S.%f}")
    apply(ds, attributes_of(kind, exposure))
    if isinstance(event_uid, str):
        put(ds, IrradiationEventUID=event_uid)
    elif made.event_uid if event_uid is None else event_uid:
        put(ds, IrradiationEventUID=uid(key, "event", number))
    if filters:
        apply(ds, FILTER_SPELLINGS[filters].attributes)
    for name in (odd,) if isinstance(odd, str) else odd:
        apply(ds, ODDITIES[name](exposure))
    apply(ds, attributes)
    return ds


def radiography_pair(
    kind: str = "standard", *, event_uid: bool = True, **same: Any
) -> tuple[Dataset, Dataset]:
    """Return the For Processing and the For Presentation image of one exposure: two series, two
    instances, one dose.

    event_uid: both carry one Irradiation Event UID; if False, none does, and they share only date,
    time and values of the acquisition. `same`: as for `radiography_image`, for both."""
    return (
        radiography_image(kind, intent="processing", event_uid=event_uid, **same),
        radiography_image(kind, intent="presentation", event_uid=event_uid, **same),
    )


def radiography_study(kind: str = "standard", exposures: int = 2, **same: Any) -> list[Dataset]:
    """Return one image for each of several exposures of one study, a minute apart; mAs and dose
    grow with their number.
    """
    base = same.pop("exposure", None) or RADIOGRAPHY[kind].exposure

    def scaled(value: float | None, factor: int) -> float | None:
        return None if value is None else value * factor

    return [
        radiography_image(
            kind,
            number=n,
            exposure=replace(
                base,
                exposure=scaled(base.exposure, n),
                dap=scaled(base.dap, n),
                time=scaled(base.time, n),
            ),
            **same,
        )
        for n in range(1, exposures + 1)
    ]

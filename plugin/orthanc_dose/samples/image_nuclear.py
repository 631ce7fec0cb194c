"""PET and NM images that say in their headers what was administered to the patient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pydicom.dataset import Dataset

from orthanc_dose.samples.codes import Concept
from orthanc_dose.samples.document import Patient, Study, System, put, uid
from orthanc_dose.samples.image_parts import apply, coded, decimal, image, nested
from orthanc_dose.samples.sr import Spelling
from orthanc_dose.samples.vendors import Vendor

PET_IMAGE, NM_IMAGE = "1.2.840.10008.5.1.4.1.1.128", "1.2.840.10008.5.1.4.1.1.20"

# CID 18, 4020, 25, 4021, 11
FLUORINE_18 = Concept("77004003", "^18^Fluorine", "SCT", "C-111A1")
GALLIUM_68 = Concept("35337001", "^68^Gallium", "SCT", "C-131A3")
TECHNETIUM_99M = Concept("72454006", "^99m^Technetium", "SCT", "C-163A8")
IODINE_131 = Concept("1368003", "^131^Iodine", "SCT", "C-114B1")
FDG = Concept("35321007", "Fluorodeoxyglucose F^18^", "SCT", "C-B1031")
MEDRONATE = Concept("96390006", "Technetium Tc^99m^ medronate", "SCT", "C-B1218")
SESTAMIBI = Concept("424299003", "Technetium Tc^99m^ sestamibi", "SCT", "C-163AB")
INTRAVENOUS = Concept("47625008", "Intravenous route", "SCT", "G-D101")
ORAL = Concept("26643006", "By mouth", "SCT", "G-D140")


@dataclass(frozen=True)
class Administration:
    """One administration: activity in MBq, half-life in s, volume in cm3; None is not written.

    agent_text: (0018,0031). written: how the header gives the activity: "Bq", the standard's unit
    for PET, "MBq", its unit for NM, or "" for the standard's unit for the object. moments: how
    times are written, "both", "TM", "DT" or ""."""

    activity: float | None = 221.6
    agent_text: str | None = "FDG -- fluorodeoxyglucose"
    agent: Concept | None = FDG
    nuclide: Concept | None = FLUORINE_18
    started: datetime | None = datetime(2025, 3, 14, 8, 21)
    stopped: datetime | None = datetime(2025, 3, 14, 8, 22)
    half_life: float | None = 6586.2
    positron_fraction: float | None = 0.967
    volume: float | None = 2
    route_text: str | None = None
    route: Concept | None = INTRAVENOUS
    event_uid: str | None = None
    written: str = ""
    moments: str = "both"


GALLIUM_DOTATATE = Administration(
    activity=148,
    agent_text="Ga-68 DOTATATE",
    agent=None,
    nuclide=GALLIUM_68,
    half_life=4062.6,
    positron_fraction=0.8914,
    volume=5,
)
BONE = Administration(
    activity=612.5,
    agent_text="MDP",
    agent=MEDRONATE,
    nuclide=TECHNETIUM_99M,
    half_life=21624.12,
    positron_fraction=None,
    volume=1.5,
    route_text="Intravenous",
)
MIBI_REST = Administration(
    activity=287,
    agent_text="Sestamibi",
    agent=SESTAMIBI,
    nuclide=TECHNETIUM_99M,
    half_life=21624.12,
    positron_fraction=None,
)
MIBI_STRESS = replace(MIBI_REST, activity=861, started=datetime(2025, 3, 14, 12, 5), stopped=None)
IODIDE = Administration(
    activity=3700,
    agent_text="Sodium iodide",
    agent=None,
    nuclide=IODINE_131,
    half_life=693446.4,
    positron_fraction=None,
    volume=None,
    route=ORAL,
    route_text="Oral",
)


def administration_item(a: Administration, *, megabecquerel: bool, scheme: str = "SRT") -> Dataset:
    """Return the item of Radiopharmaceutical Information Sequence (0054,0016) for `a` (PS3.3
    C.8.9.2, C.8.4.10).

    megabecquerel: the unit of (0018,1074) in this kind of object, unless `a.written` says
    otherwise."""
    factor = {"Bq": 1e6, "MBq": 1.0}[a.written or ("MBq" if megabecquerel else "Bq")]
    clock, full = a.moments in ("both", "TM"), a.moments in ("both", "DT")

    def at(when: datetime | None, wanted: bool, form: str) -> str | None:
        return f"{when:{form}}.00" if when and wanted else None

    return nested(
        Radiopharmaceutical=a.agent_text,
        RadiopharmaceuticalVolume=decimal(a.volume),
        RadiopharmaceuticalStartTime=at(a.started, clock, "%H%M%S"),
        RadiopharmaceuticalStopTime=at(a.stopped, clock, "%H%M%S"),
        RadionuclideTotalDose=None if a.activity is None else decimal(a.activity * factor),
        RadionuclideHalfLife=decimal(a.half_life),
        RadionuclidePositronFraction=decimal(a.positron_fraction),
        RadiopharmaceuticalStartDateTime=at(a.started, full, "%Y%m%d%H%M%S"),
        RadiopharmaceuticalStopDateTime=at(a.stopped, full, "%Y%m%d%H%M%S"),
        RadiopharmaceuticalRoute=a.route_text,
        RadiopharmaceuticalAdministrationEventUID=a.event_uid,
        RadionuclideCodeSequence=[coded(a.nuclide, scheme)] if a.nuclide else None,
        RadiopharmaceuticalCodeSequence=[coded(a.agent, scheme)] if a.agent else None,
        AdministrationRouteCodeSequence=[coded(a.route, scheme)] if a.route else None,
    )


# Quirk 49 and errors: what each changes in the first administration of a header (megabecquerel:
# unit of the object).
NUCLEAR_ODDITIES: dict[str, Callable[[bool], dict[str, object]]] = {
    # The unit of the other kind of object: 221.6 in Bq, or 6e8 in MBq.
    "other-unit": lambda megabecquerel: {},
    "no-activity": lambda _: {"RadionuclideTotalDose": None},
    "empty-activity": lambda _: {"RadionuclideTotalDose": ""},
    "zero-activity": lambda _: {"RadionuclideTotalDose": "0"},
    "activity-is-text": lambda _: {"RadionuclideTotalDose": b"10 mCi"},
    "two-activities": lambda megabecquerel: {
        "RadionuclideTotalDose": ["222", "198"] if megabecquerel else ["222000000", "198000000"]
    },
    "nuclide-unknown": lambda _: {
        "RadionuclideCodeSequence": [
            nested(CodeValue="UNKNOWN", CodingSchemeDesignator="99X", CodeMeaning="UNKNOWN")
        ]
    },
    # Fluorine with the half-life of technetium, or the other way round.
    "half-life-contradicts": lambda megabecquerel: {
        "RadionuclideHalfLife": "6586.2" if megabecquerel else "21624.12"
    },
    "empty-codes": lambda _: {
        "RadionuclideCodeSequence": [],
        "RadiopharmaceuticalCodeSequence": [],
    },
    "no-times": lambda _: dict.fromkeys(
        (
            "RadiopharmaceuticalStartTime",
            "RadiopharmaceuticalStopTime",
            "RadiopharmaceuticalStartDateTime",
            "RadiopharmaceuticalStopDateTime",
        )
    ),
}


def _vendor(key: str, manufacturer: str, model: str, software: str) -> Vendor:
    return Vendor(
        key,
        manufacturer,
        model,
        software,
        ("nm",),
        Spelling(scheme="SRT", character_set="ISO_IR 100"),
    )


NUCLEAR: dict[str, Vendor] = {
    "ge-pet": _vendor("ge-pet", "GE MEDICAL SYSTEMS", "Discovery 690", "52.00"),
    "siemens-pet": _vendor("siemens-pet", "SIEMENS", "Biograph64_mCT", "VG51C"),
    "ge-nm": _vendor("ge-nm", "GE MEDICAL SYSTEMS", "Discovery NM/CT 670", "1.003.046.0"),
    "siemens-nm": _vendor("siemens-nm", "SIEMENS NM", "Symbia Intevo", "VB10B"),
}


def nuclear_images(
    kind: str = "ge-pet",
    slices: int = 3,
    *,
    administrations: Sequence[Administration] | None = None,
    sequence: bool = True,
    series: int = 1,
    odd: str = "",
    scheme: str = "SRT",
    series_description: str = "",
    seed: int = 1,
    key: str = "",
    patient: Patient | None = None,
    study: Study | None = None,
    system: System | None = None,
    acquired: datetime | None = None,
    pixels: int = 4,
    **attributes: Any,
) -> list[Dataset]:
    """Return the images of one series as systems of `kind` (a key of `NUCLEAR`) write them: PET
    slices, or NM images.

    administrations: what was given; by default FDG for PET, a bone agent for NM; () writes an empty
    Radiopharmaceutical Information Sequence, sequence=False none at all. series: its number; each
    series has its own UIDs. odd: a key of `NUCLEAR_ODDITIES`. scheme: of SNOMED codes, "SRT",
    "99SDM" or "SCT". attributes: by DICOM keyword; they override everything else."""
    vendor, pet = NUCLEAR[kind], kind.endswith("pet")
    key = key or f"nuclear|{kind}|{seed}"
    study = study or Study(
        description="PET/CT whole body" if pet else "NM bone scan",
        started=datetime(2025, 3, 14, 9, 20, 11),
    )
    acquired = acquired or study.started + timedelta(minutes=5 * series)
    system = system or System(vendor=vendor, department="Nuclear medicine", station=kind.upper())
    given = (
        ((Administration(),) if pet else (BONE,))
        if administrations is None
        else tuple(administrations)
    )
    if odd == "other-unit" and given:
        given = (replace(given[0], written="MBq" if pet else "Bq"), *given[1:])
    made = []
    for number in range(1, slices + 1):
        ds = image(
            PET_IMAGE if pet else NM_IMAGE,
            "PT" if pet else "NM",
            key=key,
            patient=patient,
            study=study,
            system=system,
            acquired=acquired,
            pixels=pixels,
            series=str(series),
            series_number=series + 2,
            number=number,
            bits=16,
            description=series_description or ("PET AC" if pet else "Whole body"),
            image_type=("ORIGINAL", "PRIMARY")
            if pet
            else ("ORIGINAL", "PRIMARY", "WHOLE BODY", "EMISSION"),
            frames=0 if pet else 1,
        )
        z = decimal(-500 - 3.27 * number)
        if pet:
            put(
                ds,
                SliceThickness="3.27",
                ImagePositionPatient=["-350", "-350", z],
                SliceLocation=z,
                Units="BQML",
                ImageOrientationPatient=["1", "0", "0", "0", "1", "0"],
                PixelSpacing=["3.65", "3.65"],
                FrameOfReferenceUID=uid(key, "frame"),
                NumberOfSlices=slices,
                SeriesType=["STATIC", "IMAGE"],
                CountsSource="EMISSION",
                DecayCorrection="START",
                CorrectedImage=["DECY", "ATTN", "SCAT"],
                DecayFactor="1.0083",
                ActualFrameDuration="150000",
                ImageIndex=number,
            )
        else:
            put(
                ds,
                CountsAccumulated=str(1_200_000 + number),
                ActualFrameDuration="900000",
                PixelSpacing=["2.4", "2.4"],
            )
        if sequence:
            items = [administration_item(a, megabecquerel=not pet, scheme=scheme) for a in given]
            if odd and items:
                apply(items[0], NUCLEAR_ODDITIES[odd](not pet))
            put(ds, RadiopharmaceuticalInformationSequence=items)
        apply(ds, attributes)
        made.append(ds)
    return made


def nuclear_study(
    kind: str = "ge-pet",
    activities: Sequence[float] = (221.6, 219.4),
    slices: int = 2,
    *,
    seed: int = 1,
    **same: Any,
) -> list[Dataset]:
    """Return several series of one study whose headers give different activities (MBq) for the same
    administration.
    """
    key = f"nuclear-study|{kind}|{seed}"
    study = same.pop("study", None) or Study(
        description="PET/CT whole body", started=datetime(2025, 3, 14, 9, 20, 11)
    )
    base = Administration() if kind.endswith("pet") else BONE
    return [
        ds
        for number, activity in enumerate(activities, 1)
        for ds in nuclear_images(
            kind,
            slices,
            administrations=[replace(base, activity=activity)],
            series=number,
            key=key,
            study=study,
            **same,
        )
    ]

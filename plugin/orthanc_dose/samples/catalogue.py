"""Fictitious hospitals, systems, patients and examinations for `studies.make_studies`."""

from __future__ import annotations

from typing import NamedTuple

from orthanc_dose.samples import values as v
from orthanc_dose.samples.codes import Concept
from orthanc_dose.samples.document import System
from orthanc_dose.samples.projection_reports import (
    ABDOMEN_AP,
    CHEST_LATERAL,
    CHEST_PA,
    HAND_PA,
    KNEE_AP,
    KNEE_LATERAL,
    LUMBAR_AP,
    LUMBAR_LATERAL,
    PELVIS_AP,
    Exposure,
)
from orthanc_dose.samples.vendors import VENDORS


class Hospital(NamedTuple):
    """A site with its systems by kind, as keys of `VENDORS`."""

    name: str
    short: str
    systems: dict[str, tuple[str, ...]]


HOSPITALS = (
    Hospital(
        "Sample General Hospital",
        "GEN",
        {
            "ct": ("siemens-ct", "siemens-ct-new", "ge-ct"),
            "rf": ("siemens-xa", "philips-xa"),
            "dx": ("siemens-dx", "canon-dx"),
            "mg": ("hologic",),
        },
    ),
    Hospital(
        "Sample University Hospital",
        "UNI",
        {
            "ct": ("canon-ct", "philips-ct", "standard"),
            "rf": ("canon-xa", "ge-xa", "standard"),
            "dx": ("agfa-dx", "standard"),
            "mg": ("siemens-mg", "ge-mg"),
        },
    ),
    Hospital(
        "Sample Children's Hospital",
        "CHI",
        {"ct": ("toshiba-ct",), "rf": ("canon-ultimax",), "dx": ("agfa-dx",), "mg": ("standard",)},
    ),
    Hospital(
        "Sample County Clinic",
        "CTY",
        {
            "ct": ("ge-esr",),
            "rf": ("ge-oec", "ziehm"),
            "dx": ("canon-dx",),
            "mg": ("hologic-snm3",),
        },
    ),
)


def systems(kind: str) -> list[System]:
    """Return every system of `kind` of every hospital, always in the same order."""
    found = []
    for hospital in HOSPITALS:
        for number, key in enumerate(hospital.systems.get(kind, ()), 1):
            found.append(
                System(
                    vendor=VENDORS[key],
                    institution=hospital.name,
                    department="Radiology",
                    station=f"{hospital.short}{kind.upper()}{number}",
                    serial=f"{hospital.short}-{kind.upper()}-{number:03d}",
                    location=f"{kind.upper()} room {number}",
                )
            )
    return found


# Given names in the characters of each character set; the family name shows that no real person is
# meant.
NAMES = {
    "": (
        "Anna",
        "Ben",
        "Clara",
        "David",
        "Emma",
        "Felix",
        "Greta",
        "Hugo",
        "Ida",
        "Jonas",
        "Klara",
        "Leon",
        "Mia",
        "Noah",
        "Olga",
        "Paul",
        "Rosa",
        "Samuel",
        "Tilda",
        "Viktor",
    ),
    "ISO_IR 100": ("Zoë", "Jürgen", "François", "Åsa", "José", "Søren", "Inés", "Björn"),
    "ISO_IR 192": ("Łucja", "Ömer", "Ελένη", "Дарья", "Nguyễn", "Šárka", "Zoë", "İpek"),
    "\\ISO 2022 IR 87": ("Hanako=見本^花子=みほん^はなこ", "Taro=見本^太郎=みほん^たろう"),
}
FEMALE = frozenset(
    (
        "Anna",
        "Clara",
        "Emma",
        "Greta",
        "Ida",
        "Klara",
        "Mia",
        "Olga",
        "Rosa",
        "Tilda",
        "Zoë",
        "Åsa",
        "Inés",
        "Łucja",
        "Ελένη",
        "Дарья",
        "Šárka",
        "İpek",
    )
)


class CtExam(NamedTuple):
    """A CT examination: median CTDIvol in mGy, scan length in mm, possible numbers of spirals,
    weight in the mix.
    """

    description: str
    protocol: str
    requested: str
    region: Concept
    phantom: Concept
    ctdi: float
    length: float
    spirals: tuple[int, ...]
    weight: int


CT_EXAMS = (
    CtExam(
        "CT head",
        "Head routine",
        "CT Head without contrast",
        v.HEAD,
        v.HEAD_PHANTOM,
        48,
        165,
        (1,),
        24,
    ),
    CtExam(
        "CT head and neck",
        "Carotids",
        "CT Angiography head and neck",
        v.NECK,
        v.HEAD_PHANTOM,
        14,
        340,
        (1, 2),
        8,
    ),
    CtExam(
        "CT thorax",
        "Thorax routine",
        "CT Thorax with contrast",
        v.CHEST,
        v.BODY_PHANTOM,
        6.5,
        340,
        (1,),
        18,
    ),
    CtExam(
        "CT thorax low dose",
        "Lung screening",
        "CT Thorax low dose",
        v.CHEST,
        v.BODY_PHANTOM,
        1.9,
        330,
        (1,),
        6,
    ),
    CtExam(
        "CT abdomen and pelvis",
        "Abdomen",
        "CT Abdomen and pelvis with contrast",
        v.ABDOMEN_PELVIS,
        v.BODY_PHANTOM,
        9.5,
        460,
        (1, 1, 2),
        22,
    ),
    CtExam(
        "CT thorax abdomen pelvis",
        "TAP",
        "CT Thorax abdomen pelvis",
        v.CHEST_ABDOMEN_PELVIS,
        v.BODY_PHANTOM,
        8.8,
        650,
        (1, 2),
        14,
    ),
    CtExam(
        "CT coronary angiography",
        "Coronary",
        "CT Coronary angiography",
        v.HEART,
        v.BODY_PHANTOM,
        18,
        150,
        (1, 2),
        6,
    ),
    CtExam(
        "CT lumbar spine",
        "L-spine",
        "CT Lumbar spine",
        v.LUMBAR_SPINE,
        v.BODY_PHANTOM,
        21,
        210,
        (1,),
        5,
    ),
)


class RfExam(NamedTuple):
    """A fluoroscopic examination: minimum and maximum number of events, factor on the doses, share
    of biplane studies, weight.
    """

    description: str
    requested: str
    fewest: int
    most: int
    scale: float
    biplane: float
    weight: int


RF_EXAMS = (
    RfExam("Coronary angiography", "Coronary angiography", 8, 24, 1.0, 0.1, 10),
    RfExam("PCI", "Percutaneous coronary intervention", 15, 55, 1.6, 0.1, 6),
    RfExam("Pacemaker implantation", "Pacemaker implantation", 3, 10, 0.3, 0.0, 5),
    RfExam("Neuro intervention", "Mechanical thrombectomy", 14, 45, 1.3, 0.7, 3),
    RfExam("Barium swallow", "Barium swallow", 2, 8, 0.25, 0.0, 6),
    RfExam("Hip fracture fixation", "Hip fracture fixation", 2, 12, 0.12, 0.0, 6),
    RfExam("TIPS", "TIPS", 18, 60, 2.2, 0.0, 1),
)


class DxExam(NamedTuple):
    """A radiographic examination: its exposures, and its weight in the mix."""

    description: str
    requested: str
    exposures: tuple[Exposure, ...]
    weight: int


DX_EXAMS = (
    DxExam("Chest PA and lateral", "Chest radiograph", (CHEST_PA, CHEST_LATERAL), 20),
    DxExam("Chest PA", "Chest radiograph", (CHEST_PA,), 20),
    DxExam("Abdomen", "Abdomen radiograph", (ABDOMEN_AP,), 6),
    DxExam("Pelvis", "Pelvis radiograph", (PELVIS_AP,), 8),
    DxExam("Lumbar spine", "Lumbar spine radiographs", (LUMBAR_AP, LUMBAR_LATERAL), 8),
    DxExam("Knee", "Knee radiographs", (KNEE_AP, KNEE_LATERAL), 10),
    DxExam("Hand", "Hand radiographs", (HAND_PA, HAND_PA), 8),
)

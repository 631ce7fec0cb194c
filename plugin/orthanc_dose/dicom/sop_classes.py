"""SOP classes (PS3.4 B.5, PS3.6 Annex A) that the program knows by name, each defined once, and the
groups that they form."""

from pydicom.uid import UID

_STORAGE = "1.2.840.10008.5.1.4.1.1"

# Structured reports designed for dose.
XRAY_DOSE_SR = f"{_STORAGE}.88.67"
ENHANCED_XRAY_DOSE_SR = f"{_STORAGE}.88.76"
RADIOPHARMACEUTICAL_DOSE_SR = f"{_STORAGE}.88.68"
PATIENT_DOSE_SR = f"{_STORAGE}.88.73"  # estimates that were made from other reports
# Structured reports of any content, in which older equipment writes dose reports.
ENHANCED_SR = f"{_STORAGE}.88.22"
COMPREHENSIVE_SR = f"{_STORAGE}.88.33"
# The other reports of any content, in which dose reports are not meant to be written: Comprehensive
# 3D SR, Extensible SR, and the trial classes Detail and Comprehensive SR. (Basic Text SR has no
# numbers, PS3.3 A.35.1.3.1, so it cannot hold a dose report.)
OTHER_SR = frozenset(f"{_STORAGE}.88.{end}" for end in ("34", "35", "3", "4"))

# Selections of objects, among them rejection notes.
KEY_OBJECT_SELECTION = f"{_STORAGE}.88.59"

XRAY_DOSE_REPORTS = frozenset({XRAY_DOSE_SR, ENHANCED_XRAY_DOSE_SR})
GENERAL_REPORTS = OTHER_SR | {ENHANCED_SR, COMPREHENSIVE_SR}
# All SOP classes that can be a dose report.
REPORTS = XRAY_DOSE_REPORTS | GENERAL_REPORTS | {RADIOPHARMACEUTICAL_DOSE_SR, PATIENT_DOSE_SR}

CT_IMAGE = f"{_STORAGE}.2"
# Multi-frame CT: all slices of a series, or several series, in one object.
ENHANCED_CT_IMAGES = frozenset({f"{_STORAGE}.2.1", f"{_STORAGE}.2.2"})
CT_IMAGES = ENHANCED_CT_IMAGES | {CT_IMAGE}
PET_IMAGE = f"{_STORAGE}.128"
ENHANCED_PET_IMAGE = f"{_STORAGE}.130"
LEGACY_CONVERTED_PET_IMAGE = f"{_STORAGE}.128.1"
NM_IMAGE = f"{_STORAGE}.20"
NUCLEAR_IMAGES = frozenset({PET_IMAGE, ENHANCED_PET_IMAGE, LEGACY_CONVERTED_PET_IMAGE, NM_IMAGE})
# Computed radiography, digital X-ray, intra-oral X-ray (for presentation, for processing).
RADIOGRAPHY_IMAGES = frozenset(f"{_STORAGE}.{end}" for end in ("1", "1.1", "1.1.1", "1.3", "1.3.1"))
BREAST_TOMOSYNTHESIS = f"{_STORAGE}.13.1.3"
# Projections of breast tomosynthesis (for presentation, for processing).
TOMOSYNTHESIS_IMAGES = frozenset({BREAST_TOMOSYNTHESIS, f"{_STORAGE}.13.1.4", f"{_STORAGE}.13.1.5"})
# Mammography (for presentation, for processing) and tomosynthesis.
MAMMOGRAPHY_IMAGES = TOMOSYNTHESIS_IMAGES | {f"{_STORAGE}.1.2", f"{_STORAGE}.1.2.1"}
# Volumes of cone-beam CT: of a C-arm, of a dental system. (A volume of breast tomosynthesis belongs
# to mammography.)
XRAY_3D_ANGIOGRAPHIC = f"{_STORAGE}.13.1.1"
XRAY_3D_CRANIOFACIAL = f"{_STORAGE}.13.1.2"
CONE_BEAM_VOLUMES = frozenset({XRAY_3D_ANGIOGRAPHIC, XRAY_3D_CRANIOFACIAL})
# Classes by intent: radiography, mammography, intra-oral, tomosynthesis (the volume is for
# presentation only), projections.
FOR_PRESENTATION = frozenset(
    f"{_STORAGE}.{end}" for end in ("1.1", "1.2", "1.3", "13.1.3", "13.1.4")
)
FOR_PROCESSING = frozenset(f"{_STORAGE}.{end}" for end in ("1.1.1", "1.2.1", "1.3.1", "13.1.5"))

SECONDARY_CAPTURE = f"{_STORAGE}.7"
# The multi-frame variants: single bit, grayscale byte, grayscale word, true colour.
SECONDARY_CAPTURES = frozenset(
    {SECONDARY_CAPTURE, *(f"{SECONDARY_CAPTURE}.{n}" for n in (1, 2, 3, 4))}
)


def sop_class_name(uid: str | None) -> str | None:
    """Return the standard's name of a SOP class, or None if the standard does not know it."""
    return (UID(uid).name if UID(uid).name != uid else None) if uid else None


def below_storage(uid: str) -> str:
    """Return a storage SOP class as its numbers below the root of all of them ("2.1" for Enhanced CT),
    or "" for any other class."""
    root = f"{_STORAGE}."
    return uid.removeprefix(root) if uid.startswith(root) else ""

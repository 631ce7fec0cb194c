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

# Selections of objects, among them rejection notes.
KEY_OBJECT_SELECTION = f"{_STORAGE}.88.59"

XRAY_DOSE_REPORTS = frozenset({XRAY_DOSE_SR, ENHANCED_XRAY_DOSE_SR})
GENERAL_REPORTS = frozenset({ENHANCED_SR, COMPREHENSIVE_SR})
# All SOP classes that can be a dose report.
REPORTS = XRAY_DOSE_REPORTS | GENERAL_REPORTS | {RADIOPHARMACEUTICAL_DOSE_SR, PATIENT_DOSE_SR}

CT_IMAGE = f"{_STORAGE}.2"
PET_IMAGE = f"{_STORAGE}.128"
ENHANCED_PET_IMAGE = f"{_STORAGE}.130"
NM_IMAGE = f"{_STORAGE}.20"
NUCLEAR_IMAGES = frozenset({PET_IMAGE, ENHANCED_PET_IMAGE, NM_IMAGE})
# Computed radiography, digital X-ray, intra-oral X-ray (for presentation, for processing).
RADIOGRAPHY_IMAGES = frozenset(f"{_STORAGE}.{end}" for end in ("1", "1.1", "1.1.1", "1.3", "1.3.1"))
BREAST_TOMOSYNTHESIS = f"{_STORAGE}.13.1.3"
# Projections of breast tomosynthesis (for presentation, for processing).
TOMOSYNTHESIS_IMAGES = frozenset({BREAST_TOMOSYNTHESIS, f"{_STORAGE}.13.1.4", f"{_STORAGE}.13.1.5"})
# Mammography (for presentation, for processing) and tomosynthesis.
MAMMOGRAPHY_IMAGES = TOMOSYNTHESIS_IMAGES | {f"{_STORAGE}.1.2", f"{_STORAGE}.1.2.1"}
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

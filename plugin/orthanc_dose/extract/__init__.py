"""From an object's content to records: one module per source of dose data; no I/O, no store."""

from collections.abc import Callable

from . import image, image_ct, image_nm, report, secondary
from .extract import Extract, Ignored
from .image_ct import reduced
from .kept import Kept, apply_again, keep, unpack

# Raised whenever what an extractor gives for an object changes, so that kept content can be read
# again.
EXTRACTOR_VERSION = "4"

ENHANCED_SR, COMPREHENSIVE_SR = "1.2.840.10008.5.1.4.1.1.88.22", "1.2.840.10008.5.1.4.1.1.88.33"
XRAY_DOSE_SR, ENHANCED_XRAY_DOSE_SR = (
    "1.2.840.10008.5.1.4.1.1.88.67",
    "1.2.840.10008.5.1.4.1.1.88.76",
)
RADIOPHARMACEUTICAL_DOSE_SR = "1.2.840.10008.5.1.4.1.1.88.68"
PATIENT_DOSE_SR = "1.2.840.10008.5.1.4.1.1.88.73"
REPORTS = (
    XRAY_DOSE_SR,
    ENHANCED_SR,
    COMPREHENSIVE_SR,
    ENHANCED_XRAY_DOSE_SR,
    RADIOPHARMACEUTICAL_DOSE_SR,
    PATIENT_DOSE_SR,
)

CT_IMAGE, PET_IMAGE, NM_IMAGE = (
    "1.2.840.10008.5.1.4.1.1.2",
    "1.2.840.10008.5.1.4.1.1.128",
    image_nm.NM_IMAGE,
)
ENHANCED_PET_IMAGE = "1.2.840.10008.5.1.4.1.1.130"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_STORAGE = "1.2.840.10008.5.1.4.1."
# Computed radiography, digital X-ray, intra-oral X-ray (for presentation, for processing).
RADIOGRAPHY_IMAGES = tuple(
    _STORAGE + end for end in ("1.1", "1.1.1", "1.1.1.1", "1.1.3", "1.1.3.1")
)
# Mammography (for presentation, for processing), breast tomosynthesis, breast projection X-ray.
MAMMOGRAPHY_IMAGES = tuple(
    _STORAGE + end for end in ("1.1.2", "1.1.2.1", "1.13.1.3", "1.13.1.4", "1.13.1.5")
)

# SOP classes that can hold dose, each with the extractor that reads it.
EXTRACTORS: dict[str, Callable[[Kept], Extract]] = {
    **dict.fromkeys(REPORTS, report.extract),
    **dict.fromkeys((*RADIOGRAPHY_IMAGES, *MAMMOGRAPHY_IMAGES), image.extract),
    **dict.fromkeys(
        (SECONDARY_CAPTURE, *(f"{SECONDARY_CAPTURE}.{n}" for n in (1, 2, 3, 4))), secondary.extract
    ),
    **dict.fromkeys((PET_IMAGE, ENHANCED_PET_IMAGE, NM_IMAGE), image_nm.extract),
    CT_IMAGE: image_ct.extract,
}
# Of these one image of a series is read, since all of them say the same of dose.
ONE_OF_A_SERIES = frozenset({PET_IMAGE, ENHANCED_PET_IMAGE, NM_IMAGE})


def can_hold_dose(sop_class_uid: str) -> bool:
    """Whether an object of this class is worth reading."""
    return sop_class_uid in EXTRACTORS


def extract(kept: Kept, sop_class_uid: str) -> Extract:
    """The records of an object. Raises Ignored, or Unreadable with the reason."""
    return EXTRACTORS[sop_class_uid](kept)


__all__ = [
    "CT_IMAGE", "EXTRACTORS", "EXTRACTOR_VERSION", "Extract", "Ignored", "Kept", "MAMMOGRAPHY_IMAGES", "ONE_OF_A_SERIES",
    "RADIOGRAPHY_IMAGES", "REPORTS", "SECONDARY_CAPTURE", "apply_again", "can_hold_dose", "extract", "keep", "reduced",
    "unpack",
]  # fmt: skip

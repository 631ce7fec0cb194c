"""Conversion of an object's content to records: one module per source of dose, no I/O, no store."""

from collections.abc import Callable

from ..dicom import sop_classes
from . import doubt, image, image_ct, image_nm, image_volume, rejection, report, secondary
from .extract import Extract, Ignored, Rejection, Subject
from .image_ct import reduced
from .kept import Kept, apply_again, keep, unpack

# Incremented whenever an extractor gives a different result for an object, so that kept content can
# be re-read.
EXTRACTOR_VERSION = "6"

# SOP classes that can hold dose, each with the extractor that reads it.
EXTRACTORS: dict[str, Callable[[Kept], Extract]] = {
    **dict.fromkeys(sop_classes.REPORTS, report.extract_report),
    **dict.fromkeys(
        sop_classes.RADIOGRAPHY_IMAGES | sop_classes.MAMMOGRAPHY_IMAGES, image.extract_image
    ),
    **dict.fromkeys(sop_classes.SECONDARY_CAPTURES, secondary.extract_secondary_capture),
    **dict.fromkeys(sop_classes.NUCLEAR_IMAGES, image_nm.extract_nm_image),
    **dict.fromkeys(sop_classes.CT_IMAGES, image_ct.extract_ct_image),
    **dict.fromkeys(sop_classes.CONE_BEAM_VOLUMES, image_volume.extract_volume),
    sop_classes.KEY_OBJECT_SELECTION: rejection.extract_rejection_note,
}
# For these classes only one image of a series is read, since all images say the same about dose.
ONE_OF_A_SERIES = sop_classes.NUCLEAR_IMAGES


def can_hold_dose(sop_class_uid: str) -> bool:
    """Return whether an object of this class is worth reading."""
    return sop_class_uid in EXTRACTORS


def extract_object(kept: Kept, sop_class_uid: str) -> Extract:
    """Return the records of an object. Raises Ignored, or Unreadable with the reason."""
    found = EXTRACTORS[sop_class_uid](kept)
    doubt.check_extract(found)
    sex = (found.study.get("patient_sex") or "").upper()
    found.subject = Subject(
        kept.subject.get("id"), kept.subject.get("birth_date"), sex if sex in ("F", "M") else None
    )
    return found


__all__ = [
    "EXTRACTORS", "EXTRACTOR_VERSION", "Extract", "Ignored", "Kept", "ONE_OF_A_SERIES", "Rejection", "apply_again",
    "can_hold_dose", "extract_object", "keep", "reduced", "unpack",
]  # fmt: skip

"""From an object's content to records: one module per source of dose data; no I/O, no store."""

from . import report
from .extract import Extract, Ignored
from .kept import Kept, keep, unpack

# Raised whenever what an extractor gives for an object changes, so that kept content can be read again.
EXTRACTOR_VERSION = "1"

ENHANCED_SR, COMPREHENSIVE_SR = "1.2.840.10008.5.1.4.1.1.88.22", "1.2.840.10008.5.1.4.1.1.88.33"
XRAY_DOSE_SR = "1.2.840.10008.5.1.4.1.1.88.67"

# SOP classes that can hold dose, each with the extractor that reads it.
EXTRACTORS = dict.fromkeys((XRAY_DOSE_SR, ENHANCED_SR, COMPREHENSIVE_SR), report.extract)
# SOP classes that hold dose in other templates, known but without an extractor.
WITHOUT_EXTRACTOR = {
    "1.2.840.10008.5.1.4.1.1.88.68": "Radiopharmaceutical Radiation Dose SR",
    "1.2.840.10008.5.1.4.1.1.88.73": "Patient Radiation Dose SR",
    "1.2.840.10008.5.1.4.1.1.88.76": "Enhanced X-Ray Radiation Dose SR",
}


def can_hold_dose(sop_class_uid: str) -> bool:
    """Whether an object of this class is worth reading."""
    return sop_class_uid in EXTRACTORS


def extract(kept: Kept, sop_class_uid: str) -> Extract:
    """The records of an object. Raises Ignored, or Unreadable with the reason."""
    return EXTRACTORS[sop_class_uid](kept)


__all__ = [
    "EXTRACTORS", "EXTRACTOR_VERSION", "Extract", "Ignored", "Kept", "WITHOUT_EXTRACTOR", "can_hold_dose", "extract",
    "keep", "unpack",
]  # fmt: skip

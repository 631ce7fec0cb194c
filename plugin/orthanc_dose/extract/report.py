"""Dose reports of every template: the reader of a report is chosen by its root concept, not by its
SOP class.

Equipment sends dose reports as X-Ray Radiation Dose SR, as Enhanced SR and as Comprehensive SR;
other SOP classes of reports (sop_classes.GENERAL_REPORTS) can hold the same content.
"""

from collections.abc import Callable

from ..dicom import sr
from ..dicom.sr import Item
from . import nuclear, patient_dose, vendor, xray
from .extract import Extract, Ignored
from .kept import Kept
from .rows import mark

READERS: dict[str, Callable[[Item, Kept], Extract]] = {
    xray.ROOT: xray.read_xray_report,
    nuclear.ROOT: nuclear.read_nuclear_report,
    patient_dose.ROOT: patient_dose.read_patient_dose_report,
    **vendor.REPORTS,
}


def extract_report(kept: Kept) -> Extract:
    """Read everything that a dose report says. Raises Ignored if the report is not about dose,
    Unreadable if it is broken.
    """
    notes: list[str] = []
    root = sr.read_tree(kept.dataset, notes.append)
    reader = READERS.get(root.concept or "")
    if reader is None:
        # The concept's meaning is the report's own text and may be anything: the message has only
        # the code.
        code = root.concept or "no code"
        raise Ignored(
            "not_a_dose_report",
            f"its root concept, {code[:40]}, is that of no dose report",
        )
    found = reader(root, kept)
    for note in notes:
        mark(found.study, "codes", note)
    return found

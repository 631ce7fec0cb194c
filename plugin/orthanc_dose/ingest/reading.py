"""Reading of one instance: from its bytes to records, or to an outcome with a reason."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .. import extract
from ..dicom import nesting, part10
from ..dicom.dataset import Unreadable, first
from ..dicom.identity import NOTHING_KEPT, IdentityRules, identifiers
from ..dicom.long_objects import read_object
from ..dicom.long_sequence import TooLarge, check_size
from ..dicom.not_patient import NO_PATTERNS, NotPatient
from ..dicom.sop_classes import CT_IMAGES, REPORTS, SECONDARY_CAPTURES
from ..extract import Extract, Ignored
from ..store import ObjectRow
from ..store.disposal import SAME_SERIES, WAITS
from . import dose_screens, unread
from .dose_screens import Screens
from .ignoring import NOTHING_IGNORED, Ignoring

NESTED = "nested"  # the rule for objects that may crash Orthanc


class RowRead(ObjectRow, total=False):
    """The row of an object that was re-read, with its previous row."""

    before: ObjectRow | None


@dataclass
class Read:
    """An instance as read: the row with its outcome, and the records if there are any.

    origin: where it has just come from; None if it existed before.
    """

    row: RowRead
    extract: Extract | None = None
    origin: Any = None


def read_instance(
    row: RowRead,
    fetch: Callable[[], bytes],
    screens: Screens = (),
    identity: IdentityRules = NOTHING_KEPT,
    not_patient: NotPatient = NO_PATTERNS,
    ignoring: Ignoring = NOTHING_IGNORED,
) -> Read:
    """Read an instance of a class that can hold dose.

    row: what is known of it; the outcome is set in it. fetch: returns its bytes. screens: systems
    whose dose screens are read by OCR. identity: what is kept of the patient's identity;
    not_patient: patterns of names and IDs that are no patient's. ignoring: systems and studies to
    ignore. Whatever error the object causes, it becomes a failed outcome.
    """
    try:
        if row["sop_class_uid"] in REPORTS:
            check_size(row["size"] or 0)
        raw = fetch()
        whole = read_object(raw)
        ignoring.check(whole.dataset)
        patient = identifiers(whole.dataset)
        kept = extract.keep(whole, identity, not_patient)
        if row["sop_class_uid"] in CT_IMAGES:
            kept.dataset = extract.reduced(kept.dataset)
        elif row["sop_class_uid"] in SECONDARY_CAPTURES:
            dose_screens.read_dose_screen(kept, raw, patient, screens)
        row["content"], row["content_digest"] = kept.pack()
        row["study_instance_uid"] = first(kept.dataset, "0020,000d")
        found = extract.extract_object(kept, row["sop_class_uid"] or "")
    except dose_screens.NoEngine as error:
        set_outcome(row, "failed", "ocr_missing", str(error))
        return Read(row)
    except Ignored as ignored:
        set_outcome(row, "ignored", ignored.rule, ignored.reason)
        # An object that is not about dose is none of our business: its text is not kept.
        row["content"] = row["content_digest"] = None
        return Read(row)
    except part10.TooDeep:
        set_outcome(row, "failed", NESTED, in_orthanc_reason(nesting.depth(raw)))
        return Read(row)
    except TooLarge as error:
        set_outcome(row, "failed", "too_large", f"The report was not read: {error}.")
        row["content"] = row["content_digest"] = None
        return Read(row)
    except Unreadable as error:
        set_outcome(row, "failed", "unreadable", str(error))
        return Read(row)
    except (MemoryError, RecursionError):
        set_outcome(
            row, "failed", "too_large", "the object is too large or nested too deeply to be read"
        )
        return Read(row)
    except Exception as error:  # noqa: BLE001  an object must never stop the worker; its values stay out of the text
        where = _place(error)
        set_outcome(
            row,
            "failed",
            "error",
            f"the object could not be read: {type(error).__name__} in {where}",
        )
        return Read(row)
    row |= {"modality": found.modality, "source": found.source}
    if found.refers_to is not None:
        # An estimate belongs to the study of the reports from which it was made, which may be
        # another than its own.
        row["study_instance_uid"] = found.study["study_instance_uid"]
    return Read(row, found)


def left_alone(
    row: ObjectRow,
    before: ObjectRow | None,
    series: dict[str, str],
    reads_ct_images: bool,
    ct_images: bool,
) -> bool:
    """Return whether an instance's class or series decides its outcome without reading it.

    If so, the outcome is set. before: its row in the store. series: the series of which an image
    was read, with that image, by handle. ct_images: the study is complete.
    """
    sop_class, of_series = row["sop_class_uid"] or "", row["series_handle"]
    if not extract.can_hold_dose(sop_class):
        set_outcome(row, "ignored", "sop_class", unread.reason(sop_class))
    elif sop_class in CT_IMAGES and not ct_images and not (before or {}).get("content_digest"):
        if reads_ct_images:
            set_outcome(row, "ignored", WAITS, "CT images are read once the study is complete.")
        else:
            set_outcome(row, "ignored", "sop_class", unread.CT_IMAGES_ARE_OFF)
    elif (
        sop_class in extract.ONE_OF_A_SERIES
        and series.get(of_series or "", row["handle"]) != row["handle"]
    ):
        set_outcome(
            row,
            "ignored",
            SAME_SERIES,
            "Another image of its series was read; all images of a series carry the same dose "
            "data.",
        )
    else:
        return False
    return True


def still_nested(row: ObjectRow, before: ObjectRow | None, fetch: Callable[[], bytes]) -> bool:
    """Return whether an object that was nested too deeply at its last inspection still is.

    If so, its outcome is set: its class alone must not decide what becomes of it.
    """
    levels = nesting.too_deep(fetch()) if before and before["rule"] == NESTED else 0
    if levels:
        set_outcome(row, "failed", NESTED, in_orthanc_reason(levels))
    return bool(levels)


def too_deep_reason(levels: int) -> str:
    """Return a sentence saying what is wrong with an object that is nested too deeply."""
    return (
        f"Sequences are nested {levels} levels deep, more than {part10.MAX_DEPTH}; Orthanc may "
        "crash when it reads such an object."
    )


def in_orthanc_reason(levels: int) -> str:
    """Return the same for an object that Orthanc holds."""
    return f"{too_deep_reason(levels)} It is stored in Orthanc and should be deleted there."


def set_outcome(
    row: ObjectRow, outcome: str, rule: str | None = None, reason: str | None = None
) -> None:
    """Set an outcome in a row."""
    row |= {
        "outcome": outcome,
        "rule": rule,
        "reason": reason,
        "processed_at": datetime.now(UTC).replace(tzinfo=None),
        "extractor_version": extract.EXTRACTOR_VERSION,
    }


def _place(error: BaseException) -> str:
    """Return the module and line where an error arose.

    This is enough to find it, and reveals nothing of the object's values.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "?"
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"

"""Rejection notes: Key Object Selection Documents by which an archive is told that objects must not
be used (IHE RAD TF, Imaging Object Change Management). They are no source of dose, but decide
whether the objects that they name count."""

from ..dicom import sr
from ..dicom.dataset import Dataset, Unreadable, first, items
from ..dicom.sr import Item
from . import header
from .extract import Extract, Ignored, Rejection
from .kept import Kept

# PS3.16 CID 7011, Rejected for Quality Reasons and the like, by the title of the document.
TITLES = {
    "DCM:113038": "wrong_worklist_entry",
    "DCM:113037": "patient_safety",
    "DCM:113001": "quality",
    "DCM:113039": "retention_expired",
}
_EVIDENCE = "0040,a375"  # Current Requested Procedure Evidence
_REFERENCES = frozenset({"IMAGE", "COMPOSITE", "WAVEFORM"})


def extract_rejection_note(kept: Kept) -> Extract:
    """Return what a note rejects, and why, without a modality type. Raises Ignored if it is another
    selection of objects, Unreadable if it names no object."""
    root = sr.read_tree(kept.dataset)
    title = root.concept or "no code"
    reason = TITLES.get(title)
    if reason is None:
        raise Ignored(
            "not_a_rejection_note",
            f"it is a selection of objects with the title {title[:40]}, which rejects nothing",
        )
    objects = frozenset(_named(root)) | frozenset(_evidence(kept.dataset))
    if not objects:
        raise Unreadable("the rejection note names no object")
    return Extract(
        modality=None,
        study={"study_instance_uid": first(kept.dataset, "0020,000d")},
        equipment=header.equipment_of(kept.dataset, {}, []),
        accumulated=[],
        events=[],
        unused=[],
        made_at=header.content_moment(kept.dataset),
        rejects=Rejection(reason, objects),
    )


def _named(item: Item) -> list[str]:
    """Return the objects that content items name."""
    own = [item.value] if item.vt in _REFERENCES and isinstance(item.value, str) else []
    return own + [uid for child in item.children for uid in _named(child)]


def _evidence(dataset: Dataset) -> list[str]:
    return [
        uid
        for study in items(dataset, _EVIDENCE)
        for series in items(study, "0008,1115")
        for one in items(series, "0008,1199")
        if (uid := first(one, "0008,1155"))
    ]

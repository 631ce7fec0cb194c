"""The X-Ray Radiation Dose Report of CT (TID 10011) and of projection X-ray (TID 10001)."""

from ..dicom.dataset import Unreadable
from ..dicom.sr import Item
from ..records import CT_ACCUMULATED, CT_EVENT, PROJECTION_ACCUMULATED, PROJECTION_EVENT
from . import content, enhanced, modality, vendor
from .extract import Extract
from .kept import Kept
from .rows import Node, compile_fields

ROOT = "DCM:113701"
STUDY_TREE = content.study_tree("CT", "RF", "DX", "MG")
# Containers below the root, each with the tree that reads it: CT and projection events, CT and
# projection totals.
_EVENTS: dict[str, Node] = {
    "DCM:113819": compile_fields(CT_EVENT.fields),
    "DCM:113706": compile_fields(PROJECTION_EVENT.fields),
}
_ACCUMULATED: dict[str, Node] = {
    "DCM:113811": compile_fields(CT_ACCUMULATED.fields),
    "DCM:113702": compile_fields(PROJECTION_ACCUMULATED.fields),
}
_OF_CT, _OF_PROJECTION = (
    frozenset({"DCM:113819", "DCM:113811"}),
    frozenset({"DCM:113706", "DCM:113702"}),
)


def read(root: Item, kept: Kept) -> Extract:
    """Read the whole report. Raises Unreadable if it has no dose, or mixes CT and projection."""
    if enhanced.is_one(root):
        return vendor.complete(enhanced.read(root, kept, STUDY_TREE))
    found = content.read(kept, root.children, STUDY_TREE, _EVENTS, _ACCUMULATED)
    study, events, accumulated = found.study, found.events, found.accumulated
    if not events and not accumulated:
        raise Unreadable("the dose report contains neither accumulated dose nor irradiation events")
    holds_ct = bool(found.concepts & _OF_CT)
    of_type = modality.decide(holds_ct, study, accumulated, events)
    if (of_type == "CT") != holds_ct or (holds_ct and found.concepts & _OF_PROJECTION):
        raise Unreadable("the dose report mixes the templates of CT and of projection X-ray")
    return vendor.complete(content.to_extract(kept, found, of_type))

"""The Patient Radiation Dose Report (TID 10030): organ doses that were estimated from the dose
reports of a study.

It is not a source of dose: the reports to which it refers contain the dose from which it estimates.
It becomes a field of their record."""

from ..dicom.dataset import Dataset, Unreadable, first, items
from ..dicom.sr import Item
from ..records import STUDY
from ..records.rows import StudyRow
from . import header
from .content import container
from .extract import Extract, References
from .kept import Kept
from .rows import RowReader, compile_fields

ROOT = "DCM:128401"
_ESTIMATE, _SITE = "DCM:128402", "SCT:363698007"
_TREE = compile_fields((STUDY.field("organ_dose_estimates"),))
_EVIDENCE = (
    "0040,a375",
    "0040,a385",
)  # Current Requested Procedure Evidence, Pertinent Other Evidence


def read(root: Item, kept: Kept) -> Extract:
    """Read the estimates, without a modality type, with the reports and events from which they were
    made. Raises Unreadable if the report holds no estimate."""
    reader = RowReader()
    row = reader.read(
        container([part for child in root.children for part in _one_an_organ(child)]),
        _TREE,
        StudyRow,
    )
    estimates = row.get("organ_dose_estimates")
    if not estimates:
        raise Unreadable("the report contains no radiation dose estimate")
    for estimate in estimates:
        estimate["sop_instance_uid"] = first(kept.dataset, "0008,0018")
        if reports := estimate.get("reports_used"):
            estimate["reports_used"] = list(dict.fromkeys(reports))
        if events := estimate.get("events_used"):
            estimate["events_used"] = list(dict.fromkeys(events))
    all_reports = frozenset(
        uid for estimate in estimates for uid in estimate.get("reports_used") or ()
    )
    all_events = frozenset(
        uid for estimate in estimates for uid in estimate.get("events_used") or ()
    )
    unused = list(
        {id(item): item for item in reader.unused}.values()
    )  # what was read for several organs is listed once
    study: StudyRow = {
        "study_instance_uid": _study(kept.dataset, all_reports),
        "organ_dose_estimates": estimates,
        "marks": row.get("marks", []),
    }
    if not study["study_instance_uid"]:
        raise Unreadable("the object has no Study Instance UID")
    return Extract(
        modality=None,
        study=study,
        equipment=header.equipment_of(kept.dataset, {}, []),
        accumulated=[],
        events=[],
        unused=unused,
        made_at=header.content_moment(kept.dataset),
        refers_to=References(all_reports, all_events),
    )


def _one_an_organ(item: Item) -> list[Item]:
    """Split an estimate with several sibling organs into one estimate per organ: each Finding Site
    begins another, and what precedes the first, as well as the methodology wherever it appears,
    applies to all of them."""
    if item.concept != _ESTIMATE or sum(child.concept == _SITE for child in item.children) < 2:
        return [item]
    common: list[Item] = []
    organs: list[list[Item]] = []
    for child in item.children:
        if child.concept == _SITE:
            organs.append([child])
        elif not organs or child.vt == "CONTAINER":
            common.append(child)
        else:
            organs[-1].append(child)
    parts = []
    for organ in organs:
        part = Item(item.vt, item.relationship, item.concept, item.meaning)
        part.children = [*common, *organ]
        parts.append(part)
    return parts


def _study(dataset: Dataset, reports: frozenset[str]) -> str | None:
    """Return the study of the reports that were used, according to the evidence of the object, or
    else the object's own study.
    """
    own = first(dataset, "0020,000d")
    found = set()
    for entry in (entry for sequence in _EVIDENCE for entry in items(dataset, sequence)):
        objects = (
            one for series in items(entry, "0008,1115") for one in items(series, "0008,1199")
        )
        if any(first(one, "0008,1155") in reports for one in objects):
            found.add(first(entry, "0020,000d"))
    return found.pop() or own if len(found) == 1 else own

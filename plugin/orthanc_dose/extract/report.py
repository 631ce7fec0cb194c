"""The X-Ray Radiation Dose Report of CT (TID 10011) and of projection X-ray (TID 10001): content tree in, rows out."""

from ..dicom import sr
from ..dicom.dataset import Unreadable
from ..dicom.sr import Item
from ..records import CT_ACCUMULATED, CT_EVENT, PROJECTION_ACCUMULATED, PROJECTION_EVENT, STUDY
from ..records.common import OBSERVERS
from . import header, modality
from .extract import Extract, Ignored
from .kept import Kept
from .rows import Node, Row, RowReader, compile_fields, mark

DOSE_REPORT = "DCM:113701"
_OBSERVER_TYPE, _DEVICE_ROLE = "DCM:121005", "DCM:113876"

_STUDY_TREE = compile_fields(tuple(field for field in STUDY.fields if field is not OBSERVERS))
_OBSERVER_TREE = compile_fields(OBSERVERS.fields)
# Containers below the root, each with the tree that reads it: CT and projection events, CT and projection totals.
_EVENTS: dict[str, Node] = {
    "DCM:113819": compile_fields(CT_EVENT.fields),
    "DCM:113706": compile_fields(PROJECTION_EVENT.fields),
}
_ACCUMULATED: dict[str, Node] = {
    "DCM:113811": compile_fields(CT_ACCUMULATED.fields),
    "DCM:113702": compile_fields(PROJECTION_ACCUMULATED.fields),
}
_OF_CT = frozenset({"DCM:113819", "DCM:113811"})


def extract(kept: Kept) -> Extract:
    """Everything a dose report says. Raises Ignored for a report that is not about dose, Unreadable for a broken one."""
    root = sr.read_tree(kept.dataset)
    if root.concept != DOSE_REPORT:
        # The concept's name is the report's own text and may be anything: the code alone is said.
        code = root.concept or "no code"
        raise Ignored("not_a_dose_report", f"its root concept is {code[:40]}, not {DOSE_REPORT} X-Ray Radiation Dose Report")
    reader = RowReader()
    events: list[Row] = []
    accumulated: list[Row] = []
    rest: list[Item] = []
    observers: list[Item] = []
    holds_ct = False
    for child in root.children:
        concept = child.concept or ""
        if concept in _EVENTS:
            events.append(reader.read(child, _EVENTS[concept]))
        elif concept in _ACCUMULATED:
            accumulated.append(reader.read(child, _ACCUMULATED[concept]))
        elif concept in _OBSERVER_TREE.children and not (concept == _DEVICE_ROLE and child.children):
            observers.append(child)
        else:
            rest.append(child)
        holds_ct = holds_ct or concept in _OF_CT
    if not events and not accumulated:
        raise Unreadable("the dose report holds neither accumulated dose nor irradiation events")
    study = header.study_of(kept)
    marks = study.pop("marks", [])
    study |= reader.read(_container(rest), _STUDY_TREE)
    study["observers"] = _observers(observers, reader)
    study["marks"] = marks + study.get("marks", [])
    if reader.offset is not None and not study["timezone_offset_from_utc"]:
        study["timezone_offset_from_utc"] = header.offset_text(reader.offset)
    of_type = modality.decide(holds_ct, study, accumulated, events)
    ct = of_type == "CT"
    if ct != holds_ct or (holds_ct and any(child.concept in ("DCM:113706", "DCM:113702") for child in root.children)):
        raise Unreadable("the dose report mixes the templates of CT and of projection X-ray")
    _fill_dates(study, events)
    if not study["study_instance_uid"]:
        raise Unreadable("the object has no Study Instance UID")
    announced = next((row["total_number_of_irradiation_events"] for row in accumulated
                      if row.get("total_number_of_irradiation_events") is not None), None)  # fmt: skip
    if announced is not None and announced != len(events):
        mark(study, "number_of_events", "events_differ", f"{announced:g} announced, {len(events)} held")
    return Extract(
        modality=of_type,
        study=study,
        equipment=header.equipment_of(kept.dataset, study, events),
        accumulated=accumulated,
        events=events,
        unused=reader.unused,
        made_at=header.content_moment(kept.dataset),
    )


def _container(children: list[Item]) -> Item:
    item = Item("CONTAINER", None, None, None)
    item.children = children
    return item


def _observers(children: list[Item], reader: RowReader) -> list[Row] | None:
    """Observers from items that stand side by side: each Observer Type begins another."""
    groups: list[list[Item]] = []
    for child in children:
        if child.concept == _OBSERVER_TYPE or not groups:
            groups.append([])
        # Some equipment puts an observer's items below its type instead of beside it.
        groups[-1] += [child, *child.children]
        child.children = []
    rows = [reader.read(_container(group), _OBSERVER_TREE) for group in groups]
    return [{name: value for name, value in row.items() if name != "marks"} for row in rows] or None


def _fill_dates(study: Row, events: list[Row]) -> None:
    """Where the header has no study date, the first irradiation says when it was."""
    if study["study_date"] is not None:
        return
    moments = [row["datetime_started"] for row in events if row.get("datetime_started")]
    first = min(moments, default=study.get("start_of_irradiation"))
    if first is not None:
        study["study_date"] = first.date()
        if study["study_time"] is None:
            study["study_time"] = first.time()

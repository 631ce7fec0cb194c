"""Steps shared by all dose reports: the content below the root is sorted, read into rows, and made
into an extract.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..dicom import concepts
from ..dicom.codes import Code
from ..dicom.dataset import Unreadable
from ..dicom.sr import Item
from ..records import STUDY
from ..records.common import OBSERVERS
from ..records.rows import AccumulatedRow, EventRow, Observer, StudyRow
from . import header
from .extract import Extract
from .kept import Kept
from .rows import Node, RowReader, by_name, compile_fields, mark

_OBSERVER_TYPE, _DEVICE_ROLE = "DCM:121005", "DCM:113876"
_TABLE_RELATIONSHIP, _DETECTOR_DATA = "DCM:113745", "DCM:113945"
_OBSERVER_TREE = compile_fields(OBSERVERS.fields)


@dataclass
class Content:
    """Rows of one report: the study's row, from header and report; totals and events in the
    report's order.

    concepts: of all items below the root. reader: holds what no field takes.
    """

    study: StudyRow
    accumulated: list[AccumulatedRow] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    concepts: set[str] = field(default_factory=set)
    reader: RowReader = field(default_factory=RowReader)


def study_tree(*modalities: str) -> Node:
    """Return the tree of what a report of these modality types can say of the study, without the
    observers, whose items do not form a tree.
    """
    fields = (one for one in STUDY.fields if one is not OBSERVERS)
    return compile_fields(
        tuple(one for one in fields if not one.modalities or set(one.modalities) & set(modalities))
    )


def read_report_rows(
    kept: Kept,
    children: list[Item],
    study: Node,
    events: Mapping[str, Node],
    accumulated: Mapping[str, Node],
    reader: RowReader | None = None,
) -> Content:
    """Read the rows of a report from the items below its root.

    events, accumulated: concepts of the containers that become one row each, with the tree that
    reads them. study: the tree of everything else. reader: given if part of the report has already
    been read."""
    content = Content(header.study_of(kept), reader=reader or RowReader())
    rest: list[Item] = []
    observers: list[Item] = []
    miscoded = False
    for child in children:
        concept = child.concept or ""
        if concept == _TABLE_RELATIONSHIP and _is_yes_or_no(child):
            # Hologic writes Detector Data Available under this code.
            child.concept = _DETECTOR_DATA
            miscoded = True
        content.concepts.add(concept)
        if concept in events:
            content.events.append(content.reader.read_row(child, events[concept], EventRow))
        elif concept in accumulated:
            content.accumulated.append(
                content.reader.read_row(child, accumulated[concept], AccumulatedRow)
            )
        elif concept in _OBSERVER_TREE.children and not (
            concept == _DEVICE_ROLE and child.children
        ):
            observers.append(child)
        else:
            rest.append(child)
    row = content.study
    if miscoded:
        mark(row, "detector_data_available", "wrong_code", _TABLE_RELATIONSHIP)
    marks = row.pop("marks", None) or []
    row |= content.reader.read_row(container(rest), study, StudyRow)
    row["observers"] = _observers(observers, content.reader)
    row["marks"] = marks + (row.get("marks") or [])
    if content.reader.offset is not None and not row["timezone_offset_from_utc"]:
        row["timezone_offset_from_utc"] = header.offset_text(content.reader.offset)
    return content


def to_extract(kept: Kept, content: Content, modality: str) -> Extract:
    """Return the extract of a report of this modality type. Raises Unreadable if the report does
    not say to which study it belongs.
    """
    study, events = content.study, content.events
    _fill_dates(study, events)
    if not study["study_instance_uid"]:
        raise Unreadable("the object has no Study Instance UID")
    _compare_number_of_events(study, content.accumulated, len(events))
    return Extract(
        modality=modality,
        study=study,
        equipment=header.equipment_of(kept.dataset, study, events),
        accumulated=content.accumulated,
        events=events,
        # An item that was read for several rows is listed once.
        unused=list({id(item): item for item in content.reader.unused}.values()),
        made_at=header.content_moment(kept.dataset),
    )


def _compare_number_of_events(
    study: StudyRow, accumulated: list[AccumulatedRow], held: int
) -> None:
    """Mark a report that announces another number of events than it holds. Several containers are
    over different events, or state the same again."""
    announced = [
        number
        for row in accumulated
        if (number := row.get("total_number_of_irradiation_events")) is not None
    ]
    if announced and sum(announced) != held and set(announced) != {held}:
        stated = " + ".join(f"{number:g}" for number in announced)
        mark(study, "number_of_events", "events_differ", f"{stated} announced, {held} held")


def container(children: list[Item]) -> Item:
    """Return a container without a concept that holds these items."""
    item = Item("CONTAINER", None, None, None)
    item.children = children
    return item


def _is_yes_or_no(item: Item) -> bool:
    return isinstance(item.value, Code) and item.value in (concepts.YES, concepts.NO)


def _observers(children: list[Item], reader: RowReader) -> list[Observer] | None:
    """Read observers from sibling items: each Observer Type begins another observer."""
    groups: list[list[Item]] = []
    for child in children:
        if child.concept == _OBSERVER_TYPE or not groups:
            groups.append([])
        # Some equipment puts an observer's items below its type instead of beside it.
        groups[-1] += [child, *child.children]
        child.children = []
    rows = [reader.read_row(container(group), _OBSERVER_TREE, Observer) for group in groups]
    for row in rows:
        by_name(row).pop("marks", None)
    return rows or None


def _fill_dates(study: StudyRow, events: list[EventRow]) -> None:
    """Fill in a missing study date from the first irradiation or administration."""
    if study["study_date"] is not None:
        return
    moments = [moment for row in events if (moment := row.get("datetime_started"))]
    first = min(moments, default=study.get("start_of_irradiation"))
    if first is not None:
        study["study_date"] = first.date()
        if study["study_time"] is None:
            study["study_time"] = first.time()

"""The Enhanced X-Ray Radiation Dose Report (TID 10040): totals (TID 10041), events (TID 10042), and
irradiation details (TID 10043 to 10055), which are given not by event but by source and period of
time.

It is read with the fields of the other reports: most rows have the same concepts, wherever they
appear. A detail is assigned to the events of its source that overlap its period, and only if a
field has the same meaning; what no field can hold (tables, coordinates, matrices, minima and maxima
of a value) is listed as not used."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..dicom import concepts, dates
from ..dicom.codes import Code
from ..dicom.dataset import Unreadable
from ..dicom.sr import Item, as_a_whole, concepts_below
from ..records import (
    CT_ACCUMULATED,
    CT_EVENT,
    PROJECTION_ACCUMULATED,
    PROJECTION_EVENT,
    Field,
    Table,
)
from . import content, modality
from .extract import Extract
from .kept import Kept
from .rows import Node, RowReader, compile_fields, mark

_TOTALS, _EVENT, _DETAILS = "DCM:130500", "DCM:130501", "DCM:130505"
_STARTED, _ENDED, _SOURCE, _PROCEDURE = "DCM:111526", "DCM:111527", "DCM:113832", "DCM:121058"
_PLANE = "DCM:113764"
_PLANES = (concepts.PLANE_A.value, concepts.PLANE_B.value)
# TID 10055: an attenuator, its category, its material or equivalent material, its single thickness.
_ATTENUATOR, _CATEGORY, _EQUIVALENT, _THICKNESS = (
    "DCM:130531",
    "DCM:128458",
    "DCM:128465",
    "DCM:130509",
)
_FILTER, _MATERIAL, _MINIMUM, _MAXIMUM = "DCM:113771", "DCM:113757", "DCM:113758", "DCM:113773"
_CT_DOSE = frozenset({"DCM:113813", "DCM:113830", "DCM:113838"})  # DLP total, mean CTDIvol, DLP
_CT_PARAMETERS, _CT_SOURCE = frozenset({"DCM:113822", "DCM:113829"}), "DCM:113831"
_REFERENCE_POINT = "DCM:130502"  # Reference Point Dosimetry, a container within the totals
# Reported Value Type (CID 10072): a value of one of these types is not the value of the event.
_VALUE_TYPE = "DCM:130510"
_NOT_THE_VALUE = frozenset({"SCT:255605001", "SCT:56851009", "SCT:373099004", "SCT:373100007"})
_NOMINAL, _MEAN = "SCT:117362005", "SCT:373098007"
_READ = frozenset({"CONTAINER", "TEXT", "NUM", "CODE", "DATETIME", "DATE", "TIME", "UIDREF", "PNAME", "IMAGE", "COMPOSITE",
                   "WAVEFORM", "REFERENCE"})  # fmt: skip

# Containers of the details, with the fields of an event that have the same meaning as their
# content: Radiation Source Characteristics, Technique, Filtration, Attenuators, Field Area, Beam
# Position, Patient Attenuation, Procedure.
_OF_PROJECTION = {
    "DCM:130508": ("focal_spot_size", "anode_target_material"),
    "DCM:130511": ("kvp", "xray_tube_current", "average_xray_tube_current", "pulse_width", "exposure_time", "exposure",
                   "pulse_rate", "number_of_pulses", "fluoro_mode", "irradiation_duration", "half_value_layer"),
    "DCM:130512": ("xray_filters",),
    "DCM:130513": ("xray_filters",),
    "DCM:130516": ("collimated_field_area", "collimated_field_height", "collimated_field_width"),
    "DCM:130524": ("positioner_primary_angle", "positioner_secondary_angle", "positioner_primary_end_angle",
                   "positioner_secondary_end_angle", "distance_source_to_isocenter", "distance_source_to_detector",
                   "distance_source_to_reference_point"),
    "DCM:130529": ("patient_equivalent_thickness", "compression_thickness", "compression_force", "breast_composition",
                   "percent_fibroglandular_tissue"),
    "DCM:130530": ("acquisition_protocol", "anatomical_structure", "target_region", "image_view", "patient_orientation",
                   "patient_orientation_modifier", "patient_table_relationship", "crdr_mechanical_configuration"),
}  # fmt: skip
_OF_CT = {
    "DCM:130511": ("xray_sources", "exposure_time", "pitch_factor", "xray_modulation_type"),
    "DCM:130516": ("nominal_single_collimation_width", "nominal_total_collimation_width"),
    "DCM:130530": (
        "acquisition_protocol",
        "target_region",
        "ct_acquisition_type",
        "procedure_context",
        "scanning_length",
        "reconstruction_algorithms",
    ),
}
# Quantities that add up over time: a value for a period that overlaps several events belongs to
# none of them alone.
_ADDS_UP = frozenset({"exposure_time", "exposure", "number_of_pulses", "irradiation_duration"})


def _elsewhere(
    fields: Iterable[Field], leave_out: frozenset[str], also_within: str | None
) -> tuple[Field, ...]:
    """Return the fields with their paths as in this report: without some containers, or
    additionally within another one.
    """
    out = []
    for one in fields:
        paths = [path[1:] if path[0] in leave_out and len(path) > 1 else path for path in one.paths]
        paths += [(also_within, *path) for path in paths] if also_within else []
        out.append(replace(one, paths=tuple(dict.fromkeys(paths))))
    return tuple(out)


class _Kind:
    """A reader for one kind of events: its trees, and the concepts that a container of the details
    provides.
    """

    def __init__(self, events: Table, totals: Table, details: dict[str, tuple[str, ...]]) -> None:
        fields = _elsewhere(events.fields, _CT_PARAMETERS, None)
        self.events: Node = compile_fields(fields)
        self.totals: Node = compile_fields(_elsewhere(totals.fields, frozenset(), _REFERENCE_POINT))
        first = {one.name: frozenset(path[0] for path in one.paths) for one in fields}
        self.details = {
            where: frozenset().union(*(first[name] for name in names))
            for where, names in details.items()
        }
        self.adds_up = frozenset().union(*(first[name] for name in _ADDS_UP if name in first))
        source = next((one for one in fields if one.name == "xray_sources"), None)
        # Technique of CT: items that belong to the struct of a tube are put into one.
        self.of_tube = (
            frozenset(path[0] for one in source.fields for path in one.paths)
            if source
            else frozenset()
        )


_KINDS = {
    False: _Kind(PROJECTION_EVENT, PROJECTION_ACCUMULATED, _OF_PROJECTION),
    True: _Kind(CT_EVENT, CT_ACCUMULATED, _OF_CT),
}


@dataclass
class _Period:
    """A container with the source and the period of time to which it refers."""

    item: Item
    source: str | None
    started: datetime | None
    ended: datetime | None
    seen: set[object] = field(default_factory=set)

    def meets(self, event: "_Period") -> bool:
        if self.source and event.source and self.source != event.source:
            return False
        if not (self.started and self.ended and event.started and event.ended):
            return False
        if self.started == self.ended or event.started == event.ended:
            return self.started <= event.ended and self.ended >= event.started
        return self.started < event.ended and self.ended > event.started


def is_one(root: Item) -> bool:
    """Return whether a dose report follows this template."""
    return not concepts_below(root).isdisjoint((_TOTALS, _EVENT, _DETAILS))


def read_enhanced_report(root: Item, kept: Kept, study: Node) -> Extract:
    """Read everything that has a counterpart in the records. Raises Unreadable without dose,
    TooLarge if the report is long.
    """
    root.children = as_a_whole(root.children)  # the parts of an event are in several places
    reader = RowReader()
    for child in root.children:
        _set_aside(child, reader)
    procedure = next(
        (
            child.value.key
            for child in root.children
            if child.concept == _PROCEDURE and isinstance(child.value, Code)
        ),
        None,
    )
    dose = {
        part.concept
        for child in root.children
        if child.concept in (_TOTALS, _EVENT)
        for part in child.children
    }
    is_ct = procedure == modality.CT_PROCEDURE or (procedure is None and bool(dose & _CT_DOSE))
    kind = _KINDS[is_ct]
    events = [_period(child) for child in root.children if child.concept == _EVENT]
    for details in (child for child in root.children if child.concept == _DETAILS):
        for part in details.children:
            if part.vt == "CONTAINER":
                _place(_period(part), events, kind, reader)
            elif part.concept not in (_STARTED, _ENDED):
                reader.leave(part)
    if not is_ct:
        _name_planes(
            events, [_period(child) for child in root.children if child.concept == _TOTALS]
        )
    others = [child for child in root.children if child.concept != _DETAILS]
    found = content.read_report_rows(
        kept, others, study, {_EVENT: kind.events}, {_TOTALS: kind.totals}, reader
    )
    if not found.events and not found.accumulated:
        raise Unreadable("the dose report contains neither accumulated dose nor irradiation events")
    for period, row in zip(events, found.events, strict=True):
        if (
            not is_ct
            and row.get("irradiation_duration") is None
            and period.started
            and period.ended
        ):
            row["irradiation_duration"] = (period.ended - period.started).total_seconds()
            mark(row, "irradiation_duration", "computed")
    return content.to_extract(
        kept, found, modality.decide_modality(is_ct, found.study, found.accumulated, found.events)
    )


def _set_aside(item: Item, reader: RowReader) -> None:
    """Remove from a container what no field can hold, and list it as unused: tables, coordinates,
    and values that are not the value of the event.
    """
    types = [(child, _value_type(child)) for child in item.children]
    means = {child.concept for child, of_type in types if of_type == _MEAN}
    keep = []
    for child, of_type in types:
        if (
            child.vt not in _READ
            or of_type in _NOT_THE_VALUE
            or (of_type == _NOMINAL and child.concept in means)
        ):
            reader.leave(child)
            continue
        _set_aside(child, reader)
        keep.append(child)
    item.children = keep


def _value_type(item: Item) -> str | None:
    types = (part.value for part in item.children if part.concept == _VALUE_TYPE)
    return next((of_type.key for of_type in types if isinstance(of_type, Code)), None)


def _period(item: Item) -> _Period:
    texts = {child.concept: child.value for child in item.children if isinstance(child.value, str)}
    return _Period(
        item, texts.get(_SOURCE), _moment(texts.get(_STARTED)), _moment(texts.get(_ENDED))
    )


def _moment(text: str | None) -> datetime | None:
    try:
        parsed = dates.parse_datetime(text)
    except ValueError:
        return None
    return parsed[0] if parsed else None


def _place(details: _Period, events: list[_Period], kind: _Kind, reader: RowReader) -> None:
    """Assign the content of a details container to the events it applies to; list the rest as
    unused."""
    met = [event for event in events if details.meets(event)]
    wanted = kind.details.get(details.item.concept or "", frozenset())
    tube: list[Item] = []
    for child in details.item.children:
        if child.concept in (_STARTED, _ENDED, _SOURCE):
            continue
        if not met:
            reader.leave(child)
        elif child.concept in kind.of_tube and _CT_SOURCE in wanted:
            tube.append(child)
        elif child.concept == _ATTENUATOR and _FILTER in wanted:
            for item in _filter(child, details.item.concept == "DCM:130512", reader):
                _give(item, met)
        elif child.concept in wanted and not (child.concept in kind.adds_up and len(met) > 1):
            for event in met:
                event.item.children.append(child)
        else:
            reader.leave(child)
    if tube:
        item = Item("CONTAINER", "CONTAINS", _CT_SOURCE, None)
        item.children = tube + [
            child for child in details.item.children if child.concept == _SOURCE
        ]
        _give(item, met)


def _give(item: Item, events: list[_Period]) -> None:
    """Add a struct to events, once per event however many periods repeat it."""
    says = (item.concept, *((child.concept, child.value, child.unit) for child in item.children))
    for event in events:
        if says not in event.seen:
            event.seen.add(says)
            event.item.children.append(item)


def _filter(item: Item, filtration: bool, reader: RowReader) -> Iterator[Item]:
    """Yield an attenuator as an X-ray filter (TID 10003B row 18), unless it is something else, such
    as the table or a shield.
    """
    category = next((child.value for child in item.children if child.concept == _CATEGORY), None)
    if not (category.key == _FILTER if isinstance(category, Code) else filtration):
        reader.leave(item)
        return
    made = Item("CONTAINER", "CONTAINS", _FILTER, None)
    for child in item.children:
        if child.concept == _THICKNESS:
            made.children += [_renamed(child, _MINIMUM), _renamed(child, _MAXIMUM)]
        elif child.concept != _CATEGORY:
            made.children.append(
                _renamed(child, _MATERIAL) if child.concept == _EQUIVALENT else child
            )
    yield made


def _renamed(item: Item, concept: str) -> Item:
    made = Item(item.vt, item.relationship, concept, item.meaning)
    made.value, made.unit, made.unit_scheme, made.qualifier = (
        item.value,
        item.unit,
        item.unit_scheme,
        item.qualifier,
    )
    made.children = item.children
    return made


def _name_planes(events: list[_Period], totals: list[_Period]) -> None:
    """Replace Identification of the X-Ray Source by Acquisition Plane: the single plane, or A and B
    in the order of the source names; a total with another name covers all sources (TID 10041 row
    2). Raises Unreadable if there are more sources than planes."""
    sources = sorted({period.source for period in events if period.source})
    if not sources:
        sources = sorted({period.source for period in totals if period.source})
    if len(sources) > len(_PLANES):
        # A third tube's dose would have to be assigned to one of the two planes, a wrong number.
        raise Unreadable(
            f"the report has {len(sources)} X-ray sources, but a record can have only two planes"
        )
    planes = dict(
        zip(sources, _PLANES if len(sources) > 1 else (concepts.SINGLE_PLANE.value,), strict=False)
    )
    for period in (*events, *totals):
        of_total = period.item.concept == _TOTALS
        for child in period.item.children:
            if child.concept == _SOURCE and isinstance(child.value, str):
                value = planes.get(child.value) or (
                    concepts.ALL_PLANES.value if of_total and child.value not in sources else ""
                )
                child.concept, child.vt = _PLANE, "CODE"
                child.value = Code(value, "DCM" if value else "", child.value)
        if not of_total and period.started and period.ended:
            period.item.children = [
                child for child in period.item.children if child.concept != _ENDED
            ]

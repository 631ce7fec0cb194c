"""Siemens: XML in comments of angiography, modulation in comments of CT, tomosynthesis of the
Mammomat Revelation.

The comment of an event is XML, <FluoroData> or <AcquisitionData>, with the field's diameter as
iiDiameter in mm; the comment of the report has the patient's position on the table, with the time
from which it applies. The attribute SRData holds the values."""

import re
from collections.abc import Iterator
from datetime import datetime
from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import fromstring

from ...dicom.concepts import ROTATIONAL_ACQUISITION
from ...records.rows import EquipmentRow, EventRow, StudyRow
from ..modality import canonical_code
from ..rows import mark
from .any_maker import is_open

# PS3.3 C.7.3.1.1.2
_POSITIONS = frozenset(
    "HFP HFS HFDR HFDL FFDR FFDL FFP FFS LFP LFS RFP RFS AFDR AFDL PFDR PFDL SITTING".split()
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONGEST = 200_000
# Possible diameters of a field, in mm. The item has no unit; a value outside these limits is in
# another unit.
_SMALLEST, _WIDEST = 40.0, 700.0
# "Internal technical scan parameters: Organ Characteristic = Abdomen, Body Size = Adult, X-ray
# Modulation Type = XYZ_EC"
_MODULATION = re.compile(r"X-ray Modulation Type = ([^,]{1,64})")


def read_comments(study: StudyRow, events: list[EventRow]) -> None:
    """Set field diameter and patient position of the events from XML in comments. A comment that is
    not XML stays as it is: text.
    """
    positions = list(_positions(study.get("comment")))
    for row in events:
        own: list[tuple[datetime | None, str]] = []
        for root in _trees(row.get("comment")):
            own += _positions_in(root)
            for element in root.iter("iiDiameter"):
                _diameter(element.get("SRData"), row)
        position = _position_of(row, own or positions)
        if position is not None:
            row["patient_position"] = position


def read_modulation(events: list[EventRow]) -> None:
    """Set the X-ray modulation type of CT events from their comments, the only place where older
    systems write it."""
    for row in events:
        written = _MODULATION.search(row.get("comment") or "")
        if written and is_open(row, "xray_modulation_type"):
            row["xray_modulation_type"] = written.group(1).strip()
            mark(row, "xray_modulation_type", "private_item", written.group(0))


def flag_tomosynthesis(study: StudyRow, equipment: EquipmentRow, events: list[EventRow]) -> None:
    """Mark the glandular dose of tomosynthesis sweeps: the Revelation gives that of one projection,
    and multiplying by their number does not give the dose of the sweep, since projections differ
    (DICOM conformance statement VC10, page 104)."""
    if "revelation" not in (equipment.get("manufacturer_model_name") or "").lower():
        return
    sweeps = [
        row for row in events if row.get("average_glandular_dose") is not None and _is_sweep(row)
    ]
    for row in sweeps:
        mark(row, "average_glandular_dose", "one_projection")
    if sweeps:
        mark(
            study,
            "average_glandular_dose",
            "one_projection",
            f"{len(sweeps)} of {len(events)} events",
        )


def _is_sweep(row: EventRow) -> bool:
    start, end = row.get("positioner_primary_angle"), row.get("positioner_primary_end_angle")
    moved = start is not None and end is not None and start != end
    return (
        moved
        or canonical_code(row.get("irradiation_event_type")) == ROTATIONAL_ACQUISITION.key
        or (row.get("number_of_pulses") or 0) > 1
    )


def _trees(comment: str | None) -> Iterator[Element]:
    """Yield the XML trees of a comment; several comments of an event are on separate lines."""
    if not comment or len(comment) > _LONGEST or "<" not in comment:
        return
    for text in (comment, *(comment.split("\n") if "\n" in comment else ())):
        if text.lstrip().startswith("<"):
            try:
                yield fromstring(text.strip(), forbid_dtd=True)
            except (ParseError, ValueError):  # broken, or it declares entities
                continue
            if text is comment:
                return


def _positions(comment: str | None) -> Iterator[tuple[datetime | None, str]]:
    for root in _trees(comment):
        yield from _positions_in(root)


def _positions_in(root: Element) -> Iterator[tuple[datetime | None, str]]:
    for patient in root.iter("PatientPosition"):
        since = None
        for element in patient:
            if element.tag == "PositionTime":
                since = _moment(element.get("SRData"))
        for element in patient:
            value = (element.get("SRData") or "").strip().upper()
            if element.tag == "Position" and value in _POSITIONS:
                yield since, value


def _position_of(row: EventRow, positions: list[tuple[datetime | None, str]]) -> str | None:
    """Return the position that applies to an event: the only one there is, or else the last that
    was entered before it.
    """
    different = {value for _, value in positions}
    if len(different) < 2:
        return next(iter(different), None)
    started = row.get("datetime_started")
    known = [(since, position) for since, position in positions if since is not None]
    if started is None or len(known) < len(positions):
        mark(row, "patient_position", "several_values", " | ".join(sorted(different)))
        return None
    before = [entry for entry in known if entry[0] <= started]
    return max(before)[1] if before else None


def _moment(text: str | None) -> datetime | None:
    """Parse a time like "12-May-16 10:06:48", always in English; return None for any other text."""
    try:
        day, _, clock = (text or "").strip().partition(" ")
        number, month, year = day.split("-")
        hour, minute, second = map(int, clock.split(":"))
        return datetime(
            2000 + int(year) % 100,
            _MONTHS.index(month.lower()) + 1,
            int(number),
            hour,
            minute,
            second,
        )
    except ValueError:
        return None


def _diameter(raw: str | None, row: EventRow) -> None:
    text = (raw or "").strip()
    if not text:
        return
    try:
        value = float(text) if "_" not in text else float("nan")
    except ValueError:
        value = float("nan")
    if _SMALLEST <= value <= _WIDEST:
        row["intensifier_size"] = value
    else:
        mark(row, "intensifier_size", "no_unit" if value > 0 else "no_number", text)

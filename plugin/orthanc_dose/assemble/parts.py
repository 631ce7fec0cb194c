"""Data structures for merging a study: parts (objects), records, and the keys of events."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from ..dicom.codes import Code
from ..extract import Extract
from ..extract.modality import canonical_code
from ..extract.rows import R, in_time
from ..records.rows import AccumulatedRow, EquipmentRow, EventRow, NotUsed, StudyRow

MAX_UNUSED = 500
SYSTEM = ("manufacturer", "manufacturer_model_name", "device_serial_number", "station_name")
Key = tuple[object, ...]


@dataclass(frozen=True)
class Part:
    """One object of a study: its SOP instance UID, and what was read from it. named: the system
    that the object names, if that system was merged into another one, as which the object
    counts."""

    sop_instance_uid: str
    extract: Extract
    named: EquipmentRow | None = None


@dataclass
class Outcome:
    """An object's outcome, with the rule that decided and the reason in words."""

    outcome: str
    rule: str | None = None
    reason: str | None = None


@dataclass
class Record:
    """A study as it is stored.

    parts: the objects from which its values come, the best source first. overlap: some of its
    reports share events, so that their totals cannot be added. named: the systems that its objects
    name, if one of these was merged into another. number: the number under which the store has it,
    if it has it already."""

    modality: str
    source: str
    study: StudyRow
    equipment: EquipmentRow
    accumulated: list[AccumulatedRow]
    events: list[EventRow]
    parts: list[Part]
    overlap: bool = False
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    named: list[EquipmentRow] = field(default_factory=list)
    number: int | None = None


def modality_of(group: list[Part]) -> str:
    """Return the modality type of a group of parts with dose, which all have the same one."""
    modality = group[0].extract.modality
    assert modality is not None
    return modality


def rows_of(part: Part) -> list[EventRow]:
    """Return the events of an object, each with the object and the source from which it comes."""
    return [of(part, row) for row in part.extract.events]


def of(part: Part, row: R) -> R:
    """Return a row with the object and the source from which it comes."""
    # The row gets its own list of marks: marks made during merging must not change the object's.
    marks = list(row.get("marks") or ())
    whole = {
        **row,
        "sop_instance_uid": part.sop_instance_uid,
        "source": part.extract.source,
        "marks": marks,
    }
    return cast("R", whole)


def event_key(row: EventRow) -> Key:
    """Return the key that distinguishes an event and identifies it in another object: the
    irradiation event UID (in nuclear medicine the administration event UID) and plane; without a
    UID, the start, the protocol and what was measured."""
    plane = canonical_code(row.get("acquisition_plane"))
    uid = row.get("irradiation_event_uid") or row.get("administration_event_uid")
    if uid:
        return uid, plane
    return (
        None,
        plane,
        row.get("datetime_started"),
        row.get("acquisition_protocol"),
        row.get("dap"),
        row.get("dose_rp"),
        row.get("dlp"),
        row.get("mean_ctdivol"),
        row.get("average_glandular_dose"),
        row.get("administered_activity"),
        canonical_code(row.get("radionuclide")),
    )


def event_keys(part: Part) -> list[Key]:
    """Return the keys of an object's events; equal ones within one object are numbered."""
    seen: Counter[Key] = Counter()
    keys = []
    for row in part.extract.events:
        key = event_key(row)
        keys.append((*key, seen[key]))
        seen[key] += 1
    return keys


def numbered(events: list[EventRow], by_start: bool = True) -> list[EventRow]:
    """Number the events and return them, in the order of their start if `by_start` is set and all
    of them have one.
    """
    if by_start:
        events = in_time(events)
    for number, row in enumerate(events, 1):
        row["event_number"] = number
    return events


def filled(rows: Sequence[R]) -> R:
    """Return the last row, with missing values filled from the rows before, the latest first."""
    out = dict(rows[-1])
    if "marks" in out:
        out["marks"] = list(out["marks"] or ())
    for row in reversed(rows[:-1]):
        for name, value in row.items():
            if out.get(name) is None:
                out[name] = value
    return cast("R", out)


def unused(parts: list[Part]) -> list[NotUsed]:
    """Return what no field takes of these objects, each content once with its count."""
    found: Counter[tuple[str | None, str | None, str | None, str | None]] = Counter()
    for part in parts:
        for item in part.extract.unused:
            value: Any = item.value
            words = (value.meaning or value.value) if isinstance(value, Code) else value
            found[item.concept, item.meaning, words[:500] if words else None, item.unit] += 1
    listed: list[NotUsed] = [
        {"concept": concept, "meaning": meaning, "value": value, "unit": unit, "count": count}
        for (concept, meaning, value, unit), count in list(found.items())[:MAX_UNUSED]
    ]
    if len(found) > MAX_UNUSED:
        rest = f"{len(found) - MAX_UNUSED} more; they stand in the content of the objects"
        listed.append(
            {"concept": None, "meaning": "(not listed)", "value": rest, "unit": None, "count": 1}
        )
    return listed

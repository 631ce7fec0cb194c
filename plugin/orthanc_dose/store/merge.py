"""Puts together what several objects say of one study (vendor habits: resent, cumulative and continued reports).

Decided by irradiation events, per study, modality type and system, over the objects in the order in which their content
was made, so that the order of arrival does not matter:

- all its events are known: a duplicate, nothing changes;
- it holds all known events and more: cumulative, it replaces what was there;
- none of its events is known: continued, its events join;
- some are known: the union, with the later values for what both have.
"""

from collections import Counter
from dataclasses import dataclass, field

from ..dicom.codes import Code
from ..extract import Extract
from ..extract.modality import key_of
from ..extract.rows import Row
from . import totals

MAX_UNUSED = 500
_SYSTEM = ("manufacturer", "manufacturer_model_name", "device_serial_number", "station_name")


@dataclass(frozen=True)
class Part:
    """One object of a study: its SOP instance UID, what was read from it, and the source's name."""

    sop_instance_uid: str
    extract: Extract
    source: str = "report"


@dataclass
class Outcome:
    """What became of an object: outcome, the rule that decided, and the reason in words."""

    outcome: str
    rule: str | None = None
    reason: str | None = None


@dataclass
class Record:
    """A study as it goes into the store."""

    modality: str
    study: Row
    equipment: Row
    accumulated: list[Row]
    events: list[Row]
    outcomes: dict[str, Outcome] = field(default_factory=dict)


def put_together(parts: list[Part]) -> list[Record]:
    """The records of one study from all its objects: one a modality type and system."""
    groups: dict[tuple[object, ...], list[Part]] = {}
    for part in sorted(parts, key=lambda part: (part.extract.made_at, part.sop_instance_uid)):
        system = tuple(part.extract.equipment.get(name) for name in _SYSTEM)
        groups.setdefault((part.extract.modality, *system), []).append(part)
    return [_record(group) for group in groups.values()]


def event_keys(part: Part) -> list[tuple[object, ...]]:
    """What tells the events of an object from each other and finds them again in another object: the irradiation event
    UID and plane; without a UID the start, the protocol and the dose. Equal ones within one object are counted."""
    seen: Counter[tuple[object, ...]] = Counter()
    keys = []
    for row in part.extract.events:
        plane = key_of(row.get("acquisition_plane"))
        uid = row.get("irradiation_event_uid")
        key = (uid, plane) if uid else (
            None, plane, row.get("datetime_started"), row.get("acquisition_protocol"), row.get("dap"), row.get("dose_rp"),
            row.get("dlp"), row.get("mean_ctdivol"), row.get("average_glandular_dose"),
        )  # fmt: skip
        keys.append((*key, seen[key]))
        seen[key] += 1
    return keys


def _record(group: list[Part]) -> Record:
    counting: list[Part] = []
    known: dict[tuple[object, ...], tuple[Part, Row]] = {}
    outcomes: dict[str, Outcome] = {}
    overlap = False
    for part in group:
        rows = dict(zip(event_keys(part), part.extract.events, strict=True))
        old = known.keys()
        if not counting:
            outcomes[part.sop_instance_uid] = Outcome("imported")
        elif rows and rows.keys() <= old:
            outcomes[part.sop_instance_uid] = Outcome(
                "duplicate", "same_events", "All its irradiation events are in the study already."
            )
            continue
        elif old <= rows.keys():
            for earlier in counting:
                outcomes[earlier.sop_instance_uid] = Outcome(
                    "merged", "cumulative", "A later report of the study holds all of its irradiation events."
                    if rows else "A later report without irradiation events replaces its totals.",
                )  # fmt: skip
            outcomes[part.sop_instance_uid] = Outcome("imported", "cumulative", "It replaces earlier reports that it contains.")
            counting, known, overlap = [], {}, False
        elif not rows.keys() & old:
            if not rows:
                outcomes[part.sop_instance_uid] = Outcome(
                    "duplicate", "no_events", "It holds no irradiation events, and the study has some."
                )
                continue
            reason = f"It continues the study: {len(rows)} irradiation events join."
            outcomes[part.sop_instance_uid] = Outcome("merged", "continued", reason)
        else:
            shared = len(rows.keys() & old)
            reason = f"{shared} of its {len(rows)} irradiation events were known: its values are used, the others join."
            outcomes[part.sop_instance_uid] = Outcome("merged", "overlap", reason)
            overlap = True
        counting.append(part)
        known |= {key: (part, row) for key, row in rows.items()}
    events = [_of(part, row) for part, row in known.values()]
    if len(counting) > 1 and all(row.get("datetime_started") for row in events):
        events.sort(key=lambda row: row["datetime_started"])
    for number, row in enumerate(events, 1):
        row["event_number"] = number
    accumulated = [_of(part, row) for part in counting for row in part.extract.accumulated]
    extract = counting[-1].extract
    study = {**_filled([part.extract.study for part in counting]), "modality": extract.modality}
    sums = totals.of_study(extract.modality, accumulated, events, overlap)
    marks = [*study.pop("marks", []), *sums.pop("marks", [])]
    study |= sums
    study |= {"marks": marks, "not_used": _unused(counting)}
    equipment = _filled([part.extract.equipment for part in counting])
    return Record(extract.modality, study, equipment, accumulated, events, outcomes)


def _of(part: Part, row: Row) -> Row:
    return {**row, "sop_instance_uid": part.sop_instance_uid, "source": part.source}


def _filled(rows: list[Row]) -> Row:
    """The last row, with what it leaves open filled from those before it."""
    out = dict(rows[-1])
    for row in reversed(rows[:-1]):
        for name, value in row.items():
            if out.get(name) is None:
                out[name] = value
    return out


def _unused(parts: list[Part]) -> list[Row]:
    found: Counter[tuple[str | None, str | None, str | None, str | None]] = Counter()
    for part in parts:
        for item in part.extract.unused:
            value = item.value
            words = (value.meaning or value.value) if isinstance(value, Code) else value
            found[item.concept, item.meaning, words[:500] if words else None, item.unit] += 1
    names = ("concept", "meaning", "value", "unit", "count")
    return [dict(zip(names, (*key, count), strict=True)) for key, count in list(found.items())[:MAX_UNUSED]]

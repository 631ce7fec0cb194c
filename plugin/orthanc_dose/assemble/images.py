"""Images and dose screens: a record of their own if there is no better source, or else an addition
to the better one.
"""

import re
from collections import Counter
from datetime import timedelta

from ..dicom.concepts import CONSTANT_ANGLE
from ..extract import image_ct
from ..extract.modality import key_of
from ..extract.rows import by_name, mark, value_of
from ..records.rows import EquipmentRow, EventRow, StudyRow
from . import reports, totals
from .parts import SYSTEM, Key, Outcome, Part, Record, filled, modality_of, numbered, of, rows_of

# Tolerance between the clocks of a system's report and images.
_SAME_MOMENT = timedelta(seconds=2)
_SAME_INJECTION = timedelta(minutes=15)
_SLICES = "computed"  # the source of CT images: each gives a slice, not an event
_BEST = {
    "report": "a dose report",
    "image header": "dose values in the header of an image",
    "OCR": "a dose screen",
}


def record(group: list[Part]) -> Record:
    """Return the record of objects of one source, modality type and system for which there is no
    better source.
    """
    outcomes: dict[str, Outcome] = {}
    source = group[0].extract.source
    if group[0].extract.modality == "CT" and source != _SLICES:
        return reports.record(
            group
        )  # dose screens list events as reports do, and are rebuilt when more come
    if source == _SLICES:
        events = _events_of_slices(group)
        reason = "The dose record was calculated from the headers of the images."
        outcomes = {
            part.sop_instance_uid: Outcome("imported", "ct_images", reason) for part in group
        }
        counting = group
    else:
        events, counting = _exposures(group, outcomes)
    return Record(
        modality=modality_of(group),
        source=source,
        study=filled([part.extract.study for part in reversed(group)]),
        equipment=filled([part.extract.equipment for part in reversed(group)]),
        accumulated=[of(part, row) for part in counting for row in part.extract.accumulated],
        events=numbered(events),
        parts=counting,
        outcomes=outcomes,
    )


def put_beside(group: list[Part], records: list[Record]) -> bool:
    """Add objects to the record of a better source that has the same exposures or the same modality
    type and system; return whether there is one."""
    source = group[0].extract.source
    better = [one for one in records if one.source != source]
    rows = (
        _events_of_slices(group)
        if source == _SLICES
        else [row for part in group for row in rows_of(part)]
    )
    target = next((one for one in better if any(_named(row, one.events) for row in rows)), None)
    if target is None:
        target = next(
            (
                one
                for one in better
                if one.modality == group[0].extract.modality
                and _compatible(one.equipment, group[0].extract.equipment)
            ),
            None,
        )
    if target is None and group[0].extract.modality == "NM":
        # What was administered to the patient is the same regardless of who reports it.
        target = next(
            (
                one
                for one in better
                if one.modality == "NM"
                and any(_same_administration(row, event) for row in rows for event in one.events)
            ),
            None,
        )
    if target is None:
        return False
    matched = _match(rows, target, source)
    for row, event in matched:
        _fill(event, row)
    reason = (
        f"The study has {_BEST[target.source]}, which takes precedence; values that only this "
        "object contains are added."
    )
    rule = "report_wins" if target.source == "report" else "better_source"
    target.outcomes |= {part.sop_instance_uid: Outcome("merged", rule, reason) for part in group}
    left = len(rows) - len(matched)
    if left and source == "image header" and target.modality != "CT":
        mark(target.study, "number_of_events", "images_without_event", left)
    no_marks: StudyRow = {"marks": None}
    target.study = filled(
        [*(part.extract.study | no_marks for part in reversed(group)), target.study]
    )
    target.parts += group if source != _SLICES else []
    return True


def _events_of_slices(group: list[Part]) -> list[EventRow]:
    return image_ct.events_of([row for part in group for row in rows_of(part)])


# --- images without a better source ---


def _exposures(
    group: list[Part], outcomes: dict[str, Outcome]
) -> tuple[list[EventRow], list[Part]]:
    """Return each exposure once, even if several images show it (for processing, for presentation,
    reprocessed), and the parts that contribute to the record.
    """
    known: dict[Key, EventRow] = {}
    seen: Counter[Key] = Counter()
    counting: list[Part] = []
    for part in group:
        fresh = 0
        for row in rows_of(part):
            key = _exposure_key(row, seen)
            if key in known:
                _complete(known[key], row)
            else:
                known[key] = row
                fresh += 1
        if not part.extract.events or fresh:
            counting.append(part)
        if not outcomes:
            outcomes[part.sop_instance_uid] = Outcome("imported")
        elif fresh:
            outcomes[part.sop_instance_uid] = Outcome(
                "merged", "continued", "Its exposure was added to the study."
            )
        else:
            reason = "Another object of the study shows the same exposure, which is counted once."
            outcomes[part.sop_instance_uid] = Outcome("duplicate", "same_exposure", reason)
    return list(known.values()), counting


_VALUES = (
    "kvp",
    "exposure",
    "exposure_time",
    "dap",
    "average_glandular_dose",
    "entrance_dose",
    "dlp",
    "mean_ctdivol",
    "acquisition_protocol",
)


def _exposure_key(row: EventRow, seen: Counter[Key]) -> Key:
    """Return the key of an exposure: its event UID, or else its time and values. If images do not
    say when they were exposed, those of each intent (for processing, for presentation) are counted,
    and the n-th of one intent is matched to the n-th of the other."""
    uid = row.get("irradiation_event_uid") or row.get("administration_event_uid")
    if uid:
        return (uid,)
    if "radionuclide" in row:
        return (
            None,
            row.get("datetime_started"),
            key_of(row.get("radionuclide")),
            key_of(row.get("radiopharmaceutical_agent")),
        )
    moment = (
        None
        if any(entry["mark"] == "other_date" for entry in row.get("marks") or ())
        else row.get("datetime_started")
    )
    values = (
        moment,
        key_of(row.get("laterality")),
        key_of(row.get("image_view")),
        *map(by_name(row).get, _VALUES),
    )
    if moment is not None:
        return (None, *values)
    of_intent = (*values, row.get("presentation_intent"))
    seen[of_intent] += 1
    return (None, *values, seen[of_intent])


_DOSES = ("dap", "average_glandular_dose", "entrance_dose", "administered_activity")
# Objects of one exposure each round the same number in their own way.
_ROUNDING = 0.005


def _complete(event: EventRow, row: EventRow) -> None:
    """Add what another image of the same exposure says; a differing dose is a contradiction and
    leaves the field empty.
    """
    contradicted = {
        entry["field"] for entry in event.get("marks") or () if entry["mark"] == "several_values"
    }
    whole = by_name(event)
    for name, value in by_name(row).items():
        there = whole.get(name)
        if name == "acquired_images":
            whole[name] = sorted({*(there or ()), *(value or ())})
        elif value is None or name in contradicted:
            continue
        elif there is None:
            whole[name] = value
        elif name in _DOSES and abs(there - value) > _ROUNDING * max(there, value):
            mark(event, name, "several_values", f"{there:g} | {value:g}")
            whole[name] = None


# --- beside a better source ---


def _named(row: EventRow, events: list[EventRow]) -> EventRow | None:
    """Return the event that matches this row by UID, or by the images that the report names."""
    uid, images = row.get("irradiation_event_uid"), set(row.get("acquired_images") or ())
    for event in events:
        if (uid and event.get("irradiation_event_uid") == uid) or images & set(
            event.get("acquired_images") or ()
        ):
            return event
    return None


def _compatible(one: EquipmentRow, other: EquipmentRow) -> bool:
    """Return whether two descriptions can be of one system: the serial number and manufacturer
    decide; without a serial number, no value that both give may differ. Manufacturers write their
    own name in several ways, all with the same first word ("GE Healthcare")."""
    serials = one.get("device_serial_number"), other.get("device_serial_number")
    makers = [
        re.split(r"[\s,_]", (row.get("manufacturer") or "").casefold())[0] for row in (one, other)
    ]
    if all(serials):
        return serials[0] == serials[1] and (makers[0] == makers[1] or not all(makers))
    return all(
        ours.casefold() == theirs.casefold()
        for name in SYSTEM
        if (ours := value_of(one, name)) and (theirs := value_of(other, name))
    )


def _match(rows: list[EventRow], target: Record, source: str) -> list[tuple[EventRow, EventRow]]:
    """Return pairs of a row and the matching event of the better record."""
    pairs: list[tuple[EventRow, EventRow]] = []
    left = []
    for row in rows:
        event = _named(row, target.events)
        if event is not None:
            pairs.append((row, event))
        else:
            left.append(row)
    taken = {id(event) for _, event in pairs}
    for row in list(left):
        near = [event for event in target.events if id(event) not in taken and _near(row, event)]
        same_moment = [
            other for other in left if other.get("datetime_started") == row.get("datetime_started")
        ]
        if len(near) == 1 and (len(same_moment) == 1 or source != _SLICES):
            pairs.append((row, near[0]))
            left.remove(row)
    if source == _SLICES and target.source in ("OCR", "image header"):
        pairs += _in_order(
            left, [event for event in target.events if id(event) not in {id(e) for _, e in pairs}]
        )
    return pairs


def _near(row: EventRow, event: EventRow) -> bool:
    """Return whether row and event have the same time, and no values that contradict this."""
    if "radionuclide" in row:
        return _same_administration(row, event)
    start, other = row.get("datetime_started"), event.get("datetime_started")
    if start is None or other is None or abs(start - other) > _SAME_MOMENT:
        return False
    for name in ("kvp", "dap", "average_glandular_dose", "mean_ctdivol"):
        ours, theirs = value_of(row, name), value_of(event, name)
        if (
            ours is not None
            and theirs is not None
            and abs(ours - theirs) > 0.02 * max(abs(ours), abs(theirs))
        ):
            return False
    return {totals.side_of(row), totals.side_of(event)} != {"left", "right"}


def _same_administration(row: EventRow, event: EventRow) -> bool:
    """Return whether an image and a report describe the same administration: they give the same
    nuclide, and start and activity agree if both give them. The report may come from an injector or
    a dispensing system, with its own clock and calibrator."""
    nuclides = key_of(row.get("radionuclide")), key_of(event.get("radionuclide"))
    if None in nuclides or nuclides[0] != nuclides[1]:
        return False
    start, other = row.get("datetime_started"), event.get("datetime_started")
    if start is not None and other is not None and abs(start - other) > _SAME_INJECTION:
        return False
    ours, theirs = row.get("administered_activity"), event.get("administered_activity")
    return ours is None or theirs is None or abs(ours - theirs) <= 0.1 * max(ours, theirs)


def _in_order(rows: list[EventRow], events: list[EventRow]) -> list[tuple[EventRow, EventRow]]:
    """Match series to the lines of a dose screen without UIDs and times: the n-th acquisition is
    the n-th line, if their numbers are equal, not counting localizers, and no CTDIvol that both
    give differs."""
    of_rows = [row for row in rows if key_of(row.get("ct_acquisition_type")) != CONSTANT_ANGLE.key]
    of_events = [
        row for row in events if key_of(row.get("ct_acquisition_type")) != CONSTANT_ANGLE.key
    ]
    if len(of_rows) != len(of_events):
        return []
    pairs = list(zip(of_rows, of_events, strict=True))
    for row, event in pairs:
        ours, theirs = row.get("mean_ctdivol"), event.get("mean_ctdivol")
        if ours is not None and theirs is not None and abs(ours - theirs) > max(0.1, 0.05 * theirs):
            return []
    return pairs


_NOT_FILLED = frozenset({"sop_instance_uid", "source", "marks", "event_number", "study_id"})


def _fill(event: EventRow, row: EventRow) -> None:
    """Fill in fields that only the lesser source gives, and mark them as such."""
    marked = {entry["field"] for entry in event.get("marks") or ()}
    whole = by_name(event)
    for name, value in row.items():
        if (
            value is not None
            and name not in _NOT_FILLED
            and whole.get(name) is None
            and name not in marked
        ):
            whole[name] = value
            mark(event, name, "from_image")
    if images := row.get("acquired_images"):
        event["acquired_images"] = sorted({*(event.get("acquired_images") or ()), *images})

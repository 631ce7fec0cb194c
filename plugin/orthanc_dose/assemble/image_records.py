"""Images and dose screens: a record of their own if there is no better source, or else an addition
to the better one.
"""

import re
from datetime import timedelta

from ..dicom.concepts import CONSTANT_ANGLE
from ..extract import doubt, image_ct
from ..extract.modality import canonical_code
from ..extract.rows import by_name, mark, value_of
from ..records import MODALITIES
from ..records.rows import EquipmentRow, EventRow, StudyRow
from . import administrations, exposures, report_records, totals, volumes
from .exposures import Exposure, Image, images_of
from .parts import SYSTEM, Outcome, Part, Record, filled, modality_of, numbered, of, rows_of

# Tolerance between the clocks of a system's report and images.
_SAME_MOMENT = timedelta(seconds=2)
_SAME_EXPOSURE = Outcome(
    "duplicate",
    "same_exposure",
    "Another object of the study shows the same exposure, which is counted once.",
)
_CONE_BEAM_TYPES = frozenset({"CT", "DX", "RF"})
_SLICES = "computed"  # the source of CT images: each gives a slice, not an event
_BEST = {
    "report": "a dose report",
    "image header": "dose values in the header of an image",
    "OCR": "a dose screen",
}


def image_record(group: list[Part]) -> Record:
    """Return the record of objects of one source, modality type and system for which there is no
    better source.
    """
    outcomes: dict[str, Outcome] = {}
    source = group[0].extract.source
    if group[0].extract.modality == "CT" and source != _SLICES:
        return report_records.report_record(
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
        events, counting = _counted(group, outcomes)
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
    images = images_of(group)
    rows = _events_of_slices(group) if source == _SLICES else [image.row for image in images]
    target = next((one for one in better if any(_named(row, one.events) for row in rows)), None)
    if target is None:
        target = next(
            (
                one
                for one in better
                if _are_of_one_type(one, group)
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
    # An event of CT has other fields than one of projection X-ray.
    alike = MODALITIES[target.modality].events is MODALITIES[modality_of(group)].events
    matched = _match(rows, target, source) if alike else []
    for row, event in matched:
        _fill(event, row)
    reason = (
        f"The study has {_BEST[target.source]}, which takes precedence; values that only this "
        "object contains are added."
    )
    rule = "report_wins" if target.source == "report" else "better_source"
    target.outcomes |= {part.sop_instance_uid: Outcome("merged", rule, reason) for part in group}
    if source == "image header" and target.modality != "CT":
        # An exposure is in the report if one of its images is.
        there = {id(row) for row, _ in matched}
        left = sum(
            all(id(image.row) not in there for image in one.images)
            for one in _distinct(images, group[0].extract.modality)
            if not _may_be_in_report(one)
        )
        if left:
            mark(target.study, "number_of_events", "images_without_event", left)
    no_marks: StudyRow = {"marks": None}
    target.study = filled(
        [*(part.extract.study | no_marks for part in reversed(group)), target.study]
    )
    target.parts += group if source != _SLICES else []
    return True


def _are_of_one_type(record: Record, group: list[Part]) -> bool:
    """Return whether a record is of the modality type of a group of objects. A report on cone-beam
    CT can be of any type with X-rays from a tube, whatever its volumes count as; and so do CT images
    of a cone-beam system that lack the dose area product of its others."""
    if record.modality == group[0].extract.modality:
        return True
    if record.modality not in _CONE_BEAM_TYPES:
        return False
    images = record.parts if group[0].extract.source == _SLICES else group
    return any(part.extract.origin and part.extract.origin.acquisition for part in images)


def _may_be_in_report(exposure: Exposure) -> bool:
    """Return whether an exposure that was matched to no event of a report can still be one of them:
    volumes state the time of a reconstruction, or none."""
    origins = (image.origin for image in exposure.images)
    return not exposure.uids and any(one and one.acquisition for one in origins)


def _events_of_slices(group: list[Part]) -> list[EventRow]:
    events = image_ct.events_of([row for part in group for row in rows_of(part)])
    for event in events:
        doubt.check_event(event, "CT")
    return events


# --- images without a better source ---


def _distinct(images: list[Image], modality: str | None) -> list[Exposure]:
    if modality == "NM":
        return administrations.administrations(images)
    return volumes.join_reconstructions(exposures.exposures(images), images)


def _counted(group: list[Part], outcomes: dict[str, Outcome]) -> tuple[list[EventRow], list[Part]]:
    """Return each exposure once, even if several images show it, and the parts that contribute to
    the record.
    """
    modality = group[0].extract.modality
    found = _distinct(images_of(group), modality)
    fresh = {one.images[0].part.sop_instance_uid for one in found}
    counting: list[Part] = []
    for part in group:
        adds = part.sop_instance_uid in fresh
        if not part.extract.events or adds:
            counting.append(part)
        if not outcomes:
            outcomes[part.sop_instance_uid] = Outcome("imported")
        elif adds:
            outcomes[part.sop_instance_uid] = Outcome(
                "merged", "continued", "Its exposure was added to the study."
            )
        else:
            outcomes[part.sop_instance_uid] = _SAME_EXPOSURE
    event = administrations.event_of if modality == "NM" else exposures.event_of
    return [event(one) for one in found], counting


def put_beside_same(group: list[Part], records: list[Record]) -> bool:
    """Add series of nuclear medicine to the record of another system's series that name the same
    administrations, all of them; return whether there is one."""
    if group[0].extract.modality != "NM" or group[0].extract.source == "report":
        return False
    images = images_of(group)
    for record in records:
        known = images_of(record.parts) if record.source == group[0].extract.source else []
        if record.modality == "NM" and all(
            any(administrations.same_injection(image, other) for other in known) for image in images
        ):
            for row, event in _match([image.row for image in images], record, record.source):
                exposures.complete(event, row)
            record.outcomes |= {part.sop_instance_uid: _SAME_EXPOSURE for part in group}
            return True
    return False


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
    nuclides = canonical_code(row.get("radionuclide")), canonical_code(event.get("radionuclide"))
    if None in nuclides or nuclides[0] != nuclides[1]:
        return False
    start, other = row.get("datetime_started"), event.get("datetime_started")
    if (
        start is not None
        and other is not None
        and abs(start - other) > administrations.SAME_INJECTION
    ):
        return False
    ours, theirs = row.get("administered_activity"), event.get("administered_activity")
    return ours is None or theirs is None or abs(ours - theirs) <= 0.1 * max(ours, theirs)


def _in_order(rows: list[EventRow], events: list[EventRow]) -> list[tuple[EventRow, EventRow]]:
    """Match series to the lines of a dose screen without UIDs and times: the n-th acquisition is
    the n-th line, if their numbers are equal, not counting localizers, and no CTDIvol that both
    give differs."""
    of_rows = [
        row for row in rows if canonical_code(row.get("ct_acquisition_type")) != CONSTANT_ANGLE.key
    ]
    of_events = [
        row
        for row in events
        if canonical_code(row.get("ct_acquisition_type")) != CONSTANT_ANGLE.key
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
    exposures.add_listed(event, row)

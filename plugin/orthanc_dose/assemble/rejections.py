"""Objects that a rejection note excludes (IHE Imaging Object Change Management), and the records of
which nothing else is left.

A wrong worklist entry means that the objects are not of this patient, so they do not count. Objects
that are rejected for patient safety must not be relied on: the patient or the side may be wrong, and
nobody can tell which. They do not count unless a setting says so. What was rejected for its quality
still counts, since the patient was irradiated, and so does what an archive no longer keeps."""

from collections.abc import Callable, Mapping

from ..extract.rows import mark
from .parts import Outcome, Part, Record

# By reason: the mark on a record that does not count, or that counts all the same.
SAFETY = "patient_safety"
LEAVES_OUT = {
    "wrong_worklist_entry": "rejected_worklist_entry",
    SAFETY: "rejected_safety",
}
MARKED = {"quality": "rejected_quality"}
REJECTED = Outcome(
    "merged",
    "rejected",
    "A rejection note excludes it; the record is made from the other objects of the study.",
)

Reasons = Mapping[str, frozenset[str]]  # why notes reject an object, by SOP instance UID


def without_rejected(
    parts: list[Part],
    reasons: Reasons,
    put_together: Callable[[list[Part]], list[Record]],
    counts: frozenset[str] = frozenset(),
) -> tuple[list[Record], dict[str, Outcome]]:
    """Return the records of a study, and the outcomes of rejected objects that are in none.

    A record that only rejected objects have does not count. counts: reasons that leave nothing out,
    because a setting says so."""
    leaving = LEAVES_OUT.keys() - counts
    out = {
        part.sop_instance_uid
        for part in parts
        if not leaving.isdisjoint(reasons.get(part.sop_instance_uid, ()))
    }
    kept = [part for part in parts if part.sop_instance_uid not in out]
    records = put_together(kept) if kept else []
    outcomes: dict[str, Outcome] = {}
    rejected = [part for part in parts if part.sop_instance_uid in out]
    for record in put_together(rejected) if rejected else ():
        if any(_is_same(record, other) for other in records):
            outcomes |= dict.fromkeys(record.outcomes, REJECTED)
        else:
            record.study["not_counted"] = "rejected"
            records.append(record)
    for record in records:
        _mark(record, reasons, counts)
    return records, outcomes


def _is_same(record: Record, other: Record) -> bool:
    return record.modality == other.modality and record.equipment == other.equipment


def _mark(record: Record, reasons: Reasons, counts: frozenset[str]) -> None:
    does_not_count = record.study.get("not_counted")
    marks = MARKED | {
        reason: name for reason, name in LEAVES_OUT.items() if does_not_count or reason in counts
    }
    found = {reason for sop in record.outcomes for reason in reasons.get(sop, ())}
    for reason in sorted(found & marks.keys()):
        mark(record.study, "number_of_events", marks[reason])
        all_marks = {*(record.study.get("all_marks") or ()), marks[reason]}
        record.study["all_marks"] = sorted(all_marks)

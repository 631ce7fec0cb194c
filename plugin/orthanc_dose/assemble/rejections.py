"""Objects that a rejection note excludes (IHE Imaging Object Change Management), and the records of
which nothing else is left.

A wrong worklist entry means that the objects are not of this patient; objects that are rejected for
patient safety must not be relied on. Neither counts. What was rejected for its quality still counts,
since the patient was irradiated, and so does what an archive no longer keeps."""

from collections.abc import Callable, Mapping

from ..extract.rows import mark
from .parts import Outcome, Part, Record

# By reason: the mark on a record that does not count, or that counts all the same.
LEAVES_OUT = {
    "wrong_worklist_entry": "rejected_worklist_entry",
    "patient_safety": "rejected_safety",
}
MARKED = {"quality": "rejected_quality"}
REJECTED = Outcome(
    "merged",
    "rejected",
    "A rejection note excludes it; the record is made from the other objects of the study.",
)

Reasons = Mapping[str, frozenset[str]]  # why notes reject an object, by SOP instance UID


def without_rejected(
    parts: list[Part], reasons: Reasons, put_together: Callable[[list[Part]], list[Record]]
) -> tuple[list[Record], dict[str, Outcome]]:
    """Return the records of a study, and the outcomes of rejected objects that are in none.

    A record that only rejected objects have does not count."""
    out = {part.sop_instance_uid for part in parts if _leaves_out(part, reasons)}
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
        _mark(record, reasons)
    return records, outcomes


def _leaves_out(part: Part, reasons: Reasons) -> bool:
    return not reasons.get(part.sop_instance_uid, frozenset()).isdisjoint(LEAVES_OUT)


def _is_same(record: Record, other: Record) -> bool:
    return record.modality == other.modality and record.equipment == other.equipment


def _mark(record: Record, reasons: Reasons) -> None:
    marks = MARKED | (LEAVES_OUT if record.study.get("not_counted") else {})
    found = {reason for sop in record.outcomes for reason in reasons.get(sop, ())}
    for reason in sorted(found & marks.keys()):
        mark(record.study, "number_of_events", marks[reason])
        all_marks = {*(record.study.get("all_marks") or ()), marks[reason]}
        record.study["all_marks"] = sorted(all_marks)

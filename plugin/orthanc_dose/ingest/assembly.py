"""Assembly of what one transaction writes from the objects that were read.

Each study is rebuilt from all of its objects.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

from .. import extract
from ..assemble import (
    SAFETY,
    Part,
    Record,
    event_keys,
    put_together,
    waiting_estimates,
    without_rejected,
)
from ..dicom.dataset import Unreadable
from ..extract import Extract, Ignored, Rejection
from ..store import Batch, ObjectRow, Writer, disposal
from ..store.systems import Systems
from ..store.tasks import now
from ..store.writer import is_note
from .reading import Read, set_outcome

_COUNTING = ("imported", "merged", "duplicate")
# The rule for a report that was replaced, under its own SOP Instance UID, by one that lacks some of
# its irradiation events: the earlier content stays until one arrives that has all of them.
FEWER_EVENTS = "fewer_events"
NOTE = "rejection_note"  # the rule for notes that reject other objects
# The state that says whether objects count that were rejected for patient safety.
COUNTS_UNSAFE = "counts_rejected_for_safety"


class Unread(Exception):
    """Raised when an object counts in its study, but its kept content can no longer be read."""


def batch(writer: Writer, reads: list[Read], state: dict[str, str]) -> Batch:
    """Combine what was read with what the store holds of the same studies."""
    out = Batch(state=dict(state))
    uids = sorted(
        {
            one.row["sop_instance_uid"]
            for one in reads
            if one.extract and one.row["sop_instance_uid"]
        }
    )
    same: dict[str, ObjectRow] = {
        sop: row
        for row in writer.known_objects([], uids)
        if row["outcome"] in _COUNTING and (sop := row["sop_instance_uid"])
    }
    fresh: dict[str, dict[str, Part]] = {}
    rows: dict[tuple[str, str], ObjectRow] = {}
    touched: set[str] = set()
    for one in reads:
        row = one.row.copy()
        before = row.pop("before", None)
        if (
            before is not None
            and before["study_instance_uid"]
            and before["outcome"] not in ("failed", "ignored")
        ):
            touched.add(before["study_instance_uid"])
        out.objects.append(row)
        if one.extract is None:
            if is_note(row):  # a note that can no longer be read rejects nothing
                touched |= _studies_of(writer, writer.rejected_by([row["handle"]]))
            continue
        if one.extract.rejects is not None:
            touched |= _note(writer, out, row, one.extract.rejects)
            continue
        if before is not None and before["content_digest"] != row["content_digest"]:
            _keep_events(writer, one, row, before)
        study, sop = _uids(row)
        other = same.get(sop)
        if other is not None and other["handle"] != row["handle"]:
            reason = "The same SOP instance was stored earlier under a different patient or study."
            set_outcome(row, "duplicate", "same_instance", reason)
            row["content"] = None
            continue
        same[sop] = row
        rows[study, sop] = row
        touched.add(study)
        fresh.setdefault(study, {})[sop] = Part(sop, one.extract)
    _put_together(writer, out, touched, fresh, rows)
    return out


def _note(writer: Writer, out: Batch, row: ObjectRow, rejection: Rejection) -> set[str]:
    """Take a rejection note into the batch, and return the studies with objects that it names, or
    named before."""
    out.rejections[row["handle"]] = rejection
    reason = f"It is a rejection note ({rejection.reason.replace('_', ' ')})."
    set_outcome(row, "merged", NOTE, reason)
    return _studies_of(writer, rejection.objects | writer.rejected_by([row["handle"]]))


def _studies_of(writer: Writer, objects: Iterable[str]) -> set[str]:
    return {
        study
        for row in writer.known_objects([], sorted(objects))
        if row["outcome"] in _COUNTING and (study := row["study_instance_uid"])
    }


def _reasons(writer: Writer, out: Batch, objects: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return why notes of the store and of the batch reject some of these objects."""
    found: dict[str, set[str]] = defaultdict(set)
    notes = [row["handle"] for row in out.objects if is_note(row)]
    wanted = set(objects)
    for sop, reason in writer.rejections(sorted(wanted), notes):
        found[sop].add(reason)
    for rejection in out.rejections.values():
        for sop in rejection.objects & wanted:
            found[sop].add(rejection.reason)
    return {sop: frozenset(reasons) for sop, reasons in found.items()}


def counts_unsafe(writer: Writer) -> bool:
    """Return whether objects count that were rejected for patient safety."""
    return writer.state(COUNTS_UNSAFE) == "yes"


def _keep_events(writer: Writer, one: Read, row: ObjectRow, before: ObjectRow) -> None:
    """Keep the earlier content of a report whose new content lacks some of its events: systems
    resend an earlier version, or only what came last, and no event may disappear unnoticed."""
    if one.extract is None or one.extract.source != "report" or before["outcome"] not in _COUNTING:
        return
    kept = writer.content_of(before["handle"])
    if kept is None or kept["study_instance_uid"] != row["study_instance_uid"]:
        return
    earlier = _kept(kept, say=False)
    if earlier is None:
        return
    old = set(event_keys(Part("", earlier)))
    lost = len(old - set(event_keys(Part("", one.extract))))
    if not lost:
        return
    one.extract = earlier
    row["content"], row["content_digest"] = kept["content"], kept["content_digest"]
    row["modality"], row["source"] = kept["modality"], kept["source"]
    reason = (
        f"It was sent again with other content, which lacks {lost} of its {len(old)} irradiation "
        "events. That content was refused; the earlier one is kept. To use the new content, "
        "exclude the object and re-import it."
    )
    set_outcome(row, "imported", FEWER_EVENTS, reason)


def without(writer: Writer, sop_instance_uid: str) -> Batch:
    """Exclude an object from the dose record: its study is rebuilt from the other objects."""
    reason = (
        "A user excluded it from the dose record. Re-importing it brings it back, as long as "
        "Orthanc has it."
    )
    return _left_out(writer, writer.known_objects([], [sop_instance_uid]), "taken_out", reason)


def withdrawn(writer: Writer, note: ObjectRow) -> Batch:
    """Withdraw a rejection note that was deleted from Orthanc."""
    reason = (
        "It was deleted from Orthanc while objects that it rejects were still there, so it "
        "counts as withdrawn."
    )
    row: ObjectRow = note | {"in_orthanc": disposal.DELETED, "deleted_at": now()}
    return _left_out(writer, [row], "withdrawn", reason)


def _left_out(writer: Writer, rows: list[ObjectRow], rule: str, reason: str) -> Batch:
    """Leave objects out of the dose record: studies are rebuilt without them."""
    out = Batch()
    touched = set()
    for row in rows:
        if row["study_instance_uid"] and row["outcome"] in _COUNTING:
            touched.add(row["study_instance_uid"])
        if is_note(row):
            touched |= _studies_of(writer, writer.rejected_by([row["handle"]]))
        set_outcome(row, "ignored", rule, reason)
        row |= {"content": None, "content_digest": None, "study_id": None}
        out.objects.append(row)
    _put_together(writer, out, touched, {}, {})
    return out


def again(
    writer: Writer,
    studies: list[str],
    systems: Systems | None = None,
    but: frozenset[str] = frozenset(),
) -> Batch:
    """Rebuild these studies with the present extractors, from kept content alone.

    systems: as they will be, if they are written in the same transaction. but: objects (by handle)
    to leave out.
    """
    out = Batch(systems=systems)
    _put_together(writer, out, set(studies), {}, {}, failed_too=True, but=but)
    return out


def with_content(writer: Writer, changed: list[ObjectRow]) -> Batch:
    """Rebuild the studies of these objects from their content, which was changed.

    Raises Unread if an object that counts in its study cannot be read from its content.
    """
    out = Batch(objects=changed)
    fresh: dict[str, dict[str, Part]] = {}
    rows: dict[tuple[str, str], ObjectRow] = {}
    for row in changed:
        study, sop = _uids(row)
        if row["outcome"] not in _COUNTING or row["rule"] == "same_instance" or not study:
            continue
        found = _kept(row, say=False)
        if found is None:
            raise Unread
        if found.rejects is not None:
            out.rejections[row["handle"]] = found.rejects
            continue
        rows[study, sop] = row
        fresh.setdefault(study, {})[sop] = Part(sop, found)
    _put_together(writer, out, set(fresh), fresh, rows)
    return out


def _put_together(
    writer: Writer,
    out: Batch,
    touched: set[str],
    fresh: dict[str, dict[str, Part]],
    rows: dict[tuple[str, str], ObjectRow],
    failed_too: bool = False,
    but: frozenset[str] = frozenset(),
) -> None:
    if not touched:
        return
    written = {row["handle"] for row in out.objects} | but
    systems = out.systems or writer.systems
    for row in writer.objects_of_studies(sorted(touched), failed_too):
        study, sop = _uids(row)
        if row["handle"] in written or (study, sop) in rows or row["rule"] == "same_instance":
            continue
        found = _kept(row, failed_too)
        if failed_too:
            out.objects.append(row)
        if found is None:
            continue
        if found.rejects is not None:
            if failed_too:
                out.rejections[row["handle"]] = found.rejects
            continue
        if not failed_too:
            out.objects.append(row)
        rows[study, sop] = row
        fresh.setdefault(study, {})[sop] = Part(sop, found)
    reasons = _reasons(writer, out, (sop for _, sop in rows))
    is_unsafe = any(SAFETY in some for some in reasons.values())
    counts = frozenset({SAFETY} if is_unsafe and counts_unsafe(writer) else ())

    def records_of(parts: list[Part]) -> list[Record]:
        return put_together(parts, systems.user_defined_modality, systems.counts_as)

    for study in touched:
        parts = list(fresh.get(study, {}).values())
        records, rejected = without_rejected(parts, reasons, records_of, counts)
        for sop, outcome in rejected.items():
            row = rows[study, sop]
            row["study_id"] = None
            set_outcome(row, outcome.outcome, outcome.rule, outcome.reason)
        out.studies[study] = records
        for sop, outcome in waiting_estimates(parts, records).items():
            if sop in rejected:
                continue
            row = rows[study, sop]
            row["study_id"] = None
            if row.get("rule") != outcome.rule:
                set_outcome(row, outcome.outcome, outcome.rule, outcome.reason)
        for record in records if len(records) > 1 else ():
            record.number = _number(record, [rows[study, sop] for sop in record.outcomes])
        for record in records:
            record.study["extractor_version"] = extract.EXTRACTOR_VERSION
            for sop, outcome in record.outcomes.items():
                row = rows[study, sop]
                if row.get("rule") == FEWER_EVENTS and outcome.outcome != "duplicate":
                    continue  # what was refused must stay visible
                if (row.get("outcome"), row.get("rule")) != (outcome.outcome, outcome.rule):
                    set_outcome(row, outcome.outcome, outcome.rule, outcome.reason)


def _number(record: Record, rows: list[ObjectRow]) -> int | None:
    """Return the number of the study to which most objects of a record have been assigned."""
    numbers = Counter(
        row["study_id"]
        for row in rows
        if row.get("study_id") is not None and row.get("modality") == record.modality
    )
    return min(numbers, key=lambda one: (-numbers[one], one)) if numbers else None


def _uids(row: ObjectRow) -> tuple[str, str]:
    """Return an object's Study and SOP Instance UID; it has both if it counts in its study."""
    return row["study_instance_uid"] or "", row["sop_instance_uid"] or ""


def _kept(row: ObjectRow, say: bool) -> Extract | None:
    """Return what the present extractors read from an object's kept content, or None.

    say: set the outcome in the row.
    """
    try:
        found = extract.extract_object(
            extract.unpack(row["content"] or b""), row["sop_class_uid"] or ""
        )
    except (Ignored, Unreadable) as error:
        # Unless the outcome was asked for, an object read by another version stays as it was.
        if say:
            outcome, rule = (
                ("ignored", error.rule) if isinstance(error, Ignored) else ("failed", "unreadable")
            )
            set_outcome(row, outcome, rule, str(error))
        return None
    except Exception as error:  # noqa: BLE001  one object must not stop the others of its study
        if say:
            set_outcome(
                row,
                "failed",
                "error",
                f"the kept content could not be read: {type(error).__name__}",
            )
        return None
    if say:
        row |= {
            "modality": found.modality,
            "source": found.source,
            "extractor_version": extract.EXTRACTOR_VERSION,
        }
    return found

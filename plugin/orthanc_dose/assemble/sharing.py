"""Decides in which study an irradiation counts that is in several of them: examinations that are
split on the console are reported under each of their Study Instance UIDs, and a report that was
sent under a wrong study is sent again under the right one.

Irradiation event UIDs (in nuclear medicine administration event UIDs) say that it is the same one.
They are believed as far as the times agree, since there are systems that repeat a UID: events that
start more than five minutes apart are different irradiations, and a UID for which there are such
events proves nothing unless the times agree to the second. An irradiation counts in the study that
began first, of those with the same beginning in the one with the lowest Study Instance UID; studies
that do not count themselves come last. Nothing here depends on what arrived first."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from ..extract.modality import canonical_code
from ..extract.rows import value_of
from ..records.rows import EventRow

# Starts of one irradiation, as a report and an image say it, are at most this far apart.
NEAR = timedelta(minutes=5)
_SAME_MOMENT = timedelta(seconds=1)
# The doses that contradict each other if two events differ in them by more than rounding.
_DOSES = (
    "dlp",
    "mean_ctdivol",
    "dap",
    "dose_rp",
    "average_glandular_dose",
    "administered_activity",
)
_ROUNDING = 0.02


@dataclass
class Holder:
    """A study whose events may be those of others.

    counts: whether the study itself counts, as those of patients do that were not rejected."""

    id: int
    study_instance_uid: str
    study_date: date | None
    study_time: time | None
    counts: bool
    events: list[EventRow]

    @property
    def _rank(self) -> tuple[bool, date, time, str, str, int]:
        objects = min((row.get("sop_instance_uid") or "" for row in self.events), default="")
        return (
            not self.counts,
            self.study_date or date.max,
            self.study_time or time.max,
            self.study_instance_uid,
            objects,
            self.id,
        )


@dataclass
class Sharing:
    """The irradiation events that a study shares with others.

    counted_in: by event number, the study in which the event counts instead. others: by study,
    the numbers of those events of this study that are in it, too. repeated: UIDs that several
    studies have for different irradiations."""

    counted_in: dict[int, int] = field(default_factory=dict)
    others: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    repeated: set[str] = field(default_factory=set)


def event_uid(row: EventRow) -> str | None:
    """Return the UID that identifies an irradiation or an administration, or None."""
    return row.get("irradiation_event_uid") or row.get("administration_event_uid")


def share(holders: Iterable[Holder], repeated: frozenset[str]) -> dict[int, Sharing]:
    """Return what each of these studies shares with the others, by its number.

    holders: with a study, all others that have one of its UIDs at about the same time. repeated:
    the UIDs that are in several studies, at times that are further apart."""
    ordered = sorted(holders, key=lambda one: one._rank)
    out = {one.id: Sharing() for one in ordered}
    by_uid: dict[str, list[tuple[Holder, EventRow]]] = defaultdict(list)
    for holder in ordered:
        for row in holder.events:
            if uid := event_uid(row):
                by_uid[uid].append((holder, row))
    for uid, found in by_uid.items():
        if uid in repeated:
            for holder, _ in found:
                out[holder.id].repeated.add(uid)
        if len({holder.id for holder, _ in found}) > 1:
            _share_uid(found, uid in repeated, out)
    return out


def _share_uid(
    found: list[tuple[Holder, EventRow]], is_repeated: bool, out: dict[int, Sharing]
) -> None:
    proves = not is_repeated and not _several_times(found)
    # The first event of each irradiation, and the others that are the same one.
    irradiations: list[list[tuple[Holder, EventRow]]] = []
    for holder, row in found:
        for one in irradiations:
            first, counted = one[0]
            if first.id != holder.id and _same(first, counted, holder, row, proves):
                one.append((holder, row))
                out[holder.id].counted_in[row["event_number"]] = first.id
                break
        else:
            irradiations.append([(holder, row)])
    for one in irradiations:
        for holder, row in one:
            for other, _ in one:
                if other.id != holder.id:
                    out[holder.id].others[other.id].add(row["event_number"])


def _several_times(found: list[tuple[Holder, EventRow]]) -> bool:
    """Return whether a study has the UID for events that start at different times."""
    starts: dict[int, set[datetime]] = defaultdict(set)
    for holder, row in found:
        if start := row.get("datetime_started"):
            starts[holder.id].add(start)
    return any(max(some) - min(some) > _SAME_MOMENT for some in starts.values())


def _apart(one: Holder, row: EventRow, other: Holder, there: EventRow) -> timedelta:
    """Return how far two events are apart; without a time of both, whole days between them."""
    start, begun = row.get("datetime_started"), there.get("datetime_started")
    if start and begun:
        return abs(start - begun)
    day = start.date() if start else one.study_date
    other_day = begun.date() if begun else other.study_date
    return abs(day - other_day) if day and other_day else timedelta(0)


def _same(one: Holder, row: EventRow, other: Holder, there: EventRow, proves: bool) -> bool:
    planes = {
        plane for event in (row, there) if (plane := canonical_code(event.get("acquisition_plane")))
    }
    apart = _apart(one, row, other, there)
    if len(planes) > 1 or apart > NEAR:
        return False
    if row.get("datetime_started") and there.get("datetime_started") and apart <= _SAME_MOMENT:
        return True
    return proves and not any(_contradict(row, there, name) for name in _DOSES)


def _contradict(row: EventRow, there: EventRow, name: str) -> bool:
    one, other = value_of(row, name), value_of(there, name)
    if one is None or other is None:
        return False
    return bool(abs(one - other) > _ROUNDING * max(abs(one), abs(other)))

"""Administrations of radiopharmaceuticals that images name, each counted once.

Every series of a study names what was administered, and not always in the same words: the time is
corrected on the console between two series, or rounded, or missing. Two series name the same
administration if nuclide and agent do not differ, and their times lie close together, in relation
to the half-life: a short-lived nuclide is given again within minutes, at rest and under stress. An
injection after the first series was acquired is another one. Values that contradict each other stay
empty and are marked."""

from datetime import datetime, timedelta

from ..extract.modality import canonical_code
from ..extract.rows import by_name, mark, value_of
from ..records.rows import EventRow
from .exposures import Exposure, Image, complete, event_uid, in_order

SAME_INJECTION = timedelta(minutes=15)
# Nobody injects twice within this time; times that differ by less are no contradiction.
_AT_ONCE = timedelta(minutes=1)
# Another injection is worth it only when part of the first has decayed: the share of a half-life
# within which two times are those of one injection (13.7 min for F-18, 9.5 s for Rb-82).
_SHARE_OF_HALF_LIFE = 1 / 8
# Corrections of the activity are small; injections some minutes apart whose activities differ by
# more are two.
_CORRECTION = 0.2
_TIMES = ("datetime_started", "datetime_stopped")


def administrations(images: list[Image]) -> list[Exposure]:
    """Return the administrations that these images of one system name, in the order of the
    images."""
    found: list[Exposure] = []
    # Those with a time come first: the others belong to one of them.
    for image in sorted(images, key=lambda one: one.row.get("datetime_started") is None):
        same = [one for one in found if all(same_injection(image, other) for other in one.images)]
        if same:
            min(same, key=lambda one: _distance(image, one)).images.append(image)
        else:
            found.append(Exposure([image]))
    return in_order(found, images)


def event_of(administration: Exposure) -> EventRow:
    """Return the event: what the first image says, completed by the others."""
    rows = [image.row for image in administration.images]
    event = rows[0]
    moments = {
        name: sorted(when for row in rows if (when := value_of(row, name)) is not None)
        for name in _TIMES
    }
    for row in rows[1:]:
        complete(event, row)
    for name, written in moments.items():
        if written and written[-1] - written[0] > _AT_ONCE:
            mark(event, name, "several_values", " | ".join(map(str, dict.fromkeys(written))))
            by_name(event)[name] = None
    return event


def same_injection(one: Image, other: Image) -> bool:
    """Return whether two series can name the same administration."""
    mine, theirs = one.row, other.row
    uids = event_uid(mine), event_uid(theirs)
    if all(uids):
        return uids[0] == uids[1]
    if _tracers_differ(mine, theirs):
        return False
    start, end = mine.get("datetime_started"), theirs.get("datetime_started")
    if one.part is other.part:
        return start is not None and start == end  # else the object itself names two
    if start is None or end is None:
        return True
    apart = abs(start - end)
    if apart <= min(_AT_ONCE, _limit(mine, theirs)):
        return True
    return (
        apart <= _limit(mine, theirs)
        and not _acquired_between(one, other)
        and _activities_are_near(mine, theirs)
    )


def _limit(one: EventRow, other: EventRow) -> timedelta:
    lives = [life for row in (one, other) if (life := row.get("radionuclide_half_life"))]
    shortest = timedelta(seconds=min(*lives, 1e9) * _SHARE_OF_HALF_LIFE) if lives else None
    return SAME_INJECTION if shortest is None else min(SAME_INJECTION, shortest)


def _tracers_differ(one: EventRow, other: EventRow) -> bool:
    for name in ("radionuclide", "radiopharmaceutical_agent"):
        mine, theirs = canonical_code(value_of(one, name)), canonical_code(value_of(other, name))
        if mine and theirs and mine != theirs:
            return True
    if one.get("radiopharmaceutical_agent") and other.get("radiopharmaceutical_agent"):
        return False
    names = [(row.get("radiopharmaceutical_name") or "").casefold() for row in (one, other)]
    return all(names) and names[0] not in names[1] and names[1] not in names[0]


def _acquired_between(one: Image, other: Image) -> bool:
    """Return whether one series was acquired after its injection and before the other's."""
    first, second = sorted(
        (one, other), key=lambda image: image.row.get("datetime_started") or datetime.min
    )
    start, acquired = first.row.get("datetime_started"), first.origin and first.origin.acquired
    later = second.row.get("datetime_started")
    return bool(start and acquired and later and start <= acquired < later)


def _activities_are_near(one: EventRow, other: EventRow) -> bool:
    mine, theirs = one.get("administered_activity"), other.get("administered_activity")
    return mine is None or theirs is None or abs(mine - theirs) <= _CORRECTION * max(mine, theirs)


def _distance(image: Image, administration: Exposure) -> tuple[float, float]:
    """Return how far a series is from an administration, in s and in MBq."""
    start, activity = image.row.get("datetime_started"), image.row.get("administered_activity")
    apart, differ = [0.0], [0.0]
    for other in administration.images:
        when, given = other.row.get("datetime_started"), other.row.get("administered_activity")
        if start and when:
            apart.append(abs(start - when).total_seconds())
        if activity is not None and given is not None:
            differ.append(abs(activity - given))
    return max(apart), max(differ)

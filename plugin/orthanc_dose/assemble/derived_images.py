"""Images put together or computed from those of several exposures: a stitched image of a leg, a 2D
view computed from tomosynthesis, a mammogram recombined from two energies.

They state the dose of the exposures behind them, often the sum, so that they are no exposures of
their own. If none of these exposures is in the study, one such image stands for them, marked."""

from collections.abc import Iterable
from dataclasses import replace

from ..extract.rows import mark
from ..records.rows import EventRow
from . import exposures, totals
from .exposures import Image, event_uid
from .parts import Outcome, Part, Record, rows_of

DERIVED = Outcome(
    "merged",
    "derived_image",
    "It was computed from images of other exposures of the study, which are counted; it is no "
    "exposure of its own.",
)


def set_apart(parts: list[Part]) -> tuple[list[Part], list[Part]]:
    """Return (parts that count, images computed from exposures that these parts hold)."""
    counting = [part for part in parts if not _is_combined(part)]
    apart: list[Part] = []
    alone: list[Part] = []
    for part in sorted(parts, key=lambda part: (part.extract.made_at, part.sop_instance_uid)):
        if not _is_combined(part):
            continue
        if any(_is_source(part, other) for other in counting) or any(
            _are_of_same_exposures(part, other) for other in alone
        ):
            apart.append(part)
        else:
            alone.append(part)
    return counting + [_marked(part) for part in alone], apart


def put_beside(apart: Iterable[Part], records: list[Record]) -> None:
    """Add images that are no exposures to the record of their exposures, which says how many."""
    for part in apart:
        record = max(records, key=lambda one: _nearness(part, one))
        record.outcomes[part.sop_instance_uid] = DERIVED
        record.parts = [*record.parts, part]
        of_study = [m for m in record.study.get("marks") or () if m["mark"] != "derived_images"]
        number = sum(outcome is DERIVED for outcome in record.outcomes.values())
        record.study["marks"] = of_study
        mark(record.study, "number_of_events", "derived_images", number)


def _is_combined(part: Part) -> bool:
    return part.extract.origin is not None and part.extract.origin.combined


def _marked(part: Part) -> Part:
    events: list[EventRow] = []
    for row in rows_of(part):
        mark(row, "acquired_images", "derived_image")
        events.append(row)
    return replace(part, extract=replace(part.extract, events=events))


def _is_source(part: Part, other: Part) -> bool:
    """Return whether another object holds an exposure from which this image can be computed."""
    if other.extract.modality != part.extract.modality or other.extract.source == "computed":
        return False
    return _names(part, other) or any(
        _side_and_view_agree(row, event)
        for row in part.extract.events
        for event in other.extract.events
    )


def _names(part: Part, other: Part) -> bool:
    """Return whether an image names another object, its images or one of its events."""
    sources = part.extract.origin.sources if part.extract.origin else frozenset()
    uids = {uid for row in part.extract.events if (uid := event_uid(row))}
    return other.sop_instance_uid in sources or any(
        event_uid(event) in uids or sources & set(event.get("acquired_images") or ())
        for event in other.extract.events
    )


def _side_and_view_agree(row: EventRow, event: EventRow) -> bool:
    if {totals.side_of(row), totals.side_of(event)} == {"left", "right"}:
        return False
    return not exposures.codes_differ(row.get("image_view"), event.get("image_view"))


def _are_of_same_exposures(part: Part, other: Part) -> bool:
    """Return whether two such images are computed from the same exposures."""
    if other.extract.modality != part.extract.modality:
        return False
    mine, theirs = part.extract.origin, other.extract.origin
    if mine and theirs and mine.sources and theirs.sources:
        return bool(mine.sources & theirs.sources)
    return any(
        exposures.same_exposure(Image(part, row), Image(other, event))
        for row in part.extract.events
        for event in other.extract.events
    )


def _nearness(part: Part, record: Record) -> tuple[bool, bool, bool]:
    """Return how well a record fits: it has the sources of the image, its modality type, its
    system."""
    sources = part.extract.origin.sources if part.extract.origin else frozenset()
    images = {uid for event in record.events for uid in event.get("acquired_images") or ()}
    uids = {uid for row in part.extract.events if (uid := event_uid(row))}
    equipment = part.extract.equipment
    return (
        bool(sources & (images | record.outcomes.keys()))
        or any(event_uid(event) in uids for event in record.events),
        record.modality == part.extract.modality,
        all(record.equipment.get(name) == equipment.get(name) for name in equipment),
    )

"""Exposures that images show, each counted once.

Several images can show one exposure: for processing and for presentation, and the same again with
other processing. They are of one exposure if

- they name the same irradiation event;
- or one names the other as the image from which it was computed, and the tube voltage agrees;
- or all their values are equal, and so is their time (if they do not say when they were exposed,
  the n-th of one intent is the n-th of the other);
- or one is for processing, the other for presentation, they are of the same moment, and nothing
  contradicts within rounding. What only one of them says contradicts nothing. Two images of one
  intent are never paired in this way: two exposures within a second stay two;
- or they are volumes or slices reconstructed from one cone-beam acquisition, by Acquisition UID, or
  by series and acquisition number (volumes.py joins those that have neither in common)."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..extract.modality import canonical_code
from ..extract.origin import PRESENTATION, PROCESSING, ImageOrigin
from ..extract.rows import by_name, mark, value_of
from ..extract.values import step_of
from ..records.rows import CodeValue, EventRow, ImageSeries
from .parts import Key, Part, rows_of

SAME_MOMENT = timedelta(seconds=1)
DOSES = ("dap", "average_glandular_dose", "entrance_dose", "administered_activity")
_EQUAL = (
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
# Fields that list what all images say, not what the first says.
_OF_ALL_IMAGES = frozenset({"acquired_images", "image_series"})
# What two images of one exposure cannot differ in. Not the protocol: equipment adds the kind of
# processing to its name.
_NUMBERS = (
    "kvp",
    "xray_tube_current",
    "exposure",
    "exposure_time",
    "dap",
    "average_glandular_dose",
    "entrance_dose",
    "compression_thickness",
)
_CODES = ("laterality", "image_view", "anatomical_structure")
# Values that are measured for each exposure: if they agree, the images need no time in common.
_MEASURED = ("exposure", "dap", "average_glandular_dose", "entrance_dose")
# Objects of one exposure each round the same number in their own way: by the smaller share at
# least, by half a step of the last digit of the one with fewer digits, or by a whole step that is
# not more than the larger share.
_LEAST, _MOST = 0.005, 0.05
# Elements that hold whole numbers round by one of their unit, whatever the value: kV, mA, mA.s
# (here in uA.s), ms, mm.
_WHOLE = {
    "kvp": 1.0,
    "xray_tube_current": 1.0,
    "exposure": 1000.0,
    "exposure_time": 1.0,
    "compression_thickness": 1.0,
}


@dataclass
class Image:
    """An image of the study: its object, the row that was read from it, the position of this row in
    the object, how the image came about."""

    part: Part
    row: EventRow
    position: int = 0

    @property
    def origin(self) -> ImageOrigin | None:
        return self.part.extract.origin

    @property
    def intent(self) -> str:
        return self.origin.intent if self.origin else ""


@dataclass
class Exposure:
    """An exposure: the images that show it, in the order in which their content was made."""

    images: list[Image] = field(default_factory=list)

    @property
    def uids(self) -> set[str]:
        return {uid for one in self.images if (uid := event_uid(one.row))}


def exposures(images: list[Image]) -> list[Exposure]:
    """Return the exposures that these images of one system show, in the order of the images."""
    found: dict[Key, Exposure] = {}
    seen: Counter[Key] = Counter()
    for image in images:
        found.setdefault(_key(image, seen), Exposure()).images.append(image)
    return in_order(_pair(_join_sources(list(found.values()))), images)


def images_of(group: list[Part]) -> list[Image]:
    """Return the images of these objects, each with rows of its own."""
    return [Image(part, row, at) for part in group for at, row in enumerate(rows_of(part))]


def in_order(found: list[Exposure], images: list[Image]) -> list[Exposure]:
    """Return exposures, and the images of each, in the order of the images."""
    order = {id(image): number for number, image in enumerate(images)}
    for one in found:
        one.images.sort(key=lambda image: order[id(image)])
    return sorted(found, key=lambda one: order[id(one.images[0])])


def event_of(exposure: Exposure) -> EventRow:
    """Return the event: what the first image says, completed by the others."""
    event = exposure.images[0].row
    started = first_moment(exposure)
    for image in exposure.images[1:]:
        complete(event, image.row)
    if started and (origin := exposure.images[0].origin) and origin.acquisition:
        event["datetime_started"] = started  # slices may have a time each
    # The name of a protocol in an image for processing may have the kind of processing added.
    shown = next((one for one in exposure.images if one.intent == PRESENTATION), None)
    if shown is not None and shown.row.get("acquisition_protocol"):
        event["acquisition_protocol"] = shown.row["acquisition_protocol"]
    return event


def event_uid(row: EventRow) -> str | None:
    """Return the UID of the irradiation or administration event of a row."""
    return row.get("irradiation_event_uid") or row.get("administration_event_uid")


def moment(row: EventRow) -> datetime | None:
    """Return when an image was exposed; None if it has only another date."""
    other = any(entry["mark"] == "other_date" for entry in row.get("marks") or ())
    return None if other else row.get("datetime_started")


def _key(image: Image, seen: Counter[Key]) -> Key:
    """Return what is equal in images of one exposure: its event UID, or else the acquisition, or
    else its time and values."""
    row = image.row
    uid = event_uid(row)
    if uid:
        return (uid,)
    if image.origin and image.origin.acquisition:
        return (None, image.origin.acquisition.uid, image.position)
    when = moment(row)
    values = (
        when,
        _word(row.get("laterality")),
        _word(row.get("image_view")),
        *map(by_name(row).get, _EQUAL),
    )
    if when is not None:
        return (None, *values)
    of_intent = (*values, row.get("presentation_intent"))
    seen[of_intent] += 1
    return (None, *values, seen[of_intent])


def first_moment(exposure: Exposure) -> datetime | None:
    """Return the earliest moment at which the images of an exposure were exposed, if any says so."""
    return min((when for one in exposure.images if (when := moment(one.row))), default=None)


# --- images that were computed from another one ---


def _join_sources(found: list[Exposure]) -> list[Exposure]:
    """Join exposures of which one shows an image computed from an image of the other."""
    of_image = {image.part.sop_instance_uid: one for one in found for image in one.images}
    joined = {id(one): one for one in found}

    def now(one: Exposure) -> Exposure:
        while joined[id(one)] is not one:
            one = joined[id(one)]
        return one

    for one in found:
        for image in list(one.images):
            for uid in sorted(image.origin.sources if image.origin else ()):
                if uid not in of_image:
                    continue
                there, here = now(of_image[uid]), now(one)
                if there is here or differ(there.uids, here.uids):
                    continue
                if _contradiction(image.row, _row_of(there, uid), ("kvp",), ("laterality",)):
                    continue
                there.images += here.images
                joined[id(here)] = there
    return [one for one in found if joined[id(one)] is one]


def _row_of(exposure: Exposure, sop_instance_uid: str) -> EventRow:
    return next(one.row for one in exposure.images if one.part.sop_instance_uid == sop_instance_uid)


def differ(one: set[str], other: set[str]) -> bool:
    """Return whether two exposures name different irradiation events."""
    return bool(one and other and one != other)


# --- pairs for processing and for presentation ---


def _pair(found: list[Exposure]) -> list[Exposure]:
    """Join each exposure of which there are only images for processing with the one of which there
    are only images for presentation that is nearest to it, if they do not contradict each other."""
    raw = [one for one in found if {image.intent for image in one.images} == {PROCESSING}]
    shown = [one for one in found if {image.intent for image in one.images} == {PRESENTATION}]
    near = sorted(
        (distance, left, right)
        for left, one in enumerate(raw)
        for right, other in enumerate(shown)
        if (distance := _distance(one, other)) is not None
    )
    gone: set[int] = set()
    for _, left, right in near:
        one, other = raw[left], shown[right]
        if id(one) not in gone and id(other) not in gone:
            gone |= {id(one), id(other)}
            found.append(Exposure(one.images + other.images))
    return [one for one in found if id(one) not in gone]


def _distance(one: Exposure, other: Exposure) -> tuple[float, float] | None:
    """Return by how much two exposures differ, in their values and in s; None if they cannot be
    the same."""
    if differ(one.uids, other.uids):
        return None
    pairs = [(mine, theirs) for mine in one.images for theirs in other.images]
    found = [_of_pair(mine, theirs) for mine, theirs in pairs]
    known = [distance for distance in found if distance is not None]
    return min(known) if len(known) == len(found) else None


def same_exposure(one: Image, other: Image) -> bool:
    """Return whether two images are of one moment and do not contradict each other."""
    return _of_pair(one, other) is not None


def _of_pair(one: Image, other: Image) -> tuple[float, float] | None:
    if one.origin is None or other.origin is None or one.origin.of_sweep != other.origin.of_sweep:
        return None
    if contradict(one.row, other.row):
        return None
    start, end = moment(one.row), moment(other.row)
    apart = abs(start - end) if start and end else None
    if apart is None and not any(_both(one.row, other.row, name) for name in _MEASURED):
        return None
    if apart is not None and apart > SAME_MOMENT:
        return None
    shares = (
        abs(mine - theirs) / max(abs(mine), abs(theirs), 1e-300)
        for name in _NUMBERS
        for mine, theirs in _both(one.row, other.row, name)
    )
    return sum(shares), (apart or SAME_MOMENT).total_seconds()


def contradict(one: EventRow, other: EventRow) -> bool:
    """Return whether two rows contradict each other in what two images of one exposure cannot differ
    in."""
    return _contradiction(one, other, _NUMBERS, _CODES)


def _contradiction(
    one: EventRow, other: EventRow, numbers: tuple[str, ...], codes: tuple[str, ...]
) -> bool:
    """Return whether two rows contradict each other in one of these fields."""
    return any(
        not agree(name, mine, theirs)
        for name in numbers
        for mine, theirs in _both(one, other, name)
        if not (_is_rounded(one, name) or _is_rounded(other, name))
    ) or any(codes_differ(value_of(one, name), value_of(other, name)) for name in codes)


def _both(one: EventRow, other: EventRow, name: str) -> Iterator[tuple[float, float]]:
    """Yield the values of both rows in a field, if both have one."""
    mine, theirs = value_of(one, name), value_of(other, name)
    if mine is not None and theirs is not None:
        yield mine, theirs


def _is_rounded(row: EventRow, name: str) -> bool:
    return any(
        entry["field"] == name and entry["mark"] == "rounded" for entry in row.get("marks") or ()
    )


def codes_differ(one: CodeValue | None, other: CodeValue | None) -> bool:
    """Return whether two codes contradict each other. A word in place of a code, as headers have
    it, says nothing about a code."""
    if one is None or other is None or bool(one["scheme"]) != bool(other["scheme"]):
        return False
    return _word(one) != _word(other)


def _word(code: CodeValue | None) -> str | None:
    """Return what identifies a code, or the word that stands in its place."""
    if code is None:
        return None
    return canonical_code(code) if code["scheme"] else (code["meaning"] or "").casefold()


# --- values within rounding ---


def agree(name: str, one: float, other: float) -> bool:
    """Return whether two numbers in a field can be the same value, each rounded in its own way."""
    size = max(abs(one), abs(other))
    step = max(step_of(one), step_of(other))
    # A whole step of the last digit, since some equipment cuts digits off in place of rounding.
    allowed = max(_LEAST * size, step / 2, min(step, _MOST * size), _WHOLE.get(name, 0.0))
    return abs(one - other) <= allowed * (1 + 1e-9)


def add_listed(event: EventRow, row: EventRow) -> None:
    """Add the images and series of images that show an exposure, whatever their order of arrival."""
    if images := row.get("acquired_images"):
        event["acquired_images"] = sorted({*(event.get("acquired_images") or ()), *images})
    if row.get("image_series"):
        both = (*(event.get("image_series") or ()), *(row.get("image_series") or ()))
        of_uid = {one.get("series_instance_uid"): one for one in reversed(both)}
        event["image_series"] = sorted(of_uid.values(), key=_start_of_series)


def _start_of_series(series: ImageSeries) -> tuple[bool, datetime, str]:
    started = series.get("series_started")
    return started is None, started or datetime.min, series.get("series_instance_uid") or ""


def complete(event: EventRow, row: EventRow) -> None:
    """Add what another image of the same exposure says; a differing dose is a contradiction and
    leaves the field empty. Of two numbers that agree, the one with more digits is kept.
    """
    contradicted = {
        entry["field"] for entry in event.get("marks") or () if entry["mark"] == "several_values"
    }
    whole = by_name(event)
    for name, value in by_name(row).items():
        there = whole.get(name)
        if name in _OF_ALL_IMAGES:
            add_listed(event, row)
        elif value is None or name in contradicted:
            continue
        elif there is None:
            whole[name] = value
        elif name in DOSES or name in _NUMBERS:
            if _is_rounded(event, name) and not _is_rounded(row, name):
                whole[name] = value
                event["marks"] = [
                    entry
                    for entry in event["marks"] or ()
                    if (entry["field"], entry["mark"]) != (name, "rounded")
                ]
            elif agree(name, there, value):
                if step_of(value) < step_of(there):
                    whole[name] = value
            elif name in DOSES and not _is_rounded(row, name):
                mark(event, name, "several_values", f"{there:g} | {value:g}")
                whole[name] = None

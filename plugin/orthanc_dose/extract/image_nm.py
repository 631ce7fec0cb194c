"""PET and NM images: what was administered, from Radiopharmaceutical Information Sequence
(0054,0016).

All images of a series say the same, so only one of each series is read (see ingest).
"""

from datetime import datetime, timedelta

from ..dicom import dates
from ..dicom.dataset import Dataset, Unreadable, first, items, text
from ..dicom.sop_classes import NM_IMAGE
from ..records import IMAGE_SERIES, NM_ADMINISTRATION
from ..records.limits import ADMINISTERED_ACTIVITY
from ..records.rows import EventRow, ImageSeries, Mark
from . import header
from .elements import HeaderReader, unused_elements
from .extract import Extract, Ignored
from .kept import Kept
from .origin import origin_of
from .rows import by_name, mark, value_of

_SEQUENCE = "0054,0016"
# The largest activities in use, of iodine-131 and lutetium-177 in therapy, are below 20 GBq. If the
# number is impossible in the standard's unit, it is read in the unit that NM and PET images mix up
# with it, provided that no third one is possible: an NM image may also have kBq, which would be
# below 20 GBq; a PET image may have mCi, of which rubidium-82 needs up to 60. All limits in MBq.
_LARGEST_GIVEN = 20_000.0
_CERTAINLY_BQ, _CERTAINLY_MBQ = 20.0, 60.0
_LIMITS = ("energy_window_lower_limit", "energy_window_upper_limit")
_TIMES = {"datetime_started": "0018,1072", "datetime_stopped": "0018,1073"}


def extract_nm_image(kept: Kept) -> Extract:
    """Return the administrations that an image names. Raises Ignored if it names none, Unreadable
    if it is broken.
    """
    dataset = kept.dataset
    reader = HeaderReader(dataset)
    reader.taken.add(_SEQUENCE)
    megabecquerel = first(dataset, "0008,0016") == NM_IMAGE
    events = [
        _administration(dataset, entry, reader, megabecquerel)
        for entry in items(dataset, _SEQUENCE)
    ]
    events = [row for row in events if _says_something(row)]
    series, marks = _series(dataset, reader)
    for row in events:
        row["image_series"] = [series.copy()]
        for found in marks:
            mark(row, f"image_series.{found['field']}", found["mark"], found["raw"])
    if not events:
        raise Ignored(
            "no_dose", "The header of this image names no administered radiopharmaceutical."
        )
    study = header.study_of(kept)
    if not study["study_instance_uid"]:
        raise Unreadable("the object has no Study Instance UID")
    unused = reader.unused(header.KNOWN)
    for entry in items(dataset, _SEQUENCE):
        unused += unused_elements(entry, reader.taken_within | set(_TIMES.values()))
    return Extract(
        modality="NM",
        study=study,
        equipment=header.equipment_of(dataset, study, []),
        accumulated=[],
        events=events,
        unused=unused,
        made_at=header.content_moment(dataset),
        source="image header",
        origin=origin_of(dataset),
    )


def _series(dataset: Dataset, reader: HeaderReader) -> tuple[ImageSeries, list[Mark]]:
    """Return what the image says of its series, such as reconstruction and energy windows, and the
    marks of values that cannot be used."""
    row = reader.read_row(IMAGE_SERIES.fields, ImageSeries)
    windows = dict.fromkeys(_energy_windows(dataset))
    if len(windows) > 1:
        for name in _LIMITS:
            by_name(row)[name] = None
            mark(by_name(row), name, "several_values", " | ".join(windows))
    marks = by_name(row).pop("marks", [])
    try:
        day = dates.parse_date(first(dataset, "0008,0021"))
        clock = dates.parse_time(first(dataset, "0008,0031"))
    except ValueError:
        day = clock = None
    row["series_started"] = datetime.combine(day, clock) if day and clock else None
    return row, marks


def _energy_windows(dataset: Dataset) -> list[str]:
    """Return the energy windows of an image as text, in keV: of PET images in Energy Window Range
    Sequence (0054,0013), of NM images within Energy Window Information Sequence (0054,0012)."""
    holders = [dataset, *items(dataset, "0054,0012")]
    return [
        f"{first(window, '0054,0014') or ''}-{first(window, '0054,0015') or ''}"
        for holder in holders
        for window in items(holder, "0054,0013")
    ]


def _says_something(row: EventRow) -> bool:
    return any(
        value_of(row, name) is not None
        for name in (
            "administered_activity",
            "radionuclide",
            "radiopharmaceutical_agent",
            "radiopharmaceutical_name",
        )
    )


def _administration(
    dataset: Dataset, entry: Dataset, reader: HeaderReader, megabecquerel: bool
) -> EventRow:
    row = reader.read_row(NM_ADMINISTRATION.fields, EventRow, entry)
    _convert_activity(row, first(entry, "0018,1074") or "", megabecquerel)
    for name, tag in _TIMES.items():
        if value_of(row, name) is None and first(entry, tag) is not None:
            _by_time_of_day(dataset, entry, tag, name, row)
    return row


def _convert_activity(row: EventRow, raw: str, megabecquerel: bool) -> None:
    """Convert the activity to MBq. PS3.3 C.8.4.10: MBq in NM images; C.8.9.2: Bq in PET images,
    which the field declares."""
    in_bq = row.get("administered_activity")
    if in_bq is None:
        return
    written = float(f"{in_bq * 1e6:.15g}")  # the number itself
    activity, other = (written, in_bq) if megabecquerel else (in_bq, written)
    lowest = _CERTAINLY_BQ if megabecquerel else _CERTAINLY_MBQ
    unit, other_unit = ("MBq", "Bq") if megabecquerel else ("Bq", "MBq")
    if ADMINISTERED_ACTIVITY.is_possible(activity):
        row["administered_activity"] = activity
    elif lowest <= other <= _LARGEST_GIVEN:
        row["administered_activity"] = other
        mark(row, "administered_activity", "unit_of_maker", f"{raw} {other_unit}")
    else:
        row["administered_activity"] = None
        mark(row, "administered_activity", "impossible", f"{raw} {unit}")


def _by_time_of_day(dataset: Dataset, entry: Dataset, tag: str, name: str, row: EventRow) -> None:
    """Set a time given without a date: it is on the day of the acquisition, or on the day before if
    a start would otherwise be later than the acquisition.
    """
    raw = first(entry, tag)
    try:
        clock = dates.parse_time(raw)
        day = dates.parse_date(
            first(dataset, "0008,0022") or first(dataset, "0008,0021") or text(dataset, "0008,0020")
        )
        acquired = dates.parse_time(first(dataset, "0008,0032") or first(dataset, "0008,0031"))
    except ValueError:
        mark(row, name, "no_date", raw)
        return
    if clock is None or day is None:
        mark(row, name, "no_date", raw)
        return
    moment = datetime.combine(day, clock)
    if acquired is not None and name == "datetime_started" and clock > acquired:
        moment -= timedelta(days=1)
    by_name(row)[name] = moment
    mark(row, name, "other_date", raw)
    if dates.lacks_dot(raw):
        mark(row, name, "time_without_dot", raw)

"""Values that can be computed for the events of any manufacturer."""

from collections.abc import Mapping
from math import fsum
from typing import Any

from ...dicom.concepts import ROTATIONAL_ACQUISITION
from ...dicom.decimals import LARGEST
from ...records.rows import EventRow
from ..modality import canonical_code
from ..rows import mark


def is_open(row: Mapping[str, Any], name: str) -> bool:
    """Return whether a field has no value and no value in the report was rejected (a wrong unit,
    two values).
    """
    refused = any(
        entry["field"] == name and entry["mark"] != "empty" for entry in row.get("marks") or ()
    )
    return row.get(name) is None and not refused


def exposure_times(events: list[EventRow]) -> None:
    """Set a missing Exposure Time, in ms: pulses times pulse width.

    Exposure Time is the time with X-rays, summed over the pulses (TID 10003B row 14); Philips
    Allura leaves it out. If the width of every pulse is given, it is their sum."""
    for row in events:
        pulses, width = row.get("number_of_pulses"), row.get("pulse_width")
        if not is_open(row, "exposure_time") or not pulses or not width or pulses < 0:
            continue
        each = row.get("pulse_width_values") or ()
        time = fsum(each) if pulses in (len(each), sum(map(bool, each))) else pulses * width
        if time > LARGEST:
            continue
        row["exposure_time"] = time
        mark(row, "exposure_time", "computed", f"{pulses:g} pulses, {width:g} ms")


def flag_open_rotations(events: list[EventRow]) -> None:
    """Mark rotational acquisitions of which the report gives where they started and not where they
    ended."""
    names = ("positioner_primary_end_angle", "positioner_secondary_end_angle")
    for row in events:
        if (
            canonical_code(row.get("irradiation_event_type")) == ROTATIONAL_ACQUISITION.key
            and row.get("positioner_primary_angle") is not None
            and row.get(names[1]) is None
            and is_open(row, names[0])
        ):
            mark(row, names[0], "no_end_angle")

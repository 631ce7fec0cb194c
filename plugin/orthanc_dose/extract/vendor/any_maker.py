"""Values that can be computed for the events of any manufacturer."""

from collections.abc import Mapping
from math import fsum
from typing import Any

from ...records.rows import EventRow
from ..rows import LARGEST, mark


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

"""Philips angiography (Allura Xper and later): its own items, and geometry that is only written
when it has changed.

The items of the scheme 99PHI-IXR-XPER are declared with the fields; this module derives further
values from them.

A rotational run has no end angle in these reports, and nothing else says how far it went: a run
that starts at -120° is often the propeller movement to +120°, one at -45° the roll movement to
+135°, but a shorter run may start there too. The end angle is therefore left empty, and marked
(any_maker.flag_open_rotations)."""

from ...dicom.decimals import LARGEST
from ...records.rows import EventRow
from ..modality import canonical_code
from ..rows import by_name, in_time, mark
from .any_maker import is_open

# Geometry that remains in force if an event does not write it, with the field that gives it at the
# end of the event.
_CARRIED: dict[str, str | None] = {
    "distance_source_to_isocenter": None,
    "distance_source_to_detector": "distance_source_to_detector_end",
    "table_longitudinal_position": "table_longitudinal_end_position",
    "table_lateral_position": "table_lateral_end_position",
    "table_height_position": "table_height_end_position",
    "table_head_tilt_angle": "table_head_tilt_end_angle",
    "table_horizontal_rotation_angle": "table_horizontal_rotation_end_angle",
    "table_cradle_tilt_angle": "table_cradle_tilt_end_angle",
}
# Shutter positions are given in a plane 1 m from the source.
_SHUTTER_PLANE = 1000.0


def complete_philips_events(events: list[EventRow]) -> None:
    """Set pulses, geometry and collimated field of the events as far as the report allows."""
    for row in events:
        if is_open(row, "number_of_pulses") and row.get("number_of_frames"):
            row["number_of_pulses"] = row["number_of_frames"]
            mark(row, "number_of_pulses", "private_item", f"{row['number_of_frames']:g}")
    _carry(events)
    for row in events:
        _collimated_field(row)


def _carry(events: list[EventRow]) -> None:
    planes: dict[str | None, dict[str, float]] = {}
    for event in in_time(events):
        holds = planes.setdefault(canonical_code(event.get("acquisition_plane")), {})
        row = by_name(event)
        for name, at_end in _CARRIED.items():
            if name in holds and is_open(row, name):
                row[name] = holds[name]
                mark(row, name, "carried")
            # If a value was rejected, neither it nor the value that applies afterwards is known.
            last = row.get(name) if at_end is None or row.get(at_end) is None else row[at_end]
            if last is None:
                holds.pop(name, None)
            else:
                holds[name] = last


def _collimated_field(row: EventRow) -> None:
    """Set height and width of the field between the shutters as projected on the detector (CID
    10008, DCM 113788, 113789): the shutters are those at the end of the run, so the distance of the
    detector is also the one at the end."""
    distance = row.get("distance_source_to_detector_end") or row.get("distance_source_to_detector")
    top, bottom = row.get("shutter_top"), row.get("shutter_bottom")
    left, right = row.get("shutter_left"), row.get("shutter_right")
    fields = ("collimated_field_height", "collimated_field_width", "collimated_field_area")
    if top is None or bottom is None or left is None or right is None:
        return
    if not distance or not all(is_open(row, name) for name in fields):
        return
    height = (top + bottom) * distance / _SHUTTER_PLANE
    width = (left + right) * distance / _SHUTTER_PLANE
    if height > 0 and width > 0 and height * width <= LARGEST:
        made = by_name(row)
        for name, value in zip(fields, (height, width, height * width / 1e6), strict=True):
            made[name] = value
            mark(row, name, "computed", "shutters")

"""The CSV of one fluoroscopy study from which openSkin (bitbucket.org/openskin) calculates a skin
dose map.

It has one exposure per line, without a line of titles. Columns, order and units are those of
OpenREM's "openSkin export". The units are those of the standard's report, which are also the
store's: DAP Gy.m2, dose at reference point Gy, angles degrees, lengths and filters mm, kV, mA,
times ms, exposure uA.s, irradiation duration s. openSkin knows only copper: other filters are left
out. Its reader does not support quotation marks, so a comma within a text becomes a semicolon.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..cells import line
from ..dicom.concepts import COPPER
from ..dicom.decimals import exact_sum
from ..query.studies import StudyDetail
from ..records.rows import CodeValue, XrayFilter

COPPER_IN_WORDS = "Copper or Copper compound"  # the code's meaning when openSkin was written
PATIENT = "Anon"  # replaces the patient's identity


def csv_of(study: StudyDetail) -> bytes:
    """Return the lines of a study, given as query.studies returns it."""
    return b"".join(
        line(_clean(value) for value in _values(study, event)) for event in study["events"]
    )


def _values(study: StudyDetail, event: Mapping[str, Any]) -> Iterator[str | float | None]:
    started = event["datetime_started"]
    yield from (PATIENT, study["patient_sex"], study["study_instance_uid"], None)
    yield from (
        _word(event["acquisition_plane"]),
        str(started).replace("T", " ") if started else None,
    )
    yield from (_word(event["irradiation_event_type"]), event["acquisition_protocol"])
    for name in (
        "reference_point_definition",
        "irradiation_event_uid",
        "dap",
        "dose_rp",
        "positioner_primary_angle",
        "positioner_secondary_angle",
        "positioner_primary_end_angle",
        "positioner_secondary_end_angle",
        "column_angulation",
    ):
        yield event[name]
    yield from _copper(event["xray_filters"] or [])
    yield _word(event["fluoro_mode"])
    for name in (
        "pulse_rate",
        "number_of_pulses",
        "kvp",
        "xray_tube_current",
        "exposure_time",
        "pulse_width",
        "exposure",
        "focal_spot_size",
        "irradiation_duration",
        "average_xray_tube_current",
        "distance_source_to_detector",
        "distance_source_to_isocenter",
        "table_longitudinal_position",
        "table_lateral_position",
        "table_height_position",
    ):
        yield event[name]
    yield from (_word(event["target_region"]), event["comment"])


def _copper(filters: list[XrayFilter]) -> tuple[str | float | None, ...]:
    """Return type, material, minimum and maximum thickness of the copper in the beam.

    The thicknesses of several sheets are added.
    """
    copper = [
        one
        for one in filters
        if one["material"]
        and f"{one['material']['scheme']}:{one['material']['value']}" == COPPER.key
    ]
    if not copper:
        return None, None, None, None
    return (
        _word(copper[0]["type"]),
        COPPER_IN_WORDS,
        _sum([one["thickness_minimum"] for one in copper]),
        _sum([one["thickness_maximum"] for one in copper]),
    )


def _sum(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return exact_sum(known) if len(known) == len(values) else None


def _word(code: CodeValue | None) -> str | None:
    return code["meaning"] if code else None


def _clean(value: str | float | None) -> str | float | None:
    return (
        re.sub(r'[\s"]+', " ", value.replace(",", ";")).strip() if isinstance(value, str) else value
    )

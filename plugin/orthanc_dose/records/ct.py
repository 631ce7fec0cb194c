"""Tables of computed tomography: CT Irradiation Event Data (TID 10013) and CT Accumulated Dose Data
(TID 10012).
"""

from typing import NamedTuple

from . import limits
from .common import (
    counted_in,
    device_participants,
    label,
    marks,
    person_participants,
    record_source,
    repeated_and_rejected,
)
from .estimate import OF_EVENT
from .field import Table, code, codes, flag, integer, moment, num, numbers, structs, text, uid, uids

# Why values for dose check have no limits.
_SET_BY_PEOPLE = "a limit that people set; some set it so high that it is never reached"


class DoseLimit(NamedTuple):
    """Fields of a CT event: whether a limit is configured, its value, what the scanner expected,
    and whether that reached the limit (assemble/dose_check.py)."""

    configured: str
    value: str
    estimate: str
    reached: str


class DoseCheck(NamedTuple):
    """One of the two kinds of dose check: its limits, DLP before CTDIvol, the field with the reason
    why the scan proceeded, and further fields that describe it."""

    kind: str
    limits: tuple[DoseLimit, ...]
    reason: str
    more: tuple[str, ...]


def _dose_check(kind: str, estimate: str, *more: str) -> DoseCheck:
    limits = (
        DoseLimit(
            f"{what}_{kind}_value_configured",
            f"{what}_{kind}_value",
            f"{estimate}{what}_forward_estimate",
            f"{what}_{kind}_value_reached",
        )
        for what in ("dlp", "ctdivol")
    )
    return DoseCheck(kind, tuple(limits), f"{kind}_reason_for_proceeding", more)


# What dose check (NEMA XR 25, TID 10015) says of an event: alerts depend on what has accumulated in
# the examination, notifications on the event alone.
DOSE_CHECK = (
    _dose_check("alert", "accumulated_", "alternative_dose_alert_behavior"),
    _dose_check("notification", ""),
)

_P, _D, _S = (
    "113822",
    "113829",
    "113831",
)  # CT Acquisition Parameters, CT Dose, CT X-Ray Source Parameters
_A, _N = f"{_D}/113900", f"{_D}/113908"  # Dose Check Alert and Notification Details

_SOURCES = structs(
    "xray_sources", "X-ray sources", f"{_P}/{_S}", "TID 10013 row 14",
    "One entry per tube; two in dual-source CT. From images: the maximum and the mean of the current over "
    "the slices or frames; tube voltage and rotation time if all of them agree.",
    text("identification", "X-ray source", "113832", "TID 10013 row 15"),
    num("kvp", "KVP", "kV", "113733", "TID 10013 row 16"),
    num("maximum_xray_tube_current", "Maximum X-ray tube current", "mA", "113833", "TID 10013 row 17"),
    num("xray_tube_current", "X-ray tube current", "mA", "113734", "TID 10013 row 18"),
    num("exposure_time_per_rotation", "Exposure time per rotation", "s", "113834", "TID 10013 row 19",
        limits=limits.ROTATION_TIME),
    num("xray_filter_aluminum_equivalent", "X-ray filter aluminium "
"equivalent", "mm", "113821", "TID 10013 row 20", limits=limits.FILTER_THICKNESS),
)  # fmt: skip

_Z = "113994"
_SSDE = structs(
    "size_specific_dose_estimates", "Size-specific dose estimates", f"{_D}/113930", "TID 10013 row 30",
    "Size-specific dose estimates (AAPM reports 204 and 220), each with its method.",
    num("ssde", "SSDE", "mGy", source="TID 10013 row 30", limits=limits.SSDE),
    code("measurement_method", "Measurement method", "SCT:370129005", "TID 10013 row 31"),
    num("measured_lateral_dimension", "Lateral dimension", "mm", "113931", "TID 10013 row 32",
        limits=limits.BODY_DIMENSION),
    num("measured_ap_dimension", "AP dimension", "mm", "113932", "TID 10013 row 33", limits=limits.BODY_DIMENSION),
    num("derived_effective_diameter", "Effective diameter", "mm", "113933", "TID 10013 row 34",
        limits=limits.BODY_DIMENSION),
    numbers("dw_conversion_factor_coefficients", "Dw conversion factor "
"coefficients", "mm", "113991", "TID 10013 row 34a", unlimited="coefficients of a polynomial, of any size and sign"),
    num("water_equivalent_diameter", "Water-equivalent diameter", "mm", "113980", "TID 10013 row 34c",
        limits=limits.BODY_DIMENSION),
    code("water_equivalent_diameter_method", "Method of water-equivalent "
"diameter", "113980/SCT:370129005",
         "TID 10013 row 34d"),
    num("water_equivalent_diameter_z", "Position of water-equivalent "
"diameter", "mm", f"113980/{_Z}",
        "TID 10013 row 34e", limits=limits.POSITION),
    uids("water_equivalent_diameter_objects", "Series or instances "
"used", "113985", "TID 10013 row 34b"),
    structs(
        "along_z", "SSDE along z", "113993", "TID 10013 row 34f", "SSDE by longitudinal position.",
        num("ssde", "SSDE", "mGy", source="TID 10013 row 34f", limits=limits.SSDE),
        num("z", "Longitudinal position", "mm", _Z, "TID 10013 row 34g", limits=limits.POSITION),
        num("water_equivalent_diameter", "Water-equivalent diameter", "mm", "113995", "TID 10013 row 34h",
            limits=limits.BODY_DIMENSION),
    ),
)  # fmt: skip

CT_EVENT = Table(
    "ct_event", "CT irradiation events",
    "One row per irradiation event of a CT study. Without a report, events are formed from the headers of CT "
    "images: the slices, and the frames of multi-frame images, that name the same irradiation event, or else are of "
    "the same series and acquisition number. So one object can contain several events, and several objects one.",
    (
        integer("study_id", "Study", description="Study that the event belongs to.", always=True),
        integer("event_number", "Event", description="Position of the event in the study, "
                                                     "counted from 1.", always=True),
        *record_source(),
        uid("irradiation_event_uid", "Irradiation event UID", "113769", "TID 10013 row 6", header="0008,3010"),
        text("acquisition_protocol", "Acquisition protocol", "125203", "TID 10013 row 2", header="0018,1030|0008,103e"),
        code("target_region", "Target region", "123014", "TID 10013 row 3", header="0008,2218|0018,0015"),
        code("ct_acquisition_type", "CT acquisition type", "113820", "TID 10013 row 4", header="0018,9302"),
        codes("reconstruction_algorithms", "Reconstruction "
"algorithms", "113961", "TID 10013 row 4b", header="0018,9315"),
        code("procedure_context", "Procedure context", "SCT:408730004", "TID 10013 row 5"),
        *label(),
        *repeated_and_rejected(),
        moment("datetime_started", "Started", "111526", "TID 10013 row 6f",
               "From images: the earliest time of acquisition of a slice or frame."),
        num("exposure_time", "Exposure time", "s", f"{_P}/113824", "TID 10013 row 8", limits=limits.CT_EXPOSURE_TIME),
        num("scanning_length", "Scanning length", "mm", f"{_P}/113825", "TID 10014 row 1",
            "From images: from the first slice to the last, plus one thickness.", header="0018,1302 mm",
            limits=limits.SCAN_LENGTH),
        num("length_of_reconstructable_volume", "Length of reconstructable "
"volume", "mm", f"{_P}/113893",
            "TID 10014 row 2", limits=limits.SCAN_LENGTH),
        num("exposed_range", "Exposed range", "mm", f"{_P}/113899", "TID 10014 row 3", limits=limits.SCAN_LENGTH),
        num("top_z_of_reconstructable_volume", "Top z of reconstructable "
"volume", "mm", f"{_P}/113895",
            "TID 10014 row 4", limits=limits.POSITION),
        num("bottom_z_of_reconstructable_volume", "Bottom z of reconstructable "
"volume", "mm", f"{_P}/113896",
            "TID 10014 row 5", limits=limits.POSITION),
        num("top_z_of_scanning_length", "Top z of scanning length", "mm", f"{_P}/113897", "TID 10014 row 6",
            limits=limits.POSITION),
        num("bottom_z_of_scanning_length", "Bottom z of scanning "
"length", "mm", f"{_P}/113898", "TID 10014 row 7", limits=limits.POSITION),
        uid("frame_of_reference_uid", "Frame of reference UID", f"{_P}/112227", "TID 10014 row 8", header="0020,0052"),
        num("nominal_single_collimation_width", "Nominal single collimation "
"width", "mm", f"{_P}/113826",
            "TID 10013 row 10", header="0018,9306 mm", limits=limits.COLLIMATION_SINGLE),
        num("nominal_total_collimation_width", "Nominal total collimation "
"width", "mm", f"{_P}/113827",
            "TID 10013 row 11", header="0018,9307 mm", limits=limits.COLLIMATION_TOTAL),
        num("pitch_factor", "Pitch factor", "1", f"{_P}/113828", "TID 10013 row 12", header="0018,9311 1",
            limits=limits.PITCH),
        num("number_of_xray_sources", "Number of X-ray sources", "1", f"{_P}/113823", "TID 10013 row 13",
            limits=limits.X_RAY_SOURCES),
        _SOURCES,
        num("mean_ctdivol", "Mean CTDIvol", "mGy", f"{_D}/113830", "TID 10013 row 22",
            "From images: the mean over the slices or frames of the event.", header="0018,9345 mGy",
            limits=limits.CTDIVOL),
        code("ctdiw_phantom_type", "CTDIw phantom type", f"{_D}/113835", "TID 10013 row 23", header="0018,9346"),
        num("ctdifreeair_calculation_factor", "CTDIfreeair calculation "
"factor", "mGy/mA.s", f"{_D}/113836",
            "TID 10013 row 24"),
        num("mean_ctdifreeair", "Mean CTDIfreeair", "mGy", f"{_D}/113837", "TID 10013 row 25", limits=limits.CTDIVOL),
        num("dlp", "DLP", "mGy.cm", f"{_D}/113838", "TID 10013 row 26"),
        num("effective_dose", "Effective dose", "mSv", f"{_D}/113839", "TID 10013 row 27",
            limits=limits.EFFECTIVE_DOSE),
        code("effective_dose_method", "Method of effective dose", f"{_D}/113839/SCT:370129005", "TID 10013 row 28"),
        num("effective_dose_conversion_factor", "Effective dose conversion factor", "mSv/mGy.cm",
            f"{_D}/113839/113840|{_D}/113839/SCT:370129005/113840", "TID 10013 row 29"),
        _SSDE,
        code("dlp_alert_value_configured", "DLP alert configured", f"{_A}/113901", "TID 10015 row 2"),
        code("ctdivol_alert_value_configured", "CTDIvol alert "
"configured", f"{_A}/113902", "TID 10015 row 3"),
        num("dlp_alert_value", "DLP alert value", "mGy.cm", f"{_A}/113903", "TID 10015 row 4",
            unlimited=_SET_BY_PEOPLE),
        num("ctdivol_alert_value", "CTDIvol alert value", "mGy", f"{_A}/113904", "TID 10015 row 5",
            unlimited=_SET_BY_PEOPLE),
        num("accumulated_dlp_forward_estimate", "Accumulated DLP forward "
"estimate", "mGy.cm", f"{_A}/113905",
            "TID 10015 row 6", limits=limits.DLP_TOTAL),
        num("accumulated_ctdivol_forward_estimate", "Accumulated CTDIvol forward "
"estimate", "mGy", f"{_A}/113906",
            "TID 10015 row 7", limits=limits.CTDIVOL),
        text("alert_reason_for_proceeding", "Reason for proceeding "
"(alert)", f"{_A}/113907", "TID 10015 row 8"),
        code("alternative_dose_alert_behavior", "Alternative dose alert behaviour", f"{_A}/113915",
             "TID 10015 row 9b"),
        code("dlp_notification_value_configured", "DLP notification "
"configured", f"{_N}/113909", "TID 10015 row 11"),
        code("ctdivol_notification_value_configured", "CTDIvol notification "
"configured", f"{_N}/113910",
             "TID 10015 row 12"),
        num("dlp_notification_value", "DLP notification value", "mGy.cm", f"{_N}/113911", "TID 10015 row 13",
            unlimited=_SET_BY_PEOPLE),
        num("ctdivol_notification_value", "CTDIvol notification "
"value", "mGy", f"{_N}/113912", "TID 10015 row 14", unlimited=_SET_BY_PEOPLE),
        num("dlp_forward_estimate", "DLP forward estimate", "mGy.cm", f"{_N}/113913", "TID 10015 row 15",
            limits=limits.DLP_TOTAL),
        num("ctdivol_forward_estimate", "CTDIvol forward estimate", "mGy", f"{_N}/113914", "TID 10015 row 16",
            limits=limits.CTDIVOL),
        text("notification_reason_for_proceeding", "Reason for proceeding "
"(notification)", f"{_N}/113907",
             "TID 10015 row 17"),
        text("xray_modulation_type", "X-ray modulation type", f"113842|{_P}/113842", "TID 10013 row 36", header="0018,9323"),
        text("comment", "Comment", "121106", "TID 10013 row 37"),
        person_participants(f"113870|{_A}/113870|{_N}/113870", "TID 1020 in TID 10013 row 38, TID "
"10015"),
        device_participants(),
        counted_in(),
        marks(),
    ),
    derived=tuple(
        flag(
            limit.reached,
            f"{what} {check.kind} value reached",
            description="Whether the forward estimate was equal to or larger than the value; empty "
            "if the report lacks one of them.",
        )
        for check in DOSE_CHECK
        for what, limit in zip(("DLP", "CTDIvol"), check.limits, strict=True)
    )
    + tuple(OF_EVENT.values()),
)  # fmt: skip

CT_ACCUMULATED = Table(
    "ct_accumulated",
    "CT accumulated dose",
    "One row per CT Accumulated Dose Data container.",
    (
        integer("study_id", "Study", description="Study that the row belongs to.", always=True),
        *record_source(),
        num(
            "total_number_of_irradiation_events",
            "Number of irradiation events",
            "1",
            "113812",
            "TID 10012 row 2",
            limits=limits.COUNT_OF_EVENTS,
        ),
        num(
            "dlp_total", "DLP total", "mGy.cm", "113813", "TID 10012 row 3", limits=limits.DLP_TOTAL
        ),
        code(
            "dlp_total_phantom_type",
            "Phantom type of DLP total",
            "113813/113835",
            "TID 10012 row 3b, as written",
        ),
        structs(
            "dlp_sub_totals",
            "DLP sub-totals",
            "130745",
            "TID 10012 row 3a",
            "DLP by phantom.",
            num("dlp", "DLP", "mGy.cm", source="TID 10012 row 3a"),
            code("ctdiw_phantom_type", "CTDIw phantom type", "113835", "TID 10012 row 3b"),
        ),
        num(
            "effective_dose_total",
            "Effective dose total",
            "mSv",
            "113814",
            "TID 10012 row 4",
            limits=limits.EFFECTIVE_DOSE,
        ),
        text(
            "reference_authority", "Reference authority", "113814/121406", "TID 10012 rows 5 and 6"
        ),
        code(
            "effective_dose_method",
            "Method of effective dose",
            "113814/SCT:370129005",
            "TID 10012 row 7",
        ),
        text(
            "patient_model",
            "Patient model",
            "113814/113815|113814/SCT:370129005/113815",
            "TID 10012 row 8",
        ),
        text(
            "effective_dose_phantom_type",
            "Effective dose phantom type",
            "113814/113816/113817|113814/SCT:370129005/113816/113817",
            "TID 10012 row 10",
        ),
        text(
            "dosimeter_type",
            "Dosimeter type",
            "113814/113816/113818|113814/SCT:370129005/113816/113818",
            "TID 10012 row 11",
        ),
        text("comment", "Comment", "121106", "TID 10012 row 12"),
        device_participants("TID 1021 in TID 10012 row 13"),
        marks(),
    ),
)

"""Fields that several kinds of dose record share: observers, participants, marks, sources."""

from . import limits
from .field import Field, code, codes, integer, moment, num, structs, text, uid

# How a record was read, the best source first: if a study has several, the earlier one here is
# used.
SOURCES = {
    "report": "a structured dose report",
    "image header": "dose values that the equipment wrote into the header of an image or dose "
    "screen",
    "OCR": "text read from the pixels of a dose screen",
    "computed": "calculated from the headers of the images of a series",
}

# Why a value is not simply what the object says. `raw` is the text as written, if there is any.
MARKS = {
    "computed": "computed from other values, such as those of the irradiation events, since no "
    "object contains it",
    "empty": "the item is present but has no value",
    "no_number": "the value is not a number",
    "zero": "0 appears in place of a value that was not entered; it is not used",
    "no_unit": "the number has no unit; it is kept as written and not used",
    "unit_unknown": "the unit is unknown or belongs to a different quantity; the number is kept "
    "as written and not used",
    "unit_scheme": "the unit is not a code of UCUM, the coding scheme of units; it is understood by "
    "its spelling",
    "unit_spelling": "the unit is spelled differently from the standard; no other unit can be meant",
    "decimal_comma": "the number is written with a decimal comma, which the standard does not allow",
    "several_values": "two different values appear where there should be one; neither is used",
    "no_date": "the value is not a date or time",
    "time_without_dot": "the dot before the fraction of the second is missing",
    "several_orders": "the study was made for several orders; all accession numbers and "
    "descriptions are kept",
    "wrong_code": "the item is written under the code of another concept, which can only be meant "
    "as this one",
    "no_scheme": "codes are written without their coding scheme; those that only DICOM has are read "
    "as codes of DICOM",
    "no_end_angle": "the acquisition is rotational, but the report does not give the angle at which "
    "it ended; none is assumed",
    "mean": "mean of several non-zero values (pulse-level data); all of them are kept as well",
    "weighted_mean": "mean of several non-zero values (pulse-level data), each weighted with the width "
    "of its pulse; all of them are kept as well",
    "sum": "sum of several values (pulse-level data), which is the total of the event; all of them "
    "are kept as well",
    "total_and_pulses": "the object gives the total of the event beside the values of its pulses; the "
    "total is used",
    "pulses_missing": "the values of some pulses are missing or cannot be read, so their sum is not "
    "the total of the event and is not used",
    "pulses_differ": "the number of values differs from the number of pulses that the object states; "
    "the sum of all values is used",
    "given_zero": "the report gives 0 although its events have values; the sum of the events is "
    "used",
    "incomplete": "not all irradiation events have the value, so no sum is calculated",
    "several_radionuclides": "activities of different radionuclides are not added up",
    "overlap": "reports of this study share some events; totals are summed over the events, each "
    "once",
    "total_differs": "the total that the report states and the sum over its irradiation events differ "
    "by more than rounding; the total of the report is used",
    "parts_differ": "the values that this one should be the sum of (fluoroscopy and acquisition, planes, "
    "phantoms, activity before and after) contradict it by more than rounding; it stays as stated",
    "total_repeated": "the objects state this total several times, while the irradiation events were "
    "given once; it is counted once",
    "events_differ": "the number of irradiation events that the report states differs from the "
    "number that it contains",
    "other_date": "the object does not contain the time of the exposure; the closest date and "
    "time that it contains are shown instead",
    "minimum_above_maximum": "the object gives a lower bound greater than the upper bound; they "
    "were swapped",
    "unit_of_maker": "the manufacturer writes this element in a unit other than the standard's; "
    "it was converted",
    "unit_in_doubt": "sources disagree on the unit in which this model writes the element; the value is "
    "taken to be in the standard's unit",
    "rounded": "the element can only hold whole numbers, so the value is approximate",
    "impossible": "the value cannot be right: it is outside the limits of physics, devices or "
    "people; it is not used",
    "implausible": "the value is outside the limits of what occurs in practice, or contradicts "
    "others; it is used, except in charts and comparisons with reference levels",
    "unit_slip": "the value is impossible as written and plausible in a unit that is often "
    "confused with the one given; it was converted",
    "from_comment": "taken from the line of the comment that names the series, since the element "
    "for it is empty",
    "from_image": "missing from the report; taken from the image of the same irradiation event",
    "images_without_event": "images of the study show exposures that are missing from the "
    "report; they are not counted",
    "derived_images": "images of the study were computed from those of several exposures "
    "(stitched, synthesized or recombined); they are not counted",
    "derived_image": "an image computed from those of several exposures stands for them, since "
    "none of them is in the study",
    "same_irradiation": "irradiation events are in another study, too; each counts once, in the "
    "study that began first",
    "event_uid_repeated": "other studies have the same irradiation event UID for irradiations at "
    "other times, so it does not identify the event; both count",
    "rejected_worklist_entry": "a rejection note says that the worklist entry was wrong, so that the "
    "study is not this patient's; it does not count",
    "rejected_safety": "a rejection note says that it must not be used for reasons of patient "
    "safety; whether it counts is a setting",
    "rejected_quality": "a rejection note says that it must not be used because of its quality; it "
    "counts, since the patient was irradiated",
    "several_patients": "objects with this Study Instance UID are of patients who differ in ID "
    "and in sex or birth date; each has a record of its own",
    "several_patient_ids": "objects of the study have different patient IDs, while nothing else "
    "says that they are of different patients",
    "derived": "calculated from the headers of the images, since the study has no report",
    "text_encoding": "text did not match the declared character set",
    "ocr": "read from the pixels of a dose screen by OCR",
    "ocr_disagrees": "two readings of a dose screen by OCR disagree; neither is used",
    "ocr_unchecked": "read by OCR, with nothing on this page of the dose screen to check it "
    "against",
    "carried": "not written for this event: the value at the end of the previous event of the "
    "same plane",
    "private_item": "taken from a private item or a comment of the manufacturer, since the "
    "standard item is missing",
    "from_size_import": "taken from an imported file of heights and weights, not from the "
    "objects of the study",
    "one_projection": "reports of this model give the dose of one projection of a tomosynthesis "
    "sweep, not of the sweep",
}


def marks() -> Field:
    return structs(
        "marks",
        "Marks",
        "",
        "",
        "Marks on single values: the field, the mark and the raw text.",
        text("field", "Field", always=True),
        text("mark", "Mark", always=True),
        text("raw", "As written"),
    )


def unused() -> Field:
    return structs(
        "not_used",
        "Not used",
        "",
        "",
        "Content of the objects that does not belong to any field, so that nothing is dropped "
        "unnoticed.",
        text("concept", "Concept"),
        text("meaning", "Meaning"),
        text("value", "Value"),
        text("unit", "Unit"),
        integer("count", "How often"),
    )


_PERSON = (
    code(
        "role_in_procedure",
        "Role in procedure",
        "113875",
        "TID 1020 row 2",
        miscoded=(("DCM:113876",),),
    ),
    text("identifier", "Identifier", "113871", "TID 1020 row 3"),
    text("identifier_issuer", "Issuer of identifier", "113872", "TID 1020 row 4"),
    text("organization", "Organization", "113873", "TID 1020 row 5"),
    code("role_in_organization", "Role in organization", "113874", "TID 1020 row 6"),
)


def person_participants(path: str = "113870", source: str = "TID 1020") -> Field:
    return structs(
        "persons",
        "Persons",
        path,
        source,
        "Persons who took part: those who authorized and those who administered the irradiation.",
        text("name", "Name", source="TID 1020 row 1"),
        *_PERSON,
    )


def device_participants(source: str = "TID 1021") -> Field:
    return structs(
        "devices",
        "Devices",
        "113876",
        source,
        "Devices that took part, such as the irradiating device or the dosimeter.",
        code("role", "Role", source="TID 1021 row 1"),
        text("name", "Name", "113877", "TID 1021 row 2"),
        text("manufacturer", "Manufacturer", "113878", "TID 1021 row 3"),
        text("model_name", "Model name", "113879", "TID 1021 row 4"),
        text("serial_number", "Serial number", "113880", "TID 1021 row 5"),
        uid("observer_uid", "Observer UID", "121012", "TID 1021 row 6"),
    )


# TID 1002 to 1004: the observer's items are siblings below the root; they form one observer until
# the next Observer Type begins.
OBSERVERS = structs(
    "observers",
    "Observers",
    "",
    "TID 1002",
    "The device or person that wrote the report.",
    code("type", "Observer type", "121005", "TID 1002 row 1"),
    text("person_name", "Name", "121008", "TID 1003 row 1"),
    text("organization", "Organization", "121009", "TID 1003 row 2"),
    code("role_in_organization", "Role in organization", "121010", "TID 1003 row 3"),
    code("role_in_procedure", "Role in procedure", "121011", "TID 1003 row 4"),
    uid("device_uid", "Device UID", "121012", "TID 1004 row 1"),
    text("device_name", "Device name", "121013", "TID 1004 row 2"),
    text("device_manufacturer", "Manufacturer", "121014", "TID 1004 row 3"),
    text("device_model_name", "Model name", "121015", "TID 1004 row 4"),
    text("device_serial_number", "Serial number", "121016", "TID 1004 row 5"),
    text("device_location", "Location", "121017", "TID 1004 row 6"),
    code("device_role", "Role", "113876", "TID 1004 row 7"),
    text("station_ae_title", "Station AE title", "110119", "TID 1004 row 8"),
)

CALIBRATIONS = structs(
    "calibrations",
    "Calibrations",
    "122505",
    "TID 10002 row 3",
    "Calibration of the dose measurement.",
    code("dose_measurement_device", "Dose measurement device", "113794", "TID 10002 row 4"),
    moment("calibrated_at", "Calibrated", "113723", "TID 10002 row 5"),
    num(
        "factor",
        "Calibration factor",
        "1",
        "122322",
        "TID 10002 row 6",
        limits=limits.CALIBRATION_FACTOR,
    ),
    num("uncertainty", "Calibration uncertainty", "%", "113763", "TID 10002 row 7"),
    text("responsible_party", "Responsible party", "113724", "TID 10002 row 8"),
    text("protocol", "Calibration protocol", "113720", "TID 10002 row 9"),
)


def record_source() -> tuple[Field, ...]:
    return (
        uid(
            "sop_instance_uid",
            "SOP instance UID",
            description="Object that the record comes from.",
        ),
        text(
            "source",
            "Source",
            description="; ".join(f"{name}: {what}" for name, what in SOURCES.items()),
        ),
    )


def counted_in() -> Field:
    """Return the field of an event that counts in another study (assemble/sharing.py)."""
    return integer(
        "counted_in",
        "Counted in study",
        description="Study in which this event counts, if another study has the same one and "
        "began earlier. Empty if it counts here.",
    )


def repeated_and_rejected() -> tuple[Field, ...]:
    """Return the fields of repeats and rejects, the same rows in CT and projection events."""
    return (
        code(
            "is_repeated", "Is repeated acquisition", "128551", "TID 10003 row 5a, TID 10013 row 6d"
        ),
        code(
            "reason_for_repeating",
            "Reason for repeating",
            "128551/128552",
            "TID 10003 row 5b, TID 10013 row 6e",
        ),
        uids_repeated(),
        code(
            "is_rejected",
            "Is rejected acquisition",
            "130503",
            "TID 10003 row 5d, TID 10013 row 6e2",
        ),
        code(
            "reason_for_rejecting",
            "Reason for rejecting",
            "130503/130504",
            "TID 10003 row 5e, TID 10013 row 6e3",
        ),
    )


def uids_repeated() -> Field:
    return Field(
        "repeated_event_uids",
        "uids",
        "Events that this one repeats",
        paths=(("DCM:128551", "DCM:113769"), ("DCM:128551", "DCM:128552", "DCM:113769")),
        source="TID 10003 row 5c, TID 10013 row 6e1",
    )


def label() -> tuple[Field, ...]:
    return (
        text(
            "irradiation_event_label", "Event label", "113605", "TID 10003 row 4, TID 10013 row 6b"
        ),
        code(
            "irradiation_event_label_type",
            "Label type",
            "113605/113606",
            "TID 10003 row 5, TID 10013 row 6c",
        ),
    )


__all__ = [
    "CALIBRATIONS", "MARKS", "OBSERVERS", "SOURCES", "codes", "counted_in", "device_participants", "label", "marks",
    "person_participants", "record_source", "repeated_and_rejected", "unused",
]  # fmt: skip

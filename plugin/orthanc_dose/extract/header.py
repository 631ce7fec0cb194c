"""Study, patient and equipment from the attributes of an object's header."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import TypeVar, cast

from ..dicom import codes, dates
from ..dicom.dataset import Dataset, first, items, text, values
from ..dicom.decimals import parse_number
from ..dicom.identity import is_hash
from ..dicom.not_patient import indicator
from ..dicom.text import person_name
from ..records import EQUIPMENT_KEY
from ..records.limits import AGE
from ..records.rows import CodeValue, EquipmentRow, EventRow, StudyRow
from .kept import Kept
from .rows import ByName, code_value, mark, value_of

T = TypeVar("T")
_TEXTS = {
    "accession_number": "0008,0050",
    "study_id": "0020,0010",
    "study_description": "0008,1030",
    "series_description": "0008,103e",
    "protocol_name": "0018,1030",
    "performed_procedure_step_description": "0040,0254",
    "requested_procedure_description": "0032,1060",
    "patient_sex": "0010,0040",
    "institution_address": "0008,0081",
}
_NAMES = {
    "referring_physician": "0008,0090",
    "performing_physician": "0008,1050",
    "physician_of_record": "0008,1048",
    "reading_physician": "0008,1060",
    "operators": "0008,1070",
}
_NUMBERS = {"patient_size": "0010,1020", "patient_weight": "0010,1030"}
_EQUIPMENT = {
    "manufacturer": "0008,0070",
    "manufacturer_model_name": "0008,1090",
    "institution_name": "0008,0080",
    "institutional_department_name": "0008,1040",
    "station_name": "0008,1010",
    "device_serial_number": "0018,1000",
    "software_versions": "0018,1020",
    "gantry_id": "0018,1008",
}
# Elements that this module reads, or that identify the object, its study, series and patient.
KNOWN = frozenset({
    *_TEXTS.values(), *_NAMES.values(), *_NUMBERS.values(), *_EQUIPMENT.values(), "0008,0005", "0008,0012", "0008,0013",
    "0008,0014", "0008,0016", "0008,0018", "0008,0020", "0008,0021", "0008,0022", "0008,0023", "0008,002a", "0008,0030",
    "0008,0031", "0008,0032", "0008,0033", "0008,0060", "0008,0201", "0008,1032", "0008,1110", "0008,1111",
    "0008,1115", "0008,1120", "0008,1140", "0008,2112", "0010,1010", "0012,0062", "0012,0063", "0012,0064", "0020,000d",
    "0020,000e", "0020,0011", "0020,0012", "0020,0013", "0032,1064", "0018,1200", "0018,1201",
    "0040,0244", "0040,0245", "0040,0275", "0040,a370",
})  # fmt: skip
# Used if the header lacks a value: the report's own description of the device, as observer (TID
# 1004) or participant (TID 1021).
_BY_OBSERVER = {
    "manufacturer": "device_manufacturer",
    "manufacturer_model_name": "device_model_name",
    "device_serial_number": "device_serial_number",
    "station_name": "device_name",
}
_BY_PARTICIPANT = {
    "manufacturer": "manufacturer",
    "manufacturer_model_name": "model_name",
    "device_serial_number": "serial_number",
    "station_name": "name",
}


def study_of(kept: Kept) -> StudyRow:
    """Return the study's row as far as the header gives it: identification, patient."""
    dataset = kept.dataset
    row: ByName = {name: text(dataset, tag) for name, tag in _TEXTS.items()}
    row["study_instance_uid"] = first(dataset, "0020,000d")
    _orders(dataset, row)
    row["procedure_code"] = _code(dataset, "0008,1032")
    for name, tag in _NAMES.items():
        people = [person_name(part) for part in (text(dataset, tag) or "").split("\\")]
        row[name] = "; ".join(person for person in people if person) or None
    for name, tag in _NUMBERS.items():
        row[name] = _number(dataset, tag, name, row)
    _age(kept, row)
    called = kept.patient.get("name")
    row["patient_name"] = called if is_hash(called) else person_name(called)
    row["patient_id"] = kept.patient.get("id")
    row["patient_birth_date"] = kept.patient.get("birth_date")
    row["not_patient_indicator"] = indicator(kept.not_patient)
    row["study_date"] = _parsed(dataset, "0008,0020", dates.parse_date, "study_date", row)
    row["study_time"] = _parsed(dataset, "0008,0030", dates.parse_time, "study_time", row)
    row["last_calibrated_on"] = _last_calibration(dataset, row)
    offset = _parsed(dataset, "0008,0201", dates.parse_offset, "timezone_offset_from_utc", row)
    row["timezone_offset_from_utc"] = offset_text(offset) if isinstance(offset, timedelta) else None
    for note in kept.notes:
        mark(row, "text", "text_encoding", note)
    return cast("StudyRow", row)


def _orders(dataset: Dataset, row: ByName) -> None:
    """Set what the orders say: each is an item of Referenced Request Sequence (0040,A370) in
    reports (PS3.3 C.17.2), of Request Attributes Sequence (0040,0275) in images."""
    of_reports, of_images = items(dataset, "0040,a370"), items(dataset, "0040,0275")
    numbers = _given(of_reports + of_images, "0008,0050")
    if row["accession_number"]:
        numbers = list(dict.fromkeys((row["accession_number"], *numbers)))
    row["accession_number"] = numbers[0] if numbers else None
    row["accession_numbers"] = numbers if len(numbers) > 1 else None
    row["scheduled_procedure_step_description"] = "; ".join(_given(of_images, "0040,0007")) or None
    procedures = _given(of_images, "0032,1060") or _given(of_reports, "0032,1060")
    row["requested_procedure_description"] = (
        row["requested_procedure_description"] or "; ".join(procedures) or None
    )
    codes_of_orders = (_code(order, "0032,1064") for order in of_images + of_reports)
    row["requested_procedure_code"] = _code(dataset, "0032,1064") or next(
        (code for code in codes_of_orders if code), None
    )


def _given(orders: list[Dataset], tag: str) -> list[str]:
    return list(dict.fromkeys(said for order in orders if (said := text(order, tag))))


def _last_calibration(dataset: Dataset, row: ByName) -> date | None:
    """Return the last of the dates, which are in the order of time (PS3.3 C.7.5.1.1.1)."""
    written = values(dataset, "0018,1200")
    try:
        return dates.parse_date(written[-1]) if written else None
    except ValueError:
        mark(row, "last_calibrated_on", "no_date", written[-1])
        return None


def _age(kept: Kept, row: ByName) -> None:
    """Set the age, with a mark on what Patient's Age (0010,1010) or the birth date cannot say."""
    row["patient_age"] = kept.patient_age
    for name, why in kept.doubts.items():
        mark(row, name, why)
    written = text(kept.dataset, "0010,1010")
    try:
        age = dates.parse_age(written)
    except ValueError:
        # Anything else than a number may be a name.
        raw = written if written is not None and written.isdecimal() else None
        mark(row, "patient_age", "no_number" if raw is None else "no_unit", raw)
        return
    if age is not None and not AGE.is_possible(age) and age != kept.patient_age:
        mark(row, "patient_age", "impossible", written)


def equipment_of(dataset: Dataset, study: StudyRow, events: Sequence[EventRow]) -> EquipmentRow:
    """Return the system that performed the study: from the header, or else from the report's
    description of its device.
    """
    row = {name: text(dataset, tag) for name, tag in _EQUIPMENT.items()}
    devices = [
        device for device in study.get("observers") or () if device.get("device_manufacturer")
    ]
    participants = list(study.get("devices") or ()) + [
        device for event in events[:1] for device in event.get("devices") or ()
    ]
    for found, names in ((devices, _BY_OBSERVER), (participants, _BY_PARTICIPANT)):
        for device in found[:1]:
            for name, there in names.items():
                row[name] = row[name] or value_of(device, there)
    return cast("EquipmentRow", {name: row[name] for name in EQUIPMENT_KEY})


def content_moment(dataset: Dataset) -> datetime:
    """Return when the object's content was made, to determine the later of two objects;
    datetime.min if it does not say.
    """
    for date_tag, time_tag in (
        ("0008,0023", "0008,0033"),
        ("0008,0012", "0008,0013"),
        ("0008,0020", "0008,0030"),
    ):
        try:
            day = dates.parse_date(first(dataset, date_tag))
            clock = dates.parse_time(first(dataset, time_tag))
        except ValueError:
            continue
        if day is not None:
            return datetime.combine(day, clock) if clock else datetime(day.year, day.month, day.day)
    return datetime.min


def offset_text(offset: timedelta) -> str:
    """Return an offset from UTC as DICOM writes it, "+0100"."""
    minutes = round(offset.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"


def _code(dataset: Dataset, tag: str) -> CodeValue | None:
    for entry in items(dataset, tag):
        value = text(entry, "0008,0100") or text(entry, "0008,0119") or text(entry, "0008,0120")
        if value or text(entry, "0008,0104"):
            return code_value(
                codes.code(value or "", text(entry, "0008,0102") or "", text(entry, "0008,0104"))
            )
    return None


def _number(dataset: Dataset, tag: str, name: str, row: ByName) -> float | None:
    raw = first(dataset, tag)
    if raw is None:
        return None
    number, comma = parse_number(raw)
    if number is None:
        mark(row, name, "no_number", raw)
        return None
    if number == 0:
        mark(row, name, "zero", raw)
        return None
    if comma:
        mark(row, name, "decimal_comma", raw)
    return number


def _parsed(
    dataset: Dataset, tag: str, parse: Callable[[str | None], T | None], name: str, row: ByName
) -> T | None:
    raw = first(dataset, tag)
    try:
        found = parse(raw)
    except ValueError:
        mark(row, name, "no_date", raw)
        return None
    if isinstance(found, time) and dates.lacks_dot(raw):
        mark(row, name, "time_without_dot", raw)
    return found

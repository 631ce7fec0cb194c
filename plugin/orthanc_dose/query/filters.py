"""The filters: each declared once, for lists, their forms and counts, and other selections."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..dicom.concepts import BODY_PHANTOM, HEAD_PHANTOM
from ..records import (
    CT_EVENT,
    EQUIPMENT,
    INDEXED,
    MARKS,
    MODALITIES,
    NM_ADMINISTRATION,
    PROJECTION_EVENT,
    SOURCES,
    STUDY,
    STUDY_NAMES,
    Table,
)
from ..records.study import CT_EVENTS_BY_TYPE, UNDER_RULES
from . import estimates, sizes
from .filter_types import Choice, Filter, Place, equipment, event, indexed, study

GROUPS = {
    "study": "Study",
    "equipment": "System",
    "people": "People",
    "patient": "Patient",
    "dose": "Dose",
    "events": "Irradiation events",
    "data": "Data",
}
_OF_TYPE = {"number": "number", "integer": "integer", "date": "date", "time": "time", "uid": "uid"}


def _of(table: Table, name: str, place: Place, group: str, **more: Any) -> Filter:
    # A filter on a field: label, unit and modalities are taken from the field.
    field = table.field(name)
    given: dict[str, Any] = {
        "type": _OF_TYPE.get(field.type, "text"),
        "unit": field.unit,
        "shown": field.shown,
        "modalities": field.modalities,
        "description": field.description,
        "field": f"{table.name}.{name}",
    }
    return Filter(name, field.title, group=group, place=place, **(given | more))


def _study(group: str, *names: str, **more: Any) -> tuple[Filter, ...]:
    return tuple(
        _of(STUDY, name, (indexed if name in INDEXED else study)(name), group, **more)
        for name in names
    )


def _meaning(column: str) -> str:
    return f"{column}.meaning"


_PROJECTION = ("RF", "DX", "MG")
_CODE = "t.ctdiw_phantom_type.value"
_EVENT = PROJECTION_EVENT.name

# The system's own number and the modality type are set by addresses and pages: filters without a
# place on the form.
MODALITY = Filter(
    "modality",
    "Modality type",
    "choices",
    "",
    study("modality"),
    "study.modality",
    choices=tuple(Choice(code, modality.title) for code, modality in MODALITIES.items()),
)
SYSTEM = Filter(
    "equipment_id",
    "System",
    "id",
    "",
    study("equipment_id"),
    "study.equipment_id",
    description="Number of the system.",
)
WEEKDAY = Filter(
    "weekday",
    "Weekday",
    "choices",
    "study",
    Place("isodow(s.study_date)"),
    choices=tuple(
        Choice(day.lower()[:3], day, f"isodow(s.study_date) = {number}")
        for number, day in enumerate(
            ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), 1
        )
    ),
)
TEST_DATA = Filter(
    "test_data",
    "Possible test data",
    "choices",
    "data",
    study("not_patient_indicator"),
    "study.not_patient_indicator",
    choices=(
        Choice("no", "Patients", "s.not_patient_indicator IS NULL"),
        Choice("yes", "Possible test data", "s.not_patient_indicator IS NOT NULL"),
    ),
    description="Whether name or ID show that this is not a patient. Such studies are excluded "
    "unless requested.",
)

COUNTING = Filter(
    "counting",
    "In sums",
    "choices",
    "data",
    study("not_counted"),
    "study.not_counted",
    choices=(
        Choice("yes", "Counts in sums", "s.not_counted IS NULL"),
        Choice(
            "partly",
            "Counts in part: some of its events count in another study",
            "list_contains(s.all_marks, 'same_irradiation') AND s.not_counted IS NULL AND "
            "len(list_filter(s.shared_with, lambda other: other.counted_there > 0)) > 0",
        ),
        Choice("shared", "Not: its events count in another study", "s.not_counted = 'shared'"),
        Choice("rejected", "Not: a rejection note excludes it", "s.not_counted = 'rejected'"),
    ),
    description="Whether sums, charts, levels and exports count the study. These leave out studies "
    "that do not count unless they are requested; lists show all.",
)


def _of_one_event(table: Table, name: str, **more: Any) -> Filter:
    part = ".meaning" if table.field(name).type == "code" else ""
    return _of(table, name, event(table.name, name + part, together=True), "", **more)


# Filters set by a click into a chart, which apply to one event together: an event with this
# protocol and this dose. They are named after their table, and have no place on the form.
_TOGETHER = tuple(
    replace(one, name=f"{one.place.table}_{one.name}")
    for one in (
        *(
            _of_one_event(CT_EVENT, name)
            for name in ("acquisition_protocol", "dlp", "mean_ctdivol")
        ),
        *(
            _of_one_event(PROJECTION_EVENT, name)
            for name in (
                "acquisition_protocol",
                "image_view",
                "dap",
                "kvp",
                "average_glandular_dose",
                "compression_thickness",
                "exposure",
            )
        ),
        _of_one_event(NM_ADMINISTRATION, "administered_activity"),
        replace(
            _of_one_event(NM_ADMINISTRATION, "radiopharmaceutical_agent"),
            place=Place(
                "coalesce(nullif(t.radiopharmaceutical_agent.meaning, ''), "
                "t.radiopharmaceutical_name)",
                NM_ADMINISTRATION.name,
                "study_id",
                together=True,
            ),
        ),
        Filter(
            "activity_per_weight",
            "Administered activity per weight",
            "number",
            "",
            Place(
                "(t.administered_activity / nullif(s.patient_weight, 0))",
                NM_ADMINISTRATION.name,
                "study_id",
                together=True,
            ),
            unit="MBq/kg",
            made_of=("nm_administration.administered_activity", "study.patient_weight"),
        ),
    )
)

FILTERS: tuple[Filter, ...] = (
    MODALITY,
    SYSTEM,
    Filter(
        "study_number",
        "Study",
        "id",
        "",
        study("id"),
        "study.id",
        description="Number of the study.",
    ),
    *_TOGETHER,
    *_study("study", "study_date", "study_time"),
    WEEKDAY,
    *_study(
        "study", "study_description", "acquisition_protocols", "requested_procedure_description"
    ),
    *_study("study", "performed_procedure_step_description", "protocol_name"),
    _of(STUDY, "standard_names", Place("t.standard_name", STUDY_NAMES, "study_id"), "study"),
    _of(STUDY, "procedure_code", Place(_meaning("s.procedure_code")), "study"),
    *_study("study", "comment"),
    _of(
        STUDY,
        "accession_number",
        Place("s.accession_number", more="s.accession_numbers"),
        "study",
    ),
    *_study("study", "study_instance_uid"),
    Filter(
        "sop_instance_uid",
        "SOP instance UID",
        "uid",
        "study",
        event("object", "sop_instance_uid"),
        "object.sop_instance_uid",
        description="UID of one of the objects that the study was read from.",
    ),
    _of(EQUIPMENT, "display_name", equipment("display_name"), "equipment"),
    *(
        _of(EQUIPMENT, name, equipment(name), "equipment")
        for name in (
            "institution_name",
            "institutional_department_name",
            "manufacturer",
            "manufacturer_model_name",
            "station_name",
            "device_serial_number",
            "software_versions",
            "gantry_id",
        )
    ),
    *_study(
        "people",
        "performing_physician",
        "referring_physician",
        "physician_of_record",
        "reading_physician",
        "operators",
    ),
    *_study("patient", "patient_age"),
    Filter(
        "patient_sex",
        "Sex",
        "choices",
        "patient",
        study("patient_sex"),
        "study.patient_sex",
        choices=(
            Choice("F", "Female"),
            Choice("M", "Male"),
            Choice("O", "Other"),
            Choice(
                "unknown",
                "Not given",
                "s.patient_sex IS NULL OR s.patient_sex NOT IN ('F', 'M', 'O')",
            ),
        ),
    ),
    *_study("patient", "patient_size", "patient_weight"),
    *_study("patient", "patient_name", "patient_id", "patient_birth_date", identity=True),
    *_study(
        "dose",
        "dlp_total",
        "ctdivol_max",
        "dap_total",
        "dose_rp_total",
        "total_fluoro_time",
        "agd_left",
        "agd_right",
        "agd_unspecified",
        "administered_activity_total",
        "radiopharmaceuticals",
        "radionuclides",
        "number_of_events",
        *(name for name, _, _ in CT_EVENTS_BY_TYPE),
        "dose_check_events",
        "effective_dose_total",
    ),
    *(_of(STUDY, name, estimates.place(name), "dose") for name in estimates.NAMES),
    _of(
        CT_EVENT,
        "ctdiw_phantom_type",
        event(CT_EVENT.name, "ctdiw_phantom_type.value"),
        "events",
        type="choices",
        modalities=("CT",),
        choices=(
            Choice("head", "IEC head phantom (16 cm)", f"{_CODE} = '{HEAD_PHANTOM.value}'"),
            Choice("body", "IEC body phantom (32 cm)", f"{_CODE} = '{BODY_PHANTOM.value}'"),
            Choice(
                "other",
                "Another",
                f"{_CODE} NOT IN ('{HEAD_PHANTOM.value}', '{BODY_PHANTOM.value}')",
            ),
        ),
    ),
    _of(PROJECTION_EVENT, "kvp", event(_EVENT, "kvp"), "events", modalities=_PROJECTION),
    _of(PROJECTION_EVENT, "exposure", event(_EVENT, "exposure"), "events", modalities=_PROJECTION),
    _of(
        PROJECTION_EVENT,
        "exposure_index",
        event(_EVENT, "exposure_index"),
        "events",
        modalities=("RF", "DX"),
    ),
    _of(
        PROJECTION_EVENT,
        "compression_thickness",
        event(_EVENT, "compression_thickness"),
        "events",
        modalities=("MG",),
    ),
    _of(
        PROJECTION_EVENT,
        "image_view",
        event(_EVENT, _meaning("image_view")),
        "events",
        modalities=("MG", "DX"),
    ),
    _of(
        PROJECTION_EVENT,
        "exposure_control_mode",
        event(_EVENT, "exposure_control_mode"),
        "events",
        modalities=("MG", "DX"),
    ),
    Filter(
        "source",
        "Source of the data",
        "choices",
        "data",
        study("source"),
        "study.source",
        choices=tuple(Choice(name, what) for name, what in SOURCES.items()),
    ),
    Filter(
        "mark",
        "Marks",
        "choices",
        "data",
        study("all_marks"),
        "study.all_marks",
        choices=tuple(
            Choice(
                name,
                what,
                sizes.IS_MARKED if name == sizes.MARK else f"list_contains(s.all_marks, '{name}')",
            )
            for name, what in MARKS.items()
        ),
        description="Mark on the study, its accumulated dose or one of its events.",
    ),
    COUNTING,
    TEST_DATA,
)


def or_hashes(values: dict[str, Any], hashes: Callable[[str], list[str]]) -> dict[str, Any]:
    """Add, to the values for fields that can be kept as hashes, the hashes of these values.

    Where text is stored, a term is searched for in it; where a hash is, the term must be the whole
    of what was written.
    """
    out = dict(values)
    for one in FILTERS:
        if one.name in UNDER_RULES:
            for role in ("contains", "not", "is"):
                name = one.parameter(role)
                if values.get(name):
                    out[name] = [
                        *values[name],
                        *(found for term in values[name] for found in hashes(term)),
                    ]
    return out


def counted(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a selection for sums: of studies that count, unless `counting` says
    otherwise.
    """
    return values if values.get(COUNTING.name) else values | {COUNTING.name: ["yes"]}


def where(values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the condition on a study `s` for these values of parameters, and its bound values.

    Possible test data is excluded unless `test_data` says otherwise.
    """
    bound: dict[str, Any] = {}

    def bind(value: Any) -> str:
        bound[f"v{len(bound)}"] = value
        return f"$v{len(bound) - 1}"

    given = values if values.get(TEST_DATA.name) else values | {TEST_DATA.name: ["no"]}
    conditions: list[str] = []
    of_one_event: dict[str, list[str]] = {}
    for one in FILTERS:
        found = one.conditions(given, bind)
        (of_one_event.setdefault(one.place.table, []) if one.place.together else conditions).extend(
            found
        )
    if given.get(COUNTING.name) and counts_events_once(given):
        for found in of_one_event.values():
            found += ["t.counted_in IS NULL"] if found else []
    conditions += [
        Place("", table, "study_id").holds(" AND ".join(found))
        for table, found in of_one_event.items()
        if found
    ]
    return " AND ".join(conditions) or "true", bound


def condition_on_events(values: dict[str, Any], table: str) -> tuple[str, dict[str, Any]]:
    """Return the condition on an event `t` of the study `s`, and its bound values.

    It is built from the filters that apply to one event together. Events that count in another
    study are excluded if only studies that count are selected.
    """
    bound: dict[str, Any] = {}

    def bind(value: Any) -> str:
        bound[f"e{len(bound)}"] = value
        return f"$e{len(bound) - 1}"

    places = [one for one in _TOGETHER if one.place.table == table]
    conditions = [condition for one in places for condition in one.conditions(values, bind)]
    if counts_events_once(values):
        conditions.append("t.counted_in IS NULL")
    return " AND ".join(conditions) or "true", bound


def counts_events_once(values: dict[str, Any]) -> bool:
    """Return whether a selection leaves out events that count in another study."""
    return set(values.get(COUNTING.name) or ()) <= {"yes", "partly"}

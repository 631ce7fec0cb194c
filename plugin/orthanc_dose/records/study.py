"""Tables of studies, the equipment that performed them, and the DICOM objects they were read
from."""

from ..dicom import concepts
from . import limits
from .common import OBSERVERS, SOURCES, device_participants, marks, person_participants, unused
from .estimate import EFFECTIVE_DOSE_TABLE, OF_STUDY
from .field import (
    Table,
    blob,
    clock,
    code,
    codes,
    day,
    integer,
    moment,
    num,
    structs,
    text,
    texts,
    uid,
    uids,
)
from .nuclear import PATIENT_CHARACTERISTICS
from .patient_dose import ORGAN_DOSE_ESTIMATES

_CT, _RF, _DX, _MG, _NM = "CT", "RF", "DX", "MG", "NM"
_PROJECTION = (_RF, _DX, _MG)

EQUIPMENT = Table(
    "equipment",
    "Equipment",
    "One row per system: a combination of manufacturer, model, institution, department, station, "
    "serial number, software and gantry.",
    (
        integer("id", "Number", always=True),
        text("manufacturer", "Manufacturer", source="(0008,0070)"),
        text("manufacturer_model_name", "Model", source="(0008,1090)"),
        text("institution_name", "Hospital", source="(0008,0080)"),
        text("institutional_department_name", "Department", source="(0008,1040)"),
        text("station_name", "Station name", source="(0008,1010)"),
        text("device_serial_number", "Serial number", source="(0018,1000)"),
        text("software_versions", "Software version", source="(0018,1020)"),
        text("gantry_id", "Gantry", source="(0018,1008)"),
        text(
            "display_name",
            "Display name",
            description="Name of the system on pages: hospital and station, unless a user has "
            "named it.",
        ),
        text(
            "user_defined_modality",
            "User-defined modality",
            description="Set by a user for systems whose reports state the wrong type: RF or DX "
            "for all of its studies; dual, for systems that do both, to classify "
            "each study only by the procedure.",
        ),
        integer(
            "joined_into",
            "Merged into",
            description="Number of the system that this one was merged into, which has the "
            "studies of both.",
        ),
    ),
)
# What distinguishes two systems: everything but the number and what people set.
_SET = ("display_name", "user_defined_modality", "joined_into")
EQUIPMENT_KEY = tuple(name for name in EQUIPMENT.names if name not in ("id", *_SET))

_IDENTITY = "Kept according to the installation's rule: not at all, as written, or as a hash."
_IDENTIFICATION = (
    integer(
        "id",
        "Number",
        description="Number of the study in this store; it stays the same as long as the study "
        "exists.",
        always=True,
    ),
    text(
        "modality",
        "Modality",
        always=True,
        description="CT, RF (fluoroscopy), DX (radiography), MG or NM (nuclear medicine), "
        "according to the documented rule.",
    ),
    uid("study_instance_uid", "Study instance UID", source="(0020,000D)"),
    integer("equipment_id", "Equipment", description="System that made the study.", always=True),
    integer(
        "made_by",
        "Equipment as named",
        description="System that the objects name, which differs from Equipment if systems were "
        "merged; 0 if they name several. Empty in rows from before systems could be "
        "merged, where it is the same as Equipment.",
    ),
    text(
        "accession_number",
        "Accession number",
        source="(0008,0050), else in (0040,A370) or (0040,0275)",
        description=_IDENTITY,
    ),
    texts(
        "accession_numbers",
        "All accession numbers",
        source="(0008,0050), also in (0040,A370) and (0040,0275)",
        description="If the study has several, all of them, including `accession_number`. Kept "
        "according to the rule for the accession number.",
    ),
    text("study_id", "Study ID", source="(0020,0010)"),
    day("study_date", "Study date", source="(0008,0020), else the first irradiation event's"),
    clock("study_time", "Study time", source="(0008,0030), else the first irradiation event's"),
    text(
        "timezone_offset_from_utc",
        "Offset from UTC",
        source="(0008,0201) or the offset of the report's times",
    ),
    text("study_description", "Study description", source="(0008,1030)"),
    text("series_description", "Series description", source="(0008,103E)"),
    text("protocol_name", "Protocol name", source="(0018,1030)"),
    code("procedure_code", "Procedure code", source="(0008,1032)"),
    text("performed_procedure_step_description", "Performed procedure step", source="(0040,0254)"),
    text(
        "requested_procedure_description",
        "Requested procedure",
        source="(0032,1060), also in (0040,A370) and (0040,0275)",
        description="Those of several orders are separated by semicolons.",
    ),
    code(
        "requested_procedure_code",
        "Requested procedure code",
        source="(0032,1064), also in (0040,A370) and (0040,0275)",
        description="Of several orders, that of the first.",
    ),
    text(
        "scheduled_procedure_step_description",
        "Scheduled procedure step",
        source="(0040,0007) in (0040,0275)",
    ),
    text("referring_physician", "Referring physician", source="(0008,0090)"),
    text("performing_physician", "Performing physician", source="(0008,1050)"),
    text("physician_of_record", "Physician of record", source="(0008,1048)"),
    text("reading_physician", "Reading physician", source="(0008,1060)"),
    text("operators", "Operators", source="(0008,1070)"),
    text("institution_address", "Address of the hospital", source="(0008,0081)"),
    day(
        "last_calibrated_on",
        "Last calibrated",
        source="(0018,1200)",
        description="Date of the last calibration of the system, as the object gives it.",
    ),
)

_FROM = "import: from an imported file of sizes. Empty if it is from the objects."
PATIENT = (
    text("patient_name", "Patient name", source="(0010,0010)", description=_IDENTITY),
    text("patient_id", "Patient ID", source="(0010,0020)", description=_IDENTITY),
    text(
        "patient_birth_date",
        "Date of birth",
        source="(0010,0030)",
        description=f"YYYY-MM-DD. {_IDENTITY}",
        limits=limits.BIRTH,
    ),
    num(
        "patient_age",
        "Age",
        "a",
        "",
        "(0010,1010), else birth date and study date",
        "Age at the study, in years.",
    ),
    text("patient_sex", "Sex", source="(0010,0040)"),
    num("patient_size", "Height", "m", "", "(0010,1020)", limits=limits.HEIGHT),
    num("patient_weight", "Weight", "kg", "", "(0010,1030)"),
    text("patient_size_from", "Height from", description=_FROM),
    text("patient_weight_from", "Weight from", description=_FROM),
)
# The study's fields that identify the patient: only for callers in the group "patient identity".
IDENTITY_FIELDS = frozenset({"patient_name", "patient_id", "patient_birth_date"})
# Fields whose keeping is governed by the installation's rules, in the settings of the same names.
UNDER_RULES = ("patient_name", "patient_id", "patient_birth_date", "accession_number")

_REPORT = (
    code("procedure_reported", "Procedure reported", "121058|SCT:363589002",
         "TID 10001 row 2, TID 10011 row 2; Associated Procedure in TID 10021 row 2"),
    code("procedure_intent", "Intent", "121058/SCT:363703001|SCT:363703001|SCT:363589002/SCT:363703001",
         "TID 10001 row 3, TID 10011 row 3, TID 10021 row 3"),
    code("acquisition_device_type", "Acquisition device type", "122142", "TID 10001 row 4", modalities=_PROJECTION),
    code("scope_of_accumulation", "Scope of accumulation", "113705", "TID 10001 row 6, TID 10011 "
"row 7"),
    uid("scope_uid", "UID of the scope", "113705/110180|113705/121126|113705/112002|113705/113769|113705/121124|110180|121126",
        "TID 10001 row 7, TID 10011 row 8"),
    moment("start_of_irradiation", "Start of irradiation", "113809", "TID 10011 row 5", modalities=(_CT, _RF)),
    moment("end_of_irradiation", "End of irradiation", "113810", "TID 10011 row 6", modalities=(_CT, _RF)),
    code("detector_data_available", "Detector data available", "113945", "TID 10001 row 8", modalities=_PROJECTION),
    code("source_data_available", "Source data available", "113943", "TID 10001 row 9", modalities=_PROJECTION),
    code("mechanical_data_available", "Mechanical data available", "113944", "TID 10001 row 10",
         modalities=_PROJECTION),
    codes("sources_of_dose_information", "Source of dose information", "113854", "TID 10001 row "
"18, TID 10011 row 12"),
    text("comment", "Comment", "121106", "TID 10001 row 15, TID 10011 row 11, TID 10021 row 6"),
    code("language", "Language", "121049", "TID 1204"),
    uids("dose_images", "Dose images", "121342", "TID 10001 row 16", modalities=_PROJECTION),
    PATIENT_CHARACTERISTICS,
    ORGAN_DOSE_ESTIMATES,
    OBSERVERS,
    person_participants(source="TID 1020 in TID 10001 row 17, TID 10011 row 13"),
    device_participants(),
)  # fmt: skip

# Counts of events by CT Acquisition Type: field, title, code.
CT_EVENTS_BY_TYPE = (
    ("number_of_spiral_events", "Spiral events", concepts.SPIRAL.key),
    ("number_of_sequenced_events", "Sequenced events", concepts.SEQUENCED.key),
    (
        "number_of_constant_angle_events",
        "Constant angle events (localizers)",
        concepts.CONSTANT_ANGLE.key,
    ),
    ("number_of_stationary_events", "Stationary events", concepts.STATIONARY.key),
    ("number_of_free_events", "Free events", concepts.FREE.key),
    ("number_of_cone_beam_events", "Cone beam events", "SCT:702569007"),
)

# Totals of a study as lists show them. If the report gives none, they are computed and marked as
# such.
TOTALS = (
    integer("number_of_events", "Events", description="Number of irradiation events in the store."),
    *(integer(name, title, description="Number of irradiation events of this CT Acquisition "
"Type.", source="CID 10013",
              modalities=(_CT,)) for name, title, _ in CT_EVENTS_BY_TYPE),
    num("dlp_total", "DLP total", "mGy.cm", description="Sum of the reports' "
"totals.", modalities=(_CT,), limits=limits.DLP_TOTAL),
    num("ctdivol_max", "Largest CTDIvol", "mGy", description="Largest mean CTDIvol of the events.", modalities=(_CT,),
        limits=limits.CTDIVOL),
    num("effective_dose_total", "Effective dose total", "mSv", modalities=(_CT, _NM),
        description="As reported; in nuclear medicine, the sum over the administrations if all "
                    "of them have it.", limits=limits.EFFECTIVE_DOSE),
    integer("dose_check_events", "Dose check events", modalities=(_CT,),
            description="Events whose forward estimate reached a configured alert or notification "
"value."),
    num("dap_total", "DAP total", "Gy.m2", description="Sum over the planes.", modalities=_PROJECTION,
        limits=limits.DAP_TOTAL),
    num("dap_total_a", "DAP total, plane A", "Gy.m2", description="Plane A, or the single plane.",
        modalities=(_RF, _DX), limits=limits.DAP_TOTAL),
    num("dap_total_b", "DAP total, plane B", "Gy.m2", modalities=(_RF,), limits=limits.DAP_TOTAL),
    num("dose_rp_total", "Dose at reference point", "Gy", modalities=(_RF, _DX),
        description="The larger value of the planes: planes are not added up, since their beams "
                    "enter the skin at different places.", limits=limits.DOSE_RP_TOTAL),
    num("dose_rp_total_a", "Dose at reference point, plane A", "Gy", description="Plane A, or the "
"single plane.",
        modalities=(_RF, _DX), limits=limits.DOSE_RP_TOTAL),
    num("dose_rp_total_b", "Dose at reference point, plane B", "Gy", modalities=(_RF,), limits=limits.DOSE_RP_TOTAL),
    num("fluoro_dap_total", "Fluoroscopy DAP", "Gy.m2", description="Sum over the planes.", modalities=(_RF,),
        limits=limits.DAP_TOTAL),
    num("acquisition_dap_total", "Acquisition DAP", "Gy.m2", description="Sum over the planes.", modalities=(_RF,),
        limits=limits.DAP_TOTAL),
    num("total_fluoro_time", "Fluoroscopy time", "s", description="Sum over the planes.", modalities=(_RF,),
        limits=limits.TOTAL_TIME),
    num("total_number_of_radiographic_frames", "Radiographic frames", "1", description="Sum over the planes.",
        modalities=(_RF, _DX), limits=limits.COUNT_OF_PULSES),
    num("agd_left", "AGD left", "mGy", description="Accumulated average glandular dose, left "
"breast.",
        modalities=(_MG,), limits=limits.AGD_TOTAL),
    num("agd_right", "AGD right", "mGy", description="Accumulated average glandular dose, right "
"breast.",
        modalities=(_MG,), limits=limits.AGD_TOTAL),
    num("agd_unspecified", "AGD, side not given", "mGy", modalities=(_MG,),
        description="Accumulated average glandular dose of both breasts, or without a side.", limits=limits.AGD_TOTAL),
    text("radiopharmaceuticals", "Radiopharmaceutical", modalities=(_NM,),
         description="Radiopharmaceuticals of the administrations, each listed once."),
    text("radionuclides", "Radionuclide", description="Radionuclides of the administrations, "
                                                      "each listed once.",
         modalities=(_NM,)),
    num("administered_activity_total", "Administered activity", "MBq", modalities=(_NM,),
        description="Sum over the administrations of one radionuclide. Activities of different "
                    "radionuclides are not added up."),
)  # fmt: skip

# Why a study is left out of sums, charts, levels and exports.
NOT_COUNTED = {
    "shared": "all of its irradiation events are in another study, too, and count there",
    "rejected": "a rejection note says that it does not belong to this patient or must not be used",
}

STUDY = Table(
    "study",
    "Studies",
    "One row per study, system and modality type.",
    (
        *_IDENTIFICATION,
        *PATIENT,
        *_REPORT,
        *TOTALS,
        texts(
            "acquisition_protocols",
            "Acquisition protocols",
            description="Acquisition protocols of the events, each listed once.",
        ),
        texts(
            "all_marks",
            "Marks of all records",
            description="Marks of the study, its accumulated dose and its events, each listed "
            "once.",
        ),
        text(
            "not_patient_indicator",
            "Not a patient",
            description="Pattern of names or IDs that identifies the study as possible test data.",
        ),
        text(
            "not_counted",
            "Not counted",
            description="Why the study is not in sums: "
            + "; ".join(f"{name}: {what}" for name, what in NOT_COUNTED.items())
            + ". Empty if it counts.",
        ),
        structs(
            "shared_with",
            "Same irradiation in",
            "",
            "",
            "Other studies that have irradiation events of this one, by their UIDs.",
            integer("study_id", "Study", always=True),
            uid("study_instance_uid", "Study instance UID"),
            integer("events", "Events", description="Number of events that both have."),
            integer(
                "counted_there",
                "Counted there",
                description="Number of those that count in the other study.",
            ),
        ),
        moment("stored_at", "Stored", description="When the row was last written, UTC."),
        text(
            "source",
            "Source",
            always=True,
            description="; ".join(f"{name}: {what}" for name, what in SOURCES.items()),
        ),
        text(
            "extractor_version",
            "Extractor",
            description="Version of the program that read the objects.",
        ),
        marks(),
        unused(),
    ),
    derived=(
        texts(
            "standard_names",
            "Standard names",
            description="Standard names of the installation for the study's descriptions, "
            "procedures and protocols, according to the map of names.",
        ),
        *OF_STUDY.values(),
        EFFECTIVE_DOSE_TABLE,
    ),
)

OUTCOMES = {
    "imported": "its content is in the store",
    "merged": "its content was merged with that of other objects of the study",
    "duplicate": "all of its content was already in the store",
    "ignored": "it was skipped by a rule",
    "failed": "it could not be read",
}

# What the rules of deletion do with an object in Orthanc.
IN_ORTHANC = {
    "to delete": "it will be deleted from Orthanc",
    "deleted": "it was deleted from Orthanc; the data read from it stays",
    "refused": "it was refused before Orthanc stored it",
}

OBJECT = Table(
    "object",
    "Objects",
    "One row per instance that Orthanc stored, with its outcome.",
    (
        text(
            "handle",
            "Handle",
            always=True,
            description="Identifier of the object in this store: a hash, keyed with the "
            "installation's key, of its identifier in Orthanc, which is derived from "
            "the patient ID.",
        ),
        uid("sop_instance_uid", "SOP instance UID", source="(0008,0018)"),
        uid("sop_class_uid", "SOP class UID", source="(0008,0016)"),
        uid("study_instance_uid", "Study instance UID", source="(0020,000D)"),
        text(
            "modality",
            "Modality",
            description="Modality type of the study that the object was assigned to.",
        ),
        integer("study_id", "Study", description="Study that the object was assigned to."),
        text(
            "outcome",
            "Outcome",
            always=True,
            description="; ".join(f"{key}: {what}" for key, what in OUTCOMES.items()),
        ),
        text(
            "rule",
            "Rule",
            description="Name of the rule that decided, for ignored, merged and duplicate objects.",
        ),
        text("reason", "Reason", description="Reason for the outcome, as a sentence."),
        text(
            "source",
            "Source",
            description="How its content was read: one of the sources of `study`.",
        ),
        text("series_handle", "Series", description="Handle of its series."),
        integer(
            "change",
            "Change",
            description="Number of Orthanc's change that announced the instance.",
        ),
        integer("attempts", "Attempts", description="Number of times that it was read."),
        moment("received_at", "Received", description="When Orthanc stored it, UTC."),
        moment("processed_at", "Processed", description="When the outcome was decided, UTC."),
        integer("size", "Size", description="Size of the object in bytes."),
        text("extractor_version", "Extractor", description="Version of the program that read it."),
        text(
            "in_orthanc",
            "In Orthanc",
            description="; ".join(f"{key}: {what}" for key, what in IN_ORTHANC.items())
            + "; otherwise empty.",
        ),
        moment(
            "deleted_at",
            "Deleted",
            description="When it was deleted from Orthanc by this program or, if it is a rejection note, "
            "by anybody, UTC.",
        ),
        text("content_digest", "Digest", description="SHA-256 of the kept content."),
        blob(
            "content",
            "Content",
            description="The whole object except pixel data and patient identity, compressed.",
        ),
    ),
)

PATIENT_SIZE = Table(
    "patient_size",
    "Patient sizes",
    "Heights and weights from imported files, one row per study. The study's records use them if "
    "its objects contain none, or if a user chose to overwrite them; they are kept when the "
    "records are rebuilt.",
    (
        uid("study_instance_uid", "Study instance UID"),
        num("height", "Height", "m", limits=limits.HEIGHT),
        num("weight", "Weight", "kg"),
        integer(
            "height_overwrites",
            "Height overwrites",
            description="1: the height replaces that of the objects.",
        ),
        integer(
            "weight_overwrites",
            "Weight overwrites",
            description="1: the weight replaces that of the objects.",
        ),
        integer("task_id", "Task", description="Import that last wrote the row."),
        moment("changed_at", "Changed", description="UTC."),
    ),
)

DROPPED = Table(
    "dropped",
    "Dropped objects",
    "Number of objects of a SOP class that, according to the rules, were not stored at all.",
    (
        uid("sop_class_uid", "SOP class UID"),
        integer("objects", "Objects"),
        moment("first_at", "First", description="UTC."),
        moment(
            "last_at",
            "Last",
            description="UTC; counts are written periodically, so the time is accurate to some "
            "seconds.",
        ),
    ),
)

SETTING = Table(
    "setting",
    "Settings",
    "Settings made by users, one row per setting.",
    (
        text("user_name", "User", description="User to whom the setting belongs."),
        text("kind", "Kind", description="saved filter: a name and the filters of a list."),
        text("name", "Name"),
        text("value", "Value", description="JSON."),
        moment("changed_at", "Changed", description="UTC."),
    ),
)

STATE = Table(
    "state",
    "State",
    "What the program has to remember, such as its cursor in Orthanc's changes and the version "
    "of the schema.",
    (text("name", "Name"), text("value", "Value")),
)
# Columns of objects that the SQL view of the dose record shows: what became of the objects, not
# their content, nor identifiers that Orthanc derives from the patient's ID.
OBJECT_OUTCOMES = (
    "sop_instance_uid", "sop_class_uid", "study_instance_uid", "modality", "study_id", "outcome", "rule", "reason", "source",
    "received_at", "processed_at", "size", "extractor_version", "in_orthanc", "deleted_at",
)  # fmt: skip

__all__ = [
    "DROPPED", "EQUIPMENT", "EQUIPMENT_KEY", "IDENTITY_FIELDS", "IN_ORTHANC", "OBJECT", "OBJECT_OUTCOMES", "OUTCOMES",
    "PATIENT", "PATIENT_SIZE",
    "SETTING", "STATE", "STUDY", "TOTALS", "UNDER_RULES",
]  # fmt: skip

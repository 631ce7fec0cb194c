"""The data dictionary: each field of the dose record, declared once, with type, unit, concept code
and a plain description.
"""

from dataclasses import dataclass

from . import leading
from .access import ACCOUNT, AUDIT_LOG, DEVICE, TOKEN
from .common import MARKS, SOURCES
from .ct import CT_ACCUMULATED, CT_EVENT
from .estimate import ESTIMATE
from .feed import CHANGES, FOLLOWER, FOLLOWER_FAILURE, STUDY_CHANGE
from .field import Field, Shown, Table
from .found import FETCHING, FOUND, SCHEDULE_RUN
from .index import (
    EVENT_UID,
    INDEXED,
    INDEXES,
    REJECTED_OBJECT,
    STANDARD_NAME,
    STUDY_DAY,
    STUDY_NAMES,
    STUDY_STANDARD_NAME,
    TERM,
    TERM_NAME,
    TOTALS_AS_REPORTED,
    index_name,
)
from .nuclear import IMAGE_SERIES, NM_ADMINISTRATION
from .projection import PROJECTION_ACCUMULATED, PROJECTION_EVENT
from .reference import PHANTOMS, REFERENCE_LEVEL, STATISTICS
from .study import (
    DROPPED,
    EQUIPMENT,
    EQUIPMENT_KEY,
    IDENTITY_FIELDS,
    IN_ORTHANC,
    NOT_COUNTED,
    OBJECT,
    OBJECT_OUTCOMES,
    OUTCOMES,
    PATIENT,
    PATIENT_SIZE,
    SETTING,
    STATE,
    STUDY,
    TOTALS,
)
from .task import STATES, TASK, TASK_LOG


@dataclass(frozen=True)
class Modality:
    """A modality type as data: its tables, the totals that lists show first, and the fields of its
    events that are shown first (see leading.py). `accumulated` is None if reports hold no totals of
    their own."""

    code: str
    title: str
    events: Table
    accumulated: Table | None
    totals: tuple[str, ...]
    leading: tuple[str, ...]

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields of the study that this modality can have."""
        return tuple(
            field for field in STUDY.fields if not field.modalities or self.code in field.modalities
        )


MODALITIES: dict[str, Modality] = {
    modality.code: modality
    for modality in (
        Modality(
            "CT",
            "Computed tomography",
            CT_EVENT,
            CT_ACCUMULATED,
            ("number_of_events", "dlp_total", "ctdivol_max"),
            leading.CT,
        ),
        Modality(
            "RF",
            "Fluoroscopy",
            PROJECTION_EVENT,
            PROJECTION_ACCUMULATED,
            (
                "number_of_events",
                "dap_total",
                "dap_total_b",
                "dose_rp_total_a",
                "dose_rp_total_b",
                "total_fluoro_time",
            ),
            leading.RF,
        ),
        Modality(
            "DX",
            "Radiography",
            PROJECTION_EVENT,
            PROJECTION_ACCUMULATED,
            ("number_of_events", "dap_total"),
            leading.DX,
        ),
        Modality(
            "MG",
            "Mammography",
            PROJECTION_EVENT,
            PROJECTION_ACCUMULATED,
            ("number_of_events", "agd_left", "agd_right"),
            leading.MG,
        ),
        Modality(
            "NM",
            "Nuclear medicine",
            NM_ADMINISTRATION,
            None,
            (
                "number_of_events",
                "radiopharmaceuticals",
                "radionuclides",
                "administered_activity_total",
                "effective_dose_total",
            ),
            leading.NM,
        ),
    )
}

TABLES: tuple[Table, ...] = (
    STUDY,
    EQUIPMENT,
    CT_EVENT,
    CT_ACCUMULATED,
    PROJECTION_EVENT,
    PROJECTION_ACCUMULATED,
    NM_ADMINISTRATION,
    OBJECT,
    DROPPED,
    SETTING,
    STATE,
    PATIENT_SIZE,
    TASK,
    TASK_LOG,
    ACCOUNT,
    TOKEN,
    DEVICE,
    AUDIT_LOG,
    TERM,
    *INDEXES,
    EVENT_UID,
    TOTALS_AS_REPORTED,
    REJECTED_OBJECT,
    STUDY_DAY,
    STANDARD_NAME,
    TERM_NAME,
    REFERENCE_LEVEL,
    ESTIMATE,
    FOUND,
    SCHEDULE_RUN,
    STUDY_CHANGE,
    FOLLOWER,
    FOLLOWER_FAILURE,
)
# Tables whose rows belong to a study and are rewritten with it.
STUDY_TABLES: tuple[Table, ...] = (
    CT_EVENT,
    CT_ACCUMULATED,
    PROJECTION_EVENT,
    PROJECTION_ACCUMULATED,
    NM_ADMINISTRATION,
)
# Those, and what the store keeps with them for its own use.
KEPT_WITH_STUDY: tuple[Table, ...] = (*STUDY_TABLES, *INDEXES, EVENT_UID, TOTALS_AS_REPORTED)

__all__ = [
    "ACCOUNT", "AUDIT_LOG", "CHANGES", "CT_ACCUMULATED", "CT_EVENT", "DEVICE", "DROPPED", "EQUIPMENT", "EQUIPMENT_KEY",
    "ESTIMATE", "EVENT_UID", "FETCHING", "FOLLOWER", "FOLLOWER_FAILURE", "STUDY_CHANGE",
    "FOUND", "Field", "IDENTITY_FIELDS", "IMAGE_SERIES", "INDEXED", "INDEXES", "IN_ORTHANC", "KEPT_WITH_STUDY", "MARKS",
    "MODALITIES", "Modality",
    "NM_ADMINISTRATION", "NOT_COUNTED", "OBJECT", "OBJECT_OUTCOMES", "OUTCOMES", "PATIENT", "PATIENT_SIZE", "PHANTOMS",
    "PROJECTION_ACCUMULATED", "PROJECTION_EVENT", "REFERENCE_LEVEL", "REJECTED_OBJECT", "SCHEDULE_RUN",
    "SETTING", "SOURCES", "STANDARD_NAME", "STATE", "STATES", "STATISTICS", "STUDY", "STUDY_DAY", "STUDY_NAMES",
    "STUDY_STANDARD_NAME", "STUDY_TABLES", "Shown",
    "TABLES", "TASK", "TASK_LOG", "TERM", "TERM_NAME", "TOKEN", "TOTALS", "TOTALS_AS_REPORTED", "Table", "index_name",
]  # fmt: skip

"""The result of an extractor: the rows of one object, or the rule by which it is ignored."""

from dataclasses import dataclass
from datetime import datetime

from ..dicom.sr import Item
from ..records.rows import AccumulatedRow, EquipmentRow, EventRow, StudyRow
from .origin import ImageOrigin


class Ignored(Exception):
    """The object is ignored: the name of the rule and the reason in words."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule = rule
        self.reason = reason


@dataclass(frozen=True)
class References:
    """The references of an object: SOP instance UIDs of dose reports, irradiation event UIDs."""

    reports: frozenset[str]
    events: frozenset[str]


@dataclass(frozen=True)
class Rejection:
    """The objects that a rejection note names by their SOP instance UIDs, and the reason."""

    reason: str
    objects: frozenset[str]


@dataclass(frozen=True)
class Subject:
    """The marks that tell the patient of an object apart from another one of the same study.

    Keyed hashes of ID and birth date, and the sex; None if the object does not say.
    """

    patient_id: str | None = None
    birth_date: str | None = None
    sex: str | None = None


@dataclass
class Extract:
    """The rows of one object, before it is merged with others of its study.

    study, equipment, accumulated, events: rows by the fields of the tables. unused: content items
    that no field takes. made_at: when the content was made, local time. source: how it was read, a
    key of SOURCES. modality: None for an object without dose of its own, whose `study` adds fields
    to the records of the study, derived from what it refers to. origin: for images, how the image
    came about. subject: whose it is. rejects: of a rejection note, which has no dose."""

    modality: str | None
    study: StudyRow
    equipment: EquipmentRow
    accumulated: list[AccumulatedRow]
    events: list[EventRow]
    unused: list[Item]
    made_at: datetime
    source: str = "report"
    refers_to: References | None = None
    origin: ImageOrigin | None = None
    subject: Subject = Subject()
    rejects: Rejection | None = None

"""Two patients under one Study Instance UID, as happens when an examination is begun under the wrong
name: their objects make records of their own."""

from dataclasses import dataclass, field

from ..extract.extract import Subject
from ..extract.rows import mark
from .parts import Part, Record


@dataclass
class Patient:
    """The objects of one patient, and what they say of whose they are."""

    parts: list[Part] = field(default_factory=list)
    subjects: set[Subject] = field(default_factory=set)

    def add(self, other: "Patient") -> None:
        self.parts += other.parts
        self.subjects |= other.subjects

    def ids(self) -> set[str]:
        return {one.patient_id for one in self.subjects if one.patient_id}

    def contradicts(self, other: "Patient") -> bool:
        """Return whether sex or birth date of two patients differ."""
        return any(
            _differ(one.sex, another.sex) or _differ(one.birth_date, another.birth_date)
            for one in self.subjects
            for another in other.subjects
        )


def patients(parts: list[Part]) -> list[Patient]:
    """Return the patients of a study. Objects are of different ones only if their patient IDs
    differ, and sex or birth date too; those without an ID belong to the only one that fits."""
    by_id: dict[str | None, Patient] = {}
    for part in sorted(parts, key=lambda one: one.sop_instance_uid):
        one = by_id.setdefault(part.extract.subject.patient_id, Patient())
        one.add(Patient([part], {part.extract.subject}))
    nameless = by_id.pop(None, None)
    found: list[Patient] = []
    for key in sorted(by_id, key=str):
        found = _added(found, by_id[key])
    if nameless is None:
        return found
    for part in nameless.parts:
        alone = Patient([part], {part.extract.subject})
        # Without an ID nothing keeps an object apart: it goes to the one that it fits best.
        fits = [one for one in found if not one.contradicts(alone)] or found
        if fits:
            max(fits, key=lambda one: len(one.parts)).parts.append(part)
        else:
            found.append(alone)
    return found


def _added(found: list[Patient], new: Patient) -> list[Patient]:
    fits = [one for one in found if not one.contradicts(new)]
    if len(fits) == 1:
        fits[0].add(new)
        return found
    return [*found, new]


def mark_records(found: list[Patient], records: list[list[Record]]) -> None:
    """Mark records of a study that has several patients, or one with several IDs."""
    for one, of_patient in zip(found, records, strict=True):
        for record in of_patient:
            if len(found) > 1:
                mark(record.study, "study_instance_uid", "several_patients", len(found))
            if len(one.ids()) > 1:
                mark(record.study, "study_instance_uid", "several_patient_ids", len(one.ids()))


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other

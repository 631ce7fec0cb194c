"""The content of an object as it is kept: all but pixel data and patient identity, re-readable."""

import hashlib
import json
import zlib
from dataclasses import dataclass, field

import msgspec

from ..dicom import dates
from ..dicom.dataset import Dataset, first, text
from ..dicom.identity import NOTHING_KEPT, IdentityRules, is_hash, remove_identity
from ..dicom.long_sequence import CONTENT, LONG, LongSequence
from ..dicom.not_patient import NO_PATTERNS, NotPatient
from ..dicom.part10 import Part10
from ..records.limits import AGE, WHEN
from .long_content import content_of, json_text, pack_long, unpack_long

# Patient's Age (years) is that of the request or of the study, and so is a year apart at most.
_AGES_DIFFER = 2.0


@dataclass
class Kept:
    """An object's content. `patient_age` (years) is computed before the birth date is dropped;
    `screen` holds the lines of text that were read from the pixels of a dose screen (OCR), None if
    this was not tried; `patient` is what the installation keeps of the patient's name, ID and birth
    date, as IdentityRules.apply gives it; `not_patient` holds the patterns by which the object is
    not of a patient, as NotPatient.matching gives them; `subject` holds the hashes that tell two
    patients apart, as IdentityRules.subject gives them; `doubts` holds the marks on age and birth
    date, by field, since the birth date itself is not kept."""

    dataset: Dataset
    transfer_syntax: str = ""
    notes: list[str] = field(default_factory=list)
    patient_age: float | None = None
    screen: list[str] | None = None
    patient: dict[str, str] = field(default_factory=dict)
    not_patient: dict[str, str] = field(default_factory=dict)
    subject: dict[str, str] = field(default_factory=dict)
    doubts: dict[str, str] = field(default_factory=dict)

    def pack(self) -> tuple[bytes, str]:
        """Return the content as the store holds it, compressed JSON, and its SHA-256, which shows
        whether two objects are the same.
        """
        whole: dict[str, object] = {
            "syntax": self.transfer_syntax,
            "notes": self.notes,
            "age": self.patient_age,
        }
        whole["dataset"] = self.dataset
        if self.screen is not None:
            whole["screen"] = self.screen
        if self.patient:
            whole["patient"] = self.patient
        if self.not_patient:
            whole["not_patient"] = self.not_patient
        if self.subject:
            whole["subject"] = self.subject
        if self.doubts:
            whole["doubts"] = self.doubts
        if isinstance(self.dataset.get(CONTENT), LongSequence):
            packed, digest = pack_long(whole)
            # Its items are read from there from now on, which takes less time.
            self.dataset[CONTENT] = content_of(packed)
            return packed, digest
        raw = _as_json(whole)
        # Level 1: a third larger than level 6, in a fifth of the time, which is scarce for the
        # worker.
        return zlib.compress(raw, 1), hashlib.sha256(raw).hexdigest()


_ENCODER = msgspec.json.Encoder()


def _as_json(content: dict[str, object]) -> bytes:
    """Return the content as JSON. msgspec writes the same bytes as json in a fifth of the time, but
    refuses lone surrogates, which stand for bytes that are no text."""
    try:
        return _ENCODER.encode(content)
    except UnicodeEncodeError:
        return json_text(content).encode("utf-8", "surrogatepass")


def unpack(packed: bytes) -> Kept:
    """Return the content that `pack` packed. Raises zlib.error, ValueError if it is damaged."""
    unzip = zlib.decompressobj()
    raw = unzip.decompress(packed, LONG)
    if unzip.eof:
        read = json.loads(raw)
    elif unzip.unconsumed_tail:
        read = unpack_long(packed)
    else:
        raise zlib.error("the kept content is incomplete")
    return Kept(
        read["dataset"],
        read["syntax"],
        read["notes"],
        read["age"],
        read.get("screen"),
        read.get("patient", {}),
        read.get("not_patient", {}),
        read.get("subject", {}),
        read.get("doubts", {}),
    )


def keep(
    read: Part10, rules: IdentityRules = NOTHING_KEPT, patterns: NotPatient = NO_PATTERNS
) -> Kept:
    """Return what is kept of an object. This modifies the data set that was read: the patient is
    removed from it after the age and the other values derived from name and birth date have been
    determined."""
    dataset = read.dataset
    doubts: dict[str, str] = {}
    age, patient, subject = _age(dataset, doubts), rules.apply(dataset), rules.subject(dataset)
    matched = patterns.matching(text(dataset, "0010,0010"), text(dataset, "0010,0020"))
    kept = remove_identity(dataset, rules)
    return Kept(
        kept,
        read.transfer_syntax,
        read.notes,
        age,
        patient=patient,
        not_patient=matched,
        subject=subject,
        doubts=doubts,
    )


def apply_again(kept: Kept, rules: IdentityRules) -> None:
    """Apply other rules to kept content, as far as possible: what was dropped does not come back,
    and a hash is kept or dropped."""
    patient_id = kept.patient.get("id")
    kept.patient = rules.again(kept.patient)
    if rules.accession_number != "stored" or kept.patient.get("id") != patient_id:
        remove_identity(kept.dataset, rules, None if is_hash(patient_id) else patient_id)


def _age(dataset: Dataset, doubts: dict[str, str]) -> float | None:
    """Return the age at the study: from the birth date where it is finer than Patient's Age, or
    where that is missing or impossible. Add what is wrong with the birth date to `doubts`.
    """
    written = _age_as_written(dataset)
    by_birth_date = _age_by_birth_date(dataset, doubts, written is None)
    if by_birth_date is None:
        return written
    if written is None or not AGE.is_possible(written):
        return by_birth_date
    # Patient's Age in months, weeks or days is finer; in years, it is the same age or another one.
    in_years = (text(dataset, "0010,1010") or "").strip().upper().endswith("Y")
    if in_years and int(by_birth_date) == written:
        return by_birth_date
    if abs(by_birth_date - written) > _AGES_DIFFER:
        doubts["patient_age"] = "implausible"
    return written


def _age_as_written(dataset: Dataset) -> float | None:
    try:
        return dates.parse_age(text(dataset, "0010,1010"))
    except ValueError:
        return None


def _age_by_birth_date(dataset: Dataset, doubts: dict[str, str], needed: bool) -> float | None:
    try:
        birth = dates.parse_date(text(dataset, "0010,0030"))
    except ValueError:
        return None
    if birth is None:
        return None
    if birth <= dates.NO_BIRTH_DATE:
        doubts["patient_birth_date"] = "impossible"
        if needed:
            doubts["patient_age"] = "impossible"
        return None
    for tag in ("0008,0020", "0008,0022", "0008,0021", "0008,0023"):
        try:
            day = dates.parse_date(first(dataset, tag))
        except ValueError:
            continue
        if day is None or day < WHEN.hard[0]:  # type: ignore[operator]
            continue
        if birth <= day:
            return dates.age_between(birth, day)
        if needed:
            doubts["patient_age"] = "impossible"  # born after the study
        return None
    return None

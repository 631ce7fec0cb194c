"""The patient's identity in an object: the elements that hold it, the rules for keeping it, and its
removal before the object's content is kept.
"""

import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from pydicom.datadict import dictionary_VR

from . import dates
from .concepts import ACCESSION_NUMBER
from .dataset import Dataset, first, items, text, values
from .long_sequence import LongSequence, concept_code
from .scrub import Words, names

# How an item is kept.
RULES = ("none", "stored", "hashed", "sha256")
# These prefixes mark a hash, so that it is never mistaken for the value as written.
HMAC, SHA256 = "hmac-sha256:", "sha256:"
_HASH = re.compile(f"({HMAC}|{SHA256})[0-9a-f]{{64}}")

# Of the patient group only what dose needs is kept: sex, age, size, weight, and what describes the
# body.
_KEPT_OF_PATIENT = frozenset(
    {"0010,0040", "0010,1010", "0010,1020", "0010,1021", "0010,1022", "0010,1030", "0010,9431"}
)
# Groups and elements outside the patient group that identify the patient: visit, trial subject,
# free text about the patient.
_DROPPED_GROUPS = ("0010", "0038")
_DROPPED = frozenset(
    {"0012,0040", "0012,0042", "0032,4000", "0040,1004", "0040,1400", "0040,3001", "4008,4000"}
)
# Content items of TID 1006 to 1008 (Subject Context): subject UID, name, ID, birth date, and the
# like.
_SUBJECT_CODES = frozenset({"121028", "121029", "121030", "121031", "121034", "121035", "121036"})
# Where the accession number appears: the element, in the data set and in its request sequences, and
# the content item.
_ACCESSION_NUMBER, _ITS_ISSUER, _ACCESSION_CODE, _ITEM_TEXT = (
    "0008,0050",
    "0008,0051",
    ACCESSION_NUMBER.value,
    "0040,a160",
)
# Comments: on the object, the series, the image, the procedure step; and the content item.
_COMMENTS, _COMMENT_CODE = (
    frozenset({"0008,4000", "0018,4000", "0020,4000", "0040,0280", "0040,0400"}),
    "121106",
)
# Identifiers of the study, the request and the objects, which may equal the patient's ID by chance.
_IDENTIFIERS = frozenset(
    {
        _ACCESSION_NUMBER,
        "0020,0010",
        "0040,0009",
        "0040,0253",
        "0040,1001",
        "0040,2016",
        "0040,2017",
    }
)
# The structure of a content item, besides its values: value type, relationship, continuity,
# numbers; and what tells systems apart: the ID of a phantom may be the name of the station.
_STRUCTURE = frozenset({
    "0040,a010", "0040,a040", "0040,a050", "0040,a30a", "0008,0100", "0008,0102",
    "0008,0070", "0008,1010", "0008,1090", "0018,1000", "0018,1020",
})  # fmt: skip
# An infant's birth date may be the date of the study.
_INFANT = timedelta(days=60)


def is_hash(value: str | None) -> bool:
    """Return whether a kept value is a hash."""
    return value is not None and _HASH.fullmatch(value) is not None


def keyed_hash(secret: bytes, value: str) -> str:
    """Return the HMAC-SHA-256 (RFC 2104) of a value in UTF-8."""
    return (
        HMAC + hmac.new(secret, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
    )


def plain_hash(value: str) -> str:
    """Return the SHA-256 of a value in UTF-8, in hexadecimal, which is what OpenREM keeps
    (docs.openrem.org, "Patient identifiable data": a SHA 256 hash of exactly the same text)."""
    return SHA256 + hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class IdentityRules:
    """The rules for keeping the patient's identity: one of RULES for each item. secret: the
    installation's key for the hashes.
    """

    patient_name: str = "none"
    patient_id: str = "none"
    patient_birth_date: str = "none"
    accession_number: str = "stored"
    secret: bytes = b""

    def apply(self, dataset: Dataset) -> dict[str, str]:
        """Return what is kept of this data set's patient: "name", "id", "birth_date" (YYYY-MM-DD).
        To be called before `remove_identity`.
        """
        birth_date = _birth_date(dataset)
        written = {
            "name": text(dataset, "0010,0010"),
            "id": text(dataset, "0010,0020"),
            "birth_date": birth_date.isoformat() if birth_date else None,
        }
        return self.again({item: value for item, value in written.items() if value})

    def subject(self, dataset: Dataset) -> dict[str, str]:
        """Return keyed hashes of the patient's ID ("id") and birth date ("birth_date"), whatever
        the rules are: they tell two patients of one study apart. Empty without a key.

        They include the study, so that they do not tell which studies are of the same patient. With
        the key, IDs and dates can be tried out: it must be kept as safe as the identity itself.
        """
        study = first(dataset, "0020,000d") or ""
        patient_id, day = text(dataset, "0010,0020"), _birth_date(dataset)
        written = {
            "id": patient_id.upper() if patient_id else None,
            "birth_date": day.isoformat() if day else None,
        }
        return {
            item: hmac.digest(
                self.secret, f"subject {study} {item} {value}".encode(), "sha256"
            ).hex()[:32]
            for item, value in written.items()
            if value and self.secret
        }

    def again(self, patient: dict[str, str]) -> dict[str, str]:
        """Apply these rules to what was kept under other rules. A hash stays as it is."""
        rules = {
            "name": self.patient_name,
            "id": self.patient_id,
            "birth_date": self.patient_birth_date,
        }
        kept = {item: self.kept(rules[item], value) for item, value in patient.items()}
        return {item: value for item, value in kept.items() if value is not None}

    def kept(self, rule: str, value: str) -> str | None:
        """Return what a rule keeps of a value, which may already be a hash."""
        if rule == "none":
            return None
        return value if rule == "stored" or is_hash(value) else self.hashes(value)[rule]

    def hashes(self, value: str) -> dict[str, str]:
        """Return the hashes of a value by rule; without a key there is no keyed one."""
        return ({"hashed": keyed_hash(self.secret, value)} if self.secret else {}) | {
            "sha256": plain_hash(value)
        }


NOTHING_KEPT = IdentityRules()


# Names of the patient: current, other, birth name, mother's birth name.
_NAMES = ("0010,0010", "0010,1001", "0010,1005", "0010,1060")
# IDs of the patient: current, other, of the medical record, of a trial.
_IDS = ("0010,0020", "0010,1000", "0010,1090", "0012,0040", "0012,0042")
_OTHER_IDS, _CONTENT = "0010,1002", "0040,a730"
# Content items of the Subject Context that name the patient, and the elements that hold their
# values.
_SUBJECT_NAME, _SUBJECT_ID = ("121029", "0040,a123"), ("121030", "0040,a160")


def _names_of(dataset: Dataset) -> list[str]:
    """Return all names of the patient in an object, as written."""
    found = [name for tag in _NAMES for name in values(dataset, tag)]
    return list(dict.fromkeys([*found, *_of_subject(dataset, *_SUBJECT_NAME)]))


def _ids_of(dataset: Dataset) -> set[str]:
    """Return all IDs of the patient in an object."""
    others = items(dataset, _OTHER_IDS)
    places = [(dataset, tag) for tag in _IDS] + [(other, "0010,0020") for other in others]
    found = {one for of, tag in places for one in values(of, tag)}
    return found | set(_of_subject(dataset, *_SUBJECT_ID))


def _of_subject(dataset: Dataset, code: str, tag: str) -> Iterator[str]:
    content = dataset.get(_CONTENT)
    entries = content.named(code) if isinstance(content, LongSequence) else items(dataset, _CONTENT)
    for item in entries:
        if concept_code(item) == code:
            yield from values(item, tag)


def identifiers(dataset: Dataset) -> tuple[str, ...]:
    """Return the texts that name this patient: names as written and with spaces, and IDs."""
    found = {way for name in _names_of(dataset) for way in names(name)} | _ids_of(dataset)
    return tuple(sorted((part for part in found if len(part) > 2), key=len, reverse=True))


def remove_identity(
    dataset: Dataset, rules: IdentityRules = NOTHING_KEPT, patient_id: str | None = None
) -> Dataset:
    """Remove the elements and content items that identify the patient from a data set, apply the
    rule for the accession number, and return the data set. patient_id: given if the data set no
    longer holds it.

    Text elsewhere that is the patient's ID, or contains the patient's name, is removed too; so are
    accession numbers, unless they are stored."""
    patient_ids = _ids_of(dataset) | {patient_id or ""}
    numbers = set() if rules.accession_number == "stored" else set(_accession_numbers(dataset))
    everything = Words(_names_of(dataset), patient_ids | numbers, _telling_birth_date(dataset))
    dropped = Words((), numbers if rules.patient_id == "stored" else numbers | patient_ids)
    _Cleaner(rules, everything, dropped).clean(dataset)
    return dataset


def _day(dataset: Dataset, tag: str) -> date | None:
    try:
        return dates.parse_date(text(dataset, tag))
    except ValueError:
        return None


def _birth_date(dataset: Dataset) -> date | None:
    """Return the birth date, unless it is one that stands for an unknown one."""
    day = _day(dataset, "0010,0030")
    return day if day is not None and day > dates.NO_BIRTH_DATE else None


def _telling_birth_date(dataset: Dataset) -> date | None:
    """Return the birth date; None for an infant, as it may be a date of the object or study."""
    birth_date, own = (
        _day(dataset, "0010,0030"),
        [_day(dataset, tag) for tag in ("0008,0020", "0008,0023", "0008,0012")],
    )
    return (
        None
        if birth_date is None or any(day and day - birth_date < _INFANT for day in own)
        else birth_date
    )


def _accession_numbers(dataset: Dataset) -> Iterator[str]:
    for tag, value in dataset.items():
        if isinstance(value, list):
            for item in value:
                yield from _accession_numbers(item)
        elif value and (
            tag == _ACCESSION_NUMBER
            or (tag == _ITEM_TEXT and concept_code(dataset) == _ACCESSION_CODE)
        ):
            yield value.strip(" \0")


# How an element is treated, by its tag.
_KEEP, _DROP, _IDENTIFIER, _TEXT, _COMMENT, _PRIVATE, _CODE, _OTHER, _DATE = range(9)
_BY_VR = {
    **dict.fromkeys(
        ("LO", "LT", "PN", "SH", "ST", "UC", "UN", "UT", "OB", "OW", "OB or OW"), _TEXT
    ),
    **dict.fromkeys(("AE", "CS", "UR"), _CODE),
    **dict.fromkeys(("AS", "DS", "IS"), _OTHER),
    **dict.fromkeys(("DA", "DT"), _DATE),
}
_DECISIONS: dict[str, int] = {}
# Number of sequences of a long object that are remembered as cleaned.
_MOST_DONE = 5_000


def _decide(tag: str) -> int:
    if tag in _DROPPED or (tag[:4] in _DROPPED_GROUPS and tag not in _KEPT_OF_PATIENT):
        decision = _DROP
    elif tag in _IDENTIFIERS:
        decision = _IDENTIFIER
    elif tag in _STRUCTURE:
        decision = _KEEP
    elif tag in _COMMENTS:
        decision = _COMMENT
    else:
        try:
            decision = _BY_VR.get(dictionary_VR(int(tag.replace(",", ""), 16)), _KEEP)
        except KeyError:
            decision = _PRIVATE
    if len(_DECISIONS) < 50_000:
        _DECISIONS[tag] = decision
    return decision


class _Cleaner:
    """Removes what identifies the patient from one object. words: what is searched for in texts;
    dropped: IDs that no identifier may equal.
    """

    def __init__(self, rules: IdentityRules, words: Words, dropped: Words) -> None:
        self.rules, self.words, self.dropped = rules, words, dropped
        self.done: dict[int, list[Dataset]] = {}  # by id, and alive, so that ids are not used again

    def clean(self, dataset: Dataset) -> None:
        changes: dict[str, str | None] = {}
        concept = concept_code(dataset) if _ITEM_TEXT in dataset else None
        for tag, value in dataset.items():
            decision = _DECISIONS.get(tag)
            if decision is None:
                decision = _decide(tag)
            if decision == _DROP or (tag == _ITS_ISSUER and self.rules.accession_number == "none"):
                changes[tag] = None
            elif isinstance(value, list):
                self.clean_items(value)
            elif decision != _KEEP and value:
                if tag == _ACCESSION_NUMBER or (tag == _ITEM_TEXT and concept == _ACCESSION_CODE):
                    new = self.accession_number(value)
                elif decision == _IDENTIFIER:
                    new = self.identifier(value)
                else:
                    of_comment = tag == _ITEM_TEXT and concept == _COMMENT_CODE
                    new = self.scrubbed(_COMMENT if of_comment else decision, value)
                if new is not value:
                    changes[tag] = new
        for tag, new in changes.items():
            if new is None:
                del dataset[tag]
            else:
                dataset[tag] = new

    def clean_items(self, sequence: list[Dataset]) -> None:
        # Codes that a report repeats are one list in many places (see part10), which is cleaned
        # once.
        if id(sequence) in self.done:
            return
        self.done[id(sequence)] = sequence
        gone = (
            _SUBJECT_CODES
            if self.rules.accession_number != "none"
            else _SUBJECT_CODES | {_ACCESSION_CODE}
        )
        if isinstance(sequence, LongSequence):
            self.clean_long(sequence, gone)
            return
        if any(concept_code(item) in gone for item in sequence):
            sequence[:] = [item for item in sequence if concept_code(item) not in gone]
        for item in sequence:
            self.clean(item)

    def clean_long(self, sequence: LongSequence, gone: frozenset[str]) -> None:
        """Clean each item of a long sequence when it is read."""

        def cleaned(item: Dataset) -> Dataset | None:
            if concept_code(item) in gone:
                return None
            if len(self.done) > _MOST_DONE:
                self.done.clear()
            self.clean(item)
            return item

        sequence.change(cleaned)

    def accession_number(self, value: str) -> str | None:
        rule, number = self.rules.accession_number, value.strip(" \0")
        if rule == "stored":
            return self.identifier(value)
        return self.rules.kept(rule, number) if number else value

    def identifier(self, value: str) -> str | None:
        """Clean an identifier of something else: return None if it is the patient's ID; remove a
        name in it, or an ID beside other text."""
        if self.dropped.is_one(value):
            return None
        return value if self.words.is_one(value) else self.words.out_of_code(value)

    def scrubbed(self, decision: int, value: str) -> str:
        if not self.words:
            return value
        if decision == _COMMENT:
            return self.words.out_of_comment(value)
        if decision in (_TEXT, _PRIVATE):
            return self.words.out_of_text(value, decision == _PRIVATE)
        if decision == _CODE:
            return self.words.out_of_code(value)
        return (
            self.words.out_of_date(value) if decision == _DATE else self.words.out_of_other(value)
        )

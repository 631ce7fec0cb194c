"""What identifies a patient in an object, and taking it out before the object's content is kept."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass

from .dataset import BINARY_URI, Dataset, text

# Of the patient group only what dose needs stays: sex, age, size, weight, and what describes the body.
_KEPT_OF_PATIENT = frozenset({"0010,0040", "0010,1010", "0010,1020", "0010,1021", "0010,1022", "0010,1030", "0010,9431"})
# Groups and elements outside of it that identify the patient: visit, trial subject, free text about the patient.
_DROPPED_GROUPS = ("0010", "0038")
_DROPPED = frozenset({"0012,0040", "0012,0042", "0032,4000", "0040,1004", "0040,1400", "0040,3001", "4008,4000"})
# Content items of TID 1006 to 1008 (Subject Context): subject UID, name, ID, birth date, and the like.
_SUBJECT_CODES = frozenset({"121028", "121029", "121030", "121031", "121034", "121035", "121036"})
# Identifiers of the study, the request and the objects: what they are is said by rules of their own, and they may equal
# the patient's ID by chance.
_IDENTIFIERS = frozenset({"0008,0050", "0020,0010", "0040,0009", "0040,0253", "0040,1001", "0040,2016", "0040,2017"})
# What a content item is made of, beside its values: value type, relationship, continuity, numbers.
_STRUCTURE = frozenset({"0040,a010", "0040,a040", "0040,a050", "0040,a30a", "0008,0100", "0008,0102"})
_REMOVED = "(removed)"


def identifiers(dataset: Dataset) -> tuple[str, ...]:
    """Texts that name this patient: the name as written and with spaces, the patient ID."""
    name, patient_id = text(dataset, "0010,0010"), text(dataset, "0010,0020")
    found = {part for part in (name, patient_id) if part}
    if name:
        for group in name.split("="):
            parts = [part.strip() for part in group.split("^") if part.strip()]
            if len(parts) > 1:
                found |= {group.strip("^ "), " ".join(parts), " ".join(reversed(parts)), ", ".join(parts)}
    return tuple(sorted((part for part in found if len(part) > 2), key=len, reverse=True))


def remove_identity(dataset: Dataset) -> Dataset:
    """Take the elements and content items that identify the patient out of a data set, and give it back.

    Text elsewhere that is the patient's ID, or holds the patient's name, is taken out too.
    """
    _clean(dataset, identifiers(dataset), set())
    return dataset


RULES = ("none", "stored", "hashed")
HASHED = "hmac-sha256:"  # stands before a hash, so that it is never taken for what was written


@dataclass(frozen=True)
class IdentityRules:
    """What is kept of who the patient is, item by item: one of RULES. secret: the installation's key of the hashes."""

    name: str = "none"
    patient_id: str = "none"
    secret: bytes = b""

    def apply(self, dataset: Dataset) -> dict[str, str]:
        """What is kept of this data set's patient: "name", "id". Asked before `remove_identity`."""
        asked = (("name", self.name, "0010,0010"), ("id", self.patient_id, "0010,0020"))
        written = ((item, rule, text(dataset, tag)) for item, rule, tag in asked if rule != "none")
        return {item: value if rule == "stored" else self.hashed(value) for item, rule, value in written if value}

    def hashed(self, value: str) -> str:
        """The keyed hash (HMAC-SHA-256, RFC 2104) of a name or an ID."""
        return HASHED + hmac.new(self.secret, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


NOTHING_KEPT = IdentityRules()

_KEEP, _DROP, _SCRUB = range(3)
_DECISIONS: dict[str, int] = {}


def _decide(tag: str) -> int:
    if tag in _DROPPED or (tag[:4] in _DROPPED_GROUPS and tag not in _KEPT_OF_PATIENT):
        decision = _DROP
    else:
        decision = _KEEP if tag in _IDENTIFIERS or tag in _STRUCTURE else _SCRUB
    if len(_DECISIONS) < 50_000:
        _DECISIONS[tag] = decision
    return decision


def _clean(dataset: Dataset, known: tuple[str, ...], done: set[int]) -> None:
    changes: dict[str, str | None] = {}
    for tag, value in dataset.items():
        decision = _DECISIONS.get(tag)
        if decision is None:
            decision = _decide(tag)
        if decision == _DROP:
            changes[tag] = None
        elif isinstance(value, list):
            # Codes that a report repeats are one list in many places (see part10): cleaned once.
            if id(value) not in done:
                done.add(id(value))
                if any(map(_is_subject, value)):
                    value[:] = [item for item in value if not _is_subject(item)]
                for item in value:
                    _clean(item, known, done)
        elif decision == _SCRUB and value:
            scrubbed = _scrubbed(value, known)
            if scrubbed is not value:
                changes[tag] = scrubbed
    for tag, new in changes.items():
        if new is None:
            del dataset[tag]
        else:
            dataset[tag] = new


def _is_subject(item: Dataset) -> bool:
    name = item.get("0040,a043")
    return isinstance(name, list) and bool(name) and name[0].get("0008,0100") in _SUBJECT_CODES


def _scrubbed(value: str, known: tuple[str, ...]) -> str:
    if not known:
        return value
    if value.startswith(BINARY_URI):
        try:
            plain = base64.b64decode(value[len(BINARY_URI) :]).decode("latin-1")
        except (binascii.Error, ValueError):
            return value
        return _REMOVED if any(word in plain for word in known) else value
    for word in known:
        if word in value:
            # A short number can stand in any UID or dose value by chance; alone it is the ID.
            if value.strip() == word:
                return _REMOVED
            if not word.replace("-", "").replace(".", "").isdecimal() and len(word) > 4:
                value = value.replace(word, _REMOVED)
    return value

"""Coded concepts, identified by code value and scheme, never by their meaning (PS3.3 section 8).

Equipment writes the same concept as SNOMED-RT (schemes SRT, SNM3, 99SDM), as SNOMED-CT (SCT), or
with a DICOM code that has since been replaced. `canonical` maps all of them to one key, for example
"SCT:44491008" for Fluoroscopy, and the rest of the program compares these keys."""

import json
import re
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

_TABLE = json.loads(files(__package__).joinpath("codes.json").read_text(encoding="utf-8"))
_REPLACED: dict[str, str] = _TABLE["replaced"]
_SRT_TO_SCT: dict[str, str] = _TABLE["srt_to_sct"]
_MEANINGS: dict[str, str] = _TABLE["meanings"]

# PS3.16 section 8: coding scheme designators of SNOMED-RT codes, and other spellings of the SCT
# scheme.
_SNOMED_RT = frozenset({"SRT", "SNM3", "99SDM", "SNM"})
_SNOMED_CT = frozenset({"SCT", "2.16.840.1.113883.6.96"})


class Code(NamedTuple):
    """A coded value in canonical form: code value, coding scheme designator, code meaning."""

    value: str
    scheme: str
    meaning: str | None

    @property
    def key(self) -> str:
        return f"{self.scheme}:{self.value}"


@lru_cache(maxsize=20_000)
def canonical(value: str, scheme: str) -> str:
    """Return the key "SCHEME:value" of a code; SNOMED-RT codes become SNOMED-CT codes where the
    standard gives the pair.
    """
    value, scheme = value.strip(), scheme.strip()
    upper = scheme.upper()
    if upper in _SNOMED_RT:
        sct = _SRT_TO_SCT.get(value)
        key = f"SCT:{sct}" if sct else f"SRT:{value}"
    elif upper in _SNOMED_CT:
        key = f"SCT:{value}"
    elif upper == "DCM":
        key = f"{_scheme_for(value)}:{_SRT_TO_SCT.get(value, value)}"
    else:
        key = f"{scheme}:{value}"
    return _REPLACED.get(key, key)


def _scheme_for(value: str) -> str:
    """Return the scheme of a code that is written as DICOM's: some equipment writes materials of
    SNOMED so. DICOM's own numbers have six digits."""
    snomed = value in _SRT_TO_SCT or (len(value) > 6 and f"SCT:{value}" in _MEANINGS)
    return "SCT" if snomed else "DCM"


@lru_cache(maxsize=20_000)
def code(value: str, scheme: str, meaning: str | None = None) -> Code:
    """Return a code in canonical form with the meaning that the standard gives it, or else with the
    object's own meaning.
    """
    key = canonical(value, scheme)
    canonical_scheme, _, canonical_value = key.partition(":")
    return Code(
        canonical_value, canonical_scheme, _MEANINGS.get(key) or (meaning or "").strip() or None
    )


def dicom_concept(value: str) -> bool:
    """Return whether a concept name without a scheme can only be one of DICOM's (PS3.16 annex D):
    six digits from 109 to 139 thousand, which no SNOMED code of the dose templates has.
    """
    return (
        re.fullmatch(r"1(09|[1-3]\d)\d{3}", value) is not None and f"SCT:{value}" not in _MEANINGS
    )


def dicom_value(value: str, meaning: str | None) -> bool:
    """Return whether a coded value without a scheme is one of DICOM's: its meaning must not be
    another, since the codes of an installation can have the same digits.
    """
    known = _MEANINGS.get(f"DCM:{value}")
    return known is not None and (meaning or known).casefold().strip() == known.casefold()

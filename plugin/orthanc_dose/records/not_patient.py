"""Patterns of names and IDs that say that an object is of no patient: of a phantom, a test, a constancy check."""

import re
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache

# Those that OpenREM had built in until 0.7.4, as its page "Not-patient indicator settings" offers to restore them
# (docs.openrem.org/en/0.8.1/i_not_patient_indicator.html, "Replicating behaviour of release 0.7.4 and earlier").
OPENREM_NAMES, OPENREM_IDS = ("*phys*", "*test*", "*qa*"), ("*phy*", "*test*", "*qa*")


@dataclass(frozen=True)
class NotPatient:
    """Patterns with the wildcards * ? [seq] [!seq], as fnmatch has them. Upper and lower case are the same."""

    names: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()

    def matching(self, name: str | None, patient_id: str | None) -> dict[str, str]:
        """The first patterns that match a name (PN, as written) and an ID: "name", "id"; nothing of a patient."""
        found = {"name": _first(self.names, _ways(name)), "id": _first(self.ids, (patient_id or "",))}
        return {item: pattern for item, pattern in found.items() if pattern}


NO_PATTERNS = NotPatient()


def indicator(matched: dict[str, str]) -> str | None:
    """What a study says of the patterns that matched: they alone, never the name."""
    titles = {"name": "name", "id": "ID"}
    return "; ".join(f"{titles[item]}: {matched[item]}" for item in titles if item in matched) or None


def _ways(name: str | None) -> tuple[str, ...]:
    """A name as written, each of its groups, and these with spaces where "^" parts them."""
    whole = (name or "").strip()
    groups = dict.fromkeys((whole, *(group.strip(" ^") for group in whole.split("="))))
    return tuple(dict.fromkeys(way for group in groups for way in (group, " ".join(group.split("^")).strip())))


def _first(patterns: tuple[str, ...], texts: tuple[str, ...]) -> str | None:
    folded = [text.strip().casefold() for text in texts if text.strip()]
    return next((pattern for pattern in patterns if any(_compiled(pattern).match(text) for text in folded)), None)


@lru_cache(maxsize=2_000)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern.casefold()))

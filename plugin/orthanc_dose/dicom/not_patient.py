"""Patterns of names and IDs that say that an object is of no patient: of a phantom, a test, a
constancy check.
"""

from dataclasses import dataclass

from .patterns import matched


@dataclass(frozen=True)
class NotPatient:
    """Patterns, with the wildcards that patterns.py knows."""

    names: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()

    def matching(self, name: str | None, patient_id: str | None) -> dict[str, str]:
        """The first patterns that match a name (PN, as written) and an ID: "name", "id"; nothing of
        a patient.
        """
        of_name = (matched(way, self.names) for way in _ways(name))
        found = {"name": next(filter(None, of_name), None), "id": matched(patient_id, self.ids)}
        return {item: pattern for item, pattern in found.items() if pattern}


NO_PATTERNS = NotPatient()
# Those that OpenREM had built in until 0.7.4, as its page "Not-patient indicator settings" offers
# to restore them (docs.openrem.org/en/0.8.1/i_not_patient_indicator.html, "Replicating behaviour of
# release 0.7.4 and earlier").
OF_OPENREM = NotPatient(("*phys*", "*test*", "*qa*"), ("*phy*", "*test*", "*qa*"))


def indicator(matching: dict[str, str]) -> str | None:
    """What a study says of the patterns that matched: they alone, never the name."""
    titles = {"name": "name", "id": "ID"}
    return (
        "; ".join(f"{titles[item]}: {matching[item]}" for item in titles if item in matching)
        or None
    )


def _ways(name: str | None) -> list[str]:
    """A name as written, each of its groups, and these with spaces where "^" parts them."""
    whole = name or ""
    groups = (whole, *(group.strip(" ^") for group in whole.split("=")))
    return list(
        dict.fromkeys(way for group in groups for way in (group, group.replace("^", " ").strip()))
    )

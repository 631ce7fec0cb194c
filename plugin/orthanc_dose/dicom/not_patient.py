"""Patterns of names and IDs which show that an object is not of a patient but of a phantom, a test
or a constancy check.
"""

from dataclasses import dataclass

from .patterns import matched


@dataclass(frozen=True)
class NotPatient:
    """Patterns with the wildcards described in patterns.py."""

    names: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()

    def matching(self, name: str | None, patient_id: str | None) -> dict[str, str]:
        """Return the first patterns that match a name (PN, as written) and an ID, under "name" and
        "id"; an empty dict for a patient.
        """
        of_name = (matched(way, self.names) for way in _ways(name))
        found = {"name": next(filter(None, of_name), None), "id": matched(patient_id, self.ids)}
        return {item: pattern for item, pattern in found.items() if pattern}


NO_PATTERNS = NotPatient()
# The patterns built into OpenREM until 0.7.4, which its page "Not-patient indicator settings"
# offers to restore (docs.openrem.org/en/0.8.1/i_not_patient_indicator.html, "Replicating behaviour
# of release 0.7.4 and earlier").
OF_OPENREM = NotPatient(("*phys*", "*test*", "*qa*"), ("*phy*", "*test*", "*qa*"))


def indicator(matching: dict[str, str]) -> str | None:
    """Return what a study records of the matching patterns: the patterns only, never the name."""
    titles = {"name": "name", "id": "ID"}
    return (
        "; ".join(f"{titles[item]}: {matching[item]}" for item in titles if item in matching)
        or None
    )


def _ways(name: str | None) -> list[str]:
    """Return a name as written, each of its groups, and these with spaces in place of "^"."""
    whole = name or ""
    groups = (whole, *(group.strip(" ^") for group in whole.split("=")))
    return list(
        dict.fromkeys(way for group in groups for way in (group, group.replace("^", " ").strip()))
    )

"""The question to a node, and what is wanted of its answers."""

from dataclasses import dataclass
from datetime import date, datetime, time

# Kinds of studies, with the modalities (0008,0060) that define them.
GROUPS = {
    "CT": ("CT",),
    "MG": ("MG",),
    "FL": ("RF", "XA"),
    "DX": ("DX", "CR", "PX", "IO", "RG"),
    "NM": ("NM", "PT"),
}


@dataclass(frozen=True)
class Words:
    """Texts of which one must, or none may, be a part of a value; case is ignored.

    An empty or missing value passes both.
    """

    keep: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()

    def passes(self, value: str | None) -> bool:
        if not value:
            return True
        text = value.casefold()
        if any(word.casefold() in text for word in self.leave_out):
            return False
        return not self.keep or any(word.casefold() in text for word in self.keep)


@dataclass(frozen=True)
class Question:
    """A question to a node.

    since: in the node's local time; studies that were before, according to the node, are left out.
    groups: some of GROUPS; none of them with only_reports, which asks for studies that hold only
    structured reports. station_of_study: station names are those that the node gives for studies,
    not for series. unseen_reports: a series of reports whose objects the node does not list counts
    as dose reports. toshiba: CT of Toshiba and Canon without a report gives its secondary captures,
    and an image of each other series. modality_too: queries of studies also contain Modality, which
    some nodes need and others answer with nothing.
    """

    first: date
    last: date
    groups: tuple[str, ...] = ()
    only_reports: bool = False
    time_from: time | None = None
    time_to: time | None = None
    since: datetime | None = None
    descriptions: Words = Words()
    stations: Words = Words()
    station_of_study: bool = False
    leave_out_known: bool = True
    unseen_reports: bool = False
    toshiba: bool = False
    by_day: bool = False
    modality_too: bool = False

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities to query for, one after the other."""
        return (
            ("SR",)
            if self.only_reports
            else tuple(one for group in self.groups for one in GROUPS[group])
        )

    def groups_of(self, modalities: frozenset[str]) -> tuple[str, ...]:
        """Return the kinds, among those asked for, as which a study of these modalities is treated.

        They are in the order of GROUPS.
        """
        return tuple(
            group for group in GROUPS if group in self.groups and modalities & set(GROUPS[group])
        )

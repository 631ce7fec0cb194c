"""Organ doses that were estimated from the reports of a study (TID 10030), as a field of the
records of those reports.

An estimate is added to the records that hold a report or an irradiation event that it names. It
creates no record, since it is not a source of dose: as long as there is no such report, it waits,
with its content kept."""

from collections.abc import Iterable

from .parts import Outcome, Part, Record

JOINED = Outcome(
    "merged",
    "organ_dose_estimate",
    "Its organ dose estimates were added to the reports that they were calculated from.",
)
WAITING = Outcome(
    "merged",
    "waits_for_report",
    "None of the dose reports on which its organ dose estimates are based is in the store yet; "
    "it will be merged once one arrives.",
)


def put_beside(parts: Iterable[Part], records: list[Record]) -> None:
    """Add estimates to the records from which they were made."""
    for part in sorted(parts, key=lambda part: (part.extract.made_at, part.sop_instance_uid)):
        for record in records:
            if _is_of(part, record):
                study = record.study
                said = part.extract.study
                study["organ_dose_estimates"] = [
                    *(study.get("organ_dose_estimates") or ()),
                    *(said.get("organ_dose_estimates") or ()),
                ]
                study["marks"] = [*(study.get("marks") or ()), *(said.get("marks") or ())]
                record.parts = [*record.parts, part]
                record.outcomes[part.sop_instance_uid] = JOINED


def waiting(parts: Iterable[Part], records: list[Record]) -> dict[str, Outcome]:
    """Return the outcomes of the estimates that no record took."""
    told = {sop for record in records for sop in record.outcomes}
    return {
        part.sop_instance_uid: WAITING
        for part in parts
        if part.extract.modality is None and part.sop_instance_uid not in told
    }


def _is_of(part: Part, record: Record) -> bool:
    names = part.extract.refers_to
    if names is None:
        return False
    return bool(names.reports & record.outcomes.keys()) or any(
        row.get("irradiation_event_uid") in names.events
        or row.get("administration_event_uid") in names.events
        for row in record.events
    )

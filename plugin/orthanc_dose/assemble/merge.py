"""Merges what several objects say of one study.

Reports are compared by their irradiation events, per study, modality type and system, in the order
in which their content was made, so that the order of arrival does not matter (vendor habits:
resent, cumulative and continued reports):

- all its events are known: it is a duplicate, and nothing changes;
- it holds all known events and more: it is cumulative, and replaces the earlier reports;
- none of its events is known: it is continued, and its events are added;
- some are known: the union is formed, with the later values for the events of both.

A lesser source (an image header, a dose screen, CT images; in the order of SOURCES) makes a record
only if the study has no better one with its exposures, or of its modality type and system;
otherwise what only it says is kept beside the better source. Estimates of organ doses make no
record (estimates.py)."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from ..extract import modality
from ..extract.rows import mark, value_of
from ..records.common import SOURCES
from ..records.rows import EquipmentRow
from . import derived_images, doubts, estimates, image_records, patients, report_records, totals
from .parts import SYSTEM, Part, Record, unused


def put_together(
    parts: list[Part],
    user_defined: Callable[[EquipmentRow], str | None] = lambda equipment: None,
    counts_as: Callable[[EquipmentRow], EquipmentRow | None] = lambda equipment: None,
) -> list[Record]:
    """Return the records of one study from all its objects, one per modality type and system.

    user_defined: what a user set for a system (RF, DX, dual), by its row of equipment. counts_as:
    the system into which a system was merged, None if it was not."""
    parts = [_joined(part, counts_as(part.extract.equipment)) for part in parts]
    parts = [_sorted(part, user_defined(part.extract.equipment)) for part in parts]
    # An estimate names the objects that it is of, so that no patient needs to be looked for.
    estimated = [part for part in parts if part.extract.modality is None]
    found = patients.patients([part for part in parts if part.extract.modality is not None])
    by_patient = [_records(_in_order(one.parts, parts)) for one in found]
    patients.mark_records(found, by_patient)
    records = [record for of_patient in by_patient for record in of_patient]
    estimates.put_beside(estimated, records)
    for record in records:
        of_record = [part for part in parts if part.sop_instance_uid in record.outcomes]
        if any(part.named for part in of_record):
            record.named = [part.named or part.extract.equipment for part in of_record]
        _finish(record)
    return records


def _in_order(some: list[Part], parts: list[Part]) -> list[Part]:
    chosen = {part.sop_instance_uid for part in some}
    return [part for part in parts if part.sop_instance_uid in chosen]


def _records(parts: list[Part]) -> list[Record]:
    """Return the records of one patient's objects, still without totals."""
    records: list[Record] = []
    of_dose, derived = derived_images.set_apart(parts)
    for source in SOURCES:
        for group in _groups(part for part in of_dose if part.extract.source == source):
            if source == "report":
                records.append(report_records.report_record(group))
            elif not (
                image_records.put_beside(group, records)
                or image_records.put_beside_same(group, records)
            ):
                records.append(image_records.image_record(group))
    derived_images.put_beside(derived, records)
    return records


def _joined(part: Part, system: EquipmentRow | None) -> Part:
    """Return an object attributed to the system into which its own was joined."""
    if system is None:
        return part
    return replace(
        part, extract=replace(part.extract, equipment=system.copy()), named=part.extract.equipment
    )


def _sorted(part: Part, user_defined: str | None) -> Part:
    """Return a projection X-ray report under the modality type to which its system is set; for a
    dual system, the content decides.
    """
    found = part.extract
    if user_defined is None or found.source != "report" or found.modality not in ("RF", "DX"):
        return part
    chosen = user_defined
    if user_defined == "dual":
        chosen = modality.decide_modality(
            False, found.study, found.accumulated, found.events, dual=True
        )
    return (
        part if chosen == found.modality else replace(part, extract=replace(found, modality=chosen))
    )


def _groups(parts: Iterable[Part]) -> list[list[Part]]:
    """Return the parts by modality type and system, ordered by when their content was made."""
    groups: dict[tuple[object, ...], list[Part]] = {}
    for part in sorted(parts, key=_made):
        system = tuple(part.extract.equipment.get(name) for name in SYSTEM)
        groups.setdefault((part.extract.modality, *system), []).append(part)
    return _of_one_system(list(groups.values()))


def _of_one_system(groups: list[list[Part]]) -> list[list[Part]]:
    """Join groups of images whose systems differ only in what one of them does not say, so that
    the images of one exposure meet."""
    joined: list[list[Part]] = []
    # The one that says most comes first. One that fits several systems stays alone.
    for group in sorted(groups, key=lambda group: -len(_said(group))):
        fits = [one for one in joined if _says_no_other(group, one)]
        if len(fits) == 1:
            fits[0] += group
        else:
            joined.append(list(group))
    for group in joined:
        group.sort(key=_made)
    return sorted(joined, key=lambda group: _made(group[0]))


def _made(part: Part) -> tuple[datetime, str]:
    return part.extract.made_at, part.sop_instance_uid


def _said(group: list[Part]) -> dict[str, str]:
    """Return what the objects of a group say of their system."""
    return {
        name: said
        for name in SYSTEM
        if (said := value_of(group[0].extract.equipment, name)) is not None
    }


def _says_no_other(group: list[Part], other: list[Part]) -> bool:
    one, there = group[0].extract, other[0].extract
    if one.source != "image header" or one.modality == "CT" or one.modality != there.modality:
        return False
    mine, theirs = _said(group), _said(other)
    both = mine.keys() & theirs.keys()
    return bool(both) and all(mine[name] == theirs[name] for name in both)


def _accession_numbers(record: Record) -> list[str]:
    """Return all accession numbers that the objects of a record give, its own first, the others
    in their order as text, whatever the order of arrival."""
    own = record.study.get("accession_number")
    found = {
        number
        for part in record.parts
        for number in (
            part.extract.study.get("accession_number"),
            *(part.extract.study.get("accession_numbers") or ()),
        )
        if number
    }
    return [own, *sorted(found - {own})] if own else sorted(found)


def _finish(record: Record) -> None:
    """Add the totals, computed from the final content of the record."""
    study = record.study
    sums = totals.totals_of_study(
        record.modality, record.accumulated, record.events, record.overlap
    )
    doubts.mark_totals(sums, record.modality, record.accumulated, record.events)
    if record.source == "computed":
        mark(sums, "number_of_events", "derived")
    if record.source == "OCR":
        for name in ("dlp_total", "ctdivol_max"):
            if value_of(sums, name) is not None:
                mark(sums, name, "ocr")
    marks = [*(study.pop("marks", None) or ()), *(sums.pop("marks", None) or ())]
    numbers = _accession_numbers(record)
    if len(numbers) > 1:
        study["accession_number"] = study.get("accession_number") or numbers[0]
        marks.append({"field": "accession_number", "mark": "several_orders", "raw": None})
    study["accession_numbers"] = numbers if len(numbers) > 1 else None
    protocols = (row.get("acquisition_protocol") for row in record.events)
    rows = (*record.accumulated, *record.events)
    all_marks = {one["mark"] for one in marks} | {
        one["mark"] for row in rows for one in row.get("marks") or ()
    }
    study |= {
        "acquisition_protocols": list(dict.fromkeys(filter(None, protocols))),
        "all_marks": sorted(all_marks),
    }
    study |= {
        "modality": record.modality,
        "source": record.source,
        **sums,
        "marks": marks,
        "not_used": unused(record.parts),
    }

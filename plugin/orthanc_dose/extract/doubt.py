"""Checks values against the limits that their fields declare (records/limits.py), for every source
of dose in one place.

An impossible value leaves its field, and a mark keeps it. If exactly one known slip of the unit
makes it plausible, the corrected value is used, with a mark that keeps the original. An implausible
value stays, marked. 0 is never implausible: it stands for "none", and where it means "not entered",
the readers have already left it out."""

from datetime import date, datetime, time
from math import log10
from typing import Any, NamedTuple

from ..records import MODALITIES, STUDY, Field
from ..records.limits import Slip
from ..records.rows import EventRow, StudyRow
from .extract import Extract
from .rows import ByName, by_name, mark

# By how much (dB) a deviation index may differ from the one that the exposure indices give, beyond
# what their rounding explains: devices calculate it from values that they do not write.
_TOLERANCE = 0.5


class _Check(NamedTuple):
    """What values of a field are compared with: soft limits, hard limits, known slips; `parts` for
    a struct."""

    low: Any
    high: Any
    field: Field
    lowest: Any
    highest: Any
    slips: tuple[Slip, ...]
    parts: "dict[str, _Check] | None"


Checks = dict[str, _Check]


def check_extract(found: Extract) -> None:
    """Check all rows of an object, in place."""
    check_row(by_name(found.study), _STUDY[found.modality])
    _corrected_size(found.study)
    if found.modality is None:
        return
    for total in found.accumulated:
        check_row(by_name(total), _ACCUMULATED[found.modality])
    for event in found.events:
        check_event(event, found.modality)
    _refill_date(found.study, found.events)


def check_event(row: EventRow, modality: str) -> None:
    """Check one irradiation event or administration, in place."""
    check_row(by_name(row), _EVENTS[modality])
    _deviation(row)


def check_totals(row: StudyRow, modality: str) -> None:
    """Check the totals of a study, in place."""
    check_row(by_name(row), _STUDY[modality])


def checks_of(fields: tuple[Field, ...], modality: str | None) -> Checks:
    """Return the checks of a table's or a struct's fields, by name, for a modality type."""
    out: Checks = {}
    for field in fields:
        if field.type == "structs":
            if parts := checks_of(field.fields, modality):
                out[field.name] = _Check(None, None, field, None, None, (), parts)
        elif field.limits is not None:
            limits = field.limits.within(modality)
            low, high, lowest, highest = (
                _bound(bound, field.type) for bound in (*limits.soft, *limits.hard)
            )
            out[field.name] = _Check(low, high, field, lowest, highest, limits.slips, None)
    return out


def _bound(bound: float | date, of_type: str) -> object:
    """Return a limit in the type of the field's values: texts hold dates as YYYY-MM-DD."""
    if of_type == "datetime" and isinstance(bound, date):
        return datetime.combine(bound, time())
    return bound.isoformat() if of_type == "text" and isinstance(bound, date) else bound


# The checks of the tables, compiled once, by modality type.
_STUDY = {code: checks_of(STUDY.fields, code) for code in (None, *MODALITIES)}
_EVENTS = {code: checks_of(one.events.fields, code) for code, one in MODALITIES.items()}
_ACCUMULATED = {
    code: checks_of(one.accumulated.fields if one.accumulated else (), code)
    for code, one in MODALITIES.items()
}


def check_row(row: ByName, checks: Checks, prefix: str = "", marked: ByName | None = None) -> None:
    """Check the values of a row, in place. prefix: the name of a struct's field and a dot; marked:
    the row that takes the marks of a struct."""
    marked = row if marked is None else marked
    doubted: list[tuple[str, _Check]] = []
    for name, value in row.items():
        check = checks.get(name)
        if check is None or value is None:
            continue
        if check.parts is not None:
            doubted.append((name, check))
        elif value.__class__ is list:
            if any(one and not check.low <= one <= check.high for one in value):
                doubted.insert(0, (name, check))  # before the mean of the values
        elif not check.low <= value <= check.high and value:
            doubted.append((name, check))
    for name, check in doubted:
        if check.parts is not None:
            for part in row[name]:
                check_row(part, check.parts, f"{prefix}{name}.", marked)
        elif row[name] is not None:
            _doubt(row, name, check, prefix, marked)


def _doubt(row: ByName, name: str, check: _Check, prefix: str, marked: ByName) -> None:
    """Mark a value outside its soft limits, and correct or drop it if it is outside the hard ones."""
    value = row[name]
    field = prefix + name.removesuffix("_values") if isinstance(value, list) else prefix + name
    values = value if isinstance(value, list) else [value]
    if check.field.type == "text" and not _is_date(value):
        return  # a hash
    # A birth date identifies the patient, so the mark does not repeat it.
    raw = None if check.field.type == "text" else _words(values, check.field.unit)
    if all(check.lowest <= one <= check.highest or one == 0 for one in values):
        _mark_once(marked, field, "implausible", raw)
        return
    right = _without_slip(value, check) if isinstance(value, float) else None
    row[name] = right
    if right is not None:
        _mark_once(marked, field, "unit_slip", raw)
        return
    if isinstance(value, list) and name.endswith("_values"):
        row[name.removesuffix("_values")] = None  # the mean of these values
    _mark_once(marked, field, "impossible", raw)


def _without_slip(value: float, check: _Check) -> float | None:
    """Return what an impossible value becomes by the one slip that makes it plausible; None if no
    slip does, or several do."""
    right = [float(f"{value * slip.factor:.12g}") for slip in check.slips]
    plausible = [one for one in right if check.low <= one <= check.high]
    return plausible[0] if len(plausible) == 1 else None


def _words(values: list[Any], unit: str | None) -> str:
    written = [
        f"{one:.12g}" if isinstance(one, (int, float)) else one.isoformat() for one in values
    ]
    text = " | ".join(written)
    return f"{text} {unit}" if unit and unit != "1" else text


def _mark_once(row: ByName, field: str, why: str, raw: str | None) -> None:
    """Add a mark, unless the value was already checked, as that of an image of a series."""
    if {"field": field, "mark": why, "raw": raw} not in (row.get("marks") or ()):
        mark(row, field, why, raw)


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _deviation(row: EventRow) -> None:
    """Mark a deviation index that is not that of the exposure index and its target: IEC 62494-1
    defines it as 10 log10(EI/EIT)."""
    given, index, target = (
        row.get("deviation_index"),
        row.get("exposure_index"),
        row.get("target_exposure_index"),
    )
    if given is None or not index or not target or index < 0 or target < 0:
        return
    # Both are often written as whole numbers, and the deviation index with one digit.
    lowest = 10 * log10(max(index - 0.5, 0.1) / (target + 0.5)) - _TOLERANCE
    highest = 10 * log10((index + 0.5) / max(target - 0.5, 0.1)) + _TOLERANCE
    if not lowest <= given <= highest:
        raw = f"{given:g}; EI {index:g}, EIT {target:g}: {10 * log10(index / target):.1f}"
        _mark_once(by_name(row), "deviation_index", "implausible", raw)


# From the age of ten, nobody is smaller or lighter (WHO's growth reference: 3rd percentile 1.26 m and
# 23 kg), so a corrected value below is that of another slip, such as a lost decimal point.
_GROWN, _LEAST_OF_GROWN = 10.0, {"patient_size": 0.8, "patient_weight": 14.0}


def _corrected_size(study: StudyRow) -> None:
    """Drop a corrected height or weight that the age contradicts."""
    age, row = study.get("patient_age"), by_name(study)
    for one in row.get("marks") or ():
        least = _LEAST_OF_GROWN.get(one["field"])
        if (
            one["mark"] == "unit_slip"
            and least
            and age
            and age >= _GROWN
            and row[one["field"]] < least
        ):
            row[one["field"]] = None
            one["mark"] = "impossible"


def _refill_date(study: StudyRow, events: list[EventRow]) -> None:
    """Replace an impossible study date by that of the first irradiation."""
    if study.get("study_date") is not None:
        return
    first = min((start for row in events if (start := row.get("datetime_started"))), default=None)
    if first is not None:
        study["study_date"] = first.date()
        study["study_time"] = study.get("study_time") or first.time()

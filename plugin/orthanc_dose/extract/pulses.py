"""The value of an event from those of its pulses or projections, by the rule that each field
declares (PULSE_RULES of records/field.py).

TID 10003B of PS3.16 allows several values of pulse width, KVP, tube current and exposure: one
content item for each, or one item with several values. A value of zero is a pulse without X-rays,
or one that was not measured."""

from collections.abc import Iterable
from math import fsum

from ..dicom.decimals import LARGEST
from ..records import Field
from .values import ByName, mark

# Marks of values that were there and could not be used.
_REFUSED = frozenset({"empty", "no_number", "no_unit", "unit_unknown", "zero", "impossible"})
# A charge agrees with tube current times exposure time within this share.
_CLOSE = 0.05
# Rounding of a total against that of its parts, as a share of the total.
_ROUNDING = 0.002


def pulse_rules(fields: Iterable[Field]) -> dict[str, str]:
    """Return the rule of each field that may occur once per pulse, by name. Sums come last: whether
    one is the whole charge can depend on the current."""
    rules = {field.name: field.per_pulse.rule for field in fields if field.per_pulse is not None}
    return dict(sorted(rules.items(), key=lambda rule: rule[1] == "sum"))


def form_values(row: ByName, rules: dict[str, str]) -> None:
    """Set the fields of a row from the values of its pulses: a single value is the field's value;
    several stay beside it in `<name>_values`."""
    for name in rules:
        values = row.get(f"{name}_values")
        if values is None:
            continue
        if len(values) == 1:
            is_all = rules[name] != "sum" or row.get("number_of_pulses") == 1
            if not is_all and _refused(row, name):
                mark(row, name, "pulses_missing", "1 value")
            else:
                row[name] = values[0]
                del row[f"{name}_values"]
        elif rules[name] == "sum":
            _sum(row, name, values)
        else:
            _mean(row, name, values, weighted=rules[name] == "weighted_mean")


def _mean(row: ByName, name: str, values: list[float], weighted: bool) -> None:
    given = [value for value in values if value != 0]
    weights = _widths(row, values) if weighted else None
    if weights:
        row[name] = fsum(
            value * width for value, width in zip(values, weights, strict=True)
        ) / fsum(width for value, width in zip(values, weights, strict=True) if value != 0)
    else:
        row[name] = fsum(given) / len(given) if given else 0.0
    mark(row, name, "weighted_mean" if weights else "mean", f"{len(values)} values")


def _widths(row: ByName, values: list[float]) -> list[float] | None:
    """Return the width of each pulse, if there is one for each of the values, and for each pulse
    that the object counts.
    """
    widths: list[float] = row.get("pulse_width_values") or []
    pulses = row.get("number_of_pulses")
    if len(widths) != len(values) or _refused(row, "pulse_width") or min(widths) < 0:
        return None
    if pulses is not None and pulses not in (len(values), _count(values)):
        return None
    measured = any(width for value, width in zip(values, widths, strict=True) if value != 0)
    return widths if measured else None


def _sum(row: ByName, name: str, values: list[float]) -> None:
    """Set the total of the event, unless values of some pulses are missing: part of a charge is a
    wrong charge."""
    given = [value for value in values if value != 0]
    total, pulses = fsum(given), row.get("number_of_pulses")
    complete = pulses in (len(values), len(given))
    whole = _whole(row, given, None if complete else pulses)
    if abs(total) > LARGEST:
        mark(row, name, "no_number", f"{len(values)} values")
    elif whole is not None:
        row[name] = whole
        words = f"{len(values)} values, of which {whole:g} is the total"
        mark(row, name, "total_and_pulses", words)
    elif complete or (pulses is None and not _refused(row, name)):
        row[name] = total
        mark(row, name, "sum", f"{len(values)} values")
    elif pulses is None or (pulses > len(given) and not _is_charge(row, total, len(given))):
        count = "" if pulses is None else f", {pulses:g} pulses"
        mark(row, name, "pulses_missing", f"{len(values)} values, sum {total:g}{count}")
    else:
        row[name] = total
        mark(row, name, "sum", f"{len(values)} values")
        mark(row, name, "pulses_differ", f"{len(values)} values, {pulses:g} pulses")


def _whole(row: ByName, given: list[float], pulses: float | None) -> float | None:
    """Return the total if one of the values is that: it is the sum of all others, or the only one
    that the event has, repeated. pulses: how many the object counts, None if that fits the values.
    """
    if len(given) < 2:
        return None
    largest, total = max(given), fsum(given)
    repeated = min(given) == largest
    if not repeated and abs(2 * largest - total) > _ROUNDING * abs(largest):
        return None
    if pulses is not None:
        return largest if pulses == (1 if repeated else len(given) - 1) else None
    if row.get("number_of_pulses") is not None:
        return None
    if _is_charge(row, total) or _is_charge(row, largest):
        return None if _is_charge(row, total) else largest
    # Three pulses of 2, 1 and 1 are rarer than two pulses of 1 with their total.
    return None if repeated else largest


def _is_charge(row: ByName, charge: float, values: int = 1) -> bool:
    """Return whether a charge in uA.s, of so many values, is the tube current in mA times the
    exposure time in ms: within less than half of the charge of one pulse."""
    current = row.get("average_xray_tube_current") or row.get("xray_tube_current") or 0.0
    product = current * (row.get("exposure_time") or 0.0)
    allowed = min(_CLOSE, 0.5 / max(values, 1)) * abs(charge)
    return product != 0 and abs(product - charge) <= allowed


def _count(values: list[float]) -> int:
    return sum(value != 0 for value in values)


def _refused(row: ByName, name: str) -> bool:
    return any(
        entry["field"] == name and entry["mark"] in _REFUSED for entry in row.get("marks") or ()
    )

"""Values of a row: access by the names of declared fields, marks, and numbers that remember how
precisely they were written."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar, cast

from ..records.rows import Mark, Marked

R = TypeVar("R", bound=Mapping[str, Any])
# A row or struct accessed by the names of the declared fields; the declarations say which type each
# has.
ByName = dict[str, Any]

# Fields whose values are compared with sums of others, so that their digits matter
# (assemble/contradictions.py).
COMPARED = frozenset({
    "dlp", "dlp_total", "effective_dose", "effective_dose_total", "dap", "dap_total", "fluoro_dap_total",
    "acquisition_dap_total", "dose_rp", "dose_rp_total", "fluoro_dose_rp_total", "acquisition_dose_rp_total",
    "irradiation_duration", "total_fluoro_time", "total_acquisition_time", "average_glandular_dose", "agd",
    "administered_activity", "pre_administration_activity", "post_administration_activity",
})  # fmt: skip
# One unit of the last digit, by the number of decimals.
_STEPS = tuple(10.0**-decimals for decimals in range(20))


class Written(float):
    """A number as an object has it, in the field's unit. step: one unit of the last digit that is
    written, in the same unit: 70.0 and 70 are the same number, of which one is more precise."""

    __slots__ = ("step",)

    def __new__(cls, value: float, step: float) -> "Written":
        made = float.__new__(cls, value)
        made.step = step
        return made

    step: float

    def __getnewargs__(self) -> tuple[float, float]:  # type: ignore[override]
        return float(self), self.step


def step(raw: str) -> float:
    """Return one unit of the last digit of a number as it is written (DS, or with a decimal comma):
    0.01 for 12.70, 10 for 1.2E2.
    """
    mantissa, _, exponent = raw.upper().replace(",", ".").partition("E")
    mantissa = mantissa.strip()
    point = mantissa.find(".")
    decimals = len(mantissa) - point - 1 if point >= 0 else 0
    if not exponent and decimals < len(_STEPS):
        return _STEPS[decimals]
    try:
        return 10.0 ** (int(exponent or 0) - decimals)
    except (ValueError, OverflowError):
        return 0.0


def step_of(value: float) -> float:
    """Return one unit of the last digit of a number: as it was written, or else as its digits say,
    at most 1."""
    if isinstance(value, Written):
        return value.step
    exponent = Decimal(f"{value:.10g}").normalize().as_tuple().exponent
    return 10.0 ** (min(exponent, 0) if isinstance(exponent, int) else 0)


def mark(row: Marked | ByName, field: str, why: str, raw: object = None) -> None:
    """Add a mark to a field of a row. raw: the whole text as written; answers of the API shorten
    long texts and say so."""
    entry: Mark = {"field": field, "mark": why, "raw": None if raw is None else str(raw)}
    marks = row.get("marks")
    if marks is None:
        row["marks"] = [entry]
    else:
        marks.append(entry)


def mark_once(row: ByName, field: str, why: str, raw: object) -> None:
    """Add a mark that a field has at most once, however many values it has (pulse-level data)."""
    if not any(one["field"] == field and one["mark"] == why for one in row.get("marks") or ()):
        mark(row, field, why, raw)


def value_of(row: Mapping[str, Any], name: str) -> Any:
    """Return the value of a row in a field whose name is computed."""
    return row.get(name)


def by_name(row: Mapping[str, Any]) -> ByName:
    """Return the same row, typed for fields whose names are computed."""
    return cast("ByName", row)

"""Cells of a file of sizes: numbers as people write them, units, and plausibility limits."""

import re
from dataclasses import dataclass

from ..records import limits

# Heights (m) and weights (kg) outside the soft limits of their fields are not used: unlike values of
# objects, they can be corrected in the file.
PLAUSIBLE = {"height": limits.HEIGHT, "weight": limits.WEIGHT}
# Factors to m and kg. A unit that is not listed is never taken for one that is.
UNITS = {"height": {"m": 1.0, "cm": 0.01}, "weight": {"kg": 1.0}}
# Problems with a cell, for which matching.PROBLEMS has the messages.
NO_NUMBER, UNIT_UNKNOWN, UNIT_MISSING, IMPLAUSIBLE = (
    "no number",
    "unit unknown",
    "unit missing",
    "implausible",
)

CELL = re.compile(r"([-+]?[0-9]{1,12}(?:[.,][0-9]{0,12})?|[-+]?[.,][0-9]{1,12})\s*([^\W\d_]*)\.?")


@dataclass(frozen=True)
class Value:
    """The value of a cell in m or kg, or the problem with it; neither if the cell is empty."""

    value: float | None = None
    problem: str | None = None


EMPTY = Value()


def read_size(text: str, quantity: str, unit: str | None) -> Value:
    """Read a cell of a column of heights or weights (`quantity`: a key of UNITS) in this unit; a
    unit in the cell takes precedence. One point or comma is the decimal sign; text with both, or
    with several, is not a number."""
    text = text.strip()
    if not text:
        return EMPTY
    found = CELL.fullmatch(text)
    if found is None:
        return Value(problem=NO_NUMBER)
    if not (found[2] or unit):
        return Value(problem=UNIT_MISSING)
    factor = UNITS[quantity].get(found[2].lower() or unit or "")
    if factor is None:
        return Value(problem=UNIT_UNKNOWN)
    # Rounded, since a number times 0.01 is not always the number as written: 1.703 m is 170.3 cm.
    value = round(float(found[1].replace(",", ".")) * factor, 9)
    return Value(value) if PLAUSIBLE[quantity].is_plausible(value) else Value(problem=IMPLAUSIBLE)

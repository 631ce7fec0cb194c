"""Cells of a file of sizes: numbers as people write them, units, what is plausible."""

import re
from dataclasses import dataclass

# Height in m and weight in kg outside of these is nobody's: the value is not used.
PLAUSIBLE = {"height": (0.2, 2.6), "weight": (0.2, 450.0)}
# Factors to m and kg. A unit that is not here is not guessed to be one that is.
UNITS = {"height": {"m": 1.0, "cm": 0.01}, "weight": {"kg": 1.0}}
# What is wrong with a cell, by what it is called in SAID.
NO_NUMBER, UNIT_UNKNOWN, UNIT_MISSING, IMPLAUSIBLE = (
    "no number",
    "unit unknown",
    "unit missing",
    "implausible",
)

CELL = re.compile(r"([-+]?[0-9]{1,12}(?:[.,][0-9]{0,12})?|[-+]?[.,][0-9]{1,12})\s*([^\W\d_]*)\.?")


@dataclass(frozen=True)
class Value:
    """What a cell says: a value in m or kg, or what is wrong with it; neither where the cell is
    empty.
    """

    value: float | None = None
    problem: str | None = None


EMPTY = Value()


def read(text: str, quantity: str, unit: str | None) -> Value:
    """A cell of a column of heights or weights (`quantity`: a key of UNITS) in this unit; one that
    stands in the cell counts before it. One point or comma is taken as the decimal sign; a number
    with both, or with several, is none."""
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
    # Rounded, since a number times 0.01 is not always the one that people write: 1.703 m is 170.3
    # cm.
    value = round(float(found[1].replace(",", ".")) * factor, 9)
    low, high = PLAUSIBLE[quantity]
    return Value(value) if low <= value <= high else Value(problem=IMPLAUSIBLE)

"""Numbers as objects write them (PS3.5 table 6.2-1: DS, IS): with a decimal point, or against the
standard with a decimal comma.

A comma is never read as a separator of thousands. Text in which it could be one, such as "1,234",
is a number only if the other numbers of the same report show that its decimal sign is the comma.

Sums and means are formed without the noise of binary fractions."""

import re
from collections.abc import Collection, Iterable
from math import fsum

# No measurement exceeds this limit; sums and means of values below it, in any unit, stay finite.
LARGEST = 1e100

_WITH_COMMA = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")
_WITH_POINT = re.compile(r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?")
# One to three digits, then exactly three after the sign: thousands to some writers.
_PERHAPS_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:[.,]\d{3})+")


def parse_number(raw: str | None, sign: str = ".") -> tuple[float | None, bool]:
    """Return (number, whether it has a decimal comma). The number is None if the text is not one,
    or exceeds any measurement.

    sign: the decimal sign of the report, as `decimal_sign` gives it."""
    if raw is None or "_" in raw:
        return None, False
    text, comma = raw.strip(), False
    if "," not in text and sign == ".":  # nearly every number
        pass
    elif _PERHAPS_THOUSANDS.fullmatch(text) and ("." if sign == "," else ",") in text:
        return None, False
    elif _WITH_COMMA.fullmatch(text):
        text, comma = text.replace(",", "."), True
    try:
        found = float(text)
    except ValueError:
        return None, False
    return (found, comma) if abs(found) <= LARGEST else (None, False)


def decimal_sign(numbers: Iterable[str]) -> str:
    """Return the decimal sign of a report from all its numbers as written: "," if some of them can
    only be read with a comma, and none with a point; otherwise "."."""
    found_comma = False
    for text in numbers:
        if not _PERHAPS_THOUSANDS.fullmatch(text):
            if _WITH_POINT.fullmatch(text):
                return "."
            found_comma = found_comma or _WITH_COMMA.fullmatch(text) is not None
    return "," if found_comma else "."


def without_noise(value: float) -> float:
    """Return a number without the noise of binary fractions, which shows from the 13th digit on."""
    return float(f"{value:.12g}")


def exact_sum(values: Iterable[float]) -> float:
    """Return the sum as the decimals give it: 0.1 + 0.2 is 0.3."""
    return without_noise(fsum(values))


def exact_mean(values: Collection[float]) -> float:
    """Return the mean as the decimals give it. values: at least one."""
    return without_noise(fsum(values) / len(values))

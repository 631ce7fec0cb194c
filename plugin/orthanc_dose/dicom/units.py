"""Units of measurement: conversion from what the object says to the one canonical unit of a field.

Units are codes of UCUM (PS3.16 CID 82 and the templates' rows). Equipment spells them in many ways
("Gym2", "dGy.cm2", "mGycm", "uAs"); the table below lists each spelling that is understood with its
dimension and its size. A unit that is not in the table is not guessed."""

import re
from functools import lru_cache
from typing import NamedTuple


class Unit(NamedTuple):
    """A unit as a multiple of its dimension's base unit: value_in_base = value * times / over."""

    dimension: str
    times: float
    over: float


class UnknownUnit(ValueError):
    """The unit is not known, or does not measure what the field holds."""


_PREFIXES = {"": 0, "u": -6, "m": -3, "c": -2, "d": -1, "k": 3, "M": 6, "G": 9}
# dimension: (base unit, spellings of the base unit, prefixes that occur with it)
_SIMPLE = {
    "dose": ("Gy", ("Gy",), ("", "u", "m", "c", "d")),
    "effective dose": ("Sv", ("Sv",), ("", "u", "m")),
    "length": ("m", ("m",), ("", "u", "m", "c", "d", "k")),
    "area": ("m2", ("m2",), ("",)),
    "voltage": ("V", ("V",), ("", "k")),
    "current": ("A", ("A",), ("", "u", "m")),
    "charge": ("A.s", ("A.s", "As"), ("", "u", "m")),
    "time": ("s", ("s",), ("", "u", "m")),
    "mass": ("g", ("g",), ("", "k")),
    "force": ("N", ("N",), ("",)),
    # PS3.3 C.8.4.10.1.7 itself writes "Mbq".
    "activity": ("Bq", ("Bq", "bq"), ("", "k", "M", "G")),
    "amount": ("mol", ("mol",), ("", "u", "m")),
    "volume": ("l", ("l", "L"), ("", "u", "m", "d")),
}


def _size(power: int) -> tuple[float, float]:
    # A power of ten as a multiplier or divisor, so that the result is rounded only once: 239 / 1e8
    # is 2.39e-06 to the last bit.
    return (10.0**power, 1.0) if power >= 0 else (1.0, 10.0**-power)


def _table() -> dict[str, Unit]:
    table: dict[str, Unit] = {}
    for dimension, (_, spellings, prefixes) in _SIMPLE.items():
        for prefix in prefixes:
            for spelling in spellings:
                table[prefix + spelling] = Unit(dimension, *_size(_PREFIXES[prefix]))
    for dose_prefix in ("", "u", "m", "c", "d"):
        for length_prefix in ("", "c", "m", "d"):
            dose, length = _PREFIXES[dose_prefix], _PREFIXES[length_prefix]
            for dot in (".", ""):
                table[f"{dose_prefix}Gy{dot}{length_prefix}m2"] = Unit(
                    "dose area", *_size(dose + 2 * length)
                )
                table[f"{dose_prefix}Gy{dot}{length_prefix}m"] = Unit(
                    "dose length", *_size(dose + length)
                )
    table |= {
        f"{prefix}m2": Unit("area", *_size(2 * _PREFIXES[prefix])) for prefix in ("m", "c", "d")
    }
    table |= {
        "min": Unit("time", 60.0, 1.0),
        "h": Unit("time", 3600.0, 1.0),
        "d": Unit("time", 86400.0, 1.0),
        "wk": Unit("time", 7 * 86400.0, 1.0),
        "mo": Unit("time", 365.25 * 86400.0 / 12, 1.0),
        "a": Unit("time", 365.25 * 86400.0, 1.0),
        "kV": Unit("voltage", 1e3, 1.0),
        "kVp": Unit("voltage", 1e3, 1.0),
        "keV": Unit("energy", 1e3, 1.0),
        "deg": Unit("angle", 1.0, 1.0),
        "degrees": Unit("angle", 1.0, 1.0),
        "%": Unit("percent", 1.0, 1.0),
        "{pulse}/s": Unit("rate", 1.0, 1.0),
        "pulse/s": Unit("rate", 1.0, 1.0),
        "pulses/s": Unit("rate", 1.0, 1.0),
        "/s": Unit("rate", 1.0, 1.0),
        "1/s": Unit("rate", 1.0, 1.0),
        "{frame}/s": Unit("rate", 1.0, 1.0),
        "mGy/mA.s": Unit("dose per charge", 1.0, 1.0),
        "mGy/(mA.s)": Unit("dose per charge", 1.0, 1.0),
        "mGy/mAs": Unit("dose per charge", 1.0, 1.0),
        "mSv/mGy.cm": Unit("effective dose per dose length", 1.0, 1.0),
        "mSv/(mGy.cm)": Unit("effective dose per dose length", 1.0, 1.0),
        "kg/m2": Unit("mass per area", 1.0, 1.0),
        "cm3": Unit("volume", 1.0, 1e3),
        "cc": Unit("volume", 1.0, 1e3),
        "Ci": Unit("activity", 3.7e10, 1.0),
        "mCi": Unit("activity", 3.7e7, 1.0),
        "uCi": Unit("activity", 3.7e4, 1.0),
        "ml/min": Unit("clearance", 1.0, 1.0),
        "mL/min": Unit("clearance", 1.0, 1.0),
        "g/cm3": Unit("density", 1.0, 1.0),
        "1": Unit("number", 1.0, 1.0),
        "events": Unit("number", 1.0, 1.0),
        "ratio": Unit("number", 1.0, 1.0),
        "no units": Unit("number", 1.0, 1.0),
        "X-ray sources": Unit("number", 1.0, 1.0),
        "X-Ray sources": Unit("number", 1.0, 1.0),
        "pulses": Unit("number", 1.0, 1.0),
        "frames": Unit("number", 1.0, 1.0),
    }
    for activity, power in (("Bq", 0), ("kBq", 3), ("MBq", 6), ("GBq", 9)):
        for amount, divisor in (("mol", 0), ("mmol", -3), ("umol", -6), ("nmol", -9)):
            table[f"{activity}/{amount}"] = Unit("activity per amount", *_size(power - divisor))
    for litre in "lL":
        table |= {
            f"{amount}mol/{litre}": Unit("amount per volume", *_size(_PREFIXES[amount]))
            for amount in ("m", "u")
        }
        table |= {
            f"{mass}/d{litre}": Unit("mass per volume", *_size(power))
            for mass, power in (("mg", -2), ("g", 1))
        }
        for body in ("/{1.73_m2}", "{1.73_m2}", "/(1.73.m2)", "/1.73m2"):
            table[f"m{litre}/min{body}"] = Unit("clearance per body surface", 1.0, 1.0)
    return table


_UNITS = _table()


def _regardless_of_case() -> dict[str, str]:
    """Return the spellings by their folded forms, without those that mean two units: "A" is the
    ampere, "a" the year."""
    found: dict[str, list[str]] = {}
    for spelling in _UNITS:
        found.setdefault(spelling.casefold(), []).append(spelling)
    return {
        folded: spellings[0]
        for folded, spellings in found.items()
        if len({_UNITS[spelling] for spelling in spellings}) == 1
    }


_FOLDED = _regardless_of_case()
# Signs that stand for the point between two factors: "mGy-cm", "Gy cm2", "mGy x cm".
_PRODUCT = re.compile(r"\s*[.×-]\s*|\s+x\s+|\s+")


@lru_cache(maxsize=2_000)
def unit(spelling: str) -> Unit:
    """Return the unit that a code value names. Raises UnknownUnit if it is not understood."""
    found = _as_written(spelling) or _otherwise_spelled(_plain(spelling))
    if found is None:
        raise UnknownUnit(f"unit “{spelling[:40]}” is unknown")
    return found


def _otherwise_spelled(text: str) -> Unit | None:
    """Return the unit of a spelling with other signs and capitals than UCUM has, or None. M and m
    as a prefix are mega and milli, so that MGY is no unit for certain; nor is a single letter."""
    folded = text.casefold()
    if len(text) < 2:
        return None
    meant = _FOLDED.get(folded) or _FOLDED.get(_PRODUCT.sub(".", folded).replace("./.", "/"))
    if meant is None or (meant[0] in "mM" and meant[0] != text[0] and meant[1:] in _UNITS):
        return None
    return _UNITS[meant]


def _plain(spelling: str) -> str:
    text = spelling.strip()
    for sign, plain in (("·", "."), ("*", "."), ("^", ""), ("²", "2"), ("µ", "u"), ("μ", "u")):
        text = text.replace(sign, plain)
    return text


def _as_written(spelling: str) -> Unit | None:
    text = _plain(spelling)
    found = _UNITS.get(text)
    if found is None and text.startswith("{") and text.endswith("}"):
        # An annotation alone has no dimension (UCUM §6): {events}, {ratio}, {X-Ray sources}.
        found = _UNITS["1"]
    return found


@lru_cache(maxsize=4_000)
def doubt(spelling: str, scheme: str | None) -> str | None:
    """Return the mark for a unit whose code is understood although the standard does not allow it:
    "unit_scheme" if its coding scheme is not UCUM, "unit_spelling" if it is spelled otherwise."""
    if scheme is not None and not scheme.upper().startswith("UC"):
        return "unit_scheme"
    return None if _as_written(spelling) else "unit_spelling"


@lru_cache(maxsize=4_000)
def conversion(spelling: str, target: str) -> tuple[float, float]:
    """Return (times, over) to convert a value from the unit `spelling` to the unit `target`: value
    * times / over.

    Raises UnknownUnit if the spelling is not understood or measures something else.
    """
    have, want = unit(spelling), unit(target)
    if have.dimension != want.dimension:
        raise UnknownUnit(f"unit “{spelling[:40]}” measures {have.dimension}, not {want.dimension}")
    times, over = have.times * want.over, have.over * want.times
    if times >= over and times % over == 0:
        return times / over, 1.0
    if over % times == 0:
        return 1.0, over / times
    return times, over


def scaled(value: float, times: float, over: float) -> float:
    """Return a number times a conversion, without the noise of binary fractions: 1.23 dGy.cm2 is
    1.23e-05 Gy.m2."""
    return value if times == over else float(f"{value * times / over:.15g}")

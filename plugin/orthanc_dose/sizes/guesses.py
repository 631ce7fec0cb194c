"""Guesses of what the columns of a file of sizes mean, for a person to confirm."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .values import CELL, UNITS

_WORDS = {
    "height": (
        r"height|size|stature|gr(ö|oe)(ß|ss)e|länge|laenge|taille|altezza|talla|estatura|lengte|längd",
    ),
    "weight": (r"weight|gewicht|poids|peso|vikt|masse|\bmass\b",),
    # The more reliable pattern first: there may also be a description of the study.
    "identifier": (
        r"accession|akzession|auftragsnummer|study ?instance|\b(acc|uid)\b",
        r"\b(study|studien?|order|exam\w*) ?id\b",
    ),
}
_LENGTHS = {"m", "meter", "metre", "meters", "metres", "cm", "centimeter", "centimetre", "zentimeter", "mm", "in", "inch",
            "inches", "ft", "feet", "foot", "zoll"}  # fmt: skip
_WEIGHTS = {"kg", "kilogram", "kilograms", "kilogramm", "kilo", "g", "gram", "grams", "gramm", "lb", "lbs", "pound", "pounds",
            "st", "stone"}  # fmt: skip
_SAME = {"meter": "m", "metre": "m", "meters": "m", "metres": "m", "centimeter": "cm", "centimetre": "cm", "zentimeter": "cm",
         "kilogram": "kg", "kilograms": "kg", "kilogramm": "kg", "kilo": "kg"}  # fmt: skip
_UID = re.compile(r"[0-2](\.(0|[1-9]\d*)){3,}", re.ASCII)


@dataclass(frozen=True)
class Guess:
    """Columns by number from 0, None if not recognised; units, with what they were recognised by:
    "header" or "values", None if uncertain. kind: of the identifier."""

    height: int | None
    weight: int | None
    identifier: int | None
    kind: str
    height_unit: str | None
    height_unit_by: str | None
    weight_unit: str | None


def guess(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Guess:
    """Guess a file's columns from their names and some rows."""
    found: dict[str, int | None] = {}
    for what, patterns in _WORDS.items():
        free = [(at, _spaced(name)) for at, name in enumerate(header) if at not in found.values()]
        hits = (
            at
            for pattern in patterns
            for at, name in free
            if re.search(pattern, name, re.IGNORECASE)
        )
        found[what] = next(hits, None)
    identifier = found["identifier"]
    if identifier is None:
        free_columns = (at for at in range(len(header)) if at not in found.values())
        identifier = next((at for at in free_columns if _are_uids(_column(rows, at))), None)
    kind = (
        "study-uid"
        if identifier is not None and _are_uids(_column(rows, identifier))
        else "accession-number"
    )
    height, weight = found["height"], found["weight"]
    unit, by = (
        (None, None) if height is None else _height_unit(header[height], _column(rows, height))
    )
    weight_unit = None if weight is None or _unit_words(header[weight], _WEIGHTS) - {"kg"} else "kg"
    return Guess(height, weight, identifier, kind, unit, by, weight_unit)


def _column(rows: Sequence[Sequence[str]], at: int) -> list[str]:
    return [row[at].strip() for row in rows if at < len(row) and row[at].strip()]


def _are_uids(cells: list[str]) -> bool:
    return bool(cells) and all(_UID.fullmatch(cell) for cell in cells)


def _spaced(name: str) -> str:
    """Split a column's name into words: "PatientHeight_cm" becomes "Patient Height cm"."""
    return " ".join(re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-zß])(?=[A-Z])", " ", name)))


def _unit_words(name: str, known: set[str]) -> set[str]:
    """Return the units in the name of a column, such as "(cm)" or "height_cm"."""
    words = {_SAME.get(word, word) for word in _spaced(name).lower().split() if word in known}
    return words - {"in"} or words  # "height in cm" is not in inches


def _height_unit(name: str, cells: list[str]) -> tuple[str | None, str | None]:
    named = _unit_words(name, _LENGTHS)
    by_values = height_unit_of(cells)
    if named:
        unit = next(iter(named)) if len(named) == 1 else None
        # A header that the values contradict is not trusted.
        return (
            (unit, "header")
            if unit in UNITS["height"] and by_values in (unit, None)
            else (None, None)
        )
    return (by_values, "values") if by_values else (None, None)


def height_unit_of(cells: list[str]) -> str | None:
    """Return m or cm if nearly all of these cells can be heights in that unit; None for inches, or
    if all are children's heights.
    """
    numbers = [
        abs(float(found[1].replace(",", ".")))
        for found in map(CELL.fullmatch, cells)
        if found and not found[2]
    ]
    numbers = [number for number in numbers if number]
    for unit, low, high, tall in (("m", 0.2, 2.6, 1.2), ("cm", 30, 260, 120)):
        fitting = [number for number in numbers if low <= number <= high]
        if numbers and len(fitting) >= 0.9 * len(numbers) and max(fitting) >= tall:
            return unit
    return None

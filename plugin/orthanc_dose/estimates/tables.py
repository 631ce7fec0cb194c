"""Tables of coefficients: those that are shipped, and those that a user adds.

A table is valid for one kind of estimate and one set of tissue weighting factors. Ages are in years;
`age_from` is inclusive and `age_to` exclusive.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from ..dicom.codes import canonical

WEIGHTS = ("ICRP 60", "ICRP 103")
PHANTOMS = ("head", "body")  # of 16 cm and of 32 cm
# The unit of the coefficients of a kind, and what its rows are about.
KINDS = {
    "ct": ("mSv/(mGy.cm)", "region"),
    "nm": ("mSv/MBq", "agent"),
    "dap": ("mSv/(Gy.cm2)", "pattern"),
}
MOST_ROWS = 5000
_LARGEST = {"ct": 1.0, "nm": 1000.0, "dap": 100.0}


class BadTable(ValueError):
    """Raised for a table of coefficients that cannot be used; the message tells a user why."""


@dataclass(frozen=True)
class Coefficient:
    """A coefficient in the unit of its table, and what it is valid for; None: for all."""

    value: float
    age_from: float
    age_to: float | None
    phantom: str | None = None
    kv: float | None = None

    def is_for_age(self, age: float) -> bool:
        """Return whether an age in years is within the bounds."""
        return self.age_from <= age and (self.age_to is None or age < self.age_to)


@dataclass(frozen=True)
class CoefficientTable:
    """A table of coefficients. rows: by region, code of the agent, or pattern of the protocol."""

    key: str
    version: str
    kind: str
    title: str
    weights: str
    unit: str
    source: str
    note: str
    rows: Mapping[str, tuple[Coefficient, ...]]


@dataclass(frozen=True)
class Fit:
    """A fit of conversion factors: a * exp(-b * diameter) for diameters in cm within the bounds."""

    a: float
    b: float
    low: float
    high: float


@dataclass(frozen=True)
class SizeTable:
    """The conversion factors from CTDIvol to SSDE, by phantom."""

    key: str
    version: str
    title: str
    source: str
    fits: Mapping[str, Fit]


def read_table(data: Any) -> CoefficientTable:
    """Return the table that a JSON object holds. Raises BadTable."""
    if not isinstance(data, dict):
        raise BadTable("A table must be a JSON object.")
    texts = {}
    for name in ("key", "version", "kind", "title", "weights", "unit", "source"):
        value = data.get(name)
        if not isinstance(value, str) or not value.strip() or len(value) > 1000:
            raise BadTable(f"{name} must be a text of 1 to 1000 characters.")
        texts[name] = value.strip()
    note = data.get("note", "")
    if not isinstance(note, str) or len(note) > 4000:
        raise BadTable("note must be a text of at most 4000 characters.")
    if texts["kind"] not in KINDS:
        raise BadTable(f"kind must be one of {', '.join(KINDS)}.")
    if texts["weights"] not in WEIGHTS:
        raise BadTable(f"weights must be one of {', '.join(WEIGHTS)}.")
    unit, _ = KINDS[texts["kind"]]
    if texts["unit"] != unit:
        raise BadTable(f"unit must be {unit} for this kind of table.")
    return CoefficientTable(**texts, note=note, rows=_rows(data.get("rows"), texts["kind"]))


def _rows(found: Any, kind: str) -> dict[str, tuple[Coefficient, ...]]:
    if not isinstance(found, list) or not 1 <= len(found) <= MOST_ROWS:
        raise BadTable(f"rows must be a list of 1 to {MOST_ROWS} rows.")
    out: dict[str, tuple[Coefficient, ...]] = {}
    for number, row in enumerate(found, 1):
        try:
            name, one = _row(row, kind)
        except ValueError as error:
            raise BadTable(f"Row {number}: {error}") from None
        if any(_overlap(one, other) for other in out.get(name, ())):
            raise BadTable(f"Row {number}: another row is for the same age, phantom and voltage.")
        out[name] = (*out.get(name, ()), one)
    return out


def _row(row: Any, kind: str) -> tuple[str, Coefficient]:
    if not isinstance(row, dict):
        raise ValueError("it must be an object.")
    about = KINDS[kind][1]
    name = row.get(about)
    if not isinstance(name, str) or not name.strip() or len(name) > 200:
        raise ValueError(f"{about} must be a text of 1 to 200 characters.")
    value = _number(row, "coefficient")
    if value is None or not 0 < value <= _LARGEST[kind]:
        raise ValueError(f"coefficient must be more than 0 and at most {_LARGEST[kind]:g}.")
    age_from, age_to = _number(row, "age_from") or 0.0, _number(row, "age_to")
    if age_from < 0 or (age_to is not None and age_to <= age_from):
        raise ValueError("age_from must not be negative, and age_to must be above it.")
    phantom = row.get("phantom")
    kv = _number(row, "kv") if kind == "ct" else None
    if kind == "ct" and phantom not in PHANTOMS:
        raise ValueError("phantom must be head (16 cm) or body (32 cm).")
    if kv is not None and not 20 <= kv <= 200:
        raise ValueError("kv must be between 20 and 200.")
    one = Coefficient(value, age_from, age_to, phantom if kind == "ct" else None, kv)
    return _key(name.strip(), kind), one


def _key(name: str, kind: str) -> str:
    if kind != "nm":
        return name.casefold()
    scheme, mark, value = name.partition(":")
    if not mark or not value.strip():
        raise ValueError('agent must be a code such as "SCT:35321007".')
    return canonical(value, scheme)


def _number(row: dict[str, Any], name: str) -> float | None:
    value = row.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9:
        raise ValueError(f"{name} must be a number.")
    return float(value)


def _overlap(one: Coefficient, other: Coefficient) -> bool:
    if one.phantom != other.phantom or (
        one.kv is not None and other.kv is not None and one.kv != other.kv
    ):
        return False
    return (other.age_to is None or one.age_from < other.age_to) and (
        one.age_to is None or other.age_from < one.age_to
    )


def _data(name: str) -> Any:
    return json.loads(files(__package__).joinpath("tables", f"{name}.json").read_text("utf-8"))


@lru_cache(maxsize=1)
def shipped() -> dict[str, CoefficientTable]:
    """Return the tables that are part of the program, by key.

    Each was held against its source; what was not is not shipped (docs/estimates.md).
    """
    names = ("aapm96", "nci2012_icrp60", "nci2012_icrp103", "andersson2015")
    return {table.key: table for table in map(read_table, map(_data, names))}


@lru_cache(maxsize=1)
def size_table() -> SizeTable:
    """Return the conversion factors of AAPM report 204."""
    data = _data("aapm204")
    fits = {
        name: Fit(fit["a"], fit["b"], fit["from"], fit["to"]) for name, fit in data["fits"].items()
    }
    return SizeTable(data["key"], data["version"], data["title"], data["source"], fits)

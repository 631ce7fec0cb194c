"""An estimate: a value with how it was made, or the reason why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..dicom.codes import code
from ..records.estimate import REASONS, UNITS
from ..records.rows import CodeValue


@dataclass(frozen=True)
class Input:
    """A value from which an estimate was made. origin: the field of the record that it is from, or
    the key of a table."""

    name: str
    value: float | None
    text: str | None
    unit: str | None
    origin: str

    def as_dict(self) -> dict[str, Any]:
        """Return the input as an entry of the table's list."""
        return {
            "name": self.name,
            "value": self.value,
            "text": self.text,
            "unit": self.unit,
            "origin": self.origin,
        }


def number(name: str, value: float, unit: str | None, origin: str) -> Input:
    """Return an input that is a number."""
    return Input(name, value, None, unit, origin)


def text(name: str, value: str, origin: str) -> Input:
    """Return an input that is a text."""
    return Input(name, None, value, None, origin)


@dataclass(frozen=True)
class Estimate:
    """An estimate of a quantity (records/estimate.py). Either value or reason is None."""

    quantity: str
    value: float | None = None
    reason: str | None = None
    method: str | None = None  # key of a code of CID 10023, such as "DCM:113988"
    table_key: str | None = None
    table_version: str | None = None
    weights: str | None = None
    inputs: tuple[Input, ...] = ()

    def __post_init__(self) -> None:
        assert (self.value is None) != (self.reason is None)
        assert self.reason is None or self.reason in REASONS

    def as_row(
        self, study_id: int, event_number: int | None, counted_in: int | None
    ) -> dict[str, Any]:
        """Return the row of the table `estimate`."""
        return {
            "study_id": study_id,
            "event_number": event_number,
            "quantity": self.quantity,
            "value": self.value,
            "unit": UNITS[self.quantity],
            "method": coded(self.method),
            "table_key": self.table_key,
            "table_version": self.table_version,
            "weights": self.weights,
            "inputs": [one.as_dict() for one in self.inputs],
            "reason": self.reason,
            "counted_in": counted_in,
        }


def coded(key: str | None) -> CodeValue | None:
    """Return a code as fields hold it."""
    if key is None:
        return None
    scheme, _, value = key.partition(":")
    found = code(value, scheme)
    return {"value": found.value, "scheme": found.scheme, "meaning": found.meaning}


def key_of(value: Mapping[str, Any] | None) -> str | None:
    """Return the key of a code as a field holds it, or None if it has no value."""
    if not value or not value.get("value"):
        return None
    return code(value["value"], value.get("scheme") or "").key


def rounded(value: float) -> float:
    """Return a product without the noise of its last digits."""
    return float(f"{value:.12g}")


def is_doubted(row: Mapping[str, Any], field: str) -> bool:
    """Return whether a value is marked as implausible: nothing is estimated from it."""
    return any(
        mark["field"] == field and mark["mark"] == "implausible" for mark in row.get("marks") or ()
    )

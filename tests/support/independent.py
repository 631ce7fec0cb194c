"""Reads the numbers of a dose report without any code of the product: with DCMTK's dcm2json, and
units calculated by hand.
"""

import json
import shutil
import subprocess
import tempfile
from collections import defaultdict
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

# Unit as written: (quantity, size in base units). From UCUM and the vendors' spellings of it.
UNITS = {
    "Gy.m2": ("dose area", "1"), "Gym2": ("dose area", "1"), "dGy.cm2": ("dose area", "1e-5"), "Gy.cm2": ("dose area", "1e-4"),
    "cGy.cm2": ("dose area", "1e-6"), "mGy.cm2": ("dose area", "1e-7"), "uGy.m2": ("dose area", "1e-6"),
    "Gy": ("dose", "1"), "mGy": ("dose", "1e-3"), "cGy": ("dose", "1e-2"), "uGy": ("dose", "1e-6"), "dGy": ("dose", "1e-1"),
    "mGy.cm": ("dose length", "1"), "mGycm": ("dose length", "1"),
    "mSv": ("effective dose", "1"), "mm": ("length", "1e-3"), "cm": ("length", "1e-2"), "m": ("length", "1"),
    "m2": ("area", "1"), "cm2": ("area", "1e-4"), "s": ("time", "1"), "ms": ("time", "1e-3"), "kV": ("voltage", "1"),
    "mA": ("current", "1e-3"), "uA": ("current", "1e-6"), "uA.s": ("charge", "1e-6"), "uAs": ("charge", "1e-6"),
    "mA.s": ("charge", "1e-3"), "mAs": ("charge", "1e-3"), "deg": ("angle", "1"), "%": ("percent", "1"), "N": ("force", "1"),
    "{pulse}/s": ("rate", "1"), "pulse/s": ("rate", "1"), "mGy/mA.s": ("dose per charge", "1"),
    "mSv/mGy.cm": ("dose factor", "1"), "1": ("number", "1"), "{ratio}": ("number", "1"), "{events}": ("number", "1"),
    "{X-Ray sources}": ("number", "1"), "X-ray sources": ("number", "1"), "ratio": ("number", "1"), "events": ("number", "1"),
    "no units": ("number", "1"), "g/cm3": ("density", "1"),
    "Bq": ("activity", "1"), "MBq": ("activity", "1e6"), "Mbq": ("activity", "1e6"), "mCi": ("activity", "3.7e7"),
    "g": ("mass", "1"), "kg": ("mass", "1e3"), "kg/m2": ("body mass", "1"), "cm3": ("volume", "1e-6"), "ml": ("volume", "1e-6"),
    "h": ("time", "3600"), "a": ("time", "31557600"), "mmol/l": ("molarity", "1"), "mg/dl": ("concentration", "1"),
    "ml/min/{1.73_m2}": ("clearance", "1"), "Bq/mmol": ("specific activity", "1"), "MBq/mmol": ("specific activity", "1e6"),
}  # fmt: skip

Numbers = dict[str, list[Decimal]]


def in_base(value: str, unit: str) -> Decimal:
    """Return a number as written in the base unit of its quantity."""
    return Decimal(value) * Decimal(UNITS[unit][1])


def dicom_json(path: Path) -> dict[str, Any]:
    """Return the object by dcm2json (DICOM JSON model)."""
    with tempfile.TemporaryDirectory() as folder:
        # dcm2json rejects some character sets; numbers do not depend on them.
        copy = Path(folder) / "object.dcm"
        shutil.copy(path, copy)
        subprocess.run(
            ["/usr/bin/dcmodify", "-nb", "-i", "(0008,0005)=ISO_IR 100", str(copy)],
            capture_output=True,
            check=True,
        )
        ran = subprocess.run(["/usr/bin/dcm2json", str(copy)], capture_output=True, check=True)
    return json.loads(ran.stdout.decode("utf-8", "replace"), strict=False)


def _first(dataset: dict[str, Any], tag: str) -> Any:
    values = dataset.get(tag, {}).get("Value") or [None]
    return values[0]


def content_items(dataset: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all content items below the root, in order."""
    found = []
    for item in dataset.get("0040A730", {}).get("Value", []):
        found += [item, *content_items(item)]
    return found


def concept(item: dict[str, Any]) -> str | None:
    """Return the code value of an item's concept name."""
    name = _first(item, "0040A043")
    return None if name is None else _first(name, "00080100")


def numbers(path: Path) -> dict[str, list[tuple[str, str]]]:
    """Return every number of the report that has a value, by code value of its concept.

    Each is (number, unit) as written; they are sorted.
    """
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for item in content_items(dicom_json(path)):
        if _first(item, "0040A040") != "NUM":
            continue
        measured = _first(item, "0040A300")
        value = None if measured is None else _first(measured, "0040A30A")
        unit = None if measured is None else _first(measured, "004008EA")
        if value is None or unit is None:
            continue
        try:
            Decimal(str(value))
        except InvalidOperation:
            continue
        found[concept(item) or ""].append((str(value), _first(unit, "00080100")))
    return {code: sorted(values) for code, values in found.items()}

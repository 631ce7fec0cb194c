"""The expected contents of the store: from the makers, and from readers that share no code with the
plugin.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from orthanc_dose.samples import SampleStudy

DSRDUMP = "/usr/bin/dsrdump"
# Factors to the units of the store by quantity, for the spellings used by the makers and the
# corpus.
UNITS = {
    "dlp": {"mGy.cm": 1, "mGycm": 1},
    "dap": {"Gy.m2": 1, "Gym2": 1, "dGy.cm2": 1e-5},
    "dose_rp": {"Gy": 1, "mGy": 1e-3},
    "agd": {"mGy": 1},
    "time": {"s": 1},
}
CT_EVENT, PROJECTION_EVENT = "113819", "113706"


def number(value: float | None) -> Any:
    """Return a value equal to numbers that differ only by rounding of binary fractions."""
    return None if value is None else pytest.approx(value, rel=1e-9, abs=1e-15)


def totals_of(sample: SampleStudy) -> dict[str, float | None]:
    """Return the totals that a study of the store must have, by the store's names.

    They are from what the maker wrote: the report's, else (or if it says 0 and the events do not)
    the sum over the events.
    """

    def one(name: str) -> float | None:
        given, summed = sample.totals.get(name), sample.sums.get(name)
        return summed if given is None or (given == 0 and summed) else given

    if sample.kind == "ct":
        return {"dlp_total": one("dlp_total")}
    if sample.kind == "mg":
        return {name: one(name) for name in ("agd_left", "agd_right")}
    if sample.kind == "nm":
        return {"administered_activity_total": one("administered_activity_total")}
    suffixes = ("_a", "_b") if "dap_total_a" in sample.totals else ("",)
    names = ("dap_total", "rp_dose_total", "fluoro_time_total")
    planes = {name: [one(name + suffix) for suffix in suffixes] for name in names}
    found: dict[str, float | None] = {}
    for ours, theirs in (("dap_total", "dap_total"), ("dose_rp_total", "rp_dose_total")):
        found |= {
            f"{ours}_{plane}": value for plane, value in zip("ab", planes[theirs], strict=False)
        }
    found["dap_total"] = None if None in planes["dap_total"] else sum(planes["dap_total"])  # type: ignore[arg-type]
    found["dose_rp_total"] = max(
        (value for value in planes["rp_dose_total"] if value is not None), default=None
    )
    if sample.kind == "rf":
        times = planes["fluoro_time_total"]
        found["total_fluoro_time"] = None if None in times else sum(times)  # type: ignore[arg-type]
    return found


def check_study(row: dict[str, Any], sample: SampleStudy) -> None:
    """Compare a row of /dose/api/studies (or a study's details) with what its maker wrote."""
    assert row["study_instance_uid"] == sample.study_instance_uid
    got = {name: row[name] for name in ("modality", "accession_number", "study_date", "study_time", "study_description",
                                        "patient_sex", "number_of_events")}  # fmt: skip
    assert got == {
        "modality": sample.kind.upper(),
        "accession_number": sample.accession_number,
        "study_date": f"{sample.started:%Y-%m-%d}",
        "study_time": f"{sample.started:%H:%M:%S}",
        "study_description": sample.description,
        "patient_sex": sample.patient.sex,
        "number_of_events": sample.events,
    }, f"study {sample.index} of {sample.vendor}"
    expected = totals_of(sample)
    assert {name: row[name] for name in expected} == {
        name: number(value) for name, value in expected.items()
    }, f"study {sample.index} of {sample.vendor}"


def check_studies(rows: Iterable[dict[str, Any]], samples: Iterable[SampleStudy]) -> None:
    """Compare all studies of the store with all that were sent: each once, and no others."""
    rows, by_uid = list(rows), {sample.study_instance_uid: sample for sample in samples}
    assert sorted(row["study_instance_uid"] for row in rows) == sorted(by_uid)
    for row in rows:
        check_study(row, by_uid[row["study_instance_uid"]])


@dataclass
class Told:
    """The contents of a report, read without the plugin.

    This is totals by concept code, one entry per container, and the events with UID, DLP, DAP and
    dose at the reference point. Numbers are in the store's units; None if the item is empty.
    """

    totals: dict[str, list[float | None]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)


_TOTALS = {"113813": "dlp", "113722": "dap", "113725": "dose_rp", "113730": "time", "111637": "agd"}
_OF_EVENT = {"113838": "dlp", "122130": "dap", "113738": "dose_rp"}


def _tell(told: Told, in_event: bool, concept: str, value: str | None, unit: str) -> None:
    name = _OF_EVENT.get(concept) if in_event else _TOTALS.get(concept)
    if name is None:
        return
    found = float(value) * UNITS[name][unit] if value else None
    if in_event:
        told.events[-1].setdefault(name, found)
    else:
        told.totals.setdefault(name, []).append(found)


def by_pydicom(dataset: Dataset) -> Told:
    """Read a report with pydicom."""
    told = Told()

    def walk(items: Iterable[Dataset], in_event: bool) -> None:
        for item in items:
            names = item.get("ConceptNameCodeSequence")
            concept = names[0].CodeValue if names else ""
            inside = in_event or concept in (CT_EVENT, PROJECTION_EVENT)
            if inside and not in_event:
                told.events.append({})
            if item.ValueType == "UIDREF" and concept == "113769" and inside:
                told.events[-1]["uid"] = str(item.UID)
            if item.ValueType == "NUM":
                measured = item.get("MeasuredValueSequence")
                value = str(measured[0].NumericValue) if measured else None
                unit = measured[0].MeasurementUnitsCodeSequence[0].CodeValue if measured else ""
                _tell(told, inside, concept, value, unit)
            walk(item.get("ContentSequence", ()), inside)

    walk(dataset.ContentSequence, False)
    return told


_LINE = re.compile(
    r'(?P<indent> *)<[a-z ]+ (?P<type>[A-Z]+):\((?P<code>[^,]+),[^,]*,"[^"]*"\)(?:=(?P<value>.*))?>$'
)
_NUMBER = re.compile(r'"(?P<number>[^"]*)" \((?P<unit>[^,]*),')


def by_dsrdump(path: Path) -> Told:
    """Read a report with DCMTK's dsrdump, which is told to accept violations of the standard."""
    command = [DSRDUMP, "+Pc", "+Pl", "-Er", "-Ev", "-Ec", "-Ee", "-Ei", str(path)]
    text = subprocess.run(command, capture_output=True, check=True).stdout.decode("latin-1")
    told = Told()
    event_indent: int | None = None
    for found in _lines(text):
        indent = len(found["indent"])
        if event_indent is not None and indent <= event_indent:
            event_indent = None
        if found["type"] == "CONTAINER" and found["code"] in (CT_EVENT, PROJECTION_EVENT):
            event_indent = indent
            told.events.append({})
        if found["type"] == "UIDREF" and found["code"] == "113769" and event_indent is not None:
            told.events[-1]["uid"] = found["value"].strip('"')
        if found["type"] == "NUM":
            value = _NUMBER.match(found["value"] or "")
            _tell(
                told,
                event_indent is not None,
                found["code"],
                *(value.groups() if value else (None, "")),
            )
    return told


def _lines(text: str) -> Iterator[re.Match[str]]:
    return filter(None, map(_LINE.match, text.splitlines()))

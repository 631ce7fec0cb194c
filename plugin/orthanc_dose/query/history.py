"""A patient's history: all studies of one patient, found by the ID as it is kept, with sums."""

from datetime import date
from typing import Any

import duckdb

from ..dicom.identity import is_hash
from ..records import MODALITIES
from ..store.database import rows
from . import lists

# Totals that add up over studies. Activities of different nuclides do not, nor do maxima.
ADDS_UP = (
    "number_of_events",
    "dlp_total",
    "effective_dose_total",
    "dap_total",
    "dose_rp_total",
    "total_fluoro_time",
    "agd_left",
    "agd_right",
    "agd_unspecified",
)
_WHO = ("patient_id", "patient_name", "patient_birth_date")


def of_patient(
    connection: duckdb.DuckDBPyConnection, study_id: int, first: date | None, last: date | None
) -> dict[str, Any] | None:
    """Return the studies of this study's patient, oldest first, with sums by modality type.

    Only studies from `first` to `last` count. Sums are over the studies that count, and include
    the number of studies that gave the value. Returns None if there is no study with this number.
    """
    query = "SELECT patient_id, patient_name, patient_birth_date FROM study WHERE id = $1"
    found = connection.execute(query, [study_id]).fetchone()
    if found is None:
        return None
    patient_id = found[0]
    out: dict[str, Any] = {
        "identified": None,
        **dict.fromkeys(_WHO),
        "studies": [],
        "cumulated": [],
    }
    if patient_id is None:
        return out
    out["identified"] = "hashed" if is_hash(patient_id) else "stored"
    out |= {name: None if is_hash(kept) else kept for name, kept in zip(_WHO, found, strict=True)}
    condition = "s.patient_id = $patient"
    bound: dict[str, Any] = {"patient": patient_id}
    for sign, key, day in ((">=", "first", first), ("<=", "last", last)):
        if day is not None:
            condition += f" AND s.study_date {sign} ${key}"
            bound[key] = day
    out["studies"] = lists.chosen(connection, condition, bound, "study_date")
    sums = ", ".join(f"sum({name}) AS {name}, count({name}) AS {name}_studies" for name in ADDS_UP)
    query = (
        f"SELECT modality, count(*) AS studies, {sums} FROM study s WHERE {condition} "
        "AND s.not_counted IS NULL GROUP BY modality"
    )
    by_modality = {row["modality"]: row for row in rows(connection.execute(query, bound))}
    out["cumulated"] = [
        _cumulated(code, by_modality[code]) for code in MODALITIES if code in by_modality
    ]
    return out


def _cumulated(code: str, row: dict[str, Any]) -> dict[str, Any]:
    has = {field.name for field in MODALITIES[code].fields}
    totals = {
        name: {"value": float(row[name]), "studies": row[f"{name}_studies"]}
        for name in ADDS_UP
        if name in has and row[name] is not None
    }
    return {"modality": code, "studies": row["studies"], "totals": totals}

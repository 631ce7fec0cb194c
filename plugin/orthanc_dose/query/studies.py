"""Lists of studies, one study with all that the store holds of it, and the kept content of its objects."""

from typing import Any

import duckdb
from pydicom.datadict import keyword_for_tag

from ..dicom import sr
from ..dicom.dataset import Unreadable
from ..extract import unpack
from ..records import EQUIPMENT, MODALITIES, PATIENT, STUDY, TOTALS
from ..store.database import rows
from . import objects

# Columns of a list: what identifies a study, the system, the patient's age and sex, and the totals.
_IDENTIFICATION = (
    "id", "modality", "study_instance_uid", "accession_number", "study_date", "study_time", "timezone_offset_from_utc",
    "study_description", "requested_procedure_description", "performed_procedure_step_description", "equipment_id",
    "patient_age", "patient_sex", "source",
)  # fmt: skip
_SYSTEM = {
    "equipment_display_name": "display_name",
    "manufacturer": "manufacturer",
    "manufacturer_model_name": "manufacturer_model_name",
    "institution_name": "institution_name",
    "station_name": "station_name",
}
_SORTABLE_TYPES = frozenset({"number", "integer", "text", "uid", "date", "time", "datetime"})
SORTABLE = tuple(field.name for field in STUDY.fields if field.type in _SORTABLE_TYPES) + tuple(_SYSTEM)


def list_columns(modality: str | None) -> tuple[str, ...]:
    """Names of the columns of a list, for one modality or for all."""
    totals = tuple(field.name for field in TOTALS if not modality or not field.modalities or modality in field.modalities)
    return (*_IDENTIFICATION, *totals, "marks")


def list_studies(
    connection: duckdb.DuckDBPyConnection, filters: dict[str, Any], sort: str, limit: int, offset: int
) -> dict[str, Any]:
    """A page of studies and how many there are. `filters` are column names of STUDY with the value asked for; `sort` is
    one of SORTABLE, with "-" before it for descending."""
    where = " AND ".join(f"s.{name} = ${name}" for name in filters) or "true"
    total = connection.execute(f"SELECT count(*) FROM study s WHERE {where}", filters).fetchone()
    columns = ", ".join(f"s.{name}" for name in list_columns(filters.get("modality")))
    system = ", ".join(f"e.{column} AS {name}" for name, column in _SYSTEM.items())
    query = (
        f"SELECT {columns}, {system} FROM study s LEFT JOIN equipment e ON e.id = s.equipment_id WHERE {where}"
        f" ORDER BY {_order(sort)} LIMIT {limit:d} OFFSET {offset:d}"
    )
    return {"total": total[0] if total else 0, "studies": rows(connection.execute(query, filters))}


def _order(sort: str) -> str:
    name, direction = sort.removeprefix("-"), "DESC" if sort.startswith("-") else "ASC"
    if name not in SORTABLE:
        raise ValueError(f"not a column to sort by: {name}")
    column = f"e.{_SYSTEM[name]}" if name in _SYSTEM else f"s.{name}"
    # The day alone leaves a day's studies in no order; the number makes pages stable.
    second = f", s.study_time {direction} NULLS LAST" if name == "study_date" else ""
    return f"{column} {direction} NULLS LAST{second}, s.id {direction}"


def study(connection: duckdb.DuckDBPyConnection, study_id: int) -> dict[str, Any] | None:
    """Everything that the store holds of a study, or None where there is no study of this number."""
    found = rows(connection.execute("SELECT * FROM study WHERE id = $1", [study_id]))
    if not found:
        return None
    out = found[0]
    modality = MODALITIES[out["modality"]]
    keep = {field.name for field in modality.fields}
    out = {name: value for name, value in out.items() if name in keep}
    equipment = rows(connection.execute("SELECT * FROM equipment WHERE id = $1", [out["equipment_id"]]))
    out["equipment"] = equipment[0] if equipment else dict.fromkeys(EQUIPMENT.names)
    out["patient"] = {field.name: out[field.name] for field in PATIENT}
    for name, table, order in (("accumulated", modality.accumulated, "sop_instance_uid, rowid"),
                               ("events", modality.events, "event_number")):  # fmt: skip
        query = f'SELECT * FROM "{table.name}" WHERE study_id = $1 ORDER BY {order}' if table else ""
        out[name] = rows(connection.execute(query, [study_id])) if table else []
    out["objects"] = objects.of_study(connection, study_id)
    out["stored_at"] = objects.utc(out["stored_at"])
    return out


def content(connection: duckdb.DuckDBPyConnection, study_id: int) -> list[dict[str, Any]]:
    """The kept content of a study's objects: header and content tree."""
    query = "SELECT sop_instance_uid, sop_class_uid, content FROM object WHERE study_id = $1 AND content IS NOT NULL ORDER BY 1"
    return [_content(row) for row in rows(connection.execute(query, [study_id]))]


def _content(row: dict[str, Any]) -> dict[str, Any]:
    kept = unpack(row["content"])
    try:
        tree: dict[str, object] | None = sr.read_tree(kept.dataset).as_dict()
    except Unreadable:
        tree = None
    header = [
        {"tag": tag, "keyword": keyword_for_tag(int(tag.replace(",", ""), 16)) or None, "value": value}
        for tag, value in kept.dataset.items()
        if tag not in ("0040,a730", "0040,a043")
    ]
    return {
        "sop_instance_uid": row["sop_instance_uid"], "sop_class_uid": row["sop_class_uid"],
        "sop_class_name": objects.sop_class_name(row["sop_class_uid"]), "transfer_syntax": kept.transfer_syntax,
        "notes": kept.notes, "header": header, "tree": tree,
    }  # fmt: skip

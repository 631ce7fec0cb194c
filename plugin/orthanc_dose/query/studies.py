"""One study with everything that the store holds of it, and the kept content of its objects."""

from collections.abc import Collection
from typing import Any, cast

import duckdb
from pydicom.datadict import keyword_for_tag

from ..assemble.dose_check import reached_limits
from ..dicom import sr
from ..dicom.dataset import Unreadable
from ..dicom.sop_classes import sop_class_name
from ..extract import unpack
from ..records import CT_EVENT, EQUIPMENT, MODALITIES, PATIENT, STUDY
from ..records.rows import AccumulatedRow, EquipmentRow, EstimateRow, EventRow, Patient, StudyRow
from ..store.database import rows
from ..store.places import PLACE
from . import estimates, lists, objects, sizes


class StudyDetail(StudyRow, total=False):
    """A study with what other tables hold of it."""

    patient: Patient
    equipment: EquipmentRow
    accumulated: list[AccumulatedRow]
    events: list[EventRow]
    objects: list[dict[str, Any]]
    estimates: list[EstimateRow]


def study(connection: duckdb.DuckDBPyConnection, study_id: int) -> StudyDetail | None:
    """Return everything that the store holds of a study, or None if there is no such study."""
    found = rows(connection.execute("SELECT * FROM study WHERE id = $1", [study_id]))
    if not found:
        return None
    out = found[0]
    sizes.mark_imported_sizes(cast("StudyRow", out))
    modality = MODALITIES[out["modality"]]
    keep = {field.name for field in modality.fields}
    out = {name: value for name, value in out.items() if name in keep}
    equipment = rows(
        connection.execute("SELECT * FROM equipment WHERE id = $1", [out["equipment_id"]])
    )
    out["equipment"] = equipment[0] if equipment else dict.fromkeys(EQUIPMENT.names)
    out["standard_names"] = lists.standard_names(connection, [study_id]).get(study_id, [])
    out["patient"] = {field.name: out[field.name] for field in PATIENT}
    for name, table, order in (
        ("accumulated", modality.accumulated, f"sop_instance_uid, {PLACE}"),
        ("events", modality.events, "event_number"),
    ):
        query = (
            f'SELECT * FROM "{table.name}" WHERE study_id = $1 ORDER BY {order}' if table else ""
        )
        out[name] = rows(connection.execute(query, [study_id])) if table else []
    if modality.events is CT_EVENT:
        out["events"] = [row | reached_limits(row) for row in out["events"]]
    out["estimates"] = estimates.of_one_study(connection, study_id)
    estimates.put_into_events(out["estimates"], modality.events, out["events"])
    of_study = estimates.values_of_studies(connection, [study_id]).get(study_id, {})
    for field in estimates.fields_of(STUDY, modality.code):
        out[field.name] = of_study.get(field.name)
    out["objects"] = objects.objects_of_study(connection, study_id)
    return cast("StudyDetail", out)


def without(detail: StudyDetail, names: Collection[str]) -> StudyDetail:
    """Return a study's detail in which these fields of the study and its patient are empty."""
    empty: Any = dict.fromkeys(names)
    return {**detail, **empty, "patient": {**detail["patient"], **empty}}


def as_json(detail: StudyDetail) -> dict[str, Any]:
    """Return a study's detail for the response, in which times kept in UTC are marked as such."""
    return {**detail, "stored_at": objects.utc(detail.get("stored_at"))}


def kept_content(connection: duckdb.DuckDBPyConnection, study_id: int) -> list[dict[str, Any]]:
    """Return the kept content of a study's objects: header and content tree."""
    query = (
        "SELECT sop_instance_uid, sop_class_uid, content FROM object WHERE study_id = $1 AND "
        "content IS NOT NULL ORDER BY 1"
    )
    return [_content(row) for row in rows(connection.execute(query, [study_id]))]


def _content(row: dict[str, Any]) -> dict[str, Any]:
    kept = unpack(row["content"])
    try:
        tree: dict[str, object] | None = sr.read_tree(kept.dataset).as_dict()
    except Unreadable:
        tree = None
    header = [
        {
            "tag": tag,
            "keyword": keyword_for_tag(int(tag.replace(",", ""), 16)) or None,
            "value": value,
        }
        for tag, value in kept.dataset.items()
        if tag not in ("0040,a730", "0040,a043")
    ]
    return {
        "sop_instance_uid": row["sop_instance_uid"],
        "sop_class_uid": row["sop_class_uid"],
        "sop_class_name": sop_class_name(row["sop_class_uid"]),
        "transfer_syntax": kept.transfer_syntax,
        "notes": kept.notes,
        "header": header,
        "tree": tree,
    }

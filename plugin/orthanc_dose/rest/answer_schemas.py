"""JSON schemas of the answers, generated from the data dictionary."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ..query.filter_types import TYPES
from ..query.lists import ALWAYS, SYSTEM
from ..query.objects import COLUMNS as OBJECT_COLUMNS
from ..records import (
    EQUIPMENT,
    ESTIMATE,
    MODALITIES,
    OBJECT,
    OUTCOMES,
    PATIENT,
    STATES,
    STUDY,
    STUDY_TABLES,
    Field,
    Table,
)
from ..store.causes import CAUSES

_CODE = {
    "type": ["object", "null"],
    "properties": {name: {"type": ["string", "null"]} for name in ("value", "scheme", "meaning")},
    "required": ["value", "scheme", "meaning"],
}
_TYPES: dict[str, dict[str, Any]] = {
    "number": {"type": ["number", "null"]},
    "numbers": {"type": ["array", "null"], "items": {"type": "number"}},
    "integer": {"type": ["integer", "null"]},
    "flag": {"type": ["boolean", "null"]},
    "text": {"type": ["string", "null"]},
    "texts": {"type": ["array", "null"], "items": {"type": "string"}},
    "uid": {"type": ["string", "null"]},
    "uids": {"type": ["array", "null"], "items": {"type": "string"}},
    "code": _CODE,
    "codes": {"type": ["array", "null"], "items": _CODE},
    "date": {"type": ["string", "null"], "format": "date"},
    "time": {"type": ["string", "null"]},
    "datetime": {"type": ["string", "null"]},
}


def any_object(
    maybe: Mapping[str, Any] | None = None, **properties: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the schema of an object with these properties. maybe: properties that are optional."""
    return {
        "type": "object",
        "properties": properties | dict(maybe or {}),
        "required": list(properties),
    }


def array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def by_name(of: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of an object with any names, each value of which has this schema."""
    return {"type": "object", "additionalProperties": of}


def or_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of an object or list, or of a component, that may be null."""
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]}


def formerly(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a field's former name, which answers still have beside the present."""
    return {**schema, "deprecated": True, "description": f"The former name of `{name}`."}


FLAG = {"type": "boolean"}
INTEGER, TEXT, TEXT_OR_NULL = {"type": "integer"}, {"type": "string"}, {"type": ["string", "null"]}
INTEGER_OR_NULL = {"type": ["integer", "null"]}
NUMBER, ANYTHING = {"type": "number"}, {"type": "object"}
TEXTS_BY_NAME, COUNTS = by_name(TEXT), by_name(INTEGER)


def of_field(field: Field) -> dict[str, Any]:
    """Return the schema of a field's value, with unit and description."""
    if field.type == "structs":
        part = any_object(**{part.name: of_field(part) for part in field.fields})
        out: dict[str, Any] = {"type": ["array", "null"], "items": part}
    else:
        out = dict(_TYPES[field.type])
    if field.always:
        out["type"] = out["type"][0]
    words = [field.title + (f" [{field.unit}]" if field.unit and field.unit != "1" else "") + "."]
    words += [field.description] if field.description else []
    words += [f"Source: {field.source}."] if field.source else []
    return out | {"description": " ".join(words)}


def of_table(table: Table, names: tuple[str, ...] | None = None) -> dict[str, Any]:
    """Return the schema of a row of the table."""
    fields = (*table.fields, *table.derived)
    return any_object(
        **{field.name: of_field(field) for field in fields if names is None or field.name in names}
    )


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _any_of(tables: Iterable[Table | None]) -> dict[str, Any]:
    return array(
        {"anyOf": [ref(name) for name in dict.fromkeys(table.name for table in tables if table)]}
    )


COMPONENTS: dict[str, dict[str, Any]] = {}


def component(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema after registering it as an OpenAPI component with this name."""
    COMPONENTS[name] = schema
    return schema


def _common(*tables: Table) -> dict[str, dict[str, Any]]:
    """Return schemas that are worth sharing, by name.

    These are the schemas of long fields that several tables have in the same form, and of the
    entries of lists that several fields have in the same form.
    """
    found: Counter[tuple[str, str]] = Counter()
    entries: dict[str, list[str]] = {}
    for table in tables:
        for field in (*table.fields, *table.derived):
            schema = of_field(field)
            found[field.name, json.dumps(schema)] += 1
            if field.type == "structs":
                entries.setdefault(json.dumps(schema["items"]), []).append(field.name)
    often = [one for one, count in found.items() if count > 1 and len(one[1]) > 100]
    return {name: json.loads(schema) for name, schema in often} | {
        f"{names[0]}_entry": json.loads(schema)
        for schema, names in entries.items()
        if len(names) > 1
    }


_OF_SOME = tuple(field.name for field in (*STUDY.fields, *STUDY.derived) if field.modalities)
_STUDY = of_table(STUDY)
_REQUIRED = [name for name in _STUDY["required"] if name not in _OF_SOME]
_LISTED = {
    "allOf": [ref("study_values")],
    "type": "object",
    "properties": dict.fromkeys(SYSTEM, TEXT_OR_NULL),
    "required": list(ALWAYS),
}
_OBJECT_LISTED = of_table(OBJECT, OBJECT_COLUMNS)
_OBJECT_LISTED["properties"]["sop_class_name"] = TEXT_OR_NULL
_OBJECT_LISTED["required"].append("sop_class_name")

_DETAIL = {
    "allOf": [ref("study_values")],
    **any_object(
        equipment=ref("equipment"),
        patient=any_object(**{field.name: of_field(field) for field in PATIENT}),
        accumulated=_any_of(modality.accumulated for modality in MODALITIES.values()),
        events=_any_of(modality.events for modality in MODALITIES.values()),
        objects=array(ref("object_row")),
        estimates=array(ref("estimate")),
        orthanc_studies=INTEGER
        | {
            "description": "Number of studies with this UID in Orthanc, which may be under "
            "several patient IDs."
        },
    ),
}
_DETAIL["required"] += _REQUIRED

COMPONENTS |= {
    "code": _CODE,
    "error": any_object(
        error=any_object(
            code=TEXT,
            message=TEXT,
            field=TEXT_OR_NULL,
            maybe={
                "challenge": TEXT | {"description": "Of `proof_needed`: see POST /session."},
                "bits": INTEGER,
                "again": FLAG,
                "place": or_null(any_object(line=INTEGER, column=INTEGER)),
            },
        ),
    ),
    # Which of these a study has depends on its modality type and on where it appears.
    "study_values": {"type": "object", "properties": _STUDY["properties"]},
    "study": _DETAIL,
    "study_in_list": _LISTED,
    "object_row": _OBJECT_LISTED,
    "equipment": of_table(EQUIPMENT),
    **{table.name: of_table(table) for table in (*STUDY_TABLES, ESTIMATE)},
    **_common(STUDY, EQUIPMENT, *STUDY_TABLES),
}

_RECONCILIATION = any_object(
    state={"type": "string", "enum": ["idle", "running"]},
    last_finished_at=TEXT_OR_NULL,
    missing={"type": ["integer", "null"]},
)
_WORK_STATE = {"type": "string", "enum": ["idle", "working", "waiting"]}
_FOLLOWER = component(
    "follower",
    any_object(
        name=TEXT,
        state=_WORK_STATE,
        behind=INTEGER | {"description": "Number of changes that it has not processed yet."},
        studies_behind=INTEGER | {"description": "Number of studies that these concern."},
        behind_since=TEXT_OR_NULL | {"description": "UTC; time of the first of them."},
        failing=INTEGER,
        skipped=INTEGER,
        last_error=TEXT_OR_NULL
        | {"description": "Why it is waiting: kind of error and its location in the code."},
        error_since=TEXT_OR_NULL | {"description": "UTC; since when it has been waiting."},
        backfill=or_null(any_object(done=INTEGER, total=INTEGER_OR_NULL)),
    ),
)
STATUS = any_object(
    version=TEXT,
    schema_version=INTEGER,
    started_at=TEXT,
    orthanc=any_object(
        version=TEXT,
        name=TEXT_OR_NULL,
        dicom_aet=TEXT_OR_NULL,
        dicom_port={"type": ["integer", "null"]},
    ),
    store=any_object(
        size_bytes=INTEGER,
        events=INTEGER,
        studies=COUNTS,
        objects=any_object(**dict.fromkeys(OUTCOMES, INTEGER)),
        in_orthanc=any_object(to_delete=INTEGER, deleted=INTEGER, dropped=INTEGER),
        lost={
            "type": ["object", "null"],
            "description": "Transactions that the store has lost, until POST /backups/loss-seen.",
            "properties": {
                "writer": INTEGER | {"description": "Those with objects and studies."},
                "beside": INTEGER | {"description": "Those with settings, users and tasks."},
                "last_at": TEXT_OR_NULL | {"description": "UTC; of the last of them."},
                "noticed_at": TEXT | {"description": "UTC."},
            },
        },
    ),
    queue=any_object(
        state=_WORK_STATE,
        pending=INTEGER,
        cursor=INTEGER,
        last_change=INTEGER,
        last_commit_at=TEXT_OR_NULL,
        last_error=or_null(
            any_object(
                message=TEXT,
                cause={"type": "string", "enum": list(CAUSES)},
                reason=TEXT,
                at=TEXT,
            )
        ),
        reconciliation=_RECONCILIATION,
        audit=formerly("reconciliation", _RECONCILIATION),
    ),
    backup=any_object(
        newest_at=TEXT_OR_NULL
        | {"description": "UTC; of the state that the newest verified backup contains."},
        age_seconds=INTEGER_OR_NULL | {"description": "Age of that state."},
    ),
    followers=array(_FOLLOWER),
)
component("status", STATUS)
_TWO: dict[str, Any] = {
    "type": "array",
    "prefixItems": [INTEGER, INTEGER],
    "minItems": 2,
    "maxItems": 2,
}
_COUNTED: dict[str, dict[str, Any]] = {
    "studies": INTEGER,
    "events": INTEGER,
    "today": INTEGER,
    "recent": _TWO,
    "last_study": TEXT_OR_NULL,
    "workload": component(
        "workload", any_object(**{"from": TEXT, "days": INTEGER, "counts": array(INTEGER)})
    ),
}
_SYSTEM_SUMMARY = component(
    "system_summary",
    any_object(
        equipment_id=INTEGER,
        display_name=TEXT_OR_NULL,
        manufacturer=TEXT_OR_NULL,
        manufacturer_model_name=TEXT_OR_NULL,
        **_COUNTED,
    ),
)
_MODALITY_SUMMARY = component(
    "modality_summary",
    any_object(modality=TEXT, title=TEXT, **_COUNTED, systems=array(_SYSTEM_SUMMARY)),
)
SUMMARY = component(
    "summary",
    any_object(
        now=TEXT,
        today=any_object(objects=INTEGER, studies=INTEGER),
        days=_TWO,
        modalities=array(_MODALITY_SUMMARY),
    ),
)
_CUMULATED = component(
    "cumulated",
    any_object(
        modality=TEXT,
        studies=INTEGER,
        totals=by_name(any_object(value=NUMBER, studies=INTEGER)),
    ),
)
HISTORY = any_object(
    identified={"enum": ["stored", "hashed", None]},
    patient_name=TEXT_OR_NULL,
    patient_id=TEXT_OR_NULL,
    patient_birth_date=TEXT_OR_NULL,
    studies=array(ref("study_in_list")),
    cumulated=array(_CUMULATED),
)
component("patient_history", HISTORY)
SAVED_FILTER = component(
    "saved_filter", any_object(name=TEXT, modality=TEXT_OR_NULL, query=TEXTS_BY_NAME)
)
REEXTRACTION = any_object(
    state={"type": "string", "enum": ["idle", *STATES]},
    task_id=INTEGER_OR_NULL,
    started_at=TEXT_OR_NULL,
    finished_at=TEXT_OR_NULL,
    total=INTEGER,
    done=INTEGER,
    changed=INTEGER,
    failed=INTEGER,
    outdated=INTEGER,
    fields=COUNTS,
    studies=array(INTEGER),
)
component("reextraction", REEXTRACTION)
TASK = component(
    "task",
    any_object(
        id=INTEGER,
        kind=TEXT,
        subject=TEXT_OR_NULL,
        user_name=TEXT,
        state={"enum": list(STATES)},
        done=INTEGER,
        total=INTEGER_OR_NULL,
        message=TEXT_OR_NULL,
        parameters=ANYTHING,
        result=ANYTHING,
        **dict.fromkeys(("created_at", "started_at", "finished_at"), TEXT_OR_NULL),
    ),
)
TASK_LINE = any_object(line=INTEGER, outcome=TEXT, study_id=INTEGER_OR_NULL, message=TEXT_OR_NULL)
# A content item; what it lacks is left out.
component(
    "content_item",
    any_object(
        maybe=dict.fromkeys(("value_type", "relationship", "meaning", "unit"), TEXT_OR_NULL)
        | {name: {} for name in ("concept", "value", "qualifier")}
        | {"children": or_null(array(ref("content_item"))), "left_out": INTEGER}
    ),
)
_CONTENT_OBJECT = component(
    "content_object",
    any_object(
        sop_instance_uid=TEXT_OR_NULL,
        sop_class_uid=TEXT_OR_NULL,
        sop_class_name=TEXT_OR_NULL,
        transfer_syntax=TEXT,
        notes=array(TEXT),
        header=array(any_object(tag=TEXT, keyword=TEXT_OR_NULL, value={})),
        tree=or_null(ref("content_item")),
        maybe={"left_out": INTEGER},
    ),
)
CONTENT = any_object(objects=array(_CONTENT_OBJECT), cut=FLAG)
_OF_FIELDS = {
    **dict.fromkeys(("name", "type", "title", "description", "source"), TEXT),
    **dict.fromkeys(("unit", "shown_unit"), TEXT_OR_NULL),
    "shown_factor": NUMBER,
    **dict.fromkeys(("concepts", "header", "modalities"), array(TEXT)),
    "limits": or_null(ANYTHING),
    "fields": array(ref("field_info")),
}
component("field_info", any_object(**_OF_FIELDS))
# A column of a view for SQL.
component("sql_column", any_object(**_OF_FIELDS, sql_type=TEXT))
_TABLE_INFO = component(
    "table_info",
    any_object(name=TEXT, title=TEXT, description=TEXT, fields=array(ref("field_info"))),
)
_MODALITY_INFO = component(
    "modality_info",
    any_object(
        code=TEXT,
        title=TEXT,
        events_table=TEXT,
        accumulated_table=TEXT_OR_NULL,
        totals=array(TEXT),
        event_columns=array(TEXT),
    ),
)
_CHOICE = any_object(value=TEXT, label=TEXT)
_FILTER_INFO = component(
    "filter_info",
    any_object(
        **dict.fromkeys(
            ("name", "label", "group", "field", "description", "shown_unit", "of_one"), TEXT
        ),
        type={"enum": list(TYPES)},
        unit=TEXT_OR_NULL,
        shown_factor=NUMBER,
        modalities=array(TEXT),
        identity=FLAG,
        choices=array(_CHOICE),
        parameters={
            "type": "object",
            "properties": dict.fromkeys(
                (role for one in TYPES.values() for role in one.roles), TEXT
            ),
        },
    ),
)
FIELDS = component(
    "data_dictionary",
    any_object(
        tables=array(_TABLE_INFO),
        modalities=array(_MODALITY_INFO),
        filters=array(_FILTER_INFO),
        sortable=array(TEXT),
        **dict.fromkeys(("list_columns", "usual_columns"), by_name(array(TEXT))),
        **dict.fromkeys(("marks", "sources", "outcomes", "filter_groups"), TEXTS_BY_NAME),
    ),
)

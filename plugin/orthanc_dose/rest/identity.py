"""The routes of patient identity: how studies store it, applying the rules to old data, and the
patterns of names and IDs that belong to no patient.
"""

from typing import Annotated, Any

from ..manage.settings import OF_OPENREM, identity_rules, indicator, not_patient
from ..records.given import UNSET, Given, Meta, UnsetType
from ..records.study import UNDER_RULES
from ..store import identity
from .answer_schemas import (
    FLAG,
    INTEGER,
    TEXT,
    TEXT_OR_NULL,
    any_object,
    array,
    component,
)
from .routes import ADMINISTRATION, Caller, Route
from .services import Services

_Tried = Annotated[str, Meta(max_length=300)]


class NotPatientTrial(Given):
    """A name and an ID to be compared with the not-patient patterns."""

    name: Annotated[
        _Tried | UnsetType, Meta(description="A patient name, as written in objects.")
    ] = UNSET
    id: Annotated[_Tried | UnsetType, Meta(description="A patient ID.")] = UNSET


def get_identity(services: Services) -> dict[str, Any]:
    rules = identity_rules(services.settings)
    with services.store.reading() as connection:
        ways = identity.ways(connection)
        old_bytes = identity.has_old_bytes(connection)
    return {
        "old_bytes": old_bytes,
        "items": [
            {
                "name": item,
                "rule": rule,
                "studies": ways[item],
                "can_change": sum(
                    ways[item][way] for way in identity.WAYS if identity.can_change(rule, way)
                ),
                "cannot_change": sum(
                    ways[item][way] for way in identity.WAYS if identity.cannot_change(rule, way)
                ),
            }
            for item, rule in rules.items()
        ],
    }


def apply_identity(services: Services, caller: Caller) -> tuple[int, dict[str, Any]]:
    parameters = {"rules": identity_rules(services.settings)}
    return 202, {
        "task_id": services.runner.add("apply-identity", caller.name, parameters=parameters)
    }


def get_not_patient(services: Services) -> dict[str, Any]:
    patterns = not_patient(services.settings)
    with services.store.reading() as connection:
        query = "SELECT count(*) FROM study WHERE not_patient_indicator IS NOT NULL"
        [studies] = connection.execute(query).fetchone() or (0,)
    return {
        "names": list(patterns.names),
        "ids": list(patterns.ids),
        "studies": studies,
        "openrem": {"names": list(OF_OPENREM.names), "ids": list(OF_OPENREM.ids)},
    }


def try_not_patient(services: Services, body: NotPatientTrial) -> dict[str, Any]:
    tried = body.as_dict()
    found = not_patient(services.settings).matching(tried.get("name"), tried.get("id"))
    return {"name": found.get("name"), "id": found.get("id"), "indicator": indicator(found)}


def apply_not_patient(services: Services, caller: Caller) -> tuple[int, dict[str, Any]]:
    patterns = not_patient(services.settings)
    parameters = {"names": list(patterns.names), "ids": list(patterns.ids)}
    return 202, {"task_id": services.runner.add("not-patient", caller.name, parameters=parameters)}


_STARTED = any_object(task_id=INTEGER)
_ITEM = component(
    "identity_item",
    any_object(
        name={"enum": list(UNDER_RULES)},
        rule={"enum": list(identity.WAYS)},
        studies=any_object(**dict.fromkeys(identity.WAYS, INTEGER)),
        can_change=INTEGER,
        cannot_change=INTEGER,
    ),
)
_PATTERNS = {"names": array(TEXT), "ids": array(TEXT)}
_NOT_PATIENT = component(
    "not_patient", any_object(**_PATTERNS, studies=INTEGER, openrem=any_object(**_PATTERNS))
)
_TRIED = component(
    "matching_patterns", any_object(name=TEXT_OR_NULL, id=TEXT_OR_NULL, indicator=TEXT_OR_NULL)
)

IDENTITY_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/identity",
        get_identity,
        "Return which items of patient identity are kept, and how the studies hold them",
        {200: any_object(items=array(_ITEM), old_bytes=FLAG)},
        tag="Patient identity",
        needs=ADMINISTRATION,
        description="For each item: its rule (a setting of the same name), how many studies hold "
        "it in which way (none: not at all; stored: as written; hashed: "
        "HMAC-SHA-256; sha256: plain SHA-256), how many POST /identity/apply would "
        "change, and how many cannot follow the rule because what it requires was "
        "dropped or hashed. `old_bytes`: the store's file may contain remnants of "
        "data kept by an older version, such as Orthanc's identifiers, which POST "
        "/identity/apply removes.",
    ),
    Route(
        "POST",
        "/identity/apply",
        apply_identity,
        "Start a task that applies the current identity rules to existing data",
        {202: _STARTED},
        tag="Patient identity",
        needs=ADMINISTRATION,
        with_caller=True,
        action="identity rules applied to old data",
        description="Drops and hashes items in studies and in the kept content of objects. Items "
        "that were dropped or hashed earlier cannot be restored; the task's result "
        "counts them. At the end, the store's file is rewritten without what was "
        "dropped.",
    ),
    Route(
        "GET",
        "/not-patient",
        get_not_patient,
        "Return the not-patient patterns and how many studies they match",
        {200: _NOT_PATIENT},
        tag="Patient identity",
        needs=ADMINISTRATION,
        description="The patterns are the settings not_patient_names and not_patient_ids; "
        "`openrem` lists those that were built into OpenREM until version 0.7.4.",
    ),
    Route(
        "POST",
        "/not-patient/try",
        try_not_patient,
        "Return which pattern matches a name and an ID; neither is stored",
        {200: _TRIED},
        errors=(413,),
        tag="Patient identity",
        needs=ADMINISTRATION,
        body=NotPatientTrial,
    ),
    Route(
        "POST",
        "/not-patient/apply",
        apply_not_patient,
        "Start a task that compares existing objects with the current patterns",
        {202: _STARTED},
        tag="Patient identity",
        needs=ADMINISTRATION,
        with_caller=True,
        action="not-patient patterns applied to old data",
        description="Only studies whose name or ID is kept as written are compared. The others "
        "keep the result from when they arrived.",
    ),
)

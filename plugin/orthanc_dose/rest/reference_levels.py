"""The routes of reference levels: what the doses of charts are compared with. Values are in the
units of pages.
"""

from typing import Any

from ..charts.levels import QUANTITIES, as_shown, has_phantom
from ..manage import reference_levels
from ..manage.name_map import LINE
from ..manage.reference_levels import MOST, TooMany
from ..query.reference_levels import listed
from ..records import MODALITIES, PHANTOMS, REFERENCE_LEVEL, STATISTICS
from .bodies import FLAG, checked
from .errors import ApiError, bad_body, not_found
from .parameters import Parameter
from .routes import ADMINISTRATION, WATCHING, Caller, Route
from .schemas import INTEGER, INTEGER_OR_NULL, TEXT, TEXT_OR_NULL, any_object, array
from .services import Services

_OPTIONAL = ("pattern", "standard_name", "age_from", "age_to", "weight_from", "weight_to", "phantom", "year", "url", "note",
             "shipped_as")  # fmt: skip
_CLASSES = (("age_from", "age_to"), ("weight_from", "weight_to"))


def list_levels(services: Services) -> dict[str, Any]:
    with services.store.reading() as connection:
        found = listed(connection)
    there = {level["shipped_as"] for level in found}
    return {
        # Those of quantities that there are: charts come and go with versions.
        "levels": [_shown(level) for level in found if level["quantity"] in QUANTITIES],
        "quantities": [
            {
                "name": name,
                "field": of.filter.field,
                "label": of.filter.label,
                "unit": of.shown.unit,
                "modalities": list(modalities),
                "level": "event" if of.is_of_events else "study",
                "phantom": has_phantom(of),
            }
            for name, (of, modalities) in QUANTITIES.items()
        ],
        "statistics": STATISTICS,
        "phantoms": PHANTOMS,
        "shipped": {
            "version": reference_levels.shipped()["version"],
            "sources": list(reference_levels.shipped()["sources"].values()),
            "missing": sum(
                level["key"] not in there for level in reference_levels.shipped()["levels"]
            ),
        },
    }


def add_level(services: Services, caller: Caller, body: Any) -> dict[str, Any]:
    level = _checked(body)
    numbers = _add(services, [level])
    if not numbers:
        raise _not_possible(
            "shipped_as", "This level, which came with the program, is in the list."
        )
    [number] = numbers
    services.audit.note(caller, "reference level added", f"reference level {number}", level["name"])
    return _level(services, number)


def change_level(services: Services, caller: Caller, id: int, body: Any) -> dict[str, Any]:
    level = _checked(body)
    if not reference_levels.change(services.store, id, level):
        raise _unknown()
    services.audit.note(caller, "reference level changed", f"reference level {id}", level["name"])
    return _level(services, id)


def delete_level(services: Services, caller: Caller, id: int) -> dict[str, Any]:
    name = _level(services, id)["level"]["name"]
    if not reference_levels.delete(services.store, id):
        raise _unknown()
    services.audit.note(caller, "reference level deleted", f"reference level {id}", name)
    return {"deleted": True}


def load_levels(services: Services, caller: Caller) -> dict[str, Any]:
    shipped = reference_levels.shipped()
    nothing = dict.fromkeys(_OPTIONAL)
    levels = []
    for entry in shipped["levels"]:
        source = shipped["sources"][entry["source"]]
        title = f"{source['title']} ({source['licence']})" if source["licence"] else source["title"]
        told = {"statistic": "median", "valid": True, "source": title, "url": source["url"]}
        told |= {"shipped_as": entry["key"]}
        levels.append(
            _checked(
                nothing
                | {name: value for name, value in entry.items() if name not in ("key", "unit")}
                | told
            )
        )
    added = _add(services, levels)
    services.audit.note(
        caller,
        "reference levels loaded",
        "",
        f"{len(added)} levels of version {shipped['version']}",
    )
    return {"added": len(added)} | list_levels(services)


def _add(services: Services, levels: list[dict[str, Any]]) -> list[int]:
    try:
        return reference_levels.add(services.store, levels)
    except TooMany as error:
        raise ApiError(
            409, "too_many", f"There can be {MOST} reference levels: delete some first."
        ) from error


def _level(services: Services, number: int) -> dict[str, Any]:
    with services.store.reading() as connection:
        found = [
            level
            for level in listed(connection)
            if level["id"] == number and level["quantity"] in QUANTITIES
        ]
    if not found:
        raise _unknown()
    return {"level": _shown(found[0])}


def _unknown() -> ApiError:
    return not_found("There is no reference level of this number.", "id")


def _not_possible(field: str, message: str) -> ApiError:
    return ApiError(409, "not_possible", message, field)


def _shown(level: dict[str, Any]) -> dict[str, Any]:
    of = QUANTITIES[level["quantity"]][0].shown
    return level | {
        "value": as_shown(level["value"], of.factor),
        "unit": of.unit,
        "matched": bool(level["pattern"] or level["standard_name"]),
    }


def _checked(body: Any) -> dict[str, Any]:
    """The level of a body, as the store has it. Raises ApiError that names the property: 400, or
    409 where it does not go with another one."""
    given = checked(body, _BODY, _OPTIONAL)
    for name in ("modality", "quantity", "statistic", "phantom", "shipped_as"):
        allowed = _BODY[name]["enum"]
        if given[name] not in allowed:
            raise bad_body(
                name, f"{name} must be one of: {', '.join(one or 'null' for one in allowed)}."
            )
    quantity, modalities = QUANTITIES[given["quantity"]]
    if given["modality"] not in modalities:
        raise _not_possible(
            "quantity", f"Of this quantity there are charts of: {', '.join(modalities)}."
        )
    if given["phantom"] and not has_phantom(quantity):
        raise _not_possible(
            "phantom", "Only values of CT irradiation events can be told apart by phantom."
        )
    if given["pattern"] and given["standard_name"]:
        raise _not_possible("standard_name", "A level has a pattern or a standard name, not both.")
    for low, high in _CLASSES:
        if given[low] is not None and given[high] is not None and given[low] >= given[high]:
            raise _not_possible(high, f"{high} must be more than {low}.")
    texts = {name: value.strip() or None for name, value in given.items() if isinstance(value, str)}
    year = given["year"] and int(given["year"])
    return given | texts | {"value": given["value"] / quantity.shown.factor, "year": year}


_LINE = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": LINE}
_LINE_OR_NULL = _LINE | {"type": ["string", "null"]}
_AGE = {"type": ["number", "null"], "minimum": 0, "maximum": 150}
_WEIGHT = {"type": ["number", "null"], "minimum": 0, "maximum": 1000}
_BODY: dict[str, dict[str, Any]] = {
    "name": _LINE,
    "pattern": _LINE_OR_NULL,
    "standard_name": _LINE_OR_NULL,
    "modality": {"type": "string", "enum": list(MODALITIES)},
    "quantity": {"type": "string", "enum": list(QUANTITIES)},
    "value": {"type": "number", "minimum": 1e-9, "maximum": 1e9},
    "statistic": {"type": "string", "enum": list(STATISTICS)},
    "age_from": _AGE,
    "age_to": _AGE,
    "weight_from": _WEIGHT,
    "weight_to": _WEIGHT,
    "phantom": {"type": ["string", "null"], "enum": [*PHANTOMS, None]},
    "source": _LINE,
    "year": {"type": ["integer", "null"], "minimum": 1900, "maximum": 2200},
    "url": _LINE_OR_NULL
    | {
        "pattern": r"^https?://[^\s\x00-\x1f\x7f]+$",
        "description": "an address that begins with http:// or https://",
    },
    "note": _LINE_OR_NULL,
    "valid": FLAG,
    "shipped_as": {
        "type": ["string", "null"],
        "enum": [*(one["key"] for one in reference_levels.shipped()["levels"]), None],
    },
}
_SCHEMA = any_object(**_BODY) | {
    "additionalProperties": False,
    "required": [name for name in _BODY if name not in _OPTIONAL],
}
_LEVEL = (
    any_object(
        **{
            field.name: {"type": ["string", "number", "boolean", "null"]}
            for field in REFERENCE_LEVEL.fields
        }
    )
    | {}
)
_LEVEL["properties"] |= {
    "id": INTEGER,
    "name": TEXT,
    "value": {"type": "number"},
    "unit": TEXT,
    "matched": FLAG,
    "valid": FLAG,
    "year": INTEGER_OR_NULL,
}
_LIST = any_object(
    levels=array(_LEVEL),
    quantities=array(
        any_object(
            **dict.fromkeys(("name", "field", "label", "unit", "level"), TEXT),
            modalities=array(TEXT),
            phantom=FLAG,
        )
    ),
    shipped=any_object(
        version=TEXT,
        sources=array(any_object(title=TEXT, url=TEXT, licence=TEXT_OR_NULL)),
        missing=INTEGER,
    ),
    **dict.fromkeys(("statistics", "phantoms"), {"type": "object", "additionalProperties": TEXT}),
)
_ID = Parameter("id", "integer", "The level's number.", minimum=1, in_path=True)
_ONE = any_object(level=_LEVEL)
_ABOUT = (
    "A level is for the names that a pattern fits (wildcards * ? [seq] [!seq], case is ignored) or "
    "that have a standard name;"
    " with neither it is compared with nothing. Bounds of ages and weights: from inclusive, to "
    "exclusive. value is in the unit"
    " that pages show, as quantities say. shipped_as: the key of a level that came with the "
    "program, to put it back where it"
    " was deleted; a change leaves it as it is."
)

REFERENCE_LEVEL_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/reference-levels",
        list_levels,
        "Reference levels, and what they can be of",
        {200: _LIST},
        tag="Reference levels",
        description=f"{_ABOUT} shipped: the levels that came with the program; missing: how many of"
        " them are not in the list.",
        needs=WATCHING,
    ),
    Route(
        "POST",
        "/reference-levels",
        add_level,
        "Add a reference level",
        {200: _ONE},
        errors=(409, 413),
        tag="Reference levels",
        description=_ABOUT,
        body=_SCHEMA,
        with_caller=True,
        needs=ADMINISTRATION,
    ),
    Route(
        "POST",
        "/reference-levels/load",
        load_levels,
        "Add the levels that came with the program",
        {200: _LIST | {"properties": _LIST["properties"] | {"added": INTEGER}}},
        errors=(409,),
        tag="Reference levels",
        description="Those that are not in the list. What was changed of them stays.",
        with_caller=True,
        needs=ADMINISTRATION,
    ),
    Route(
        "PUT",
        "/reference-levels/{id}",
        change_level,
        "Change a reference level",
        {200: _ONE},
        (_ID,),
        (404, 409, 413),
        "Reference levels",
        description=_ABOUT,
        body=_SCHEMA,
        with_caller=True,
        needs=ADMINISTRATION,
    ),
    Route(
        "DELETE",
        "/reference-levels/{id}",
        delete_level,
        "Delete a reference level",
        {200: any_object(deleted=FLAG)},
        (_ID,),
        (404,),
        "Reference levels",
        with_caller=True,
        needs=ADMINISTRATION,
    ),
)

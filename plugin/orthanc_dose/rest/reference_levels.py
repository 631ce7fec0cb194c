"""The routes of reference levels, with which the doses of charts are compared.

Values are in the units of the pages.
"""

from typing import Annotated, Any, Literal

from ..charts.levels import QUANTITIES, as_shown, has_phantom
from ..manage import reference_levels
from ..manage.reference_levels import MOST, TooMany
from ..query.reference_levels import read_levels
from ..records import MODALITIES, PHANTOMS, REFERENCE_LEVEL, STATISTICS
from ..records.given import END, LONGEST_LINE, Given, Line, Meta, taken
from ..records.rows import ReferenceLevelRow
from .answer_schemas import (
    FLAG,
    INTEGER,
    TEXT,
    TEXT_OR_NULL,
    TEXTS_BY_NAME,
    any_object,
    array,
    component,
    of_table,
)
from .errors import ApiError, not_found
from .parameters import Parameter
from .routes import ADMINISTRATION, WATCHING, Caller, Route
from .services import Services

_CLASSES = (("age_from", "age_to"), ("weight_from", "weight_to"))
_SHIPPED = tuple(one["key"] for one in reference_levels.shipped()["levels"])
_Age = Annotated[float, Meta(ge=0, le=150)]
_Weight = Annotated[float, Meta(ge=0, le=1000)]
_Url = Annotated[
    str,
    Meta(
        max_length=LONGEST_LINE,
        pattern=rf"^https?://[^\s\x00-\x1f\x7f]+{END}",
        extra={"words": "an address that begins with http:// or https://"},
    ),
]


class ReferenceLevel(Given, kw_only=True):
    """A reference level, as an administrator enters it."""

    name: Annotated[Line, Meta(description="Name of the level.")]
    pattern: Annotated[
        Line | None,
        Meta(description="Pattern, with wildcards, of the names that the level applies to."),
    ] = None
    standard_name: Annotated[
        Line | None,
        Meta(description="Standard name that the level applies to, instead of a pattern."),
    ] = None
    modality: Annotated[
        Literal[*MODALITIES],  # type: ignore[valid-type]
        Meta(description="Modality type of the studies."),
    ]
    quantity: Annotated[
        Literal[*QUANTITIES],  # type: ignore[valid-type]
        Meta(description="Quantity that the level is for: a name from `quantities`."),
    ]
    value: Annotated[
        float, Meta(ge=1e-9, le=1e9, description="Value of the level, in the unit shown on pages.")
    ]
    statistic: Annotated[
        Literal[*STATISTICS],  # type: ignore[valid-type]
        Meta(description="Statistic of the installation that is compared with the level."),
    ]
    age_from: Annotated[
        _Age | None, Meta(description="Minimum age of patients, in years (inclusive).")
    ] = None
    age_to: Annotated[
        _Age | None, Meta(description="Maximum age of patients, in years (exclusive).")
    ] = None
    weight_from: Annotated[
        _Weight | None, Meta(description="Minimum weight of patients, in kg (inclusive).")
    ] = None
    weight_to: Annotated[
        _Weight | None, Meta(description="Maximum weight of patients, in kg (exclusive).")
    ] = None
    phantom: Annotated[
        Literal[*PHANTOMS, None],  # type: ignore[valid-type]
        Meta(description="Phantom to which the CTDI values refer; null for either."),
    ] = None
    source: Annotated[Line, Meta(description="Publication that the level comes from.")]
    year: Annotated[
        Annotated[int, Meta(ge=1900, le=2200)] | None, Meta(description="Year of publication.")
    ] = None
    url: Annotated[
        _Url | None,
        Meta(description="Web address of the source, beginning with http:// or https://."),
    ] = None
    note: Annotated[Line | None, Meta(description="Further remarks.")] = None
    valid: Annotated[bool, Meta(description="Whether the level is currently used for comparisons.")]
    shipped_as: Annotated[
        Literal[*_SHIPPED, None],  # type: ignore[valid-type]
        Meta(description="Key of a level supplied with the program, to restore it."),
    ] = None


def list_levels(services: Services) -> dict[str, Any]:
    with services.store.reading() as connection:
        found = read_levels(connection)
    there = {level["shipped_as"] for level in found}
    return {
        # Only those of existing quantities: charts come and go with versions.
        "levels": [_level_answer(level) for level in found if level["quantity"] in QUANTITIES],
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


def add_level(services: Services, caller: Caller, body: ReferenceLevel) -> dict[str, Any]:
    level = _kept(body)
    numbers = _add(services, [level])
    if not numbers:
        raise _not_possible(
            "shipped_as", "This level, which is supplied with the program, is already in the list."
        )
    [number] = numbers
    services.audit.note(caller, "reference level added", f"reference level {number}", level["name"])
    return _level(services, number)


def change_level(
    services: Services, caller: Caller, id: int, body: ReferenceLevel
) -> dict[str, Any]:
    level = _kept(body)
    if not reference_levels.change_level(services.store, id, level):
        raise _unknown()
    services.audit.note(caller, "reference level changed", f"reference level {id}", level["name"])
    return _level(services, id)


def delete_level(services: Services, caller: Caller, id: int) -> dict[str, Any]:
    name = _level(services, id)["level"]["name"]
    if not reference_levels.delete_level(services.store, id):
        raise _unknown()
    services.audit.note(caller, "reference level deleted", f"reference level {id}", name)
    return {"deleted": True}


def load_levels(services: Services, caller: Caller) -> dict[str, Any]:
    shipped = reference_levels.shipped()
    levels = []
    for entry in shipped["levels"]:
        source = shipped["sources"][entry["source"]]
        title = f"{source['title']} ({source['licence']})" if source["licence"] else source["title"]
        told = {"statistic": "median", "valid": True, "source": title, "url": source["url"]}
        told |= {"shipped_as": entry["key"]}
        given = {name: value for name, value in entry.items() if name not in ("key", "unit")}
        levels.append(_kept(taken(given | told, ReferenceLevel)))
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
        return reference_levels.add_levels(services.store, levels)
    except TooMany as error:
        raise ApiError(
            409, "too_many", f"There can be at most {MOST} reference levels: delete some first."
        ) from error


def _level(services: Services, number: int) -> dict[str, Any]:
    with services.store.reading() as connection:
        found = [
            level
            for level in read_levels(connection)
            if level["id"] == number and level["quantity"] in QUANTITIES
        ]
    if not found:
        raise _unknown()
    return {"level": _level_answer(found[0])}


def _unknown() -> ApiError:
    return not_found("There is no reference level with this number.", "id")


def _not_possible(field: str, message: str) -> ApiError:
    return ApiError(409, "not_possible", message, field)


def _level_answer(level: ReferenceLevelRow) -> dict[str, Any]:
    of = QUANTITIES[level["quantity"] or ""][0].shown
    return {
        **level,
        "value": as_shown(level["value"], of.factor),
        "unit": of.unit,
        "matched": bool(level["pattern"] or level["standard_name"]),
    }


def _kept(level: ReferenceLevel) -> dict[str, Any]:
    """Return the level as it is stored.

    Raises ApiError 409, which names a property that conflicts with another one.
    """
    given = level.as_dict()
    quantity, modalities = QUANTITIES[given["quantity"]]
    if given["modality"] not in modalities:
        raise _not_possible(
            "quantity", f"Levels for this quantity are only possible for: {', '.join(modalities)}."
        )
    if given["phantom"] and not has_phantom(quantity):
        raise _not_possible(
            "phantom", "A phantom can only be given for values of CT irradiation events."
        )
    if given["pattern"] and given["standard_name"]:
        raise _not_possible(
            "standard_name", "A level can have a pattern or a standard name, but not both."
        )
    for low, high in _CLASSES:
        if given[low] is not None and given[high] is not None and given[low] >= given[high]:
            raise _not_possible(high, f"{high} must be greater than {low}.")
    texts = {name: value.strip() or None for name, value in given.items() if isinstance(value, str)}
    return given | texts | {"value": level.value / quantity.shown.factor}


_FIELDS = of_table(REFERENCE_LEVEL)["properties"] | {
    "unit": TEXT,
    "matched": FLAG,
    "modality": {"enum": list(MODALITIES)},
    "quantity": {"enum": list(QUANTITIES)},
    "statistic": {"enum": list(STATISTICS)},
    "phantom": {"enum": [*PHANTOMS, None]},
    "source": TEXT,
    "valid": FLAG,
}
_LEVEL = component("level", any_object(**_FIELDS))
_QUANTITY = component(
    "level_quantity",
    any_object(
        name={"enum": list(QUANTITIES)},
        **dict.fromkeys(("field", "label", "unit"), TEXT),
        level={"enum": ["study", "event"]},
        modalities=array({"enum": list(MODALITIES)}),
        phantom=FLAG,
    ),
)
_LIST = any_object(
    levels=array(_LEVEL),
    quantities=array(_QUANTITY),
    shipped=any_object(
        version=TEXT,
        sources=array(any_object(title=TEXT, url=TEXT, licence=TEXT_OR_NULL)),
        missing=INTEGER,
    ),
    statistics=TEXTS_BY_NAME,
    phantoms=TEXTS_BY_NAME,
)
_ID = Parameter("id", "integer", "Number of the level.", minimum=1, in_path=True)
_ONE = any_object(level=_LEVEL)
component("level_list", _LIST)
_ABOUT = (
    "A level applies to the names that match its pattern (wildcards * ? [seq] [!seq], case is "
    "ignored) or that have its standard name; with neither, it is not compared with anything. "
    "Age and weight ranges include their lower limit and exclude their upper limit. `value` is "
    "in the unit shown on pages, which `quantities` lists. `shipped_as`: key of a level supplied "
    "with the program, to restore it after it was deleted; changing a level does not change this "
    "key."
)

REFERENCE_LEVEL_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/reference-levels",
        list_levels,
        "List the reference levels and the quantities that they can be set for",
        {200: _LIST},
        tag="Reference levels",
        description=f"{_ABOUT} `shipped`: the levels supplied with the program; `missing`: how "
        "many of them are not in the list.",
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
        body=ReferenceLevel,
        with_caller=True,
        needs=ADMINISTRATION,
    ),
    Route(
        "POST",
        "/reference-levels/load",
        load_levels,
        "Add the levels supplied with the program",
        {200: any_object(**_LIST["properties"], added=INTEGER)},
        errors=(409,),
        tag="Reference levels",
        description="Adds only levels that are not in the list. Levels that were changed stay as "
        "they are.",
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
        body=ReferenceLevel,
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

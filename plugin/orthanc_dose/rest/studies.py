"""The routes of studies: lists, summaries of filtered studies, one study, its neighbours, and the
other studies of its patient.
"""

import json
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, TypeAlias

from ..query import history, lists, studies
from ..query.filter_types import EMPTY, Filter
from ..query.filters import FILTERS, TEST_DATA, or_hashes
from ..records import IDENTITY_FIELDS
from ..records.given import Meta
from ..records.study import UNDER_RULES
from .answer_schemas import (
    CONTENT,
    HISTORY,
    INTEGER,
    INTEGER_OR_NULL,
    any_object,
    array,
    component,
    ref,
)
from .answers import Content, Download, plain
from .errors import ApiError, bad_body, not_found
from .parameters import Parameter
from .routes import VIEW, Caller, Route
from .services import Services
from .shortening import LARGEST_CONTENT, LONGEST, short_content


def _titled(of: Filter) -> str:
    return f"{of.label} [{of.unit}]" if of.unit and of.unit != "1" else of.label


def _parameters(of: Filter) -> Iterator[Parameter]:
    for role, declared in of.roles.items():
        words = [f"{_titled(of)}: {declared.description}", of.description]
        allowed = (
            ("yes", "no")
            if declared.kind == "choice"
            else tuple(choice.value for choice in of.choices)
        )
        yield Parameter(
            of.parameter(role),
            declared.kind,
            " ".join(filter(None, words)),
            allowed=allowed,
            minimum=1 if of.type == "id" else None,
            identity=of.identity,
            group="filters",
        )


FILTER_PARAMETERS = tuple(parameter for one in FILTERS for parameter in _parameters(one))
_BY_NAME = {parameter.name: parameter for parameter in FILTER_PARAMETERS}
_UNDER_RULES = {
    one.parameter(role) for one in FILTERS if one.name in UNDER_RULES for role in one.roles
}


def _filter_schemas() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each parameter's name with the schema of its text.

    What a role does is the same for all filters of a type, and is described once, in a component
    named after both.
    """
    for of in FILTERS:
        about = " ".join(filter(None, (f"{_titled(of)}.", of.description)))
        for role, declared in of.roles.items():
            parameter = _BY_NAME[of.parameter(role)]
            schema = parameter.text_schema()
            if declared.kind == "choices":  # each has its own schema
                yield parameter.name, schema | {"description": parameter.description}
                continue
            name = role if declared is EMPTY else f"{of.type}_{role}"
            component(name, schema | {"description": declared.description})
            yield parameter.name, ref(name) | {"description": about}


# In addresses and in bodies: the filters of a list, as text by the names of their parameters.
component(
    "filters",
    {
        "type": "object",
        "description": "What filters are set to, each property a parameter by itself. A study "
        "must match all of them.",
        "additionalProperties": False,
        "properties": dict(_filter_schemas()),
    },
)
Query: TypeAlias = Annotated[
    dict[str, str],
    Meta(
        extra={"words": "an object of filters' parameters with their values as text"},
        extra_json_schema=ref("filters"),
    ),
]
PAGE = (
    Parameter("limit", "integer", "How many rows at most.", 50, 1, 500),
    Parameter("offset", "integer", "How many rows to pass over.", 0, 0, 1_000_000_000),
)
_SORT = Parameter(
    "sort",
    "sort",
    "Column to sort by; - before it sorts downwards.",
    "-study_date",
    allowed=lists.SORTABLE,
)
_ID = Parameter("id", "integer", "The study's number.", minimum=1, in_path=True)
_FILTERED = (
    "Filters combine: a study must match all of them. Where one looks at irradiation events, a "
    "study matches by one of its"
    f" events. Possible test data is left out unless {TEST_DATA.name} asks for it. Numbers are in "
    f"the unit in brackets."
)


def parsed(query: Query, caller: Caller) -> dict[str, Any]:
    """Return the values of a body's filters, with None for parameters that are not in it.

    Raises ApiError 400, or 403 for filters that the caller may not use.
    """
    values: dict[str, Any] = dict.fromkeys(_BY_NAME)
    for name, value in query.items():
        place = f"query.{name[:100]}"
        if name not in _BY_NAME:
            message = f"query has parameters of filters; {name[:100]!r} is none."
            raise bad_body(place, message)
        try:
            values[name] = _BY_NAME[name].parse(value)
            if not caller.sees_identity:
                _BY_NAME[name].refuse_identity(values[name])
        except ApiError as error:
            error.field = place
            raise
    return values


def filters_to_tell(query: Query) -> dict[str, str]:
    """Return the filters to be stored and shown, with typed values under the identity rules masked."""
    return {name: "…" if name in _UNDER_RULES else value for name, value in query.items()}


def get_studies(
    services: Services,
    caller: Caller,
    sort: str,
    limit: int,
    offset: int,
    columns: list[str] | None,
    **filters: Any,
) -> dict[str, Any]:
    modality = filters["modality"][0] if len(filters["modality"] or ()) == 1 else None
    wanted = tuple(columns) if columns is not None else lists.usual_columns(modality)
    with services.store.reading() as connection:
        found = lists.page_of_studies(
            connection, or_hashes(filters, services.hashes), sort, limit, offset, wanted
        )
    _note_identity(services, caller, "list", found["studies"])
    return found


def count_studies(services: Services, **filters: Any) -> dict[str, Any]:
    with services.store.reading() as connection:
        return {"total": lists.count_studies(connection, or_hashes(filters, services.hashes))}


def get_study(services: Services, caller: Caller, id: int) -> dict[str, Any]:
    with services.store.reading() as connection:
        found = studies.study(connection, id)
    if found is None:
        raise not_found("There is no study of this number.", "id")
    detail = studies.as_json(found)
    if not caller.sees_identity:
        detail |= dict.fromkeys(IDENTITY_FIELDS)
        detail["patient"] |= dict.fromkeys(IDENTITY_FIELDS)
    _note_identity(services, caller, "study", [detail])
    held = services.orthanc_studies(detail["study_instance_uid"])
    return detail | {"orthanc_studies": len(held)}


def get_content(services: Services, id: int, whole: str) -> Any:
    with services.store.reading() as connection:
        if studies.study(connection, id) is None:
            raise not_found("There is no study of this number.", "id")
        found = studies.kept_content(connection, id)
    if whole == "yes":
        raw = json.dumps({"objects": found, "cut": False}, default=plain).encode()
        return Content(Download(raw, "application/json", f"study-{id}-content.json"))
    objects, cut = short_content(found, plain)
    return {"objects": objects, "cut": cut}


def get_neighbours(services: Services, id: int, sort: str, **filters: Any) -> dict[str, Any]:
    with services.store.reading() as connection:
        return lists.neighbours(connection, id, or_hashes(filters, services.hashes), sort)


def get_history(services: Services, caller: Caller, id: int, **days: date | None) -> dict[str, Any]:
    with services.store.reading() as connection:
        found = history.of_patient(connection, id, days["from"], days["to"])
    if found is None:
        raise not_found("There is no study of this number.", "id")
    if not caller.sees_identity:
        found |= dict.fromkeys(IDENTITY_FIELDS)
    _note_identity(
        services, caller, "history", [{"id": id} | {name: found[name] for name in IDENTITY_FIELDS}]
    )
    return found


def _note_identity(
    services: Services, caller: Caller, view: str, rows: list[dict[str, Any]]
) -> None:
    """Record in the audit log which studies revealed to the caller who their patients are."""
    told = [row["id"] for row in rows if any(row.get(name) is not None for name in IDENTITY_FIELDS)]
    if told:
        services.audit.note(
            caller, "patient identity seen", view, f"studies {', '.join(map(str, told))}"
        )


STUDY_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/studies",
        get_studies,
        "A page of the studies that the filters leave",
        {200: any_object(total=INTEGER, studies=array(ref("study_in_list")))},
        (
            *FILTER_PARAMETERS,
            _SORT,
            *PAGE,
            Parameter(
                "columns",
                "choices",
                "Columns of the rows, separated by commas; without it the usual ones.",
                allowed=lists.columns_of(None),
            ),
        ),
        (403,),
        description=_FILTERED,
        with_caller=True,
        needs=VIEW,
    ),
    Route(
        "GET",
        "/studies/count",
        count_studies,
        "How many studies the filters leave",
        {200: any_object(total=INTEGER)},
        FILTER_PARAMETERS,
        (403,),
        description=_FILTERED,
        needs=VIEW,
    ),
    Route(
        "GET",
        "/studies/{id}",
        get_study,
        "A study with equipment, patient, accumulated dose, events, objects",
        {200: ref("study")},
        (_ID,),
        (404,),
        with_caller=True,
        needs=VIEW,
    ),
    Route(
        "GET",
        "/studies/{id}/content",
        get_content,
        "The kept content of a study's objects",
        {200: CONTENT},
        (
            _ID,
            Parameter(
                "whole",
                "choice",
                "Whether all of it is wanted, however much it is: yes gives a file to keep.",
                default="no",
                allowed=("no", "yes"),
            ),
        ),
        (404,),
        description=f"Texts are cut after {LONGEST:,} characters, as in all answers, with "
        '"… (N more characters)" at their end, and lists when the answer is full, at about '
        f"{LARGEST_CONTENT // 10**6} MB: `left_out` says how many elements of the header, or items "
        "below one, are missing. `cut` is true when anything is.",
        needs=VIEW,
    ),
    Route(
        "GET",
        "/studies/{id}/neighbours",
        get_neighbours,
        "Where a study stands in a list, and what is next to it",
        {
            200: any_object(
                position=INTEGER_OR_NULL,
                total=INTEGER,
                previous=INTEGER_OR_NULL,
                next=INTEGER_OR_NULL,
            )
        },
        (_ID, *FILTER_PARAMETERS, _SORT),
        (403,),
        description=_FILTERED,
        needs=VIEW,
    ),
    Route(
        "GET",
        "/studies/{id}/history",
        get_history,
        "All studies of the patient of a study, and their sums",
        {200: HISTORY},
        (
            _ID,
            Parameter("from", "date", "Studies of this day or after."),
            Parameter("to", "date", "Studies of this day or before."),
        ),
        (404,),
        description="The patient is known by the patient ID as the installation keeps it, as "
        "written or hashed; where it"
        " keeps none, `identified` is null and no study is listed. Sums are over the studies that "
        "give the value. Name and ID"
        ' are for those of the group "patient identity".',
        with_caller=True,
        needs=VIEW,
    ),
)

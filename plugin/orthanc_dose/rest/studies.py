"""The routes of studies: lists, summaries of filtered studies, one study, its neighbours, and the
other studies of its patient.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
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
            declared.values
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
        "description": "Values of the filters; each property is a parameter of its own. A study "
        "must match all of them.",
        "additionalProperties": False,
        "properties": dict(_filter_schemas()),
    },
)
Query: TypeAlias = Annotated[
    dict[str, str],
    Meta(
        extra={"words": "an object with the parameters of filters and their values as text"},
        extra_json_schema=ref("filters"),
    ),
]
PAGE = (
    Parameter("limit", "integer", "Maximum number of rows.", 50, 1, 500),
    Parameter("offset", "integer", "Number of rows to skip.", 0, 0, 1_000_000_000),
)
_SORT = Parameter(
    "sort",
    "sort",
    "Column to sort by; a leading - sorts in descending order.",
    "-study_date",
    allowed=lists.SORTABLE,
)
_ID = Parameter("id", "integer", "Number of the study.", minimum=1, in_path=True)
_FILTERED = (
    "A study must match all filters. A filter on irradiation events matches if one of the "
    f"study's events does. Possible test data is excluded unless {TEST_DATA.name} includes it. "
    "Numbers are in the unit in brackets."
)


def parsed(query: Query, caller: Caller) -> dict[str, Any]:
    """Return the values of a body's filters, with None for parameters that are not in it.

    Raises ApiError 400, or 403 for filters that the caller may not use.
    """
    values: dict[str, Any] = dict.fromkeys(_BY_NAME)
    for name, value in query.items():
        place = f"query.{name[:100]}"
        if name not in _BY_NAME:
            message = (
                f"query may only contain parameters of filters, and {name[:100]!r} is not "
                "one; /dose/api/openapi.json lists all of them."
            )
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
) -> lists.StudyPage:
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
        raise not_found("There is no study with this number.", "id")
    if not caller.sees_identity:
        found = studies.without(found, IDENTITY_FIELDS)
    detail = studies.as_json(found)
    _note_identity(services, caller, "study", [detail])
    held = services.orthanc_studies(detail["study_instance_uid"])
    return detail | {"orthanc_studies": len(held)}


def get_content(services: Services, id: int, whole: str) -> Any:
    with services.store.reading() as connection:
        if studies.study(connection, id) is None:
            raise not_found("There is no study with this number.", "id")
        found = studies.kept_content(connection, id)
    if whole == "yes":
        raw = json.dumps({"objects": found, "cut": False}, default=plain).encode()
        return Content(Download(raw, "application/json", f"study-{id}-content.json"))
    objects, cut = short_content(found, plain)
    return {"objects": objects, "cut": cut}


def get_neighbours(services: Services, id: int, sort: str, **filters: Any) -> lists.Neighbours:
    with services.store.reading() as connection:
        return lists.neighbours(connection, id, or_hashes(filters, services.hashes), sort)


def get_history(services: Services, caller: Caller, id: int, **days: date | None) -> dict[str, Any]:
    with services.store.reading() as connection:
        found = history.of_patient(connection, id, days["from"], days["to"])
    if found is None:
        raise not_found("There is no study with this number.", "id")
    if not caller.sees_identity:
        found |= dict.fromkeys(IDENTITY_FIELDS)
    _note_identity(
        services, caller, "history", [{"id": id} | {name: found[name] for name in IDENTITY_FIELDS}]
    )
    return found


def _note_identity(
    services: Services, caller: Caller, view: str, rows: Iterable[Mapping[str, Any]]
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
        "Return a page of the studies that match the filters",
        {200: any_object(total=INTEGER, studies=array(ref("study_in_list")))},
        (
            *FILTER_PARAMETERS,
            _SORT,
            *PAGE,
            Parameter(
                "columns",
                "choices",
                "Columns of the rows, separated by commas; without it, the usual columns.",
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
        "Return the number of studies that match the filters",
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
        "Return a study with equipment, patient, accumulated dose, events and objects",
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
        "Return the kept content of a study's objects",
        {200: CONTENT},
        (
            _ID,
            Parameter(
                "whole",
                "choice",
                "Whether to return the full content, however large: yes returns it as a file.",
                default="no",
                allowed=("no", "yes"),
            ),
        ),
        (404,),
        description=f"Texts are truncated after {LONGEST:,} characters, as in all answers, and "
        'end with "… (N more characters)". Lists are truncated when the answer '
        f"reaches about {LARGEST_CONTENT // 10**6} MB: `left_out` is the number of "
        "missing elements of the header, or of missing items below an item. `cut` is "
        "true if anything is missing.",
        needs=VIEW,
    ),
    Route(
        "GET",
        "/studies/{id}/neighbours",
        get_neighbours,
        "Return the position of a study in a list, and its neighbours",
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
        "List all studies of a study's patient, with their totals",
        {200: HISTORY},
        (
            _ID,
            Parameter("from", "date", "Only studies on or after this date."),
            Parameter("to", "date", "Only studies on or before this date."),
        ),
        (404,),
        description="Studies belong to the same patient if they have the same patient ID, as "
        "written or hashed, depending on how the installation keeps it; if it keeps "
        "none, `identified` is null and no studies are listed. Totals are over the "
        "studies that have the value. Name and ID are returned only to the group "
        '"patient identity".',
        with_caller=True,
        needs=VIEW,
    ),
)

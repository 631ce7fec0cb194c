"""The routes between our pages and Orthanc's: links to what Orthanc holds, and what became of the
objects stored there.

Orthanc's identifiers are derived from the patient ID, so no answer contains one. A link is a route
of ours that asks Orthanc when it is followed, and only for users who may use Orthanc's own pages.
"""

from typing import Annotated, Any

from ..query import objects
from ..records.given import END, Given, Meta
from .answer_schemas import any_object, array, ref
from .answers import Content
from .errors import ApiError, not_found
from .parameters import Parameter
from .routes import VIEW, WATCHING, Caller, Route
from .services import Services

MOST_STORED = 500
_Identifier = Annotated[str, Meta(pattern=rf"^[0-9a-f]{{8}}(-[0-9a-f]{{8}}){{4}}{END}")]


class StoredObjects(Given):
    """Objects that were stored in Orthanc."""

    orthanc_ids: Annotated[
        list[_Identifier],
        Meta(
            min_length=1,
            max_length=MOST_STORED,
            description="Orthanc's identifiers of the instances.",
            extra={"words": f"a list of 1 to {MOST_STORED} identifiers of instances in Orthanc"},
        ),
    ]


def object_in_orthanc(services: Services, caller: Caller, handle: str) -> Content:
    _check(caller)
    with services.store.reading() as connection:
        found = objects.list_objects(connection, {"handle": handle}, "handle", 1, 0)["objects"]
    if not found:
        raise not_found("There is no object with this handle.", "handle")
    held = services.orthanc_objects(found)
    if not held:
        raise not_found("Orthanc no longer has this object.", "handle")
    return _to_page("instance", held[handle])


def study_in_orthanc(services: Services, caller: Caller, id: int, number: int) -> Content:
    _check(caller)
    with services.store.reading() as connection:
        uid = objects.study_instance_uid(connection, id)
    if uid is None:
        raise not_found("There is no study with this number.", "id")
    held = sorted(services.orthanc_studies(uid))
    if number > len(held):
        raise not_found("Orthanc no longer has this study.", "number")
    return _to_page("study", held[number - 1])


def stored_objects(services: Services, caller: Caller, body: StoredObjects) -> dict[str, Any]:
    _check(caller)
    handles = list(map(services.store.handle, body.orthanc_ids))
    with services.store.reading() as connection:
        found = objects.list_objects(connection, {"handle": handles}, "handle", MOST_STORED, 0)
    return {"objects": found["objects"]}


def _check(caller: Caller) -> None:
    # Orthanc's own routes do not accept our tokens.
    if not caller.orthanc or caller.way == "token":
        raise ApiError(
            403, "needs_orthanc", "This is only for users who may use Orthanc's own pages."
        )


def _to_page(level: str, identifier: str) -> Content:
    address = f"/app/explorer.html#{level}?uuid={identifier}"
    return Content({}, 302, headers={"Location": address})


_ELSEWHERE: dict[int, dict[str, Any]] = {302: any_object()}
_WHOM = (
    "Looks the item up in Orthanc when the link is followed, and redirects to its page in "
    "Orthanc Explorer. Only for users who may use Orthanc's own pages."
)

ORTHANC_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/objects/{handle}/orthanc",
        object_in_orthanc,
        "Redirect to an object in Orthanc Explorer",
        _ELSEWHERE,
        (Parameter("handle", "word", "Handle of the object.", in_path=True, maximum=100),),
        (403, 404),
        "Objects",
        _WHOM,
        with_caller=True,
        needs=WATCHING,
    ),
    Route(
        "GET",
        "/studies/{id}/orthanc",
        study_in_orthanc,
        "Redirect to a study in Orthanc Explorer",
        _ELSEWHERE,
        (
            Parameter("id", "integer", "Number of the study.", minimum=1, in_path=True),
            Parameter(
                "number",
                "integer",
                "Which one to open if Orthanc has the study under several patient IDs.",
                1,
                1,
                1000,
            ),
        ),
        (403, 404),
        description=_WHOM,
        with_caller=True,
        needs=VIEW,
    ),
    Route(
        "POST",
        "/objects/stored",
        stored_objects,
        "Return the outcomes of objects that were stored in Orthanc",
        {200: any_object(objects=array(ref("object_row")))},
        errors=(403, 413),
        tag="Objects",
        description="Objects are looked up by the identifiers that Orthanc returns when it "
        "stores them; objects that have not been read yet are omitted. Only for "
        "users who may use Orthanc's own pages.",
        body=StoredObjects,
        with_caller=True,
        needs=WATCHING,
    ),
)

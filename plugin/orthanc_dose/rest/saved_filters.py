"""The routes of saved filters: named filters that a user applies often, kept on the server."""

from typing import Annotated, Any, Literal

from ..records import MODALITIES
from ..records.given import Given, Meta
from ..store import settings
from .errors import bad_body, not_found
from .parameters import Parameter
from .routes import SIGNED_IN, Caller, Route
from .schemas import FLAG, SAVED_FILTER, any_object, array
from .services import Services
from .studies import Query, parsed

_KIND = "saved filter"
_NAME = Parameter("name", "text", "Name of the saved filter.", maximum=100, in_path=True)


class FilterToSave(Given):
    """Filters to be saved."""

    modality: Annotated[
        Literal[*MODALITIES, None],  # type: ignore[valid-type]
        Meta(
            description="Modality type of the list that the filters belong to; null for the "
            "list of all studies."
        ),
    ]
    query: Query


def list_saved(services: Services, caller: Caller) -> dict[str, Any]:
    with services.store.reading() as connection:
        found = settings.listed(connection, caller.name, _KIND)
    return {"saved": [{"name": name, **value} for name, value in found.items()]}


def save(services: Services, name: str, caller: Caller, body: FilterToSave) -> dict[str, Any]:
    if not name.strip():
        raise bad_body("name", "The name must not be empty.")
    parsed(body.query, caller)
    value = {"modality": body.modality, "query": body.query}
    settings.put(services.store, caller.name, _KIND, name, value)
    return {"saved": {"name": name, **value}}


def forget(services: Services, name: str, caller: Caller) -> dict[str, Any]:
    if not settings.remove(services.store, caller.name, _KIND, name):
        raise not_found("There is no saved filter with this name.", "name")
    return {"deleted": True}


SAVED_FILTER_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/saved-filters",
        list_saved,
        "List the filters that you saved",
        {200: any_object(saved=array(SAVED_FILTER))},
        with_caller=True,
        needs=SIGNED_IN,
    ),
    Route(
        "PUT",
        "/saved-filters/{name}",
        save,
        "Save filters under a name, replacing any with the same name",
        {200: any_object(saved=SAVED_FILTER)},
        (_NAME,),
        (403, 413),
        body=FilterToSave,
        with_caller=True,
        needs=SIGNED_IN,
    ),
    Route(
        "DELETE",
        "/saved-filters/{name}",
        forget,
        "Delete saved filters",
        {200: any_object(deleted=FLAG)},
        (_NAME,),
        (404,),
        with_caller=True,
        needs=SIGNED_IN,
    ),
)

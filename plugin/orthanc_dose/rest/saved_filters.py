"""The routes of saved filters: what a user looks for often, under a name, kept on the server."""

from typing import Any

from ..records import MODALITIES
from ..store import settings
from .errors import bad_body, not_found
from .parameters import Parameter
from .routes import SIGNED_IN, Caller, Route
from .schemas import SAVED_FILTER, any_object, array
from .services import Services
from .studies import QUERY, parsed

_KIND = "saved filter"
_NAME = Parameter("name", "text", "What it is called.", maximum=100, in_path=True)


def list_saved(services: Services, caller: Caller) -> dict[str, Any]:
    with services.store.reading() as connection:
        found = settings.listed(connection, caller.name, _KIND)
    return {"saved": [{"name": name, **value} for name, value in found.items()]}


def save(services: Services, name: str, caller: Caller, body: Any) -> dict[str, Any]:
    if not name.strip():
        raise bad_body("name", "The name must not be empty.")
    value = _checked(body, caller)
    settings.put(services.store, caller.name, _KIND, name, value)
    return {"saved": {"name": name, **value}}


def _checked(body: Any, caller: Caller) -> dict[str, Any]:
    if not isinstance(body, dict) or set(body) != {"modality", "query"}:
        raise bad_body(
            None,
            'The body must be {"modality": a modality type or null, "query": {parameter: value, '
            "…}}.",
        )
    modality = body["modality"]
    if modality is not None and (not isinstance(modality, str) or modality not in MODALITIES):
        raise bad_body("modality", f"modality must be null or one of: {', '.join(MODALITIES)}.")
    parsed(body["query"], caller)
    return {"modality": modality, "query": body["query"]}


def forget(services: Services, name: str, caller: Caller) -> dict[str, Any]:
    if not settings.remove(services.store, caller.name, _KIND, name):
        raise not_found("There is no saved filter of this name.", "name")
    return {"deleted": True}


_BODY = {
    "type": "object",
    "properties": {
        "modality": {"enum": [*MODALITIES, None]},
        "query": QUERY,
    },
    "required": ["modality", "query"],
    "additionalProperties": False,
}

SAVED_FILTER_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/saved-filters",
        list_saved,
        "The filters that you saved",
        {200: any_object(saved=array(SAVED_FILTER))},
        with_caller=True,
        needs=SIGNED_IN,
    ),
    Route(
        "PUT",
        "/saved-filters/{name}",
        save,
        "Save filters under a name, in place of those that have it",
        {200: any_object(saved=SAVED_FILTER)},
        (_NAME,),
        (403, 413),
        body=_BODY,
        with_caller=True,
        needs=SIGNED_IN,
    ),
    Route(
        "DELETE",
        "/saved-filters/{name}",
        forget,
        "Forget saved filters",
        {200: any_object(deleted={"type": "boolean"})},
        (_NAME,),
        (404,),
        with_caller=True,
        needs=SIGNED_IN,
    ),
)

"""The routes of standard names: what an installation calls protocols and procedures, whatever the
systems write.
"""

from typing import Any

from ..manage import name_map
from ..manage.name_map import COLUMNS, MOST_ENTRIES, BadEntry
from ..query import names
from ..records import INDEXED, MODALITIES
from .answers import Content, Download
from .equipment import LINE_OF_TEXT
from .errors import bad_body
from .parameters import Parameter
from .routes import ADMINISTRATION, WATCHING, Route
from .schemas import INTEGER, TEXT, TEXT_OR_NULL, any_object, array
from .services import Services, in_time
from .studies import PAGE


def list_names(services: Services) -> dict[str, Any]:
    with services.store.reading() as connection:
        return {"kinds": list(INDEXED), "entries": names.entries(connection)}


def replace_names(services: Services, body: Any) -> tuple[int, dict[str, Any]]:
    entries = _entries(body)
    return _change(services, lambda there: entries)


def add_names(services: Services, body: Any) -> tuple[int, dict[str, Any]]:
    entries = _entries(body)
    return _change(services, lambda there: name_map.with_entries(there, entries))


def import_names(services: Services, body: Any) -> tuple[int, dict[str, Any]]:
    if not isinstance(body, dict) or set(body) != {"csv", "replace"}:
        raise bad_body(None, "The body must have csv and replace, and nothing else.")
    if not isinstance(body["csv"], str):
        raise bad_body("csv", "csv must be the text of a CSV file.")
    if not isinstance(body["replace"], bool):
        raise bad_body("replace", "replace must be true or false.")
    try:
        entries = name_map.from_csv(body["csv"])
    except BadEntry as error:
        raise bad_body("csv", str(error)) from error
    return _change(
        services,
        lambda there: entries if body["replace"] else name_map.with_entries(there, entries),
    )


def export_names(services: Services) -> Content:
    with services.store.reading() as connection:
        return Content(
            Download(
                name_map.as_csv(names.entries(connection)),
                "text/csv; charset=utf-8",
                "standard-names.csv",
            )
        )


def list_unmapped(services: Services, kind: str, limit: int, offset: int) -> dict[str, Any]:
    with services.store.reading() as connection:
        return names.unmapped(connection, kind, limit, offset)


def _entries(body: Any) -> list[dict[str, Any]]:
    if not isinstance(body, dict) or set(body) != {"entries"}:
        raise bad_body(None, "The body must have entries, and nothing else.")
    try:
        return name_map.checked(body["entries"])
    except BadEntry as error:
        raise bad_body("entries", str(error)) from error


def _change(services: Services, change: Any) -> tuple[int, dict[str, Any]]:
    try:
        done = in_time(services.requests.change_names(change))
    except BadEntry as error:
        raise bad_body("entries", str(error)) from error
    return (200, list_names(services)) if done else (202, {"queued": True})


_ENTRY = any_object(
    kind={"enum": list(INDEXED)},
    pattern=LINE_OF_TEXT,
    modality={"enum": [None, *MODALITIES]},
    standard_name=LINE_OF_TEXT,
) | {"additionalProperties": False}
_BODY = any_object(entries=array(_ENTRY) | {"maxItems": MOST_ENTRIES}) | {
    "additionalProperties": False
}
_LIST = any_object(
    kinds=array(TEXT),
    entries=array(any_object(**dict.fromkeys(COLUMNS, TEXT) | {"modality": TEXT_OR_NULL})),
)
_CHANGED = {200: _LIST, 202: any_object(queued={"type": "boolean"})}
_HOW = (
    "An entry names the texts of a kind that its pattern fits; of several that fit, the first "
    "counts. It holds at once."
)
_CSV = f"The first line names the columns: {', '.join(COLUMNS)}."

STANDARD_NAME_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/standard-names",
        list_names,
        "The map of standard names",
        {200: _LIST},
        tag="Standard names",
        description=_HOW,
        needs=WATCHING,
    ),
    Route(
        "PUT",
        "/standard-names",
        replace_names,
        "Replace the whole map",
        _CHANGED,
        errors=(413,),
        tag="Standard names",
        description=_HOW,
        body=_BODY,
        needs=ADMINISTRATION,
        action="standard names replaced",
    ),
    Route(
        "POST",
        "/standard-names",
        add_names,
        "Put entries into the map",
        _CHANGED,
        errors=(413,),
        tag="Standard names",
        description="In place of those with the same kind, pattern and modality type, the others "
        "behind. " + _HOW,
        body=_BODY,
        needs=ADMINISTRATION,
        action="standard names added",
    ),
    Route(
        "GET",
        "/standard-names/unmapped",
        list_unmapped,
        "Texts without a standard name, the most frequent first",
        {
            200: any_object(
                total=INTEGER, texts=array(any_object(text=TEXT, modality=TEXT, studies=INTEGER))
            )
        },
        (
            Parameter(
                "kind",
                "choice",
                "Of this field of the study.",
                "acquisition_protocols",
                allowed=INDEXED,
            ),
            *PAGE,
        ),
        tag="Standard names",
        needs=WATCHING,
    ),
    Route(
        "GET",
        "/standard-names/export",
        export_names,
        "The map as CSV",
        {200: TEXT},
        tag="Standard names",
        description=_CSV,
        needs=WATCHING,
    ),
    Route(
        "POST",
        "/standard-names/import",
        import_names,
        "Read the map from CSV",
        _CHANGED,
        errors=(413,),
        tag="Standard names",
        description=f"{_CSV} `replace`: the map is what the file says; else it is added to the "
        f"map.",
        body=any_object(csv=TEXT, replace={"type": "boolean"}) | {"additionalProperties": False},
        needs=ADMINISTRATION,
        action="standard names imported",
    ),
)

"""The routes of standard names: an installation's own names of protocols and procedures, whatever
the systems write.
"""

from typing import Annotated, Any

from ..manage import name_map
from ..manage.name_map import COLUMNS, MOST_ENTRIES, BadEntry, MapEntry
from ..query import names
from ..records import INDEXED
from ..records.given import Given, Meta
from .answer_schemas import FLAG, INTEGER, TEXT, any_object, array, component, ref
from .answers import Content, Download
from .errors import bad_body
from .parameters import Parameter
from .routes import ADMINISTRATION, WATCHING, Route
from .services import Services, in_time
from .studies import PAGE


class NameMap(Given):
    """Entries of the map of standard names."""

    entries: Annotated[
        list[MapEntry],
        Meta(max_length=MOST_ENTRIES, description="Entries in order of precedence."),
    ]


class NameMapFile(Given):
    """The map of standard names as a file."""

    csv: Annotated[str, Meta(description="Text of the CSV file.")]
    replace: Annotated[
        bool,
        Meta(
            description="Whether to replace the map with the contents of the file; "
            "otherwise they are added to it."
        ),
    ]


def list_names(services: Services) -> dict[str, Any]:
    with services.store.reading() as connection:
        return {"kinds": list(INDEXED), "entries": names.entries(connection)}


def replace_names(services: Services, body: NameMap) -> tuple[int, dict[str, Any]]:
    entries = name_map.kept_entries(body.entries)
    return _change(services, lambda there: entries)


def add_names(services: Services, body: NameMap) -> tuple[int, dict[str, Any]]:
    entries = name_map.kept_entries(body.entries)
    return _change(services, lambda there: name_map.with_entries(there, entries))


def import_names(services: Services, body: NameMapFile) -> tuple[int, dict[str, Any]]:
    try:
        entries = name_map.from_csv(body.csv)
    except BadEntry as error:
        raise bad_body("csv", str(error)) from error
    return _change(
        services,
        lambda there: entries if body.replace else name_map.with_entries(there, entries),
    )


def export_names(services: Services) -> Content:
    with services.store.reading() as connection:
        return Content(
            Download(
                name_map.map_as_csv(names.entries(connection)),
                "text/csv; charset=utf-8",
                "standard-names.csv",
            )
        )


def list_unmapped(services: Services, kind: str, limit: int, offset: int) -> dict[str, Any]:
    with services.store.reading() as connection:
        return names.unmapped(connection, kind, limit, offset)


def _change(services: Services, change: Any) -> tuple[int, dict[str, Any]]:
    try:
        done = in_time(services.requests.change_names(change))
    except BadEntry as error:
        raise bad_body("entries", str(error)) from error
    return (200, list_names(services)) if done else (202, {"queued": True})


_LIST = any_object(
    kinds=array({"enum": list(INDEXED)}),
    entries=array(ref("MapEntry")),
)
component("standard_names", _LIST)
_UNMAPPED = component("unmapped_text", any_object(text=TEXT, modality=TEXT, studies=INTEGER))
_CHANGED = {200: _LIST, 202: any_object(queued=FLAG)}
_HOW = (
    "An entry gives a name to the texts of a kind that match its pattern; if several entries "
    "match, the first one applies. Changes take effect at once."
)
_CSV = f"The first line contains the column names: {', '.join(COLUMNS)}."

STANDARD_NAME_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/standard-names",
        list_names,
        "Return the map of standard names",
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
        body=NameMap,
        needs=ADMINISTRATION,
        action="standard names replaced",
    ),
    Route(
        "POST",
        "/standard-names",
        add_names,
        "Add entries to the map",
        _CHANGED,
        errors=(413,),
        tag="Standard names",
        description="Entries replace those with the same kind, pattern and modality type; others "
        "are appended. " + _HOW,
        body=NameMap,
        needs=ADMINISTRATION,
        action="standard names added",
    ),
    Route(
        "GET",
        "/standard-names/unmapped",
        list_unmapped,
        "List texts without a standard name, most frequent first",
        {200: any_object(total=INTEGER, texts=array(_UNMAPPED))},
        (
            Parameter(
                "kind",
                "choice",
                "Field of the study that contains the texts.",
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
        "Export the map as CSV",
        {200: TEXT},
        tag="Standard names",
        description=_CSV,
        needs=WATCHING,
    ),
    Route(
        "POST",
        "/standard-names/import",
        import_names,
        "Import the map from CSV",
        _CHANGED,
        errors=(413,),
        tag="Standard names",
        description=f"{_CSV} `replace`: replace the map with the contents of the file; otherwise "
        "they are added to it.",
        body=NameMapFile,
        needs=ADMINISTRATION,
        action="standard names imported",
    ),
)

"""The routes of tables of coefficients for effective doses: those that are shipped, and one of the
installation's own for each kind.
"""

from dataclasses import asdict
from typing import Annotated, Any

from ..estimates.own_tables import OWN_TABLES, own_tables
from ..estimates.tables import KINDS, BadTable, CoefficientTable, read_table, shipped
from ..records.given import Given, Meta
from ..store import stored_settings
from .answer_schemas import FLAG, TEXT, any_object, array, component
from .errors import bad_body, not_found
from .parameters import Parameter
from .routes import ADMINISTRATION, WATCHING, Route
from .services import Services

_EVERYBODY = ""


class OwnTable(Given):
    """A table of coefficients of the installation."""

    table: Annotated[
        dict[str, Any],
        Meta(
            description="The table: key, version, kind, title, weights (ICRP 60 or ICRP 103), unit, "
            "source, note, and rows with a region, an agent or a pattern, age_from, age_to, phantom, "
            "kv and coefficient. docs/estimates.md describes it.",
            extra={"words": "an object with the table"},
        ),
    ]


def list_tables(services: Services) -> dict[str, Any]:
    with services.store.reading() as connection:
        own = own_tables(connection)
    return {
        "tables": [
            *(_answer(table, own=False) for table in shipped().values()),
            *(_answer(table, own=True) for table in own.values()),
        ]
    }


def set_table(services: Services, kind: str, body: OwnTable) -> dict[str, Any]:
    try:
        table = read_table(body.table)
    except BadTable as error:
        raise bad_body("table", str(error)) from error
    if table.kind != kind:
        raise bad_body("table", f"The table is of the kind {table.kind} instead of {kind}.")
    stored_settings.write_setting(services.store, _EVERYBODY, OWN_TABLES, kind, body.table)
    services.followers.wake()
    return list_tables(services)


def delete_table(services: Services, kind: str) -> dict[str, Any]:
    if not stored_settings.delete_setting(services.store, _EVERYBODY, OWN_TABLES, kind):
        raise not_found("The installation has no table of this kind.", "kind")
    services.followers.wake()
    return list_tables(services)


def _answer(table: CoefficientTable, own: bool) -> dict[str, Any]:
    about = KINDS[table.kind][1]
    rows = [
        {about: name} | {"coefficient" if key == "value" else key: value for key, value in asdict(one).items()}
        for name, found in table.rows.items()
        for one in found
    ]  # fmt: skip
    texts = {name: getattr(table, name) for name in _TEXTS}
    return texts | {"own": own, "rows": rows}


_TEXTS = ("key", "version", "kind", "title", "weights", "unit", "source", "note")
_LIST = component(
    "estimate_tables",
    any_object(
        tables=array(
            any_object(
                **dict.fromkeys(_TEXTS, TEXT) | {"kind": {"type": "string", "enum": list(KINDS)}},
                own=FLAG,
                rows=array({"type": "object"}),
            )
        )
    ),
)
_KIND = Parameter("kind", "choice", "Kind of the table.", allowed=tuple(KINDS), in_path=True)
_AGAIN = "If effective doses are estimated with it, all studies are estimated again."

ESTIMATE_TABLE_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/estimate-tables",
        list_tables,
        "List the tables of coefficients for effective doses",
        {200: _LIST},
        tag="Estimates",
        needs=WATCHING,
    ),
    Route(
        "PUT",
        "/estimate-tables/{kind}",
        set_table,
        "Set the installation's own table of a kind",
        {200: _LIST},
        (_KIND,),
        errors=(413,),
        tag="Estimates",
        description=_AGAIN,
        body=OwnTable,
        needs=ADMINISTRATION,
        action="table of coefficients set",
    ),
    Route(
        "DELETE",
        "/estimate-tables/{kind}",
        delete_table,
        "Delete the installation's own table of a kind",
        {200: _LIST},
        (_KIND,),
        errors=(404,),
        tag="Estimates",
        description=_AGAIN,
        needs=ADMINISTRATION,
        action="table of coefficients deleted",
    ),
)

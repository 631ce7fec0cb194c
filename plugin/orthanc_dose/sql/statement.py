"""The statements that may run: a single SELECT that reads our views, as parsed by DuckDB itself.

This gives clear errors, and tells the audit log what was asked. It is not what protects the server:
a statement runs in its own process (child.py), which contains only a copy of the views, with DuckDB
locked against files, network and extensions.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from ..records import Field
from .views import VIEWS

LONGEST = 20_000
_DEEPEST = 900  # levels of the tree: what every version of Python reads, and DuckDB plans
# Functions that may appear after FROM beside views. Others read files and catalogs, or take memory
# addresses (arrow_scan).
_TABLE_FUNCTIONS = frozenset({"unnest", "range", "generate_series", "json_each", "json_tree"})
_PLACE = re.compile(r"\n\nLINE (\d+): (.*)\n( *)\^\s*$", re.DOTALL)


class Refused(Exception):
    """The statement cannot run, or was interrupted; the message is a sentence.

    place: line and column in its text, from 1. code: of the answer. asked: the statement, if it had
    been read by then.
    """

    asked: "Statement | None" = None

    def __init__(
        self, message: str, place: tuple[int, int] | None = None, code: str = "sql_not_allowed"
    ) -> None:
        super().__init__(message)
        self.place, self.code = place, code


@dataclass(frozen=True)
class Statement:
    """A statement that may run.

    sql: its text; views: those that it reads; told: its text without the values it compares with,
    which may be patients' names.
    """

    sql: str
    views: frozenset[str]
    told: str


def read(connection: duckdb.DuckDBPyConnection, sql: str) -> Statement:
    """Check a statement and return it. Raises Refused."""
    tree = _tree(connection, sql)
    defined = _defined(connection, tree)
    views = set()
    for node in _nodes(tree):
        if node.get("type") == "TABLE_FUNCTION":
            _check_table_function(sql, node)
        if node.get("type") == "SHOW_REF":
            raise Refused(
                "DESCRIBE, SHOW and SUMMARIZE are not available: the views are described next to "
                "the text."
            )
        if "table_name" in node:
            name = str(node["table_name"]).lower()
            if (
                node.get("catalog_name")
                or node.get("schema_name")
                or name not in defined | VIEWS.keys()
            ):
                raise Refused(
                    f"There is no view {_dotted(node)}. The views are: {', '.join(VIEWS)}.",
                    _place(sql, node),
                )
            if name in VIEWS:
                views.add(name)
    return Statement(sql, frozenset(views), _told(connection, tree))


def wrong(error: duckdb.Error, sql: str, before: int = 1) -> Refused:
    """Return DuckDB's error about a statement, with the place in its text.

    before: the number of lines before the statement in what DuckDB was given.
    """
    text = str(error)
    found = _PLACE.search(text)
    place = None
    if found:
        line, shown = int(found[1]) - before, found[2]
        column = len(found[3]) - len(f"LINE {found[1]}: ")
        lines = sql.split("\n")
        if 1 <= line <= len(lines):
            # DuckDB shows only a part of a long line, between dots.
            part = shown.removeprefix("...").removesuffix("...")
            cut = 3 if shown.startswith("...") else 0
            start = max(lines[line - 1].find(part), 0)
            place = line, max(start + column - cut, 0) + 1
        text = text[: found.start()]
    return Refused(text.strip(), place, "bad_sql")


def _tree(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    if len(sql) > LONGEST or "\0" in sql:
        raise Refused(
            f"A statement may have at most {LONGEST:,} characters, without NUL characters or "
            "surrogates."
        )
    try:
        sql.encode()
        statements = connection.extract_statements(sql)
        found = connection.execute("SELECT json_serialize_sql($1)", [sql]).fetchone()
        tree = json.loads(found[0]) if found else {}
    except UnicodeEncodeError as error:
        raise Refused(
            "The text contains NUL characters or surrogates, which are not allowed."
        ) from error
    except RecursionError as error:
        raise _too_deep() from error
    except duckdb.Error as error:
        raise wrong(error, sql, before=0) from error
    if len(statements) != 1:
        raise Refused(
            "Only one statement can be run at a time." if statements else "There is no statement."
        )
    if statements[0].named_parameters:
        raise Refused("Parameters are not supported: write the values into the statement.")
    if (
        statements[0].type != duckdb.StatementType.SELECT
        or tree.get("error")
        or len(tree.get("statements", ())) != 1
    ):
        raise Refused("Only SELECT can run.")
    level: list[Any] = [tree]
    for _ in range(_DEEPEST):
        level = [
            below
            for one in level
            for below in (one.values() if isinstance(one, dict) else one)
            if isinstance(below, (dict, list))
        ]
    if level:
        raise _too_deep()
    return tree


def _too_deep() -> Refused:
    return Refused("The statement is nested too deeply.")


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield all objects of the tree."""
    waiting = [tree]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _defined(connection: duckdb.DuckDBPyConnection, tree: dict[str, Any]) -> set[str]:
    """Return the names that WITH defines in a statement.

    Raises Refused if one is that of a table or a view, ours or DuckDB's: the name would then have
    different meanings in different places.
    """
    names = {
        str(entry["key"]).lower()
        for node in _nodes(tree)
        if isinstance(node.get("cte_map"), dict)
        for entry in node["cte_map"].get("map", ())
    }
    names |= {str(node["cte_name"]).lower() for node in _nodes(tree) if node.get("cte_name")}
    if names:
        query = "SELECT table_name FROM duckdb_tables() UNION SELECT view_name FROM duckdb_views()"
        known = {row[0].lower() for row in connection.execute(query).fetchall()}
        taken = sorted(names & (known | VIEWS.keys()))
        if taken:
            raise Refused(f"WITH {taken[0]}: this name is already in use, choose another.")
    return names


def _check_table_function(sql: str, node: dict[str, Any]) -> None:
    function = node.get("function") or {}
    name = str(function.get("function_name", "")).lower()
    if name not in _TABLE_FUNCTIONS:
        allowed = ", ".join(sorted(_TABLE_FUNCTIONS))
        raise Refused(
            f"{name or 'This'} cannot stand after FROM: views can, and {allowed}.",
            _place(sql, node),
        )


def _dotted(node: dict[str, Any]) -> str:
    parts = ("catalog_name", "schema_name", "table_name")
    return ".".join(str(node[part]) for part in parts if node.get(part))[:200]


def _place(sql: str, node: dict[str, Any]) -> tuple[int, int] | None:
    at = node.get("query_location", -1)
    raw = sql.encode()
    if not 0 <= at < len(raw):
        return None
    before = raw[:at].decode(errors="replace")
    return before.count("\n") + 1, len(before) - before.rfind("\n")


# Names that may be revealed: they are ours.
def _names(fields: tuple[Field, ...]) -> Iterator[str]:
    for field in fields:
        yield field.name
        yield from _names(field.fields)


_KNOWN = {
    *VIEWS,
    "value",
    "scheme",
    "meaning",
    *(name for view in VIEWS.values() for name in _names(view.fields)),
}
_UNTOLD = "…"


def _told(connection: duckdb.DuckDBPyConnection, tree: dict[str, Any]) -> str:
    """Return the statement as DuckDB writes it, with … for texts, long numbers, and unknown names.

    Known names are ours and those defined in the statement.
    """
    copy = json.loads(json.dumps(tree))
    nodes = list(_nodes(copy))
    aliases = {str(node["alias"]).lower() for node in nodes if node.get("alias")}
    aliases |= {
        str(name).lower()
        for node in nodes
        for name in node.get("column_name_alias") or ()
        if isinstance(name, str)
    }
    aliases |= {str(node["key"]).lower() for node in nodes if "key" in node}
    known = _KNOWN | {name for name in aliases if re.fullmatch(r"\w+", name)}
    for node in nodes:
        if node.get("type") == "VALUE_CONSTANT":
            value = node["value"]
            if (not value.get("is_null") and len(str(value.get("value", ""))) > 4) or isinstance(
                value.get("value"), str
            ):
                node["value"] = {
                    "type": {"id": "VARCHAR", "type_info": None},
                    "is_null": False,
                    "value": _UNTOLD,
                }
        for part in ("alias", "table_name", "relation_name"):
            if node.get(part) and str(node[part]).lower() not in known:
                node[part] = _UNTOLD
        if isinstance(node.get("column_names"), list):
            node["column_names"] = [
                name if str(name).lower() in known or len(str(name)) <= 2 else _UNTOLD
                for name in node["column_names"]
            ]
    try:
        found = connection.execute(
            "SELECT json_deserialize_sql($1::JSON)", [json.dumps(copy)]
        ).fetchone()
    except duckdb.Error:
        return _UNTOLD
    return found[0] if found else _UNTOLD

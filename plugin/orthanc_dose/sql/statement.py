"""What may run: one SELECT that reads our views, by DuckDB's own parser, and by the plan that it
makes of it.

Three things stand between a statement and what it must not reach, each by itself enough: the tree
that DuckDB parses it into is looked through here; so is the plan of what it would read, when all
names are resolved; and the locks of the store's instance (store/database.py) keep DuckDB from
files, network and extensions whatever it is told."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from ..records import Field
from ..store.index import BEHIND_VIEW
from .views import VIEWS

LONGEST = 20_000
_DEEPEST = 900  # levels of the tree: what every version of Python reads, and DuckDB plans
# What may stand after FROM beside views, and takes no more than a limit of rows can stop.
_TABLE_FUNCTIONS = frozenset({"unnest", "range", "generate_series", "json_each", "json_tree"})
# Functions that read settings, catalog, other SQL or the log, or that change something.
_REFUSED = re.compile(
    r"current_setting|getvariable|getenv|nextval|currval|setseed|sleep_ms|stats|write_log|in_search_path|txid_current"
    r"|current_(connection_id|query|query_id|transaction_id|schemas|database|catalog|schema|role|user)|session_user|user"
    r"|json_(de)?serialize_\w+|json_execute\w*|parse_duckdb_log_message|query|query_table|inet_\w+|col_description"
    r"|(sh)?obj_description|has_\w+_privilege|map_to_pg_oid|format_pg_type|format_type|pg_(?!size_pretty|typeof)\w+"
    r"|get_block_size|duckdb_\w+|pragma_\w+|__\w+|read_\w+|glob|getfield"
)
# They make values of a size that no limit of memory counts.
_TOO_LARGE = frozenset(
    {"range", "generate_series", "repeat", "list_resize", "array_resize", "bitstring"}
)
# Of a plan: what reads a table, and what makes rows of nothing.
_ROWS_OF_NOTHING = frozenset({"UNNEST", "RANGE", "GENERATE_SERIES", "JSON_EACH", "JSON_TREE"})
_PLACE = re.compile(r"\n\nLINE (\d+): (.*)\n( *)\^\s*$", re.DOTALL)


class Refused(Exception):
    """The statement cannot run; the message is a sentence. place: line and column in its text, from
    1. code: of the answer.
    """

    def __init__(
        self, message: str, place: tuple[int, int] | None = None, code: str = "sql_not_allowed"
    ) -> None:
        super().__init__(message)
        self.place, self.code = place, code


@dataclass(frozen=True)
class Statement:
    """A statement that may run. sql: its text; views: those that it reads; told: its text without
    what it compares with, which may be patients' names."""

    sql: str
    views: frozenset[str]
    told: str


def read(connection: duckdb.DuckDBPyConnection, sql: str) -> Statement:
    """Look a statement through. Raises Refused."""
    tree = _tree(connection, sql)
    defined = _defined(connection, tree)
    views = set()
    after_from: list[Any] = []
    for node in _nodes(tree):
        if node.get("type") == "TABLE_FUNCTION":
            _check_table_function(sql, node)
            after_from.append(node["function"])
        if "function_name" in node:
            _check_function(sql, node, any(node is one for one in after_from))
        if node.get("type") == "SHOW_REF":
            raise Refused(
                "DESCRIBE, SHOW and SUMMARIZE are not for here: the views are described beside the "
                "text."
            )
        if "table_name" in node:
            name = str(node["table_name"]).lower()
            if (
                node.get("catalog_name")
                or node.get("schema_name")
                or name not in defined | VIEWS.keys()
            ):
                raise Refused(
                    f"There is no view {_dotted(node)}: {', '.join(VIEWS)}.", _place(sql, node)
                )
            if name in VIEWS:
                views.add(name)
    return Statement(sql, frozenset(views), _told(connection, tree))


def check_plan(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """See that the plan of a statement reads nothing but our views. Raises Refused, also for what
    DuckDB finds wrong.
    """
    try:
        found = connection.execute(f"EXPLAIN (FORMAT json)\n{sql}").fetchone()
    except duckdb.Error as error:
        raise wrong(error, sql) from error
    [database] = connection.execute("SELECT current_database()").fetchone() or ()
    allowed = {f"{database}.main.{name}" for name in (*VIEWS, *BEHIND_VIEW)}
    for operator in _operators(json.loads(found[1]) if found else []):
        told = operator.get("extra_info", {})
        table, function = told.get("Table"), told.get("Function")
        if (table is not None and table.replace('"', "") not in allowed) or function not in (
            None,
            *_ROWS_OF_NOTHING,
        ):
            raise Refused("The statement would read something else than the views.")


def wrong(error: duckdb.Error, sql: str, before: int = 1) -> Refused:
    """What DuckDB says of a statement, with the place in its text. before: lines before it in what
    DuckDB was given.
    """
    text = str(error)
    found = _PLACE.search(text)
    place = None
    if found:
        line, shown = int(found[1]) - before, found[2]
        column = len(found[3]) - len(f"LINE {found[1]}: ")
        lines = sql.split("\n")
        if 1 <= line <= len(lines):
            # Of a long line DuckDB shows a part, between dots.
            part = shown.removeprefix("...").removesuffix("...")
            cut = 3 if shown.startswith("...") else 0
            start = max(lines[line - 1].find(part), 0)
            place = line, max(start + column - cut, 0) + 1
        text = text[: found.start()]
    return Refused(text.strip(), place, "bad_sql")


def _tree(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    if len(sql) > LONGEST or "\0" in sql:
        raise Refused(
            f"A statement has at most {LONGEST:,} characters, and none that cannot be written."
        )
    try:
        sql.encode()
        statements = connection.extract_statements(sql)
        found = connection.execute("SELECT json_serialize_sql($1)", [sql]).fetchone()
        tree = json.loads(found[0]) if found else {}
    except UnicodeEncodeError as error:
        raise Refused("The text holds characters that cannot be written.") from error
    except RecursionError as error:
        raise _too_deep() from error
    except duckdb.Error as error:
        raise wrong(error, sql, before=0) from error
    if len(statements) != 1:
        raise Refused("One statement at a time." if statements else "There is no statement.")
    if statements[0].named_parameters:
        raise Refused("Parameters have no values here: write the values.")
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
    """All objects of the tree."""
    waiting = [tree]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _defined(connection: duckdb.DuckDBPyConnection, tree: dict[str, Any]) -> set[str]:
    """The names that WITH defines in a statement. None may be that of a table or a view, of ours or
    of DuckDB: then a name would mean the one here and the other there."""
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
            raise Refused(f"WITH {taken[0]}: the name is taken, use another.")
    return names


def _check_function(sql: str, node: dict[str, Any], is_after_from: bool) -> None:
    name = str(node["function_name"]).lower()
    # The parser itself writes "main" before some of DuckDB's own functions.
    if node.get("schema") not in ("", "main") or node.get("catalog") or _REFUSED.fullmatch(name):
        raise Refused(f"The function {_dotted(node)} is not for here.", _place(sql, node))
    if name in _TOO_LARGE and not is_after_from:
        hint = ", but after FROM" if name in _TABLE_FUNCTIONS else ""
        raise Refused(
            f"The function {name} is not for here{hint}: it takes memory without limit.",
            _place(sql, node),
        )


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
    parts = ("catalog_name", "schema_name", "table_name", "catalog", "schema", "function_name")
    return ".".join(str(node[part]) for part in parts if node.get(part))[:200]


def _place(sql: str, node: dict[str, Any]) -> tuple[int, int] | None:
    at = node.get("query_location", -1)
    raw = sql.encode()
    if not 0 <= at < len(raw):
        return None
    before = raw[:at].decode(errors="replace")
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _operators(plan: Any) -> Iterator[dict[str, Any]]:
    return (node for node in _nodes(plan) if "name" in node)


# Names that may be told: they are ours.
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
    """The statement as DuckDB writes it, with … for texts, long numbers, and names that are not
    ours nor defined in it.
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
            if (
                not value.get("is_null")
                and len(str(value.get("value", ""))) > 4
                or isinstance(value.get("value"), str)
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

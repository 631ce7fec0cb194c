"""The schema of the store, made from the data dictionary, and how a store of an earlier version is
brought to it.

Columns that a later data dictionary adds are added by themselves. Whatever else changes (another
type, another meaning) is a step in MIGRATIONS."""

from collections.abc import Callable

import duckdb
import pyarrow as pa

from ..records import TABLES, Field, Table
from . import index, numbers, state

SCHEMA_VERSION = 2
# MIGRATIONS[n] brings a store from version n to n + 1; it runs within the transaction that also
# sets the new version.
MIGRATIONS: dict[int, Callable[[duckdb.DuckDBPyConnection], None]] = {1: index.fill}

_ARROW = {
    "number": pa.float64(),
    "numbers": pa.list_(pa.float64()),
    "integer": pa.int64(),
    "flag": pa.bool_(),
    "text": pa.string(),
    "texts": pa.list_(pa.string()),
    "uid": pa.string(),
    "uids": pa.list_(pa.string()),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "datetime": pa.timestamp("us"),
    "bytes": pa.binary(),
}
_CODE = pa.struct([("value", pa.string()), ("scheme", pa.string()), ("meaning", pa.string())])


class SchemaError(Exception):
    """The store cannot be used by this version of the program; the message says why."""


def arrow_type(field: Field) -> pa.DataType:
    """The Arrow type that carries a field."""
    if field.type == "structs":
        return pa.list_(pa.struct([(part.name, arrow_type(part)) for part in field.fields]))
    if field.type in ("code", "codes"):
        return _CODE if field.type == "code" else pa.list_(_CODE)
    return _ARROW[field.type]


def arrow_schema(table: Table) -> pa.Schema:
    """The Arrow schema of a table's rows."""
    return pa.schema([(field.name, arrow_type(field)) for field in table.fields])


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the tables, or bring those of an earlier version up to date, in one transaction.
    Raises SchemaError.
    """
    connection.execute("BEGIN TRANSACTION")
    try:
        for table in TABLES:
            columns = ", ".join(f'"{field.name}" {field.sql_type}' for field in table.fields)
            connection.execute(f'CREATE TABLE IF NOT EXISTS "{table.name}" ({columns})')
        _add_columns(connection)
        _make_view(connection)
        _migrate(connection)
        numbers.settle(connection)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _make_view(connection: duckdb.DuckDBPyConnection) -> None:
    # Only where it is another one by now: a store on a full disk can be opened to be read, but not
    # be written.
    if state.get(connection, "view") != index.VIEW:
        connection.execute(index.VIEW)
        state.put(connection, "view", index.VIEW)


def _migrate(connection: duckdb.DuckDBPyConnection) -> None:
    found = state.get(connection, "schema_version")
    version = int(found) if found else SCHEMA_VERSION
    if version > SCHEMA_VERSION:
        raise SchemaError(
            f"the store was written by a later version of Orthanc Dose (schema {version}, this one "
            f"knows {SCHEMA_VERSION}):"
            " install that version, or restore the backup that was made before it"
        )
    for step in range(version, SCHEMA_VERSION):
        MIGRATIONS[step](connection)
    if not found or version != SCHEMA_VERSION:
        state.put(connection, "schema_version", str(SCHEMA_VERSION))


def _add_columns(connection: duckdb.DuckDBPyConnection) -> None:
    # One question for all tables: DuckDB goes through every column of the database for each.
    there = set(
        connection.execute("SELECT table_name, column_name FROM duckdb_columns()").fetchall()
    )
    for table in TABLES:
        for field in table.fields:
            if (table.name, field.name) not in there:
                connection.execute(
                    f'ALTER TABLE "{table.name}" ADD COLUMN "{field.name}" {field.sql_type}'
                )

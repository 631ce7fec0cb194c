"""The schema of the store, built from the data dictionary, and migration of older stores to it.

Columns that a later data dictionary introduces are added automatically. Any other change (another
type, another meaning) is a step in MIGRATIONS.
"""

from collections.abc import Callable

import duckdb
import pyarrow as pa

from ..records import STATE, TABLES, Field, Table
from . import handles, index, numbers, state

SCHEMA_VERSION = 4
# Columns that had another name in an older version: table, old name, new name.
RENAMED = (
    ("object", "orthanc_id", "handle"),
    ("object", "orthanc_series_id", "series_handle"),
)

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
    """Raised when this version of the program cannot use the store; the message says why."""


def _without_identifiers(connection: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Replace identifiers that version 2 kept.

    These are Orthanc's identifiers, which are computed from the patient ID, and names of files,
    which may be those of patients.
    """
    handles.hash_identifiers(connection, key)
    # The progress of a deletion: a task that continues starts over, and finds done what was done.
    connection.execute(
        "UPDATE task SET progress = '{}' WHERE kind IN ('delete-objects', 'forget-objects')"
    )
    connection.execute(
        "UPDATE task SET subject = 'file ' || (parameters ->> 'file') WHERE kind = 'import-sizes'"
    )
    state.write_state(connection, OLD_BYTES, "1")


def _count_once(connection: duckdb.DuckDBPyConnection, _: bytes) -> None:
    from . import sharing  # it reads rows of the schema, and so needs this module

    sharing.fill(connection)


# The state by which a store says that its file may hold bytes of what an older version kept.
OLD_BYTES = "old_bytes"
# MIGRATIONS[n] brings a store from version n to n + 1, within the transaction that also sets the
# new version. It gets the key of the installation.
MIGRATIONS: dict[int, Callable[[duckdb.DuckDBPyConnection, bytes], None]] = {
    1: lambda connection, _: index.fill(connection),
    2: _without_identifiers,
    3: _count_once,
}


def arrow_type(field: Field) -> pa.DataType:
    """Return the Arrow type of a field."""
    if field.type == "structs":
        return pa.list_(pa.struct([(part.name, arrow_type(part)) for part in field.fields]))
    if field.type in ("code", "codes"):
        return _CODE if field.type == "code" else pa.list_(_CODE)
    return _ARROW[field.type]


def arrow_schema(table: Table) -> pa.Schema:
    """Return the Arrow schema of a table's rows."""
    return pa.schema([(field.name, arrow_type(field)) for field in table.fields])


def prepare(connection: duckdb.DuckDBPyConnection, key: bytes) -> bool:
    """Create the tables, or bring those of an earlier version up to date, in one transaction.

    Returns whether the store was written with this key (handles.check_key). Raises SchemaError.
    """
    connection.execute("BEGIN TRANSACTION")
    try:
        _rename_columns(connection)
        for table in TABLES:
            columns = ", ".join(f'"{field.name}" {field.sql_type}' for field in table.fields)
            connection.execute(f'CREATE TABLE IF NOT EXISTS "{table.name}" ({columns})')
        _add_columns(connection)
        _make_view(connection)
        _migrate(connection, key)
        numbers.settle_numbers(connection)
        same_key = handles.check_key(connection, key)
        connection.execute("COMMIT")
        return same_key
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _make_view(connection: duckdb.DuckDBPyConnection) -> None:
    # Only if it has changed: a store on a full disk can be opened for reading, but not be written.
    if state.read_state(connection, "view") != index.VIEW:
        connection.execute(index.VIEW)
        state.write_state(connection, "view", index.VIEW)


def older_version(connection: duckdb.DuckDBPyConnection) -> int | None:
    """Return the version of a store's schema if it is an older one, or None."""
    if (STATE.name, "value") not in _columns(connection):
        return None  # a new store
    found = state.read_state(connection, "schema_version")
    return int(found) if found and int(found) < SCHEMA_VERSION else None


def _migrate(connection: duckdb.DuckDBPyConnection, key: bytes) -> None:
    found = state.read_state(connection, "schema_version")
    version = int(found) if found else SCHEMA_VERSION
    if version > SCHEMA_VERSION:
        raise SchemaError(
            f"the store was written by a later version of Orthanc Dose (schema {version}, this "
            f"version supports {SCHEMA_VERSION}): install that version, or restore the backup "
            "that was made before the upgrade"
        )
    for step in range(version, SCHEMA_VERSION):
        MIGRATIONS[step](connection, key)
    if not found or version != SCHEMA_VERSION:
        state.write_state(connection, "schema_version", str(SCHEMA_VERSION))


def _columns(connection: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    # One query for all tables: DuckDB goes through every column of the database for each query.
    query = "SELECT table_name, column_name FROM duckdb_columns()"
    return set(connection.execute(query).fetchall())


def _rename_columns(connection: duckdb.DuckDBPyConnection) -> None:
    there = _columns(connection)
    for table, before, now in RENAMED:
        if (table, before) in there:
            connection.execute(f'ALTER TABLE "{table}" RENAME COLUMN "{before}" TO "{now}"')


def _add_columns(connection: duckdb.DuckDBPyConnection) -> None:
    there = _columns(connection)
    for table in TABLES:
        for field in table.fields:
            if (table.name, field.name) not in there:
                connection.execute(
                    f'ALTER TABLE "{table.name}" ADD COLUMN "{field.name}" {field.sql_type}'
                )

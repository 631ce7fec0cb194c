"""Values that the program remembers from one start to the next, by name.

They are written in the transaction of the caller.
"""

import duckdb

from ..records import STATE

# That Orthanc's objects must be compared with the store, whatever the configuration says: it was
# restored, rebuilt, or has lost its last transactions.
COMPARE = "compare_with_orthanc"


def read_state(connection: duckdb.DuckDBPyConnection, name: str) -> str | None:
    """Return a remembered value, or None."""
    found = connection.execute(f"SELECT value FROM {STATE.name} WHERE name = $1", [name]).fetchone()
    return found[0] if found else None


def write_state(connection: duckdb.DuckDBPyConnection, name: str, value: str) -> None:
    """Remember a value, replacing what was remembered under this name."""
    delete_state(connection, name)
    connection.execute(f"INSERT INTO {STATE.name} VALUES ($1, $2)", [name, value])


def delete_state(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Forget what was remembered under this name."""
    connection.execute(f"DELETE FROM {STATE.name} WHERE name = $1", [name])

"""Settings of people, in rows of their own.

They are written beside the one writer of dose records, in separate transactions.
"""

import json
from datetime import UTC, datetime
from typing import Any

import duckdb

from .database import Store


def list_settings(connection: duckdb.DuckDBPyConnection, user: str, kind: str) -> dict[str, Any]:
    """Return a user's settings of a kind by name, sorted by name."""
    query = (
        "SELECT name, value FROM setting WHERE user_name = $1 AND kind = $2 ORDER BY "
        "lower(name), name"
    )
    return {
        name: json.loads(value)
        for name, value in connection.execute(query, [user, kind]).fetchall()
    }


def write_setting(store: Store, user: str, kind: str, name: str, value: Any) -> None:
    """Store a setting, replacing its previous value."""
    now = datetime.now(UTC).replace(tzinfo=None)
    _write(store, user, kind, name, [user, kind, name, json.dumps(value), now])


def delete_setting(store: Store, user: str, kind: str, name: str) -> bool:
    """Delete a setting. Returns False if there was none."""
    return _write(store, user, kind, name, None) > 0


def _write(store: Store, user: str, kind: str, name: str, row: list[Any] | None) -> int:
    with store.writing() as connection:
        query = "DELETE FROM setting WHERE user_name = $1 AND kind = $2 AND name = $3"
        there = connection.execute(query, [user, kind, name]).fetchone()
        if row is not None:
            connection.execute("INSERT INTO setting VALUES (?, ?, ?, ?, ?)", row)
    return there[0] if there else 0

"""Tables of coefficients that the installation has added: one of each kind, kept as settings."""

import json
from functools import lru_cache

import duckdb

from ..store.stored_settings import list_settings
from .tables import CoefficientTable, read_table

OWN_TABLES = "coefficient table"  # the kind of these settings; their names are kinds of tables


def own_tables(connection: duckdb.DuckDBPyConnection) -> dict[str, CoefficientTable]:
    """Return the installation's own tables, by kind."""
    return {
        kind: _read(json.dumps(data))
        for kind, data in list_settings(connection, "", OWN_TABLES).items()
    }


@lru_cache(maxsize=8)
def _read(text: str) -> CoefficientTable:
    return read_table(json.loads(text))

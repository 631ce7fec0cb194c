"""Tables of coefficients that the installation has added: one of each kind, kept as settings."""

import contextlib
import json
from functools import lru_cache

import duckdb

from ..store.stored_settings import list_settings
from .tables import BadTable, CoefficientTable, read_table

OWN_TABLES = "coefficient table"  # the kind of these settings; their names are kinds of tables


def own_tables(connection: duckdb.DuckDBPyConnection) -> dict[str, CoefficientTable]:
    """Return the installation's own tables, by kind, without any that this version cannot use."""
    out = {}
    for kind, data in list_settings(connection, "", OWN_TABLES).items():
        with contextlib.suppress(BadTable):
            out[kind] = _read(json.dumps(data))
    return out


@lru_cache(maxsize=8)
def _read(text: str) -> CoefficientTable:
    return read_table(json.loads(text))

"""The map of standard names, and the texts that it leaves without one."""

from typing import Any

import duckdb

from ..records import index_name
from ..store.database import rows
from ..store.names import Entry, StandardNames


def entries(connection: duckdb.DuckDBPyConnection) -> list[Entry]:
    """The map in its order."""
    return StandardNames.read(connection).entries


def unmapped(
    connection: duckdb.DuckDBPyConnection, kind: str, limit: int, offset: int
) -> dict[str, Any]:
    """A page of the texts of a kind that have no standard name in studies of a modality type, the
    most frequent first, with the number of these studies; and how many such texts there are."""
    of_kind = f"""
        SELECT t.value AS text, s.modality, count(*) AS studies FROM "{index_name(kind)}" i
        JOIN term t ON t.id = i.term JOIN study s ON s.id = i.study_id
        WHERE NOT EXISTS (SELECT 1 FROM term_name n WHERE n.term = i.term AND n.modality =
        s.modality)
        GROUP BY ALL
    """
    total = connection.execute(f"SELECT count(*) FROM ({of_kind})").fetchone()
    page = f"{of_kind} ORDER BY studies DESC, text, s.modality LIMIT {limit:d} OFFSET {offset:d}"
    return {"total": total[0] if total else 0, "texts": rows(connection.execute(page))}


def named(connection: duckdb.DuckDBPyConnection, kind: str, modality: str) -> dict[str, str]:
    """The texts of a kind that have a standard name in studies of a modality type, in lower case,
    with the name.
    """
    query = """
        SELECT lower(t.value), n.standard_name FROM term t JOIN term_name n ON n.term = t.id
        WHERE t.field = $1 AND n.modality = $2 ORDER BY t.id
    """
    return dict(connection.execute(query, [kind, modality]).fetchall())

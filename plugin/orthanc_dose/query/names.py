"""The map of standard names, and the texts for which it has no name."""

from typing import Any

import duckdb

from ..records import index_name
from ..store.database import rows
from ..store.names import Entry, StandardNames


def entries(connection: duckdb.DuckDBPyConnection) -> list[Entry]:
    """Return the entries of the map in their order."""
    return StandardNames.read_map(connection).entries


def unmapped(
    connection: duckdb.DuckDBPyConnection, kind: str, limit: int, offset: int
) -> dict[str, Any]:
    """Return a page of the texts of a kind without a standard name, and their total number.

    Texts are listed by modality type, the most frequent first, with the number of studies of that
    type that have them.
    """
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


def named_texts(connection: duckdb.DuckDBPyConnection, kind: str, modality: str) -> dict[str, str]:
    """Return the texts of a kind that have a standard name in studies of a modality type.

    Keys are the texts in lower case, values the names.
    """
    query = """
        SELECT lower(t.value), n.standard_name FROM term t JOIN term_name n ON n.term = t.id
        WHERE t.field = $1 AND n.modality = $2 ORDER BY t.id
    """
    return dict(connection.execute(query, [kind, modality]).fetchall())

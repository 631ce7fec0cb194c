"""Standard names: an installation's own names for protocols and procedures, by a map of patterns.

The map names the distinct texts, of which there are thousands, rather than the studies: the names
of a study are looked up through the index of its texts when they are needed, so that a changed map
applies to all studies at once.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import duckdb
import pyarrow as pa

from ..dicom.patterns import matched
from ..records import MODALITIES, STANDARD_NAME, TERM_NAME, Table
from ..records.rows import StandardNameRow, TermNameRow, TermRow
from .database import rows_of
from .schema import arrow_schema

Entry: TypeAlias = StandardNameRow


class StandardNames:
    """The map of standard names, by kind, in its order."""

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = entries
        self._of: dict[
            tuple[str, str], dict[str, str]
        ] = {}  # by kind and modality type: patterns with their names
        for entry in entries:
            for modality in [entry["modality"]] if entry["modality"] else MODALITIES:
                self._of.setdefault((entry["kind"], modality), {}).setdefault(
                    entry["pattern"], entry["standard_name"]
                )

    @classmethod
    def read_map(cls, connection: duckdb.DuckDBPyConnection) -> "StandardNames":
        """Read the map from the store."""
        query = "SELECT kind, pattern, modality, standard_name FROM standard_name ORDER BY position"
        return cls(rows_of(connection.execute(query), StandardNameRow))

    def name(self, kind: str, text: str, modality: str) -> str | None:
        """Return the standard name of a text in studies of a modality type, or None if no entry
        fits.
        """
        patterns = self._of.get((kind, modality), {})
        found = matched(text, patterns)
        return None if found is None else patterns[found]

    def rows_of(self, term: TermRow) -> list[TermNameRow]:
        """Return the rows of term_name for a text."""
        named = (
            (modality, self.name(term["field"], term["value"], modality)) for modality in MODALITIES
        )
        return [
            {"term": term["id"], "modality": modality, "standard_name": name}
            for modality, name in named
            if name
        ]

    def write_map(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Replace the map in the store by this one, and name all texts with it."""
        _replace(
            connection,
            STANDARD_NAME,
            [entry | {"position": number} for number, entry in enumerate(self.entries, 1)],
        )
        terms = rows_of(connection.execute("SELECT * FROM term"), TermRow)
        _replace(connection, TERM_NAME, [row for term in terms for row in self.rows_of(term)])


def _replace(
    connection: duckdb.DuckDBPyConnection, table: Table, new: Sequence[Mapping[str, Any]]
) -> None:
    connection.execute(f"DELETE FROM {table.name}")
    connection.register("new_names", pa.Table.from_pylist(new, schema=arrow_schema(table)))
    connection.execute(f"INSERT INTO {table.name} BY NAME SELECT * FROM new_names")
    connection.unregister("new_names")

"""Standard names: what an installation calls protocols and procedures, by a map of patterns.

The map names the different texts, of which there are thousands, and not the studies: what a study
is called follows from the index of its texts when it is asked for, so that a changed map holds for
all studies at once."""

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
    """The map, by kind in its order."""

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
    def read(cls, connection: duckdb.DuckDBPyConnection) -> "StandardNames":
        """The map of the store."""
        query = "SELECT kind, pattern, modality, standard_name FROM standard_name ORDER BY position"
        return cls(rows_of(connection.execute(query), StandardNameRow))

    def name(self, kind: str, text: str, modality: str) -> str | None:
        """What a text is called in studies of a modality type; None where no entry fits."""
        patterns = self._of.get((kind, modality), {})
        found = matched(text, patterns)
        return None if found is None else patterns[found]

    def rows_of(self, term: TermRow) -> list[TermNameRow]:
        """The rows of term_name for a text."""
        named = (
            (modality, self.name(term["field"], term["value"], modality)) for modality in MODALITIES
        )
        return [
            {"term": term["id"], "modality": modality, "standard_name": name}
            for modality, name in named
            if name
        ]

    def write(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Put this map in place of the one in the store, and name all texts by it."""
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

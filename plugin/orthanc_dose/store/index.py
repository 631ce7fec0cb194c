"""The rows that make lists and the overview fast (records/index.py).

They are written with each study, and computed for a whole store that has none.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from ..records import (
    CT_EVENT,
    INDEXED,
    INDEXES,
    PROJECTION_EVENT,
    STUDY,
    STUDY_DAY,
    STUDY_NAMES,
    TERM,
    TERM_NAME,
    index_name,
)
from ..records.rows import StudyRow
from .numbers import TERMS, Numbers

Tables = dict[str, list[Mapping[str, Any]]]  # rows to be written, by table
_PROTOCOLS = "acquisition_protocols"

# The standard names of each study (names.py), looked up through its texts.
VIEW = f"CREATE OR REPLACE VIEW {STUDY_NAMES} AS " + " UNION ALL ".join(
    f"""
    SELECT i.study_id, '{field}' AS kind, n.standard_name FROM "{index_name(field)}" i
    JOIN {TERM_NAME.name} n ON n.term = i.term JOIN {STUDY.name} s ON s.id = i.study_id AND s.modality =
    n.modality
    """
    for field in INDEXED
)


class Terms:
    """The numbers of all texts in the store."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, numbers: Numbers) -> None:
        self._given = numbers
        self._numbers: dict[tuple[str, str], int] = {
            (field, value): number
            for number, field, value in connection.execute("SELECT * FROM term").fetchall()
        }
        self._new: list[tuple[str, str]] = []

    def add(self, study: StudyRow, tables: Tables) -> None:
        """Add the index of a study, and its new texts, to the rows to be written."""
        texts: Mapping[str, Any] = study
        for field in INDEXED:
            found = texts.get(field)
            for value in found if isinstance(found, list) else [found]:
                if value:
                    tables[index_name(field)].append(
                        {"study_id": study["id"], "term": self._number(field, value, tables)}
                    )

    def _number(self, field: str, value: str, tables: Tables) -> int:
        key = (field, value)
        if key not in self._numbers:
            self._numbers[key] = self._given.take(TERMS)
            self._new.append(key)
            tables[TERM.name].append({"id": self._numbers[key], "field": field, "value": value})
        return self._numbers[key]

    def written(self) -> None:
        """Note that the new texts are in the store."""
        self._new = []

    def undo(self) -> None:
        """Forget the new texts, since they are not in the store."""
        for key in self._new:
            del self._numbers[key]
        self._new = []


Day = tuple[str, int, date | None]  # modality type, system, study date
_DAY: dict[str, pa.DataType] = {
    "modality": pa.string(),
    "equipment_id": pa.int64(),
    "study_date": pa.date32(),
}
_DAYS = pa.schema(_DAY)
_COUNTED = """
    SELECT s.modality, s.equipment_id, s.study_date, count(*), sum(s.number_of_events),
    max(s.study_time)
    FROM study s {} WHERE s.not_patient_indicator IS NULL AND s.not_counted IS NULL GROUP BY ALL
"""
_SAME_DAY = """
    JOIN days d ON s.modality = d.modality AND s.equipment_id = d.equipment_id
    AND s.study_date IS NOT DISTINCT FROM d.study_date
"""


def count_days(connection: duckdb.DuckDBPyConnection, touched: set[Day]) -> None:
    """Recount the studies of these days."""
    columns = zip(*sorted(touched, key=str), strict=True)
    connection.register("days", pa.table([list(column) for column in columns], schema=_DAYS))
    connection.execute(
        f'DELETE FROM "{STUDY_DAY.name}" s USING days d WHERE {_SAME_DAY.partition(" ON ")[2]}'
    )
    connection.execute(f'INSERT INTO "{STUDY_DAY.name}" {_COUNTED.format(_SAME_DAY)}')
    connection.unregister("days")


def count_systems(connection: duckdb.DuckDBPyConnection, numbers: list[int]) -> None:
    """Recount the studies of all days of these systems."""
    of_these = "equipment_id IN (SELECT unnest($1))"
    connection.execute(f'DELETE FROM "{STUDY_DAY.name}" WHERE {of_these}', [numbers])
    counted = _COUNTED.format("").replace("WHERE", f"WHERE s.{of_these} AND")
    connection.execute(f'INSERT INTO "{STUDY_DAY.name}" {counted}', [numbers])


def forget_unused_terms(connection: duckdb.DuckDBPyConnection) -> None:
    """Forget texts that no study has any more.

    Whoever keeps the numbers of texts must re-read them.
    """
    used = " UNION ALL ".join(f'SELECT term FROM "{table.name}"' for table in INDEXES)
    connection.execute(f"DELETE FROM term WHERE id NOT IN ({used})")
    connection.execute("DELETE FROM term_name WHERE term NOT IN (SELECT id FROM term)")


def fill(connection: duckdb.DuckDBPyConnection) -> None:
    """Rebuild all indexes from the studies and, for protocols, from their events."""
    connection.execute(f'DELETE FROM "{STUDY_DAY.name}"')
    connection.execute(f'INSERT INTO "{STUDY_DAY.name}" {_COUNTED.format("")}')
    connection.execute("DELETE FROM term")
    for field in INDEXED:
        name = index_name(field)
        if field == _PROTOCOLS:
            events = (
                f'SELECT study_id, acquisition_protocol FROM "{table.name}"'
                for table in (CT_EVENT, PROJECTION_EVENT)
            )
            texts = " UNION ".join(events)
        else:
            texts = f"SELECT id, {field} FROM study"
        connection.execute(f'DELETE FROM "{name}"')
        connection.execute(f"""
            CREATE TEMP TABLE texts AS SELECT study_id, value FROM ({texts}) t(study_id, value)
            WHERE value <> ''
        """)
        connection.execute(f"""
            INSERT INTO term SELECT (SELECT count(*) FROM term) + row_number() OVER (ORDER BY
            value), '{field}', value
            FROM (SELECT DISTINCT value FROM texts)
        """)
        connection.execute(f"""
            INSERT INTO "{name}" SELECT study_id, t.id FROM texts JOIN term t ON t.field = '{field}'
            AND t.value = texts.value
            ORDER BY study_id
        """)
        connection.execute("DROP TABLE texts")

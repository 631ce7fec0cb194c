"""The studies of an export: found once, in order, in one state of the store, and returned chunk by
chunk.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from ..query import filters
from ..records import MODALITIES
from ..store import Store
from . import by_type
from .columns import Column, of_event, of_types, study_columns

# Studies per chunk: small, so that little text is in memory and a stop takes effect quickly.
CHUNK = 1_000


@dataclass
class Selection:
    """Studies in the temporary table `hit` of a connection.

    The table has their numbers `id` in the order `n`, from 1.
    """

    connection: duckdb.DuckDBPyConnection
    modality: str | None
    total: int
    study: tuple[Column, ...]
    event: tuple[Column, ...]
    most_events: int

    @property
    def events_table(self) -> str | None:
        """The table of events, if a single modality type is selected."""
        return MODALITIES[self.modality].events.name if self.modality else None

    def chunks(self) -> Iterator[tuple[int, int]]:
        """Yield the first and last `n` of each chunk."""
        for first in range(1, self.total + 1, CHUNK):
            yield first, min(first + CHUNK - 1, self.total)


@contextlib.contextmanager
def selected(
    store: Store,
    modality: str | None,
    values: dict[str, Any],
    without: frozenset[str],
    cells: bool = True,
) -> Iterator[Selection]:
    """Yield the studies of a modality type, or of all, that match the filters' values.

    Studies and events that do not count are left out unless `counting` requests them. without:
    fields of the study to leave out. cells: whether the columns of tables are wanted;
    those that are empty in every row are left out.

    Everything read within the context sees one state of the store.
    """
    given = filters.counted(values) | ({"modality": [modality]} if modality else {})
    condition, bound = filters.where(given)
    with contextlib.closing(store.connection()) as connection:
        connection.execute("BEGIN TRANSACTION")
        if modality is not None and filters.counts_events_once(given):
            # Under the name of the table, so that no query of an export can forget it.
            table = MODALITIES[modality].events.name
            store = _one(connection, "SELECT current_database()")
            connection.execute(
                f'CREATE TEMP VIEW "{table}" AS SELECT * FROM "{store}".main."{table}" '
                "WHERE counted_in IS NULL"
            )
        connection.execute(
            f"""
            CREATE TEMP TABLE hit AS
            SELECT s.id, row_number() OVER (ORDER BY s.study_date, s.study_time, s.id) AS n FROM
            study s WHERE {condition}
            ORDER BY n
        """,
            bound,
        )
        if cells and modality == "RF":
            connection.execute(f"""
                CREATE OR REPLACE TEMP TABLE hit AS SELECT hit.*, b.* EXCLUDE (study_id) FROM hit
                LEFT JOIN ({by_type.query("SELECT id FROM hit")}) b ON b.study_id = hit.id ORDER BY n
            """)
        total = _one(connection, "SELECT count(*) FROM hit")
        chosen = Selection(connection, modality, total, (), (), 0)
        if cells:
            columns = study_columns(modality, without)
            columns += of_types() if modality == "RF" else ()
            chosen.study = _filled(chosen, columns, STUDIES)
        if cells and modality is not None and total:
            chosen.event = of_event(MODALITIES[modality].events)
            query = f"""
                SELECT max(c) FROM (SELECT count(*) AS c FROM "{chosen.events_table}" t SEMI JOIN
                hit ON t.study_id = hit.id
                GROUP BY t.study_id)
            """
            chosen.most_events = _one(connection, query) or 0
            chosen.event = _filled(
                chosen,
                chosen.event,
                f'"{chosen.events_table}" t SEMI JOIN hit ON t.study_id = hit.id',
            )
        try:
            yield chosen
        finally:
            with contextlib.suppress(duckdb.Error):
                connection.execute("ROLLBACK")


STUDIES = "hit JOIN study s USING (id) LEFT JOIN equipment e ON e.id = s.equipment_id"


def _filled(chosen: Selection, columns: Sequence[Column], rows: str) -> tuple[Column, ...]:
    """Return the columns that have a value in some row."""
    if not chosen.total:
        return tuple(columns)
    counts = ", ".join(f"count({column.sql})" for column in columns)
    found = chosen.connection.execute(f"SELECT {counts} FROM {rows}").fetchone() or ()
    return tuple(column for column, count in zip(columns, found, strict=True) if count)


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    found = connection.execute(query).fetchone()
    return found[0] if found else None


Progress = Callable[[int, int], None]  # rows done, total; raises to stop

"""Rows of text rendered by DuckDB, chunk by chunk: studies with their events to the right, or
single events.
"""

from collections.abc import Iterator
from typing import Any

from .selection import STUDIES, Selection

PORTION = 500


def study_rows(
    chosen: Selection,
    study: str,
    event: str,
    between: str,
    first: int,
    last: int,
    most: int,
    number: str = "event_number",
    blank: str = "",
) -> Iterator[list[str]]:
    """Yield the rows of a chunk, in portions.

    A row has the study's cells, then those of its first `most` events in order. study, event:
    expressions of the cells' text; event is empty if there are no events. number: "group_number"
    for groups of exposures instead of single ones (see groups.py). blank: what replaces each event
    that a study has fewer than `most`.
    """
    part = f"WITH part AS MATERIALIZED (SELECT * FROM hit WHERE n BETWEEN {first} AND {last})"
    of_part = STUDIES.replace("hit", "part hit")
    if not event:
        return portions(chosen, f"{part} SELECT {study} FROM {of_part} ORDER BY n")
    table, mine = f'"{chosen.events_table}" t', "study_id IN (SELECT id FROM part)"
    if number == "group_number":
        table = (
            f"(SELECT study_id, group_number, {event} AS cells FROM {table} JOIN grouped USING "
            f"(study_id, event_number)"
        )
        table, event = f"{table} WHERE {mine} GROUP BY ALL) t", "cells"
    return portions(
        chosen,
        f"""
        {part}, events AS (
            SELECT study_id, array_to_string(list({event} ORDER BY {number})[1:{most:d}],
            '{between}') AS cells,
                count(*) AS given
            FROM {table} WHERE {mine} GROUP BY study_id
        )
        SELECT {study} || coalesce('{between}' || events.cells, '') || repeat('{blank}', {most:d} -
        coalesce(events.given, 0))
        FROM {of_part}
        LEFT JOIN events ON events.study_id = s.id ORDER BY n
    """,
    )


def event_rows(
    chosen: Selection, study: str, event: str, sheets: str, first: int, last: int
) -> Iterator[tuple[int, str]]:
    """Yield a row for each event, preceded by the number of its sheet.

    A row has the study's cells, then the event's. Rows are ordered by sheet and then as the studies
    are. sheets: a table of events' study_id and event_number with the sheet's number.
    """
    query = f"""
        SELECT sheet, {study} || {event} FROM "{chosen.events_table}" t
        JOIN (SELECT * FROM {sheets} WHERE sheet BETWEEN {first} AND {last}) b USING (study_id,
        event_number)
        JOIN hit ON hit.id = t.study_id JOIN study s ON s.id = hit.id LEFT JOIN equipment e ON e.id
        = s.equipment_id
        ORDER BY sheet, hit.n, t.event_number
    """
    for batch in chosen.connection.execute(query).fetch_record_batch(PORTION):
        yield from zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True)


def portions(chosen: Selection, query: str) -> Iterator[list[str]]:
    """Yield the rows of a query with a single text column, in portions."""
    for batch in chosen.connection.execute(query).fetch_record_batch(PORTION):
        texts: list[Any] = batch.column(0).to_pylist()
        yield texts

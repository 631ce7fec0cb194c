"""The workbook of a list for users of spreadsheets: a summary, all studies, and a sheet per
acquisition protocol.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from pathlib import Path

from . import groups, rows, summary
from .columns import Column
from .selection import Progress, Selection
from .xlsx_file import MOST_COLUMNS, MOST_ROWS, Workbook, cell, width

_MOST_SHEETS = 1_000
_TOGETHER = 3_000  # rows of small sheets that share one query


def write_workbook(chosen: Selection, path: Path, date_format: str, progress: Progress) -> None:
    """Write the studies of a selection.

    Fluoroscopy exposures are in groups to the right of a study, and singly in the sheets of their
    protocols.
    """
    with Workbook(path, date_format) as book:
        book.sheet("Summary", (), summary.rows_of(chosen), summary.WIDTHS)
        event, most, number = chosen.event, chosen.most_events, "event_number"
        if chosen.modality == "RF" and event:
            event, most, number = groups.columns(event), groups.number(chosen), "group_number"
        most = min(most, (MOST_COLUMNS - len(chosen.study)) // max(1, len(event)))
        letter = "G" if number == "group_number" else "E"
        titles = [column.title for column in chosen.study]
        titles += [
            f"{letter}{one} {column.title}" for one in range(1, most + 1) for column in event
        ]
        widths = [width(column) for column in chosen.study]
        book.sheet("All data", titles, _studies(chosen, event, most, number, progress), widths)
        if chosen.event:
            _protocols(book, chosen)
    progress(chosen.total, chosen.total)


def _studies(
    chosen: Selection, event: Sequence[Column], most: int, number: str, progress: Progress
) -> Iterator[list[str]]:
    study, of_event = _cells(chosen.study), _cells(event) if event else ""
    for first, last in chosen.chunks():
        if last >= MOST_ROWS:
            break  # the first sheet says how many studies there are
        yield from rows.study_rows(chosen, study, of_event, "", first, last, most, number)
        progress(last, chosen.total)


def _protocols(book: Workbook, chosen: Selection) -> None:
    """Write a sheet for each protocol, in alphabetical order; at most for the 1,000 most frequent.

    Many small sheets share one query, which takes as long to plan as thousands of rows take to
    render.
    """
    columns = (*chosen.study, *chosen.event)
    titles, widths = [column.title for column in columns], [width(column) for column in columns]
    study, event = _cells(chosen.study), _cells(chosen.event)
    field = summary.protocol(chosen.modality or "")
    chosen.connection.execute(f"""
        CREATE TEMP TABLE sheets AS
        SELECT t.study_id, t.event_number, t.{field} AS name, count(*) OVER (PARTITION BY t.{field})
        AS rows
        FROM "{chosen.events_table}" t SEMI JOIN hit ON hit.id = t.study_id
    """)
    chosen.connection.execute("ALTER TABLE sheets ADD COLUMN sheet BIGINT")
    most = f"""
        SELECT name, any_value(rows) AS rows FROM sheets GROUP BY name
        ORDER BY rows DESC, lower(name), name LIMIT {_MOST_SHEETS}
    """
    # As the names of sheets are shown, without the characters that they may not have.
    shown = r"trim(regexp_replace(name, '[\[\]:*?/\\]', ' ', 'g'))"
    order = f"coalesce(name, '') = '', lower(strip_accents({shown})), lower({shown}), name"
    named = f"SELECT name, row_number() OVER (ORDER BY {order}) AS sheet, rows FROM ({most})"
    chosen.connection.execute(f"""
        UPDATE sheets SET sheet = named.sheet FROM ({named}) named WHERE sheets.name IS NOT DISTINCT
        FROM named.name
    """)
    found = chosen.connection.execute(f"SELECT name, rows FROM ({named}) ORDER BY sheet").fetchall()
    last = 0
    while last < len(found):
        first, together = last + 1, 0
        while last < len(found) and (not together or together + found[last][1] <= _TOGETHER):
            together += found[last][1]
            last += 1
        for number, of_sheet in groupby(
            rows.event_rows(chosen, study, event, "sheets", first, last), lambda row: row[0]
        ):
            lines = ([text] for _, text in islice(of_sheet, MOST_ROWS - 1))
            book.sheet(found[number - 1][0] or summary.BLANK, titles, lines, widths)


def _cells(columns: Sequence[Column]) -> str:
    # A single function: a chain of || copies the text again with each cell.
    return f"concat({', '.join(map(cell, columns))})"

"""CSV for spreadsheets (RFC 4180, UTF-8 with a byte order mark): a study a line, its events to the right."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from .columns import DATE, MOMENT, TEXT, TIME, Column
from .selection import STUDIES, Progress, Selection

DATE_FORMATS = {"dd/mm/yyyy": "%d/%m/%Y", "dd.mm.yyyy": "%d.%m.%Y", "yyyy-mm-dd": "%Y-%m-%d", "mm/dd/yyyy": "%m/%d/%Y"}
_BOM = b"\xef\xbb\xbf"


def write(chosen: Selection, path: Path, date_format: str, progress: Progress) -> None:
    """Write the studies of a selection with all of their events."""
    day = DATE_FORMATS[date_format]
    study, event = _line(chosen.study, day), _line(chosen.event, day)
    titles = [column.title for column in chosen.study]
    titles += [f"E{number} {column.title}" for number in range(1, chosen.most_events + 1) for column in chosen.event]
    with open(path, "wb") as file:
        file.write(_BOM + ",".join(map(quoted, titles)).encode() + b"\r\n")
        for first, last in chosen.chunks():
            for lines in lines_of(chosen, study, event, ",", first, last):
                file.write("\r\n".join(lines).encode("utf-8", "replace") + b"\r\n")
            progress(last, chosen.total)


def lines_of(
    chosen: Selection, study: str, event: str, between: str, first: int, last: int, most: int = 1_000_000
) -> Iterator[list[str]]:  # fmt: skip
    """The rows of a chunk as text, in portions: the study's cells, then those of its first `most` events in their order."""
    if not event:
        query = f"SELECT {study} FROM {STUDIES} WHERE n BETWEEN {first} AND {last} ORDER BY n"
    else:
        query = f"""
            WITH part AS (SELECT id, n FROM hit WHERE n BETWEEN {first} AND {last}),
            events AS (
                SELECT study_id, array_to_string(list({event} ORDER BY event_number)[1:{most:d}], '{between}') AS cells
                FROM "{chosen.events_table}" t WHERE study_id IN (SELECT id FROM part) GROUP BY study_id
            )
            SELECT {study} || coalesce('{between}' || events.cells, '') FROM {STUDIES.replace("hit", "part hit")}
            LEFT JOIN events ON events.study_id = s.id ORDER BY n
        """
    for batch in chosen.connection.execute(query).fetch_record_batch(2_000):
        yield batch.column(0).to_pylist()


def _line(columns: Sequence[Column], day: str) -> str:
    return f"concat_ws(',', {', '.join(_cell(column, day) for column in columns)})" if columns else ""


def _cell(column: Column, day: str) -> str:
    value = f"({column.sql})"
    if column.kind == DATE:
        value = f"strftime({value}, '{day}')"
    elif column.kind == MOMENT:
        value = f"strftime({value}, '{day} %H:%M:%S')"
    elif column.kind == TIME:
        value = f"CAST({value} AS VARCHAR)"
    elif column.kind == TEXT:
        return f"coalesce({_safe(value)}, '')"
    return f"coalesce(CAST({value} AS VARCHAR), '')"


def _safe(text: str) -> str:
    # What a spreadsheet would take for a formula gets an apostrophe, which makes it text.
    harmless = f"CASE WHEN regexp_matches({text}, '^[=+\\-@\\t\\r]') THEN '''' || {text} ELSE {text} END"
    return f"""CASE WHEN regexp_matches({text}, '[",\\r\\n\\t]|^[=+\\-@]') THEN '"' || replace({harmless}, '"', '""') || '"'
        ELSE {text} END"""


def quoted(text: str) -> str:
    """A title as a cell."""
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if any(sign in text for sign in '",\r\n') else text

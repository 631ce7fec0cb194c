"""CSV for spreadsheets (RFC 4180, UTF-8 with a byte order mark): one line per study, with its
events to the right.

A fluoroscopy study has hundreds of exposures, which are left out here; the other formats have them.
"""

from collections.abc import Sequence
from pathlib import Path

from ..cells import BOM, END, quoted, safe
from . import rows
from .columns import DATE, DAY, MOMENT, TEXT, TIME, Column, provenance
from .selection import Progress, Selection

DATE_FORMATS = {
    "dd/mm/yyyy": "%d/%m/%Y",
    "dd.mm.yyyy": "%d.%m.%Y",
    "yyyy-mm-dd": "%Y-%m-%d",
    "mm/dd/yyyy": "%m/%d/%Y",
}
_STUDIES_ALONE = "RF"


def write_csv(chosen: Selection, path: Path, date_format: str, progress: Progress) -> None:
    """Write the studies of a selection, with all their events except for fluoroscopy."""
    day = DATE_FORMATS[date_format]
    events = () if chosen.modality == _STUDIES_ALONE else chosen.event
    of_study = (*chosen.study, *provenance())
    study, event = _line(of_study, day), _line(events, day)
    titles = [column.title for column in of_study]
    titles += [
        f"E{number} {column.title}"
        for number in range(1, chosen.most_events + 1)
        for column in events
    ]
    with open(path, "wb") as file:
        file.write(BOM + ",".join(map(quoted, titles)).encode() + END)
        for first, last in chosen.chunks():
            # All lines have the same number of cells: strict readers (pyarrow, DuckDB, Polars)
            # require it.
            file.writelines(
                "\r\n".join(lines).encode("utf-8", "replace") + END
                for lines in rows.study_rows(
                    chosen,
                    study,
                    event,
                    ",",
                    first,
                    last,
                    chosen.most_events,
                    blank="," * len(events),
                )
            )
            progress(last, chosen.total)


def _line(columns: Sequence[Column], day: str) -> str:
    return (
        f"concat_ws(',', {', '.join(_cell(column, day) for column in columns)})" if columns else ""
    )


def _cell(column: Column, day: str) -> str:
    value = f"({column.sql})"
    if column.kind == DATE:
        value = f"strftime({value}, '{day}')"
    elif column.kind == DAY:
        return f"coalesce(strftime(TRY_CAST({value} AS DATE), '{day}'), {safe(value)}, '')"
    elif column.kind == MOMENT:
        value = f"strftime({value}, '{day} %H:%M:%S')"
    elif column.kind == TIME:
        value = f"CAST({value} AS VARCHAR)"
    elif column.kind == TEXT:
        return f"coalesce({safe(value)}, '')"
    return f"coalesce(CAST({value} AS VARCHAR), '')"

"""National forms: the contents of their cells are declared, and one writer makes the sheet, which
users paste into the actual form.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..dicom import concepts
from . import rows
from .columns import NUMBER, TEXT
from .selection import Progress, Selection
from .small_workbook import SmallWorkbook, Value
from .xlsx_file import MOST_COLUMNS, width

# Symbols of the elements of filters and anodes (PS3.16 CID 10006 and 10016), by the keys of their
# codes.
ELEMENTS = {
    concepts.ALUMINIUM.key: "Al", concepts.COPPER.key: "Cu", concepts.MOLYBDENUM.key: "Mo", concepts.RHODIUM.key: "Rh",
    concepts.SILVER.key: "Ag", concepts.TUNGSTEN.key: "W", concepts.TIN.key: "Sn", concepts.TANTALUM.key: "Ta",
    concepts.LEAD.key: "Pb", concepts.NIOBIUM.key: "Nb", concepts.EUROPIUM.key: "Eu",
}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """A cell of a row.

    sql: its value over the study `s`, its number `n` in the selection, from 1, and the columns of
    the form's events query, `v`. otherwise: the text of the cell if the number is not given.
    """

    title: str
    sql: str = "NULL"
    kind: str = TEXT
    otherwise: str = ""


@dataclass(frozen=True)
class Form:
    """A form.

    events: a query of one row for each study of `part` that has events: study_id, `number` (of the
    repeated cells) and what else the cells take from `v`. cells: those of a row, given the largest
    `number` of the selected studies. above: rows of fixed text above the studies, if the form has
    something other than a row of titles.
    """

    sheet: str
    events: str
    cells: Callable[[int], list[Cell]]
    above: tuple[tuple[str, ...], ...] = ()


def write_form(
    form: Form, chosen: Selection, path: Path, date_format: str, progress: Progress
) -> None:
    """Write a workbook of one sheet with one row per study, in the order of the selection."""
    part = "WITH part AS (SELECT id, n FROM hit)"
    most = chosen.connection.execute(f"{part} SELECT max(number) FROM ({form.events})").fetchone()
    cells = form.cells(most[0] or 0 if most else 0)[:MOST_COLUMNS]
    titles = () if form.above else [one.title for one in cells]
    widths = [width(one) for one in cells]
    with SmallWorkbook(path, date_format) as book:
        book.sheet(form.sheet, titles, _rows(form, cells, chosen, progress), widths)


def _rows(
    form: Form, cells: list[Cell], chosen: Selection, progress: Progress
) -> Iterator[Sequence[Value]]:
    yield from form.above
    row = ", ".join(f"({one.sql}), {one.otherwise or 'NULL'}" for one in cells)
    for first, last in chosen.chunks():
        found = chosen.connection.execute(f"""
            WITH part AS MATERIALIZED (SELECT id, n FROM hit WHERE n BETWEEN {first} AND {last}),
            v AS MATERIALIZED ({form.events})
            SELECT {row} FROM part JOIN study s USING (id) LEFT JOIN v ON v.study_id = s.id ORDER BY
            n
        """)
        while portion := found.fetchmany(rows.PORTION):
            for values in portion:
                given = zip(values[::2], values[1::2], strict=True)
                yield [other if value is None else value for value, other in given]
        progress(last, chosen.total)


def number(title: str, sql: str) -> Cell:
    return Cell(title, sql, NUMBER)


def key(at: str) -> str:
    """Return the SQL expression of a coded concept's key, as "SCT:399162004"."""
    return f"concat_ws(':', {at}.scheme, {at}.value)"


def element(at: str) -> str:
    """Return the SQL expression of a coded material's symbol, else of its meaning."""
    known = " ".join(f"WHEN '{code}' THEN '{symbol}'" for code, symbol in ELEMENTS.items())
    return f"CASE {key(at)} {known} ELSE {at}.meaning END"

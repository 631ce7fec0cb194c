"""Workbooks as XLSX (ECMA-376).

DuckDB renders the XML of the rows of lists, one study or event each, many at a time, which takes a
tenth of the time of a library that makes an object for each cell. Text is in the cells themselves
(inlineStr), so that nothing has to be kept until the end.
"""

import re
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import BinaryIO, Protocol
from xml.sax.saxutils import escape

from ..cells import FORMULA
from .columns import DATE, DAY, INTEGER, MOMENT, NUMBER, TEXT, TIME
from .sheet_names import SheetNames

MOST_ROWS, MOST_COLUMNS, LONGEST_TEXT = 1_048_576, 16_384, 32_767
# Styles by their index in cellXfs below. Harmless is text that could be taken for a formula: it has
# Excel's own apostrophe.
_PLAIN, _TITLE, _DATE, _TIME, _MOMENT, _HARMLESS = range(6)
_FIRST_DAY = date(1899, 12, 30)
FIRST_SURE = date(1900, 3, 1)  # before it, Excel's days are wrong by one, or there are none: text
_EPOCH = f"DATE '{_FIRST_DAY}'"
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_INVALID = "[\\x00-\\x08\\x0B\\x0C\\x0E-\\x1F\\x{FFFE}\\x{FFFF}]"


class Written(Protocol):
    """A column, or one cell of a form: its title, its kind, and its value as SQL."""

    @property
    def title(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def sql(self) -> str: ...


def cell(column: Written) -> str:
    """Return the SQL expression of a cell's XML."""
    value = f"({column.sql})"
    if column.kind == TEXT:
        return _text_or_nothing(value)
    if column.kind in (DATE, DAY, MOMENT):
        return _day(value, column.kind)
    style, number = (_TIME, f"epoch({value}) / 86400") if column.kind == TIME else (_PLAIN, value)
    start = "<c><v>" if style == _PLAIN else f'<c s="{style}"><v>'
    return f"coalesce('{start}' || CAST({number} AS VARCHAR) || '</v></c>', '<c/>')"


def _day(value: str, kind: str) -> str:
    """Return the SQL expression of the cell of a date, with its time if the kind is MOMENT.

    What is no date that a spreadsheet can count stays text.
    """
    at = f"TRY_CAST({value} AS DATE)" if kind == DAY else value
    style, number = _DATE, f"{at} - {_EPOCH}"
    if kind == MOMENT:
        style, number = _MOMENT, f"epoch({at} - CAST({_EPOCH} AS TIMESTAMP)) / 86400"
    counted = f"'<c s=\"{style}\"><v>' || CAST({number} AS VARCHAR) || '</v></c>'"
    other = _text_or_nothing(value if kind == DAY else f"CAST({value} AS VARCHAR)")
    return f"CASE WHEN {at} >= DATE '{FIRST_SURE}' THEN {counted} ELSE {other} END"


def _text_or_nothing(value: str) -> str:
    return f"CASE WHEN {value} IS NULL OR {value} = '' THEN '<c/>' ELSE {_text(value)} END"


def _text(value: str) -> str:
    clean = f"left({value}, {LONGEST_TEXT})"
    without = f"regexp_replace({clean}, '{_INVALID}', '', 'g')"
    clean = f"CASE WHEN regexp_matches({clean}, '{_INVALID}') THEN {without} ELSE {clean} END"
    for sign, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "&#13;")):
        clean = f"replace({clean}, {_quoted(sign)}, '{written}')"
    style = f"CASE WHEN regexp_matches({value}, '{FORMULA}') THEN ' s=\"{_HARMLESS}\"' ELSE '' END"
    return f"'<c t=\"inlineStr\"' || {style} || '><is><t xml:space=\"preserve\">' || {clean} || '</t></is></c>'"


def _quoted(sign: str) -> str:
    return "chr(13)" if sign == "\r" else f"'{sign}'"


def text_cell(value: str | float | date | None, style: int = _PLAIN) -> str:
    """Return the XML of a single value's cell.

    A number or day is written as such. A text loses what XML cannot hold, and is marked if it could
    be taken for a formula.
    """
    if value is None:
        return "<c/>"
    if isinstance(value, date) and str(value) < str(FIRST_SURE):
        value = str(value)
    if isinstance(value, datetime):
        start = datetime.combine(_FIRST_DAY, time())
        value, style = (value - start).total_seconds() / 86_400, _MOMENT
    elif isinstance(value, date):
        value, style = (value - _FIRST_DAY).days, _DATE
    if isinstance(value, str) and re.match(FORMULA, value):
        style = style or _HARMLESS
    marked = f' s="{style}"' if style else ""
    if isinstance(value, (int, float)):
        return f"<c{marked}><v>{value!r}</v></c>"
    text = escape(NOT_IN_XML.sub("", value[:LONGEST_TEXT]), {"\r": "&#13;"})
    return f'<c t="inlineStr"{marked}><is><t xml:space="preserve">{text}</t></is></c>'


class Workbook:
    """A workbook that is written sheet by sheet, each from its first row to its last."""

    def __init__(self, path: Path | BinaryIO, date_format: str) -> None:
        # Level 1: half as large again as level 6, in a third of the time.
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        self._day = date_format.replace("/", "\\/").replace(".", "\\.")
        self._names = SheetNames()
        self._sheets: list[str] = []

    def __enter__(self) -> "Workbook":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._finish()
        self._zip.close()

    def sheet(
        self,
        name: str,
        titles: Sequence[str],
        rows: Iterable[Sequence[str]],
        widths: Sequence[int] = (),
    ) -> str:
        """Write a sheet and return its name.

        It has a row of titles, which stays visible and has filters. rows: the XML of their cells,
        in portions.
        """
        given = self._names.give(name)
        self._sheets.append(given)
        with self._zip.open(
            f"xl/worksheets/sheet{len(self._sheets)}.xml", "w", force_zip64=True
        ) as file:
            file.write(_head(titles, widths))
            for portion in rows:
                file.write(
                    "".join(f"<row>{cells}</row>" for cells in portion).encode("utf-8", "replace")
                )
            last = f"{_letters(len(titles))}1" if titles else "A1"
            filters = f'<autoFilter ref="A1:{last}"/>' if titles else ""
            file.write(f"</sheetData>{filters}</worksheet>".encode())
        return given

    def _finish(self) -> None:
        numbers = range(1, len(self._sheets) + 1)
        sheets = "".join(
            f'<sheet name="{escape(name, {chr(34): "&quot;"})}" sheetId="{n}" r:id="rId{n}"/>'
            for n, name in zip(numbers, self._sheets, strict=True)
        )
        relations = "".join(
            f'<Relationship Id="rId{n}" Type="{_REL}/worksheet" Target="worksheets/sheet{n}.xml"/>'
            for n in numbers
        )
        relations += (
            f'<Relationship Id="rId{len(self._sheets) + 1}" Type="{_REL}/styles" '
            f'Target="styles.xml"/>'
        )
        types = "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml" '
            f'ContentType="{_TYPE}.worksheet+xml"/>'
            for n in numbers
        )
        for name, text in (
            (
                "xl/workbook.xml",
                f'<workbook xmlns="{_MAIN}" xmlns:r="{_REL}"><sheets>{sheets}</sheets></workbook>',
            ),
            (
                "xl/_rels/workbook.xml.rels",
                f'<Relationships xmlns="{_PACKAGE}/relationships">{relations}</Relationships>',
            ),
            ("xl/styles.xml", _styles(self._day)),
            (
                "_rels/.rels",
                f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1"'
                f' Type="{_REL}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            ),
            (
                "[Content_Types].xml",
                f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels"'
                ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
                f'<Override PartName="/xl/styles.xml" '
                f'ContentType="{_TYPE}.styles+xml"/>{types}</Types>',
            ),
        ):
            self._zip.writestr(
                name, f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{text}'
            )


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def _head(titles: Sequence[str], widths: Sequence[int]) -> bytes:
    columns = "".join(
        f'<col min="{n}" max="{n}" width="{width}" customWidth="1"/>'
        for n, width in enumerate(widths, 1)
    )
    pane = (
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        if titles
        else ""
    )
    row = f"<row>{''.join(text_cell(title, _TITLE) for title in titles)}</row>" if titles else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<worksheet xmlns="{_MAIN}"><sheetViews>'
        f"<sheetView "
        f'workbookViewId="0">{pane}</sheetView></sheetViews>{f"<cols>{columns}</cols>" if columns else ""}'
        f"<sheetData>{row}"
    ).encode()


def _styles(day: str) -> str:
    formats = f'<numFmt numFmtId="164" formatCode="{day}"/><numFmt numFmtId="165" formatCode="{day}\\ hh:mm:ss"/>'
    cells = (
        'numFmtId="0"',
        'numFmtId="0" fontId="1" applyFont="1"',
        'numFmtId="164" applyNumberFormat="1"',
        'numFmtId="21" applyNumberFormat="1"',
        'numFmtId="165" applyNumberFormat="1"',
        'numFmtId="49" quotePrefix="1"',
    )
    return (
        f'<styleSheet xmlns="{_MAIN}"><numFmts count="2">{formats}</numFmts>'
        '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz '
        'val="11"/><name val="Calibri"/>'
        '</font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
        f'<cellXfs count="{len(cells)}">{"".join(f"<xf {one}/>" for one in cells)}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" '
        'builtinId="0"/></cellStyles></styleSheet>'
    )


def _letters(number: int) -> str:
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def width(column: Written) -> int:
    """Return a width in characters that fits titles and usual values."""
    usual = {TEXT: 22, DATE: 11, DAY: 11, TIME: 9, MOMENT: 19, NUMBER: 10, INTEGER: 8}[column.kind]
    return max(usual, min(len(column.title) + 2, 30))

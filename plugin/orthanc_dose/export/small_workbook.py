"""Workbooks of limited size, written by openpyxl: forms, the workbook of a study, the data of a chart.

Workbooks of lists, which can have millions of cells, are written by xlsx_file.py, which is several times
faster.
"""

import contextlib
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ..cells import FORMULA
from .sheet_names import SheetNames
from .xlsx_file import FIRST_SURE, LONGEST_TEXT, NOT_IN_XML

if TYPE_CHECKING:  # openpyxl is imported with the first workbook only
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

Value = str | float | date | time | None


class SmallWorkbook:
    """A workbook that is written sheet by sheet, each from its first row to its last."""

    def __init__(self, path: Path | BinaryIO, date_format: str) -> None:
        import openpyxl

        self._path = path
        self._book = openpyxl.Workbook(write_only=True)
        self._book.properties.creator = "Orthanc Dose"
        day = date_format.replace("/", "\\/").replace(".", "\\.")
        self._formats = {date: day, datetime: f"{day}\\ hh:mm:ss", time: "h:mm:ss"}
        self._names = SheetNames()
        self._sheets: list[WriteOnlyWorksheet] = []

    def __enter__(self) -> "SmallWorkbook":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._book.save(self._path)
            return
        for sheet in self._sheets:  # openpyxl keeps rows in temporary files until it saves
            with contextlib.suppress(Exception):
                sheet.close()
            with contextlib.suppress(Exception):
                sheet._writer.cleanup()  # type: ignore[attr-defined]

    def sheet(
        self,
        name: str,
        titles: Sequence[str],
        rows: Iterable[Sequence[Value]],
        widths: Sequence[int] = (),
    ) -> None:
        """Write a sheet.

        It has a row of titles, which stays visible and has filters. A text is never a formula.
        """
        from openpyxl.utils import get_column_letter

        sheet = self._book.create_sheet(self._names.give(name))
        self._sheets.append(sheet)
        for number, width in enumerate(widths, 1):
            sheet.column_dimensions[get_column_letter(number)].width = width
        if titles:
            sheet.freeze_panes = "A2"
            sheet.auto_filter.ref = f"A1:{get_column_letter(len(titles))}1"
            # A title is never missing: filters and readers expect one for each column.
            sheet.append([self._cell(sheet, title or " ", is_title=True) for title in titles])
        for row in rows:
            cells = [self._cell(sheet, value) for value in row]
            if (
                cells and cells[-1] is None
            ):  # openpyxl leaves it out, and the row would be too short
                cells[-1] = self._blank(sheet)
            sheet.append(cells)

    @staticmethod
    def _blank(sheet: "WriteOnlyWorksheet") -> object:
        from openpyxl.cell import WriteOnlyCell

        cell = WriteOnlyCell(sheet, "")
        cell.data_type = "n"
        return cell

    def _cell(self, sheet: "WriteOnlyWorksheet", value: Value, is_title: bool = False) -> object:
        """Return what openpyxl is to write for a value."""
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.styles import Font

        if isinstance(value, date) and str(value) < str(FIRST_SURE):
            value = str(value)
        if isinstance(value, (date, time)):
            cell = WriteOnlyCell(sheet, value)  # type: ignore[arg-type]
            cell.number_format = self._formats[type(value)]
            return cell
        if not isinstance(value, str):
            return value
        if not value:
            return None
        text = NOT_IN_XML.sub("", value[:LONGEST_TEXT])
        cell = WriteOnlyCell(sheet, text.replace("\r\n", "\n").replace("\r", "\n"))
        cell.data_type = "s"  # openpyxl itself takes "=1" for a formula and "#N/A" for an error
        if is_title:
            cell.font = Font(bold=True)
        elif re.match(FORMULA, value):
            cell.number_format, cell.quotePrefix = "@", True
        return cell

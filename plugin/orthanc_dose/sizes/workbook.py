"""Workbooks (XLSX) of sizes: the first sheet as CSV, which is then read as any other file.

A workbook is a ZIP archive, and a small one can expand to gigabytes: what it declares and what it
really contains are both limited before anything is parsed.
"""

import csv
import io
import zipfile
import zlib
from datetime import date

from ..cells import BOM
from .table import MOST_COLUMNS, NotATable

SIGNATURE = b"PK\x03\x04"
MOST_EXPANDED = 500_000_000  # bytes of all parts together
MOST_RATIO = 200  # to the size of the file; real workbooks stay below 30
SMALL = 5_000_000  # bytes that a workbook may always expand to
_PIECE = 2**20


def as_csv(raw: bytes) -> bytes:
    """Return the first sheet of a workbook as CSV, one line per row. Raises NotATable."""
    _check(raw)
    import openpyxl

    out, width = io.StringIO(), 0
    writer = csv.writer(out, lineterminator="\r\n")
    try:
        book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what a sheet says of its own size can be wrong
        for row in sheet.iter_rows(values_only=True):
            if len(row) > MOST_COLUMNS:
                raise NotATable(
                    f"The file has more than {MOST_COLUMNS} columns: save a file with fewer columns."
                )
            width = width or len(row)
            writer.writerow([*map(_text, row), *[""] * (width - len(row))])
    except NotATable:
        raise
    except Exception as error:
        raise NotATable(
            "The file is not a workbook that can be read. Save the table as XLSX or CSV."
        ) from error
    return BOM + out.getvalue().encode("utf-8", "replace")


def _check(raw: bytes) -> None:
    limit = min(MOST_EXPANDED, max(SMALL, MOST_RATIO * len(raw)))
    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            if "[Content_Types].xml" not in packed.namelist():
                raise NotATable("The file is an archive, not a workbook (XLSX) or CSV.")
            for part in packed.infolist():
                # Counted, not believed: the sizes in the archive can be wrong.
                with packed.open(part) as file:
                    while piece := file.read(_PIECE):
                        total += len(piece)
                        if total > limit:
                            raise NotATable(
                                "The workbook expands to more data than is accepted "
                                f"({limit // 1_000_000:,} MB). Save the table as CSV."
                            )
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise NotATable(
            "The workbook is damaged or encrypted and cannot be read. Save the table as XLSX "
            "without a password, or as CSV."
        ) from error


def _text(value: object) -> str:
    """Return a cell as text on one line, so that lines of the file are rows of the sheet."""
    if isinstance(value, float):
        return format(value, ".15g")
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else " ".join(str(value).splitlines())

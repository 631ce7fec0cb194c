"""Workbooks of sizes: their first sheet is read as the same table saved as CSV, and none expands without
limit.
"""

import csv
import io
import zipfile
from datetime import date

import openpyxl
import pytest

from orthanc_dose.sizes import workbook
from orthanc_dose.sizes.table import NotATable


def made(rows: list[list[object]]) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def changed(raw: bytes, **parts: bytes) -> bytes:
    """The archive with other content of the first sheet, and with further parts."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(raw)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            is_sheet = name.endswith("sheet1.xml") and "sheet" in parts
            new.writestr(name, parts["sheet"] if is_sheet else old.read(name))
        if "more" in parts:
            new.writestr("xl/media/more.bin", parts["more"])
    return out.getvalue()


def test_cells_come_as_text_and_lines_are_rows() -> None:
    raw = made(
        [
            ["Accession", "Height", "Weight", "Day"],
            ["A1", 1.72, 71, date(2026, 1, 2)],
            [1234567, None, 80.5],
            ["two\nlines; one, row", 1.8],
        ]
    )
    assert list(csv.reader(io.StringIO(workbook.as_csv(raw).decode("utf-8-sig")))) == [
        ["Accession", "Height", "Weight", "Day"],
        ["A1", "1.72", "71", "2026-01-02T00:00:00"],
        ["1234567", "", "80.5", ""],
        ["two lines; one, row", "1.8", "", ""],
    ]


@pytest.mark.parametrize("more", [b"\0" * 20_000_000, b"<c/>" * 5_000_000])
def test_a_workbook_that_expands_too_much_is_refused(more: bytes) -> None:
    with pytest.raises(NotATable, match="expands"):
        workbook.as_csv(changed(made([["a", "b"]]), more=more))


SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{}</worksheet>'
)
ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>' + SHEET.format(
    '<sheetData><row r="1"><c t="str"><v>&b;</v></c></row></sheetData>'
)


@pytest.mark.parametrize(
    ("sheet", "words"),
    [
        (
            SHEET.format('<sheetData><row r="1"><c r="XFD1"><v>1</v></c></row></sheetData>'),
            "columns",
        ),
        (ENTITIES, "cannot|can be read"),
        ("<worksheet", "can be read"),
    ],
)
def test_a_sheet_that_claims_too_much_is_refused(sheet: str, words: str) -> None:
    with pytest.raises(NotATable, match=words):
        workbook.as_csv(changed(made([["a", "b"]]), sheet=sheet.encode()))


@pytest.mark.parametrize("raw", [b"PK\x03\x04", b"PK\x03\x04" + bytes(100)])
def test_what_is_no_workbook_is_refused(raw: bytes) -> None:
    with pytest.raises(NotATable):
        workbook.as_csv(raw)


def test_another_archive_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("sizes.csv", "a,b")
    with pytest.raises(NotATable, match="archive"):
        workbook.as_csv(out.getvalue())

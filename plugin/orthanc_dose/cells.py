"""Cells of CSV (RFC 4180) and spreadsheets, in which no text is a formula.

Imports nothing of the program, so that the process that runs SQL loads it quickly.
"""

import re
from collections.abc import Iterable

BOM = b"\xef\xbb\xbf"
END = b"\r\n"
# Text that a spreadsheet would take for a formula; DICOM objects may contain such text. The pattern
# is valid in both SQL and Python.
FORMULA = r"^[=+\-@\t\r]"


def line(values: Iterable[str | float | None]) -> bytes:
    """Return a line of single values.

    Numbers have all their digits, missing values are empty, and texts are harmless.
    """
    return ",".join(quoted(harmless(value)) for value in values).encode("utf-8", "replace") + END


def harmless(value: str | float | None) -> str:
    """Return the text of a cell that no spreadsheet takes for a formula."""
    if isinstance(value, float):
        return format(value, ".15g")
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and re.match(FORMULA, text) else text


def safe(text: str) -> str:
    """Return the SQL expression of a text as a cell of a line, without separators.

    What a spreadsheet would take for a formula is preceded by an apostrophe, which makes it text.
    """
    marked = f"CASE WHEN regexp_matches({text}, '{FORMULA}') THEN '''' || {text} ELSE {text} END"
    return f"""CASE WHEN regexp_matches({text}, '[",\\r\\n\\t]|{FORMULA}') THEN '"' || replace({marked}, '"', '""') || '"'
        ELSE {text} END"""


def quoted(text: str) -> str:
    """Return a text as a cell, in quotes where needed."""
    return (
        f'"{text.replace(chr(34), chr(34) * 2)}"'
        if any(sign in text for sign in '",\r\n')
        else text
    )

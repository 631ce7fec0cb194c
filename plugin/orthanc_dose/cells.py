"""Cells of CSV (RFC 4180) and spreadsheets, in which no text is a formula. Imports nothing of the
program, so that the process that runs SQL has it at once."""

import re
from collections.abc import Iterable

BOM = b"\xef\xbb\xbf"
END = b"\r\n"
# Text that a spreadsheet would take for a formula; objects of DICOM may hold any. A pattern of both
# SQL's and Python's.
FORMULA = r"^[=+\-@\t\r]"


def line(values: Iterable[str | float | None]) -> bytes:
    """A line of single values: numbers with as many digits as they have, what is not given empty,
    text harmless.
    """
    return ",".join(quoted(harmless(value)) for value in values).encode("utf-8", "replace") + END


def harmless(value: str | float | None) -> str:
    """The text of a cell that no spreadsheet takes for a formula."""
    if isinstance(value, float):
        return format(value, ".15g")
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and re.match(FORMULA, text) else text


def safe(text: str) -> str:
    """A text of SQL as a cell of a line, without a comma beside it: what a spreadsheet would take
    for a formula gets an apostrophe, which makes it text."""
    marked = f"CASE WHEN regexp_matches({text}, '{FORMULA}') THEN '''' || {text} ELSE {text} END"
    return f"""CASE WHEN regexp_matches({text}, '[",\\r\\n\\t]|{FORMULA}') THEN '"' || replace({marked}, '"', '""') || '"'
        ELSE {text} END"""


def quoted(text: str) -> str:
    """A title as a cell."""
    return (
        f'"{text.replace(chr(34), chr(34) * 2)}"'
        if any(sign in text for sign in '",\r\n')
        else text
    )

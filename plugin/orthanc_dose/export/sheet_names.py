"""Valid sheet names of spreadsheets: at most 31 characters, without certain characters, and unique
regardless of case.
"""

import re

LONGEST = 31
_FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f\ufffe\uffff]")


class SheetNames:
    """Assigns the sheet names of one workbook."""

    def __init__(self) -> None:
        self._given: set[str] = {"history"}  # reserved by Excel

    def give(self, wanted: str) -> str:
        """Return the available name that is closest to the wanted one."""
        clean = _FORBIDDEN.sub(" ", wanted).strip().strip("'").strip() or "(blank)"
        name, number = _cut(clean, LONGEST), 1
        while name.casefold() in self._given:
            number += 1
            ending = f" ({number})"
            name = _cut(clean, LONGEST - len(ending)) + ending
        self._given.add(name.casefold())
        return name


def _cut(text: str, length: int) -> str:
    # Excel counts UTF-16 units.
    while len(text.encode("utf-16-le")) > 2 * length:
        text = text[:-1]
    return text.rstrip().rstrip("'")

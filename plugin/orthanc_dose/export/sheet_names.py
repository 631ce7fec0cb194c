"""Names of sheets as spreadsheets allow them: at most 31 characters, without some signs, each once
in any case.
"""

import re

LONGEST = 31
_FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f\ufffe\uffff]")


class SheetNames:
    """Gives names for one workbook."""

    def __init__(self) -> None:
        self._given: set[str] = {"history"}  # Excel keeps this one for itself

    def give(self, wanted: str) -> str:
        """The name that comes nearest to what is wanted."""
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

"""Patterns with wildcards that people write for names, identifiers and systems: * ? [seq] [!seq],
case is ignored.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase


def matched(text: str | None, patterns: Iterable[str]) -> str | None:
    """The first of these patterns that the whole text matches, as it was written; None where none
    does, or there is no text.
    """
    if not text:
        return None
    folded = text.strip().casefold()
    return next((pattern for pattern in patterns if fnmatchcase(folded, pattern.casefold())), None)

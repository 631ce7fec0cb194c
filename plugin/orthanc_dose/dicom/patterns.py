"""Patterns with wildcards that people write for names, identifiers and systems: * ? [seq] [!seq];
case is ignored.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase


def matched(text: str | None, patterns: Iterable[str]) -> str | None:
    """Return the first of these patterns, as written, that matches the whole text; None if none
    does, or if there is no text.
    """
    if not text:
        return None
    folded = text.strip().casefold()
    return next((pattern for pattern in patterns if fnmatchcase(folded, pattern.casefold())), None)

"""Answers of handlers other than plain JSON: with headers of their own, or files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Any


def plain(value: object) -> object:
    """Return a value that JSON does not know as ISO 8601 text. Raises TypeError for other types."""
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")


@dataclass(frozen=True)
class Download:
    """A file for the user: its bytes, or its path. name: plain ASCII without quotes."""

    raw: bytes | Path
    mime: str
    name: str


@dataclass(frozen=True)
class Text:
    """An answer that is text rather than JSON."""

    text: str
    mime: str


@dataclass(frozen=True)
class Content:
    """An answer: a body that becomes JSON, a Text or a Download, with status and headers.

    A header whose value is a list is sent once per entry.
    """

    body: Any
    status: int = 200
    headers: Mapping[str, str | list[str]] = field(default_factory=dict)

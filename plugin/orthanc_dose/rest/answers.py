"""What a handler can answer beside plain JSON: headers of its own, or a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Any


def plain(value: object) -> object:
    """Values that JSON does not know, as ISO 8601 text."""
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")


@dataclass(frozen=True)
class Download:
    """A file for the user: its bytes, or where it is. name: plain ASCII without quotes."""

    raw: bytes | Path
    mime: str
    name: str


@dataclass(frozen=True)
class Content:
    """An answer: what becomes JSON, or a Download, with status and headers; a list is a header that stands
    several times."""

    body: Any
    status: int = 200
    headers: Mapping[str, str | list[str]] = field(default_factory=dict)

"""Reading the content of a printed report's pages with pypdf, which does not know how it was made."""

from __future__ import annotations

import io
from itertools import groupby
from typing import Any

from pypdf import PdfReader

Line = list[str]


def pages_of(raw: bytes) -> list[list[Line]]:
    """Return the lines of each page from top to bottom, each as its pieces from left to right."""
    pages = []
    for page in PdfReader(io.BytesIO(raw)).pages:
        pieces: list[tuple[float, float, str]] = []

        def found(
            text: str, matrix: Any, place: Any, font: Any, size: Any, to: list[Any] = pieces
        ) -> None:
            if text.strip():
                to.append((-round(place[5], 1), place[4], text.strip("\n")))

        page.extract_text(visitor_text=found)
        lines = groupby(sorted(pieces), key=lambda one: one[0])
        pages.append([[text for _, _, text in line] for _, line in lines])
    return pages


def lines_of(raw: bytes) -> list[Line]:
    """Return the lines of all pages."""
    return [line for page in pages_of(raw) for line in page]


def words_of(raw: bytes) -> str:
    """Return all text and the properties, to search for what must not be there."""
    told = PdfReader(io.BytesIO(raw)).metadata or {}
    return "\n".join([*(" ".join(line) for line in lines_of(raw)), *map(str, told.values())])


def number(text: str) -> float:
    """Return a number as English reports write it; the sign of a mark and minutes may follow it."""
    return float(text.split(" (")[0].removesuffix(" *").replace(",", ""))

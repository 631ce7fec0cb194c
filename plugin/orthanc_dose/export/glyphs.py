"""Text for PDF pages: which font has which character, and what replaces a character that none has.

The fonts are beside this module: DejaVu Sans Condensed (Latin, Greek, Cyrillic, symbols) and Droid
Sans Fallback (Chinese, Japanese, Korean). A character that they lack, or that needs more than one
glyph after another (right-to-left scripts, joined letters), becomes a visible box: a name in the
wrong order would be a wrong name.
"""

import threading
import unicodedata
from collections.abc import Mapping
from functools import cache
from itertools import groupby
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

PLAIN, BOLD, _MORE = "DejaVuSansCondensed", "DejaVuSansCondensed-Bold", "DroidSansFallback"
MISSING = "\u25a1"  # □
_FOLDER = Path(__file__).parent / "fonts"
_REGISTERING = threading.Lock()  # a second object of a font renumbers its glyphs
_FROM_RIGHT = frozenset({"R", "AL", "AN"})
_VARIANTS = (
    range(0xFE00, 0xFE10),
    range(0xE0100, 0xE01F0),
)  # variation selectors: the plain character has the same meaning


def printable(text: str) -> str:
    """Return the text on one line, in characters that the fonts have."""
    return "".join(_printable(sign) for sign in unicodedata.normalize("NFC", text))


def runs(text: str, font: str) -> list[tuple[str, str]]:
    """Return a printable text as pieces, each with a font that has it: `font` wherever possible."""
    return [
        (of, "".join(signs)) for of, signs in groupby(text, key=lambda sign: _font_of(sign, font))
    ]


def width(text: str, font: str, size: float) -> float:
    """Return the width of a printable text in points."""
    return sum(_width(sign, font) for sign in text) * size / 1000


@cache
def _printable(sign: str) -> str:
    category = unicodedata.category(sign)
    if category == "Cf" or any(ord(sign) in variants for variants in _VARIANTS):
        return ""  # has no shape of its own
    if category in ("Cc", "Zl", "Zp", "Zs"):
        return " "
    if unicodedata.bidirectional(sign) in _FROM_RIGHT or not (
        _has(PLAIN, sign) or _has(_MORE, sign)
    ):
        return MISSING
    return sign


@cache
def _font_of(sign: str, font: str) -> str:
    return next((one for one in (font, PLAIN) if _has(one, sign)), _MORE)


@cache
def _width(sign: str, font: str) -> float:
    return _widths(_font_of(sign, font))[ord(sign)]


def _has(font: str, sign: str) -> bool:
    return ord(sign) in _widths(font)


@cache
def _widths(font: str) -> Mapping[int, float]:
    """Return the widths of a font's characters, after registering the font on the first call."""
    with _REGISTERING:
        if font not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(font, str(_FOLDER / f"{font}.ttf")))
    found = pdfmetrics.getFont(font)
    assert isinstance(found, TTFont)
    widths: Mapping[int, float] = found.face.charWidths
    return widths

"""Folding of texts before they are searched for names: case, accents and character widths are
removed and escapes are decoded, and each character keeps its position in the original text."""

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

# Letters that Unicode does not decompose.
_LETTERS = {
    "ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i",
}  # fmt: skip
# How people write these letters when the keyboard lacks them.
_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_PAIR = re.compile("ae|oe|ue|aa")
_HIRAGANA, _TO_KATAKANA = range(0x3041, 0x3097), 0x60
# Escapes of XML and HTML, of JSON, and of URLs.
_ESCAPE = re.compile(
    r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8}\d{0,2});|\\u[0-9a-f]{4}|\\[nrt]|(?:%[0-9a-f]{2})+",
    re.IGNORECASE,
)


class _Table(dict[int, str]):
    def __missing__(self, code: int) -> str:
        found = _LETTERS.get(chr(code).lower())
        if found is None:
            apart = unicodedata.normalize("NFKD", chr(code)).casefold()
            found = "".join(
                chr(ord(one) + _TO_KATAKANA) if ord(one) in _HIRAGANA else _LETTERS.get(one, one)
                for one in apart
                if not unicodedata.combining(one)
            )
        self[code] = found
        return found


_TABLE = _Table()


def fold(text: str) -> str:
    """Return the text without case, accents and widths, with all kana as katakana."""
    return text.lower() if text.isascii() else text.translate(_TABLE)


@dataclass(frozen=True)
class Folded:
    """A text to be searched. places: where each of its characters begins and ends in the original
    text; None if the characters correspond one to one."""

    text: str
    places: list[tuple[int, int]] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the (start, end) that a part of the folded text has in the original text."""
        if self.places is None:
            return start, end
        return self.places[start][0], self.places[end - 1][1]


def has_escapes(text: str) -> bool:
    """Return whether a text holds an escape of XML, JSON or a URL."""
    return ("&" in text or "%" in text or "\\" in text) and _ESCAPE.search(text) is not None


def readings(text: str) -> Iterator[Folded]:
    """Yield a text folded for searching: as it is and, if it has escapes, with these decoded."""
    yield Folded(fold(text), None if text.isascii() else _places(text, []))
    if has_escapes(text):
        pieces: list[str] = []
        places = _places(text, list(_ESCAPE.finditer(text)), pieces)
        yield Folded("".join(pieces), places)


def _places(
    text: str, escapes: list[re.Match[str]], pieces: list[str] | None = None
) -> list[tuple[int, int]]:
    """Return the (start, end) of each character of the folded text; append the text to `pieces`."""
    out: list[tuple[int, int]] = []

    def add(read: str, start: int, end: int) -> None:
        folded = fold(read)
        out.extend([(start, end)] * len(folded))
        if pieces is not None:
            pieces.append(folded)

    at = 0
    for escape in escapes:
        for place in range(at, escape.start()):
            add(text[place], place, place + 1)
        add(_read(escape[0]), escape.start(), escape.end())
        at = escape.end()
    for place in range(at, len(text)):
        add(text[place], place, place + 1)
    return out


def _read(escape: str) -> str:
    if escape.startswith("&"):
        return html.unescape(escape)
    if escape.startswith("%"):
        raw = unquote_to_bytes(escape)
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return raw.decode("latin-1")
    return chr(int(escape[2:], 16)) if escape[1] in "uU" else " "


def spelling(word: str) -> str:
    """Return a pattern that finds a word in folded text, with umlauts spelled either way: Müller,
    Muller, Mueller."""
    return _PAIR.sub(lambda pair: f"{pair[0]}?", re.escape(_spelled(word)))


def needle(word: str) -> str:
    """Return the longest part of a word that all its spellings share."""
    parts = _PAIR.sub(lambda pair: f"{pair[0][0]}\0", _spelled(word)).split("\0")
    return max(parts, key=len)


def _spelled(word: str) -> str:
    return fold(unicodedata.normalize("NFC", word).lower().translate(_SPELLED))

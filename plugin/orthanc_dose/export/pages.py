"""Printable pages: headings, paragraphs and tables, one below the other, on as many A4 pages as
needed.

reportlab draws; the layout is decided here, since what comes from objects may be of any length: a
cell shows a limited number of lines and then an ellipsis, so that each row fits on a page.
"""

import io
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfgen.canvas import Canvas

from .glyphs import BOLD, PLAIN, printable, runs, width

_WIDTH, _HEIGHT = landscape(A4)
_MARGIN, _FOOT = 34.0, 46.0
_ROOM = _WIDTH - 2 * _MARGIN
_LEADING = 1.25  # line spacing as a multiple of the font size
_PAD = 3.0
_MOST_LINES, _WIDEST_WORD, _ENOUGH = 8, 52.0, 180.0
_UNBROKEN, _SMALLEST = (
    5.8,
    4.5,
)  # font sizes: down to the first one words are kept whole, down to the second one numbers
_ROUNDING = 0.01  # tolerance of sums of widths
_Fit: TypeAlias = tuple[float, list[float]]
_INK, _GREY, _LINE, _SHADE = 0.0, 0.35, 0.75, 0.93
_CELL, _TEXT = 6.8, 8.0
# The parser of a font has a single read position: two threads would move each other's.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Column:
    """A column of a table.

    number: its cells are right-aligned. label: its cells name what is beside them.
    """

    title: str
    number: bool = False
    label: bool = False


class Pages:
    """Collects the content of the pages. Texts may be of any length and contain any characters."""

    def __init__(self) -> None:
        self._pages: list[list[Callable[[Canvas], None]]] = []
        self._at = 0.0
        self._new_page()

    def heading(self, text: str, size: float = 11.0) -> None:
        """Add a heading, on the same page as the beginning of what follows it."""
        self._need(size * _LEADING + 45)
        if self._pages[-1]:
            self._at -= size * 0.6
        for line in _lines(printable(text), BOLD, size, _ROOM, 3):
            self._line(line, BOLD, size)
        self._at -= 3

    def paragraph(self, text: str) -> None:
        for line in _lines(printable(text), PLAIN, _TEXT, _ROOM, _MOST_LINES):
            self._need(_TEXT * _LEADING)
            self._line(line, PLAIN, _TEXT)

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]], most: int) -> None:
        """Add a table, with its titles repeated on each page. most: lines of a cell."""
        titles = [printable(column.title) for column in columns]
        cells = [[printable(cell) for cell in row] for row in rows]
        size, widths = _fitting(columns, titles, cells, _CELL)
        head = _Row(columns, titles, widths, size, _MOST_LINES, head=True)
        begun = False
        for row in (_Row(columns, row, widths, size, most) for row in cells):
            if not begun or self._at - row.height < _FOOT:
                if begun or self._at - head.height - row.height < _FOOT:
                    self._new_page()
                self._place(head)
                begun = True
            self._place(row)
        self._at -= 6

    def raw(self, title: str, foot: Sequence[str], number: Callable[[int, int], str]) -> bytes:
        """Return the PDF.

        title: in its properties, not on the pages; foot: lines at the bottom of each page; number:
        returns the text that says which page of how many it is.
        """
        out = io.BytesIO()
        with _ONE_AT_A_TIME:
            canvas = Canvas(out, (_WIDTH, _HEIGHT), pageCompression=1)
            canvas.setTitle(title)
            canvas.setCreator("Orthanc Dose")
            for at, things in enumerate(self._pages, 1):
                for draw in things:
                    draw(canvas)
                self._draw_foot(canvas, foot, number(at, len(self._pages)))
                canvas.showPage()
            canvas.save()
        return out.getvalue()

    def _draw_foot(self, canvas: Canvas, foot: Sequence[str], number: str) -> None:
        canvas.setStrokeGray(_LINE)
        canvas.line(_MARGIN, _FOOT - 8, _WIDTH - _MARGIN, _FOOT - 8)
        canvas.setFillGray(_GREY)
        for at, text in enumerate(foot):
            (line,) = _lines(printable(text), PLAIN, 7, _ROOM - 70, 1) or [""]
            _draw(canvas, _MARGIN, _FOOT - 17 - at * 9, line, PLAIN, 7)
        text = printable(number)
        _draw(canvas, _WIDTH - _MARGIN - width(text, PLAIN, 7), _FOOT - 17, text, PLAIN, 7)

    def _new_page(self) -> None:
        self._pages.append([])
        self._at = _HEIGHT - _MARGIN

    def _need(self, height: float) -> None:
        if self._at - height < _FOOT:
            self._new_page()

    def _line(self, text: str, font: str, size: float) -> None:
        self._at -= size * _LEADING
        at = self._at + size * 0.25
        self._pages[-1].append(lambda canvas: _draw_in_ink(canvas, _MARGIN, at, text, font, size))

    def _place(self, row: "_Row") -> None:
        top = self._at
        self._pages[-1].append(lambda canvas: row.draw(canvas, top))
        self._at -= row.height


class _Row:
    """A row of a table, with its cells broken into lines."""

    def __init__(
        self,
        columns: Sequence[Column],
        cells: Sequence[str],
        widths: Sequence[float],
        size: float,
        most: int,
        head: bool = False,
    ) -> None:
        self._columns, self._widths, self._size, self._head = columns, widths, size, head
        self._font = BOLD if head else PLAIN
        self._cells = [
            _lines(cell, self._font, size, room - 2 * _PAD + _ROUNDING, most, "-" if head else "")
            for cell, room in zip(cells, widths, strict=True)
        ]
        self.height = max(1, *map(len, self._cells)) * size * _LEADING + _PAD

    def draw(self, canvas: Canvas, top: float) -> None:
        across = sum(self._widths)
        if self._head:
            canvas.setFillGray(_SHADE)
            canvas.rect(_MARGIN, top - self.height, across, self.height, stroke=0, fill=1)
        canvas.setStrokeGray(_LINE)
        canvas.setLineWidth(0.4)
        canvas.line(_MARGIN, top - self.height, _MARGIN + across, top - self.height)
        left = _MARGIN
        for column, lines, room in zip(self._columns, self._cells, self._widths, strict=True):
            canvas.setFillGray(_GREY if column.label and not self._head else _INK)
            for at, line in enumerate(lines):
                indent = (
                    room - _PAD - width(line, self._font, self._size) if column.number else _PAD
                )
                base = top - _PAD / 2 - self._size - at * self._size * _LEADING
                _draw(canvas, left + indent, base, line, self._font, self._size)
            left += room


def _draw_in_ink(
    canvas: Canvas, left: float, base: float, text: str, font: str, size: float
) -> None:
    canvas.setFillGray(_INK)
    _draw(canvas, left, base, text, font, size)


def _draw(canvas: Canvas, left: float, base: float, text: str, font: str, size: float) -> None:
    for of, piece in runs(text, font):
        canvas.setFont(of, size)
        canvas.drawString(left, base, piece)
        left += width(piece, of, size)


def _fitting(
    columns: Sequence[Column], titles: Sequence[str], rows: Sequence[Sequence[str]], size: float
) -> _Fit:
    """Return the widths of the columns, and the font size.

    Columns are as wide as their text; if that is too wide, the words of the cells get room first,
    then those of the titles, then whole texts. A number is never broken: the font size is reduced
    instead.
    """
    whole, words, least = [], [], []
    for at, (column, title) in enumerate(zip(columns, titles, strict=True)):
        texts = {row[at] for row in rows}
        longest = max(
            (width(word, PLAIN, size) for text in texts for word in text.split()), default=0.0
        )
        of_title = max((width(word, BOLD, size) for word in title.split()), default=0.0)
        fits = max([width(title, BOLD, size), *(width(text, PLAIN, size) for text in texts)])
        unit = max(
            (width(word, BOLD, size) for word in title.split() if word.startswith("[")), default=0.0
        )
        low = max(unit, longest if column.number else min(longest, _WIDEST_WORD))
        least.append(low + 2 * _PAD)
        words.append(max(low, min(of_title, _WIDEST_WORD)) + 2 * _PAD)
        whole.append(
            max(min(fits, _ENOUGH) + 2 * _PAD, words[-1]) if column.number else fits + 2 * _PAD
        )
    if sum(whole) <= _ROOM:
        return size, whole
    if sum(words) <= _ROOM:
        enough = [max(min(one, _ENOUGH), word) for one, word in zip(whole, words, strict=True)]
        return size, _shared(words, enough)
    if (sum(least) <= _ROOM and size <= _UNBROKEN) or size <= _SMALLEST:
        return size, _least_first(least, words)
    return _fitting(columns, titles, rows, size * 0.92)


def _shared(low: Sequence[float], high: Sequence[float]) -> list[float]:
    """Return widths that fill the page, each at least its lower one.

    The rest is shared in proportion to the differences from the higher widths.
    """
    rest, wanted = _ROOM - sum(low), sum(high) - sum(low)
    return [
        one + rest * (most - one) / wanted if wanted > 0 else one + rest / len(low)
        for one, most in zip(low, high, strict=True)
    ]


def _least_first(low: Sequence[float], high: Sequence[float]) -> list[float]:
    """Return widths that fill the page, each at least its lower one.

    The rest goes first to the columns that lack least to their higher width, so that as few words
    as possible are broken.
    """
    widths, rest = list(low), _ROOM - sum(low)
    for at in sorted(range(len(low)), key=lambda at: high[at] - low[at]):
        more = min(rest, high[at] - low[at])
        widths[at], rest = widths[at] + more, rest - more
    return widths


def _lines(
    text: str, font: str, size: float, room: float, most: int, hyphen: str = ""
) -> list[str]:
    """Return the text in lines of at most this width, broken at spaces, and within longer words.

    What exceeds `most` lines is replaced by an ellipsis. hyphen: what is added where a word is
    broken.
    """
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if width(longer, font, size) <= room:
            line = longer
            continue
        if width(word, font, size) <= room:
            lines.append(line)
            line = word
        else:
            *full, line = _broken(longer, font, size, room, hyphen)
            lines += full
        if len(lines) > most:
            break
    lines = [one for one in (*lines, line) if one]
    if len(lines) <= most:
        return lines
    last = lines[most - 1]
    while last and width(f"{last}…", font, size) > room:
        last = last[:-1]
    return [*lines[: most - 1], f"{last}…"]


def _broken(text: str, font: str, size: float, room: float, hyphen: str) -> list[str]:
    """Return the text in pieces that fit, each as long as possible."""
    pieces, start, used = [], 0, 0.0
    room -= width(hyphen, font, size)
    for at, sign in enumerate(text):
        wide = width(sign, font, size)
        if used + wide > room and at > start:
            pieces.append(
                text[start:at] + (hyphen if text[at - 1].isalpha() and sign.isalpha() else "")
            )
            start, used = at, 0.0
        used += wide
    return [*pieces, text[start:]]

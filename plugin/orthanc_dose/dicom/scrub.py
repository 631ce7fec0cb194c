"""Finding and removing text in an object that names its patient: names, IDs, birth date.

Elements that are meant for names and IDs are removed by their tag (identity.py). This module is for
all other places: a protocol name into which somebody typed the patient's name, a comment, a private
element, or XML or JSON in one. What could be there by chance is left alone: a short number counts
as an ID only if it is the whole of a text, and never in a dose value or a UID; a family name alone,
which may be a word like Head or Young, is removed from comments and from values labelled as a
patient's name (`<LastName>`), and is kept in the name of a protocol."""

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from datetime import date
from functools import cache, cached_property

from .dataset import BINARY_URI
from .folding import Folded, fold, has_escapes, needle, readings, spelling

REMOVED = "(removed)"
# Minimum number of digits of a number that does not appear in a text by chance, and minimum length
# of any other ID.
_LONG_NUMBER, _LONG_ID = 6, 5
_PARTS = re.compile(r"[\\^]")  # between an identifier and its issuer, and between several values
_WORDS = re.compile(r"[\s^,;._・\-'’]+")  # between the words of a name
# What may appear between the parts of a name: punctuation and markup of XML, and the label of the
# next part, such as `", "given": "` or `" given="`. Runs of signs are matched possessively, so that
# no text takes long.
_SIGNS = r"""(?:[\s^,;:._・'"’`´/\\|+=()\[\]{}>-]|<!\[cdata\[|<(?!!)[^<>]{1,300}>)"""
_SAID = r"""[a-z_][\w.$-]{0,60}["']?\s*[:=]"""
_BETWEEN = rf"{_SIGNS}++(?:{_SAID}{_SIGNS}*+){{0,2}}?"
_MARKS = re.compile(r"""[<>{}\[\]"=:]""")
_BEGIN, _END = r"(?<![^\W_])", r"(?![^\W_])"
# Scripts that put no space between the parts of a name.
_UNSPACED = re.compile(
    "[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
# A labelled value: <key>value, key="value", "key": "value".
_KEYED = re.compile(
    r"""(?:<(?P<element>[\w:.-]{1,80})(?:\s[^<>]{0,300})?>\s*(?:<!\[cdata\[\s*)?"""
    r"""|(?P<key>[\w.-]{1,80})["']?\s*[:=]\s*["']?)(?P<value>[^<>"'\]{}\n=,;]{1,200})"""
)
_OF_NAME = re.compile(
    r"(?:patient|pat|person|subject|family|given|last|first|middle|sur|fore|birth|maiden|full|nach"
    r"|vor|familien)[_.:-]?s?[_.:-]?name|(?:^|[_.:-])(?:patient|family|given|surname|forename|prenom"
    r"|apellidos?|cognome)s?$"
)
_OF_ID = re.compile(r"(?:patient|pat|person|subject|other)s?[_.:-]?(?:id|nr|no|number)|mrn|^pid$")


class Words:
    """The texts that name one patient, prepared for searching. names: as DICOM writes them (PN);
    ids: the patient's, and other texts that must not be found. birth_date: also None if the
    object's own dates may be the same.

    Most texts contain none of these, which the needles show quickly; the patterns are built only
    for the others.
    """

    def __init__(
        self, names: Iterable[str], ids: Iterable[str], birth_date: date | None = None
    ) -> None:
        self._names = [_Name(group) for name in names for group in name.split("=") if group.strip()]
        every_id = {found for found in ids if found}
        ids = {found for found in every_id if len(found) > 2}
        self._birth_date = birth_date.strftime("%Y%m%d") if birth_date else ""
        numbers = {found for found in ids if _is_number(found)}
        whole = {fold(word) for word in (*ids, *_written(names)) if len(word) > 2}
        self._whole = frozenset(whole)
        self._whole_of_private = frozenset(
            whole - {fold(word) for word in numbers if len(word) < _LONG_NUMBER}
        )
        # Where a label says that a value is an ID or a name, short ones count.
        self._said_ids = frozenset(map(fold, every_id))
        parts = {part for name in self._names for part in (*name.parts, *name.words)}
        self._said_names = frozenset(whole | {fold(part) for part in parts if len(part) > 1})
        self._long_ids = _longest_first(one for one in ids if len(one) >= _LONG_ID)
        self._texts = [one for one in self._long_ids if one not in numbers]
        self._numbers = _longest_first(_core(one) for one in numbers if len(one) >= _LONG_NUMBER)
        self._dates = [birth_date.strftime(form) for form in _DATES] if birth_date else []
        self._needles = tuple(
            {
                *(one for name in self._names for one in name.needles),
                *map(fold, self._texts),
                *self._numbers,
                *self._dates,
            }
        )
        self._of_parts = tuple(
            {needle(part) for name in self._names for part in name.words if len(part) > 1}
            | self._said_ids
        )

    @cached_property
    def _anywhere(self) -> "list[_Search]":
        texts = [_plainly(one) for one in self._texts]
        return [*(name.find for name in self._names if name.find), *texts]

    @cached_property
    def _in_code(self) -> "list[_Search]":
        numbers = [rf"(?<![\d.])0*{re.escape(one)}(?!\.?\d)" for one in self._numbers]
        return self._anywhere + ([_by(re.compile("|".join(numbers)))] if numbers else [])

    @cached_property
    def _in_text(self) -> "list[_Search]":
        days = [rf"(?<!\d){re.escape(one)}(?!\d)" for one in self._dates]
        return self._in_code + ([_by(re.compile("|".join(days)))] if days else [])

    @cached_property
    def _in_comment(self) -> "list[_Search]":
        # In a name part of several words (van der Berg), the short ones are words of the language.
        words = {
            word
            for name in self._names
            for word in (*name.parts, *(one for one in name.words if len(one) > 3))
        }
        patterns = [
            spelling(word) if _is_unspaced(word) else f"{_BEGIN}{spelling(word)}{_END}"
            for word in _longest_first(words)
            if len(word) > (2 if word.isascii() else 1)
        ]
        return [_by(re.compile("|".join(patterns)))] if patterns else []

    def __bool__(self) -> bool:
        return bool(self._whole or self._birth_date)

    def out_of_text(self, value: str, private: bool = False) -> str:
        """Return a text without the patient's names, IDs and birth date; `private` for an element
        that may or may not be text.
        """
        if value.startswith(BINARY_URI):
            return self._out_of_bytes(value)
        folded = fold(value)
        if folded.strip(" \0") in (self._whole_of_private if private else self._whole):
            return REMOVED
        return _cut(value, self._found(value, folded, "_in_text", said=True))

    def out_of_comment(self, value: str) -> str:
        """Clean a text that somebody typed, removing also single parts of the name."""
        value = self.out_of_text(value)
        if value.startswith(BINARY_URI):
            return value
        return _cut(value, _spans(readings(value), self._in_comment))

    def out_of_code(self, value: str) -> str:
        """Clean the value of an element for codes or addresses into which text was typed."""
        return _cut(value, self._found(value, fold(value), "_in_code"))

    def out_of_other(self, value: str) -> str:
        """Clean the value of an element for numbers into which text was typed."""
        return _cut(value, self._found(value, fold(value), "_anywhere"))

    def out_of_date(self, value: str) -> str:
        """Clean a date, or a date and time."""
        return REMOVED if self._birth_date and value.startswith(self._birth_date) else value

    def is_one(self, value: str) -> bool:
        """Return whether an identifier of something else is one of the long IDs or contains one as
        a part; shorter ones may match by chance.
        """
        return any(part.strip(" \0") in self._long_ids for part in (value, *_PARTS.split(value)))

    def _found(
        self, value: str, folded: str, searches: str, said: bool = False
    ) -> list[tuple[int, int]]:
        """Return where a value holds any of these texts. searches: the name of the searches, which
        take long to build, so they are only built when needed; said: look also for values labelled
        as a name or an ID."""
        escaped = has_escapes(value)
        if said and ("<" in value or ":" in value or "=" in value):
            said = escaped or any(one in folded for one in self._of_parts)
        else:
            said = False
        if not (said or escaped or any(one in folded for one in self._needles)):
            return []
        spans: list[tuple[int, int]] = []
        for reading in readings(value):
            if any(one in reading.text for one in self._needles):
                spans += _spans([reading], getattr(self, searches), value)
            if said:
                spans += self._said_in(reading)
        return spans

    def _said_in(self, reading: Folded) -> list[tuple[int, int]]:
        """Return where names and IDs, short ones too, appear with a label that identifies them."""
        spans = []
        for found in _KEYED.finditer(reading.text):
            key, value = found["element"] or found["key"], found["value"].strip()
            if (value in self._said_names and _OF_NAME.search(key)) or (
                value in self._said_ids and _OF_ID.search(key)
            ):
                start = found.start("value") + found["value"].index(value)
                spans.append(reading.span(start, start + len(value)))
        return spans

    def _out_of_bytes(self, value: str) -> str:
        try:
            raw = base64.b64decode(value[len(BINARY_URI) :])
        except (binascii.Error, ValueError):
            return value
        for plain in _decoded(raw, self._is_ascii):
            folded = fold(plain)
            if folded.strip(" \0") in self._whole_of_private or self._found(
                plain, folded, "_in_text", said=True
            ):
                return REMOVED
        return value

    @cached_property
    def _is_ascii(self) -> bool:
        return all(word.isascii() for name in self._names for word in name.parts)


# Returns where something appears in a folded text; it may also look at the original text.
_Search = Callable[[Folded, str], Iterable[tuple[int, int]]]


class _Name:
    """One group of a name. parts: its components; words: the words of the components. find:
    searches for it in all its forms; None if it is too short to appear in a text other than by
    chance."""

    def __init__(self, group: str) -> None:
        family, *others = ([part.strip() for part in group.split("^")] + [""] * 5)[:5]
        self.parts = _parts(group)
        self.words = [word for part in self.parts for word in _words(part)]
        self.find: _Search | None = None
        self.needles: list[str] = []
        if len(self.words) == 1:
            word = self.parts[0]
            if len(word) >= (3 if _is_unspaced(word) else _LONG_ID):
                self.find = _lazily(lambda: _as_written(word))
                self.needles = [needle(word)]
        elif self.words and _is_unspaced(group):
            self.find, self.needles = _lazily(self._unspaced), [needle(self.words[0])]
        elif self.words:
            # One word of the family name is enough, and the long ones are telling; middle names
            # count as given names. For a name in one part, nobody knows which word is which.
            telling = [word for word in _words(family) if len(word) > 3] or _words(family)
            given = _words(" ".join(others[:2]))
            if not telling or not given:
                telling = given = self.words
            if len(_longest_first(telling)[0]) + len(_longest_first(given)[0]) >= 4:
                self.find = _lazily(lambda: self._spaced(telling, given))
                self.needles = [needle(word) for word in telling]

    def _spaced(self, family: list[str], given: list[str]) -> _Search:
        """Return a search for consecutive words of the name that include a family name and a given
        name; initials count too."""
        words = list(map(spelling, _longest_first(set(self.words))))
        initials = sorted({fold(word)[:1] for word in self.words if word[0].isalpha()})
        every = "|".join([*words, *initials])
        run = re.compile(f"{_BEGIN}(?:{every})(?:{_BETWEEN}(?:{every}))+{_END}")
        one = _bounded(words)
        patterns = [_bounded([spelling(word)]) for word in dict.fromkeys(family)]
        others = [_bounded([spelling(word)]) for word in dict.fromkeys(given)]

        def find(text: Folded, _: str) -> Iterable[tuple[int, int]]:
            for found in run.finditer(text.text):
                of_family = {place for word in patterns for place in _places(word, found)}
                of_given = {place for word in others for place in _places(word, found)}
                # Where both may be the same word, two different ones are needed.
                if any(
                    text.text[slice(*here)] != text.text[slice(*there)]
                    for here in of_family
                    for there in of_given
                ):
                    yield from _but_marks(found, one)

        return find

    def _unspaced(self) -> _Search:
        """Return a search for the family and given name, in either order, with nothing or only
        punctuation between them."""
        every = list(map(spelling, self.parts if len(self.parts) > 1 else self.words))
        family, given, *more = every
        between = rf"(?:{_BETWEEN})?"
        rest = f"(?:{between}(?:{'|'.join(more)}))*" if more else ""
        both = re.compile(f"{family}{between}{given}{rest}|{given}{rest}{between}{family}")
        one = re.compile("|".join(every))
        return lambda text, _: (
            place for found in both.finditer(text.text) for place in _but_marks(found, one)
        )


def _bounded(patterns: list[str]) -> re.Pattern[str]:
    return re.compile(f"{_BEGIN}(?:{'|'.join(patterns)}){_END}")


def _places(word: re.Pattern[str], within: re.Match[str]) -> Iterable[tuple[int, int]]:
    return (found.span() for found in word.finditer(within.string, *within.span()))


def _but_marks(found: re.Match[str], word: re.Pattern[str]) -> Iterable[tuple[int, int]]:
    """Return where a name appears: as a whole or, if it contains markup of XML or JSON, word by
    word, so that the rest of that text stays readable."""
    return _places(word, found) if _MARKS.search(found[0]) else [found.span()]


def _lazily(make: "Callable[[], _Search]") -> "_Search":
    """Return the search that `make` builds, built when it is first needed: most objects hold
    nothing to look for."""
    made = cache(make)
    return lambda text, written: made()(text, written)


def _by(pattern: re.Pattern[str]) -> _Search:
    return lambda text, _: (found.span() for found in pattern.finditer(text.text))


def _as_written(word: str) -> _Search:
    """Return a search for a name of one word, matched only as written, since it may be a word of
    the language."""
    own = fold(word)
    bounds = ("", "") if _is_unspaced(word) else (_BEGIN, _END)
    pattern = re.compile(re.escape(own).join(bounds))

    def find(text: Folded, written: str) -> Iterable[tuple[int, int]]:
        for found in pattern.finditer(text.text):
            start, end = text.span(*found.span())
            if written[start:end] == word:
                yield found.span()

    return find


def _plainly(text: str) -> _Search:
    """Return a search for an ID; one without digits, perhaps a word, is matched only as written."""
    pattern, exact = re.compile(re.escape(fold(text))), not any(map(str.isdigit, text))

    def find(of: Folded, written: str) -> Iterable[tuple[int, int]]:
        for found in pattern.finditer(of.text):
            start, end = of.span(*found.span())
            if not exact or written[start:end] == text:
                yield found.span()

    return find


def _spans(
    texts: Iterable[Folded], searches: list[_Search], written: str = ""
) -> list[tuple[int, int]]:
    return [
        text.span(start, end)
        for text in texts
        for search in searches
        for start, end in search(text, written)
        if end > start
    ]


def _cut(value: str, spans: list[tuple[int, int]]) -> str:
    """Return the value with REMOVED in place of each span."""
    out, at, last = [], 0, -1
    for start, end in sorted(spans):
        if end <= at:
            continue
        if start > last:
            out += [value[at:start], REMOVED]
        at = last = end
    return "".join([*out, value[at:]]) if out else value


def _decoded(raw: bytes, ascii_alone: bool) -> Iterable[str]:
    """Yield the texts that bytes may represent: Latin-1 and UTF-8; UTF-16 at even and odd offsets;
    and for names that are not ASCII the encodings of the standard's character sets."""
    yield raw.decode("latin-1")
    if b"\0" in raw or not ascii_alone:
        for encoding in ("utf-16-le", "utf-16-be"):
            yield raw.decode(encoding, "ignore")
            yield raw[1:].decode(encoding, "ignore")
    if ascii_alone:
        return
    if not raw.isascii():
        for encoding in _ENCODINGS:
            yield raw.decode(encoding, "ignore")
    if b"\x1b" in raw:
        for encoding in ("iso2022_jp_ext", "iso2022_kr"):
            yield raw.decode(encoding, "ignore")
        # Code extensions (PS3.5 6.1.2.5): the bytes between two escapes, in the character set that
        # the first of them names.
        yield _extended(raw)


_ENCODINGS = (
    "utf-8", "gb18030", "shift_jis", "euc_jp", "euc_kr", "big5", "iso8859_2", "iso8859_3",
    "iso8859_4", "iso8859_5", "iso8859_6", "iso8859_7", "iso8859_8", "iso8859_9", "cp874",
)  # fmt: skip
_EXTENSIONS = {
    b"\x1b$)C": "euc_kr", b"\x1b$)A": "gb2312", b"\x1b-A": "latin-1", b"\x1b-B": "iso8859_2",
    b"\x1b-C": "iso8859_3", b"\x1b-D": "iso8859_4", b"\x1b-L": "iso8859_5", b"\x1b-G": "iso8859_6",
    b"\x1b-F": "iso8859_7", b"\x1b-H": "iso8859_8", b"\x1b-M": "iso8859_9", b"\x1b-T": "cp874",
    b"\x1b)I": "shift_jis", b"\x1b(J": "shift_jis",
}  # fmt: skip
_ESCAPED = re.compile(rb"(\x1b\$?[()-][A-Z]|\x1b\$[@B])")


def _extended(raw: bytes) -> str:
    out, encoding = [], "latin-1"
    pieces = _ESCAPED.split(raw)
    for at, piece in enumerate(pieces):
        if at % 2:
            encoding = _EXTENSIONS.get(piece, "latin-1")
            if piece in (b"\x1b$B", b"\x1b$@", b"\x1b$(D"):
                pieces[at + 1] = piece + pieces[at + 1]
                encoding = "iso2022_jp_ext"
        else:
            out.append(piece.decode(encoding, "ignore"))
    return "".join(out)


def names(name: str | None) -> list[str]:
    """Return the ways to write a name (PN) as one text: its groups as written, and with their parts
    in both orders.
    """
    if not name:
        return []
    found = {name}
    for group in name.split("="):
        parts = _parts(group)
        if len(parts) > 1:
            found |= {
                group.strip("^ "),
                " ".join(parts),
                " ".join(reversed(parts)),
                ", ".join(parts),
            }
    return _longest_first(found)


def _written(of: Iterable[str]) -> Iterable[str]:
    return (way for name in of for way in names(name))


_DATES = ("%Y%m%d", "%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y")


def _parts(group: str) -> list[str]:
    return [part.strip() for part in group.split("^") if part.strip()]


def _words(part: str) -> list[str]:
    return [word for word in _WORDS.split(part) if word]


def _is_unspaced(text: str) -> bool:
    return _UNSPACED.search(fold(text)) is not None


def _is_number(text: str) -> bool:
    return re.sub(r"[-./ ]", "", text).isdecimal()


def _core(number: str) -> str:
    """Return a number without leading zeros, if enough digits are left, else the number itself."""
    core = number.lstrip("0")
    return core if len(core) >= _LONG_NUMBER else number


def _longest_first(texts: Iterable[str]) -> list[str]:
    return sorted(texts, key=lambda text: (-len(text), text))

"""Finding in an object's text what names its patient: name, IDs, birth date; and taking it out.

What stands where names and IDs belong is taken out by its tag (identity.py). This is for all other
places: a protocol name into which somebody typed the patient's, a comment, a private element. What
could be there by chance is left alone: a short number is an ID only where it is the whole of a
text, never in a dose value or a UID; a family name alone, which may be a word like Head or Young,
goes from comments, and stays in the name of a protocol."""

import base64
import binascii
import re
from collections.abc import Iterable
from datetime import date
from functools import cached_property

from .dataset import BINARY_URI

REMOVED = "(removed)"
# Digits of a number that stands in a text by more than chance, and characters of another ID.
_LONG_NUMBER, _LONG_ID = 6, 5
_PARTS = re.compile(r"[\\^]")  # between an identifier and its issuer, and between several values
# What may stand between the parts of a name.
_BETWEEN = r"[\s^,;._・-]"


class Words:
    """What names one patient, ready to be looked for. ids: the patient's, and other texts that must
    not be found. birth_date: None also where the object's own days may be the same.

    Most texts hold none of it, which the needles tell; the patterns are made for the others.
    """

    def __init__(
        self, name: str | None, ids: Iterable[str], birth_date: date | None = None
    ) -> None:
        ids = {found for found in ids if len(found) > 2}
        self._name, self._birth_date = name, birth_date.strftime("%Y%m%d") if birth_date else ""
        numbers = {found for found in ids if _is_number(found)}
        whole = {word.casefold() for word in (*ids, *names(name)) if len(word) > 2}
        self._whole = frozenset(whole)
        self._whole_of_private = frozenset(
            whole - {word for word in numbers if len(word) < _LONG_NUMBER}
        )
        self._long_ids = _longest_first(one for one in ids if len(one) >= _LONG_ID)
        self._texts = [one for one in self._long_ids if one not in numbers]
        self._numbers = _longest_first(one for one in numbers if len(one) >= _LONG_NUMBER)
        self._dates = [birth_date.strftime(form) for form in _DATES] if birth_date else []
        groups = [_parts(group) for group in (name or "").split("=")]
        self._parts = {part for group in groups for part in group}
        firsts = {group[0].split()[0].casefold() for group in groups if group}
        self._needles = (
            *firsts,
            *(one.casefold() for one in (*self._texts, *self._numbers)),
            *self._dates,
        )

    @cached_property
    def _anywhere(self) -> "re.Pattern[str] | None":
        return _one_of([*_name_patterns(self._name), *map(re.escape, self._texts)])

    @cached_property
    def _in_text(self) -> "re.Pattern[str] | None":
        numbers = [rf"(?<![\d.]){re.escape(one)}(?!\.?\d)" for one in self._numbers]
        days = [rf"(?<!\d){re.escape(one)}(?!\d)" for one in self._dates]
        return _one_of([*_name_patterns(self._name), *map(re.escape, self._texts), *numbers, *days])

    @cached_property
    def _in_comment(self) -> "re.Pattern[str] | None":
        return _one_of(
            [
                rf"(?i:(?<!\w){re.escape(part)}(?!\w))"
                if part.isascii()
                else f"(?i:{re.escape(part)})"
                for part in _longest_first(self._parts)
                if len(part) > (2 if part.isascii() else 1)
            ]
        )

    def _may_be_in(self, text: str) -> bool:
        folded = text.casefold()
        return any(needle in folded for needle in self._needles)

    def __bool__(self) -> bool:
        return bool(self._whole or self._birth_date)

    def out_of_text(self, value: str, private: bool = False) -> str:
        """A text without them; `private` for an element of which nobody knows whether it is
        text.
        """
        if value.startswith(BINARY_URI):
            return self._out_of_bytes(value)
        if value.strip(" \0").casefold() in (self._whole_of_private if private else self._whole):
            return REMOVED
        return (
            self._in_text.sub(REMOVED, value) if self._may_be_in(value) and self._in_text else value
        )

    def out_of_comment(self, value: str) -> str:
        """A text that somebody wrote, without parts of the name either."""
        value = self.out_of_text(value)
        return (
            self._in_comment.sub(REMOVED, value)
            if self._in_comment and not value.startswith(BINARY_URI)
            else value
        )

    def out_of_other(self, value: str) -> str:
        """The value of an element that holds codes or numbers, into which text was put."""
        return (
            self._anywhere.sub(REMOVED, value)
            if self._may_be_in(value) and self._anywhere
            else value
        )

    def out_of_date(self, value: str) -> str:
        """A date, or date and time."""
        return REMOVED if self._birth_date and value.startswith(self._birth_date) else value

    def is_one(self, value: str) -> bool:
        """Whether an identifier of something else is one of the IDs, or has it as a part, and that
        not by chance.
        """
        return any(part.strip(" \0") in self._long_ids for part in (value, *_PARTS.split(value)))

    def _out_of_bytes(self, value: str) -> str:
        try:
            raw = base64.b64decode(value[len(BINARY_URI) :])
        except (binascii.Error, ValueError):
            return value
        for encoding in ("latin-1", "utf-8", "utf-16-le"):
            plain = raw.decode(encoding, "ignore")
            if plain.strip(" \0").casefold() in self._whole_of_private or (
                self._may_be_in(plain) and self._in_text and self._in_text.search(plain)
            ):
                return REMOVED
        return value


def names(name: str | None) -> list[str]:
    """The ways to write a name (PN) as one text: its groups as written, and with their parts in
    both orders.
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


_DATES = ("%Y%m%d", "%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y")


def _name_patterns(name: str | None) -> list[str]:
    out = []
    for group in (name or "").split("="):
        parts = _parts(group)
        if len(parts) == 1:
            parts = parts[0].split()
        if len(parts) > 1 and len(parts[0] + parts[1]) >= (4 if group.isascii() else 2):
            family, given, *more = map(re.escape, parts)
            # In Chinese, Japanese and Korean the parts follow each other without anything between
            # them.
            between = _BETWEEN + ("+" if group.isascii() else "*")
            more = [f"(?:{between}(?:{'|'.join(more)}))*"] if more else [""]
            both = f"{family}{between}{given}{more[0]}|{given}{more[0]}{between}{family}"
            out.append(rf"(?i:(?<!\w)(?:{both})(?!\w))" if group.isascii() else f"(?i:{both})")
        elif len(parts) == 1 and len(parts[0]) >= _LONG_ID:
            out.append(rf"(?<!\w){re.escape(parts[0])}(?!\w)")
    return out


def _parts(group: str) -> list[str]:
    return [part.strip() for part in group.split("^") if part.strip()]


def _is_number(text: str) -> bool:
    return re.sub(r"[-./ ]", "", text).isdecimal()


def _longest_first(texts: Iterable[str]) -> list[str]:
    return sorted(texts, key=lambda text: (-len(text), text))


def _one_of(patterns: list[str]) -> "re.Pattern[str] | None":
    return re.compile("|".join(patterns)) if patterns else None

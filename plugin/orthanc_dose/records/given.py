"""Validation of JSON from outside against the type that declares it: whether a value is right, and
if not, where it is wrong and what it should be, in words.

A type is anything that msgspec accepts as one: a subclass of Given, or a plain type with limits
(Annotated with Meta). Meta(extra={"words": …}) describes a valid value where the limits alone would
not."""

import types
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Meta, UnsetType

T = TypeVar("T")

# No larger whole number is accepted anywhere.
LARGEST_INTEGER = 10**18 - 1
# Follows the $ of a pattern, which in Python's regular expressions also matches before a final line
# break.
END = r"$(?!\n)"
# A line of text that is not blank.
LINE = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
LONGEST_LINE = 200
Line = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=LONGEST_LINE,
        pattern=LINE,
        extra={"words": f"a line of 1 to {LONGEST_LINE} characters"},
    ),
]
Number = Annotated[int, Meta(ge=1, le=LARGEST_INTEGER)]  # of a study, a system, a task, …
Count = Annotated[int, Meta(ge=0, le=LARGEST_INTEGER)]

FIELD_SHOWN = 100  # maximum number of characters of a name that an error message repeats
# More names or values than a sentence lists.
_MANY = 24
_LISTED = "/dose/api/openapi.json"


class Wrong(Exception):
    """A value is not what it must be; the message is a sentence. place: where it is, as
    "sieve.text" or "entries[3].pattern"; None for the whole."""

    def __init__(self, place: str | None, message: str) -> None:
        super().__init__(message)
        self.place = place


class Given(msgspec.Struct, forbid_unknown_fields=True):
    """An object from outside that has these fields and no others. An optional field has a default,
    which is UNSET if its absence means something that no value does."""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields that were given, by name, without those that were left out."""
        return {
            name: value
            for name in self.__struct_fields__
            if (value := getattr(self, name)) is not UNSET
        }


def taken(value: object, kind: type[T], whole: str = "The body") -> T:
    """Return the value converted to this type. whole: its name in error messages. Raises Wrong.

    A whole number may be written as 5.0, as in JSON."""
    value = _whole_numbers(value)
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        # Each part is checked to find the wrong one: the library's messages are for programmers,
        # and they repeat values.
        raise _wrong(value, kind, "", whole) or Wrong(
            None, f"{whole} has an invalid value."
        ) from None


def changes_of(name: str, about: str, kinds: Iterable[tuple[str, Any]]) -> type[Given]:
    """Return a class of changes: these fields with their types, each of which may be left out.
    about: its docstring."""
    return msgspec.defstruct(  # type: ignore[return-value]
        name,
        [(field, kind | UnsetType, UNSET) for field, kind in kinds],
        bases=(Given,),
        namespace={"__doc__": about},
    )


def problem(value: object, kind: Any) -> str | None:
    """Return what a value should be instead, or None if it is right."""
    try:
        taken(value, kind)
    except Wrong:
        return words(kind)
    return None


def names(kind: type[Given]) -> tuple[str, ...]:
    """Return the names of the fields of an object of this type."""
    return kind.__struct_fields__


def words(kind: Any) -> str:
    """Return a description of this type's values that completes a sentence "must be …"."""
    bare, metas = _parts(kind)
    for meta in metas:
        if meta.extra and "words" in meta.extra:
            return str(meta.extra["words"])
    if get_origin(bare) in (Union, types.UnionType):
        several = {words(one): None for one in get_args(bare) if one is not UnsetType}
        return " or ".join(sorted(several, key=lambda one: one != "null"))
    if get_origin(bare) is Literal:
        allowed = [str(one) for one in get_args(bare) if one is not None]
        which = f"one of: {', '.join(allowed)}"
        if len(allowed) > _MANY:
            which = f"one of {len(allowed)} values; {_LISTED} lists them"
        return f"null or {which}" if None in get_args(bare) else which
    if get_origin(bare) is list:
        return _words_of_list(get_args(bare)[0], metas)
    if isinstance(bare, type) and issubclass(bare, Given):
        if len(names(bare)) > _MANY:
            return f"an object; {_LISTED} lists its fields"
        return f"an object with these fields: {', '.join(names(bare))}"
    return _words_of_plain(bare, metas)


def _words_of_plain(bare: Any, metas: list[Meta]) -> str:
    if bare is bool:
        return "true or false"
    if bare is str:
        low, high = _limit(metas, "min_length") or 0, _limit(metas, "max_length")
        return "a text" if high is None else f"text of {low} to {high} characters"
    if bare in (int, float):
        low, high = _limit(metas, "ge"), _limit(metas, "le")
        limits = "" if low is None else f" from {_plain(low)}"
        limits += "" if high in (None, LARGEST_INTEGER) else f" to {_plain(high)}"
        return f"a {'whole ' if bare is int else ''}number{limits}"
    return {date: "a date such as 2026-01-31", types.NoneType: "null"}.get(bare, "an object")


def _plain(limit: float) -> str:
    return str(int(limit)) if limit == int(limit) else str(limit)


def _words_of_list(item: Any, metas: list[Meta]) -> str:
    low, high = _limit(metas, "min_length"), _limit(metas, "max_length")
    count = "" if high is None else f" of {low} to {high:,}" if low else f" of at most {high:,}"
    bare, _ = _parts(item)
    if get_origin(bare) is Literal:
        return f"a list{count} with one or more of: {', '.join(map(str, get_args(bare)))}"
    return f"a list{count or ' of'} values, each {words(item)}"


def _limit(metas: list[Meta], name: str) -> Any:
    return next((found for meta in metas if (found := getattr(meta, name)) is not None), None)


def _wrong(value: Any, kind: Any, place: str, whole: str) -> Wrong | None:
    """Return where and how a value is wrong, or None if it is right."""
    bare, metas = _parts(kind)
    for one in get_args(bare) if get_origin(bare) in (Union, types.UnionType) else (bare,):
        of, _ = _parts(one)
        if isinstance(of, type) and issubclass(of, Given) and isinstance(value, dict):
            return _wrong_object(value, of, place, whole)
        if get_origin(of) is list and isinstance(value, list):
            item = get_args(of)[0]
            # A list of plain values is wrong as a whole.
            if isinstance(item, type) and issubclass(item, Given):
                for number, entry in enumerate(value):
                    wrong = _wrong(entry, item, f"{place}[{number}]", whole)
                    if wrong:
                        return wrong
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        metas += [meta for one in get_args(bare) for meta in _parts(one)[1]]
        title = next((meta.title for meta in metas if meta.title), place or whole)
        return Wrong(place or None, f"{title} must be {words(kind)}.")
    return None


def _wrong_object(value: dict[str, Any], of: type[Given], place: str, whole: str) -> Wrong | None:
    before = f"{place}." if place else ""
    kinds = get_type_hints(of, include_extras=True)
    for name in value:
        if name not in names(of):
            what = (
                f"{place or whole} contains an unknown field; its fields are: "
                f"{', '.join(names(of))}."
            )
            if len(names(of)) > _MANY:
                what = f"{place or whole} has no field with this name; {_LISTED} lists its fields."
            return Wrong(f"{before}{name[:FIELD_SHOWN]}", what)
    required = {field.name for field in msgspec.structs.fields(of) if field.required}
    for name in names(of):
        if name in value:
            wrong = _wrong(value[name], kinds[name], f"{before}{name}", whole)
            if wrong:
                return wrong
        elif name in required:
            return Wrong(f"{before}{name}", f"The field {before}{name} is missing.")
    return None


def _parts(kind: Any) -> tuple[Any, list[Meta]]:
    """Return the type without its limits, and the limits."""
    metas: list[Meta] = []
    while get_origin(kind) is Annotated:
        kind, *more = get_args(kind)
        metas += [one for one in more if isinstance(one, Meta)]
    return kind, metas


def _whole_numbers(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_INTEGER:
        return int(value)
    if isinstance(value, dict):
        return {name: _whole_numbers(one) for name, one in value.items()}
    return [_whole_numbers(one) for one in value] if isinstance(value, list) else value


__all__ = [
    "END", "FIELD_SHOWN", "LARGEST_INTEGER", "LINE", "LONGEST_LINE", "UNSET", "Count", "Given", "Line", "Meta", "Number",
    "UnsetType", "Wrong", "changes_of", "names", "problem", "taken", "words",
]  # fmt: skip

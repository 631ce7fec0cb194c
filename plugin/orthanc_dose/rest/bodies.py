"""Request bodies: reading their JSON, checking it against its declared class, and describing it.

The contents of a body are declared once, as a subclass of Given, which a Route names. Several
classes, as A | B, are alternatives: the one that has most of the body's names is used.
"""

import json
import math
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, TypeAlias, get_args

import msgspec

from ..manage.passwords import LONGEST, SHORTEST
from ..records.given import FIELD_SHOWN, LARGEST_INTEGER, Given, Meta, Wrong, names, taken
from .errors import ApiError, bad_body
from .parameters import is_text

# The type of a route's body.
Body: TypeAlias = type[Given] | UnionType

Password = Annotated[str, Meta(min_length=1, max_length=LONGEST)]
NewPassword = Annotated[str, Meta(min_length=SHORTEST, max_length=LONGEST)]

LARGEST = 1_000_000  # bytes
DEEPEST = 32  # levels of lists and objects; no body of ours has more than six


class _Refused:
    """A placeholder for a value that no body may hold, kept until its place in the body is known."""

    def __init__(self, why: str) -> None:
        self.why = why


def no_longer_than(limit: int, body: bytes) -> bytes:
    """Return the body unchanged. Raises ApiError 413 if it has more than `limit` bytes."""
    if len(body) > limit:
        raise ApiError(
            413,
            "too_large",
            f"The request body is too large: it may have at most {limit:,} bytes.",
            more={"limit": limit},
        )
    return body


def read(raw: bytes) -> Any:
    """Return the parsed JSON of a body. Raises ApiError 400, which names the field, and 413.

    Besides invalid JSON, this rejects what Python's parser accepts but the code behind it cannot
    use: NaN and infinity, numbers beyond all limits, surrogates and NUL in texts, duplicate names
    in an object, and endless nesting.
    """
    try:
        body = json.loads(
            no_longer_than(LARGEST, raw),
            parse_constant=lambda word: _Refused(f"{word} is not a valid number"),
            parse_float=_float,
            parse_int=_integer,
            object_pairs_hook=_object,
        )
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise bad_body(None, "The request body is not valid JSON.") from error
    for place, value in _all_of(body):
        if isinstance(value, _Refused):
            raise bad_body(
                _shown(place),
                f"The request body contains a value that is not allowed: {value.why}.",
            )
        if isinstance(value, str) and not is_text(value):
            raise bad_body(
                _shown(place),
                "Text must not contain NUL characters or unpaired surrogates.",
            )
    return body


def _float(digits: str) -> "float | _Refused":
    value = float(digits)
    return value if math.isfinite(value) else _Refused("numbers must lie within ±1.8e308")


def _integer(digits: str) -> "int | _Refused":
    if len(digits) > len(str(-LARGEST_INTEGER)) or abs(int(digits)) > LARGEST_INTEGER:
        return _Refused(f"whole numbers must lie within ±{LARGEST_INTEGER}")
    return int(digits)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        found[name] = _Refused("an object contains the same name twice") if name in found else value
    return found


def _all_of(body: Any) -> Iterator[tuple[str | None, Any]]:
    """Yield each value and each name in a body with its place, as "name" or "name[3].other".

    Raises ApiError 400 if the body is nested too deeply. Keeps its own stack instead of recursing,
    since Python's stack is limited.
    """
    left: list[tuple[str | None, Any, int]] = [(None, body, 1)]
    while left:
        place, value, depth = left.pop()
        yield place, value
        if not isinstance(value, (dict, list)):
            continue
        if depth > DEEPEST:
            raise _too_deep()
        if isinstance(value, list):
            inner = [(f"{place or ''}[{at}]", one) for at, one in enumerate(value)]
        else:
            inner = [(f"{place}.{name}" if place else name, one) for name, one in value.items()]
            for name in value:
                yield place or name, name
        left += ((where, one, depth + 1) for where, one in reversed(inner))


def _shown(place: str | None) -> str | None:
    return place and place[:FIELD_SHOWN].encode("utf-8", "replace").decode()


def _too_deep() -> ApiError:
    return bad_body(
        None, f"The request body is nested too deeply: at most {DEEPEST} levels are allowed."
    )


def decoded(raw: bytes, of: Body) -> Given:
    """Return the body as an object of its declared class.

    Raises ApiError 400 (names the field) or 413.
    """
    body = read(raw)
    try:
        return taken(body, _meant(body, of))
    except Wrong as wrong:
        raise bad_body(wrong.place, str(wrong)) from None


def alternatives(of: Body) -> tuple[type[Given], ...]:
    """Return the classes that a body may have."""
    return get_args(of) or (of,)


def _meant(body: Any, of: Body) -> type[Given]:
    given = set(body) if isinstance(body, dict) else set()
    return max(alternatives(of), key=lambda one: len(given.intersection(names(one))))


def schema(of: Body) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return the JSON schema of a body and the components that it refers to."""
    kinds = alternatives(of)
    refs, components = msgspec.json.schema_components(
        kinds, ref_template="#/components/schemas/{name}"
    )
    for one in components.values():
        one.pop("title", None)  # the name again
    return refs[0] if len(kinds) == 1 else {"anyOf": list(refs)}, components

"""What bodies hold: how their JSON is read, and the schemas of their properties, from which the
checks follow.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from ..manage.passwords import LONGEST
from ..records.access import GROUPS
from ..records.numbers import is_number, is_whole_number
from .errors import ApiError, bad_body
from .parameters import LARGEST_INTEGER, is_text

FLAG = {"type": "boolean"}
WORD = {"type": "string", "minLength": 1, "maxLength": 200}
LABEL = {
    "type": "string",
    "minLength": 1,
    "maxLength": 100,
    "pattern": r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$",
}
PASSWORD = {"type": "string", "minLength": 1, "maxLength": LONGEST}
GROUP_LIST = {"type": "array", "items": {"enum": list(GROUPS)}, "uniqueItems": True}
DAYS = {"type": ["integer", "null"], "minimum": 1, "maximum": 3650}

LARGEST = 1_000_000  # bytes
DEEPEST = 32  # levels of lists and objects; none of ours has more than six
_FIELD = 100  # characters of a name that an error repeats


class _Refused:
    """Stands in the place of a value that no body may hold, until its place is known."""

    def __init__(self, why: str) -> None:
        self.why = why


def no_longer_than(limit: int, body: bytes) -> bytes:
    """The body. Raises ApiError 413."""
    if len(body) > limit:
        raise ApiError(
            413, "too_large", f"The body may have at most {limit:,} bytes.", more={"limit": limit}
        )
    return body


def read(raw: bytes) -> Any:
    """What the JSON of a body says. Raises ApiError 400 that names the field.

    Beside what is no JSON at all this refuses what Python's reader lets pass and what nothing behind
    it can use: NaN and infinity, numbers beyond all limits, halves of characters and NUL in texts,
    names that an object has twice, and endless nesting."""
    try:
        body = json.loads(
            no_longer_than(LARGEST, raw),
            parse_constant=lambda word: _Refused(f"{word} is no number"),
            parse_float=_float,
            parse_int=_integer,
            object_pairs_hook=_object,
        )
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise bad_body(None, "The body must be JSON.") from error
    for place, value in _all_of(body):
        if isinstance(value, _Refused):
            raise bad_body(_shown(place), f"This must not stand in a body: {value.why}.")
        if isinstance(value, str) and not is_text(value):
            raise bad_body(
                _shown(place),
                "A text must not have NUL characters or halves of characters (surrogates).",
            )
    return body


def _float(digits: str) -> "float | _Refused":
    value = float(digits)
    return value if math.isfinite(value) else _Refused("no number is beyond 1.8e308")


def _integer(digits: str) -> "int | _Refused":
    if len(digits) > len(str(-LARGEST_INTEGER)) or abs(int(digits)) > LARGEST_INTEGER:
        return _Refused(f"a whole number is at most {LARGEST_INTEGER}")
    return int(digits)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        found[name] = _Refused("an object has a name twice") if name in found else value
    return found


def _all_of(body: Any) -> Iterator[tuple[str | None, Any]]:
    """Each value and each name below a body, with its place as "name" or "name[3].other". Raises
    ApiError for what is nested too deeply; by a list of its own, since Python's stack ends."""
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
    return place and place[:_FIELD].encode("utf-8", "replace").decode()


def _too_deep() -> ApiError:
    return bad_body(None, f"The body may be nested at most {DEEPEST} levels deep.")


def checked(
    body: Any, properties: dict[str, dict[str, Any]], optional: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The body, where it is an object with these properties; optional ones that are missing are
    None. Raises ApiError 400 that names the property."""
    if not isinstance(body, dict):
        raise bad_body(None, f"The body must be an object with {', '.join(properties)}.")
    for name in body:
        if name not in properties:
            raise bad_body(
                name[:_FIELD], f"The body has {', '.join(properties)}, and nothing else."
            )
    out: dict[str, Any] = dict.fromkeys(optional)
    for name, schema in properties.items():
        if name not in body and name in optional:
            continue
        wrong = f"{name} is missing." if name not in body else _problem(body[name], schema)
        if wrong:
            raise bad_body(name, wrong if name not in body else f"{name} must be {wrong}.")
        out[name] = body[name]
    return out


def _problem(value: Any, schema: dict[str, Any]) -> str | None:
    """What it should be instead, None where it is right."""
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    if value is None and "null" in kinds:
        return None
    if "string" in kinds:
        low, high = schema.get("minLength", 0), schema.get("maxLength", 1000)
        if not isinstance(value, str) or not low <= len(value) <= high:
            return f"text of {low} to {high} characters"
        if "pattern" in schema and not re.search(schema["pattern"], value):
            return schema.get("description", "a line of text")
    elif "boolean" in kinds:
        return None if isinstance(value, bool) else "true or false"
    elif "integer" in kinds:
        low, high = schema["minimum"], schema["maximum"]
        if not is_whole_number(value, low, high):
            return f"a whole number from {low} to {high}" + (" or null" if "null" in kinds else "")
    elif "number" in kinds:
        low, high = schema["minimum"], schema["maximum"]
        if not is_number(value, low, high):
            return f"a number from {low} to {high}" + (" or null" if "null" in kinds else "")
    elif "array" in kinds:
        allowed = schema["items"]["enum"]
        if (
            not isinstance(value, list)
            or any(one not in allowed for one in value)
            or len(set(value)) < len(value)
        ):
            return f"a list of some of: {', '.join(allowed)}"
    return None

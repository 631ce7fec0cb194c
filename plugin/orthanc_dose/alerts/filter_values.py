"""The values of filters in a rule's JSON: read into what the filters take, by name of parameter."""

import math
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from ..query.filter_types import Filter, Role
from ..query.filters import FILTERS
from ..records.given import FIELD_SHOWN, Wrong
from ..records.study import UNDER_RULES

_LONGEST = 300
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?", re.ASCII)


def _can_be_in_a_rule(one: Filter) -> bool:
    """Return whether a rule may have this filter: one that identifies nobody and no single study."""
    return not one.identity and one.name not in UNDER_RULES and one.type != "uid"


PARAMETERS: dict[str, Role] = {
    one.parameter(name): role
    for one in FILTERS
    if _can_be_in_a_rule(one)
    for name, role in one.roles.items()
}
_CHOICES = {one.parameter("any"): one for one in FILTERS if one.type == "choices"}
_REFUSED = {
    one.parameter(name) for one in FILTERS if not _can_be_in_a_rule(one) for name in one.roles
}


def read_filters(given: dict[str, Any]) -> dict[str, Any]:
    """Return the values of filters, as query.filters.where takes them. Raises Wrong."""
    return {name: _value(name, value) for name, value in given.items()}


def _value(name: str, value: Any) -> Any:
    place = f"filters.{name[:FIELD_SHOWN]}"
    if name in _REFUSED:
        raise Wrong(place, "A rule must not have filters that identify a patient or a study.")
    role = PARAMETERS.get(name)
    if role is None:
        raise Wrong(place, "There is no filter with this name; GET /filters lists all.")
    allowed = role.values
    if role.kind == "choices":
        allowed = tuple(choice.value for choice in _CHOICES[name].choices)
    try:
        return _KINDS[role.kind](value, allowed)
    except (ValueError, TypeError, OverflowError):
        raise Wrong(place, f"{place} must be {_words(role.kind, allowed)}.") from None


def _words(kind: str, allowed: tuple[str, ...]) -> str:
    return {
        "terms": f"a list of texts of 1 to {_LONGEST} characters",
        "text": f"a text of 1 to {_LONGEST} characters",
        "number": "a number",
        "integer": "a whole number",
        "date": "a date such as 2026-01-31",
        "choice": f"one of: {', '.join(allowed)}",
        "choices": f"a list with one or more of: {', '.join(allowed)}",
    }.get(kind, "a time of day such as 07:30 or 07:30:00")


def _text(value: Any, _: tuple[str, ...] = ()) -> str:
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= _LONGEST or "\0" in value:
        raise ValueError
    value.encode()  # raises for surrogates, which the store cannot hold
    return value.strip()


def _terms(value: Any, _: tuple[str, ...]) -> list[str]:
    if not isinstance(value, list) or not value:
        raise ValueError
    return [_text(one) for one in value]


def _number(value: Any, _: tuple[str, ...]) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError
    return float(value)


def _integer(value: Any, allowed: tuple[str, ...]) -> int:
    number = _number(value, allowed)
    if not number.is_integer() or abs(number) >= 2**53:
        raise ValueError
    return int(number)


def _date(value: Any, _: tuple[str, ...]) -> date:
    if not isinstance(value, str) or len(value) != 10:
        raise ValueError
    return date.fromisoformat(value)


def _time(value: Any, _: tuple[str, ...]) -> time:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise ValueError
    return time.fromisoformat(value)


def _time_until(value: Any, allowed: tuple[str, ...]) -> time:
    """Return the end of the given minute or second."""
    start = datetime.combine(date.min, _time(value, allowed))
    length = timedelta(minutes=1) if len(value) == 5 else timedelta(seconds=1)
    return (start + length - timedelta(microseconds=1)).time()


def _choice(value: Any, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError
    return str(value)


def _choices(value: Any, allowed: tuple[str, ...]) -> list[str]:
    if not isinstance(value, list) or not value:
        raise ValueError
    return list(dict.fromkeys(_choice(one, allowed) for one in value))


_KINDS: dict[str, Callable[[Any, tuple[str, ...]], Any]] = {
    "terms": _terms,
    "text": _text,
    "number": _number,
    "integer": _integer,
    "date": _date,
    "time": _time,
    "time_until": _time_until,
    "choice": _choice,
    "choices": _choices,
}

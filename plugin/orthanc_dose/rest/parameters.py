"""The parameters of routes.

A parameter's kind determines how its text is parsed, which errors it can have, and its JSON schema.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from ..manage.users import NAME as USER_NAME
from ..records import IDENTITY_FIELDS
from ..records.given import LARGEST_INTEGER
from .errors import bad_parameter, needs_identity

LONGEST_TEXT = 1000
LONGEST_TERMS = 300
_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?", re.ASCII)
_UID = re.compile(r"[0-9.]{1,64}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?", re.ASCII)
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[-+]\d\d:\d\d)?", re.ASCII
)
# A term in double quotes, in which "" stands for one, or the text up to the next comma.
_TERM = re.compile(r'\s*(?:"((?:[^"]|"")*)"\s*(?=,|$)|([^,]*))(?:,|$)')


# Surrogates, which neither the store nor UTF-8 can hold, and NUL, which ends texts elsewhere.
_NO_TEXT = re.compile("[\0\ud800-\udfff]")


def is_text(given: str) -> bool:
    """Return whether a text from outside is free of surrogates and NUL characters."""
    return not _NO_TEXT.search(given)


@dataclass(frozen=True)
class Parameter:
    """A parameter of a route.

    kind: a key of KINDS. allowed: the values of choice and choices, the columns of sort and names.
    in_path: whether it is part of the path. identity: whether it reveals who a patient is. group:
    the component of the OpenAPI description of which it is a property; the parameters of a group
    appear there once, however many routes have them.
    """

    name: str
    kind: str
    description: str
    default: Any = None
    minimum: int | None = None
    maximum: int | None = None
    allowed: tuple[str, ...] = ()
    in_path: bool = False
    identity: bool = False
    group: str = ""

    def parse(self, raw: str) -> Any:
        """Return the value. Raises ApiError 400, which names the parameter and what is allowed."""
        return KINDS[self.kind].parse(self, raw)

    def refuse_identity(self, value: Any) -> None:
        """Raise ApiError 403 if the value, as a filter or as columns, reveals who a patient is."""
        columns = {"sort": lambda: {value.removeprefix("-")}, "choices": lambda: set(value)}.get(
            self.kind, set
        )()
        if self.identity or columns & IDENTITY_FIELDS:
            raise needs_identity(self.name)

    def schema(self) -> dict[str, Any]:
        """Return the parameter's JSON schema."""
        return KINDS[self.kind].schema(self) | (
            {"default": self.default} if self.default is not None else {}
        )

    def text_schema(self) -> dict[str, Any]:
        """Return the JSON schema of the parameter's text as it appears in an address."""
        if self.kind == "integer":
            return {
                "type": "string",
                "pattern": r"^[1-9][0-9]{0,17}$" if self.minimum else r"^-?[0-9]{1,18}$",
            }
        if self.kind == "number":
            return {"type": "string", "pattern": r"^-?[0-9]{1,9}(\.[0-9]{1,17})?(e-?[0-9]{1,2})?$"}
        return self.schema()

    def wrong(self, allowed: str) -> Exception:
        return bad_parameter(self.name, f"{self.name} must be {allowed}.")


@dataclass(frozen=True)
class Kind:
    """How a parameter's text is parsed, and its JSON schema."""

    parse: Callable[[Parameter, str], Any]
    schema: Callable[[Parameter], dict[str, Any]]


def _integer(of: Parameter, raw: str) -> int:
    low, high = of.minimum, of.maximum
    if (
        not _INTEGER.fullmatch(raw)
        or (low is not None and int(raw) < low)
        or (high is not None and int(raw) > high)
    ):
        limits = f" from {low}" if high is None else f" from {low} to {high}"
        raise of.wrong(f"a whole number{limits if low is not None else ''}")
    return int(raw)


def _integer_schema(of: Parameter) -> dict[str, Any]:
    low = -LARGEST_INTEGER if of.minimum is None else of.minimum
    high = LARGEST_INTEGER if of.maximum is None else of.maximum
    return {"type": "integer", "format": "int64", "minimum": low, "maximum": high}


def _number(of: Parameter, raw: str) -> float:
    if not _NUMBER.fullmatch(raw) or not math.isfinite(float(raw)):
        raise of.wrong("a number such as 12.5 or 1.25e-5")
    return float(raw)


def _date(of: Parameter, raw: str) -> date:
    try:
        if _DATE.fullmatch(raw):
            return date.fromisoformat(raw)
    except ValueError:
        pass
    raise of.wrong("a date such as 2026-01-31")


def _time(of: Parameter, raw: str) -> time:
    if not _TIME.fullmatch(raw):
        raise of.wrong("a time of day such as 07:30 or 07:30:00")
    clock, _, fraction = raw.partition(".")
    hour, minute, second = [int(part) for part in f"{clock}:0".split(":")][:3]
    return time(hour, minute, second, int(fraction.ljust(6, "0")))


def _time_until(of: Parameter, raw: str) -> time:
    """Return the end of the given minute, second or fraction of a second."""
    start = _time(of, raw)
    digits = len(raw.partition(".")[2])
    length = timedelta(minutes=1) if len(raw) == 5 else timedelta(microseconds=10 ** (6 - digits))
    since_midnight = timedelta(
        hours=start.hour, minutes=start.minute, seconds=start.second, microseconds=start.microsecond
    )
    end = since_midnight + length - timedelta(microseconds=1)
    seconds, micro = divmod(end // timedelta(microseconds=1), 10**6)
    return time(seconds // 3600, seconds // 60 % 60, seconds % 60, micro)


def _text(of: Parameter, raw: str) -> str:
    if len(raw) > (of.maximum or LONGEST_TEXT):
        raise bad_parameter(
            of.name, f"{of.name} must not be longer than {of.maximum or LONGEST_TEXT} characters."
        )
    return raw


def _terms(of: Parameter, raw: str) -> list[str]:
    if len(raw) > LONGEST_TERMS:
        raise bad_parameter(
            of.name, f"{of.name} must not be longer than {LONGEST_TERMS} characters."
        )
    found = (quoted.replace('""', '"') if quoted else plain for quoted, plain in _TERM.findall(raw))
    return [term.strip() for term in found if term.strip()]


def _choice(of: Parameter, raw: str) -> str:
    if raw not in of.allowed:
        raise of.wrong(f"one of: {', '.join(of.allowed)}")
    return raw


def _choices(of: Parameter, raw: str) -> list[str]:
    found = raw.split(",")
    if not set(found) <= set(of.allowed):
        raise of.wrong(f"one or more of these, separated by commas: {', '.join(of.allowed)}")
    return list(dict.fromkeys(found))


def _sort(of: Parameter, raw: str) -> str:
    if raw.removeprefix("-") not in of.allowed:
        raise of.wrong("the name of a column, with a leading - for descending order")
    return raw


def _moment(of: Parameter, raw: str) -> datetime:
    try:
        if _MOMENT.fullmatch(raw):
            told = datetime.fromisoformat(raw.upper())
            return told if told.tzinfo is None else told.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        pass
    raise of.wrong("a date and time such as 2026-01-31T07:30:00Z; without Z or an offset it is UTC")


def _word_pattern(of: Parameter) -> str:
    """Return the pattern of a word, which has no slashes, backslashes or control characters.

    Orthanc's server treats a backslash as a slash, too.
    """
    return rf"[^/\\\x00-\x1f\x7f]{{1,{of.maximum or LONGEST_TEXT}}}"


def _word(of: Parameter, raw: str) -> str:
    if not re.fullmatch(_word_pattern(of), raw):
        raise of.wrong(
            f"a name of at most {of.maximum or LONGEST_TEXT} characters, without / and \\"
        )
    return raw


def _uid(of: Parameter, raw: str) -> str:
    if not _UID.fullmatch(raw):
        raise of.wrong("a DICOM UID: up to 64 digits and dots")
    return raw


def _plain(**schema: Any) -> Callable[[Parameter], dict[str, Any]]:
    return lambda of: {"type": "string"} | schema


def _choices_schema(of: Parameter) -> dict[str, Any]:
    word = "|".join(of.allowed)
    return {"type": "string", "pattern": f"^({word})(,({word}))*$"}


_TIMES = _plain(pattern=f"^{_TIME.pattern}$")
KINDS: dict[str, Kind] = {
    "integer": Kind(_integer, _integer_schema),
    "number": Kind(_number, lambda of: {"type": "number"}),
    "date": Kind(_date, _plain(format="date")),
    "time": Kind(_time, _TIMES),
    "time_until": Kind(_time_until, _TIMES),
    "text": Kind(_text, lambda of: {"type": "string", "maxLength": of.maximum or LONGEST_TEXT}),
    "moment": Kind(_moment, _plain(format="date-time")),
    "word": Kind(_word, lambda of: {"type": "string", "pattern": f"^{_word_pattern(of)}$"}),
    # The code that adds users checks whether the name can be that of a user.
    "user_name": Kind(
        _word,
        lambda of: {"type": "string", "pattern": f"^{USER_NAME.pattern}$", "maxLength": of.maximum},
    ),
    "terms": Kind(_terms, lambda of: {"type": "string", "maxLength": LONGEST_TERMS}),
    "choice": Kind(_choice, lambda of: {"type": "string", "enum": list(of.allowed)}),
    "choices": Kind(_choices, _choices_schema),
    "sort": Kind(
        _sort,
        lambda of: {
            "type": "string",
            "enum": [f"{sign}{name}" for name in of.allowed for sign in ("", "-")],
        },
    ),
    "uid": Kind(_uid, _plain(pattern=r"^[0-9.]{1,64}$")),
}

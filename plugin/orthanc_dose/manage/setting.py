"""What a setting is: its kind says which values it can have, how they are checked, and how a page
asks for them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from ..records.numbers import is_whole_number

MOST_PATTERNS = 500
LONGEST_PATTERN = 200


@dataclass(frozen=True)
class Setting:
    """A setting that administrators change while the program runs.

    name: in the store and the API; its key in the "Dose" section is the same in CamelCase. topic:
    key of TOPICS. kind: key of KINDS. default: its value where neither the configuration nor an
    administrator gives one. choices: value and meaning, of kind "choice". minimum, maximum, unit:
    of numbers. example: of a pattern. form: the regular expression that each pattern must match,
    with the words for it."""

    name: str
    topic: str
    title: str
    kind: str
    default: Any
    description: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    unit: str | None = None
    example: str = ""
    form: tuple[str, str] | None = None

    @property
    def key(self) -> str:
        """Its name in the "Dose" section of orthanc.json."""
        words = (
            {"id": "ID", "ids": "IDs"}.get(part, part.capitalize()) for part in self.name.split("_")
        )
        return "".join(words)

    def checked(self, value: object) -> Any:
        """The value as it is kept. Raises ValueError with what is allowed, as the end of a sentence
        "must be …".
        """
        return KINDS[self.kind].checked(self, value)

    def schema(self) -> dict[str, Any]:
        """The JSON schema of its value."""
        return KINDS[self.kind].schema(self)

    def as_dict(self) -> dict[str, Any]:
        """What a page needs to ask for it."""
        return {
            "name": self.name,
            "topic": self.topic,
            "title": self.title,
            "kind": self.kind,
            "description": self.description,
            "choices": [{"value": value, "label": label} for value, label in self.choices],
            "minimum": self.minimum,
            "maximum": self.maximum,
            "unit": self.unit,
            "example": self.example,
            "key": self.key,
        }


@dataclass(frozen=True)
class Kind:
    """How a value is checked, and its JSON schema."""

    checked: Callable[[Setting, object], Any]
    schema: Callable[[Setting], dict[str, Any]]


def _choice(of: Setting, value: object) -> str:
    allowed = [known for known, _ in of.choices]
    if value not in allowed:
        raise ValueError(f"one of: {', '.join(allowed)}")
    return str(value)


def _flag(of: Setting, value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _number(of: Setting, value: object) -> int:
    low, high = of.minimum or 0, of.maximum if of.maximum is not None else 10**9
    if not is_whole_number(value, low, high):
        raise ValueError(f"a whole number from {low:g} to {high:g}")
    return int(value)


_LINE = r"^[^\n\x00]*$"


def _text(of: Setting, value: object) -> str:
    most = int(of.maximum or LONGEST_PATTERN)
    if not isinstance(value, str) or len(value) > most or not re.search(_LINE, value):
        raise ValueError(f"a line of text of at most {most} characters")
    return value.strip()


# A pattern is a line of text that is more than blanks.
_PATTERN = r"^[^\n\x00]*[^\s\x00][^\n\x00]*$"


def _patterns(of: Setting, value: object) -> tuple[str, ...]:
    words = f"a list of at most {MOST_PATTERNS} patterns, each of 1 to {LONGEST_PATTERN} characters"
    form, words = of.form or (_PATTERN, words)
    if not isinstance(value, (list, tuple)) or len(value) > MOST_PATTERNS:
        raise ValueError(words)
    for one in value:
        if (
            not isinstance(one, str)
            or len(one) > LONGEST_PATTERN
            or not re.search(_PATTERN, one)
            or not re.search(form, one)
        ):
            raise ValueError(words)
    return tuple(dict.fromkeys(one.strip() for one in value))


def _time_zone(of: Setting, value: object) -> str:
    if value == "":
        return ""  # the server's own
    if not isinstance(value, str) or value not in available_timezones():
        raise ValueError("the name of a time zone, as Europe/London, or empty for the server's own")
    return value


def _plain(**schema: Any) -> Callable[[Setting], dict[str, Any]]:
    return lambda of: schema


KINDS: dict[str, Kind] = {
    "choice": Kind(_choice, lambda of: {"enum": [value for value, _ in of.choices]}),
    "flag": Kind(_flag, _plain(type="boolean")),
    "number": Kind(
        _number,
        lambda of: {"type": "integer", "minimum": of.minimum or 0, "maximum": of.maximum or 10**9},
    ),
    "text": Kind(
        _text,
        lambda of: {
            "type": "string",
            "maxLength": int(of.maximum or LONGEST_PATTERN),
            "pattern": _LINE,
        },
    ),
    "patterns": Kind(
        _patterns,
        lambda of: {
            "type": "array",
            "maxItems": MOST_PATTERNS,
            "items": {
                "type": "string",
                "minLength": 1,
                "maxLength": LONGEST_PATTERN,
                "pattern": of.form[0] if of.form else _PATTERN,
            },
        },
    ),
    "time zone": Kind(_time_zone, lambda of: {"enum": ["", *sorted(available_timezones())]}),
}

"""Definition of a setting.

Its kind defines which values it can have, how they are checked, and how a page asks for them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from ..records.given import Meta, taken, value_problem
from ..work.cron import is_cron

MOST_PATTERNS = 500
LONGEST_PATTERN = 200


@dataclass(frozen=True)
class Setting:
    """A setting that administrators change while the program runs.

    name: in the store and the API; its key in the "Dose" section is the same in CamelCase. topic: a
    key of TOPICS. kind: a key of KINDS. default: its value if neither the configuration nor an
    administrator gives one. choices: value and meaning, for kind "choice". minimum, maximum, unit:
    of numbers. example: of a pattern. form: the regular expression that each pattern must match,
    with the words for it.
    """

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
        """The name of the setting in the "Dose" section of orthanc.json."""
        words = (
            {"id": "ID", "ids": "IDs"}.get(part, part.capitalize()) for part in self.name.split("_")
        )
        return "".join(words)

    def checked(self, value: object) -> Any:
        """Return the value as it is kept.

        Raises ValueError with what is allowed, as the end of a sentence "must be …".
        """
        if self.kind == "patterns" and isinstance(value, tuple):  # the default of one
            value = list(value)
        wrong = value_problem(value, self.type)
        if wrong is not None:
            raise ValueError(wrong)
        return KINDS[self.kind].kept(taken(value, self.type))

    @property
    def type(self) -> Any:
        """The type of the setting's value, with title and description."""
        bare = KINDS[self.kind].type(self)
        return Annotated[bare, Meta(title=self.title, description=self.description or self.title)]

    def as_dict(self) -> dict[str, Any]:
        """Return what a page needs to ask for the setting."""
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
    """The type of a value, and the function that returns it as it is kept.

    That function may raise ValueError for a value that is not allowed.
    """

    type: Callable[[Setting], Any]
    kept: Callable[[Any], Any] = lambda value: value


def _choice(of: Setting) -> Any:
    return Literal[tuple(value for value, _ in of.choices)]


def _number(of: Setting) -> Any:
    high = 10**9 if of.maximum is None else int(of.maximum)
    return Annotated[int, Meta(ge=int(of.minimum or 0), le=high)]


_LINE = r"^[^\n\x00]*$"


def _text(of: Setting) -> Any:
    most = int(of.maximum or LONGEST_PATTERN)
    words = f"a line of text of at most {most} characters"
    return Annotated[str, Meta(max_length=most, pattern=_LINE, extra={"words": words})]


# A pattern is a line of text that is not blank.
_PATTERN = r"^[^\n\x00]*[^\s\x00][^\n\x00]*$"


def _patterns(of: Setting) -> Any:
    words = f"a list of at most {MOST_PATTERNS} patterns, each of 1 to {LONGEST_PATTERN} characters"
    form, words = of.form or (_PATTERN, words)
    one = Annotated[str, Meta(min_length=1, max_length=LONGEST_PATTERN, pattern=form)]
    return Annotated[list[one], Meta(max_length=MOST_PATTERNS, extra={"words": words})]


def _distinct(patterns: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.strip() for one in patterns))


_TIME_ZONE = "the name of a time zone such as Europe/London, or empty for the server's own"


def _time_zone(name: str) -> str:
    # Which ones exist depends on the system, and is no part of the description of the API.
    if name and name not in available_timezones():
        raise ValueError(_TIME_ZONE)
    return name


_FOLDER = "the absolute path of a folder on the server, or empty for the usual one"


def _folder(path: str) -> str:
    path = path.strip()
    if path and (not PurePath(path).is_absolute() or ".." in PurePath(path).parts):
        raise ValueError(_FOLDER)
    return path


_CRON = "a cron expression such as 30 2 * * * (daily at 02:30), or empty for never"


def _cron(expression: str) -> str:
    expression = expression.strip()
    if expression and not is_cron(expression):
        raise ValueError(_CRON)
    return expression


KINDS: dict[str, Kind] = {
    "choice": Kind(_choice),
    "flag": Kind(lambda of: bool),
    "number": Kind(_number),
    "text": Kind(_text, str.strip),
    "patterns": Kind(_patterns, _distinct),
    "folder": Kind(
        lambda of: Annotated[str, Meta(max_length=1_000, pattern=_LINE, extra={"words": _FOLDER})],
        _folder,
    ),
    "cron": Kind(
        lambda of: Annotated[str, Meta(max_length=100, pattern=_LINE, extra={"words": _CRON})],
        _cron,
    ),
    "time zone": Kind(
        lambda of: Annotated[str, Meta(max_length=100, extra={"words": _TIME_ZONE})], _time_zone
    ),
}

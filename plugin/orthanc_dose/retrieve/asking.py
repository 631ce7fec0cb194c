"""A question as a request or a schedule writes it, checked, and made one that a search can ask."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from .question import GROUPS, Question, Words

ONLY_REPORTS = "SR"  # by itself, in place of groups
KINDS = (*GROUPS, ONLY_REPORTS)
FLAGS = {
    "station_of_study": False,
    "leave_out_known": True,
    "unseen_reports": False,
    "toshiba": False,
    "by_day": False,
}
WORDS = ("descriptions_keep", "descriptions_leave_out", "stations_keep", "stations_leave_out")
WHEN = ("first", "last", "time_from", "time_to", "since")
MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?"  # of `since`
MOST_DAYS = 3660
MOST_WORDS, LONGEST_WORD = 100, 64
_DEFAULTS: dict[str, Any] = {
    "groups": [],
    **dict.fromkeys(WHEN),
    **FLAGS,
    **{name: [] for name in WORDS},
}
Asked = dict[str, Any]


class Wrong(Exception):
    """A field is not what it must be; the message is a sentence. contradicts: each field by itself
    is right.
    """

    def __init__(self, field: str | None, message: str, contradicts: bool = False) -> None:
        super().__init__(message)
        self.field, self.contradicts = field, contradicts


def read(body: Any, today: date) -> tuple[Question, Asked]:
    """The question, and the same in full as it was asked. today: with the day before what is asked
    for without days. Raises Wrong."""
    if not isinstance(body, dict) or not set(body) <= set(_DEFAULTS):
        raise Wrong(None, f"A question is an object with some of: {', '.join(_DEFAULTS)}.")
    asked = _DEFAULTS | body
    asked["first"] = (
        (today - timedelta(1)).isoformat() if asked["first"] is None else asked["first"]
    )
    asked["last"] = (
        max(str(asked["first"]), today.isoformat()) if asked["last"] is None else asked["last"]
    )
    first, last = (
        _parsed(name, asked[name], date.fromisoformat, "a date as 2026-01-31") for name in WHEN[:2]
    )
    asked |= {"first": first.isoformat(), "last": last.isoformat()}
    if not 0 <= (last - first).days <= MOST_DAYS:
        raise Wrong(
            "last", f"last must be a day from first on, at most {MOST_DAYS} days later.", True
        )
    times: dict[str, time | None] = {
        name: None if asked[name] is None else _parsed(name, asked[name], _time, "a time as 07:30")
        for name in WHEN[2:4]
    }
    ends = [one for one in times.values() if one is not None]
    if ends != sorted(ends):
        raise Wrong("time_to", "time_to must not lie before time_from.", True)
    since = asked["since"]
    if since is not None:
        since = _since(since)
    for name in FLAGS:
        if not isinstance(asked[name], bool):
            raise Wrong(name, f"{name} must be true or false.")
    for name in WORDS:
        value = asked[name]
        is_right = (
            isinstance(value, list)
            and len(value) <= MOST_WORDS
            and all(isinstance(word, str) and 0 < len(word) <= LONGEST_WORD for word in value)
        )
        if not is_right:
            raise Wrong(
                name,
                f"{name} must be a list of at most {MOST_WORDS} texts of 1 to {LONGEST_WORD} "
                f"letters.",
            )
    groups = _groups(asked["groups"])
    flags = {name: asked[name] for name in FLAGS}
    question = Question(
        first,
        last,
        groups,
        not groups,
        times["time_from"],
        times["time_to"],
        since,
        _words("descriptions", asked),
        _words("stations", asked),
        **flags,
    )
    return question, asked


def _words(what: str, asked: dict[str, Any]) -> Words:
    return Words(tuple(asked[f"{what}_keep"]), tuple(asked[f"{what}_leave_out"]))


def _groups(given: Any) -> tuple[str, ...]:
    if (
        not isinstance(given, list)
        or not given
        or not all(isinstance(one, str) and one in KINDS for one in given)
    ):
        raise Wrong("groups", f"groups must be a list with some of: {', '.join(KINDS)}.")
    if ONLY_REPORTS in given and len(set(given)) > 1:
        message = (
            f"Studies that hold reports alone are of no other group: {ONLY_REPORTS} stands "
            f"by itself."
        )
        raise Wrong("groups", message, True)
    return tuple(dict.fromkeys(one for one in given if one != ONLY_REPORTS))


def _parsed(name: str, value: Any, parse: Callable[[Any], Any], what: str) -> Any:
    try:
        return parse(value)
    except (TypeError, ValueError):
        raise Wrong(name, f"{name} must be {what}.") from None


def _time(text: str) -> time:
    """Of the node's clock: a time of a time zone is none."""
    found = time.fromisoformat(text)
    if found.tzinfo is not None:
        raise ValueError(text)
    return found


def _since(given: Any) -> datetime:
    if not isinstance(given, str) or not re.fullmatch(MOMENT, given):
        raise Wrong("since", "since must be a date and time as 2026-01-31T07:30.")
    try:
        return datetime.fromisoformat(given)
    except ValueError:
        raise Wrong("since", "since must be on a day that there is.", True) from None

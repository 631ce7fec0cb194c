"""A question as given by a request or a schedule, and its conversion to one for a search."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from ..records.given import END, Given, Meta
from .question import GROUPS, Question, Words

ONLY_REPORTS = "SR"  # by itself, instead of groups
KINDS = (*GROUPS, ONLY_REPORTS)
MOST_DAYS = 3660
MOST_WORDS, LONGEST_WORD = 100, 64
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?"
_Time = Annotated[str, Meta(pattern=f"^{_CLOCK}{END}", extra={"words": "a time, as 07:30"})]
_Moment = Annotated[
    str,
    Meta(
        pattern=f"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{_CLOCK}{END}",
        extra={"words": "a date and time, as 2026-01-31T07:30"},
    ),
]
_Words = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=LONGEST_WORD)]],
    Meta(
        max_length=MOST_WORDS,
        extra={"words": f"a list of at most {MOST_WORDS} texts of 1 to {LONGEST_WORD} letters"},
    ),
]
Asked = dict[str, Any]


class What(Given):
    """Which studies are asked for, whenever they were."""

    groups: Annotated[
        list[Literal[*KINDS]],  # type: ignore[valid-type]
        Meta(min_length=1, description="Kinds of studies; or SR by itself, for reports alone."),
    ]
    station_of_study: Annotated[
        bool, Meta(description="Station names are those of studies, not of series.")
    ] = False
    leave_out_known: Annotated[bool, Meta(description="Without objects that are in the store.")] = (
        True
    )
    unseen_reports: Annotated[
        bool,
        Meta(
            description="A series of reports whose objects the node does not list counts as "
            "dose reports."
        ),
    ] = False
    toshiba: Annotated[
        bool,
        Meta(
            description="Of CT without a report secondary captures, and an image of each other "
            "series."
        ),
    ] = False
    by_day: Annotated[bool, Meta(description="A query for each day.")] = False
    descriptions_keep: Annotated[
        _Words, Meta(description="Only studies whose description has one of these.")
    ] = []
    descriptions_leave_out: Annotated[
        _Words, Meta(description="Without studies whose description has one of these.")
    ] = []
    stations_keep: Annotated[_Words, Meta(description="Only stations that have one of these.")] = []
    stations_leave_out: Annotated[
        _Words, Meta(description="Without stations that have one of these.")
    ] = []


class Asking(What):
    """What a node is asked for."""

    first: Annotated[date | None, Meta(description="The first day; null for yesterday.")] = None
    last: Annotated[date | None, Meta(description="The last day; null for today.")] = None
    time_from: Annotated[_Time | None, Meta(description="Studies of this time or after.")] = None
    time_to: Annotated[_Time | None, Meta(description="Studies of this time or before.")] = None
    since: Annotated[
        _Moment | None,
        Meta(description="Studies of this moment or after, in the node's local time."),
    ] = None


WHEN = tuple(name for name in Asking.__struct_fields__ if name not in What.__struct_fields__)


class Contradiction(Exception):
    """Raised when a valid field contradicts the others, or the calendar.

    The message is a sentence.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def question_of(given: Asking, today: date) -> tuple[Question, Asked]:
    """Return the question, and the request with all its fields filled in.

    today: the day used, with the day before, if no days are given. Raises Contradiction.
    """
    first = today - timedelta(1) if given.first is None else given.first
    last = max(first, today) if given.last is None else given.last
    asked = given.as_dict() | {"first": first.isoformat(), "last": last.isoformat()}
    if not 0 <= (last - first).days <= MOST_DAYS:
        raise Contradiction(
            "last", f"last must be a day from first on, at most {MOST_DAYS} days later."
        )
    time_from, time_to = (
        None if text is None else time.fromisoformat(text)
        for text in (given.time_from, given.time_to)
    )
    if time_from is not None and time_to is not None and time_to < time_from:
        raise Contradiction("time_to", "time_to must not lie before time_from.")
    groups = _groups(given.groups)
    question = Question(
        first,
        last,
        groups,
        not groups,
        time_from,
        time_to,
        None if given.since is None else _since(given.since),
        Words(tuple(given.descriptions_keep), tuple(given.descriptions_leave_out)),
        Words(tuple(given.stations_keep), tuple(given.stations_leave_out)),
        given.station_of_study,
        given.leave_out_known,
        given.unseen_reports,
        given.toshiba,
        given.by_day,
    )
    return question, asked


def _groups(given: list[str]) -> tuple[str, ...]:
    if ONLY_REPORTS in given and len(set(given)) > 1:
        message = (
            f"Studies that hold reports alone are of no other group: {ONLY_REPORTS} stands "
            f"by itself."
        )
        raise Contradiction("groups", message)
    return tuple(dict.fromkeys(one for one in given if one != ONLY_REPORTS))


def _since(given: str) -> datetime:
    try:
        return datetime.fromisoformat(given)
    except ValueError:
        raise Contradiction("since", "since must be on a day that there is.") from None

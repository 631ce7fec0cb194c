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
_Time = Annotated[str, Meta(pattern=f"^{_CLOCK}{END}", extra={"words": "a time such as 07:30"})]
_Moment = Annotated[
    str,
    Meta(
        pattern=f"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{_CLOCK}{END}",
        extra={"words": "a date and time such as 2026-01-31T07:30"},
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
    """Which studies to search for, regardless of their date."""

    groups: Annotated[
        list[Literal[*KINDS]],  # type: ignore[valid-type]
        Meta(
            min_length=1,
            description="Modality groups; or SR alone, for studies that contain only reports.",
        ),
    ]
    station_of_study: Annotated[
        bool, Meta(description="Whether to compare station names of studies instead of series.")
    ] = False
    leave_out_known: Annotated[
        bool, Meta(description="Whether to skip objects that are already in the store.")
    ] = True
    unseen_reports: Annotated[
        bool,
        Meta(
            description="Whether to treat a series of reports whose objects the node does not "
            "list as dose reports."
        ),
    ] = False
    toshiba: Annotated[
        bool,
        Meta(
            description="Whether to fetch, for CT without a report, secondary captures and one "
            "image of each other series."
        ),
    ] = False
    by_day: Annotated[bool, Meta(description="Whether to send a separate query for each day.")] = (
        False
    )
    descriptions_keep: Annotated[
        _Words, Meta(description="Only studies whose description contains one of these.")
    ] = []
    descriptions_leave_out: Annotated[
        _Words, Meta(description="Skip studies whose description contains one of these.")
    ] = []
    stations_keep: Annotated[
        _Words, Meta(description="Only stations whose name contains one of these.")
    ] = []
    stations_leave_out: Annotated[
        _Words, Meta(description="Skip stations whose name contains one of these.")
    ] = []


class Asking(What):
    """What to search for on a node."""

    first: Annotated[date | None, Meta(description="First study date; null for yesterday.")] = None
    last: Annotated[date | None, Meta(description="Last study date; null for today.")] = None
    time_from: Annotated[
        _Time | None, Meta(description="Only studies at or after this time of day.")
    ] = None
    time_to: Annotated[
        _Time | None, Meta(description="Only studies at or before this time of day.")
    ] = None
    since: Annotated[
        _Moment | None,
        Meta(description="Only studies at or after this date and time, in the node's local time."),
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
            "last", f"last must not be before first, and at most {MOST_DAYS} days after it."
        )
    time_from, time_to = (
        None if text is None else time.fromisoformat(text)
        for text in (given.time_from, given.time_to)
    )
    if time_from is not None and time_to is not None and time_to < time_from:
        raise Contradiction("time_to", "time_to must not be before time_from.")
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
            f"Studies that contain only reports do not belong to any other group: {ONLY_REPORTS} "
            "must be the only group."
        )
        raise Contradiction("groups", message)
    return tuple(dict.fromkeys(one for one in given if one != ONLY_REPORTS))


def _since(given: str) -> datetime:
    try:
        return datetime.fromisoformat(given)
    except ValueError:
        raise Contradiction("since", "since must be on a valid date.") from None

"""The routes of searches on remote nodes: asking, what was found and why it is fetched or not, ticking off."""

from datetime import date, time, timedelta
from typing import Any

from ..query import tasks as queries
from ..retrieve.nodes import NoNode
from ..retrieve.question import GROUPS, Question, Words
from ..retrieve.searches import KIND
from .errors import ApiError, bad_body, not_found
from .parameters import Parameter
from .routes import QUERY_RETRIEVE, Caller, Route
from .schemas import INTEGER, INTEGER_OR_NULL, TASK, TEXT, TEXT_OR_NULL, any_object, array
from .services import Services
from .studies import PAGE
from .tasks import get_task

_ONLY_REPORTS = "SR"
_GROUPS = (*GROUPS, _ONLY_REPORTS)
_FLAGS = {"station_of_study": False, "leave_out_known": True, "unseen_reports": False, "toshiba": False,
          "by_day": False}  # fmt: skip
_WORDS = ("descriptions_keep", "descriptions_leave_out", "stations_keep", "stations_leave_out")
_DAYS = 3660
_MOST_LINES = 100_000


def start_search(services: Services, caller: Caller, name: str, body: Any) -> tuple[int, dict[str, Any]]:
    question, told = _checked(body)
    try:
        told["modality_too"] = services.nodes.one(name)["modality_too"]
        number = services.searches.start(caller.name, name, question(told["modality_too"]), told)
    except NoNode:
        raise not_found("Orthanc knows no node of this name.", "name") from None
    services.audit.note(caller, "node searched", name, f"task {number}, {told['first']} to {told['last']}")
    with services.store.reading() as connection:
        return 202, queries.one(connection, number) or {}


def list_found(services: Services, caller: Caller, id: int, kept: str | None, limit: int, offset: int) -> dict[str, Any]:
    _search(services, caller, id)
    with services.store.reading() as connection:
        return services.searches.found(connection, id, None if kept is None else kept == "yes", limit, offset)


def choose(services: Services, caller: Caller, id: int, body: Any) -> dict[str, Any]:
    _search(services, caller, id)
    lines, chosen = (body.get("lines"), body.get("chosen")) if isinstance(body, dict) and len(body) == 2 else (None, None)
    if not isinstance(chosen, bool) or not isinstance(lines, list) or len(lines) > _MOST_LINES or not all(
        isinstance(line, int) and not isinstance(line, bool) and 0 < line < 2**53 for line in lines
    ):
        raise bad_body(None, "The body must be an object with lines, a list of numbers of lines, and chosen, true or false.")
    return {"changed": services.searches.choose(id, lines, chosen)}


def _search(services: Services, caller: Caller, id: int) -> dict[str, Any]:
    task = get_task(services, caller, id)
    if task["kind"] != KIND:
        raise not_found("This task is no search.", "id")
    return task


def _checked(body: Any) -> tuple[Any, dict[str, Any]]:
    """The question, but for what its node needs, and how it was asked."""
    known = ("first", "last", "groups", "time_from", "time_to", *_FLAGS, *_WORDS)
    if not isinstance(body, dict) or not set(body) <= set(known):
        raise bad_body(None, f"The body must be an object with some of: {', '.join(known)}.")
    yesterday = (date.today() - timedelta(1)).isoformat()
    told = {"first": yesterday, "last": None, "groups": [], "time_from": None, "time_to": None, **_FLAGS,
            **{name: [] for name in _WORDS}} | body  # fmt: skip
    if told["last"] is None:
        told["last"] = max(str(told["first"]), date.today().isoformat())
    first, last = (_parsed(name, told[name], date.fromisoformat, "a date as 2026-01-31") for name in ("first", "last"))
    if not first <= last <= first + timedelta(_DAYS):
        raise ApiError(409, "not_possible", f"last must be a day from first on, at most {_DAYS} days later.", "last")
    times = [None if told[name] is None else _parsed(name, told[name], time.fromisoformat, "a time as 07:30")
             for name in ("time_from", "time_to")]  # fmt: skip
    for name in _FLAGS:
        if not isinstance(told[name], bool):
            raise bad_body(name, f"{name} must be true or false.")
    groups = told["groups"]
    if not isinstance(groups, list) or not groups or not all(isinstance(one, str) and one in _GROUPS for one in groups):
        raise bad_body("groups", f"groups must be a list with some of: {', '.join(_GROUPS)}.")
    only_reports = _ONLY_REPORTS in groups
    if only_reports and len(set(groups)) > 1:
        message = "Studies that hold reports alone are of no other group: SR stands by itself."
        raise ApiError(409, "not_possible", message, "groups")
    for name in _WORDS:
        value = told[name]
        if not isinstance(value, list) or len(value) > 100 or not all(isinstance(x, str) and 0 < len(x) <= 64 for x in value):
            raise bad_body(name, f"{name} must be a list of at most 100 texts of 1 to 64 letters.")

    def question(modality_too: bool) -> Question:
        words = {what: Words(tuple(told[f"{what}_keep"]), tuple(told[f"{what}_leave_out"]))
                 for what in ("descriptions", "stations")}  # fmt: skip
        return Question(
            first, last, () if only_reports else tuple(dict.fromkeys(groups)), only_reports, *times,
            modality_too=modality_too, **words, **{name: told[name] for name in _FLAGS},
        )  # fmt: skip

    return question, told


def _parsed(name: str, value: Any, parse: Any, what: str) -> Any:
    try:
        return parse(value)
    except (TypeError, ValueError):
        raise bad_body(name, f"{name} must be {what}.") from None


_NAME = Parameter("name", "word", "The node's name in Orthanc.", maximum=100, in_path=True)
_ID = Parameter("id", "integer", "The search's number.", minimum=1, in_path=True)
_DAY = {"type": ["string", "null"], "format": "date"}
_TIME = {"type": ["string", "null"], "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"}
_BODY = {"type": "object", "additionalProperties": False, "required": ["groups"], "properties": {
    "first": {"type": "string", "format": "date"}, "last": _DAY, "time_from": _TIME, "time_to": _TIME,
    "groups": {"type": "array", "minItems": 1, "items": {"enum": list(_GROUPS)}}, **dict.fromkeys(_FLAGS, {"type": "boolean"}),
    **dict.fromkeys(_WORDS, {"type": "array", "maxItems": 100, "items": {"type": "string", "minLength": 1, "maxLength": 64}}),
}}  # fmt: skip
_TEXTS = {"type": ["array", "null"], "items": TEXT}
_FOUND = any_object(
    line=INTEGER, study_instance_uid=TEXT, kept={"type": "boolean"}, chosen={"type": "boolean"}, size=INTEGER_OR_NULL,
    **dict.fromkeys(("study_date", "study_description", "study_reason", "told", "series_instance_uid", "modality",
                     "series_description", "station_name", "reason"), TEXT_OR_NULL),
    **dict.fromkeys(("modalities", "looked_at_as", "images"), _TEXTS),
)  # fmt: skip

SEARCH_ROUTES: tuple[Route, ...] = (
    Route("POST", "/nodes/{name}/searches", start_search, "Ask a node for studies, and decide what of them carries dose",
          {202: TASK}, (_NAME,), (404, 409, 413), tag="Query-retrieve", body=_BODY, with_caller=True, needs=QUERY_RETRIEVE,
          description="A task, which fetches nothing. first and last: days of the studies, from yesterday to today without"
          " them. groups: CT; MG; FL (RF, XA); DX (DX, CR, PX); NM (NM, PT); or SR by itself, for studies that hold"
          " structured reports alone. Words are looked for in descriptions of studies, and in station names of series, or of"
          " studies with station_of_study; case is ignored, and what a node leaves empty passes. leave_out_known: without"
          " objects that are in the store. unseen_reports: a series of reports whose objects the node does not list counts as"
          " dose reports. toshiba: of CT without a report secondary captures, and an image of each other series. by_day: a"
          " query for each day, which is also what is done when a node refuses a range of days."),
    Route("GET", "/searches/{id}/found", list_found, "What a search found, series by series, each with the reason",
          {200: any_object(total=INTEGER, found=array(_FOUND))},
          (_ID, Parameter("kept", "choice", "yes: what is fetched; no: what is left.", allowed=("yes", "no")), *PAGE), (404,),
          tag="Query-retrieve", with_caller=True, needs=QUERY_RETRIEVE),
    Route("PUT", "/searches/{id}/chosen", choose, "Tick lines of what a search found off, or on again",
          {200: any_object(changed=INTEGER)}, (_ID,), (404, 413), tag="Query-retrieve", with_caller=True, needs=QUERY_RETRIEVE,
          body=any_object(lines={"type": "array", "maxItems": _MOST_LINES, "items": INTEGER}, chosen={"type": "boolean"})
          | {"additionalProperties": False}),
)  # fmt: skip

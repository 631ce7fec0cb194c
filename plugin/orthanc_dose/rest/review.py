"""The routes of what a search on a remote node found: by study, ticking off, as a file."""

from typing import Any

from ..export.words import LANGUAGES, Words
from ..retrieve.review import BECAME, REASONS, SORTS, Sieve, choose, decisions, studies
from .answers import Content, Download
from .bodies import checked
from .errors import bad_body
from .parameters import Parameter
from .routes import QUERY_RETRIEVE, Caller, Route
from .schemas import BODY_INTEGER, INTEGER, INTEGER_OR_NULL, TEXT, TEXT_OR_NULL, any_object, array
from .searches import search_of
from .services import Services
from .studies import PAGE

_MOST_LINES = 100_000
_LONGEST = 200


def list_studies(
    services: Services,
    caller: Caller,
    id: int,
    sort: str,
    limit: int,
    offset: int,
    kept: str | None,
    **given: str | None,
) -> dict[str, Any]:
    search_of(services, caller, id)
    sieve = Sieve(None if kept is None else kept == "yes", **given)
    with services.store.reading() as connection:
        return studies(connection, id, sieve, sort, limit, offset)


def tick(services: Services, caller: Caller, id: int, body: Any) -> dict[str, Any]:
    search_of(services, caller, id)
    if not isinstance(body, dict) or set(body) not in ({"chosen", "lines"}, {"chosen", "sieve"}):
        raise bad_body(None, "The body must be an object with chosen and either lines or sieve.")
    if not isinstance(body["chosen"], bool):
        raise bad_body("chosen", "chosen must be true or false.")
    if "sieve" in body:
        these: Sieve | list[int] = _sieve(body["sieve"])
    else:
        these = body["lines"]
        if (
            not isinstance(these, list)
            or len(these) > _MOST_LINES
            or not all(
                isinstance(line, int) and not isinstance(line, bool) and 0 < line < 2**53
                for line in these
            )
        ):
            raise bad_body(
                "lines", f"lines must be a list of at most {_MOST_LINES} numbers of lines."
            )
    with services.store.writing() as connection:
        return {"changed": choose(connection, id, these, body["chosen"])}


def _sieve(body: Any) -> Sieve:
    given = checked(body, _SIEVE, tuple(_SIEVE))
    for name, allowed in (("reason", REASONS), ("became", BECAME)):
        if given[name] is not None and given[name] not in allowed:
            raise bad_body(name, f"{name} must be one of: {', '.join(allowed)}.")
    return Sieve(**given)


def get_decisions(services: Services, caller: Caller, id: int, language: str) -> Content:
    search_of(services, caller, id)
    words = Words(language)
    told = {
        one: words.find(f"retrieve.reasons.{one}") or words.say(f"retrieve.studyReasons.{one}")
        for one in REASONS
    }
    with services.store.reading() as connection:
        return Content(Download(decisions(connection, id, told), "text/csv", f"search-{id}.csv"))


_ID = Parameter("id", "integer", "The search's number.", minimum=1, in_path=True)
_TEXT = {"type": "string", "minLength": 1, "maxLength": _LONGEST, "pattern": r"^[^\x00-\x1f\x7f]+$"}
_SIEVE = {
    "modality": _TEXT,
    "text": _TEXT,
    "reason": _TEXT | {"enum": list(REASONS)},
    "became": _TEXT | {"enum": list(BECAME)},
}
_SIEVES = (
    Parameter("kept", "choice", "yes: what is fetched; no: what is left.", allowed=("yes", "no")),
    Parameter("modality", "text", "Of the series, or of a study that was left as a "
"whole.", maximum=_LONGEST),
    Parameter("reason", "choice", "Why a series is fetched or left, or a study is "
"left.", allowed=REASONS),
    Parameter("text", "text", "A part of a description, a station name or a UID; case is "
"ignored.", maximum=_LONGEST),
    Parameter("became", "choice", "open: chosen, and has not come; off: ticked off; moved: the "
"node says that it sent it;"
              " failed; missing: sent, but not all of it came.", allowed=tuple(BECAME)),
)  # fmt: skip
_FLAG = {"type": "boolean"}
_COUNTS = {"type": "object", "additionalProperties": INTEGER}
_SERIES = any_object(
    line=INTEGER, **dict.fromkeys(("kept", "chosen", "singly", "open"), _FLAG),
    **dict.fromkeys(("series_instance_uid", "modality", "series_description", "station_name", "reason", "state", "fault"),
                    TEXT_OR_NULL),
    **dict.fromkeys(("size", "objects", "asked_for", "arrived", "imported"), INTEGER_OR_NULL),
)  # fmt: skip
_TEXTS = {"type": ["array", "null"], "items": TEXT}
_STUDY = any_object(
    study_instance_uid=TEXT,
    modalities=_TEXTS,
    looked_at_as=_TEXTS,
    series=array(_SERIES),
    **dict.fromkeys(("study_date", "study_description", "study_reason", "told"), TEXT_OR_NULL),
)

REVIEW_ROUTES: tuple[Route, ...] = (
    Route("GET", "/searches/{id}/studies", list_studies, "What a search found by study, sieved and "
"sorted",
          {200: any_object(**dict.fromkeys(("total", "series", "open", "chosen"), INTEGER), modalities=_COUNTS, reasons=_COUNTS,
                           studies=array(_STUDY))},
          (_ID, *_SIEVES, Parameter("sort", "sort", "By the order of the answers, the studies' day "
"or description, or how many"
                                    " objects of them are fetched; - before it sorts "
"downwards.", "line", allowed=tuple(SORTS)),
           *PAGE), (404,), tag="Query-retrieve", with_caller=True, needs=QUERY_RETRIEVE,
          description="Each study with its series that are left. Of all that is left: total, how "
"many studies; series; open,"
          " how many of them can be ticked; chosen, how many of these are. modalities and reasons: "
          "what there is to"
          " sieve by, with how many series. singly: objects of the series are fetched one by one;"
          " open: it can be ticked, since it carries dose and has not come, or not all of it."),
    Route("PUT", "/searches/{id}/chosen", tick, "Tick what a search found off, or on again",
          {200: any_object(changed=INTEGER)}, (_ID,), (404, 413), tag="Query-retrieve", with_caller=True, needs=QUERY_RETRIEVE,
          body={"oneOf": [
              any_object(chosen=_FLAG, lines={"type": "array", "maxItems": _MOST_LINES, "items": BODY_INTEGER})
              | {"additionalProperties": False},
              any_object(chosen=_FLAG, sieve={"type": "object", "additionalProperties": False, "properties": _SIEVE})
              | {"additionalProperties": False},
          ]},
          description="By the numbers of lines, or all that a sieve of GET /searches/{id}/studies "
"leaves; {} is everything."
          " What is left by the rules, and what has come already, does not change."),
    Route("GET", "/searches/{id}/decisions", get_decisions, "What a search found and decided, as a "
"CSV file",
          {200: {"type": "string", "format": "binary", "x-media-types": ["text/csv"]}},
          (_ID, Parameter("language", "choice", "Of the reasons in "
"words.", "en", allowed=LANGUAGES)), (404,),
          tag="Query-retrieve", with_caller=True, needs=QUERY_RETRIEVE),
)  # fmt: skip

"""The routes of the results of a search on a remote node: by study, choosing lines, as a file."""

from typing import Annotated, Any, Literal

from ..export.words import LANGUAGES, Words
from ..records.given import UNSET, Given, Meta, Number, UnsetType
from ..retrieve.review import BECAME, REASONS, SORTS, Sieve, choose, decisions, studies
from .answer_schemas import FLAG, INTEGER, INTEGER_OR_NULL, TEXT, TEXT_OR_NULL, any_object, array
from .answers import Content, Download
from .parameters import Parameter
from .routes import QUERY_RETRIEVE, Caller, Route
from .searches import search_of
from .services import Services
from .studies import PAGE

_MOST_LINES = 100_000
_LONGEST = 200
_Text = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=_LONGEST,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        extra={"words": f"a line of 1 to {_LONGEST} characters"},
    ),
]


class SearchSieve(Given):
    """Which lines of a search; all that is given must hold."""

    modality: Annotated[
        _Text | UnsetType,
        Meta(description="Of the series, or of a study that was left as a whole."),
    ] = UNSET
    text: Annotated[
        _Text | UnsetType,
        Meta(description="A part of a description, a station name or a UID; case is ignored."),
    ] = UNSET
    reason: Annotated[
        Literal[*REASONS] | UnsetType,  # type: ignore[valid-type]
        Meta(description="Why a series is fetched or left, or a study is left."),
    ] = UNSET
    became: Annotated[
        Literal[*BECAME] | UnsetType,  # type: ignore[valid-type]
        Meta(description="What was chosen and what became of it."),
    ] = UNSET


class TickedLines(Given):
    """Lines of a search that are ticked, or ticked off."""

    chosen: Annotated[bool, Meta(description="Whether they are to be fetched.")]
    lines: Annotated[
        list[Number],
        Meta(max_length=_MOST_LINES, description="The numbers of the lines."),
    ]


class TickedSieve(Given):
    """All that a sieve leaves of a search, to be ticked or ticked off."""

    chosen: Annotated[bool, Meta(description="Whether they are to be fetched.")]
    sieve: SearchSieve


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


def tick(
    services: Services, caller: Caller, id: int, body: TickedLines | TickedSieve
) -> dict[str, Any]:
    search_of(services, caller, id)
    these = body.lines if isinstance(body, TickedLines) else Sieve(**body.sieve.as_dict())
    with services.store.writing() as connection:
        return {"changed": choose(connection, id, these, body.chosen)}


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
_COUNTS = {"type": "object", "additionalProperties": INTEGER}
_SERIES = any_object(
    line=INTEGER, **dict.fromkeys(("kept", "chosen", "singly", "open"), FLAG),
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
          body=TickedLines | TickedSieve,
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

"""The routes of the results of a search on a remote node: by study, choosing lines, as a file."""

from typing import Annotated, Any, Literal

from ..export.words import LANGUAGES, Words
from ..records.given import UNSET, Given, Meta, Number, UnsetType
from ..retrieve.review import BECAME, REASONS, SORTS, Sieve, choose, decisions, studies
from .answer_schemas import (
    COUNTS,
    FLAG,
    INTEGER,
    INTEGER_OR_NULL,
    TEXT,
    TEXT_OR_NULL,
    any_object,
    array,
    component,
    or_null,
)
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
    """Filters for the lines of a search; a line must match all that are given."""

    modality: Annotated[
        _Text | UnsetType,
        Meta(description="Modality of the series, or of a study that was skipped as a whole."),
    ] = UNSET
    text: Annotated[
        _Text | UnsetType,
        Meta(description="Part of a description, a station name or a UID; case is ignored."),
    ] = UNSET
    reason: Annotated[
        Literal[*REASONS] | UnsetType,  # type: ignore[valid-type]
        Meta(description="Reason why a series is fetched or skipped, or a study is skipped."),
    ] = UNSET
    became: Annotated[
        Literal[*BECAME] | UnsetType,  # type: ignore[valid-type]
        Meta(description="State: whether it is selected, and the result of fetching it."),
    ] = UNSET


class TickedLines(Given):
    """Lines of a search to select or deselect."""

    chosen: Annotated[bool, Meta(description="Whether to fetch them.")]
    lines: Annotated[
        list[Number],
        Meta(max_length=_MOST_LINES, description="Numbers of the lines."),
    ]


class TickedSieve(Given):
    """Filters for the lines of a search to select or deselect."""

    chosen: Annotated[bool, Meta(description="Whether to fetch them.")]
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


_ID = Parameter("id", "integer", "Number of the search.", minimum=1, in_path=True)
_SIEVES = (
    Parameter("kept", "choice", "yes: only what is fetched; no: only what is skipped.", allowed=("yes", "no")),
    Parameter("modality", "text",
              "Modality of the series, or of a study that was skipped as a whole.", maximum=_LONGEST),
    Parameter("reason", "choice",
              "Reason why a series is fetched or skipped, or a study is skipped.", allowed=REASONS),
    Parameter("text", "text", "Part of a description, a station name or a UID; case is ignored.", maximum=_LONGEST),
    Parameter("became", "choice",
              "open: selected, but has not arrived; off: deselected; moved: the node reports "
              "that it sent it; failed; missing: sent, but did not arrive completely.", allowed=tuple(BECAME)),
)  # fmt: skip
_SERIES = component("found_series", any_object(
    line=INTEGER, **dict.fromkeys(("kept", "chosen", "singly", "open"), FLAG),
    **dict.fromkeys(("series_instance_uid", "modality", "series_description", "station_name", "reason", "fault"),
                    TEXT_OR_NULL),
    state={"enum": ["moving", "moved", "failed", None]},
    **dict.fromkeys(("size", "objects", "asked_for", "arrived", "imported"), INTEGER_OR_NULL),
))  # fmt: skip
_STUDY = component(
    "found_study",
    any_object(
        study_instance_uid=TEXT,
        modalities=or_null(array(TEXT)),
        looked_at_as=or_null(array(TEXT)),
        series=array(_SERIES),
        **dict.fromkeys(("study_date", "study_description", "study_reason", "told"), TEXT_OR_NULL),
    ),
)
_PAGE = component(
    "found_page",
    any_object(
        **dict.fromkeys(("total", "series", "open", "chosen"), INTEGER),
        modalities=COUNTS,
        reasons=COUNTS,
        studies=array(_STUDY),
    ),
)

REVIEW_ROUTES: tuple[Route, ...] = (
    Route("GET", "/searches/{id}/studies", list_studies,
          "Return the results of a search by study, filtered and sorted",
          {200: _PAGE},
          (_ID, *_SIEVES, Parameter("sort", "sort",
                                    "Sort by the order of the answers, the study date or "
                                    "description, or the number of objects to fetch; a leading - "
                                    "sorts in descending order.", "line", allowed=tuple(SORTS)),
           *PAGE), (404,), tag="Query-retrieve", with_caller=True, needs=QUERY_RETRIEVE,
          description="Each study has its series that match the filters. Totals of all matches: "
                      "`total`, the number of studies; `series`, the number of series; `open`, "
                      "how many of these can be selected; `chosen`, how many of those are "
                      "selected. `modalities` and `reasons`: the values to filter by, with their "
                      "numbers of series. Of a series, `singly`: its objects are fetched one by "
                      "one; `open`: it can be selected, since it carries dose and has not "
                      "arrived, or not completely."),
    Route("PUT", "/searches/{id}/chosen", tick, "Select or deselect results of a search",
          {200: any_object(changed=INTEGER)}, (_ID,), (404, 413), tag="Query-retrieve", with_caller=True, needs=QUERY_RETRIEVE,
          body=TickedLines | TickedSieve,
          description="Lines are given by their numbers, or as everything that matches the "
                      "filters of GET /searches/{id}/studies; {} is everything. Lines that the "
                      "rules skip, or whose objects have already arrived, do not change."),
    Route("GET", "/searches/{id}/decisions", get_decisions,
          "Export what a search found and decided as a CSV file",
          {200: {"type": "string", "format": "binary", "x-media-types": ["text/csv"]}},
          (_ID, Parameter("language", "choice", "Language of the reasons.", "en", allowed=LANGUAGES)), (404,),
          tag="Query-retrieve", with_caller=True, needs=QUERY_RETRIEVE),
)  # fmt: skip

"""Querying a node, from studies to series to objects, and deciding on each study.

`find` sends one C-FIND: it takes the level and the values by keyword, empty for what is to be
returned. It returns the answers, and raises NodeError if the node gives none.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from .answers import Answer, Image, Series, Study
from .question import Question
from .rules import Decision, decide_series, without_known

Find = Callable[[str, dict[str, str]], list[Answer]]
Known = Callable[
    [str], frozenset[str]
]  # by Study Instance UID, the SOP Instance UIDs for which the store has a record


class NodeError(Exception):
    """Raised when the node did not answer; the message says why, without any identity."""


class NodeRefuses(NodeError):
    """Raised when the node is there, but refused this query."""


# Why a study is left; pages put it in words. Otherwise the reasons of its series apply.
LEFT = (
    "not_only_reports",
    "other_modality",
    "description",
    "station_name",
    "refused",
    "nothing_to_fetch",
)
# Why there may be more than was found, or less of it; pages put it in words. See Search;
# character_set: a character set that Orthanc does not read, so texts were left out.
DOUBTS = ("nothing", "limit", "refused", "no_uid", "character_set")
# The stages of a search; pages put them in words.
STAGES = ("studies", "series")
# Numbers of answers at which nodes often stop.
_LIMITS = frozenset({100, 200, 250, 500, 1000, 2000, 5000, 10_000})


@dataclass
class Found:
    """A study, which is kept if something of it is retrieved.

    reason: one of LEFT if nothing is, with what the node said. listed: the objects of series, as
    far as they were queried.
    """

    study: Study
    groups: tuple[str, ...] = ()
    decisions: list[Decision] = field(default_factory=list)
    listed: dict[str, list[Image]] = field(default_factory=dict)
    reason: str | None = None
    told: str | None = None

    @property
    def is_kept(self) -> bool:
        return self.reason is None


@dataclass
class Search:
    """The result of a question.

    ignores_modality: the node answered with studies that were not asked for. split: why a range of
    days was queried day by day, "limit" or "refused". finds: number of queries by level.
    left_studies, left_series: numbers by reason. doubts: why there may be more than was found, with
    what the node said: "nothing" (no study at all), "limit" (as many answers for one day as nodes
    often stop at), "refused" (a query of one day), "no_uid" (the number of answers without a usable
    UID).
    """

    studies: list[Found] = field(default_factory=list)
    ignores_modality: bool = False
    split: str | None = None
    finds: Counter[str] = field(default_factory=Counter)
    left_studies: Counter[str] = field(default_factory=Counter)
    left_series: Counter[str] = field(default_factory=Counter)
    doubts: dict[str, str] = field(default_factory=dict)

    def add(self, found: Found) -> None:
        self.studies.append(found)
        self.left_studies.update([found.reason] if found.reason else [])
        self.left_series.update(one.reason for one in found.decisions if not one.is_kept)

    def without_uid(self, count: int) -> None:
        if count:
            self.doubts["no_uid"] = str(int(self.doubts.get("no_uid", 0)) + count)


# Called between two queries: the stage, its progress, the total, and what was found so far. May
# raise to stop the search.
Told = Callable[[str, int, int, Search], None]


def search_node(question: Question, find: Find, known: Known, told: Told) -> Search:
    """Query a node, and decide what of its studies is retrieved.

    Raises NodeError if the node is not there, or answered no query of studies.
    """
    out = Search()

    def counted(level: str, keys: dict[str, str]) -> list[Answer]:
        out.finds[level] += 1
        return find(level, keys)

    studies = list(_studies(question, counted, out, told))
    for number, study in enumerate(studies):
        told("series", number, len(studies), out)
        out.add(_look_at(study, question, counted, known, out))
    return out


def _studies(question: Question, find: Find, out: Search, told: Told) -> Iterator[Study]:
    """Yield each study once, whatever the node does with the modality."""
    seen: set[str] = set()
    answered, done, refusal = False, 0, None
    waiting = (
        list(_days(question.first, question.last))
        if question.by_day
        else [(question.first, question.last)]
    )
    while waiting:
        told("studies", done, done + len(waiting), out)
        first, last = waiting.pop(0)
        done += 1
        for modality in question.modalities[:1] if out.ignores_modality else question.modalities:
            try:
                answers = find("Study", _study_keys(question, modality, first, last))
            except NodeRefuses as error:
                if first != last:  # perhaps the range is too wide
                    waiting, out.split = [*_days(first, last), *waiting], "refused"
                    break
                refusal = error
                out.doubts["refused"] = str(error)
                continue
            answered = True
            found = [study for study in map(Study.of, answers) if study is not None]
            out.without_uid(len(answers) - len(found))
            for study in found:
                if study.uid not in seen:
                    seen.add(study.uid)
                    if question.since is None or not study.is_before(question.since):
                        yield study
            # A node that does not know the key answers with all studies.
            out.ignores_modality |= any(
                study.modalities and modality not in study.modalities for study in found
            )
            if len(answers) in _LIMITS and first != last:
                waiting, out.split = [*_days(first, last), *waiting], "limit"
                break
            if len(answers) in _LIMITS:
                out.doubts["limit"] = str(len(answers))
            if out.ignores_modality:
                break
    if refusal and not answered:
        raise refusal
    if not seen:
        out.doubts["nothing"] = ""


def _days(first: date, last: date) -> Iterator[tuple[date, date]]:
    for number in range((last - first).days + 1):
        day = first + timedelta(number)
        yield day, day


def _study_keys(question: Question, modality: str, first: date, last: date) -> dict[str, str]:
    days = "-".join(
        day.isoformat().replace("-", "") for day in ((first,) if first == last else (first, last))
    )
    times = ""
    if question.time_from or question.time_to:
        times = "-".join(
            "" if one is None else f"{one:%H%M%S}" for one in (question.time_from, question.time_to)
        )
    keys = {
        "StudyDate": days,
        "StudyTime": times,
        "ModalitiesInStudy": modality,
        **dict.fromkeys(("StudyInstanceUID", "StudyDescription", "NumberOfStudyRelatedSeries"), ""),
    }
    if question.station_of_study:
        keys["StationName"] = ""
    return keys | {"Modality": modality} if question.modality_too else keys


def _look_at(study: Study, question: Question, find: Find, known: Known, out: Search) -> Found:
    if study.modalities is not None:
        reason = _not_wanted(study.modalities, question)
        if reason:
            return Found(study, reason=reason)
    if not question.descriptions.passes(study.description):
        return Found(study, reason="description")
    if question.station_of_study and not question.stations.passes(study.station_name):
        return Found(study, reason="station_name")
    try:
        return _look_into(study, question, find, known, out)
    except NodeRefuses as error:
        return Found(study, reason="refused", told=str(error))


def _not_wanted(modalities: frozenset[str], question: Question) -> str | None:
    if question.only_reports:
        return None if modalities == {"SR"} else "not_only_reports"
    return None if question.groups_of(modalities) else "other_modality"


def _look_into(study: Study, question: Question, find: Find, known: Known, out: Search) -> Found:
    asked = (
        "SeriesInstanceUID",
        "Modality",
        "SeriesDescription",
        "StationName",
        "NumberOfSeriesRelatedInstances",
    )
    of_study = {"StudyInstanceUID": study.uid}
    answers = _belonging(find("Series", of_study | dict.fromkeys(asked, "")), of_study)
    read = [one for one in map(Series.of, answers) if one is not None]
    out.without_uid(len(answers) - len(read))
    series = list({one.uid: one for one in read}.values())
    # For the study, some nodes give only the modality that was asked for.
    modalities = (study.modalities or frozenset()) | {
        one.modality for one in series if one.modality
    }
    reason = _not_wanted(modalities, question)
    if reason:
        return Found(study, reason=reason)
    images: dict[str, list[Image]] = {}

    def ask(one: Series) -> list[Image]:
        if one.uid not in images:
            of_series = of_study | {"SeriesInstanceUID": one.uid}
            try:
                found = find(
                    "Instance",
                    of_series
                    | dict.fromkeys(("SOPInstanceUID", "SOPClassUID", "InstanceNumber"), ""),
                )
            except NodeRefuses:  # the node does not know this level
                found = []
            listed = [
                image for image in map(Image.of, _belonging(found, of_series)) if image is not None
            ]
            images[one.uid] = list({image.sop_instance_uid: image for image in listed}.values())
        return images[one.uid]

    groups = question.groups_of(modalities)
    decisions = decide_series(groups, series, question, ask)
    if question.leave_out_known:
        decisions = without_known(decisions, known(study.uid), ask)
    left = None if any(one.is_kept for one in decisions) else "nothing_to_fetch"
    return Found(study, groups, decisions, images, left)


def _belonging(answers: list[Answer], asked: dict[str, str]) -> list[Answer]:
    """Return the answers without those that name another study or series.

    Some nodes give these unasked.
    """
    return [
        one
        for one in answers
        if all(one.get(key, "").strip(" \0") in ("", uid) for key, uid in asked.items())
    ]

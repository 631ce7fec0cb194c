"""The answers of a node: studies, series and images, as far as it describes them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

# An answer: values by keyword, as text; several values are separated by backslashes.
Answer = Mapping[str, str]


def _text(answer: Answer, keyword: str) -> str | None:
    return answer.get(keyword, "").strip(" \0") or None


_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_COUNT = re.compile(r"\+?[0-9]{1,9}")


def _uid(answer: Answer, keyword: str) -> str | None:
    """Return a UID of an answer, or None if it is not a valid one.

    The node is queried again by this UID: text that is no UID (PS3.5 9.1), such as a wildcard, is
    treated as missing.
    """
    text = _text(answer, keyword)
    return text if text and len(text) <= 64 and _UID.fullmatch(text) else None


def _number(answer: Answer, keyword: str) -> int | None:
    text = _text(answer, keyword)
    return int(text) if text and _COUNT.fullmatch(text) else None


@dataclass(frozen=True)
class Image:
    """An object of a series. sop_class_uid: None if the node does not say."""

    sop_instance_uid: str
    sop_class_uid: str | None = None
    number: int | None = None

    @classmethod
    def of(cls, answer: Answer) -> "Image | None":
        uid = _uid(answer, "SOPInstanceUID")
        return (
            cls(uid, _uid(answer, "SOPClassUID"), _number(answer, "InstanceNumber"))
            if uid
            else None
        )


@dataclass(frozen=True)
class Series:
    """A series. size: the number of its objects; None if the node does not say."""

    uid: str
    modality: str | None = None
    description: str | None = None
    station_name: str | None = None
    size: int | None = None

    @classmethod
    def of(cls, answer: Answer) -> "Series | None":
        uid = _uid(answer, "SeriesInstanceUID")
        if uid is None:
            return None
        modality = (_text(answer, "Modality") or "").upper() or None
        return cls(
            uid,
            modality,
            _text(answer, "SeriesDescription"),
            _text(answer, "StationName"),
            _number(answer, "NumberOfSeriesRelatedInstances"),
        )


_NOT_DIGITS = re.compile(r"\D")


@dataclass(frozen=True)
class Study:
    """A study. modalities: None if the node does not say."""

    uid: str
    modalities: frozenset[str] | None = None
    description: str | None = None
    station_name: str | None = None
    study_date: str | None = None
    study_time: str | None = None
    answer: Answer = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, answer: Answer) -> "Study | None":
        uid = _uid(answer, "StudyInstanceUID")
        if uid is None:
            return None
        named = {
            one.strip() for one in (_text(answer, "ModalitiesInStudy") or "").upper().split("\\")
        } - {""}
        return cls(
            uid,
            frozenset(named) or None,
            _text(answer, "StudyDescription"),
            _text(answer, "StationName"),
            _text(answer, "StudyDate"),
            _text(answer, "StudyTime"),
            answer,
        )

    def is_before(self, moment: datetime) -> bool:
        """Return whether the study was before a time, which is local to the node.

        False if the node does not say when the study was. If it gives only the hour, hours are
        compared.
        """
        if not self.study_date or not self.study_time:
            return False
        told = _NOT_DIGITS.sub("", self.study_date) + _NOT_DIGITS.sub("", self.study_time)[:6]
        return told < f"{moment:%Y%m%d%H%M%S}"[: len(told)]

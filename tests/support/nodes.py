"""A remote node in memory: what it has, how it answers, and what a search makes of that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from orthanc_dose.retrieve.answers import Answer
from orthanc_dose.retrieve.node_search import NodeRefuses, Search, search_node
from orthanc_dose.retrieve.question import Question

# SOP classes from PS3.6.
DOSE, ENHANCED_DOSE, NUCLEAR, PATIENT_DOSE, ENHANCED, COMPREHENSIVE, BASIC, CAPTURE, CT = (
    "1.2.840.10008.5.1.4.1.1.88.67",
    "1.2.840.10008.5.1.4.1.1.88.76",
    "1.2.840.10008.5.1.4.1.1.88.68",
    "1.2.840.10008.5.1.4.1.1.88.73",
    "1.2.840.10008.5.1.4.1.1.88.22",
    "1.2.840.10008.5.1.4.1.1.88.33",
    "1.2.840.10008.5.1.4.1.1.88.11",
    "1.2.840.10008.5.1.4.1.1.7",
    "1.2.840.10008.5.1.4.1.1.2",
)
DAY = date(2026, 1, 5)
Tree = dict[str, Any]


def series(
    modality: str,
    *classes: str,
    description: str = "",
    count: int | None = None,
    listed: bool = True,
    station: str = "",
) -> Tree:
    """Return a series with an object of each class.

    count: how many the node says there are; listed: whether it lists them.
    """
    return {
        "Modality": modality,
        "SeriesDescription": description,
        "StationName": station,
        "objects": classes,
        "count": len(classes) if count is None else count,
        "listed": listed,
    }


class Node:
    """A node's objects on one or several days, and its way of answering."""

    def __init__(
        self,
        *studies: list[Tree],
        modalities: bool = True,
        matches: bool = True,
        day: Any = lambda n: DAY,
        descriptions: tuple[str, ...] = (),
        refuses: Callable[[dict[str, str]], bool] = lambda keys: False,
    ) -> None:
        self.studies, self.modalities, self.matches, self.day = studies, modalities, matches, day
        self.descriptions, self.refuses = descriptions, refuses
        self.asked: list[tuple[str, dict[str, str]]] = []

    def find(self, level: str, keys: dict[str, str]) -> list[Answer]:
        self.asked.append((level, keys))
        if self.refuses(keys):
            raise NodeRefuses("Out of resources")
        if level == "Study":
            return [self._study(n) for n in range(len(self.studies)) if self._fits(n, keys)]
        number = int(keys["StudyInstanceUID"].split(".")[1])
        if level == "Series":
            return [self._series(number, n, one) for n, one in enumerate(self.studies[number])]
        place = int(keys["SeriesInstanceUID"].split(".")[2])
        one = self.studies[number][place]
        return [
            {
                "SOPInstanceUID": f"1.{number}.{place}.{n}",
                "SOPClassUID": uid,
                "InstanceNumber": str(n + 1),
            }
            for n, uid in reversed(list(enumerate(one["objects"])))
            if one["listed"]
        ]

    def _own(self, number: int) -> set[str]:
        return {one["Modality"] for one in self.studies[number]}

    def _fits(self, number: int, keys: dict[str, str]) -> bool:
        first, _, last = keys["StudyDate"].partition("-")
        is_day = first <= f"{self.day(number):%Y%m%d}" <= (last or first)
        return is_day and (not self.matches or keys["ModalitiesInStudy"] in self._own(number))

    def _study(self, number: int) -> Answer:
        answer = {"StudyInstanceUID": f"1.{number}", "StudyDate": f"{self.day(number):%Y%m%d}"}
        if self.descriptions:
            answer["StudyDescription"] = self.descriptions[number]
        return answer | (
            {"ModalitiesInStudy": "\\".join(sorted(self._own(number)))} if self.modalities else {}
        )

    def _series(self, number: int, place: int, one: Tree) -> Answer:
        told = {
            name: one[name]
            for name in ("Modality", "SeriesDescription", "StationName")
            if one[name]
        }
        count = {"NumberOfSeriesRelatedInstances": str(one["count"])} if one["count"] >= 0 else {}
        return {"SeriesInstanceUID": f"1.{number}.{place}"} | told | count


def ask(
    node: Node, *groups: str, known: frozenset[str] = frozenset(), last: date = DAY, **more: Any
) -> Search:
    return search_node(
        Question(DAY, last, groups, **more), node.find, lambda study: known, lambda *told: None
    )


def decided(found: Search) -> list[str]:
    """Return what becomes of each series of the only study.

    This is + for kept and - for left, the reason, and the number of objects.
    """
    [study] = found.studies
    return [
        f"{'+' if one.is_kept else '-'}{one.reason}{'' if one.images is None else ' ' + str(len(one.images))}"
        for one in study.decisions
    ]

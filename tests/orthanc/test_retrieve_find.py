"""Asking nodes over DICOM: a real Orthanc as the PACS, and providers that behave badly, all asked
by a real Orthanc.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind as FIND  # type: ignore[attr-defined]
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from orthanc_dose import samples
from orthanc_dose.loopback import Loopback
from orthanc_dose.retrieve.node import Node
from orthanc_dose.retrieve.question import Question
from orthanc_dose.retrieve.search import NodeError, NodeRefuses, Search, search
from tests.support.server import OrthancServer, _free_ports

Answers = Callable[[Dataset], Iterator[tuple[int, Dataset | None]]]
DAY, OTHER = date(2026, 3, 2), date(2026, 3, 3)


def _study(number: int, *objects: Dataset, day: date = DAY, description: str = "") -> list[Dataset]:
    """The objects as one study, each modality a series, reports each its own."""
    for place, one in enumerate(objects):
        one.StudyInstanceUID, one.StudyDate = f"1.2.826.0.1.{number}", f"{day:%Y%m%d}"
        one.StudyDescription, one.PatientID = description or f"Study {number}", f"P{number}"
        one.SeriesInstanceUID = (
            f"1.2.826.0.1.{number}.{place if one.Modality == 'SR' else 100 + len(one.Modality)}"
        )
    return list(objects)


def _slices(count: int, modality: str = "CT") -> list[Dataset]:
    made = [samples.ct_slice(number) for number in range(count)]
    for one in made:
        one.Modality = modality
    return made


def _report(key: str) -> Dataset:
    return samples.ct_report(2, key=f"retrieve {key}")


def _studies() -> list[Dataset]:
    return [
        *_study(1, _report("a"), *_slices(6)),
        *_study(2, *_slices(7)),
        *_study(3, _report("b"), *_slices(3), day=OTHER, description="Größe"),
        *_study(4, samples.non_dose_sr(), *_slices(3)),
        *_study(5, *_slices(2, "US")),
        *_study(6, _report("c")),
    ]


class Provider:
    """A C-FIND provider that answers as it is told."""

    def __init__(self, answers: Answers) -> None:
        [self.port] = _free_ports(1)
        entity = AE("BAD")
        entity.add_supported_context(FIND)
        entity.add_supported_context(Verification)
        self._server = entity.start_server(
            ("127.0.0.1", self.port),
            block=False,
            evt_handlers=[
                (evt.EVT_C_FIND, lambda event: answers(event.identifier)),
            ],
        )

    def __enter__(self) -> Provider:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()


def one(**values: Any) -> Dataset:
    made = Dataset()
    for name, value in values.items():
        setattr(made, name, value)
    return made


@pytest.fixture(scope="module")
def pacs() -> Iterator[OrthancServer]:
    modalities = {"asker": ["ASKER", "127.0.0.1", 1]}
    with OrthancServer(
        plugin=False, overrides={"DicomModalities": modalities, "DicomAet": "PACS"}
    ) as running:
        running.send(_studies())
        yield running


@pytest.fixture(scope="module")
def asker(pacs: OrthancServer) -> Iterator[OrthancServer]:
    modalities = {
        "pacs": ["PACS", "127.0.0.1", pacs.dicom_port],
        "gone": ["GONE", "127.0.0.1", _free_ports(1)[0]],
    }
    with OrthancServer(
        plugin=False, overrides={"DicomModalities": modalities, "DicomAet": "ASKER"}
    ) as running:
        yield running


def node(asker: OrthancServer, name: str, **more: Any) -> Node:
    orthanc = Loopback({"HttpPort": asker.http_port})
    return Node(orthanc, orthanc, name, **more)


def bad(asker: OrthancServer, provider: Provider, **more: Any) -> Node:
    asker.request(
        "PUT", "/modalities/bad", json={"AET": "BAD", "Host": "127.0.0.1", "Port": provider.port}
    )
    return node(asker, "bad", **more)


def ask(of: Node, *groups: str, last: date = DAY, **more: Any) -> Search:
    return search(
        Question(DAY, last, groups, **more), of.find, lambda study: frozenset(), lambda *told: None
    )


def test_a_real_pacs_is_asked_for_what_carries_dose(asker: OrthancServer) -> None:
    found = ask(node(asker, "pacs"), "CT", last=OTHER)
    kept = {
        study.study.uid[-1]: [
            (one.reason, one.series.size) for one in study.decisions if one.is_kept
        ]
        for study in found.studies
    }
    # Whether an Enhanced SR holds dose shows only when it is read.
    assert kept == {
        "1": [("dose_report", 1)],
        "2": [],
        "3": [("dose_report", 1)],
        "4": [("enhanced_sr", 1)],
    }
    assert not found.ignores_modality and found.finds == {"Study": 1, "Series": 4, "Instance": 3}
    assert {study.study.description for study in found.studies} >= {"Größe"}
    alone = ask(node(asker, "pacs"), only_reports=True)
    assert [(study.study.uid[-1], study.reason) for study in alone.studies if study.is_kept] == [
        ("6", None)
    ]


def test_echo(asker: OrthancServer) -> None:
    assert node(asker, "pacs").echo() is None
    assert "connection refused" in (node(asker, "gone").echo() or "")
    assert "no node with this name" in (node(asker, "nobody").echo() or "")
    assert "no node with this name" in (node(asker, "a/../b?c#d").echo() or "")


def test_a_node_that_is_not_there_ends_the_search(asker: OrthancServer) -> None:
    with pytest.raises(NodeError, match="connection refused"):
        ask(node(asker, "gone"), "CT", last=date(2026, 12, 31))


def test_a_node_that_refuses_wide_queries_is_asked_by_day(asker: OrthancServer) -> None:
    def answers(asked: Dataset) -> Iterator[tuple[int, Dataset | None]]:
        if asked.QueryRetrieveLevel == "STUDY" and "-" in asked.StudyDate:
            yield 0xFF00, one(QueryRetrieveLevel="STUDY", StudyInstanceUID="9.9")
            yield 0xA700, None
        elif asked.QueryRetrieveLevel == "STUDY":
            yield (
                0xFF00,
                one(
                    QueryRetrieveLevel="STUDY",
                    StudyInstanceUID=f"9.{asked.StudyDate}",
                    ModalitiesInStudy=["MG", "SR"],
                ),
            )
        elif asked.QueryRetrieveLevel == "SERIES":
            yield 0xFF00, one(QueryRetrieveLevel="SERIES", SeriesInstanceUID="9.1", Modality="MG")

    with Provider(answers) as provider:
        found = ask(bad(asker, provider), "MG", last=OTHER)
    assert [study.study.uid for study in found.studies] == ["9.20260302", "9.20260303"]
    assert all(study.is_kept and study.decisions[0].objects is None for study in found.studies)


def test_a_node_that_ignores_modalities_and_tells_little(asker: OrthancServer) -> None:
    levels: list[str] = []

    def answers(asked: Dataset) -> Iterator[tuple[int, Dataset | None]]:
        levels.append(asked.QueryRetrieveLevel)
        if asked.QueryRetrieveLevel == "STUDY":
            for number, modalities in enumerate((["US"], ["CT", "SR"], ["MG"])):
                yield (
                    0xFF00,
                    one(
                        QueryRetrieveLevel="STUDY",
                        StudyInstanceUID=f"9.{number}",
                        ModalitiesInStudy=modalities,
                    ),
                )
        elif asked.QueryRetrieveLevel == "SERIES":
            for modality in ("CT", "SR"):
                yield (
                    0xFF00,
                    one(
                        QueryRetrieveLevel="SERIES",
                        SeriesInstanceUID=f"9.{len(modality)}.{modality == 'SR':d}",
                        Modality=modality,
                    ),
                )
        else:
            yield 0xC000, None  # it does not know this level

    with Provider(answers) as provider:
        found = ask(bad(asker, provider), "CT", "DX")
        assert found.ignores_modality and levels.count("STUDY") == 1
        [study] = [study for study in found.studies if study.groups]
        assert [(one.is_kept, one.reason) for one in study.decisions] == [
            (False, "no_report"),
            (False, "objects_not_listed"),
        ]
        [study] = [
            study
            for study in ask(bad(asker, provider), "CT", unseen_reports=True).studies
            if study.groups
        ]
        assert [(one.is_kept, one.reason) for one in study.decisions] == [
            (False, "report_says_it"),
            (True, "unseen_report"),
        ]


def test_a_node_that_breaks_off_is_asked_once_more(asker: OrthancServer) -> None:
    times: list[int] = []

    def handler(event: Any) -> Iterator[tuple[int, Dataset | None]]:
        times.append(1)
        yield (
            0xFF00,
            one(QueryRetrieveLevel="STUDY", StudyInstanceUID="9.1", ModalitiesInStudy="US"),
        )
        if len(times) == 1 or forever:
            event.assoc.abort()

    for forever in (False, True):
        times.clear()
        with Provider(lambda asked: iter(())) as provider:
            provider._server._handlers[evt.EVT_C_FIND] = (handler, None)
            if forever:
                with pytest.raises(NodeRefuses, match="aborted the association"):
                    bad(asker, provider).find(
                        "Study", {"StudyInstanceUID": "", "StudyDate": "20260302"}
                    )
            else:
                answers = bad(asker, provider).find(
                    "Study", {"StudyInstanceUID": "", "StudyDate": "20260302"}
                )
                assert [one["StudyInstanceUID"] for one in answers] == ["9.1"]
        assert len(times) == 2


def test_a_slow_node_is_not_waited_for(asker: OrthancServer) -> None:
    given_up = threading.Event()

    def answers(asked: Dataset) -> Iterator[tuple[int, Dataset | None]]:
        given_up.wait(60)
        yield 0xFF00, one(QueryRetrieveLevel="STUDY", StudyInstanceUID="9.1")

    with Provider(answers) as provider:
        with pytest.raises(NodeRefuses, match="did not answer within 1 s"):
            bad(asker, provider, seconds=1).find("Study", {"StudyInstanceUID": ""})
        given_up.set()


def test_answers_in_character_sets_that_orthanc_does_not_read(asker: OrthancServer) -> None:
    doubts: list[str] = []

    def answers(asked: Dataset) -> Iterator[tuple[int, Dataset | None]]:
        found = one(QueryRetrieveLevel="STUDY", StudyInstanceUID="9.1", ModalitiesInStudy="CT")
        if "StudyDescription" in asked:
            found.SpecificCharacterSet, found.StudyDescription = ["", "ISO 2022 IR 87"], "胸部"
        yield 0xFF00, found

    with Provider(answers) as provider:
        found = bad(asker, provider, doubt=doubts.append).find(
            "Study", {"StudyInstanceUID": "", "StudyDescription": ""}
        )
    assert [one["StudyInstanceUID"] for one in found] == ["9.1"]
    # Orthanc 1.10 refuses such an answer; 1.12 gives it without what its own character set does not
    # have.
    assert doubts == ["character_set"] or found[0]["StudyDescription"] in ("", "胸部")

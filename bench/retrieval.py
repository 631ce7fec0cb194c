"""Retrieving dose reports from a PACS: a search and a retrieval of ours, compared with plain C-MOVE
of the same series by a bare Orthanc; and the number of C-FINDs of the search.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from time import perf_counter
from typing import Any

import requests

from orthanc_dose import samples
from tests.support.server import PASSWORD, USER, OrthancServer

from .results import Results

DAY = "2026-03-02"
SLICES = 3  # besides the report of each study


def run(quick: bool) -> Iterator[Results]:
    studies, turns = (20, 1) if quick else (200, 3)
    results = Results(
        "retrieval",
        "Retrieving dose reports from a PACS",
        f"{studies} CT studies on a second Orthanc, each a report and {SLICES} slices. Plain: an "
        "Orthanc without the plugin queries each report's series and moves it, one after the "
        "other. Plugin: the search, and the retrieval until everything is imported and compared "
        f"with the store. Medians of {turns}.",
        (
            "studies",
            "search s",
            "retrieval s",
            "plain s",
            "rate relative to plain",
            "C-FIND study",
            "series",
            "image",
        ),
    )
    with OrthancServer(plugin=False, overrides={"DicomAet": "PACS"}) as pacs:
        for number in range(studies):
            pacs.send(_study(number))
        rounds = [_round(pacs) for _ in range(turns)]
    search, retrieval, bare = (median(times) for times in list(zip(*rounds, strict=True))[:3])
    finds = rounds[-1][3]
    results.add(
        studies,
        search,
        retrieval,
        bare,
        bare / retrieval,
        finds["Study"],
        finds["Series"],
        finds["Instance"],
        studies=studies,
        rounds=[one[:3] for one in rounds],
        finds=finds,
    )
    yield results


def _study(number: int) -> list[Any]:
    report = samples.ct_report(2, key=f"fetched {number}")
    objects = [report, *(samples.ct_slice(number * SLICES + n) for n in range(SLICES))]
    for one in objects:
        one.StudyInstanceUID, one.StudyDate = f"1.2.826.0.1.{number + 1}", DAY.replace("-", "")
        one.SeriesInstanceUID = f"1.2.826.0.1.{number + 1}.{1 if one is report else 2}"
        one.PatientID = f"P{number}"
    return objects


def _round(pacs: OrthancServer) -> tuple[float, float, float, dict[str, int]]:
    """Return the seconds of search, retrieval and bare moves, and the search's C-FINDs by level."""
    node = {"DicomModalities": {"pacs": ["PACS", "127.0.0.1", pacs.dicom_port]}, "DicomAet": "OURS"}
    with OrthancServer(overrides=node) as ours:
        _known_to(pacs, ours)
        began = perf_counter()
        search = _task(ours, "/nodes/pacs/searches", {"first": DAY, "last": DAY, "groups": ["CT"]})
        found = perf_counter()
        came = _task(ours, f"/searches/{search['id']}/retrieve", {})
        ended = perf_counter()
        assert came["result"]["imported"] == search["result"]["kept_series"], came["result"]
        path = f"/dose/api/searches/{search['id']}/found?kept=yes&limit=500"
        series = [
            (line["study_instance_uid"], line["series_instance_uid"])
            for line in ours.ok(path)["found"]
        ]
    with OrthancServer(plugin=False, overrides=node) as bare:
        _known_to(pacs, bare)
        return found - began, ended - found, _moved(bare, series), search["result"]["finds"]


def _known_to(pacs: OrthancServer, other: OrthancServer) -> None:
    pacs.request(
        "PUT",
        "/modalities/ours",
        json={"AET": "OURS", "Host": "127.0.0.1", "Port": other.dicom_port},
    )


def _task(server: OrthancServer, path: str, body: dict[str, Any]) -> dict[str, Any]:
    number = server.request("POST", f"/dose/api{path}", json=body).json()["id"]
    server.wait_for(
        lambda: server.ok(f"/dose/api/tasks/{number}")["finished_at"] is not None, "the task"
    )
    task: dict[str, Any] = server.ok(f"/dose/api/tasks/{number}")
    return task


def _moved(server: OrthancServer, series: list[tuple[str, str]]) -> float:
    with requests.Session() as session:
        session.auth = (USER, PASSWORD)
        began = perf_counter()
        for study, one in series:
            keys = {"StudyInstanceUID": study, "SeriesInstanceUID": one}
            asked = session.post(
                f"{server.url}/modalities/pacs/query", json={"Level": "Series", "Query": keys}
            ).json()
            answer = session.post(
                f"{server.url}{asked['Path']}/retrieve",
                json={"TargetAet": "OURS", "Synchronous": True},
            )
            answer.raise_for_status()
        return perf_counter() - began

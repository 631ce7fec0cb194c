"""Searches on a real PACS as tasks: what is found, with reasons, ticked off, forgotten; who may ask
for what.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydicom.dataset import Dataset

from orthanc_dose import samples
from tests.support.server import OrthancServer, _free_ports

DAY = "2026-03-02"


def _study(number: int, *objects: Dataset, modality: str = "CT") -> list[Dataset]:
    for one in objects:
        one.StudyInstanceUID, one.StudyDate, one.PatientID = (
            f"1.2.826.0.1.{number}",
            DAY.replace("-", ""),
            f"P{number}",
        )
        one.StudyDescription = f"Study {number}"
        one.SeriesInstanceUID = f"1.2.826.0.1.{number}.{1 if one.Modality == 'SR' else 2}"
    return list(objects)


@pytest.fixture(scope="module")
def pacs() -> Iterator[OrthancServer]:
    overrides = {"DicomModalities": {"asker": ["OURS", "127.0.0.1", 1]}, "DicomAet": "PACS"}
    with OrthancServer(plugin=False, overrides=overrides) as running:
        for number in range(1, 6):
            report = samples.ct_report(2, key=f"searched {number}")
            running.send(
                _study(number, report, *(samples.ct_slice(number * 10 + n) for n in range(3)))
            )
        running.send(_study(6, *(samples.ct_slice(60 + n) for n in range(7))))
        yield running


@pytest.fixture(scope="module")
def server(pacs: OrthancServer) -> Iterator[OrthancServer]:
    modalities = {
        "archive": ["PACS", "127.0.0.1", pacs.dicom_port],
        "gone": ["GONE", "127.0.0.1", _free_ports(1)[0]],
    }
    with OrthancServer(overrides={"DicomModalities": modalities, "DicomAet": "OURS"}) as running:
        yield running


def search(server: OrthancServer, node: str = "archive", **body: Any) -> dict[str, Any]:
    """A finished search."""
    asked = {"first": DAY, "last": DAY, "groups": ["CT"]} | body
    answer = server.request("POST", f"/dose/api/nodes/{node}/searches", json=asked)
    assert answer.status_code == 202, answer.text
    path = f"/dose/api/tasks/{answer.json()['id']}"
    server.wait_for(lambda: server.ok(path)["finished_at"] is not None, "the search")
    return server.ok(path)


def found(server: OrthancServer, task: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    answer = server.request("GET", f"/dose/api/searches/{task['id']}/found", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["found"]


def test_a_search_says_of_each_series_what_becomes_of_it_and_why(server: OrthancServer) -> None:
    task = search(server)
    assert (task["state"], task["kind"], task["subject"], task["done"]) == (
        "done",
        "node-search",
        "archive",
        6,
    )
    result = task["result"]
    assert (
        result["studies"],
        result["kept_studies"],
        result["kept_series"],
        result["objects"],
    ) == (6, 5, 5, 5)
    assert result["by_kind"] == {"CT": 5} and result["left_studies"] == {"nothing_to_fetch": 1}
    assert result["finds"] == {"Study": 1, "Series": 6, "Instance": 5} and result["doubts"] == {}
    lines = found(server, task, limit=100)
    assert [line["line"] for line in lines] == list(range(1, 12))
    assert {(line["modality"], line["reason"], line["kept"], line["size"]) for line in lines} == {
        ("SR", "dose_report", True, 1),
        ("CT", "report_says_it", False, 3),
        ("CT", "no_report", False, 7),
    }
    assert {line["study_description"] for line in lines} == {
        f"Study {number}" for number in range(1, 7)
    }
    assert (
        len(found(server, task, kept="yes")) == 5
        and len(found(server, task, kept="no", limit=2)) == 2
    )


def test_what_is_in_the_store_is_left(server: OrthancServer) -> None:
    report = samples.ct_report(2, key="searched 1")
    server.send(_study(1, report))
    server.wait_until_idle()
    task = search(server)
    [line] = [line for line in found(server, task) if line["reason"] == "known"]
    assert line["study_instance_uid"] == "1.2.826.0.1.1" and task["result"]["kept_series"] == 4
    assert search(server, leave_out_known=False)["result"]["kept_series"] == 5


def test_lines_are_ticked_off_and_on(server: OrthancServer) -> None:
    task = search(server, leave_out_known=False)

    def choose(lines: list[int], chosen: bool) -> Any:
        answer = server.request(
            "PUT",
            f"/dose/api/searches/{task['id']}/chosen",
            json={"lines": lines, "chosen": chosen},
        )
        return answer.json()

    kept = [line["line"] for line in found(server, task, kept="yes")]
    left = [line["line"] for line in found(server, task, kept="no")]
    assert choose([*kept[:2], *left, 10_000], False) == {"changed": 2}
    assert [line["chosen"] for line in found(server, task, kept="yes")] == [
        False,
        False,
        True,
        True,
        True,
    ]
    assert choose(kept[:1], True) == {"changed": 1}
    assert [line["chosen"] for line in found(server, task, kept="yes")] == [
        True,
        False,
        True,
        True,
        True,
    ]
    assert choose([True], True)["error"]["code"] == "bad_body"


@pytest.fixture(scope="module")
def everything(server: OrthancServer) -> int:
    """A search of all that the PACS has."""
    return search(server, leave_out_known=False)["id"]


def test_what_is_found_comes_by_study_and_is_ticked_off_by_a_sieve(
    server: OrthancServer, everything: int
) -> None:
    def studies(query: str) -> Any:
        return server.ok(f"/dose/api/searches/{everything}/studies?{query}")

    page = studies("kept=yes&sort=-study_description&limit=2&offset=1")
    assert (page["total"], page["series"], page["open"], page["chosen"]) == (5, 5, 5, 5)
    assert [study["study_description"] for study in page["studies"]] == ["Study 4", "Study 3"]
    assert (page["modalities"], page["reasons"]) == ({"SR": 5}, {"dose_report": 5})
    [series] = page["studies"][0]["series"]
    assert (series["objects"], series["open"], series["singly"], series["modality"]) == (
        1,
        True,
        False,
        "SR",
    )

    def tick(body: dict[str, Any]) -> Any:
        answer = server.request("PUT", f"/dose/api/searches/{everything}/chosen", json=body)
        return answer.json(), server.ok(f"/dose/api/searches/{everything}")["chosen"]["series"]

    assert tick({"sieve": {"text": "study 3"}, "chosen": False}) == ({"changed": 1}, 4)
    assert tick({"sieve": {"modality": "CT"}, "chosen": False}) == ({"changed": 0}, 4)
    assert studies("became=off")["studies"][0]["study_description"] == "Study 3"
    assert tick({"sieve": {}, "chosen": True}) == ({"changed": 5}, 5)


@pytest.mark.parametrize(("body", "field"), [
    ({}, "chosen"), ({"chosen": True}, "lines"), ({"lines": [1]}, "chosen"), ({"chosen": 1, "lines": [1]}, "chosen"),
    ({"chosen": True, "lines": [True]}, "lines"), ({"chosen": True, "lines": "1"}, "lines"),
    ({"chosen": True, "sieve": []}, "sieve"),
    ({"chosen": True, "sieve": {"became": "open\n"}}, "sieve.became"),
    ({"chosen": True, "sieve": {"reason": "none"}}, "sieve.reason"),
    ({"chosen": True, "sieve": {"text": "\ud800"}}, "sieve.text"), ({"chosen": True, "sieve": {"other": "a"}}, "sieve.other"),
    ({"chosen": True, "sieve": {"text": ""}}, "sieve.text"), ({"chosen": True, "lines": [1], "sieve": {}}, "sieve"),
])  # fmt: skip
def test_what_is_no_choice_is_refused(
    server: OrthancServer, everything: int, body: dict[str, Any], field: str | None
) -> None:
    answer = server.request("PUT", f"/dose/api/searches/{everything}/chosen", data=json.dumps(body))
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)
    assert server.ok(f"/dose/api/searches/{everything}")["chosen"]["series"] == 5


def test_decisions_are_a_file(server: OrthancServer, everything: int) -> None:
    answer = server.request("GET", f"/dose/api/searches/{everything}/decisions?language=de")
    assert answer.headers["content-type"] == "text/csv"
    assert (
        answer.headers["content-disposition"] == f'attachment; filename="search-{everything}.csv"'
    )
    told = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(told) == 11 and {
        one["reason_in_words"] for one in told if one["kept"] == "true"
    } == {"Dosisbericht"}
    assert server.request("GET", "/dose/api/searches/99999/decisions").status_code == 404


def test_a_search_of_a_node_that_is_not_there_says_so(server: OrthancServer) -> None:
    task = search(server, "gone")
    assert task["state"] == "failed" and "connection refused" in task["message"]
    assert found(server, task) == []


def test_searches_are_forgotten_with_their_tasks(server: OrthancServer) -> None:
    task = search(server)
    assert server.delete(f"/dose/api/tasks/{task['id']}")[0] == 200
    assert server.request("GET", f"/dose/api/searches/{task['id']}/found").status_code == 404


@pytest.mark.parametrize(("body", "field"), [
    ({"groups": []}, "groups"), ({"groups": ["US"]}, "groups"), ({"only_reports": True}, "only_reports"),
    ({"groups": "CT"}, "groups"), ({"first": "yesterday"}, "first"), ({"first": 5}, "first"),
    ({"time_from": "25:00"}, "time_from"), ({"since": "2026-03-02"}, "since"), ({"since": "2026-03-02T10:00+01:00"}, "since"),
     ({"toshiba": "yes"}, "toshiba"), ({"stations_keep": "a"}, "stations_keep"),
    ({"stations_keep": [""]}, "stations_keep"), ({"descriptions_keep": ["x" * 65]}, "descriptions_keep"),
    ({"other": 1}, "other"),
])  # fmt: skip
def test_what_is_no_question_is_refused(
    server: OrthancServer, body: dict[str, Any], field: str | None
) -> None:
    asked = {"first": DAY, "last": DAY, "groups": ["CT"]} | body
    answer = server.request("POST", "/dose/api/nodes/archive/searches", json=asked)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)


@pytest.mark.parametrize(
    "body",
    (
        {"last": "2026-03-01"},
        {"last": "2126-03-01"},
        {"groups": ["CT", "SR"]},
        {"since": "2026-02-30T10:00"},
        {"time_to": "06:00", "time_from": "22:00"},
    ),
)
def test_what_contradicts_itself_is_refused(server: OrthancServer, body: dict[str, Any]) -> None:
    asked = {"first": DAY, "last": DAY, "groups": ["CT"]} | body
    answer = server.request("POST", "/dose/api/nodes/archive/searches", json=asked)
    assert (answer.status_code, answer.json()["error"]["field"]) == (409, next(iter(body)))


def test_a_node_that_nobody_knows(server: OrthancServer) -> None:
    for name in ("nobody", "archive%20"):
        answer = server.request("POST", f"/dose/api/nodes/{name}/searches", json={"groups": ["CT"]})
        assert answer.status_code in (400, 404), name

"""Reference levels in a real server: entered, changed, deleted in the units of pages; loaded;
beside the numbers of charts.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from orthanc_dose import samples
from orthanc_dose.samples import make_studies
from orthanc_dose.samples.ct import default_events
from tests.support.server import OrthancServer

API = "/dose/api/reference-levels"
HEAD = {
    "name": "Head",
    "modality": "CT",
    "quantity": "dlp_total",
    "value": 790,
    "statistic": "median",
    "source": "Somebody",
    "valid": True,
}


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with OrthancServer() as running:
        for number in range(8):
            made = samples.ct_report(
                default_events(2, 3, datetime(2025, 5, 5, 10, number), f"h{number}"),
                key=f"h{number}",
            )
            made.StudyDescription = "CT Head routine"
            made.PatientAge = "010Y" if number < 3 else "050Y"
            made.PatientBirthDate = ""
            running.send(made)
        running.send(make_studies(20, seed=4, kinds=("rf",)))
        running.wait_until_idle()
        yield running


@pytest.fixture(autouse=True)
def no_levels(server: OrthancServer) -> None:
    for level in server.ok(API)["levels"]:
        assert server.request("DELETE", f"{API}/{level['id']}").status_code == 200


def add(server: OrthancServer, **level: Any) -> dict[str, Any]:
    answer = server.request("POST", API, json=HEAD | level)
    assert answer.status_code == 200, answer.text
    return answer.json()["level"]


def rows(server: OrthancServer, chart: str, **query: str) -> dict[str, dict[str, Any]]:
    answer = server.request(
        "GET", f"/dose/api/charts/{chart}/figure", params={"view": "table", **query}
    )
    assert answer.status_code == 200, answer.text
    return {row["category"]: row for row in answer.json()["rows"]}


def dlps(server: OrthancServer, **query: str) -> list[float]:
    return [
        study["dlp_total"]
        for study in server.studies(study_description_exactly="CT Head routine", **query)
    ]


def test_a_level_is_added_changed_and_deleted(server: OrthancServer) -> None:
    made = add(
        server, pattern=" *head* ", age_from=18, year=2022, url="https://example.org/x", note="n"
    )
    assert made["matched"] and made["pattern"] == "*head*" and made["unit"] == "mGy·cm"
    assert server.ok(API)["levels"] == [made]
    body = {name: made[name] for name in HEAD} | {"value": 12.5, "valid": False}
    answer = server.request("PUT", f"{API}/{made['id']}", json=body)
    assert answer.status_code == 200
    # What is not given is empty.
    [changed] = server.ok(API)["levels"]
    assert changed == answer.json()["level"] == made | body | {
        "pattern": None, "age_from": None, "year": None, "url": None, "note": None, "matched": False,
    }  # fmt: skip
    assert server.request("DELETE", f"{API}/{made['id']}").json() == {"deleted": True}
    assert server.ok(API)["levels"] == []
    for method, more in (("PUT", {"json": HEAD}), ("DELETE", {})):
        answer = server.request(method, f"{API}/{made['id']}", **more)
        assert (answer.status_code, answer.json()["error"]["field"]) == (404, "id")
    entries = [
        (one["action"], one["details"])
        for one in server.ok("/dose/api/audit-log?limit=500")["entries"]
    ]
    for action in ("added", "changed", "deleted"):
        assert (f"reference level {action}", "Head") in entries


@pytest.mark.parametrize(("change", "status", "field"), [
    ({"value": 0}, 400, "value"), ({"value": -1}, 400, "value"), ({"value": "790"}, 400, "value"),
    ({"value": None}, 400, "value"), ({"value": True}, 400, "value"), ({"value": 1e300}, 400, "value"),
    ({"name": " "}, 400, "name"), ({"name": "a\nb"}, 400, "name"), ({"name": "\ud800"}, 400, "name"),
    ({"pattern": ""}, 400, "pattern"), ({"pattern": "x", "standard_name": "y"}, 409, "standard_name"),
    ({"modality": "XX"}, 400, "modality"), ({"modality": ["CT"]}, 400, "modality"),
    ({"quantity": "patient_id"}, 400, "quantity"), ({"quantity": "dap_total"}, 409, "quantity"),
    ({"statistic": "mode"}, 400, "statistic"),
    ({"age_from": 18, "age_to": 18}, 409, "age_to"), ({"weight_from": 9, "weight_to": 5}, 409, "weight_to"),
    ({"weight_from": -1}, 400, "weight_from"), ({"phantom": "foot"}, 400, "phantom"), ({"phantom": "head"}, 409, "phantom"),
    ({"year": 20}, 400, "year"), ({"year": 2022.5}, 400, "year"), ({"url": "javascript:1"}, 400, "url"),
    ({"valid": "yes"}, 400, "valid"), ({"unit": "Gy"}, 400, "unit"), ({"source": ["a"]}, 400, "source"),
    ({"shipped_as": "nothing"}, 400, "shipped_as"),
])  # fmt: skip
def test_bad_levels_are_told_what_is_wrong(
    server: OrthancServer, change: dict[str, Any], status: int, field: str
) -> None:
    answer = server.request("POST", API, json=HEAD | change)
    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field), answer.text
    assert server.ok(API)["levels"] == []


def test_a_level_without_source_or_value_is_none(server: OrthancServer) -> None:
    for name in HEAD:
        answer = server.request(
            "POST", API, json={key: value for key, value in HEAD.items() if key != name}
        )
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, name)
    for body in ([], None, "x", {"levels": []}):
        assert server.request("POST", API, json=body).status_code == 400


def test_the_shipped_levels_are_loaded_once_and_what_was_changed_stays(
    server: OrthancServer,
) -> None:
    first = server.request("POST", f"{API}/load", json={}).json()
    assert first["added"] == len(first["levels"]) > 30 and first["shipped"]["missing"] == 0
    stroke = {
        level["quantity"]: level
        for level in first["levels"]
        if level["name"] == "Head: Acute stroke"
    }
    # gov.uk, national diagnostic reference levels, table 1.
    assert {
        name: (level["value"], level["unit"], level["year"]) for name, level in stroke.items()
    } == {
        "ct_event_mean_ctdivol": (47, "mGy", 2022),
        "dlp_total": (790, "mGy·cm", 2022),
    }
    assert all(
        "Open Government Licence" in level["source"] and not level["matched"]
        for level in stroke.values()
    )
    [ptca] = [level for level in first["levels"] if level["name"] == "PTCA"]
    assert (ptca["value"], ptca["unit"]) == (11_000, "cGy·cm²")  # 110 Gy·cm²
    own = {name: stroke["dlp_total"][name] for name in HEAD} | {"pattern": "*head*", "value": 700}
    assert server.request("PUT", f"{API}/{stroke['dlp_total']['id']}", json=own).status_code == 200
    assert server.request("DELETE", f"{API}/{ptca['id']}").status_code == 200
    assert server.ok(API)["shipped"]["missing"] == 1
    # A deleted one is put back as what it was, once.
    back = {name: ptca[name] for name in (*HEAD, "shipped_as", "url")}
    assert (
        server.request("POST", API, json=back).json()["level"]["shipped_as"] == ptca["shipped_as"]
    )
    assert server.request("POST", API, json=back).status_code == 409
    [again] = [level for level in server.ok(API)["levels"] if level["name"] == "PTCA"]
    assert server.request("DELETE", f"{API}/{again['id']}").status_code == 200
    again = server.request("POST", f"{API}/load", json={}).json()
    assert again["added"] == 1 and len(again["levels"]) == len(first["levels"])
    [changed] = [level for level in again["levels"] if level["id"] == stroke["dlp_total"]["id"]]
    assert (changed["value"], changed["pattern"]) == (700, "*head*")


def test_levels_stand_beside_the_numbers_of_their_class(server: OrthancServer) -> None:
    every, adults = dlps(server), dlps(server, patient_age_from="18")
    assert (len(every), len(adults)) == (8, 5)
    low, high = min(every) / 2, max(every) * 2
    add(server, name="all", value=low, pattern="*HEAD*")
    add(server, name="adults", value=high, pattern="*head*", age_from=18, statistic="mean")
    add(server, name="old", value=high, pattern="*head*", age_from=80)
    add(server, name="not matched", value=low)
    [row] = rows(
        server, "ct-dlp-study-description", study_description_exactly="CT Head routine"
    ).values()
    found = {level["name"]: (level["n"], level["own"], level["side"]) for level in row["levels"]}
    assert found == {
        "all": (8, pytest.approx(statistics.median(every)), "over"),
        "adults": (5, pytest.approx(statistics.mean(adults)), "under"),
        "old": (0, None, None),
    }
    assert row["median_interval"][0] <= row["median"] <= row["median_interval"][1]
    assert row["p75_interval"] is row["p95_interval"] is None


def test_a_level_is_in_the_unit_of_pages(server: OrthancServer) -> None:
    # cGy·cm² here, Gy·m² in the store and in lists.
    studies = server.studies(modality="RF", columns="study_description,dap_total")
    name = next(study["study_description"] for study in studies if study["dap_total"])
    values = [
        study["dap_total"] * 1e6
        for study in studies
        if study["study_description"] == name and study["dap_total"]
    ]
    middle = statistics.median(values)
    for factor in (0.99, 1.01):
        add(
            server,
            modality="RF",
            quantity="dap_total",
            value=round(middle * factor, 6),
            pattern=name,
        )
    levels = rows(server, "rf-dap-study-description")[name]["levels"]
    assert {level["value"]: level["side"] for level in levels} == {
        round(middle * 0.99, 6): "over",
        round(middle * 1.01, 6): "under",
    }
    assert [level["own"] for level in levels] == [pytest.approx(middle)] * 2

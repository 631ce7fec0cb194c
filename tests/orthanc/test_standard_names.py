"""The map of standard names in a real server: what it names, lists and filters by it, new objects,
CSV there and back.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import Any

import pytest

from orthanc_dose.samples import make_studies
from tests.support.server import OrthancServer
from tests.support.systems import API, post, put, report

COLUMNS = "columns=standard_names,study_description,acquisition_protocols"


def entry(kind: str, pattern: str, name: str, modality: str | None = None) -> dict[str, Any]:
    return {"kind": kind, "pattern": pattern, "modality": modality, "standard_name": name}


def rows(server: OrthancServer) -> list[dict[str, Any]]:
    return server.ok(f"{API}/studies?limit=500&{COLUMNS}")["studies"]


def expected(row: dict[str, Any], entries: list[dict[str, Any]]) -> list[str]:
    """By plain reading: patterns here are a word between stars."""
    texts = {
        "study_description": [row["study_description"]],
        "acquisition_protocols": row["acquisition_protocols"] or [],
    }
    found = set()
    for kind, of_kind in texts.items():
        for text in filter(None, of_kind):
            of_it = [
                one
                for one in entries
                if one["kind"] == kind and one["modality"] in (None, row["modality"])
            ]
            fits = [
                one["standard_name"]
                for one in of_it
                if one["pattern"].strip("*").lower() in text.lower()
            ]
            found.update(fits[:1])
    return sorted(found)


def test_names_hold_for_all_studies_at_once_and_for_those_that_come(server: OrthancServer) -> None:
    server.send(make_studies(40, seed=3))
    server.wait_until_idle()
    assert all(row["standard_names"] == [] for row in rows(server))
    protocols = Counter(
        (text, row["modality"])
        for row in rows(server)
        for text in set(row["acquisition_protocols"] or ())
    )
    unmapped = server.ok(f"{API}/standard-names/unmapped?limit=500")
    assert {
        (one["text"], one["modality"]): one["studies"] for one in unmapped["texts"]
    } == protocols
    assert unmapped["total"] == len(protocols)
    numbers = [one["studies"] for one in unmapped["texts"]]
    assert numbers == sorted(numbers, reverse=True) and numbers[0] > 1

    (common, modality), _ = protocols.most_common(1)[0]
    entries = [
        entry("acquisition_protocols", f"*{common.lower()}*", "The common one", modality),
        entry("acquisition_protocols", "*a*", "With an a"),
        entry("study_description", "*CHEST*", "Chest"),
        entry("study_description", "*e*", "With an e", "CT"),
    ]
    status, answer = put(server, "/standard-names", {"entries": entries})
    assert status == 200 and answer["entries"] == entries
    assert server.ok(f"{API}/standard-names")["entries"] == entries

    def check() -> None:
        found = rows(server)
        assert {row["id"]: row["standard_names"] for row in found} == {
            row["id"]: expected(row, entries) for row in found
        }
        assert len({name for row in found for name in row["standard_names"]}) > 1
        for name in ("The common one", "Chest"):
            wanted = {row["id"] for row in found if name in row["standard_names"]}
            assert {row["id"] for row in server.studies(standard_names_is=name.lower())} == wanted
        detail = server.ok(f"{API}/studies/{found[0]['id']}")
        assert detail["standard_names"] == found[0]["standard_names"]

    check()
    left = server.ok(f"{API}/standard-names/unmapped?limit=500")["texts"]
    assert {(one["text"], one["modality"]) for one in left} == {
        (text, code)
        for text, code in protocols
        if "a" not in text.lower() and (text, code) != (common, modality)
    }
    server.send(make_studies(25, seed=4))
    server.wait_until_idle()
    check()
    server.restart()
    server.send(make_studies(10, seed=6))
    server.wait_until_idle()
    check()
    # One entry, in place of that with the same pattern.
    changed = entry("study_description", "*chest*", "Thorax")
    status, answer = post(
        server,
        "/standard-names",
        {"entries": [changed, entry("study_description", "*zzz*", "None")]},
    )
    assert status == 200 and answer["entries"][2] == changed and len(answer["entries"]) == 5
    assert (
        server.studies(standard_names_is="chest")
        == []
        != server.studies(standard_names_is="thorax")
    )
    assert put(server, "/standard-names", {"entries": []})[0] == 200
    assert all(row["standard_names"] == [] for row in rows(server))
    noted = {row["action"] for row in server.ok(f"{API}/audit-log?limit=500")["entries"]}
    assert {"standard names replaced", "standard names added"} <= noted


HOSTILE = ("=1+1", "+A", "-B", "@SUM(A1)", "'=x", "''-x", "'quoted'", 'say "ah", so', "a;b", "Thorax ÄÖÜ 胸部",
           "* Kopf ?", "[ab]*")  # fmt: skip


def test_the_map_goes_out_as_csv_and_comes_back(server: OrthancServer) -> None:
    entries = [
        entry("acquisition_protocols", text, text, "CT" if number % 2 else None)
        for number, text in enumerate(HOSTILE)
    ]
    assert put(server, "/standard-names", {"entries": entries})[0] == 200
    answer = server.request("GET", f"{API}/standard-names/export")
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/csv")
    assert "standard-names.csv" in answer.headers["Content-Disposition"]
    raw = answer.content
    assert raw.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert (
        lines[0] == ["kind", "pattern", "modality", "standard_name"]
        and len(lines) == len(HOSTILE) + 1
    )
    assert not any(
        cell.startswith(("=", "+", "-", "@", "\t", "\r")) for line in lines for cell in line
    )
    assert put(server, "/standard-names", {"entries": []})[0] == 200
    status, answer = post(
        server, "/standard-names/import", {"csv": raw.decode("utf-8"), "replace": True}
    )
    assert status == 200 and answer["entries"] == entries
    more = (
        "Kind;Pattern;Modality;Standard_name\r\nstudy_description;*abdomen*;rf;Abdomen\r\n;;;\r\n"
    )
    status, answer = post(server, "/standard-names/import", {"csv": more, "replace": False})
    assert status == 200 and answer["entries"] == [
        *entries,
        entry("study_description", "*abdomen*", "Abdomen", "RF"),
    ]


@pytest.mark.parametrize(("text", "says"), [
    ("", "first line"), ("a,b\n1,2", "first line"), ("kind,pattern,modality,standard_name\nx,a,,b", "Entry 1: kind"),
    ("kind,pattern,modality,standard_name\nstudy_description,a,XX,b", "modality"),
    ("kind,pattern,modality,standard_name\nstudy_description,a", "Line 2"),
    ("kind,pattern,modality,standard_name\nstudy_description, ,,b", "pattern"),
    ("kind,pattern,modality,standard_name\nstudy_description,a,,b\nstudy_description,A,,c", "Several lines"),
    ('kind,pattern,modality,standard_name\nstudy_description,"a,,b', "quotes"),
])  # fmt: skip
def test_what_is_no_map_is_refused_with_the_reason(
    shared_server: OrthancServer, text: str, says: str
) -> None:
    status, answer = post(shared_server, "/standard-names/import", {"csv": text, "replace": True})
    assert (
        status == 400 and answer["error"]["field"] == "csv" and says in answer["error"]["message"]
    )


@pytest.mark.parametrize("body", [
    {}, [], {"entries": {}}, {"entries": [{}]}, {"entries": [entry("modality", "a", "b")]},
    {"entries": [entry("study_description", "", "b")]},
    {"entries": [entry("study_description", "a\nb", "b")]}, {"entries": [entry("study_description", "a", "b" * 201)]},
    {"entries": [entry("study_description", "a", "b", "XX")]}, {"entries": [entry("study_description", "\ud800", "b")]},
])  # fmt: skip
def test_a_bad_entry_is_refused(shared_server: OrthancServer, body: Any) -> None:
    assert put(shared_server, "/standard-names", body)[0] == 400
    assert shared_server.ok(f"{API}/standard-names")["entries"] == []


def test_a_text_of_a_deleted_study_is_not_asked_for(server: OrthancServer) -> None:
    server.send(report("a"))
    server.wait_until_idle()
    (study,) = server.studies()
    assert server.ok(f"{API}/standard-names/unmapped?kind=study_description")["texts"] == [
        {"text": "Several reports", "modality": "CT", "studies": 1}
    ]
    assert post(server, f"/studies/{study['id']}/delete")[0] == 200
    assert server.ok(f"{API}/standard-names/unmapped?kind=study_description") == {
        "total": 0,
        "texts": [],
    }

"""A store of the version before, which was used for a while, opens with everything that users had
set, and with the studies as they were. That all of its rows are unchanged is in
tests/unit/test_handles.py.

`data/store-used.duckdb.gz` was written by the version of 2026-11-23, the last one with schema 2, in a
real Orthanc beside a PACS: 14 made-up studies of all modality types, some of them sent twice, with
names in Latin and Japanese script; a report of a phantom, one without its concept, and a CT slice;
settings, users, a token, saved filters, standard names, a reference level, options of charts; a
system renamed, one set to another modality type, two merged; sizes imported; a search with its
retrieval; a schedule that ran; an export; all content read again; a study deleted, an object taken out.
`data/store-used.json` has what its API told of that at the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.server import OrthancServer
from tests.unit.test_handles import DATA, old_store

TOLD: dict[str, Any] = json.loads((DATA / "store-used.json").read_text("utf-8"))
# Paths of the API, and where their answers have the rows.
LISTS = {
    "users": "users",
    "tokens": "tokens",
    "saved-filters": "saved",
    "standard-names": "entries",
    "reference-levels": "levels",
    "schedules": "schedules",
    "equipment": "systems",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrthancServer]:
    folder = tmp_path_factory.mktemp("used")
    (folder / "dose").mkdir()
    old_store(folder / "dose", "store-used")
    with OrthancServer(folder=folder) as running:
        yield running


def same_fields(row: dict[str, Any], of: dict[str, Any]) -> dict[str, Any]:
    """The fields of a row that another has too."""
    return {name: row[name] for name in of}


@pytest.mark.parametrize("path", LISTS)
def test_what_users_made_is_there(server: OrthancServer, path: str) -> None:
    before, now = TOLD[path], server.ok(f"/dose/api/{path}")[LISTS[path]]
    assert before and len(now) == len(before)
    assert [same_fields(row, old) for row, old in zip(now, before, strict=True)] == before


def test_each_setting_has_its_value(server: OrthancServer) -> None:
    now = {one["name"]: one for one in server.ok("/dose/api/settings")["settings"]}
    assert sum(one["changed"] for one in TOLD["settings"]) >= 4
    for one in TOLD["settings"]:
        assert same_fields(now[one["name"]], one) == one
    assert server.ok("/dose/api/charts/options") == TOLD["charts/options"]


def test_the_audit_log_begins_as_it_was(server: OrthancServer) -> None:
    entries = server.ok("/dose/api/audit-log?limit=500")["entries"][::-1]
    before = TOLD["audit-log"]
    assert len(before) > 20 and entries[: len(before)] == before


def test_people_sign_in_as_before(server: OrthancServer) -> None:
    def may(name: str, password: str) -> int:
        return server.request("GET", "/dose/api/studies", auth=(name, password)).status_code

    assert may("bert", "a password of bert") == 200
    assert may("anna", "a password of anna") == 401, "who is disabled stays so"


def test_studies_are_as_they_were(server: OrthancServer) -> None:
    assert TOLD["studies"]
    for old in TOLD["studies"]:
        assert same_fields(server.ok(f"/dose/api/studies/{old['id']}"), old) == old

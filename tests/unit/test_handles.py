"""Handles: objects are known by keyed hashes of Orthanc's identifiers, in new stores and in those of
an older version.

The stores in `data` were written by the version before handles, by a real Orthanc.
`store-schema-2.duckdb.gz`: it was sent `make_studies(6, seed=5)` and a report without its concept, under
patient IDs 4800000 to 4800005 and 4800009; an import of sizes from the file Oldname1_Given.csv and a
deletion by the rules ran. `store-schema-2-people.duckdb.gz`: it was sent studies of all modality types, an
image and a report without content, and has what people make: users, a token, settings, a display name, a
dual system, merged systems, standard names, a reference level, a saved filter, chart options, a schedule,
imported sizes and a deleted study."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pydicom.uid import generate_uid

from orthanc_dose import extract
from orthanc_dose.ingest import Finder
from orthanc_dose.store import Batch, Store, Writer, handles

DATA = Path(__file__).parents[1] / "data"
IDS = [*(f"48{number:05d}" for number in range(6)), "4800009"]


OLD, OLD_WITH_PEOPLE = "store-schema-2", "store-schema-2-people"


def old_store(folder: Path, name: str = OLD) -> Path:
    with gzip.open(DATA / f"{name}.duckdb.gz") as file:
        (folder / "dose.duckdb").write_bytes(file.read())
    shutil.copy(DATA / f"{name}.key", folder / "identity.key")
    return folder / "dose.duckdb"


# The tables of what people make; settings, filters and schedules are all rows of `setting`.
PEOPLE = {"account", "token", "setting", "standard_name", "reference_level", "patient_size"}


def identifier(*parts: str) -> str:
    """Orthanc's identifier (book.orthanc-server.com, "Orthanc identifiers"): SHA-1 of patient ID and
    UIDs, parted by |, in groups of eight."""
    digest = hashlib.sha1("|".join(parts).encode()).hexdigest()
    return "-".join(digest[at : at + 8] for at in range(0, 40, 8))


def tables(connection: duckdb.DuckDBPyConnection) -> dict[str, list[dict[str, Any]]]:
    out = {}
    for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall():
        found = connection.execute(f'SELECT * FROM "{name}" ORDER BY ALL')
        columns = [column[0] for column in found.description or ()]
        out[name] = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    return out


def as_before(rows: list[dict[str, Any]], before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows without the columns that have been added since, which are empty."""
    known = before[0].keys() if before else set()
    assert not any(
        value for row in rows if known for name, value in row.items() if name not in known
    )
    return [{name: value for name, value in row.items() if name in known} for row in rows]


def expected(row: dict[str, Any], key: bytes) -> dict[str, Any]:
    def handle(one: str | None) -> str | None:
        return one and hmac.new(key, f"orthanc:{one}".encode(), hashlib.sha256).hexdigest()[:32]

    out = dict(row)
    out["handle"] = handle(out.pop("orthanc_id"))
    out["series_handle"] = handle(out.pop("orthanc_series_id"))
    return out


@pytest.mark.parametrize("name", [OLD, OLD_WITH_PEOPLE])
def test_an_old_store_gets_handles_and_nothing_else_changes(tmp_path: Path, name: str) -> None:
    path = old_store(tmp_path, name)
    key = (tmp_path / "identity.key").read_bytes()
    with duckdb.connect(str(path), read_only=True) as connection:
        before = tables(connection)
    assert all(row["orthanc_id"] for row in before["object"])
    held = {table for table, rows in before.items() if rows}
    assert len(before["object"]) >= 7 and (name == OLD or held >= PEOPLE)
    store = Store(tmp_path)
    with store.reading() as connection:
        after = tables(connection)
    store.close()

    def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return sorted(rows, key=lambda row: str(row["sop_instance_uid"]))

    assert in_order(after.pop("object")) == in_order(
        [expected(row, key) for row in before.pop("object")]
    )
    for task in before["task"]:
        if task["kind"] == "delete-objects":
            assert "-" in json.loads(task["progress"])["after"]
            task["progress"] = "{}"
        if task["kind"] == "import-sizes":
            assert task["subject"].endswith(".csv")
            task["subject"] = "file 1"
    for task in after["task"]:  # tasks of before the runner name nobody who works on them
        assert (task.pop("owner"), task.pop("alive_at")) == (None, None)
    states = [{row["name"]: row["value"] for row in of.pop("state")} for of in (before, after)]
    for name in ("last_audit_number", "last_term", "last_reference_level"):  # see numbers.py
        states[1].pop(name, None)
    assert states[1] == states[0] | {
        "schema_version": "4",
        "old_bytes": "1",
        "key_check": hmac.new(key, b"orthanc:", hashlib.sha256).hexdigest()[:32],
    }
    index = after.pop("index_event_uid")  # of schema 4
    assert {row["study_id"] for row in index} == {row["id"] for row in before["study"]}
    assert {name: as_before(after[name], before[name]) for name in before} == before
    assert not any(rows for name, rows in after.items() if name not in before)


def test_the_attack_finds_nothing_in_an_old_store_once_its_file_is_written_anew(
    tmp_path: Path,
) -> None:
    path = old_store(tmp_path)
    with duckdb.connect(str(path), read_only=True) as connection:
        uids = connection.execute("SELECT study_instance_uid, sop_instance_uid FROM object")
        known = uids.fetchall()
        [old] = connection.execute("SELECT list(orthanc_id) FROM object").fetchone() or ()
    raw = path.read_bytes()
    assert all(one.encode() in raw for one in old)
    store = Store(tmp_path)
    writer = Writer(store)
    assert writer.state("old_bytes") == "1"
    writer.renew()
    assert writer.state("old_bytes") is None
    with store.reading() as connection:
        series = [
            (extract.unpack(content).dataset["0020,000e"], sop)
            for content, sop in connection.execute(
                "SELECT content, sop_instance_uid FROM object WHERE content IS NOT NULL"
            ).fetchall()
        ]
        cells = str(tables(connection))
    writer.close()
    store.close()
    in_series = {sop: uid for uid, sop in series}
    raw = path.read_bytes()
    tried = 0
    for study, sop in known:
        for patient in IDS:
            levels = [(patient,), (patient, study)]
            if sop in in_series:
                levels += [(patient, study, in_series[sop]), (patient, study, in_series[sop], sop)]
            for level in levels:
                one = identifier(*map(str, level))
                tried += one in old
                for form in (one, one.replace("-", "")):
                    assert form.encode() not in raw and form not in cells
    assert tried == 6, "the attack works on what the old store held"
    assert not any(one.encode() in raw for one in [*old, "Oldname1"])


@pytest.mark.parametrize("length", [1, 32, 64, 65, 200])
def test_duckdb_makes_the_handles_of_python(length: int) -> None:
    key, texts = (
        bytes(range(length)),
        ["d58d5b8e-b84f0b46-f22e2cef-4a9efd91-44d8fa0b", "", "\u00e9"],
    )
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE object (handle VARCHAR, series_handle VARCHAR)")
        rows = [[text, other] for text, other in zip(texts, [None, *texts], strict=False)]
        connection.executemany("INSERT INTO object VALUES (?, ?)", rows)
        handles.hash_identifiers(connection, key)
        found = connection.execute("FROM object").fetchall()
    assert sorted(one for one, _ in found) == sorted(handles.handle(key, one) for one in texts)
    assert found.count((found[0][0], None)) == 1


def rows(*sizes: int) -> list[dict[str, Any]]:
    return [
        {
            "handle": handles.handle(b"lost", str(number)),
            "series_handle": handles.handle(b"lost", "series"),
            "sop_instance_uid": f"1.2.{number}",
            "size": size,
            "outcome": "ignored",
        }
        for number, size in enumerate(sizes)
    ]


def test_objects_are_found_again_when_the_key_is_lost(tmp_path: Path) -> None:
    store = Store(tmp_path)
    writer = Writer(store)
    twice = rows(10, 20, 30, 40)[3] | {"handle": "another"}
    writer.commit(Batch([*rows(10, 20, 30, 40), twice]))
    assert not handles.any_lost(writer.connection)
    writer.close()
    store.close()
    (tmp_path / "identity.key").unlink()
    store.open()
    writer = Writer(store)
    assert handles.any_lost(writer.connection)
    held = [("a", "s", "1.2.0", 10), ("b", None, "1.2.1", 21), ("d", "s", "1.2.3", 40)]
    writer.commit(Batch(more=lambda connection: handles.adopt(connection, held)))
    found = {row["handle"]: row["sop_instance_uid"] for row in writer.known_objects([], UIDS)}
    # Of another size, not there any more, and there twice: nobody can tell.
    assert found.pop("a") == "1.2.0" and len(found) == 4
    assert all(one.startswith("lost-") for one in found)
    writer.close()
    store.close()
    store.open()  # with the same key nothing is lost anew
    with store.reading() as connection:
        query = "SELECT count(*) FROM object WHERE starts_with(handle, 'lost-lost')"
        assert connection.execute(query).fetchone() == (0,)
    store.close()


UIDS = [f"1.2.{number}" for number in range(4)]


class Held:
    """What Orthanc holds, by SOP Instance UID."""

    def __init__(self, by_uid: dict[str, list[str]]) -> None:
        self.by_uid, self.asked = by_uid, 0

    def instances_of(self, uid: str) -> list[str]:
        self.asked += 1
        return self.by_uid.get(uid, [])

    def instances(self, since: int, limit: int) -> list[str]:
        every = [one for ones in self.by_uid.values() for one in ones]
        return every[since : since + min(limit, 2)] if since else every[:limit]


def test_objects_are_found_by_their_uid_and_told_apart_by_their_handle() -> None:
    uid = generate_uid()
    held = Held({uid: ["x", "y"], "1.2": ["z"], "1.3": ["w"]})
    finder = Finder(held, lambda one: f"handle of {one}")  # type: ignore[arg-type]
    named = [{"handle": "handle of y", "sop_instance_uid": uid}]
    assert finder.found(named) == {"handle of y": "y"} and held.asked == 1
    gone = [{"handle": "handle of v", "sop_instance_uid": "1.2"}]
    unnamed = [{"handle": "handle of w", "sop_instance_uid": None}]
    assert finder.found([*named, *gone, *unnamed]) == {"handle of y": "y", "handle of w": "w"}

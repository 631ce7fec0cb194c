"""Exports of a real server, read back by other programs: what they hold is what the API says."""

import csv
import io
import json
import zipfile
from datetime import date, datetime, time
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orthanc_dose import samples
from orthanc_dose.samples import make_studies
from orthanc_dose.samples.hostile import HOSTILE
from tests.support.server import OrthancServer


@pytest.fixture(scope="module")
def server() -> Any:
    with OrthancServer(dose={"PatientName": "stored", "PatientID": "stored"}) as running:
        running.send(make_studies(60, seed=5))
        odd = samples.ct_report(3, key="odd")
        odd.StudyDescription = "=cmd|' /C calc'!A0, \"odd one\""
        odd.PatientName, odd.PatientID = "Somebody^Known", "-1+1"
        running.send(odd)
        running.upload(HOSTILE["nasty_text_everywhere"](1))
        running.wait_until_idle()
        yield running


def export(server: OrthancServer, file_format: str, modality: str | None = None, **more: Any) -> bytes:
    body = {"format": file_format, "modality": modality, "query": {}, "identity": []} | more
    answer = server.request("POST", "/dose/api/exports", json=body)
    assert answer.status_code == 202, answer.text
    number = answer.json()["id"]
    server.wait_for(lambda: server.ok(f"/dose/api/tasks/{number}")["finished_at"] is not None, "the export")
    assert server.ok(f"/dose/api/tasks/{number}")["state"] == "done", server.log_of_this_start[-2000:]
    file = server.request("GET", f"/dose/api/exports/{number}/file")
    assert file.status_code == 200
    return file.content


def of_dictionary(server: OrthancServer) -> dict[str, dict[str, Any]]:
    """Fields of tables by "table.field"."""
    tables = server.ok("/dose/api/fields")["tables"]
    return {f"{table['name']}.{field['name']}": field for table in tables for field in table["fields"]}


def titled(field: dict[str, Any]) -> str:
    unit = field["shown_unit"]
    return f"{field['title']} [{unit}]" if unit and unit != "1" else field["title"]


EVENTS = {"CT": "ct_event", "RF": "projection_event", "DX": "projection_event", "MG": "projection_event",
          "NM": "nm_administration"}  # fmt: skip


def shown(field: dict[str, Any], value: Any) -> Any:
    """A value of the API as a cell should show it."""
    if value is None:
        return None
    if field["type"] == "number":
        return pytest.approx(value * field["shown_factor"], rel=1e-12)
    if field["type"] == "code":
        return value["meaning"]
    if field["type"] == "codes":
        return "; ".join(one["meaning"] for one in value)
    if field["type"] in ("texts", "uids"):
        return "; ".join(value)
    return value


OF_THE_STORE = ("id", "equipment_id", "made_by")  # which rows belong together
PLAIN = ("number", "integer", "text", "uid", "code", "codes", "texts", "uids")


@pytest.mark.parametrize("modality", [code for code in EVENTS if code != "RF"])
def test_csv_gives_every_value_of_the_api(server: OrthancServer, modality: str) -> None:
    raw = export(server, "csv", modality)
    assert raw.startswith(b"\xef\xbb\xbf") and raw.endswith(b"\r\n")
    titles, *lines = csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""))
    details = {str(one["id"]): one for one in server.details(modality=modality)}
    assert {line[titles.index("Number")] for line in lines} == details.keys() and len(lines) == len(details)
    fields = of_dictionary(server)
    for line in lines:
        cells = dict(zip(titles, line, strict=False))
        detail = details[cells["Number"]]
        for name, field in fields.items():
            table, _, key = name.partition(".")
            if table == "study" and field["type"] in PLAIN and key in detail and key not in OF_THE_STORE:
                if key in ("patient_name", "patient_id", "patient_birth_date"):
                    assert titled(field) not in titles
                    continue
                same(cells.get(titled(field), ""), shown(field, detail[key]))
            elif table == EVENTS[modality] and field["type"] in PLAIN and key not in ("study_id",):
                for number, event in enumerate(detail["events"], 1):
                    same(cells.get(f"E{number} {titled(field)}", ""), shown(field, event[key]))


def same(cell: str, value: Any) -> None:
    if value is None or value == "":
        assert cell == ""
    elif isinstance(value, str):
        assert cell == (f"'{value}" if value[0] in "=+-@\t\r" else value)
    else:
        assert float(cell) == value


def test_the_workbook_gives_every_value_of_the_api(server: OrthancServer) -> None:
    book = openpyxl.load_workbook(io.BytesIO(export(server, "xlsx", "CT")))
    assert book.sheetnames[:2] == ["Summary", "All data"]
    details = {one["id"]: one for one in server.details(modality="CT")}
    titles, *lines = book["All data"].iter_rows(values_only=True)
    assert len(lines) == len(details)
    fields = of_dictionary(server)
    for line in lines:
        cells = dict(zip(titles, line, strict=False))
        detail = details[cells["Number"]]
        for name, field in fields.items():
            table, _, key = name.partition(".")
            if table == "study" and field["type"] in PLAIN and key in detail and key not in (
                *OF_THE_STORE, "patient_name", "patient_id", "patient_birth_date"):  # fmt: skip
                value = shown(field, detail[key])
                assert cells.get(titled(field)) == (None if detail[key] in (None, "", []) else value), name
            elif table == "ct_event" and field["type"] in PLAIN and key != "study_id":
                for number, event in enumerate(detail["events"], 1):
                    value = shown(field, event[key])
                    assert cells.get(f"E{number} {titled(field)}") == (None if event[key] in (None, "", []) else value), name
        assert cells["Study date"] == (datetime.combine(date.fromisoformat(detail["study_date"]), time())
                                       if detail["study_date"] else None)  # fmt: skip
    events = sum(len(one["events"]) for one in details.values())
    assert sum(book[name].max_row - 1 for name in book.sheetnames[2:]) == events
    assert all(len(name) <= 31 for name in book.sheetnames)
    assert book["All data"].freeze_panes == "A2"


def test_files_for_programs_hold_the_values_of_the_store(server: OrthancServer) -> None:
    details = {one["id"]: one for one in server.details(modality="CT")}
    read = {}
    for kind in ("parquet", "arrow", "jsonl"):
        with zipfile.ZipFile(io.BytesIO(export(server, kind, "CT"))) as packed:
            parts = {name: packed.read(name) for name in packed.namelist()}
        assert set(parts) == {f"studies.{kind}", f"events.{kind}"}
        read[kind] = {name.split(".")[0]: rows_of(kind, raw) for name, raw in parts.items()}
    fields = of_dictionary(server)
    for kind, tables in read.items():
        assert len(tables["studies"]) == len(details), kind
        for row in tables["studies"]:
            detail = details[row["id"]]
            for name in ("study_instance_uid", "study_description", "dlp_total", "ctdivol_max", "acquisition_protocols"):
                assert row[name] == detail[name], (kind, name)
            assert "patient_name" not in row
        for row in tables["events"]:
            event = details[row["study_id"]]["events"][row["event_number"] - 1]
            for name in ("mean_ctdivol", "dlp", "acquisition_protocol", "xray_sources", "target_region", "scanning_length"):
                assert row[name] == event[name], (kind, name)
    with zipfile.ZipFile(io.BytesIO(export(server, "parquet", "CT"))) as packed:
        schema = pq.read_schema(io.BytesIO(packed.read("events.parquet")))
    told = {key.decode(): value.decode() for key, value in schema.field("dlp").metadata.items()}
    assert told["unit"] == fields["ct_event.dlp"]["unit"] and told["title"] == "DLP"


def rows_of(kind: str, raw: bytes) -> list[dict[str, Any]]:
    if kind == "parquet":
        return pq.read_table(io.BytesIO(raw)).to_pylist()
    if kind == "arrow":
        return pa.ipc.open_file(raw).read_all().to_pylist()
    return [json.loads(line) for line in raw.decode().splitlines()]


def test_filters_and_identity(server: OrthancServer) -> None:
    raw = export(server, "csv", None, query={"study_description": "odd one"}, identity=["name", "id"]).decode("utf-8-sig")
    titles, line = csv.reader(io.StringIO(raw, newline=""))
    cells = dict(zip(titles, line, strict=True))
    assert (cells["Patient name"], cells["Patient ID"]) == ("Somebody, Known", "'-1+1")
    assert cells["Study description"].startswith("'=cmd")
    wrong = {"format": "pdf", "modality": None, "query": {}, "identity": []}
    refused = server.request("POST", "/dose/api/exports", json=wrong)
    assert (refused.status_code, refused.json()["error"]["field"]) == (400, "format")
    form = {"format": "nhsbsp", "modality": "MG", "query": {}, "identity": ["name"]}
    refused = server.request("POST", "/dose/api/exports", json=form)
    assert (refused.status_code, refused.json()["error"]["field"]) == (400, "identity")


def test_what_was_typed_of_a_patient_is_not_kept_with_the_task(server: OrthancServer) -> None:
    export(server, "csv", None, query={"patient_name": "Known", "patient_id_is": "-1+1", "accession_number": "A9",
                                               "patient_sex": "F"})
    listed = server.ok("/dose/api/tasks?kind=export")
    kept = listed["tasks"][0]["parameters"]["query"]
    assert kept == {"patient_name": "…", "patient_id_is": "…", "accession_number": "…", "patient_sex": "F"}
    assert "Known" not in json.dumps(listed) + json.dumps(server.ok("/dose/api/audit-log?limit=500"))


def test_orthanc_ends_without_waiting_for_exports(server: OrthancServer) -> None:
    body = {"format": "xlsx", "modality": "CT", "query": {}, "identity": []}
    ids = [server.request("POST", "/dose/api/exports", json=body).json()["id"] for _ in range(12)]
    assert server.stop() == 0
    server.start()
    states = [server.ok(f"/dose/api/tasks/{number}")["state"] for number in ids]
    assert set(states) <= {"done", "broken off"} and states[-1] == "broken off"


def test_a_kill_leaves_no_half_file(server: OrthancServer) -> None:
    body = {"format": "xlsx", "modality": "CT", "query": {}, "identity": []}
    number = server.request("POST", "/dose/api/exports", json=body).json()["id"]
    server.kill()
    server.start()
    task = server.ok(f"/dose/api/tasks/{number}")
    assert task["state"] in ("broken off", "done")
    file = server.request("GET", f"/dose/api/exports/{number}/file")
    assert file.status_code == (200 if task["state"] == "done" else 404)
    assert not list((server.dose_directory / "exports").glob("*.part*"))


def test_a_file_comes_whole_or_in_pieces_and_goes_with_its_task(server: OrthancServer) -> None:
    started = [server.request("POST", "/dose/api/exports", json={"format": kind, "modality": None, "query": {}, "identity": []})
               for kind in ("csv", "jsonl", "xlsx")]  # fmt: skip
    ids = [answer.json()["id"] for answer in started]
    for number in ids:
        server.wait_for(lambda number=number: server.ok(f"/dose/api/tasks/{number}")["state"] == "done", "the export")
    address = f"/dose/api/exports/{ids[0]}/file"
    whole = server.request("GET", address).content
    assert len(whole) == server.ok(f"/dose/api/tasks/{ids[0]}")["result"]["bytes"] > 3000
    pieces = [server.request("GET", f"{address}?offset={at}&length=1000").content for at in range(0, len(whole) + 1000, 1000)]
    assert b"".join(pieces) == whole and pieces[-1] == b"" and {len(one) for one in pieces[:-2]} == {1000}
    folder = server.dose_directory / "exports"
    assert {str(number) for number in ids} <= {path.name for path in folder.iterdir()}
    assert server.request("DELETE", f"/dose/api/tasks/{ids[0]}").json() == {"deleted": 1}
    assert server.request("POST", "/dose/api/tasks/forget", json={"ids": ids}).json() == {"deleted": 2}
    assert not {str(number) for number in ids} & {path.name for path in folder.iterdir()}
    assert server.request("GET", address).status_code == 404

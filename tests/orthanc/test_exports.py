"""Exports of a real server, read back by other programs: what they hold is what the API says."""

import csv
import io
import json
import os
import re
import statistics
import subprocess
import sys
import zipfile
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pydicom
import pytest

from orthanc_dose import __version__, samples
from orthanc_dose.samples import make_studies
from orthanc_dose.samples.ct import default_events
from orthanc_dose.samples.hostile import HOSTILE
from tests.support.exports import ENDLESS_ROWS, begun, done, export, wanted
from tests.support.server import PASSWORD, ROOT, USER, OrthancServer


@pytest.fixture(scope="module")
def server() -> Any:
    with OrthancServer(dose={"PatientName": "stored", "PatientID": "stored"}) as running:
        running.send(make_studies(60, seed=5))
        running.send(make_studies(4, seed=6, kinds=("nm",)))
        odd = samples.ct_report(3, key="odd")
        odd.StudyDescription = "=cmd|' /C calc'!A0, \"odd one\""
        odd.PatientName, odd.PatientID = "Somebody^Known", "-1+1"
        running.send(odd)
        running.upload(samples.part10(_long()))
        running.upload(HOSTILE["nasty_text_everywhere"](1))
        running.wait_until_idle()
        yield running


CORPUS = ROOT.parent / "shared" / "corpus"
LONG = '画像 <&> "quoted"\r\nnext line, ' * 2_000  # above what a cell of a spreadsheet holds
CLASHING = ("Head/Neck", "HEAD:NECK", "Head Neck", "h" * 40, "h" * 39 + "i", "画像")


def _long() -> Any:
    """A report with a comment of more than 32,767 characters, and protocols whose names clash as
    names of sheets.
    """
    events = default_events(len(CLASHING), 3, datetime(2025, 5, 5, 10, 0), "long")
    for event, name in zip(events, CLASHING, strict=True):
        event.protocol = name
    made = samples.ct_report(events, key="long", comment=LONG)
    made.SpecificCharacterSet = "ISO_IR 192"
    return made


def of_dictionary(server: OrthancServer) -> dict[str, dict[str, Any]]:
    """Fields of tables by "table.field"."""
    tables = server.ok("/dose/api/fields")["tables"]
    return {
        f"{table['name']}.{field['name']}": field for table in tables for field in table["fields"]
    }


def titled(field: dict[str, Any]) -> str:
    unit = field["shown_unit"]
    return f"{field['title']} [{unit}]" if unit and unit != "1" else field["title"]


EVENTS = {
    "CT": "ct_event",
    "RF": "projection_event",
    "DX": "projection_event",
    "MG": "projection_event",
    "NM": "nm_administration",
}


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


@pytest.mark.parametrize("modality", EVENTS)
def test_csv_gives_every_value_of_the_api(server: OrthancServer, modality: str) -> None:
    raw = export(server, "csv", modality)
    assert raw.startswith(b"\xef\xbb\xbf") and raw.endswith(b"\r\n")
    titles, *lines = csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""))
    details = {str(one["id"]): one for one in server.details(modality=modality)}
    assert {line[titles.index("Number")] for line in lines} == details.keys() and len(lines) == len(
        details
    )
    assert any(title.startswith("E1 ") for title in titles) is (modality != "RF")
    fields = of_dictionary(server)
    for line in lines:
        cells = dict(zip(titles, line, strict=True))
        detail = details[cells["Number"]]
        for name, field in fields.items():
            table, _, key = name.partition(".")
            if (
                table == "study"
                and field["type"] in PLAIN
                and key in detail
                and key not in OF_THE_STORE
            ):
                if key in ("patient_name", "patient_id", "patient_birth_date"):
                    assert titled(field) not in titles
                    continue
                same(cells.get(titled(field), ""), shown(field, detail[key]))
            elif (
                table == EVENTS[modality]
                and modality != "RF"
                and field["type"] in PLAIN
                and key != "study_id"
            ):
                for number, event in enumerate(detail["events"], 1):
                    same(cells.get(f"E{number} {titled(field)}", ""), shown(field, event[key]))


CUT = re.compile(r"(?P<beginning>.*)… \((?P<left_out>[0-9,]+) more characters\)", re.DOTALL)


def whole(value: Any, found: Any, longest: int | None = None) -> Any:
    """Return what a file should hold of a value of the API: the value, or the text that was found
    in the file where the API cuts it, if its beginning and its length are right.
    """
    cut = CUT.fullmatch(value) if isinstance(value, str) else None
    if cut is None or not isinstance(found, str):
        return value
    beginning = cut["beginning"]
    length = len(beginning) + int(cut["left_out"].replace(",", ""))
    right = found.startswith(beginning) and len(found) == min(length, longest or length)
    return found if right else value


def same(cell: str, value: Any) -> None:
    value = whole(value, cell)
    if value is None or value == "":
        assert cell == ""
    elif isinstance(value, str):
        assert cell == (f"'{value}" if value[0] in "=+-@\t\r" else value)
    else:
        assert float(cell) == value


@pytest.mark.parametrize("modality", EVENTS)
def test_the_workbook_gives_every_value_of_the_api(server: OrthancServer, modality: str) -> None:
    book = openpyxl.load_workbook(io.BytesIO(export(server, "xlsx", modality)))
    assert book.sheetnames[:2] == ["Summary", "All data"]
    details = {one["id"]: one for one in server.details(modality=modality)}
    titles, *lines = book["All data"].iter_rows(values_only=True)
    assert len(lines) == len(details)
    fields = of_dictionary(server)
    for line in lines:
        cells = dict(zip(titles, line, strict=False))
        detail = details[cells["Number"]]
        for name, field in fields.items():
            table, _, key = name.partition(".")
            if (
                table == "study"
                and field["type"] in PLAIN
                and key in detail
                and key not in (*OF_THE_STORE, "patient_name", "patient_id", "patient_birth_date")
            ):
                cell = cells.get(titled(field))
                assert cell == in_cell(field, whole(detail[key], cell, 32_767)), name
            elif (
                table == EVENTS[modality]
                and modality != "RF"
                and field["type"] in PLAIN
                and key != "study_id"
            ):
                for number, event in enumerate(detail["events"], 1):
                    cell = cells.get(f"E{number} {titled(field)}")
                    assert cell == in_cell(field, whole(event[key], cell, 32_767)), name
        assert cells["Study date"] == (
            datetime.combine(date.fromisoformat(detail["study_date"]), time())
            if detail["study_date"]
            else None
        )
    events = sum(len(one["events"]) for one in details.values())
    for sheet in book.worksheets[2:]:
        titles, *lines = sheet.iter_rows(values_only=True)
        first = titles.index(titled(fields[f"{EVENTS[modality]}.event_number"]))
        for line in lines:
            event = details[line[0]]["events"][line[first] - 1]
            for title, cell in zip(titles[first:], line[first:], strict=True):
                for field in by_title(fields, EVENTS[modality]).get(title, ()):
                    value = whole(event[field["name"]], cell, 32_767)
                    assert cell == in_cell(field, value), title
    assert sum(book[name].max_row - 1 for name in book.sheetnames[2:]) == events
    assert all(len(name) <= 31 for name in book.sheetnames)
    assert book["All data"].freeze_panes == "A2"


def in_cell(field: dict[str, Any], value: Any) -> Any:
    """A value of the API as a cell of a workbook should hold it: at most 32,767 characters."""
    given = shown(field, value)
    return None if value in (None, "", []) else given[:32_767] if isinstance(given, str) else given


def by_title(fields: dict[str, dict[str, Any]], table: str) -> dict[str, list[dict[str, Any]]]:
    plain = [
        field
        for name, field in fields.items()
        if name.startswith(f"{table}.") and field["type"] in PLAIN
    ]
    return {titled(field): [field] for field in plain}


def test_sheets_of_protocols_whose_names_clash(server: OrthancServer) -> None:
    book = openpyxl.load_workbook(
        io.BytesIO(export(server, "xlsx", "CT", query={"acquisition_protocols": "画像"}))
    )
    names = book.sheetnames[2:]
    assert len(names) == len(CLASHING) == len({name.casefold() for name in names})
    titles, *lines = book["All data"].iter_rows(values_only=True)
    assert lines[0][titles.index("Comment")] == LONG[:32_767]
    column = {
        name: [cell.value for cell in book[name][1]].index("Acquisition protocol") + 1
        for name in names
    }
    assert {book[name].cell(2, column[name]).value for name in names} == set(CLASHING)


def test_fluoroscopy_stands_in_groups(server: OrthancServer) -> None:
    book = openpyxl.load_workbook(io.BytesIO(export(server, "xlsx", "RF")))
    details = {one["id"]: one for one in server.details(modality="RF")}
    titles, *lines = book["All data"].iter_rows(values_only=True)
    assert not [title for title in titles if title.startswith("E1 ")]
    for line in lines:
        cells, events = dict(zip(titles, line, strict=True)), details[line[0]]["events"]
        groups = [
            title.split(" ")[0] for title in titles if title.endswith(" Exposures") and cells[title]
        ]
        assert sum(cells[f"{group} Exposures"] for group in groups) == len(events)
        kvps = [one["kvp"] for one in events if one["kvp"] is not None]
        for at, pick in (("minimum", min), ("maximum", max)):
            got = [cells[f"{group} KVP [kV], {at}"] for group in groups]
            assert (pick([one for one in got if one is not None], default=None)) == (
                pick(kvps) if kvps else None
            )
        for group in groups:
            low, mean, high = (
                cells[f"{group} KVP [kV], {at}"] for at in ("minimum", "mean", "maximum")
            )
            assert low is None or (low <= mean * (1 + 1e-12) and mean <= high * (1 + 1e-12))


def test_the_summary_says_doses_and_where_the_file_is_from(server: OrthancServer) -> None:
    book = openpyxl.load_workbook(io.BytesIO(export(server, "xlsx", "CT")))
    rows = list(book["Summary"].iter_rows(values_only=True))
    about = {row[0]: row[1] for row in rows[:9]}
    studies = server.details(modality="CT")
    dates = [date.fromisoformat(one["study_date"]) for one in studies if one["study_date"]]
    assert (about["First study"].date(), about["Last study"].date()) == (min(dates), max(dates))
    assert book["Summary"].cell(4, 2).is_date
    assert about["Exported by"] == f"Orthanc Dose {__version__}"
    assert about["Licence of the program"] == "AGPL-3.0-or-later"
    assert isinstance(about["Exported, UTC"], datetime)
    doses = [one["dlp_total"] for one in studies if one["dlp_total"]]
    [of_all] = [row for row in rows if row[0] == "DLP total [mGy·cm]"]
    assert of_all[1:5] == (
        len(doses),
        pytest.approx(statistics.mean(doses)),
        pytest.approx(statistics.median(doses)),
        max(doses),
    )
    at = next(n for n, row in enumerate(rows) if row[0] == "Study description")
    for name, count, mean in (row[:3] for row in rows[at + 1 :] if row[0]):
        mine = [one for one in studies if (one["study_description"] or "(blank)") == name]
        given = [one["dlp_total"] for one in mine if one["dlp_total"]]
        assert count == len(mine)
        assert mean == (pytest.approx(statistics.mean(given)) if given else None)
    names = [name for name in book.sheetnames[2:] if name.isascii()]
    # Long names that begin alike are cut and numbered.
    assert names == sorted(names, key=lambda one: re.sub(r" \(\d+\)$", "", one)[:27].casefold())


def test_exposure_filters_and_doses_by_type_in_a_real_fluoroscopy_export(
    server: OrthancServer,
) -> None:
    """The numbers are those that dcmdump and dsrdump show of the report of an Alphenix: 48 fluoroscopy
    events at -90 degrees or near 0, one rotational acquisition.
    """
    path = CORPUS / "RF-RDSR-Canon-Alphenix-rotational.dcm"
    if not path.is_file():
        pytest.skip("the corpus is not there")
    server.upload(path.read_bytes())
    server.wait_until_idle()
    report = pydicom.dcmread(path)
    query = {"study_instance_uid": report.StudyInstanceUID}
    titles, row = openpyxl.load_workbook(io.BytesIO(export(server, "xlsx", "RF", query=query)))[
        "All data"
    ].iter_rows(values_only=True)
    cells = dict(zip(titles, row, strict=True))
    assert [cells[f"G{n} Exposures"] for n in (1, 2, 3)].count(1) == 1
    assert sum(cells[f"G{n} Exposures"] for n in (1, 2, 3)) == 49 and "G4 Exposures" not in cells
    assert {cells[f"G{n} X-ray filters: Thickness mean [mm]"] for n in (1, 2, 3)} == {"0.5", "0.2"}
    items = list(numbers_of(report))
    assert cells["Fluoroscopy dose at reference point total [mGy]"] == pytest.approx(
        next(value for code, value in items if code == "113728") * 1000
    )
    assert cells["Acquisition dose at reference point total [mGy]"] == pytest.approx(
        next(value for code, value in items if code == "113729") * 1000
    )
    [line] = csv.DictReader(
        io.StringIO(export(server, "csv", "RF", query=query).decode("utf-8-sig"))
    )
    assert line["Exported by"] == f"Orthanc Dose {__version__}"


def numbers_of(item: Any) -> Any:
    """Code and value of each numeric item of a report, in its order."""
    for one in item.get("ContentSequence", ()):
        if one.ValueType == "NUM" and one.get("MeasuredValueSequence"):
            name = one.ConceptNameCodeSequence[0]
            yield name.CodeValue, float(one.MeasuredValueSequence[0].NumericValue)
        yield from numbers_of(one)


@pytest.mark.parametrize(
    ("kind", "modality"),
    [("parquet", code) for code in EVENTS] + [("arrow", "CT"), ("jsonl", "RF")],
)
def test_files_for_programs_hold_the_values_of_the_store(
    server: OrthancServer, kind: str, modality: str
) -> None:
    details = {one["id"]: one for one in server.details(modality=modality)}
    with zipfile.ZipFile(io.BytesIO(export(server, kind, modality))) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    assert set(parts) == {f"studies.{kind}", f"events.{kind}"}
    tables = {name.split(".")[0]: rows_of(kind, raw) for name, raw in parts.items()}
    assert len(tables["studies"]) == len(details)
    assert len(tables["events"]) == sum(len(one["events"]) for one in details.values())
    compared = set()
    for row in tables["studies"]:
        detail = details[row["id"]]
        assert "patient_name" not in row
        for name in row.keys() & detail.keys() - {"stored_at"}:  # of which the API says the second
            compared.add(name)
            found = as_json(row[name])
            assert found == whole(as_json(detail[name]), found), name
    for row in tables["events"]:
        event = details[row["study_id"]]["events"][row["event_number"] - 1]
        for name in row.keys() & event.keys():
            compared.add(name)
            found = as_json(row[name])
            assert found == whole(as_json(event[name]), found), name
    assert len(compared) > 60


def test_fields_of_parquet_say_what_they_are(server: OrthancServer) -> None:
    fields = of_dictionary(server)
    with zipfile.ZipFile(io.BytesIO(export(server, "parquet", "CT"))) as packed:
        schema = pq.read_schema(io.BytesIO(packed.read("events.parquet")))
    told = {key.decode(): value.decode() for key, value in schema.field("dlp").metadata.items()}
    assert told["unit"] == fields["ct_event.dlp"]["unit"] and told["title"] == "DLP"


def as_json(value: Any) -> Any:
    """A value of a file as the API writes it: moments as text, nothing for an empty list."""
    if isinstance(value, (date, time)):
        value = value.isoformat()
    if isinstance(value, dict):
        return {name: as_json(one) for name, one in value.items()}
    if isinstance(value, list):
        return [as_json(one) for one in value] or None
    moment = isinstance(value, str) and re.fullmatch(
        r"(\d{4}-\d\d-\d\d[ T])?([0-9:]{8})(\.\d+?)?0*Z?", value
    )
    return "".join(moment.groups("")).replace("T", " ") if moment else value


def rows_of(kind: str, raw: bytes) -> list[dict[str, Any]]:
    if kind == "parquet":
        return pq.read_table(io.BytesIO(raw)).to_pylist()
    if kind == "arrow":
        return pa.ipc.open_file(raw).read_all().to_pylist()
    return [json.loads(line) for line in raw.decode().splitlines()]


def test_filters_and_identity(server: OrthancServer) -> None:
    raw = export(
        server, "csv", None, query={"study_description": "odd one"}, identity=["name", "id"]
    ).decode("utf-8-sig")
    titles, line = csv.reader(io.StringIO(raw, newline=""))
    cells = dict(zip(titles, line, strict=True))
    assert (cells["Patient name"], cells["Patient ID"]) == ("Somebody, Known", "'-1+1")
    assert cells["Study description"].startswith("'=cmd")
    refused = server.request("POST", "/dose/api/exports", json=wanted("pdf"))
    assert (refused.status_code, refused.json()["error"]["field"]) == (400, "format")
    refused = server.request(
        "POST", "/dose/api/exports", json=wanted("nhsbsp", "MG", identity=["name"])
    )
    assert (refused.status_code, refused.json()["error"]["field"]) == (409, "identity")


def test_what_was_typed_of_a_patient_is_not_kept_with_the_task(server: OrthancServer) -> None:
    export(
        server,
        "csv",
        None,
        query={
            "patient_name": "Known",
            "patient_id_is": "-1+1",
            "accession_number": "A9",
            "patient_sex": "F",
        },
    )
    listed = server.ok("/dose/api/tasks?kind=export")
    kept = listed["tasks"][0]["parameters"]["query"]
    assert kept == {
        "patient_name": "…",
        "patient_id_is": "…",
        "accession_number": "…",
        "patient_sex": "F",
    }
    assert "Known" not in json.dumps(listed) + json.dumps(
        server.ok("/dose/api/audit-log?limit=500")
    )


def test_the_command_writes_a_file(server: OrthancServer, tmp_path: Path) -> None:
    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        line = [
            sys.executable,
            "-m",
            "orthanc_dose.cli",
            "export",
            "--url",
            server.url,
            "--user",
            USER,
            *arguments,
        ]
        return subprocess.run(
            line,
            env=os.environ | {"DOSE_PASSWORD": PASSWORD},
            capture_output=True,
            text=True,
            check=False,
        )

    path = tmp_path / "abdomen.csv"
    done = command(
        "--format",
        "csv",
        "--modality",
        "CT",
        "--filter",
        "study_description=odd one",
        "--output",
        str(path),
    )
    assert (done.returncode, done.stderr) == (0, "")
    titles, line = csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline=""))
    assert line[titles.index("Study description")].startswith("'=cmd")
    assert done.stdout == f"{path}: studies: 1, {path.stat().st_size:,} bytes\n"
    for wrong, said in (
        (("--format", "pdf"), "format must be one of"),
        (("--filter", "colour"), "NAME=VALUE"),
        (("--filter", "colour=blue"), "colour"),
        (("--modality", "XX"), "modality must be"),
        (("--output", "/nowhere/at.all"), "Cannot write"),
    ):
        failed = command(*wrong)
        assert failed.returncode == 1 and said in failed.stderr and "Traceback" not in failed.stderr
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


@pytest.fixture
def unlimited(server: OrthancServer) -> Any:
    """Statements may run, and files grow, for longer than any test."""
    limits = {"sql_seconds": 600, "sql_file_rows": 100_000_000}
    assert server.request("PUT", "/dose/api/settings", json=limits).status_code == 200
    yield
    for name in limits:
        server.delete(f"/dose/api/settings/{name}")


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_an_end_of_the_server_breaks_exports_off(
    server: OrthancServer, unlimited: None, end: str
) -> None:
    folder = server.dose_directory / "exports"
    # Statements write one file at a time: the first is in the middle of it, the others wait.
    numbers = [begun(server, {"sql": ENDLESS_ROWS, "format": "csv"}, "sql") for _ in range(3)]
    part = folder / f"{numbers[0]}.part"
    server.wait_for(lambda: part.is_file() and part.stat().st_size > 0, "half of the file")
    states = [server.ok(f"/dose/api/tasks/{number}")["state"] for number in numbers]
    assert states == ["running", "waiting", "waiting"]
    # Exports of studies wait for none of them.
    done(server, begun(server, wanted("xlsx", "CT")))
    if end == "stop":
        assert server.stop() == 0
    else:
        server.kill()
        assert part.is_file()
    server.start()
    for number in numbers:
        assert server.ok(f"/dose/api/tasks/{number}")["state"] == "broken off"
        assert server.request("GET", f"/dose/api/exports/{number}/file").status_code == 404
    left = {path.name.partition(".")[0] for path in folder.iterdir()}
    assert not left & {str(number) for number in numbers}


def test_a_file_comes_whole_or_in_pieces_and_goes_with_its_task(server: OrthancServer) -> None:
    ids = [begun(server, wanted(kind)) for kind in ("csv", "jsonl", "xlsx")]
    size, *_ = [done(server, number)["result"]["bytes"] for number in ids]
    address = f"/dose/api/exports/{ids[0]}/file"
    whole = server.request("GET", address).content
    assert len(whole) == size > 3000
    pieces = [
        server.request("GET", f"{address}?offset={at}&length=1000").content
        for at in range(0, len(whole) + 1000, 1000)
    ]
    assert (
        b"".join(pieces) == whole
        and pieces[-1] == b""
        and {len(one) for one in pieces[:-2]} == {1000}
    )
    folder = server.dose_directory / "exports"
    assert {str(number) for number in ids} <= {path.name for path in folder.iterdir()}
    assert server.request("DELETE", f"/dose/api/tasks/{ids[0]}").json() == {"deleted": 1}
    assert server.request("POST", "/dose/api/tasks/forget", json={"ids": ids}).json() == {
        "deleted": 2
    }
    assert not {str(number) for number in ids} & {path.name for path in folder.iterdir()}
    assert server.request("GET", address).status_code == 404

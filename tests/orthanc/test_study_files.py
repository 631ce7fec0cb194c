"""Files of one study from a real server, read back by other programs: they say what the API says,
and no more than allowed.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import openpyxl
import pytest

from orthanc_dose.samples import (
    ct_report,
    fluoroscopy_report,
    make_studies,
    mammography_image,
    mammography_report,
)
from orthanc_dose.samples.hostile import HOSTILE
from tests.support.report import Line, lines_of, number, pages_of, words_of
from tests.support.server import ROOT, OrthancServer
from tests.support.visitors import RIGHTS, ask, guarded

CORPUS = ROOT.parent / "shared" / "corpus" / "RF-RDSR-Canon-Alphenix-rotational.dcm"
NAME, ID, BORN = "Verylongname^Anna", "PID-4711-x", "19610305"
EXPORTS, SEES = "only export", "only patient identity"
WORDS = "Größe Ωμέγα Живаго 山田太郎"
MANY = 300


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    rights = RIGHTS | {SEES: ["export", "patient identity"]}
    kept = dict.fromkeys(("PatientName", "PatientID", "PatientBirthDate"), "stored")
    with guarded(OrthancUsers=rights, **kept) as running:
        running.send(make_studies(24, seed=5, kinds=["ct", "rf", "dx", "mg", "nm"]))
        odd = ct_report(2, key="odd")
        odd.SpecificCharacterSet, odd.StudyDescription = "ISO_IR 192", WORDS
        odd.PatientName, odd.PatientID, odd.PatientBirthDate = NAME, ID, BORN
        running.send(
            odd,
            fluoroscopy_report(MANY, seed=3, key="many"),
            fluoroscopy_report(6, key="planes", biplane=True),
            mammography_report(4, key="sides"),
            mammography_image(key="image"),
        )
        running.upload(HOSTILE["nasty_text_everywhere"](1))
        if CORPUS.is_file():
            running.upload(CORPUS.read_bytes())
        running.wait_until_idle()
        yield running


@pytest.fixture(scope="module")
def details(server: OrthancServer) -> list[dict[str, Any]]:
    found = server.details()
    assert {one["modality"] for one in found} == {"CT", "RF", "DX", "MG", "NM"}
    return found


def file(server: OrthancServer, study: int, kind: str, query: str = "") -> bytes:
    answer = server.request("GET", f"/dose/api/studies/{study}/file?format={kind}{query}")
    assert answer.status_code == 200, (study, kind, answer.text[:300])
    assert answer.headers["Content-Disposition"] == f'attachment; filename="study-{study}.{kind}"'
    return answer.content


def dictionary(server: OrthancServer) -> dict[str, dict[str, dict[str, Any]]]:
    tables = server.ok("/dose/api/fields")["tables"]
    return {table["name"]: {field["name"]: field for field in table["fields"]} for table in tables}


def study_of(
    details: list[dict[str, Any]], description: str = "", events: int = 0
) -> dict[str, Any]:
    return next(
        one
        for one in details
        if one["study_description"] == description or len(one["events"]) == events
    )


def after(lines: list[Line], first: str) -> list[Line]:
    """The lines below the one that begins so."""
    return lines[next(at for at, line in enumerate(lines) if line[0].startswith(first)) + 1 :]


def test_json_is_the_detail_with_the_units_of_its_tables(
    server: OrthancServer, details: list[dict[str, Any]]
) -> None:
    fields = dictionary(server)
    for detail in details:
        told = json.loads(file(server, detail["id"], "json", "&identity=name,id"))
        detail = {key: value for key, value in detail.items() if key != "orthanc_studies"}
        assert told["study"] == detail
        for table, units in told["units"].items():
            assert {name: unit for name, unit in units.items() if "." not in name} == {
                name: field["unit"] for name, field in fields[table].items() if field["unit"]
            }


def test_the_workbook_holds_every_value(
    server: OrthancServer, details: list[dict[str, Any]]
) -> None:
    fields = dictionary(server)
    for detail in details[::3]:
        book = openpyxl.load_workbook(
            io.BytesIO(file(server, detail["id"], "xlsx", "&identity=name"))
        )
        titles, *rows = book["Study"].iter_rows(values_only=True)
        assert titles == ("Name", "Value", "Unit")
        values = {row[0]: row[1:] for row in rows}
        for name, field in fields["study"].items():
            value = detail.get(name)
            if name == "patient_id":
                assert field["title"] not in values
            elif field["type"] == "number" and value is not None:
                shown = (pytest.approx(value * field["shown_factor"]), field["shown_unit"] or None)
                assert values[field["title"]] == shown, name
            elif name == "patient_birth_date":  # a date, not its text
                day = datetime.fromisoformat(value) if value else None
                assert (values.get(field["title"]) or (None,))[0] == day
            elif field["type"] in ("integer", "text", "uid") and name not in (
                "equipment_id",
                "made_by",
            ):
                assert (values.get(field["title"]) or (None,))[0] == (
                    value if value != "" else None
                ), name
        modality = next(
            one
            for one in server.ok("/dose/api/fields")["modalities"]
            if one["code"] == detail["modality"]
        )
        for key, table in (
            ("events", modality["events_table"]),
            ("accumulated", modality["accumulated_table"]),
        ):
            same_rows(
                book, detail[key], fields.get(table or "", {}), table and title_of(server, table)
            )
        objects = list(book["Objects"].iter_rows(values_only=True))
        assert len(objects) == len(detail["objects"]) + 1 and "Orthanc ID" not in objects[0]
        marks = (
            list(book["Marks"].iter_rows(values_only=True))[1:]
            if "Marks" in book.sheetnames
            else []
        )
        assert marks == [
            (one["field"], one["mark"], one["raw"])[: len(marks[0])]
            for one in detail["marks"] or ()
        ]


def title_of(server: OrthancServer, table: str) -> str:
    return next(
        one["title"] for one in server.ok("/dose/api/fields")["tables"] if one["name"] == table
    )


def same_rows(
    book: Any, rows: list[dict[str, Any]], fields: dict[str, Any], title: str | None
) -> None:
    if not rows:
        return
    titles, *lines = book[(title or "")[:31]].iter_rows(values_only=True)
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        cells = dict(zip(titles, line, strict=True))
        for name, field in fields.items():
            if field["type"] == "number" and row[name] is not None:
                unit = field["shown_unit"]
                assert cells[
                    f"{field['title']} [{unit}]" if unit and unit != "1" else field["title"]
                ] == pytest.approx(row[name] * field["shown_factor"]), name


def test_the_report_has_every_total_and_every_event(
    server: OrthancServer, details: list[dict[str, Any]]
) -> None:
    fields = dictionary(server)
    of_modality = {one["code"]: one for one in server.ok("/dose/api/fields")["modalities"]}
    for detail in details:
        modality, lines = (
            of_modality[detail["modality"]],
            lines_of(file(server, detail["id"], "pdf")),
        )
        totals = {
            line[0]: line[1:] for line in reversed(after(lines, "Totals"))
        }  # those above accumulated values count
        for name in modality["totals"]:
            field, value = fields["study"][name], detail[name]
            if field["type"] in ("number", "integer") and value is not None:
                title = (
                    "Administrations"
                    if (name, modality["code"]) == ("number_of_events", "NM")
                    else field["title"]
                )
                shown, *unit = totals[title]
                assert number(shown) == pytest.approx(value * field["shown_factor"], rel=1e-3), (
                    detail["id"],
                    name,
                )
                assert unit == ([field["shown_unit"]] if field["shown_unit"] else []), name
        text = "\n".join(" ".join(line) for line in lines)
        assert detail["study_instance_uid"] in text
        assert all(one["sop_instance_uid"] in text for one in detail["objects"])
        key = {"CT": "dlp", "MG": "average_glandular_dose", "NM": "administered_activity"}.get(
            detail["modality"], "dap"
        )
        unit = fields[modality["events_table"]][key]
        rows = {line[0]: line for line in after(lines, title_of(server, modality["events_table"]))}
        for event in detail["events"]:
            row = rows[str(event["event_number"])]
            if event[key] is not None:
                assert any(nearly(cell, event[key] * unit["shown_factor"]) for cell in row[1:]), (
                    detail["id"],
                    row,
                )


def nearly(cell: str, value: float) -> bool:
    """Whether a cell shows this number, in as many decimals as it has."""
    try:
        return abs(number(cell) - value) <= 0.50001 * 10 ** -len(
            cell.removesuffix(" *").partition(".")[2]
        )
    except ValueError:
        return False


def test_planes_and_sides_have_tables_of_their_own(
    server: OrthancServer, details: list[dict[str, Any]]
) -> None:
    planes = next(
        one for one in details if len(one["accumulated"]) == 2 and len(one["events"]) == 6
    )
    sides = next(
        one
        for one in details
        if one["modality"] == "MG"
        and {"Left", "Right"}
        <= {event["laterality"]["meaning"].split()[0] for event in one["events"]}
    )
    for study, field in ((planes, "acquisition_plane"), (sides, "laterality")):
        lines = lines_of(file(server, study["id"], "pdf"))
        for meaning in {event[field]["meaning"] for event in study["events"]}:
            wanted = [
                str(event["event_number"])
                for event in study["events"]
                if event[field]["meaning"] == meaning
            ]
            heading = next(line[0] for line in lines if f": {meaning} (" in line[0])
            assert f"({len(wanted)} event" in heading
            numbers = [line[0] for line in after(lines, heading) if line[0].isdigit()]
            assert numbers[: len(wanted)] == wanted


def test_doubts_and_a_lesser_source_are_said(
    server: OrthancServer, details: list[dict[str, Any]]
) -> None:
    dictionary, marked = server.ok("/dose/api/fields"), 0
    for detail in details:
        lines = lines_of(file(server, detail["id"], "pdf"))
        # A paragraph may go on below the foot of a page.
        text = " ".join(
            " ".join(line)
            for line in lines
            if not line[0].startswith(("Dose report: ", "Created by "))
        )
        for row in (detail, *detail["accumulated"], *detail["events"]):
            for mark in row["marks"] or ():
                assert dictionary["marks"][mark["mark"]] in text, (detail["id"], mark["mark"])
                marked += 1
        lesser = detail["source"] != "report"
        assert (
            f"Not from a dose report: {dictionary['sources'][detail['source']]}." in text
        ) == lesser
    assert marked and any(detail["source"] == "image header" for detail in details)


def test_hundreds_of_events_have_the_titles_on_each_page(
    server: OrthancServer, details: list[dict[str, Any]]
) -> None:
    study = study_of(details, events=MANY)
    pages = pages_of(file(server, study["id"], "pdf"))
    numbers = [line[0] for page in pages for line in page if line[0].isdigit() and len(line) > 8]
    assert numbers == [str(n) for n in range(1, MANY + 1)]
    for page in pages:
        at = [n for n, line in enumerate(page) if line[0].isdigit() and len(line) > 8]
        assert not at or any(line[0] == "Event" and "Started" in line for line in page[: at[0]])
    assert [
        line[-1] for page in pages for line in page if " of " in line[-1] and line[-1][0].isdigit()
    ] == [f"{n} of {len(pages)}" for n in range(1, len(pages) + 1)]


def test_any_text_is_shown_and_hostile_text_is_text(
    server: OrthancServer, details: list[dict[str, Any]]
) -> None:
    raw = file(server, study_of(details, WORDS)["id"], "pdf")
    assert WORDS in " ".join(words_of(raw).split()).replace("Живаго  ", "Живаго ")
    nasty = next(one for one in details if "<script>" in (one["study_description"] or ""))
    text = words_of(file(server, nasty["id"], "pdf"))
    assert "<script>alert(1)</script>" in text and "DROP TABLE studies" in text
    book = openpyxl.load_workbook(io.BytesIO(file(server, nasty["id"], "xlsx")))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert nasty["study_description"] in [cell.value for cell in cells]
    assert all(cell.data_type != "f" for cell in cells)


def test_the_report_is_in_german_where_that_is_asked_for(
    server: OrthancServer, details: list[dict[str, Any]]
) -> None:
    study = next(one for one in details if one["modality"] == "CT" and one["dlp_total"])
    lines = lines_of(file(server, study["id"], "pdf", "&language=de"))
    assert lines[0] == ["Dosisbericht: Computertomographie"]
    dlp = next(line for line in lines if line[0] == "DLP gesamt")
    assert number(dlp[1].replace(".", "").replace(",", ".")) == pytest.approx(
        study["dlp_total"], rel=1e-3
    )
    assert f"1 von {len(pages_of(file(server, study['id'], 'pdf')))}" in [
        line[-1] for line in lines
    ]


def told(kind: str, raw: bytes) -> str:
    if kind == "pdf":
        return words_of(raw)
    if kind == "json":
        return raw.decode()
    cells = [
        str(cell)
        for sheet in openpyxl.load_workbook(io.BytesIO(raw))
        for row in sheet.iter_rows(values_only=True)
        for cell in row
    ]
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        return "".join([*(packed.read(name).decode() for name in packed.namelist()), *cells])


TRACES = ("Verylongname", "Anna", ID, "1961-03-05", BORN)


@pytest.mark.parametrize("kind", ["pdf", "xlsx", "json"])
def test_who_the_patient_is_stands_only_where_it_is_asked_for(
    server: OrthancServer, details: list[dict[str, Any]], kind: str
) -> None:
    study = study_of(details, WORDS)["id"]
    path = f"/dose/api/studies/{study}/file?format={kind}"
    for user in (EXPORTS, SEES):
        text = told(kind, ask(server, "GET", path, user).content)
        assert WORDS.split()[0] in text and not any(trace in text for trace in TRACES), user
    named = told(kind, ask(server, "GET", f"{path}&identity=name", SEES).content)
    assert "Verylongname" in named and "1961-03-05" in named and ID not in named
    numbered = told(kind, ask(server, "GET", f"{path}&identity=id", SEES).content)
    assert ID in numbered and "1961-03-05" in numbered and "Verylongname" not in numbered
    refused = ask(server, "GET", f"{path}&identity=id", EXPORTS)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "needs_identity")
    assert ask(server, "GET", path, "only view").status_code == 403
    entries = server.ok("/dose/api/audit-log?limit=20")["entries"]
    noted = [
        (entry["action"], entry["subject"], entry["details"])
        for entry in entries
        if entry["user_name"] == SEES
    ]
    assert ("study exported", f"study {study}", f"{kind}, with patient name") in noted
    assert ("study exported", f"study {study}", kind) in noted


def test_orthancs_identifiers_which_are_made_from_the_patient_id_are_in_no_file(
    server: OrthancServer, details: list[dict[str, Any]]
) -> None:
    study = study_of(details, WORDS)["id"]
    identifiers = [*server.ok("/instances"), *server.ok("/series"), *server.ok("/studies")]
    for query in ("", "&identity=name", "&identity=id"):
        raw = file(server, study, "json", query)
        assert json.loads(raw)["study"]["objects"][0]["handle"] in server.held()
        assert not [one for one in identifiers if one.encode() in raw]


@pytest.mark.parametrize(("query", "status", "field"), [
    ("format=csv", 400, "format"), ("identity=all", 400, "identity"), ("language=fr", 400, "language"),
    ("size=a4", 400, "size"),
])  # fmt: skip
def test_what_there_is_not_is_said(
    server: OrthancServer, query: str, status: int, field: str
) -> None:
    answer = server.request("GET", f"/dose/api/studies/1/file?{query}")
    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field)
    for kind in ("pdf", "xlsx", "json"):
        assert (
            server.request("GET", f"/dose/api/studies/999999/file?format={kind}").status_code == 404
        )

"""Exports from the lists and on their page: what a browser downloads is read back and compared with
the list.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from orthanc_dose.samples import make_studies
from orthanc_dose.store import Store, tasks
from tests.browser.conftest import LOOK_NAMES, LOOKS, Enter, Look, entrance, fits
from tests.support.exports import begun, wanted
from tests.support.server import USER, OrthancServer
from tests.support.visitors import guarded

SECRET = "correct horse battery"
# Who may export: with who the patients are, without, and not at all.
ADDED = {
    "ines": ["view", "export", "patient identity"],
    "vera": ["view", "export"],
    "olga": ["view"],
}
FILTER = {"dlp_total_from": "400"}


def earlier(number: int, **more: Any) -> dict[str, Any]:
    """An export that was under way when the server ended."""
    moment = tasks.now()
    parameters = {"format": "csv", "modality": "CT", "query": FILTER, "identity": []}
    return {"id": number, "kind": "export", "subject": f"ct-{number}.csv", "user_name": USER, "state": "running", "done": 1,
            "total": 9, "parameters": parameters, "progress": {}, "result": {}, "created_at": moment, "started_at": moment,
            "finished_at": None} | more  # fmt: skip


@pytest.fixture(scope="module")
def own_server() -> Iterator[OrthancServer]:
    """A server with studies, users, and two exports that a restart broke off, the second with what
    was typed of a patient.
    """
    with guarded(PatientName="stored", PatientID="stored") as running:
        running.send(make_studies(40, seed=8))
        running.wait_until_idle()
        for name, groups in ADDED.items():
            answer = running.request(
                "PUT", f"/dose/api/users/{name}", json={"groups": groups, "password": SECRET}
            )
            assert answer.status_code == 200, answer.text
        assert running.stop() == 0
        store = Store(running.dose_directory)
        typed = {
            "format": "csv",
            "modality": "CT",
            "query": {"patient_name": "…"},
            "identity": ["name"],
        }
        with store.writing() as connection:
            tasks.write_task(connection, earlier(1))
            tasks.write_task(connection, earlier(2, parameters=typed))
            connection.execute("INSERT INTO state VALUES ('last_task', '2')")
        store.close()
        yield running.start()


@pytest.fixture
def come(browser: Browser, own_server: OrthancServer) -> Iterator[Enter]:
    with entrance(browser, own_server, SECRET) as opened:
        yield opened


def dialog_of(page: Page) -> Locator:
    page.get_by_role("button", name="Export", exact=True).click()
    dialog = page.get_by_role("dialog", name="Export studies")
    expect(dialog.get_by_role("radio", name=re.compile("^CSV"))).to_be_visible()
    return dialog


def downloaded(page: Page, link: Locator) -> tuple[str, bytes]:
    """The name and the content of the file that a click on the link brings."""
    with page.expect_download() as coming:
        link.click()
    return coming.value.suggested_filename, Path(coming.value.path()).read_bytes()


def started(page: Page) -> tuple[str, bytes]:
    """The file of the export that was started last, from the notice above the list."""
    notice = page.locator("section.export").first
    expect(notice).to_contain_text(re.compile("Export .*: done"))
    return downloaded(page, notice.get_by_role("link", name=re.compile("^Download")))


@pytest.mark.parametrize("look", LOOKS, ids=LOOK_NAMES)
def test_dialog_notice_and_page_are_clean(come: Enter, look: Look) -> None:
    visit = come(USER, look)
    page = visit.open("/studies/CT?dlp_total_from=400&study_description=ct")
    dialog = dialog_of(page)
    expect(dialog).to_contain_text("DLP total ≥ 400")
    visit.settle()
    visit.check()
    dialog.get_by_role("button", name="Start").click()
    expect(page.locator("section.export")).to_contain_text("done")
    expect(page.get_by_role("button", name="Export", exact=True)).to_be_focused()
    assert fits(page)
    visit.check()
    page = visit.open("/exports")
    expect(page.get_by_role("article").first).to_contain_text("DLP total ≥ 400")
    assert fits(page)
    visit.check()


def test_a_list_is_exported_by_keyboard_as_its_filters_stand(
    come: Enter, own_server: OrthancServer
) -> None:
    visit = come(USER)
    page = visit.open("/studies/CT?dlp_total_from=400")
    rows = own_server.studies(modality="CT", **FILTER)
    assert 1 < len(rows) < len(own_server.studies(modality="CT"))
    expect(page.locator("tbody .row-link")).to_have_count(len(rows))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Export the listed studies")
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    dialog = page.get_by_role("dialog", name="Export studies")
    expect(dialog).to_contain_text(f"Computed tomography: {len(rows)} studies")
    expect(dialog.get_by_role("list", name="Active filters")).to_have_text(
        "DLP total ≥ 400\u00a0mGy·cm"
    )
    expect(dialog.get_by_role("radio", name=re.compile("^CSV"))).to_be_focused()
    page.keyboard.press("Enter")
    name, raw = started(page)
    assert name.startswith("ct-") and name.endswith(".csv")
    titles, *lines = csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""))
    assert sorted(line[titles.index("Number")] for line in lines) == sorted(
        str(row["id"]) for row in rows
    )
    assert not {"Patient name", "Patient ID", "Date of birth"} & set(titles)
    # The list is still there; the notice goes when it is put away.
    expect(page).to_have_url(re.compile("/studies/CT"))
    page.get_by_role("button", name=re.compile("^Dismiss")).click()
    expect(page.locator("section.export")).to_have_count(0)
    visit.check()


def test_names_go_into_a_workbook_and_into_the_audit_log(
    come: Enter, own_server: OrthancServer
) -> None:
    visit = come("ines")
    page = visit.open("/studies/CT")
    dialog = dialog_of(page)
    expect(dialog).to_contain_text("the audit log records who exported them")
    dialog.get_by_role("radio", name=re.compile("Excel")).check()
    dialog.get_by_role("checkbox", name="Patient names").check()
    dialog.get_by_role("button", name="Start").click()
    name, raw = started(page)
    assert name.endswith(".xlsx")
    titles, *lines = openpyxl.load_workbook(io.BytesIO(raw))["All data"].iter_rows(values_only=True)
    rows = own_server.studies(modality="CT", columns="patient_name,patient_birth_date")
    assert "Patient ID" not in titles
    found = {line[titles.index("Number")]: line[titles.index("Patient name")] for line in lines}
    assert found == {row["id"]: row["patient_name"] for row in rows} and all(found.values())
    noted = own_server.ok("/dose/api/audit-log?limit=500")["entries"]
    assert any(
        (one["user_name"], one["action"]) == ("ines", "export started")
        and "with patient name" in one["details"]
        for one in noted
    ), noted[:3]
    # The next one begins with the format of this one, and without who the patients are.
    dialog = dialog_of(page)
    expect(dialog.get_by_role("radio", name=re.compile("Excel"))).to_be_checked()
    expect(dialog.get_by_role("checkbox", name="Patient names")).not_to_be_checked()
    visit.check()


def test_every_list_offers_what_the_server_makes_of_its_type(
    come: Enter, own_server: OrthancServer
) -> None:
    formats = own_server.ok("/dose/api/exports/formats")["formats"]
    counts = own_server.status()["store"]["studies"]
    visit = come(USER)
    for code in sorted(code for code, number in counts.items() if number):
        page = visit.open(f"/studies/{code}")
        dialog = dialog_of(page)
        if code == "MG":
            dialog.get_by_role("radio", name=re.compile("^NHSBSP")).check()
            # A form says nothing of who the patients are.
            expect(dialog.get_by_role("checkbox")).to_have_count(0)
            dialog.get_by_role("radio", name=re.compile("^CSV")).check()
            expect(dialog.get_by_role("checkbox")).to_have_count(2)
        offered = dialog.locator("input[name=export-format]")
        values = offered.evaluate_all("all => all.map((one) => one.value)")
        assert values == [
            one["name"] for one in formats if one["modalities"] is None or code in one["modalities"]
        ]
        dialog.get_by_role("radio", name=re.compile("^All modality types")).check()
        values = offered.evaluate_all("all => all.map((one) => one.value)")
        assert values == [one["name"] for one in formats if one["modalities"] is None]
    visit.check()


def test_all_modality_types_go_into_one_file(come: Enter, own_server: OrthancServer) -> None:
    visit = come(USER)
    page = visit.open("/exports")
    page.get_by_role("button", name="Export all studies").click()
    dialog = page.get_by_role("dialog", name="Export studies")
    rows = own_server.studies()
    expect(dialog).to_contain_text(f"All modality types: {len(rows)} studies")
    dialog.get_by_role("radio", name=re.compile("^CSV")).check()
    dialog.get_by_role("button", name="Start").click()
    expect(page.get_by_text("The export has started.")).to_be_visible()
    card = page.get_by_role("article", name=re.compile("^all-")).first
    _, raw = downloaded(page, card.get_by_role("link", name=re.compile("^Download")))
    titles, *lines = csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""))
    assert sorted(line[titles.index("Number")] for line in lines) == sorted(
        str(row["id"]) for row in rows
    )
    visit.check()


def test_the_list_of_one_system_is_called_by_its_name(
    come: Enter, own_server: OrthancServer
) -> None:
    system = own_server.studies(modality="CT")[0]
    begun(own_server, wanted("csv", "CT", query={"equipment_id": str(system["equipment_id"])}))
    visit = come(USER)
    page = visit.open("/exports")
    expect(page.get_by_role("article").first).to_contain_text(
        f"Filters: System: {system['equipment_display_name']}"
    )
    visit.check()


def test_nothing_is_not_exported(come: Enter) -> None:
    visit = come(USER)
    page = visit.open("/studies/CT?dlp_total_from=900000")
    dialog = dialog_of(page)
    expect(dialog).to_contain_text("There is nothing to export: no study matches the filters.")
    expect(dialog.get_by_role("button", name="Start")).to_be_disabled()
    page.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    visit.check()


def test_whoever_may_not_sees_no_way_to_it(come: Enter) -> None:
    visit = come("olga")
    page = visit.open("/studies/CT")
    expect(page.locator("tbody .row-link").first).to_be_visible()
    expect(page.get_by_role("button", name="Export", exact=True)).to_have_count(0)
    page.keyboard.press("d")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("link", name="Exports")).to_have_count(0)
    expect(visit.open("/exports").locator("main")).to_contain_text("“Export”")

    visit = come("vera")
    dialog = dialog_of(visit.open("/studies/CT"))
    expect(dialog.get_by_role("checkbox")).to_have_count(0)
    visit.check()


def test_one_sees_ones_own_and_an_administrator_all(come: Enter, own_server: OrthancServer) -> None:
    visit = come("vera")
    page = visit.open("/studies/DX")
    dialog_of(page).get_by_role("button", name="Start").click()
    name, _ = started(page)
    page = visit.open("/exports")
    assert (
        page.get_by_role("article").count()
        == own_server.request("GET", "/dose/api/tasks?kind=export", auth=("vera", SECRET)).json()[
            "total"
        ]
    )
    page = come(USER).open("/exports")
    card = page.get_by_role("article", name=name)
    expect(card).to_contain_text("vera")
    task = own_server.ok("/dose/api/tasks?kind=export")["tasks"][0]
    expect(card).to_contain_text(
        re.compile(
            rf"Radiography, CSV.*{task['result']['studies']} studies.*deleted after", re.DOTALL
        )
    )
    # Its time is a setting; where the time of tasks is shorter, that one.
    expect(page.locator("main")).to_contain_text("kept for 14 days")
    own_server.request("PUT", "/dose/api/settings", json={"task_days": 3})
    try:
        page.reload()
        expect(page.locator("main")).to_contain_text("kept for 3 days")
        removed = (datetime.fromisoformat(task["finished_at"]) + timedelta(days=3)).astimezone()
        expect(card).to_contain_text(f"deleted after {removed:%d/%m/%Y}")
    finally:
        own_server.delete("/dose/api/settings/task_days")


def test_what_a_restart_broke_off_can_be_started_again(
    come: Enter, own_server: OrthancServer
) -> None:
    visit = come(USER)
    page = visit.open("/exports")
    card = page.get_by_role("article", name="ct-1.csv")
    expect(card).to_contain_text("interrupted")
    expect(card).to_contain_text(
        "There is no file because the server stopped before it was complete. Start the export again."
    )
    expect(card.get_by_role("link")).to_have_count(0)
    before = own_server.ok("/dose/api/tasks?kind=export")["total"]
    card.get_by_role("button", name="Start again").click()
    expect(page.get_by_text("The export has started.")).to_be_visible()
    again = own_server.ok("/dose/api/tasks?kind=export")
    assert again["total"] == before + 1
    assert again["tasks"][0]["parameters"] == earlier(1)["parameters"]
    newest = page.get_by_role("article", name=again["tasks"][0]["subject"]).first
    expect(newest).to_contain_text(f"{len(own_server.studies(modality='CT', **FILTER))} studies")
    typed = page.get_by_role("article", name="ct-2.csv")
    expect(typed).to_contain_text("search terms for patients are not stored")
    expect(typed.get_by_role("button", name="Start again")).to_have_count(0)
    visit.settle()
    visit.check()


def test_one_under_way_shows_how_far_it_is_and_stops_after_a_question(come: Enter) -> None:
    """The server is too quick to catch one on its way: what it says of one is put in its place."""
    told = json.loads(json.dumps(earlier(7, done=2500, total=10_000), default=str)) | {
        "started_at": "2026-01-31T10:00:00Z"
    }
    asked: list[str] = []

    def answer(route: Any) -> None:
        state = "stopped" if asked else "running"
        finished = "2026-01-31T10:02:00Z" if asked else None
        route.fulfill(
            json={
                "now": "2026-01-31T10:01:30Z",
                "total": 1,
                "states": {state: 1},
                "tasks": [told | {"state": state, "finished_at": finished}],
            }
        )

    def stop(route: Any) -> None:
        asked.append(route.request.method)
        route.fulfill(json=told | {"state": "stopped"})

    visit = come(USER)
    visit.page.route(re.compile(r"/dose/api/tasks\?"), answer)
    visit.page.route("**/dose/api/tasks/7/stop", stop)
    page = visit.open("/exports")
    card = page.get_by_role("article")
    expect(card).to_contain_text(re.compile(r"2,?500 of 10,000 studies"))
    expect(card).to_contain_text("for 1 min 30 s")
    expect(card.get_by_role("progressbar")).to_have_attribute("value", "2500")
    expect(card.get_by_role("checkbox")).to_be_disabled()
    # The same element stands there through the answers that come: nothing flickers.
    card.get_by_role("progressbar").evaluate("bar => (bar.dataset.seen = 'yes')")
    with page.expect_response(re.compile(r"tasks\?kind=export")):
        pass
    expect(card.locator("progress[data-seen=yes]")).to_be_visible()
    visit.check()
    card.get_by_role("button", name="Stop").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("No file will be created.")
    dialog.get_by_role("button", name="Stop").click()
    expect(card).to_contain_text("stopped")
    expect(card.get_by_role("button", name="Start again")).to_be_visible()
    assert asked == ["POST"]


def test_the_page_of_tasks_leads_to_the_file(come: Enter, own_server: OrthancServer) -> None:
    visit = come(USER)
    page = visit.open("/studies/MG")
    dialog_of(page).get_by_role("button", name="Start").click()
    name, raw = started(page)
    page = visit.open("/tasks")
    card = page.get_by_role("article", name="Export").filter(has_text=name)
    expect(card).to_contain_text(re.compile(r"Mammography, CSV.*\d+ stud.*, .*B", re.DOTALL))
    assert downloaded(page, card.get_by_role("link", name=re.compile("^Download"))) == (name, raw)
    card.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text("Its file is deleted from the server.")
    visit.check()


def test_many_are_deleted_with_their_files_after_a_question(
    come: Enter, own_server: OrthancServer
) -> None:
    visit = come("vera")
    for code in ("CT", "RF"):
        page = visit.open(f"/studies/{code}")
        dialog_of(page).get_by_role("button", name="Start").click()
        started(page)
    folder = own_server.dose_directory / "exports"
    mine = own_server.request("GET", "/dose/api/tasks?kind=export", auth=("vera", SECRET)).json()[
        "tasks"
    ]
    assert {str(task["id"]) for task in mine} <= {path.name for path in folder.iterdir()}
    others = {path.name for path in folder.iterdir()} - {str(task["id"]) for task in mine}

    page = visit.open("/exports")
    cards = page.get_by_role("article")
    page.get_by_role("checkbox", name=f"Select {mine[0]['subject']}").check()
    page.get_by_role("button", name="Delete selected (1)").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(cards).to_have_count(len(mine))
    page.get_by_role("checkbox", name="Select all finished").check()
    page.get_by_role("button", name=f"Delete selected ({len(mine)})").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Delete {len(mine)} exports?")
    visit.check()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text(f"{len(mine)} exports deleted.")).to_be_visible()
    expect(page.get_by_role("heading", name="No exports")).to_be_visible()
    expect(page.locator("main")).to_contain_text("choose “Export” above it")
    assert {path.name for path in folder.iterdir()} == others
    visit.settle()
    visit.check()


def test_a_large_file_comes_in_pieces(come: Enter, own_server: OrthancServer) -> None:
    own_server.send(make_studies(12, seed=4, kinds=("rf",)))
    own_server.wait_until_idle()
    body = {"format": "jsonl", "modality": "RF", "query": {}, "identity": []}
    number = own_server.request("POST", "/dose/api/exports", json=body).json()["id"]
    own_server.wait_for(
        lambda: own_server.ok(f"/dose/api/tasks/{number}")["state"] == "done", "the export"
    )
    whole = own_server.request("GET", f"/dose/api/exports/{number}/file").content
    assert len(whole) > 2**20
    visit = come(USER)
    page = visit.open("/exports")
    asked: list[str] = []
    page.on(
        "request", lambda request: asked.append(request.url) if "/file" in request.url else None
    )
    name, raw = downloaded(
        page, page.get_by_role("article").first.get_by_role("link", name=re.compile("^Download"))
    )
    assert raw == whole and name.startswith("rf-") and name.endswith(".zip")
    assert [url.partition("offset=")[2] for url in asked] == [
        str(at) for at in range(0, len(whole), 2**20)
    ]
    visit.check()

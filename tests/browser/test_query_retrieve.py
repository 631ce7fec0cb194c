"""The pages of query-retrieve with a second real Orthanc as the PACS: nodes, a search, ticking off,
fetching.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from pydicom.dataset import Dataset

from orthanc_dose import samples
from tests.browser.conftest import LOOK_NAMES, LOOKS, WIDE, Look, Visit, entrance, fits, visits
from tests.support.server import OrthancServer, _free_ports, beside
from tests.support.visitors import guarded

DAY = "2026-03-02"
PATH = "/query-retrieve"


def study(number: int, *objects: Dataset, day: str = DAY) -> list[Dataset]:
    """One study, each modality a series."""
    for one in objects:
        one.StudyInstanceUID, one.PatientID = f"1.2.826.0.2.{number}", f"Q{number}"
        one.StudyDate, one.StudyDescription = day.replace("-", ""), f"Study {number}"
        one.SeriesInstanceUID = f"1.2.826.0.2.{number}.{1 if one.Modality == 'SR' else 2}"
        one.SeriesDescription, one.StationName = (
            ("Dose report" if one.Modality == "SR" else "Thorax"),
            "CT01",
        )
    return list(objects)


@pytest.fixture(scope="module")
def pacs() -> Iterator[OrthancServer]:
    """CT studies 1 to 4 with a report and three images, 5 with images alone, and a PET study."""
    with OrthancServer(
        plugin=False, overrides={"DicomAet": "PACS", "DicomCheckCalledAet": False}
    ) as running:
        for number in range(1, 5):
            report = samples.ct_report(2, key=f"queried {number}")
            running.send(
                study(number, report, *(samples.ct_slice(number * 10 + n) for n in range(3)))
            )
        running.send(study(5, *(samples.ct_slice(50 + n) for n in range(7))))
        running.send(study(6, *samples.nuclear_images("ge-pet")))
        yield running


@pytest.fixture(scope="module")
def ours(pacs: OrthancServer) -> Iterator[OrthancServer]:
    with beside(pacs, gone=["GONE", "127.0.0.1", _free_ports(1)[0]]) as running:
        yield running


@pytest.fixture
def visit(browser: Browser, ours: OrthancServer) -> Iterator[Visit]:
    yield from visits(browser, ours, WIDE, "light")


def ask(page: Page, *kinds: str, day: str = DAY) -> None:
    """Search for studies of that day."""
    for end in ("First day", "Last day"):
        page.get_by_label(end).fill(day)
    for kind in kinds:
        page.get_by_role("checkbox", name=kind, exact=True).check()
    page.get_by_role("button", name="Search", exact=True).click()
    page.wait_for_url(re.compile(r"query-retrieve/\d+$"))
    expect(page.get_by_role("region", name="Results")).to_be_visible()


def searched(server: OrthancServer, **more: Any) -> int:
    """A finished search, by the API."""
    asked = {"first": DAY, "last": DAY, "groups": ["CT", "NM"]} | more
    number = server.request("POST", "/dose/api/nodes/archive/searches", json=asked).json()["id"]
    server.wait_for(
        lambda: server.ok(f"/dose/api/tasks/{number}")["finished_at"] is not None, "the search"
    )
    return number


def facts(page: Page, region: str) -> dict[str, str]:
    """Terms and what is said of them."""
    found = page.get_by_role("region", name=region)
    return dict(
        zip(
            found.locator("dt").all_inner_texts(),
            found.locator("dd").all_inner_texts(),
            strict=True,
        )
    )


def test_nodes_are_echoed_and_say_why_not(visit: Visit, ours: OrthancServer) -> None:
    page = visit.open(PATH)
    archive, gone = page.get_by_role("row", name="archive"), page.get_by_role("row", name="gone")
    expect(archive.get_by_text("responds", exact=True)).to_be_visible()
    expect(archive).to_contain_text(re.compile(r"\d ms, at \d\d:\d\d:\d\d"))
    expect(gone.get_by_text("no response", exact=True)).to_be_visible()
    expect(gone).to_contain_text("connection refused")
    expect(page.locator("main")).to_contain_text(f"enter the AE title OURS, port {ours.dicom_port}")
    with page.expect_response("**/nodes/gone/echo"):
        gone.get_by_role("button", name="Test node gone").click()
    expect(gone.get_by_text("no response", exact=True)).to_be_visible()
    visit.check()


def test_nodes_say_whether_they_would_send(visit: Visit, ours: OrthancServer) -> None:
    page = visit.open(PATH)
    archive, gone = page.get_by_role("row", name="archive"), page.get_by_role("row", name="gone")
    archive.get_by_role("button", name="Test whether node archive can send to OURS").click()
    # Orthanc looks for the study first.
    expect(archive.get_by_text("undetermined", exact=True)).to_be_visible()
    expect(archive).to_contain_text("Retrieve a study to find out whether it knows OURS.")
    gone.get_by_role("button", name="Test whether node gone can send to OURS").click()
    expect(gone.get_by_text("does not accept requests", exact=True)).to_be_visible()
    expect(gone.get_by_role("status")).to_contain_text("connection refused")
    visit.check()


def test_what_is_found_is_ticked_off_and_fetched(
    visit: Visit, ours: OrthancServer, pacs: OrthancServer
) -> None:
    page = visit.open(PATH)
    ask(page, "CT", "NM (NM, PT)")
    # What the PACS has: four reports and a series of PET, of which one image says all.
    assert facts(page, "Results") == {
        "Studies found": str(len(pacs.ok("/studies"))),
        "with series to retrieve": "5",
        "Series to retrieve": "5",
        "Objects to retrieve": "5",
    }
    table = page.get_by_role("region", name="Studies and series")
    expect(table.get_by_role("row", name="dose report")).to_have_count(4)
    pet = len(
        [one for one in pacs.ok("/instances?expand") if "1.2.826.0.2.6.2" in series_of(pacs, one)]
    )
    expect(table.get_by_role("row", name="one PET image")).to_contain_text(f"1 of {pet}")
    page.get_by_role("link", name="Skipped", exact=True).click()
    expect(table.get_by_role("row", name="covered by another series")).to_have_count(4)
    expect(table.get_by_role("row", name="the study has no dose report")).to_contain_text("7")
    expect(table.get_by_role("checkbox")).to_have_count(0)
    page.get_by_role("link", name="To retrieve", exact=True).click()
    bar = page.get_by_role("region", name="Selected for retrieval")
    # All off, two studies on again, of which one series off.
    page.get_by_role("checkbox", name="Retrieve all").uncheck()
    expect(bar).to_contain_text("Nothing is selected.")
    for number in (1, 2, 3):
        box = page.get_by_role("checkbox", name=f"Retrieve the study of 02/03/2026, Study {number}")
        with page.expect_response("**/chosen"):
            box.check()
    with page.expect_response("**/chosen"):
        # Below the third study; in which order the PACS answers is its own affair.
        box.locator("xpath=following::tr[1]").get_by_role(
            "checkbox", name="Retrieve series SR Dose report"
        ).uncheck()
    expect(bar).to_contain_text("2 series of 2 studies selected")
    assert page.get_by_role("checkbox", name="Retrieve all").evaluate("box => box.indeterminate")
    visit.check()
    # The choice outlives the page.
    page.reload()
    visit.settle()
    expect(bar).to_contain_text("2 series of 2 studies selected")
    bar.get_by_role("button", name="Retrieve 2 objects").click()
    panel = page.get_by_role("region", name="Retrieval", exact=True)
    expect(panel).to_contain_text("everything requested has arrived")
    assert facts(page, "Retrieval") == {
        "requested": "2",
        "arrived": "2",
        "imported": "2",
        "series failed": "0",
        "missing": "0",
    }
    held = {one["MainDicomTags"]["StudyInstanceUID"] for one in ours.ok("/studies?expand")}
    assert (
        held == {"1.2.826.0.2.1", "1.2.826.0.2.2"} and ours.ok("/statistics")["CountInstances"] == 2
    )
    expect(table.get_by_text("imported", exact=True)).to_have_count(2)
    expect(bar).to_contain_text("Everything selected has been retrieved.")
    expect(bar.get_by_role("button")).to_have_count(0)
    visit.check()
    table.get_by_role("row", name="Study 2").get_by_role("link", name="In the database").click()
    visit.settle()
    expect(page.get_by_role("main").locator("tbody tr")).to_have_count(1)
    expect(page.get_by_role("main").locator("tbody tr")).to_contain_text("Study 2")
    # The list of searches says so, too, and a new search leaves what is there.
    page = visit.open(PATH)
    expect(
        page.get_by_role("region", name="Recent searches").locator("tbody tr").first
    ).to_contain_text("2 imported")
    ask(page)
    expect(page.get_by_role("region", name="Results")).to_contain_text("2 already in the database")


def series_of(server: OrthancServer, instance: dict[str, Any]) -> str:
    return server.ok(f"/series/{instance['ParentSeries']}")["MainDicomTags"]["SeriesInstanceUID"]


def test_decisions_are_a_file(visit: Visit, ours: OrthancServer, tmp_path: Path) -> None:
    number = searched(ours, leave_out_known=False)
    page = visit.open(f"{PATH}/{number}")
    visit.sign_in()
    with page.expect_download() as begun:
        page.get_by_role("link", name="Decisions as CSV").click()
    begun.value.save_as(tmp_path / "decisions.csv")
    lines = list(csv.DictReader(io.StringIO((tmp_path / "decisions.csv").read_text("utf-8-sig"))))
    found = ours.ok(f"/dose/api/searches/{number}/found?limit=500")["found"]
    assert [(one["series_instance_uid"], one["kept"], one["reason"]) for one in lines] == [
        (one["series_instance_uid"] or "", str(one["kept"]).lower(), one["reason"] or "")
        for one in found
    ]
    assert {one["reason_in_words"] for one in lines if one["reason"] == "dose_report"} == {
        "dose report"
    }


def test_what_fails_is_said_and_fetched_again(
    visit: Visit, ours: OrthancServer, pacs: OrthancServer
) -> None:
    lost = study(
        70, samples.ct_report(1, key="lost meanwhile"), samples.ct_slice(700), day="2026-03-05"
    )
    pacs.send(lost)
    number = searched(ours, first="2026-03-05", last="2026-03-05")
    [there] = [
        one["ID"]
        for one in pacs.post("/tools/lookup", b"1.2.826.0.2.70")[1]
        if one["Type"] == "Study"
    ]
    pacs.delete(f"/studies/{there}")
    page = visit.open(f"{PATH}/{number}")

    def answer_late(route: Route) -> None:
        """When the page hears that the retrieval has begun, it has ended."""
        answer = route.fetch()
        task = f"/dose/api/tasks/{answer.json()['id']}"
        ours.wait_for(lambda: ours.ok(task)["finished_at"] is not None, "the retrieval")
        route.fulfill(response=answer)

    page.route("**/retrieve", answer_late, times=1)
    page.get_by_role("button", name="Retrieve 1 object").click()
    panel = page.get_by_role("region", name="Retrieval", exact=True)
    expect(panel).to_contain_text("The node no longer has it. (1)")
    assert facts(page, "Retrieval") == {
        "requested": "1",
        "arrived": "0",
        "imported": "0",
        "series failed": "1",
        "missing": "1",
    }
    expect(page.get_by_role("row", name="Dose report")).to_contain_text(
        "failed: The node no longer has it."
    )
    visit.check()
    pacs.send(lost)
    page.get_by_role("button", name="Retrieve 1 object").click()
    expect(panel).to_contain_text("everything requested has arrived")


def test_a_search_that_cannot_be_done_says_why_and_doubts_are_words(
    visit: Visit, ours: OrthancServer
) -> None:
    page = visit.open(PATH)
    page.get_by_role("combobox", name="Node").select_option("gone")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("Choose at least one type.")
    page.get_by_role("checkbox", name="MG", exact=True).check()
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("connection refused")
    expect(page.locator("main")).to_contain_text("there is nothing to retrieve")
    visit.check()
    # The same again, of the other node, of a day that has nothing; then day by day.
    page.get_by_role("link", name="Search again").click()
    expect(page.get_by_role("combobox", name="Node")).to_have_value("gone")
    expect(page.get_by_role("checkbox", name="MG", exact=True)).to_be_checked()
    page.get_by_role("combobox", name="Node").select_option("archive")
    page.get_by_label("Station names: Only containing").fill("CT01, Room 2")
    ask(page, day="2025-01-01")
    expect(page.locator("main")).to_contain_text("The node returned no studies.")
    expect(page.locator("main")).to_contain_text("stations containing “CT01”, “Room 2”")
    visit.check()
    before = page.url
    page.get_by_role("button", name="Search again day by day").click()
    page.wait_for_url(lambda url: url != before)
    expect(page.locator("main")).to_contain_text("day by day")
    expect(page.locator("main")).to_contain_text("The node returned no studies.")


def test_a_node_is_added_changed_and_removed(
    visit: Visit, ours: OrthancServer, pacs: OrthancServer
) -> None:
    page = visit.open(PATH)
    page.get_by_role("button", name="Add node").click()
    dialog = page.get_by_role("dialog", name="Add node")
    expect(dialog).to_contain_text(
        f"The node must know this server: AE title OURS, port {ours.dicom_port}"
    )
    for label, text in (
        ("Name in Orthanc", "second"),
        ("AE title", "A\\B"),
        ("Host name or IP address", "127.0.0.1"),
    ):
        dialog.get_by_label(label, exact=True).fill(text)
    dialog.get_by_label("Port", exact=True).fill(str(pacs.dicom_port))
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("an AE title")
    visit.complaints.clear()  # the browser notes the answer 400
    visit.check()
    dialog.get_by_label("AE title", exact=True).fill("PACS")
    dialog.get_by_role("button", name="Save").click()
    row = page.get_by_role("row", name="second")
    expect(row.get_by_text("responds", exact=True)).to_be_visible()
    page.get_by_role("button", name="Change node second").click()
    dialog = page.get_by_role("dialog", name="Change node second")
    dialog.get_by_label("Title", exact=True).fill("Second <archive>")
    dialog.get_by_text("Advanced", exact=True).click()
    dialog.get_by_label("Modality in study queries").check()
    dialog.get_by_role("button", name="Save").click()
    row = page.get_by_role("row", name="Second <archive>")
    expect(row).to_contain_text("Modality in study queries")
    [node] = [one for one in ours.ok("/dose/api/nodes")["nodes"] if one["added"]]
    assert (node["name"], node["title"], node["modality_too"]) == (
        "second",
        "Second <archive>",
        True,
    )
    assert node["port"] == pacs.dicom_port
    # Of a node of the configuration the address is only shown.
    page.get_by_role("button", name="Change node gone").click()
    dialog = page.get_by_role("dialog", name="Change node gone")
    expect(dialog.get_by_label("Port", exact=True)).to_be_disabled()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Remove node gone")).to_have_count(0)
    page.get_by_role("button", name="Remove node Second <archive>").click()
    question = page.get_by_role("dialog", name="Remove node Second <archive>?")
    question.get_by_role("button", name="Cancel").click()
    expect(row).to_be_visible()
    page.get_by_role("button", name="Remove node Second <archive>").click()
    question.get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)
    assert [one["name"] for one in ours.ok("/dose/api/nodes")["nodes"]] == ["archive", "gone"]
    visit.check()


@pytest.mark.parametrize("look", LOOKS, ids=LOOK_NAMES)
def test_pages_are_clean_in_both_themes_and_widths(
    browser: Browser, ours: OrthancServer, look: Look
) -> None:
    number = searched(ours, leave_out_known=False)
    for visit in visits(browser, ours, look[1], look[0]):
        page = visit.open(PATH)
        expect(page.get_by_text("no response", exact=True)).to_be_visible()
        page.get_by_text("Advanced").click()
        visit.check()
        assert fits(page)
        page.get_by_role("button", name="Add node").click()
        page.get_by_role("dialog").get_by_text("Advanced", exact=True).click()
        visit.check()
        for show in ("", "?show=left", "?show=all"):
            page = visit.open(f"{PATH}/{number}{show}")
            visit.check()
            assert fits(page)


def test_the_group_opens_the_pages_and_administrators_add_the_first_node(browser: Browser) -> None:
    with guarded() as server, entrance(browser, server, "") as come:
        visit = come("only query-retrieve")
        page = visit.open("/")
        page.locator("summary", has_text="Administration").click()
        page.get_by_role("navigation", name="Main").get_by_role(
            "link", name="Query-retrieve"
        ).click()
        expect(page.locator("main")).to_contain_text("Ask an administrator to add one")
        expect(page.get_by_role("button", name="Add node")).to_have_count(0)
        expect(page.get_by_role("form", name="Search")).to_have_count(0)
        visit.check()
        visit = come("only export")
        page = visit.open("/")
        expect(page.get_by_role("link", name="Query-retrieve")).to_have_count(0)
        page = visit.open(PATH)
        expect(page.locator("main")).to_contain_text("You do not have access to this page")

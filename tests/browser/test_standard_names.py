"""The page of standard names: mapping a text, the order of entries, what is not complete, CSV out
and in.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import LOOK_NAMES, LOOKS, WIDE, Visit, fits, visits
from tests.support.server import OrthancServer
from tests.support.systems import named, report

API = "/dose/api/standard-names"


@pytest.fixture(scope="module")
def own_server() -> Iterator[OrthancServer]:
    """Three CT studies of two descriptions, one of which holds wildcards."""
    with OrthancServer() as running:
        texts = {"a": "Head [routine] *", "b": "Head [routine] *", "c": "Abdomen"}
        running.send(named(report(study), StudyDescription=text) for study, text in texts.items())
        running.wait_until_idle()
        yield running


@pytest.fixture(autouse=True)
def no_map(own_server: OrthancServer) -> None:
    assert own_server.request("PUT", API, json={"entries": []}).status_code == 200


@pytest.fixture
def visit(browser: Browser, own_server: OrthancServer) -> Iterator[Visit]:
    yield from visits(browser, own_server, WIDE, "light")


def entries(server: OrthancServer) -> list[dict[str, Any]]:
    return server.ok(API)["entries"]


def description(page: Page) -> None:
    page.get_by_label("Text", exact=True).last.select_option("study_description")


def test_a_text_is_mapped_and_its_studies_have_the_name_at_once(
    visit: Visit, own_server: OrthancServer
) -> None:
    page = visit.open("/standard-names")
    description(page)
    page.get_by_role("button", name="Map: Head [routine] *, Computed tomography").click()
    field = page.get_by_label("Standard name, entry 1")
    expect(field).to_be_focused()
    # Its own wildcards mean themselves.
    expect(page.get_by_label("Pattern, entry 1")).to_have_value("Head [[]routine] [*]")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text(
        "Every entry needs a pattern and a standard name."
    )
    expect(field).to_have_attribute("aria-invalid", "true")
    assert entries(own_server) == []
    field.fill("Head")
    visit.check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text("Saved. The changes are in effect.")
    assert entries(own_server) == [
        {
            "kind": "study_description",
            "pattern": "Head [[]routine] [*]",
            "modality": "CT",
            "standard_name": "Head",
        }
    ]
    found = own_server.studies(standard_names_is="Head", columns="standard_names")
    assert [row["standard_names"] for row in found] == [["Head"]] * 2
    description(page)
    expect(page.get_by_role("button", name=re.compile("^Map: Head"))).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("^Map: Abdomen"))).to_have_count(1)
    visit.check()


def test_the_first_entry_counts_and_entries_are_moved_and_removed(
    visit: Visit, own_server: OrthancServer
) -> None:
    entry = {"kind": "study_description", "modality": None}
    both = [
        entry | {"pattern": "*", "standard_name": "Any"},
        entry | {"pattern": "abdomen", "standard_name": "Abdomen"},
    ]
    assert own_server.request("PUT", API, json={"entries": both}).status_code == 200
    page = visit.open("/standard-names")
    page.get_by_role("button", name="Move entry 2 up").click()
    expect(page.get_by_label("Standard name, entry 1")).to_have_value("Abdomen")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text("Saved. The changes are in effect.")
    assert [one["standard_name"] for one in entries(own_server)] == ["Abdomen", "Any"]
    assert len(own_server.studies(standard_names_is="Abdomen")) == 1
    page.get_by_role("button", name="Remove entry 2").click()
    # Who leaves with something unsaved is asked.
    page.get_by_role("link", name="Activity").click()
    page.get_by_role("dialog", name="Leave without saving?").get_by_role(
        "button", name="Cancel"
    ).click()
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_label("Standard name, entry 2")).to_have_value("Any")
    page.get_by_role("link", name="Activity").click()
    expect(page).to_have_url(re.compile("/activity"))


def test_the_map_goes_out_as_csv_and_comes_back(
    visit: Visit, own_server: OrthancServer, tmp_path: Path
) -> None:
    there = [
        {
            "kind": "study_description",
            "pattern": "Über*",
            "modality": "CT",
            "standard_name": "Übersicht",
        }
    ]
    assert own_server.request("PUT", API, json={"entries": there}).status_code == 200
    page = visit.open("/standard-names")
    # The browser sends the header that signs this test in with the requests of pages, and not with
    # a download.
    address = page.get_by_role("link", name="Export CSV").get_attribute("href") or ""
    out = tmp_path / "map.csv"
    out.write_bytes(own_server.request("GET", address).content)
    more = tmp_path / "more.csv"
    text = "kind;pattern;modality;standard_name\nstudy_description;Knie*;;Knie über alles\n"
    more.write_bytes(text.encode("windows-1252"))
    page.get_by_role("button", name="Import CSV").click()
    dialog = page.get_by_role("dialog", name="Import a mapping")
    dialog.get_by_label("CSV file").set_input_files(more)
    visit.check()
    dialog.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator("main")).to_contain_text(
        "more.csv has been imported. The changes are in effect."
    )
    assert [one["standard_name"] for one in entries(own_server)] == ["Übersicht", "Knie über alles"]
    page.get_by_role("button", name="Import CSV").click()
    dialog.get_by_label("CSV file").set_input_files(out)
    dialog.get_by_label("Replace the existing mapping").check()
    expect(dialog).to_contain_text("2 existing entries will be removed.")
    dialog.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator("main")).to_contain_text("map.csv has been imported")
    assert entries(own_server) == there
    # A file of another kind is refused, and nothing changes.
    (tmp_path / "wrong.csv").write_text("a,b\n1,2\n")
    page.get_by_role("button", name="Import CSV").click()
    dialog.get_by_label("CSV file").set_input_files(tmp_path / "wrong.csv")
    dialog.get_by_role("button", name="Import", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text(
        "The first line must contain the column names"
    )
    assert entries(own_server) == there


@pytest.mark.parametrize(("scheme", "viewport"), LOOKS, ids=LOOK_NAMES)
def test_the_page_is_clean_in_both_themes_and_widths(
    browser: Browser, own_server: OrthancServer, scheme: str, viewport: dict[str, int]
) -> None:
    for visit in visits(browser, own_server, viewport, scheme):
        page = visit.open("/standard-names")
        description(page)
        page.get_by_role("button", name=re.compile("^Map:")).first.click()
        expect(page.get_by_label("Standard name, entry 1")).to_be_focused()
        assert fits(page), "no scrolling sideways"
        visit.check()

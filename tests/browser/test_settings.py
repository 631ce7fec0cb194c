"""The page of settings: what is changed is on the server, and what the server refuses stands beside
its field.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import LOOK_NAMES, LOOKS, WIDE, Visit, fits, visits
from tests.support.server import OrthancServer


@pytest.fixture(scope="module")
def own_server() -> Iterator[OrthancServer]:
    """A server whose settings the tests of this file change."""
    with OrthancServer(dose={"DoseScreens": ["GE*/Light*"]}) as running:
        yield running


@pytest.fixture(autouse=True)
def as_at_first(own_server: OrthancServer) -> None:
    for setting in own_server.ok("/dose/api/settings")["settings"]:
        if setting["changed"]:
            own_server.delete(f"/dose/api/settings/{setting['name']}")


@pytest.fixture
def visit(browser: Browser, own_server: OrthancServer) -> Iterator[Visit]:
    yield from visits(browser, own_server, WIDE, "light")


@pytest.fixture(params=LOOKS, ids=LOOK_NAMES)
def any_visit(
    request: pytest.FixtureRequest, browser: Browser, own_server: OrthancServer
) -> Iterator[Visit]:
    yield from visits(browser, own_server, *reversed(request.param))


def value(server: OrthancServer, name: str) -> Any:
    return next(
        one["value"] for one in server.ok("/dose/api/settings")["settings"] if one["name"] == name
    )


def row(page: Page, title: str) -> Any:
    return page.get_by_role("region", name=re.compile(rf"^{re.escape(title)}( changed| unsaved)?$"))


def test_each_topic_is_clean_in_both_themes_and_widths(
    any_visit: Visit, own_server: OrthancServer
) -> None:
    topics = {one["topic"] for one in own_server.ok("/dose/api/settings")["settings"]}
    for topic in sorted(topics):
        page = any_visit.open(f"/settings/{topic}")
        assert fits(page), "the page must not scroll sideways"
        any_visit.check()


def test_every_setting_stands_on_the_page_of_its_topic_with_default_and_key(
    visit: Visit, own_server: OrthancServer
) -> None:
    answer = own_server.ok("/dose/api/settings")
    page = visit.open("/")
    page.get_by_text("Administration", exact=True).click()
    page.get_by_role("link", name="Settings").click()
    visit.settle()
    for topic in answer["topics"]:
        settings = [one for one in answer["settings"] if one["topic"] == topic["name"]]
        if not settings:
            continue
        page.get_by_role("navigation", name="Settings by topic").get_by_role(
            "link", name=topic["title"]
        ).click()
        expect(page.get_by_role("heading", level=2).first).to_have_text(topic["title"])
        for setting in settings:
            expect(row(page, setting["title"])).to_contain_text("Default:")
            expect(row(page, setting["title"]).locator("code")).to_have_text(setting["key"])


def test_changes_are_saved_together_and_set_back(visit: Visit, own_server: OrthancServer) -> None:
    page = visit.open("/settings/sources")
    page.get_by_role("switch", name="CT images").press("Space")
    fresh = page.get_by_label("New pattern")
    fresh.fill("TOSHIBA*/Aquilion*")
    fresh.press("Enter")
    expect(page.get_by_text("2 unsaved changes")).to_be_visible()
    visit.check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    assert value(own_server, "dose_from_ct_images") is True
    assert set(value(own_server, "dose_screens")) == {"GE*/Light*", "TOSHIBA*/Aquilion*"}

    expect(row(page, "CT images")).to_contain_text("changed")
    page.get_by_role("button", name="Reset to default: Dose screens").click()
    expect(page.get_by_text("1 unsaved change")).to_be_visible()
    assert len(value(own_server, "dose_screens")) == 2, "it goes back with Save"
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    assert value(own_server, "dose_screens") == ["GE*/Light*"]
    expect(row(page, "Dose screens")).not_to_contain_text("changed")


def test_what_cannot_be_is_said_beside_its_field_and_nothing_is_saved(
    visit: Visit, own_server: OrthancServer
) -> None:
    page = visit.open("/settings/sources")
    page.get_by_role("switch", name="CT images").press("Space")
    page.get_by_label("New pattern").fill("no maker and model")
    page.get_by_label("New pattern").press("Enter")
    page.get_by_role("button", name="Save").click()
    # The browser says on its console that the server refused.
    expect(row(page, "Dose screens").get_by_role("alert")).to_contain_text("MANUFACTURER/MODEL")
    assert value(own_server, "dose_from_ct_images") is False

    page.get_by_role("link", name="Logs and tasks").click()
    tasks = page.get_by_role("textbox", name="Finished tasks")
    tasks.fill("0")
    page.get_by_role("button", name="Save").click()
    expect(row(page, "Finished tasks").get_by_role("alert")).to_contain_text("from 1 to 3650")
    expect(tasks).to_be_focused()
    page.get_by_role("button", name="Discard").click()
    expect(tasks).to_have_value("90")
    expect(page.get_by_role("button", name="Save")).to_have_count(0)


def test_many_patterns_are_pasted_as_lines_and_removed(
    visit: Visit, own_server: OrthancServer
) -> None:
    page = visit.open("/settings/sources")
    page.evaluate(
        """() => {
            const field = document.querySelector('[aria-label="New pattern"]');
            const data = new DataTransfer();
            data.setData('text', 'A*/B\\r\\n\\nC*/D\\nGE*/Light*\\n');
            field.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
        }"""
    )
    page.get_by_role("button", name="Remove GE*/Light*").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    assert set(value(own_server, "dose_screens")) == {"A*/B", "C*/D"}


def test_a_pattern_that_is_added_by_the_way_does_not_move_what_is_clicked(
    visit: Visit, own_server: OrthancServer
) -> None:
    """Leaving the field adds the pattern, and a line makes the page below it longer."""
    settings = {"not_patient_names": ["phantom*"], "not_patient_ids": ["qa*"]}
    answer = own_server.request("PUT", "/dose/api/settings", json=settings)
    assert answer.status_code == 200, answer.text
    page = visit.open("/settings/test data")
    remove = page.get_by_role("button", name="Remove qa*")
    row(page, "Not-patient names").get_by_label("New pattern").fill("physics*")
    place = remove.bounding_box()
    assert place
    page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    page.mouse.down()
    # People take a tenth of a second; the page is drawn anew at once.
    page.evaluate("() => new Promise(then => requestAnimationFrame(() => setTimeout(then, 100)))")
    page.mouse.up()
    expect(remove).to_have_count(0)
    expect(page.get_by_role("button", name="Remove physics*")).to_be_visible()


def test_who_leaves_with_unsaved_changes_is_asked(visit: Visit) -> None:
    page = visit.open("/settings/region")
    page.get_by_label("Sunday").check()
    page.get_by_role("link", name="Dose sources").click()
    expect(page.get_by_role("link", name="Dates and times")).to_contain_text("unsaved")
    page.get_by_role("link", name="Studies", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page).to_have_url(re.compile("/settings/sources"))
    page.get_by_role("link", name="Studies", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    expect(page).to_have_url(re.compile("/studies"))


def test_dates_and_times_are_as_the_installation_says(
    browser: Browser, server: OrthancServer
) -> None:
    study = server.studies()[0]
    year, month, day = study["study_date"].split("-")
    committed = server.status()["queue"]["last_commit_at"]
    try:
        for visit in visits(browser, server, WIDE, "light"):
            page = visit.open(f"/study/{study['id']}")
            expect(page.locator("main header time, main time").first).to_contain_text(
                f"{day}/{month}/{year}"
            )
            visit.open("/settings/region")
            page.get_by_label("31.01.2026").check()
            page.get_by_label("Saturday").check()
            page.get_by_role("combobox", name="Time zone").fill("Asia/Kolkata")
            page.get_by_role("button", name="Save").click()
            expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
            page.get_by_role("link", name="Activity").click()
            # UTC and five and a half hours: the minutes tell.
            minutes = (int(committed[14:16]) + 30) % 60
            expect(page.get_by_role("region", name="Import status")).to_contain_text(
                re.compile(rf"\d\d\.\d\d\.\d{{4}} \d\d:{minutes:02d}:{committed[17:19]}")
            )
            visit.open(f"/study/{study['id']}")
            expect(page.locator("main time").first).to_contain_text(f"{day}.{month}.{year}")
            visit.open("/studies/CT?weekday=mon")
            days = page.locator("button[aria-label$=day]")
            expect(days.first).to_have_attribute("aria-label", "Saturday")
            expect(days.last).to_have_attribute("aria-label", "Friday")
            visit.check()
    finally:
        for name in ("date_format", "first_day_of_week", "time_zone"):
            server.delete(f"/dose/api/settings/{name}")


def test_the_whole_record_is_copied_from_the_page(visit: Visit, own_server: OrthancServer) -> None:
    page = visit.open("/settings/exports")
    panel = page.get_by_role("region", name="Parquet copy of the dose record")
    expect(panel).to_contain_text("none yet")
    panel.get_by_role("button", name="Copy now").click()
    dialog = page.get_by_role("dialog", name="Copy now?")
    expect(dialog).to_contain_text("without patient names")
    dialog.get_by_role("button", name="Apply").click()
    expect(panel).to_contain_text(re.compile(r"dose-\d{8}-\d{6}"))
    told = own_server.ok("/dose/api/exports/copy")
    expect(panel.locator("dd").nth(1)).to_have_text(told["newest"])
    assert (Path(told["folder"]) / "latest" / "study" / "data_0.parquet").is_file()
    visit.check()

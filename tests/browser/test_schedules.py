"""The pages of schedules on real servers: from a model to the report of a run, changing, switching
off, deleting, refusing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from orthanc_dose import samples
from tests.browser.conftest import LOOK_NAMES, LOOKS, WIDE, Look, Visit, entrance, fits, visits
from tests.browser.test_query_retrieve import DAY, study
from tests.support.people import SECRET, put_user
from tests.support.server import OrthancServer, beside
from tests.support.visitors import guarded

PATH = "/query-retrieve/schedules"
API = "/dose/api/schedules"
# Not that of the machine, and never the same time as it.
ZONE = "Asia/Tokyo"
ENTRY: dict[str, Any] = {
    "node": "archive",
    "question": {"groups": ["CT"]},
    "cron": "0 7 * * 1-5",
    "time_zone": ZONE,
    "look_back": 2,
    "unit": "hours",
    "fetch": False,
    "on": True,
}


@pytest.fixture(scope="module")
def ours() -> Iterator[OrthancServer]:
    """Its PACS has two CT studies of today: one with a report, one of images alone."""
    with OrthancServer(
        plugin=False, overrides={"DicomAet": "PACS", "DicomCheckCalledAet": False}
    ) as pacs:
        today = date.today().isoformat()
        pacs.send(study(1, samples.ct_report(2, key="today"), samples.ct_slice(1), day=today))
        pacs.send(study(2, *(samples.ct_slice(20 + number) for number in range(7)), day=today))
        with beside(pacs) as running:
            yield running


@pytest.fixture
def visit(browser: Browser, ours: OrthancServer) -> Iterator[Visit]:
    for one in ours.ok(API)["schedules"]:
        assert ours.delete(f"{API}/{one['name']}")[0] == 200
    yield from visits(browser, ours, WIDE, "light")


def put(server: OrthancServer, name: str, **changed: Any) -> None:
    answer = server.request("PUT", f"{API}/{name}", json=ENTRY | changed)
    assert answer.status_code == 200, answer.text


def kept(server: OrthancServer, name: str) -> dict[str, Any]:
    [found] = [one for one in server.ok(API)["schedules"] if one["name"] == name]
    return dict(found)


def said_of(page: Page, name: str, term: str) -> Any:
    """What a card says of one thing."""
    return (
        page.get_by_role("region", name=name, exact=True)
        .locator("dl > div", has_text=term)
        .first.locator("dd")
    )


def test_a_model_is_saved_and_run_and_the_run_has_its_report(
    visit: Visit, ours: OrthancServer
) -> None:
    visit.page.context.new_cdp_session(visit.page).send(
        "Emulation.setTimezoneOverride", {"timezoneId": ZONE}
    )
    page = visit.open("/query-retrieve")
    page.get_by_role("link", name="Schedules").click()
    expect(page.locator("main")).to_contain_text("No schedules yet")
    visit.check()
    page.get_by_role("link", name="Retrieve yesterday’s studies every night").click()
    form = page.get_by_role("form", name="Schedule")
    expect(form.get_by_label("Name", exact=True)).to_have_value("nightly")
    for kind in ("CT", "MG", "FL (RF, XA)", "DX (DX, CR, PX, IO, RG)", "NM (NM, PT)"):
        expect(form.get_by_role("checkbox", name=kind, exact=True)).to_be_checked()
    expect(form.get_by_label("Cron expression")).to_have_value("30 2 * * *")
    expect(form.get_by_label("Time zone")).to_have_value(ZONE)
    expect(form.get_by_label("Period")).to_have_value("dayBefore")
    expect(form.get_by_label("Retrieve studies with dose data")).to_be_checked()
    visit.check()
    form.get_by_role("button", name="Save").click()
    card = page.get_by_role("region", name="nightly", exact=True)
    expect(card).to_contain_text("At 02:30, every day")
    expect(card).to_contain_text("It has not run yet.")
    one = kept(ours, "nightly")
    assert (one["cron"], one["time_zone"], one["look_back"], one["unit"]) == (
        "30 2 * * *",
        ZONE,
        1,
        "days",
    )
    assert (
        one["question"]["groups"] == ["CT", "MG", "FL", "DX", "NM"] and one["fetch"] and one["on"]
    )
    card.get_by_role("button", name="Run schedule nightly now").click()
    expect(page.get_by_text("A run of nightly has started:")).to_be_visible()
    # Two studies, of which the store had none when it looked; one report is fetched.
    summary = card.locator("summary")
    expect(summary).to_contain_text(
        "2 studies found, 1 of 1 objects retrieved, 2 studies not in the database"
    )
    summary.click()
    row = card.get_by_role("region", name="Runs of nightly").locator("tbody tr")
    expect(row).to_have_count(1)
    expect(row.get_by_text("done", exact=True)).to_be_visible()
    expect(row.locator("td.number")).to_have_text(
        [re.compile(rf"^\s*{number}\D") for number in (2, 1, 0, 0, 2)]
    )
    visit.check()
    row.get_by_role("link").click()
    gaps = page.get_by_role("region", name="Missing from the database", exact=True)
    # What was fetched is no gap any more.
    expect(gaps.get_by_role("link")).to_have_text(["1 all", "1 skipped by a rule"])
    assert ours.ok("/dose/api/studies/count?modality=CT")["total"] == 1


def test_times_are_said_in_the_zone_of_the_schedule_and_in_that_of_the_browser(
    visit: Visit, ours: OrthancServer
) -> None:
    # 07:00 in Tokyo is 22:00 UTC all the year.
    put(ours, "daily", cron="0 7 * * *")
    browser = visit.page.context.new_cdp_session(visit.page)
    browser.send("Emulation.setTimezoneOverride", {"timezoneId": "UTC"})
    page = visit.open(PATH)
    expect(said_of(page, "daily", "Next run")).to_have_text(
        re.compile(r"\d\d/\d\d/\d{4} 07:00 \(Asia/Tokyo\), \d\d/\d\d/\d{4} 22:00 in your time zone")
    )
    expect(said_of(page, "daily", "Period")).to_have_text("2 hours")
    expect(said_of(page, "daily", "Action")).to_have_text("Check only")
    browser.send("Emulation.setTimezoneOverride", {"timezoneId": ZONE})
    page = visit.open(PATH)
    expect(said_of(page, "daily", "Next run")).to_have_text(
        re.compile(r"^\s*\d\d/\d\d/\d{4} 07:00\s*$")
    )


def test_a_schedule_is_changed_switched_off_and_deleted(visit: Visit, ours: OrthancServer) -> None:
    put(
        ours,
        "early",
        question={"groups": ["CT"], "descriptions_leave_out": ["research"], "by_day": True},
    )
    page = visit.open(PATH)
    expect(said_of(page, "early", "Runs")).to_contain_text("At 07:00, Monday through Friday")
    expect(said_of(page, "early", "Criteria")).to_have_text(
        "CT; descriptions not containing “research”; day by day"
    )
    page.get_by_role("link", name="Change schedule early").click()
    form = page.get_by_role("form", name="Schedule")
    expect(form.get_by_label("Name", exact=True)).to_be_disabled()
    expect(form.get_by_label("How often")).to_have_value("weekdays")
    expect(form.get_by_label("Study descriptions: Not containing")).to_have_value("research")
    expect(form.get_by_role("checkbox", name="Query day by day")).to_be_checked()
    # The choices write the expression, the expression shows in the choices.
    form.get_by_label("How often").select_option("weekly")
    form.get_by_label("Day of the week").select_option(label="Wednesday")
    form.get_by_label("Time", exact=True).fill("21:05")
    form.get_by_label("Time", exact=True).blur()
    expect(form.get_by_label("Cron expression")).to_have_value("5 21 * * 3")
    expect(form).to_contain_text("At 21:05, only on Wednesday")
    form.get_by_label("How often").select_option("hourly")
    form.get_by_label("at minute").fill("40")
    form.get_by_label("at minute").blur()
    expect(form.get_by_label("Cron expression")).to_have_value("40 * * * *")
    form.get_by_label("Cron expression").fill("61 * * * *")
    expect(form.get_by_label("How often")).to_have_value("own")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("a cron expression")
    visit.complaints.clear()  # the browser notes the answer 409
    expect(form.get_by_label("Cron expression")).to_have_attribute("aria-invalid", "true")
    visit.check()
    form.get_by_label("Cron expression").fill("*/20 * * * *")
    form.get_by_label("Period").select_option("lastHour")
    form.get_by_label("Study descriptions: Not containing").fill("research, phantom")
    form.get_by_role("button", name="Save").click()
    expect(said_of(page, "early", "Runs")).to_contain_text("Every 20 minutes")
    expect(said_of(page, "early", "Period")).to_have_text("the last hour")
    one = kept(ours, "early")
    assert (one["cron"], one["look_back"], one["unit"]) == ("*/20 * * * *", 1, "hours")
    assert (
        one["question"]["descriptions_leave_out"] == ["research", "phantom"]
        and one["question"]["by_day"]
    )
    switch = page.get_by_role("switch", name="Schedule early runs automatically")
    switch.press("Space")
    expect(said_of(page, "early", "Next run")).to_have_text("none: the schedule is off")
    expect(switch).not_to_be_checked()
    assert kept(ours, "early") | {"on": True} == {
        **one,
        "last_due": kept(ours, "early")["last_due"],
        "next_run": None,
    }
    page.get_by_role("button", name="Delete schedule early").click()
    question = page.get_by_role("dialog", name="Delete schedule early?")
    question.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("region", name="early", exact=True)).to_be_visible()
    page.get_by_role("button", name="Delete schedule early").click()
    question.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Schedule early has been deleted.")).to_be_visible()
    expect(page.locator("main")).to_contain_text("No schedules yet")
    assert ours.ok(API)["schedules"] == []
    visit.check()


def test_a_search_is_saved_as_a_schedule(visit: Visit, ours: OrthancServer) -> None:
    put(ours, "search")
    page = visit.open("/query-retrieve")
    page.get_by_role("checkbox", name="MG", exact=True).check()
    page.get_by_label("Station names: Only containing").fill("Room 2")
    page.get_by_role("button", name="Save as schedule").click()
    form = page.get_by_role("form", name="Schedule")
    # A name that is free is proposed, one that is taken refused.
    expect(form.get_by_label("Name", exact=True)).to_have_value("search-2")
    page.reload()
    expect(form.get_by_role("checkbox", name="MG", exact=True)).to_be_checked()
    expect(form.get_by_role("checkbox", name="CT", exact=True)).not_to_be_checked()
    expect(form.get_by_label("Station names: Only containing")).to_have_value("Room 2")
    form.get_by_label("Name", exact=True).fill("search")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_have_text(
        "There is already a schedule with this name. Choose another name."
    )
    form.get_by_label("Name", exact=True).fill("mammography")
    form.get_by_label("Check only").check()
    form.get_by_role("button", name="Save").click()
    expect(said_of(page, "mammography", "Criteria")).to_have_text(
        "MG; stations containing “Room 2”"
    )
    one = kept(ours, "mammography")
    assert (
        one["question"]["groups"] == ["MG"]
        and one["question"]["stations_keep"] == ["Room 2"]
        and not one["fetch"]
    )
    # From the page of a search, too; days and times stay there.
    asked = {"first": DAY, "last": DAY, "time_from": "08:00", "groups": ["NM"], "by_day": True}
    number = ours.request("POST", "/dose/api/nodes/archive/searches", json=asked).json()["id"]
    page = visit.open(f"/query-retrieve/{number}")
    page.get_by_role("button", name="Save as schedule").click()
    expect(form.get_by_role("checkbox", name="NM (NM, PT)", exact=True)).to_be_checked()
    expect(form.get_by_role("checkbox", name="Query day by day")).to_be_checked()
    form.get_by_role("button", name="Save").click()
    expect(said_of(page, "search-2", "Criteria")).to_have_text("NM; day by day")
    visit.check()


def test_what_cannot_run_says_why(browser: Browser) -> None:
    with guarded() as server, entrance(browser, server, SECRET) as come:
        added = server.request(
            "PUT", "/dose/api/nodes/archive", json={"aet": "PACS", "host": "127.0.0.1", "port": 104}
        )
        assert added.status_code == 200
        put_user(server, "quinn", groups=["query-retrieve"], password=SECRET)
        page = come("quinn").open(f"{PATH}/new?as=gap-check")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("region", name="gap-check", exact=True)).to_contain_text(
            "Check only"
        )
        put_user(server, "quinn", groups=["view"])
        visit = come("only query-retrieve")
        page = visit.open(PATH)
        expect(page.locator("main")).to_contain_text(
            "It does not run because quinn, who saved it, no longer has permission for query-retrieve."
        )
        visit.check()
        page.get_by_role("button", name="Run schedule gap-check now").click()
        expect(page.get_by_role("alert")).to_contain_text(
            "somebody who has it must save the schedule again"
        )
        # Who may saves it, and it runs in their name.
        page.get_by_role("link", name="Change schedule gap-check").click()
        page.get_by_role("button", name="Save").click()
        expect(said_of(page, "gap-check", "Last saved by")).to_have_text("only query-retrieve")
        expect(page.locator("main")).not_to_contain_text("It does not run")
        # A run that cannot begin is told, too, without a way to a search.
        assert server.delete("/dose/api/nodes/archive")[0] == 200
        page.reload()
        card = page.get_by_role("region", name="gap-check", exact=True)
        expect(card).to_contain_text("Orthanc no longer knows the node “archive”")
        card.get_by_role("button", name="Run schedule gap-check now").click()
        expect(page.get_by_role("alert")).to_contain_text(
            "Orthanc no longer has the node of this schedule: add the node again or choose another."
        )
        card.locator("summary").click()
        row = card.get_by_role("region", name="Runs of gap-check").locator("tbody tr")
        expect(row.get_by_text("failed", exact=True)).to_be_visible()
        expect(row.get_by_role("link")).to_have_count(0)


@pytest.mark.parametrize("look", LOOKS, ids=LOOK_NAMES)
def test_pages_are_clean_in_both_themes_and_widths(
    browser: Browser, ours: OrthancServer, look: Look
) -> None:
    put(ours, "clean")
    if not kept(ours, "clean")["runs"]:
        ours.post(f"{API}/clean/run", b"{}")
    ours.wait_for(lambda: kept(ours, "clean")["runs"][0]["finished_at"] is not None, "the run")
    put(ours, "off", on=False, cron="0 7 1 * 1", look_back=30, unit="days")
    for visit in visits(browser, ours, look[1], look[0]):
        page = visit.open(PATH)
        for summary in page.locator("main summary").all():
            summary.click()
        visit.check()
        assert fits(page)
        for path in ("/new", "/off/change", "/gone/change"):
            page = visit.open(PATH + path)
            visit.check()
            assert fits(page)
        expect(page.locator("main")).to_contain_text("Schedule not found")

"""The page of reference levels, the table of percentiles with them beside the numbers, and control
bands in the page.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from orthanc_dose import samples
from orthanc_dose.samples.ct import default_events
from tests.browser.conftest import LOOK_NAMES, LOOKS, WIDE, Visit, fits, visits
from tests.support.server import OrthancServer

API = "/dose/api/reference-levels"
CHART, OVER_TIME = "ct-dlp-study-description", "ct-dlp-over-time-study-description"
HEAD = {
    "name": "Head",
    "modality": "CT",
    "quantity": "dlp_total",
    "value": 790,
    "statistic": "median",
    "source": "Somebody",
    "valid": True,
}


@pytest.fixture(scope="module")
def own_server() -> Iterator[OrthancServer]:
    """Studies of two descriptions over some months, those of children among them, the last month
    with twice the dose.
    """
    with OrthancServer() as running:
        for number in range(72):
            at = datetime(2025, 1 + number // 12, 1 + number % 12, 10)
            events = default_events(2, 3, at, f"h{number}")
            for event in events:
                event.dlp = (event.dlp or 100) * (1 + number % 12 / 40) * (2 if number >= 60 else 1)
            made = samples.ct_report(events, key=f"h{number}")
            made.StudyDate, made.StudyTime = f"{at:%Y%m%d}", f"{at:%H%M%S}"
            made.StudyDescription = "CT Head" if number % 6 else "CT Abdomen"
            made.PatientAge, made.PatientBirthDate = ("010Y" if number % 4 == 1 else "050Y"), ""
            running.send(made)
        running.wait_until_idle()
        yield running


@pytest.fixture(autouse=True)
def no_levels(own_server: OrthancServer) -> None:
    for level in levels(own_server):
        assert own_server.request("DELETE", f"{API}/{level['id']}").status_code == 200


@pytest.fixture
def visit(browser: Browser, own_server: OrthancServer) -> Iterator[Visit]:
    yield from visits(browser, own_server, WIDE, "light")


def levels(server: OrthancServer) -> list[dict[str, Any]]:
    return server.ok(API)["levels"]


def add(server: OrthancServer, **level: Any) -> None:
    answer = server.request("POST", API, json=HEAD | level)
    assert answer.status_code == 200, answer.text


def test_shipped_levels_are_loaded_and_matched_one_by_one(
    visit: Visit, own_server: OrthancServer
) -> None:
    page = visit.open("/reference-levels")
    expect(page.locator("main")).to_contain_text("No reference levels yet")
    number = own_server.ok(API)["shipped"]["missing"]
    page.get_by_role("button", name=f"Load {number} supplied levels").click()
    expect(page.locator("tbody tr")).to_have_count(number)
    expect(page.get_by_text("not matched yet", exact=True)).to_have_count(number)
    page.get_by_role("searchbox", name="Find a level").fill("acute stroke")
    expect(page.locator("tbody tr")).to_have_count(2)
    visit.check()
    page.get_by_role("button", name="Change: Head: Acute stroke, DLP total").click()
    dialog = page.get_by_role("dialog", name="Change reference level")
    expect(dialog.get_by_label("Level [mGy·cm]")).to_have_value("790")
    dialog.get_by_label("Pattern", exact=True).fill("*head*")
    dialog.get_by_label("Level [mGy·cm]").fill("7 hundred")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("7 hundred")
    visit.check()
    dialog.get_by_label("Level [mGy·cm]").fill("789.5")
    dialog.get_by_role("button", name="Save").click()
    expect(
        page.get_by_role("status").get_by_text("Head: Acute stroke has been saved.")
    ).to_be_visible()
    [changed] = [level for level in levels(own_server) if level["pattern"]]
    assert (changed["pattern"], changed["value"], changed["age_from"], changed["year"]) == (
        "*head*",
        789.5,
        18,
        2022,
    )
    page.get_by_role("checkbox", name=f"Only levels not matched yet ({number - 1})").check()
    expect(page.locator("tbody tr")).to_have_count(1)


def test_a_level_is_added_and_deleted_and_put_back(visit: Visit, own_server: OrthancServer) -> None:
    page = visit.open("/reference-levels")
    page.get_by_role("button", name="Add level").click()
    dialog = page.get_by_role("dialog", name="Add reference level")
    dialog.get_by_label("Examination").fill("Angiography of children")
    dialog.get_by_label("Modality type").select_option("RF")
    dialog.get_by_label("Quantity").select_option("dap_total")
    dialog.get_by_label("Level [cGy·cm²]").fill("1,250")
    dialog.get_by_label("Age, to below").fill("16")
    dialog.get_by_label("Matched by").select_option("standard_name")
    dialog.get_by_label("Standard name", exact=True).fill("Angiography")
    dialog.get_by_label("Source", exact=True).fill("Our own, of last year")
    dialog.get_by_role("button", name="Save").click()
    row = page.get_by_role("row", name="Angiography of children")
    expect(row).to_contain_text("under 16 years")
    expect(row).to_contain_text("1250 cGy·cm²")
    [made] = levels(own_server)
    assert (made["value"], made["standard_name"], made["age_to"], made["pattern"]) == (
        1250,
        "Angiography",
        16,
        None,
    )
    page.get_by_role("button", name="Delete: Angiography of children, DAP total").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert len(levels(own_server)) == 1
    page.get_by_role("button", name="Delete: Angiography of children, DAP total").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("main")).to_contain_text("No reference levels yet")
    assert levels(own_server) == []
    page.get_by_role("button", name="Restore").click()
    expect(row).to_be_visible()
    [back] = levels(own_server)
    assert {**back, "id": made["id"]} == made
    visit.check()


def test_a_change_of_one_thing_leaves_all_others_as_they_are(
    visit: Visit, own_server: OrthancServer
) -> None:
    add(own_server, value=123456.789, age_from=0.125, weight_to=1000, pattern="*head*", phantom="head",
        quantity="ct_event_mean_ctdivol", year=2022, url="https://example.org/x", note="n", statistic="p75")  # fmt: skip
    [before] = levels(own_server)
    page = visit.open("/reference-levels")
    expect(page.get_by_role("row", name="Head")).to_contain_text("123,456.789")
    page.get_by_role("button", name="Change: Head").click()
    page.get_by_role("dialog").get_by_label("Examination").fill("Head again")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name="Head again")).to_be_visible()
    assert levels(own_server) == [before | {"name": "Head again"}]


def card(page: Page, chart: str, view: str) -> Locator:
    found = page.locator(f"[data-chart={chart}]")
    found.scroll_into_view_if_needed()
    found.get_by_role("button", name=view, exact=True).click()
    return found


def test_rows_of_the_table_show_how_they_stand_to_their_levels(
    visit: Visit, own_server: OrthancServer
) -> None:
    head = own_server.studies(study_description_exactly="CT Head")
    values = [study["dlp_total"] for study in head]
    middle = statistics.median(values)
    add(own_server, name="low", value=round(middle / 2), pattern="*head*", year=2022)
    add(own_server, name="children", value=round(middle * 3), pattern="*head*", age_to=18)
    page = visit.open("/studies/CT")
    found = card(page, CHART, "Percentiles")
    row = found.get_by_role("row", name="CT Head")
    own = found.get_by_role("list", name="Reference levels of CT Head")
    low, children = (
        own.get_by_role("listitem").filter(has_text=re.compile(rf"\b{name}\b"))
        for name in ("low", "children")
    )
    # A sign and a word, and not the colour alone.
    expect(low).to_contain_text(f"▲ over {round(middle / 2)}")
    expect(low).to_contain_text(f"n = {len(head)}")
    ages = own_server.studies(study_description_exactly="CT Head", patient_age_to="17")
    expect(children).to_contain_text("✓ at or below")
    expect(children).to_contain_text(f"under 18 years, n = {len(ages)}")
    colours = [
        one.locator(".side").evaluate("one => getComputedStyle(one).color")
        for one in (low, children)
    ]
    assert colours[0] != colours[1]
    expect(found.get_by_role("list")).to_have_count(1)
    # The 60 heads have an interval of each percentile, the 12 abdomens none of the 95th.
    cells = found.get_by_role("row", name="CT Abdomen").get_by_role("cell")
    expect(cells.filter(has_text="No interval: at least 59 values are needed.")).to_have_count(1)
    expect(row.get_by_text("No interval")).to_have_count(0)
    visit.check()
    row.get_by_role("link", name="CT Head").click()
    visit.settle()
    expect(page.locator("main")).to_contain_text(f"{len(head)} studies")


def test_a_month_out_of_control_has_its_sign(visit: Visit, own_server: OrthancServer) -> None:
    page = visit.open("/studies/CT")
    found = card(page, OVER_TIME, "Change")
    # The line of the most frequent description is on, with its band; its last month is above it.
    expect(found.locator(".scatterlayer .trace")).to_have_count(4)
    found.get_by_role("button", name="Data as a table").click()
    rows = found.get_by_role("row").filter(has_text="CT Head")
    expect(rows.filter(has_text="Above the control band")).to_have_count(1)
    expect(rows.last).to_contain_text("Above the control band")
    visit.check()


@pytest.mark.parametrize(("scheme", "viewport"), LOOKS, ids=LOOK_NAMES)
def test_pages_are_clean_in_both_themes_and_widths(
    browser: Browser, own_server: OrthancServer, scheme: str, viewport: dict[str, int]
) -> None:
    add(own_server, name="low", value=1, pattern="*head*", weight_from=5, weight_to=15)
    add(own_server, name="high", value=1e6, pattern="*head*", valid=True)
    add(own_server, name="not matched", value=10, url="https://example.org/levels", note="A note")
    for visit in visits(browser, own_server, viewport, scheme):
        page = visit.open("/reference-levels")
        assert fits(page), "no scrolling sideways"
        visit.check()
        page.get_by_role("button", name="Add level").click()
        visit.check()
        page = visit.open("/studies/CT")
        expect(card(page, CHART, "Percentiles").get_by_role("listitem")).to_have_count(2)
        assert fits(page), "no scrolling sideways"
        visit.check()

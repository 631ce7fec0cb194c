"""Pages of studies that do not come from a dose report alone, and what can be done with them."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from orthanc_dose import samples
from tests.browser.conftest import LOOK_NAMES, LOOKS, WIDE, Visit, fits, visits
from tests.support.server import OrthancServer

DIALOG = "Exclude this object from the dose record?"


@pytest.fixture(scope="module")
def mixed_server() -> Iterator[OrthancServer]:
    with OrthancServer() as running:
        running.send(samples.radiography_study("ge-xr220"))
        running.send(samples.radiopharmaceutical_report())
        running.send(samples.radiography_report())
        running.send(samples.screening())
        running.wait_until_idle()
        yield running


@pytest.fixture
def visit(browser: Browser, mixed_server: OrthancServer) -> Iterator[Visit]:
    yield from visits(browser, mixed_server, WIDE, "light")


@pytest.fixture(params=LOOKS, ids=LOOK_NAMES)
def any_visit(
    request: pytest.FixtureRequest, browser: Browser, mixed_server: OrthancServer
) -> Iterator[Visit]:
    scheme, viewport = request.param
    yield from visits(browser, mixed_server, viewport, scheme)


def number_of(server: OrthancServer, modality: str, source: str) -> int:
    numbers = [row["id"] for row in server.studies(modality=modality)]
    return next(
        one for one in numbers if server.get(f"/dose/api/studies/{one}")[1]["source"] == source
    )


def open_dialog(page: Page, at: int = 0) -> None:
    page.locator("#objects").get_by_role("button", name=re.compile("Exclude")).nth(at).click()
    expect(page.get_by_role("dialog", name=DIALOG)).to_be_visible()


@pytest.mark.parametrize(
    ("modality", "source"), [("NM", "report"), ("DX", "image header"), ("MG", "image header")]
)
def test_pages_of_every_source_are_clean(
    any_visit: Visit, mixed_server: OrthancServer, modality: str, source: str
) -> None:
    for path in (f"/studies/{modality}", f"/study/{number_of(mixed_server, modality, source)}"):
        page = any_visit.open(path)
        assert fits(page), "the page must not scroll sideways"
        any_visit.check()


def test_nuclear_medicine_speaks_of_administrations(
    visit: Visit, mixed_server: OrthancServer
) -> None:
    page = visit.open("/")
    expect(page.locator("main article").filter(has_text="Nuclear medicine")).to_contain_text(
        "1 administration"
    )
    page = visit.open(f"/study/{number_of(mixed_server, 'NM', 'report')}")
    main = page.locator("main")
    expect(page.get_by_role("heading", name="Radiopharmaceutical administrations")).to_be_visible()
    expect(main).to_contain_text("MBq")
    expect(page.locator("#events")).to_contain_text("Organ dose")
    expect(main).not_to_contain_text(re.compile("irradiation event", re.IGNORECASE))
    expect(page.locator("#accumulated")).to_have_count(0)


def test_a_dose_from_image_headers_is_seen_as_such(
    visit: Visit, mixed_server: OrthancServer
) -> None:
    page = visit.open(f"/study/{number_of(mixed_server, 'DX', 'image header')}")
    expect(page.locator("header.heading")).to_contain_text("Not from a dose report")
    expect(page.locator("#events .panel-head")).to_contain_text("image header")
    heads = page.locator("#events thead th")
    for title in ("DAP", "Exposure index", "Target exposure index", "Deviation index"):
        expect(heads.filter(has_text=re.compile(rf"^\s*{title}"))).to_have_count(1)
    page = visit.open(f"/study/{number_of(mixed_server, 'DX', 'report')}")
    expect(page.locator("header.heading")).not_to_contain_text("Not from a dose report")


def test_what_no_field_takes_is_folded_and_can_be_searched(
    visit: Visit, mixed_server: OrthancServer
) -> None:
    page = visit.open(f"/study/{number_of(mixed_server, 'MG', 'image header')}")
    part = page.locator("#not-used")
    expect(part.locator("table")).not_to_be_visible()
    part.locator("summary").click()
    expect(part.locator("table")).to_be_visible()
    rows = part.locator("tbody tr")
    search = part.get_by_role("searchbox")
    if search.count():
        search.fill("no element says this")
        expect(rows).to_have_count(0)
        expect(part).to_contain_text("No item")
    visit.check()


def test_rows_of_the_events_have_one_height(visit: Visit, mixed_server: OrthancServer) -> None:
    page = visit.open(f"/study/{number_of(mixed_server, 'MG', 'image header')}")
    page.get_by_text("Columns", exact=False).first.click()
    page.get_by_role("button", name="All", exact=True).click()
    page.keyboard.press("Escape")
    heights = page.locator("#events tbody tr").evaluate_all(
        "rows => rows.map(row => Math.round(row.offsetHeight))"
    )
    assert len(heights) > 1
    assert max(heights) - min(heights) <= 1, heights  # the last row has no line below it


def test_the_dialog_keeps_the_focus_and_closes_with_escape(
    visit: Visit, mixed_server: OrthancServer
) -> None:
    page = visit.open(f"/study/{number_of(mixed_server, 'NM', 'report')}")
    open_dialog(page)
    visit.check()
    for key in ("Tab", "Tab", "Tab", "Shift+Tab", "Shift+Tab"):
        page.keyboard.press(key)
        assert page.evaluate("Boolean(document.activeElement.closest('dialog'))"), (
            f"the focus left the dialog with {key}"
        )
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(":focus")).to_contain_text("Exclude")


def test_an_object_is_taken_out_and_comes_back(visit: Visit, mixed_server: OrthancServer) -> None:
    page = visit.open(f"/study/{number_of(mixed_server, 'DX', 'image header')}")
    before = page.locator("#objects tbody tr").count()
    assert before == 2
    open_dialog(page)
    page.get_by_role("button", name="Exclude from the dose record", exact=True).click()
    expect(page.locator("#objects tbody tr")).to_have_count(before - 1)
    expect(page.get_by_role("status").filter(has_text="has been excluded")).to_be_visible()
    page.get_by_role("button", name="Re-import", exact=True).click()
    expect(page.locator("#objects tbody tr")).to_have_count(before)
    visit.check()


def test_a_study_without_its_only_object_leads_back_to_the_list(
    visit: Visit, mixed_server: OrthancServer
) -> None:
    page = visit.open(f"/study/{number_of(mixed_server, 'NM', 'report')}")
    open_dialog(page)
    expect(page.get_by_role("dialog")).to_contain_text("The study is removed from the dose record")
    page.get_by_role("button", name="Exclude from the dose record", exact=True).click()
    expect(page).to_have_url(re.compile("/studies/NM"))
    expect(
        page.get_by_role("status").filter(has_text="no longer in the dose record")
    ).to_be_visible()
    assert mixed_server.studies(modality="NM") == []
    page.get_by_role("button", name="Re-import", exact=True).click()
    expect(page.locator("main tbody tr")).to_have_count(1)
    visit.check()


def test_a_system_is_set_to_another_modality_type(
    visit: Visit, mixed_server: OrthancServer
) -> None:
    page = visit.open(f"/study/{number_of(mixed_server, 'DX', 'report')}")
    page.get_by_label("Modality type of this system").select_option("RF")
    expect(page.get_by_role("navigation", name="Breadcrumb")).to_contain_text("Fluoroscopy")
    select = page.get_by_label("Modality type of this system")
    expect(select).to_have_value("RF")
    visit.settle()
    select.select_option("by-rule")
    expect(page.get_by_role("navigation", name="Breadcrumb")).to_contain_text("Radiography")
    expect(page.get_by_label("Modality type of this system")).to_have_value("by-rule")
    visit.check()


def test_all_kept_content_is_read_again(visit: Visit) -> None:
    page = visit.open("/activity")
    page.get_by_role("button", name="Re-import all stored content").click()
    expect(page.get_by_role("dialog", name="Re-import all stored content?")).to_be_visible()
    visit.check()
    page.get_by_role("dialog").get_by_role("button", name="Re-import").click()
    expect(page.get_by_role("region", name="Re-importing all stored content")).to_contain_text(
        "nothing changed"
    )
    expect(page.get_by_role("button", name="Re-import all stored content")).to_be_enabled()
    visit.check()

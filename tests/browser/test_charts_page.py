"""The charts beside the lists as parts of the page: how they are loaded, shown and hidden, enlarged
and saved.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Page, Route, expect

from orthanc_dose import samples
from orthanc_dose.samples import CtEvent
from tests.browser.conftest import Visit
from tests.browser.test_charts import BARS, card, look
from tests.support.server import OrthancServer

FIGURES = re.compile(r"/dose/api/charts/[^/]+/figure")


@pytest.fixture(autouse=True)
def _usual(server: OrthancServer) -> Iterator[None]:
    yield
    assert (
        server.request(
            "PUT", "/dose/api/charts/options", json={"on": None, "charts": None}
        ).status_code
        == 200
    )


def wheel_through(page: Page) -> None:
    """Until all charts have come near once."""
    for chart in page.locator("[data-chart]").all():
        chart.scroll_into_view_if_needed()
        expect(chart.locator(".plot, .empty").first).to_be_visible()
        expect(chart.locator("[aria-busy=true]")).to_have_count(0)


@pytest.mark.parametrize("modality", ["CT", "DX", "RF", "MG", "NM"])
def test_all_charts_of_a_modality_are_drawn(
    visit: Visit, server: OrthancServer, modality: str
) -> None:
    page = visit.open(f"/studies/{modality}")
    expected = [
        chart["title"] for chart in server.ok(f"/dose/api/charts?modality={modality}")["charts"]
    ]
    if page.locator("#list tbody .row-link").count():
        expect(page.locator("[data-chart] h3")).to_have_text(expected)
        wheel_through(page)
    visit.check()


def test_the_page_with_charts_in_both_themes_and_widths(any_visit: Visit) -> None:
    page = any_visit.open("/studies/CT")
    card(page, "ct-dlp-protocol").get_by_role("button", name="Data as a table").click()
    page.get_by_role("button", name="Show all", exact=True).click()
    wheel_through(page)
    any_visit.check()
    width = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert width == 0


def test_colours_follow_the_theme_without_asking_the_server(visit: Visit) -> None:
    page = visit.open("/studies/CT")
    chart = card(page, "ct-dlp-protocol")
    before = chart.locator(BARS).first.evaluate("bar => getComputedStyle(bar).fill")
    asked: list[str] = []
    page.on(
        "request",
        lambda request: asked.append(request.url) if FIGURES.search(request.url) else None,
    )
    page.evaluate("document.documentElement.setAttribute('data-bs-theme', 'dark')")
    expect(chart.locator(BARS).first).not_to_have_css("fill", before)
    assert asked == []


def test_one_click_switches_all_off_and_on_again(visit: Visit, server: OrthancServer) -> None:
    page = visit.open("/studies/CT")
    expect(page.locator("[data-chart]").first).to_be_visible()
    page.get_by_role("button", name="Hide", exact=True).click()
    expect(page.locator("[data-chart]")).to_have_count(0)
    asked: list[str] = []
    page.on(
        "request",
        lambda request: asked.append(request.url) if FIGURES.search(request.url) else None,
    )
    visit.open("/studies/CT")
    expect(page.locator("[data-chart]")).to_have_count(0)
    assert asked == [] and server.ok("/dose/api/charts/options")["options"]["on"] is False
    page.get_by_role("button", name="Charts", exact=True).click()
    expect(page.locator("[data-chart]").first).to_be_visible()
    assert server.ok("/dose/api/charts/options")["options"]["on"] is True


def test_charts_come_two_at_a_time_and_never_block_the_list(visit: Visit) -> None:
    page = visit.page
    held: list[Route] = []
    given_up: list[str] = []
    page.route(FIGURES, lambda route: held.append(route))
    page.on("requestfailed", lambda request: given_up.append(request.url))
    page.goto(f"{visit.base}/dose/app/studies/CT")
    expect(page.locator("#list tbody .row-link").first).to_be_visible()
    expect(page.get_by_role("progressbar", name="Loading").first).to_be_visible()
    page.get_by_role("button", name="Show all", exact=True).click()

    def no_more_than(number: int) -> None:
        """So many come, and no further one soon after."""
        while len(held) < number:
            page.wait_for_timeout(50)
        page.wait_for_timeout(300)
        assert len(held) == number

    no_more_than(2)
    held[0].continue_()
    expect(page.locator(".plot .main-svg").first).to_be_visible()
    no_more_than(3)
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", level=1, name="Computed tomography")).to_have_count(0)
    page.wait_for_load_state("networkidle")
    assert sorted(given_up) == sorted(route.request.url for route in held[1:])
    assert len(held) == 3


def test_a_chart_that_fails_can_be_tried_again(visit: Visit) -> None:
    page, failed = visit.page, []

    def fail_once(route: Route) -> None:
        if failed:
            route.continue_()
        else:
            failed.append(route.request.url)
            route.fulfill(
                status=503, json={"error": {"code": "busy", "message": "Not now.", "field": None}}
            )

    page.route("**/charts/ct-dlp-protocol/figure*", fail_once)
    page = visit.open("/studies/CT")
    chart = page.locator("[data-chart=ct-dlp-protocol]")
    expect(chart.get_by_role("alert")).to_contain_text("Not now.")
    chart.get_by_role("button", name="Try again").click()
    expect(chart.locator(BARS).first).to_be_visible()
    expect(chart.get_by_role("alert")).to_have_count(0)


def test_charts_without_values_say_so(visit: Visit) -> None:
    page = visit.open("/studies/CT?dlp_total_empty=yes")
    if page.locator("#list tbody .row-link").count():
        words = "None of these studies has a value"
        expect(page.locator("[data-chart=ct-dlp-study-description] .empty")).to_contain_text(words)


def test_zoom_and_reset_by_buttons(visit: Visit) -> None:
    chart = card(visit.open("/studies/CT"), "ct-dlp-study-description")
    axis = chart.locator(".xaxislayer-above")
    whole = axis.text_content()
    chart.get_by_role("button", name="Zoom in").click()
    expect(axis).not_to_have_text(whole or "")
    chart.get_by_role("button", name="Reset zoom").click()
    expect(axis).to_have_text(whole or "")


def test_full_screen_keeps_the_picture_and_gives_the_focus_back(
    visit: Visit, server: OrthancServer
) -> None:
    page = visit.open("/studies/CT")
    chart = card(page, "ct-dlp-protocol")
    look(chart, "Histogram")
    bars = len(server.ok("/dose/api/charts/ct-dlp-protocol/figure?view=histogram")["rows"])
    expect(chart.locator(BARS)).to_have_count(bars)
    before = chart.locator(".plot").bounding_box()
    chart.get_by_role("button", name="Full screen").click()
    full = page.locator("dialog[open]")
    expect(full.locator(BARS)).to_have_count(bars)
    page.wait_for_function("document.querySelector('dialog[open] .main-svg').clientWidth > 1200")
    after = full.locator(".plot").bounding_box()
    assert before and after and after["height"] > 1.5 * before["height"]
    visit.check()
    full.get_by_role("button", name="Exit full screen").click()
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(chart.get_by_role("button", name="Full screen")).to_be_focused()
    expect(chart.locator(BARS)).to_have_count(bars)


def test_a_picture_is_saved_with_its_title(visit: Visit, tmp_path: Path) -> None:
    chart = card(visit.open("/studies/CT"), "ct-dlp-protocol")
    files = {}
    for kind in ("SVG", "PNG"):
        chart.locator("summary", has_text="Save").click()
        with visit.page.expect_download() as download:
            chart.get_by_role("button", name=f"Picture ({kind})").click()
        assert (
            download.value.suggested_filename
            == f"ct-dlp-protocol-bar-{date.today()}.{kind.lower()}"
        )
        download.value.save_as(tmp_path / kind)
        files[kind] = (tmp_path / kind).read_bytes()
    drawing = "".join(ElementTree.fromstring(files["SVG"]).itertext())
    assert "DLP by acquisition protocol" in drawing
    assert files["PNG"][:8] == b"\x89PNG\r\n\x1a\n"
    assert [int.from_bytes(files["PNG"][at : at + 4], "big") for at in (16, 20)] == [2400, 1400]
    # What is white all over compresses to far less.
    assert len(files["PNG"]) > 15_000
    assert visit.complaints == []


def test_data_of_a_chart_are_linked_as_files(visit: Visit) -> None:
    chart = card(visit.open("/studies/CT?dlp_total_from=300"), "ct-dlp-protocol")
    chart.locator("summary", has_text="Save").click()
    link = chart.get_by_role("link", name="Data (CSV)").get_attribute("href")
    answer = visit.page.request.get(f"{visit.base}{link}")
    assert (
        answer.ok
        and "dlp_total_from=300" in (link or "")
        and "Acquisition protocol" in answer.text()
    )


def test_thousands_of_protocols(visit: Visit, server: OrthancServer) -> None:
    """The most frequent ones, the others together, and names where there is room."""
    key, started = "many-protocols", datetime(2025, 5, 5, 8)
    events = [
        CtEvent(protocol=f"Protocol {number:03}", uid=samples.uid(key, number), started=started)
        for number in range(300)
    ]
    server.send(samples.ct_report(events, key=key))
    server.wait_until_idle()
    chart = card(visit.open("/studies/CT"), "ct-frequency-protocol")
    expect(chart.locator(BARS)).to_have_count(101)
    assert chart.locator(".xtick").count() < 40
    chart.get_by_role("button", name="Data as a table").click()
    expect(chart.locator("tbody tr")).to_have_count(50)
    chart.get_by_role("button", name="Show all 101 rows").click()
    expect(chart.locator("tbody tr").last.locator("th")).to_have_text("others")
    visit.check()

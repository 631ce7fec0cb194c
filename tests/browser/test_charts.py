"""Charts: each click leads to exactly the studies behind what was clicked at, counted from what was
sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from orthanc_dose import samples
from orthanc_dose.samples import CtEvent, Study, System
from orthanc_dose.samples.projection_reports import mammography_events
from tests.browser.conftest import WIDE, Visit, visits
from tests.support.server import OrthancServer

ODD = '50% "+" <b>x</b> & 胸部'
A, B = (
    System(station="A", serial="A-1"),
    System(station="B", serial="B-1", institution="Other & <i>Hospital</i>"),
)


@dataclass
class Sent:
    system: System
    description: str
    started: datetime
    dlp: float | None


HEADS = [100.0, 110.0, 120.0, 130.0, 140.0, 150.0, 160.0, 200.0, 210.0, 900.0]
SENT = [
    *(
        Sent(A, "Head", datetime(2025, 5, 5 + number, 8), dlp) for number, dlp in enumerate(HEADS)
    ),  # Monday and on
    *(
        Sent(B, "Head", datetime(2025, 6, 2, 9 + number), dlp)
        for number, dlp in enumerate((300.0, 310.0, 500.0))
    ),
    *(Sent(A, ODD, datetime(2025, 6, 3, 8), dlp) for dlp in (40.0, 60.0, 80.0, 125.0)),
    Sent(A, "", datetime(2025, 6, 4, 8), 1000.0),
    Sent(A, "Head", datetime(2025, 6, 9, 8), None),
]
MAMMOGRAMS = {
    f"mg{number}": mammography_events(4, number, datetime(2025, 5, 5, 8), f"mg{number}")
    for number in range(3)
}


@pytest.fixture(scope="module")
def own_server() -> Iterator[OrthancServer]:
    with OrthancServer() as running:
        for number, one in enumerate(SENT):
            event = CtEvent(uid=samples.uid("chart", number), started=one.started, dlp=one.dlp)
            study = Study(description=one.description, started=one.started)
            made = samples.ct_report(
                [event], study=study, system=one.system, key=f"chart{number}", total=one.dlp
            )
            made.SpecificCharacterSet = "ISO_IR 192"
            made.StudyDescription = one.description
            running.send(made)
        for key, events in MAMMOGRAMS.items():
            running.send(samples.mammography_report(events, key=key))
        running.wait_until_idle()
        yield running


@pytest.fixture
def visit(browser: Browser, own_server: OrthancServer) -> Iterator[Visit]:
    yield from visits(browser, own_server, WIDE, "light")


@pytest.fixture
def choose(own_server: OrthancServer) -> Iterator[Any]:
    """Sets options of charts, for one test."""
    set_back: dict[str, None] = {}

    def put(**values: Any) -> None:
        set_back.update(dict.fromkeys(values))
        assert own_server.request("PUT", "/dose/api/charts/options", json=values).status_code == 200

    yield put
    put(**set_back)


def values(description: str | None = None, system: System | None = None) -> list[float]:
    return [
        one.dlp
        for one in SENT
        if one.dlp and description in (None, one.description) and system in (None, one.system)
    ]


def card(page: Page, name: str) -> Locator:
    found = page.locator(f"[data-chart={name}]")
    found.scroll_into_view_if_needed()
    expect(found.locator("[role=img] .main-svg").first).to_be_visible()
    expect(found.locator("[aria-busy=true]")).to_have_count(0)
    return found


def look(chart: Locator, view: str) -> None:
    chart.get_by_role("button", name=view, exact=True).click()
    expect(chart.get_by_role("button", name=view, exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(chart.locator(".plot")).to_have_attribute("aria-label", re.compile(f", {view}, "))


def point_at(chart: Locator, mark: Locator) -> None:
    chart.scroll_into_view_if_needed()
    expect(chart.locator("[aria-busy=true]")).to_have_count(
        0
    )  # until then the figure before stands there
    mark.wait_for()
    place = mark.bounding_box()
    assert place
    # From beside it: a pointer that does not move tells a page nothing.
    for x in (place["x"] - 1, place["x"] + place["width"] / 2):
        chart.page.mouse.move(x, place["y"] + place["height"] / 2, steps=2)


def told(chart: Locator, mark: Locator, *parts: str) -> None:
    """What stands at the pointer says all of these."""
    hover = chart.locator(".hoverlayer")
    point_at(chart, mark)
    expect(hover.locator("text").first).to_be_visible()
    for part in parts:
        expect(hover).to_contain_text(part)


def click_at(chart: Locator, mark: Locator) -> None:
    """A click right after the move, before the figure has said anything."""
    point_at(chart, mark)
    chart.page.mouse.down()
    chart.page.mouse.up()


def listed(page: Page, number: int) -> None:
    """The list has so many studies, and stands in sight."""
    expect(page.locator("#list")).to_contain_text(f"of {number} stud" if number else "No studies")
    expect(page.locator("#list tbody .row-link")).to_have_count(number)
    expect(page.locator("#list")).to_be_focused()


BARS = ".barlayer .point path"


def test_a_bar_opens_its_histogram_and_a_bin_leads_to_its_studies(visit: Visit) -> None:
    page = visit.open("/studies/CT")
    chart = card(page, "ct-dlp-study-description")
    expect(chart.locator(BARS)).to_have_count(3)
    heads = values("Head")
    told(
        chart,
        chart.locator(BARS).first,
        "Head",
        f"n = {len(heads)}",
        f"{np.mean(heads):.1f} mGy·cm",
    )
    click_at(chart, chart.locator(BARS).first)
    expect(chart.locator(".inside")).to_have_text("Head")
    counts, edges = np.histogram(heads, 20)
    filled = [number for number in range(20) if counts[number]]
    expect(chart.locator(BARS)).to_have_count(len(filled))
    most = int(np.argmax(counts))
    bar = chart.locator(BARS).nth(filled.index(most))
    told(chart, bar, f"n = {counts[most]}")
    start = page.url
    click_at(chart, bar)
    listed(page, int(counts[most]))
    inside = [value for value in heads if edges[most] <= value < edges[most + 1]]
    # Others have such doses, too: the category holds for the bin.
    assert (
        len(inside)
        == counts[most]
        < sum(edges[most] <= value < edges[most + 1] for value in values())
    )
    expect(card(page, "ct-workload").locator(".n")).to_have_text(f"n = {len(inside)}")
    page.go_back()
    expect(page).to_have_url(start)
    expect(page.locator("#list")).to_contain_text(f"of {len(SENT)} studies")
    assert visit.complaints == []


def test_a_category_with_several_series_opens_their_histograms_side_by_side(
    visit: Visit, choose: Any
) -> None:
    choose(per_system=True)
    chart = card(visit.open("/studies/CT"), "ct-dlp-study-description")
    expect(chart.locator(BARS)).to_have_count(4)
    click_at(chart, chart.locator(BARS).first)
    expect(chart.get_by_role("button", name="Side by side")).to_have_attribute(
        "aria-pressed", "true"
    )
    heads = values("Head")
    for place, system in (("xy", A), ("x2y2", B)):
        counts, _ = np.histogram(values("Head", system), 20, (min(heads), max(heads)))
        expect(chart.locator(f".subplot.{place} .point path")).to_have_count(
            int((counts > 0).sum())
        )
    names = chart.locator(".series li")
    expect(names).to_have_text(
        [re.compile("Sample General"), re.compile(r"Other & <i>Hospital</i>")]
    )
    expect(chart.locator("i")).to_have_count(0)
    chart.get_by_role("button", name="Stacked").click()
    expect(chart.locator(".subplot.x2y2")).to_have_count(0)
    together = sum(
        int((np.histogram(values("Head", one), 20, (min(heads), max(heads)))[0] > 0).sum())
        for one in (A, B)
    )
    expect(chart.locator(BARS)).to_have_count(together)
    chart.get_by_role("button", name="All off").click()
    expect(chart.locator(BARS)).to_have_count(0)
    names.first.get_by_role("button").click()
    alone = int((np.histogram(values("Head", A), 20, (min(heads), max(heads)))[0] > 0).sum())
    expect(chart.locator(BARS)).to_have_count(alone)
    chart.get_by_role("button", name="Inverted").click()
    expect(chart.locator(BARS)).to_have_count(together - alone)
    chart.get_by_role("button", name="All on").click()
    expect(chart.locator(BARS)).to_have_count(together)
    chart.get_by_role("link", name="List these studies").click()
    listed(visit.page, len(heads))


def test_a_slice_leads_to_its_studies_whatever_its_name_looks_like(visit: Visit) -> None:
    page = visit.open("/studies/CT")
    chart = card(page, "ct-frequency-study-description")
    look(chart, "Pie")
    expect(chart.locator(".slice")).to_have_count(3)
    expect(chart.locator(".series li")).to_have_text(["Head", ODD, "(blank)"])
    number = sum(one.description == ODD for one in SENT)
    told(chart, chart.locator(".slice path").nth(1), ODD, f"n = {number}")
    click_at(chart, chart.locator(".slice path").nth(1))
    listed(page, number)
    expect(page.locator("#list tbody .row-link").first).to_have_text(ODD)
    visit.check()


def test_a_weekday_unfolds_to_its_hours_and_they_lead_to_their_studies(visit: Visit) -> None:
    page = visit.open("/studies/CT")
    chart = card(page, "ct-workload")
    mondays = [one for one in SENT if one.started.weekday() == 0]
    told(chart, chart.locator(BARS).first, f"n = {len(mondays)}")
    expect(chart.locator(".xtick").first).to_have_text("Monday")
    click_at(chart, chart.locator(BARS).first)
    expect(chart.locator(".inside")).to_have_text("Monday")
    hours = sorted({one.started.hour for one in mondays})
    expect(chart.locator(BARS)).to_have_count(len(hours))
    click_at(chart, chart.locator(BARS).first)
    listed(page, sum(one.started.hour == hours[0] for one in mondays))


def test_a_point_in_time_and_a_point_of_a_scatter_plot_lead_to_their_studies(visit: Visit) -> None:
    page = visit.open("/studies/CT")
    chart = card(page, "ct-dlp-over-time-study-description")
    may = [
        one.dlp for one in SENT if one.description == "Head" and one.started.month == 5 and one.dlp
    ]
    told(
        chart,
        chart.locator(".scatterlayer .point").first,
        f"n = {len(may)}",
        f"{np.mean(may):.0f} mGy·cm",
    )
    click_at(chart, chart.locator(".scatterlayer .point").first)
    listed(page, len(may))

    page = visit.open("/studies/MG")
    chart = card(page, "mg-agd-thickness")
    points = [
        one
        for events in MAMMOGRAMS.values()
        for one in events
        if one.compression_thickness and one.agd
    ]
    expect(chart.locator(".scatterlayer .point")).to_have_count(len(points))
    told(chart, chart.locator(".scatterlayer .point").first, "n = 1")
    click_at(chart, chart.locator(".scatterlayer .point").first)
    listed(page, 1)


def test_what_lies_beyond_the_whiskers_of_a_box_leads_to_its_studies(visit: Visit) -> None:
    page = visit.open("/studies/CT")
    chart = card(page, "ct-dlp-study-description")
    look(chart, "Box plot")
    heads = values("Head")
    expect(chart.locator(".boxlayer .trace").first.locator("path.box")).to_have_count(3)
    told(
        chart,
        chart.locator(BARS).first,
        f"n = {len(heads)}",
        f"Median: {np.median(heads):.0f} mGy·cm",
    )
    low, high = np.percentile(heads, (5, 95))
    chart.get_by_role("button", name="Data as a table").click()
    row = chart.locator("tbody tr").first
    cells = dict(
        zip(
            chart.locator("thead th").all_text_contents(),
            row.locator("th, td").all_text_contents(),
            strict=True,
        )
    )
    shown = {title.split()[0]: text for title, text in cells.items()}
    assert float(shown["5th"]) == pytest.approx(low, abs=0.5) and float(
        shown["95th"]
    ) == pytest.approx(high, abs=0.5)
    click_at(chart, chart.locator(".boxlayer .point").nth(1))
    listed(page, int(sum(value > high for value in heads)))
    page.go_back()
    expect(chart.locator(".n")).to_have_text(f"n = {len(values())}")
    row.get_by_role("link", name="below").click()
    listed(page, int(sum(value < low for value in heads)))


def test_the_table_has_the_numbers_and_the_keyboards_ways(visit: Visit) -> None:
    page = visit.open("/studies/CT")
    chart = card(page, "ct-dlp-study-description")
    said = f"Head: Mean {np.mean(values('Head')):.0f} mGy·cm, n = {len(values('Head'))}"
    expect(chart.locator(".plot")).to_have_attribute("aria-label", re.compile(said))
    button = chart.get_by_role("button", name="Data as a table")
    button.focus()
    page.keyboard.press("Enter")
    rows = chart.locator("tbody tr")
    for number, name in enumerate(("Head", ODD, "")):
        own = values(name)
        expect(rows.nth(number).locator("th, td")).to_have_text(
            [name or "(blank)", f"{np.mean(own):.0f}", str(len(own)), "Histogram"]
        )
    rows.nth(1).get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(chart.locator(".inside")).to_have_text(ODD)
    chart.get_by_role("button", name="All", exact=True).click()
    expect(chart.locator("[aria-busy=true]")).to_have_count(0)
    expect(rows.nth(1)).to_contain_text(ODD)
    rows.nth(1).get_by_role("link").focus()
    page.keyboard.press("Enter")
    listed(page, len(values(ODD)))
    visit.check()


def test_others_lead_nowhere_and_say_so(visit: Visit, choose: Any) -> None:
    choose(categories=1)
    page = visit.open("/studies/CT")
    chart = card(page, "ct-frequency-study-description")
    start = page.url
    click_at(chart, chart.locator(BARS).nth(1))
    expect(chart.get_by_role("status")).to_have_text(
        "These studies cannot be selected with filters."
    )
    assert page.url == start

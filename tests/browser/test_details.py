"""The page of one study, its patient's other studies, and studies side by side."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from orthanc_dose import samples
from orthanc_dose.samples import values as v
from orthanc_dose.samples.ct import CtEvent, DoseCheck, Source
from orthanc_dose.samples.projection_reports import fluoroscopy_events
from tests.browser.conftest import LOOK_NAMES, LOOKS, WIDE, Visit, fits, visits
from tests.support.server import OrthancServer

BEGIN = datetime(2025, 5, 6, 9, 0)
PATIENT = samples.Patient(name="Sample^Paula", patient_id="SAMPLE-HISTORY")
TYPES = (v.FLUOROSCOPY, v.STATIONARY, v.STEPPING, v.ROTATIONAL)
MANY = 130


def study(number: int, description: str, days_before: int = 0) -> samples.Study:
    return samples.Study(
        started=BEGIN - timedelta(days=days_before),
        description=description,
        accession_number=f"DETAIL{number}",
        instance_uid=f"2.25.4400{number}",
    )


def dual_source(number: int, days_before: int, dlp: float) -> list[CtEvent]:
    """A spiral of one tube, and one of two with dose check."""
    started = BEGIN - timedelta(days=days_before)
    check = DoseCheck(
        dlp=300, ctdi=8, dlp_estimate=420.5, ctdi_estimate=7.5, reason="Large patient"
    )
    tubes = [Source("A", 100, 500, 280, 0.28), Source("B", 140, 400, 190, 0.28)]
    return [
        CtEvent(protocol="Chest", uid=f"2.25.4500{number}1", started=started, ctdi=4.5, dlp=dlp),
        CtEvent(
            protocol="Flash",
            uid=f"2.25.4500{number}2",
            started=started + timedelta(minutes=1),
            ctdi=9.5,
            dlp=200,
            sources=tubes,
            notification=check,
        ),
    ]


@pytest.fixture(scope="module")
def detail_server() -> Iterator[OrthancServer]:
    with OrthancServer(dose={"PatientName": "stored", "PatientID": "stored"}) as running:
        for number, days, dlp in ((1, 0, 150.0), (2, 30, 250.0), (3, 900, 350.0)):
            report = samples.ct_report(
                dual_source(number, days, dlp),
                patient=PATIENT,
                study=study(number, f"Chest {number}", days),
                key=f"d{number}",
            )
            running.send(report)
        typed = fluoroscopy_events(24, 5, BEGIN, "typed", samples.vendor("standard"))
        for number, event in enumerate(typed):
            event.type = TYPES[number % len(TYPES)]
        typed[4].dap = None
        running.send(
            samples.fluoroscopy_report(
                typed, patient=PATIENT, study=study(4, "All types", 10), key="d4"
            )
        )
        running.send(
            samples.fluoroscopy_report(
                MANY, biplane=True, seed=3, study=study(5, "Two planes"), key="d5"
            )
        )
        running.send(
            samples.radiopharmaceutical_report(
                patient=PATIENT, study=study(6, "PET", 200), key="d6"
            )
        )
        running.send(samples.radiography_report(2, study=study(7, "Hand"), key="d7"))
        running.wait_until_idle()
        yield running


@pytest.fixture
def visit(browser: Browser, detail_server: OrthancServer) -> Iterator[Visit]:
    yield from visits(browser, detail_server, WIDE, "light")


@pytest.fixture(params=LOOKS, ids=LOOK_NAMES)
def any_visit(
    request: pytest.FixtureRequest, browser: Browser, detail_server: OrthancServer
) -> Iterator[Visit]:
    scheme, viewport = request.param
    yield from visits(browser, detail_server, viewport, scheme)


def number_of(server: OrthancServer, number: int) -> int:
    """The number in the store of the study that was sent under this number."""
    answer = server.get(f"/dose/api/studies?study_instance_uid=2.25.4400{number}&test_data=no,yes")[
        1
    ]
    return int(answer["studies"][0]["id"])


def shown_events(page: Page) -> list[str]:
    return page.locator("#events tr[data-event]").evaluate_all(
        "rows => rows.map(row => row.dataset.event)"
    )


@pytest.mark.parametrize("number", [1, 4, 5, 6, 7])
def test_a_study_of_any_kind_is_clean(
    any_visit: Visit, detail_server: OrthancServer, number: int
) -> None:
    page = any_visit.open(f"/study/{number_of(detail_server, number)}")
    assert fits(page), "the page must not scroll sideways"
    any_visit.check()


def test_history_and_comparison_are_clean(any_visit: Visit, detail_server: OrthancServer) -> None:
    one, two, other = (number_of(detail_server, number) for number in (1, 2, 4))
    for path in (f"/study/{one}/history", f"/compare?ids={one},{two},{other}", "/compare"):
        page = any_visit.open(path)
        assert fits(page), f"{path} must not scroll sideways"
        any_visit.check()


def test_each_tube_of_dual_source_ct_has_a_line_of_its_own(
    visit: Visit, detail_server: OrthancServer
) -> None:
    page = visit.open(f"/study/{number_of(detail_server, 1)}")
    events = page.locator("#events table.events")
    for name, kvp in (("A", "100"), ("B", "140")):
        expect(events.locator("tr").filter(has_text=f"X-ray source {name}")).to_contain_text(kvp)
    expect(events).not_to_contain_text("100 / 140")
    assert shown_events(page) == ["1", "2"]


def test_dose_check_is_a_part_of_its_own(visit: Visit, detail_server: OrthancServer) -> None:
    page = visit.open(f"/study/{number_of(detail_server, 1)}")
    part = page.locator("#dose-check")
    for text in ("Notification", "300 mGy·cm", "420.5 mGy·cm", "Large patient"):
        expect(part).to_contain_text(text)
    expect(part.get_by_text("reached", exact=True)).to_have_count(
        1
    )  # the DLP; CTDIvol stays below its value


def test_totals_by_type_are_formed_only_where_all_events_have_the_value(
    visit: Visit, detail_server: OrthancServer
) -> None:
    page = visit.open(f"/study/{number_of(detail_server, 4)}")
    totals = page.locator("#events .totals tbody tr")
    expect(totals).to_have_count(5)
    for row, given in ((totals.filter(has_text="Fluoroscopy"), 5), (totals.last, 23)):
        expect(row).to_contain_text(f"given for {given} of {given + 1}")
    expect(totals.filter(has_text="Stepping Acquisition")).not_to_contain_text("given for")
    expect(page.locator("#events")).to_contain_text("including the pauses between pulses")


def test_doses_at_the_reference_points_of_two_planes_are_not_added(
    visit: Visit, detail_server: OrthancServer
) -> None:
    page = visit.open(f"/study/{number_of(detail_server, 5)}")
    heads = page.locator("#events .totals thead th").all_inner_texts()
    at = next(
        place for place, head in enumerate(heads) if head.startswith("Dose at reference point")
    )
    everything = page.locator("#events .totals tr.all")
    expect(everything.locator("td").nth(at - 1)).to_contain_text("Not added up across planes")
    for plane in ("Plane A", "Plane B"):
        cell = (
            page.locator("#events .totals tr.all ~ tr")
            .filter(has_text=plane)
            .locator("td")
            .nth(at - 1)
        )
        expect(cell).to_contain_text(re.compile(r"\d"))


def test_groups_fold_and_the_order_of_time_comes_back(
    visit: Visit, detail_server: OrthancServer
) -> None:
    page = visit.open(f"/study/{number_of(detail_server, 4)}")
    assert shown_events(page)[:3] == ["1", "5", "9"]
    page.get_by_role("button", name=re.compile("^Fluoroscopy")).click()
    assert len(shown_events(page)) == 18
    page.get_by_label(re.compile("Group by")).uncheck()
    assert shown_events(page)[:3] == ["1", "2", "3"]
    visit.check()


def test_the_plot_leads_to_the_event_in_the_table(
    visit: Visit, detail_server: OrthancServer
) -> None:
    page = visit.open(f"/study/{number_of(detail_server, 5)}")
    area = page.locator(".plot .area")
    area.focus()
    expect(area.locator(".tip")).to_contain_text("Event 1")
    page.keyboard.press("End")
    expect(area.locator(".tip")).to_contain_text(f"Event {MANY}")
    page.keyboard.press("Enter")
    expect(page.locator(":focus")).to_have_attribute("aria-label", f"All of: event {MANY}")
    page.get_by_role("button", name="Dose at reference point", exact=True).click()
    expect(area.locator("svg")).to_contain_text("(mGy)")
    visit.check()


def test_neighbours_are_those_of_the_list(visit: Visit, detail_server: OrthancServer) -> None:
    page = visit.open("/studies/CT?sort=-dlp_total&study_description=chest")
    page.locator("tbody .row-link").nth(1).click()
    visit.settle()
    middle = number_of(detail_server, 2)
    expect(page).to_have_url(re.compile(rf"/study/{middle}\?"))
    bar = page.get_by_role("navigation", name="Previous and next in the list")
    expect(bar).to_contain_text("2 of 3")
    page.keyboard.press("]")
    expect(page).to_have_url(re.compile(rf"/study/{number_of(detail_server, 1)}\?"))
    expect(bar).to_contain_text("3 of 3")
    page.keyboard.press("[")
    expect(bar).to_contain_text("2 of 3")
    bar.get_by_role("link", name=re.compile("Back to the list")).click()
    expect(page).to_have_url(re.compile("/studies/CT.*sort=-dlp_total"))
    expect(page).to_have_url(re.compile("study_description=chest"))
    visit.settle()
    visit.check()


def test_possible_test_data_is_marked(visit: Visit, detail_server: OrthancServer) -> None:
    one = number_of(detail_server, 1)

    def as_test(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"not_patient_indicator": "PHANTOM"})

    visit.page.route(re.compile(rf"/dose/api/studies/{one}$"), as_test)
    page = visit.open(f"/study/{one}")
    expect(page.locator("h1 .sign")).to_have_attribute("title", re.compile("PHANTOM"))
    visit.check()


def test_the_study_is_found_in_orthanc_explorer(visit: Visit, detail_server: OrthancServer) -> None:
    page = visit.open(f"/study/{number_of(detail_server, 7)}")
    page.locator("header.heading").get_by_role("link", name="Orthanc Explorer").click()
    expect(page).to_have_url(re.compile(r"/app/explorer\.html#study\?uuid=[0-9a-f-]+"))
    expect(page.locator("#study")).to_contain_text("DETAIL7")


def test_paper_has_all_events_and_nothing_to_click_on(
    visit: Visit, detail_server: OrthancServer
) -> None:
    page = visit.open(f"/study/{number_of(detail_server, 5)}")
    assert len(shown_events(page)) == 100
    page.get_by_role("button", name=re.compile("^Fluoroscopy")).click()
    page.emulate_media(media="print")
    expect(page.locator("#events tr[data-event]")).to_have_count(MANY)
    for hidden in ("header.header", ".neighbours", ".sections", "main .btn", "#not-used"):
        assert page.locator(hidden).locator("visible=true").count() == 0, hidden
    expect(page.locator("h1")).to_have_text("Two planes")
    expect(page.locator("main")).to_contain_text("DETAIL5")
    page.set_viewport_size(
        {"width": 965, "height": 700}
    )  # a sheet without its margins, on its side
    assert fits(page), "a table is cut off"
    page.emulate_media(media="screen")
    assert "DETAIL5" in page.title()
    assert len(page.pdf(prefer_css_page_size=True)) > 10_000


def test_a_history_adds_up_over_a_chosen_time(visit: Visit, detail_server: OrthancServer) -> None:
    one = number_of(detail_server, 1)
    page = visit.open(f"/study/{one}/history")
    expect(page.locator("main")).to_contain_text("SAMPLE-HISTORY")
    card = page.locator("section.panel").filter(
        has=page.get_by_role("heading", name="Computed tomography")
    )
    expect(card).to_contain_text("1350 mGy·cm")  # 3 studies: 150, 250, 350 and 200 each
    rows = page.get_by_role("region", name="Studies of this patient").locator("tbody tr")
    expect(rows).to_have_count(5)
    page.get_by_label("From").fill((BEGIN - timedelta(days=100)).date().isoformat())
    page.get_by_label("From").press("Tab")
    expect(rows).to_have_count(3)
    expect(card).to_contain_text("800 mGy·cm")
    page.get_by_role("button", name="All", exact=True).click()
    expect(rows).to_have_count(5)
    for box in (0, 1):
        rows.nth(box).get_by_role("checkbox").check()
    page.get_by_role("link", name="Compare 2 studies").click()
    expect(page).to_have_url(re.compile(r"/compare\?ids=\d+,\d+"))
    visit.settle()
    visit.check()


def test_a_history_without_patient_ids_says_why(browser: Browser, server: OrthancServer) -> None:
    for visit in visits(browser, server, WIDE, "light"):
        page = visit.open("/study/1/history")
        expect(page.locator("main")).to_contain_text("does not store patient IDs")
        visit.check()


def test_studies_side_by_side(visit: Visit, detail_server: OrthancServer) -> None:
    one, two, other = (number_of(detail_server, number) for number in (1, 2, 4))
    page = visit.open(f"/compare?ids={one},{two}")
    dlp = page.locator("tbody tr").filter(has_text="DLP total")
    expect(dlp.locator("td").nth(0)).to_contain_text("smallest")
    expect(dlp.locator("td").nth(1)).to_contain_text("largest")
    same = page.locator("tbody tr").filter(has_text="Serial number")
    expect(same).to_have_count(1)
    page.get_by_label("Differences only").check()
    expect(same).to_have_count(0)
    expect(dlp).to_have_count(1)
    expect(page.locator("tbody tr").filter(has_text="Chest").last).to_contain_text("250 mGy·cm")
    page.get_by_label("Study number").fill(str(other))
    page.get_by_label("Study number").press("Enter")
    expect(page.locator("thead th")).to_have_count(4)
    expect(page.locator("tbody tr").filter(has_text=re.compile("^DAP total(?!,)"))).to_have_count(1)
    page.get_by_role("button", name=f"Remove study {two} from the comparison").click()
    expect(page).to_have_url(re.compile(rf"ids={one},{other}$"))
    visit.settle()
    visit.check()


def test_a_study_that_is_gone_is_said(visit: Visit, detail_server: OrthancServer) -> None:
    page = visit.open(f"/compare?ids={number_of(detail_server, 1)},99999")
    expect(page.locator("main")).to_contain_text("Study 99999 is not in the database")
    expect(page.locator("thead th")).to_have_count(2)

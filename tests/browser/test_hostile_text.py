"""Text from DICOM, and from addresses, is text on every page."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from orthanc_dose import samples
from orthanc_dose.samples.ct import default_events
from tests.browser.conftest import WIDE, Visit, visits
from tests.browser.test_details import BEGIN
from tests.support.server import OrthancServer

NASTY = "<img src=x onerror=\"document.title='broken'\">'\"</title><script>document.title='broken'</script>{{7*7}}"


@pytest.fixture(scope="module")
def nasty_server() -> Iterator[OrthancServer]:
    with OrthancServer(dose={"PatientName": "stored", "PatientID": "stored"}) as running:
        for number in (1, 2):
            events = default_events(3, number, BEGIN, f"nasty{number}")
            for event in events:
                event.protocol = NASTY[:60]
            study = samples.Study(
                started=BEGIN,
                description=NASTY[:60],
                accession_number="<b>1</b>",
                instance_uid=f"2.25.66{number}",
            )
            patient = samples.Patient(name="<b>Bold^One", patient_id="<i>1")
            report = samples.ct_report(events, patient=patient, study=study, key=str(number))
            report.StationName, report.InstitutionName, report.OperatorsName = (
                "<u>1</u>",
                NASTY[:60],
                "<script>^x",
            )
            running.send(report)
        running.wait_until_idle()  # so that the first two have the first numbers
        long = samples.ct_report(1, key="long")
        for item in long.ContentSequence:
            if item.ValueType == "TEXT":
                item.TextValue = "word " * 5000
        running.send(long)
        running.wait_until_idle()
        yield running


@pytest.fixture
def nasty_visit(browser: Browser, nasty_server: OrthancServer) -> Iterator[Visit]:
    yield from visits(browser, nasty_server, WIDE, "light")


@pytest.mark.parametrize("path", [
    "/", "/studies/CT", "/studies/CT?study_description=%3Cimg%20src%3Dx&operators_not=%3Cscript%3E", "/study/1",
    "/study/1/history", "/compare?ids=1,2", "/compare?ids=%3Cscript%3E", "/studies/CT?sort=%3Cscript%3E",
    "/studies/CT?%3Cb%3E=1", "/activity",
])  # fmt: skip
def test_nothing_of_it_becomes_a_part_of_the_page(nasty_visit: Visit, path: str) -> None:
    page = nasty_visit.open(path)
    for button in page.locator("main [aria-expanded=false], main summary").all()[:6]:
        if button.is_visible():
            button.click()
    nasty_visit.settle()
    expect(
        page.locator("main img, main b b, main script, main i:not([class]), main u")
    ).to_have_count(0)
    assert page.title() != "broken" and "49" not in page.title()
    if path in ("/studies/CT", "/study/1", "/study/1/history", "/compare?ids=1,2"):
        expect(
            page.locator("main").get_by_text("<img src=x").locator("visible=true").first
        ).to_be_visible()


def test_a_long_text_is_shown_in_part_and_further_on_demand(nasty_visit: Visit) -> None:
    page = nasty_visit.open("/study/3")
    row = page.get_by_role("group", name="Observers").locator("tbody tr")
    expect(row).to_contain_text("word word")
    assert len(row.inner_text()) < 5000
    row.get_by_role("button", name="Show more").first.click()
    expect(row.get_by_role("button", name="Show less")).to_have_count(1)
    assert len(row.inner_text()) > 9000, "the API gives 10,000 characters of a text"
    row.get_by_role("button", name="Show less").click()
    expect(row.get_by_role("button", name="Show less")).to_have_count(0)
    assert len(row.inner_text()) < 5000
    nasty_visit.check()

"""The files of a study, from its page: who is offered them, what they hold, and that the report
says what the page says.
"""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from orthanc_dose.samples import make_studies
from tests.browser.conftest import LOOK_NAMES, LOOKS, WIDE, Visit, fits, visits
from tests.support.effort import LONG
from tests.support.report import lines_of, words_of
from tests.support.server import PASSWORD, USER, OrthancServer

NAME, ID = "Verylongname^Anna", "PID-4711-x"
VIEWER, EXPORTER = "viewer", "exporter"


@pytest.fixture(scope="module")
def own_server() -> Iterator[OrthancServer]:
    people = {VIEWER: ["view"], EXPORTER: ["view", "export"]}
    registered = {USER: PASSWORD} | {name: f"password of {name}" for name in people}
    dose = {"PatientName": "stored", "PatientID": "stored", "OrthancUsers": people}
    with OrthancServer(dose=dose, overrides={"RegisteredUsers": registered}) as running:
        studies = list(make_studies(24, seed=5, kinds=["ct", "rf", "dx", "mg", "nm"]))
        for study in studies:
            study.datasets[0].PatientName, study.datasets[0].PatientID = NAME, ID
        running.send(studies)
        running.wait_until_idle()
        yield running


@pytest.fixture
def visit(browser: Browser, own_server: OrthancServer) -> Iterator[Visit]:
    for one in visits(browser, own_server, WIDE, "light"):
        # A download does not send the headers of tests, as little as a user's does: it goes by the
        # session.
        one.sign_in()
        yield one


@pytest.fixture(params=LOOKS, ids=LOOK_NAMES)
def any_visit(
    request: pytest.FixtureRequest, browser: Browser, own_server: OrthancServer
) -> Iterator[Visit]:
    yield from visits(browser, own_server, *reversed(request.param))


def first(server: OrthancServer, modality: str) -> int:
    return server.studies(modality=modality)[0]["id"]


def menu(page: Page) -> None:
    page.locator("summary", has_text="Download").click()
    expect(page.get_by_role("link", name="Report (PDF)")).to_be_visible()


def fetched(page: Page, name: str) -> bytes:
    """The file behind an entry of the menu, which is open."""
    with page.expect_download() as download:
        page.get_by_role("link", name=name).click()
    return download.value.path().read_bytes()


def test_the_menu_is_clean_in_both_themes_and_widths(
    any_visit: Visit, own_server: OrthancServer
) -> None:
    page = any_visit.open(f"/study/{first(own_server, 'RF')}")
    menu(page)
    assert fits(page), "the page must not scroll sideways"
    any_visit.check()


@pytest.mark.tries_more
@pytest.mark.parametrize("modality", ["CT", "RF", "DX", "MG", "NM"])
def test_the_report_says_what_the_page_says(
    visit: Visit, own_server: OrthancServer, modality: str
) -> None:
    # In an order that does not depend on which arrived first.
    studies = sorted(
        own_server.studies(modality=modality), key=lambda one: one["study_instance_uid"]
    )
    assert studies
    for study in studies if LONG else studies[:2]:
        uid = study["study_instance_uid"]
        page = visit.open(f"/study/{study['id']}")
        titles = page.locator("dl.tiles dt").all_inner_texts()
        tiles = [
            " ".join(text.split()) for text in page.locator("dl.tiles .large").all_inner_texts()
        ]
        # Without what is unfolded below an event, which no report has.
        cells = page.locator("table.events > tbody > tr > td:not([colspan])").all_inner_texts()
        report = own_server.request("GET", f"/dose/api/studies/{study['id']}/file")
        lines = lines_of(report.content)
        totals = {
            line[0]: line[1].split(" *")[0].split(" (")[0]
            for line in reversed(lines)
            if len(line) > 1
        }
        for title, shown in zip(titles, tiles, strict=True):
            assert totals[title] == shown, (uid, title)
        # Each number that stands in the table of the page stands in the report, with the same
        # digits.
        told = {cell.removesuffix(" *") for line in lines for cell in line}
        texts = (text.strip() for text in cells)
        numbers = {text for text in texts if text.replace(",", "").replace(".", "").isdigit()}
        assert numbers, uid
        assert numbers - told == set(), uid


def test_with_the_patients_identity_only_where_it_is_chosen(
    visit: Visit, own_server: OrthancServer
) -> None:
    page = visit.open(f"/study/{first(own_server, 'RF')}")
    menu(page)
    assert ID not in words_of(fetched(page, "Report (PDF)"))
    expect(page.get_by_role("link", name="Report (PDF)")).to_be_hidden()
    menu(page)
    page.get_by_label("Include the patient’s name").check()
    report = words_of(fetched(page, "Report (PDF)"))
    assert ID in report and "Verylongname, Anna" in report
    menu(page)
    assert json.loads(fetched(page, "JSON"))["study"]["patient_id"] == ID
    menu(page)
    assert fetched(page, "Workbook (XLSX)").startswith(b"PK")
    menu(page)
    expect(page.get_by_role("link", name="openSkin")).to_be_visible()
    visit.open(f"/study/{first(own_server, 'CT')}")
    menu(page)
    expect(page.get_by_role("link", name="openSkin")).to_have_count(0)
    assert visit.complaints == []


def test_by_keyboard(visit: Visit, own_server: OrthancServer) -> None:
    page = visit.open(f"/study/{first(own_server, 'CT')}")
    page.locator("summary", has_text="Download").focus()
    page.keyboard.press("Enter")
    report = page.get_by_role("link", name="Report (PDF)")
    expect(report).to_be_visible()
    page.keyboard.press("Tab")
    expect(report).to_be_focused()
    page.keyboard.press("Escape")
    expect(report).to_be_hidden()
    expect(page.locator("summary", has_text="Download")).to_be_focused()


def test_the_report_is_in_the_language_of_the_page(visit: Visit, own_server: OrthancServer) -> None:
    page = visit.open(f"/study/{first(own_server, 'CT')}")
    page.get_by_role("button", name="Preferences").click()
    page.get_by_label("Language").select_option("de")
    page.keyboard.press("Escape")
    page.locator("summary", has_text="Herunterladen").click()
    assert lines_of(fetched(page, "Bericht (PDF)"))[0] == ["Dosisbericht: Computertomographie"]


@pytest.mark.parametrize(("user", "offered"), [(VIEWER, False), (EXPORTER, True)])
def test_it_is_offered_to_whom_it_is_open(
    browser: Browser, own_server: OrthancServer, user: str, offered: bool
) -> None:
    context = browser.new_context()
    page = context.new_page()
    Visit(page, own_server.url).sign_in(user, f"password of {user}")
    page.goto(f"{own_server.url}/dose/app/study/{first(own_server, 'CT')}")
    expect(page.locator("dl.tiles")).to_be_visible()
    expect(page.locator("summary", has_text="Download")).to_have_count(int(offered))
    expect(page.get_by_label("Include the patient’s name")).to_have_count(0)
    context.close()

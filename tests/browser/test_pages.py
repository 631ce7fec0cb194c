"""The pages as a person uses them: what stands there is what was sent."""

import re

import pytest
from playwright.sync_api import expect

from orthanc_dose.samples import SampleStudy
from tests.browser.conftest import Visit, fits
from tests.support.server import OrthancServer


def largest(studies: list[SampleStudy], kind: str, total: str) -> SampleStudy:
    return max(
        (study for study in studies if study.kind == kind),
        key=lambda study: study.totals.get(total) or 0,
    )


@pytest.mark.parametrize(
    "path", ["/", "/studies/CT", "/studies/RF", "/study/1", "/activity", "/nowhere"]
)
def test_every_page_is_clean_in_both_themes_and_widths(any_visit: Visit, path: str) -> None:
    page = any_visit.open(path)
    assert fits(page), "the page must not scroll sideways"
    any_visit.check()


@pytest.mark.parametrize("path", ["/", "/studies/CT", "/activity"])
def test_an_empty_store_says_what_to_do_next(
    empty_visit: Visit, empty_server: OrthancServer, path: str
) -> None:
    page = empty_visit.open(path)
    expect(page.locator("main")).to_contain_text(
        "storescu" if path != "/activity" else re.compile("send|sent|storescu")
    )
    if path != "/activity":
        expect(page.locator("main")).to_contain_text(str(empty_server.dicom_port))
    empty_visit.check()


def test_home_counts_studies_per_modality_and_leads_to_them(
    visit: Visit, studies: list[SampleStudy]
) -> None:
    page = visit.open("/")
    for kind, title in (("dx", "Radiography"), ("mg", "Mammography")):
        number = sum(study.kind == kind for study in studies)
        card = (
            page.locator("main .card, main article, main section, main a")
            .filter(has_text=title)
            .first
        )
        expect(card).to_contain_text(str(number))
    expect(page.locator("main")).to_contain_text(
        re.compile(r"\d+ (second|minute|hour|day|month)s? ago|yesterday|just now|now")
    )
    page.locator("table tbody tr a").first.click()
    expect(page).to_have_url(re.compile(r"/studies/CT\?equipment_id="))


def test_the_list_sorts_pages_and_opens_a_study(visit: Visit, studies: list[SampleStudy]) -> None:
    # Other tests send studies to the same server.
    accession = "ACC2100"
    assert all(str(one.datasets[0].AccessionNumber).startswith(accession) for one in studies)
    page = visit.open(f"/studies/CT?size=25&accession_number={accession}")
    heading = page.get_by_role("link", name=re.compile("DLP total"))
    heading.click()
    expect(page).to_have_url(re.compile("sort=-dlp_total"))
    visit.settle()
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("DLP total")
    study = largest(studies, "ct", "dlp_total")
    first = page.locator("tbody tr").first
    expect(first).to_contain_text(str(study.datasets[0].AccessionNumber))
    expect(first).to_contain_text(re.compile(rf"{study.totals['dlp_total']:.0f}"))
    first.get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(r"/study/\d+"))
    visit.settle()
    expect(page.locator("main")).to_contain_text(str(study.datasets[0].StudyInstanceUID))
    page.go_back()
    expect(page).to_have_url(re.compile("sort=-dlp_total"))
    visit.settle()
    visit.check()


def test_a_fluoroscopy_study_shows_its_totals_in_the_units_of_the_field(
    visit: Visit, studies: list[SampleStudy], server: OrthancServer
) -> None:
    study = largest(
        studies,
        "rf",
        "dap_total_a" if any("dap_total_a" in s.totals for s in studies) else "dap_total",
    )
    uid = str(study.datasets[0].StudyInstanceUID)
    row = server.studies(study_instance_uid=uid)[0]
    page = visit.open(f"/study/{row['id']}")
    main = page.locator("main")
    # 1 Gy·m² = 1e6 cGy·cm²; 1 Gy = 1000 mGy
    shown = f"{row['dap_total'] * 1e6:.4g}"
    expect(main).to_contain_text(shown.split(".")[0])
    expect(main).to_contain_text("cGy·cm²")
    expect(main).to_contain_text("mGy")
    expect(main).to_contain_text(f"{study.events} events" if study.events > 1 else "event")
    page.get_by_role("button", name=re.compile("content", re.IGNORECASE)).click()
    expect(main).to_contain_text("X-Ray Radiation Dose Report")
    visit.check()


def test_text_of_an_object_is_shown_as_text(visit: Visit, server: OrthancServer) -> None:
    hostile = [row for row in server.studies() if "<" in (row["study_description"] or "")]
    assert hostile, "the server was sent an object whose texts hold HTML"
    page = visit.open(f"/study/{hostile[0]['id']}")
    expect(page.locator("main")).to_contain_text("<")
    assert page.locator("main script, main img").count() == 0
    visit.check()


def test_the_activity_page_gives_the_reason_of_a_failure_and_retries(
    visit: Visit, server: OrthancServer
) -> None:
    from orthanc_dose.samples.other import report_without_anything

    server.send(report_without_anything(seed=77))
    server.wait_until_idle()
    failed = server.objects(outcome="failed")
    assert failed
    page = visit.open("/activity?outcome=failed")
    expect(page.locator("main")).to_contain_text(failed[0]["reason"].split(":")[0][:40])
    before = failed[0]["attempts"]
    page.get_by_role("button", name=f"Re-import: object {failed[0]['sop_instance_uid']}").click()
    visit.settle()
    server.wait_for(
        lambda: (
            server.objects(sop_instance_uid=failed[0]["sop_instance_uid"])[0]["attempts"] > before
        ),
        "a retry",
    )
    page.get_by_role("button", name=re.compile("Compare with Orthanc")).click()
    expect(page.locator("main")).to_contain_text(re.compile("nothing|0 |no ", re.IGNORECASE))
    visit.check()


def test_the_keyboard_reaches_and_opens_a_study(visit: Visit) -> None:
    page = visit.open("/studies/DX")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_contain_text(re.compile("skip", re.IGNORECASE))
    page.locator("tbody tr a").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/study/\d+"))


def test_the_theme_is_switched_and_remembered(visit: Visit) -> None:
    page = visit.open("/")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    for _ in range(3):
        page.locator("header").get_by_role(
            "button", name=re.compile("theme|dark|light|appearance", re.IGNORECASE)
        ).first.click()
        dark = page.get_by_role("menuitemradio", name=re.compile("dark", re.IGNORECASE))
        if dark.count():
            dark.first.click()
        if page.evaluate("getComputedStyle(document.body).backgroundColor") != before:
            break
    changed = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert changed != before
    visit.open("/")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == changed


def test_orthanc_explorer_has_a_button_that_leads_here(visit: Visit) -> None:
    visit.page.goto(f"{visit.base}/app/explorer.html")
    visit.page.get_by_role("link", name="Dose", exact=True).click()
    expect(visit.page).to_have_url(re.compile("/dose/app/"))
    visit.settle()

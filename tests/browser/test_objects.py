"""Objects on the page of activity: by rule and reason, read again, deleted; the rules of deletion;
deleting one study.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from orthanc_dose.samples import make_studies
from orthanc_dose.samples.other import report_without_anything
from tests.browser.conftest import LOOK_NAMES, LOOKS, WIDE, Visit, fits, visits
from tests.support.server import OrthancServer
from tests.support.systems import named, report


@pytest.fixture
def own_server() -> Iterator[OrthancServer]:
    """Two objects that failed, two of an ignored system, one CT study, and three more studies."""
    with OrthancServer(dose={"IgnoredModels": ["Phantom*"]}) as running:
        running.send(
            report_without_anything(seed=1),
            report_without_anything(seed=2),
            report("ct"),
            *(
                named(report(study), ManufacturerModelName="Phantom scanner")
                for study in ("p", "q")
            ),
        )
        running.send(make_studies(3, seed=9))
        running.wait_until_idle()
        yield running


@pytest.fixture
def visit(browser: Browser, own_server: OrthancServer) -> Iterator[Visit]:
    yield from visits(browser, own_server, WIDE, "light")


def rows(page: Page) -> Locator:
    return page.get_by_role("region", name="Table of objects").get_by_role("row")


def test_objects_are_found_by_rule_and_reason(visit: Visit, own_server: OrthancServer) -> None:
    assert (
        len(own_server.objects(outcome="failed")) == 2
        and len(own_server.objects(rule="ignored_system")) == 2
    )
    page = visit.open("/activity")
    search = page.get_by_role("search", name="Object filters")
    search.get_by_label("Rule", exact=True).select_option("ignored_system")
    expect(rows(page)).to_have_count(3)
    expect(page).to_have_url(re.compile("rule=ignored_system"))
    search.get_by_label("Reason contains").fill("phantom")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("reason=phantom"))
    expect(rows(page)).to_have_count(3)
    # For all of a rule, not of a text in it.
    expect(page.get_by_role("button", name="Delete these")).to_be_disabled()
    search.get_by_label("Reason contains").fill("nothing of the kind")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("No object matches these filters.")
    search.get_by_role("button", name="Clear all").click()
    expect(rows(page)).to_have_count(len(own_server.objects()) + 1)
    visit.check()


def test_failed_objects_are_read_again_and_deleted_after_a_question(
    visit: Visit, own_server: OrthancServer
) -> None:
    page = visit.open("/activity?outcome=failed")
    attempts = sum(one["attempts"] for one in own_server.objects(outcome="failed"))
    page.get_by_role("button", name="Re-import all failed objects").click()
    own_server.wait_for(
        lambda: (
            sum(one["attempts"] for one in own_server.objects(outcome="failed")) == attempts + 2
        ),
        "reading",
    )
    first, second = (one["sop_instance_uid"] for one in own_server.objects(outcome="failed"))
    page.get_by_role("button", name=f"Delete… object {first}").click()
    dialog = page.get_by_role("dialog", name="Delete 1 object?")
    expect(dialog).to_contain_text(first)
    visit.check()
    dialog.get_by_role("button", name="Cancel").click()
    assert len(own_server.objects(outcome="failed")) == 2
    page.get_by_role("button", name=f"Delete… object {first}").click()
    dialog.get_by_role("button", name="Delete permanently").click()
    expect(dialog).to_have_count(0)
    expect(page.locator("main")).to_contain_text("1 object deleted.")
    assert [one["sop_instance_uid"] for one in own_server.objects(outcome="failed")] == [second]
    # All of a rule, with their number in the question.
    held = len(own_server.ok("/instances"))
    page.get_by_role("search", name="Object filters").get_by_label(
        "Rule", exact=True
    ).select_option("")
    visit.open("/activity?outcome=ignored&rule=ignored_system")
    page.get_by_role("button", name="Delete these").click()
    dialog = page.get_by_role("dialog", name="Delete 2 objects?")
    dialog.get_by_role("button", name="Delete permanently").click()
    expect(page.locator("main")).to_contain_text("2 objects deleted.")
    assert own_server.objects(rule="ignored_system") == []
    assert len(own_server.ok("/instances")) == held - 2
    visit.check()


def test_the_rules_of_deletion_are_applied_to_what_is_there(
    visit: Visit, own_server: OrthancServer
) -> None:
    reports = sum(one["source"] == "report" for one in own_server.objects(outcome="imported"))
    page = visit.open("/activity")
    page.get_by_text("Objects kept in Orthanc").click()
    expect(page.locator("main")).to_contain_text("Everything is kept: no rule deletes anything.")
    expect(page.get_by_role("button", name="Delete existing objects")).to_be_disabled()
    answer = own_server.request("PUT", "/dose/api/settings", json={"reports_in_orthanc": "delete"})
    assert answer.status_code == 200
    page = visit.open("/activity")
    page.get_by_text("Objects kept in Orthanc").click()
    number = own_server.ok("/dose/api/objects/delete-from-orthanc")["objects"]
    assert number == reports
    studies = own_server.studies()
    page.get_by_role("button", name="Delete existing objects").click()
    dialog = page.get_by_role("dialog", name=f"Delete {number} objects from Orthanc?")
    visit.check()
    dialog.get_by_role("button", name="Delete from Orthanc").click()
    expect(page.get_by_role("region", name="Deleting objects from Orthanc")).to_contain_text("done")
    assert len(own_server.objects(in_orthanc="deleted")) == number
    assert own_server.studies() == studies, "data imported from them stays"
    visit.open("/activity?in_orthanc=deleted")
    expect(rows(page)).to_have_count(number + 1)
    expect(rows(page).nth(1)).to_contain_text("Deleted from Orthanc after import")
    expect(page.get_by_text(f"{number} deleted after import")).to_be_visible()
    visit.check()


def test_one_study_is_deleted_and_the_list_is_as_it_was(
    visit: Visit, own_server: OrthancServer
) -> None:
    (study,) = own_server.studies(station_name="SAMPLE1")
    others = {row["id"] for row in own_server.studies()} - {study["id"]}
    page = visit.open("/studies/CT?station_name=sample1&sort=study_date")
    page.locator("tbody .row-link").click()
    expect(page).to_have_url(re.compile(f"/study/{study['id']}"))
    visit.settle()
    page.get_by_role("button", name="Delete…", exact=True).click()
    dialog = page.get_by_role("dialog", name="Delete this study from the dose record?")
    events = len(own_server.ok(f"/dose/api/studies/{study['id']}")["events"])
    expect(dialog).to_contain_text(f"with {events} event")
    visit.check()
    dialog.get_by_role("button", name="Cancel").click()
    assert len(own_server.studies()) == len(others) + 1
    page.get_by_role("button", name="Delete…", exact=True).click()
    dialog.get_by_role("button", name="Delete permanently").click()
    expect(page).to_have_url(re.compile(r"/studies/CT\?station_name=sample1&sort=study_date$"))
    expect(page.locator("main")).to_contain_text(f"Study {study['id']} has been deleted.")
    visit.settle()
    expect(page.locator("main")).to_contain_text("No studies match these filters")
    assert {row["id"] for row in own_server.studies()} == others
    visit.check()


@pytest.mark.parametrize(("scheme", "viewport"), LOOKS, ids=LOOK_NAMES)
def test_the_page_of_activity_is_clean_with_all_of_it_open(
    browser: Browser, own_server: OrthancServer, scheme: str, viewport: dict[str, int]
) -> None:
    own_server.request(
        "PUT",
        "/dose/api/settings",
        json={"unmatched_in_orthanc": "drop", "reports_in_orthanc": "delete"},
    )
    for visit in visits(browser, own_server, viewport, scheme):
        page = visit.open("/activity?outcome=ignored")
        page.get_by_text("Objects kept in Orthanc").click()
        assert fits(page), "no scrolling sideways"
        visit.check()

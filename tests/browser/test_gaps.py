"""What the store does not have, on the page of a search: counts that filter, the list, its pages,
the way to earlier searches, the file; with a second real Orthanc as the PACS."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from orthanc_dose import samples
from tests.browser.conftest import LOOK_NAMES, LOOKS, WIDE, Look, Visit, fits, visits
from tests.browser.test_query_retrieve import PATH, searched, study
from tests.support.server import OrthancServer, beside

# On this day the PACS has studies of images alone, more than stand on one page; on the last day one
# with a report.
MANY, OTHER_DAY, LAST_DAY = 30, "2026-03-09", "2026-03-16"


@pytest.fixture(scope="module")
def ours() -> Iterator[OrthancServer]:
    """Of DAY the PACS has two CT studies with reports and one of images alone."""
    with OrthancServer(
        plugin=False, overrides={"DicomAet": "PACS", "DicomCheckCalledAet": False}
    ) as pacs:
        for number in (1, 2):
            pacs.send(
                study(number, samples.ct_report(2, key=f"gap {number}"), samples.ct_slice(number))
            )
        pacs.send(study(3, *(samples.ct_slice(30 + number) for number in range(7))))
        pacs.send(study(4, samples.ct_report(2, key="gap 4"), samples.ct_slice(4), day=LAST_DAY))
        for number in range(MANY):
            pacs.send(
                study(
                    100 + number,
                    *(samples.ct_slice(1000 + 10 * number + n) for n in range(7)),
                    day=OTHER_DAY,
                )
            )
        with beside(pacs) as running:
            yield running


@pytest.fixture
def visit(browser: Browser, ours: OrthancServer) -> Iterator[Visit]:
    yield from visits(browser, ours, WIDE, "light")


def gaps_of(page: Page) -> Locator:
    return page.get_by_role("region", name="Missing from the database", exact=True)


def test_what_was_ticked_off_and_what_a_rule_leaves_is_told_with_the_earlier_search(
    visit: Visit, ours: OrthancServer, tmp_path: Path
) -> None:
    first = searched(ours)
    page = visit.open(f"{PATH}/{first}")
    gaps = gaps_of(page)
    chips = gaps.get_by_role("navigation", name="Filter by reason").get_by_role("link")
    expect(chips).to_have_text(["3 all", "2 not searched for before", "1 skipped by a rule"])
    # One is ticked off, the other fetched: it is no gap any more.
    with page.expect_response("**/chosen"):
        page.get_by_role("checkbox", name="Retrieve the study of 02/03/2026, Study 1").uncheck()
    page.get_by_role("button", name="Retrieve 1 object").click()
    expect(page.get_by_role("region", name="Retrieval", exact=True)).to_contain_text(
        "everything requested has arrived"
    )
    expect(chips).to_have_text(["2 all", "1 deselected", "1 skipped by a rule"])
    second = searched(ours)
    page = visit.open(f"{PATH}/{second}")
    expect(chips).to_have_text(["2 all", "1 deselected", "1 skipped by a rule"])
    rows = gaps.locator("tbody tr")
    expect(rows).to_have_count(0)
    chips.filter(has_text="all").click()
    expect(rows).to_have_count(2)
    visit.check()
    chips.filter(has_text="deselected").click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("02/03/2026")
    expect(rows).to_contain_text("Study 1")
    with page.expect_download() as begun:
        gaps.get_by_role("button", name="List as CSV").click()
    begun.value.save_as(tmp_path / "gaps.csv")
    lines = list(csv.DictReader(io.StringIO((tmp_path / "gaps.csv").read_text("utf-8-sig"))))
    assert {
        (one["study_instance_uid"], one["study_date"], one["why"], one["reason"], one["search"])
        for one in lines
    } == {
        ("1.2.826.0.2.1", "20260302", "ticked_off", "", str(first)),
        ("1.2.826.0.2.3", "20260302", "rule", "no_report", ""),
    }
    assert {one["why_in_words"] for one in lines} == {
        "deselected",
        "skipped by a rule: the study has no dose report",
    }
    # The choice is in the address; once more folds the list away.
    page.reload()
    expect(rows).to_have_count(1)
    rows.get_by_role("link", name=f"Search {first}").click()
    expect(page).to_have_url(f"{visit.base}/dose/app{PATH}/{first}")
    expect(gaps.locator("tbody")).to_have_count(0)


def test_a_store_that_has_all_says_so(visit: Visit, ours: OrthancServer) -> None:
    number = searched(ours, first=LAST_DAY, last=LAST_DAY)
    page = visit.open(f"{PATH}/{number}?gaps=all")
    expect(gaps_of(page).locator("tbody tr")).to_have_count(1)
    page.get_by_role("button", name="Retrieve 1 object").click()
    expect(gaps_of(page)).to_contain_text("The database contains everything that the node has.")
    expect(gaps_of(page).get_by_role("button")).to_have_count(0)
    visit.check()


@pytest.mark.parametrize("look", LOOKS, ids=LOOK_NAMES)
def test_a_long_list_has_pages_and_is_clean_in_all_looks(
    browser: Browser, ours: OrthancServer, look: Look
) -> None:
    number = searched(ours, first=OTHER_DAY, last=OTHER_DAY)
    for visit in visits(browser, ours, look[1], look[0]):
        page = visit.open(f"{PATH}/{number}?gaps=all")
        gaps = gaps_of(page)
        expect(gaps.locator("tbody tr")).to_have_count(25)
        expect(gaps).to_contain_text(f"1–25 of {MANY} missing studies")
        visit.check()
        assert fits(page)
        gaps.get_by_role("button", name="Next").click()
        expect(gaps.locator("tbody tr")).to_have_count(MANY - 25)
        visit.check()

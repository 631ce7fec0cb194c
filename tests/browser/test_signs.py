"""Signs at studies that do not count, or not alone: those that share irradiations name each other,
and a rejected study says so, on their pages and in the list."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from orthanc_dose.samples import Study, ct_report
from orthanc_dose.samples.rejection import rejection_note
from tests.browser.conftest import WIDE, Visit, visits
from tests.support import split
from tests.support.server import OrthancServer

REJECTED = "2.25.5301"


@pytest.fixture(scope="module")
def counting_server() -> Iterator[OrthancServer]:
    rejected = ct_report(2, study=Study(instance_uid=REJECTED), key="rejected")
    with OrthancServer() as running:
        running.send(split.ct("all events"), rejected, rejection_note([rejected]))
        running.wait_until_idle()
        yield running


@pytest.fixture
def visit(browser: Browser, counting_server: OrthancServer) -> Iterator[Visit]:
    yield from visits(browser, counting_server, WIDE, "light")


def test_a_study_says_where_its_irradiation_counts_and_that_it_is_rejected(
    visit: Visit, counting_server: OrthancServer
) -> None:
    numbers = {one["study_instance_uid"]: one["id"] for one in counting_server.studies()}
    first, second = (numbers[split.study_uid("all events", number)] for number in (0, 1))
    signs = {
        first: f"also in study {second}",
        second: f"counts in study {first}",
        numbers[REJECTED]: "rejected",
    }
    for number, sign in signs.items():
        page = visit.open(f"/study/{number}")
        expect(page.locator("h1").get_by_text(sign, exact=True)).to_be_visible()
    page = visit.open("/studies/CT")
    for sign in signs.values():
        expect(page.locator("table").get_by_text(sign, exact=True).first).to_be_visible()
    visit.check()

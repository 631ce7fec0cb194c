"""The followers on the Activity page: how far each one is, since when it is behind, and which
changes it could not process.
"""

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from orthanc_dose.samples import make_studies
from tests.browser.conftest import LOOKS, fits, visits
from tests.orthanc.test_followers import SCRIPT, follower
from tests.support.follower import FAILS_AT
from tests.support.server import OrthancServer


def test_the_page_shows_what_followers_did_not_do(browser: Browser, tmp_path: Path) -> None:
    fails_at = tmp_path / "fails"
    fails_at.write_text("1")
    samples = [sample for sample in make_studies(40, seed=5) if sample.events <= 4][:3]
    with OrthancServer(overrides=SCRIPT, environment={FAILS_AT: str(fails_at)}) as server:
        server.send(samples[:1])
        server.wait_for(lambda: follower(server)["failing"] == 1, "the failure")
        fails_at.write_text("1\nstore")
        server.send(samples[1:])
        server.wait_for(lambda: follower(server)["state"] == "waiting", "the follower")
        server.wait_until_idle()
        for scheme, size in LOOKS:
            for visit in visits(browser, server, size, scheme):
                page = visit.open("/activity")
                panel = page.get_by_role("region", name="Post-processing")
                expect(panel.get_by_role("listitem")).to_have_count(1)
                expect(panel).to_contain_text("echo")
                expect(panel).to_contain_text("waiting to retry")
                expect(panel).to_contain_text(re.compile(r"2 studies pending since .*\d\d:\d\d"))
                expect(panel).to_contain_text(
                    re.compile(r"Not working since .*\d\d:\d\d.*: IOException in react, line \d+")
                )
                panel.get_by_text("1 failed change").click()
                table = panel.get_by_role("region", name="Failed changes: echo")
                row = table.locator("tbody tr")
                expect(row).to_have_count(1)
                expect(row).to_contain_text(re.compile(r"new\s*ValueError in react, line \d+"))
                expect(row.get_by_role("link", name="Study 1")).to_have_attribute(
                    "href", "/dose/app/study/1"
                )
                assert "Secret" not in panel.inner_text()
                assert fits(page)
                visit.check()
        for visit in visits(browser, server, *reversed(LOOKS[0])):
            panel = visit.open("/activity").get_by_role("region", name="Post-processing")
            panel.get_by_role("button", name="Try again").click()
            expect(panel.get_by_role("status")).to_contain_text("tried again")
            fails_at.write_text("")
            expect(panel).to_contain_text("up to date")
            expect(panel.get_by_text("failed")).to_have_count(0)

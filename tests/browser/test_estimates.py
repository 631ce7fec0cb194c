"""Estimates on pages: the section of a study, in English and German, and the tables of the settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from orthanc_dose.samples import Patient, ct_report
from tests.browser.conftest import Visit, fits
from tests.support.server import OrthancServer


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    """A CT study; effective doses are estimated."""
    with OrthancServer() as running:
        chosen = {"effective_dose_weights": "ICRP 60", "effective_dose_ct": "aapm96"}
        assert running.request("PUT", "/dose/api/settings", json=chosen).status_code == 200
        running.send(ct_report(3, key="one", patient=Patient(name="A^B", patient_id="1")))
        running.wait_until_idle()
        assert running.details()[0]["estimates"]
        yield running


def test_the_page_of_a_study_shows_its_estimates(any_visit: Visit, server: OrthancServer) -> None:
    page = any_visit.open(f"/study/{server.studies()[0]['id']}")
    section = page.locator("#estimates")
    expect(section.get_by_role("heading", name="Estimates")).to_be_visible()
    table = section.get_by_role("table")
    expect(table).to_contain_text("Effective dose (reference person)")
    expect(table).to_contain_text("aapm96, version 1, ICRP 60")
    assert fits(page), "the page must not scroll sideways"
    any_visit.check()


def test_the_settings_name_the_tables_and_take_an_own_one(
    any_visit: Visit, tmp_path: Path, server: OrthancServer
) -> None:
    own = {
        "key": "ours", "version": "1", "kind": "dap", "title": "Our coefficients", "weights": "ICRP 103",
        "unit": "mSv/(Gy.cm2)", "source": "our physicist", "rows": [{"pattern": "Chest*", "coefficient": 0.1}],
    }  # fmt: skip
    file = tmp_path / "ours.json"
    file.write_text(json.dumps(own))
    page = any_visit.open("/settings/estimates")
    panel = page.get_by_role("region", name="Tables of coefficients")
    expect(panel).to_contain_text("Lee et al. 2012, ICRP 103")
    assert fits(page), "the page must not scroll sideways"
    any_visit.check()
    panel.get_by_label("Add or replace an own table (JSON file)").set_input_files(file)
    expect(panel).to_contain_text("Our coefficients")
    panel.get_by_role("button", name="Remove").click()
    expect(panel).not_to_contain_text("Our coefficients")
    any_visit.check()

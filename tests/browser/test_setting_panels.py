"""What stands beside the settings of patient identity and of not-patient patterns: what is there,
trying, applying.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from orthanc_dose.samples import Patient, ct_report
from tests.browser.conftest import Visit, fits
from tests.support.server import OrthancServer

STORED = {"PatientName": "stored", "PatientID": "stored", "PatientBirthDate": "stored"}


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    """A phantom and two persons; one of them came when no name and a hash of the ID was kept."""
    with OrthancServer(dose=STORED) as running:
        put(running, patient_name="none", patient_id="hashed")
        send(running, "before", "Somebody^Else", "4711")
        put(running, patient_name="stored", patient_id="stored")
        send(running, "phantom", "Phantom^Head", "QA7")
        send(running, "person", "Sample^Anna", "0815")
        yield running


def send(server: OrthancServer, key: str, name: str, patient_id: str) -> None:
    server.send(ct_report(2, key=key, patient=Patient(name=name, patient_id=patient_id)))
    server.wait_until_idle()


def put(server: OrthancServer, **values: Any) -> None:
    assert server.request("PUT", "/dose/api/settings", json=values).status_code == 200


def there(page: Page) -> Locator:
    return page.get_by_role("region", name="Existing data")


def cells(page: Page, item: str) -> Locator:
    """Rule; studies by way: not stored, as written, keyed hash, SHA-256; those that can be changed,
    those that cannot.
    """
    return there(page).get_by_role("row", name=item).get_by_role("cell")


def patterns(page: Page) -> Locator:
    return page.get_by_role("region", name="Test the patterns")


def save(page: Page) -> None:
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()


def test_the_panels_are_clean_in_both_themes_and_widths(any_visit: Visit) -> None:
    for topic, label in (
        ("identity", "Apply to existing data…"),
        ("test data", "Apply to existing studies…"),
    ):
        page = any_visit.open(f"/settings/{topic}")
        button = page.get_by_role("button", name=label)
        expect(button).to_be_visible()
        assert fits(page), "the page must not scroll sideways"
        any_visit.check()
        button.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        any_visit.check()


def test_names_and_ids_are_tried_with_the_saved_patterns(
    visit: Visit, server: OrthancServer
) -> None:
    put(server, not_patient_names=["*phantom*"], not_patient_ids=[])
    page = visit.open("/settings/test data")
    panel = patterns(page)
    expect(panel.get_by_role("button", name="Test", exact=True)).to_be_disabled()
    panel.get_by_label("Patient name").fill("Water^PHANTOM")
    panel.get_by_label("Patient ID").fill("test 1")
    panel.get_by_label("Patient ID").press("Enter")
    found = panel.get_by_role("status")
    expect(found).to_contain_text("Possible test data")
    expect(found).to_contain_text("Patient name: matched by *phantom*")
    expect(found).to_contain_text("Patient ID: no pattern matches")

    panel.get_by_label("Patient name").fill("Sample^Anna")
    expect(found).to_be_empty()
    panel.get_by_role("button", name="Test", exact=True).click()
    expect(found).to_contain_text("Not test data")
    visit.check()


def test_openrems_patterns_are_put_into_the_form_and_none_twice(
    visit: Visit, server: OrthancServer
) -> None:
    put(server, not_patient_names=["*TEST*", "*water*"], not_patient_ids=[])
    page = visit.open("/settings/test data")
    panel = patterns(page)
    add = panel.get_by_role("button", name="Add the patterns of OpenREM 0.7.4")
    add.click()
    expect(add).to_be_disabled()
    expect(panel).to_contain_text("has unsaved changes. Only the saved values are applied")
    panel.get_by_label("Patient ID").fill("test 1")
    panel.get_by_role("button", name="Test", exact=True).click()
    expect(panel.get_by_role("status")).to_contain_text("Only the saved patterns were tested")
    expect(panel.get_by_role("status")).to_contain_text("no pattern matches")
    save(page)
    # What was found is no longer of the saved patterns.
    expect(panel.get_by_role("status")).to_be_empty()
    kept = server.ok("/dose/api/not-patient")
    # As OpenREM's page "Not-patient indicator settings" has them.
    assert set(kept["names"]) == {"*TEST*", "*water*", "*phys*", "*qa*"}
    assert set(kept["ids"]) == {"*phy*", "*test*", "*qa*"}
    panel.get_by_role("button", name="Test", exact=True).click()
    expect(panel.get_by_role("status")).to_contain_text("Patient ID: matched by *test*")
    visit.check()


def test_old_studies_are_compared_with_the_saved_patterns(
    visit: Visit, server: OrthancServer
) -> None:
    put(server, not_patient_names=["*phantom*"], not_patient_ids=[])
    page = visit.open("/settings/test data")
    panel = patterns(page)
    expect(panel).to_contain_text("0 studies are currently marked as possible test data.")
    panel.get_by_role("button", name="Apply to existing studies…").click()
    expect(page.get_by_role("dialog")).to_contain_text("3 studies are compared with the patterns.")
    page.get_by_role("dialog").get_by_role("button", name="Apply").click()
    # The study without a name and with a hash of its ID cannot be told.
    expect(panel).to_contain_text("1 newly marked, 1 without stored identity")
    expect(panel).to_contain_text("1 study is currently marked as possible test data.")
    visit.check()
    [study] = server.studies(test_data="yes")
    assert study["not_patient_indicator"] == "name: *phantom*"

    put(server, not_patient_names=[])
    visit.open("/settings/test data")
    panel.get_by_role("button", name="Apply to existing studies…").click()
    expect(page.get_by_role("dialog")).to_contain_text("There are no saved patterns")
    page.get_by_role("dialog").get_by_role("button", name="Apply").click()
    expect(panel).to_contain_text("1 no longer marked")
    assert server.studies(test_data="yes") == []


# The last of this file: what is dropped does not come back.
def test_rules_are_applied_to_what_is_there_and_what_cannot_be_is_said(
    visit: Visit, server: OrthancServer
) -> None:
    page = visit.open("/settings/identity")
    expect(cells(page, "Patient name")).to_have_text(["plain text", "1", "2", "0", "0", "0", "1"])
    expect(cells(page, "Patient ID")).to_have_text(["plain text", "0", "2", "1", "0", "0", "1"])
    expect(there(page)).to_contain_text("Patient name: 1 study has none.")
    expect(there(page)).to_contain_text("Patient ID: 1 study has a hash.")
    expect(there(page)).to_contain_text("No study differs in a way that can be changed.")

    page.get_by_role("radiogroup", name="Patient name").get_by_label("not stored").check()
    page.get_by_role("radiogroup", name="Patient ID").get_by_label("keyed hash").check()
    expect(there(page)).to_contain_text("has unsaved changes. Only the saved values are applied")
    expect(cells(page, "Patient name")).to_have_text(["plain text", "1", "2", "0", "0", "0", "1"])
    save(page)
    expect(cells(page, "Patient name")).to_have_text(["not stored", "1", "2", "0", "0", "2", "0"])
    expect(cells(page, "Patient ID")).to_have_text(["keyed hash", "0", "2", "1", "0", "2", "0"])
    expect(there(page)).not_to_contain_text("unsaved changes")

    apply = there(page).get_by_role("button", name="Apply to existing data…")
    apply.click()
    dialog = page.get_by_role("dialog")
    changes = ["Patient name: removed from 2 studies", "Patient ID: hashed in 2 studies"]
    expect(dialog.get_by_role("listitem")).to_have_text(changes)
    expect(dialog).to_contain_text("This cannot be undone")
    dialog.get_by_role("button", name="Cancel").click()
    assert len(server.studies(patient_name="Anna")) == 1
    apply.click()
    dialog.get_by_role("button", name="Apply").click()
    expect(there(page).get_by_role("list", name="Result").get_by_role("listitem")).to_have_text(
        changes
    )
    expect(cells(page, "Patient name")).to_have_text(["not stored", "3", "0", "0", "0", "0", "0"])
    expect(cells(page, "Patient ID")).to_have_text(["keyed hash", "0", "0", "3", "0", "0", "0"])
    visit.check()
    assert server.studies(patient_name="Anna") == []
    assert len(server.studies(patient_id="0815")) == 1  # by its hash

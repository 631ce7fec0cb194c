"""The page of patient sizes: a file is chosen, what would happen is shown in words, the import runs
and can be looked at.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from orthanc_dose.samples import make_studies
from tests.browser.conftest import Visit, fits
from tests.support.server import OrthancServer

HEADER = "Auftragsnummer;Größe;Gewicht (kg)\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    """A server with studies that have no height and no weight, but for the last one."""
    made = list(make_studies(5, seed=31, kinds=["ct"]))
    for study in made[:-1]:
        for dataset in study.datasets:
            del dataset.PatientSize, dataset.PatientWeight
    for dataset in made[-1].datasets:
        dataset.PatientSize, dataset.PatientWeight = "1.6", "55"
    with OrthancServer() as running:
        running.send(made)
        running.wait_until_idle()
        yield running


NUMBERS = [
    str(study.datasets[0].AccessionNumber) for study in make_studies(5, seed=31, kinds=["ct"])
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "größen.csv"
    lines = [
        f"{NUMBERS[0]};1,755;80,5",
        f"{NUMBERS[4]};1,7;",
        "<b>nobody</b>;1,7;70",
        f"{NUMBERS[1]};0;x",
        ";1,7;",
    ]
    path.write_bytes((HEADER + "\r\n".join(lines)).encode("cp1252"))
    return path


def choose(visit: Visit, file: Path) -> Page:
    page = visit.open("/sizes")
    page.get_by_label("Drop a CSV or XLSX file here").set_input_files(file)
    expect(page.get_by_role("region", name="Preview of the first lines")).to_be_visible()
    visit.settle()
    return page


def test_the_page_is_clean_in_both_themes_and_widths(any_visit: Visit, file: Path) -> None:
    page = any_visit.open("/sizes")
    any_visit.check()
    choose(any_visit, file)
    assert fits(page), "the page must not scroll sideways"
    any_visit.check()
    page.get_by_label("Replace existing heights and weights").check()
    any_visit.settle()
    page.get_by_role("button", name="Import", exact=True).click()
    any_visit.check()


def test_a_file_from_choosing_it_to_its_log(
    visit: Visit, server: OrthancServer, file: Path
) -> None:
    page = visit.open("/")
    page.get_by_text("Administration", exact=True).click()
    page.get_by_role("link", name="Patient sizes").click()
    expect(page).to_have_url(re.compile("/sizes$"))
    choose(visit, file)
    columns = page.get_by_role("group", name="Height").get_by_label("Column")
    expect(columns).to_have_value("1")
    expect(page.get_by_role("group", name="Height").get_by_label("Unit")).to_have_value("m")
    expect(page.locator("main")).to_contain_text("Recognised by the values")
    rows = page.get_by_role("region", name="Preview of the first lines").locator("tbody tr")
    for number, words in enumerate(
        ("inserted", "already present", "no study", "unusable value", "unusable value")
    ):
        expect(rows.nth(number)).to_contain_text(words)
    expect(rows.nth(0)).to_contain_text("1.755")
    expect(rows.nth(2)).to_contain_text("<b>nobody</b>")
    expect(rows.nth(3)).to_contain_text("the height is implausible")
    assert not server.studies(mark="from_size_import"), "nothing was written yet"

    page.get_by_role("button", name="Import", exact=True).click()
    expect(page).to_have_url(re.compile(r"/tasks/\d+"))
    expect(page.locator("main")).to_contain_text("done")
    visit.settle()
    assert len(server.studies(mark="from_size_import")) == 1
    page.get_by_role("link", name=re.compile("no study")).click()
    expect(page.locator("main tbody tr")).to_have_count(1)
    expect(page.locator("main tbody tr")).to_contain_text("4")
    visit.open("/sizes")
    past = page.get_by_role("region", name="Previous imports")
    expect(past.locator("tbody tr").first).to_contain_text(re.compile(r"File \d+"))
    expect(past.locator("tbody tr").first).to_contain_text("1 inserted")
    visit.check()


def test_replacing_is_asked_about(visit: Visit, server: OrthancServer, file: Path) -> None:
    page = choose(visit, file)
    page.get_by_label("Replace existing heights and weights").check()
    rows = page.get_by_role("region", name="Preview of the first lines").locator("tbody tr")
    expect(rows.nth(1)).to_contain_text("overwritten")
    page.get_by_role("button", name="Import", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("cannot be undone")
    before = server.ok("/dose/api/tasks?kind=import-sizes")["total"]
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    assert server.ok("/dose/api/tasks?kind=import-sizes")["total"] == before
    page.get_by_role("button", name="Import", exact=True).click()
    dialog.get_by_role("button", name="Import and replace").click()
    expect(page).to_have_url(re.compile(r"/tasks/\d+"))
    expect(page.locator("main")).to_contain_text("done")
    rows = server.studies(columns="accession_number,patient_size")
    assert {row["accession_number"]: row["patient_size"] for row in rows}[NUMBERS[4]] == 1.7


def test_nothing_begins_before_what_is_missing_is_chosen(visit: Visit, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text(f"key;size;note\n{NUMBERS[2]};69;a\n{NUMBERS[3]};70;b\n")
    page = visit.open("/sizes")
    page.get_by_label("Drop a CSV or XLSX file here").set_input_files(file)
    start = page.get_by_role("button", name="Import", exact=True)
    expect(page.locator("main")).to_contain_text("Choose the column with the identifier.")
    expect(start).to_be_disabled()
    page.get_by_role("group", name="Identifier").get_by_label("Column").select_option(
        label="key (such as " + NUMBERS[2] + ")"
    )
    expect(page.locator("main")).to_contain_text("Choose the unit of the height.")
    expect(start).to_be_disabled()
    page.get_by_role("group", name="Height").get_by_label("Unit").select_option("cm")
    expect(
        page.get_by_role("region", name="Preview of the first lines").locator("tbody tr")
    ).to_have_count(2)
    expect(start).to_be_enabled()
    visit.check()
    page.get_by_role("button", name="Choose another file").click()
    expect(page.get_by_role("button", name="Choose a file")).to_be_visible()


def test_a_file_that_is_no_table_is_refused_in_words(visit: Visit, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(b"PK\x03\x04")
    page = visit.open("/sizes")
    page.get_by_label("Drop a CSV or XLSX file here").set_input_files(file)
    expect(page.get_by_role("alert")).to_contain_text("Save the table as XLSX without")


def test_by_the_keyboard_alone(visit: Visit, file: Path) -> None:
    # With somebody listening from the beginning, the browser never opens a dialog of its own.
    visit.page.on("filechooser", lambda chooser: None)
    page = visit.open("/sizes")
    page.locator("main").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Choose a file")).to_be_focused()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(file)
    expect(page.get_by_role("region", name="Preview of the first lines")).to_be_visible()

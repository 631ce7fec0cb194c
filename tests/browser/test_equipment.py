"""The pages of equipment: names, modality types, joins and their undoing, what a system sends,
deleting its studies.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import LOOK_NAMES, LOOKS, WIDE, Visit, fits, visits
from tests.support.server import OrthancServer
from tests.support.systems import by_software, report, reports, systems
from tests.support.visitors import ask, guarded


@pytest.fixture
def own_server() -> Iterator[OrthancServer]:
    """Three rows of one CT, of which two differ in the software alone, and another CT."""
    with guarded() as running:
        running.send(
            report("a", SoftwareVersions="1"),
            report("b", SoftwareVersions="1"),
            reports("c", SoftwareVersions="2"),
            report("d", SoftwareVersions="9", StationName="OTHER", DeviceSerialNumber="another"),
        )
        running.wait_until_idle()
        yield running


@pytest.fixture
def visit(browser: Browser, own_server: OrthancServer) -> Iterator[Visit]:
    yield from visits(browser, own_server, WIDE, "light")


def row(page: Page, text: str) -> Locator:
    return (
        page.get_by_role("region", name="Systems", exact=True)
        .get_by_role("row")
        .filter(has_text=text)
    )


def choose(page: Page, *numbers: int) -> Locator:
    for number in numbers:
        page.get_by_role("checkbox", name=re.compile(rf"\(system {number}\)$")).check()
    return page.get_by_role("region", name="Selected systems")


def names(server: OrthancServer) -> dict[str, str]:
    return {row["software_versions"]: row["display_name"] for row in systems(server)}


def test_systems_are_found_sorted_and_renamed(visit: Visit, own_server: OrthancServer) -> None:
    found = by_software(own_server)
    page = visit.open("/equipment")
    table = page.get_by_role("region", name="Systems", exact=True)
    expect(table.get_by_role("row")).to_have_count(4)
    page.get_by_role("button", name="Studies", exact=True).click()
    expect(table.get_by_role("row").nth(1)).to_contain_text("SAMPLE1")
    expect(table.locator("[aria-sort=descending]")).to_contain_text("Studies")
    page.get_by_role("searchbox", name="Find a system").fill("another")
    expect(table.get_by_role("row")).to_have_count(2)
    expect(table).to_contain_text("OTHER")
    page.get_by_role("searchbox", name="Find a system").fill("")
    bar = choose(page, found["1"]["id"], found["2"]["id"])
    expect(bar).to_contain_text("2 systems selected")
    bar.get_by_role("button", name="Rename").click()
    dialog = page.get_by_role("dialog", name="Rename 2 systems")
    dialog.get_by_label("Display name").fill("CT in room 1")
    visit.check()
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(row(page, "CT in room 1")).to_have_count(2)
    assert names(own_server) == {
        "1": "CT in room 1",
        "2": "CT in room 1",
        "9": "Sample General Hospital OTHER",
    }
    # An empty name is the one of before.
    choose(page, found["1"]["id"]).get_by_role("button", name="Rename").click()
    dialog = page.get_by_role("dialog", name="Rename the system")
    dialog.get_by_label("Display name").fill("")
    dialog.get_by_role("button", name="Rename").click()
    expect(dialog).to_have_count(0)
    assert names(own_server)["1"] == "Sample General Hospital SAMPLE1"
    visit.check()


def test_a_proposal_shows_what_differs_and_a_join_is_undone(
    visit: Visit, own_server: OrthancServer
) -> None:
    found = by_software(own_server)
    old, new = found["1"]["id"], found["2"]["id"]
    page = visit.open("/equipment")
    page.get_by_text("1 suggestion to merge systems").click()
    page.get_by_role("button", name=re.compile("Compare and merge: .*Software version")).click()
    dialog = page.get_by_role("dialog", name="Merge 2 systems into one?")
    differs = dialog.get_by_role("row").filter(has_text="Software version")
    expect(differs).to_contain_text("1")
    expect(differs).to_contain_text("2")
    expect(dialog.get_by_role("row").filter(has_text="Station name")).to_have_count(0)
    visit.check()
    dialog.get_by_role("radio").nth(
        0 if found["1"]["id"] == systems_in_order(dialog, found)[0] else 1
    ).check()
    dialog.get_by_role("button", name="Merge", exact=True).click()
    expect(dialog).to_have_count(0)
    visit.settle()
    now = by_software(own_server)
    joined = {
        number: row["joined_into"] for number, row in ((row["id"], row) for row in now.values())
    }
    assert sorted(filter(None, joined.values())) in ([old], [new])
    root = old if joined[new] == old else new
    assert next(row for row in now.values() if row["id"] == root)["studies"] == 3
    expect(page.get_by_text("suggestion to merge systems")).to_have_count(0)
    page.get_by_role("button", name=re.compile("^Undo merge: ")).click()
    dialog = page.get_by_role("dialog", name=re.compile("^Undo the merge of "))
    dialog.get_by_role("button", name="Undo merge").click()
    expect(dialog).to_have_count(0)
    assert {
        row["software_versions"]: (row["studies"], row["joined_into"])
        for row in systems(own_server)
    } == {
        "1": (2, None),
        "2": (1, None),
        "9": (1, None),
    }
    visit.check()


def systems_in_order(dialog: Locator, found: dict[str, Any]) -> list[int]:
    cells = (
        dialog.get_by_role("row")
        .filter(has_text="Software version")
        .get_by_role("cell")
        .all_inner_texts()
    )
    return [found[cell.strip()]["id"] for cell in cells]


def test_the_modality_type_of_several_systems_is_set_by_a_task(
    visit: Visit, own_server: OrthancServer
) -> None:
    found = by_software(own_server)
    page = visit.open("/equipment")
    choose(page, found["1"]["id"], found["9"]["id"]).get_by_role(
        "button", name="Modality type"
    ).click()
    dialog = page.get_by_role("dialog", name="Modality type of 2 systems")
    dialog.get_by_role("radio", name=re.compile("^Dual|dual|sorted", re.IGNORECASE)).check()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("region", name="Reclassifying studies")).to_contain_text("done")
    assert {
        row["software_versions"]: row["user_defined_modality"] for row in systems(own_server)
    } == {
        "1": "dual",
        "2": None,
        "9": "dual",
    }
    expect(page.get_by_text("classified study by study")).to_have_count(2)
    visit.check()


def test_the_page_of_a_system_says_which_fields_its_studies_have(
    visit: Visit, own_server: OrthancServer
) -> None:
    number = by_software(own_server)["1"]["id"]
    review = own_server.ok(f"/dose/api/equipment/{number}/review")
    page = visit.open(f"/equipment/{number}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sample General Hospital SAMPLE1")
    studies = page.get_by_role("region", name="Computed tomography: Studies")
    (tables,) = (one["tables"] for one in review["filled"])
    for field in tables[0]["fields"]:
        title = {"study_date": "Study date", "accession_number": "Accession number"}.get(
            field["field"]
        )
        if title and field["filled"]:
            percent = 100 * field["filled"] / tables[0]["rows"]
            line = studies.get_by_role("row").filter(
                has=page.get_by_role("rowheader", name=title, exact=True)
            )
            expect(line).to_contain_text(f"{percent:.0f} %")
    empty = [field["field"] for field in tables[0]["fields"] if not field["filled"]]
    assert "comment" in empty
    expect(studies.get_by_role("rowheader", name="Comment", exact=True)).to_have_count(0)
    page.get_by_label("Also show empty fields").check()
    comment = studies.get_by_role("row").filter(
        has=page.get_by_role("rowheader", name="Comment", exact=True)
    )
    expect(comment).to_contain_text("0 %")
    listed = page.get_by_role("region", name="Studies of the system")
    expect(listed.get_by_role("row")).to_have_count(3)
    visit.check()
    listed.get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(r"/study/\d+"))


def test_studies_are_deleted_after_their_number_is_typed(
    visit: Visit, own_server: OrthancServer
) -> None:
    number = by_software(own_server)["1"]["id"]
    page = visit.open(f"/equipment/{number}")
    page.get_by_role("button", name="Delete its studies").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("2 studies will be deleted.")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    assert len(own_server.studies()) == 4
    page.get_by_role("button", name="Delete its studies").click()
    dialog.get_by_role("button", name="Continue").click()
    last = dialog.get_by_role("button", name="Delete permanently")
    expect(last).to_be_disabled()
    dialog.get_by_label(re.compile("^To confirm, enter the number of studies, 2")).fill("3")
    expect(last).to_be_disabled()
    visit.check()
    dialog.get_by_label(re.compile("^To confirm, enter the number of studies, 2")).fill("2")
    last.click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("region", name="Deleting studies")).to_contain_text("done")
    assert len(own_server.studies()) == 2
    expect(page.locator("main")).to_contain_text("This system has no studies.")
    assert by_software(own_server)["1"]["studies"] == 0
    # With its row, and nothing else: 0 is the number then.
    page.get_by_role("button", name="Delete studies and system").click()
    dialog.get_by_role("button", name="Continue").click()
    dialog.get_by_label(re.compile("^To confirm, enter the number of studies, 0")).fill("0")
    dialog.get_by_role("button", name="Delete permanently").click()
    expect(page).to_have_url(re.compile("/equipment$"))
    expect(page.locator("main")).to_contain_text("The system has been deleted, with 0 studies.")
    assert set(by_software(own_server)) == {"2", "9"}
    visit.settle()
    visit.check()


def test_who_only_looks_changes_nothing(browser: Browser, own_server: OrthancServer) -> None:
    from tests.support.visitors import REGISTERED

    context = browser.new_context(viewport=WIDE)
    visit = Visit(context.new_page(), own_server.url)
    visit.page.goto(f"{own_server.url}/dose/app/sign-in?to=/equipment")
    visit.page.get_by_label("Name").fill("only view")
    visit.page.get_by_label("Password", exact=True).fill(REGISTERED["only view"])
    visit.page.keyboard.press("Enter")
    expect(visit.page).to_have_url(re.compile("/equipment$"))
    visit.settle()
    page = visit.page
    expect(page.get_by_role("region", name="Systems", exact=True).get_by_role("row")).to_have_count(
        4
    )
    expect(page.locator("main").get_by_role("checkbox")).to_have_count(0)
    expect(page.get_by_text("suggestion to merge systems")).to_have_count(0)
    visit.check()
    visit.open(f"/equipment/{by_software(own_server)['1']['id']}")
    expect(
        page.get_by_role("button", name=re.compile("Delete|Rename|Reclassify studies"))
    ).to_have_count(0)
    visit.check()
    assert (
        ask(
            own_server,
            "PUT",
            "/dose/api/equipment/display-name",
            "only view",
            json={"ids": [1], "display_name": "x"},
        ).status_code
        == 403
    )
    context.close()


@pytest.mark.parametrize(("scheme", "viewport"), LOOKS, ids=LOOK_NAMES)
def test_the_pages_are_clean_in_both_themes_and_widths(
    browser: Browser, own_server: OrthancServer, scheme: str, viewport: dict[str, int]
) -> None:
    for visit in visits(browser, own_server, viewport, scheme):
        for path in (
            "/equipment",
            f"/equipment/{by_software(own_server)['2']['id']}",
            "/equipment/99999",
        ):
            page = visit.open(path)
            assert fits(page), "no scrolling sideways"
            visit.complaints[:] = [said for said in visit.complaints if "404" not in said]
            visit.check()

"""The pages of the account, the users and the audit log."""

import csv
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import LOOK_NAMES, LOOKS, NARROW, WIDE, Enter, Look, fits
from tests.support.people import SECRET, put_user
from tests.support.server import PASSWORD, USER, OrthancServer
from tests.support.visitors import NOBODY

# --- the account ---


@pytest.mark.parametrize("look", LOOKS, ids=LOOK_NAMES)
@pytest.mark.parametrize("path", ["/account", "/users", "/audit-log", "/activity", "/"])
def test_the_pages_are_clean(come: Enter, path: str, look: Look) -> None:
    visit = come("ruth", look)
    page = visit.open(path)
    assert fits(page), f"{path} must not scroll sideways"
    visit.check()


@pytest.mark.parametrize("path", ["/account", "/users", "/audit-log"])
def test_the_pages_fit_in_german(come: Enter, path: str) -> None:
    for look in (("light", WIDE), ("light", NARROW)):
        visit = come("ruth", look, language="de-DE")
        page = visit.open(path)
        assert fits(page), f"{path} must not scroll sideways"
        visit.check()


def test_the_password_is_changed_with_errors_at_their_fields(come: Enter) -> None:
    visit = come("olga")
    page = visit.open("/account")
    names = ("Current password", "New password", "Repeat the new password")
    old, new, again = (page.get_by_label(name, exact=True) for name in names)
    change = page.get_by_role("button", name="Change password")

    def fill(*values: str) -> None:
        for field, value in zip((old, new, again), values, strict=True):
            field.fill(value)
        change.click()

    def about(name: str) -> Any:
        return page.locator(".field", has=page.get_by_label(name, exact=True))

    fill(SECRET, "another good one", "another good two")
    expect(about("Repeat the new password")).to_contain_text("The two new passwords differ")
    fill("not the password", "another good one", "another good one")
    expect(about("Current password")).to_contain_text("The current password is wrong")
    fill(SECRET, "short", "short")
    expect(about("New password").locator(".error")).to_contain_text("10 to 200")
    fill(SECRET, "another good one", "another good one")
    expect(
        page.get_by_role("status").filter(has_text="The password has been changed.")
    ).to_be_visible()
    # The session goes on, in a new one.
    visit.open("/studies/CT")
    expect(page.locator("tbody tr").first).to_be_visible()
    other = come("olga", password="another good one")
    expect(other.open("/account").locator("main h2").first).to_have_text("olga")


def test_a_token_is_shown_once_works_and_is_withdrawn(come: Enter, door: OrthancServer) -> None:
    visit = come("vera")
    page = visit.open("/account")
    page.get_by_label("Purpose").fill("Monthly figures")
    page.get_by_label("Expires after").select_option(label="30 days")
    page.get_by_role("button", name="Create token").click()
    secret = page.get_by_label("Token", exact=True).input_value()
    assert re.fullmatch(r"dose_[0-9a-f]{12}_[\w-]{43}", secret)
    expect(page.locator("pre")).to_contain_text(f"Bearer {secret}")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    visit.check()

    def use() -> int:
        return door.request(
            "GET", "/dose/api/studies", auth=NOBODY, headers={"Authorization": f"Bearer {secret}"}
        ).status_code

    assert use() == 200
    visit.open("/account")
    expect(page.locator("main")).not_to_contain_text(secret)
    page.get_by_role("button", name="Withdraw the token “Monthly figures”").click()
    expect(page.get_by_role("dialog")).to_contain_text("lose access immediately")
    visit.check()
    page.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
    expect(page.locator("main")).to_contain_text("You have no tokens.")
    assert use() == 401


# --- users ---


def test_a_user_is_added_changed_disabled_and_removed(come: Enter, door: OrthancServer) -> None:
    visit = come("ruth")
    page = visit.open("/users")
    page.get_by_role("button", name="Add user").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Name", exact=True)).to_be_focused()
    visit.check()
    dialog.get_by_label("Name", exact=True).fill("VERA")
    dialog.get_by_label("Initial password", exact=True).fill(SECRET)
    dialog.get_by_role("button", name="Add").click()
    expect(dialog.locator("#new-user-about")).to_contain_text(
        "There already is a user with this name"
    )
    assert [said for said in visit.complaints if "409" not in said] == []
    visit.complaints.clear()
    dialog.get_by_label("Name", exact=True).fill("nina")
    dialog.get_by_role("button", name="Add").click()
    expect(dialog).to_have_count(0)
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="nina"))
    expect(row).to_contain_text("by ruth")

    def groups() -> list[str]:
        return next(
            user["groups"] for user in door.ok("/dose/api/users")["users"] if user["name"] == "nina"
        )

    assert groups() == ["view"]
    page.get_by_label("nina in the group Export").check()
    expect(
        page.get_by_role("status").filter(has_text="The groups of nina have been changed.")
    ).to_be_visible()
    expect(page.get_by_label("nina in the group Export")).to_be_checked()
    assert groups() == ["view", "export"]

    other = come("nina")
    other.open("/")
    page.get_by_role("button", name="New password for nina").click()
    page.get_by_role("dialog").get_by_label("New password", exact=True).fill("a second password")
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_role("status").filter(has_text="nina has a new password.")).to_be_visible()
    other.page.goto(f"{other.base}/dose/app/")
    expect(other.page.get_by_label("User name")).to_be_visible()

    page.get_by_role("button", name="Disable nina").click()
    page.get_by_role("dialog").get_by_role("button", name="Disable").click()
    expect(row).to_contain_text("disabled")
    page.get_by_role("button", name="Enable nina").click()
    expect(page.get_by_role("button", name="Disable nina")).to_be_visible()
    page.get_by_role("button", name="Remove nina").click()
    expect(page.get_by_role("dialog")).to_contain_text("sessions end")
    visit.check()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_label("nina in the group View")).to_have_count(0)
    assert "nina" not in {user["name"] for user in door.ok("/dose/api/users")["users"]}


def test_users_of_the_configuration_are_shown_and_not_changed(come: Enter) -> None:
    page = come("ruth").open("/users")
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=USER, exact=True))
    expect(row).to_contain_text("Orthanc’s configuration")
    expect(row.get_by_role("checkbox").first).to_be_disabled()
    expect(row.get_by_role("button")).to_have_count(0)
    expect(page.locator("main")).to_contain_text("RegisteredUsers")


def test_giving_up_ones_own_administration_asks_first(come: Enter, door: OrthancServer) -> None:
    put_user(door, "theo", groups=["view", "administration"], password=SECRET)
    page = come("theo").open("/users")
    box = page.get_by_label("theo in the group Administration")
    box.click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(box).to_be_checked()
    box.click()
    page.get_by_role("dialog").get_by_role("button", name="Give up").click()
    expect(page.locator("main")).to_contain_text("You do not have access to this page")


def test_a_refusal_of_the_server_is_told(come: Enter) -> None:
    page = come("ruth").open("/users")
    refusal = {
        "error": {
            "code": "last_administrator",
            "message": "This is the last administrator.",
            "field": "groups",
        }
    }
    page.route("**/dose/api/users/emil", lambda route: route.fulfill(status=409, json=refusal))
    page.get_by_label("emil in the group Export").click()
    expect(page.get_by_role("alert")).to_contain_text("emil: This is the last administrator.")
    expect(page.get_by_label("emil in the group Export")).not_to_be_checked()


# --- the audit log ---


def test_the_audit_log_is_filtered_and_leads_to_studies(come: Enter, door: OrthancServer) -> None:
    number = door.studies(modality="CT")[0]["id"]
    come("ines").open(f"/study/{number}")
    visit = come("ruth")
    page = visit.open("/audit-log")
    page.get_by_role("combobox", name="User", exact=True).select_option("ines")
    page.get_by_role("combobox", name="Action", exact=True).select_option(
        label="Patient identity viewed"
    )
    visit.settle()
    expect(page).to_have_url(re.compile("user=ines"))
    rows = page.locator("main tbody tr")
    expect(rows.first).to_contain_text("127.0.0.1")
    expect(rows.filter(has_not=page.get_by_role("cell", name="ines", exact=True))).to_have_count(0)
    page.locator("main tbody tr").filter(has_text="study").get_by_role(
        "link", name=str(number), exact=True
    ).first.click()
    expect(page).to_have_url(re.compile(f"/study/{number}$"))
    visit.open("/audit-log?text=no+entry+says+this")
    expect(page.locator("main")).to_contain_text("No entries")
    visit.check()
    today, before = date.today().isoformat(), "2001-01-01"
    visit.open(f"/audit-log?from={today}")
    expect(rows.first).to_be_visible()
    visit.open(f"/audit-log?from={before}&to={before}")
    expect(page.locator("main")).to_contain_text("No entries")


def test_the_audit_log_is_exported_as_it_is_filtered(come: Enter, tmp_path: Path) -> None:
    visit = come("ruth")
    page = visit.open("/audit-log?action=sign-in&user=ruth")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    path = tmp_path / "log.csv"
    download.value.save_as(path)
    with open(path, encoding="utf-8-sig", newline="") as file:
        entries = list(csv.DictReader(file))
    assert entries
    assert {(entry["user_name"], entry["action"]) for entry in entries} == {("ruth", "sign-in")}


def test_a_registered_user_signs_in_with_the_password_of_the_configuration(come: Enter) -> None:
    page = come(USER, password=PASSWORD).open("/account")
    expect(page.locator("main")).to_contain_text("Change the password there")
    expect(page.get_by_label("Current password")).to_have_count(0)

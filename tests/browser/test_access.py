"""Who may see and do what on the pages: signing in and out, the account, the users, the audit log."""

import csv
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from orthanc_dose.samples import make_studies
from tests.browser.conftest import NARROW, WIDE, Visit
from tests.support.server import PASSWORD, USER, OrthancServer
from tests.support.visitors import NOBODY, REGISTERED, guarded

SECRET = "correct horse battery"
# Users whom an administrator adds: name and groups.
ADDED = {
    "vera": ["view"], "ines": ["view", "patient identity"], "adam": ["administration"],
    "ruth": ["view", "administration"], "olga": ["view"], "emil": ["view"], "greta": [],
}  # fmt: skip
EVERY_LOOK = [("light", WIDE), ("dark", WIDE), ("light", NARROW), ("dark", NARROW)]
LOOK_NAMES = ["light-wide", "dark-wide", "light-narrow", "dark-narrow"]

Enter = Callable[..., Visit]


def put_user(server: OrthancServer, name: str, **what: Any) -> None:
    answer = server.request("PUT", f"/dose/api/users/{name}", json=what)
    assert answer.status_code == 200, answer.text


@pytest.fixture(scope="module")
def door() -> Iterator[OrthancServer]:
    with guarded(PatientName="stored", PatientID="stored") as running:
        running.send(list(make_studies(12, seed=5, until=date.today())))
        running.wait_until_idle()
        for name, groups in ADDED.items():
            put_user(running, name, groups=groups, password=SECRET)
        yield running


@pytest.fixture
def come(browser: Browser, door: OrthancServer) -> Iterator[Enter]:
    """Opens a browser of somebody: signed in where a name is given."""
    with ExitStack() as stack:

        def come(name: str | None = None, look: tuple[str, dict[str, int]] = ("light", WIDE), password: str = "",
                 language: str = "en-GB") -> Visit:  # fmt: skip
            context = browser.new_context(viewport=look[1], color_scheme=look[0], locale=language)
            stack.callback(context.close)
            context.grant_permissions(["clipboard-read", "clipboard-write"])
            if name:
                answer = context.request.post(
                    f"{door.url}/dose/api/session", headers={"X-Dose-Request": "1"},
                    data={"name": name, "password": password or REGISTERED.get(name) or SECRET},
                )  # fmt: skip
                assert answer.ok, answer.text()
            return Visit(context.new_page(), door.url)

        yield come


def sign_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


# --- signing in and out ---


def test_whoever_is_not_signed_in_sees_nothing_but_where_to_sign_in(come: Enter) -> None:
    visit = come()
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url.split("/dose/")[1]) if "/api/" in request.url else None)
    page = visit.open("/studies/CT?sort=-dlp_total")
    expect(page).to_have_url(re.compile(r"/sign-in\?to=/studies/CT"))
    expect(page.get_by_label("User name")).to_be_focused()
    expect(page.get_by_role("navigation")).to_have_count(0)
    assert asked == ["api/session"]
    visit.check()
    sign_in(page, "vera", SECRET)
    expect(page).to_have_url(re.compile(r"/studies/CT\?sort=-dlp_total"))
    visit.settle()
    expect(page.locator("tbody tr").first).to_be_visible()
    visit.check()


@pytest.mark.parametrize("look", EVERY_LOOK, ids=LOOK_NAMES)
def test_the_sign_in_page_is_clean(come: Enter, look: tuple[str, dict[str, int]]) -> None:
    visit = come(None, look)
    page = visit.open("/")
    assert fits(page)
    visit.check()


def test_an_address_of_elsewhere_is_not_where_signing_in_leads(come: Enter) -> None:
    page = come().open("/sign-in?to=//example.org/x")
    sign_in(page, "vera", SECRET)
    expect(page).to_have_url(re.compile(r"127\.0\.0\.1:\d+/dose/app/$"))


def test_a_wrong_password_says_so_and_many_lock_with_the_time_left(come: Enter) -> None:
    visit = come()
    page = visit.open("/sign-in")
    for _ in range(5):
        sign_in(page, "nobody of this name", "not the password")
        expect(page.get_by_role("alert")).to_contain_text("not known")
        expect(page.get_by_label("Password", exact=True)).to_have_value("")
    sign_in(page, "nobody of this name", "not the password")
    expect(page.get_by_role("alert")).to_contain_text("Too many wrong passwords")
    expect(page.locator("main")).to_contain_text(re.compile(r"Try again in [01]:\d\d"))
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_disabled()


def test_the_password_can_be_shown_and_caps_lock_is_told(come: Enter) -> None:
    page = come().open("/sign-in")
    field = page.get_by_label("Password", exact=True)
    expect(field).to_have_attribute("type", "password")
    page.get_by_role("button", name="Show: Password").click()
    expect(field).to_have_attribute("type", "text")
    expect(page.get_by_text("Caps Lock is on.")).to_have_count(0)
    field.evaluate("it => it.dispatchEvent(new KeyboardEvent('keyup', { key: 'A', modifierCapsLock: true }))")
    expect(page.get_by_text("Caps Lock is on.")).to_be_visible()


def test_a_server_that_is_away_is_told_and_asked_again(come: Enter) -> None:
    visit = come("vera")
    visit.page.route("**/dose/api/session", lambda route: route.abort())
    visit.page.goto(f"{visit.base}/dose/app/studies/CT")
    expect(visit.page.get_by_role("alert")).to_contain_text("Orthanc does not answer")
    visit.page.unroute("**/dose/api/session")
    visit.page.get_by_role("button", name="Try again").click()
    expect(visit.page.locator("tbody tr").first).to_be_visible()


def test_the_user_menu_names_the_user_and_signs_out(come: Enter) -> None:
    visit = come("ines")
    page = visit.open("/")
    page.get_by_label("Account: ines").click()
    expect(page.locator("header")).to_contain_text("View, Patient identity")
    visit.check()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    page.get_by_label("Account: ines").press("Enter")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile(r"/sign-in$"))
    page.goto(f"{visit.base}/dose/app/studies/CT")
    expect(page.get_by_label("User name")).to_be_visible()


def test_a_session_that_ends_asks_over_the_page_and_nothing_is_lost(come: Enter) -> None:
    visit = come("vera")
    page = visit.open("/studies/CT")
    page.get_by_role("button", name="Filters").first.click() if not page.get_by_label("Find a filter").count() else None
    page.get_by_label("Find a filter").fill("dlp")
    page.context.clear_cookies()
    page.locator("a.sort", has_text="DLP total").click()
    dialog = page.get_by_role("dialog", name="Sign in again")
    expect(dialog).to_contain_text("vera")
    expect(dialog.get_by_label("Password", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Password", exact=True).fill("not the password")
    dialog.get_by_role("button", name="Sign in", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("not known")
    dialog.get_by_label("Password", exact=True).fill(SECRET)
    dialog.get_by_label("Password", exact=True).press("Enter")
    expect(dialog).to_have_count(0)
    visit.settle()
    # What was asked for when the session ended has come, and what was typed stands.
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("DLP total")
    expect(page.get_by_label("Find a filter")).to_have_value("dlp")


def test_who_comes_by_http_basic_is_not_offered_to_sign_out(visit: Visit) -> None:
    page = visit.open("/account")
    expect(page.locator("main")).to_contain_text("HTTP Basic")
    expect(page.locator("main")).to_contain_text("RegisteredUsers")
    page.get_by_label(f"Account: {USER}").click()
    expect(page.get_by_role("button", name="Sign out")).to_have_count(0)
    expect(page.locator("header")).to_contain_text("nothing to sign out of")
    visit.check()


def test_where_orthanc_asks_or_a_proxy_nobody_is_offered_to_sign_out(browser: Browser) -> None:
    dose = {"TrustedUserHeader": "X-Remote-User", "TrustedProxies": ["127.0.0.1"]}
    with OrthancServer(dose=dose) as server, browser.new_context(extra_http_headers={"X-Remote-User": "petra"}) as context:
        visit = Visit(context.new_page(), server.url)
        page = visit.open("/account")
        expect(page.locator("main h2").first).to_have_text("petra")
        expect(page.locator("main")).to_contain_text("at the proxy that stands before Orthanc")
        page.get_by_label("Account: petra").click()
        expect(page.get_by_role("button", name="Sign out")).to_have_count(0)
        visit.check()
        put_user(server, "petra", groups=["view"], password=SECRET)
        visit.open("/studies/CT")
        expect(page.locator("main")).to_contain_text("No studies yet")

        server.restart(overrides={"AuthenticationEnabled": True})
        asked = browser.new_context(http_credentials={"username": USER, "password": PASSWORD})
        page = Visit(asked.new_page(), server.url).open("/account")
        expect(page.locator("main")).to_contain_text("HTTP Basic")
        page.get_by_label(f"Account: {USER}").click()
        expect(page.get_by_role("button", name="Sign out")).to_have_count(0)
        asked.close()


# --- rights ---


def test_who_may_view_is_offered_no_work_of_administrators(come: Enter, door: OrthancServer) -> None:
    visit = come("vera")
    page = visit.open("/activity")
    expect(page.locator("main table tbody tr").first).to_be_visible()
    for name in (re.compile("Read"), re.compile("Compare with")):
        expect(page.locator("main").get_by_role("button", name=name)).to_have_count(0)
    expect(page.locator("main").get_by_role("link", name=re.compile("Orthanc Explorer"))).to_have_count(0)
    number = door.studies(modality="RF")[0]["id"]
    visit.open(f"/study/{number}")
    expect(page.get_by_role("link", name=re.compile("Orthanc Explorer"))).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("Take out|Read again"))).to_have_count(0)
    expect(page.get_by_label("Modality type of this system")).to_have_count(0)
    visit.check()
    other = come("ruth").open(f"/study/{number}")
    expect(other.get_by_label("Modality type of this system")).to_have_count(1)
    expect(other.get_by_role("button", name=re.compile("Take out")).first).to_be_visible()


@pytest.mark.parametrize("path", ["/users", "/audit-log"])
def test_a_page_of_administrators_names_the_group_that_it_needs(come: Enter, path: str) -> None:
    visit = come("vera")
    page = visit.open(path)
    expect(page.locator("main")).to_contain_text("You may not see this page")
    expect(page.locator("main")).to_contain_text("“Administration”")
    expect(page.locator("main")).to_contain_text("“vera”")
    visit.check()


def test_an_administrator_without_view_sees_the_work_and_no_studies(come: Enter) -> None:
    visit = come("adam")
    page = visit.open("/")
    expect(page.locator("main")).to_contain_text("“View”")
    expect(page.get_by_role("region", name="State of the reading")).to_be_visible()
    expect(page.locator("header nav").get_by_role("link", name="Studies")).to_have_count(0)
    visit.check()
    page.locator("main").get_by_role("link", name="Users", exact=True).click()
    expect(page.get_by_role("table", name="Users")).to_be_visible()
    visit.open("/studies/CT")
    expect(page.locator("main")).to_contain_text("“View”")
    visit.open("/activity")
    expect(page.get_by_role("link", name=re.compile("^Study of object"))).to_have_count(0)
    visit.check()


def test_somebody_of_no_group_is_told_what_is_open(come: Enter) -> None:
    visit = come("greta")
    page = visit.open("/")
    expect(page.locator("main").get_by_role("link")).to_have_text(["Account"])
    visit.check()
    page.locator("main").get_by_role("link", name="Account").click()
    expect(page.locator("main li", has_text="Administration")).to_contain_text("No:")


def test_identity_is_a_filter_and_a_column_for_those_who_may_know_it(come: Enter, door: OrthancServer) -> None:
    number = door.studies(modality="CT")[0]["id"]
    name = door.ok(f"/dose/api/studies/{number}")["patient_name"]
    assert name, "the made-up patient has a name, which the server keeps"
    for user, there in (("vera", False), ("ines", True)):
        visit = come(user)
        page = visit.open("/studies/CT")
        page.locator("summary", has_text="Columns").click()
        expect(page.get_by_role("checkbox", name="Patient name")).to_have_count(int(there))
        assert (name in visit.open(f"/study/{number}").locator("main").inner_text()) == there
        assert (name in visit.open(f"/study/{number}/history").locator("main").inner_text()) == there
        visit.check()


def test_a_filter_that_one_may_not_use_says_so_and_is_cleared(come: Enter) -> None:
    visit = come("vera")
    page = visit.open("/studies/CT?patient_id=1")
    expect(page.get_by_role("alert")).to_contain_text("patient identity")
    page.get_by_role("button", name="Clear all").click()
    expect(page.locator("tbody tr").first).to_be_visible()


# --- the account ---


@pytest.mark.parametrize("look", EVERY_LOOK, ids=LOOK_NAMES)
@pytest.mark.parametrize("path", ["/account", "/users", "/audit-log", "/activity", "/"])
def test_the_pages_are_clean(come: Enter, path: str, look: tuple[str, dict[str, int]]) -> None:
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
    names = ("Present password", "New password", "New password again")
    old, new, again = (page.get_by_label(name, exact=True) for name in names)
    change = page.get_by_role("button", name="Change the password")

    def fill(*values: str) -> None:
        for field, value in zip((old, new, again), values, strict=True):
            field.fill(value)
        change.click()

    def about(name: str) -> Any:
        return page.locator(".field", has=page.get_by_label(name, exact=True))

    fill(SECRET, "another good one", "another good two")
    expect(about("New password again")).to_contain_text("another one than above")
    fill("not the password", "another good one", "another good one")
    expect(about("Present password")).to_contain_text("not your password")
    fill(SECRET, "short", "short")
    expect(about("New password").locator(".error")).to_contain_text("10 to 200")
    fill(SECRET, "another good one", "another good one")
    expect(page.get_by_role("status").filter(has_text="The password is changed.")).to_be_visible()
    # The session goes on, in a new one.
    visit.open("/studies/CT")
    expect(page.locator("tbody tr").first).to_be_visible()
    other = come("olga", password="another good one")
    expect(other.open("/account").locator("main h2").first).to_have_text("olga")


def test_a_token_is_shown_once_works_and_is_withdrawn(come: Enter, door: OrthancServer) -> None:
    visit = come("vera")
    page = visit.open("/account")
    page.get_by_label("What for").fill("Monthly figures")
    page.get_by_label("Ends after").select_option(label="30 days")
    page.get_by_role("button", name="Make a token").click()
    secret = page.get_by_label("The token", exact=True).input_value()
    assert re.fullmatch(r"dose_[0-9a-f]{12}_[\w-]{43}", secret)
    expect(page.locator("pre")).to_contain_text(f"Bearer {secret}")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    visit.check()

    def use() -> int:
        return door.request("GET", "/dose/api/studies", auth=NOBODY, headers={"Authorization": f"Bearer {secret}"}).status_code

    assert use() == 200
    visit.open("/account")
    expect(page.locator("main")).not_to_contain_text(secret)
    page.get_by_role("button", name="Withdraw the token “Monthly figures”").click()
    expect(page.get_by_role("dialog")).to_contain_text("shut out")
    visit.check()
    page.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
    expect(page.locator("main")).to_contain_text("You have no tokens.")
    assert use() == 401


# --- users ---


def test_a_user_is_added_changed_disabled_and_removed(come: Enter, door: OrthancServer) -> None:
    visit = come("ruth")
    page = visit.open("/users")
    page.get_by_role("button", name="Add a user").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Name", exact=True)).to_be_focused()
    visit.check()
    dialog.get_by_label("Name", exact=True).fill("VERA")
    dialog.get_by_label("First password", exact=True).fill(SECRET)
    dialog.get_by_role("button", name="Add").click()
    expect(dialog.locator("#new-user-about")).to_contain_text("There is a user of this name")
    assert [said for said in visit.complaints if "409" not in said] == []
    visit.complaints.clear()
    dialog.get_by_label("Name", exact=True).fill("nina")
    dialog.get_by_role("button", name="Add").click()
    expect(dialog).to_have_count(0)
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="nina"))
    expect(row).to_contain_text("by ruth")

    def groups() -> list[str]:
        return next(user["groups"] for user in door.ok("/dose/api/users")["users"] if user["name"] == "nina")

    assert groups() == ["view"]
    page.get_by_label("nina in the group Export").check()
    expect(page.get_by_role("status").filter(has_text="The groups of nina are changed.")).to_be_visible()
    expect(page.get_by_label("nina in the group Export")).to_be_checked()
    assert groups() == ["view", "export"]

    other = come("nina")
    other.open("/")
    page.get_by_role("button", name="New password for nina").click()
    page.get_by_role("dialog").get_by_label("New password", exact=True).fill("a second password")
    page.get_by_role("button", name="Set the password").click()
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
    page.get_by_role("dialog").get_by_role("button", name="Give it up").click()
    expect(page.locator("main")).to_contain_text("You may not see this page")


def test_a_refusal_of_the_server_is_told(come: Enter) -> None:
    page = come("ruth").open("/users")
    refusal = {"error": {"code": "last_administrator", "message": "This is the last administrator.", "field": "groups"}}
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
    page.get_by_role("combobox", name="What", exact=True).select_option(label="Patient identity seen")
    visit.settle()
    expect(page).to_have_url(re.compile("user=ines"))
    rows = page.locator("main tbody tr")
    expect(rows.first).to_contain_text("127.0.0.1")
    assert set(page.locator("main tbody tr td:nth-child(2)").all_inner_texts()) == {"ines"}
    page.locator("main tbody tr").filter(has_text="study").get_by_role("link", name=str(number), exact=True).first.click()
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
    expect(page.locator("main")).to_contain_text("changed there")
    expect(page.get_by_label("Present password")).to_have_count(0)

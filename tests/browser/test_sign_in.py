"""Signing in and out, and what the pages offer to whom."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import LOOK_NAMES, LOOKS, Enter, Look, Visit, fits
from tests.support.people import SECRET, put_user
from tests.support.server import PASSWORD, USER, OrthancServer


def sign_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_whoever_is_not_signed_in_sees_nothing_but_where_to_sign_in(come: Enter) -> None:
    visit = come()
    asked: list[str] = []
    visit.page.on(
        "request",
        lambda request: (
            asked.append(request.url.split("/dose/")[1]) if "/api/" in request.url else None
        ),
    )
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


@pytest.mark.parametrize("look", LOOKS, ids=LOOK_NAMES)
def test_the_sign_in_page_is_clean(come: Enter, look: Look) -> None:
    visit = come(None, look)
    page = visit.open("/")
    assert fits(page)
    visit.check()


def test_an_address_of_elsewhere_is_not_where_signing_in_leads(come: Enter) -> None:
    page = come().open("/sign-in?to=//example.org/x")
    sign_in(page, "vera", SECRET)
    expect(page).to_have_url(re.compile(r"127\.0\.0\.1:\d+/dose/app/$"))


def test_a_wrong_password_says_so(come: Enter) -> None:
    page = come().open("/sign-in")
    sign_in(page, "nobody of this name", "not the password")
    expect(page.get_by_role("alert")).to_contain_text("name or password is wrong")
    expect(page.get_by_label("Password", exact=True)).to_have_value("")


@contextmanager
def under_attack(server: OrthancServer, name: str) -> Iterator[None]:
    """A script guesses at this name all the time, from the same address as the browser."""
    over, begun = Event(), Event()

    def guess() -> None:
        while not over.is_set():
            answer = server.request("GET", "/dose/api/session", auth=(name, "wrong"))
            if answer.status_code == 423:
                begun.set()
                over.wait(0.5)

    attacker = Thread(target=guess)
    attacker.start()
    try:
        assert begun.wait(120)
        yield
    finally:
        over.set()
        attacker.join()


NOTE_WHAT_IS_SAID = """() => {
    window.said = [];
    new MutationObserver(() => {
        for (const one of document.querySelectorAll("[role=status]")) window.said.push(one.textContent);
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def test_the_right_password_passes_while_somebody_guesses(come: Enter, door: OrthancServer) -> None:
    visit = come()
    page = visit.open("/sign-in")
    with under_attack(door, "olga"):
        page.evaluate(NOTE_WHAT_IS_SAID)  # the puzzle may be solved before anybody can look
        sign_in(page, "olga", SECRET)
        # The way to another page closes the menu.
        expect(page).not_to_have_url(re.compile(r"/sign-in"), timeout=120_000)
        assert any("puzzle" in said for said in page.evaluate("window.said"))
        page.get_by_label("Account: olga").click()
        page.get_by_role("button", name="Sign out").click()
        expect(page).to_have_url(re.compile(r"/sign-in$"))
        # The browser is known now: nothing is to be proved any more.
        answers: list[int] = []
        page.on(
            "response",
            lambda answer: (
                answers.append(answer.status) if answer.request.method == "POST" else None
            ),
        )
        sign_in(page, "olga", SECRET)
        expect(page.get_by_label("Account: olga")).to_be_visible(timeout=60_000)
        assert answers[0] == 200


def test_the_puzzle_runs_where_pages_come_by_plain_http_and_under_our_policy(
    come: Enter, door: OrthancServer
) -> None:
    visit = come()
    page = visit.open("/sign-in")
    with under_attack(door, "emil"):
        sign_in(page, "emil", "not the password")
        expect(page.get_by_role("alert")).to_contain_text(
            "name or password is wrong", timeout=120_000
        )
        expect(page.get_by_role("status").filter(has_text="puzzle")).to_have_count(0)
    # The browser itself reports answers that are errors.
    assert [said for said in visit.complaints if "status of 4" not in said] == []


def test_the_password_can_be_shown_and_caps_lock_is_told(come: Enter) -> None:
    page = come().open("/sign-in")
    field = page.get_by_label("Password", exact=True)
    expect(field).to_have_attribute("type", "password")
    page.get_by_role("button", name="Show: Password").click()
    expect(field).to_have_attribute("type", "text")
    expect(page.get_by_text("Caps Lock is on.")).to_have_count(0)
    field.evaluate(
        "it => it.dispatchEvent(new KeyboardEvent('keyup', { key: 'A', modifierCapsLock: true }))"
    )
    expect(page.get_by_text("Caps Lock is on.")).to_be_visible()


def test_a_server_that_is_away_is_told_and_asked_again(come: Enter) -> None:
    visit = come("vera")
    visit.page.route("**/dose/api/session", lambda route: route.abort())
    visit.page.goto(f"{visit.base}/dose/app/studies/CT")
    expect(visit.page.get_by_role("alert")).to_contain_text("Orthanc is not responding")
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
    page.get_by_role("button", name="Filters").first.click() if not page.get_by_label(
        "Find a filter"
    ).count() else None
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
    expect(dialog.get_by_role("alert")).to_contain_text("name or password is wrong")
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
    expect(page.locator("header")).to_contain_text("you cannot sign out here")
    visit.check()


def test_where_orthanc_asks_or_a_proxy_nobody_is_offered_to_sign_out(browser: Browser) -> None:
    dose = {"TrustedUserHeader": "X-Remote-User", "TrustedProxies": ["127.0.0.1"]}
    with (
        OrthancServer(dose=dose) as server,
        browser.new_context(extra_http_headers={"X-Remote-User": "petra"}) as context,
    ):
        visit = Visit(context.new_page(), server.url)
        page = visit.open("/account")
        expect(page.locator("main h2").first).to_have_text("petra")
        expect(page.locator("main")).to_contain_text("at the proxy in front of Orthanc")
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


def test_who_may_view_is_offered_no_work_of_administrators(
    come: Enter, door: OrthancServer
) -> None:
    visit = come("vera")
    page = visit.open("/activity")
    expect(page.locator("main table tbody tr").first).to_be_visible()
    for name in (re.compile("Read"), re.compile("Compare with")):
        expect(page.locator("main").get_by_role("button", name=name)).to_have_count(0)
    expect(
        page.locator("main").get_by_role("link", name=re.compile("Orthanc Explorer"))
    ).to_have_count(0)
    number = door.studies(modality="RF")[0]["id"]
    visit.open(f"/study/{number}")
    expect(page.get_by_role("link", name=re.compile("Orthanc Explorer"))).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("Exclude|Re-import"))).to_have_count(0)
    expect(page.get_by_label("Modality type of this system")).to_have_count(0)
    visit.check()
    other = come("ruth").open(f"/study/{number}")
    expect(other.get_by_label("Modality type of this system")).to_have_count(1)
    expect(other.get_by_role("button", name=re.compile("Exclude")).first).to_be_visible()


@pytest.mark.parametrize("path", ["/users", "/audit-log"])
def test_a_page_of_administrators_names_the_group_that_it_needs(come: Enter, path: str) -> None:
    visit = come("vera")
    page = visit.open(path)
    expect(page.locator("main")).to_contain_text("You do not have access to this page")
    expect(page.locator("main")).to_contain_text("“Administration”")
    expect(page.locator("main")).to_contain_text("“vera”")
    visit.check()


def test_an_administrator_without_view_sees_the_work_and_no_studies(come: Enter) -> None:
    visit = come("adam")
    page = visit.open("/")
    expect(page.locator("main")).to_contain_text("“View”")
    expect(page.get_by_role("region", name="Import status")).to_be_visible()
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


def test_identity_is_a_filter_and_a_column_for_those_who_may_know_it(
    come: Enter, door: OrthancServer
) -> None:
    number = door.studies(modality="CT")[0]["id"]
    name = door.ok(f"/dose/api/studies/{number}")["patient_name"]
    assert name, "the made-up patient has a name, which the server keeps"
    for user, there in (("vera", False), ("ines", True)):
        visit = come(user)
        page = visit.open("/studies/CT")
        page.locator("summary", has_text="Columns").click()
        expect(page.get_by_role("checkbox", name="Patient name")).to_have_count(int(there))
        assert (name in visit.open(f"/study/{number}").locator("main").inner_text()) == there
        assert (
            name in visit.open(f"/study/{number}/history").locator("main").inner_text()
        ) == there
        visit.check()


def test_a_filter_that_one_may_not_use_says_so_and_is_cleared(come: Enter) -> None:
    visit = come("vera")
    page = visit.open("/studies/CT?patient_id=1")
    expect(page.get_by_role("alert")).to_contain_text("patient identity")
    page.get_by_role("button", name="Clear all").click()
    expect(page.locator("tbody tr").first).to_be_visible()

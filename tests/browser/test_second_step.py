"""Two-step sign-in on the pages: setting it up, signing in with it, its reset by an administrator."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

import numpy as np
import pyotp
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import LOOK_NAMES, LOOKS, NARROW, Enter, Look, Visit, fits
from tests.support.people import SECRET, put_user
from tests.support.server import OrthancServer

# Pictures of the pages for people, if this names a folder.
PICTURES = os.environ.get("DOSE_TEST_PICTURES")


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


def scanned(page: Page) -> pyotp.TOTP:
    """What an app makes of the QR code as it stands on the page."""
    shown = page.get_by_alt_text("QR code for the authenticator app")
    shown.scroll_into_view_if_needed()
    pixels = np.asarray(Image.open(io.BytesIO(shown.screenshot())).convert("L"))
    [found] = zxingcpp.read_barcodes(pixels)
    app = pyotp.parse_uri(found.text)
    assert isinstance(app, pyotp.TOTP)
    return app


def set_up(visit: Visit) -> tuple[pyotp.TOTP, list[str]]:
    page = visit.page
    panel = page.get_by_role("region", name="Two-step sign-in")
    panel.get_by_role("button", name="Set up").click()
    panel.get_by_label("Current password", exact=True).fill(SECRET)
    panel.get_by_role("button", name="Continue").click()
    expect(panel.get_by_label("Code that the app shows")).to_be_focused()
    app = scanned(page)
    panel.get_by_label("Code that the app shows").fill(app.now())
    panel.get_by_role("button", name="Switch on").click()
    expect(panel.locator("li")).to_have_count(10)
    return app, panel.locator("li").all_inner_texts()


@pytest.mark.parametrize("look", LOOKS, ids=LOOK_NAMES)
def test_it_is_set_up_and_asked_for(come: Enter, door: OrthancServer, look: Look) -> None:
    name = f"second {look[0]} {look[1]['width']}"
    put_user(door, name, groups=["view"], password=SECRET)
    visit = come(name, look)
    page = visit.open("/account")
    panel = page.get_by_role("region", name="Two-step sign-in")
    panel.get_by_role("button", name="Set up").click()
    panel.get_by_label("Current password", exact=True).fill("not the password")
    panel.get_by_role("button", name="Continue").click()
    expect(panel).to_contain_text("The current password is wrong")
    panel.get_by_label("Current password", exact=True).fill(SECRET)
    panel.get_by_role("button", name="Continue").click()
    app = scanned(page)
    assert (app.name, app.issuer) == (name, "Orthanc Dose")
    assert fits(page)
    picture(page, f"set-up-{look[0]}-{look[1]['width']}")
    code = panel.get_by_label("Code that the app shows")
    code.fill("000000")
    panel.get_by_role("button", name="Switch on").click()
    expect(panel.get_by_role("alert")).to_contain_text("The code is wrong")
    code.fill(app.now())
    panel.get_by_role("button", name="Switch on").click()
    expect(panel.locator("li")).to_have_count(10)
    codes = panel.locator("li").all_inner_texts()
    assert fits(page)
    picture(page, f"codes-{look[0]}-{look[1]['width']}")
    visit.complaints.clear()  # the browser reports the refusals that were provoked above
    visit.check()

    visit = come(None, look)
    page = visit.open("/sign-in")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(SECRET)
    page.get_by_role("button", name="Sign in", exact=True).click()
    code = page.get_by_label("Code of the app, or a recovery code")
    expect(code).to_be_focused()
    assert fits(page)
    picture(page, f"code-{look[0]}-{look[1]['width']}")
    visit.complaints.clear()
    visit.check()
    code.fill("999999")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("The code is wrong")
    code.fill(app.at(int(time.time()) + 30) if look == LOOKS[0] else codes[0])
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_label(f"Account: {name}")).to_be_visible()


def test_whoever_must_have_it_is_led_to_it(come: Enter, door: OrthancServer) -> None:
    name = "must have"
    put_user(door, name, groups=["view", "administration"], password=SECRET)
    setting = {"second_step_groups": ["administration"]}
    assert door.request("PUT", "/dose/api/settings", json=setting).status_code == 200
    try:
        visit = come(name)
        page = visit.open("/studies")
        expect(page).to_have_url(f"{door.url}/dose/app/account")
        expect(page.get_by_role("alert")).to_contain_text("requires two-step sign-in")
        picture(page, "must")
        visit.check()
        set_up(visit)
        visit.open("/users")
        expect(page.get_by_role("heading", name="Users", exact=True)).to_be_visible()
    finally:
        door.request("DELETE", "/dose/api/settings/second_step_groups")


def test_an_administrator_switches_it_off(come: Enter, door: OrthancServer) -> None:
    name = "lost phone"
    put_user(door, name, groups=["view"], password=SECRET)
    lost = come(name)
    lost.open("/account")
    set_up(lost)
    visit = come("adam")
    page = visit.open("/users")
    page.get_by_role("button", name=f"Switch off two-step sign-in for {name}").click()
    picture(page, "reset")
    page.get_by_role("dialog").get_by_role("button", name="Switch off").click()
    expect(page.get_by_text(f"Two-step sign-in of {name} is off.")).to_be_visible()
    visit.check()
    assert come(name).open("/account").get_by_role("button", name="Set up").is_visible()


def test_it_fits_in_german(come: Enter, door: OrthancServer) -> None:
    name = "deutsch"
    put_user(door, name, groups=["view"], password=SECRET)
    visit = come(name, ("light", NARROW), language="de-DE")
    page = visit.open("/account")
    panel = page.get_by_role("region", name="Anmeldung in zwei Schritten")
    panel.get_by_role("button", name="Einrichten").click()
    panel.locator("input[type=password]").fill(SECRET)
    panel.get_by_role("button", name="Weiter").click()
    expect(panel.get_by_alt_text("QR-Code für die Authenticator-App")).to_be_visible()
    assert fits(page)
    picture(page, "german")
    visit.check()

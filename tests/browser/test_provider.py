"""The way to the provider and back on the pages."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import LOOK_NAMES, LOOKS, NARROW, Enter, Look, entrance, fits
from tests.browser.test_second_step import picture
from tests.support.provider import CLIENT, SECRET, Provider, provider
from tests.support.server import OrthancServer
from tests.support.visitors import guarded


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[OrthancServer, Provider]]:
    with guarded(ProviderClientSecret=SECRET) as server, provider(server.url) as running:
        settings = {
            "provider_issuer": running.issuer,
            "provider_client_id": CLIENT,
            "provider_name": "Login of the clinic",
            "provider_scopes": "openid profile groups",
            "provider_groups": ["physicists = view"],
            "public_address": server.url,
            "outgoing_hosts": [running.host],
        }
        assert server.request("PUT", "/dose/api/settings", json=settings).status_code == 200
        yield server, running


@pytest.fixture
def come(browser: Browser, both: tuple[OrthancServer, Provider]) -> Iterator[Enter]:
    with entrance(browser, both[0], SECRET) as opened:
        yield opened


@pytest.mark.parametrize("look", LOOKS, ids=LOOK_NAMES)
def test_from_the_sign_in_page_to_the_wanted_one(
    come: Enter, both: tuple[OrthancServer, Provider], look: Look
) -> None:
    both[1].sign_in_as("anna")
    visit = come(None, look)
    page = visit.open("/studies/CT")
    assert fits(page)
    picture(page, f"provider-{look[0]}-{look[1]['width']}")
    visit.check()
    page.get_by_role("link", name="Sign in with Login of the clinic").click()
    expect(page).to_have_url(re.compile(r"/dose/app/studies/CT$"))
    expect(page.get_by_label("Account: anna")).to_be_visible()


def test_what_went_wrong_is_told_in_german_too(
    come: Enter, both: tuple[OrthancServer, Provider]
) -> None:
    both[1].sign_in_as("otto")
    visit = come(None, ("light", NARROW), language="de-DE")
    page = visit.open("/sign-in")
    page.get_by_role("link", name="Anmelden mit Login of the clinic").click()
    expect(page.get_by_role("alert")).to_contain_text("keiner Gruppe")
    assert fits(page)
    picture(page, "provider-german")
    # A code that nobody knows is not shown.
    page = come(None).open("/sign-in?problem=%3Cb%3Ex")
    expect(page.get_by_role("alert")).to_have_text(
        "Signing in with the provider failed. Try again."
    )

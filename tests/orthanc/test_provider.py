"""Signing in at a real OpenID Connect provider, and what it must not open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.support.people import put_user
from tests.support.provider import CLIENT, SECRET, Provider, provider
from tests.support.server import OrthancServer
from tests.support.visitors import Browser, guarded

START = "/dose/api/session/provider"
PASSWORD = "correct horse battery"
GROUPS = ["physicists = view", "physicists = export", "administrators = administration"]


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[OrthancServer, Provider]]:
    with guarded(ProviderClientSecret=SECRET) as server, provider(server.url) as running:
        settings = {
            "provider_issuer": running.issuer,
            "provider_client_id": CLIENT,
            "provider_name": "Login of the clinic",
            "provider_scopes": "openid profile groups",
            "provider_groups": GROUPS,
            "public_address": server.url,
            "outgoing_hosts": [running.host],
        }
        put = server.request("PUT", "/dose/api/settings", json=settings)
        assert put.status_code == 200, put.text
        yield server, running


class AtProvider(Browser):
    """A browser that goes to the provider and back, one redirect at a time."""

    def go(self, path: str) -> requests.Response:
        return self.ask("GET", path, allow_redirects=False)

    def to_the_way_back(self, to: str = "/studies") -> str:
        """Sign in at the provider, and return the address at which it sends the browser back."""
        answer = self.go(f"{START}?to={to}")
        assert answer.status_code == 303, answer.text
        for _ in range(10):
            address = answer.headers["Location"]
            if "/callback" in address:
                return address
            address = (
                address
                if "://" in address
                else urlsplit(answer.url)._replace(path=address, query="").geturl()
            )
            answer = self.session.get(address, allow_redirects=False, timeout=30)
        raise AssertionError("no way back")

    def come_back(self, address: str) -> str:
        """Open the address of the way back, and return where it leads."""
        parts = urlsplit(address)
        answer = self.go(f"{parts.path}?{parts.query}")
        assert answer.status_code == 303, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        return str(answer.headers["Location"])

    def problem(self, address: str) -> str:
        found = parse_qs(urlsplit(self.come_back(address)).query).get("problem", [""])[0]
        assert self.name is None, "nobody is signed in"
        return found


def named(both: tuple[OrthancServer, Provider], name: str) -> AtProvider:
    both[1].sign_in_as(name)
    return AtProvider(both[0])


def session(browser: Browser) -> dict[str, Any]:
    return browser.ask("GET", "/dose/api/session").json()["session"]


def test_signing_in_and_out(both: tuple[OrthancServer, Provider]) -> None:
    server = both[0]
    browser = named(both, "anna")
    assert session(browser)["provider"] == "Login of the clinic"
    assert browser.come_back(browser.to_the_way_back("/studies/CT")) == "/dose/app/studies/CT"
    told = session(browser)
    assert (told["name"], told["groups"], told["way"]) == ("anna", ["export", "view"], "cookie")
    assert not told["may_change_password"] and not told["second_step"]["possible"]
    assert not told["may_use_orthanc"]
    assert browser.ask("GET", "/dose/api/studies").status_code == 200
    assert browser.ask("GET", "/dose/api/users").status_code == 403
    # No password leads to this user, and no token is made that would outlive the provider's word.
    for password in ("", "!", "the password of nobody"):
        assert Browser(server).sign_in("anna", password).status_code in (400, 401)
        assert (
            server.request("GET", "/dose/api/session", auth=("anna", password)).status_code == 401
        )
    assert browser.ask("POST", "/dose/api/tokens", json={"name": "x"}).status_code == 409
    [user] = [one for one in server.ok("/dose/api/users")["users"] if one["name"] == "anna"]
    assert user["provider"] and not user["configured"]
    for path, body in (("", {"groups": ["administration"]}), ("/password", {"password": PASSWORD})):
        answer = server.request("PUT", f"/dose/api/users/anna{path}", json=body)
        assert answer.json()["error"]["code"] == "from_provider", answer.text
    # Out of both.
    answer = browser.ask("DELETE", "/dose/api/session").json()
    assert answer["signed_out"] and browser.name is None
    page = browser.session.get(answer["at_provider"], timeout=30)
    found = re.search(r'name="xsrf" value="([^"]+)"', page.text)
    assert found, page.text
    confirm = {"xsrf": found[1], "logout": "yes"}
    action = re.search(r'action="([^"]+)"', page.text)
    assert action
    left = browser.session.post(action[1], data=confirm, timeout=30, allow_redirects=False)
    while "Location" in left.headers and not left.headers["Location"].startswith(server.url):
        left = browser.session.get(left.headers["Location"], timeout=30, allow_redirects=False)
    assert left.headers["Location"].startswith(f"{server.url}/dose/app/sign-in")


def test_groups_follow_the_provider(both: tuple[OrthancServer, Provider]) -> None:
    server, _ = both
    browser = named(both, "adam")
    browser.come_back(browser.to_the_way_back())
    assert session(browser)["groups"] == ["administration"]
    try:
        less = {"provider_groups": ["administrators = view"]}
        server.request("PUT", "/dose/api/settings", json=less)
        again = named(both, "adam")
        again.come_back(again.to_the_way_back())
        assert session(browser)["groups"] == session(again)["groups"] == ["view"]
        none = {"provider_groups": ["nobody = view"]}
        server.request("PUT", "/dose/api/settings", json=none)
        third = named(both, "adam")
        assert third.problem(third.to_the_way_back()) == "provider_no_groups"
        assert session(browser)["groups"] == [], "an open session has lost them, too"
    finally:
        server.request("PUT", "/dose/api/settings", json={"provider_groups": GROUPS})


def test_who_is_not_admitted(both: tuple[OrthancServer, Provider]) -> None:
    server, _ = both
    for name, problem in (
        ("otto", "provider_no_groups"),
        ("dose", "provider_taken"),  # the administrator of the configuration
        ("odd/name", "provider_bad_name"),
        ("refuses", "provider_refused"),
    ):
        browser = named(both, name)
        assert browser.problem(browser.to_the_way_back()) == problem
    browser = named(both, "anna")
    browser.come_back(browser.to_the_way_back())
    disable = {"groups": ["export", "view"], "disabled": True}
    assert server.request("PUT", "/dose/api/users/anna", json=disable).status_code == 200
    assert browser.name is None
    again = named(both, "anna")
    assert again.problem(again.to_the_way_back()) == "provider_disabled"
    server.request("PUT", "/dose/api/users/anna", json=disable | {"disabled": False})
    failed = server.ok("/dose/api/audit-log?action=sign-in")["entries"]
    assert any(one["way"] == "provider" and not one["succeeded"] for one in failed)


def test_a_way_back_counts_once_and_in_its_browser(both: tuple[OrthancServer, Provider]) -> None:
    browser = named(both, "anna")
    way_back = browser.to_the_way_back()
    # In another browser: somebody sends a link that would sign others in as himself.
    assert AtProvider(both[0]).problem(way_back) == "provider_late"
    other = named(both, "anna")
    other.to_the_way_back()
    assert other.problem(way_back) == "provider_late", "the state of another browser"
    cookie = browser.session.cookies.get("dose-provider")
    assert browser.come_back(way_back) == "/dose/app/studies"
    # The same again, even with the cookie that is gone.
    replayed = AtProvider(both[0])
    replayed.session.cookies.set("dose-provider", cookie)
    assert replayed.problem(way_back) == "provider_late"


@pytest.mark.parametrize(
    "change, problem",
    [
        (("state=", "state=x"), "provider_late"),
        (("code=", "code=x"), "provider_refused"),
        (("code=", "kode="), "provider_refused"),
        (("iss=", "iss=https%3A%2F%2Fevil.example&x="), "provider_answer"),
    ],
)
def test_changed_ways_back(
    both: tuple[OrthancServer, Provider], change: tuple[str, str], problem: str
) -> None:
    browser = named(both, "anna")
    assert browser.problem(browser.to_the_way_back().replace(*change)) == problem


def test_a_code_of_another_sign_in_is_refused(both: tuple[OrthancServer, Provider]) -> None:
    """It was issued for another code challenge (PKCE)."""
    victim, attacker = named(both, "adam"), named(both, "anna")
    both[1].sign_in_as("adam")
    stolen = parse_qs(urlsplit(victim.to_the_way_back()).query)["code"][0]
    both[1].sign_in_as("anna")
    own = attacker.to_the_way_back()
    code = parse_qs(urlsplit(own).query)["code"][0]
    assert attacker.problem(own.replace(code, stolen)) == "provider_refused"


def test_a_new_key_of_the_provider_is_fetched(
    both: tuple[OrthancServer, Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = named(both, "anna")
    assert browser.come_back(browser.to_the_way_back()) == "/dose/app/studies"
    both[1].rotate()
    # A stranger must not make the server ask all the time: within seconds it is not asked again.
    later = named(both, "anna")

    def works() -> bool:
        return "problem" not in later.come_back(later.to_the_way_back())

    both[0].wait_for(works, "the new key")
    assert later.name == "anna"


@pytest.mark.parametrize(
    "to",
    ["//evil.example", "/\\evil.example", "https://evil.example", "/../../x", "/a\r\nX: y", ""],
)
def test_the_way_back_leads_to_our_pages(both: tuple[OrthancServer, Provider], to: str) -> None:
    browser = named(both, "anna")
    way_back = browser.to_the_way_back(requests.utils.quote(to, safe=""))
    assert browser.come_back(way_back) == "/dose/app/"


def test_a_provider_that_is_not_listed_or_away_is_not_asked(
    both: tuple[OrthancServer, Provider],
) -> None:
    server, running = both
    browser = AtProvider(server)
    try:
        for change in (
            {"outgoing_hosts": []},
            {"outgoing_hosts": ["127.0.0.1:9"], "provider_issuer": "http://127.0.0.1:9"},
            {"provider_issuer": f"{running.issuer}/"},  # not what it calls itself
        ):
            server.request(
                "PUT", "/dose/api/settings", json={"provider_issuer": "http://x"} | change
            )
            answer = browser.go(START)
            assert "problem=provider_" in answer.headers["Location"], change
        server.request("PUT", "/dose/api/settings", json={"provider_client_id": ""})
        assert browser.go(START).headers["Location"].endswith("problem=provider_off")
        assert session(browser)["provider"] is None
    finally:
        back = {
            "provider_issuer": running.issuer,
            "outgoing_hosts": [running.host],
            "provider_client_id": CLIENT,
        }
        server.request("PUT", "/dose/api/settings", json=back)


def test_local_administrators_always_come_in(both: tuple[OrthancServer, Provider]) -> None:
    server, _ = both
    put_user(server, "local admin", groups=["administration"], password=PASSWORD)
    put_user(server, "local user", groups=["view"], password=PASSWORD)
    assert Browser(server).sign_in("local user", PASSWORD).status_code == 200
    assert (
        server.request("GET", "/dose/api/session", auth=("local user", PASSWORD)).status_code == 200
    )
    server.request("PUT", "/dose/api/settings", json={"password_sign_in": "administrators"})
    try:
        assert Browser(server).sign_in("local user", PASSWORD).status_code == 401
        assert (
            server.request("GET", "/dose/api/session", auth=("local user", PASSWORD)).status_code
            == 401
        )
        assert Browser(server).sign_in("local admin", PASSWORD).status_code == 200
        assert Browser(server).sign_in("only view", "password of only view").status_code == 200
    finally:
        server.request("DELETE", "/dose/api/settings/password_sign_in")


def test_no_secret_is_told(both: tuple[OrthancServer, Provider]) -> None:
    server, _ = both
    browser = named(both, "anna")
    way_back = browser.to_the_way_back()
    code = parse_qs(urlsplit(way_back).query)["code"][0]
    browser.come_back(way_back)
    server.request("PUT", "/dose/api/settings", json={"log_level": "debug"})
    other = named(both, "anna")
    other.come_back(other.to_the_way_back())
    server.request("DELETE", "/dose/api/settings/log_level")
    told = [
        server.log,
        *(
            server.request("GET", f"/dose/api/{path}").text
            for path in ("settings", "log", "audit-log", "users", "status")
        ),
    ]
    files = [path for path in server.dose_directory.rglob("*") if path.is_file()]
    told += [path.read_bytes().decode("latin-1") for path in files]
    for one in told:
        assert SECRET not in one and code not in one
        assert not re.search(r"eyJ[\w-]{20,}\.", one), "no token"

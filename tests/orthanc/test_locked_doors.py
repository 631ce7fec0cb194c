"""Whoever guesses passwords shuts nobody out: not the user of the name, not those behind the same
address, in a real server.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.support.server import PASSWORD, USER, OrthancServer
from tests.support.visitors import NOBODY, Browser, guarded

FIRST, SECOND = "the first password", "the second password"
ATTACKER, OFFICE = "192.0.2.66", "10.0.0.7"


@pytest.fixture
def server() -> Iterator[OrthancServer]:
    with guarded(TrustedProxies=["127.0.0.1"]) as running:
        put(running, "users/anna", groups=["view"], password=FIRST)
        yield running


def put(server: OrthancServer, path: str, **body: Any) -> None:
    answer = server.request(
        "PUT", f"/dose/api/{path}", json=body, headers={"X-Forwarded-For": "10.1.1.1"}
    )
    assert answer.status_code == 200, answer.text


class Person(Browser):
    """A browser at an address, which signs in as the page does."""

    def __init__(self, server: OrthancServer, address: str) -> None:
        super().__init__(server)
        self.session.headers["X-Forwarded-For"] = address

    def post(self, name: str, password: str, **more: Any) -> requests.Response:
        body = {"name": name, "password": password} | more
        return self.ask("POST", "/dose/api/session", json=body)

    def proves(self, name: str, password: str) -> requests.Response:
        """Signs in, with a proof where it is asked for."""
        answer = self.post(name, password)
        if answer.status_code == 423:
            answer = self.post(name, password, **solved(answer))
        return answer


def solved(answer: requests.Response) -> dict[str, Any]:
    error = answer.json()["error"]
    assert error["code"] == "proof_needed"
    start = hashlib.sha256(error["challenge"].encode()).digest()
    for number in itertools.count():
        found = hashlib.sha256(start + number.to_bytes(8, "big")).digest()
        if int.from_bytes(found, "big") >> (256 - error["bits"]) == 0:
            return {"challenge": error["challenge"], "number": number}
    raise AssertionError


def basic(server: OrthancServer, name: str, password: str, address: str) -> int:
    headers = {"X-Forwarded-For": address}
    return server.request(
        "GET", "/dose/api/session", auth=(name, password), headers=headers
    ).status_code


def attack(server: OrthancServer, name: str, address: str = ATTACKER) -> None:
    """Wrong passwords by a script, until it is locked: for a minute, so this comes right before what
    is asked of the lock."""
    answers = (basic(server, name, "wrong", address) for _ in range(20))
    assert 423 in answers


@pytest.mark.parametrize(
    "address", [OFFICE, ATTACKER], ids=["elsewhere", "behind the same address"]
)
@pytest.mark.parametrize("name", ["anna", USER])
def test_the_right_password_passes_under_attack(
    server: OrthancServer, name: str, address: str
) -> None:
    password = {"anna": FIRST, USER: PASSWORD}[name]
    known = Person(server, address)
    assert known.post(name, password).status_code == 200
    known.ask("DELETE", "/dose/api/session")
    attack(server, name)
    assert known.post(name, password).status_code == 200, "a browser that is known"
    new = Person(server, address)
    attack(server, name)
    needed = new.post(name, password)
    assert (needed.status_code, new.name) == (423, None)
    assert set(needed.json()["error"]) == {"code", "message", "field", "challenge", "bits", "again"}
    assert new.post(name, password, **solved(needed)).status_code == 200 and new.name == name
    attack(server, name)
    assert basic(server, name, password, OFFICE) == 200, "a script at an address that did nothing"
    assert basic(server, name, password, ATTACKER) == 423
    server.restart()
    again = Person(server, address)
    again.session.cookies.update(
        {one.name: one.value for one in known.session.cookies if one.name.startswith("dose-device")}
    )
    attack(server, name)
    assert again.post(name, password).status_code == 200, "known after a restart, too"


def test_twenty_from_one_address_lock_nobody_there(server: OrthancServer) -> None:
    known = Person(server, ATTACKER)
    known.post("anna", FIRST)
    for number in range(20):
        assert basic(server, f"name {number}", "x", ATTACKER) == 401
    assert basic(server, USER, PASSWORD, ATTACKER) == 423, "scripts cannot prove anything"
    assert known.post("anna", FIRST).status_code == 200
    assert Person(server, ATTACKER).proves(USER, PASSWORD).status_code == 200
    token = known.ask("POST", "/dose/api/tokens", json={"name": "script"}).json()["secret"]
    headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": ATTACKER}
    assert (
        server.request("GET", "/dose/api/studies", auth=NOBODY, headers=headers).status_code == 200
    )


def test_a_known_browser_guesses_no_more_than_others(server: OrthancServer) -> None:
    browser = Person(server, OFFICE)
    assert browser.post("anna", FIRST).status_code == 200
    assert [browser.post("anna", f"wrong {n}").status_code for n in range(5)] == [401] * 5
    # It counts as one that is not known, whose guesses are counted by name and address.
    assert [browser.post("anna", f"wrong {n}").status_code for n in range(5)] == [401] * 5
    assert browser.post("anna", FIRST).status_code == 423
    # Of another name it was never known.
    assert browser.post("dose", "wrong").status_code == 401
    attack(server, "only view")
    assert browser.post("only view", "x").status_code == 423


def test_each_proof_is_good_for_one_guess_which_comes_before_the_hash(
    server: OrthancServer,
) -> None:
    attack(server, "anna")
    browser = Person(server, OFFICE)
    proof = solved(browser.post("anna", FIRST))
    assert browser.post(USER, PASSWORD, **proof).status_code == 200, "it needs none"
    assert browser.post("anna", "wrong", **proof).status_code == 401
    again = browser.post("anna", FIRST, **proof)
    assert (again.status_code, again.json()["error"]["again"]) == (423, True)
    attack(server, "anna")
    for wrong in (
        {"challenge": "x", "number": 1},
        {"challenge": proof["challenge"], "number": 0},
        {"number": 5},
    ):
        assert browser.post("anna", FIRST, **wrong).status_code == 423, wrong
    for field, value in (("number", -1), ("number", 1.5), ("number", "1"), ("challenge", 5)):
        wrong = browser.post("anna", FIRST, **proof | {field: value}).json()["error"]
        assert (wrong["code"], wrong["field"]) == ("bad_body", field)


@pytest.mark.parametrize("how", ["password", "disabled", "deleted"])
def test_a_browser_is_known_no_longer(server: OrthancServer, how: str) -> None:
    browser = Person(server, OFFICE)
    browser.post("anna", FIRST)
    if how == "password":
        put(server, "users/anna/password", password=SECOND)
    elif how == "disabled":
        put(server, "users/anna", groups=["view"], disabled=True)
        put(server, "users/anna", groups=["view"], disabled=False)
    else:
        assert server.delete("/dose/api/users/anna")[0] == 200
        put(server, "users/anna", groups=["view"], password=FIRST)
    attack(server, "anna")
    assert browser.post("anna", SECOND if how == "password" else FIRST).status_code == 423


def test_the_cookie_of_a_known_browser_is_for_signing_in_alone(server: OrthancServer) -> None:
    browser = Person(server, OFFICE)
    browser.session.headers["X-Forwarded-Proto"] = "https"
    answer = browser.post("anna", FIRST)
    [cookie] = [
        one for one in answer.raw.headers.getlist("Set-Cookie") if one.startswith("dose-device")
    ]
    flags = {part.strip() for part in cookie.split(";")[1:]}
    assert flags == {
        "Path=/dose/api/session",
        "HttpOnly",
        "SameSite=Strict",
        "Secure",
        "Max-Age=15552000",
    }
    value = cookie.partition(";")[0].partition("=")[2]
    assert browser.ask("DELETE", "/dose/api/session").status_code == 200
    assert server.stop() == 0
    raw = b"".join(path.read_bytes() for path in server.dose_directory.iterdir() if path.is_file())
    secret = value.partition(".")[2]
    assert len(secret) == 43 and secret.encode() not in raw and secret not in server.log
    server.start()
    stolen = {"Cookie": f"dose-session={value}; dose-device-1={value}"}
    answer = server.request("GET", "/dose/api/session", auth=NOBODY, headers=stolen)
    assert answer.json()["session"]["name"] is None, "it signs nobody in"


def test_whoever_is_signed_in_changes_the_password_under_attack(server: OrthancServer) -> None:
    browser = Person(server, ATTACKER)
    browser.post("anna", FIRST)
    attack(server, "anna")
    change = {"old": FIRST, "new": SECOND}
    assert browser.ask("PUT", "/dose/api/session/password", json=change).status_code == 200
    assert browser.proves("anna", SECOND).status_code == 200
    body = {"old": "wrong", "new": FIRST}
    answers = [browser.ask("PUT", "/dose/api/session/password", json=body) for _ in range(6)]
    assert [one.status_code for one in answers] == [400] * 5 + [423]


def test_a_proxy_that_nobody_named_is_told_to_administrators() -> None:
    def told(server: OrthancServer) -> Any:
        return server.ok("/dose/api/users")["unnamed_proxy"]

    with guarded() as server:
        assert told(server) is None, "one person on this machine"
        headers = {"X-Forwarded-For": "1.2.3.4"}
        found = server.request("GET", "/dose/api/users", headers=headers).json()["unnamed_proxy"]
        assert found == {"address": "127.0.0.1", "forwarded": True, "users": 1}
        assert told(server) is None
        assert server.request(
            "GET", "/dose/api/session", auth=("only view", "password of only view")
        ).ok
        assert told(server) == {"address": "127.0.0.1", "forwarded": False, "users": 2}
        server.restart(dose={"TrustedProxies": ["127.0.0.1"]})
        assert server.request("GET", "/dose/api/session", auth=(USER, PASSWORD), headers=headers).ok
        assert told(server) is None

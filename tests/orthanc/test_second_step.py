"""Two-step sign-in in a real server: setting it up, signing in, what it closes, and its reset."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pyotp
import pytest

from tests.support.people import put_user
from tests.support.server import OrthancServer
from tests.support.visitors import Browser, guarded

SECRET = "correct horse battery"
STEP = "/dose/api/session/second-step"


@pytest.fixture(scope="module")
def guarded_server() -> Iterator[OrthancServer]:
    with guarded() as server:
        yield server


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json().get("error", {}).get("code", "")


def signed_in(server: OrthancServer, name: str, **more: Any) -> Browser:
    browser = Browser(server)
    body = {"name": name, "password": SECRET} | more
    answer = browser.ask("POST", "/dose/api/session", json=body)
    assert answer.status_code == 200, answer.text
    return browser


def enrolled(browser: Browser) -> tuple[pyotp.TOTP, list[str]]:
    begun = browser.ask("POST", STEP, json={"password": SECRET})
    assert begun.status_code == 200, begun.text
    app = pyotp.parse_uri(begun.json()["address"])
    assert isinstance(app, pyotp.TOTP)
    done = browser.ask("PUT", STEP, json={"code": app.now()})
    assert done.status_code == 200, done.text
    return app, done.json()["recovery_codes"]


def next_code(app: pyotp.TOTP) -> str:
    """The code of the next period, which is accepted before it begins."""
    return app.at(int(time.time()) + app.interval)


def test_from_setting_it_up_to_switching_it_off(guarded_server: OrthancServer) -> None:
    server, name = guarded_server, "anna"
    put_user(server, name, groups=["view"], password=SECRET)
    other, browser = signed_in(server, name), signed_in(server, name)
    assert server.request("GET", "/dose/api/session", auth=(name, SECRET)).status_code == 200
    assert code_of(browser.ask("POST", STEP, json={"password": "wrong"})) == (
        400,
        "wrong_old_password",
    )
    app, codes = enrolled(browser)
    assert (browser.name, other.name) == (name, None), "a session of the password alone has ended"
    # HTTP Basic has no room for a code, also not where it was let in a moment ago.
    refused = server.request("GET", "/dose/api/session", auth=(name, SECRET))
    assert refused.status_code == 401 and "token" in refused.text

    def tried(**more: str) -> tuple[int, str]:
        body = {"name": name, "password": SECRET} | more
        return code_of(Browser(server).ask("POST", "/dose/api/session", json=body))

    assert tried() == (401, "second_step_needed")
    assert tried(password="wrong", code=next_code(app)) == (401, "wrong_password")
    code = next_code(app)
    assert tried(code=code) == (200, "")
    assert tried(code=code) == (401, "wrong_code")
    assert tried(code=codes[0]) == (200, "")
    assert tried(code=codes[0]) == (401, "wrong_code")
    again = {"password": SECRET, "code": codes[1]}
    session = browser.ask("GET", "/dose/api/session").json()["session"]["second_step"]
    told = {"possible": True, "on": True, "required": False, "must_enrol": False}
    assert session == told | {"recovery_codes": 9}
    new = browser.ask("POST", f"{STEP}/recovery-codes", json=again).json()["recovery_codes"]
    assert code_of(browser.ask("POST", f"{STEP}/end", json=again)) == (400, "wrong_code")
    ended = browser.ask("POST", f"{STEP}/end", json=again | {"code": new[0]})
    assert ended.json() == {"ended": True}
    assert tried() == (200, "")


def test_five_wrong_codes_lock_whoever_has_the_password(guarded_server: OrthancServer) -> None:
    server, name = guarded_server, "otto"
    put_user(server, name, groups=["view"], password=SECRET)
    app, codes = enrolled(signed_in(server, name))
    device = signed_in(server, name, code=codes[0])  # a known browser: no proof of work
    body = {"name": name, "password": SECRET, "code": "000000"}
    found = [code_of(device.ask("POST", "/dose/api/session", json=body)) for _ in range(6)]
    assert found == [(401, "wrong_code")] * 5 + [(423, "locked")] or found[-1][0] == 423
    right = device.ask("POST", "/dose/api/session", json=body | {"code": next_code(app)})
    assert right.status_code == 423
    entries = server.ok("/dose/api/audit-log?user=otto")["entries"]
    assert any(one["action"] == "locked after wrong passwords" for one in entries)


def test_whoever_must_have_it_can_do_nothing_else_before(guarded_server: OrthancServer) -> None:
    server, name = guarded_server, "adam"
    groups = ["administration", "view"]
    put_user(server, name, groups=groups, password=SECRET)
    token = (
        signed_in(server, name).ask("POST", "/dose/api/tokens", json={"name": "t"}).json()["secret"]
    )
    set_to = {"second_step_groups": ["administration"]}
    assert server.request("PUT", "/dose/api/settings", json=set_to).status_code == 200
    try:
        browser = signed_in(server, name)
        session = browser.ask("GET", "/dose/api/session").json()["session"]
        assert (session["groups"], session["second_step"]["must_enrol"]) == ([], True)
        missing = (403, "second_step_missing")
        for path in ("studies", "users", "settings", "status", "audit-log"):
            assert code_of(browser.ask("GET", f"/dose/api/{path}")) == missing, path
        made = browser.ask("POST", "/dose/api/tokens", json={"name": "way around"})
        assert code_of(made) == missing
        assert server.request("GET", "/dose/api/session", auth=(name, SECRET)).status_code == 401
        # A token was made by somebody who was signed in; users of the configuration are let in.
        headers = {"Authorization": f"Bearer {token}"}
        assert (
            browser.session.get(f"{server.url}/dose/api/users", headers=headers).status_code == 200
        )
        assert server.request("GET", "/dose/api/users").status_code == 200
        enrolled(browser)
        session = browser.ask("GET", "/dose/api/session").json()["session"]
        assert session["groups"] == sorted(groups)
        assert browser.ask("GET", "/dose/api/users").status_code == 200
    finally:
        server.request("DELETE", "/dose/api/settings/second_step_groups")


def test_an_administrator_resets_it_and_nobody_else(guarded_server: OrthancServer) -> None:
    server, name = guarded_server, "greta"
    put_user(server, name, groups=["view"], password=SECRET)
    browser = signed_in(server, name)
    enrolled(browser)
    listed = {one["name"]: one["second_step"] for one in server.ok("/dose/api/users")["users"]}
    assert listed[name] and not listed["only view"]
    path = f"/dose/api/users/{name}/second-step"
    assert browser.ask("DELETE", path).status_code == 403
    assert server.request("DELETE", path).json() == {"reset": True}
    assert browser.name is None, "its sessions have ended"
    assert signed_in(server, name).name == name
    configured = server.request("DELETE", "/dose/api/users/only view/second-step")
    assert code_of(configured) == (409, "from_configuration")
    actions = [one["action"] for one in server.ok("/dose/api/audit-log")["entries"]]
    assert {"second step on", "second step reset"} <= set(actions)


def test_it_needs_a_session_and_a_user_of_this_server(guarded_server: OrthancServer) -> None:
    server = guarded_server
    body = {"password": "password of only view"}
    basic = server.request("POST", STEP, auth=("only view", body["password"]), json=body)
    assert code_of(basic) == (403, "not_allowed")
    browser = Browser(server)
    assert browser.sign_in("only view", body["password"]).status_code == 200
    assert code_of(browser.ask("POST", STEP, json=body)) == (409, "no_second_step")


def test_no_secret_is_logged_exported_or_told(guarded_server: OrthancServer) -> None:
    server, name = guarded_server, "vera"
    put_user(server, name, groups=["view"], password=SECRET)
    browser = signed_in(server, name)
    app, codes = enrolled(browser)
    signed_in(server, name, code=codes[0])
    told = [
        server.log,
        *(
            server.request("GET", f"/dose/api/{path}").text
            for path in ("log", "audit-log", "users", "session")
        ),
        browser.ask("GET", "/dose/api/session").text,
    ]
    files = [path.read_bytes() for path in server.dose_directory.rglob("*") if path.is_file()]
    for secret in (app.secret, *codes):
        assert not any(secret in one for one in told)
        assert not any(secret.encode() in one for one in files)
    assert not any(app.byte_secret() in one for one in files)

"""Signing in and out, users, passwords, tokens and the audit log, in a real server."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest

from orthanc_dose.samples import make_studies
from tests.support.server import PASSWORD, USER, OrthancServer
from tests.support.visitors import NOBODY, REGISTERED, Browser, ask, guarded

FIRST, SECOND = "the first password", "the second password"


@pytest.fixture
def guarded_server() -> Iterator[OrthancServer]:
    with guarded(PatientID="stored") as server:
        yield server


def put(server: OrthancServer, path: str, **body: Any) -> tuple[int, Any]:
    answer = server.request("PUT", f"/dose/api/{path}", json=body)
    return answer.status_code, answer.json()


def bearer(server: OrthancServer, token: str, path: str = "/dose/api/session") -> tuple[int, Any]:
    answer = server.request("GET", path, auth=NOBODY, headers={"Authorization": f"Bearer {token}"})
    return answer.status_code, answer.json()


def log(server: OrthancServer) -> list[tuple[str, str, str, bool]]:
    """User, action, subject and success of all entries, the oldest first."""
    entries = server.ok("/dose/api/audit-log?limit=500")["entries"]
    return [
        (one["user_name"], one["action"], one["subject"], one["succeeded"])
        for one in reversed(entries)
    ]


# Users of the configuration have none.
NO_SECOND_STEP = dict.fromkeys(("possible", "on", "required", "must_enrol"), False) | {
    "recovery_codes": 0
}


def test_a_session_lives_by_its_cookie_and_ends_with_it(guarded_server: OrthancServer) -> None:
    browser = Browser(guarded_server)
    assert browser.name is None
    answer = browser.sign_in("only view", REGISTERED["only view"])
    assert answer.json()["session"] == {
        "signed_in": True,
        "name": "only view",
        "groups": ["view"],
        "way": "cookie",
        "may_change_password": False,
        "may_use_orthanc": False,
        "session_hours": 12,
        "from_provider": False,
        "provider": None,
        "second_step": NO_SECOND_STEP,
    }
    [cookie] = [one for one in answer.raw.headers.getlist("Set-Cookie") if "session=" in one]
    flags = {part.strip() for part in cookie.split(";")[1:]}
    assert flags == {"Path=/", "HttpOnly", "SameSite=Strict"}, "without HTTPS it cannot be Secure"
    assert browser.ask("GET", "/dose/api/studies").status_code == 200
    old = dict(browser.session.cookies)
    assert browser.sign_in(USER, PASSWORD).status_code == 200 and browser.name == USER
    other = Browser(guarded_server)
    other.session.cookies.update(old)
    assert other.name is None, "signing in anew ends the session that the browser had"
    stolen = dict(browser.session.cookies)
    assert browser.ask("DELETE", "/dose/api/session").json() == {
        "signed_out": True,
        "at_provider": None,
    }
    other.session.cookies.update(stolen)
    assert browser.name is other.name is None
    guarded_server.restart()
    assert [
        entry
        for entry in log(guarded_server)
        if entry[1] in ("sign-in", "sign-out") and entry[0] == "only view"
    ] == [("only view", "sign-in", "", True)]
    assert (USER, "sign-out", "", True) in log(guarded_server)


def test_the_list_of_users_says_when_each_signed_in_last(guarded_server: OrthancServer) -> None:
    def last() -> dict[str, str | None]:
        return {
            user["name"]: user["last_sign_in"]
            for user in guarded_server.ok("/dose/api/users")["users"]
        }

    browser = Browser(guarded_server)
    assert browser.sign_in("only view", "wrong").status_code == 401
    assert last()["only view"] is None
    browser.sign_in("only view", REGISTERED["only view"])
    browser.sign_in("only view", REGISTERED["only view"])
    entries = guarded_server.ok("/dose/api/audit-log?action=sign-in&user=only%20view")["entries"]
    assert last()["only view"] == next(one["at"] for one in entries if one["succeeded"])[:19] + "Z"
    assert last()["nothing"] is None


def test_changes_by_cookie_come_from_our_pages(guarded_server: OrthancServer) -> None:
    browser = Browser(guarded_server)
    browser.sign_in(USER, PASSWORD)
    for path, method in (
        ("/dose/api/reconcile", "POST"),
        ("/dose/api/saved-filters/x", "DELETE"),
        ("/dose/api/session", "DELETE"),
    ):
        answer = browser.ask(method, path, own=False)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "from_elsewhere")
    assert browser.ask("GET", "/dose/api/session?_method=delete", own=False).status_code == 403
    assert browser.name == USER
    assert browser.ask("POST", "/dose/api/reconcile", data=b"{}").status_code in (200, 202)
    # A browser that signs people in by HTTP Basic sends that for other sites' pages, too.
    for headers in ({"Origin": "http://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert (
            guarded_server.request(
                "POST", "/dose/api/reconcile", data=b"{}", headers=headers
            ).status_code
            == 403
        )
    assert guarded_server.request("POST", "/dose/api/reconcile", data=b"{}").status_code in (
        200,
        202,
    )


def test_users_are_added_changed_and_deleted(guarded_server: OrthancServer) -> None:
    server = guarded_server
    assert (
        put(server, "users/anna", groups=["view"], password="short")[1]["error"]["field"]
        == "password"
    )
    assert (
        put(server, "users/anna-is-here", groups=["view"], password="Anna-is-Here")[1]["error"][
            "code"
        ]
        == "bad_password"
    )
    assert (
        put(server, "users/anna", groups=["views"], password=FIRST)[1]["error"]["field"] == "groups"
    )
    assert put(server, "users/anna", groups=["view"])[0] == 404
    assert put(server, "users/anna", groups=["view"], password=FIRST)[0] == 200
    for taken in ("anna", "ANNA", USER, "Dose", "Only view"):
        assert (
            put(server, f"users/{taken}", groups=[], password=FIRST)[1]["error"]["code"] == "taken"
        ), taken
    for configured in (USER, "only view"):
        assert (
            put(server, f"users/{configured}", groups=[])[1]["error"]["code"]
            == "from_configuration"
        )
        assert put(server, f"users/{configured}/password", password=SECOND)[0] == 409
        assert server.delete(f"/dose/api/users/{configured}")[0] == 409
    anna = Browser(server)
    assert anna.sign_in("anna", FIRST).status_code == 200
    assert anna.ask("GET", "/dose/api/studies").status_code == 200
    assert put(server, "users/anna", groups=["administration"])[1]["user"]["groups"] == [
        "administration"
    ]
    assert anna.ask("GET", "/dose/api/studies").status_code == 403, "groups hold at once"
    assert anna.ask("GET", "/dose/api/users").status_code == 200
    server.restart()
    assert server.request("GET", "/dose/api/users", auth=("anna", FIRST)).status_code == 200
    assert server.request("GET", "/instances", auth=("anna", FIRST)).status_code == 403
    assert put(server, "users/anna", groups=["view"], disabled=True)[0] == 200
    assert server.request("GET", "/dose/api/studies", auth=("anna", FIRST)).status_code == 401
    assert put(server, "users/anna", groups=["view"], disabled=False)[0] == 200
    assert server.request("GET", "/dose/api/studies", auth=("anna", FIRST)).status_code == 200
    assert server.delete("/dose/api/users/anna") == (200, {"deleted": True})
    assert server.request("GET", "/dose/api/studies", auth=("anna", FIRST)).status_code == 401
    assert server.delete("/dose/api/users/anna")[0] == 404


@pytest.mark.parametrize("how", ["own", "set", "disabled", "deleted"])
def test_sessions_and_tokens_survive_no_change_of_password(
    guarded_server: OrthancServer, how: str
) -> None:
    server = guarded_server
    put(server, "users/anna", groups=["view"], password=FIRST)
    here, there = Browser(server), Browser(server)
    for browser in (here, there):
        assert browser.sign_in("anna", FIRST).status_code == 200
    token = here.ask("POST", "/dose/api/tokens", json={"name": "script"}).json()["secret"]
    assert bearer(server, token)[1]["session"]["name"] == "anna"
    assert server.request("GET", "/dose/api/studies", auth=("anna", FIRST)).status_code == 200
    if how == "own":

        def change(old: str, new: str) -> tuple[int, Any]:
            answer = here.ask("PUT", "/dose/api/session/password", json={"old": old, "new": new})
            return answer.status_code, answer.json().get("error", {}).get("field")

        assert change("wrong", SECOND) == (400, "old")
        assert change(FIRST, "anna") == (400, "new") == change(FIRST, FIRST)
        assert here.name == "anna"
        assert change(FIRST, SECOND) == (200, None)
    elif how == "set":
        assert put(server, "users/anna/password", password=SECOND)[0] == 200
    elif how == "disabled":
        assert put(server, "users/anna", groups=["view"], disabled=True)[0] == 200
    else:
        assert server.delete("/dose/api/users/anna")[0] == 200
    assert here.name is there.name is None
    assert bearer(server, token)[0] == 401
    assert server.request("GET", "/dose/api/studies", auth=("anna", FIRST)).status_code == 401, (
        "nor what was checked before"
    )
    if how == "disabled":
        put(server, "users/anna", groups=["view"], disabled=False)
    elif how == "deleted":
        put(server, "users/anna", groups=["view"], password=FIRST)
    assert here.name is None or how == "disabled"
    assert bearer(server, token)[0] == 401
    if how in ("own", "set"):
        assert here.sign_in("anna", SECOND).status_code == 200


def test_a_token_ends_with_the_registered_password_that_it_was_made_under(
    guarded_server: OrthancServer,
) -> None:
    server = guarded_server
    token = ask(server, "POST", "/dose/api/tokens", "only view", json={"name": "x"}).json()[
        "secret"
    ]
    assert bearer(server, token, "/dose/api/studies")[0] == 200
    server.restart()
    assert bearer(server, token, "/dose/api/studies")[0] == 200
    server.restart(overrides={"RegisteredUsers": REGISTERED | {"only view": "another one"}})
    assert bearer(server, token, "/dose/api/studies")[0] == 401


def test_tokens_are_shown_once_listed_and_withdrawn(guarded_server: OrthancServer) -> None:
    server = guarded_server
    made = ask(
        server, "POST", "/dose/api/tokens", "only view", json={"name": " night script ", "days": 30}
    ).json()
    token, number = made["secret"], made["token"]["id"]
    assert (
        token.startswith(f"dose_{number}_")
        and made["token"]["name"] == "night script"
        and made["token"]["expires_at"]
    )
    assert bearer(server, token, "/dose/api/studies")[0] == 200
    assert bearer(server, token, "/dose/api/users")[0] == 403, "no more rights than its owner has"
    assert (
        server.request(
            "GET", "/instances", auth=NOBODY, headers={"Authorization": f"Bearer {token}"}
        ).status_code
        == 403
    )
    headers = {"Authorization": f"Bearer {token}"}
    more = server.request(
        "POST", "/dose/api/tokens", auth=NOBODY, headers=headers, json={"name": "y"}
    )
    assert more.status_code == 403, "a token makes no token"
    [listed] = ask(server, "GET", "/dose/api/tokens", "only view").json()["tokens"]
    assert (
        listed["id"] == number
        and listed["last_used_at"]
        and token.rsplit("_", 1)[1] not in str(listed)
    )
    assert ask(server, "GET", "/dose/api/tokens?of=everybody", "only view").status_code == 403
    assert ask(server, "GET", "/dose/api/tokens?of=everybody", "only administration").json()[
        "tokens"
    ] == [listed]
    assert ask(server, "DELETE", f"/dose/api/tokens/{number}", "only export").status_code == 404, (
        "it is another's"
    )
    assert (
        ask(server, "DELETE", f"/dose/api/tokens/{number}", "only administration").status_code
        == 200
    )
    assert bearer(server, token)[0] == 401
    half = {"name": "x"}
    for wrong in (
        {},
        {"name": ""},
        half | {"days": 0},
        half | {"days": True},
        {"name": 5},
        [],
        half | {"a": 1},
    ):
        assert (
            ask(server, "POST", "/dose/api/tokens", "only view", json=wrong).json()["error"]["code"]
            == "bad_body"
        ), wrong


@pytest.mark.parametrize("name", ["anna", USER, "nobody of this name"])
def test_five_wrong_passwords_lock_a_name_for_scripts(
    guarded_server: OrthancServer, name: str
) -> None:
    server = guarded_server
    put(server, "users/anna", groups=["view"], password=FIRST)
    right = {"anna": FIRST, USER: PASSWORD}.get(name, "x")

    def come(password: str) -> Any:
        return server.request("GET", "/dose/api/session", auth=(name, password))

    assert [come(f"wrong {n}").status_code for n in range(5)] == [401] * 5
    locked = come(right)
    assert (locked.status_code, locked.json()["error"]["code"]) == (423, "locked"), (
        "the right one helps no more"
    )
    assert 0 < locked.json()["error"]["seconds"] <= 60
    other = ask(server, "GET", "/dose/api/audit-log", "only administration").json()["entries"]
    known = name if name != "nobody of this name" else "(unknown)"
    assert [(one["user_name"], one["action"], one["address"]) for one in other[1:3]] == [
        (known, "locked after wrong passwords", "127.0.0.1"),
        (known, "sign-in", "127.0.0.1"),
    ]
    assert "nobody of this name" not in str(other) and "wrong 4" not in str(other)


def test_twenty_wrong_passwords_lock_an_address() -> None:
    with guarded(TrustedProxies=["127.0.0.1"]) as server:

        def come(address: str, name: str, password: str) -> int:
            headers = {"X-Forwarded-For": f"1.2.3.4, {address}"}
            return server.request(
                "GET", "/dose/api/session", auth=(name, password), headers=headers
            ).status_code

        assert {come("10.9.9.9", f"name {n}", "x") for n in range(20)} == {401}
        assert come("10.9.9.9", USER, PASSWORD) == 423
        assert come("10.9.9.8", USER, PASSWORD) == 200
        assert (
            server.request("GET", "/instances", headers={"X-Forwarded-For": "10.9.9.9"}).status_code
            == 403
        )


def test_wrong_passwords_at_orthancs_own_routes_count_too(guarded_server: OrthancServer) -> None:
    for n in range(5):
        assert (
            guarded_server.request("GET", "/instances", auth=(USER, f"wrong {n}")).status_code
            == 403
        )
    assert guarded_server.request("GET", "/dose/api/session").status_code == 423
    guarded_server.wait_for(
        lambda: any(
            one["action"].startswith("locked")
            for one in ask(
                guarded_server, "GET", "/dose/api/audit-log", "only administration"
            ).json()["entries"]
        ),
        "the entry in the audit log",
    )


def test_the_audit_log_says_who_did_what(guarded_server: OrthancServer) -> None:
    server = guarded_server
    study = next(iter(make_studies(1, seed=5, kinds=["ct"])))
    study.datasets[0].PatientID = "PID-4711-x"
    server.send(study)
    server.wait_until_idle()
    put(server, "users/anna", groups=["view", "patient identity"], password=FIRST)
    server.request("GET", "/dose/api/studies/1", auth=("anna", FIRST))
    server.request("GET", "/dose/api/studies?columns=patient_id", auth=("anna", FIRST))
    server.request("GET", "/dose/api/studies", auth=("anna", FIRST))
    server.request("GET", "/dose/api/users", auth=("anna", FIRST))
    server.request("DELETE", "/dose/api/users/dose", auth=("anna", FIRST))
    server.request("PUT", "/dose/api/settings", json={"session_hours": 5})
    server.request("POST", "/dose/api/objects/1.2.3/retry", data=b"{}")
    token = server.request("POST", "/dose/api/tokens", json={"name": "=HYPERLINK(1)"}).json()
    put(server, "users/anna/password", password=SECOND)
    server.delete("/dose/api/users/anna")
    assert log(server) == [
        (USER, "sign-in", "", True),
        (USER, "user added", "user anna", True),
        ("anna", "sign-in", "", True),
        ("anna", "patient identity seen", "study", True),
        ("anna", "patient identity seen", "list", True),
        ("anna", "user deleted", "name dose", False),
        (USER, "setting changed", "session_hours", True),
        (USER, "object read again", "sop_instance_uid 1.2.3", False),
        (USER, "token made", f"token {token['token']['id']}", True),
        (USER, "password set", "name anna", True),
        (USER, "user deleted", "name anna", True),
    ]
    page = server.ok("/dose/api/audit-log?user=anna&limit=1")
    assert (page["total"], len(page["entries"])) == (4, 1) and set(page["users"]) == {USER, "anna"}
    assert server.ok("/dose/api/audit-log?text=SESSION_")["total"] == 1
    assert server.ok("/dose/api/audit-log?action=sign-in&to=2020-01-01T00:00:00Z")["total"] == 0
    assert server.ok("/dose/api/audit-log?from=2020-01-01T00:00:00Z")["total"] == 11
    exported = server.request("GET", "/dose/api/audit-log/export")
    assert exported.headers["Content-Type"].startswith("text/csv") and exported.content.startswith(
        b"\xef\xbb\xbf"
    )
    lines = list(csv.DictReader(io.StringIO(exported.content.decode("utf-8-sig"))))
    assert [line["number"] for line in lines] == [str(n) for n in range(1, 13)]
    assert lines[8]["details"] == "'=HYPERLINK(1)" and lines[-1]["action"] == "audit log exported"
    assert server.stop() == 0
    secrets = (PASSWORD, FIRST, SECOND, token["secret"].rsplit("_", 1)[1], *REGISTERED.values())
    raw = (
        b"".join(path.read_bytes() for path in server.dose_directory.iterdir() if path.is_file())
        + server.log.encode()
    )
    assert not any(secret.encode() in raw for secret in secrets)
    assert "PID-4711-x" not in exported.text + server.log


def test_nothing_changes_the_audit_log(guarded_server: OrthancServer) -> None:
    for method in ("POST", "PUT", "DELETE"):
        for path in ("/dose/api/audit-log", "/dose/api/audit-log/export", "/dose/api/audit-log/1"):
            assert guarded_server.request(method, path, data=b"{}").status_code in (404, 405)
    assert log(guarded_server) == [(USER, "sign-in", "", True)]

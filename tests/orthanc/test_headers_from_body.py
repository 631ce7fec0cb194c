"""Nothing that a body says becomes a header, an address, a user, a method or an address of ours.

Orthanc takes a body of type multipart/form-data apart and makes a request of each part, with the
part's headers in place of the request's. What is one to it, and what else it reads in unusual
ways, was read from the source of Orthanc 1.10.1 and 1.12.7 (HttpServer.cpp,
MultipartStreamReader.cpp) and of CivetWeb 1.15 and 1.16, and tried."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from orthanc_dose.samples import make_studies
from tests.support.server import PASSWORD, USER, OrthancServer
from tests.support.visitors import REGISTERED, RIGHTS, Browser, ask, guarded
from tests.support.wire import exchange, multipart, request

DELETE = "/dose/api/studies/1/delete"
OUTER = ["X-Remote-User: nothing", "Origin: http://elsewhere.example", "Sec-Fetch-Site: cross-site"]
AS_DOSE = [f"X-Remote-User: {USER}", "X-Dose-Request: 1", "Content-Type: application/json"]


@pytest.fixture(scope="module")
def behind() -> Iterator[OrthancServer]:
    """A server that believes a proxy at 127.0.0.1, which is where the tests ask from; with a
    study."""
    with guarded(TrustedUserHeader="X-Remote-User", TrustedProxies=["127.0.0.1"]) as server:
        server.send(make_studies(1, seed=5, kinds=["ct"]))
        server.wait_until_idle()
        yield server


def entries(server: OrthancServer, *actions: str) -> list[tuple[str, str, str]]:
    found = ask(server, "GET", "/dose/api/audit-log?limit=500", "only administration").json()
    return [
        (one["user_name"], one["action"], one["address"])
        for one in found["entries"]
        if one["action"] in actions
    ]


def basic(name: str, password: str) -> str:
    return "Authorization: Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.mark.parametrize(
    "kind",
    [
        "Content-Type: multipart/form-data; boundary=b",
        "content-type:Multipart/Form-DATA;Boundary=b",
        'CONTENT-TYPE:    multipart/form-data ; type="text/plain"; boundary = "b"',
        "Content-Type : multipart/form-data; boundary=b",
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Type: application/json",
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
def test_nobody_deletes_in_the_administrators_name(
    behind: OrthancServer, kind: str, chunked: bool
) -> None:
    body = multipart("b", (AS_DOSE, b"{}"), ([*AS_DOSE, basic(USER, PASSWORD)], b"{}"))
    lines = [*OUTER, kind]
    if chunked:
        body, lines = (
            b"%x\r\n%s\r\n0\r\nX-Remote-User: dose\r\n\r\n" % (len(body), body),
            [*lines, "Transfer-Encoding: chunked"],
        )
    statuses, _ = exchange(behind, request("POST", DELETE, *lines, body=body))
    assert statuses == [403]
    assert len(behind.studies()) == 1
    assert entries(behind, "study deleted") == []


@pytest.mark.parametrize(
    ("method", "kind", "more"),
    [
        ("PUT", "multipart/form-data; boundary=b", []),
        ("POST", "multipart/form-data; boundary=b", ["X-HTTP-Method-Override: PUT"]),
        ("GET", "multipart/form-data; boundary=b", []),
        ("POST", "multipart/form-data", []),
        ("POST", "multipart/mixed; boundary=b", []),
        ("POST", 'multipart/related; boundary=b; type="multipart/form-data"', []),
        ("POST", "text/plain; x=1, multipart/form-data; boundary=b", []),
    ],
)
def test_none_of_our_routes_takes_several_parts(
    behind: OrthancServer, method: str, kind: str, more: list[str]
) -> None:
    lines = [*more, f"Content-Type: {kind}", "X-Remote-User: dose", "X-Dose-Request: 1"]
    body = multipart("b", ([], b"{}"))
    statuses, got = exchange(behind, request(method, "/dose/api/session", *lines, body=body))
    assert (statuses, got.partition(b"\r\n\r\n")[2]) == ([403], b"")


def test_wrong_passwords_in_one_body_are_not_tried() -> None:
    with OrthancServer() as server:
        parts = [([basic(USER, f"wrong {n}")], b"") for n in range(25)]
        form = "Content-Type: multipart/form-data; boundary=b"
        body = multipart("b", *parts)
        statuses, _ = exchange(server, request("POST", "/dose/api/session", form, body=body))
        assert statuses == [403]
        found = server.ok("/dose/api/audit-log")["entries"]
        assert [one for one in found if not one["succeeded"]] == []


def test_what_does_not_come_by_the_door_is_not_answered() -> None:
    """Lua in Orthanc calls our routes on the thread of the request that runs it, with headers of
    its own choice."""
    script = """
    headers = {["X-Remote-User"] = "dose", ["X-Dose-Request"] = "1", ["Authorization"] = "%s"}
    print(tostring(RestApiGet("/dose/api/studies", false, headers)))
    """
    proxy: dict[str, Any] = {
        "TrustedUserHeader": "X-Remote-User",
        "TrustedProxies": ["127.0.0.1"],
        "OrthancUsers": RIGHTS,
    }
    lua = {"RegisteredUsers": REGISTERED, "ExecuteLuaEnabled": True}
    with OrthancServer(dose=proxy, overrides=lua) as server:
        told = basic(USER, PASSWORD).partition(": ")[2]
        answer = ask(server, "POST", "/tools/execute-script", "pacs", data=script % told)
        assert answer.status_code == 200
        assert "studies" not in answer.text and "total" not in answer.text


def test_a_request_leaves_nothing_to_the_next_one_on_its_thread() -> None:
    """With one thread for all: the administrator's request breaks off before its body is there,
    and what comes then has a part without any headers."""
    one_thread = {"HttpThreadsCount": 1, "HttpRequestTimeout": 2}
    with OrthancServer(overrides=one_thread) as server:
        lines = [basic(USER, PASSWORD), "X-Dose-Request: 1", "Content-Length: 5"]
        broken = request("POST", "/dose/api/reconcile", *lines, body=b"{}")
        follow = [
            request("GET", "/dose/api/session"),
            request("POST", "/dose/api/reconcile", "X-Dose-Request: 1", body=b"{}"),
            request(
                "POST",
                "/dose/api/reconcile",
                "Content-Type: multipart/form-data; boundary=b",
                body=multipart("b", ([], b"{}")),
            ),
        ]
        for one, expected in zip(follow, (200, 401, 403), strict=True):
            assert exchange(server, broken)[0] == [400]
            statuses, got = exchange(server, one)
            assert statuses == [expected]
            assert b'"signed_in":true' not in got


@pytest.mark.parametrize(
    "line", ["X_Remote_User: dose", "Remote-User: dose", "XX-Remote-User: dose", "X-Remote-User:"]
)
def test_headers_of_other_names_are_other_headers(behind: OrthancServer, line: str) -> None:
    _, got = exchange(behind, request("GET", "/dose/api/session", line))
    assert json.loads(got.partition(b"\r\n\r\n")[2])["session"]["name"] is None


def test_requests_on_one_connection_are_each_their_own(behind: OrthancServer) -> None:
    """Also behind a body that Orthanc does not read, be it a request itself."""
    hidden = request("GET", "/dose/api/session", "X-Remote-User: dose")
    length = f"Content-Length: {len(hidden)}"
    sent = [
        request("GET", "/dose/api/session", "X-Remote-User: only view", close=False),
        request("GET", "/dose/api/session", length, body=hidden, close=False),
        request("DELETE", "/dose/api/session", length, body=hidden, close=False),
        request("POST", "/dose/api/nothing", length, body=hidden, close=False),
        request("GET", "/dose/api/session"),
    ]
    statuses, got = exchange(behind, b"".join(sent))
    assert statuses == [200, 200, 200, 404, 200]
    assert got.count(b'"name":"only view"') == 1 and b'"name":"dose"' not in got


def test_a_method_in_disguise_is_that_method(behind: OrthancServer) -> None:
    """What a page of another site can make a browser send with the user's cookie."""
    browser = Browser(behind)
    assert browser.sign_in("only view", REGISTERED["only view"]).status_code == 200
    for path in ("/dose/api/saved-filters/x?_method=delete", "/dose/api/session?_method=DELETE"):
        assert browser.ask("GET", path).status_code == 403
    override = {"X-HTTP-Method-Override": "DELETE"}
    assert browser.ask("POST", "/dose/api/session", own=False, headers=override).status_code == 403
    assert browser.name == "only view"


def test_an_address_is_decoded_once(behind: OrthancServer) -> None:
    """Orthanc decodes it; after a second time "%41" would be another name."""
    body = {"modality": None, "query": {}}
    answer = behind.request("PUT", "/dose/api/saved-filters/%2541", json=body)
    assert answer.status_code == 200
    saved = behind.ok("/dose/api/saved-filters")["saved"]
    assert [one["name"] for one in saved] == ["%41"]

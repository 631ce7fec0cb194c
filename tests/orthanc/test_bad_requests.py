"""What no request may hold, sent to every route: each is answered by an error of ours, none by 500
or by nothing.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from orthanc_dose.records.given import field_names
from orthanc_dose.rest.api import ROUTES
from orthanc_dose.rest.bodies import alternatives, schema
from orthanc_dose.rest.parameters import Parameter
from orthanc_dose.rest.routes import Route
from tests.support.server import PASSWORD, USER, OrthancServer

BODIES = [route for route in ROUTES if route.body is not None]
# Those that a browser opens answer with the way to the sign-in page.
OPENED = [route for route in ROUTES if 303 in route.answers]
READ = [route for route in ROUTES if route.method == "GET" and route not in OPENED]


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with OrthancServer() as running:
        yield running


@pytest.fixture
def asked(server: OrthancServer) -> Iterator[Asked]:
    """The server; that it logged no error of its own is asked in the end."""
    yield Asked(server)
    assert "Dose: GET" not in server.log and "Dose: P" not in server.log
    assert "Dose: DELETE" not in server.log


class Asked:
    """Requests as they are written here: no library repairs an address."""

    def __init__(self, server: OrthancServer) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=60)
        secret = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        self._headers = {"Authorization": f"Basic {secret}"}

    def __call__(
        self, method: str, target: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, Any]:
        """Status, and the JSON of the answer, None where it has none."""
        if body is None and method in ("POST", "PUT"):
            body = b"{}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, target, body, self._headers | named)
        answer = self._connection.getresponse()
        raw = answer.read()
        is_json = answer.headers.get_content_type() == "application/json"
        return answer.status, json.loads(raw) if raw and is_json else None

    def refused(self, method: str, target: str, body: bytes | None = None, **headers: str) -> Any:
        """The error, which is one of ours."""
        status, answer = self(method, target, body, **headers)
        assert 400 <= status < 500, (method, target[:80], (body or b"")[:80], status)
        assert status == 405 or set(answer["error"]) >= {"code", "message", "field"}
        # Its own words, not those of Python.
        assert status == 405 or "convert" not in answer["error"]["message"]
        return None if status == 405 else answer["error"]


def address(route: Route, **parts: str) -> str:
    """An address of a route, as its parameters want it but for the parts that are given."""
    out = f"/dose/api{route.path}"
    for parameter in route.parameters:
        if parameter.in_path:
            right = {"integer": "1", "uid": "1.2.3"}.get(parameter.kind, "x")
            if parameter.allowed:
                right = parameter.allowed[0]
            out = out.replace(f"{{{parameter.name}}}", parts.get(parameter.name, right))
    return out


def in_query(route: Route) -> list[Parameter]:
    """The first parameters of each kind."""
    of_kind = {parameter.kind: parameter for parameter in reversed(route.parameters)}
    return [parameter for parameter in of_kind.values() if not parameter.in_path]


def fields(route: Route) -> list[str]:
    assert route.body is not None
    return [name for one in alternatives(route.body) for name in field_names(one)]


NO_VALUES = {
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "-Infinity": b"-Infinity",
    "1e999": b"1e999",
    "-1e999": b"-1e999",
    "19 digits": b"1000000000000000000",
    "5,000 digits": b"9" * 5000,
    "surrogate": rb'"a\ud800b"',
    "surrogate as bytes": b'"a\xed\xa0\x80b"',
    "NUL": rb'"a\u0000b"',
    "twice": b'1, "%s": 2',
    "in a list": b"[1, [NaN]]",
    "in an object": rb'{"a": {"b": "\udfff"}}',
}


@pytest.mark.parametrize("kind", NO_VALUES)
def test_no_body_may_hold_it_and_the_field_is_named(asked: Asked, kind: str) -> None:
    for route in BODIES:
        for name in fields(route):
            value = NO_VALUES[kind].replace(b"%s", name.encode())
            error = asked.refused(
                route.method, address(route), b'{"%s": %s}' % (name.encode(), value)
            )
            assert error["code"] == "bad_body", (route.path, name, error)
            assert error["field"].partition(".")[0].partition("[")[0] == name, (route.path, error)


@pytest.mark.parametrize("body", [
    b"[" * 100_000, b'{"a":' * 50_000, b"[" * 900 + b"]" * 900, b'{"x":' * 40 + b"1" + b"}" * 40, b"\xff\xfe", b"\x00",
    b"\xef\xbb\xbf", b"NaN", b"1e999", b'"\xed\xa0\x80"', b"{", b'{"\\ud800": 1}', b'{"a": 1,}', b"{'a': 1}",
], ids=lambda body: repr(body[:8]))  # fmt: skip
def test_no_body_is_such(asked: Asked, body: bytes) -> None:
    for route in BODIES:
        assert asked.refused(route.method, address(route), body)["code"] == "bad_body"


@pytest.mark.parametrize(
    "text", ["%ff%fe", "%00", "a%00b", "%ed%a0%80", "%c3", "a" * 5000, "%c3%bc" * 1700]
)
def test_no_parameter_is_such(asked: Asked, text: str) -> None:
    for route in READ:
        for parameter in in_query(route):
            error = asked.refused("GET", f"{address(route)}?{parameter.name}={text}")
            assert error["field"] == parameter.name, (route.path, error)
        error = asked.refused("GET", f"{address(route)}?{text}=1")
        assert error["code"] in ("unknown_parameter", "bad_parameter")
        asked.refused("GET", f"{address(route)}?{text}")


@pytest.mark.parametrize("text", ["%ff%fe", "%00", "a%00b", "%ed%a0%80", "%c3", "a" * 5000])
def test_what_browsers_open_leads_to_the_sign_in_page_whatever_is_asked(
    server: OrthancServer, text: str
) -> None:
    assert OPENED
    for route in OPENED:
        for name in (*(parameter.name for parameter in route.parameters), "code", "state", "x"):
            target = f"{server.url}{address(route)}?{name}={text}"
            answer = requests.get(target, allow_redirects=False, timeout=30)
            if answer.status_code != 400:
                assert answer.status_code == 303, (route.path, name)
                # Nothing of what was sent is in it.
                way = r"/dose/app/sign-in\?problem=[a-z_]+"
                assert re.fullmatch(way, answer.headers["Location"]), (route.path, name)


@pytest.mark.parametrize("text", ["a" * 5000, "%c3%bc" * 1700, "1" * 5000, "%ed%9f%bf"])
def test_no_address_is_such(asked: Asked, text: str) -> None:
    for route in ROUTES:
        for parameter in route.parameters:
            if parameter.in_path:
                asked.refused(route.method, address(route, **{parameter.name: text}))
        asked.refused(route.method, f"{address(route)}/{text}")
    asked.refused("GET", f"/dose/{text}")
    if len(text) > 255:
        asked.refused("GET", f"/dose/app/{text}.js")
        asked.refused("GET", f"/dose/app/{text}")


def test_an_address_that_is_no_utf8_does_not_reach_the_plugin(asked: Asked) -> None:
    # Orthanc's plugin for Python cannot make a text of it, and answers itself before any Python
    # runs; and a NUL character ends an address there.
    for target in ("/dose/api/users/%ff%fe", "/dose/app/%ff%fe", "/instances/%ff%fe"):
        assert 400 <= asked("GET", target)[0] < 600
    assert asked("GET", "/dose/api/session%00/x")[0] == 200
    assert asked("GET", "/dose/api/session")[0] == 200


def test_an_address_is_decoded_once(asked: Asked) -> None:
    query = b'{"modality": null, "query": {}}'
    status, answer = asked("PUT", "/dose/api/saved-filters/50%2541%25%2500", query)
    assert (status, answer["saved"]["name"]) == (200, "50%41%%00")


def test_a_question_mark_without_parameters_changes_nothing(asked: Asked) -> None:
    for route in READ:
        plain = asked("GET", address(route))[0]
        assert plain < 500, route.path
        for end in ("?", "?&", "?&&"):
            assert asked("GET", f"{address(route)}{end}")[0] == plain, (route.path, end)
    assert asked("GET", "/dose/api/studies?limit=1&")[0] == 200
    assert asked.refused("GET", "/dose/api/studies?=1")["code"] == "unknown_parameter"


ODD = (
    None,
    True,
    -1,
    1.5,
    1e300,
    10**18 - 1,
    "",
    "\U0010ffff",
    [],
    {},
    [None],
    [[]],
    [{}],
    {"x": []},
)


def test_values_of_another_kind_are_refused_or_taken(server: OrthancServer) -> None:
    """Beside what schemathesis makes of the schemas: each property in turn, all others plausible."""
    asked = Asked(server)
    for route in BODIES:
        assert route.body is not None
        first = alternatives(route.body)[0]
        described = schema(first)[1][first.__name__]["properties"]
        plausible = {name: _plausible(of) for name, of in described.items()}
        # Signing in counts wrong passwords.
        if route.path.startswith("/session"):
            continue
        for name in plausible:
            for value in ODD:
                body = json.dumps(plausible | {name: value}).encode()
                status, _ = asked(route.method, address(route), body)
                assert status < 500, (route.method, route.path, name, value, status)


def _plausible(of: dict[str, Any]) -> Any:
    if "enum" in of:
        return of["enum"][0]
    if "anyOf" in of:
        return _plausible(of["anyOf"][0])
    kind = of.get("type", "null")
    kind = kind if isinstance(kind, str) else kind[0]
    return {
        "string": "x" * of.get("minLength", 1),
        "integer": of.get("minimum", 1),
        "number": of.get("minimum", 1),
        "boolean": False,
        "array": [],
        "object": {},
    }.get(kind)

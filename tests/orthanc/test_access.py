"""Who may come in and do what, in a real server: every route with every group, Orthanc's own
routes, identity, the proxy.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orthanc_dose.records.access import GROUPS
from orthanc_dose.rest.api import ROUTES
from orthanc_dose.rest.routes import Caller, Route
from orthanc_dose.samples import make_studies
from tests.support.server import PASSWORD, USER, OrthancServer
from tests.support.visitors import NOBODY, REGISTERED, RIGHTS, Browser, ask, guarded

NAME, ID = "Verylongname^Anna", "PID-4711-x"
SEES = "only patient identity"


@pytest.fixture(scope="module")
def filled() -> Iterator[OrthancServer]:
    rights = RIGHTS | {SEES: ["view", "patient identity"]}
    with guarded(PatientName="stored", PatientID="stored", OrthancUsers=rights) as server:
        studies = list(make_studies(3, seed=5, kinds=["ct"]))
        for study in studies:
            study.datasets[0].PatientName, study.datasets[0].PatientID = NAME, ID
        server.send(studies)
        server.wait_until_idle()
        yield server


@pytest.fixture(scope="module")
def alone() -> Iterator[OrthancServer]:
    """A server that the tests of routes may spoil."""
    with guarded() as server:
        yield server


def address(route: Route) -> str:
    example = {"integer": "999999", "uid": "1.2.3", "text": "nothing", "word": "nothing"}
    example["user_name"] = "nobody"
    values = {
        one.name: example.get(one.kind) or one.allowed[0] for one in route.parameters if one.in_path
    }
    return "/dose/api" + route.path.format(**values)


def code(answer: object) -> str:
    return (
        answer.json().get("error", {}).get("code", "")
        if "json" in answer.headers.get("Content-Type", "")
        else ""
    )


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_with_every_group(alone: OrthancServer, route: Route) -> None:
    body = {"json": {}} if route.method in ("POST", "PUT") else {}
    for user, rights in RIGHTS.items():
        answer = ask(alone, route.method, address(route), user, **body)
        allowed = Caller(user, frozenset(rights)).may(route.needs)
        assert answer.status_code < 500, (user, answer.text)
        refused = answer.status_code == 403 and code(answer) == "not_allowed"
        assert refused != allowed, (user, answer.status_code, answer.text)
        if refused:
            assert all(group in answer.json()["error"]["message"] for group in route.needs), (
                "it says what is missing"
            )
    answer = ask(alone, route.method, address(route), **body)
    assert (answer.status_code == 401 and code(answer) == "not_signed_in") == (
        route.needs is not None
    ), answer.text
    assert "WWW-Authenticate" not in answer.headers
    for wrong in ("Bearer dose_0123456789ab_" + "x" * 43, "Bearer x", "Digest username=dose"):
        answer = ask(alone, route.method, address(route), headers={"Authorization": wrong}, **body)
        assert (answer.status_code, code(answer)) == (401, "not_signed_in"), wrong


def test_the_needs_are_of_groups_that_there_are() -> None:
    for route in ROUTES:
        assert set(route.needs or ()) <= set(GROUPS), route.path
        if route.method != "GET" and route.needs and "administration" in route.needs:
            assert len(route.needs) == 1 or not route.action
    anybody = {(route.method, route.path) for route in ROUTES if route.needs is None}
    of_session = {(method, "/session") for method in ("GET", "POST", "DELETE")}
    provider = {("GET", f"/session/provider{path}") for path in ("", "/callback")}
    assert anybody == {*of_session, *provider, ("GET", "/health")}


ORTHANCS_OWN = ("/instances", "/patients", "/studies", "/modalities", "/changes", "/app/explorer.html", "/system", "/jobs",
                "//instances", "/dose/../instances", "/dosex", "/%69nstances", "/plugins/explorer.js", "/")  # fmt: skip


@pytest.mark.parametrize("path", ORTHANCS_OWN)
def test_orthancs_own_routes_are_for_those_whom_the_configuration_names(
    filled: OrthancServer, path: str
) -> None:
    for user in (None, *RIGHTS):
        answer = ask(filled, "GET", path, user, allow_redirects=False)
        assert (answer.status_code == 403) == (user != "pacs"), (user, path, answer.status_code)
        assert user == "pacs" or answer.content == b""
    assert ask(filled, "GET", path, USER, allow_redirects=False).status_code in (200, 301, 307, 404)


def test_orthancs_own_changes_too(filled: OrthancServer) -> None:
    query = {"Level": "Study", "Query": {"PatientID": "*"}}
    for user in (None, "only view", "only administration", "nothing"):
        for method, path in (
            ("POST", "/tools/find"),
            ("POST", "/instances"),
            ("DELETE", "/changes"),
            ("PUT", "/modalities/x"),
        ):
            assert ask(filled, method, path, user, json=query).status_code == 403
        assert ask(filled, "GET", "/instances?_method=delete", user).status_code == 403
    assert len(ask(filled, "POST", "/tools/find", "pacs", json=query).json()) == 3
    assert (
        filled.request("POST", "/tools/find", json=query, auth=(USER, "wrong")).status_code == 403
    )


def test_a_session_on_orthancs_own_pages(filled: OrthancServer) -> None:
    browser, query = Browser(filled), {"Level": "Study", "Query": {}}
    assert browser.sign_in("pacs", REGISTERED["pacs"]).status_code == 200
    assert browser.ask("GET", "/app/explorer.html").status_code == 200
    assert browser.ask("POST", "/tools/find", own=False, json=query).status_code == 403
    assert browser.ask("POST", "/tools/find", json=query).status_code == 200
    for origin, status in ((filled.url, 200), ("http://elsewhere.example", 403), ("null", 403)):
        assert (
            browser.ask(
                "POST", "/tools/find", own=False, json=query, headers={"Origin": origin}
            ).status_code
            == status
        )
    assert (
        "X-Dose-Request"
        in browser.ask("GET", "/app/explorer.js").text
        + browser.ask("GET", "/plugins/explorer.js").text
    )
    viewer = Browser(filled)
    assert viewer.sign_in("only view", REGISTERED["only view"]).status_code == 200
    assert viewer.ask("GET", "/patients").status_code == 403
    assert viewer.ask("GET", "/dose/api/session").json()["session"]["may_use_orthanc"] is False


def test_pages_are_for_anybody(filled: OrthancServer) -> None:
    for path in ("/dose", "/dose/", "/dose/app/", "/dose/app/ct"):
        assert ask(filled, "GET", path, allow_redirects=False).status_code in (
            200,
            301,
            307,
            404,
        )  # 404: not built


def test_identity_is_for_its_group(filled: OrthancServer) -> None:
    asked = ask(filled, "GET", "/dose/api/studies", "only view").json()["studies"]
    assert len(asked) == 3
    for path in (
        "studies?limit=9",
        "studies/1",
        "studies/1/history",
        "studies/1/content",
        "fields",
        "objects?limit=99",
    ):
        viewers = ask(
            filled, "GET", f"/dose/api/{path}", "only view" if "fields" not in path else "nothing"
        )
        assert viewers.status_code == 200, path
        assert not any(word in viewers.text for word in ("Verylongname", "Anna", ID)), path
    detail = ask(filled, "GET", "/dose/api/studies/1", "only view").json()
    assert detail["patient_id"] is detail["patient_name"] is detail["patient"]["patient_id"] is None
    history = ask(filled, "GET", "/dose/api/studies/1/history", "only view").json()
    assert (history["patient_id"], history["patient_name"], len(history["studies"])) == (
        None,
        None,
        3,
    )
    told = ask(filled, "GET", "/dose/api/studies/1", SEES).json()
    assert (told["patient"]["patient_name"], told["patient"]["patient_id"]) == (
        "Verylongname, Anna",
        ID,
    )
    assert ask(filled, "GET", "/dose/api/studies/1/history", SEES).json()["patient_id"] == ID
    columns = ask(filled, "GET", "/dose/api/studies?columns=patient_id,patient_name", SEES).json()[
        "studies"
    ]
    assert {row["patient_id"] for row in columns} == {ID}


@pytest.mark.parametrize(("query", "field"), [
    ("columns=patient_id", "columns"), ("columns=dlp_total,patient_name", "columns"), ("sort=patient_name", "sort"),
    ("sort=-patient_id", "sort"), ("patient_name=a", "patient_name"), ("patient_id_is=x", "patient_id_is"),
    ("patient_name_empty=no", "patient_name_empty"), ("patient_id_not=x", "patient_id_not"),
])  # fmt: skip
def test_nobody_learns_identity_by_asking_for_it(
    filled: OrthancServer, query: str, field: str
) -> None:
    paths = {"columns": ["studies"], "sort": ["studies", "studies/1/neighbours"]}
    for path in paths.get(field, ["studies", "studies/1/neighbours", "studies/count"]):
        answer = ask(filled, "GET", f"/dose/api/{path}?{query}", "only view")
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["field"]) == (403, "needs_identity", field)
        assert ask(filled, "GET", f"/dose/api/{path}?{query}", SEES).status_code == 200


def test_filters_by_identity_are_neither_saved_nor_offered_without_the_group(
    filled: OrthancServer,
) -> None:
    body = {"modality": None, "query": {"patient_name": "x"}}
    assert (
        ask(filled, "PUT", "/dose/api/saved-filters/mine", "only view", json=body).status_code
        == 403
    )
    assert ask(filled, "PUT", "/dose/api/saved-filters/mine", SEES, json=body).status_code == 200
    assert ask(filled, "GET", "/dose/api/saved-filters", "only view").json() == {"saved": []}, (
        "each has his own"
    )
    for user, there in (("only view", False), (SEES, True)):
        fields = ask(filled, "GET", "/dose/api/fields", user).json()
        assert ("patient_name" in {one["name"] for one in fields["filters"]}) == there
        assert all(
            ("patient_id" in fields["list_columns"][code]) == there
            for code in fields["list_columns"]
        )
        assert ("patient_id" in fields["sortable"]) == there


PROXY = {"TrustedUserHeader": "X-Remote-User"}


@pytest.mark.parametrize(
    ("proxies", "believed"),
    [(["127.0.0.1"], True), (["127.0.0.0/8"], True), (["10.0.0.0/8"], False)],
)
def test_a_proxy_names_the_user_where_it_is_trusted(proxies: list[str], believed: bool) -> None:
    with guarded(**PROXY, TrustedProxies=proxies) as server:

        def come(user: str, **more: str) -> tuple[int, str | None]:
            headers = {"X-Remote-User": user} | more
            answer = server.request("GET", "/dose/api/session", auth=NOBODY, headers=headers)
            return answer.status_code, answer.json()["session"]["name"]

        assert come("only view") == (200, "only view" if believed else None)

        def status(path: str, user: str) -> int:
            return server.request(
                "GET", path, auth=NOBODY, headers={"X-Remote-User": user}
            ).status_code

        assert status("/dose/api/studies", "only view") == (200 if believed else 401)
        assert status("/dose/api/users", "only view") == (403 if believed else 401)
        assert status("/dose/api/studies", "somebody else") == (403 if believed else 401), (
            "an unknown name has no group"
        )
        assert status("/instances", "pacs") == (200 if believed else 403)
        assert status("/instances", "only view") == 403
        # A page of another site could make the browser send it: the proxy would name the user.
        answer = server.request(
            "POST", "/dose/api/reconcile", auth=NOBODY, headers={"X-Remote-User": USER}, data=b"{}"
        )
        assert answer.status_code == (403 if believed else 401)
        secure = server.request(
            "POST",
            "/dose/api/session",
            auth=NOBODY,
            headers={"X-Forwarded-Proto": "https"},
            json={"name": USER, "password": PASSWORD},
        ).headers["Set-Cookie"]
        assert ("Secure" in secure) == believed


def test_without_its_setting_the_header_means_nothing() -> None:
    with guarded(TrustedProxies=["127.0.0.1"]) as server:
        for name in ("X-Remote-User", "Remote-User", "X-Forwarded-User"):
            answer = server.request("GET", "/dose/api/session", auth=NOBODY, headers={name: USER})
            assert answer.json()["session"]["signed_in"] is False


def test_where_orthanc_asks_itself_its_users_come_in_as_before() -> None:
    with OrthancServer(overrides={"AuthenticationEnabled": True}) as server:
        assert '"AuthenticationEnabled" is true' in server.log_of_this_start
        assert ask(server, "GET", "/dose/app/").status_code == 401
        assert server.ok("/dose/api/session")["session"]["name"] == USER
        assert server.request("GET", "/instances").status_code == 200
        assert server.request("GET", "/dose/api/studies", auth=(USER, "wrong")).status_code == 401
        elsewhere = {"Origin": "http://elsewhere.example"}
        assert (
            server.request("POST", "/dose/api/reconcile", headers=elsewhere, data=b"{}").status_code
            == 403
        )
        assert server.request("POST", "/tools/find", headers=elsewhere, json={}).status_code == 403

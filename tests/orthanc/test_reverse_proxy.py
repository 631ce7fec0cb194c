"""The reverse proxies that docs/reverse-proxy.md describes, with the very files: pages, signing in,
addresses, data in and out, and slow clients that hinder nobody."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import openpyxl
import pytest

from orthanc_dose.samples import ct_slice, make_studies, part10
from tests.support.reverse_proxy import KINDS, ReverseProxy
from tests.support.server import PASSWORD, ROOT, USER
from tests.support.slow import SlowClients
from tests.support.visitors import guarded

BROWSER = "127.0.0.5"  # an address of its own that reaches this machine


@pytest.fixture(scope="module", params=KINDS)
def proxy(request: pytest.FixtureRequest) -> Iterator[ReverseProxy]:
    """A proxy before a server that believes it, and that has few threads for HTTP."""
    believed = {"TrustedProxies": ["127.0.0.1"], "TrustedUserHeader": "X-Remote-User"}
    server = guarded(**believed)
    server.overrides["HttpThreadsCount"] = 10
    with server, ReverseProxy(request.param, server) as proxy:
        proxy.server.send(make_studies(3, seed=5, kinds=["ct"]))
        proxy.server.wait_until_idle()
        yield proxy


def signed_in(proxy: ReverseProxy, **headers: str) -> Any:
    visitor = proxy.session(BROWSER)
    me = {"name": USER, "password": PASSWORD}
    answer = visitor.ask("POST", "/dose/api/session", json=me, headers=headers)
    assert answer.status_code == 200, answer.text
    assert "Secure" in answer.headers["Set-Cookie"]
    return visitor


@pytest.mark.skipif(not (ROOT / "webui/dist/index.html").is_file(), reason="the UI is not built")
def test_pages(proxy: ReverseProxy) -> None:
    visitor = proxy.session()
    page = visitor.ask("GET", "/dose/app/")
    assert page.status_code == 200 and '<div id="app"' in page.text
    assert visitor.ask("GET", "/dose").url == f"{proxy.url}/dose/app/"
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_the_log_has_the_browsers_address(proxy: ReverseProxy) -> None:
    """Not the one that the browser says itself, nor the user."""
    visitor = signed_in(proxy, **{"X-Forwarded-For": "10.1.2.3", "X-Remote-User": "pacs"})
    session = visitor.ask("GET", "/dose/api/session").json()["session"]
    assert session["name"] == USER
    [entry] = visitor.ask("GET", "/dose/api/audit-log?limit=1").json()["entries"]
    assert (entry["action"], entry["address"]) == ("sign-in", BROWSER)
    nobody = proxy.session(BROWSER).ask(
        "GET", "/dose/api/session", headers={"x-remote-USER": USER, "X-Forwarded-Proto": "http"}
    )
    assert nobody.json()["session"]["signed_in"] is False


def test_changes_come_from_pages_of_this_name(proxy: ReverseProxy) -> None:
    visitor = signed_in(proxy)
    for origin, status in ((proxy.url, 200), ("https://elsewhere.example", 403)):
        headers = {"Origin": origin, "X-Dose-Request": ""}
        answer = visitor.ask("POST", "/tools/find", headers=headers, json=FIND)
        assert answer.status_code == status


FIND = {"Level": "Study", "Query": {"Modality": "NONE"}}


def test_data_in_and_out(proxy: ReverseProxy) -> None:
    visitor = signed_in(proxy)
    answer = visitor.ask("POST", "/instances", data=LARGE)
    assert answer.status_code == 200, answer.text
    file = visitor.ask("GET", f"/instances/{answer.json()['ID']}/file")
    assert file.content == LARGE
    [study] = make_studies(1, seed=6, kinds=["rf"])
    assert visitor.ask("POST", "/instances", data=part10(study.datasets[0])).status_code == 200
    proxy.server.wait_until_idle()
    assert visitor.ask("GET", "/dose/api/studies").json()["total"] == 4
    sheet = visitor.ask("GET", "/dose/api/studies/1/file?format=xlsx")
    assert openpyxl.load_workbook(io.BytesIO(sheet.content)).sheetnames


@pytest.mark.parametrize("kind", ["headers", "body"])
def test_slow_clients_hinder_nobody(proxy: ReverseProxy, kind: str) -> None:
    """Orthanc has ten threads: if ten of them came through, nobody else would be answered."""
    visitor = signed_in(proxy)
    with SlowClients(proxy.port, kind, tls=True):
        for _ in range(5):
            assert visitor.ask("GET", "/dose/api/studies?limit=1").status_code == 200


def test_slow_readers_hinder_nobody(proxy: ReverseProxy) -> None:
    """Each takes more than what fits between the proxy and Orthanc. Fewer, since Caddy keeps what
    they have not taken in memory."""
    visitor = signed_in(proxy)
    stored = visitor.ask("POST", "/instances", data=LARGE).json()["ID"]
    cookie = f"Cookie: dose-session={visitor.cookies['dose-session']}\r\n"
    path = f"/instances/{stored}/file"
    with SlowClients(proxy.port, "reader", 30, path=path, more=cookie, tls=True):
        for _ in range(5):
            assert visitor.ask("GET", "/dose/api/studies?limit=1").status_code == 200


def large() -> bytes:
    image = ct_slice()
    image.Rows = image.Columns = 2000
    image.PixelData = bytes(2 * 2000 * 2000)
    return part10(image)


LARGE = large()

"""How much a browser fetches for a page: few requests and few bytes, so that slow lines do."""

import gzip
from urllib.parse import urlsplit

from playwright.sync_api import Response

from tests.support.server import OrthancServer

from .conftest import Visit

# Of a first visit, with nothing in the browser's cache.
MOST_REQUESTS = 15
MOST_BYTES = 250_000


def test_a_list_without_charts_is_light(visit: Visit, server: OrthancServer) -> None:
    """Each address counts once: how often the page asks for the server's state depends on how long
    it takes.
    """
    answers: dict[str, Response] = {}
    visit.page.on("response", lambda answer: answers.setdefault(answer.url, answer))
    server.request("PUT", "/dose/api/charts/options", json={"on": False})
    try:
        visit.open("/studies/CT")
        visit.page.wait_for_selector("table tbody tr")
    finally:
        server.request("PUT", "/dose/api/charts/options", json={"on": None})

    sizes = {url: len(gzip.compress(answer.body())) for url, answer in answers.items()}
    report = "\n".join(f"{size:8} {urlsplit(url).path}" for url, size in sizes.items())
    assert any("/studies?" in url for url in sizes), report
    assert len(sizes) <= MOST_REQUESTS, report
    assert sum(sizes.values()) <= MOST_BYTES, report
    assert not any("plotly" in url for url in sizes), report

"""A server with made-up studies, and a real browser on its pages."""

import base64
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from orthanc_dose.samples import SampleStudy, make_studies
from orthanc_dose.samples.hostile import HOSTILE
from tests.support.effort import LONG
from tests.support.people import SECRET, peopled
from tests.support.server import PASSWORD, USER, OrthancServer
from tests.support.visitors import REGISTERED

# Milliseconds: a safety net for a busy machine; the pages answer at once.
SAFETY_MS = 60_000
expect.set_options(timeout=SAFETY_MS)

HERE = Path(__file__).parent
# The engine without a window takes half the time of a whole Chromium, which draws one for each page
# that nobody sees. Not every system has a package of it.
CHROMIUM = next(
    path
    for path in ("/usr/bin/chromium-headless-shell", "/usr/bin/chromium")
    if Path(path).exists()
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MOST_FREE = 6  # contexts that are kept for the next test
WIDE, NARROW = {"width": 1400, "height": 900}, {"width": 390, "height": 844}
Look = tuple[str, dict[str, int]]
# Both themes and both widths, and in the long run each with each.
_LOOKS: dict[str, Look] = {"light-wide": ("light", WIDE), "dark-narrow": ("dark", NARROW)}
if LONG:
    _LOOKS |= {"dark-wide": ("dark", WIDE), "light-narrow": ("light", NARROW)}
LOOK_NAMES, LOOKS = list(_LOOKS), list(_LOOKS.values())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what the long run tries in more looks."""
    for item in items:
        of_browser = item.path.is_relative_to(HERE) and hasattr(item, "callspec")
        if of_browser and any(name in item.callspec.id for name in LOOK_NAMES):
            item.add_marker(pytest.mark.tries_more)


@pytest.fixture(scope="session")
def studies() -> list[SampleStudy]:
    return list(make_studies(70, seed=21, until=date.today()))


@pytest.fixture(scope="session")
def server(studies: list[SampleStudy]) -> Iterator[OrthancServer]:
    # Orthanc says of a file that was there already only if it does not replace it.
    with OrthancServer(overrides={"OverwriteInstances": False}) as running:
        running.send(studies)
        running.upload(HOSTILE["nasty_text_everywhere"](1))
        running.wait_until_idle()
        yield running


@pytest.fixture(scope="session")
def empty_server() -> Iterator[OrthancServer]:
    with OrthancServer() as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield running
        running.close()


Enter = Callable[..., "Visit"]


class Visit:
    """A page of the UI, with what the console said and which hosts were asked."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        page.set_default_timeout(SAFETY_MS)
        self.base = base
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        page.on(
            "console",
            lambda said: (
                self.complaints.append(said.text) if said.type in ("error", "warning") else None
            ),
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "request",
            lambda request: (
                self.hosts.add(request.url.split("/")[2]) if "://" in request.url else None
            ),
        )

    def sign_in(self, user: str = USER, password: str = PASSWORD) -> None:
        """Begin a session, by which downloads go: they do not send the headers of tests."""
        answer = self.page.request.post(
            f"{self.base}/dose/api/session",
            headers={"X-Dose-Request": "1"},
            data={"name": user, "password": password},
        )
        assert answer.ok, answer.text()

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.base}/dose/app{path}")
        self.settle()
        return self.page

    def settle(self) -> None:
        """Until what the page asked for has come: the page marks what it still loads as busy."""
        self.page.wait_for_load_state("networkidle")
        self.page.wait_for_selector("main h1")
        expect(self.page.locator("main [aria-busy=true], main span.bar")).to_have_count(0)

    def check(self) -> None:
        """No word on the console, no other host, nothing that axe finds (WCAG 2 A and AA)."""
        assert self.complaints == []
        assert self.hosts <= {self.base.split("/")[2]}
        found = Axe().run(self.page)
        assert found.violations_count == 0, found.generate_report()


# Those that nobody uses now, the latest last, by server and look.
_free: list[tuple[tuple[str, str], BrowserContext]] = []


@contextmanager
def borrowed(browser: Browser, server: OrthancServer, **look: Any) -> Iterator[BrowserContext]:
    """A browser context (look: as for Browser.new_context) without cookies or anything kept.

    Another test with the same look gets it again: it has the scripts of the pages in its cache, and
    loading and compiling them is most of what opening a page takes."""
    key = (server.url, repr(sorted(look.items())))
    found = next((one for one in _free if one[0] == key), None)
    if found:
        _free.remove(found)
    context = found[1] if found else browser.new_context(**look)
    try:
        yield context
        # What a page keeps is wiped when no page of it runs any more.
        blank = context.new_page()
        for page in context.pages:
            if page is not blank:
                page.close()
        wiped = {"origin": server.url, "storageTypes": "local_storage,indexeddb,cache_storage"}
        context.new_cdp_session(blank).send("Storage.clearDataForOrigin", wiped)
        blank.close()
        context.clear_cookies()
        context.clear_permissions()
    except BaseException:
        context.close()
        raise
    _free.append((key, context))
    if len(_free) > MOST_FREE:
        _free.pop(0)[1].close()


def fits(page: Page) -> bool:
    """Whether the page does not scroll sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@contextmanager
def entrance(browser: Browser, server: OrthancServer, secret: str) -> Iterator[Enter]:
    """Opens browsers of people: signed in where a name is given, with the password given, else that
    of a registered user, else the secret, which all added users have."""
    with ExitStack() as stack:

        def come(
            name: str | None = None,
            look: Look = LOOKS[0],
            password: str = "",
            language: str = "en-GB",
        ) -> Visit:
            how = {"viewport": look[1], "color_scheme": look[0], "locale": language}
            context = stack.enter_context(borrowed(browser, server, **how))
            context.grant_permissions(["clipboard-read", "clipboard-write"])
            if name:
                answer = context.request.post(
                    f"{server.url}/dose/api/session",
                    headers={"X-Dose-Request": "1"},
                    data={"name": name, "password": password or REGISTERED.get(name) or secret},
                )
                assert answer.ok, answer.text()
            return Visit(context.new_page(), server.url)

        yield come


@pytest.fixture(scope="module")
def door() -> Iterator[OrthancServer]:
    with peopled() as running:
        yield running


@pytest.fixture
def come(browser: Browser, door: OrthancServer) -> Iterator[Enter]:
    with entrance(browser, door, SECRET) as opened:
        yield opened


@pytest.fixture
def visit(browser: Browser, server: OrthancServer) -> Iterator[Visit]:
    yield from visits(browser, server, WIDE, "light")


def visits(
    browser: Browser, server: OrthancServer, viewport: dict[str, int], scheme: str
) -> Iterator[Visit]:
    """A visit of a new browser context, for fixtures."""
    # Sent unasked, as scripts do: the server does not ask a browser for them. No page goes to
    # another host (see `check`).
    credentials = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}"}
    how = {"extra_http_headers": headers, "viewport": viewport, "color_scheme": scheme}
    with borrowed(browser, server, **how) as context:
        yield Visit(context.new_page(), server.url)


@pytest.fixture(params=LOOKS, ids=LOOK_NAMES)
def any_visit(
    request: pytest.FixtureRequest, browser: Browser, server: OrthancServer
) -> Iterator[Visit]:
    scheme, viewport = request.param
    yield from visits(browser, server, viewport, scheme)


@pytest.fixture
def empty_visit(browser: Browser, empty_server: OrthancServer) -> Iterator[Visit]:
    yield from visits(browser, empty_server, WIDE, "light")

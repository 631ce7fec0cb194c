"""Addresses of things that do not exist: each page says what is missing, and leads back."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import LOOKS, Enter, fits
from tests.support.server import USER

ROOT = Path(__file__).parents[2]
ROUTER = (ROOT / "webui/src/app/router.ts").read_text("utf-8")
LANGUAGES = {"en-GB": "en", "de-DE": "de"}
NOWHERE = ("app.notFound.title", "/")
# By the path of the route: addresses, the title that the page shows, and where its button leads.
ADDRESSES: dict[str, dict[str, tuple[str, str]]] = {
    "/studies/:modality": {"/studies/18": NOWHERE, "/studies/ct": NOWHERE},
    "/study/:id": {
        "/study/999999": ("study.missing.title", "/studies"),
        "/study/0": NOWHERE,
        "/study/99999999999999999999": NOWHERE,
        "/study/one": NOWHERE,
    },
    "/study/:id/history": {
        "/study/999999/history": ("study.missing.title", "/studies"),
        "/study/0/history": NOWHERE,
    },
    "/tasks/:id": {
        "/tasks/999999": ("tasks.missing.title", "/tasks"),
        "/tasks/0": NOWHERE,
    },
    "/query-retrieve/:id": {
        "/query-retrieve/999999": ("retrieve.search.missing.title", "/query-retrieve"),
        "/query-retrieve/0": NOWHERE,
    },
    "/query-retrieve/schedules/:name/change": {
        "/query-retrieve/schedules/none/change": (
            "retrieve.schedules.gone",
            "/query-retrieve/schedules",
        ),
    },
    "/equipment/:id": {
        "/equipment/999999": ("equipment.missing.title", "/equipment"),
        "/equipment/0": NOWHERE,
    },
    "/settings/:topic": {"/settings/none": ("settings.noTopic", "")},
    "/:path": {"/nowhere": NOWHERE, "/users/999999": NOWHERE},
}


def words(language: str) -> dict[str, str]:
    """Texts of the pages by their keys."""
    found: dict[str, str] = {}

    def walk(part: dict[str, object], before: str) -> None:
        for key, value in part.items():
            if isinstance(value, dict):
                walk(value, f"{before}{key}.")
            else:
                found[before + key] = str(value)

    walk(json.loads((ROOT / f"webui/src/locales/{language}.json").read_text("utf-8")), "")
    return found


def test_all_routes_with_parameters_are_tried() -> None:
    paths = ("".join(found) for found in re.findall(r'path: (?:"([^"]*)"|`([^`]*)`)', ROUTER))
    plain = {re.sub(r"\(\$\{.*?\}\)|\(.*?\)|[?*]", "", path) for path in paths if ":" in path}
    assert plain == ADDRESSES.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_does_not_exist_is_said_and_leads_back(come: Enter, language: str) -> None:
    said = words(LANGUAGES[language])
    look = LOOKS[list(LANGUAGES).index(language)]
    visit = come(USER, look, language=language)
    for addresses in ADDRESSES.values():
        for address, (title, back) in addresses.items():
            page = visit.open(address)
            main = page.locator("main")
            expect(main.get_by_role("heading", name=said[title], level=2)).to_be_visible()
            expect(main.get_by_role("alert")).to_have_count(0)
            assert fits(page), address
            # The browser itself reports the answer 404 of the server.
            others = [one for one in visit.complaints if "404" not in one]
            assert others == [], address
            visit.complaints.clear()
            visit.check()
            if back:
                expect(page).to_have_title(f"{said[title]} · Orthanc Dose")
                main.locator(".empty a").click()
                expect(page).to_have_url(re.compile(rf"/dose/app{back}(/[A-Z]{{2}})?$"))
                visit.settle()
                visit.complaints.clear()

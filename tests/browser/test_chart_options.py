"""What users choose of charts: kept on the server for each of them, over the defaults that
administrators set.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from orthanc_dose.charts import CHARTS, OPTIONS
from orthanc_dose.samples import make_studies
from tests.browser.conftest import LOOK_NAMES, LOOKS, Look, Visit, borrowed
from tests.support.server import USER, OrthancServer
from tests.support.visitors import REGISTERED, ask, guarded

VIEWER = "only view"
Enter = Callable[..., Visit]


@pytest.fixture(scope="module")
def own_server() -> Iterator[OrthancServer]:
    with guarded() as running:
        running.send(list(make_studies(8, seed=5, kinds=("ct",))))
        running.wait_until_idle()
        yield running


@pytest.fixture(autouse=True)
def as_at_first(own_server: OrthancServer) -> None:
    for path, user in (("options", VIEWER), ("options", USER), ("options/defaults", USER)):
        answer = ask(
            own_server, "PUT", f"/dose/api/charts/{path}", user, json=dict.fromkeys(OPTIONS)
        )
        assert answer.status_code == 200, answer.text


@pytest.fixture
def come(browser: Browser, own_server: OrthancServer) -> Iterator[Enter]:
    """Opens a browser of a registered user, who is signed in."""
    with ExitStack() as stack:

        def come(
            name: str,
            look: Look = LOOKS[0],
            language: str = "en-GB",
            password: str = "",
        ) -> Visit:
            how = {"viewport": look[1], "color_scheme": look[0], "locale": language}
            context = stack.enter_context(borrowed(browser, own_server, **how))
            answer = context.request.post(
                f"{own_server.url}/dose/api/session",
                headers={"X-Dose-Request": "1"},
                data={"name": name, "password": password or REGISTERED[name]},
            )
            assert answer.ok, answer.text()
            return Visit(context.new_page(), own_server.url)

        yield come


def options_of(server: OrthancServer, user: str) -> dict[str, Any]:
    return ask(server, "GET", "/dose/api/charts/options", user).json()["options"]


def opened(visit: Visit) -> Locator:
    """The options, from the list of CT."""
    page = visit.open("/studies/CT")
    page.get_by_role("button", name="Options").click()
    return page.get_by_role("dialog", name="Chart options")


def option(within: Locator, name: str) -> Locator:
    return within.locator(f"[data-option={name}]")


def saved(within: Locator) -> None:
    expect(within.get_by_role("status").filter(has_text="Saved.")).to_be_visible()


def change_each(form: Locator) -> dict[str, Any]:
    """Change one option of each kind, and all of what a form offers to; what is chosen then."""
    option(form, "average").get_by_label("Both").check()
    option(form, "per_system").get_by_role("checkbox").check()
    bins = option(form, "bins").get_by_role("textbox")
    bins.fill("7")
    bins.press("Enter")
    option(form, "order").get_by_role("combobox").select_option("Name, A to Z")
    option(form, "frequency_as").get_by_label("Pie").check()
    ct = option(form, "charts").locator("details", has_text="Computed tomography")
    if ct.get_attribute("open") is None:
        ct.locator("summary").click()
    ct.get_by_role("button", name="No charts: Computed tomography").click()
    ct.get_by_label("Workload").check()
    expect(ct.locator("summary")).to_contain_text("1 of 16")
    saved(form)
    charts = [
        name for name, chart in CHARTS.items() if chart.modality != "CT" or name == "ct-workload"
    ]
    return {
        "average": "both",
        "per_system": True,
        "bins": 7,
        "order": "name",
        "frequency_as": "pie",
        "charts": charts,
    }


def test_what_a_user_chooses_is_there_again_and_is_nobody_elses(
    come: Enter, own_server: OrthancServer
) -> None:
    visit = come(VIEWER)
    before = options_of(own_server, USER)
    form = opened(visit)
    wanted = change_each(form)
    assert options_of(own_server, VIEWER) == before | wanted
    assert options_of(own_server, USER) == before
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator("article[data-chart]")).to_have_count(1)
    form = opened(visit)
    expect(option(form, "average").get_by_label("Both")).to_be_checked()
    expect(option(form, "per_system").get_by_role("checkbox")).to_be_checked()
    expect(option(form, "bins").get_by_role("textbox")).to_have_value("7")
    expect(option(form, "order").get_by_role("combobox")).to_have_value("name")
    expect(option(form, "frequency_as").get_by_label("Pie")).to_be_checked()
    expect(option(form, "charts")).to_contain_text("1 of 16")
    # One by one, and all at once, they go back to the defaults.
    option(form, "bins").get_by_role("button", name="Reset to default").click()
    expect(option(form, "bins").get_by_role("textbox")).to_have_value("20")
    expect(option(form, "bins").get_by_role("button")).to_have_count(0)
    saved(form)
    assert options_of(own_server, VIEWER) == before | wanted | {"bins": 20}
    form.get_by_role("button", name="Reset all to defaults").click()
    saved(form)
    assert options_of(own_server, VIEWER) == before
    form.get_by_role("button", name="Undo").click()
    saved(form)
    assert options_of(own_server, VIEWER) == before | wanted | {"bins": 20}
    visit.check()


def test_each_change_can_be_taken_back(come: Enter, own_server: OrthancServer) -> None:
    before = options_of(own_server, VIEWER)
    form = opened(come(VIEWER))
    expect(form.get_by_role("button", name="Undo")).to_be_disabled()
    change_each(form)
    while form.get_by_role("button", name="Undo").is_enabled():
        form.get_by_role("button", name="Undo").click()
        saved(form)
    assert options_of(own_server, VIEWER) == before
    expect(option(form, "charts")).to_contain_text("16 of 16")
    assert ask(own_server, "GET", "/dose/api/charts/options", VIEWER).json()["own"] == []


def test_charts_follow_their_options(come: Enter) -> None:
    visit = come(VIEWER)
    form = opened(visit)
    page = visit.page
    with page.expect_response(lambda answer: "/figure" in answer.url) as told:
        option(form, "average").get_by_label("Median").check()
    assert told.value.json()["options"]["average"] == "median"
    option(form, "on").get_by_role("checkbox").uncheck()
    expect(page.locator("article[data-chart]")).to_have_count(0)
    expect(form).to_be_visible()
    form.get_by_role("button", name="Undo").click()
    expect(page.locator("article[data-chart]")).to_have_count(16)


def test_a_number_that_cannot_be_is_said_and_not_kept(
    come: Enter, own_server: OrthancServer
) -> None:
    form = opened(come(VIEWER))
    bins = option(form, "bins").get_by_role("textbox")
    for text in ("41", "1", "many", "2.5", ""):
        bins.fill(text)
        bins.press("Tab")
        expect(bins).to_have_attribute("aria-invalid", "true")
        expect(option(form, "bins").get_by_role("alert")).to_have_text(
            "Enter a whole number from 2 to 40."
        )
    option(form, "bins").get_by_role("button", name="Reset to default").click()
    expect(bins).to_have_value("20")
    expect(bins).to_have_attribute("aria-invalid", "false")
    assert options_of(own_server, VIEWER)["bins"] == 20


def test_what_the_server_does_not_keep_goes_back(come: Enter, own_server: OrthancServer) -> None:
    visit = come(VIEWER)
    form = opened(visit)
    visit.page.route(
        "**/charts/options",
        lambda route: route.abort() if route.request.method == "PUT" else route.continue_(),
    )
    option(form, "per_system").get_by_role("checkbox").click()
    expect(form.get_by_role("alert")).to_contain_text("Orthanc is not responding")
    expect(option(form, "per_system").get_by_role("checkbox")).not_to_be_checked()
    expect(form.get_by_role("button", name="Undo")).to_be_disabled()
    assert options_of(own_server, VIEWER)["per_system"] is False


def test_administrators_set_the_defaults_of_those_who_have_not_chosen(
    come: Enter, own_server: OrthancServer
) -> None:
    ask(own_server, "PUT", "/dose/api/charts/options", VIEWER, json={"order": "-value"})
    before = options_of(own_server, VIEWER)
    visit = come(USER)
    page = visit.open("/settings/charts")
    form = page.get_by_role("region", name="Chart defaults")
    wanted = change_each(form)
    # Who has chosen keeps that; a user who comes now has the defaults.
    assert options_of(own_server, VIEWER) == before | wanted | {"order": "-value"}
    fresh = {"groups": ["view"], "password": "correct horse battery"}
    assert ask(own_server, "PUT", "/dose/api/users/fresh", USER, json=fresh).status_code == 200
    newcomer = opened(come("fresh", password=fresh["password"]))
    expect(option(newcomer, "bins").get_by_role("textbox")).to_have_value("7")
    expect(option(newcomer, "charts")).to_contain_text("1 of 16")
    page.reload()
    visit.settle()
    expect(option(form, "bins").get_by_role("textbox")).to_have_value("7")
    option(form, "bins").get_by_role("button", name="Reset to default").click()
    saved(form)
    assert options_of(own_server, VIEWER)["bins"] == 20
    visit.check()


def test_those_who_do_not_administer_cannot_set_defaults(
    come: Enter, own_server: OrthancServer
) -> None:
    before = options_of(own_server, USER)
    answer = ask(own_server, "PUT", "/dose/api/charts/options/defaults", VIEWER, json={"bins": 5})
    assert answer.status_code == 403 and options_of(own_server, USER) == before
    page = come(VIEWER).open("/settings/charts")
    expect(page.get_by_text("Chart defaults")).to_have_count(0)


@pytest.mark.parametrize("look", LOOKS, ids=LOOK_NAMES)
def test_the_form_is_clean_in_both_themes_and_widths(come: Enter, look: Look) -> None:
    visit = come(USER, look)
    form = opened(visit)
    option(form, "bins").get_by_role("textbox").fill("99")
    option(form, "average").get_by_label("Both").check()
    saved(form)
    _fits(visit.page, form)
    visit.check()
    page = visit.open("/settings/charts")
    page.locator("[data-option=charts] summary").first.click()
    _fits(page, page.get_by_role("region", name="Chart defaults"))
    visit.check()


def _fits(page: Page, form: Locator) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert form.evaluate("(one) => one.scrollWidth <= one.clientWidth")


def test_the_keyboard_reaches_all_of_the_dialog_and_stays_in_it(come: Enter) -> None:
    visit = come(VIEWER)
    form = opened(visit)
    page = visit.page
    places = form.locator(
        "input:visible, select:visible, summary:visible, button:visible:enabled"
    ).count()
    seen = set()
    for _ in range(places + 5):
        page.keyboard.press("Tab")
        inside, what = page.evaluate("""() => {
            const at = document.activeElement;
            return [Boolean(at.closest("dialog")), at.outerHTML.slice(0, 200) + at.closest("[data-option]")?.dataset.option];
        }""")
        assert inside
        seen.add(what)
    assert any("summary" in one for one in seen) and any("order" in one for one in seen)


def test_it_speaks_german(come: Enter) -> None:
    page = come(VIEWER, language="de-DE").open("/studies/CT")
    page.get_by_role("button", name="Optionen").click()
    form = page.get_by_role("dialog", name="Diagrammoptionen")
    expect(option(form, "order")).to_contain_text("Häufigkeit, höchste zuerst")
    expect(option(form, "charts").get_by_label("DLP nach Aufnahmeprotokoll")).to_be_checked()
    expect(page.locator("article[data-chart=ct-workload]")).to_contain_text("Arbeitsaufkommen")

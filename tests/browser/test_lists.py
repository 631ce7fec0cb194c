"""The list of studies as a physicist works with it: filters, columns, quick look, comparison, all
of it by keyboard too.
"""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, fits
from tests.support.server import OrthancServer


def show(page: Page) -> None:
    page.get_by_role("search").locator("button[type=submit]").click()


def asked(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def open_filters(page: Page) -> None:
    if not page.get_by_role("search").count():
        page.get_by_role("button", name=re.compile("^Filters")).click()
    expect(page.get_by_role("search")).to_be_visible()


def test_matches_are_counted_while_one_types_and_the_address_holds_the_filters(
    visit: Visit, server: OrthancServer
) -> None:
    page = visit.open("/studies/CT")
    open_filters(page)
    form = page.get_by_role("search")
    form.get_by_label("DLP total, from").fill("500")
    form.get_by_role("textbox", name="Study description").fill("head")
    rows = server.studies(modality="CT", dlp_total_from="500", study_description="head")
    expect(form.locator("button[type=submit]")).to_have_text(re.compile(rf"Show {len(rows)} stud"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("dlp_total_from=500"))
    assert asked(page) == {"dlp_total_from": "500", "study_description": "head"}
    visit.settle()
    expect(page.locator("tbody .row-link")).to_have_count(len(rows))
    chips = page.get_by_role("list", name="Active filters")
    expect(chips).to_contain_text("DLP total ≥ 500\u00a0mGy·cm")
    chips.get_by_role("button", name=re.compile("Study description: head")).click()
    expect(page).not_to_have_url(re.compile("study_description"))
    expect(form.get_by_role("textbox", name="Study description")).to_have_value("")
    chips.get_by_role("button", name="Clear all").click()
    expect(chips).to_have_count(0)
    assert asked(page) == {}


def test_one_filter_takes_several_conditions(visit: Visit, server: OrthancServer) -> None:
    page = visit.open("/studies/CT?study_description=ct")
    open_filters(page)
    form = page.get_by_role("search")
    form.get_by_role("button", name="another condition (Study description)").click()
    expect(form.get_by_role("combobox", name="Condition: Study description").nth(1)).to_have_value(
        "not"
    )
    form.get_by_role("textbox", name="Study description").nth(1).fill("head, thorax")
    show(page)
    expect(page.get_by_role("list", name="Active filters")).to_contain_text(
        "Study description: none of head, thorax"
    )
    visit.settle()
    rows = server.studies(
        modality="CT", study_description="ct", study_description_not="head,thorax"
    )
    expect(page.locator("tbody .row-link")).to_have_count(min(len(rows), 50))
    assert rows


def test_numbers_are_typed_in_the_unit_that_is_shown(visit: Visit) -> None:
    page = visit.open("/studies/RF")
    open_filters(page)
    page.get_by_label("DAP total, from cGy·cm²").fill("12.5")
    page.get_by_label("DAP total, to cGy·cm²").fill("1,000.5")
    show(page)
    expect(page).to_have_url(re.compile("dap_total_from=12.5e-6&dap_total_to=1000.5e-6"))
    visit.open(urlsplit(page.url).path.removeprefix("/dose/app") + "?" + urlsplit(page.url).query)
    expect(page.get_by_label("DAP total, from cGy·cm²")).to_have_value("12.5")
    page.get_by_label("DAP total, from cGy·cm²").fill("12.5 mGy")
    expect(page.get_by_role("search")).to_contain_text("“12.5 mGy” is not a number.")
    expect(page.get_by_label("DAP total, from cGy·cm²")).to_have_attribute("aria-invalid", "true")
    show(page)
    assert asked(page)["dap_total_from"] == "12.5e-6"


@pytest.mark.parametrize(
    ("query", "word"),
    [("dlp_total_from=many", "dlp_total_from"), ("study_date_from=2025-02-30", "study_date_from"), ("nonsense=1", "nonsense"),
     ("weekday=someday", "weekday"), ("study_time_to=25:00", "study_time_to"), ("sort=nothing", "sort")],
)  # fmt: skip
def test_a_bad_value_in_the_address_is_told_and_can_be_taken_away(
    visit: Visit, query: str, word: str
) -> None:
    page = visit.open(f"/studies/CT?{query}")
    expect(page.get_by_role("alert")).to_contain_text(word)
    expect(page.get_by_role("heading", name="Computed tomography")).to_be_visible()
    if word != "sort":
        page.get_by_role("button", name="Clear all").click()
        visit.settle()
        expect(page.get_by_role("alert")).to_have_count(0)
        expect(page.locator("tbody .row-link").first).to_be_visible()


def test_a_bad_value_marks_its_filter(visit: Visit) -> None:
    page = visit.open("/studies/CT?dlp_total_to=many")
    open_filters(page)
    expect(page.get_by_label("DLP total, to")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[data-filter=dlp_total] .error")).to_contain_text("dlp_total_to")


def test_filters_of_every_kind_are_clean_and_found_by_name(any_visit: Visit) -> None:
    page = any_visit.open(
        "/studies/CT?study_time_from=22:00&study_time_to=06:00&weekday=mon&patient_sex=F,M&source=report"
    )
    open_filters(page)
    form = page.get_by_role("search")
    expect(form).to_contain_text("Past midnight")
    expect(form.get_by_role("button", name="Monday")).to_have_attribute("aria-pressed", "true")
    any_visit.settle()
    any_visit.check()
    assert fits(page), "the page must not scroll sideways"
    page.get_by_label("Find a filter").fill("phantom")
    expect(form.locator("[data-filter]")).to_have_count(1)
    form.get_by_label(re.compile("head")).check()
    show(page)
    expect(page).to_have_url(re.compile("ctdiw_phantom_type=head"))


def test_filters_are_saved_by_name(visit: Visit) -> None:
    page = visit.open("/studies/CT?dlp_total_from=200")
    page.get_by_text("Saved filters", exact=True).click()
    name = page.get_by_label("Name for these filters")
    name.fill("<b>Mine/100% & of yours")
    name.press("Enter")
    saved = page.get_by_role("list", name="Saved filters")
    expect(saved).to_contain_text("<b>Mine/100% & of yours")
    name.fill("<b>Mine/100% & of yours")
    name.press("Enter")
    expect(page.get_by_role("dialog", name="Replace the saved filters?")).to_be_visible()
    page.get_by_role("button", name="Replace", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    visit.check()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Clear all").click()
    page.get_by_text("Saved filters", exact=True).click()
    saved.get_by_role("button", name="<b>Mine").first.click()
    expect(page).to_have_url(re.compile("dlp_total_from=200"))
    page.get_by_text("Saved filters", exact=True).click()
    page.get_by_role("button", name="Delete “<b>Mine").click()
    expect(saved).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(saved).to_contain_text("Mine")
    page.get_by_role("button", name="Delete “<b>Mine").click()
    expect(saved).to_have_count(0)


def test_columns_are_chosen_ordered_and_remembered(visit: Visit) -> None:
    page = visit.open("/studies/CT")
    heads = page.locator("thead th .sort")
    usual = heads.all_inner_texts()
    page.locator("summary", has_text="Columns").click()
    sheet = page.locator("details", has=page.get_by_label("Find a column"))
    expect(sheet.get_by_label("Study description", exact=True)).to_be_disabled()
    sheet.get_by_label("Find a column").fill("model")
    sheet.get_by_label("Model", exact=True).check()
    sheet.get_by_label("Find a column").fill("")
    sheet.get_by_label("Sex", exact=True).uncheck()
    for _ in range(2):
        sheet.get_by_role("button", name="Move up: Model").press("Enter")
    expect(page.locator(":focus")).to_have_attribute("aria-label", "Move up: Model")
    visit.check()
    page.keyboard.press("Escape")
    chosen = heads.all_inner_texts()
    assert [text.strip() for text in chosen].index("Model") < len(chosen) - 1
    assert not any(text.startswith("Sex") for text in chosen)
    visit.open("/studies/CT")
    expect(heads).to_have_text(chosen, use_inner_text=True)
    page.get_by_role("link", name="Model").click()
    expect(page).to_have_url(re.compile("sort=manufacturer_model_name"))
    visit.settle()
    page.locator("summary", has_text="Columns").click()
    page.get_by_role("button", name="Default").click()
    expect(heads).to_have_count(len(usual))


@pytest.mark.parametrize(
    ("modality", "titles"),
    [("CT", ["DLP total", "Largest CTDIvol"]), ("MG", ["AGD left", "AGD right"]),
     ("RF", ["DAP total, plane A", "DAP total, plane B", "Dose at reference point, plane A",
             "Dose at reference point, plane B"])],
)  # fmt: skip
def test_the_doses_that_matter_stand_first(visit: Visit, modality: str, titles: list[str]) -> None:
    page = visit.open(f"/studies/{modality}")
    texts = [
        re.sub(r"\s+", " ", text) for text in page.locator("thead th.number").all_inner_texts()
    ]
    for text, title in zip(texts, titles, strict=False):
        assert text.startswith(title), texts
        assert re.search(r"mGy|cGy·cm²", text), "the unit stands in the head"


def test_the_keyboard_moves_looks_selects_and_finds(visit: Visit) -> None:
    page = visit.open("/studies/CT?size=25")
    page.keyboard.press("j")
    page.keyboard.press("j")
    rows = page.locator("tr[data-study]")
    expect(rows.nth(1).locator(".row-link")).to_be_focused()
    page.keyboard.press("Space")
    look = page.get_by_role("region", name=re.compile("Quick look"))
    expect(look.locator("tbody tr").first).to_be_visible()
    expect(look).to_contain_text("mGy·cm")
    page.keyboard.press("x")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("x")
    visit.settle()
    visit.check()
    ids = [rows.nth(at).get_attribute("data-study") for at in (1, 0)]
    expect(page.get_by_role("link", name="Compare 2 studies")).to_have_attribute(
        "href", re.compile(rf"/compare\?ids={ids[0]},{ids[1]}$")
    )
    page.keyboard.press("j")
    page.keyboard.press("e")
    expect(look).to_have_count(0)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    visit.check()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_label("Find a filter")).to_be_focused()
    page.keyboard.type("]x")
    expect(page.get_by_label("Find a filter")).to_have_value("]x")


def test_a_study_is_opened_with_the_filters_that_led_to_it(visit: Visit) -> None:
    page = visit.open("/studies/CT?dlp_total_from=100&sort=dlp_total&size=25")
    page.locator("tbody .row-link").nth(2).click()
    expect(page).to_have_url(re.compile(r"/study/\d+\?"))
    assert asked(page) == {"dlp_total_from": "100", "sort": "dlp_total"}
    page.go_back()
    visit.settle()
    expect(page.locator("tr[data-study]").nth(2).locator(".row-link")).to_be_focused()


def test_an_empty_list_names_its_filters(visit: Visit) -> None:
    page = visit.open("/studies/CT?study_description=nothing+is+called+this")
    main = page.locator("main .list")
    expect(main).to_contain_text("No studies match these filters")
    visit.check()
    main.get_by_role("button", name="Clear all").last.click()
    visit.settle()
    expect(page.locator("tbody .row-link").first).to_be_visible()


def test_the_filters_are_folded_away_and_stay_so(visit: Visit) -> None:
    page = visit.open("/studies/CT")
    expect(page.get_by_role("search")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Filters")).click()
    expect(page.get_by_role("search")).to_have_count(0)
    visit.open("/studies/RF")
    expect(page.get_by_role("search")).to_have_count(0)

"""Filters that charts lead to, on the page of a list: said in words, taken away one by one, and no
trouble for the form.
"""

import re
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.support.server import OrthancServer


def behind(server: OrthancServer, name: str, at: int = 0, **parameters: str) -> dict[str, Any]:
    """A row of a chart: the parameters that lead to its studies, and their number."""
    answer = server.request("GET", f"/dose/api/charts/{name}/figure", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"][at]


def chips(page: Page) -> Locator:
    return page.get_by_role("list", name="Active filters")


def words(page: Page) -> list[str]:
    return [text.replace("\u00a0", " ") for text in chips(page).locator(".words").all_inner_texts()]


def fields(page: Page) -> int:
    return page.locator("form.filters [data-filter]").count()


def total(page: Page, number: int) -> None:
    expect(page.locator(".list .panel-head")).to_contain_text(
        re.compile(rf"\b{number} (study|studies)")
    )


def test_a_category_of_events_is_said_in_words(visit: Visit, server: OrthancServer) -> None:
    visit.open("/studies/CT")
    plain = fields(visit.page)
    row = behind(server, "ct-dlp-protocol")
    page = visit.open(f"/studies/CT?{urlencode(row['query'])}")
    assert words(page) == [
        f"Acquisition protocol of the same event is exactly “{row['category']}”",
        "DLP of the same event: given and not zero",
    ]
    total(page, row["studies"])
    assert fields(page) == plain
    visit.check()
    # Each goes by itself; what stays is of one event alone.
    chips(page).get_by_role("button", name=re.compile("given and not zero")).click()
    visit.settle()
    assert words(page) == [f"Acquisition protocol of one event is exactly “{row['category']}”"]
    chips(page).get_by_role("button", name=re.compile("is exactly")).click()
    visit.settle()
    expect(chips(page)).to_have_count(0)
    # They are in the words of exports and of the dialog that begins one, too.
    visit.open(f"/studies/CT?{urlencode(row['query'])}")
    page.get_by_role("button", name="Export", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text(f"is exactly “{row['category']}”")


def test_a_bin_is_a_range_that_the_form_has_too(visit: Visit, server: OrthancServer) -> None:
    row = behind(server, "ct-dlp-study-description", 1, view="histogram", bins="4")
    page = visit.open(f"/studies/CT?{urlencode(row['query'])}")
    # What other tests sent may add filters: studies that do not count, implausible values.
    said, *_ = [one for one in words(page) if one.startswith("DLP total: ")]
    low, high = (float(text.replace(",", "")) for text in re.findall(r"[\d.,]*\d", said))
    assert said.endswith(" mGy·cm")
    assert (low, high) == (pytest.approx(row["from"], rel=1e-5), pytest.approx(row["to"], rel=1e-5))
    total(page, row["studies"])
    # The form has the range, and that the value is given, which can be let go of there.
    form = page.locator("form.filters [data-filter=dlp_total]")
    given = form.get_by_label(re.compile("given(,| and) not zero"))
    expect(given).to_be_checked()
    given.click()
    expect(given).to_have_count(0)
    page.get_by_role("button", name=re.compile("^Show .* stud")).click()
    visit.settle()
    assert "dlp_total_given" not in page.url and "dlp_total_from" in page.url
    visit.check()


def test_a_category_of_studies_and_a_blank_one_stand_in_the_form(
    visit: Visit, server: OrthancServer
) -> None:
    row = behind(server, "ct-frequency-study-description")
    page = visit.open(f"/studies/CT?{urlencode(row['query'])}")
    assert words(page) == [f"Study description is exactly “{row['category']}”"]
    field = page.locator("form.filters [data-filter=study_description]")
    expect(field.get_by_role("combobox")).to_have_value("exactly")
    expect(field.get_by_role("textbox")).to_have_value(row["category"])
    page = visit.open("/studies/CT?study_description_empty=yes&study_date_empty=yes")
    assert words(page) == ["Study date: (blank)", "Study description: (blank)"]
    expect(
        page.locator("form.filters [data-filter=study_date]").get_by_label("(blank)")
    ).to_be_checked()
    visit.check()


def test_an_hour_and_one_study_are_said_as_people_do(visit: Visit, server: OrthancServer) -> None:
    row = behind(server, "ct-workload", view="hour")
    page = visit.open(f"/studies/CT?{urlencode(row['query'])}")
    day = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")[
        row["weekday"] - 1
    ]
    assert words(page) == [
        f"Study time: {row['hour']:02}:00 – {row['hour']:02}:59",
        f"Weekday: {day}",
    ]
    total(page, row["studies"])
    row = behind(server, "mg-agd-thickness")
    page = visit.open(f"/studies/MG?{urlencode(row['query'])}")
    assert words(page) == [f"Study: {row['query']['study_number']}"]
    total(page, 1)

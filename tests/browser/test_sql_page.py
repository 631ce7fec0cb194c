"""The page of SQL: running, the views beside it, errors with their place, long texts, files, what
is kept in the browser.
"""

import csv
import io
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from orthanc_dose import samples
from tests.browser.conftest import Visit, fits
from tests.support.server import PASSWORD, USER, OrthancServer

RUN = "Run"


def write(page: Page, sql: str) -> None:
    page.get_by_label(re.compile("^Statement \\(")).fill(sql)


def run(page: Page, sql: str) -> None:
    write(page, sql)
    page.get_by_role("button", name=RUN, exact=True).click()
    expect(page.get_by_role("button", name=RUN, exact=True)).to_be_visible()


def cells(page: Page) -> list[list[str]]:
    rows = page.locator(".rows tbody tr")
    return [row.locator("td").all_inner_texts() for row in rows.all()]


def test_the_page_is_right_in_every_theme_and_width(any_visit: Visit) -> None:
    page = any_visit.open("/sql")
    any_visit.check()
    page.get_by_role("button", name=RUN, exact=True).click()
    expect(page.get_by_role("region", name="Result", exact=True)).to_be_visible()
    page.locator("summary", has_text="ct_event").click()
    any_visit.check()
    assert fits(page)


def test_it_is_in_the_menu_and_runs_by_ctrl_and_enter(visit: Visit, server: OrthancServer) -> None:
    page = visit.open("/")
    page.get_by_text("Administration", exact=True).click()
    page.get_by_role("link", name="SQL").click()
    write(
        page, "SELECT modality, count(*) AS n, NULL AS nothing FROM study GROUP BY ALL ORDER BY ALL"
    )
    page.get_by_label(re.compile("^Statement \\(")).press("Control+Enter")
    expect(page.locator(".rows thead th")).to_have_count(3)
    counted: dict[str, int] = {}
    for study in server.studies(test_data="no,yes"):
        counted[study["modality"]] = counted.get(study["modality"], 0) + 1
    assert cells(page) == [
        [modality, str(count), "NULL"] for modality, count in sorted(counted.items())
    ]
    expect(
        page.get_by_role("status").filter(has_text=re.compile(f"^{len(counted)} rows in \\d+ ms$"))
    ).to_be_visible()
    assert (
        page.locator(".rows tbody td").nth(1).evaluate("cell => getComputedStyle(cell).textAlign")
        == "right"
    )
    visit.check()


def test_a_click_on_a_column_puts_it_into_the_statement(visit: Visit) -> None:
    page = visit.open("/sql")
    write(page, "SELECT ")
    page.get_by_label("Find a column").fill("mean_ctdivol")
    column = page.get_by_role("button", name=re.compile("^mean_ctdivol"))
    expect(column).to_contain_text("mGy")
    column.click()
    field = page.get_by_label(re.compile("^Statement \\("))
    expect(field).to_have_value("SELECT mean_ctdivol")
    expect(field).to_be_focused()
    page.keyboard.type(" FROM ")
    page.get_by_role("button", name="Insert ct_event").click()
    expect(field).to_have_value("SELECT mean_ctdivol FROM ct_event")
    page.get_by_role("button", name=RUN, exact=True).click()
    expect(page.locator(".rows thead th")).to_contain_text("mean_ctdivol")


def test_an_error_shows_its_place(visit: Visit) -> None:
    page = visit.open("/sql")
    run(page, "SELECT id\nFROM study\nWHERE nothing = 1")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text('Referenced column "nothing" not found')
    expect(alert.locator("pre")).to_have_text("WHERE nothing = 1\n      ^")
    alert.get_by_role("button", name="Line 3, column 7").click()
    field = page.get_by_label(re.compile("^Statement \\("))
    assert (
        field.evaluate("area => area.value.slice(area.selectionStart, area.selectionEnd)")
        == "nothing"
    )
    visit.complaints.clear()  # the browser notes the answer 400
    visit.check()
    run(page, "SELECT * FROM account")
    expect(alert).to_contain_text("There is no view account")
    run(page, "SELECT 1")
    expect(alert).to_have_count(0)


def test_long_texts_are_cut_and_shown_whole(visit: Visit) -> None:
    page = visit.open("/sql")
    run(
        page,
        "SELECT lpad('x', 500, 'y') AS long, '<b>bold</b>' AS markup, {'a': [1, 2], 'b': lpad('', "
        "90, 'z')} AS nested",
    )
    expect(page.locator(".rows tbody td").nth(1)).to_have_text("<b>bold</b>")
    page.get_by_role("button", name=re.compile("^y{80}…$")).click()
    expect(page.get_by_role("dialog")).to_contain_text("y" * 499 + "x")
    visit.check()
    page.keyboard.press("Escape")
    page.get_by_role("button", name=re.compile("^{")).click()
    expect(page.get_by_role("dialog")).to_contain_text('"a": [')


def test_many_rows_have_pages_and_a_cut_is_said(visit: Visit) -> None:
    page = visit.open("/sql")
    run(page, "SELECT * FROM range(20000) AS t(i)")
    expect(page.get_by_text("There are more rows than these 10,000")).to_be_visible()
    expect(page.locator(".rows tbody tr")).to_have_count(100)
    page.get_by_role("button", name="Last page").click()
    expect(page.locator(".rows tbody tr").last).to_have_text("9999")
    visit.check()


def test_a_statement_is_stopped(visit: Visit) -> None:
    page = visit.open("/sql")
    write(page, "SELECT count(*) FROM range(10000000) a, range(10000000) b, range(10000000) c")
    page.get_by_role("button", name=RUN, exact=True).click()
    # At once, whether it has begun on the server or not: the page sees to it.
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("The statement was stopped")
    expect(page.get_by_role("button", name=RUN, exact=True)).to_be_enabled()


def test_the_page_says_how_old_the_data_are(visit: Visit, server: OrthancServer) -> None:
    page = visit.open("/sql")
    run(page, "SELECT 1")
    expect(
        page.get_by_text(re.compile(r"^Data as of .*\d\d:\d\d:\d\d; unchanged since\.$"))
    ).to_be_visible()
    fresh = page.get_by_role("button", name="Refresh data")
    expect(fresh).to_be_disabled()
    server.send(samples.ct_report(2, key="newer than the data"))
    server.wait_until_idle()
    page = visit.open("/sql")
    expect(page.get_by_text("newer data is available")).to_be_visible()
    fresh.click()
    expect(page.get_by_text("unchanged since")).to_be_visible()
    visit.check()


def test_a_file_is_fetched_and_stands_among_the_exports(visit: Visit) -> None:
    # A download does not have the headers that the visit sends unasked.
    session = {"name": USER, "password": PASSWORD}
    answer = visit.page.context.request.post(
        f"{visit.base}/dose/api/session", headers={"X-Dose-Request": "1"}, data=session
    )
    assert answer.ok
    page = visit.open("/sql")
    write(
        page,
        "SELECT id, study_description FROM study WHERE study_description <> 'a name' ORDER BY id",
    )
    page.get_by_role("button", name="CSV").click()
    link = page.get_by_role("link", name=re.compile("^Download"))
    expect(link).to_be_visible()
    with page.expect_download() as coming:
        link.click()
    raw = Path(coming.value.path()).read_text("utf-8-sig")
    assert re.fullmatch(r"sql-[\d-]+\.csv", coming.value.suggested_filename)
    titles, *lines = csv.reader(io.StringIO(raw, newline=""))
    assert titles == ["id", "study_description"] and lines
    visit.check()
    page = visit.open("/exports")
    card = page.get_by_role("article", name=coming.value.suggested_filename)
    expect(card).to_contain_text("SQL, CSV: SELECT id, study_description FROM study")
    expect(card).not_to_contain_text("a name")
    expect(card).to_contain_text("rows")
    visit.check()


def test_statements_are_kept_in_the_tab_alone(visit: Visit) -> None:
    page = visit.open("/sql")
    run(page, "SELECT 'a name' AS kept")
    page = visit.open("/sql")
    expect(page.get_by_label(re.compile("^Statement \\("))).to_have_value("SELECT 'a name' AS kept")
    assert "a name" not in page.evaluate("JSON.stringify(localStorage)")
    page.get_by_role("button", name="Clear").click()
    assert "a name" not in page.evaluate("JSON.stringify(sessionStorage)")
    other = page.context.new_page()
    other.goto(f"{visit.base}/dose/app/sql")
    expect(other.get_by_label(re.compile("^Statement \\("))).not_to_have_value(re.compile("a name"))


def test_german(visit: Visit) -> None:
    page = visit.open("/sql")
    page.evaluate("localStorage.setItem('dose.language', 'de')")
    page = visit.open("/sql")
    expect(page.get_by_role("button", name="Ausführen")).to_be_visible()
    expect(page.get_by_text("Grenzen: 30 s; 10.000 Zeilen auf der Seite")).to_be_visible()
    visit.check()

"""What a search found, where it is much: 30,000 studies, put into the store while the server is
down.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from playwright.sync_api import Browser, Page, expect

from orthanc_dose.records import FOUND
from orthanc_dose.store import Store, tasks
from orthanc_dose.store.schema import arrow_schema
from tests.browser.conftest import LOOK_NAMES, LOOKS, WIDE, Look, Visit, fits, visits
from tests.support.server import USER, OrthancServer

STUDIES = 30_000


def lines(task: int) -> Iterator[dict[str, Any]]:
    """Of each study a report and its images; each third study has a CT report, the others one of
    mammography.
    """
    for number in range(STUDIES):
        modality = "CT" if number % 3 == 0 else "MG"
        study = {
            "task_id": task,
            "study_instance_uid": f"1.2.826.0.3.{number}",
            "study_date": f"2026{number % 12 + 1:02}05",
            "study_description": f"{modality} number {number}",
            "modalities": [modality, "SR"],
            "looked_at_as": [modality],
        }
        for place, (name, kept, reason) in enumerate(
            (("SR", True, "dose_report"), (modality, False, "report_says_it"))
        ):
            yield study | {
                "line": 2 * number + place + 1,
                "series_instance_uid": f"1.2.826.0.3.{number}.{place}",
                "modality": name,
                "series_description": f"Series of room {number % 7}",
                "station_name": None,
                "size": 1 if kept else 200,
                "kept": kept,
                "chosen": kept,
                "reason": reason,
            }


@pytest.fixture(scope="module")
def much() -> Iterator[tuple[OrthancServer, int]]:
    """A server, and the number of the search."""
    asked = {
        "first": "2026-01-01",
        "last": "2026-12-31",
        "groups": ["CT", "MG"],
        "leave_out_known": True,
    }
    result = {
        "studies": STUDIES, "kept_studies": STUDIES, "kept_series": STUDIES, "objects": STUDIES, "by_kind": {"CT": 10_000},
        "left_studies": {}, "left_series": {"report_says_it": STUDIES}, "finds": {"Study": 365}, "doubts": {},
        "ignores_modality": False, "split": None,
    }  # fmt: skip
    with OrthancServer(
        overrides={"DicomModalities": {"archive": ["PACS", "127.0.0.1", 1]}}
    ) as running:
        running.stop()
        store = Store(running.dose_directory)
        number = tasks.create(store, "node-search", USER, "archive", asked)
        with store.writing() as connection:
            now = tasks.now()
            tasks.write_task(
                connection,
                (tasks.find_task(connection, number) or {})
                | {
                    "state": "done",
                    "result": result,
                    "started_at": now,
                    "finished_at": now,
                },
            )
            connection.register(
                "lines", pa.Table.from_pylist(list(lines(number)), schema=arrow_schema(FOUND))
            )
            connection.execute(f'INSERT INTO "{FOUND.name}" BY NAME SELECT * FROM lines')
        store.close()
        running.start()
        yield running, number


@pytest.fixture
def visit(browser: Browser, much: tuple[OrthancServer, int]) -> Iterator[Visit]:
    yield from visits(browser, much[0], WIDE, "light")


def chosen(much: tuple[OrthancServer, int]) -> dict[str, Any]:
    return much[0].ok(f"/dose/api/searches/{much[1]}")["chosen"]


def rows(page: Page) -> Any:
    return page.get_by_role("region", name="Studies and series").locator("tbody tr.study")


def test_a_page_of_it_is_shown_sieved_and_sorted(
    visit: Visit, much: tuple[OrthancServer, int]
) -> None:
    page = visit.open(f"/query-retrieve/{much[1]}")
    bar = page.get_by_role("region", name="Selected for retrieval")
    expect(bar).to_contain_text("30,000 series of 30,000 studies selected")
    expect(rows(page)).to_have_count(50)
    expect(page.locator("main")).to_contain_text("1–50 of 30,000 studies")
    page.get_by_role("link", name="Last page").click()
    expect(rows(page).last).to_contain_text("MG number 29999")
    sieve = page.get_by_role("search", name="Filter the results")
    sieve.get_by_label("Description, station or UID").fill("ct NUMBER 2999")
    sieve.get_by_role("button", name="Find").click()
    fitting = [number for number in (2999, *range(29990, 30000)) if number % 3 == 0]
    expect(rows(page)).to_have_count(len(fitting))
    sieve.get_by_label("Order").select_option("newest first")
    expect(rows(page).first).to_contain_text(
        f"CT number {max(fitting, key=lambda number: number % 12)}"
    )
    page.get_by_role("link", name="All", exact=True).click()
    # The text and the order stay, modalities and reasons are others.
    expect(rows(page)).to_have_count(len(fitting))
    sieve.get_by_role("button", name="Clear").click()
    sieve.get_by_label("Order").select_option("as returned by the node")
    sieve.get_by_label("Modality").select_option(label="CT (10,000)")
    expect(page.locator("main")).to_contain_text("1–50 of 10,000 studies")
    expect(rows(page).first).to_contain_text("CT number 0")
    sieve.get_by_label("Description, station or UID").fill("nothing is like this")
    sieve.get_by_label("Description, station or UID").press("Enter")
    expect(page.locator("main")).to_contain_text("No results match")
    visit.check()
    page.locator(".empty").get_by_role("button", name="Clear").click()
    expect(page.locator("main")).to_contain_text("1–50 of 30,000 studies")


def test_all_of_a_sieve_is_ticked_off_and_stays_so(
    visit: Visit, much: tuple[OrthancServer, int]
) -> None:
    page = visit.open(f"/query-retrieve/{much[1]}?text=MG%20number")
    bar = page.get_by_role("region", name="Selected for retrieval")
    box = page.get_by_role("checkbox", name="Retrieve all of these (20,000 series)")
    with page.expect_response("**/chosen"):
        box.uncheck()
    expect(bar).to_contain_text("10,000 series of 10,000 studies selected")
    expect(rows(page).first.get_by_role("checkbox")).not_to_be_checked()
    assert (chosen(much)["series"], chosen(much)["objects"]) == (10_000, 10_000)
    with page.expect_response("**/chosen"):
        rows(page).first.get_by_role("checkbox").check()
    expect(bar).to_contain_text("10,001 series of 10,001 studies selected")
    assert box.evaluate("box => box.indeterminate")
    page.get_by_role("button", name="Clear").click()
    everything = page.get_by_role("checkbox", name="Retrieve all", exact=True)
    page.reload()
    visit.settle()
    expect(bar).to_contain_text("10,001 series")
    with page.expect_response("**/chosen"):
        everything.check()
    expect(bar).to_contain_text("30,000 series of 30,000 studies selected")
    page.get_by_label("Status", exact=True).select_option("deselected")
    expect(page.locator("main")).to_contain_text("No results match")
    visit.check()


def test_all_decisions_are_one_file(
    visit: Visit, much: tuple[OrthancServer, int], tmp_path: Path
) -> None:
    page = visit.open(f"/query-retrieve/{much[1]}")
    visit.sign_in()
    with page.expect_download() as begun:
        page.get_by_role("link", name="Decisions as CSV").click()
    begun.value.save_as(tmp_path / "decisions.csv")
    told = list(csv.DictReader(io.StringIO((tmp_path / "decisions.csv").read_text("utf-8-sig"))))
    assert len(told) == 2 * STUDIES
    assert [one["line"] for one in told] == [str(number) for number in range(1, 2 * STUDIES + 1)]
    assert {(one["kept"], one["reason_in_words"]) for one in told} == {
        ("true", "dose report"),
        ("false", "covered by another series: report or Dose Info"),
    }


@pytest.mark.parametrize("look", LOOKS, ids=LOOK_NAMES)
def test_it_is_clean_in_both_themes_and_widths(
    browser: Browser, much: tuple[OrthancServer, int], look: Look
) -> None:
    for visit in visits(browser, much[0], look[1], look[0]):
        page = visit.open(f"/query-retrieve/{much[1]}?show=all&modality=CT&page=3")
        expect(page.locator("main")).to_contain_text(re.compile("101–150 of 10,000 studies"))
        visit.check()
        assert fits(page)

"""The pages of tasks and of the program's log."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from orthanc_dose.samples import make_studies
from orthanc_dose.store import Store, tasks
from tests.browser.conftest import NARROW, WIDE, Visit, fits
from tests.support.server import OrthancServer


def earlier(number: int, **more: Any) -> dict[str, Any]:
    moment = tasks.now()
    return {"id": number, "kind": "import-sizes", "subject": "sizes.csv", "user_name": "dose", "state": "done", "done": 3,
            "total": 3, "parameters": {}, "progress": {}, "result": {"inserted": 1, "no study": 2}, "created_at": moment,
            "started_at": moment, "finished_at": moment} | more  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    """A server with tasks of before: an import with its log, one that failed, one of a kind that
    the pages do not know.
    """
    with OrthancServer() as running:
        running.send(make_studies(40, seed=3))
        running.wait_until_idle()
        assert running.stop() == 0
        store = Store(running.dose_directory)
        with store.writing() as connection:
            tasks.write_task(connection, earlier(1))
            for line, outcome in enumerate(["inserted", "no study", "no study"], 2):
                connection.execute(
                    "INSERT INTO task_log VALUES (1, ?, ?, ?, ?)",
                    [line, outcome, 1 if line == 2 else None, ""],
                )
            tasks.write_task(
                connection,
                earlier(
                    2,
                    kind="apply-identity",
                    subject="",
                    state="failed",
                    done=1,
                    result={},
                    message="The key of the hashes is gone.",
                ),
            )
            tasks.write_task(
                connection,
                earlier(
                    3,
                    kind="a-later-kind",
                    subject="",
                    result={"wobbles": 7, "said": ["All is well."]},
                ),
            )
            connection.execute("INSERT INTO state VALUES ('last_task', '3')")
        store.close()
        yield running.start()


@pytest.mark.parametrize("path", ["/tasks", "/tasks/1", "/log", "/log?level=error"])
def test_the_pages_are_clean_in_both_themes_and_widths(any_visit: Visit, path: str) -> None:
    page = any_visit.open(path)
    assert fits(page), "the page must not scroll sideways"
    any_visit.check()


def test_tasks_say_what_they_do_and_what_came_of_it(visit: Visit) -> None:
    page = visit.open("/")
    page.get_by_text("Administration", exact=True).click()
    page.get_by_role("link", name="Tasks").click()
    visit.settle()
    cards = page.locator("article")
    expect(cards.nth(0)).to_contain_text("a-later-kind")
    expect(cards.nth(0)).to_contain_text("wobbles: 7")
    expect(cards.nth(0)).to_contain_text("All is well.")
    expect(cards.nth(1)).to_contain_text(
        re.compile("identity.*failed.*The key of the hashes is gone", re.DOTALL)
    )
    expect(cards.nth(2)).to_contain_text(
        re.compile(
            "Importing patient sizes.*sizes.csv.*1 inserted, 2 without a matching study", re.DOTALL
        )
    )


def test_the_log_of_a_task_is_filtered_by_outcome(visit: Visit) -> None:
    page = visit.open("/tasks/1")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.first.get_by_role("link")).to_have_attribute("href", "/dose/app/study/1")
    page.get_by_role("navigation", name="Outcomes").get_by_role(
        "link", name="no study found"
    ).click()
    expect(rows).to_have_count(2)
    expect(page).to_have_url(re.compile("outcome=no"))
    visit.settle()
    visit.check()


def test_a_task_is_followed_while_it_runs_and_is_linked(
    visit: Visit, server: OrthancServer
) -> None:
    page = visit.open("/tasks")
    server.post("/dose/api/reextract")
    # It began elsewhere: the page finds it by itself, and its end too.
    card = page.locator("article", has_text="Re-importing all stored content").first
    expect(card).to_contain_text(re.compile("done.*0 changed", re.DOTALL))
    page.get_by_role("link", name="Activity").click()
    page.get_by_role("link", name="Task and log").click()
    expect(page.get_by_role("article")).to_contain_text("Re-importing all stored content")
    visit.settle()
    visit.check()


def test_a_running_task_shows_in_the_header_and_stops_after_a_question(visit: Visit) -> None:
    """The server is too quick to catch a task on its way: what it says of one is put in its
    place.
    """
    started = "2026-01-31T10:00:00Z"
    task = json.loads(
        json.dumps(
            earlier(9, kind="re-extraction", state="running", done=250, total=1000, result={}),
            default=str,
        )
    ) | {"started_at": started, "finished_at": None}
    asked: list[str] = []

    def answer(route: Any) -> None:
        state = "stopped" if asked else "running"
        tasks_now = {
            "now": "2026-01-31T10:01:30Z",
            "total": 1,
            "states": {state: 1},
            "tasks": [task | {"state": state}],
        }
        route.fulfill(json=tasks_now)

    def stop(route: Any) -> None:
        asked.append(route.request.method)
        route.fulfill(json=task | {"state": "stopped"})

    visit.page.route(re.compile(r"/dose/api/tasks\?"), answer)
    visit.page.route("**/dose/api/tasks/9/stop", stop)
    page = visit.open("/")
    badge = page.get_by_role("link", name="1 task is running")
    badge.click()
    expect(page).to_have_url(re.compile("/tasks$"))
    card = page.get_by_role("article")
    expect(card).to_contain_text("250 of 1000")
    expect(card).to_contain_text("for 1 min 30 s")
    expect(card.get_by_role("progressbar")).to_have_attribute("max", "1000")
    visit.settle()
    visit.check()
    page.set_viewport_size(NARROW)
    assert fits(page), "the header has room for the sign"
    page.set_viewport_size(WIDE)
    card.get_by_role("button", name="Stop").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert asked == []
    card.get_by_role("button", name="Stop").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    expect(page.get_by_text("The task was stopped.")).to_be_visible()
    expect(card).to_contain_text("stopped")
    assert asked == ["POST"]
    expect(badge).to_have_count(0)


def test_the_log_is_filtered_searched_and_taken_along(visit: Visit, server: OrthancServer) -> None:
    server.request("PUT", "/dose/api/settings", json={"log_level": "debug"})
    try:
        server.ok("/dose/api/fields")
        page = visit.open("/log")
        expect(page.get_by_role("table")).to_contain_text("GET /fields")
        page.get_by_label("Level").select_option("info")
        expect(page.get_by_role("table")).not_to_contain_text("GET /fields")
        expect(page.get_by_role("table")).not_to_contain_text("debug")
        # The first entry of all may be on a later page.
        page.get_by_label("Text").fill("its store is")
        page.get_by_role("button", name="Find").click()
        expect(page.locator("tbody tr").last).to_contain_text("is ready; its store is")
        page.get_by_label("Level").select_option("")
        page.get_by_label("Text").fill("/fields")
        page.get_by_role("button", name="Find").click()
        expect(page).to_have_url(re.compile("text="))
        visit.settle()
        rows = page.locator("tbody tr")
        expect(rows.first).to_contain_text("/fields")
        expect(rows.filter(has_not_text="/fields")).to_have_count(0)
        taken = server.request(
            "GET", page.get_by_role("link", name="Download").get_attribute("href") or ""
        )
        assert 'filename="orthanc-dose-' in taken.headers["Content-Disposition"]
        lines = taken.text.splitlines()
        assert lines and all("/fields" in line for line in lines)
        visit.check()
    finally:
        server.delete("/dose/api/settings/log_level")


def test_finished_tasks_are_deleted_after_a_question_with_their_number(
    visit: Visit, server: OrthancServer
) -> None:
    page = visit.open("/tasks")
    card = page.locator("article", has_text="sizes.csv")
    card.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("1 task deleted from the list.")).to_be_visible()
    expect(card).to_have_count(0)
    total = server.ok("/dose/api/tasks")["total"]
    page.get_by_role("button", name="Delete all finished").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"{total} finished tasks are deleted")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text(f"{total} tasks deleted from the list.")).to_be_visible()
    expect(page.get_by_role("heading", name="No tasks")).to_be_visible()
    assert server.ok("/dose/api/tasks")["total"] == 0
    visit.settle()
    visit.check()

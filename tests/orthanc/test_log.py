"""The program's log in a real server: level, file and its rotation, what is read by administrators,
and what it never holds.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.server import ROOT, OrthancServer

# What stands in an error's words has to stand in no log.
VALUE = "DOE^JANE"


def put(server: OrthancServer, **values: Any) -> None:
    answer = server.request("PUT", "/dose/api/settings", json=values)
    assert answer.status_code == 200, answer.text


def entries(server: OrthancServer, **query: Any) -> list[dict[str, str]]:
    search = "&".join(f"{name}={value}" for name, value in query.items())
    return server.ok(f"/dose/api/log?{search}")["entries"]


def said(server: OrthancServer, words: str, **query: Any) -> bool:
    return any(words in entry["message"] for entry in entries(server, **query))


def test_the_level_holds_at_once_and_after_a_restart(server: OrthancServer) -> None:
    assert entries(server)[-1]["message"].endswith(str(server.dose_directory / "dose.duckdb"))
    assert not said(server, "GET /status")
    put(server, log_level="debug")
    server.ok("/dose/api/status")
    newest = entries(server, text="/status", limit=1)
    assert [(one["level"], one["room"]) for one in newest] == [("debug", "rest.server")]
    assert newest[0]["message"].startswith("GET /status")
    put(server, log_level="info")
    before = len(entries(server, limit=2000))
    server.ok("/dose/api/status")
    assert len(entries(server, limit=2000)) == before, "a request is no more than debug"
    server.restart()
    put(server, task_days=31)
    found = entries(server)
    assert found[0]["message"] == "setting changed: task_days", "the newest first"
    assert [one["level"] for one in found] == ["info", "warning"]
    assert [one["level"] for one in entries(server, level="warning")] == ["warning"]
    assert server.ok("/dose/api/log")["level"] == "info"


def test_orthancs_log_has_it_from_the_level_on(server: OrthancServer) -> None:
    assert "Dose: Orthanc Dose" in server.log
    put(server, log_level="error")
    assert server.ok("/dose/api/log")["level"] == "error"
    put(server, log_level="debug")
    server.ok("/dose/api/status")
    assert "Dose: GET" not in server.log, "Orthanc shows it with --verbose only"


def test_a_file_is_written_read_and_begun_anew_when_it_is_full(server: OrthancServer) -> None:
    assert server.ok("/dose/api/log")["file"] is None
    put(server, log_level="info", log_to_file=True, log_file_megabytes=1, log_files_kept=1)
    path = server.dose_directory / "log" / "orthanc-dose.log"
    put(server, task_days=31)
    assert server.ok("/dose/api/log")["file"] == str(path)
    assert "INFO manage.settings setting changed: task_days" in path.read_text()
    assert server.stop() == 0
    line = "2020-01-01T00:00:00.000Z INFO test an entry of before\n"
    path.write_text(line * (1_000_000 // len(line)))
    server.start()
    put(server, task_days=32)
    older = path.with_name("orthanc-dose.log.1")
    assert older.stat().st_size > 900_000 and path.stat().st_size < 10_000
    messages = [one["message"] for one in entries(server, limit=2000)]
    assert messages[0] == "setting changed: task_days"
    assert messages[-1] == "an entry of before", "the list goes on in the file before"
    older.write_text(older.read_text().replace("2020-01-01", "2019-01-01"))
    path.write_text(line * (1_000_000 // len(line)))
    for days in range(33, 35):
        put(server, task_days=days)
    assert sorted(one.name for one in path.parent.iterdir()) == [path.name, older.name], (
        "one is kept beside it"
    )
    assert "2019-01-01" not in older.read_text(), "the oldest is gone"
    exported = server.request("GET", "/dose/api/log/export?text=task_days")
    assert exported.headers["Content-Type"].startswith("text/plain")
    assert "attachment" in exported.headers["Content-Disposition"]
    assert [line.rpartition(" ")[2] for line in exported.text.splitlines()] == ["task_days"] * len(
        exported.text.splitlines()
    )
    put(server, log_to_file=False)
    assert server.ok("/dose/api/log")["file"] is None


def test_a_file_that_cannot_be_written_stops_nothing(server: OrthancServer) -> None:
    (server.dose_directory / "log").write_text("no folder")
    put(server, log_to_file=True)
    assert said(server, "the file of the log cannot be written", level="error")
    assert server.ok("/dose/api/log")["file"] is None
    assert server.status()["queue"]["state"] in ("idle", "working")


@pytest.fixture
def faulty(server: OrthancServer) -> OrthancServer:
    """The server with a handler that fails, with a patient's name in the words of its error."""
    script = server.folder / "faulty.py"
    script.write_text(f"""
import runpy, sys, warnings
sys.path[:0] = [{str(ROOT / "plugin")!r}, *{[str(one) for one in (ROOT / ".venv" / "lib").glob("*/site-packages")]!r}]
import logging
from orthanc_dose.query import overview
def summary(*_):
    warnings.warn("a warning about {VALUE}")
    logging.getLogger("pydicom").warning("an element holds {VALUE}")
    raise ValueError("no number: {VALUE}")
overview.summary = summary
runpy.run_path({str(ROOT / "plugin" / "main.py")!r})
""")
    return server.restart(overrides={"PythonScript": str(script)})


def test_an_error_stands_in_the_log_with_its_place_and_without_values(
    faulty: OrthancServer,
) -> None:
    put(faulty, log_to_file=True)
    status, answer = faulty.get("/dose/api/summary?days=5")
    assert (status, answer["error"]["code"]) == (500, "internal")
    (entry,) = entries(faulty, level="error")
    assert entry["room"] == "rest.server"
    assert entry["message"].startswith("GET /summary: ValueError in ")
    assert "Dose: GET /summary: ValueError in " in faulty.log
    assert (
        "GET /summary: ValueError in"
        in (faulty.dose_directory / "log" / "orthanc-dose.log").read_text()
    )
    for path in faulty.folder.rglob("*"):
        if path.is_file() and path.name != "faulty.py":
            assert VALUE.encode() not in path.read_bytes(), path


def test_the_filters_are_checked(shared_server: OrthancServer) -> None:
    for query, field in (
        ("level=loud", "level"),
        ("limit=0", "limit"),
        ("limit=5000", "limit"),
        ("x=1", "x"),
    ):
        status, answer = shared_server.get(f"/dose/api/log?{query}")
        assert (status, answer["error"]["field"]) == (400, field)

"""The program's log in a real server: level, file and its rotation, what is read by administrators,
and what it never holds.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from orthanc_dose import samples
from tests.orthanc.test_searches import DAY, _study
from tests.support.server import PASSWORD, ROOT, USER, OrthancServer, _free_ports, beside

# What stands in an error's words has to stand in no log.
VALUE = "DOE^JANE"


def put(server: OrthancServer, **values: Any) -> None:
    answer = server.request("PUT", "/dose/api/settings", json=values)
    assert answer.status_code == 200, answer.text


def said(server: OrthancServer, words: str, **query: Any) -> bool:
    return any(words in entry["message"] for entry in server.log_entries(**query))


def log_file(server: OrthancServer) -> Path:
    return server.dose_directory / "log" / "orthanc-dose.log"


def line_of(server: OrthancServer, words: str) -> str:
    """The one message with these words, once it is there."""
    server.wait_for(lambda: said(server, words), f"a line with {words!r} in the log")
    [message] = [one["message"] for one in server.log_entries() if words in one["message"]]
    return message


def test_a_normal_start_warns_of_nothing_and_its_lines_are_in_a_file_of_its_owner(
    server: OrthancServer,
) -> None:
    ready = f"is ready; its store is {server.dose_directory / 'dose.duckdb'}"
    assert ready in line_of(server, "is ready")
    assert server.stop() == 0
    assert "Dose:" not in server.log, "Orthanc's log shows what is a warning at least"
    lines = log_file(server).read_text().splitlines()
    assert lines[-1].endswith(" INFO app Orthanc Dose has stopped cleanly")
    assert not [line for line in lines if " INFO " not in line]
    assert log_file(server).stat().st_mode & 0o777 == 0o600
    assert log_file(server).parent.stat().st_mode & 0o777 == 0o700


def test_the_level_holds_at_once_and_after_a_restart(server: OrthancServer) -> None:
    assert not said(server, "GET /status")
    put(server, log_level="debug")
    server.ok("/dose/api/status")
    newest = server.log_entries(text="/status", limit=1)
    assert [(one["level"], one["logger"]) for one in newest] == [("debug", "rest.server")]
    assert newest[0]["room"] == "rest.server", "the former name of the field"
    assert re.fullmatch(r"GET /status by 'dose': 200 in \d+ ms", newest[0]["message"])
    assert server.get("/dose/api/studies/77")[0] == 404
    assert server.log_entries(limit=1)[0]["message"].startswith("GET /studies/{id} by 'dose': 404")
    put(server, log_level="info")
    before = len(server.log_entries(limit=2000))
    server.ok("/dose/api/status")
    assert len(server.log_entries(limit=2000)) == before, "a request is no more than debug"
    put(server, log_level="warning")
    server.restart()
    put(server, task_days=31)
    assert server.log_entries()[0]["message"] == "setting changed: log_level", "the newest first"
    assert not said(server, "task_days"), "which was no more than info"
    assert server.ok("/dose/api/log")["level"] == "warning"


def test_orthancs_log_has_what_its_own_level_says(faulty: OrthancServer) -> None:
    put(faulty, log_level="debug", log_level_in_orthanc="debug")
    faulty.ok("/dose/api/status")
    assert "Dose: GET /status" not in faulty.log, "Orthanc shows it with --verbose only"
    faulty.get("/dose/api/summary?days=5")
    assert faulty.log.count("Dose: GET /summary: ValueError") == 1
    put(faulty, log_level="error")
    assert faulty.ok("/dose/api/log")["level"] == "error"


def test_objects_have_a_line_each_with_what_became_of_them_and_senders_one(
    server: OrthancServer,
) -> None:
    report, broken = samples.ct_report(1, key="logged"), samples.ct_report(1, key="logged, broken")
    del broken.ConceptNameCodeSequence
    slices = [samples.ct_slice(number) for number in range(5)]
    server.send([report, broken, *slices])
    server.upload(samples.part10(samples.ct_report(1, key="logged, uploaded")))
    server.wait_until_idle()
    known = {one["sop_instance_uid"]: one for one in server.objects()}
    row = known[report.SOPInstanceUID]
    assert line_of(server, row["handle"]) == (
        f"object {row['handle']} of study {row['study_id']} (X-Ray Radiation Dose SR): imported"
    )
    [found] = server.ok(f"/dose/api/objects?handle={row['handle']}")["objects"]
    assert found == row, "the log leads to it"
    row = known[broken.SOPInstanceUID]
    assert row["outcome"] == "ignored"
    line_of(
        server,
        f"1 object of series {row['series_handle']} (X-Ray Radiation Dose SR): ignored ({row['rule']})",
    )
    words = r"(\d) objects? of series \w+ \(CT Image\): ignored \(sop_class\)"

    def slices_told() -> int:
        messages = [one["message"] for one in server.log_entries()]
        return sum(int(found[1]) for one in messages if (found := re.fullmatch(words, one)))

    # One line, or several if a slow sender pauses.
    server.wait_for(lambda: slices_told() == 5, "the lines of the slices")
    by_dicom = line_of(server, "received by DICOM from STORESCU at 127.0.0.1 to DOSE: ")
    assert by_dicom.endswith("6 ignored, 1 imported")
    assert "1 object in 0 s: 1 imported" in line_of(server, "received by HTTP from 127.0.0.1: ")


def test_a_sign_in_has_a_line_and_what_was_typed_for_an_unknown_user_has_none(
    server: OrthancServer,
) -> None:
    def sign_in(name: str, password: str) -> int:
        body = {"name": name, "password": password}
        return server.request("POST", "/dose/api/session", auth=(), json=body).status_code

    assert sign_in(USER, PASSWORD) == 200
    assert sign_in(USER, "something-wrong") == 401
    assert sign_in("a-password-as-a-name", PASSWORD) == 401
    assert said(server, f"sign-in: {USER!r} by cookie from 127.0.0.1")
    assert said(server, f"sign-in failed: {USER!r} by cookie from 127.0.0.1")
    assert said(server, "sign-in failed: unknown user by cookie from 127.0.0.1")
    for word in ("a-password-as-a-name", "something-wrong", PASSWORD):
        assert not said(server, word)


def test_a_task_has_a_line_when_it_begins_and_one_when_it_ends(server: OrthancServer) -> None:
    server.send([samples.ct_report(1, key="logged again")])
    server.wait_until_idle()
    number = server.post("/dose/api/reextract")[1]["task_id"]
    line_of(server, f"task {number} (re-extraction) started")
    ended = line_of(server, f"task {number} (re-extraction) ended: ")
    assert re.search(r"ended: done after \d+ s, 1 of 1, .*failed 0", ended)


def test_each_query_and_each_move_has_a_line(tmp_path: Path) -> None:
    reports = [samples.ct_report(1, key=f"logged {name}") for name in "ab"]
    with (
        OrthancServer(plugin=False, overrides={"DicomAet": "PACS"}) as pacs,
        beside(pacs, gone=["GONE", "127.0.0.1", _free_ports(1)[0]]) as server,
    ):
        pacs.send(_study(60, *reports, *(samples.ct_slice(8000 + n) for n in range(3))))
        question = {"first": DAY, "last": DAY, "groups": ["CT"]}

        def run(path: str, body: Any) -> dict[str, Any]:
            answer = server.request("POST", f"/dose/api{path}", json=body)
            assert answer.status_code == 202, answer.text
            task = f"/dose/api/tasks/{answer.json()['id']}"
            server.wait_for(lambda: server.ok(task)["finished_at"] is not None, "the task")
            return server.ok(task)

        asked = run("/nodes/archive/searches", question)
        task = run(f"/searches/{asked['id']}/retrieve", {})
        run("/nodes/gone/searches", question)
        server.post("/dose/api/nodes/archive/echo")
        lines = [one["message"] for one in server.log_entries()]

    def matching(form: str) -> list[str]:
        return [line for line in lines if re.fullmatch(form, line)]

    for level in ("Study", "Series"):
        form = rf"C-FIND of level {level} at archive in \d+\.\d s: [1-9]\d* answers?, success"
        assert matching(form), lines
    form = r"C-MOVE from archive to Orthanc in \d+\.\d s: series 1, objects 2, try 1: success"
    assert len(matching(form)) == 1, lines
    [ended] = matching(rf"task {task['id']} \(retrieval\) ended: done after .*")
    counts = "series 1, failed 0, asked_for 2, arrived 2, imported 2, missing 0, not_listed 0"
    assert ended.endswith(counts)
    assert matching(
        r"C-FIND of level Study at gone in \d+\.\d s: failed: No program is listening at the node's .*"
    )
    assert matching(r"C-ECHO at archive in \d+\.\d s: success")
    assert not [line for line in lines if "1.2.826" in line], "no UIDs"


def test_a_file_is_written_read_and_begun_anew_when_it_is_full(server: OrthancServer) -> None:
    path = log_file(server)
    assert server.ok("/dose/api/log")["file"] == str(path)
    put(server, log_file_megabytes=1, log_files_kept=1)
    put(server, task_days=31)
    assert "INFO manage.settings setting changed: task_days" in path.read_text()
    assert server.stop() == 0
    line = "2020-01-01T00:00:00.000Z INFO test an entry of before\n"
    path.write_text(line * (1_000_000 // len(line)))
    server.start()
    put(server, task_days=32)
    older = path.with_name("orthanc-dose.log.1")
    assert older.stat().st_size > 900_000 and path.stat().st_size < 10_000
    assert path.stat().st_mode & 0o777 == 0o600
    messages = [one["message"] for one in server.log_entries(limit=2000)]
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
    before = path.read_text()
    put(server, task_days=40)
    assert path.read_text() == before and server.log_entries()[0]["message"].endswith("task_days")


def test_the_configuration_says_which_file_it_is(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere" / "dose.log"
    with OrthancServer(dose={"LogFile": str(path)}) as server:
        assert server.ok("/dose/api/log")["file"] == str(path)
        assert "is ready" in path.read_text()
        assert not log_file(server).exists()
        # Two must not begin new files at the same time.
        with OrthancServer(dose={"LogFile": str(path)}) as other:
            assert other.ok("/dose/api/log")["file"] is None
            line_of(other, "the log file cannot be written: another process is writing it")
            assert str(other.folder) not in path.read_text()


def test_a_file_that_cannot_be_written_stops_nothing_and_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("no folder")
    with OrthancServer(dose={"LogFile": str(tmp_path / "log" / "dose.log")}) as server:
        for days in (31, 32):
            put(server, task_days=days)
        [failed] = server.log_entries(level="error")
        assert failed["message"] == "the log file cannot be written: File exists"
        assert server.log.count("the log file cannot be written") == 1
        assert said(server, "setting changed: task_days"), "memory has it"
        assert server.ok("/dose/api/log")["file"] is None
        assert server.status()["queue"]["state"] in ("idle", "working")
        (tmp_path / "log").unlink()
        put(server, task_days=33)
        assert server.ok("/dose/api/log")["file"] == str(tmp_path / "log" / "dose.log")
        assert said(server, "the log file can be written again")


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
    status, answer = faulty.get("/dose/api/summary?days=5")
    assert (status, answer["error"]["code"]) == (500, "internal")
    (entry,) = faulty.log_entries(level="error")
    assert entry["logger"] == "rest.server"
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

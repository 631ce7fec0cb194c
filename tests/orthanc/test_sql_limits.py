"""SQL that takes all time or memory that it can get: it is ended at its limit or when it is stopped,
and takes neither Orthanc with it nor its memory. What Orthanc does when it ends meanwhile, or is killed.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from orthanc_dose import samples
from tests.support.exports import ENDLESS, begun
from tests.support.server import OrthancServer
from tests.support.sql import ask, rows, sql_server

# Each by what it does. None of them comes to an end in the time of a test, or with 500 MB.
NEVER_ENDS = {
    "a regular expression": "SELECT regexp_matches(lpad('a', 1000000, 'a'), '(a?){1000}(a*)*b')",
    "lists within lists": "SELECT len(list_transform(range(1000000), "
    "x -> list_sum(list_transform(range(1000000), y -> (x * y) % 7))))",
    "a distance of texts": "SELECT levenshtein(lpad('a', 1000000, 'ab'), lpad('b', 1000000, 'ba'))",
    "a recursion": "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n % 7 + 1 FROM r) "
    "SELECT count(*) FROM r WHERE n > 9",
    "a cross join": ENDLESS,
    "an error that is found late": f"SELECT error('x') WHERE ({ENDLESS}) = 1",
}
# Whether these come to the limit of time or to that of memory first depends on the machine.
LONG_TEXTS = {
    "when it is planned": "EXPLAIN SELECT length(lpad('x', 2000000000, 'y'))",
    "when it runs": "SELECT length(lpad('x', 2000000000, 'y'))",
    "for each row": "SELECT max(length(lpad(modality, 100000000, 'y'))) FROM study, range(100000)",
}
TOO_LARGE = {
    "a format": "SELECT length(format('{:>2000000000}', 'x'))",
    "a text": "SELECT length(repeat('x', 3000000000))",
    "a list": "SELECT len(range(1000000000))",
    "a list of rows": "SELECT len(list(i)) FROM range(1000000000) t(i)",
    "an order": "SELECT max(n) FROM (SELECT row_number() OVER (ORDER BY hash(i)) AS n "
    "FROM range(1000000000) t(i))",
}


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with sql_server() as running:
        yield running


@pytest.fixture
def limited(server: OrthancServer) -> Iterator[Callable[..., None]]:
    """Set settings of SQL, for one test."""
    given: list[str] = []

    def put(**values: int) -> None:
        given.extend(values)
        assert server.request("PUT", "/dose/api/settings", json=values).status_code == 200

    yield put
    for name in given:
        server.delete(f"/dose/api/settings/{name}")


def children(server: OrthancServer) -> set[int]:
    """The processes that Orthanc started and that are still there, or are not reaped."""
    assert server.process is not None
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == server.process.pid:
                found.add(int(process.name))
    return found


def busy(server: OrthancServer) -> set[int]:
    """Those of them that run a statement: the kernel holds them to its limits by then. One that has
    ended and is not reaped yet runs nothing."""
    found = set()
    for pid in children(server):
        with contextlib.suppress(OSError):
            if (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]) == "Z":
                continue
            limits = Path(f"/proc/{pid}/limits").read_text()
            if "unlimited" not in limits.partition("Max cpu time")[2].splitlines()[0]:
                found.add(pid)
    return found


def memory(server: OrthancServer) -> float:
    """The most memory that Orthanc's process ever had, in MB."""
    assert server.process is not None
    text = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(text.split("VmHWM:")[1].split()[0]) / 1000


class Asking:
    """A statement that somebody waits for on a thread. answer: what came of it, None where the
    server ended."""

    def __init__(self, server: OrthancServer, sql: str) -> None:
        self.answer: tuple[int, Any] | None = None
        self._server, self._sql = server, sql
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with contextlib.suppress(requests.RequestException):
            self.answer = ask(self._server, self._sql)

    def end(self) -> tuple[int, str] | None:
        """Status and code of the answer."""
        self._thread.join()
        return self.answer and (self.answer[0], self.answer[1].get("error", {}).get("code", ""))


def asked(server: OrthancServer, sql: str) -> Asking:
    """A statement that runs in a process by now."""
    asking = Asking(server, sql)
    server.wait_for(
        lambda: asking.answer is not None or bool(busy(server)), "a process that runs the statement"
    )
    assert asking.answer is None, asking.answer
    return asking


@pytest.mark.parametrize("sql", NEVER_ENDS.values(), ids=NEVER_ENDS)
def test_it_ends_at_the_limit_of_time(
    server: OrthancServer, limited: Callable[..., None], sql: str
) -> None:
    limited(sql_seconds=2)
    before = memory(server)
    status, answer = ask(server, sql)
    assert (status, answer["error"]["code"]) == (409, "sql_too_long"), answer
    assert "2 s" in answer["error"]["message"] and "sql_seconds" in answer["error"]["message"]
    server.wait_for(lambda: not busy(server), "the end of the process")
    assert memory(server) < before + 100
    assert rows(server, "SELECT 1") == [[1]]


@pytest.mark.parametrize("sql", NEVER_ENDS.values(), ids=NEVER_ENDS)
def test_it_ends_when_it_is_stopped(
    server: OrthancServer, limited: Callable[..., None], sql: str
) -> None:
    limited(sql_seconds=600)
    asking = asked(server, sql)
    assert server.delete("/dose/api/sql") == (200, {"stopped": 1})
    assert asking.end() == (409, "sql_stopped")
    server.wait_for(lambda: not busy(server), "the end of the process")
    assert rows(server, "SELECT 1") == [[1]]


@pytest.mark.parametrize("sql", LONG_TEXTS.values(), ids=LONG_TEXTS)
def test_a_long_text_takes_neither_time_nor_memory_of_others(
    server: OrthancServer, limited: Callable[..., None], sql: str
) -> None:
    limited(sql_seconds=2, sql_memory=500)
    before = memory(server)
    status, answer = ask(server, sql)
    assert status in (400, 409), answer
    code = answer["error"]["code"]
    # EXPLAIN is no SELECT, and is refused without being planned.
    assert code in ("sql_not_allowed", "sql_too_long", "sql_too_large", "sql_failed"), answer
    assert (code == "sql_not_allowed") == sql.startswith("EXPLAIN")
    server.wait_for(lambda: not busy(server), "the end of the process")
    assert memory(server) < before + 100
    assert rows(server, "SELECT 1") == [[1]]


@pytest.mark.parametrize("sql", TOO_LARGE.values(), ids=TOO_LARGE)
def test_it_gets_no_more_memory_than_is_set(
    server: OrthancServer, limited: Callable[..., None], sql: str
) -> None:
    limited(sql_seconds=600, sql_memory=500)
    before = memory(server)
    status, answer = ask(server, sql)
    assert (status, answer["error"]["code"]) == (409, "sql_too_large"), answer
    assert "500 MB" in answer["error"]["message"]
    assert "sql_memory" in answer["error"]["message"]
    assert memory(server) < before + 100
    assert rows(server, "SELECT 1") == [[1]]


def test_what_duckdb_does_not_count_is_limited_too(
    server: OrthancServer, limited: Callable[..., None]
) -> None:
    # Texts of functions are in nobody's account but the kernel's: 10.9 GB without a limit.
    limited(sql_seconds=600, sql_memory=200)
    asking = Asking(server, "SELECT max(length(lpad(modality, 400000000, 'y'))) FROM study")
    most = 0.0
    while asking.answer is None:
        for pid in children(server):
            try:
                text = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue
            found = text.partition("VmRSS:")[2].split()
            most = max(most, int(found[0]) / 1000 if found else 0)
        if most > 1000:
            server.delete("/dose/api/sql")
    assert asking.end() == (409, "sql_too_large")
    # 200 MB, and what a process of Python and DuckDB has and may need beside it.
    assert most < 200 + 256 + 200


def test_a_file_ends_at_the_limit_when_it_is_stopped_and_when_it_is_too_large(
    server: OrthancServer, limited: Callable[..., None]
) -> None:
    def end(number: int) -> dict[str, Any]:
        server.wait_for(
            lambda: server.ok(f"/dose/api/tasks/{number}")["finished_at"] is not None,
            "the end of the task",
        )
        return server.ok(f"/dose/api/tasks/{number}")

    limited(sql_seconds=1, sql_memory=500)
    task = end(begun(server, {"sql": NEVER_ENDS["a regular expression"], "format": "csv"}, "sql"))
    assert task["state"] == "failed" and "10 s" in task["message"]
    task = end(begun(server, {"sql": TOO_LARGE["a list"], "format": "parquet"}, "sql"))
    assert task["state"] == "failed" and "500 MB" in task["message"]
    limited(sql_seconds=600)
    number = begun(server, {"sql": NEVER_ENDS["a regular expression"], "format": "csv"}, "sql")
    server.wait_for(lambda: bool(busy(server)), "a process that runs the statement")
    server.post(f"/dose/api/tasks/{number}/stop")
    assert end(number)["state"] == "stopped"
    server.wait_for(lambda: not busy(server), "the end of the process")
    assert [path.name for path in (server.dose_directory / "exports").iterdir()] == []


def test_objects_come_in_meanwhile(server: OrthancServer, limited: Callable[..., None]) -> None:
    limited(sql_seconds=600)
    asking = asked(server, NEVER_ENDS["a distance of texts"])
    server.send(samples.ct_report(2, key="meanwhile"))
    server.wait_until_idle()
    assert server.objects(outcome="imported")
    server.delete("/dose/api/sql")
    assert asking.end() == (409, "sql_stopped")


# As many at once as may run.
PAIRS = list(zip(list(NEVER_ENDS.values())[::2], list(NEVER_ENDS.values())[1::2], strict=True))


def both(server: OrthancServer, pair: tuple[str, str]) -> tuple[list[Asking], set[int]]:
    """Two statements that run without a limit of time, and all processes of the server."""
    put = {"sql_seconds": 600}
    assert server.request("PUT", "/dose/api/settings", json=put).status_code == 200
    asking = [Asking(server, sql) for sql in pair]
    server.wait_for(lambda: len(busy(server)) == 2, "processes that run the statements")
    return asking, children(server)


def test_orthanc_ends_while_they_run() -> None:
    with OrthancServer() as running:
        for pair in PAIRS:
            asking, left = both(running, pair)
            assert running.stop() == 0
            assert {one.end() for one in asking} <= {None, (409, "sql_stopped")}
            assert all_gone(left)
            assert not (running.dose_directory / "sql").exists()
            running.start()


def test_orthanc_is_killed_while_they_run() -> None:
    with OrthancServer() as running:
        for pair in PAIRS:
            asking, left = both(running, pair)
            running.kill()
            assert [one.end() for one in asking] == [None, None]
            running.start()
            running.wait_for(partial(all_gone, left), "the end of the processes")
            # The copy of the one that was killed is not left either.
            assert not list((running.dose_directory / "sql").glob("*/views"))
        assert rows(running, "SELECT count(*) FROM study") == [[0]]


def all_gone(pids: set[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_the_process_has_nothing_of_orthanc(
    server: OrthancServer, limited: Callable[..., None]
) -> None:
    limited(sql_seconds=600)
    asking = asked(server, NEVER_ENDS["a distance of texts"])
    [pid] = busy(server)
    process = Path(f"/proc/{pid}")
    opened = {path.readlink() for path in (process / "fd").iterdir()}
    data = str(server.dose_directory)
    assert not [path for path in opened if str(path).startswith("socket:")]
    assert {path for path in map(str, opened) if path.startswith(data)} <= {
        str(path) for path in (server.dose_directory / "sql").rglob("views/*.parquet")
    }
    environment = (process / "environ").read_bytes().split(b"\0")
    names = {entry.partition(b"=")[0] for entry in environment if entry}
    assert names <= {b"LC_ALL", b"MALLOC_ARENA_MAX", b"TZ", b"LD_LIBRARY_PATH"}
    where = (process / "cwd").readlink()
    assert where.is_dir() and not list(where.iterdir())
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    assert fields[2] == fields[3] == str(pid)  # process group and session of its own
    server.delete("/dose/api/sql")
    asking.end()

"""SQL of a real server: what it answers, as rows and as files, within which limits, and that the
server goes on meanwhile.
"""

import csv
import io
import threading
from collections.abc import Iterator
from typing import Any

import pyarrow.parquet as pq
import pytest
import requests

from orthanc_dose import samples
from tests.support.exports import ENDLESS, begun, done, fetched
from tests.support.server import OrthancServer
from tests.support.sql import HELPER, ask, rows, sql_server


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with sql_server() as running:
        yield running


def file(server: OrthancServer, sql: str, kind: str) -> tuple[bytes, dict[str, Any]]:
    task = done(server, begun(server, {"sql": sql, "format": kind}, "sql"))
    return fetched(server, task), task


def test_values_are_those_of_the_api(server: OrthancServer) -> None:
    for view, per_study in (
        ("ct_event", "events"),
        ("projection_event", "events"),
        ("projection_accumulated", "accumulated"),
    ):
        status, answer = ask(server, f"SELECT * FROM {view}")
        assert status == 200 and not answer["cut"]
        names = [column["name"] for column in answer["columns"]]
        found = [dict(zip(names, row, strict=True)) for row in answer["rows"]]
        # The API adds to CT events which dose check values they reached.
        wanted = [
            {name: row[name] for name in names}
            for detail in server.details()
            for row in detail[per_study]
            if set(row) >= set(names)
        ]
        assert found and sorted(map(canonical, found)) == sorted(map(canonical, wanted))
    status, answer = ask(server, "SELECT * FROM study ORDER BY id")
    names = [column["name"] for column in answer["columns"]]
    for row, detail in zip(answer["rows"], server.details(), strict=True):
        for name, value in zip(names, row, strict=True):
            if name in detail and name != "stored_at":  # which the API says to be UTC
                assert canonical(value) == canonical(detail[name]), name


def canonical(value: Any) -> str:
    """A value as text, in which a moment's fraction of a second has no zeros at its end."""
    if isinstance(value, dict):
        return str({name: canonical(part) for name, part in sorted(value.items())})
    if isinstance(value, list):
        return str([canonical(part) for part in value])
    is_fraction = isinstance(value, str) and value[-7:-6] == "." and value[-6:].isdigit()
    return str(value).rstrip("0") if is_fraction else str(value)


@pytest.mark.parametrize(("sql", "expected"), [
    ("1.5::DECIMAL(4, 2)", 1.5),
    ("1.23456789012345678901::DECIMAL(30, 20)", "1.23456789012345678901"),
    ("9007199254740991", 9007199254740991),
    ("9007199254740993", "9007199254740993"),
    ("'nan'::DOUBLE", None),
    ("'-inf'::FLOAT", None),
    ("[1.5::DOUBLE, 'nan'::DOUBLE]", [1.5, None]),
    ("DATE '2026-01-31'", "2026-01-31"),
    ("DATE '10000-01-01'", "10000-01-01"),
    ("'infinity'::DATE", "infinity"),
    ("TIMESTAMP '2026-01-31 10:20:30'", "2026-01-31T10:20:30"),
    ("TIME '10:20:30'", "10:20:30"),
    ("{'day': DATE '2026-01-31', 'list': [{'a': NULL}]}", {"day": "2026-01-31", "list": [{"a": None}]}),
    ("MAP {1: 'one'}", {"1": "one"}),
    ("'\\xFF\\x00'::BLOB", "/wA="),
    ("INTERVAL 1 DAY", "1 day"),
    ("true", True),
    ("NULL", None),
    ("'ä\u2028\"'", 'ä\u2028"'),
])  # fmt: skip
def test_values_in_json(server: OrthancServer, sql: str, expected: Any) -> None:
    assert rows(server, f"SELECT {sql}") == [[expected]]


def test_types_that_python_does_not_have_come_as_text(server: OrthancServer) -> None:
    [[moment, listed]] = rows(
        server,
        "SELECT TIMESTAMPTZ '2026-01-31 10:20:30+00', [TIMESTAMPTZ '2026-01-31 10:20:30+00']",
    )
    assert isinstance(moment, str) and isinstance(listed, str) and "2026-01-31" in listed


def test_what_is_allowed_runs(server: OrthancServer) -> None:
    for sql in (
        "FROM study SELECT id",
        "TABLE equipment",
        "VALUES (1), (2)",
        "SELECT 1;",
        "SELECT 1 -- a comment",
        "/* one */ SELECT 1",
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT sum(n) "
        "FROM r",
        "SELECT modality, quantile_cont(dlp_total, [0.25, 0.5, 0.75]) FROM study GROUP BY ALL",
        "SELECT e.display_name, count(*) FROM study s JOIN equipment e ON e.id = s.equipment_id "
        "GROUP BY ALL",
        "SELECT s.id, o.outcome FROM object o JOIN study s ON s.id = o.study_id",
        "SELECT * FROM study_standard_name",
        "SELECT unnest(marks, recursive := true) FROM study",
        "SELECT f.material.meaning FROM projection_event, unnest(xray_filters) AS t(f)",
        "SELECT * FROM (PIVOT study ON modality IN ('CT', 'DX') USING count(*) GROUP BY "
        "equipment_id)",
        "SELECT id, row_number() OVER (PARTITION BY modality ORDER BY dlp_total) FROM study",
        "SELECT COLUMNS('.*total.*') FROM study",
        "SELECT date_trunc('month', study_date), count(*) FROM study GROUP BY ALL",
        "SELECT list_sum([1, 2]), strftime(study_date, '%Y'), extract(year FROM study_date), {'a': "
        "1}.a FROM study",
        "SELECT * FROM generate_series(DATE '2026-01-01', DATE '2026-01-05', INTERVAL 1 DAY)",
        "SELECT id, id FROM study",
    ):
        status, answer = ask(server, sql)
        assert status == 200, (sql, answer)
        assert all(len(row) == len(answer["columns"]) for row in answer["rows"])


def test_an_error_says_where(server: OrthancServer) -> None:
    long = "SELECT " + "1, " * 100 + "nothing FROM study"
    for sql, place in (
        ("SELECT id\nFROM study\nWHERE nothing = 1", (3, 7)),
        ("SELEC 1", (1, 1)),
        ("SELECT id FROM nothing", (1, 16)),
        (long, (1, 308)),
    ):
        status, answer = ask(server, sql)
        assert status == 400 and answer["error"]["place"] == {
            "line": place[0],
            "column": place[1],
        }, answer


def test_the_order_is_that_of_the_statement(server: OrthancServer) -> None:
    found = rows(server, "SELECT i, hash(i) AS h FROM range(9000) t(i) ORDER BY h")
    assert len(found) == 9000 and [int(row[1]) for row in found] == sorted(
        int(row[1]) for row in found
    )
    raw, _ = file(server, "SELECT i FROM range(300000) t(i) ORDER BY i DESC", "parquet")
    assert pq.read_table(io.BytesIO(raw))["i"].to_pylist() == list(range(299_999, -1, -1))


def test_the_views_are_what_they_say(server: OrthancServer) -> None:
    for view in server.ok("/dose/api/sql/views")["views"]:
        status, answer = ask(server, f'SELECT * FROM "{view["name"]}" LIMIT 0')
        assert status == 200 and [one["name"] for one in answer["columns"]] == [
            one["name"] for one in view["columns"]
        ]
        assert all(one["title"] and one["sql_type"] for one in view["columns"])


QUERY = (
    "SELECT id, study_description, dlp_total, study_date, procedure_code, marks, id FROM study "
    "ORDER BY id"
)


def test_csv_gives_the_values(server: OrthancServer) -> None:
    raw, task = file(server, QUERY, "csv")
    assert (
        raw.startswith(b"\xef\xbb\xbf")
        and raw.endswith(b"\r\n")
        and task["subject"].endswith(".csv")
    )
    titles, *lines = csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""))
    assert titles == [
        "id",
        "study_description",
        "dlp_total",
        "study_date",
        "procedure_code",
        "marks",
        "id",
    ]
    details = {detail["id"]: detail for detail in server.details()}
    assert task["result"]["rows"] == len(lines) == len(details) and task["result"]["cut"] is False
    for line in lines:
        detail = details[int(line[0])]
        description = detail["study_description"] or ""
        assert line[1] == (f"'{description}" if description.startswith("=") else description)
        assert (float(line[2]) if line[2] else None) == detail.get("dlp_total")
        assert line[3] == (detail["study_date"] or "")
    assert any(line[1].startswith("'=cmd") for line in lines)


def test_parquet_gives_the_values(server: OrthancServer) -> None:
    raw, task = file(server, QUERY + ";", "parquet")
    table = pq.read_table(io.BytesIO(raw))
    assert table.column_names == [
        "id",
        "study_description",
        "dlp_total",
        "study_date",
        "procedure_code",
        "marks",
        "id_2",
    ]
    details = {detail["id"]: detail for detail in server.details()}
    assert task["result"]["rows"] == table.num_rows == len(details)
    for row in table.to_pylist():
        detail = details[row["id"]]
        assert row["study_description"] == detail["study_description"] and row[
            "dlp_total"
        ] == detail.get("dlp_total")
        assert row["procedure_code"] == detail["procedure_code"] and str(row["study_date"]) == str(
            detail["study_date"]
        )
    sql = (
        "SELECT 170141183460469231731687303715::HUGEINT AS h, INTERVAL 1 DAY AS i, [INTERVAL 1 "
        "DAY] AS l"
    )
    raw, _ = file(server, sql, "parquet")
    [row] = pq.read_table(io.BytesIO(raw)).to_pylist()
    assert (
        int(row["h"]) == 170141183460469231731687303715
        and row["i"] == "1 day"
        and isinstance(row["l"], str)
    )


def test_rows_have_a_limit(server: OrthancServer) -> None:
    put = {"sql_rows": 10, "sql_file_rows": 25}
    assert server.request("PUT", "/dose/api/settings", json=put).status_code == 200
    try:
        for count, cut in ((10, False), (11, True)):
            status, answer = ask(server, f"SELECT * FROM range({count})")
            assert status == 200 and len(answer["rows"]) == 10 and answer["cut"] is cut
        for kind in ("csv", "parquet"):
            for count, cut in ((25, False), (26, True)):
                raw, task = file(server, f"SELECT * FROM range({count})", kind)
                assert task["result"]["rows"] == 25 and task["result"]["cut"] is cut
                read = (
                    len(raw.splitlines()) - 1
                    if kind == "csv"
                    else pq.read_table(io.BytesIO(raw)).num_rows
                )
                assert read == 25
    finally:
        for name in put:
            server.delete(f"/dose/api/settings/{name}")


def test_an_answer_has_a_size(server: OrthancServer) -> None:
    status, answer = ask(server, "SELECT lpad('x', 100000, 'y') FROM range(1000)")
    assert status == 200 and answer["cut"] and 0 < len(answer["rows"]) < 1000


def endless(
    server: OrthancServer, seen: bool = True
) -> tuple[list[tuple[int, Any]], list[threading.Thread]]:
    """Two statements that never end, as many as may run: what became of them, and the threads that
    wait for it. seen: both run when this returns; for those that something ends soon nobody can
    wait for that."""
    answers: list[tuple[int, Any]] = []

    def run() -> None:
        try:
            while (found := ask(server, ENDLESS))[1].get("error", {}).get("code") == "sql_busy":
                pass  # somebody looks whether all places are taken
            answers.append(found)
        except requests.RequestException:
            pass  # the server has ended

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    if seen:
        server.wait_for(
            lambda: ask(server, "SELECT 1")[1].get("error", {}).get("code") == "sql_busy",
            "statements that run",
        )
    return answers, threads


def test_a_statement_that_never_ends_is_stopped(server: OrthancServer) -> None:
    assert server.request("PUT", "/dose/api/settings", json={"sql_seconds": 3}).status_code == 200
    try:
        answers, threads = endless(server, seen=False)
        server.send(samples.ct_report(2, key="meanwhile"))
        server.wait_until_idle()
        for thread in threads:
            thread.join()
        assert [(status, answer["error"]["code"]) for status, answer in answers] == [
            (409, "sql_too_long")
        ] * 2
        assert rows(server, "SELECT 1") == [[1]]
    finally:
        server.delete("/dose/api/settings/sql_seconds")


def test_statements_are_stopped_by_who_started_them(server: OrthancServer) -> None:
    answers, threads = endless(server)
    assert server.request("DELETE", "/dose/api/sql", auth=HELPER).json() == {"stopped": 0}
    assert server.delete("/dose/api/sql") == (200, {"stopped": 2})
    for thread in threads:
        thread.join()
    assert [(status, answer["error"]["code"]) for status, answer in answers] == [
        (409, "sql_stopped")
    ] * 2
    assert rows(server, "SELECT 1") == [[1]]


def test_a_file_that_never_ends_is_stopped(server: OrthancServer) -> None:
    answer = server.request("POST", "/dose/api/sql", json={"sql": ENDLESS, "format": "csv"})
    number = answer.json()["id"]
    server.wait_for(
        lambda: server.ok(f"/dose/api/tasks/{number}")["state"] == "running", "the task"
    )
    server.post(f"/dose/api/tasks/{number}/stop")
    server.wait_for(
        lambda: server.ok(f"/dose/api/tasks/{number}")["finished_at"] is not None,
        "the end of the task",
    )
    assert server.ok(f"/dose/api/tasks/{number}")["state"] == "stopped"
    assert not list((server.dose_directory / "exports").glob(f"{number}*"))


def test_orthanc_stops_while_a_statement_runs() -> None:
    with OrthancServer() as running:
        _, threads = endless(running)
        assert running.stop() == 0
        for thread in threads:
            thread.join()

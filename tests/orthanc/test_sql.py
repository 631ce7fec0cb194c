"""SQL of a real server: what administrators can ask, what nobody can, and that a server goes on answering meanwhile."""

import csv
import io
import threading
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
import requests

from orthanc_dose import samples
from orthanc_dose.records import IDENTITY_FIELDS
from orthanc_dose.samples import make_studies
from orthanc_dose.sql.statement import _REFUSED
from tests.support.server import OrthancServer

NAME, PATIENT_ID = "Somebody^Known", "4711-0815"
HELPER = ("helper", "another password of the tests")


@pytest.fixture(scope="module")
def server() -> Any:
    with OrthancServer(dose={"PatientName": "stored", "PatientID": "stored"}) as running:
        running.send(make_studies(30, seed=5))
        odd = samples.ct_report(3, key="odd")
        odd.StudyDescription, odd.PatientName, odd.PatientID = "=cmd|' /C calc'!A0, \"odd one\"", NAME, PATIENT_ID
        running.send(odd)
        running.wait_until_idle()
        body = {"groups": ["administration"], "password": HELPER[1]}
        assert running.request("PUT", f"/dose/api/users/{HELPER[0]}", json=body).status_code in (200, 201)
        yield running


def ask(server: OrthancServer, sql: str, **more: Any) -> tuple[int, Any]:
    answer = server.request("POST", "/dose/api/sql", json={"sql": sql}, **more)
    return answer.status_code, answer.json()


def rows(server: OrthancServer, sql: str, **more: Any) -> list[list[Any]]:
    status, answer = ask(server, sql, **more)
    assert status == 200, answer
    return answer["rows"]


def file(server: OrthancServer, sql: str, kind: str) -> tuple[bytes, dict[str, Any]]:
    answer = server.request("POST", "/dose/api/sql", json={"sql": sql, "format": kind})
    assert answer.status_code == 202, answer.text
    number = answer.json()["id"]
    server.wait_for(lambda: server.ok(f"/dose/api/tasks/{number}")["finished_at"] is not None, "the file")
    task = server.ok(f"/dose/api/tasks/{number}")
    assert task["state"] == "done", task
    got = server.request("GET", f"/dose/api/exports/{number}/file")
    assert got.status_code == 200 and len(got.content) == task["result"]["bytes"]
    return got.content, task


# What must not run, whatever the rights of who asks. None of the answers may say what the statement was after.
HOSTILE = (
    "COPY study TO '/tmp/dose-sql-test.csv'",
    "COPY (SELECT 1) TO '/tmp/dose-sql-test.csv'",
    "ATTACH '/tmp/dose-sql-test.duckdb' AS other",
    "DETACH dose",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET threads = 1",
    "SET VARIABLE a = 1",
    "RESET memory_limit",
    "PRAGMA version",
    "PRAGMA database_list",
    "CALL pragma_version()",
    "CHECKPOINT",
    "VACUUM",
    "BEGIN",
    "COMMIT",
    "USE memory",
    "DESCRIBE account",
    "DESCRIBE study",
    "SHOW TABLES",
    "SHOW ALL TABLES",
    "SUMMARIZE account",
    "SELECT * FROM (DESCRIBE account)",
    "SELECT * FROM (SHOW TABLES)",
    "EXPLAIN SELECT 1",
    "EXPLAIN ANALYZE COPY study TO '/tmp/dose-sql-test.csv'",
    "EXPLAIN ANALYZE DELETE FROM study",
    "INSERT INTO state VALUES ('a', 'b')",
    "WITH x AS (INSERT INTO state VALUES ('a', 'b') RETURNING *) SELECT * FROM x",
    "UPDATE study SET patient_name = 'x'",
    "DELETE FROM study",
    "DROP TABLE study",
    "CREATE TABLE a AS SELECT 1",
    "CREATE OR REPLACE TEMP VIEW study AS SELECT * FROM account",
    "CREATE MACRO f() AS TABLE SELECT * FROM account",
    "ALTER TABLE study DROP COLUMN id",
    "COMMENT ON TABLE study IS 'x'",
    "EXPORT DATABASE '/tmp/dose-sql-test'",
    "IMPORT DATABASE '/tmp'",
    "PREPARE p AS SELECT * FROM account",
    "EXECUTE p",
    "CREATE SECRET (TYPE s3)",
    "MERGE INTO study USING account ON true WHEN MATCHED THEN DELETE",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE study",
    "SELECT * FROM study; COPY study TO '/tmp/dose-sql-test.csv'",
    "",
    ";",
    "-- nothing",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT * FROM read_json('/etc/passwd')",
    "SELECT * FROM read_parquet('/etc/passwd')",
    "SELECT * FROM parquet_metadata('/etc/passwd')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM \"/etc/passwd\"",
    "SELECT * FROM 'exports/1'",
    "FROM '/etc/passwd'",
    "SELECT * FROM 'http://127.0.0.1:9/a.parquet'",
    "SELECT * FROM read_csv('http://127.0.0.1:9/a.csv')",
    "SELECT * FROM read_parquet('s3://bucket/a')",
    "SELECT (SELECT content FROM read_text('/etc/passwd'))",
    "SELECT * FROM study WHERE id IN (SELECT 1 FROM read_text('/etc/passwd'))",
    "SELECT * FROM study, LATERAL (SELECT * FROM read_text('/etc/passwd'))",
    "SELECT list_transform([1], x -> (SELECT count(*) FROM read_text('/etc/passwd')))",
    "SELECT * FROM account",
    "SELECT * FROM ACCOUNT",
    'SELECT * FROM "account"',
    "SELECT * FROM main.account",
    "SELECT * FROM dose.main.account",
    "SELECT * FROM dose.account",
    "SELECT * FROM main.study",
    "SELECT * FROM dose.main.study",
    "SELECT patient_name FROM dose.main.study",
    "TABLE account",
    "FROM account",
    "FROM (FROM account)",
    "SELECT account FROM account",
    "SELECT * FROM token",
    "SELECT * FROM setting",
    "SELECT * FROM audit_log",
    "SELECT * FROM task",
    "SELECT * FROM task_log",
    "SELECT * FROM state",
    "SELECT * FROM term",
    "SELECT * FROM patient_size",
    "SELECT content FROM object",
    "SELECT orthanc_id FROM object",
    "SELECT rowid FROM study",
    "SELECT (SELECT max(password_hash) FROM account)",
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM account)",
    "SELECT 1 UNION SELECT 2 FROM account",
    "SELECT * FROM study ORDER BY (SELECT count(*) FROM account)",
    "SELECT * FROM study LIMIT (SELECT count(*) FROM account)",
    "SELECT * FROM study QUALIFY row_number() OVER () = (SELECT count(*) FROM account)",
    "SELECT * FROM study POSITIONAL JOIN account",
    "SELECT * FROM study SEMI JOIN account ON true",
    "SELECT * FROM (PIVOT account ON name IN ('a') USING count(*))",
    "PIVOT study ON modality USING count(*)",
    "VALUES ((SELECT count(*) FROM account))",
    "WITH study AS (SELECT * FROM account) SELECT * FROM study",
    "WITH x AS (SELECT * FROM account) SELECT * FROM x",
    "WITH account AS (SELECT 1) SELECT * FROM account",
    "SELECT * FROM (WITH account AS (SELECT 1 AS n) SELECT * FROM account), account",
    "WITH pg_class AS (SELECT 1) SELECT * FROM pg_class",
    "WITH RECURSIVE x AS (SELECT 1 AS n UNION ALL SELECT count(*) FROM account) SELECT * FROM x",
    "SELECT * FROM query('SELECT * FROM account')",
    "SELECT * FROM query_table('account')",
    "SELECT * FROM query_table(['account', 'token'])",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT * FROM account'))",
    "SELECT json_serialize_plan('SELECT * FROM account')",
    "SELECT json_serialize_sql('SELECT 1')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_tables()",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM duckdb_temporary_files()",
    "SELECT * FROM main.duckdb_settings()",
    "SELECT * FROM duckdb_tables",
    "SELECT * FROM pragma_table_info('account')",
    "SELECT * FROM pragma_storage_info('account')",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM information_schema.columns",
    "SELECT * FROM pg_catalog.pg_class",
    "SELECT * FROM pg_class",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM seq_scan('account')",
    "SELECT * FROM arrow_scan(1, 2, 3)",
    "SELECT * FROM pandas_scan(1)",
    "SELECT * FROM python_map_function(1)",
    "SELECT * FROM test_all_types()",
    "SELECT * FROM summary((SELECT 1))",
    "SELECT * FROM repeat(1, 10)",
    "SELECT * FROM checkpoint()",
    "SELECT * FROM services",
    "SELECT * FROM connection",
    "SELECT * FROM tree",
    "SELECT current_setting('temp_directory')",
    "SELECT main.current_setting('temp_directory')",
    "SELECT system.main.current_setting('temp_directory')",
    "SELECT getvariable('a')",
    "SELECT getenv('HOME')",
    "SELECT nextval('a')",
    "SELECT pg_get_viewdef(1)",
    "SELECT write_log('x')",
    "SELECT current_query()",
    "SELECT range(1000000000)",
    "SELECT repeat('x', 1000000000)",
    "SELECT list_resize([1], 1000000000)",
    "SELECT $1",
    "SELECT ?",
    "SELECT " + "(" * 3000 + "1" + ")" * 3000 + " FROM account",
    "SELECT " + "NOT " * 4000 + "true",
    "SELECT " + "CASE WHEN true THEN " * 800 + "1" + " END" * 800,
    "SELECT '" + "x" * 20_001 + "'",
    "SELECT '\0'",
    "SELECT '\ud800'",
)


@pytest.mark.parametrize("sql", HOSTILE, ids=lambda sql: sql[:60].encode("ascii", "replace").decode() or "nothing")
def test_hostile_statements_are_refused(server: OrthancServer, sql: str) -> None:
    status, answer = ask(server, sql)
    assert status == 400, answer
    assert answer["error"]["code"] in ("sql_not_allowed", "bad_sql", "bad_body") and answer["error"]["message"]
    assert "argon2" not in str(answer) and "root:" not in str(answer)


def test_refused_statements_did_nothing(server: OrthancServer) -> None:
    assert rows(server, "SELECT count(*) FROM study") == [[len(server.studies())]]
    assert not list(server.dose_directory.glob("*sql-test*"))


def test_values_are_those_of_the_api(server: OrthancServer) -> None:
    for view, per_study in (("ct_event", "events"), ("projection_event", "events"), ("projection_accumulated", "accumulated")):
        status, answer = ask(server, f"SELECT * FROM {view}")
        assert status == 200 and not answer["cut"]
        names = [column["name"] for column in answer["columns"]]
        found = [dict(zip(names, row, strict=True)) for row in answer["rows"]]
        wanted = [row for detail in server.details() for row in detail[per_study] if set(row) == set(names)]
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
    [[moment, listed]] = rows(server, "SELECT TIMESTAMPTZ '2026-01-31 10:20:30+00', [TIMESTAMPTZ '2026-01-31 10:20:30+00']")
    assert isinstance(moment, str) and isinstance(listed, str) and "2026-01-31" in listed


def test_what_is_allowed_runs(server: OrthancServer) -> None:
    for sql in (
        "FROM study SELECT id", "TABLE equipment", "VALUES (1), (2)", "SELECT 1;", "SELECT 1 -- a comment",
        "/* one */ SELECT 1",
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT sum(n) FROM r",
        "SELECT modality, quantile_cont(dlp_total, [0.25, 0.5, 0.75]) FROM study GROUP BY ALL",
        "SELECT e.display_name, count(*) FROM study s JOIN equipment e ON e.id = s.equipment_id GROUP BY ALL",
        "SELECT s.id, o.outcome FROM object o JOIN study s ON s.id = o.study_id",
        "SELECT * FROM study_standard_name", "SELECT unnest(marks, recursive := true) FROM study",
        "SELECT f.material.meaning FROM projection_event, unnest(xray_filters) AS t(f)",
        "SELECT * FROM (PIVOT study ON modality IN ('CT', 'DX') USING count(*) GROUP BY equipment_id)",
        "SELECT id, row_number() OVER (PARTITION BY modality ORDER BY dlp_total) FROM study",
        "SELECT COLUMNS('.*total.*') FROM study", "SELECT date_trunc('month', study_date), count(*) FROM study GROUP BY ALL",
        "SELECT list_sum([1, 2]), strftime(study_date, '%Y'), extract(year FROM study_date), {'a': 1}.a FROM study",
        "SELECT * FROM generate_series(DATE '2026-01-01', DATE '2026-01-05', INTERVAL 1 DAY)", "SELECT id, id FROM study",
    ):  # fmt: skip
        status, answer = ask(server, sql)
        assert status == 200, (sql, answer)
        assert all(len(row) == len(answer["columns"]) for row in answer["rows"])


def test_an_error_says_where(server: OrthancServer) -> None:
    long = "SELECT " + "1, " * 100 + "nothing FROM study"
    for sql, place in (("SELECT id\nFROM study\nWHERE nothing = 1", (3, 7)), ("SELEC 1", (1, 1)),
                       ("SELECT id FROM nothing", (1, 16)), (long, (1, 308))):  # fmt: skip
        status, answer = ask(server, sql)
        assert status == 400 and answer["error"]["place"] == {"line": place[0], "column": place[1]}, answer


def test_the_order_is_that_of_the_statement(server: OrthancServer) -> None:
    found = rows(server, "SELECT i, hash(i) AS h FROM range(9000) t(i) ORDER BY h")
    assert len(found) == 9000 and [int(row[1]) for row in found] == sorted(int(row[1]) for row in found)
    raw, _ = file(server, "SELECT i FROM range(300000) t(i) ORDER BY i DESC", "parquet")
    assert pq.read_table(io.BytesIO(raw))["i"].to_pylist() == list(range(299_999, -1, -1))


def test_names_are_for_those_who_may_know_them(server: OrthancServer) -> None:
    assert rows(server, f"SELECT patient_name FROM study WHERE patient_id = '{PATIENT_ID}'") == [["Somebody, Known"]]
    mine = server.ok("/dose/api/sql/views")["views"]
    theirs = server.request("GET", "/dose/api/sql/views", auth=HELPER).json()["views"]
    for views, told in ((mine, IDENTITY_FIELDS), (theirs, set())):
        study = next(view for view in views if view["name"] == "study")
        assert {column["name"] for column in study["columns"]} & IDENTITY_FIELDS == set(told)
    for name in sorted(IDENTITY_FIELDS):
        status, answer = ask(server, f"SELECT {name} FROM study", auth=HELPER)
        assert status == 400 and answer["error"]["code"] == "bad_sql"
    for view in theirs:
        status, answer = ask(server, f'SELECT * FROM "{view["name"]}"', auth=HELPER)
        assert status == 200 and not {column["name"] for column in answer["columns"]} & IDENTITY_FIELDS
        assert "Somebody" not in str(answer) and PATIENT_ID not in str(answer)


def test_the_views_are_what_they_say(server: OrthancServer) -> None:
    for view in server.ok("/dose/api/sql/views")["views"]:
        status, answer = ask(server, f'SELECT * FROM "{view["name"]}" LIMIT 0')
        assert status == 200 and [one["name"] for one in answer["columns"]] == [one["name"] for one in view["columns"]]
        assert all(one["title"] and one["sql_type"] for one in view["columns"])


def test_the_audit_log_knows_the_statement_but_not_what_it_compares_with(server: OrthancServer) -> None:
    for sql in (f"SELECT id AS found FROM study WHERE patient_name LIKE '{NAME}' OR accession_number = 47110815",
                f'SELECT modality FROM study -- {NAME}', "SELECT modality FROM equipment", f"SELECT '{NAME}"):  # fmt: skip
        ask(server, sql)
    ask(server, 'SELECT id FROM study WHERE patient_name = "Somebody"')
    ask(server, "SELECT modality FROM study", auth=HELPER)
    entries = server.ok("/dose/api/audit-log?action=SQL%20statement%20run&limit=500")["entries"]
    said = str(entries)
    assert "Somebody" not in said and "4711" not in said and NAME not in said
    last, wrong, broken, missing, comment, compared = entries[:6]
    assert (last["user_name"], last["details"], last["succeeded"]) == (HELPER[0], "SELECT modality FROM study", True)
    assert not wrong["succeeded"] and not broken["succeeded"] and not missing["succeeded"]
    assert comment["details"] == "with patient identity: SELECT modality FROM study"
    assert compared["details"].startswith("with patient identity: SELECT id AS found FROM study WHERE")
    assert "…" in compared["details"]
    assert NAME not in server.log and "Somebody" not in server.log


def test_a_file_needs_the_group_of_exports(server: OrthancServer) -> None:
    answer = server.request("POST", "/dose/api/sql", json={"sql": "SELECT 1", "format": "csv"}, auth=HELPER)
    assert answer.status_code == 403
    answer = server.request("POST", "/dose/api/sql", json={"sql": "SELECT 1", "format": "xlsx"})
    assert answer.status_code == 400 and answer.json()["error"]["field"] == "format"


QUERY = "SELECT id, study_description, dlp_total, study_date, procedure_code, marks, id FROM study ORDER BY id"


def test_csv_gives_the_values(server: OrthancServer) -> None:
    raw, task = file(server, QUERY, "csv")
    assert raw.startswith(b"\xef\xbb\xbf") and raw.endswith(b"\r\n") and task["subject"].endswith(".csv")
    titles, *lines = csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""))
    assert titles == ["id", "study_description", "dlp_total", "study_date", "procedure_code", "marks", "id"]
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
    assert table.column_names == ["id", "study_description", "dlp_total", "study_date", "procedure_code", "marks", "id_2"]
    details = {detail["id"]: detail for detail in server.details()}
    assert task["result"]["rows"] == table.num_rows == len(details)
    for row in table.to_pylist():
        detail = details[row["id"]]
        assert row["study_description"] == detail["study_description"] and row["dlp_total"] == detail.get("dlp_total")
        assert row["procedure_code"] == detail["procedure_code"] and str(row["study_date"]) == str(detail["study_date"])
    sql = "SELECT 170141183460469231731687303715::HUGEINT AS h, INTERVAL 1 DAY AS i, [INTERVAL 1 DAY] AS l"
    raw, _ = file(server, sql, "parquet")
    [row] = pq.read_table(io.BytesIO(raw)).to_pylist()
    assert int(row["h"]) == 170141183460469231731687303715 and row["i"] == "1 day" and isinstance(row["l"], str)


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
                read = len(raw.splitlines()) - 1 if kind == "csv" else pq.read_table(io.BytesIO(raw)).num_rows
                assert read == 25
    finally:
        for name in put:
            server.delete(f"/dose/api/settings/{name}")


def test_an_answer_has_a_size(server: OrthancServer) -> None:
    status, answer = ask(server, "SELECT lpad('x', 100000, 'y') FROM range(1000)")
    assert status == 200 and answer["cut"] and 0 < len(answer["rows"]) < 1000


ENDLESS = "SELECT count(*) FROM range(10000000) a, range(10000000) b, range(10000000) c"


def endless(server: OrthancServer) -> tuple[list[tuple[int, Any]], list[threading.Thread]]:
    """Two statements that never end, as many as may run: what became of them, and the threads that wait for it."""
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
    server.wait_for(lambda: ask(server, "SELECT 1")[1].get("error", {}).get("code") == "sql_busy", "statements that run")
    return answers, threads


def test_a_statement_that_never_ends_is_stopped(server: OrthancServer) -> None:
    assert server.request("PUT", "/dose/api/settings", json={"sql_seconds": 3}).status_code == 200
    try:
        answers, threads = endless(server)
        server.send(samples.ct_report(2, key="meanwhile"))
        server.wait_until_idle()
        for thread in threads:
            thread.join()
        assert [(status, answer["error"]["code"]) for status, answer in answers] == [(409, "sql_too_long")] * 2
        assert rows(server, "SELECT 1") == [[1]]
    finally:
        server.delete("/dose/api/settings/sql_seconds")


def test_statements_are_stopped_by_who_started_them(server: OrthancServer) -> None:
    answers, threads = endless(server)
    assert server.request("DELETE", "/dose/api/sql", auth=HELPER).json() == {"stopped": 0}
    assert server.delete("/dose/api/sql") == (200, {"stopped": 2})
    for thread in threads:
        thread.join()
    assert [(status, answer["error"]["code"]) for status, answer in answers] == [(409, "sql_stopped")] * 2
    assert rows(server, "SELECT 1") == [[1]]


def test_a_file_that_never_ends_is_stopped(server: OrthancServer) -> None:
    answer = server.request("POST", "/dose/api/sql", json={"sql": ENDLESS, "format": "csv"})
    number = answer.json()["id"]
    server.wait_for(lambda: server.ok(f"/dose/api/tasks/{number}")["state"] == "running", "the task")
    server.post(f"/dose/api/tasks/{number}/stop")
    server.wait_for(lambda: server.ok(f"/dose/api/tasks/{number}")["finished_at"] is not None, "the end of the task")
    assert server.ok(f"/dose/api/tasks/{number}")["state"] == "stopped"
    assert not list((server.dose_directory / "exports").glob(f"{number}*"))


def test_orthanc_stops_while_a_statement_runs() -> None:
    with OrthancServer() as running:
        _, threads = endless(running)
        assert running.stop() == 0
        for thread in threads:
            thread.join()


def test_the_functions_of_duckdb_are_sorted() -> None:
    """A later DuckDB can have others that read what they must not: volatile ones, and macros over its catalog."""

    with duckdb.connect() as connection:
        query = "SELECT DISTINCT function_name FROM duckdb_functions() WHERE stability = 'VOLATILE'"
        volatile = {name for (name,) in connection.execute(query).fetchall()}
        query = """
            SELECT DISTINCT function_name FROM duckdb_functions()
            WHERE function_type = 'macro' AND regexp_matches(macro_definition, '(?i)\\bfrom\\b|duckdb_|pg_|current_')
        """
        macros = {name for (name,) in connection.execute(query).fetchall()}
    harmless = {"error", "gen_random_uuid", "random", "uuid", "uuidv4", "uuidv7"}
    assert {name for name in volatile if not _REFUSED.fullmatch(name)} <= harmless
    assert {name for name in macros if not _REFUSED.fullmatch(name)} <= {"ago", "pg_typeof"}

"""SQL of a real server: what nobody can ask, who may know what, and what is told of it."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from orthanc_dose.records import IDENTITY_FIELDS
from tests.support.server import OrthancServer
from tests.support.sql import HELPER, NAME, PATIENT_ID, ask, rows, sql_server


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with sql_server() as running:
        yield running


# What must not run, whatever the rights of who asks. None of the answers may say what the statement
# was after.
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
    'SELECT * FROM "/etc/passwd"',
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
    "SELECT handle FROM object",
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
    "SELECT * FROM (WITH account AS (SELECT 1 AS n) SELECT * FROM account), account",
    "WITH pg_class AS (SELECT 1) SELECT * FROM pg_class",
    "WITH RECURSIVE x AS (SELECT 1 AS n UNION ALL SELECT count(*) FROM account) SELECT * FROM x",
    "SELECT * FROM query('SELECT * FROM account')",
    "SELECT * FROM query_table('account')",
    "SELECT * FROM query_table(['account', 'token'])",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT * FROM account'))",
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
    "SELECT getenv('HOME')",
    "SELECT nextval('a')",
    "SELECT $1",
    "SELECT ?",
    "SELECT " + "(" * 3000 + "1" + ")" * 3000 + " FROM account",
    "SELECT " + "NOT " * 4000 + "true",
    "SELECT " + "CASE WHEN true THEN " * 800 + "1" + " END" * 800,
    "SELECT '" + "x" * 20_001 + "'",
    "SELECT '\0'",
    "SELECT '\ud800'",
)


@pytest.mark.parametrize(
    "sql", HOSTILE, ids=lambda sql: sql[:60].encode("ascii", "replace").decode() or "nothing"
)
def test_hostile_statements_are_refused(server: OrthancServer, sql: str) -> None:
    status, answer = ask(server, sql)
    assert status == 400, answer
    assert (
        answer["error"]["code"] in ("sql_not_allowed", "bad_sql", "bad_body")
        and answer["error"]["message"]
    )
    assert "argon2" not in str(answer) and "root:" not in str(answer)


# What reads settings, the catalog, or other SQL: in the process of a statement there is nothing of
# the store to be read.
HARMLESS = (
    "WITH account AS (SELECT 1) SELECT * FROM account",
    "SELECT json_serialize_plan('SELECT * FROM account')",
    "SELECT json_serialize_sql('SELECT * FROM account')",
    "SELECT system.main.current_setting('temp_directory')",
    "SELECT getvariable('a'), pg_get_viewdef(1), write_log('x'), current_query(), current_schemas(true)",
)


def test_there_is_nothing_of_the_store_where_statements_run(server: OrthancServer) -> None:
    for sql in HARMLESS:
        status, answer = ask(server, sql)
        assert status == 200, answer
        assert "argon2" not in str(answer) and str(server.folder) not in str(answer)


def test_the_copy_for_others_does_not_hold_who_patients_are(server: OrthancServer) -> None:
    """Neither as a column nor as bytes; and it is for the server alone."""
    assert rows(server, "SELECT count(*) FROM study WHERE patient_id IS NOT NULL") != [[0]]
    assert rows(server, "SELECT count(*) > 0 FROM study", auth=HELPER) == [[True]]
    [without] = (server.dose_directory / "sql").glob("*/views/study.parquet")
    [others] = (server.dose_directory / "sql").glob("*/identity")
    assert not set(pq.read_schema(without).names) & IDENTITY_FIELDS
    names = {"study.parquet", "study_not_counted.parquet"}
    assert {path.name for path in others.iterdir()} == names
    for name in names:
        assert not set(pq.read_schema(without.parent / name).names) & IDENTITY_FIELDS
        assert set(pq.read_schema(others / name).names) >= IDENTITY_FIELDS
    for path in without.parent.iterdir():
        for row in pq.read_table(path).to_pylist():
            assert "Somebody" not in str(row) and PATIENT_ID not in str(row)
    for folder in (without.parent, others, without.parent.parent, server.dose_directory / "sql"):
        assert folder.stat().st_mode & 0o077 == 0


def test_refused_statements_did_nothing(server: OrthancServer) -> None:
    assert rows(server, "SELECT count(*) FROM study") == [[len(server.studies())]]
    assert not list(Path("/tmp").glob("dose-sql-test*"))


def test_names_are_for_those_who_may_know_them(server: OrthancServer) -> None:
    assert rows(server, f"SELECT patient_name FROM study WHERE patient_id = '{PATIENT_ID}'") == [
        ["Somebody, Known"]
    ]
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
        assert (
            status == 200 and not {column["name"] for column in answer["columns"]} & IDENTITY_FIELDS
        )
        assert "Somebody" not in str(answer) and PATIENT_ID not in str(answer)


def test_the_audit_log_knows_the_statement_but_not_what_it_compares_with(
    server: OrthancServer,
) -> None:
    for sql in (
        f"SELECT id AS found FROM study WHERE patient_name LIKE '{NAME}' OR accession_number = "
        f"47110815",
        f"SELECT modality FROM study -- {NAME}",
        "SELECT modality FROM equipment",
        f"SELECT '{NAME}",
    ):
        ask(server, sql)
    ask(server, 'SELECT id FROM study WHERE patient_name = "Somebody"')
    ask(server, "SELECT modality FROM study", auth=HELPER)
    entries = server.ok("/dose/api/audit-log?action=SQL%20statement%20run&limit=500")["entries"]
    said = str(entries)
    assert "Somebody" not in said and "4711" not in said and NAME not in said
    last, wrong, broken, missing, comment, compared = entries[:6]
    assert (last["user_name"], last["details"], last["succeeded"]) == (
        HELPER[0],
        "SELECT modality FROM study",
        True,
    )
    assert not wrong["succeeded"] and not broken["succeeded"] and not missing["succeeded"]
    assert comment["details"] == "with patient identity: SELECT modality FROM study"
    assert compared["details"].startswith(
        "with patient identity: SELECT id AS found FROM study WHERE"
    )
    assert "…" in compared["details"]
    assert NAME not in server.log and "Somebody" not in server.log


def test_a_file_needs_the_group_of_exports(server: OrthancServer) -> None:
    answer = server.request(
        "POST", "/dose/api/sql", json={"sql": "SELECT 1", "format": "csv"}, auth=HELPER
    )
    assert answer.status_code == 403
    answer = server.request("POST", "/dose/api/sql", json={"sql": "SELECT 1", "format": "xlsx"})
    assert answer.status_code == 400 and answer.json()["error"]["field"] == "format"

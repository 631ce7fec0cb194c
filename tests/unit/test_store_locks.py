"""DuckDB's own locks on the store's connections: whatever SQL says, nothing outside of its folders
is read or written.
"""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from orthanc_dose.store import Store, StoreError
from orthanc_dose.store.database import EXPORTS, quoted, texts


@pytest.fixture(scope="module", params=("data", "a folder's name, ü"))
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("locks") / request.param
    (directory / EXPORTS).mkdir(parents=True)
    (directory / "identity.key").write_text("a key")
    (directory / "exports2").mkdir()
    (directory.parent / "beside").mkdir()
    (directory.parent / "beside" / "there.csv").write_text("a,b\n1,2\n")
    return directory


@pytest.fixture(scope="module")
def store(folder: Path) -> Iterator[Store]:
    opened = Store(folder, "100MB")
    yield opened
    opened.close()


# Each with the folder that the store is in, and one beside it.
FORBIDDEN = (
    "COPY (SELECT 1) TO '{beside}/new.csv'",
    "COPY (SELECT 1) TO '{own}/new.csv'",
    "COPY (SELECT 1) TO '{own}/exports/../new.csv'",
    "COPY (SELECT 1) TO '{own}/exports2/new.csv'",
    "COPY state FROM '{beside}/there.csv'",
    "SELECT * FROM read_csv('{beside}/there.csv')",
    "SELECT * FROM read_text('{beside}/there.csv')",
    "SELECT * FROM read_blob('{own}/identity.key')",
    "SELECT * FROM read_text(['{beside}/there.csv'])",
    "SELECT * FROM '{beside}/there.csv'",
    "SELECT * FROM glob('{beside}/*')",
    "SELECT * FROM glob('{own}/*')",
    "SELECT * FROM sniff_csv('{beside}/there.csv')",
    "ATTACH '{beside}/other.duckdb' AS other",
    "ATTACH '{beside}/there.csv' AS other (READ_ONLY)",
    "EXPORT DATABASE '{beside}/all'",
    "IMPORT DATABASE '{beside}'",
    "SELECT * FROM read_parquet('http://127.0.0.1:9/a.parquet')",
    "SELECT * FROM read_csv('s3://bucket/a.csv')",
    "ATTACH 'postgres:host=127.0.0.1' AS other",
    "INSTALL httpfs",
    "INSTALL httpfs FROM community",
    "LOAD httpfs",
    "LOAD '{beside}/there.csv'",
    "CREATE PERSISTENT SECRET s (TYPE s3)",
    "SET enable_external_access = true",
    "RESET enable_external_access",
    "SET allowed_directories = ['/']",
    "SET allow_community_extensions = true",
    "SET python_enable_replacements = true",
    "SET lock_configuration = false",
    "RESET lock_configuration",
    "SET memory_limit = '1TB'",
    "SET temp_directory = '{beside}'",
    "SET GLOBAL threads = 1",
    "PRAGMA threads = 1",
)


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_duckdb_refuses_by_itself(store: Store, folder: Path, statement: str) -> None:
    before = sorted(path for path in folder.parent.rglob("*"))
    own, other = (str(path).replace("'", "''") for path in (folder, folder.parent / "beside"))
    with store.reading() as connection:
        connection.execute(
            "ROLLBACK"
        )  # what follows is not stopped by the transaction's being one for reading
        with pytest.raises(duckdb.Error):
            connection.execute(statement.format(own=own, beside=other)).fetchall()
        connection.execute("BEGIN")
    assert sorted(path for path in folder.parent.rglob("*")) == before


def test_the_same_statements_do_something_where_nothing_is_locked(tmp_path: Path) -> None:
    (tmp_path / "there.csv").write_text("a,b\n1,2\n")
    open_to_all = duckdb.connect(str(tmp_path / "free.duckdb"))
    for statement in (
        "COPY (SELECT 1) TO '{beside}/new.csv'",
        "SELECT * FROM read_csv('{beside}/there.csv')",
        "SELECT * FROM '{beside}/there.csv'",
        "ATTACH '{beside}/other.duckdb' AS other",
        "SET memory_limit = '1GB'",
    ):
        open_to_all.execute(statement.format(beside=tmp_path)).fetchall()
    open_to_all.close()


def test_a_python_variable_is_no_table(store: Store) -> None:
    secret = pa.table({"text": ["secret"]})
    with store.reading() as connection, pytest.raises(duckdb.CatalogException):
        connection.execute("SELECT * FROM secret").fetchall()
    with store.reading() as connection, texts(connection, "given", ["a"]):
        assert connection.execute("SELECT text FROM given").fetchall() == [("a",)]
    assert secret.num_rows == 1


def test_files_can_be_written_where_exports_are(store: Store, folder: Path) -> None:
    to = folder / EXPORTS
    with store.reading() as connection:
        for ending, options in (("parquet", "FORMAT parquet"), ("jsonl", "FORMAT json")):
            path = to / f"1.part.{ending}"
            connection.execute(
                f"COPY (SELECT unnest([1, 2]) AS number) TO {quoted(path)} ({options})"
            )
            assert duckdb.connect().execute(
                f"SELECT list(number) FROM {quoted(path)}"
            ).fetchone() == ([1, 2],)
        query = "SELECT i, i % 2 AS part FROM range(4) t(i)"
        connection.execute(
            f"COPY ({query}) TO {quoted(to / 'parted')} (FORMAT parquet, PARTITION_BY (part))"
        )
    assert sorted(path.name for path in (to / "parted").iterdir()) == ["part=0", "part=1"]


def test_the_store_is_renewed_and_opened_again_behind_the_locks(store: Store, folder: Path) -> None:
    with store.writing() as connection:
        connection.execute("INSERT INTO state VALUES ('cursor', '5')")
    store.renew()
    store.reopen()
    with store.reading() as connection:
        assert connection.execute("SELECT value FROM state WHERE name = 'cursor'").fetchone() == (
            "5",
        )
        with pytest.raises(duckdb.Error):
            connection.execute("SELECT * FROM read_text('/etc/hostname')")
    assert sorted(path.name for path in folder.glob("dose.*")) == [
        "dose.duckdb",
        "dose.duckdb.last",
    ]


def test_what_memory_does_not_hold_goes_to_disk(store: Store, folder: Path) -> None:
    with store.reading() as connection:
        connection.execute(
            "CREATE TEMP TABLE large AS SELECT i, md5(i::VARCHAR) AS text FROM range(3_000_000) "
            "t(i)"
        )
        query = (
            "SELECT count(*), min(text), max(i) FROM (SELECT * FROM large ORDER BY text LIMIT "
            "2_900_000)"
        )
        assert (connection.execute(query).fetchone() or ())[0] == 2_900_000
        assert any((folder / "dose.duckdb.tmp").iterdir()), (
            "the test asks for less memory than there is"
        )


def test_a_store_that_cannot_be_locked_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: Store, database: duckdb.DuckDBPyConnection) -> None:
        raise duckdb.InvalidInputException("no such option")

    monkeypatch.setattr(Store, "_lock_in", fails)
    with pytest.raises(StoreError):
        Store(tmp_path)


def test_readers_of_a_store_that_is_reopened_are_told_so(tmp_path: Path) -> None:
    """The result of a query is not open any more if the store is closed before it is fetched: DuckDB
    says InvalidInputException, which must not become an answer 500."""
    store = Store(tmp_path)
    with pytest.raises(StoreError), store.reading() as connection:
        connection.execute("SELECT count(*) FROM study")
        store.reopen()
        connection.execute("SELECT count(*) FROM study").fetchall()
    with pytest.raises(StoreError), store.reading():
        store.reopen()
        raise duckdb.InvalidInputException("No open result set")
    with pytest.raises(duckdb.InvalidInputException), store.reading():
        raise duckdb.InvalidInputException("another cause")
    store.close()

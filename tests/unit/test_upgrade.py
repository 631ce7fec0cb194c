"""Stores of earlier versions: opening one keeps it as it was, and a migration that fails leaves it
untouched.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from orthanc_dose.store import Store, StoreError, schema
from tests.unit.test_handles import OLD, OLD_WITH_PEOPLE, old_store


@pytest.mark.parametrize("name", [OLD, OLD_WITH_PEOPLE])
def test_an_upgrade_keeps_the_store_as_it_was(name: str, tmp_path: Path) -> None:
    path = old_store(tmp_path, name)
    before = path.read_bytes()
    store = Store(tmp_path)
    with store.reading() as connection:
        query = "SELECT value FROM state WHERE name = 'schema_version'"
        assert connection.execute(query).fetchone() == (str(schema.SCHEMA_VERSION),)
    store.close()
    [kept] = (tmp_path / "before-upgrades").glob("schema-2-*/dose.duckdb")
    assert kept.read_bytes() == before
    Store(tmp_path).close()  # and not again
    assert len(list((tmp_path / "before-upgrades").iterdir())) == 1
    assert not (tmp_path / "dose.duckdb.new").exists()


@pytest.mark.parametrize("step", [2, 3])
@pytest.mark.parametrize(
    "error", [RuntimeError("odd"), duckdb.IOException("disk"), OSError(28, "full")]
)
def test_a_failed_migration_leaves_the_store_untouched(
    step: int, error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old_store(tmp_path)
    before = path.read_bytes()
    migrate = schema.MIGRATIONS[step]

    def fail(connection: duckdb.DuckDBPyConnection, key: bytes) -> None:
        migrate(connection, key)
        raise error

    monkeypatch.setitem(schema.MIGRATIONS, step, fail)
    for _ in range(2):
        with pytest.raises(StoreError) as raised:
            Store(tmp_path)
        assert "as it was" in str(raised.value) and "previous version" in str(raised.value)
        assert path.read_bytes() == before
        assert not list(tmp_path.glob("dose.duckdb.*")), "something was left"
    monkeypatch.setitem(schema.MIGRATIONS, step, migrate)
    Store(tmp_path).close()


def test_a_store_of_a_later_version_is_refused_and_untouched(tmp_path: Path) -> None:
    Store(tmp_path).close()
    path = tmp_path / "dose.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE state SET value = '99' WHERE name = 'schema_version'")
    before = path.read_bytes()
    with pytest.raises(StoreError) as raised:
        Store(tmp_path)
    assert "later version" in str(raised.value) and "damaged" not in str(raised.value)
    assert path.read_bytes() == before


def test_a_full_disk_is_said_before_anything_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old_store(tmp_path)
    before = path.read_bytes()
    full = type("Usage", (), {"free": 1_000})
    monkeypatch.setattr("shutil.disk_usage", lambda _: full)
    with pytest.raises(StoreError) as raised:
        Store(tmp_path)
    assert "MB of free space" in str(raised.value) and path.read_bytes() == before

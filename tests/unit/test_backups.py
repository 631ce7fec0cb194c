"""Backups without a server: the schedule, stopping, secrets of the configuration, the sealed key."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest

from orthanc_dose.backup import contents, folders, restore, sealing
from orthanc_dose.backup.backups import BACKUP, Backups, Rules
from orthanc_dose.config import without_secrets
from orthanc_dose.manage.settings import BY_NAME
from orthanc_dose.store import Store, Writer, tasks
from orthanc_dose.work.followers import Followers
from orthanc_dose.work.runner import Runner
from orthanc_dose.work.steps import Steps
from tests.unit.test_handles import OLD, OLD_WITH_PEOPLE, old_store
from tests.unit.test_runner import Queue
from tests.unit.test_store import batch_of


class House:
    """A store with a runner, and backups by rules and a clock that the test sets."""

    def __init__(self, folder: Path) -> None:
        (folder / "dose").mkdir()
        (folder / "target").mkdir()
        self.store = Store(folder / "dose")
        self.runner = Runner(self.store, (BACKUP,))
        self.runner.join(
            Steps({}, self.runner.owner),
            Queue(self.store),
            Followers(self.store, [], self.runner.owner),
        )
        self.rules = Rules(str(folder / "target"), "", 3)
        self.now = datetime(2026, 3, 28, 12, tzinfo=UTC)
        self.backups = Backups(
            self.store,
            self.runner,
            lambda: self.rules,
            {"DataDirectory": "here"},
            "",
            lambda: ZoneInfo("Europe/Berlin"),
            lambda: self.now,
        )

    def begun(self) -> int:
        with self.store.reading() as connection:
            return connection.execute("SELECT count(*) FROM task WHERE kind = 'backup'").fetchone()[
                0
            ]

    def task(self, number: int) -> tasks.Task:
        while True:
            with self.store.reading() as connection:
                found = tasks.find_task(connection, number)
            if found is not None and found["finished_at"] is not None:
                return found


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.runner.close()
    made.store.close()


def test_a_schedule_starts_backups_at_its_times_and_makes_up_for_missed_ones_once(
    house: House,
) -> None:
    house.rules = replace(house.rules, cron="30 2 * * *")
    house.backups.start_if_due()  # from now on, not for times before
    assert house.begun() == 0
    # The clock goes forward in Berlin on 2026-03-29, from 2:00 to 3:00: 2:30 does not exist.
    assert house.backups.next_at() == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    house.now += timedelta(hours=12)
    house.backups.start_if_due()
    assert house.begun() == 0
    house.now += timedelta(hours=2)
    for _ in range(3):
        house.backups.start_if_due()
    assert house.begun() == 1
    house.now += timedelta(days=5)
    for _ in range(3):
        house.backups.start_if_due()
    assert house.begun() == 2
    house.rules = replace(house.rules, cron="")
    house.now += timedelta(days=5)
    for _ in range(2):
        house.backups.start_if_due()
    assert house.begun() == 2 and house.backups.next_at() is None


def test_a_backup_holds_every_row_in_its_order(house: House, tmp_path: Path) -> None:
    Writer(house.store).commit(batch_of(30))
    made = house.task(house.backups.start("somebody"))
    assert made["state"] == "done", made
    assert house.backups.newest() == {k: v for k, v in made["result"].items() if k != "deleted"}
    query = "SELECT study_id, event_number FROM ct_event"
    with house.store.reading() as connection:
        rows = connection.execute(query).fetchall()
        studies = connection.execute("SELECT * FROM study ORDER BY id").fetchall()
    data = tmp_path / "elsewhere"
    data.mkdir()
    shutil.copy(tmp_path / "dose" / "identity.key", data)
    [backup] = folders.found(tmp_path / "target")
    restore.restore(backup, data)
    store = Store(data)
    with store.reading() as connection:
        assert connection.execute(query).fetchall() == rows and rows
        assert connection.execute("SELECT * FROM study ORDER BY id").fetchall() == studies
    store.close()


def test_a_stopped_backup_leaves_nothing(house: House, tmp_path: Path) -> None:
    Writer(house.store).commit(batch_of(3))
    number = house.backups.start("")
    assert house.runner.stop(number).result()
    assert house.task(number)["state"] in ("stopped", "done")
    made = folders.found(tmp_path / "target")
    assert len(made) == (house.task(number)["state"] == "done")
    assert not list((tmp_path / "target").glob(".*"))


def test_a_clock_set_back_deletes_no_new_backup(house: House, tmp_path: Path) -> None:
    for _ in range(2):
        house.task(house.backups.start(""))
    for path in folders.found(tmp_path / "target"):  # as if made in the future
        path.rename(path.with_name(path.name.replace("dose-20", "dose-21")))
    house.rules = replace(house.rules, kept=1)
    made = house.task(house.backups.start(""))["result"]
    assert [path.name for path in folders.found(tmp_path / "target")] == [made["name"]]


def test_secrets_are_left_out_of_the_configuration() -> None:
    section = {
        "DataDirectory": "/data",
        "BackupPassphrase": "one",
        "OpenID": {"ClientSecret": "two", "Issuer": "https://example.org"},
        "Targets": [{"Password": "three", "Name": "a"}],
        "ApiToken": "",
    }
    left = without_secrets(section)
    assert not {"one", "two", "three"} & {*json.dumps(left).replace('"', " ").split()}
    assert left["OpenID"]["Issuer"] == "https://example.org" and left["DataDirectory"] == "/data"
    assert left["Targets"][0]["Name"] == "a" and left["ApiToken"] == ""
    assert section["BackupPassphrase"] == "one"


def test_a_sealed_key_opens_with_its_passphrase_only() -> None:
    key = bytes(range(32))
    sealed = sealing.seal(key, "a passphrase with ümlaut")
    assert sealing.unseal(sealed, "a passphrase with ümlaut") == key
    assert sealed != sealing.seal(key, "a passphrase with ümlaut"), "no salt"
    assert key not in sealed and key.hex().encode() not in sealed
    for wrong in ("", "a passphrase", "A passphrase with ümlaut"):
        with pytest.raises(sealing.WrongPassphrase):
            sealing.unseal(sealed, wrong)
    told = json.loads(sealed)
    for name in ("salt", "nonce", "sealed"):
        other = told | {name: told[name][::-1]}
        with pytest.raises(sealing.WrongPassphrase):
            sealing.unseal(json.dumps(other).encode(), "a passphrase with ümlaut")
    for file in (b"", b"{}", b"[]", sealed[:-20]):
        with pytest.raises(sealing.WrongPassphrase):
            sealing.unseal(file, "a passphrase with ümlaut")


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("backup_folder", " /mnt/backup ", "/mnt/backup"),
        ("backup_folder", "", ""),
        ("backup_folder", "backups", None),
        ("backup_folder", "/mnt/../etc", None),
        ("backup_folder", "/mnt/\0", None),
        ("backup_schedule", "30 2 * * *", "30 2 * * *"),
        ("backup_schedule", "  ", ""),
        ("backup_schedule", "half past two", None),
        ("backup_schedule", "0 0 31 2 *", None),
        ("backups_kept", 1, 1),
        ("backups_kept", 0, None),
    ],
)
def test_settings_of_backups(name: str, value: object, kept: object) -> None:
    if kept is None:
        with pytest.raises(ValueError, match=r"."):
            BY_NAME[name].checked(value)
    else:
        assert BY_NAME[name].checked(value) == kept


@pytest.mark.parametrize("name", [OLD, OLD_WITH_PEOPLE])
def test_a_store_of_an_older_schema_is_restored_and_brought_up_to_date(
    name: str, tmp_path: Path
) -> None:
    """A backup has the schema of its store: here one that an earlier version would have written."""
    (tmp_path / "old").mkdir()
    path = old_store(tmp_path / "old", name)
    backup = tmp_path / "backup"
    (backup / "tables").mkdir(parents=True)
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = contents.tables_of(connection)
        for table in tables:
            contents.write_table(connection, table, backup / table.file, lambda rows: None)
    manifest = folders.Manifest(
        "dose", datetime(2026, 1, 1), "0.1", 2, duckdb.__version__, 7, False, tuple(tables)
    )
    folders.write_json(backup / folders.MANIFEST, manifest.as_dict())
    folders.write_sums(backup, lambda: None)
    assert folders.read_manifest(backup) == manifest
    with closing(contents.opened(backup)) as own:
        assert contents.differing(own, backup, tables, lambda rows: None) == []

    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(path.with_name("identity.key"), data)
    assert restore.fits(data, backup)
    restore.restore(backup, data)
    Store(path.parent).close()
    Store(data).close()
    found = []
    for folder in (path.parent, data):
        with duckdb.connect(str(folder / "dose.duckdb"), read_only=True) as connection:
            found.append(
                {
                    table.name: (table.rows, table.total)
                    for table in contents.tables_of(connection)
                    if table.name != "state"
                }
            )
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("sql", "changed"),
    [
        ("UPDATE study SET dlp_total = dlp_total + 0.001 WHERE id = 1", {"study"}),
        ("DELETE FROM ct_event WHERE event_number = 1", {"ct_event"}),
        ("UPDATE study SET marks = NULL WHERE id = 1", set()),
        ("UPDATE object SET content = NULL", {"object"}),
    ],
)
def test_a_copy_that_differs_is_found(
    sql: str, changed: set[str], house: House, tmp_path: Path
) -> None:
    Writer(house.store).commit(batch_of(24))
    with house.store.reading() as connection:
        if "marks" in sql:  # none is what it was: no difference, no alarm
            query = "SELECT marks FROM study WHERE id = 1"
            changed = changed if connection.execute(query).fetchone() == (None,) else {"study"}
        tables = contents.tables_of(connection)
    with house.store.writing() as connection:
        connection.execute(sql)
    (tmp_path / "tables").mkdir()
    with house.store.reading() as connection:
        for table in tables:
            contents.write_table(connection, table, tmp_path / table.file, lambda rows: None)
    with closing(contents.opened(tmp_path)) as own:
        wrong = set(contents.differing(own, tmp_path, tables, lambda rows: None))
    assert wrong - {"state"} == changed

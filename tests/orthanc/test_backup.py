"""Backups of a running server, and restoring them: one state, complete and verified, or none; and
what Orthanc received afterwards is read again by itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orthanc_dose.samples import make_studies
from tests.support.exports import done
from tests.support.server import PASSWORD, ROOT, USER, OrthancServer

API = "/dose/api"
PASSPHRASE = "correct horse battery staple"
EARLIER, LATER = list(make_studies(12, seed=31)), list(make_studies(9, seed=32))


def command(*words: str | Path, server: OrthancServer | None = None, **environment: str) -> Any:
    own = {"DOSE_PASSWORD": PASSWORD, "PYTHONPATH": str(ROOT / "plugin"), **environment}
    more = ["--url", server.url, "--user", USER] if server else []
    return subprocess.run(
        [sys.executable, "-m", "orthanc_dose.cli", *map(str, words), *more],
        env=os.environ | own,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=300,
    )


def backed_up(server: OrthancServer) -> Path:
    status, answer = server.post(f"{API}/backups")
    assert status == 202, answer
    made = done(server, answer["task_id"])["result"]
    return Path(made["folder"]) / made["name"]


def restored(server: OrthancServer, backup: Path, **environment: str) -> str:
    ended = command("restore", backup, "--data", server.dose_directory, "--yes", **environment)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def store_counts(path: Path) -> dict[str, int]:
    """The rows of every table of a store that nobody holds."""
    with duckdb.connect(str(path), read_only=True) as connection:
        names = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            for (name,) in names
        }


def doses(server: OrthancServer) -> dict[str, Any]:
    """What the API says of each study, by Study Instance UID, without numbers given by the store."""
    kept = ("dlp_total", "dap_total", "agd_left", "number_of_events", "modality", "study_date")
    return {
        study["study_instance_uid"]: {name: study.get(name) for name in kept}
        for study in server.details()
    }


@pytest.fixture(scope="module")
def backups(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("target")


@pytest.fixture
def server(backups: Path) -> Iterator[OrthancServer]:
    folder = backups / f"own-{len(list(backups.iterdir()))}"
    folder.mkdir()
    dose = {
        "BackupFolder": str(folder),
        "BackupsKept": 3,
        "BackupPassphrase": PASSPHRASE,
        "PatientID": "hashed",
    }
    with OrthancServer(dose=dose) as running:
        running.send(EARLIER)
        running.wait_until_idle()
        yield running


def test_a_backup_is_whole_private_and_says_what_it_is(server: OrthancServer) -> None:
    ended = command("backup", server=server)
    assert ended.returncode == 0, ended.stderr
    backup = Path(ended.stdout.partition(":")[0])
    assert "verified" in ended.stdout and not ended.stderr

    for path in (backup, *backup.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=backup, capture_output=True
    )
    assert checked.returncode == 0, checked.stdout
    summed = {line.split("  ", 1)[1] for line in (backup / "SHA256SUMS").read_text().splitlines()}
    files = {str(one.relative_to(backup)) for one in backup.rglob("*") if one.is_file()}
    assert files == summed | {"SHA256SUMS"}

    # No secret is in it, and no key that could be read.
    assert PASSPHRASE not in (backup / "configuration.json").read_text()
    assert json.loads((backup / "configuration.json").read_text())["BackupsKept"] == 3
    key = (server.dose_directory / "identity.key").read_bytes()
    for path in files:
        assert key not in (backup / path).read_bytes() and key.hex() not in str(path)

    status = server.status()["backup"]
    manifest = json.loads((backup / "backup.json").read_text())
    assert status["newest_at"] == manifest["at"] and 0 <= status["age_seconds"] < 600
    listed = server.ok(f"{API}/backups")
    assert [one["name"] for one in listed["backups"]] == [backup.name]
    assert listed["problem"] is None and listed["with_key"]

    # The counts are those of the store, which has changed since only by the task's own end.
    assert server.stop() == 0
    counts = store_counts(server.dose_directory / "dose.duckdb")
    told = {name: table["rows"] for name, table in manifest["tables"].items()}
    changing = {"state", "task", "audit_log"}
    assert {**told, **dict.fromkeys(changing, 0)} == {**counts, **dict.fromkeys(changing, 0)}
    assert told["study"] == len(EARLIER)


def test_the_newest_are_kept_and_others_files_stay(server: OrthancServer) -> None:
    folder = Path(server.ok(f"{API}/backups")["folder"])
    foreign = folder / "dose-20200101-000000-1-ffffffffffff"  # of another installation
    foreign.mkdir()
    (foreign / "backup.json").write_text("{}")
    (folder / "notes.txt").write_text("not ours")
    made = [backed_up(server) for _ in range(5)]
    assert {one for one in folder.iterdir() if one.name not in (foreign.name, "notes.txt")} == set(
        made[-3:]
    )
    assert foreign.is_dir() and (folder / "notes.txt").exists()


def test_what_a_killed_server_left_is_no_backup_and_goes(server: OrthancServer) -> None:
    folder = backed_up(server).parent
    node = next(folder.glob("dose-*")).name.rpartition("-")[2]
    left = folder / f".dose-20260101-000000-1-{node}.part"
    (left / "tables").mkdir(parents=True)
    assert len(server.ok(f"{API}/backups")["backups"]) == 1
    backed_up(server)
    assert not left.exists()


def test_a_folder_that_is_not_there_is_a_reason_and_nothing_is_written(
    server: OrthancServer, tmp_path: Path
) -> None:
    missing = tmp_path / "not mounted" / "dose"
    assert server.request("PUT", f"{API}/settings", json={"backup_folder": str(missing)}).ok
    assert "does not exist" in server.ok(f"{API}/backups")["problem"]
    status, answer = server.post(f"{API}/backups")
    assert status == 202
    server.wait_for(
        lambda: server.ok(f"{API}/tasks/{answer['task_id']}")["finished_at"] is not None, "the end"
    )
    task = server.ok(f"{API}/tasks/{answer['task_id']}")
    assert task["state"] == "failed" and "does not exist" in task["message"]
    assert not missing.parent.exists()
    for wrong in ("relative/folder", "/a/../b"):
        answer = server.request("PUT", f"{API}/settings", json={"backup_folder": wrong})
        assert answer.status_code == 400 and wrong not in answer.text


@pytest.mark.parametrize("how", ["same Orthanc", "without comparison", "new database", "short log"])
def test_restoring_brings_the_state_back_and_later_objects_are_read_again(
    how: str, server: OrthancServer
) -> None:
    backup = backed_up(server)
    server.send(LATER)
    server.wait_until_idle()
    account = {"password": "rather-long-and-odd-72", "groups": ["view"], "disabled": False}
    assert server.request("PUT", f"{API}/users/later", json=account).ok
    before = doses(server)
    assert len(before) == len(EARLIER) + len(LATER)
    hashes = {row["study_instance_uid"]: row.get("patient_id") for row in server.details()}

    # While Orthanc holds the store, nothing is done.
    ended = command("restore", backup, "--data", server.dose_directory, "--yes")
    assert ended.returncode == 1 and "stop Orthanc" in ended.stderr

    if how == "short log":  # the log ends before the cursor of the backup
        assert server.request("DELETE", "/changes").ok
    assert server.stop() == 0
    if how == "new database":  # Orthanc's own database is replaced, and everything is sent again
        for path in server.folder.iterdir():
            if path.name.startswith("index") or len(path.name) == 2:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    content = (server.dose_directory / "dose.duckdb").read_bytes()
    ended = command("restore", backup, "--data", server.dose_directory)
    assert ended.returncode == 0 and "Nothing was changed" in ended.stdout
    assert (server.dose_directory / "dose.duckdb").read_bytes() == content
    row = next(line for line in ended.stdout.splitlines() if line.startswith("Studies"))
    assert row.split()[-2:] == [str(len(before)), str(len(EARLIER))]

    restored(server, backup)
    [kept] = server.dose_directory.glob("replaced-*")
    assert (kept / "dose.duckdb").read_bytes() == content
    assert store_counts(server.dose_directory / "dose.duckdb")["study"] == len(EARLIER)
    reconciles = {"ReconcileAtStart": how not in ("without comparison", "short log")}
    server.start_as(dose={**server.dose, **reconciles})
    if how == "new database":
        server.send(EARLIER, LATER)
    server.wait_until_idle()
    server.wait_for(lambda: len(server.studies()) == len(before), "all studies")
    assert doses(server) == before
    assert {row["study_instance_uid"]: row.get("patient_id") for row in server.details()} == hashes
    assert "later" not in [user["name"] for user in server.ok(f"{API}/users")["users"]]
    # A second backup of the restored server works, and its identity is the same.
    assert backed_up(server).name.rpartition("-")[2] == backup.name.rpartition("-")[2]


def test_a_lost_machine_comes_back_with_its_key(server: OrthancServer) -> None:
    backup = backed_up(server)
    before, hashes = doses(server), [row.get("patient_id") for row in server.details()]
    assert server.stop() == 0
    shutil.rmtree(server.dose_directory)
    ended = command(
        "restore", backup, "--data", server.dose_directory, "--yes", DOSE_BACKUP_PASSPHRASE="wrong"
    )
    assert ended.returncode == 1 and "passphrase" in ended.stderr
    assert not (server.dose_directory / "dose.duckdb").exists()
    restored(server, backup, DOSE_BACKUP_PASSPHRASE=PASSPHRASE)
    server.start()
    server.wait_until_idle()
    assert doses(server) == before
    assert [row.get("patient_id") for row in server.details()] == hashes
    assert "the key" not in server.log_of_this_start


@pytest.mark.parametrize("damage", ["a bit", "cut", "gone", "manifest", "sums"])
def test_a_damaged_backup_is_refused(damage: str, server: OrthancServer) -> None:
    backup = backed_up(server)
    assert server.stop() == 0
    path = backup / {"manifest": "backup.json", "sums": "SHA256SUMS"}.get(
        damage, "tables/study.parquet"
    )
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(raw[: len(raw) // 2] if damage == "cut" else raw)
    content = (server.dose_directory / "dose.duckdb").read_bytes()
    ended = command("restore", backup, "--data", server.dose_directory, "--yes")
    assert ended.returncode == 1 and "Traceback" not in ended.stderr, ended.stderr
    assert (server.dose_directory / "dose.duckdb").read_bytes() == content
    assert not list(server.dose_directory.glob("replaced-*"))


def test_a_backup_beside_objects_that_arrive_holds_one_state(server: OrthancServer) -> None:
    server.send(LATER[:3])
    backup = backed_up(server)  # the worker may be anywhere
    server.send(LATER[3:])
    server.wait_until_idle()
    tables = backup / "tables"
    with duckdb.connect() as connection:
        # Each study of the state has its objects, and none has others.
        query = f"""
            SELECT count(*) FROM '{tables}/study.parquet' s
            WHERE NOT EXISTS (FROM '{tables}/object.parquet' o WHERE o.study_id = s.id)
        """
        assert connection.execute(query).fetchone() == (0,)
        query = f"""
            SELECT count(*) FROM '{tables}/object.parquet' o WHERE outcome = 'imported'
            AND NOT EXISTS (FROM '{tables}/study.parquet' s WHERE o.study_id = s.id)
        """
        assert connection.execute(query).fetchone() == (0,)


def test_the_sums_are_those_of_the_files(server: OrthancServer) -> None:
    backup = backed_up(server)
    for line in (backup / "SHA256SUMS").read_text().splitlines():
        expected, _, name = line.partition("  ")
        assert hashlib.sha256((backup / name).read_bytes()).hexdigest() == expected


def test_a_restore_is_undone_and_a_store_begun_anew_as_operations_md_says(
    server: OrthancServer,
) -> None:
    backup, data = backed_up(server), server.dose_directory
    server.send(LATER)
    server.wait_until_idle()
    before = doses(server)
    assert server.stop() == 0
    restored(server, backup)
    # Undone: the files of the replaced store are moved back.
    [kept] = data.glob("replaced-*")
    for path in kept.iterdir():
        path.replace(data / path.name)
    server.start()
    server.wait_until_idle()
    assert doses(server) == before and server.status()["store"]["lost"] is None
    # Begun anew: what Orthanc has is read again, and nothing is said to be lost.
    assert server.stop() == 0
    away = data / "away"
    away.mkdir()
    for name in ("dose.duckdb", "dose.duckdb.wal", "dose.duckdb.last"):
        if (data / name).exists():
            (data / name).rename(away / name)
    server.start()
    server.wait_until_idle()
    assert doses(server) == before and server.status()["store"]["lost"] is None
    assert server.status()["backup"]["newest_at"] is None


def test_a_store_that_lost_transactions_says_so_until_somebody_has_seen_it(
    server: OrthancServer,
) -> None:
    before = doses(server)
    server.kill()
    wal = server.dose_directory / "dose.duckdb.wal"
    os.truncate(wal, wal.stat().st_size // 2)
    server.start_as(dose={**server.dose, "ReconcileAtStart": False})
    lost = server.status()["store"]["lost"]
    assert lost["writer"] + lost["beside"] > 0 and lost["noticed_at"].endswith("Z")
    assert "has lost its last transactions" in server.log_of_this_start
    server.wait_for(lambda: len(server.studies()) == len(before), "all studies again")
    server.wait_until_idle()
    assert doses(server) == before
    assert server.post(f"{API}/backups/loss-seen") == (200, {"seen": True})
    assert server.status()["store"]["lost"] is None
    server.restart()
    assert server.status()["store"]["lost"] is None

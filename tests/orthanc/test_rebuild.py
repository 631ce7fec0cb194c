"""Damaged stores of a real server, checked and rebuilt: the dose records come back from what can be
read, from kept contents and from Orthanc; users and settings from what can be read or the backup.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.orthanc.test_backup import API, EARLIER, LATER, backed_up, command, doses
from tests.support.server import OrthancServer


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server's folder with a backup before its last studies and user, and its doses."""
    folder = tmp_path_factory.mktemp("rebuild")
    own = folder / "server"
    own.mkdir()
    with OrthancServer(folder=own) as server:
        server.send(EARLIER)
        server.wait_until_idle()
        _add_user(server, "earlier")
        backup = backed_up(server)
        server.send(LATER)
        server.wait_until_idle()
        _add_user(server, "later")
        found = doses(server)
        assert server.stop() == 0
    return own, backup, found


def _add_user(server: OrthancServer, name: str) -> None:
    account = {"password": "rather-long-and-odd-72", "groups": ["view"], "disabled": False}
    assert server.request("PUT", f"{API}/users/{name}", json=account).ok


def _flip_blocks_of(table: str) -> Callable[[Path], None]:
    def flip(path: Path) -> None:
        with duckdb.connect(str(path), read_only=True) as connection:
            query = (
                f"SELECT DISTINCT block_id FROM pragma_storage_info('{table}') WHERE block_id >= 0"
            )
            blocks = [block for (block,) in connection.execute(query).fetchall()]
        assert blocks
        raw = bytearray(path.read_bytes())
        for block in blocks:
            raw[12_288 + block * 262_144 + 100] ^= 0x04
        path.write_bytes(raw)

    return flip


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-300_000])


DAMAGE: dict[str, Callable[[Path], None]] = {
    "objects": _flip_blocks_of("object"),
    "users": _flip_blocks_of("account"),
    "CT events": _flip_blocks_of("ct_event"),
    "end": _cut,
    "everything": lambda path: path.write_bytes(b""),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("with_backup", [True, False], ids=["backup", "no backup"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_store_is_rebuilt(
    damage: str, with_backup: bool, damaged: Any, tmp_path: Path
) -> None:
    original, backup, before = damaged
    folder = tmp_path / "server"
    shutil.copytree(original, folder)
    data = folder / "dose"
    DAMAGE[damage](data / "dose.duckdb")
    files = {path.name: path.read_bytes() for path in data.glob("*") if path.is_file()}

    ended = command("check", "--data", data)
    assert ended.returncode == 2 and "rebuild" in ended.stdout, ended.stdout + ended.stderr
    words = ["rebuild", "--data", data, *(["--backup", backup] if with_backup else [])]
    planned = command(*words)
    assert planned.returncode == 0, planned.stderr
    assert {path.name: path.read_bytes() for path in data.glob("*") if path.is_file()} == files
    assert not list(data.glob("replaced-*")) and not (data / "rebuilding").exists()
    ended = command(*words, "--yes")
    assert ended.returncode == 0, ended.stderr
    if damage != "gone":
        [kept] = data.glob("replaced-*/dose.duckdb")
        assert kept.read_bytes() == files["dose.duckdb"]
    checked = command("check", "--data", data)
    assert checked.returncode == 0 and "The store is whole" in checked.stdout, checked.stdout

    with OrthancServer(folder=folder, dose={"ReconcileAtStart": False}) as server:
        server.wait_until_idle()

        def finished() -> bool:
            tasks = server.ok(f"{API}/tasks?kind=re-extraction")["tasks"]
            return all(task["finished_at"] for task in tasks) and len(server.studies()) == len(
                before
            )

        server.wait_for(finished, "all studies", lambda: str(len(server.studies())))
        assert doses(server) == before
        tasks = server.ok(f"{API}/tasks?kind=re-extraction")["tasks"]
        assert all(task["state"] == "done" for task in tasks), tasks
        users = {user["name"] for user in server.ok(f"{API}/users")["users"]}
        if with_backup:
            assert "earlier" in users
        [line] = [one for one in planned.stdout.splitlines() if one.startswith("Users,")]
        assert ("later" in users) == ("the damaged store" in line and "users" not in damage), line
        assert server.status()["store"]["lost"] is None
        # It goes on: what arrives now is read, under numbers that nothing else has.
        numbers = [study["id"] for study in server.studies()]
        assert len(set(numbers)) == len(numbers)


def test_a_whole_store_is_called_whole(damaged: Any, tmp_path: Path) -> None:
    data = Path(shutil.copytree(damaged[0] / "dose", tmp_path / "dose"))
    before = {path.name: path.read_bytes() for path in data.iterdir() if path.is_file()}
    ended = command("check", "--data", data)
    assert ended.returncode == 0 and "The store is whole." in ended.stdout
    assert {path.name: path.read_bytes() for path in data.iterdir() if path.is_file()} == before

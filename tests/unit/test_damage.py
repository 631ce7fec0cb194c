"""Damaged stores on real files: a start refuses with the next steps and changes nothing, and a store
that lost its last transactions is noticed; one whose process was killed is not.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orthanc_dose.backup import held
from orthanc_dose.store import Batch, Store, StoreError, Writer, marks
from tests.support.server import ROOT

# Writes beside the writer and as the writer, in turn, and is killed or ends.
_WORK = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    from orthanc_dose.store import Batch, Store, Writer
    store = Store(Path(sys.argv[1]))
    writer = Writer(store)
    for number in range(int(sys.argv[2])):
        with store.writing() as connection:
            row = ["u", "k", str(number), "x" * 2000]
            connection.execute("INSERT INTO setting VALUES (?, ?, ?, ?, now()::TIMESTAMP)", row)
        writer.commit(Batch(state={"cursor": str(number)}))
    print("ready", flush=True)
    if sys.argv[3] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    store.close()
    """
)


def written(folder: Path, count: int, end: str) -> Path:
    """A store after `count` pairs of transactions, whose process was killed or closed it."""
    folder.mkdir(exist_ok=True)
    ended = subprocess.run(
        [sys.executable, "-c", _WORK, str(folder), str(count), end],
        env=os.environ | {"PYTHONPATH": str(ROOT / "plugin")},
        capture_output=True,
        text=True,
    )
    assert ended.stdout == "ready\n", ended.stderr
    assert ended.returncode == (-signal.SIGKILL if end == "kill" else 0)
    return folder


def loss(folder: Path) -> dict[str, object] | None:
    store = Store(folder)
    try:
        with store.reading() as connection:
            return marks.lost(connection)
    finally:
        store.close()


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose last transactions are in its log."""
    folder = written(tmp_path_factory.mktemp("killed") / "dose", 60, "kill")
    assert (folder / "dose.duckdb.wal").stat().st_size > 100_000
    return folder


@pytest.fixture
def own(killed: Path, tmp_path: Path) -> Path:
    return shutil.copytree(killed, tmp_path / "dose")


def cut(path: Path, size: int) -> None:
    os.truncate(path, size)


def test_a_killed_store_has_lost_nothing(own: Path) -> None:
    assert loss(own) is None
    for _ in range(3):  # and again, with what the start itself wrote
        written(own, 3, "kill")
        assert loss(own) is None
    written(own, 3, "end")
    assert not (own / "dose.duckdb.wal").exists() and loss(own) is None


@pytest.mark.parametrize("mark", [b"", b"{", b"\0" * 256, b'{"writer": "x"}', b"[]"])
def test_a_mark_that_cannot_be_read_raises_no_alarm(mark: bytes, own: Path) -> None:
    (own / "dose.duckdb.last").write_bytes(mark)
    assert loss(own) is None
    assert marks.read_mark(own / "dose.duckdb.last")["writer"] == 60


def test_a_store_of_an_earlier_version_has_no_mark(own: Path) -> None:
    (own / "dose.duckdb.last").unlink()
    assert loss(own) is None


@pytest.mark.parametrize("how", ["half", "missing", "empty", "last 3 kB"])
def test_a_cut_log_is_noticed_and_remembered_until_it_was_seen(how: str, own: Path) -> None:
    wal = own / "dose.duckdb.wal"
    size = wal.stat().st_size
    if how == "missing":
        wal.unlink()
    else:
        cut(wal, {"half": size // 2, "empty": 0, "last 3 kB": size - 3_000}[how])
    told = loss(own)
    assert told is not None and told["writer"] and told["beside"] and told["last_at"]
    if how in ("missing", "empty"):
        assert told["writer"] == told["beside"] == 60
    assert loss(own) == told  # still said after the next start
    written(own, 5, "kill")
    assert loss(own) == told  # and what was written since is not lost


def test_an_older_file_put_in_place_of_the_store_is_noticed(own: Path, tmp_path: Path) -> None:
    assert loss(own) is None  # which closes it, and so empties the log
    older = shutil.copy(own / "dose.duckdb", tmp_path / "older")
    written(own, 4, "end")
    shutil.copy(older, own / "dose.duckdb")
    told = loss(own)
    assert told is not None and (told["writer"], told["beside"]) == (4, 4)


def test_a_lost_transaction_has_orthancs_objects_compared(own: Path) -> None:
    (own / "dose.duckdb.wal").unlink()
    store = Store(own)
    assert Writer(store).state("compare_with_orthanc") == "transactions lost"
    store.close()


def flipped(path: Path, at: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 0x10
    path.write_bytes(raw)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty file": lambda folder: cut(folder / "dose.duckdb", 0),
    "file of 5,000 bytes": lambda folder: cut(folder / "dose.duckdb", 5_000),
    "half a file": lambda folder: cut(
        folder / "dose.duckdb", (folder / "dose.duckdb").stat().st_size // 2
    ),
    "without the last 300 kB": lambda folder: cut(
        folder / "dose.duckdb", (folder / "dose.duckdb").stat().st_size - 300_000
    ),
    "without the last byte": lambda folder: cut(
        folder / "dose.duckdb", (folder / "dose.duckdb").stat().st_size - 1
    ),
    "bit in the first header": lambda folder: flipped(folder / "dose.duckdb", 10),
    "bit in the second header": lambda folder: flipped(folder / "dose.duckdb", 4_096 + 10),
    "bit in the third header": lambda folder: flipped(folder / "dose.duckdb", 8_192 + 10),
    "text instead": lambda folder: (folder / "dose.duckdb").write_bytes(b"not a store\n" * 9_000),
}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def refused(folder: Path) -> str:
    before = contents(folder)
    with pytest.raises(StoreError) as error:
        Store(folder)
    assert contents(folder) == before, "a refused start changed something"
    said = str(error.value)
    assert f"orthanc-dose check --data {folder}" in said
    assert "orthanc-dose restore" in said and "orthanc-dose rebuild" in said
    assert "\n" not in said
    return said


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_refused_with_the_next_steps(damage: str, tmp_path: Path) -> None:
    folder = written(tmp_path / "dose", 300, "end")
    assert (folder / "dose.duckdb").stat().st_size > 1_000_000
    DAMAGE[damage](folder)
    refused(folder)


def test_a_damaged_log_is_refused_with_the_next_steps(own: Path) -> None:
    wal = own / "dose.duckdb.wal"
    flipped(wal, wal.stat().st_size // 2)
    refused(own)


def test_a_missing_file_beside_its_log_is_refused(own: Path) -> None:
    (own / "dose.duckdb").unlink()
    assert "is missing" in refused(own)  # DuckDB would delete the log and begin anew


def test_what_another_process_holds_is_not_called_damaged(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from orthanc_dose.store import Store\n"
    code += "store = Store(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "plugin")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "open\n"
        with pytest.raises(StoreError) as error:
            Store(tmp_path)
        assert "damaged" not in str(error.value) and "lock" in str(error.value)
        other.communicate("")


def test_a_batch_that_is_rolled_back_is_not_counted(tmp_path: Path) -> None:
    store = Store(tmp_path)
    writer = Writer(store)
    writer.commit(Batch(state={"cursor": "1"}))

    def spoil(_: object) -> None:
        raise RuntimeError

    for _ in range(3):
        with pytest.raises(RuntimeError):
            writer.commit(Batch(more=spoil))
        with pytest.raises(RuntimeError), store.writing():
            raise RuntimeError
    writer.commit(Batch(state={"cursor": "2"}))
    with store.reading() as connection:
        assert marks.counts(connection) == {"writer": 2, "beside": 0}
    writer.close()
    store.close()
    assert marks.read_mark(tmp_path / "dose.duckdb.last")["writer"] == 2
    assert loss(tmp_path) is None


FILES = {
    "dose.duckdb": b"old",
    "dose.duckdb.wal": b"log",
    "dose.duckdb.last": b"marks",
    "identity.key": b"k",
}


def put_files(data: Path) -> None:
    for name, content in FILES.items():
        (data / name).write_bytes(content)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_store_is_exchanged_and_the_whole_of_the_old_one_is_kept(tmp_path: Path) -> None:
    put_files(tmp_path)
    (tmp_path / "dose.duckdb.new").write_bytes(b"new")
    kept = held.exchange(tmp_path, tmp_path / "dose.duckdb.new", datetime.now(UTC), b"new key")
    assert files(kept) == FILES
    assert files(tmp_path) == {"dose.duckdb": b"new", "identity.key": b"new key"}


@pytest.mark.parametrize("fault", ["no new store", "the key cannot be written"])
def test_an_exchange_that_fails_changes_nothing(tmp_path: Path, fault: str) -> None:
    put_files(tmp_path)
    if fault == "the key cannot be written":
        (tmp_path / "dose.duckdb.new").write_bytes(b"new")
        (tmp_path / "identity.key.new").mkdir()
    with pytest.raises(OSError):
        held.exchange(tmp_path, tmp_path / "dose.duckdb.new", datetime.now(UTC), b"new key")
    left = files(tmp_path)
    left.pop("dose.duckdb.new", None)
    assert left == FILES
    assert not list(tmp_path.glob("replaced-*"))

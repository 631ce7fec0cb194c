"""The files of a store that no Orthanc holds: reading them as they are, and exchanging them."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import duckdb

from ..store.database import FILE_NAME, MARK_NAME, WAL_NAME
from ..store.handles import KEY_FILE
from .folders import flush

_LOCKED = "Could not set lock"


class InUse(Exception):
    """Raised when a process has the store open."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is open in another process: stop Orthanc, and whatever else reads the store, "
            "and run this command again."
        )


class Unreadable(Exception):
    """Raised when a store cannot be opened; the message is DuckDB's."""


def read_store(path: Path) -> duckdb.DuckDBPyConnection:
    """Return a connection that reads a store and changes nothing.

    Raises InUse, Unreadable, or FileNotFoundError.
    """
    if not path.exists():
        raise FileNotFoundError(path)
    try:
        return duckdb.connect(
            str(path), read_only=True, config={"autoload_known_extensions": False}
        )
    except duckdb.Error as error:
        if _LOCKED in str(error):
            raise InUse(path) from error
        raise Unreadable(str(error).strip().splitlines()[0]) from error


@contextlib.contextmanager
def holding(data: Path) -> Iterator[None]:
    """Keep every other process from opening the store, as DuckDB does. Raises InUse.

    This process must not open the store meanwhile: that would end it.
    """
    path = data / FILE_NAME
    if not path.exists():
        yield
        return
    with open(path, "rb+") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InUse(path) from error
        yield


def exchange(data: Path, new: Path, now: datetime, key: bytes | None = None) -> Path:
    """Put a new store in the place of the present one, and return the folder that keeps the latter.

    key: the new key of the installation, if it changes. Raises OSError; then the present store is as
    it was. At each moment there is a store, and the whole of the present one: what takes its place
    is written before, and its files have names in that folder before they lose theirs.
    """
    kept = data / f"replaced-{now:%Y%m%d-%H%M%S}"
    kept.mkdir(mode=0o700)
    try:
        _keep(data, kept)
        fresh = None if key is None else _fresh_key(data, key)
        # A write-ahead log beside the new store would be taken for its own.
        (data / WAL_NAME).unlink(missing_ok=True)
        if fresh is not None:
            fresh.replace(data / KEY_FILE)
        new.replace(data / FILE_NAME)
    except OSError:
        _put_back(data, kept)
        raise
    (data / MARK_NAME).unlink(missing_ok=True)
    for folder in (kept, data):
        flush(folder)
    _give_to_owner(data, (data / FILE_NAME, data / KEY_FILE, kept, *kept.iterdir()))
    return kept


def _keep(data: Path, kept: Path) -> None:
    for name in (FILE_NAME, WAL_NAME):
        if (data / name).exists():
            _also_as(data / name, kept / name)
    # These are written in place.
    for name in (MARK_NAME, KEY_FILE):
        if (data / name).exists():
            shutil.copy2(data / name, kept / name)


def _fresh_key(data: Path, key: bytes) -> Path:
    fresh = data / f"{KEY_FILE}.new"
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return fresh


def _put_back(data: Path, kept: Path) -> None:
    """Undo what an exchange that failed has changed; its folder goes."""
    for name in (WAL_NAME, KEY_FILE):
        if (kept / name).exists():
            (kept / name).replace(data / name)
    shutil.rmtree(kept)


def _also_as(path: Path, name: Path) -> None:
    try:
        name.hardlink_to(path)
    except OSError:  # a file system without hard links
        shutil.copy2(path, name)


def _give_to_owner(data: Path, paths: tuple[Path, ...]) -> None:
    """Give files that root wrote to the owner of the folder, as whom Orthanc runs."""
    if os.geteuid() != 0:
        return
    owner = data.stat()
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            os.chown(path, owner.st_uid, owner.st_gid)

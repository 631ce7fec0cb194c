"""Backups of the running store: the task that makes one, the schedule, and what is there."""

import errno
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from .. import __version__
from ..store import Store, state, tasks
from ..store.schema import SCHEMA_VERSION
from ..work.cron import next_time
from ..work.runner import Kind, Place, Runner
from ..work.task_interface import Failed, Run, Stopped
from . import contents, folders, sealing
from .folders import Manifest

_LOG = logging.getLogger(__name__)
BACKUP = Kind("backup", Place("backup", 1))
DEFAULT_FOLDER = "backups"  # in the data directory
EVERY_S = 30.0
# Beginnings of reasons for which a backup cannot be made.
_NO_FOLDER = "The folder of backups does not exist, perhaps because its disk is not mounted"
_NOT_WRITTEN = "The folder of backups cannot be written"
_DIFFERS = "The copy differs from the store and was deleted"
_UNREADABLE = "The copy could not be read and was deleted."
# State: the newest backup, and since when which schedule has been followed.
_NEWEST, _FOLLOWED = "newest_backup", "backup_schedule"


@dataclass(frozen=True)
class Rules:
    """The settings of backups. folder: absolute, or empty. cron: empty for no schedule."""

    folder: str
    cron: str
    kept: int


class Backups:
    """Makes backups. Can be used from any thread.

    rules: returns the current settings. section: the "Dose" section of the configuration without
    secrets. passphrase: encrypts the installation's key, which is left out if it is empty. zone:
    returns the time zone of the schedule.
    """

    def __init__(
        self,
        store: Store,
        runner: Runner,
        rules: Callable[[], Rules],
        section: dict[str, Any],
        passphrase: str,
        zone: Callable[[], tzinfo],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store, self._runner, self._rules = store, runner, rules
        self._section, self._passphrase = section, passphrase
        self._zone, self._now = zone, now

    @property
    def folder(self) -> Path:
        """The folder of all backups."""
        return Path(self._rules().folder or self._store.path.parent / DEFAULT_FOLDER)

    @property
    def keeps_key(self) -> bool:
        """Return whether backups contain the installation's key."""
        return bool(self._passphrase)

    def problem(self) -> str | None:
        """Return why no backup can be written to the folder now, or None.

        The answer is for a user, as a sentence. A folder that was set must exist, so that nothing
        is written beside a target that is not mounted.
        """
        try:
            self._try_folder()
        except Failed as error:
            return str(error)
        except OSError as error:
            return _not_written(self.folder, error)
        return None

    def _try_folder(self) -> None:
        folder = self.folder
        if not self._rules().folder:
            folder.mkdir(mode=0o700, exist_ok=True)
        if not folder.is_dir():
            raise Failed(f"{_NO_FOLDER}: {folder}.")
        with tempfile.TemporaryFile(dir=folder) as trial:
            trial.write(b"x")

    def newest(self) -> dict[str, Any] | None:
        """Return the newest backup: name, folder, at (of the state that it holds, ISO 8601, UTC),
        bytes, rows, key; None if there is none. Raises StoreError.
        """
        with self._store.reading() as connection:
            told = state.read_state(connection, _NEWEST)
        return json.loads(told) if told else None

    def found(self) -> list[dict[str, Any]]:
        """Return the backups that lie in the folder now, the newest first."""
        try:
            paths = folders.found(self.folder)
        except OSError:
            return []
        out = []
        for path in paths:
            try:
                out.append(_told(folders.read_manifest(path), path))
            except (folders.Unusable, OSError):
                continue  # it is no backup, or it has just been deleted
        return out

    def next_at(self) -> datetime | None:
        """Return the time of the next scheduled backup, UTC, or None."""
        cron = self._rules().cron
        return next_time(cron, self._now(), self._zone()) if cron else None

    def start_if_due(self) -> None:
        """Start a backup if the schedule says so; a turn of the clock.

        Times that were missed while the server was down are made up for, once.
        """
        cron, now = self._rules().cron, self._now()
        with self._store.reading() as connection:
            told = state.read_state(connection, _FOLLOWED)
        followed = json.loads(told) if told else {"cron": ""}
        if followed["cron"] != cron:
            self._follow(cron, now)
            return
        if not cron:
            return
        due = next_time(cron, datetime.fromisoformat(followed["since"]), self._zone())
        if due is not None and due <= now:
            self.start("")
            self._follow(cron, now)

    def _follow(self, cron: str, since: datetime) -> None:
        with self._store.writing() as connection:
            told = json.dumps({"cron": cron, "since": since.isoformat()})
            state.write_state(connection, _FOLLOWED, told)

    def start(self, user: str) -> int:
        """Start a backup and return the task's number."""
        folder = self.folder
        return self._runner.start_on_thread(
            BACKUP, user, str(folder), {}, partial(self._work, folder)
        )

    def _work(self, folder: Path, run: Run) -> dict[str, Any]:
        node = self._runner.owner.node
        name = folders.name_of(tasks.now(), run.number, node)
        coming = folder / folders.unfinished(name)
        try:
            self._try_folder()
            for left in folders.left_over(folder, node):  # of a killed server
                shutil.rmtree(left, ignore_errors=True)
            coming.mkdir(mode=0o700)
            manifest = self._write(run, coming, name)
            self._finish(run, coming, manifest)
            coming.rename(folder / name)
            folders.flush(folder)
        except OSError as error:
            if error.errno in (None, errno.ENOSPC, errno.EDQUOT):
                raise
            raise Failed(_not_written(folder, error)) from error
        finally:
            shutil.rmtree(coming, ignore_errors=True)
        made = _told(manifest, folder / name)
        with self._store.writing() as connection:
            state.write_state(connection, _NEWEST, json.dumps(made))
        if not self.keeps_key:
            _LOG.warning(
                "the backup does not contain identity.key, since BackupPassphrase is not set"
            )
        deleted = self._forget(folder, name, node)
        return made | {"deleted": deleted}

    def _write(self, run: Run, coming: Path, name: str) -> Manifest:
        """Write one state of the store, and return what it is."""
        (coming / "tables").mkdir(mode=0o700)
        with self._store.snapshot() as connection:
            run.connection = connection
            at = tasks.now()
            tables = contents.tables_of(connection)
            cursor = int(state.read_state(connection, "cursor") or 0)
            manifest = Manifest(
                name, at, __version__, SCHEMA_VERSION, duckdb.__version__, cursor,
                self.keeps_key, tuple(tables),
            )  # fmt: skip
            counter = _Counter(run, 2 * manifest.rows)
            for table in tables:
                contents.write_table(connection, table, coming / table.file, counter.add)
            run.connection = None
        folders.write_json(coming / folders.MANIFEST, manifest.as_dict())
        folders.write_json(coming / folders.CONFIGURATION, self._section)
        if self._passphrase:
            sealed = sealing.seal(self._store.key, self._passphrase)
            folders.write_file(coming / folders.SEALED, sealed)
        return manifest

    def _finish(self, run: Run, coming: Path, manifest: Manifest) -> None:
        """Write the checksums, and compare the copy with the state. Raises Failed."""

        def check() -> None:
            if run.stopping.is_set():
                raise Stopped

        folders.write_sums(coming, check)
        counter = _Counter(run, 2 * manifest.rows, manifest.rows)
        connection = contents.opened(coming)
        try:
            run.connection = connection
            wrong = contents.differing(connection, coming, manifest.tables, counter.add)
        except duckdb.Error as error:
            check()
            if "No space left" in str(error):
                raise
            raise Failed(_UNREADABLE) from error
        finally:
            run.connection = None
            connection.close()
        if wrong:
            raise Failed(f"{_DIFFERS}: {', '.join(wrong)}.")
        for inner in (coming / "tables", coming):
            folders.flush(inner)
        run.note(run.number, done=2 * manifest.rows, total=2 * manifest.rows)

    def _forget(self, folder: Path, made: str, node: str) -> int:
        """Delete this node's oldest backups, but never the one just made."""
        old = [path for path in folders.found(folder, node) if path.name != made]
        deleted = 0
        for path in old[self._rules().kept - 1 :]:
            going = path.with_name(folders.unfinished(path.name))
            try:
                path.rename(going)  # so that no half of it is taken for a backup
                shutil.rmtree(going)
                deleted += 1
            except OSError as error:
                _LOG.error("an old backup could not be deleted: %s", type(error).__name__)
        return deleted


class _Counter:
    """Counts rows for the progress of a task."""

    def __init__(self, run: Run, total: int, done: int = 0) -> None:
        self._run, self._total, self._done = run, total, done

    def add(self, rows: int) -> None:
        """Count further rows. Raises Stopped."""
        self._done += rows
        self._run.progress(self._done, self._total)


def _not_written(folder: Path, error: OSError) -> str:
    return f"{_NOT_WRITTEN}: {folder}: {os.strerror(error.errno or 0)}."


def _told(manifest: Manifest, path: Path) -> dict[str, Any]:
    files = (one for one in path.rglob("*") if one.is_file())
    return {
        "name": manifest.name,
        "folder": str(path.parent),
        "at": f"{manifest.at.isoformat(timespec='seconds')}Z",
        "version": manifest.version,
        "rows": manifest.rows,
        "studies": manifest.rows_of("study"),
        "bytes": sum(one.stat().st_size for one in files),
        "key": manifest.key,
    }

"""Bringing a store of an older version up to date, on a copy.

The store itself is untouched until the copy is complete, and is kept as it was in a folder beside
it (UPGRADES), from which it can be put back together with the previous version of the program.
"""

import logging
import os
import shutil
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from . import schema

_LOG = logging.getLogger(__name__)
UPGRADES = "before-upgrades"  # in the data directory


class NotUpgraded(Exception):
    """Raised when a store could not be brought up to date and is as it was; says why."""


def upgrade(path: Path, fresh: Path, key: bytes, version: int) -> None:
    """Bring the store at `path`, which is closed, to the present version.

    fresh: the path of the copy, on the same disk. key: of the installation. version: of the store.
    Raises NotUpgraded.
    """
    _LOG.warning(
        "bringing the store from schema %d to %d; it is kept as it was in %s",
        version,
        schema.SCHEMA_VERSION,
        UPGRADES,
    )
    try:
        _copy(path, fresh)
        with closing(duckdb.connect(str(fresh))) as connection:
            schema.prepare(connection, key)
            connection.execute("CHECKPOINT")
        _flush(fresh)
        _keep(path, version)
        fresh.replace(path)
        _flush(path.parent)
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise NotUpgraded(
            f"it could not be brought from schema {version} to {schema.SCHEMA_VERSION}, and is as "
            f"it was: {reason}. Install the previous version of Orthanc Dose to go on with it"
        ) from error
    finally:
        for ending in ("", ".wal"):
            fresh.with_name(f"{fresh.name}{ending}").unlink(missing_ok=True)


def _copy(path: Path, fresh: Path) -> None:
    needed = 2.2 * path.stat().st_size  # the copy, and what the migration writes into it
    if shutil.disk_usage(path.parent).free < needed:
        raise NotUpgraded(f"this requires {needed / 1e6:,.0f} MB of free space on its disk")
    shutil.copyfile(path, fresh)
    shutil.copymode(path, fresh)


def _keep(path: Path, version: int) -> None:
    folder = path.parent / UPGRADES / f"schema-{version}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    folder.mkdir(mode=0o700, parents=True)
    kept = folder / path.name
    try:
        kept.hardlink_to(path)
    except OSError:  # a file system without hard links
        shutil.copy2(path, kept)
        _flush(kept)
    _flush(folder)


def _flush(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)

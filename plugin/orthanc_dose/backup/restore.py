"""Restoring a backup: what would change, and bringing its state back."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from ..records import TABLES
from ..store import state
from ..store.database import FILE_NAME, quoted
from ..store.handles import KEY_FILE, handle
from ..store.schema import SCHEMA_VERSION
from . import contents, folders, sealing
from .folders import Manifest, Unusable
from .held import Unreadable, exchange, holding, read_store

_TITLES = {table.name: table.title for table in TABLES}
_LOST = """
    SELECT count(*) FROM object
    WHERE received_at > $1 AND outcome = 'imported' AND deleted_at IS NOT NULL
"""


@dataclass(frozen=True)
class Line:
    """The numbers of rows of a kind: in the present store, None if unreadable, and afterwards."""

    title: str
    now: int | None
    after: int


@dataclass(frozen=True)
class Plan:
    """Tells what restoring a backup would change.

    unreadable: why the present store cannot be read, or None. gone: the number of objects whose
    dose the present store has, and which neither the backup nor Orthanc has.
    """

    manifest: Manifest
    lines: tuple[Line, ...]
    unreadable: str | None
    gone: int


def plan(folder: Path, data: Path) -> Plan:
    """Return what restoring a backup would change; nothing is changed.

    Checks all files of the backup. Raises Unusable, InUse.
    """
    manifest = checked(folder)
    with holding(data):
        pass
    now: dict[str, int] = {}
    unreadable, gone = None, 0
    try:
        with closing(read_store(data / FILE_NAME)) as connection:
            names = [name for (name,) in connection.execute(_TABLES).fetchall()]
            for name in names:
                [count] = connection.execute(f'SELECT count(*) FROM "{name}"').fetchone() or (0,)
                now[name] = count
            [gone] = connection.execute(_LOST, [manifest.at]).fetchone() or (0,)
    except FileNotFoundError:
        unreadable = "there is none"
    except Unreadable as error:
        unreadable = str(error)
    except duckdb.Error as error:
        unreadable = str(error).strip().splitlines()[0]
    after = {table.name: table.rows for table in manifest.tables}
    lines = [
        Line(
            _TITLES.get(name, name),
            now.get(name, 0) if unreadable is None else now.get(name),
            after.get(name, 0),
        )
        for name in dict.fromkeys((*_TITLES, *now, *after))
        if now.get(name) or after.get(name)
    ]
    return Plan(manifest, tuple(lines), unreadable, gone)


_TABLES = "SELECT table_name FROM duckdb_tables() WHERE NOT internal"


def checked(folder: Path) -> Manifest:
    """Return the manifest of a backup whose files have their checksums. Raises Unusable."""
    manifest = folders.read_manifest(folder)
    damaged = folders.damaged_files(folder)
    if damaged:
        raise Unusable(f"The backup is damaged: {', '.join(damaged)}. Use another one.")
    if manifest.schema_version > SCHEMA_VERSION:
        raise Unusable(
            f"The backup was made by a later version of Orthanc Dose ({manifest.version}): "
            "install that version."
        )
    return manifest


def key_of(folder: Path, passphrase: str) -> bytes | None:
    """Return the installation's key from a backup, None if it has none. Raises WrongPassphrase."""
    try:
        sealed = (folder / folders.SEALED).read_bytes()
    except FileNotFoundError:
        return None
    return sealing.unseal(sealed, passphrase)


def restore(folder: Path, data: Path, key: bytes | None = None) -> Path:
    """Bring back the state of a backup, and return the folder in which the present store is kept.

    key: the key of the installation, if it is to be brought back as well. Raises Unusable, InUse,
    OSError; then the present store is as it was.
    """
    manifest = checked(folder)
    data.mkdir(parents=True, exist_ok=True)
    with holding(data), _new_store(data) as new:
        fill(new, folder, manifest)
        return exchange(data, new, datetime.now(UTC), key)


@contextmanager
def _new_store(data: Path) -> Iterator[Path]:
    new = data / f"{FILE_NAME}.new"  # as a renewal's, which a start deletes if it is left
    _remove(new)
    try:
        yield new
    finally:
        _remove(new)


def _remove(path: Path) -> None:
    for ending in ("", ".wal"):
        path.with_name(f"{path.name}{ending}").unlink(missing_ok=True)


def fill(new: Path, folder: Path, manifest: Manifest) -> None:
    """Make a store with the tables of a backup, and compare it with them. Raises Unusable."""
    with closing(opened(new, folder)) as connection:
        for table in manifest.tables:
            contents.create_table(connection, table, folder)
            rows, total = contents.counted(connection, f'"{table.name}"')
            # Another version of DuckDB may make other hashes; the files have their checksums.
            same = total == table.total or manifest.duckdb != duckdb.__version__
            if rows != table.rows or not same:
                raise Unusable(f"The table {table.name} could not be restored as it was.")
        state.delete_state(connection, "view")  # the views are made when the store is opened
        state.write_state(connection, state.COMPARE, "restored")
        connection.execute("CHECKPOINT")
    new.chmod(0o600)
    folders.flush(new)


def opened(new: Path, *readable: Path) -> duckdb.DuckDBPyConnection:
    """Return a connection to a store to be written, which may read these folders, nothing else."""
    connection = duckdb.connect(
        str(new),
        config={"autoinstall_known_extensions": False, "autoload_known_extensions": False},
    )
    allowed = ", ".join(map(quoted, readable))
    connection.execute(f"SET allowed_directories = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def fits(data: Path, folder: Path) -> bool:
    """Return whether the key in the data directory is the one with which a backup was made.

    It is not if there is none. A backup of a new store fits any key.
    """
    try:
        key = (data / KEY_FILE).read_bytes()
    except OSError:
        return False
    manifest = folders.read_manifest(folder)
    table = next(table for table in manifest.tables if table.name == "state")
    with closing(contents.opened(folder)) as connection:
        query = f"SELECT value FROM {contents.source(folder, table)} WHERE name = 'key_check'"
        found = connection.execute(query).fetchone()
    return found is None or found[0] == handle(key, "")

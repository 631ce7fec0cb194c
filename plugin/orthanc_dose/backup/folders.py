"""A backup as a folder: its files, their checksums, and finding backups again.

    dose-20261130-214500-17-0f3a9c1b22d4/   time (UTC), task, node
        backup.json          what it is: Manifest
        tables/study.parquet one file per table
        configuration.json   the "Dose" section, without secrets
        identity.key.sealed  the installation's key, if there is a passphrase (sealing.py)
        SHA256SUMS           of all these files, for `sha256sum -c SHA256SUMS`

While it is written its name begins with a dot: a folder without the dot is complete and verified.
All of it belongs to its owner alone (0700, 0600).
"""

import hashlib
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from .contents import Table

FORMAT = 1
MANIFEST, SUMS = "backup.json", "SHA256SUMS"
CONFIGURATION, SEALED = "configuration.json", "identity.key.sealed"
_NAME = re.compile(r"dose-\d{8}-\d{6}-\d+-(?P<node>[0-9a-f]+)")
_PIECE = 1 << 20


class Unusable(Exception):
    """Raised when a folder is no usable backup; the message says why, as a sentence."""


@dataclass(frozen=True)
class Manifest:
    """Describes what a backup contains.

    at: the time of the state of the store, UTC. version, schema_version: of the program that wrote
    it. duckdb: the version with which hashes of rows were made. cursor: up to which change of
    Orthanc the store had read. key: whether the installation's key is in the backup, encrypted.
    """

    name: str
    at: datetime
    version: str
    schema_version: int
    duckdb: str
    cursor: int
    key: bool
    tables: tuple[Table, ...]

    @property
    def rows(self) -> int:
        """The number of rows of all tables."""
        return sum(table.rows for table in self.tables)

    def rows_of(self, name: str) -> int:
        """Return the number of rows of a table, 0 if there is no such table."""
        return sum(table.rows for table in self.tables if table.name == name)

    def as_dict(self) -> dict[str, Any]:
        """Return the content of its file."""
        return {
            "format": FORMAT,
            "name": self.name,
            "at": f"{self.at.isoformat(timespec='seconds')}Z",
            "version": self.version,
            "schema_version": self.schema_version,
            "duckdb": self.duckdb,
            "cursor": self.cursor,
            "key": self.key,
            "tables": {table.name: table.as_dict() for table in self.tables},
        }


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a backup. Raises Unusable."""
    try:
        told = json.loads((folder / MANIFEST).read_bytes())
    except FileNotFoundError as error:
        raise Unusable(f"{folder} is no backup: it has no file {MANIFEST}.") from error
    except (OSError, ValueError) as error:
        raise Unusable(f"{folder / MANIFEST} cannot be read.") from error
    try:
        if told["format"] > FORMAT:
            raise Unusable(
                f"{folder} was made by a later version of Orthanc Dose ({told['version']}), whose "
                "backups this version cannot read."
            )
        return Manifest(
            str(told["name"]),
            datetime.fromisoformat(told["at"]).replace(tzinfo=None),
            str(told["version"]),
            int(told["schema_version"]),
            str(told["duckdb"]),
            int(told["cursor"]),
            bool(told["key"]),
            tuple(Table.from_dict(name, one) for name, one in told["tables"].items()),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unusable(f"{folder / MANIFEST} is not the manifest of a backup.") from error


def name_of(at: datetime, task: int, node: str) -> str:
    """Return the name of a backup."""
    return f"dose-{at:%Y%m%d-%H%M%S}-{task}-{node}"


def unfinished(name: str) -> str:
    """Return the name of a backup's folder while it is written."""
    return f".{name}.part"


def found(folder: Path, node: str | None = None) -> list[Path]:
    """Return the backups in a folder, the newest first. node: only those of this node.

    Raises OSError.
    """
    names = ((_NAME.fullmatch(path.name), path) for path in folder.iterdir())
    of_node = [path for name, path in names if name and node in (None, name["node"])]
    return sorted((path for path in of_node if (path / MANIFEST).is_file()), reverse=True)


def left_over(folder: Path, node: str) -> list[Path]:
    """Return what backups of this node left unfinished in a folder. Raises OSError."""
    return [path for path in folder.glob(f".dose-*-{node}.part") if path.is_dir()]


# --- files and their checksums ---


def write_file(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, and wait until it is on the disk."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(number, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def write_json(path: Path, content: Any) -> None:
    """Write a file of JSON for people and programs."""
    write_file(path, f"{json.dumps(content, indent=1)}\n".encode())


def write_sums(folder: Path, check: Callable[[], object]) -> None:
    """Write the checksums of all files in a backup. check: called often; raises to stop."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [f"{checksum(path, check)}  {path.relative_to(folder)}\n" for path in files]
    write_file(folder / SUMS, "".join(lines).encode())


def damaged_files(folder: Path, check: Callable[[], object] = lambda: None) -> list[str]:
    """Return the files of a backup that are missing or do not have their checksum.

    Raises Unusable if there are no checksums.
    """
    try:
        lines = (folder / SUMS).read_text().splitlines()
    except (OSError, ValueError) as error:
        raise Unusable(f"{folder / SUMS} cannot be read: the backup is incomplete.") from error
    split = (line.partition("  ") for line in lines)
    sums = {name: expected for expected, _, name in split if name}
    if MANIFEST not in sums:
        raise Unusable(f"{folder / SUMS} does not name {MANIFEST}: the backup is incomplete.")
    wrong = []
    for name, expected in sums.items():
        try:
            right = ".." not in Path(name).parts and checksum(folder / name, check) == expected
        except OSError:
            right = False
        if not right:
            wrong.append(name)
    return wrong


def checksum(path: Path, check: Callable[[], object]) -> str:
    """Return the SHA-256 of a file in hexadecimal digits. Raises OSError."""
    sum_ = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(_PIECE):
            sum_.update(piece)
            check()
    return sum_.hexdigest()


def flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)

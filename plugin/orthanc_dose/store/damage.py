"""Recognizing a damaged store, and what to do about it."""

from contextlib import closing
from pathlib import Path

import duckdb

# How DuckDB says that what it reads is not what was written.
_SIGNS = (
    "Corrupt ",
    "not a valid DuckDB database",
    "Could not read enough bytes",
    "Failure while replaying WAL",
    "could not be deserialized",
    "INTERNAL Error",
    "Serialization Error",
)
_HEADERS = (4096, 8192)  # places of the two headers, of which the one with the higher count holds
_DATA = 12_288  # where blocks begin
_BLOCK_SIZES = tuple(2**power for power in range(14, 19))


def is_damage(error: BaseException) -> bool:
    """Return whether an error of DuckDB says that the store is damaged."""
    return any(sign in str(error) for sign in _SIGNS)


def problem_of(path: Path, wal: Path) -> str | None:
    """Return what is wrong with the files of a store as far as their sizes tell, or None.

    DuckDB notices none of this when it opens a store. Raises OSError, and DuckDB's errors.
    """
    if not path.exists():
        if wal.exists():
            return f"{path.name} is missing, but its log {wal.name} is there"
        return None
    size = path.stat().st_size
    with open(path, "rb") as file:
        headers = [(file.seek(place), file.read(48))[1] for place in _HEADERS]
    # Checksum, count, place of the catalogue, place of the free list, number and size of blocks.
    numbers = [
        [int.from_bytes(raw[at : at + 8], "little") for at in range(8, 48, 8)]
        for raw in headers
        if len(raw) == 48
    ]
    if not numbers:
        return None  # DuckDB says it
    *_, blocks, block_size = max(numbers)
    needed = _DATA + blocks * block_size
    if block_size not in _BLOCK_SIZES or size >= needed:
        return None
    # DuckDB cuts unused blocks off by itself, and counts them until its next checkpoint.
    used = _DATA + (_last_block(path) + 1) * block_size
    if size >= used:
        return None
    return f"{path.name} was cut: {used - size:,} of its {used:,} bytes are missing"


def _last_block(path: Path) -> int:
    """Return the number of the last block that a table uses. Reads no blocks but the catalogue's.

    Raises DuckDB's errors.
    """
    last = -1
    with closing(duckdb.connect(str(path), read_only=True)) as connection:
        names = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        for (name,) in names:
            query = (
                "SELECT max(greatest(block_id, list_max(additional_block_ids))) "
                "FROM pragma_storage_info($1)"
            )
            [found] = connection.execute(query, [name]).fetchone() or (None,)
            last = max(last, -1 if found is None else found)
    return last


def next_steps(data: Path) -> str:
    """Return what an administrator can do about a damaged store, as sentences."""
    return (
        "The store is damaged, and nothing was changed. Next steps: "
        f"(1) orthanc-dose check --data {data} lists what is damaged; "
        f"(2) orthanc-dose restore BACKUP --data {data} shows what a backup would bring back, and "
        "brings it back with --yes; "
        f"(3) orthanc-dose rebuild --data {data} --backup BACKUP --yes makes a new store from "
        "what can still be read, from Orthanc's objects and from a backup. See docs/operations.md."
    )

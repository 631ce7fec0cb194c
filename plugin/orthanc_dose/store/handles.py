"""Handles by which the store knows Orthanc's objects: keyed hashes of Orthanc's identifiers.

Orthanc's identifier of an instance or a series is the SHA-1 of the patient ID and the UIDs: whoever
has the UIDs can try patient IDs until one fits. A handle is computed from the identifier with the
key of the installation, so that an object can be found again by it, and nobody without the key can
try anything.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import duckdb
import pyarrow as pa

from . import state

# The key of all hashes of the installation: of handles, and of whatever the rules of patient
# identity hash.
KEY_FILE = "identity.key"
# Prefixed to what is hashed, so that no handle is the hash of a patient's ID.
_DOMAIN = b"orthanc:"
# Number of hexadecimal digits: 128 bits, to which RFC 2104 allows HMAC-SHA-256 to be truncated.
LENGTH = 32
# Prefix of the handle of an object that was written with a key that is lost.
LOST = "lost-"
_BLOCK = 64  # bytes in a block of SHA-256


def installation_key(directory: Path) -> bytes:
    """Return the key of this installation, creating it if it does not exist.

    It is a file next to the store that only its owner can read. Whoever has it can try patient IDs
    and names. Raises OSError.
    """
    path = directory / KEY_FILE
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        key = b""
    if key:
        return key
    key, new = secrets.token_bytes(32), path.with_name(f"{KEY_FILE}.new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return key


def handle(key: bytes, identifier: str) -> str:
    """Return the handle of one of Orthanc's identifiers.

    It is the HMAC-SHA-256 (RFC 2104) of the identifier, truncated to LENGTH digits.
    """
    return hmac.digest(key, _DOMAIN + identifier.encode(), "sha256").hex()[:LENGTH]


def hash_identifiers(connection: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Replace all identifiers by handles in a store of an older version.

    Its columns must already have their new names. DuckDB computes the handles, a million in
    seconds.
    """
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in block) for pad in (0x36, 0x5C))
    columns = ", ".join(
        f"{name} = left(sha256($outer || unhex(sha256($inner || encode({name})))), {LENGTH})"
        for name in ("handle", "series_handle")
    )
    bound = {"inner": inner + _DOMAIN, "outer": outer}
    connection.execute(f"UPDATE object SET {columns}", bound)


def check_key(connection: duckdb.DuckDBPyConnection, key: bytes) -> bool:
    """Return whether the store was written with this key, or is new.

    If it was written with another key, its objects are marked LOST from now on, until Orthanc's
    objects are compared with them (`adopt`).
    """
    own = handle(key, "")
    found = state.read_state(connection, "key_check")
    if found == own:
        return True
    if found is not None:
        for name in ("handle", "series_handle"):
            query = f"UPDATE object SET {name} = $1 || {name} WHERE NOT starts_with({name}, $1)"
            connection.execute(query, [LOST])
    state.write_state(connection, "key_check", own)
    return found is None


def any_lost(connection: duckdb.DuckDBPyConnection) -> bool:
    """Return whether objects wait to be found again after the key was lost."""
    query = "SELECT 1 FROM object WHERE starts_with(handle, $1) LIMIT 1"
    return connection.execute(query, [LOST]).fetchone() is not None


def adopt(
    connection: duckdb.DuckDBPyConnection,
    found: list[tuple[str, str | None, str | None, int]],
) -> None:
    """Give lost objects their handles again.

    found: what Orthanc holds, as handle of the object, handle of the series, SOP Instance UID and
    size in bytes. Objects are matched by the latter two, if exactly one object on each side has
    them.
    """
    lost = """
        SELECT sop_instance_uid AS uid, size, any_value(handle) AS old FROM object
        WHERE starts_with(handle, $1) GROUP BY ALL HAVING count(*) = 1
    """
    held = """
        SELECT uid, size, any_value(handle) AS handle, any_value(series) AS series FROM found
        GROUP BY ALL HAVING count(*) = 1
    """
    query = f"""
        UPDATE object SET handle = same.handle, series_handle = same.series
        FROM (SELECT * FROM ({lost}) JOIN ({held}) USING (uid, size)) same
        WHERE object.handle = same.old
    """
    columns = dict(zip(("handle", "series", "uid", "size"), zip(*found, strict=True), strict=True))
    connection.register("found", pa.table({name: list(of) for name, of in columns.items()}))
    try:
        connection.execute(query, [LOST])
    finally:
        connection.unregister("found")

"""Causes of errors that are not the fault of an object or a request, and pass."""

import errno

import duckdb

from .database import STORE_ERRORS

# Errors of the memory: trying again later can help, as after errors of the store.
MEMORY_ERRORS = (duckdb.OutOfMemoryException, MemoryError)
_OF_NUMBERS = {
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EFBIG: "disk_full",
    errno.EROFS: "read_only",
    errno.EIO: "disk_broken",
}
# What DuckDB's messages contain: the texts of the system's errors (strerror), in English.
_OF_WORDS = {
    "no space left on device": "disk_full",
    "disk quota exceeded": "disk_full",
    "file too large": "disk_full",
    "read-only file system": "read_only",
    "input/output error": "disk_broken",
    "could not set lock": "in_use",
    "conflicting lock": "in_use",
}
CAUSES = {
    "disk_full": "The disk with the database is full.",
    "read_only": "The disk with the database cannot be written to: it is read-only.",
    "disk_broken": "The disk with the database reports errors.",
    "in_use": "Another program is using the database.",
    "memory": "The memory is full.",
    "store": "The database cannot be written to.",
    "internal": "An internal error occurred; the log has its location.",
}


def cause_of(error: BaseException) -> str:
    """Return the cause of an error that stopped work on the store, a key of CAUSES."""
    if isinstance(error, MEMORY_ERRORS):
        return "memory"
    if not isinstance(error, STORE_ERRORS):
        return "internal"
    if isinstance(error, OSError) and error.errno in _OF_NUMBERS:
        return _OF_NUMBERS[error.errno]
    said = str(error).lower()
    return next((cause for words, cause in _OF_WORDS.items() if words in said), "store")

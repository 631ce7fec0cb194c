"""Passwords of the users whom an administrator adds: kept as Argon2id (RFC 9106), and what a new
one must be.
"""

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 10, 200

_hasher = (
    PasswordHasher()
)  # the parameters that the library recommends: 64 MB and some 0.1 s for each
# Each takes its memory: what many requests ask for at once waits here.
_at_once = threading.BoundedSemaphore(2)


def hashed(password: str) -> str:
    """What is kept of a password."""
    with _at_once:
        return _hasher.hash(password)


def matches(kept: str | None, password: str) -> bool:
    """Whether this is the password. None takes as long as a wrong one: nobody learns which names
    there are.
    """
    with _at_once:
        try:
            return _hasher.verify(kept or _nobody(), password) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(kept: str) -> bool:
    """Whether it was made with other parameters than would be used now."""
    return _hasher.check_needs_rehash(kept)


def problem(password: object, name: str) -> str | None:
    """What is wrong with a new password, as a sentence; None where nothing is."""
    if not isinstance(password, str) or not SHORTEST <= len(password) <= LONGEST:
        return f"A password has {SHORTEST} to {LONGEST} characters."
    if password.casefold().strip() == name.casefold():
        return "The password must not be the name."
    return None


@cache
def _nobody() -> str:
    return _hasher.hash("the password of nobody")

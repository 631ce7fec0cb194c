"""Passwords of users added by an administrator.

They are kept as Argon2id (RFC 9106); new ones must meet rules.
"""

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 10, 200

_hasher = (
    PasswordHasher()
)  # the parameters that the library recommends: 64 MB and some 0.1 s for each
# Each hash takes its memory: many simultaneous requests wait here.
_at_once = threading.BoundedSemaphore(2)


def hashed(password: str) -> str:
    """Return what is kept of a password."""
    with _at_once:
        return _hasher.hash(password)


def matches(kept: str | None, password: str) -> bool:
    """Return whether this is the password.

    None takes as long as a wrong password: nobody learns which names exist.
    """
    with _at_once:
        try:
            return _hasher.verify(kept or _nobody(), password) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(kept: str) -> bool:
    """Return whether a hash was made with other parameters than would be used now."""
    return _hasher.check_needs_rehash(kept)


def problem(password: object, name: str) -> str | None:
    """Return what is wrong with a new password, as a sentence, or None."""
    if not isinstance(password, str) or not SHORTEST <= len(password) <= LONGEST:
        return f"A password must have {SHORTEST} to {LONGEST} characters."
    if password.casefold().strip() == name.casefold():
        return "The password must not be the same as the user name."
    return None


@cache
def _nobody() -> str:
    return _hasher.hash("the password of nobody")

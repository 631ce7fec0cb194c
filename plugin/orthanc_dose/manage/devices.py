"""Known browsers: those in which a user's right password was entered before.

Guesses of others do not lock them.
"""

import hashlib
import logging
import re
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import duckdb

from ..store import Store, StoreError
from .tokens import digest
from .users import User

_LOG = logging.getLogger(__name__)
COOKIE = "dose-device"  # part of the name, with a hash of the user's name: people share a browser
DAYS = 180  # days without signing in after which a browser is no longer known
_MOST_OF_ONE = 50
_DEVICE = re.compile(r"([0-9a-f]{24})\.([\w-]{43})", re.ASCII)


class Devices:
    """The known browsers, in the store.

    Failures of the store keep nobody out: the browser is then treated as unknown.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, cookies: Iterable[str], user: User | None) -> str:
        """Return the number of a known browser of this user, from the values of cookies.

        Empty if there is none.
        """
        found = filter(None, map(_DEVICE.fullmatch, cookies))
        told: dict[str, str] = {one[1]: one[2] for one in found}
        if user is None or user.disabled or not told:
            return ""
        try:
            with self._store.reading() as connection:
                kept = connection.execute(
                    "SELECT id, digest FROM device WHERE user_name = $1 AND used_at > $2",
                    [user.name, _now() - timedelta(days=DAYS)],
                ).fetchall()
        except (StoreError, duckdb.Error) as error:
            _LOG.error("could not look up known browsers", exc_info=error)
            return ""
        number: str
        for number, known in kept:
            # For a digest of random bytes, the time that a comparison takes reveals nothing.
            if number in told and known == digest(told[number], user):
                return number
        return ""

    def remember(self, user: User, known: str) -> str:
        """Return what the cookie of a browser is to hold; empty if it stays as it is.

        known: the number that `find` returned.
        """
        number, secret, now = known or secrets.token_hex(12), secrets.token_urlsafe(32), _now()
        try:
            with self._store.writing() as connection:
                if known:
                    connection.execute("UPDATE device SET used_at = $1 WHERE id = $2", [now, known])
                    return ""
                connection.execute(
                    "DELETE FROM device WHERE used_at < $1 OR id IN (SELECT id FROM device WHERE "
                    "user_name = $2 ORDER BY used_at DESC OFFSET $3)",
                    [now - timedelta(days=DAYS), user.name, _MOST_OF_ONE - 1],
                )
                connection.execute(
                    "INSERT INTO device (id, user_name, digest, used_at) VALUES (?, ?, ?, ?)",
                    [number, user.name, digest(secret, user), now],
                )
        except (StoreError, duckdb.Error) as error:
            _LOG.error("could not remember a browser", exc_info=error)
            return ""
        return f"{number}.{secret}"


def cookie_of(name: str) -> str:
    """Return the name of the cookie of a user's known browser."""
    return f"{COOKIE}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)

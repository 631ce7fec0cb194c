"""Tokens with which scripts act in the name of a user.

A token is dose_<number>_<secret>; its secret is shown only once.
"""

import hashlib
import hmac
import re
import secrets
from datetime import UTC, datetime, timedelta

from ..records.rows import TokenRow
from ..store import Store
from ..store.database import rows_of
from .users import User, Users

MOST_OF_ONE = 50
LONGEST_LIFE = 3650  # days
_TOKEN = re.compile(r"dose_([0-9a-f]{12})_([\w-]{43})", re.ASCII)
_SHOWN = "id, name, user_name, created_at, expires_at, last_used_at"


class TooManyTokens(Exception):
    """Raised when the user has the maximum number of tokens."""


class Tokens:
    """The tokens in the store."""

    def __init__(self, store: Store, users: Users) -> None:
        self._store, self._users = store, users

    def make(self, user: User, name: str, days: int | None) -> tuple[TokenRow, str]:
        """Create a token of a user, and return its row and the token itself.

        days: after which it ends; None for never. Raises TooManyTokens.
        """
        number, secret, now = secrets.token_hex(6), secrets.token_urlsafe(32), _now()
        row: TokenRow = {
            "id": number,
            "name": name,
            "user_name": user.name,
            "created_at": now,
            "expires_at": now + timedelta(days=days) if days else None,
            "last_used_at": None,
        }
        with self._store.writing() as connection:
            found = connection.execute(
                "SELECT count(*) FROM token WHERE user_name = $1", [user.name]
            ).fetchone()
            if found and found[0] >= MOST_OF_ONE:
                raise TooManyTokens
            values = [*row.values(), digest(secret, user)]
            connection.execute(
                f"INSERT INTO token ({_SHOWN}, digest) VALUES (?, ?, ?, ?, ?, ?, ?)", values
            )
        return row, f"dose_{number}_{secret}"

    def user(self, token: str) -> User | None:
        """Return the user of a token, or None if it is not, or no longer, valid."""
        found = _TOKEN.fullmatch(token)
        if found is None:
            return None
        with self._store.reading() as connection:
            query = f"SELECT {_SHOWN}, digest FROM token WHERE id = $1"
            kept = rows_of(connection.execute(query, [found[1]]), TokenRow)
        user = self._users.get(kept[0]["user_name"]) if kept else None
        if (
            user is None
            or user.disabled
            or not hmac.compare_digest(kept[0]["digest"], digest(found[2], user))
        ):
            return None
        now, ends, used = _now(), kept[0]["expires_at"], kept[0]["last_used_at"]
        if ends is not None and ends <= now:
            return None
        if used is None or used.date() != now.date():
            with self._store.writing() as connection:
                day = datetime(now.year, now.month, now.day)
                connection.execute(
                    "UPDATE token SET last_used_at = $1 WHERE id = $2", [day, found[1]]
                )
        return user

    def list_tokens(self, user: str | None) -> list[TokenRow]:
        """Return the tokens of a user, or everybody's, the newest first."""
        query = (
            f"SELECT {_SHOWN} FROM token WHERE $1 IS NULL OR user_name = $1 ORDER BY "
            f"created_at DESC, id"
        )
        with self._store.reading() as connection:
            return rows_of(connection.execute(query, [user]), TokenRow)

    def withdraw(self, number: str, user: str | None) -> bool:
        """End a token of this user, or of anybody. Returns False if there is none."""
        query = "DELETE FROM token WHERE id = $1 AND ($2 IS NULL OR user_name = $2)"
        with self._store.writing() as connection:
            found = connection.execute(query, [number, user]).fetchone()
        return bool(found and found[0])


def digest(secret: str, user: User) -> str:
    """Return what is kept of a user's secret; it changes with the password."""
    # For an added user, the stamp is used; for one of the configuration, whose stamp never changes,
    # the password itself.
    bound = user.secret if user.configured else user.stamp
    return hmac.new(
        secret.encode(), bound.encode("utf-8", "surrogatepass"), hashlib.sha256
    ).hexdigest()


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)

"""Tokens, with which scripts come in the name of a user: dose_<number>_<secret>, of which the
secret is shown once.
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
    """The user has as many tokens as one may have."""


class Tokens:
    """The tokens in the store."""

    def __init__(self, store: Store, users: Users) -> None:
        self._store, self._users = store, users

    def make(self, user: User, name: str, days: int | None) -> tuple[TokenRow, str]:
        """A new token of a user, which ends after so many days or never: its row, and the token
        itself. Raises TooManyTokens."""
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
        """Whose token this is; None for what is none, or none any more."""
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

    def listed(self, user: str | None) -> list[TokenRow]:
        """The tokens of a user, or everybody's, the newest first."""
        query = (
            f"SELECT {_SHOWN} FROM token WHERE $1 IS NULL OR user_name = $1 ORDER BY "
            f"created_at DESC, id"
        )
        with self._store.reading() as connection:
            return rows_of(connection.execute(query, [user]), TokenRow)

    def withdraw(self, number: str, user: str | None) -> bool:
        """End a token of this user, or of anybody; False where there is none."""
        query = "DELETE FROM token WHERE id = $1 AND ($2 IS NULL OR user_name = $2)"
        with self._store.writing() as connection:
            found = connection.execute(query, [number, user]).fetchone()
        return bool(found and found[0])


def digest(secret: str, user: User) -> str:
    """What is kept of a secret of a user: with another password it is another."""
    # With the stamp of an added user, with the password itself of one of the configuration, whose
    # stamp never changes.
    bound = user.secret if user.configured else user.stamp
    return hmac.new(
        secret.encode(), bound.encode("utf-8", "surrogatepass"), hashlib.sha256
    ).hexdigest()


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)

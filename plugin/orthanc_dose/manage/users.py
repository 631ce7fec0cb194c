"""The users: those of Orthanc's configuration, and those added by an administrator."""

import hmac
import re
import threading
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import duckdb

from ..records.access import GROUPS
from ..store import Store
from . import passwords

# Beside the groups, in the configuration: the right to use Orthanc's own pages and routes, which
# know nothing of the groups.
ORTHANC = "orthanc"
LONGEST_NAME = 60
NAME = re.compile(r"[\w.@+-]+( [\w.@+-]+)*")


class AccountError(Exception):
    """Raised when a change of users is not possible.

    code: bad_name, bad_password, bad_groups, taken, unknown, from_configuration,
    last_administrator; the message is a sentence for people.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class User:
    """A user.

    configured: from Orthanc's configuration. orthanc: may use Orthanc's own pages and routes.
    secret: the password of a configured user, the hash of an added one. stamp: changes with the
    password.
    """

    name: str
    groups: frozenset[str]
    configured: bool
    secret: str = field(repr=False)
    stamp: str = ""
    orthanc: bool = False
    disabled: bool = False
    created_at: datetime | None = None
    created_by: str = ""

    @property
    def administers(self) -> bool:
        return "administration" in self.groups and not self.disabled


class Users:
    """All users, held in memory and in the store. Safe to be used from several threads."""

    def __init__(
        self, store: Store, configured: Mapping[str, str], rights: Mapping[str, Iterable[str]]
    ) -> None:
        """Read the users.

        configured: passwords by name; rights: the groups, and ORTHANC, of those users who do not
        have all of them.
        """
        self._store = store
        self._changing = threading.Lock()
        self._configured = {
            name: _configured(name, password, rights.get(name))
            for name, password in configured.items()
        }
        with store.reading() as connection:
            self._added = {user.name: user for user in _read(connection)}

    def get(self, name: str) -> User | None:
        """Return the user with exactly this name; the configuration's, if both have one."""
        return self._configured.get(name) or self._added.get(name)

    def all(self) -> list[User]:
        """Return all users, the configuration's first."""
        added = (user for user in self._added.values() if user.name not in self._configured)
        return [*self._configured.values(), *sorted(added, key=lambda user: user.name.casefold())]

    @property
    def have_administrator(self) -> bool:
        return any(user.administers for user in self.all())

    def is_password(self, name: str, password: str) -> bool:
        """Return whether this is the user's password.

        A wrong one takes the same time for every name, whether the user exists or not.
        """
        user = self.get(name)
        if user is not None and user.configured and _same(user.secret, password):
            return True
        right = passwords.matches(
            None if user is None or user.configured else user.secret, password
        )
        if right and user is not None and passwords.is_outdated(user.secret):
            self._keep_hash(user, passwords.hashed(password))
        return right

    def is_configured_password(self, name: str, password: str) -> bool:
        """Return the same for users of the configuration only, without the cost of a hash."""
        user = self._configured.get(name)
        return _same(user.secret if user else "\0", password) and user is not None

    def add(
        self, name: str, groups: Iterable[str], password: object, by: str, disabled: bool = False
    ) -> User:
        """Add a user. Raises AccountError."""
        if len(name) > LONGEST_NAME or not NAME.fullmatch(name):
            raise AccountError(
                "bad_name",
                f"A user name must consist of at most {LONGEST_NAME} letters, digits, spaces and "
                ". _ @ + -.",
            )
        _check_groups(groups)
        _check_password(password, name)
        kept = passwords.hashed(str(password))
        with self._changing:
            # Names that look the same would be confused.
            if _alike(name) in {_alike(user.name) for user in self.all()}:
                raise AccountError("taken", "There already is a user with this name.")
            now = _now()
            user = User(
                name, frozenset(groups), False, kept, _stamp(now, now), False, disabled, now, by
            )
            with self._store.writing() as connection:
                columns = (
                    '"name", password_hash, "groups", disabled, created_at, created_by, '
                    "password_changed_at"
                )
                row = [name, kept, sorted(groups), disabled, now, by, now]
                connection.execute(
                    f"INSERT INTO account ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", row
                )
            self._added = self._added | {name: user}
        return user

    def change(self, name: str, groups: Iterable[str], disabled: bool) -> User:
        """Set a user's groups, and whether the user can sign in.

        A disabled user loses all tokens and known browsers. Raises AccountError.
        """
        _check_groups(groups)
        with self._changing:
            user = self._one_added(name)
            changed = replace(user, groups=frozenset(groups), disabled=disabled)
            self._keep_an_administrator(user, changed)
            with self._store.writing() as connection:
                query = (
                    'UPDATE account SET "groups" = $groups, disabled = $disabled WHERE name = $name'
                )
                connection.execute(
                    query, {"groups": sorted(groups), "disabled": disabled, "name": name}
                )
                if disabled:
                    _end_access(connection, name)
            self._added = self._added | {name: changed}
        return changed

    def set_password(self, name: str, password: object) -> None:
        """Set another password.

        This ends all tokens and known browsers and, through the stamp, all sessions. Raises
        AccountError.
        """
        self._one_added(name)
        _check_password(password, name)
        kept = passwords.hashed(str(password))
        with self._changing:
            user, now = self._one_added(name), _now()
            with self._store.writing() as connection:
                query = (
                    "UPDATE account SET password_hash = $kept, password_changed_at = $now "
                    "WHERE name = $name"
                )
                connection.execute(query, {"kept": kept, "now": now, "name": name})
                _end_access(connection, name)
            self._added = self._added | {
                name: replace(user, secret=kept, stamp=_stamp(user.created_at, now))
            }

    def remove(self, name: str) -> None:
        """Remove a user, with all tokens, known browsers and saved filters. Raises AccountError."""
        with self._changing:
            user = self._one_added(name)
            self._keep_an_administrator(user, None)
            with self._store.writing() as connection:
                connection.execute("DELETE FROM account WHERE name = $1", [name])
                connection.execute("DELETE FROM setting WHERE user_name = $1", [name])
                _end_access(connection, name)
            self._added = {other: one for other, one in self._added.items() if other != name}

    def _one_added(self, name: str) -> User:
        user = self.get(name)
        if user is None:
            raise AccountError("unknown", "There is no user with this name.")
        if user.configured:
            raise AccountError(
                "from_configuration",
                "This user is defined in Orthanc's configuration and can only be changed there.",
            )
        return user

    def _keep_an_administrator(self, user: User, changed: User | None) -> None:
        others = (one for one in self.all() if one.name != user.name)
        if (
            user.administers
            and not (changed and changed.administers)
            and not any(one.administers for one in others)
        ):
            raise AccountError(
                "last_administrator",
                "This is the last administrator: make another user an administrator first.",
            )

    def _keep_hash(self, user: User, kept: str) -> None:
        with self._changing:
            if self._added.get(user.name) is user:
                with self._store.writing() as connection:
                    connection.execute(
                        "UPDATE account SET password_hash = $1 WHERE name = $2", [kept, user.name]
                    )
                self._added = self._added | {user.name: replace(user, secret=kept)}


def _configured(name: str, password: str, rights: Iterable[str] | None) -> User:
    groups = frozenset(GROUPS) if rights is None else frozenset(rights) - {ORTHANC}
    return User(
        name, groups, True, password, "configuration", orthanc=rights is None or ORTHANC in rights
    )


def _read(connection: duckdb.DuckDBPyConnection) -> list[User]:
    query = (
        'SELECT name, "groups", password_hash, created_at, password_changed_at, disabled, '
        "created_by FROM account"
    )
    return [
        User(
            name,
            frozenset(groups) & frozenset(GROUPS),
            False,
            kept,
            _stamp(made, changed),
            False,
            disabled,
            made,
            by,
        )
        for name, groups, kept, made, changed, disabled, by in connection.execute(query).fetchall()
    ]


def _end_access(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    for table in ("token", "device"):
        connection.execute(f"DELETE FROM {table} WHERE user_name = $1", [name])


def _check_groups(groups: Iterable[str]) -> None:
    if not set(groups) <= set(GROUPS):
        raise AccountError("bad_groups", f"The groups are: {', '.join(GROUPS)}.")


def _check_password(password: object, name: str) -> None:
    wrong = passwords.problem(password, name)
    if wrong:
        raise AccountError("bad_password", wrong)


def _alike(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(
        one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass")
    )


def _stamp(created: datetime | None, changed: datetime) -> str:
    return f"{created} {changed}"


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)

"""The users: those of Orthanc's configuration, and those added by an administrator."""

import hmac
import logging
import re
import threading
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import duckdb

from ..records.access import GROUPS
from ..store import Store, StoreError
from . import passwords

_LOG = logging.getLogger(__name__)

# Beside the groups, in the configuration: the right to use Orthanc's own pages and routes, which
# know nothing of the groups.
ORTHANC = "orthanc"
LONGEST_NAME = 60
NAME = re.compile(r"[\w.@+-]+( [\w.@+-]+)*")


class AccountError(Exception):
    """Raised when a change of users is not possible.

    code: bad_name, bad_password, bad_groups, taken, unknown, from_configuration, from_provider,
    last_administrator; the message is a sentence for people.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


# In place of the hash of a user without a password: no password has it.
_NO_HASH = "!"


@dataclass(frozen=True)
class Second:
    """The second step of a user's sign-in: see second_step.py.

    secret: encrypted; used_step: the period whose code was used last; recovery_codes: their hashes.
    """

    secret: str = field(repr=False)
    used_step: int = 0
    recovery_codes: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class User:
    """A user.

    configured: from Orthanc's configuration. orthanc: may use Orthanc's own pages and routes.
    secret: the password of a configured user, the hash of an added one. stamp: changes with the
    password. second: the second step, if it is on. subject: of a user who signs in at the provider.
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
    second: Second | None = None
    subject: str = ""

    @property
    def has_password_here(self) -> bool:
        """True if the user signs in with a password that is kept in the store."""
        return not self.configured and not self.subject

    @property
    def administers(self) -> bool:
        """True if the user can administer this server even if the provider is away."""
        return "administration" in self.groups and not self.disabled and not self.subject


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
            user.secret if user is not None and user.has_password_here else None, password
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
            if user.subject and user.groups != frozenset(groups):
                raise _FROM_PROVIDER
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

    def from_provider(self, subject: str, name: str, groups: Iterable[str]) -> User:
        """Return the user who signed in at the provider, with these groups, and add a new one.

        A user is recognised by the subject alone: nobody takes over another user by a name. Raises
        AccountError.
        """
        with self._changing:
            known = next((one for one in self._added.values() if one.subject == subject), None)
            if known is None or known.name in self._configured:
                return self._add_from_provider(subject, name, frozenset(groups))
            if known.groups == frozenset(groups):
                return known
            with self._store.writing() as connection:
                query = 'UPDATE account SET "groups" = $1 WHERE name = $2'
                connection.execute(query, [sorted(groups), known.name])
            changed = replace(known, groups=frozenset(groups))
            self._added = self._added | {known.name: changed}
            return changed

    def drop_groups(self, subject: str) -> None:
        """Take all groups from the user with this subject, if there is one."""
        with self._changing:
            known = next((one for one in self._added.values() if one.subject == subject), None)
            if known is not None and known.groups:
                with self._store.writing() as connection:
                    query = 'UPDATE account SET "groups" = [] WHERE name = $1'
                    connection.execute(query, [known.name])
                self._added = self._added | {known.name: replace(known, groups=frozenset())}

    def _add_from_provider(self, subject: str, name: str, groups: frozenset[str]) -> User:
        if len(name) > LONGEST_NAME or not NAME.fullmatch(name):
            raise AccountError("bad_name", "The provider's name of the user cannot be used here.")
        if _alike(name) in {_alike(user.name) for user in self.all()}:
            raise AccountError("taken", "There already is another user with this name.")
        now = _now()
        user = User(
            name, groups, False, _NO_HASH, _stamp(now, now), created_at=now, subject=subject
        )
        with self._store.writing() as connection:
            connection.execute(
                'INSERT INTO account ("name", password_hash, "groups", disabled, created_at, '
                "created_by, password_changed_at, provider_subject) "
                "VALUES (?, ?, ?, false, ?, '', ?, ?)",
                [name, _NO_HASH, sorted(groups), now, now, subject],
            )
        self._added = self._added | {name: user}
        return user

    def set_password(self, name: str, password: object) -> None:
        """Set another password.

        This ends all tokens and known browsers and, through the stamp, all sessions. Raises
        AccountError.
        """
        if self._one_added(name).subject:
            raise _FROM_PROVIDER
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

    def change_second(
        self,
        name: str,
        change: Callable[[Second | None], Second | None],
        must_be_kept: bool = True,
    ) -> None:
        """Change the second step of a user.

        change: returns the new one, or None for none; called while no other change is made, and may
        raise. must_be_kept: whether the change fails if the store cannot take it. Raises
        AccountError.
        """
        with self._changing:
            user = self._one_added(name)
            second = change(user.second)
            kept = second or Second("")
            try:
                with self._store.writing() as connection:
                    connection.execute(
                        "UPDATE account SET second_step = $1, second_step_used = $2, "
                        "recovery_codes = $3 WHERE name = $4",
                        [
                            kept.secret or None,
                            kept.used_step or None,
                            list(kept.recovery_codes),
                            name,
                        ],
                    )
            except (duckdb.Error, StoreError) as error:
                if must_be_kept:
                    raise
                _LOG.error("the use of a code could not be noted", exc_info=error)
            self._added = self._added | {name: replace(user, second=second)}

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


_FROM_PROVIDER = AccountError(
    "from_provider",
    "This user signs in at the provider, which says the password and the groups.",
)


def _configured(name: str, password: str, rights: Iterable[str] | None) -> User:
    groups = frozenset(GROUPS) if rights is None else frozenset(rights) - {ORTHANC}
    return User(
        name, groups, True, password, "configuration", orthanc=rights is None or ORTHANC in rights
    )


def _read(connection: duckdb.DuckDBPyConnection) -> list[User]:
    query = (
        'SELECT name, "groups", password_hash, created_at, password_changed_at, disabled, '
        "created_by, second_step, second_step_used, recovery_codes, provider_subject FROM account"
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
            Second(second, used or 0, tuple(codes or ())) if second else None,
            subject or "",
        )
        for name, groups, kept, made, changed, disabled, by, second, used, codes, subject in connection.execute(
            query
        ).fetchall()
    ]


def _end_access(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    for table in ("token", "device"):
        connection.execute(f"DELETE FROM {table} WHERE user_name = $1", [name])


def _check_groups(groups: Iterable[str]) -> None:
    if not set(groups) <= set(GROUPS):
        raise AccountError("bad_groups", f"The groups are: {', '.join(GROUPS)}.")


def _check_password(password: object, name: str) -> None:
    wrong = passwords.password_problem(password, name)
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

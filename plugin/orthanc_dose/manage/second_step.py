"""The second step of signing in: a code from an app, or a recovery code.

It is for users whom an administrator added. Those of Orthanc's configuration have none: they are
the way in when everything else fails, and scripts use them.
"""

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

import segno

from . import totp
from .limits import Limits
from .sealed import Unreadable, seal, unseal
from .users import Second, User, Users

ISSUER = "Orthanc Dose"
RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none looks like another
_HALF = 5  # letters: two of them make 49 bits
_PENDING_FOR = 600.0  # seconds to enter the first code
_MOST_PENDING = 1_000


class WrongCode(Exception):
    """Raised when a code is wrong, was used before, or is not of this time."""

    def __init__(self) -> None:
        super().__init__(
            "The code is wrong or has been used. Wait for the next one; if it is refused, too, "
            "check the clock of the device, or use a recovery code."
        )


class SecondStepNeeded(Exception):
    """Raised when the password was right, and the code is missing."""

    def __init__(self) -> None:
        super().__init__("Also send the code of the authenticator app, or a recovery code.")


@dataclass(frozen=True)
class Enrolment:
    """A new secret, which counts once a code of it was entered.

    secret: as text; address: for apps; picture: a QR code of the address, as an address of data.
    """

    secret: str = field(repr=False)
    address: str = field(repr=False)
    picture: str = field(repr=False)


class SecondStep:
    """Checks codes, and enrols users. Safe to be used from several threads."""

    def __init__(
        self,
        users: Users,
        key: bytes,
        limits: Limits,
        required: Callable[[], Collection[str]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Set it up.

        key: of the installation. required: returns the groups whose members need a second step.
        """
        self._users, self._key, self._limits = users, key, limits
        self._required, self._clock = required, clock
        self._lock = threading.Lock()
        self._pending: dict[str, tuple[bytes, float]] = {}

    def is_required(self, user: User) -> bool:
        """Return whether the user must have a second step, on or not."""
        return user.has_password_here and not user.groups.isdisjoint(self._required())

    def is_missing(self, user: User) -> bool:
        """Return whether the user must enrol before anything else."""
        return user.second is None and self.is_required(user)

    def begin(self, user: User) -> Enrolment:
        """Return a new secret for a user."""
        secret, now = totp.new_secret(), self._clock()
        with self._lock:
            self._pending = {name: one for name, one in self._pending.items() if one[1] > now}
            if len(self._pending) >= _MOST_PENDING:
                del self._pending[next(iter(self._pending))]
            self._pending[user.name] = secret, now + _PENDING_FOR
        address = totp.address(secret, ISSUER, user.name)
        # Without its own colours and margins it could not be read on dark pages.
        picture = segno.make(address, error="m").svg_data_uri(scale=4, light="#fff", border=4)
        return Enrolment(totp.as_text(secret), address, picture)

    def confirm(self, user: User, code: str) -> list[str]:
        """Switch the second step on, with the first code, and return the recovery codes.

        Raises WrongCode, also if nothing was begun, and AccountError.
        """
        with self._lock:
            secret, until = self._pending.get(user.name, (b"", 0.0))
        step = totp.step_of(secret, _plain(code), self._clock(), 0) if secret else None
        if step is None or until <= self._clock():
            raise WrongCode
        codes = _new_codes()
        sealed = seal(self._key, _purpose(user), secret)
        second = Second(sealed, step, tuple(self._hash(user, one) for one in codes))
        self._users.change_second(user.name, lambda _: second)
        with self._lock:
            self._pending.pop(user.name, None)
        return codes

    def check(self, user: User, code: str) -> None:
        """Use a code of the user up.

        After five wrong ones, a user's codes are not checked for a minute and then for longer: only
        who has the password comes this far. Raises WrongCode and Locked.
        """
        attempt = self._limits.of_known(f"second step {user.name}")
        try:
            self._use(user, _plain(code))
        except WrongCode:
            attempt.failed()
            raise
        attempt.succeeded()

    def renew_recovery_codes(self, user: User) -> list[str]:
        """Replace the recovery codes, and return the new ones. Raises AccountError."""
        codes = _new_codes()
        hashes = tuple(self._hash(user, one) for one in codes)
        self._users.change_second(
            user.name, lambda second: second and replace(second, recovery_codes=hashes)
        )
        return codes

    def end(self, name: str) -> None:
        """Switch the second step of a user off. Raises AccountError."""
        self._users.change_second(name, lambda _: None)

    def _use(self, user: User, code: str) -> None:
        is_recovery = len(code) == 2 * _HALF
        # Under the lock of the users, since two requests may bring the same code.
        change = self._without(user, code) if is_recovery else self._after(user, code)
        # A full disk keeps nobody out: the time of a code, which is over in a minute, is also in
        # memory. A recovery code that was used must be gone for ever.
        self._users.change_second(user.name, change, must_be_kept=is_recovery)

    def _after(self, user: User, code: str) -> Callable[[Second | None], Second]:
        def change(second: Second | None) -> Second:
            if second is None:
                raise WrongCode
            try:
                secret = unseal(self._key, _purpose(user), second.secret)
            except Unreadable as error:
                raise WrongCode from error
            step = totp.step_of(secret, code, self._clock(), second.used_step)
            if step is None:
                raise WrongCode
            return replace(second, used_step=step)

        return change

    def _without(self, user: User, code: str) -> Callable[[Second | None], Second]:
        def change(second: Second | None) -> Second:
            used = self._hash(user, code)
            if second is None or used not in second.recovery_codes:
                raise WrongCode
            left = tuple(one for one in second.recovery_codes if one != used)
            return replace(second, recovery_codes=left)

        return change

    def _hash(self, user: User, code: str) -> str:
        told = f"recovery code\0{user.name}\0{_plain(code)}"
        return hmac.new(self._key, told.encode(), hashlib.sha256).hexdigest()


def _purpose(user: User) -> str:
    return f"second step\0{user.name}\0{user.created_at}"


def _new_codes() -> list[str]:
    def half() -> str:
        return "".join(secrets.choice(_LETTERS) for _ in range(_HALF))

    return [f"{half()}-{half()}" for _ in range(RECOVERY_CODES)]


def _plain(code: str) -> str:
    return "".join(code.split()).replace("-", "").lower()

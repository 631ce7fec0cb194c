"""Identification of callers, and what each may do.

This is the only place that checks passwords, sessions, tokens, and what a proxy says.
"""

import base64
import binascii
import hashlib
import hmac
import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol
from urllib.parse import urlsplit

from .audit_log import AuditLog
from .devices import COOKIE as DEVICE_COOKIE
from .devices import Devices
from .limits import Attempt, Limits, Locked
from .peers import Peers
from .proofs import Proof
from .provider import Identity
from .proxies import Proxies
from .second_step import SecondStep, SecondStepNeeded, WrongCode
from .sessions import Sessions, session_key
from .tokens import Tokens
from .users import AccountError, User, Users

_LOG = logging.getLogger(__name__)
COOKIE = "dose-session"
PROVIDER_COOKIE = "dose-provider"
OWN_REQUEST = "x-dose-request"  # a page of another site cannot send this header
_CHECKED_FOR = 300.0  # seconds for which a name and password of HTTP Basic are not checked again


@dataclass(frozen=True)
class Caller:
    """The sender of a request.

    name: empty for nobody; groups: some of GROUPS; address: where the request comes from; way: how
    the caller signed in (cookie, Basic, token, proxy), empty for nobody. orthanc: may use Orthanc's
    own routes. https: whether the browser used HTTPS. session: the key of the session, with a
    cookie. devices: what cookies of known browsers hold, unchecked. must_enrol: has no rights until
    the second step is set up. provider_cookie: what the browser keeps on its way to the provider.
    """

    name: str = ""
    groups: frozenset[str] = frozenset()
    address: str = ""
    way: str = ""
    orthanc: bool = False
    https: bool = False
    session: str = ""
    devices: tuple[str, ...] = field(default=(), repr=False)
    must_enrol: bool = False
    provider_cookie: str = field(default="", repr=False)

    @property
    def sees_identity(self) -> bool:
        """True if the caller may see patients' identity."""
        return "patient identity" in self.groups

    def may(self, needs: tuple[str, ...] | None) -> bool:
        """Return whether the caller may use a route that needs this: see rest/routes.py."""
        if needs is None:
            return True
        return bool(self.name) and (not needs or not self.groups.isdisjoint(needs))


class Incoming(Protocol):
    """The parts of a request that are used.

    headers: names in lower case; address: the peer's.
    """

    @property
    def method(self) -> str: ...
    @property
    def headers(self) -> dict[str, str]: ...
    @property
    def address(self) -> str: ...


class NotSignedIn(Exception):
    """Raised when the credentials of a request identify nobody.

    The message is a sentence for people.
    """


class NotAdmitted(Exception):
    """Raised when somebody signed in at the provider who may not come in here.

    code: provider_ and no_groups, disabled, bad_name or taken. The message is a sentence for people.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class SignedIn:
    """A sign-in: the caller, and what the cookies of session and browser are to hold.

    device: empty if the browser's cookie stays as it is.
    """

    caller: Caller
    session: str = field(repr=False)
    device: str = field(repr=False)


_NO_GROUPS = "The provider assigns none of the groups that are admitted here: ask an administrator."
_ONLY_PROVIDER = "This user can only sign in at the provider."
_NO_BASIC = (
    "This user signs in with a second step, which HTTP Basic does not have: use a token instead, as "
    "Authorization: Bearer."
)
_WRONG = "The user name or password is wrong, or the user is disabled."


class Access:
    """Identifies callers. Safe to be used from several threads."""

    def __init__(
        self,
        users: Users,
        sessions: Sessions,
        tokens: Tokens,
        devices: Devices,
        limits: Limits,
        audit: AuditLog,
        proxies: Proxies,
        second_step: SecondStep,
        only_provider: Callable[[], bool],
        later: Callable[[Callable[[], object]], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Initialize access control.

        only_provider: returns whether the passwords of added users other than administrators are
        refused. later: runs a function soon, on a thread that may use the store.
        """
        self.users, self.sessions, self.tokens = users, sessions, tokens
        self.second_step, self._only_provider = second_step, only_provider
        self.peers = Peers()
        self._devices = devices
        self._limits, self._audit, self._proxies, self._later, self._clock = (
            limits,
            audit,
            proxies,
            later,
            clock,
        )
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._checked: dict[bytes, tuple[str, float]] = {}
        self._wrong_tokens: dict[str, float] = {}

    def caller(self, request: Incoming) -> Caller:
        """Return who sent a request; a caller without a name if the request does not say.

        Raises NotSignedIn if its credentials are wrong, and Locked.
        """
        caller = self._known(request, quick=False)
        if caller.name:
            trusted = self._proxies.are(request.address)
            self.peers.note(request.address, request.headers, caller.name, trusted)
        return caller

    def opens_orthanc(self, request: Incoming) -> bool:
        """Return whether a request may use Orthanc's own routes.

        Called on Orthanc's threads: it does nothing slow, and does not use the store.
        """
        try:
            caller = self._known(request, quick=True)
        except Exception:  # noqa: BLE001  a closed door is the answer to whatever goes wrong
            return False
        if not caller.orthanc:
            return False
        if request.method == "GET" or _is_own(request.headers):
            return True
        return caller.way == "Basic" and not _is_from_elsewhere(request.headers)

    def is_forged(self, request: Incoming, caller: Caller) -> bool:
        """Return whether a page of another site may have made a browser send this request.

        The browser then sends whatever identifies the user, but not our header.
        """
        if request.method == "GET" or request.headers.get(OWN_REQUEST) == "1":
            return False
        return caller.way in ("cookie", "proxy") or _is_from_elsewhere(request.headers)

    def sign_in(
        self, asking: Caller, name: str, password: str, proof: Proof | None, code: str = ""
    ) -> SignedIn:
        """Start a session.

        code: of the second step. Raises NotSignedIn, ProofNeeded, SecondStepNeeded, WrongCode,
        Locked.
        """
        who = replace(asking, name="", groups=frozenset(), way="cookie")
        known = self._devices.find(asking.devices, self.users.get(name))
        attempt = self._of_known(known) or self._limits.of_browser(name, who.address, proof)
        user = self._check(who, name, password, attempt, code=code)
        secret = self.sessions.start_session(user.name, user.stamp)
        if asking.session:
            self.sessions.end(asking.session)
        caller = replace(self._in_session(user, who), session=session_key(secret))
        return SignedIn(caller, secret, self._devices.remember(user, known))

    def sign_in_at_provider(self, asking: Caller, identity: Identity) -> SignedIn:
        """Start a session of somebody who signed in at the provider. Raises NotAdmitted."""
        who = replace(asking, name="", groups=frozenset(), way="provider")
        try:
            if not identity.groups:
                # Whoever lost all groups loses what is still open.
                self.users.drop_groups(identity.subject)
                raise NotAdmitted("provider_no_groups", _NO_GROUPS)
            user = self.users.from_provider(identity.subject, identity.name, identity.groups)
            if user.disabled:
                raise NotAdmitted("provider_disabled", "An administrator has disabled this user.")
        except AccountError as error:
            self._note(False, who, "sign-in", succeeded=False)
            raise NotAdmitted(f"provider_{error.code}", str(error)) from error
        except NotAdmitted:
            self._note(False, who, "sign-in", succeeded=False)
            raise
        if asking.session:
            self.sessions.end(asking.session)
        secret = self.sessions.start_session(user.name, user.stamp, identity.token)
        caller = replace(_as(user, who, "cookie"), session=session_key(secret))
        self._note(False, replace(caller, way="provider"), "sign-in")
        return SignedIn(caller, secret, "")

    def sign_out(self, caller: Caller) -> str:
        """End the caller's session, and return the provider's ID token, if it began there."""
        token = self.sessions.end(caller.session)
        self._note(False, caller, "sign-out")
        return token

    def check_own_password(self, caller: Caller, password: str) -> bool:
        """Return whether this is the caller's own password.

        Wrong passwords are counted for this session, or for whoever signs in the same way. Raises
        Locked.
        """
        attempt = self._limits.of_known(caller.session or f"{caller.way} {caller.name}")
        try:
            self._check(caller, caller.name, password, attempt, note=False)
        except NotSignedIn:
            return False
        return True

    def _of_known(self, number: str) -> Attempt | None:
        """Return an attempt of a known browser.

        Returns None if the browser is not known, or guessed wrong too often: it is then treated
        like any other.
        """
        try:
            return self._limits.of_known(number) if number else None
        except Locked:
            return None

    def end_all(self, name: str) -> None:
        """End all sessions of a user, whose tokens end in the store.

        What was checked for HTTP Basic ends through its stamp.
        """
        self.sessions.end_all(name)

    def _known(self, request: Incoming, quick: bool) -> Caller:
        headers, peer = request.headers, request.address
        nobody = Caller(
            address=self._proxies.address(headers, peer),
            https=self._proxies.https(headers, peer),
            devices=_devices(headers.get("cookie", "")),
            provider_cookie=_cookie_of(headers.get("cookie", ""), PROVIDER_COOKIE),
        )
        told = self._proxies.user(headers, peer)
        if told is not None:
            user = self.users.get(told)
            if user is not None and user.disabled:
                raise NotSignedIn(_WRONG)
            return _as(user, nobody, "proxy") if user else replace(nobody, name=told, way="proxy")
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            return self._by_basic(nobody, credentials.strip(), quick)
        if scheme.lower() == "bearer" and not quick:
            return self._by_token(nobody, credentials.strip())
        if scheme:
            raise NotSignedIn("Sign in with HTTP Basic, or with a token as Authorization: Bearer.")
        return self._by_cookie(nobody, headers.get("cookie", ""))

    def _by_cookie(self, nobody: Caller, cookies: str) -> Caller:
        for cookie in cookies.split(";"):
            name, _, secret = cookie.strip().partition("=")
            found = self.sessions.find(secret) if name == COOKIE else None
            user = self.users.get(found[0]) if found else None
            if (
                user is not None
                and found is not None
                and user.stamp == found[1]
                and not user.disabled
            ):
                return replace(self._in_session(user, nobody), session=session_key(secret))
        return nobody

    def _in_session(self, user: User, nobody: Caller) -> Caller:
        caller = _as(user, nobody, "cookie")
        if not self.second_step.is_missing(user):
            return caller
        return replace(caller, groups=frozenset(), orthanc=False, must_enrol=True)

    def _by_token(self, nobody: Caller, token: str) -> Caller:
        user = self.tokens.user(token)
        if user is None:
            # Nobody guesses a token: a script that continues to use a withdrawn one is noted now
            # and then, and locks nothing.
            now = self._clock()
            if now - self._wrong_tokens.get(nobody.address, -_CHECKED_FOR) >= _CHECKED_FOR:
                self._wrong_tokens = {
                    at: when for at, when in self._wrong_tokens.items() if now - when < _CHECKED_FOR
                }
                self._wrong_tokens[nobody.address] = now
                self._note(False, replace(nobody, way="token"), "sign-in", succeeded=False)
            raise NotSignedIn("This token is unknown, expired or withdrawn: create a new one.")
        return _as(user, nobody, "token")

    def _by_basic(self, nobody: Caller, credentials: str, quick: bool) -> Caller:
        try:
            told = base64.b64decode(credentials, validate=True).decode("utf-8")
        except (binascii.Error, ValueError) as error:
            raise NotSignedIn(
                "The Authorization header cannot be read: it must be HTTP Basic or a Bearer token."
            ) from error
        name, _, password = told.partition(":")
        who = replace(nobody, way="Basic")
        attempt = self._limits.of_script(name, who.address)
        key = hmac.new(self._key, credentials.encode(), hashlib.sha256).digest()
        with self._lock:
            stamp, until = self._checked.get(key, ("", 0.0))
        user = self.users.get(name)
        if user is None or user.disabled or stamp != user.stamp or until <= self._clock():
            user = self._check(who, name, password, attempt, quick)
            with self._lock:
                now = self._clock()
                self._checked = {one: kept for one, kept in self._checked.items() if kept[1] > now}
                self._checked[key] = user.stamp, now + _CHECKED_FOR
        if self._is_for_provider(user):
            raise NotSignedIn(_ONLY_PROVIDER)
        if user.second is not None or self.second_step.is_required(user):
            # HTTP Basic has no room for a code: the password alone must not be enough here either.
            raise NotSignedIn(_NO_BASIC)
        return _as(user, nobody, "Basic")

    def _check(
        self,
        who: Caller,
        name: str,
        password: str,
        attempt: Attempt,
        quick: bool = False,
        note: bool = True,
        code: str | None = None,
    ) -> User:
        """Return the user with this password. Counts and notes wrong ones.

        code: of the second step; None if it does not matter here. Raises NotSignedIn and, with a
        code, SecondStepNeeded, WrongCode, Locked.
        """
        # The user is read first: a password that is changed meanwhile leaves no session behind.
        user = self.users.get(name)
        right = (self.users.is_configured_password if quick else self.users.is_password)(
            name, password
        )
        if user is None or not right or user.disabled:
            if not (quick and user is not None and not user.configured):
                self._wrong(who, name, attempt, quick)
            raise NotSignedIn(_WRONG)
        if self._is_for_provider(user):
            self._note(quick, replace(who, name=user.name), "sign-in", succeeded=False)
            raise NotSignedIn(_ONLY_PROVIDER)
        if code is not None and user.second is not None:
            if not code:
                # Neither right nor wrong yet: whoever has only the password resets no count.
                raise SecondStepNeeded
            try:
                self.second_step.check(user, code)
            except WrongCode:
                self._wrong(who, name, attempt, quick)
                raise
        attempt.succeeded()
        if note:
            self._note(quick, _as(user, who, who.way), "sign-in")
        return user

    def _is_for_provider(self, user: User) -> bool:
        return user.has_password_here and not user.administers and self._only_provider()

    def _wrong(self, who: Caller, name: str, attempt: Attempt, quick: bool) -> None:
        user = self.users.get(name)
        named = replace(who, name=user.name if user else "")
        locked = attempt.failed()
        self._note(quick, named, "sign-in", succeeded=False)
        if locked:
            self._note(quick, named, "locked after wrong passwords", succeeded=False)

    def _note(self, quick: bool, who: Caller, action: str, succeeded: bool = True) -> None:
        def note() -> None:
            # What was typed as the name of an unknown user may be a password: it is not logged.
            user = repr(who.name) if who.name else "unknown user"
            done = "" if succeeded else " failed"
            _LOG.info("%s%s: %s by %s from %s", action, done, user, who.way, who.address)
            self._audit.note(who, action, succeeded=succeeded)

        if quick:
            self._later(note)
        else:
            note()


def _as(user: User, nobody: Caller, way: str) -> Caller:
    return replace(nobody, name=user.name, groups=user.groups, orthanc=user.orthanc, way=way)


def _devices(cookies: str) -> tuple[str, ...]:
    pairs = (cookie.strip().partition("=") for cookie in cookies.split(";"))
    return tuple(value for name, _, value in pairs if name.startswith(DEVICE_COOKIE))


def _cookie_of(cookies: str, wanted: str) -> str:
    pairs = (cookie.strip().partition("=") for cookie in cookies.split(";"))
    return next((value for name, _, value in pairs if name == wanted), "")


def _is_own(headers: dict[str, str]) -> bool:
    """Return whether the request comes from a page of this server.

    Our own header or the browser says so.
    """
    origin = headers.get("origin")
    return headers.get(OWN_REQUEST) == "1" or bool(
        origin and urlsplit(origin).netloc == headers.get("host")
    )


def _is_from_elsewhere(headers: dict[str, str]) -> bool:
    """Return whether the browser says that a page of another site made it send the request."""
    if headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        return True
    return "origin" in headers and not _is_own(headers)

"""Signing in at an OpenID Connect provider: authorization code with PKCE, state and nonce.

Source: OpenID Connect Core 1.0, Discovery 1.0, RP-Initiated Logout 1.0; RFC 7636 (PKCE), RFC 9207.
"""

import base64
import hashlib
import json
import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from ..outgoing import Outgoing, OutgoingError
from .id_tokens import Expected, TokenError, UnknownKey, claims_of
from .sealed import Unreadable, seal, unseal

_LOG = logging.getLogger(__name__)
LIFETIME = 600.0  # seconds from the way to the provider to the way back
CALLBACK = "/dose/api/session/provider/callback"
_KEPT = 3600.0  # seconds for which what the provider says about itself is used
_PAUSE = 10.0  # seconds before it is asked again: after a failure, or for a key that is not known
_MOST_USED = 100_000
_PURPOSE = "sign-in at the provider"


class ProviderError(Exception):
    """Raised when nobody was signed in.

    code: provider_off, provider_refused, provider_unreachable, provider_answer, provider_late. The
    message is a sentence for people, without values of the provider.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Trust:
    """Holds what the administrator says about the provider.

    issuer, client: empty if there is none; secret: empty for a public client. address: of this
    server, as browsers and the provider know it. name_claim, groups_claim: where the ID token has
    name and groups; groups: ours, by the provider's.
    """

    issuer: str = ""
    client: str = ""
    secret: str = field(default="", repr=False)
    address: str = ""
    scopes: str = "openid profile"
    name_claim: str = "preferred_username"
    groups_claim: str = "groups"
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        return bool(self.issuer and self.client and self.address)


@dataclass(frozen=True)
class Identity:
    """Names who signed in at the provider. subject: issuer and sub, which together never change owner."""

    subject: str
    name: str
    groups: frozenset[str]
    token: str = field(repr=False)


@dataclass(frozen=True)
class Begun:
    """The way to the provider: its address, and what a cookie of the browser is to hold."""

    address: str = field(repr=False)
    cookie: str = field(repr=False)


class Provider:
    """The provider. Can be used from several threads."""

    def __init__(
        self,
        trust: Callable[[], Trust],
        outgoing: Outgoing,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Set it up. trust: returns what the administrator says now; nothing is asked yet."""
        self._trust, self._outgoing, self._clock = trust, outgoing, clock
        self._key = secrets.token_bytes(32)  # of cookies, until the next start
        self._lock = threading.Lock()
        self._used: dict[str, float] = {}
        self._about: dict[str, Any] = {}
        self._keys: dict[str, Any] = {}
        self._read_at = self._failed_at = self._keys_at = float("-inf")
        self._issuer = ""

    @property
    def is_on(self) -> bool:
        return self._trust().is_complete

    def begin(self, to: str) -> Begun:
        """Return the way to the provider. to: the page to open afterwards. Raises ProviderError."""
        trust = self._complete()
        about = self._described(trust)
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
        asked = {
            "response_type": "code",
            "client_id": trust.client,
            "redirect_uri": trust.address + CALLBACK,
            "scope": trust.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge.rstrip(b"=").decode("ascii"),
            "code_challenge_method": "S256",
        }
        kept = {"state": state, "nonce": nonce, "verifier": verifier, "to": to}
        kept["until"] = str(self._clock() + LIFETIME)
        cookie = seal(self._key, _PURPOSE, json.dumps(kept).encode())
        endpoint = _for_browsers(about, "authorization_endpoint")
        return Begun(f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}", cookie)

    def finish(self, cookie: str, answer: Mapping[str, str]) -> tuple[Identity, str]:
        """Return who signed in, and the page to open.

        cookie: as the browser sends it; answer: the parameters with which the provider sent the
        browser back. Raises ProviderError.
        """
        trust = self._complete()
        kept = self._take(cookie, answer.get("state", ""))
        about = self._described(trust)
        if answer.get("iss", trust.issuer) != trust.issuer:
            raise ProviderError(
                "provider_answer", "The answer is not of the provider that was asked."
            )
        if answer.get("error") or not answer.get("code"):
            raise ProviderError("provider_refused", "The provider did not sign anybody in.")
        tokens = self._exchanged(trust, about, answer["code"], kept["verifier"])
        token = tokens.get("id_token")
        if not isinstance(token, str):
            raise ProviderError("provider_answer", "The provider's answer has no ID token.")
        expected = Expected(trust.issuer, trust.client, kept["nonce"], self._clock())
        claims = self._trusted(token, about, expected)
        if trust.name_claim not in claims or _at(claims, trust.groups_claim) is None:
            claims = self._more(about, tokens, claims)
        name = claims.get(trust.name_claim)
        if not isinstance(name, str) or not name.strip():
            raise ProviderError("provider_answer", "The provider does not say the user's name.")
        groups = frozenset[str]().union(
            *(trust.groups.get(one, ()) for one in _texts(_at(claims, trust.groups_claim)))
        )
        return Identity(f"{trust.issuer} {claims['sub']}", name.strip(), groups, token), kept["to"]

    def sign_out_address(self, token: str) -> str | None:
        """Return where the browser signs out of the provider; None if it does not offer that."""
        trust = self._trust()
        with self._lock:
            about = self._about if trust.issuer == self._issuer else {}
        if not trust.is_complete or "end_session_endpoint" not in about:
            return None
        try:
            endpoint = _for_browsers(about, "end_session_endpoint")
        except ProviderError:
            return None
        asked = {
            "id_token_hint": token,
            "client_id": trust.client,
            "post_logout_redirect_uri": f"{trust.address}/dose/app/sign-in",
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    def _complete(self) -> Trust:
        trust = self._trust()
        if not trust.is_complete:
            raise ProviderError("provider_off", "Signing in at a provider is not set up.")
        return trust

    def _take(self, cookie: str, state: str) -> dict[str, str]:
        """Return what was kept for a state, once, and only for the browser that began."""
        late = ProviderError(
            "provider_late", "This sign-in is over, or was begun elsewhere: sign in again."
        )
        try:
            kept: dict[str, str] = json.loads(unseal(self._key, _PURPOSE, cookie))
        except Unreadable as error:
            raise late from error
        now = self._clock()
        if not secrets.compare_digest(kept["state"].encode(), state.encode("utf-8", "replace")):
            raise late
        with self._lock:
            if float(kept["until"]) <= now or state in self._used:
                raise late
            self._used = {one: until for one, until in self._used.items() if until > now}
            if len(self._used) >= _MOST_USED:
                raise late
            self._used[state] = float(kept["until"])
        return kept

    def _described(self, trust: Trust) -> dict[str, Any]:
        """Return what the provider says about itself (Discovery 1.0, 4)."""
        now = self._clock()
        with self._lock:
            if trust.issuer != self._issuer:
                self._issuer, self._about, self._keys = trust.issuer, {}, {}
                self._read_at = self._failed_at = self._keys_at = float("-inf")
            if self._about and now - self._read_at < _KEPT:
                return self._about
            if now - self._failed_at < _PAUSE:
                raise _unreachable()
        try:
            address = f"{trust.issuer.rstrip('/')}/.well-known/openid-configuration"
            about = self._outgoing.request("GET", address).as_json()
        except OutgoingError as error:
            if error.code != "busy":
                with self._lock:
                    self._failed_at = now
            raise _unreachable(error) from error
        if about.get("issuer") != trust.issuer:
            raise ProviderError("provider_answer", "The provider calls itself by another address.")
        with self._lock:
            self._about, self._read_at = about, now
        return about

    def _exchanged(
        self, trust: Trust, about: Mapping[str, Any], code: str, verifier: str
    ) -> dict[str, Any]:
        """Return the tokens for a code (Core 1.0, 3.1.3)."""
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": trust.address + CALLBACK,
            "code_verifier": verifier,
            "client_id": trust.client,
        }
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        if trust.secret:
            methods = about.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
            if "client_secret_basic" in methods:
                # Both are form-encoded first: RFC 6749, 2.3.1.
                pair = ":".join(urlencode({"": one})[1:] for one in (trust.client, trust.secret))
                headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode(
                    "ascii"
                )
                del asked["client_id"]
            else:
                asked["client_secret"] = trust.secret
        try:
            reply = self._outgoing.request(
                "POST", str(about.get("token_endpoint")), urlencode(asked).encode(), headers
            )
            if reply.status in (400, 401, 403):
                raise ProviderError("provider_refused", "The provider refused the code.")
            return reply.as_json()
        except OutgoingError as error:
            raise _unreachable(error) from error

    def _trusted(self, token: str, about: Mapping[str, Any], expected: Expected) -> dict[str, Any]:
        """Return the claims of an ID token. A key that is unknown may be a new one."""
        try:
            try:
                return claims_of(token, self._key_set(about, fresh=False), expected)
            except UnknownKey:
                return claims_of(token, self._key_set(about, fresh=True), expected)
        except TokenError as error:
            raise ProviderError(
                "provider_answer", f"The provider's ID token is not valid: {error}."
            ) from error

    def _key_set(self, about: Mapping[str, Any], fresh: bool) -> dict[str, Any]:
        now = self._clock()
        with self._lock:
            age = now - self._keys_at
            if self._keys and age < (_PAUSE if fresh else _KEPT):
                return self._keys
        try:
            keys = self._outgoing.request("GET", str(about.get("jwks_uri"))).as_json()
        except OutgoingError as error:
            raise _unreachable(error) from error
        with self._lock:
            self._keys, self._keys_at = keys, now
        return keys

    def _more(
        self, about: Mapping[str, Any], tokens: Mapping[str, Any], claims: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the claims with those of the user info, if the provider has any (Core 1.0, 5.3)."""
        access = tokens.get("access_token")
        if not isinstance(about.get("userinfo_endpoint"), str) or not isinstance(access, str):
            return claims
        if not access.isascii() or not access.isprintable():
            return claims
        try:
            more = self._outgoing.request(
                "GET", about["userinfo_endpoint"], headers={"Authorization": f"Bearer {access}"}
            ).as_json()
        except OutgoingError as error:
            raise _unreachable(error) from error
        if more.get("sub") != claims["sub"]:
            raise ProviderError("provider_answer", "The provider's user info is of somebody else.")
        return more | claims


def groups_of(lines: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """Return our groups by the provider's, from lines "provider's group = our group"."""
    found: dict[str, frozenset[str]] = {}
    for line in lines:
        theirs, _, ours = line.rpartition("=")
        found[theirs.strip()] = found.get(theirs.strip(), frozenset()) | {ours.strip()}
    return found


def _at(claims: Mapping[str, Any], name: str) -> Any:
    """Return a claim, or one within claims, such as realm_access.roles; None if there is none."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _texts(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [one for one in listed if isinstance(one, str)]


def _for_browsers(about: Mapping[str, Any], name: str) -> str:
    """Return an endpoint to which browsers are sent. Raises ProviderError."""
    address = about.get(name)
    try:
        parts = urlsplit(address) if isinstance(address, str) else None
        host = parts.hostname if parts else None
    except ValueError:
        parts = host = None
    here = host in ("127.0.0.1", "localhost", "::1")
    plain = isinstance(address, str) and address.isascii() and address.isprintable()
    if not parts or not host or not plain or "#" in str(address) or " " in str(address):
        raise ProviderError("provider_answer", "The provider does not say where to sign in.")
    if parts.scheme != "https" and not (here and parts.scheme == "http"):
        raise ProviderError("provider_answer", "The provider does not say where to sign in.")
    return str(address)


def _unreachable(error: OutgoingError | None = None) -> ProviderError:
    if error is not None:
        _LOG.warning("the provider gave no usable answer: %s (%s)", error, error.code)
    return ProviderError(
        "provider_unreachable",
        "The provider gave no usable answer. Try again, or ask an administrator to look at the log.",
    )

"""Checks of the ID tokens of OpenID Connect providers (OpenID Connect Core 1.0, 3.1.3.7)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key

# Signatures with a private key only: neither "none", nor HS256, whose key could be taken for the
# provider's public one.
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
)  # fmt: skip
CLOCKS_DIFFER = 60  # seconds by which the provider's clock may differ from ours
_LONGEST = 20_000  # characters of a token
_MOST_KEYS = 50


class TokenError(Exception):
    """Raised when an ID token is not to be trusted. The message has no value of it."""


class UnknownKey(TokenError):
    """Raised when the key of the signature is not among the provider's keys."""


@dataclass(frozen=True)
class Expected:
    """Lists what an ID token must say. now: in seconds since 1970."""

    issuer: str
    client: str
    nonce: str
    now: float


def claims_of(token: str, keys: Mapping[str, Any], expected: Expected) -> dict[str, Any]:
    """Return the claims of a valid ID token.

    keys: the provider's key set (RFC 7517). Raises TokenError.
    """
    if len(token) > _LONGEST or token.count(".") != 2:
        raise TokenError("it is not a signed token")
    claims = _signed(token, _candidates(_header(token), keys))
    _check(claims, expected)
    return claims


def _header(token: str) -> dict[str, Any]:
    try:
        header = jws.extract_compact(token.encode("ascii")).headers()
    except (JoseError, ValueError, RecursionError) as error:
        raise TokenError("its header cannot be read") from error
    if header.get("alg") not in ALGORITHMS:
        raise TokenError("it is not signed by an accepted algorithm")
    return dict(header)


def _candidates(header: Mapping[str, Any], keys: Mapping[str, Any]) -> list[Key]:
    """Return the provider's public keys that the header may mean."""
    listed = keys.get("keys")
    found: list[Key] = []
    for one in listed[:_MOST_KEYS] if isinstance(listed, list) else ():
        if not isinstance(one, dict) or one.get("use", "sig") != "sig":
            continue
        if "kid" in header and one.get("kid") != header["kid"]:
            continue
        if one.get("alg", header["alg"]) != header["alg"]:
            continue
        try:
            key = import_key(one)
        except (JoseError, ValueError, TypeError, KeyError):
            continue  # of a kind that is unknown here
        if isinstance(key, RSAKey | ECKey | OKPKey):
            found.append(key)
    if not found:
        raise UnknownKey("its key is not among the provider's")
    return found


def _signed(token: str, keys: list[Key]) -> dict[str, Any]:
    for key in keys:
        try:
            claims = jwt.decode(token, key, algorithms=list(ALGORITHMS)).claims
        except (JoseError, ValueError, TypeError, json.JSONDecodeError, RecursionError):
            continue
        if isinstance(claims, dict):
            return dict(claims)
    raise TokenError("its signature is wrong")


def _check(claims: Mapping[str, Any], expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise TokenError("it is of another issuer")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if expected.client not in audiences:
        raise TokenError("it is for another client")
    party = claims.get("azp")
    if (len(audiences) > 1 or party is not None) and party != expected.client:
        raise TokenError("it was issued to another client")
    ends, made = _time(claims, "exp"), _time(claims, "iat")
    begins = _time(claims, "nbf") if "nbf" in claims else made
    if ends <= expected.now - CLOCKS_DIFFER:
        raise TokenError("it has expired")
    if max(begins, made) > expected.now + CLOCKS_DIFFER:
        raise TokenError("it is not valid yet")
    if claims.get("nonce") != expected.nonce:
        raise TokenError("it belongs to another sign-in")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise TokenError("it does not say whose it is")


def _time(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenError(f"it has no valid {name}")
    return value

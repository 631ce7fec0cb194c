"""ID tokens that are not to be trusted, each in one respect, and those that are."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from orthanc_dose.manage.id_tokens import Expected, TokenError, UnknownKey, claims_of

ISSUER, CLIENT, NONCE, NOW = (
    "https://login.example.org",
    "dose",
    "nonce-of-this-sign-in",
    1_900_000_000,
)
EXPECTED = Expected(ISSUER, CLIENT, NONCE, NOW)
GOOD = {
    "iss": ISSUER,
    "aud": CLIENT,
    "sub": "4711",
    "nonce": NONCE,
    "iat": NOW - 1,
    "exp": NOW + 300,
}
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
OTHER = RSAKey.generate_key(2048, {"kid": "rsa"})  # the same name, another key
EC = ECKey.generate_key("P-256", {"kid": "ec"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})


def key_set(*keys: Key, **more: Any) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) | more for key in keys]}


KEYS = key_set(RSA, EC, ED)


def token(claims: dict[str, Any], key: Key = RSA, alg: str = "RS256", **header: Any) -> str:
    return jwt.encode({"alg": alg, "kid": "rsa"} | header, claims, key, algorithms=[alg])


def raw(header: dict[str, Any], claims: Any, signature: bytes = b"") -> str:
    def part(what: bytes) -> str:
        return base64.urlsafe_b64encode(what).rstrip(b"=").decode()

    return ".".join(
        (part(json.dumps(header).encode()), part(json.dumps(claims).encode()), part(signature))
    )


def test_good_tokens_are_read() -> None:
    assert claims_of(token(GOOD), KEYS, EXPECTED)["sub"] == "4711"
    for key, alg, kid in ((RSA, "PS256", "rsa"), (EC, "ES256", "ec"), (ED, "Ed25519", "ed")):
        assert claims_of(token(GOOD, key, alg, kid=kid), KEYS, EXPECTED)["sub"] == "4711"
    several = GOOD | {"aud": ["other", CLIENT], "azp": CLIENT}
    assert claims_of(token(several), KEYS, EXPECTED)
    # Clocks differ by a minute at most.
    assert claims_of(token(GOOD | {"exp": NOW - 50}), KEYS, EXPECTED)
    assert claims_of(token(GOOD | {"iat": NOW + 50, "nbf": NOW + 50}), KEYS, EXPECTED)


def test_a_token_without_a_key_id_is_tried_with_all_keys() -> None:
    made = jwt.encode({"alg": "RS256"}, GOOD, RSA, algorithms=["RS256"])
    assert claims_of(made, key_set(OTHER, RSA), EXPECTED)["sub"] == "4711"
    with pytest.raises(TokenError):
        claims_of(made, key_set(OTHER), EXPECTED)


WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "issuer": {"iss": "https://login.example.com"},
    "issuer with a slash": {"iss": ISSUER + "/"},
    "audience": {"aud": "another client"},
    "audiences": {"aud": ["a", "b"]},
    "no party of several audiences": {"aud": ["other", CLIENT]},
    "party": {"azp": "another client"},
    "nonce": {"nonce": "of another sign-in"},
    "expired": {"exp": NOW - 61},
    "not yet valid": {"nbf": NOW + 61},
    "of the future": {"iat": NOW + 61},
    "time as text": {"exp": str(NOW + 300)},
    "time as truth": {"exp": True},
    "subject as a number": {"sub": 4711},
    "empty subject": {"sub": ""},
    "long subject": {"sub": "x" * 256},
    "nothing as audience": {"aud": None},
}


@pytest.mark.parametrize("wrong", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS.keys())
def test_wrong_claims(wrong: dict[str, Any]) -> None:
    with pytest.raises(TokenError):
        claims_of(token(GOOD | wrong), KEYS, EXPECTED)


@pytest.mark.parametrize("name", GOOD)
def test_missing_claims(name: str) -> None:
    left = {one: value for one, value in GOOD.items() if one != name}
    with pytest.raises(TokenError):
        claims_of(token(left), KEYS, EXPECTED)


def test_a_signature_of_another_key_of_the_same_name() -> None:
    with pytest.raises(TokenError):
        claims_of(token(GOOD, OTHER), KEYS, EXPECTED)


@pytest.mark.parametrize("part", range(3))
def test_a_token_of_which_a_part_was_changed(part: int) -> None:
    parts = token(GOOD).split(".")
    if part == 1:
        parts[1] = raw({}, GOOD | {"sub": "1"}).split(".")[1]
    else:
        middle = len(parts[part]) // 2
        parts[part] = (
            parts[part][:middle]
            + ("A" if parts[part][middle] != "A" else "B")
            + parts[part][middle + 1 :]
        )
    with pytest.raises(TokenError):
        claims_of(".".join(parts), KEYS, EXPECTED)


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", None, "HS256", "RS1", "unknown"])
def test_other_algorithms(alg: str | None) -> None:
    for signature in (b"", b"x" * 256):
        with pytest.raises(TokenError):
            claims_of(raw({"alg": alg, "kid": "rsa"}, GOOD, signature), KEYS, EXPECTED)


def test_the_public_key_as_the_secret_of_a_symmetric_signature() -> None:
    public = RSA.as_dict(private=False)
    forms = [
        RSA.as_pem(private=False),
        json.dumps(public).encode(),
        str(public["n"]).encode(),
        RSA.public_key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
    ]
    for secret in forms:
        unsigned = raw({"alg": "HS256", "kid": "rsa"}, GOOD).rsplit(".", 1)[0]
        mac = hmac.new(secret, unsigned.encode(), hashlib.sha256).digest()
        signature = base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
        with pytest.raises(TokenError):
            claims_of(f"{unsigned}.{signature}", KEYS, EXPECTED)


def test_a_symmetric_key_in_the_key_set_signs_nothing() -> None:
    secret = OctKey.generate_key(256, {"kid": "rsa"})
    made = jwt.encode({"alg": "HS256", "kid": "rsa"}, GOOD, secret, algorithms=["HS256"])
    with pytest.raises(TokenError):
        claims_of(made, {"keys": [secret.as_dict(private=True)]}, EXPECTED)


def test_a_key_that_the_token_brings_along_is_not_used() -> None:
    header = {"alg": "RS256", "kid": "mine", "jwk": OTHER.as_dict(private=False)}
    made = jwt.encode(header, GOOD, OTHER, algorithms=["RS256"])
    with pytest.raises(TokenError):
        claims_of(made, KEYS, EXPECTED)


def test_keys_for_other_uses() -> None:
    for more in ({"use": "enc"}, {"alg": "RS512"}):
        with pytest.raises(UnknownKey):
            claims_of(token(GOOD), key_set(RSA, **more), EXPECTED)


def test_an_unknown_key_is_told_apart() -> None:
    with pytest.raises(UnknownKey):
        claims_of(token(GOOD, kid="rotated"), KEYS, EXPECTED)


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "a.b.c", "é.é.é", "a.b", "a.b.c.d.e", "x" * 30_000, raw({"alg": "RS256"}, []),
     raw({"alg": "RS256", "crit": ["exp"]}, GOOD), raw({"alg": ["RS256"]}, GOOD), "\0.\0.\0"],
)  # fmt: skip
def test_what_is_no_token(text: str) -> None:
    with pytest.raises(TokenError):
        claims_of(text, KEYS, EXPECTED)


@pytest.mark.parametrize(
    "keys", [{}, {"keys": None}, {"keys": [None, "x", {}, {"kty": "RSA", "kid": "rsa"}]}]
)
def test_key_sets_that_are_none(keys: dict[str, Any]) -> None:
    with pytest.raises(UnknownKey):
        claims_of(token(GOOD), keys, EXPECTED)

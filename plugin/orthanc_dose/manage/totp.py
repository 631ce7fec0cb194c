"""One-time passwords by time (TOTP, RFC 6238), as authenticator apps show them."""

import base64
import hashlib
import hmac
import secrets
from urllib.parse import quote, urlencode

# What all authenticator apps support: other values are ignored by some of them.
PERIOD, DIGITS = 30, 6
# Periods by which the clock of a phone may be wrong, in both directions: as RFC 6238, 5.2, advises.
_DRIFT = 1
_SECRET = 20  # bytes: as long as the hash, as RFC 4226, 4 (R6), recommends


def new_secret() -> bytes:
    """Return a new random secret."""
    return secrets.token_bytes(_SECRET)


def code_at(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """Return the code of a period, by its number since 1970 (RFC 4226, 5.3)."""
    digest = hmac.new(secret, step.to_bytes(8, "big"), hashlib.sha1).digest()
    start = digest[-1] & 0xF
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def step_of(secret: bytes, code: str, now: float, after: int) -> int | None:
    """Return the period whose code this is, or None.

    now: in seconds since 1970. after: the last period whose code was used; neither its code nor an
    earlier one is accepted.
    """
    present = int(now // PERIOD)
    found = None
    for step in range(present - _DRIFT, present + _DRIFT + 1):
        same = hmac.compare_digest(code_at(secret, step).encode(), code.encode())
        if same and step > after:
            found = step
    return found


def as_text(secret: bytes) -> str:
    """Return a secret as people type it into an app: base32, as RFC 4648 defines it."""
    return base64.b32encode(secret).decode("ascii").rstrip("=")


def address(secret: bytes, issuer: str, user: str) -> str:
    """Return the otpauth address that the QR code of an enrolment contains."""
    label = f"{quote(issuer, safe='')}:{quote(user, safe='')}"
    told = {
        "secret": as_text(secret),
        "issuer": issuer,
        "algorithm": "SHA1",
        "digits": DIGITS,
        "period": PERIOD,
    }
    return f"otpauth://totp/{label}?{urlencode(told, quote_via=quote)}"

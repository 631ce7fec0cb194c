"""Secrets that must be read again, encrypted in the store with the key of the installation.

The store, its copies and its backups do not reveal them without identity.key. AES-256-GCM; the name
of what a secret is for is authenticated with it, so that it cannot be moved elsewhere.
"""

import base64
import binascii
import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12  # bytes


class Unreadable(Exception):
    """Raised when a secret was encrypted with another key, or for something else."""


def seal(key: bytes, purpose: str, secret: bytes) -> str:
    """Return the encrypted secret, as text."""
    nonce = secrets.token_bytes(_NONCE)
    sealed = AESGCM(_derived(key)).encrypt(nonce, secret, purpose.encode())
    return base64.b64encode(nonce + sealed).decode("ascii")


def unseal(key: bytes, purpose: str, sealed: str) -> bytes:
    """Return the secret. Raises Unreadable."""
    try:
        raw = base64.b64decode(sealed, validate=True)
        return AESGCM(_derived(key)).decrypt(raw[:_NONCE], raw[_NONCE:], purpose.encode())
    except (InvalidTag, binascii.Error, ValueError) as error:
        raise Unreadable from error


def _derived(key: bytes) -> bytes:
    # The key itself makes handles and hashes of patients: each use has a key of its own.
    return hmac.new(key, b"orthanc-dose: sealed secrets", hashlib.sha256).digest()

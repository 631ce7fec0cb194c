"""The installation's key in a backup, encrypted with a passphrase.

The key of the encryption is derived from the passphrase with Argon2id (RFC 9106), which makes
trying passphrases expensive; the key of the installation is encrypted with AES-256-GCM.
"""

import base64
import json
import secrets

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# RFC 9106, the second recommended choice: 64 MiB of memory.
_COST = {"time_cost": 3, "memory_cost": 65_536, "parallelism": 4}
_ABOUT = b"identity.key of Orthanc Dose"


class WrongPassphrase(Exception):
    """Raised when a passphrase does not open a sealed key, or what is sealed was changed."""


def seal(key: bytes, passphrase: str) -> bytes:
    """Return the key, encrypted with a passphrase, as the content of a file."""
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    sealed = AESGCM(_derived(passphrase, salt, _COST)).encrypt(nonce, key, _ABOUT)
    parts = {"salt": salt, "nonce": nonce, "sealed": sealed}
    told = {name: base64.b64encode(part).decode("ascii") for name, part in parts.items()}
    return json.dumps({"kdf": "argon2id", "cipher": "AES-256-GCM", **_COST, **told}).encode()


def unseal(file: bytes, passphrase: str) -> bytes:
    """Return the key that a file holds. Raises WrongPassphrase."""
    try:
        told = json.loads(file)
        cost = {name: int(told[name]) for name in _COST}
        salt, nonce, sealed = (
            base64.b64decode(told[name], validate=True) for name in ("salt", "nonce", "sealed")
        )
        return AESGCM(_derived(passphrase, salt, cost)).decrypt(nonce, sealed, _ABOUT)
    except (InvalidTag, ValueError, KeyError, TypeError) as error:
        raise WrongPassphrase from error


def _derived(passphrase: str, salt: bytes, cost: dict[str, int]) -> bytes:
    return hash_secret_raw(passphrase.encode(), salt, hash_len=32, type=Type.ID, **cost)

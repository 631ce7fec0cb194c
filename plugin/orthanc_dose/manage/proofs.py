"""Proofs of work (as in Hashcash): what a guess costs a stranger after too many wrong ones.

The server gives a challenge, a text. A proof is a number such that the SHA-256 of the SHA-256 of
that text and the number (8 bytes, big-endian) begins with a given number of zero bits.
webui/src/shared/session/proofOfWork.ts finds one.
"""

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

# A browser tries about a million numbers per second, a phone a third of that: this takes an eighth
# of a second to two seconds, or up to six.
FEWEST_BITS, MOST_BITS = 17, 21
LIFETIME = 300.0  # seconds for which a challenge is valid


@dataclass(frozen=True)
class Proof:
    """A client's answer to a challenge."""

    challenge: str
    number: int


class Proofs:
    """Makes challenges, and accepts each proof once. Safe to be used from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._used: dict[str, float] = {}

    def challenge(self, bits: int, bound: str) -> str:
        """Return a challenge for this many bits.

        bound: what the proof is for; it is valid for nothing else.
        """
        ends = int(self._clock() + LIFETIME)
        told = f"{secrets.token_urlsafe(12)}.{ends}.{bits}"
        return f"{told}.{self._sign(told, bound)}"

    def holds(self, proof: Proof, bound: str) -> bool:
        """Return whether this proves the work, for `bound`, in time, and for the first time."""
        told, _, sign = proof.challenge.rpartition(".")
        if not hmac.compare_digest(sign.encode(), self._sign(told, bound).encode()):
            return False
        _, ends, bits = told.split(".")
        now = self._clock()
        if now > int(ends) or zero_bits(proof) < int(bits):
            return False
        with self._lock:
            if proof.challenge in self._used:
                return False
            self._used = {one: until for one, until in self._used.items() if until >= now}
            self._used[proof.challenge] = float(ends)
        return True

    def _sign(self, told: str, bound: str) -> str:
        return hmac.new(self._key, f"{told}\0{bound}".encode(), hashlib.sha256).hexdigest()


def zero_bits(proof: Proof) -> int:
    """Return the number of zero bits with which the hash of a proof begins."""
    start = hashlib.sha256(proof.challenge.encode()).digest()
    found = hashlib.sha256(start + proof.number.to_bytes(8, "big")).digest()
    return 256 - int.from_bytes(found, "big").bit_length()

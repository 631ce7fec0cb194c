"""Limits on wrong passwords, and what a guess costs beyond them.

Nobody may lock a user out by wrong guesses in the user's name, or everybody behind one address by
wrong guesses from there. docs/architecture.md, "Wrong passwords", gives the reasoning and the
bounds.
"""

import random
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from .proofs import FEWEST_BITS, MOST_BITS, Proof, Proofs

OF_NAME, OF_ADDRESS = 5, 20
_SHORTEST_LOCK, _LONGEST_LOCK = 60.0, 3600.0
_TOGETHER = 900.0  # seconds: wrong passwords further apart are independent typing errors
_FORGOTTEN = 86_400.0  # seconds without a wrong one after which the next lock is a short one again
# Seconds until the next guess with a proof is checked: a random time, so that somebody who guesses
# all the time from the same address cannot take every turn.
_FIRST_TURN, _LONGEST_TURN = 15.0, 240.0
# Number of names and addresses remembered: made-up ones must not fill the memory.
_MOST = 20_000

_CHANCE = random.SystemRandom().random
_Key = tuple[str, ...]


class Locked(Exception):
    """Raised when no password is checked for a number of seconds."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many wrong passwords were entered: wait {seconds} seconds.")
        self.seconds = seconds


class ProofNeeded(Exception):
    """Raised when a password is checked only with a proof of work, as described in proofs.py.

    again: there was a proof, and another is needed.
    """

    def __init__(self, challenge: str, bits: int, again: bool) -> None:
        super().__init__(
            "Too many wrong passwords were entered: send the name and password again, together "
            "with a proof of work."
        )
        self.challenge, self.bits, self.again = challenge, bits, again


@dataclass
class _Wrong:
    count: int = 0
    locks: int = 0
    proven: int = 0
    last: float = float("-inf")
    until: float = float("-inf")
    turn: float = float("-inf")


class Attempt:
    """One check of a password that the limits allow; it ends by `failed` or `succeeded`."""

    def __init__(self, limits: "Limits", counted: list[_Key], cleared: list[_Key], proven: bool):
        self._limits, self._counted, self._cleared, self._proven = limits, counted, cleared, proven

    def failed(self) -> bool:
        """Count a wrong password, and return whether it locked anything."""
        return self._limits._failed(self._counted, self._proven)

    def succeeded(self) -> None:
        """Reset, after the right password, the counts for its name that do not lock anything.

        The count for the address stays, otherwise whoever has one password could try those of
        others for ever.
        """
        self._limits._succeeded(self._cleared)


class Limits:
    """Counts wrong passwords, whether the name exists or not.

    Safe to be used from several threads.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = _CHANCE,
    ) -> None:
        """Create the limits. chance: returns a random number from 0 to 1."""
        self._clock, self._chance = clock, chance
        self._lock = threading.Lock()
        self._wrong: dict[_Key, _Wrong] = {}
        self._proofs = Proofs(clock)

    def of_script(self, name: str, address: str) -> Attempt:
        """Return an attempt of a client that can prove nothing, by HTTP Basic.

        Raises Locked after wrong passwords from this address, or for this name from here; after
        those for this name from elsewhere only if one of them came from here.
        """
        keys = _keys(name, address)
        now = self._clock()
        with self._lock:
            own = [key for key in keys if key[0] != "name"]
            pair = self._wrong.get(_pair(name, address))
            if pair is not None and now - pair.last < _FORGOTTEN:
                own = keys
            left = self._left(own, now)
        if left > 0:
            raise Locked(int(left) + 1)
        return Attempt(self, keys, _of_name(keys), False)

    def of_browser(self, name: str, address: str, proof: Proof | None) -> Attempt:
        """Return an attempt of a browser that is not known.

        Raises ProofNeeded while a script would be locked, or while anybody's wrong passwords have
        locked the name; never raises Locked.
        """
        keys = _keys(name, address)
        bound = "\0".join((_folded(name), _network(address)))
        if proof is not None and self._proofs.holds(proof, bound):
            if self._take_turn(_pair(name, address)):
                return Attempt(self, keys, _of_name(keys), True)
        elif self._left_of(keys) <= 0:
            return Attempt(self, keys, _of_name(keys), False)
        with self._lock:
            proven = max(self._wrong[key].proven for key in keys if key in self._wrong)
        bits = min(FEWEST_BITS + proven, MOST_BITS)
        raise ProofNeeded(self._proofs.challenge(bits, bound), bits, proof is not None)

    def of_known(self, key: str) -> Attempt:
        """Return an attempt from where the right password was given before.

        This is a known browser, or somebody who is signed in. It has a count of its own. Raises
        Locked.
        """
        left = self._left_of([("known", key)])
        if left > 0:
            raise Locked(int(left) + 1)
        return Attempt(self, [("known", key)], [("known", key)], False)

    def _left_of(self, keys: Iterable[_Key]) -> float:
        with self._lock:
            return self._left(keys, self._clock())

    def _left(self, keys: Iterable[_Key], now: float) -> float:
        return max((self._wrong[key].until - now for key in keys if key in self._wrong), default=0)

    def _take_turn(self, pair: _Key) -> bool:
        """Return whether a guess with a proof is checked now.

        For one name from one address, some guesses are refused unseen: hardware that makes proofs
        by the thousand guesses no faster.
        """
        now = self._clock()
        with self._lock:
            wrong = self._one(pair)
            if now < wrong.turn:
                return False
            longest = min(_FIRST_TURN * 2**wrong.proven, _LONGEST_TURN)
            wrong.turn = now + self._chance() * longest
            return True

    def _failed(self, keys: list[_Key], proven: bool) -> bool:
        with self._lock:
            return any([self._count(key, proven) for key in keys])  # noqa: C419  (each is counted)

    def _succeeded(self, keys: list[_Key]) -> None:
        now = self._clock()
        with self._lock:
            for key in keys:
                # A lock stays: otherwise each of the user's own sign-ins would give others new
                # guesses.
                if key in self._wrong and self._wrong[key].until <= now:
                    del self._wrong[key]

    def _one(self, key: _Key) -> _Wrong:
        if key not in self._wrong and len(self._wrong) >= _MOST:
            del self._wrong[min(self._wrong, key=lambda one: self._wrong[one].last)]
        return self._wrong.setdefault(key, _Wrong())

    def _count(self, key: _Key, proven: bool) -> bool:
        now = self._clock()
        wrong = self._one(key)
        if now - wrong.last > _TOGETHER:
            wrong.count = wrong.proven = 0
        if now - wrong.last > _FORGOTTEN:
            wrong.locks = 0
        wrong.count, wrong.last = wrong.count + 1, max(now, wrong.last)
        wrong.proven += proven
        if wrong.count < (OF_ADDRESS if key[0] == "address" else OF_NAME):
            return False
        wrong.until = wrong.last = now + min(_SHORTEST_LOCK * 2**wrong.locks, _LONGEST_LOCK)
        wrong.count, wrong.locks = 0, wrong.locks + 1
        return True


def _keys(name: str, address: str) -> list[_Key]:
    named: list[_Key] = [("name", _folded(name)), _pair(name, address)] if name else []
    return [*named, ("address", _network(address))]


def _of_name(keys: list[_Key]) -> list[_Key]:
    return [key for key in keys if key[0] != "address"]


def _pair(name: str, address: str) -> _Key:
    return "pair", _folded(name), _network(address, 12)


def _folded(name: str) -> str:
    return name.casefold()[:200]


def _network(address: str, digits: int = 16) -> str:
    """Return the address, or the first hexadecimal digits of an IPv6 address.

    Whoever has one IPv6 address has 2^64 of them, and often 2^16 such networks.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    return found.exploded.replace(":", "")[:digits]

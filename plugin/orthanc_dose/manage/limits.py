"""How many wrong passwords there may be: of a name, and from an address."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

OF_NAME, OF_ADDRESS = 5, 20
_MOST_WRONG = {"name": OF_NAME, "address": OF_ADDRESS}
_SHORTEST_LOCK, _LONGEST_LOCK = 60.0, 3600.0
_TOGETHER = 900.0  # seconds: wrong passwords further apart are typing errors of their own
_FORGOTTEN = 86_400.0  # seconds without a wrong one, after which the next lock is a short one again
# names and addresses that are remembered: what is made up in masses must not fill the memory
_MOST = 20_000


class Locked(Exception):
    """No password is looked at for so many seconds."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many wrong passwords: wait {seconds} seconds.")
        self.seconds = seconds


@dataclass
class _Wrong:
    count: int = 0
    locks: int = 0
    last: float = 0.0
    until: float = 0.0


class Limits:
    """Counts wrong passwords, whether anybody has the name or not. Safe to be used from several
    threads.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._wrong: dict[tuple[str, str], _Wrong] = {}

    def check(self, name: str, address: str) -> None:
        """Raises Locked while passwords of this name, or from this address, are not looked at."""
        now = self._clock()
        with self._lock:
            left = max(
                (
                    self._wrong[key].until - now
                    for key in _keys(name, address)
                    if key in self._wrong
                ),
                default=0.0,
            )
        if left > 0:
            raise Locked(int(left) + 1)

    def failed(self, name: str, address: str) -> bool:
        """Count a wrong password; whether it locked the name or the address."""
        locked = False
        with self._lock:
            for key in _keys(name, address):
                locked |= self._count(key, _MOST_WRONG[key[0]])
        return locked

    def succeeded(self, name: str) -> None:
        """The right password of a name: its count begins anew. That of the address does not, else
        whoever has one password could try those of others for ever."""
        with self._lock:
            for key in _keys(name, ""):
                self._wrong.pop(key, None)

    def _count(self, key: tuple[str, str], most: int) -> bool:
        now = self._clock()
        if key not in self._wrong and len(self._wrong) >= _MOST:
            del self._wrong[min(self._wrong, key=lambda one: self._wrong[one].last)]
        wrong = self._wrong.setdefault(key, _Wrong(last=now))
        if now - wrong.last > _TOGETHER:
            wrong.count = 0
        if now - wrong.last > _FORGOTTEN:
            wrong.locks = 0
        wrong.count, wrong.last = wrong.count + 1, now
        if wrong.count < most:
            return False
        wrong.until = wrong.last = now + min(_SHORTEST_LOCK * 2**wrong.locks, _LONGEST_LOCK)
        wrong.count, wrong.locks = 0, wrong.locks + 1
        return True


def _keys(name: str, address: str) -> list[tuple[str, str]]:
    keys = [("name", name.casefold()[:200])] if name else []
    return [*keys, ("address", _network(address))] if address else keys


def _network(address: str) -> str:
    # Whoever has an IPv6 address has 2^64 of them.
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return found.exploded[:19] if isinstance(found, IPv6Address) else str(found)

"""From where the requests of users come: whether a proxy stands before Orthanc that nobody named."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_RECENT = 86_400.0  # seconds
_MOST = 1000
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "x-forwarded-host", "via")


@dataclass(frozen=True)
class UnnamedProxy:
    """Where all requests come from. forwarded: they say themselves that they were handed on; else
    several users come from there alone."""

    address: str
    forwarded: bool
    users: int


class Peers:
    """Remembers who came from where, for a day. Safe to be used from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        # By peer and user: when last, and whether it was handed on.
        self._seen: dict[tuple[str, str], tuple[float, bool]] = {}

    def note(self, peer: str, headers: Mapping[str, str], user: str, trusted: bool) -> None:
        """A request of a user. trusted: the peer is a proxy that the configuration names."""
        handed_on = not trusted and any(name in headers for name in _FORWARDED)
        with self._lock:
            key = ("" if trusted else peer), user
            if key not in self._seen and len(self._seen) >= _MOST:
                del self._seen[min(self._seen, key=lambda one: self._seen[one][0])]
            self._seen[key] = self._clock(), handed_on

    def unnamed_proxy(self) -> UnnamedProxy | None:
        """The one address that all users of the last day came from, where it looks like that of a
        proxy.

        One user alone, on the same machine or another, looks like nothing of the kind; so does
        whoever sends such headers while others come from elsewhere."""
        oldest = self._clock() - _RECENT
        with self._lock:
            self._seen = {key: one for key, one in self._seen.items() if one[0] >= oldest}
            seen = dict(self._seen)
        addresses = {peer for peer, _ in seen}
        users = {user for _, user in seen}
        forwarded = bool(seen) and all(handed_on for _, handed_on in seen.values())
        if len(addresses) != 1 or "" in addresses or not (forwarded or len(users) > 1):
            return None
        return UnnamedProxy(addresses.pop(), forwarded, len(users))

"""The origins of users' requests: they reveal a proxy before Orthanc that is not configured."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_RECENT = 86_400.0  # seconds
_MOST = 1000
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "x-forwarded-host", "via")


@dataclass(frozen=True)
class UnnamedProxy:
    """The address that all requests come from.

    forwarded: the requests themselves say that they were forwarded; otherwise several users come
    from this address alone.
    """

    address: str
    forwarded: bool
    users: int


class Peers:
    """Remembers for a day who came from where. Safe to be used from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        # By peer and user: when last, and whether it was forwarded.
        self._seen: dict[tuple[str, str], tuple[float, bool]] = {}

    def note(self, peer: str, headers: Mapping[str, str], user: str, trusted: bool) -> None:
        """Note a request of a user. trusted: the peer is a proxy named in the configuration."""
        handed_on = not trusted and any(name in headers for name in _FORWARDED)
        with self._lock:
            key = ("" if trusted else peer), user
            if key not in self._seen and len(self._seen) >= _MOST:
                del self._seen[min(self._seen, key=lambda one: self._seen[one][0])]
            self._seen[key] = self._clock(), handed_on

    def unnamed_proxy(self) -> UnnamedProxy | None:
        """Return the one address of all users of the last day, if it looks like that of a proxy.

        A single user, on the same machine or another, does not look like one; nor does somebody who
        sends such headers while others come from elsewhere.
        """
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

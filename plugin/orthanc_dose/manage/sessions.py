"""Sessions of people who signed in on the page.

They are in memory: a restart of Orthanc signs everybody out.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_MOST_OF_ONE = 50  # sessions per user; beyond that, the least recently used one ends


@dataclass
class _Session:
    user: str
    stamp: str
    used: float
    token: str = field(default="", repr=False)


class Sessions:
    """The sessions, by the SHA-256 of what the cookie holds.

    idle: returns the number of seconds without a request after which a session ends. Each session
    holds the stamp of the user's password: it ends when the password is changed. Safe to be used
    from several threads.
    """

    def __init__(
        self, idle: Callable[[], float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._idle, self._clock = idle, clock
        self._lock = threading.Lock()
        self._open: dict[str, _Session] = {}

    def start_session(self, user: str, stamp: str, token: str = "") -> str:
        """Start a session, and return what its cookie is to hold.

        token: the ID token with which the provider is told of the end of the session.
        """
        secret = secrets.token_urlsafe(32)
        with self._lock:
            self._forget()
            own = sorted(
                (key for key, one in self._open.items() if one.user == user),
                key=lambda key: self._open[key].used,
            )
            for key in own[: max(0, len(own) - _MOST_OF_ONE + 1)]:
                del self._open[key]
            self._open[session_key(secret)] = _Session(user, stamp, self._clock(), token)
        return secret

    def find(self, secret: str) -> tuple[str, str] | None:
        """Return the user and stamp of an open session, or None. Counts as use of the session."""
        with self._lock:
            found = self._open.get(session_key(secret))
            if found is None or self._clock() - found.used > self._idle():
                return None
            found.used = self._clock()
            return found.user, found.stamp

    def end(self, key: str) -> str:
        """End the session with this key, and return the ID token that it was started with."""
        with self._lock:
            ended = self._open.pop(key, None)
        return ended.token if ended else ""

    def end_all(self, user: str) -> None:
        """End all sessions of a user."""
        with self._lock:
            self._open = {key: one for key, one in self._open.items() if one.user != user}

    def end_others(self, user: str, key: str) -> None:
        """End all sessions of a user except the one with this key."""
        with self._lock:
            self._open = {
                other: one for other, one in self._open.items() if one.user != user or other == key
            }

    def _forget(self) -> None:
        oldest = self._clock() - self._idle()
        self._open = {key: one for key, one in self._open.items() if one.used >= oldest}


def session_key(secret: str) -> str:
    """Return the key of a session: what the cookie holds is kept nowhere."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()

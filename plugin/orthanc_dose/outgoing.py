"""Requests to other servers by HTTP: the only module that sends any.

Only addresses on the administrators' list are asked, redirects are not followed, and the time of
the whole request and the size of its answer are limited. Waiting does not hold Python's lock.
"""

import contextlib
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

SECONDS = 10.0  # for a whole request, from looking up the name to the last byte
MOST = 1_000_000  # bytes of an answer
_AT_ONCE = 4  # requests: each blocks a thread that answers HTTP
_PORTS = {"http": 80, "https": 443}
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


class OutgoingError(Exception):
    """Raised when a server was not asked, or gave no usable answer.

    code: not_allowed, bad_address, busy, unreachable, too_slow, too_large, redirect, status,
    no_json. The message is a sentence for people, without the address.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Reply:
    """The answer of a server."""

    status: int
    body: bytes

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object that a successful answer consists of. Raises OutgoingError."""
        if self.status != 200:
            raise OutgoingError("status", f"The server answered with status {self.status}.")
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise OutgoingError("no_json", "The server's answer is not JSON.") from error
        if not isinstance(found, dict):
            raise OutgoingError("no_json", "The server's answer is not a JSON object.")
        return found


class Outgoing:
    """Sends requests. Can be used from several threads."""

    def __init__(self, allowed: Callable[[], Collection[str]]) -> None:
        """Set it up. allowed: returns the hosts, each as "host" or "host:port"."""
        self._allowed = allowed
        self._at_once = threading.BoundedSemaphore(_AT_ONCE)

    def request(
        self,
        method: str,
        address: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = SECONDS,
    ) -> Reply:
        """Send a request, and return the answer. Raises OutgoingError.

        If several others are under way, it is refused instead of waiting for them.
        """
        scheme, host, port, path = self._checked(address)
        if not self._at_once.acquire(blocking=False):
            raise OutgoingError("busy", "Too many requests to other servers are under way.")
        try:
            return _sent(scheme, host, port, (method, path, body, dict(headers or {})), seconds)
        finally:
            self._at_once.release()

    def _checked(self, address: str) -> tuple[str, str, int, str]:
        """Return scheme, host, port and path of an address that may be asked."""
        try:
            parts = urlsplit(address)
            scheme, host = parts.scheme, (parts.hostname or "").rstrip(".")
            port = parts.port or _PORTS.get(scheme, 0)
        except ValueError as error:
            raise OutgoingError("bad_address", "The address is not valid.") from error
        plain = address.isascii() and address.isprintable() and " " not in address
        if not port or not host or not plain or "@" in parts.netloc or "\\" in address:
            raise OutgoingError("bad_address", "The address is not valid.")
        if scheme == "http" and host not in _THIS_MACHINE:
            raise OutgoingError("not_allowed", "Other machines are only asked by HTTPS.")
        shown = f"[{host}]" if ":" in host else host
        names = {f"{shown}:{port}"} | ({shown} if port == _PORTS[scheme] else set())
        if names.isdisjoint(one.lower() for one in self._allowed()):
            raise OutgoingError(
                "not_allowed",
                'The server is not listed in the setting "Servers that may be asked".',
            )
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return scheme, host, port, path


_Asked = tuple[str, str, bytes | None, dict[str, str]]


def _sent(scheme: str, host: str, port: int, asked: _Asked, seconds: float) -> Reply:
    method, path, body, headers = asked
    ends = time.monotonic() + seconds
    open_sockets: list[socket.socket] = []
    # A server that sends a byte now and then would never reach the timeout of the socket.
    watch = threading.Timer(seconds, _cut, [open_sockets])
    watch.daemon = True
    watch.start()
    connection: http.client.HTTPConnection
    if scheme == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=seconds)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=seconds)
    try:
        open_sockets.append(socket.create_connection((host, port), timeout=seconds))
        if scheme == "https":
            secured = ssl.create_default_context().wrap_socket(
                open_sockets.pop(), server_hostname=host, do_handshake_on_connect=False
            )
            open_sockets.append(secured)
            secured.do_handshake()
        connection.sock = open_sockets[0]
        connection.request(method, path, body, headers | {"Connection": "close"})
        answer = connection.getresponse()
        found = answer.read(MOST + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        if time.monotonic() >= ends or isinstance(error, TimeoutError):
            raise OutgoingError("too_slow", "The server took too long to answer.") from error
        why = "its certificate is not valid" if isinstance(error, ssl.SSLError) else "no answer"
        raise OutgoingError("unreachable", f"The server cannot be reached: {why}.") from error
    finally:
        watch.cancel()
        connection.close()
        for one in open_sockets:
            one.close()
    if time.monotonic() >= ends:
        raise OutgoingError("too_slow", "The server took too long to answer.")
    if len(found) > MOST:
        raise OutgoingError("too_large", "The server's answer is too large.")
    if 300 <= answer.status < 400:
        raise OutgoingError("redirect", "The server answered with a redirect, which is refused.")
    return Reply(answer.status, found)


def _cut(sockets: list[socket.socket]) -> None:
    for one in sockets:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)

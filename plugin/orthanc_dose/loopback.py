"""Orthanc's own routes over HTTP, for calls that take long there.

While Orthanc works on a call that its plugin makes directly, a C-FIND for instance, Python's lock
is held, and nobody else gets an answer.
"""

import http.client
import json
import secrets
import ssl
from base64 import b64encode
from typing import Any

# The header by which the plugin recognises its own requests, and its value, which never leaves the
# machine.
HEADER, SECRET = "x-dose-own", secrets.token_hex(32)


def is_own(headers: dict[str, str]) -> bool:
    """Return whether a request is one of these. headers: names in lower case."""
    return secrets.compare_digest(headers.get(HEADER, "").encode(), SECRET.encode())


class OrthancError(Exception):
    """Orthanc answered with an error. details: its explanation."""

    def __init__(self, status: int, details: str) -> None:
        super().__init__(details or f"status {status}")
        self.status, self.details = status, details


class Loopback:
    """Orthanc at the port in its configuration. Can be used from any thread."""

    def __init__(self, configuration: dict[str, Any]) -> None:
        self._port = int(configuration.get("HttpPort", 8042))
        self._is_encrypted = bool(configuration.get("SslEnabled"))
        self._headers = {HEADER: SECRET, "Content-Type": "application/json"}
        registered = configuration.get("RegisteredUsers")
        if (
            isinstance(registered, dict) and registered
        ):  # if Orthanc asks for a password before the plugin does
            user, password = next(iter(registered.items()))
            self._headers["Authorization"] = "Basic " + b64encode(
                f"{user}:{password}".encode()
            ).decode("ascii")

    def call(self, method: str, path: str, body: Any = None, seconds: float = 60.0) -> Any:
        """Return the JSON that a route answers; None for an empty answer.

        seconds: the longest wait for the next part of the answer. Raises OrthancError, and OSError
        or http.client.HTTPException if there is no answer.
        """
        connection: http.client.HTTPConnection
        if self._is_encrypted:
            # To ourselves, whatever name the certificate has.
            context = ssl._create_unverified_context()  # noqa: S323
            connection = http.client.HTTPSConnection(
                "127.0.0.1", self._port, timeout=seconds, context=context
            )
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=seconds)
        try:
            sent = None if body is None else json.dumps(body).encode()
            connection.request(method, path, sent, self._headers)
            answer = connection.getresponse()
            found = answer.read()
        finally:
            connection.close()
        if answer.status >= 400:
            raise OrthancError(answer.status, _details(found))
        return json.loads(found) if found else None


def _details(body: bytes) -> str:
    try:
        told = json.loads(body)
        return str(told.get("Details") or told.get("Message") or "")
    except (ValueError, AttributeError):
        return ""

"""Commands that talk to a running server, through the same API as the pages."""

import argparse
import base64
import getpass
import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.request
from typing import Any


class ClientError(Exception):
    """The server could not be reached, or refused the request; the message says why, for a user."""


class Client:
    """The API below `url`/dose/api. authorization: the value of that header."""

    def __init__(self, url: str, authorization: str) -> None:
        self._base = f"{url.rstrip('/')}/dose/api"
        self._authorization = authorization

    def call(
        self, method: str, path: str, body: Any = b"", headers: dict[str, str] | None = None
    ) -> Any:
        """Return the JSON answer of a route. Raises ClientError.

        body: of a POST; bytes are sent unchanged, anything else as JSON.
        """
        try:
            return json.loads(self.raw(method, path, body, headers))
        except ValueError as error:
            raise ClientError(
                f"No answer from {self._base}: check the address and whether Orthanc is running."
            ) from error

    def raw(
        self, method: str, path: str, body: Any = b"", headers: dict[str, str] | None = None
    ) -> bytes:
        """Return the bytes that a route answers. Raises ClientError."""
        sent = (
            (body if isinstance(body, bytes) else json.dumps(body).encode())
            if method == "POST"
            else None
        )
        own = {"Authorization": self._authorization, "Content-Type": "application/octet-stream"}
        request = urllib.request.Request(  # noqa: S310  (the address is the caller's own)
            self._base + path, sent, own | (headers or {}), method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
                found: bytes = answer.read()
                return found
        except urllib.error.HTTPError as error:
            if error.code == 401:
                raise ClientError(
                    "The server does not accept this user name and password: check "
                    "--user and DOSE_PASSWORD."
                ) from error
            try:
                message = json.load(error)["error"]["message"]
            except (ValueError, KeyError, TypeError):
                message = f"status {error.code}"
            raise ClientError(f"The server refused the request: {message}") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise ClientError(
                f"No answer from {self._base}: check the address and whether Orthanc is running."
            ) from error


def add_server_arguments(parser: argparse.ArgumentParser) -> None:
    """Add arguments for the server's address and the user."""
    here = os.environ.get("DOSE_URL", "http://127.0.0.1:8042")
    parser.add_argument("--url", default=here, help="address of Orthanc (default: %(default)s)")
    parser.add_argument(
        "--user",
        default=os.environ.get("DOSE_USER", "dose"),
        help="user name (default: %(default)s)",
    )
    # A password on the command line would appear in the list of processes.
    parser.epilog = (
        "The password is taken from the environment variable DOSE_PASSWORD or asked for; a token "
        "in DOSE_TOKEN is used instead of a password."
    )


def authorization(user: str) -> str:
    """Return the value of the Authorization header: of a token if set, else of the password."""
    token = os.environ.get("DOSE_TOKEN")
    if token:
        return f"Bearer {token}"
    password = os.environ.get("DOSE_PASSWORD") or getpass.getpass(f"Password of {user}: ")
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")


def connected(chosen: argparse.Namespace) -> Client:
    return Client(chosen.url, authorization(chosen.user))


def follow(client: Client, task: int, what: str) -> dict[str, Any]:
    """Wait for the end of a task and return the task. what: what it counts."""
    while True:
        found: dict[str, Any] = client.call("GET", f"/tasks/{task}")
        if sys.stderr.isatty():
            far = (
                f"{found['done']:,} of {found['total']:,} {what}" if found["total"] else "preparing"
            )
            print(f"\r{far:40}", end="", file=sys.stderr, flush=True)
        if found["finished_at"] is not None:
            if sys.stderr.isatty():
                print(file=sys.stderr)
            return found
        time.sleep(0.2)


def reextract(chosen: argparse.Namespace) -> int:
    """Start re-extraction of all stored content, follow its progress, and print what changed."""
    client = connected(chosen)
    status = client.call("POST", "/reextract")
    while status["state"] == "running":
        time.sleep(0.5)
        status = client.call("GET", "/reextract")
        if sys.stderr.isatty():
            print(
                f"\r{status['done']} of {status['total']} studies",
                end="",
                file=sys.stderr,
                flush=True,
            )
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(
        f"{status['done']} studies re-extracted, {status['changed']} changed, {status['failed']} "
        "objects failed."
    )
    for name, count in status["fields"].items():
        print(f"  {name}: {count}")
    if status["state"] != "done":
        print("The re-extraction was stopped before it was complete.", file=sys.stderr)
        return 1
    return 0

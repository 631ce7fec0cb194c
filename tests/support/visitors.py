"""Visitors of a server, for tests of who may do what: by HTTP Basic, by a session, by a token, or
not signed in.
"""

from __future__ import annotations

from typing import Any

import requests

from orthanc_dose.records.access import GROUPS
from tests.support.server import PASSWORD, USER, OrthancServer

# One registered user for each group alone, one without any, and one only for Orthanc's own routes.
RIGHTS: dict[str, list[str]] = {f"only {group}": [group] for group in GROUPS} | {
    "nothing": [],
    "pacs": ["orthanc"],
}
REGISTERED = {USER: PASSWORD} | {name: f"password of {name}" for name in RIGHTS}


def guarded(**dose: Any) -> OrthancServer:
    """Return a server with all these users."""
    return OrthancServer(
        dose={"OrthancUsers": RIGHTS} | dose, overrides={"RegisteredUsers": REGISTERED}
    )


def ask(
    server: OrthancServer, method: str, path: str, user: str | None = None, **more: Any
) -> requests.Response:
    """Send a request of a registered user by HTTP Basic, or of nobody."""
    return server.request(method, path, auth=(user, REGISTERED[user]) if user else NOBODY, **more)


class _Nobody(requests.auth.AuthBase):
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


NOBODY = _Nobody()


class Browser:
    """A browser's cookies, and the header that our pages send."""

    def __init__(self, server: OrthancServer) -> None:
        self._server = server
        self.session = requests.Session()
        self.session.trust_env = False

    def ask(self, method: str, path: str, own: bool = True, **more: Any) -> requests.Response:
        """Send a request.

        own: as a page of the server does, with the header that another site cannot send.
        """
        headers = more.pop("headers", {}) | (
            {"X-Dose-Request": "1"} if own and method != "GET" else {}
        )
        return self.session.request(
            method, self._server.url + path, headers=headers, timeout=60, **more
        )

    def sign_in(self, name: str, password: str) -> requests.Response:
        return self.ask("POST", "/dose/api/session", json={"name": name, "password": password})

    @property
    def name(self) -> str | None:
        """The user that the server takes this to be."""
        return self.ask("GET", "/dose/api/session").json()["session"]["name"]

"""A real OpenID Connect provider (npm's oidc-provider) for tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from .server import _free_ports

FOLDER = Path(__file__).parents[1] / "provider"
CLIENT, SECRET = "dose", "secret: of + the client"


class Provider:
    """The provider while it runs. server: the address of the server that signs people in there."""

    def __init__(self, port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.issuer = f"http://{self.host}"

    def sign_in_as(self, name: str) -> None:
        """Let this account sign in from now on, without anybody typing its password."""
        assert requests.get(
            f"{self.issuer}/as/{requests.utils.quote(name, safe='')}", timeout=10
        ).ok

    def rotate(self) -> None:
        """Sign by a new key from now on; the old one is gone."""
        assert requests.get(f"{self.issuer}/rotate", timeout=10).ok


@contextmanager
def provider(server: str) -> Iterator[Provider]:
    """Run the provider for a server at this address."""
    [port] = _free_ports(1)
    # tools/setup.sh puts one there if the system has none.
    own = FOLDER.parents[1] / "build" / "node" / "bin" / "node"
    node = shutil.which("node") or str(own)
    arguments = [
        str(port),
        f"{server}/dose/api/session/provider/callback",
        f"{server}/dose/app/sign-in",
    ]
    process = subprocess.Popen(
        [node, "provider.js", *arguments],
        cwd=FOLDER,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"NODE_ENV": "test"},
    )
    try:
        assert process.stdout is not None
        # The library may say something about the version of Node first.
        assert any(line == b"ready\n" for line in process.stdout), "the provider does not start"
        yield Provider(port)
    finally:
        process.kill()
        process.wait()

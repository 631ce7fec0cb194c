"""The reverse proxies of the documentation, started in front of a server.

They are docker/nginx.conf and docker/Caddyfile, with other ports, names and paths, and a
certificate made for them.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from tests.support.server import ROOT, SAFETY_S, OrthancServer, _die_with_parent, _free_ports

KINDS = ("nginx", "caddy")
NAME = "localhost"

_NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
    include /etc/nginx/mime.types;
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


class ReverseProxy:
    """A proxy of a kind in front of a server, with HTTPS at `port`, until the end of the block."""

    def __init__(self, kind: str, server: OrthancServer) -> None:
        self.kind, self.server = kind, server
        self.port, self._http_port = _free_ports(2)
        self.url = f"https://{NAME}:{self.port}"
        self.folder = Path(tempfile.mkdtemp(prefix="dose-proxy-"))
        self.folder.chmod(0o755)  # for nginx's workers, which run as another user
        self.certificate = self.folder / "certificate.pem"

    def __enter__(self) -> ReverseProxy:
        self._make_certificate()
        environment = {"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": str(self.folder)}
        with open(self.folder / "log", "wb") as log:
            self._process = subprocess.Popen(
                self._nginx() if self.kind == "nginx" else self._caddy(),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=_die_with_parent,
            )
        end = time.monotonic() + SAFETY_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return self
            except OSError:
                said = (self.folder / "log").read_text(errors="replace")
                assert self._process.poll() is None, f"{self.kind} ended:\n{said}"
                assert time.monotonic() < end, said
                time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _nginx(self) -> list[str]:
        site = self._example(
            "nginx.conf",
            {
                "listen 80;": f"listen 127.0.0.1:{self._http_port};",
                "listen 443 ssl": f"listen 127.0.0.1:{self.port} ssl",
            },
        )
        (self.folder / "site.conf").write_text(site)
        (self.folder / "nginx.conf").write_text(_NGINX.format(folder=self.folder))
        return ["nginx", "-c", str(self.folder / "nginx.conf"), "-p", str(self.folder)]

    def _caddy(self) -> list[str]:
        options = f"admin off\n\tdefault_bind 127.0.0.1\n\thttp_port {self._http_port}\n\thttps_port {self.port}\n\tservers {{"
        example = self._example("Caddyfile", {"servers {": options})
        (self.folder / "Caddyfile").write_text(example)
        config = str(self.folder / "Caddyfile")
        return ["caddy", "run", "--adapter", "caddyfile", "--config", config]

    def _example(self, name: str, changes: dict[str, str]) -> str:
        text = (ROOT / "docker" / name).read_text()
        changes = changes | {
            "/etc/ssl/certs/dose.example.org.pem": str(self.certificate),
            "/etc/ssl/private/dose.example.org.key": str(self.folder / "key.pem"),
            "dose.example.org": NAME,
            "127.0.0.1:8042": f"127.0.0.1:{self.server.http_port}",
        }
        for old, new in changes.items():
            assert old in text, f"{name} has no {old!r}"
            text = text.replace(old, new)
        return text

    def _make_certificate(self) -> None:
        subprocess.run(
            [
                *(
                    "openssl",
                    "req",
                    "-x509",
                    "-newkey",
                    "ec",
                    "-pkeyopt",
                    "ec_paramgen_curve:P-256",
                ),
                *("-nodes", "-days", "2", "-subj", f"/CN={NAME}"),
                *("-addext", f"subjectAltName=DNS:{NAME},IP:127.0.0.1"),
                *("-keyout", str(self.folder / "key.pem"), "-out", str(self.certificate)),
            ],
            check=True,
            capture_output=True,
        )

    def session(self, address: str = "127.0.0.1") -> Visitor:
        """Return a visitor whose connections come from this address of the machine."""
        return Visitor(self, address)


class Visitor(requests.Session):
    """A browser's cookies, its address, and the proxy's certificate."""

    def __init__(self, proxy: ReverseProxy, address: str) -> None:
        super().__init__()
        self.trust_env = False
        self.verify = str(proxy.certificate)
        self._url = proxy.url
        self.mount("https://", _From(address))

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        """Send a request as a page of the server does."""
        headers = {"Origin": self._url, "X-Dose-Request": "1"} | more.pop("headers", {})
        return self.request(method, self._url + path, headers=headers, timeout=SAFETY_S, **more)


class _From(HTTPAdapter):
    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, source_address=(self._address, 0), **more)

"""Raw bytes to and from a server's HTTP port, for requests that no client library sends."""

from __future__ import annotations

import re
import socket

from tests.support.server import SAFETY_S, OrthancServer

HOST = b"Host: 127.0.0.1\r\n"


def exchange(server: OrthancServer, sent: bytes) -> tuple[list[int], bytes]:
    """Send bytes and return the statuses of all answers, in order, and everything received.

    Reads until the server closes the connection. sent: one or more requests, the last of which
    should not leave the connection open ("Connection: close").
    """
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=SAFETY_S) as connection:
        connection.sendall(sent)
        got = b""
        while part := connection.recv(65536):
            got += part
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", got)], got


def request(method: str, path: str, *headers: str, body: bytes = b"", close: bool = True) -> bytes:
    """Return a request as bytes, with exactly these lines of headers.

    The length of the body is added unless a header gives it.
    """
    lines = [*headers, *(["Connection: close"] if close else [])]
    if body and not any("ength:" in line or "ncoding:" in line for line in lines):
        lines.append(f"Content-Length: {len(body)}")
    head = f"{method} {path} HTTP/1.1\r\n".encode() + HOST
    return head + "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n" + body


def multipart(boundary: str, *parts: tuple[list[str], bytes]) -> bytes:
    """Return a multipart body, each part of which has its own lines of headers."""
    made = b""
    for headers, content in parts:
        lines = ['Content-Disposition: form-data; name="a"', *headers]
        head = "".join(f"{line}\r\n" for line in lines).encode()
        made += f"--{boundary}\r\n".encode() + head + b"\r\n" + content + b"\r\n"
    return made + f"--{boundary}--\r\n".encode()

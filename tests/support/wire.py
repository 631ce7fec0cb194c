"""Bytes to a server's HTTP port and back, for requests that no client library sends."""

from __future__ import annotations

import re
import socket

from tests.support.server import SAFETY_S, OrthancServer

HOST = b"Host: 127.0.0.1\r\n"


def exchange(server: OrthancServer, sent: bytes) -> tuple[list[int], bytes]:
    """The statuses of all answers to these bytes, in their order, and all that came until the
    server closed the connection. sent: one request or more, of which the last one should not
    leave the connection open ("Connection: close")."""
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=SAFETY_S) as connection:
        connection.sendall(sent)
        got = b""
        while part := connection.recv(65536):
            got += part
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", got)], got


def request(method: str, path: str, *headers: str, body: bytes = b"", close: bool = True) -> bytes:
    """A request as bytes, with these lines of headers, just as they are, and the length of the body
    unless they say one."""
    lines = [*headers, *(["Connection: close"] if close else [])]
    if body and not any("ength:" in line or "ncoding:" in line for line in lines):
        lines.append(f"Content-Length: {len(body)}")
    head = f"{method} {path} HTTP/1.1\r\n".encode() + HOST
    return head + "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n" + body


def multipart(boundary: str, *parts: tuple[list[str], bytes]) -> bytes:
    """A body of several parts, each with lines of headers of its own."""
    made = b""
    for headers, content in parts:
        lines = ['Content-Disposition: form-data; name="a"', *headers]
        head = "".join(f"{line}\r\n" for line in lines).encode()
        made += f"--{boundary}\r\n".encode() + head + b"\r\n" + content + b"\r\n"
    return made + f"--{boundary}--\r\n".encode()

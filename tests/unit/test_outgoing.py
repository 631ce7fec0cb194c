"""Requests to other servers: where they may go, and what servers may not do to them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from orthanc_dose.outgoing import MOST, Outgoing, OutgoingError


@contextmanager
def server(act: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server on this machine that does this with each connection; yields its port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=one, args=[connection], daemon=True).start()

    def one(connection: socket.socket) -> None:
        with connection:
            try:
                connection.recv(65536)
                act(connection)
            except OSError:
                pass

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.close()


def answering(head: str, body: bytes = b"") -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(f"HTTP/1.1 {head}\r\n\r\n".encode() + body)


def code(port: int, seconds: float = 5, path: str = "/") -> str:
    with pytest.raises(OutgoingError) as raised:
        Outgoing(lambda: [f"127.0.0.1:{port}"]).request(
            "GET", f"http://127.0.0.1:{port}{path}", seconds=seconds
        )
    assert str(port) not in str(raised.value)
    return raised.value.code


def test_an_answer_is_read() -> None:
    with server(answering("200 OK\r\nContent-Length: 9", b'{"a": 1} ')) as port:
        reply = Outgoing(lambda: [f"127.0.0.1:{port}"]).request(
            "GET", f"http://127.0.0.1:{port}/x?y=1"
        )
        assert (reply.status, reply.as_json()) == (200, {"a": 1})


@pytest.mark.parametrize(
    "address",
    [
        "https://other.example.org/", "https://login.example.org:8443/", "http://login.example.org/",
        "https://login.example.org.evil.example/", "https://user@login.example.org/", "ftp://login.example.org/",
        "https://login.example.org@evil.example/", "https:///x", "/x", "", "file:///etc/passwd", "None",
        "https://evil.example\\@login.example.org/", "https://login.example.org:99999/", "https://login.example.org:0x50/",
        "https://login.example.org/\r\nHost: evil", "https://[::1/", "https://lögin.example.org/", "https://127.0.0.1/",
        "http://127.0.0.1/", "https://localhost/",
    ],
)  # fmt: skip
def test_only_listed_servers_are_asked(address: str) -> None:
    with pytest.raises(OutgoingError) as raised:
        Outgoing(lambda: ["login.example.org"]).request("GET", address)
    assert raised.value.code in ("not_allowed", "bad_address")


def test_nothing_is_allowed_by_default_and_a_port_is_part_of_it() -> None:
    with server(answering("200 OK\r\nContent-Length: 2", b"{}")) as port:
        address = f"http://127.0.0.1:{port}/"
        for allowed in ([], ["127.0.0.1"], ["127.0.0.1:1"], [f"localhost:{port}"]):
            with pytest.raises(OutgoingError) as raised:
                Outgoing(lambda allowed=allowed: allowed).request("GET", address)
            assert raised.value.code == "not_allowed"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    asked = []
    with server(lambda connection: asked.append(1)) as elsewhere:
        head = f"{status} Moved\r\nLocation: http://127.0.0.1:{elsewhere}/\r\nContent-Length: 0"
        with server(answering(head)) as port:
            assert code(port) == "redirect"
    assert asked == []


def drip(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"H")
        time.sleep(0.05)


def drip_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n")
    drip(connection)


@pytest.mark.parametrize("act", [drip, drip_body, lambda _: time.sleep(30)])
def test_slow_servers_are_left(act: Callable[[socket.socket], None]) -> None:
    with server(act) as port:
        assert code(port, seconds=0.5) in ("too_slow", "unreachable")


def flood(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while True:
        connection.sendall(bytes(MOST))


def test_large_answers_are_refused() -> None:
    with server(flood) as port:
        assert code(port) == "too_large"


@pytest.mark.parametrize("head", ["nonsense", "200 OK\r\nContent-Length: x"])
def test_nonsense_is_no_answer(head: str) -> None:
    with server(lambda connection: connection.sendall(head.encode() + b"\r\n\r\n")) as port:
        assert code(port) == "unreachable"


@pytest.mark.parametrize("body", [b"", b"[1]", b"<html>", b"\xff", b"[" * 100_000, b"null"])
def test_json_that_is_none(body: bytes) -> None:
    head = f"200 OK\r\nContent-Length: {len(body)}"
    with server(answering(head, body)) as port:
        reply = Outgoing(lambda: [f"127.0.0.1:{port}"]).request("GET", f"http://127.0.0.1:{port}/")
        with pytest.raises(OutgoingError):
            reply.as_json()


def test_a_closed_port_is_unreachable() -> None:
    with server(lambda _: None) as port:
        pass
    assert code(port) == "unreachable"


def test_no_more_than_a_few_wait_at_once() -> None:
    with server(lambda _: time.sleep(2)) as port:
        outgoing, codes = Outgoing(lambda: [f"127.0.0.1:{port}"]), []

        def ask() -> None:
            try:
                outgoing.request("GET", f"http://127.0.0.1:{port}/", seconds=1)
            except OutgoingError as error:
                codes.append(error.code)

        threads = [threading.Thread(target=ask) for _ in range(12)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    assert codes.count("busy") >= 8 - 4 and len(codes) == 12

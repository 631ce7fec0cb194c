"""Clients that occupy a server's threads: they send or read a little now and then, so that no limit
of a single read or write ends them. For tests and the benchmark.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading

from tests.support.server import SAFETY_S

_FIRST = {
    "headers": "GET /dose/api/session HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    "body": "POST /dose/api/session HTTP/1.1\r\nHost: localhost\r\n"
    "Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n",
    "reader": "GET {path} HTTP/1.1\r\nHost: localhost\r\n{more}Connection: close\r\n\r\n",
}


class SlowClients:
    """`count` connections to a port of 127.0.0.1, held until the end of the block.

    kind: "headers" are never completed, nor is a "body"; a "reader" requests `path`, with these
    further lines of headers, and reads the answer a few bytes at a time. Each does something every
    `pause` seconds, and reconnects after it was disconnected. tls: use TLS, whatever the
    certificate.
    """

    def __init__(
        self,
        port: int,
        kind: str,
        count: int = 200,
        *,
        path: str = "/",
        more: str = "",
        pause: float = 2.0,
        tls: bool = False,
    ) -> None:
        self.sent_away = 0
        self._port, self._count, self._pause, self._tls = port, count, pause, tls
        self._first = _FIRST[kind].format(path=path, more=more).encode()
        self._reads = kind == "reader"
        self._began = threading.Semaphore(0)

    def __enter__(self) -> SlowClients:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._hold_all()))
        self._thread.start()
        for _ in range(self._count):
            assert self._began.acquire(timeout=SAFETY_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    async def _hold_all(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            clients = [group.create_task(self._hold()) for _ in range(self._count)]
            await self._ended.wait()
            for client in clients:
                client.cancel()

    async def _hold(self) -> None:
        first = True
        while not self._ended.is_set():  # a cancellation can be lost in wait_for
            with contextlib.suppress(OSError, TimeoutError):
                reader, writer = await asyncio.wait_for(self._connect(), 5)
                try:
                    writer.write(self._first)
                    if first:
                        self._began.release()
                        first = False
                    await self._drip(reader, writer)
                finally:
                    writer.close()
            if first:  # not even let in
                self._began.release()
                first = False
            self.sent_away += 1
            await asyncio.sleep(0.05)

    async def _drip(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Continue until the server answers; a reader, until the answer ends."""
        while not self._ended.is_set():
            try:
                got = await asyncio.wait_for(reader.read(100), self._pause)
            except TimeoutError:
                got = None
            if got == b"" or (got and not self._reads):
                return
            if self._reads:
                await asyncio.sleep(self._pause)
            else:
                writer.write(b"a")

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.setblocking(False)
        try:
            await self._loop.sock_connect(connection, ("127.0.0.1", self._port))
            tls = ssl._create_unverified_context() if self._tls else None
            name = "localhost" if self._tls else None
            return await asyncio.open_connection(
                sock=connection, ssl=tls, server_hostname=name, limit=64
            )
        except BaseException:
            connection.close()
            raise

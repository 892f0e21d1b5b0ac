"""A total deadline for everything that one request reads.

A read timeout alone does not end an answer that sends one byte a second, in its headers or its body: each byte restarts
the timeout. Here every read from the socket has at most the time that is left of the whole.
"""

import io
import math
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class Deadline:
    """The time by which the current request must end; shared by all connections of one thread."""

    def __init__(self) -> None:
        self._ends_at = math.inf
        self._read_seconds = math.inf
        self._all_end_at = math.inf

    def start(self, total_seconds: float, read_seconds: float) -> None:
        """Start a request: from now `total_seconds` for everything, `read_seconds` for a single read."""
        self._ends_at = min(time.monotonic() + total_seconds, self._all_end_at)
        self._read_seconds = read_seconds

    @contextmanager
    def for_all(self, total_seconds: float) -> Iterator[None]:
        """Limit all requests inside to `total_seconds` together, so that redirects do not multiply the time."""
        before = self._all_end_at
        self._all_end_at = min(time.monotonic() + total_seconds, before)
        try:
            yield
        finally:
            self._all_end_at = before

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._ends_at

    def next_timeout(self) -> float:
        """Return how long the next read may take, in seconds.

        Raises:
            TimeoutError: the deadline is over.
        """
        return min(self.seconds_left(), self._read_seconds)

    def seconds_left(self) -> float:
        """Return the seconds left of the whole.

        Raises:
            TimeoutError: the deadline is over.
        """
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the whole answer took too long")
        return left


class _BoundedReader(io.RawIOBase):
    """The raw file of a socket, with the timeout set before each read."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._deadline.next_timeout())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _BoundedSocket:
    """A socket whose files keep the deadline; everything else is delegated to the socket."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def makefile(self, *_: object, **__: object) -> io.BufferedReader:
        return io.BufferedReader(_BoundedReader(self._sock, self._deadline))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def bounded_pools(deadline: Deadline) -> dict[str, type[HTTPConnectionPool]]:
    """Return urllib3's connection pools by scheme, with connections that keep `deadline`."""

    class Connection(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            self.sock = cast(socket.socket, _BoundedSocket(self.sock, deadline))

    class SecureConnection(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            self.sock = cast(socket.socket, _BoundedSocket(self.sock, deadline))

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = SecureConnection

    return {"http": Pool, "https": SecurePool}

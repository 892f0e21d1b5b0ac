"""A small web site on loopback for the crawler's tests: pages, images, redirects and misbehaviour by path."""

import os
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import BinaryIO

from crawler.reasons import Reason

HTML = "text/html; charset=utf-8"


def gif(number: int) -> bytes:
    """A distinct image of a few bytes: a valid GIF of 1×1 pixel whose comment holds `number`."""
    comment = f"{number:08d}".encode()
    head = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00"
    pixel = b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
    return head + b"!\xfe" + bytes([len(comment)]) + comment + b"\x00" + pixel


@dataclass
class Answer:
    """The answer of the site to one path."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_length: int | None = None  # announced instead of the true one
    chunks: list[bytes] | None = None  # sent with chunked encoding instead of `body`
    write: Callable[[BinaryIO], None] | None = None  # writes the body itself, instead of `body`
    raw: bytes | None = None  # all that is sent, head included, instead of everything above
    reset: bool = False  # after the body the connection is reset, as by a server that crashed


@dataclass(frozen=True)
class Request:
    """One request that the site received."""

    path: str
    at: float  # time.monotonic()
    headers: dict[str, str]


class Site:
    """Answers by path; an unknown path is 404, and so is robots.txt until it is set."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | Callable[[int], Answer]] = {}
        self.requests: list[Request] = []
        self.most_in_flight = 0
        self.answer_seconds = 0.0  # how long every answer takes
        self.url = ""
        self._in_flight = 0
        self._lock = threading.Lock()

    def page(self, path: str, html: str, **headers: str) -> str:
        return self.answer(path, Answer(html.encode(), headers={"Content-Type": HTML, **_header_names(headers)}))

    def image(self, path: str, number: int, content_type: str = "image/gif", **headers: str) -> str:
        return self.answer(path, Answer(gif(number), headers={"Content-Type": content_type, **_header_names(headers)}))

    def robots(self, text: str) -> None:
        self.answer("/robots.txt", Answer(text.encode(), headers={"Content-Type": "text/plain"}))

    def redirect(self, path: str, location: str, status: int = 302) -> str:
        return self.answer(path, Answer(status=status, headers={"Location": location}))

    def answer(self, path: str, answer: Answer | Callable[[int], Answer]) -> str:
        """Set the answer of `path`, or a function of how often it was requested before; return its URL."""
        self.answers[path] = answer
        return self.url + path

    def paths(self) -> list[str]:
        """The requested paths, in order."""
        return [request.path for request in self.requests]

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        with self._lock:
            times = sum(request.path == handler.path for request in self.requests)
            self.requests.append(Request(handler.path, time.monotonic(), dict(handler.headers)))
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            time.sleep(self.answer_seconds)
            answer = self.answers.get(handler.path, Answer(b"not here", status=404))
            _send(handler, answer(times) if callable(answer) else answer)
        finally:
            with self._lock:
                self._in_flight -= 1


def _header_names(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def _send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    if answer.raw is not None:
        handler.wfile.write(answer.raw)
    else:
        _send_head_and_body(handler, answer)
    if answer.reset:
        time.sleep(0.02)  # a reset overtakes what was sent before it
        handler.close_connection = True
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(handler.connection.detach())  # at once: shutdown() would end the connection in good order


def _send_head_and_body(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    handler.send_response(answer.status)
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    length = len(answer.body) if answer.content_length is None else answer.content_length
    if answer.chunks is None:
        handler.send_header("Content-Length", str(length))
    if answer.write is not None or answer.content_length is not None:
        handler.send_header("Connection", "close")
    handler.end_headers()
    if answer.chunks is not None:
        for chunk in [*answer.chunks, b""]:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
    elif answer.write is not None:
        answer.write(handler.wfile)  # type: ignore[arg-type] # socketserver's file lacks the reading half of BinaryIO
    else:
        handler.wfile.write(answer.body)


@contextmanager
def serving(address: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    """Serve a site on a free port of loopback while the context lasts."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            try:
                site.handle(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # some tests want a client that hangs up

    with Server((address, 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        site.url = f"{'https' if tls else 'http'}://{address}:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class Kept:
    """The simplest verdict that `keep` may return."""

    verdict: str = "kept"
    reason: Reason | None = None

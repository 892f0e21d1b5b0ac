"""Web server of the gallery on loopback; images are drawn on request, and nothing is written to disk.

`GallerySite` starts `python -m imgsearch.demo.site`, which binds a port, prints its URL and forks: several processes
accept connections on one socket, because drawing is bound by the CPU. They end when their standard input is closed,
however the parent process ends.
"""

import argparse
import contextlib
import os
import re
import subprocess
import sys
import threading
from functools import cache, lru_cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from types import TracebackType
from typing import Self

from imgsearch.demo import pages
from imgsearch.demo.gallery import IMAGES_PER_KIND, KINDS, file_name, picture_bytes
from imgsearch.errors import DemoError

HOST = "127.0.0.1"
MAX_PROCESSES = 4

Answer = tuple[HTTPStatus, str, bytes]  # status, content type, body


class GallerySite:
    """The gallery as a web site, served from construction until `close`; a context manager.

    Uses `port` if it is free, else any free port; `url` is the result. `n_images` counts the distinct images.

    Raises:
        DemoError: the server did not start.
    """

    def __init__(self, port: int | None = None, images_per_kind: int = IMAGES_PER_KIND) -> None:
        self.n_images = len(KINDS) * images_per_kind
        command = [sys.executable, "-m", "imgsearch.demo.site", "--port", str(port or 0)]
        command += ["--images-per-kind", str(images_per_kind)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # so that Ctrl-C in the terminal ends a training but not the site
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            self.close()
            raise DemoError("the gallery's server did not start. Its messages are above.")

    def close(self) -> None:
        """Stop serving. May be called twice."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


# ----------------------------------------------------------------------------------------------------------------------
# responses


def answer(path: str, images_per_kind: int) -> Answer:
    """Return the response to a request for `path` (without a query string)."""
    page = _page(path, images_per_kind)
    if page is not None:
        return HTTPStatus.OK, "text/html; charset=utf-8", page.encode()
    if path == "/robots.txt":
        return HTTPStatus.OK, "text/plain; charset=utf-8", pages.robots_text().encode()
    image = _image(path, images_per_kind) or _oddity(path)
    if image is not None:
        return HTTPStatus.OK, image[1], image[0]
    return HTTPStatus.NOT_FOUND, "text/html; charset=utf-8", pages.apology_page().encode()


def _page(path: str, images_per_kind: int) -> str | None:
    if path == "/":
        return pages.front_page(KINDS, images_per_kind)
    if path == pages.ODDITIES:
        return pages.oddities_page(KINDS)
    if path == "/private/":
        return pages.private_page()
    named = re.fullmatch(r"/kinds/([a-z]+)(?:-([1-9]\d{0,5}))?\.html", path)
    if named and named[1] in KINDS and int(named[2] or 1) <= pages.page_count(images_per_kind):
        return pages.kind_page(named[1], int(named[2] or 1), images_per_kind)
    return None


def _image(path: str, images_per_kind: int) -> tuple[bytes, str] | None:
    named = re.fullmatch(r"(/small|/copies)?/([a-z]+)/((\d{4,6})\.[a-z]+)", path)
    if not named or named[2] not in KINDS:
        return None
    kind, number = named[2], int(named[4])
    if number >= images_per_kind or named[3] != file_name(kind, number):
        return None
    return _drawn(kind, number, 2 if named[1] == "/small" else 1)


@lru_cache(maxsize=256)
def _drawn(kind: str, number: int, reduced: int) -> tuple[bytes, str]:
    return picture_bytes(kind, number, reduced=reduced)


@cache
def _oddity(path: str) -> tuple[bytes, str] | None:
    """Return a broken image, or one that robots.txt forbids."""
    whole = next(data for data, mime in (_drawn("balloon", n, 1) for n in range(100)) if mime == "image/jpeg")
    oddities = {
        "/broken/truncated.jpg": whole[: len(whole) * 2 // 5],
        "/broken/noise.jpg": bytes((17 * k * k + 31) % 251 for k in range(2000)),
        "/broken/apology.jpg": pages.apology_page().encode(),
        "/private/face/portrait.jpg": whole,
    }
    return (oddities[path], "image/jpeg") if path in oddities else None


# ----------------------------------------------------------------------------------------------------------------------
# the server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections stay open
    server_version, sys_version = "gallery", ""
    wbufsize = 1 << 16  # headers and body are sent together, which avoids waiting for an acknowledgement
    timeout = 120  # seconds until an idle connection is closed
    server: "_Server"

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        status, content_type, body = answer(self.path.partition("?")[0], self.server.images_per_kind)
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Log nothing: the crawl reports."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, images_per_kind: int) -> None:
        super().__init__((HOST, port), _Handler)
        self.images_per_kind = images_per_kind

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: object) -> None:
        """Ignore clients that disconnect early; report anything else."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _bind(port: int, images_per_kind: int) -> _Server:
    """Return a server on `port`, or on any free port where that is taken or forbidden."""
    with contextlib.suppress(OSError):
        return _Server(port, images_per_kind)
    return _Server(0, images_per_kind)


def _serve(port: int, images_per_kind: int) -> None:
    server = _bind(port, images_per_kind)
    print(f"http://{HOST}:{server.server_address[1]}/", flush=True)  # noqa: T201 # read by the process that started this one
    for _ in range(min(MAX_PROCESSES, os.cpu_count() or 1) - 1):
        if os.fork() == 0:
            break
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        sys.stdin.read()
    os._exit(0)  # threads may still wait on a connection; nothing needs cleaning up


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve the drawn gallery on loopback until standard input ends.")
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--images-per-kind", type=int, default=IMAGES_PER_KIND)
    arguments = parser.parse_args()
    _serve(arguments.port, arguments.images_per_kind)


if __name__ == "__main__":
    main()

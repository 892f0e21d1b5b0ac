"""A small web server on loopback that serves images and pages from memory with little processor time."""

import asyncio
import multiprocessing
from collections.abc import Sequence
from contextlib import closing
from multiprocessing.connection import Connection

PER_PAGE = 100


class Served:
    """Serves images at /<number>.jpg, and pages that link to them, from a separate process."""

    def __init__(self, images: Sequence[bytes]) -> None:
        self._answers = {f"/{number}.jpg": ("image/jpeg", data) for number, data in enumerate(images)}
        pages = range(0, len(images), PER_PAGE)
        for first in pages:
            tags = (f'<img src="/{number}.jpg">' for number in range(first, min(first + PER_PAGE, len(images))))
            self._answers[f"/page{first}.html"] = ("text/html", "".join(tags).encode())
        links = "".join(f'<a href="/page{first}.html">more</a>' for first in pages)
        self._answers["/"] = ("text/html", links.encode())
        ours, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=serve, args=(self._answers, theirs), daemon=True)
        self._process.start()
        self.address = f"http://127.0.0.1:{ours.recv()}"

    def __enter__(self) -> str:
        return self.address

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()


def serve(answers: dict[str, tuple[str, bytes]], port: Connection) -> None:
    """Serve GET requests over persistent connections until the process is terminated; send the port number first."""
    missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    whole = {
        path: f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        for path, (kind, body) in answers.items()
    }

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            try:
                while True:
                    head = await reader.readuntil(b"\r\n\r\n")
                    writer.write(whole.get(head.split(b" ", 2)[1].decode(), missing))
                    await writer.drain()
                    if b"\r\nConnection: close" in head:
                        return
            except (asyncio.IncompleteReadError, ConnectionError):
                return  # the client closed the connection

    async def run() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=512)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())

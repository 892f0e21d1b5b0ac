"""A real site: the HTML of a Debian documentation package, where one with pictures is installed, crawled whole.

For instance `apt-get install imagemagick-6-doc`. What the crawl says of images is held against a plain parser that
walks the same site from the same page with `html.parser` alone.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest

from tests.support.crawl import Crawler

DOCUMENTATION = Path("/usr/share/doc")
FEWEST_PAGES, FEWEST_PICTURES, MOST_PAGES = 30, 20, 3000
PICTURES = (".gif", ".jpg", ".jpeg", ".png", ".webp", ".ico")


def find_site() -> Path | None:
    """The documentation with the most pictures, if there is one with enough pages that is not too large."""
    best: tuple[int, Path] | None = None
    for start in DOCUMENTATION.glob("*/html/index.html"):
        names = [path.suffix.lower() for path in start.parent.rglob("*")]
        pages, pictures = names.count(".html"), sum(name in PICTURES for name in names)
        if FEWEST_PAGES <= pages <= MOST_PAGES and pictures >= max(FEWEST_PICTURES, best[0] + 1 if best else 0):
            best = pictures, start.parent
    return best[1] if best else None


SITE = find_site()


class Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class PlainParser(HTMLParser):
    """What a page names: images that it shows, gives as its own or links to, and pages."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url, self.pages, self.images = url, set[str](), set[str]()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        if tag == "img" and values.get("src"):
            self.images.add(self._resolved(values["src"]))
        if tag == "meta" and values.get("property") == "og:image":
            self.images.add(self._resolved(values.get("content")))
        if tag in ("a", "area") and values.get("href"):
            url = self._resolved(values["href"])
            (self.images if url.lower().endswith(PICTURES) else self.pages).add(url)
        if tag in ("frame", "iframe") and values.get("src"):
            self.pages.add(self._resolved(values["src"]))

    def _resolved(self, text: str | None) -> str:
        return urldefrag(urljoin(self.url, (text or "").strip())).url


def plainly_named_images(folder: Path, address: str) -> set[str]:
    """The image URLs of all pages that can be reached from the index by links, read from disk."""
    images, seen, waiting = set[str](), set[str](), [f"{address}/"]
    while waiting:
        url = waiting.pop()
        path = folder / unquote(urlsplit(url).path).lstrip("/")
        if path.is_dir():
            path = path / "index.html"
        if url in seen or not url.startswith(address) or path.suffix not in (".html", ".htm") or not path.is_file():
            continue
        seen.add(url)
        parser = PlainParser(url)
        parser.feed(path.read_text(encoding="utf-8", errors="replace"))
        images |= parser.images
        waiting += parser.pages
    return images


@pytest.mark.skipif(SITE is None, reason="no documentation with pictures in /usr/share/doc: imagemagick-6-doc has some")
def test_a_real_site_is_crawled_whole(tmp_path: Path) -> None:
    assert SITE is not None
    crawler = Crawler(tmp_path)
    with served(SITE) as address:
        report = crawler(f"{address}/", depth=50)
        expected = plainly_named_images(SITE, address)
    assert report.finished_because == "nothing is left to fetch"
    assert report.kept + report.duplicate + report.skipped + report.failed == len(expected), report
    assert report.kept > FEWEST_PICTURES
    assert {image.url for image in crawler.gallery.images} <= expected

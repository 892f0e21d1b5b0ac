"""A site as documentation generators write them, on disk and crawled whole: chapters, frames, maps, odd spellings.

What the crawl says of images is held against a plain parser, which walks the same files from the same page with
`html.parser` alone.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from tests.support.crawl import Crawler
from tests.support.loopback_site import gif

N_CHAPTERS, N_SECTIONS = 6, 5
PICTURES = (".gif", ".jpg", ".jpeg", ".png", ".webp", ".ico")

# How the pages of a section name their pictures and one another; {n} is the section, {next} the one after it.
SECTIONS = (
    '<IMG SRC="../images/shot{n}.gif" ALT="upper case"><A HREF="section{next}.html">next</A>',
    "<p><img src=../images/shot{n}.gif alt=unquoted><a href=section{next}.html>next</a>",
    '<img\n src = "./../images/with%20space{n}.gif" ><a href="../chapter{c}/./section{next}.html#top">next</a>',
    '<a href="../images/shot{n}.gif"><img src="../images/small{n}.gif"></a><a href="section{next}.html?a&amp;b">n</a>',
    '<map><area href="section{next}.html" shape=rect></map><meta property="og:image" content="/images/own{n}.gif">'
    '<iframe src="../frames/note{n}.html"></iframe><img src="../images/missing{n}.gif">',
)


def write_site(folder: Path) -> None:
    """An index with frames, chapters of sections that name pictures in five ways, and notes inside frames."""
    pages = {
        "index.html": "<frameset><frame src='contents.html'><frame src='chapter0/section0.html'></frameset>",
        "contents.html": "".join(f"<li><a href=chapter{c}/section0.html>{c}</a>" for c in range(N_CHAPTERS))
        + '<a href="mailto:a@example.org">mail</a><a href="javascript:void(0)">menu</a><img src="images/logo.gif">',
    }
    for n in range(N_CHAPTERS * N_SECTIONS):
        c, s = divmod(n, N_SECTIONS)
        body = SECTIONS[n % len(SECTIONS)].format(n=n, c=c, next=(s + 1) % N_SECTIONS)
        pages[f"chapter{c}/section{s}.html"] = f"<html><head><title>{n}</title></head><body>{body}</body></html>"
        pages[f"frames/note{n}.html"] = f'<p>note<img src="../images/note{n}.gif"><a href="../index.html">home</a>'
    for path, html in pages.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(html, encoding="utf-8")
    names = [
        f"{kind}{n}" for n in range(N_CHAPTERS * N_SECTIONS) for kind in ("shot", "with space", "small", "own", "note")
    ]
    (folder / "images").mkdir()
    for number, name in enumerate(["logo", "seen by nobody", *names]):
        (folder / "images" / f"{name}.gif").write_bytes(gif(number))


class Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class PlainParser(HTMLParser):
    """The links of a page: images that it shows, declares or links to, and pages."""

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
    """The image URLs of all pages that the index links to, directly or not, read from disk."""
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


def test_a_site_of_documentation_is_crawled_whole(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    write_site(folder)
    crawler = Crawler(tmp_path)
    with served(folder) as address:
        report = crawler(f"{address}/", depth=50)
        expected = plainly_named_images(folder, address)
    n_missing = N_CHAPTERS * N_SECTIONS // len(SECTIONS)
    assert report.finished_because == "nothing is left to fetch"
    assert (report.kept, report.duplicate, report.failed) == (len(expected) - n_missing, 0, n_missing)
    assert {image.url for image in crawler.gallery.images} == {url for url in expected if "missing" not in url}
    assert sum("note" in url for url in expected) == n_missing  # the frames were entered

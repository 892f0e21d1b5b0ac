"""Pages, images and further sitemaps of a sitemap. Pure: bytes in, links out; nothing here raises.

The protocol of sitemaps.org with Google's image extension, plain or gzipped, or a text with one URL per line. A sitemap
is parsed while it is unpacked, in pieces, without building a tree: it needs memory for its links only.

The only module that imports lxml.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from lxml import etree

from crawler.parsing.captions import caption
from crawler.parsing.urls import MAX_URL_LENGTH, absolute_url, names_image
from crawler.reasons import Reason, ReasonCode

MAX_URLS = 50_000  # pages of one sitemap, by the protocol; and as many images
MAX_SITEMAPS = 500  # taken from one index
MAX_ELEMENTS = 2_000_000  # of one sitemap: enough for 50,000 URLs with an image and thirty languages each
MAX_DOWNLOAD_BYTES = 10_000_000  # as fetched
MAX_BYTES = 50 * 1024 * 1024  # unpacked: the protocol's limit
_GZIP_START = b"\x1f\x8b"
_PIECE_BYTES = 1 << 16
_MAX_TEXT = 4 * MAX_URL_LENGTH  # characters read of one element or line

# The elements whose text is read, by the names of their parent and themselves.
_WANTED = frozenset({"url/loc", "sitemap/loc", "image/loc", "image/caption", "image/title", "image/license"})


class SitemapImage(NamedTuple):
    """An image of a sitemap, with the page that shows it, its caption or title, and the URL of its licence."""

    url: str
    page_url: str
    alt: str = ""
    licence: str = ""


@dataclass
class Sitemap:
    """Links of one sitemap, each URL once, in its order."""

    pages: list[str] = field(default_factory=list)
    images: list[SitemapImage] = field(default_factory=list)
    sitemaps: list[str] = field(default_factory=list)  # where it is an index
    trouble: Reason | None = None  # why it was not read, or not to its end


class _CutError(Exception):
    """Reading stops here."""

    def __init__(self, code: ReasonCode, detail: str = "") -> None:
        super().__init__(code, detail)
        self.reason = Reason(code, detail)


def parse_sitemap(body: bytes, url: str) -> Sitemap:
    """Return the links of the sitemap `body`, fetched from `url`, up to the first error or limit.

    A body of `MAX_DOWNLOAD_BYTES` counts as cut there.
    """
    reader = _Reader(url)
    try:
        pieces = _unpacked(body)
        first = next(pieces, b"")
        looks_like_xml = first.lstrip(b"\xef\xbb\xbf\xfe\xff \t\r\n\0")[:1] == b"<"
        (_read_xml if looks_like_xml else _read_lines)(reader, first, pieces)
    except _CutError as cut:
        reader.found.trouble = cut.reason
    except etree.LxmlError:
        reader.found.trouble = Reason(ReasonCode.BROKEN_XML)
    except zlib.error:
        reader.found.trouble = Reason(ReasonCode.BROKEN_GZIP)
    if len(body) >= MAX_DOWNLOAD_BYTES:
        reader.found.trouble = Reason(ReasonCode.TOO_LARGE, f"{MAX_DOWNLOAD_BYTES / 1e6:g}")
    return reader.found


def _unpacked(body: bytes) -> Iterator[bytes]:
    """Yield `body` in pieces, unpacked where it is gzipped."""
    if not body.startswith(_GZIP_START):
        yield from (body[start : start + _PIECE_BYTES] for start in range(0, len(body), _PIECE_BYTES))
        return
    unpacker = zlib.decompressobj(wbits=31)
    n_bytes = 0
    for start in range(0, len(body), _PIECE_BYTES):
        packed = body[start : start + _PIECE_BYTES]
        while packed and not unpacker.eof:
            piece = unpacker.decompress(packed, _PIECE_BYTES)
            packed = unpacker.unconsumed_tail
            n_bytes += len(piece)
            if n_bytes > MAX_BYTES:
                raise _CutError(ReasonCode.SITEMAP_TOO_LARGE, str(MAX_BYTES >> 20))
            yield piece
    if not unpacker.eof:
        raise _CutError(ReasonCode.BROKEN_GZIP)


def _read_xml(reader: "_Reader", first: bytes, pieces: Iterator[bytes]) -> None:
    parser = etree.XMLParser(
        target=reader, resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    parser.feed(first)
    for piece in pieces:
        parser.feed(piece)
    parser.close()


def _read_lines(reader: "_Reader", first: bytes, pieces: Iterator[bytes]) -> None:
    rest = first
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        _take_lines(reader, lines)
        if len(rest) > _PIECE_BYTES:
            raise _CutError(ReasonCode.NOT_A_SITEMAP)
    _take_lines(reader, rest.split(b"\n"))
    if not (reader.found.pages or reader.found.images):
        raise _CutError(ReasonCode.NOT_A_SITEMAP)


def _take_lines(reader: "_Reader", lines: list[bytes]) -> None:
    for line in lines:
        text = line[:_MAX_TEXT].decode("utf-8-sig", errors="replace").strip()
        if text.lower().startswith(("http://", "https://")):
            reader.take_page(text, [])


class _Reader:
    """Collects links while lxml parses; the parser calls `doctype`, `start`, `data`, `end` and `close`."""

    def __init__(self, url: str) -> None:
        self.found = Sitemap()
        self._url = url
        self._seen: set[str] = set()
        self._n_elements = 0
        self._path: list[str] = []  # the open elements, without their namespaces
        self._text = ""
        self._loc = ""  # of the <url> or <sitemap> that is open
        self._image: dict[str, str] = {}  # of its <image:image> that is open
        self._images: list[dict[str, str]] = []  # of the <url> that is open

    def doctype(self, name: str, *_: object) -> None:
        """Refuse a document type declaration: sitemaps need none, and attacks with entities begin with one."""
        is_page = (name or "").lower() == "html"
        raise _CutError(ReasonCode.SITEMAP_IS_A_PAGE if is_page else ReasonCode.SITEMAP_DOCTYPE)

    def start(self, tag: str, _: object) -> None:
        name = tag.rpartition("}")[2]
        if not self._path and name not in ("urlset", "sitemapindex"):
            raise _CutError(ReasonCode.NOT_A_SITEMAP)
        self._n_elements += 1
        if self._n_elements > MAX_ELEMENTS:
            raise _CutError(ReasonCode.SITEMAP_TOO_LONG, f"{MAX_ELEMENTS:,} elements")
        self._path.append(name)
        self._text = ""

    def data(self, text: str) -> None:
        if len(self._text) < _MAX_TEXT and "/".join(self._path[-2:]) in _WANTED:
            self._text += text[:_MAX_TEXT]

    def end(self, _: object) -> None:
        parent, name = ["", *self._path][-2:]
        text = self._text.strip()
        if f"{parent}/{name}" in _WANTED:
            if parent == "image":
                self._image.setdefault(name, text)
            else:
                self._loc = self._loc or text
        elif name == "image":
            self._images.append(self._image)
            self._image = {}
            if len(self._images) + len(self.found.images) > MAX_URLS:
                raise _CutError(ReasonCode.SITEMAP_TOO_LONG, f"{MAX_URLS:,} images")
        elif name in ("url", "sitemap"):
            if name == "url":
                self.take_page(self._loc, self._images)
            else:
                self._take_sitemap(self._loc)
            self._loc, self._images = "", []
        self._path.pop()
        self._text = ""

    def close(self) -> None:
        """Do nothing; lxml requires the method."""

    def take_page(self, loc: str, images: list[dict[str, str]]) -> None:
        page = absolute_url(self._url, loc) if loc else None
        if page is not None and self._is_new(page):
            if names_image(page):
                self.found.images.append(SitemapImage(page, self._url))
            elif len(self.found.pages) >= MAX_URLS:
                raise _CutError(ReasonCode.SITEMAP_TOO_LONG, f"{MAX_URLS:,} URLs")
            else:
                self.found.pages.append(page)
        for image in images:
            url = absolute_url(self._url, image.get("loc", "")) if image.get("loc") else None
            if url is not None and self._is_new(url):
                alt = caption(image.get("caption") or image.get("title", ""))
                licence = absolute_url(self._url, image["license"]) if image.get("license") else None
                self.found.images.append(SitemapImage(url, page or self._url, alt, licence or ""))

    def _take_sitemap(self, loc: str) -> None:
        url = absolute_url(self._url, loc) if loc else None
        if url is None or not self._is_new(url):
            return
        if len(self.found.sitemaps) >= MAX_SITEMAPS:
            raise _CutError(ReasonCode.SITEMAP_TOO_LONG, f"{MAX_SITEMAPS} sitemaps")
        self.found.sitemaps.append(url)

    def _is_new(self, url: str) -> bool:
        is_new = url not in self._seen
        self._seen.add(url)
        return is_new

"""Links and images of a page, element by element."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.parsing.links import MAX_DEPTH, ImageLink, extract_links
from crawler.reasons import Reason, ReasonCode

PAGE = "http://example.org/dir/page.html"
PICTURE = base64.b64encode(b"GIF89a" + bytes(600)).decode()
PLACEHOLDER = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


def images(html: str) -> list[ImageLink]:
    return extract_links(html.encode(), PAGE).images


@pytest.mark.parametrize(
    ("html", "url", "alt"),
    [
        ('<img src="a.jpg" alt=" a  cat ">', "http://example.org/dir/a.jpg", "a cat"),
        ("<img src=//cdn.example.org/a.jpg>", "http://cdn.example.org/a.jpg", ""),
        ('<base href="/other/"><img src=a.jpg>', "http://example.org/other/a.jpg", ""),
        ('<base href="javascript:1"><img src=a.jpg>', "http://example.org/dir/a.jpg", ""),
        ('<img src="a.jpg?x=1&amp;y=2" alt="A &lt; B">', "http://example.org/dir/a.jpg?x=1&y=2", "A < B"),
        ('<img src=s.jpg srcset="m.jpg 300w, l.jpg 2000w">', "http://example.org/dir/m.jpg", ""),
        (f'<img src="{PLACEHOLDER}" data-src=a.jpg>', "http://example.org/dir/a.jpg", ""),
        ('<img src=spinner.gif data-srcset="a.jpg 1x, b.jpg 2x">', "http://example.org/dir/b.jpg", ""),
        ("<img src=spinner.gif data-original=a.jpg>", "http://example.org/dir/a.jpg", ""),
        ("<img data-lazy=a.jpg>", "http://example.org/dir/a.jpg", ""),
        ('<iframe src="/ads"/><img src=a.jpg>', "http://example.org/dir/a.jpg", ""),
        ("<script src=x.js /><title/><img src=a.jpg>", "http://example.org/dir/a.jpg", ""),
        ("<noscript><img src=a.jpg></noscript>", "http://example.org/dir/a.jpg", ""),
        (
            '<picture><source srcset="a.svg 300w" type="image/svg+xml"><source srcset="b.webp 400w">'
            "<img src=c.jpg alt=x></picture>",
            "http://example.org/dir/b.webp",
            "x",
        ),
        (
            '<meta property="og:image" content="/og.jpg"><meta property="og:image:alt" content="shared">',
            "http://example.org/og.jpg",
            "shared",
        ),
        ('<meta name="twitter:image" content="/tw.jpg">', "http://example.org/tw.jpg", ""),
        ('<link rel="image_src" href="/src.jpg">', "http://example.org/src.jpg", ""),
        ('<img src=a.jpg alt="a\x1b[31m cat">', "http://example.org/dir/a.jpg", "a[31m cat"),
        ('<a href="big.JPG">the  harbour</a>', "http://example.org/dir/big.JPG", "the harbour"),
        ('<a href="big.png"><img alt="a boat"></a>', "http://example.org/dir/big.png", "a boat"),
    ],
)
def test_one_image_and_where_it_is_had(html: str, url: str, alt: str) -> None:
    assert images(html) == [ImageLink(url, alt)]


@pytest.mark.parametrize(
    "src", ["javascript:1", "file:///etc/passwd", "ftp://example.org/a.jpg", "blob:x", "", "http://[", "#", "page.html"]
)
def test_what_cannot_be_fetched_is_dropped(src: str) -> None:
    found = extract_links(f'<img src="{src}">'.encode(), PAGE)
    assert not found.images
    assert bool(found.dropped) is bool(src)


def test_an_image_that_stands_in_the_page() -> None:
    found = extract_links(f'<img src="data:image/gif;base64,{PICTURE}" alt=x>'.encode(), PAGE)
    assert not found.images
    assert [(image.data[:6], image.alt) for image in found.inline] == [(b"GIF89a", "x")]


@pytest.mark.parametrize(
    "src", [PLACEHOLDER, "data:text/html,<b>", "data:image/png;base64,%%%", "data:", "data:image/svg+xml,x"]
)
def test_inline_images_that_are_none(src: str) -> None:
    found = extract_links(f"<img src='{src}'>".encode(), PAGE)
    assert not found.images
    assert not found.inline
    assert found.dropped


def test_each_url_is_given_once() -> None:
    assert len(images("<img src=a.jpg><img src=a.jpg><a href=a.jpg>a</a>")) == 1


def test_pages_are_linked_pages() -> None:
    html = """<a href=b.html>b</a><a href="b.html#part">b</a><a href="mailto:x@y">m</a><a href=a.jpg>a</a>
        <a href=c.html rel="nofollow noopener">c</a><area href=/d><iframe src=e></iframe>"""
    assert extract_links(html.encode(), PAGE).pages == [
        "http://example.org/dir/b.html",
        "http://example.org/d",
        "http://example.org/dir/e",
    ]


@pytest.mark.parametrize(
    ("meta", "n_images", "n_pages"),
    [
        ("", 1, 1),
        ('<meta name="robots" content="nofollow">', 1, 0),
        ('<meta name="robots" content="noimageindex">', 0, 1),
        ('<meta name="ImgSearch" content="noai">', 0, 1),
        ('<meta name="otherbot" content="none">', 1, 1),
        ('<meta name="ROBOTS" content="none">', 0, 0),
    ],
)
def test_robots_metas(meta: str, n_images: int, n_pages: int) -> None:
    found = extract_links(f"{meta}<img src=a.jpg><a href=b>b</a>".encode(), PAGE)
    assert (len(found.images), len(found.pages)) == (n_images, n_pages)


def test_what_is_refused_in_one_place_and_named_in_another_is_taken() -> None:
    refused = "".join(f"<a rel=nofollow href={name}>x</a>" for name in ("a.jpg", "b", "c"))
    found = extract_links(f"{refused}<a href=b>x</a><img src=a.jpg>".encode(), PAGE)
    assert (len(found.images), len(found.pages)) == (1, 1)
    assert found.refused == {"http://example.org/dir/c": ("page", Reason(ReasonCode.LINK_DIRECTIVE, "nofollow"))}


def test_an_x_robots_tag_counts_like_a_meta() -> None:
    found = extract_links(b"<img src=a.jpg>", PAGE, robots_tags=["noimageai"])
    assert not found.images
    assert found.refused == {"http://example.org/dir/a.jpg": ("image", Reason(ReasonCode.PAGE_DIRECTIVE, "noimageai"))}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("<img src=a alt=ü>".encode(), "text/html"),
        ("<img src=a alt=ü>".encode("latin-1"), "text/html; charset=iso-8859-1"),
        ('<meta charset="windows-1252"><img src=a alt=ü>'.encode("cp1252"), "text/html"),
        ("<img src=a alt=ü>".encode("utf-16"), "text/html"),
    ],
)
def test_encodings(body: bytes, content_type: str) -> None:
    assert extract_links(body, PAGE, content_type=content_type).images == [ImageLink("http://example.org/dir/a", "ü")]


def test_a_million_nested_elements_are_cut() -> None:
    # Parsing all of it would take lexbor many minutes.
    body = b"<img src=a.jpg>" + b"<div>" * 900_000 + b"<img src=b.jpg>"
    assert [image.url for image in extract_links(body, PAGE).images] == ["http://example.org/dir/a.jpg"]


def test_a_long_flat_page_is_not_cut() -> None:
    body = b"<ul>" + b"<li><p>x<br>" * (2 * MAX_DEPTH) + b"<img src=a.jpg>"
    assert len(extract_links(body, PAGE).images) == 1


_MARKUP = (
    "<img ",
    " src=",
    " srcset='",
    "'",
    '"',
    ">",
    "<a href=",
    "<base href=",
    "<picture>",
    "<source",
    "<!--",
    "</",
)
_VALUES = ("http://[", "data:", "//", "\0", "&#x", " 2x,", "\ud7ff", "javascript:", "%zz", "data:image/gif;base64,")
_PIECES = st.sampled_from([*_MARKUP, *_VALUES])


@given(st.lists(st.one_of(_PIECES, st.text(max_size=5)), max_size=25).map("".join))
@settings(max_examples=200)
def test_any_page_can_be_read(html: str) -> None:
    found = extract_links(html.encode("utf-8", "surrogatepass"), PAGE)
    for url in [*found.pages, *(image.url for image in found.images)]:
        assert url.startswith(("http://", "https://"))
    assert found == extract_links(html.encode("utf-8", "surrogatepass"), PAGE)

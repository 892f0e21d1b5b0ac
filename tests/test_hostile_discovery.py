"""Cases 23 to 28 of the hostile web: keys of URLs, what pages and sitemaps name, traps; against a site on loopback."""

import base64
import gzip
import io
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from crawling import Crawler
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback_site import Answer, Site, gif, serving
from PIL import Image

from crawler import sitemaps
from crawler.crawl import FetchedImage
from crawler.errors import AddressRefused
from crawler.fetch import Fetcher
from crawler.links import extract_links
from crawler.records import Lease
from crawler.sitemaps import parse_sitemap
from crawler.srcset import best_candidate, parse_srcset
from crawler.stylesheets import background_urls
from crawler.urls import MAX_URL_LENGTH, absolute_url, seed_url, trap, url_key
from crawler.work import do
from imgsearch.corpus.ingest import Intake
from imgsearch.corpus.store import Corpus
from imgsearch.paths import IndexPaths

SECONDS = 5.0  # that any page of a megabyte may take; the worst take a fifth of it


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def crawler(tmp_path: Path) -> Crawler:
    return Crawler(tmp_path)


def outcomes(crawler: Crawler, kind: str) -> dict[str, tuple[str, str]]:
    """Path and query of each URL of `kind` -> (outcome, reason), as the frontier has them."""
    with sqlite3.connect(crawler.path) as connection:
        rows = connection.execute("SELECT url, outcome, reason FROM url WHERE kind = ?", (kind,)).fetchall()
    return {"/" + url.split("/", 3)[3]: (outcome, reason) for url, outcome, reason in rows}


# ----------------------------------------------------------------------------
# 23: keys


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("HTTP://Example.ORG/a", "http://example.org/a"),
        ("http://example.org:80/a", "http://example.org/a"),
        ("https://example.org:443/a", "https://example.org/a"),
        ("http://example.org", "http://example.org/"),
        ("http://example.org/a/./b/../c", "http://example.org/a/c"),
        ("http://example.org/%7Euser/%c3%a9", "http://example.org/~user/%C3%A9"),
        ("http://example.org/é", "http://example.org/%C3%A9"),
        ("http://example.org/a?b=2&a=1", "http://example.org/a?a=1&b=2"),
        ("http://example.org/a#top", "http://example.org/a"),
        ("http://example.org/a?", "http://example.org/a"),
        ("http://example.org/a?utm_source=x&UTM_medium=y&fbclid=z&id=1", "http://example.org/a?id=1"),
        ("https://bücher.example/x", "https://xn--bcher-kva.example/x"),
        ("http://example.org/a?PHPSESSID=0a1b&id=1", "http://example.org/a?id=1"),
        ("http://example.org/a?sid=0123456789abcdef0123456789abcdef&id=1", "http://example.org/a?id=1"),
        ("http://example.org/a?ASPSESSIONIDQQAABBCC=ABCDEFGH&id=1", "http://example.org/a?id=1"),
        ("http://example.org/a?CFID=1&CFTOKEN=2&id=1", "http://example.org/a?id=1"),
        ("http://example.org/a;jsessionid=0A1B?id=1", "http://example.org/a?id=1"),
        ("http://example.org/(S(lit3py55t21z5v55vlm25s55))/a", "http://example.org/a"),
    ],
)
def test_case_23_spellings_of_one_url_have_one_key(one: str, other: str) -> None:
    assert url_key(one) == url_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://example.org/a", "https://example.org/a"),
        ("http://example.org/a", "http://example.org/A"),
        ("http://example.org/a", "http://example.org/a/"),
        ("http://example.org/a?sid=7", "http://example.org/a?sid=8"),
        ("http://example.org/a?a=1", "http://example.org/a?a=2"),
        ("http://example.org/a?session=winter-holiday-2025", "http://example.org/a?session=summer-holiday-2025"),
        ("http://example.org/a%2Fb", "http://example.org/a/b"),
        ("http://example.org/f(S(x))/a", "http://example.org/f/a"),
    ],
)
def test_case_23_other_urls_have_other_keys(one: str, other: str) -> None:
    assert url_key(one) != url_key(other)


def test_case_23_what_is_fetched_is_the_original_and_once(site: Site, crawler: Crawler) -> None:
    original = "/a.gif?b=2&utm_source=news&a=1"
    again = "".join(f'<img src="{url}">' for url in ("/x/../a.gif?a=1&b=2", "/a.gif?a=1&b=2#f", "/%61.gif?a=1&b=2"))
    site.page("/", f'<img src="{original}">{again}')
    site.image(original, 1)
    assert crawler(site.url).kept == 1
    assert site.paths() == ["/robots.txt", "/", original]
    assert crawler.gallery.images[0].url == site.url + original


_URLS = st.builds(
    "{}://{}{}/{}?{}#{}".format,
    st.sampled_from(["http", "https", "HTTP"]),
    st.sampled_from(["example.org", "EXAMPLE.org", "bücher.example", "127.0.0.1", "[::1]", "a..b"]),
    st.sampled_from(["", ":80", ":443", ":8080"]),
    st.lists(
        st.one_of(
            st.sampled_from([";jsessionid=1", "/(S(ab))", "/..", "/.", "%2F", "%", ";", "é"]),
            st.text(alphabet="ab/.%7e(S)", max_size=4),
        ),
        max_size=6,
    ).map("".join),
    st.lists(
        st.sampled_from(["a=1", "&", "sid=0123456789abcdef", "utm_x=1", "%26", "=", "+", "é", ";"]), max_size=8
    ).map("".join),
    st.text(alphabet="a#", max_size=3),
)


@given(_URLS)
@settings(max_examples=300, deadline=None)
def test_case_23_a_key_is_its_own_key_and_not_much_longer(url: str) -> None:
    key = url_key(url)
    assert url_key(key) == key
    assert len(key) <= 9 * len(url)  # at most three bytes a character here, each percent-encoded


@given(st.text(max_size=200), st.sampled_from(["utf-8", "cp1252", "shift_jis", "no such"]))
@settings(max_examples=200, deadline=None)
def test_case_23_any_reference_gives_a_url_that_every_later_step_can_take(text: str, encoding: str) -> None:
    for url in (absolute_url("http://example.org/a/", text, encoding), seed_url(text)):
        if url is not None:
            assert url.startswith(("http://", "https://"))
            assert absolute_url("http://other.example/", url) is not None
            assert isinstance(trap(url), str)
            assert url_key(url)


# ----------------------------------------------------------------------------
# 24: references


def test_case_24_references_lead_where_a_browser_goes(site: Site, crawler: Crawler) -> None:
    host = site.url.partition("://")[2]
    site.page(
        "/",
        '<base href="/deep/er/"><base href="/ignored/"><img src=a.gif><img src="../b.gif"><img src="/c.gif">'
        f'<img src="//{host}/d.gif"><img src=" two words.gif\n"><img src="e.gif?x=1&amp;y=2"><img src="?q=1">'
        '<img src="f&#46;gif"><img src="%67.gif"><img src="h.gif#part"><a href="next">next</a>',
    )
    expected = ["/deep/er/a.gif", "/deep/b.gif", "/c.gif", "/d.gif", "/deep/er/two%20words.gif"]
    expected += ["/deep/er/e.gif?x=1&y=2", "/deep/er/?q=1", "/deep/er/f.gif", "/deep/er/%67.gif", "/deep/er/h.gif"]
    for number, path in enumerate(expected):
        site.image(path.replace("%67", "g"), number)  # requests writes it so: it means the same
    site.page("/deep/er/next", "<html>")
    report = crawler(site.url)
    assert crawler.gallery.paths == sorted(expected)
    assert (report.failed, report.pages) == (0, 2)


@pytest.mark.parametrize(
    ("charset", "in_query"),
    [("utf-8", "%C3%A9"), ("iso-8859-1", "%E9"), ("windows-1251", "%C3%A9"), ("utf-16", "%C3%A9")],
)
@pytest.mark.parametrize("is_stated", [True, False])
def test_case_24_a_page_in_another_encoding(
    site: Site, crawler: Crawler, charset: str, in_query: str, is_stated: bool
) -> None:
    # A path is written in UTF-8, a query in the page's encoding where that has the character: as browsers do.
    html = f'<meta charset="{charset}"><img src="é.gif?é" alt="été">'
    body = html.encode(charset, errors="xmlcharrefreplace")
    content_type = f"text/html; charset={charset}" if is_stated else "text/html"
    site.answer("/", Answer(body, headers={"Content-Type": content_type}))
    site.image(f"/%C3%A9.gif?{in_query}", 1)
    assert crawler(site.url).kept == 1
    assert crawler.gallery.images[0].alt == "été"


# ----------------------------------------------------------------------------
# 25: where pages name images

_NAMED = [
    "<img src=/a.gif>",
    '<img srcset="/no.gif 100w, /a.gif 300w, /no2.gif 2000w">',
    '<img srcset="/no.gif 1x, /a.gif 2x">',
    '<img srcset="data:image/gif;base64,R0lGODlhAQABAAAAACw= 1x, /a.gif 2x">',
    '<img srcset="/a,b.gif 300w" data-src="/no.gif">',
    '<picture><source srcset="/no.svg 300w" type="image/svg+xml"><source srcset="/a.gif 300w"><img src=/no></picture>',
    "<picture><source data-srcset='/a.gif 300w'>\n<img data-src=/no.gif></picture>",
    '<meta property="og:image" content="/a.gif">',
    '<meta name="twitter:image" content="/a.gif">',
    '<link rel="image_src" href="/a.gif">',
    "<img src=/no.gif data-src=/a.gif>",
    "<img src=/no.gif data-srcset='/a.gif 300w'>",
    "<img src=/no.gif data-original=/a.gif>",
    "<img src=/no.gif data-lazy-src=/a.gif>",
    "<img src=/no.gif data-lazy=/a.gif>",
    "<noscript><img src=/a.gif></noscript>",
    "<div style='color: red; background-image: url(/a.gif)'></div>",
    "<div style='background: #fff url(\"/a.gif\") no-repeat'></div>",
    '<div style="background:url(&quot;/a.gif&quot;)"></div>',
    "<div style=\"--hero: url('/a.gif')\"></div>",
    "<style>/* background: url(/no.gif) */ .x:hover { background: url( '/a.gif' ) }</style>",
    "<style>@media (min-width: 9px) { .x { background-image: url(\\2f a\\.gif) } }</style>",
    "<style>@import url(/no.css); @font-face {src: url(/no.woff)} a {cursor: url(/no); content: url(/a.gif)}</style>",
    "<div data-bg=/a.gif></div>",
    "<div data-background='url(/a.gif)' data-bg=dark></div>",
    "<video poster=/a.gif></video>",
    "<input type=image src=/a.gif>",
    "<table background=/a.gif></table>",
    "<svg><image href=/a.gif /></svg>",
    "<a href=/a.gif>large</a>",
]


@pytest.mark.parametrize("html", _NAMED)
def test_case_25_a_page_names_an_image(site: Site, crawler: Crawler, html: str) -> None:
    site.page("/", f"<html><body>{html}")
    site.image("/a.gif", 1)
    site.image("/a,b.gif", 1)
    assert crawler(site.url).kept == 1
    assert len(site.paths()) == 3  # robots.txt, the page, the one image


def test_case_25_the_sources_of_a_picture_belong_to_its_first_img() -> None:
    html = "<picture><source srcset='a.gif 300w'><img src=b.gif><img src=c.gif></picture><img src=d.gif>"
    found = extract_links(html.encode(), "http://example.org/")
    assert [image.url[-5:] for image in found.images] == ["a.gif", "c.gif", "d.gif"]


def test_case_25_an_image_keeps_the_text_and_the_licence_of_its_page(site: Site, crawler: Crawler) -> None:
    licence = "https://creativecommons.org/licenses/by/4.0/"
    inline = base64.b64encode(gif(3) + bytes(600)).decode()
    site.page(
        "/",
        f'<a rel="license noopener" href="{licence}">CC BY</a><link rel=license href=/second>'
        f'<img src=/a.gif alt="a  boat"><img src=/moved.gif alt=moved><img src="data:image/gif;base64,{inline}">'
        '<div style="background:url(/b.gif)" aria-label="a lake"></div><a href=/free>free</a>',
    )
    site.page("/free", "<a rel=license href=javascript:1>x</a><img src=/free.gif>")
    site.redirect("/moved.gif", "/there.gif")
    for number, path in enumerate(["/a.gif", "/b.gif", "/there.gif", "/free.gif"]):
        site.image(path, number + 10)
    crawler(site.url)
    images = {image.url.removeprefix(site.url).partition("#")[0]: image for image in crawler.gallery.images}
    assert {path: image.licence for path, image in images.items()} == {
        **dict.fromkeys(["/a.gif", "/b.gif", "/there.gif", "/"], licence),
        "/free.gif": "",
    }
    assert {path: image.alt for path, image in images.items() if image.alt} == {
        "/a.gif": "a boat",
        "/b.gif": "a lake",
        "/there.gif": "moved",
    }
    assert images["/b.gif"].page_url == f"{site.url}/"


def _hostile_pages() -> dict[str, str]:
    n = 1_000_000
    return {
        "pictures": "<picture>" + "<img src=a><source srcset=b>" * (n // 28),
        "sources": "<picture>" + "<source srcset=b>" * (n // 34) + "<img src=a>" * (n // 22),
        "srcset in parentheses": "<img srcset='a (" + "x" * n + "'>",
        "srcset of words": "<img srcset='a " + "x " * (n // 2) + "'>",
        "srcset of commas": "<img srcset='" + "a," * (n // 2) + "'>",
        "anchors in anchors": "<a href=x.jpg><object>" * 2400 + "<b>y</b> " * (n // 9),
        "images": "<img src=a>" * (n // 11),
        "links": "<a href=b>" * (n // 10),
        "comments never closed": "<style>" + "/* " * (n // 3),
        "urls never closed": "<style>a{background:" + "url(" * (n // 4),
        "strings never closed": "<style>a{background:url('" + "\\'" * (n // 2),
        "spaces in a url": "<style>a{background:url(a" + " " * n + "x",
        "one word of css": "<style>" + "a" * n,
        "parameters of data:": "<img src='data:image/png" + ";a=b" * (n // 2) + ",x'>",
        "iframes never closed": "<iframe " * (n // 8),
        "dots": "<a href='" + "../" * (n // 3) + "'>",
        "percents": "<img src='" + "%" * n + "'>",
        "styles": "<i style='background:url(a)'>" * (n // 29),
    }


@pytest.mark.parametrize("name", _hostile_pages())
def test_case_25_no_page_takes_long(name: str) -> None:
    body = _hostile_pages()[name].encode()
    started = time.process_time()
    found = extract_links(body, "http://example.org/")
    assert time.process_time() - started < SECONDS
    assert len(found.images) + len(found.pages) + len(found.inline) <= 5


_MARKUP = [
    "<img ",
    " src=",
    " srcset='",
    " style='",
    "<style>",
    "</style>",
    "'",
    '"',
    ">",
    "<a rel=license href=",
    "<base href=",
]
_MARKUP += ["<picture>", "<source", "<!--", "</", "url(", "background:", "/*", "\\", ")", "{", "}", ";", " data-bg="]
_VALUES = [
    "http://[",
    "data:",
    "//",
    "\0",
    "&#x",
    " 2x,",
    "\ud7ff",
    "javascript:",
    "%zz",
    "a.jpg",
    "data:image/gif;base64,",
]
_HTML = st.lists(st.one_of(st.sampled_from(_MARKUP + _VALUES), st.text(max_size=5)), max_size=25).map("".join)


@given(_HTML)
@settings(max_examples=300, deadline=None)
def test_case_25_any_page_can_be_read_and_gives_no_more_than_it_holds(html: str) -> None:
    body = html.encode("utf-8", "surrogatepass")
    found = extract_links(body, "http://example.org/")
    assert found == extract_links(body, "http://example.org/")
    urls = [*found.pages, *(image.url for image in found.images), *filter(None, [found.licence])]
    assert all(url.startswith(("http://", "https://")) for url in urls)
    assert len(found.images) + len(found.pages) + len(found.inline) <= len(html)
    assert sum(len(image.data) for image in found.inline) <= len(body)
    for reference in background_urls(html):
        assert len(reference) <= len(html)


@given(st.text(alphabet=st.one_of(st.sampled_from(" ,()wxh0123456789.\t\n"), st.characters()), max_size=80))
@settings(max_examples=200, deadline=None)
def test_case_25_any_srcset_can_be_read_and_written_again(text: str) -> None:
    candidates = parse_srcset(text)
    assert sum(len(candidate.url) for candidate in candidates) <= len(text)
    best = best_candidate(candidates)
    assert best is None or best in candidates
    written = ", ".join(f"{c.url} {c.width}w" if c.width else f"{c.url} {c.density!r}x" for c in candidates)
    again = parse_srcset(written)
    assert [candidate.url for candidate in again] == [candidate.url for candidate in candidates]


def test_case_28_a_page_with_endless_links_is_cut_and_says_so(site: Site, crawler: Crawler) -> None:
    site.page("/", "".join(f"<img src=/{i}.gif><a href=/{i}>x</a>" for i in range(5010)))
    crawler(site.url, max_pages=1, stop=lambda: len(site.requests) > 3)
    assert len(outcomes(crawler, "image")) == 5000
    assert len(outcomes(crawler, "page")) == 5001
    assert outcomes(crawler, "page")["/"] == (
        "read",
        "1 × what comes after the first 5,000 references to images; 1 × what comes after the first 5,000 links",
    )


def test_case_28_a_page_that_names_one_image_endlessly_is_cut() -> None:
    found = extract_links(b"<img src=a.gif>" * 20_001 + b"<img src=b.gif>", "http://example.org/")
    assert [image.url for image in found.images] == ["http://example.org/a.gif"]
    assert found.dropped == {"what comes after the first 20,000 references to images": 1}


def test_case_25_one_odd_link_does_not_cost_the_page(site: Site, crawler: Crawler) -> None:
    site.page("/", '<a href="http://[">x</a><div data-bg="http://[x.jpg"></div><img src=/a.gif>')
    site.image("/a.gif", 1)
    assert crawler(site.url).kept == 1


# ----------------------------------------------------------------------------
# 26: data: and other schemes


def _png(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((width, height), 90).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def _header_only_png(width: int, height: int) -> bytes:
    """A PNG that claims to be so large, with next to nothing in it."""
    head = b"IHDR" + width.to_bytes(4) + height.to_bytes(4) + b"\x08\x02\0\0\0"
    chunks = (head, b"IDAT" + zlib.compress(b"\0" * 100) + b"\0" * 600, b"IEND")
    written = (len(chunk[4:]).to_bytes(4) + chunk + zlib.crc32(chunk).to_bytes(4) for chunk in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)


def test_case_26_an_inline_image_is_stored_with_its_page_and_meets_the_same_limits(site: Site, tmp_path: Path) -> None:
    good, bomb, page = _png(40, 40), _header_only_png(30_000, 30_000), b"<html>" + b"x" * 600
    sources = [base64.b64encode(data).decode() for data in (good, bomb, page)]
    images = "".join(f'<img alt=x src="data:image/png;base64,{source}">' for source in sources)
    site.page("/", images + f"<style>a{{background:url(data:image/png;base64,{sources[0]})}}</style>")
    crawler = Crawler(tmp_path)
    with Corpus.open_for_writing(IndexPaths(tmp_path / "index")) as corpus:
        intake = Intake(corpus)

        def keep(found: list[FetchedImage]) -> list[object]:
            return list(intake.keep(found))

        crawler.gallery = keep  # type: ignore[assignment]
        report = crawler(site.url)
        assert (report.kept, report.skipped) == (1, 2)
        entry = corpus.entry(0)
        assert (entry.page_url, entry.alt, entry.width) == (f"{site.url}/", "x", 40)
        assert entry.url.startswith(f"{site.url}/#inline-")
    assert any("30000" in reason or "pixel" in reason for reason in report.reasons), report.reasons
    assert site.paths() == ["/robots.txt", "/"]


@pytest.mark.parametrize("parameters", [';a="b,c"', ";a=%22b%22", ";a=" + "b" * 100])
def test_case_26_an_inline_image_has_no_parameters_that_take_long_to_read(parameters: str) -> None:
    data = base64.b64encode(gif(1) + bytes(600)).decode()
    found = extract_links(f"<img src='data:image/gif{parameters};base64,{data}'>".encode(), "http://example.org/")
    assert not found.inline
    assert found.dropped == {"data: URL with no picture in it": 1}
    assert len(extract_links(f"<img src='data:image/gif;base64,{data}'>".encode(), "http://example.org/").inline) == 1


@pytest.mark.parametrize(
    "scheme", ["javascript:alert(1)", "file:///etc/passwd", "ftp://127.0.0.1/a", "blob:x", "about:blank"]
)
def test_case_26_other_schemes_are_dropped(site: Site, crawler: Crawler, scheme: str) -> None:
    site.page(
        "/",
        f'<img src="{scheme}"><img srcset="{scheme} 2x"><a href="{scheme}">x</a><iframe src="{scheme}"></iframe>'
        f'<meta property="og:image" content="{scheme}"><i style="background:url(\'{scheme}\')"></i>'
        f'<a rel=license href="{scheme}">x</a><base href="{scheme}"><img src=/a.gif>',
    )
    site.image("/a.gif", 1)
    report = crawler(site.url)
    assert (report.kept, report.failed) == (1, 0)
    assert site.paths() == ["/robots.txt", "/", "/a.gif"]
    assert outcomes(crawler, "page")["/"] == ("read", "4 × a reference that cannot be fetched")


# ----------------------------------------------------------------------------
# 27: sitemaps

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
_SPACES = (
    'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'
)


def urlset(*entries: str) -> bytes:
    return f"{_HEAD}<urlset {_SPACES}>{''.join(entries)}</urlset>".encode()


def index(*urls: str) -> bytes:
    entries = "".join(f"<sitemap><loc>{url}</loc><lastmod>2026-01-01</lastmod></sitemap>" for url in urls)
    return f"{_HEAD}<sitemapindex {_SPACES}>{entries}</sitemapindex>".encode()


def test_case_27_index_gzip_and_image_extension(site: Site, crawler: Crawler) -> None:
    licence = "https://creativecommons.org/licenses/by-sa/4.0/"
    site.page("/", "<html><p>nothing links anywhere")
    site.robots(f"User-agent: *\nDisallow: /private\nSitemap: {site.url}/index.xml\nSitemap: /more.txt")
    site.answer("/index.xml", Answer(index(f"{site.url}/one.xml.gz", f"{site.url}/index.xml", f"{site.url}/gone.xml")))
    entry = (
        f"<url><loc>{site.url}/page?a=1&amp;b=2</loc><priority>1</priority>"
        f"<image:image><image:loc> {site.url}/a.gif\n</image:loc>"
        f"<image:caption><![CDATA[a  lake & hills]]></image:caption>"
        f"<image:title>no</image:title><image:license>{licence}</image:license></image:image>"
        f"<image:image><image:loc>{site.url}/b.gif</image:loc><image:title>a hut</image:title></image:image></url>"
    )
    body = gzip.compress(urlset(entry, f"<url><loc>{site.url}/private</loc></url>"))
    site.answer("/one.xml.gz", Answer(body, headers={"Content-Type": "application/gzip"}))
    site.answer("/more.txt", Answer(f"{site.url}/text\nnot a URL\n{site.url}/c.gif\n".encode()))
    site.page("/page?a=1&b=2", "<img src=/a.gif><img src=/d.gif>")
    site.page("/text", "<img src=/e.gif>")
    for number, name in enumerate("abcde"):
        site.image(f"/{name}.gif", number)
    report = crawler(site.url, sitemaps=True)
    assert crawler.gallery.paths == ["/a.gif", "/b.gif", "/c.gif", "/d.gif", "/e.gif"]
    images = {image.url[-5:]: image for image in crawler.gallery.images}
    first = images["a.gif"]
    assert (first.alt, first.licence, first.page_url) == ("a lake & hills", licence, f"{site.url}/page?a=1&b=2")
    assert (images["b.gif"].alt, images["b.gif"].licence) == ("a hut", "")
    assert images["c.gif"].page_url == f"{site.url}/more.txt"
    assert "/private" not in site.paths()
    assert outcomes(crawler, "sitemap") == {
        "/index.xml": ("read", ""),
        "/more.txt": ("read", ""),
        "/one.xml.gz": ("read", ""),
        "/gone.xml": ("failed", "answered 404 Not Found"),
        "/sitemap.xml": ("failed", "answered 404 Not Found"),
    }
    assert len(site.paths()) == len(set(site.paths()))
    assert (report.failed, report.pages, report.finished_because) == (0, 3, "nothing is left to fetch")


def test_case_27_sitemap_xml_is_asked_for_without_being_named_and_can_be_left_alone(site: Site, tmp_path: Path) -> None:
    site.page("/", "<html>")
    site.answer("/sitemap.xml", Answer(urlset(f"<url><loc>{site.url}/a.gif</loc></url>")))
    site.image("/a.gif", 1)
    assert Crawler(tmp_path / "without")(site.url, sitemaps=False).kept == 0
    assert Crawler(tmp_path / "with")(site.url, sitemaps=True).kept == 1
    assert Crawler(tmp_path / "shallow")(site.url, sitemaps=True, depth=0).kept == 0
    assert site.paths().count("/sitemap.xml") == 1


def test_case_27_what_the_seed_links_to_comes_before_the_sitemap(site: Site, crawler: Crawler) -> None:
    site.page("/", "<a href=/one>1</a><a href=/two>2</a>")
    site.page("/one", "<img src=/1.gif><a href=/deeper>x</a>")
    site.page("/two", "<img src=/2.gif>")
    site.answer("/sitemap.xml", Answer(urlset(f"<url><loc>{site.url}/3.gif</loc></url>")))
    for number in (1, 2, 3):
        site.image(f"/{number}.gif", number)
    crawler(site.url, sitemaps=True, threads=1, delay_seconds=0.001)
    order = site.paths()
    assert order[:2] == ["/robots.txt", "/"]
    assert order.index("/sitemap.xml") > max(map(order.index, ("/one", "/two", "/1.gif", "/2.gif")))
    assert order.index("/sitemap.xml") < order.index("/deeper")


def test_case_27_sitemaps_follow_hosts_only_as_links_do(site: Site, crawler: Crawler) -> None:
    with serving("127.0.0.2") as other:
        site.page("/", "<html>")
        site.robots(f"Sitemap: {other.url}/map.xml\nSitemap: {site.url}/own.xml")
        foreign = (
            f"<url><loc>{other.url}/page</loc><image:image><image:loc>{other.url}/b.gif</image:loc></image:image></url>"
        )
        site.answer("/own.xml", Answer(urlset(f"<url><loc>{site.url}/a.gif</loc></url>", foreign)))
        site.image("/a.gif", 1)
        other.image("/b.gif", 2)
        other.page("/page", "<img src=/c.gif>")
        other.image("/c.gif", 3)
        other.answer("/map.xml", Answer(urlset(f"<url><loc>{other.url}/d.gif</loc></url>")))
        other.image("/d.gif", 4)
        crawler(site.url, sitemaps=True)
        assert crawler.gallery.paths == ["/a.gif"]
        assert other.requests == []
        assert outcomes(crawler, "sitemap")["/map.xml"] == ("skipped", "on another host")
        crawler(site.url, sitemaps=True, follow_hosts=True)
        assert crawler.gallery.paths == ["/a.gif", "/b.gif", "/c.gif", "/d.gif"]


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "[::ffff:10.0.0.1]", "2130706433"])
def test_case_27_a_sitemap_on_a_private_address_is_refused(host: str) -> None:
    lease = Lease(1, f"http://{host}/sitemap.xml", "sitemap", "", f"http://{host}", 1, 0, "", "", 0, "")
    with Fetcher(allow_private=False) as fetcher:
        result = do(fetcher, lease, time.time)
    assert isinstance(result.failure, AddressRefused)
    assert result.sitemap is None


def test_case_27_a_sitemap_line_that_is_no_url_of_the_web_is_dropped(site: Site, crawler: Crawler) -> None:
    site.page("/", "<html>")
    site.robots("Sitemap: file:///etc/passwd\nSitemap: ftp://127.0.0.1/s.xml\nSitemap: http://[\nSitemap:")
    crawler(site.url, sitemaps=True)
    assert set(outcomes(crawler, "sitemap")) <= {"/sitemap.xml", "/robots.txt"}


def test_case_27_an_index_without_end_ends(site: Site, crawler: Crawler) -> None:
    class Endless(dict[str, Answer]):
        def get(self, path: str, default: object = None) -> Answer:
            if path == "/":
                return Answer(b"<html>", headers={"Content-Type": "text/html"})
            return Answer(b"", status=404) if path == "/robots.txt" else Answer(index(f"{site.url}{path}x"))

    site.answers = Endless()  # type: ignore[assignment]
    report = crawler(site.url, sitemaps=True)
    assert report.finished_because == "nothing is left to fetch"
    found = outcomes(crawler, "sitemap")
    assert [outcome for outcome, _ in found.values()].count("read") == 6
    assert found["/sitemap.xmlxxxxxx"] == ("skipped", "more than 5 sitemap indexes deep")


def test_case_27_no_more_than_50_000_urls_are_taken() -> None:
    body = urlset(*(f"<url><loc>http://example.org/{i}</loc></url>" for i in range(50_010)))
    found = parse_sitemap(body, "http://example.org/s.xml")
    assert (len(found.pages), found.trouble) == (50_000, "more than 50,000 URLs")
    body = urlset(
        "<url><loc>http://example.org/</loc>",
        *(f"<image:image><image:loc>http://example.org/{i}.gif</image:loc></image:image>" for i in range(50_010)),
        "</url>",
    )
    found = parse_sitemap(body, "http://example.org/s.xml")
    assert len(found.images) <= 50_000
    assert found.trouble == "more than 50,000 images"
    found = parse_sitemap(index(*(f"http://example.org/{i}.xml" for i in range(510))), "http://example.org/s.xml")
    assert (len(found.sitemaps), found.trouble) == (500, "more than 500 sitemaps")


def test_case_27_a_gzip_bomb_is_cut(site: Site, crawler: Crawler) -> None:
    packer = zlib.compressobj(9, wbits=31)
    packed = packer.compress(f"{_HEAD}<urlset {_SPACES}><url><loc>{site.url}/a.gif</loc></url>".encode())
    filler = b"<!--" + b" " * 1_000_000 + b"-->"
    packed += b"".join(packer.compress(filler) for _ in range(60)) + packer.flush()
    assert len(packed) < 1_000_000
    site.page("/", "<html>")
    site.answer("/sitemap.xml", Answer(packed))
    site.image("/a.gif", 1)
    assert crawler(site.url, sitemaps=True).kept == 1
    assert outcomes(crawler, "sitemap")["/sitemap.xml"] == ("read", "larger than 50 MiB unpacked")


def test_case_27_a_sitemap_of_endless_elements_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemaps, "MAX_ELEMENTS", 10_000)
    body = f"<urlset {_SPACES}><url><loc>http://example.org/</loc></url>".encode() + b"<x/>" * sitemaps.MAX_ELEMENTS
    found = parse_sitemap(gzip.compress(body, 1), "http://example.org/sitemap.xml")
    assert (found.pages, found.trouble) == (["http://example.org/"], "more than 10,000 elements")


def test_case_27_what_is_unpacked_is_cut_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemaps, "MAX_BYTES", 100_000)
    packed = gzip.compress(b"<" + b" " * 30_000_000)
    most = max(len(piece) for piece in _until_cut(sitemaps._unpacked(packed)))
    assert most <= 1 << 16


def _until_cut(pieces: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from pieces
    except sitemaps._CutError:
        return


def test_case_27_a_long_sitemap_is_cut_as_it_comes(
    site: Site, crawler: Crawler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crawler.work.MAX_DOWNLOAD_BYTES", 1000)
    monkeypatch.setattr(sitemaps, "MAX_DOWNLOAD_BYTES", 1000)
    site.page("/", "<html>")
    site.answer("/sitemap.xml", Answer(urlset(*(f"<url><loc>{site.url}/{i}.gif</loc></url>" for i in range(1000)))))
    report = crawler(site.url, sitemaps=True)
    assert 5 < report.failed < 30
    assert outcomes(crawler, "sitemap")["/sitemap.xml"] == ("read", "larger than 0.001 MB")


_LAUGHS = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10))
_ENTITIES = {
    "a billion laughs": f'<!DOCTYPE x [<!ENTITY a0 "ha">{_LAUGHS}]><urlset><url><loc>&a9;</loc></url></urlset>',
    "in an attribute": f'<!DOCTYPE x [<!ENTITY a0 "ha">{_LAUGHS}]><urlset a="&a9;"></urlset>',
    "a file": '<!DOCTYPE x [<!ENTITY f SYSTEM "FILE">]><urlset><url><loc>http://example.org/&f;</loc></url></urlset>',
    "a request": '<!DOCTYPE x SYSTEM "SITE/evil.dtd"><urlset><url><loc>http://example.org/</loc></url></urlset>',
    "a parameter": '<!DOCTYPE x [<!ENTITY % p SYSTEM "SITE/evil.dtd"> %p;]><urlset/>',
}


@pytest.mark.parametrize("name", _ENTITIES)
def test_case_27_entities_are_inert(site: Site, crawler: Crawler, tmp_path: Path, name: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret.gif")
    body = _ENTITIES[name].replace("FILE", secret.as_uri()).replace("SITE", site.url)
    site.page("/", "<html>")
    site.answer("/sitemap.xml", Answer(body.encode()))
    started = time.process_time()
    crawler(site.url, sitemaps=True)
    assert time.process_time() - started < SECONDS
    assert outcomes(crawler, "sitemap")["/sitemap.xml"] == (
        "skipped",
        "a document type declaration, which no sitemap needs",
    )
    assert site.paths() == ["/robots.txt", "/", "/sitemap.xml"]


@pytest.mark.parametrize(
    ("body", "trouble"),
    [
        (b"<!DOCTYPE html><html><body>not found", "a page, not a sitemap"),
        (b"<html><body>not found", "not a sitemap"),
        (b"not found", "not a sitemap"),
        (b"", "not a sitemap"),
        (gif(1), "not a sitemap"),
        (b"\x1f\x8b broken", "broken gzip"),
        (gzip.compress(urlset(), mtime=0)[:30], "broken gzip"),
        (b"x" * 1_000_000, "not a sitemap"),
        (b"x" * 200_000 + b"\nhttp://example.org/\n", "not a sitemap"),
        (b"<urlset><url><loc>http://example.org/?a&b</loc></url></urlset>", "broken XML"),
        (b"<urlset>" + b"<x>" * 100_000, "broken XML"),
        (b"<urlset><url><loc>" + b"x" * 20_000_000, "larger than 10 MB"),
        (urlset(), ""),
    ],
)
def test_case_27_what_is_no_sitemap_names_nothing_and_says_why(body: bytes, trouble: str) -> None:
    found = parse_sitemap(body, "http://example.org/sitemap.xml")
    assert (found.pages, found.images, found.sitemaps, found.trouble) == ([], [], [], trouble)


def test_case_27_what_stands_before_a_fault_is_taken() -> None:
    body = urlset("<url><loc>http://example.org/a</loc></url>", "<url><loc>http://example.org/b?x&y</loc></url>")
    found = parse_sitemap(body, "http://example.org/sitemap.xml")
    assert (found.pages, found.trouble) == (["http://example.org/a"], "broken XML")


_XML = [
    "<urlset>",
    "</urlset>",
    "<url>",
    "</url>",
    "<loc>",
    "</loc>",
    "<image:image>",
    "<sitemapindex>",
    "<sitemap>",
    "&amp;",
]
_XML += [
    "<!DOCTYPE x [",
    "<!ENTITY a 'b'>",
    "]>",
    "&a;",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<?xml version='1.0'?>",
    "\0",
]
_XML += [
    "http://example.org/",
    "http://[",
    "a.jpg",
    "\n",
    " ",
    "xmlns='x'",
    "</image:image>",
    "<license>",
    "</license>",
]


@given(st.lists(st.one_of(st.sampled_from(_XML), st.text(max_size=4)), max_size=30).map("".join), st.booleans())
@settings(max_examples=300, deadline=None)
def test_case_27_any_sitemap_can_be_read_and_gives_no_more_than_it_holds(text: str, is_packed: bool) -> None:
    body = text.encode("utf-8", "surrogatepass")
    found = parse_sitemap(gzip.compress(body) if is_packed else body, "http://example.org/s/sitemap.xml")
    assert found == parse_sitemap(body, "http://example.org/s/sitemap.xml")
    urls = [*found.pages, *found.sitemaps, *(image.url for image in found.images)]
    assert all(url.startswith(("http://", "https://")) for url in urls)
    assert len(urls) == len(set(urls)) <= len(text)


@given(st.lists(st.sampled_from("abcdefgh"), max_size=6), st.lists(st.sampled_from("pqrs"), max_size=4))
@settings(max_examples=50, deadline=None)
def test_case_27_what_is_written_is_read_again(pages: list[str], images: list[str]) -> None:
    inside = "".join(f"<image:image><image:loc>http://e.org/{i}.gif</image:loc></image:image>" for i in images)
    body = urlset(*(f"<url><loc>http://e.org/{page}</loc>{inside}</url>" for page in pages))
    found = parse_sitemap(body, "http://e.org/s.xml")
    assert found.pages == [f"http://e.org/{page}" for page in dict.fromkeys(pages)]
    assert [i.url for i in found.images] == [f"http://e.org/{i}.gif" for i in dict.fromkeys(images) if pages]


# ----------------------------------------------------------------------------
# 28: traps


class Trap(dict[str, Answer]):
    """Answers every path with a page of links that `links` makes of the path and of how many pages went before."""

    def __init__(self, links: Callable[[str, int], list[str]]) -> None:
        super().__init__()
        self.links = links
        self.n_pages = 0

    def get(self, path: str, default: object = None) -> Answer:
        if path == "/robots.txt":
            return Answer(b"", status=404)
        self.n_pages += 1
        anchors = "".join(f'<a href="{link}">x</a>' for link in self.links(path, self.n_pages))
        return Answer(f"<html>{anchors}".encode(), headers={"Content-Type": "text/html"})


def _month(path: str, n: int) -> list[str]:
    return [f"/{2026 + n // 12}/{n % 12 + 1:02d}/"]


_TRAPS: dict[str, tuple[Callable[[str, int], list[str]], int, str]] = {
    "a calendar": (_month, 6, "deeper than the crawl goes"),
    "a path that repeats": (lambda path, n: ["a/b/"], 3, "path repeats itself"),
    "one segment that repeats": (lambda path, n: ["again/"], 3, "path repeats itself"),
    "a path that grows": (lambda path, n: [f"{n}/"], 21, "more than 20 path segments"),
    "a query that grows": (lambda path, n: [f"{path}{'&' if '?' in path else '?'}a=1"], 3, "query repeats itself"),
    "a query of ever more": (
        lambda path, n: [f"{path}{'&' if '?' in path else '?'}p{n}={n}"],
        21,
        "more than 20 query parameters",
    ),
    "a query that holds itself": (lambda path, n: [f"/login?back={_quoted(path)}"], 4, "query repeats itself"),
    "a name that grows": (lambda path, n: [path + "x" * 400], 6, "URL longer than 2083 characters"),
}


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3F").replace("/", "%2F").replace("=", "%3D")


@pytest.mark.parametrize("name", _TRAPS)
def test_case_28_a_trap_ends_and_says_why(site: Site, crawler: Crawler, name: str) -> None:
    links, most_pages, reason = _TRAPS[name]
    site.answers = Trap(links)  # type: ignore[assignment]
    depth = 5 if name == "a calendar" else 1000
    report = crawler(site.url, depth=depth, stop=lambda: len(site.requests) > 200)
    assert report.finished_because == "nothing is left to fetch"
    assert report.pages <= most_pages
    assert [why for outcome, why in outcomes(crawler, "page").values() if outcome == "skipped"] == [reason]


@pytest.mark.parametrize("parameter", ["sid", "PHPSESSID", "session_id"])
def test_case_28_new_session_numbers_lead_nowhere_new(site: Site, crawler: Crawler, parameter: str) -> None:
    site.answers = Trap(  # type: ignore[assignment]
        lambda path, n: [f"/{name}?{parameter}={n:032x}" for name in ("one", "two")] + [f"/three;jsessionid={n:032x}"]
    )
    report = crawler(site.url, depth=1000)
    assert (report.pages, report.finished_because) == (4, "nothing is left to fetch")


def test_case_28_dot_segments_name_the_same_page(site: Site, crawler: Crawler) -> None:
    site.answers = Trap(lambda path, n: ["/2026/01/../02/", "/2026/02/../02/", "/2026/./02/"])  # type: ignore[assignment]
    assert crawler(site.url, depth=1000).pages == 2


def test_case_28_a_host_has_a_budget_of_pages(site: Site, crawler: Crawler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.additions.PAGES_PER_HOST", 20)
    monkeypatch.setattr("crawler.additions._ROWS_AT_ONCE", 2)  # so many are compared with the budget at once
    site.answers = Trap(lambda path, n: [f"/{n}.html", f"/{n}b.html"])  # type: ignore[assignment]
    report = crawler(site.url, depth=1000, stop=lambda: len(site.requests) > 200)
    assert report.finished_because == "nothing is left to fetch"
    assert 20 <= report.pages <= 22
    skipped = {why for outcome, why in outcomes(crawler, "page").values() if outcome == "skipped"}
    assert skipped == {"beyond the number of URLs that a crawl takes from one host"}
    (note,) = report.notes
    assert note == f"{site.url} has more URLs than a crawl takes from one host; the others are left out"


def test_case_28_a_host_has_a_budget_of_lines(site: Site, crawler: Crawler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.additions.URLS_PER_HOST", 50)
    monkeypatch.setattr("crawler.additions._ROWS_AT_ONCE", 10)
    site.page("/", "".join(f"<img src=/{i}.gif>" for i in range(1000)))
    report = crawler(site.url)
    assert 50 <= report.failed <= 60
    assert any("more URLs than a crawl takes" in note for note in report.notes)


def test_case_28_a_sitemap_keeps_the_budget_too(site: Site, crawler: Crawler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.additions.PAGES_PER_HOST", 20)
    monkeypatch.setattr("crawler.additions.SITEMAPS_PER_HOST", 3)
    monkeypatch.setattr("crawler.additions._ROWS_AT_ONCE", 2)
    site.page("/", "<html>")
    site.robots("\n".join(f"Sitemap: /{i}.xml" for i in range(10)))
    for i in range(10):
        pages = "".join(f"<url><loc>{site.url}/{i}-{j}</loc></url>" for j in range(100))
        site.answer(f"/{i}.xml", Answer(urlset(pages)))
    crawler(site.url, sitemaps=True)
    asked = site.paths()
    assert 3 <= sum(path.endswith(".xml") for path in asked) <= 5
    assert 20 <= sum("-" in path for path in asked) <= 22


def test_case_28_a_url_beyond_all_length_is_written_down_in_part(site: Site, crawler: Crawler) -> None:
    long = "/x" + "y" * 100_000
    odd = f'<img src="http://[fe80::1%25{"a" * 5000}]/"><img src="http://a:{"1" * 5000}@b/">'  # cut, no URLs
    site.page(
        "/", f'<img src="{long}1"><img src="{long}2"><a href="{long}">x</a><a href="http://{"a" * 5000}/">x</a>{odd}'
    )
    report = crawler(site.url)
    assert report.reasons == {"URL longer than 2083 characters": 2}
    with sqlite3.connect(crawler.path) as connection:
        (longest,) = connection.execute("SELECT MAX(length(url) + length(key)) FROM url").fetchone()
    assert longest <= 2 * MAX_URL_LENGTH
    assert site.paths() == ["/robots.txt", "/"]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/a/b/a/b/",
        "http://example.org/000/000/012/x.jpg",
        "http://example.org/?a[]=1&a[]=2&a[]=3",
        "http://example.org/img?url=https%3A%2F%2Fcdn.example.org%2Fa%2Fb%2Fc.jpg&w=300&h=300&fit=crop",
        "http://example.org/" + "/".join(map(str, range(20))),
    ],
)
def test_case_28_what_is_no_trap(url: str) -> None:
    assert trap(url) == ""


@given(st.text(alphabet="ab/?&=%25F;", max_size=3000))
@settings(max_examples=100, deadline=None)
def test_case_28_any_url_is_judged_in_no_time(text: str) -> None:
    url = absolute_url("http://example.org/", text)
    assert url is None or trap(url) == trap(url)

"""Cases 23 to 26: keys of URLs, and links of pages; against a site on loopback."""

import base64
import io
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from crawler.parsing.links import extract_links
from crawler.parsing.srcset import best_candidate, parse_srcset
from crawler.parsing.stylesheets import background_urls
from crawler.parsing.urls import absolute_url, seed_url, trap, url_key
from crawler.reasons import Reason, ReasonCode, sentence
from imgsearch.corpus.ingest import Intake
from imgsearch.corpus.store import Corpus
from imgsearch.paths import IndexPaths
from imgsearch.workflows.crawled_images import keep_in
from tests.support.crawl import Crawler
from tests.support.loopback_site import Answer, Site, gif

SECONDS = 5.0  # limit for any page of a megabyte; the worst take a fifth of it


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
            assert trap(url) is None or sentence(trap(url))
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
        site.image(path.replace("%67", "g"), number)  # requests encodes it so; it means the same
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
    # As in browsers, a path is encoded in UTF-8, a query in the encoding of the page if that has the character.
    html = f'<meta charset="{charset}"><img src="é.gif?é" alt="été">'
    body = html.encode(charset, errors="xmlcharrefreplace")
    content_type = f"text/html; charset={charset}" if is_stated else "text/html"
    site.answer("/", Answer(body, headers={"Content-Type": content_type}))
    site.image(f"/%C3%A9.gif?{in_query}", 1)
    assert crawler(site.url).kept == 1
    assert crawler.gallery.images[0].alt == "été"


# ----------------------------------------------------------------------------
# 25: places of images on pages

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
    assert len(crawler.outcomes("image")) == 5000
    assert len(crawler.outcomes("page")) == 5001
    assert crawler.outcomes("page")["/"] == (
        "read",
        "1 × what comes after the first 5,000 references to images; 1 × what comes after the first 5,000 links",
    )


def test_case_28_a_page_that_names_one_image_endlessly_is_cut() -> None:
    found = extract_links(b"<img src=a.gif>" * 20_001 + b"<img src=b.gif>", "http://example.org/")
    assert [image.url for image in found.images] == ["http://example.org/a.gif"]
    assert found.dropped == {Reason(ReasonCode.BEYOND_IMAGES, "20,000"): 1}


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
    """A PNG that claims this size, with almost no data."""
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

        crawler.gallery = keep_in(intake)  # type: ignore[assignment]
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
    assert found.dropped == {Reason(ReasonCode.PLACEHOLDER): 1}
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
    assert crawler.outcomes("page")["/"] == ("read", "4 × a reference that cannot be fetched")

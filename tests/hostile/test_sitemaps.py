"""Case 27: sitemaps, and other files in their place; against a site on loopback."""

import gzip
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import AddressRefused
from crawler.fetching.fetch import Fetcher
from crawler.parsing import sitemaps
from crawler.parsing.sitemaps import parse_sitemap
from crawler.reasons import sentence
from crawler.records import Lease
from crawler.workers import fetch_job
from tests.support.crawl import Crawler
from tests.support.loopback_site import Answer, Site, gif, serving

SECONDS = 5.0  # limit for any sitemap of a megabyte; the worst take a fifth of it


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
    assert crawler.outcomes("sitemap") == {
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
        assert crawler.outcomes("sitemap")["/map.xml"] == ("skipped", "on another host")
        crawler(site.url, sitemaps=True, follow_hosts=True)
        assert crawler.gallery.paths == ["/a.gif", "/b.gif", "/c.gif", "/d.gif"]


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "[::ffff:10.0.0.1]", "2130706433"])
def test_case_27_a_sitemap_on_a_private_address_is_refused(host: str) -> None:
    lease = Lease(1, f"http://{host}/sitemap.xml", "sitemap", "", f"http://{host}", 1, 0, "", "", 0, "")
    with Fetcher(allow_private=False) as fetcher:
        result = fetch_job(fetcher, lease, time.time)
    assert isinstance(result.failure, AddressRefused)
    assert result.sitemap is None


def test_case_27_a_sitemap_line_that_is_no_url_of_the_web_is_dropped(site: Site, crawler: Crawler) -> None:
    site.page("/", "<html>")
    site.robots("Sitemap: file:///etc/passwd\nSitemap: ftp://127.0.0.1/s.xml\nSitemap: http://[\nSitemap:")
    crawler(site.url, sitemaps=True)
    assert set(crawler.outcomes("sitemap")) <= {"/sitemap.xml", "/robots.txt"}


def test_case_27_an_index_without_end_ends(site: Site, crawler: Crawler) -> None:
    class Endless(dict[str, Answer]):
        def get(self, path: str, default: object = None) -> Answer:
            if path == "/":
                return Answer(b"<html>", headers={"Content-Type": "text/html"})
            return Answer(b"", status=404) if path == "/robots.txt" else Answer(index(f"{site.url}{path}x"))

    site.answers = Endless()  # type: ignore[assignment]
    report = crawler(site.url, sitemaps=True)
    assert report.finished_because == "nothing is left to fetch"
    found = crawler.outcomes("sitemap")
    assert [outcome for outcome, _ in found.values()].count("read") == 6
    assert found["/sitemap.xmlxxxxxx"] == ("skipped", "more than 5 sitemap indexes deep")


def test_case_27_no_more_than_50_000_urls_are_taken() -> None:
    body = urlset(*(f"<url><loc>http://example.org/{i}</loc></url>" for i in range(50_010)))
    found = parse_sitemap(body, "http://example.org/s.xml")
    assert (len(found.pages), sentence(found.trouble)) == (50_000, "more than 50,000 URLs")
    body = urlset(
        "<url><loc>http://example.org/</loc>",
        *(f"<image:image><image:loc>http://example.org/{i}.gif</image:loc></image:image>" for i in range(50_010)),
        "</url>",
    )
    found = parse_sitemap(body, "http://example.org/s.xml")
    assert len(found.images) <= 50_000
    assert sentence(found.trouble) == "more than 50,000 images"
    found = parse_sitemap(index(*(f"http://example.org/{i}.xml" for i in range(510))), "http://example.org/s.xml")
    assert (len(found.sitemaps), sentence(found.trouble)) == (500, "more than 500 sitemaps")


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
    assert crawler.outcomes("sitemap")["/sitemap.xml"] == ("read", "larger than 50 MiB unpacked")


def test_case_27_a_sitemap_of_endless_elements_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemaps, "MAX_ELEMENTS", 10_000)
    body = f"<urlset {_SPACES}><url><loc>http://example.org/</loc></url>".encode() + b"<x/>" * sitemaps.MAX_ELEMENTS
    found = parse_sitemap(gzip.compress(body, 1), "http://example.org/sitemap.xml")
    assert (found.pages, sentence(found.trouble)) == (["http://example.org/"], "more than 10,000 elements")


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
    monkeypatch.setattr("crawler.workers.MAX_DOWNLOAD_BYTES", 1000)
    monkeypatch.setattr(sitemaps, "MAX_DOWNLOAD_BYTES", 1000)
    site.page("/", "<html>")
    site.answer("/sitemap.xml", Answer(urlset(*(f"<url><loc>{site.url}/{i}.gif</loc></url>" for i in range(1000)))))
    report = crawler(site.url, sitemaps=True)
    assert 5 < report.failed < 30
    assert crawler.outcomes("sitemap")["/sitemap.xml"] == ("read", "larger than 0.001 MB")


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
    assert crawler.outcomes("sitemap")["/sitemap.xml"] == (
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
    assert (found.pages, found.images, found.sitemaps, sentence(found.trouble)) == ([], [], [], trouble)


def test_case_27_what_stands_before_a_fault_is_taken() -> None:
    body = urlset("<url><loc>http://example.org/a</loc></url>", "<url><loc>http://example.org/b?x&y</loc></url>")
    found = parse_sitemap(body, "http://example.org/sitemap.xml")
    assert (found.pages, sentence(found.trouble)) == (["http://example.org/a"], "broken XML")


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


def test_case_28_a_sitemap_keeps_the_budget_too(site: Site, crawler: Crawler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.frontier.insert.PAGES_PER_HOST", 20)
    monkeypatch.setattr("crawler.frontier.insert.SITEMAPS_PER_HOST", 3)
    monkeypatch.setattr("crawler.frontier.insert._ROWS_AT_ONCE", 2)
    site.page("/", "<html>")
    site.robots("\n".join(f"Sitemap: /{i}.xml" for i in range(10)))
    for i in range(10):
        pages = "".join(f"<url><loc>{site.url}/{i}-{j}</loc></url>" for j in range(100))
        site.answer(f"/{i}.xml", Answer(urlset(pages)))
    crawler(site.url, sitemaps=True)
    asked = site.paths()
    assert 3 <= sum(path.endswith(".xml") for path in asked) <= 5
    assert 20 <= sum("-" in path for path in asked) <= 22

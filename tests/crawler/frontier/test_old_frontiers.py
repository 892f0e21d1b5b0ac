"""Frontiers that earlier versions wrote, with reasons in sentences: opened, translated, and used by a crawl."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from crawler.errors import FrontierError
from crawler.frontier.frontier import Frontier
from crawler.frontier.old_reasons import translated
from crawler.frontier.schema import STEPS, VERSION
from crawler.reasons import Reason, ReasonCode, stored
from crawler.records import Link
from crawler.takedown import Takedown

FIRST_WITH_CODES = 5
SEED = "http://a.example/"
HOST = "http://a.example"
CIRCLE = Reason(ReasonCode.REDIRECTS_IN_A_CIRCLE)
# What version 0.1.0 wrote -> the reason that it is now.
OLD_SENTENCES = {
    "on another host": Reason(ReasonCode.OFF_SITE),
    "deeper than the crawl goes": Reason(ReasonCode.TOO_DEEP),
    "beyond the number of URLs that a crawl takes from one host": Reason(ReasonCode.TOO_MANY_URLS),
    "URL longer than 2083 characters": Reason(ReasonCode.URL_TOO_LONG, "2083"),
    "more than 20 path segments": Reason(ReasonCode.TOO_MANY_SEGMENTS, "20"),
    "more than 20 query parameters": Reason(ReasonCode.TOO_MANY_PARAMETERS, "20"),
    "path repeats itself": Reason(ReasonCode.PATH_REPEATS),
    "query repeats itself": Reason(ReasonCode.QUERY_REPEATS),
    "taken down (url-prefix http://a.example/(x)/)": Reason(ReasonCode.TAKEN_DOWN, "url-prefix http://a.example/(x)/"),
    "the page says noai": Reason(ReasonCode.PAGE_DIRECTIVE, "noai"),
    "the link says nofollow": Reason(ReasonCode.LINK_DIRECTIVE, "nofollow"),
    "X-Robots-Tag says noimageindex": Reason(ReasonCode.HEADER_DIRECTIVE, "noimageindex"),
    "robots.txt of a.example:8000 does not allow imgsearch here": Reason(ReasonCode.ROBOTS, "a.example:8000 imgsearch"),
    "robots.txt of a.example asks for 90 s between requests, more than the 60 s that we wait": Reason(
        ReasonCode.ROBOTS_DELAY, "a.example 90 60"
    ),
    "robots.txt of http://a.example answered 503 Service Unavailable": Reason(
        ReasonCode.ROBOTS_UNAVAILABLE, "http://a.example 503 Service Unavailable"
    ),
    "robots.txt of http://a.example could not be read": Reason(ReasonCode.ROBOTS_UNKNOWN, "http://a.example"),
    "10.0.0.1 is a private address; use --allow-private": Reason(ReasonCode.PRIVATE_ADDRESS, "10.0.0.1"),
    "in.example (10.0.0.1) is a private address; use --allow-private": Reason(
        ReasonCode.PRIVATE_ADDRESS, "in.example (10.0.0.1)"
    ),
    "cannot reach a.example: no answer in time": Reason(ReasonCode.UNREACHABLE, "a.example no answer in time"),
    "took longer than 60 s": Reason(ReasonCode.TOO_SLOW, "60"),
    "broke off: less data than announced": Reason(ReasonCode.BROKEN_OFF, "less data than announced"),
    "answered 404 Not Found": Reason(ReasonCode.HTTP_STATUS, "404 Not Found"),
    "gone: answered 410 Gone": Reason(ReasonCode.GONE, "410 Gone"),
    "could not be read: ValueError": Reason(ReasonCode.UNREADABLE, "ValueError"),
    "redirects to http://b.example/itself": Reason(ReasonCode.REDIRECTED, "http://b.example/itself"),
    "redirects to itself": Reason(ReasonCode.REDIRECTS_TO_ITSELF),
    "redirects in a circle": CIRCLE,
    "redirects more than 5 times": Reason(ReasonCode.REDIRECTS_TOO_OFTEN, "5"),
    "redirects to something that is not http": Reason(ReasonCode.REDIRECTS_NOT_TO_HTTP),
    "redirects to another host: http://b.example/": Reason(ReasonCode.REDIRECTS_OFF_SITE, "http://b.example/"),
    "larger than 20 MB": Reason(ReasonCode.TOO_LARGE, "20"),
    "larger than 20 MB: 21,000,000 bytes": Reason(ReasonCode.TOO_LARGE, "20 21,000,000"),
    "known as an image": Reason(ReasonCode.KNOWN_AS_IMAGE),
    "a page, not an image": Reason(ReasonCode.A_PAGE),
    "neither a page nor an image we take (application/pdf)": Reason(ReasonCode.OTHER_TYPE, "application/pdf"),
    "neither a page nor an image we take (no Content-Type)": Reason(ReasonCode.NO_TYPE),
    "answers with something that is no image": Reason(ReasonCode.NO_LONGER_AN_IMAGE),
    "3 × data: URL with no picture in it; 1 × the page says noai": Reason(
        ReasonCode.LEFT_OUT, "3 placeholder; 1 page_directive noai"
    ),
    "1 × a reference that cannot be fetched": Reason(ReasonCode.LEFT_OUT, "1 bad_reference"),
    "1 × what comes after the first 20,000 links": Reason(ReasonCode.LEFT_OUT, "1 beyond_links 20,000"),
    "1 × what comes after the first 5,000 references to images": Reason(ReasonCode.LEFT_OUT, "1 beyond_images 5,000"),
    "it names nothing": Reason(ReasonCode.SITEMAP_EMPTY),
    "more than 5 sitemap indexes deep": Reason(ReasonCode.SITEMAP_TOO_DEEP, "5"),
    "larger than 50 MiB unpacked": Reason(ReasonCode.SITEMAP_TOO_LARGE, "50"),
    "more than 50,000 images": Reason(ReasonCode.SITEMAP_TOO_LONG, "50,000 images"),
    "not a sitemap": Reason(ReasonCode.NOT_A_SITEMAP),
    "a page, not a sitemap": Reason(ReasonCode.SITEMAP_IS_A_PAGE),
    "a document type declaration, which no sitemap needs": Reason(ReasonCode.SITEMAP_DOCTYPE),
    "broken XML": Reason(ReasonCode.BROKEN_XML),
    "broken gzip": Reason(ReasonCode.BROKEN_GZIP),
    "same bytes as row 17": Reason(ReasonCode.SAME_BYTES, "17"),
    "removed earlier (row 3); imgsearch remove --undo row:3 brings it back": Reason(ReasonCode.REMOVED_EARLIER, "3"),
    "removed earlier (row 3); it was erased: nothing brings it back": Reason(ReasonCode.ERASED_EARLIER, "3"),
    "empty: there are no bytes": Reason(ReasonCode.EMPTY),
    "not an image: it looks like text": Reason(ReasonCode.NOT_AN_IMAGE, "it looks like text"),
    "not an image that is taken: it looks like an SVG drawing": Reason(
        ReasonCode.UNSUPPORTED_FORMAT, "it looks like an SVG drawing"
    ),
    "a PNG that cannot be read: its header is damaged or of a rare kind": Reason(ReasonCode.UNREADABLE_HEADER, "a PNG"),
    "damaged image: broken data stream\nwhen reading": Reason(
        ReasonCode.DAMAGED_IMAGE, "broken data stream\nwhen reading"
    ),
    "no pixels: its width or height is zero": Reason(ReasonCode.NO_PIXELS),
    "more than 50 megapixels: 10000 x 6000": Reason(ReasonCode.TOO_MANY_PIXELS, "50 10000 x 6000"),
    "more than 50 megapixels": Reason(ReasonCode.TOO_MANY_PIXELS, "50"),
    "decoding it took too much memory": Reason(ReasonCode.DECODING_MEMORY),
    "decoding it took too much time": Reason(ReasonCode.DECODING_TIME),
    "decoding it made the decoder crash": Reason(ReasonCode.DECODER_CRASHED),
    "row 1 became row 2": Reason(ReasonCode.ROW_REPLACED, "1 2"),
    "its new bytes are refused: not an image: it looks like text": Reason(
        ReasonCode.NEW_BYTES_REFUSED, "not_an_image it looks like text"
    ),
    "something that nobody knows any more": Reason(ReasonCode.OTHER, "something that nobody knows any more"),
    "2 × something that nobody knows": Reason(ReasonCode.OTHER, "2 × something that nobody knows"),
}
WITHIN_OTHERS = {ReasonCode.PLACEHOLDER, ReasonCode.BAD_REFERENCE, ReasonCode.BEYOND_IMAGES, ReasonCode.BEYOND_LINKS}
NEVER_STORED = {ReasonCode.NOT_HTTP}  # of a query by URL


@pytest.mark.parametrize("text", OLD_SENTENCES)
def test_an_old_sentence_becomes_a_code_with_its_values(text: str) -> None:
    assert translated(text) == stored(OLD_SENTENCES[text])


def test_every_code_that_an_old_frontier_could_mean_is_translated() -> None:
    met = {reason.code for reason in OLD_SENTENCES.values()}
    assert set(ReasonCode) - met == WITHIN_OTHERS | NEVER_STORED


def old_frontier(path: Path, version: int) -> None:
    """Write a frontier of an earlier `version`, with one URL for each old sentence."""
    with closing(sqlite3.connect(path)) as connection:
        for step in STEPS[:version]:
            connection.executescript(step)
        connection.execute("INSERT INTO scope VALUES (?, 'a.example')", (SEED,))
        connection.execute(
            "INSERT INTO host (host, fails, trouble, next_at) VALUES (?, 2, 'cannot reach a.example: silence', 1e12)",
            (HOST,),
        )
        columns = "key, url, kind, seed, host, depth, hops, parent, alt, rank, outcome, reason"
        for number, text in enumerate(OLD_SENTENCES):
            url = f"http://a.example/{number}.jpg"
            outcome = "moved" if text.startswith("redirects to http") else "skipped"
            connection.execute(
                f"INSERT INTO url ({columns}) VALUES (?, ?, 'image', ?, ?, 1, 0, '', '', 0, ?, ?)",
                (url, url, SEED, HOST, outcome, text),
            )
        if version >= 4:
            connection.execute("UPDATE url SET looks = 1 WHERE number = 1")
            connection.execute("INSERT INTO takedown VALUES ('url-prefix', 'http://a.example/(x)/')")
        connection.execute(f"PRAGMA user_version = {version}")
        connection.commit()


def number_of(text: str) -> int:
    return list(OLD_SENTENCES).index(text)


@pytest.mark.parametrize("version", range(1, FIRST_WITH_CODES))
def test_a_frontier_of_an_earlier_version_opens_with_codes(tmp_path: Path, version: int) -> None:
    old_frontier(tmp_path / "crawl.sqlite", version)
    with Frontier.open(tmp_path / "crawl.sqlite") as frontier:
        found = {
            line.url: line.reason for n in range(len(OLD_SENTENCES)) for line in frontier.inspection.known(url_of(n))
        }
        assert list(found.values()) == list(OLD_SENTENCES.values())
        assert frontier.hosts.get(HOST).trouble == Reason(ReasonCode.UNREACHABLE, "a.example silence")
        (first,) = frontier.inspection.known(url_of(0))
        assert first.misses == (1 if version >= 4 else 0)
        assert frontier.counts()["skipped"] == len(OLD_SENTENCES) - 1
    with closing(sqlite3.connect(tmp_path / "crawl.sqlite")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def url_of(number: int) -> str:
    return f"http://a.example/{number}.jpg"


def test_a_translated_frontier_is_crawled_on_with(tmp_path: Path) -> None:
    old_frontier(tmp_path / "crawl.sqlite", 4)
    with Frontier.open(tmp_path / "crawl.sqlite") as frontier:
        moved = Link(url_of(number_of("redirects to http://b.example/itself")), "image", SEED)
        assert frontier.redirect_target(moved) == "http://b.example/itself"
        assert frontier.redirect_target(Link(url_of(number_of("redirects to itself")), "image", SEED)) == ""
        frontier.reopen([SEED], ReasonCode.OFF_SITE)
        frontier.reopen([SEED], ReasonCode.PRIVATE_ADDRESS)
        assert frontier.counts()["queued"] == 3
        frontier.add([Link(url_of(number_of("the page says noai")), "image", SEED)])  # named elsewhere
        assert frontier.counts()["queued"] == 4
        assert frontier.takedowns.lift(Takedown("url-prefix", "http://a.example/(x)/"))
        assert frontier.counts()["queued"] == 5
        frontier.start_seed(SEED, "a.example")
        assert frontier.hosts.get(HOST).next_at == 0  # it could not be reached, so it is asked anew at once


def test_a_frontier_of_a_later_version_is_refused(tmp_path: Path) -> None:
    Frontier.open(tmp_path / "crawl.sqlite").close()
    with closing(sqlite3.connect(tmp_path / "crawl.sqlite")) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(FrontierError, match="another version"):
        Frontier.open(tmp_path / "crawl.sqlite")

"""robots.txt and the tags of pages and images, as tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.robots import (
    MAX_ROBOTS_BYTES,
    Directives,
    RobotsRules,
    RobotsState,
    read_directives,
    robots_state,
    robots_text,
)

RULES = """
User-agent: *
Disallow: /
User-agent: ImgSearch/9.9
Disallow: /private
Allow: /private/open
Disallow: /*.gif$
Disallow: /same
Allow: /same
Crawl-delay: 2.5

User-agent: otherbot
Disallow: /pictures

User-agent: imgsearch
Disallow: /second
"""


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/", True),
        ("/private", False),
        ("/private/x", False),
        ("/private/open/x", True),
        ("/a.gif", False),
        ("/a.gif?x", True),
        ("/same", True),
        ("/pictures", True),
        ("/second", False),
    ],
)
def test_the_longest_match_of_our_own_groups_decides(path: str, allowed: bool) -> None:
    rules = RobotsRules(RULES.replace("ImgSearch/9.9", "ImgSearch"), "imgsearch")
    assert rules.allows(f"http://example.org{path}") is allowed


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (200, RobotsState.RULES),
        (301, RobotsState.ALLOWED),
        (401, RobotsState.ALLOWED),
        (403, RobotsState.ALLOWED),
        (404, RobotsState.ALLOWED),
        (410, RobotsState.ALLOWED),
        (429, RobotsState.UNAVAILABLE),
        (500, RobotsState.UNAVAILABLE),
        (503, RobotsState.UNAVAILABLE),
    ],
)
def test_the_status_decides_as_in_rfc_9309(status: int, state: RobotsState) -> None:
    assert robots_state(status) is state


@pytest.mark.parametrize(
    ("line", "seconds"),
    [("Crawl-delay: 2.5", 2.5), ("Crawl-delay: -1", 0), ("Crawl-delay: soon", 0), ("Crawl-delay: inf", 0), ("", 0)],
)
def test_crawl_delay(line: str, seconds: float) -> None:
    assert RobotsRules(f"User-agent: *\n{line}", "imgsearch").crawl_delay_seconds == seconds


def test_only_the_first_500_kib_are_read() -> None:
    body = b"User-agent: *\n" + b"#" * MAX_ROBOTS_BYTES + b"\nDisallow: /"
    assert RobotsRules(robots_text(body), "imgsearch").allows("http://example.org/a")


def test_a_byte_order_mark_and_crlf_are_no_obstacle() -> None:
    rules = RobotsRules(robots_text(b"\xef\xbb\xbfUser-agent: *\r\nDisallow: /a\r\n"), "imgsearch")
    assert not rules.allows("http://example.org/a")


@given(st.binary(max_size=300), st.text(max_size=30))
def test_whatever_robots_txt_holds_nothing_is_raised(body: bytes, path: str) -> None:
    text = robots_text(b"User-agent: *\nDisallow: /x\n" + body)
    rules = RobotsRules(text, "imgsearch")
    assert rules.allows(f"http://example.org/{path}") in (True, False)
    assert rules.crawl_delay_seconds >= 0


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], Directives()),
        (["all"], Directives()),
        (["noimageindex"], Directives("noimageindex")),
        (["NoAI, NoImageAI"], Directives("noai")),
        (["noindex, nofollow"], Directives("noindex", follow=False)),
        (["none"], Directives("none", follow=False)),
        (["nofollow"], Directives("", follow=False)),
        (["imgsearch: noai"], Directives("noai")),
        (["otherbot: noai"], Directives()),
        (["otherbot: noai, noindex"], Directives()),
        (["otherbot: noai", "noimageai"], Directives("noimageai")),
        (["unavailable_after: 25 Jun 2010 15:00:00 PST, noai"], Directives("noai")),
        (["max-snippet: 20, max-image-preview: large"], Directives()),
    ],
)
def test_tags_are_obeyed_where_they_are_meant_for_us(values: list[str], expected: Directives) -> None:
    assert read_directives(values, "imgsearch") == expected


@given(st.lists(st.text(max_size=40), max_size=4))
def test_any_tag_can_be_read(values: list[str]) -> None:
    assert isinstance(read_directives(values, "imgsearch"), Directives)

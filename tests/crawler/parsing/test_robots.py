"""robots.txt, as tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.parsing.robots import MAX_ROBOTS_BYTES, RobotsRules, RobotsState, robots_state, robots_text

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


def test_half_a_rule_where_the_text_is_cut_is_not_read() -> None:
    head, rule = b"User-agent: *\nDisallow: /\n#", b"\nAllow: /public"
    body = head + b"x" * (MAX_ROBOTS_BYTES - len(head) - len(b"\nAllow: /")) + rule
    assert body[:MAX_ROBOTS_BYTES].endswith(b"\nAllow: /")
    assert not RobotsRules(robots_text(body), "imgsearch").allows("http://example.org/a")


def test_a_byte_order_mark_and_crlf_are_no_obstacle() -> None:
    rules = RobotsRules(robots_text(b"\xef\xbb\xbfUser-agent: *\r\nDisallow: /a\r\n"), "imgsearch")
    assert not rules.allows("http://example.org/a")


# fmt: off
NAMES = [
    "User-agent", "Disallow", "Allow", "Crawl-delay", "Sitemap", "imgsearch", "*", "$", "/", "/x", ":", "#", "%", "%C3",
    "1e999", "-1", "nan", "ü",
]
# fmt: on
WORDS = st.sampled_from([*NAMES, " ", "\n", "\r\n", "\ufeff", "\x00", "\u2028", "\udc80"])


@given(st.lists(WORDS | st.text(max_size=5), max_size=60).map("".join), st.text(max_size=30))
def test_whatever_robots_txt_holds_nothing_is_raised(lines: str, path: str) -> None:
    body = lines.encode("utf-8", errors="surrogatepass")
    text = robots_text(body)
    assert len(text) <= len(body)
    assert robots_text(text.encode()) == text.removeprefix("\ufeff")
    rules = RobotsRules(text, "imgsearch")
    assert rules.allows(f"http://example.org/{path}") in (True, False)
    assert 0 <= rules.crawl_delay_seconds < float("inf")


@given(st.binary(max_size=300))
def test_whatever_bytes_robots_txt_holds_nothing_is_raised(body: bytes) -> None:
    rules = RobotsRules(robots_text(b"User-agent: *\nDisallow: /x\n" + body), "imgsearch")
    assert rules.allows("http://example.org/y") in (True, False)


@given(st.lists(st.text("/abc*$", min_size=1, max_size=6).map("Disallow: /{}".format), max_size=8))
def test_rules_for_others_are_not_ours(rules: list[str]) -> None:
    text = "\n".join(["User-agent: img", "User-agent: imgsearch-news", "User-agent: imgsearchbot/2", *rules])
    assert RobotsRules(text, "imgsearch").allows("http://example.org/abc")

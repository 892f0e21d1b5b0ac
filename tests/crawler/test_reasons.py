"""Reasons: every code has a sentence, and no decision of a crawl depends on how a sentence reads."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from crawler import reasons
from crawler.frontier.frontier import Frontier
from crawler.reasons import Reason, ReasonCode, from_stored, sentence, stored, summary
from crawler.takedown import Takedown
from imgsearch.corpus.reasons import ReasonCode as CorpusCode
from imgsearch.workflows.crawled_images import crawl_reason
from tests.crawler.test_refresh import Shelf
from tests.support.crawl import Crawler
from tests.support.loopback_site import Answer, Site

NESTED = (ReasonCode.LEFT_OUT, ReasonCode.NEW_BYTES_REFUSED)
OF_FILES = {
    *(CorpusCode.ALREADY_STORED, CorpusCode.ARCHIVE_INSIDE, CorpusCode.UNREADABLE_FILE),
    *(CorpusCode.ENCRYPTED_FILE, CorpusCode.DAMAGED_FILE),
}


@pytest.mark.parametrize("code", [code for code in ReasonCode if code not in NESTED])
def test_every_code_has_a_sentence_for_any_detail(code: ReasonCode) -> None:
    for detail in ("a b c d", "a", ""):
        reason = Reason(code, detail)
        assert "{" not in sentence(reason) + summary(reason)
        assert from_stored(*stored(reason)) == reason
    assert sentence(Reason(code, "a b c d"))


def test_values_stand_in_their_order_and_only_the_last_may_hold_blanks() -> None:
    refused = Reason(ReasonCode.UNREACHABLE, "a.example no answer in time")
    assert str(refused) == "cannot reach a.example: no answer in time"
    slow = Reason(ReasonCode.ROBOTS_DELAY, "a.example 90 60")
    assert str(slow) == "robots.txt of a.example asks for 90 s between requests, more than the 60 s that we wait"


def test_a_summary_leaves_out_what_differs_from_url_to_url() -> None:
    assert summary(Reason(ReasonCode.TOO_LARGE, "20 21,000,000")) == "larger than 20 MB"
    assert sentence(Reason(ReasonCode.TOO_LARGE, "20")) == "larger than 20 MB"
    assert sentence(Reason(ReasonCode.TOO_LARGE, "20 21,000,000")) == "larger than 20 MB: 21,000,000 bytes"
    assert summary(Reason(ReasonCode.SAME_BYTES, "7")) == "same bytes as another row"
    assert summary(Reason(ReasonCode.OFF_SITE)) == "on another host"


def test_reasons_within_reasons() -> None:
    counts = {Reason(ReasonCode.PLACEHOLDER): 3, Reason(ReasonCode.PAGE_DIRECTIVE, "noai"): 1}
    assert sentence(Reason.left_out(counts)) == "3 × data: URL with no picture in it; 1 × the page says noai"
    assert Reason.left_out({}) is None
    refused = Reason.nested(ReasonCode.NEW_BYTES_REFUSED, Reason(ReasonCode.DAMAGED_IMAGE, "cut short"))
    assert sentence(refused) == "its new bytes are refused: damaged image: cut short"


@pytest.mark.parametrize("code", [code for code in CorpusCode if code not in OF_FILES])
def test_what_the_corpus_answers_to_a_crawl_reads_the_same_in_the_frontier(code: CorpusCode) -> None:
    from imgsearch.corpus.reasons import Reason as CorpusReason
    from imgsearch.corpus.reasons import sentence as corpus_sentence

    for detail in ("1 2", "1"):
        reason = CorpusReason(code, detail)
        assert sentence(crawl_reason(reason)) == corpus_sentence(reason)


# ----------------------------------------------------------------------------------------------------------------------
# Every sentence reworded at once


@pytest.fixture
def rich_site(site: Site) -> Site:
    """A site that gives a crawl most of the reasons that there are."""
    site.robots("User-agent: *\nDisallow: /forbidden/")
    images = "".join(
        f'<img src="{path}">'
        for path in (
            *("/0.gif", "/1.gif", "/2.gif", "/missing.gif", "/text.gif", "/forbidden/a.gif", "/tagged.gif"),
            *("/moved.gif", "/circle1.gif", "/itself.gif", "/taken/3.gif", "/a/b/a/b/a/b/x.gif"),
            *("http://127.0.0.9:9/elsewhere.gif", "data:image/gif;base64,R0lGOD"),
        )
    )
    links = '<a href="/deep">x</a><a rel=nofollow href="/unwanted">x</a><a href="/noai">x</a><a href="/archive">x</a>'
    site.page("/", images + links)
    site.page("/deep", '<a href="/deeper"></a>')
    site.page("/deeper", '<img src="/deepest.gif">')
    site.page("/noai", '<meta name=robots content=noai><img src="/hidden.gif"><img src="data:image/gif;base64,R0">')
    site.answer("/archive", Answer(b"PK\3\4", headers={"Content-Type": "application/zip"}))
    for number, path in enumerate(("/0.gif", "/1.gif", "/2.gif", "/taken/3.gif", "/deepest.gif", "/new-place.gif")):
        site.image(path, number)
    site.image("/tagged.gif", 7, X_Robots_Tag="noimageindex")
    site.page("/text.gif", "<html>a page</html>")
    for path, location in (
        *(("/moved.gif", "/new-place.gif"), ("/itself.gif", "/itself.gif")),
        *(("/circle1.gif", "/circle2.gif"), ("/circle2.gif", "/circle1.gif")),
    ):
        site.redirect(path, location)
    return site


Look = tuple[str, list[tuple[str, ...]], list[tuple[str, ...]]]  # a step, and the lines of url and host after it


def all_decisions(site: Site, folder: Path) -> list[Look]:
    """Crawl, resume, widen, take down and lift, retry and refresh; return the frontier after each step."""
    folder.mkdir()
    crawler = Crawler(folder, allow_private=False)
    seen: list[Look] = []
    options: dict[str, Any] = {"tries": 1, "patience_seconds": 0.5, "depth": 1}

    def look(step: str) -> None:
        with closing(sqlite3.connect(crawler.path)) as connection:
            sql = "SELECT kind, url, seed, outcome, reason_code, reason_detail, redirect_to, misses FROM url"
            urls = sorted(connection.execute(sql).fetchall())
            hosts = sorted(connection.execute("SELECT host, fails, trouble_code, trouble_detail FROM host").fetchall())
        seen.append((step, urls, hosts))

    crawler(site.url, **options)
    look("private address")
    crawler.allow_private = True
    crawler(site.url, **options)
    look("private addresses allowed")
    crawler(site.url, **options)
    look("resumed")
    crawler(site.url, **options | {"depth": 3, "follow_hosts": True})
    look("deeper and wider")
    takedown = Takedown.of_prefix(f"{site.url}/2")
    crawler(site.url, **options | {"takedowns": (takedown, Takedown.of_prefix(f"{site.url}/taken"))})
    look("taken down")
    with Frontier.open(crawler.path) as frontier:
        frontier.takedowns.lift(takedown)
    site.image("/missing.gif", 8)
    crawler(**options | {"retry_failed": True})
    look("retried")
    del site.answers["/missing.gif"], site.answers["/1.gif"]
    for _ in range(2):
        Shelf(crawler).refresh(tries=1)
        look("refreshed")
    site.image("/1.gif", 1)
    return seen


def test_rewording_every_sentence_changes_no_decision(
    rich_site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_it_is = all_decisions(rich_site, tmp_path / "as it is")
    nonsense = {code: f"{n}" + " {}" * words.count("{}") for n, (code, words) in enumerate(reasons._SENTENCES.items())}
    monkeypatch.setattr(reasons, "_SENTENCES", nonsense)
    monkeypatch.setattr(reasons, "_SUMMARIES", {})
    assert sentence(Reason(ReasonCode.OFF_SITE)) != "on another host"
    reworded = all_decisions(rich_site, tmp_path / "reworded")
    assert reworded == as_it_is
    met = {code for _, urls, _ in as_it_is for *_, code, _, _, _ in urls if code}
    assert {
        *("private_address", "off_site", "too_deep", "robots", "page_directive", "link_directive", "header_directive"),
        *("redirected", "redirects_in_a_circle", "redirects_to_itself", "http_status", "gone", "a_page", "other_type"),
        *("path_repeats", "taken_down", "left_out"),
    } <= met
    assert "unreachable" in {code for _, _, hosts in as_it_is for _, _, code, _ in hosts}

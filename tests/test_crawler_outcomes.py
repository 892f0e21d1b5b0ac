"""Whole crawls of sites that forbid, delay, redirect or fail: consent, pace, retries and their outcomes."""

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from crawling import Crawler, add_gallery
from loopback_site import Answer, Site, serving

from crawler.crawl import CrawlConfig, CrawlProgress, crawl


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def crawler(tmp_path: Path) -> Crawler:
    return Crawler(tmp_path)


# ----------------------------------------------------------------------------
# consent and pace


def test_robots_txt_is_asked_for_once_and_first_and_obeyed(site: Site, crawler: Crawler) -> None:
    # Many URLs of the host are due at once, on many threads, before its robots.txt is known.
    site.robots("User-agent: *\nDisallow: /no")
    seeds = [
        site.page(f"/{'no' if i % 2 else 'yes'}{i}", f"<img src=/no/{i}.gif><img src=/{i}.gif>") for i in range(20)
    ]
    for i in range(20):
        site.image(f"/{i}.gif", i)
    report = crawler(*seeds, threads=20)
    assert site.paths()[0] == "/robots.txt"
    assert site.paths().count("/robots.txt") == 1
    assert not [path for path in site.paths() if path.startswith("/no")]
    assert (report.kept, report.skipped) == (10, 10)
    assert list(report.reasons) == [f"robots.txt of {site.url[7:]} does not allow imgsearch here"]
    assert len(report.notes) == 10  # the seeds that were refused


def test_a_seed_that_robots_txt_refuses_is_the_reports_problem(site: Site, crawler: Crawler) -> None:
    site.robots("User-agent: imgsearch\nDisallow: /")
    report = crawler(site.url)
    assert report.problem == f"{site.url}/: robots.txt of {site.url[7:]} does not allow imgsearch here"
    assert site.paths() == ["/robots.txt"]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_nothing_is_fetched_while_robots_txt_is_an_error(site: Site, crawler: Crawler, status: int) -> None:
    add_gallery(site, 3)
    site.answer("/robots.txt", Answer(status=status))
    report = crawler(site.url)
    assert site.paths() == ["/robots.txt"]
    assert f"answered {status}" in report.problem
    assert report.finished_because.startswith("what is left must wait 5 min")
    site.robots("")
    config = CrawlConfig((site.url,), delay_seconds=0, allow_private=True)
    later = crawl(config, crawler.path, crawler.gallery, clock=lambda: time.time() + 301)
    assert later.kept == 3


def test_one_request_at_a_time_with_a_pause_after_each(site: Site, crawler: Crawler) -> None:
    add_gallery(site, 6)
    site.answer_seconds = 0.02
    crawler(site.url, delay_seconds=0.1)
    times = [request.at for request in site.requests]
    assert site.most_in_flight == 1
    assert min(b - a for a, b in pairwise(times)) >= 0.1


def test_a_crawl_delay_is_kept_where_it_is_longer(site: Site, crawler: Crawler) -> None:
    add_gallery(site, 2)
    site.robots("User-agent: *\nCrawl-delay: 0.3")
    crawler(site.url, delay_seconds=0.01)
    times = [request.at for request in site.requests]
    assert min(b - a for a, b in pairwise(times)) >= 0.3


def test_a_crawl_delay_beyond_reason_is_capped_and_said(site: Site, crawler: Crawler) -> None:
    add_gallery(site, 2)
    site.robots("User-agent: *\nCrawl-delay: 1000")
    report = crawler(site.url)
    assert report.notes == (f"{site.url} asks for 1000 s between requests; we wait 60 s",)
    assert report.finished_because.startswith("what is left must wait")


def test_hosts_go_on_side_by_side_and_a_slow_one_stops_nobody(site: Site, crawler: Crawler) -> None:
    with serving("127.0.0.2") as slow:
        add_gallery(site, 10)
        add_gallery(slow, 1, first=500)
        slow.answer_seconds = 0.4
        done: list[float] = []

        def watch(progress: CrawlProgress) -> None:
            if progress.kept >= 10:
                done.append(time.monotonic())

        config = CrawlConfig((site.url, slow.url), delay_seconds=0.01, allow_private=True)
        report = crawl(config, crawler.path, crawler.gallery, on_progress=watch)
        assert report.kept == 11
        assert slow.most_in_flight == 1
        assert done[0] < slow.requests[-1].at + slow.answer_seconds


# ----------------------------------------------------------------------------
# failures


def test_private_addresses_need_permission(site: Site, crawler: Crawler) -> None:
    add_gallery(site, 2)
    report = crawler(site.url, allow_private=False)
    assert report.problem == f"{site.url}/: 127.0.0.1 is a private address; use --allow-private"
    assert site.requests == []
    assert crawler(site.url).kept == 2


def test_a_host_that_cannot_be_reached_is_the_reports_problem(site: Site, crawler: Crawler) -> None:
    with serving() as gone:
        url = gone.url
    for _ in range(2):  # a host that gave no answer is asked again by the next command, without any wait
        report = crawler(url)
        assert report.problem == f"{url}/: cannot reach {url[7:]}: connection refused"
        assert report.finished_because.startswith("what is left must wait 5 min")


def test_a_robots_txt_that_was_mended_is_read_by_the_next_command(site: Site, crawler: Crawler) -> None:
    add_gallery(site, 3)
    site.robots("User-agent: *\nDisallow: /")
    assert crawler(site.url).kept == 0
    site.robots("")
    assert crawler(site.url).kept == 3


def test_a_page_without_images_is_said(site: Site, crawler: Crawler) -> None:
    site.page("/", "<html>words")
    assert crawler(site.url).problem == "no image was found on 1 page"


def test_a_seed_that_is_missing_is_said(site: Site, crawler: Crawler) -> None:
    assert crawler(site.url).problem == f"{site.url}/: answered 404 Not Found"

"""Whole crawls of sites that forbid, redirect or fail: retries and their outcomes."""

from crawler.errors import Hint
from tests.support.crawl import Crawler, add_gallery
from tests.support.loopback_site import Site, serving

# ----------------------------------------------------------------------------
# consent (more in tests/hostile/test_consent.py)


def test_a_seed_that_robots_txt_refuses_is_the_reports_problem(site: Site, crawler: Crawler) -> None:
    site.robots("User-agent: imgsearch\nDisallow: /")
    report = crawler(site.url)
    assert report.problem == f"{site.url}/: robots.txt of {site.url[7:]} does not allow imgsearch here"
    assert site.paths() == ["/robots.txt"]


# ----------------------------------------------------------------------------
# failures


def test_private_addresses_need_permission(site: Site, crawler: Crawler) -> None:
    add_gallery(site, 2)
    report = crawler(site.url, allow_private=False)
    assert report.problem == f"{site.url}/: 127.0.0.1 is a private address"
    assert report.hints == (Hint.ALLOW_PRIVATE,)
    assert site.requests == []
    assert crawler(site.url).kept == 2


def test_a_host_that_cannot_be_reached_is_the_reports_problem(site: Site, crawler: Crawler) -> None:
    with serving() as gone:
        url = gone.url
    for _ in range(2):  # the next crawl tries a host without an answer again at once
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

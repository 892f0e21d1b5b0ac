"""Whole crawls of sites that forbid, redirect or fail: retries and their outcomes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from crawling import Crawler, add_gallery
from loopback_site import Answer, Site, gif, serving


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def crawler(tmp_path: Path) -> Crawler:
    return Crawler(tmp_path)


# ----------------------------------------------------------------------------
# consent (the rest of it: test_hostile_consent)


def test_a_seed_that_robots_txt_refuses_is_the_reports_problem(site: Site, crawler: Crawler) -> None:
    site.robots("User-agent: imgsearch\nDisallow: /")
    report = crawler(site.url)
    assert report.problem == f"{site.url}/: robots.txt of {site.url[7:]} does not allow imgsearch here"
    assert site.paths() == ["/robots.txt"]


# ----------------------------------------------------------------------------
# failures


def test_a_server_error_is_tried_again_and_a_missing_page_is_not(site: Site, crawler: Crawler) -> None:
    site.page("/", "<img src=/flaky.gif><img src=/gone.gif><img src=/dead.gif>")
    site.answer("/flaky.gif", lambda times: Answer(gif(1)) if times == 2 else Answer(status=500))
    site.answer("/gone.gif", Answer(status=410))
    site.answer("/dead.gif", Answer(status=502))
    report = crawler(site.url)
    assert crawler.gallery.paths == ["/flaky.gif"]
    assert {path: site.paths().count(path) for path in ("/flaky.gif", "/gone.gif", "/dead.gif")} == {
        "/flaky.gif": 3,
        "/gone.gif": 1,
        "/dead.gif": 4,
    }
    assert report.reasons == {"answered 410 Gone": 1, "answered 502 Bad Gateway": 1}


def test_half_an_image_is_fetched_again_and_never_kept(site: Site, crawler: Crawler) -> None:
    site.page("/", "<img src=/a.gif>")
    half = Answer(gif(1)[:20], content_length=len(gif(1)))
    site.answer("/a.gif", lambda times: Answer(gif(1)) if times else half)
    assert crawler(site.url).kept == 1
    assert [image.data for image in crawler.gallery.images] == [gif(1)]


def test_retry_after_is_waited_for_and_a_long_one_ends_the_crawl(site: Site, crawler: Crawler) -> None:
    site.page("/", "<img src=/busy.gif>")
    site.answer(
        "/busy.gif", lambda times: Answer(gif(1)) if times else Answer(status=429, headers={"Retry-After": "1"})
    )
    assert crawler(site.url).kept == 1
    first, second = (request.at for request in site.requests if request.path == "/busy.gif")
    assert second - first >= 1.0
    site.page("/later", "<img src=/never.gif>")
    site.answer("/never.gif", Answer(status=503, headers={"Retry-After": "999999"}))
    report = crawler(site.url + "/later")
    assert report.finished_because == "what is left must wait 60 min; the same command goes on then"
    assert report.queued == 1


def test_redirects_are_followed_where_they_lead_somewhere(site: Site, crawler: Crawler) -> None:
    site.redirect("/", "/home", 301)
    site.page("/home", "<img src=/old.gif><img src=/loop.gif><img src=/a.gif?utm_source=x><img src=/r0>")
    site.redirect("/old.gif", "/new.gif")
    site.image("/new.gif", 1)
    site.redirect("/loop.gif", "/loop2.gif")
    site.redirect("/loop2.gif", "/loop.gif")
    site.redirect("/a.gif?utm_source=x", "/a.gif")
    site.image("/a.gif", 2)
    for hop in range(7):
        site.redirect(f"/r{hop}", f"/r{hop + 1}")
    report = crawler(site.url)
    assert crawler.gallery.paths == ["/a.gif", "/new.gif"]
    assert report.reasons == {"redirects more than 5 times": 1}
    assert "/r6" not in site.paths()


def test_a_seed_that_moved_to_another_host_is_followed_there(site: Site, crawler: Crawler) -> None:
    with serving("127.0.0.2") as new:
        add_gallery(new, 3)
        site.redirect("/", f"{new.url}/")
        new.robots("User-agent: *\nDisallow: /1.gif")
        report = crawler(site.url)
        assert (report.kept, report.skipped) == (2, 1)
        assert new.paths()[0] == "/robots.txt"
        assert "/1.gif" not in new.paths()


def test_an_image_that_redirects_to_another_host_is_left_alone(site: Site, crawler: Crawler) -> None:
    with serving("127.0.0.2") as other:
        site.page("/", "<img src=/a.gif>")
        site.redirect("/a.gif", f"{other.url}/a.gif")
        report = crawler(site.url)
        assert (report.skipped, report.reasons) == (1, {"on another host": 1})
        assert other.requests == []


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

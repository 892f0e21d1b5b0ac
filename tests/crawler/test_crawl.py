"""Whole crawls of small sites on loopback: what is collected, limits, and how a crawl ends."""

import base64
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from crawler.crawl import CrawlConfig, CrawlProgress, FetchedImage, crawl
from crawler.errors import FrontierError, Hint, SeedError
from crawler.frontier.frontier import Frontier
from tests.support.crawl import Crawler, add_gallery
from tests.support.loopback_site import Answer, Kept, Site, gif, serving
from tests.support.waiting import wait_until

# ----------------------------------------------------------------------------
# what is collected


def test_every_image_of_a_site_is_kept_once_with_its_page_and_text(site: Site, crawler: Crawler) -> None:
    add_gallery(site, 30, pages=5)
    report = crawler(site.url)
    assert (report.kept, report.failed, report.pages) == (30, 0, 5)
    assert crawler.gallery.paths == sorted(f"/{i}.gif" for i in range(30))
    image = next(image for image in crawler.gallery.images if image.url.endswith("/29.gif"))
    assert (image.page_url, image.alt, image.data) == (f"{site.url}/page4", "image 29", gif(29))
    assert report.finished_because == "nothing is left to fetch"
    assert report.problem == ""
    # The link beyond the last page is the only failure, and it is a page's.
    assert report.reasons == {}
    assert len(site.paths()) == len(set(site.paths()))


def test_the_same_command_again_asks_the_site_for_nothing(site: Site, crawler: Crawler) -> None:
    add_gallery(site, 5)
    crawler(site.url)
    before = len(site.requests)
    report = crawler(site.url)
    assert (report.kept, report.kept_now) == (5, 0)
    assert len(site.requests) == before


def test_equal_bytes_are_duplicates_and_counted_as_such(site: Site, crawler: Crawler) -> None:
    site.page("/", "<img src=/a.gif><img src=/b.gif><img src=/c.gif>")
    for path in ("/a.gif", "/b.gif", "/c.gif"):
        site.image(path, 1)
    report = crawler(site.url)
    assert (report.kept, report.duplicate) == (1, 2)
    assert report.reasons == {"same bytes as another row": 2}


def test_a_seed_may_be_an_image(site: Site, crawler: Crawler) -> None:
    report = crawler(site.image("/a.gif", 1))
    assert (report.kept, report.pages) == (1, 0)
    assert crawler.gallery.images[0].page_url == ""


def test_content_decides_whatever_the_server_calls_it(site: Site, crawler: Crawler) -> None:
    site.page("/", "<img src=/soft404.jpg><img src=/text.gif><a href=/hidden>x</a><img src=/doc.pdf>")
    site.page("/soft404.jpg", "<html>not found")
    site.image("/text.gif", 1, "text/plain")
    site.image("/hidden", 2, "application/octet-stream")
    site.answer("/doc.pdf", Answer(b"%PDF-1.7", headers={"Content-Type": "application/pdf"}))
    report = crawler(site.url)
    assert crawler.gallery.paths == ["/hidden", "/text.gif"]
    assert report.reasons == {
        "a page, not an image": 1,
        "neither a page nor an image we take (application/pdf)": 1,
    }


def test_an_image_in_the_page_is_kept_without_a_request(site: Site, crawler: Crawler) -> None:
    data = gif(3) + bytes(600)
    html = f'<img alt=dot src="data:image/gif;base64,{base64.b64encode(data).decode()}">'
    site.page("/", html + "<a href=/two>two</a>")
    site.page("/two", html)
    report = crawler(site.url)
    assert report.kept == 1
    (image,) = crawler.gallery.images
    assert (image.data, image.alt) == (data, "dot")
    assert image.url.startswith(f"{site.url}/#inline-")
    assert site.paths() == ["/robots.txt", "/", "/two"]


# ----------------------------------------------------------------------------
# scope and limits


def test_other_hosts_are_left_alone_unless_told(site: Site, crawler: Crawler) -> None:
    with serving("127.0.0.2") as other:
        add_gallery(other, 3)
        site.page("/", f'<img src="{other.url}/0.gif"><a href="{other.url}/">elsewhere</a><img src=/own.gif>')
        site.image("/own.gif", 99)
        report = crawler(site.url)
        assert (report.kept, report.skipped, report.reasons) == (1, 1, {"on another host": 1})
        assert other.requests == []
        report = crawler(site.url, follow_hosts=True)
        assert (report.kept, report.skipped) == (4, 0)
        assert other.paths()[0] == "/robots.txt"


def test_only_images_elsewhere_is_a_problem_with_advice(site: Site, crawler: Crawler) -> None:
    site.page("/", '<img src="http://127.0.0.2:1/a.gif">')
    assert crawler(site.url).hints == (Hint.FOLLOW_HOSTS,)


def test_depth_and_more_depth(site: Site, crawler: Crawler) -> None:
    add_gallery(site, 6, pages=6)
    assert crawler(site.url, depth=0).kept == 1
    assert crawler(site.url, depth=2).kept == 3
    assert crawler(site.url, depth=9).kept == 6
    assert len(site.paths()) == len(set(site.paths()))


@pytest.mark.parametrize("delay", [0, 0.001])
def test_exactly_as_many_images_as_were_asked_for(site: Site, crawler: Crawler, delay: float) -> None:
    add_gallery(site, 40, pages=4)
    assert crawler(site.url, max_images=7, delay_seconds=delay).kept == 7
    assert len(crawler.gallery.images) == 7
    report = crawler(site.url, max_images=7, delay_seconds=delay)
    assert (report.kept_now, report.finished_because) == (0, "7 images are kept: the limit is reached")
    assert crawler(site.url, max_images=21, delay_seconds=delay).kept == 21
    assert len(crawler.gallery.images) == 21


def test_duplicates_do_not_count_towards_the_limit(site: Site, crawler: Crawler) -> None:
    site.page("/", "".join(f"<img src=/{i}.gif>" for i in range(12)))
    for i in range(12):
        site.image(f"/{i}.gif", i // 4)
    assert crawler(site.url, max_images=2).kept == 2
    assert crawler(site.url, max_images=9).kept == 3


def test_the_same_image_found_as_page_and_as_image_is_one(site: Site, crawler: Crawler) -> None:
    links = "".join(f"<a href=/{i}>{i}</a><img src=/{i}>" for i in range(10))
    site.page("/", links)
    site.page("/other", links)
    for i in range(10):
        site.image(f"/{i}", i)
    assert crawler(site.url, site.url + "/other", max_images=4).kept == 4
    report = crawler(site.url, site.url + "/other")
    assert (report.kept, len(crawler.gallery.images)) == (10, 10)


def test_inline_images_keep_the_limit_too(site: Site, crawler: Crawler) -> None:
    sources = [base64.b64encode(gif(i) + bytes(600)).decode() for i in range(5)]
    site.page("/", "".join(f'<img src="data:image/gif;base64,{source}">' for source in sources))
    assert crawler(site.url, max_images=3).kept == 3
    assert crawler(site.url, max_images=9).kept == 5
    assert len(crawler.gallery.images) == 5


def test_no_more_pages_than_asked_for(site: Site, crawler: Crawler) -> None:
    add_gallery(site, 20, pages=10)
    report = crawler(site.url, max_pages=3)
    assert (report.pages, report.kept) == (3, 6)
    assert report.finished_because == "3 pages are read: the limit is reached"
    assert crawler(site.url, max_pages=5).kept == 10


def test_pages_that_are_due_at_once_keep_the_limit_too(site: Site, crawler: Crawler) -> None:
    site.page("/", "".join(f"<a href=/{i}>{i}</a>" for i in range(20)))
    for i in range(20):
        site.page(f"/{i}", "<html>")
    assert crawler(site.url, max_pages=4).pages == 4
    assert len(site.paths()) == 5


def test_another_seed_has_a_count_of_its_own(site: Site, crawler: Crawler) -> None:
    add_gallery(site, 20, pages=2)
    site.page("/own", "".join(f"<img src=/own{i}.gif>" for i in range(5)))
    for i in range(5):
        site.image(f"/own{i}.gif", 100 + i)
    assert crawler(site.url, max_images=4).kept == 4
    assert crawler(site.url + "/own", max_images=4).kept == 4
    assert len(crawler.gallery.images) == 8
    assert crawler(site.url, max_images=100).kept == 20


def test_traps_end(site: Site, crawler: Crawler) -> None:
    class Endless(dict[str, Any]):
        def get(self, path: str, default: Any = None) -> Any:
            if path == "/robots.txt":
                return default
            return Answer(
                b"<html><a href=again/>deeper</a><a href=?x=1>same</a>", headers={"Content-Type": "text/html"}
            )

    site.answers = Endless()
    report = crawler(site.url, depth=1000)
    assert report.finished_because == "nothing is left to fetch"
    assert report.pages < 20


# ----------------------------------------------------------------------------
# ends


@pytest.mark.parametrize("seeds", [(), ("ftp://example.org/",), ("https://example.org", "two words")])
def test_seeds_that_are_none(crawler: Crawler, seeds: tuple[str, ...]) -> None:
    with pytest.raises(SeedError):
        crawler(*seeds)
    assert not crawler.path.exists()


def test_a_stopped_crawl_goes_on_where_it_was(site: Site, crawler: Crawler) -> None:
    add_gallery(site, 60, pages=3)
    report = crawler(site.url, stop=lambda: len(crawler.gallery.images) >= 10)
    assert report.finished_because.startswith("stopped")
    assert 10 <= report.kept < 60
    with Frontier.open(crawler.path) as frontier:
        assert frontier.counts()["kept"] == report.kept == len(crawler.gallery.images)
        assert frontier.leases.reclaim() == 0
    report = crawler(site.url)
    assert (report.kept, report.recovered) == (60, "")
    assert len(site.paths()) == len(set(site.paths()))


def test_a_keep_that_fails_ends_the_crawl_and_loses_nothing(site: Site, crawler: Crawler) -> None:
    add_gallery(site, 20)

    def full(images: Sequence[FetchedImage]) -> list[Kept]:
        raise OSError(28, "No space left on device")

    config = CrawlConfig((site.url,), delay_seconds=0, allow_private=True)
    with pytest.raises(OSError, match="No space left"):
        crawl(config, crawler.path, full)
    report = crawler(site.url)
    assert (report.kept, report.recovered) == (20, "")


def test_a_frontier_that_cannot_be_opened(site: Site, crawler: Crawler) -> None:
    crawler.path.mkdir()
    with pytest.raises(FrontierError, match="cannot use"):
        crawler(site.url)


def test_the_threads_end_with_the_crawl(site: Site, crawler: Crawler) -> None:
    add_gallery(site, 5)
    crawler(site.url)
    wait_until(lambda: not any(thread.name.startswith("crawler-") for thread in threading.enumerate()))


def test_progress_is_told_and_ends_where_the_report_does(site: Site, crawler: Crawler) -> None:
    add_gallery(site, 10)
    seen: list[CrawlProgress] = []
    config = CrawlConfig((site.url,), delay_seconds=0, allow_private=True)
    report = crawl(config, crawler.path, crawler.gallery, on_progress=seen.append)
    assert seen[-1].kept == report.kept == 10
    assert [progress.kept for progress in seen] == sorted(progress.kept for progress in seen)

"""Refresh of kept images (unchanged, changed, missing, gone), and retries of what failed."""

import base64
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing

import pytest

from crawler.config import CrawlConfig, FetchedImage
from crawler.errors import SeedError
from crawler.refresh import RefreshReport, refresh
from crawler.takedown import Takedown
from tests.support.crawl import Crawler, add_gallery
from tests.support.loopback_site import Answer, Kept, Site, gif


class Shelf:
    """Takes the images of a refresh; an image is changed when its bytes differ."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.now = {image.url: image for image in crawler.gallery.images}
        self.replaced: list[str] = []
        self.buried: list[str] = []

    def replace(self, images: Sequence[FetchedImage]) -> list[Kept]:
        verdicts = []
        for image in images:
            same = self.now[image.url].data == image.data
            self.now[image.url] = image
            self.replaced += [] if same else [_path(image.url)]
            verdicts.append(Kept("unchanged" if same else "changed"))
        return verdicts

    def bury(self, urls: Sequence[str]) -> None:
        self.buried += map(_path, urls)

    def refresh(self, *seeds: str, stop: Callable[[], bool] | None = None, **options: object) -> RefreshReport:
        plain = {"delay_seconds": 0, "allow_private": True, "backoff_seconds": 0.02, "patience_seconds": 5}
        config = CrawlConfig(seeds, **(plain | options))  # type: ignore[arg-type] # values of several types
        return refresh(config, self.crawler.path, self.replace, self.bury, stop=stop)


def _path(url: str) -> str:
    return "/" + url.split("/", 3)[3]


def tagged(site: Site, path: str, number: int, tag: str) -> list[dict[str, str]]:
    """Serve an image with an ETag, or 304 for that ETag; return the conditions of the requests."""
    asked: list[dict[str, str]] = []

    def answer(_: int) -> Answer:
        headers = next(request.headers for request in reversed(site.requests) if request.path == path)
        asked.append({name: value for name, value in headers.items() if name.startswith("If-")})
        if headers.get("If-None-Match") == tag:
            return Answer(status=304)
        dated = {"ETag": tag, "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT", "Content-Type": "image/gif"}
        return Answer(gif(number), headers=dated)

    site.answer(path, answer)
    return asked


def test_what_is_unchanged_is_asked_for_by_its_etag_and_not_sent_again(site: Site, crawler: Crawler) -> None:
    page = site.page("/", '<img src="/tagged.gif"><img src="/plain.gif">')
    asked = tagged(site, "/tagged.gif", 1, '"v1"')
    site.image("/plain.gif", 2)
    crawler(page)
    shelf = Shelf(crawler)
    report = shelf.refresh()
    assert asked == [{}, {"If-None-Match": '"v1"', "If-Modified-Since": "Wed, 21 Oct 2015 07:28:00 GMT"}]
    assert (report.unchanged, report.changed, report.gone, report.unclear, report.queued) == (2, 0, 0, 0, 0)
    assert report.changes == ()
    assert site.paths().count("/") == 1  # pages are not fetched again


def test_new_bytes_replace_the_old_and_are_asked_for_by_their_own_etag_next(site: Site, crawler: Crawler) -> None:
    page = site.page("/", '<img src="/a.gif"><img src="/b.gif">')
    tagged(site, "/a.gif", 1, '"v1"')
    site.image("/b.gif", 2)
    crawler(page)
    asked = tagged(site, "/a.gif", 3, '"v2"')
    shelf = Shelf(crawler)
    report = shelf.refresh(page)
    assert (report.unchanged, report.changed) == (1, 1)
    assert [(change.url, change.outcome) for change in report.changes] == [(f"{site.url}/a.gif", "changed")]
    assert shelf.now[f"{site.url}/a.gif"].etag == '"v2"'
    assert shelf.now[f"{site.url}/a.gif"].page_url == page
    assert shelf.refresh(page).unchanged == 2
    assert [one.get("If-None-Match") for one in asked] == ['"v1"', '"v2"']


@pytest.mark.parametrize(("status", "etag"), [(404, ""), (410, '"v1"')])
def test_gone_means_two_looks_in_a_row_in_two_runs(site: Site, crawler: Crawler, status: int, etag: str) -> None:
    add_gallery(site, 2)
    if etag:
        tagged(site, "/1.gif", 1, etag)
    crawler(site.url)
    shelf = Shelf(crawler)
    site.answer("/1.gif", Answer(status=status))
    first = shelf.refresh()
    assert (first.unchanged, first.missing, first.gone, shelf.buried) == (1, 1, 0, [])
    if etag:
        tagged(site, "/1.gif", 1, etag)
    else:
        site.image("/1.gif", 1)
    assert shelf.refresh().unchanged == 2
    site.answer("/1.gif", Answer(status=status))
    assert shelf.refresh().missing == 1  # counted from the beginning
    last = shelf.refresh()
    assert (last.unchanged, last.missing, last.gone, shelf.buried) == (1, 0, 1, ["/1.gif"])
    assert last.changes[0].outcome == "gone"
    assert f"answered {status}" in last.changes[0].detail
    assert crawler(site.url).failed == 1
    assert shelf.refresh().gone == 0  # it is not fetched again


def test_a_changed_image_keeps_the_licence_of_its_page(site: Site, crawler: Crawler) -> None:
    site.page("/", '<img src="/a.gif"><a rel=license href="https://licence.example/by">BY</a>')
    site.image("/a.gif", 1)
    crawler(site.url)
    site.image("/a.gif", 2)
    shelf = Shelf(crawler)
    assert shelf.refresh().changed == 1
    assert shelf.now[f"{site.url}/a.gif"].licence == "https://licence.example/by"


def test_checks_take_nothing_from_the_budget_of_their_host(site: Site, crawler: Crawler) -> None:
    def written() -> int:
        with closing(sqlite3.connect(crawler.path)) as connection:
            (n,) = connection.execute("SELECT urls FROM host").fetchone()
        return int(n)

    add_gallery(site, 3)
    crawler(site.url)
    before = written()
    assert before >= 4
    Shelf(crawler).refresh()
    assert written() == before


def test_what_cannot_be_checked_stays(site: Site, crawler: Crawler) -> None:
    add_gallery(site, 5)
    crawler(site.url)
    shelf = Shelf(crawler)
    site.answer("/0.gif", Answer(status=500))
    site.page("/1.gif", "<p>not found, says a page")
    site.redirect("/2.gif", "http://127.0.0.9/elsewhere.gif")
    site.image("/3.gif", 3, X_Robots_Tag="noimageindex")
    site.robots("User-agent: *\nDisallow: /4")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("crawler.outcomes.FRESH_SECONDS", 0)
        report = shelf.refresh(tries=2)
    assert (report.unclear, report.gone, shelf.buried, shelf.replaced) == (4, 0, [], [])
    reasons = {_path(change.url): change.detail for change in report.changes}
    assert reasons["/0.gif"].startswith("answered 500")
    assert reasons["/1.gif"] == "answers with something that is no image"
    assert reasons["/2.gif"] == "redirects to another host: http://127.0.0.9/elsewhere.gif"
    assert reasons["/3.gif"] == "X-Robots-Tag says noimageindex"


def test_a_redirect_on_its_host_is_followed_and_known_by_its_first_address(site: Site, crawler: Crawler) -> None:
    add_gallery(site, 1)
    crawler(site.url)
    shelf = Shelf(crawler)
    site.redirect("/0.gif", "/moved/0.gif")
    site.image("/moved/0.gif", 8)
    report = shelf.refresh()
    assert (report.changed, shelf.replaced) == (1, ["/0.gif"])
    site.redirect("/moved/0.gif", "/0.gif")
    assert "redirects more than 5 times" in shelf.refresh().changes[0].detail


def test_a_refresh_that_was_stopped_goes_on_and_looks_at_each_image_once(site: Site, crawler: Crawler) -> None:
    add_gallery(site, 12)
    crawler(site.url)
    for i in range(12):
        site.answer(f"/{i}.gif", Answer(status=404))
    shelf = Shelf(crawler)
    site.requests.clear()
    stopped = shelf.refresh(stop=lambda: len(site.requests) > 4, delay_seconds=0.01)
    assert 0 < stopped.queued < 12
    rest = shelf.refresh()
    assert rest.recovered
    assert (rest.missing, rest.gone, rest.queued) == (12, 0, 0)
    assert sorted(path for path in site.paths() if path.endswith(".gif")) == sorted(f"/{i}.gif" for i in range(12))
    assert shelf.refresh().gone == 12


def test_an_image_that_is_taken_down_is_not_asked_for(site: Site, crawler: Crawler) -> None:
    add_gallery(site, 2)
    crawler(site.url)
    site.requests.clear()
    shelf = Shelf(crawler)
    report = shelf.refresh(takedowns=(Takedown.of_url(f"{site.url}/1.gif"),))
    assert (report.unchanged, report.unclear) == (1, 1)
    assert "/1.gif" not in site.paths()


def test_images_that_stand_in_their_page_are_not_asked_for(site: Site, crawler: Crawler) -> None:
    picture = base64.b64encode(gif(1) + bytes(600)).decode()
    site.page("/", f'<img src="data:image/gif;base64,{picture}">')
    assert crawler(site.url).kept == 1
    site.requests.clear()
    assert Shelf(crawler).refresh().unclear == 0
    assert site.requests == []


def test_what_was_never_crawled_cannot_be_refreshed(crawler: Crawler, site: Site) -> None:
    with pytest.raises(SeedError, match="nothing was crawled yet"):
        Shelf(crawler).refresh()
    add_gallery(site, 1)
    crawler(site.url)
    with pytest.raises(SeedError, match="was not crawled yet"):
        Shelf(crawler).refresh("https://example.org/")


# ----------------------------------------------------------------------------
# retrying


def test_only_what_failed_is_tried_again(site: Site, crawler: Crawler) -> None:
    add_gallery(site, 4, pages=2)
    site.answer("/0.gif", Answer(status=404))
    site.answer("/page1", Answer(status=404))
    report = crawler(site.url)
    assert (report.kept, report.failed) == (1, 1)
    add_gallery(site, 4, pages=2)
    site.image("/9.gif", 9)
    site.page("/more", '<img src="/9.gif">')
    crawler(f"{site.url}/more", max_pages=0)  # waits in the frontier, for another crawl
    site.requests.clear()
    again = crawler(retry_failed=True)
    assert sorted(site.paths()) == ["/0.gif", "/page1"]
    assert again.notes == ("URLs that had failed and are tried again: 2",)
    assert again.finished_because == "all that had failed was tried again"
    assert again.kept == 2
    assert crawler(site.url, f"{site.url}/more").kept == 5  # the images of the repaired page, and those that waited


def test_a_seed_that_failed_is_tried_again(site: Site, crawler: Crawler) -> None:
    site.answer("/", Answer(status=500))
    assert "answered 500" in crawler(site.url, tries=2).problem
    add_gallery(site, 1)
    again = crawler(f"{site.url}/", retry_failed=True)
    assert (again.pages, again.problem) == (1, "")
    assert crawler(site.url).kept == 1


def test_what_failed_again_is_tried_again(site: Site, crawler: Crawler) -> None:
    add_gallery(site, 2)
    site.answer("/0.gif", Answer(status=404))
    crawler(site.url)
    assert crawler(retry_failed=True).failed == 1
    site.image("/0.gif", 0)
    assert crawler(retry_failed=True).kept == 2


def test_an_interrupted_retry_is_finished_by_any_crawl(site: Site, crawler: Crawler) -> None:
    site.answer("/", Answer(status=404))
    crawler(site.url)
    add_gallery(site, 2)
    crawler(retry_failed=True, stop=lambda: True)
    assert crawler(site.url).kept == 2


def test_nothing_was_crawled_so_nothing_failed(crawler: Crawler) -> None:
    with pytest.raises(SeedError, match="nothing was crawled yet"):
        crawler(retry_failed=True)

"""Case 28: crawler traps, against a site on loopback."""

import sqlite3
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.parsing.urls import MAX_URL_LENGTH, absolute_url, trap
from tests.support.crawl import Crawler
from tests.support.loopback_site import Answer, Site


class Trap(dict[str, Answer]):
    """Answers every path with a page of links, computed by `links` from the path and the number of pages before."""

    def __init__(self, links: Callable[[str, int], list[str]]) -> None:
        super().__init__()
        self.links = links
        self.n_pages = 0

    def get(self, path: str, default: object = None) -> Answer:
        if path == "/robots.txt":
            return Answer(b"", status=404)
        self.n_pages += 1
        anchors = "".join(f'<a href="{link}">x</a>' for link in self.links(path, self.n_pages))
        return Answer(f"<html>{anchors}".encode(), headers={"Content-Type": "text/html"})


def _month(path: str, n: int) -> list[str]:
    return [f"/{2026 + n // 12}/{n % 12 + 1:02d}/"]


_TRAPS: dict[str, tuple[Callable[[str, int], list[str]], int, str]] = {
    "a calendar": (_month, 6, "deeper than the crawl goes"),
    "a path that repeats": (lambda path, n: ["a/b/"], 3, "path repeats itself"),
    "one segment that repeats": (lambda path, n: ["again/"], 3, "path repeats itself"),
    "a path that grows": (lambda path, n: [f"{n}/"], 21, "more than 20 path segments"),
    "a query that grows": (lambda path, n: [f"{path}{'&' if '?' in path else '?'}a=1"], 3, "query repeats itself"),
    "a query of ever more": (
        lambda path, n: [f"{path}{'&' if '?' in path else '?'}p{n}={n}"],
        21,
        "more than 20 query parameters",
    ),
    "a query that holds itself": (lambda path, n: [f"/login?back={_quoted(path)}"], 4, "query repeats itself"),
    "a name that grows": (lambda path, n: [path + "x" * 400], 6, "URL longer than 2083 characters"),
}


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3F").replace("/", "%2F").replace("=", "%3D")


@pytest.mark.parametrize("name", _TRAPS)
def test_case_28_a_trap_ends_and_says_why(site: Site, crawler: Crawler, name: str) -> None:
    links, most_pages, reason = _TRAPS[name]
    site.answers = Trap(links)  # type: ignore[assignment]
    depth = 5 if name == "a calendar" else 1000
    report = crawler(site.url, depth=depth, stop=lambda: len(site.requests) > 200)
    assert report.finished_because == "nothing is left to fetch"
    assert report.pages <= most_pages
    assert [why for outcome, why in crawler.outcomes("page").values() if outcome == "skipped"] == [reason]


@pytest.mark.parametrize("parameter", ["sid", "PHPSESSID", "session_id"])
def test_case_28_new_session_numbers_lead_nowhere_new(site: Site, crawler: Crawler, parameter: str) -> None:
    site.answers = Trap(  # type: ignore[assignment]
        lambda path, n: [f"/{name}?{parameter}={n:032x}" for name in ("one", "two")] + [f"/three;jsessionid={n:032x}"]
    )
    report = crawler(site.url, depth=1000)
    assert (report.pages, report.finished_because) == (4, "nothing is left to fetch")


def test_case_28_dot_segments_name_the_same_page(site: Site, crawler: Crawler) -> None:
    site.answers = Trap(lambda path, n: ["/2026/01/../02/", "/2026/02/../02/", "/2026/./02/"])  # type: ignore[assignment]
    assert crawler(site.url, depth=1000).pages == 2


def test_case_28_a_host_has_a_budget_of_pages(site: Site, crawler: Crawler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.frontier.insert.PAGES_PER_HOST", 20)
    monkeypatch.setattr("crawler.frontier.insert._ROWS_AT_ONCE", 2)  # rows compared with the budget at once
    site.answers = Trap(lambda path, n: [f"/{n}.html", f"/{n}b.html"])  # type: ignore[assignment]
    report = crawler(site.url, depth=1000, stop=lambda: len(site.requests) > 200)
    assert report.finished_because == "nothing is left to fetch"
    assert 20 <= report.pages <= 22
    skipped = {why for outcome, why in crawler.outcomes("page").values() if outcome == "skipped"}
    assert skipped == {"beyond the number of URLs that a crawl takes from one host"}
    (note,) = report.notes
    assert note == f"{site.url} has more URLs than a crawl takes from one host; the others are left out"


def test_case_28_a_host_has_a_budget_of_lines(site: Site, crawler: Crawler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.frontier.insert.URLS_PER_HOST", 50)
    monkeypatch.setattr("crawler.frontier.insert._ROWS_AT_ONCE", 10)
    site.page("/", "".join(f"<img src=/{i}.gif>" for i in range(1000)))
    report = crawler(site.url)
    assert 50 <= report.failed <= 60
    assert any("more URLs than a crawl takes" in note for note in report.notes)


def test_case_28_a_url_beyond_all_length_is_written_down_in_part(site: Site, crawler: Crawler) -> None:
    long = "/x" + "y" * 100_000
    odd = f'<img src="http://[fe80::1%25{"a" * 5000}]/"><img src="http://a:{"1" * 5000}@b/">'  # cut, no URLs
    site.page(
        "/", f'<img src="{long}1"><img src="{long}2"><a href="{long}">x</a><a href="http://{"a" * 5000}/">x</a>{odd}'
    )
    report = crawler(site.url)
    assert report.reasons == {"URL longer than 2083 characters": 2}
    with sqlite3.connect(crawler.path) as connection:
        (longest,) = connection.execute("SELECT MAX(length(url) + length(key)) FROM url").fetchone()
    assert longest <= 2 * MAX_URL_LENGTH
    assert site.paths() == ["/robots.txt", "/"]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/a/b/a/b/",
        "http://example.org/000/000/012/x.jpg",
        "http://example.org/?a[]=1&a[]=2&a[]=3",
        "http://example.org/img?url=https%3A%2F%2Fcdn.example.org%2Fa%2Fb%2Fc.jpg&w=300&h=300&fit=crop",
        "http://example.org/" + "/".join(map(str, range(20))),
    ],
)
def test_case_28_what_is_no_trap(url: str) -> None:
    assert trap(url) is None


@given(st.text(alphabet="ab/?&=%25F;", max_size=3000))
@settings(max_examples=100, deadline=None)
def test_case_28_any_url_is_judged_in_no_time(text: str) -> None:
    url = absolute_url("http://example.org/", text)
    assert url is None or trap(url) == trap(url)

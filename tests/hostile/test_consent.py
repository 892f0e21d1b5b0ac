"""Cases 1 to 9, 12 and 13: robots.txt is obeyed, no host is overloaded, and no host starves others.

Each crawls real servers on loopback, on a clock of its own where hours matter.
"""

import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from crawler.crawl import _Permissions
from crawler.fetching.fetch import FetchLimits
from crawler.frontier.frontier import Frontier
from crawler.frontier.leases import Selection
from crawler.parsing.robots import MAX_ROBOTS_BYTES, RobotsRules, RobotsState, robots_text
from crawler.records import Host
from tests.support.crawl import Crawler, add_gallery
from tests.support.loopback_site import Answer, Site, gif, serving

HOUR = 3600.0


@pytest.fixture
def other() -> Iterator[Site]:
    with serving("127.0.0.2") as site:
        yield site


def later(seconds: float) -> Callable[[], float]:
    """A clock ahead of the real one."""
    return lambda: time.time() + seconds


def show(site: Site, *paths: str) -> str:
    """A page at `/` with an image at each of `paths`; returns its URL."""
    for number, path in enumerate(paths):
        site.image(path, number)
    return site.page("/", "".join(f'<img src="{path}">' for path in paths))


def after(seconds: float, answer: Answer) -> Callable[[int], Answer]:
    """A slow answer of a path."""

    def say(times: int) -> Answer:
        time.sleep(seconds)
        return answer

    return say


def forbid(site: Site) -> str:
    """The reason, in words, of a URL that robots.txt of `site` forbids."""
    return f"robots.txt of {site.url[7:]} does not allow imgsearch here"


# ----------------------------------------------------------------------------
# robots.txt: rules


PATTERNS = """
User-agent: *
Disallow: /a
Allow: /a/ok
Disallow: /a/ok/not
Disallow: /*.php
Disallow: /end.gif$
Disallow: /*/deep$
Disallow: /same
Allow: /same
Disallow: /caf%C3%A9
Disallow: /q?x=
"""
ALLOWED = ("/a/ok/1", "/end.gif2", "/end.gif?x", "/x/deep/er", "/same", "/cafe", "/q", "/q?y=1", "/A", "/php")
FORBIDDEN = ("/a", "/abc", "/a/1", "/a/ok/not", "/x.php", "/x.php5?y", "/end.gif", "/x/deep", "/café", "/q?x=1")


def test_case_01_the_longest_match_decides_and_a_tie_allows(site: Site, crawler: Crawler) -> None:
    site.robots(PATTERNS)
    report = crawler(show(site, *ALLOWED, *FORBIDDEN))
    assert sorted(site.paths()) == sorted(("/robots.txt", "/", *ALLOWED))
    assert (report.kept, report.skipped) == (len(ALLOWED), len(FORBIDDEN))
    assert report.reasons == {forbid(site): len(FORBIDDEN)}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_case_02_without_a_robots_txt_all_is_allowed(site: Site, crawler: Crawler, status: int) -> None:
    site.answer("/robots.txt", Answer(b"User-agent: *\nDisallow: /", status=status))
    assert crawler(show(site, "/1.gif", "/2.gif")).kept == 2
    assert site.paths().count("/robots.txt") == 1


SILENCE = after(0.4, Answer())


@pytest.mark.parametrize(
    "answer",
    [
        *(pytest.param(Answer(status=status), id=str(status)) for status in (429, 500, 503)),
        pytest.param(SILENCE, id="silence"),
        pytest.param(Answer(b"User-agent", content_length=99), id="broken off"),
    ],
)
def test_case_03_nothing_is_fetched_until_robots_txt_can_be_read(
    site: Site, crawler: Crawler, answer: Answer | Callable[[int], Answer]
) -> None:
    url = show(site, "/1.gif", "/2.gif")
    site.answer("/robots.txt", answer)
    limits = FetchLimits(read_seconds=0.1) if answer is SILENCE else FetchLimits()
    report = crawler(url, limits=limits)
    assert set(site.paths()) == {"/robots.txt"}
    assert report.problem
    assert report.finished_because == "what is left must wait 5 min; crawl the same URLs again then"
    asked = len(site.requests)
    if answer is not SILENCE:  # the next crawl tries a silent host again at once
        crawler(url, clock=later(250))
        assert len(site.requests) == asked
    site.robots("User-agent: *\nDisallow: /2")
    assert crawler(url, clock=later(302)).kept == 1
    assert site.paths()[asked:] == ["/robots.txt", "/", "/1.gif"]


def test_case_04_five_redirects_of_robots_txt_are_followed(site: Site, other: Site, crawler: Crawler) -> None:
    hops = [f"{site.url}/r1", f"{other.url}/r2", f"{other.url}/r3", f"{site.url}/r4", f"{other.url}/r5"]
    for number, (before, after) in enumerate(pairwise([f"{site.url}/robots.txt", *hops])):
        (site if before.startswith(site.url) else other).redirect(before[before.rindex("/") :], after, 301 + number % 2)
    other.answer("/r5", Answer(b"User-agent: *\nDisallow: /no"))
    show(site, "/no.gif", "/yes.gif")
    other.page("/", "<img src=/no-matter.gif>")
    other.image("/no-matter.gif", 7)
    report = crawler(site.url, other.url)
    # The rules apply to the host that redirected, not to the one that sent them.
    assert crawler.gallery.paths == ["/no-matter.gif", "/yes.gif"]
    assert report.reasons == {forbid(site): 1}


@pytest.mark.parametrize("endless", [False, True])
def test_case_04_six_redirects_are_no_robots_txt(site: Site, crawler: Crawler, endless: bool) -> None:
    names = ["/robots.txt", *(f"/r{number}" for number in range(1, 7))]
    for before, after in pairwise(names):
        site.redirect(before, "/robots.txt" if endless else after)
    site.answer("/r6", Answer(b"User-agent: *\nDisallow: /"))
    assert crawler(show(site, "/1.gif")).kept == 1
    asked = [path for path in site.paths() if path not in ("/", "/1.gif")]
    assert asked == (["/robots.txt"] * 6 if endless else names[:6])


def test_case_05_the_first_500_kib_count_whatever_they_hold(site: Site, crawler: Crawler) -> None:
    head = b"\xef\xbb\xbfUser-agent: *\r\nDisallow: /no\r\n# caf\xe9 \xff\x00 \xf0\x9f\r\n\xe9\xe8: \xe0\r\n"
    cut = b"Disallow: /public\r\n"
    filler = b"# nothing here\r\n" * (MAX_ROBOTS_BYTES // 16)
    until = MAX_ROBOTS_BYTES - len("Disallow: /")  # the cut would leave `Disallow: /` of the rule
    body = head + filler[: until - len(head) - 2] + b"\r\n" + cut + b"Disallow: /late\r\n" * 30_000
    assert len(body) > 1_000_000
    assert body[:MAX_ROBOTS_BYTES].endswith(b"\nDisallow: /")
    site.answer("/robots.txt", Answer(body))
    report = crawler(show(site, "/no.gif", "/public.gif", "/late.gif"))
    assert crawler.gallery.paths == ["/late.gif", "/public.gif"]
    assert report.reasons == {forbid(site): 1}


def test_case_05_a_robots_txt_full_of_names_and_rules_fills_no_memory() -> None:
    names = "".join(f"User-agent: bot{number}\n" for number in range(1500))
    rules = "".join(f"Disallow: /{number}\n" for number in range(1500))
    body = f"{names}User-agent: imgsearch\n{rules}".encode()
    tracemalloc.start()
    try:
        parsed = RobotsRules(robots_text(body), "imgsearch")
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert not parsed.allows("http://example.org/7")
    assert peak_bytes < 20e6  # each rule for each name would be ten times that here, and 10 GB in 500 KiB


def test_case_05_the_rules_of_many_hosts_fill_no_memory() -> None:
    permissions = _Permissions()
    for number in range(500):
        host = Host(f"http://{number}.example", 0, 0, None, "User-agent: *\nDisallow: /no", RobotsState.RULES, 1, 0, 0)
        assert permissions.refuse(host, f"http://{number}.example/no")
        assert not permissions.refuse(host, f"http://{number}.example/yes")
    assert len(permissions._rules) <= 200


def test_case_06_robots_txt_is_kept_for_a_day_and_no_longer(site: Site, crawler: Crawler) -> None:
    site.robots("User-agent: *\nDisallow: /no")
    for number, path in enumerate(("/first", "/second", "/third")):
        site.page(path, f"<img src=/{number}.gif><img src=/no{number}.gif>")
        site.image(f"/{number}.gif", number)
        site.image(f"/no{number}.gif", 10 + number)
    crawler(site.url + "/first")
    site.robots("User-agent: *\nDisallow: /2")
    crawler(site.url + "/second", clock=later(23.9 * HOUR))
    assert site.paths().count("/robots.txt") == 1
    crawler(site.url + "/third", clock=later(24.1 * HOUR))
    assert site.paths()[-3:] == ["/robots.txt", "/third", "/no2.gif"]
    assert crawler.gallery.paths == ["/0.gif", "/1.gif", "/no2.gif"]


def test_case_06_each_port_and_host_has_a_robots_txt_of_its_own(site: Site, other: Site, crawler: Crawler) -> None:
    with serving() as port:  # the same host
        sites = (site, port, other)
        for number, one in enumerate(sites):
            one.robots(f"User-agent: *\nDisallow: /{number}")
            show(one, "/0.gif", "/1.gif", "/2.gif")
        report = crawler(*(one.url for one in sites))
        for number, one in enumerate(sites):
            assert one.paths().count("/robots.txt") == 1
            assert f"/{number}.gif" not in one.paths()
            assert len(one.requests) == 4
        assert report.reasons == {"same bytes as another row": 3} | {forbid(one): 1 for one in sites}


def test_case_06_each_scheme_has_a_robots_txt_of_its_own(tmp_path: Path) -> None:
    seeds = ["http://a.example/", "https://a.example/", "http://a.example:443/"]
    with Frontier.open(tmp_path / "crawl.sqlite") as frontier:
        for seed in seeds:
            frontier.start_seed(seed, "a.example")
        _, hosts = frontier.leases.claim(0, 10, Selection(seeds))
    assert sorted(host.host for host in hosts) == ["http://a.example", "http://a.example:443", "https://a.example"]


@pytest.mark.parametrize(
    "robots",
    [
        pytest.param("User-agent: *\nDisallow: /\n\nUser-agent: ImgSearch\nDisallow: /no", id="ours beats all's"),
        pytest.param("User-agent: imgsearch\nDisallow: /no\n\nUser-agent: *\nDisallow: /", id="in either order"),
        pytest.param("User-agent: imgsearch/1.0 (+http://x)\nDisallow: /no", id="with a version"),
        pytest.param("USER-AGENT:IMGSEARCH*\nDISALLOW:/no", id="in any case"),
        pytest.param("User-agent: otherbot\nUser-agent: imgsearch\nDisallow: /no", id="named second"),
        pytest.param("User-agent: otherbot\nDisallow: /\n\nUser-agent: *\nDisallow: /no", id="another's beside"),
        pytest.param("User-agent: img\nAllow: /\n\nUser-agent: *\nDisallow: /no", id="a shorter name"),
        pytest.param("User-agent: imgsearchbot\nAllow: /\n\nUser-agent: *\nDisallow: /no", id="a longer name"),
        pytest.param(
            "User-agent: imgsearch\nDisallow: /no1\n\nUser-agent: a\nDisallow: /\n\n"
            "User-agent: imgsearch/2\nDisallow: /no2",
            id="two groups are one",
        ),
    ],
)
def test_case_07_the_group_of_our_own_name_counts(site: Site, crawler: Crawler, robots: str) -> None:
    site.robots(robots)
    report = crawler(show(site, "/no1.gif", "/no2.gif", "/yes.gif"))
    assert crawler.gallery.paths == ["/yes.gif"]
    assert report.reasons == {forbid(site): 2}
    assert all(request.headers["User-Agent"].startswith("imgsearch/") for request in site.requests)


# ----------------------------------------------------------------------------
# robots.txt: when it is fetched


def test_case_08_twenty_threads_start_on_one_new_host_and_one_asks_for_robots_txt(site: Site, crawler: Crawler) -> None:
    site.answer("/robots.txt", after(0.1, Answer(b"User-agent: *\nDisallow: /no")))
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
    assert report.reasons == {forbid(site): 10}


def test_case_08_twenty_crawlers_of_one_frontier_ask_once(tmp_path: Path) -> None:
    path, seed = tmp_path / "crawl.sqlite", "http://a.example/"
    with Frontier.open(path) as frontier:
        frontier.start_seed(seed, "a.example")
    start, end = threading.Barrier(20), threading.Barrier(20)
    asked: list[Host] = []
    leased: list[object] = []

    def claim() -> None:
        with Frontier.open(path) as frontier:
            start.wait()
            leases, hosts = frontier.leases.claim(0, 10, Selection([seed]))
            leased.extend(leases)
            asked.extend(hosts)
            end.wait()  # no lease is given back before all have tried

    threads = [threading.Thread(target=claim) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ([host.host for host in asked], leased) == (["http://a.example"], [])


# ----------------------------------------------------------------------------
# Crawl-delay and pace


def gaps(site: Site) -> list[float]:
    """The seconds between one request and the next."""
    return [b.at - a.at for a, b in pairwise(site.requests)]


@pytest.mark.parametrize("delay_seconds", [0, 0.01])
def test_case_09_a_crawl_delay_is_kept(site: Site, crawler: Crawler, delay_seconds: float) -> None:
    started_at = time.monotonic()
    site.robots("User-agent: *\nCrawl-delay: 2")
    site.answer_seconds = 0.1

    def ten_times_as_fast() -> float:
        return 10 * (time.monotonic() - started_at)

    report = crawler(show(site, "/1.gif", "/2.gif"), delay_seconds=delay_seconds, clock=ten_times_as_fast)
    assert report.kept == 2
    assert site.most_in_flight == 1
    assert min(gaps(site)) * 10 >= 1 + 2  # the delay begins when the answer ends


def test_case_09_a_host_that_asks_for_too_much_patience_is_left_alone(site: Site, crawler: Crawler) -> None:
    site.robots("User-agent: *\nCrawl-delay: 1000")
    report = crawler(show(site, "/1.gif"))
    reason = f"robots.txt of {site.url[7:]} asks for 1000 s between requests, more than the 60 s that we wait"
    assert site.paths() == ["/robots.txt"]
    assert report.problem == f"{site.url}/: {reason}"
    assert report.notes == (f"{reason}: nothing of it is fetched",)
    assert report.finished_because == "nothing is left to fetch"


@pytest.mark.parametrize("value", ["-5", "soon", "2 s", "1e999", "nan", ""])
def test_case_09_a_crawl_delay_that_is_none_is_ignored(site: Site, crawler: Crawler, value: str) -> None:
    site.robots(f"User-agent: *\nCrawl-delay: {value}\nDisallow: /2")
    report = crawler(show(site, "/1.gif", "/2.gif"))
    assert (report.kept, report.skipped, report.notes) == (1, 1, ())


def test_a_host_that_slows_is_asked_less_often_and_a_restart_remembers_it(site: Site, crawler: Crawler) -> None:
    add_gallery(site, 8)
    site.answer_seconds = 0.06
    crawler(site.url, delay_seconds=0.01, stop=lambda: len(crawler.gallery.images) >= 2)
    assert min(gaps(site)[1:]) >= 6 * 0.06  # the answer itself, and a pause five times as long
    with Frontier.open(crawler.path) as frontier:
        slow = frontier.hosts.get(site.url).answer_seconds
    assert slow >= 0.06

    site.answer_seconds, before = 0.0, len(site.requests)
    report = crawler(site.url, delay_seconds=0.01)
    assert report.kept == 8
    quick = gaps(site)[before:]
    assert quick[0] >= 0.12  # (slow + quick) / 2, five times
    with Frontier.open(crawler.path) as frontier:
        assert frontier.hosts.get(site.url).answer_seconds < slow


def test_a_host_that_fails_slowly_is_asked_less_often(site: Site, crawler: Crawler) -> None:
    site.page("/", "<img src=/1.gif>")
    site.answer("/1.gif", after(0.1, Answer(status=500)))
    crawler(site.url, delay_seconds=0.01, tries=2)
    with Frontier.open(crawler.path) as frontier:
        assert frontier.hosts.get(site.url).answer_seconds >= 0.05


def test_who_sets_no_pace_gets_none(site: Site, crawler: Crawler) -> None:
    add_gallery(site, 4)
    site.answer_seconds = 0.02
    crawler(site.url, delay_seconds=0)
    with Frontier.open(crawler.path) as frontier:
        assert frontier.hosts.get(site.url).answer_seconds == 0


# ----------------------------------------------------------------------------
# fairness


def test_case_12_two_hosts_and_eight_threads_one_request_each(site: Site, other: Site, crawler: Crawler) -> None:
    for number, one in enumerate((site, other)):
        add_gallery(one, 12, first=100 * number)
        one.answer_seconds = 0.005
    report = crawler(site.url, other.url, threads=8, delay_seconds=0.03)
    assert report.kept == 24
    assert (site.most_in_flight, other.most_in_flight) == (1, 1)
    assert min(gaps(site) + gaps(other)) >= 0.03
    # Neither is done before the other is half way.
    assert site.requests[-1].at > other.requests[7].at
    assert other.requests[-1].at > site.requests[7].at


def test_case_13_seven_slow_hosts_leave_the_eighth_thread_to_others(site: Site, crawler: Crawler) -> None:
    fast_is_done = threading.Event()
    add_gallery(site, 6)

    def hang(times: int) -> Answer:
        return Answer(status=200 if fast_is_done.wait(5) else 504)

    def finish(times: int) -> Answer:
        fast_is_done.set()
        return Answer(gif(5))

    site.answer("/5.gif", finish)
    with ExitStack() as stack:
        slow = [stack.enter_context(serving(f"127.0.0.{number}")) for number in range(3, 10)]
        seeds = [one.answer(path, hang) for one in slow for path in ("/1", "/2")]
        report = crawler(*seeds, site.url, threads=8, delay_seconds=0.01, tries=1)
        assert {one.most_in_flight for one in slow} == {1}
    assert report.kept == 6
    assert not [note for note in report.notes if "504" in note]  # no slow one was answered before the fast was done

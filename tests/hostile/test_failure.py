"""Cases 14 to 18: Retry-After, server errors, broken connections and endless answers."""

import re
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from crawler.crawl import CrawlConfig, crawl
from crawler.errors import FetchFailed
from crawler.fetching.fetch import (
    MAX_RETRY_AFTER_SECONDS,
    Fetcher,
    FetchLimits,
    _retry_after,
    fetch_image,
    fetch_robots,
)
from crawler.frontier.leases import Leases
from crawler.reasons import Reason
from crawler.records import Lease
from imgsearch.corpus.ingest import Intake
from imgsearch.corpus.store import Corpus
from imgsearch.paths import index_paths
from imgsearch.workflows.crawled_images import keep_in
from tests.support.crawl import Crawler, SteppingClock
from tests.support.loopback_site import Answer, Site, gif, serving

LIMITS = FetchLimits(connect_seconds=2, read_seconds=2, total_seconds=5)
HASTY = FetchLimits(connect_seconds=2, read_seconds=5, total_seconds=0.4)
IMAGE = {"Content-Type": "image/gif"}
HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SteppingClock:
    """A clock with one second per round of the crawl, and rounds that do not wait."""
    monkeypatch.setattr("crawler.crawl._TICK_SECONDS", 0.005)
    return SteppingClock(1.0)


def first(once: Answer, then: Answer, times: int) -> Answer:
    """One answer the first time, and another one afterwards."""
    return then if times else once


# ----------------------------------------------------------------------------------------------------------------------
# 14: Retry-After


@pytest.mark.parametrize(
    ("retry_after", "low", "high"),
    [
        ("5", 5, 5),
        (" 5 ", 5, 5),
        ("0", 0, 0),
        ("999999", MAX_RETRY_AFTER_SECONDS, MAX_RETRY_AFTER_SECONDS),
        ("9" * 18, MAX_RETRY_AFTER_SECONDS, MAX_RETRY_AFTER_SECONDS),
        ("9" * 400, None, None),
        ("Wed, 21 Oct 2099 07:28:00 GMT", MAX_RETRY_AFTER_SECONDS, MAX_RETRY_AFTER_SECONDS),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        ("Wed, 99 Foo 99999 99:99:99 +99999999", None, None),
        ("soon", None, None),
        ("-5", None, None),
        ("1e9", None, None),
        ("\u0665", None, None),
        ("", None, None),
    ],
)
def test_case_14_retry_after_in_both_forms_and_hostile_sizes(
    retry_after: str, low: float | None, high: float | None
) -> None:
    wait = _retry_after(retry_after)
    if low is None or high is None:
        assert wait is None
    else:
        assert wait is not None
        assert low <= wait <= high


def test_case_14_a_date_is_waited_for() -> None:
    wait = _retry_after(format_datetime(datetime.now(UTC) + timedelta(minutes=30), usegmt=True))
    assert wait is not None
    assert 1500 <= wait <= 1800


@given(
    st.text(max_size=60)
    | st.from_regex(r"[A-Z][a-z]{2}, ?\d{1,9} [A-Z][a-z]{2} -?\d{1,12} \d{1,4}:\d{1,4}:\d{1,4} ?([+-]\d{1,9}|GMT)")
)
def test_case_14_no_retry_after_raises_or_asks_for_more_than_the_cap(retry_after: str) -> None:
    wait = _retry_after(retry_after)
    assert wait is None or 0 <= wait <= MAX_RETRY_AFTER_SECONDS


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("as_date", [False, True])
def test_case_14_the_host_is_left_alone_for_as_long_as_it_asks(
    site: Site, crawler: Crawler, clock: SteppingClock, status: int, as_date: bool
) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    busy = Answer(status=status, headers={"Retry-After": date if as_date else "30"})
    asked_at: list[tuple[str, float]] = []

    def answer(path: str, number: int, times: int) -> Answer:
        asked_at.append((path, clock()))
        return busy if path == "/busy.gif" and not times else Answer(gif(number), headers=IMAGE)

    site.page("/", "<img src=/busy.gif><img src=/next.gif>")
    for number, path in enumerate(("/busy.gif", "/next.gif")):
        site.answer(path, partial(answer, path, number))
    report = crawler(site.url, clock=clock, stop=clock.step, threads=1, delay_seconds=0.01, patience_seconds=60)
    assert report.kept == 2
    first, *later = asked_at
    assert first[0] == "/busy.gif"
    assert {path for path, _ in later} == {"/busy.gif", "/next.gif"}  # the wait is for the host, not this URL alone
    assert min(at for _, at in later) - first[1] >= (28 if as_date else 30)  # a date has whole seconds


def test_case_14_an_error_of_one_url_makes_that_url_wait_alone(
    site: Site, crawler: Crawler, clock: SteppingClock
) -> None:
    asked_at: defaultdict[str, list[float]] = defaultdict(list)

    def answer(path: str, number: int, times: int) -> Answer:
        asked_at[path].append(clock())
        broken_down = Answer(status=500, headers={"Retry-After": "30"})
        return broken_down if path == "/bad.gif" and not times else Answer(gif(number), headers=IMAGE)

    site.page("/", "<img src=/bad.gif><img src=/good.gif>")
    for number, path in enumerate(("/bad.gif", "/good.gif")):
        site.answer(path, partial(answer, path, number))
    report = crawler(site.url, clock=clock, stop=clock.step, threads=1, delay_seconds=0.01, patience_seconds=60)
    assert report.kept == 2
    once, again = asked_at["/bad.gif"]
    assert again - once >= 30
    assert asked_at["/good.gif"][0] < again


def test_case_14_a_very_long_wait_is_put_back_with_a_cap_and_no_thread_sleeps(
    site: Site, crawler: Crawler, clock: SteppingClock
) -> None:
    with serving("127.0.0.2") as other:
        site.page("/", "<img src=/busy.gif>")
        site.answer("/busy.gif", partial(first, Answer(status=429, headers={"Retry-After": "999999"}), Answer(gif(1))))
        other.page("/", "".join(f"<img src=/{i}.gif>" for i in range(20)))
        for i in range(20):
            other.image(f"/{i}.gif", 100 + i)
        started = time.monotonic()
        report = crawler(site.url, other.url, clock=clock, stop=clock.step, threads=2)
        assert time.monotonic() - started < 5
    assert (report.kept, report.queued) == (20, 1)
    assert report.finished_because == "what is left must wait 60 min; crawl the same URLs again then"
    clock.now += MAX_RETRY_AFTER_SECONDS - 120
    assert crawler(site.url, clock=clock, stop=clock.step).queued == 1
    assert site.paths().count("/busy.gif") == 1
    clock.now += 120
    assert crawler(site.url, clock=clock, stop=clock.step).kept == 1


# ----------------------------------------------------------------------------------------------------------------------
# 15, 16: another try, and none


def test_case_15_tries_grow_apart_with_jitter_and_the_image_is_stored_once(
    site: Site, crawler: Crawler, clock: SteppingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: defaultdict[str, list[float]] = defaultdict(list)
    asked_at: defaultdict[int, list[float]] = defaultdict(list)
    retry = Leases.retry

    def spy(self: Leases, lease: Lease, not_before: float, reason: Reason) -> None:
        waits[lease.url].append(not_before - clock())
        retry(self, lease, not_before, reason)

    def answer(number: int, times: int) -> Answer:
        asked_at[number].append(clock())
        return Answer(status=500, headers={"Retry-After": "0"}) if times < 2 else Answer(gif(number), headers=IMAGE)

    monkeypatch.setattr(Leases, "retry", spy)
    site.page("/", "".join(f"<img src=/{i}.gif>" for i in range(8)))
    for i in range(8):
        site.answer(f"/{i}.gif", partial(answer, i))
    assert crawler(site.url, clock=clock, stop=clock.step, backoff_seconds=16, patience_seconds=60).kept == 8
    assert crawler.gallery.paths == [f"/{i}.gif" for i in range(8)]
    for first, second in waits.values():
        assert 12 <= first <= 20
        assert 24 <= second <= 40
    assert len(waits) == 8
    assert len({first for first, _ in waits.values()}) > 1
    for one, two, three in asked_at.values():
        assert two - one >= 12
        assert three - two >= 24


def test_case_15_a_server_that_never_recovers_is_given_up_with_its_reason(site: Site, crawler: Crawler) -> None:
    site.page("/", "<img src=/dead.gif>")
    site.answer("/dead.gif", Answer(status=502))
    report = crawler(site.url)
    assert report.reasons == {"answered 502 Bad Gateway": 1}
    assert site.paths().count("/dead.gif") == CrawlConfig(()).tries


@pytest.mark.parametrize(("status", "phrase"), [(404, "Not Found"), (410, "Gone"), (403, "Forbidden"), (451, "")])
def test_case_16_what_is_gone_is_asked_for_once_by_any_number_of_commands(
    site: Site, crawler: Crawler, clock: SteppingClock, status: int, phrase: str
) -> None:
    site.page("/", "<img src=/gone.gif><img src=/there.gif><a href=/lost>lost</a>")
    site.image("/there.gif", 1)
    for path in ("/gone.gif", "/lost"):
        site.answer(path, Answer(status=status, headers={"Retry-After": "1"}))
    for _ in range(3):
        report = crawler(site.url, clock=clock, stop=clock.step)
        clock.now += 100_000
    assert (report.kept, report.failed) == (1, 1)
    assert [reason for reason in report.reasons if reason.startswith(f"answered {status} {phrase}".rstrip())]
    assert {site.paths().count(path) for path in ("/gone.gif", "/lost")} == {1}


# ----------------------------------------------------------------------------------------------------------------------
# 17: answers that break off


def photograph(number: int) -> bytes:
    """A JPEG of 60x40 with different halves, so that half of the data is another picture."""
    image = Image.new("RGB", (60, 40), (10 * number, 200, 30))
    image.paste((30, 10 * number, 200), (0, 20, 60, 40))
    data = BytesIO()
    image.save(data, "JPEG")
    return data.getvalue()


def broken(data: bytes) -> dict[str, Answer]:
    """Ways to send half of `data`."""
    half, n = data[: len(data) // 2], len(data)
    chunk = HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s" % (n, half)
    return {
        "reset": Answer(half, content_length=n, reset=True),
        "closed": Answer(half, content_length=n),
        "longer": Answer(data, content_length=n + 1000),
        "nothing": Answer(b"", content_length=n, reset=True),
        "half a chunk": Answer(raw=chunk, reset=True),
    }


@pytest.mark.parametrize("how", list(broken(b"")))
def test_case_17_half_an_image_is_fetched_again_and_never_stored(site: Site, tmp_path: Path, how: str) -> None:
    site.page("/", "".join(f"<img src=/{i}.jpg>" for i in range(5)))
    for i in range(5):
        site.answer(f"/{i}.jpg", partial(first, broken(photograph(i))[how], Answer(photograph(i))))
    paths = index_paths(tmp_path)
    config = CrawlConfig((site.url,), delay_seconds=0, allow_private=True, backoff_seconds=0.01)
    with Corpus.open_for_writing(paths) as corpus:
        report = crawl(config, paths.crawl_database, keep_in(Intake(corpus)))
        assert (report.kept, report.skipped, report.failed) == (5, 0, 0)
        assert corpus.verify() == []
        assert {entry.n_bytes for entry in corpus.entries(range(5))} == {len(photograph(i)) for i in range(5)}
    assert [site.paths().count(f"/{i}.jpg") for i in range(5)] == [2] * 5


def test_case_17_a_body_longer_than_announced_is_refused_and_spoils_nothing_after_it(
    site: Site, tmp_path: Path
) -> None:
    # By RFC 9110 the announced length is the whole answer; but half a JPEG is not an image.
    site.page("/", "".join(f"<img src=/{i}.jpg>" for i in range(6)))
    for i in range(6):
        data = photograph(i)
        announced = len(data) // 2 if i % 2 else len(data)
        smuggled = HEAD + b"Content-Length: 3\r\n\r\nbad"  # must not count as the answer to the next request
        site.answer(f"/{i}.jpg", Answer(raw=HEAD + b"Content-Length: %d\r\n\r\n%s%s" % (announced, data, smuggled)))
    paths = index_paths(tmp_path)
    config = CrawlConfig((site.url,), delay_seconds=0.001, allow_private=True, threads=1, tries=2, backoff_seconds=0.01)
    with Corpus.open_for_writing(paths) as corpus:
        report = crawl(config, paths.crawl_database, keep_in(Intake(corpus)))
        assert (report.kept, report.skipped + report.failed) == (3, 3)
        assert corpus.verify() == []
        assert sorted(entry.url[-5] for entry in corpus.entries(range(3))) == ["0", "2", "4"]


GIF = gif(1)
MOVED = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: "
NO_ANSWERS = {
    "nothing": b"",
    "bytes": b"\x00\xff\xfe hello\r\n\r\n",
    "no status line": b"<html>hi",
    "status of letters": b"HTTP/1.1 abc OK\r\n\r\n",
    "status too large": b"HTTP/1.1 99999 OK\r\n\r\n",
    "status below zero": b"HTTP/1.1 -20 OK\r\n\r\n",
    "status with binary": b"HTTP/1.1 404 \xff\x1b[31m\r\nContent-Length: 0\r\n\r\n",
    "protocol switch": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
    "a thousand 100": b"HTTP/1.1 100 Continue\r\n\r\n" * 1000,
    "part": b"HTTP/1.1 206 Partial\r\nContent-Length: 6\r\n\r\nGIF89a",
    "300 headers": HEAD + b"".join(b"X-%d: y\r\n" % i for i in range(300)) + b"\r\n" + GIF,
    "long header": HEAD + b"X: " + b"y" * 200_000 + b"\r\n\r\n" + GIF,
    "two lengths": HEAD + b"Content-Length: 5\r\nContent-Length: 10\r\n\r\n" + GIF,
    "chunk of letters": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nGIF\r\n0\r\n\r\n",
    "chunk below zero": HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nGIF\r\n0\r\n\r\n",
    "chunk of 5000 digits": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 5000 + b"\r\nGIF",
    "chunk without end": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 90_000,
    "gzip fifty times": HEAD + b"Content-Encoding: " + b", ".join([b"gzip"] * 50) + b"\r\nContent-Length: 2\r\n\r\nhi",
    "redirect to brackets": MOVED + b"http://[\r\n\r\n",
    "redirect to port 99999": MOVED + b"http://a:99999/\r\n\r\n",
}
ODD_ANSWERS = {
    "header without colon": HEAD + b"foo bar\r\n\r\n" + GIF,
    "header with binary": HEAD + b"Content-Type: \x00\xff\r\nContent-Length: %d\r\n\r\n%s" % (len(GIF), GIF),
    "length of letters": HEAD + b"Content-Length: abc\r\n\r\n" + GIF,
    "length below zero": HEAD + b"Content-Length: -5\r\n\r\n" + GIF,
    "length of 5000 digits": HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n" + GIF,
}


@contextmanager
def speaking(raw: bytes) -> Iterator[str]:
    """Run a server that sends `raw` and hangs up; yield its URL."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def speak() -> None:
            with suppress(OSError):  # the test is over, or the client hung up first
                while True:
                    connection, _ = server.accept()
                    with connection, suppress(OSError):
                        connection.recv(65_536)
                        connection.sendall(raw)

        threading.Thread(target=speak, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


@pytest.mark.parametrize("raw", NO_ANSWERS.values(), ids=list(NO_ANSWERS))
def test_case_17_what_is_no_answer_is_a_failure_in_words(raw: bytes) -> None:
    with (
        speaking(raw) as url,
        Fetcher(allow_private=True, limits=LIMITS) as fetcher,
        pytest.raises(FetchFailed) as failed,
    ):
        fetcher.get(url)
    # Readable words: no class name, and no control characters.
    assert not re.search(r"[a-z][A-Z]|Error|Exception", str(failed.value))
    assert str(failed.value).isprintable()


@pytest.mark.parametrize("raw", ODD_ANSWERS.values(), ids=list(ODD_ANSWERS))
def test_case_17_an_odd_head_does_not_hide_a_whole_body(raw: bytes) -> None:
    with speaking(raw) as url, Fetcher(allow_private=True, limits=LIMITS) as fetcher:
        assert fetcher.get(url).body == GIF


# ----------------------------------------------------------------------------------------------------------------------
# 18: answers without end


def drip(file: BinaryIO, piece: bytes = b"G") -> None:
    """A body of 50 seconds, longer than any crawl may wait."""
    for _ in range(1000):
        file.write(piece)
        file.flush()
        time.sleep(0.05)


@contextmanager
def dripping(before: bytes, piece: bytes) -> Iterator[str]:
    """Run a server that sends `before`, then one byte at a time; yield its URL."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def speak() -> None:
            with suppress(OSError):  # the client hangs up, as it should
                connection, _ = server.accept()
                with connection, connection.makefile("wb") as file:
                    file.write(before)
                    drip(file, piece)

        threading.Thread(target=speak, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


DRIPPED = {
    "status line": (b"HTTP/1.1 200 ", b"x"),
    "header": (HEAD + b"X-Slow: ", b"x"),
    "headers": (HEAD, b"X-Slow: y\r\n"),
    "100 Continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": (HEAD + b"Content-Length: 1000\r\n\r\n", b"x"),
    "body without length": (HEAD + b"\r\n", b"x"),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "length of a chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1"),
}


@pytest.mark.parametrize("part", DRIPPED)
def test_case_18_whatever_drips_is_ended_by_the_total_deadline(part: str) -> None:
    with dripping(*DRIPPED[part]) as url:
        started = time.monotonic()
        with Fetcher(allow_private=True, limits=HASTY) as fetcher, pytest.raises(FetchFailed) as failed:
            fetcher.get(url)
        assert str(failed.value) == "took longer than 0.4 s"
        assert failed.value.again
        assert time.monotonic() - started < 2


def test_case_18_a_drip_holds_up_neither_the_crawl_nor_the_other_images(site: Site, crawler: Crawler) -> None:
    site.page("/", "<img src=/slow.gif><img src=/quick.gif>")
    site.answer("/slow.gif", Answer(headers=IMAGE, write=drip, content_length=1000))
    site.image("/quick.gif", 1)
    report = crawler(site.url, limits=HASTY, tries=2)
    assert (report.kept, report.reasons) == (1, {"took longer than 0.4 s": 1})


def test_case_18_a_chain_of_slow_redirects_of_robots_txt_has_one_deadline(site: Site) -> None:
    site.answer_seconds = 0.15  # each answer in time by itself
    site.redirect("/robots.txt", "/robots1.txt")
    for hop in range(1, 6):
        site.redirect(f"/robots{hop}.txt", f"/robots{hop + 1}.txt")
    with Fetcher(allow_private=True, limits=HASTY) as fetcher:
        with pytest.raises(FetchFailed, match="took longer"):
            fetch_robots(fetcher, site.url)
        assert len(site.paths()) <= 3
        time.sleep(HASTY.total_seconds)
        # The next request has its whole time again.
        assert fetcher.get(site.image("/a.gif", 1)).body == gif(1)


def test_case_18_a_query_by_url_has_one_deadline_for_all_its_requests(site: Site) -> None:
    site.answer_seconds = 0.15
    for hop in range(1, 6):
        site.redirect(f"/{hop}", f"/{hop + 1}")
    site.image("/6", 1)
    with pytest.raises(FetchFailed, match="took longer"):
        fetch_image(f"{site.url}/1", allow_private=True, limits=HASTY)
    assert len(site.paths()) <= 3

"""Worker threads that fetch and parse. They do not touch the frontier, whose SQLite file belongs to one thread.

Jobs go in through one queue and results come out of another; `outcomes` decides what a result means.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from crawler.errors import FetchFailed
from crawler.fetching.fetch import AGENT, Fetched, Fetcher, RobotsAnswer, fetch_robots
from crawler.fetching.sniff import Kind
from crawler.parsing.links import PageLinks, extract_links
from crawler.parsing.sitemaps import MAX_DOWNLOAD_BYTES, Sitemap, parse_sitemap
from crawler.reasons import Reason, ReasonCode
from crawler.records import Host, Lease

GATHER_SECONDS = 0.03  # to wait for more results after the first: few large transactions instead of many small ones

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """Result of one job: a failure; or the robots.txt of a host; or an answer with the links in it."""

    job: Lease | Host
    ended_at: float
    failure: FetchFailed | None = None
    robots: RobotsAnswer | None = None
    fetched: Fetched | None = None
    answer_seconds: float = 0.0  # for a leased URL: until the head of its answer, or until it failed
    links: PageLinks | None = None  # of a page
    sitemap: Sitemap | None = None

    @property
    def host(self) -> str:
        return self.job.host


def fetch_job(fetcher: Fetcher, job: Lease | Host, clock: Callable[[], float]) -> Result:
    """Fetch robots.txt of a host, or a leased URL, and parse it. Never raises."""
    started_at = time.monotonic()
    try:
        if isinstance(job, Host):
            return Result(job, robots=fetch_robots(fetcher, job.host), ended_at=clock())
        if job.kind == "sitemap":
            fetched = fetcher.get(job.url, first_bytes=MAX_DOWNLOAD_BYTES)
            ended_at = clock()
            sitemap = None if fetched.location else parse_sitemap(fetched.body, job.url)
            return Result(
                job, fetched=fetched, sitemap=sitemap, ended_at=ended_at, answer_seconds=fetched.answer_seconds
            )
        is_check = job.kind == "check"  # fetch it only if it changed
        fetched = fetcher.get(
            job.url, etag=job.etag if is_check else "", last_modified=job.last_modified if is_check else ""
        )
        ended_at = clock()
        links = None
        if job.kind == "page" and fetched.kind == Kind.PAGE:
            tags = fetched.robots_tags
            links = extract_links(
                fetched.body, job.url, content_type=fetched.content_type, robots_tags=tags, agent=AGENT
            )
        return Result(job, fetched=fetched, links=links, ended_at=ended_at, answer_seconds=fetched.answer_seconds)
    except FetchFailed as failure:
        return Result(job, failure=failure, ended_at=clock(), answer_seconds=time.monotonic() - started_at)
    except Exception as error:
        # One odd page must not end the crawl: the traceback goes to the log, and the URL fails.
        logger.exception("%s could not be read", job)
        return Result(
            job,
            failure=FetchFailed(Reason(ReasonCode.UNREADABLE, type(error).__name__), status=0),
            ended_at=clock(),
        )


class Workers:
    """Threads that work on jobs until they are closed, each with its own connections."""

    def __init__(self, threads: int, make_fetcher: Callable[[], Fetcher], clock: Callable[[], float]) -> None:
        self._jobs: queue.SimpleQueue[Lease | Host | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self._make_fetcher = make_fetcher
        self._clock = clock
        self.in_flight: set[Lease | Host] = set()  # submitted and not collected yet
        self._threads = [
            # Daemon threads: a slow server must not keep the program from ending.
            threading.Thread(target=self._run, name=f"crawler-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        with self._make_fetcher() as fetcher:
            while (job := self._jobs.get()) is not None:
                self._results.put(fetch_job(fetcher, job, self._clock))

    def submit(self, job: Lease | Host) -> None:
        self.in_flight.add(job)
        self._jobs.put(job)

    def collect(self, timeout_seconds: float, *, enough: int = 1) -> list[Result]:
        """Wait up to `timeout_seconds` for the first result, then briefly for `enough` of them, or for all."""
        results: list[Result] = []
        ends_at = time.monotonic() + timeout_seconds
        try:
            while not results or (self.in_flight and len(results) < enough):
                result = self._results.get(timeout=max(0.0, ends_at - time.monotonic()))
                self.in_flight.discard(result.job)
                results.append(result)
                if len(results) == 1:
                    ends_at = time.monotonic() + GATHER_SECONDS
        except queue.Empty:
            pass
        return results

    def wind_down(self, grace_seconds: float) -> list[Result]:
        """Drop the jobs that have not started, and collect the results that come within `grace_seconds`."""
        try:
            while True:
                job = self._jobs.get_nowait()
                if job is not None:
                    self.in_flight.discard(job)
        except queue.Empty:
            pass
        results = []
        ends_at = time.monotonic() + grace_seconds
        while self.in_flight and (left := ends_at - time.monotonic()) > 0:
            results += self.collect(left)
        return results

    def close(self) -> None:
        """Let the threads end; a thread that waits for a server ends when it answers."""
        self.wind_down(0)
        for _ in self._threads:
            self._jobs.put(None)

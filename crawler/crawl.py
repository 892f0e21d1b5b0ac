"""The loop of a crawl: limits, pace and end; `outcomes` decides what a result means.

One thread, the caller's, owns the frontier: it leases URLs that are due, submits them to the workers, collects results
in batches, passes the images to `keep` and then commits all outcomes and new links in one transaction. After a crash
between `keep` and that transaction the batch is fetched again, and `keep` returns "kept" again for the same URL.
"""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from crawler.config import CrawlConfig, FetchedImage, Keep, KeepVerdict
from crawler.errors import SeedError
from crawler.fetching.fetch import AGENT, Fetcher, refusal, user_agent
from crawler.frontier.frontier import Frontier
from crawler.frontier.leases import Selection
from crawler.outcomes import Outcomes
from crawler.parsing.robots import MAX_CRAWL_DELAY_SECONDS, RobotsRules, RobotsState, delay_refusal
from crawler.parsing.urls import origin, seed_url, site, url_key
from crawler.reasons import Reason, ReasonCode
from crawler.records import Host, Lease
from crawler.report import (
    CrawlProgress,
    CrawlReport,
    FirstPage,
    crowded_note,
    failed_seeds,
    find_hints,
    find_problem,
    summarise_reasons,
)
from crawler.url_lists import queue_list
from crawler.workers import Result, Workers

__all__ = ["CrawlConfig", "CrawlProgress", "CrawlReport", "FetchedImage", "Keep", "KeepVerdict", "crawl"]

STOP_GRACE_SECONDS = 5.0  # for the requests in flight when a crawl is stopped
_PROGRESS_SECONDS = 0.2
_MAX_PARSED = 200  # robots.txt files kept parsed: one may hold some 30,000 rules
_TICK_SECONDS = 0.1  # how often `stop` is polled while no result arrives


def crawl(
    config: CrawlConfig,
    frontier_path: Path,
    keep: Keep,
    *,
    on_progress: Callable[[CrawlProgress], None] | None = None,
    stop: Callable[[], bool] | None = None,
    clock: Callable[[], float] = time.time,
) -> CrawlReport:
    """Crawl from `config.seeds` until nothing is left, a limit is reached or `stop()` returns True.

    A crawl of the same seeds with the same frontier continues the one before.

    Args:
        config: seeds, limits and politeness.
        frontier_path: the file of the frontier, which is created where it is missing.
        keep: called with images in batches, in the calling thread; see `Keep`.
        on_progress: called a few times a second, in the calling thread.
        stop: polled several times a second; requests in flight get a few seconds to end.
        clock: seconds since the epoch.

    Raises:
        SeedError: there is no seed, one is not an http(s) URL, or a list cannot be read.
        FrontierError: the frontier cannot be used.
        Exception: whatever `keep` raises, once the leases are given back.
    """
    pages = read_seeds(config.seeds)
    if not (pages or config.lists or config.retry_failed):
        raise SeedError("no URL to start from")
    with Frontier.open(frontier_path) as frontier:
        recovered = frontier.leases.reclaim()
        seeds, notes = _prepare(frontier, config, pages)
        outcomes = Outcomes(frontier, config, seeds, keep)
        outcomes.notes |= dict.fromkeys(notes)
        loop = Loop(frontier, config, seeds, outcomes, on_progress, clock)
        try:
            finished_because = loop.run(stop or (lambda: False))
        finally:
            loop.workers.close()
        return loop.report(finished_because, recovered)


def read_seeds(texts: Sequence[str]) -> list[str]:
    """Return typed URLs as URLs to fetch, each once. SeedError where one cannot be fetched."""
    seeds = []
    for text in texts:
        url = seed_url(text)
        if url is None:
            raise SeedError(f"{text!r} is not an http or https URL that can be crawled")
        seeds.append(url)
    return list({url_key(url): url for url in seeds}.values())


def _prepare(frontier: Frontier, config: CrawlConfig, pages: Sequence[str]) -> tuple[list[str], list[str]]:
    """Queue the seeds, and queue again what earlier runs left out for a reason that no longer holds.

    Returns:
        The seeds of this crawl, and notes for the user.
    """
    if config.retry_failed:
        seeds = crawled_seeds(frontier, pages)
        n_failed = frontier.requeue_failed(seeds)
        frontier.takedowns.add(config.takedowns)
        return seeds, [f"URLs that had failed and are tried again: {n_failed:,}"]
    for page in pages:
        frontier.start_seed(page, site(page))
    lists = [queue_list(frontier, path) for path in config.lists]
    seeds = [*pages, *(queued.seed for queued in lists)]
    if config.follow_hosts:
        frontier.reopen(seeds, ReasonCode.OFF_SITE, max_depth=config.depth)
    if config.allow_private:
        frontier.reopen(seeds, ReasonCode.PRIVATE_ADDRESS)
    frontier.reopen(seeds, ReasonCode.TOO_DEEP, max_depth=config.depth)
    frontier.takedowns.add(config.takedowns)
    return seeds, [queued.note for queued in lists if queued.note]


def crawled_seeds(frontier: Frontier, pages: Sequence[str]) -> list[str]:
    """Return `pages`, or all seeds where there are none. SeedError for a page that was not crawled before."""
    known = frontier.seeds()
    if unknown := [page for page in pages if page not in known]:
        raise SeedError(f"{unknown[0]} was not crawled yet, so there is nothing to fetch again")
    if not known:
        raise SeedError("nothing was crawled yet, so there is nothing to fetch again")
    return list(pages) or known


class _Permissions:
    """The parsed robots.txt of the hosts that were checked last."""

    def __init__(self) -> None:
        self._rules: dict[str, tuple[float, RobotsRules]] = {}

    def refuse(self, host: Host, url: str) -> Reason | None:
        """Return why `url` of `host` may not be fetched; None if it may."""
        if host.robots_state == RobotsState.ALLOWED:
            return None
        if host.robots_state != RobotsState.RULES:
            return host.trouble or Reason(ReasonCode.ROBOTS_UNKNOWN, host.host)
        until, rules = self._rules.get(host.host, (0.0, None))
        if rules is None or until != host.robots_until:
            rules = RobotsRules(host.robots, AGENT)
            self._rules.pop(host.host, None)
            self._rules[host.host] = (host.robots_until, rules)
            if len(self._rules) > _MAX_PARSED:
                del self._rules[next(iter(self._rules))]
        if rules.crawl_delay_seconds > MAX_CRAWL_DELAY_SECONDS:
            return delay_refusal(host.host, rules.crawl_delay_seconds)
        return None if rules.allows(url) else refusal(host.host)


class Loop:
    """One run of a crawl."""

    def __init__(
        self,
        frontier: Frontier,
        config: CrawlConfig,
        seeds: Sequence[str],
        outcomes: Outcomes,
        on_progress: Callable[[CrawlProgress], None] | None,
        clock: Callable[[], float],
    ) -> None:
        self._frontier = frontier
        self._config = config
        self._seeds = seeds
        self._on_progress = on_progress
        self._clock = clock
        self._permissions = _Permissions()
        self._outcomes = outcomes
        self._is_stopped = False
        self._idle_since = math.inf
        self._started_at = time.monotonic()
        self._reported_at = 0.0
        agent = user_agent(config.contact)
        self.workers = Workers(
            config.threads,
            lambda: Fetcher(allow_private=config.allow_private, agent=agent, limits=config.limits),
            clock,
        )
        # With a pause between requests a host has one in flight; without, enough that no thread waits for the loop.
        self._at_once = config.threads if config.delay_seconds else 4 * config.threads
        self._per_host = 1 if config.delay_seconds else self._at_once

    def run(self, stop: Callable[[], bool]) -> str:
        """Run until there is nothing more to do; return why, in one sentence."""
        while True:
            if stop():
                self._is_stopped = True
                self._settle_results(self.workers.wind_down(STOP_GRACE_SECONDS))
                return "stopped; crawl the same URLs again to continue"
            if self._outcomes.room == 0:
                return f"{self._config.max_images:,} images are kept: the limit is reached"
            self._frontier.leases.renew(self._clock())
            self._dispatch()
            wait = _TICK_SECONDS
            if self.workers.in_flight:
                self._idle_since = math.inf
            else:
                now = self._clock()
                due = self._next_due(now)
                if due is None and self._others_are_at_work(now):
                    due = now + _TICK_SECONDS
                if due is None or due - now > self._config.patience_seconds:
                    return self._why_nothing_is_due(due, now)
                wait = min(wait, max(due - now, 0.02))
            self._settle_results(self.workers.collect(wait, enough=max(1, self._at_once // 2)))

    def _settle_results(self, results: Sequence[Result]) -> None:
        if results:
            self._outcomes.settle(results, self._clock())
        now = time.monotonic()
        if self._on_progress is not None and now - self._reported_at >= _PROGRESS_SECONDS:
            self._reported_at = now
            self._on_progress(self._progress())

    # ------------------------------------------------------------------------
    # choosing what to fetch

    def _dispatch(self) -> None:
        """Submit to the workers what is due, within the limits."""
        in_flight = self.workers.in_flight
        limit = self._at_once - len(in_flight)
        if self._outcomes.room is not None:
            limit = min(limit, self._outcomes.room - len(in_flight))
        pages = self._pages_left()
        if pages is not None and pages > 0:
            limit = min(limit, pages)
        if limit <= 0:
            return
        leases, hosts = self._frontier.leases.claim(
            self._clock(),
            limit,
            self._selection(),
            per_host=self._per_host,
            delay=self._config.delay_seconds,
            refuse=self._permissions.refuse,
        )
        for host in hosts:
            self.workers.submit(host)
        for lease in leases:
            self.workers.submit(lease)

    def _pages_left(self) -> int | None:
        """Number of pages that may still be leased now; None where there is no limit."""
        if self._config.max_pages is None:
            return None
        read = self._frontier.tally("page", self._seeds).get("read", 0)
        in_flight = sum(isinstance(job, Lease) and job.kind == "page" for job in self.workers.in_flight)
        return self._config.max_pages - read - in_flight

    def _next_due(self, now: float) -> float | None:
        return self._frontier.leases.next_due(now, self._selection())

    def _selection(self) -> Selection:
        return Selection(self._seeds, images_only=self._images_only(), retries_only=self._config.retry_failed)

    def _images_only(self) -> bool:
        pages = self._pages_left()
        return pages is not None and pages <= 0

    def _others_are_at_work(self, now: float) -> bool:
        """Whether another process holds URLs, whose pages may link to more; believed for `patience_seconds`."""
        if self._held_by_others_until() is None:
            return False
        self._idle_since = min(self._idle_since, now)
        return now - self._idle_since <= self._config.patience_seconds

    def _held_by_others_until(self) -> float | None:
        return self._frontier.leases.others_hold_until(self._selection())

    def _why_nothing_is_due(self, due: float | None, now: float) -> str:
        if due is not None:
            return f"what is left must wait {_minutes(due - now)}; crawl the same URLs again then"
        held = self._held_by_others_until()
        if held is not None:
            holder = "another process, or by one that was killed on another machine"
            again = _minutes(max(0.0, held - now))
            return f"what is left is leased by {holder}; crawl the same URLs again in {again}"
        if self._config.retry_failed:
            return "all that had failed was tried again"
        if self._frontier.leases.next_due(now, Selection(self._seeds)) is not None:
            return f"{self._config.max_pages:,} pages are read: the limit is reached"
        return "nothing is left to fetch"

    # ------------------------------------------------------------------------
    # reporting

    def _progress(self) -> CrawlProgress:
        pages = self._frontier.tally("page", self._seeds)
        elapsed = time.monotonic() - self._started_at
        return CrawlProgress(
            **self._frontier.counts(self._seeds),
            pages=pages.get("read", 0),
            pages_queued=pages.get("queued", 0),
            images_per_second=self._outcomes.kept_now / elapsed if elapsed else 0.0,
            elapsed_seconds=elapsed,
        )

    def report(self, finished_because: str, recovered: int) -> CrawlReport:
        progress = self._progress()
        if self._on_progress is not None:
            self._on_progress(progress)
        first_pages = [self._first_page(seed) for seed in self._seeds if seed_url(seed)]  # a list has none
        counted = self._frontier.reasons("image", self._seeds)
        problem = "" if self._is_stopped else find_problem(progress, first_pages, counted)
        failures = () if problem else failed_seeds(first_pages)
        took_back = f"{recovered} URLs were leased by a process that was killed; they were queued again."
        return CrawlReport(
            **vars(progress),
            kept_now=self._outcomes.kept_now,
            reasons=summarise_reasons(counted),
            recovered=took_back if recovered else "",
            finished_because=finished_because,
            problem=problem,
            hints=find_hints(progress, first_pages, counted),
            notes=(*self._outcomes.notes, *map(crowded_note, self._frontier.crowded_hosts()), *failures),
        )

    def _first_page(self, seed: str) -> FirstPage:
        """The seed as the frontier has it; while it waits, with the trouble of its host as the reason."""
        url, outcome, reason = self._frontier.first_page(seed)
        if outcome == "queued":
            reason = self._frontier.hosts.get(origin(url)).trouble or reason
        return FirstPage(url, outcome, reason)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"

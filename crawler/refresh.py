"""Refresh: fetch every kept image again to find out whether it changed or is gone, in the loop of any crawl.

An image that is missing on its site (404 or 410) counts as gone only when two refreshes in a row did not find it: the
site may be under repair. Each outcome is a row of the frontier; the report is computed from these rows, so that an
interrupted refresh can be continued without losing any.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from crawler.config import CrawlConfig, Keep
from crawler.crawl import Loop, crawled_seeds, read_seeds
from crawler.fetching.fetch import AGENT, MAX_REDIRECTS
from crawler.fetching.sniff import Kind
from crawler.frontier.checks import REFRESH, Checked
from crawler.frontier.frontier import Answered, Frontier
from crawler.offers import Offer, answered, fetched_image, robots_permission
from crawler.outcomes import BatchWrites, Judged, Outcomes
from crawler.parsing.directives import read_directives
from crawler.parsing.urls import site, trap
from crawler.reasons import Reason, ReasonCode, sentence
from crawler.records import Lease
from crawler.takedown import refusal_of
from crawler.workers import Result

MISSES = 2  # refreshes in a row that must miss an image before it is gone
_GONE = frozenset({404, 410})
_MAX_CHANGES = 1_000  # listed one by one in a report

# Takes images of URLs that were kept before, as they are now. New bytes replace the old and are durable when it
# returns; called again, it returns the same. Its verdicts: unchanged, changed, or skipped with a reason.
Replace = Keep
Bury = Callable[[Sequence[str]], None]  # images of these URLs are gone; called again, it does nothing


@dataclass(frozen=True)
class RefreshProgress:
    """Number of checked images by outcome, including those of an interrupted refresh that this one continues."""

    unchanged: int = 0
    changed: int = 0
    missing: int = 0  # not found for the first time: the next refresh tries again
    gone: int = 0  # not found by two refreshes in a row, and removed
    unclear: int = 0  # could not be checked
    queued: int = 0


class Change(NamedTuple):
    """An image that a refresh did not find unchanged."""

    url: str
    outcome: str  # changed, missing, gone; skipped or failed where it could not be checked
    detail: str  # the reason, as a sentence
    code: str = ""  # the reason, as a `ReasonCode`


@dataclass(frozen=True)
class RefreshReport(RefreshProgress):
    """The end of a refresh."""

    changes: tuple[Change, ...] = ()  # all images that are not unchanged, up to a thousand
    recovered: str = ""  # a sentence, if it continues an interrupted refresh
    finished_because: str = ""  # a sentence
    notes: tuple[str, ...] = ()  # sentences for the user


def refresh(
    config: CrawlConfig,
    frontier_path: Path,
    replace_images: Replace,
    bury: Bury,
    *,
    on_progress: Callable[[RefreshProgress], None] | None = None,
    stop: Callable[[], bool] | None = None,
    clock: Callable[[], float] = time.time,
) -> RefreshReport:
    """Fetch again every image that was kept and descends from `config.seeds`, or from any seed where there are none.

    Args:
        config: seeds and politeness; its limits of images, pages and depth are ignored.
        frontier_path: the file of the frontier.
        replace_images: called with the images that were sent, in batches, in the calling thread; see `Replace`.
        bury: called with the URLs that are gone, in the calling thread.
        on_progress: called a few times a second, in the calling thread.
        stop: polled several times a second; the next refresh continues this one.
        clock: seconds since the epoch.

    Raises:
        SeedError: a seed was not crawled before, or nothing was.
        FrontierError: the frontier cannot be used.
        Exception: whatever `replace_images` and `bury` raise, once the leases are given back.
    """
    pages = read_seeds(config.seeds)
    config = replace(config, max_images=None, max_pages=None, retry_failed=False)
    with Frontier.open(frontier_path) as frontier:
        frontier.leases.reclaim()
        is_continued = frontier.checks.start(crawled_seeds(frontier, pages))
        frontier.takedowns.add(config.takedowns)
        checks = _Checks(frontier, config, replace_images, bury)
        show = on_progress or (lambda _: None)
        loop = Loop(frontier, config, [REFRESH], checks, lambda _: show(_progress(frontier)), clock)
        try:
            finished_because = loop.run(stop or (lambda: False))
        finally:
            loop.workers.close()
        progress = _progress(frontier)
        show(progress)
        return RefreshReport(
            **vars(progress),
            changes=tuple(map(_change, frontier.checks.changes(_MAX_CHANGES))),
            recovered="an earlier refresh was interrupted; this one continued it" if is_continued else "",
            finished_because=finished_because,
            notes=tuple(checks.notes),
        )


def _change(checked: Checked) -> Change:
    code = "" if checked.reason is None else checked.reason.code.value
    return Change(checked.url, checked.outcome, sentence(checked.reason), code)


def _progress(frontier: Frontier) -> RefreshProgress:
    counted = frontier.tally("check")
    unclear = counted.get("skipped", 0) + counted.get("failed", 0)
    named = ("unchanged", "changed", "missing", "gone", "queued")
    return RefreshProgress(unclear=unclear, **{name: counted.get(name, 0) for name in named})


class _Checks(Outcomes):
    """Settles the answers of a refresh."""

    def __init__(self, frontier: Frontier, config: CrawlConfig, replace_images: Replace, bury: Bury) -> None:
        super().__init__(frontier, config, [REFRESH], replace_images)
        self._bury = bury

    def settle(self, results: Sequence[Result], now: float) -> None:
        """Bury what is gone, then settle as in any crawl: after a crash in between, it is only fetched again."""
        gone = [result.job for result in results if isinstance(result.job, Lease) and _is_missing(result)]
        images = [self._frontier.checks.image(lease.key) for lease in gone]
        if urls := [image.url for image in images if image.misses + 1 >= MISSES]:
            self._bury(urls)
        super().settle(results, now)

    def _offers(self, results: Iterable[Result]) -> Iterator[Offer]:
        for result in results:
            lease, fetched = result.job, result.fetched
            if isinstance(lease, Lease) and fetched is not None and _is_taken(result):
                url = self._frontier.checks.image(lease.key).url  # not where it was redirected to
                image = replace(fetched_image(lease, fetched, result.ended_at), url=url)
                robots = robots_permission(self._frontier.hosts.get(lease.host))
                yield Offer(replace(image, robots=robots), lease, lease.key, inline=False)

    def _answers(self, offers: Iterable[Offer]) -> list[Answered]:
        return [answered(self._frontier.checks.image(offer.key).number, offer.image) for offer in offers]

    def _write(self, written: BatchWrites, result: Result, lease: Lease, judged: Judged, now: float) -> None:
        number, _, misses = self._frontier.checks.image(lease.key)
        fetched, failure = result.fetched, result.failure
        if failure is not None and _is_missing(result):
            self._note_reached(result.host)
            if misses + 1 >= MISSES:
                self._frontier.checks.note_gone(number, failure.reason.detail)
                written.settle(lease, "gone", failure.reason)
            else:
                self._frontier.checks.note_missing(number)
                written.settle(lease, "missing", failure.reason)
            return
        if failure is not None or fetched is None:
            super()._write(written, result, lease, judged, now)
            return
        self._note_reached(result.host)
        if fetched.location:
            self._write_redirect(written, lease, fetched.location)
        elif fetched.not_modified:
            self._frontier.checks.note_found(number)
            written.settle(lease, "unchanged")
        elif lease.key in judged:
            _, outcome, reason = judged[lease.key]
            written.settle(lease, outcome, reason)
        elif refused := read_directives(fetched.robots_tags, AGENT).no_images:
            written.settle(lease, "skipped", Reason(ReasonCode.HEADER_DIRECTIVE, refused))
        else:
            written.settle(lease, "skipped", Reason(ReasonCode.NO_LONGER_AN_IMAGE))

    def _write_redirect(self, written: BatchWrites, lease: Lease, location: str) -> None:
        reason = trap(location) or refusal_of(self._takedowns, location)
        if not reason and not self._config.follow_hosts and site(location) != site(lease.url):
            reason = Reason(ReasonCode.REDIRECTS_OFF_SITE, location)
        if not reason and lease.hops >= MAX_REDIRECTS:
            reason = Reason(ReasonCode.REDIRECTS_TOO_OFTEN, str(MAX_REDIRECTS))
        if reason:
            written.settle(lease, "skipped", reason)
        else:
            self._frontier.checks.redirect(lease, location)


def _is_missing(result: Result) -> bool:
    return result.failure is not None and result.failure.status in _GONE


def _is_taken(result: Result) -> bool:
    """Whether the answer is an image that may be taken."""
    fetched = result.fetched
    if fetched is None or fetched.location or fetched.kind != Kind.IMAGE:
        return False
    return not read_directives(fetched.robots_tags, AGENT).no_images

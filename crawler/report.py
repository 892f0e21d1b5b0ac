"""Progress of a crawl while it runs, and the report at its end; computed from the records of the frontier."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from crawler.errors import Hint
from crawler.reasons import Reason, ReasonCode, sentence, summary

_MAX_REASONS = 20


@dataclass(frozen=True)
class CrawlProgress:
    """State of the crawl of these seeds, earlier runs included.

    `kept` to `queued` count images, each exactly once; `pages` and `pages_queued` count pages.
    """

    kept: int = 0
    duplicate: int = 0
    skipped: int = 0
    failed: int = 0
    queued: int = 0
    pages: int = 0  # read
    pages_queued: int = 0
    images_per_second: float = 0.0  # kept in this run
    elapsed_seconds: float = 0.0  # of this run


@dataclass(frozen=True)
class CrawlReport(CrawlProgress):
    """The end of a crawl."""

    kept_now: int = 0  # in this run
    reasons: dict[str, int] = field(default_factory=dict)  # why images were not kept -> number of images, largest first
    recovered: str = ""  # a sentence, if an earlier crawl was killed
    finished_because: str = ""  # a sentence
    problem: str = ""  # a sentence, if these seeds have not brought in a single image
    hints: tuple[Hint, ...] = ()  # what would bring in more
    notes: tuple[str, ...] = ()  # sentences for the user: seeds that failed, hosts with long delays


class FirstPage(NamedTuple):
    """Outcome of a seed, or of the page that it redirects to."""

    url: str
    outcome: str
    reason: Reason | None

    @property
    def has_failed(self) -> bool:
        return self.outcome not in ("read", "kept", "duplicate") and self.reason is not None


Counted = Sequence[tuple[str, Reason, int]]  # (outcome, reason, number of images), as the frontier returns them


def summarise_reasons(counted: Counted) -> dict[str, int]:
    """Return reason in words -> number of images, most frequent first; those beyond the first 20 in one entry."""
    ranked = list(_ranked(counted).items())
    counts = dict(ranked[:_MAX_REASONS])
    if len(ranked) > _MAX_REASONS:
        counts["other reasons"] = sum(n for _, n in ranked[_MAX_REASONS:])
    return counts


def _ranked(counted: Counted) -> dict[str, int]:
    """Summary of a reason -> number of images, most frequent first; without images that were kept or that moved."""
    counts: dict[str, int] = {}
    for outcome, reason, n in counted:
        if outcome not in ("kept", "moved"):
            counts[summary(reason)] = counts.get(summary(reason), 0) + n
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def failed_seeds(first_pages: Sequence[FirstPage]) -> tuple[str, ...]:
    """Return a sentence for every seed that could not be read."""
    return tuple(f"{page.url}: {sentence(page.reason)}" for page in first_pages if page.has_failed)


def crowded_note(host: str) -> str:
    """Return a sentence for a host with more URLs than a crawl takes."""
    return f"{host} has more URLs than a crawl takes from one host; the others are left out"


def find_problem(progress: CrawlProgress, first_pages: Sequence[FirstPage], counted: Counted) -> str:
    """Return one sentence why these seeds have brought in no image at all; "" if they have, or still may."""
    if progress.kept or progress.duplicate:
        return ""
    images = progress.skipped + progress.failed
    if images and (progress.pages or not first_pages):
        reason, n = next(iter(_ranked(counted).items()), ("no reason given", images))
        return f"no image was kept; most often because: {reason} ({n} of {images})."
    if failures := failed_seeds(first_pages):
        return "; ".join(failures)
    if progress.pages and not (progress.queued or progress.pages_queued):
        return f"no image was found on {progress.pages} page{'s' if progress.pages > 1 else ''}"
    return ""


def find_hints(progress: CrawlProgress, first_pages: Sequence[FirstPage], counted: Counted) -> tuple[Hint, ...]:
    """Return what would bring in more: private addresses where some were refused, other hosts where no image came."""
    codes = {reason.code for outcome, reason, _ in counted if outcome in ("skipped", "failed")}
    codes |= {page.reason.code for page in first_pages if page.has_failed and page.reason is not None}
    hints = []
    if ReasonCode.PRIVATE_ADDRESS in codes:
        hints.append(Hint.ALLOW_PRIVATE)
    if ReasonCode.OFF_SITE in codes and not (progress.kept or progress.duplicate):
        hints.append(Hint.FOLLOW_HOSTS)
    return tuple(hints)

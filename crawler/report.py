"""What a crawl says of itself: progress while it runs, a report when it ends. Made from the frontier's records."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from crawler.errors import Hint
from crawler.reasons import Reason, ReasonCode, sentence, summary

_MAX_REASONS = 20


@dataclass(frozen=True)
class CrawlProgress:
    """How far the crawl of these seeds has come, earlier runs of the same command included.

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
    reasons: dict[str, int] = field(default_factory=dict)  # why images were not kept -> how many, most first
    recovered: str = ""  # a sentence, if a command that was killed had left work half done
    finished_because: str = ""  # a sentence
    problem: str = ""  # a sentence, if these seeds have not brought in a single image
    hints: tuple[Hint, ...] = ()  # what would bring in more
    notes: tuple[str, ...] = ()  # sentences that a user should read: seeds that failed, hosts that ask for patience


class FirstPage(NamedTuple):
    """Outcome of a seed, or of the page that it redirects to."""

    url: str
    outcome: str
    reason: Reason | None

    @property
    def has_failed(self) -> bool:
        return self.outcome not in ("read", "kept", "duplicate") and self.reason is not None


Counted = Sequence[tuple[str, Reason, int]]  # (outcome, reason, how many images), as the frontier returns them


def summarise_reasons(counted: Counted) -> dict[str, int]:
    """Return the reasons in words, with how many images each has, most first; those beyond the first 20 as one."""
    ranked = list(_ranked(counted).items())
    counts = dict(ranked[:_MAX_REASONS])
    if len(ranked) > _MAX_REASONS:
        counts["other reasons"] = sum(n for _, n in ranked[_MAX_REASONS:])
    return counts


def _ranked(counted: Counted) -> dict[str, int]:
    """Summary of a reason -> how many images, most first. Images that were kept, or that moved, need no reason."""
    counts: dict[str, int] = {}
    for outcome, reason, n in counted:
        if outcome not in ("kept", "moved"):
            counts[summary(reason)] = counts.get(summary(reason), 0) + n
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def failed_seeds(first_pages: Sequence[FirstPage]) -> tuple[str, ...]:
    """A sentence for every seed that could not be read."""
    return tuple(f"{page.url}: {sentence(page.reason)}" for page in first_pages if page.has_failed)


def crowded_note(host: str) -> str:
    """A sentence for a host with more URLs than a crawl takes."""
    return f"{host} has more URLs than a crawl takes from one host; the others are left out"


def find_problem(progress: CrawlProgress, first_pages: Sequence[FirstPage], counted: Counted) -> str:
    """Return why these seeds have brought in no image at all, in one sentence; "" if they have, or still may."""
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

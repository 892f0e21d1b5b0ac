"""What a crawl says of itself: progress while it runs, a report when it ends. Made from the frontier's records."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from crawler.records import OFF_SITE

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
    notes: tuple[str, ...] = ()  # sentences that a user should read: seeds that failed, hosts that ask for patience


class FirstPage(NamedTuple):
    """What became of a seed, or of the page that it redirects to."""

    url: str
    outcome: str
    reason: str


def summarise_reasons(counted: Sequence[tuple[str, str, int]]) -> dict[str, int]:
    """Reason -> how many images, most first. Numbers of rows are left out, so that equal reasons are counted together.

    Args:
        counted: (outcome, reason, how many) as the frontier gives them; kept images need no reason.
    """
    reasons: dict[str, int] = {}
    for outcome, reason, n in counted:
        if outcome not in ("kept", "moved"):
            general = re.sub(r"\brow[ :]\d+", "another row", reason)
            reasons[general] = reasons.get(general, 0) + n
    ranked = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    summary = dict(ranked[:_MAX_REASONS])
    if len(ranked) > _MAX_REASONS:
        summary["other reasons"] = sum(n for _, n in ranked[_MAX_REASONS:])
    return summary


def failed_seeds(first_pages: Sequence[FirstPage]) -> tuple[str, ...]:
    """A sentence for every seed that could not be read."""
    fine = ("read", "kept", "duplicate")
    return tuple(f"{page.url}: {page.reason}" for page in first_pages if page.outcome not in fine and page.reason)


def crowded_note(host: str) -> str:
    """A sentence for a host with more URLs than a crawl takes."""
    return f"{host} has more URLs than a crawl takes from one host; the others are left out"


def find_problem(progress: CrawlProgress, first_pages: Sequence[FirstPage], reasons: dict[str, int]) -> str:
    """Why these seeds have brought in no image at all, in one sentence; "" if they have, or still may."""
    if progress.kept or progress.duplicate:
        return ""
    images = progress.skipped + progress.failed
    if images and (progress.pages or not first_pages):
        reason, n = next(iter(reasons.items()), ("no reason given", images))
        advice = " Use --follow-hosts to take images and pages of other hosts." if reason == OFF_SITE else ""
        return f"no image was kept; most often because: {reason} ({n} of {images}).{advice}"
    if failures := failed_seeds(first_pages):
        return "; ".join(failures)
    if progress.pages and not (progress.queued or progress.pages_queued):
        return f"no image was found on {progress.pages} page{'s' if progress.pages > 1 else ''}"
    return ""

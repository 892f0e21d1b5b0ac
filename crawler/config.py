"""Configuration of a crawl, and the interface of the `keep` function that takes its images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from crawler.fetching.fetch import FetchLimits
from crawler.reasons import Reason
from crawler.takedown import Takedown


@dataclass(frozen=True)
class CrawlConfig:
    """Seeds, limits and politeness of a crawl."""

    seeds: tuple[str, ...] = ()  # pages or images to start from; https where no scheme is given
    max_images: int | None = None  # stop when these seeds have brought in this many, earlier runs included
    max_pages: int | None = None  # read no more pages than this, earlier runs included
    depth: int = 5  # links from a seed
    delay_seconds: float = 0.5  # between two requests to one host; 0 also allows several at a time
    allow_private: bool = False  # also fetch from loopback and private networks
    follow_hosts: bool = False  # also fetch pages and images of other hosts than the seeds'
    sitemaps: bool = True  # also fetch the sitemaps of the seeds' hosts
    threads: int = 16
    contact: str = ""  # an address for the User-Agent, where site owners can reach whoever crawls
    limits: FetchLimits = field(default_factory=FetchLimits)
    tries: int = 4  # of one URL, before it fails
    backoff_seconds: float = 1.0  # before the second try; doubled for each further one
    patience_seconds: float = 60.0  # the crawl ends when everything left must wait longer
    lists: tuple[Path, ...] = ()  # files of image URLs to fetch too; see `url_lists`
    takedowns: tuple[Takedown, ...] = ()  # not to be fetched, in addition to those in the frontier
    retry_failed: bool = False  # fetch only what failed: of the seeds, or without seeds of all crawls


@dataclass(frozen=True)
class FetchedImage:
    """One fetched image, as passed to `keep`."""

    url: str  # where it was fetched from; for an inline image its page, with a fragment
    page_url: str  # the page that links to it, "" for a seed
    alt: str  # its alternative text on that page
    data: bytes
    content_type: str = ""  # as the server states it
    fetched_at: float = 0.0  # seconds since 1970
    etag: str = ""
    last_modified: str = ""  # as the server writes it
    robots: str = ""  # the permission of robots.txt, as a phrase
    licence: str = ""  # a link, where the page or the sitemap states one


class KeepVerdict(Protocol):
    """The result of `keep` for one image."""

    @property
    def verdict(self) -> str:
        """One of kept, duplicate, skipped, failed."""
        ...

    @property
    def reason(self) -> Reason | None: ...


# One verdict per image, in order. Kept images are durable when it returns. Called again for the same URL with the same
# bytes (after a crash), it returns "kept" again.
Keep = Callable[[Sequence[FetchedImage]], Sequence[KeepVerdict]]

"""What a crawl is told, and what it hands over. Plain records; know nothing of how a crawl is done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from crawler.fetching.fetch import FetchLimits
from crawler.reasons import Reason
from crawler.takedown import Takedown


@dataclass(frozen=True)
class CrawlConfig:
    """What to crawl, how far and how fast."""

    seeds: tuple[str, ...] = ()  # pages or images to start from; https is meant where no scheme is given
    max_images: int | None = None  # stop when these seeds have brought in so many, earlier runs included
    max_pages: int | None = None  # read no more pages than this, earlier runs included
    depth: int = 5  # links away from a seed
    delay_seconds: float = 0.5  # between two requests to one host; 0 also allows several at a time
    allow_private: bool = False  # loopback and private networks
    follow_hosts: bool = False  # pages and images of other hosts than the seeds'
    sitemaps: bool = True  # also what the sitemaps of the seeds' hosts name
    threads: int = 16
    contact: str = ""  # an address for the User-Agent, where the owner of a site finds out who we are
    limits: FetchLimits = field(default_factory=FetchLimits)
    tries: int = 4  # of one URL, before it has failed
    backoff_seconds: float = 1.0  # before the second try; doubled for each further one
    patience_seconds: float = 60.0  # where everything that is left must wait longer, the crawl ends
    lists: tuple[Path, ...] = ()  # files of image URLs to fetch besides what the seeds lead to; see `url_lists`
    takedowns: tuple[Takedown, ...] = ()  # never to be fetched, besides those that the frontier remembers
    retry_failed: bool = False  # only what failed, of the seeds or, where there are none, of all that were crawled


@dataclass(frozen=True)
class FetchedImage:
    """One image that was fetched, as `keep` gets it."""

    url: str  # where it was fetched from; of one that stands in a page, that page with a fragment
    page_url: str  # the page that named it, "" for a seed
    alt: str  # its alternative text there
    data: bytes
    content_type: str = ""  # what the server called it
    fetched_at: float = 0.0  # seconds since 1970
    etag: str = ""
    last_modified: str = ""  # as the server wrote it
    robots: str = ""  # what robots.txt of its host said
    licence: str = ""  # a link, where the page or the sitemap states one


class KeepVerdict(Protocol):
    """What `keep` answers for one image."""

    @property
    def verdict(self) -> str:
        """One of kept, duplicate, skipped, failed."""
        ...

    @property
    def reason(self) -> Reason | None: ...


# One verdict per image, in order. What is kept is durable when it returns; asked again for the same URL with the same
# bytes (after a crash), it answers "kept" again.
Keep = Callable[[Sequence[FetchedImage]], Sequence[KeepVerdict]]

"""What the frontier takes and gives: links to add, leases on URLs, hosts. Plain records; know nothing of SQLite."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from crawler.reasons import Reason, from_stored


@dataclass(frozen=True)
class Link:
    """A URL to add. With an outcome it is only written down, not queued."""

    url: str
    kind: str  # "image", "page" or "sitemap", as far as is known
    seed: str  # the first URL that led here
    parent: str = ""  # the page that named it
    alt: str = ""
    depth: int = 0  # links from the seed
    hops: int = 0  # redirects on the way here; of a sitemap, also the indexes
    outcome: str = "queued"
    reason: Reason | None = None
    key: str = ""  # where it is not urls.url_key(url): of an image that stands in its page, of a URL cut for its length
    licence: str = ""  # the URL of the licence that its page or sitemap states


@dataclass(frozen=True)
class Lease:
    """A URL that is ours to fetch for a time; fields as in `Link`."""

    number: int
    url: str
    kind: str
    seed: str
    host: str  # urls.origin(url)
    depth: int
    hops: int
    parent: str
    alt: str
    tries: int  # how many went before
    key: str  # urls.url_key(url)
    licence: str = ""
    etag: str = ""  # of the answer before
    last_modified: str = ""


class Settled(NamedTuple):
    """What became of a leased URL."""

    lease: Lease
    outcome: str
    reason: Reason | None = None
    kind: str = ""  # what it turned out to be, where that is not what was thought


@dataclass(frozen=True)
class Host:
    """What is known of one scheme, host and port."""

    host: str
    next_at: float  # no request before this time
    fails: int  # failures to reach it in a row
    trouble: Reason | None  # the last of them
    robots: str  # text of robots.txt
    robots_state: str  # robots.RobotsState
    robots_until: float  # to be asked for again from then on
    delay: float  # Crawl-delay in seconds
    answer_seconds: float  # running mean of its answer times (`pace`), 0 before the first


LEASE_COLUMNS = "number, url, kind, seed, host, depth, hops, parent, alt, tries, key, licence, etag, last_modified"
HOST_COLUMNS = (
    "host, next_at, fails, trouble_code, trouble_detail, robots, robots_state, robots_until, delay, answer_seconds"
)


def host_from_row(row: Sequence[Any]) -> Host:
    """Return the host of a row of `HOST_COLUMNS`."""
    host, next_at, fails, code, detail, robots, state, until, delay, answer_seconds = row
    trouble = from_stored(code, detail)
    return Host(host, next_at, fails, trouble, robots, state, until, delay, answer_seconds)

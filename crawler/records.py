"""Records that go into the frontier and come out of it: links to add, leases on URLs, outcomes, hosts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from crawler.reasons import Reason, from_stored


@dataclass(frozen=True)
class Link:
    """A URL to add: to be queued, or with another outcome only to be stored."""

    url: str
    kind: str  # "image", "page" or "sitemap", as far as is known
    seed: str  # the first URL that led here
    parent: str = ""  # the page that links to it
    alt: str = ""
    depth: int = 0  # links from the seed
    hops: int = 0  # redirects on the way here; for a sitemap also sitemap indexes
    outcome: str = "queued"
    reason: Reason | None = None
    key: str = ""  # where it is not urls.url_key(url): for inline images, and for URLs cut for their length
    licence: str = ""  # the URL of the licence that its page or sitemap states


@dataclass(frozen=True)
class Lease:
    """A URL that its holder may fetch for a time; fields as in `Link`."""

    number: int
    url: str
    kind: str
    seed: str
    host: str  # urls.origin(url)
    depth: int
    hops: int
    parent: str
    alt: str
    tries: int  # earlier tries
    key: str  # urls.url_key(url)
    licence: str = ""
    etag: str = ""  # of the answer before
    last_modified: str = ""


class Settled(NamedTuple):
    """Outcome of a leased URL."""

    lease: Lease
    outcome: str
    reason: Reason | None = None
    kind: str = ""  # what it turned out to be, where that is not what its lease says


@dataclass(frozen=True)
class Host:
    """State of one scheme, host and port."""

    host: str
    next_at: float  # no request before this time
    fails: int  # failures to reach it in a row
    trouble: Reason | None  # the last of them
    robots: str  # text of robots.txt
    robots_state: str  # robots.RobotsState
    robots_until: float  # stale from then on
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

"""SQL that adds URLs: their rows, and the budget of each host.

One statement adds many rows, passed as JSON: every statement costs a wait for the interpreter's lock, which busy
workers hold.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import islice

from crawler.parsing.urls import origin, url_key
from crawler.reasons import ReasonCode, stored
from crawler.records import Link

PAGES_PER_HOST = 50_000  # page URLs queued for one host; more are a trap
SITEMAPS_PER_HOST = 500  # likewise
URLS_PER_HOST = 1_000_000  # stored of one host, whatever their outcome; the report names hosts with more
_ROWS_AT_ONCE = 1000  # budgets are compared once for all of them

_COLUMNS = (
    *("key", "url", "kind", "seed", "host", "depth", "hops", "parent", "alt", "licence"),
    *("rank", "outcome", "reason_code", "reason_detail"),
)
# Reasons that hold only for the place where a URL was found: found elsewhere, it may be queued.
_OF_THE_PLACE = (ReasonCode.OFF_SITE, ReasonCode.TOO_DEEP, ReasonCode.PAGE_DIRECTIVE, ReasonCode.LINK_DIRECTIVE)


def batches(links: Iterable[Link]) -> Iterator[str]:
    """Yield the rows of `links` as JSON, for `INSERT_HOSTS` and `insert_urls`."""
    rows = (_row(link) for link in links)
    while batch := list(islice(rows, _ROWS_AT_ONCE)):
        yield json.dumps(batch)


def _row(link: Link) -> tuple[object, ...]:
    """The values of `_COLUMNS`."""
    # A sitemap comes after the pages that a seed links to: a crawl is about what is near its seed.
    rank = {"image": 0, "page": 1 + link.depth, "sitemap": 2 + link.depth}[link.kind]
    return (
        *(link.key or url_key(link.url), link.url, link.kind, link.seed, origin(link.url), link.depth, link.hops),
        *(link.parent, link.alt, link.licence, rank, link.outcome, *stored(link.reason)),
    )


def item(position: int) -> str:
    """Return SQL for one item of each row of `json_each`."""
    return f"json_extract(value, '$[{position}]')"


_VALUES = {column: item(position) for position, column in enumerate(_COLUMNS)}

INSERT_HOSTS = f"""
    INSERT INTO host (host) SELECT DISTINCT {_VALUES["host"]} FROM json_each(?) WHERE TRUE ON CONFLICT DO NOTHING"""


def insert_urls() -> str:
    """Return SQL that adds the new URLs of a batch, skipped where their host has too many.

    A known URL passes to the new seed where it is queued there, if it waits or was skipped for a reason of the place
    where it was found; a settled one stays.
    """
    is_over = f"""{_VALUES["outcome"]} = 'queued' AND (
        {_VALUES["kind"]} = 'page' AND pages >= {PAGES_PER_HOST}
        OR {_VALUES["kind"]} = 'sitemap' AND sitemaps >= {SITEMAPS_PER_HOST})"""
    instead = {"outcome": "skipped", "reason_code": ReasonCode.TOO_MANY_URLS.value, "reason_detail": ""}
    of_the_place = ", ".join(f"'{code.value}'" for code in _OF_THE_PLACE)
    values = [
        f"CASE WHEN {is_over} THEN '{instead[column]}' ELSE {value} END" if column in instead else value
        for column, value in _VALUES.items()
    ]
    return f"""
        INSERT INTO url ({", ".join(_COLUMNS)})
        SELECT {", ".join(values)} FROM json_each(?) CROSS JOIN host ON host.host = {_VALUES["host"]}
        WHERE urls < {URLS_PER_HOST}
        ON CONFLICT DO UPDATE SET
            seed = excluded.seed, depth = excluded.depth, parent = excluded.parent, alt = excluded.alt,
            licence = excluded.licence, rank = excluded.rank, outcome = 'queued', reason_code = '',
            reason_detail = ''
        WHERE excluded.outcome = 'queued' AND url.owner = ''
            AND (url.outcome = 'queued' AND (url.seed <> excluded.seed OR url.depth > excluded.depth)
                 OR url.outcome = 'skipped' AND url.reason_code IN ({of_the_place}))"""


def crowded_hosts() -> str:
    """Return SQL for the hosts of which URLs were left out because there are too many."""
    return f"""
        SELECT host FROM host WHERE pages >= {PAGES_PER_HOST} OR sitemaps >= {SITEMAPS_PER_HOST}
        OR urls >= {URLS_PER_HOST} ORDER BY host"""

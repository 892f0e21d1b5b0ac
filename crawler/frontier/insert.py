"""How URLs are written down: their rows, the budget of each host, and the statement that adds them, as SQL.

One statement for many rows, which it gets as JSON: each statement costs a wait for the interpreter's lock, which busy
workers hold. Knows nothing of the file that it is run in.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import islice

from crawler.parsing.urls import origin, url_key
from crawler.reasons import ReasonCode, stored
from crawler.records import Link

PAGES_PER_HOST = 50_000  # page URLs queued for one host; more is a trap
SITEMAPS_PER_HOST = 500  # likewise
URLS_PER_HOST = 1_000_000  # written down of one host, whatever their outcome; what is beyond is in the report alone
_ROWS_AT_ONCE = 1000  # budgets are compared once for all of them

_COLUMNS = (
    *("key", "url", "kind", "seed", "host", "depth", "hops", "parent", "alt", "licence"),
    *("rank", "outcome", "reason_code", "reason_detail"),
)
# Reasons that hold only for the place where a URL was found: found elsewhere, it may be queued.
_OF_THE_PLACE = (ReasonCode.OFF_SITE, ReasonCode.TOO_DEEP, ReasonCode.PAGE_DIRECTIVE, ReasonCode.LINK_DIRECTIVE)


def batches(links: Iterable[Link]) -> Iterator[str]:
    """The rows of `links` as JSON, for `INSERT_HOSTS` and `insert_urls`."""
    rows = (_row(link) for link in links)
    while batch := list(islice(rows, _ROWS_AT_ONCE)):
        yield json.dumps(batch)


def _row(link: Link) -> tuple[object, ...]:
    """The values of `_COLUMNS`."""
    # A sitemap comes after the pages that a seed links to: who names a seed means what is near it.
    rank = {"image": 0, "page": 1 + link.depth, "sitemap": 2 + link.depth}[link.kind]
    return (
        *(link.key or url_key(link.url), link.url, link.kind, link.seed, origin(link.url), link.depth, link.hops),
        *(link.parent, link.alt, link.licence, rank, link.outcome, *stored(link.reason)),
    )


def item(position: int) -> str:
    """SQL for one item of each row that `json_each` gives."""
    return f"json_extract(value, '$[{position}]')"


_VALUES = {column: item(position) for position, column in enumerate(_COLUMNS)}

INSERT_HOSTS = f"""
    INSERT INTO host (host) SELECT DISTINCT {_VALUES["host"]} FROM json_each(?) WHERE TRUE ON CONFLICT DO NOTHING"""


def insert_urls() -> str:
    """SQL that adds the new ones of a batch, skipped where their host has too many.

    One that waits, or was out of scope or refused by where it stood, and is found in scope now and not refused passes
    to the new seed; a settled one stays.
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
    """SQL for the hosts of which URLs were left out because there are so many."""
    return f"""
        SELECT host FROM host WHERE pages >= {PAGES_PER_HOST} OR sitemaps >= {SITEMAPS_PER_HOST}
        OR urls >= {URLS_PER_HOST} ORDER BY host"""

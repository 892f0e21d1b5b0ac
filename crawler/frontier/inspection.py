"""Queries about one URL, and the outcomes of all URLs by reason, host and time. Reads only."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple
from urllib.parse import urlsplit

from crawler.frontier.database import FrontierDatabase
from crawler.parsing.urls import origin, url_key
from crawler.reasons import Reason, from_stored
from crawler.records import HOST_COLUMNS, Host, host_from_row

_MAX_PATH = 50  # links shown from a seed to a URL
_NEAREST = 5
_NEAREST_OF = 5_000  # URLs of one host that are compared with an unknown one
# Literals, not bound values: SQLite finds the partial indexes by these words.
_BY_KEY = "(kind = 'image' AND key = ? OR kind = 'page' AND key = ? OR kind = 'sitemap' AND key = ?)"
_COLUMNS = (
    "url, kind, seed, parent, alt, depth, hops, outcome, reason_code, reason_detail, tries, not_before, owner <> '',"
    " fetched_at, content_type, etag, last_modified, robots, misses"
)


@dataclass(frozen=True)
class KnownUrl:
    """A row of the frontier: a URL as image, or as page or sitemap of a seed. Times in seconds since 1970, 0: none."""

    url: str
    kind: str
    seed: str
    parent: str  # the page that named it, "" for a seed
    alt: str
    depth: int
    hops: int
    outcome: str
    reason: Reason | None
    tries: int  # that ended with another try ahead
    not_before: float
    is_leased: int  # 1 while it is being fetched
    fetched_at: float
    content_type: str
    etag: str
    last_modified: str
    robots: str  # the permission of robots.txt when it was fetched, as a phrase
    misses: int  # refreshes in a row that did not find it
    path: tuple[str, ...]  # the pages that lead from the seed to it


class ReasonCount(NamedTuple):
    """Number of URLs with one outcome for one reason, and one of them."""

    kind: str
    outcome: str
    reason: Reason | None
    n: int
    example: str


class Inspection:
    """Queries for reports and explanations."""

    def __init__(self, database: FrontierDatabase) -> None:
        self._database = database

    def known(self, url: str) -> list[KnownUrl]:
        """Return the rows of `url`, in any spelling: as image first, then as page and as sitemap of each seed."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM url WHERE {_BY_KEY} ORDER BY kind, seed", *[url_key(url)] * 3
        )
        return [
            KnownUrl(*(*row[:8], from_stored(*row[8:10]), *row[10:], self._path(seed=row[2], parent=row[3])))
            for row in rows
        ]

    def _path(self, seed: str, parent: str) -> tuple[str, ...]:
        path: list[str] = []
        while parent and parent not in path and len(path) < _MAX_PATH:
            path.append(parent)
            found = self._database.rows(
                "SELECT parent FROM url WHERE (kind = 'page' AND key = ? OR kind = 'sitemap' AND key = ?) AND seed = ?",
                *(url_key(parent), url_key(parent), seed),
            )
            parent = found[0][0] if found else ""
        return tuple(reversed(path))

    def known_host(self, url: str) -> Host | None:
        """Return what is known about the host of `url`; None where it is unknown."""
        rows = self._database.rows(f"SELECT {HOST_COLUMNS} FROM host WHERE host = ?", origin(url))
        return host_from_row(rows[0]) if rows else None

    def nearest(self, url: str) -> list[str]:
        """Return the known URLs whose spelling is nearest to that of `url`, nearest first."""
        name = (urlsplit(url).hostname or "").removeprefix("www.")
        hosts = [host for (host,) in self._database.rows("SELECT host FROM host") if name and name in host]
        known: dict[str, str] = {}
        for host in hosts:
            rows = self._database.rows("SELECT url FROM url WHERE host = ? LIMIT ?", host, _NEAREST_OF - len(known))
            known |= {_without_scheme(found): found for (found,) in rows}
        nearest = get_close_matches(_without_scheme(url), known, n=_NEAREST, cutoff=0.6)
        return [known[text] for text in nearest]

    def reason_counts(self, limit: int = 50) -> list[ReasonCount]:
        """Return the number of settled URLs by outcome and reason, most frequent first."""
        rows = self._database.rows(
            """SELECT kind, outcome, reason_code, reason_detail, COUNT(*) AS n, MIN(url) FROM url
            WHERE kind <> 'check' AND outcome <> 'queued'
            GROUP BY kind, outcome, reason_code, reason_detail ORDER BY n DESC, reason_code, reason_detail LIMIT ?""",
            limit,
        )
        return [ReasonCount(kind, outcome, from_stored(*how), n, url) for kind, outcome, *how, n, url in rows]

    def host_counts(self, limit: int = 50) -> list[tuple[str, dict[str, int]]]:
        """Return (host, outcome → number of images) of the hosts with the most images."""
        busiest = self._database.rows(
            "SELECT host FROM url WHERE kind = 'image' GROUP BY host ORDER BY COUNT(*) DESC, host LIMIT ?", limit
        )
        return [
            (
                host,
                dict(
                    self._database.rows(
                        "SELECT outcome, COUNT(*) FROM url WHERE kind = 'image' AND host = ? GROUP BY outcome", host
                    )
                ),
            )
            for (host,) in busiest
        ]

    def history(self) -> list[tuple[int, str, int]]:
        """Return (minute since 1970, outcome, number of images), in order of time."""
        rows = self._database.rows(
            "SELECT minute, outcome, n FROM history WHERE kind = 'image' ORDER BY minute, outcome"
        )
        return [(minute, outcome, n) for minute, outcome, n in rows]


def _without_scheme(url: str) -> str:
    return url.partition("://")[2].removeprefix("www.")

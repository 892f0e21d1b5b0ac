"""The frontier: which URLs a crawl has found, which are due, who fetches them, and the outcome of each.

One SQLite file with one row per URL (`schema`). A URL is *leased* for a time; a lease past its time, or whose process
is dead, is queued again, so that `kill -9` loses nothing. Several processes may share a frontier.

`Frontier` itself adds and counts URLs; its parts are `leases`, `hosts`, `takedowns`, `checks` (of a refresh) and
`inspection` (for reports and explanations). Times are parameters everywhere: nothing here reads a clock.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Self

from crawler.frontier.checks import Checks
from crawler.frontier.database import FrontierDatabase, marks
from crawler.frontier.hosts import Hosts
from crawler.frontier.insert import INSERT_HOSTS, batches, crowded_hosts, insert_urls
from crawler.frontier.inspection import Inspection
from crawler.frontier.leases import Leases, knows_image
from crawler.frontier.takedowns import Takedowns
from crawler.parsing.urls import origin, url_key
from crawler.reasons import Reason, ReasonCode, from_stored
from crawler.records import Link, Settled

IMAGE_OUTCOMES = ("kept", "duplicate", "skipped", "failed", "queued")
_ANY_DEPTH = 1_000_000_000


class Answered(NamedTuple):
    """The stored facts of the HTTP response that contained an image."""

    number: int  # of its row
    fetched_at: float
    content_type: str
    etag: str
    last_modified: str
    robots: str


class Frontier:
    """One crawl's memory. A context manager, used by one thread. Every method may raise `FrontierError`."""

    def __init__(self, database: FrontierDatabase) -> None:
        self._database = database
        self.hosts = Hosts(database)
        self.leases = Leases(database, self.hosts)
        self.takedowns = Takedowns(database)
        self.checks = Checks(database)
        self.inspection = Inspection(database)

    @classmethod
    def open(cls, path: Path) -> "Frontier":
        """Open the frontier at `path`, or start one.

        Raises:
            FrontierError: the file cannot be used, or is of a later version.
        """
        return cls(FrontierDatabase.open(path))

    def close(self) -> None:
        """Give back the leases that are still held, and close the file."""
        try:
            self.leases.release()
        finally:
            self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def transaction(self) -> AbstractContextManager[None]:
        """Commit everything done inside, or nothing of it; inside another transaction, be part of that one."""
        return self._database.transaction()

    # ------------------------------------------------------------------------
    # adding

    def start_seed(self, seed: str, site: str) -> None:
        """Queue the page `seed` unless it has been read, and take its `site` into scope.

        Where it could not be read, it is tried again at once, and robots.txt of its host is fetched anew: whoever
        repeats the crawl may have mended the site. A time to wait that the host itself asked for stays.
        """
        with self.transaction():
            self.add([Link(url=seed, kind="page", seed=seed)])
            again = self._database.run(
                "UPDATE url SET outcome = 'queued', reason_code = '', reason_detail = '', tries = 0, not_before = 0"
                " WHERE seed = ? AND depth = 0 AND rank = 1 AND outcome IN ('failed', 'skipped')",
                seed,
            )
            host = origin(seed)
            if again:
                self._database.run("UPDATE host SET robots_until = 0 WHERE host = ?", host)
            self._database.run(
                "UPDATE host SET robots_until = 0, next_at = 0, fails = 0 WHERE host = ? AND trouble_code = ?",
                *(host, ReasonCode.UNREACHABLE.value),
            )
            self.widen_scope(seed, site)

    def add(self, links: Iterable[Link]) -> None:
        """Add the URLs that are new.

        A known URL that waits, or was skipped for a reason of the place where it was found (out of scope, a directive
        of the page), passes to the new seed where it is queued there; a settled one stays. Pages and sitemaps beyond
        the number that is taken from one host are skipped.
        """
        statement = insert_urls()
        with self.transaction():
            for rows in batches(links):
                self._database.run(INSERT_HOSTS, rows)
                self._database.run(statement, rows)

    def widen_scope(self, seed: str, site: str) -> None:
        """Allow pages that descend from `seed` to be on `site`, too."""
        self._database.run("INSERT INTO scope VALUES (?, ?) ON CONFLICT DO NOTHING", seed, site)

    def sites(self, seeds: Sequence[str]) -> set[str]:
        """Return the sites that pages of `seeds` may be on."""
        rows = self._database.rows(f"SELECT site FROM scope WHERE seed IN ({marks(seeds)})", *seeds)
        return {site for (site,) in rows}

    def seeds(self) -> list[str]:
        """Return every seed that was ever crawled."""
        return [seed for (seed,) in self._database.rows("SELECT DISTINCT seed FROM scope ORDER BY seed")]

    # ------------------------------------------------------------------------
    # queueing again

    def reopen(self, seeds: Sequence[str], code: ReasonCode, *, max_depth: int = _ANY_DEPTH) -> None:
        """Queue again what was skipped or failed for a reason that no longer holds."""
        with self.transaction():
            self._database.run(
                f"""UPDATE url SET outcome = 'queued', reason_code = '', reason_detail = '', tries = 0, not_before = 0
                WHERE seed IN ({marks(seeds)}) AND outcome IN ('skipped', 'failed') AND reason_code = ?
                AND depth <= ?""",
                *(*seeds, code.value, max_depth),
            )

    def requeue_failed(self, seeds: Sequence[str]) -> int:
        """Queue again, before everything else, what failed and descends from `seeds`; return the number of URLs.

        robots.txt of their hosts is fetched anew, and at once where a host could not be reached. A time to wait that
        a host asked for stays.
        """
        failed = f"outcome = 'failed' AND kind <> 'check' AND seed IN ({marks(seeds)})"
        with self.transaction():
            self._database.run(
                f"""UPDATE host SET robots_until = 0, fails = 0,
                    next_at = CASE WHEN trouble_code = '{ReasonCode.UNREACHABLE.value}' THEN 0 ELSE next_at END
                WHERE trouble_code <> '' AND host IN (SELECT host FROM url WHERE {failed})""",
                *seeds,
            )
            return self._database.run(
                f"""UPDATE url SET outcome = 'queued', reason_code = '', reason_detail = '', tries = 0,
                not_before = 0, misses = 0, rank = -1 - rank WHERE {failed}""",
                *seeds,
            )

    # ------------------------------------------------------------------------
    # answers

    def note_answers(self, answers: Sequence[Answered]) -> None:
        """Store the answers that brought images; these images are not missing, whatever a refresh found before."""
        columns = ("fetched_at", "content_type", "etag", "last_modified", "robots")
        values = ", ".join(f"{name} = json_extract(value, '$[{i}]')" for i, name in enumerate(columns, start=1))
        self._database.run(
            f"UPDATE url SET misses = 0, {values} FROM json_each(?) WHERE number = json_extract(value, '$[0]')",
            json.dumps(answers),
        )

    def note_history(self, now: float, settled: Iterable[Settled]) -> None:
        """Count the outcomes of fetched URLs by the minute."""
        counted = Counter((one.kind or one.lease.kind, one.outcome) for one in settled)
        for (kind, outcome), n in counted.items():
            self._database.run(
                "INSERT INTO history VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
                *(int(now // 60), kind, outcome, n),
            )

    # ------------------------------------------------------------------------
    # reading

    def knows_image(self, key: str) -> bool:
        """Return whether there is an image under `key`."""
        return knows_image(self._database, key)

    def redirect_target(self, link: Link) -> str:
        """Return where the URL of `link` was found to redirect to; "" where it does not, or was not fetched yet."""
        key = link.key or url_key(link.url)
        # Literals, not bound values: SQLite finds the partial indexes by these words.
        same = "kind = 'image'" if link.kind == "image" else f"kind = '{link.kind}' AND seed = ?"
        values = [key] if link.kind == "image" else [key, link.seed]
        rows = self._database.rows(
            f"SELECT redirect_to FROM url WHERE key = ? AND {same} AND outcome = 'moved' AND redirect_to <> ''",
            *values,
        )
        return str(rows[0][0]) if rows else ""

    def counts(self, seeds: Sequence[str] | None = None) -> dict[str, int]:
        """Return the number of images by outcome: kept, duplicate, skipped, failed, queued; of `seeds`, or of all."""
        counted = self.tally("image", seeds)
        return {outcome: counted.get(outcome, 0) for outcome in IMAGE_OUTCOMES}

    def tally(self, kind: str, seeds: Sequence[str] | None = None) -> dict[str, int]:
        """Return the number of URLs of `kind` (image, page, sitemap or check) by outcome."""
        chosen = "" if seeds is None else f"AND seed IN ({marks(seeds)})"
        sql = f"SELECT outcome, SUM(n) FROM tally WHERE kind = ? {chosen} GROUP BY outcome"
        return dict(self._database.rows(sql, kind, *(seeds or ())))

    def reasons(self, kind: str, seeds: Sequence[str]) -> list[tuple[str, Reason, int]]:
        """Return (outcome, reason, number) of the settled URLs of `kind` that have a reason."""
        rows = self._database.rows(
            f"""SELECT outcome, reason_code, reason_detail, COUNT(*) FROM url WHERE seed IN ({marks(seeds)})
            AND kind = ? AND outcome <> 'queued' AND reason_code <> '' GROUP BY outcome, reason_code, reason_detail""",
            *(*seeds, kind),
        )
        return [(outcome, reason, n) for outcome, *how, n in rows if (reason := from_stored(*how)) is not None]

    def first_page(self, seed: str) -> tuple[str, str, Reason | None]:
        """Return (URL, outcome, reason) of the page `seed`, or of the last one it redirected to."""
        (row,) = self._database.rows(  # rank 1: the seed; -2: while it waits to be retried
            "SELECT url, outcome, reason_code, reason_detail FROM url WHERE seed = ? AND depth = 0 AND rank IN (1, -2)"
            " ORDER BY outcome = 'moved', number DESC LIMIT 1",
            seed,
        )
        url, outcome, *how = row
        return url, outcome, from_stored(*how)

    def crowded_hosts(self) -> list[str]:
        """Return the hosts of which URLs were left out because there are too many."""
        return [host for (host,) in self._database.rows(crowded_hosts())]

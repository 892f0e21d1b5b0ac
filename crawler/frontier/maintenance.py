"""What the frontier does between crawls: takedowns, retries of what failed, refreshes of what was kept.

The writing half of it; `frontier` brings the connection, `schema` the tables. The clock is a parameter here too.

A *refresh* asks again for every image that was kept. While it lasts each has a second line, of kind `check` and the
seed `REFRESH`, so that pace, robots.txt, leases and tries are those of any crawl and an interrupted refresh goes on.
"""

import json
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

from crawler.errors import FrontierError
from crawler.frontier.queries import Ledger, marks
from crawler.parsing.urls import origin
from crawler.reasons import Reason, ReasonCode, from_stored, stored
from crawler.records import Lease, Settled
from crawler.takedown import HOST, Takedown

REFRESH = "refresh"  # the seed of what is checked; no URL, so it is no other's
_LINES_AT_ONCE = 10_000


class Answered(NamedTuple):
    """What is worth keeping of the answer that brought an image."""

    number: int  # of its line
    fetched_at: float
    content_type: str
    etag: str
    last_modified: str
    robots: str


class Checked(NamedTuple):
    """What a refresh found out of one image."""

    url: str
    outcome: str  # unchanged, changed, missing, gone; skipped or failed where it could not be checked
    reason: Reason | None


class Upkeep(Ledger):
    """The frontier between crawls. Every method may raise `FrontierError`."""

    @abstractmethod
    def _run(self, sql: str, *values: object) -> int:
        """Carry out `sql`; how many lines it changed."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """What is done inside is written whole or not at all."""

    # ------------------------------------------------------------------------
    # what was answered, and when

    def note_answers(self, answers: Sequence[Answered]) -> None:
        """Write down the answers that brought images; the images were found, whatever was said before."""
        columns = ("fetched_at", "content_type", "etag", "last_modified", "robots")
        values = ", ".join(f"{name} = json_extract(value, '$[{i}]')" for i, name in enumerate(columns, start=1))
        self._run(
            f"UPDATE url SET misses = 0, {values} FROM json_each(?) WHERE number = json_extract(value, '$[0]')",
            json.dumps(answers),
        )

    def note_history(self, now: float, settled: Iterable[Settled]) -> None:
        """Count the outcomes of URLs that were asked for, by the minute."""
        counted = Counter((one.kind or one.lease.kind, one.outcome) for one in settled)
        for (kind, outcome), n in counted.items():
            self._run(
                "INSERT INTO history VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
                *(int(now // 60), kind, outcome, n),
            )

    # ------------------------------------------------------------------------
    # takedowns

    def takedowns(self) -> list[Takedown]:
        """All takedowns that hold."""
        return [Takedown(kind, value) for kind, value in self._rows("SELECT kind, value FROM takedown")]

    def take_down(self, takedowns: Iterable[Takedown]) -> int:
        """Remember takedowns, and settle what waits and is covered by one; how many URLs that were."""
        n_refused = 0
        with self.transaction():
            for takedown in takedowns:
                self._run("INSERT INTO takedown VALUES (?, ?) ON CONFLICT DO NOTHING", takedown.kind, takedown.value)
            for takedown in self.takedowns():
                numbers = [number for number, _ in self._covered(takedown, "outcome = 'queued'")]
                n_refused += self._run(
                    "UPDATE url SET outcome = 'skipped', reason_code = ?, reason_detail = ?, owner = ''"
                    " WHERE number IN (SELECT value FROM json_each(?))",
                    *(*stored(takedown.reason), json.dumps(numbers)),
                )
        return n_refused

    def lift(self, takedown: Takedown) -> bool:
        """Undo a takedown: what was refused for it alone is queued again. Whether there was one."""
        with self.transaction():
            there = self._run("DELETE FROM takedown WHERE kind = ? AND value = ?", takedown.kind, takedown.value)
            self._run(
                "UPDATE url SET outcome = 'queued', reason_code = '', reason_detail = ''"
                " WHERE outcome = 'skipped' AND reason_code = ? AND reason_detail = ?",
                *stored(takedown.reason),
            )
            self.take_down(())  # another takedown may cover it too
        return bool(there)

    def forget_texts(self, urls: Iterable[str] = ()) -> None:
        """Erase what strangers wrote about URLs that are taken down, and about `urls`: texts, pages, headers.

        The URLs themselves stay: by them they are known and refused. Afterwards the file holds no trace of the rest.
        """
        blank = """UPDATE url SET alt = '', parent = '', content_type = '', etag = '', last_modified = ''
            WHERE number IN (SELECT value FROM json_each(?))"""
        self._run("PRAGMA secure_delete = ON")
        with self.transaction():
            for takedown in self.takedowns():
                covered = self._covered(takedown, "alt || parent || content_type || etag || last_modified <> ''")
                self._run(blank, json.dumps([number for number, _ in covered]))
            named = self._rows(
                "SELECT number FROM url WHERE url IN (SELECT value FROM json_each(?))", json.dumps(list(urls))
            )
            self._run(blank, json.dumps([number for (number,) in named]))
        self._run("VACUUM")
        if self._rows("PRAGMA wal_checkpoint(TRUNCATE)")[0][0]:
            raise FrontierError("the crawl's memory is being read, so its log still holds what was erased. Repeat it.")

    def _covered(self, takedown: Takedown, condition: str) -> Iterator[tuple[int, str]]:
        """(number, URL) of the lines that fulfil `condition` and are covered."""
        hosts = [host for (host,) in self._rows("SELECT host FROM host") if _may_hold(host, takedown)]
        last = 0
        while hosts:
            lines = self._rows(
                f"SELECT number, url FROM url WHERE {condition} AND host IN (SELECT value FROM json_each(?))"
                " AND number > ? ORDER BY number LIMIT ?",
                *(json.dumps(hosts), last, _LINES_AT_ONCE),
            )
            yield from ((number, url) for number, url in lines if takedown.covers(url))
            if len(lines) < _LINES_AT_ONCE:
                return
            last = lines[-1][0]

    # ------------------------------------------------------------------------
    # what failed

    def seeds(self) -> list[str]:
        """Every seed that was ever crawled."""
        return [seed for (seed,) in self._rows("SELECT DISTINCT seed FROM scope ORDER BY seed")]

    def requeue_failed(self, seeds: Sequence[str]) -> int:
        """Queue again, before everything else, what failed and descends from `seeds`; how many URLs that are.

        robots.txt of their hosts is asked for anew, and at once where a host could not be reached. A time to wait
        that a host asked for stays.
        """
        failed = f"outcome = 'failed' AND kind <> 'check' AND seed IN ({marks(seeds)})"
        with self.transaction():
            self._run(
                f"""UPDATE host SET robots_until = 0, fails = 0,
                    next_at = CASE WHEN trouble_code = '{ReasonCode.UNREACHABLE.value}' THEN 0 ELSE next_at END
                WHERE trouble_code <> '' AND host IN (SELECT host FROM url WHERE {failed})""",
                *seeds,
            )
            return self._run(
                f"""UPDATE url SET outcome = 'queued', reason_code = '', reason_detail = '', tries = 0,
                not_before = 0, misses = 0, rank = -1 - rank WHERE {failed}""",
                *seeds,
            )

    # ------------------------------------------------------------------------
    # refreshing what was kept

    def start_refresh(self, seeds: Sequence[str]) -> bool:
        """Queue a check of every image that is kept and descends from `seeds`, or go on with an unfinished refresh.

        Returns:
            Whether it goes on with one.
        """
        with self.transaction():
            if self._rows("SELECT 1 FROM url WHERE kind = 'check' AND outcome = 'queued' LIMIT 1"):
                return True
            self._run("DELETE FROM url WHERE kind = 'check'")
            self._run("DELETE FROM tally WHERE kind = 'check'")
            copied = "key, url, host, depth, parent, alt, licence, etag, last_modified"
            self._run(
                f"""INSERT INTO url ({copied}, kind, seed, hops, rank)
                SELECT {copied}, 'check', ?, 0, 0 FROM url WHERE kind = 'image' AND seed IN ({marks(seeds)})
                    AND outcome IN ('kept', 'duplicate') AND key NOT LIKE 'inline:%'""",
                *(REFRESH, *seeds),
            )
        return False

    def redirect_check(self, lease: Lease, url: str) -> None:
        """Check the image at `url` instead, to where it was redirected; validators belong to the old address."""
        with self.transaction():
            self._run("INSERT INTO host (host) VALUES (?) ON CONFLICT DO NOTHING", origin(url))
            self._run(
                "UPDATE url SET owner = '', url = ?, host = ?, hops = hops + 1, etag = '', last_modified = ''"
                " WHERE number = ?",
                *(url, origin(url), lease.number),
            )

    def image_of(self, key: str) -> tuple[int, str, int]:
        """(number, URL, refreshes in a row that missed it) of the image that is checked under `key`."""
        ((number, url, misses),) = self._rows(
            "SELECT number, url, misses FROM url WHERE kind = 'image' AND key = ?", key
        )
        return number, url, misses

    def note_missing(self, number: int) -> None:
        """Count a refresh that did not find the image."""
        self._run("UPDATE url SET misses = misses + 1 WHERE number = ?", number)

    def note_gone(self, number: int, status: str) -> None:
        """Settle an image that is no longer there, as its HTTP status says: it has failed, and is not checked again."""
        self.note_missing(number)
        self._run(
            "UPDATE url SET outcome = 'failed', reason_code = ?, reason_detail = ? WHERE number = ?",
            *(ReasonCode.GONE.value, status, number),
        )

    def note_found(self, number: int) -> None:
        """The image is there and as it was."""
        self._run("UPDATE url SET misses = 0 WHERE number = ? AND misses > 0", number)  # seldom, so seldom written

    def checked(self, limit: int) -> list[Checked]:
        """What the refresh has found out so far of images that are not as they were, and what it could not check."""
        rows = self._rows(
            "SELECT url, outcome, reason_code, reason_detail FROM url"
            " WHERE kind = 'check' AND outcome NOT IN ('queued', 'unchanged') ORDER BY number LIMIT ?",
            limit,
        )
        return [Checked(url, outcome, from_stored(*how)) for url, outcome, *how in rows]


def _may_hold(host: str, takedown: Takedown) -> bool:
    """Whether URLs of `host` (scheme, host and port) may be covered."""
    of_host = takedown if takedown.kind == HOST else Takedown(HOST, takedown.host)
    return of_host.covers(f"{host}/")

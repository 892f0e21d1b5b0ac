"""The frontier: which URLs are due, who is fetching them, and what became of each. The only module with SQLite here.

One file, one line per URL (`schema`). A URL is *leased* for a time; a lease past its time, or whose process is dead,
is queued again: that is the whole answer to `kill -9`. Several processes may share a frontier: leases are taken in
one immediate transaction, so none is given twice. The clock is a parameter: every method that needs the time is told.

Knows nothing of HTTP, HTML or the rules of robots.txt.

WAL with synchronous=NORMAL: a killed process loses nothing that was committed (the system holds the pages), a power
cut may lose the last transactions but never breaks the file; what it loses is only fetched again.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crawler.errors import FrontierError
from crawler.frontier.insert import INSERT_HOSTS, batches, crowded_hosts, insert_urls, item
from crawler.frontier.inspect import Survey
from crawler.frontier.lease_owner import new_owner
from crawler.frontier.leases import COUNT_IN_FLIGHT, LEASE_SECONDS, Leases
from crawler.frontier.maintenance import Upkeep
from crawler.frontier.old_reasons import translated
from crawler.frontier.queries import ALL_RANKS, highest_rank, marks
from crawler.frontier.schema import STEPS, VERSION
from crawler.parsing.urls import origin
from crawler.reasons import Reason, ReasonCode, stored
from crawler.records import HOST_COLUMNS, LEASE_COLUMNS, Host, Lease, Link, Settled, host_from_row

_REFUSED_AT_ONCE = 50  # URLs of a host that are looked at for one that robots.txt allows
_BUSY_SECONDS = 30.0  # for another process to end its transaction


def _nothing_refused(host: Host, url: str) -> Reason | None:
    return None


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    """Turn SQLite's and the system's refusals into one sentence that names the file."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        is_refusal = isinstance(error, sqlite3.OperationalError | OSError)  # else the file itself is damaged
        advice = (
            "Check that the disk has space and that you may write there" if is_refusal else "Remove it to crawl afresh"
        )
        raise FrontierError(f"cannot use the crawl's memory {path}: {reason}. {advice}.") from error


def _is_busy(error: FrontierError) -> bool:
    return isinstance(error.__cause__, sqlite3.Error) and error.__cause__.sqlite_errorcode == sqlite3.SQLITE_BUSY


class Frontier(Survey, Upkeep, Leases):
    """One crawl's memory. A context manager, used by one thread. Every method may raise `FrontierError`."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self.owner = new_owner()
        self._connection = connection
        self._has_claimed = False

    @classmethod
    def open(cls, path: Path) -> "Frontier":
        """Open the frontier at `path`, or start one.

        Raises:
            FrontierError: the file cannot be used, or is of another version.
        """
        with _errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
        frontier = cls(path, connection)
        try:
            frontier._create()
        except BaseException:
            connection.close()
            raise
        return frontier

    def _create(self) -> None:
        self._write_ahead()
        self._run("PRAGMA synchronous = NORMAL")
        if self._version() < VERSION:
            self._connection.create_function("old_reason_code", 1, lambda text: translated(text)[0])
            self._connection.create_function("old_reason_detail", 1, lambda text: translated(text)[1])
            with self.transaction():
                for version in range(self._version(), VERSION):  # asked again: another process may have been first
                    for statement in _statements(STEPS[version]):
                        self._run(statement)
                    self._run(f"PRAGMA user_version = {version + 1}")
        if self._version() != VERSION:
            message = f"{self.path} was written by another version of this program. Remove it to crawl afresh."
            raise FrontierError(message)

    def _write_ahead(self) -> None:
        """Switch to WAL. SQLite does not wait here for a process that does the same at this moment, so we do."""
        ends_at = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                self._run("PRAGMA journal_mode = WAL")
                return
            except FrontierError as error:
                if not _is_busy(error) or time.monotonic() > ends_at:
                    raise
            time.sleep(0.01)

    def _version(self) -> int:
        return int(self._rows("PRAGMA user_version")[0][0])

    def close(self) -> None:
        """Give back the leases that are still held, and close."""
        try:
            if self._has_claimed:  # a reader must not have to wait for a writer
                self.release()
        finally:
            self._connection.close()

    def __enter__(self) -> "Frontier":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is done inside is written whole or not at all; inside another transaction, as part of that one."""
        if self._connection.in_transaction:
            yield
            return
        self._run("BEGIN IMMEDIATE")
        try:
            yield
            self._run("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._run("ROLLBACK")

    def _run(self, sql: str, *values: object) -> int:
        with _errors(self.path):
            return self._connection.execute(sql, values).rowcount

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with _errors(self.path):
            return self._connection.execute(sql, values).fetchall()

    # ------------------------------------------------------------------------
    # adding

    def start_seed(self, seed: str, site: str) -> None:
        """Queue the page `seed` unless it has been read, and take its `site` into scope.

        Where it could not be read, it is tried again at once, and robots.txt of its host is asked for anew: whoever
        repeats the command may have mended the site. A time to wait that the host itself asked for stays.
        """
        with self.transaction():
            self.add([Link(url=seed, kind="page", seed=seed)])
            again = self._run(
                "UPDATE url SET outcome = 'queued', reason_code = '', reason_detail = '', tries = 0, not_before = 0"
                " WHERE seed = ? AND depth = 0 AND rank = 1 AND outcome IN ('failed', 'skipped')",
                seed,
            )
            host = origin(seed)
            if again:
                self._run("UPDATE host SET robots_until = 0 WHERE host = ?", host)
            self._run(
                "UPDATE host SET robots_until = 0, next_at = 0, fails = 0 WHERE host = ? AND trouble_code = ?",
                *(host, ReasonCode.UNREACHABLE.value),
            )
            self.widen_scope(seed, site)

    def add(self, links: Iterable[Link]) -> None:
        """Write down the URLs that are new.

        One that waits, or was out of scope or refused by where it stood, and is found in scope now and not refused
        passes to the new seed; a settled one stays. Pages and sitemaps beyond the number that is taken from one host
        are skipped.
        """
        statement = insert_urls()
        with self.transaction():
            for rows in batches(links):
                self._run(INSERT_HOSTS, rows)
                self._run(statement, rows)

    def crowded_hosts(self) -> list[str]:
        """The hosts of which URLs were left out because there are so many."""
        return [host for (host,) in self._rows(crowded_hosts())]

    def widen_scope(self, seed: str, site: str) -> None:
        self._run("INSERT INTO scope VALUES (?, ?) ON CONFLICT DO NOTHING", seed, site)

    def reopen(self, seeds: Sequence[str], code: ReasonCode, *, max_depth: int = ALL_RANKS) -> None:
        """Queue again what was settled for a reason that no longer holds."""
        with self.transaction():
            self._run(
                f"""UPDATE url SET outcome = 'queued', reason_code = '', reason_detail = '', tries = 0, not_before = 0
                WHERE seed IN ({marks(seeds)}) AND outcome IN ('skipped', 'failed') AND reason_code = ?
                AND depth <= ?""",
                *(*seeds, code.value, max_depth),
            )

    # ------------------------------------------------------------------------
    # leasing

    def claim(
        self,
        now: float,
        limit: int,
        *,
        seeds: Sequence[str],
        images_only: bool = False,
        retries_only: bool = False,
        per_host: int = 1,
        delay: float = 0.0,
        refuse: Callable[[Host, str], Reason | None] = _nothing_refused,
    ) -> tuple[list[Lease], list[Host]]:
        """Lease up to `limit` URLs that descend from `seeds`, images first; none of a host that is not yet due.

        A host whose robots.txt is not known, or is stale, gives none of its URLs: it is leased itself, once, for
        whoever asks for that file. `refuse(host, url)` is asked before a URL is leased; its reason skips the URL.
        `retries_only`: of what `requeue_failed` queued, nothing else.

        Returns:
            The leases, and the hosts to ask for robots.txt.
        """
        leases: list[Lease] = []
        asked: list[Host] = []
        max_rank = highest_rank(images_only=images_only, retries_only=retries_only)
        self._has_claimed = True
        with self.transaction():
            self._queue_overdue(now)
            for host in self._due_hosts(now, limit, seeds, max_rank, per_host):
                room = limit - len(leases) - len(asked)
                if room <= 0:
                    break
                if host.robots_until <= now:
                    until = now + LEASE_SECONDS
                    self._run("UPDATE host SET owner = ?, lease_until = ? WHERE host = ?", self.owner, until, host.host)
                    asked.append(host)
                    continue
                room = min(room, (1 if host.delay else per_host) - self._in_flight(host.host))
                taken = self._lease_urls(host, now, room, seeds, max_rank, refuse) if room > 0 else []
                leases += taken
                if taken and (delay or host.delay):
                    self.pace(host.host, now + max(delay, host.delay))
        return leases, asked

    def _due_hosts(self, now: float, limit: int, seeds: Sequence[str], max_rank: int, per_host: int) -> list[Host]:
        # Those that are busy are left out here: slow ones, due the longest, would leave no place for others.
        rows = self._rows(
            f"""SELECT {HOST_COLUMNS} FROM host WHERE next_at <= ? AND owner = '' AND EXISTS (
                SELECT 1 FROM url WHERE seed IN ({marks(seeds)}) AND url.host = host.host AND outcome = 'queued'
                AND url.owner = '' AND rank <= ? AND not_before <= ?)
            AND ({COUNT_IN_FLIGHT} host.host) < CASE delay WHEN 0 THEN ? ELSE 1 END
            ORDER BY next_at LIMIT ?""",
            *(now, *seeds, max_rank, now, per_host, 4 * limit),
        )
        return [host_from_row(row) for row in rows]

    def _lease_urls(
        self,
        host: Host,
        now: float,
        room: int,
        seeds: Sequence[str],
        max_rank: int,
        refuse: Callable[[Host, str], Reason | None],
    ) -> list[Lease]:
        taken: list[Lease] = []
        for seed in seeds:
            rows = self._rows(
                f"""SELECT {LEASE_COLUMNS} FROM url WHERE seed = ? AND host = ? AND outcome = 'queued' AND owner = ''
                AND rank <= ? AND not_before <= ? ORDER BY rank, number LIMIT ?""",
                *(seed, host.host, max_rank, now, max(room, _REFUSED_AT_ONCE)),
            )
            for lease in (Lease(*row) for row in rows):
                if len(taken) >= room:
                    break
                if reason := refuse(host, lease.url):
                    self._run(
                        "UPDATE url SET outcome = 'skipped', reason_code = ?, reason_detail = ? WHERE number = ?",
                        *(*stored(reason), lease.number),
                    )
                else:
                    taken.append(lease)
        self._run(
            "UPDATE url SET owner = ?, lease_until = ? WHERE number IN (SELECT value FROM json_each(?))",
            *(self.owner, now + LEASE_SECONDS, json.dumps([lease.number for lease in taken])),
        )
        return taken

    # ------------------------------------------------------------------------
    # settling

    def settle(self, settled: Iterable[Settled]) -> None:
        """Write down what became of leased URLs; nothing where a lease ran out and went to another."""
        rows = []
        for lease, outcome, reason, kind in settled:
            if kind == "image" != lease.kind and self.knows_image(lease.key):
                kind, outcome, reason = lease.kind, "moved", Reason(ReasonCode.KNOWN_AS_IMAGE)
            rows.append((lease.number, outcome, *stored(reason), kind or lease.kind))
        self._run(
            f"""UPDATE url SET owner = '', outcome = {item(1)}, reason_code = {item(2)}, reason_detail = {item(3)},
                kind = {item(4)}
            FROM json_each(?) WHERE number = {item(0)} AND owner = ?""",
            *(json.dumps(rows), self.owner),
        )

    def retry(self, lease: Lease, not_before: float, reason: Reason) -> None:
        """Queue a leased URL again, for a later time."""
        self._run(
            "UPDATE url SET owner = '', tries = tries + 1, not_before = ?, reason_code = ?, reason_detail = ?"
            " WHERE number = ? AND owner = ?",
            *(not_before, *stored(reason), lease.number, self.owner),
        )

    def redirect_in_place(self, lease: Lease, url: str) -> None:
        """Queue a leased URL again under another spelling of the same key."""
        self._run(
            "UPDATE url SET owner = '', url = ?, hops = hops + 1 WHERE number = ? AND owner = ?",
            *(url, lease.number, self.owner),
        )

    def pace(self, host: str, next_at: float) -> None:
        """No request to `host` before `next_at`; a later time that was set before stays."""
        self._run("UPDATE host SET next_at = ? WHERE host = ? AND next_at < ?", next_at, host, next_at)

    def note_answer(self, host: str, answer_seconds: float) -> None:
        """Write down the running mean of the answer times of `host`."""
        self._run("UPDATE host SET answer_seconds = ? WHERE host = ?", answer_seconds, host)

    def note_trouble(self, host: str, trouble: Reason | None) -> int:
        """Count a failure to reach `host`, or with None forget those before; how many there are in a row."""
        fails = "0" if trouble is None else "fails + 1"
        self._run(
            f"UPDATE host SET fails = {fails}, trouble_code = ?, trouble_detail = ? WHERE host = ?",
            *(*stored(trouble), host),
        )
        return self.host(host).fails

    def set_robots(self, host: str, state: str, until: float, *, text: str = "", delay: float = 0.0) -> None:
        """Write down the answer for robots.txt of `host` (`robots.RobotsState`), and give the host back."""
        self._run(
            "UPDATE host SET robots_state = ?, robots_until = ?, robots = ?, delay = ?, owner = '' WHERE host = ?",
            *(state, until, text, delay, host),
        )

    def settle_host(self, host: str, outcome: str, reason: Reason | None) -> None:
        """Settle everything that waits on `host`, and give the host back."""
        self._run(
            "UPDATE url SET outcome = ?, reason_code = ?, reason_detail = ?"
            " WHERE host = ? AND outcome = 'queued' AND owner = ''",
            *(outcome, *stored(reason), host),
        )
        self._run("UPDATE host SET owner = '' WHERE host = ?", host)


def _statements(script: str) -> Iterator[str]:
    """The statements of `script` one by one: executescript() would end the transaction that they belong to."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""

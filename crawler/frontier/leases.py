"""Leases on the URLs and hosts of a frontier: taken, renewed, ended by an outcome, run out, given back.

A lease is held until its holder settles the URL or gives it back, is known to be dead, or has shown no sign of life
for `LEASE_SECONDS`. Leases are taken in one immediate transaction, so that of several processes that share a frontier
no two get the same URL.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from crawler.frontier.database import FrontierDatabase, marks
from crawler.frontier.hosts import Hosts
from crawler.frontier.insert import item
from crawler.frontier.lease_owner import is_dead, new_owner
from crawler.reasons import Reason, ReasonCode, stored
from crawler.records import HOST_COLUMNS, LEASE_COLUMNS, Host, Lease, Settled, host_from_row

LEASE_SECONDS = 180.0  # without a sign of life of the holder
_RENEW_SECONDS = LEASE_SECONDS / 6
_OVERDUE_SECONDS = 1.0  # how often to look for leases past their time
_REFUSED_AT_ONCE = 50  # URLs of a host that are examined to find one that robots.txt allows
_ALL_RANKS = 1_000_000  # beyond the rank of any page; images have rank 0
_COUNT_IN_FLIGHT = "SELECT COUNT(*) FROM url WHERE outcome = 'queued' AND url.owner <> '' AND url.host ="

Refuse = Callable[[Host, str], Reason | None]  # why a URL of a host may not be fetched; None if it may


def knows_image(database: FrontierDatabase, key: str) -> bool:
    """Return whether there is an image under `key`."""
    return bool(database.rows("SELECT 1 FROM url WHERE kind = 'image' AND key = ?", key))


class Selection(NamedTuple):
    """The URLs that a crawl may lease."""

    seeds: Sequence[str]  # those that descend from these
    images_only: bool = False
    retries_only: bool = False  # those that `Frontier.requeue_failed` queued

    @property
    def max_rank(self) -> int:
        """The highest rank: images have 0, and what is retried lies below (`schema`)."""
        return -1 if self.retries_only else 0 if self.images_only else _ALL_RANKS


def _nothing_refused(host: Host, url: str) -> Reason | None:
    return None


class Leases:
    """The leases of one holder, and what is due for it. Times are seconds since 1970, given by the caller."""

    def __init__(self, database: FrontierDatabase, hosts: Hosts) -> None:
        self.owner = new_owner()
        self._database = database
        self._hosts = hosts
        self._has_claimed = False
        self._overdue_at = 0.0  # when to look for leases past their time
        self._renew_at = 0.0

    # ------------------------------------------------------------------------
    # taking

    def claim(
        self,
        now: float,
        limit: int,
        selection: Selection,
        *,
        per_host: int = 1,
        delay: float = 0.0,
        refuse: Refuse = _nothing_refused,
    ) -> tuple[list[Lease], list[Host]]:
        """Lease up to `limit` URLs, images first; none of a host that is not yet due.

        A host whose robots.txt is unknown or stale gives none of its URLs: it is leased itself, once, to fetch that
        file. A URL for which `refuse` returns a reason is skipped instead of leased.

        Returns:
            The leases, and the hosts whose robots.txt is to be fetched.
        """
        leases: list[Lease] = []
        to_ask: list[Host] = []
        self._has_claimed = True
        with self._database.transaction():
            self._queue_overdue(now)
            for host in self._due_hosts(now, limit, selection, per_host):
                room = limit - len(leases) - len(to_ask)
                if room <= 0:
                    break
                if host.robots_until <= now:
                    self._lease_host(host, now)
                    to_ask.append(host)
                    continue
                room = min(room, (1 if host.delay else per_host) - self._in_flight(host.host))
                taken = self._lease_urls(host, now, room, selection, refuse) if room > 0 else []
                leases += taken
                if taken and (delay or host.delay):
                    self._hosts.pace(host.host, now + max(delay, host.delay))
        return leases, to_ask

    def _due_hosts(self, now: float, limit: int, selection: Selection, per_host: int) -> list[Host]:
        # Busy hosts are left out here: slow ones, which are due the longest, would leave no place for others.
        rows = self._database.rows(
            f"""SELECT {HOST_COLUMNS} FROM host WHERE next_at <= ? AND owner = '' AND EXISTS (
                SELECT 1 FROM url WHERE seed IN ({marks(selection.seeds)}) AND url.host = host.host
                AND outcome = 'queued' AND url.owner = '' AND rank <= ? AND not_before <= ?)
            AND ({_COUNT_IN_FLIGHT} host.host) < CASE delay WHEN 0 THEN ? ELSE 1 END
            ORDER BY next_at LIMIT ?""",
            *(now, *selection.seeds, selection.max_rank, now, per_host, 4 * limit),
        )
        return [host_from_row(row) for row in rows]

    def _lease_host(self, host: Host, now: float) -> None:
        self._database.run(
            "UPDATE host SET owner = ?, lease_until = ? WHERE host = ?", self.owner, now + LEASE_SECONDS, host.host
        )

    def _lease_urls(self, host: Host, now: float, room: int, selection: Selection, refuse: Refuse) -> list[Lease]:
        taken: list[Lease] = []
        for seed in selection.seeds:
            rows = self._database.rows(
                f"""SELECT {LEASE_COLUMNS} FROM url WHERE seed = ? AND host = ? AND outcome = 'queued' AND owner = ''
                AND rank <= ? AND not_before <= ? ORDER BY rank, number LIMIT ?""",
                *(seed, host.host, selection.max_rank, now, max(room, _REFUSED_AT_ONCE)),
            )
            for lease in (Lease(*row) for row in rows):
                if len(taken) >= room:
                    break
                if reason := refuse(host, lease.url):
                    self._skip(lease, reason)
                else:
                    taken.append(lease)
        self._database.run(
            "UPDATE url SET owner = ?, lease_until = ? WHERE number IN (SELECT value FROM json_each(?))",
            *(self.owner, now + LEASE_SECONDS, json.dumps([lease.number for lease in taken])),
        )
        return taken

    def _skip(self, lease: Lease, reason: Reason) -> None:
        self._database.run(
            "UPDATE url SET outcome = 'skipped', reason_code = ?, reason_detail = ? WHERE number = ?",
            *(*stored(reason), lease.number),
        )

    def _in_flight(self, host: str) -> int:
        return int(self._database.rows(f"{_COUNT_IN_FLIGHT} ?", host)[0][0])

    # ------------------------------------------------------------------------
    # what is due, and what others hold

    def next_due(self, now: float, selection: Selection) -> float | None:
        """Return when a URL will be due, as far as is known; None where none waits."""
        waiting = f"""url WHERE seed IN ({marks(selection.seeds)}) AND url.host = host.host AND outcome = 'queued'
            AND url.owner = '' AND rank <= ?"""
        filters = (*selection.seeds, selection.max_rank)
        # Most URLs may be fetched as soon as their host may; the earliest is searched only where none may.
        rows = self._database.rows(
            f"""SELECT MIN(due) FROM (SELECT CASE
                    WHEN EXISTS (SELECT 1 FROM {waiting} AND not_before <= MAX(?, next_at)) THEN next_at
                    ELSE (SELECT MIN(not_before) FROM {waiting}) END AS due FROM host)""",
            *(*filters, now, *filters),
        )
        due = rows[0][0]
        return None if due is None else float(due)

    def others_hold_until(self, selection: Selection) -> float | None:
        """Return when the last lease of another holder runs out; None where others hold nothing."""
        rows = self._database.rows(
            f"""SELECT MAX(lease_until) FROM url WHERE outcome = 'queued' AND owner <> '' AND owner <> ? AND rank <= ?
            AND seed IN ({marks(selection.seeds)})""",
            *(self.owner, selection.max_rank, *selection.seeds),
        )
        until = rows[0][0]
        return None if until is None else float(until)

    # ------------------------------------------------------------------------
    # ending, by what came of the URL

    def settle(self, settled: Iterable[Settled]) -> None:
        """Store the outcome of leased URLs; nothing where a lease ran out and went to another holder."""
        rows = []
        for lease, outcome, reason, kind in settled:
            if kind == "image" != lease.kind and knows_image(self._database, lease.key):
                known = stored(Reason(ReasonCode.KNOWN_AS_IMAGE))
                rows.append((lease.number, "moved", *known, lease.kind))
            else:
                rows.append((lease.number, outcome, *stored(reason), kind or lease.kind))
        self._database.run(
            f"""UPDATE url SET owner = '', outcome = {item(1)}, reason_code = {item(2)}, reason_detail = {item(3)},
                kind = {item(4)}
            FROM json_each(?) WHERE number = {item(0)} AND owner = ?""",
            *(json.dumps(rows), self.owner),
        )

    def retry(self, lease: Lease, not_before: float, reason: Reason) -> None:
        """Queue a leased URL again, for a later time."""
        self._database.run(
            "UPDATE url SET owner = '', tries = tries + 1, not_before = ?, reason_code = ?, reason_detail = ?"
            " WHERE number = ? AND owner = ?",
            *(not_before, *stored(reason), lease.number, self.owner),
        )

    def redirect_in_place(self, lease: Lease, url: str) -> None:
        """Queue a leased URL again under another spelling of the same key."""
        self._database.run(
            "UPDATE url SET owner = '', url = ?, hops = hops + 1 WHERE number = ? AND owner = ?",
            *(url, lease.number, self.owner),
        )

    # ------------------------------------------------------------------------
    # renewing, running out, giving back

    def renew(self, now: float) -> None:
        """Prolong all leases of this holder, every half minute: a URL may wait long for a thread.

        To be called every few seconds, so that only the leases of a dead or stopped holder run out.
        """
        if now < self._renew_at:
            return
        self._renew_at = now + _RENEW_SECONDS
        until = now + LEASE_SECONDS
        with self._database.transaction():
            self._database.run(
                "UPDATE url SET lease_until = ? WHERE outcome = 'queued' AND owner <> '' AND owner = ?",
                *(until, self.owner),
            )
            self._database.run("UPDATE host SET lease_until = ? WHERE owner = ?", until, self.owner)

    def reclaim(self) -> int:
        """Queue again what dead processes of this machine left leased; return the number of URLs."""
        with self._database.transaction():
            owners = self._database.rows(
                "SELECT owner FROM url WHERE outcome = 'queued' AND owner <> ''"
                " UNION SELECT owner FROM host WHERE owner <> ''"
            )
            return sum(self._release(owner) for (owner,) in owners if is_dead(owner))

    def release(self) -> None:
        """Give back all leases of this holder."""
        if self._has_claimed:  # who only read must not wait for a writer here
            with self._database.transaction():
                self._release(self.owner)

    def _release(self, owner: str) -> int:
        self._database.run("UPDATE host SET owner = '' WHERE owner = ?", owner)
        return self._database.run(
            "UPDATE url SET owner = '' WHERE outcome = 'queued' AND owner <> '' AND owner = ?", owner
        )

    def _queue_overdue(self, now: float) -> None:
        """Queue again, about once a second, what is leased past its time."""
        if now < self._overdue_at:
            return
        self._overdue_at = now + _OVERDUE_SECONDS
        self._database.run(
            "UPDATE url SET owner = '' WHERE outcome = 'queued' AND owner <> '' AND lease_until <= ?", now
        )
        self._database.run("UPDATE host SET owner = '' WHERE owner <> '' AND lease_until <= ?", now)

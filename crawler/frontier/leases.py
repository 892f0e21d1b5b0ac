"""How leases on URLs and hosts are prolonged, run out and are given back. `frontier` takes them and brings SQLite.

A lease is held until its holder settles the URL, gives it back, is known to be dead, or has shown no sign of life for
`LEASE_SECONDS`.
"""

from abc import abstractmethod
from contextlib import AbstractContextManager

from crawler.frontier.lease_owner import is_dead
from crawler.frontier.queries import Ledger

LEASE_SECONDS = 180.0  # without a sign of life of its holder
_RENEW_SECONDS = LEASE_SECONDS / 6
COUNT_IN_FLIGHT = "SELECT COUNT(*) FROM url WHERE outcome = 'queued' AND url.owner <> '' AND url.host ="
_OVERDUE_SECONDS = 1.0  # how often leases past their time are looked for


class Leases(Ledger):
    """The part of the frontier that knows who holds what."""

    owner: str  # whose leases this holds
    _overdue_at = 0.0  # when to look for leases past their time
    _renew_at = 0.0

    @abstractmethod
    def _run(self, sql: str, *values: object) -> int:
        """Carry out `sql`; how many rows it changed."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """What is done inside is written whole or not at all."""

    def renew(self, now: float) -> None:
        """Prolong all leases that are held, now and then: a URL may wait long for a thread where slow hosts hold all.

        To be called every few seconds, so that only the leases of a dead or stopped holder run out.
        """
        if now < self._renew_at:
            return
        self._renew_at = now + _RENEW_SECONDS
        until = now + LEASE_SECONDS
        with self.transaction():
            self._run(
                "UPDATE url SET lease_until = ? WHERE outcome = 'queued' AND owner <> '' AND owner = ?",
                *(until, self.owner),
            )
            self._run("UPDATE host SET lease_until = ? WHERE owner = ?", until, self.owner)

    def reclaim(self) -> int:
        """Queue again what dead processes of this machine left leased; how many URLs that were."""
        with self.transaction():
            owners = self._rows(
                "SELECT owner FROM url WHERE outcome = 'queued' AND owner <> ''"
                " UNION SELECT owner FROM host WHERE owner <> ''"
            )
            return sum(self._release(owner) for (owner,) in owners if is_dead(owner))

    def release(self) -> None:
        """Give back all leases that are held."""
        with self.transaction():
            self._release(self.owner)

    def _release(self, owner: str) -> int:
        self._run("UPDATE host SET owner = '' WHERE owner = ?", owner)
        return self._run("UPDATE url SET owner = '' WHERE outcome = 'queued' AND owner <> '' AND owner = ?", owner)

    def _queue_overdue(self, now: float) -> None:
        """Queue again, now and then, what is leased past its time."""
        if now < self._overdue_at:
            return
        self._overdue_at = now + _OVERDUE_SECONDS
        self._run("UPDATE url SET owner = '' WHERE outcome = 'queued' AND owner <> '' AND lease_until <= ?", now)
        self._run("UPDATE host SET owner = '' WHERE owner <> '' AND lease_until <= ?", now)

    def _in_flight(self, host: str) -> int:
        return int(self._rows(f"{COUNT_IN_FLIGHT} ?", host)[0][0])

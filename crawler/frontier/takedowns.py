"""The takedowns of a frontier: what must not be fetched, and the URLs that were refused for each."""

import json
from collections.abc import Iterable, Iterator

from crawler.errors import FrontierError
from crawler.frontier.database import FrontierDatabase
from crawler.reasons import stored
from crawler.takedown import HOST, Takedown

_URLS_AT_ONCE = 10_000


class Takedowns:
    """Adds and lifts takedowns, and erases texts about what is taken down."""

    def __init__(self, database: FrontierDatabase) -> None:
        self._database = database

    def all(self) -> list[Takedown]:
        """Return the takedowns that hold."""
        return [Takedown(kind, value) for kind, value in self._database.rows("SELECT kind, value FROM takedown")]

    def add(self, takedowns: Iterable[Takedown]) -> int:
        """Remember takedowns, and skip every queued URL that any takedown covers; return the number of these URLs."""
        n_refused = 0
        with self._database.transaction():
            for takedown in takedowns:
                self._database.run(
                    "INSERT INTO takedown VALUES (?, ?) ON CONFLICT DO NOTHING", takedown.kind, takedown.value
                )
            for takedown in self.all():
                numbers = [number for number, _ in self._covered(takedown, "outcome = 'queued'")]
                n_refused += self._database.run(
                    "UPDATE url SET outcome = 'skipped', reason_code = ?, reason_detail = ?, owner = ''"
                    " WHERE number IN (SELECT value FROM json_each(?))",
                    *(*stored(takedown.reason), json.dumps(numbers)),
                )
        return n_refused

    def lift(self, takedown: Takedown) -> bool:
        """Undo a takedown, and queue again what was refused for it alone; return whether there was one."""
        with self._database.transaction():
            n_lifted = self._database.run(
                "DELETE FROM takedown WHERE kind = ? AND value = ?", takedown.kind, takedown.value
            )
            self._database.run(
                "UPDATE url SET outcome = 'queued', reason_code = '', reason_detail = ''"
                " WHERE outcome = 'skipped' AND reason_code = ? AND reason_detail = ?",
                *stored(takedown.reason),
            )
            self.add(())  # another takedown may cover it too
        return bool(n_lifted)

    def forget_texts(self, urls: Iterable[str] = ()) -> None:
        """Erase texts, pages and headers of URLs that are taken down, and of `urls`.

        The URLs themselves stay: they are needed to refuse them. Nothing of the rest is left in the file.
        """
        blank = """UPDATE url SET alt = '', parent = '', content_type = '', etag = '', last_modified = ''
            WHERE number IN (SELECT value FROM json_each(?))"""
        self._database.run("PRAGMA secure_delete = ON")
        with self._database.transaction():
            for takedown in self.all():
                covered = self._covered(takedown, "alt || parent || content_type || etag || last_modified <> ''")
                self._database.run(blank, json.dumps([number for number, _ in covered]))
            named = self._database.rows(
                "SELECT number FROM url WHERE url IN (SELECT value FROM json_each(?))", json.dumps(list(urls))
            )
            self._database.run(blank, json.dumps([number for (number,) in named]))
        self._database.run("VACUUM")
        if self._database.rows("PRAGMA wal_checkpoint(TRUNCATE)")[0][0]:
            raise FrontierError("the crawl's memory is being read, so its log still holds what was erased. Repeat it.")

    def _covered(self, takedown: Takedown, condition: str) -> Iterator[tuple[int, str]]:
        """(number, URL) of the rows that meet `condition` and are covered."""
        hosts = [host for (host,) in self._database.rows("SELECT host FROM host") if _may_hold(host, takedown)]
        last = 0
        while hosts:
            rows = self._database.rows(
                f"SELECT number, url FROM url WHERE {condition} AND host IN (SELECT value FROM json_each(?))"
                " AND number > ? ORDER BY number LIMIT ?",
                *(json.dumps(hosts), last, _URLS_AT_ONCE),
            )
            yield from ((number, url) for number, url in rows if takedown.covers(url))
            if len(rows) < _URLS_AT_ONCE:
                return
            last = rows[-1][0]


def _may_hold(host: str, takedown: Takedown) -> bool:
    """Whether URLs of `host` (scheme, host and port) may be covered."""
    of_host = takedown if takedown.kind == HOST else Takedown(HOST, takedown.host)
    return of_host.covers(f"{host}/")

"""The checks of a refresh: each image that was kept is fetched again, once per refresh.

While a refresh lasts, each image has a second row, of kind `check` and with the seed `REFRESH`; so pace, robots.txt,
leases and tries are those of any crawl, and an interrupted refresh can be continued.
"""

from collections.abc import Sequence
from typing import NamedTuple

from crawler.frontier.database import FrontierDatabase, marks
from crawler.parsing.urls import origin
from crawler.reasons import Reason, ReasonCode, from_stored
from crawler.records import Lease

REFRESH = "refresh"  # the seed of all checks; it is no URL, so no crawl has it


class Checked(NamedTuple):
    """Outcome of the check of one image."""

    url: str
    outcome: str  # unchanged, changed, missing, gone; skipped or failed where it could not be checked
    reason: Reason | None


class CheckedImage(NamedTuple):
    """The image that a check belongs to."""

    number: int  # of its row
    url: str
    misses: int  # refreshes in a row that did not find it


class Checks:
    """Reads and writes the rows of a refresh."""

    def __init__(self, database: FrontierDatabase) -> None:
        self._database = database

    def start(self, seeds: Sequence[str]) -> bool:
        """Queue a check of every image that is kept and descends from `seeds`, or continue an unfinished refresh.

        Returns:
            Whether an unfinished refresh is continued.
        """
        with self._database.transaction():
            if self._database.rows("SELECT 1 FROM url WHERE kind = 'check' AND outcome = 'queued' LIMIT 1"):
                return True
            self._database.run("DELETE FROM url WHERE kind = 'check'")
            self._database.run("DELETE FROM tally WHERE kind = 'check'")
            copied = "key, url, host, depth, parent, alt, licence, etag, last_modified"
            self._database.run(
                f"""INSERT INTO url ({copied}, kind, seed, hops, rank)
                SELECT {copied}, 'check', ?, 0, 0 FROM url WHERE kind = 'image' AND seed IN ({marks(seeds)})
                    AND outcome IN ('kept', 'duplicate') AND key NOT LIKE 'inline:%'""",
                *(REFRESH, *seeds),
            )
        return False

    def redirect(self, lease: Lease, url: str) -> None:
        """Check the image at `url`, its redirect target, instead; validators belong to the old address."""
        with self._database.transaction():
            self._database.run("INSERT INTO host (host) VALUES (?) ON CONFLICT DO NOTHING", origin(url))
            self._database.run(
                "UPDATE url SET owner = '', url = ?, host = ?, hops = hops + 1, etag = '', last_modified = ''"
                " WHERE number = ?",
                *(url, origin(url), lease.number),
            )

    def image(self, key: str) -> CheckedImage:
        """Return the image that is checked under `key`."""
        sql = "SELECT number, url, misses FROM url WHERE kind = 'image' AND key = ?"
        (row,) = self._database.rows(sql, key)
        return CheckedImage(*row)

    def note_missing(self, number: int) -> None:
        """Count a refresh that did not find the image."""
        self._database.run("UPDATE url SET misses = misses + 1 WHERE number = ?", number)

    def note_gone(self, number: int, status: str) -> None:
        """Let an image fail that is no longer there, as its HTTP `status` says; it is not checked again."""
        self.note_missing(number)
        self._database.run(
            "UPDATE url SET outcome = 'failed', reason_code = ?, reason_detail = ? WHERE number = ?",
            *(ReasonCode.GONE.value, status, number),
        )

    def note_found(self, number: int) -> None:
        """Reset the count of refreshes that did not find the image."""
        self._database.run("UPDATE url SET misses = 0 WHERE number = ? AND misses > 0", number)  # seldom writes

    def changes(self, limit: int) -> list[Checked]:
        """Return the outcomes of this refresh so far, without images that are unchanged."""
        rows = self._database.rows(
            "SELECT url, outcome, reason_code, reason_detail FROM url"
            " WHERE kind = 'check' AND outcome NOT IN ('queued', 'unchanged') ORDER BY number LIMIT ?",
            limit,
        )
        return [Checked(url, outcome, from_stored(*how)) for url, outcome, *how in rows]

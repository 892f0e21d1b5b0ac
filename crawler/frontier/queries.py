"""What the frontier can be asked: counts, reasons, hosts, what is due. Reads only; `frontier` brings the connection."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

from crawler.parsing.urls import url_key
from crawler.reasons import Reason, from_stored
from crawler.records import HOST_COLUMNS, Host, Link, host_from_row

IMAGE_OUTCOMES = ("kept", "duplicate", "skipped", "failed", "queued")
ALL_RANKS = 1_000_000  # beyond the rank of any page; images have rank 0


class Ledger(ABC):
    """The reading half of the frontier."""

    @abstractmethod
    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows that `sql` gives."""

    def host(self, host: str) -> Host:
        return host_from_row(self._rows(f"SELECT {HOST_COLUMNS} FROM host WHERE host = ?", host)[0])

    def counts(self, seeds: Sequence[str] | None = None) -> dict[str, int]:
        """How many images have which outcome: kept, duplicate, skipped, failed, queued; of `seeds`, or of all."""
        counted = self.tally("image", seeds)
        return {outcome: counted.get(outcome, 0) for outcome in IMAGE_OUTCOMES}

    def tally(self, kind: str, seeds: Sequence[str] | None = None) -> dict[str, int]:
        """Outcome -> how many URLs of `kind` (image or page) have it."""
        chosen = "" if seeds is None else f"AND seed IN ({marks(seeds)})"
        sql = f"SELECT outcome, SUM(n) FROM tally WHERE kind = ? {chosen} GROUP BY outcome"
        return dict(self._rows(sql, kind, *(seeds or ())))

    def reasons(self, kind: str, seeds: Sequence[str]) -> list[tuple[str, Reason, int]]:
        """(outcome, reason, how many) of the settled URLs of `kind` that have a reason."""
        rows = self._rows(
            f"""SELECT outcome, reason_code, reason_detail, COUNT(*) FROM url WHERE seed IN ({marks(seeds)})
            AND kind = ? AND outcome <> 'queued' AND reason_code <> '' GROUP BY outcome, reason_code, reason_detail""",
            *(*seeds, kind),
        )
        return [(outcome, reason, n) for outcome, *how, n in rows if (reason := from_stored(*how)) is not None]

    def first_page(self, seed: str) -> tuple[str, str, Reason | None]:
        """(URL, outcome, reason) of the page `seed`, or of the last one it redirected to."""
        (row,) = self._rows(  # rank 1: the seed; -2: while it waits to be retried
            "SELECT url, outcome, reason_code, reason_detail FROM url WHERE seed = ? AND depth = 0 AND rank IN (1, -2)"
            " ORDER BY outcome = 'moved', number DESC LIMIT 1",
            seed,
        )
        url, outcome, *how = row
        return url, outcome, from_stored(*how)

    def knows_image(self, key: str) -> bool:
        """Whether an image is written down under `key`."""
        return bool(self._rows("SELECT 1 FROM url WHERE kind = 'image' AND key = ?", key))

    def sites(self, seeds: Sequence[str]) -> set[str]:
        """The sites that pages of `seeds` may be on."""
        return {site for (site,) in self._rows(f"SELECT site FROM scope WHERE seed IN ({marks(seeds)})", *seeds)}

    def leased_until(
        self, seeds: Sequence[str], *, but_by: str, images_only: bool = False, retries_only: bool = False
    ) -> float | None:
        """When the last lease that another than `but_by` holds on a URL of `seeds` runs out; None without any."""
        rows = self._rows(
            f"""SELECT MAX(lease_until) FROM url WHERE outcome = 'queued' AND owner <> '' AND owner <> ? AND rank <= ?
            AND seed IN ({marks(seeds)})""",
            *(but_by, highest_rank(images_only=images_only, retries_only=retries_only), *seeds),
        )
        until = rows[0][0]
        return None if until is None else float(until)

    def redirect_target(self, link: Link) -> str:
        """Where the URL of `link` was found to redirect to; "" where it does not, or was not asked yet."""
        key = link.key or url_key(link.url)
        # Spelled out, not bound: SQLite finds the partial indexes by these words.
        same = "kind = 'image'" if link.kind == "image" else f"kind = '{link.kind}' AND seed = ?"
        values = [key] if link.kind == "image" else [key, link.seed]
        rows = self._rows(
            f"SELECT redirect_to FROM url WHERE key = ? AND {same} AND outcome = 'moved' AND redirect_to <> ''",
            *values,
        )
        return str(rows[0][0]) if rows else ""

    def next_due(
        self, now: float, *, seeds: Sequence[str], images_only: bool = False, retries_only: bool = False
    ) -> float | None:
        """When a URL of `seeds` will be due, as far as is known; None where none waits."""
        waiting = f"""url WHERE seed IN ({marks(seeds)}) AND url.host = host.host AND outcome = 'queued'
            AND url.owner = '' AND rank <= ?"""
        filters = (*seeds, highest_rank(images_only=images_only, retries_only=retries_only))
        # Most URLs may be fetched as soon as their host may; only where none may is the earliest looked for.
        rows = self._rows(
            f"""SELECT MIN(due) FROM (SELECT CASE
                    WHEN EXISTS (SELECT 1 FROM {waiting} AND not_before <= MAX(?, next_at)) THEN next_at
                    ELSE (SELECT MIN(not_before) FROM {waiting}) END AS due FROM host)""",
            *(*filters, now, *filters),
        )
        due = rows[0][0]
        return None if due is None else float(due)


def highest_rank(*, images_only: bool, retries_only: bool) -> int:
    """Up to which rank URLs are looked at: images have 0, and what is retried lies below (`schema`)."""
    return -1 if retries_only else 0 if images_only else ALL_RANKS


def marks(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values)

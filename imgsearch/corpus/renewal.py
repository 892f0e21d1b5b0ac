"""Apply a refresh to the corpus: images that were replaced at their URL, and images that are gone.

A row is never rewritten. New bytes become a new row; the old row's source is marked as gone, and the row is removed
once no source is left. So every row keeps its provenance. Every call may be repeated after a crash.
"""

import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import NamedTuple

from imgsearch.corpus.ingest import FoundImage, Intake, Outcome, Verdict
from imgsearch.corpus.reasons import Reason, ReasonCode
from imgsearch.corpus.store import Corpus

UNCHANGED, CHANGED = "unchanged", "changed"


class RefreshVerdict(NamedTuple):
    """Outcome of an image that was fetched again."""

    verdict: str  # UNCHANGED, CHANGED, or as for any image: skipped, failed
    reason: Reason | None = None  # of a refusal; for CHANGED the rows


class Renewal:
    """Applies the results of a refresh."""

    def __init__(self, corpus: Corpus, intake: Intake, *, clock: Callable[[], float] = time.time) -> None:
        self._corpus = corpus
        self._intake = intake
        self._clock = clock

    def replace(self, images: Sequence[FoundImage]) -> list[RefreshVerdict]:
        """Replace the image at each URL by the given one; return one verdict each. Durable when it returns."""
        return [self._replace(image) for image in images]

    def _replace(self, image: FoundImage) -> RefreshVerdict:
        digest = sha256(image.data).hexdigest()
        there = self._rows_at(image.url)
        others = [row for row in there if self._corpus.entry(row).digest != digest]
        if len(others) < len(there):
            outcome = Outcome(Verdict.KEPT)
        else:
            (outcome,) = self._intake.keep([image])
            if outcome.verdict not in (Verdict.KEPT, Verdict.DUPLICATE):
                return RefreshVerdict(str(outcome.verdict), outcome.reason)
        self._leave(image.url, others)
        if not others:
            return RefreshVerdict(UNCHANGED)
        (entry,) = self._corpus.find_digests([digest]).values()
        return RefreshVerdict(CHANGED, Reason(ReasonCode.ROW_REPLACED, f"{others[0]} {entry.row}"))

    def bury(self, urls: Sequence[str]) -> None:
        """Mark the images of `urls` as gone."""
        for url in urls:
            self._leave(url, self._rows_at(url))

    def _rows_at(self, url: str) -> list[int]:
        """The rows whose image is at `url` according to the last refresh."""
        rows = self._corpus.database.select("SELECT row FROM source WHERE url = ? AND gone_at = 0 ORDER BY row", [url])
        return [row for (row,) in rows]

    def _leave(self, url: str, rows: Sequence[int]) -> None:
        """Mark `url` as gone for `rows`; remove those that have no other source."""
        with self._corpus.database.transaction() as connection:
            for row in rows:
                connection.execute("UPDATE source SET gone_at = ? WHERE url = ? AND row = ?", (self._clock(), url, row))
                connection.execute(
                    "UPDATE image SET removed = 1 WHERE row = ? AND removed = 0"
                    " AND NOT EXISTS (SELECT 1 FROM source WHERE source.row = image.row AND gone_at = 0)",
                    (row,),
                )

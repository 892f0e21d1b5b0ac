"""`OpenIndex`: an index directory that is open for searching; the base of search by images and by words."""

from abc import ABC, abstractmethod
from random import Random
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from imgsearch.corpus.decoding.images import encode_png
from imgsearch.corpus.store import Corpus, Entry
from imgsearch.errors import CorpusError, Hint, QueryError
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.index.exact import Rows

MOST_HITS = 1000


class OpenIndex(ABC):
    """A corpus and its index. Several threads may share one.

    Rows that were added since the index was built are not found yet; removed rows vanish from results at once.
    """

    def __init__(self, paths: IndexPaths, corpus: Corpus) -> None:
        """Take over an open corpus, which `close` closes."""
        self._paths = paths
        self._corpus = corpus
        self._removed: tuple[int, Rows] | None = None  # the corpus's change count, and the rows as of then

    @property
    @abstractmethod
    def model(self) -> str:
        """Digest of the model that made the indexed codes."""

    @property
    @abstractmethod
    def rows(self) -> int:
        """Rows 0..rows-1 of the corpus are in the index, removed ones included."""

    @abstractmethod
    def is_stale(self) -> bool:
        """Return whether the model or the index on disk is no longer the one that is open here."""

    def close(self) -> None:
        """Close the files of the corpus."""
        self._corpus.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # ------------------------------------------------------------------------------------------------------- the rows

    @property
    def n_images(self) -> int:
        """Number of images that can be found."""
        return len(self.findable_rows())

    @property
    def rows_not_indexed(self) -> int:
        """Number of images that were added since the index was built and are not removed."""
        return int((self._corpus.live_rows() >= self.rows).sum())

    def findable_rows(self) -> Rows:
        """Return the rows that are indexed and not removed, ascending."""
        return np.setdiff1d(np.arange(self.rows), self.removed_rows(), assume_unique=True)

    def removed_rows(self) -> Rows:
        """Return the rows that no result may hold, as of now."""
        changes, known = self._corpus.change_count(), self._removed
        if known is None or known[0] != changes:
            # Read after the count: a removal in between is read now, and once more at the next call.
            known = self._removed = (changes, self._corpus.removed_rows())
        return known[1]

    def random_row(self, rng: Random | None = None) -> int:
        """Return a row that can be found.

        Raises:
            CorpusError: there is none.
        """
        findable = self.findable_rows()
        if findable.size == 0:
            raise CorpusError(
                "no image can be found: the index is empty or every image was removed.", hint=Hint.ADD_IMAGES
            )
        return int((rng or Random()).choice(findable))

    # -------------------------------------------------------------------------------------------- images and metadata

    def entry(self, row: int) -> Entry:
        """Return the metadata of a row.

        Raises:
            UnknownRowError: the corpus does not hold the row.
        """
        return self._corpus.entry(row)

    def labels(self) -> list[str]:
        """Return one label per row of the corpus, "" where there is none."""
        return self._corpus.labels()

    def thumbnails(self, rows: Rows) -> NDArray[np.uint8]:
        """(m, 32, 32, 3) thumbnails of rows (m,)."""
        thumbnails: NDArray[np.uint8] = self._corpus.thumbnails()[rows]
        return thumbnails

    def picture(self, row: int) -> bytes:
        """Return a row's preview as JPEG, or its thumbnail as PNG where there is no preview."""
        preview = self._corpus.preview(row)
        return preview if preview is not None else encode_png(self._corpus.thumbnails()[row])


def check_k(k: int) -> None:
    """Raise QueryError unless `k` is an allowed number of hits."""
    if not 1 <= k <= MOST_HITS:
        raise QueryError(f"k is {k}; it must be between 1 and {MOST_HITS:,}.")

"""`TextSearcher`: the images whose words are nearest to a query in words, by three methods side by side.

Loads torch only when a query is encoded.
"""

import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from imgsearch.autoencoder.card import read_card
from imgsearch.corpus.store import Corpus
from imgsearch.errors import IndexMismatchError, ModelError, QueryError
from imgsearch.paths import IndexPaths, index_paths
from imgsearch.retrieval.index.exact import Rows, nearest
from imgsearch.retrieval.search.methods import CODE, LSA, TEXT_METHODS, TFIDF
from imgsearch.retrieval.search.open_index import OpenIndex, check_k
from imgsearch.retrieval.search.result import ENCODE, QueryWords, SearchResult, join_hits
from imgsearch.retrieval.text.bags import DenseRows, WordVectors, count_words, rows_with_words, tf_idf
from imgsearch.retrieval.text.text_index import TextIndex, open_text_index, words_stamp

if TYPE_CHECKING:
    from imgsearch.autoencoder.networks.base import Autoencoder
    from imgsearch.device import DeviceChoice

BLOCK_ROWS = 65_536  # rows whose codes are compared at once
SUGGESTED = 8  # words of the corpus that are named where none of the query's words is known

Found = tuple[Rows, NDArray[np.float32]]  # (m,) rows and their distances, nearest first


class TextSearcher(OpenIndex):
    """Finds images by what is written about them, by each of `TEXT_METHODS`.

    Rows without words are never found.
    """

    def __init__(self, paths: IndexPaths, corpus: Corpus, index: TextIndex, device: str) -> None:
        """Join parts that are open already; `open` finds them in an index directory."""
        super().__init__(paths, corpus)
        self._index = index
        self._device = device
        self._stamp = words_stamp(paths)
        self._with_words = rows_with_words(index.words.bags)

    @classmethod
    def open(cls, index: Path | str | IndexPaths | None = "index", *, device: str = "auto") -> "TextSearcher":
        """Open an index directory for searching by words.

        Args:
            index: the directory, or its paths.
            device: where queries are encoded, as `pick_device` takes it.

        Raises:
            CorpusError: there are no images.
            ModelError: there is no text model, or it is damaged.
            IndexMissingError: the words are not indexed.
            IndexMismatchError: they were indexed with another model.
        """
        paths = index if isinstance(index, IndexPaths) else index_paths(index)
        corpus = Corpus.open(paths)
        try:
            return cls(paths, corpus, open_text_index(paths), device)
        except BaseException:
            corpus.close()
            raise

    @property
    def model(self) -> str:
        """Digest of the text model that made the indexed codes."""
        return self._index.model

    @property
    def rows(self) -> int:
        """Rows 0..rows-1 of the corpus are in the index, removed ones included."""
        return self._index.rows

    def findable_rows(self) -> Rows:
        """Return the rows that are indexed, not removed and have words, ascending."""
        return np.intersect1d(super().findable_rows(), self._with_words, assume_unique=True)

    def is_stale(self) -> bool:
        """Return whether the words were indexed anew, or by another model, since this was opened."""
        try:
            return words_stamp(self._paths) != self._stamp or read_card(self._paths.text.model).digest != self.model
        except ModelError:
            return True

    def search(self, text: str, *, k: int = 10) -> SearchResult:
        """Return the k images whose words are nearest to those of `text`, by each of `TEXT_METHODS`.

        By TF-IDF only images with one of the words are found; by the others also those whose words are used alike.

        Raises:
            QueryError: none of the words is known here, or k is not between 1 and 1,000.
        """
        check_k(k)
        vocabulary = self._index.vocabulary
        words = QueryWords(*vocabulary.look_up(text))
        if not words.known:
            common = ", ".join(vocabulary.words[:SUGGESTED])
            raise QueryError(f"no image has any of these words in its texts. Common ones are: {common}.")
        query = tf_idf(count_words([text], vocabulary), vocabulary)  # (1, v)
        rows = self.findable_rows()
        clock = _Stopwatch()
        code = self._code(query)
        clock.stop(ENCODE)
        found: dict[str, Found] = {CODE: self._nearest(self._index.codes, code, rows, k)}
        clock.stop(CODE)
        found[LSA] = self._nearest(self._index.words.places, self._index.words.space.project(query)[0], rows, k)
        clock.stop(LSA)
        found[TFIDF] = self._nearest_words(query, rows, k)
        clock.stop(TFIDF)
        entries = {
            name: list(zip(self._corpus.entries(near), np.maximum(distances, 0).tolist(), strict=True))
            for name, (near, distances) in found.items()
        }
        methods = tuple(TEXT_METHODS.values())
        return SearchResult(text, k, self.model, methods, join_hits(methods, entries, {}), clock.seconds, words)

    # -----------------------------------------------------------------------------------------------------------------

    @cached_property
    def _network(self) -> "tuple[Autoencoder, DeviceChoice]":
        from imgsearch.autoencoder.checkpoint import load_checkpoint
        from imgsearch.device import pick_device

        device = pick_device(self._device)
        network, card = load_checkpoint(self._paths.text.model, device.device)
        if card.digest != self.model:
            raise IndexMismatchError("the text model was trained anew since the index was opened. Open it again.")
        return network, device

    def _code(self, query: WordVectors) -> NDArray[np.float32]:
        from imgsearch.autoencoder.encode import encode_images

        network, device = self._network
        code: NDArray[np.float32] = encode_images(network, DenseRows(query), device)[0]
        return code

    def _nearest(self, codes: NDArray[np.floating], query: NDArray[np.float32], rows: Rows, k: int) -> Found:
        """By cosine; block by block, so that codes on disk are never all in memory."""
        distances = np.empty(len(rows), np.float32)
        direction = query / max(float(np.linalg.norm(query)), 1e-12)
        for start in range(0, len(rows), BLOCK_ROWS):
            block = np.asarray(codes[rows[start : start + BLOCK_ROWS]], np.float32)
            lengths = np.maximum(np.linalg.norm(block, axis=1), 1e-12)
            distances[start : start + BLOCK_ROWS] = 1 - block @ direction / lengths
        return nearest(rows, distances, k)

    def _nearest_words(self, query: WordVectors, rows: Rows, k: int) -> Found:
        similarities = (self._index.vectors @ query.T).toarray().ravel()[rows]  # cosines
        sharing = similarities > 0
        return nearest(rows[sharing], 1 - similarities[sharing], k)


class _Stopwatch:
    """Seconds of consecutive steps by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._started = time.perf_counter()

    def stop(self, name: str) -> None:
        """Record the step that ends now; the next begins."""
        now = time.perf_counter()
        self.seconds[name], self._started = now - self._started, now

"""`TextSearcher`: words, their code, and the images of whose words the codes are nearest; beside it two older ways.

Knows how corpus, text model and index of words belong together; must not know Streamlit or the command line. Loads
torch only when a query is encoded.
"""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from imgsearch.autoencoder.card import read_card
from imgsearch.corpus.decoding.images import encode_png
from imgsearch.corpus.store import Corpus
from imgsearch.errors import IndexMismatchError, ModelError, QueryError
from imgsearch.paths import IndexPaths, index_paths
from imgsearch.retrieval.index.exact import Rows, nearest
from imgsearch.retrieval.search.result import Hit
from imgsearch.retrieval.text.bags import Bags, WordVectors
from imgsearch.retrieval.text.text_index import TextIndex, open_text_index, words_stamp
from imgsearch.retrieval.text.text_result import CODE, LSA, TEXT_METHODS, TFIDF, TextResult

if TYPE_CHECKING:
    from imgsearch.autoencoder.networks.base import Autoencoder
    from imgsearch.device import DeviceChoice

MOST_HITS = 1000
BLOCK_ROWS = 65_536  # rows whose codes are compared at once
SUGGESTED = 8  # words of the corpus that a query without any of them is answered with

Found = tuple[Rows, NDArray[np.float32]]


class TextSearcher:
    """Finds images by what is written of them. Threads may share one.

    What was written since the last `imgsearch reindex` is not found yet; removed rows vanish at once, and rows of
    which nothing is written are never found.
    """

    def __init__(self, paths: IndexPaths, corpus: Corpus, index: TextIndex, device: str) -> None:
        """Join parts that are open already; `open` finds them in an index directory."""
        self.paths = paths
        self.corpus = corpus
        self.index = index
        self._device = device
        self._stamp = words_stamp(paths)
        self._has_words = np.diff(index.words.bags.starts)[: index.rows] > 0  # (rows,)

    @classmethod
    def open(cls, index: Path | str | IndexPaths | None = "index", *, device: str = "auto") -> "TextSearcher":
        """Open an index directory for searching by words.

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

    def close(self) -> None:
        self.corpus.close()

    def __enter__(self) -> "TextSearcher":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def n_images(self) -> int:
        """Images that can be found: indexed, not removed, and something is written of them."""
        return int(self._findable().sum())

    def is_stale(self) -> bool:
        """Whether the words were indexed anew, or by another model, since this was opened."""
        try:
            return words_stamp(self.paths) != self._stamp or read_card(self.paths.text.model).digest != self.index.model
        except ModelError:
            return True

    def picture(self, row: int) -> bytes:
        """What to show for a row: its preview as JPEG, else its thumbnail as PNG."""
        preview = self.corpus.preview(row)
        return preview if preview is not None else encode_png(self.corpus.thumbnails()[row])

    def search(self, text: str, *, k: int = 10) -> TextResult:
        """The k images whose words are nearest to those of `text`, by each of the methods.

        By TF-IDF only images with one of the words are found; by the others those too whose words are used alike.

        Raises:
            QueryError: none of the words is known here, or k is not between 1 and 1,000.
        """
        if not 1 <= k <= MOST_HITS:
            raise QueryError(f"k is {k}; it must be between 1 and {MOST_HITS:,}.")
        vocabulary = self.index.vocabulary
        words, unknown = vocabulary.look_up(text)
        if not words:
            common = ", ".join(vocabulary.words[:SUGGESTED])
            raise QueryError(f"none of these words is written of an image here. Common ones are: {common}")
        query = WordVectors.of(Bags.of([text], vocabulary), vocabulary)[:1]  # (1, v)
        rows = np.flatnonzero(self._findable()).astype(np.int64)
        found = {
            CODE: self._nearest(self.index.codes, self._code(query), rows, k),
            LSA: self._nearest(self.index.words.places, self.index.words.space.project(query)[0], rows, k),
            TFIDF: self._nearest_words(query[0], rows, k),
        }
        return TextResult(text, k, self.index.model, words, unknown, self._hits(found))

    # -----------------------------------------------------------------------------------------------------------------

    @cached_property
    def _network(self) -> "tuple[Autoencoder, DeviceChoice]":
        from imgsearch.autoencoder.checkpoint import load_checkpoint
        from imgsearch.device import pick_device

        device = pick_device(self._device)
        network, card = load_checkpoint(self.paths.text.model, device.device)
        if card.digest != self.index.model:
            raise IndexMismatchError("the model of words was trained anew since this was opened. Open it again.")
        return network, device

    def _code(self, query: NDArray[np.float32]) -> NDArray[np.float32]:
        from imgsearch.autoencoder.encode import encode_images

        network, device = self._network
        code: NDArray[np.float32] = encode_images(network, query, device)[0]
        return code

    def _findable(self) -> NDArray[np.bool_]:
        findable = self._has_words.copy()
        removed = self.corpus.removed_rows()
        findable[removed[removed < len(findable)]] = False
        return findable

    def _nearest(self, codes: NDArray[np.floating], query: NDArray[np.float32], rows: Rows, k: int) -> Found:
        """By cosine; block by block, so that codes on disk are never all in memory."""
        distances = np.empty(len(rows), np.float32)
        direction = query / max(float(np.linalg.norm(query)), 1e-12)
        for start in range(0, len(rows), BLOCK_ROWS):
            block = np.asarray(codes[rows[start : start + BLOCK_ROWS]], np.float32)
            lengths = np.maximum(np.linalg.norm(block, axis=1), 1e-12)
            distances[start : start + BLOCK_ROWS] = 1 - block @ direction / lengths
        return nearest(rows, distances, k)

    def _nearest_words(self, query: NDArray[np.float32], rows: Rows, k: int) -> Found:
        similarities = self.index.vectors.similarities(query)[rows]
        sharing = similarities > 0
        return nearest(rows[sharing], 1 - similarities[sharing], k)

    def _hits(self, found: dict[str, Found]) -> dict[str, tuple[Hit, ...]]:
        """Each hit with its rank among those by TF-IDF, or of these among those by code."""
        ranks = {method: {int(row): rank for rank, row in enumerate(rows, 1)} for method, (rows, _) in found.items()}
        other = {method: ranks[CODE if method == TFIDF else TFIDF] for method in TEXT_METHODS}
        return {
            method: tuple(
                Hit(
                    rank=rank,
                    row=entry.row,
                    distance=max(0.0, float(distance)),
                    url=entry.url,
                    page_url=entry.page_url,
                    alt=entry.alt,
                    label=entry.label,
                    other_rank=other[method].get(entry.row),
                    provenance=entry.provenance,
                    near_duplicate_of=entry.near_duplicate_of,
                )
                for rank, (distance, entry) in enumerate(zip(distances, self.corpus.entries(rows), strict=True), 1)
            )
            for method, (rows, distances) in found.items()
        }

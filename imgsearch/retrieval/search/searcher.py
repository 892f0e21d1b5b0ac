"""`Searcher`: the images nearest to a query image, by code, by pixels and by binary code."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from imgsearch.autoencoder.card import ModelCard, current_model, read_card
from imgsearch.autoencoder.checkpoint import load_checkpoint
from imgsearch.autoencoder.codes import open_codes
from imgsearch.autoencoder.encode import decode_codes, encode_images, reconstruct
from imgsearch.autoencoder.networks.base import Autoencoder
from imgsearch.corpus.store import Corpus
from imgsearch.device import DeviceChoice, pick_device
from imgsearch.errors import (
    Hint,
    IndexMismatchError,
    IndexMissingError,
    ModelError,
    QueryError,
    UnknownRowError,
)
from imgsearch.paths import IndexPaths, index_paths
from imgsearch.retrieval.build import StoredIndex, open_index
from imgsearch.retrieval.index.exact import Neighbours, Rows
from imgsearch.retrieval.index.index_info import IndexInfo, mismatch, read_index_info
from imgsearch.retrieval.index.pixel import PixelIndex
from imgsearch.retrieval.search.methods import BINARY, BOTH, CODE, METHODS, PIXEL, SEARCH_BY
from imgsearch.retrieval.search.open_index import OpenIndex, check_k
from imgsearch.retrieval.search.query import Query, image_thumbnail, query_name, query_row
from imgsearch.retrieval.search.result import ENCODE, SearchResult, join_hits
from imgsearch.retrieval.search.thresholds import Cutoffs, grade, read_cutoff

Result = TypeVar("Result")


@dataclass(frozen=True)
class EncodedQuery:
    """A query as the indexes take it: of an indexed row the stored codes, of an image new ones."""

    thumbnail: NDArray[np.uint8]  # (32, 32, 3)
    row: int | None
    code: NDArray[np.float32] | None  # (1, d), None where no method needs it


class Searcher(OpenIndex):
    """Finds the nearest images of one index directory, by each of `METHODS`."""

    def __init__(
        self,
        paths: IndexPaths,
        corpus: Corpus,
        card: ModelCard,
        network: Autoencoder,
        device: DeviceChoice,
        index: StoredIndex,
    ) -> None:
        """Join parts that are open already; `open` finds them in an index directory and checks that they match."""
        super().__init__(paths, corpus)
        self.device = device
        self.card = card
        self._network = network
        self._codes, self._coder, self._bits = index.codes, index.coder, index.bits
        self._pixels = PixelIndex.build(corpus.thumbnails()[: index.codes.rows])
        self._indexes: dict[str, tuple[Any, Callable[[EncodedQuery], NDArray[Any]]]] = {
            CODE: (self._codes, self._query_code),
            PIXEL: (self._pixels, lambda query: query.thumbnail[None]),
            BINARY: (self._bits, self._query_bits),
        }
        self._cutoffs: Cutoffs | None = None

    @classmethod
    def open(cls, index: Path | str | IndexPaths | None = "index", *, device: str = "auto") -> "Searcher":
        """Open an index directory for searching.

        Args:
            index: the directory, or its paths.
            device: where queries are encoded, as `pick_device` takes it.

        Raises:
            CorpusError: there are no images.
            ModelError: the model is damaged.
            IndexMissingError: nothing is indexed.
            IndexMismatchError: the index was made by another model or of another corpus.
            DeviceError: the device is not there.
        """
        paths = index if isinstance(index, IndexPaths) else index_paths(index)
        corpus = Corpus.open(paths)
        try:
            card = read_card(current_model(paths))
            chosen = pick_device(device)
            gpu = (chosen.device.index or 0) if chosen.device.type == "cuda" else None
            opened = open_index(paths.search, gpu=gpu)
            _check(opened.codes.info, card, len(corpus))
            network, card = load_checkpoint(current_model(paths), chosen.device)
            _check(opened.codes.info, card, len(corpus))
            return cls(paths, corpus, card, network, chosen, opened)
        except BaseException:
            corpus.close()
            raise

    # ------------------------------------------------------------------------------------------------------ the index

    @property
    def model(self) -> str:
        """Digest of the model that made the indexed codes."""
        return self.card.digest

    @property
    def network_kind(self) -> str:
        """The kind of network that makes the codes, such as "conv"."""
        return str(self.card.network["kind"])

    @property
    def code_size(self) -> int:
        """Numbers in a code."""
        return self.card.code_size

    @property
    def metric(self) -> str:
        """The distance between codes: "cosine" or "l2"."""
        return self._codes.metric

    @property
    def rows(self) -> int:
        """Rows 0..rows-1 of the corpus are in the index, removed ones included."""
        return self._codes.rows

    def is_stale(self) -> bool:
        """Return whether the model or the index on disk is no longer the one that is open here."""
        try:
            return (
                read_index_info(self._paths.search) != self._codes.info
                or read_card(current_model(self._paths)).digest != self.model
            )
        except (IndexMissingError, ModelError):
            return True

    def cutoffs(self) -> Cutoffs | None:
        """Return the thresholds of this index; None until the index is calibrated, the last step of a reindex."""
        if self._cutoffs is None:
            self._cutoffs = read_cutoff(self._paths.search, model=self.model, rows=self.rows)
        return self._cutoffs

    # ---------------------------------------------------------------------------------------------------------- codes

    def indexed_codes(self, rows: Rows) -> NDArray[np.float32]:
        """(m, d) codes of indexed rows as they are compared: of length 1 where the metric is cosine."""
        return self._codes.codes(rows)

    def indexed_bits(self, rows: Rows) -> NDArray[np.uint8]:
        """(m, 32) binary codes of indexed rows."""
        return self._bits.codes(rows)

    def stored_codes(self, rows: Rows) -> NDArray[np.float32]:
        """(m, d) codes of indexed rows as the encoder made them, which the decoder takes.

        Raises:
            IndexMissingError: the codes are not there, or damaged.
            IndexMismatchError: they were replaced by another model's codes.
        """
        codes, info = open_codes(self._paths.codes)
        if info.model != self.model:
            raise mismatch("codes were", info.model, self.model)
        return codes[rows].astype(np.float32)

    def encode(self, thumbnails: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, d) codes of thumbnails (n, 32, 32, 3), rounded as stored ones are, so that a stored image is at 0."""
        codes: NDArray[np.float32] = encode_images(self._network, thumbnails, self.device)
        return codes.astype(np.float16).astype(np.float32)

    def binary_codes(self, codes: NDArray[np.floating]) -> NDArray[np.uint8]:
        """(n, 32) the binary codes, 256 bits each, of codes (n, d)."""
        return self._coder.encode(codes)

    def short_codes(self, codes: NDArray[np.floating]) -> NDArray[np.uint8]:
        """(n, 4) the short binary codes, 28 bits each, of codes (n, d)."""
        packed: NDArray[np.uint8] = self._network.hashing.packed(self._coder.lean(codes))
        return packed

    def reconstruct(self, thumbnail: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(32, 32, 3) the decoder's output for the code of a thumbnail (32, 32, 3)."""
        reconstruction: NDArray[np.uint8] = reconstruct(self._network, thumbnail[None], self.device)[0]
        return reconstruction

    def decode(self, codes: NDArray[np.floating]) -> NDArray[np.uint8]:
        """(n, 32, 32, 3) the decoder's output for codes (n, d)."""
        return decode_codes(self._network, codes, self.device)

    # --------------------------------------------------------------------------------------------------------- search

    def query_thumbnail(self, query: Query) -> NDArray[np.uint8]:
        """(32, 32, 3) the thumbnail that the query is searched with.

        Raises:
            ImageError: no such file, or not an image.
            UnknownRowError: a row that is not there, or was removed.
        """
        if isinstance(query, int | np.integer):
            return self._row_thumbnail(int(query))
        return image_thumbnail(query)

    def search(self, query: Query, *, k: int = 10, by: str = BOTH, name: str = "") -> SearchResult:
        """Return the k nearest images of a query.

        Args:
            query: an encoded image as bytes, a file as str or Path, an RGB uint8 array (h, w, 3), or a row (int),
                which is left out of its own result.
            k: how many hits by each method, 1 to 1,000; fewer come back where fewer images can be found.
            by: a method ("code", "pixel", "binary"), "both" for code and pixels, or "all".
            name: the name of the query in the result; by default the path as given, "row:12", or "image".

        Raises:
            QueryError: k or `by` is not one of those.
            ImageError: the query is not an image, or the file is missing.
            UnknownRowError: the row is not there, or was removed.
        """
        check_k(k)
        if by not in SEARCH_BY:
            raise QueryError(f"by is {by!r}; it must be one of {', '.join(map(repr, SEARCH_BY))}.")
        thumbnail, row = self.query_thumbnail(query), query_row(query)
        methods = tuple(METHODS[method] for method in SEARCH_BY[by])
        code, seconds = None, {ENCODE: 0.0}
        if by != PIXEL:
            code, seconds[ENCODE] = _timed(partial(self._code_of, thumbnail, row))
        encoded = EncodedQuery(thumbnail, row, code)
        found: dict[str, Neighbours] = {}
        for name_of in SEARCH_BY[by]:
            found[name_of], seconds[name_of] = _timed(partial(self._neighbours, name_of, encoded, k))
        entries = {
            by: list(zip(self._corpus.entries(near.rows.tolist()), near.distances.tolist(), strict=True))
            for by, near in found.items()
        }
        hits = join_hits(methods, entries, self._grades(found))
        return SearchResult(name or query_name(query), k, self.model, methods, hits, seconds)

    def _neighbours(self, method: str, query: EncodedQuery, k: int) -> Neighbours:
        index, vectors = self._indexes[method]
        own = None if query.row is None else np.array([query.row], dtype=np.int64)
        found: Neighbours = index.search(vectors(query), k, exclude=self.removed_rows(), self_rows=own)[0]
        return found

    def _grades(self, found: dict[str, Neighbours]) -> dict[str, list[str]]:
        """The grades of the neighbours by each method that has a threshold."""
        cutoffs = self.cutoffs()
        return {
            method: [grade(distance, cutoffs.methods[method]) for distance in near.distances.tolist()]
            for method, near in found.items()
            if cutoffs is not None and method in cutoffs.methods
        }

    def _row_thumbnail(self, row: int) -> NDArray[np.uint8]:
        entry = self.entry(row)
        if entry.removed:
            if entry.erased:
                raise UnknownRowError(f"row {row} was removed and erased.")
            raise UnknownRowError(f"row {row} was removed.", hint=Hint.RESTORE_ROW)
        thumbnail: NDArray[np.uint8] = self.thumbnails(np.array([row]))[0]
        return thumbnail

    def _code_of(self, thumbnail: NDArray[np.uint8], row: int | None) -> NDArray[np.float32]:
        """(1, d); an indexed row's code is in the index already."""
        if row is not None and row < self.rows:
            return self.indexed_codes(np.array([row]))
        return self.encode(thumbnail[None])

    @staticmethod
    def _query_code(query: EncodedQuery) -> NDArray[np.float32]:
        assert query.code is not None
        return query.code

    def _query_bits(self, query: EncodedQuery) -> NDArray[np.uint8]:
        """(1, 32); an indexed row's bits are in the index already."""
        if query.row is not None and query.row < self.rows:
            return self.indexed_bits(np.array([query.row]))
        return self.binary_codes(self._query_code(query))


def _check(info: IndexInfo, card: ModelCard, rows: int) -> None:
    """Raise IndexMismatchError unless the index is one of this model and of a corpus of at most so many rows."""
    if info.model != card.digest:
        raise mismatch("index was", info.model, card.digest)
    if info.rows > rows:
        raise IndexMismatchError(
            f"the index was made of {info.rows} images, the corpus holds only {rows}.", hint=Hint.REINDEX_FULL
        )


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started

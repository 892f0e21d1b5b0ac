"""`Searcher`: a query image, its code, its neighbours, and the entries that make them hits.

Knows how the corpus, the model and the index belong together, and refuses an index made by another model. Must not
know Streamlit or the command line.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from imgsearch.autoencoder.card import ModelCard, current_model, read_card
from imgsearch.autoencoder.checkpoint import load_checkpoint
from imgsearch.autoencoder.codes import open_codes
from imgsearch.autoencoder.encode import decode_codes, encode_images, reconstruct
from imgsearch.autoencoder.networks.base import Autoencoder
from imgsearch.corpus.decoding.images import encode_png
from imgsearch.corpus.store import Corpus, Entry
from imgsearch.device import DeviceChoice, pick_device
from imgsearch.errors import (
    CorpusError,
    IndexMismatchError,
    IndexMissingError,
    ModelError,
    QueryError,
    UnknownRowError,
)
from imgsearch.paths import IndexPaths, index_paths
from imgsearch.retrieval.build import open_index
from imgsearch.retrieval.index.binary import BinaryIndex
from imgsearch.retrieval.index.binary_codes import BinaryCoder
from imgsearch.retrieval.index.code import CodeIndex
from imgsearch.retrieval.index.exact import Neighbours
from imgsearch.retrieval.index.index_info import REINDEX, IndexInfo, mismatch, read_index_info
from imgsearch.retrieval.index.pixel import PixelIndex
from imgsearch.retrieval.search.query import Query, image_thumbnail, query_name, query_row
from imgsearch.retrieval.search.result import ASKED, BINARY, BOTH, CODE, METHODS, PIXEL, Hit, SearchResult
from imgsearch.retrieval.search.thresholds import Cutoffs, grade, read_cutoff

MOST_HITS = 1000

Result = TypeVar("Result")


class Searcher:
    """Finds the nearest images of one index directory, by code, by pixels and by binary code. Threads may share one.

    Rows that were added since the last `imgsearch reindex` are not found yet (`rows_not_indexed`); rows that are
    removed vanish from answers at once.
    """

    def __init__(
        self,
        paths: IndexPaths,
        corpus: Corpus,
        card: ModelCard,
        network: Autoencoder,
        device: DeviceChoice,
        index: tuple[CodeIndex, BinaryCoder, BinaryIndex],
    ) -> None:
        """Join parts that are open already; `open` finds them in an index directory and checks that they match."""
        self.paths = paths
        self.card = card
        self.device = device
        self.corpus = corpus
        self.code_index, self._binary_coder, self.binary_index = index
        self.pixel_index = PixelIndex.build(corpus.thumbnails()[: self.code_index.rows])
        self._network = network
        self._cutoffs: Cutoffs | None = None
        self._removed: tuple[int, NDArray[np.int64]] | None = None  # the corpus's change count, and the rows as of then

    @classmethod
    def open(cls, index: Path | str | IndexPaths | None = "index", *, device: str = "auto") -> "Searcher":
        """Open an index directory for searching.

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
            _check(opened[0].info, card, len(corpus))
            network, card = load_checkpoint(current_model(paths), chosen.device)
            _check(opened[0].info, card, len(corpus))
            return cls(paths, corpus, card, network, chosen, opened)
        except BaseException:
            corpus.close()
            raise

    def close(self) -> None:
        self.corpus.close()

    def __enter__(self) -> "Searcher":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------------------------------------------- what is there

    @property
    def n_images(self) -> int:
        """Images that can be found: indexed and not removed."""
        removed = self.removed_rows()
        return self.code_index.rows - int((removed < self.code_index.rows).sum())

    def findable_rows(self) -> NDArray[np.int64]:
        """The rows that are indexed and not removed, in order."""
        return np.setdiff1d(np.arange(self.code_index.rows), self.removed_rows(), assume_unique=True)

    @property
    def rows_not_indexed(self) -> int:
        """Images that were added since the index was built and are not removed."""
        live = self.corpus.live_rows()
        return int((live >= self.code_index.rows).sum())

    def is_stale(self) -> bool:
        """Whether the model or the index on disk is no longer the one that is open here."""
        try:
            return (
                read_index_info(self.paths.search) != self.code_index.info
                or read_card(current_model(self.paths)).digest != self.card.digest
            )
        except (IndexMissingError, ModelError):
            return True

    def cutoffs(self) -> Cutoffs | None:
        """What distances are worth in this index; None where it was not calibrated yet (a reindex does that last)."""
        if self._cutoffs is None:
            self._cutoffs = read_cutoff(self.paths.search, model=self.card.digest, rows=self.code_index.rows)
        return self._cutoffs

    def removed_rows(self) -> NDArray[np.int64]:
        """Rows that no answer may hold, as of now."""
        changes, known = self.corpus.change_count(), self._removed
        if known is None or known[0] != changes:
            # Read after the count: a removal in between is read now, and once more at the next call.
            known = self._removed = (changes, self.corpus.removed_rows())
        return known[1]

    def labels(self) -> list[str]:
        """One label per row of the corpus, "" where there is none."""
        return self.corpus.labels()

    def entry(self, row: int) -> Entry:
        """Raises UnknownRowError where the corpus does not hold the row."""
        return self.corpus.entry(row)

    def picture(self, row: int) -> bytes:
        """What to show for a row: its preview as JPEG, else its thumbnail as PNG."""
        preview = self.corpus.preview(row)
        return preview if preview is not None else encode_png(self.corpus.thumbnails()[row])

    def random_row(self, rng: Random | None = None) -> int:
        """A row that can be found.

        Raises:
            CorpusError: there is none.
        """
        findable = self.findable_rows()
        if findable.size == 0:
            raise CorpusError(
                "no image can be found: the index is empty or every image was removed. Add some, then reindex"
            )
        return int((rng or Random()).choice(findable))

    # -------------------------------------------------------------------------------------------------------- queries

    def query_thumbnail(self, query: Query) -> NDArray[np.uint8]:
        """(32, 32, 3) what the query is searched with.

        Raises:
            ImageError: no such file, or not an image.
            UnknownRowError: a row that is not there, or was removed.
        """
        if isinstance(query, int | np.integer):
            return self._row_thumbnail(int(query))
        return image_thumbnail(query)

    def encode(self, thumbnails: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, 256) codes of thumbnails (n, 32, 32, 3), rounded as stored ones are: a stored image is at 0."""
        codes: NDArray[np.float32] = encode_images(self._network, thumbnails, self.device)
        return codes.astype(np.float16).astype(np.float32)

    def binary_codes(self, codes: NDArray[np.floating]) -> NDArray[np.uint8]:
        """(n, 32) the binary codes, 256 bits each, of codes (n, 256)."""
        return self._binary_coder.encode(codes)

    def short_codes(self, codes: NDArray[np.floating]) -> NDArray[np.uint8]:
        """(n, 4) the short binary codes, 28 bits each, of codes (n, 256)."""
        packed: NDArray[np.uint8] = self._network.hashing.packed(self._binary_coder.lean(codes))
        return packed

    def reconstruct(self, thumbnail: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(32, 32, 3) what the decoder makes of the thumbnail's code."""
        reconstruction: NDArray[np.uint8] = reconstruct(self._network, thumbnail[None], self.device)[0]
        return reconstruction

    def stored_codes(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """(m, d) the codes of indexed rows as the encoder gave them: what the decoder takes. (The index normalises.)

        Raises:
            IndexMissingError: the codes are not there, or damaged.
            IndexMismatchError: another model's codes have taken their place.
        """
        codes, info = open_codes(self.paths.codes)
        if info.model != self.card.digest:
            raise IndexMismatchError(mismatch("codes were", info.model, self.card.digest))
        return codes[rows].astype(np.float32)

    def decode(self, codes: NDArray[np.floating]) -> NDArray[np.uint8]:
        """(n, 32, 32, 3) what the decoder makes of codes (n, d)."""
        return decode_codes(self._network, codes, self.device)

    def search(self, query: Query, *, k: int = 10, by: str = BOTH, name: str = "") -> SearchResult:
        """The k nearest images of a query.

        Args:
            query: an encoded image as bytes, a file as str or Path, an RGB uint8 array (h, w, 3), or a row (int),
                which is left out of its own answer.
            k: how many hits of each kind, 1 to 1,000; fewer come back where fewer images can be found.
            by: "both" (code and pixels), "code", "pixel", "binary" or "all" (the three).
            name: what the answer calls the query; by default the path as given, "row:12", or "image".

        Raises:
            QueryError: k or `by` is not one of those.
            ImageError: the query is not an image, or the file is missing.
            UnknownRowError: the row is not there, or was removed.
        """
        if not 1 <= k <= MOST_HITS:
            raise QueryError(f"k is {k}; it must be between 1 and {MOST_HITS:,}.")
        if by not in ASKED:
            raise QueryError(f"by is {by!r}; it must be one of {', '.join(map(repr, ASKED))}.")
        thumbnail, row = self.query_thumbnail(query), query_row(query)
        found, seconds = self._neighbours(ASKED[by], thumbnail, row, k)
        return SearchResult(
            query=name or query_name(query),
            k=k,
            by=by,
            model=self.card.digest,
            code=self._hits(CODE, found[CODE], found[PIXEL]),
            pixel=self._hits(PIXEL, found[PIXEL], found[CODE]),
            binary=self._hits(BINARY, found[BINARY], found[CODE]),
            overlap=len(np.intersect1d(found[CODE].rows, found[PIXEL].rows)),
            encode_seconds=seconds["encode"],
            code_seconds=seconds[CODE],
            pixel_seconds=seconds[PIXEL],
            binary_seconds=seconds[BINARY],
        )

    def _neighbours(
        self, asked: Sequence[str], thumbnail: NDArray[np.uint8], row: int | None, k: int
    ) -> tuple[dict[str, Neighbours], dict[str, float]]:
        """The neighbours by each of `METHODS` (none where it was not asked), and the seconds that each step took."""
        without, itself = self.removed_rows(), None if row is None else np.array([row], dtype=np.int64)
        found = dict.fromkeys(METHODS, _NOTHING)
        seconds = dict.fromkeys(("encode", *METHODS), 0.0)
        if asked != (PIXEL,):
            code, seconds["encode"] = _timed(lambda: self._query_code(thumbnail, row))
        if CODE in asked:
            found[CODE], seconds[CODE] = _timed(
                lambda: self.code_index.search(code, k, without=without, itself=itself)[0]
            )
        if PIXEL in asked:
            found[PIXEL], seconds[PIXEL] = _timed(
                lambda: self.pixel_index.search(thumbnail[None], k, without=without, itself=itself)[0]
            )
        if BINARY in asked:
            found[BINARY], seconds[BINARY] = _timed(
                lambda: self.binary_index.search(self._query_binary_code(code, row), k, without=without, itself=itself)[
                    0
                ]
            )
        return found, seconds

    def _row_thumbnail(self, row: int) -> NDArray[np.uint8]:
        entry = self.corpus.entry(row)
        if entry.removed:
            raise UnknownRowError(f"row {row} was removed; {entry.way_back}.")
        thumbnail: NDArray[np.uint8] = self.corpus.thumbnails()[row].copy()
        return thumbnail

    def _query_code(self, thumbnail: NDArray[np.uint8], row: int | None) -> NDArray[np.float32]:
        """(1, 256); an indexed row's code is in the index already."""
        if row is not None and row < self.code_index.rows:
            return self.code_index.codes(np.array([row]))
        return self.encode(thumbnail[None])

    def _query_binary_code(self, code: NDArray[np.float32], row: int | None) -> NDArray[np.uint8]:
        """(1, 32) of a query's code (1, 256); an indexed row's bits are in the index already."""
        if row is not None and row < self.binary_index.rows:
            return self.binary_index.codes(np.array([row]))
        return self.binary_codes(code)

    def _hits(self, method: str, neighbours: Neighbours, others: Neighbours) -> tuple[Hit, ...]:
        other_ranks = {row: rank for rank, row in enumerate(others.rows.tolist(), start=1)}
        rows, distances = neighbours.rows.tolist(), neighbours.distances.tolist()
        cutoffs = self.cutoffs()
        cutoff = cutoffs.methods.get(method) if cutoffs else None
        return tuple(
            Hit(
                rank=rank,
                row=row,
                distance=distance,
                url=entry.url,
                page_url=entry.page_url,
                alt=entry.alt,
                label=entry.label,
                other_rank=other_ranks.get(row),
                grade=grade(distance, cutoff) if cutoff else "",
                provenance=entry.provenance,
                near_duplicate_of=entry.near_duplicate_of,
            )
            for rank, (row, distance, entry) in enumerate(
                zip(rows, distances, self.corpus.entries(rows), strict=True), start=1
            )
        )


_NOTHING = Neighbours(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))


def _check(info: IndexInfo, card: ModelCard, rows: int) -> None:
    if info.model != card.digest:
        raise IndexMismatchError(mismatch("index was", info.model, card.digest))
    if info.rows > rows:
        raise IndexMismatchError(
            f"the index was made of {info.rows} images, the corpus holds only {rows}. {REINDEX} --full"
        )


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started

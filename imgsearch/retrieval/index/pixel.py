"""Exact search among thumbnails by their pixels; results are sorted by (distance, row)."""

from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from imgsearch.progress import Progress, silent
from imgsearch.retrieval.index.candidates import QUERY_BLOCK, propose
from imgsearch.retrieval.index.exact import Exclusions, Neighbours, Rows, blocks, nearest, nearest_pixels

BYTES_PER_IMAGE = 3072
# Batches of at least this size are searched by matrix products, which cost a fixed pass over all pixels but half as
# much per query as faiss's scan (measured on 45,000 images with 2 cores: equal at about 200 queries).
BATCH_QUERIES = 200


class PixelIndex:
    """Exact search among thumbnails by Euclidean distance over their 3,072 values, scaled to 0..1.

    The values are stored as bytes. Squared distances are whole numbers, so that rounding never decides the order.
    """

    def __init__(self, flat: Any) -> None:
        """Wrap a faiss scalar quantiser that holds the bytes; `build` makes one."""
        self._flat = flat
        stored = faiss.rev_swig_ptr(flat.codes.data(), flat.ntotal * flat.d) if flat.ntotal else np.empty(0, np.uint8)
        self._pixels: NDArray[np.uint8] = stored.reshape(-1, flat.d)  # (n, 3072), a view of faiss's memory

    @property
    def rows(self) -> int:
        """Number of thumbnails, those of removed rows included."""
        return int(self._flat.ntotal)

    @classmethod
    def build(cls, thumbnails: NDArray[np.uint8]) -> "PixelIndex":
        """Build an index of thumbnails (n, 32, 32, 3), copied out of the memory map in one pass."""
        flat = faiss.IndexScalarQuantizer(BYTES_PER_IMAGE, faiss.ScalarQuantizer.QT_8bit_direct, faiss.METRIC_L2)
        # The bytes are the quantiser's codes already: adding them as float32 would take four times the memory.
        faiss.copy_array_to_vector(np.ascontiguousarray(thumbnails).reshape(-1), flat.codes)
        flat.ntotal = len(thumbnails)
        return cls(flat)

    def search(
        self,
        thumbnails: NDArray[np.uint8],
        k: int,
        *,
        exclude: Rows | None = None,
        self_rows: Rows | None = None,
        on_progress: Progress = silent,
    ) -> list[Neighbours]:
        """Return the k nearest of each query (nq, 32, 32, 3); the other arguments are those of `CodeIndex.search`."""
        queries = np.ascontiguousarray(thumbnails).reshape(len(thumbnails), BYTES_PER_IMAGE)
        exclusions = Exclusions.of(self.rows, len(queries), exclude, self_rows)
        search = self._by_products if self.rows == 0 or len(queries) >= BATCH_QUERIES else self._by_scan
        answers: list[Neighbours] = []
        for start, stop in blocks(len(queries), QUERY_BLOCK, on_progress):
            answers += search(queries[start:stop], k, exclusions.block(start, stop))
        return answers

    def _by_scan(self, queries: NDArray[np.uint8], k: int, exclusions: Exclusions) -> list[Neighbours]:
        """Search by faiss's scan. It sums whole numbers but reports them in float32, which merges some above 2^24."""
        distances, proposed = propose(self._flat, queries.astype(np.float32), k, exclusions)
        answers: list[Neighbours] = []
        for number, query in enumerate(queries):
            candidates = exclusions.kept(proposed[number], number)
            difference = self._pixels[candidates].astype(np.int32) - query
            rows, squared = nearest(candidates, np.einsum("ij,ij->i", difference, difference), k)
            complete = len(candidates) == exclusions.available(number)
            if complete or (len(rows) == k and np.float32(squared[-1]) < distances[number][-1]):
                answers.append(_pixel_neighbours(rows, squared))
            else:
                answers += self._by_products(query[None], k, exclusions.block(number, number + 1))
        return answers

    def _by_products(self, queries: NDArray[np.uint8], k: int, exclusions: Exclusions) -> list[Neighbours]:
        return [_pixel_neighbours(*found) for found in nearest_pixels(queries, self._pixels, k, exclusions)]


def _pixel_neighbours(rows: Rows, squared: NDArray[np.integer]) -> Neighbours:
    return Neighbours(rows, (np.sqrt(squared.astype(np.float64)) / 255).astype(np.float32))

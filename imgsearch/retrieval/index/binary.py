"""Exact search among binary codes by Hamming distance; results are sorted by (distance, row).

Distances are whole numbers of bits, so that many are equal: where the last of k neighbours is as far as the last
candidate that faiss proposes, every row within that distance is fetched.
"""

from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from imgsearch.progress import Progress, silent
from imgsearch.retrieval.index.candidates import QUERY_BLOCK, Candidates, propose, threads_for
from imgsearch.retrieval.index.exact import Exclusions, Neighbours, Rows, blocks, nearest


class BinaryIndex:
    """Exact search among packed bits: the distance is the number of bits that differ."""

    def __init__(self, flat: Any) -> None:
        """Wrap a faiss `IndexBinaryFlat`; `build` makes one."""
        self._flat = flat
        size = flat.ntotal * flat.code_size
        stored = faiss.rev_swig_ptr(flat.xb.data(), size) if flat.ntotal else np.empty(0, np.uint8)
        self._codes: NDArray[np.uint8] = stored.reshape(-1, flat.code_size)  # (n, bytes), a view of faiss's memory

    @property
    def rows(self) -> int:
        """Number of binary codes, those of removed rows included."""
        return int(self._flat.ntotal)

    @property
    def n_bits(self) -> int:
        """Number of bits of a code."""
        return int(self._flat.d)

    @classmethod
    def build(cls, codes: NDArray[np.uint8]) -> "BinaryIndex":
        """Build an index of packed binary codes (n, bytes), which are copied."""
        flat = faiss.IndexBinaryFlat(8 * codes.shape[1])
        flat.add(np.ascontiguousarray(codes))
        return cls(flat)

    def codes(self, rows: Rows) -> NDArray[np.uint8]:
        """(m, bytes) binary codes of indexed rows."""
        return self._codes[rows]

    def search(
        self,
        queries: NDArray[np.uint8],
        k: int,
        *,
        exclude: Rows | None = None,
        self_rows: Rows | None = None,
        on_progress: Progress = silent,
    ) -> list[Neighbours]:
        """Return the k nearest of each binary code (nq, bytes); the other arguments are those of `CodeIndex.search`."""
        queries = np.ascontiguousarray(queries)
        exclusions = Exclusions.of(self.rows, len(queries), exclude, self_rows)
        answers: list[Neighbours] = []
        for start, stop in blocks(len(queries), QUERY_BLOCK, on_progress):
            block, rest = queries[start:stop], exclusions.block(start, stop)
            proposed = self._propose(block, k, rest)
            answers += [self._settle(block, number, proposed, k, rest) for number in range(len(block))]
        return answers

    def _propose(self, queries: NDArray[np.uint8], k: int, exclusions: Exclusions) -> Candidates:
        if self.rows == 0:
            return np.empty((len(queries), 0), dtype=np.int32), np.empty((len(queries), 0), dtype=np.int64)
        return propose(self._flat, queries, k, exclusions)

    def _settle(
        self, queries: NDArray[np.uint8], number: int, proposed: Candidates, k: int, exclusions: Exclusions
    ) -> Neighbours:
        """Keep k of one query's candidates, or of all rows within their distance where candidates do not suffice."""
        query = queries[number]
        candidates = exclusions.kept(proposed[1][number], number)
        rows, distances = nearest(candidates, self._hamming(query, candidates), k)
        if len(candidates) < exclusions.available(number):
            furthest = int(distances[-1]) if len(rows) == k else self.n_bits
            if furthest >= proposed[0][number][-1]:  # of equal distances faiss proposes any
                candidates = exclusions.kept(self._within(query, furthest), number)
                rows, distances = nearest(candidates, self._hamming(query, candidates), k)
        return Neighbours(rows, distances.astype(np.float32))

    def _within(self, query: NDArray[np.uint8], distance: int) -> Rows:
        """(m,) all rows within a distance of the query."""
        with threads_for(1):
            _, _, rows = self._flat.range_search(query[None], distance + 1)  # faiss's radius is exclusive
        found: Rows = rows
        return found

    def _hamming(self, query: NDArray[np.uint8], rows: Rows) -> NDArray[np.int32]:
        """(m,) number of differing bits."""
        differing: NDArray[np.int32] = np.bitwise_count(self._codes[rows] ^ query).sum(axis=1, dtype=np.int32)
        return differing

"""The exact nearest neighbours of binary codes, by Hamming distance. Knows no files, no models and no images.

Answers as `code_index` does: nearest first, equal distances in order of their rows, and never faiss's -1. Distances are
whole numbers of bits, so equal ones are the rule: where the last of k neighbours is as far away as the last candidate
that faiss proposes, faiss is asked for every row within that distance.
"""

from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from imgsearch.progress import Progress, silent
from imgsearch.retrieval.index.candidates import QUERY_BLOCK, Candidates, propose, threads_for
from imgsearch.retrieval.index.exact import LeftOut, Neighbours, Rows, blocks, nearest


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
        return int(self._flat.ntotal)

    @property
    def n_bits(self) -> int:
        return int(self._flat.d)

    @classmethod
    def build(cls, codes: NDArray[np.uint8]) -> "BinaryIndex":
        """An index of packed binary codes (n, bytes), copied out of the memory map in one pass."""
        flat = faiss.IndexBinaryFlat(8 * codes.shape[1])
        flat.add(np.ascontiguousarray(codes))
        return cls(flat)

    def codes(self, rows: Rows) -> NDArray[np.uint8]:
        """(m, bytes) the binary codes of indexed rows."""
        return self._codes[rows]

    def search(
        self,
        queries: NDArray[np.uint8],
        k: int,
        *,
        without: Rows | None = None,
        itself: Rows | None = None,
        on_progress: Progress = silent,
    ) -> list[Neighbours]:
        """The k nearest of each binary code (nq, bytes); the other arguments are those of `CodeIndex.search`."""
        queries = np.ascontiguousarray(queries)
        left_out = LeftOut.of(self.rows, len(queries), without, itself)
        answers: list[Neighbours] = []
        for start, stop in blocks(len(queries), QUERY_BLOCK, on_progress):
            block, rest = queries[start:stop], left_out.block(start, stop)
            proposed = self._propose(block, k, rest)
            answers += [self._settle(block, number, proposed, k, rest) for number in range(len(block))]
        return answers

    def _propose(self, queries: NDArray[np.uint8], k: int, left_out: LeftOut) -> Candidates:
        if self.rows == 0:
            return np.empty((len(queries), 0), dtype=np.int32), np.empty((len(queries), 0), dtype=np.int64)
        return propose(self._flat, queries, k, left_out)

    def _settle(
        self, queries: NDArray[np.uint8], number: int, proposed: Candidates, k: int, left_out: LeftOut
    ) -> Neighbours:
        """Keep k of one query's candidates, or of all rows that are as near where the candidates do not suffice."""
        query = queries[number]
        candidates = left_out.kept(proposed[1][number], number)
        rows, distances = nearest(candidates, self._hamming(query, candidates), k)
        if len(candidates) < left_out.available(number):
            furthest = int(distances[-1]) if len(rows) == k else self.n_bits
            if furthest >= proposed[0][number][-1]:  # of equal distances faiss proposes any
                candidates = left_out.kept(self._within(query, furthest), number)
                rows, distances = nearest(candidates, self._hamming(query, candidates), k)
        return Neighbours(rows, distances.astype(np.float32))

    def _within(self, query: NDArray[np.uint8], distance: int) -> Rows:
        """(m,) every row at most so far from the query."""
        with threads_for(1):
            _, _, rows = self._flat.range_search(query[None], distance + 1)  # faiss's radius is exclusive
        found: Rows = rows
        return found

    def _hamming(self, query: NDArray[np.uint8], rows: Rows) -> NDArray[np.int32]:
        """(m,) how many bits differ."""
        differing: NDArray[np.int32] = np.bitwise_count(self._codes[rows] ^ query).sum(axis=1, dtype=np.int32)
        return differing

"""Whole rankings: all vectors of a database in order of their distance from a query, in numpy.

The indexes find the first few neighbours of one search; evaluation needs all of them for many queries. Distances of
pixels and of binary codes are exact whole numbers, others are rounded to float32. Equal distances are in order of the
database, except Hamming distances, which are often equal: their order is random, with a fixed seed per query.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgsearch.retrieval.index.exact import ROW_BLOCK, Centred, blocks
from imgsearch.retrieval.index.index_info import COSINE, L2

HAMMING = "hamming"
METRICS = (L2, COSINE, HAMMING)
TIE_SEED = 0
QUERY_BLOCK = 256  # queries ranked at once: 256 x 50,000 keys are 100 MB

_LAST = np.iinfo(np.uint64).max  # the key of a vector that is excluded
_PLACE_BITS, _TIE_BITS = np.uint64(32), np.uint64(22)  # bits of a key; a Hamming distance takes the other 10
_PLACE_MASK = np.uint64(2**32 - 1)


@dataclass(frozen=True)
class Database:
    """Vectors to be ranked, prepared for their metric.

    Types by metric: "l2" float32 (n, d), or uint8 (n, d <= 3072) with exact distances; "cosine" float32; "hamming"
    packed bits, uint8 (n, bytes).
    """

    vectors: NDArray[Any]  # (n, d) as given; floats less the centre; of hamming (n, words) uint64
    metric: str
    centre: NDArray[np.float32]  # (d,) mean of the vectors; subtracted, since far from 0 float32 rounds more
    squares: NDArray[np.float32]  # (n,) squared lengths of the vectors, where they are floats

    @classmethod
    def of(cls, vectors: NDArray[Any], metric: str) -> "Database":
        """Prepare vectors (n, d) for one of `METRICS`."""
        assert metric in METRICS, metric
        prepared, nothing = _prepared(vectors, metric), np.zeros(0, dtype=np.float32)
        if prepared.dtype != np.float32:
            return cls(prepared, metric, nothing, nothing)
        centre = prepared.mean(axis=0, dtype=np.float64).astype(np.float32)
        prepared = prepared - centre
        return cls(prepared, metric, centre, np.einsum("ij,ij->i", prepared, prepared))

    def __len__(self) -> int:
        return len(self.vectors)

    def distances(self, queries: NDArray[Any]) -> NDArray[Any]:
        """(nq, n) distances that order as the metric does: squared for l2, 1 - cosine, or the number of bits.

        `hit_distances` has the unit that the indexes report. A vector of zeros has no direction; its cosine distance
        from every other is 0.5, as in the index of codes.
        """
        prepared = _prepared(queries, self.metric)
        if self.metric == HAMMING:
            return _bits(prepared, self.vectors)
        if self.vectors.dtype == np.uint8:
            return _squared_pixels(prepared, self.vectors)
        prepared = prepared - self.centre
        squared: NDArray[np.float32] = prepared @ self.vectors.T  # (nq, n)
        squared *= -2
        squared += self.squares
        squared += np.einsum("ij,ij->i", prepared, prepared)[:, None]
        if self.metric == COSINE:
            squared /= 2  # of vectors of length 1 that is 1 - cosine
        np.maximum(squared, 0, out=squared)  # rounding may make the distance from itself negative
        return squared

    def hit_distances(self, queries: NDArray[Any]) -> NDArray[np.float64]:
        """(nq, n) distances in the unit of hits: for l2 the square root, for pixels 1/255 of it."""
        distances = self.distances(queries).astype(np.float64)
        if self.metric != L2:
            return distances
        np.sqrt(distances, out=distances)
        return distances / 255 if self.vectors.dtype == np.uint8 else distances

    def ranking(self, queries: NDArray[Any], exclude: NDArray[np.int64], *, first: int = 0) -> NDArray[np.int64]:
        """(nq, n) positions in the database, nearest first; the last is -1 where the query is in the database.

        Args:
            queries: (nq, d) as the database's vectors were given.
            exclude: (nq,) the query's own position in the database, which is left out; -1 for none.
            first: number of the first query among all, so that ties are drawn alike for any block size.
        """
        keys = self._sortable(queries, exclude, first)
        keys.sort(axis=1)
        order = (keys & _PLACE_MASK).astype(np.int64)
        order[exclude >= 0, -1] = -1
        return order

    def nearest(
        self, queries: NDArray[Any], exclude: NDArray[np.int64], k: int, *, first: int = 0
    ) -> NDArray[np.int64]:
        """(nq, k) the first k positions of the ranking; k is less than the database's size where one is excluded."""
        keys = self._sortable(queries, exclude, first)
        if k < keys.shape[1]:
            keys = np.partition(keys, k, axis=1)[:, :k]
        keys.sort(axis=1)
        return (keys & _PLACE_MASK).astype(np.int64)

    def _sortable(self, queries: NDArray[Any], exclude: NDArray[np.int64], first: int) -> NDArray[np.uint64]:
        """(nq, n) keys, with that of the excluded position last."""
        keys = self._keys(self.distances(queries), first)
        inside = np.flatnonzero(exclude >= 0)
        keys[inside, exclude[inside]] = _LAST
        return keys

    def _keys(self, distances: NDArray[Any], first: int) -> NDArray[np.uint64]:
        """(nq, n) distance, tie and position packed into one number, since plain numbers sort ten times as fast."""
        if self.metric == HAMMING:
            keys = distances.astype(np.uint64) << _TIE_BITS
            for number, row in enumerate(keys, start=first):
                ties = np.random.default_rng([TIE_SEED, number]).integers(0, 2**22, len(row), dtype=np.uint64)
                np.bitwise_or(row, ties, out=row)
        elif distances.dtype == np.float32:
            # The bits of non-negative floats sort as the floats do; + 0 turns -0 into 0.
            keys = (distances + np.float32(0)).view(np.uint32).astype(np.uint64)
        else:
            keys = distances.astype(np.uint64)
        keys <<= _PLACE_BITS
        keys |= np.arange(len(self), dtype=np.uint64)
        return keys


def k_nearest(
    vectors: NDArray[Any],
    queries: NDArray[Any],
    k: int,
    metric: str,
    exclude: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """(nq, k) positions of the k nearest of `vectors` (n, d) for each query (nq, d), nearest first.

    `exclude` (nq,) is the query's own position among the vectors, which is left out, or -1. k is cut to the number of
    vectors that are left for every query.
    """
    database = Database.of(vectors, metric)
    own = np.full(len(queries), -1, dtype=np.int64) if exclude is None else exclude
    k = min(k, len(vectors) - bool((own >= 0).any()))
    nearest = np.empty((len(queries), k), dtype=np.int64)
    for start, stop in blocks(len(queries), QUERY_BLOCK):
        nearest[start:stop] = database.nearest(queries[start:stop], own[start:stop], k, first=start)
    return nearest


def _prepared(vectors: NDArray[Any], metric: str) -> NDArray[Any]:
    if metric == HAMMING:
        missing = -vectors.shape[1] % 8
        return np.pad(np.ascontiguousarray(vectors), ((0, 0), (0, missing))).view(np.uint64)
    if metric == L2 and vectors.dtype == np.uint8:
        return np.ascontiguousarray(vectors)
    plain = np.ascontiguousarray(vectors, dtype=np.float32)
    if metric == L2:
        return plain
    lengths = np.sqrt(np.einsum("ij,ij->i", plain, plain))[:, None]
    directions: NDArray[np.float32] = np.divide(plain, lengths, out=np.zeros_like(plain), where=lengths > 0)
    return directions


def _bits(queries: NDArray[np.uint64], database: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """(nq, n) number of differing bits."""
    total = np.zeros((len(queries), len(database)), dtype=np.uint16)
    for ours, theirs in zip(queries.T, database.T, strict=True):  # one word of all at a time
        total += np.bitwise_count(ours[:, None] ^ theirs[None, :])
    return total


def _squared_pixels(queries: NDArray[np.uint8], database: NDArray[np.uint8]) -> NDArray[np.int32]:
    centred = Centred.of(queries)
    squared = np.empty((len(queries), len(database)), dtype=np.int32)
    for start, stop in blocks(len(database), ROW_BLOCK):
        squared[:, start:stop] = centred.squared_distances(Centred.of(database[start:stop]))
    return squared

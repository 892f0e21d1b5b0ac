"""Whole rankings: every vector of a database by its distance from a query. numpy only; knows neither faiss nor files.

The indexes find the first few; here the order of all is wanted, for figures. Distances are exact: those of pixels and
of binary codes are whole numbers, others are rounded to float32. Equal distances are in order of the database, except
Hamming distances, of which there are only a few different ones: their order is random, with a fixed seed per query.
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

_LAST = np.iinfo(np.uint64).max  # the key of what may not answer
_PLACE_BITS, _TIE_BITS = np.uint64(32), np.uint64(22)  # of a key; a Hamming distance takes what is left, 10 bits
_PLACE_MASK = np.uint64(2**32 - 1)


@dataclass(frozen=True)
class Database:
    """Vectors to be ranked, prepared for their metric.

    For "l2" float32 (n, d), or uint8 (n, d <= 3072), whose distances are then exact whole numbers; for "cosine"
    float32; for "hamming" packed bits, uint8 (n, bytes).
    """

    vectors: NDArray[Any]  # (n, d) as given; floats less the centre; of hamming (n, words) uint64
    metric: str
    centre: NDArray[np.float32]  # (d,) mean of the vectors: without it, alike vectors would drown in float32's rounding
    squares: NDArray[np.float32]  # (n,) squared lengths of the vectors, where they are floats

    @classmethod
    def of(cls, vectors: NDArray[Any], metric: str) -> "Database":
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

        Of squared distances the square root is what the indexes report (and 1/255 of it for pixels). A vector of zeros
        has no direction; it lies at 0.5 from every other, as in the index of codes.
        """
        asking = _prepared(queries, self.metric)
        if self.metric == HAMMING:
            return _bits(asking, self.vectors)
        if self.vectors.dtype == np.uint8:
            return _squared_pixels(asking, self.vectors)
        asking = asking - self.centre
        squared: NDArray[np.float32] = asking @ self.vectors.T  # (nq, n)
        squared *= -2
        squared += self.squares
        squared += np.einsum("ij,ij->i", asking, asking)[:, None]
        if self.metric == COSINE:
            squared /= 2  # of vectors of length 1 that is 1 - cosine
        np.maximum(squared, 0, out=squared)  # rounding may leave a vector a little less than nothing from itself
        return squared

    def hit_distances(self, queries: NDArray[Any]) -> NDArray[np.float64]:
        """(nq, n) the same distances in the unit in which hits report them: of l2 the root, of pixels 1/255 of it."""
        distances = self.distances(queries).astype(np.float64)
        if self.metric != L2:
            return distances
        np.sqrt(distances, out=distances)
        return distances / 255 if self.vectors.dtype == np.uint8 else distances

    def ranking(self, queries: NDArray[Any], itself: NDArray[np.int64], *, first: int = 0) -> NDArray[np.int64]:
        """(nq, n) places in the database, nearest first; the last one is -1 for a query that sits in the database.

        Args:
            queries: (nq, d) as the database's vectors were given.
            itself: (nq,) the place that asks and is left out of its own answer, -1 for none.
            first: the number of the first query among all, so that ties are drawn alike whatever the blocks are.
        """
        keys = self._keys(self.distances(queries), first)
        inside = np.flatnonzero(itself >= 0)
        keys[inside, itself[inside]] = _LAST
        keys.sort(axis=1)
        order = (keys & _PLACE_MASK).astype(np.int64)
        order[inside, -1] = -1
        return order

    def _keys(self, distances: NDArray[Any], first: int) -> NDArray[np.uint64]:
        """(nq, n) distance, tie and place in one number each, since numbers alone are sorted ten times as fast."""
        if self.metric == HAMMING:
            keys = distances.astype(np.uint64) << _TIE_BITS
            for number, row in enumerate(keys, start=first):
                row |= np.random.default_rng([TIE_SEED, number]).integers(0, 2**22, len(row), dtype=np.uint64)
        elif distances.dtype == np.float32:
            # Of floats that are not negative the bits have the order of the numbers; + 0 turns a -0 into 0.
            keys = (distances + np.float32(0)).view(np.uint32).astype(np.uint64)
        else:
            keys = distances.astype(np.uint64)
        keys <<= _PLACE_BITS
        keys |= np.arange(len(self), dtype=np.uint64)
        return keys


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


def _bits(asking: NDArray[np.uint64], database: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """(nq, n) how many bits differ."""
    total = np.zeros((len(asking), len(database)), dtype=np.uint16)
    for ours, theirs in zip(asking.T, database.T, strict=True):  # one word of all at a time
        total += np.bitwise_count(ours[:, None] ^ theirs[None, :])
    return total


def _squared_pixels(asking: NDArray[np.uint8], database: NDArray[np.uint8]) -> NDArray[np.int32]:
    centred = Centred.of(asking)
    squared = np.empty((len(asking), len(database)), dtype=np.int32)
    for start, stop in blocks(len(database), ROW_BLOCK):
        squared[:, start:stop] = centred.squared_distances(Centred.of(database[start:stop]))
    return squared

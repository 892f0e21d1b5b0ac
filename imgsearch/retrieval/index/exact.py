"""Exact neighbours: the types that all indexes share, and exact pixel search by matrix products.

Imports numpy only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgsearch.progress import Progress, silent

Rows = NDArray[np.int64]

ROW_BLOCK = 2048  # rows compared at once with a block of queries
EXCLUDED_KEY = np.iinfo(np.int64).max  # the sort key of a row that is excluded from the result


@dataclass(frozen=True)
class Neighbours:
    """The neighbours of one query, nearest first, equal distances in order of their rows."""

    rows: Rows  # (m,), m <= k
    distances: NDArray[np.float32]  # (m,)


@dataclass(frozen=True)
class Exclusions:
    """Rows excluded from results: a mask of removed rows, and for each query its own row (-1 if none)."""

    excluded: NDArray[np.bool_]  # (n,)
    self_rows: Rows  # (nq,)
    n_excluded: int  # number of rows in the mask

    @classmethod
    def of(cls, n: int, n_queries: int, exclude: Rows | None, self_rows: Rows | None) -> "Exclusions":
        """Build them for an index of `n` rows; rows that it does not hold yet are ignored."""
        excluded = np.zeros(n, dtype=np.bool_)
        if exclude is not None:
            excluded[exclude[exclude < n]] = True
        own = np.full(n_queries, -1, dtype=np.int64) if self_rows is None else self_rows
        return cls(excluded, own, int(excluded.sum()))

    def block(self, start: int, stop: int) -> "Exclusions":
        """Return those of the queries start..stop-1."""
        return Exclusions(self.excluded, self.self_rows[start:stop], self.n_excluded)

    def kept(self, rows: Rows, query: int) -> Rows:
        """Return those of `rows` that the query's result may hold; faiss's -1 is dropped."""
        there = rows[rows >= 0]
        kept: Rows = there[~self.excluded[there] & (there != self.self_rows[query])]
        return kept

    def available(self, query: int) -> int:
        """Return how many rows the query's result may hold."""
        own = self.self_rows[query]
        is_own = 0 <= own < len(self.excluded) and not self.excluded[own]
        return len(self.excluded) - self.n_excluded - int(is_own)


def nearest(rows: Rows, distances: NDArray[Any], k: int) -> tuple[Rows, NDArray[Any]]:
    """Return the first k rows and distances, sorted by (distance, row)."""
    order = np.lexsort((rows, distances))[:k]
    return rows[order], distances[order]


def blocks(n: int, size: int, on_progress: Progress = silent) -> Iterator[tuple[int, int]]:
    """Yield (start, stop) of each block of 0..n-1, and report progress when the caller comes back for the next one."""
    for start in range(0, n, size):
        stop = min(start + size, n)
        yield start, stop
        on_progress(stop, n)


@dataclass(frozen=True)
class Centred:
    """Pixels minus 128 in float32, and their squared lengths, for products that are exact whole numbers.

    A value is at most 128 from the centre, so a product of 1,024 of them stays within 128 * 128 * 1,024 = 2^24, up to
    which float32 holds every whole number: three products of 1,024 are exact where one of 3,072 would round.
    """

    values: NDArray[np.float32]  # (n, d), d <= 3072
    squares: NDArray[np.int32]  # (n,)

    @classmethod
    def of(cls, pixels: NDArray[np.uint8]) -> "Centred":
        """Centre pixels (n, d)."""
        values = pixels.astype(np.float32)
        values -= 128
        squares = np.zeros(len(values), dtype=np.int32)
        for start, stop in blocks(values.shape[1], 1024):
            part = values[:, start:stop]
            squares += np.einsum("ij,ij->i", part, part).astype(np.int32)
        return cls(values, squares)

    def squared_distances(self, others: "Centred") -> NDArray[np.int32]:
        """(n, m) squared distances |a - b|^2; at most 3,072 * 255^2 < 2^31."""
        total = self.squares[:, None] + others.squares[None, :]
        product = np.empty(total.shape, dtype=np.float32)
        for start, stop in blocks(self.values.shape[1], 1024):
            np.matmul(self.values[:, start:stop], others.values[:, start:stop].T, out=product)
            product *= -2  # a power of two: still exact
            total += product.astype(np.int32)
        return total


def nearest_pixels(
    queries: NDArray[np.uint8], pixels: NDArray[np.uint8], k: int, exclusions: Exclusions
) -> list[tuple[Rows, NDArray[np.int64]]]:
    """Return, for each query (nq, d), the k nearest rows of pixels (n, d) and their exact squared distances.

    They are sorted by (distance, row). Over blocks of rows the k smallest keys are kept; a key is the distance and the
    row packed into one number, so that no two are equal.
    """
    centred = Centred.of(queries)
    best = np.empty((len(queries), 0), dtype=np.int64)  # (nq, <= k): squared distance * 2^32 + row
    for start, stop in blocks(len(pixels), ROW_BLOCK):
        keys = centred.squared_distances(Centred.of(pixels[start:stop])).astype(np.int64)  # (nq, nb)
        keys <<= 32
        keys |= np.arange(start, stop)
        keys[:, exclusions.excluded[start:stop]] = EXCLUDED_KEY
        inside = np.flatnonzero((exclusions.self_rows >= start) & (exclusions.self_rows < stop))
        keys[inside, exclusions.self_rows[inside] - start] = EXCLUDED_KEY
        best = np.concatenate([best, keys], axis=1)
        if best.shape[1] > k:
            best = np.partition(best, k - 1, axis=1)[:, :k]
    best.sort(axis=1)
    found = [keys[keys != EXCLUDED_KEY] for keys in best]
    return [(keys & 0xFFFFFFFF, keys >> 32) for keys in found]

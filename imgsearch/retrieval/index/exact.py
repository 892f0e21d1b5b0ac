"""What an exact answer is, and the exact answer by matrix products. numpy only; knows neither faiss nor files."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgsearch.progress import Progress, silent

Rows = NDArray[np.int64]

ROW_BLOCK = 2048  # rows compared at once with a block of queries
_NOBODY = np.iinfo(np.int64).max  # the key of a row that may not answer


@dataclass(frozen=True)
class Neighbours:
    """The neighbours of one query, nearest first, equal distances in order of their rows."""

    rows: Rows  # (m,), m <= k
    distances: NDArray[np.float32]  # (m,)


@dataclass(frozen=True)
class LeftOut:
    """Rows that no answer may hold (removed ones), as a set of flags; and per query the row that asks, or -1."""

    flags: NDArray[np.bool_]  # (n,)
    itself: Rows  # (nq,)
    n_flags: int  # how many flags are set

    @classmethod
    def of(cls, n: int, n_queries: int, without: Rows | None, itself: Rows | None) -> "LeftOut":
        flags = np.zeros(n, dtype=np.bool_)
        if without is not None:
            flags[without[without < n]] = True
        return cls(flags, np.full(n_queries, -1, dtype=np.int64) if itself is None else itself, int(flags.sum()))

    def block(self, start: int, stop: int) -> "LeftOut":
        """For the queries start..stop-1 alone."""
        return LeftOut(self.flags, self.itself[start:stop], self.n_flags)

    def kept(self, rows: Rows, query: int) -> Rows:
        """Those of `rows` that may answer the query; faiss's -1 may not."""
        there = rows[rows >= 0]
        kept: Rows = there[~self.flags[there] & (there != self.itself[query])]
        return kept

    def available(self, query: int) -> int:
        """How many rows may answer the query."""
        own = self.itself[query]
        asks_itself = 0 <= own < len(self.flags) and not self.flags[own]
        return len(self.flags) - self.n_flags - int(asks_itself)


def nearest(rows: Rows, distances: NDArray[Any], k: int) -> tuple[Rows, NDArray[Any]]:
    """The first k by (distance, row)."""
    order = np.lexsort((rows, distances))[:k]
    return rows[order], distances[order]


def blocks(n: int, size: int, on_progress: Progress = silent) -> Iterator[tuple[int, int]]:
    """(start, stop) of each block of 0..n-1; progress is reported when the block has been worked on."""
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
        values = pixels.astype(np.float32)
        values -= 128
        squares = np.zeros(len(values), dtype=np.int32)
        for start, stop in blocks(values.shape[1], 1024):
            part = values[:, start:stop]
            squares += np.einsum("ij,ij->i", part, part).astype(np.int32)
        return cls(values, squares)

    def squared_distances(self, others: "Centred") -> NDArray[np.int32]:
        """(n, m) |a - b|^2; at most 3,072 * 255^2 < 2^31."""
        total = self.squares[:, None] + others.squares[None, :]
        product = np.empty(total.shape, dtype=np.float32)
        for start, stop in blocks(self.values.shape[1], 1024):
            np.matmul(self.values[:, start:stop], others.values[:, start:stop].T, out=product)
            product *= -2  # a power of two: still exact
            total += product.astype(np.int32)
        return total


def nearest_pixels(
    queries: NDArray[np.uint8], pixels: NDArray[np.uint8], k: int, left_out: LeftOut
) -> list[tuple[Rows, NDArray[np.int64]]]:
    """Per query (nq, d) the k nearest rows of pixels (n, d) and their squared distances, exact, by (distance, row).

    Keeps, over blocks of rows, the k smallest of distance and row packed into one number: no two are equal.
    """
    asking = Centred.of(queries)
    best = np.empty((len(queries), 0), dtype=np.int64)  # (nq, <= k): squared distance * 2^32 + row
    for start, stop in blocks(len(pixels), ROW_BLOCK):
        keys = asking.squared_distances(Centred.of(pixels[start:stop])).astype(np.int64)  # (nq, nb)
        keys <<= 32
        keys |= np.arange(start, stop)
        keys[:, left_out.flags[start:stop]] = _NOBODY
        inside = np.flatnonzero((left_out.itself >= start) & (left_out.itself < stop))
        keys[inside, left_out.itself[inside] - start] = _NOBODY
        best = np.concatenate([best, keys], axis=1)
        if best.shape[1] > k:
            best = np.partition(best, k - 1, axis=1)[:, :k]
    best.sort(axis=1)
    found = [keys[keys != _NOBODY] for keys in best]
    return [(keys & 0xFFFFFFFF, keys >> 32) for keys in found]

"""Find new images that are recompressed or resized copies of stored ones, by perceptual hashes.

The hash is that of pHash (Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010): 64 bits,
whether each of the 64 lowest frequencies of the grey thumbnail (discrete cosine transform) is above their median.
Hashes that differ in at most `MOST_BITS` bits are found exactly: of five bands at least one is equal. Grey hashes also
agree where only colours differ, and for plain surfaces; so the thumbnails are compared too.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from imgsearch.corpus.decoding.images import SIDE

MOST_BITS = 4  # of 64 that differ between an image and its copy
# Bounds of the largest mean absolute difference between two thumbnails (0 to 255); within them it is the standard
# deviation of the new one. In CIFAR-10, 261 pairs among 50,000 images have hashes as near; 48 of these pairs, with
# differences from 9 to 37, were inspected: all show the same photograph, at most recoloured.
LEAST_DIFFERENCE, MOST_DIFFERENCE = 2.0, 40.0
LOOKED_AT, COMPARED = 256, 16  # limits for many similar images: hashes per value of a band, thumbnails per image

_FREQUENCIES = 8
_FLAT = 32.0  # the sum over 1,024 pixels of a cosine with an amplitude of an eighth of a tone
_BANDS = ((0, 13), (13, 13), (26, 13), (39, 13), (52, 12))  # first bit and number of bits; one more band than MOST_BITS
_SEGMENT = 512  # hashes compared one by one before they are sorted

Hashes = NDArray[np.uint64]  # (n,)
ReadThumbnails = Callable[[NDArray[np.int64]], NDArray[np.uint8]]  # rows (n,) → (n, 32, 32, 3)


def perceptual_hashes(thumbnails: NDArray[np.uint8]) -> Hashes:
    """Return the hashes (n,) uint64 of thumbnails (n, 32, 32, 3) uint8."""
    grey = thumbnails @ np.array([0.299, 0.587, 0.114], np.float32)  # (n, 32, 32)
    frequencies = (_COSINES @ grey @ _COSINES.T).reshape(-1, _FREQUENCIES**2)  # (n, 64)
    frequencies[np.abs(frequencies) < _FLAT] = 0  # of a plain surface only rounding errors are left
    bits = frequencies > np.median(frequencies, axis=1, keepdims=True)
    hashes: Hashes = np.packbits(bits, axis=1).view(">u8")[:, 0].astype(np.uint64)  # the first bit is the highest
    return hashes


def _cosines() -> NDArray[np.float32]:
    """(8, 32) the rows of the cosine transform for its lowest frequencies, 0 to 7."""
    frequency, place = np.arange(_FREQUENCIES)[:, None], np.arange(SIDE)[None]
    return np.cos(np.pi * frequency * (2 * place + 1) / (2 * SIDE)).astype(np.float32)


_COSINES = _cosines()


class NearDuplicates:
    """The originals seen so far: images that are near-duplicates of none before. Takes 8 bytes and 20 more for each."""

    def __init__(self, hashes: Hashes, rows: NDArray[np.int64]) -> None:
        """Start with stored originals: hashes (n,) and `rows` (n,), ascending."""
        self._segments = [_Segment(hashes, rows)] if len(rows) else []  # each at least twice as large as the next
        self._hashes: list[Hashes] = []  # hashes added since the last segment
        self._rows: list[NDArray[np.int64]] = []

    def add(
        self, hashes: Hashes, thumbnails: NDArray[np.uint8], first_row: int, read_thumbnails: ReadThumbnails
    ) -> list[int | None]:
        """Add new images as rows from `first_row`; return for each the row that it is a near-duplicate of, or None.

        Args:
            hashes: (n,) of `thumbnails` (n, 32, 32, 3).
            read_thumbnails: returns the thumbnails of rows before `first_row`.
        """
        rows = np.arange(first_row, first_row + len(hashes))
        new, old = self._candidates(hashes, rows)
        is_stored = old < first_row
        known = np.empty((len(old), *thumbnails.shape[1:]), np.uint8)
        known[is_stored] = read_thumbnails(old[is_stored])
        known[~is_stored] = thumbnails[old[~is_stored] - first_row]
        is_near = _are_alike(thumbnails[new], known)
        originals = _originals(len(hashes), new[is_near], old[is_near], first_row)
        is_original = np.array([original is None for original in originals], bool)
        self._remember(hashes[is_original], rows[is_original])
        return originals

    def _candidates(self, hashes: Hashes, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Pairs of near hashes, in order: the position of the new one, and the row of an earlier one."""
        found = [segment.near(hashes) for segment in self._segments]
        recent = np.concatenate([*self._hashes, hashes])
        recent_rows = np.concatenate([*self._rows, rows])
        new, old = np.nonzero(np.bitwise_count(hashes[:, None] ^ recent[None]) <= MOST_BITS)
        is_earlier = recent_rows[old] < rows[new]
        found.append((new[is_earlier], recent_rows[old[is_earlier]]))
        return _first_pairs(np.concatenate([new for new, _ in found]), np.concatenate([old for _, old in found]))

    def _remember(self, hashes: Hashes, rows: NDArray[np.int64]) -> None:
        self._hashes.append(hashes)
        self._rows.append(rows)
        if sum(map(len, self._rows)) < _SEGMENT:
            return
        segment = _Segment(np.concatenate(self._hashes), np.concatenate(self._rows))
        self._hashes, self._rows = [], []
        while self._segments and len(self._segments[-1].rows) < 2 * len(segment.rows):
            earlier = self._segments.pop()
            segment = _Segment(
                np.concatenate([earlier.hashes, segment.hashes]), np.concatenate([earlier.rows, segment.rows])
            )
        self._segments.append(segment)


class _Segment:
    """Hashes sorted by each of their bands."""

    def __init__(self, hashes: Hashes, rows: NDArray[np.int64]) -> None:
        self.hashes, self.rows = hashes, rows
        self._orders: list[NDArray[np.int32]] = []  # for each band: positions (n,), sorted by the value of the band
        self._starts: list[NDArray[np.int64]] = []  # for each band: where each value begins
        for first, bits in _BANDS:
            values = _band(hashes, first, bits)
            self._orders.append(np.argsort(values, kind="stable").astype(np.int32))
            self._starts.append(np.concatenate([[0], np.cumsum(np.bincount(values, minlength=1 << bits))]))

    def near(self, hashes: Hashes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return pairs that differ in at most `MOST_BITS`: the position in `hashes`, and the row in this segment."""
        new_of, place_of = [], []
        for (first, bits), order, starts in zip(_BANDS, self._orders, self._starts, strict=True):
            values = _band(hashes, first, bits)
            counts = np.minimum(starts[values + 1] - starts[values], LOOKED_AT)
            new = np.repeat(np.arange(len(hashes)), counts)
            within = np.arange(len(new)) - np.repeat(np.cumsum(counts) - counts, counts)
            places = order[np.repeat(starts[values], counts) + within]
            is_near = np.bitwise_count(hashes[new] ^ self.hashes[places]) <= MOST_BITS
            new_of.append(new[is_near])
            place_of.append(places[is_near])
        return np.concatenate(new_of), self.rows[np.concatenate(place_of)]


def _band(hashes: Hashes, first: int, bits: int) -> NDArray[np.int64]:
    return ((hashes >> np.uint64(first)) & np.uint64((1 << bits) - 1)).astype(np.int64)


def _first_pairs(new: NDArray[np.int64], old: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pairs in order, each once, at most `COMPARED` per new image."""
    pairs = np.unique(new << 40 | old)
    new, old = pairs >> 40, pairs & ((1 << 40) - 1)
    is_first = np.arange(len(new)) - np.searchsorted(new, new) < COMPARED
    return new[is_first], old[is_first]


def _are_alike(some: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether thumbnails (n, 32, 32, 3) differ by at most the standard deviation of the first of them: (n,) bool."""
    apart = (np.maximum(some, others) - np.minimum(some, others)).mean(axis=(1, 2, 3), dtype=np.float32)
    varies = some.std(axis=(1, 2), dtype=np.float32).mean(axis=-1)
    alike: NDArray[np.bool_] = apart <= np.clip(varies, LEAST_DIFFERENCE, MOST_DIFFERENCE)
    return alike


def _originals(n: int, new: NDArray[np.int64], old: NDArray[np.int64], first_row: int) -> list[int | None]:
    """The first original near each of n new images, or None; a copy is no original. The pairs are in order."""
    originals: list[int | None] = [None] * n
    for place, row in zip(new.tolist(), old.tolist(), strict=True):
        is_copy = row >= first_row and originals[row - first_row] is not None
        if originals[place] is None and not is_copy:
            originals[place] = row
    return originals

"""The geometry of codes: walks between two codes, samples around one, and the principal directions of a corpus.

The codes of removed rows are zeros; callers leave these rows out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imgsearch.linear import Moments, components_of, moments

BLOCK_ROWS = 16_384  # codes that are converted to float64 at once


@dataclass(frozen=True)
class Directions:
    """The principal directions of codes, the one of largest variance first."""

    mean: NDArray[np.float32]  # (d,) mean of the codes
    directions: NDArray[np.float32]  # (k, d), orthogonal, of length 1
    deviations: NDArray[np.float32]  # (k,) standard deviation of the codes along each

    def moved(self, code: NDArray[np.floating], amounts: NDArray[np.floating]) -> NDArray[np.float32]:
        """(d,) a code (d,) moved along the first directions by `amounts` (up to k,) standard deviations of each."""
        n = len(amounts)
        steps = np.asarray(amounts, np.float64) * self.deviations[:n]
        return (np.asarray(code, np.float64) + steps @ self.directions[:n]).astype(np.float32)

    def amounts(self, code: NDArray[np.floating]) -> NDArray[np.float32]:
        """(k,) coordinates of a code (d,) along the directions, in standard deviations from the mean."""
        along = self.directions @ (np.asarray(code, np.float64) - self.mean)
        return np.divide(along, self.deviations, out=np.zeros_like(along), where=self.deviations > 0).astype(np.float32)


def walk(first: NDArray[np.floating], second: NDArray[np.floating], steps: int) -> NDArray[np.float32]:
    """(steps, d) codes on the way from one code (d,) to another, both ends included.

    They have the directions of the straight line between the two, and lengths that change evenly from the one's to the
    other's. The line itself is shorter half way between very different codes and decodes to pale images.

    >>> walk(np.array([3.0, 0.0]), np.array([5.0, 0.0]), 3).tolist()
    [[3.0, 0.0], [4.0, 0.0], [5.0, 0.0]]
    """
    assert steps >= 2
    share = np.linspace(0, 1, steps)[:, None]
    one, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    line = (1 - share) * one + share * other
    wanted = (1 - share) * np.linalg.norm(one) + share * np.linalg.norm(other)
    lengths = np.linalg.norm(line, axis=1, keepdims=True)
    factors = np.divide(wanted, lengths, out=np.zeros_like(wanted), where=lengths > 0)  # opposite codes meet in 0
    return np.asarray(line * factors, np.float32)


def principal_directions(codes: NDArray[np.floating], k: int) -> Directions:
    """Return the first k principal directions of codes (n, d), or d where that is less.

    Each points to where its largest entry is positive: the same codes give the same directions.
    """
    found = components_of(_moments(codes), k)
    return Directions(
        found.mean.astype(np.float32),
        found.directions.astype(np.float32),
        np.sqrt(found.variances).astype(np.float32),
    )


def gaussian_codes(codes: NDArray[np.floating], n: int, seed: int) -> NDArray[np.float32]:
    """Return (n, d) draws from the Gaussian with the mean and the covariance of `codes` (m, d)."""
    found = _moments(codes)
    return (found.mean + _draws(found, n, seed)).astype(np.float32)


def around(
    code: NDArray[np.floating], codes: NDArray[np.floating], spread: float, n: int, seed: int
) -> NDArray[np.float32]:
    """Return (n, d) draws around a code (d,), distributed as `codes` (m, d) are around their mean.

    Their deviation is scaled by `spread`: a sample goes far in the directions in which the corpus varies much and
    hardly anywhere in the others; 0 returns the code itself.
    """
    return (np.asarray(code, np.float64) + spread * _draws(_moments(codes), n, seed)).astype(np.float32)


def _draws(given: Moments, n: int, seed: int) -> NDArray[np.float64]:
    """(n, d) draws around zero; by components, since a covariance of few codes has no Cholesky factor."""
    found = components_of(given)
    normal = np.random.default_rng(seed).standard_normal((n, len(found.variances)))
    drawn: NDArray[np.float64] = (normal * np.sqrt(found.variances)) @ found.directions
    return drawn


def _moments(codes: NDArray[np.floating]) -> Moments:
    """The moments of codes (n, d), block by block in float64: they may be a memory map of millions."""
    return moments(codes[start : start + BLOCK_ROWS].astype(np.float64) for start in range(0, len(codes), BLOCK_ROWS))

"""Mean, covariance and principal components of rows of numbers: the one linear algebra of the project. numpy only."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

BLOCK_ROWS = 4096  # rows that are multiplied at once
LEAST_SHARE = 1e-12  # of the largest variance; smaller variances of few rows are rounding errors


@dataclass(frozen=True)
class Moments:
    """Mean and covariance of n rows."""

    n: int
    mean: Array  # (d,)
    covariance: Array  # (d, d), divided by n


@dataclass(frozen=True)
class Components:
    """Principal components: orthogonal directions, the one of largest variance first.

    The sign of a direction is such that its entry of largest absolute value is positive, so that the same rows give
    the same directions on every machine.
    """

    mean: Array  # (d,)
    directions: Array  # (k, d), of length 1
    variances: Array  # (k,), descending, at least 0


def moments(blocks: Iterable[NDArray[Any]]) -> Moments:
    """Return the moments of rows that come in blocks (n_i, d), at least one row in all; they may be read only once.

    Products are computed in the blocks' precision (float32 for integers and float16), about the mean of the first
    block, and added up in float64. So blocks of float32 are fast, and blocks of float64 exact.
    """
    n, centre, total, products = 0, np.zeros(0), np.zeros(0), np.zeros((0, 0))
    for block in blocks:
        values = block.astype(np.result_type(block, np.float32), copy=False)
        if not len(values):
            continue
        if n == 0:
            centre = values.mean(axis=0, dtype=np.float64).astype(values.dtype)
            total, products = np.zeros(len(centre)), np.zeros((len(centre), len(centre)))
        values = values - centre
        n += len(values)
        total += values.sum(axis=0, dtype=np.float64)
        products += values.T @ values
    assert n > 0, "moments of no rows"
    mean = total / n
    return Moments(n, centre + mean, products / n - np.outer(mean, mean))


def components_of(given: Moments, k: int | None = None) -> Components:
    """Return the first k principal components of rows with these moments; all of them where k is None or larger."""
    variances, vectors = np.linalg.eigh(given.covariance)  # ascending, vectors in columns
    return _components(given.mean, vectors.T[::-1][:k], variances[::-1][:k])


def principal_components(rows: NDArray[Any], k: int | None = None) -> Components:
    """Return the first k principal components of rows (n, d); all of them where k is None or larger.

    Where there are fewer rows than columns, the (n, n) products of the rows are decomposed instead of the covariance:
    both have the same eigenvalues other than 0. This is done in float64, and components without variance are left out.
    """
    n, d = rows.shape
    if n >= d:
        return components_of(moments(rows[start : start + BLOCK_ROWS] for start in range(0, n, BLOCK_ROWS)), k)
    mean = rows.mean(axis=0, dtype=np.float64)
    centred = rows - mean
    variances, vectors = np.linalg.eigh(centred @ centred.T / n)
    variances, vectors = variances[::-1][:k], vectors.T[::-1][:k]
    kept = variances > LEAST_SHARE * variances[0]
    directions = vectors[kept] @ centred
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return _components(mean, directions, variances[kept])


def _components(mean: Array, directions: Array, variances: Array) -> Components:
    if len(directions):
        largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=1)[:, None], axis=1)
        directions = directions * np.where(largest < 0, -1.0, 1.0)
    return Components(mean, directions, np.maximum(variances, 0))

"""Anchors: a few codes that stand for all codes of a corpus, found by k-means. Knows codes as numbers, and faiss."""

import faiss
import numpy as np
from numpy.typing import NDArray

CODES_PER_ANCHOR, MOST_ANCHORS = 10, 4096
ITERATIONS = 8  # more bring nothing that can be measured


def find_anchors(directions: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """(m, d) centres of directions (n, d), all of length 1: one for every ten, 4,096 at most, none for none."""
    n, d = directions.shape
    if n == 0:
        return np.empty((0, d), np.float32)
    means = faiss.Kmeans(
        d,
        min(max(n // CODES_PER_ANCHOR, 1), MOST_ANCHORS),
        niter=ITERATIONS,
        seed=seed,
        spherical=True,
        min_points_per_centroid=1,  # else faiss warns of what is meant so
        max_points_per_centroid=2 * CODES_PER_ANCHOR,
    )
    means.train(directions)
    assert means.centroids is not None
    return means.centroids

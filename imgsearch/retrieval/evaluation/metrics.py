"""Retrieval metrics as small functions on arrays, in numpy.

Labels are integers. `found` (nq, m) holds the labels of each query's neighbours, nearest first; where a query has
fewer than m neighbours the rest is `MISSING`, and a missing neighbour counts as a wrong one.
"""

import numpy as np
from numpy.typing import NDArray

MISSING = -1


def relevant_ranks(found: NDArray[np.int64], wanted: NDArray[np.int64], k: int) -> NDArray[np.bool_]:
    """(nq, k) whether the neighbour at each rank has its query's label; `found` may be narrower than k."""
    places = np.zeros((len(wanted), k), dtype=np.bool_)  # (nq, k)
    seen = found[:, :k]
    places[:, : seen.shape[1]] = (seen == wanted[:, None]) & (seen != MISSING)
    return places


def precision_at(found: NDArray[np.int64], wanted: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """(nq,) share of the first k neighbours that have the query's label.

    >>> precision_at(np.array([[7, 3, 7], [3, 3, MISSING]]), np.array([7, 3]), 2).tolist()
    [0.5, 1.0]
    """
    precision: NDArray[np.float64] = relevant_ranks(found, wanted, k).mean(axis=1)
    return precision


def average_precision(
    found: NDArray[np.int64], wanted: NDArray[np.int64], n: int, *, relevant: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """(nq,) average precision of the first n neighbours: precision at each relevant rank, summed and normalised.

    The norm is the number of relevant neighbours among the first n; with `relevant` (nq,), the number of relevant
    vectors in the whole database, it is min(relevant, n). The result is 0 where the norm is 0.

    >>> average_precision(np.array([[7, 3, 7]]), np.array([7]), 3).round(3).tolist()
    [0.833]
    >>> average_precision(np.array([[7, 3, 7]]), np.array([7]), 3, relevant=np.array([4])).round(3).tolist()
    [0.556]
    """
    places = relevant_ranks(found, wanted, n)  # (nq, n)
    precision = np.cumsum(places, axis=1) / np.arange(1, n + 1)  # (nq, n)
    total = np.where(places, precision, 0.0).sum(axis=1)
    norm = places.sum(axis=1) if relevant is None else np.minimum(relevant, n)
    mean: NDArray[np.float64] = np.divide(total, norm, out=np.zeros(len(wanted)), where=norm > 0)
    return mean


def knn_vote(found: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """(nq,) the most frequent label among the first k neighbours; of equally frequent ones that of the nearest.

    `MISSING` where a query has no neighbour at all.

    >>> knn_vote(np.array([[3, 7, 7, 3], [5, 7, 7, 3]]), 4).tolist()
    [3, 7]
    """
    voters = found[:, :k]  # (nq, k)
    if voters.shape[1] == 0:
        return np.full(len(found), MISSING, dtype=np.int64)
    votes = (voters[:, :, None] == voters[:, None, :]).sum(axis=2)  # (nq, k): votes for the label at each rank
    votes[voters == MISSING] = 0
    # argmax takes the first maximum: the nearest neighbour among those of tied labels.
    winner: NDArray[np.int64] = np.take_along_axis(voters, votes.argmax(axis=1)[:, None], axis=1)[:, 0]
    return winner


def recall_at_k(
    distances: NDArray[np.floating], truth: NDArray[np.floating], k: int, *, tolerance: float = 1e-6
) -> NDArray[np.float64]:
    """(nq,) share of the k nearest that were found, counted by distance, so that an equally near row is no miss.

    `distances` (nq, m) are the true distances of the neighbours found, `truth` (nq, >= k) those of the exact
    neighbours, both ascending; inf where there is none.

    >>> recall_at_k(np.array([[0.1, 0.3, 0.9]]), np.array([[0.1, 0.2, 0.3]]), 3).round(3).tolist()
    [0.667]
    """
    nearest = truth[:, :k]  # (nq, k)
    there = np.isfinite(nearest)
    limit = np.where(there, nearest, -np.inf).max(axis=1, initial=-np.inf)  # (nq,) distance of the last true one
    found = (distances[:, :k] <= limit[:, None] + tolerance).sum(axis=1)
    exact = there.sum(axis=1)
    recall: NDArray[np.float64] = np.divide(found, exact, out=np.ones(len(truth)), where=exact > 0)
    return recall

"""The metrics against slow, obvious implementations of their definitions."""

import doctest
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from imgsearch.retrieval.evaluation import metrics
from imgsearch.retrieval.evaluation.metrics import MISSING, average_precision, knn_vote, precision_at, recall_at_k

# A query: its label, the labels of its neighbours, nearest first.
query = st.tuples(st.integers(0, 3), st.lists(st.integers(0, 3), max_size=12))
several = st.lists(query, min_size=1, max_size=6)


def as_arrays(queries: list[tuple[int, list[int]]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(nq, m) padded with MISSING, (nq,)."""
    width = max(len(found) for _, found in queries)
    padded = [found + [MISSING] * (width - len(found)) for _, found in queries]
    wanted = np.array([label for label, _ in queries])
    return np.array(padded, dtype=np.int64).reshape(len(queries), width), wanted


def slow_average_precision(label: int, found: list[int], n: int, relevant: int | None) -> float:
    precisions = []
    for place, other in enumerate(found[:n], start=1):
        if other == label:
            precisions.append(found[:place].count(label) / place)
    norm = len(precisions) if relevant is None else min(relevant, n)
    return sum(precisions) / norm if norm else 0.0


def slow_vote(found: list[int], k: int) -> int:
    votes = Counter(found[:k])
    if not votes:
        return MISSING
    most = max(votes.values())
    return next(label for label in found[:k] if votes[label] == most)


@given(several, st.integers(1, 15))
def test_precision_is_the_share_of_k_places_that_have_the_label(queries: list[tuple[int, list[int]]], k: int) -> None:
    slow = [found[:k].count(label) / k for label, found in queries]
    assert precision_at(*as_arrays(queries), k).tolist() == pytest.approx(slow)


@given(several, st.integers(1, 15))
def test_average_precision_by_the_relevant_ones_found(queries: list[tuple[int, list[int]]], n: int) -> None:
    slow = [slow_average_precision(label, found, n, None) for label, found in queries]
    assert average_precision(*as_arrays(queries), n).tolist() == pytest.approx(slow)


@given(several, st.integers(1, 15), st.integers(0, 20))
def test_average_precision_by_the_relevant_ones_there_are(
    queries: list[tuple[int, list[int]]], n: int, more: int
) -> None:
    relevant = [found.count(label) + more for label, found in queries]
    slow = [slow_average_precision(*query, n, r) for query, r in zip(queries, relevant, strict=True)]
    fast = average_precision(*as_arrays(queries), n, relevant=np.array(relevant))
    assert fast.tolist() == pytest.approx(slow)


@given(several, st.integers(1, 15))
def test_vote_is_the_majority_and_the_nearest_class_between_equals(
    queries: list[tuple[int, list[int]]], k: int
) -> None:
    slow = [slow_vote(found, k) for _, found in queries]
    assert knn_vote(as_arrays(queries)[0], k).tolist() == slow


@given(st.lists(st.integers(0, 6), min_size=1, max_size=12), st.integers(1, 6), st.randoms(use_true_random=False))
def test_another_row_at_the_same_distance_counts_as_found(distances: list[int], k: int, random: object) -> None:
    truth = np.sort(np.array(distances, dtype=np.float64))
    limit = truth[min(k, len(truth)) - 1]
    beyond = np.array([value for value in truth if value > limit])
    within = truth[truth <= limit]
    kept = within[: len(within) // 2 + 1]
    found = np.sort(np.concatenate([kept, beyond]))
    recall = recall_at_k(found[None], truth[None], k)
    assert recall[0] == pytest.approx(min(len(kept), k) / min(k, len(truth)))


def test_recall_counts_ties_as_found_and_farther_rows_as_missed() -> None:
    truth = np.array([[0.1, 0.2, 0.2, 0.2]])  # three rows at 0.2: whichever are found is as good
    assert recall_at_k(np.array([[0.1, 0.2]]), truth, 2).tolist() == [1.0]
    assert recall_at_k(np.array([[0.1, 0.3]]), truth, 2).tolist() == [0.5]


def test_recall_where_there_are_fewer_than_k() -> None:
    truth = np.array([[0.1, np.inf, np.inf], [np.inf, np.inf, np.inf]])
    found = np.array([[0.1, np.inf, np.inf], [np.inf, np.inf, np.inf]])
    assert recall_at_k(found, truth, 3).tolist() == [1.0, 1.0]


def test_examples_in_the_docstrings() -> None:
    outcome = doctest.testmod(metrics, extraglobs={"np": np})
    assert outcome.attempted >= 5
    assert outcome.failed == 0

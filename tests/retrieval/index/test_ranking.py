"""Whole rankings against sorting by hand: each metric, ties, and queries that are in the database."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from imgsearch.retrieval.index import ranking
from imgsearch.retrieval.index.ranking import Database, k_nearest

OUTSIDE = np.full(5, -1)


def random(kind: str, n: int, seed: int) -> NDArray[Any]:
    rng = np.random.default_rng(seed)
    if kind == "floats":
        return rng.standard_normal((n, 12)).astype(np.float32)
    return rng.integers(0, 256, (n, 3072 if kind == "pixels" else 4), dtype=np.uint8)


def slow_distances(queries: NDArray[Any], vectors: NDArray[Any], metric: str) -> NDArray[np.float64]:
    if metric == "hamming":
        differ = np.unpackbits(queries, axis=1)[:, None] != np.unpackbits(vectors, axis=1)[None]
        return np.asarray(differ.sum(axis=2), dtype=np.float64)
    ours, theirs = queries.astype(np.float64), vectors.astype(np.float64)
    if metric == "l2":
        return np.asarray(((ours[:, None] - theirs[None]) ** 2).sum(axis=2))
    ours /= np.linalg.norm(ours, axis=1, keepdims=True)
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    return np.asarray(1 - ours @ theirs.T)


@pytest.mark.parametrize(
    ("kind", "metric"), [("floats", "l2"), ("floats", "cosine"), ("pixels", "l2"), ("bits", "hamming")]
)
def test_distances_and_order(kind: str, metric: str) -> None:
    vectors, queries = random(kind, 200, 1), random(kind, 5, 2)
    database = Database.of(vectors, metric)
    slow = slow_distances(queries, vectors, metric)
    assert database.distances(queries) == pytest.approx(slow, rel=1e-5, abs=1e-6)
    order = database.ranking(queries, OUTSIDE)
    assert np.sort(order, axis=1).tolist() == [list(range(200))] * 5
    assert (np.diff(np.take_along_axis(slow, order, axis=1), axis=1) >= -1e-6).all()


def test_pixel_distances_are_exact_where_float32_would_round() -> None:
    black, white = np.zeros((1, 3072), np.uint8), np.full((1, 3072), 255, np.uint8)
    nearly = white.copy()
    nearly[0, 0] = 254
    distances = Database.of(np.concatenate([white, nearly]), "l2").distances(black)
    assert distances.tolist() == [[3072 * 255**2, 3072 * 255**2 - 255**2 + 254**2]]


@pytest.mark.parametrize(
    ("vectors", "metric"),
    [
        (np.full((9, 3), 0.1, np.float32), "l2"),
        (np.full((9, 3), 0.1, np.float32), "cosine"),
        (np.zeros((9, 3), np.float32), "cosine"),
        (np.full((9, 3), 7, np.uint8), "l2"),
        (np.empty((9, 0), np.float32), "l2"),
    ],
)
def test_equal_distances_are_in_order_of_the_database(vectors: NDArray[Any], metric: str) -> None:
    assert Database.of(vectors, metric).ranking(vectors[:1], np.array([-1])).tolist() == [list(range(9))]


def test_equal_hamming_distances_are_in_a_random_order_that_is_always_the_same() -> None:
    same = np.zeros((400, 4), np.uint8)
    same[300:] = 1  # one bit away: behind the others in every order
    database = Database.of(same, "hamming")
    queries = np.zeros((40, 4), np.uint8)
    order = database.ranking(queries, np.full(40, -1))
    assert (np.sort(order[:, :300], axis=1) == np.arange(300)).all()
    assert abs(order[:, :10].mean() - 149.5) < 20  # the first come from everywhere
    assert len({tuple(places) for places in order.tolist()}) == 40
    in_two = [database.ranking(queries[:7], np.full(7, -1)), database.ranking(queries[7:], np.full(33, -1), first=7)]
    assert np.array_equal(np.concatenate(in_two), order)


@pytest.mark.parametrize(
    ("kind", "metric"), [("floats", "l2"), ("floats", "cosine"), ("pixels", "l2"), ("bits", "hamming")]
)
def test_a_query_of_the_database_is_left_out_of_its_own_ranking(kind: str, metric: str) -> None:
    vectors = random(kind, 30, 1)
    order = Database.of(vectors, metric).ranking(vectors[:3], np.array([0, -1, 2]))
    assert order[:, -1].tolist()[::2] == [-1, -1]
    assert order[1, 0] == 1
    for place in (0, 2):
        assert sorted(order[place, :-1].tolist()) == [other for other in range(30) if other != place]


@pytest.mark.parametrize(
    ("kind", "metric"), [("floats", "l2"), ("floats", "cosine"), ("pixels", "l2"), ("bits", "hamming")]
)
def test_distances_in_the_unit_of_hits(kind: str, metric: str) -> None:
    vectors, queries = random(kind, 30, 1), random(kind, 5, 2)
    distances = Database.of(vectors, metric).hit_distances(queries)
    expected = slow_distances(queries, vectors, metric)
    if metric == "l2":
        expected = np.sqrt(expected) / (255 if kind == "pixels" else 1)
    assert distances == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("k", [1, 7, 29, 30, 99])
@pytest.mark.parametrize(
    ("kind", "metric"), [("floats", "l2"), ("floats", "cosine"), ("pixels", "l2"), ("bits", "hamming")]
)
def test_the_k_nearest_are_the_first_of_the_ranking(
    kind: str, metric: str, k: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking, "QUERY_BLOCK", 2)
    vectors, queries = random(kind, 30, 1), random(kind, 5, 2)
    order = Database.of(vectors, metric).ranking(queries, OUTSIDE)
    assert np.array_equal(k_nearest(vectors, queries, k, metric), order[:, :k])


def test_the_k_nearest_leave_out_the_query() -> None:
    vectors = random("floats", 30, 1)
    own = np.array([4, -1, 9])
    order = Database.of(vectors, "l2").ranking(vectors[[4, 5, 9]], own)
    for k in (1, 6, 29):
        assert np.array_equal(k_nearest(vectors, vectors[[4, 5, 9]], k, "l2", own), order[:, :k])
    assert k_nearest(vectors, vectors[[4, 5, 9]], 30, "l2", own).shape == (3, 29)  # all that every query can have
    assert k_nearest(vectors[:1], vectors[:1], 5, "l2", np.array([0])).shape == (1, 0)
    assert k_nearest(vectors, vectors[:0], 5, "l2").shape == (0, 5)

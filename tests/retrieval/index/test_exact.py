"""Exact pixel neighbours by products, against differences of whole numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from imgsearch.retrieval.index import exact
from imgsearch.retrieval.index.exact import Centred, Exclusions, blocks, nearest_pixels
from tests.support.progress import RecordedProgress


def true_squares(queries: NDArray[np.uint8], pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(nq, n) squared distances in int64."""
    differences = queries[:, None].astype(np.int64) - pixels[None].astype(np.int64)
    squares: NDArray[np.int64] = np.square(differences).sum(axis=2)
    return squares


@given(st.integers(0, 2**32 - 1), st.sampled_from([3, 1024, 3072]), st.booleans())
@settings(max_examples=30, deadline=None)
def test_products_are_exact_whole_numbers(seed: int, d: int, extreme: bool) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 256, (9, d), dtype=np.uint8)
    pixels = np.where(values > 127, 255, 0).astype(np.uint8) if extreme else values
    squares = Centred.of(pixels[:4]).squared_distances(Centred.of(pixels))
    assert np.array_equal(squares, true_squares(pixels[:4], pixels))


def test_black_against_white_is_the_largest_distance() -> None:
    black, white = np.zeros((1, 3072), np.uint8), np.full((1, 3072), 255, np.uint8)
    assert Centred.of(black).squared_distances(Centred.of(white)).tolist() == [[3072 * 255**2]]


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_nearest_by_distance_then_row_with_rows_left_out(data: st.DataObject) -> None:
    n, k = data.draw(st.integers(0, 40)), data.draw(st.integers(1, 45))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    pixels = rng.integers(0, 3, (n, 4), dtype=np.uint8)  # few values: ties are the rule
    queries = rng.integers(0, 3, (3, 4), dtype=np.uint8)
    without = np.flatnonzero(rng.random(n) < data.draw(st.sampled_from([0.0, 0.3, 1.0])))
    itself = rng.integers(-1, max(n, 1), 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "ROW_BLOCK", 7)  # several blocks, the last one short
        found = nearest_pixels(queries, pixels, k, Exclusions.of(n, 3, without, itself))
    squares = true_squares(queries, pixels)
    for query, (rows, distances) in enumerate(found):
        allowed = [row for row in range(n) if row not in without and row != itself[query]]
        expected = sorted(allowed, key=lambda row: (squares[query, row], row))[:k]
        assert rows.tolist() == expected
        assert distances.tolist() == [squares[query, row] for row in expected]


def test_rows_left_out_that_the_index_does_not_hold_yet() -> None:
    exclusions = Exclusions.of(3, 1, np.array([1, 7]), np.array([9]))
    assert exclusions.kept(np.array([2, 1, 0, -1]), 0).tolist() == [2, 0]
    assert exclusions.available(0) == 2


def test_an_own_row_that_is_removed_too_counts_once() -> None:
    assert Exclusions.of(3, 1, np.array([1]), np.array([1])).available(0) == 2


def test_progress_is_reported_after_each_block() -> None:
    seen = RecordedProgress()
    done = [seen.steps for _ in blocks(5, 2, seen)]
    assert done == [[], [(2, 5)], [(2, 5), (4, 5)]]
    assert seen.steps[-1] == (5, 5)

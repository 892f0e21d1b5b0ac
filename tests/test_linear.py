"""Moments and principal components against numpy's own covariance and singular values."""

import numpy as np
import pytest
from numpy.typing import NDArray

from imgsearch.linear import Components, components_of, moments, principal_components

RNG = np.random.default_rng(0)
MIXED = RNG.standard_normal((300, 6)) * [5, 3, 2, 1, 0.5, 0.1] @ np.linalg.qr(RNG.standard_normal((6, 6)))[0] + 100


def by_svd(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    _, singular, directions = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    return directions, singular**2 / len(rows)


def assert_are_those_of_svd(found: Components, rows: NDArray[np.float64], rel: float = 1e-9) -> None:
    directions, variances = by_svd(rows)
    k = len(found.variances)
    assert found.mean == pytest.approx(rows.mean(axis=0), rel=1e-6)
    assert found.variances == pytest.approx(variances[:k], rel=rel)
    assert np.abs(np.sum(found.directions * directions[:k], axis=1)) == pytest.approx(np.ones(k), abs=rel)


@pytest.mark.parametrize("sizes", [[300], [1, 299], [100, 0, 150, 50]])
def test_moments_of_blocks_are_those_of_all_rows(sizes: list[int]) -> None:
    found = moments(np.split(MIXED, np.cumsum(sizes)[:-1]))
    assert found.n == 300
    assert found.mean == pytest.approx(MIXED.mean(axis=0), rel=1e-12)
    assert found.covariance == pytest.approx(np.cov(MIXED.T, bias=True), rel=1e-9)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.uint8])
def test_moments_of_other_types_are_those_of_the_same_numbers(dtype: type) -> None:
    rows = MIXED.astype(dtype)
    found = moments([rows[:7], rows[7:]])
    assert found.mean.dtype == found.covariance.dtype == np.float64
    assert found.mean == pytest.approx(rows.astype(np.float64).mean(axis=0), rel=1e-6)
    assert found.covariance == pytest.approx(np.cov(rows.astype(np.float64).T, bias=True), abs=1e-4)


def test_a_mean_far_from_0_does_not_cost_precision_in_float32() -> None:
    rows = (RNG.standard_normal((5000, 3)) + 1000).astype(np.float32)
    assert moments([rows]).covariance == pytest.approx(np.cov(rows.astype(np.float64).T, bias=True), abs=1e-5)


def test_components_are_those_of_the_singular_value_decomposition() -> None:
    assert_are_those_of_svd(components_of(moments([MIXED])), MIXED)
    assert_are_those_of_svd(principal_components(MIXED, 3), MIXED)


def test_rows_fewer_than_columns_have_the_components_of_the_singular_value_decomposition() -> None:
    wide = RNG.standard_normal((8, 50))
    found = principal_components(wide)
    assert len(found.variances) == 7  # eight rows about their mean
    assert_are_those_of_svd(found, wide)
    assert found.directions @ found.directions.T == pytest.approx(np.eye(7), abs=1e-9)
    assert len(principal_components(wide, 3).variances) == 3


def test_the_largest_entry_of_every_direction_is_positive_whichever_way_it_was_computed() -> None:
    square = RNG.standard_normal((12, 12))
    wide = np.concatenate([square, np.zeros((12, 3))], axis=1)
    few, many = principal_components(wide), components_of(moments([square]))
    for found in (few, many):
        largest = np.abs(found.directions).argmax(axis=1)
        assert (found.directions[np.arange(len(largest)), largest] > 0).all()
    assert few.directions[:10, :12] == pytest.approx(many.directions[:10], abs=1e-6)


def test_rows_that_are_all_alike_have_no_variance() -> None:
    assert principal_components(np.ones((3, 5))).directions.shape == (0, 5)
    alike = principal_components(np.ones((7, 5)), 2)
    assert alike.variances == pytest.approx(np.zeros(2))
    assert alike.directions.shape == (2, 5)

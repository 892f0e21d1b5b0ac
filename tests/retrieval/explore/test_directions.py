"""Walks, samples and directions against their definitions."""

import numpy as np
import pytest
from numpy.typing import NDArray

from imgsearch.retrieval.explore import directions as module
from imgsearch.retrieval.explore.directions import around, gaussian_codes, principal_directions, walk

DEVIATIONS = np.array([3.0, 1.0, 0.5, 0.1])


@pytest.fixture(name="codes")
def codes_with_known_directions() -> NDArray[np.float32]:
    """(4000, 4) float32: deviations 3, 1, 0.5 and 0.1 along the axes of a random rotation, about a mean far from 0."""
    rng = np.random.default_rng(5)
    return np.asarray(10 + rng.standard_normal((4000, 4)) * DEVIATIONS @ _rotation(), np.float32)


def _rotation() -> NDArray[np.float64]:
    rotation, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((4, 4)))
    return np.asarray(rotation)


def test_a_walk_has_the_directions_of_the_line_between_two_codes() -> None:
    first, second = np.array([1.0, 5.0, -2.0], np.float16), np.array([8.0, -1.0, 0.0], np.float16)
    way = walk(first, second, 7)
    assert way.dtype == np.float32
    assert way[[0, -1]] == pytest.approx(np.stack([first, second]))
    line = np.linspace(first.astype(float), second.astype(float), 7)
    assert np.cross(way, line) == pytest.approx(np.zeros((7, 3)), abs=1e-5)
    assert (np.sum(way * line, axis=1) > 0).all()


def test_the_lengths_of_a_walk_change_evenly() -> None:
    """The straight line is shortest half way: there two codes of length 3 and 4 at right angles would give 2.5."""
    lengths = np.linalg.norm(walk(np.array([3.0, 0.0]), np.array([0.0, 4.0]), 5), axis=1)
    assert lengths == pytest.approx([3, 3.25, 3.5, 3.75, 4])


def test_a_walk_to_the_opposite_code_is_made_of_numbers() -> None:
    assert np.isfinite(walk(np.array([3.0, 0.0]), np.array([-3.0, 0.0]), 5)).all()


def test_principal_directions_are_those_the_codes_were_made_with(codes: NDArray[np.float32]) -> None:
    found = principal_directions(codes, 3)
    assert found.mean == pytest.approx(codes.mean(axis=0), abs=1e-4)
    assert found.deviations == pytest.approx(DEVIATIONS[:3], rel=0.05)
    assert np.abs(np.sum(found.directions * _rotation()[:3], axis=1)) == pytest.approx(np.ones(3), abs=0.01)
    assert found.directions @ found.directions.T == pytest.approx(np.eye(3), abs=1e-5)
    assert (found.directions[np.arange(3), np.abs(found.directions).argmax(axis=1)] > 0).all()


def test_there_are_no_more_directions_than_numbers(codes: NDArray[np.float32]) -> None:
    assert principal_directions(codes, 9).directions.shape == (4, 4)


def test_blocks_give_the_same_as_all_at_once(codes: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = principal_directions(codes, 4)
    monkeypatch.setattr(module, "BLOCK_ROWS", 333)
    parts = principal_directions(codes, 4)
    assert parts.mean == pytest.approx(whole.mean)
    assert parts.directions == pytest.approx(whole.directions, abs=1e-4)


def test_a_code_is_moved_to_the_amounts_it_then_has(codes: NDArray[np.float32]) -> None:
    found = principal_directions(codes, 4)
    moved = found.moved(found.mean, np.array([2.0, -1.0]))
    assert found.amounts(moved) == pytest.approx([2, -1, 0, 0], abs=1e-3)
    assert found.moved(moved, np.array([-2.0, 1.0])) == pytest.approx(found.mean, abs=1e-4)


def test_codes_that_are_all_alike_have_no_amounts() -> None:
    alike = np.ones((5, 3), np.float16)
    found = principal_directions(alike, 2)
    assert found.deviations.tolist() == [0, 0]
    assert found.amounts(np.array([1, 2, 3])).tolist() == [0, 0]


def test_gaussian_codes_have_the_mean_and_covariance_of_the_corpus(codes: NDArray[np.float32]) -> None:
    drawn = gaussian_codes(codes, 20_000, seed=3)
    assert drawn.mean(axis=0) == pytest.approx(codes.mean(axis=0), abs=0.1)
    assert np.cov(drawn.T) == pytest.approx(np.cov(codes.T), abs=0.2)
    assert (drawn == gaussian_codes(codes, 20_000, seed=3)).all()
    assert (drawn[:9] != gaussian_codes(codes, 9, seed=4)).any()


def test_the_spread_scales_the_distance_of_samples_around_a_code(codes: NDArray[np.float32]) -> None:
    code = np.array([1.0, 2.0, 3.0, 4.0])
    drawn = around(code, codes, 0.5, 20_000, seed=3)
    assert drawn.mean(axis=0) == pytest.approx(code, abs=0.05)
    assert np.cov(drawn.T) == pytest.approx(np.cov(codes.T) / 4, abs=0.1)
    assert around(code, codes, 0.0, 3, seed=3) == pytest.approx(np.tile(code, (3, 1)), abs=1e-6)


def test_few_codes_are_enough_to_draw_from() -> None:
    """Two codes of eight numbers: all draws are on the line through them."""
    two = np.random.default_rng(2).standard_normal((2, 8))
    drawn = gaussian_codes(two, 50, seed=0) - two[0]
    along = (two[1] - two[0]) / np.linalg.norm(two[1] - two[0])
    assert drawn == pytest.approx((drawn @ along)[:, None] * along, abs=1e-6)

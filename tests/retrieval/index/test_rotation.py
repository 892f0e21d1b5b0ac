"""Iterative quantisation: a rotation, and one after which rounding loses less."""

import numpy as np
from numpy.typing import NDArray

from imgsearch.retrieval.index.rotation import quantising_rotation

Numbers = NDArray[np.float32]


def drawn(*shape: int, seed: int = 0) -> Numbers:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def unit(codes: Numbers) -> Numbers:
    scaled: Numbers = codes / np.linalg.norm(codes, axis=1, keepdims=True)
    return scaled


def loss(directions: Numbers, rotation: Numbers) -> float:
    """How far the rotated directions are from their signs, as angles are: 1 - the mean cosine."""
    rotated = directions @ rotation.T
    return 1 - float((np.abs(rotated).sum(1) / np.linalg.norm(rotated, axis=1)).mean() / len(rotation) ** 0.5)


def test_it_is_a_rotation_into_as_many_bits_as_asked() -> None:
    rotation = quantising_rotation(unit(drawn(500, 12)), drawn(20, 12, seed=1))
    assert rotation.shape == (20, 12)
    assert np.allclose(rotation.T @ rotation, np.eye(12), atol=1e-5)


def test_fewer_directions_than_numbers_will_do() -> None:
    rotation = quantising_rotation(unit(drawn(3, 12)), drawn(20, 12, seed=1))
    assert np.allclose(rotation.T @ rotation, np.eye(12), atol=1e-4)


def test_rounding_loses_less_after_it_than_after_a_random_one() -> None:
    directions = unit(drawn(2000, 16) * np.logspace(0, -1, 16, dtype=np.float32))
    start = drawn(16, 16, seed=1)
    better, random = (loss(directions, quantising_rotation(directions, start, rounds)) for rounds in (20, 0))
    assert better < 0.95 * random


def test_a_rotation_that_is_best_already_stays() -> None:
    turn = np.linalg.qr(drawn(6, 6))[0].astype(np.float32)
    signs = np.where(drawn(4000, 6, seed=1) > 0, np.float32(1), np.float32(-1))
    assert np.allclose(quantising_rotation(unit(signs @ turn), turn), turn, atol=1e-4)

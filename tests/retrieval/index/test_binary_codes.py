"""Binary codes: equal for equal codes, and better at finding the same kind than plain rounding."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from imgsearch.retrieval.index import binary_codes
from imgsearch.retrieval.index.binary_codes import (
    BinaryCoder,
    find_anchors,
    load_binary,
    quantising_rotation,
    save_binary,
)

N_KINDS = 30


def codes(n: int, seed: int = 0) -> NDArray[np.float32]:
    """(n, 64) noisy codes; code i is of kind i % 30."""
    centres = np.random.default_rng(99).standard_normal((N_KINDS, 64))
    noise = np.random.default_rng(seed).standard_normal((n, 64))
    return (centres[np.arange(n) % N_KINDS] + 1.6 * noise).astype(np.float32)


def same_kind(queries: NDArray[np.uint8], stored: NDArray[np.uint8]) -> float:
    """The share of the ten nearest by Hamming distance that are of the kind of the query."""
    distances = np.bitwise_count(queries[:, None] ^ stored[None]).sum(axis=2)
    nearest = distances.argsort(axis=1, kind="stable")[:, :10]
    return float((nearest % N_KINDS == np.arange(len(queries))[:, None] % N_KINDS).mean())


def test_codes_pulled_towards_anchors_find_their_kind_more_often() -> None:
    stored, queries = codes(1500), codes(200, seed=1)
    coder = BinaryCoder.fit(stored)
    plain = BinaryCoder(coder.anchors[:0], coder.rotation)
    pulled = same_kind(coder.encode(queries), coder.encode(stored))
    assert pulled > 1.05 * same_kind(plain.encode(queries), plain.encode(stored))
    assert pulled > 5 / N_KINDS


def test_bits_are_the_signs_of_rotated_codes() -> None:
    rotation = np.random.default_rng(0).standard_normal((256, 64)).astype(np.float32)
    coder, stored = BinaryCoder(np.empty((0, 64), np.float32), rotation), codes(20)
    assert np.array_equal(np.unpackbits(coder.encode(stored), axis=1), stored @ rotation.T > 0)


def test_a_code_is_pulled_a_little_towards_the_nearest_anchors() -> None:
    anchors = np.eye(3, dtype=np.float32)[:2]
    coder = BinaryCoder(anchors, np.zeros((256, 3), np.float32))
    leaned = coder.lean(np.array([[10.0, 1, 5], [0, 0, 0]]))
    direction = np.array([10, 1, 5]) / 126**0.5
    assert np.allclose(leaned[0] - direction, [0.15, 0, 0], atol=1e-3)
    assert np.allclose(leaned[1], [0.15 / 2**0.5, 0.15 / 2**0.5, 0])


@given(n=st.integers(1, 60), scale=st.sampled_from([1, 7, 0.01]), place=st.integers(0, 59))
@settings(max_examples=20, deadline=None)
def test_bits_depend_only_on_the_direction_of_the_code(n: int, scale: float, place: int) -> None:
    coder = _CODER
    packed = coder.encode(codes(60))
    assert packed.shape == (60, 32)
    assert np.array_equal(coder.encode(scale * codes(60)[:n].astype(np.float64)), packed[:n])
    assert np.array_equal(coder.encode(codes(60)[place : place + 1]), packed[place : place + 1])


_CODER = BinaryCoder.fit(codes(120))


def test_the_same_codes_give_the_same_coder() -> None:
    again = BinaryCoder.fit(codes(120))
    assert np.array_equal(again.encode(codes(60)), _CODER.encode(codes(60)))


def test_few_codes_no_codes_and_codes_of_zeros() -> None:
    for n in (0, 1, 2, 11):
        coder = BinaryCoder.fit(codes(n))
        assert coder.encode(codes(n)).shape == (n, 32)
        assert len(np.unique(coder.encode(codes(20, seed=5)), axis=0)) == 20
    assert _CODER.encode(np.zeros((2, 64))).shape == (2, 32)


def test_a_coder_and_its_bits_are_loaded_as_they_were_saved(tmp_path: Path) -> None:
    bits = _CODER.encode(codes(9))
    save_binary(tmp_path / "binary", _CODER, bits)
    coder, loaded = load_binary(tmp_path / "binary", 9)
    assert np.array_equal(loaded, bits)
    assert np.array_equal(coder.encode(codes(9)), bits)


# ----------------------------------------------------------------------------------------------------------------------
# anchors


def directions(n: int, seed: int = 0) -> NDArray[np.float32]:
    """(n, 16) of length 1 around 4 centres."""
    rng = np.random.default_rng(seed)
    codes = 4 * np.eye(16)[np.arange(n) % 4] + rng.standard_normal((n, 16)) / 4
    scaled: NDArray[np.float32] = (codes / np.linalg.norm(codes, axis=1, keepdims=True)).astype(np.float32)
    return scaled


@pytest.mark.parametrize(("n", "expected"), [(0, 0), (1, 1), (19, 1), (40, 4), (200, 20)])
def test_one_anchor_for_every_ten_codes(n: int, expected: int) -> None:
    found = find_anchors(directions(n), seed=0)
    assert found.shape == (expected, 16)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_the_number_of_anchors_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary_codes, "MOST_ANCHORS", 7)
    assert len(find_anchors(directions(400), seed=0)) == 7


def test_every_cluster_centre_has_an_anchor_near_it() -> None:
    found = find_anchors(directions(400), seed=0)
    assert (found @ np.eye(16, dtype=np.float32)[:, :4]).max(axis=0).min() > 0.95


def test_anchors_of_equal_codes_and_of_one_seed() -> None:
    assert np.allclose(find_anchors(np.tile(directions(1), (50, 1)), seed=0), directions(1), atol=1e-2)
    assert np.array_equal(find_anchors(directions(100), seed=3), find_anchors(directions(100), seed=3))


# ----------------------------------------------------------------------------------------------------------------------
# rotation


Numbers = NDArray[np.float32]


def drawn(*shape: int, seed: int = 0) -> Numbers:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def unit(codes: Numbers) -> Numbers:
    scaled: Numbers = codes / np.linalg.norm(codes, axis=1, keepdims=True)
    return scaled


def loss(directions: Numbers, rotation: Numbers) -> float:
    """1 - the mean cosine between the rotated directions and their signs."""
    rotated = directions @ rotation.T
    return 1 - float((np.abs(rotated).sum(1) / np.linalg.norm(rotated, axis=1)).mean() / len(rotation) ** 0.5)


def test_the_rotation_has_orthonormal_columns() -> None:
    rotation = quantising_rotation(unit(drawn(500, 12)), drawn(20, 12, seed=1))
    assert rotation.shape == (20, 12)
    assert np.allclose(rotation.T @ rotation, np.eye(12), atol=1e-5)


def test_a_rotation_is_found_for_few_directions() -> None:
    rotation = quantising_rotation(unit(drawn(3, 12)), drawn(20, 12, seed=1))
    assert np.allclose(rotation.T @ rotation, np.eye(12), atol=1e-4)


def test_rounding_loses_less_after_the_rotation_than_after_a_random_one() -> None:
    directions = unit(drawn(2000, 16) * np.logspace(0, -1, 16, dtype=np.float32))
    start = drawn(16, 16, seed=1)
    better, random = (loss(directions, quantising_rotation(directions, start, rounds)) for rounds in (20, 0))
    assert better < 0.95 * random


def test_an_optimal_rotation_is_kept() -> None:
    turn = np.linalg.qr(drawn(6, 6))[0].astype(np.float32)
    signs = np.where(drawn(4000, 6, seed=1) > 0, np.float32(1), np.float32(-1))
    assert np.allclose(quantising_rotation(unit(signs @ turn), turn), turn, atol=1e-4)

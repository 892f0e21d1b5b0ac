"""Binary codes made of codes: the same for the same code, and better at finding the same kind than plain rounding."""

from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from imgsearch.retrieval.index.binary_codes import BinaryCoder, load_binary, save_binary

N_KINDS = 30


def codes(n: int, seed: int = 0) -> NDArray[np.float32]:
    """(n, 64) noisy codes; code i is of kind i % 30."""
    centres = np.random.default_rng(99).standard_normal((N_KINDS, 64))
    noise = np.random.default_rng(seed).standard_normal((n, 64))
    return (centres[np.arange(n) % N_KINDS] + 1.6 * noise).astype(np.float32)


def same_kind(asking: NDArray[np.uint8], stored: NDArray[np.uint8]) -> float:
    """The share of the ten nearest by Hamming distance that are of the kind of the code that asks."""
    distances = np.bitwise_count(asking[:, None] ^ stored[None]).sum(axis=2)
    nearest = distances.argsort(axis=1, kind="stable")[:, :10]
    return float((nearest % N_KINDS == np.arange(len(asking))[:, None] % N_KINDS).mean())


def test_codes_drawn_towards_what_lies_around_them_find_their_kind_more_often() -> None:
    stored, asking = codes(1500), codes(200, seed=1)
    coder = BinaryCoder.fit(stored)
    plain = BinaryCoder(coder.anchors[:0], coder.rotation)
    drawn = same_kind(coder.encode(asking), coder.encode(stored))
    assert drawn > 1.05 * same_kind(plain.encode(asking), plain.encode(stored))
    assert drawn > 5 / N_KINDS


def test_a_code_is_drawn_a_little_and_towards_the_nearest_anchors() -> None:
    anchors = np.eye(3, dtype=np.float32)[:2]
    coder = BinaryCoder(anchors, np.zeros((256, 3), np.float32))
    leaned = coder.lean(np.array([[10.0, 1, 5], [0, 0, 0]]))
    direction = np.array([10, 1, 5]) / 126**0.5
    assert np.allclose(leaned[0] - direction, [0.15, 0, 0], atol=1e-3)
    assert np.allclose(leaned[1], [0.15 / 2**0.5, 0.15 / 2**0.5, 0])


@given(n=st.integers(1, 60), scale=st.sampled_from([1, 7, 0.01]), place=st.integers(0, 59))
@settings(max_examples=20, deadline=None)
def test_only_the_direction_of_a_code_counts_and_not_what_it_stands_beside(n: int, scale: float, place: int) -> None:
    coder = _CODER
    packed = coder.encode(codes(60))
    assert packed.shape == (60, 32)
    assert np.array_equal(coder.encode(scale * codes(60)[:n].astype(np.float64)), packed[:n])
    assert np.array_equal(coder.encode(codes(60)[place : place + 1]), packed[place : place + 1])


_CODER = BinaryCoder.fit(codes(120))


def test_the_same_codes_give_the_same_coder() -> None:
    again = BinaryCoder.fit(codes(120))
    assert np.array_equal(again.encode(codes(60)), _CODER.encode(codes(60)))


def test_few_codes_none_and_codes_of_nothing() -> None:
    for n in (0, 1, 2, 11):
        coder = BinaryCoder.fit(codes(n))
        assert coder.encode(codes(n)).shape == (n, 32)
        assert len(np.unique(coder.encode(codes(20, seed=5)), axis=0)) == 20
    assert _CODER.encode(np.zeros((2, 64))).shape == (2, 32)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    bits = _CODER.encode(codes(9))
    save_binary(tmp_path / "binary", _CODER, bits)
    coder, loaded = load_binary(tmp_path / "binary", 9)
    assert np.array_equal(loaded, bits)
    assert np.array_equal(coder.encode(codes(9)), bits)

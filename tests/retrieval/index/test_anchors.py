import numpy as np
import pytest
from numpy.typing import NDArray

from imgsearch.retrieval.index import anchors
from imgsearch.retrieval.index.anchors import find_anchors


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


def test_no_more_than_there_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchors, "MOST_ANCHORS", 7)
    assert len(find_anchors(directions(400), seed=0)) == 7


def test_every_centre_has_an_anchor_near_it() -> None:
    found = find_anchors(directions(400), seed=0)
    assert (found @ np.eye(16, dtype=np.float32)[:, :4]).max(axis=0).min() > 0.95


def test_equal_codes_have_anchors_and_a_seed_gives_the_same_ones() -> None:
    assert np.allclose(find_anchors(np.tile(directions(1), (50, 1)), seed=0), directions(1), atol=1e-2)
    assert np.array_equal(find_anchors(directions(100), seed=3), find_anchors(directions(100), seed=3))

"""The index of pixels against brute force."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from imgsearch.retrieval.index import pixel as pixel_index
from imgsearch.retrieval.index.pixel import PixelIndex


def some_thumbnails(n: int, seed: int = 1338, values: int = 256) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, values, (n, 32, 32, 3), dtype=np.uint8)


def true_pixel_squares(query: NDArray[np.uint8], thumbnails: NDArray[np.uint8]) -> NDArray[np.int64]:
    squares: NDArray[np.int64] = np.square(thumbnails.astype(np.int64) - query.astype(np.int64)).sum(axis=(1, 2, 3))
    return squares


@pytest.mark.parametrize("batch_queries", [0, 1000], ids=["products", "scan"])
@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_pixels_are_found_as_brute_force_finds_them(batch_queries: int, data: st.DataObject) -> None:
    n, k = data.draw(st.integers(1, 60)), data.draw(st.integers(1, 70))
    thumbnails = some_thumbnails(n, data.draw(st.integers(0, 2**32 - 1)), data.draw(st.sampled_from([1, 2, 256])))
    rng = np.random.default_rng(n)
    exclude = np.flatnonzero(rng.random(n) < data.draw(st.sampled_from([0.0, 0.4, 1.0])))
    self_rows = rng.integers(-1, n, 3)
    queries = np.concatenate([thumbnails[:1], some_thumbnails(2, n)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pixel_index, "BATCH_QUERIES", batch_queries)
        answers = PixelIndex.build(thumbnails).search(queries, k, exclude=exclude, self_rows=self_rows)
    for query, own, found in zip(queries, self_rows, answers, strict=True):
        squares = true_pixel_squares(query, thumbnails)
        allowed = [row for row in range(n) if row not in exclude and row != own]
        expected = sorted(allowed, key=lambda row: (squares[row], row))[:k]
        assert found.rows.tolist() == expected
        assert found.distances == pytest.approx(np.sqrt(squares[expected]) / 255, rel=1e-6)


def nearly_equal_distances_from_black(n: int) -> NDArray[np.uint8]:
    """White thumbnails with a few darker pixels: from black their squared distances, some 2 * 10^8, differ by 2.

    Two pixels of 254 take 2 * (255^2 - 254^2) = 1,018 off it, one of 253 takes 1,016; float32 then counts in sixteens.
    """
    thumbnails = np.full((n, 32 * 32 * 3), 255, np.uint8)
    for row, darkest in enumerate(np.random.default_rng(1338).permutation(n)):
        thumbnails[row, :darkest] = 253
        thumbnails[row, darkest : darkest + 2 * (n - darkest)] = 254
    return thumbnails.reshape(n, 32, 32, 3)


@pytest.mark.parametrize("batch_queries", [0, 1000], ids=["products", "scan"])
def test_distances_that_float32_would_merge_stay_different(batch_queries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixel_index, "BATCH_QUERIES", batch_queries)
    thumbnails, black = nearly_equal_distances_from_black(120), np.zeros((1, 32, 32, 3), np.uint8)
    squares = true_pixel_squares(black[0], thumbnails)
    expected = sorted(range(120), key=lambda row: (squares[row], row))
    assert len(set(squares.astype(np.float32).tolist())) < len(set(squares.tolist()))  # else this tests nothing
    found = PixelIndex.build(thumbnails).search(black, 40)[0]
    assert found.rows.tolist() == expected[:40]


def test_more_equal_thumbnails_than_are_fetched_still_come_in_order_of_their_rows() -> None:
    thumbnails = np.zeros((100, 32, 32, 3), np.uint8)
    thumbnails[::2] = 9
    found = PixelIndex.build(thumbnails).search(thumbnails[1:2], 4, exclude=np.array([3]), self_rows=np.array([5]))[0]
    assert found.rows.tolist() == [1, 7, 9, 11]
    assert found.distances.tolist() == [0, 0, 0, 0]


def test_black_and_white_are_as_far_apart_as_can_be() -> None:
    black, white = np.zeros((1, 32, 32, 3), np.uint8), np.full((1, 32, 32, 3), 255, np.uint8)
    assert PixelIndex.build(white).search(black, 1)[0].distances[0] == pytest.approx(np.sqrt(3072))


def test_pixels_straight_from_a_memory_map(tmp_path: Path) -> None:
    thumbnails = some_thumbnails(20)
    thumbnails.tofile(tmp_path / "thumbnails.u8")
    mapped = np.memmap(tmp_path / "thumbnails.u8", np.uint8, "r", shape=thumbnails.shape)
    index = PixelIndex.build(mapped[:15])
    del mapped
    (tmp_path / "thumbnails.u8").unlink()
    assert index.rows == 15
    assert [found.rows[0] for found in index.search(thumbnails[:15], 1)] == list(range(15))


def test_an_empty_index_finds_nothing() -> None:
    pixels = PixelIndex.build(some_thumbnails(0))
    for found in pixels.search(some_thumbnails(2), 5):
        assert found.rows.tolist() == []
        assert found.distances.tolist() == []
    assert pixels.search(some_thumbnails(0), 5) == []

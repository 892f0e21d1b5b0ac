"""The index of binary codes against brute force; with few bits nearly all distances are equal to others."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from imgsearch.retrieval.index import binary as binary_index
from imgsearch.retrieval.index import candidates
from imgsearch.retrieval.index.binary import BinaryIndex
from tests.support.progress import RecordedProgress


def some_codes(n: int, *, n_set: int = 256, seed: int = 1338) -> NDArray[np.uint8]:
    """(n, 32) binary codes whose first `n_set` bits vary: the fewer, the more ties."""
    bits = np.random.default_rng(seed).integers(0, 2, (n, 256), dtype=np.uint8)
    bits[:, n_set:] = 0
    return np.packbits(bits, axis=1)


def true_distances(query: NDArray[np.uint8], codes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(n,) by unpacking the bits."""
    differing: NDArray[np.int64] = (np.unpackbits(codes, axis=1) != np.unpackbits(query)).sum(axis=1)
    return differing


def brute_force(query: NDArray[np.uint8], codes: NDArray[np.uint8], k: int, left_out: set[int]) -> list[int]:
    distances = true_distances(query, codes)
    return sorted(set(range(len(codes))) - left_out, key=lambda row: (distances[row], row))[:k]


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_binary_codes_are_found_as_brute_force_finds_them(data: st.DataObject) -> None:
    n, k = data.draw(st.integers(1, 300)), data.draw(st.sampled_from([1, 2, 10, 60, 299, 1000]))
    n_set, seed = data.draw(st.sampled_from([0, 1, 3, 8, 256])), data.draw(st.integers(0, 2**32 - 1))
    codes = some_codes(n, n_set=n_set, seed=seed)
    rng = np.random.default_rng(seed)
    exclude = np.flatnonzero(rng.random(n) < data.draw(st.sampled_from([0.0, 0.4, 1.0])))
    self_rows = rng.integers(-1, n, 4)
    queries = np.concatenate([codes[rng.integers(0, n, 3)], some_codes(1, seed=seed)])
    most_fetched = data.draw(st.sampled_from([2048, 20]))  # with 20, removed rows are left out by a selector
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "MOST_FETCHED", most_fetched)
        answers = BinaryIndex.build(codes).search(queries, k, exclude=exclude, self_rows=self_rows)
    for query, own, found in zip(queries, self_rows, answers, strict=True):
        expected = brute_force(query, codes, k, {*exclude.tolist(), int(own)})
        assert found.rows.tolist() == expected
        assert found.distances.tolist() == true_distances(query, codes)[expected].tolist()
        assert found.rows.dtype == np.int64
        assert found.distances.dtype == np.float32


def test_more_equal_codes_than_are_fetched_still_come_in_order_of_their_rows() -> None:
    codes = np.tile(some_codes(1), (500, 1))
    codes[::2] ^= 255
    found = BinaryIndex.build(codes).search(codes[1:2], 4, exclude=np.array([3]), self_rows=np.array([5]))[0]
    assert found.rows.tolist() == [1, 7, 9, 11]
    assert found.distances.tolist() == [0, 0, 0, 0]
    every = BinaryIndex.build(codes).search(codes[1:2], 252)[0]
    assert every.rows.tolist() == [*range(1, 500, 2), 0, 2]
    assert every.distances.tolist() == [0] * 250 + [256] * 2


def test_a_code_is_as_far_from_another_as_bits_differ() -> None:
    codes = np.zeros((3, 32), np.uint8)
    codes[1, 0], codes[2, 31] = 0b1000_0000, 0b0000_0111
    found = BinaryIndex.build(codes).search(codes[:1], 3)[0]
    assert found.rows.tolist() == [0, 1, 2]
    assert found.distances.tolist() == [0, 1, 3]


@pytest.mark.parametrize("n_bytes", [4, 32])
def test_codes_are_given_back_and_may_be_shorter(n_bytes: int) -> None:
    codes = some_codes(40)[:, :n_bytes]  # not contiguous
    index = BinaryIndex.build(codes)
    assert (index.rows, index.n_bits) == (40, 8 * n_bytes)
    assert np.array_equal(index.codes(np.array([7, 3])), codes[[7, 3]])
    for row, found in enumerate(index.search(codes, 9)):
        assert found.rows.tolist() == brute_force(codes[row], codes, 9, set())


def test_an_empty_index_finds_nothing() -> None:
    index = BinaryIndex.build(some_codes(0))
    for found in index.search(some_codes(2), 5):
        assert found.rows.tolist() == []
        assert found.distances.tolist() == []
    assert index.search(some_codes(0), 5) == []
    assert BinaryIndex.build(some_codes(3)).search(some_codes(0), 5) == []


def test_blocks_of_queries_give_the_same_result_and_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = some_codes(100, n_set=8)
    index = BinaryIndex.build(codes)
    whole = index.search(codes, 5, self_rows=np.arange(100))
    monkeypatch.setattr(binary_index, "QUERY_BLOCK", 30)
    seen = RecordedProgress()
    parts = index.search(codes, 5, self_rows=np.arange(100), on_progress=seen)
    assert [found.rows.tolist() for found in parts] == [found.rows.tolist() for found in whole]
    assert seen.steps == [(30, 100), (60, 100), (90, 100), (100, 100)]


def test_threads_may_share_an_index() -> None:
    codes = some_codes(500, n_set=10)
    index = BinaryIndex.build(codes)
    expected = [found.rows.tolist() for found in index.search(codes[:40], 7)]
    answers: dict[int, list[int]] = {}

    def ask(number: int) -> None:
        answers[number] = index.search(codes[number : number + 1], 7)[0].rows.tolist()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answers[number] for number in range(40)] == expected

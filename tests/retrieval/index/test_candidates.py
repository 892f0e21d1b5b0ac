"""Candidates fetched from faiss: enough, no more than faiss can return, and with no idle thread."""

from typing import Any

import faiss
import numpy as np
import pytest
from numpy.typing import NDArray

from imgsearch.retrieval.index import candidates
from imgsearch.retrieval.index.candidates import SPARE, propose, threads_for
from imgsearch.retrieval.index.exact import Exclusions


class Searched:
    """An index that records the arguments of its searches."""

    def __init__(self) -> None:
        self.k = 0
        self.selected = False
        self.threads = 0

    def search(self, queries: NDArray[Any], k: int, params: object) -> tuple[NDArray[Any], NDArray[Any]]:
        self.k, self.selected, self.threads = k, params is not None, faiss.omp_get_max_threads()
        return np.zeros((len(queries), k), np.float32), np.zeros((len(queries), k), np.int64)


def searched_with(n: int, k: int, n_removed: int, n_queries: int = 1) -> Searched:
    index = Searched()
    exclusions = Exclusions.of(n, n_queries, np.arange(n_removed), None)
    propose(index, np.zeros((n_queries, 4), np.float32), k, exclusions)
    return index


def test_removed_rows_are_fetched_beyond_k_so_that_enough_are_left() -> None:
    assert searched_with(1000, 10, 0).k == 10 + SPARE + 1
    assert searched_with(1000, 10, 7).k == 10 + SPARE + 1 + 7
    assert searched_with(20, 10, 7).k == 20


def test_many_removed_rows_are_left_out_by_a_selector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "MOST_FETCHED", 100)
    few, many = searched_with(1000, 10, 50), searched_with(1000, 10, 90)
    assert (few.selected, many.selected) == (False, True)
    assert many.k == 10 + SPARE + 1


def test_faiss_gets_no_more_threads_than_queries_and_has_its_own_back() -> None:
    before = faiss.omp_get_max_threads()
    with threads_for(1):
        assert faiss.omp_get_max_threads() == 1
    with pytest.raises(KeyError), threads_for(1):
        raise KeyError
    assert searched_with(10, 3, 0, n_queries=1).threads == 1
    assert faiss.omp_get_max_threads() == before

"""Latent semantic analysis is the cut singular value decomposition."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from imgsearch.retrieval.text import lsa
from imgsearch.retrieval.text.lsa import SemanticSpace

DENSE = (np.random.default_rng(0).random((60, 12)) ** 4).astype(np.float32)


@pytest.fixture
def vectors() -> Any:
    return csr_array(DENSE)


def leading_directions(dense: NDArray[np.float32], k: int) -> NDArray[np.float64]:
    """(v, k) by the eigenvectors of the products of words."""
    return np.linalg.eigh(dense.T.astype(np.float64) @ dense)[1][:, ::-1][:, :k]


@pytest.mark.parametrize("k", [1, 4, 11, 12])
def test_directions_are_those_of_the_largest_singular_values(vectors: Any, k: int) -> None:
    space = SemanticSpace.of(vectors, k)
    assert space.directions.dtype == np.float32
    expected = leading_directions(DENSE, k)
    assert np.abs(space.directions) == pytest.approx(np.abs(expected), abs=1e-5)  # a direction has no sign
    assert np.abs(space.project(vectors)) == pytest.approx(np.abs(DENSE @ expected), abs=1e-5)
    assert (SemanticSpace.of(vectors, k).directions == space.directions).all()


@pytest.mark.parametrize(("shape", "expected"), [((60, 12), 12), ((5, 12), 5), ((60, 1), 1), ((1, 12), 1)])
def test_there_are_no_more_directions_than_words_or_texts(shape: tuple[int, int], expected: int) -> None:
    vectors = csr_array(DENSE[: shape[0], : shape[1]])
    space = SemanticSpace.of(vectors, 99)
    assert space.directions.shape == (shape[1], expected)
    assert space.project(vectors[:0]).shape == (0, expected)


def test_of_many_texts_a_sample_is_taken(vectors: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lsa, "MOST_FITTED", 30)
    sampled = SemanticSpace.of(vectors, 2).directions
    assert (sampled == SemanticSpace.of(vectors, 2).directions).all()
    assert np.abs(sampled) != pytest.approx(np.abs(leading_directions(DENSE, 2)), abs=1e-5)

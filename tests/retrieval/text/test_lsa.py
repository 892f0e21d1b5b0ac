"""Latent semantic analysis is the cut singular value decomposition."""

import numpy as np
import pytest
from sklearn.decomposition import TruncatedSVD

from imgsearch.retrieval.text import lsa as semantic
from imgsearch.retrieval.text.lsa import SemanticSpace


@pytest.fixture
def vectors() -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    random = np.random.default_rng(0)
    return (random.random((60, 12)) ** 4).astype(np.float32)


def test_it_agrees_with_scikit_learn(vectors: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> None:
    ours = SemanticSpace.of(vectors, np.arange(60), 4).project(vectors)
    theirs = TruncatedSVD(4, algorithm="arpack").fit_transform(vectors)
    assert np.abs(ours) == pytest.approx(np.abs(theirs), abs=1e-4)  # a direction has no sign


def test_blocks_and_more_directions_than_words_change_nothing(
    vectors: np.ndarray[tuple[int, int], np.dtype[np.float32]], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = SemanticSpace.of(vectors, np.arange(60), 99)
    assert whole.directions.shape == (12, 12)
    monkeypatch.setattr(semantic, "BLOCK_ROWS", 7)
    assert np.abs(SemanticSpace.of(vectors, np.arange(60), 99).project(vectors)) == pytest.approx(
        np.abs(whole.project(vectors)), abs=1e-4
    )
    assert whole.project(vectors[:0]).shape == (0, 12)

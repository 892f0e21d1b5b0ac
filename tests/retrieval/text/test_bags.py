"""Bags of words and their vectors: what is kept sparse is what a dense computation gives."""

import numpy as np
import pytest

from imgsearch.corpus.words import Vocabulary
from imgsearch.retrieval.text.bags import Bags, WordVectors, rarity

TEXTS = ["red boat boat", "", "blue sky", "boat", "nothing known"]
VOCABULARY = Vocabulary.of(["red boat", "blue sky", "boat"])


@pytest.fixture
def bags() -> Bags:
    return Bags.of(TEXTS, VOCABULARY)


def test_vectors_are_weighted_counts_of_length_one(bags: Bags) -> None:
    counts = np.array([[text.split().count(word) for word in VOCABULARY.words] for text in TEXTS])
    known = np.array(
        [sum(word in text.split() for text in ("red boat", "blue sky", "boat")) for word in VOCABULARY.words]
    )
    weights = np.log1p(counts) * (np.log(4 / (1 + known)) + 1)
    expected = weights / np.maximum(np.linalg.norm(weights, axis=1, keepdims=True), 1e-12)
    vectors = WordVectors.of(bags, VOCABULARY)
    assert vectors[:] == pytest.approx(expected, abs=1e-6)
    assert rarity(VOCABULARY)[VOCABULARY.places["boat"]] < rarity(VOCABULARY)[VOCABULARY.places["sky"]]
    chosen = np.array([3, 0, 1])
    assert (vectors[chosen] == vectors[:][chosen]).all()
    assert (vectors[1:3] == vectors[:][1:3]).all()
    assert vectors[:0].shape == (0, len(VOCABULARY))


def test_similarities_are_the_products_with_each_row(bags: Bags) -> None:
    vectors = WordVectors.of(bags, VOCABULARY)
    assert vectors.similarities(vectors[:1][0]) == pytest.approx(vectors[:] @ vectors[:1][0], abs=1e-6)


def test_a_count_is_kept_up_to_what_its_type_holds() -> None:
    assert Bags.of(["boat " * 4000], VOCABULARY).counts.tolist() == [4000]
    capped = Bags(np.array([0, 1]), np.array([0], np.int32), np.array([65_535], np.uint16))
    assert np.isfinite(WordVectors.of(capped, VOCABULARY)[:]).all()


def test_bags_are_emptied_where_they_are_told_to(bags: Bags) -> None:
    emptied = bags.emptied(np.array([0, 99]))
    assert emptied.equal(Bags.of(["", *TEXTS[1:]], VOCABULARY))
    assert not emptied.equal(bags)
    assert emptied.rows_with_words().tolist() == [2, 3]
    assert bags.first(3).equal(Bags.of(TEXTS[:3], VOCABULARY))

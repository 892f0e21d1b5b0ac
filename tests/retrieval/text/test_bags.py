"""Bags of words and their vectors: the sparse matrices hold what a dense computation gives."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfTransformer

from imgsearch.corpus.words import Vocabulary
from imgsearch.retrieval.text.bags import (
    Bags,
    DenseRows,
    are_equal,
    count_words,
    make_bags,
    rarity,
    rows_with_words,
    tf_idf,
    without_rows,
)

TEXTS = ["red boat boat", "", "blue sky", "boat", "nothing known"]
VOCABULARY = Vocabulary.of(["red boat", "blue sky", "boat"])


@pytest.fixture
def bags() -> Bags:
    return count_words(TEXTS, VOCABULARY)


def test_counts_are_those_of_each_text(bags: Bags) -> None:
    counts = [[text.split().count(word) for word in VOCABULARY.words] for text in TEXTS]
    assert bags.toarray().tolist() == counts
    assert bags.dtype == np.uint16


def test_vectors_are_weighted_counts_of_length_one(bags: Bags) -> None:
    counts = bags.toarray()
    known = np.array(
        [sum(word in text.split() for text in ("red boat", "blue sky", "boat")) for word in VOCABULARY.words]
    )
    weights = np.log1p(counts) * (np.log(4 / (1 + known)) + 1)
    expected = weights / np.maximum(np.linalg.norm(weights, axis=1, keepdims=True), 1e-12)
    vectors = tf_idf(bags, VOCABULARY)
    assert vectors.dtype == np.float32
    assert vectors.toarray() == pytest.approx(expected, abs=1e-6)
    assert rarity(VOCABULARY)[VOCABULARY.places["boat"]] < rarity(VOCABULARY)[VOCABULARY.places["sky"]]


def test_the_weights_are_scikit_learns_where_both_know_the_same_texts() -> None:
    texts = ["red boat", "blue sky", "boat", "boat boat red red red"]
    vocabulary = Vocabulary.of(texts)
    bags = count_words(texts, vocabulary)
    theirs = TfidfTransformer().fit(bags).transform(np.log1p(bags.astype(np.float64)))
    assert tf_idf(bags, vocabulary).toarray() == pytest.approx(theirs.toarray(), abs=1e-6)


def test_rows_become_dense_when_they_are_read(bags: Bags) -> None:
    vectors = tf_idf(bags, VOCABULARY)
    rows, dense = DenseRows(vectors), vectors.toarray()
    assert (len(rows), rows.shape, str(rows.dtype)) == (5, (5, len(VOCABULARY)), "float32")
    for chosen in (np.array([3, 0, 1]), slice(1, 3), slice(0, 0), slice(None)):
        assert (rows[chosen] == dense[chosen]).all()
        assert rows[chosen].dtype == np.float32


def test_a_count_is_kept_up_to_what_its_type_holds() -> None:
    assert count_words(["boat " * 4000], VOCABULARY).data.tolist() == [4000]
    largest = make_bags(np.array([0, 1]), np.array([0], np.int32), np.array([65_535], np.uint16), len(VOCABULARY))
    assert np.isfinite(tf_idf(largest, VOCABULARY).toarray()).all()


def test_emptied_bags_keep_nothing_of_their_words(bags: Bags) -> None:
    emptied = without_rows(bags, np.array([0, 99]))
    expected = count_words(["", *TEXTS[1:]], VOCABULARY)
    assert are_equal(emptied, expected)
    assert not are_equal(emptied, bags)
    for part in ("data", "indices", "indptr"):  # no zeros stay where the counts were
        assert getattr(emptied, part).tolist() == getattr(expected, part).tolist()
    assert emptied.dtype == np.uint16
    assert rows_with_words(emptied).tolist() == [2, 3]
    assert are_equal(bags[:3], count_words(TEXTS[:3], VOCABULARY))


@pytest.mark.parametrize(
    ("starts", "words", "counts"),
    [
        ([0, 2], [0, 9], [1, 1]),  # a word that the vocabulary lacks
        ([0, 2], [-1, 0], [1, 1]),
        ([0, 2, 1], [0, 1], [1, 1]),  # a bag that ends before it begins
        ([1, 2], [0, 1], [1, 1]),
        ([0, 2], [0, 1], [1]),
    ],
)
def test_arrays_that_are_no_bags_are_refused(starts: list[int], words: list[int], counts: list[int]) -> None:
    with pytest.raises(ValueError, match=r"ind|data"):
        make_bags(np.array(starts), np.array(words, np.int32), np.array(counts, np.uint16), 3)

"""Bags of words, and texts as vectors of words weighted by rarity (TF-IDF), as sparse matrices.

Imports nothing of images or models.
"""

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from imgsearch.corpus.words import Vocabulary
from imgsearch.retrieval.index.exact import Rows

# (n, v): how often each of v words stands in each of n texts; uint16, columns ascending in each row, no stored zeros.
Bags: TypeAlias = csr_array
# (n, v) float32, rows of length 1; the row of a text without words is empty.
WordVectors: TypeAlias = csr_array

MOST_COUNTED = np.iinfo(np.uint16).max


def count_words(texts: Iterable[str], vocabulary: Vocabulary) -> Bags:
    """Return one bag per text; a text without words of the vocabulary has an empty one."""
    ends = [0]
    words: list[int] = []
    counts: list[int] = []
    for text in texts:
        bag = vocabulary.count(text)
        words += bag.keys()
        counts += bag.values()
        ends.append(len(words))
    capped = np.minimum(np.array(counts, np.int64), MOST_COUNTED).astype(np.uint16)
    return make_bags(np.array(ends, np.int64), np.array(words, np.int32), capped, len(vocabulary))


def make_bags(starts: NDArray[np.int64], words: NDArray[np.int32], counts: NDArray[np.uint16], n_words: int) -> Bags:
    """Return bags; bag i has the words `words[starts[i]:starts[i + 1]]`, each as often as `counts` at its position.

    Raises:
        ValueError: the arrays do not fit together.
    """
    bags = csr_array((counts, words, starts), shape=(len(starts) - 1, n_words))
    bags.check_format(full_check=True)
    return bags


def rows_with_words(bags: Bags) -> Rows:
    """(m,) the rows whose bags are not empty, ascending."""
    return np.flatnonzero(np.diff(bags.indptr)).astype(np.int64)


def without_rows(bags: Bags, rows: Rows) -> Bags:
    """Return the same bags with those of `rows` empty; rows that are not there are ignored."""
    kept = np.ones(bags.shape[0], bags.dtype)
    kept[rows[rows < len(kept)]] = 0
    emptied = csr_array(diags_array(kept, dtype=bags.dtype) @ bags)
    emptied.eliminate_zeros()
    emptied.sort_indices()
    return emptied


def are_equal(some: Bags, others: Bags) -> bool:
    """Return whether all bags hold the same words equally often."""
    return bool(some.shape == others.shape and (some != others).nnz == 0)


def rarity(vocabulary: Vocabulary) -> NDArray[np.float32]:
    """(v,) smoothed inverse document frequency of each word: log((1 + texts) / (1 + texts with the word)) + 1."""
    counts = np.array(vocabulary.counts, np.float64)
    return (np.log((1 + vocabulary.n_texts) / (1 + counts)) + 1).astype(np.float32)


def tf_idf(bags: Bags, vocabulary: Vocabulary) -> WordVectors:
    """Return bags as vectors of length 1: log(1 + count) times the word's rarity.

    The rarities are those of the texts that the vocabulary was made of, so that queries and new texts get the weights
    that the text model was trained with. (scikit-learn's TfidfTransformer would learn them from the matrix at hand,
    and its sublinear weight is 1 + log(count).)
    """
    vectors = csr_array(bags, dtype=np.float32)
    vectors.data = np.log1p(vectors.data) * rarity(vocabulary)[vectors.indices]
    lengths = np.sqrt(vectors.multiply(vectors).sum(axis=1))  # (n,)
    return csr_array(diags_array(1 / np.where(lengths > 0, lengths, 1), dtype=np.float32) @ vectors)


class DenseRows:
    """A sparse matrix (n, v) as training and encoding take examples: rows become dense when they are read."""

    def __init__(self, vectors: WordVectors) -> None:
        self._vectors = vectors

    def __len__(self) -> int:
        return int(self._vectors.shape[0])

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and words."""
        return tuple(self._vectors.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        dtype: np.dtype[Any] = self._vectors.dtype
        return dtype

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> NDArray[np.float32]:
        """(m, v) the chosen rows, dense."""
        dense: NDArray[np.float32] = self._vectors[rows].toarray()
        return dense

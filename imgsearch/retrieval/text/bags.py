"""Bags of words: how often each word of a vocabulary stands in each text, and vectors weighted by rarity (TF-IDF).

numpy only; knows neither files, images nor models. Most words stand in few texts, so only what is not zero is kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from imgsearch.corpus.words import Vocabulary

MOST_COUNTED = np.iinfo(np.uint16).max


@dataclass(frozen=True)
class Bags:
    """Bag i holds the words `words[starts[i]:starts[i + 1]]`, each as often as `counts` says there."""

    starts: NDArray[np.int64]  # (n + 1,)
    words: NDArray[np.int32]  # (m,) numbers of words, ascending in each bag
    counts: NDArray[np.uint16]  # (m,)

    @classmethod
    def of(cls, texts: Iterable[str], vocabulary: Vocabulary) -> "Bags":
        """One bag per text; a text without words of the vocabulary has an empty one."""
        ends = [0]
        words: list[int] = []
        counts: list[int] = []
        for text in texts:
            bag = vocabulary.count(text)
            words += bag.keys()
            counts += bag.values()
            ends.append(len(words))
        capped = np.minimum(np.array(counts, np.int64), MOST_COUNTED)
        return cls(np.array(ends, np.int64), np.array(words, np.int32), capped.astype(np.uint16))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def rows_with_words(self) -> NDArray[np.int64]:
        """(m,) the bags that are not empty, ascending."""
        return np.flatnonzero(np.diff(self.starts)).astype(np.int64)

    def first(self, n: int) -> "Bags":
        """The first n bags."""
        stop = self.starts[n]
        return Bags(self.starts[: n + 1], self.words[:stop], self.counts[:stop])

    def emptied(self, rows: NDArray[np.int64]) -> "Bags":
        """The same with nothing in the bags of these rows; rows that are not there are passed over."""
        is_kept = np.ones(len(self), bool)
        is_kept[rows[rows < len(self)]] = False
        sizes = np.where(is_kept, np.diff(self.starts), 0)
        kept = np.repeat(is_kept, np.diff(self.starts))
        return Bags(np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), self.words[kept], self.counts[kept])

    def equal(self, other: "Bags") -> bool:
        """Whether all bags hold the same."""
        return all(
            np.array_equal(one, another)
            for one, another in (
                (self.starts, other.starts),
                (self.words, other.words),
                (self.counts, other.counts),
            )
        )


def rarity(vocabulary: Vocabulary) -> NDArray[np.float32]:
    """(v,) the weight of each word: log((1 + texts) / (1 + texts with the word)) + 1, as scikit-learn weights."""
    counts = np.array(vocabulary.counts, np.float64)
    return (np.log((1 + vocabulary.n_texts) / (1 + counts)) + 1).astype(np.float32)


@dataclass(frozen=True)
class WordVectors:
    """Bags as vectors (n, v) of length 1, float32: log(1 + count) times the word's rarity. An empty bag gives zeros.

    Offers what the training and the encoding ask of an array of examples, and makes dense rows only when asked.
    """

    starts: NDArray[np.int64]  # as those of the bags
    words: NDArray[np.int32]
    values: NDArray[np.float32]  # (m,)
    shape: tuple[int, int]

    @classmethod
    def of(cls, bags: Bags, vocabulary: Vocabulary) -> "WordVectors":
        values = np.log1p(bags.counts.astype(np.float32)) * rarity(vocabulary)[bags.words]
        rows = np.repeat(np.arange(len(bags)), np.diff(bags.starts))
        lengths = np.sqrt(np.bincount(rows, values.astype(np.float64) ** 2, minlength=len(bags)))
        return cls(bags.starts, bags.words, (values / lengths[rows]).astype(np.float32), (len(bags), len(vocabulary)))

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def dtype(self) -> np.dtype[np.float32]:
        return self.values.dtype

    def __getitem__(self, chosen: slice | NDArray[np.int64]) -> NDArray[np.float32]:
        """(m, v) the chosen rows, dense."""
        rows = np.arange(len(self))[chosen]
        sizes = self.starts[rows + 1] - self.starts[rows]
        ends = np.cumsum(sizes)
        places = np.arange(ends[-1] if len(ends) else 0) + np.repeat(self.starts[rows] - (ends - sizes), sizes)
        dense = np.zeros((len(rows), self.shape[1]), np.float32)
        dense[np.repeat(np.arange(len(rows)), sizes), self.words[places]] = self.values[places]
        return dense

    def as_examples(self) -> NDArray[Any]:
        """Itself, by the type that training and encoding name: of an array they use no more than is offered here."""
        return cast("NDArray[Any]", self)

    def similarities(self, query: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n,) the cosines between all rows and a query (v,) of length 1."""
        rows = np.repeat(np.arange(len(self)), np.diff(self.starts))
        products = self.values * query[self.words]
        return np.bincount(rows, products, minlength=len(self)).astype(np.float32)

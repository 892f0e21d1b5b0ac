"""The labelled images of a measurement: the database that is searched, and the queries."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imgsearch.corpus.ingest import LabelledImages
from imgsearch.errors import EvaluationError, Hint
from imgsearch.retrieval.index.exact import Rows

if TYPE_CHECKING:
    from imgsearch.retrieval.search.searcher import Searcher

MOST_ROWS = 50_000  # of a database; ranking more would take hours
SAMPLE_SEED = 0


@dataclass(frozen=True)
class LabelledDatabase:
    """The labelled images that can be found, or a sample of them."""

    names: list[str]  # of the labels, sorted
    labels: NDArray[np.int64]  # (n,) position in `names`
    rows: Rows  # (n,) ascending
    n_labelled: int  # number of labelled images that can be found

    @classmethod
    def of(cls, searcher: "Searcher", most_rows: int = MOST_ROWS) -> "LabelledDatabase":
        """Take all labelled images that can be found, or a sample of them.

        Raises:
            EvaluationError: there are fewer than two labels.
        """
        texts, findable = searcher.labels(), searcher.findable_rows().tolist()
        rows = np.array([row for row in findable if texts[row]], dtype=np.int64)
        names = sorted({texts[row] for row in rows})
        if len(names) < 2:
            have = f"all have the label {names[0]!r}" if names else "no indexed image has a label"
            raise EvaluationError(f"{have}; at least two labels are needed.", hint=Hint.INDEX_LABELLED_IMAGES)
        drawn = rows[sample(len(rows), most_rows)]
        numbers = {name: number for number, name in enumerate(names)}
        return cls(names, np.array([numbers[texts[row]] for row in drawn], dtype=np.int64), drawn, len(rows))


@dataclass(frozen=True)
class LabelledQueries:
    """The labelled images that are searched with."""

    labels: NDArray[np.int64]  # (nq,)
    positions: NDArray[np.int64]  # (nq,) in the database, -1 for images that are not in the corpus
    thumbnails: NDArray[np.uint8]  # (nq, 32, 32, 3)

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, which: NDArray[Any]) -> "LabelledQueries":
        """Return a part of the queries, chosen by numbers or by a mask."""
        return LabelledQueries(self.labels[which], self.positions[which], self.thumbnails[which])

    @property
    def are_rows(self) -> bool:
        """Whether they are images of the database."""
        return len(self) > 0 and bool(self.positions[0] >= 0)


def own_queries(database: LabelledDatabase, thumbnails: NDArray[np.uint8], most: int | None = None) -> LabelledQueries:
    """Use each image of the database as a query, or a sample; `thumbnails` (n, 32, 32, 3) are the database's."""
    positions = sample(len(database.rows), most)
    return LabelledQueries(database.labels[positions], positions, thumbnails[positions])


def given_queries(database: LabelledDatabase, given: LabelledImages, most: int | None = None) -> LabelledQueries:
    """Use other labelled images as queries, or a sample of them.

    Raises:
        EvaluationError: none has a label, or one has a label that the database lacks.
    """
    labelled = np.flatnonzero([label != "" for label in given.labels])
    if len(labelled) == 0:
        raise EvaluationError("no query image has a label: each must lie in a folder whose name is its label.")
    strangers = sorted(set(given.labels) - {"", *database.names})
    if strangers:
        known = _listed(database.names)
        raise EvaluationError(f"no indexed image has the label {_listed(strangers)}; the labels there are {known}.")
    labelled = labelled[sample(len(labelled), most)]
    numbers = {name: number for number, name in enumerate(database.names)}
    labels = np.array([numbers[given.labels[place]] for place in labelled], dtype=np.int64)
    return LabelledQueries(labels, np.full(len(labels), -1, dtype=np.int64), given.thumbnails[labelled])


def sample(n: int, most: int | None) -> NDArray[np.int64]:
    """(m,) the numbers 0..n-1, or `most` of them drawn with a fixed seed, ascending."""
    if most is None or most >= n:
        return np.arange(n)
    return np.sort(np.random.default_rng(SAMPLE_SEED).choice(n, most, replace=False))


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"

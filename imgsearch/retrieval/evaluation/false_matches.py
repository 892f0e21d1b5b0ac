"""How often a hit is called good although nothing like the query is there: labels left out of the database in turn.

Each image that asks, asks twice: among all other images, where its label is present, and among those of other labels
alone, as if its own had never been taken in. The cutoff is that of the whole corpus, the label that is left out
included. Knows labels and grades; must not know how a cutoff is found.
"""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imgsearch.progress import Progress, silent
from imgsearch.retrieval.evaluation.labels import MOST_ROWS, LabelledDatabase, LabelledQueries, own_queries
from imgsearch.retrieval.evaluation.methods import build_methods, row_vectors
from imgsearch.retrieval.evaluation.ranking import QUERY_BLOCK, Database
from imgsearch.retrieval.index.exact import blocks
from imgsearch.retrieval.search.thresholds import Cutoff, Cutoffs

if TYPE_CHECKING:
    from imgsearch.retrieval.search.searcher import Searcher

MOST_QUERIES = 1000


@dataclass(frozen=True)
class MatchRates:
    """How one method's cutoff tells queries that have a match from those that have none. Shares, 0 to 1."""

    same: float  # the cutoff
    close: float
    match: float  # of the queries whose label is present: the nearest hit is the same or close
    false_match: float  # of the queries whose label is left out: the nearest hit is the same or close nevertheless
    false_same: float  # of them: it is called the same
    right_if_good: float | None  # of the nearest hits that are the same or close, those with the query's label
    right_if_weak: float | None  # of those that are weak; None where there are none


@dataclass(frozen=True)
class FalseMatches:
    """The rates of each method that has a cutoff, on the same queries."""

    n_queries: int
    n_database: int
    n_labels: int
    methods: dict[str, MatchRates]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def false_match_rate(
    searcher: "Searcher",
    cutoffs: Cutoffs,
    *,
    max_queries: int = MOST_QUERIES,
    max_database: int = MOST_ROWS,
    on_progress: Progress = silent,
) -> FalseMatches:
    """Leave out each label in turn, and ask with its images.

    Raises:
        EvaluationError: fewer than two labels; the message says how to label.
    """
    database = LabelledDatabase.of(searcher, max_database)
    asked = own_queries(database, searcher.thumbnails(database.rows), max_queries)
    rates: dict[str, MatchRates] = {}
    for method in build_methods(searcher, names=tuple(cutoffs.methods), rows=database.rows):
        vectors = row_vectors(method, searcher, database.rows)
        nearest = _Nearest.of(Database.of(vectors, method.metric), vectors, database.labels, asked)
        rates[method.name] = nearest.rates(cutoffs.methods[method.name])
        on_progress(len(rates), len(cutoffs.methods), "leaving out labels")
    return FalseMatches(len(asked), len(database.rows), len(database.names), rates)


@dataclass(frozen=True)
class _Nearest:
    """What each query finds first."""

    present: NDArray[np.float64]  # (nq,) distance of the nearest other image, inf where there is none
    right: NDArray[np.bool_]  # (nq,) whether that has the query's label
    absent: NDArray[np.float64]  # (nq,) distance of the nearest of another label

    @classmethod
    def of(
        cls, database: Database, vectors: NDArray[Any], labels: NDArray[np.int64], asked: LabelledQueries
    ) -> "_Nearest":
        present, absent = np.empty(len(asked)), np.empty(len(asked))
        right = np.empty(len(asked), dtype=np.bool_)
        for start, stop in blocks(len(asked), QUERY_BLOCK):
            places, wanted = asked.places[start:stop], asked.labels[start:stop]
            distances = database.hit_distances(vectors[places])  # (nb, n)
            line = np.arange(len(places))
            distances[line, places] = np.inf
            first = distances.argmin(axis=1)
            present[start:stop], right[start:stop] = distances[line, first], labels[first] == wanted
            distances[labels[None, :] == wanted[:, None]] = np.inf
            absent[start:stop] = distances.min(axis=1)
        return cls(present, right, absent)

    def rates(self, cutoff: Cutoff) -> MatchRates:
        good = self.present <= cutoff.close
        return MatchRates(
            same=cutoff.same,
            close=cutoff.close,
            match=float(good.mean()),
            false_match=float((self.absent <= cutoff.close).mean()),
            false_same=float((self.absent <= cutoff.same).mean()),
            right_if_good=float(self.right[good].mean()) if good.any() else None,
            right_if_weak=None if good.all() else float(self.right[~good].mean()),
        )

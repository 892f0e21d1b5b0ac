"""Measure how often a hit is called good although no image of the query's kind is there.

Each query is searched twice: among all other images, where its label is present, and among those of other labels only,
as if its own label had never been added. The cutoff is the one of the whole corpus in both searches.
"""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imgsearch.progress import Progress, silent
from imgsearch.retrieval.evaluation.labels import MOST_ROWS, LabelledDatabase, LabelledQueries, own_queries
from imgsearch.retrieval.evaluation.methods import build_methods, row_vectors
from imgsearch.retrieval.index.exact import blocks
from imgsearch.retrieval.index.ranking import QUERY_BLOCK, Database
from imgsearch.retrieval.search.thresholds import Cutoff, Cutoffs

if TYPE_CHECKING:
    from imgsearch.retrieval.search.searcher import Searcher

MOST_QUERIES = 1000


@dataclass(frozen=True)
class MatchRates:
    """Rates at which one method's cutoff reports a match where there is one, and where there is none; 0 to 1."""

    same: float  # the cutoff's two distances
    close: float
    match: float  # queries with their label present whose nearest hit is graded same or close
    false_match: float  # queries with their label left out whose nearest hit is graded same or close
    false_same: float  # queries with their label left out whose nearest hit is graded same
    right_if_good: float | None  # nearest hits graded same or close that have the query's label; None without such
    right_if_weak: float | None  # nearest hits graded weak that have the query's label; None without such


@dataclass(frozen=True)
class FalseMatches:
    """The rates of each method that has a cutoff, on the same queries."""

    n_queries: int
    n_database: int
    n_labels: int
    methods: dict[str, MatchRates]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self)


def false_match_rate(
    searcher: "Searcher",
    cutoffs: Cutoffs,
    *,
    max_queries: int = MOST_QUERIES,
    max_database: int = MOST_ROWS,
    on_progress: Progress = silent,
) -> FalseMatches:
    """Leave out each label in turn and search with its images.

    Raises:
        EvaluationError: there are fewer than two labels.
    """
    database = LabelledDatabase.of(searcher, max_database)
    queries = own_queries(database, searcher.thumbnails(database.rows), max_queries)
    rates: dict[str, MatchRates] = {}
    for method in build_methods(searcher, names=tuple(cutoffs.methods), rows=database.rows):
        vectors = row_vectors(method, searcher, database.rows)
        nearest = _Nearest.of(Database.of(vectors, method.metric), vectors, database.labels, queries)
        rates[method.name] = nearest.rates(cutoffs.methods[method.name])
        on_progress(len(rates), len(cutoffs.methods), "leaving out labels")
    return FalseMatches(len(queries), len(database.rows), len(database.names), rates)


@dataclass(frozen=True)
class _Nearest:
    """The nearest image of each query, with its label present and left out."""

    present: NDArray[np.float64]  # (nq,) distance of the nearest other image, inf where there is none
    right: NDArray[np.bool_]  # (nq,) whether that image has the query's label
    absent: NDArray[np.float64]  # (nq,) distance of the nearest of another label

    @classmethod
    def of(
        cls, database: Database, vectors: NDArray[Any], labels: NDArray[np.int64], queries: LabelledQueries
    ) -> "_Nearest":
        """Search with each query twice."""
        present, absent = np.empty(len(queries)), np.empty(len(queries))
        right = np.empty(len(queries), dtype=np.bool_)
        for start, stop in blocks(len(queries), QUERY_BLOCK):
            positions, wanted = queries.positions[start:stop], queries.labels[start:stop]
            distances = database.hit_distances(vectors[positions])  # (nb, n)
            line = np.arange(len(positions))
            distances[line, positions] = np.inf
            first = distances.argmin(axis=1)
            present[start:stop], right[start:stop] = distances[line, first], labels[first] == wanted
            distances[labels[None, :] == wanted[:, None]] = np.inf
            absent[start:stop] = distances.min(axis=1)
        return cls(present, right, absent)

    def rates(self, cutoff: Cutoff) -> MatchRates:
        """Apply a cutoff to the distances."""
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

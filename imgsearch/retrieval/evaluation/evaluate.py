"""Compare methods by labels: how often their neighbours have the label of the query.

Rules of the measurement:

- the database is every labelled image that can be found, or 50,000 of them drawn with a fixed seed;
- no query is in the database: a row is left out of its own ranking, and a query whose thumbnail is also that of another
  database image is not used (`n_duplicates` counts these);
- queries with a *nearly* equal image in the database are used and counted (`n_near_duplicates`); scores without them
  are reported too;
- equal distances are in order of their rows, equal Hamming distances in random order with a fixed seed; a missing
  neighbour counts as wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgsearch.corpus.ingest import LabelledImages
from imgsearch.errors import EvaluationError, Hint
from imgsearch.paths import IndexPaths
from imgsearch.progress import Progress, part_of, silent
from imgsearch.retrieval.evaluation.duplicates import exact_duplicates, near_duplicates
from imgsearch.retrieval.evaluation.labels import (
    MOST_ROWS,
    LabelledDatabase,
    LabelledQueries,
    given_queries,
    own_queries,
)
from imgsearch.retrieval.evaluation.methods import EVALUATED, EvaluatedMethod, build_methods, row_vectors
from imgsearch.retrieval.evaluation.metrics import average_precision, knn_vote, precision_at
from imgsearch.retrieval.index.exact import blocks
from imgsearch.retrieval.index.ranking import QUERY_BLOCK, Database
from imgsearch.retrieval.search.searcher import Searcher

DEPTH = 1000  # neighbours that are scored
VOTERS = 20
SCORE_NAMES = ("p@1", "p@10", "p@100", "map@1000", "knn20")
AP_FORMULA = (
    "AP@1000 = sum over the relevant ranks r <= 1000 of precision@r, divided by the number of relevant images found in "
    "the first 1000 (0 where none is); map@1000 is its mean over the queries"
)
CURVE_POINTS = 40

Scores = dict[str, float]  # by `SCORE_NAMES`


@dataclass(frozen=True)
class Curve:
    """The share of same-label images among the N nearest, for N from 1 to the whole database."""

    n: tuple[int, ...]  # about 40, evenly spaced on a logarithmic axis
    n_queries: int
    share: dict[str, tuple[float, ...]]  # by method: one per N, mean over the queries


@dataclass(frozen=True)
class Evaluation:
    """All methods on the same queries and the same database."""

    n_database: int
    n_labelled: int  # more than `n_database` where that is a sample
    n_possible_queries: int  # more than used where the queries are a sample
    n_queries: int  # used
    n_duplicates: int  # queries not used because exactly their thumbnail is in the database
    n_near_duplicates: int  # queries used although nearly their image is in the database
    ap_formula: str
    titles: dict[str, str]  # by method: what it compares, and how
    methods: dict[str, Scores]  # mean over the queries
    without_near_duplicates: dict[str, Scores] | None  # mean over the other queries; None where there are none
    curve: Curve

    def to_json(self) -> dict[str, Any]:
        """Return JSON types. Some names are those of the first version of the format."""
        return {
            "n_database": self.n_database,
            "n_labelled": self.n_labelled,
            "n_could_ask": self.n_possible_queries,
            "n_queries": self.n_queries,
            "n_twins": self.n_duplicates,
            "n_near_twins": self.n_near_duplicates,
            "ap_formula": self.ap_formula,
            "methods": {name: {"title": self.titles[name]} | scores for name, scores in self.methods.items()},
            "without_near_twins": self.without_near_duplicates,
            "curve": {
                "n": list(self.curve.n),
                "n_queries": self.curve.n_queries,
                "share": {name: list(share) for name, share in self.curve.share.items()},
            },
        }


def evaluate(
    searcher: Searcher | IndexPaths | Path | str,
    *,
    queries: LabelledImages | None = None,
    max_queries: int | None = None,
    methods: Sequence[str] = EVALUATED,
    max_database: int = MOST_ROWS,
    on_progress: Progress = silent,
) -> Evaluation:
    """Compare methods on labelled images.

    Args:
        searcher: an open `Searcher`, or the index directory to open.
        queries: labelled images to search with; by default each labelled image of the corpus.
        max_queries: search with at most so many, drawn with a fixed seed.
        methods: names of `EVALUATED`, in the order of the table.
        max_database: rank at most so many images, drawn with a fixed seed.
        on_progress: called with the finished share of each step and the step's name.

    Raises:
        EvaluationError: labels are missing or do not allow a measurement.
    """
    if not isinstance(searcher, Searcher):
        with Searcher.open(searcher) as opened:
            return evaluate(
                opened,
                queries=queries,
                max_queries=max_queries,
                methods=methods,
                max_database=max_database,
                on_progress=on_progress,
            )
    database = LabelledDatabase.of(searcher, max_database)
    thumbnails = np.ascontiguousarray(searcher.thumbnails(database.rows))  # (n, 32, 32, 3)
    if queries is None:
        possible, drawn = len(database.rows), own_queries(database, thumbnails, max_queries)
    else:
        possible = sum(label != "" for label in queries.labels)
        drawn = given_queries(database, queries, max_queries)
    used, near = _without_duplicates(drawn, thumbnails, on_progress)
    built, scored = build_methods(searcher, names=methods, rows=database.rows), []
    for name in methods:
        on_progress(0, 1, f"{name}: preparing")
        scored.append(_score(next(built), searcher, database, used, on_progress))
    return _summary(database, possible, drawn, near, scored)


def _without_duplicates(
    drawn: LabelledQueries, thumbnails: NDArray[np.uint8], on_progress: Progress
) -> tuple[LabelledQueries, NDArray[np.bool_]]:
    """The queries without exact duplicates in the database, and which of them have near-duplicates there."""
    used = drawn.take(~exact_duplicates(drawn.thumbnails, drawn.positions, thumbnails))
    if len(used) == 0:
        which = "images has a duplicate" if drawn.are_rows else "queries is in the corpus"
        raise EvaluationError(
            f"each of the {len(drawn)} {which}, so that there is nothing to measure.", hint=Hint.OTHER_QUERIES
        )
    near = near_duplicates(
        used.thumbnails, used.positions, thumbnails, part_of(on_progress, 0, 1, "looking for near-duplicates")
    )
    return used, near


# -------------------------------------------------------------------------------------------------------- scoring


@dataclass(frozen=True)
class _Scored:
    """The scores of one method."""

    method: EvaluatedMethod
    scores: NDArray[np.float64]  # (nq, 5) in the order of `SCORE_NAMES`
    share: NDArray[np.float64]  # (points,) the curve


def _score(
    method: EvaluatedMethod,
    searcher: Searcher,
    database: LabelledDatabase,
    used: LabelledQueries,
    on_progress: Progress,
) -> _Scored:
    vectors = row_vectors(
        method,
        searcher,
        database.rows,
        part_of(on_progress, 0, 1, f"{method.name}: computing vectors"),
    )
    ranked = Database.of(vectors, method.metric)
    others = len(ranked) - used.are_rows  # a row of the database is last in its own ranking, as -1
    sizes = curve_sizes(others)
    scores, shares = [], np.zeros(len(sizes))
    for start, stop in blocks(len(used), QUERY_BLOCK, part_of(on_progress, 0, 1, f"{method.name}: searching")):
        block = used.take(np.arange(start, stop))
        queries = vectors[block.positions] if used.are_rows else method.vectors(block.thumbnails)
        order = ranked.ranking(queries, block.positions, first=start)[:, :others]
        found = database.labels[order]  # (nb, n) labels, nearest first
        scores.append(_scores(found, block.labels))
        same = np.cumsum(found == block.labels[:, None], axis=1, dtype=np.int32)[:, sizes - 1]  # (nb, points)
        shares += (same / sizes).sum(axis=0)
    return _Scored(method, np.concatenate(scores), shares / len(used))


def curve_sizes(n: int) -> NDArray[np.int64]:
    """(points,) numbers from 1 to n, evenly spaced on a logarithmic axis, each once.

    >>> curve_sizes(12).tolist()
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    """
    return np.unique(np.geomspace(1, max(n, 1), CURVE_POINTS).round().astype(np.int64))


def _scores(found: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.float64]:
    """(nq, 5) in the order of `SCORE_NAMES`."""
    return np.stack(
        [
            precision_at(found, wanted, 1),
            precision_at(found, wanted, 10),
            precision_at(found, wanted, 100),
            average_precision(found, wanted, DEPTH),
            (knn_vote(found, VOTERS) == wanted).astype(np.float64),
        ],
        axis=1,
    )


def _summary(
    database: LabelledDatabase, possible: int, drawn: LabelledQueries, near: NDArray[np.bool_], scored: list[_Scored]
) -> Evaluation:
    def means(which: NDArray[np.bool_]) -> dict[str, Scores]:
        return {
            each.method.name: dict(zip(SCORE_NAMES, each.scores[which].mean(axis=0).tolist(), strict=True))
            for each in scored
        }

    sizes = curve_sizes(len(database.rows) - drawn.are_rows)
    return Evaluation(
        n_database=len(database.rows),
        n_labelled=database.n_labelled,
        n_possible_queries=possible,
        n_queries=len(near),
        n_duplicates=len(drawn) - len(near),
        n_near_duplicates=int(near.sum()),
        ap_formula=AP_FORMULA,
        titles={each.method.name: each.method.title for each in scored},
        methods=means(np.ones(len(near), dtype=np.bool_)),
        without_near_duplicates=None if near.all() else means(~near),
        curve=Curve(
            tuple(sizes.tolist()), len(near), {each.method.name: tuple(each.share.tolist()) for each in scored}
        ),
    )

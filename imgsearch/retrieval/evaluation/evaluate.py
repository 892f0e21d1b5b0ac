"""Labels in, the table of methods out: how often each method's neighbours show the same kind of thing.

Knows the methods, their rankings and the metrics; must not know the command line. Rules of the measurement:

- the database is every labelled image that can be found, or 50,000 of them drawn with a fixed seed;
- a query never sits in the database: a row that asks is left out of its own answer, and a query whose thumbnail is
  also that of another database image is not asked at all (`n_twins` counts them);
- queries with a *nearly* equal image in the database are asked and counted (`n_near_twins`); the figures without them
  stand beside the figures with them;
- equal distances are in order of their rows, equal Hamming distances in random order with a fixed seed; a place
  without a neighbour counts as wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgsearch.corpus.ingest import LabelledImages
from imgsearch.errors import EvaluationError
from imgsearch.paths import IndexPaths
from imgsearch.progress import Progress, part_of, silent
from imgsearch.retrieval.evaluation.duplicates import exact_twins, near_twins
from imgsearch.retrieval.evaluation.labels import (
    MOST_ROWS,
    LabelledDatabase,
    LabelledQueries,
    given_queries,
    own_queries,
)
from imgsearch.retrieval.evaluation.methods import EVALUATED, EvaluatedMethod, build_methods, row_vectors
from imgsearch.retrieval.evaluation.metrics import average_precision, knn_vote, precision_at
from imgsearch.retrieval.evaluation.ranking import QUERY_BLOCK, Database
from imgsearch.retrieval.index.exact import blocks
from imgsearch.retrieval.search.searcher import Searcher

DEPTH = 1000  # neighbours that the figures look at
VOTERS = 20
FIGURES = ("p@1", "p@10", "p@100", "map@1000", "knn20")
AP_FORMULA = (
    "AP@1000 = sum over the relevant ranks r <= 1000 of precision@r, divided by the number of relevant images found in "
    "the first 1000 (0 where none is); map@1000 is its mean over the queries"
)
CURVE_POINTS = 40

Figures = dict[str, float]  # by the names in `FIGURES`


@dataclass(frozen=True)
class Curve:
    """The share of same-label images among the N nearest, for N from 1 to the whole database."""

    n: tuple[int, ...]  # about 40, evenly spaced on a logarithmic axis
    n_queries: int
    share: dict[str, tuple[float, ...]]  # method: one per N, mean over the queries


@dataclass(frozen=True)
class Evaluation:
    """All methods on the same queries and the same database."""

    n_database: int
    n_labelled: int  # more than `n_database` where that is a sample
    n_could_ask: int  # more than asked where the queries are a sample
    n_queries: int
    n_twins: int  # queries not asked because their very thumbnail is in the database
    n_near_twins: int  # queries that were asked although nearly their image is in the database
    ap_formula: str
    titles: dict[str, str]  # method: what it compares, and how
    methods: dict[str, Figures]  # mean over the queries
    without_near_twins: dict[str, Figures] | None  # mean over the other queries; None where there are none
    curve: Curve

    def to_json(self) -> dict[str, Any]:
        names = ("n_database", "n_labelled", "n_could_ask", "n_queries", "n_twins", "n_near_twins", "ap_formula")
        return {name: getattr(self, name) for name in names} | {
            "methods": {name: {"title": self.titles[name]} | figures for name, figures in self.methods.items()},
            "without_near_twins": self.without_near_twins,
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
    """Measure methods on labelled images.

    Args:
        searcher: an open `Searcher`, or the index directory to open.
        queries: labelled images to ask with; None: each labelled image of the corpus asks.
        max_queries: ask only so many, drawn with a fixed seed.
        methods: names of `EVALUATED`, in the order of the table.
        max_database: rank only so many images, drawn with a fixed seed.
        on_progress: called with the finished share of each step and the step's name.

    Raises:
        EvaluationError: labels are missing or do not allow a measurement; the message says how to label.
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
        could_ask, asked = len(database.rows), own_queries(database, thumbnails, max_queries)
    else:
        could_ask = sum(label != "" for label in queries.labels)
        asked = given_queries(database, queries, max_queries)
    alone, near = _without_twins(asked, thumbnails, on_progress)
    built, scored = build_methods(searcher, names=methods, rows=database.rows), []
    for name in methods:
        on_progress(0, 1, f"{name}: preparing")
        scored.append(_score(next(built), searcher, database, alone, on_progress))
    return _summary(database, could_ask, asked, near, scored)


def _without_twins(
    asked: LabelledQueries, thumbnails: NDArray[np.uint8], on_progress: Progress
) -> tuple[LabelledQueries, NDArray[np.bool_]]:
    """The queries that may be asked, and which of them have near twins."""
    alone = asked.take(~exact_twins(asked.thumbnails, asked.places, thumbnails))
    if len(alone) == 0:
        if asked.are_rows:
            raise EvaluationError(f"each of the {len(asked)} images has a twin, so none can ask. Use --queries PATH.")
        raise EvaluationError(
            f"each of the {len(asked)} queries is in the corpus itself, so there is nothing to measure. "
            "Query with other images, or without --queries."
        )
    near = near_twins(
        alone.thumbnails, alone.places, thumbnails, part_of(on_progress, 0, 1, "looking for near-duplicates")
    )
    return alone, near


# --------------------------------------------------------------------------------------------------- the measuring


@dataclass(frozen=True)
class _Scored:
    """What one method achieved."""

    method: EvaluatedMethod
    figures: NDArray[np.float64]  # (nq, 5) in the order of `FIGURES`
    share: NDArray[np.float64]  # (points,) the curve


def _score(
    method: EvaluatedMethod,
    searcher: Searcher,
    database: LabelledDatabase,
    asked: LabelledQueries,
    on_progress: Progress,
) -> _Scored:
    vectors = row_vectors(
        method,
        searcher,
        database.rows,
        part_of(on_progress, 0, 1, f"{method.name}: computing vectors"),
    )
    ranked = Database.of(vectors, method.metric)
    others = len(ranked) - asked.are_rows  # a row that asks is last in its own ranking, as -1
    sizes = curve_sizes(others)
    figures, shares = [], np.zeros(len(sizes))
    for start, stop in blocks(len(asked), QUERY_BLOCK, part_of(on_progress, 0, 1, f"{method.name}: searching")):
        block = asked.take(np.arange(start, stop))
        queries = vectors[block.places] if asked.are_rows else method.vectors(block.thumbnails)
        order = ranked.ranking(queries, block.places, first=start)[:, :others]
        found = database.labels[order]  # (nb, n) labels, nearest first
        figures.append(_figures(found, block.labels))
        same = np.cumsum(found == block.labels[:, None], axis=1, dtype=np.int32)[:, sizes - 1]  # (nb, points)
        shares += (same / sizes).sum(axis=0)
    return _Scored(method, np.concatenate(figures), shares / len(asked))


def curve_sizes(n: int) -> NDArray[np.int64]:
    """(points,) 1 to n, evenly spaced on a logarithmic axis, each once.

    >>> curve_sizes(12).tolist()
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    """
    return np.unique(np.geomspace(1, max(n, 1), CURVE_POINTS).round().astype(np.int64))


def _figures(found: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.float64]:
    """(nq, 5) in the order of `FIGURES`."""
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
    database: LabelledDatabase, could_ask: int, asked: LabelledQueries, near: NDArray[np.bool_], scored: list[_Scored]
) -> Evaluation:
    def means(which: NDArray[np.bool_]) -> dict[str, Figures]:
        return {
            each.method.name: dict(zip(FIGURES, each.figures[which].mean(axis=0).tolist(), strict=True))
            for each in scored
        }

    sizes = curve_sizes(len(database.rows) - asked.are_rows)
    return Evaluation(
        n_database=len(database.rows),
        n_labelled=database.n_labelled,
        n_could_ask=could_ask,
        n_queries=len(near),
        n_twins=len(asked) - len(near),
        n_near_twins=int(near.sum()),
        ap_formula=AP_FORMULA,
        titles={each.method.name: each.method.title for each in scored},
        methods=means(np.ones(len(near), dtype=np.bool_)),
        without_near_twins=None if near.all() else means(~near),
        curve=Curve(
            tuple(sizes.tolist()), len(near), {each.method.name: tuple(each.share.tolist()) for each in scored}
        ),
    )

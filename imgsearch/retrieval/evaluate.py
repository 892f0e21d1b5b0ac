"""Labels in, the table of methods out: how often code neighbours and pixel neighbours show the same thing.

Knows `Searcher`'s indexes and the metrics; must not know the command line. Rules of the measurement:

- the database is every labelled image that can be found;
- a query never sits in the database: a row that asks is left out of its own answer, and a query whose thumbnail is
  also that of another database image is not asked at all (`n_twins` counts them);
- equal distances are in order of their rows; a place without a neighbour counts as wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imgsearch.corpus.ingest import LabelledImages
from imgsearch.errors import EvaluationError
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.exact import Neighbours
from imgsearch.retrieval.metrics import MISSING, average_precision, knn_vote, precision_at
from imgsearch.retrieval.search import Searcher

DEPTH = 1000  # neighbours asked for
VOTERS = 20
FIGURES = ("p@1", "p@10", "p@100", "map@1000", "knn20")
AP_FORMULA = (
    "AP@1000 = sum over the relevant ranks r <= 1000 of precision@r, divided by the number of relevant images found in "
    "the first 1000 (0 where none is); map@1000 is its mean over the queries"
)
SAMPLE_SEED = 0
BLOCK = 1000  # queries whose neighbours are in memory at once: 1,000 x 1,000 labels are 8 MB

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Evaluation:
    """Code and pixels on the same queries and the same database."""

    n_database: int
    n_queries: int
    n_twins: int  # queries not asked because their very thumbnail is in the database
    ap_formula: str
    methods: dict[str, dict[str, float]]  # "pixel" and "code": mean over the queries by the names in `FIGURES`

    def to_json(self) -> dict[str, object]:
        names = ("n_database", "n_queries", "n_twins", "ap_formula", "methods")
        return {name: getattr(self, name) for name in names}


def evaluate(
    searcher: Searcher | IndexPaths | Path | str,
    *,
    queries: LabelledImages | None = None,
    max_queries: int | None = None,
    on_progress: Progress | None = None,
) -> Evaluation:
    """Measure both methods on labelled images.

    Args:
        searcher: an open `Searcher`, or the index directory to open.
        queries: labelled images to ask with; None: each labelled image of the corpus asks.
        max_queries: ask only so many, drawn with a fixed seed.
        on_progress: told how many of how many queries are answered.

    Raises:
        EvaluationError: labels are missing or do not allow a measurement; the message says how to label.
    """
    if not isinstance(searcher, Searcher):
        with Searcher.open(searcher) as opened:
            return evaluate(opened, queries=queries, max_queries=max_queries, on_progress=on_progress)
    database = _Database.of(searcher)
    asked = _own_queries(database) if queries is None else _given_queries(database, queries)
    if max_queries is not None and max_queries < len(asked.labels):
        chosen = np.random.default_rng(SAMPLE_SEED).choice(len(asked.labels), max_queries, replace=False)
        asked = asked.take(np.sort(chosen))
    return _measure(searcher, database, asked, on_progress)


# -------------------------------------------------------------------------------------------- database and queries


@dataclass(frozen=True)
class _Database:
    """The labelled images that can be found."""

    names: list[str]  # of the classes, sorted
    labels: NDArray[np.int64]  # (indexed rows,) place in `names`, MISSING for rows that are not in the database
    rows: NDArray[np.int64]  # (n,)
    without: NDArray[np.int64]  # the indexed rows that are not in it

    @classmethod
    def of(cls, searcher: Searcher) -> "_Database":
        texts = searcher.labels()[: searcher.code_index.rows]
        for row in searcher.removed_rows():
            if row < len(texts):
                texts[row] = ""
        names = sorted(set(texts) - {""})
        if len(names) < 2:
            have = f"all have the label {names[0]!r}" if names else "no indexed image has a label"
            raise EvaluationError(
                f"{have}; at least two labels are needed. Label images by their folders "
                "(imgsearch add PATH --labels-from-folders), then run: imgsearch reindex"
            )
        numbers = {name: number for number, name in enumerate(names)}
        labels = np.array([numbers.get(text, MISSING) for text in texts], dtype=np.int64)
        return cls(names, labels, np.flatnonzero(labels != MISSING), np.flatnonzero(labels == MISSING))


@dataclass(frozen=True)
class _Queries:
    labels: NDArray[np.int64]  # (nq,)
    rows: NDArray[np.int64]  # (nq,) the row that asks, or -1
    thumbnails: NDArray[np.uint8] | None  # (nq, 32, 32, 3); None: those of the rows

    def take(self, places: NDArray[np.int64]) -> "_Queries":
        thumbnails = None if self.thumbnails is None else self.thumbnails[places]
        return _Queries(self.labels[places], self.rows[places], thumbnails)


def _own_queries(database: _Database) -> _Queries:
    return _Queries(database.labels[database.rows], database.rows, None)


def _given_queries(database: _Database, given: LabelledImages) -> _Queries:
    labelled = np.flatnonzero([label != "" for label in given.labels])
    if len(labelled) == 0:
        raise EvaluationError("no query image has a label: put each into a folder that is named as what it shows.")
    strangers = sorted(set(given.labels) - {"", *database.names})
    if strangers:
        known = _listed(database.names)
        raise EvaluationError(f"no indexed image has the label {_listed(strangers)}; the labels there are {known}.")
    numbers = {name: number for number, name in enumerate(database.names)}
    labels = np.array([numbers[given.labels[place]] for place in labelled], dtype=np.int64)
    return _Queries(labels, np.full(len(labels), -1, dtype=np.int64), given.thumbnails[labelled])


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"


# --------------------------------------------------------------------------------------------------- the measuring


def _measure(searcher: Searcher, database: _Database, asked: _Queries, on_progress: Progress | None) -> Evaluation:
    total = len(asked.labels)
    by_pixel: list[NDArray[np.float64]] = []
    by_code: list[NDArray[np.float64]] = []
    for start in range(0, total, BLOCK):
        block = asked.take(np.arange(start, min(start + BLOCK, total)))
        pixels, codes = _scored(searcher, database, block)
        by_pixel.append(pixels)
        by_code.append(codes)
        if on_progress is not None:
            on_progress(min(start + BLOCK, total), total)
    scores = np.concatenate(by_pixel), np.concatenate(by_code)  # (nq, 5) each
    n_queries = len(scores[0])
    if n_queries == 0:
        raise EvaluationError(
            f"each of the {total} queries is in the corpus itself, so there is nothing to measure. "
            "Query with other images, or without --queries."
        )
    pixel, code = (dict(zip(FIGURES, values.mean(axis=0).tolist(), strict=True)) for values in scores)
    methods = {"pixel": pixel, "code": code}
    return Evaluation(len(database.rows), n_queries, total - n_queries, AP_FORMULA, methods)


def _scored(
    searcher: Searcher, database: _Database, block: _Queries
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(asked, 5) scores by pixels and by codes, of the queries that have no twin in the database."""
    thumbnails = searcher.corpus.thumbnails()[block.rows] if block.thumbnails is None else block.thumbnails
    near = searcher.pixel_index.search(thumbnails, DEPTH, without=database.without, itself=block.rows)
    alone = np.flatnonzero([len(each.rows) == 0 or each.distances[0] > 0 for each in near])
    asking = block.take(alone)
    pixels = _scores(database, [near[place] for place in alone], asking.labels)
    has_rows = block.thumbnails is None
    codes = searcher.code_index.codes(asking.rows) if has_rows else searcher.encode(thumbnails[alone])
    near = searcher.code_index.search(codes, DEPTH, without=database.without, itself=asking.rows)
    return pixels, _scores(database, near, asking.labels)


def _scores(database: _Database, neighbours: list[Neighbours], wanted: NDArray[np.int64]) -> NDArray[np.float64]:
    """(nq, 5) in the order of `FIGURES`."""
    found = np.full((len(neighbours), DEPTH), MISSING, dtype=np.int64)
    for places, each in zip(found, neighbours, strict=True):
        places[: len(each.rows)] = database.labels[each.rows]
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

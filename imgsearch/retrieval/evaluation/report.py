"""Measure one index by all available means, and keep the result beside it as `quality.json`.

Reading and writing the file imports neither torch nor faiss, so that the page and `status` can show it quickly.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from imgsearch.errors import EvaluationError
from imgsearch.paths import IndexPaths
from imgsearch.progress import Progress, silent
from imgsearch.records import find_record, write_record

if TYPE_CHECKING:
    from imgsearch.corpus.ingest import LabelledImages
    from imgsearch.retrieval.evaluation.evaluate import Evaluation
    from imgsearch.retrieval.evaluation.false_matches import FalseMatches
    from imgsearch.retrieval.evaluation.robustness import DistortedRecall
    from imgsearch.retrieval.search.searcher import Searcher

# What each part must hold, and of which type, to be shown; more is allowed.
_LABELLED = {"n_database": int, "n_queries": int, "n_twins": int, "n_near_twins": int, "methods": dict, "curve": dict}
_CURVE = {"n": list, "n_queries": int, "share": dict}
_DISTORTED = {"n_rows": int, "n_database": int, "distortions": list, "recall": dict, "mean": dict}


@dataclass(frozen=True)
class Quality:
    """The measurements of one index in JSON types. A part that was not measured is None.

    `labelled`: {"n_database", "n_queries", "n_twins", "n_near_twins", "ap_formula", "methods": {name: {"title", "p@1",
    "p@10", "p@100", "map@1000", "knn20"}}, "curve": {"n": [...], "n_queries", "share": {name: [...]}}}.
    `distorted`: {"n_rows", "n_database", "distortions": [...], "recall": {method: {distortion: {"top1", "top10"}}},
    "mean": {method: {"top1", "top10"}}}.
    """

    model: str  # digest of the model whose codes were measured
    rows: int  # rows 0..rows-1 were in the index
    made_at: str  # ISO 8601, UTC
    labelled: dict[str, Any] | None = None  # by labels: which methods find images of the same label
    distorted: dict[str, Any] | None = None  # without labels: which methods find the original of a distorted copy
    cutoff: dict[str, Any] | None = None  # how often a hit is graded good although its label was left out

    def __post_init__(self) -> None:
        labelled, distorted = self.labelled, self.distorted
        if labelled is not None and not (_holds(labelled, _LABELLED) and _holds(labelled["curve"], _CURVE)):
            raise ValueError("a part of the measurement by labels is missing")
        if distorted is not None and not _holds(distorted, _DISTORTED):
            raise ValueError("a part of the measurement by distorted copies is missing")

    def to_json(self) -> dict[str, Any]:
        """Return all parts by name."""
        return asdict(self)

    def fits(self, model: str, rows: int) -> bool:
        """Return whether these are measurements of the index that `model` made of so many rows."""
        return (self.model, self.rows) == (model, rows)


@dataclass(frozen=True)
class Measurement:
    """The measurements of one index, with their parts as typed results."""

    quality: Quality
    distorted: "DistortedRecall"
    evaluation: "Evaluation | None"  # by labels
    false_matches: "FalseMatches | None"  # of the calibrated cutoff, by labels; None also without a cutoff
    why_not: EvaluationError | None  # why nothing was measured by labels


def measure(
    searcher: "Searcher",
    *,
    queries: "LabelledImages | None" = None,
    max_queries: int | None = None,
    labels_needed: bool = False,
    on_progress: Progress = silent,
) -> Measurement:
    """Measure all that the corpus allows: distorted copies always, labels where there are at least two.

    Args:
        searcher: an open index.
        queries: labelled images to search with; by default each labelled image of the corpus.
        max_queries: search with at most so many of them, drawn with a fixed seed.
        labels_needed: whether missing labels are an error.
        on_progress: called with the finished share of each step and the step's name.

    Raises:
        EvaluationError: labels are missing or wrong, although there are `queries` or `labels_needed`; or no image can
            be found.
    """
    from imgsearch.retrieval.evaluation.evaluate import evaluate
    from imgsearch.retrieval.evaluation.false_matches import false_match_rate
    from imgsearch.retrieval.evaluation.methods import build_methods
    from imgsearch.retrieval.evaluation.robustness import measure_distorted

    evaluation, false_matches, why_not = None, None, None
    cutoffs = searcher.cutoffs()
    try:
        evaluation = evaluate(searcher, queries=queries, max_queries=max_queries, on_progress=on_progress)
        if cutoffs is not None:
            false_matches = false_match_rate(searcher, cutoffs, on_progress=on_progress)
    except EvaluationError as error:
        if labels_needed or queries is not None:
            raise
        why_not = error
    distorted = measure_distorted(searcher, build_methods(searcher), on_progress=_of_copies(on_progress))
    quality = quality_now(
        searcher.model,
        searcher.rows,
        labelled=None if evaluation is None else evaluation.to_json(),
        distorted=distorted.to_json(),
        cutoff=None if false_matches is None else false_matches.to_json(),
    )
    return Measurement(quality, distorted, evaluation, false_matches, why_not)


def quality_now(model: str, rows: int, **parts: dict[str, Any] | None) -> Quality:
    """Return the parts `labelled`, `distorted` and `cutoff` with the current time."""
    return Quality(model, rows, datetime.now(UTC).isoformat(timespec="seconds"), **parts)


def write_quality(paths: IndexPaths, quality: Quality) -> None:
    """Write `quality` in place of the earlier measurements.

    Raises:
        IndexDirectoryError: the directory cannot be written.
    """
    write_record(paths.quality, quality)


def read_quality(paths: IndexPaths) -> Quality | None:
    """Read the last measurements; None where there are none or the file is damaged: measuring again makes new ones.

    Raises:
        IndexDirectoryError: the file is there and cannot be read.
    """
    return find_record(paths.quality, Quality)


def _of_copies(on_progress: Progress) -> Progress:
    """The same callback, with a text that names the distorted copies."""

    def report(done: float, total: float | None, text: str = "") -> None:
        on_progress(done, total, f"distorted copies, {text}")

    return report


def _holds(found: object, wanted: Mapping[str, type]) -> bool:
    return isinstance(found, dict) and all(isinstance(found.get(name), kind) for name, kind in wanted.items())

"""Everything that `imgsearch evaluate` finds out about one index: with distorted copies, and by labels where there are
some.

Knows the parts; must not know how they measure, nor how they are shown.
"""

from dataclasses import dataclass

from imgsearch.corpus.ingest import LabelledImages
from imgsearch.errors import EvaluationError
from imgsearch.progress import Progress, silent
from imgsearch.retrieval.evaluation.evaluate import Evaluation, evaluate
from imgsearch.retrieval.evaluation.false_matches import FalseMatches, false_match_rate
from imgsearch.retrieval.evaluation.methods import build_methods
from imgsearch.retrieval.evaluation.quality import Quality, quality_now
from imgsearch.retrieval.evaluation.robustness import DistortedRecall, measure_distorted
from imgsearch.retrieval.search.searcher import Searcher


@dataclass(frozen=True)
class Measurement:
    """The figures of one index."""

    quality: Quality  # all of them, as they are kept beside the index
    distorted: DistortedRecall
    evaluation: Evaluation | None  # by labels
    false_matches: FalseMatches | None  # of the calibrated cutoff, by labels; None also where none is calibrated
    why_not: str  # why nothing was measured by labels, or ""


def measure(
    searcher: Searcher,
    *,
    queries: LabelledImages | None = None,
    max_queries: int | None = None,
    labels_needed: bool = False,
    on_progress: Progress = silent,
) -> Measurement:
    """Measure all that this corpus allows.

    Raises:
        EvaluationError: labels are missing or wrong, although there are `queries` or `labels_needed`; or no image can
            be found.
    """
    evaluation, false_matches, why_not = None, None, ""
    cutoffs = searcher.cutoffs()
    try:
        evaluation = evaluate(searcher, queries=queries, max_queries=max_queries, on_progress=on_progress)
        if cutoffs is not None:
            false_matches = false_match_rate(searcher, cutoffs, on_progress=on_progress)
    except EvaluationError as error:
        if labels_needed or queries is not None:
            raise
        why_not = str(error)
    distorted = measure_distorted(searcher, build_methods(searcher), on_progress=_of_copies(on_progress))
    quality = quality_now(
        searcher.model,
        searcher.rows,
        labelled=None if evaluation is None else evaluation.to_json(),
        distorted=distorted.to_json(),
        cutoff=None if false_matches is None else false_matches.to_json(),
    )
    return Measurement(quality, distorted, evaluation, false_matches, why_not)


def _of_copies(on_progress: Progress) -> Progress:
    """The same callback, with a text that names the distorted copies."""

    def report(done: float, total: float | None, text: str = "") -> None:
        on_progress(done, total, f"distorted copies, {text}")

    return report

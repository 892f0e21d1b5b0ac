"""Everything that `imgsearch evaluate` finds out about one index: by labels, where there are some, and without.

Knows the parts; must not know how they measure, nor how they are shown.
"""

from dataclasses import dataclass

from imgsearch.corpus.ingest import LabelledImages
from imgsearch.errors import EvaluationError
from imgsearch.retrieval.evaluate import Evaluation, Progress, evaluate
from imgsearch.retrieval.quality import Quality, quality_now
from imgsearch.retrieval.search import Searcher


@dataclass(frozen=True)
class Measurement:
    """The figures of one index."""

    quality: Quality  # all of them, as they are kept beside the index
    evaluation: Evaluation | None  # the labelled part
    why_not: str  # why there is no labelled part, or ""


def measure(
    searcher: Searcher,
    *,
    queries: LabelledImages | None = None,
    max_queries: int | None = None,
    labels_needed: bool = False,
    on_progress: Progress | None = None,
) -> Measurement:
    """Measure all that this corpus allows.

    Raises:
        EvaluationError: labels are missing or wrong, although there are `queries` or `labels_needed`.
    """
    evaluation, why_not = None, ""
    try:
        evaluation = evaluate(searcher, queries=queries, max_queries=max_queries, on_progress=on_progress)
    except EvaluationError as error:
        if labels_needed or queries is not None:
            raise
        why_not = str(error)
    quality = quality_now(
        searcher.card.digest,
        searcher.code_index.rows,
        labelled=None if evaluation is None else evaluation.to_json(),
    )
    return Measurement(quality, evaluation, why_not)
